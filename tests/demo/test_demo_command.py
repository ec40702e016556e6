"""``vcid demo``: exit codes, what is printed, and what is not."""

import contextlib
import io
import json
from dataclasses import replace

import pytest

click = pytest.importorskip("click")
pytest.importorskip("rich")

from click.testing import CliRunner  # noqa: E402 - only where there is click
from rich.console import Console  # noqa: E402

from vcid.cli.demo import demo, find_registrations, run  # noqa: E402
from vcid.demo.chapters import Reading, Silence  # noqa: E402
from vcid.demo.scenes import SCENES  # noqa: E402
from vcid.demo.story import Settings, play  # noqa: E402
from vcid.demo.telling import Teller  # noqa: E402
from vcid.errors import FieldError  # noqa: E402

VALUES = ("15/03/2021", "44270", "Muster", "'X'")


def console(*, width: int = 100, terminal: bool = False) -> Console:
    return Console(
        file=io.StringIO(),
        width=width,
        force_terminal=terminal,
        markup=False,
        emoji=False,
        highlight=False,
        _environ={},
    )


def told(ending, *, show_values: bool = False, width: int = 100) -> str:
    out = console(width=width)
    teller = Teller(out, show_values=show_values)
    chapters = (
        ending.cast,
        ending.custody,
        ending.reading,
        ending.issuing,
        ending.publication,
        ending.hearing,
        ending.scenes,
        ending,
    )
    for chapter in chapters:
        teller.tell(chapter)
    return out.file.getvalue()


def test_story_ends_with_zero(small_table, tmp_path):
    """The command, run as a user does, succeeds and says where everything is."""
    folder = tmp_path / "demo"
    result = CliRunner().invoke(demo, ["--registrations", str(small_table), "--folder", str(folder)])
    assert result.exit_code == 0, result.output
    assert "The verifier said what it had to, every time." in result.output
    assert f"verify --config {folder}/vcid.toml" in result.output
    for value in VALUES:
        assert value not in result.output


def test_json_says_the_same(small_table, tmp_path, cheap, capsys):
    """--json prints one object and nothing else; with --show-values what was found stands in it."""
    settings = Settings(registrations=small_table, folder=tmp_path / "demo", cost=cheap)
    assert run(settings, as_json=True, show_values=True) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["asExpected"] is True
    assert len(summary["scenes"]) == len(SCENES)
    expected = {"line": 12, "field": "date_of_birth", "code": "spreadsheet-date", "found": "44270"}
    assert expected.items() <= summary["faults"][2].items()


def test_scene_that_goes_wrong_ends_with_one(small_table, tmp_path, cheap, capsys):
    """The demonstration is a test: what the verifier should not have said is shown, and the exit code is 1."""
    good = next(scene for scene in SCENES if scene.name == "good")
    revoked = next(scene for scene in SCENES if scene.name == "revoked")
    wrong = replace(good, name="wrong", tried="what can't be", expected=revoked.expected)
    settings = Settings(
        registrations=small_table, folder=tmp_path / "demo", cost=cheap, scenes=(revoked, wrong)
    )
    assert run(settings) == 1
    output = capsys.readouterr().out
    assert "✗ what can't be" in output
    assert "what can't be: expected rejected status: revoked" in output
    assert "this demonstration failed" in output
    assert run(settings, as_json=True) == 1
    assert json.loads(capsys.readouterr().out)["asExpected"] is False


def test_credentials_that_do_not_verify_are_told(ending):
    """A hearing with refusals says how many, and why."""
    hearing = replace(ending.hearing, verified=3, refusals={"anchor: stale": 17})
    text = told(replace(ending, hearing=hearing))
    assert f"3 of {hearing.answers} credentials verified" in text
    assert "17 times anchor: stale" in text
    assert "this demonstration failed" in text


def test_values_are_shown_on_request_alone(ending):
    """A wrong row's values appear with --show-values, and not without."""
    silent, open_ = told(ending), told(ending, show_values=True, width=140)
    for value in ("15/03/2021", "44270"):
        assert value not in silent
        assert value in open_


def test_values_cannot_steer_the_terminal():
    """Control characters and signs that turn the writing's direction are shown as escapes."""
    found = "\x1b[2Jamina\u202e[bold]\ud800"
    fault = FieldError("child_name", "control-character", "text", found, 2)
    out = console()
    reading = Reading(source="t.csv", good=3, wrong=1, faults=(fault,))
    Teller(out, show_values=True).tell(reading)
    text = out.file.getvalue()
    assert "\\x1b[2Jamina\\u202e[bold]\\ud800" in text
    assert "\x1b" not in text
    assert "\u202e" not in text


@pytest.mark.parametrize("width", [40, 80, 200])
def test_story_fits_the_terminal(ending, width):
    """No line but the call to copy, and paths, is wider than the terminal."""
    folder = str(ending.folder)
    wide = [line for line in told(ending, width=width).splitlines() if len(line) > width]
    assert [line for line in wide if folder not in line and str(ending.reading.source) not in line] == []


def test_scene_is_a_line(ending):
    """On eighty columns, each scene stands on one line."""
    text = told(ending, width=80)
    for scene in ending.scenes:
        line = next(line for line in text.splitlines() if scene.tried in line)
        assert scene.conclusion in line
        assert line.rstrip().endswith(scene.said or scene.conclusion)


def test_marks_fit_the_terminals_encoding(ending):
    """Where a terminal knows ASCII alone, scenes are marked in it."""
    file = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Teller(Console(file=file, width=80, _environ={})).tell(ending.scenes)
    file.flush()
    assert file.buffer.getvalue().count(b" ok ") == len(ending.scenes)


def test_progress_is_for_terminals():
    """A progress bar is drawn on a terminal, and not into a file."""
    for terminal in (True, False):
        out = console(terminal=terminal)
        with Teller(out).working("Issuing", 2) as advance:
            advance(2)
        assert ("Issuing" in out.file.getvalue()) is terminal


def test_strange_folder_is_wrong_usage(small_table, tmp_path):
    """A folder that is not the demonstration's ends in exit code 2 and stays as it is."""
    (tmp_path / "mine").touch()
    result = CliRunner().invoke(demo, ["--registrations", str(small_table), "--folder", str(tmp_path)])
    assert result.exit_code == 2
    assert "--folder" in result.output
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize("arguments", [[], ["--registrations", "missing.csv"]], ids=["none near", "missing"])
def test_no_table_is_wrong_usage(tmp_path, arguments):
    """Outside a clone, and without a table, the command says what to do and makes no folder."""
    with contextlib.chdir(tmp_path):
        result = CliRunner().invoke(demo, arguments)
    assert result.exit_code == 2
    assert "--registrations" in result.output
    assert list(tmp_path.iterdir()) == []


def test_table_is_found_from_a_folder_below(tmp_path):
    """In a folder of a clone the example's table is found above; elsewhere none is."""
    data = tmp_path / "examples" / "data"
    data.mkdir(parents=True)
    with pytest.raises(click.UsageError):
        find_registrations(data)
    (data / "registrations.csv").touch()
    assert find_registrations(data) == data / "registrations.csv"


def test_silence_tells_nothing(ending, capsys):
    """The narrator of --json prints nothing."""
    silence = Silence()
    with silence.working("Issuing", 1) as advance:
        advance(1)
    silence.tell(ending)
    assert capsys.readouterr() == ("", "")


def test_story_without_wrong_rows(small_table, tmp_path, cheap):
    """A table without faults is told without a table of faults."""
    table = tmp_path / "good.csv"
    table.write_bytes(b"".join(small_table.read_bytes().splitlines(keepends=True)[:5]))
    out = console()
    ending = play(Settings(registrations=table, folder=tmp_path / "demo", cost=cheap), Teller(out))
    assert ending.as_expected
    assert "what is wrong" not in out.file.getvalue()

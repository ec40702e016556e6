"""The command as a process: exit codes, streams that are closed, interrupts, and what a machine may lack."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.conftest import PASSPHRASE, Place, spawn
from vcid.cli.app import COMMANDS, command

DID = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


def one_line(ended: subprocess.CompletedProcess[str]) -> str:
    """The one line on stderr."""
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


def test_a_verdict_is_an_exit_code(authority: Place):
    """0, 1, 3 and 2 in processes of their own, started in the authority's folder."""
    good = authority.credential
    forged = authority.write("forged.json", good.read_bytes().replace(b"Amina", b"Imani"))
    assert spawn("verify", good, cwd=authority.folder).returncode == 0
    assert spawn("verify", forged, cwd=authority.folder).returncode == 1
    assert spawn("verify", "missing.json", cwd=authority.folder).returncode == 2
    for path in (authority.folder / "knowledge" / "status").iterdir():
        path.unlink()
    assert spawn("verify", good, cwd=authority.folder).returncode == 3


def test_settings_are_found_in_their_order(authority: Place, nowhere: Place):
    """A command's own --config comes before vcid's, that before VCID_CONFIG, and all before this folder's."""
    toml, wrong = authority.folder / "vcid.toml", nowhere.write("vcid.toml", b"[nothing]")
    run = ("verify", authority.credential, "--json")
    assert spawn(*run, cwd=nowhere.folder).returncode == 2
    assert spawn(*run, cwd=nowhere.folder, env={"VCID_CONFIG": str(toml)}).returncode == 0
    assert spawn("--config", toml, *run, env={"VCID_CONFIG": str(wrong)}).returncode == 0
    assert spawn("--config", wrong, *run, "--config", toml).returncode == 0
    assert spawn("--config", wrong, *run, cwd=authority.folder).returncode == 2


def test_help_and_version(nowhere: Place):
    """Every command explains itself and its exit codes; the version is the library's."""
    import vcid

    assert spawn("--version").stdout == f"vcid {vcid.__version__}\n"
    shown = nowhere("-h")
    assert all(name in shown.out for name in COMMANDS)
    for name in COMMANDS:
        ended = nowhere(name, "-h")
        assert (ended.code, ended.out.startswith(f"Usage: vcid {name}")) == (0, True)
        assert command.get_command(None, name).name == name


@pytest.mark.parametrize("arguments", [("nothing",), ("--nothing",), ("did", "nothing"), ("registry", "-x")])
def test_wrong_usage_is_one_line(nowhere: Place, arguments: tuple[str, ...]):
    """What is no command and no option ends in 2, with the way to the help."""
    refused = nowhere(*arguments)
    assert refused.code == 2
    assert refused.line.startswith("vcid")
    assert refused.line.endswith(" -h)")


def test_a_closed_stdin_is_no_traceback(authority: Place, nowhere: Place):
    """Neither a credential nor a passphrase can come from a stdin that is closed or empty."""
    for options in ({"stdin": subprocess.DEVNULL}, {"preexec_fn": lambda: os.close(0)}):
        read = spawn("verify", "-", cwd=authority.folder, **options)
        assert read.returncode == (1 if "stdin" in options else 2)
        assert "Traceback" not in read.stderr
        asked = spawn(
            *("init", nowhere.folder, "--domain", "civil.example", "--jurisdiction", "KE"),
            env={"VCID_PASSPHRASE": None},
            **options,
        )
        assert asked.returncode == 2
        assert "VCID_PASSPHRASE" in one_line(asked)


def test_a_reader_who_leaves_is_no_verdict():
    """A pipe that nobody reads ends in 141, as for other commands, and silently."""
    reading, writing = os.pipe()
    os.close(reading)
    ended = spawn("did", "resolve", DID, stdout=writing)
    os.close(writing)
    assert (ended.returncode, ended.stderr) == (141, "")


def test_a_closed_stdout_is_no_traceback(authority: Place):
    """The exit code tells the verdict even where nothing can be printed."""
    ended = spawn("verify", authority.credential, cwd=authority.folder, preexec_fn=lambda: os.close(1))
    assert (ended.returncode, ended.stderr) == (0, "")


def test_a_full_disk_is_one_line():
    """A result that can't be written is a failure, not a success."""
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    with Path("/dev/full").open("wb") as full:
        ended = spawn("did", "resolve", DID, stdout=full)
    assert ended.returncode != 0
    assert "Traceback" not in ended.stderr


def test_an_interrupt_ends_in_130(authority: Place):
    """Ctrl-C is one line and no traceback."""
    process = subprocess.Popen(
        [sys.executable, "-m", "vcid.cli", "verify", "-"],
        cwd=authority.folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    deadline = time.monotonic() + 30
    while not (authority.folder / "views.db").exists() and time.monotonic() < deadline:
        time.sleep(0.01)  # the memory of the logs is opened just before stdin is read
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (130, b"", b"vcid: interrupted\n")


def test_an_encoding_that_lacks_letters_is_enough(authority: Place):
    """Names in other scripts come out as escapes where the terminal knows no more."""
    content = authority.credential.read_bytes().replace(b"Amina", "أمينة".encode())
    file = authority.write("أمينة.json", content)
    ended = spawn("verify", file, cwd=authority.folder, env={"PYTHONIOENCODING": "latin-1"})
    assert (ended.returncode, ended.stderr) == (1, "")
    assert r"\u0623" in ended.stdout


@pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX is needed")
@pytest.mark.parametrize(("again", "code"), [(PASSPHRASE, 0), (f"{PASSPHRASE} mistyped", 130)])
def test_a_terminal_is_asked_for_the_passphrase_twice(nowhere: Place, again: str, code: int):
    """A new passphrase is confirmed; until both agree nothing is made, and it never shows."""
    controller, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "vcid.cli", "did", "new", "--out", "key.json", "--key-cost", "interactive"],
        cwd=nowhere.folder,
        env={name: value for name, value in os.environ.items() if name != "VCID_PASSPHRASE"},
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=terminal,
        start_new_session=True,
    )
    os.close(terminal)
    shown = b""
    for answer in (PASSPHRASE, again):
        shown += _read_until(controller, b": ")
        os.write(controller, f"{answer}\n".encode())
    if code:
        shown += _read_until(controller, b"Passphrase: ")
        process.send_signal(signal.SIGINT)
    out, _ = process.communicate(timeout=30)
    os.close(controller)
    assert process.returncode == code
    assert PASSPHRASE.encode() not in shown
    assert out.startswith(b"did:key:z") is (code == 0)
    assert (nowhere.folder / "key.json").exists() is (code == 0)


def _read_until(descriptor: int, sign: bytes) -> bytes:
    shown = b""
    while not shown.endswith(sign):
        shown += os.read(descriptor, 1)
    time.sleep(0.05)  # the prompt stands before the echo is switched off
    return shown


def test_a_fault_of_our_own_names_its_kind_alone(capsys: pytest.CaptureFixture[str]):
    """What nobody foresaw ends in 70; its message, which may hold a name, is not shown."""
    from vcid.cli.app import INTERNAL, _report

    assert _report(RuntimeError("Amina Example")) == INTERNAL
    line = capsys.readouterr().err
    assert "RuntimeError" in line
    assert "Amina" not in line


def test_an_error_of_the_system_names_the_file(capsys: pytest.CaptureFixture[str]):
    """An OSError is one line with the file and the reason, whatever is in the file's name."""
    from vcid.cli.app import FAILED, _report

    assert _report(PermissionError(13, "Permission denied", "a\nb\x1b[2J")) == FAILED
    assert capsys.readouterr().err == "vcid: a\\nb\\x1b[2J: Permission denied\n"


def test_the_help_comes_quickly():
    """No heavy part is loaded for the help, nor for what a command's options say."""
    heavy = ["nacl", "cryptography", "jsonschema", "pyld", "sqlite3", "orjson", "rich", "vcid.demo"]
    for arguments in ([], ["issue"], ["verify"], ["init"], ["publish"], ["did", "new"]):
        code = (
            "import sys, json; from vcid.cli.app import run; run(sys.argv[1:]);"
            f"print(json.dumps([name for name in {heavy} if name in sys.modules]), file=sys.stderr)"
        )
        ended = subprocess.run(
            [sys.executable, "-c", code, *arguments, "-h"], capture_output=True, text=True, check=True
        )
        assert json.loads(ended.stderr) == [], arguments

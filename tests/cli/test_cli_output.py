"""What a terminal is shown, and what a folder is given: colours and bars there, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
import uuid
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from hypothesis import given, settings
from hypothesis import strategies as st

from cli.conftest import Place
from vcid.cli.folder import CredentialFolder
from vcid.cli.output import fault_text, printable
from vcid.cli.tables import columns_for, read_lines, read_orders
from vcid.credentials.model import Credential
from vcid.errors import FieldError, InvalidRecord, Malformed, VcidError
from vcid.importers.csv_rows import MAX_LINE
from vcid.importers.example_columns import EXAMPLE_COLUMNS
from vcid.status.issuances import MAX_KEY

needs_terminal = pytest.mark.skipif(os.name != "posix", reason="a terminal of POSIX is needed")


def on_terminal(code: str, *arguments: object, cwd: Path) -> str:
    """Run Python with stdout and stderr on a terminal of 60 columns, and give what it was shown."""
    controller, terminal = os.openpty()
    process = subprocess.Popen(
        [sys.executable, "-c", code, *(str(one) for one in arguments)],
        cwd=cwd,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "60", "LINES": "24"},
        stdin=subprocess.DEVNULL,
        stdout=terminal,
        stderr=terminal,
    )
    os.close(terminal)
    shown = b""
    try:
        while block := os.read(controller, 1 << 16):
            shown += block
    except OSError:
        pass  # Linux says so where the last writer has gone
    process.wait(timeout=30)
    os.close(controller)
    return shown.decode()


@needs_terminal
def test_a_terminal_gets_a_table_that_fits(authority: Place):
    """Outcomes are coloured, and no line is longer than the terminal is wide."""
    code = "import sys; from vcid.cli.app import run; sys.exit(run(sys.argv[1:]))"
    forged = authority.write("f.json", authority.credential.read_bytes().replace(b"Amina", b"Imani"))
    shown = on_terminal(code, "verify", forged.name, cwd=authority.folder)
    assert "\x1b[1;31mfailed" in shown
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown).splitlines()
    assert max(map(len, plain)) <= 60
    assert "signature" in shown


BAR = """
import sys, time
from vcid.cli.progress import slow_progress
with slow_progress("issuing", 3, patience=float(sys.argv[1])) as advance:
    for _ in range(3):
        time.sleep(0.01)
        advance()
"""


@needs_terminal
def test_slow_work_has_a_bar_on_a_terminal(tmp_path: Path):
    """A bar appears once patience has run out, and leaves nothing behind."""
    assert "issuing" in on_terminal(BAR, 0, cwd=tmp_path)


@needs_terminal
def test_quick_work_and_pipes_have_no_bar(tmp_path: Path):
    """Neither where the work is done in time, nor where no terminal is looking."""
    assert on_terminal(BAR, 60, cwd=tmp_path) == ""
    piped = subprocess.run([sys.executable, "-c", BAR, "0"], capture_output=True, check=True)
    assert (piped.stdout, piped.stderr) == (b"", b"")


@settings(max_examples=300)
@given(st.text())
def test_nothing_that_is_shown_steers(text: str):
    """Whatever the text, what is shown of it is printable, but for the two signs that spelling needs."""
    shown = printable(text)
    assert all(sign.isprintable() or sign in "\u200c\u200d" for sign in shown)
    if text.isprintable():
        assert shown == text


def test_a_fault_says_where_it_is():
    """Line and field where there are any, and the value on request alone."""
    fault = FieldError("sex", "required", "this cell", "x", 3)
    assert fault_text(fault) == "line 3, sex: required: expected this cell"
    assert fault_text(fault, show_value=True).endswith("(found 'x')")
    assert fault_text(FieldError("", "ragged", "29 cells", line=3)) == "line 3: ragged: expected 29 cells"
    assert fault_text(FieldError("", "wrong-type", "an object")) == "record: wrong-type: expected an object"


@pytest.mark.parametrize("name", [None, "../../etc/passwd", "urn:uuid:../x", "did:web:civil.example"])
def test_a_folder_takes_credentials_of_a_uuid_alone(tmp_path: Path, name: str | None):
    """No id leads out of the folder, or puts a name into it."""
    credential = Credential.from_json({"id": name} if name else {})
    with pytest.raises(Malformed):
        CredentialFolder(tmp_path / "out").write(credential)
    assert not list((tmp_path / "out").iterdir())


def test_a_folder_replaces_whole_files(tmp_path: Path):
    """The same credential again takes its own file's place; where it can't, nothing is left beside it."""
    identifier = uuid.uuid4()
    folder = CredentialFolder(tmp_path)
    credential = Credential.from_json({"id": identifier.urn})
    assert folder.write(credential) == folder.write(credential) == tmp_path / f"{identifier}.json"
    assert [path.name for path in tmp_path.iterdir()] == [f"{identifier}.json"]
    (tmp_path / f"{identifier}.json").unlink()
    (tmp_path / f"{identifier}.json").mkdir()
    with pytest.raises(OSError, match="directory"):
        folder.write(credential)
    assert len(list(tmp_path.iterdir())) == 1


def orders(table: bytes, tmp_path: Path) -> list[tuple[int | None, str | None, set[tuple[str, str]]]]:
    """Read a table under the column ``id``: line, key and faults of each row."""
    (tmp_path / "rows.csv").write_bytes(table)
    columns = columns_for(EXAMPLE_COLUMNS, key_column="id", jurisdiction="UG")
    with (tmp_path / "rows.csv").open("rb") as stream:
        return [
            (row.line, row.order.key if row.order else None, {(one.path, one.code) for one in row.faults})
            for row in read_orders(read_lines(stream), columns=columns, key_column="id")
        ]


HEADER = ",".join([*(column.name for column in EXAMPLE_COLUMNS.columns.values()), "id"]).encode() + b"\n"


def row(key: bytes) -> bytes:
    """A row whose other cells are empty, which gives it faults of its own."""
    return b"," * (HEADER.count(b",")) + key + b"\n"


def test_keys_stay_with_their_rows(tmp_path: Path):
    """Blank rows, rows over several lines, overlong and broken ones between them shift no key."""
    table = (
        HEADER + row(b"k" * (MAX_KEY + 1)) + b"\n" + b"x" * (2 * MAX_LINE) + b"\n" + b'"a\nb\n' + row(b"\xff")
    )
    found = {line: faults for line, _, faults in orders(table, tmp_path)}
    assert ("id", "key") in found[2]
    assert ("id", "key") in found[7]
    assert {line for line, faults in found.items() if {path for path, _ in faults} == {""}} == {4, 5, 6}


@pytest.mark.parametrize("table", [b"", HEADER.replace(b",id", b"")])
def test_a_table_without_the_column_of_keys_is_refused(tmp_path: Path, table: bytes):
    """The header has to have it; that it doesn't is a fault of line 1 beside the others."""
    with pytest.raises(InvalidRecord) as caught:
        orders(table, tmp_path)
    assert ("id", "missing-column", 1) in {(one.path, one.code, one.line) for one in caught.value.errors}


@settings(max_examples=100)
@given(st.binary(max_size=300) | st.text(alphabet='a,"\n\r;ü', max_size=100).map(str.encode))
def test_arbitrary_rows_raise_only_our_errors(tmp_path_factory: pytest.TempPathFactory, content: bytes):
    """Whatever follows the header, each row is an order or has faults."""
    folder = tmp_path_factory.getbasetemp()
    assert all(key is None and faults for _, key, faults in orders(HEADER + content, folder))
    with contextlib.suppress(VcidError):
        orders(content, folder)

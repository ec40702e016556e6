"""Registers' exports, row by row: good rows become records, wrong rows are told whole, and none is lost."""

from __future__ import annotations

import contextlib
import io
import runpy
from datetime import date
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.birth import NameKind, ParentageStatus, RegistrationType, SexAtBirth, new_child_ref
from vcid.errors import InvalidRecord, Malformed, Unavailable, VcidError
from vcid.importers.columns import Column, ColumnMap
from vcid.importers.crosswalks import Crosswalk
from vcid.importers.csv_rows import MAX_LINE, read_rows
from vcid.importers.example_columns import EXAMPLE_COLUMNS
from vcid.importers.table import Row, read_registrations

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "examples" / "data" / "registrations.csv"
TODAY = date(2026, 11, 13)

SMALL = ColumnMap(
    columns={
        "/registration/number": Column("no"),
        "/registration/date": Column("registered"),
        "/names/0/full": Column("name"),
        "/birthDate": Column("born"),
        "/sexAtBirth": Column("sex", Crosswalk("sexAtBirth", {"M": "male", "F": "female"})),
        "/parents/0/names/0/full": Column("mother"),
        "/parents/1/names/0/full": Column("father"),
        "/birthOrder": Column("order"),
    },
    constants={
        "/registration/jurisdiction": "KE",
        "/registration/office": "Example North",
        "/registration/registrationType": "current",
        "/nameStatus": "recorded",
        "/birthDateBasis": "declared",
        "/birthPlace/country": "KE",
        "/parentageStatus": "all",
        "/parents/0/label": "mother",
        "/parents/1/label": "father",
    },
    ignored=frozenset({"remarks"}),
)
HEADER = b"no,registered,name,born,sex,mother,father,order\n"
GOOD = b"1,2021-04-01,Amina Example,2021-03-15,F,Fanta Example,Ekon Example,\n"


def read(*lines: bytes, header: bytes = HEADER, columns: ColumnMap = SMALL) -> list[Row]:
    return list(read_registrations(io.BytesIO(header + b"".join(lines)), columns=columns, on=TODAY))


def told(row: Row) -> set[tuple[str, str]]:
    assert row.record is None
    assert {fault.line for fault in row.faults} == {row.line}
    return {(fault.path, fault.code) for fault in row.faults}


def test_a_good_row_is_a_record() -> None:
    """Cells, crosswalks and constants make the record that the map says."""
    (row,) = read(GOOD)
    assert row.line == 2
    assert row.faults == ()
    record = row.record
    assert record is not None
    assert record.sex_at_birth is SexAtBirth.FEMALE
    assert record.registration.jurisdiction == "KE"
    assert [(parent.label, parent.role) for parent in record.parents] == [("mother", None), ("father", None)]
    record.validate(TODAY)


def test_an_empty_item_of_a_list_is_closed_up() -> None:
    """Only a father on record is one parent, and a fault of his is told in his column."""
    (row,) = read(GOOD.replace(b"Fanta Example", b""))
    assert row.record is not None
    assert [parent.label for parent in row.record.parents] == ["father"]
    (row,) = read(GOOD.replace(b"Fanta Example", b"").replace(b"Ekon Example", b"Ekon\xe2\x80\xae"))
    assert told(row) == {("father", "control-character")}


@pytest.mark.parametrize(
    ("line", "faults"),
    [
        (GOOD.replace(b"2021-03-15", b"44270"), {("born", "spreadsheet-date")}),
        (GOOD.replace(b"2021-03-15", b"15/03/2021"), {("born", "ambiguous-date")}),
        (GOOD.replace(b"2021-03-15", b"31/02"), {("born", "ambiguous-date")}),
        (GOOD.replace(b"2021-03-15", b"15.03.2021"), {("born", "ambiguous-date")}),
        (GOOD.replace(b"2021-03-15", b"2021-02-31"), {("born", "no-such-day")}),
        (GOOD.replace(b"2021-03-15", b"2021/2019"), {("born", "reversed-interval")}),
        (GOOD.replace(b"2021-03-15", b"2020/.."), {("born", "open-interval")}),
        (GOOD.replace(b"2021-03-15", b""), {("born", "required")}),
        (GOOD.replace(b"2021-03-15", b"2027-01-01"), {("born", "in-the-future"), ("registered", "before-birth")}),
        (GOOD.replace(b"2021-04-01", b"2021-03-01"), {("registered", "before-birth")}),
        (GOOD.replace(b",F,", b",X,"), {("sex", "not-in-crosswalk")}),
        (GOOD.replace(b",F,", b",f,"), {("sex", "not-in-crosswalk")}),
        (GOOD.replace(b",F,", b",,"), {("sex", "required")}),
        (GOOD.replace(b"Amina Example", b"Jos\xe9 Muster"), {("name", "wrong-encoding")}),
        (GOOD.replace(b"Amina Example", b""), {("name", "required")}),
        (GOOD.replace(b"Amina Example", b'"Amina\nExample"'), {("name", "control-character")}),
        (GOOD.replace(b"Amina Example", b"A" * 1001), {("name", "too-long")}),
        (GOOD.replace(b"Amina Example", b"A" * 301), {("name", "too-long")}),
        (GOOD.replace(b",\n", b",first\n"), {("order", "wrong-type")}),
        (GOOD.replace(b",\n", "،٢\n".encode()), {("", "ragged-row")}),
        (GOOD.replace(b",\n", ",٢\n".encode()), {("order", "wrong-type")}),
        (GOOD.replace(b",\n", b",1\n"), {("order", "order-of-single-birth")}),
        (GOOD.replace(b"Fanta Example,Ekon Example", b","), {("mother", "required")}),
        (GOOD.replace(b",\n", b"\n"), {("", "ragged-row")}),
        (GOOD.replace(b",\n", b",,\n"), {("", "ragged-row")}),
        (GOOD.replace(b"Amina", b'"Amina'), {("", "unclosed-quote")}),
        (GOOD.replace(b"Amina", b'"Ami"na'), {("", "misquoted-cell")}),
        (
            b"1,15/03/2021,2021-03-15,Amina Example,W,Fanta\xe2\x80\x8bExample,Ekon Example,x\n",
            {
                ("registered", "ambiguous-date"),
                ("name", "no-letter"),
                ("born", "not-a-date"),
                ("sex", "not-in-crosswalk"),
                ("mother", "control-character"),
                ("order", "wrong-type"),
            },
        ),
    ],
)  # fmt: skip
def test_a_wrong_row_is_told_whole_and_costs_no_other(line: bytes, faults: set[tuple[str, str]]) -> None:
    """All faults of a row come at once, by column, and its neighbours are records."""
    before, wrong, after = read(GOOD.replace(b"1,", b"7,", 1), line, GOOD.replace(b"1,", b"8,", 1))
    assert told(wrong) == faults
    assert wrong.line == 3
    assert before.record is not None
    assert after.record is not None
    assert after.line == 4 + line.count(b"\n") - 1


def test_values_are_shown_only_on_request() -> None:
    """A fault's text has no value, and `found` has it for who asks."""
    (row,) = read(GOOD.replace(b"Amina Example", b"Jos\xe9 Muster").replace(b"2021-03-15", b"44270"))
    shown = repr(row) + "".join(map(str, row.faults))
    for secret in ("Jos", "Muster", "44270", "Fanta"):
        assert secret not in shown
    assert "44270" in {fault.found for fault in row.faults}


def test_a_number_stands_once() -> None:
    """The second row of a number is refused, whether or not the first was good, and told where the first is."""
    rows = read(GOOD, GOOD, GOOD.replace(b"1,", b"2,", 1), GOOD.replace(b",F,", b",X,"))
    assert [row.record is not None for row in rows] == [True, False, True, False]
    assert told(rows[1]) == {("no", "repeated")}
    assert "line 2" in str(rows[1].faults[0])
    assert told(rows[3]) == {("no", "repeated"), ("sex", "not-in-crosswalk")}


def test_stray_quotes_swallow_nothing() -> None:
    """Rows between two stray quotes are read as rows, and only those with the quotes are faults."""
    stray = GOOD.replace(b"Amina", b'"Amina')
    lines = [GOOD.replace(b"1,", f"{number},".encode(), 1) for number in range(2, 40)]
    rows = read(stray, *lines[:3], stray.replace(b"1,", b"1b,", 1), *lines[3:])
    assert [row.line for row in rows if row.record is None] == [2, 6]
    assert sum(row.record is not None for row in rows) == 38


REMARKED = b"remarks," + HEADER


@pytest.mark.parametrize(
    ("header", "lines", "wrong"),
    [
        pytest.param(HEADER, [b'1,2021-04-01,"Amina', b'2,2021-04-01,Amina"'], [2, 3], id="mapped-cell"),
        pytest.param(
            HEADER, [b'1,2021-04-01,"Amina', b"2,2021-04-01,Amina", b'3,2021-04-01,Amina"'], [2, 4], id="between"
        ),
        pytest.param(
            HEADER, [b'1,2021-04-01,"Amina', b'2,2021-04-01,"Amina"', b'3,2021-04-01,Amina"'], [2, 4], id="quoted-between"
        ),
        pytest.param(REMARKED, [b'"see file,1,2021-04-01,Amina', b'x",2,2021-04-01,Amina'], [2, 3], id="ignored-cell"),
        pytest.param(
            REMARKED, [b'"see file,1,2021-04-01,Amina', b"y,2,2021-04-01,Amina", b'x",3,2021-04-01,Amina'], [2, 4], id="around"
        ),
        pytest.param(HEADER, [b'"1,2021-04-01,Amina', b'2",2021-04-01,Amina'], [2, 3], id="first-cell"),
    ],
)  # fmt: skip
def test_two_stray_quotes_join_no_rows(header: bytes, lines: list[bytes], wrong: list[int]) -> None:
    """A quote that opens in one row and one that closes in another cost those two rows, and hide none."""
    rest = b" Example,2021-03-15,F,Fanta Example,Ekon Example,\n"
    last = (b"ok," if header is REMARKED else b"") + b"9,2021-04-01,Amina"
    table = [line.replace(b'Amina"', b'Amina Example"') for line in [*lines, last]]
    rows = read(
        *(line + (rest[8:] if line.endswith(b'"') else rest) for line in table),
        header=header,
    )
    assert [row.line for row in rows] == list(range(2, len(table) + 2))
    assert [row.line for row in rows if row.record is None] == wrong
    assert {code for row in rows if row.record is None for _, code in told(row)} == {"unclosed-quote"}


@pytest.mark.parametrize(
    ("header", "line", "follows"),
    [
        pytest.param(REMARKED, b'"see\nthe file",' + GOOD, 4, id="first-cell"),
        pytest.param(REMARKED, b'"see, please,\nthe, old\nfile, too",' + GOOD, 5, id="with-commas"),
        pytest.param(
            HEADER.replace(b"order", b"order,remarks"), GOOD.replace(b"\n", b',"see\r\nfile, a, b"\n'), 4, id="last-cell"
        ),
    ],
)  # fmt: skip
def test_a_cell_may_be_broken_over_lines(header: bytes, line: bytes, follows: int) -> None:
    """A line break in a closed cell is text, wherever the cell stands, and the next row is another."""
    next_row = GOOD.replace(b"1,", b"2,", 1)
    next_row = b"x," + next_row if header is REMARKED else next_row.replace(b"\n", b",\n")
    rows = read(line, next_row, header=header)
    assert [row.line for row in rows if row.record] == [2, follows]


def test_lines_without_their_ends_are_lines() -> None:
    """Stray quotes join no rows of a table that was split into lines before."""
    lines = [HEADER, GOOD.replace(b"Amina", b'"Amina'), GOOD.replace(b"Example,", b'Example",', 1), GOOD]
    rows = list(read_rows([line.rstrip() for line in lines]))
    assert [row.code for row in rows] == ["", "unclosed-quote", "unclosed-quote", ""]


def test_rows_inside_a_broken_first_cell_are_rows() -> None:
    """Whole rows between the quotes of a first cell are read, though the line that ends it looks like one."""
    rows = read(b'"see\n', b"x," + GOOD, b'file",' + GOOD.replace(b"1,", b"2,", 1), header=REMARKED)
    assert [row.line for row in rows if row.record] == [3]
    assert [told(row) for row in rows if not row.record] == [{("", "unclosed-quote")}] * 2


def test_line_numbers_count_every_line() -> None:
    """A quoted line break, a blank line and a row of empty cells each count as the lines they are."""
    rows = read(
        GOOD.replace(b"Amina Example", b'"A\r\n\r\nB"'), b"\r\n", b",,,,,,,\n", GOOD.replace(b"1,", b"2,", 1)
    )
    assert [row.line for row in rows] == [2, 7]


def test_marks_and_line_ends_of_spreadsheets_are_read() -> None:
    """A byte order mark, CRLF and spaces around cells are no faults; neither is a last line without its end."""
    (row,) = read(
        b" 1 ,2021-04-01, Amina Example ,2021-03-15,F,Fanta Example,,", header=b"\xef\xbb\xbf" + HEADER
    )
    assert row.record is not None
    assert row.record.names[0].full == "Amina Example"
    assert read(GOOD.replace(b"\n", b"\r\n"), header=HEADER.replace(b"\n", b"\r\n"))[0].record is not None


def test_another_delimiter_is_stated() -> None:
    """Semicolons are read where the map says so, and are one column where it doesn't."""
    columns = ColumnMap(columns=SMALL.columns, constants=SMALL.constants, delimiter=";")
    assert (
        read(GOOD.replace(b",", b";"), header=HEADER.replace(b",", b";"), columns=columns)[0].record
        is not None
    )
    with pytest.raises(InvalidRecord, match="missing-column"):
        read(GOOD.replace(b",", b";"), header=HEADER.replace(b",", b";"))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        (HEADER.replace(b"born", b"dob"), "missing-column"),
        (HEADER.replace(b"order", b"order,religion"), "forbidden-field"),
        (HEADER.replace(b"order", b"order,shoe size"), "unmapped-column"),
        (HEADER.replace(b"order", b"order,order"), "repeated-column"),
    ],
)
def test_a_header_says_what_the_map_says(header: bytes, code: str) -> None:
    """Columns that are missing, doubled or in nobody's plan stop the table before its first row."""
    with pytest.raises(InvalidRecord) as caught:
        read(GOOD, header=header)
    assert code in {error.code for error in caught.value.errors}
    assert {error.line for error in caught.value.errors} == {1}


def test_ignored_columns_are_ignored() -> None:
    """A column is left out only on purpose."""
    (row,) = read(GOOD.replace(b"\n", b",born at night\n"), header=HEADER.replace(b"\n", b",remarks\n"))
    assert row.record is not None


@pytest.mark.parametrize("start", [b"\xff\xfe", b"\xfe\xff"])
def test_utf_16_is_refused_whole(start: bytes) -> None:
    """A file in another encoding altogether is no table with a thousand wrong rows."""
    with pytest.raises(Malformed, match="UTF-8"):
        read(GOOD, header=start + HEADER)


def test_a_file_is_read_by_its_path(tmp_path: Path) -> None:
    """A path is opened and read, an overlong line is one fault, and a missing file says so."""
    path = tmp_path / "table.csv"
    path.write_bytes(HEADER + b"x" * (3 * MAX_LINE) + b"\n" + GOOD)
    rows = list(read_registrations(path, columns=SMALL, on=TODAY))
    assert told(rows[0]) == {("", "too-long")}
    assert rows[1].record is not None
    assert rows[1].line == 3
    with pytest.raises(Unavailable):
        list(read_registrations(tmp_path / "none.csv", columns=SMALL))


def test_text_lines_are_read_too() -> None:
    """Lines of text are as good as bytes."""
    (row,) = read_registrations([HEADER.decode(), GOOD.decode()], columns=SMALL, on=TODAY)
    assert row.record is not None


def test_rows_come_one_at_a_time() -> None:
    """The first row is there before the table's end has been read."""

    def lines() -> object:
        yield HEADER
        yield GOOD
        raise AssertionError("read too far")

    assert next(read_registrations(lines(), columns=SMALL, on=TODAY)).record is not None


@pytest.mark.parametrize(
    ("columns", "constants"),
    [
        ({"birthDate": Column("born")}, {}),
        ({"/birthDate": Column("a"), "/sexAtBirth": Column("a")}, {}),
        ({}, {"x": "y"}),
        ({}, {"/religion": "y"}),
        ({"/names": Column("name")}, {}),
        ({"/birthPlace/region": Column("Mother's religion")}, {}),
    ],
)
def test_a_map_that_makes_no_sense_is_misuse(columns: dict[str, Column], constants: dict[str, str]) -> None:
    """Fields are those of a record, a column holds one field, and none that no credential says."""
    with pytest.raises(ValueError, match=r"pointer|twice|no credential"):
        ColumnMap(columns=columns, constants=constants)


def test_references_come_from_the_randomness_handed_in() -> None:
    """Each record's childRef is drawn where the caller says."""
    numbers = count(1)
    (row,) = read_registrations(
        [HEADER, GOOD],
        columns=SMALL,
        on=TODAY,
        new_ref=lambda: new_child_ref(lambda size: next(numbers).to_bytes(size, "big")),
    )
    assert row.record is not None
    assert row.record.child_ref == "AAAAAAAAAAAAAAAAAAAAAQ"


def test_a_row_has_a_report_of_every_column() -> None:
    """Each column is accounted for once: taken, transformed by its table, refused, empty or ignored."""
    header, line = HEADER.replace(b"\n", b",remarks\n"), GOOD.replace(b"\n", b",born at night\n")
    (row,) = read(line, header=header)
    outcomes = {
        entry.source: (entry.outcome, entry.target, entry.table, entry.code) for entry in row.report.entries
    }
    assert [*outcomes] == header.decode().strip().split(",")
    assert outcomes["name"] == ("taken", "/names/0/full", "", "")
    assert outcomes["sex"] == ("transformed", "/sexAtBirth", "sexAtBirth", "")
    assert outcomes["order"] == ("left-out", "", "", "empty")
    assert outcomes["remarks"] == ("left-out", "", "", "ignored")
    assert set(row.report.stated) == set(SMALL.constants)
    assert "Amina" not in f"{row.report} {row!r}"
    (row,) = read(line.replace(b",F,", b",X,").replace(b"2021-03-15", b"2021-13-01"), header=header)
    refused = {entry.source: entry.code for entry in row.report.entries if entry.outcome == "refused"}
    assert refused == {"sex": "not-in-crosswalk", "born": "no-such-day"}
    (row,) = read(GOOD.replace(b"Amina", b'"Amina'))
    assert [(entry.outcome, entry.code) for entry in row.report.entries] == [("refused", "unclosed-quote")]


@pytest.fixture(scope="module")
def generator() -> dict[str, Any]:
    """The script that writes the example table."""
    return runpy.run_path(str(ROOT / "examples" / "generate_registrations.py"))


@pytest.fixture(scope="module")
def example() -> list[Row]:
    """The example table, read."""
    return list(read_registrations(TABLE, columns=EXAMPLE_COLUMNS, on=TODAY))


def test_the_example_table_is_what_its_script_writes(generator: dict[str, Any]) -> None:
    """The same seed gives the same bytes, and they are the ones in the repository."""
    assert generator["make_table"]() == TABLE.read_bytes()
    assert generator["make_table"](seed=1) != TABLE.read_bytes()


def test_the_example_table_holds_every_kind_of_life(example: list[Row]) -> None:
    """About a thousand good rows, of all the kinds that are ordinary."""
    good = [row.record for row in example if row.record]
    assert len(good) >= 1000
    assert {record.parentage_status for record in good} == set(ParentageStatus)
    assert {record.registration.type for record in good} == set(RegistrationType)
    assert {record.sex_at_birth for record in good} == set(SexAtBirth)
    assert {record.names[0].script for record in good if record.names} == {"Latn", "Arab", "Ethi"}
    assert any(record.finding for record in good)
    assert any(not record.names for record in good)
    assert any(" " not in record.names[0].full for record in good if record.names)
    assert any(record.birth_order for record in good)
    assert any(record.birth_date_original for record in good)
    assert any(record.birth_date.approximate for record in good)
    assert any("/" in record.birth_date.text for record in good)
    assert any(name.kind is NameKind.TRANSLITERATION for record in good for name in record.names)
    assert len({record.child_ref for record in good}) == len(good)


def test_the_example_table_has_wrong_rows_of_real_kinds(example: list[Row]) -> None:
    """Each wrong row is told by the fault that was put in, and some by several."""
    wrong = [row for row in example if row.record is None]
    assert 12 <= len(wrong) <= 20
    assert any(len(row.faults) > 1 for row in wrong)
    assert {fault.code for row in wrong for fault in row.faults} >= {
        "spreadsheet-date",
        "ambiguous-date",
        "no-such-day",
        "not-in-crosswalk",
        "no-letter",
        "control-character",
        "reversed-interval",
        "in-the-future",
        "before-birth",
        "wrong-encoding",
        "evidence-required",
        "parents-not-expected",
        "repeated",
        "ragged-row",
        "unclosed-quote",
    }


def test_nothing_in_the_example_table_lies_ahead(example: list[Row], generator: dict[str, Any]) -> None:
    """The demo runs by the real clock, so that no good row may be in the future on the day it was written."""
    for row in example:
        if row.record:
            row.record.validate(generator["LAST_DAY"])


@given(st.lists(st.binary(max_size=60), max_size=12))
@settings(max_examples=200)
def test_arbitrary_bytes_raise_only_our_errors(lines: list[bytes]) -> None:
    """Whatever stands in a file, reading it ends in rows or in our own words."""
    with contextlib.suppress(VcidError):
        list(read_registrations(lines, columns=SMALL, on=TODAY))
    for row in read(*[line + b"\n" for line in lines]):
        assert (row.record is None) == bool(row.faults)


# A line of text with many commas, in a cell broken over lines, is taken for a row: so none has both here.
_cells = st.text(st.sampled_from('ab ,"\r\0é'), max_size=6) | st.text(
    st.sampled_from('ab "\n\r\0é'), max_size=6
)


@given(st.lists(st.lists(_cells, min_size=3, max_size=3), min_size=1, max_size=6))
@settings(max_examples=150)
def test_what_a_csv_writer_writes_is_read_back(table: list[list[str]]) -> None:
    """Every row with its cells quoted comes back as it was, on the line it stood on."""
    quoted = [",".join('"' + cell.replace('"', '""') + '"' for cell in cells) + "\n" for cells in table]
    lines = "".join(quoted).encode().split(b"\n")
    rows = list(read_rows([line + b"\n" for line in lines[:-1]]))
    assert [row.cells for row in rows] == [tuple(cells) for cells in table]

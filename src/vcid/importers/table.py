"""Birth registrations out of CSV tables: every good row a record, every bad row a report of all its faults.

A registry's export has wrong rows, and each costs a child a credential if it stops the rest or vanishes. So
rows are read one at a time; a fault names its line, its column, what is wrong and what was expected, and
never the value, which a caller may ask for in `FieldError.found`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from hashlib import blake2b
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from vcid.credentials.birth import BirthRegistration, latest_day, new_child_ref
from vcid.credentials.forbidden import is_forbidden
from vcid.encoding.dates import utc_now
from vcid.errors import FieldError, InvalidRecord, Unavailable
from vcid.importers.columns import (
    INTEGER_FIELDS,
    Column,
    ColumnMap,
    build_tree,
    constants_that_count,
)
from vcid.importers.crosswalks import Crosswalk
from vcid.importers.csv_rows import MAX_LINE, CsvRow, read_rows
from vcid.importers.loss import FieldOutcome, LossReport, Outcome

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from datetime import date

__all__ = ["Column", "ColumnMap", "Crosswalk", "Row", "read_registrations"]

SYSTEM: Final = "csv"

MAX_CELL: Final = 1000
"""Characters in a cell. The fields have narrower limits of their own."""

_NUMBER: Final = "/registration/number"
_REGISTER: Final = ("/registration/jurisdiction", "/registration/office", _NUMBER)
_DAY_COUNT: Final = re.compile(r"[0-9]{5}(?:\.[0-9]+)?")
_SLASHED: Final = re.compile(r"[0-9]{1,4}[/.][0-9]{1,2}(?:[/.][0-9]{2,4})?")


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a table.

    Attributes:
        line: the line that it begins on, counted from 1 with the header.
        record: the registration, where the row has no fault.
        faults: all its faults, each with the line and the column.
        report: what became of every column of the row.
    """

    line: int
    record: BirthRegistration | None = field(repr=False)
    faults: tuple[FieldError, ...]
    report: LossReport


def read_registrations(
    source: str | PathLike[str] | Iterable[str] | Iterable[bytes],
    *,
    columns: ColumnMap,
    on: date | None = None,
    new_ref: Callable[[], str] = new_child_ref,
) -> Iterator[Row]:
    """Read registrations from a CSV file or its lines, one row at a time.

    Args:
        source: a path, or the lines of a file, in UTF-8 where they are bytes.
        columns: which column holds which field.
        on: the day it is; nothing may have happened after it. By default today.
        new_ref: draws the ``childRef`` of each record.

    Raises:
        InvalidRecord: the header lacks columns, repeats them or has more than the map says, all named.
        Malformed: the file is not in UTF-8 at all.
        Unavailable: the file can't be read.
    """
    rows = read_rows(_lines(source), delimiter=columns.delimiter)
    header = next(rows, CsvRow(1))
    _check_header(header, columns)
    reader = _RowReader(header.cells, columns, on or latest_day(utc_now()), new_ref)
    for row in rows:
        if row.code:
            fault = FieldError("", row.code, row.expected, line=row.line)
            whole = FieldOutcome(source="", outcome=Outcome.REFUSED, code=row.code)
            yield Row(row.line, None, (fault,), LossReport(SYSTEM, (whole,)))
        elif any(cell.strip() for cell in row.cells):
            yield reader.read(row)


def _lines(source: str | PathLike[str] | Iterable[str] | Iterable[bytes]) -> Iterator[bytes]:
    if not isinstance(source, str | PathLike):
        for line in source:
            yield line.encode("utf-8", "surrogatepass") if isinstance(line, str) else line
        return
    try:
        with Path(source).open("rb") as stream:
            while line := stream.readline(MAX_LINE + 1):
                yield line
                while len(line) > MAX_LINE and not line.endswith(b"\n"):
                    # The rest of an overlong line is no row of its own; what was kept is reported.
                    line = stream.readline(MAX_LINE + 1)
    except OSError as error:
        raise Unavailable(f"the table can't be read: {error.strerror}") from error


def _check_header(header: CsvRow, columns: ColumnMap) -> None:
    if header.code:
        raise InvalidRecord([FieldError("", header.code, header.expected, line=header.line)])
    found = [cell.strip() for cell in header.cells]
    wanted = [column.name for column in columns.columns.values()]
    faults = [
        FieldError(name, "missing-column", "this column in the header", line=header.line)
        for name in wanted
        if name not in found
    ]
    for index, name in enumerate(found):
        here = f"column {index + 1}"
        if name in found[:index]:
            faults.append(FieldError(here, "repeated-column", "each column once", name, header.line))
        elif name not in wanted and name not in columns.ignored:
            code = "forbidden-field" if is_forbidden(name) else "unmapped-column"
            faults.append(
                FieldError(here, code, "a column of the map, or one that it ignores", name, header.line)
            )
    if faults:
        raise InvalidRecord(faults)


class _RowReader:
    """Turns rows into records, and remembers the numbers that it has seen."""

    def __init__(
        self, header: tuple[str, ...], columns: ColumnMap, on: date, new_ref: Callable[[], str]
    ) -> None:
        places = {name.strip(): index for index, name in enumerate(header)}
        self._fields = [(path, column, places[column.name]) for path, column in columns.columns.items()]
        self._header = [name.strip() for name in header]
        self._paths = {column.name: path for path, column in columns.columns.items()}
        self._columns = columns
        self._on = on
        self._new_ref = new_ref
        self._seen: dict[bytes, int] = {}

    def read(self, row: CsvRow) -> Row:
        """Read one row: its cells first, then the record that they make, and all faults of both."""
        faults: list[FieldError] = []
        cells: dict[str, Any] = {}
        for path, column, place in self._fields:
            cell = row.cells[place].strip()
            if cell:
                cells[path] = _read_cell(path, column, cell, row.line, faults)
        faulty = {path for path, value in cells.items() if value is None}
        stated = constants_that_count(cells, self._columns.constants)
        tree = build_tree(stated | cells)
        record, errors = BirthRegistration.read_mapping(
            _without_faulty(tree.fields), on=self._on, new_ref=self._new_ref
        )
        for error in errors:
            original = tree.original(error.path)
            if not any(_touches(original, path) for path in faulty):
                column_name = self._columns.column_of(original)
                faults.append(FieldError(column_name, error.code, error.expected, error.found, row.line))
        self._check_number(cells, row.line, faults)
        codes = {fault.path: fault.code for fault in reversed(faults)}
        entries = tuple(self._outcome(name, cells, codes) for name in self._header)
        report = LossReport(SYSTEM, entries, tuple(sorted(stated.keys() - cells.keys())))
        return Row(row.line, None if faults else record, tuple(faults), report)

    def _outcome(self, name: str, cells: Mapping[str, Any], codes: Mapping[str, str]) -> FieldOutcome:
        """Tell what became of a column, given the codes of those that are at fault."""
        path = self._paths.get(name)
        if path is None:
            return FieldOutcome(source=name, outcome=Outcome.LEFT_OUT, code="ignored")
        crosswalk = self._columns.columns[path].crosswalk
        table = crosswalk.name if crosswalk is not None else ""
        if name in codes:
            code = codes[name]
            return FieldOutcome(source=name, outcome=Outcome.REFUSED, target=path, table=table, code=code)
        if path not in cells:
            return FieldOutcome(source=name, outcome=Outcome.LEFT_OUT, code="empty")
        outcome = Outcome.TRANSFORMED if table else Outcome.TAKEN
        return FieldOutcome(source=name, outcome=outcome, target=path, table=table)

    def _check_number(self, cells: Mapping[str, Any], line: int, faults: list[FieldError]) -> None:
        if not cells.get(_NUMBER):
            return
        known = {**self._columns.constants, **cells}
        key = blake2b("\0".join(str(known.get(path, "")) for path in _REGISTER).encode("utf-8", "replace"))
        first = self._seen.setdefault(key.digest()[:16], line)
        if first != line:
            name = self._columns.column_of(_NUMBER)
            expected = f"a number that stands nowhere else; it is on line {first} too"
            faults.append(FieldError(name, "repeated", expected, cells[_NUMBER], line))


def _read_cell(path: str, column: Column, cell: str, line: int, faults: list[FieldError]) -> Any:
    """Read a filled cell, or note its fault and return None."""
    fault = _cell_fault(path, column, cell)
    if fault is not None:
        faults.append(FieldError(column.name, *fault, cell, line))
        return None
    if column.crosswalk is not None:
        return column.crosswalk.words[cell]
    return int(cell) if path in INTEGER_FIELDS else cell


def _cell_fault(path: str, column: Column, cell: str) -> tuple[str, str] | None:
    if len(cell) > MAX_CELL:
        return "too-long", f"at most {MAX_CELL} characters"
    if any("\ud800" <= character <= "\udfff" for character in cell):
        return "wrong-encoding", "text in UTF-8; this cell is in another encoding, such as Latin-1"
    if column.crosswalk is not None and (fault := column.crosswalk.fault_of(cell)):
        return fault
    if path in INTEGER_FIELDS and not (cell.isascii() and cell.isdigit() and len(cell) < 4):
        return "wrong-type", "a whole number"
    if path == "/birthDate" or path.endswith("/date"):
        return _date_fault(cell)
    return None


def _date_fault(cell: str) -> tuple[str, str] | None:
    if _DAY_COUNT.fullmatch(cell):
        return "spreadsheet-date", "a date such as 2021-03-15; a bare number is a spreadsheet's count of days"
    if _SLASHED.fullmatch(cell):
        return "ambiguous-date", "a date such as 2021-03-15, in which day and month can't be mixed up"
    return None


def _without_faulty(value: Any) -> Any:
    """Leave out the cells whose fault is noted; empty objects stay, so that lists keep their length."""
    if isinstance(value, dict):
        return {key: _without_faulty(item) for key, item in value.items() if item is not None}
    return [_without_faulty(item) for item in value] if isinstance(value, list) else value


def _touches(path: str, faulty: str) -> bool:
    """Say whether a fault only follows from a cell that could not be read."""
    return path == faulty or faulty.startswith(f"{path}/")

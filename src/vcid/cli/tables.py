"""The rows of a register's table as orders, each under the key that a column holds."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import tee
from typing import TYPE_CHECKING, Final

from vcid.errors import FieldError, InvalidRecord
from vcid.importers.csv_rows import MAX_LINE, read_rows
from vcid.importers.table import read_registrations
from vcid.orders import Order
from vcid.status.issuances import check_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import IO

    from vcid.importers.columns import ColumnMap
    from vcid.importers.csv_rows import CsvRow
    from vcid.importers.table import Row

NUMBER: Final = "/registration/number"


@dataclass(frozen=True, slots=True)
class OrderedRow:
    """One row: an order, or the faults that stand against it."""

    line: int | None
    order: Order | None = None
    faults: tuple[FieldError, ...] = ()


def columns_for(columns: ColumnMap, *, key_column: str, jurisdiction: str | None) -> ColumnMap:
    """Fit a column map to an authority: its own jurisdiction, and a key column that says nothing else."""
    constants = dict(columns.constants)
    if jurisdiction is not None:
        constants["/registration/jurisdiction"] = jurisdiction
    known = {column.name for column in columns.columns.values()}
    ignored = columns.ignored if key_column in known else columns.ignored | {key_column}
    return replace(columns, constants=constants, ignored=ignored)


def read_orders(lines: Iterable[bytes], *, columns: ColumnMap, key_column: str) -> Iterator[OrderedRow]:
    """Read a table row by row.

    Raises:
        InvalidRecord: the header is not the one that the columns describe, or lacks the key column.
        Malformed: the table is not in UTF-8.
    """
    once, again = tee(lines)
    rows, raw = read_registrations(once, columns=columns), read_rows(again, delimiter=columns.delimiter)
    first, place = _start(rows, raw, key_column)
    while first is not None:
        cells = next(one for one in raw if one.line == first.line).cells
        yield _ordered(first, cells[place] if place < len(cells) else "", key_column)
        first = next(rows, None)


def _start(rows: Iterator[Row], raw: Iterator[CsvRow], key_column: str) -> tuple[Row | None, int]:
    """Read the header, and give the first row and the place of the key column; all faults at once."""
    faults: list[FieldError] = []
    first = None
    try:
        first = next(rows, None)
    except InvalidRecord as error:
        faults.extend(error.errors)
    names = [name.strip() for header in [next(raw, None)] if header for name in header.cells]
    if key_column not in names and not any(fault.path == key_column for fault in faults):
        faults.append(FieldError(key_column, "missing-column", "the column of keys in the header", line=1))
    if faults:
        raise InvalidRecord(faults)
    return first, names.index(key_column)


def _ordered(row: Row, cell: str, key_column: str) -> OrderedRow:
    key = cell.strip()
    faults = [*row.faults]
    is_reported = any(fault.path in ("", key_column) for fault in faults)
    try:
        check_key(key)
    except ValueError as error:
        if not is_reported:
            faults.append(FieldError(key_column, "key", str(error), key, row.line))
    if faults or row.record is None:
        return OrderedRow(row.line, None, tuple(faults))
    return OrderedRow(row.line, Order(key=key, record=row.record))


def read_lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Read lines, each no longer than a table's may be and a byte more, by which it is found too long."""
    while line := stream.readline(MAX_LINE + 1):
        yield line
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE + 1)  # the rest of an overlong line is no row of its own

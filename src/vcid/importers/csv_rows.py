"""Rows out of CSV files as they really arrive (RFC 4180, and what exporters make of it).

Rows are read one at a time and one bad row costs no other. The csv module alone can't promise that: a stray
quote makes it swallow every row up to the next one. So lines are joined only while a quote is open, for a few
lines at most; where the joined row turns out wrong, or hides what looks like another row, its first line is
reported and reading goes on with the very next one. Bytes that are not UTF-8 stay recognisable in their cell,
so that a Latin-1 name is told apart from its row.
"""

from __future__ import annotations

import csv
from collections import deque
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MAX_LINE: Final = 64 * 1024
"""Bytes in a line, and in the lines that a quoted cell joins."""
MAX_JOINED_LINES: Final = 20

_UTF8_MARK: Final = b"\xef\xbb\xbf"
_OTHER_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")


@dataclass(frozen=True, slots=True)
class CsvRow:
    """One row, or why it could not be read.

    Attributes:
        line: the line of the file that it begins on, from 1.
        cells: its cells; bytes that are no UTF-8 stand in them as lone surrogates.
        code: what kind of fault, where the row could not be read.
        expected: what would have been right.
    """

    line: int
    cells: tuple[str, ...] = field(default=(), repr=False)
    code: str = ""
    expected: str = ""


def read_rows(lines: Iterable[bytes], *, delimiter: str = ",") -> Iterator[CsvRow]:
    """Read rows from the lines of a file; blank lines are none.

    The first row says how many cells each has.

    Raises:
        Malformed: the file is in UTF-16.
    """
    source = _Lines(lines)
    width: int | None = None
    while (start := source.take()) is not None:
        if not start.strip():
            continue
        line = source.number
        row = _read_row(source, start, line, delimiter, width)
        if not row.code and width is None:
            width = len(row.cells)
        if not row.code and len(row.cells) != width:
            # What a stray quote has joined is given back line by line.
            source.give_back_to(line)
            row = _alone(start, line, delimiter, width)
        yield row


class _Lines:
    """Lines with their numbers, and a way back over the last few."""

    def __init__(self, lines: Iterable[bytes]) -> None:
        self._lines = iter(lines)
        self._ahead: deque[bytes] = deque()
        self._taken: deque[bytes] = deque(maxlen=MAX_JOINED_LINES)
        self.number = 0

    def take(self) -> bytes | None:
        line = self._ahead.popleft() if self._ahead else next(self._lines, None)
        if line is None:
            return None
        self.number += 1
        if self.number == 1:
            if line.startswith(_OTHER_MARKS):
                raise Malformed("wrong-encoding", "a file in UTF-8", where="line 1")
            line = line.removeprefix(_UTF8_MARK)
        self._taken.append(line)
        return line

    def give_back_to(self, number: int) -> None:
        """Go back, so that the line after the given one comes next."""
        while self.number > number:
            self._ahead.appendleft(self._taken.pop())
            self.number -= 1


def _read_row(source: _Lines, start: bytes, line: int, delimiter: str, width: int | None) -> CsvRow:
    joined, count = start, 1
    while joined.count(b'"') % 2:
        following = source.take() if count < MAX_JOINED_LINES and len(joined) <= MAX_LINE else None
        if following is None:
            return _unclosed(source, line)
        # Lines handed over without their ends are lines all the same.
        joined += following if joined.endswith(b"\n") else b"\n" + following
        count += 1
    row = _split(joined, line, delimiter)
    if count > 1 and (row.code or _hides_a_row(row.cells, delimiter, width)):
        return _unclosed(source, line)
    return row


def _unclosed(source: _Lines, line: int) -> CsvRow:
    """Report a row by its first line, so that the lines after it are read as rows of their own."""
    source.give_back_to(line)
    return CsvRow(line, (), "unclosed-quote", "a quoted cell that ends")


def _hides_a_row(cells: Sequence[str], delimiter: str, width: int | None) -> bool:
    """Say whether one of the lines that quotes have joined to a row looks like another row.

    Two stray quotes, one opening and one closing, make a well-formed row of several. What gives them away is
    a line with as many delimiters as a whole row. Where the row's first cell is broken, the line that ends
    that cell has them by right, unless the line that begins it has them too.
    """
    most = max(1, (width or len(cells)) - 1)
    counts = _delimiters_by_line(cells, delimiter)
    ends_first_cell = cells[0].count("\n") if counts[0] < most else 0
    return any(count >= most for index, count in enumerate(counts) if index not in (0, ends_first_cell))


def _delimiters_by_line(cells: Sequence[str], delimiter: str) -> list[int]:
    """Count each line's delimiters: those between cells, and those in the text of broken cells."""
    counts = [-1]
    for cell in cells:
        counts[-1] += 1
        if "\n" in cell:
            first, *others = cell.split("\n")
            counts[-1] += first.count(delimiter)
            counts += [piece.count(delimiter) for piece in others]
    return counts


def _alone(start: bytes, line: int, delimiter: str, width: int | None) -> CsvRow:
    """Report a row of the wrong width by its first line."""
    if start.count(b'"') % 2:
        return CsvRow(line, (), "unclosed-quote", "a quoted cell that ends")
    found = len(_split(start, line, delimiter).cells)
    return CsvRow(line, (), "ragged-row", f"{width} cells, as in the header, and not {found}")


def _split(data: bytes, line: int, delimiter: str) -> CsvRow:
    if len(data) > MAX_LINE:
        return CsvRow(line, (), "too-long", f"a row of at most {MAX_LINE} bytes")
    text = data.decode("utf-8", "surrogateescape").rstrip("\r\n")
    if '"' not in text:
        return CsvRow(line, tuple(text.split(delimiter)))
    try:
        cells = next(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return CsvRow(line, (), "misquoted-cell", "quotes around a whole cell, and doubled within it")
    return CsvRow(line, tuple(cells))

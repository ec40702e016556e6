"""What the command prints: results on stdout, everything else on stderr, and nothing that steers a terminal.

Documents come from strangers, and their parts reach reports: control characters and the signs that turn the
direction of writing are shown as escapes, so that no credential can paint over its own verdict.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Final

import click

from vcid.errors import VcidError

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vcid.encoding.json import JSON, JsonObject
    from vcid.errors import FieldError

_JOINERS: Final = "\u200c\u200d"
"""Signs that join and part letters, without which Persian and many Indic names are misspelt."""

_STYLES: Final = {"passed": "green", "failed": "bold red", "unknown": "yellow", "skipped": "dim"}


def printable(text: str) -> str:
    """Escape whatever a terminal would obey instead of showing."""
    if text.isprintable():
        return text
    return "".join(
        sign if sign.isprintable() or sign in _JOINERS else sign.encode("unicode_escape").decode()
        for sign in text
    )


def describe(error: VcidError | OSError) -> str:
    """Say what went wrong; of the system's errors, the file and the reason."""
    if isinstance(error, VcidError):
        return str(error)
    where = f"{os.fsdecode(error.filename)}: " if isinstance(error.filename, str | bytes) else ""
    return f"{where}{error.strerror or type(error).__name__}"


def say(text: str) -> None:
    """Print a line of the result."""
    click.echo(printable(text))


def note(text: str) -> None:
    """Print a line beside the result, on stderr."""
    with suppress(OSError):  # whoever closed stderr does not want to know
        click.echo(printable(text), err=True)


def print_json(value: JsonObject) -> None:
    """Print a result as one JSON object on one line, in ASCII, so that no locale can spoil it."""
    click.echo(json.dumps(value))


def print_document(document: JSON) -> None:
    """Print a document for people: indented, in its own scripts."""
    for line in json.dumps(document, ensure_ascii=False, indent=2).split("\n"):
        say(line)


def print_bytes(content: bytes) -> None:
    """Print a document as it is, and a line's end."""
    click.echo(content)


def fault_json(fault: FieldError, *, show_value: bool = False) -> JsonObject:
    """Write a fault as JSON; ``line`` is null where it is not a table's."""
    written: JsonObject = {
        "line": fault.line,
        "field": fault.path,
        "code": fault.code,
        "expected": fault.expected,
    }
    if show_value:
        written["found"] = _plain(fault.found)
    return written


def fault_text(fault: FieldError, *, show_value: bool = False) -> str:
    """Write a fault in words."""
    line = "" if fault.line is None else f"line {fault.line}"
    place = ", ".join(part for part in (line, fault.path) if part)
    found = f" (found {fault.found!r})" if show_value and fault.found is not None else ""
    return f"{place or 'record'}: {fault.code}: expected {fault.expected}{found}"


def _plain(value: object) -> JSON:
    return value if isinstance(value, str | int | float | bool) or value is None else repr(value)


def print_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table: fitted to a terminal, and elsewhere each row on a line that can be searched."""
    shown = [[printable(cell) for cell in row] for row in rows]
    if sys.stdout is not None and sys.stdout.isatty():
        _print_fitted(header, shown)
        return
    widths = [max(map(len, column)) for column in zip(header, *shown, strict=True)]
    for row in (header, *shown):
        click.echo("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _print_fitted(header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD)
    for name in header:
        table.add_column(name, overflow="fold")
    for row in rows:
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console(markup=False, emoji=False, highlight=False).print(table)

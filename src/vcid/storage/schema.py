"""What both databases share: a store's tables, how they came about, and what a transaction does.

Tables and statements are written in SQLite's words. Statements keep to what both understand: ``?`` in place
of a value and nowhere else, no per cent sign, ``ON CONFLICT`` with its columns, ``RETURNING``.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from vcid.errors import StoreTooNew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    Parameter = str | bytes | int | float | None


@dataclass(frozen=True, slots=True)
class StoreSchema:
    """What a store's tables are called and how they came about.

    Attributes:
        name: the kind of store (``registry``), kept in the database beside its version.
        migrations: statements, ended by semicolons, that take the store from version *i* to *i* + 1.
    """

    name: str
    migrations: tuple[str, ...]

    @property
    def version(self) -> int:
        """The version that this code reads and writes."""
        return len(self.migrations)

    def check(self, version: int) -> None:
        """Refuse a store that newer code wrote.

        Raises:
            StoreTooNew: its version is beyond this one.
        """
        if version > self.version:
            raise StoreTooNew(
                f"the {self.name} store has version {version}, this vcid reads up to {self.version}:"
                " update vcid"
            )


class Rows(Protocol):
    """What a statement gives."""

    @property
    def rowcount(self) -> int:
        """How many rows it changed."""

    def fetchone(self) -> Any:
        """The next row, or ``None``."""

    def fetchall(self) -> list[Any]:
        """The rows that are left."""

    def __iter__(self) -> Iterator[Any]: ...


class Transaction(Protocol):
    """A running transaction: statements with ``?`` in place of values."""

    def execute(self, sql: str, parameters: Sequence[Parameter] = ()) -> Rows:
        """Run one statement."""

    def executemany(self, sql: str, rows: Iterable[Sequence[Parameter]]) -> None:
        """Run one statement for each row of values."""


_VERSIONS = "CREATE TABLE IF NOT EXISTS vcid_schema (name TEXT PRIMARY KEY, version INTEGER NOT NULL) STRICT"


def migrate(
    transaction: Transaction,
    schema: StoreSchema,
    translate: Callable[[str], str] = lambda statement: statement,
) -> None:
    """Bring a store to this version, within one transaction; another process may have done so meanwhile.

    Raises:
        StoreTooNew: newer code did.
        ValueError: a migration's last statement has no semicolon, and would be left out.
    """
    transaction.execute(translate(_VERSIONS))
    for script in schema.migrations[read_version(transaction, schema) :]:
        for statement in _statements(script):
            transaction.execute(translate(statement))
    transaction.execute(
        "INSERT INTO vcid_schema VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET version = excluded.version",
        (schema.name, schema.version),
    )


def read_version(transaction: Transaction, schema: StoreSchema) -> int:
    """Read the version of a store in a database that has some; 0 if not this one.

    Raises:
        StoreTooNew: it is beyond this one.
    """
    row = transaction.execute("SELECT version FROM vcid_schema WHERE name = ?", (schema.name,)).fetchone()
    version = int(row[0]) if row else 0
    schema.check(version)
    return version


def _statements(script: str) -> Iterator[str]:
    statement = ""
    for line in script.splitlines(keepends=True):
        statement += line
        if sqlite3.complete_statement(statement):
            yield statement
            statement = ""
    if statement.strip():
        raise ValueError("a migration's last statement has no semicolon")

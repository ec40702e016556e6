"""The stores' databases: transactions, schema versions, threads and forks, in SQLite or PostgreSQL.

A store's URL says where it is kept: ``sqlite:///path`` for a file, ``sqlite://`` for this process's memory,
``postgresql://…`` for a server, which needs the extra ``postgresql``. Statements are written once, in what
both understand; the tables too, in SQLite's words (``vcid.storage.schema``). A commit is durable when it
returns, and a writing transaction excludes all others from its start, so that what it reads is still true
when it writes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.storage.schema import StoreSchema, Transaction
from vcid.storage.sqlite import SqliteConnections

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from typing import Protocol, Self

    class Connections(Protocol):
        """A database's connections, one for each transaction that runs."""

        def transaction(self) -> AbstractContextManager[Transaction]:
            """Begin to write."""

        def read(self) -> AbstractContextManager[Transaction]:
            """Begin to read."""

        def forget(self) -> None:
            """Let nothing that was deleted stand in the store's files, as far as these can tell."""

        def close(self) -> None:
            """Let go of the connections."""


__all__ = ["Database", "StoreSchema", "Transaction"]

_SERVER = ("postgresql://", "postgres://")


class Database:
    """A store's database, safe to share between threads and to carry across a fork."""

    __slots__ = ("_connections",)

    def __init__(self, connections: Connections) -> None:
        self._connections = connections

    @classmethod
    def open(cls, url: str, schema: StoreSchema) -> Self:
        """Open a store, creating or migrating it as needed.

        Args:
            url: ``sqlite:///path`` (``sqlite:////absolute/path``), ``sqlite://`` for one in memory, or
                ``postgresql://user:password@host/database?…`` as libpq reads it. Over a network, ask for
                ``sslmode=verify-full`` in it.
            schema: the tables expected.

        Raises:
            ValueError: the URL is of another kind, or can't be read.
            StoreTooNew: a newer version of vcid wrote the store.
            Unavailable: the store can't be opened, or is no database; or the extra is not installed.
        """
        if url.startswith(_SERVER):
            from vcid.storage.postgresql import PostgresqlConnections

            return cls(PostgresqlConnections(url, schema))
        return cls(SqliteConnections.of(url, schema))

    def transaction(self) -> AbstractContextManager[Transaction]:
        """Exclude all other writers; commit on success, roll everything back on any exception.

        Raises:
            Conflict: a statement breaks a constraint of the tables (``constraint``).
            Unavailable: the disk is full, the server is gone, the store is locked for too long, or damaged.
                If that happens during the commit itself, the store may have kept everything or nothing.
            ValueError: a transaction is already open on this thread.
        """
        return self._connections.transaction()

    def read(self) -> AbstractContextManager[Transaction]:
        """See one unchanging state of the store for as long as the block runs."""
        return self._connections.read()

    def forget(self) -> None:
        """Let nothing that was deleted stand in the store's files any longer.

        Of SQLite, in neither the file nor its write-ahead log; copies of them are another matter. A server
        keeps what was deleted in its own log and its backups, for as long as it is told to.

        Raises:
            Unavailable: a reader is at work for too long: call it again.
        """
        self._connections.forget()

    def close(self) -> None:
        """Close all connections; a store in memory is gone then, any other opens again on use."""
        self._connections.close()

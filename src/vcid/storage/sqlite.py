"""Stores in SQLite: a file, or this process's memory.

A store is one file. Every thread of every process has its own connection; a connection inherited through
``fork`` is never touched again, since closing it in the child could remove the parent's write-ahead log.
Commits are durable when they return (write-ahead log, ``synchronous=FULL``), and a write transaction takes
the write lock at its start, so that what it reads is still true when it writes.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
import weakref
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

from vcid.errors import Conflict, Unavailable
from vcid.storage.schema import migrate, read_version

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager
    from typing import Self

    from vcid.storage.schema import Parameter, StoreSchema

_URL = "sqlite:///"
_MEMORY = "sqlite://"
_BUSY_SECONDS = 30.0

_inherited: list[sqlite3.Connection] = []
"""Connections that came through a fork, kept so that they are never closed in the child."""


class SqliteTransaction:
    """A running transaction."""

    __slots__ = ("_connection",)

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def execute(self, sql: str, parameters: Sequence[Parameter] = ()) -> sqlite3.Cursor:
        """Run one statement."""
        return self._connection.execute(sql, parameters)

    def executemany(self, sql: str, rows: Iterable[Sequence[Parameter]]) -> None:
        """Run one statement for each row of values."""
        self._connection.executemany(sql, rows)


class _Handle:
    """One connection, closed when its thread lets go of it, unless it came through a fork."""

    __slots__ = ("__weakref__", "busy", "closed", "connection", "file", "process")

    def __init__(self, connection: sqlite3.Connection, file: tuple[int, int] | None) -> None:
        self.connection = connection
        self.file = file
        self.process = os.getpid()
        self.busy = False
        self.closed = False

    def close(self) -> None:
        self.closed = True
        if self.process == os.getpid():
            self.connection.close()
        else:
            _inherited.append(self.connection)

    def __del__(self) -> None:
        if not self.closed:
            self.close()


class SqliteConnections:
    """The connections to one store."""

    def __init__(self, path: Path | None, schema: StoreSchema) -> None:
        self._path = path
        self._schema = schema
        self._threads = threading.local()
        self._handles: weakref.WeakSet[_Handle] = weakref.WeakSet()
        self._memory: _Handle | None = None
        self._turn: AbstractContextManager[object] = nullcontext()
        if path is None:
            self._memory, self._turn = self._connect(), threading.RLock()
        else:
            self._handle()

    @classmethod
    def of(cls, url: str, schema: StoreSchema) -> Self:
        """Open the store that a URL names, creating or migrating it as needed.

        Raises:
            ValueError: the URL is of another kind.
        """
        if url == _MEMORY:
            return cls(None, schema)
        if not url.startswith(_URL) or len(url) == len(_URL):
            raise ValueError("a store's URL is sqlite:///path, sqlite:// in memory, or postgresql://…")
        return cls(Path(url.removeprefix(_URL)).absolute(), schema)

    @contextmanager
    def transaction(self) -> Iterator[SqliteTransaction]:
        """Hold the write lock; commit on success, roll everything back on any exception."""
        with self._running("BEGIN IMMEDIATE") as transaction:
            yield transaction

    @contextmanager
    def read(self) -> Iterator[SqliteTransaction]:
        """See one unchanging state of the store for as long as the block runs."""
        with self._running("BEGIN") as transaction:
            yield transaction

    def forget(self) -> None:
        """Empty the write-ahead log into the file, which keeps nothing that was deleted."""
        handle = self._handle()
        with self._turn, _translated():
            if handle.connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]:
                raise Unavailable(
                    "what was deleted stands in the store's log still, which a reader is using: do it again"
                )

    def close(self) -> None:
        """Close every thread's connection; a store in memory is gone then, a file opens again on use."""
        for handle in list(self._handles):
            handle.close()

    @contextmanager
    def _running(self, begin: str) -> Iterator[SqliteTransaction]:
        handle = self._handle()
        with self._turn:
            if handle.busy:
                raise ValueError("a transaction is already open on this thread")
            handle.busy = True
            try:
                with _translated(), _transaction(handle.connection, begin) as transaction:
                    yield transaction
            finally:
                handle.busy = False

    def _handle(self) -> _Handle:
        process = os.getpid()
        if self._memory is not None:
            if self._memory.process != process:
                raise Unavailable("a store in memory belongs to the process that opened it; use a file")
            return self._memory
        handle: _Handle | None = getattr(self._threads, "handle", None)
        if handle is None or handle.closed or handle.process != process:
            handle = self._threads.handle = self._connect()
        elif self._path is not None and handle.file != _identify(self._path):
            # A connection goes on with a file that was replaced, and what it writes is lost.
            raise Unavailable("the store's file was replaced while it was open: start anew what uses it")
        return handle

    def _connect(self) -> _Handle:
        with _translated():
            if self._path is not None:
                _create_private(self._path)
            handle = _Handle(
                sqlite3.connect(
                    self._path or ":memory:",
                    timeout=_BUSY_SECONDS,
                    isolation_level=None,
                    check_same_thread=False,
                ),
                _identify(self._path) if self._path is not None else None,
            )
            try:
                _prepare(handle.connection, self._schema)
            except BaseException:
                handle.close()
                raise
        self._handles.add(handle)
        return handle


@contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[SqliteTransaction]:
    connection.execute(begin)
    try:
        yield SqliteTransaction(connection)
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


@contextmanager
def _translated() -> Iterator[None]:
    """Say what SQLite says in vcid's errors."""
    try:
        yield
    except (sqlite3.ProgrammingError, sqlite3.InterfaceError):
        raise
    except sqlite3.IntegrityError as error:
        raise Conflict("constraint", f"the store's tables don't allow it: {error}") from error
    except sqlite3.DatabaseError as error:
        raise Unavailable(f"the store can't be used: {error}; check the disk and the file") from error


def _identify(path: Path) -> tuple[int, int] | None:
    """Which file stands at a path; nothing if none does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _create_private(path: Path) -> None:
    """Create the file readable by its owner alone; SQLite gives its log files the same mode."""
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600))
    except OSError as error:
        raise Unavailable(f"the store's file can't be opened: {error.strerror}") from error


def _prepare(connection: sqlite3.Connection, schema: StoreSchema) -> None:
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute("PRAGMA synchronous = FULL")
    # What is deleted is overwritten: an erased salt must not be found in the file.
    connection.execute("PRAGMA secure_delete = ON")
    _use_write_ahead_log(connection)
    if _version(connection, schema) < schema.version:
        with _transaction(connection, "BEGIN IMMEDIATE") as transaction:
            migrate(transaction, schema)


def _use_write_ahead_log(connection: sqlite3.Connection) -> None:
    """Switch the file's journal, once; SQLite's own waiting does not cover two processes doing so at once."""
    deadline = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
                connection.execute("PRAGMA journal_mode = WAL")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.02)
        else:
            return


def _version(connection: sqlite3.Connection, schema: StoreSchema) -> int:
    """The version that the store has; 0 for a new one."""
    if not connection.execute("SELECT 1 FROM sqlite_master WHERE name = 'vcid_schema'").fetchone():
        return 0
    return read_version(SqliteTransaction(connection), schema)

"""A log's storage in a database, SQLite or PostgreSQL.

One row a leaf holds the leaf and the nodes of the tree that it completes; rows are only added. The heads are
kept beside them, so that a publication reads as many rows as there are topics and not the whole log.
"""

from __future__ import annotations

from contextlib import contextmanager
from itertools import islice
from typing import TYPE_CHECKING, Any

from vcid.errors import Conflict
from vcid.ledger.heads import Head
from vcid.ledger.store import StoredBatch, StoredCheckpoint
from vcid.storage import Database, StoreSchema

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from vcid.ledger.store import LeafRow, LogReader, LogWriter
    from vcid.storage import Transaction

_MOST_AT_ONCE = 500
"""How many values a statement is given; both databases take more, neither gets quicker by it."""

SCHEMA = StoreSchema(
    name="ledger",
    migrations=(
        """
        CREATE TABLE log_identity (
            only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
            vkey TEXT NOT NULL
        ) STRICT;
        CREATE TABLE log_leaves (
            leaf_index INTEGER PRIMARY KEY,
            data BLOB NOT NULL,
            completed BLOB NOT NULL
        ) STRICT;
        CREATE TABLE log_entries (
            topic BLOB NOT NULL,
            seq INTEGER NOT NULL,
            leaf_index INTEGER NOT NULL,
            PRIMARY KEY (topic, seq)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE log_heads (
            topic BLOB PRIMARY KEY,
            seq INTEGER NOT NULL,
            entry_hash BLOB NOT NULL
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE log_checkpoints (
            size INTEGER PRIMARY KEY,
            root BLOB NOT NULL,
            note BLOB NOT NULL
        ) STRICT;
        CREATE TABLE log_batches (
            idempotency_key TEXT PRIMARY KEY,
            digest BLOB NOT NULL,
            start INTEGER NOT NULL,
            stop INTEGER NOT NULL
        ) STRICT;
        """,
    ),
)


class SqlStore:
    """A log's storage in one database."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> SqlStore:
        """Open ``sqlite:///path``, ``sqlite://`` for a database in memory, or ``postgresql://…``."""
        return cls(Database.open(url, SCHEMA))

    def close(self) -> None:
        """Close the store's connections."""
        self._database.close()

    @contextmanager
    def read(self) -> Iterator[LogReader]:
        """See one state of the log; writers don't wait."""
        with self._database.read() as transaction:
            yield _SqlTransaction(transaction)

    @contextmanager
    def write(self) -> Iterator[LogWriter]:
        """Change the log, durably once the block has ended."""
        with self._database.transaction() as transaction:
            yield _SqlTransaction(transaction)


class _SqlTransaction:
    __slots__ = ("_transaction",)

    def __init__(self, transaction: Transaction) -> None:
        self._transaction = transaction

    def identity(self) -> str | None:
        row = self._transaction.execute("SELECT vkey FROM log_identity").fetchone()
        return str(row[0]) if row else None

    def size(self) -> int:
        row = self._transaction.execute("SELECT max(leaf_index) FROM log_leaves").fetchone()
        return 0 if row[0] is None else int(row[0]) + 1

    def leaves(self, start: int, stop: int) -> list[bytes]:
        rows = self._transaction.execute(
            "SELECT data FROM log_leaves WHERE leaf_index >= ? AND leaf_index < ? ORDER BY leaf_index",
            (start, stop),
        )
        return [row[0] for row in rows]

    def completed(self, index: int) -> bytes:
        return self.completed_beside((index,))[index]

    def completed_beside(self, indices: Collection[int]) -> Mapping[int, bytes]:
        found: dict[int, bytes] = dict(self._among("SELECT leaf_index, completed FROM log_leaves", indices))
        for index in indices:
            if index not in found:
                raise Conflict("corrupt", f"leaf {index} is missing from the log")
        return found

    def head(self, topic: bytes) -> Head | None:
        return self.heads_of((topic,)).get(topic)

    def heads_of(self, topics: Collection[bytes]) -> Mapping[bytes, Head]:
        rows = self._among("SELECT topic, seq, entry_hash FROM log_heads", topics)
        return {row[0]: Head(*row) for row in rows}

    def _among(self, select: str, keys: Collection[int] | Collection[bytes]) -> Iterator[Any]:
        """Read the rows whose first column is one of some values."""
        column = select.removeprefix("SELECT ").partition(",")[0]
        remaining: Iterator[int | bytes] = iter(keys)
        while some := tuple(islice(remaining, _MOST_AT_ONCE)):
            marks = ", ".join("?" * len(some))
            yield from self._transaction.execute(f"{select} WHERE {column} IN ({marks})", some)

    def heads(self) -> Sequence[tuple[bytes, int, bytes]]:
        return self._transaction.execute("SELECT topic, seq, entry_hash FROM log_heads").fetchall()

    def index_of(self, topic: bytes, seq: int) -> int | None:
        row = self._transaction.execute(
            "SELECT leaf_index FROM log_entries WHERE topic = ? AND seq = ?", (topic, seq)
        ).fetchone()
        return int(row[0]) if row else None

    def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        row = self._transaction.execute(
            "SELECT size, root, note FROM log_checkpoints WHERE size = ?"
            if size is not None
            else "SELECT size, root, note FROM log_checkpoints ORDER BY size DESC LIMIT 1",
            (size,) if size is not None else (),
        ).fetchone()
        return StoredCheckpoint(*row) if row else None

    def checkpoint_sizes(self, limit: int) -> list[int]:
        rows = self._transaction.execute(
            "SELECT size FROM log_checkpoints ORDER BY size DESC LIMIT ?", (limit,)
        )
        return [row[0] for row in rows]

    def batch(self, key: str) -> StoredBatch | None:
        row = self._transaction.execute(
            "SELECT digest, start, stop FROM log_batches WHERE idempotency_key = ?", (key,)
        ).fetchone()
        return StoredBatch(*row) if row else None

    def replace_identity(self, vkey: str) -> None:
        self._transaction.execute("UPDATE log_identity SET vkey = ?", (vkey,))

    def set_identity(self, vkey: str) -> None:
        self._transaction.execute("INSERT INTO log_identity VALUES (1, ?)", (vkey,))

    def append(self, rows: Sequence[LeafRow]) -> None:
        execute = self._transaction.executemany
        execute("INSERT INTO log_leaves VALUES (?, ?, ?)", (row[:3] for row in rows))
        entries = [(*row.head, row.place) for row in rows if row.head is not None]
        execute("INSERT INTO log_entries VALUES (?, ?, ?)", ((row[0], row[1], row[3]) for row in entries))
        newest = {row[0]: row[:3] for row in entries}
        execute(
            "INSERT INTO log_heads VALUES (?, ?, ?)"
            " ON CONFLICT (topic) DO UPDATE SET seq = excluded.seq, entry_hash = excluded.entry_hash",
            newest.values(),
        )

    def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        self._transaction.execute(
            "INSERT INTO log_checkpoints VALUES (?, ?, ?)",
            (checkpoint.size, checkpoint.root, checkpoint.note),
        )

    def update_checkpoint(self, size: int, note: bytes) -> None:
        self._transaction.execute("UPDATE log_checkpoints SET note = ? WHERE size = ?", (note, size))

    def add_batch(self, key: str, batch: StoredBatch) -> None:
        self._transaction.execute(
            "INSERT INTO log_batches VALUES (?, ?, ?, ?)", (key, batch.digest, batch.start, batch.stop)
        )

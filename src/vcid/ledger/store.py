"""What a log asks of its storage, and a store in memory.

A backend is storage and nothing more: it keeps rows and gives them back, in transactions of which a writing
one excludes all others. What the rows mean, and whether they are right, the log decides.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, NamedTuple, Protocol

from vcid.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from vcid.ledger.heads import Head


class LeafRow(NamedTuple):
    """A leaf as it is stored.

    Attributes:
        place: its index in the log.
        data: the leaf.
        completed: the hashes of the subtrees that end with it, lowest first, in one string.
        head: what an entry does to the heads; ``None`` for a heads leaf.
    """

    place: int
    data: bytes
    completed: bytes
    head: Head | None


@dataclass(frozen=True, slots=True)
class StoredCheckpoint:
    """A published checkpoint: its size, its root and the note with all signatures."""

    size: int
    root: bytes
    note: bytes


@dataclass(frozen=True, slots=True)
class StoredBatch:
    """What was appended under an idempotency key: a digest of the entries, and the leaves they became."""

    digest: bytes
    start: int
    stop: int


class LogReader(Protocol):
    """One unchanging state of a stored log."""

    def identity(self) -> str | None:
        """The verifier key of the log, which names its origin; ``None`` before it was set."""

    def size(self) -> int:
        """The number of leaves."""

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """The leaves from start to before stop; fewer if the log ends before."""

    def completed(self, index: int) -> bytes:
        """The hashes stored beside a leaf.

        Raises:
            Conflict: there is no such leaf (``corrupt``).
        """

    def completed_beside(self, indices: Collection[int]) -> Mapping[int, bytes]:
        """The hashes stored beside many leaves, at once.

        Raises:
            Conflict: a leaf is missing (``corrupt``).
        """

    def head(self, topic: bytes) -> Head | None:
        """A topic's newest entry."""

    def heads_of(self, topics: Collection[bytes]) -> Mapping[bytes, Head]:
        """The newest entries of those topics that have one, at once."""

    def heads(self) -> Sequence[tuple[bytes, int, bytes]]:
        """The newest entries of all topics, in the form of ``Head``."""

    def index_of(self, topic: bytes, seq: int) -> int | None:
        """Where a topic's entry stands in the log."""

    def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        """The published checkpoint of a size, or the newest."""

    def checkpoint_sizes(self, limit: int) -> list[int]:
        """The sizes of the newest published checkpoints, the newest first."""

    def batch(self, key: str) -> StoredBatch | None:
        """What was appended under an idempotency key."""


class LogWriter(LogReader, Protocol):
    """A transaction that excludes all other writers, and is undone as a whole by any exception.

    What it writes need not be visible to its own reads. To write what is there already raises `Conflict`, at
    once or at the transaction's end.
    """

    def set_identity(self, vkey: str) -> None:
        """Say whose log this is, once."""

    def replace_identity(self, vkey: str) -> None:
        """Say under which other key the same log goes on."""

    def append(self, rows: Sequence[LeafRow]) -> None:
        """Add leaves at the end, and make their heads the newest of their topics."""

    def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        """Keep a published checkpoint."""

    def update_checkpoint(self, size: int, note: bytes) -> None:
        """Keep, of a published checkpoint, the note with further signatures instead."""

    def add_batch(self, key: str, batch: StoredBatch) -> None:
        """Keep what was appended under an idempotency key."""


class LogStore(Protocol):
    """A log's storage."""

    def read(self) -> AbstractContextManager[LogReader]:
        """See one state of the log."""

    def write(self) -> AbstractContextManager[LogWriter]:
        """Change the log."""

    def close(self) -> None:
        """Let go of what the store holds open."""


@dataclass(slots=True)
class _Rows:
    identity: str | None = None
    leaves: list[bytes] = field(default_factory=list)
    completed: list[bytes] = field(default_factory=list)
    heads: dict[bytes, Head] = field(default_factory=dict)
    indices: dict[tuple[bytes, int], int] = field(default_factory=dict)
    checkpoints: dict[int, StoredCheckpoint] = field(default_factory=dict)
    batches: dict[str, StoredBatch] = field(default_factory=dict)


class MemoryStore:
    """A log's storage in this process's memory, for tests and notebooks."""

    __slots__ = ("_rows", "_turn")

    def __init__(self) -> None:
        self._rows = _Rows()
        self._turn = threading.Lock()

    def close(self) -> None:
        """Do nothing: the log lives as long as the object."""

    @contextmanager
    def read(self) -> Iterator[LogReader]:
        """See one state of the log; writers wait."""
        with self._turn:
            yield _MemoryTransaction(self._rows)

    @contextmanager
    def write(self) -> Iterator[LogWriter]:
        """Change the log: everything is applied at the end of the block, or nothing."""
        with self._turn:
            transaction = _MemoryTransaction(self._rows)
            yield transaction
            transaction.commit()


class _MemoryTransaction:
    __slots__ = ("_added", "_rows")

    def __init__(self, rows: _Rows) -> None:
        self._rows = rows
        self._added = _Rows()

    def identity(self) -> str | None:
        return self._rows.identity

    def size(self) -> int:
        return len(self._rows.leaves)

    def leaves(self, start: int, stop: int) -> list[bytes]:
        return self._rows.leaves[start:stop]

    def completed(self, index: int) -> bytes:
        if not 0 <= index < len(self._rows.completed):
            raise Conflict("corrupt", f"leaf {index} is missing from the log")
        return self._rows.completed[index]

    def completed_beside(self, indices: Collection[int]) -> Mapping[int, bytes]:
        return {index: self.completed(index) for index in indices}

    def head(self, topic: bytes) -> Head | None:
        return self._rows.heads.get(topic)

    def heads_of(self, topics: Collection[bytes]) -> Mapping[bytes, Head]:
        heads = self._rows.heads
        return {topic: heads[topic] for topic in topics if topic in heads}

    def heads(self) -> Sequence[tuple[bytes, int, bytes]]:
        return list(self._rows.heads.values())

    def index_of(self, topic: bytes, seq: int) -> int | None:
        return self._rows.indices.get((topic, seq))

    def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        checkpoints = self._rows.checkpoints
        return checkpoints.get(max(checkpoints, default=0) if size is None else size)

    def checkpoint_sizes(self, limit: int) -> list[int]:
        return sorted(self._rows.checkpoints, reverse=True)[:limit]

    def batch(self, key: str) -> StoredBatch | None:
        return self._rows.batches.get(key)

    def set_identity(self, vkey: str) -> None:
        _refuse(self._rows.identity is not None, "the log's identity")
        self._added.identity = vkey

    def replace_identity(self, vkey: str) -> None:
        self._added.identity = vkey

    def append(self, rows: Sequence[LeafRow]) -> None:
        for row in rows:
            _refuse(row.place != len(self._rows.leaves) + len(self._added.leaves), "a leaf's place")
            self._added.leaves.append(row.data)
            self._added.completed.append(row.completed)
            if row.head is not None:
                number = (row.head.topic, row.head.seq)
                _refuse(number in self._rows.indices or number in self._added.indices, "an entry's number")
                self._added.heads[row.head.topic] = row.head
                self._added.indices[number] = row.place

    def add_checkpoint(self, checkpoint: StoredCheckpoint) -> None:
        _refuse(checkpoint.size in self._rows.checkpoints, "a checkpoint's size")
        self._added.checkpoints[checkpoint.size] = checkpoint

    def update_checkpoint(self, size: int, note: bytes) -> None:
        self._added.checkpoints[size] = replace(self._rows.checkpoints[size], note=note)

    def add_batch(self, key: str, batch: StoredBatch) -> None:
        _refuse(key in self._rows.batches, "an idempotency key")
        self._added.batches[key] = batch

    def commit(self) -> None:
        rows, added = self._rows, self._added
        rows.identity = added.identity or rows.identity
        rows.leaves += added.leaves
        rows.completed += added.completed
        rows.heads.update(added.heads)
        rows.indices.update(added.indices)
        rows.checkpoints.update(added.checkpoints)
        rows.batches.update(added.batches)


def _refuse(is_taken: bool, what: str) -> None:  # noqa: FBT001 - a guard of one condition
    if is_taken:
        raise Conflict("constraint", f"{what} is taken")

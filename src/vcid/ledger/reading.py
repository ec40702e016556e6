"""A log as it is stored, to read and to prove from: checkpoints, entries, receipts and consistency proofs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from vcid.errors import Conflict
from vcid.ledger import appending, proving
from vcid.ledger.anchor import View
from vcid.ledger.heads import Head
from vcid.ledger.notes import NoteKey
from vcid.ledger.tree import StoredTree

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import AbstractContextManager

    from vcid.ledger.entries import Entry
    from vcid.ledger.heads import HeadsMap
    from vcid.ledger.receipts import Receipt
    from vcid.ledger.store import LogReader


class LogSource(Protocol):
    """Where a log's leaves are kept, to be read."""

    def read(self) -> AbstractContextManager[LogReader]:
        """See one state of the log."""

    def close(self) -> None:
        """Let go of what is held open."""


class StoredLog:
    """A log to read and to prove from, wherever its leaves are kept; nobody's signing key is needed.

    Safe to share between threads.
    """

    __slots__ = ("_all_keys", "_heads_map", "_key", "_store")

    def __init__(self, store: LogSource, key: NoteKey, former_keys: Iterable[NoteKey] = ()) -> None:
        self._store = store
        self._key = key
        self._all_keys = (key, *former_keys)
        self._heads_map: tuple[int, HeadsMap] | None = None

    @classmethod
    def of(cls, store: LogSource) -> StoredLog:
        """Read the log that a store holds, whichever it is.

        Raises:
            Conflict: it holds none (``not-found``).
        """
        with store.read() as reader:
            vkey = reader.identity()
        if vkey is None:
            raise Conflict("not-found", "the store holds no log")
        return StoredLog(store, NoteKey.parse(vkey))

    def close(self) -> None:
        """Close the log's storage."""
        self._store.close()

    @property
    def key(self) -> NoteKey:
        """The log's verifier key, named as its origin."""
        return self._key

    def checkpoint(self) -> View | None:
        """The newest published checkpoint."""
        with self._store.read() as reader:
            stored = reader.checkpoint()
        return View(self._key.name, stored.size, stored.root, stored.note) if stored else None

    def latest(self, topic: bytes) -> Entry | None:
        """A topic's newest entry, published or not."""
        with self._store.read() as reader:
            head = reader.head(topic)
            return appending.stored_entry(reader, topic, head.seq) if head else None

    def find(self, topic: bytes, seq: int) -> Entry | None:
        """A topic's entry of a number, published or not."""
        with self._store.read() as reader:
            return appending.stored_entry(reader, topic, seq)

    def heads(self) -> dict[bytes, Head]:
        """The newest entries of all topics, published or not."""
        with self._store.read() as reader:
            return {row[0]: Head(*row) for row in reader.heads()}

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The leaves from start to before stop, for whoever replays the log."""
        with self._store.read() as reader:
            return reader.leaves(start, stop)

    def head(self, topic: bytes, at: int | None = None) -> Receipt:
        """Prove which entry is a topic's newest, or that there is none.

        Args:
            topic: the topic.
            at: the size of the published checkpoint to prove it at; the newest by default.

        Raises:
            Conflict: there is no such checkpoint (``not-found``), or the stored log is damaged (``corrupt``).
        """
        with self._store.read() as reader:
            stored = proving.published(reader, at)
            return proving.prove_head(reader, topic, stored, self._heads_at(reader, stored.size))

    def _heads_at(self, reader: LogReader, size: int) -> HeadsMap:
        # The heads of a size never change, and receipts are mostly asked for at one size, many at a time.
        kept = self._heads_map
        if kept is None or kept[0] != size:
            kept = self._heads_map = (size, proving.heads_at(reader, size))
        return kept[1]

    def inclusion(self, entry: Entry, at: int | None = None) -> Receipt:
        """Prove that an entry is in the log, at the size of a published checkpoint or the newest.

        Raises:
            Conflict: the entry or the checkpoint is not there (``not-found``), or the stored log is damaged.
        """
        with self._store.read() as reader:
            return proving.prove_inclusion(reader, entry, proving.published(reader, at))

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Prove that the log only grew between two sizes; from 0 there is nothing to prove."""
        with self._store.read() as reader:
            if not 0 <= old_size <= new_size <= reader.size():
                raise ValueError("the sizes are those of this log, the old one first")
            return StoredTree(reader.completed_beside).consistency(old_size, new_size)

    def consistency_from_checkpoints(
        self, limit: int = 400, *, at: int | None = None
    ) -> dict[int, list[bytes]]:
        """Prove that a checkpoint continues those published before it.

        Args:
            limit: how many earlier checkpoints, the newest first.
            at: the checkpoint's size; the newest by default.

        Returns:
            The proofs by the earlier checkpoint's size, for verifiers that keep one of those views.
        """
        with self._store.read() as reader:
            sizes = reader.checkpoint_sizes(limit + 1)
            until = max(sizes, default=0) if at is None else at
            tree = StoredTree(reader.completed_beside)
            return {size: tree.consistency(size, until) for size in sizes if size < until}

    def audit(self) -> None:
        """Replay the whole log and compare everything stored with it.

        Raises:
            Conflict: something stored is not what the leaves give.
        """
        with self._store.read() as reader:
            proving.audit(reader, self._all_keys)

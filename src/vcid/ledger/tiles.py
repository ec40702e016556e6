"""A log read from its tiles: every entry replayed, the heads rebuilt, receipts made of nothing but files.

Whoever has the tiles needs to believe neither the log nor who brought them: the log has to have signed the
checkpoint, every tile and leaf has to be what it commits to, every entry its owner's, and the heads leaf
true. From then on the reader gives the receipts that the log itself would give at that checkpoint. Whether a
copy is old, its witnesses' times tell the judge. Format: C2SP tlog-tiles.
"""

from __future__ import annotations

import threading
from array import array
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from vcid.errors import Conflict, InvalidProof, Malformed, Unavailable
from vcid.ledger.anchor import View
from vcid.ledger.entries import Entry
from vcid.ledger.heads import Head
from vcid.ledger.notes import MAX_NOTE_BYTES, Checkpoint, Note
from vcid.ledger.reading import StoredLog
from vcid.ledger.replay import Replay
from vcid.ledger.store import StoredCheckpoint
from vcid.ledger.tile_paths import CHECKPOINT, TILE_WIDTH
from vcid.ledger.tile_tree import TileTree

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from vcid.ledger.notes import NoteKey
    from vcid.ledger.store import LogReader, StoredBatch
    from vcid.ledger.tile_transport import Transport


def fetch_view(transport: Transport, *keys: NoteKey) -> View:
    """Bring the newest checkpoint and check that the log signed it.

    Args:
        transport: brings it.
        keys: the log's key in force, and those that it gave up if its old checkpoints are to be read too.
            Which of them may have signed what, a policy tells (``LogPolicy.former_log_keys``).

    Raises:
        Unavailable: there is none, or it can't be brought.
        Malformed: it is no checkpoint, or has extension lines.
        InvalidProof: it is of another log (``wrong-origin``), or the log did not sign it.
    """
    data = transport.get(CHECKPOINT, MAX_NOTE_BYTES)
    note = Note.parse(data)
    checkpoint = Checkpoint.parse(note.text)
    if checkpoint.origin != keys[0].name:
        raise InvalidProof("wrong-origin", "the checkpoint is of another log")
    if checkpoint.extensions:
        raise Malformed("extension-lines", "a checkpoint of three lines: no auditor checks more")
    if not note.verify(keys):
        raise InvalidProof("unsigned", "the log did not sign the checkpoint")
    return View.of(checkpoint, data)


def tree_of(transport: Transport, view: View) -> TileTree:
    """The tree of a checkpoint; raises as `TileTree`."""
    return TileTree(transport, Checkpoint(view.origin, view.size, view.root))


class TileReader(StoredLog):
    """Reads a log from its tiles and proves what it reads, at the checkpoint that it brought last.

    It keeps the newest entry of each topic, and of the others eight bytes each. So a head receipt needs no
    further file that tells which topic it is for: whoever serves the tiles learns that the log is read, and
    no more. To prove an older entry's inclusion, the bundle of 256 that it stands in may be fetched again.
    Safe to share between threads.
    """

    __slots__ = ()

    _store: _TileSource

    def __init__(self, transport: Transport, key: NoteKey, *former_keys: NoteKey) -> None:
        super().__init__(_TileSource(transport, (key, *former_keys)), key)

    @classmethod
    def open(
        cls,
        transport: Transport,
        key: NoteKey,
        *former_keys: NoteKey,
        step: Callable[[], None] = lambda: None,
    ) -> Self:
        """Bring and replay a whole log.

        Args:
            transport: brings its files.
            key: the log's, named as its origin.
            former_keys: keys that the log gave up, to read old copies too.
            step: called after each bundle of up to 256 leaves.

        Raises:
            Conflict: a file is not what the checkpoint commits to (``corrupt``), or the log broke its own
                rules, with the codes of `Replay`.
            InvalidProof: the checkpoint is not by this log.
            Malformed: a file is not what it should be.
            Unavailable: a file can't be brought.
        """
        reader = cls(transport, key, *former_keys)
        reader.refresh(step=step)
        return reader

    def refresh(self, *, step: Callable[[], None] = lambda: None) -> View:
        """Bring the newest checkpoint and replay what it adds; where that fails, the reader stays as it is.

        Raises:
            Conflict: besides the reasons of ``open``, the checkpoint is smaller than the last one
                (``rollback``) or contradicts what was read before (``fork``).
            VcidError: as ``open``.
        """
        return self._store.refresh(step)


class _TileSource:
    """The newest state of a log that could be verified."""

    def __init__(self, transport: Transport, keys: tuple[NoteKey, ...]) -> None:
        self._transport = transport
        self._keys = keys
        self._turn = threading.Lock()
        self._replay = Replay()
        self._places: dict[bytes, array[int]] = {}
        self._ends: array[int] = array("Q")
        self._newest: dict[bytes, bytes] = {}
        self._state: _TileState | None = None

    def close(self) -> None:
        """Do nothing: nothing is held open."""

    @contextmanager
    def read(self) -> Iterator[LogReader]:
        if self._state is None:
            raise Unavailable("the log's tiles were not read yet")
        yield self._state

    def refresh(self, step: Callable[[], None]) -> View:
        with self._turn:
            view = fetch_view(self._transport, *self._keys)
            if self._state is not None and self._state.view.note == view.note:
                return self._state.view
            if self._state is not None and view.size < self._state.view.size:
                raise Conflict("rollback", "the log's checkpoint was larger before")
            tree = tree_of(self._transport, view)
            self._follow(tree, step)
            self._replay.check_checkpoint(view.size, view.root)
            heads = {topic: Head(*row) for topic, row in self._replay.heads.items()}
            places, ends = self._places, self._ends
            leaves = {places[topic][-1]: leaf for topic, leaf in self._newest.items()}
            self._state = _TileState(self._keys[0].vkey, view, tree, heads, leaves, places, ends)
            return view

    def _follow(self, tree: TileTree, step: Callable[[], None]) -> None:
        replay = self._replay
        # An earlier attempt may have broken off behind the state; what it replayed was signed by the log too.
        if replay.frontier.size > tree.size or tree.root(replay.frontier.size) != replay.frontier.root:
            raise Conflict("fork", "the log's checkpoints contradict each other")
        while replay.frontier.size < tree.size:
            start = replay.frontier.size
            for index, leaf in enumerate(tree.leaves(start, start - start % TILE_WIDTH + TILE_WIDTH), start):
                _, content = replay.apply(leaf)
                if isinstance(content, Entry):
                    self._places.setdefault(content.topic, array("Q")).append(index)
                    self._newest[content.topic] = leaf
                else:
                    self._ends.append(index + 1)
            step()


@dataclass(frozen=True, slots=True)
class _TileState:
    """One verified state of a log, as `StoredLog` reads it; places and ends may reach beyond it."""

    vkey: str
    view: View
    tree: TileTree
    newest: Mapping[bytes, Head]
    newest_leaves: Mapping[int, bytes]
    places: Mapping[bytes, Sequence[int]]
    ends: Sequence[int]

    def identity(self) -> str | None:
        return self.vkey

    def size(self) -> int:
        return self.view.size

    def leaves(self, start: int, stop: int) -> list[bytes]:
        if stop == start + 1 and start in self.newest_leaves:
            return [self.newest_leaves[start]]
        return self.tree.leaves(start, stop)

    def completed(self, index: int) -> bytes:
        return self.tree.completed(index)

    def completed_beside(self, indices: Collection[int]) -> Mapping[int, bytes]:
        return {index: self.tree.completed(index) for index in indices}

    def head(self, topic: bytes) -> Head | None:
        return self.newest.get(topic)

    def heads_of(self, topics: Collection[bytes]) -> Mapping[bytes, Head]:
        return {topic: self.newest[topic] for topic in topics if topic in self.newest}

    def heads(self) -> Sequence[tuple[bytes, int, bytes]]:
        return list(self.newest.values())

    def index_of(self, topic: bytes, seq: int) -> int | None:
        places = self.places.get(topic, ())
        index = places[seq] if 0 <= seq < len(places) else self.view.size
        return index if index < self.view.size else None

    def checkpoint(self, size: int | None = None) -> StoredCheckpoint | None:
        if size not in {None, self.view.size}:
            return None
        return StoredCheckpoint(self.view.size, self.view.root, self.view.note)

    def checkpoint_sizes(self, limit: int) -> list[int]:
        """Where heads leaves stand: every checkpoint ends with one, though not each ends a checkpoint."""
        sizes: list[int] = []
        for end in reversed(self.ends):
            if len(sizes) == limit:
                break
            if end <= self.view.size:
                sizes.append(end)
        return sizes

    def batch(self, key: str) -> StoredBatch | None:
        del key
        return None

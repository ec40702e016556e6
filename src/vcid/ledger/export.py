"""A log as static tiles in a folder, for any web server or a USB stick (C2SP tlog-tiles).

An export adds to what the folder holds. Tiles come first and the checkpoint last, each file replaced whole,
so that a reader finds a complete log at every moment, and an export that broke off is simply done again. A
partial tile is kept for every checkpoint that needs it until the full one is there, as the specification
asks. The tiles are built from the leaves anew and have to hash to the signed checkpoint: a damaged store is
carried no further.
"""

from __future__ import annotations

import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vcid.encoding.merkle import leaf_hash, root, verify_consistency
from vcid.errors import Behind, Conflict, InvalidProof, Unavailable
from vcid.keys.private_files import locked
from vcid.ledger.anchor import View
from vcid.ledger.entries import is_heads_leaf
from vcid.ledger.notes import MAX_NOTE_BYTES, Checkpoint, Note
from vcid.ledger.tile_paths import CHECKPOINT, TILE_HEIGHT, TILE_WIDTH, Tile, encode_bundle, right_edge
from vcid.ledger.tile_transport import NOT_FOUND, FolderTransport
from vcid.ledger.tiles import tree_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.ledger.reading import StoredLog

_WORK: Final = ".export"


@dataclass(frozen=True, slots=True)
class Export:
    """What an export came to.

    Attributes:
        view: the checkpoint that the folder now holds.
        added: how many leaves it did not hold before.
        files: how many files were written.
    """

    view: View
    added: int
    files: int


def export(
    log: StoredLog,
    folder: str | os.PathLike[str],
    *,
    rebuild: bool = False,
    step: Callable[[], None] = lambda: None,
) -> Export:
    """Bring a folder to the log's newest checkpoint.

    1. What the folder holds has to be of this log, undamaged at its edge, and continued by the log.
    2. The new leaves are bundled and hashed into tiles, and written.
    3. The tiles have to hash to the checkpoint.
    4. Partial tiles that full ones replace are deleted, and the checkpoint is written.

    Args:
        log: the log.
        folder: a folder, made if there is none; other files in it are left alone.
        rebuild: write everything anew, whatever the folder holds of this log.
        step: called after each bundle of up to 256 leaves.

    Raises:
        Behind: the folder holds more of the log than the log itself: a restored backup.
        Conflict: the log has no checkpoint (``not-found``); the folder holds another log (``other-log``) or
            another version of this one (``fork``); or the folder or the store is damaged (``corrupt``).
        Unavailable: the folder can't be written, or another export into it is under way.
    """
    view = log.checkpoint()
    if view is None:
        raise Conflict("not-found", "the log has no checkpoint yet: publish one first")
    place = _Place(Path(folder))
    try:
        place.root.mkdir(parents=True, exist_ok=True)
        with locked(place.root / _WORK, patience=1.0):
            place.begin()
            start = _examine(log, view, place.root)
            builder = _Builder(log, view, place, step)
            if start is not None and not rebuild:
                builder.resume(start)
            added = builder.build()
            _finish(view, place)
    except OSError as error:
        raise Unavailable(f"the tiles can't be written: {error.strerror}") from error
    return Export(view, added, place.files)


def _examine(log: StoredLog, view: View, folder: Path) -> View | None:
    """Give the checkpoint that the folder holds, if the log continues it.

    Which key signed it doesn't matter, since the log may have changed it: the root has to be the log's own.
    """
    try:
        data = FolderTransport(folder).get(CHECKPOINT, MAX_NOTE_BYTES)
    except Unavailable as error:
        if error.code != NOT_FOUND:
            raise
        return None
    checkpoint = Checkpoint.parse(Note.parse(data).text)
    if checkpoint.origin != view.origin:
        raise Conflict("other-log", "the folder holds the checkpoint of another log")
    held = View.of(checkpoint, data)
    if held.size > view.size:
        raise Behind(
            f"the folder has {held.size} leaves, the log's checkpoint {view.size}: an old copy of it"
        )
    try:
        verify_consistency(held.size, view.size, log.consistency(held.size, view.size), held.root, view.root)
    except InvalidProof as error:
        raise Conflict("fork", "the folder holds another version of the log") from error
    return held


def _finish(view: View, place: _Place) -> None:
    place.seal()
    try:
        tree_of(FolderTransport(place.root), view)
    except Conflict as error:
        raise Conflict("corrupt", "the log's leaves don't hash to its checkpoint: check its store") from error
    place.drop_replaced()
    place.write(CHECKPOINT, view.note)
    place.seal()
    place.end()


class _Builder:
    """Turns leaves into tiles.

    Attributes:
        _size: the number of leaves taken in.
        _edge: by level, the hashes in its last tile, which is not full yet.
    """

    def __init__(self, log: StoredLog, view: View, place: _Place, step: Callable[[], None]) -> None:
        self._log = log
        self._final = view.size
        self._place = place
        self._step = step
        self._size = 0
        self._edge: list[list[bytes]] = []
        self._partial: set[Tile] = set()

    def resume(self, held: View) -> None:
        """Go on behind what the folder holds already.

        Raises:
            Conflict: its edge is not what its checkpoint commits to (``corrupt``).
        """
        try:
            tree = tree_of(FolderTransport(self._place.root), held)
        except (Conflict, Unavailable) as error:
            raise Conflict("corrupt", "the folder's tiles are damaged: export anew, with rebuild") from error
        for tile in right_edge(held.size):
            level = tile.level or 0
            self._edge += [[] for _ in range(level + 1 - len(self._edge))]
            self._edge[level] = tree.hashes(level, tile.index)
        self._size = held.size

    def build(self) -> int:
        """Write the tiles and bundles of all further leaves, and give their number."""
        first = self._size
        while self._size < self._final:
            self._add_bundle(self._size // TILE_WIDTH)
            self._step()
        return self._final - first

    def _add_bundle(self, index: int) -> None:
        start = index * TILE_WIDTH
        stop = min(start + TILE_WIDTH, self._final)
        leaves = self._log.entries(start, stop)
        if len(leaves) != stop - start:
            raise Conflict("corrupt", f"leaves are missing after leaf {start}")
        if len(leaves) == TILE_WIDTH:
            self._place.write_tile(Tile(None, index), encode_bundle(leaves))
        for width, leaf in enumerate(leaves[self._size - start :], self._size - start + 1):
            self._add(leaf_hash(leaf))
            if is_heads_leaf(leaf):
                self._write_partial(leaves[:width])

    def _add(self, digest: bytes) -> None:
        self._size += 1
        level = 0
        while True:
            if level == len(self._edge):
                self._edge.append([])
            hashes = self._edge[level]
            hashes.append(digest)
            if len(hashes) < TILE_WIDTH:
                return
            index = (self._size >> TILE_HEIGHT * (level + 1)) - 1
            self._place.write_tile(Tile(level, index), b"".join(hashes))
            digest = root(hashes)
            self._edge[level] = []
            level += 1

    def _write_partial(self, leaves: list[bytes]) -> None:
        """Write the partial tiles of this size, which ends a checkpoint, unless full ones will be there."""
        for tile in right_edge(self._size):
            level = tile.level or 0
            if tile in self._partial or tile.index != self._final >> TILE_HEIGHT * (level + 1):
                continue
            self._partial.add(tile)
            self._place.write_tile(tile, b"".join(self._edge[level]))
            if level == 0:
                self._place.write_tile(Tile(None, tile.index, tile.width), encode_bundle(leaves))


class _Place:
    """The folder: files are written whole beside their place, and then moved into it."""

    def __init__(self, folder: Path) -> None:
        self.root = folder
        self.files = 0
        self._work = folder / _WORK
        self._touched: set[Path] = set()
        self._replaced: list[Path] = []

    def begin(self) -> None:
        """Clear away what an export that broke off left."""
        shutil.rmtree(self._work, ignore_errors=True)
        self._work.mkdir()

    def end(self) -> None:
        shutil.rmtree(self._work, ignore_errors=True)

    def write_tile(self, tile: Tile, data: bytes) -> None:
        self.write(tile.path, data)
        if tile.width == TILE_WIDTH:
            partial = self.root / f"{tile.path}.p"
            if partial.is_dir():
                self._replaced.append(partial)

    def write(self, path: str, data: bytes) -> None:
        target, temporary = self.root / path, self._work / "file"
        with temporary.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary.replace(target)
        self._touched.add(target.parent)
        self.files += 1

    def seal(self) -> None:
        """Force what was moved onto the disk: the checkpoint never gets there before its tiles."""
        for folder in self._touched:
            if os.name == "posix":
                descriptor = os.open(folder, os.O_RDONLY)
                try:
                    os.fsync(descriptor)
                finally:
                    os.close(descriptor)
        self._touched.clear()

    def drop_replaced(self) -> None:
        """Delete the partial tiles whose full ones are there (tlog-tiles, "Partial Tiles")."""
        for partial in self._replaced:
            shutil.rmtree(partial, ignore_errors=True)

"""A log's tree and leaves out of its tiles, none of them believed before it is verified.

The partial tiles at the tree's right edge together give the root that the checkpoint states. Every full tile
has its hash in the tile above it, and so on up to that edge; every leaf has its hash in a tile of level 0. So
whatever stands in a folder or is sent by a server, nothing is taken for the log's that the checkpoint does
not commit to, and the file at fault can be named.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Final, Generic, TypeVar

from vcid.encoding.merkle import Node, consistency_nodes, fold, leaf_hash, node_hash, root_nodes
from vcid.errors import Conflict, Unavailable
from vcid.ledger.tile_paths import (
    TILE_HEIGHT,
    TILE_WIDTH,
    Tile,
    decode_bundle,
    decode_tile,
    right_edge,
    tile_of,
)
from vcid.ledger.tile_transport import NOT_FOUND

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vcid.ledger.notes import Checkpoint
    from vcid.ledger.tile_transport import Transport

Key = TypeVar("Key")
Kept = TypeVar("Kept")

_KEPT_TILES: Final = 128
_KEPT_BUNDLES: Final = 8


class TileTree:
    """The tree of one checkpoint. Safe to share between threads.

    Args:
        transport: brings the tiles.
        checkpoint: what they have to agree with; its signature is checked already.

    Raises:
        Conflict: the tiles at the right edge are not those of the checkpoint (``corrupt``).
        Unavailable: one of them can't be brought.
        Malformed: one of them is no tile.
    """

    __slots__ = ("_bundles", "_edge", "_tiles", "_transport", "size")

    def __init__(self, transport: Transport, checkpoint: Checkpoint) -> None:
        self.size = checkpoint.size
        self._transport = transport
        self._tiles: _Recent[tuple[int, int], list[list[bytes]]] = _Recent(_KEPT_TILES)
        self._bundles: _Recent[int, list[bytes]] = _Recent(_KEPT_BUNDLES)
        # The highest first: a checkpoint that is far larger than its tiles ends with the first one missing.
        edge = reversed(right_edge(checkpoint.size))
        self._edge = {(tile.level, tile.index): _subtrees(self._fetch_tile(tile)) for tile in edge}
        if self.root(self.size) != checkpoint.root:
            raise Conflict("corrupt", "the last tiles of the levels don't hash to the checkpoint")

    def root(self, size: int) -> bytes:
        """The root that the tree had at a size."""
        return fold([self.node(node) for node in root_nodes(size)])

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """The proof that the tree grew from one size to another; empty from 0."""
        if not old_size:
            return []
        groups = consistency_nodes(old_size, new_size)
        return [fold([self.node(node) for node in group]) for group in groups]

    def node(self, node: Node) -> bytes:
        """The hash of a complete subtree."""
        level, height = divmod(node.level, TILE_HEIGHT)
        index, place = divmod(node.offset, TILE_WIDTH >> height)
        return self._tile(level, index)[height][place]

    def completed(self, index: int) -> bytes:
        """The hashes, in one string, of the subtrees that end with a leaf, lowest first."""
        count = (index + 1 & -(index + 1)).bit_length()
        return b"".join(self.node(Node(level, index >> level)) for level in range(count))

    def hashes(self, level: int, index: int) -> list[bytes]:
        """The hashes in a tile."""
        return list(self._tile(level, index)[0])

    def leaves(self, start: int, stop: int) -> list[bytes]:
        """The leaves from start to before stop; fewer if the tree ends before."""
        found: list[bytes] = []
        while start < min(stop, self.size):
            index, place = divmod(start, TILE_WIDTH)
            found += self._bundle(index)[place : place + stop - start]
            start = (index + 1) * TILE_WIDTH
        return found

    def _tile(self, level: int, index: int) -> list[list[bytes]]:
        at_edge = self._edge.get((level, index))
        return at_edge or self._tiles.get((level, index), lambda: self._verified(level, index))

    def _verified(self, level: int, index: int) -> list[list[bytes]]:
        """Bring a full tile, whose hash stands in the tile above."""
        above, place = divmod(index, TILE_WIDTH)
        expected = self._tile(level + 1, above)[0][place]
        tile = Tile(level, index)
        subtrees = _subtrees(self._fetch_tile(tile))
        if subtrees[TILE_HEIGHT][0] != expected:
            raise Conflict("corrupt", f"{tile.path} is not the one that the checkpoint commits to")
        return subtrees

    def _fetch_tile(self, tile: Tile) -> list[bytes]:
        data, width = self._fetch(tile)
        return decode_tile(data, width, where=tile.path)[: tile.width]

    def _bundle(self, index: int) -> list[bytes]:
        return self._bundles.get(index, lambda: self._verified_bundle(index))

    def _verified_bundle(self, index: int) -> list[bytes]:
        expected = self._tile(0, index)[0]
        tile = tile_of(None, index, self.size)
        data, width = self._fetch(tile)
        leaves = decode_bundle(data, width, where=tile.path)[: tile.width]
        for place, leaf in enumerate(leaves):
            if leaf_hash(leaf) != expected[place]:
                number = index * TILE_WIDTH + place
                raise Conflict("corrupt", f"leaf {number} in {tile.path} is not that of the checkpoint")
        return leaves

    def _fetch(self, tile: Tile) -> tuple[bytes, int]:
        """Bring a tile, or the full one in its place, since partial ones may be deleted then."""
        try:
            return self._transport.get(tile.path, tile.max_bytes), tile.width
        except Unavailable as error:
            if error.code != NOT_FOUND or tile.width == TILE_WIDTH:
                raise
            try:
                return self._transport.get(tile.full.path, tile.max_bytes), TILE_WIDTH
            except Unavailable as also:
                raise (error if also.code == NOT_FOUND else also) from also


def _subtrees(hashes: Sequence[bytes]) -> list[list[bytes]]:
    """Hash up within a tile: by height, the hashes of the complete subtrees side by side."""
    levels = [list(hashes)]
    for _ in range(TILE_HEIGHT):
        below = levels[-1]
        levels.append([node_hash(*pair) for pair in zip(below[::2], below[1::2], strict=False)])
    return levels


class _Recent(Generic[Key, Kept]):
    """The things asked for last, up to a number of them."""

    __slots__ = ("_kept", "_limit", "_turn")

    def __init__(self, limit: int) -> None:
        self._kept: OrderedDict[Key, Kept] = OrderedDict()
        self._limit = limit
        self._turn = threading.Lock()

    def get(self, key: Key, bring: Callable[[], Kept]) -> Kept:
        with self._turn:
            kept = self._kept.get(key)
            if kept is not None:
                self._kept.move_to_end(key)
                return kept
        brought = bring()
        with self._turn:
            self._kept[key] = brought
            while len(self._kept) > self._limit:
                self._kept.popitem(last=False)
        return brought

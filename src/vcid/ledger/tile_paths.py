"""Where a log's hashes and leaves stand among its tiles, and how leaves are bundled (C2SP tlog-tiles).

A tile of level L holds up to 256 hashes side by side, each over 256^L leaves. The last tile of a level may be
partial; a full tile never changes. Entry bundles hold the leaves whose hashes the tiles of level 0 hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vcid.encoding.merkle import HASH_BYTES
from vcid.errors import LimitExceeded, Malformed
from vcid.ledger.entries import MAX_LEAF_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable

TILE_WIDTH: Final = 256
TILE_HEIGHT: Final = 8
MAX_TILE_BYTES: Final = TILE_WIDTH * HASH_BYTES
MAX_BUNDLE_BYTES: Final = TILE_WIDTH * (2 + MAX_LEAF_BYTES)
CHECKPOINT: Final = "checkpoint"
"""The path of the newest checkpoint (tlog-tiles, "Checkpoints")."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile or an entry bundle.

    Attributes:
        level: the tile's level; ``None`` for an entry bundle.
        index: its place among those of its level.
        width: how many hashes or leaves it holds, from 1 to 256.
    """

    level: int | None
    index: int
    width: int = TILE_WIDTH

    @property
    def path(self) -> str:
        """Its path below the log's prefix (tlog-tiles, "Merkle Tree" and "Log entries")."""
        digits = f"{self.index:03d}"
        digits = digits.zfill(-(-len(digits) // 3) * 3)
        *upper, last = (digits[start : start + 3] for start in range(0, len(digits), 3))
        level = "entries" if self.level is None else str(self.level)
        partial = "" if self.width == TILE_WIDTH else f".p/{self.width}"
        return "/".join(["tile", level, *(f"x{part}" for part in upper), last]) + partial

    @property
    def full(self) -> Tile:
        """The full tile that takes a partial one's place."""
        return Tile(self.level, self.index)

    @property
    def max_bytes(self) -> int:
        """The most that it may hold."""
        return MAX_BUNDLE_BYTES if self.level is None else MAX_TILE_BYTES


def tile_of(level: int | None, index: int, size: int) -> Tile:
    """The tile of a level and index in a tree of a size.

    Raises:
        ValueError: the tree has none there.
    """
    width = min((size >> (TILE_HEIGHT * (level or 0))) - index * TILE_WIDTH, TILE_WIDTH)
    if index < 0 or width < 1:
        raise ValueError("the tree has no such tile")
    return Tile(level, index, width)


def right_edge(size: int) -> list[Tile]:
    """The partial tiles of a tree, which together determine its root (tlog-tiles, "Partial Tiles")."""
    tiles = []
    level = 0
    while size:
        size, width = divmod(size, TILE_WIDTH)
        if width:
            tiles.append(Tile(level, size, width))
        level += 1
    return tiles


def encode_bundle(leaves: Iterable[bytes]) -> bytes:
    """Put leaves into a bundle: each behind its length in two bytes (tlog-tiles, "Log entries")."""
    return b"".join(part for leaf in leaves for part in (len(leaf).to_bytes(2), leaf))


def decode_bundle(data: bytes, width: int, *, where: str = "") -> list[bytes]:
    """Take the leaves out of a bundle.

    Raises:
        Malformed: it does not hold exactly that many leaves.
        LimitExceeded: a leaf is longer than any leaf of a log.
    """
    leaves: list[bytes] = []
    position = 0
    while position < len(data):
        end = position + 2 + int.from_bytes(data[position : position + 2])
        if position + 2 > len(data) or end > len(data) or len(leaves) == width:
            raise Malformed("bundle", f"{width} leaves, each behind its length", where=where)
        if end - position - 2 > MAX_LEAF_BYTES:
            raise LimitExceeded("leaf-size", f"leaves of at most {MAX_LEAF_BYTES} bytes", where=where)
        leaves.append(data[position + 2 : end])
        position = end
    if len(leaves) != width:
        raise Malformed("bundle", f"{width} leaves, each behind its length", where=where)
    return leaves


def decode_tile(data: bytes, width: int, *, where: str = "") -> list[bytes]:
    """Take the hashes out of a tile.

    Raises:
        Malformed: it does not hold exactly that many.
    """
    if len(data) != width * HASH_BYTES:
        raise Malformed("tile-width", f"{width} hashes of {HASH_BYTES} bytes", where=where)
    return [data[start : start + HASH_BYTES] for start in range(0, len(data), HASH_BYTES)]

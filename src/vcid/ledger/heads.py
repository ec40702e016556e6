"""The heads map: which entry is the newest of each topic, committed to by the heads leaf of a checkpoint.

The map is an RFC 6962 tree whose leaves, sorted by topic, are frames of topic, seq and the leaf hash of the
topic's newest entry; that hash covers the digest, the owner and the owner's signature. A path to a leaf
proves that the entry is the newest. Two neighbours between which the topic would stand, or the first or last
leaf alone at the edge, prove that there is no entry at all.
"""

from __future__ import annotations

import struct
from bisect import bisect_left
from dataclasses import dataclass
from hashlib import sha256
from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from vcid.encoding.merkle import leaf_hash, node_hash, verify_inclusion
from vcid.errors import InvalidProof, Malformed
from vcid.ledger.entries import HeadsLeaf

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_NAME = b"vcid.ledger.head.v1"
_FRAME = struct.Struct(f">I{len(_NAME)}sI32sIQI32s")
_EMPTY_ROOT = sha256(b"").digest()


class Head(NamedTuple):
    """A topic's newest entry.

    Attributes:
        topic: the topic.
        seq: the entry's number.
        entry_hash: the entry's leaf hash.
    """

    topic: bytes
    seq: int
    entry_hash: bytes

    def encode(self) -> bytes:
        """The head as a leaf of the heads map: ``frame("vcid.ledger.head.v1", topic, seq, entry hash)``."""
        return _FRAME.pack(len(_NAME), _NAME, 32, self.topic, 8, self.seq, 32, self.entry_hash)

    @classmethod
    def decode(cls, data: bytes) -> Head:
        """Read a leaf of the heads map.

        Raises:
            Malformed: it is none.
        """
        if len(data) != _FRAME.size:
            raise Malformed("head", "a leaf of the heads map")
        head = cls(*_FRAME.unpack(data)[3:8:2])
        if head.encode() != data or head.seq >= 1 << 63:
            raise Malformed("head", "a leaf of the heads map")
        return head


@dataclass(frozen=True, slots=True)
class Neighbour:
    """A head with its place in the map and the path that proves it."""

    index: int
    head: Head
    path: tuple[bytes, ...]


class HeadsMap:
    """The heads of all topics at one point of the log, with the tree over them.

    Args:
        heads: the newest entries, in the form of ``Head``.
        former: another map, of which most heads may be these; only what differs is hashed anew.
    """

    __slots__ = ("_heads", "_levels")

    def __init__(self, heads: Iterable[tuple[bytes, int, bytes]], former: HeadsMap | None = None) -> None:
        self._heads = sorted(heads)
        self._levels = former.levels_over(self._heads) if former else _levels(self._heads)

    def levels_over(self, heads: Sequence[tuple[bytes, int, bytes]]) -> list[list[bytes]]:
        """The levels over other heads, by these where they stand in the same places."""
        places = [
            place for place, pair in enumerate(zip(self._heads, heads, strict=False)) if pair[0] != pair[1]
        ]
        if len(heads) != len(self._heads) or len(places) > len(heads) // 8:
            return _levels(heads)
        levels = [level.copy() for level in self._levels]
        for place in places:
            levels[0][place] = _hash_head(heads[place])
        for below, level in pairwise(levels):
            places = sorted({place >> 1 for place in places})
            for place in places:
                left, *right = below[2 * place : 2 * place + 2]
                level[place] = node_hash(left, *right) if right else left
        return levels

    @property
    def leaf(self) -> HeadsLeaf:
        """What the log commits to."""
        return HeadsLeaf(len(self._heads), self._levels[-1][0] if self._heads else _EMPTY_ROOT)

    def newest(self, topic: bytes) -> Neighbour | None:
        """The topic's head with its path, or nothing if the topic has no entry."""
        index = self._position(topic)
        if index == len(self._heads) or self._heads[index][0] != topic:
            return None
        return self._at(index)

    def around(self, topic: bytes) -> tuple[Neighbour, ...]:
        """The neighbours between which an absent topic would stand: two, one at an edge, none if empty."""
        index = self._position(topic)
        return tuple(self._at(place) for place in (index - 1, index) if 0 <= place < len(self._heads))

    def _position(self, topic: bytes) -> int:
        return bisect_left(self._heads, (topic,))

    def _at(self, index: int) -> Neighbour:
        path, place = [], index
        for level in self._levels[:-1]:
            if place ^ 1 < len(level):
                path.append(level[place ^ 1])
            place >>= 1
        return Neighbour(index, Head(*self._heads[index]), tuple(path))


def _hash_head(head: tuple[bytes, int, bytes]) -> bytes:
    topic, seq, entry_hash = head
    return sha256(b"\x00" + _FRAME.pack(len(_NAME), _NAME, 32, topic, 8, seq, 32, entry_hash)).digest()


def _levels(heads: Sequence[tuple[bytes, int, bytes]]) -> list[list[bytes]]:
    """Hash the tree level by level; a node without a sibling moves up, which gives RFC 6962's own shape."""
    level = [_hash_head(head) for head in heads]
    levels = [level]
    while len(level) > 1:
        above = [sha256(b"\x01" + a + b).digest() for a, b in zip(level[::2], level[1::2], strict=False)]
        level = [*above, level[-1]] if len(level) % 2 else above
        levels.append(level)
    return levels


def verify_newest(leaf: HeadsLeaf, found: Neighbour) -> None:
    """Check that a head stands in the map that a heads leaf commits to.

    Raises:
        InvalidProof: it does not.
    """
    verify_inclusion(leaf_hash(found.head.encode()), found.index, leaf.count, found.path, leaf.root)


def verify_absent(leaf: HeadsLeaf, topic: bytes, around: Sequence[Neighbour]) -> None:
    """Check that a topic does not stand in the map that a heads leaf commits to.

    Raises:
        InvalidProof: the neighbours are not adjacent, don't enclose the topic, or are not in the map.
    """
    places = [neighbour.index for neighbour in around]
    before = [index for index, neighbour in zip(places, around, strict=True) if neighbour.head.topic < topic]
    first = before[-1] + 1 if before else 0
    expected = [place for place in (first - 1, first) if 0 <= place < leaf.count]
    if places != expected or any(neighbour.head.topic == topic for neighbour in around):
        raise InvalidProof("not-adjacent", "the neighbours don't enclose the topic")
    if leaf.count == 0 and leaf.root != _EMPTY_ROOT:
        raise InvalidProof("not-adjacent", "an empty heads map has the root of the empty tree")
    for neighbour in around:
        verify_newest(leaf, neighbour)

"""What the heads map says of one topic, as lines of a receipt: its newest entry, or that it has none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from vcid.encoding.merkle import leaf_hash
from vcid.errors import InvalidProof, LimitExceeded, Malformed
from vcid.ledger.entries import Entry
from vcid.ledger.heads import Head, Neighbour, verify_absent, verify_newest
from vcid.ledger.notes import decode_base64, decode_decimal, encode_base64

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcid.ledger.entries import HeadsLeaf

MAX_PATH = 63
"""The longest path; no tree below 2^63 leaves needs more."""

NEWEST = "newest"
NEIGHBOUR = "neighbour"


@dataclass(frozen=True, slots=True)
class TopicProof:
    """A topic's newest entry with its place in the heads map, or the neighbours of an absent topic.

    Attributes:
        entry: the newest entry; ``None`` if the topic has none.
        places: the entry's place, or the neighbours between which the topic would stand.
    """

    entry: Entry | None
    places: tuple[Neighbour, ...]

    def verify(self, heads: HeadsLeaf, topic: bytes) -> None:
        """Check that the map that a heads leaf commits to says this of the topic; no signature is checked.

        Raises:
            InvalidProof: it says something else.
        """
        if self.entry is None:
            verify_absent(heads, topic, self.places)
        elif self.entry.topic != topic:
            raise InvalidProof("wrong-topic", "the receipt is about another topic")
        else:
            verify_newest(heads, self.places[0])

    def encode(self, prefix: str = "") -> list[str]:
        """Write the proof as lines, the first word of each place behind a prefix."""
        lines = []
        for place in self.places:
            word, leaf = NEIGHBOUR, place.head.encode()
            if self.entry is not None:
                word, leaf = NEWEST, self.entry.encode()
            lines += [f"{prefix}{word} {place.index} {encode_base64(leaf)}", *encode_path(place.path)]
        return lines

    @classmethod
    def parse(cls, blocks: Sequence[Sequence[str]], prefix: str = "") -> Self:
        """Read a proof from blocks of lines, each a place with its path.

        Raises:
            Malformed: they are none.
        """
        if len(blocks) > 2:
            raise Malformed("receipt", "a line for the newest entry, or for up to two neighbours")
        if len(blocks) == 1 and blocks[0][0].startswith(f"{prefix}{NEWEST} "):
            index, leaf = fields(blocks[0][0], f"{prefix}{NEWEST}")
            entry = Entry.decode(decode_base64(leaf, where=NEWEST))
            head = Head(entry.topic, entry.seq, leaf_hash(entry.encode()))
            place = Neighbour(decode_decimal(index, where=NEWEST), head, decode_path(blocks[0][1:]))
            return cls(entry, (place,))
        return cls(None, tuple(_parse_neighbour(block, f"{prefix}{NEIGHBOUR}") for block in blocks))


def _parse_neighbour(lines: Sequence[str], word: str) -> Neighbour:
    index, leaf = fields(lines[0], word)
    head = Head.decode(decode_base64(leaf, where=NEIGHBOUR))
    return Neighbour(decode_decimal(index, where=NEIGHBOUR), head, decode_path(lines[1:]))


def fields(line: str, word: str) -> tuple[str, str]:
    """Split a line of a word, a number and base64.

    Raises:
        Malformed: it is another line.
    """
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != word:
        raise Malformed("receipt", f"a line of '{word}', a number and base64")
    return parts[1], parts[2]


def encode_path(path: Sequence[bytes]) -> list[str]:
    """Write a path's hashes, a line each."""
    return [encode_base64(node) for node in path]


def decode_path(lines: Sequence[str]) -> tuple[bytes, ...]:
    """Read a path's hashes.

    Raises:
        Malformed: a line is no SHA-256 hash in base64, or there are too many.
    """
    if len(lines) > MAX_PATH:
        raise LimitExceeded("path", f"at most {MAX_PATH} hashes")
    path = tuple(decode_base64(line, where="path") for line in lines)
    if any(len(node) != 32 for node in path):
        raise Malformed("path", "SHA-256 hashes")
    return path

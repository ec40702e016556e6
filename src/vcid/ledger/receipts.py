"""Receipts: self-contained, offline proofs about one topic at one checkpoint of the log.

An inclusion receipt is a C2SP tlog-proof (v1) whose extra data is the entry: it says that the entry is in
the log. A head receipt says which entry is a topic's newest, or that there is none. Its first lines prove
that against the heads map, the rest is the tlog-proof of the heads leaf, which has to be the checkpoint's
last leaf:

    vcid.ledger/head-receipt@v1               vcid.ledger/head-receipt@v1
    map <number of topics> <root>             map <number of topics> <root>
    newest <place in the map> <entry>         neighbour <place in the map> <head>
    <path, a hash a line>                     <path, a hash a line>
                                              neighbour <next place> <head>
                                              <path, a hash a line>

    c2sp.org/tlog-proof@v1                    c2sp.org/tlog-proof@v1
    index <size of the checkpoint - 1>        …
    <path, a hash a line>

    <signed checkpoint>

An empty map has no neighbour, and a topic that would stand before the first or after the last head has one.
Hashes, entries and heads are in base64. Reading checks the form alone; ``verify_proofs`` checks the hashes,
and the signatures are for ``vcid.ledger.judge``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from vcid.encoding.merkle import leaf_hash, verify_inclusion
from vcid.errors import InvalidProof, LimitExceeded, Malformed
from vcid.ledger.entries import Entry, HeadsLeaf
from vcid.ledger.heads import Head, Neighbour, verify_absent, verify_newest
from vcid.ledger.notes import (
    MAX_NOTE_BYTES,
    Checkpoint,
    Note,
    decode_base64,
    decode_decimal,
    decode_text,
    encode_base64,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_RECEIPT = "application/vnd.vcid.head-receipt"
"""The media type of a receipt for a topic's newest entry, or for its absence."""

INCLUSION_RECEIPT = "application/vnd.vcid.inclusion-receipt"
"""The media type of a receipt for an entry's presence in the log."""

MAX_RECEIPT_BYTES = MAX_NOTE_BYTES + (1 << 15)
"""The longest receipt read: a note, three paths of 63 hashes, an entry and what stands around them."""

MAX_PATH = 63
"""The longest path; no tree below 2^63 leaves needs more."""

_HEAD_TITLE = "vcid.ledger/head-receipt@v1"
_PROOF_TITLE = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it is stored and sent.

    Attributes:
        media_type: ``HEAD_RECEIPT`` or ``INCLUSION_RECEIPT``.
        body: the text, in UTF-8.
    """

    media_type: str
    body: bytes


@dataclass(frozen=True, slots=True)
class LogProof:
    """A C2SP tlog-proof: a leaf's place, its path, and the checkpoint that it leads to.

    Attributes:
        index: the leaf's place in the log.
        path: the audit path, the leaf's sibling first.
        note: the signed checkpoint; nothing says yet that its signatures hold.
        checkpoint: what the note's text says.
        extra: data that the proof itself does not authenticate.
    """

    index: int
    path: tuple[bytes, ...]
    note: Note
    checkpoint: Checkpoint
    extra: bytes = b""

    def verify(self, leaf: bytes) -> None:
        """Check that a leaf's data stands at that place of the checkpoint's tree.

        Raises:
            InvalidProof: it does not.
        """
        checkpoint = self.checkpoint
        verify_inclusion(leaf_hash(leaf), self.index, checkpoint.size, self.path, checkpoint.root)

    def encode(self) -> bytes:
        """The proof as text (tlog-proof, "Format")."""
        extra = [f"extra {encode_base64(self.extra)}"] if self.extra else []
        lines = [_PROOF_TITLE, *extra, f"index {self.index}", *_encode_path(self.path), "", ""]
        return "\n".join(lines).encode() + self.note.encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a proof from its text.

        Raises:
            Malformed: it is none.
        """
        head, _, rest = decode_text(data, max_bytes=MAX_RECEIPT_BYTES).partition("\n\n")
        title, *lines = head.split("\n")
        if title != _PROOF_TITLE:
            raise Malformed("receipt", f"the first line {_PROOF_TITLE}")
        extra = _extra(lines.pop(0)) if lines and lines[0].startswith("extra ") else b""
        if not lines or not lines[0].startswith("index "):
            raise Malformed("receipt", "an index line")
        index = decode_decimal(lines[0].removeprefix("index "), where="index")
        note = Note.parse(rest.encode())
        return cls(index, _decode_path(lines[1:]), note, Checkpoint.parse(note.text), extra)


@dataclass(frozen=True, slots=True)
class InclusionReceipt:
    """What an inclusion receipt says: this entry is a leaf of the log at the proof's checkpoint."""

    entry: Entry
    log_proof: LogProof

    def verify_proofs(self) -> None:
        """Check that the entry is in the tree; its owner's and the log's signatures are another matter.

        Raises:
            InvalidProof: it is not.
        """
        self.log_proof.verify(self.entry.encode())

    def encode(self) -> Receipt:
        """The receipt as it is stored and sent."""
        return Receipt(INCLUSION_RECEIPT, self.log_proof.encode())

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read an inclusion receipt.

        Raises:
            Malformed: it is none.
        """
        log_proof = LogProof.parse(body)
        return cls(Entry.decode(log_proof.extra), log_proof)


@dataclass(frozen=True, slots=True)
class HeadReceipt:
    """What a head receipt says about one topic at the proof's checkpoint.

    Attributes:
        heads: the heads leaf that ends the checkpoint.
        entry: the topic's newest entry; ``None`` if the topic has none.
        places: the entry's place in the heads map, or the neighbours of an absent topic.
        log_proof: the proof of the heads leaf.
    """

    heads: HeadsLeaf
    entry: Entry | None
    places: tuple[Neighbour, ...]
    log_proof: LogProof

    def verify_proofs(self, topic: bytes) -> None:
        """Check every hash, and that the receipt is about the topic; no signature is checked.

        Raises:
            InvalidProof: something does not fit.
        """
        if self.log_proof.index != self.log_proof.checkpoint.size - 1:
            raise InvalidProof("heads-not-last", "the heads leaf is not the checkpoint's last leaf")
        self.log_proof.verify(self.heads.encode())
        if self.entry is None:
            verify_absent(self.heads, topic, self.places)
        elif self.entry.topic != topic:
            raise InvalidProof("wrong-topic", "the receipt is about another topic")
        else:
            verify_newest(self.heads, self.places[0])

    def encode(self) -> Receipt:
        """The receipt as it is stored and sent."""
        lines = [_HEAD_TITLE, f"map {self.heads.count} {encode_base64(self.heads.root)}"]
        for place in self.places:
            word, leaf = ("neighbour", place.head.encode())
            if self.entry is not None:
                word, leaf = ("newest", self.entry.encode())
            lines += [f"{word} {place.index} {encode_base64(leaf)}", *_encode_path(place.path)]
        return Receipt(HEAD_RECEIPT, "\n".join([*lines, "", ""]).encode() + self.log_proof.encode())

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a head receipt.

        Raises:
            Malformed: it is none.
        """
        top, _, rest = decode_text(body, max_bytes=MAX_RECEIPT_BYTES).partition("\n\n")
        title, *lines = top.split("\n")
        if title != _HEAD_TITLE or not lines:
            raise Malformed("receipt", f"the first line {_HEAD_TITLE}")
        count, root = _fields(lines[0], "map")
        heads = HeadsLeaf(decode_decimal(count, where="map"), decode_base64(root, where="map"))
        if len(heads.root) != 32:
            raise Malformed("receipt", "a SHA-256 root", where="map")
        entry, places = _decode_places(lines[1:])
        return cls(heads, entry, places, LogProof.parse(rest.encode()))


def _decode_places(lines: Sequence[str]) -> tuple[Entry | None, tuple[Neighbour, ...]]:
    starts = [number for number, line in enumerate(lines) if " " in line]
    if len(starts) > 2 or (lines and not starts) or (starts and starts[0] != 0):
        raise Malformed("receipt", "a line for the newest entry, or for up to two neighbours")
    blocks = [lines[start:end] for start, end in pairwise([*starts, len(lines)])]
    if len(blocks) == 1 and blocks[0][0].startswith("newest "):
        index, leaf = _fields(blocks[0][0], "newest")
        entry = Entry.decode(decode_base64(leaf, where="newest"))
        head = Head(entry.topic, entry.seq, leaf_hash(entry.encode()))
        place = Neighbour(decode_decimal(index, where="newest"), head, _decode_path(blocks[0][1:]))
        return entry, (place,)
    return None, tuple(_decode_neighbour(block) for block in blocks)


def _decode_neighbour(lines: Sequence[str]) -> Neighbour:
    index, leaf = _fields(lines[0], "neighbour")
    head = Head.decode(decode_base64(leaf, where="neighbour"))
    return Neighbour(decode_decimal(index, where="neighbour"), head, _decode_path(lines[1:]))


def _fields(line: str, word: str) -> tuple[str, str]:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != word:
        raise Malformed("receipt", f"a line of '{word}', a number and base64")
    return parts[1], parts[2]


def _extra(line: str) -> bytes:
    data = decode_base64(line.removeprefix("extra "), where="extra")
    if not data:
        raise Malformed("receipt", "extra data, or no extra line", where="extra")
    return data


def _encode_path(path: Sequence[bytes]) -> list[str]:
    return [encode_base64(node) for node in path]


def _decode_path(lines: Sequence[str]) -> tuple[bytes, ...]:
    if len(lines) > MAX_PATH:
        raise LimitExceeded("path", f"at most {MAX_PATH} hashes")
    path = tuple(decode_base64(line, where="path") for line in lines)
    if any(len(node) != 32 for node in path):
        raise Malformed("path", "SHA-256 hashes")
    return path

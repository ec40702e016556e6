"""Receipts: self-contained, offline proofs about one topic at one checkpoint of the log.

An inclusion receipt is a C2SP tlog-proof (v1) whose extra data is the entry: it says that the entry is in
the log. A head receipt says which entry is a topic's newest, or that there is none, and with which key its
owner signs at that point: the newest change of key, or that there never was one. Its first lines prove that
against the heads map, the rest is the tlog-proof of the heads leaf, which has to be the checkpoint's last:

    vcid.ledger/head-receipt@v1               vcid.ledger/head-receipt@v1
    map <number of topics> <root>             map <number of topics> <root>
    newest <place in the map> <entry>         neighbour <place in the map> <head>
    <path, a hash a line>                     <path, a hash a line>
    key-newest <place> <entry>                neighbour <next place> <head>
    <path, a hash a line>                     <path, a hash a line>

    c2sp.org/tlog-proof@v1                    c2sp.org/tlog-proof@v1
    index <size of the checkpoint - 1>        …
    <path, a hash a line>

    <signed checkpoint>

Of an owner who never changed the key, ``key-neighbour`` lines prove just that in the place of ``key-newest``.
An empty map has no neighbour, and a topic that would stand before the first or after the last head has one.
Hashes, entries and heads are in base64. Reading checks the form alone; ``verify_proofs`` checks the hashes,
and the signatures are for ``vcid.ledger.judge``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING, Self

from vcid.encoding.merkle import leaf_hash, verify_inclusion
from vcid.errors import InvalidProof, Malformed
from vcid.ledger.entries import Entry, HeadsLeaf, Kind, owner_topic
from vcid.ledger.notes import (
    MAX_NOTE_BYTES,
    Checkpoint,
    Note,
    decode_base64,
    decode_decimal,
    decode_text,
    encode_base64,
)
from vcid.ledger.owners import is_in_force
from vcid.ledger.topic_proofs import TopicProof, decode_path, encode_path, fields

if TYPE_CHECKING:
    from collections.abc import Sequence

HEAD_RECEIPT = "application/vnd.vcid.head-receipt"
"""The media type of a receipt for a topic's newest entry, or for its absence."""

INCLUSION_RECEIPT = "application/vnd.vcid.inclusion-receipt"
"""The media type of a receipt for an entry's presence in the log."""

MAX_RECEIPT_BYTES = MAX_NOTE_BYTES + (1 << 15)
"""The longest receipt read: a note, five paths of 63 hashes, two entries and what stands around them."""

_HEAD_TITLE = "vcid.ledger/head-receipt@v1"
_KEY = "key-"
_PROOF_TITLE = "c2sp.org/tlog-proof@v1"


@dataclass(frozen=True, slots=True)
class Receipt:
    """A receipt as it is stored and sent.

    Attributes:
        media_type: ``HEAD_RECEIPT`` or ``INCLUSION_RECEIPT``.
        body: the text, in UTF-8; that of a batch receipt holds a salt.
    """

    media_type: str
    body: bytes = field(repr=False)


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
        lines = [_PROOF_TITLE, *extra, f"index {self.index}", *encode_path(self.path), "", ""]
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
        return cls(index, decode_path(lines[1:]), note, Checkpoint.parse(note.text), extra)


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
        found: the topic's newest entry, or that it has none.
        key: the newest change of the owner's key, or that there never was one; ``None`` where the topic has
            no entry, or is that of the changes of key itself.
        log_proof: the proof of the heads leaf.
    """

    heads: HeadsLeaf
    found: TopicProof
    key: TopicProof | None
    log_proof: LogProof

    @property
    def entry(self) -> Entry | None:
        """The topic's newest entry; ``None`` if it has none."""
        return self.found.entry

    @property
    def is_by_key_in_force(self) -> bool:
        """Whether the newest entry is signed by the key that the checkpoint has in force for its owner."""
        if self.entry is None or self.key is None:
            return True
        return is_in_force(self.entry, self.key.entry.digest if self.key.entry else None)

    def verify_proofs(self, topic: bytes) -> None:
        """Check every hash, and that the receipt is about the topic; no signature is checked.

        Raises:
            InvalidProof: something does not fit.
        """
        if self.log_proof.index != self.log_proof.checkpoint.size - 1:
            raise InvalidProof("heads-not-last", "the heads leaf is not the checkpoint's last leaf")
        self.log_proof.verify(self.heads.encode())
        self.found.verify(self.heads, topic)
        if needs_key(self.entry) != (self.key is not None):
            raise InvalidProof("owner-key", "the receipt has to say which key the owner signs with")
        if self.entry is not None and self.key is not None:
            self.key.verify(self.heads, owner_topic(self.entry.owner))

    def encode(self) -> Receipt:
        """The receipt as it is stored and sent."""
        lines = [_HEAD_TITLE, f"map {self.heads.count} {encode_base64(self.heads.root)}"]
        lines += self.found.encode() + (self.key.encode(_KEY) if self.key else [])
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
        count, root = fields(lines[0], "map")
        heads = HeadsLeaf(decode_decimal(count, where="map"), decode_base64(root, where="map"))
        if len(heads.root) != 32:
            raise Malformed("receipt", "a SHA-256 root", where="map")
        found, key = _parse_proofs(lines[1:])
        return cls(heads, found, key, LogProof.parse(rest.encode()))


def needs_key(entry: Entry | None) -> bool:
    """Whether a receipt for an entry has to say which key its owner signs with."""
    return entry is not None and entry.kind is not Kind.OWNER_KEY


def _parse_proofs(lines: Sequence[str]) -> tuple[TopicProof, TopicProof | None]:
    """Read what stands between the map and the tlog-proof: places with their paths, the key's last."""
    starts = [number for number, line in enumerate(lines) if " " in line]
    if len(starts) > 4 or (lines and not starts) or (starts and starts[0] != 0):
        raise Malformed("receipt", "lines for places in the map, each followed by its path")
    blocks = [lines[start:end] for start, end in pairwise([*starts, len(lines)])]
    first = next((number for number, block in enumerate(blocks) if block[0].startswith(_KEY)), len(blocks))
    key = TopicProof.parse(blocks[first:], _KEY) if first < len(blocks) else None
    return TopicProof.parse(blocks[:first]), key


def _extra(line: str) -> bytes:
    data = decode_base64(line.removeprefix("extra "), where="extra")
    if not data:
        raise Malformed("receipt", "extra data, or no extra line", where="extra")
    return data

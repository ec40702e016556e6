"""What is sent to a witness over HTTP: C2SP tlog-witness, and our extension that hands it the new leaves.

A plain request is the text of tlog-witness, "add-checkpoint". A replaying witness is sent more, to a path of
its own and under a media type of its own:

    the length of the plain request, four bytes; the plain request
    each leaf from the old size to the checkpoint's: its length, two bytes; the leaf

Numbers are big-endian; the leaves are framed like those of an entry bundle (tlog-tiles, "Log entries"). They
can be sent and replayed one after the other, so neither side holds a large log in memory.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from vcid.errors import Conflict, Malformed
from vcid.ledger.entries import MAX_LEAF_BYTES
from vcid.ledger.notes import MAX_NOTE_BYTES, decode_decimal, decode_text
from vcid.ledger.topic_proofs import decode_path, encode_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

WITH_ENTRIES = "application/vnd.vcid.checkpoint-with-entries"
"""The media type of a request that carries leaves."""

SIZE = "text/x.tlog.size"
"""The media type of the answer that says which size the witness knows."""

MAX_REQUEST_BYTES = MAX_NOTE_BYTES + (1 << 12)
"""The longest plain request: a checkpoint, 63 hashes and a size."""

MAX_PROOF = 63
"""The most hashes of a proof (tlog-witness, "add-checkpoint")."""


class OtherSize(Conflict):
    """A witness refused a checkpoint, because it knows another size than was thought.

    Attributes:
        size: what it says to know; nobody signed that.
    """

    def __init__(self, size: int) -> None:
        super().__init__("size", f"the witness says that it knows {size} leaves")
        self.size = size


@dataclass(frozen=True, slots=True)
class AddCheckpoint:
    """A request to cosign a checkpoint.

    Attributes:
        old_size: the size that the witness is thought to know.
        proof: the consistency proof from there.
        note: the signed checkpoint.
    """

    old_size: int
    proof: tuple[bytes, ...]
    note: bytes

    def encode(self) -> bytes:
        """The body of the plain request."""
        lines = [f"old {self.old_size}", *encode_path(self.proof), "", ""]
        return "\n".join(lines).encode() + self.note

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read the body of a plain request; the note is not looked into.

        Raises:
            Malformed: it is none.
            LimitExceeded: it is too long, or the proof has too many hashes.
        """
        head, separator, note = decode_text(data, max_bytes=MAX_REQUEST_BYTES).partition("\n\n")
        old, *proof = head.split("\n")
        if not separator or not old.startswith("old "):
            raise Malformed("add-checkpoint", "an old size, a proof, an empty line and a checkpoint")
        return cls(decode_decimal(old.removeprefix("old "), where="old"), decode_path(proof), note.encode())

    def with_entries(self, entries: Iterable[bytes]) -> Iterator[bytes]:
        """The body of a request that carries leaves, in pieces."""
        plain = self.encode()
        yield len(plain).to_bytes(4) + plain
        for leaf in entries:
            yield len(leaf).to_bytes(2) + leaf


class PieceReader:
    """Reads a body that arrives in pieces; it holds no more of it than the field asked for and one piece.

    Args:
        pieces: the body.
    """

    __slots__ = ("_held", "_pieces")

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._held = bytearray()

    def take(self, count: int) -> bytes:
        """Take the next bytes.

        Raises:
            Malformed: the body ends before.
        """
        while len(self._held) < count:
            piece = next(self._pieces, None)
            if piece is None:
                raise Malformed("cut-short", "a body that ends behind its last leaf")
            self._held += piece
        taken = bytes(self._held[:count])
        del self._held[:count]
        return taken

    def request(self) -> AddCheckpoint:
        """Read the plain request at the beginning of a body.

        Raises:
            Malformed: there is none.
        """
        length = int.from_bytes(self.take(4))
        if length > MAX_REQUEST_BYTES:
            raise Malformed("add-checkpoint", f"a request of at most {MAX_REQUEST_BYTES} bytes")
        return AddCheckpoint.parse(self.take(length))

    def leaves(self) -> Iterator[bytes]:
        """Read leaves, as many as are asked for.

        Raises:
            Malformed: the body ends before, or a leaf is too long.
        """
        while True:
            length = int.from_bytes(self.take(2))
            if length > MAX_LEAF_BYTES:
                raise Malformed("leaf-size", f"leaves of at most {MAX_LEAF_BYTES} bytes")
            yield self.take(length)

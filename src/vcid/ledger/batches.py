"""Many documents under one digest in the log, each provable alone, with nothing to be learned of the others.

A batch is an RFC 6962 tree. Its leaves are hashes over a salt of 32 random bytes and a document's digest, at
places drawn at random, filled up with random leaves to a power of two: neither how many documents it has nor
which they are can be told from it, and without its salt no document can be found in it, not by somebody who
guesses its content. To erase a document from the ledger is to destroy its salt.

    leaf    frame("vcid.ledger.batch-leaf.v1", salt, digest)
    digest  SHA-256(frame("vcid.ledger.batch.v1", number of leaves, root))

The digest stands in the log as an entry of kind ``batch-root``. A batch receipt leads from a document's
digest to that entry and on to a checkpoint, whose cosignatures say by when the document existed:

    vcid.ledger/batch-receipt@v1
    salt <base64>
    leaf <place> <number of leaves>
    <path, a hash a line>

    <the inclusion receipt of the entry>
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from vcid.encoding import merkle
from vcid.errors import InvalidProof, Malformed
from vcid.ledger.entries import Kind, frame
from vcid.ledger.notes import decode_base64, decode_decimal, decode_text, encode_base64
from vcid.ledger.receipts import MAX_RECEIPT_BYTES, InclusionReceipt, Receipt
from vcid.ledger.topic_proofs import decode_path, encode_path

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vcid.ledger.anchor import LogPolicy

BATCH_RECEIPT = "application/vnd.vcid.batch-receipt"
"""The media type of a receipt for a document's presence in a batch that is in the log."""

MIN_LEAVES = 256
"""The fewest leaves of a batch: an office that issues up to so many at a turn lets nobody count them."""

SALT_BYTES = 32

_TITLE = "vcid.ledger/batch-receipt@v1"
_LEAF = b"vcid.ledger.batch-leaf.v1"
_BATCH = b"vcid.ledger.batch.v1"


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch's tree.

    Attributes:
        leaf_hashes: the RFC 6962 hashes of its leaves.
    """

    leaf_hashes: tuple[bytes, ...]

    @property
    def digest(self) -> bytes:
        """What stands in the log."""
        return _batch_digest(len(self.leaf_hashes), merkle.root(self.leaf_hashes))

    def path(self, place: int) -> tuple[bytes, ...]:
        """The path from a leaf to the root, its sibling first."""
        return tuple(merkle.inclusion_proof(self.leaf_hashes, place))


def build_batch(
    salted: Sequence[tuple[bytes, bytes]],
    *,
    random: Callable[[int], bytes],
    draw_below: Callable[[int], int],
) -> tuple[Batch, list[int]]:
    """Build a batch over salted digests, padded with random leaves.

    Args:
        salted: a salt of its own and a digest for each document.
        random: gives the number of random bytes it is asked for.
        draw_below: gives a random number below the one it is asked for.

    Returns:
        The batch, and the place of each document in it.
    """
    size = max(MIN_LEAVES, 1 << (len(salted) - 1).bit_length() if salted else 1)
    leaves = [_leaf_hash(salt, digest) for salt, digest in salted]
    leaves += [merkle.leaf_hash(random(SALT_BYTES)) for _ in range(size - len(leaves))]
    order = list(range(size))
    for last in range(size - 1, 0, -1):
        other = draw_below(last + 1)
        order[last], order[other] = order[other], order[last]
    places = [0] * size
    for place, number in enumerate(order):
        places[number] = place
    return Batch(tuple(leaves[number] for number in order)), places[: len(salted)]


@dataclass(frozen=True, slots=True)
class BatchReceipt:
    """What a batch receipt says: a document of that digest was there when the checkpoint was cosigned.

    Attributes:
        salt: the document's salt.
        place: its leaf's place in the batch.
        size: the number of the batch's leaves.
        path: the path from the leaf to the batch's root.
        inclusion: the batch's entry in the log.
    """

    salt: bytes = field(repr=False)
    place: int
    size: int
    path: tuple[bytes, ...]
    inclusion: InclusionReceipt

    def verify_proofs(self, digest: bytes) -> None:
        """Check that the document's digest leads to the checkpoint; no signature is checked.

        Raises:
            InvalidProof: it does not.
        """
        root = _root(_leaf_hash(self.salt, digest), self.place, self.size, self.path)
        entry = self.inclusion.entry
        if entry.kind is not Kind.BATCH_ROOT or entry.digest != _batch_digest(self.size, root):
            raise InvalidProof("not-in-batch", "the document is not in the batch that the entry is for")
        self.inclusion.verify_proofs()

    def encode(self) -> Receipt:
        """The receipt as it is stored and sent."""
        lines = [_TITLE, f"salt {encode_base64(self.salt)}", f"leaf {self.place} {self.size}"]
        head = "\n".join([*lines, *encode_path(self.path), "", ""]).encode()
        return Receipt(BATCH_RECEIPT, head + self.inclusion.encode().body)

    @classmethod
    def parse(cls, body: bytes) -> Self:
        """Read a batch receipt.

        Raises:
            Malformed: it is none.
        """
        top, _, rest = decode_text(body, max_bytes=MAX_RECEIPT_BYTES).partition("\n\n")
        title, *lines = top.split("\n")
        if title != _TITLE or len(lines) < 2 or not lines[0].startswith("salt "):
            raise Malformed("receipt", f"the first line {_TITLE}, then a salt and a leaf")
        salt = decode_base64(lines[0].removeprefix("salt "), where="salt")
        word, *numbers = lines[1].split(" ")
        if word != "leaf" or len(numbers) != 2 or len(salt) != SALT_BYTES:
            raise Malformed("receipt", f"a salt of {SALT_BYTES} bytes, and a leaf's place and their number")
        place, size = (decode_decimal(number, where="leaf") for number in numbers)
        return cls(salt, place, size, decode_path(lines[2:]), InclusionReceipt.parse(rest.encode()))


def date_existence(digest: bytes, receipt: Receipt, policy: LogPolicy) -> datetime | None:
    """Say by when a document existed, as a policy's witnesses vouch.

    Whose batch it is does not matter: whoever anchored a digest, it was there to be anchored.

    Args:
        digest: the document's.
        receipt: a batch receipt.
        policy: the log and witnesses to believe.

    Returns:
        The k-th smallest time of the checkpoint's cosignatures; ``None`` if too few witnesses state one.

    Raises:
        Malformed: it is no batch receipt.
        InvalidProof: its proofs, or a signature of the log or of a witness, do not hold.
    """
    if receipt.media_type != BATCH_RECEIPT:
        raise Malformed("media-type", f"a receipt of type {BATCH_RECEIPT}")
    read = BatchReceipt.parse(receipt.body)
    read.verify_proofs(digest)
    return policy.examine(read.inclusion.log_proof.note.encode()).existence


def _leaf_hash(salt: bytes, digest: bytes) -> bytes:
    return merkle.leaf_hash(frame(_LEAF, salt, digest))


def _batch_digest(size: int, root: bytes) -> bytes:
    return sha256(frame(_BATCH, size.to_bytes(8), root)).digest()


def _root(leaf: bytes, place: int, size: int, path: Sequence[bytes]) -> bytes:
    """Fold a path of a tree whose size is a power of two.

    Raises:
        InvalidProof: there is no such place, or the path is not as long as the tree is high.
    """
    if size < 1 or size & (size - 1) or not 0 <= place < size or 1 << len(path) != size:
        raise InvalidProof("not-in-batch", "a batch has a power of two leaves, and a path that fits")
    for sibling in path:
        leaf = merkle.node_hash(sibling, leaf) if place & 1 else merkle.node_hash(leaf, sibling)
        place >>= 1
    return leaf

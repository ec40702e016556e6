"""Evidence of a split view: two checkpoints that one log signed and that can't both be true.

A log never signs two versions of itself. Whoever meets two, as a witness, a monitor or a verifier, can make a
file of them that anybody checks with nothing but the log's key:

    vcid.ledger/split-view@v1                  vcid.ledger/split-view@v1
                                               prefix <root of the larger tree's first leaves>
    <checkpoint and the log's signature>       <consistency proof from there, a hash a line>

    <checkpoint and the log's signature>       <smaller checkpoint and the log's signature>

                                               <larger checkpoint and the log's signature>

On the left, two roots of one size, the lesser root first. On the right, different sizes: an RFC 6962
consistency proof shows which root the larger tree has over as many leaves as the smaller, and it is not the
one that was signed. Hashes are in base64, notes as C2SP writes them, each with one signature of the log's.

Nobody makes such a file without the log's key, since both checkpoints are signed, and a proof leads from the
signed larger root to one prefix only. So it convicts whoever held the key, which after a theft may be the
thief. Nothing that a log did not sign is evidence: a heads leaf that a crash left behind ends no checkpoint.
What a witness is offered with a wrong proof isn't either, as anybody can spoil a proof.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

from vcid.encoding.merkle import consistency_proof, leaf_hash, prefix_root, root, verify_consistency
from vcid.errors import InvalidProof, Malformed
from vcid.ledger.notes import Checkpoint, Note, decode_base64, decode_text, encode_base64
from vcid.ledger.topic_proofs import decode_path, encode_path

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vcid.ledger.notes import NoteKey

SPLIT_VIEW = "application/vnd.vcid.split-view"
"""The media type of the file."""

MAX_EVIDENCE_BYTES = 1 << 16
"""The longest file read."""

_TITLE = "vcid.ledger/split-view@v1"


@dataclass(frozen=True, slots=True)
class SplitView:
    """Two contradicting checkpoints; nothing says yet that they are signed, or contradict each other.

    Attributes:
        first: the smaller checkpoint, or of one size the one with the lesser root; one signature.
        second: the other.
        prefix: the root that the second's tree has at the first's size; empty where the sizes are equal.
        proof: the consistency proof from there to the second.
    """

    first: Note
    second: Note
    prefix: bytes = b""
    proof: tuple[bytes, ...] = ()

    @classmethod
    def of(
        cls,
        notes: tuple[bytes, bytes],
        log_keys: Iterable[NoteKey],
        *,
        prefix: bytes = b"",
        proof: Sequence[bytes] = (),
    ) -> Self:
        """Make evidence of two checkpoints, in either order, leaving out all signatures but the log's.

        Args:
            notes: the checkpoints.
            log_keys: the log's keys.
            prefix: of checkpoints of different sizes, the root of the larger tree at the smaller size.
            proof: the consistency proof from there to the larger tree.

        Raises:
            Malformed: one is no checkpoint.
            InvalidProof: they are not signed, or don't contradict each other.
        """
        keys = tuple(log_keys)
        first, second = sorted((_signed(Note.parse(note), keys) for note in notes), key=_order)
        made = cls(first, second, prefix, tuple(proof))
        made.verify(keys)
        return made

    @property
    def origin(self) -> str:
        """The log."""
        return Checkpoint.parse(self.first.text).origin

    def verify(self, log_keys: Iterable[NoteKey]) -> None:
        """Check that one log signed both checkpoints and that they can't both be true.

        Raises:
            Malformed: one is no checkpoint.
            InvalidProof: ``unsigned``, ``wrong-origin``, ``bad-signature``, or they agree (``no-split``).
        """
        keys = tuple(log_keys)
        checkpoints = [_read(note, keys) for note in (self.first, self.second)]
        first, second = checkpoints
        if first.origin != second.origin:
            raise InvalidProof("wrong-origin", "the checkpoints are of two logs")
        if _order(self.first) >= _order(self.second):
            raise InvalidProof("no-split", "the checkpoints are the same, or stand in the wrong order")
        if first.size == second.size:
            if self.prefix or self.proof:
                raise InvalidProof("no-split", "between trees of one size there is nothing to prove")
            return
        if self.prefix == first.root:
            raise InvalidProof("no-split", "the larger checkpoint continues the smaller one")
        verify_consistency(first.size, second.size, self.proof, self.prefix, second.root)

    def encode(self) -> bytes:
        """The evidence as text."""
        path = [f"prefix {encode_base64(self.prefix)}", *encode_path(self.proof)] if self.prefix else []
        return b"\n".join(
            ["\n".join([_TITLE, *path, ""]).encode(), self.first.encode(), self.second.encode()]
        )

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read evidence from its text; nothing is verified.

        Raises:
            Malformed: it is none.
            LimitExceeded: it is longer than ``MAX_EVIDENCE_BYTES``.
        """
        parts = decode_text(data, max_bytes=MAX_EVIDENCE_BYTES).split("\n\n")
        title, *lines = parts[0].split("\n")
        if title != _TITLE or len(parts) != 5:
            raise Malformed("split-view", f"the first line {_TITLE} and two signed checkpoints")
        prefix = decode_base64(lines[0].removeprefix("prefix "), where="prefix") if lines else b""
        first, second = (
            Note.parse(f"{text}\n\n{signatures}\n".encode())
            for text, signatures in ((parts[1], parts[2]), (parts[3], parts[4].removesuffix("\n")))
        )
        made = cls(first, second, prefix, decode_path(lines[1:]))
        if made.encode() != data:
            raise Malformed("split-view", "the one spelling of this evidence")
        return made


def verify_evidence(data: bytes, *log_keys: NoteKey) -> SplitView:
    """Check a file of evidence against a log's key, or its keys where it changed them.

    Returns:
        The two checkpoints, of which the log signed both and at most one can be true.

    Raises:
        Malformed: it is no evidence.
        InvalidProof: the log did not sign both, or they don't contradict each other.
    """
    found = SplitView.parse(data)
    found.verify(log_keys)
    return found


def find_split_view(
    notes: tuple[bytes, bytes], log_keys: Iterable[NoteKey], proof: Sequence[bytes] = ()
) -> bytes | None:
    """Look whether two checkpoints of a log, with whatever proof came with them, are evidence.

    Between different sizes it takes a consistency proof that holds in the larger tree. Such a proof does not
    name the smaller tree's root where that tree is complete (1, 2, 4, … leaves); then only who has the leaves
    can show it, by ``find_split_in_leaves``.

    Returns:
        The file, or nothing if this does not prove a split.
    """
    keys = tuple(log_keys)
    try:
        small, large = sorted((Checkpoint.parse(Note.parse(note).text) for note in notes), key=_place)
        prefix = b""
        if small.size < large.size:
            prefix = prefix_root(small.size, large.size, proof, large.root)
        return SplitView.of(notes, keys, prefix=prefix, proof=proof if prefix else ()).encode()
    except (InvalidProof, Malformed):
        return None


def find_split_in_leaves(
    notes: tuple[bytes, bytes], log_keys: Iterable[NoteKey], leaves: Iterable[bytes]
) -> bytes | None:
    """Look whether two checkpoints are evidence, by the leaves of the larger one, whatever their sizes.

    Returns:
        The file, or nothing if these are not its leaves, or if it continues the smaller one.
    """
    keys = tuple(log_keys)
    try:
        small, large = sorted((Checkpoint.parse(Note.parse(note).text) for note in notes), key=_place)
        if not 0 < small.size < large.size:
            return find_split_view(notes, keys)
        hashes = [leaf_hash(leaf) for leaf in islice(leaves, large.size)]
        if len(hashes) < large.size:
            return None
        proof = consistency_proof(hashes, small.size)
        return SplitView.of(notes, keys, prefix=root(hashes[: small.size]), proof=proof).encode()
    except (InvalidProof, Malformed):
        return None


def _place(checkpoint: Checkpoint) -> tuple[int, bytes]:
    return checkpoint.size, checkpoint.root


def _order(note: Note) -> tuple[int, bytes]:
    return _place(Checkpoint.parse(note.text))


def _signed(note: Note, keys: Sequence[NoteKey]) -> Note:
    """Leave a note the first signature that the log made."""
    known = {(key.name, key.key_id) for key in keys}
    own = tuple(one for one in note.signatures if (one.name, one.key_id) in known)
    return Note(note.text, own[:1])


def _read(note: Note, keys: Sequence[NoteKey]) -> Checkpoint:
    checkpoint = Checkpoint.parse(note.text)
    verified = note.verify(keys)
    if len(verified) != 1 or len(note.signatures) != 1:
        raise InvalidProof("unsigned", "one signature of the log below each checkpoint")
    if verified[0].key.name != checkpoint.origin:
        raise InvalidProof("wrong-origin", "the checkpoint is of another log than the key")
    return checkpoint

"""A log takes another one's place: under a new name and key, with its leaves or, if they are lost, without.

The statement that a log ended at a final checkpoint, and which log goes on, is the one leaf of a log of its
own, ``vcid.ledger/succession/<old origin>``: the proof of it is a C2SP tlog-proof whose checkpoint the
witnesses of the old log cosign like any other. So a log has one successor for the same reason that it has
one state, and a witness who cosigned it cosigns nothing more of the old log. The new log's key signs the
statement, and the old log's too unless it is lost; then each witness's operator has to let it pass by hand.

    leaf       frame("vcid.ledger.succession.v1", old verifier key, final size, final root, new verifier key)

The new log states the same in its first checkpoint, by an entry of the kind ``succession`` under its own key,
so that whoever replays it sees where it comes from. It may hold the old log's leaves or begin empty. A
replaying witness of both refuses it as long as a topic in it is behind where the old log left it, or those
before that one, and if an owner's entries that are not from there come before the changes of key that are
(``vcid.ledger.inheritance``); a topic that is not in it at all has no newer entry than the old log's.
Therefore:

- what the old log held at its final checkpoint stays provable there, with the time since when it stood;
- that it is *still* the newest, the new log shows by proving that it has no entry of the topic, and that the
  owner has not changed the key (``judge_succeeded``).

Who can lie: only as many witnesses as satisfy the policy can name a false successor, end a log early or let a
topic fall behind; the holder of the old log's key alone can't. Each such lie stands signed in the statement:
it names a final checkpoint that whoever saw a larger one can show to be contradicted (``follow`` says
``rollback`` or ``fork`` to a verifier who did), and two successors of one log are a fork of the statement's
own log. Owners can't be spoken for: every entry of the new log is signed by them. A verifier follows one
succession at a time, knowingly: nothing here changes a policy by itself.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from vcid.encoding.merkle import leaf_hash
from vcid.errors import Conflict, InvalidProof, Malformed
from vcid.ledger.anchor import Judgement, Outcome, View
from vcid.ledger.entries import Entry, Kind, decode_leaf, frame, key_digest, owner_topic, unframe
from vcid.ledger.judge import Evidence, Freshness, judge, judge_age
from vcid.ledger.notes import (
    LOG_TYPES,
    MAX_SIZE,
    SUCCESSION_ORIGIN,
    Checkpoint,
    Note,
    NoteKey,
    NoteSignature,
    check_origin,
    sign_note,
)
from vcid.ledger.receipts import HEAD_RECEIPT, HeadReceipt, LogProof

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.keys.signing import Signer
    from vcid.ledger.anchor import LogPolicy, ViewStore
    from vcid.ledger.judge import Claim
    from vcid.ledger.log import Ledger
    from vcid.ledger.reading import StoredLog
    from vcid.ledger.receipts import Receipt

_NAME = b"vcid.ledger.succession.v1"
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Succession:
    """The statement that one log ended and another goes on.

    Attributes:
        old: the old log's key in force at the end, named as its origin.
        size: the old log's final size.
        root: its final root.
        new: the new log's key, named as its origin.
    """

    old: NoteKey
    size: int
    root: bytes
    new: NoteKey

    def __post_init__(self) -> None:
        check_origin(self.old.name)
        check_origin(self.new.name)
        if (
            self.old.name == self.new.name
            or not {self.old.signature_type, self.new.signature_type} <= LOG_TYPES
        ):
            raise ValueError("one log succeeds another; a new key of the same log is no succession")
        if not 0 < self.size <= MAX_SIZE or len(self.root) != 32:
            raise ValueError("a log ends at a checkpoint that it published")

    @property
    def final(self) -> tuple[int, bytes]:
        """The old log's final size and root."""
        return self.size, self.root

    @property
    def checkpoint(self) -> Checkpoint:
        """The checkpoint of the statement's own log, which has this one leaf."""
        return Checkpoint(f"{SUCCESSION_ORIGIN}{self.old.name}", 1, leaf_hash(self.encode()))

    @property
    def digest(self) -> bytes:
        """What the new log's entry about the succession holds."""
        return sha256(self.encode()).digest()

    def encode(self) -> bytes:
        """The statement as a leaf."""
        keys = self.old.vkey.encode(), self.new.vkey.encode()
        return frame(_NAME, keys[0], self.size.to_bytes(8), self.root, keys[1])

    @classmethod
    def decode(cls, leaf: bytes) -> Self:
        """Read the statement from its leaf.

        Raises:
            Malformed: it is none.
        """
        fields = unframe(leaf)
        if len(fields) != 5 or fields[0] != _NAME or len(fields[2]) != 8:
            raise Malformed("succession", "a statement of version 1")
        try:
            old, new = (NoteKey.parse(fields[place].decode()) for place in (1, 4))
            made = cls(old, int.from_bytes(fields[2]), fields[3], new)
        except ValueError as error:
            raise Malformed("succession", "two logs' keys and a final checkpoint") from error
        return made

    def entry(self, signer: Signer) -> Entry:
        """The entry by which the new log says in its first checkpoint whom it succeeds."""
        return Entry.sign(signer, kind=Kind.SUCCESSION, list_id="", seq=0, digest=self.digest)

    def propose(self, new_signer: Signer, old_signer: Signer | None = None) -> bytes:
        """Write the statement for witnesses to cosign.

        Args:
            new_signer: the new log's key.
            old_signer: the old log's; without it, it has been lost, and witnesses have to be told by hand.
        """
        text = self.checkpoint.text
        signatures = [sign_note(text, self.new.name, new_signer)]
        if old_signer is not None:
            signatures.append(sign_note(text, self.old.name, old_signer))
        return Proposal(self, Note(text, tuple(signatures))).encode()


@dataclass(frozen=True, slots=True)
class Proposal:
    """A statement with the signatures that it has so far; nothing says that they hold, or are enough.

    Attributes:
        succession: the statement.
        note: the checkpoint of its log, with signatures.
    """

    succession: Succession
    note: Note

    def encode(self) -> bytes:
        """The proposal as a C2SP tlog-proof."""
        leaf = self.succession.encode()
        return LogProof(0, (), self.note, self.succession.checkpoint, leaf).encode()

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a proposal.

        Raises:
            Malformed: it is none, or its checkpoint is not of the statement.
        """
        proof = LogProof.parse(data)
        succession = Succession.decode(proof.extra)
        if proof.index != 0 or proof.path or proof.checkpoint != succession.checkpoint:
            raise Malformed("succession", "the one leaf of the statement's own log")
        return cls(succession, proof.note)

    def cosigned(self, lines: Iterable[bytes]) -> Proposal:
        """Add witnesses' cosignature lines."""
        added = [NoteSignature.parse(line.decode().removesuffix("\n")) for line in lines]
        return Proposal(self.succession, Note(self.note.text, (*self.note.signatures, *added)))

    def is_signed(self, *, by_old: bool) -> bool:
        """Whether the new log's key signed, and the old one's too if asked for.

        Raises:
            InvalidProof: one of these signatures does not hold.
        """
        keys = {self.succession.new, self.succession.old}
        signers = {found.key for found in self.note.verify(keys)}
        return (keys if by_old else {self.succession.new}) <= signers


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A succession that enough of a log's witnesses cosigned.

    Attributes:
        succession: the statement.
        former: whom to believe about the old log.
        policy: whom to believe about the new one: the same witnesses, and the key that the statement names.
        view: the statement's own log, which never grows.
    """

    succession: Succession
    former: LogPolicy
    policy: LogPolicy
    view: View

    @classmethod
    def verify(cls, data: bytes, former: LogPolicy) -> Self:
        """Check a statement against the policy that holds for the old log.

        Raises:
            Malformed: it is none.
            InvalidProof: it is about another log or key (``wrong-origin``), the new log did not sign
                (``unsigned``), a signature does not hold, too few witnesses cosigned
                (``too-few-witnesses``), or the new key is a witness's (``key-reused``).
        """
        proposal = Proposal.parse(data)
        succession = proposal.succession
        if succession.old not in former.log_keys:
            raise InvalidProof("wrong-origin", "the statement is about another log, or another key of it")
        if not proposal.is_signed(by_old=False):
            raise InvalidProof("unsigned", "the new log did not sign the statement")
        verified = proposal.note.verify(former.witness_keys)
        if not former.witnessed(succession.checkpoint, verified).is_witnessed:
            raise InvalidProof("too-few-witnesses", "too few of the old log's witnesses let it end")
        new = succession.new
        try:
            policy = replace(former, origin=new.name, log_key=new.public_key, former_log_keys=())
        except ValueError as error:
            raise InvalidProof("key-reused", "the new log's key or name is a witness's") from error
        view = View.of(succession.checkpoint, proposal.note.encode())
        return cls(succession, former, policy, view)

    def follow(self, store: ViewStore) -> Judgement:
        """Compare the old log's end with a verifier's memory, before the verifier goes over to the new log.

        The memory has to stand at the final checkpoint, by ``advance_view``, or know nothing of the old log.
        With ``OK`` it holds the statement too, by which ``is_ended`` tells that there is no way back.

        Returns:
            ``OK``; ``ROLLBACK`` if the verifier saw more of the old log than its end, ``FORK`` if it saw
            another, or followed another log (``two-successors``), ``UNAVAILABLE`` if it saw less
            (``final-checkpoint-unseen``).
        """
        known = store.load(self.former.origin)
        if known is None or (known.size, known.root) == self.succession.final:
            return self._remember(store)
        if known.size > self.succession.size:
            return Judgement(Outcome.ROLLBACK, "ends-before-view")
        if known.size == self.succession.size:
            return Judgement(Outcome.FORK, "same-size-other-root")
        return Judgement(Outcome.UNAVAILABLE, "final-checkpoint-unseen")

    def _remember(self, store: ViewStore) -> Judgement:
        if store.load(self.view.origin) is None:
            with suppress(Conflict):  # another thread was quicker
                store.advance(None, self.view)
        known = store.load(self.view.origin)
        if known is not None and known.root != self.view.root:
            return Judgement(Outcome.FORK, "two-successors")
        return Judgement(Outcome.OK)


def is_ended(store: ViewStore, origin: str) -> bool:
    """Whether a verifier followed a log's successor already, so that the log itself dates nothing more."""
    return store.load(f"{SUCCESSION_ORIGIN}{origin}") is not None


def carry_over(former: StoredLog, ledger: Ledger, succession: Succession, signer: Signer) -> int:
    """Begin a log with the statement of whom it succeeds and the entries that are left of the former one.

    Entries are signed by their owners, so they stand in the new log as they stood in the old; the heads
    leaves between them are left behind. Done again after it broke off, it goes on.

    Args:
        former: what is left of the old log: itself, its tiles or a backup.
        ledger: the new log.
        succession: the statement.
        signer: the new log's key.

    Returns:
        How many entries the old log had.

    Raises:
        Conflict: as ``Ledger.append``.
    """
    ledger.append([succession.entry(signer)])
    count = 0
    for start in range(0, succession.size, _CHUNK):
        leaves = former.entries(start, min(start + _CHUNK, succession.size))
        entries = [leaf for leaf in map(decode_leaf, leaves) if isinstance(leaf, Entry)]
        ledger.append(entries)
        count += len(entries)
    return count


@dataclass(frozen=True, slots=True)
class FormerReceipts:
    """What shows that an old log's entry is still the newest.

    Attributes:
        head: the old log's head receipt for the topic, at its final checkpoint.
        key: the new log's head receipt for the owner's changes of key, at the verifier's view.
    """

    head: Receipt
    key: Receipt


def judge_succeeded(
    claim: Claim,
    evidence: Evidence,
    former: FormerReceipts,
    view: View | None,
    *,
    succeeded: Succeeded,
    freshness: Freshness,
) -> Judgement:
    """Decide whether a digest is the newest that its owner anchored, in a log or in the one it succeeded.

    1. The new log is asked, by ``judge``. Whatever it holds of the topic decides.
    2. If it holds nothing, by a view that is witnessed and recent, the owner's key in force there is looked
       at: a new one gives up what the former signed.
    3. The old log's head at its final checkpoint then decides, at whatever age.

    Args:
        claim: the question.
        evidence: the owner's entry, and the *new* log's head receipt for the topic.
        former: the receipts about the old log's entry.
        view: the verifier's view of the new log.
        succeeded: the verified succession.
        freshness: how recent the view of the new log has to be.

    Returns:
        The judgement; of ``OK`` by the old log's head, freshness is the new log's and existence the old's.
    """
    judgement = judge(claim, evidence, view, policy=succeeded.policy, freshness=freshness)
    if (judgement.outcome, judgement.code) != (Outcome.NOT_ANCHORED, "absent") or view is None:
        return judgement
    aged = judge_age(judgement.freshness, freshness)
    if not aged:
        return replace(aged, freshness=judgement.freshness)
    try:
        key = _read_key(claim, former.key, view)
        final = _read_final(former.head, succeeded)
    except (InvalidProof, Malformed) as error:
        return Judgement(Outcome.INVALID, error.code)
    before = judge(
        claim,
        Evidence(evidence.entry, former.head),
        final,
        policy=succeeded.former,
        freshness=replace(freshness, max_age=timedelta.max),
    )
    head = HeadReceipt.parse(former.head.body).entry if before else None
    if before and key is not None and head is not None and key != key_digest(head.signing_key):
        return Judgement(Outcome.NOT_ANCHORED, "key-given-up", judgement.freshness)
    return replace(before, freshness=judgement.freshness)


def _read_key(claim: Claim, receipt: Receipt, view: View) -> bytes | None:
    """The digest of the key that the new log has in force for the owner; nothing if it changed none."""
    head = _read_head(receipt)
    checkpoint = head.log_proof.checkpoint
    if (checkpoint.size, checkpoint.root) != (view.size, view.root):
        raise InvalidProof(
            "key-receipt-elsewhere", "the receipt for the owner's key is at another checkpoint"
        )
    head.verify_proofs(owner_topic(claim.owner))
    return head.entry.digest if head.entry else None


def _read_final(receipt: Receipt, succeeded: Succeeded) -> View:
    note = _read_head(receipt).log_proof.note.encode()
    view = View.verified(note, succeeded.former)
    if (view.size, view.root) != succeeded.succession.final:
        raise InvalidProof("not-final", "the receipt is not at the old log's final checkpoint")
    return view


def _read_head(receipt: Receipt) -> HeadReceipt:
    if receipt.media_type != HEAD_RECEIPT:
        raise InvalidProof("media-type", "head receipts")
    return HeadReceipt.parse(receipt.body)

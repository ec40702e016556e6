"""The judgement: what a verifier concludes from a receipt, its view of the log and its policy; no I/O."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from vcid.errors import InvalidProof, Malformed
from vcid.ledger.anchor import Judgement, Outcome, Witnessed
from vcid.ledger.entries import hash_list_id, topic
from vcid.ledger.evidence import find_split_view
from vcid.ledger.receipts import HEAD_RECEIPT, INCLUSION_RECEIPT, HeadReceipt, InclusionReceipt

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vcid.keys.signing import PublicKey
    from vcid.ledger.anchor import LogPolicy, View
    from vcid.ledger.entries import Entry, Kind
    from vcid.ledger.notes import Checkpoint
    from vcid.ledger.receipts import Receipt

CLOCK_SKEW = timedelta(minutes=5)
"""How far a verifier's clock may lag behind the witnesses', by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The question: is this digest the newest that the owner anchored for this list?

    Attributes:
        owner: the key that first owned the topic.
        kind: what the digest is of.
        list_id: the list's id, as it entered the topic.
        digest: SHA-256 of the document at hand.
    """

    owner: PublicKey
    kind: Kind
    list_id: str
    digest: bytes

    @property
    def topic(self) -> bytes:
        """The topic that the claim is about."""
        return topic(self.owner, self.kind, self.list_id)

    def matches(self, entry: Entry) -> bool:
        """Whether an entry is about this topic and digest."""
        stated = (entry.owner, entry.kind, entry.list_hash, entry.digest)
        return stated == (self.owner, self.kind, hash_list_id(self.list_id), self.digest)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What came with a document.

    Attributes:
        entry: the owner's signed entry for the document, which tells *older* from *not yet anchored*.
        receipt: the newest head receipt for the document's topic that is at hand.
    """

    entry: Entry | None
    receipt: Receipt | None


@dataclass(frozen=True, slots=True)
class Freshness:
    """How recent the view has to be.

    Attributes:
        now: the verifier's clock, with its time zone.
        max_age: the greatest age that is not stale.
        clock_skew: how far the verifier's clock may lag behind the witnesses'.
    """

    now: datetime
    max_age: timedelta
    clock_skew: timedelta = CLOCK_SKEW

    def __post_init__(self) -> None:
        if self.now.tzinfo is None:
            raise ValueError("the time has a time zone")
        if self.max_age < timedelta(0) or self.clock_skew < timedelta(0):
            raise ValueError("ages and skews are not negative")


def judge(
    claim: Claim, evidence: Evidence, view: View | None, *, policy: LogPolicy, freshness: Freshness
) -> Judgement:
    """Decide whether a digest is the newest that its owner anchored, by what is at hand alone.

    1. The view's checkpoint is read and its signatures are checked.
    2. The receipt's proofs and its checkpoint are checked, and the owner's signatures on its entry and on the
       document's.
    3. The receipt's head is compared with the document: the owner's key in force has to have signed it, and
       an owner's own later entry supersedes the document whatever the log says.
    4. The receipt has to be at the very checkpoint of the view.
    5. Enough witnesses have to have cosigned, recently enough.

    Whatever bytes the evidence has, this raises nothing; faults become ``invalid``.
    """
    if view is None:
        return Judgement(Outcome.UNAVAILABLE, "no-view")
    try:
        known = policy.examine(view.note)
        if (known.checkpoint.size, known.checkpoint.root) != (view.size, view.root):
            return Judgement(Outcome.INVALID, "view-mismatch")
        if evidence.entry is not None:
            _check_entry(claim, evidence.entry)

        def examine(note: bytes) -> Witnessed:
            return known if note == view.note else policy.examine(note)

        judgement = _judge_receipt(claim, evidence, known, examine, freshness)
        return _with_evidence(judgement, evidence.receipt, view, policy)
    except (InvalidProof, Malformed) as error:
        return Judgement(Outcome.INVALID, error.code)


def _with_evidence(judgement: Judgement, receipt: Receipt | None, view: View, policy: LogPolicy) -> Judgement:
    """Add to a fork the two checkpoints that show it."""
    if judgement.outcome is not Outcome.FORK or receipt is None:
        return judgement
    parse = InclusionReceipt.parse if receipt.media_type == INCLUSION_RECEIPT else HeadReceipt.parse
    note = parse(receipt.body).log_proof.note.encode()
    return replace(judgement, evidence=find_split_view((view.note, note), policy.log_keys))


def _check_entry(claim: Claim, entry: Entry) -> None:
    if not claim.matches(entry):
        raise InvalidProof("entry-mismatch", "the entry is about another document, list or owner")
    entry.verify()


def _judge_receipt(
    claim: Claim,
    evidence: Evidence,
    known: Witnessed,
    examine: Callable[[bytes], Witnessed],
    freshness: Freshness,
) -> Judgement:
    receipt = evidence.receipt
    if receipt is None:
        return Judgement(Outcome.UNAVAILABLE, "no-receipt", known.freshness)
    if receipt.media_type == INCLUSION_RECEIPT:
        return _judge_inclusion(claim, receipt, known, examine)
    if receipt.media_type != HEAD_RECEIPT:
        return Judgement(Outcome.INVALID, "media-type")
    head = HeadReceipt.parse(receipt.body)
    seen = examine(head.log_proof.note.encode())
    head.verify_proofs(claim.topic)
    if head.entry is not None and head.entry != evidence.entry:
        head.entry.verify()
    place = _compare_places(seen.checkpoint, known.checkpoint)
    relation = _compare_heads(claim, evidence.entry, head)
    if place is None:
        known = seen = _merge(known, seen)
        return _dated(_judge_witnesses(known, freshness, relation), known, seen)
    if relation is not None and relation.outcome is Outcome.SUPERSEDED and place.outcome is not Outcome.FORK:
        return _dated(relation, known, seen)
    return _dated(place, known, seen)


def _judge_inclusion(
    claim: Claim, receipt: Receipt, known: Witnessed, examine: Callable[[bytes], Witnessed]
) -> Judgement:
    """An inclusion receipt shows that an entry exists; that it is the newest, it can't show."""
    included = InclusionReceipt.parse(receipt.body)
    seen = examine(included.log_proof.note.encode())
    included.verify_proofs()
    _check_entry(claim, included.entry)
    place = _compare_places(seen.checkpoint, known.checkpoint)
    if place is not None and place.outcome is Outcome.FORK:
        return place
    return _dated(Judgement(Outcome.UNAVAILABLE, "no-head-receipt"), known, seen)


def _compare_places(seen: Checkpoint, known: Checkpoint) -> Judgement | None:
    if seen.size < known.size:
        return Judgement(Outcome.STALE, "receipt-older-than-view")
    if seen.size > known.size:
        return Judgement(Outcome.UNAVAILABLE, "receipt-beyond-view")
    return None if seen.root == known.root else Judgement(Outcome.FORK, "same-size-other-root")


def _compare_heads(claim: Claim, entry: Entry | None, receipt: HeadReceipt) -> Judgement | None:
    head = receipt.entry
    if head is None:
        return Judgement(Outcome.NOT_ANCHORED, "absent")
    if not receipt.is_by_key_in_force:
        return Judgement(Outcome.NOT_ANCHORED, "key-given-up")
    if head.digest == claim.digest:
        return None
    if entry is None:
        return Judgement(Outcome.NOT_ANCHORED, "other-digest")
    if entry.seq < head.seq:
        return Judgement(Outcome.SUPERSEDED, "newer-entry")
    return Judgement(Outcome.NOT_ANCHORED, "not-yet" if entry.seq > head.seq else "owner-signed-two")


def _judge_witnesses(known: Witnessed, freshness: Freshness, relation: Judgement | None) -> Judgement:
    if relation is not None and relation.outcome is Outcome.SUPERSEDED:
        return relation
    if not known.is_witnessed:
        return Judgement(Outcome.QUORUM, "too-few-witnesses")
    return judge_age(known.freshness, freshness) if relation is None else relation


def judge_age(witnessed: datetime | None, freshness: Freshness) -> Judgement:
    """Decide whether a time that witnesses vouch for is recent enough."""
    if witnessed is None:
        return Judgement(Outcome.QUORUM, "time-unknown")
    if witnessed - freshness.now > freshness.clock_skew:
        return Judgement(Outcome.UNAVAILABLE, "clock-behind")
    if freshness.now - witnessed > freshness.max_age:
        return Judgement(Outcome.STALE, "too-old")
    return Judgement(Outcome.OK)


def _merge(known: Witnessed, seen: Witnessed) -> Witnessed:
    """Join the cosignatures of one checkpoint: a witness's later time counts."""
    names = {*known.times, *seen.times}
    times = {name: max(known.times.get(name, 0), seen.times.get(name, 0)) for name in names}
    return Witnessed(known.checkpoint, times, known.demands)


def _dated(judgement: Judgement, known: Witnessed, seen: Witnessed) -> Judgement:
    return Judgement(judgement.outcome, judgement.code, known.freshness, seen.existence)

"""One link of a chain of delegations: whether a delegation holds, on the authority of its parent.

A delegation is verified as any other credential is, and what it hands on is an accreditation in its turn. Why
one does not hold weighs differently. What anybody could have made says nothing about the issuer, and what a
parent signed beyond its own authority says something about the parent alone. Only an authority over the very
matter of a claim, by type and jurisdiction, has a say against the issuer: by what it handed on and took back,
or by handing on less than what is claimed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from vcid.credentials.delegation import Delegation
from vcid.credentials.model_rules import has_type
from vcid.encoding.json import parse_object
from vcid.errors import InvalidRecord, Malformed
from vcid.existence import Evidence
from vcid.issuers import FOREIGN_KEY, issuer_of
from vcid.knowledge import MAX_DELEGATION_BYTES
from vcid.report import Check, CheckName, Outcome
from vcid.trust import DELEGATION_TYPE, Accreditation

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vcid.encoding.json import JsonObject
    from vcid.issuers import KnownIssuers
    from vcid.policy import Policy
    from vcid.report import Report
    from vcid.trust import Claim

    CheckLink = Callable[[JsonObject, Accreditation], Report]

_MAX_KEPT: Final = 10_000
_RECHECK = timedelta(minutes=1)
"""How long a link stays judged, as status lists and anchors do; periods are compared anew each time."""


@dataclass(frozen=True, slots=True)
class Inquiry:
    """One asking for the authority behind a claim.

    Attributes:
        at: the moment asked about.
        now: the moment of asking.
        check_link: verifies one delegation as any credential, for these moments, on the authority of one
            accreditation alone.
    """

    at: datetime
    now: datetime
    check_link: CheckLink

    def is_near(self, at: datetime, now: datetime) -> bool:
        """Whether what was judged for these moments still stands."""
        return abs(self.at - at) < _RECHECK and abs(self.now - now) < _RECHECK


class Weight(IntEnum):
    """How much a reason says about an issuer; of several, the one of most weight is told."""

    STRANGER = 0
    UNPROVEN = 1
    OVERSTEPPED = 2
    UNDECIDED = 3


@dataclass(frozen=True, slots=True)
class Candidate:
    """A delegation as it was found, nothing in it verified, by its number among those known.

    Delegator and delegate stand under one lasting name each, whichever of its names the delegation uses.

    Attributes:
        size: its length in bytes.
    """

    number: int
    issuer: str
    delegate: str
    document: JsonObject
    size: int


@dataclass(frozen=True, slots=True)
class Authority:
    """An accreditation, and the lasting names of those through whose hands it came, its holder's last."""

    accreditation: Accreditation
    path: tuple[str, ...]
    freshness: tuple[datetime | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a link does not hold.

    Attributes:
        by: where it is a reason against the delegate, the authority that has to cover the claim for that.
    """

    weight: Weight
    code: str
    detail: str
    by: Accreditation | None = None

    def against(self, claim: Claim) -> Miss:
        """Weigh it against who makes a claim."""
        if self.by is None or self.by.covers_matter(claim):
            return self
        return replace(self, weight=Weight.UNPROVEN)

    def to_check(self, place: str) -> Check:
        """Say it of the issuer, and at which link."""
        outcome = Check.failed if self.weight is Weight.OVERSTEPPED else Check.unknown
        return outcome(CheckName.ISSUER, self.code, f"{place}: {self.detail}")


class Links:
    """Verifies delegations, each on one accreditation alone.

    Args:
        policy: the policy.
        issuers: judges proofs, and knows whose DID documents are vouched for.
    """

    def __init__(self, policy: Policy, issuers: KnownIssuers) -> None:
        self._policy = policy
        self._issuers = issuers
        self._proven: dict[int, tuple[datetime, datetime, Miss | None]] = {}
        self._judged: dict[tuple[int, Accreditation], Report] = {}

    def cost(self, candidate: Candidate, inquiry: Inquiry) -> int:
        """How many bytes have to be worked through to tell whether a link is its delegator's word."""
        known = self._proven.get(candidate.number)
        return 0 if known is not None and inquiry.is_near(*known[:2]) else candidate.size

    def refuse(self, authority: Authority, candidate: Candidate, inquiry: Inquiry) -> Miss | None:
        """Say why a link leads nowhere: it leads back, or it is not its delegator's word."""
        if candidate.delegate in authority.path:
            return Miss(Weight.UNPROVEN, "delegation-cycle", "the delegation leads back to its delegator")
        known = self._proven.get(candidate.number)
        if known is None or not inquiry.is_near(*known[:2]):
            if len(self._proven) >= _MAX_KEPT:
                self._proven.clear()
            known = self._proven[candidate.number] = inquiry.at, inquiry.now, self._refute(candidate, inquiry)
        return known[2]

    def _refute(self, candidate: Candidate, inquiry: Inquiry) -> Miss | None:
        document = candidate.document
        result = self._issuers.check_proof(document, inquiry.at, evidence=Evidence((), inquiry.now))
        if result.verified is None:
            refused = result.key if result.key.outcome is not Outcome.PASSED else result.proof
        elif not self._issuers.are_keys_of(result.verified, issuer_of(document)):
            refused = FOREIGN_KEY
        else:
            return None
        return Miss(Weight.UNPROVEN, "delegation-unverified", f"the delegation's {refused}")

    def follow(self, authority: Authority, candidate: Candidate, inquiry: Inquiry) -> Authority | Miss:
        """Verify one link that was not refused, and give the authority that it hands on."""
        parent = authority.accreditation
        report = self._judge(parent, candidate, inquiry)
        granted = None if report.document is None else _read_grant(report.document)
        if not report:
            return _miss_of(report, parent, granted)
        if granted is None:
            return Miss(Weight.UNPROVEN, "delegation-malformed", "the delegation can't be understood")
        if name_lastingly(granted.issuer, self._issuers) != candidate.delegate:
            return Miss(Weight.UNPROVEN, "delegation-unverified", "the proof covers another delegate")
        if miss := self._doubt_document(granted):
            return miss
        path = (*authority.path, candidate.delegate)
        return Authority(granted, path, (*authority.freshness, report.fresh_as_of))

    def _doubt_document(self, accreditation: Accreditation) -> Miss | None:
        """Doubt a delegate whose DID document is not the one pinned, or is vouched for by nothing."""
        vouched = self._issuers.vouch_for(accreditation.issuer)
        if vouched is False:
            detail = "the delegate's DID document is not the one that the policy pins"
            return Miss(Weight.UNPROVEN, "did-document-swapped", detail)
        if vouched is None and accreditation.document_digest is None and self._policy.rests_on_pins:
            detail = "the policy tolerates the anchor, and the delegate's DID document is not pinned"
            return Miss(Weight.UNDECIDED, "delegation-unpinned", detail)
        return None

    def _judge(self, parent: Accreditation, candidate: Candidate, inquiry: Inquiry) -> Report:
        """Verify a delegation on one accreditation alone, at most once a minute."""
        key = (candidate.number, parent)
        report = self._judged.get(key)
        if report is None or not inquiry.is_near(report.at, report.now):
            if len(self._judged) >= _MAX_KEPT:
                self._judged.clear()
            report = self._judged[key] = inquiry.check_link(candidate.document, parent)
        return report


def name_lastingly(did: str, issuers: KnownIssuers) -> str:
    """Give one of a DID's names, the same for all of them: a DID that moved has several."""
    return min(issuers.dids.names(did))


def read_candidate(number: int, content: bytes, issuers: KnownIssuers) -> Candidate | None:
    """Read what a delegation says of itself, unverified; None for what can be none."""
    try:
        document = parse_object(content, max_bytes=MAX_DELEGATION_BYTES)
    except Malformed:
        return None
    subject = document.get("credentialSubject")
    delegate = subject.get("id") if isinstance(subject, dict) else None
    if not isinstance(delegate, str) or "issuer" not in document or not has_type(document, DELEGATION_TYPE):
        return None
    delegator, delegate = (name_lastingly(did, issuers) for did in (issuer_of(document), delegate))
    return Candidate(number, delegator, delegate, document, len(content))


def _read_grant(document: JsonObject) -> Accreditation | None:
    """What a delegation that holds comes to; None for one that can't be understood."""
    try:
        delegation = Delegation.from_credential(document)
    except InvalidRecord:
        return None
    return Accreditation(
        issuer=delegation.delegate,
        credential_types=frozenset(delegation.credential_types),
        jurisdictions=frozenset(delegation.jurisdictions),
        owner=delegation.owner,
        log=delegation.log,
        valid_from=delegation.valid_from,
        valid_until=delegation.valid_until,
        document_digest=delegation.document_digest,
        status_issuers=frozenset(delegation.status_issuers),
        may_delegate=delegation.may_delegate,
    )


_PROVEN: Final = (CheckName.PARSE, CheckName.MODEL, CheckName.KEY, CheckName.PROOF)

_BEYOND: Final = {
    "type-not-accredited": "delegation-outreaches",
    "jurisdiction-not-accredited": "delegation-outreaches",
    "outside-accreditation": "delegation-outside-accreditation",
    "outlives-accreditation": "delegation-outlives",
    "depth-not-accredited": "delegation-exhausted",
}
_ENDED: Final = {
    (CheckName.PERIOD, "not-yet-valid"): "delegation-not-yet-valid",
    (CheckName.PERIOD, "expired"): "delegation-expired",
    (CheckName.STATUS, "revoked"): "delegation-revoked",
    (CheckName.STATUS, "suspended"): "delegation-suspended",
}
_DOUBTFUL: Final = {
    CheckName.SCHEMA: "delegation-unknown-schema",
    CheckName.STATUS: "delegation-unknown-status",
    CheckName.ANCHOR: "delegation-unanchored",
}


def _miss_of(report: Report, parent: Accreditation, granted: Accreditation | None) -> Miss:
    """Say why a delegation does not hold: the weightiest reason, as the module says."""
    for name in _PROVEN:
        check = report[name]
        if check.outcome is not Outcome.PASSED:
            code = "delegation-malformed" if name is CheckName.MODEL else "delegation-unverified"
            return Miss(Weight.UNPROVEN, code, f"the delegation's {check}")
    issuer = report[CheckName.ISSUER]
    if issuer.outcome is not Outcome.PASSED:
        return _beyond(issuer, parent)
    worst = min(report.reasons, key=lambda check: check.outcome is not Outcome.FAILED)
    detail = f"the delegation's {worst}"
    if worst.outcome is not Outcome.FAILED:
        return Miss(Weight.UNDECIDED, _DOUBTFUL.get(worst.name, "delegation-undecided"), detail)
    ended = _ENDED.get((worst.name, worst.code))
    if ended is None or granted is None:
        return Miss(Weight.UNPROVEN, "delegation-malformed", detail)
    return Miss(Weight.OVERSTEPPED, ended, detail, by=granted)


def _beyond(issuer: Check, parent: Accreditation) -> Miss:
    """Say how a parent went beyond its own authority, which is no fault of whom it names."""
    if issuer.code not in _BEYOND:
        return Miss(Weight.UNPROVEN, "delegation-unverified", f"the delegation's {issuer}")
    if DELEGATION_TYPE not in parent.credential_types:
        return Miss(Weight.UNPROVEN, "delegation-not-allowed", "its issuer may not delegate")
    return Miss(Weight.UNPROVEN, _BEYOND[issuer.code], f"the delegation's {issuer}")

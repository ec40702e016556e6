"""One link of a chain of delegations: whether a delegation holds, on the authority of its parent.

A delegation is verified as any other credential is, and what it hands on is an accreditation in its turn. Why
one does not hold weighs differently: what anybody could have made says nothing about the issuer, what its
parent did sign says much.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import IntEnum
from typing import TYPE_CHECKING, Final

from vcid.credentials.delegation import Delegation
from vcid.credentials.model_rules import has_type
from vcid.encoding.json import parse_object
from vcid.errors import InvalidRecord, Malformed
from vcid.issuers import issuer_of
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

    CheckLink = Callable[[JsonObject, Accreditation, datetime, datetime], Report]

MAX_REPORTS: Final = 10_000
_RECHECK = timedelta(minutes=1)
"""How long a link stays judged, as status lists and anchors do; periods are compared anew each time."""


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
    """

    number: int
    issuer: str
    delegate: str
    document: JsonObject


@dataclass(frozen=True, slots=True)
class Authority:
    """An accreditation, and the lasting names of those through whose hands it came, its holder's last."""

    accreditation: Accreditation
    path: tuple[str, ...]
    freshness: tuple[datetime | None, ...] = ()


@dataclass(frozen=True, slots=True)
class Miss:
    """Why a link does not hold."""

    weight: Weight
    code: str
    detail: str

    def to_check(self, place: str) -> Check:
        """Say it of the issuer, and at which link."""
        outcome = Check.failed if self.weight is Weight.OVERSTEPPED else Check.unknown
        return outcome(CheckName.ISSUER, self.code, f"{place}: {self.detail}")


class Links:
    """Verifies delegations, each on one accreditation alone.

    Args:
        policy: the policy.
        issuers: knows whose DID documents are vouched for.
        check_link: verifies one delegation as any credential, on the authority of one accreditation alone.
    """

    def __init__(self, policy: Policy, issuers: KnownIssuers, check_link: CheckLink) -> None:
        self._policy = policy
        self._issuers = issuers
        self._check_link = check_link
        self._judged: dict[tuple[int, Accreditation], Report] = {}

    def follow(
        self, authority: Authority, candidate: Candidate, *, at: datetime, now: datetime
    ) -> Authority | Miss:
        """Verify one link, and give the authority that it hands on."""
        if candidate.delegate in authority.path:
            return Miss(Weight.UNPROVEN, "delegation-cycle", "the delegation leads back to its delegator")
        report = self._judge(authority.accreditation, candidate, at, now)
        if not report or report.document is None:
            return _miss_of(report, authority.accreditation)
        try:
            accreditation = _accreditation_by(Delegation.from_credential(report.document))
        except InvalidRecord:
            return Miss(Weight.OVERSTEPPED, "delegation-malformed", "the delegation can't be understood")
        if name_lastingly(accreditation.issuer, self._issuers) != candidate.delegate:
            return Miss(Weight.UNPROVEN, "delegation-unverified", "the proof covers another delegate")
        if miss := self._doubt_document(accreditation):
            return miss
        path = (*authority.path, candidate.delegate)
        return Authority(accreditation, path, (*authority.freshness, report.fresh_as_of))

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

    def _judge(
        self, accreditation: Accreditation, candidate: Candidate, at: datetime, now: datetime
    ) -> Report:
        """Verify a delegation on one accreditation alone, at most once a minute."""
        key = (candidate.number, accreditation)
        report = self._judged.get(key)
        if report is None or abs(report.at - at) >= _RECHECK or abs(report.now - now) >= _RECHECK:
            if len(self._judged) >= MAX_REPORTS:
                self._judged.clear()
            report = self._check_link(candidate.document, accreditation, at, now)
            self._judged[key] = report
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
    return Candidate(number, delegator, delegate, document)


def _accreditation_by(delegation: Delegation) -> Accreditation:
    """What a delegation that holds comes to."""
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
_FAILED: Final = {
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


def _miss_of(report: Report, parent: Accreditation) -> Miss:
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
    code = _FAILED.get((worst.name, worst.code), "delegation-malformed")
    return Miss(Weight.OVERSTEPPED, code, detail)


def _beyond(issuer: Check, parent: Accreditation) -> Miss:
    """Say how a delegation goes beyond its parent's authority."""
    if issuer.code not in _BEYOND:
        return Miss(Weight.UNPROVEN, "delegation-unverified", f"the delegation's {issuer}")
    if DELEGATION_TYPE not in parent.credential_types:
        detail = "its issuer may not delegate"
        return Miss(Weight.OVERSTEPPED, "delegation-not-allowed", detail)
    return Miss(Weight.OVERSTEPPED, _BEYOND[issuer.code], f"the delegation's {issuer}")

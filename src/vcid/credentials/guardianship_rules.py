"""What the fields of a guardianship demand of each other, so that none says more than its basis can."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

from vcid.credentials.digests import SaltedDigest
from vcid.credentials.guardianship_terms import Act, AuthorityRole, Basis, GuardianType
from vcid.credentials.records import check_distinct_ids, pointer

if TYPE_CHECKING:
    from vcid.credentials.guardianship import Guardianship
    from vcid.credentials.records import Faults

INTERIM_CASEWORKER_CAP: Final = timedelta(days=90)
"""For how long an interim caseworker may be authorized, unless a jurisdiction states another cap."""


def check_rules(record: Guardianship, faults: Faults, interim_cap: timedelta) -> None:
    """Note where fields contradict each other."""
    if not record.guardians:
        faults.add("/guardians", "required", "at least one guardian")
    _check_distinct_guardians(record, faults)
    if not record.permitted_acts and not record.prohibited_acts:
        faults.add("/permittedActs", "required", "at least one act permitted or prohibited")
    _check_period(record, faults)
    _check_basis(record, faults)
    if record.basis is Basis.INTERIM_CASEWORKER:
        _check_interim_caseworker(record, faults, interim_cap)
    _check_quorums(record, faults)
    _check_sub_delegation(record, faults)


def _check_distinct_guardians(record: Guardianship, faults: Faults) -> None:
    check_distinct_ids(record.guardians, faults, "/guardians")
    child = getattr(record.dependent, "id", None)
    papers: list[tuple[str, str]] = []
    for index, guardian in enumerate(record.guardians):
        path = pointer("/guardians", index)
        if child is not None and getattr(guardian, "id", None) == child:
            faults.add(pointer(path, "id"), "own-guardian", "another DID than the child's", child)
        paper = getattr(guardian, "paper_id", None)
        if not isinstance(paper, SaltedDigest):
            continue
        if (paper.salt, paper.digest) in papers:
            faults.add(pointer(path, "paperIdDigest"), "repeated", "each paper document once")
        papers.append((paper.salt, paper.digest))


def _check_period(record: Guardianship, faults: Faults) -> None:
    if record.valid_until is None and record.ends_at_majority is None:
        faults.add("/validUntil", "no-end", "an end, or the age of majority at which the authority lapses")
    length = _length(record)
    if length is not None and length <= timedelta(0):
        faults.add("/validUntil", "reversed-period", "a moment after validFrom")


def _length(record: Guardianship) -> timedelta | None:
    start, end = _aware(record.valid_from), _aware(record.valid_until)
    return None if start is None or end is None else end - start


def _aware(moment: object) -> datetime | None:
    return moment if isinstance(moment, datetime) and moment.utcoffset() is not None else None


def _check_basis(record: Guardianship, faults: Faults) -> None:
    if record.basis is Basis.COURT_ORDER:
        if record.issuing_authority_role not in (AuthorityRole.COURT, None):
            faults.add("/issuingAuthorityRole", "role-mismatch", "court, as the basis is a court's order")
        if record.order_ref is None:
            faults.add("/orderRef", "required", "the salted digest of the order's number")
    if record.basis is Basis.PARENTAGE and record.ends_at_majority is None:
        faults.add("/endsAtMajority", "required", "the age of majority, at which parental authority lapses")


def _check_interim_caseworker(record: Guardianship, faults: Faults, cap: timedelta) -> None:
    """Keep an emergency measure one: an organization's, short, and never across a border."""
    for index, guardian in enumerate(record.guardians):
        if getattr(guardian, "type", GuardianType.ORGANIZATION) is GuardianType.PERSON:
            path = pointer(pointer("/guardians", index), "type")
            faults.add(path, "not-an-organization", "an organization, whose staff act by delegation")
    if Act.INTERNATIONAL_TRAVEL in record.permitted_acts:
        faults.add("/permittedActs", "act-not-allowed", "no internationalTravel for an interim caseworker")
    if record.valid_until is None:
        faults.add("/validUntil", "required", f"an end within {cap.days} days")
        return
    length = _length(record)
    if length is not None and length > cap:
        faults.add("/validUntil", "too-long", f"an end within {cap.days} days of validFrom")


def _check_quorums(record: Guardianship, faults: Faults) -> None:
    acts = [getattr(quorum, "act", None) for quorum in record.quorums]
    for index, act in enumerate(acts):
        path = pointer(pointer("/quorums", index), "act")
        if act in acts[:index]:
            faults.add(path, "repeated", "one quorum for each act", act)
        if act is not None and act not in record.permitted_acts:
            faults.add(path, "act-not-permitted", "an act that is permitted", act)
    for index, quorum in enumerate(record.quorums):
        of = getattr(quorum, "of", None)
        if isinstance(of, int) and of < len(record.guardians):
            faults.add(pointer(pointer("/quorums", index), "of"), "too-few", "at least the guardians listed")


def _check_sub_delegation(record: Guardianship, faults: Faults) -> None:
    if record.sub_delegation is None:
        return
    if Act.DELEGATE not in record.permitted_acts:
        faults.add("/permittedActs", "delegate-required", "delegate, as sub-delegation is allowed")
    acts = record.sub_delegation.acts
    for index, act in enumerate(acts if isinstance(acts, tuple) else ()):
        if act not in record.permitted_acts:
            path = pointer("/subDelegation/acts", index)
            faults.add(path, "act-not-permitted", "an act that is permitted", act)

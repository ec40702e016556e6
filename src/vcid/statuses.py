"""Whether a credential still holds: each of its status entries, read from a list that is itself verified.

Bitstring Status List 1.0, section 3.2. A list that is missing, past its validity or not verifiable leaves the
status *unknown*; only a status that is set counts against the credential. What a list says is as good as its
anchor, which ``vcid.anchors`` judges.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vcid.credentials.model import check_version_2
from vcid.encoding.dates import parse_timestamp
from vcid.encoding.json import parse_object
from vcid.errors import Malformed
from vcid.issuers import SWAPPED, issuer_of
from vcid.knowledge import MAX_FILE_BYTES
from vcid.report import Check, CheckName, Outcome
from vcid.status.bitstring import RANGE_ERROR, StatusEntry, UnknownStatus, read_status
from vcid.trust import STATUS_LIST_TYPE, Claim

if TYPE_CHECKING:
    from datetime import datetime

    from vcid.encoding.json import JsonObject
    from vcid.issuers import KnownIssuers
    from vcid.knowledge import Anchored, Knowledge
    from vcid.trust import Accreditation

_RECHECK = timedelta(minutes=1)
"""How long a list's proof stays judged: keys end at a moment, but not within the same minute twice."""

_REPLACED = Check.passed(CheckName.STATUS, "the issuer has issued a newer one")
"""What a set ``refresh`` says, alone: nothing against the credential."""

_LASTING = frozenset({"revocation", "refresh"})
"""Purposes whose unset status is good for earlier moments too: a revocation, once set, is never unset, and
``refresh``, which is where the newer credential was revoked as well, says nothing against a credential."""

_HARMLESS = frozenset({"message"})
"""Purposes whose set status says nothing against a credential."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whose credential is asked about, and on what authority.

    Attributes:
        issuer: the credential's issuer.
        accreditation: what entitles the issuer, if anything does.
    """

    issuer: str
    accreditation: Accreditation | None


@dataclass(frozen=True, slots=True)
class UsedList:
    """A status list that an answer rests on, and what entitles its issuer."""

    list_id: str
    anchored: Anchored
    accreditation: Accreditation | None


@dataclass(frozen=True, slots=True)
class _Judged:
    """A list's document as its proof covers it, or the check that says why it is empty."""

    now: datetime
    document: JsonObject
    issuer: str
    refusal: Check | None = None
    begins: datetime | None = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What one entry comes to, and the names of the issuer of the list that says so."""

    check: Check
    issuer: frozenset[str] = frozenset()


class Statuses:
    """Reads statuses from the lists that are known."""

    def __init__(self, knowledge: Knowledge, issuers: KnownIssuers, clock_skew: timedelta) -> None:
        self._knowledge = knowledge
        self._issuers = issuers
        self._clock_skew = clock_skew
        self._judged: dict[str, _Judged] = {}

    def check(
        self, document: JsonObject, standing: Standing, *, at: datetime, now: datetime
    ) -> tuple[list[Check], list[UsedList]]:
        """Check every status entry of a credential; give the lists that were read as well."""
        try:
            entries = StatusEntry.parse_all(document)
        except Malformed as error:
            return [Check.failed(CheckName.STATUS, error.code, error.detail)], []
        if not entries:
            return [_unknown("no-status", "the credential names no status by which it could be revoked")], []
        found: list[_Found] = []
        used = {}
        for entry in entries:
            if isinstance(entry, UnknownStatus):
                found.append(_Found(_unknown("unknown-status-type", "a status of a type that can't be read")))
                continue
            known = self._knowledge.status_lists.get(entry.list_id)
            if known is None:
                missing = _unknown("status-list-missing", "the status list is not among what is known")
                found.append(_Found(missing))
                continue
            judged = self._judge(entry.list_id, known, now)
            refusal, accreditation = self._entitle(judged, standing, now)
            used[entry.list_id] = UsedList(entry.list_id, known, accreditation)
            asked, read = self._forgive(judged, at), self._forgive(judged, now)
            check = refusal or _read(entry, judged.document, at=asked, now=read)
            found.append(_Found(check, self._issuers.dids.names(judged.issuer)))
        return _weigh(found), list(used.values())

    def _forgive(self, judged: _Judged, moment: datetime) -> datetime:
        """The moment for which to read a list: its beginning, where only a slow clock lies before it."""
        begins = judged.begins
        slow = begins is not None and timedelta(0) < begins - moment <= self._clock_skew
        return begins if begins is not None and slow else moment

    def _judge(self, list_id: str, known: Anchored, now: datetime) -> _Judged:
        """Verify a list's own proof, at most once a minute."""
        judged = self._judged.get(list_id)
        if judged is None or abs(now - judged.now) >= _RECHECK:
            judged = self._judged[list_id] = self._judge_anew(known, now)
        return judged

    def _judge_anew(self, known: Anchored, now: datetime) -> _Judged:
        try:
            document = parse_object(known.content, max_bytes=MAX_FILE_BYTES)
            faults = check_version_2(document)
        except Malformed as error:
            return _Judged(now, {}, "", _unknown("status-list-malformed", error.detail))
        if faults:
            refusal = _unknown("status-list-malformed", "the status list is no credential")
            return _Judged(now, {}, "", refusal)
        issuer = issuer_of(document)
        result = self._issuers.check_proof(document, now)
        if result.verified is None:
            reason = result.key if result.key.outcome is not Outcome.PASSED else result.proof
            refusal = _unknown("status-list-unverified", f"the status list's {reason}")
            return _Judged(now, {}, issuer, refusal)
        if not self._issuers.are_keys_of(result.verified, issuer):
            refusal = _unknown("status-list-unverified", "the status list is signed by somebody else's key")
            return _Judged(now, {}, issuer, refusal)
        begins = document.get("validFrom")
        return _Judged(
            now,
            result.verified.document,
            issuer,
            begins=parse_timestamp(begins) if isinstance(begins, str) else None,
        )

    def _entitle(
        self, judged: _Judged, standing: Standing, now: datetime
    ) -> tuple[Check | None, Accreditation | None]:
        """Find what entitles the list's issuer.

        A list by another than the credential's issuer counts only where the issuer's accreditation names that
        other: an authority that publishes lists of its own has no say about anybody else's credentials.
        """
        names = self._issuers.dids.names(judged.issuer)
        if judged.refusal is not None or standing.issuer in names:
            return judged.refusal, standing.accreditation
        named = standing.accreditation.status_issuers if standing.accreditation else frozenset()
        if named.isdisjoint(names):
            detail = (
                "the status list is by another issuer, whom the policy does not name for this one's lists"
            )
            return _unknown("status-list-issuer", detail), None
        claim = Claim(
            issuer=judged.issuer,
            types=frozenset({STATUS_LIST_TYPE}),
            jurisdictions=frozenset(),
            moments=(now,),
        )
        check, accreditation = self._issuers.check_accreditation(claim)
        if accreditation is None:
            return _unknown("status-list-issuer", f"the status list's issuer: {check.detail}"), None
        if self._issuers.is_swapped(accreditation):
            return _unknown("status-list-unverified", f"the status list's {SWAPPED}"), None
        return None, accreditation


def _read(entry: StatusEntry, document: JsonObject, *, at: datetime, now: datetime) -> Check:
    """Read one entry. The list is evidence that is held now, so its validity is judged now."""
    try:
        value = read_status(entry, document, now)
    except Malformed as error:
        if error.code == RANGE_ERROR:
            return Check.failed(CheckName.STATUS, "status-index", error.detail)
        if error.where == "/validUntil":
            return _unknown("status-list-expired", "the status list known is past its validity")
        return _unknown("status-list-malformed", error.detail)
    if value.is_set and entry.purpose not in _HARMLESS:
        return _set(entry.purpose)
    issued = value.period.valid_from
    if entry.purpose not in _LASTING and issued is not None and at < issued:
        return _unknown(
            "status-later-than-at", "a status that can be undone is known for a later moment only"
        )
    return Check.passed(CheckName.STATUS)


def _weigh(found: list[_Found]) -> list[Check]:
    """Tell a credential that was replaced from one that was revoked: both can't be relied on.

    Whoever replaces a credential sets both statuses: software that reads the first alone turns it down, and
    what is said of its holder here is no more than that a newer one is to be had. Only who revoked it can say
    so: one issuer's word on a newer credential takes nothing from another one's revocation.
    """
    replacing: set[str] = set().union(*(it.issuer for it in found if it.check == _REPLACED))
    superseded = _unknown(
        "superseded", "another credential stands in this one's place: ask for the newer one"
    )
    return [superseded if it.check.code == "revoked" and it.issuer & replacing else it.check for it in found]


def _set(purpose: str) -> Check:
    if purpose == "revocation":
        return Check.failed(CheckName.STATUS, "revoked", "the issuer revoked the credential")
    if purpose == "suspension":
        return Check.failed(CheckName.STATUS, "suspended", "the issuer suspended the credential")
    if purpose == "refresh":
        return _REPLACED
    return _unknown("unknown-status-purpose", "a status of unknown meaning is set")


def _unknown(code: str, detail: str) -> Check:
    return Check.unknown(CheckName.STATUS, code, detail)

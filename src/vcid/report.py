"""What a verifier concludes: every check by its fixed name, with its outcome and the reason.

*Failed* means that something is wrong with the credential; *unknown* that what the verifier holds does not
suffice to say. The two are never mixed: whoever reads a report can tell a forgery from a stale copy.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from vcid.encoding.json import JsonObject


class CheckName(StrEnum):
    """The checks, in the order in which a report lists them."""

    PARSE = "parse"
    MODEL = "model"
    KEY = "key"
    PROOF = "proof"
    ISSUER = "issuer"
    PERIOD = "period"
    SCHEMA = "schema"
    STATUS = "status"
    ANCHOR = "anchor"
    HOLDER = "holder"


INDISPENSABLE = frozenset(
    {CheckName.PARSE, CheckName.MODEL, CheckName.KEY, CheckName.PROOF, CheckName.ISSUER, CheckName.PERIOD}
)
"""Checks that have to pass in every report: neither skipped nor tolerated away."""

INDISPENSABLE_IN_PRESENTATIONS = frozenset({CheckName.PARSE, CheckName.MODEL, CheckName.KEY, CheckName.PROOF})
"""Checks of a presentation itself that have to pass, besides those of the credentials in it."""

INTOLERABLE = frozenset({"superseded", "not-anchored", "rollback", "fork", "invalid"})
"""Reasons of the anchor that no policy may tolerate: evidence that contradicts what else is known."""


class Outcome(StrEnum):
    """How a check ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"
    SKIPPED = "skipped"


class Conclusion(StrEnum):
    """What the checks together come to."""

    VERIFIED = "verified"
    REJECTED = "rejected"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Check:
    """One check's outcome.

    Attributes:
        name: which check.
        outcome: how it ended.
        code: the reason in kebab case, empty when it passed.
        detail: the reason in words, free of personal data.
        evidence: of a log that showed two versions of itself, the file that proves it to anybody
            (`vcid.ledger.evidence`).
    """

    name: CheckName
    outcome: Outcome
    code: str = ""
    detail: str = ""
    evidence: bytes | None = field(default=None, repr=False)

    @classmethod
    def passed(cls, name: CheckName, detail: str = "") -> Check:
        """Say that the check holds."""
        return cls(name, Outcome.PASSED, detail=detail)

    @classmethod
    def failed(cls, name: CheckName, code: str, detail: str) -> Check:
        """Say that something is wrong."""
        return cls(name, Outcome.FAILED, code, detail)

    @classmethod
    def unknown(cls, name: CheckName, code: str, detail: str) -> Check:
        """Say that it could not be decided."""
        return cls(name, Outcome.UNKNOWN, code, detail)

    @classmethod
    def skipped(cls, name: CheckName, detail: str) -> Check:
        """Say that the check does not apply."""
        return cls(name, Outcome.SKIPPED, detail=detail)

    def __str__(self) -> str:
        reason = f" ({self.code}: {self.detail})" if self.code else ""
        return f"{self.name}: {self.outcome}{reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """Every check of one credential.

    Attributes:
        checks: all checks, in the order of ``CheckName``; a check may stand in it more than once,
            for instance once for each status entry.
        at: the moment the question was asked about.
        now: the moment it was asked.
        tolerated: what the policy lets pass undecided: names of checks, or ``name:code``.
        fresh_as_of: the oldest time that witnesses vouch for among the evidence used; ``None`` without any.
        document: the document that the proof covers; ``None`` unless the proof passed. Read claims from
            here, never from what was received.
    """

    checks: tuple[Check, ...]
    at: datetime
    now: datetime
    tolerated: frozenset[str] = frozenset()
    fresh_as_of: datetime | None = None
    document: JsonObject | None = field(default=None, repr=False)

    @property
    def conclusion(self) -> Conclusion:
        """Rejected if any check failed; undecided if any is unknown and not tolerated; else verified."""
        return _conclude(self.checks, INDISPENSABLE, self.tolerated)

    @property
    def reasons(self) -> tuple[Check, ...]:
        """The checks that stand against the credential: those failed, and those undecided."""
        return _find_reasons(self.checks, self.tolerated)

    @property
    def evidence(self) -> tuple[bytes, ...]:
        """Files that prove to anybody that a log showed two versions of itself (`vcid.ledger.evidence`)."""
        return tuple(dict.fromkeys(check.evidence for check in self.checks if check.evidence is not None))

    def __bool__(self) -> bool:
        return self.conclusion is Conclusion.VERIFIED

    def __getitem__(self, name: str) -> Check:
        """The check of that name; of several, the one that stands most against the credential.

        Raises:
            KeyError: no such check.
        """
        return _find(self.checks, name)

    def __str__(self) -> str:
        return "; ".join([self.conclusion.value, *dict.fromkeys(str(check) for check in self.reasons)])

    def to_json(self) -> JsonObject:
        """The report as JSON: conclusion, times and checks, without the document."""
        return {
            "conclusion": self.conclusion.value,
            "at": self.at.isoformat(),
            "now": self.now.isoformat(),
            "freshAsOf": self.fresh_as_of.isoformat() if self.fresh_as_of else None,
            "checks": [_write_check(check) for check in self.checks],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentationReport:
    """Every check of one presentation, with the report on each credential in it.

    Attributes:
        checks: the checks of the presentation itself: parse, model, key, proof and holder.
        credentials: a report for each credential, in their order, whose holder check says whether who
            presents it is whom it speaks of; empty where the presentation could not be read so far.
        at: the moment the question was asked about.
        now: the moment it was asked.
        tolerated: what the policy lets pass undecided: names of checks, or ``name:code``.
        holder: the DID whose key signed the presentation; ``None`` unless key and proof passed.
        document: the presentation that the proof covers; ``None`` unless the proof passed. The credentials
            in it are not verified by that: read claims from the credentials' own reports.
    """

    checks: tuple[Check, ...]
    credentials: tuple[Report, ...] = ()
    at: datetime
    now: datetime
    tolerated: frozenset[str] = frozenset()
    holder: str | None = field(default=None, repr=False)
    document: JsonObject | None = field(default=None, repr=False)

    @property
    def conclusion(self) -> Conclusion:
        """The worst of the presentation's own conclusion and those of its credentials."""
        own = _conclude(self.checks, INDISPENSABLE_IN_PRESENTATIONS, self.tolerated)
        return min([own, *(report.conclusion for report in self.credentials)], key=_WORST_FIRST.index)

    @property
    def fresh_as_of(self) -> datetime | None:
        """The oldest time vouched for among the credentials' evidence; ``None`` if one has none."""
        times = [report.fresh_as_of for report in self.credentials]
        known = [time for time in times if time is not None]
        return min(known) if known and len(known) == len(times) else None

    @property
    def reasons(self) -> tuple[Check, ...]:
        """The presentation's own checks that stand against it: those failed, and those undecided."""
        return _find_reasons(self.checks, self.tolerated)

    @property
    def evidence(self) -> tuple[bytes, ...]:
        """What the reports on the credentials have of it."""
        return tuple(dict.fromkeys(found for report in self.credentials for found in report.evidence))

    def __bool__(self) -> bool:
        return self.conclusion is Conclusion.VERIFIED

    def __getitem__(self, name: str) -> Check:
        """The presentation's own check of that name.

        Raises:
            KeyError: no such check.
        """
        return _find(self.checks, name)

    def __str__(self) -> str:
        own = "; ".join([self.conclusion.value, *dict.fromkeys(str(check) for check in self.reasons)])
        parts = (f"credential {number}: {report}" for number, report in enumerate(self.credentials, start=1))
        return ". ".join([own, *parts])

    def to_json(self) -> JsonObject:
        """The report as JSON: conclusion, times, checks and credentials, without documents or holder."""
        return {
            "conclusion": self.conclusion.value,
            "at": self.at.isoformat(),
            "now": self.now.isoformat(),
            "freshAsOf": self.fresh_as_of.isoformat() if self.fresh_as_of else None,
            "checks": [_write_check(check) for check in self.checks],
            "credentials": [report.to_json() for report in self.credentials],
        }


_GRAVITY = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.SKIPPED, Outcome.PASSED)
_WORST_FIRST = (Conclusion.REJECTED, Conclusion.UNDECIDED, Conclusion.VERIFIED)


def _conclude(
    checks: tuple[Check, ...], indispensable: frozenset[CheckName], tolerated: frozenset[str]
) -> Conclusion:
    if any(check.outcome is Outcome.FAILED for check in checks):
        return Conclusion.REJECTED
    passed = {check.name for check in checks if check.outcome is Outcome.PASSED}
    if not passed >= indispensable or _find_reasons(checks, tolerated):
        return Conclusion.UNDECIDED
    return Conclusion.VERIFIED


def _find_reasons(checks: tuple[Check, ...], tolerated: frozenset[str]) -> tuple[Check, ...]:
    return tuple(
        check for check in checks if check.outcome is Outcome.FAILED or _leaves_doubt(check, tolerated)
    )


def _leaves_doubt(check: Check, tolerated: frozenset[str]) -> bool:
    if check.outcome is not Outcome.UNKNOWN:
        return False
    names = (check.name.value, f"{check.name}:{check.code}")
    return check.code in INTOLERABLE or tolerated.isdisjoint(names)


def _find(checks: tuple[Check, ...], name: str) -> Check:
    found = [check for check in checks if check.name == name]
    if not found:
        raise KeyError(name)
    return min(found, key=lambda check: _GRAVITY.index(check.outcome))


def _write_check(check: Check) -> JsonObject:
    return {
        "name": check.name.value,
        "outcome": check.outcome.value,
        **({"code": check.code} if check.code else {}),
        **({"detail": check.detail} if check.detail else {}),
    }

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
    """

    name: CheckName
    outcome: Outcome
    code: str = ""
    detail: str = ""

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
        if any(check.outcome is Outcome.FAILED for check in self.checks):
            return Conclusion.REJECTED
        passed = {check.name for check in self.checks if check.outcome is Outcome.PASSED}
        if not passed >= INDISPENSABLE or any(self._leaves_doubt(check) for check in self.checks):
            return Conclusion.UNDECIDED
        return Conclusion.VERIFIED

    @property
    def reasons(self) -> tuple[Check, ...]:
        """The checks that stand against the credential: those failed, and those undecided."""
        return tuple(
            check for check in self.checks if check.outcome is Outcome.FAILED or self._leaves_doubt(check)
        )

    def _leaves_doubt(self, check: Check) -> bool:
        if check.outcome is not Outcome.UNKNOWN:
            return False
        names = (check.name.value, f"{check.name}:{check.code}")
        return check.code in INTOLERABLE or self.tolerated.isdisjoint(names)

    def __bool__(self) -> bool:
        return self.conclusion is Conclusion.VERIFIED

    def __getitem__(self, name: str) -> Check:
        """The check of that name; of several, the one that stands most against the credential.

        Raises:
            KeyError: no such check.
        """
        found = [check for check in self.checks if check.name == name]
        if not found:
            raise KeyError(name)
        return min(found, key=lambda check: _GRAVITY.index(check.outcome))

    def __str__(self) -> str:
        return "; ".join([self.conclusion.value, *dict.fromkeys(str(check) for check in self.reasons)])

    def to_json(self) -> JsonObject:
        """The report as JSON: conclusion, times and checks, without the document."""
        return {
            "conclusion": self.conclusion.value,
            "at": self.at.isoformat(),
            "now": self.now.isoformat(),
            "freshAsOf": self.fresh_as_of.isoformat() if self.fresh_as_of else None,
            "checks": [
                {
                    "name": check.name.value,
                    "outcome": check.outcome.value,
                    **({"code": check.code} if check.code else {}),
                    **({"detail": check.detail} if check.detail else {}),
                }
                for check in self.checks
            ],
        }


_GRAVITY = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.SKIPPED, Outcome.PASSED)

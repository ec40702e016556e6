"""What a verifier demands: whom it believes, by which logs and suites, and how old its evidence may be.

The document under test chooses nothing: algorithms, issuers and logs come from here alone. An empty policy
accepts no credential.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vcid.ledger.anchor import LogPolicy
from vcid.trust import Accreditation

if TYPE_CHECKING:
    from typing import TypeVar

    Value = TypeVar("Value")

MAX_EVIDENCE_AGE = timedelta(days=7)
"""How old the newest witnessed checkpoint may be, by default: with daily publication, six missed days."""

CLOCK_SKEW = timedelta(minutes=5)
"""How far a verifier's clock may lag behind an issuer's or a witness's, by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A verifier's demands.

    Attributes:
        accreditations: whom to believe about what; none by default.
        logs: the logs whose checkpoints count, with their keys and witnesses; none by default.
        suites: the cryptosuites accepted; ``eddsa-jcs-2022`` alone by default.
        max_evidence_age: older evidence makes the anchor check *unknown* (``stale``).
        clock_skew: how far a time may lie in the future and still count as now.
        tolerated: checks that may stay *unknown*: a check's name, or ``name:code`` for one reason only.
            Checks that every report needs can't be tolerated away.
    """

    accreditations: tuple[Accreditation, ...] = ()
    logs: tuple[LogPolicy, ...] = ()
    suites: frozenset[str] = frozenset({"eddsa-jcs-2022"})
    max_evidence_age: timedelta = MAX_EVIDENCE_AGE
    clock_skew: timedelta = CLOCK_SKEW
    tolerated: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if self.max_evidence_age <= timedelta(0) or self.clock_skew < timedelta(0):
            raise ValueError("the maximum age is positive and the clock skew not negative")
        if len({log.origin for log in self.logs}) != len(self.logs):
            raise ValueError("each log stands in a policy once")

"""What the demonstration has to tell: the facts of each step, without a word on how they are shown."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import AbstractContextManager
    from datetime import datetime
    from pathlib import Path

    from vcid.errors import FieldError


@dataclass(frozen=True, slots=True, kw_only=True)
class Cast:
    """Who takes part.

    Attributes:
        civil: the civil registry's DID.
        court: the court's DID.
        log: the ledger's origin.
        witness: the witness's name.
        passphrase: the file with the passphrase.
    """

    civil: str
    court: str
    log: str
    witness: str
    passphrase: Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What was found in the register's export.

    Attributes:
        source: the file.
        good: how many rows are good.
        wrong: how many are not.
        faults: all faults of all wrong rows.
    """

    source: Path
    good: int
    wrong: int
    faults: tuple[FieldError, ...] = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Custody:
    """What became of the private keys.

    Attributes:
        sealed: children whose key is sealed to their recorded parents' keys.
        foundlings: children whose key was not kept, as they were found without parents.
        unknown: those whose parents are not known.
        withheld: those whose parents are not to be named.
        parents: keys of parents in the wallet.
        carers: keys of court-appointed carers in the wallet.
    """

    sealed: int
    foundlings: int
    unknown: int
    withheld: int
    parents: int
    carers: int

    @property
    def not_kept(self) -> int:
        """Children whose key was dropped as soon as their DID was made."""
        return self.foundlings + self.unknown + self.withheld

    @property
    def children(self) -> int:
        """Children, each with a fresh DID."""
        return self.sealed + self.not_kept


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuing:
    """The credentials issued before the verifier's knowledge was taken.

    Attributes:
        births: birth registrations.
        parentage: guardianships of basis *parentage*.
        orders: guardianships by the court.
    """

    births: int
    parentage: int
    orders: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.births + self.parentage + self.orders


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """The checkpoint that the verifier's knowledge stands at.

    Attributes:
        lists: status lists published.
        entries: leaves in the log.
        cosigned: when the witness says that it saw the checkpoint.
    """

    lists: int
    entries: int
    cosigned: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Hearing:
    """What the verifier made of all credentials.

    Attributes:
        process: the number of the verifier's process.
        answers: how many credentials it answered for.
        verified: how many of them it verified.
        refusals: why it didn't verify the others, by reason.
    """

    process: int
    answers: int
    verified: int
    refusals: dict[str, int]

    @property
    def as_expected(self) -> bool:
        """Whether every credential was verified."""
        return self.verified == self.answers > 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the verifier has to say to a scene.

    Attributes:
        conclusion: the conclusion.
        check: the check that decides; empty where the credential verifies.
        code: that check's reason.
        although: checks that pass all the same.
    """

    conclusion: str = "verified"
    check: str = ""
    code: str = ""
    although: frozenset[str] = frozenset()

    @property
    def reason(self) -> str:
        """The check and its reason in one word."""
        return f"{self.check}: {self.code}" if self.check else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """One scene: what was tried, and what the verifier said.

    Attributes:
        name: the scene.
        tried: what was tried, in words.
        expected: what the verifier had to say.
        conclusion: what it concluded.
        reasons: what stood against the credential, as ``check: code``.
        passed: the checks that passed.
    """

    name: str
    tried: str
    expected: Expectation
    conclusion: str
    reasons: tuple[str, ...]
    passed: frozenset[str]

    @property
    def as_expected(self) -> bool:
        """Whether the verifier said what it had to say."""
        reason = self.expected.reason
        return (
            self.conclusion == self.expected.conclusion
            and (reason in self.reasons if reason else not self.reasons)
            and self.expected.although <= self.passed
        )

    @property
    def said(self) -> str:
        """The reason that the verifier gave: the expected one if it is among several."""
        if self.as_expected:
            return self.expected.reason
        return "; ".join(self.reasons)


@dataclass(slots=True)
class Timing:
    """How long a step took, and for how many things; filled in while it runs."""

    step: str
    count: int = 0
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """The whole story.

    Attributes:
        folder: where everything was left.
        cast: who took part.
        reading: what was read.
        custody: where private keys are.
        issuing: what was issued.
        publication: what was published.
        hearing: what the verifier said to all of it.
        scenes: what it said to each scene.
        timings: how long each step took.
        seconds: how long it took in all.
    """

    folder: Path
    cast: Cast
    reading: Reading
    custody: Custody
    issuing: Issuing
    publication: Publication
    hearing: Hearing
    scenes: tuple[Played, ...]
    timings: tuple[Timing, ...]
    seconds: float

    @property
    def as_expected(self) -> bool:
        """Whether the verifier said what it had to, every time."""
        return self.hearing.as_expected and all(scene.as_expected for scene in self.scenes)


Chapter = Cast | Reading | Custody | Issuing | Publication | Hearing | tuple[Played, ...] | Ending


class Narrator(Protocol):
    """Whoever tells the story while it happens."""

    def working(self, label: str, total: int) -> AbstractContextManager[Callable[[int], None]]:
        """Begin a longer step; the callable given says how many more of its items are done."""

    def tell(self, chapter: Chapter) -> None:
        """Tell what happened."""


class Silence:
    """Tells nothing."""

    @contextmanager
    def working(self, label: str, total: int) -> Iterator[Callable[[int], None]]:  # noqa: ARG002 - the protocol's
        """Let the step go on unseen."""
        yield lambda _count: None

    def tell(self, chapter: Chapter) -> None:
        """Keep it to oneself."""


class Stopwatch:
    """Measures steps as they pass."""

    def __init__(self) -> None:
        self.timings: list[Timing] = []
        self._start = time.perf_counter()

    def seconds(self) -> float:
        """How long it has been running."""
        return time.perf_counter() - self._start

    @contextmanager
    def timing(self, step: str) -> Iterator[Timing]:
        """Measure the block, which says how many things it was about."""
        timed = Timing(step)
        start = time.perf_counter()
        yield timed
        timed.seconds = time.perf_counter() - start
        self.timings.append(timed)

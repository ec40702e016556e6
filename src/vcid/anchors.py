"""Whether what an answer rests on is the newest that the ledger holds, at the view the verifier remembers.

Judged are every status list that was read and the DID document of each issuer involved. An anchor passes only
with a receipt at the very checkpoint of the verifier's view, cosigned by enough replaying witnesses, recently
enough. Everything else is *unknown*: bad evidence says nothing against a credential that may be good. But
evidence that contradicts itself or what is remembered can't be tolerated by any policy.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vcid.dids.names import is_intrinsic, lasting_name
from vcid.errors import InvalidProof, Malformed, Unavailable
from vcid.ledger.anchor import Judgement, Outcome, View
from vcid.ledger.entries import Kind
from vcid.ledger.judge import Claim, Evidence, Freshness, judge
from vcid.ledger.views import advance_view
from vcid.report import Check, CheckName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from vcid.knowledge import Anchored, Knowledge
    from vcid.known_dids import KnownDids
    from vcid.ledger.anchor import LogPolicy, ViewStore
    from vcid.policy import Policy
    from vcid.statuses import Standing, UsedList
    from vcid.trust import Accreditation

_RECHECK = timedelta(minutes=1)
"""How long a judgement stands: its signatures don't change, and staleness is not a matter of seconds."""

_DETAILS = {
    Outcome.STALE: "the evidence is older than the policy allows: bring newer knowledge",
    Outcome.SUPERSEDED: "the issuer anchored a newer version: the one known is out of date",
    Outcome.NOT_ANCHORED: "the ledger's newest entry is not for the version known",
    Outcome.ROLLBACK: "the log was seen larger before: what is known was rolled back",
    Outcome.FORK: "the log contradicts what was seen of it before: it shows two versions of itself",
    Outcome.QUORUM: "too few witnesses vouch for the log's checkpoint",
    Outcome.INVALID: "the ledger's evidence does not hold",
    Outcome.UNAVAILABLE: "evidence from the ledger is missing",
}
_OLDER_RECEIPT = "the receipt is of an earlier checkpoint than the one known: bring the issuer's newer one"
_PROVEN = frozenset({"", "too-old", "clock-behind", "too-few-witnesses", "time-unknown"})
"""Reasons of judgements by which the document is the newest at the view, whatever they say of the view."""


@dataclass(frozen=True, slots=True)
class _Question:
    """One document whose anchor matters."""

    kind: Kind
    id: str
    anchored: Anchored | None
    accreditation: Accreditation | None


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came of one question, and the time that witnesses vouch for where the document is proven."""

    check: Check
    fresh_as_of: datetime | None = None


class Anchors:
    """Judges anchors by a policy's logs, what is known and what is remembered."""

    def __init__(
        self, policy: Policy, knowledge: Knowledge, dids: KnownDids, views: ViewStore | None
    ) -> None:
        self._policy = policy
        self._knowledge = knowledge
        self._dids = dids
        self._views = views
        self._judged: dict[tuple[str, Claim], tuple[datetime, Judgement]] = {}

    def check(
        self, standing: Standing, used: Iterable[UsedList], now: datetime
    ) -> tuple[list[Check], datetime | None]:
        """Judge everything an answer rests on.

        Returns:
            A check for each document, and the oldest time that witnesses vouch for among them; ``None`` if
            one of them is proven by nothing.
        """
        answers: list[_Answer] = []
        logs: dict[str, LogPolicy] = {}
        for question in self._questions(standing, used):
            log = self._log(question.accreditation)
            answers.append(self._answer(question, log, now))
            if log is not None and log.origin in self._knowledge.logs:
                logs[log.origin] = log
        if not answers:
            nothing = Check.skipped(CheckName.ANCHOR, "the credential rests on nothing that is anchored")
            return [nothing], None
        answers += [answer for log in logs.values() if (answer := self._remember(log)) is not None]
        times = [answer.fresh_as_of for answer in answers if answer.fresh_as_of is not None]
        return [answer.check for answer in answers], min(times) if len(times) == len(answers) else None

    def _questions(self, standing: Standing, used: Iterable[UsedList]) -> Iterator[_Question]:
        issuers = {standing.issuer: standing.accreditation}
        for status_list in used:
            yield _Question(
                Kind.STATUS_LIST, status_list.list_id, status_list.anchored, status_list.accreditation
            )
            if status_list.accreditation is not None:
                issuers.setdefault(status_list.accreditation.issuer, status_list.accreditation)
        for did, accreditation in issuers.items():
            if not is_intrinsic(did):
                yield _Question(Kind.DID_DOCUMENT, lasting_name(did), self._dids.find(did), accreditation)

    def _answer(self, question: _Question, log: LogPolicy | None, now: datetime) -> _Answer:
        """Judge one document."""
        anchored, accreditation = question.anchored, question.accreditation
        if anchored is None:
            return _unknown("nothing-known", "the document is not among what is known")
        if accreditation is None or accreditation.owner is None:
            return _unknown("no-owner", "the policy names no owner of the issuer's ledger entries")
        if log is None:
            return _unknown("no-log", "the policy names no log for the issuer")
        if log.origin not in self._knowledge.logs:
            return _unknown("no-checkpoint", "no checkpoint of the issuer's log is known")
        claim = Claim(
            owner=accreditation.owner, kind=question.kind, list_id=question.id, digest=anchored.digest
        )
        return _answer_of(self._judge(claim, anchored, log, now))

    def _log(self, accreditation: Accreditation | None) -> LogPolicy | None:
        """The log that the issuer anchors in; where the policy has only one, it goes without saying."""
        if accreditation is None:
            return None
        if accreditation.log is None and len(self._policy.logs) == 1:
            return self._policy.logs[0]
        return next((log for log in self._policy.logs if log.origin == accreditation.log), None)

    def _remember(self, log: LogPolicy) -> _Answer | None:
        """Compare a log's checkpoint with the verifier's memory; give what stands against it."""
        known = self._knowledge.logs[log.origin]
        if self._views is None:
            return _unknown("no-view-store", "without a memory of views nobody can exclude a rollback")
        try:
            remembered = self._views.load(log.origin)
            if remembered is not None and remembered.note == known.note:
                return None
            moved = advance_view(self._views, known.note, known.growth, log)
        except Unavailable:
            return _unknown("view-store", "the memory of earlier views can't be used")
        return None if moved else _answer_of(moved)

    def _judge(self, claim: Claim, anchored: Anchored, log: LogPolicy, now: datetime) -> Judgement:
        """Judge one document's anchor, at most once a minute."""
        key = (log.origin, claim)
        then, judgement = self._judged.get(key, (now, None))
        if judgement is None or abs(now - then) >= _RECHECK:
            judgement = self._judge_anew(claim, anchored, log, now)
            self._judged[key] = (now, judgement)
        return judgement

    def _judge_anew(self, claim: Claim, anchored: Anchored, log: LogPolicy, now: datetime) -> Judgement:
        try:
            view = View.verified(self._knowledge.logs[log.origin].note, log)
        except (InvalidProof, Malformed) as error:
            return Judgement(Outcome.INVALID, error.code)
        freshness = Freshness(now, self._policy.max_evidence_age, self._policy.clock_skew)
        evidence = Evidence(anchored.entry, anchored.receipt)
        return judge(claim, evidence, view, policy=log, freshness=freshness)


def _answer_of(judgement: Judgement) -> _Answer:
    """Put a judgement into a check; the code is the outcome's name, or says more where that is coarse."""
    fresh_as_of = judgement.freshness if judgement.code in _PROVEN else None
    if judgement:
        return _Answer(Check.passed(CheckName.ANCHOR), fresh_as_of)
    is_coarse = judgement.outcome is Outcome.UNAVAILABLE or judgement.code == "receipt-older-than-view"
    code = judgement.code if is_coarse else judgement.outcome.value.replace("_", "-")
    reason = _OLDER_RECEIPT if judgement.code == "receipt-older-than-view" else _DETAILS[judgement.outcome]
    detail = f"{reason} ({judgement.code})"
    return _Answer(Check.unknown(CheckName.ANCHOR, code, detail), fresh_as_of)


def _unknown(code: str, detail: str) -> _Answer:
    return _Answer(Check.unknown(CheckName.ANCHOR, code, detail))

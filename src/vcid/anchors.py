"""Whether what an answer rests on is the newest that the ledger holds, at the view the verifier remembers.

Judged are every status list that was read and the DID document of each issuer involved. An anchor passes only
with a receipt at the very checkpoint of the verifier's view, cosigned by enough replaying witnesses, recently
enough. Everything else is *unknown*: bad evidence says nothing against a credential that may be good. But
evidence that contradicts itself or what is remembered can't be tolerated by any policy.

Where enough of a log's witnesses stated that another one took its place, it is judged by both, as
`vcid.ledger.succession` says, and from then on nothing is judged by the old one alone. A statement that they
did not make changes nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from vcid.dids.names import is_intrinsic, lasting_name
from vcid.errors import InvalidProof, Malformed, Unavailable
from vcid.ledger.anchor import Judgement, Outcome, View
from vcid.ledger.entries import Kind
from vcid.ledger.judge import Claim, Evidence, Freshness, judge
from vcid.ledger.succession import Succeeded, is_ended, judge_succeeded
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
_REASONS = {
    "receipt-older-than-view": (
        "the receipt is of an earlier checkpoint than the one known: bring the issuer's newer one"
    ),
    "succeeded": "another log was seen to have taken this one's place: bring its statement and its receipts",
}
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

    def succeeded(self, by: Succeeded) -> _Answer:
        """Say in the check's detail that another log has taken the place of the one in the policy."""
        said = f"judged by {by.policy.origin}, which succeeded {by.former.origin}"
        return replace(
            self, check=replace(self.check, detail="; ".join(filter(None, [self.check.detail, said])))
        )


class Anchors:
    """Judges anchors by a policy's logs, what is known and what is remembered."""

    def __init__(
        self, policy: Policy, knowledge: Knowledge, dids: KnownDids, views: ViewStore | None
    ) -> None:
        self._policy = policy
        self._knowledge = knowledge
        self._dids = dids
        self._views = views
        self._succeeded = dict(_find_successions(policy.logs, knowledge))
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
            if log is not None and self._in_force(log).origin in self._knowledge.logs:
                logs[log.origin] = log
        if not answers:
            nothing = Check.skipped(CheckName.ANCHOR, "the credential rests on nothing that is anchored")
            return [nothing], None
        answers += [answer for log in logs.values() for answer in self._remember(log)]
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
        if self._in_force(log).origin not in self._knowledge.logs:
            return _unknown("no-checkpoint", "no checkpoint of the issuer's log is known")
        claim = Claim(
            owner=accreditation.owner, kind=question.kind, list_id=question.id, digest=anchored.digest
        )
        answer = _answer_of(self._judge(claim, anchored, log, now))
        return answer.succeeded(self._succeeded[log.origin]) if log.origin in self._succeeded else answer

    def _log(self, accreditation: Accreditation | None) -> LogPolicy | None:
        """The log that the issuer anchors in; where the policy has only one, it goes without saying."""
        if accreditation is None:
            return None
        if accreditation.log is None and len(self._policy.logs) == 1:
            return self._policy.logs[0]
        return next((log for log in self._policy.logs if log.origin == accreditation.log), None)

    def _in_force(self, log: LogPolicy) -> LogPolicy:
        """The log that goes on: the successor, if there is one."""
        return self._succeeded[log.origin].policy if log.origin in self._succeeded else log

    def _remember(self, log: LogPolicy) -> list[_Answer]:
        """Compare a log's checkpoint with the verifier's memory; give what stands against it."""
        if self._views is None:
            return [_unknown("no-view-store", "without a memory of views nobody can exclude a rollback")]
        try:
            if log.origin in self._succeeded:
                judgements = self._follow(self._views, log, self._succeeded[log.origin])
            elif is_ended(self._views, log.origin):
                judgements = [Judgement(Outcome.ROLLBACK, "succeeded")]
            else:
                judgements = [self._advance(self._views, log)]
        except Unavailable:
            return [_unknown("view-store", "the memory of earlier views can't be used")]
        return [_answer_of(one) for one in judgements if not one]

    def _follow(self, views: ViewStore, log: LogPolicy, succeeded: Succeeded) -> list[Judgement]:
        """Go over to the new log, from the old one's final checkpoint.

        An old log's checkpoint that is known serves to bring the memory there, and decides nothing else.
        """
        ended = self._advance(views, log)
        followed = succeeded.follow(views)
        judgements = [one for one in (ended, followed) if one is followed or one.outcome is Outcome.FORK]
        return [*judgements, self._advance(views, succeeded.policy)] if followed else judgements

    def _advance(self, views: ViewStore, log: LogPolicy) -> Judgement:
        known, remembered = self._knowledge.logs.get(log.origin), views.load(log.origin)
        if known is None or (remembered is not None and remembered.note == known.note):
            return Judgement(Outcome.OK)
        return advance_view(views, known.note, known.growth, log)

    def _judge(self, claim: Claim, anchored: Anchored, log: LogPolicy, now: datetime) -> Judgement:
        """Judge one document's anchor, at most once a minute."""
        key = (log.origin, claim)
        then, judgement = self._judged.get(key, (now, None))
        if judgement is None or abs(now - then) >= _RECHECK:
            judgement = self._judge_anew(claim, anchored, log, now)
            self._judged[key] = (now, judgement)
        return judgement

    def _judge_anew(self, claim: Claim, anchored: Anchored, log: LogPolicy, now: datetime) -> Judgement:
        policy = self._in_force(log)
        try:
            view = View.verified(self._knowledge.logs[policy.origin].note, policy)
        except (InvalidProof, Malformed) as error:
            return Judgement(Outcome.INVALID, error.code)
        freshness = Freshness(now, self._policy.max_evidence_age, self._policy.clock_skew)
        evidence = Evidence(anchored.entry, anchored.receipt)
        if policy is log or anchored.former is None:
            return judge(claim, evidence, view, policy=policy, freshness=freshness)
        succeeded = self._succeeded[log.origin]
        return judge_succeeded(
            claim, evidence, anchored.former, view, succeeded=succeeded, freshness=freshness
        )


def _find_successions(logs: Iterable[LogPolicy], knowledge: Knowledge) -> Iterator[tuple[str, Succeeded]]:
    """Find the logs in whose place enough of their witnesses let another one stand."""
    for log in logs:
        statement = knowledge.successions.get(log.origin)
        if statement is not None:
            with suppress(InvalidProof, Malformed):
                yield log.origin, Succeeded.verify(statement, log)


def _answer_of(judgement: Judgement) -> _Answer:
    """Put a judgement into a check; the code is the outcome's name, or says more where that is coarse."""
    fresh_as_of = judgement.freshness if judgement.code in _PROVEN else None
    if judgement:
        return _Answer(Check.passed(CheckName.ANCHOR), fresh_as_of)
    is_coarse = judgement.outcome is Outcome.UNAVAILABLE or judgement.code == "receipt-older-than-view"
    code = judgement.code if is_coarse else judgement.outcome.value.replace("_", "-")
    reason = _REASONS.get(judgement.code, _DETAILS[judgement.outcome])
    check = Check.unknown(CheckName.ANCHOR, code, f"{reason} ({judgement.code})")
    return _Answer(replace(check, evidence=judgement.evidence), fresh_as_of)


def _unknown(code: str, detail: str) -> _Answer:
    return _Answer(Check.unknown(CheckName.ANCHOR, code, detail))

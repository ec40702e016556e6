"""Whether what an answer rests on is the newest that the ledger holds, at the view the verifier remembers.

Judged are every status list that was read and the DID document of each issuer involved. An anchor passes only
with a receipt at the very checkpoint of the verifier's view, cosigned by enough replaying witnesses, recently
enough. Evidence that contradicts itself or what is remembered *fails*; missing or old evidence is *unknown*.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from vcid.ledger.anchor import Judgement, Outcome, View
from vcid.ledger.entries import Kind
from vcid.ledger.judge import Claim, Evidence, Freshness, judge
from vcid.ledger.views import advance_view
from vcid.report import Check, CheckName

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from vcid.knowledge import Anchored, Knowledge
    from vcid.ledger.anchor import LogPolicy, ViewStore
    from vcid.policy import Policy
    from vcid.statuses import Holder, UsedList
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
_UNDECIDABLE = frozenset({Outcome.STALE, Outcome.QUORUM, Outcome.UNAVAILABLE})


@dataclass(frozen=True, slots=True)
class _Question:
    """One document whose anchor matters."""

    kind: Kind
    id: str
    anchored: Anchored | None
    accreditation: Accreditation | None


class Anchors:
    """Judges anchors by a policy's logs, what is known and what is remembered."""

    def __init__(self, policy: Policy, knowledge: Knowledge, views: ViewStore | None) -> None:
        self._policy = policy
        self._knowledge = knowledge
        self._views = views
        self._judged: dict[tuple[Kind, str], tuple[datetime, Judgement]] = {}

    def check(
        self, holder: Holder, used: Iterable[UsedList], now: datetime
    ) -> tuple[list[Check], datetime | None]:
        """Judge everything an answer rests on.

        Returns:
            A check for each document, and the oldest time that witnesses vouch for among them.
        """
        checks, times = [], []
        for question in self._questions(holder, used):
            judgement, check = self._answer(question, now)
            checks.append(check)
            if judgement is not None and judgement.freshness is not None:
                times.append(judgement.freshness)
        if not checks:
            checks = [Check.skipped(CheckName.ANCHOR, "the credential rests on nothing that is anchored")]
        return checks, min(times, default=None)

    def _questions(self, holder: Holder, used: Iterable[UsedList]) -> Iterator[_Question]:
        issuers = {holder.issuer: holder.accreditation}
        for status_list in used:
            yield _Question(
                Kind.STATUS_LIST, status_list.list_id, status_list.anchored, status_list.accreditation
            )
            if status_list.accreditation is not None:
                issuers.setdefault(status_list.accreditation.issuer, status_list.accreditation)
        for did, accreditation in issuers.items():
            # A did:key is its own document: there is none to be newer.
            if not did.startswith("did:key:"):
                document = self._knowledge.did_documents.get(did)
                yield _Question(Kind.DID_DOCUMENT, did, document, accreditation)

    def _answer(self, question: _Question, now: datetime) -> tuple[Judgement | None, Check]:
        if question.anchored is None:
            return None, _unknown("nothing-known", "the document is not among what is known")
        accreditation = question.accreditation
        if accreditation is None or accreditation.owner is None:
            return None, _unknown("no-owner", "the policy names no owner of the issuer's ledger entries")
        log = self._log(accreditation)
        if log is None:
            return None, _unknown("no-log", "the policy names no log for the issuer")
        claim = Claim(
            owner=accreditation.owner,
            kind=question.kind,
            list_id=question.id,
            digest=question.anchored.digest,
        )
        remembered = self._remember(log)
        if remembered is not None:
            return None, remembered
        judgement = self._judge(claim, question.anchored, log, now)
        return judgement, _check_of(judgement)

    def _log(self, accreditation: Accreditation) -> LogPolicy | None:
        """The log that the issuer anchors in; where the policy has only one, it goes without saying."""
        if accreditation.log is None and len(self._policy.logs) == 1:
            return self._policy.logs[0]
        return next((log for log in self._policy.logs if log.origin == accreditation.log), None)

    def _remember(self, log: LogPolicy) -> Check | None:
        """Compare the log's checkpoint with the verifier's memory; give what stands against it."""
        known = self._knowledge.logs.get(log.origin)
        if known is None:
            return _unknown("no-checkpoint", "no checkpoint of the issuer's log is known")
        if self._views is None:
            return _unknown(
                "no-view-store", "without a memory of earlier views a rollback can't be ruled out"
            )
        remembered = self._views.load(log.origin)
        if remembered is not None and remembered.note == known.note:
            return None
        moved = advance_view(self._views, known.note, known.growth, log)
        return None if moved else _check_of(moved)

    def _judge(self, claim: Claim, anchored: Anchored, log: LogPolicy, now: datetime) -> Judgement:
        """Judge one document's anchor, at most once a minute."""
        key = (claim.kind, claim.list_id)
        then, judgement = self._judged.get(key, (now, None))
        if judgement is None or abs(now - then) >= _RECHECK:
            view = View.verified(self._knowledge.logs[log.origin].note, log)
            freshness = Freshness(now, self._policy.max_evidence_age, self._policy.clock_skew)
            evidence = Evidence(anchored.entry, anchored.receipt)
            judgement = judge(claim, evidence, view, policy=log, freshness=freshness)
            self._judged[key] = (now, judgement)
        return judgement


def _check_of(judgement: Judgement) -> Check:
    if judgement:
        return Check.passed(CheckName.ANCHOR)
    code = judgement.outcome.value.replace("_", "-")
    detail = f"{_DETAILS[judgement.outcome]} ({judgement.code})"
    outcome = Check.unknown if judgement.outcome in _UNDECIDABLE else Check.failed
    return outcome(CheckName.ANCHOR, code, detail)


def _unknown(code: str, detail: str) -> Check:
    return Check.unknown(CheckName.ANCHOR, code, detail)

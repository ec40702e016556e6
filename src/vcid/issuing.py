"""Orders at the counter: a place in the registry for each, a signature, and a durable answer.

An issuer has two counters: one for credentials that are shown whole, one for base documents, of which their
holders show parts. Each refuses what is the other's, so that a base document is never handed out as what may
be shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vcid.credentials.approvals import Proposal, Replacement
from vcid.credentials.model import BASE_MEDIA_TYPE
from vcid.encoding.json import canonicalize
from vcid.errors import Conflict, InvalidRecord
from vcid.orders import Order, Renewal, Statement
from vcid.status.registry import Request

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from vcid.credentials.approvals import Approval
    from vcid.credentials.model import Credential
    from vcid.drafting import Desk, Practice
    from vcid.encoding.json import JsonObject
    from vcid.status.registry import Issuance, Registry

_REVOKED: Final = "this was revoked before it was issued: another key names another one"


@dataclass(frozen=True, slots=True)
class Issued:
    """What became of one order: a credential, or the error that stood against it."""

    key: str
    credential: Credential | None = None
    error: InvalidRecord | Conflict | None = None


class Counter:
    """Where one issuer's orders are taken.

    Args:
        registry: the issuer's registry.
        desk: where its documents are written and signed.
        practice: how the issuer goes about its work.
        for_bases: whether base documents are issued here, and nothing else.
    """

    def __init__(
        self, registry: Registry, desk: Desk, practice: Practice, *, for_bases: bool = False
    ) -> None:
        self._registry = registry
        self._desk = desk
        self._practice = practice
        self._for_bases = for_bases

    def refuse_unapproved(self) -> None:
        """Refuse to issue without approvals where the practice asks for them.

        Raises:
            Conflict: it does (``approval-needed``).
        """
        if self._practice.approval is not None:
            raise Conflict(
                "approval-needed", "this issuer asks for approval: propose, approve, issue_approved"
            )

    def find(self, key: str) -> Credential | None:
        """The credential issued under a key, if there is one.

        Raises:
            Conflict: it is the other counter's (``other-form``).
        """
        found = self._registry.find(key=key)
        return None if found is None or found.credential is None else self._give(found.credential)

    def issue(self, orders: list[Order]) -> Iterator[Issued]:
        """Validate all, reserve for the good ones, sign, and complete in one transaction.

        What only signing finds at fault gives its key back, so that the corrected record can have it.

        Raises:
            ValueError: an order is for the other counter.
        """
        for order in orders:
            self._require_form({"type": order.record.credential_type})
        now = self._practice.clock()
        answers: list[Issued | None] = [None] * len(orders)
        stated: list[tuple[int, Statement]] = []
        requests: list[Request] = []
        for number, order in enumerate(orders):
            try:
                statement = Statement.of(order, now)
                requests.append(Request(key=order.key, record_digest=statement.digest))
                stated.append((number, statement))
            except InvalidRecord as error:
                answers[number] = Issued(order.key, error=error)
        reserved = self._registry.reserve_many(requests)
        signed = []
        for (number, statement), place in zip(stated, reserved, strict=True):
            if isinstance(place, Conflict):
                answers[number] = Issued(statement.order.key, error=place)
            elif place.credential is not None:
                answers[number] = self._answer(place.key, place.credential)
            else:
                try:
                    document = self._desk.write(statement, place, now)
                    signed.append((number, place, self._desk.sign(document, now)))
                except InvalidRecord as error:
                    self._registry.release(place)
                    answers[number] = Issued(place.key, error=error)
        completed = self._registry.complete_many([(place, credential) for _, place, credential in signed])
        for (number, _, _), done in zip(signed, completed, strict=True):
            answers[number] = self._answer(done.key, done.credential)
        yield from (answer for answer in answers if answer is not None)

    def renew(self, renewal: Renewal) -> Credential:
        """Issue a credential in place of a former one, which is superseded in the same step.

        Raises:
            InvalidRecord, Conflict, ValueError: as ``propose``.
        """
        place, document = self._draft(renewal)
        if place.credential is not None:
            return self._give(place.credential)
        return self._complete(place, document, ())

    def propose(self, order: Order | Renewal, *, is_control_proven: bool = False) -> Proposal:
        """Write a credential as it will be signed, and keep it until it is approved.

        Raises:
            InvalidRecord: the record has faults; all of them are listed.
            Conflict: as ``Registry.reserve``, or the credential was issued already (``issued``), or proposed
                without proof of control (``proposed``).
            ValueError: the order is for the other counter.
        """
        place, document = self._draft(order)
        if place.credential is not None:
            raise Conflict("issued", "the credential of this key was approved and issued already")
        replacement = None
        if isinstance(order, Renewal):
            replacement = Replacement(str(self._former(order)["id"]), dict(order.dids), is_control_proven)
        kept = self._registry.propose(place, Proposal(order.key, canonicalize(document), replacement))
        if is_control_proven and kept.replacement != replacement:
            raise Conflict("proposed", "this waits as proposed without proof of control: withdraw it first")
        return kept

    def complete(self, key: str, approvals: Iterable[Approval]) -> Credential:
        """Sign what was proposed under a key, if enough registrars approved it.

        Raises:
            Conflict: nothing was proposed (``not-found``), or it was revoked (``revoked``); or the approvals
                don't do (``not-approved``, ``bad-approval``, ``stale-approval``); or as ``find``.
            ValueError: the proposal is for the other counter.
        """
        waiting = self._registry.find_proposal(key)
        if waiting is None:
            if (done := self.find(key)) is not None:
                return done
            raise Conflict("not-found", "nothing was proposed under this key")
        place, proposal = waiting
        if place.is_revoked:
            raise Conflict("revoked", _REVOKED)
        self._require_form(proposal.document)
        rule, now = self._practice.approval, self._practice.clock()
        given = rule.check(proposal, approvals, at=now) if rule else ()
        return self._complete(place, proposal.document, given)

    def withdraw(self, key: str) -> None:
        """Give up what was proposed under a key, which is free again unless it was revoked.

        Raises:
            Conflict: nothing was proposed (``not-found``).
        """
        waiting = self._registry.find_proposal(key)
        if waiting is None:
            raise Conflict("not-found", "nothing was proposed under this key")
        self._registry.release(waiting[0])

    def _draft(self, order: Order | Renewal) -> tuple[Issuance, JsonObject]:
        """Reserve for one order and write its credential; what is at fault gives its key back."""
        now = self._practice.clock()
        if isinstance(order, Renewal):
            self._require_form(self._former(order))
            place = self._registry.reserve(order.key, order.digest, succeeds=order.former)
        else:
            self._require_form({"type": order.record.credential_type})
            statement = Statement.of(order, now)
            place = self._registry.reserve(order.key, statement.digest)
        if place.credential is not None:
            return place, {}
        if place.is_revoked:
            raise Conflict("revoked", _REVOKED)
        try:
            if isinstance(order, Renewal):
                return place, self._desk.rewrite(order, self._former(order), place, now)
            return place, self._desk.write(statement, place, now)
        except InvalidRecord:
            self._registry.release(place)
            raise

    def _former(self, renewal: Renewal) -> JsonObject:
        former = self._registry.find(key=renewal.former)
        if former is None or former.credential is None:
            raise Conflict("not-found", "the registry knows no such credential to stand in for")
        return former.credential.unverified_document

    def _complete(self, place: Issuance, document: JsonObject, approvals: Iterable[Approval]) -> Credential:
        signed = self._desk.sign(document, self._practice.clock())
        done = self._registry.complete(place, signed, approvals)
        return self._give(done.credential or signed)

    def _require_form(self, document: JsonObject) -> None:
        """Refuse what is to be issued in the other counter's form, before anything is reserved for it."""
        if self._desk.is_disclosable(document) != self._for_bases:
            whole = "credentials of this type are issued whole: by the issuer itself"
            raise ValueError(
                whole if self._for_bases else "base documents are issued by the issuer's `disclosable`"
            )

    def _give(self, credential: Credential) -> Credential:
        """Hand out what was issued here; by a former practice the other counter may have issued it."""
        if (credential.media_type == BASE_MEDIA_TYPE) != self._for_bases:
            whole = "it was issued as a credential to be shown whole: ask the issuer itself"
            base = "it was issued as a base document: ask the issuer's `disclosable`"
            raise Conflict("other-form", whole if self._for_bases else base)
        return credential

    def _answer(self, key: str, credential: Credential | None) -> Issued:
        try:
            return Issued(key, None if credential is None else self._give(credential))
        except Conflict as error:
            return Issued(key, error=error)

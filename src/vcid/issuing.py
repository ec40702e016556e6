"""Orders at the counter: a place in the registry for each, a signature, and a durable answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcid.credentials.approvals import Proposal
from vcid.encoding.json import canonicalize, parse_object
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
    """

    def __init__(self, registry: Registry, desk: Desk, practice: Practice) -> None:
        self._registry = registry
        self._desk = desk
        self._practice = practice

    def issue(self, orders: list[Order]) -> Iterator[Issued]:
        """Validate all, reserve for the good ones, sign, and complete in one transaction.

        What only signing finds at fault gives its key back, so that the corrected record can have it.
        """
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
                answers[number] = Issued(place.key, place.credential)
            else:
                try:
                    document = self._desk.write(statement, place, now)
                    signed.append((number, place, self._desk.sign(document, now)))
                except InvalidRecord as error:
                    self._registry.release(place)
                    answers[number] = Issued(place.key, error=error)
        completed = self._registry.complete_many([(place, credential) for _, place, credential in signed])
        for (number, _, _), done in zip(signed, completed, strict=True):
            answers[number] = Issued(done.key, done.credential)
        yield from (answer for answer in answers if answer is not None)

    def renew(self, renewal: Renewal) -> Credential:
        """Issue a credential in place of a former one, which is superseded in the same step.

        Raises:
            InvalidRecord, Conflict: as ``propose``.
        """
        place, document = self._draft(renewal)
        if place.credential is not None:
            return place.credential
        return self._complete(place, document, ())

    def propose(self, order: Order | Renewal) -> Proposal:
        """Write a credential as it will be signed, and keep it until it is approved.

        Raises:
            InvalidRecord: the record has faults; all of them are listed.
            Conflict: as ``Registry.reserve``, or the credential was issued already (``issued``).
        """
        place, document = self._draft(order)
        if place.credential is not None:
            raise Conflict("issued", "the credential of this key was approved and issued already")
        return Proposal(order.key, self._registry.propose(place, canonicalize(document)))

    def complete(self, key: str, approvals: Iterable[Approval]) -> Credential:
        """Sign what was proposed under a key, if enough registrars approved it.

        Raises:
            Conflict: nothing was proposed (``not-found``); or the approvals don't do (``not-approved``,
                ``bad-approval``).
        """
        waiting = self._registry.find_proposal(key)
        if waiting is None:
            done = self._registry.find(key=key)
            if done is not None and done.credential is not None:
                return done.credential
            raise Conflict("not-found", "nothing was proposed under this key")
        place, content = waiting
        document = parse_object(content)
        rule = self._practice.approval
        return self._complete(place, document, rule.check(document, approvals) if rule else ())

    def withdraw(self, key: str) -> None:
        """Give up what was proposed under a key, which is free again.

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
            place = self._registry.reserve(order.key, order.digest, succeeds=order.former)
        else:
            statement = Statement.of(order, now)
            place = self._registry.reserve(order.key, statement.digest)
        if place.credential is not None:
            return place, {}
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
        return done.credential or signed

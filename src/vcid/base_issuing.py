"""Issue base documents: credentials of which their holders show parts, and which nobody shows whole.

The registry, status lists, approvals and batches are those of the issuer. What is handed out is a
`BaseDocument`, for the holder to keep: nothing that shows credentials to others takes it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING

from vcid.control import check_rebinding
from vcid.issuers import Audience
from vcid.orders import Order
from vcid.securing.disclosure import BaseDocument

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vcid.credentials.approvals import Approval, Proposal
    from vcid.credentials.envelopes import Presentation
    from vcid.credentials.model import Credential
    from vcid.drafting import Practice
    from vcid.errors import Conflict, InvalidRecord
    from vcid.issuing import Counter
    from vcid.orders import Record, Renewal

CHUNK = 500
"""How many orders are completed in one transaction."""


@dataclass(frozen=True, slots=True)
class IssuedBase:
    """What became of one order: a base document, or the error that stood against it."""

    key: str = field(repr=False)
    base: BaseDocument | None = None
    error: InvalidRecord | Conflict | None = None


class BaseIssuing:
    """Where an issuer issues base documents, as its practice's ``disclosure`` says.

    They are revoked, and shown to have existed, by the issuer itself, under the same keys.

    Args:
        did: the issuer's DID.
        counter: the issuer's counter for base documents.
        practice: how the issuer goes about its work.
        enter: called before anything is issued; it raises where nothing may be.
    """

    def __init__(self, did: str, counter: Counter, practice: Practice, enter: Callable[[], None]) -> None:
        self._did = did
        self._counter = counter
        self._practice = practice
        self._enter = enter

    def issue(self, record: Record, *, key: str, child_did: str | None = None) -> BaseDocument:
        """Issue one base document, or give again the one that the key already stands for.

        Raises:
            ValueError: the practice issues no base documents of this type; or as ``Order``.
            Conflict: the key's credential was issued whole (``other-form``); or as ``Issuer.issue``.
            InvalidRecord, Behind, Unavailable: as ``Issuer.issue``.
        """
        (issued,) = self.issue_many([Order(key=key, record=record, child_did=child_did)])
        if issued.error is not None:
            raise issued.error
        if issued.base is None:
            raise AssertionError("an order is answered by a document or an error")
        return issued.base

    def issue_many(self, orders: Iterable[Order]) -> Iterator[IssuedBase]:
        """Issue many; as ``Issuer.issue_many``, with its answers and errors."""
        self._counter.refuse_unapproved()
        waiting = iter(orders)
        while chunk := list(islice(waiting, CHUNK)):
            self._enter()
            for issued in self._counter.issue(chunk):
                base = None if issued.credential is None else _open(issued.credential)
                yield IssuedBase(issued.key, base, issued.error)

    def renew(self, renewal: Renewal) -> BaseDocument:
        """Issue a base document in place of a former credential; as ``Issuer.renew``, with its errors.

        The former one may have been issued whole, by a former practice.
        """
        self._counter.refuse_unapproved()
        self._enter()
        return _open(self._counter.renew(renewal))

    def rebind(self, renewal: Renewal, control: Presentation, *, challenge: str) -> BaseDocument:
        """Issue a base document for a key that its holder alone has; as ``Issuer.rebind``."""
        audience, practice = Audience(challenge=challenge, domain=self._did), self._practice
        check_rebinding(renewal, control, audience, at=practice.clock(), contexts=practice.contexts)
        return self.renew(renewal)

    def propose_rebinding(self, renewal: Renewal, control: Presentation, *, challenge: str) -> Proposal:
        """Write a credential for a key that its holder alone has; as ``Issuer.propose_rebinding``."""
        audience, practice = Audience(challenge=challenge, domain=self._did), self._practice
        check_rebinding(renewal, control, audience, at=practice.clock(), contexts=practice.contexts)
        self._enter()
        return self._counter.propose(renewal, is_control_proven=True)

    def propose(self, order: Order | Renewal) -> Proposal:
        """Write a credential as it will be signed, whole; as ``Issuer.propose``, with its errors."""
        self._enter()
        return self._counter.propose(order)

    def issue_approved(self, key: str, approvals: Iterable[Approval]) -> BaseDocument:
        """Sign what was proposed; as ``Issuer.issue_approved``, with its errors.

        Registrars approve the whole credential, not what may be shown of it.
        """
        self._enter()
        return _open(self._counter.complete(key, approvals))

    def find(self, key: str) -> BaseDocument | None:
        """The base document issued under a key, if there is one.

        Raises:
            Conflict: what was issued is a credential to be shown whole (``other-form``).
        """
        found = self._counter.find(key)
        return None if found is None else _open(found)


def _open(kept: Credential) -> BaseDocument:
    return BaseDocument.from_json(kept.unverified_document)

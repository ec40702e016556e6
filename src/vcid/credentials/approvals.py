"""Approval by a second registrar: signatures over the whole of a credential before it is issued.

An issuer's key signs what the software gives it, so whoever sits at the software could issue alone. Where an
issuer's practice has an approval rule, a credential is proposed first, exactly as it will be signed, and that
many registrars, each with a key of their own, approve what they have read: every word of it, not a hash that
somebody else computed. The approvals stay in the registry, where an auditor can verify them against the
credential.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vcid.encoding.dates import format_timestamp, utc_now
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Conflict, InvalidProof

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import PublicKey, Signer

_STATEMENT = "vcid credential approval, version 1"


@dataclass(frozen=True, slots=True)
class Proposal:
    """A credential as it will be signed, waiting for approval.

    Attributes:
        key: the caller's key for the record.
        content: the unsigned credential in canonical JSON.
    """

    key: str = field(repr=False)
    content: bytes = field(repr=False)

    @property
    def document(self) -> JsonObject:
        """The unsigned credential, to be read before it is approved."""
        return parse_object(self.content)


@dataclass(frozen=True, slots=True)
class Approval:
    """A registrar's signature over a whole credential.

    Attributes:
        registrar: the registrar's key.
        approved_at: when it was approved, by the registrar's clock, with a time zone.
        signature: over the credential and that moment.
    """

    registrar: PublicKey
    approved_at: datetime
    signature: bytes = field(repr=False)

    def verify(self, credential: JsonObject) -> None:
        """Check that it is this registrar's approval of this credential, signed since or not.

        Raises:
            InvalidProof: it is not.
        """
        self.registrar.verify(self.signature, _message(credential, self.approved_at))


def approve(proposal: Proposal, registrar: Signer, *, clock: Callable[[], datetime] = utc_now) -> Approval:
    """Approve a proposal that the registrar has read.

    Raises:
        Malformed: the proposal is no JSON.
        ValueError: the clock gives no time zone.
    """
    moment = clock().replace(microsecond=0)
    signature = registrar.sign(_message(proposal.document, moment))
    return Approval(registrar.public_key, moment, signature)


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """How many of which registrars have to approve a credential before it is signed.

    Attributes:
        registrars: the keys of those who may.
        needed: how many different ones of them have to; two by default, so that nobody issues alone.

    Raises:
        ValueError: fewer are needed than one, or more than there are.
    """

    registrars: frozenset[PublicKey]
    needed: int = 2

    def __post_init__(self) -> None:
        object.__setattr__(self, "registrars", frozenset(self.registrars))
        if not 1 <= self.needed <= len(self.registrars):
            raise ValueError("an approval rule needs at least one registrar, and at most all of them")

    def check(self, credential: JsonObject, approvals: Iterable[Approval]) -> tuple[Approval, ...]:
        """Check that enough registrars approved a credential, and give one approval of each.

        Raises:
            Conflict: they did not (``not-approved``), or an approval is not by a registrar of the rule, or
                not of this credential (``bad-approval``).
        """
        found: dict[PublicKey, Approval] = {}
        for approval in approvals:
            if approval.registrar not in self.registrars:
                raise Conflict("bad-approval", "an approval is by a key that is no registrar's")
            try:
                approval.verify(credential)
            except InvalidProof as error:
                raise Conflict(
                    "bad-approval", "an approval is not of this credential as it stands"
                ) from error
            found.setdefault(approval.registrar, approval)
        if len(found) < self.needed:
            raise Conflict("not-approved", f"{self.needed} registrars have to approve, {len(found)} did")
        return tuple(found.values())


def _message(credential: JsonObject, moment: datetime) -> bytes:
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    return canonicalize(
        {"statement": _STATEMENT, "approvedAt": format_timestamp(moment), "credential": unsigned}
    )

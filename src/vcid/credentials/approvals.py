"""Approval by a second registrar: signatures over the whole of a credential before it is issued.

An issuer's key signs what the software gives it, so whoever sits at the software could issue alone. Where an
issuer's practice has an approval rule, a credential is proposed first, exactly as it will be signed, and that
many registrars, each with a key of their own, approve what they have read: every word of it, not a hash that
somebody else computed. Where the credential is to take another one's place, they approve that too: which one
ends, and whose identities are replaced. The approvals stay in the registry, where an auditor can verify them
against the credential.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vcid.encoding.dates import format_timestamp, utc_now
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Conflict, InvalidProof

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import PublicKey, Signer

MAX_AGE: Final = timedelta(days=30)
"""For how long an approval serves, by default: who approved a year ago may not approve today."""

_STATEMENT = "vcid credential approval, version 1"
_CLOCK_SKEW = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Replacement:
    """What a credential does beside what it says: it ends another one. It is in no credential.

    Attributes:
        credential_id: the id of the credential that ends.
        dids: the DIDs that it is bound to and the new one is not, with those in their places.
        is_control_proven: whether the holder of the new DID proved to the issuer to have its key.
    """

    credential_id: str
    dids: Mapping[str, str] = field(hash=False)
    is_control_proven: bool = False

    def to_json(self) -> JsonObject:
        """What registrars sign of it."""
        return {
            "credential": self.credential_id,
            "dids": dict(self.dids),
            "controlProven": self.is_control_proven,
        }


@dataclass(frozen=True, slots=True)
class Proposal:
    """A credential as it will be signed, waiting for approval.

    Attributes:
        key: the caller's key for the record.
        content: the unsigned credential in canonical JSON.
        replacement: the credential that it puts an end to, if any.
    """

    key: str = field(repr=False)
    content: bytes = field(repr=False)
    replacement: Replacement | None = field(default=None, repr=False)

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
        signature: over the credential, that moment and the replacement.
        replacement: the credential that the registrar agreed to end, if any.
    """

    registrar: PublicKey
    approved_at: datetime
    signature: bytes = field(repr=False)
    replacement: Replacement | None = field(default=None, repr=False)

    def verify(self, credential: JsonObject) -> None:
        """Check that it is this registrar's approval of this credential, signed since or not.

        Raises:
            InvalidProof: it is not.
        """
        self.registrar.verify(self.signature, _message(credential, self.approved_at, self.replacement))


def approve(proposal: Proposal, registrar: Signer, *, clock: Callable[[], datetime] = utc_now) -> Approval:
    """Approve a proposal that the registrar has read.

    Raises:
        Malformed: the proposal is no JSON.
        ValueError: the clock gives no time zone.
    """
    moment = clock().replace(microsecond=0)
    signature = registrar.sign(_message(proposal.document, moment, proposal.replacement))
    return Approval(registrar.public_key, moment, signature, proposal.replacement)


@dataclass(frozen=True, slots=True)
class ApprovalRule:
    """How many of which registrars have to approve a credential before it is signed.

    Attributes:
        registrars: the keys of those who may.
        needed: how many different ones of them have to; two by default, so that nobody issues alone.
        max_age: how old an approval may be when the credential is signed.

    Raises:
        ValueError: fewer are needed than one, or more than there are; or an approval may have no age.
    """

    registrars: frozenset[PublicKey]
    needed: int = 2
    max_age: timedelta = MAX_AGE

    def __post_init__(self) -> None:
        object.__setattr__(self, "registrars", frozenset(self.registrars))
        if not 1 <= self.needed <= len(self.registrars):
            raise ValueError("an approval rule needs at least one registrar, and at most all of them")
        if self.max_age <= timedelta(0):
            raise ValueError("an approval rule lets an approval be of some age")

    def check(
        self, proposal: Proposal, approvals: Iterable[Approval], *, at: datetime
    ) -> tuple[Approval, ...]:
        """Check that enough registrars approved what is proposed, and give one approval of each.

        Args:
            proposal: what is to be signed.
            approvals: those given.
            at: the time, with a time zone.

        Raises:
            Conflict: they did not (``not-approved``), or an approval is not by a registrar of the rule, or
                not of this credential in the place of that one (``bad-approval``), or too old, or later than
                now (``stale-approval``).
        """
        found: dict[PublicKey, Approval] = {}
        for approval in approvals:
            self._check_one(proposal, approval, at)
            found.setdefault(approval.registrar, approval)
        if len(found) < self.needed:
            raise Conflict("not-approved", f"{self.needed} registrars have to approve, {len(found)} did")
        return tuple(found.values())

    def _check_one(self, proposal: Proposal, approval: Approval, at: datetime) -> None:
        if approval.registrar not in self.registrars:
            raise Conflict("bad-approval", "an approval is by a key that is no registrar's")
        if approval.replacement != proposal.replacement:
            raise Conflict("bad-approval", "an approval is of ending another credential than this one ends")
        try:
            approval.verify(proposal.document)
        except InvalidProof as error:
            raise Conflict("bad-approval", "an approval is not of this credential as it stands") from error
        if not -_CLOCK_SKEW <= at - approval.approved_at <= self.max_age:
            raise Conflict("stale-approval", "an approval is too old, or of a later time: approve again")


def _message(credential: JsonObject, moment: datetime, replacement: Replacement | None) -> bytes:
    unsigned = {name: value for name, value in credential.items() if name != "proof"}
    statement: JsonObject = {
        "statement": _STATEMENT,
        "approvedAt": format_timestamp(moment),
        "credential": unsigned,
    }
    if replacement is not None:
        statement["replaces"] = replacement.to_json()
    return canonicalize(statement)

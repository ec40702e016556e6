"""What an issuer is asked for: a credential about a record, or one in place of another issued before."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcid.credentials.birth import BirthRegistration, latest_day
from vcid.credentials.delegation import Delegation
from vcid.credentials.guardianship import Guardianship
from vcid.dids.methods import child_identity
from vcid.dids.urls import is_did
from vcid.encoding.dates import format_timestamp
from vcid.encoding.json import canonicalize
from vcid.errors import FieldError, InvalidRecord, Malformed
from vcid.status.issuances import check_key

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject

_DRAWN = ("id", "childRef", "arrangementId")
"""Members of a subject that are drawn at random where the caller gives none."""

Record = BirthRegistration | Guardianship | Delegation


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One credential to be issued.

    Attributes:
        key: the caller's own key for the record; it never leaves the registry.
        record: what the credential says.
        child_did: the child's DID in a birth registration; a fresh one whose key is not kept, by default.
        valid_until: when a birth registration's credential ends. A birth is a fact: by default, never.

    Raises:
        TypeError: the key is no text, or the record is none that can be issued.
        ValueError: the key is empty, too long or no Unicode text, the end has no time zone, or a record that
            has a period of its own, as all but births have, is given a child's DID or an end.
    """

    key: str
    record: Record
    child_did: str | None = None
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        check_key(self.key)
        if not isinstance(self.record, Record):
            raise TypeError("a record is a BirthRegistration, a Guardianship or a Delegation")
        if self.valid_until is not None and self.valid_until.utcoffset() is None:
            raise ValueError("valid_until needs a time zone")
        if not isinstance(self.record, BirthRegistration) and (self.child_did or self.valid_until):
            raise ValueError("a guardianship or delegation states whom it is about and its period itself")


@dataclass(frozen=True, slots=True, kw_only=True)
class Renewal:
    """A credential to be issued again, bound to other identities, in place of one that was issued before.

    What it says is taken from the registry; nobody types it again.

    Attributes:
        key: the caller's own key for the new credential.
        former: the key of the credential that it stands in for, which is superseded.
        dids: the DIDs that take the place of those in the former credential's subject, by the former ones.

    Raises:
        TypeError: a key is no text.
        ValueError: a key is empty or too long, both are one, or an identifier is no DID.
    """

    key: str
    former: str
    dids: Mapping[str, str]

    def __post_init__(self) -> None:
        check_key(self.key)
        check_key(self.former)
        if self.key == self.former:
            raise ValueError("the new credential has a key of its own")
        if not all(is_did(did) for did in (*self.dids, *self.dids.values())):
            raise ValueError("dids maps DIDs to DIDs")

    @property
    def digest(self) -> bytes:
        """A digest of what is asked for; the same request sent twice has the same."""
        return hashlib.sha256(canonicalize({"former": self.former, "dids": dict(self.dids)})).digest()

    def rewrite(self, former: JsonObject) -> JsonObject:
        """Write a former credential with the new identities in its subject, otherwise as it was.

        Raises:
            InvalidRecord: a DID to be replaced does not stand in it.
        """
        seen: set[str] = set()
        subject = _replace(former["credentialSubject"], self.dids, seen)
        if self.dids.keys() - seen:
            expected = "DIDs of the former credential's subject, to be replaced"
            raise InvalidRecord([FieldError("/dids", "not-in-credential", expected)])
        return {**former, "credentialSubject": subject}


@dataclass(frozen=True, slots=True)
class Statement:
    """An order whose record was found good: what the credential will say.

    Attributes:
        order: the order.
        subject: the credential's subject.
        evidence: its evidence.
    """

    order: Order
    subject: JsonObject
    evidence: list[JsonObject]

    @classmethod
    def of(cls, order: Order, now: datetime) -> Statement:
        """Validate a record and write its subject, under the child's DID where it has one.

        Raises:
            InvalidRecord: with every fault.
        """
        record = order.record
        with faults_of_the_record():
            if isinstance(record, BirthRegistration):
                record.validate(latest_day(now))
                child_did = order.child_did or child_identity().did
                return cls(order, record.to_subject(child_did), record.evidence_json())
            return cls(order, record.to_subject(), [])

    @property
    def digest(self) -> bytes:
        """A digest of what the caller said; the same form sent twice has the same, whatever was drawn.

        Raises:
            InvalidRecord: something stated can't be written.
        """
        order = self.order
        stated: JsonObject = {
            "type": order.record.credential_type,
            "subject": {name: value for name, value in self.subject.items() if name not in _DRAWN},
            "evidence": [*self.evidence],
        }
        with faults_of_the_record():
            if order.child_did is not None:
                stated["childDid"] = order.child_did
            if order.valid_until is not None:
                stated["validUntil"] = format_timestamp(order.valid_until)
            if isinstance(order.record, Delegation):
                stated["delegation"] = order.record.terms_json()
            return hashlib.sha256(canonicalize(stated)).digest()


@contextmanager
def faults_of_the_record() -> Iterator[None]:
    """Raise as faults of one record what writing it runs into, so that its neighbours can be told apart.

    Raises:
        InvalidRecord: in place of errors that a value, such as a moment at the edge of time, causes.
    """
    try:
        yield
    except Malformed as error:
        raise InvalidRecord([FieldError(error.where or "/", error.code, error.expected)]) from error
    except (ValueError, OverflowError) as error:
        expected = "values that can be written, with moments in the years 1 to 9999 of UTC"
        raise InvalidRecord([FieldError("/", "out-of-range", expected)]) from error


def _replace(value: JSON, dids: Mapping[str, str], seen: set[str]) -> JSON:
    """Copy a value with DIDs replaced where they stand alone; ``seen`` collects those that did."""
    if isinstance(value, dict):
        return {name: _replace(member, dids, seen) for name, member in value.items()}
    if isinstance(value, list):
        return [_replace(item, dids, seen) for item in value]
    if isinstance(value, str) and value in dids:
        seen.add(value)
        return dids[value]
    return value

"""From a record to a signed credential: what an issuer writes, secures and checks before anybody sees it."""

from __future__ import annotations

import hashlib
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from vcid.credentials.birth import BirthRegistration, latest_day
from vcid.credentials.guardianship import Guardianship
from vcid.credentials.model import Credential, Draft, build
from vcid.credentials.schema import SchemaOutcome, check_schema
from vcid.dids.methods import child_identity, did_web_url
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import format_timestamp, utc_now
from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType
from vcid.errors import FieldError, InvalidProof, InvalidRecord, Malformed, ResolutionFailed
from vcid.securing.cryptosuites import SUITES
from vcid.securing.data_integrity import ProofDemand, ProofOptions, add_proof, verify_proof
from vcid.status.bitstring import ListPeriod, build_status_list
from vcid.status.issuances import check_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from vcid.dids.documents import DidDocument, VerificationMethod
    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import Signer
    from vcid.status.registry import Issuance, ListSnapshot

LIST_VALIDITY = timedelta(days=90)
"""How long a published status list holds, by default; verifiers ask for far fresher ones."""

_SUITE_OF_KEY = {
    KeyType.ED25519: "eddsa-jcs-2022",
    KeyType.P256: "ecdsa-jcs-2019",
    KeyType.P384: "ecdsa-jcs-2019",
}

_DRAWN = ("id", "childRef", "arrangementId")
"""Members of a subject that are drawn at random where the caller gives none."""

Record = BirthRegistration | Guardianship


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """How an issuer goes about its work.

    Attributes:
        cryptosuite: how credentials and lists are secured; by default the JCS suite for the signer's key.
        status_url: the URL below which status lists are found; by default ``/status`` at a did:web's host.
        list_validity: how long a published list holds.
        document: the issuer's DID document as it is published; by default one that lists every key that
            the issuer signed with. A key that was retired stays listed: what it signed still verifies.
        clock: gives the current time, with a time zone.
        contexts: the JSON-LD contexts known.
    """

    cryptosuite: str | None = None
    status_url: str | None = None
    list_validity: timedelta = LIST_VALIDITY
    document: JsonObject | None = None
    clock: Callable[[], datetime] = utc_now
    contexts: Contexts = field(default_factory=Contexts.carried)


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
        ValueError: the key is empty, too long or no Unicode text, the end has no time zone, or a
            guardianship, which has a period and guardians of its own, is given a child's DID or an end.
    """

    key: str
    record: Record
    child_did: str | None = None
    valid_until: datetime | None = None

    def __post_init__(self) -> None:
        check_key(self.key)
        if not isinstance(self.record, Record):
            raise TypeError("a record is a BirthRegistration or a Guardianship")
        if self.valid_until is not None and self.valid_until.utcoffset() is None:
            raise ValueError("valid_until needs a time zone")
        if isinstance(self.record, Guardianship) and (self.child_did or self.valid_until):
            raise ValueError("a guardianship states its dependent and its period itself")


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
        with _faults_of_the_record():
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
        with _faults_of_the_record():
            if order.child_did is not None:
                stated["childDid"] = order.child_did
            if order.valid_until is not None:
                stated["validUntil"] = format_timestamp(order.valid_until)
            return hashlib.sha256(canonicalize(stated)).digest()


class Desk:
    """Where one issuer's documents are written and signed.

    Args:
        document: the issuer's DID document.
        signer: signs with a key that the document lists for assertions.
        practice: how the issuer goes about its work.

    Raises:
        ValueError: the cryptosuite does not fit the key, the DID document does not list it, or no place for
            status lists can be derived.
    """

    def __init__(self, document: DidDocument, signer: Signer, practice: Practice) -> None:
        did = document.id
        self._did = did
        self._signer = signer
        self._practice = practice
        self._cryptosuite = practice.cryptosuite or _SUITE_OF_KEY[signer.public_key.key_type]
        if signer.public_key.key_type not in SUITES[self._cryptosuite].key_types:
            raise ValueError(f"{self._cryptosuite} is not signed with keys of this kind")
        self.status_url = practice.status_url or _default_status_url(did)
        self._method = _method_of(document, signer)

    def write(self, statement: Statement, place: Issuance, now: datetime) -> Credential:
        """Write, secure and verify the credential of one statement, in the place the registry gave it.

        Raises:
            InvalidRecord: the result does not conform to its schema, or can't be written or secured.
        """
        with _faults_of_the_record():
            return self._write(statement, place, now)

    def _write(self, statement: Statement, place: Issuance, now: datetime) -> Credential:
        record = statement.order.record
        start, end = now, statement.order.valid_until
        if isinstance(record, Guardianship):
            start, end = record.valid_from, record.valid_until
        document = build(
            Draft(
                id=place.credential_id,
                issuer=self._did,
                types=[record.credential_type],
                subject=statement.subject,
                valid_from=start,
                valid_until=end,
                status=[entry.to_json() for entry in place.entries],
                schemas=[{"id": record.schema_id, "type": "JsonSchema"}],
                evidence=statement.evidence,
            )
        )
        secured = self._secure(document, now)
        for result in check_schema(secured):
            if result.outcome is not SchemaOutcome.PASSED:
                fault = FieldError("/credentialSchema", result.reason, "a schema that is carried")
                raise InvalidRecord(result.faults or [fault])
        return Credential.from_json(secured)

    def write_list(self, snapshot: ListSnapshot) -> bytes:
        """Write and secure the next version of a status list, in canonical JSON."""
        now = self._practice.clock()
        document = build_status_list(
            snapshot.bits,
            list_id=snapshot.list_id,
            issuer=self._did,
            purposes=[snapshot.purpose],
            period=ListPeriod(valid_from=now, valid_until=now + self._practice.list_validity),
        )
        return canonicalize(self._secure(document, now))

    def _secure(self, document: JsonObject, now: datetime) -> JsonObject:
        """Sign a document, and verify the result before anybody sees it."""
        options = ProofOptions(
            verification_method=self._method.id, cryptosuite=self._cryptosuite, created=now
        )
        contexts = self._practice.contexts
        secured = add_proof(document, self._signer, options, contexts=contexts)
        demand = ProofDemand(suites=frozenset({self._cryptosuite}), at=now)
        verify_proof(secured, resolve=lambda _url, _purpose: self._method, demand=demand, contexts=contexts)
        return secured


@contextmanager
def _faults_of_the_record() -> Iterator[None]:
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


def _method_of(document: DidDocument, signer: Signer) -> VerificationMethod:
    """Find the method by which an issuer's DID document lets a key make assertions.

    Raises:
        ValueError: there is none.
    """
    for method in document.methods:
        if method.public_key == signer.public_key:
            with suppress(InvalidProof, ResolutionFailed):
                return document.method(method.id, "assertionMethod")
    raise ValueError("the issuer's DID document does not list the signer's key for assertionMethod")


def _default_status_url(did: str) -> str:
    """Status lists of a did:web stand below its own host or path.

    Raises:
        ValueError: the DID is of another method, so that the practice has to name the URL.
    """
    if not did.startswith("did:web:"):
        raise ValueError("an issuer that is no did:web needs a status_url in its practice")
    return did_web_url(did).removesuffix("/did.json").removesuffix("/.well-known") + "/status"

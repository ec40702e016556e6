"""From a statement to a signed credential: what an issuer writes, secures and checks before it is seen."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Generic, TypeVar

from vcid.credentials.birth import BirthRegistration
from vcid.credentials.model import BASE_MEDIA_TYPE, Credential, Draft, build
from vcid.credentials.model_rules import has_type
from vcid.credentials.presets import DISCLOSABLE_TYPES, get_mandatory_pointers
from vcid.credentials.schema import SchemaOutcome, check_schema
from vcid.dids.documents import DidDocument, did_document
from vcid.dids.methods import did_web_url
from vcid.dids.names import WEBVH
from vcid.dids.webvh import WebvhFiles, read_history
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import format_timestamp, utc_now
from vcid.encoding.json import canonicalize
from vcid.errors import FieldError, InvalidProof, InvalidRecord, ResolutionFailed
from vcid.orders import faults_of_the_record
from vcid.securing.cryptosuites import JCS_SUITES, SUITES
from vcid.securing.data_integrity import ProofDemand, ProofOptions, add_proof, verify_proofs
from vcid.securing.disclosure import add_base_proof
from vcid.status.bitstring import ListPeriod, build_status_list

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vcid.credentials.approvals import ApprovalRule
    from vcid.dids.documents import VerificationMethod
    from vcid.dids.key_material import DocumentKey
    from vcid.encoding.json import JsonObject
    from vcid.keys.bbs import BbsSigner
    from vcid.keys.signing import Signer
    from vcid.orders import Renewal, Statement
    from vcid.status.registry import Issuance, ListSnapshot

Key = TypeVar("Key", bound="Signer | BbsSigner")

LIST_VALIDITY = timedelta(days=90)
"""How long a published status list holds, by default; verifiers ask for far fresher ones."""


@dataclass(frozen=True, slots=True)
class Disclosure:
    """How credentials are issued of which their holders are to show parts: those about births.

    They carry the one base proof, and no proof by second signers. Status lists and all other credentials
    are secured by the issuer's own key, as without this.

    Attributes:
        cryptosuite: ``ecdsa-sd-2023``, for P-256 keys; or ``bbs-2023``, for BLS12-381 keys. A base document
            of bbs-2023 is in no batch that shows when it existed: what it derives is to be unlinkable. That
            the status index, the ids and the child's reference link it all the same, a holder has to know.
        signer: a key of that kind, which the DID document lists for assertions; the issuer's own by default.
            When it is replaced, the practice's ``document`` has to list the former one too.

    Raises:
        ValueError: it is no suite for selective disclosure.
    """

    cryptosuite: str = "ecdsa-sd-2023"
    signer: Signer | BbsSigner | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if self.cryptosuite not in SUITES or not SUITES[self.cryptosuite].is_selective:
            raise ValueError("a suite for selective disclosure: ecdsa-sd-2023 or bbs-2023")


@dataclass(frozen=True, slots=True, kw_only=True)
class Practice:
    """How an issuer goes about its work.

    Attributes:
        cryptosuite: how credentials and lists are secured; by default the JCS suite for the signer's key.
        second_signers: keys that secure them as well, each by a proof of its own in the JCS suite for its
            kind. One of ML-DSA lets a credential convince when the signer's own kind no longer does.
        status_url: the URL below which status lists are found; by default ``/status`` at a did:web's host.
        list_validity: how long a published list holds.
        disclosure: how births are issued so that their holders can show parts: as base documents, which
            ``Issuer.disclosable`` hands out. By default, they are issued to be shown whole.
        approval: who has to approve a credential before it is signed; nobody, by default.
        document: the issuer's DID document as it is published; by default one that lists every key that
            the issuer signed with. A key that was retired stays listed: what it signed still verifies.
        did_log: a did:webvh's ``did.jsonl`` as it is published, whose newest version is the document; a
            did:webvh needs it.
        did_witness: its ``did-witness.json``, where the log needs witnesses.
        clock: gives the current time, with a time zone.
        contexts: the JSON-LD contexts known.
    """

    cryptosuite: str | None = None
    second_signers: tuple[Signer, ...] = ()
    status_url: str | None = None
    list_validity: timedelta = LIST_VALIDITY
    disclosure: Disclosure | None = None
    approval: ApprovalRule | None = None
    document: JsonObject | None = None
    did_log: bytes | None = field(default=None, repr=False)
    did_witness: bytes | None = field(default=None, repr=False)
    clock: Callable[[], datetime] = utc_now
    contexts: Contexts = field(default_factory=Contexts.carried)


def read_own_document(did: str, practice: Practice, keys: Sequence[DocumentKey]) -> DidDocument:
    """Read an issuer's DID document as its practice publishes it, or write one that lists these keys.

    Raises:
        ValueError: what the practice gives is no DID document or log of this issuer's, or a did:webvh's is
            missing.
    """
    listed: dict[DocumentKey, None] = dict.fromkeys(
        [*keys, *(second.public_key for second in practice.second_signers)]
    )
    if practice.disclosure is not None and practice.disclosure.signer is not None:
        listed[practice.disclosure.signer.public_key] = None
    try:
        if practice.did_log is not None:
            return _read_own_log(did, practice, practice.did_log)
        if did.startswith(WEBVH):
            raise ValueError("the practice of a did:webvh has its did_log")
        document = DidDocument.parse(practice.document or did_document(did, [*listed]))
    except ResolutionFailed as error:
        raise ValueError(f"the practice's document is no DID document: {error}") from error
    if document.id != did:
        raise ValueError("the practice's document is another DID's")
    return document


def _read_own_log(did: str, practice: Practice, log: bytes) -> DidDocument:
    files = WebvhFiles.of(log, practice.did_witness)
    newest = read_history(did, files, now=practice.clock()).versions[-1]
    if newest.deactivated:
        raise ValueError("the practice's DID was deactivated")
    document = newest.document
    if practice.document is not None and DidDocument.parse(practice.document) != document:
        raise ValueError("the practice's document is not the newest of its did_log")
    return document


class Desk:
    """Where one issuer's documents are written and signed.

    Args:
        document: the issuer's DID document.
        signer: signs with a key that the document lists for assertions.
        practice: how the issuer goes about its work.

    Raises:
        ValueError: the cryptosuite does not fit the key, the DID document does not list it, no place for
            status lists can be derived, or births are to have both a base proof and second proofs.
    """

    def __init__(self, document: DidDocument, signer: Signer, practice: Practice) -> None:
        self._did = document.id
        self._practice = practice
        self._seals = (
            Seal.of(document, signer, practice.cryptosuite),
            *(Seal.of(document, second) for second in practice.second_signers),
        )
        self._base_seal: Seal[Signer | BbsSigner] | None = None
        if (disclosure := practice.disclosure) is not None:
            if practice.second_signers:
                raise ValueError("a base proof stands alone: no second signers beside disclosure")
            self._base_seal = Seal.of(document, disclosure.signer or signer, disclosure.cryptosuite)
        self.status_url = practice.status_url or _default_status_url(document.id)

    def is_disclosable(self, document: JsonObject) -> bool:
        """Whether a credential is to be issued as a base document, of which its holder shows parts."""
        return self._base_seal is not None and any(has_type(document, name) for name in DISCLOSABLE_TYPES)

    def write(self, statement: Statement, place: Issuance, now: datetime) -> JsonObject:
        """Write the credential of one statement, unsigned, in the place the registry gave it.

        Raises:
            InvalidRecord: the result does not conform to its schema, or can't be written.
        """
        record = statement.order.record
        start, end = now, statement.order.valid_until
        if not isinstance(record, BirthRegistration):
            start, end = record.valid_from, record.valid_until
        with faults_of_the_record():
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
        return _conforming(document)

    def rewrite(self, renewal: Renewal, former: JsonObject, place: Issuance, now: datetime) -> JsonObject:
        """Write the credential that stands in for a former one, unsigned: the same claims, newly bound.

        A birth is certified anew from now on; a guardianship keeps the period that it has.

        Raises:
            InvalidRecord: the result does not conform to its schema, or names other identities.
        """
        document = {name: value for name, value in renewal.rewrite(former).items() if name != "proof"}
        document |= {
            "id": place.credential_id,
            "issuer": self._did,
            "credentialStatus": [entry.to_json() for entry in place.entries],
        }
        if has_type(document, BirthRegistration.credential_type):
            document["validFrom"] = format_timestamp(now)
        return _conforming(document)

    def sign(self, document: JsonObject, now: datetime) -> Credential:
        """Secure a credential that was written here, and verify the result before anybody sees it.

        Returns:
            The credential; of `BASE_MEDIA_TYPE` where it is a base document.

        Raises:
            InvalidRecord: it can't be secured.
        """
        with faults_of_the_record():
            if self._base_seal is not None and self.is_disclosable(document):
                based = self._add_base_proof(document, self._base_seal, now)
                return Credential(BASE_MEDIA_TYPE, canonicalize(based))
            return Credential.from_json(self._secure(document, now))

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

    def _add_base_proof(
        self, document: JsonObject, seal: Seal[Signer | BbsSigner], now: datetime
    ) -> JsonObject:
        options = ProofOptions(verification_method=seal.method.id, cryptosuite=seal.cryptosuite, created=now)
        contexts = self._practice.contexts
        base = add_base_proof(
            document,
            seal.signer,
            options,
            mandatory_pointers=get_mandatory_pointers(document),
            contexts=contexts,
        )
        demand = ProofDemand(suites=frozenset({seal.cryptosuite}), at=now)
        base.verify(resolve=lambda _url, _purpose: seal.method, demand=demand, contexts=contexts)
        return base.to_json()

    def _secure(self, document: JsonObject, now: datetime) -> JsonObject:
        """Sign a document with every key, and verify the result before anybody sees it."""
        contexts = self._practice.contexts
        secured = document
        for seal in self._seals:
            options = ProofOptions(
                verification_method=seal.method.id, cryptosuite=seal.cryptosuite, created=now
            )
            secured = add_proof(secured, seal.signer, options, contexts=contexts)
        methods = {seal.method.id: seal.method for seal in self._seals}
        suites = frozenset(seal.cryptosuite for seal in self._seals)
        demand = ProofDemand(suites=suites, required_suites=suites, at=now)
        verify_proofs(secured, resolve=lambda url, _: methods[url], demand=demand, contexts=contexts)
        return secured


@dataclass(frozen=True, slots=True)
class Seal(Generic[Key]):
    """One of an issuer's keys, with the method that lists it and the suite that it secures documents in."""

    signer: Key
    method: VerificationMethod
    cryptosuite: str

    @classmethod
    def of(cls, document: DidDocument, signer: Key, cryptosuite: str | None = None) -> Seal[Key]:
        """Find the method by which an issuer's DID document lets a key make assertions.

        Raises:
            ValueError: there is none, or the suite does not fit the key.
        """
        key_type = signer.public_key.key_type
        suite = cryptosuite or JCS_SUITES.get(key_type)
        if suite is None or key_type not in SUITES[suite].key_types:
            raise ValueError(f"{suite or 'no JCS suite'} is signed with {key_type} keys")
        for method in document.methods:
            if method.public_key == signer.public_key:
                with suppress(InvalidProof, ResolutionFailed):
                    return Seal(signer, document.method(method.id, "assertionMethod"), suite)
        raise ValueError("the issuer's DID document does not list the signer's key for assertionMethod")


def _conforming(document: JsonObject) -> JsonObject:
    """Give a document back if it conforms to the schemas that it names.

    Raises:
        InvalidRecord: it does not; with every fault.
    """
    for result in check_schema(document):
        if result.outcome is not SchemaOutcome.PASSED:
            fault = FieldError("/credentialSchema", result.reason, "a schema that is carried")
            raise InvalidRecord(result.faults or [fault])
    return document


def _default_status_url(did: str) -> str:
    """Status lists of a did:web stand below its own host or path.

    Raises:
        ValueError: the DID is of another method, so that the practice has to name the URL.
    """
    if not did.startswith("did:web:"):
        raise ValueError("an issuer that is no did:web needs a status_url in its practice")
    return did_web_url(did).removesuffix("/did.json").removesuffix("/.well-known") + "/status"

"""DID documents: reading them strictly, writing them, and finding the key that may check a proof.

Follows Decentralized Identifiers 1.0 and 1.1 for the document, and Controlled Identifiers 1.0 for
verification methods, their relationships and the algorithm "Retrieve Verification Method".
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from vcid.dids.key_material import read_key
from vcid.dids.urls import MAX_DID_CHARS, DidUrl, is_did, is_did_url, parse_did, parse_did_url
from vcid.encoding.dates import parse_timestamp
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import InvalidProof, LimitExceeded, Malformed, ResolutionFailed
from vcid.keys.agreement import AgreementKey

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from vcid.dids.key_material import DocumentKey, VerifyingKey
    from vcid.encoding.json import JSON, JsonObject

__all__ = [
    "DidDocument",
    "DidUrl",
    "KeyAgreementMethod",
    "Resolver",
    "VerificationMethod",
    "did_document",
    "parse_did",
    "parse_did_url",
]

MAX_METHODS = 1000
MAX_DOCUMENT_BYTES = 1 << 20
DID_CONTEXT = "https://www.w3.org/ns/did/v1"
MULTIKEY_CONTEXT = "https://w3id.org/security/multikey/v1"
_CANONICAL_DEPTH = 200  # what canonicalize lets through
PURPOSES = (
    "authentication",
    "assertionMethod",
    "keyAgreement",
    "capabilityInvocation",
    "capabilityDelegation",
)

_URL_PATTERN = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*+:[^\s\x00-\x20\x7f]++")


@dataclass(frozen=True, slots=True, kw_only=True)
class VerificationMethod:
    """A key that a DID document lists (Controlled Identifiers 1.0, section "Verification Methods").

    Attributes:
        id: the absolute DID URL that proofs name.
        controller: the DID that the method says it belongs to.
        public_key: the key that checks signatures, or proofs derived from them.
        revoked: from when on the method must not be used.
        expires: from when on the method should not be used.
    """

    id: str
    type: str
    controller: str
    public_key: VerifyingKey
    revoked: datetime | None = None
    expires: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyAgreementMethod:
    """A key for agreeing on a secret; but for its kind it is listed as a verification method is."""

    id: str
    type: str
    controller: str
    key: AgreementKey
    revoked: datetime | None = None
    expires: datetime | None = None


Listed = TypeVar("Listed", VerificationMethod, KeyAgreementMethod)


@dataclass(frozen=True, slots=True)
class DidDocument:
    """A DID document that was read and found well formed. Equality is that of the canonical content.

    Attributes:
        id: the DID that the document is about.
        canonical: the document in the JSON Canonicalization Scheme (RFC 8785).
        methods: the methods whose keys can check a proof here.
        agreement_methods: the methods whose keys serve key agreement alone.
        unusable: the ids of the others: unknown types and curves, or no controller stated.
        relationships: for each purpose, the absolute ids of the methods allowed for it.
        deactivated: whether the DID's own method declares it deactivated.
    """

    id: str
    canonical: bytes
    methods: tuple[VerificationMethod, ...] = field(compare=False)
    agreement_methods: tuple[KeyAgreementMethod, ...] = field(compare=False)
    unusable: frozenset[str] = field(compare=False)
    relationships: Mapping[str, frozenset[str]] = field(compare=False)
    deactivated: bool = False

    @classmethod
    def parse(
        cls, content: JsonObject, *, deactivated: bool = False, allow_relative: bool = True
    ) -> DidDocument:
        """Read a document.

        Args:
            content: the parsed JSON; it is copied.
            deactivated: what resolution said beside the document.
            allow_relative: whether ids like ``#key-1`` are read against the document's id; did:web forbids
                them.

        Raises:
            ResolutionFailed: ``invalidDidDocument``; its ``__cause__`` is the ``Malformed`` that says where.
        """
        try:
            canonical = _canonical(content)
            reading = _Reading(_read_id(content), allow_relative=allow_relative)
            reading.read(content)
        except Malformed as error:
            raise ResolutionFailed("invalidDidDocument", str(error)) from error
        return cls(
            id=reading.did,
            canonical=canonical,
            methods=tuple(reading.methods),
            agreement_methods=tuple(reading.agreement_methods),
            unusable=frozenset(reading.unusable),
            relationships=MappingProxyType({name: frozenset(ids) for name, ids in reading.purposes.items()}),
            deactivated=deactivated,
        )

    @property
    def content(self) -> JsonObject:
        """The document as JSON: a fresh copy at each access."""
        return parse_object(self.canonical, max_bytes=MAX_DOCUMENT_BYTES, max_depth=_CANONICAL_DEPTH)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the canonical document, by which a policy or a ledger pins it."""
        return hashlib.sha256(self.canonical).digest()

    def method(self, did_url: str, purpose: str) -> VerificationMethod:
        """Find the method that a proof names, for the purpose it names.

        Follows "Retrieve Verification Method" of Controlled Identifiers 1.0 from its fifth step on. Whether
        the method was revoked or had expired is for the caller, who knows the time that counts.

        Raises:
            ResolutionFailed: ``invalidDidUrl``, or ``unsupportedPublicKeyType`` for a key of unknown kind.
            InvalidProof: this document decides against it: ``deactivated``, ``unknown-method``,
                ``wrong-controller``, ``wrong-purpose``.
        """
        self._check_names(did_url)
        if any(method.id == did_url for method in self.agreement_methods):
            raise InvalidProof("wrong-purpose", "a key for key agreement checks no proof")
        return self._check_allowed(_find(self.methods, did_url), purpose)

    def agreement_method(self, did_url: str) -> KeyAgreementMethod:
        """Find the method of that URL whose key serves key agreement; raises as `method` does."""
        self._check_names(did_url)
        return self._check_allowed(_find(self.agreement_methods, did_url), "keyAgreement")

    def _check_names(self, did_url: str) -> None:
        url = parse_did_url(did_url)
        if self.deactivated:
            raise InvalidProof("deactivated", "the DID was deactivated")
        if f"{url.did}{url.path}" != self.id or url.query is not None or url.fragment is None:
            raise InvalidProof("unknown-method", "the method is named by another document's URL")
        if did_url in self.unusable:
            raise ResolutionFailed(
                "unsupportedPublicKeyType", "the method's type or key is not supported, or has no controller"
            )

    def _check_allowed(self, method: Listed, purpose: str) -> Listed:
        if method.controller != self.id:
            raise InvalidProof(
                "wrong-controller", "the method names a controller other than its document's DID"
            )
        if method.id not in self.relationships.get(purpose, ()):
            raise InvalidProof("wrong-purpose", "the DID document does not allow the method for this purpose")
        return method

    def __hash__(self) -> int:
        return hash(self.canonical)


class Resolver(Protocol):
    """Gives the document of a DID: from the DID itself, from memory, from a loader."""

    def resolve(self, did: str) -> DidDocument:
        """Give the document.

        Raises:
            ResolutionFailed: the DID is malformed, of another method, or has no readable document.
        """


def did_document(
    did: str, public_keys: Sequence[DocumentKey], *, also_known_as: Sequence[str] = ()
) -> JsonObject:
    """Write the document of a DID whose keys assert and authenticate, to be published or pinned.

    Each method is a Multikey with the key itself as fragment, so that a rotated key never inherits an old id.
    """
    methods: list[JSON] = [
        {
            "id": f"{did}#{public_key.multikey}",
            "type": "Multikey",
            "controller": did,
            "publicKeyMultibase": public_key.multikey,
        }
        for public_key in public_keys
    ]
    references: list[JSON] = [f"{did}#{public_key.multikey}" for public_key in public_keys]
    document: JsonObject = {
        "@context": [DID_CONTEXT, MULTIKEY_CONTEXT],
        "id": parse_did(did).did,
        "verificationMethod": methods,
        "assertionMethod": references,
        "authentication": list(references),
    }
    if also_known_as:
        document["alsoKnownAs"] = list(also_known_as)
    return document


def _find(methods: Sequence[Listed], did_url: str) -> Listed:
    found = next((method for method in methods if method.id == did_url), None)
    if found is None:
        raise InvalidProof("unknown-method", "the DID document lists no such method")
    return found


def _canonical(content: JsonObject) -> bytes:
    canonical = canonicalize(content)
    if len(canonical) > MAX_DOCUMENT_BYTES:
        raise LimitExceeded("too-large", f"a document of at most {MAX_DOCUMENT_BYTES} bytes")
    return canonical


def _read_id(content: JsonObject) -> str:
    identifier = content.get("id")
    if not isinstance(identifier, str) or not is_did(identifier):
        raise Malformed("did", "the document's DID", where="/id")
    return identifier


class _Said(NamedTuple):
    """What a method says of itself beside its key and controller."""

    identifier: str
    kind: str
    revoked: datetime | None
    expires: datetime | None


class _Reading:
    """One pass over a document's methods and relationships."""

    def __init__(self, did: str, *, allow_relative: bool) -> None:
        self.did = did
        self.allow_relative = allow_relative
        self.methods: list[VerificationMethod] = []
        self.agreement_methods: list[KeyAgreementMethod] = []
        self.unusable: list[str] = []
        self.purposes: dict[str, set[str]] = {}
        self._seen: set[str] = set()

    def read(self, content: JsonObject) -> None:
        """Read every method, listed or embedded, and every relationship; check that no id occurs twice."""
        for where, entry in _entries(content, "verificationMethod"):
            self._read_method(_object(entry, where), where)
        for purpose in PURPOSES:
            allowed = self.purposes.setdefault(purpose, set())
            for where, entry in _entries(content, purpose):
                if isinstance(entry, str):
                    allowed.add(self._absolute(entry, where))
                else:
                    allowed.add(self._read_method(_object(entry, where), where))
        for where, entry in _entries(content, "service"):
            identifier = _object(entry, where).get("id")
            if identifier is not None:
                self._claim(self._absolute(identifier, f"{where}/id"), where)

    def _read_method(self, entry: JsonObject, where: str) -> str:
        identifier = self._absolute(entry.get("id"), f"{where}/id")
        self._claim(identifier, where)
        kind, controller = entry.get("type"), entry.get("controller")
        if not isinstance(kind, str):
            raise Malformed("method-type", "a verification method's type, one text", where=f"{where}/type")
        if "controller" in entry and not (isinstance(controller, str) and _URL_PATTERN.fullmatch(controller)):
            raise Malformed("controller", "the controller's DID or URL", where=f"{where}/controller")
        said = _Said(identifier, kind, *(_moment(entry, name, where) for name in ("revoked", "expires")))
        key = read_key(entry, kind, where)
        # Nobody answers for a method without a controller. Some tools publish such methods all the same: they
        # are of no use, and no reason to distrust the other keys.
        if key is None or not isinstance(controller, str):
            self.unusable.append(identifier)
        else:
            self._keep(said, controller, key)
        return identifier

    def _keep(self, said: _Said, controller: str, key: DocumentKey) -> None:
        identifier, kind, revoked, expires = said
        if isinstance(key, AgreementKey):
            self.agreement_methods.append(
                KeyAgreementMethod(
                    id=identifier, type=kind, controller=controller, key=key, revoked=revoked, expires=expires
                )
            )
        else:
            self.methods.append(
                VerificationMethod(
                    id=identifier,
                    type=kind,
                    controller=controller,
                    public_key=key,
                    revoked=revoked,
                    expires=expires,
                )
            )

    def _claim(self, identifier: str, where: str) -> None:
        if identifier in self._seen:
            raise Malformed("duplicate-id", "ids that occur once in the document", where=where)
        self._seen.add(identifier)

    def _absolute(self, text: JSON, where: str) -> str:
        """Read ``#fragment`` against the document's id, as "Fragment Resolution" does."""
        if not isinstance(text, str) or len(text) > MAX_DID_CHARS:
            raise Malformed("did-url", f"a DID URL in {MAX_DID_CHARS} characters", where=where)
        if text.startswith("#") and self.allow_relative:
            text = self.did + text
        if not (is_did_url(text) if text.startswith("did:") else _URL_PATTERN.fullmatch(text)):
            raise Malformed("did-url", "an absolute DID URL, or a fragment where allowed", where=where)
        return text


def _entries(content: JsonObject, name: str) -> Iterator[tuple[str, JSON]]:
    """Walk one of the document's sets, with the place of each entry."""
    values = content.get(name, [])
    if not isinstance(values, list):
        raise Malformed("set", "a list", where=f"/{name}")
    if len(values) > MAX_METHODS:
        raise LimitExceeded("too-many-methods", f"at most {MAX_METHODS} entries", where=f"/{name}")
    for position, entry in enumerate(values):
        yield f"/{name}/{position}", entry


def _object(entry: JSON, where: str) -> JsonObject:
    if not isinstance(entry, dict):
        raise Malformed("object", "an object", where=where)
    return entry


def _moment(entry: JsonObject, name: str, where: str) -> datetime | None:
    if name not in entry:
        return None
    text = entry[name]
    if not isinstance(text, str):
        raise Malformed("timestamp", "a dateTimeStamp", where=f"{where}/{name}")
    try:
        return parse_timestamp(text)
    except Malformed as error:
        raise Malformed(error.code, error.expected, where=f"{where}/{name}") from error

"""The keys of an issuer, and the DID document that lists them.

Which keys ever signed for the issuer the ledger says: its first owner, and each that an entry brought into
force. The registry adds what the ledger does not know: keys that sign beside those, and since when a key is
not to be trusted. So every process of an issuer writes the same document, a key that never came into force is
in none, and a registry restored from before a change of key learns of it.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcid.dids.documents import DidDocument, did_document
from vcid.dids.key_material import parse_multikey
from vcid.drafting import Desk, Practice, read_own_document
from vcid.encoding.dates import format_timestamp
from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType
from vcid.errors import Conflict
from vcid.topics import OwnTopics

if TYPE_CHECKING:
    from vcid.dids.key_material import DocumentKey
    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import PublicKey, Signer
    from vcid.ledger.log import Ledger
    from vcid.status.registry import Registry


@dataclass(frozen=True, slots=True)
class Office:
    """An issuer with one of its keys: where it writes, what it anchors, and how its DID is known.

    Attributes:
        desk: writes and signs documents.
        topics: signs entries of the ledger.
        document: the DID document that lists the key.
        did_content: the bytes by which the DID is known: its document, or a did:webvh's log.
    """

    desk: Desk
    topics: OwnTopics
    document: JsonObject
    did_content: bytes

    @property
    def did_digest(self) -> bytes:
        """What the ledger has to hold of the DID."""
        return hashlib.sha256(self.did_content).digest()


def check_fit(did: str, signer: Signer, practice: Practice) -> None:
    """Check, before anything is changed, that a key can sign for an issuer, here and in the ledger.

    Raises:
        ValueError: the key or its suite does not fit, or a document of the practice's own does not list it.
    """
    if signer.public_key.key_type is KeyType.ML_DSA_44:
        raise ValueError("entries of the ledger have no room for ML-DSA signatures: make it a second signer")
    Desk(read_own_document(did, practice, [signer.public_key]), signer, practice)


def open_office(
    did: str, signer: Signer, *, registry: Registry, ledger: Ledger, practice: Practice
) -> tuple[PublicKey, Office]:
    """Open an issuer's office with a key that is, or was, in force.

    Returns:
        The key that first owned the issuer's topics, and the office.

    Raises:
        ValueError: the key or its suite does not fit, or the DID's document does not list it.
        Conflict: the registry is that of another issuer or key (``other-registry``).
        Unavailable: a store can't be read or written.
    """
    # First of all: an issuer that can't work must not take a registry for its own.
    check_fit(did, signer, practice)
    owner = registry.bind(did, signer.public_key)
    topics = OwnTopics(ledger, signer, owner)
    keys = topics.keys()
    if signer.public_key not in keys:
        raise Conflict(
            "other-registry",
            "the registry is that of another issuer or key: open it with those, or give this issuer its own",
        )
    return owner, _furnish(did, keys, topics, signer, registry=registry, practice=practice)


def prepare_office(
    did: str, signer: Signer, current: Office, *, registry: Registry, practice: Practice
) -> Office:
    """Open an issuer's office with a key that is about to come into force.

    Raises:
        ValueError: the key or its suite does not fit, or the DID's document does not list it.
        Unavailable: a store can't be read or written.
    """
    keys = (*current.topics.keys(), signer.public_key)
    return _furnish(did, keys, current.topics.signed_by(signer), signer, registry=registry, practice=practice)


def _furnish(
    did: str,
    keys: tuple[PublicKey, ...],
    topics: OwnTopics,
    signer: Signer,
    *,
    registry: Registry,
    practice: Practice,
) -> Office:
    beside = [second.public_key.multikey for second in practice.second_signers]
    if practice.disclosure is not None and practice.disclosure.signer is not None:
        beside.append(practice.disclosure.signer.public_key.multikey)
    if practice.document is None and practice.did_log is None:
        registry.note_keys(beside)
    noted = registry.noted_keys()
    listed: dict[DocumentKey, None] = dict.fromkeys([*keys, *map(parse_multikey, noted)])
    document = read_own_document(did, practice, [*listed])
    if practice.document is None and practice.did_log is None:
        document = _close(document, registry)
    desk = Desk(document, signer, practice)
    return Office(desk, topics, document.content, practice.did_log or canonicalize(document.content))


def _close(document: DidDocument, registry: Registry) -> DidDocument:
    """Mark the methods whose keys are not to be trusted, each from its moment on."""
    closed = {
        f"{document.id}#{multikey}": format_timestamp(since)
        for multikey, since in registry.closed_keys().items()
    }
    if not closed:
        return document
    content = did_document(document.id, [method.public_key for method in document.methods])
    methods = content["verificationMethod"]
    assert isinstance(methods, list)  # noqa: S101 - as did_document writes it
    for method in methods:
        if isinstance(method, dict) and method["id"] in closed:
            method["revoked"] = closed[str(method["id"])]
    return DidDocument.parse(content)

"""The DID methods key and web, resolvers that compose, and a fresh identity for each credential.

did:key follows the W3C CCG's method specification, did:web its own. A did:key is its key: the document is
computed and nothing is fetched. A did:web names a document on a web server, read through a loader that is
handed in; it is only as trustworthy as that server, which is why policies pin its document's digest.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from vcid.dids.documents import PURPOSES, DidDocument, DidUrl, did_document, parse_did
from vcid.dids.key_material import parse_multikey
from vcid.dids.locations import WebLocation
from vcid.dids.resolution import not_loaded, resolve_version
from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType
from vcid.errors import LimitExceeded, Malformed, ResolutionFailed, Unavailable
from vcid.keys.signing import LocalSigner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.dids.documents import Resolver
    from vcid.dids.key_material import DocumentKey
    from vcid.dids.resolution import ResolutionOptions, ResolutionResult
    from vcid.encoding.contexts import Loader
    from vcid.encoding.json import JsonObject

# "did:key:" and the longest Multikey of a supported type, ML-DSA-44 with 1755 characters. Multikeys in
# base58, quadratic in its length, are held to a length of their own where they are read.
_MAX_DID_KEY_CHARS = 1800
_KEPT_DOCUMENTS = 1024


def did_key(public_key: DocumentKey) -> str:
    """Give the did:key of a public key: one key, one identifier."""
    return f"did:key:{public_key.multikey}"


class DidKeyResolver:
    """Computes the document of a did:key, whose one Multikey serves every purpose but key agreement.

    An X25519 key serves key agreement and nothing else.

    The version that the specification's algorithm allows (``did:key:1:z…``), and base64url, are refused: each
    would be a second identifier for the same key, and its holder could count as two guardians.
    """

    def resolve(self, did: str) -> DidDocument:
        """Give the document of a did:key.

        Raises:
            ResolutionFailed: ``invalidDid``, or ``unsupportedPublicKeyType`` for other types of key.
        """
        if len(did) > _MAX_DID_KEY_CHARS:
            _of_method(did, "key")
            raise ResolutionFailed("unsupportedPublicKeyType", "a did:key of a type of key that is used here")
        return _expand_did_key(did)


# Bounded, without a lock that a fork could leave held, and without memory of failures.
@lru_cache(maxsize=_KEPT_DOCUMENTS)
def _expand_did_key(did: str) -> DidDocument:
    parsed = _of_method(did, "key")
    try:
        key = parse_multikey(parsed.method_specific_id)
    except (LimitExceeded, Unavailable) as error:
        raise ResolutionFailed("unsupportedPublicKeyType", f"did:key with {error}") from error
    except Malformed as error:
        code = "unsupportedPublicKeyType" if error.code == "unsupported-key-type" else "invalidDid"
        raise ResolutionFailed(code, f"did:key with {error}") from error
    return DidDocument.parse(_did_key_document(did, key))


def _did_key_document(did: str, key: DocumentKey) -> JsonObject:
    content = did_document(did, [key])
    listed = content.pop("assertionMethod")
    del content["authentication"]
    purposes = {"keyAgreement"} if key.key_type is KeyType.X25519 else {*PURPOSES} - {"keyAgreement"}
    return {**content, **{purpose: listed for purpose in PURPOSES if purpose in purposes}}


def did_web_url(did: str) -> str:
    """Give the address of a did:web's document (did:web, section "Read (Resolve)").

    Host names are lower case and no IP addresses; a port follows ``%3A``. A path segment that a server could
    read as another place (empty, ``..``, an escaped slash) is refused.

    Raises:
        ResolutionFailed: ``invalidDid``.
    """
    return WebLocation.parse(_of_method(did, "web").method_specific_id).file("did.json")


class DidWebResolver:
    """Loads the document of a did:web and checks that it is that DID's.

    Args:
        loader: brings a document by URL; the guarded HTTPS loader, or a folder of saved documents.
    """

    def __init__(self, loader: Loader) -> None:
        self._loader = loader

    def resolve(self, did: str) -> DidDocument:
        """Load, read and check the document.

        Raises:
            ResolutionFailed: ``invalidDid``, ``invalidDidDocument``, ``notFound``, or ``internalError`` where
                the document can't be loaded, so that nothing is known of the DID.
        """
        url = did_web_url(did)
        try:
            loaded = self._loader.load(url)
        except Unavailable as error:
            raise not_loaded(error) from error
        document = DidDocument.parse(_read_json(loaded.content), allow_relative=False)
        if document.id != did:
            raise ResolutionFailed("invalidDidDocument", "the document loaded is another DID's")
        return document


class Resolvers:
    """One resolver for several DID methods.

    Args:
        methods: resolvers by method name: ``{"key": DidKeyResolver(), "web": DidWebResolver(loader)}``.
    """

    def __init__(self, methods: Mapping[str, Resolver]) -> None:
        self._methods = dict(methods)

    def resolve(self, did: str) -> DidDocument:
        """Hand the DID to the resolver of its method.

        Raises:
            ResolutionFailed: ``methodNotSupported``, ``invalidDid``, or what that resolver raises.
        """
        return self._method_of(did).resolve(did)

    def resolve_version(self, did: str, options: ResolutionOptions) -> ResolutionResult:
        """Give a version of the document with its metadata (`vcid.dids.resolution.VersionedResolver`).

        Raises:
            ResolutionFailed: as `resolve` does, or ``featureNotSupported``: the method keeps no versions.
        """
        return resolve_version(did, self._method_of(did), options)

    def _method_of(self, did: str) -> Resolver:
        resolver = self._methods.get(parse_did(did).method)
        if resolver is None:
            raise ResolutionFailed("methodNotSupported", f"a DID of {', '.join(sorted(self._methods))}")
        return resolver


class StaticResolver:
    """Gives documents that are already at hand, and no others.

    Args:
        documents: the documents by DID.

    Raises:
        ValueError: a document stands under another DID than its own.
    """

    def __init__(self, documents: Mapping[str, DidDocument]) -> None:
        if any(did != document.id for did, document in documents.items()):
            raise ValueError("each document stands under its own id")
        self._documents = dict(documents)

    def resolve(self, did: str) -> DidDocument:
        """Give the document at hand.

        Raises:
            ResolutionFailed: ``invalidDid`` or ``notFound``.
        """
        document = self._documents.get(parse_did(did).did)
        if document is None:
            raise ResolutionFailed("notFound", "no document of this DID is at hand")
        return document


@dataclass(frozen=True, slots=True)
class ChildIdentity:
    """A child's DID with the key behind it.

    The signer is to be sealed to guardians (``vcid.keys.custody``) or dropped, and never kept in clear.
    """

    did: str
    signer: LocalSigner


def child_identity(key_type: KeyType = KeyType.ED25519) -> ChildIdentity:
    """Make an identity that was never used: one for each credential, so that two can't be correlated."""
    signer = LocalSigner.generate(key_type)
    return ChildIdentity(did_key(signer.public_key), signer)


def _of_method(did: str, method: str) -> DidUrl:
    parsed = parse_did(did)
    if parsed.method != method:
        raise ResolutionFailed("methodNotSupported", f"a did:{method}")
    return parsed


def _read_json(content: bytes) -> JsonObject:
    try:
        return parse_object(content)
    except Malformed as error:
        raise ResolutionFailed("invalidDidDocument", str(error)) from error

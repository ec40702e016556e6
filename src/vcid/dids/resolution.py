"""DID resolution with its metadata, options and errors.

Follows DID Resolution 1.0, sections "DID Resolution" and "Errors". The plain `Resolver`, which gives a
document or raises, serves verification; this is what a resolver service or an auditor asks: which version,
since when, and why not. A method that keeps versions offers `VersionedResolver`; others have one version.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol, runtime_checkable

from vcid.dids.documents import PURPOSES, DidDocument
from vcid.errors import ResolutionFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from vcid.dids.documents import Resolver
    from vcid.encoding.json import JSON, JsonObject
    from vcid.errors import Unavailable

MEDIA_TYPE: Final = "application/did"

_DID_ERRORS: Final = "https://www.w3.org/ns/did#"
_CID_ERRORS: Final = "https://w3id.org/security#"
ERROR_TYPES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "invalidDid": f"{_DID_ERRORS}INVALID_DID",
        "invalidDidDocument": f"{_DID_ERRORS}INVALID_DID_DOCUMENT",
        "invalidDidUrl": f"{_DID_ERRORS}INVALID_DID_URL",
        "invalidOptions": f"{_DID_ERRORS}INVALID_OPTIONS",
        "notFound": f"{_DID_ERRORS}NOT_FOUND",
        "methodNotSupported": f"{_DID_ERRORS}METHOD_NOT_SUPPORTED",
        "featureNotSupported": f"{_DID_ERRORS}FEATURE_NOT_SUPPORTED",
        "representationNotSupported": f"{_DID_ERRORS}REPRESENTATION_NOT_SUPPORTED",
        "internalError": f"{_DID_ERRORS}INTERNAL_ERROR",
        # Of the did:key method; DID Resolution names no type for it.
        "unsupportedPublicKeyType": f"{_DID_ERRORS}UNSUPPORTED_PUBLIC_KEY_TYPE",
        "unknown-method": f"{_CID_ERRORS}INVALID_VERIFICATION_METHOD",
        "wrong-controller": f"{_CID_ERRORS}INVALID_VERIFICATION_METHOD",
        "wrong-purpose": f"{_CID_ERRORS}INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD",
    }
)
"""The type of problem, a URL, for each code of `ResolutionFailed` and of what a document decides."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolutionOptions:
    """Which version is asked for (section "DID Resolution Options"); at most one of the three.

    Attributes:
        version_id: a version's own name.
        version_time: the moment, with a time zone, at which the version held.
        version_number: counted from 1; for methods that count, such as did:webvh.
        expand_relative_urls: write relative DID URLs of the document in full.

    Raises:
        ResolutionFailed: ``invalidOptions``: more than one version is named, or a moment without a time zone.
    """

    version_id: str | None = None
    version_time: datetime | None = None
    version_number: int | None = None
    expand_relative_urls: bool = False

    def __post_init__(self) -> None:
        named = (self.version_id, self.version_time, self.version_number)
        if sum(one is not None for one in named) > 1:
            raise ResolutionFailed("invalidOptions", "one version at most is asked for")
        if self.version_time is not None and self.version_time.utcoffset() is None:
            raise ResolutionFailed("invalidOptions", "a version's time has a time zone")

    @property
    def names_version(self) -> bool:
        """Whether another version than the newest is asked for."""
        named = (self.version_id, self.version_time, self.version_number)
        return any(one is not None for one in named)


@dataclass(frozen=True, slots=True)
class ResolutionResult:
    """What came of a resolution.

    Attributes:
        document: the document; None for an error or a DID that was deactivated.
        document_metadata: what is known of the document; for an error, nothing.
        resolution_metadata: the document's media type, or the error.
    """

    document: DidDocument | None
    document_metadata: JsonObject = field(default_factory=dict)
    resolution_metadata: JsonObject = field(default_factory=dict)

    @property
    def error_type(self) -> str | None:
        """The URL of the type of error, if there was one."""
        error = self.resolution_metadata.get("error")
        kind = error.get("type") if isinstance(error, dict) else None
        return kind if isinstance(kind, str) else None

    def to_json(self) -> JsonObject:
        """Write the result as the media type ``application/did-resolution`` has it."""
        return {
            "didDocument": self.document.content if self.document is not None else None,
            "didDocumentMetadata": self.document_metadata,
            "didResolutionMetadata": self.resolution_metadata,
        }


@runtime_checkable
class VersionedResolver(Protocol):
    """A resolver of a method that keeps versions."""

    def resolve_version(self, did: str, options: ResolutionOptions) -> ResolutionResult:
        """Give the version asked for, with what is known of it.

        Raises:
            ResolutionFailed: there is none, or the DID can't be resolved.
        """


def resolve(did: str, resolver: Resolver, options: ResolutionOptions | None = None) -> ResolutionResult:
    """Follow the DID resolution algorithm: an error becomes part of the result.

    Args:
        did: the DID.
        resolver: knows the methods; `Resolvers` for several.
        options: which version; by default the newest.
    """
    asked = options or ResolutionOptions()
    try:
        result = resolve_version(did, resolver, asked)
        if asked.expand_relative_urls and result.document is not None:
            return ResolutionResult(
                _expand(result.document), result.document_metadata, result.resolution_metadata
            )
    except ResolutionFailed as error:
        return ResolutionResult(None, {}, {"error": describe_error(error.code, error.detail)})
    return result


def resolve_version(did: str, resolver: Resolver, options: ResolutionOptions) -> ResolutionResult:
    """Resolve with any resolver, versioned or not; a deactivated DID has no document.

    Raises:
        ResolutionFailed: as the resolver does, or ``featureNotSupported``: the method keeps no versions.
    """
    if isinstance(resolver, VersionedResolver):
        return resolver.resolve_version(did, options)
    if options.names_version:
        raise ResolutionFailed("featureNotSupported", "the DID's method keeps no versions to choose from")
    document = resolver.resolve(did)
    if document.deactivated:
        return ResolutionResult(None, {"deactivated": True}, {})
    return ResolutionResult(document, {}, {"contentType": MEDIA_TYPE})


def describe_error(code: str, detail: str) -> JsonObject:
    """Write an error as problem details (RFC 9457)."""
    kind = ERROR_TYPES.get(code, ERROR_TYPES["internalError"])
    return {"type": kind, "title": kind.rpartition("#")[2].replace("_", " ").capitalize(), "detail": detail}


def not_loaded(error: Unavailable) -> ResolutionFailed:
    """Say of a DID whose files were not brought whether there are none, or whether nothing is known."""
    if error.code == "not-found":
        return ResolutionFailed("notFound", "a file of the DID is not where it should be")
    return ResolutionFailed("internalError", "a file of the DID could not be loaded")


def _expand(document: DidDocument) -> DidDocument:
    """Write relative DID URLs of services, methods and relationships in full (``expandRelativeUrls``)."""
    content = document.content
    for name in ("verificationMethod", "service", *PURPOSES):
        listed = content.get(name)
        if isinstance(listed, list):
            content[name] = [_expand_entry(entry, document.id) for entry in listed]
    return DidDocument.parse(content, deactivated=document.deactivated)


def _expand_entry(entry: JSON, did: str) -> JSON:
    if isinstance(entry, dict):
        identifier = entry.get("id")
        return {**entry, "id": _expand_entry(identifier, did)} if isinstance(identifier, str) else entry
    return did + entry if isinstance(entry, str) and entry.startswith("#") else entry

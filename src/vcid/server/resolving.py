"""The HTTP binding of DID Resolution: ``GET /identifiers/{did}``, its content negotiation and its statuses.

Follows DID Resolution 0.3, section "HTTP(S) Binding". Without an ``Accept`` that asks for the document alone,
the whole resolution result is given, which says why where there is no document.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote

from vcid.errors import ResolutionFailed
from vcid.server.answers import Answer, give

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vcid.dids.documents import Resolver
    from vcid.encoding.json import JsonObject

RESULT_TYPE: Final = "application/did-resolution"
_DOCUMENT_TYPES: Final = ("application/did", "application/did+json", "application/did+ld+json")
_RESULT_TYPES: Final = (RESULT_TYPE, "application/json", "application/ld+json")
_ERRORS: Final = "https://www.w3.org/ns/did#"

MAX_ACCEPT: Final = 1000

_STATUSES: Final[Mapping[str, tuple[str, int]]] = MappingProxyType(
    {
        "invalidDid": ("INVALID_DID", 400),
        "invalidDidUrl": ("INVALID_DID_URL", 400),
        "invalidOptions": ("INVALID_OPTIONS", 400),
        "notFound": ("NOT_FOUND", 404),
        "representationNotSupported": ("REPRESENTATION_NOT_SUPPORTED", 406),
        "invalidDidDocument": ("INVALID_DID_DOCUMENT", 500),
        "methodNotSupported": ("METHOD_NOT_SUPPORTED", 501),
        "featureNotSupported": ("FEATURE_NOT_SUPPORTED", 501),
        # A key of a kind that is not supported is a feature that is not supported: the table has no other.
        "unsupportedPublicKeyType": ("FEATURE_NOT_SUPPORTED", 501),
    }
)


@dataclass(frozen=True, slots=True)
class Resolving:
    """Answers for DIDs by a resolver."""

    resolver: Resolver

    def resolve(self, segment: str, accept: str) -> Answer:
        """Resolve the DID that stands last in a path.

        Args:
            segment: the rest of the path as it was sent, percent-encoded once or a DID verbatim.
            accept: the header field; empty where there is none.
        """
        media_type = _choose(accept)
        if media_type is None:
            return _fail(ResolutionFailed("representationNotSupported", "a representation of DID documents"))
        try:
            did = segment if segment.startswith("did:") else unquote(segment, errors="strict")
            document = self.resolver.resolve(did)
        except UnicodeDecodeError:
            return _fail(ResolutionFailed("invalidDid", "a DID, percent-encoded"))
        except ResolutionFailed as error:
            return _fail(error)
        content: JsonObject = document.content
        status = 410 if document.deactivated else 200
        if media_type in _DOCUMENT_TYPES:
            return give(status, content, media_type=media_type)
        return give(
            status,
            {
                "didDocument": content,
                "didResolutionMetadata": {"contentType": "application/did"},
                "didDocumentMetadata": {"deactivated": True} if document.deactivated else {},
            },
            media_type=media_type,
        )


def _fail(error: ResolutionFailed) -> Answer:
    name, status = _STATUSES.get(error.code, ("INTERNAL_ERROR", 500))
    problem: JsonObject = {"type": f"{_ERRORS}{name}", "title": name, "detail": error.detail}
    body: JsonObject = {
        "didDocument": None,
        "didResolutionMetadata": {"error": problem},
        "didDocumentMetadata": {},
    }
    return give(status, body, media_type=RESULT_TYPE, problem=error.code)


def _choose(accept: str) -> str | None:
    """Choose the representation that the client likes best of those that there are (RFC 9110, 12.5.1)."""
    wanted = sorted(_accepted(accept[:MAX_ACCEPT]), key=lambda entry: -entry[1])
    if not wanted:
        return RESULT_TYPE
    for name, quality in wanted:
        if quality > 0 and name in ("*/*", "application/*"):
            return RESULT_TYPE
        if quality > 0 and name in (*_DOCUMENT_TYPES, *_RESULT_TYPES):
            return name
    return None


def _accepted(accept: str) -> Iterator[tuple[str, float]]:
    for entry in accept.split(","):
        name, *parameters = (part.strip().lower() for part in entry.split(";"))
        if name:
            yield name, _quality(parameters)


def _quality(parameters: list[str]) -> float:
    for parameter in parameters:
        if parameter.startswith("q="):
            try:
                return min(max(float(parameter[2:]), 0.0), 1.0)
            except ValueError:
                return 0.0
    return 1.0

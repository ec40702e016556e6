"""The HTTP binding of DID Resolution: ``GET /identifiers/{did}``, its representations and statuses.

Follows DID Resolution 1.0, section "HTTP(S) Binding". Unless ``Accept`` asks for the document alone, the
whole resolution result is given, which says why where there is no document.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, unquote

from vcid.dids.jwk import DidJwkResolver
from vcid.dids.methods import DidKeyResolver, Resolvers
from vcid.dids.resolution import MEDIA_TYPE, ResolutionOptions, ResolutionResult, describe_error, resolve
from vcid.encoding.dates import parse_timestamp, utc_now
from vcid.errors import Malformed, ResolutionFailed
from vcid.known_dids import KnownDids
from vcid.server.answers import give

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vcid.dids.documents import Resolver
    from vcid.knowledge import Knowledge
    from vcid.server.answers import Answer

RESULT_TYPE: Final = "application/did-resolution"
_DOCUMENT_TYPES: Final = (MEDIA_TYPE, "application/did+json", "application/did+ld+json")
_RESULT_TYPES: Final = (RESULT_TYPE, "application/json", "application/ld+json")

_MAX_ACCEPT: Final = 1000
_MAX_QUERY: Final = 4000
_MAX_OPTIONS: Final = 8
_DEACTIVATED: Final = 410

_STATUSES: Final[Mapping[str, int]] = MappingProxyType(
    {
        "INVALID_DID": 400,
        "INVALID_DID_URL": 400,
        "INVALID_OPTIONS": 400,
        "NOT_FOUND": 404,
        "REPRESENTATION_NOT_SUPPORTED": 406,
        "METHOD_NOT_SUPPORTED": 501,
        "FEATURE_NOT_SUPPORTED": 501,
    }
)
"""The status of each type of error; the binding demands 500 for every other one, whoever is at fault, such as
did:key's own for a type of key that isn't supported."""


@dataclass(frozen=True, slots=True)
class ResolutionRequest:
    """What a client asks.

    Attributes:
        segment: the rest of the path as it was sent: a DID, or one percent-encoded once more.
        query: the query as it was sent: the resolution's options.
        accept: the header field; empty where there is none.
    """

    segment: str
    query: str
    accept: str


@dataclass(frozen=True, slots=True)
class Resolving:
    """Answers for DIDs by a resolver."""

    resolver: Resolver

    def answer(self, request: ResolutionRequest) -> Answer:
        """Resolve a DID, and write the document or the result, as the client likes it."""
        media_type = _choose(request.accept[:_MAX_ACCEPT])
        result = self._resolve(request) if media_type is not None else _fail(_UNACCEPTABLE)
        kind = (result.error_type or "").rpartition("#")[2]
        if result.document is None or media_type is None:
            deactivated = result.document_metadata.get("deactivated") is True
            status = _STATUSES.get(kind, 500) if kind else _DEACTIVATED if deactivated else 500
            problem = kind.lower().replace("_", "-") or "deactivated"
            return give(status, result.to_json(), media_type=RESULT_TYPE, problem=problem)
        if media_type in _DOCUMENT_TYPES:
            return give(200, result.document.content, media_type=media_type)
        return give(200, result.to_json(), media_type=media_type)

    def _resolve(self, request: ResolutionRequest) -> ResolutionResult:
        try:
            did, options = _read_did(request.segment), _read_options(request.query)
        except ResolutionFailed as error:
            return _fail(error)
        return resolve(did, self.resolver, options)


_UNACCEPTABLE: Final = ResolutionFailed(
    "representationNotSupported", "a representation of DID documents or resolution results"
)


def _fail(error: ResolutionFailed) -> ResolutionResult:
    return ResolutionResult(None, {}, {"error": describe_error(error.code, error.detail)})


def _read_did(segment: str) -> str:
    # A colon that was left as it is shows that the DID was: its own escapes are part of it.
    try:
        return segment if segment.startswith("did:") else unquote(segment, errors="strict")
    except UnicodeDecodeError as error:
        raise ResolutionFailed("invalidDid", "a DID, percent-encoded") from error


def _read_options(query: str) -> ResolutionOptions:
    """Read the options of DID Resolution that go into the query.

    Raises:
        ResolutionFailed: ``invalidOptions``.
    """
    try:
        pairs = parse_qsl(query[:_MAX_QUERY], keep_blank_values=True, max_num_fields=_MAX_OPTIONS)
        named = dict(pairs)
        if len(named) != len(pairs) or not named.keys() <= _OPTIONS:
            raise ResolutionFailed(
                "invalidOptions", f"each option once, out of {', '.join(sorted(_OPTIONS))}"
            )
        number, moment = named.get("versionNumber"), named.get("versionTime")
        return ResolutionOptions(
            version_id=named.get("versionId"),
            version_time=None if moment is None else parse_timestamp(moment),
            version_number=None if number is None else _read_number(number),
            expand_relative_urls=named.get("expandRelativeUrls") == "true",
        )
    except (Malformed, ValueError) as error:
        raise ResolutionFailed("invalidOptions", "options of the form that they have") from error


_OPTIONS: Final = frozenset({"versionId", "versionTime", "versionNumber", "expandRelativeUrls"})


def _read_number(text: str) -> int:
    if not text.isascii() or not text.isdecimal() or len(text) > 9:
        raise ValueError("a number")
    return int(text)


def _choose(accept: str) -> str | None:
    """Choose the representation that the client likes best of those that there are (RFC 9110, 12.5.1)."""
    wanted = sorted(_accepted(accept), key=lambda entry: -entry[1])
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


def resolver_of(knowledge: Knowledge) -> Resolver:
    """Resolve what needs no network: DIDs that are their own document, and those that are known."""
    known = KnownDids(knowledge, utc_now)
    return Resolvers({"key": DidKeyResolver(), "jwk": DidJwkResolver(), "web": known, "webvh": known})

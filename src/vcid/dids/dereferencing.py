"""DID URLs dereferenced: to a document, a verification method, a service, or the address of a resource.

Follows DID Resolution 1.0, section "DID URL Dereferencing"; paths of did:webvh follow that method. What a URL
leads to on the web is named and not fetched: whoever wants it asks a loader. Two departures, on the strict
side: a ``relativeRef`` that names a host of its own, and a parameter that nobody here knows, are refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final
from urllib.parse import urljoin

from vcid.dids.documents import PURPOSES, DidDocument, parse_did_url
from vcid.dids.resolution import MEDIA_TYPE, ResolutionOptions, describe_error, resolve_version
from vcid.encoding.dates import parse_timestamp
from vcid.errors import InvalidProof, Malformed, ResolutionFailed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.dids.documents import Resolver
    from vcid.dids.urls import DidUrl
    from vcid.encoding.json import JSON, JsonObject

URI_LIST: Final = "text/uri-list"
DOCUMENT_TYPES: Final = frozenset({MEDIA_TYPE, "application/did+json", "application/did+ld+json", "*/*"})

_SELECTING: Final = frozenset({"service", "serviceType"})
_VERSIONING: Final = frozenset({"versionId", "versionTime", "versionNumber"})
_KNOWN: Final = _SELECTING | _VERSIONING | {"relativeRef"}
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,8}")
# A relative reference begins with no scheme and no host; a backslash is a slash to some.
_RELATIVE: Final = re.compile(r"(?!//|[A-Za-z][A-Za-z0-9+.-]*:)[^\s\\\x00-\x20\x7f]*")


@dataclass(frozen=True, slots=True)
class DereferencingOptions:
    """What the caller expects (section "DID URL Dereferencing Options").

    Attributes:
        accept: a media type of DID documents, or ``text/uri-list`` for the addresses of services.
        verification_relationship: the purpose for which the method found has to be allowed.
    """

    accept: str | None = None
    verification_relationship: str | None = None


@dataclass(frozen=True, slots=True)
class Dereferenced:
    """What came of dereferencing.

    Attributes:
        content: a document, method or service; a list of URLs; None for an error.
        content_metadata: what is known of the content.
        dereferencing_metadata: its media type, or the error.
    """

    content: JSON
    content_metadata: JsonObject = field(default_factory=dict)
    dereferencing_metadata: JsonObject = field(default_factory=dict)


def dereference(
    did_url: str, resolver: Resolver, options: DereferencingOptions | None = None
) -> Dereferenced:
    """Follow the DID URL dereferencing algorithm: an error becomes part of the result."""
    try:
        return _Dereferencing(parse_did_url(did_url), options or DereferencingOptions()).run(resolver)
    except (ResolutionFailed, InvalidProof) as error:
        return Dereferenced(None, {}, {"error": describe_error(error.code, error.detail)})


class _Dereferencing:
    """One DID URL on its way, in the steps of the specification."""

    def __init__(self, url: DidUrl, options: DereferencingOptions) -> None:
        self._url = url
        self._options = options
        self._parameters = url.parameters
        if not self._parameters.keys() <= _KNOWN:
            raise ResolutionFailed("notFound", "the DID URL has a parameter that is not known here")
        if "relativeRef" in self._parameters and _SELECTING.isdisjoint(self._parameters):
            raise ResolutionFailed("invalidDidUrl", "relativeRef goes with a service")
        if not _SELECTING.isdisjoint(self._parameters) and url.path:
            raise ResolutionFailed("invalidDidUrl", "a service is selected without a path")
        purpose = options.verification_relationship
        if purpose is not None and (purpose not in PURPOSES or url.fragment is None):
            raise ResolutionFailed(
                "invalidOptions", "a relationship is asked of a method, which has a fragment"
            )

    def run(self, resolver: Resolver) -> Dereferenced:
        result = resolve_version(self._url.did, resolver, self._version())
        if result.document is None:
            if self._url == type(self._url)(self._url.did):
                return Dereferenced(None, result.document_metadata, {})
            raise ResolutionFailed("notFound", "the DID was deactivated")
        document, metadata = result.document, result.document_metadata
        if not _SELECTING.isdisjoint(self._parameters):
            return self._dereference_services(document, metadata)
        if self._url.path:
            return self._dereference_path(document)
        if self._url.fragment is not None:
            return Dereferenced(self._dereference_fragment(document), {}, {"contentType": MEDIA_TYPE})
        self._accept_document()
        return Dereferenced(document.content, metadata, {"contentType": MEDIA_TYPE})

    def _version(self) -> ResolutionOptions:
        number, time = self._parameters.get("versionNumber"), self._parameters.get("versionTime")
        if number is not None and not _NUMBER.fullmatch(number):
            raise ResolutionFailed("invalidDidUrl", "versionNumber is a whole number from 1 on")
        try:
            moment = parse_timestamp(time) if time is not None else None
        except Malformed as error:
            raise ResolutionFailed("invalidDidUrl", f"versionTime with {error}") from error
        return ResolutionOptions(
            version_id=self._parameters.get("versionId"),
            version_time=moment,
            version_number=int(number) if number is not None else None,
        )

    def _accept_document(self) -> None:
        if self._options.accept is not None and self._options.accept not in DOCUMENT_TYPES:
            raise ResolutionFailed("representationNotSupported", "DID documents are JSON")

    def _dereference_services(self, document: DidDocument, metadata: JsonObject) -> Dereferenced:
        selected = [service for service in _services(document) if self._selects(service, document)]
        if not selected:
            raise ResolutionFailed("notFound", "the document has no such service")
        if self._options.accept == URI_LIST:
            return _list_urls([self._finish(url) for service in selected for url in _endpoints(service)])
        self._accept_document()
        return Dereferenced(
            {**document.content, "service": [*selected]}, metadata, {"contentType": MEDIA_TYPE}
        )

    def _selects(self, service: JsonObject, document: DidDocument) -> bool:
        wanted, kind = self._parameters.get("service"), self._parameters.get("serviceType")
        if wanted is not None:
            identifier = service.get("id")
            if not isinstance(identifier, str) or _absolute(identifier, document.id) != _service_id(
                wanted, document.id
            ):
                return False
        kinds = service.get("type")
        return kind is None or kind in (kinds if isinstance(kinds, list) else [kinds])

    def _finish(self, endpoint: str) -> str:
        """Resolve ``relativeRef`` against an endpoint (RFC 3986, section 5), and hand the fragment on."""
        reference = self._parameters.get("relativeRef", "")
        if not _RELATIVE.fullmatch(reference):
            raise ResolutionFailed("invalidDidUrl", "relativeRef stays with the service's own host")
        url = urljoin(endpoint, reference) if reference else endpoint
        if self._url.fragment is None:
            return url
        if "#" in url:
            raise ResolutionFailed("invalidDidUrl", "the service's address has a fragment of its own")
        return f"{url}#{self._url.fragment}"

    def _dereference_path(self, document: DidDocument) -> Dereferenced:
        if self._url.method != "webvh":
            raise ResolutionFailed("notFound", "the DID's method gives paths no meaning")
        from vcid.dids.webvh import resource_url

        url = resource_url(document, self._url)
        return _list_urls([url if self._url.fragment is None else f"{url}#{self._url.fragment}"])

    def _dereference_fragment(self, document: DidDocument) -> JsonObject:
        wanted = f"{document.id}#{self._url.fragment}"
        found = next((part for part in _parts(document) if part["id"] == wanted), None)
        purpose = self._options.verification_relationship
        if purpose is not None:
            # The document decides, as it does for proofs: listed, its own, and allowed for the purpose.
            if purpose == "keyAgreement":
                document.agreement_method(wanted)
            else:
                document.method(wanted, purpose)
        if found is None:
            raise ResolutionFailed("notFound", "the document has no such part")
        return found


def _list_urls(urls: list[str]) -> Dereferenced:
    if not urls:
        raise ResolutionFailed("notFound", "the service has no address on the web")
    return Dereferenced([*urls], {"contentType": URI_LIST}, {"contentType": URI_LIST})


def _absolute(identifier: str, did: str) -> str:
    return did + identifier if identifier.startswith("#") else identifier


def _service_id(wanted: str, did: str) -> str:
    """A service is named by its full id, or by its fragment with or without the sign."""
    return wanted if wanted.startswith("did:") else f"{did}#{wanted.removeprefix('#')}"


def _services(document: DidDocument) -> list[JsonObject]:
    services = document.content.get("service", [])
    listed = services if isinstance(services, list) else []
    return [service for service in listed if isinstance(service, dict)]


def _endpoints(service: JsonObject) -> list[str]:
    """The addresses of a service that are URLs of the web; maps, and other schemes, are skipped."""
    endpoint = service.get("serviceEndpoint")
    listed = endpoint if isinstance(endpoint, list) else [endpoint]
    return [url for url in listed if isinstance(url, str) and url.startswith(("https://", "http://"))]


def _parts(document: DidDocument) -> Iterator[JsonObject]:
    """Walk the methods and services of a document, each with its id in full."""
    content = document.content
    for name in ("verificationMethod", *PURPOSES, "service"):
        listed = content.get(name, [])
        for entry in listed if isinstance(listed, list) else []:
            identifier = entry.get("id") if isinstance(entry, dict) else None
            if isinstance(entry, dict) and isinstance(identifier, str):
                yield {**entry, "id": _absolute(identifier, document.id)}

"""The DID method webvh: a did:web with a history that proves itself, wherever its files are found.

Follows did:webvh 1.0, section "Read (Resolve)". Whoever serves the files can withhold the newest entries, and
can't change any: the DID commits to the first entry, and each entry to the one before. A log whose later
entries do not hold resolves to nothing, unless a version before them is asked for by name, as the
specification has it. A DID that moved resolves under its new name alone: a document is about its own id.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote_to_bytes

from vcid.dids.documents import DidDocument
from vcid.dids.history import DidHistory, DidVersion
from vcid.dids.resolution import MEDIA_TYPE, ResolutionOptions, ResolutionResult, not_loaded
from vcid.dids.webvh_log import Version, WebvhDid, read_lines, verify_log
from vcid.dids.webvh_witnesses import WitnessWatch
from vcid.encoding.dates import format_timestamp, utc_now
from vcid.encoding.json import canonicalize
from vcid.errors import InvalidProof, Malformed, ResolutionFailed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime
    from typing import BinaryIO

    from vcid.dids.urls import DidUrl
    from vcid.encoding.contexts import Loader
    from vcid.encoding.json import JsonObject

LOG_FILE: Final = "did.jsonl"
WITNESS_FILE: Final = "did-witness.json"
LINKED_VP_CONTEXT: Final = "https://identity.foundation/linked-vp/contexts/v1"


@dataclass(frozen=True, slots=True)
class WebvhFiles:
    """The files of a did:webvh.

    Attributes:
        log: the content of ``did.jsonl``, or an open binary file, which is read once.
        witness: gives the content of ``did-witness.json``; asked only where the log needs witnesses.
    """

    log: bytes | BinaryIO
    witness: Callable[[], bytes]

    @classmethod
    def of(cls, log: bytes | BinaryIO, witness: bytes | None = None) -> WebvhFiles:
        """Take files that are at hand, with the witnesses' where there is one."""

        def give() -> bytes:
            if witness is None:
                raise Unavailable("the log needs a witness file", code="not-found")
            return witness

        return cls(log, give)


class DidWebvhResolver:
    """Loads and verifies the log of a did:webvh.

    Args:
        loader: brings the files by URL; the guarded HTTPS loader, or a folder.
        clock: gives the current time, with a time zone; an entry from the future is refused.
    """

    def __init__(self, loader: Loader, clock: Callable[[], datetime] = utc_now) -> None:
        self._loader = loader
        self._clock = clock

    def resolve(self, did: str) -> DidDocument:
        """Give the newest document; that of a DID that has ended says so, and lends no key.

        Raises:
            ResolutionFailed: ``notFound``; ``invalidDid`` for a log that does not hold;
                ``invalidDidDocument``; ``internalError`` where a file can't be had, so that nothing is known.
        """
        files, now = self._load(did), self._clock()
        result = resolve_files(did, files, ResolutionOptions(), now=now)
        if result.document is None:
            last = ResolutionOptions(version_id=str(result.document_metadata["versionId"]))
            result = resolve_files(did, files, last, now=now)
        if result.document is None:
            raise ResolutionFailed("notFound", "the log has no such version")
        return result.document

    def resolve_version(self, did: str, options: ResolutionOptions) -> ResolutionResult:
        """Give the version asked for with its metadata; raises as `resolve` does."""
        return resolve_files(did, self._load(did), options, now=self._clock())

    def history(self, did: str) -> DidHistory:
        """Give all versions; raises as `resolve` does."""
        return read_history(did, self._load(did), now=self._clock())

    def _load(self, did: str) -> WebvhFiles:
        location = WebvhDid.parse(did).location
        try:
            log = self._loader.load(location.file(LOG_FILE)).content
        except Unavailable as error:
            raise not_loaded(error) from error
        return WebvhFiles(log, lambda: self._loader.load(location.file(WITNESS_FILE)).content)


def resolve_files(
    did: str, files: WebvhFiles, options: ResolutionOptions, *, now: datetime
) -> ResolutionResult:
    """Resolve a DID from its files (section "Read (Resolve)").

    Args:
        did: the DID; its log is known by its self-certifying identifier, wherever the files come from.
        files: its files.
        options: which version; by default the newest.
        now: the resolver's clock, with a time zone.

    Raises:
        ResolutionFailed: as `DidWebvhResolver.resolve` does.
    """
    reading = _Reading(WebvhDid.parse(did), options)
    reading.read(files, now)
    version, newest = reading.chosen, reading.newest
    if version is None or newest is None:
        raise ResolutionFailed("notFound", "the log has no such version")
    metadata = _describe(version, newest, reading.created)
    ended = newest.parameters.deactivated
    if ended and not options.names_version:
        return ResolutionResult(None, metadata, {})
    if version.did != did:
        raise ResolutionFailed("notFound", "the DID had another name in this version")
    document = DidDocument.parse(version.state, deactivated=ended)
    return ResolutionResult(document, metadata, {"contentType": MEDIA_TYPE})


def read_history(did: str, files: WebvhFiles, *, now: datetime) -> DidHistory:
    """Read all versions of a DID from its files; arguments and errors are those of `resolve_files`.

    Versions with equal documents share one copy, but memory grows with the number of different ones.
    """
    reading = _Reading(WebvhDid.parse(did), ResolutionOptions(), keep=True)
    reading.read(files, now)
    if reading.newest is None or reading.newest.did != did:
        raise ResolutionFailed("notFound", "the DID has another name by now")
    return DidHistory(did, tuple(reading.versions))


def resource_url(document: DidDocument, url: DidUrl) -> str:
    """Give the address of a DID URL with a path (sections "DID URL Path Resolution" and "WHOIS Resolution").

    The document's own service ``#files`` or ``#whois`` decides where it has one, and the DID's location
    otherwise.

    Raises:
        ResolutionFailed: ``invalidDidUrl`` for a path that leads elsewhere, ``invalidDid`` for a service that
            is not reached by HTTPS.
    """
    segments = [unquote_to_bytes(part) for part in url.path.split("/")[1:]]
    if not segments or any(part in {b"", b".", b".."} or b"/" in part or b"\\" in part for part in segments):
        raise ResolutionFailed("invalidDidUrl", "a path leads down, through folders with names")
    whois = url.path == "/whois"
    endpoint = _endpoint(document, "#whois" if whois else "#files")
    if endpoint is None:
        folder = WebvhDid.parse(document.id).location.folder
        return f"{folder}whois.vp" if whois else folder.removesuffix("/") + url.path
    if not endpoint.startswith("https://"):
        raise ResolutionFailed("invalidDid", "the service is not reached by HTTPS")
    return endpoint if whois else endpoint.removesuffix("/") + url.path


def with_implicit_services(document: DidDocument) -> JsonObject:
    """Write a document with the services ``#files`` and ``#whois`` that every did:webvh has.

    Documents are resolved as they were published, so that digests of them can be pinned.
    """
    folder = WebvhDid.parse(document.id).location.folder
    implicit: list[JsonObject] = [
        {"id": f"{document.id}#files", "type": "relativeRef", "serviceEndpoint": folder},
        {
            "@context": LINKED_VP_CONTEXT,
            "id": f"{document.id}#whois",
            "type": "LinkedVerifiablePresentation",
            "serviceEndpoint": f"{folder}whois.vp",
        },
    ]
    content = document.content
    services = content.get("service", [])
    present = services if isinstance(services, list) else []
    missing = [service for service in implicit if _endpoint(document, _fragment(service)) is None]
    return {**content, "service": [*present, *missing]}


class _Reading:
    """One pass over a log: it keeps the version that was asked for, and what the answer says beside it."""

    def __init__(self, did: WebvhDid, options: ResolutionOptions, *, keep: bool = False) -> None:
        self._did = did
        self._options = options
        self._keep = keep
        self._watch = WitnessWatch()
        self._named = False
        self._superseded = False
        self.chosen: Version | None = None
        self.newest: Version | None = None
        self.created: datetime | None = None
        self.versions: list[DidVersion] = []

    def read(self, files: WebvhFiles, now: datetime) -> None:
        try:
            self._read_entries(files, now)
            if self._watch.spans:
                self._watch.check(files.witness(), now=now)
        except (InvalidProof, Malformed) as error:
            raise ResolutionFailed("invalidDid", str(error)) from error
        except Unavailable as error:
            raise not_loaded(error) from error
        if not self._named:
            raise ResolutionFailed("invalidDid", "no entry of the log is about this DID")

    def _read_entries(self, files: WebvhFiles, now: datetime) -> None:
        try:
            for version in verify_log(read_lines(files.log), scid=self._did.scid, now=now):
                self._add(version)
        except (InvalidProof, Malformed):
            # What was verified stands, and may be asked for by name: but never as the newest.
            if not (self._options.names_version and self.chosen is not None and self._is_settled()):
                raise

    def _is_settled(self) -> bool:
        """Whether the version chosen would be the same whatever the entries after a bad one say."""
        return self._options.version_time is None or self._superseded

    def _add(self, version: Version) -> None:
        self._watch.add(version)
        self._named = self._named or version.did == self._did.did
        self.created = self.created or version.time
        self.newest = version
        if self._is_chosen(version):
            self.chosen = version
        if self._keep:
            self._remember(version)

    def _is_chosen(self, version: Version) -> bool:
        asked = self._options
        if asked.version_id is not None:
            return version.version_id == asked.version_id
        if asked.version_number is not None:
            return version.number == asked.version_number
        if asked.version_time is not None:
            self._superseded = version.time > asked.version_time
            return not self._superseded
        return True

    def _remember(self, version: Version) -> None:
        content = canonicalize(version.state)
        if self.versions and self.versions[-1].content == content:
            content = self.versions[-1].content
        self.versions.append(
            DidVersion(version.version_id, version.time, content, version.parameters.deactivated)
        )


def _describe(version: Version, newest: Version, created: datetime | None) -> JsonObject:
    """Write the metadata of a version; what concerns the DID as a whole is of the newest valid entry."""
    parameters = newest.parameters
    witness: JsonObject = {}
    if parameters.witness is not None:
        # The specification has metadata without whole numbers.
        witness = {**parameters.witness.to_json(), "threshold": str(parameters.witness.threshold)}
    return {
        "versionId": version.version_id,
        "versionTime": format_timestamp(version.time),
        "created": format_timestamp(created or version.time),
        "updated": format_timestamp(newest.time),
        "scid": parameters.scid,
        "portable": parameters.portable,
        "deactivated": parameters.deactivated,
        "ttl": str(parameters.ttl),
        "witness": witness,
        "watchers": list(parameters.watchers),
    }


def _fragment(service: JsonObject) -> str:
    return f"#{str(service['id']).rpartition('#')[2]}"


def _endpoint(document: DidDocument, fragment: str) -> str | None:
    services = document.content.get("service", [])
    for service in services if isinstance(services, list) else []:
        if isinstance(service, dict) and service.get("id") in (fragment, document.id + fragment):
            endpoint = service.get("serviceEndpoint")
            if not isinstance(endpoint, str):
                raise ResolutionFailed("invalidDid", "the service has no one endpoint")
            return endpoint
    return None

"""The history of a DID: what its document said at which time, and how long each of its keys was good.

A credential outlives the key that signed it. Whether a signature that is known to be older than some moment
still counts depends on what the DID document said then, and on what was said of the key since. A history says
both. That a removed key's older signatures count at all is a policy of its own: Controlled Identifiers 1.0
knows no past, and this departs from it by name.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from vcid.dids.documents import MAX_DOCUMENT_BYTES, DidDocument
from vcid.encoding.json import parse_object
from vcid.errors import ResolutionFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vcid.dids.documents import VerificationMethod


@dataclass(frozen=True, slots=True)
class DidVersion:
    """One version of a DID's document.

    Attributes:
        version_id: what the DID's method calls it.
        time: from when on it holds.
        content: the document in canonical JSON.
        deactivated: whether the DID ended with this version.
    """

    version_id: str
    time: datetime
    content: bytes = field(repr=False)
    deactivated: bool = False

    @property
    def document(self) -> DidDocument:
        """The document, read anew at each access.

        Raises:
            ResolutionFailed: ``invalidDidDocument``.
        """
        content = parse_object(self.content, max_bytes=MAX_DOCUMENT_BYTES)
        return DidDocument.parse(content, deactivated=self.deactivated)


@dataclass(frozen=True, slots=True, kw_only=True)
class MethodLife:
    """The time for which a verification method was listed for one purpose with one key.

    A method that was removed and listed again has a life for each time. ``revoked`` and ``expires`` are the
    earliest moments that any version states for this method and key, whichever life that version falls in: a
    key found to have been stolen is revoked from the theft on, also backwards.

    Attributes:
        id: the method's URL, under the newest name of its DID.
        multikey: its key.
        purpose: the verification relationship.
        listed: when it was first listed.
        removed: when a version without it, without this key or this purpose, took its place.
        revoked: from when on it is revoked.
        expires: from when on it has expired.
        deactivated: when its DID was deactivated.
    """

    id: str
    multikey: str
    purpose: str
    listed: datetime
    removed: datetime | None = None
    revoked: datetime | None = None
    expires: datetime | None = None
    deactivated: datetime | None = None

    @property
    def ended(self) -> datetime | None:
        """The moment from which on the key is good for nothing new; None while it is good."""
        moments = (self.removed, self.revoked, self.expires, self.deactivated)
        return min((moment for moment in moments if moment is not None), default=None)

    def covers(self, moment: datetime) -> bool:
        """Tell whether the method was listed and in force at a moment."""
        return self.listed <= moment and (self.ended is None or moment < self.ended)


@dataclass(frozen=True, slots=True)
class DidHistory:
    """All versions of a DID that are known, oldest first, without gaps.

    Attributes:
        did: the DID, as it is called in the newest version.
        versions: at least one; each later than the one before.

    Raises:
        ValueError: there is no version, or they are out of order or without a time zone.
    """

    did: str
    versions: tuple[DidVersion, ...]

    def __post_init__(self) -> None:
        times = [version.time for version in self.versions]
        if not times or any(time.utcoffset() is None for time in times):
            raise ValueError("a history has versions, whose times have a time zone")
        if any(later <= earlier for earlier, later in pairwise(times)):
            raise ValueError("each version is later than the one before")

    def version_at(self, moment: datetime) -> DidVersion:
        """Give the version that held at a moment.

        Raises:
            ResolutionFailed: ``notFound``: the DID did not exist yet.
        """
        position = bisect_right(self.versions, moment, key=lambda version: version.time)
        if position == 0:
            raise ResolutionFailed("notFound", "the DID did not exist at that moment")
        return self.versions[position - 1]

    def at(self, moment: datetime) -> DidDocument:
        """Give the document that held at a moment; one of a DID that had ended says so.

        Raises:
            ResolutionFailed: ``notFound``, or ``invalidDidDocument`` for a version that can't be read.
        """
        return self.version_at(moment).document

    def names(self) -> frozenset[str]:
        """Give every name that a version has the DID under: one that moved has several."""
        contents = dict.fromkeys(version.content for version in self.versions)
        found = (parse_object(content, max_bytes=MAX_DOCUMENT_BYTES).get("id") for content in contents)
        return frozenset({self.did, *(name for name in found if isinstance(name, str))})

    def extends(self, known: DidHistory) -> bool:
        """Tell whether this history grew out of one that is known, or is that one.

        What a DID's own method can't tell, a verifier that remembers can: that the newest versions are held
        back, or that a controller showed others another past.
        """
        return self.versions[: len(known.versions)] == known.versions

    def lives(self, purpose: str = "assertionMethod") -> tuple[MethodLife, ...]:
        """Give the lives of all methods that were ever listed for a purpose, by when they were listed.

        A method of a DID that moved lives on under its DID's newest name. A version whose document can't be
        read lists nothing, so that every life ends with it.
        """
        ends: dict[tuple[str, str], _Ends] = {}
        spans = list(self._spans(purpose, ends))
        return tuple(
            MethodLife(
                id=span.id,
                multikey=span.multikey,
                purpose=purpose,
                listed=span.listed,
                removed=span.removed,
                revoked=ends[span.id, span.multikey].revoked,
                expires=ends[span.id, span.multikey].expires,
                deactivated=self._deactivated,
            )
            for span in sorted(spans, key=lambda span: (span.listed, span.id))
        )

    def lives_of(self, method: str, purpose: str = "assertionMethod") -> tuple[MethodLife, ...]:
        """Give the lives of one method, by its URL; none where it was never listed for the purpose."""
        return tuple(life for life in self.lives(purpose) if life.id == method)

    @property
    def _deactivated(self) -> datetime | None:
        return next((version.time for version in self.versions if version.deactivated), None)

    def _spans(self, purpose: str, ends: dict[tuple[str, str], _Ends]) -> Iterator[_Span]:
        opened: dict[tuple[str, str], _Span] = {}
        content = b""
        listed: dict[tuple[str, str], VerificationMethod] = {}
        for version in self.versions:
            if version.content != content:
                content, listed = version.content, _read_listed(version, purpose, self.did)
            for key in [key for key in opened if key not in listed]:
                span = opened.pop(key)
                span.removed = version.time
                yield span
            for key, method in listed.items():
                ends.setdefault(key, _Ends()).note(method)
                opened.setdefault(key, _Span(*key, version.time))
        yield from opened.values()


@dataclass(slots=True)
class _Span:
    id: str
    multikey: str
    listed: datetime
    removed: datetime | None = None


@dataclass(slots=True)
class _Ends:
    """The earliest ends that any version states for a method and key."""

    revoked: datetime | None = None
    expires: datetime | None = None

    def note(self, method: VerificationMethod) -> None:
        self.revoked = _earlier(self.revoked, method.revoked)
        self.expires = _earlier(self.expires, method.expires)


def _earlier(one: datetime | None, other: datetime | None) -> datetime | None:
    return min((moment for moment in (one, other) if moment is not None), default=None)


def _read_listed(version: DidVersion, purpose: str, did: str) -> dict[tuple[str, str], VerificationMethod]:
    """Read the methods that a version lists for a purpose, under the name ``did`` of their DID."""
    try:
        document = version.document
    except ResolutionFailed:
        return {}
    allowed = document.relationships.get(purpose, frozenset())
    return {
        (_rename(method.id, document.id, did), method.public_key.multikey): method
        for method in document.methods
        if method.id in allowed and method.controller == document.id
    }


def _rename(method: str, document: str, did: str) -> str:
    own = f"{document}#"
    return f"{did}#{method.removeprefix(own)}" if method.startswith(own) else method

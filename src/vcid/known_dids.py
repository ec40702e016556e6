"""The DIDs that a verifier knows: their documents, the histories of those that have one, their keys' ends.

A did:webvh is read from its log, which is verified once and judged for the moment asked about. Every name
that the log proves is the same DID. What any version says of a key's end counts for every moment: a key found
to have been stolen is no good from the theft on, whatever the document of that day said.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vcid.dids.documents import DidDocument, parse_did_url
from vcid.dids.jwk import DidJwkResolver
from vcid.dids.methods import DidKeyResolver, Resolvers
from vcid.dids.names import WEBVH, is_intrinsic, lasting_name, name_method, read_newest_name
from vcid.dids.webvh import WebvhFiles, read_history
from vcid.encoding.json import parse_object
from vcid.errors import Malformed, ResolutionFailed
from vcid.knowledge import MAX_FILE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from vcid.dids.documents import VerificationMethod
    from vcid.dids.history import DidHistory, MethodLife
    from vcid.knowledge import Anchored, Knowledge

_KEPT_DOCUMENTS: Final = 8
"""How many versions of one DID's document are kept ready; most questions are about one or two."""

_RECHECK: Final = timedelta(minutes=1)
"""How long a log that does not hold stays refused: one from the future may come to hold."""


@dataclass(frozen=True, slots=True)
class Closing:
    """The end of a key: from when on it vouches for nothing new.

    Attributes:
        moment: when.
        code: how: ``key-revoked``, ``key-expired``, ``key-removed`` or ``deactivated``.
    """

    moment: datetime
    code: str

    @classmethod
    def of(cls, method: VerificationMethod | MethodLife) -> Closing | None:
        """Give the earliest end that is stated of a method."""
        stated = [
            cls(moment, code) for name, code in _ENDS if (moment := getattr(method, name, None)) is not None
        ]
        return min(stated, key=lambda it: it.moment, default=None)


_ENDS: Final = (
    ("revoked", "key-revoked"),
    ("expires", "key-expired"),
    ("removed", "key-removed"),
    ("deactivated", "deactivated"),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """What is asked about a key, beside its name.

    Attributes:
        at: the moment asked about.
        now: the moment of asking.
        said: when the proof says it was made, if it does.
    """

    at: datetime
    now: datetime
    said: datetime | None = None


class _History:
    """A log that was read and holds; what is asked of it again and again is read once."""

    def __init__(self, history: DidHistory) -> None:
        self.did = history.did
        self.names = history.names()
        self._history = history
        self._documents: dict[str, DidDocument] = {}
        self._lives: dict[str, Mapping[str, tuple[MethodLife, ...]]] = {}

    @property
    def newest(self) -> datetime:
        """When the newest version took the place of the one before."""
        return self._history.versions[-1].time

    def at(self, moment: datetime) -> DidDocument:
        """Give the document of a moment; raises as ``DidHistory.at``."""
        version = self._history.version_at(moment)
        document = self._documents.get(version.version_id)
        if document is None:
            document = version.document
            if len(self._documents) < _KEPT_DOCUMENTS:
                self._documents[version.version_id] = document
        return document

    def method_at(self, url: str, purpose: str, moment: datetime) -> VerificationMethod:
        """Find a method in the document of a moment, under the name that the DID had then."""
        document = self.at(moment)
        method = document.method(name_method(url, document.id), purpose)
        return replace(method, id=url, controller=parse_did_url(url).did)

    def lives_of(self, url: str, purpose: str) -> tuple[MethodLife, ...]:
        """Give the lives of one method, by its URL under any name."""
        if purpose not in self._lives:
            found: dict[str, tuple[MethodLife, ...]] = {}
            for life in self._history.lives(purpose):
                found[life.id] = (*found.get(life.id, ()), life)
            self._lives[purpose] = found
        return self._lives[purpose].get(name_method(url, self.did), ())


@dataclass(frozen=True, slots=True)
class _Refused:
    """Why a log gave no history, and when."""

    at: datetime
    error: ResolutionFailed


class KnownDids:
    """Finds DIDs and their keys in what is known. Safe to share between threads.

    Args:
        knowledge: what is known.
        clock: gives the current time, with a time zone; a log from the future is refused.
    """

    def __init__(self, knowledge: Knowledge, clock: Callable[[], datetime]) -> None:
        self._known = knowledge.did_documents
        self._clock = clock
        self._intrinsic = Resolvers({"key": DidKeyResolver(), "jwk": DidJwkResolver()})
        self._documents: dict[str, DidDocument] = {}
        self._logs: dict[str, Anchored] = {}
        self._read: dict[str, _History | _Refused] = {}
        for did, anchored in self._known.items():
            if did.startswith(WEBVH):
                # Of several logs of one DID the longest goes furthest; the ledger says which is the newest.
                name = lasting_name(did)
                former = self._logs.get(name)
                if former is None or len(former.content) < len(anchored.content):
                    self._logs[name] = anchored

    def find(self, did: str) -> Anchored | None:
        """Give the document or log that is known of a DID, under whichever of its names."""
        return self._logs.get(lasting_name(did)) if did.startswith(WEBVH) else self._known.get(did)

    def names(self, did: str) -> frozenset[str]:
        """Give every name that is proven to be this DID's; only its own where nothing proves more."""
        read = self._read_log(did) if did.startswith(WEBVH) else None
        return read.names if isinstance(read, _History) and did in read.names else frozenset({did})

    def resolve(self, did: str) -> DidDocument:
        """Give the newest document known of a DID, which has to be about it under this very name.

        Raises:
            ResolutionFailed: there is none, or it can't be read.
        """
        if not did.startswith(WEBVH):
            return self._document(did)
        history = self._history(did)
        document = history.at(history.newest)
        if document.id != did:
            raise ResolutionFailed("notFound", "the DID has another name by now")
        return document

    def method(self, url: str, purpose: str, at: datetime) -> VerificationMethod:
        """Find a verification method as the DID's document of a moment has it, with its ends.

        Raises:
            ResolutionFailed: no document is known, or it has no usable key of that name.
            InvalidProof: the document decides against the method.
        """
        did = parse_did_url(url).did
        if not did.startswith(WEBVH):
            return self._document(did).method(url, purpose)
        history = self._history(did)
        method = history.method_at(url, purpose, at)
        for life in history.lives_of(url, purpose):
            if life.multikey == method.public_key.multikey:
                return replace(method, revoked=life.revoked, expires=life.expires)
        return method

    def lasting_method(
        self, url: str, purpose: str, asked: Asked
    ) -> tuple[VerificationMethod, Closing | None]:
        """Find a method by which a proof of its own time can still be checked, and the end that it came to.

        A key that has no end by ``at``, nor by ``now``, is found as by ``method``. Of one that has, the end
        is given beside it. An end that is known now is not hidden by asking about a moment before it. Of a
        name that stood for several keys, the key is that of the day that the proof states, if any: that is
        the signer's own word, and only says by which key and by which end the proof is judged.

        Raises:
            ResolutionFailed, InvalidProof: as ``method``.
        """
        did, at, last = parse_did_url(url).did, asked.at, max(asked.at, asked.now)
        if not did.startswith(WEBVH):
            method = self.method(url, purpose, at)
            closing = Closing.of(method)
            if closing is None or closing.moment > last:
                return method, None
            return replace(method, revoked=None, expires=None), closing
        history = self._history(did)
        lives = _lives_of_one_key(history.lives_of(url, purpose), asked)
        closings = [(life, Closing.of(life)) for life in lives]
        if not closings or any(end is None or end.moment > last for _, end in closings):
            return self.method(url, purpose, at), None
        life, closing = closings[-1]
        method = history.method_at(url, purpose, life.listed)
        return replace(method, revoked=None, expires=None), closing

    def _document(self, did: str) -> DidDocument:
        # Such a DID says all there is to say: a document that is handed in beside it could only lie.
        if is_intrinsic(did):
            return self._intrinsic.resolve(did)
        if did in self._documents:
            return self._documents[did]
        known = self._known.get(did)
        if known is None:
            raise ResolutionFailed("notFound", "no DID document is known for the issuer")
        try:
            content = parse_object(known.content, max_bytes=MAX_FILE_BYTES)
        except Malformed as error:
            raise ResolutionFailed("invalidDidDocument", f"what is known of the DID: {error}") from error
        document = DidDocument.parse(content)
        if document.id != did:
            raise ResolutionFailed("invalidDidDocument", "the DID document known is about another DID")
        return self._documents.setdefault(did, document)

    def _history(self, did: str) -> _History:
        """Give the history of a did:webvh.

        Raises:
            ResolutionFailed: none is known, it does not hold, or it does not prove this name.
        """
        read = self._read_log(did)
        if read is None:
            raise ResolutionFailed("notFound", "no log is known for the issuer's DID")
        if isinstance(read, _Refused):
            raise ResolutionFailed(read.error.code, read.error.detail)
        if did not in read.names:
            raise ResolutionFailed("notFound", "the DID's log does not have it under this name")
        return read

    def _read_log(self, did: str) -> _History | _Refused | None:
        """Verify a log, once; one that does not hold, at most once a minute."""
        name = lasting_name(did)
        known = self._logs.get(name)
        if known is None:
            return None
        read, now = self._read.get(name), self._clock()
        if read is None or (isinstance(read, _Refused) and abs(now - read.at) >= _RECHECK):
            read = self._read[name] = _read_known(known, now)
        return read


def _read_known(known: Anchored, now: datetime) -> _History | _Refused:
    try:
        did = read_newest_name(known.content)
        return _History(read_history(did, WebvhFiles.of(known.content, known.witness), now=now))
    except Malformed as error:
        return _Refused(now, ResolutionFailed("invalidDidDocument", f"the DID's log: {error}"))
    except ResolutionFailed as error:
        # A log that does not hold says nothing against a credential: it may come by any hand.
        code = "invalidDidDocument" if error.code == "invalidDid" else error.code
        return _Refused(now, ResolutionFailed(code, f"the DID's log: {error.detail}"))


def _lives_of_one_key(lives: Iterable[MethodLife], asked: Asked) -> list[MethodLife]:
    """Choose the key of the day that the proof states, or else the newest; give its lives begun so far."""
    begun = [life for life in lives if life.listed <= asked.at]
    said = asked.said
    then = [it for it in begun if said and it.listed <= said and (it.removed is None or said < it.removed)]
    chosen = (then or begun)[-1:]
    return [life for life in begun if any(life.multikey == one.multikey for one in chosen)]

"""The JSON-LD contexts that vcid carries, and the seam through which a caller hands in more.

A context decides what every term of a credential means, so it is data of the same rank as code: it ships with
the package, byte for byte as its specification published it where that states a digest, and is never fetched.
JSON-LD 1.1 calls what is kept here remote contexts; to this library none of them is remote.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from vcid.encoding import json
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vcid.encoding.json import JsonObject


@dataclass(frozen=True, slots=True)
class Loaded:
    """A document that a loader brought.

    Attributes:
        content: its bytes, unread.
        media_type: what the other side said it is; empty if it said nothing.
        url: where it was found in the end, after redirections.
    """

    content: bytes
    media_type: str
    url: str


class Loader(Protocol):
    """Brings documents by URL: the one way in which this library reaches outside, always handed in."""

    def load(self, url: str) -> Loaded:
        """Bring the document at a URL.

        Raises:
            Unavailable: it can't be had.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ContextSource:
    """Where a carried context comes from.

    Attributes:
        url: the name that documents use for it.
        file: its file in ``vcid/contexts``.
        source: the publication or package that the bytes were taken from.
        licence: the terms under which it is passed on.
        sha256: of the file, in hexadecimal; None for the context that this project itself writes.
        stated_by: the specification that states this digest, if one does.
    """

    url: str
    file: str
    source: str
    licence: str
    sha256: str | None
    stated_by: str = ""


_FOLDER: Final = Path(__file__).parents[1] / "contexts"
_W3C: Final = "W3C Software and Document License"
_PYLD: Final = "PyLD 3.3.0, bundled contexts"

_SOURCES: Final = (
    ContextSource(
        url="https://www.w3.org/ns/credentials/v2",
        file="credentials-v2.jsonld",
        source="w3c/vc-data-model, contexts/credentials/v2",
        licence=_W3C,
        sha256="59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
        stated_by="Verifiable Credentials Data Model 2.0",
    ),
    ContextSource(
        url="https://www.w3.org/2018/credentials/v1",
        file="credentials-v1.jsonld",
        source="w3c/vc-data-model, contexts/credentials/v1",
        licence=_W3C,
        sha256="ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
        stated_by="Verifiable Credentials Data Model 1.1",
    ),
    ContextSource(
        url="https://w3id.org/vcid/v1",
        file="vcid-v1.jsonld",
        source="this project",
        licence="Apache-2.0",
        sha256=None,
    ),
    ContextSource(
        url="https://w3id.org/security/data-integrity/v1",
        file="data-integrity-v1.jsonld",
        source="w3c/vc-data-integrity, contexts/data-integrity/v1",
        licence=_W3C,
        sha256="b5d829bd09aa7c42abc6efa0c8ed7635313b5487f37ccfce3ecd149ca9418554",
    ),
    ContextSource(
        url="https://w3id.org/security/data-integrity/v2",
        file="data-integrity-v2.jsonld",
        source="w3c/vc-data-integrity, contexts/data-integrity/v2",
        licence=_W3C,
        sha256="67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
        stated_by="Verifiable Credential Data Integrity 1.0",
    ),
    ContextSource(
        url="https://w3id.org/security/multikey/v1",
        file="multikey-v1.jsonld",
        source="w3c/vc-data-integrity, contexts/multikey/v1",
        licence=_W3C,
        sha256="ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
        stated_by="Verifiable Credential Data Integrity 1.0",
    ),
    ContextSource(
        url="https://w3id.org/security/jwk/v1",
        file="jwk-v1.jsonld",
        source="w3c/vc-data-integrity, contexts/jwk/v1",
        licence=_W3C,
        sha256="0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece",
        stated_by="Verifiable Credential Data Integrity 1.0",
    ),
    ContextSource(
        url="https://www.w3.org/ns/cid/v1",
        file="cid-v1.jsonld",
        source="w3c/cid, context/v1.jsonld",
        licence=_W3C,
        sha256="ea216ecc1cb02cd39b693dba2250141e270ba0bf95890be107dd9a9e8e43de85",
        stated_by="Controlled Identifiers 1.0",
    ),
    ContextSource(
        url="https://www.w3.org/ns/did/v1",
        file="did-v1.jsonld",
        source="did-context 3.1.1, contexts/did-v1.jsonld",
        licence=_W3C,
        sha256="62c1054bf404d6dd3a4b26b64f830fd72095f6a26edc4469908c94351352ce5f",
    ),
    ContextSource(
        url="https://www.w3.org/ns/credentials/status/v1",
        file="credentials-status-v1.jsonld",
        source="w3c/vc-bitstring-status-list, contexts/v1.jsonld",
        licence=_W3C,
        sha256="fda5add353231e6a6884a46b12e6c75464281900cb348284d9c360f62381d9f7",
        stated_by="Bitstring Status List 1.0",
    ),
    ContextSource(
        url="https://w3id.org/vc/status-list/2021/v1",
        file="status-list-2021-v1.jsonld",
        source="w3c/vc-bitstring-status-list, contexts/2021/v1.jsonld",
        licence=_W3C,
        sha256="6dd06a52bedb771e059c1083ba8ba7848dce22f6b4a8cfa0b98ba3fc188870e4",
    ),
    ContextSource(
        url="https://www.w3.org/ns/credentials/examples/v2",
        file="credentials-examples-v2.jsonld",
        source="w3c/vc-data-model, contexts/credentials/examples/v2",
        licence=_W3C,
        sha256="57393fbc69d6efb9b9b5dc9cb6b9880b0944360abfe2eaf459c9e58cf2279d7c",
    ),
    ContextSource(
        url="https://www.w3.org/ns/credentials/undefined-terms/v2",
        file="credentials-undefined-terms-v2.jsonld",
        source="w3c/vc-data-model, contexts/credentials/undefined-terms/v2",
        licence=_W3C,
        sha256="82dab514ba44eb18f5d1b0f638c5e140c6a556fbfb5089601bdc0fa5eb8b2581",
    ),
    ContextSource(
        url="https://w3id.org/security/v1",
        file="security-v1.jsonld",
        source=_PYLD,
        licence=_W3C,
        sha256="e2d146cd556f6fa5f14996c6f1749667d5a14073fa30f0643990068e2c0b1bac",
    ),
    ContextSource(
        url="https://w3id.org/security/v2",
        file="security-v2.jsonld",
        source=_PYLD,
        licence=_W3C,
        sha256="4cb186bc29c08af6e40c58178c22dd84d542f2871a063afed6e648b47abc3cf6",
    ),
    ContextSource(
        url="https://w3id.org/security/suites/ed25519-2020/v1",
        file="security-ed25519-2020-v1.jsonld",
        source=_PYLD,
        licence=_W3C,
        sha256="b9e1ab971fd8bf2c7553e0c4a9438e0b9450afde1ea1ca5b2492368b9f549588",
    ),
    ContextSource(
        url="https://w3id.org/security/suites/x25519-2020/v1",
        file="security-x25519-2020-v1.jsonld",
        source="@digitalcredentials/x25519-key-agreement-2020-context 1.0.0",
        licence="BSD-3-Clause",
        sha256="1fee542597dc2bdc478d4138a5f01d5e6df00d8f0a76c65e4ed71b799079f993",
    ),
    ContextSource(
        url="https://w3id.org/security/suites/jws-2020/v1",
        file="security-jws-2020-v1.jsonld",
        source=_PYLD,
        licence=_W3C,
        sha256="00ee65bb7307f9a01c3170b823083b0d4de68223520834b2c5eb7a09bae5dea6",
    ),
)

CONTEXTS: Final[Mapping[str, ContextSource]] = MappingProxyType({source.url: source for source in _SOURCES})


def context(url: str) -> JsonObject:
    """Read a carried context; the object is the caller's own.

    Raises:
        Malformed: ``unknown-context``, when none of that URL is carried.
    """
    if url not in CONTEXTS:
        raise _unknown()
    return json.parse_object(read_context(CONTEXTS[url].file))


@cache
def read_context(file: str) -> bytes:
    """Read a context's file as it was published. The cache is bounded by the table of files."""
    return (_FOLDER / file).read_bytes()


class Contexts:
    """The contexts that a caller knows, by URL: an immutable value, equal and hashed by its content.

    Start from `carried` and add to it with `with_context`; there is no other way in, so what a document's
    terms mean never depends on the network.
    """

    __slots__ = ("_added", "_hash", "_texts")

    def __init__(self, added: Mapping[str, JsonObject] = MappingProxyType({})) -> None:
        """Know the carried contexts, and others by URL."""
        for url, document in added.items():
            _require_new(url, document)
        self._texts = {url: json.canonicalize(document) for url, document in added.items()}
        self._added = tuple(sorted((url, hashlib.sha256(text).digest()) for url, text in self._texts.items()))
        self._hash = hash(self._added)

    @staticmethod
    def carried() -> Contexts:
        """Know the contexts that ship with this package and no others."""
        return _carried()

    def with_context(self, url: str, document: JsonObject) -> Contexts:
        """Make a new value that knows one context more.

        Args:
            url: the name that documents use for it, an absolute URL.
            document: an object with ``@context``.

        Raises:
            ValueError: the URL is one whose context is known already, and differs: the meaning of published
                terms is not up for change.
        """
        if url in self and self[url] == document:
            return self
        _require_new(url, document)
        if url in self:
            raise ValueError("a context that is known already can't be replaced by another")
        added = {known: self[known] for known in self._texts}
        return Contexts({**added, url: document})

    def __getitem__(self, url: str) -> JsonObject:
        """Read a context; the object is the caller's own.

        Raises:
            Malformed: ``unknown-context``.
        """
        text = self._texts.get(url)
        return json.parse_object(text) if text is not None else context(url)

    def __contains__(self, url: object) -> bool:
        return url in self._texts or url in CONTEXTS

    def __iter__(self) -> Iterator[str]:
        yield from CONTEXTS
        yield from self._texts

    def __len__(self) -> int:
        return len(CONTEXTS) + len(self._texts)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Contexts) and self._added == other._added

    def __hash__(self) -> int:
        return self._hash

    def __repr__(self) -> str:
        return f"Contexts.carried() with {len(self._texts)} added"


@cache
def _carried() -> Contexts:
    return Contexts()


def _require_new(url: str, document: JsonObject) -> None:
    if url in CONTEXTS:
        raise ValueError("a context that is known already can't be replaced by another")
    if not url.isascii() or ":" not in url:
        raise ValueError("a context is named by an absolute URL")
    if "@context" not in document:
        raise ValueError("a context document is an object with @context")


def _unknown() -> Malformed:
    return Malformed("unknown-context", "the URL of a context that is carried or was handed in")

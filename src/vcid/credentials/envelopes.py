"""Credentials and presentations in their media types: what was received, read into one shape.

Follows the Verifiable Credentials Data Model 2.0, sections "Media Types", "Enveloped Verifiable Credentials"
and "Enveloped Verifiable Presentations". A document is secured either by the proofs within it or by the token
around it; an envelope is an object that carries such a token in a ``data:`` URL (RFC 2397). What else stands
in an envelope is not read: nothing secures it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vcid.credentials.model import MEDIA_TYPE, Credential
from vcid.credentials.model_rules import VC_V2
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Malformed
from vcid.securing.jose import CREDENTIAL_TOKEN, PRESENTATION_TOKEN, Token, TokenForm

if TYPE_CHECKING:
    from vcid.encoding.json import JSON, JsonObject

PRESENTATION_MEDIA_TYPE: Final = "application/vp"

UNSUPPORTED_ENVELOPE: Final = "unsupported-envelope"
"""The code of an envelope that can't be opened here, which says nothing against what is in it."""

MAX_CREDENTIAL_BYTES: Final = 1 << 18
"""The largest credential examined: a hundred times an ordinary one."""

MAX_PRESENTATION_BYTES: Final = 1 << 20
"""The largest presentation examined."""


@dataclass(frozen=True, slots=True)
class Presentation:
    """A presentation that its holder secured: its bytes, and the media type that says how to read them.

    Attributes:
        media_type: ``application/vp`` for a document with a Data Integrity proof, ``application/vp+jwt`` for
            a token.
        content: the document as it was received or signed.
    """

    media_type: str
    content: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.content, bytes):
            raise TypeError("content must be bytes")

    def __repr__(self) -> str:
        return f"Presentation({self.media_type!r}, <{len(self.content)} bytes>)"


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the two kinds of secured document.

    Attributes:
        json_types: the media types that mean JSON with embedded proofs.
        token: the kind of token that secures it.
        envelope: the type of the object that carries it in a ``data:`` URL.
        max_bytes: how long a document may be.
    """

    json_types: frozenset[str]
    token: TokenForm
    envelope: str
    max_bytes: int


CREDENTIAL: Final = Kind(
    frozenset({MEDIA_TYPE, "application/vc+ld+json", "application/json"}),
    CREDENTIAL_TOKEN,
    "EnvelopedVerifiableCredential",
    MAX_CREDENTIAL_BYTES,
)
PRESENTATION: Final = Kind(
    frozenset({PRESENTATION_MEDIA_TYPE, "application/vp+ld+json", "application/json"}),
    PRESENTATION_TOKEN,
    "EnvelopedVerifiablePresentation",
    MAX_PRESENTATION_BYTES,
)


@dataclass(frozen=True, slots=True)
class Received:
    """A document as it was received, nothing in it verified.

    Attributes:
        document: the document, with its proofs where they are within it.
        token: the token around it, where one secures it.
    """

    document: JsonObject = field(repr=False)
    token: Token | None = field(default=None, repr=False)

    @property
    def secured(self) -> JsonObject | Token:
        """What a signature is to be looked for in: the token, or the document itself."""
        return self.document if self.token is None else self.token


def read_secured(received: Credential | Presentation | bytes | str | JsonObject, kind: Kind) -> Received:
    """Read a credential or presentation: strict JSON or a token, alone or in its envelope.

    Text without a media type is told by its first character.

    Raises:
        LimitExceeded: it is too long or too deep.
        Malformed: it can't be read, or is of a media type that isn't read here; ``unsupported-envelope`` for
            an envelope of such a type.
        TypeError: it is of no kind that is taken.
    """
    if isinstance(received, Credential | Presentation):
        content: bytes | str = received.content
        if received.media_type == kind.token.media_type:
            return _read_token(content, kind)
        if received.media_type not in kind.json_types:
            expected = f"{min(kind.json_types, key=len)} or {kind.token.media_type}"
            raise Malformed("unsupported-media-type", expected)
    elif isinstance(received, dict):
        content = canonicalize(received)
    elif isinstance(received, bytes | str):
        content = received
        if _is_token(content):
            return _read_token(content.strip(), kind)
    else:
        raise TypeError("neither an object with a media type and content, nor JSON text or a parsed object")
    document = parse_object(content, max_bytes=kind.max_bytes)
    return _open(document, kind) if _has_type(document, kind.envelope) else Received(document)


def carry_credential(content: bytes) -> Credential:
    """Carry a credential whose media type nobody stated; its first character tells."""
    if _is_token(content):
        return Credential(CREDENTIAL_TOKEN.media_type, content.strip())
    return Credential(MEDIA_TYPE, content)


def envelop(credential: Credential) -> JsonObject:
    """Write a token as the object that stands for it in a presentation.

    Raises:
        ValueError: the credential is no token.
        Malformed: its content is no ASCII.
    """
    if credential.media_type != CREDENTIAL_TOKEN.media_type:
        raise ValueError(f"{CREDENTIAL_TOKEN.media_type} goes into an envelope")
    try:
        content = credential.content.decode("ascii")
    except UnicodeDecodeError:
        raise Malformed("token", "base64url in ASCII") from None
    return {
        "@context": VC_V2,
        "id": f"data:{credential.media_type},{content}",
        "type": CREDENTIAL.envelope,
    }


def is_enveloped(document: JsonObject) -> bool:
    """Whether an object is an envelope around a credential."""
    return _has_type(document, CREDENTIAL.envelope)


def _is_token(content: bytes | str) -> bool:
    """Whether text can be a token: base64url of a brace begins with ``e``, and no JSON text does."""
    return content.startswith("e") if isinstance(content, str) else content.startswith(b"e")


def _has_type(document: JsonObject, name: str) -> bool:
    types: JSON = document.get("type")
    return types == name or (isinstance(types, list) and name in types)


def _read_token(content: bytes | str, kind: Kind) -> Received:
    token = Token.parse(content, kind.token, max_bytes=kind.max_bytes)
    return Received(token.unverified_document, token)


def _open(envelope: JsonObject, kind: Kind) -> Received:
    """Take the token out of its envelope."""
    contexts, types, url = envelope.get("@context"), envelope["type"], envelope.get("id")
    if VC_V2 not in (contexts if isinstance(contexts, list) else [contexts]):
        raise Malformed("wrong-context", VC_V2, where="/@context")
    if types not in (kind.envelope, [kind.envelope]):
        raise Malformed("wrong-type", f"{kind.envelope} alone", where="/type")
    if not isinstance(url, str) or url[:5].lower() != "data:" or "," not in url:
        raise Malformed("not-an-envelope", "a data: URL", where="/id")
    media_type, _, content = url[5:].partition(",")
    if media_type.lower() != kind.token.media_type:
        raise Malformed(UNSUPPORTED_ENVELOPE, f"a data: URL of {kind.token.media_type}", where="/id")
    return _read_token(content, kind)

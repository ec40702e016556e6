"""Credentials and presentations as signed JSON Web Tokens, ``application/vc+jwt`` and ``application/vp+jwt``.

Follows Securing Verifiable Credentials using JOSE and COSE (W3C Recommendation), sections "With JOSE", "Key
Discovery" and "Verifying a Credential or Presentation Secured with JOSE", over JSON Web Signature (RFC 7515,
the compact serialization alone), JSON Web Token (RFC 7519), their algorithms (RFC 7518, RFC 8037, RFC 9864),
and the advice of RFC 8725. The payload is the document itself, beside which a few claims may stand that speak
of the token.

Where this is narrower than the specifications:

- the key comes from ``kid``, the absolute DID URL of a method that the caller resolves. Keys, addresses and
  thumbprints of keys in the header are refused, and so are ``crit``, ``b64``, the parameters of encryption,
  and claims other than those that a header may repeat;
- ``cnf``, which asks for a proof of another key, and the members of SD-JWT, at any depth, are refused;
- a stated ``typ`` or ``cty`` must be that of the media type, an ``aud`` must be what the caller demands, and
  a claim that contradicts the document is refused;
- all terms of the document must be defined by its contexts, as under Data Integrity; claims that neither JWT
  nor a context defines are refused, not ignored.

Where it is wider: the verification method may be of type Multikey as well as JsonWebKey, since both carry the
same key.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Self

from vcid.encoding.base64url import decode_base64url, encode_base64url
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, LimitExceeded, Malformed
from vcid.keys.signing import PublicKey
from vcid.securing.context_validation import check_meaning
from vcid.securing.jwt_claims import CLAIMS, TokenClaims, check_claims_heeded, check_header_heeded
from vcid.securing.proof import VerifiedProof

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.signing import Signer
    from vcid.securing.proof import Method, ProofDemand

ALGORITHMS: Final[Mapping[str, KeyType]] = MappingProxyType(
    {
        "EdDSA": KeyType.ED25519,
        "Ed25519": KeyType.ED25519,
        "ES256": KeyType.P256,
        "ES384": KeyType.P384,
        "ES512": KeyType.P521,
    }
)
"""The values of ``alg`` that a caller may allow, each with the kind of key that it takes."""

_SIGNS_WITH: Final = MappingProxyType(
    {
        KeyType.ED25519: "EdDSA",
        KeyType.P256: "ES256",
        KeyType.P384: "ES384",
        KeyType.P521: "ES512",
    }
)

_KEYS_IN_HEADER: Final = frozenset({"jwk", "jku", "x5u", "x5c", "x5t", "x5t#S256"})
_FORBIDDEN_CLAIMS: Final = ("vc", "vp")

MAX_BYTES: Final = 1 << 18
"""How long a payload may be by default."""

_MAX_HEADER: Final = 4096
_MAX_SIGNATURE: Final = 256


@dataclass(frozen=True, slots=True)
class TokenForm:
    """One of the two kinds of token.

    Attributes:
        media_type: the token's media type.
        typ: what the header's ``typ`` says, if anything.
        cty: what ``cty`` says, if anything.
        signatory: the document's member that names who signs.
    """

    media_type: str
    typ: str
    cty: str
    signatory: str


CREDENTIAL_TOKEN: Final = TokenForm("application/vc+jwt", "vc+jwt", "vc", "issuer")
PRESENTATION_TOKEN: Final = TokenForm("application/vp+jwt", "vp+jwt", "vp", "holder")


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart, nothing in it verified.

    Attributes:
        form: what kind of token it is read as.
        header: the JOSE header.
        claims: the payload's claims that speak of the token.
        unverified_document: the rest of the payload.
        signature: the signature's bytes, empty where there is none.
        signing_input: the bytes that the signature is over.
    """

    form: TokenForm
    header: JsonObject = field(repr=False)
    claims: JsonObject = field(repr=False)
    unverified_document: JsonObject = field(repr=False)
    signature: bytes = field(repr=False)
    signing_input: bytes = field(repr=False)

    @classmethod
    def parse(cls, content: bytes | str, form: TokenForm, *, max_bytes: int = MAX_BYTES) -> Self:
        """Take a compact JWS apart (RFC 7515, section 5.2, steps 1 to 7).

        Base64url is strict and canonical; header and payload are strict JSON, no member twice.

        Args:
            content: the token.
            form: the kind of token expected.
            max_bytes: how long the payload may be.

        Raises:
            LimitExceeded: a part is too long.
            Malformed: it is no compact JWS with a JSON object for payload, or the payload wraps its document
                in ``vc`` or ``vp`` as older versions did (``legacy-claim``), or says of itself what isn't
                heeded (``unsupported-claim``).
        """
        parts = _split(content, max_bytes)
        header = parse_object(_decode(parts[0], _MAX_HEADER, "header"), max_bytes=_MAX_HEADER)
        payload = parse_object(_decode(parts[1], max_bytes, "payload"), max_bytes=max_bytes)
        if not payload.keys().isdisjoint(_FORBIDDEN_CLAIMS):
            raise Malformed("legacy-claim", "a payload that is the document itself, without vc and vp claims")
        check_claims_heeded(payload)
        if "proof" in payload:
            raise Malformed("secured-twice", "a document that the token alone secures", where="/proof")
        return cls(
            form=form,
            header=header,
            claims={name: value for name, value in payload.items() if name in CLAIMS},
            unverified_document={name: value for name, value in payload.items() if name not in CLAIMS},
            signature=_decode(parts[2], _MAX_SIGNATURE, "signature"),
            signing_input=f"{parts[0]}.{parts[1]}".encode("ascii"),
        )

    @property
    def compact(self) -> bytes:
        """The token as it was received (RFC 7515, section 7.1); its base64url is canonical."""
        return self.signing_input + b"." + encode_base64url(self.signature).encode("ascii")


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenOptions:
    """What a new token says about itself.

    Attributes:
        verification_method: the absolute DID URL of the method that verifies the signer's key: ``kid``.
        created: when the token is made, with a time zone (``iat``); left out where None.
        expires: when the token ends, likewise (``exp``).
        domain: whom it is meant for (``aud``).
        challenge: the verifier's challenge that it answers (``nonce``).
    """

    verification_method: str
    created: datetime | None = None
    expires: datetime | None = None
    domain: str | None = None
    challenge: str | None = None

    def __post_init__(self) -> None:
        if not self.verification_method.startswith("did:") or "#" not in self.verification_method:
            raise ValueError("verification_method must be the absolute DID URL of a verification method")
        if any(moment and moment.utcoffset() is None for moment in (self.created, self.expires)):
            raise ValueError("created and expires need a time zone")

    def to_claims(self) -> JsonObject:
        """Write the options as claims."""
        claims: JsonObject = {}
        for name, moment in (("iat", self.created), ("exp", self.expires)):
            if moment is not None:
                claims[name] = int(moment.timestamp())
        for name, text in (("aud", self.domain), ("nonce", self.challenge)):
            if text is not None:
                claims[name] = text
        return claims


def sign_token(
    document: JsonObject, signer: Signer, options: TokenOptions, *, form: TokenForm, contexts: Contexts
) -> bytes:
    """Secure a document as a token; the signer's key chooses the algorithm.

    Raises:
        ValueError: keys of the signer's kind sign no tokens.
        Malformed: the document has a proof already (``already-secured``), or members that a token has for
            itself (``claim-conflict``, ``unsupported-claim``), or contexts that are not valid.
        InvalidRecord: the document uses terms that its contexts leave undefined.
    """
    algorithm = _SIGNS_WITH.get(signer.public_key.key_type)
    if algorithm is None:
        raise ValueError("tokens are signed with Ed25519, P-256, P-384 and P-521 keys")
    if "proof" in document:
        raise Malformed("already-secured", "a document without a proof", where="/proof")
    if not document.keys().isdisjoint(CLAIMS.union(_FORBIDDEN_CLAIMS)):
        raise Malformed("claim-conflict", "a document without members that JSON Web Tokens have")
    check_claims_heeded(document)
    check_meaning(document, contexts=contexts)
    header: JsonObject = {
        "alg": algorithm,
        "kid": options.verification_method,
        "typ": form.typ,
        "cty": form.cty,
    }
    payload = canonicalize({**document, **options.to_claims()})
    signing_input = f"{encode_base64url(canonicalize(header))}.{encode_base64url(payload)}".encode("ascii")
    return signing_input + b"." + encode_base64url(signer.sign(signing_input)).encode("ascii")


def verify_token(
    token: Token, *, resolve: Callable[[str, str], Method], demand: ProofDemand, contexts: Contexts
) -> VerifiedProof:
    """Verify a token ("Verifying a Credential or Presentation Secured with JOSE").

    1. the header asks for nothing that isn't done here, and its algorithm is one that the caller allows;
    2. the claims are what the caller demands, and contradict neither the document nor the header;
    3. resolve the verification method, which must be in force and whose key must fit the algorithm;
    4. verify the signature;
    5. validate the contexts of the document.

    Whether the method is the issuer's or holder's own is for the caller to ask.

    Args:
        token: the token, taken apart.
        resolve: gives the verification method for its URL and a proof purpose, or raises.
        demand: what the token must be; ``suites`` holds names out of `ALGORITHMS`.
        contexts: the JSON-LD contexts that the caller knows.

    Returns:
        The document, and under ``proof`` what the token says of itself, in the words of a proof.

    Raises:
        Malformed: header or claims are not of the right shape, or the contexts not valid.
        InvalidProof: the token does not hold, or is not what was demanded; ``code`` says which step failed.
        InvalidRecord: the document uses terms that its contexts leave undefined.
        ResolutionFailed: as ``resolve`` raises it.
    """
    algorithm, key_id = _check_header(token, demand)
    claims = TokenClaims.read(token.claims, token.header)
    claims.check_consistent(token.unverified_document, signatory=token.form.signatory)
    claims.meet(demand)
    method = resolve(key_id, demand.purpose)
    _find_key(method, algorithm, demand).verify(token.signature, token.signing_input)
    document = token.unverified_document
    check_meaning(document, contexts=contexts)
    proof: JsonObject = {
        "type": token.form.typ,
        "cryptosuite": algorithm,
        "verificationMethod": key_id,
        "proofPurpose": demand.purpose,
        **claims.to_proof(),
    }
    return VerifiedProof(document=document, proof=proof, method=method, cryptosuite=algorithm)


def _split(content: bytes | str, max_bytes: int) -> list[str]:
    longest = (max_bytes + _MAX_HEADER + _MAX_SIGNATURE) * 4 // 3 + 16
    if len(content) > longest:
        raise LimitExceeded("too-large", f"a token of at most {longest} characters")
    try:
        text = content.decode("ascii") if isinstance(content, bytes) else content
    except UnicodeDecodeError:
        raise Malformed("token", "base64url in ASCII") from None
    parts = text.split(".")
    if len(parts) != 3:
        raise Malformed("token", "header, payload and signature with a dot between")
    return parts


def _decode(part: str, max_bytes: int, name: str) -> bytes:
    if len(part) > max_bytes * 4 // 3 + 4:
        raise LimitExceeded("too-large", f"at most {max_bytes} bytes", where=name)
    try:
        return decode_base64url(part)
    except Malformed as error:
        raise Malformed("token", error.expected, where=name) from None


def _check_header(token: Token, demand: ProofDemand) -> tuple[str, str]:
    """Check the header, and give its algorithm and the key's URL.

    RFC 7515, sections 4 and 5.2, and RFC 8725, sections 3.1, 3.9 and 3.11.
    """
    header, form = token.header, token.form
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in demand.suites or algorithm not in ALGORITHMS:
        allowed = ", ".join(sorted(demand.suites & ALGORITHMS.keys())) or "none"
        raise InvalidProof("suite-not-allowed", f"the allowed JOSE algorithms are: {allowed}")
    if not demand.required_suites <= {algorithm}:
        raise InvalidProof("required-suite-missing", "a token has one signature, and more are required")
    if "crit" in header or "b64" in header:
        raise InvalidProof("critical-header", "the header asks for an extension that is not supported")
    if not header.keys().isdisjoint(_KEYS_IN_HEADER):
        raise InvalidProof("key-in-header", "the key comes from the signer's DID document, not a header")
    check_header_heeded(header)
    for name, expected in (("typ", form.typ), ("cty", form.cty)):
        if name in header and not _is_type(header[name], expected):
            raise InvalidProof("wrong-token-type", f"{name}, if stated, must be {expected}")
    if not isinstance(key_id, str) or not key_id.startswith("did:"):
        raise Malformed("key-id", "kid as the absolute DID URL of a verification method", where="/kid")
    return algorithm, key_id


def _is_type(value: JSON, expected: str) -> bool:
    """Compare media types, whose ``application/`` may be left out (RFC 7515, section 4.1.9)."""
    return isinstance(value, str) and value.lower().removeprefix("application/") == expected


def _find_key(method: Method, algorithm: str, demand: ProofDemand) -> PublicKey:
    """Give the method's key, if it was in force and is of the algorithm's kind."""
    key = method.public_key
    if not isinstance(key, PublicKey) or key.key_type is not ALGORITHMS[algorithm]:
        raise InvalidProof("key-type-not-allowed", f"{algorithm} is not signed with keys of this kind")
    if method.revoked is not None and method.revoked <= demand.at:
        raise InvalidProof("key-revoked", "the verification method was revoked")
    if method.expires is not None and method.expires <= demand.at:
        raise InvalidProof("key-expired", "the verification method had expired")
    return key

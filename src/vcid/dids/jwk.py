"""The DID method jwk: a DID that is its own JSON Web Key, spelled out in base64url.

Follows the did:jwk specification. The method lets one key have many DIDs, since any JSON text of the key
will do: two did:jwk that differ may be one person's, and only their keys tell. Where a DID is made here, it
is made from the key's canonical JSON.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.dids.documents import DID_CONTEXT, PURPOSES, DidDocument
from vcid.dids.urls import parse_did
from vcid.encoding.base64url import decode_base64url, encode_base64url
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Malformed, ResolutionFailed
from vcid.keys.jwk import PRIVATE_MEMBERS, encode_jwk

if TYPE_CHECKING:
    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import PublicKey

JWS_2020_CONTEXT: Final = "https://w3id.org/security/suites/jws-2020/v1"


def did_jwk(public_key: PublicKey) -> str:
    """Give the did:jwk of a public key, whose JSON Web Key is canonical and says that it signs."""
    jwk: JsonObject = {**encode_jwk(public_key), "use": "sig"}
    return f"did:jwk:{encode_base64url(canonicalize(jwk))}"


class DidJwkResolver:
    """Computes the document of a did:jwk; nothing is fetched."""

    def resolve(self, did: str) -> DidDocument:
        """Give the document (section "Read").

        Its one method, ``#0``, serves what the key's ``use`` allows, and every purpose where it has none. A
        key of a kind that is not used here leaves a document whose method is of no use.

        Raises:
            ResolutionFailed: ``methodNotSupported``, or ``invalidDid``: the rest is no public JSON Web Key in
                canonical base64url.
        """
        parsed = parse_did(did)
        if parsed.method != "jwk":
            raise ResolutionFailed("methodNotSupported", "a did:jwk")
        jwk = _decode(parsed.method_specific_id)
        try:
            return DidDocument.parse(_document(did, jwk))
        except ResolutionFailed as error:
            raise ResolutionFailed("invalidDid", f"did:jwk with {error.detail}") from error


def _decode(text: str) -> JsonObject:
    try:
        jwk = parse_object(decode_base64url(text))
    except Malformed as error:
        raise ResolutionFailed("invalidDid", f"did:jwk with {error}") from error
    if not PRIVATE_MEMBERS.isdisjoint(jwk):
        raise ResolutionFailed(
            "invalidDid", "a did:jwk is public: this one has private members; retire the key"
        )
    if not isinstance(jwk.get("kty"), str) or not isinstance(jwk.get("use", ""), str):
        raise ResolutionFailed("invalidDid", "a did:jwk is a JSON Web Key, with its kty")
    return jwk


def _document(did: str, jwk: JsonObject) -> JsonObject:
    method = f"{did}#0"
    use = jwk.get("use")
    return {
        "@context": [DID_CONTEXT, JWS_2020_CONTEXT],
        "id": did,
        "verificationMethod": [
            {"id": method, "type": "JsonWebKey2020", "controller": did, "publicKeyJwk": jwk}
        ],
        **{
            purpose: [method]
            for purpose in PURPOSES
            if not (use == "sig" and purpose == "keyAgreement")
            and not (use == "enc" and purpose != "keyAgreement")
        },
    }

"""Public keys as JSON Web Keys.

Follows RFC 7517, with RFC 7518, section 6.2, for the NIST curves, RFC 8037 for Ed25519, and ML-DSA for
JOSE and COSE (draft-ietf-cose-dilithium: the kind ``AKP``) for ML-DSA-44.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.encoding.base64url import decode_base64url, encode_base64url
from vcid.encoding.multikey import KeyType
from vcid.errors import Malformed
from vcid.keys.signing import PublicKey

if TYPE_CHECKING:
    from vcid.encoding.json import JSON, JsonObject

# Members that the JOSE registries mark as private or secret: "d" of EC and OKP keys, the others of RSA,
# symmetric and algorithm key pair keys.
PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k", "priv"})

_CURVES = {
    ("OKP", "Ed25519"): (KeyType.ED25519, frozenset({"EdDSA", "Ed25519"})),
    ("EC", "P-256"): (KeyType.P256, frozenset({"ES256"})),
    ("EC", "P-384"): (KeyType.P384, frozenset({"ES384"})),
    ("EC", "P-521"): (KeyType.P521, frozenset({"ES512"})),
}
_ML_DSA_44 = "ML-DSA-44"
_MAX_CHARS = 2048


def decode_jwk(jwk: JsonObject) -> PublicKey:
    """Read a public signing key.

    Raises:
        Malformed: ``private-key-material`` where a private member is present, ``unsupported-key-type`` for
            other curves or a key meant for encryption, ``jwk`` or ``invalid-point`` for the rest.
    """
    if not PRIVATE_MEMBERS.isdisjoint(jwk):
        raise Malformed(
            "private-key-material", "a public key: this JWK carries private members; retire the key"
        )
    kind, curve = jwk.get("kty"), jwk.get("crv")
    if not isinstance(kind, str) or not isinstance(curve, str | None):
        raise Malformed("jwk", "kty and crv as text")
    if kind == "AKP":
        return _decode_algorithm_key(jwk)
    if (kind, curve) not in _CURVES:
        raise Malformed("unsupported-key-type", "a key on Ed25519, P-256, P-384 or P-521, or of ML-DSA-44")
    key_type, algorithms = _CURVES[kind, curve or ""]
    _check_signs(jwk, algorithms)
    x = _decode(jwk.get("x"))
    if key_type is KeyType.ED25519:
        return PublicKey(key_type, x)
    from vcid.keys import ecdsa

    return PublicKey(key_type, ecdsa.compress_point(key_type, x, _decode(jwk.get("y"))))


def encode_jwk(public_key: PublicKey) -> JsonObject:
    """Write a public key with the members that its type requires and no others."""
    if public_key.key_type is KeyType.ED25519:
        return {"kty": "OKP", "crv": "Ed25519", "x": encode_base64url(public_key.raw)}
    if public_key.key_type is KeyType.ML_DSA_44:
        return {"kty": "AKP", "alg": _ML_DSA_44, "pub": encode_base64url(public_key.raw)}
    from vcid.keys import ecdsa

    x, y = ecdsa.coordinates(ecdsa.parse_point(public_key.key_type, public_key.raw))
    return {"kty": "EC", "crv": str(public_key.key_type), "x": encode_base64url(x), "y": encode_base64url(y)}


def _decode_algorithm_key(jwk: JsonObject) -> PublicKey:
    """Read a key whose kind is told by ``alg``, which is required (ML-DSA for JOSE and COSE)."""
    if jwk.get("alg") != _ML_DSA_44:
        raise Malformed("unsupported-key-type", f"a key of {_ML_DSA_44}")
    _check_signs(jwk, frozenset({_ML_DSA_44}))
    return PublicKey(KeyType.ML_DSA_44, _decode(jwk.get("pub")))


def _check_signs(jwk: JsonObject, algorithms: frozenset[str]) -> None:
    """Hold the key to what it says it is for (RFC 7517, sections 4.2 to 4.4)."""
    operations = jwk.get("key_ops", ["verify"])
    if jwk.get("use", "sig") != "sig" or not isinstance(operations, list) or "verify" not in operations:
        raise Malformed("unsupported-key-type", "a key whose use or key_ops allow verifying")
    if "alg" in jwk and not (isinstance(jwk["alg"], str) and jwk["alg"] in algorithms):
        raise Malformed("unsupported-key-type", "an alg that fits the curve")


def _decode(text: JSON) -> bytes:
    if not isinstance(text, str) or not 0 < len(text) <= _MAX_CHARS:
        raise Malformed("jwk", "coordinates as base64url without padding")
    try:
        return decode_base64url(text)
    except Malformed as error:
        raise Malformed("jwk", f"coordinates in {error.expected}") from error

"""ECDSA over the NIST curves as credentials use it: compressed points, raw ``r ‖ s``, deterministic nonces.

Follows FIPS 186-5, with nonces from RFC 6979 and signatures in the fixed-length form that VC Data Integrity
ECDSA Cryptosuites 1.0 and RFC 7518, section 3.4, share. The other half of a valid signature (``n - s``)
verifies as well, so a signature never serves as an identifier. This file alone imports ``cryptography``;
import it where a NIST key is first met.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Curve:
    """A curve with the hash that credentials pair it with.

    Attributes:
        native: the curve as ``cryptography`` names it.
        algorithm: ECDSA with the curve's hash and RFC 6979 nonces.
        order: the order ``n`` of the base point.
        size: bytes of a coordinate, and of each half of a signature.
    """

    native: ec.EllipticCurve
    algorithm: ec.ECDSA
    order: int
    size: int


CURVES: Mapping[KeyType, Curve] = {
    KeyType.P256: Curve(
        ec.SECP256R1(),
        ec.ECDSA(hashes.SHA256(), deterministic_signing=True),
        0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
        32,
    ),
    KeyType.P384: Curve(
        ec.SECP384R1(),
        ec.ECDSA(hashes.SHA384(), deterministic_signing=True),
        0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
        48,
    ),
    KeyType.P521: Curve(
        ec.SECP521R1(),
        ec.ECDSA(hashes.SHA512(), deterministic_signing=True),
        int(
            "01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF"
            "FA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409",
            16,
        ),
        66,
    ),
}


def parse_point(key_type: KeyType, raw: bytes) -> ec.EllipticCurvePublicKey:
    """Read a compressed point (SEC 1, section 2.3.4).

    Raises:
        Malformed: the length or prefix is wrong, or the point is not on the curve.
    """
    curve = CURVES[key_type]
    if len(raw) != curve.size + 1 or raw[0] not in {2, 3}:
        raise Malformed("wrong-key-length", f"a compressed {key_type} point of {curve.size + 1} bytes")
    return _on_curve(key_type, raw)


def compress_point(key_type: KeyType, x: bytes, y: bytes) -> bytes:
    """Give the compressed form of a point, after checking that it lies on the curve.

    Raises:
        Malformed: a coordinate's length is wrong, or the point is not on the curve.
    """
    size = CURVES[key_type].size
    if len(x) != size or len(y) != size:
        raise Malformed("wrong-key-length", f"coordinates of {size} bytes for {key_type}")
    return encode_point(_on_curve(key_type, b"\x04" + x + y))


def encode_point(native: ec.EllipticCurvePublicKey) -> bytes:
    """Give the compressed form of a parsed point."""
    return native.public_bytes(Encoding.X962, PublicFormat.CompressedPoint)


def coordinates(native: ec.EllipticCurvePublicKey) -> tuple[bytes, bytes]:
    """Give ``x`` and ``y`` of a parsed point, each as long as the curve's coordinates are."""
    point = native.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)[1:]
    half = len(point) // 2
    return point[:half], point[half:]


def _on_curve(key_type: KeyType, encoded: bytes) -> ec.EllipticCurvePublicKey:
    try:
        return ec.EllipticCurvePublicKey.from_encoded_point(CURVES[key_type].native, encoded)
    except ValueError as error:
        raise Malformed("invalid-point", f"a point on the curve {key_type}") from error


def parse_private(key_type: KeyType, raw: bytes) -> ec.EllipticCurvePrivateKey:
    """Read a private scalar, big-endian, as long as the curve's order.

    Raises:
        Malformed: the length is wrong, or the scalar is zero or not below the order.
    """
    curve = CURVES[key_type]
    scalar = int.from_bytes(raw, "big")
    if len(raw) != curve.size or not 0 < scalar < curve.order:
        raise Malformed("private-key", f"a {key_type} private key of {curve.size} bytes, below the order")
    return ec.derive_private_key(scalar, curve.native)


def generate_private(key_type: KeyType) -> bytes:
    """Draw a private scalar from the operating system's randomness."""
    curve = CURVES[key_type]
    scalar = ec.generate_private_key(curve.native).private_numbers().private_value
    return scalar.to_bytes(curve.size, "big")


def sign(key_type: KeyType, native: ec.EllipticCurvePrivateKey, message: bytes) -> bytes:
    """Sign ``message``; the same key and message always give the same ``r ‖ s``."""
    curve = CURVES[key_type]
    r, s = decode_dss_signature(native.sign(message, curve.algorithm))
    return r.to_bytes(curve.size, "big") + s.to_bytes(curve.size, "big")


def verify(key_type: KeyType, native: ec.EllipticCurvePublicKey, signature: bytes, message: bytes) -> None:
    """Check ``signature``, given as ``r ‖ s``, over ``message``.

    Raises:
        InvalidProof: the length is wrong, ``r`` or ``s`` is out of range, or the signature is not this key's.
    """
    curve = CURVES[key_type]
    if len(signature) != 2 * curve.size:
        raise InvalidProof("bad-signature", f"a {key_type} signature has {2 * curve.size} bytes")
    r = int.from_bytes(signature[: curve.size], "big")
    s = int.from_bytes(signature[curve.size :], "big")
    if not (0 < r < curve.order and 0 < s < curve.order):
        raise InvalidProof("bad-signature", "r and s lie between 1 and the order of the curve")
    try:
        native.verify(encode_dss_signature(r, s), message, curve.algorithm)
    except InvalidSignature as error:
        raise InvalidProof("bad-signature", "the signature does not match the message and key") from error

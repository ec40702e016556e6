"""ML-DSA-44, a signature that is meant to outlast quantum computers (FIPS 204).

The private key is its 32-byte seed; signatures are hedged, so that two over one message differ; the context
string of FIPS 204 is empty. Experimental: the suites that use these keys are a Community Group report, not a
Recommendation. This file alone imports ``cryptography``'s ML-DSA; import it where such a key is first met.
"""

from __future__ import annotations

from typing import Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey, MLDSA44PublicKey

from vcid.errors import InvalidProof, Malformed

PUBLIC_KEY_BYTES: Final = 1312
SIGNATURE_BYTES: Final = 2420
SEED_BYTES: Final = 32


def parse_public(raw: bytes) -> MLDSA44PublicKey:
    """Read a public key: every string of 1312 bytes is one (FIPS 204, algorithm 23).

    Raises:
        Malformed: the length is wrong, or the cryptographic library was built without ML-DSA.
    """
    if len(raw) != PUBLIC_KEY_BYTES:
        raise Malformed("wrong-key-length", f"an ML-DSA-44 public key of {PUBLIC_KEY_BYTES} bytes")
    try:
        return MLDSA44PublicKey.from_public_bytes(raw)
    except UnsupportedAlgorithm as error:
        raise _not_built() from error


def parse_private(raw: bytes) -> MLDSA44PrivateKey:
    """Read a private key from its seed.

    Raises:
        Malformed: the length is wrong, or the cryptographic library was built without ML-DSA.
    """
    if len(raw) != SEED_BYTES:
        raise Malformed("private-key", f"an ML-DSA-44 seed of {SEED_BYTES} bytes")
    try:
        return MLDSA44PrivateKey.from_seed_bytes(raw)
    except UnsupportedAlgorithm as error:
        raise _not_built() from error


def verify(native: MLDSA44PublicKey, signature: bytes, message: bytes) -> None:
    """Check ``signature`` over ``message``.

    Raises:
        InvalidProof: the length is wrong, or the signature is not this key's over this message.
    """
    if len(signature) != SIGNATURE_BYTES:
        raise InvalidProof("bad-signature", f"an ML-DSA-44 signature has {SIGNATURE_BYTES} bytes")
    try:
        native.verify(signature, message)
    except InvalidSignature as error:
        raise InvalidProof("bad-signature", "the signature does not match the message and key") from error


def _not_built() -> Malformed:
    return Malformed("unsupported-key-type", "a cryptographic library that was built with ML-DSA")

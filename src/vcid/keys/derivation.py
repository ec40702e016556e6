"""Many keys from one secret, for a holder who has a key for each relationship and can back up but one.

Follows RFC 5869 (HKDF) with SHA-256. The input keying material is the holder's seed of 32 random bytes; there
is no salt, as the RFC allows for material that is uniformly random; ``info`` is a label of this use and the
relationship's name, each with its length before it, so that no two pairs make the same bytes. What comes out
is the seed of an Ed25519 key (RFC 8032). Who knows some of the keys, or their DIDs, learns nothing of the
seed or of the others, and can't tell that they have one holder.

A relationship's name never enters the DID in any readable form, but somebody who had the seed could try
names: use identifiers that say nothing, and keep the seed sealed like a key.
"""

from __future__ import annotations

import hashlib
import hmac
from typing import Final

from vcid.encoding.multikey import KeyType
from vcid.keys.signing import LocalSigner

SEED_BYTES: Final = 32
MAX_NAME_BYTES: Final = 1024

_LABEL: Final = b"vcid pairwise Ed25519 key v1"


def derive_signer(seed: bytes, relationship: str) -> LocalSigner:
    """Derive the key of one relationship; the same seed and name always give the same key.

    Args:
        seed: 32 bytes from a secure source of randomness, kept sealed.
        relationship: the name of the relationship, 1 to `MAX_NAME_BYTES` bytes of UTF-8.

    Raises:
        ValueError: the seed or the name has another length.
    """
    name = relationship.encode()
    if len(seed) != SEED_BYTES:
        raise ValueError(f"a seed has {SEED_BYTES} bytes")
    if not 1 <= len(name) <= MAX_NAME_BYTES:
        raise ValueError(f"a relationship's name has 1 to {MAX_NAME_BYTES} bytes")
    info = b"".join(len(part).to_bytes(2, "big") + part for part in (_LABEL, name))
    derived = expand(extract(b"", seed), info, length=32)
    return LocalSigner.from_private_bytes(KeyType.ED25519, derived)


def extract(salt: bytes, material: bytes) -> bytes:
    """Concentrate keying material into a pseudorandom key of 32 bytes (RFC 5869, section 2.2)."""
    return hmac.digest(salt or bytes(32), material, hashlib.sha256)


def expand(key: bytes, info: bytes, *, length: int) -> bytes:
    """Expand a pseudorandom key to a length of at most 8160 bytes (RFC 5869, section 2.3).

    Raises:
        ValueError: the length is out of range.
    """
    if not 1 <= length <= 255 * 32:
        raise ValueError("HKDF with SHA-256 gives 1 to 8160 bytes")
    output = block = b""
    counter = 0
    while len(output) < length:
        counter += 1
        block = hmac.digest(key, block + info + bytes([counter]), hashlib.sha256)
        output += block
    return output[:length]

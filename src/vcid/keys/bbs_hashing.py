"""From octets to scalars: the two BBS ciphersuites, and how each of them expands a message.

Follows draft-irtf-cfrg-bbs-signatures (2025-07, the edition of its published fixtures), sections "Hash to
Scalar", "Messages to Scalars" and "Ciphersuites", and RFC 9380, section 5.3, for ``expand_message``. Scalars
are plain integers here, so that nothing in this file needs the curve.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

# The prime order r of the subgroups G1 and G2 of BLS12-381.
ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001
# "expand_len": as many octets as make a number modulo r uniform to 2^-128.
EXPAND_BYTES: Final = 48
_MAX_TAG_BYTES: Final = 255
_SHA256_BLOCK: Final = 64
_SHA256_DIGEST: Final = 32
_MAX_EXPANDED: Final = {"sha256": 255 * _SHA256_DIGEST, "shake256": 65535}


class BbsCiphersuite(StrEnum):
    """The ciphersuites by their identifier. bbs-2023 uses SHA-256."""

    SHA_256 = "BBS_BLS12381G1_XMD:SHA-256_SSWU_RO_"
    SHAKE_256 = "BBS_BLS12381G1_XOF:SHAKE-256_SSWU_RO_"

    @property
    def api_id(self) -> bytes:
        """The identifier of the one interface built on it ("BBS Signatures Interface")."""
        return self.value.encode("ascii") + b"H2G_HM2S_"

    def expand_message(self, message: bytes, tag: bytes, size: int) -> bytes:
        """Stretch a message to ``size`` uniform octets under a domain separation tag (RFC 9380, 5.3).

        Raises:
            ValueError: the tag or the size is longer than the construction allows.
        """
        if self is BbsCiphersuite.SHA_256:
            _check_lengths(tag, size, _MAX_EXPANDED["sha256"])
            return _expand_xmd(message, tag, size)
        _check_lengths(tag, size, _MAX_EXPANDED["shake256"])
        return _expand_xof(message, tag, size)

    def hash_to_scalar(self, message: bytes, tag: bytes) -> int:
        """Hash octets to a number modulo r (section "Hash to Scalar")."""
        return int.from_bytes(self.expand_message(message, tag, EXPAND_BYTES)) % ORDER

    def message_to_scalar(self, message: bytes) -> int:
        """Map one message to its scalar (section "Messages to Scalars")."""
        return self.hash_to_scalar(message, self.api_id + b"MAP_MSG_TO_SCALAR_AS_HASH_")


def generate_key(ciphersuite: BbsCiphersuite, key_material: bytes, key_info: bytes = b"") -> int:
    """Derive a secret scalar from secret random octets (section "Secret Key", KeyGen).

    The draft's text begins the tag with the ciphersuite's identifier, its fixtures with the interface's;
    the fixtures are followed. No verifier can tell.

    Args:
        ciphersuite: whose tag separates the keys.
        key_material: 32 octets or more that nobody can guess.
        key_info: up to 65,535 octets that make distinct keys of the same material.

    Raises:
        ValueError: the material is too short or the info too long.
    """
    if len(key_material) < 32 or len(key_info) > 65535:
        raise ValueError("key material has 32 octets or more, key info 65,535 or fewer")
    derive_input = key_material + len(key_info).to_bytes(2) + key_info
    return ciphersuite.hash_to_scalar(derive_input, ciphersuite.api_id + b"KEYGEN_DST_")


def _check_lengths(tag: bytes, size: int, most: int) -> None:
    if len(tag) > _MAX_TAG_BYTES or not 0 < size <= most:
        raise ValueError(
            f"a tag has at most {_MAX_TAG_BYTES} octets, and at most {most} are made of a message"
        )


def _expand_xmd(message: bytes, tag: bytes, size: int) -> bytes:
    """``expand_message_xmd`` with SHA-256 (RFC 9380, section 5.3.1)."""
    suffix = tag + len(tag).to_bytes(1)
    first = hashlib.sha256(bytes(_SHA256_BLOCK) + message + size.to_bytes(2) + b"\0" + suffix).digest()
    blocks = [hashlib.sha256(first + b"\x01" + suffix).digest()]
    for index in range(2, -(-size // _SHA256_DIGEST) + 1):
        mixed = int.from_bytes(first) ^ int.from_bytes(blocks[-1])
        chained = mixed.to_bytes(_SHA256_DIGEST) + index.to_bytes(1) + suffix
        blocks.append(hashlib.sha256(chained).digest())
    return b"".join(blocks)[:size]


def _expand_xof(message: bytes, tag: bytes, size: int) -> bytes:
    """``expand_message_xof`` with SHAKE-256 (RFC 9380, section 5.3.2)."""
    return hashlib.shake_256(message + size.to_bytes(2) + tag + len(tag).to_bytes(1)).digest(size)

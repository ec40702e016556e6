"""Keys, digests and signatures as text: multibase, multicodec, multihash and Multikey.

Follows Controlled Identifiers 1.0, sections 2.2.2 (Multikey), 2.4 (Multibase) and 2.5 (Multihash). What every
verification needs (base58-btc, base64url, seven key types, two hashes) is done here without a registry; the
multiformats package, slow to import, serves the other bases and the names of other codecs. Each accepted text
is the only one for its bytes: a second spelling of the same key or digest is refused. ML-DSA keys follow
Quantum-Safe Cryptosuites v0.3 (a report of the Credentials Community Group), section "Multikey", which writes
them in base64url.
"""

from __future__ import annotations

import hashlib
from enum import StrEnum
from typing import Final

import base58

from vcid.encoding.base64url import decode_base64url, encode_base64url
from vcid.errors import LimitExceeded, Malformed

MAX_CHARS: Final = 1024

_BASE58: Final = "z"
_BASE64URL: Final = "u"
# Decoding base58, and every other base that is no power of two, takes time quadratic in the length.
_MAX_QUADRATIC_CHARS: Final = 1024
# The multihash of SHA-384, the longest digest, takes 70 characters.
_MAX_DIGEST_CHARS: Final = 80


class KeyType(StrEnum):
    """The types of public key that a Multikey may hold here."""

    ED25519 = "Ed25519"
    P256 = "P-256"
    P384 = "P-384"
    P521 = "P-521"
    X25519 = "X25519"
    ML_DSA_44 = "ML-DSA-44"
    BLS12_381_G2 = "BLS12-381-G2"


# The multicodec of each as a varint, and the bytes of the key that follow it.
_KEY_CODECS: Final = {
    KeyType.ED25519: (b"\xed\x01", 32),
    KeyType.P256: (b"\x80\x24", 33),
    KeyType.P384: (b"\x81\x24", 49),
    KeyType.P521: (b"\x82\x24", 67),
    KeyType.X25519: (b"\xec\x01", 32),
    KeyType.ML_DSA_44: (b"\x90\x24", 1312),
    KeyType.BLS12_381_G2: (b"\xeb\x01", 96),
}
_KEY_TYPES: Final = {prefix: key_type for key_type, (prefix, _) in _KEY_CODECS.items()}
_POINTS: Final = frozenset({KeyType.P256, KeyType.P384, KeyType.P521})
# The keys that are written in base64url, all others being in base58-btc: so each key has one text, and the
# longest text in base58, whose cost is quadratic, is that of a BLS12-381 key with its 135 characters.
_BASE64URL_KEYS: Final = frozenset({KeyType.ML_DSA_44})
_MAX_KEY_CHARS: Final = {_BASE58: 140, _BASE64URL: 1760}
# The multihash headers (codec and length) of SHA-256 and SHA-384, and the bytes of each digest.
_HASH_HEADERS: Final = {b"\x12\x20": 32, b"\x20\x30": 48}


def encode_multibase(data: bytes, base: str = _BASE58) -> str:
    """Write bytes as text that begins with the character of its base.

    Raises:
        ValueError: there is no such base.
    """
    if base == _BASE58:
        return _BASE58 + base58.b58encode(data).decode("ascii")
    if base == _BASE64URL:
        return _BASE64URL + encode_base64url(data)
    from multiformats import multibase

    try:
        return multibase.get(code=base).encode(data)
    except (LookupError, NotImplementedError) as error:
        raise ValueError("base must be the one character of a multibase encoding") from error


def decode_multibase(text: str, *, bases: str = "zu", max_chars: int = MAX_CHARS) -> bytes:
    """Read bytes from multibase text.

    Args:
        text: the text, its first character naming the base.
        bases: the characters of the bases that are accepted.
        max_chars: how long the text may be. Bases that take quadratic time stop at 1024 whatever this says.

    Raises:
        LimitExceeded: the text is too long.
        Malformed: the base is not accepted, or the rest is not the canonical text of any bytes.
    """
    if len(text) > max_chars:
        raise LimitExceeded("too-long", f"at most {max_chars} characters")
    base = text[:1]
    if not base or base not in bases:
        raise Malformed("unknown-base", f"text that begins with one of {', '.join(bases)}")
    if base == _BASE64URL:
        return _decode_base64url(text[1:])
    if len(text) > _MAX_QUADRATIC_CHARS:
        raise LimitExceeded("too-long", f"at most {_MAX_QUADRATIC_CHARS} characters in this base")
    return _decode_base58(text[1:]) if base == _BASE58 else _decode_generally(text)


def encode_multikey(key_type: KeyType, raw: bytes) -> str:
    """Write a public key as a Multikey.

    Args:
        key_type: the type of key.
        raw: the key; points of the NIST curves are compressed, 33, 49 and 67 bytes long.

    Raises:
        ValueError: the bytes can't be a key of that type.
    """
    prefix, length = _KEY_CODECS[key_type]
    if not _has_key_shape(key_type, raw):
        raise ValueError(f"a public key of type {key_type} has {length} bytes, points compressed")
    return encode_multibase(prefix + raw, _base_of(key_type))


def decode_multikey(text: str) -> tuple[KeyType, bytes]:
    """Read a public key's type and bytes from a Multikey, in the one base that its type is written in.

    Only the shape is checked here: whether the point is on the curve is for the code that uses the key.

    Raises:
        LimitExceeded: the text is longer than any key.
        Malformed: it is no Multikey of a supported type.
    """
    data = decode_multibase(text, max_chars=_MAX_KEY_CHARS.get(text[:1], MAX_CHARS))
    key_type = _KEY_TYPES.get(data[:2])
    if key_type is None:
        found = f"a value that begins with the multicodec {name_codec(data)}"
        raise Malformed("unsupported-key-type", f"a public key of {', '.join(KeyType)}, not {found}")
    if text[0] != _base_of(key_type):
        raise Malformed("unknown-base", f"a key of {key_type} in base {_base_of(key_type)}")
    raw = data[2:]
    if not _has_key_shape(key_type, raw):
        _, length = _KEY_CODECS[key_type]
        raise Malformed("wrong-key-length", f"{length} bytes of {key_type}, points compressed")
    return key_type, raw


def encode_multihash_sha256(digest: bytes) -> bytes:
    """Put the multihash header of SHA-256 before a digest of 32 bytes."""
    if len(digest) != 32:
        raise ValueError("a SHA-256 digest has 32 bytes")
    return b"\x12\x20" + digest


def digest_multibase(data: bytes) -> str:
    """Write the SHA-256 digest of some bytes as ``digestMultibase`` (VC Data Integrity 1.0, section 2.6)."""
    return encode_multibase(encode_multihash_sha256(hashlib.sha256(data).digest()))


def decode_digest_multibase(text: str) -> bytes:
    """Read the digest from a ``digestMultibase``, which is met with and without a multihash header.

    Its length tells the function: 32 bytes of SHA-256 or 48 of SHA-384.

    Raises:
        LimitExceeded: the text is longer than any digest.
        Malformed: it holds no digest of these functions.
    """
    data = decode_multibase(text, max_chars=_MAX_DIGEST_CHARS)
    if len(data) in _HASH_HEADERS.values():
        return data
    digest = data[2:]
    if _HASH_HEADERS.get(data[:2]) != len(digest):
        raise Malformed("unsupported-digest", "a whole digest of SHA-256 or SHA-384")
    return digest


def name_codec(data: bytes) -> str:
    """Name the multicodec that some bytes begin with, for messages; ``unknown`` where there is none."""
    from multiformats import multicodec

    try:
        return multicodec.unwrap(data)[0].name
    except (ValueError, LookupError):
        return "unknown"


def _base_of(key_type: KeyType) -> str:
    return _BASE64URL if key_type in _BASE64URL_KEYS else _BASE58


def _has_key_shape(key_type: KeyType, raw: bytes) -> bool:
    _, length = _KEY_CODECS[key_type]
    # A compressed point begins with the sign of its y coordinate (SEC 1, section 2.3.3).
    return len(raw) == length and (key_type not in _POINTS or raw[0] in (2, 3))


def _decode_base58(digits: str) -> bytes:
    # The package strips white space from the end, which would give one key two spellings.
    if digits and not digits.isalnum():
        raise _not_of_base("base58-btc")
    try:
        number = base58.b58decode_int(digits)
    except ValueError:
        raise _not_of_base("base58-btc") from None
    # Each leading digit 1 stands for a zero byte. Converting the number here halves the package's time.
    zeros = len(digits) - len(digits.lstrip("1"))
    return bytes(zeros) + number.to_bytes((number.bit_length() + 7) // 8, "big")


def _decode_base64url(digits: str) -> bytes:
    try:
        return decode_base64url(digits)
    except Malformed:
        raise _not_of_base("base64url without padding") from None


def _decode_generally(text: str) -> bytes:
    from multiformats import multibase

    try:
        encoding, data = multibase.decode_raw(text)
        canonical = encoding.encode(data) == text
    except (ValueError, LookupError, NotImplementedError):
        canonical = False
    if not canonical:
        raise _not_of_base("the base that the first character names")
    return data


def _not_of_base(name: str) -> Malformed:
    return Malformed("not-multibase", f"canonical text in {name}")

"""The container in which keys rest: JSON that says how its content is encrypted under a passphrase.

A key of 32 bytes is derived by Argon2id (RFC 9106) and used with XChaCha20-Poly1305. Everything in the file
but the ciphertext is authenticated with it, so that cost, kind and public part can't be exchanged:

    {"format": "vcid-encrypted-file", "version": 1, "kind": "signing-key",
     "kdf": {"name": "argon2id", "passes": 3, "memory": 268435456, "salt": "u…"},
     "cipher": "xchacha20-poly1305", "public": {"publicKeyMultibase": "z6Mk…"},
     "nonce": "u…", "ciphertext": "u…"}

Binary values are multibase base64url; memory is in bytes. No file may ask for more work than ``SENSITIVE``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NoReturn, TypeGuard

from nacl import bindings, pwhash
from nacl import exceptions as nacl_errors

from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import decode_multibase, encode_multibase
from vcid.errors import LimitExceeded, Locked, Malformed, StoreTooNew, Unavailable
from vcid.keys.private_files import MAX_FILE_BYTES

if TYPE_CHECKING:
    from vcid.encoding.json import JSON, JsonObject

FORMAT = "vcid-encrypted-file"
VERSION = 1
CIPHER = "xchacha20-poly1305"

_KDF = "argon2id"
_KEY_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_KEYBYTES
_NONCE_BYTES = bindings.crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
_MEMBERS = frozenset({"format", "version", "kind", "kdf", "cipher", "public", "nonce", "ciphertext"})
_KDF_MEMBERS = frozenset({"name", "passes", "memory", "salt"})
_MAX_MEMORY = 1 << 30
_MAX_WORK = 4 << 30


@dataclass(frozen=True, slots=True)
class Argon2Cost:
    """What one guess at a passphrase costs.

    Attributes:
        passes: how often the memory is gone over.
        memory: bytes of memory.

    Raises:
        ValueError: below what Argon2id takes, or above 1 GiB of memory or 4 GiB gone over in all.
    """

    passes: int
    memory: int

    def __post_init__(self) -> None:
        if self.passes < pwhash.argon2id.OPSLIMIT_MIN or self.memory < pwhash.argon2id.MEMLIMIT_MIN:
            raise ValueError("Argon2id takes at least 1 pass over 8192 bytes")
        if self.memory > _MAX_MEMORY or self.passes * self.memory > _MAX_WORK:
            raise ValueError("at most 1 GiB of memory, and 4 GiB over all passes")


INTERACTIVE = Argon2Cost(passes=2, memory=64 << 20)
MODERATE = Argon2Cost(passes=3, memory=256 << 20)
SENSITIVE = Argon2Cost(passes=4, memory=1 << 30)


@dataclass(frozen=True, slots=True)
class FileKey:
    """The key derived from a passphrase, with the salt and cost that lead to it again."""

    salt: bytes
    cost: Argon2Cost
    key: bytes = field(repr=False)

    @classmethod
    def create(cls, passphrase: str, cost: Argon2Cost | None = None) -> FileKey:
        """Derive a key with a new salt, at ``MODERATE`` cost unless said otherwise."""
        from nacl.utils import random

        return cls.derive(passphrase, random(pwhash.argon2id.SALTBYTES), cost or MODERATE)

    @classmethod
    def derive(cls, passphrase: str, salt: bytes, cost: Argon2Cost) -> FileKey:
        """Derive the key again from a salt and cost that were stored.

        Passphrases are compared in Unicode NFC (as RFC 8265's OpaqueString does), since two keyboards can
        spell the same Amharic, Arabic or French word in different code points.

        Raises:
            ValueError: the passphrase is empty.
            Unavailable: there is not enough memory.
        """
        if not passphrase:
            raise ValueError("a passphrase has at least one character")
        secret = unicodedata.normalize("NFC", passphrase).encode("utf-8", "surrogatepass")
        try:
            key = pwhash.argon2id.kdf(_KEY_BYTES, secret, salt, opslimit=cost.passes, memlimit=cost.memory)
        except (nacl_errors.RuntimeError, MemoryError) as error:
            raise Unavailable(f"Argon2id needs {cost.memory >> 20} MiB of memory here") from error
        return cls(salt, cost, key)

    def __reduce__(self) -> NoReturn:
        raise TypeError("a FileKey opens private keys: it is neither pickled nor copied")


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """A container that was read but not yet opened."""

    salt: bytes
    cost: Argon2Cost
    public: JsonObject
    header: bytes = field(repr=False)
    nonce: bytes = field(repr=False)
    ciphertext: bytes = field(repr=False)

    def public_text(self, name: str) -> str:
        """Give a text of the public part. It may be relied on only once ``decrypt`` has succeeded."""
        return _text(self.public, name, "/public")

    def decrypt(self, file_key: FileKey) -> bytes:
        """Open the container.

        Raises:
            Locked: the passphrase is wrong, or the file was altered.
        """
        try:
            return bindings.crypto_aead_xchacha20poly1305_ietf_decrypt(
                self.ciphertext, self.header, self.nonce, file_key.key
            )
        except nacl_errors.CryptoError as error:
            raise Locked("the passphrase is wrong, or the file was altered") from error


def encrypt(content: bytes, file_key: FileKey, *, kind: str, public: JsonObject) -> bytes:
    """Put ``content`` into a container: its bytes, ready to be written."""
    from nacl.utils import random

    nonce = random(_NONCE_BYTES)
    header: JsonObject = {
        "format": FORMAT,
        "version": VERSION,
        "kind": kind,
        "kdf": {
            "name": _KDF,
            "passes": file_key.cost.passes,
            "memory": file_key.cost.memory,
            "salt": encode_multibase(file_key.salt, "u"),
        },
        "cipher": CIPHER,
        "public": public,
        "nonce": encode_multibase(nonce, "u"),
    }
    ciphertext = bindings.crypto_aead_xchacha20poly1305_ietf_encrypt(
        content, canonicalize(header), nonce, file_key.key
    )
    return canonicalize({**header, "ciphertext": encode_multibase(ciphertext, "u")}) + b"\n"


def parse(data: bytes, *, kind: str) -> EncryptedFile:
    """Read a container of the given kind, without opening it.

    Raises:
        Malformed: it is not such a container.
        LimitExceeded: it asks for more memory or time than is given to any passphrase.
        StoreTooNew: a later version of this library wrote it.
    """
    record = parse_object(data, max_bytes=MAX_FILE_BYTES)
    if record.get("format") != FORMAT or record.get("kind") != kind:
        raise Malformed("wrong-kind", f"a {FORMAT} of kind {kind}")
    version = record.get("version")
    if not _is_whole(version) or version < VERSION:
        raise Malformed("version", f"version {VERSION}", where="/version")
    if version > VERSION:
        raise StoreTooNew("this key file was written by a later version of vcid")
    kdf, public = record.get("kdf"), record.get("public")
    if record.keys() != _MEMBERS or not isinstance(kdf, dict) or not isinstance(public, dict):
        raise Malformed("members", f"the members {', '.join(sorted(_MEMBERS))}")
    if record["cipher"] != CIPHER:
        raise Malformed("cipher", CIPHER, where="/cipher")
    salt, cost = _read_kdf(kdf)
    nonce = _binary(record, "nonce", "", _NONCE_BYTES)
    ciphertext = _binary(record, "ciphertext", "")
    if len(ciphertext) < bindings.crypto_aead_xchacha20poly1305_ietf_ABYTES:
        raise Malformed("length", "a ciphertext that ends in its tag", where="/ciphertext")
    header = canonicalize({name: value for name, value in record.items() if name != "ciphertext"})
    return EncryptedFile(salt, cost, public, header, nonce, ciphertext)


def _read_kdf(kdf: JsonObject) -> tuple[bytes, Argon2Cost]:
    passes, memory = kdf.get("passes"), kdf.get("memory")
    if kdf.keys() != _KDF_MEMBERS or kdf["name"] != _KDF:
        raise Malformed("kdf", f"{_KDF} with {', '.join(sorted(_KDF_MEMBERS))}", where="/kdf")
    if not _is_whole(passes) or not _is_whole(memory):
        raise Malformed("kdf", "whole numbers of passes and bytes", where="/kdf")
    salt = _binary(kdf, "salt", "/kdf", pwhash.argon2id.SALTBYTES)
    try:
        return salt, Argon2Cost(passes, memory)
    except ValueError as error:
        raise LimitExceeded("kdf-cost", str(error), where="/kdf") from error


def _is_whole(value: JSON) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _text(record: JsonObject, name: str, where: str) -> str:
    value: JSON = record.get(name)
    if not isinstance(value, str):
        raise Malformed("text", "a text", where=f"{where}/{name}")
    return value


def _binary(record: JsonObject, name: str, where: str, length: int | None = None) -> bytes:
    raw = decode_multibase(_text(record, name, where), bases="u", max_chars=MAX_FILE_BYTES)
    if length is not None and len(raw) != length:
        raise Malformed("length", f"{length} bytes", where=f"{where}/{name}")
    return raw

"""Keys that sign and keys that check: Ed25519, ECDSA over P-256, P-384 and P-521, and ML-DSA-44.

Ed25519 follows RFC 8032 through libsodium, which refuses what a forger could bend: ``S`` not below the group
order, small-order points and non-canonical encodings. ECDSA is described in ``vcid.keys.ecdsa``, ML-DSA in
``vcid.keys.mldsa``; BLS12-381 keys sign lists of messages, not bytes, and have nouns of their own. Public
keys travel as Multikeys (Controlled Identifiers 1.0, section "Multikey"). A signer is a protocol of one
property and one method, so that a hardware module or a remote service can stand where ``LocalSigner`` stands.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn, Protocol, Self, cast

from nacl import bindings
from nacl.exceptions import BadSignatureError

from vcid.encoding.multikey import KeyType, decode_multikey, encode_multikey
from vcid.errors import InvalidProof, Locked, Malformed, VcidError

if TYPE_CHECKING:
    from collections.abc import Callable

    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
    from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PublicKey

    from vcid.keys.encrypted_file import Argon2Cost

KEY_FILE_KIND = "signing-key"
SIGNING_TYPES: Final = (KeyType.ED25519, KeyType.P256, KeyType.P384, KeyType.P521, KeyType.ML_DSA_44)
_SEEDED: Final = frozenset({KeyType.ED25519, KeyType.ML_DSA_44})
_KEPT_KEYS = 1024


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A public key that checks signatures.

    Construction validates: the length, that the point lies on the curve, and for Ed25519 that it is
    canonical and generates the prime-order group, since a small-order key verifies many messages at once.

    Attributes:
        key_type: Ed25519, P-256, P-384, P-521 or ML-DSA-44. X25519 keys check no signature, and BLS12-381
            keys none over plain bytes: both are refused.
        raw: 32 bytes for Ed25519, a compressed point of 33, 49 or 67 bytes for the NIST curves, 1312 bytes
            for ML-DSA-44.

    Raises:
        Malformed: ``wrong-key-length``, ``invalid-point`` or ``unsupported-key-type``.
    """

    key_type: KeyType
    raw: bytes
    _native: EllipticCurvePublicKey | MLDSA44PublicKey | None = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if not isinstance(self.raw, bytes):
            raise TypeError("a public key's raw form is bytes")
        object.__setattr__(self, "_native", _parse_native(self.key_type, self.raw))

    def __reduce__(self) -> tuple[type[Self], tuple[KeyType, bytes]]:
        return type(self), (self.key_type, self.raw)

    @property
    def multikey(self) -> str:
        """The key as a Multikey: ``z6Mk…`` for Ed25519, ``zDn…``, ``z82…`` and ``z2J9…`` for NIST."""
        return encode_multikey(self.key_type, self.raw)

    @classmethod
    def from_multikey(cls, text: str) -> PublicKey:
        """Read a Multikey. Keys met before come from a bounded cache, already validated.

        Raises:
            Malformed: the text is no Multikey of a supported type, or the point is refused.
        """
        return _parse_multikey(text)

    def verify(self, signature: bytes, message: bytes) -> None:
        """Check ``signature`` over ``message``; returning means that it holds.

        Raises:
            InvalidProof: ``bad-signature``: wrong length, out of range, or not this key's over this message.
        """
        if self.key_type is KeyType.ED25519:
            _verify_ed25519(self.raw, signature, message)
        elif self.key_type is KeyType.ML_DSA_44:
            from vcid.keys import mldsa

            mldsa.verify(cast("MLDSA44PublicKey", self._native), signature, message)
        else:
            from vcid.keys import ecdsa

            ecdsa.verify(self.key_type, cast("EllipticCurvePublicKey", self._native), signature, message)


# functools' cache is bounded, takes no lock that a fork could leave held, and never keeps a failure.
@lru_cache(maxsize=_KEPT_KEYS)
def _parse_multikey(text: str) -> PublicKey:
    return PublicKey(*decode_multikey(text))


def _parse_native(key_type: KeyType, raw: bytes) -> EllipticCurvePublicKey | MLDSA44PublicKey | None:
    _check_signs(key_type)
    if key_type is KeyType.ED25519:
        if len(raw) != bindings.crypto_sign_PUBLICKEYBYTES:
            raise Malformed("wrong-key-length", "an Ed25519 public key of 32 bytes")
        if not bindings.crypto_core_ed25519_is_valid_point(raw):
            raise Malformed("invalid-point", "a canonical Ed25519 point of the prime-order group")
        return None
    if key_type is KeyType.ML_DSA_44:
        from vcid.keys import mldsa

        return mldsa.parse_public(raw)
    from vcid.keys import ecdsa

    return ecdsa.parse_point(key_type, raw)


def _verify_ed25519(raw: bytes, signature: bytes, message: bytes) -> None:
    # libsodium reads signature and message as one string: without the length check, bytes could move
    # from one to the other.
    if len(signature) != bindings.crypto_sign_BYTES:
        raise InvalidProof("bad-signature", "an Ed25519 signature has 64 bytes")
    try:
        bindings.crypto_sign_open(signature + message, raw)
    except BadSignatureError as error:
        raise InvalidProof("bad-signature", "the signature does not match the message and key") from error


class Signer(Protocol):
    """Whatever can sign: a key in memory, in a wallet, in a hardware module."""

    @property
    def public_key(self) -> PublicKey:
        """The key that checks this signer's signatures."""

    def sign(self, message: bytes) -> bytes:
        """Sign ``message``: 64 bytes for Ed25519, raw ``r ‖ s`` for NIST curves, 2420 bytes for ML-DSA-44."""


class LocalSigner:
    """A private key held in this process's memory.

    The private key is reachable through ``private_bytes`` alone: it lives in closures, so that no repr,
    debugger listing, pickle or copy shows it.
    """

    __slots__ = ("_public_key", "_reveal", "_sign")

    def __init__(
        self, public_key: PublicKey, sign: Callable[[bytes], bytes], reveal: Callable[[], bytes]
    ) -> None:
        self._public_key = public_key
        self._sign = sign
        self._reveal = reveal

    @classmethod
    def generate(cls, key_type: KeyType = KeyType.ED25519) -> LocalSigner:
        """Make a new key from the operating system's randomness."""
        _check_signs(key_type)
        if key_type in _SEEDED:
            return cls.from_private_bytes(key_type, secrets.token_bytes(32))
        from vcid.keys import ecdsa

        return cls.from_private_bytes(key_type, ecdsa.generate_private(key_type))

    @classmethod
    def from_private_bytes(cls, key_type: KeyType, raw: bytes) -> LocalSigner:
        """Take a private key: the 32-byte seed of Ed25519 or ML-DSA-44, or the curve's scalar, big-endian.

        Raises:
            Malformed: the length is wrong or the scalar out of range.
        """
        _check_signs(key_type)
        if key_type is KeyType.ED25519:
            return _ed25519_signer(raw)
        return _mldsa_signer(raw) if key_type is KeyType.ML_DSA_44 else _ecdsa_signer(key_type, raw)

    @property
    def public_key(self) -> PublicKey:
        """The key that checks this signer's signatures."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Sign ``message``: the same bytes each time (RFC 8032, RFC 6979), but for hedged ML-DSA."""
        return self._sign(message)

    def private_bytes(self) -> bytes:
        """Give the private key in clear. Whoever holds these bytes can sign: don't log or store them."""
        return self._reveal()

    def save(
        self, path: str | Path, passphrase: str, *, cost: Argon2Cost | None = None, overwrite: bool = False
    ) -> None:
        """Write the key to a file of mode 0600, encrypted under ``passphrase``, in one atomic step.

        Raises:
            Conflict: ``file-exists``, unless ``overwrite``: a key replaced by mistake is lost for good.
            Unavailable: the file can't be written.
        """
        from vcid.keys import encrypted_file, private_files

        sealed = encrypted_file.encrypt(
            self._reveal(),
            encrypted_file.FileKey.create(passphrase, cost),
            kind=KEY_FILE_KIND,
            public={"publicKeyMultibase": self._public_key.multikey},
        )
        private_files.write(Path(path), sealed, overwrite=overwrite)

    @classmethod
    def load(cls, path: str | Path, passphrase: str) -> LocalSigner:
        """Read a key that ``save`` wrote.

        Raises:
            Locked: the passphrase is wrong, the file was altered, or others may read it.
            Malformed: the file is not of this kind.
            Unavailable: the file can't be read.
        """
        from vcid.keys import encrypted_file, private_files

        stored = encrypted_file.parse(private_files.read(Path(path)), kind=KEY_FILE_KIND)
        claimed = PublicKey.from_multikey(stored.public_text("publicKeyMultibase"))
        raw = stored.decrypt(encrypted_file.FileKey.derive(passphrase, stored.salt, stored.cost))
        return matching_signer(claimed, raw)

    def __repr__(self) -> str:
        return f"<LocalSigner {self._public_key.multikey}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a LocalSigner holds a private key: it is neither pickled nor copied; use save")

    def __getstate__(self) -> NoReturn:
        self.__reduce__()


def matching_signer(public_key: PublicKey, raw: bytes) -> LocalSigner:
    """Give the signer for stored private bytes, if it is the one that ``public_key`` names.

    Raises:
        Locked: the bytes are another key's, or no key.
    """
    try:
        signer = LocalSigner.from_private_bytes(public_key.key_type, raw)
    except VcidError as error:
        raise Locked("what was stored is not a private key of the type stated") from error
    if signer.public_key != public_key:
        raise Locked("the private key stored does not belong to the public key stated beside it")
    return signer


def _check_signs(key_type: KeyType) -> None:
    if key_type not in SIGNING_TYPES:
        raise Malformed("unsupported-key-type", f"a key that signs: {', '.join(SIGNING_TYPES)}")


def _ed25519_signer(raw: bytes) -> LocalSigner:
    if len(raw) != bindings.crypto_sign_SEEDBYTES:
        raise Malformed("private-key", "an Ed25519 seed of 32 bytes")
    public, secret = bindings.crypto_sign_seed_keypair(raw)

    def sign(message: bytes) -> bytes:
        return bindings.crypto_sign(message, secret)[: bindings.crypto_sign_BYTES]

    return LocalSigner(PublicKey(KeyType.ED25519, public), sign, lambda: raw)


def _ecdsa_signer(key_type: KeyType, raw: bytes) -> LocalSigner:
    from vcid.keys import ecdsa

    native = ecdsa.parse_private(key_type, raw)
    public = PublicKey(key_type, ecdsa.encode_point(native.public_key()))
    return LocalSigner(public, lambda message: ecdsa.sign(key_type, native, message), lambda: raw)


def _mldsa_signer(raw: bytes) -> LocalSigner:
    from vcid.keys import mldsa

    native = mldsa.parse_private(raw)
    public = PublicKey(KeyType.ML_DSA_44, native.public_key().public_bytes_raw())
    return LocalSigner(public, native.sign, lambda: raw)

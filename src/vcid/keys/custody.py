"""A child's private key, sealed to guardians: each of them can open it, and nobody else, registry included.

Uses libsodium's sealed boxes (an ephemeral X25519 key, XSalsa20-Poly1305) to the X25519 form of each
guardian's Ed25519 key. Sealing is custody, not escrow: where no guardian can open, the registry reissues. At
majority the issuer binds the credentials to a key that the young adult alone holds; a sealed key is never
handed on.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from nacl import bindings
from nacl.exceptions import CryptoError

from vcid.encoding.multikey import KeyType, decode_multibase, encode_multibase
from vcid.errors import LimitExceeded, Locked, Malformed
from vcid.keys.signing import LocalSigner, PublicKey, matching_signer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vcid.encoding.json import JSON, JsonObject

MAX_GUARDIANS = 64

# Keeps a box made for something else, to the same guardian, from being taken for a key.
_PREFIX = b"vcid-sealed-key/1\x00"
_PRIVATE_BYTES = {
    KeyType.ED25519: 32,
    KeyType.P256: 32,
    KeyType.P384: 48,
    KeyType.P521: 66,
    KeyType.ML_DSA_44: 32,
}
_MAX_BOX_CHARS = 256


@dataclass(frozen=True, slots=True)
class SealedKey:
    """A private key that is readable by its guardians alone.

    The Multikeys of child and guardians stand in it in clear: it belongs in a wallet, not in a credential.

    Attributes:
        public_key: the public half of the key sealed.
        boxes: each guardian's key with the box that it opens.

    Raises:
        Malformed: a guardian stands twice or not at all, has no Ed25519 key, or a box has the wrong length.
    """

    public_key: PublicKey
    boxes: tuple[tuple[PublicKey, bytes], ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not 0 < len(dict(self.boxes)) == len(self.boxes) <= MAX_GUARDIANS:
            raise Malformed("sealed-to", f"1 to {MAX_GUARDIANS} different guardians", where="/sealedTo")
        if any(guardian.key_type is not KeyType.ED25519 for guardian in self.guardians):
            raise Malformed("guardian-key", "guardians' Ed25519 keys", where="/sealedTo")
        length = bindings.crypto_box_SEALBYTES + len(_PREFIX) + _PRIVATE_BYTES[self.public_key.key_type]
        if any(len(box) != length for _, box in self.boxes):
            raise Malformed("sealed-box", f"boxes of {length} bytes", where="/sealedTo")

    @property
    def guardians(self) -> tuple[PublicKey, ...]:
        """The keys of those who can open it."""
        return tuple(guardian for guardian, _ in self.boxes)

    def to_json(self) -> JsonObject:
        """Write it as JSON: ``{"publicKeyMultibase": "z6Mk…", "sealedTo": {"z6Mk…": "u…"}}``."""
        sealed: JsonObject = {guardian.multikey: encode_multibase(box, "u") for guardian, box in self.boxes}
        return {"publicKeyMultibase": self.public_key.multikey, "sealedTo": sealed}

    @classmethod
    def from_json(cls, record: JsonObject) -> SealedKey:
        """Read what ``to_json`` wrote.

        Raises:
            Malformed: a member is missing, strange or of the wrong form.
        """
        sealed = record.get("sealedTo")
        if record.keys() != {"publicKeyMultibase", "sealedTo"} or not isinstance(sealed, dict):
            raise Malformed("sealed-key", "publicKeyMultibase and sealedTo")
        if len(sealed) > MAX_GUARDIANS:
            raise LimitExceeded("sealed-to", f"at most {MAX_GUARDIANS} guardians", where="/sealedTo")
        public_key = PublicKey.from_multikey(_text(record["publicKeyMultibase"], "/publicKeyMultibase"))
        return cls(public_key, tuple(_read_box(name, box) for name, box in sealed.items()))


def seal(signer: LocalSigner, guardians: Sequence[PublicKey]) -> SealedKey:
    """Seal a signer's private key so that each of the guardians can open it alone.

    Raises:
        ValueError: there is no guardian, one stands twice, or a guardian's key is not Ed25519: nothing can
            be sealed to P-256 and P-384 keys, which guardians in hardware often hold.
    """
    if not guardians or len(set(guardians)) != len(guardians) or len(guardians) > MAX_GUARDIANS:
        raise ValueError(f"seal to 1 to {MAX_GUARDIANS} different guardians")
    if any(guardian.key_type is not KeyType.ED25519 for guardian in guardians):
        raise ValueError(
            "a key is sealed to guardians with Ed25519 keys alone; give the guardian one for custody"
        )
    content = _PREFIX + signer.private_bytes()
    return SealedKey(
        signer.public_key,
        tuple((guardian, bindings.crypto_box_seal(content, _to_x25519(guardian))) for guardian in guardians),
    )


def open_sealed(sealed: SealedKey, guardian: LocalSigner) -> LocalSigner:
    """Open a sealed key with a guardian's private key.

    Raises:
        Locked: the key is not sealed to this guardian, or the box was altered or holds another key.
    """
    boxes: Mapping[PublicKey, bytes] = dict(sealed.boxes)
    box = boxes.get(guardian.public_key)
    if box is None:
        raise Locked("the key is not sealed to this guardian")
    _, expanded = bindings.crypto_sign_seed_keypair(guardian.private_bytes())
    private = bindings.crypto_sign_ed25519_sk_to_curve25519(expanded)
    try:
        content = bindings.crypto_box_seal_open(box, _to_x25519(guardian.public_key), private)
    except CryptoError as error:
        raise Locked("the sealed box was altered, or was made for another key") from error
    if not content.startswith(_PREFIX):
        raise Locked("the sealed box holds something other than a key")
    return matching_signer(sealed.public_key, content.removeprefix(_PREFIX))


def reseal(sealed: SealedKey, guardian: LocalSigner, guardians: Sequence[PublicKey]) -> SealedKey:
    """Open a sealed key as one of its guardians, and seal it to others.

    Whoever could open the former box keeps what was opened: a guardian who must not act any more is stopped
    by the issuer, which binds the credentials to another key.

    Raises:
        Locked: as ``open_sealed``.
        ValueError: as ``seal``.
    """
    return seal(open_sealed(sealed, guardian), guardians)


def _to_x25519(public_key: PublicKey) -> bytes:
    return bindings.crypto_sign_ed25519_pk_to_curve25519(public_key.raw)


def _read_box(name: str, box: JSON) -> tuple[PublicKey, bytes]:
    box_bytes = decode_multibase(_text(box, "/sealedTo"), bases="u", max_chars=_MAX_BOX_CHARS)
    return PublicKey.from_multikey(name), box_bytes


def _text(value: JSON, where: str) -> str:
    if not isinstance(value, str):
        raise Malformed("text", "a text", where=where)
    return value

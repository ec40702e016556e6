"""Public keys for key agreement: X25519 (RFC 7748). They sign nothing, so they are a noun of their own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vcid.encoding.base64url import decode_base64url
from vcid.encoding.multikey import KeyType, decode_multikey, encode_multikey
from vcid.errors import Malformed
from vcid.keys.jwk import PRIVATE_MEMBERS

if TYPE_CHECKING:
    from vcid.encoding.json import JsonObject

_COORDINATE_CHARS: Final = 43
# The points of small order, for which every shared secret is the same (RFC 7748, section 6.1), in the forms
# that libsodium refuses; the highest bit of a coordinate is not part of it.
_PRIME: Final = 2**255 - 19
_SMALL_ORDER: Final = frozenset(
    {
        0,
        1,
        325606250916557431795983626356110631294008115727848805560023387167927233504,
        39382357235489614581723060781553021112529911719440698176882885853963445705823,
        _PRIME - 1,
    }
)


@dataclass(frozen=True, slots=True)
class AgreementKey:
    """A public key with which others agree on a secret with its holder.

    Attributes:
        raw: the u coordinate, 32 bytes, little-endian.

    Raises:
        Malformed: ``wrong-key-length``, or ``invalid-point`` for a point of small order.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.raw, bytes):
            raise TypeError("a public key's raw form is bytes")
        if len(self.raw) != 32:
            raise Malformed("wrong-key-length", "an X25519 public key of 32 bytes")
        coordinate = int.from_bytes(self.raw, "little")
        # A second spelling of the same coordinate would give one key two names.
        if coordinate >= _PRIME or coordinate in _SMALL_ORDER:
            raise Malformed("invalid-point", "a canonical X25519 coordinate, not of small order")

    @property
    def key_type(self) -> KeyType:
        """Always X25519."""
        return KeyType.X25519

    @property
    def multikey(self) -> str:
        """The key as a Multikey, ``z6LS…``."""
        return encode_multikey(KeyType.X25519, self.raw)

    @classmethod
    def from_multikey(cls, text: str) -> AgreementKey:
        """Read a Multikey.

        Raises:
            Malformed: the text is no Multikey of an X25519 key, or the point is refused.
        """
        key_type, raw = decode_multikey(text)
        if key_type is not KeyType.X25519:
            raise Malformed("unsupported-key-type", "a key for key agreement: X25519")
        return cls(raw)

    @classmethod
    def from_jwk(cls, jwk: JsonObject) -> AgreementKey:
        """Read a JSON Web Key of type OKP (RFC 8037).

        Raises:
            Malformed: ``private-key-material``, ``unsupported-key-type``, ``jwk``, or as the class raises.
        """
        if not PRIVATE_MEMBERS.isdisjoint(jwk):
            raise Malformed("private-key-material", "a public key: this JWK carries private members")
        if (jwk.get("kty"), jwk.get("crv")) != ("OKP", "X25519") or jwk.get("use", "enc") != "enc":
            raise Malformed("unsupported-key-type", "a key for key agreement: X25519")
        text = jwk.get("x")
        if not isinstance(text, str) or len(text) != _COORDINATE_CHARS:
            raise Malformed("jwk", "a coordinate of 32 bytes as base64url without padding")
        try:
            raw = decode_base64url(text)
        except Malformed as error:
            raise Malformed("jwk", f"a coordinate in {error.expected}") from error
        return cls(raw)

"""BBS keys: they sign lists of messages, of which a holder later discloses some without being linked.

Follows draft-irtf-cfrg-bbs-signatures with the ciphersuite BLS12-381-SHA-256, which bbs-2023 uses; Multikeys
follow Controlled Identifiers 1.0. The curve arithmetic is the optional package of the extra ``bbs``, loaded
where a key is first met. It does not promise constant time: sign and derive where nobody can time it closely.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NoReturn, Protocol

from vcid.encoding.multikey import KeyType, decode_multikey, encode_multikey
from vcid.errors import Malformed, Unavailable
from vcid.keys.bbs_hashing import ORDER, BbsCiphersuite, generate_key

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

PRIVATE_BYTES: Final = 32
_KEPT_KEYS: Final = 1024


@dataclass(frozen=True, slots=True, repr=False)
class DisclosedMessages:
    """What a proof shows to a verifier.

    Attributes:
        messages: the disclosed messages by their index among all that were signed, in ascending order.
        header: octets that the issuer's signature covers and every proof reveals.
        presentation_header: octets that the holder chose and the proof binds.
    """

    messages: Mapping[int, bytes]
    header: bytes = b""
    presentation_header: bytes = b""


@dataclass(frozen=True, slots=True)
class BbsPublicKey:
    """A BLS12-381 G2 key that checks BBS signatures and proofs of them.

    Construction validates: the length, that the encoding is canonical, that the point is of the prime-order
    subgroup and not its identity.

    Attributes:
        raw: the compressed point, 96 bytes.

    Raises:
        Malformed: ``wrong-key-length`` or ``invalid-point``.
        Unavailable: the extra ``bbs`` is not installed.
    """

    raw: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.raw, bytes):
            raise TypeError("a public key's raw form is bytes")
        _arithmetic()
        from vcid.keys.bbs_octets import decode_public_key

        decode_public_key(self.raw)

    @property
    def key_type(self) -> KeyType:
        """Always BLS12-381 G2."""
        return KeyType.BLS12_381_G2

    @property
    def multikey(self) -> str:
        """The key as a Multikey, ``zUC7…``."""
        return encode_multikey(KeyType.BLS12_381_G2, self.raw)

    @classmethod
    def from_multikey(cls, text: str) -> BbsPublicKey:
        """Read a Multikey. Keys met before come from a bounded cache, already validated.

        Raises:
            Malformed: the text is no Multikey of a BLS12-381 G2 key, or the point is refused.
            Unavailable: the extra ``bbs`` is not installed.
        """
        return _parse_multikey(text)

    def verify(self, signature: bytes, messages: Sequence[bytes], *, header: bytes = b"") -> None:
        """Check a signature over all of its messages; returning means that it holds.

        Raises:
            LimitExceeded: there are too many messages.
            Malformed: the signature's octets are none.
            InvalidProof: ``bad-signature``.
        """
        from vcid.keys import bbs_scheme

        bbs_scheme.verify(bbs_scheme.Terms(self.raw, header), signature, messages)

    def verify_proof(self, proof: bytes, shown: DisclosedMessages) -> None:
        """Check a proof that its maker knows this key's signature over what is shown; returning: it holds.

        Raises:
            LimitExceeded: the proof is over too many messages.
            Malformed: the proof's octets are none, or the indexes are none of its.
            InvalidProof: ``bad-signature``.
        """
        from vcid.keys import bbs_scheme

        bbs_scheme.verify_proof(
            bbs_scheme.Terms(self.raw, shown.header),
            proof,
            bbs_scheme.Presentation(tuple(shown.messages), shown.presentation_header),
            list(shown.messages.values()),
        )


@lru_cache(maxsize=_KEPT_KEYS)
def _parse_multikey(text: str) -> BbsPublicKey:
    key_type, raw = decode_multikey(text)
    if key_type is not KeyType.BLS12_381_G2:
        raise Malformed("unsupported-key-type", "a BLS12-381 G2 key")
    return BbsPublicKey(raw)


@dataclass(frozen=True, slots=True, repr=False)
class SignedMessages:
    """Messages with the signature over them: what a holder keeps and shows to nobody whole.

    Attributes:
        public_key: the key that signed.
        signature: 80 bytes.
        messages: all the messages in their order.
        header: octets that the signature covers and every proof reveals.
    """

    public_key: BbsPublicKey
    signature: bytes
    messages: tuple[bytes, ...]
    header: bytes = b""

    def prove(
        self,
        disclosed: Sequence[int],
        *,
        presentation_header: bytes = b"",
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> bytes:
        """Prove knowledge of the signature, disclosing the messages at some indexes and nothing else.

        Args:
            disclosed: the indexes, in ascending order.
            presentation_header: octets that the proof binds, such as a verifier's challenge.
            random: gives that many random octets, called once for each scalar. Two proofs made with the same
                randomness can be linked, and give the signature and the hidden messages away.

        Raises:
            ValueError: the randomness repeats itself.
            Malformed: the signature's octets are none, or the indexes are none of the messages'.
            InvalidProof: ``bad-signature``: it is not the key's over these messages.
        """
        from vcid.keys import bbs_scheme

        return bbs_scheme.prove(
            bbs_scheme.Terms(self.public_key.raw, self.header),
            self.signature,
            self.messages,
            bbs_scheme.Presentation(tuple(disclosed), presentation_header),
            random=random,
        )


class BbsSigner(Protocol):
    """Whatever can sign lists of messages with BBS: a key in memory, a remote service."""

    @property
    def public_key(self) -> BbsPublicKey:
        """The key that checks this signer's signatures."""

    def sign(self, header: bytes, messages: Sequence[bytes]) -> bytes:
        """Sign a header and messages: 80 bytes."""


class LocalBbsSigner:
    """A private BBS key held in this process's memory, reachable through ``private_bytes`` alone."""

    __slots__ = ("_public_key", "_reveal", "_sign")

    def __init__(
        self,
        public_key: BbsPublicKey,
        sign: Callable[[bytes, Sequence[bytes]], bytes],
        reveal: Callable[[], bytes],
    ) -> None:
        self._public_key = public_key
        self._sign = sign
        self._reveal = reveal

    @classmethod
    def generate(cls) -> LocalBbsSigner:
        """Make a new key from the operating system's randomness (section "Secret Key", KeyGen).

        Raises:
            Unavailable: the extra ``bbs`` is not installed.
        """
        return cls.from_key_material(secrets.token_bytes(32))

    @classmethod
    def from_key_material(cls, key_material: bytes, key_info: bytes = b"") -> LocalBbsSigner:
        """Derive a key from secret random octets, the same each time (section "Secret Key", KeyGen).

        Raises:
            ValueError: fewer than 32 octets, or too long an info.
            Unavailable: the extra ``bbs`` is not installed.
        """
        secret = generate_key(BbsCiphersuite.SHA_256, key_material, key_info)
        return cls.from_private_bytes(secret.to_bytes(PRIVATE_BYTES))

    @classmethod
    def from_private_bytes(cls, raw: bytes) -> LocalBbsSigner:
        """Take a private key: the scalar, 32 bytes, big-endian.

        Raises:
            Malformed: the length is wrong or the scalar out of range.
            Unavailable: the extra ``bbs`` is not installed.
        """
        secret = int.from_bytes(raw)
        if len(raw) != PRIVATE_BYTES or not 0 < secret < ORDER:
            raise Malformed("private-key", "a BLS12-381 private key of 32 bytes, below the order")
        _arithmetic()
        from vcid.keys import bbs_scheme

        public_key = BbsPublicKey(bbs_scheme.derive_public_key(secret))

        def sign(header: bytes, messages: Sequence[bytes]) -> bytes:
            return bbs_scheme.sign(secret, bbs_scheme.Terms(public_key.raw, header), messages)

        return cls(public_key, sign, lambda: raw)

    @property
    def public_key(self) -> BbsPublicKey:
        """The key that checks this signer's signatures."""
        return self._public_key

    def sign(self, header: bytes, messages: Sequence[bytes]) -> bytes:
        """Sign a header and messages; always the same signature of the same.

        Raises:
            LimitExceeded: there are too many messages.
        """
        return self._sign(header, messages)

    def private_bytes(self) -> bytes:
        """Give the private key in clear. Whoever holds these bytes can sign: don't log or store them."""
        return self._reveal()

    def __repr__(self) -> str:
        return f"<LocalBbsSigner {self._public_key.multikey}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a LocalBbsSigner holds a private key: it is neither pickled nor copied")

    def __getstate__(self) -> NoReturn:
        self.__reduce__()


def _arithmetic() -> None:
    """Load the curve arithmetic, or say how to install it."""
    try:
        import py_arkworks_bls12381  # noqa: F401 - whether it is there is the question
    except ModuleNotFoundError as error:
        raise Unavailable("BBS keys need the extra: pip install 'vcid[bbs]'") from error

"""The BBS signature scheme: sign, verify, prove knowledge of a signature, verify such a proof.

Follows draft-irtf-cfrg-bbs-signatures, sections "BBS Signatures Interface", "Core Operations" and "Proof
Protocol Subroutines", over the pairing and group arithmetic of arkworks. That arithmetic does not promise
constant time: who can time a signer or a holder closely learns something of the secret scalars.
"""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from vcid.errors import InvalidProof, Malformed
from vcid.keys.bbs_generators import base_point, create_generators
from vcid.keys.bbs_hashing import EXPAND_BYTES, ORDER, BbsCiphersuite
from vcid.keys.bbs_octets import Proof, Signature, decode_public_key, encode_points, to_scalar

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

# r1, r2, e~, r1~ and r3~, before one random scalar for each undisclosed message.
_BLINDING_SCALARS: Final = 5


@dataclass(frozen=True, slots=True)
class Terms:
    """What signer, holder and verifier all know before any message.

    Attributes:
        public_key: the signer's public key, 96 octets.
        header: octets that the signature covers and that every proof reveals.
        ciphersuite: the ciphersuite.
    """

    public_key: bytes
    header: bytes = b""
    ciphersuite: BbsCiphersuite = BbsCiphersuite.SHA_256

    def hash_to_scalar(self, octets: bytes) -> Scalar:
        """Hash octets under the interface's tag for scalars."""
        return to_scalar(self.ciphersuite.hash_to_scalar(octets, self.ciphersuite.api_id + b"H2S_"))

    def map_messages(self, messages: Iterable[bytes]) -> list[Scalar]:
        """Map messages to scalars (section "Messages to Scalars")."""
        return [to_scalar(self.ciphersuite.message_to_scalar(message)) for message in messages]

    def basis(self, message_count: int) -> Basis:
        """Compute what does not depend on the messages themselves (section "Domain Calculation").

        Raises:
            LimitExceeded: there are too many messages.
        """
        generators = create_generators(message_count, self.ciphersuite)
        octets = (
            self.public_key,
            message_count.to_bytes(8),
            generators.octets,
            self.ciphersuite.api_id,
            len(self.header).to_bytes(8),
            self.header,
        )
        first, *rest = generators.points
        domain = self.hash_to_scalar(b"".join(octets))
        return Basis((base_point(self.ciphersuite), first), tuple(rest), domain)


@dataclass(frozen=True, slots=True)
class Basis:
    """The points that a signature over so many messages is built on.

    Attributes:
        fixed: ``P1`` and ``Q_1``.
        messages: ``H_1`` to ``H_L``.
        domain: the scalar that goes with ``Q_1``.
    """

    fixed: tuple[G1Point, G1Point]
    messages: tuple[G1Point, ...]
    domain: Scalar

    def commit(self, scalars: Mapping[int, Scalar]) -> G1Point:
        """Give ``P1 + Q_1 * domain + H_i * msg_i + …`` for the messages given by their index."""
        points = [*self.fixed, *(self.messages[index] for index in scalars)]
        return G1Point.multiexp_unchecked(points, [Scalar(1), self.domain, *scalars.values()])


def derive_public_key(secret: int) -> bytes:
    """Give the public key of a secret scalar between 1 and r - 1 (section "Public Key", SkToPk)."""
    return (G2Point() * to_scalar(secret)).to_compressed_bytes()


def sign(secret: int, terms: Terms, messages: Sequence[bytes]) -> bytes:
    """Sign messages (sections "Signature Generation" and "CoreSign"): always the same signature of the same.

    Args:
        secret: the scalar that belongs to the public key of ``terms``.
        terms: whose key and header.
        messages: the messages in their order.

    Raises:
        LimitExceeded: there are too many messages.
    """
    basis, scalars = terms.basis(len(messages)), terms.map_messages(messages)
    private = to_scalar(secret)
    hashed = b"".join(scalar.to_be_bytes() for scalar in (private, *scalars, basis.domain))
    exponent = terms.hash_to_scalar(hashed)
    point = basis.commit(dict(enumerate(scalars))) * (private + exponent).inverse()
    return Signature(point, exponent).encode()


def verify(terms: Terms, signature: bytes, messages: Sequence[bytes]) -> None:
    """Check a signature over all of its messages (sections "Signature Verification" and "CoreVerify").

    Raises:
        LimitExceeded: there are too many messages.
        Malformed: the octets of the signature or of the public key are none.
        InvalidProof: ``bad-signature``.
    """
    parsed, basis = Signature.decode(signature), terms.basis(len(messages))
    _check_signature(terms, parsed, basis.commit(dict(enumerate(terms.map_messages(messages)))))


def _check_signature(terms: Terms, signature: Signature, commitment: G1Point) -> None:
    right = signature.point * signature.exponent - commitment
    if not GT.pairing_check([signature.point, right], [decode_public_key(terms.public_key), G2Point()]):
        raise InvalidProof("bad-signature", "the signature does not match the messages, header and key")


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a proof shows beside the terms.

    Attributes:
        disclosed: indexes of the disclosed messages, in ascending order.
        header: octets that the holder chooses and the proof binds.
    """

    disclosed: tuple[int, ...] = ()
    header: bytes = b""

    def check_indexes(self, message_count: int) -> None:
        """Check that the indexes ascend and lie among so many messages.

        Raises:
            Malformed: ``disclosed-indexes``.
        """
        within = all(0 <= index < message_count for index in self.disclosed)
        if not within or any(left >= right for left, right in pairwise(self.disclosed)):
            raise Malformed("disclosed-indexes", "ascending indexes of the signed messages")


def prove(
    terms: Terms,
    signature: bytes,
    messages: Sequence[bytes],
    presentation: Presentation,
    *,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> bytes:
    """Prove knowledge of a signature, disclosing some messages ("Proof Generation", "CoreProofGen").

    The signature is checked first, as the draft recommends: a proof made of a bad one would fail later.

    Args:
        terms: whose signature it is, over which header.
        signature: the signature's octets.
        messages: all the signed messages in their order.
        presentation: what to disclose and to bind.
        random: gives that many random octets; called once for each scalar.

    Raises:
        ValueError: the randomness handed in repeats itself, which would give the secrets away.
        LimitExceeded, Malformed, InvalidProof: the signature does not hold, or the indexes are none.
    """
    presentation.check_indexes(len(messages))
    parsed, basis, scalars = (
        Signature.decode(signature),
        terms.basis(len(messages)),
        terms.map_messages(messages),
    )
    commitment = basis.commit(dict(enumerate(scalars)))
    _check_signature(terms, parsed, commitment)
    hidden = sorted(set(range(len(messages))).difference(presentation.disclosed))
    blinding = _Blinding.draw(len(hidden), random)
    started = blinding.start(parsed, commitment, [basis.messages[index] for index in hidden])
    shown = [scalars[index] for index in presentation.disclosed]
    challenge = _challenge(terms, basis, started, shown, presentation)
    return blinding.finish(started, challenge, parsed.exponent, [scalars[index] for index in hidden]).encode()


def verify_proof(
    terms: Terms, proof: bytes, presentation: Presentation, disclosed_messages: Sequence[bytes]
) -> None:
    """Check a proof (sections "Proof Verification" and "CoreProofVerify").

    Args:
        terms: whose signature the proof says it knows, over which header.
        proof: the proof's octets.
        presentation: the indexes that it discloses, and the header that it binds.
        disclosed_messages: the messages at those indexes.

    Raises:
        LimitExceeded: the proof is over too many messages.
        Malformed: the octets of the proof or of the public key are none, or the indexes are none of its.
        InvalidProof: ``bad-signature``.
    """
    parsed = Proof.decode(proof)
    count = len(parsed.commitments) + len(presentation.disclosed)
    presentation.check_indexes(count)
    if len(disclosed_messages) != len(presentation.disclosed):
        raise Malformed("disclosed-indexes", "one index for each disclosed message")
    key, basis, shown = (
        decode_public_key(terms.public_key),
        terms.basis(count),
        terms.map_messages(disclosed_messages),
    )
    started = _restart(parsed, basis, dict(zip(presentation.disclosed, shown, strict=True)))
    if _challenge(terms, basis, started, shown, presentation) != parsed.challenge:
        raise InvalidProof("bad-signature", "the proof is not of these messages, headers and key")
    abar, bbar, _ = parsed.points
    if not GT.pairing_check([abar, -bbar], [key, G2Point()]):
        raise InvalidProof("bad-signature", "the proof does not know a signature of this key")


@dataclass(frozen=True, slots=True)
class _Started:
    """A proof after its first move: ``(Abar, Bbar, D)`` and ``(T1, T2)``."""

    points: tuple[G1Point, G1Point, G1Point]
    announced: tuple[G1Point, G1Point]


@dataclass(frozen=True, slots=True, repr=False)
class _Blinding:
    """The random scalars of one proof, which must never be used for another."""

    r1: Scalar
    r2: Scalar
    e: Scalar
    r1_tilde: Scalar
    r3_tilde: Scalar
    messages: tuple[Scalar, ...]

    @classmethod
    def draw(cls, hidden_count: int, random: Callable[[int], bytes]) -> _Blinding:
        """Draw them (section "Random Scalars")."""
        count = _BLINDING_SCALARS + hidden_count
        numbers = [int.from_bytes(random(EXPAND_BYTES)) % ORDER for _ in range(count)]
        if 0 in numbers or len(set(numbers)) != count:
            raise ValueError("random must give different octets at each call")
        r1, r2, e, r1_tilde, r3_tilde, *messages = map(to_scalar, numbers)
        return cls(r1, r2, e, r1_tilde, r3_tilde, tuple(messages))

    def start(self, signature: Signature, commitment: G1Point, hidden: Sequence[G1Point]) -> _Started:
        """Blind the signature and announce (section "Proof Initialization")."""
        d = commitment * self.r2
        abar = signature.point * (self.r1 * self.r2)
        bbar = d * self.r1 - abar * signature.exponent
        t1 = abar * self.e + d * self.r1_tilde
        t2 = G1Point.multiexp_unchecked([d, *hidden], [self.r3_tilde, *self.messages])
        return _Started((abar, bbar, d), (t1, t2))

    def finish(
        self, started: _Started, challenge: Scalar, exponent: Scalar, hidden: Sequence[Scalar]
    ) -> Proof:
        """Answer the challenge (section "Proof Finalization")."""
        responses = (
            self.e + exponent * challenge,
            self.r1_tilde - self.r1 * challenge,
            self.r3_tilde - self.r2.inverse() * challenge,
        )
        commitments = (
            blind + message * challenge for blind, message in zip(self.messages, hidden, strict=True)
        )
        return Proof(started.points, responses, tuple(commitments), challenge)


def _restart(proof: Proof, basis: Basis, shown: Mapping[int, Scalar]) -> _Started:
    """Recompute what a proof announced (section "Proof Verification Initialization")."""
    abar, bbar, d = proof.points
    e, r1, r3 = proof.responses
    hidden = [point for index, point in enumerate(basis.messages) if index not in shown]
    t1 = G1Point.multiexp_unchecked([bbar, abar, d], [proof.challenge, e, r1])
    answers = G1Point.multiexp_unchecked([d, *hidden], [r3, *proof.commitments])
    return _Started(proof.points, (t1, basis.commit(shown) * proof.challenge + answers))


def _challenge(
    terms: Terms, basis: Basis, started: _Started, shown: Sequence[Scalar], presentation: Presentation
) -> Scalar:
    """Hash all that the proof binds (section "Challenge Calculation")."""
    pairs = zip(presentation.disclosed, shown, strict=True)
    octets = (
        len(shown).to_bytes(8),
        *(index.to_bytes(8) + scalar.to_be_bytes() for index, scalar in pairs),
        encode_points(*started.points, *started.announced),
        basis.domain.to_be_bytes(),
        len(presentation.header).to_bytes(8),
        presentation.header,
    )
    return terms.hash_to_scalar(b"".join(octets))

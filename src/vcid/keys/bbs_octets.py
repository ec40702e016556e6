"""BBS keys, signatures and proofs as octets, decoded strictly.

Follows draft-irtf-cfrg-bbs-signatures, section "Serialization", and the point encoding of its appendix "The
BLS12-381 Curve". The curve arithmetic underneath reads some encodings that are not canonical, the identity
with stray bits for one, so that every point is written again and compared.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from py_arkworks_bls12381 import G1Point, G2Point, Scalar

from vcid.errors import LimitExceeded, Malformed
from vcid.keys.bbs_generators import MAX_MESSAGES
from vcid.keys.bbs_hashing import ORDER

SCALAR_BYTES: Final = 32
POINT_BYTES: Final = 48
PUBLIC_KEY_BYTES: Final = 96
SIGNATURE_BYTES: Final = POINT_BYTES + SCALAR_BYTES
_PROOF_POINTS_END: Final = 3 * POINT_BYTES
# Three points and four scalars; each undisclosed message adds one scalar.
PROOF_FLOOR: Final = _PROOF_POINTS_END + 4 * SCALAR_BYTES
_MAX_PROOF_BYTES: Final = PROOF_FLOOR + MAX_MESSAGES * SCALAR_BYTES


@dataclass(frozen=True, slots=True)
class Signature:
    """A signature's two parts.

    Attributes:
        point: ``A``.
        exponent: ``e``.
    """

    point: G1Point
    exponent: Scalar

    @classmethod
    def decode(cls, octets: bytes) -> Signature:
        """Read a signature (section "Octets to Signature").

        Raises:
            Malformed: ``signature-length``, ``invalid-point`` or ``invalid-scalar``.
        """
        if len(octets) != SIGNATURE_BYTES:
            raise Malformed("signature-length", f"a BBS signature of {SIGNATURE_BYTES} bytes")
        return cls(decode_point(octets[:POINT_BYTES]), decode_scalar(octets[POINT_BYTES:]))

    def encode(self) -> bytes:
        """Write it (section "Signature to Octets")."""
        return self.point.to_compressed_bytes() + self.exponent.to_be_bytes()


@dataclass(frozen=True, slots=True)
class Proof:
    """A proof's parts, in the order in which they are written.

    Attributes:
        points: ``Abar``, ``Bbar`` and ``D``.
        responses: ``e^``, ``r1^`` and ``r3^``.
        commitments: ``m^_j`` for each undisclosed message.
        challenge: ``c``.
    """

    points: tuple[G1Point, G1Point, G1Point]
    responses: tuple[Scalar, Scalar, Scalar]
    commitments: tuple[Scalar, ...]
    challenge: Scalar

    @classmethod
    def decode(cls, octets: bytes) -> Proof:
        """Read a proof (section "Octets to Proof").

        Raises:
            LimitExceeded: it is as long as one over more than `MAX_MESSAGES`.
            Malformed: ``proof-length``, ``invalid-point`` or ``invalid-scalar``.
        """
        if len(octets) > _MAX_PROOF_BYTES:
            raise LimitExceeded("too-many-messages", f"a BBS proof over at most {MAX_MESSAGES} messages")
        if len(octets) < PROOF_FLOOR or (len(octets) - PROOF_FLOOR) % SCALAR_BYTES:
            raise Malformed("proof-length", f"a BBS proof of {PROOF_FLOOR} bytes and a multiple of 32")
        abar, bbar, d = (
            decode_point(octets[start : start + POINT_BYTES])
            for start in range(0, _PROOF_POINTS_END, POINT_BYTES)
        )
        scalars = [
            decode_scalar(octets[start : start + SCALAR_BYTES])
            for start in range(_PROOF_POINTS_END, len(octets), SCALAR_BYTES)
        ]
        e, r1, r3, *commitments, challenge = scalars
        return cls((abar, bbar, d), (e, r1, r3), tuple(commitments), challenge)

    def encode(self) -> bytes:
        """Write it (section "Proof to Octets")."""
        scalars = (*self.responses, *self.commitments, self.challenge)
        return encode_points(*self.points) + b"".join(scalar.to_be_bytes() for scalar in scalars)


def encode_points(*points: G1Point) -> bytes:
    """Write points of G1 one after another, compressed."""
    return b"".join(point.to_compressed_bytes() for point in points)


def decode_point(octets: bytes) -> G1Point:
    """Read a point of the subgroup G1 that is not its identity.

    Raises:
        Malformed: ``invalid-point``.
    """
    try:
        point = G1Point.from_compressed_bytes(octets)
    except ValueError as error:
        raise _invalid_point("G1") from error
    if point == G1Point.identity() or point.to_compressed_bytes() != octets:
        raise _invalid_point("G1")
    return point


# Bounded, without memory of failures; a key is met in every credential of its issuer.
@lru_cache(maxsize=256)
def decode_public_key(octets: bytes) -> G2Point:
    """Read a public key (section "Octets to Public Key").

    Raises:
        Malformed: ``wrong-key-length``, or ``invalid-point``: not canonical, not of the subgroup G2, or its
            identity, under which anything would verify.
    """
    if len(octets) != PUBLIC_KEY_BYTES:
        raise Malformed("wrong-key-length", f"a BLS12-381 G2 public key of {PUBLIC_KEY_BYTES} bytes")
    try:
        point = G2Point.from_compressed_bytes(octets)
    except ValueError as error:
        raise _invalid_point("G2") from error
    if point == G2Point.identity() or point.to_compressed_bytes() != octets:
        raise _invalid_point("G2")
    return point


def decode_scalar(octets: bytes) -> Scalar:
    """Read a scalar between 1 and r - 1.

    Raises:
        Malformed: ``invalid-scalar``.
    """
    if not 0 < int.from_bytes(octets) < ORDER:
        raise Malformed("invalid-scalar", "scalars between 1 and the order of the group")
    return Scalar.from_be_bytes(octets)


def to_scalar(number: int) -> Scalar:
    """Take a number below r to the field."""
    return Scalar.from_be_bytes(number.to_bytes(SCALAR_BYTES))


def _invalid_point(group: str) -> Malformed:
    return Malformed("invalid-point", f"the canonical form of a point of {group}, not its identity")

"""The points of G1 that messages are bound to, computed once and kept.

Follows draft-irtf-cfrg-bbs-signatures, section "Generators Calculation". The generators depend on the
ciphersuite alone, on no key and no document: they are kept in blocks, so that lists of different lengths
share them and the cache stays bounded. Imports the optional curve arithmetic, as its neighbours do that
`vcid.keys.bbs` imports where a BBS key is first met.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from py_arkworks_bls12381 import G1Point

from vcid.errors import LimitExceeded
from vcid.keys.bbs_hashing import EXPAND_BYTES, BbsCiphersuite

# How many messages one signature may cover. A first verification of so many takes a third of a second.
MAX_MESSAGES: Final = 1024
_BLOCK: Final = 32
_BLOCKS: Final = -(-(MAX_MESSAGES + 1) // _BLOCK)
# The prime of the base field, and the octets that make an element of it uniform (RFC 9380, "L").
_FIELD: Final = int(
    "1a0111ea397fe69a4b1ba7b6434bacd764774b84f38512bf6730d2a0f6b0f6241eabfffeb153ffffb9feffffffffaaab", 16
)
_FIELD_EXPAND_BYTES: Final = 64
_FIELD_BYTES: Final = 48


@dataclass(frozen=True, slots=True)
class Generators:
    """``Q_1, H_1, ..., H_L``, and the same serialized one after another.

    Attributes:
        points: the points, ``Q_1`` first.
        octets: 48 octets of each.
    """

    points: tuple[G1Point, ...]
    octets: bytes


@dataclass(frozen=True, slots=True)
class _Block:
    generators: Generators
    chain: bytes  # the value v after the block's last point


def create_generators(message_count: int, ciphersuite: BbsCiphersuite) -> Generators:
    """Give the generators for so many messages: one more than there are messages.

    Raises:
        LimitExceeded: there are more messages than `MAX_MESSAGES`.
    """
    if message_count > MAX_MESSAGES:
        raise LimitExceeded("too-many-messages", f"at most {MAX_MESSAGES} messages under one BBS signature")
    count = message_count + 1
    # Upwards, so that each block finds the one before it in the cache.
    blocks = [_block(ciphersuite, index).generators for index in range(-(-count // _BLOCK))]
    points = tuple(point for block in blocks for point in block.points)[:count]
    return Generators(points, b"".join(block.octets for block in blocks)[: count * _FIELD_BYTES])


@lru_cache(maxsize=len(BbsCiphersuite))
def base_point(ciphersuite: BbsCiphersuite) -> G1Point:
    """Give ``P1``, which section "BLS12-381 Ciphersuites" defines by the same procedure."""
    api_id = ciphersuite.api_id
    seed_tag = api_id + b"SIG_GENERATOR_SEED_"
    chain = ciphersuite.expand_message(api_id + b"BP_MESSAGE_GENERATOR_SEED", seed_tag, EXPAND_BYTES)
    chain = ciphersuite.expand_message(chain + (1).to_bytes(8), seed_tag, EXPAND_BYTES)
    return _hash_to_curve(chain, ciphersuite)


@lru_cache(maxsize=len(BbsCiphersuite) * _BLOCKS)
def _block(ciphersuite: BbsCiphersuite, index: int) -> _Block:
    seed_tag = ciphersuite.api_id + b"SIG_GENERATOR_SEED_"
    if index == 0:
        chain = ciphersuite.expand_message(
            ciphersuite.api_id + b"MESSAGE_GENERATOR_SEED", seed_tag, EXPAND_BYTES
        )
    else:
        chain = _block(ciphersuite, index - 1).chain
    points = []
    for number in range(index * _BLOCK + 1, (index + 1) * _BLOCK + 1):
        chain = ciphersuite.expand_message(chain + number.to_bytes(8), seed_tag, EXPAND_BYTES)
        points.append(_hash_to_curve(chain, ciphersuite))
    octets = b"".join(point.to_compressed_bytes() for point in points)
    return _Block(Generators(tuple(points), octets), chain)


def _hash_to_curve(message: bytes, ciphersuite: BbsCiphersuite) -> G1Point:
    """``hash_to_curve`` of G1 under the tag for generators (RFC 9380, section 3).

    The binding has the SHA-256 suite whole. For SHAKE-256 it has the map from a field element to the
    subgroup, which clears the cofactor of each half instead of the sum: the same point, since that is linear.
    """
    tag = ciphersuite.api_id + b"SIG_GENERATOR_DST_"
    if ciphersuite is BbsCiphersuite.SHA_256:
        return G1Point.hash_to_curve(message, tag)
    uniform = ciphersuite.expand_message(message, tag, 2 * _FIELD_EXPAND_BYTES)
    halves = (uniform[:_FIELD_EXPAND_BYTES], uniform[_FIELD_EXPAND_BYTES:])
    first, second = ((int.from_bytes(half) % _FIELD).to_bytes(_FIELD_BYTES) for half in halves)
    return G1Point.map_from_fp_be(first) + G1Point.map_from_fp_be(second)

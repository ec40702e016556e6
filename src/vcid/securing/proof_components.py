"""Proof values of the selective disclosure suites: a header of three bytes, then an array in CBOR.

Follows the "serialize…ProofValue" and "parse…ProofValue" algorithms of Data Integrity ECDSA Cryptosuites 1.0
and Data Integrity BBS Cryptosuites 1.0, in multibase base64url-no-pad. Reading is strict: RFC 8949 in its
preferred serialization with definite lengths, no tags, no duplicate keys and nothing after the array. Only
the order of a map's keys is left open, since implementations differ in it.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Final, NoReturn, TypeGuard

from vcid.encoding.multikey import decode_multibase, encode_multibase
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

MAX_PROOF_VALUE_CHARS: Final = 1 << 20
HEADER_BYTES: Final = 3

_WHERE: Final = "/proof/proofValue"
# The array, and the arrays and maps in it. Deeper ones could also be keys of maps, with hashes that collide.
_MAX_DEPTH: Final = 2


def encode_components(header: bytes, components: Sequence[object]) -> str:
    """Write a proof value from its header and components."""
    import cbor2

    return encode_multibase(header + cbor2.dumps(list(components)), "u")


def decode_components(proof_value: str) -> tuple[bytes, list[object]]:
    """Read a proof value's header and components, whose shapes are for the suite to check.

    Raises:
        LimitExceeded: the text is too long.
        Malformed: it is no multibase, too short for a header, or its rest is no array in strict CBOR.
    """
    import cbor2

    try:
        content = decode_multibase(proof_value, bases="u", max_chars=MAX_PROOF_VALUE_CHARS)
    except Malformed as error:
        raise type(error)(error.code, error.expected, where=_WHERE) from None
    encoded = content[HEADER_BYTES:]
    try:
        components = cbor2.loads(
            encoded,
            semantic_decoders=_NoTags(),
            max_depth=_MAX_DEPTH,
            allow_indefinite=False,
            allow_duplicate_keys=False,
        )
        is_preferred = type(components) is list and cbor2.dumps(components) == encoded
    except cbor2.CBORError:
        is_preferred = False
    if not is_preferred:
        raise malformed("an array in CBOR, in preferred serialization and without tags")
    return content[:HEADER_BYTES], components


def malformed(expected: str) -> Malformed:
    """Make the error for a proof value of another shape."""
    return Malformed("proof-value-malformed", expected, where=_WHERE)


def read_bytes(component: object, size: int, expected: str) -> bytes:
    """Read a byte string of one size."""
    if type(component) is not bytes or len(component) != size:
        raise malformed(expected)
    return component


def read_array_of_bytes(component: object, size: int, expected: str) -> tuple[bytes, ...]:
    """Read an array of byte strings, all of one size."""
    return tuple(read_bytes(item, size, expected) for item in _read_array(component, expected))


def read_pointers(component: object) -> tuple[str, ...]:
    """Read an array of texts, which only the document can show to be JSON pointers."""
    expected = "an array of JSON pointers"
    items = _read_array(component, expected)
    pointers = tuple(item for item in items if type(item) is str)
    if len(pointers) != len(items):
        raise malformed(expected)
    return pointers


def read_indexes(component: object) -> tuple[int, ...]:
    """Read an array of indexes, which has to be in ascending order."""
    expected = "an array of indexes in ascending order, each once"
    items = _read_array(component, expected)
    indexes = tuple(item for item in items if is_number(item))
    if len(indexes) != len(items) or any(index >= following for index, following in pairwise(indexes)):
        raise malformed(expected)
    return indexes


def read_map_by_number(component: object, expected: str) -> dict[int, object]:
    """Read a map whose keys are unsigned integers."""
    if type(component) is not dict or not all(map(is_number, component)):
        raise malformed(expected)
    return component


def is_number(component: object) -> TypeGuard[int]:
    """Say whether a component is an unsigned integer."""
    return type(component) is int and component >= 0


def _read_array(component: object, expected: str) -> list[object]:
    if type(component) is not list:
        raise malformed(expected)
    return component


class _NoTags(Mapping[int, "Callable[[object, bool], object]"]):
    """Says of every tag that it is not allowed."""

    def __getitem__(self, tag: int) -> Callable[[object, bool], object]:
        return _refuse_tag

    def __iter__(self) -> Iterator[int]:
        return iter(())

    def __len__(self) -> int:
        return 0


def _refuse_tag(*_arguments: object) -> NoReturn:
    raise ValueError("tags have no place in a proof value")

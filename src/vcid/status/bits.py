"""The bits of a Bitstring Status List v1.0: packed, encoded, and inflated within bounds.

`StatusList` is what stands in a list credential's ``encodedList`` (sections 3.3 and 3.4). Failures throughout
the specification are `Malformed` with its error names in kebab case as codes: the constants below.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from vcid.encoding.multikey import decode_multibase, encode_multibase
from vcid.errors import LimitExceeded, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from typing import Self

MIN_ENTRIES: Final = 131_072
"""Entries that a list must have at least, so that an index hides its holder in a crowd (section 3.2)."""

MAX_BYTES: Final = 1 << 20
"""How large a list may be once inflated, unless the caller says otherwise: 8,388,608 bits."""

RETRIEVAL_ERROR: Final = "status-retrieval-error"
VERIFICATION_ERROR: Final = "status-verification-error"
LIST_LENGTH_ERROR: Final = "status-list-length-error"
RANGE_ERROR: Final = "range-error"
MALFORMED_VALUE_ERROR: Final = "malformed-value-error"

_CACHED_LISTS: Final = 64
_GZIP: Final = 16 + zlib.MAX_WBITS
_WHERE: Final = "/credentialSubject/encodedList"


@dataclass(frozen=True, slots=True)
class StatusList:
    """An immutable list of bits; index 0 is the leftmost, the most significant bit of the first byte.

    Attributes:
        packed: the bits, eight a byte.
    """

    packed: bytes

    @classmethod
    def from_indices(cls, indices: Iterable[int], *, length: int = MIN_ENTRIES) -> Self:
        """Make a list of ``length`` bits in which those at ``indices`` are set.

        Raises:
            ValueError: the length is no multiple of 8, or an index lies outside.
        """
        if length % 8 or length <= 0:
            raise ValueError("a status list's length is a positive multiple of 8")
        packed = bytearray(length // 8)
        for index in indices:
            if not 0 <= index < length:
                raise ValueError("an index lies outside of the status list")
            packed[index >> 3] |= 0x80 >> (index & 7)
        return cls(bytes(packed))

    @classmethod
    def decode(cls, encoded: str, *, max_bytes: int = MAX_BYTES) -> Self:
        """Read an ``encodedList`` (section 3.4, Bitstring Expansion Algorithm).

        Raises:
            LimitExceeded: the list inflates to more than ``max_bytes``.
            Malformed: it is not one whole GZIP member in multibase base64url and nothing else.
        """
        return cls(_inflate(encoded, max_bytes))

    def encode(self) -> str:
        """Write the ``encodedList``: GZIP without a time, so that equal lists give equal text (3.3)."""
        compressor = zlib.compressobj(wbits=_GZIP)
        return encode_multibase(compressor.compress(self.packed) + compressor.flush(), "u")

    def value(self, index: int, size: int = 1) -> int:
        """Read the status of ``size`` bits that stands at entry ``index``.

        Raises:
            Malformed: code ``range-error``, the entry does not lie wholly inside the list.
        """
        start = index * size
        if index < 0 or start + size > len(self):
            raise Malformed(RANGE_ERROR, "an index inside of the status list")
        first, last = start >> 3, (start + size + 7) >> 3
        window = int.from_bytes(self.packed[first:last], "big")
        return (window >> (last * 8 - start - size)) & ((1 << size) - 1)

    def set_indices(self) -> Iterator[int]:
        """Give the indices of the bits that are set, in rising order."""
        for position, byte in enumerate(self.packed):
            if byte:
                yield from (position * 8 + bit for bit in range(8) if byte & (0x80 >> bit))

    def __len__(self) -> int:
        return len(self.packed) * 8

    def __getitem__(self, index: int) -> int:
        return self.value(index)

    def __repr__(self) -> str:
        return f"StatusList({len(self)} bits)"


# A signed list is read once for each credential that points into it. The text itself is the key: its SHA-256
# would cost as much as inflating it. The cache is bounded, and locked inside the interpreter.
@lru_cache(maxsize=_CACHED_LISTS)
def _inflate(encoded: str, max_bytes: int) -> bytes:
    try:
        compressed = decode_multibase(encoded, bases="u", max_chars=2 * max_bytes)
    except Malformed as error:
        kind = LimitExceeded if isinstance(error, LimitExceeded) else Malformed
        raise kind(MALFORMED_VALUE_ERROR, "multibase base64url without padding", where=_WHERE) from error
    inflater = zlib.decompressobj(_GZIP)
    try:
        packed = inflater.decompress(compressed, max_bytes + 1)
    except zlib.error as error:
        raise _malformed("a GZIP member (RFC 1952)") from error
    if len(packed) > max_bytes:
        raise LimitExceeded(MALFORMED_VALUE_ERROR, f"at most {max_bytes} bytes once inflated", where=_WHERE)
    if not inflater.eof:
        raise _malformed("a GZIP member that is not cut short")
    # A second member would be read by some and dropped by others, and bits with it.
    if inflater.unused_data:
        raise _malformed("one GZIP member with nothing behind it")
    return packed


def _malformed(expected: str) -> Malformed:
    return Malformed(MALFORMED_VALUE_ERROR, expected, where=_WHERE)

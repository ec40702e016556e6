"""The packed bits: order, encoding, and what inflating refuses."""

import gzip
import time
import zlib
from base64 import urlsafe_b64encode
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.errors import LimitExceeded, Malformed, VcidError
from vcid.status.bits import MALFORMED_VALUE_ERROR, MAX_BYTES, MIN_ENTRIES, RANGE_ERROR, StatusList

# "encodedList" of the example in section 2.2 of the specification: 16 KiB of zero bits.
SPECIFICATION_EXAMPLE = "uH4sIAAAAAAAAA-3BMQEAAADCoPVPbQwfoAAAAAAAAAAAAAAAAAAAAIC3AYbSVKsAQAAA"


def multibase(data: bytes) -> str:
    return "u" + urlsafe_b64encode(data).rstrip(b"=").decode()


def test_the_first_index_is_the_leftmost_bit():
    """Index 0 is the most significant bit of the first byte, the last index the least of the last byte."""
    bits = StatusList.from_indices([0, 15, MIN_ENTRIES - 1])
    assert bits.packed[0] == 0x80
    assert bits.packed[1] == 0x01
    assert bits.packed[-1] == 0x01
    assert [bits[i] for i in (0, 1, 14, 15, 16, MIN_ENTRIES - 1)] == [1, 0, 0, 1, 0, 1]


def test_the_specifications_example_decodes():
    """The published encodedList is 131,072 unset bits."""
    bits = StatusList.decode(SPECIFICATION_EXAMPLE)
    assert bits == StatusList(bytes(16384))
    assert len(bits) == MIN_ENTRIES
    assert list(bits.set_indices()) == []


def test_a_list_compressed_by_another_tool_decodes():
    """File name and time in the GZIP header, as other tools write them, don't matter."""
    packed = bytes(range(256)) * 64
    assert StatusList.decode(multibase(gzip.compress(packed, mtime=1_700_000_000))).packed == packed


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, MIN_ENTRIES - 1), max_size=50))
def test_decoding_undoes_encoding(indices):
    """decode(encode(x)) is x, the same list gives the same text, and the set indices come back."""
    bits = StatusList.from_indices(indices)
    assert StatusList.decode(bits.encode()) == bits
    assert bits.encode() == StatusList(bits.packed).encode()
    assert list(bits.set_indices()) == sorted(indices)


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 16), st.data())
def test_entries_of_several_bits_are_read_most_significant_bit_first(size, data):
    """An entry's value is the bits from index × size on, whatever byte borders it crosses."""
    packed = data.draw(st.binary(min_size=8, max_size=8))
    index = data.draw(st.integers(0, 64 // size - 1))
    text = "".join(f"{byte:08b}" for byte in packed)
    assert StatusList(packed).value(index, size) == int(text[index * size : index * size + size], 2)


@pytest.mark.parametrize(("index", "size"), [(128, 1), (-1, 1), (64, 2), (42, 3), (10**30, 1)])
def test_an_entry_outside_is_a_range_error(index, size):
    """Neither an index past the end nor an entry that only begins inside is read."""
    with pytest.raises(Malformed) as caught:
        StatusList(bytes(16)).value(index, size)
    assert caught.value.code == RANGE_ERROR


@pytest.mark.parametrize("length", [0, -8, 12])
def test_a_list_of_broken_bytes_is_not_made(length):
    """A list has whole bytes."""
    with pytest.raises(ValueError, match="multiple of 8"):
        StatusList.from_indices([], length=length)


@pytest.mark.parametrize("index", [-1, MIN_ENTRIES])
def test_an_index_outside_is_not_set(index):
    """An index past the end is refused where the list is made, not wrapped around."""
    with pytest.raises(ValueError, match="outside"):
        StatusList.from_indices([index])


def test_a_repr_shows_no_bits():
    """A list in a log line is its length."""
    assert repr(StatusList.from_indices([7])) == "StatusList(131072 bits)"


WHOLE = gzip.compress(bytes(16384), mtime=0)


@pytest.mark.parametrize(
    "encoded",
    [
        pytest.param("", id="empty"),
        pytest.param(SPECIFICATION_EXAMPLE[1:], id="no-multibase-prefix"),
        pytest.param("z" + SPECIFICATION_EXAMPLE[1:], id="another-base"),
        pytest.param(multibase(WHOLE) + "=", id="padding"),
        pytest.param(multibase(WHOLE).replace("-", "+"), id="base64-alphabet"),
        pytest.param(multibase(WHOLE[:-1]), id="cut-short"),
        pytest.param(multibase(WHOLE[:20]), id="cut-in-the-data"),
        pytest.param(multibase(WHOLE + b"\0"), id="trailing-byte"),
        pytest.param(multibase(WHOLE + WHOLE), id="two-members"),
        pytest.param(multibase(WHOLE[:-8] + b"\0\0\0\0" + WHOLE[-4:]), id="wrong-checksum"),
        pytest.param(multibase(WHOLE[:-4] + b"\0\0\0\0"), id="wrong-size"),
        pytest.param(multibase(zlib.compress(bytes(16384))), id="zlib-not-gzip"),
        pytest.param(multibase(bytes(16384)), id="not-compressed"),
        pytest.param("u", id="nothing"),
        pytest.param("ué", id="not-ascii"),
        pytest.param("u\ud800", id="lone-surrogate"),
    ],
)
def test_what_is_not_one_whole_member_is_refused(encoded):
    """Every departure from one GZIP member in unpadded base64url is a malformed value."""
    with pytest.raises(Malformed) as caught:
        StatusList.decode(encoded)
    assert caught.value.code == MALFORMED_VALUE_ERROR
    assert caught.value.where == "/credentialSubject/encodedList"


@pytest.mark.parametrize("size", [MAX_BYTES + 1, 64 << 20])
def test_a_list_that_inflates_too_far_is_refused_at_once(size):
    """A bomb costs no more than the limit: 64 MB of zeros, 64 KB as text, is refused within 100 ms."""
    encoded = multibase(gzip.compress(bytes(size), compresslevel=9))
    start = time.process_time()
    with pytest.raises(LimitExceeded) as caught:
        StatusList.decode(encoded)
    assert time.process_time() - start < 0.1
    assert caught.value.code == MALFORMED_VALUE_ERROR


def test_the_limit_is_the_callers():
    """A list of exactly the limit is read; one byte more is not."""
    assert StatusList.decode(SPECIFICATION_EXAMPLE, max_bytes=16384).packed == bytes(16384)
    with pytest.raises(LimitExceeded):
        StatusList.decode(SPECIFICATION_EXAMPLE, max_bytes=16383)


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text(), st.binary().map(multibase), st.binary().map(lambda b: multibase(WHOLE[:10] + b))))
def test_arbitrary_text_raises_only_our_errors(text):
    """No text makes the decoder raise anything but VcidError."""
    with suppress(VcidError):
        StatusList.decode(text)

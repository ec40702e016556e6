"""X25519 public keys: one spelling each, and none on which everybody agrees."""

from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from vcid.encoding.multikey import KeyType, encode_multikey
from vcid.errors import Malformed, VcidError
from vcid.keys.agreement import _PRIME, _SMALL_ORDER, AgreementKey
from vcid.keys.signing import LocalSigner

# RFC 7748, section 6.1: Alice's public key.
ALICE = bytes.fromhex("8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a")


def _jwk(raw: bytes, **members: object) -> dict:
    text = urlsafe_b64encode(raw).rstrip(b"=").decode()
    return {"kty": "OKP", "crv": "X25519", "x": text, **members}


def _code(make, *arguments: object) -> str:
    with pytest.raises(Malformed) as caught:
        make(*arguments)
    return caught.value.code


def test_a_key_is_read_in_both_forms():
    """Multikey and JSON Web Key give the same key."""
    key = AgreementKey(ALICE)
    assert key.key_type is KeyType.X25519
    assert key.multikey.startswith("z6LS")
    assert AgreementKey.from_multikey(key.multikey) == key
    assert AgreementKey.from_jwk(_jwk(ALICE)) == key
    assert AgreementKey.from_jwk(_jwk(ALICE, use="enc", kid="1")) == key


@pytest.mark.parametrize("coordinate", sorted(_SMALL_ORDER))
def test_points_of_small_order_are_refused(coordinate):
    """They are those that libsodium refuses to agree with, in all their spellings."""
    private = bytes(range(32))
    above = {coordinate + _PRIME} if coordinate + _PRIME < 1 << 255 else set()
    for spelling in {coordinate, *above}:
        for highest_bit in (0, 1 << 255):  # which is no part of the coordinate
            raw = (spelling | highest_bit).to_bytes(32, "little")
            with pytest.raises(RuntimeError):
                bindings.crypto_scalarmult(private, raw)
            assert _code(AgreementKey, raw) == "invalid-point"


def test_other_keys_and_damaged_ones_are_refused():
    """A signing key is no agreement key; private members, other uses and second spellings are refused."""
    signing = LocalSigner.generate().public_key
    assert _code(AgreementKey.from_multikey, signing.multikey) == "unsupported-key-type"
    assert _code(AgreementKey, ALICE[:-1]) == "wrong-key-length"
    assert _code(AgreementKey, bytes([*ALICE[:-1], ALICE[-1] | 0x80])) == "invalid-point"
    with pytest.raises(TypeError):
        AgreementKey("text")
    for jwk, code in (
        (_jwk(ALICE, d="AA"), "private-key-material"),
        (_jwk(ALICE, use="sig"), "unsupported-key-type"),
        (_jwk(ALICE, crv="Ed25519"), "unsupported-key-type"),
        (_jwk(ALICE, kty="EC"), "unsupported-key-type"),
        (_jwk(ALICE[:-1]), "jwk"),
        (_jwk(ALICE, x=1), "jwk"),
        (_jwk(ALICE, x="A" * 42 + "B"), "jwk"),
    ):
        assert _code(AgreementKey.from_jwk, jwk) == code


@settings(max_examples=200)
@given(st.binary(min_size=32, max_size=32))
def test_a_key_round_trips_or_is_refused(raw):
    """Whatever 32 bytes: one key, one Multikey."""
    try:
        key = AgreementKey(raw)
    except VcidError:
        return
    assert key.multikey == encode_multikey(KeyType.X25519, raw)
    assert AgreementKey.from_multikey(key.multikey).raw == raw

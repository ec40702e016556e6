"""JSON Web Keys: only sound public signing keys get in, each in one spelling."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding.multikey import KeyType
from vcid.errors import Malformed, VcidError
from vcid.keys.jwk import PRIVATE_MEMBERS, decode_jwk, encode_jwk
from vcid.keys.signing import SIGNING_TYPES, LocalSigner

# RFC 8037, appendix A.2
ED25519 = {"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}
# Controlled Identifiers 1.0, the example of a P-256 key as JsonWebKey
P256 = {
    "kty": "EC",
    "crv": "P-256",
    "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
}


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_keys_round_trip(key_type):
    """What encode_jwk writes, decode_jwk reads back as the same key."""
    public_key = LocalSigner.generate(key_type).public_key
    assert decode_jwk(encode_jwk(public_key)) == public_key


@pytest.mark.parametrize("extra", [{}, {"use": "sig"}, {"key_ops": ["verify"]}, {"kid": "key-1"}])
def test_published_keys_are_read(extra):
    """Keys of the specifications pass, with the members that say they verify."""
    assert decode_jwk({**ED25519, **extra, "alg": "EdDSA"}).key_type is KeyType.ED25519
    assert encode_jwk(decode_jwk({**P256, **extra, "alg": "ES256"})) == P256


@pytest.mark.parametrize("member", sorted(PRIVATE_MEMBERS))
@pytest.mark.parametrize("jwk", [ED25519, P256, {"kty": "RSA"}, {}])
def test_private_members_are_refused_by_code(jwk, member):
    """A private member is named as such before anything else is looked at."""
    with pytest.raises(Malformed) as caught:
        decode_jwk({**jwk, member: "c2VjcmV0"})
    assert caught.value.code == "private-key-material"
    assert "c2VjcmV0" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"kty": "EC"},
        {"crv": "X25519"},
        {"crv": "secp256k1", "kty": "EC"},
        {"kty": "AKP"},
        {"kty": "AKP", "alg": "ML-DSA-65", "pub": "AAAA"},
        {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA", "use": "enc"},
        {"crv": None},
        {"use": "enc"},
        {"use": ["sig"]},
        {"key_ops": ["deriveKey"]},
        {"key_ops": "verify"},
        {"alg": "ES256"},
        {"alg": "ECDH-ES"},
        {"alg": ["EdDSA"]},
    ],
)
def test_keys_for_something_else_are_unsupported(change):
    """Another curve, purpose or algorithm is told apart from damage."""
    with pytest.raises(Malformed, match="unsupported-key-type"):
        decode_jwk({**ED25519, **change})


@pytest.mark.parametrize(
    ("jwk", "change"),
    [
        (ED25519, {"x": ED25519["x"] + "="}),
        (ED25519, {"x": ED25519["x"][:-1] + "p"}),  # other trailing bits, same bytes
        (ED25519, {"x": ED25519["x"].replace("_", "/")}),
        (ED25519, {"x": ED25519["x"] + "AA"}),
        (ED25519, {"x": ED25519["x"][:-2]}),
        (ED25519, {"x": ""}),
        (ED25519, {"x": 7}),
        (ED25519, {"x": "A" * 43}),
        (ED25519, {"kty": ["OKP"]}),
        (ED25519, {"crv": ["Ed25519"]}),
        (P256, {"y": P256["x"]}),
        (P256, {"y": None}),
        (P256, {"x": "AA" + P256["x"]}),
        (P256, {"x": "A" * 43, "y": "A" * 43}),
        (P256, {"crv": "P-384"}),
        (P256, {"crv": "P-521"}),
        (P256, {"crv": "P-521", "x": "AA" * 44, "y": "AA" * 44}),
        ({}, {"kty": "AKP", "alg": "ML-DSA-44"}),
        ({}, {"kty": "AKP", "alg": "ML-DSA-44", "pub": "AAAA"}),
        ({}, {"kty": "AKP", "alg": "ML-DSA-44", "pub": "A" * 1751}),
        ({}, {"kty": "AKP", "alg": "ML-DSA-44", "pub": "A" * 100_000}),
    ],
)
def test_damaged_keys_are_refused(jwk, change):
    """Padding, stray bits, wrong lengths and points off the curve are damage."""
    with pytest.raises(Malformed) as caught:
        decode_jwk({**jwk, **change})
    assert caught.value.code != "unsupported-key-type"


_VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=50)
    | st.lists(st.text(max_size=5), max_size=2)
)


@settings(max_examples=200)
@given(st.dictionaries(st.sampled_from(["kty", "crv", "x", "y", "use", "alg", "key_ops"]), _VALUES))
def test_arbitrary_members_raise_only_vcid_errors(members):
    """Whatever the members hold, reading gives a key or a VcidError."""
    for jwk in (members, {**ED25519, **members}, {**P256, **members}):
        with suppress(VcidError):
            decode_jwk(jwk)

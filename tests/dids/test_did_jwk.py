"""did:jwk: the DID that is its own JSON Web Key."""

import json
from base64 import urlsafe_b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.dids.documents import PURPOSES
from vcid.dids.jwk import DidJwkResolver, did_jwk
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, ResolutionFailed
from vcid.keys.jwk import decode_jwk, encode_jwk
from vcid.keys.signing import LocalSigner

# The two examples of the did:jwk specification.
P256 = (
    "did:jwk:eyJjcnYiOiJQLTI1NiIsImt0eSI6IkVDIiwieCI6ImFjYklRaXVNczNpOF91c3pFakoydHBUdFJNNEVVM3l6OTFQSDZDZEgyVjAi"
    "LCJ5IjoiX0tjeUxqOXZXTXB0bm1LdG00NkdxRHo4d2Y3NEk1TEtncmwyR3pIM25TRSJ9"
)
P256_JWK = {
    "crv": "P-256",
    "kty": "EC",
    "x": "acbIQiuMs3i8_uszEjJ2tpTtRM4EU3yz91PH6CdH2V0",
    "y": "_KcyLj9vWMptnmKtm46GqDz8wf74I5LKgrl2GzH3nSE",
}
X25519 = (
    "did:jwk:eyJrdHkiOiJPS1AiLCJjcnYiOiJYMjU1MTkiLCJ1c2UiOiJlbmMiLCJ4IjoiM3A3YmZYdDl3YlRUVzJIQzdPUTFOei1EUThoYmVH"
    "ZE5yZngtRkctSUswOCJ9"
)
KEY = LocalSigner.from_private_bytes(KeyType.ED25519, b"\x07" * 32).public_key


def _did(jwk: object) -> str:
    return "did:jwk:" + urlsafe_b64encode(json.dumps(jwk).encode()).rstrip(b"=").decode()


def test_the_published_p_256_example():
    """The document is the published one, and its key checks proofs for every purpose but key agreement."""
    document = DidJwkResolver().resolve(P256)
    content = document.content
    assert content["@context"] == [
        "https://www.w3.org/ns/did/v1",
        "https://w3id.org/security/suites/jws-2020/v1",
    ]
    (method,) = content["verificationMethod"]
    assert method == {
        "id": f"{P256}#0",
        "type": "JsonWebKey2020",
        "controller": P256,
        "publicKeyJwk": P256_JWK,
    }
    for purpose in PURPOSES:
        assert content[purpose] == [f"{P256}#0"]
        assert document.method(f"{P256}#0", purpose).public_key == decode_jwk(P256_JWK)
    with pytest.raises(InvalidProof, match="unknown-method"):
        document.method(f"{P256}#1", "assertionMethod")


def test_the_published_x25519_example():
    """A key for encryption serves key agreement and nothing else."""
    document = DidJwkResolver().resolve(X25519)
    assert {purpose for purpose in PURPOSES if purpose in document.content} == {"keyAgreement"}
    assert document.agreement_method(f"{X25519}#0").key.key_type is KeyType.X25519
    with pytest.raises(InvalidProof, match="wrong-purpose"):
        document.method(f"{X25519}#0", "assertionMethod")


@pytest.mark.parametrize(
    "key_type", [KeyType.ED25519, KeyType.P256, KeyType.P384, KeyType.P521, KeyType.ML_DSA_44]
)
def test_a_key_gives_its_did_and_back(key_type):
    """What is made here says that it signs, and so serves no key agreement."""
    key = LocalSigner.generate(key_type).public_key
    document = DidJwkResolver().resolve(did_jwk(key))
    assert document.method(f"{document.id}#0", "assertionMethod").public_key == key
    assert "keyAgreement" not in document.content


def test_a_key_of_another_kind_leaves_a_method_of_no_use():
    """RSA resolves, and nothing can be checked with it: that is not known, not wrong."""
    did = _did({"kty": "RSA", "n": "AQAB", "e": "AQAB"})
    with pytest.raises(ResolutionFailed, match="unsupportedPublicKeyType"):
        DidJwkResolver().resolve(did).method(f"{did}#0", "assertionMethod")


@pytest.mark.parametrize(
    "did",
    [
        _did({**P256_JWK, "d": "AQAB"}),
        _did({**encode_jwk(KEY), "k": "AQAB"}),
        _did({"kty": "oct", "k": "AQAB"}),
        _did({**P256_JWK, "x": P256_JWK["y"]}),
        _did({**encode_jwk(KEY), "x": "AA"}),
        _did({"crv": "P-256"}),
        _did({**P256_JWK, "use": 1}),
        _did([P256_JWK]),
        _did("x"),
        P256 + "=",
        P256[:-1],
        P256 + "A",
        P256.replace("eyJ", "eyJ%41", 1),
        "did:jwk:" + urlsafe_b64encode(b'{"kty":"EC","kty":"EC"}').rstrip(b"=").decode(),
        "did:jwk:" + urlsafe_b64encode(b"\xff\xfe").rstrip(b"=").decode(),
        f"{P256}#0",
        "did:jwk:" + "A" * 4000,
    ],
)
def test_private_damaged_and_respelled_keys_are_refused(did):
    """Only a public key, in strict JSON and canonical base64url, is a did:jwk."""
    with pytest.raises(ResolutionFailed, match="invalidDid"):
        DidJwkResolver().resolve(did)


def test_other_methods_are_not_resolved_here():
    """A did:key is not read as a did:jwk."""
    with pytest.raises(ResolutionFailed, match="methodNotSupported"):
        DidJwkResolver().resolve("did:key:z6Mk")


@settings(max_examples=200)
@given(st.binary(max_size=60))
def test_arbitrary_bytes_resolve_or_fail(data):
    """A document that comes out is that very DID's."""
    did = "did:jwk:" + urlsafe_b64encode(data).rstrip(b"=").decode()
    try:
        document = DidJwkResolver().resolve(did)
    except ResolutionFailed:
        return
    assert document.id == did

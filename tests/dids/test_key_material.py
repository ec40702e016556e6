"""The keys of verification methods, as the examples of Controlled Identifiers 1.0 write them."""

import json
import re
from pathlib import Path

import pytest

from vcid.dids.documents import DidDocument
from vcid.dids.key_material import read_key
from vcid.encoding.multikey import KeyType, encode_multikey
from vcid.errors import Malformed, ResolutionFailed

USABLE = {
    "a-p-256-public-key-encoded-as-a-multikey": KeyType.P256,
    "a-p-384-public-key-encoded-as-a-multikey": KeyType.P384,
    "an-ed25519-public-key-encoded-as-a-multikey": KeyType.ED25519,
    "an-ed25519-public-key-encoded-as-a-jsonwebkey": KeyType.ED25519,
    "multikey-encoding-of-a-ed25519-public-key": KeyType.ED25519,
}
UNUSABLE = {
    "an-sm2-public-key-encoded-as-a-multikey": "a curve that is not used here",
    "a-bls12-381-g2-group-public-key-encoded-as-a-jsonwebkey": "BBS keys are read as Multikeys alone",
}
DAMAGED = {
    "a-p-256-public-key-encoded-as-a-jsonwebkey": "its x is the base64url of a base64url text",
    "a-p-384-public-key-encoded-as-a-jsonwebkey": "its x is the base64url of a base64url text",
}


def _example(vectors: Path, name: str) -> dict:
    path = vectors / "cid" / "examples" / f"example-{name}.json"
    if not path.exists():
        pytest.skip(f"no {path.name}")
    # The examples are about URLs; a DID document is about a DID.
    text = re.sub(r"https://([a-z.]+\.example)(/[a-z0-9/]*)?", _did, path.read_text())
    return json.loads(text)


def _did(url: re.Match) -> str:
    return f"did:web:{url[1]}{(url[2] or '').replace('/', ':')}"


def _document(method: dict) -> dict:
    return {"id": method["controller"], "verificationMethod": [method], "assertionMethod": [method["id"]]}


@pytest.mark.parametrize("name", USABLE)
def test_published_keys_are_read(vectors, name):
    """Each is found for the purpose that lists it, and is of the stated type."""
    method = _example(vectors, name)
    document = DidDocument.parse(_document(method))
    assert document.method(method["id"], "assertionMethod").public_key.key_type is USABLE[name]


@pytest.mark.parametrize("name", UNUSABLE)
def test_published_keys_of_other_kinds_are_of_no_use(vectors, name):
    """They are kept apart, and nothing is decided with them."""
    method = _example(vectors, name)
    with pytest.raises(ResolutionFailed, match="unsupportedPublicKeyType"):
        DidDocument.parse(_document(method)).method(method["id"], "assertionMethod")


@pytest.mark.parametrize("name", DAMAGED)
def test_published_keys_that_are_damaged_are_refused(vectors, name):
    """Two of the examples hold no point of their curve."""
    with pytest.raises(ResolutionFailed, match="invalidDidDocument"):
        DidDocument.parse(_document(_example(vectors, name)))


def test_the_published_bbs_key_is_read(vectors):
    """A BLS12-381 G2 key is a verification key, of its own type."""
    pytest.importorskip("py_arkworks_bls12381", reason="the extra bbs is not installed")
    method = _example(vectors, "a-bls12-381-g2-group-public-key-encoded-as-a-multikey")
    found = DidDocument.parse(_document(method)).method(method["id"], "assertionMethod")
    assert found.public_key.key_type is KeyType.BLS12_381_G2
    assert found.public_key.multikey == method["publicKeyMultibase"]


def test_published_documents_are_read(vectors):
    """Revocations and expiries stand where they are said; a method of another controller is not lent."""
    content = _example(vectors, "various-verification-method-types")
    document = DidDocument.parse(content)
    expiring, revoked = document.methods
    assert (expiring.expires.year, expiring.revoked) == (2025, None)
    assert (revoked.revoked.year, revoked.controller) == (2024, "did:web:controller.example:101")
    document = DidDocument.parse(
        _example(vectors, "controlled-identifier-document-in-json-format-using-jsonwebkey")
    )
    method = f"{document.id}#key-20240828"
    assert document.method(method, "authentication").public_key.key_type is KeyType.P256


@pytest.mark.parametrize(
    ("entry", "kind", "code"),
    [
        ({"publicKeyMultibase": "x"}, "Multikey", "unknown-base"),
        ({"publicKeyMultibase": 1}, "Multikey", "multikey"),
        ({"publicKeyMultibase": "z", "publicKeyJwk": {}}, "Multikey", "several-key-forms"),
        ({"publicKeyMultibase": "z", "secretKeyMultibase": "z"}, "Multikey", "private-key-material"),
        ({"privateKeyJwk": {}}, "Unheard2030", "private-key-material"),
        ({"publicKeyJwk": "x"}, "JsonWebKey", "object"),
        ({"publicKeyJwk": {"kty": "OKP", "crv": "X25519", "x": "AA"}}, "JsonWebKey", "jwk"),
        (
            {"publicKeyMultibase": encode_multikey(KeyType.X25519, b"\x09" + bytes(31))},
            "Ed25519VerificationKey2020",
            "key-type",
        ),
        (
            {"publicKeyMultibase": "z6Mkf5rGMoatrSj1f4CyvuHBeXJELe9RPdzo2PKGNCKVtZxP"},
            "X25519KeyAgreementKey2020",
            "key-type",
        ),
    ],
)
def test_damaged_private_and_mistaken_keys_are_refused(entry, kind, code):
    """A key that is not what its method says, or that should never have been published, says so."""
    with pytest.raises(Malformed) as caught:
        read_key(entry, kind, "/verificationMethod/0")
    assert caught.value.code == code
    assert caught.value.where.startswith("/verificationMethod/0")


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"publicKeyBase58": "x"},
        {"publicKeyMultibase": "zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme"},
    ],
)
def test_keys_of_unknown_form_are_no_keys(entry):
    """No material, an old form, and a curve that is not used here."""
    assert read_key(entry, "Multikey", "") is None

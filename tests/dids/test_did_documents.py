"""DID documents: what is read, what is refused, and which key may check which proof."""

import copy
import hashlib
import json
from base64 import urlsafe_b64encode
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.dids.documents import MAX_METHODS, PURPOSES, DidDocument, did_document
from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType, encode_multibase, encode_multikey
from vcid.errors import InvalidProof, LimitExceeded, Malformed, ResolutionFailed
from vcid.keys.jwk import encode_jwk
from vcid.keys.signing import LocalSigner

DID = "did:web:civil.example"
KEYS = {
    key_type: LocalSigner.generate(key_type).public_key
    for key_type in (KeyType.ED25519, KeyType.P256, KeyType.P384)
}
ED25519 = KEYS[KeyType.ED25519]


def _method(fragment: str = "#key-1", **members: object) -> dict:
    return {
        "id": DID + fragment,
        "type": "Multikey",
        "controller": DID,
        "publicKeyMultibase": ED25519.multikey,
        **members,
    }


def _document(method: object = None, **members: object) -> dict:
    return {
        "@context": "https://www.w3.org/ns/did/v1",
        "id": DID,
        "verificationMethod": [_method() if method is None else method],
        "assertionMethod": [f"{DID}#key-1"],
        **members,
    }


def _refusal(content: dict, **options: bool) -> Malformed:
    with pytest.raises(ResolutionFailed) as caught:
        DidDocument.parse(content, **options)
    assert caught.value.code == "invalidDidDocument"
    assert isinstance(caught.value.__cause__, Malformed)
    return caught.value.__cause__


@pytest.mark.parametrize(
    ("kind", "key_type"),
    [
        *((kind, key_type) for kind in ("Multikey", "JsonWebKey", "JsonWebKey2020") for key_type in KEYS),
        ("Ed25519VerificationKey2020", KeyType.ED25519),
    ],
)
def test_methods_of_every_known_form_are_found(kind, key_type):
    """A key of each type in each form of method comes out, with what the method says of itself."""
    public_key = KEYS[key_type]
    material = (
        {"publicKeyJwk": encode_jwk(public_key)}
        if kind.startswith("Json")
        else {"publicKeyMultibase": public_key.multikey}
    )
    times = {"revoked": "2030-01-01T00:00:00Z", "expires": "2031-01-01T00:00:00+03:00"}
    method = {"id": f"{DID}#key-1", "type": kind, "controller": DID, **material, **times}
    found = DidDocument.parse(_document(method)).method(f"{DID}#key-1", "assertionMethod")
    assert found.public_key == public_key
    assert (found.id, found.type, found.controller) == (f"{DID}#key-1", kind, DID)
    assert found.revoked == datetime(2030, 1, 1, tzinfo=UTC)
    assert found.expires == datetime(2030, 12, 31, 21, tzinfo=UTC)


def test_relative_ids_are_read_against_the_document():
    """A fragment as id or reference means the document's own; where that is forbidden, it is refused."""
    content = _document({**_method(), "id": "#key-1"}, assertionMethod=["#key-1"])
    assert DidDocument.parse(content).method(f"{DID}#key-1", "assertionMethod").id == f"{DID}#key-1"
    assert _refusal(content, allow_relative=False).code == "did-url"
    content["verificationMethod"] = [_method()]
    assert _refusal(content, allow_relative=False).where == "/assertionMethod/0"


def test_an_embedded_method_serves_its_own_purpose_alone():
    """A method that stands inside a relationship is allowed for that one."""
    document = DidDocument.parse({"id": DID, "authentication": [_method()]})
    assert document.method(f"{DID}#key-1", "authentication").public_key == ED25519
    for purpose in set(PURPOSES) - {"authentication"}:
        with pytest.raises(InvalidProof, match="wrong-purpose"):
            document.method(f"{DID}#key-1", purpose)


@pytest.mark.parametrize(
    "purpose", ["authentication", "keyAgreement", "verificationMethod", "id", "", "AssertionMethod"]
)
def test_a_purpose_that_is_not_listed_fails(purpose):
    """Listing a method is not enough, and names that are no relationships open nothing."""
    with pytest.raises(InvalidProof, match="wrong-purpose"):
        DidDocument.parse(_document()).method(f"{DID}#key-1", purpose)


def test_a_foreign_controller_fails():
    """A document can't lend itself another's key, nor a key whose controller it only resembles."""
    for controller in ("did:web:other.example", DID + ":a", DID + "#key-1", "https://civil.example"):
        document = DidDocument.parse(_document(_method(controller=controller)))
        with pytest.raises(InvalidProof, match="wrong-controller"):
            document.method(f"{DID}#key-1", "assertionMethod")


def test_a_deactivated_document_fails():
    """Once deactivated, no key of the document checks anything."""
    document = DidDocument.parse(_document(), deactivated=True)
    with pytest.raises(InvalidProof, match="deactivated"):
        document.method(f"{DID}#key-1", "assertionMethod")
    assert document != DidDocument.parse(_document())


@pytest.mark.parametrize(
    "url",
    [
        f"{DID}#key-2", f"{DID}#KEY-1", f"{DID}#", DID, f"{DID}?versionId=1#key-1", f"{DID}/#key-1",
        "did:web:other.example#key-1", f"{DID}:a#key-1",
    ],
)  # fmt: skip
def test_methods_that_are_not_the_documents_own_are_unknown(url):
    """Another fragment, document, path or query names another method."""
    with pytest.raises(InvalidProof, match="unknown-method"):
        DidDocument.parse(_document()).method(url, "assertionMethod")


@pytest.mark.parametrize("url", ["#key-1", "", "https://civil.example#key-1", f"{DID}#key 1"])
def test_method_urls_must_be_did_urls(url):
    """What is no absolute DID URL is refused by its own code."""
    with pytest.raises(ResolutionFailed, match="invalidDidUrl"):
        DidDocument.parse(_document()).method(url, "assertionMethod")


def test_a_method_of_another_document_is_not_lent():
    """A reference to, or a copy of, another document's method does not make it this document's."""
    foreign = "did:web:other.example#key-1"
    for members in (
        {"assertionMethod": [foreign]},
        {"assertionMethod": [{**_method(), "id": foreign}], "verificationMethod": []},
    ):
        with pytest.raises(InvalidProof, match="unknown-method"):
            DidDocument.parse(_document(**members)).method(foreign, "assertionMethod")


AGREEMENT = encode_multikey(KeyType.X25519, bytes(range(1, 33)))


@pytest.mark.parametrize(
    "material",
    [
        {"publicKeyMultibase": AGREEMENT},
        {"publicKeyMultibase": AGREEMENT, "type": "X25519KeyAgreementKey2020"},
        {
            "publicKeyMultibase": None,
            "type": "JsonWebKey",
            "publicKeyJwk": {
                "kty": "OKP",
                "crv": "X25519",
                "x": urlsafe_b64encode(bytes(range(1, 33))).decode()[:43],
            },
        },
    ],
    ids=["Multikey", "2020", "JsonWebKey"],
)
def test_a_key_for_key_agreement_agrees_and_proves_nothing(material):
    """An X25519 key is found for key agreement alone, even where the document lists it for assertions."""
    method = {name: value for name, value in {**_method("#agree"), **material}.items() if value is not None}
    listed = [f"{DID}#agree"]
    document = DidDocument.parse(_document(method, assertionMethod=listed, keyAgreement=listed))
    assert document.agreement_method(f"{DID}#agree").key.multikey == AGREEMENT
    with pytest.raises(InvalidProof, match="wrong-purpose"):
        document.method(f"{DID}#agree", "assertionMethod")
    unlisted = DidDocument.parse(_document(method, assertionMethod=listed))
    with pytest.raises(InvalidProof, match="wrong-purpose"):
        unlisted.agreement_method(f"{DID}#agree")
    with pytest.raises(InvalidProof, match="unknown-method"):
        DidDocument.parse(_document()).agreement_method(f"{DID}#key-1")
    foreign = DidDocument.parse(
        _document({**method, "controller": "did:web:other.example"}, keyAgreement=listed)
    )
    with pytest.raises(InvalidProof, match="wrong-controller"):
        foreign.agreement_method(f"{DID}#agree")


UNUSABLE = {
    "unknown type": {"type": "Bls12381G2Key2020"},
    "nobody controls it": {"controller": None},
    "unknown codec": {"publicKeyMultibase": encode_multibase(b"\xe7\x01" + b"\x02" * 33)},
    "very long key": {"publicKeyMultibase": encode_multibase(b"\xeb\x01" + b"\x02" * 96)},
    "no key": {"publicKeyMultibase": None},
    "unknown curve": {
        "type": "JsonWebKey",
        "publicKeyMultibase": None,
        "publicKeyJwk": {"kty": "EC", "crv": "secp256k1"},
    },
    "encryption": {
        "type": "JsonWebKey",
        "publicKeyMultibase": None,
        "publicKeyJwk": {**encode_jwk(ED25519), "use": "enc"},
    },
}


@pytest.mark.parametrize("change", UNUSABLE.values(), ids=UNUSABLE)
def test_methods_of_unknown_kinds_are_kept_but_not_usable(change):
    """They neither spoil the document nor check a proof: their use can't be decided."""
    method = {name: value for name, value in {**_method("#other"), **change}.items() if value is not None}
    document = DidDocument.parse(
        _document(verificationMethod=[method, _method()], assertionMethod=[f"{DID}#other", f"{DID}#key-1"])
    )
    assert document.unusable == {f"{DID}#other"}
    assert document.content["verificationMethod"][0] == method
    assert document.method(f"{DID}#key-1", "assertionMethod").public_key == ED25519
    with pytest.raises(ResolutionFailed, match="unsupportedPublicKeyType"):
        document.method(f"{DID}#other", "assertionMethod")


@pytest.mark.parametrize(
    "change",
    [
        {"secretKeyMultibase": "z3u2"},
        {"secretKeyJwk": {"kty": "OKP"}},
        {"privateKeyBase58": "3u2"},
        {"privateKeyJwk": {}},
        {"type": "Unknown", "privateKeyMultibase": "z3u2"},
        {
            "type": "JsonWebKey2020",
            "publicKeyMultibase": None,
            "publicKeyJwk": {**encode_jwk(ED25519), "d": "3u2"},
        },
    ],
)
def test_private_keys_are_refused_by_code(change):
    """A published private key spoils the whole document, under its own code and without being repeated."""
    method = {name: value for name, value in {**_method(), **change}.items() if value is not None}
    for content in (_document(method), {"id": DID, "keyAgreement": [method]}):
        fault = _refusal(content)
        assert fault.code == "private-key-material"
        assert "3u2" not in str(fault)


FAULTS = {
    "no id": ({"id": None}, "did"),
    "id no DID": ({"id": "https://civil.example"}, "did"),
    "id a DID URL": ({"id": f"{DID}#a"}, "did"),
    "id a list": ({"id": [DID]}, "did"),
    "methods no list": ({"verificationMethod": _method()}, "set"),
    "method a text": ({"verificationMethod": [f"{DID}#key-1"]}, "object"),
    "relationship a text": ({"assertionMethod": f"{DID}#key-1"}, "set"),
    "relationship a number": ({"assertionMethod": [7]}, "object"),
    "reference no URL": ({"assertionMethod": ["key-1"]}, "did-url"),
    "reference half a DID": ({"assertionMethod": ["did:web"]}, "did-url"),
    "service no list": ({"service": {}}, "set"),
    "service a text": ({"service": ["x"]}, "object"),
    "service with a method's id": ({"service": [{"id": "#key-1"}]}, "duplicate-id"),
    "method twice": ({"verificationMethod": [_method(), _method()]}, "duplicate-id"),
    "method twice, once relative": ({"verificationMethod": [_method(), {**_method(), "id": "#key-1"}]}, "duplicate-id"),
    "method listed and embedded": ({"authentication": [_method()]}, "duplicate-id"),
    "no method id": ({"verificationMethod": [{**_method(), "id": None}]}, "did-url"),
    "empty method id": ({"verificationMethod": [{**_method(), "id": ""}]}, "did-url"),
    "relative path as id": ({"verificationMethod": [{**_method(), "id": "/a#key-1"}]}, "did-url"),
    "two types": ({"verificationMethod": [_method(type=["Multikey", "JsonWebKey"])]}, "method-type"),
    "no controller": ({"verificationMethod": [_method(controller=None)]}, "controller"),
    "controller no URL": ({"verificationMethod": [_method(controller="civil")]}, "controller"),
    "controllers": ({"verificationMethod": [_method(controller=[DID])]}, "controller"),
    "revoked no time": ({"verificationMethod": [_method(revoked="yesterday")]}, "not-a-timestamp"),
    "revoked null": ({"verificationMethod": [_method(revoked=None)]}, "timestamp"),
    "expires without zone": ({"verificationMethod": [_method(expires="2030-01-01T00:00:00")]}, "not-a-timestamp"),
    "expires true": ({"verificationMethod": [_method(expires=True)]}, "timestamp"),
    "two forms of key": ({"verificationMethod": [_method(publicKeyJwk={})]}, "several-key-forms"),
    "key a number": ({"verificationMethod": [_method(publicKeyMultibase=7)]}, "multikey"),
    "key not base58": ({"verificationMethod": [_method(publicKeyMultibase="z0")]}, "not-multibase"),
    "key in base64": ({"verificationMethod": [_method(publicKeyMultibase="u7QE")]}, "unknown-base"),
    "key too short": ({"verificationMethod": [_method(publicKeyMultibase=encode_multibase(b"\xed\x01" + b"\x01" * 31))]}, "wrong-key-length"),
    "small-order key": ({"verificationMethod": [_method(publicKeyMultibase=encode_multibase(b"\xed\x01" + bytes(32)))]}, "invalid-point"),
    "another key type than stated": ({"verificationMethod": [_method(type="Ed25519VerificationKey2020", publicKeyMultibase=KEYS[KeyType.P256].multikey)]}, "key-type"),
    "JWK a text": ({"verificationMethod": [{**_method(type="JsonWebKey"), "publicKeyJwk": "x", "publicKeyMultibase": None}]}, "several-key-forms"),
}  # fmt: skip


@pytest.mark.parametrize(("members", "code"), FAULTS.values(), ids=FAULTS)
def test_documents_with_faults_are_refused_by_code(members, code):
    """Each fault has its code and its place, and makes the document invalid."""
    assert _refusal({**_document(), **members}).code == code


def test_a_jwk_that_is_no_object_is_refused():
    """A JWK as text is damage, not an unknown key."""
    method = {"id": f"{DID}#key-1", "type": "JsonWebKey", "controller": DID, "publicKeyJwk": "x"}
    assert _refusal(_document(method)).where == "/verificationMethod/0/publicKeyJwk"


def test_documents_are_limited():
    """More methods or bytes than a document may have, and depth without end, are LimitExceeded."""
    many = [_method(f"#{number}") for number in range(MAX_METHODS + 1)]
    assert isinstance(_refusal(_document(verificationMethod=many)), LimitExceeded)
    assert isinstance(_refusal(_document(assertionMethod=["#a"] * (MAX_METHODS + 1))), LimitExceeded)
    assert isinstance(_refusal(_document(note="x" * (1 << 20))), LimitExceeded)
    deep: list = []
    for _ in range(100_000):
        deep = [deep]
    assert isinstance(_refusal(_document(note=deep)), LimitExceeded)
    assert len(DidDocument.parse(_document(verificationMethod=many[:MAX_METHODS])).methods) == MAX_METHODS


def test_a_document_is_a_value():
    """Changing what was parsed, or what content gave, changes nothing; equal content is equal and hashes so."""
    content = _document()
    document = DidDocument.parse(content)
    before = copy.deepcopy(content)
    content["id"] = "did:web:other.example"
    document.content["assertionMethod"].append("did:web:other.example#key")
    assert document.content == before
    assert document == DidDocument.parse(json.loads(json.dumps(before)))
    assert len({document, DidDocument.parse(before)}) == 1
    assert document != DidDocument.parse({**before, "note": 1})
    with pytest.raises(TypeError):
        document.relationships["authentication"] = frozenset({f"{DID}#key-1"})


def test_the_digest_is_that_of_the_canonical_form():
    """Order of members and white space don't count; everything else does."""
    content = _document()
    assert DidDocument.parse(content).digest == hashlib.sha256(canonicalize(content)).digest()
    assert DidDocument.parse(dict(reversed(content.items()))).digest == DidDocument.parse(content).digest
    assert DidDocument.parse({**content, "note": ""}).digest != DidDocument.parse(content).digest


def test_a_document_is_built_for_keys():
    """What did_document writes is read back, for assertion and authentication with every key."""
    built = did_document(DID, list(KEYS.values()), also_known_as=["https://civil.example"])
    document = DidDocument.parse(built, allow_relative=False)
    for public_key in KEYS.values():
        for purpose in ("assertionMethod", "authentication"):
            assert document.method(f"{DID}#{public_key.multikey}", purpose).public_key == public_key
    assert built["alsoKnownAs"] == ["https://civil.example"]
    assert "alsoKnownAs" not in did_document(DID, [])
    for bad in ("civil.example", f"{DID}#a"):
        with pytest.raises(ResolutionFailed, match="invalidDid"):
            did_document(bad, [ED25519])


def test_documents_of_the_specification_are_read(vectors):
    """The complete examples of Controlled Identifiers 1.0 that are about DIDs, and did:key's, parse."""
    read = 0
    for file in sorted((vectors / "did-key" / "test-vectors").glob("*.json")):
        for did, case in json.loads(file.read_text()).items():
            if did.startswith("did:") and "didDocument" in case:
                document = DidDocument.parse(case["didDocument"])
                assert document.id == did
                assert len(document.methods) + len(document.unusable) >= 1
                read += 1
    assert read >= 15


_JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from([DID, f"{DID}#key-1", "#key-1"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "type", "controller", "publicKeyJwk", "kty", "x"]) | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)
_NAMES = [
    "@context",
    "id",
    "verificationMethod",
    "assertionMethod",
    "service",
    "authentication",
    "alsoKnownAs",
]


@settings(max_examples=150)
@given(st.dictionaries(st.sampled_from(_NAMES) | st.text(max_size=5), _JSON))
def test_arbitrary_documents_raise_only_resolution_failed(content):
    """Whatever JSON stands where a document is expected, it is read or refused, alone and mixed into a good one."""
    for candidate in (content, {**_document(), **content}):
        with suppress(ResolutionFailed):
            DidDocument.parse(candidate)


@settings(max_examples=150)
@given(
    st.dictionaries(
        st.sampled_from([*_method(), "publicKeyJwk", "revoked", "expires"]) | st.text(max_size=5), _JSON
    )
)
def test_arbitrary_methods_raise_only_resolution_failed(members):
    """Whatever a verification method holds, the document is read or refused."""
    for method in (members, {**_method(), **members}):
        with suppress(ResolutionFailed):
            DidDocument.parse(_document(method))

"""Proof sets and chains: the published ones, what breaks each, and proofs that join others."""

from __future__ import annotations

import copy
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType, decode_multibase, encode_multibase
from vcid.errors import InvalidProof, LimitExceeded, Malformed, VcidError
from vcid.keys.signing import LocalSigner
from vcid.securing.data_integrity import (
    MAX_PROOFS,
    SUITES,
    ProofOptions,
    add_proof,
    verify_proof,
    verify_proofs,
)

FOLDER = "vc-di-eddsa/TestVectors/proof-set-chain"
FIRST, SECOND = (
    "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544",
    "urn:uuid:8cc9022b-6b14-4cf3-8571-74972c5feb54",
)
THIRD = "urn:uuid:d94f792a-c546-4d06-b38a-da070ab56c23"
CREATED = datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC)
SECOND_SUITE = "mldsa44-jcs-2024"


@pytest.fixture
def ask(resolve, demand, contexts) -> dict[str, Any]:
    return {"resolve": resolve, "demand": demand, "contexts": contexts}


@pytest.fixture
def read(vectors):
    return lambda name: parse_object((vectors / FOLDER / name).read_bytes())


@pytest.fixture
def add(signers, method_url, contexts):
    """Add a proof by the signer of a kind; keywords go into the options."""

    def add(document, kind=KeyType.ED25519, **options):
        chosen = ProofOptions(verification_method=method_url(signers[kind]), **options)
        return add_proof(document, signers[kind], chosen, contexts=contexts)

    return add


def unsigned() -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:civil.example",
        "credentialSubject": {"id": "did:example:child", "fullName": "Amina Example"},
    }


def refuse(secured, ask, **changes) -> str:
    with pytest.raises((InvalidProof, Malformed)) as caught:
        verify_proofs(secured, **{**ask, **changes})
    return caught.value.code


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("signedProofSet1.json", 1),
        ("signedProofSet2.json", 2),
        ("signedProofChain1.json", 3),
        ("signedProofChain2.json", 4),
    ],
)
def test_published_sets_and_chains_verify(name, count, read, ask, tally):
    """Each published proof holds, and all give back the document without any proof."""
    signed = read(name)
    verified = verify_proofs(signed, **ask)
    assert len(verified.proofs) == count
    assert verified.document == {name: value for name, value in signed.items() if name != "proof"}
    stated = signed["proof"] if isinstance(signed["proof"], list) else [signed["proof"]]
    assert [held.proof for held in verified.proofs] == stated
    tally(f"Data Integrity: {name}, {count} proofs")


def test_adding_again_gives_the_published_set_and_chain(read, method_url, contexts):
    """Ed25519 is deterministic, so each step of the published chain comes out to the byte."""
    keys = read("multiKeyPairs.json")
    final = read("signedProofChain2.json")
    document: dict[str, Any] = read("unsigned.json")
    for number, proof in enumerate(final["proof"], 1):
        secret = decode_multibase(keys[f"keyPair{number}"]["privateKeyMultibase"])[2:]
        signer = LocalSigner.from_private_bytes(KeyType.ED25519, secret)
        previous = proof.get("previousProof")
        options = ProofOptions(
            verification_method=method_url(signer),
            cryptosuite="eddsa-rdfc-2022",
            created=datetime.fromisoformat(proof["created"]),
            id=proof.get("id"),
            previous_proof=tuple(previous) if isinstance(previous, list) else previous,
        )
        document = add_proof(document, signer, options, contexts=contexts)
    assert document == final


def flip(index):
    def flip_signature(signed):
        raw = bytearray(decode_multibase(signed["proof"][index]["proofValue"]))
        raw[40] ^= 1
        signed["proof"][index]["proofValue"] = encode_multibase(bytes(raw))

    return flip_signature


def change(index, member, value):
    def change_member(signed):
        signed["proof"][index][member] = value

    return change_member


def drop(index):
    return lambda signed: signed["proof"].pop(index)


def change_claim(signed):
    signed["name"] += "!"


def swap_keys(signed):
    one, other = signed["proof"][:2]
    one["verificationMethod"], other["verificationMethod"] = (
        other["verificationMethod"],
        one["verificationMethod"],
    )


def swap_values(signed):
    one, other = signed["proof"][:2]
    one["proofValue"], other["proofValue"] = other["proofValue"], one["proofValue"]


def unchain(signed):
    del signed["proof"][2]["previousProof"]


def fill(signed):
    signed["proof"] += [signed["proof"][0]] * MAX_PROOFS


BREAKS = (
    (change_claim, "bad-signature"),
    *((flip(index), "bad-signature") for index in range(4)),
    *((change(index, "created", "2023-02-24T23:36:39Z"), "bad-signature") for index in range(4)),
    (change(1, "proofPurpose", "authentication"), "wrong-purpose"),
    (change(0, "nonce", "x"), "bad-signature"),
    (change(2, "type", "Ed25519Signature2018"), "previous-proof-not-allowed"),
    (swap_keys, "bad-signature"),
    (swap_values, "bad-signature"),
    (drop(0), "previous-proof-missing"),
    (drop(1), "previous-proof-missing"),
    (drop(2), "previous-proof-missing"),
    (unchain, "bad-signature"),
    (change(2, "previousProof", [FIRST]), "bad-signature"),
    (change(2, "previousProof", "urn:uuid:7"), "previous-proof-missing"),
    (change(2, "previousProof", [FIRST, SECOND, "urn:uuid:7"]), "previous-proof-missing"),
    (change(2, "previousProof", [FIRST, FIRST]), "proof-malformed"),
    (change(2, "previousProof", []), "proof-malformed"),
    (change(2, "previousProof", 7), "proof-malformed"),
    (change(2, "previousProof", THIRD), "previous-proof-cycle"),
    (change(0, "previousProof", THIRD), "previous-proof-cycle"),
    (change(1, "id", FIRST), "proof-id-repeated"),
    (change(1, "id", 7), "proof-malformed"),
    (change(3, "id", "no URL"), "proof-malformed"),
    (change(3, "verificationMethod", "key-1"), "proof-malformed"),
    (change(0, "cryptosuite", "eddsa-jcs-2022"), "bad-signature"),
    (change(0, "cryptosuite", "Ed25519Signature2020"), "previous-proof-not-allowed"),
    (change(0, "type", "eddsa-rdfc-2022"), "previous-proof-not-allowed"),
    (change(0, "cryptosuite", None), "proof-malformed"),
    (lambda signed: signed["proof"].append("proof"), "proof-malformed"),
    (fill, "too-many-proofs"),
)


@pytest.mark.parametrize(("mutate", "code"), BREAKS)
def test_a_broken_link_breaks_the_chain(mutate, code, read, ask):
    """Each change to the published chain of four is refused, by the code of the step that notices."""
    signed = read("signedProofChain2.json")
    mutate(signed)
    assert refuse(signed, ask) == code


def test_order_in_the_document_is_free(read, ask):
    """A set has no order; the RDF proofs that a link covers have none either."""
    signed = read("signedProofChain2.json")
    signed["proof"].reverse()
    assert len(verify_proofs(signed, **ask).proofs) == 4


def test_no_proofs_are_judged_before_all_are_fit(read, ask):
    """Shape, number and links are looked at before any key is resolved."""

    def never(url: str, purpose: str):
        raise AssertionError("resolved although a later proof is malformed")

    for mutate, code in ((change(3, "id", 7), "proof-malformed"), (drop(2), "previous-proof-missing")):
        signed = read("signedProofChain2.json")
        mutate(signed)
        assert refuse(signed, ask, resolve=never) == code


@pytest.mark.parametrize("suite", sorted(name for name, suite in SUITES.items() if not suite.is_selective))
def test_a_proof_of_any_suite_joins_and_builds_on_another(suite, add, ask):
    """In every plain suite a second proof joins a set, and one that builds on it covers it."""
    (kind, *_) = sorted(SUITES[suite].key_types)
    start = {**unsigned(), "@context": [*unsigned()["@context"], SUITES["Ed25519Signature2020"].context]}
    first = add(start, id=FIRST, created=CREATED)
    joined = add(first, kind, cryptosuite=suite)
    chained = add(first, kind, cryptosuite=suite, previous_proof=FIRST)
    for secured in (joined, chained):
        verified = verify_proofs(secured, **ask)
        assert [held.cryptosuite for held in verified.proofs] == ["eddsa-jcs-2022", suite]
        assert verified.document == start
        assert secured["proof"][0] == first["proof"]
    replaced = add(start, id=FIRST, created=CREATED, nonce="another")
    assert len(verify_proofs({**joined, "proof": [replaced["proof"], joined["proof"][1]]}, **ask).proofs) == 2
    assert refuse({**chained, "proof": [replaced["proof"], chained["proof"][1]]}, ask) == "bad-signature"
    assert refuse({**chained, "proof": [chained["proof"][1]]}, ask) == "previous-proof-missing"


def test_joining_leaves_the_argument_and_refuses_what_would_not_verify(add, ask):
    """The document handed in stays; links to nothing, ids that exist and an eleventh proof are refused."""
    first = add(unsigned(), id=FIRST)
    before = copy.deepcopy(first)
    second = add(first, KeyType.P256, cryptosuite="ecdsa-jcs-2019", id=SECOND)
    assert first == before
    second["proof"][0]["nonce"] = "changed"
    assert first == before
    with pytest.raises(InvalidProof, match="previous-proof-missing"):
        add(first, previous_proof=SECOND)
    with pytest.raises(InvalidProof, match="previous-proof-missing"):
        add(unsigned(), previous_proof=FIRST)
    with pytest.raises(Malformed, match="proof-id-repeated"):
        add(first, id=FIRST)
    with pytest.raises(ValueError, match="URL"):
        add(first, id="no URL")
    full = {**first, "proof": [{**first["proof"], "id": f"urn:x:{number}"} for number in range(MAX_PROOFS)]}
    with pytest.raises(LimitExceeded, match="too-many-proofs"):
        add(full)


def test_proofs_in_other_suites_are_not_looked_at(add, ask, demand):
    """A damaged proof counts for nothing where its suite is not allowed, and for everything where it is."""
    both = add(add(unsigned()), KeyType.ML_DSA_44, cryptosuite=SECOND_SUITE)
    damaged = copy.deepcopy(both)
    damaged["proof"][1]["proofValue"] = damaged["proof"][1]["proofValue"][:-8] + "AAAAAAAA"
    one = replace(demand, suites=frozenset({"eddsa-jcs-2022"}))
    assert [held.cryptosuite for held in verify_proofs(damaged, **{**ask, "demand": one}).proofs] == [
        "eddsa-jcs-2022"
    ]
    assert refuse(damaged, ask) == "bad-signature"
    none = replace(demand, suites=frozenset({"ecdsa-jcs-2019"}))
    assert refuse(both, ask, demand=none) == "suite-not-allowed"
    assert refuse(both, ask, demand=replace(demand, suites=frozenset())) == "suite-not-allowed"


def test_required_suites_must_all_be_there_and_hold(add, ask, demand):
    """A post-quantum proof beside the first one can be demanded; without it, or broken, nothing passes."""
    suites = frozenset({"eddsa-jcs-2022", SECOND_SUITE})
    strict = replace(demand, suites=suites, required_suites=suites)
    first = add(unsigned())
    both = add(first, KeyType.ML_DSA_44, cryptosuite=SECOND_SUITE)
    assert len(verify_proofs(both, **{**ask, "demand": strict}).proofs) == 2
    assert refuse(first, ask, demand=strict) == "required-suite-missing"
    assert refuse({**both, "proof": both["proof"][1:]}, ask, demand=strict) == "required-suite-missing"
    with pytest.raises(InvalidProof, match="required-suite-missing"):
        verify_proof(first, **{**ask, "demand": strict})
    with pytest.raises(ValueError, match="required_suites"):
        replace(demand, suites=frozenset(), required_suites=suites)
    with pytest.raises(TypeError):
        replace(demand, required_suites={"eddsa-jcs-2022"})


def test_proofs_that_cover_different_documents_are_refused(add, ask):
    """A context appended between two JCS proofs gives two readings: none of them is given back."""
    first = add(unsigned())
    appended = {**first, "@context": [*first["@context"], {"office": "https://civil.example/#office"}]}
    assert verify_proof(appended, **ask).document == unsigned()
    assert refuse(add(appended), ask) == "documents-differ"


@pytest.mark.parametrize(
    ("stated", "demanded", "holds"),
    [
        ("a.example", "a.example", True),
        ("a.example", frozenset({"a.example"}), True),
        (("b.example", "a.example"), frozenset({"a.example", "b.example"}), True),
        (("b.example", "a.example"), "a.example", False),
        ("a.example", frozenset({"a.example", "b.example"}), False),
        (None, frozenset(), False),
        ("a.example", None, True),
    ],
)
def test_domains_are_the_same_set(stated, demanded, holds, add, ask, demand):
    """The proof names the demanded domains, all of them and no others; order counts for nothing."""
    secured = add(unsigned(), domain=stated, challenge="c")
    asked = replace(demand, domain=demanded)
    if holds:
        assert verify_proofs(secured, **{**ask, "demand": asked}).proofs
    else:
        assert refuse(secured, ask, demand=asked) == "wrong-domain"


_PROOFS = st.recursive(
    st.none()
    | st.integers(0, 3)
    | st.sampled_from([FIRST, SECOND, "DataIntegrityProof", "eddsa-jcs-2022", ""]),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                ["id", "type", "cryptosuite", "previousProof", "proofPurpose", "verificationMethod"]
            ),
            inner,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=200, deadline=None)
@given(proofs=_PROOFS)
def test_any_value_for_proof_raises_vcid_errors_alone(proofs, resolve, demand, contexts):
    """Whatever stands under proof, verifying and adding raise only what the library raises on purpose."""
    with pytest.raises(VcidError):
        verify_proofs({**unsigned(), "proof": proofs}, resolve=resolve, demand=demand, contexts=contexts)

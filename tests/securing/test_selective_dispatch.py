"""Derived and base proofs of the selective suites where every proof is verified: `verify_proofs`."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from vcid.encoding.multikey import KeyType, decode_multibase, encode_multibase
from vcid.errors import InvalidProof, Malformed
from vcid.securing import ecdsa_sd
from vcid.securing.data_integrity import SUITES, add_proof, verify_proof, verify_proofs
from vcid.securing.proof import ProofOptions

SUITE = "ecdsa-sd-2023"


@pytest.fixture
def ask(resolve, demand, contexts) -> dict[str, Any]:
    return {"resolve": resolve, "demand": demand, "contexts": contexts}


@pytest.fixture
def base(signers, method_url, contexts) -> dict[str, Any]:
    """A document with a base proof, as its holder has it."""
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:civil.example",
        "credentialSubject": {"id": "did:example:child", "fullName": "Amina Example", "weight": "3"},
    }
    signer = signers[KeyType.P256]
    config = {
        "type": "DataIntegrityProof",
        "cryptosuite": SUITE,
        "created": "2025-01-01T00:00:00Z",
        "verificationMethod": method_url(signer),
        "proofPurpose": "assertionMethod",
    }
    value = ecdsa_sd.create_base_proof_value(
        document, config, signer, mandatory_pointers=["/issuer"], contexts=contexts
    )
    return {**document, "proof": {**config, "proofValue": value}}


@pytest.fixture
def derived(base, contexts) -> dict[str, Any]:
    return ecdsa_sd.derive(base, selective_pointers=["/credentialSubject/fullName"], contexts=contexts)


def refuse(secured, ask) -> str:
    with pytest.raises((InvalidProof, Malformed)) as caught:
        verify_proofs(secured, **ask)
    return caught.value.code


def test_a_derived_proof_verifies_among_all_others(derived, ask):
    """What is shown is given back, and nothing that was left out."""
    verified = verify_proof(derived, **ask)
    assert verified.cryptosuite == SUITE
    assert verified.document == {name: value for name, value in derived.items() if name != "proof"}
    assert "weight" not in verified.document["credentialSubject"]
    assert verified.proof == derived["proof"]


@pytest.mark.parametrize(
    "suite", [suite for suite in SUITES.values() if suite.is_selective], ids=lambda it: it.name
)
def test_a_base_proof_is_refused_by_name(suite, base, ask, resolve, signers):
    """A base proof shown to a stranger is its holder's mistake, whatever follows its header."""
    for header in suite.base_headers:
        shown = copy.deepcopy(base)
        shown["proof"]["cryptosuite"] = suite.name
        shown["proof"]["proofValue"] = encode_multibase(header + b"\x80", "u")
        if suite.name == SUITE:
            assert refuse(shown, ask) == "base-proof"
        else:
            assert refuse(shown, ask) == "key-type-not-allowed"
    assert refuse(base, ask) == "base-proof"


def change_claim(shown):
    shown["credentialSubject"]["fullName"] = "Amina Mustermann"


def change_issuer(shown):
    shown["issuer"] = "did:web:other.example"


def change_created(shown):
    shown["proof"]["created"] = "2025-01-01T00:00:01Z"


def change_purpose(shown):
    shown["proof"]["proofPurpose"] = "authentication"


def name_another_suite(shown):
    shown["proof"]["cryptosuite"] = "ecdsa-rdfc-2019"


def flip_value(shown):
    raw = bytearray(decode_multibase(shown["proof"]["proofValue"], max_chars=5000))
    raw[20] ^= 1
    shown["proof"]["proofValue"] = encode_multibase(bytes(raw), "u")


def cut_value(shown):
    shown["proof"]["proofValue"] = "u2V0"


def change_base(shown):
    shown["proof"]["proofValue"] = "z" + shown["proof"]["proofValue"][1:]


def append_context(shown):
    shown["@context"].append({"office": "https://civil.example/#office"})


def redefine(shown):
    shown["@context"].append({"fullName": "https://attacker.example/#other"})


def hide_behind_iri(shown):
    subject = shown["credentialSubject"]
    subject["https://www.w3.org/ns/credentials/examples#fullName"] = subject.pop("fullName")


def add_member(shown):
    shown["proof"]["https://w3id.org/security#expiration"] = "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("mutate", "codes"),
    [
        (change_claim, {"bad-statement-signature"}),
        (change_issuer, {"bad-signature"}),
        (change_created, {"bad-signature"}),
        (change_purpose, {"wrong-purpose"}),
        (name_another_suite, {"too-long"}),
        (flip_value, {"bad-signature"}),
        (cut_value, {"proof-value-malformed"}),
        (change_base, {"unknown-base"}),
        (append_context, {"inline-context"}),
        (redefine, {"bad-statement-signature", "inline-context"}),
        (hide_behind_iri, {"respelled-member", "undefined-term", "bad-statement-signature"}),
        (add_member, {"bad-signature", "respelled-member"}),
    ],
)
def test_a_changed_showing_is_refused(mutate, codes, derived, ask):
    """Each change alone is refused: by the suite, or by the validation of contexts that RDF suites share."""
    mutate(derived)
    assert refuse(derived, ask) in codes


def test_another_issuers_key_is_refused(derived, ask, method_url):
    """A showing names the issuer's key; with somebody else's it does not hold."""
    from vcid.keys.signing import LocalSigner

    derived["proof"]["verificationMethod"] = method_url(LocalSigner.generate(KeyType.P256))
    assert refuse(derived, ask) == "bad-signature"


def test_base_proofs_are_not_made_by_add_proof(base, signers, method_url, contexts):
    """Who wants selective disclosure says what is mandatory, which the options of a plain proof can't."""
    signer = signers[KeyType.P256]
    unsecured = {name: value for name, value in base.items() if name != "proof"}
    for suite in SUITES.values():
        if suite.is_selective:
            options = ProofOptions(verification_method=method_url(signer), cryptosuite=suite.name)
            with pytest.raises(ValueError, match="base proof"):
                add_proof(unsecured, signer, options, contexts=contexts)

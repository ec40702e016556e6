"""The module of ecdsa-sd-2023 by itself: misuse, and documents whose base proof is none."""

import pytest

from vcid.encoding.contexts import Contexts
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, Malformed
from vcid.keys.signing import LocalSigner
from vcid.securing import ecdsa_sd
from vcid.securing.ecdsa_sd_values import BaseProofValue, DerivedProofValue

CONTEXTS = Contexts.carried()
SIGNER = LocalSigner.from_private_bytes(KeyType.P256, b"\x07" * 32)
DOCUMENT = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "https://issuer.example/",
    "name": "a name",
    "credentialSubject": {"id": "https://subject.example/", "name": "another"},
}
CONFIG = {"type": "DataIntegrityProof", "cryptosuite": "ecdsa-sd-2023", "proofPurpose": "assertionMethod"}


@pytest.fixture(scope="module")
def base():
    value = ecdsa_sd.create_base_proof_value(
        DOCUMENT, CONFIG, SIGNER, mandatory_pointers=["/issuer"], contexts=CONTEXTS
    )
    return {**DOCUMENT, "proof": {**CONFIG, "proofValue": value}}


def test_a_key_of_another_kind_signs_nothing():
    """The suite is P-256's; P-384 has other sizes, which its formats don't have."""
    signer = LocalSigner.from_private_bytes(KeyType.P384, b"\x07" * 48)
    with pytest.raises(ValueError, match="P-256"):
        ecdsa_sd.create_base_proof_value(
            DOCUMENT, CONFIG, signer, mandatory_pointers=["/issuer"], contexts=CONTEXTS
        )


def test_one_proof_may_stand_in_a_list(base):
    """A list of one base proof is that proof."""
    listed = {**base, "proof": [base["proof"]]}
    assert ecdsa_sd.derive(listed, selective_pointers=["/name"], contexts=CONTEXTS) == ecdsa_sd.derive(
        base, selective_pointers=["/name"], contexts=CONTEXTS
    )


@pytest.mark.parametrize("proof", [None, [], "text", [{}, {}], {}, {"proofValue": 1}, {"proofValue": ""}])
def test_nothing_derives_without_a_base_proof(proof):
    """What is no base proof is refused by name."""
    with pytest.raises(Malformed) as caught:
        ecdsa_sd.derive({**DOCUMENT, "proof": proof}, selective_pointers=["/name"], contexts=CONTEXTS)
    assert caught.value.where.startswith("/proof")


def test_a_base_proof_belongs_to_its_document(base):
    """A document with another number of statements gets no derived proof."""
    with pytest.raises(InvalidProof) as caught:
        ecdsa_sd.derive({**base, "description": "more"}, selective_pointers=["/name"], contexts=CONTEXTS)
    assert caught.value.code == "signature-count"


@pytest.mark.parametrize("public_key", [bytes(35), b"\x80\x24\x02" + b"\xff" * 32, b"\xed\x01" + bytes(33)])
def test_a_proof_key_has_to_be_one(base, public_key):
    """Bytes that are no point of P-256, or say that they are of another kind, are refused on both sides."""
    value = BaseProofValue.parse(base["proof"]["proofValue"])
    changed = BaseProofValue(
        value.base_signature, public_key, value.hmac_key, value.signatures, value.mandatory_pointers
    )
    with pytest.raises(Malformed) as caught:
        ecdsa_sd.verify_base(DOCUMENT, CONFIG, changed.serialize(), key=SIGNER.public_key, contexts=CONTEXTS)
    assert caught.value.code == "proof-value-malformed"
    shown = ecdsa_sd.derive(
        {**base, "proof": {**CONFIG, "proofValue": changed.serialize()}},
        selective_pointers=["/name"],
        contexts=CONTEXTS,
    )
    with pytest.raises(Malformed) as caught:
        ecdsa_sd.verify_derived(
            {name: member for name, member in shown.items() if name != "proof"},
            CONFIG,
            shown["proof"]["proofValue"],
            key=SIGNER.public_key,
            contexts=CONTEXTS,
        )
    assert caught.value.code == "proof-value-malformed"


def test_no_text_form_of_a_proof_value_shows_a_key(base):
    """Keys, signatures and pointers stay out of logs."""
    value = BaseProofValue.parse(base["proof"]["proofValue"])
    shown = ecdsa_sd.derive(base, selective_pointers=["/name"], contexts=CONTEXTS)
    assert repr(value) == "BaseProofValue()"
    assert repr(DerivedProofValue.parse(shown["proof"]["proofValue"])) == "DerivedProofValue()"

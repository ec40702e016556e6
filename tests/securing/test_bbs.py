"""bbs-2023 on documents of our own: any part can be shown, nothing else is, and no proof links two showings."""

import base64
import json
import random as pseudo_random
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("py_arkworks_bls12381", reason="the extra bbs is not installed")

from securing.bbs_cases import split
from vcid.encoding.contexts import Contexts
from vcid.encoding.multikey import encode_multibase
from vcid.errors import InvalidProof, Malformed, VcidError
from vcid.keys.bbs import LocalBbsSigner
from vcid.securing import bbs
from vcid.securing.bbs_values import BaseProofValue, DerivedProofValue
from vcid.securing.data_integrity import ProofDemand, ProofOptions, verify_proof
from vcid.securing.disclosure import add_base_proof

DOCUMENT = {
    "@context": [
        "https://www.w3.org/ns/credentials/v2",
        "https://www.w3.org/ns/credentials/undefined-terms/v2",
    ],
    "type": ["VerifiableCredential"],
    "issuer": "https://civil.example/registrar",
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {
        "givenName": "Amina-Secret",
        "familyName": "Okello-Secret",
        "birthDate": "2019-04-05",
        "parents": [
            {"givenName": "Grace-Secret", "role": "mother"},
            {"givenName": "Moses-Secret", "role": "father"},
        ],
        "place": {"town": "Gulu-Secret", "country": "UG"},
    },
}
MANDATORY = ["/issuer", "/validFrom"]
LEAVES = [
    "/credentialSubject/givenName",
    "/credentialSubject/familyName",
    "/credentialSubject/birthDate",
    "/credentialSubject/parents/0",
    "/credentialSubject/parents/1/givenName",
    "/credentialSubject/parents/1/role",
    "/credentialSubject/place/town",
    "/credentialSubject/place",
]
NOW = datetime(2026, 5, 1, tzinfo=UTC)


class Method:
    """A verification method as a resolver gives it."""

    revoked = None
    expires = None

    def __init__(self, signer):
        self.public_key = signer.public_key
        self.controller = f"did:key:{signer.public_key.multikey}"
        self.id = f"{self.controller}#{signer.public_key.multikey}"


@pytest.fixture(scope="module")
def signer():
    return LocalBbsSigner.from_key_material(bytes(range(32)), b"tests")


@pytest.fixture(scope="module")
def base(signer):
    options = ProofOptions(
        verification_method=Method(signer).id,
        cryptosuite="bbs-2023",
        created=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return add_base_proof(
        DOCUMENT, signer, options, mandatory_pointers=MANDATORY, contexts=Contexts.carried()
    )


def check(shown, signer, suites=("bbs-2023",)):
    demand = ProofDemand(suites=frozenset(suites), at=NOW)
    method = Method(signer)
    return verify_proof(shown, resolve=lambda *_: method, demand=demand, contexts=Contexts.carried())


def derive(base, *pointers, **options):
    return base.derive(pointers, contexts=Contexts.carried(), **options)


def test_a_part_is_shown_and_verified(base, signer):
    """What verifies is what was mandatory and what was chosen, and nothing else of the document."""
    shown = derive(base, LEAVES[0])
    verified = check(shown, signer)
    assert verified.document["credentialSubject"] == {"givenName": "Amina-Secret"}
    assert verified.document["issuer"] == DOCUMENT["issuer"]
    assert verified.cryptosuite == "bbs-2023"
    text = json.dumps(shown)
    value = shown["proof"]["proofValue"]
    octets = base64.urlsafe_b64decode(value[1:] + "=" * (-len(value[1:]) % 4))
    for hidden in ("Okello", "Grace", "Moses", "Gulu", "2019-04-05"):
        assert hidden not in text
        assert hidden.encode() not in octets


def test_mandatory_alone(base, signer):
    """Nothing has to be chosen beside what is mandatory."""
    verified = check(derive(base), signer)
    assert verified.document["issuer"] == DOCUMENT["issuer"]
    assert "credentialSubject" not in verified.document or not verified.document["credentialSubject"]


def test_two_showings_share_no_octets_of_a_proof(base):
    """Two showings of the same part, to the same presentation header, differ in each point and scalar.

    What they share is named in the module: the proof's own members, labels and indexes.
    """
    first, second = (DerivedProofValue.parse(derive(base, *LEAVES[:2])["proof"]["proofValue"]) for _ in "12")
    kept = BaseProofValue.parse(base.to_json()["proof"]["proofValue"])

    def pieces(octets):
        return {octets[start : start + 16] for start in range(0, len(octets) - 15, 16)}

    assert pieces(first.proof).isdisjoint(pieces(second.proof))
    private = kept.signature + kept.hmac_key
    for showing in (first, second):
        assert all(piece not in showing.proof for piece in pieces(private))
    assert first.label_map == second.label_map
    assert first.selective_indexes == second.selective_indexes


def test_nothing_private_of_the_base_proof_is_shown(base):
    """Neither the signature nor the key of the labels is in what is shown."""
    kept = BaseProofValue.parse(base.to_json()["proof"]["proofValue"])
    value = derive(base, *LEAVES)["proof"]["proofValue"]
    octets = base64.urlsafe_b64decode(value[1:] + "=" * (-len(value[1:]) % 4))
    for private in (kept.signature[:48], kept.signature[48:], kept.hmac_key, kept.public_key):
        assert private not in octets


def test_presentation_header_is_bound(base, signer):
    """A proof bound to one verifier's octets can't be passed on under another's."""
    shown = derive(base, LEAVES[0], presentation_header=b"for one verifier")
    check(shown, signer)
    value = DerivedProofValue.parse(shown["proof"]["proofValue"])
    other = DerivedProofValue(
        value.proof, value.label_map, value.mandatory_indexes, value.selective_indexes, b"for another"
    )
    shown["proof"]["proofValue"] = other.serialize()
    with pytest.raises(InvalidProof) as caught:
        check(shown, signer)
    assert caught.value.code == "bad-signature"


def test_a_base_proof_is_shown_to_nobody(base, signer):
    """A document with its base proof is refused by verifiers, and by the suite itself."""
    with pytest.raises(InvalidProof) as caught:
        check(base.to_json(), signer)
    assert caught.value.code == "base-proof"
    with pytest.raises(InvalidProof) as caught:
        bbs.verify_derived(*split(base.to_json()), key=signer.public_key, contexts=Contexts.carried())
    assert caught.value.code == "base-proof"


def test_nothing_derives_from_a_derived_proof(base):
    """What was shown can't be narrowed further, since the signature is not in it."""
    with pytest.raises(InvalidProof) as caught:
        bbs.derive(derive(base), selective_pointers=[LEAVES[0]], contexts=Contexts.carried())
    assert caught.value.code == "derived-proof"


def test_another_issuers_key(base):
    """A proof holds for no other key, and for no allow-list without the suite."""
    with pytest.raises(InvalidProof) as caught:
        check(derive(base), LocalBbsSigner.generate())
    assert caught.value.code == "bad-signature"
    with pytest.raises(InvalidProof) as caught:
        check(derive(base), LocalBbsSigner.generate(), suites=("eddsa-jcs-2022",))
    assert caught.value.code == "suite-not-allowed"


def test_statements_can_be_left_out_by_nobody_else(base, signer):
    """Whoever passes a showing on can neither leave out nor move a statement."""
    shown = derive(base, *LEAVES[:3])
    del shown["credentialSubject"]["birthDate"]
    with pytest.raises(InvalidProof) as caught:
        check(shown, signer)
    # The order of statements depends on the key of the labels, and with it which index is the last.
    assert caught.value.code in {"selective-indexes", "mandatory-indexes"}
    shown = derive(base, *LEAVES[:3])
    subject = shown["credentialSubject"]
    subject["givenName"], subject["familyName"] = subject["familyName"], subject["givenName"]
    with pytest.raises(InvalidProof) as caught:
        check(shown, signer)
    assert caught.value.code == "bad-signature"


def test_a_holders_check_of_a_base_proof(base, signer):
    """A holder's check accepts what the issuer made, and refuses another key."""
    demand = ProofDemand(suites=frozenset({"bbs-2023"}), at=NOW)
    method, other = Method(signer), Method(LocalBbsSigner.generate())
    base.verify(resolve=lambda *_: method, demand=demand, contexts=Contexts.carried())
    with pytest.raises(InvalidProof) as caught:
        base.verify(resolve=lambda *_: other, demand=demand, contexts=Contexts.carried())
    assert caught.value.code == "base-proof-mismatch"


def test_bad_randomness_makes_no_label_key(signer):
    """A key of the labels of another length is misuse."""
    with pytest.raises(ValueError, match="32 bytes"):
        bbs.create_shuffled_id_label_map_function(b"short")


@pytest.mark.parametrize(
    "value",
    ["", "u", "z1", "u2V0C", "u2V0D", "uAAAA", "u2V0DgA", encode_multibase(b"\xd9\x5d\x03\x9f\xff", "u")],
)
def test_values_that_are_none(value, signer):
    """Texts that are no proof value raise what they lack."""
    for parse in (BaseProofValue.parse, DerivedProofValue.parse):
        with pytest.raises((Malformed, InvalidProof)):
            parse(value)


@given(st.binary(max_size=200), st.sampled_from([b"", b"\xd9\x5d\x02", b"\xd9\x5d\x03", b"\xd9\x5d\x04"]))
def test_arbitrary_bytes(content, header):
    """Whatever the bytes, reading a proof value raises nothing but VcidError."""
    for parse in (BaseProofValue.parse, DerivedProofValue.parse):
        with pytest.raises(VcidError):
            parse(encode_multibase(header + content, "u"))


@settings(max_examples=50)
@given(
    st.binary(max_size=400),
    st.dictionaries(st.integers(0, 2**40), st.integers(0, 2**40), max_size=20),
    st.sets(st.integers(0, 2**40), max_size=20),
    st.sets(st.integers(0, 2**40), max_size=20),
    st.binary(max_size=40),
)
def test_derived_values_round_trip(proof, labels, mandatory, selective, header):
    """What is written is read as it was."""
    value = DerivedProofValue(
        proof,
        {f"c14n{key}": f"b{label}" for key, label in labels.items()},
        tuple(sorted(mandatory)),
        tuple(sorted(selective)),
        header,
    )
    assert DerivedProofValue.parse(value.serialize()) == value


@pytest.mark.parametrize("seed", range(60))
def test_any_choice_of_pointers(base, signer, seed):
    """Any set of pointers derives, and what derives verifies and holds what was chosen."""
    chosen = pseudo_random.Random(seed)
    pointers = chosen.sample(LEAVES, chosen.randrange(len(LEAVES) + 1))
    verified = check(derive(base, *pointers), signer)
    subject = verified.document.get("credentialSubject", {})
    assert ("birthDate" in subject) == (LEAVES[2] in pointers)
    assert ("familyName" in subject) == (LEAVES[1] in pointers)


def test_keys_of_other_kinds(base):
    """The suite refuses a key that is not BLS12-381."""

    class OtherKey:
        key_type = "Ed25519"

    unsecured, config, value = split(derive(base))
    with pytest.raises(InvalidProof) as caught:
        bbs.verify_derived(unsecured, config, value, key=OtherKey(), contexts=Contexts.carried())
    assert caught.value.code == "key-type-not-allowed"

"""bbs-2023 against the vectors of Data Integrity BBS Cryptosuites, with their intermediate values.

The stated derived proof can't be made again: the random scalars in it are none that the stated seed gives by
"Mocked Random Scalars". All that stands around it is compared, and it verifies.
"""

import json

import cbor2
import pytest

pytest.importorskip("py_arkworks_bls12381", reason="the extra bbs is not installed")

from securing.bbs_cases import CASES, Case, split
from vcid.encoding.contexts import Contexts
from vcid.encoding.multikey import encode_multibase
from vcid.errors import InvalidProof, InvalidRecord, Malformed
from vcid.keys.bbs import LocalBbsSigner
from vcid.securing import bbs
from vcid.securing.bbs_values import DERIVED_HEADER, BaseProofValue, DerivedProofValue
from vcid.securing.selective import (
    canonicalize_and_group,
    create_disclosure_data,
    create_label_map_function,
    label_replacement_canonicalize_json_ld,
)

CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"


@pytest.fixture(scope="module")
def known(vectors):
    (path,) = (vectors / "citizenship-contexts" / "contexts").rglob("citizenship-v4rc1.json*")
    return Contexts.carried().with_context(CITIZENSHIP, json.loads(path.read_bytes()))


@pytest.fixture(params=sorted(CASES))
def case(request, vectors):
    return Case(vectors, request.param)


def test_statements_get_the_stated_labels_and_groups(case, known):
    """Shuffled labels, the statements' order and the mandatory group are those of the specification."""
    factory = bbs.create_shuffled_id_label_map_function(case.hmac_key)
    grouped = canonicalize_and_group(case.document, factory, {"mandatory": case.mandatory}, contexts=known)
    assert list(grouped.canonicalized.nquads) == case.read("addBaseDocHMACCanon")
    group, stated = grouped.groups["mandatory"], case.read("addBaseTransform")
    for indexes, name in ((group.matching, "mandatory"), (group.non_matching, "nonMandatory")):
        pairs = [list(pair) for pair in zip(indexes, grouped.pick(indexes), strict=True)]
        assert pairs == stated[name]["value"]


def test_base_proof_is_the_stated_one(case, known, tally):
    """The base proof comes out to the byte, over the stated hashes, and verifies."""
    _, config, value = split(case.secured)
    made = bbs.create_base_proof_value(
        case.document,
        config,
        case.signer,
        mandatory_pointers=case.mandatory,
        contexts=known,
        random=lambda _size: case.hmac_key,
    )
    assert made == value
    parsed, hashes = BaseProofValue.parse(value), case.read("addHashData")
    assert parsed.header.hex() == hashes["proofHash"] + hashes["mandatoryHash"]
    assert parsed.signature.hex() == case.read("addRawBaseSignatureInfo")["bbsSignature"]
    assert parsed.hmac_key == case.hmac_key
    assert list(parsed.mandatory_pointers) == case.read("derivedRecoveredBaseData")["mandatoryPointers"]
    bbs.verify_base(case.document, config, value, key=case.signer.public_key, contexts=known)
    assert parsed.serialize() == value
    tally(f"vc-di-bbs {case.name}: a base proof made again")


def test_disclosure_data_is_the_stated_one(case, known):
    """The revealed document, the label map and both lists of indexes are those of the specification."""
    data = create_disclosure_data(
        case.document,
        bbs.create_shuffled_id_label_map_function(case.hmac_key),
        mandatory_pointers=case.mandatory,
        selective_pointers=case.selective,
        contexts=known,
    )
    stated = case.read("derivedDisclosureData")
    assert data.reveal_document == case.read("derivedUnsignedReveal")
    assert dict(data.verifier_label_map) == dict(stated["labelMap"]["value"])
    adjusted = case.read("derivedAdjIndexes")
    assert list(data.mandatory_indexes) == adjusted["adjMandatoryIndexes"]
    assert list(data.selective_indexes) == adjusted["adjSelectiveIndexes"]


def test_derived_proof_stands_in_the_stated_frame(case, known):
    """A derived document equals the stated one in all but the octets of the BBS proof, which are as many."""
    options = {"selective_pointers": case.selective, "presentation_header": case.presentation_header}
    derived = split(bbs.derive(case.secured, contexts=known, **options))
    assert derived[:2] == case.shown[:2]
    ours, stated = (DerivedProofValue.parse(value) for value in (derived[2], case.shown[2]))
    assert len(ours.proof) == len(stated.proof)
    assert ours.label_map == stated.label_map
    assert ours.mandatory_indexes == stated.mandatory_indexes
    assert ours.selective_indexes == stated.selective_indexes
    assert ours.presentation_header == stated.presentation_header
    bbs.verify_derived(*derived, key=case.signer.public_key, contexts=known)


def test_stated_derived_proof_verifies(case, known, tally):
    """The stated derived proof holds, and its value is read and written to the byte."""
    bbs.verify_derived(*case.shown, key=case.signer.public_key, contexts=known)
    value = DerivedProofValue.parse(case.shown[2])
    assert value.proof.hex() == case.read("derivedDisclosureData")["bbsProof"]
    assert value.serialize() == case.shown[2]
    tally(f"vc-di-bbs {case.name}: a derived proof verified")


def test_verifier_finds_the_stated_statements(vectors, known):
    """Under the stated label map a verifier canonicalizes to the stated statements."""
    case = Case(vectors, "prc")
    unsecured, _, value = case.shown
    factory = create_label_map_function(DerivedProofValue.parse(value).label_map)
    nquads = label_replacement_canonicalize_json_ld(unsecured, factory, contexts=known).nquads
    assert list(nquads) == case.read("verifyNQuads")


@pytest.mark.parametrize("feature", ["HolderBinding", "Pseudonym", "PseudonymHB"])
def test_other_features_are_refused_by_name(vectors, known, feature):
    """Vectors of the other feature options, base and derived, are refused as unsupported."""
    folder = vectors / "vc-di-bbs" / "TestVectors" / feature
    base, derived = (
        json.loads((folder / name).read_bytes())
        for name in ("addSignedSDBase.json", "derivedRevealDocument.json")
    )
    with pytest.raises(InvalidProof) as caught:
        bbs.derive(base, selective_pointers=["/issuer"], contexts=known)
    assert caught.value.code == "feature-unsupported"
    with pytest.raises(InvalidProof) as caught:
        bbs.verify_derived(*split(derived), key=Case(vectors, "prc").signer.public_key, contexts=known)
    assert caught.value.code == "feature-unsupported"


def flip(octets, position):
    changed = bytearray(octets)
    changed[position] ^= 1
    return bytes(changed)


# Where the last of all statements is disclosed, an index beyond it is found before the signature fails.
MOVED = {"bad-signature", "disclosed-indexes"}
# What is done to the five components of a derived proof, and the code that says it was found.
MUTATIONS = {
    "a point of the proof": (lambda c: [flip(c[0], 5), *c[1:]], {"invalid-point", "bad-signature"}),
    "a scalar of the proof": (lambda c: [flip(c[0], 160), *c[1:]], {"bad-signature"}),
    "the challenge": (lambda c: [flip(c[0], -1), *c[1:]], {"bad-signature"}),
    "a truncated proof": (lambda c: [c[0][:-32], *c[1:]], MOVED),
    "a scalar out of range": (lambda c: [c[0][:-32] + b"\xff" * 32, *c[1:]], {"invalid-scalar"}),
    "another label": (lambda c: [c[0], {**c[1], 0: 99}, *c[2:]], {"bad-signature"}),
    "a label twice": (lambda c: [c[0], {**c[1], 0: c[1][1]}, *c[2:]], {"label-map"}),
    "a label missing": (lambda c: [c[0], {k: v for k, v in c[1].items() if k}, *c[2:]], {"label-map"}),
    "a label too many": (lambda c: [c[0], {**c[1], 99: 99}, *c[2:]], {"label-map"}),
    "a mandatory index missing": (lambda c: [*c[:2], c[2][1:], *c[3:]], {"selective-indexes"}),
    "a mandatory index too many": (lambda c: [*c[:2], [*c[2], 999], *c[3:]], {"mandatory-indexes"}),
    "mandatory indexes unordered": (lambda c: [*c[:2], c[2][::-1], *c[3:]], {"proof-value-malformed"}),
    "a selective index moved": (lambda c: [*c[:3], [*c[3][:-1], c[3][-1] + 1], c[4]], MOVED),
    "a selective index missing": (lambda c: [*c[:3], c[3][1:], c[4]], {"selective-indexes"}),
    "a selective index far off": (lambda c: [*c[:3], [*c[3][:-1], 9999], c[4]], {"disclosed-indexes"}),
    "a negative index": (lambda c: [*c[:3], [-1, *c[3][1:]], c[4]], {"proof-value-malformed"}),
    "another presentation header": (lambda c: [*c[:4], flip(c[4], 0)], {"bad-signature"}),
    "no presentation header": (lambda c: [*c[:4], b""], {"bad-signature"}),
    "a text for octets": (lambda c: [*c[:4], "text"], {"proof-value-malformed"}),
    "a component missing": (lambda c: c[:4], {"proof-value-malformed"}),
    "a component too many": (lambda c: [*c, 1], {"proof-value-malformed"}),
}


@pytest.mark.parametrize("name", MUTATIONS)
def test_changed_components_are_refused(case, known, name):
    """A change to any component of the stated derived proof fails at the check that is named."""
    mutate, codes = MUTATIONS[name]
    unsecured, config, value = case.shown
    parsed = DerivedProofValue.parse(value)
    labels = {int(key[4:]): int(label[1:]) for key, label in parsed.label_map.items()}
    components = mutate(
        [
            parsed.proof,
            labels,
            list(parsed.mandatory_indexes),
            list(parsed.selective_indexes),
            parsed.presentation_header,
        ]
    )
    forged = encode_multibase(DERIVED_HEADER + cbor2.dumps(components), "u")
    with pytest.raises((InvalidProof, Malformed)) as caught:
        bbs.verify_derived(unsecured, config, forged, key=case.signer.public_key, contexts=known)
    assert caught.value.code in codes


def test_changed_documents_are_refused(case, known):
    """A claim changed, left out or added, or another proof configuration, fails at the signature or before."""
    unsecured, config, value = case.shown
    subject = unsecured["credentialSubject"]
    changed = [
        {**unsecured, "issuer": "https://other.example/"},
        {**unsecured, "credentialSubject": {**subject, "id": "did:example:other"}},
        {**unsecured, "id": "urn:uuid:3f0c2f39-2e4c-4b4e-9d5a-0a6d9c8d6c11"},
    ]
    for forged in changed:
        with pytest.raises(InvalidProof) as caught:
            bbs.verify_derived(forged, config, value, key=case.signer.public_key, contexts=known)
        assert caught.value.code in {"bad-signature", "label-map", "selective-indexes"}
    forged_config = {**config, "created": "2024-08-15T23:36:38Z"}
    with pytest.raises(InvalidProof) as caught:
        bbs.verify_derived(unsecured, forged_config, value, key=case.signer.public_key, contexts=known)
    assert caught.value.code == "bad-signature"


def test_base_proofs_of_other_documents_are_refused(case, known):
    """Neither holder nor deriving takes a base proof for another document, configuration or key."""
    unsecured, config, value = split(case.secured)
    key = case.signer.public_key
    for document, proof in (
        ({**unsecured, "issuer": "https://other.example/"}, config),
        (unsecured, {**config, "created": "2024-08-15T23:36:38Z"}),
    ):
        with pytest.raises(InvalidProof) as caught:
            bbs.verify_base(document, proof, value, key=key, contexts=known)
        assert caught.value.code == "base-proof-mismatch"
        secured = {**document, "proof": {**proof, "proofValue": value}}
        with pytest.raises(InvalidProof) as caught:
            bbs.derive(secured, selective_pointers=case.selective, contexts=known)
        assert caught.value.code == "base-proof-mismatch"
    with pytest.raises(InvalidProof) as caught:
        bbs.verify_base(unsecured, config, value, key=LocalBbsSigner.generate().public_key, contexts=known)
    assert caught.value.code == "base-proof-mismatch"


def test_pointers_that_select_nothing_are_refused(case, known):
    """A pointer to nothing is named, and no document is derived."""
    with pytest.raises((Malformed, InvalidRecord)):
        bbs.derive(case.secured, selective_pointers=["/credentialSubject/absent"], contexts=known)

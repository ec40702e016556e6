"""The selective disclosure functions against the intermediate values of the ecdsa-sd-2023 vectors."""

import json

import pytest

from securing.sd_cases import CASES, Case
from vcid.encoding.contexts import Contexts
from vcid.securing.selection import select_json_ld
from vcid.securing.selective import (
    canonicalize_and_group,
    create_disclosure_data,
    create_hmac_id_label_map_function,
    create_label_map_function,
    hash_mandatory_nquads,
    hash_proof_config,
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


def test_the_canonical_document_gets_the_stated_labels(case, known):
    """Statements under canonical and under HMAC labels are those of the specification, in its order."""
    plain = label_replacement_canonicalize_json_ld(case.document, dict, contexts=known)
    assert list(plain.nquads) == case.read("addBaseDocCanon")
    factory = create_hmac_id_label_map_function(case.hmac_key)
    signed = label_replacement_canonicalize_json_ld(case.document, factory, contexts=known)
    assert list(signed.nquads) == case.read("addBaseDocHMACCanon")


def test_the_mandatory_group_is_the_stated_one(case, known):
    """The mandatory pointers select the statements, by index, that the specification's example does."""
    factory = create_hmac_id_label_map_function(case.hmac_key)
    grouped = canonicalize_and_group(case.document, factory, {"mandatory": case.mandatory}, contexts=known)
    group = grouped.groups["mandatory"]
    stated = case.read("addBaseTransform")
    for indexes, name in ((group.matching, "mandatory"), (group.non_matching, "nonMandatory")):
        assert [list(pair) for pair in zip(indexes, grouped.pick(indexes), strict=True)] == stated[name][
            "value"
        ]
    assert (
        hash_mandatory_nquads(grouped.pick(group.matching)).hex() == case.read("addHashData")["mandatoryHash"]
    )


def test_the_proof_configuration_has_the_stated_hash(case, known):
    """The proof options, read in the document's context, hash to the stated value."""
    config = case.read("addProofConfig")
    assert (
        hash_proof_config(case.document, config, contexts=known).hex()
        == case.read("addHashData")["proofHash"]
    )


def test_disclosure_data_is_the_stated_one(case, known, tally):
    """Indexes, label map and reveal document of a derived proof are those of the specification."""
    data = create_disclosure_data(
        case.document,
        create_hmac_id_label_map_function(case.hmac_key),
        mandatory_pointers=case.mandatory,
        selective_pointers=case.selective,
        contexts=known,
    )
    stated = case.read("derivedDisclosureData")
    indexes = case.read("derivedGroupIndexes")
    assert data.reveal_document == case.read("derivedUnsignedReveal")
    assert list(data.mandatory_indexes) == stated["mandatoryIndexes"]
    assert sorted(map(list, data.verifier_label_map.items())) == sorted(stated["labelMap"]["value"])
    assert list(data.grouped.groups["mandatory"].matching) == indexes["mandatoryIndexes"]
    assert list(data.grouped.groups["mandatory"].non_matching) == indexes["nonMandatoryIndexes"]
    assert list(data.grouped.groups["combined"].matching) == indexes["combinedIndexes"]
    adjusted = case.read("derivedAdjSignatures")["adjSignatureIndexes"]
    assert list(data.selective_indexes) == adjusted
    tally("ecdsa-sd-2023, intermediate values: 2 documents")


def test_a_verifier_finds_the_stated_statements(case, known):
    """The reveal document under the proof's label map gives the statements that were signed."""
    reveal = case.read("derivedUnsignedReveal")
    factory = create_label_map_function(dict(case.read("verifyDerivedProofValue")["labelMap"]))
    found = label_replacement_canonicalize_json_ld(reveal, factory, contexts=known)
    assert list(found.nquads) == case.read("verifyNQuads")


def test_selecting_nothing_gives_nothing(case):
    """Without pointers there is no selection, not even an empty one."""
    assert select_json_ld([], case.document) is None

"""ecdsa-sd-2023 against the vectors of its specification: base proofs, derived proofs, and mutations of both."""

import json

import cbor2
import pytest

from securing.sd_cases import CASES, Case
from vcid.encoding.contexts import Contexts
from vcid.encoding.multikey import KeyType, decode_multibase, encode_multibase
from vcid.errors import InvalidProof, Malformed
from vcid.keys.signing import LocalSigner
from vcid.securing import ecdsa_sd
from vcid.securing.ecdsa_sd_values import BaseProofValue, DerivedProofValue

CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"


@pytest.fixture(scope="module")
def known(vectors):
    (path,) = (vectors / "citizenship-contexts" / "contexts").rglob("citizenship-v4rc1.json*")
    return Contexts.carried().with_context(CITIZENSHIP, json.loads(path.read_bytes()))


@pytest.fixture(params=sorted(CASES))
def case(request, vectors):
    return Case(vectors, request.param)


def take_apart(secured):
    document = {name: member for name, member in secured.items() if name != "proof"}
    config = {name: member for name, member in secured["proof"].items() if name != "proofValue"}
    return document, config, secured["proof"]["proofValue"]


def verify(secured, case, known, key=None):
    key = key or case.signer.public_key
    ecdsa_sd.verify_derived(*take_apart(secured), key=key, contexts=known)


def test_a_base_proof_is_the_stated_one_to_the_byte(case, known, tally):
    """From the vectors' keys comes the vectors' base proof: nonces are RFC 6979's."""
    document, config, stated = take_apart(case.secured)
    made = ecdsa_sd.create_base_proof_value(
        document, config, case.signer, mandatory_pointers=case.mandatory, contexts=known, random=case.draw()
    )
    assert made == stated
    tally("ecdsa-sd-2023, base and derived proofs to the byte: 2 documents")


def test_the_parts_of_a_base_proof_are_the_stated_ones(case):
    """What is read from a base proof is what the specification lists as recovered."""
    value = BaseProofValue.parse(case.secured["proof"]["proofValue"])
    stated = case.read("derivedRecoveredBaseData")
    assert value.base_signature.hex() == stated["baseSignature"]
    assert encode_multibase(value.public_key) == stated["proofPublicKey"]
    assert value.hmac_key.hex() == stated["hmacKey"]
    assert [signature.hex() for signature in value.signatures] == stated["signatures"]
    assert list(value.mandatory_pointers) == case.mandatory
    assert value.serialize() == case.secured["proof"]["proofValue"]


def test_a_stated_base_proof_holds_for_its_holder(case, known):
    """A holder finds every signature of the vectors good."""
    value = ecdsa_sd.verify_base(*take_apart(case.secured), key=case.signer.public_key, contexts=known)
    assert list(value.mandatory_pointers) == case.mandatory


def test_a_derived_proof_is_the_stated_one_to_the_byte(case, known):
    """From the base proof and the pointers comes the derived document of the specification."""
    derived = ecdsa_sd.derive(case.secured, selective_pointers=case.selective, contexts=known)
    assert derived == case.read("derivedRevealDocument")


def test_the_parts_of_a_derived_proof_are_the_stated_ones(case):
    """What a verifier reads is what the specification lists."""
    stated = case.read("verifyDerivedProofValue")
    value = DerivedProofValue.parse(case.read("derivedRevealDocument")["proof"]["proofValue"])
    assert value.base_signature.hex() == stated["baseSignature"]
    assert encode_multibase(value.public_key) == stated["publicKey"]
    assert [signature.hex() for signature in value.signatures] == stated["signatures"]
    assert sorted(map(list, value.label_map.items())) == sorted(stated["labelMap"])
    assert list(value.mandatory_indexes) == stated["mandatoryIndexes"]


def test_a_stated_derived_proof_verifies(case, known):
    """The derived documents of the specification verify."""
    verify(case.read("derivedRevealDocument"), case, known)


def rewrite(secured, change):
    """Change the components of a proof value, as decoded CBOR."""
    content = decode_multibase(secured["proof"]["proofValue"], bases="u", max_chars=1 << 20)
    components = cbor2.loads(content[3:])
    header = change(components) or content[:3]
    value = encode_multibase(header + cbor2.dumps(components), "u")
    return {**secured, "proof": {**secured["proof"], "proofValue": value}}


def flip(data, index=-1):
    changed = bytearray(data)
    changed[index] ^= 1
    return bytes(changed)


def set_item(components, place, value):
    components[place] = value


def swap_labels(label_map):
    keys = list(label_map)
    return {**label_map, keys[0]: label_map[keys[1]], keys[1]: label_map[keys[0]]}


MUTATED_VALUES = {
    "base signature": (lambda c: set_item(c, 0, flip(c[0])), "bad-signature"),
    "zero base signature": (lambda c: set_item(c, 0, bytes(64)), "bad-signature"),
    "another proof key": (
        lambda c: set_item(c, 1, b"\x80\x24" + LocalSigner.generate(KeyType.P256).public_key.raw),
        "bad-signature",
    ),
    "a proof key of another kind": (lambda c: set_item(c, 1, flip(c[1], 0)), "proof-value-malformed"),
    "statement signature": (lambda c: set_item(c, 2, [flip(c[2][0]), *c[2][1:]]), "bad-statement-signature"),
    "statement signatures in another order": (lambda c: c[2].reverse(), "bad-statement-signature"),
    "signature left out": (lambda c: c[2].pop() and None, "signature-count"),
    "signature added": (lambda c: c[2].append(c[2][0]), "signature-count"),
    "label": (lambda c: set_item(c[3], 0, flip(c[3][0])), None),
    "labels swapped": (lambda c: set_item(c, 3, swap_labels(c[3])), None),
    "one label twice": (lambda c: set_item(c[3], 0, c[3][1]), "label-map"),
    "label left out": (lambda c: c[3].pop(0) and None, "label-map"),
    "label added": (lambda c: set_item(c[3], 7, bytes(32)), "label-map"),
    "mandatory index left out": (lambda c: c[4].pop() and None, "signature-count"),
    "mandatory index added": (lambda c: c[4].append(9), None),
    "mandatory index beyond the end": (lambda c: c[4].append(1000), "mandatory-indexes"),
    "mandatory indexes reversed": (lambda c: c[4].reverse(), "proof-value-malformed"),
    "mandatory index twice": (lambda c: c[4].append(c[4][-1]), "proof-value-malformed"),
    "base header": (lambda c: b"\xd9\x5d\x00", "base-proof"),
    "unknown header": (lambda c: b"\xd9\x5d\x02", "proof-value-malformed"),
    "a component more": (lambda c: c.append(0), "proof-value-malformed"),
    "a component less": (lambda c: c.pop() and None, "proof-value-malformed"),
}


@pytest.mark.parametrize("mutation", MUTATED_VALUES)
def test_a_changed_proof_value_fails(case, known, mutation):
    """Every part of a derived proof value is bound to the others, and the failure names what is wrong."""
    change, code = MUTATED_VALUES[mutation]
    changed = rewrite(case.read("derivedRevealDocument"), change)
    with pytest.raises((InvalidProof, Malformed)) as caught:
        verify(changed, case, known)
    if code is None:
        assert caught.value.code in {"bad-signature", "bad-statement-signature", "signature-count"}
    else:
        assert caught.value.code == code


def without(document, *path):
    changed = json.loads(json.dumps(document))
    inner = changed
    for step in path[:-1]:
        inner = inner[step]
    del inner[path[-1]]
    return changed


def changed_by(document, **members):
    return {**document, **members}


MUTATED_DOCUMENTS = {
    "mandatory value changed": (
        lambda d: changed_by(d, issuer={**d["issuer"], "image": "data:image/png;base64,AAAA"}),
        "bad-signature",
    ),
    "mandatory statement dropped": (lambda d: without(d, "issuer", "image"), "signature-count"),
    "mandatory issuer dropped": (lambda d: without(d, "issuer"), "signature-count"),
    "type dropped": (lambda d: changed_by(d, type=["VerifiableCredential"]), "signature-count"),
    # Another value may also change the canonical labels of what the issuer signed.
    "disclosed value changed": (lambda d: changed_by(d, validUntil="2099-12-03T00:00:00Z"), None),
    "disclosed statement dropped": (lambda d: without(d, "validUntil"), "signature-count"),
    "statement added": (lambda d: changed_by(d, name="Another"), "signature-count"),
    "identifier added": (lambda d: changed_by(d, id="urn:example:other"), "label-map"),
    "subject split in two": (
        lambda d: changed_by(
            d,
            credentialSubject=[{"type": d["credentialSubject"]["type"]}, d["credentialSubject"]],
        ),
        "label-map",
    ),
}


@pytest.mark.parametrize("mutation", MUTATED_DOCUMENTS)
def test_a_changed_document_fails(case, known, mutation):
    """No statement can be changed, added or removed under a derived proof."""
    change, code = MUTATED_DOCUMENTS[mutation]
    shown = case.read("derivedRevealDocument")
    document = {name: member for name, member in shown.items() if name != "proof"}
    with pytest.raises(InvalidProof) as caught:
        verify({**change(document), "proof": shown["proof"]}, case, known)
    assert caught.value.code in ({code} if code else {"bad-signature", "bad-statement-signature"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("created", "2023-08-15T23:36:39Z"),
        ("expires", "2099-08-15T23:36:38Z"),
        ("verificationMethod", "did:example:other#key"),
        ("proofPurpose", "authentication"),
        ("challenge", "other"),
    ],
)
def test_changed_proof_options_fail(case, known, name, value):
    """The proof's other members are signed too."""
    shown = case.read("derivedRevealDocument")
    with pytest.raises(InvalidProof) as caught:
        verify({**shown, "proof": {**shown["proof"], name: value}}, case, known)
    assert caught.value.code == "bad-signature"


def test_another_issuers_key_fails(case, known):
    """A proof holds under its issuer's key alone, which is of the suite's one kind."""
    shown = case.read("derivedRevealDocument")
    for kind, code in ((KeyType.P256, "bad-signature"), (KeyType.P384, "key-type-not-allowed")):
        with pytest.raises(InvalidProof) as caught:
            verify(shown, case, known, key=LocalSigner.generate(kind).public_key)
        assert caught.value.code == code


BASE_MUTATIONS = {
    "base signature": (lambda c: set_item(c, 0, flip(c[0])), "bad-signature"),
    "hmac key": (lambda c: set_item(c, 2, flip(c[2])), None),
    "statement signature": (
        lambda c: set_item(c, 3, [*c[3][:-1], flip(c[3][-1])]),
        "bad-statement-signature",
    ),
    "signature left out": (lambda c: c[3].pop() and None, "signature-count"),
    "pointers changed": (lambda c: set_item(c, 4, ["/validFrom"]), None),
    "pointers left out": (lambda c: set_item(c, 4, []), "signature-count"),
    "pointer to nowhere": (lambda c: set_item(c, 4, ["/nowhere"]), "points-nowhere"),
    "derived header": (lambda c: b"\xd9\x5d\x01", "derived-proof"),
    "short hmac key": (lambda c: set_item(c, 2, c[2][:-1]), "proof-value-malformed"),
    "pointers that are numbers": (lambda c: set_item(c, 4, [1]), "proof-value-malformed"),
}


@pytest.mark.parametrize("mutation", BASE_MUTATIONS)
def test_a_holder_finds_a_changed_base_proof(case, known, mutation):
    """A holder's check of a base proof fails for every part that was changed."""
    change, code = BASE_MUTATIONS[mutation]
    with pytest.raises((InvalidProof, Malformed)) as caught:
        ecdsa_sd.verify_base(
            *take_apart(rewrite(case.secured, change)), key=case.signer.public_key, contexts=known
        )
    if code is None:
        assert caught.value.code in {"bad-signature", "bad-statement-signature", "signature-count"}
    else:
        assert caught.value.code == code


def test_a_base_proof_is_no_derived_one_nor_the_other_way_round(case, known):
    """A base proof is refused by verification, and nothing derives from a derived proof."""
    with pytest.raises(InvalidProof, match="base-proof"):
        verify(case.secured, case, known)
    with pytest.raises(InvalidProof, match="derived-proof"):
        ecdsa_sd.derive(case.read("derivedRevealDocument"), selective_pointers=["/issuer"], contexts=known)

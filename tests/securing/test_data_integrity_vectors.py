"""The published test vectors of the EdDSA and ECDSA cryptosuites: every step, and many ways to break each."""

from __future__ import annotations

import copy
import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from vcid.encoding.contexts import Contexts
from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType, decode_multibase, encode_multibase
from vcid.errors import InvalidProof, InvalidRecord, Malformed, VcidError
from vcid.keys.signing import LocalSigner
from vcid.securing.cryptosuites import SIGNATURE_BYTES, SUITES, RdfForms, transform
from vcid.securing.data_integrity import ProofDemand, ProofOptions, add_proof, verify_proof

CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"


@dataclass(frozen=True)
class Vector:
    """Where a vector lies: files end in the suite's own suffix."""

    folder: str
    suffix: str
    key_file: str
    key_type: KeyType

    @property
    def suite(self) -> str:
        name = Path(self.folder).parts[2]
        return name.removesuffix("-p256").removesuffix("-p384")

    def read(self, vectors: Path, name: str) -> str:
        return (vectors / self.folder / name.format(self.suffix)).read_text().strip("\n")

    def signed(self, vectors: Path) -> dict[str, Any]:
        return parse_object(self.read(vectors, "signed{}.json"))

    def signer(self, vectors: Path) -> LocalSigner:
        root = vectors / Path(*Path(self.folder).parts[:2])
        pair = json.loads((root / self.key_file).read_text())
        text = pair.get("privateKeyMultibase") or pair["secretKeyMultibase"]
        # A secret Multikey: two bytes of header, then the key.
        return LocalSigner.from_private_bytes(self.key_type, decode_multibase(text)[2:])

    def __str__(self) -> str:
        return "-".join(Path(self.folder).parts[2:])


ED, EC = "vc-di-eddsa/TestVectors", "vc-di-ecdsa/TestVectors"
VECTORS = (
    Vector(f"{ED}/eddsa-jcs-2022", "JCS", "keyPair.json", KeyType.ED25519),
    Vector(f"{ED}/eddsa-rdfc-2022", "DataInt", "keyPair.json", KeyType.ED25519),
    Vector(f"{ED}/eddsa-rdfc-2022/employ", "DataInt", "keyPair.json", KeyType.ED25519),
    Vector(f"{ED}/Ed25519Signature2020", "EdSig", "keyPair.json", KeyType.ED25519),
    Vector(f"{EC}/ecdsa-jcs-2019-p256", "JCSECDSAP256", "p256KeyPair.json", KeyType.P256),
    Vector(f"{EC}/ecdsa-jcs-2019-p384", "JCSECDSAP384", "p384KeyPair.json", KeyType.P384),
    Vector(f"{EC}/ecdsa-rdfc-2019-p256", "ECDSAP256", "p256KeyPair.json", KeyType.P256),
    Vector(f"{EC}/ecdsa-rdfc-2019-p256/employ", "ECDSAP256", "p256KeyPair.json", KeyType.P256),
    Vector(f"{EC}/ecdsa-rdfc-2019-p384", "ECDSAP384", "p384KeyPair.json", KeyType.P384),
    Vector(f"{EC}/ecdsa-rdfc-2019-p384/employ", "ECDSAP384", "p384KeyPair.json", KeyType.P384),
)
JCS = tuple(vector for vector in VECTORS if "jcs" in vector.suite)
each_vector = pytest.mark.parametrize("vector", VECTORS, ids=str)


@pytest.fixture(scope="module")
def known(vectors: Path) -> Contexts:
    folder = vectors / "citizenship-contexts" / "contexts"
    (path,) = folder.rglob("citizenship-v4rc1.json*")
    return Contexts.carried().with_context(CITIZENSHIP, parse_object(path.read_bytes()))


@pytest.fixture(scope="module")
def ask(known, resolve, demand) -> dict[str, Any]:
    return {"resolve": resolve, "demand": demand, "contexts": known}


@each_vector
def test_published_proof_verifies(vector, vectors, ask):
    """The proof check passes although the first vectors name an issuer that is not the key's controller."""
    signed = vector.signed(vectors)
    verified = verify_proof(signed, **ask)
    assert verified.document == {name: value for name, value in signed.items() if name != "proof"}
    assert verified.proof == signed["proof"]
    assert verified.cryptosuite == vector.suite


def test_counts_are_as_expected(tally):
    """Ten single-proof vectors in seven suites and curves stand in the two folders; none is left out."""
    tally(f"Data Integrity: {len(VECTORS)} signed documents ({len(JCS)} JCS, {len(VECTORS) - len(JCS)} RDFC)")
    assert len(VECTORS) == 10


def test_no_vector_is_forgotten(vectors):
    """Every folder of the plain suites that has a signed document is in the list above."""
    folders = {
        path.parent.relative_to(vectors).as_posix()
        for root in (ED, EC)
        for path in (vectors / root).rglob("signed*.json")
        if any(suite in path.as_posix() for suite in SUITES)
    }
    assert folders == {vector.folder for vector in VECTORS}


@each_vector
def test_intermediate_values_are_the_published_ones(vector, vectors, known):
    """Canonical document, proof configuration and the hashes equal the files, byte for byte."""
    signed = vector.signed(vectors)
    proof = signed.pop("proof")
    signature = decode_multibase(proof.pop("proofValue"))
    suite = SUITES[vector.suite]
    done = transform(signed, proof, suite=suite, key_type=vector.key_type, forms=RdfForms(known))
    assert done.document.decode().strip("\n") == vector.read(vectors, "canonDoc{}.txt")
    assert done.proof_config.decode().strip("\n") == vector.read(vectors, "proofCanon{}.txt")
    half = len(done.hash_data) // 2
    assert done.hash_data[:half].hex() == vector.read(vectors, "proofHash{}.txt")
    assert done.hash_data[half:].hex() == vector.read(vectors, "docHash{}.txt")
    assert done.hash_data.hex() == vector.read(vectors, "combinedHash{}.txt")
    assert signature.hex() == vector.read(vectors, "sigHex{}.txt")


@each_vector
def test_signing_again_gives_the_published_bytes(vector, vectors, known):
    """Ed25519 and ECDSA with RFC 6979 are deterministic, and the vectors were made that way."""
    signed = vector.signed(vectors)
    proof = signed.pop("proof")
    options = ProofOptions(
        verification_method=proof["verificationMethod"],
        cryptosuite=vector.suite,
        created=datetime(2023, 2, 24, 23, 36, 38, tzinfo=UTC),
    )
    again = add_proof(signed, vector.signer(vectors), options, contexts=known)
    assert again["proof"] == proof
    assert again == {**signed, "proof": proof}


def flip(text: str, position: int, mask: int = 1) -> str:
    raw = bytearray(decode_multibase(text))
    raw[position] ^= mask
    return encode_multibase(bytes(raw))


def flip_signature(signed):
    signed["proof"]["proofValue"] = flip(signed["proof"]["proofValue"], 40)


def shorten_signature(signed):
    signed["proof"]["proofValue"] = encode_multibase(decode_multibase(signed["proof"]["proofValue"])[:-1])


def lengthen_signature(signed):
    signed["proof"]["proofValue"] = encode_multibase(decode_multibase(signed["proof"]["proofValue"]) + b"\0")


def encode_signature_otherwise(signed):
    signed["proof"]["proofValue"] = encode_multibase(decode_multibase(signed["proof"]["proofValue"]), "u")


def change_claim(signed):
    signed["name"] += "!"


def remove_claim(signed):
    del signed["description"]


def add_claim(signed):
    signed["validUntil"] = "2999-01-01T00:00:00Z"


def change_issuer(signed):
    signed["issuer"] = "https://other.example/issuers/1"


def change_created(signed):
    signed["proof"]["created"] = "2023-02-24T23:36:39Z"


def change_purpose(signed):
    signed["proof"]["proofPurpose"] = "authentication"


def add_expiry(signed):
    signed["proof"]["expires"] = "2999-01-01T00:00:00Z"


def add_challenge(signed):
    signed["proof"]["challenge"] = "abc"


def name_no_suite(signed):
    del signed["proof"]["cryptosuite"]


def name_unknown_suite(signed):
    signed["proof"]["cryptosuite"] = "eddsa-2022"


def swap_canonicalization(signed):
    name = signed["proof"]["cryptosuite"]
    signed["proof"]["cryptosuite"] = (
        name.replace("jcs", "rdfc") if "jcs" in name else name.replace("rdfc", "jcs")
    )


def swap_family(signed):
    name = signed["proof"]["cryptosuite"]
    signed["proof"]["cryptosuite"] = (
        name.replace("eddsa", "ecdsa").replace("2022", "2019")
        if "eddsa" in name
        else name.replace("ecdsa", "eddsa").replace("2019", "2022")
    )


def name_other_type(signed):
    signed["proof"]["type"] = "Ed25519Signature2018"


def drop_proof(signed):
    del signed["proof"]


def double_proof(signed):
    signed["proof"] = [signed["proof"], signed["proof"]]


def build_on_missing_proof(signed):
    signed["proof"]["previousProof"] = "urn:uuid:26329423-bec9-4b2e-88cb-a7c7d9dc4544"


ANY_VECTOR = (
    (flip_signature, "bad-signature"),
    (shorten_signature, "proof-value-length"),
    (lengthen_signature, "proof-value-length"),
    (change_claim, "bad-signature"),
    (remove_claim, "bad-signature"),
    (add_claim, "bad-signature"),
    (change_issuer, "bad-signature"),
    (change_created, "bad-signature"),
    (change_purpose, "wrong-purpose"),
    (add_expiry, "bad-signature"),
    (add_challenge, "bad-signature"),
    (name_no_suite, "proof-malformed"),
    (name_unknown_suite, "suite-not-allowed"),
    (swap_canonicalization, "bad-signature"),
    (swap_family, "key-type-not-allowed"),
    (name_other_type, "proof-type-unsupported"),
    (drop_proof, "proof-missing"),
    (double_proof, "several-proofs"),
    (build_on_missing_proof, "previous-proof-missing"),
)


def refuse(signed, **arguments) -> str:
    with pytest.raises((InvalidProof, Malformed)) as caught:
        verify_proof(signed, **arguments)
    return caught.value.code


NAMING = (name_no_suite, name_unknown_suite, swap_canonicalization, swap_family)
MUTATIONS = [
    pytest.param(vector, mutate, code, id=f"{vector}-{mutate.__name__}")
    for vector in VECTORS
    for mutate, code in ANY_VECTOR
    if vector.suite != "Ed25519Signature2020" or mutate not in NAMING  # which has no cryptosuite to name
]


@pytest.mark.parametrize(("vector", "mutate", "code"), MUTATIONS)
def test_a_mutation_is_refused_by_name(vector, mutate, code, vectors, ask):
    """Each change alone makes the check fail, with the code of the step that has to notice."""
    signed = vector.signed(vectors)
    mutate(signed)
    assert refuse(signed, **ask) == code


@each_vector
def test_a_signature_in_another_base_is_refused(vector, vectors, ask):
    """The suites name base58btc and nothing else, so a proof has one spelling."""
    signed = vector.signed(vectors)
    encode_signature_otherwise(signed)
    with pytest.raises(Malformed) as caught:
        verify_proof(signed, **ask)
    assert caught.value.where == "/proof/proofValue"


@each_vector
def test_another_key_of_the_same_kind_is_refused(vector, vectors, ask, signers, method_url):
    """Naming one's own key as method does not make somebody else's signature good."""
    signed = vector.signed(vectors)
    signed["proof"]["verificationMethod"] = method_url(signers[vector.key_type])
    assert refuse(signed, **ask) == "bad-signature"


@each_vector
def test_another_key_behind_the_same_method_is_refused(vector, vectors, ask, signers):
    """A resolver that was fooled into another key does not verify either."""
    other = signers[vector.key_type].public_key

    def fooled(url: str, purpose: str):
        return replace(ask["resolve"](url, purpose), public_key=other)

    signed = vector.signed(vectors)
    assert refuse(signed, **{**ask, "resolve": fooled}) == "bad-signature"


@each_vector
def test_an_allow_list_without_the_suite_refuses_it(vector, vectors, known, demand):
    """The caller's list decides before any key is looked up."""

    def never(url: str, purpose: str):
        raise AssertionError("resolved although the suite is not allowed")

    others = replace(demand, suites=frozenset(SUITES) - {vector.suite})
    assert refuse(vector.signed(vectors), resolve=never, demand=others, contexts=known) == "suite-not-allowed"
    nothing = replace(demand, suites=frozenset())
    assert (
        refuse(vector.signed(vectors), resolve=never, demand=nothing, contexts=known) == "suite-not-allowed"
    )


@each_vector
def test_a_proof_from_the_future_is_refused(vector, vectors, known, resolve):
    """A moment before the proof's own, and more than the skew, can't have seen it."""
    early = ProofDemand(suites=frozenset(SUITES), at=datetime(2023, 2, 24, 23, 31, 37, tzinfo=UTC))
    signed = vector.signed(vectors)
    assert refuse(signed, resolve=resolve, demand=early, contexts=known) == "created-in-future"
    in_time = replace(early, at=datetime(2023, 2, 24, 23, 31, 38, tzinfo=UTC))
    assert verify_proof(signed, resolve=resolve, demand=in_time, contexts=known).cryptosuite == vector.suite


@each_vector
def test_a_removed_context_is_refused(vector, vectors, ask):
    """Without its second context the document would mean something else, or nothing."""
    signed = vector.signed(vectors)
    del signed["@context"][1]
    with pytest.raises((InvalidProof, InvalidRecord)) as caught:
        verify_proof(signed, **ask)
    if vector in JCS:
        assert caught.value.code == "context-mismatch"


@pytest.mark.parametrize("vector", JCS, ids=str)
def test_contexts_in_another_order_are_refused(vector, vectors, ask):
    """Order decides which definition wins, so the proof's contexts must come first and in their order."""
    signed = vector.signed(vectors)
    signed["@context"].reverse()
    assert refuse(signed, **ask) == "context-mismatch"
    inserted = vector.signed(vectors)
    inserted["@context"].insert(1, "https://w3id.org/security/data-integrity/v2")
    assert refuse(inserted, **ask) == "context-mismatch"


REDEFINING = {"alumniOf": "https://attacker.example/#expelledFrom"}


@pytest.mark.parametrize("vector", JCS, ids=str)
def test_an_appended_context_is_left_out_of_what_is_verified(vector, vectors, ask):
    """A JCS signature stays good when a context is appended; the claims are then read without it."""
    signed = vector.signed(vectors)
    genuine = copy.deepcopy(signed)
    signed["@context"].append(REDEFINING)
    verified = verify_proof(signed, **ask)
    assert verified.document["@context"] == genuine["@context"]
    assert verified.proof == genuine["proof"]
    for change in (genuine["@context"], [*genuine["@context"], REDEFINING]):
        in_proof = copy.deepcopy(signed)
        in_proof["proof"]["@context"] = [*change, REDEFINING]
        with pytest.raises(VcidError):
            verify_proof(in_proof, **ask)


@pytest.mark.parametrize("vector", JCS, ids=str)
def test_without_the_proofs_context_the_signature_is_bad(vector, vectors, ask):
    """The proof configuration is hashed as received, so taking the context out of it changes the hash."""
    signed = vector.signed(vectors)
    del signed["proof"]["@context"]
    assert refuse(signed, **ask) == "bad-signature"


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector not in JCS], ids=str)
def test_an_appended_context_breaks_an_rdf_proof(vector, vectors, ask):
    """RDF suites sign what terms mean: a redefinition that reaches a term changes the hash.

    One that does not reach it, since the type's own context comes later, is refused as an inline context.
    """
    signed = vector.signed(vectors)
    subject = next(name for name in signed["credentialSubject"] if name not in ("id", "type"))
    signed["@context"].append({subject: "https://attacker.example/#other"})
    assert refuse(signed, **ask) in {
        "bad-signature",
        "inline-context",
    }


@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector not in JCS], ids=str)
def test_an_rdf_proofs_own_context_is_ignored_and_dropped(vector, vectors, ask):
    """The configuration is read in the document's context; what the proof claims for itself is not covered."""
    signed = vector.signed(vectors)
    genuine = copy.deepcopy(signed)
    signed["proof"]["@context"] = [{"created": "https://attacker.example/#other"}]
    verified = verify_proof(signed, **ask)
    assert verified.proof == genuine["proof"]


@pytest.mark.parametrize("vector", JCS, ids=str)
def test_every_byte_of_a_signature_counts(vector, vectors, ask):
    """One flipped bit in any byte of the signature is noticed."""
    signed = vector.signed(vectors)
    genuine = signed["proof"]["proofValue"]
    for position in range(SIGNATURE_BYTES[vector.key_type]):
        for mask in (0x01, 0x80):
            signed["proof"]["proofValue"] = flip(genuine, position, mask)
            code = refuse(signed, **ask)
            assert code == "bad-signature", position


@pytest.mark.slow
@pytest.mark.parametrize("vector", [vector for vector in VECTORS if vector not in JCS], ids=str)
def test_every_byte_of_an_rdf_signature_counts(vector, vectors, ask):
    """The same for the RDF suites."""
    signed = vector.signed(vectors)
    genuine = signed["proof"]["proofValue"]
    for position in range(SIGNATURE_BYTES[vector.key_type]):
        signed["proof"]["proofValue"] = flip(genuine, position)
        assert refuse(signed, **ask) == "bad-signature", position


def test_several_proofs_are_not_mistaken_for_one(vectors, ask):
    """Who asks for the one proof of a document gets no answer where there are more."""
    for name in ("signedProofSet2.json", "signedProofChain1.json", "signedProofChain2.json"):
        signed = parse_object((vectors / ED / "proof-set-chain" / name).read_bytes())
        assert refuse(signed, **ask) == "several-proofs"


def test_a_list_of_one_proof_is_that_proof(vectors, ask):
    """A set of one is the same set, written otherwise."""
    signed = VECTORS[0].signed(vectors)
    alone = verify_proof(signed, **ask)
    listed = verify_proof({**signed, "proof": [signed["proof"]]}, **ask)
    assert listed.document == alone.document
    assert listed.proof == alone.proof

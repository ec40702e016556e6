"""What several proofs of one document cost together: little more than one, or they are refused."""

from __future__ import annotations

import cProfile
import pstats

import pytest

from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, LimitExceeded, Malformed
from vcid.securing.cryptosuites import RdfForms
from vcid.securing.data_integrity import ProofOptions, add_proof, verify_proofs
from vcid.securing.disclosure import add_base_proof

V2 = "https://www.w3.org/ns/credentials/v2"
EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


def document(count: int, size: int = 1) -> dict:
    """A document of so many blank nodes, each with a text of so many characters."""
    nodes = [{"fullName": f"{number}".ljust(size, "x")} for number in range(count)]
    return {
        "@context": [V2, EXAMPLES],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:civil.example",
        "credentialSubject": {"id": "did:example:child", "evidence": nodes},
    }


@pytest.fixture
def secure(signers, method_url, contexts):
    """Add a proof by the signer of a kind; keywords go into the options."""

    def secure(unsecured, kind=KeyType.ED25519, cryptosuite="eddsa-rdfc-2022", **options):
        chosen = ProofOptions(
            verification_method=method_url(signers[kind]), cryptosuite=cryptosuite, **options
        )
        return add_proof(unsecured, signers[kind], chosen, contexts=contexts)

    return secure


@pytest.fixture
def verify(resolve, demand, contexts):
    return lambda secured: verify_proofs(secured, resolve=resolve, demand=demand, contexts=contexts)


def join(secure, unsecured, count=10, **options):
    """A set of proofs of one document, each made by itself."""
    proofs = [secure(unsecured, nonce=f"{number}", **options)["proof"] for number in range(count)]
    return {**unsecured, "proof": proofs}


def chain(secure, unsecured, count=10):
    """A chain, in which each proof builds on the one before."""
    secured = secure(unsecured, id="urn:proof:0")
    for number in range(1, count):
        secured = secure(secured, id=f"urn:proof:{number}", previous_proof=f"urn:proof:{number - 1}")
    return secured


def calls(act) -> int:
    """How many calls an act takes: a measure of work that no busy machine changes."""
    act()
    profile = cProfile.Profile()
    profile.runcall(act)
    return pstats.Stats(profile).total_calls


def test_ten_proofs_of_one_document_cost_little_more_than_one(secure, verify):
    """The document is brought into its canonical form once."""
    joined = join(secure, document(1500))
    alone = {**joined, "proof": joined["proof"][0]}
    assert len(verify(joined).proofs) == 10
    assert calls(lambda: verify(joined)) < 3 * calls(lambda: verify(alone))


def test_ten_proofs_beside_the_bytes_cost_little_more_than_one(secure, verify):
    """What the document's terms mean is asked once, however many JCS proofs it has."""
    joined = join(secure, document(3000), cryptosuite="eddsa-jcs-2022")
    alone = {**joined, "proof": joined["proof"][0]}
    assert len(verify(joined).proofs) == 10
    assert calls(lambda: verify(joined)) < 4 * calls(lambda: verify(alone))


def test_a_long_chain_of_a_large_document_is_refused(secure, verify):
    """Each proof of a chain covers another form of the document; of a small one that does no harm."""
    assert len(verify(chain(secure, document(3))).proofs) == 10
    large = document(30, 1500)
    assert len(verify(chain(secure, large, 2)).proofs) == 2
    with pytest.raises(LimitExceeded) as caught:
        verify(chain(secure, large, 5))
    assert caught.value.code == "too-many-forms"


def test_both_hashes_of_a_large_document_are_allowed(secure, verify):
    """Proofs by keys of two strengths need two forms."""
    large = document(30, 3000)
    one = secure(large, KeyType.P256, "ecdsa-rdfc-2019")
    both = secure(one, KeyType.P384, "ecdsa-rdfc-2019")
    assert len(verify(secure(both)).proofs) == 3


@pytest.fixture
def derive(signers, method_url, contexts):
    """What a holder derives from a base proof, all of it mandatory."""

    def derive(unsecured):
        signer = signers[KeyType.P256]
        options = ProofOptions(verification_method=method_url(signer), cryptosuite="ecdsa-sd-2023")
        pointers = ["/issuer", "/credentialSubject"]
        base = add_base_proof(unsecured, signer, options, mandatory_pointers=pointers, contexts=contexts)
        return base.derive([], contexts=contexts)

    return derive


def test_many_derived_proofs_of_a_large_document_are_refused(derive, verify):
    """Each derived proof has labels of its own, so that nothing is shared between them."""
    shown = derive(document(20, 2000))
    proofs = [shown["proof"], *(derive(document(20, 2000))["proof"] for _ in range(3))]
    assert len(verify({**shown, "proof": proofs[:2]}).proofs) == 2
    with pytest.raises(LimitExceeded) as caught:
        verify({**shown, "proof": proofs})
    assert caught.value.code == "too-many-forms"


def test_a_form_is_written_once_and_nothing_is_remembered_wrongly(contexts):
    """Another document, another hash or another value is another form."""
    forms = RdfForms(contexts)
    first, other = document(2), document(3)
    assert forms.write(first, "sha256") is forms.write(document(2), "sha256")
    assert forms.write(other, "sha256") != forms.write(first, "sha256")
    assert forms.write(first, "sha384") == RdfForms(contexts).write(first, "sha384")
    assert forms.write({**first, "issuer": "did:web:x.example"}, "sha256") != forms.write(first, "sha256")


@pytest.mark.parametrize("context", [7, None, True, [V2, 7], [None], [[V2]]])
@pytest.mark.parametrize("is_derived", [False, True])
def test_a_proof_s_own_context_is_a_context(secure, derive, verify, context, is_derived):
    """Under RDF suites no signature covers it, so that anybody could put anything there."""
    secured = derive(document(2)) if is_derived else secure(document(2))
    verified = verify({**secured, "proof": {**secured["proof"], "@context": [V2, {"x": "urn:x"}]}})
    assert "@context" not in verified.proofs[0].proof
    with pytest.raises(Malformed) as caught:
        verify({**secured, "proof": {**secured["proof"], "@context": context}})
    assert caught.value.code == "proof-malformed"


def test_proofs_of_two_documents_are_told_apart_early(secure, verify):
    """A JCS proof in its own contexts covers another document: the first that differs ends it."""
    alone = {**document(2), "@context": [V2, EXAMPLES, "https://w3id.org/security/data-integrity/v2"]}
    first = secure(document(2), cryptosuite="eddsa-jcs-2022")
    second = secure(alone, cryptosuite="eddsa-jcs-2022")
    with pytest.raises(InvalidProof) as caught:
        verify({**alone, "proof": [first["proof"], second["proof"]]})
    assert caught.value.code == "documents-differ"

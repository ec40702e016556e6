"""Whose proofs count: sets of proofs, suites that a policy requires, and what the unsafe switches let pass."""

from __future__ import annotations

import copy
import subprocess
import sys
from dataclasses import replace

import pytest

from vcid.dids.methods import did_key
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType
from vcid.issuers import KnownIssuers
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.policy import Policy
from vcid.report import Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from world import START, World, birth

QUANTUM_SAFE = "mldsa44-jcs-2024"
BOTH = frozenset({"eddsa-jcs-2022", QUANTUM_SAFE})
CONTEXTS = Contexts.carried()


def did_key_method(signer: LocalSigner) -> tuple[str, str]:
    did = did_key(signer.public_key)
    return did, f"{did}#{did.removeprefix('did:key:')}"


def add(document, signer, **options):
    _, method = did_key_method(signer)
    chosen = ProofOptions(verification_method=method, created=START, **options)
    return add_proof(document, signer, chosen, contexts=CONTEXTS)


def unsigned(issuer: str) -> dict:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "type": ["VerifiableCredential", "ExampleBirthCredential"],
        "issuer": issuer,
        "credentialSubject": {"id": "did:example:child", "fullName": "Amina Example"},
    }


@pytest.fixture(scope="module")
def registrar() -> LocalSigner:
    return LocalSigner.generate()


@pytest.fixture(scope="module")
def stranger() -> LocalSigner:
    return LocalSigner.generate(KeyType.P256)


def judge(document, **demands):
    """Judge proof and issuer by a policy that accredits nobody."""
    issuers = KnownIssuers(Policy(**demands), Knowledge(), CONTEXTS)
    result = issuers.check_proof(document, START)
    covered = result.verified.document if result.verified else document
    issuer, accreditation = issuers.check_issuer(covered, result.verified, START)
    return result, issuer, accreditation


def test_a_good_proof_by_somebody_else_is_good_and_not_the_issuers(registrar):
    """As in a published vector: an https issuer with a did:key proof. Proof passes, issuer fails."""
    document = add(unsigned("https://vc.example/issuers/5678"), registrar)
    for unsafe in (False, True):
        result, issuer, _ = judge(document, unsafe_any_issuer=unsafe)
        assert result.key.outcome is result.proof.outcome is Outcome.PASSED
        assert (issuer.outcome, issuer.code) == (Outcome.FAILED, "key-not-of-issuer")


def test_any_issuer_means_whoever_controls_the_key(registrar):
    """The unsafe switch accredits an issuer for just what it claims; without it nobody is accredited."""
    did, _ = did_key_method(registrar)
    document = add(unsigned(did), registrar)
    _, issuer, accreditation = judge(document)
    assert (issuer.outcome, issuer.code, accreditation) == (Outcome.UNKNOWN, "issuer-not-accredited", None)
    _, issuer, accreditation = judge(document, unsafe_any_issuer=True)
    assert issuer.outcome is Outcome.PASSED
    assert accreditation.issuer == did
    assert accreditation.credential_types == {"ExampleBirthCredential"}
    document["issuer"] = "did:web:other.example"
    result, issuer, accreditation = judge(document, unsafe_any_issuer=True)
    assert result.proof.code == "bad-signature"
    assert issuer.code == "issuer-not-accredited"
    assert accreditation is None


def test_every_proof_that_counts_is_the_issuers(registrar, stranger):
    """A stranger's proof beside the issuer's is no matter where its suite is not accepted, and else fatal."""
    did, _ = did_key_method(registrar)
    document = add(add(unsigned(did), registrar), stranger, cryptosuite="ecdsa-jcs-2019")
    _, issuer, _ = judge(document, unsafe_any_issuer=True)
    assert issuer.outcome is Outcome.PASSED
    suites = frozenset({"eddsa-jcs-2022", "ecdsa-jcs-2019"})
    result, issuer, _ = judge(document, unsafe_any_issuer=True, suites=suites)
    assert result.proof.outcome is Outcome.PASSED
    assert issuer.code == "key-not-of-issuer"


def test_a_required_suite_is_not_met_with_a_strangers_key(registrar):
    """Who can forge the one suite does not get past the other by a key of their own."""
    did, _ = did_key_method(registrar)
    first = add(unsigned(did), registrar)
    result, _, _ = judge(first, suites=BOTH, required_suites=BOTH)
    assert (result.proof.outcome, result.proof.code) == (Outcome.FAILED, "required-suite-missing")
    assert result.verified is None
    forged = add(first, LocalSigner.generate(KeyType.ML_DSA_44), cryptosuite=QUANTUM_SAFE)
    result, issuer, _ = judge(forged, suites=BOTH, required_suites=BOTH, unsafe_any_issuer=True)
    assert result.proof.outcome is Outcome.PASSED
    assert issuer.code == "key-not-of-issuer"


def test_dates_of_all_proofs_are_within_the_accreditation(registrar):
    """Each proof's date of signing has to lie in the office's period."""
    from vcid.trust import Accreditation

    did, method = did_key_method(registrar)
    document = add(unsigned(did), registrar)
    later = ProofOptions(
        verification_method=method, created=START.replace(year=2020), cryptosuite="eddsa-rdfc-2022"
    )
    document = add_proof(document, registrar, later, contexts=CONTEXTS)
    granted = Accreditation(
        issuer=did,
        credential_types=frozenset({"ExampleBirthCredential"}),
        jurisdictions=frozenset({"*"}),
        valid_from=START.replace(year=2022),
    )
    _, issuer, _ = judge(document, accreditations=(granted,))
    assert issuer.outcome is Outcome.PASSED
    suites = frozenset({"eddsa-jcs-2022", "eddsa-rdfc-2022"})
    _, issuer, _ = judge(document, accreditations=(granted,), suites=suites)
    assert issuer.code == "outside-accreditation"


def test_any_json_ld_lets_respelled_statements_pass_when_asked_alone(registrar):
    """An inline context under an RDF suite fails by default, and passes where nobody reads claims."""
    did, method = did_key_method(registrar)
    inline = unsigned(did)
    inline["@context"].append({"office": "https://civil.example/#office"})
    options = ProofOptions(
        verification_method=method, cryptosuite="eddsa-rdfc-2022", unsafe_any_json_ld=True, created=START
    )
    document = add_proof(inline, registrar, options, contexts=CONTEXTS)
    suites = frozenset({"eddsa-rdfc-2022"})
    result, _, _ = judge(document, suites=suites)
    assert result.proof.code == "inline-context"
    result, _, _ = judge(document, suites=suites, unsafe_any_json_ld=True)
    assert result.proof.outcome is Outcome.PASSED


def test_a_birth_credential_carries_a_second_proof_from_issuing_to_verifying():
    """Issued as ever, a credential takes a proof more, and passes verifiers that know nothing of it."""
    world = World()
    issuer = world.issuer()
    issuer.publish()
    first = parse_object(issuer.issue(birth(), key="a").content)
    knowledge = world.knowledge(issuer)
    both = add(first, LocalSigner.generate(KeyType.ML_DSA_44), cryptosuite=QUANTUM_SAFE)
    assert world.verifier(world.policy(issuer), knowledge).check(canonicalize(both))
    strict = world.policy(issuer, suites=BOTH, required_suites=BOTH)
    report = world.verifier(strict, knowledge).check(both)
    assert report["issuer"].code == "key-not-of-issuer"
    assert world.verifier(strict, knowledge).check(first)["proof"].code == "required-suite-missing"
    damaged = copy.deepcopy(both)
    damaged["proof"][0]["created"] = "2026-03-01T12:00:01Z"
    report = world.verifier(replace(strict, required_suites=frozenset()), knowledge).check(damaged)
    assert report["proof"].code == "bad-signature"


BLS_KEY = (
    "zUC7H3rTKoLno9t5xadT1rcVqgFgdpvgkxdcin9zHpjnUcSohg8Zqoj3YRh62977bf6qxfwicSW2HdJY"
    "29ArDAghZpGuWekPtvbFtnapo7KXPZxQTuSqhLbnTdh4bmT3UXjxscr"
)
WITHOUT_EXTRA = """
import sys
sys.modules["py_arkworks_bls12381"] = None  # as where the extra is not installed
from datetime import UTC, datetime
from vcid.encoding.contexts import Contexts
from vcid.issuers import KnownIssuers
from vcid.knowledge import Knowledge
from vcid.policy import Policy
key = sys.argv[1]
proof = {"type": "DataIntegrityProof", "cryptosuite": "bbs-2023", "proofPurpose": "assertionMethod",
         "verificationMethod": f"did:key:{key}#{key}", "proofValue": "u2V0DhVhAQA"}
document = {"@context": ["https://www.w3.org/ns/credentials/v2"], "proof": proof}
issuers = KnownIssuers(Policy(suites=frozenset({"bbs-2023"})), Knowledge(), Contexts.carried())
result = issuers.check_proof(document, datetime.now(UTC))
print(result.key.outcome, result.proof.outcome)
"""


def test_a_suite_whose_package_is_missing_is_unknown_and_not_failed():
    """Where the extra is not installed, neither key nor proof can be judged, and nothing is called false."""
    command = [sys.executable, "-c", WITHOUT_EXTRA, BLS_KEY]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["unknown", "unknown"], done.stderr

"""A credential of the data model 1.1 before the verifier: its proof, its own dates, and its own faults."""

from datetime import timedelta
from typing import Any

import pytest

from vcid.dids.methods import did_key
from vcid.encoding.contexts import Contexts
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.policy import Policy
from vcid.report import Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from world import START, World

SIGNER = LocalSigner.generate()
DID = did_key(SIGNER.public_key)
SUITES_ALLOWED = frozenset({"eddsa-jcs-2022", "eddsa-rdfc-2022"})
CONTEXTS = ["https://www.w3.org/2018/credentials/v1", "https://w3id.org/security/data-integrity/v2"]


def signed(cryptosuite: str = "eddsa-jcs-2022", **changes: Any) -> dict[str, Any]:
    document = {
        "@context": CONTEXTS,
        "type": ["VerifiableCredential"],
        "issuer": DID,
        "issuanceDate": "2020-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:child"},
        **changes,
    }
    method = f"{DID}#{SIGNER.public_key.multikey}"
    options = ProofOptions(verification_method=method, created=START, cryptosuite=cryptosuite)
    return add_proof(document, SIGNER, options, contexts=Contexts.carried())


@pytest.fixture(scope="module")
def verifier():
    world = World()
    return world.verifier(Policy(unsafe_any_issuer=True, suites=SUITES_ALLOWED), Knowledge())


@pytest.mark.parametrize("cryptosuite", ["eddsa-jcs-2022", "eddsa-rdfc-2022"])
def test_an_older_credential_passes_by_its_own_rules(verifier, cryptosuite):
    """Model, key, proof and period are judged as those of a newer one."""
    report = verifier.check(signed(cryptosuite))
    for name in ("parse", "model", "key", "proof", "period"):
        assert report[name].outcome is Outcome.PASSED, str(report[name])
    assert report.document["issuanceDate"] == "2020-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"expirationDate": "2020-06-01T00:00:00Z"}, "expired"),
        ({"expirationDate": "2020-06-01T00:00:00"}, "expired"),
        ({"validUntil": "2020-06-01T00:00:00Z"}, "expired"),
        ({"issuanceDate": (START + timedelta(days=1)).isoformat()}, "not-yet-valid"),
    ],
)
def test_its_own_dates_count(verifier, changes, code):
    """An end under its older name ends it, as one under the newer name does."""
    assert verifier.check(signed(**changes))["period"].code == code


def test_its_own_faults_count(verifier):
    """A mandatory date that is gone, and a status without an id, are faults of its model."""
    without = signed()
    del without["issuanceDate"]
    assert verifier.check(without)["model"].code == "missing"
    assert verifier.check(without)["proof"].outcome is Outcome.FAILED
    changed = {**signed(), "credentialStatus": {"type": "BitstringStatusListEntry"}}
    assert verifier.check(changed)["model"].code == "missing"

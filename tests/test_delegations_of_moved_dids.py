"""Delegations between authorities whose did:webvh moved: every name that a log proves is the same office."""

import hashlib
from datetime import timedelta

import pytest

from histories import Controller
from vcid.credentials.delegation import Delegation
from vcid.credentials.model import Draft, build
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import canonicalize
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Anchored, Knowledge
from vcid.policy import Policy
from vcid.report import Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.trust import DELEGATION_TYPE, Accreditation
from vcid.verifier import Surroundings, Verifier
from world import START, Clock

BIRTH = "BirthRegistrationCredential"


class Moved:
    """A ministry and a region, each with its name of old and the one that it moved to."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.signers = [LocalSigner.generate(), LocalSigner.generate()]
        controllers = [
            Controller(self.clock, [signer.public_key], f"{name}.example")
            for signer, name in zip(self.signers, ("ministry", "region"), strict=True)
        ]
        self.old = [controller.did for controller in controllers]
        self.clock.advance(days=1)
        self.logs = [controller.move(f"new{number}.example") for number, controller in enumerate(controllers)]
        self.new = [controller.did for controller in controllers]
        self.clock.advance(days=1)

    def delegation(self, delegator: str, delegate: str) -> bytes:
        record = Delegation(
            delegate=delegate,
            credential_types=[BIRTH, DELEGATION_TYPE],
            jurisdictions=["KE"],
            valid_from=START,
            valid_until=START + timedelta(days=30),
            may_delegate=1,
            document_digest=hashlib.sha256(self.logs[1]).digest(),
        )
        return self.write(record, delegator, 0)

    def paper(self, issuer: str) -> bytes:
        """Something that only a delegate may issue: an appointment in its turn."""
        record = Delegation(
            delegate="did:web:officer.example",
            credential_types=[BIRTH],
            jurisdictions=["KE"],
            valid_from=START,
            valid_until=START + timedelta(days=20),
        )
        return self.write(record, issuer, 1)

    def write(self, record: Delegation, issuer: str, signer: int) -> bytes:
        document = build(
            Draft(
                issuer=issuer,
                types=[DELEGATION_TYPE],
                subject=record.to_subject(),
                valid_from=record.valid_from,
                valid_until=record.valid_until,
            )
        )
        method = f"{issuer}#{self.signers[signer].public_key.multikey}"
        options = ProofOptions(verification_method=method, created=self.clock.now)
        return canonicalize(add_proof(document, self.signers[signer], options, contexts=Contexts.carried()))

    def verifier(self, accredited: str, *delegations: bytes) -> Verifier:
        accreditation = Accreditation(
            issuer=accredited,
            credential_types=frozenset({BIRTH, DELEGATION_TYPE}),
            jurisdictions=frozenset({"KE"}),
            valid_until=START + timedelta(days=60),
            document_digest=hashlib.sha256(self.logs[0]).digest(),
        )
        policy = Policy(accreditations=(accreditation,), tolerated=frozenset({"status", "anchor"}))
        known = {did: Anchored(log) for did, log in zip(self.new, self.logs, strict=True)}
        knowledge = Knowledge(did_documents=known, delegations=delegations)
        return Verifier(policy, knowledge, surroundings=Surroundings(clock=self.clock))


@pytest.fixture(scope="module")
def moved():
    return Moved()


@pytest.mark.parametrize("accredited", ["old", "new"])
@pytest.mark.parametrize("delegator", ["old", "new"])
@pytest.mark.parametrize("delegate", ["old", "new"])
@pytest.mark.parametrize("issuer", ["old", "new"])
def test_any_names_of_the_same_offices_make_a_chain(moved, accredited, delegator, delegate, issuer):
    """The policy, the delegation and the paper may each use the name of their day."""
    link = moved.delegation(getattr(moved, delegator)[0], getattr(moved, delegate)[1])
    report = moved.verifier(getattr(moved, accredited)[0], link).check(moved.paper(getattr(moved, issuer)[1]))
    assert report, str(report)
    assert report["issuer"].detail == "appointed by delegation over 1 link"


@pytest.mark.parametrize("names", ["old", "new"])
def test_nobody_elses_names_make_a_chain(moved, names):
    """Another ministry's link, and no link, leave the region a stranger under both its names."""
    other = Moved()
    link = other.delegation(getattr(other, names)[0], getattr(moved, names)[1])
    paper = moved.paper(getattr(moved, names)[1])
    for pile in ((), (link,)):
        report = moved.verifier(moved.old[0], *pile).check(paper)
        assert (report["issuer"].outcome, report["issuer"].code) == (Outcome.UNKNOWN, "issuer-not-accredited")


@pytest.mark.parametrize(
    "did", ["did:webvh:", "did:webvh:x", "did:webvh::::", "", "did:", "did:webvh:Q:a:b#c", "x\ud800"]
)
def test_whatever_a_delegation_calls_its_parties_is_passed_over(moved, did):
    """A name that is none neither helps, harms nor raises."""
    good = moved.delegation(moved.new[0], moved.new[1])
    for name in (moved.new[0], moved.new[1]):
        junk = good.replace(name.encode(), did.encode("utf-8", "surrogatepass"))
        assert moved.verifier(moved.old[0], junk, good).check(moved.paper(moved.new[1]))

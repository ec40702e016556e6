"""Two-person issuance: nothing is signed that not enough registrars have read and approved as it stands."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.approvals import Approval, ApprovalRule, Proposal, Replacement, approve
from vcid.dids.methods import child_identity, did_key
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType
from vcid.errors import Behind, Conflict, InvalidProof, InvalidRecord
from vcid.holder import Holder
from vcid.keys.signing import LocalSigner
from vcid.orders import Order, Renewal
from world import World, birth

REGISTRARS = [LocalSigner.from_private_bytes(KeyType.ED25519, bytes([n]) * 32) for n in (1, 2, 3)]
RULE = ApprovalRule(frozenset(it.public_key for it in REGISTRARS))
STRANGER = LocalSigner.generate()


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def issuer(world):
    issuer = world.issuer(approval=RULE)
    issuer.publish()
    return issuer


def order(key="a", **changes):
    return Order(key=key, record=birth(**changes))


def approvals(world, proposal, *registrars):
    return [approve(proposal, it, clock=world.clock) for it in registrars]


def test_two_of_three_registrars_issue(world, issuer):
    """What was proposed is what is signed, word for word, and the result verifies."""
    proposal = issuer.propose(order())
    credential = issuer.issue_approved("a", approvals(world, proposal, *REGISTRARS[:2]))
    issuer.publish()
    signed = parse_object(credential.content)
    assert {name: value for name, value in signed.items() if name != "proof"} == proposal.document
    assert world.verifier(world.policy(issuer), world.knowledge(issuer)).check(credential)


def test_the_approvals_are_kept_and_verify_later(world, issuer):
    """An auditor checks each of them against the credential as it was issued."""
    proposal = issuer.propose(order())
    credential = issuer.issue_approved("a", approvals(world, proposal, *REGISTRARS[1:]))
    kept = issuer.approvals("a")
    assert {it.registrar for it in kept} == {it.public_key for it in REGISTRARS[1:]}
    signed = parse_object(credential.content)
    for approval in kept:
        approval.verify(signed)
        with pytest.raises(InvalidProof):
            approval.verify({**signed, "validFrom": "2020-01-01T00:00:00Z"})
    assert issuer.approvals("unknown") == ()


def test_nobody_issues_past_the_rule(world, issuer):
    """Neither one by one, nor many at once, nor by a renewal."""
    proposal = issuer.propose(order())
    old = issuer.issue_approved("a", approvals(world, proposal, *REGISTRARS))
    did = parse_object(old.content)["credentialSubject"]["id"]
    renewal = Renewal(key="b", former="a", dids={did: "did:web:other.example"})
    for act in (
        lambda: issuer.issue(birth(2), key="b"),
        lambda: list(issuer.issue_many([order("b")])),
        lambda: issuer.renew(renewal),
    ):
        with pytest.raises(Conflict) as caught:
            act()
        assert caught.value.code == "approval-needed"
    assert issuer.find("b") is None


def test_a_renewal_is_approved_like_any_other(world, issuer):
    """It supersedes the former credential when it is signed, not when it is proposed."""
    old = issuer.issue_approved("a", approvals(world, issuer.propose(order()), *REGISTRARS))
    did = parse_object(old.content)["credentialSubject"]["id"]
    proposal = issuer.propose(Renewal(key="b", former="a", dids={did: "did:web:other.example"}))
    assert not issuer.is_revoked("a")
    assert issuer.issue_approved("b", approvals(world, proposal, *REGISTRARS[:2]))
    assert issuer.is_superseded("a")
    assert not issuer.is_revoked("a")


class TestTooFew:
    """What does not do, by its code; and the proposal waits on."""

    @pytest.fixture
    def proposal(self, issuer):
        return issuer.propose(order())

    def refused(self, issuer, given, code):
        with pytest.raises(Conflict) as caught:
            issuer.issue_approved("a", given)
        assert caught.value.code == code
        assert issuer.find("a") is None

    def test_one_registrar_alone(self, world, issuer, proposal):
        """Not by approving once, nor twice, nor with a later clock."""
        once = approvals(world, proposal, REGISTRARS[0])
        world.clock.advance(hours=1)
        twice = [*once, *once, *approvals(world, proposal, REGISTRARS[0])]
        for few in ([], once, twice):
            self.refused(issuer, few, "not-approved")

    def test_a_stranger(self, world, issuer, proposal):
        """A key that is no registrar's approves nothing, even beside two that are."""
        self.refused(issuer, approvals(world, proposal, REGISTRARS[0], STRANGER), "bad-approval")
        self.refused(issuer, approvals(world, proposal, *REGISTRARS[:2], STRANGER), "bad-approval")

    def test_another_credential(self, world, issuer, proposal):
        """An approval of one child's credential is none of another's, nor of one that was changed since."""
        other = issuer.propose(Order(key="b", record=birth(2)))
        changed = canonicalize({**proposal.document, "validFrom": "2020-01-01T00:00:00Z"})
        for wrong in (other, Proposal("a", changed)):
            given = approvals(world, proposal, REGISTRARS[0]) + approvals(world, wrong, REGISTRARS[1])
            self.refused(issuer, given, "bad-approval")

    def test_a_signature_moved_to_another_registrar_or_moment(self, world, issuer, proposal):
        """Who approved, and when, is signed."""
        one, two = approvals(world, proposal, *REGISTRARS[:2])
        for forged in (
            replace(one, registrar=REGISTRARS[2].public_key),
            replace(one, approved_at=one.approved_at + timedelta(days=1)),
            replace(one, signature=bytes(64)),
        ):
            self.refused(issuer, [forged, two], "bad-approval")

    def test_nothing_proposed(self, issuer):
        """There is nothing to sign under another key."""
        with pytest.raises(Conflict) as caught:
            issuer.issue_approved("unknown", [])
        assert caught.value.code == "not-found"


class TestReplacing:
    """A renewal puts an end to somebody's paper: registrars see that, and sign it."""

    @pytest.fixture
    def old(self, world, issuer):
        return issuer.issue_approved("a", approvals(world, issuer.propose(order()), *REGISTRARS))

    @pytest.fixture
    def adult(self, world):
        signer = LocalSigner.generate()
        return Holder(did_key(signer.public_key), signer, clock=world.clock)

    def renewal(self, old, did):
        former = parse_object(old.content)["credentialSubject"]["id"]
        return Renewal(key="b", former="a", dids={former: did})

    def rebinding(self, issuer, old, adult, challenge="drawn-at-random"):
        answer = adult.prove_control(challenge="drawn-at-random", domain=issuer.did)
        return issuer.propose_rebinding(self.renewal(old, adult.did), answer, challenge=challenge)

    def test_a_rebinding_is_proposed_with_its_proof(self, world, issuer, old, adult):
        """The registrars read which credential ends, for whom, and that the new key was proven."""
        proposal = self.rebinding(issuer, old, adult)
        asked = self.renewal(old, adult.did)
        assert proposal.replacement == Replacement(old.id, asked.dids, is_control_proven=True)
        assert old.id.encode() not in proposal.content
        new = issuer.issue_approved("b", approvals(world, proposal, *REGISTRARS[:2]))
        assert parse_object(new.content)["credentialSubject"]["id"] == adult.did
        assert old.id.encode() not in new.content
        assert issuer.is_superseded("a")
        for approval in issuer.approvals("b"):
            assert approval.replacement == proposal.replacement
            approval.verify(parse_object(new.content))

    def test_without_its_proof_nothing_is_proposed(self, issuer, old, adult):
        """Neither by an answer to another challenge, nor by somebody else's."""
        with pytest.raises(InvalidProof):
            self.rebinding(issuer, old, adult, challenge="another")
        answer = adult.prove_control(challenge="drawn-at-random", domain=issuer.did)
        with pytest.raises(InvalidProof, match="other-holder"):
            issuer.propose_rebinding(
                self.renewal(old, child_identity().did), answer, challenge="drawn-at-random"
            )
        assert issuer.propose(Order(key="b", record=birth(2))), "the key is free"

    def test_a_renewal_without_proof_says_so(self, issuer, old, adult):
        """Registrars can tell it from one with proof, and it can't pass for one later."""
        proposal = issuer.propose(self.renewal(old, adult.did))
        assert not proposal.replacement.is_control_proven
        with pytest.raises(Conflict) as caught:
            self.rebinding(issuer, old, adult)
        assert caught.value.code == "proposed"
        issuer.withdraw("b")
        assert self.rebinding(issuer, old, adult).replacement.is_control_proven

    def test_who_approved_the_credential_alone_approved_no_end(self, world, issuer, old, adult):
        """What is replaced is signed: approvals without it, or of another, do not do."""
        proposal = self.rebinding(issuer, old, adult)
        unproven = replace(proposal.replacement, is_control_proven=False)
        for shown in (None, unproven, replace(unproven, credential_id="urn:example:1")):
            given = approvals(world, replace(proposal, replacement=shown), *REGISTRARS[:2])
            claimed = [replace(it, replacement=proposal.replacement) for it in given]
            for approved in (given, claimed):
                with pytest.raises(Conflict) as caught:
                    issuer.issue_approved("b", approved)
                assert caught.value.code == "bad-approval"
        assert not issuer.is_superseded("a")


def test_old_approvals_are_given_again(world, issuer):
    """Who approved long ago, or by a clock that runs ahead, may no longer, or not yet, approve."""
    proposal = issuer.propose(order())
    given = approvals(world, proposal, *REGISTRARS[:2])
    for moment in (timedelta(days=30, seconds=1), -timedelta(minutes=6)):
        world.clock.now = given[0].approved_at + moment
        with pytest.raises(Conflict) as caught:
            issuer.issue_approved("a", given)
        assert caught.value.code == "stale-approval"
    world.clock.now = given[0].approved_at + timedelta(days=30)
    assert issuer.issue_approved("a", given)


def test_what_was_revoked_before_it_was_approved_is_not_issued(world, issuer):
    """Nor proposed again; withdrawn, there is nothing left to approve, and its key stays taken."""
    given = approvals(world, issuer.propose(order()), *REGISTRARS[:2])
    issuer.revoke(key="a")
    for act in (lambda: issuer.issue_approved("a", given), lambda: issuer.propose(order())):
        with pytest.raises(Conflict) as caught:
            act()
        assert caught.value.code == "revoked"
    issuer.withdraw("a")
    for act in (lambda: issuer.issue_approved("a", given), lambda: issuer.withdraw("a")):
        with pytest.raises(Conflict, match="not-found"):
            act()
    assert issuer.is_revoked("a")


def test_a_rule_lets_approvals_be_of_some_age():
    """Approvals that are too old when they are made approve nothing."""
    with pytest.raises(ValueError, match="some age"):
        replace(RULE, max_age=timedelta(0))


def test_the_same_order_gives_the_same_proposal(world, issuer):
    """Asked again, or by another process, it is what the registrars have read; another record is refused."""
    proposal = issuer.propose(order())
    world.clock.advance(days=1)
    again = world.issuer(signer=issuer._signer, approval=RULE)
    assert again.propose(order()) == proposal
    with pytest.raises(Conflict, match="key-reused"):
        issuer.propose(Order(key="a", record=birth(2)))


def test_issuing_twice_gives_the_same(world, issuer):
    """A call that broke off is repeated without harm, with or without its approvals."""
    given = approvals(world, issuer.propose(order()), *REGISTRARS[:2])
    credential = issuer.issue_approved("a", given)
    assert issuer.issue_approved("a", given) == credential
    assert issuer.issue_approved("a", []) == credential
    with pytest.raises(Conflict) as caught:
        issuer.propose(order())
    assert caught.value.code == "issued"


def test_a_withdrawn_proposal_leaves_its_key_free(world, issuer):
    """Registrars who find a mistake let it be written again; approvals of the withdrawn one are none of it."""
    given = approvals(world, issuer.propose(order()), *REGISTRARS[:2])
    issuer.withdraw("a")
    corrected = issuer.propose(Order(key="a", record=birth(2)))
    with pytest.raises(Conflict, match="bad-approval"):
        issuer.issue_approved("a", given)
    assert issuer.issue_approved("a", approvals(world, corrected, *REGISTRARS[:2]))
    for key in ("a", "unknown"):
        with pytest.raises(Conflict, match="not-found"):
            issuer.withdraw(key)


def test_a_faulty_record_is_not_proposed(issuer):
    """All faults are told, and the key stays free."""
    with pytest.raises(InvalidRecord):
        issuer.propose(order(names=[]))
    assert issuer.propose(order())


def test_a_restored_registry_signs_no_proposal(world, issuer, tmp_path):
    """After a recovery, what waited is gone: who approved it approves it again."""
    proposal = issuer.propose(order())
    issuer._registry.recover({}, accept_loss=True)
    with pytest.raises((Conflict, Behind)):
        issuer.issue_approved("a", approvals(world, proposal, *REGISTRARS[:2]))


@pytest.mark.parametrize(
    ("registrars", "needed"), [([], 1), ([], 0), (REGISTRARS[:1], 2), (REGISTRARS, 0), (REGISTRARS, 4)]
)
def test_rules_that_can_not_be_met_are_refused(registrars, needed):
    """At least one, at most all."""
    with pytest.raises(ValueError, match="approval rule"):
        ApprovalRule(frozenset(it.public_key for it in registrars), needed)


@settings(max_examples=40)
@given(st.integers(0, 63), st.integers(0, 7))
def test_one_flipped_bit_of_a_signature_approves_nothing(position, bit):
    """No change of a bit is tolerated."""
    proposal = Proposal("a", canonicalize({"id": "urn:example:1"}))
    good = approve(proposal, REGISTRARS[0])
    signature = bytearray(good.signature)
    signature[position] ^= 1 << bit
    with pytest.raises(InvalidProof):
        Approval(good.registrar, good.approved_at, bytes(signature)).verify(proposal.document)


def test_reprs_show_nothing_of_anybody(world, issuer):
    """Neither the record nor the caller's key stands in what a log would print."""
    proposal = issuer.propose(order("secret-key"))
    (approval,) = approvals(world, proposal, REGISTRARS[0])
    assert "Amina" not in repr(proposal) + repr(approval)
    assert "secret-key" not in repr(proposal)

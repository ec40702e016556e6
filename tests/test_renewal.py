"""A credential issued again: after loss, or rebound at majority. The former one reads superseded, not revoked."""

import sqlite3
from dataclasses import replace

import pytest

from vcid.dids.methods import child_identity, did_key
from vcid.encoding.json import parse_object
from vcid.errors import Conflict, InvalidProof, InvalidRecord, Malformed, VcidError
from vcid.holder import Holder
from vcid.keys.custody import open_sealed, reseal, seal
from vcid.keys.signing import LocalSigner
from vcid.orders import Renewal
from vcid.report import Check, CheckName, Conclusion, Outcome
from vcid.status.bitstring import StatusListCredential
from vcid.statuses import _REPLACED, _Found, _weigh
from world import COURT, REGISTRY, World, birth

CHALLENGE = "drawn-at-random"


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def issuer(world):
    issuer = world.issuer()
    issuer.publish()
    return issuer


def check(world, issuer, credential):
    return world.verifier(world.policy(issuer), world.knowledge(issuer)).check(credential)


def subject(credential):
    return parse_object(credential.content)["credentialSubject"]


def renewal(credential, did=None, key="again", former="a"):
    return Renewal(key=key, former=former, dids={subject(credential)["id"]: did or child_identity().did})


class TestReissue:
    """After loss, from the registry, with no escrow."""

    def test_the_same_claims_under_a_new_identity(self, world, issuer):
        """All that was registered, the childRef included, under a DID and an id that never were before."""
        old = issuer.issue(birth(), key="a")
        new = issuer.renew(renewal(old))
        issuer.publish()
        before, after = parse_object(old.content), parse_object(new.content)
        fresh = ("id", "validFrom", "credentialStatus", "credentialSubject", "proof")
        assert {k: v for k, v in before.items() if k not in fresh} == {
            k: v for k, v in after.items() if k not in fresh
        }
        assert {**subject(new), "id": 0} == {**subject(old), "id": 0}
        assert subject(new)["id"] != subject(old)["id"]
        assert check(world, issuer, new)

    def test_the_former_one_reads_superseded(self, world, issuer):
        """Not failed, not tolerable, and without a word that points to the newer one."""
        old = issuer.issue(birth(), key="a")
        new = issuer.renew(renewal(old))
        assert check(world, issuer, old), "until the next publication"
        issuer.publish()
        report = check(world, issuer, old)
        assert report.conclusion is Conclusion.UNDECIDED
        assert (report[CheckName.STATUS].outcome, report[CheckName.STATUS].code) == (
            Outcome.UNKNOWN,
            "superseded",
        )
        tolerant = world.policy(issuer, tolerated=frozenset({"status"}))
        assert not world.verifier(tolerant, world.knowledge(issuer)).check(old)
        published = b"".join(it.content for it in issuer.published())
        for secret in (subject(new)["id"], new.id, "again"):
            assert secret.encode() not in published

    def test_software_that_reads_revocations_alone_turns_it_down(self, world, issuer):
        """Without the second list, the former credential is revoked: the safer word where less is known."""
        old = issuer.issue(birth(), key="a")
        issuer.renew(renewal(old))
        issuer.publish()
        knowledge = world.knowledge(issuer)
        lists = {url: it for url, it in knowledge.status_lists.items() if b'"revocation"' in it.content}
        assert len(lists) == 1
        report = world.verifier(world.policy(issuer), replace(knowledge, status_lists=lists)).check(old)
        assert report[CheckName.STATUS].code == "revoked"

    def test_the_registry_alone_knows_the_link(self, issuer):
        """The office can follow it, by its own keys."""
        old = issuer.issue(birth(), key="a")
        issuer.renew(renewal(old))
        assert issuer._registry.successor("a") == "again"
        assert issuer._registry.successor("again") is None

    def test_the_same_request_gives_the_same_credential(self, issuer):
        """A form sent twice renews once; another request under its key is refused."""
        asked = renewal(issuer.issue(birth(), key="a"))
        assert issuer.renew(asked) == issuer.renew(asked)
        with pytest.raises(Conflict, match="key-reused"):
            issuer.renew(replace(asked, dids={**asked.dids, COURT: REGISTRY}))

    def test_a_credential_is_succeeded_once(self, issuer):
        """Two that stand in for one would be two identities of one child."""
        old = issuer.issue(birth(), key="a")
        new = issuer.renew(renewal(old))
        with pytest.raises(Conflict) as caught:
            issuer.renew(renewal(old, key="other"))
        assert caught.value.code == "superseded"
        assert issuer.renew(renewal(new, key="third", former="again"))

    def test_a_revoked_credential_is_not_renewed(self, issuer):
        """Nor one that is not there."""
        old = issuer.issue(birth(), key="a")
        issuer.revoke(key="a")
        for former, code in (("a", "revoked"), ("unknown", "not-found")):
            with pytest.raises(Conflict) as caught:
                issuer.renew(renewal(old, former=former))
            assert caught.value.code == code
        assert issuer.issue(birth(2), key="again"), "the key was not used up"

    def test_a_did_that_is_not_there_is_told(self, issuer):
        """A request for another child's DID is a mistake, and leaves the former credential as it was."""
        issuer.issue(birth(), key="a")
        with pytest.raises(InvalidRecord, match="not-in-credential"):
            issuer.renew(Renewal(key="again", former="a", dids={COURT: REGISTRY}))
        assert not issuer.is_revoked("a")
        assert issuer.issue(birth(2), key="again")

    @pytest.mark.parametrize(
        "changes",
        [{"key": "a"}, {"key": ""}, {"former": ""}, {"dids": {"Amina": REGISTRY}}, {"dids": {COURT: "x"}}],
    )
    def test_requests_that_are_none_are_refused(self, changes):
        """Keys are different texts, identities DIDs."""
        with pytest.raises(ValueError):
            Renewal(**{"key": "b", "former": "a", "dids": {COURT: REGISTRY}, **changes})


class TestRevokingWhatWasRenewed:
    """A fraud goes on in whatever was issued in its place; a loss does not."""

    @pytest.fixture
    def chain(self, issuer):
        """Three credentials, each in the place of the one before."""
        first = issuer.issue(birth(), key="a")
        second = issuer.renew(renewal(first, key="b"))
        third = issuer.renew(renewal(second, key="c", former="b"))
        issuer.publish()
        return first, second, third

    @pytest.mark.parametrize("key", ["a", "b", "c"])
    def test_the_one_in_force_is_revoked_and_all_read_so(self, world, issuer, chain, key):
        """By whichever key: nothing of the chain verifies, and nobody is sent for a newer one."""
        assert [check(world, issuer, it)[CheckName.STATUS].code for it in chain[:2]] == ["superseded"] * 2
        assert check(world, issuer, chain[2])
        assert issuer.revoke(key=key)
        assert not issuer.revoke(key="c")
        issuer.publish()
        for credential in chain:
            report = check(world, issuer, credential)
            assert (report.conclusion, report[CheckName.STATUS].code) == (Conclusion.REJECTED, "revoked")

    def test_by_the_former_credential_too(self, issuer, chain):
        """The paper at hand is often the old one."""
        assert issuer.revoke(credential=chain[0])
        assert issuer.is_revoked("c")

    def test_superseded_and_revoked_are_told_apart(self, issuer, chain):
        """In the registry as in what is published."""
        assert [issuer.is_superseded(key) for key in "abc"] == [True, True, False]
        assert not any(issuer.is_revoked(key) for key in "abc")
        issuer.revoke(key="a")
        assert not any(issuer.is_superseded(key) for key in "abc")
        assert all(issuer.is_revoked(key) for key in "abc")
        for ask in (issuer.is_revoked, issuer.is_superseded):
            with pytest.raises(Conflict, match="not-found"):
                ask("unknown")

    def test_a_former_one_revoked_before_its_renewal_is_done(self, world, issuer):
        """What is only reserved is not in force: the former one is revoked, and the renewal refused."""
        old = issuer.issue(birth(), key="a")
        asked = renewal(old)
        reserved = issuer._registry.reserve("again", asked.digest, succeeds="a")
        assert issuer.revoke(key="a")
        with pytest.raises(Conflict, match="revoked"):
            issuer._registry.complete(reserved, old)

    def test_a_renewal_revoked_before_it_is_done(self, world, issuer):
        """It takes nothing from the former one, which can be renewed under another key."""
        old = issuer.issue(birth(), key="a")
        asked = renewal(old)
        issuer._registry.reserve("again", asked.digest, succeeds="a")
        issuer.revoke(key="again")
        issuer.publish()
        assert check(world, issuer, old)
        assert not issuer.is_revoked("a")
        with pytest.raises(Conflict, match="revoked"):
            issuer.renew(asked)
        assert issuer.renew(renewal(old, key="other"))

    def test_a_recovery_forgets_it_no_more_than_any_revocation(self, world, issuer, chain, tmp_path):
        """A backup from before has the chain superseded; what was published since says revoked."""
        with sqlite3.connect(tmp_path / "registry.db") as now, sqlite3.connect(tmp_path / "old.db") as then:
            now.backup(then)
        issuer.revoke(key="a")
        contents = {it.list_id: it.content for it in issuer.publish().lists}
        restored = world.issuer(signer=issuer._signer, registry=world.registry("old"))
        restored.recover(contents)
        restored.publish()
        for credential in chain:
            assert check(world, restored, credential)[CheckName.STATUS].code == "revoked"

    def test_what_is_unset_is_not_told_from_padding(self, issuer, chain):
        """Unset or not, each turn unsets as many of the statuses that say replaced, in steps of eight."""
        unset = []
        for revoked in ("", "a", ""):
            before = {it.list_id: set_indices(it) for it in issuer._registry.published_lists()}
            if revoked:
                issuer.revoke(key=revoked)
            after = {it.list_id: (it.purpose, set_indices(it)) for it in issuer.publish().lists}
            unset.append({purpose: len(before[url] - now) for url, (purpose, now) in after.items()})
        for counts in unset:
            assert counts["revocation"] == 0
            assert counts["refresh"] > 0
            assert counts["refresh"] % 8 == 0

    def test_another_issuers_word_hides_no_revocation(self, world, issuer, chain):
        """Who says that there is a newer one masks what the same issuer revoked, and no more."""
        found = [
            _Found(Check.failed(CheckName.STATUS, "revoked", ""), frozenset({REGISTRY})),
            _Found(_REPLACED, frozenset({COURT})),
        ]
        assert [it.code for it in _weigh(found)] == ["revoked", ""]
        own = _Found(_REPLACED, frozenset({REGISTRY, COURT}))
        assert [it.code for it in _weigh([found[0], own])] == ["superseded", ""]


def set_indices(publication):
    status_list = StatusListCredential.parse(parse_object(publication.content))
    return set(status_list.bits.set_indices())


class TestRebind:
    """At majority, to a key that the young adult alone holds."""

    @pytest.fixture
    def old(self, issuer):
        return issuer.issue(birth(), key="a")

    @pytest.fixture
    def adult(self, world):
        signer = LocalSigner.generate()
        return Holder(did_key(signer.public_key), signer, clock=world.clock)

    def test_control_of_the_new_key_is_proven(self, world, issuer, old, adult):
        """The credential names the key that answered; guardians' copies of the old one are worth nothing."""
        answer = adult.prove_control(challenge=CHALLENGE, domain=issuer.did)
        new = issuer.rebind(renewal(old, adult.did), answer, challenge=CHALLENGE)
        issuer.publish()
        assert subject(new)["id"] == adult.did
        assert check(world, issuer, new)
        assert check(world, issuer, old)[CheckName.STATUS].code == "superseded"
        shown = adult.present([new], challenge="border", domain="border.example")
        verifier = world.verifier(world.policy(issuer), world.knowledge(issuer))
        assert verifier.check_presentation(shown, challenge="border", domain="border.example")

    @pytest.mark.parametrize(
        ("challenge", "domain", "code"),
        [("another", REGISTRY, "wrong-challenge"), (CHALLENGE, COURT, "wrong-domain")],
    )
    def test_an_answer_to_another_is_refused(self, issuer, old, adult, challenge, domain, code):
        """Neither an old answer nor one for another office rebinds anything."""
        answer = adult.prove_control(challenge=challenge, domain=domain)
        with pytest.raises(InvalidProof) as caught:
            issuer.rebind(renewal(old, adult.did), answer, challenge=CHALLENGE)
        assert caught.value.code == code
        assert not issuer.is_revoked("a")

    def test_somebody_elses_proof_is_refused(self, issuer, old, adult):
        """Control of one's own key says nothing of another DID."""
        answer = adult.prove_control(challenge=CHALLENGE, domain=issuer.did)
        with pytest.raises(InvalidProof, match="other-holder"):
            issuer.rebind(renewal(old), answer, challenge=CHALLENGE)

    def test_an_altered_answer_is_refused(self, issuer, old, adult):
        """Another holder written into a good answer breaks its proof."""
        thief = child_identity().did
        answer = adult.prove_control(challenge=CHALLENGE, domain=issuer.did)
        forged = replace(answer, content=answer.content.replace(adult.did.encode(), thief.encode(), 1))
        for content in (forged, replace(answer, content=b"{}"), replace(answer, content=b"no JSON")):
            with pytest.raises((InvalidProof, Malformed)):
                issuer.rebind(renewal(old, thief), content, challenge=CHALLENGE)

    def test_one_holder_at_a_time(self, issuer, old, adult):
        """Two new DIDs can't both be proven by one answer."""
        answer = adult.prove_control(challenge=CHALLENGE, domain=issuer.did)
        asked = renewal(old, adult.did)
        with pytest.raises(ValueError, match="one holder"):
            issuer.rebind(replace(asked, dids={**asked.dids, COURT: REGISTRY}), answer, challenge=CHALLENGE)

    def test_the_challenge_is_not_empty(self, issuer, old, adult):
        """A proof for any challenge could be replayed."""
        answer = adult.prove_control(challenge=CHALLENGE, domain=issuer.did)
        with pytest.raises(ValueError, match="challenge"):
            issuer.rebind(renewal(old, adult.did), answer, challenge="")


class TestCustody:
    """The child's key on its way: sealed to guardians, opened, sealed again to others."""

    def test_from_birth_to_new_guardians(self, world, issuer):
        """Each guardian can open it; who comes later opens what is sealed again, who went can't."""
        identity, mother, aunt = child_identity(), LocalSigner.generate(), LocalSigner.generate()
        credential = issuer.issue(birth(), key="a", child_did=identity.did)
        sealed = seal(identity.signer, [mother.public_key])
        handed_on = reseal(sealed, mother, [aunt.public_key])
        child = open_sealed(handed_on, aunt)
        shown = Holder(identity.did, child, clock=world.clock).present(
            [credential], challenge="c", domain="school.example"
        )
        verifier = world.verifier(world.policy(issuer), world.knowledge(issuer))
        assert verifier.check_presentation(shown, challenge="c", domain="school.example")
        for sealed_key, stranger in (
            (handed_on, mother),
            (sealed, aunt),
            (handed_on, LocalSigner.generate()),
        ):
            with pytest.raises(VcidError):
                open_sealed(sealed_key, stranger)
        with pytest.raises(VcidError):
            reseal(sealed, aunt, [aunt.public_key])


def test_orders_and_renewals_share_one_space_of_keys(issuer):
    """A key stands for one thing, whichever way it came."""
    old = issuer.issue(birth(), key="a")
    issuer.issue(birth(2), key="b")
    with pytest.raises(Conflict, match="key-reused"):
        issuer.renew(renewal(old, key="b"))

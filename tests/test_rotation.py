"""An issuer goes over to another key: what it signed still holds, and the former key signs nothing more."""

from dataclasses import replace

import pytest

from vcid.drafting import Practice
from vcid.encoding.dates import parse_timestamp
from vcid.encoding.multikey import KeyType
from vcid.errors import Behind, Conflict
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.ledger.entries import Entry, Kind
from vcid.report import CheckName
from world import COURT, REGISTRY, World, birth


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def opened(world, signer):
    """The issuer as another process opens it."""
    return world.issuer(signer=signer)


def policy(world, issuer):
    """A policy that follows the issuer's document instead of pinning one."""
    return world.policy(issuer, accreditations=(world.accreditation(issuer, document_digest=None),))


def check(world, issuer, credential, rules=None):
    return world.verifier(rules or policy(world, issuer), world.knowledge(issuer)).check(credential)


@pytest.mark.parametrize("key_type", [KeyType.ED25519, KeyType.P256, KeyType.P384])
def test_credentials_of_both_keys_verify(world, key_type):
    """After a change, to a key of any kind, the old credential and a new one pass the same policy as before."""
    issuer = world.issuer()
    issuer.publish()
    rules = replace(policy(world, issuer), suites=frozenset({"eddsa-jcs-2022", "ecdsa-jcs-2019"}))
    old = issuer.issue(birth(1), key="old")
    after = issuer.rotate(LocalSigner.generate(key_type))
    new = after.issue(birth(2), key="new")
    assert after.owner == issuer.owner
    for credential in (old, new):
        assert check(world, after, credential, rules), check(world, after, credential, rules)
    world.ledger.audit()


def test_revocation_goes_on_with_the_next_key(world):
    """What the former key issued, the next one revokes."""
    issuer = world.issuer()
    issuer.publish()
    old = issuer.issue(birth(1), key="old")
    after = issuer.rotate(LocalSigner.generate())
    after.revoke(key="old")
    after.publish()
    assert check(world, after, old)[CheckName.STATUS].code == "revoked"


def test_the_former_key_neither_issues_nor_publishes(world):
    """In this process and in any other that still has it."""
    signer = LocalSigner.generate()
    issuer = opened(world, signer)
    issuer.publish()
    issuer.rotate(LocalSigner.generate())
    for former in (issuer, opened(world, signer)):
        for act in (lambda it=former: it.issue(birth(), key="late"), former.publish):
            with pytest.raises(Conflict) as caught:
                act()
            assert caught.value.code == "not-owner"
        with pytest.raises(Conflict, match="not-owner"):
            former.rotate(LocalSigner.generate())


def test_a_thief_of_the_former_key_supersedes_nothing(world):
    """A list signed with the key given up is not taken by the log, so the true one stays the newest."""
    signer = LocalSigner.generate()
    issuer = opened(world, signer)
    issuer.publish()
    after = issuer.rotate(LocalSigner.generate())
    credential = after.issue(birth(), key="a")
    published = after.publish().lists[0]
    forged = Entry.sign(
        signer,
        kind=Kind.STATUS_LIST,
        list_id=published.list_id,
        seq=published.seq + 1,
        digest=bytes(32),
    )
    with pytest.raises(Conflict, match="not-owner"):
        world.ledger.append([forged])
    assert check(world, after, credential)


def test_knowledge_from_before_the_change_still_serves(world):
    """A border post that has not heard of it decides as before, until its evidence is too old."""
    issuer = world.issuer()
    issuer.publish()
    old = issuer.issue(birth(1), key="old")
    rules, before = policy(world, issuer), world.knowledge(issuer)
    issuer.rotate(LocalSigner.generate())
    assert world.verifier(rules, before).check(old)


def test_a_change_that_broke_off_is_done_again(world):
    """Before the ledger names it, the next key opens nothing, and the former one rotates again."""
    signer, following = LocalSigner.generate(), LocalSigner.generate()
    issuer = opened(world, signer)
    issuer.publish()
    with pytest.raises(Conflict, match="other-registry"):
        opened(world, following)
    assert issuer.rotate(following).issue(birth(), key="a")


def test_the_next_key_finishes_what_the_former_began(world):
    """With the change in the ledger and no list signed anew, publishing with the next key mends it."""
    signer, following = LocalSigner.generate(), LocalSigner.generate()
    issuer = opened(world, signer)
    issuer.publish()
    credential = issuer.issue(birth(), key="a")
    world.ledger.append([issuer._topics.change_key(following.public_key)])
    world.ledger.publish()
    report = check(world, issuer, credential)
    assert (report[CheckName.ANCHOR].code, bool(report)) == ("not-anchored", False)
    after = opened(world, following)
    after.publish()
    assert check(world, after, credential)


def test_two_changes_at_once_name_one_key(world):
    """The one that the ledger does not take changes nothing, and its key is listed by nobody."""
    signer, one, other = LocalSigner.generate(), LocalSigner.generate(), LocalSigner.generate()
    first, second = opened(world, signer), opened(world, signer)
    first.publish()
    after = first.rotate(one)
    with pytest.raises(Conflict, match="not-owner"):
        second.rotate(other)
    assert opened(world, one).document == after.document
    assert other.public_key.multikey not in str(after.document)


def test_a_registry_from_before_the_change_is_recovered_with_the_next_key(world, tmp_path):
    """A backup knows the former key alone; the ledger names the others, and all credentials verify."""
    signer, following, last = (LocalSigner.generate() for _ in range(3))
    issuer = opened(world, signer)
    issuer.publish()
    old = issuer.issue(birth(1), key="old")
    backup = {path: path.read_bytes() for path in tmp_path.glob("registry.db*")}
    issuer = issuer.rotate(following)
    middle = issuer.issue(birth(2), key="middle")
    issuer = issuer.rotate(last)
    published = {it.id: it.content for it in issuer.published() if it.kind is Kind.STATUS_LIST}
    issuer._registry.close()
    for path in tmp_path.glob("registry.db*"):
        path.unlink()
    for path, content in backup.items():
        path.write_bytes(content)
    restored = opened(world, last)
    with pytest.raises(Behind):
        restored.issue(birth(3), key="new")
    restored.recover(published)
    restored.publish()
    new = restored.issue(birth(3), key="new")
    for credential in (old, middle, new):
        assert check(world, restored, credential), check(world, restored, credential)


def test_second_signers_stay_listed(world):
    """A key that signed beside the first is listed for good: changed or dropped, its credentials verify."""
    first, second = (LocalSigner.generate(KeyType.ML_DSA_44) for _ in range(2))
    issuer = world.issuer(second_signers=(first,))
    issuer.publish()
    suites = frozenset({"eddsa-jcs-2022", "mldsa44-jcs-2024"})
    old = issuer.issue(birth(1), key="old")
    for seconds in ((second,), ()):
        issuer = issuer.rotate(
            LocalSigner.generate(), practice=replace(issuer._practice, second_signers=seconds)
        )
        rules = replace(policy(world, issuer), suites=suites)
        required = suites if seconds else frozenset()  # the lists are secured by the keys of today
        assert check(world, issuer, old, replace(rules, required_suites=required))
        assert check(world, issuer, issuer.issue(birth(2), key=f"new {len(seconds)}"), rules)


def test_a_stolen_key_is_marked_for_good(world):
    """What it signs after the theft is refused, whoever opens the issuer later; time-honest, the rest stands."""
    signer, following = LocalSigner.generate(), LocalSigner.generate()
    issuer = opened(world, signer)
    issuer.publish()
    old = issuer.issue(birth(1), key="old")
    issuer.publish()
    receipt = issuer.existence("old")
    world.clock.advance(days=30)
    stolen = world.clock.now
    world.clock.advance(days=30)
    issuer.rotate(following, compromised_since=stolen)
    after = opened(world, following)
    (former,) = (
        it for it in after.document["verificationMethod"] if it["id"].endswith(signer.public_key.multikey)
    )
    assert parse_timestamp(former["revoked"]) == stolen
    after.publish()
    rules = policy(world, after)
    assert check(world, after, old, rules)[CheckName.KEY].code == "key-revoked"
    honest = world.verifier(replace(rules, time_honest=True), world.knowledge(after))
    assert honest.check(old, existence=[receipt])
    assert honest.check(old)[CheckName.KEY].code == "key-closed"


def test_keys_that_can_not_sign_entries_are_refused_in_time(world):
    """An ML-DSA key has no room in the ledger: it opens no issuer, and is noted nowhere."""
    signer, unfit = LocalSigner.generate(), LocalSigner.generate(KeyType.ML_DSA_44)
    with pytest.raises(ValueError, match="second signer"):
        opened(world, unfit)
    issuer = opened(world, signer)
    issuer.publish()
    with pytest.raises(ValueError, match="second signer"):
        issuer.rotate(unfit, compromised_since=world.clock.now)
    assert unfit.public_key.multikey not in str(opened(world, signer).document)
    assert "revoked" not in str(opened(world, signer).document)


def test_a_document_of_ones_own_has_to_list_the_key(world):
    """A DID document that is handed in is used as it is; one without the next key, or another DID's, is refused."""
    issuer = world.issuer()
    issuer.publish()
    following = LocalSigner.generate()
    for document in (issuer.document, {**issuer.document, "id": COURT}, {"id": 3}):
        with pytest.raises(ValueError, match="document"):
            issuer.rotate(following, practice=replace(issuer._practice, document=document))
    assert issuer.issue(birth(), key="still the former key")


def test_retired_keys_stay_listed(world):
    """The document lists every key ever used, so that Knowledge needs nothing else for old credentials."""
    issuer = world.issuer()
    issuer.publish()
    keys = [issuer.owner]
    for _ in range(3):
        following = LocalSigner.generate()
        issuer = issuer.rotate(following)
        keys.append(following.public_key)
    listed = [method["publicKeyMultibase"] for method in issuer.document["verificationMethod"]]
    assert listed == [key.multikey for key in keys]
    assert isinstance(world.knowledge(issuer), Knowledge)


def test_an_issuer_of_another_key_is_still_refused(world):
    """Rotation opens the registry to keys that were named with the former one, and to no others."""
    issuer = world.issuer()
    issuer.publish()
    issuer.rotate(LocalSigner.generate())
    with pytest.raises(Conflict, match="other-registry"):
        Issuer(
            REGISTRY,
            LocalSigner.generate(),
            registry=world.registry(),
            ledger=world.ledger,
            practice=Practice(clock=world.clock),
        )

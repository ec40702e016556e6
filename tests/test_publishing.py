"""Publications at the same time, and those after a change of key: nothing that was anchored is lost sight of."""

import threading

import pytest

from vcid.credentials.envelopes import CREDENTIAL, read_secured
from vcid.errors import Conflict
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge, Published
from vcid.ledger.batches import date_existence
from vcid.ledger.entries import Kind
from vcid.report import CheckName
from vcid.securing.existence import existence_digest
from vcid.status.registry import PreparedBatch, Registry
from world import World, birth


class Held(Registry):
    """A registry whose user is held up, once, after its batch is prepared or before it is confirmed."""

    step = ""

    def hold(self, step):
        self.step, self.reached, self.go = step, threading.Event(), threading.Event()
        return self

    def pass_by(self, step):
        if step == self.step and not self.go.is_set():
            self.reached.set()
            assert self.go.wait(30)

    def prepare_batch(self):
        prepared = super().prepare_batch()
        self.pass_by("prepared")
        return prepared

    def confirm_publication(self, publications):
        self.pass_by("anchored")
        super().confirm_publication(publications)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def held(world, signer, step):
    """An issuer that publishes in a thread of its own, up to a step."""
    registry = Held.open(world.url("registry"), clock=world.clock).hold(step)
    thread = threading.Thread(target=world.issuer(signer=signer, registry=registry).publish)
    thread.start()
    assert registry.reached.wait(30)
    return registry, thread


def existed(world, issuer, key):
    secured = read_secured(issuer.find(key), CREDENTIAL).secured
    return date_existence(existence_digest(secured), issuer.existence(key), world.log_policy)


def test_a_late_publisher_hides_no_batch(world):
    """One that wakes up with yesterday's batch anchors it no second time, and today's keeps its number."""
    signer = LocalSigner.generate()
    issuer = world.issuer(signer=signer)
    issuer.publish()
    issuer.issue(birth(1), key="a")
    late, late_thread = held(world, signer, "prepared")
    issuer.publish()
    issuer.issue(birth(2), key="b")
    today, today_thread = held(world, signer, "anchored")
    late.go.set()
    late_thread.join(30)
    today.go.set()
    today_thread.join(30)
    assert existed(world, issuer, "a")
    assert existed(world, issuer, "b")


def test_a_batch_is_anchored_once_whichever_key_did(world):
    """A change of key puts no batch into the ledger again; one that is not there has no number."""
    issuer = world.issuer()
    issuer.publish()
    issuer.issue(birth(), key="a")
    batch = world.registry().prepare_batch()
    world.ledger.append([issuer._topics.batch_entry(batch)])
    after = issuer.rotate(LocalSigner.generate())
    assert after._topics.require_batch(batch) == issuer._topics.require_batch(batch) == 1
    assert after._topics.find_batch(PreparedBatch(0, batch.digest, 1)) is None, "it comes after its own"
    assert existed(world, after, "a")
    with pytest.raises(Conflict, match="not-found"):
        after._topics.require_batch(PreparedBatch(0, bytes(32), -1))


class TestLostLists:
    """Lists that a recovery gave up for lost, which verifiers may still hold."""

    @pytest.fixture
    def lost(self, world):
        """An issuer on an empty registry, a credential of its lost lists, and their last contents."""
        signer = LocalSigner.generate()
        issuer = world.issuer(signer=signer)
        issuer.publish()
        credential = issuer.issue(birth(), key="a")
        last = issuer.publish().lists
        again = world.issuer(signer=signer, registry=world.registry("empty"))
        assert len(again.recover(accept_loss=True).lost) == len(last)
        again.publish()
        return again, credential, last

    def check(self, world, issuer, credential, last):
        contents = [
            Published(kind=Kind.STATUS_LIST, id=it.list_id, owner=issuer.owner, content=it.content)
            for it in last
        ]
        policy = world.policy(issuer, accreditations=(world.accreditation(issuer, document_digest=None),))
        knowledge = Knowledge.gather(world.ledger, [*issuer.published(), *contents])
        return world.verifier(policy, knowledge).check(credential)

    def test_they_go_over_to_the_next_key(self, world, lost):
        """What verified before a change of key verifies after it, and after the next one too."""
        issuer, credential, last = lost
        assert self.check(world, issuer, credential, last)
        for _ in range(2):
            issuer = issuer.rotate(LocalSigner.generate())
            report = self.check(world, issuer, credential, last)
            assert report, report
        issuer.publish()
        assert self.check(world, issuer, credential, last)
        world.ledger.audit()

    def test_they_are_signed_anew_only_then(self, world, lost):
        """An ordinary publication leaves them as they stand."""
        issuer, _, last = lost
        topics = [list_hash for list_hash in issuer._topics.scan() if len(list_hash) == 32]
        before = {list_hash: issuer._topics.scan()[list_hash].seq for list_hash in topics}
        issuer.publish()
        after = issuer._topics.scan()
        kept = [list_hash for list_hash in topics if after[list_hash].seq == before[list_hash]]
        assert len(kept) == len(last)

    def test_a_change_that_broke_off_raises_no_alarm(self, world, lost):
        """The registry notes the next number first: it is never behind for what it did itself."""
        issuer, credential, last = lost
        registry = issuer._registry
        registry.advance_lost(dict.fromkeys(registry.lost_lists(), 9))
        after = issuer.rotate(LocalSigner.generate())
        after.publish()
        assert not registry.check_against(after._scan_heads())
        assert self.check(world, after, credential, last)[CheckName.ANCHOR]

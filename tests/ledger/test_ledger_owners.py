"""A topic's owner changes the key: the next one signs, the one given up never again, and receipts say which."""

import dataclasses

import pytest

from ledger.scene import NOW, Scene, digest, signer
from vcid.errors import Conflict, InvalidProof
from vcid.ledger.anchor import Outcome
from vcid.ledger.entries import Entry, Kind, key_digest, owner_topic
from vcid.ledger.heads import HeadsMap
from vcid.ledger.receipts import HeadReceipt
from vcid.ledger.replay import Replay

SECOND, THIRD = signer(21), signer(22)


def change(scene, before, after, seq=0):
    return Entry.change_key(before, after.public_key, seq=seq, owner=scene.owner.public_key)


def entry(scene, by, seq, content=None, **fields):
    content = digest(seq if content is None else content)
    fields = {"kind": Kind.STATUS_LIST, "list_id": "https://civil.example/status/1", **fields}
    return Entry.sign(by, owner=scene.owner.public_key, seq=seq, digest=content, **fields)


def published(scene, *entries):
    scene.ledger.append(entries)
    return scene.ledger.publish()


def test_the_next_key_signs_and_the_receipts_hold(scene):
    """After a change, entries by the new key continue the first owner's topics, and are judged as the newest."""
    published(scene, scene.entry(0), change(scene, scene.owner, SECOND))
    view = published(scene, entry(scene, SECOND, 1))
    receipt = scene.ledger.head(scene.topic())
    assert scene.judge(1, entry(scene, SECOND, 1), receipt, view)
    scene.ledger.audit()
    read = HeadReceipt.parse(receipt.body)
    assert read.encode() == receipt
    assert read.key.entry.digest == key_digest(SECOND.public_key)


def test_keys_change_many_times(scene):
    """Each key names the next; the newest alone signs, in one batch with the change and in later ones."""
    published(
        scene, change(scene, scene.owner, SECOND), change(scene, SECOND, THIRD, 1), entry(scene, THIRD, 0)
    )
    back = published(scene, change(scene, THIRD, scene.owner, 2), scene.entry(1))
    assert scene.judge(1, scene.entry(1), scene.ledger.head(scene.topic()), back)
    scene.ledger.audit()


def test_a_key_given_up_appends_nothing_more(scene):
    """Neither the first key nor one in between signs an entry, or a further change, once it was given up."""
    published(scene, change(scene, scene.owner, SECOND), change(scene, SECOND, THIRD, 1))
    for by in (scene.owner, SECOND):
        for late in (entry(scene, by, 0), change(scene, by, signer(23), 2)):
            with pytest.raises(Conflict, match="not-owner"):
                scene.ledger.append([late])
    scene.ledger.append([entry(scene, THIRD, 0)])


def test_a_strangers_key_changes_nothing(scene):
    """A change has to be signed by the key in force: nobody else's is taken, before or after the first one."""
    for seq in (0, 1):
        with pytest.raises(Conflict, match="not-owner"):
            scene.ledger.append([change(scene, signer(9), signer(9), seq)])
        if not seq:
            scene.ledger.append([change(scene, scene.owner, SECOND)])


def test_a_key_not_yet_in_force_appends_nothing(scene):
    """The order of a batch counts: what the next key signs comes after the change."""
    with pytest.raises(Conflict, match="not-owner"):
        scene.ledger.append([entry(scene, SECOND, 0), change(scene, scene.owner, SECOND)])
    assert scene.ledger.entries(0, 9) == []


def test_other_owners_are_not_concerned(scene):
    """A change of one owner's key leaves every other owner's as it is."""
    other = signer(30)
    published(scene, change(scene, scene.owner, SECOND), scene.entry(0, owner=other))
    with pytest.raises(Conflict, match="not-owner"):
        scene.ledger.append([entry(scene, other, 0)])


def test_a_topic_not_signed_again_is_no_longer_anchored(scene):
    """A list whose newest entry is by the key given up proves nothing until its owner signs it again."""
    view = published(scene, scene.entry(0), change(scene, scene.owner, SECOND))
    judged = scene.judge(0, scene.entry(0), scene.ledger.head(scene.topic()), view)
    assert (judged.outcome, judged.code) == (Outcome.NOT_ANCHORED, "key-given-up")
    view = published(scene, entry(scene, SECOND, 1, 0))
    assert scene.judge(0, entry(scene, SECOND, 1, 0), scene.ledger.head(scene.topic()), view)


def test_the_witness_remembers_keys_across_checkpoints(scene):
    """A log that lets a key given up append is refused by a witness, even many checkpoints later."""
    published(scene, change(scene, scene.owner, SECOND))
    published(scene, entry(scene, SECOND, 0))
    late = scene.entry(1)
    with scene.ledger._store.write() as writer:
        from vcid.ledger import appending

        rows, _ = appending.rows(writer, [late])
        writer.append(rows)
    with pytest.raises(Conflict, match="not-owner"):
        scene.ledger.publish()
    with pytest.raises(Conflict, match="not-owner"):
        scene.ledger.audit()


def test_a_replay_taken_up_later_knows_the_keys():
    """From the heads and keys of a point, a replay goes on exactly as one from the first leaf."""
    scene = Scene()
    first = Replay()
    for leaf in (change(scene, scene.owner, SECOND), entry(scene, SECOND, 0)):
        first.apply(leaf.encode())
    for late, known in ((scene.entry(1), first.keys.changed), (entry(scene, SECOND, 1), {})):
        with pytest.raises(Conflict, match="not-owner"):
            Replay(first.frontier, first.heads.values(), known).apply(late.encode())
    Replay(first.frontier, first.heads.values(), first.keys.changed).apply(entry(scene, SECOND, 1).encode())


class TestReceipt:
    """A receipt can't leave out which key is in force, nor say another one."""

    @pytest.fixture
    def told(self):
        scene = Scene()
        published(scene, scene.entry(0), change(scene, scene.owner, SECOND), entry(scene, SECOND, 1))
        return scene, HeadReceipt.parse(scene.ledger.head(scene.topic()).body)

    def test_without_the_key(self, told):
        """Silence about the key is no proof."""
        scene, receipt = told
        with pytest.raises(InvalidProof, match="owner-key"):
            dataclasses.replace(receipt, key=None).verify_proofs(scene.topic())

    def test_with_another_owners_key(self, told):
        """The change of somebody else's key is about another topic."""
        scene, receipt = told
        with pytest.raises(InvalidProof, match="wrong-topic"):
            dataclasses.replace(receipt, key=receipt.found).verify_proofs(scene.topic())

    def test_with_a_change_that_is_not_the_newest(self, told):
        """An older change, or none, does not lead to the root of the map."""
        scene, receipt = told
        older = dataclasses.replace(receipt.key, entry=None)
        with pytest.raises(InvalidProof):
            dataclasses.replace(receipt, key=older).verify_proofs(scene.topic())
        other = HeadsMap([(owner_topic(scene.owner.public_key), 0, bytes(32))])
        forged = dataclasses.replace(receipt.key, places=(other.newest(owner_topic(scene.owner.public_key)),))
        with pytest.raises(InvalidProof):
            dataclasses.replace(receipt, key=forged).verify_proofs(scene.topic())

    def test_the_topic_of_changes_proves_itself(self, told):
        """The newest change of key has a receipt of its own, with no key beside it."""
        scene, _ = told
        topic = owner_topic(scene.owner.public_key)
        receipt = HeadReceipt.parse(scene.ledger.head(topic).body)
        receipt.verify_proofs(topic)
        assert receipt.key is None
        with pytest.raises(InvalidProof, match="owner-key"):
            dataclasses.replace(receipt, key=receipt.found).verify_proofs(topic)

    def test_old_receipts_keep_their_time(self, told):
        """A receipt from before the change is stale at the newer view, not wrong."""
        scene, _ = told
        scene = Scene()
        published(scene, scene.entry(0))
        old = scene.ledger.head(scene.topic())
        view = published(scene, change(scene, scene.owner, SECOND), entry(scene, SECOND, 1))
        judged = scene.judge(0, scene.entry(0), old, view, now=NOW)
        assert judged.outcome is Outcome.STALE

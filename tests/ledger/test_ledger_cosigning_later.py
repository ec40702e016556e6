"""A published checkpoint is cosigned later, by witnesses that could not at once."""

from datetime import timedelta

import pytest

from ledger.scene import NOW, ORIGIN
from vcid.errors import Conflict, Unavailable


class Late:
    """A witness that doesn't answer until it is told to."""

    def __init__(self, witness):
        self.witness = witness
        self.awake = False
        self.key = witness.key

    def checkpoint(self, origin):
        return self.witness.checkpoint(origin)

    def add_checkpoint(self, old_size, proof, note, entries):
        if not self.awake:
            raise Unavailable("asleep")
        return self.witness.add_checkpoint(old_size, proof, note, entries)


@pytest.fixture
def late(scene):
    """The scene's second witness sleeps."""
    made = Late(scene.witnesses[1])
    scene.ledger = scene.open(witnesses=[scene.witnesses[0], made])
    return made


def times(scene, view):
    return scene.policy.examine(view.note).times


def test_a_cosignature_that_was_missing_is_added(scene, late):
    """In every backend, for good, and those that were there stay as they are."""
    scene.ledger.append([scene.entry()])
    view = scene.ledger.publish()
    assert list(times(scene, view)) == ["w0.example"]
    late.awake = True
    scene.times[:] = [NOW + timedelta(hours=1)] * 2
    grown = scene.ledger.cosign()
    hour = int(NOW.timestamp()) + 3600
    assert times(scene, grown) == {"w0.example": hour - 3600, "w1.example": hour}
    assert (grown.size, grown.root) == (view.size, view.root)
    assert scene.ledger.checkpoint() == grown
    assert scene.ledger.cosign() == grown
    receipt = scene.ledger.head(scene.topic())
    assert scene.judge(entry=scene.entry(), receipt=receipt, view=grown, now=NOW + timedelta(hours=1))
    scene.ledger.audit()


def test_an_older_checkpoint_is_cosigned_by_who_knows_nothing_newer(scene, late):
    """Whoever moved on passes it over; the newest one stays the newest."""
    scene.ledger.append([scene.entry()])
    small = scene.ledger.publish()
    large = scene.ledger.publish()
    late.awake = True
    assert set(times(scene, scene.ledger.cosign(small.size))) == {"w0.example", "w1.example"}
    assert scene.ledger.checkpoint() == large
    assert scene.witnesses[0].checkpoint(ORIGIN) is not None
    with pytest.raises(Conflict, match="not-found"):
        scene.ledger.cosign(1)


def test_nobody_there_is_said(scene, late):
    """With no witness awake nothing is changed."""
    scene.ledger = scene.open(witnesses=[late])
    with pytest.raises(Unavailable):
        scene.ledger.publish()
    with pytest.raises(Conflict, match="not-found"):
        scene.ledger.cosign()

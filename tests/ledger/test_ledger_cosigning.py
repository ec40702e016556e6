"""A log's side of its witnesses: one that shows no checkpoints is used, and one that was shown another log tells."""

import pytest

from ledger.scene import ORIGIN, Scene, signer
from vcid.errors import Behind, Conflict
from vcid.ledger.evidence import verify_evidence
from vcid.ledger.log import Ledger
from vcid.ledger.notes import Checkpoint, Note, NoteKey
from vcid.ledger.store import MemoryStore
from vcid.ledger.witness_http import Answer, HttpWitness
from vcid.ledger.witness_plain import PlainWitness
from vcid.ledger.witness_requests import AddCheckpoint, PieceReader

KEY = NoteKey.of_log(ORIGIN, signer(1).public_key)


class Unmonitored:
    """A witness over a transport by the letter of tlog-witness, without what monitors retrieve."""

    def __init__(self, witness, *, replays=True, told=None):
        self.witness, self.replays, self.told = witness, replays, told
        self.sizes = []

    def get(self, path):
        return Answer(404, b"")

    def post(self, path, content_type, body):
        pieces = PieceReader(body)
        asked = pieces.request() if self.replays else AddCheckpoint.parse(b"".join(body))
        self.sizes.append(asked.old_size)
        leaves = pieces.leaves() if self.replays else ()
        try:
            line = self.witness.add_checkpoint(asked.old_size, asked.proof, asked.note, leaves)
        except Conflict:
            known = Checkpoint.parse(Note.parse(self.witness.checkpoint(ORIGIN)).text).size
            return Answer(409, f"{known if self.told is None else self.told}\n".encode())
        return Answer(200, line)


def used(scene, transport, key):
    return scene.open(witnesses=[HttpWitness(key, transport, replays=transport.replays)])


@pytest.mark.parametrize("replays", [True, False])
def test_a_witness_that_shows_no_checkpoint_is_asked_again_from_where_it_is(replays):
    """At most twice each time, with a proof and the leaves from the size that it said."""
    scene = Scene(witnesses=1)
    witness = scene.witnesses[0]
    if not replays:
        witness = PlainWitness.open("sqlite://", name="w0.example", signer=signer(100), logs=[KEY])
    transport = Unmonitored(witness, replays=replays)
    ledger = used(scene, transport, witness.key)
    for seq in range(4):
        ledger.append([scene.entry(seq)])
        assert scene.policy.examine(ledger.publish().note).is_witnessed
    assert transport.sizes == [0, 0, 2, 0, 4, 0, 6]


@pytest.mark.parametrize("told", [0, 1, 2, 3])
def test_a_witness_that_never_says_where_it_is_is_not_asked_for_ever(told):
    """A lie about the size costs one more request, and nothing is cosigned."""
    scene = Scene(witnesses=1)
    scene.ledger.append([scene.entry(seq) for seq in range(5)])
    scene.ledger.publish()
    transport = Unmonitored(scene.witnesses[0], told=told)
    ledger = used(scene, transport, scene.witnesses[0].key)
    ledger.append([scene.entry(seq) for seq in range(5)])
    with pytest.raises(Exception, match="publish again"):
        ledger.publish()
    assert len(transport.sizes) <= 10


def test_a_witness_that_says_more_than_the_log_has_stops_no_log_that_others_cosign():
    """A restored backup, or a lie: alone it is refused, beside another witness passed over."""
    scene = Scene()
    scene.ledger.append([scene.entry(seq) for seq in range(9)])
    scene.ledger.publish()
    other = Scene(witnesses=1)
    unmonitored = HttpWitness(scene.witnesses[0].key, Unmonitored(scene.witnesses[0]))
    alone = other.open(witnesses=[unmonitored])
    with pytest.raises(Conflict, match="says that it knows 10 leaves"):
        alone.publish()
    witness = scene.witness(1)
    both = other.open(witnesses=[unmonitored, witness])
    both.append([other.entry()])
    assert list(scene.policy.examine(both.publish().note).times) == ["w1.example"]


@pytest.mark.parametrize("more", [0, 3])
def test_a_log_that_published_what_its_witness_contradicts_has_evidence_of_it(more, caplog):
    """Two stores under one key, each with a witness of its own: whoever brings them together convicts the key."""
    scene = Scene()
    first = scene.open(witnesses=scene.witnesses[:1])
    first.append([scene.entry(0)])
    first.publish()
    store = MemoryStore()
    second = Ledger(store, origin=ORIGIN, signer=scene.log_signer, witnesses=scene.witnesses[1:])
    second.append(
        [scene.entry(0, content=7), *(scene.entry(0, list_id=f"more {one}") for one in range(more))]
    )
    second.publish()
    both = Ledger(store, origin=ORIGIN, signer=scene.log_signer, witnesses=scene.witnesses)
    with pytest.raises(Behind, match="two versions") as caught:
        both.publish()
    verify_evidence(caught.value.evidence, KEY)
    assert "evidence of a split view" in caplog.text


def test_a_restored_backup_is_no_evidence():
    """What the log published before is part of what its witness knows; leaves that nobody signed convict nobody."""
    scene = Scene(witnesses=1)
    scene.ledger.append([scene.entry(0), scene.entry(1)])
    scene.ledger.publish()
    backup = scene.open(witnesses=scene.witnesses)
    backup.append([scene.entry(seq, content=7) for seq in range(5)])
    with pytest.raises(Behind) as caught:
        backup.publish()
    assert caught.value.evidence is None

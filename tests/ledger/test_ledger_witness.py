"""The replaying witness: it refuses what does not grow, what an owner did not sign, and false heads."""

import multiprocessing
import os
import tracemalloc

import pytest

from ledger.scene import NOW, ORIGIN, Scene, digest, signer
from vcid.encoding.merkle import consistency_proof, leaf_hash, root
from vcid.encoding.multikey import KeyType
from vcid.errors import Conflict, Malformed, VcidError
from vcid.keys.signing import LocalSigner
from vcid.ledger.entries import Entry, HeadsLeaf, Kind
from vcid.ledger.evidence import verify_evidence
from vcid.ledger.heads import HeadsMap
from vcid.ledger.notes import Checkpoint, Note, NoteKey, NoteSignature, SignatureType, sign_note
from vcid.ledger.witness import ReplayingWitness
from vcid.ledger.witness_plain import PlainWitness


class Operator:
    """Whoever holds the log's key and checks nothing."""

    def __init__(self):
        self.scene = Scene(witnesses=1)
        self.leaves = []

    def heads(self, *entries):
        return HeadsMap((one.topic, one.seq, leaf_hash(one.encode())) for one in entries).leaf.encode()

    def note(self, size=None, *, origin=ORIGIN, key=None, extensions=()):
        hashes = [leaf_hash(leaf) for leaf in self.leaves[:size]]
        text = Checkpoint(origin, len(hashes), root(hashes), extensions).text
        return Note(text, (sign_note(text, origin, key or self.scene.log_signer),)).encode()

    def proof(self, old):
        return consistency_proof([leaf_hash(leaf) for leaf in self.leaves], old) if old else []

    def offer(self, witness, old=0, **options):
        return witness.add_checkpoint(old, self.proof(old), self.note(**options), self.leaves[old:])


@pytest.fixture
def operator():
    """An operator who has anchored one entry, honestly."""
    made = Operator()
    entry = made.scene.entry(0)
    made.leaves = [entry.encode(), made.heads(entry)]
    return made


@pytest.fixture
def witness(operator):
    """The witness, who has not seen the log."""
    return operator.scene.witnesses[0]


def refuses(code):
    return pytest.raises(Conflict, match=rf"^{code}:")


def test_a_true_checkpoint_is_cosigned_at_the_witnesss_time(operator, witness):
    """The line verifies under the witness's key with the time of its own clock."""
    line = operator.offer(witness).decode()
    note = Note.parse(operator.note())
    (verified,) = Note(note.text, (NoteSignature.parse(line[:-1]),)).verify([witness.key])
    assert verified.time == int(NOW.timestamp())
    kept = Note.parse(witness.checkpoint(ORIGIN))
    assert kept.text == note.text
    assert len(kept.verify([operator.scene.key, witness.key])) == 2


def test_growth_is_cosigned_and_repetition_too(operator, witness):
    """A further entry is, and the same checkpoint again, at a newer time."""
    operator.offer(witness)
    entry = operator.scene.entry(1)
    operator.leaves += [entry.encode(), operator.heads(entry)]
    operator.offer(witness, 2)
    operator.scene.times[0] = NOW.replace(year=2027)
    line = operator.offer(witness, 4).decode()
    note = Note.parse(operator.note())
    (verified,) = Note(note.text, (NoteSignature.parse(line[:-1]),)).verify([witness.key])
    assert verified.time == int(NOW.replace(year=2027).timestamp())


def test_nothing_is_known_of_an_unseen_log(witness):
    """Before the first checkpoint there is none to show."""
    assert witness.checkpoint(ORIGIN) is None


def test_a_rollback_is_refused(operator, witness):
    """A smaller checkpoint is never cosigned once a larger one was."""
    entry = operator.scene.entry(1)
    operator.leaves += [entry.encode(), operator.heads(entry)]
    operator.offer(witness)
    with refuses("size"):
        witness.add_checkpoint(0, [], operator.note(2), operator.leaves[:2])
    with refuses("old-size"):
        witness.add_checkpoint(4, [], operator.note(2), [])
    assert Checkpoint.parse(Note.parse(witness.checkpoint(ORIGIN)).text).size == 4


def test_a_fork_is_refused(operator, witness):
    """Neither another version of the same size nor a larger one that does not follow is cosigned."""
    operator.offer(witness)
    other = operator.scene.entry(0, content=9)
    operator.leaves = [other.encode(), operator.heads(other)]
    with refuses("inconsistent"):
        operator.offer(witness, 2)
    more = operator.scene.entry(1)
    operator.leaves += [more.encode(), operator.heads(more)]
    with refuses("inconsistent"):
        operator.offer(witness, 2)


@pytest.mark.parametrize(("old", "code"), [(1, "size"), (3, "old-size"), (1 << 62, "old-size"), (-1, "size")])
def test_the_old_size_is_the_one_known(operator, witness, old, code):
    """As tlog-witness asks: another old size is a conflict, one past the checkpoint a bad request."""
    operator.offer(witness)
    with refuses(code):
        witness.add_checkpoint(old, [], operator.note(), [])


def test_proofs_that_prove_nothing_are_refused(operator, witness):
    """No proof where there is one to give, one where there is none, and a changed one."""
    with refuses("inconsistent"):
        witness.add_checkpoint(0, [bytes(32)], operator.note(), operator.leaves)
    operator.offer(witness)
    entry = operator.scene.entry(1)
    operator.leaves += [entry.encode(), operator.heads(entry)]
    for proof in ([], [bytes(32)], [*operator.proof(2), bytes(32)], [bytes(31)] * len(operator.proof(2))):
        with refuses("inconsistent"):
            witness.add_checkpoint(2, proof, operator.note(), operator.leaves[2:])


@pytest.mark.parametrize("change", ["fewer", "none", "other", "swapped"])
def test_the_leaves_hash_to_the_checkpoint(operator, witness, change):
    """Leaves held back, replaced or in another order are refused; none after the checkpoint's are read."""
    entry, other = operator.scene.entry(0), operator.scene.entry(0, list_id="b")
    leaves = {
        "fewer": operator.leaves[:1],
        "none": [],
        "other": [operator.scene.entry(0, content=9).encode(), operator.leaves[1]],
        "swapped": [other.encode(), entry.encode()],
    }[change]
    with refuses("root"):
        witness.add_checkpoint(0, [], operator.note(), leaves)
    assert witness.checkpoint(ORIGIN) is None
    witness.add_checkpoint(0, [], operator.note(), iter([*operator.leaves, b"more"]))


def leaves_of(operator, kind):
    scene = operator.scene
    first, second = scene.entry(0), scene.entry(1)
    stranger = scene.entry(1, owner=signer(9))
    garbage = Entry(
        kind=Kind.STATUS_LIST,
        owner=scene.owner.public_key,
        list_hash=first.list_hash,
        seq=1,
        digest=digest(9),
        signing_key=scene.owner.public_key,
        signature=stranger.signature,
    )
    false = HeadsMap([(first.topic, 1, leaf_hash(second.encode()))]).leaf.encode()
    heads = operator.heads
    return {
        "bad-signature": [first.encode(), garbage.encode(), heads(garbage)],
        "sequence": [first.encode(), scene.entry(2).encode(), heads(scene.entry(2))],
        "sequence at the start": [second.encode(), heads(second)],
        "sequence twice": [first.encode(), first.encode(), heads(first)],
        "false-heads: forged": [first.encode(), false],
        "false-heads: turned back": [first.encode(), second.encode(), heads(first)],
        "false-heads: hidden": [first.encode(), scene.entry(0, list_id="b").encode(), heads(first)],
        "false-heads: invented": [heads(first)],
        "heads-not-last": [first.encode(), heads(first), second.encode()],
        "heads-not-last: none": [first.encode(), second.encode()],
        "bad-leaf: a batch's": [bytes(32), heads()],
        "bad-leaf: empty": [b"", heads()],
        "bad-leaf: a child's event": [b"child did:key:z6Mk registered", heads()],
        "bad-leaf: huge": [bytes(100_000), heads()],
    }[kind]


@pytest.mark.parametrize(
    "kind",
    [
        "bad-signature",
        "sequence",
        "sequence at the start",
        "sequence twice",
        "false-heads: forged",
        "false-heads: turned back",
        "false-heads: hidden",
        "false-heads: invented",
        "heads-not-last",
        "heads-not-last: none",
        "bad-leaf: a batch's",
        "bad-leaf: empty",
        "bad-leaf: a child's event",
        "bad-leaf: huge",
    ],
)
def test_what_an_operator_must_not_append_is_refused(operator, witness, kind):
    """Each leaf is replayed: an append-only witness would have cosigned all of these."""
    operator.leaves = leaves_of(operator, kind)
    with refuses(kind.partition(":")[0].partition(" ")[0]):
        operator.offer(witness)
    assert witness.checkpoint(ORIGIN) is None


def test_a_lie_is_refused_on_top_of_a_truth_too(operator, witness):
    """The heads known from before are part of what is checked."""
    operator.offer(witness)
    known, other = operator.scene.entry(0), operator.scene.entry(0, list_id="b")
    operator.leaves += [other.encode(), operator.heads(other)]
    with refuses("false-heads"):
        operator.offer(witness, 2)
    operator.leaves[-1] = operator.heads(known, other)
    operator.offer(witness, 2)


def test_an_unpublished_false_heads_leaf_does_not_end_the_log(operator, witness):
    """A heads leaf that no checkpoint ends with binds nobody; the next true one is cosigned."""
    operator.leaves.insert(1, HeadsLeaf(7, bytes(32)).encode())
    operator.offer(witness)


SIGNINGS = {
    "another key": lambda operator: operator.note(key=signer(9)),
    "extension lines": lambda operator: operator.note(extensions=("time 5",)),
    "a stranger's line alone": lambda operator: operator.note().replace(b"civil ", b"other "),
    "a damaged signature": lambda operator: operator.note()[:-20] + b"AAAAAAAAAAAAAAAAAA=\n",
}


@pytest.mark.parametrize("make", SIGNINGS.values(), ids=SIGNINGS)
def test_only_the_logs_own_checkpoints_are_cosigned(operator, witness, make):
    """What the log's key did not sign, in three lines, is refused."""
    with pytest.raises((Conflict, Malformed)):
        witness.add_checkpoint(0, [], make(operator), operator.leaves)
    assert witness.checkpoint(ORIGIN) is None


def test_an_unknown_log_is_refused(operator, witness):
    """A witness cosigns the logs it was configured with."""
    with refuses("unknown-log"):
        operator.offer(witness, origin="log.example/other")


@pytest.mark.parametrize("note", [b"", b"hello\n", b"\xff", b"a\n\nb\n"])
def test_what_is_no_note_is_malformed(witness, note):
    """Arbitrary bytes raise only our errors."""
    with pytest.raises(VcidError):
        witness.add_checkpoint(0, [], note, [])


def test_a_witness_remembers_across_restarts(operator, tmp_path):
    """Opened again, it refuses the rollback and goes on from where it was."""
    url = f"sqlite:///{tmp_path}/witness.db"
    operator.offer(operator.scene.witness(0, url))
    again = operator.scene.witness(0, url)
    with refuses("size"):
        operator.offer(again)
    entry = operator.scene.entry(1)
    operator.leaves += [entry.encode(), operator.heads(entry)]
    operator.offer(again, 2)


def test_a_witness_keeps_its_logs_apart(operator):
    """Heads and sizes of one log don't mix with another's."""
    logs = [operator.scene.key, NoteKey("log.example/b", SignatureType.ED25519, signer(4).public_key)]
    witness = ReplayingWitness.open(
        "sqlite://", name="w.example", signer=signer(100), logs=logs, clock=lambda: NOW
    )
    operator.offer(witness)
    operator.offer(witness, origin="log.example/b", key=signer(4))
    assert witness.checkpoint("log.example/b") != witness.checkpoint(ORIGIN)


def test_a_witnesss_key_is_no_logs_key(operator):
    """One statement a key."""
    with pytest.raises(ValueError, match="not a log's"):
        ReplayingWitness.open(
            "sqlite://",
            name="w",
            signer=operator.scene.log_signer,
            logs=[operator.scene.key],
            clock=lambda: NOW,
        )


def test_of_two_requests_at_once_one_is_refused(operator, tmp_path):
    """The state is compared again when it is kept: a slower request can't turn it back."""
    witness = operator.scene.witness(0, f"sqlite:///{tmp_path}/witness.db")
    faster = operator.scene.witness(0, f"sqlite:///{tmp_path}/witness.db")
    small = operator.note()

    def leaves():
        entry = operator.scene.entry(1)
        yield operator.leaves[0]
        longer = [*operator.leaves, entry.encode(), operator.heads(entry)]
        operator.leaves = longer
        operator.offer(faster)
        yield longer[1]

    with refuses("size"):
        witness.add_checkpoint(0, [], small, leaves())
    assert Checkpoint.parse(Note.parse(witness.checkpoint(ORIGIN)).text).size == 4


def _offer(url, leaves, note, results):
    witness = Scene(witnesses=1).witness(0, url)
    try:
        results.put(witness.add_checkpoint(0, [], note, leaves))
    except Conflict as error:
        results.put(error.code)


@pytest.mark.slow
def test_two_processes_of_one_witness_cosign_one_version(tmp_path):
    """Two versions offered at once to two processes: one is cosigned, one is refused."""
    url = f"sqlite:///{tmp_path}/witness.db"
    context = multiprocessing.get_context("spawn")
    results, workers = context.Queue(), []
    for content in (0, 1):
        version = Operator()
        entry = version.scene.entry(0, content=content)
        version.leaves = [entry.encode(), version.heads(entry)]
        workers.append(context.Process(target=_offer, args=(url, version.leaves, version.note(), results)))
    for worker in workers:
        worker.start()
    answers = [results.get(timeout=60) for _ in workers]
    for worker in workers:
        worker.join()
    assert sorted(answer == "size" for answer in answers) == [False, True]


def test_a_witness_can_sign_the_name_of_every_log_that_it_is_told_of():
    """An ML-DSA-44 cosignature has room for 255 bytes; a longer name is refused when the witness is made."""
    quantum = LocalSigner.from_private_bytes(KeyType.ML_DSA_44, b"q" * 32)
    for length, match in ((255, None), (256, "255")):
        logs = [NoteKey.of_log("l" * length, signer(1).public_key)]
        if match is None:
            ReplayingWitness.open("sqlite://", name="w", signer=quantum, logs=logs)
            continue
        for kind in (ReplayingWitness, PlainWitness):
            with pytest.raises(ValueError, match=match):
                kind.open("sqlite://", name="w", signer=quantum, logs=logs)


def test_a_refused_fork_leaves_evidence(operator, witness):
    """Whoever offers the second version, the witness keeps both, and what is no split it does not keep."""
    operator.offer(witness)
    with refuses("inconsistent"):
        witness.add_checkpoint(2, [bytes(32)], operator.note(), [])
    assert witness.evidence(ORIGIN) == []
    other = operator.scene.entry(0, content=9)
    operator.leaves = [other.encode(), operator.heads(other)]
    for old in (2, 0, 2):
        with pytest.raises(Conflict):
            operator.offer(witness, old)
    (found,) = witness.evidence(ORIGIN)
    verify_evidence(found, operator.scene.key)


def test_a_stranger_leaves_no_evidence(operator, witness):
    """What the log's key did not sign is refused before it is compared with anything."""
    operator.offer(witness)
    other = operator.scene.entry(0, content=9)
    operator.leaves = [other.encode(), operator.heads(other)]
    with refuses("unsigned"):
        operator.offer(witness, 2, key=signer(9))
    assert witness.evidence(ORIGIN) == []


@pytest.mark.parametrize("kind", [ReplayingWitness, PlainWitness])
def test_a_witness_of_either_type_of_key_cosigns(operator, kind):
    """Ed25519 and ML-DSA-44; the log is known under each of its keys."""
    for key in (signer(100), LocalSigner.from_private_bytes(KeyType.ML_DSA_44, b"q" * 32)):
        logs = [operator.scene.key, NoteKey.of_log(ORIGIN, signer(5).public_key)]
        witness = kind.open("sqlite://", name="w", signer=key, logs=logs, clock=lambda: NOW)
        assert operator.offer(witness)
        assert operator.offer(witness, 2, key=signer(5))
        kept = Note.parse(witness.checkpoint(ORIGIN))
        assert len(kept.verify([witness.key, logs[1]])) == 2
        with refuses("unsigned"):
            operator.offer(witness, 2, key=signer(9))


def test_the_same_checkpoint_again_costs_no_reading_of_the_heads(operator, witness):
    """Anybody can send it: however many topics a log has, none is read; and the log can still grow."""
    operator.offer(witness)
    with witness._memory._database.transaction() as transaction:
        rows = ((ORIGIN, os.urandom(32), 0, os.urandom(32)) for _ in range(20_000))
        transaction.executemany("INSERT INTO witness_heads VALUES (?, ?, ?, ?)", rows)
    tracemalloc.start()
    operator.offer(witness, 2)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1 << 20
    with witness._memory._database.transaction() as transaction:
        transaction.execute(
            "DELETE FROM witness_heads WHERE seq = 0 AND topic <> ?", (operator.scene.topic(),)
        )
    second = operator.scene.entry(1)
    operator.leaves += [second.encode(), operator.heads(second)]
    operator.offer(witness, 2)

"""A verifier's memory: it moves along proofs, never back, never aside, and outlives its process."""

import dataclasses
import multiprocessing
import threading

import pytest

from ledger.scene import NOW, ORIGIN, Scene, signer
from vcid.errors import Conflict
from vcid.ledger.anchor import Outcome, ViewStore
from vcid.ledger.notes import Checkpoint, Note, cosign, sign_note
from vcid.ledger.views import MemoryViewStore, SqlViewStore, advance_view


@pytest.fixture(params=["memory", "sqlite", "sqlite in memory", "postgresql"])
def store(request, tmp_path):
    """An empty view store of each kind."""
    if request.param == "memory":
        return MemoryViewStore()
    if request.param == "postgresql":
        return SqlViewStore.open(request.getfixturevalue("postgresql").create())
    return SqlViewStore.open(
        "sqlite://" if "in memory" in request.param else f"sqlite:///{tmp_path}/views.db"
    )


@pytest.fixture(scope="module")
def history():
    """A scene with four publications, and their views."""
    scene = Scene()
    views = []
    for seq in range(4):
        scene.ledger.append([scene.entry(seq)])
        views.append(scene.ledger.publish())
    return scene, views


def proofs(scene, views, to):
    return {view.size: scene.ledger.consistency(view.size, to.size) for view in views if view.size < to.size}


def advance(store, history, number):
    scene, views = history
    return advance_view(store, views[number].note, proofs(scene, views, views[number]), scene.policy)


def test_the_first_view_is_taken_and_the_next_follow(store, history):
    """From nothing to the first view, and along proofs from there, steps of any width."""
    for number in (0, 1, 3):
        assert advance(store, history, number)
        assert store.load(ORIGIN) == history[1][number]


def test_the_same_view_again_is_ok(store, history):
    """Knowing it already is no fault."""
    assert advance(store, history, 2)
    assert advance(store, history, 2)


def test_a_smaller_view_is_a_rollback(store, history):
    """An old checkpoint never replaces a newer one."""
    advance(store, history, 3)
    for number in (0, 2):
        judged = advance(store, history, number)
        assert (judged.outcome, judged.code) == (Outcome.ROLLBACK, "smaller-than-view")
    assert store.load(ORIGIN) == history[1][3]


def test_without_a_proof_the_view_stays(store, history):
    """A larger checkpoint alone is not enough."""
    scene, views = history
    advance(store, history, 0)
    judged = advance_view(store, views[2].note, {}, scene.policy)
    assert (judged.outcome, judged.code) == (Outcome.UNAVAILABLE, "no-consistency-proof")
    assert store.load(ORIGIN) == views[0]


def forked(scene, size, root=b"f" * 32, witnesses=(0,)):
    text = Checkpoint(ORIGIN, size, root).text
    lines = [
        cosign(text, f"w{number}.example", signer(100 + number), int(NOW.timestamp())) for number in witnesses
    ]
    return Note(text, (sign_note(text, ORIGIN, scene.log_signer), *lines)).encode()


def test_another_root_of_the_same_size_is_a_fork(store, history):
    """A second version, cosigned by a lying witness, does not replace the first."""
    scene, views = history
    advance(store, history, 1)
    judged = advance_view(store, forked(scene, views[1].size), {}, scene.policy)
    assert (judged.outcome, judged.code) == (Outcome.FORK, "same-size-other-root")
    assert store.load(ORIGIN) == views[1]


@pytest.mark.parametrize("change", ["truncate", "extend", "other", "empty"])
def test_a_larger_version_that_does_not_follow_is_a_fork(store, history, change):
    """With no proof that holds, growth is not growth."""
    scene, views = history
    advance(store, history, 1)
    proof = scene.ledger.consistency(views[1].size, views[3].size)
    bad = {
        "truncate": proof[:-1],
        "extend": [*proof, bytes(32)],
        "other": [bytes(32)] * len(proof),
        "empty": [],
    }[change]
    judged = advance_view(store, views[3].note, {views[1].size: bad}, scene.policy)
    assert (judged.outcome, judged.code) == (Outcome.FORK, "inconsistent")
    judged = advance_view(store, forked(scene, views[3].size), {views[1].size: proof}, scene.policy)
    assert judged.outcome is Outcome.FORK
    assert store.load(ORIGIN) == views[1]


def test_a_view_without_its_quorum_is_not_remembered(store, history):
    """Else whoever holds the log's key could lock every verifier out with a fork."""
    scene, _ = history
    judged = advance_view(store, forked(scene, 9, witnesses=()), {}, scene.policy)
    assert (judged.outcome, judged.code) == (Outcome.QUORUM, "too-few-witnesses")
    assert store.load(ORIGIN) is None
    both = dataclasses.replace(scene.policy, quorum=2)
    assert advance_view(store, forked(scene, 9), {}, both).outcome is Outcome.QUORUM


@pytest.mark.parametrize("note", [b"", b"hello\n", b"a\n\n\xff"])
def test_what_is_no_checkpoint_is_invalid(store, history, note):
    """Nothing raises, nothing is remembered."""
    scene, _ = history
    assert advance_view(store, note, {}, scene.policy).outcome is Outcome.INVALID
    assert store.load(ORIGIN) is None


def test_an_unsigned_checkpoint_is_invalid(store, history):
    """Witnesses alone, and another key under the log's name, give no view."""
    scene, views = history
    note = Note.parse(views[0].note)
    unsigned = Note(note.text, note.signatures[1:]).encode()
    assert advance_view(store, unsigned, {}, scene.policy).code == "unsigned"
    imposed = Note(note.text, (sign_note(note.text, ORIGIN, signer(9)), *note.signatures[1:])).encode()
    assert advance_view(store, imposed, {}, scene.policy).code == "unsigned"


def test_newer_cosignatures_of_one_checkpoint_are_kept(store, history):
    """The same checkpoint cosigned again is fresher; cosigned earlier, it changes nothing."""
    scene, views = history
    text = Checkpoint(ORIGIN, views[1].size, views[1].root).text

    def signed(offset):
        time = int(NOW.timestamp()) + offset
        lines = (sign_note(text, ORIGIN, scene.log_signer), cosign(text, "w0.example", signer(100), time))
        return Note(text, lines).encode()

    advance(store, history, 1)
    assert advance_view(store, signed(60), {}, scene.policy)
    assert store.load(ORIGIN).note == signed(60)
    assert advance_view(store, signed(30), {}, scene.policy)
    assert store.load(ORIGIN).note == signed(60)


def test_the_store_itself_refuses_to_shrink_or_fork(store, history):
    """Even a caller that skips every check can't put an older or other view in."""
    _, views = history
    store.advance(None, views[2])
    for new, code in [
        (views[0], "rollback"),
        (dataclasses.replace(views[2], root=bytes(32)), "fork"),
    ]:
        with pytest.raises(Conflict, match=code):
            store.advance(views[2], new)
    for old in (None, views[1]):
        with pytest.raises(Conflict, match="view-moved"):
            store.advance(old, views[3])
    assert store.load(ORIGIN) == views[2]


def test_views_of_logs_do_not_mix(store, history):
    """Each origin has its own."""
    _, views = history
    store.advance(None, views[2])
    other = dataclasses.replace(views[0], origin="log.example/other")
    store.advance(None, other)
    assert (store.load(ORIGIN), store.load("log.example/other"), store.load("?")) == (views[2], other, None)


def test_what_is_remembered_outlives_the_process(tmp_path, history):
    """A store opened again still refuses the older view."""
    url = f"sqlite:///{tmp_path}/views.db"
    advance(SqlViewStore.open(url), history, 3)
    assert advance(SqlViewStore.open(url), history, 0).outcome is Outcome.ROLLBACK


def test_a_deleted_store_knows_nothing_and_says_so(tmp_path, history):
    """After a deletion ``load`` gives nothing, from which a caller knows that rollback was not ruled out."""
    url = f"sqlite:///{tmp_path}/views.db"
    advance(SqlViewStore.open(url), history, 3)
    for file in tmp_path.iterdir():
        file.unlink()
    assert SqlViewStore.open(url).load(ORIGIN) is None


def test_a_store_put_back_still_moves_along_proofs_alone(tmp_path, history):
    """A downgraded store accepts nothing that contradicts what it last knew."""
    scene, views = history
    url = f"sqlite:///{tmp_path}/views.db"
    advance(SqlViewStore.open(url), history, 1)
    judged = advance_view(SqlViewStore.open(url), forked(scene, views[3].size), {}, scene.policy)
    assert judged.outcome is Outcome.UNAVAILABLE
    assert advance(SqlViewStore.open(url), history, 3)


def test_a_changed_policy_lets_the_view_be_renewed(store, history):
    """What the new policy can't read no longer dates the view; the checkpoint itself still binds."""
    scene, views = history
    advance(store, history, 1)
    witnesses = (("w9.example", signer(109).public_key),)
    other = dataclasses.replace(scene.policy, witnesses=witnesses, log_key=scene.policy.log_key)
    text = Checkpoint(ORIGIN, views[1].size, views[1].root).text
    lines = (sign_note(text, ORIGIN, scene.log_signer), cosign(text, "w9.example", signer(109), 5))
    note = Note(text, lines).encode()
    assert advance_view(store, note, {}, other)
    assert store.load(ORIGIN).note == note


def test_a_changed_log_key_lets_the_view_be_renewed(store, history):
    """Under a new key of the log the same checkpoint replaces the one signed by the old key."""
    scene, views = history
    advance(store, history, 1)
    text = Checkpoint(ORIGIN, views[1].size, views[1].root).text
    lines = (sign_note(text, ORIGIN, signer(8)), cosign(text, "w0.example", signer(100), 5))
    note = Note(text, lines).encode()
    assert advance_view(store, note, {}, dataclasses.replace(scene.policy, log_key=signer(8).public_key))
    assert store.load(ORIGIN).note == note


class Restless(MemoryViewStore):
    """A store that another process changes whenever this one writes."""

    def advance(self, old, new):
        raise Conflict("view-moved", "again")


def test_a_view_that_keeps_moving_is_unavailable(history):
    """After a few turns the caller is told, and nothing is claimed."""
    judged = advance(Restless(), history, 0)
    assert (judged.outcome, judged.code) == (Outcome.UNAVAILABLE, "view-moved")


def test_threads_advance_one_store(store, history):
    """Many at once end at the newest view."""
    threads = [threading.Thread(target=advance, args=(store, history, number)) for number in (3, 0, 2, 1) * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert store.load(ORIGIN) == history[1][3]


def _advance_all(url, notes, steps, policy):
    store = SqlViewStore.open(url)
    for number, note in enumerate(notes):
        advance_view(store, note, steps[number], policy)


@pytest.mark.slow
def test_processes_advance_one_store(tmp_path, history):
    """Two processes at one file end at the newest view."""
    scene, views = history
    url = f"sqlite:///{tmp_path}/views.db"
    steps = [proofs(scene, views, view) for view in views]
    notes = [view.note for view in views]
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_advance_all, args=(url, notes, steps, scene.policy)) for _ in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert [worker.exitcode for worker in workers] == [0, 0]
    assert SqlViewStore.open(url).load(ORIGIN) == views[3]


def test_both_kinds_are_view_stores(store):
    """They have what the protocol asks for."""
    names = [name for name in vars(ViewStore) if not name.startswith("_")]
    assert all(callable(getattr(store, name)) for name in names)

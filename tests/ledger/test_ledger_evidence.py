"""Evidence of a split view: whoever met two versions of a log can show it, and nobody can who did not."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.scene import NOW, ORIGIN, Scene, signer
from vcid.encoding.merkle import consistency_proof, leaf_hash, root
from vcid.errors import InvalidProof, VcidError
from vcid.ledger.anchor import Outcome, View
from vcid.ledger.evidence import SplitView, find_split_in_leaves, find_split_view, verify_evidence
from vcid.ledger.monitor import Monitor, Watch
from vcid.ledger.notes import Checkpoint, Note, NoteKey, cosign, sign_note
from vcid.ledger.views import MemoryViewStore, advance_view

KEY = NoteKey.of_log(ORIGIN, signer(1).public_key)


def leaves(count, version=b"a", since=0):
    """The hashes of a log's first leaves, of a version that differs from a place on."""
    return [leaf_hash(bytes([number]) + (version if number >= since else b"a")) for number in range(count)]


def note(hashes, *, key=1, origin=ORIGIN, witness=None):
    text = Checkpoint(origin, len(hashes), root(hashes)).text
    lines = [sign_note(text, origin, signer(key))]
    if witness:
        lines.append(cosign(text, "w.example", signer(witness), int(NOW.timestamp())))
    return Note(text, tuple(lines)).encode()


def split(small, large, version=b"b", **options):
    """Evidence of two sizes, by whoever has the larger tree's leaves."""
    hashes = leaves(large, version)
    made = SplitView.of(
        (note(leaves(small)), note(hashes)),
        [KEY],
        prefix=root(hashes[:small]),
        proof=consistency_proof(hashes, small),
        **options,
    )
    return made.encode()


SAME_SIZE = SplitView.of((note(leaves(5)), note(leaves(5, b"b"))), [KEY]).encode()
SIZES = [(1, 2), (2, 3), (3, 4), (3, 7), (4, 7), (4, 8), (5, 6), (8, 21), (13, 64)]


def test_two_roots_of_one_size_are_evidence():
    """In either order, one file; cosignatures are left out of it."""
    other = SplitView.of((note(leaves(5, b"b"), witness=2), note(leaves(5), witness=3)), [KEY]).encode()
    assert other == SAME_SIZE
    found = verify_evidence(other, KEY)
    assert found.origin == ORIGIN
    assert SplitView.parse(other) == found


@pytest.mark.parametrize(("small", "large"), SIZES)
def test_two_sizes_are_evidence_with_the_proof_that_shows_it(small, large):
    """The larger tree's own prefix is another than was signed, for complete trees and others."""
    data = split(small, large)
    assert verify_evidence(data, KEY).encode() == data


@pytest.mark.parametrize(("small", "large"), SIZES)
def test_growth_is_no_evidence(small, large):
    """A log that only grew is not convicted by its true proof, nor by any other prefix."""
    hashes = leaves(large)
    proof = consistency_proof(hashes, small)
    for prefix in (root(hashes[:small]), root(leaves(small, b"b")), b"", bytes(31)):
        with pytest.raises(InvalidProof):
            SplitView.of((note(hashes[:small]), note(hashes)), [KEY], prefix=prefix, proof=proof)
    assert find_split_view((note(hashes[:small]), note(hashes)), [KEY], proof) is None
    assert find_split_view((note(hashes[:small]), note(hashes)), [KEY], [bytes(32)] * len(proof)) is None


def test_the_same_checkpoint_twice_is_no_evidence():
    """Nor with other cosignatures."""
    with pytest.raises(InvalidProof, match="no-split"):
        SplitView.of((note(leaves(5)), note(leaves(5), witness=2)), [KEY])


def test_what_the_log_did_not_sign_is_no_evidence():
    """A stranger's checkpoint, one of another log, and one key for another's name."""
    stranger = NoteKey.of_log("other.example", signer(1).public_key)
    for other in (note(leaves(5, b"b"), key=9), note(leaves(5, b"b"), origin="other.example")):
        with pytest.raises(InvalidProof):
            SplitView.of((note(leaves(5)), other), [KEY])
        with pytest.raises(InvalidProof):
            SplitView.of((note(leaves(5)), other), [KEY, stranger])
        assert find_split_view((note(leaves(5)), other), [KEY]) is None
    with pytest.raises(InvalidProof, match="unsigned"):
        verify_evidence(SAME_SIZE, NoteKey.of_log(ORIGIN, signer(9).public_key))
    with pytest.raises(InvalidProof, match="unsigned"):
        verify_evidence(SAME_SIZE)


def test_a_cosigners_signature_is_not_the_logs():
    """Two versions that a witness cosigned convict no log, and a log's key in a witness's place nobody."""
    texts = [Checkpoint(ORIGIN, 5, root(leaves(5, version))).text for version in (b"a", b"b")]
    notes = tuple(Note(text, (cosign(text, ORIGIN, signer(1), 9),)).encode() for text in texts)
    with pytest.raises(InvalidProof, match="unsigned"):
        SplitView.of(notes, [KEY])


def test_two_keys_of_one_log_are_one_log():
    """A log that changed its key between the two versions is shown by both keys, and by neither alone."""
    later = NoteKey.of_log(ORIGIN, signer(5).public_key)
    data = SplitView.of((note(leaves(5)), note(leaves(5, b"b"), key=5)), [KEY, later]).encode()
    verify_evidence(data, later, KEY)
    for one in (KEY, later):
        with pytest.raises(InvalidProof, match="unsigned"):
            verify_evidence(data, one)


@settings(max_examples=300)
@given(st.sampled_from([SAME_SIZE, split(3, 7), split(4, 7)]), st.data())
def test_no_changed_byte_verifies(data, draw):
    """Whatever byte is flipped, left out or put in, the rest is no evidence."""
    place = draw.draw(st.integers(0, len(data) - 1))
    change = draw.draw(st.sampled_from(["flip", "drop", "insert"]))
    byte = draw.draw(st.integers(1, 255))
    middle = {
        "flip": bytes([data[place] ^ byte]),
        "drop": b"",
        "insert": bytes([byte]) + data[place : place + 1],
    }
    changed = data[:place] + middle[change] + data[place + 1 :]
    if changed == data:
        return
    with pytest.raises(VcidError):
        verify_evidence(changed, KEY)


@given(
    st.binary(max_size=200) | st.lists(st.sampled_from(SAME_SIZE.split(b"\n")), max_size=14).map(b"\n".join)
)
def test_arbitrary_bytes_raise_only_our_errors(data):
    """Neither noise nor the lines of true evidence in another order verify."""
    if data == SAME_SIZE:
        return
    with pytest.raises(VcidError):
        verify_evidence(data, KEY)


def test_evidence_is_bounded():
    """A file that is too long is refused unread."""
    with pytest.raises(VcidError, match="size"):
        verify_evidence(SAME_SIZE + b"x" * (1 << 16), KEY)


@pytest.mark.parametrize(("small", "large"), [(3, 7), (5, 6), (13, 64)])
def test_a_forking_logs_own_proof_convicts_it(small, large):
    """The consistency proof with which a log offers its second version names that version's prefix."""
    hashes = leaves(large, b"b", since=1)
    proof = consistency_proof(hashes, small)
    data = find_split_view((note(hashes), note(leaves(small))), [KEY], proof)
    verify_evidence(data, KEY)
    assert find_split_view((note(hashes), note(leaves(small))), [KEY], proof[:-1]) is None
    assert find_split_view((note(hashes), b"garbage"), [KEY], proof) is None


@pytest.mark.parametrize(("small", "large"), SIZES)
def test_whoever_has_the_larger_logs_leaves_shows_any_split(small, large):
    """For complete trees too; the leaves of another tree, or too few, show nothing, and growth is none."""
    contents = [bytes([number]) + b"b" for number in range(large)]
    notes = (note(leaves(small)), note(leaves(large, b"b")))
    verify_evidence(find_split_in_leaves(notes, [KEY], contents), KEY)
    assert find_split_in_leaves(notes, [KEY], contents[:-1]) is None
    assert find_split_in_leaves(notes, [KEY], [b"x", *contents[1:]]) is None
    grown = (note(leaves(small, b"b")), note(leaves(large, b"b")))
    assert find_split_in_leaves(grown, [KEY], contents) is None


def test_a_monitor_that_meets_a_fork_holds_evidence():
    """It has the leaves, so a complete tree of two, whose proof names no root, is enough."""
    one, other = forked()
    other.ledger.append([other.entry(1)])
    other.ledger.publish()
    views = MemoryViewStore()
    assert advance_view(views, one.view.note, {}, one.policy)
    found = Monitor(other.ledger, views=views, policy=one.policy).look(Watch())
    assert found.judgement.outcome is Outcome.FORK
    verify_evidence(found.judgement.evidence, one.key)


def forked(contents=(0, 1)):
    """Two ledgers under one key that say different things, each cosigned."""
    scenes = []
    for content in contents:
        scene = Scene(witnesses=1)
        scene.ledger.append([scene.entry(0, content=content)])
        scene.view = scene.ledger.publish()
        scenes.append(scene)
    return scenes


def test_a_verifier_that_meets_a_fork_holds_evidence():
    """Of one size, the view known and the one met are enough."""
    one, other = forked()
    store = MemoryViewStore()
    assert advance_view(store, one.view.note, {}, one.policy)
    met = advance_view(store, other.view.note, {}, one.policy)
    assert met.outcome is Outcome.FORK
    verify_evidence(met.evidence, one.key)


def test_a_verifier_that_meets_a_longer_fork_holds_evidence_if_the_proof_shows_it():
    """The second version's own proof from three leaves convicts; without one there is none."""
    one, other = forked()
    for scene in (one, other):
        scene.ledger.append([scene.entry(1), scene.entry(0, list_id="b")])
        scene.view = scene.ledger.publish()
    other.ledger.append([other.entry(2)])
    longer = other.ledger.publish()
    store = MemoryViewStore()
    advance_view(store, one.view.note, {}, one.policy)
    proof = other.ledger.consistency(one.view.size, longer.size)
    met = advance_view(store, longer.note, {one.view.size: proof}, one.policy)
    assert met.outcome is Outcome.FORK
    verify_evidence(met.evidence, one.key)
    spoilt = advance_view(store, longer.note, {one.view.size: [bytes(32), *proof[1:]]}, one.policy)
    assert (spoilt.outcome, spoilt.evidence) == (Outcome.FORK, None)


def test_a_receipt_from_a_fork_is_evidence_beside_the_view():
    """The judgement carries it, for head and inclusion receipts; other judgements carry none."""
    one, other = forked()
    for receipt in (other.ledger.head(other.topic()), other.ledger.inclusion(other.entry(0, content=1))):
        found = one.judge(1, other.entry(0, content=1), receipt, one.view)
        assert found.outcome is Outcome.FORK
        verify_evidence(found.evidence, one.key)
    good = one.judge(0, one.entry(0, content=0), one.ledger.head(one.topic()), one.view)
    assert (good.outcome, good.evidence) == (Outcome.OK, None)


def test_a_crash_before_publication_is_no_evidence():
    """Its heads leaf ended no checkpoint that anybody signed: what is published next grew over it."""
    scene = Scene(witnesses=1)
    scene.ledger.append([scene.entry()])
    first = scene.ledger.publish()
    scene.ledger._end_with_heads()  # the crash: the leaf is stored, nothing is signed
    second = scene.ledger.publish()
    proof = scene.ledger.consistency(first.size, second.size)
    assert find_split_view((first.note, second.note), [scene.key], proof) is None
    store = MemoryViewStore()
    assert advance_view(store, first.note, {}, scene.policy)
    assert advance_view(store, second.note, {first.size: proof}, scene.policy)


def test_a_judgement_shows_no_evidence_in_its_repr():
    """It may be long, and is for a file."""
    one, other = forked()
    view = View.verified(other.view.note, dataclasses.replace(one.policy))
    found = one.judge(0, one.entry(0, content=0), one.ledger.head(one.topic()), view)
    assert found.evidence is not None
    assert "split-view" not in repr(found)

"""One conformance suite for every backend of the log: appending, publishing, proving, and surviving damage."""

import inspect
import threading

import pytest

from ledger.scene import NOW, ORIGIN, digest, signer
from vcid.encoding.merkle import verify_consistency
from vcid.errors import Behind, Conflict, InvalidProof, Unavailable, VcidError
from vcid.ledger.anchor import AnchorReader, AnchorWriter, View
from vcid.ledger.entries import Entry, Kind, decode_leaf
from vcid.ledger.log import Ledger
from vcid.ledger.notes import Checkpoint, Note, sign_note
from vcid.ledger.receipts import HeadReceipt, InclusionReceipt


def size_of(ledger):
    return len(ledger.entries(0, 1 << 40))


def read_head(scene, receipt, topic):
    read = HeadReceipt.parse(receipt.body)
    read.verify_proofs(topic)
    scene.policy.examine(read.log_proof.note.encode())
    return read


# Appending


def test_entries_stand_in_the_order_given(scene):
    """Appended leaves get the next places and read back as they were."""
    first = [scene.entry(0), scene.entry(1), scene.entry(list_id="b")]
    assert scene.ledger.append(first) == range(3)
    assert scene.ledger.append([scene.entry(2)]) == range(3, 4)
    assert scene.ledger.entries(0, 10) == [one.encode() for one in [*first, scene.entry(2)]]
    assert scene.ledger.latest(scene.topic()) == scene.entry(2)
    assert scene.ledger.heads()[scene.topic()].seq == 2


@pytest.mark.parametrize("seq", [1, 2, 1 << 62])
def test_a_topic_starts_at_zero(scene, seq):
    """A first entry with another number is refused."""
    with pytest.raises(Conflict, match="sequence"):
        scene.ledger.append([scene.entry(seq)])


def test_a_gap_is_refused_and_the_whole_batch_with_it(scene):
    """One entry out of sequence leaves nothing of its batch."""
    scene.ledger.append([scene.entry(0)])
    with pytest.raises(Conflict, match="sequence"):
        scene.ledger.append([scene.entry(list_id="b"), scene.entry(1), scene.entry(3)])
    assert (size_of(scene.ledger), scene.ledger.latest(scene.topic("b"))) == (1, None)


def test_another_digest_under_a_number_taken_is_refused(scene):
    """An owner's second statement for one number never gets in, at the head or before it."""
    scene.ledger.append([scene.entry(0), scene.entry(1)])
    for seq in (0, 1):
        with pytest.raises(Conflict, match="sequence"):
            scene.ledger.append([scene.entry(seq, content=99)])


def test_what_stands_there_is_passed_over(scene):
    """A publication that broke off can be done again: the same entries add nothing, new ones are added."""
    scene.ledger.append([scene.entry(0), scene.entry(1)])
    assert scene.ledger.append([scene.entry(0), scene.entry(1)]) == range(2, 2)
    assert scene.ledger.append([scene.entry(1), scene.entry(2), scene.entry(2)]) == range(2, 3)
    assert scene.ledger.append([]) == range(3, 3)


def test_an_idempotency_key_gives_the_first_answer_again(scene):
    """The second call of a key adds nothing, however often entries were added since."""
    assert scene.ledger.append([scene.entry(0)], "day-1") == range(1)
    scene.ledger.append([scene.entry(1)])
    assert scene.ledger.append([scene.entry(0)], "day-1") == range(1)
    assert size_of(scene.ledger) == 2


def test_an_idempotency_key_stands_for_its_entries(scene):
    """The same key for other entries, fewer or none is refused."""
    scene.ledger.append([scene.entry(0)], "day-1")
    for others in ([scene.entry(1)], [scene.entry(0), scene.entry(1)], []):
        with pytest.raises(Conflict, match="key-reused"):
            scene.ledger.append(others, "day-1")


def test_a_foreign_signature_is_refused(scene):
    """Garbage at the next number, not signed by the topic's owner, can't be appended by anybody."""
    scene.ledger.append([scene.entry(0)])
    stranger = scene.entry(1, owner=signer(9))
    forged = Entry(
        kind=stranger.kind,
        owner=scene.owner.public_key,
        list_hash=stranger.list_hash,
        seq=1,
        digest=stranger.digest,
        signing_key=scene.owner.public_key,
        signature=stranger.signature,
    )
    assert forged.topic == scene.topic()
    with pytest.raises(InvalidProof):
        scene.ledger.append([forged])
    assert size_of(scene.ledger) == 1


def test_a_strangers_entry_opens_a_topic_of_its_own(scene):
    """The same list id under another key is another topic: nobody squats."""
    scene.ledger.append([scene.entry(0, owner=signer(9), content=5)])
    scene.ledger.append([scene.entry(0)])
    assert scene.ledger.latest(scene.topic()).digest == digest(0)


@pytest.mark.parametrize("thing", [b"digest", "did:key:z6Mk", {"seq": 0}, None, 7])
def test_nothing_but_an_entry_can_be_appended(scene, thing):
    """The interface has no room for anything but a typed digest."""
    with pytest.raises(TypeError, match="Entry"):
        scene.ledger.append([thing])


# Publishing


def test_a_publication_is_signed_and_cosigned(anchored):
    """A view holds the log's signature and every witness's, and its root is that of the leaves."""
    examined = anchored.policy.examine(anchored.view.note)
    assert set(examined.times) == {"w0.example", "w1.example"}
    assert examined.freshness == examined.existence == NOW
    assert View.verified(anchored.view.note, anchored.policy) == anchored.view == anchored.ledger.checkpoint()
    anchored.ledger.audit()


def test_nothing_is_published_at_first(scene):
    """A new log has no checkpoint and proves nothing."""
    assert scene.ledger.checkpoint() is None
    assert scene.ledger.consistency_from_checkpoints() == {}
    with pytest.raises(Conflict, match="not-found"):
        scene.ledger.head(scene.topic())


def test_an_empty_log_can_be_published(scene):
    """Before the first entry, every topic is provably absent."""
    scene.ledger.publish()
    assert read_head(scene, scene.ledger.head(scene.topic()), scene.topic()).entry is None


def test_a_heartbeat_gives_a_new_time(anchored):
    """Publishing with nothing new ends with a heads leaf of its own and is cosigned anew."""
    anchored.times[:] = [NOW.replace(day=2)] * 2
    beat = anchored.ledger.publish()
    assert beat.size == anchored.view.size + 1
    assert anchored.policy.examine(beat.note).freshness == NOW.replace(day=2)
    anchored.ledger.audit()


def test_without_witnesses_a_log_still_signs(scene):
    """A log by itself publishes, and its checkpoint has one signature."""
    ledger = Ledger.open("memory:", origin=ORIGIN, signer=scene.log_signer)
    ledger.append([scene.entry()])
    assert len(Note.parse(ledger.publish().note).signatures) == 1


def test_a_log_is_opened_as_itself_alone(scene, tmp_path):
    """Another origin or another key does not open a log that has one."""
    url = f"sqlite:///{tmp_path}/one.db"
    scene.open(url, witnesses=())
    scene.open(url, witnesses=())
    for other in ({"origin": "log.example/other"}, {"signer": signer(9)}):
        with pytest.raises(Conflict, match="other-log"):
            scene.open(url, witnesses=(), **other)


def test_witness_and_log_keys_are_distinct(scene):
    """One key is not log and witness, nor two witnesses."""
    with pytest.raises(ValueError, match="key of its own"):
        scene.open("memory:", witnesses=[scene.witnesses[0], scene.witnesses[0]])
    with pytest.raises(ValueError, match="key of its own"):
        scene.open("memory:", signer=signer(100), witnesses=scene.witnesses)


class Silent:
    """A witness that can't be reached, or only to look."""

    def __init__(self, witness, *, looks=False):
        self.key, self._witness, self._looks = witness.key, witness, looks

    def checkpoint(self, origin):
        if not self._looks:
            raise Unavailable("no route")
        return self._witness.checkpoint(origin)

    def add_checkpoint(self, *_):
        raise Unavailable("no route")


def test_one_silent_witness_does_not_stop_the_log(scene):
    """The checkpoint carries the cosignatures that there are."""
    ledger = scene.open("memory:", witnesses=[Silent(scene.witnesses[0]), scene.witnesses[1]])
    assert set(scene.policy.examine(ledger.publish().note).times) == {"w1.example"}


@pytest.mark.parametrize("looks", [False, True])
def test_no_witness_at_all_publishes_nothing(scene, looks):
    """Silent witnesses leave the last checkpoint in place, and the next publication succeeds."""
    ledger = scene.open("memory:", witnesses=[Silent(one, looks=looks) for one in scene.witnesses])
    with pytest.raises(Unavailable):
        ledger.publish()
    assert ledger.checkpoint() is None


class Lying(Silent):
    """A witness that answers with another line."""

    def __init__(self, witness, line):
        super().__init__(witness, looks=True)
        self._line = line

    def add_checkpoint(self, *_):
        return self._line


@pytest.mark.parametrize(
    "line", [b"", b"hello\n", b"\xff\n", b"a" * 10000, "— w0.example AAAAAAAA\n".encode()]
)
def test_a_bad_cosignature_never_gets_into_the_note(scene, line):
    """A note that held it would be refused by every verifier."""
    ledger = scene.open("memory:", witnesses=[Lying(scene.witnesses[0], line), scene.witnesses[1]])
    assert set(scene.policy.examine(ledger.publish().note).times) == {"w1.example"}


def test_threads_share_a_ledger(scene):
    """Eight threads append and publish at once; every entry is there once and the log replays."""
    failures = []

    def work(number):
        try:
            for seq in range(5):
                scene.ledger.append([scene.entry(seq, list_id=f"list {number}")])
                scene.ledger.publish()
        except VcidError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(isinstance(error, Unavailable) for error in failures)
    scene.ledger.publish()
    scene.ledger.audit()
    entries = [one for one in map(decode_leaf, scene.ledger.entries(0, 1 << 40)) if isinstance(one, Entry)]
    assert len({(one.topic, one.seq) for one in entries}) == len(entries)


# Proving


def test_every_topic_is_proven_newest(anchored):
    """Each head receipt holds the topic's entry."""
    for topic, head in anchored.ledger.heads().items():
        read = read_head(anchored, anchored.ledger.head(topic), topic)
        assert (read.entry.topic, read.entry.seq) == (topic, head.seq)


def test_heads_at_earlier_checkpoints_stay_what_they_were(scene):
    """After any later appends, each earlier checkpoint proves the heads of its own time."""
    views = []
    for seq in range(4):
        scene.ledger.append([scene.entry(seq), scene.entry(list_id=f"new {seq}")])
        views.append(scene.ledger.publish())
    scene.ledger.append([scene.entry(4)])
    reopened = scene.open() if scene.url != "memory:" else scene.ledger
    for seq, view in enumerate(views):
        read = read_head(scene, reopened.head(scene.topic(), view.size), scene.topic())
        assert (read.entry.seq, read.log_proof.checkpoint.size) == (seq, view.size)
        later = reopened.head(scene.topic(f"new {seq + 1}"), view.size)
        assert read_head(scene, later, scene.topic(f"new {seq + 1}")).entry is None


def test_inclusion_is_proven_from_the_first_checkpoint_on(scene):
    """An entry is proven at every checkpoint that holds it, and at none before."""
    first = scene.ledger.publish()
    scene.ledger.append([scene.entry(0)])
    views = [scene.ledger.publish() for _ in range(3)]
    for view in views:
        read = InclusionReceipt.parse(scene.ledger.inclusion(scene.entry(0), view.size).body)
        read.verify_proofs()
        assert (read.entry, read.log_proof.checkpoint.size) == (scene.entry(0), view.size)
    for entry, at in [
        (scene.entry(0), first.size),
        (scene.entry(1), None),
        (scene.entry(0, content=9), None),
    ]:
        with pytest.raises(Conflict, match="not-found"):
            scene.ledger.inclusion(entry, at)


def test_proofs_are_given_at_published_checkpoints_alone(anchored):
    """Sizes between checkpoints have no signature to prove against."""
    for at in (0, 3, 10_000):
        with pytest.raises(Conflict, match="not-found"):
            anchored.ledger.head(anchored.topic(), at)


def test_consistency_from_every_checkpoint_to_the_newest(scene):
    """One call proves growth from each earlier checkpoint, newest first up to the limit."""
    views = []
    for number in range(12):
        scene.ledger.append([scene.entry(list_id=f"{number}-{more}") for more in range(number)])
        views.append(scene.ledger.publish())
    *earlier, newest = views
    proofs = scene.ledger.consistency_from_checkpoints()
    assert set(proofs) == {view.size for view in earlier}
    for view in earlier:
        verify_consistency(view.size, newest.size, proofs[view.size], view.root, newest.root)
        assert proofs[view.size] == scene.ledger.consistency(view.size, newest.size)
    assert set(scene.ledger.consistency_from_checkpoints(3)) == {view.size for view in earlier[-3:]}


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (6, 5), (1, 10_000)])
def test_consistency_is_between_sizes_of_the_log(anchored, old, new):
    """Sizes that the log never had are misuse."""
    with pytest.raises(ValueError, match="sizes"):
        anchored.ledger.consistency(old, new)


def test_the_ledger_is_a_reader_and_a_writer(scene):
    """Each method that the two protocols ask for is there and takes the same arguments."""
    for protocol in (AnchorReader, AnchorWriter):
        for name in (name for name in vars(protocol) if not name.startswith("_")):
            asked = inspect.signature(getattr(protocol, name)).parameters
            given = inspect.signature(getattr(Ledger, name)).parameters
            assert list(asked) == list(given)[: len(asked)], name


def test_every_kind_is_anchored(scene):
    """DID documents, status lists and batch roots each have topics of their own."""
    scene.ledger.append([scene.entry(kind=kind, list_id="") for kind in Kind])
    scene.ledger.publish()
    assert len(scene.ledger.heads()) == len(Kind)


# Forks and liars


def test_a_fork_by_the_operator_gets_no_cosignature(scene):
    """Two logs under one key: the witnesses cosign the first, and the second one's checkpoint they refuse."""
    scene.ledger.append([scene.entry(0)])
    scene.ledger.publish()
    fork = scene.open("memory:", witnesses=())
    fork.append([scene.entry(0, content=7)])
    forked = fork.publish()
    with pytest.raises(Conflict, match=r"inconsistent|size"):
        scene.witnesses[0].add_checkpoint(forked.size, [], forked.note, [])
    with pytest.raises(Behind):
        Ledger(fork._store, origin=ORIGIN, signer=scene.log_signer, witnesses=scene.witnesses).publish()


def test_a_checkpoint_that_the_log_never_signed_stops_it(scene):
    """A witness that holds a checkpoint of the origin by another key is not believed, and nothing is signed."""

    class Other(Silent):
        def checkpoint(self, origin):
            text = Checkpoint(origin, 5, bytes(32)).text
            return Note(text, (sign_note(text, origin, signer(9)),)).encode()

    with pytest.raises(Conflict, match="other-log"):
        scene.open("memory:", witnesses=[Other(scene.witnesses[0])]).publish()


class Refusing(Silent):
    """A witness that refuses every checkpoint, or shows one that no log signed."""

    def __init__(self, witness, *, shows=None):
        super().__init__(witness, looks=True)
        self._shows = shows

    def checkpoint(self, origin):
        return self._shows or super().checkpoint(origin)

    def add_checkpoint(self, *_):
        raise Conflict("false-heads", "no")


@pytest.mark.parametrize("shows", [None, b"hello\n", b"\xff"])
def test_one_lying_witness_does_not_stop_the_log(scene, shows):
    """What one witness refuses or invents is for the verifiers' quorum; a refusal by all is raised."""
    liar = Refusing(scene.witnesses[0], shows=shows)
    ledger = scene.open("memory:", witnesses=[liar, scene.witnesses[1]])
    assert set(scene.policy.examine(ledger.publish().note).times) == {"w1.example"}
    with pytest.raises((Conflict, Unavailable)):
        scene.open("memory:", witnesses=[liar]).publish()


class Ahead(Silent):
    """A witness that always knows a larger checkpoint by the time it is asked to cosign."""

    def __init__(self, witness):
        super().__init__(witness, looks=True)

    def add_checkpoint(self, *_):
        raise Conflict("size", "moved on")


def test_a_publication_that_is_always_overtaken_gives_up(scene):
    """After a few turns the caller is told to try again; the log still replays."""
    ledger = scene.open("memory:", witnesses=[Ahead(scene.witnesses[0])])
    with pytest.raises(Unavailable, match="other writers"):
        ledger.publish()
    ledger.audit()

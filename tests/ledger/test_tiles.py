"""Reading a log from its tiles: the receipts of the log itself, at the checkpoint brought last."""

import inspect
from datetime import timedelta

import pytest

from ledger.scene import NOW
from ledger.tile_scene import TileScene
from vcid.encoding.merkle import verify_consistency
from vcid.errors import Conflict, Unavailable
from vcid.knowledge import Knowledge, Published
from vcid.ledger.anchor import AnchorReader, Outcome
from vcid.ledger.entries import Kind
from vcid.ledger.export import export
from vcid.ledger.notes import Checkpoint
from vcid.ledger.tile_tree import TileTree
from vcid.ledger.tiles import TileReader


@pytest.fixture
def scene(tmp_path):
    """A log of 611 leaves that a test may add to."""
    return TileScene.large(tmp_path / "tiles")


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """The same log, which no test changes."""
    return TileScene.large(tmp_path_factory.mktemp("still") / "tiles")


@pytest.fixture
def small(tmp_path):
    """A log of four leaves."""
    scene = TileScene(tmp_path / "tiles")
    scene.grow(2, list_id="first")
    return scene


def test_it_is_an_anchor_reader(still):
    """The reader has the protocol's methods with the protocol's parameters."""
    reader = still.reader()
    for name, method in inspect.getmembers(AnchorReader, inspect.isfunction):
        if not name.startswith("_"):
            assert list(inspect.signature(getattr(type(reader), name)).parameters) == list(
                inspect.signature(method).parameters
            )


def test_it_gives_what_the_log_gives(still):
    """Checkpoint, heads, entries, receipts of every kind and proofs are byte for byte the log's own."""
    reader, log = still.reader(), still.ledger
    assert reader.checkpoint() == log.checkpoint()
    assert reader.heads() == log.heads()
    assert reader.entries(250, 520) == log.entries(250, 520)
    for asked in (still.topic(), still.topic("first"), still.topic("absent"), bytes(32), b"\xff" * 32):
        assert reader.head(asked) == log.head(asked)
        assert reader.latest(asked) == log.latest(asked)
    for seq in (0, 255, 256, 605):
        assert reader.inclusion(still.entry(seq)) == log.inclusion(still.entry(seq))
        assert reader.find(still.topic(), seq) == still.entry(seq)
    assert reader.consistency_from_checkpoints() == log.consistency_from_checkpoints()
    assert reader.consistency(5, 300) == log.consistency(5, 300)
    assert reader.consistency(0, 300) == []


def test_a_receipt_from_tiles_is_judged_like_any_other(still):
    """The judge finds a fresh copy good, and the same copy stale once its witnesses' times are too old."""
    reader = still.reader()
    receipt, view = reader.head(still.topic()), reader.checkpoint()
    newest = still.entry(605)
    assert still.judge(605, newest, receipt, view)
    old = still.judge(605, newest, receipt, view, now=NOW + timedelta(days=8))
    assert (old.outcome, old.code) == (Outcome.STALE, "too-old")
    assert still.judge(604, still.entry(604), receipt, view).outcome is Outcome.SUPERSEDED


def test_an_old_copy_gives_true_but_old_receipts(small):
    """A stick of last month proves the heads of last month: the log's own newer ones stay unknown, not denied."""
    reader = small.reader()
    small.ledger.append([small.entry(2)])
    small.times[:] = [NOW + timedelta(days=30)] * 2
    small.ledger.publish()
    verdict = small.judge(
        1, small.entry(1), reader.head(small.topic()), reader.checkpoint(), now=small.times[0]
    )
    assert verdict.outcome is Outcome.STALE


def test_knowledge_is_gathered_from_tiles(still):
    """A verifier's knowledge is the same whether it comes from the log or from its tiles."""
    published = [
        Published(kind=Kind.STATUS_LIST, id="first", owner=still.owner.public_key, content=b"{}"),
        Published(kind=Kind.STATUS_LIST, id="nothing", owner=still.owner.public_key, content=b"{}"),
    ]
    reader = still.reader()
    gathered = Knowledge.gather(reader, published)
    assert gathered == Knowledge.gather(still.ledger, published)
    assert gathered.refreshed(reader, []) == gathered


def test_only_the_checkpoint_at_hand_is_proven(still):
    """Of earlier checkpoints the folder keeps no signatures, so nothing is proven at them."""
    reader = still.reader()
    for at in (5, 0, 1 << 40):
        with pytest.raises(Conflict, match="not-found"):
            reader.head(still.topic(), at)
    with pytest.raises(Conflict, match="not-found"):
        reader.inclusion(still.entry(606))
    with pytest.raises(Conflict, match="not-found"):
        reader.inclusion(still.entry(5, content=99))


def test_a_reader_goes_on_where_it_stood(scene):
    """After a refresh it has the new entries; without one it stays at its checkpoint."""
    reader = scene.reader()
    before = reader.checkpoint()
    scene.grow(300, list_id="third")
    assert reader.checkpoint() == before
    assert reader.latest(scene.topic("third")) is None
    assert reader.refresh() == scene.view
    assert reader.head(scene.topic("third")) == scene.ledger.head(scene.topic("third"))
    proof = reader.consistency(before.size, scene.view.size)
    verify_consistency(before.size, scene.view.size, proof, before.root, scene.view.root)


def test_a_reader_is_not_rolled_back(scene):
    """An older checkpoint of the same log is refused, and what was read stays."""
    reader = scene.reader()
    other = scene.folder.with_name("other")
    export(scene.ledger, other)
    old = (other / "checkpoint").read_bytes()
    scene.grow(1)
    reader.refresh()
    scene.file("checkpoint").write_bytes(old)
    with pytest.raises(Conflict, match="rollback"):
        reader.refresh()
    assert reader.checkpoint() == scene.view


def test_a_reader_is_not_led_onto_a_fork(small, tmp_path):
    """A larger log of the same key that contradicts what was read is refused, and the reader stays."""
    reader = small.reader()
    other = TileScene(tmp_path / "other")
    other.grow(9)
    small.folder.rename(tmp_path / "former")
    other.folder.rename(small.folder)
    for _ in range(2):
        with pytest.raises(Conflict, match="fork"):
            reader.refresh()
    assert reader.head(small.topic()) == small.ledger.head(small.topic())


def test_a_refresh_that_broke_off_is_done_again(scene):
    """A bundle that is missing stops a refresh; the reader answers as before, and goes on when it is back."""
    reader = scene.reader()
    before = reader.head(scene.topic())
    scene.grow(600, list_id="third")
    hidden = scene.file("tile/entries/004.p")
    hidden.rename(scene.file("hidden"))
    with pytest.raises(Unavailable, match="tile/entries/004"):
        reader.refresh()
    assert reader.head(scene.topic()) == before
    assert reader.find(scene.topic(), 700) is None
    scene.file("hidden").rename(hidden)
    assert reader.refresh() == scene.view
    assert reader.head(scene.topic()) == scene.ledger.head(scene.topic())


def test_nothing_is_read_before_the_first_replay(small):
    """A reader that was not opened proves nothing."""
    with pytest.raises(Unavailable, match="not read"):
        TileReader(small.transport, small.key).checkpoint()


def test_a_tree_alone_gives_the_stores_hashes(still):
    """Subtree by subtree, the verified tiles give what the log stored beside its leaves."""
    tree = TileTree(still.transport, Checkpoint(still.key.name, still.view.size, still.view.root))
    with still.ledger._store.read() as reader:
        for index in (0, 1, 3, 254, 255, 256, 511, 512, 610):
            assert tree.completed(index) == reader.completed(index)

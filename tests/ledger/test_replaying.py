"""Rebuilding a log from its tiles: what agrees, and the first thing that does not."""

import pytest

from ledger.scene import Scene
from ledger.tile_scene import TileScene
from vcid.errors import Unavailable
from vcid.ledger.entries import HeadsLeaf
from vcid.ledger.notes import NoteKey
from vcid.ledger.replaying import replay


@pytest.fixture
def scene(tmp_path):
    """A log of several bundles, exported."""
    scene = TileScene(tmp_path / "tiles")
    scene.grow(3, list_id="first")
    scene.grow(400, list_id="second")
    return scene


def test_a_log_replays(scene):
    """Leaves, heads leaves and topics are counted, the store agrees, and each bundle is a step."""
    steps = []
    replayed = replay(scene.transport, scene.key, store=scene.ledger, step=lambda: steps.append(1))
    assert replayed
    assert (replayed.view, replayed.leaves, replayed.heads_leaves) == (scene.view, 407, 2)
    assert (replayed.topics, len(steps), replayed.difference) == (3, 2, None)


def test_a_store_may_be_ahead(scene):
    """What was appended or published since the export is no difference."""
    scene.ledger.append([scene.entry(scene.seq)])
    scene.ledger.publish()
    assert replay(scene.transport, scene.key, store=scene.ledger)


def test_the_first_leaf_that_differs_is_named(scene, tmp_path):
    """Of a store with other leaves the first one is told, not the last."""
    other = Scene()
    other.ledger.append(
        [other.entry(0), other.entry(1), other.entry(2, content=99), other.entry(3, content=99)]
    )
    other.ledger.append([other.entry(seq) for seq in range(4, 500)])
    replayed = replay(scene.transport, scene.key, store=other.ledger)
    assert not replayed
    assert (replayed.difference.code, replayed.leaves) == ("store-differs", 0)
    assert "leaf 2" in replayed.difference.detail


def test_a_store_that_ends_before_differs(scene):
    """A store restored from a backup has fewer leaves than the tiles."""
    other = Scene()
    other.ledger.append([*(other.entry(seq) for seq in range(3)), other.entry(list_id="first")])
    other.ledger.publish()
    replayed = replay(scene.transport, scene.key, store=other.ledger)
    assert (replayed.difference.code, "ends before leaf 5" in replayed.difference.detail) == (
        "store-differs",
        True,
    )


@pytest.mark.parametrize(
    ("path", "leaves"), [("tile/entries/001.p/151", 256), ("tile/entries/000", 0), ("tile/0/000", 0)]
)
def test_the_file_at_fault_is_named(scene, path, leaves):
    """The replay stops at the first bundle that is not the checkpoint's, and says which file it was in."""
    scene.flip(path, -1)
    replayed = replay(scene.transport, scene.key)
    assert (replayed.difference.code, replayed.leaves) == ("corrupt", leaves)
    assert path in replayed.difference.detail
    assert replayed.view == scene.view


def test_a_missing_file_is_a_difference(scene):
    """What is not there is named too."""
    scene.file("tile/entries/000").unlink()
    replayed = replay(scene.transport, scene.key)
    assert (replayed.difference.code, "tile/entries/000" in replayed.difference.detail) == ("not-found", True)


def test_a_cut_file_is_a_difference(scene):
    """A file of another form is named by its path."""
    scene.file("tile/entries/000").write_bytes(b"\0")
    replayed = replay(scene.transport, scene.key)
    assert (replayed.difference.code, "tile/entries/000" in replayed.difference.detail) == ("bundle", True)


def test_another_logs_checkpoint_is_a_difference(scene):
    """The key decides whose log it is."""
    replayed = replay(scene.transport, NoteKey.of_log("other", scene.key.public_key))
    assert (replayed.view, replayed.difference.code) == (None, "wrong-origin")


def test_every_heads_leaf_is_checked(scene):
    """A false heads leaf in the middle of the log is found, though the newest checkpoint ends with a true one."""
    from vcid.ledger import appending

    with scene.ledger._store.write() as writer:
        rows, _ = appending.rows(writer, [HeadsLeaf(1, bytes(32))])
        writer.append(rows)
    scene.grow(1)
    assert scene.reader().checkpoint() == scene.view
    replayed = replay(scene.transport, scene.key)
    assert replayed.difference.code == "false-heads"
    assert "heads leaf 407" in replayed.difference.detail


def test_a_store_that_cannot_be_read_is_a_difference(scene):
    """Whatever fails while comparing is said, and the log is not called equal."""

    class Gone:
        def entries(self, start, stop):
            raise Unavailable("the disk is gone")

    assert replay(scene.transport, scene.key, store=Gone()).difference.code == "unavailable"

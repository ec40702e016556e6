"""Exporting a log as tiles: what the folder holds after each export, and after one that broke off."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.scene import ORIGIN, Scene, signer
from ledger.tile_scene import TileScene
from vcid.errors import Behind, Conflict, Malformed, Unavailable
from vcid.keys.private_files import locked
from vcid.ledger.export import export
from vcid.ledger.log import Ledger
from vcid.ledger.replaying import replay
from vcid.ledger.tile_transport import FolderTransport
from vcid.ledger.tiles import TileReader


@pytest.fixture
def scene(tmp_path):
    """A log of three leaves, exported."""
    scene = TileScene(tmp_path / "tiles", f"sqlite:///{tmp_path}/ledger.db")
    scene.grow(2)
    return scene


def test_a_small_log_is_three_files(scene):
    """A checkpoint, one partial tile and one partial bundle, and no empty tiles."""
    assert scene.files().keys() == {"checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"}
    assert scene.file("checkpoint").read_bytes() == scene.view.note
    assert len(scene.file("tile/0/000.p/3").read_bytes()) == 3 * 32


def test_partial_tiles_stay_until_the_full_one_is_there(scene):
    """Each checkpoint's partial tiles are served, the unexported one's too, until a full tile holds them all."""
    scene.ledger.append([scene.entry(2)])
    scene.ledger.publish()
    scene.seq = 3
    scene.grow(1)
    assert {path for path in scene.files() if path.startswith("tile/0")} == {
        f"tile/0/000.p/{width}" for width in (3, 5, 7)
    }
    scene.grow(255)
    assert scene.files().keys() == {
        "checkpoint",
        *("tile/0/000", "tile/0/001.p/7", "tile/1/000.p/1"),
        *("tile/entries/000", "tile/entries/001.p/7"),
    }
    assert not scene.file("tile/0/000.p").exists()


def test_a_log_of_full_tiles_has_no_partial_one_of_their_level(scene):
    """256 leaves are one full tile and one hash above it."""
    scene.grow(252)
    assert scene.view.size == 256
    assert set(scene.files()) - {"checkpoint"} == {"tile/0/000", "tile/entries/000", "tile/1/000.p/1"}


def test_an_export_adds_what_is_new(scene):
    """Only files of the new leaves are written, and the second export has nothing to add."""
    again = export(scene.ledger, scene.folder)
    assert (again.added, again.files) == (0, 1)
    grown = scene.grow(300)
    assert (grown.view.size, grown.added) == (304, 301)


def test_piece_by_piece_or_at_once_gives_the_same_log(scene, tmp_path):
    """What export by export built replays like what one export built, file by file for the newest checkpoint."""
    for number in (1, 250, 3, 270):
        scene.grow(number)
    other = tmp_path / "other"
    export(scene.ledger, other)
    whole, pieces = TileScene.files(scene), scene.files()
    assert whole.keys() <= pieces.keys()
    assert replay(FolderTransport(other), scene.key)
    assert replay(scene.transport, scene.key)
    assert {path: pieces[path] for path in whole} == whole


@pytest.mark.parametrize("kept", range(8))
def test_an_export_that_broke_off_is_done_again(scene, tmp_path, kept):
    """Whatever of an export reached the folder, the old checkpoint still reads, and the next export mends it."""
    before = tmp_path / "before"
    shutil.copytree(scene.folder, before)
    scene.grow(300)
    new = [path for path in scene.files() if path != "checkpoint" and not (before / path).exists()]
    for path in sorted(new)[:kept]:
        (before / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(scene.file(path), before / path)
    (before / ".export").mkdir()
    (before / ".export" / "file").write_bytes(b"half")
    assert replay(FolderTransport(before), scene.key)
    export(scene.ledger, before)
    assert replay(FolderTransport(before), scene.key, store=scene.ledger).leaves == scene.view.size
    assert not (before / ".export").exists()


def test_partial_tiles_deleted_before_the_checkpoint_moved_hurt_nobody(scene):
    """A reader of the old checkpoint takes the full tile in the partial one's place."""
    old = scene.file("checkpoint").read_bytes()
    scene.grow(300)
    scene.file("checkpoint").write_bytes(old)
    assert scene.reader().checkpoint().size == 3
    assert replay(scene.transport, scene.key, store=scene.ledger).leaves == 3
    assert export(scene.ledger, scene.folder).added == 301


def test_a_restored_backup_is_not_exported(scene, tmp_path):
    """A log with fewer leaves than the folder is an old copy, and the folder stays as it is."""
    scene.ledger.close()
    shutil.copy(tmp_path / "ledger.db", tmp_path / "backup.db")
    scene.grow(5)
    held = scene.files()
    with pytest.raises(Behind, match="3"):
        export(scene.open(f"sqlite:///{tmp_path}/backup.db"), scene.folder)
    assert scene.files() == held


def test_a_fork_is_not_exported(scene, tmp_path):
    """A log that went another way since the folder's checkpoint is refused, rebuilding or not."""
    other = Scene(f"sqlite:///{tmp_path}/other.db")
    other.ledger.append([other.entry(content=9), other.entry(1), other.entry(2)])
    other.ledger.publish()
    for rebuild in (False, True):
        with pytest.raises(Conflict, match="fork"):
            export(other.ledger, scene.folder, rebuild=rebuild)


def test_another_log_is_not_mixed_in(scene):
    """A folder of one origin takes no other's tiles, nor those of a stranger who uses its name."""
    other = scene.open("memory:", witnesses=[], origin="log.example/other")
    other.append([scene.entry()])
    other.publish()
    with pytest.raises(Conflict, match="other-log"):
        export(other, scene.folder)
    stranger = scene.open("memory:", witnesses=[], signer=signer(7))
    stranger.append([scene.entry(0, content=5), scene.entry(1), scene.entry(2)])
    stranger.publish()
    with pytest.raises(Conflict, match="fork"):
        export(stranger, scene.folder)
    assert scene.key.name == ORIGIN


def test_a_log_that_changed_its_key_goes_on_in_the_folder(scene):
    """The folder's checkpoint by the former key is continued by the log's own leaves, under the new key."""
    before = scene.folder.with_name("before")
    shutil.copytree(scene.folder, before)
    changed = Ledger(
        scene.ledger._store, origin=ORIGIN, signer=signer(7), former_keys=[scene.log_signer.public_key]
    )
    changed.publish()
    assert export(changed, scene.folder).added == 1
    assert replay(scene.transport, changed.key, store=changed)
    assert not replay(FolderTransport(before), changed.key)
    assert replay(FolderTransport(before), changed.key, scene.key, store=changed)
    assert TileReader.open(FolderTransport(before), changed.key, scene.key).checkpoint().size == 3


def test_a_foreign_checkpoint_file_is_not_overwritten(scene):
    """A file of that name which is no checkpoint belongs to somebody else."""
    scene.file("checkpoint").write_text("of a neural network")
    with pytest.raises(Malformed):
        export(scene.ledger, scene.folder)


def test_other_files_are_left_alone(scene):
    """What else a web server serves from the folder stays."""
    scene.file("index.html").write_text("<p>a log")
    scene.grow(300)
    assert scene.file("index.html").read_text() == "<p>a log"


@pytest.mark.parametrize("damage", ["flip", "delete"])
def test_a_damaged_folder_is_rebuilt_on_request_alone(scene, damage):
    """Damage at the edge stops the next export, so that it is seen; a rebuilt folder is whole again."""
    if damage == "flip":
        scene.flip("tile/0/000.p/3")
    else:
        scene.file("tile/0/000.p/3").unlink()
    with pytest.raises(Conflict, match="rebuild"):
        scene.grow(1)
    export(scene.ledger, scene.folder, rebuild=True)
    assert replay(scene.transport, scene.key, store=scene.ledger)


def test_a_damaged_store_is_carried_no_further(scene, tmp_path):
    """Leaves that don't hash to the signed checkpoint never get one beside them."""
    scene.ledger.append([scene.entry(2)])
    scene.ledger.publish()
    before = scene.file("checkpoint").read_bytes()
    with scene.ledger._store.write() as writer:
        rows = writer.leaves(3, 4)
    damaged = _Altered(scene.ledger, rows[0][:-1] + b"\0")
    with pytest.raises(Conflict, match="corrupt"):
        export(damaged, scene.folder)
    assert scene.file("checkpoint").read_bytes() == before
    with pytest.raises(Conflict, match="missing"):
        export(_Altered(scene.ledger, None), scene.folder)


class _Altered:
    """A log one of whose leaves is another, or is gone."""

    def __init__(self, log, leaf):
        self._log = log
        self._leaf = leaf

    def __getattr__(self, name):
        return getattr(self._log, name)

    def entries(self, start, stop):
        leaves = self._log.entries(start, stop)
        return [*leaves[:3], *([self._leaf] if self._leaf else []), *leaves[4:]]


def test_a_log_without_a_checkpoint_has_nothing_to_export(tmp_path):
    """Entries that were never published stay where they are."""
    scene = Scene()
    scene.ledger.append([scene.entry()])
    with pytest.raises(Conflict, match="not-found"):
        export(scene.ledger, tmp_path / "tiles")
    assert not (tmp_path / "tiles").exists()


def test_unpublished_entries_are_not_exported(scene):
    """What stands behind the newest checkpoint is nobody's business yet."""
    scene.ledger.append([scene.entry(2)])
    assert export(scene.ledger, scene.folder).view.size == 3
    assert scene.files().keys() == {"checkpoint", "tile/0/000.p/3", "tile/entries/000.p/3"}


def test_one_export_at_a_time(scene):
    """While one export holds the folder, another waits, and gives up without touching it."""
    held = scene.files()
    scene.ledger.publish()
    with locked(scene.folder / ".export"), pytest.raises(Unavailable, match="another"):
        export(scene.ledger, scene.folder)
    assert scene.files() == held


def test_a_folder_that_cannot_be_written_is_said(scene, tmp_path):
    """A file in the folder's place ends in a typed error."""
    (tmp_path / "file").write_text("")
    with pytest.raises(Unavailable):
        export(scene.ledger, tmp_path / "file" / "tiles")


FULL = """
import resource, sys
from ledger.scene import Scene
from vcid.errors import Unavailable
from vcid.ledger.export import export
ledger = Scene().open(sys.argv[1], witnesses=[])
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), resource.RLIM_INFINITY))
try:
    export(ledger, sys.argv[2])
except Unavailable:
    sys.exit(3)
"""


@pytest.mark.parametrize("limit", [100, 5000])
def test_a_disk_that_fills_leaves_a_whole_log(scene, tmp_path, limit):
    """Where a file can't be written whole the export ends in a typed error, and the former log still reads."""
    scene.ledger.append([scene.entry(seq) for seq in range(2, 400)])
    scene.ledger.publish()
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    arguments = [sys.executable, "-c", FULL, scene.url, str(scene.folder), str(limit)]
    assert subprocess.run(arguments, env=environment, check=False).returncode == 3
    assert replay(scene.transport, scene.key, store=scene.ledger).leaves == 3
    assert export(scene.ledger, scene.folder).added == 399


@pytest.mark.slow
def test_an_export_killed_at_any_moment_leaves_a_whole_log(tmp_path):
    """After each of 20 kills the folder holds a log that replays, and the next export goes on from it."""
    url, folder = f"sqlite:///{tmp_path}/ledger.db", tmp_path / "tiles"
    moments = random.Random(20260301)
    sizes = []
    for _ in range(20):
        worker = subprocess.Popen(
            [sys.executable, "-m", "ledger.export_worker", url, str(folder)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])},
        )
        worker.stdout.readline()
        time.sleep(moments.uniform(0, 0.15))
        worker.kill()
        worker.communicate()
        assert worker.returncode == -signal.SIGKILL
        store = Scene().open(url, witnesses=[])
        replayed = replay(FolderTransport(folder), store.key, store=store)
        assert replayed.difference is None
        sizes.append(replayed.view.size)
        store.close()
    assert sizes == sorted(sizes)
    assert len(set(sizes)) == len(sizes)

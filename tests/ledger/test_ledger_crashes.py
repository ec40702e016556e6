"""What outlives its process: kill -9 in the middle, two writers at once, and a disk that is full."""

import json
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ledger.ledger_worker import scene_in
from vcid.ledger.entries import Entry, decode_leaf
from vcid.ledger.judge import Claim

WORKER = Path(__file__).with_name("ledger_worker.py")
pytestmark = pytest.mark.slow


def start(folder, name, mode):
    return subprocess.Popen([sys.executable, WORKER, folder, name, mode], stdout=subprocess.PIPE)


def said(output):
    """The whole lines; a kill may have cut the last one."""
    return [json.loads(line) for line in output.split(b"\n")[:-1]]


def check(scene, acknowledged):
    """The log replays, and holds every entry and every checkpoint that was acknowledged."""
    scene.ledger.audit()
    leaves = [decode_leaf(leaf) for leaf in scene.ledger.entries(0, 1 << 40)]
    entries = {(one.topic, one.seq) for one in leaves if isinstance(one, Entry)}
    assert len(entries) == sum(isinstance(one, Entry) for one in leaves)
    for word, *values in acknowledged:
        if word == "appended":
            name, seq = values
            assert (scene.topic(name), seq) in entries
        if word == "published":
            size, root = values
            with scene.ledger._store.read() as reader:
                assert reader.checkpoint(size).root.hex() == root


def newest_is_proven(scene, name):
    """The log publishes, its witness cosigns, and a verifier finds the newest entry."""
    view = scene.ledger.publish()
    entry = scene.ledger.latest(scene.topic(name))
    claim = Claim(owner=scene.owner.public_key, kind=entry.kind, list_id=name, digest=entry.digest)
    assert scene.judge(entry=entry, receipt=scene.ledger.head(entry.topic), view=view, claim=claim)


def test_kill_while_appending_and_publishing(tmp_path):
    """Killed fifty times at random moments, nothing acknowledged is lost, nothing is doubled, nothing forks."""
    chance, acknowledged = random.Random(4711), []
    for _ in range(50):
        worker = start(tmp_path, "a", "endless")
        worker.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        worker.kill()
        acknowledged += said(worker.communicate()[0])
    scene = scene_in(tmp_path)
    check(scene, acknowledged)
    newest_is_proven(scene, "a")
    assert sum(word == "published" for word, *_ in acknowledged) > 30


def test_two_writers_at_once(tmp_path):
    """Two processes append to one log and publish it: one history, every entry once, one root a size."""
    workers = [start(tmp_path, name, "bounded") for name in ("a", "b")]
    acknowledged = [line for worker in workers for line in said(worker.communicate()[0])]
    assert [worker.returncode for worker in workers] == [0, 0]
    published = {(size, root) for word, *rest in acknowledged if word == "published" for size, root in [rest]}
    assert len({size for size, _ in published}) == len(published)
    scene = scene_in(tmp_path)
    check(scene, acknowledged)
    assert sum(word == "appended" for word, *_ in acknowledged) == 80
    newest_is_proven(scene, "a")
    newest_is_proven(scene, "b")


def test_a_full_disk(tmp_path):
    """When the file can't grow, the writer is told so by type, and the log as it was verifies and goes on."""
    scene_in(tmp_path)
    worker = start(tmp_path, "full", "full")
    acknowledged = said(worker.communicate()[0])
    assert worker.returncode == 0
    assert acknowledged[-1] == ["unavailable"]
    assert len(acknowledged) > 10
    scene = scene_in(tmp_path)
    check(scene, acknowledged)
    newest_is_proven(scene, "full")

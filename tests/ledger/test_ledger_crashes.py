"""What outlives its process: kill -9 in the middle, of a server too, two writers at once, and a full disk."""

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


@pytest.fixture(params=["sqlite", "postgresql"])
def urls(request, tmp_path):
    """Where a log is kept and where its witness's memory is, in each backend."""
    if request.param == "postgresql":
        server = request.getfixturevalue("postgresql")
        return server.create(), server.create()
    return f"sqlite:///{tmp_path}/ledger.db", f"sqlite:///{tmp_path}/witness.db"


def start(urls, name, mode):
    command = [sys.executable, WORKER, *urls, name, mode]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)


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


def test_kill_while_appending_and_publishing(urls):
    """Killed a hundred times at any moment, nothing acknowledged is lost, nothing is doubled, nothing forks."""
    chance, acknowledged = random.Random(4711), []
    for _ in range(100):
        worker = start(urls, "a", "endless")
        worker.stdout.readline()
        time.sleep(chance.uniform(0, 0.15))
        worker.kill()
        acknowledged += said(worker.communicate()[0])
    scene = scene_in(*urls)
    check(scene, acknowledged)
    newest_is_proven(scene, "a")
    assert sum(word == "published" for word, *_ in acknowledged) > 60


def test_two_writers_at_once(urls):
    """Two processes append to one log and publish it: one history, every entry once, one root a size."""
    workers = [start(urls, name, "bounded") for name in ("a", "b")]
    acknowledged = [line for worker in workers for line in said(worker.communicate()[0])]
    assert [worker.returncode for worker in workers] == [0, 0]
    published = {(size, root) for word, *rest in acknowledged if word == "published" for size, root in [rest]}
    assert len({size for size, _ in published}) == len(published)
    scene = scene_in(*urls)
    check(scene, acknowledged)
    assert sum(word == "appended" for word, *_ in acknowledged) == 80
    newest_is_proven(scene, "a")
    newest_is_proven(scene, "b")


def test_kill_the_server(own_postgresql):
    """Killed ten times under a writer that goes on, the server has all that it confirmed, and no half of it."""
    urls = own_postgresql.create(), own_postgresql.create()
    worker = start(urls, "a", "stubborn")
    worker.stdout.readline()
    chance = random.Random(4711)
    for _ in range(10):
        time.sleep(chance.uniform(0.1, 0.4))
        own_postgresql.kill()
        own_postgresql.start()
    time.sleep(0.5)
    acknowledged = said(worker.communicate()[0])
    assert worker.returncode == 0
    scene = scene_in(*urls)
    check(scene, acknowledged)
    newest_is_proven(scene, "a")
    assert sum(word == "unavailable" for word, *_ in acknowledged) >= 10
    assert sum(word == "published" for word, *_ in acknowledged) >= 10


def test_a_full_disk(tmp_path):
    """When the file can't grow, the writer is told so by type, and the log as it was verifies and goes on."""
    urls = f"sqlite:///{tmp_path}/ledger.db", f"sqlite:///{tmp_path}/witness.db"
    scene_in(*urls)
    is_told_and_goes_on(urls, "full")


def test_a_full_disk_under_the_server(own_postgresql):
    """When the server's tables can't grow, the writer is told so by type, and with room the log goes on."""
    urls = own_postgresql.create(), own_postgresql.create()
    scene_in(*urls).ledger.close()
    own_postgresql.kill()
    own_postgresql.largest_file = 2 << 20
    own_postgresql.start()
    is_told_and_goes_on(urls, "filling", restart=own_postgresql)


def is_told_and_goes_on(urls, mode, restart=None):
    worker = start(urls, "full", mode)
    acknowledged = said(worker.communicate()[0])
    assert worker.returncode == 0
    assert acknowledged[-1] == ["unavailable"]
    assert len(acknowledged) > 10
    if restart is not None:
        check(scene_in(*urls), acknowledged)
        restart.kill()
        restart.largest_file = None
        restart.start()
    scene = scene_in(*urls)
    check(scene, acknowledged)
    newest_is_proven(scene, "full")

"""Following a log: an owner learns of each entry under its keys, and of every rule that the log breaks."""

from datetime import timedelta

import pytest

from ledger.scene import NOW, signer
from ledger.tile_scene import TileScene
from vcid.ledger import appending
from vcid.ledger.anchor import Outcome
from vcid.ledger.entries import Entry, Kind, owner_topic
from vcid.ledger.export import export
from vcid.ledger.log import Ledger
from vcid.ledger.monitor import Monitor, Watch
from vcid.ledger.views import MemoryViewStore, SqlViewStore


@pytest.fixture
def scene(tmp_path):
    """A log of two owners' entries, exported."""
    scene = TileScene(tmp_path / "tiles")
    scene.ledger.append([scene.entry(owner=signer(8), list_id="theirs")])
    scene.grow(2, list_id="first")
    return scene


@pytest.fixture(params=["tiles", "store"])
def log(request, scene):
    """The log, read from its tiles or out of its store."""
    return scene.reader() if request.param == "tiles" else scene.ledger


@pytest.fixture
def monitor(scene, log):
    """A monitor that has seen nothing yet."""
    return Monitor(log, scene.policy, MemoryViewStore())


def watch_of(scene, **options):
    return Watch(owners=frozenset({scene.owner.public_key}), **options)


def test_an_owner_is_shown_its_entries_once(scene, monitor):
    """The first look has all of an owner's entries, the next one those appended since it was acknowledged."""
    findings = monitor.look(watch_of(scene))
    assert (findings.since, bool(findings.judgement), findings.fault) == (0, True, None)
    assert [(one.place, one.entry.seq) for one in findings.sightings] == [(1, 0), (2, 1), (3, 0)]
    assert monitor.acknowledge(findings)
    assert monitor.look(watch_of(scene)).sightings == ()
    scene.grow(1)
    scene.ledger.append([scene.entry(1, owner=signer(8), list_id="theirs")])
    scene.grow(1)
    later = monitor.look(watch_of(scene))
    assert (later.since, [one.entry.seq for one in later.sightings]) == (5, [2, 3])


def test_findings_that_got_lost_come_again(scene, monitor):
    """A look changes no memory: only what was acknowledged is behind it."""
    assert monitor.look(watch_of(scene)) == monitor.look(watch_of(scene))


def test_entries_that_the_owner_did_not_make_are_alarms(scene, monitor):
    """Who stole the owner's key appends by it: the owner's own records tell the thief's entries apart."""
    made = {scene.entry(0).digest, scene.entry(list_id="first").digest}
    findings = monitor.look(watch_of(scene, is_known=lambda entry: entry.digest in made))
    [alarm] = findings.alarms
    assert (alarm.place, alarm.entry, len(findings.sightings)) == (2, scene.entry(1), 3)


def test_topics_and_everything_can_be_watched(scene, monitor):
    """A topic is watched without its owner's others; a watch of nothing in particular sees all entries."""
    one = Watch(topics=frozenset({scene.topic("first")}))
    assert [found.place for found in monitor.look(one).sightings] == [3]
    assert [found.place for found in monitor.look(Watch()).sightings] == [0, 1, 2, 3]
    assert monitor.look(Watch(owners=frozenset({signer(9).public_key}))).sightings == ()


def test_a_change_of_key_is_seen_and_what_follows_it_too(scene, monitor):
    """The owner named is the first one for ever: entries by its next key are still its own."""
    scene.ledger.append([Entry.change_key(scene.owner, signer(5).public_key, seq=0)])
    by_next = Entry.sign(
        signer(5),
        kind=Kind.STATUS_LIST,
        list_id="first",
        seq=1,
        digest=bytes(32),
        owner=scene.owner.public_key,
    )
    scene.ledger.append([by_next])
    scene.ledger.publish()
    export(scene.ledger, scene.folder)
    kinds = [one.entry.kind for one in monitor.look(watch_of(scene)).sightings]
    assert kinds[3:] == [Kind.OWNER_KEY, Kind.STATUS_LIST]
    change = Watch(topics=frozenset({owner_topic(scene.owner.public_key)}))
    assert len(monitor.look(change).sightings) == 1


def smuggle(scene, *entries):
    """Append past the log's own checks, as its operator could, and let it publish without witnesses."""
    with scene.ledger._store.write() as writer:
        rows, _ = appending.rows(writer, entries)
        writer.append(rows)
    alone = Ledger(scene.ledger._store, origin=scene.key.name, signer=scene.log_signer)
    alone.publish()
    export(alone, scene.folder)


def test_an_entry_by_a_key_given_up_is_seen(scene, monitor):
    """A log that lets a former key append is found at fault, whatever its checkpoint says."""
    assert monitor.acknowledge(monitor.look(watch_of(scene)))
    scene.ledger.append([Entry.change_key(scene.owner, signer(5).public_key, seq=0)])
    smuggle(scene, scene.entry(2))
    findings = monitor.look(watch_of(scene))
    assert (findings.judgement.outcome, findings.fault.code) == (Outcome.INVALID, "not-owner")
    assert (findings.view, findings.sightings, monitor.acknowledge(findings)) == (None, (), False)


def test_an_entry_out_of_sequence_is_seen(scene, monitor):
    """A gap in a topic's numbers is a fault of the log."""
    smuggle(scene, scene.entry(7))
    assert monitor.look(Watch()).fault.code == "sequence"


def test_a_log_without_enough_witnesses_is_reported_and_not_acknowledged(scene, monitor):
    """What no witness cosigned is shown, but never becomes what was seen last."""
    smuggle(scene, scene.entry(2))
    findings = monitor.look(watch_of(scene))
    assert (findings.judgement.outcome, len(findings.sightings)) == (Outcome.QUORUM, 4)
    assert not monitor.acknowledge(findings)
    assert monitor.look(watch_of(scene)).since == 0


def test_a_rollback_is_seen_across_restarts(scene, tmp_path):
    """A new process with the memory of the old one sees that the log shrank."""
    old = scene.file("checkpoint").read_bytes()
    scene.grow(3)
    views = SqlViewStore.open(f"sqlite:///{tmp_path}/seen.db")
    first = Monitor(scene.reader(), scene.policy, views)
    assert first.acknowledge(first.look(Watch()))
    views.close()
    scene.file("checkpoint").write_bytes(old)
    again = Monitor(scene.reader(), scene.policy, SqlViewStore.open(f"sqlite:///{tmp_path}/seen.db"))
    findings = again.look(Watch())
    assert (findings.judgement.outcome, findings.sightings) == (Outcome.ROLLBACK, ())
    assert not again.acknowledge(findings)


def test_a_fork_is_seen(scene, tmp_path):
    """A larger log that does not continue what was seen is a fork, whoever cosigned it."""
    views = MemoryViewStore()
    monitor = Monitor(scene.reader(), scene.policy, views)
    assert monitor.acknowledge(monitor.look(Watch()))
    other = TileScene(tmp_path / "other")
    other.grow(9)
    findings = Monitor(other.reader(), scene.policy, views).look(Watch())
    assert (findings.judgement.outcome, findings.sightings) == (Outcome.FORK, ())


def test_a_frozen_log_shows_its_age(scene, monitor):
    """A log that publishes nothing new keeps the time that its witnesses gave it: the caller sees how old it is."""
    findings = monitor.look(Watch())
    assert scene.policy.examine(findings.view.note).freshness == NOW
    scene.times[:] = [NOW + timedelta(days=1)] * 2
    scene.grow(0)
    assert scene.policy.examine(monitor.look(Watch()).view.note).freshness == NOW + timedelta(days=1)


def test_a_log_that_was_never_published_is_no_log_yet(scene):
    """Without a checkpoint there is nothing to follow."""
    empty = type(scene)(scene.folder.with_name("empty"))
    findings = Monitor(empty.ledger, empty.policy, MemoryViewStore()).look(Watch())
    assert (findings.judgement.outcome, findings.fault.code) == (Outcome.UNAVAILABLE, "not-found")

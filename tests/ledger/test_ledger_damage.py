"""What a log does with rows that were altered past it, and with a backup put in its place, in each database."""

import sqlite3
from contextlib import suppress

import pytest

from ledger.scene import Scene
from vcid.errors import Behind, Conflict, VcidError


class SqliteFile:
    """A log in a file, and what somebody does to the file past the log."""

    def __init__(self, folder):
        self._folder = folder
        self._copies = 0
        self.url = f"sqlite:///{folder}/ledger.db"

    def run(self, statement, *parameters):
        connection = sqlite3.connect(self._folder / "ledger.db")
        with connection:
            rows = connection.execute(statement, parameters).fetchall()
        connection.close()
        return rows

    def back_up(self):
        """Copy the file, as the database itself makes backups; give the copy's URL."""
        self._copies += 1
        source = sqlite3.connect(self._folder / "ledger.db")
        target = sqlite3.connect(self._folder / f"backup{self._copies}.db")
        source.backup(target)
        source.close()
        target.close()
        return f"sqlite:///{self._folder}/backup{self._copies}.db"


class PostgresqlDatabase:
    """A log in a database of a server, and what its administrator does past the log."""

    def __init__(self, server):
        self._server = server
        self.url = server.create_database()

    def run(self, statement, *parameters):
        return self._server.run(statement.replace("?", "%s"), self.url, parameters)

    def back_up(self):
        return self._server.copy(self.url)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    """A place for a log in each database."""
    if request.param == "postgresql":
        return PostgresqlDatabase(request.getfixturevalue("postgresql"))
    return SqliteFile(tmp_path)


def size_of(ledger):
    return len(ledger.entries(0, 1 << 40))


def test_a_restored_backup_does_not_sign(database):
    """A log whose witness knows more leaves than it has raises Behind before it signs or adds anything."""
    scene = Scene(database.url)
    scene.ledger.append([scene.entry(0)])
    scene.ledger.publish()
    backup = database.back_up()
    scene.ledger.append([scene.entry(1)])
    scene.ledger.publish()
    restored = scene.open(backup)
    size = size_of(restored)
    with pytest.raises(Behind):
        restored.publish()
    assert size_of(restored) == size


def test_a_restored_backup_appended_to_does_not_sign(database):
    """As many leaves as the witness knows, or more, but other ones: still Behind."""
    scene = Scene(database.url)
    scene.ledger.publish()
    backup = database.back_up()
    scene.ledger.append([scene.entry(0)])
    scene.ledger.publish()
    restored = scene.open(backup)
    for number in range(5):
        restored.append([scene.entry(0, list_id=f"other {number}")])
        with pytest.raises(Behind):
            restored.publish()


DAMAGES = {
    "an entry altered": ("UPDATE log_leaves SET data = ? WHERE leaf_index = 0", None),
    "a leaf altered": ("UPDATE log_leaves SET data = ? WHERE leaf_index = 1", bytes(1)),
    "a leaf removed": ("DELETE FROM log_leaves WHERE leaf_index = 1", b""),
    "the last leaf removed": ("DELETE FROM log_leaves WHERE leaf_index = 21", b""),
    "a node altered": ("UPDATE log_leaves SET completed = ? WHERE leaf_index = 1", bytes(64)),
    "a node cut": ("UPDATE log_leaves SET completed = ? WHERE leaf_index = 15", bytes(1)),
    "a head altered": ("UPDATE log_heads SET entry_hash = ?", bytes(32)),
    "a head turned back": ("UPDATE log_heads SET seq = 0, entry_hash = ?", bytes(32)),
    "a head removed": ("DELETE FROM log_heads", b""),
    "a root altered": ("UPDATE log_checkpoints SET root = ?", bytes(32)),
    "a checkpoint's note altered": ("UPDATE log_checkpoints SET note = ?", b"\n"),
    "an index altered": ("UPDATE log_entries SET leaf_index = leaf_index + 1", b""),
}


@pytest.mark.parametrize("damage", DAMAGES, ids=str)
def test_damage_is_found_and_never_proven(database, damage):
    """Whatever row is altered, no receipt comes out that a verifier would believe wrongly."""
    scene = Scene(database.url)
    others = [scene.entry(list_id=f"other {number}") for number in range(19)]
    scene.ledger.append([scene.entry(0), scene.entry(1), *others])
    view = scene.ledger.publish()
    statement, value = DAMAGES[damage]
    value = scene.entry(0, content=9).encode() if value is None else value
    database.run(statement, *([value] if value else []))
    reopened = scene.open()
    with pytest.raises(VcidError):
        reopened.audit()
    with suppress(VcidError):
        view = reopened.publish()
    for ask in (lambda: reopened.head(scene.topic()), lambda: reopened.inclusion(scene.entry(1))):
        try:
            receipt = ask()
        except VcidError:
            continue
        judged = scene.judge(1, scene.entry(1), receipt, view)
        assert judged or judged.code == "no-head-receipt"


def test_a_damaged_log_signs_nothing_more(database):
    """A log that no longer contains its own newest checkpoint does not sign another, witnesses or none."""
    scene = Scene(database.url, witnesses=1)
    ledger = scene.open(witnesses=())
    ledger.append([scene.entry(0)])
    ledger.publish()
    for place, hashes in enumerate((bytes(32), bytes(64))):
        database.run("UPDATE log_leaves SET completed = ? WHERE leaf_index = ?", hashes, place)
    with pytest.raises(Conflict, match="corrupt"):
        ledger.publish()
    with pytest.raises(Conflict, match="corrupt"):
        ledger.latest(scene.topic())


def test_false_heads_are_not_cosigned_and_the_log_recovers(database):
    """A damaged heads table makes a heads leaf that the witnesses refuse; repaired, the log goes on."""
    scene = Scene(database.url)
    scene.ledger.append([scene.entry(0), scene.entry(1)])
    scene.ledger.publish()
    database.run("UPDATE log_heads SET seq = 0")
    reopened = scene.open()
    with pytest.raises(Conflict, match="false-heads"):
        reopened.publish()
    database.run("UPDATE log_heads SET seq = 1")
    view = reopened.publish()
    assert scene.judge(1, scene.entry(1), reopened.head(scene.topic()), view)
    reopened.audit()


def test_a_removed_write_ahead_log_is_a_restored_backup(tmp_path):
    """What was committed but not yet moved into the file is lost with its WAL: Behind, not a fork."""
    scene = Scene(f"sqlite:///{tmp_path}/ledger.db")
    scene.ledger.append([scene.entry(0)])
    scene.ledger.publish()
    connection = sqlite3.connect(tmp_path / "ledger.db")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    scene.ledger.append([scene.entry(1)])
    scene.ledger.publish()
    (tmp_path / "copy.db").write_bytes((tmp_path / "ledger.db").read_bytes())
    connection.close()
    with pytest.raises(Behind):
        scene.open(f"sqlite:///{tmp_path}/copy.db").publish()

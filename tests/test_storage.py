"""The stores' database: transactions, versions, threads, forks, and what it says when the disk does not."""

import os
import stat
import threading
from pathlib import Path

import pytest

from vcid.errors import Conflict, StoreTooNew, Unavailable
from vcid.storage import Database, StoreSchema

CREATE = "CREATE TABLE counter (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT;\n"
SCHEMA = StoreSchema("counters", (CREATE,))

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


@pytest.fixture
def open_store(tmp_path):
    """Open stores that are closed at the end, on a file of the test's folder unless told otherwise."""
    opened = []

    def open_one(url=f"sqlite:///{tmp_path / 'store.db'}", schema=SCHEMA):
        opened.append(Database.open(url, schema))
        return opened[-1]

    yield open_one
    for each in opened:
        each.close()


@pytest.fixture(params=["file", "memory"])
def store(request, open_store):
    """One store of each kind."""
    return open_store() if request.param == "file" else open_store("sqlite://")


def put(store, name, value):
    with store.transaction() as transaction:
        transaction.execute("INSERT INTO counter VALUES (?, ?)", (name, value))


def values(store):
    with store.read() as transaction:
        return dict(transaction.execute("SELECT name, value FROM counter").fetchall())


def in_child(work):
    """Run something in a forked child, and give its exit code."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def in_thread(work):
    """Run something in another thread, and give what it returned."""
    results = []
    thread = threading.Thread(target=lambda: results.append(work()))
    thread.start()
    thread.join()
    return results[0]


class TestForgetting:
    """What is erased must not be found by whoever gets hold of the files."""

    def files_with(self, folder, text):
        return [path.name for path in folder.iterdir() if text in path.read_bytes()]

    def test_what_was_deleted_is_in_no_file(self, open_store, tmp_path):
        """Among many others, in pages that were split, altered and deleted from."""
        store = open_store()
        for start in range(0, 2000, 200):
            with store.transaction() as transaction:
                rows = [(f"{n * 7919 % 2000:06}-secret", n) for n in range(start, start + 200)]
                transaction.executemany("INSERT INTO counter VALUES (?, ?)", rows)
        for name in ("000400-secret", "001111-secret"):
            assert self.files_with(tmp_path, name.encode())
            with store.transaction() as transaction:
                transaction.execute("UPDATE counter SET name = ? WHERE name = ?", ("x", name))
                transaction.execute("DELETE FROM counter WHERE name = ?", ("x",))
            store.forget()
            assert not self.files_with(tmp_path, name.encode())

    @pytest.mark.slow
    def test_a_reader_that_holds_on_is_told_of(self, open_store):
        """Nobody is told that something is gone which is not; asked again later, it is."""
        store, other = open_store(), open_store()
        put(store, "a", 1)
        with other.read() as reading:
            reading.execute("SELECT * FROM counter").fetchall()
            put(store, "b", 2)
            with pytest.raises(Unavailable, match="do it again"):
                store.forget()
        store.forget()

    def test_one_in_memory_has_no_file(self, open_store):
        """And forgets without being told."""
        open_store("sqlite://").forget()


class TestTransactions:
    """All or nothing, and one at a time."""

    def test_a_block_that_ends_well_is_kept(self, store):
        """What the block wrote is there afterwards."""
        put(store, "a", 1)
        with store.transaction() as transaction:
            transaction.executemany("INSERT INTO counter VALUES (?, ?)", [("b", 2), ("c", 3)])
        assert values(store) == {"a": 1, "b": 2, "c": 3}

    @pytest.mark.parametrize("error", [RuntimeError, OSError, KeyboardInterrupt, GeneratorExit])
    def test_a_block_that_fails_leaves_nothing(self, store, error):
        """Whatever the block raises comes out as it is, and everything is rolled back."""
        put(store, "a", 1)
        with pytest.raises(error), store.transaction() as transaction:  # noqa: PT012 - the block is the subject
            transaction.execute("DELETE FROM counter")
            raise error
        assert values(store) == {"a": 1}
        put(store, "b", 2)
        assert values(store) == {"a": 1, "b": 2}

    def test_a_broken_constraint_is_a_conflict(self, store):
        """Code that relies on a primary key is told by type, and the message holds no value."""
        put(store, "a", 1)
        with pytest.raises(Conflict, match=r"constraint: .*counter[^(]*$"):
            put(store, "a", 2)
        assert values(store) == {"a": 1}

    @pytest.mark.parametrize("outer", ["read", "transaction"])
    @pytest.mark.parametrize("inner", ["read", "transaction"])
    def test_one_inside_another_is_misuse(self, store, outer, inner):
        """A callback that uses its own store is told so, instead of waiting for itself."""
        with (
            getattr(store, outer)(),
            pytest.raises(ValueError, match="already open"),
            getattr(store, inner)(),
        ):
            pass
        assert values(store) == {}

    def test_a_reader_sees_one_state(self, open_store):
        """What another thread commits meanwhile is not seen until the block has ended."""
        store = open_store()
        put(store, "a", 1)
        with store.read() as transaction:
            before = transaction.execute("SELECT COUNT(*) FROM counter").fetchone()
            in_thread(lambda: put(store, "b", 2))
            assert transaction.execute("SELECT COUNT(*) FROM counter").fetchone() == before
        assert values(store) == {"a": 1, "b": 2}

    def test_nothing_is_lost_between_reading_and_writing(self, store):
        """Threads that read, add one and write get every addition in."""
        put(store, "a", 0)

        def add():
            for _ in range(25):
                with store.transaction() as transaction:
                    (value,) = transaction.execute("SELECT value FROM counter").fetchone()
                    transaction.execute("UPDATE counter SET value = ?", (value + 1,))

        threads = [threading.Thread(target=add) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert values(store) == {"a": 100}


class TestOpening:
    """URLs, files and versions."""

    def test_a_file_outlives_its_store(self, open_store):
        """Closing and opening again gives what was written; a closed store opens itself on use."""
        first = open_store()
        put(first, "a", 1)
        first.close()
        assert values(open_store()) == {"a": 1}
        assert values(first) == {"a": 1}

    def test_stores_in_memory_are_apart(self, open_store):
        """Each opening is a store of its own, shared by the threads of its process."""
        first, second = open_store("sqlite://"), open_store("sqlite://")
        put(first, "a", 1)
        assert values(second) == {}
        assert in_thread(lambda: values(first)) == {"a": 1}

    @pytest.mark.parametrize(
        "url", ["", "store.db", "sqlite:", "sqlite:///", "mysql://x/y", "sqlite://host/x"]
    )
    def test_another_url_is_misuse(self, url):
        """A URL of another kind is refused before anything is created."""
        with pytest.raises(ValueError, match="sqlite"):
            Database.open(url, SCHEMA)

    def test_a_relative_path_stays_where_it_was_opened(self, open_store, tmp_path):
        """The path is fixed at opening, so that a thread started after a change of folder finds the same file."""
        here = Path.cwd()
        os.chdir(tmp_path)
        try:
            store = open_store("sqlite:///relative.db")
            put(store, "a", 1)
        finally:
            os.chdir(here)
        assert in_thread(lambda: values(store)) == {"a": 1}
        assert (tmp_path / "relative.db").exists()

    def test_the_file_is_its_owners_alone(self, open_store, tmp_path):
        """Mode 0600 for the store and for its log, under a generous umask too."""
        previous = os.umask(0)
        try:
            put(open_store(), "a", 1)
        finally:
            os.umask(previous)
        assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}

    def test_commits_reach_the_disk(self, open_store):
        """Write-ahead log, synchronous=FULL and foreign keys are on, in every thread."""
        store = open_store()

        def settings():
            with store.read() as transaction:
                names = ("journal_mode", "synchronous", "foreign_keys")
                return [transaction.execute(f"PRAGMA {name}").fetchone()[0] for name in names]

        assert settings() == ["wal", 2, 1]
        assert in_thread(settings) == ["wal", 2, 1]

    def test_an_older_store_is_migrated(self, open_store):
        """Each missing migration runs once, in order, and keeps what was there."""
        put(open_store(), "a", 1)
        add = "ALTER TABLE counter ADD COLUMN note TEXT; -- a comment; with a semicolon\nUPDATE counter\nSET note = 'x;y';\n"
        newer = open_store(schema=StoreSchema("counters", (CREATE, add)))
        with newer.read() as transaction:
            assert transaction.execute("SELECT * FROM counter").fetchall() == [("a", 1, "x;y")]

    def test_a_migration_that_fails_changes_nothing(self, open_store):
        """The old version still opens, with the old tables."""
        put(open_store(), "a", 1)
        broken = StoreSchema("counters", (CREATE, "DELETE FROM counter;\nINSERT INTO nowhere VALUES (1);\n"))
        with pytest.raises(Unavailable):
            open_store(schema=broken)
        assert values(open_store()) == {"a": 1}

    @pytest.mark.parametrize("versions", [2, 9])
    def test_a_newer_store_is_refused(self, open_store, versions):
        """A store of a later version is not touched."""
        later = tuple(f"CREATE TABLE later{i} (x INTEGER);\n" for i in range(versions - 1))
        open_store(schema=StoreSchema("counters", (CREATE, *later)))
        with pytest.raises(StoreTooNew, match="update vcid"):
            open_store()

    def test_two_kinds_of_store_share_a_file(self, open_store):
        """Each keeps its own version."""
        put(open_store(), "a", 1)
        other = StoreSchema(
            "others", ("CREATE TABLE other (x INTEGER);\n", "CREATE TABLE other2 (x INTEGER);\n")
        )
        open_store(schema=other)
        assert values(open_store()) == {"a": 1}

    def test_a_migration_ends_with_a_semicolon(self, open_store):
        """A statement that would be left out in silence is misuse."""
        with pytest.raises(ValueError, match="semicolon"):
            open_store(schema=StoreSchema("counters", ("CREATE TABLE counter (x INTEGER)",)))


class TestTrouble:
    """What the surroundings do wrong is Unavailable."""

    def test_a_file_that_is_no_database(self, open_store, tmp_path):
        """Another file's content is neither read as a store nor overwritten."""
        (tmp_path / "store.db").write_bytes(b"not a database, but long enough to look at" * 40)
        with pytest.raises(Unavailable):
            open_store()
        assert (tmp_path / "store.db").read_bytes().startswith(b"not a database")

    @pytest.mark.parametrize("name", ["missing/store.db", "."])
    def test_a_path_that_can_not_be_opened(self, open_store, tmp_path, name):
        """No folder, or a folder in place of a file."""
        with pytest.raises(Unavailable):
            open_store(f"sqlite:///{tmp_path / name}")

    def test_a_full_disk(self, open_store):
        """The write fails as a whole, what was there is kept, and the store works once there is room."""
        store = open_store()
        put(store, "a", 1)
        with store.read() as transaction:
            (pages,) = transaction.execute("PRAGMA page_count").fetchone()
            transaction.execute(f"PRAGMA max_page_count = {pages}")
        with pytest.raises(Unavailable, match="full"):
            put(store, "b" * 1_000_000, 2)
        assert values(store) == {"a": 1}
        with store.read() as transaction:
            transaction.execute("PRAGMA max_page_count = 100000")
        put(store, "b", 2)
        assert values(store) == {"a": 1, "b": 2}


class TestThreadsAndForks:
    """One connection a thread and process."""

    @pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
    def test_threads_that_end_leave_no_file_open(self, open_store):
        """A server that starts a thread for each request does not run out of files."""
        store = open_store()
        put(store, "a", 1)
        files = Path("/proc/self/fd")
        before = len(list(files.iterdir()))
        for _ in range(30):
            assert in_thread(lambda: values(store)) == {"a": 1}
        assert len(list(files.iterdir())) <= before + 6

    @needs_fork
    def test_a_child_goes_on_with_its_own_connection(self, open_store):
        """Both write after the fork, and both writes are there, also once the child has ended."""
        store = open_store()
        put(store, "before", 0)
        assert in_child(lambda: put(store, "child", 1)) == 0
        put(store, "parent", 2)
        assert values(store) == {"before": 0, "child": 1, "parent": 2}
        store.close()
        assert values(open_store()) == {"before": 0, "child": 1, "parent": 2}

    @needs_fork
    def test_a_child_forked_inside_a_transaction_does_not_end_it(self, open_store):
        """The parent's uncommitted work is the parent's: the child reads the state before it."""
        store = open_store()
        put(store, "before", 0)

        def look():
            assert values(store) == {"before": 0}

        with store.transaction() as transaction:
            transaction.execute("INSERT INTO counter VALUES ('parent', 1)")
            assert in_child(look) == 0
        assert values(store) == {"before": 0, "parent": 1}

    @needs_fork
    def test_a_child_that_closes_the_store_does_not_harm_the_parent(self, open_store):
        """Closing in the child touches no connection of the parent's."""
        store = open_store()
        put(store, "a", 1)
        assert in_child(store.close) == 0
        put(store, "b", 2)
        assert values(store) == {"a": 1, "b": 2}

    @needs_fork
    def test_a_store_in_memory_does_not_cross_a_fork(self, open_store):
        """A copy that would silently go its own way is refused."""
        store = open_store("sqlite://")
        put(store, "a", 1)

        def look():
            with pytest.raises(Unavailable, match="memory"):
                values(store)

        assert in_child(look) == 0
        assert values(store) == {"a": 1}


@pytest.mark.parametrize("replace", [lambda path, copy: copy.replace(path), lambda path, copy: path.unlink()])
def test_a_file_that_is_replaced_under_an_open_store_is_noticed(tmp_path, replace):
    """What would be written to the old file is lost: nothing more is written, or read."""
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    database = Database.open(f"sqlite:///{path}", SCHEMA)
    with database.transaction() as transaction:
        transaction.execute("SELECT 1")
    copy.write_bytes(path.read_bytes())
    replace(path, copy)
    for use in (database.transaction, database.read):
        with pytest.raises(Unavailable, match="replaced"), use():
            pass

"""The stores' database on a PostgreSQL server: transactions, versions, forks, restarts, and what it says of them."""

import os
import threading
import time

import pytest

from postgresql import PASSWORD
from test_storage import CREATE, SCHEMA, in_child, in_thread, needs_fork, put, values
from vcid.errors import Conflict, StoreTooNew, Unavailable
from vcid.storage import Database, StoreSchema


@pytest.fixture
def open_store(postgresql):
    """Open stores that are closed at the end, in one empty place unless told otherwise."""
    place, opened = postgresql.create(), []

    def open_one(url=place, schema=SCHEMA):
        opened.append(Database.open(url, schema))
        return opened[-1]

    open_one.url = place
    yield open_one
    for each in opened:
        each.close()


@pytest.fixture
def store(open_store):
    return open_store()


def sessions(server):
    """How many sessions of stores the server has."""
    return server.run("SELECT count(*) FROM pg_stat_activity WHERE application_name = 'vcid'")[0][0]


class TestTransactions:
    """All or nothing, and one writer at a time."""

    def test_a_block_that_ends_well_is_kept(self, store):
        """What the block wrote is there afterwards, one row or many, and no row is no fault."""
        put(store, "a", 1)
        with store.transaction() as transaction:
            transaction.executemany("INSERT INTO counter VALUES (?, ?)", iter([("b", 2), ("c", -(1 << 63))]))
            transaction.executemany("INSERT INTO counter VALUES (?, ?)", [])
            transaction.executemany("UPDATE counter SET value = ? WHERE name = ?", [(5, "a"), (6, "b")])
        assert values(store) == {"a": 5, "b": 6, "c": -(1 << 63)}

    @pytest.mark.parametrize("error", [RuntimeError, OSError, KeyboardInterrupt, GeneratorExit])
    def test_a_block_that_fails_leaves_nothing(self, store, error):
        """Whatever the block raises comes out as it is, and everything is rolled back."""
        put(store, "a", 1)
        with pytest.raises(error), store.transaction() as transaction:  # noqa: PT012 - the block is the subject
            transaction.execute("DELETE FROM counter")
            raise error
        assert values(store) == {"a": 1}
        put(store, "b", 2)

    def test_a_broken_constraint_is_a_conflict_that_repeats_no_value(self, store):
        """PostgreSQL's own message names the key, which may be a person's."""
        put(store, "amina", 1)
        with pytest.raises(Conflict, match="constraint") as caught:
            put(store, "amina", 2)
        assert "amina" not in str(caught.value)
        assert caught.value.__cause__ is None
        assert values(store) == {"amina": 1}

    def test_a_statement_that_failed_can_not_be_passed_over(self, store):
        """A block that swallows the failure is told that nothing of it was kept."""
        with pytest.raises(Conflict, match="undone"), store.transaction() as transaction:  # noqa: PT012
            transaction.execute("INSERT INTO counter VALUES ('a', 1)")
            with pytest.raises(Exception, match="duplicate"):
                transaction.execute("INSERT INTO counter VALUES ('a', 2)")
        assert values(store) == {}

    def test_a_value_that_does_not_fit_is_misuse(self, store):
        """PostgreSQL's text has no room for the character zero; the message does not repeat the text."""
        with pytest.raises(ValueError, match="can't hold") as caught:
            put(store, "amina\0", 1)
        assert "amina" not in str(caught.value)

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

    def test_a_reader_sees_one_state_and_writes_nothing(self, store):
        """What another thread commits meanwhile is not seen until the block has ended."""
        put(store, "a", 1)
        with store.read() as transaction:
            before = transaction.execute("SELECT COUNT(*) FROM counter").fetchone()
            in_thread(lambda: put(store, "b", 2))
            assert transaction.execute("SELECT COUNT(*) FROM counter").fetchone() == before
        with pytest.raises(Unavailable), store.read() as transaction:
            transaction.execute("DELETE FROM counter")
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

    def test_stores_of_two_kinds_do_not_wait_for_each_other(self, open_store, store):
        """A registry may append to a ledger beside it while it writes itself."""
        other = open_store(schema=StoreSchema("others", ("CREATE TABLE other (x INTEGER) STRICT;\n",)))
        with store.transaction(), other.transaction() as transaction:
            transaction.execute("INSERT INTO other VALUES (1)")

    def test_commits_reach_the_disk(self, store):
        """A server that acknowledges before it writes, as this one does by default, is told to wait."""
        with store.transaction() as transaction:
            assert transaction.execute("SELECT current_setting('synchronous_commit')").fetchone() == ("on",)
            assert transaction.execute("SELECT current_setting('transaction_isolation')").fetchone() == (
                "read committed",
            )


class TestOpening:
    """URLs, versions, and who opens first."""

    def test_a_store_outlives_its_connections(self, open_store, store):
        """A closed store opens itself on use."""
        put(store, "a", 1)
        store.close()
        assert values(open_store()) == values(store) == {"a": 1}

    def test_an_older_store_is_migrated(self, open_store, store):
        """Each missing migration runs once, in order, and keeps what was there."""
        put(store, "a", 1)
        add = "ALTER TABLE counter ADD COLUMN note BLOB; -- with a semicolon; here\nUPDATE counter\nSET value = 7;\n"
        newer = open_store(schema=StoreSchema("counters", (CREATE, add)))
        with newer.read() as transaction:
            assert transaction.execute("SELECT * FROM counter").fetchall() == [("a", 7, None)]

    def test_a_migration_that_fails_changes_nothing(self, open_store, store):
        """The old version still opens, with the old tables."""
        put(store, "a", 1)
        broken = StoreSchema("counters", (CREATE, "DELETE FROM counter;\nINSERT INTO nowhere VALUES (1);\n"))
        with pytest.raises(Unavailable, match="nowhere"):
            open_store(schema=broken)
        assert values(open_store()) == {"a": 1}

    def test_a_newer_store_is_refused(self, open_store, store):
        """A store of a later version is not touched, also when it became so under an open one."""
        put(store, "a", 1)
        later = StoreSchema("counters", (CREATE, "CREATE TABLE later (x INTEGER) STRICT;\n"))
        open_store(schema=later)
        with pytest.raises(StoreTooNew, match="update vcid"):
            open_store()
        with pytest.raises(StoreTooNew):
            put(store, "b", 2)

    def test_many_open_a_new_store_at_once(self, postgresql):
        """Each finds the tables made, once."""
        url, failures = postgresql.create(), []

        def work(number):
            try:
                store = Database.open(url, SCHEMA)
                put(store, f"{number}", number)
                store.close()
            except Exception as error:  # noqa: BLE001 - asserted below
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        store = Database.open(url, SCHEMA)
        assert len(values(store)) == 8
        store.close()

    @pytest.mark.parametrize("url", ["postgresql://u:p w@h:x/db", "postgresql://u:hush@h/db?nonsense=1"])
    def test_a_url_that_can_not_be_read_is_not_repeated(self, postgresql, url):
        """The complaint of libpq holds the whole URL, password and all."""
        with pytest.raises(ValueError, match="libpq") as caught:
            Database.open(url, SCHEMA)
        assert not any(part in str(caught.value) for part in ("hush", "p w", "nonsense"))
        assert caught.value.__cause__ is None

    @pytest.mark.parametrize("password", ["s3cr@t/x", "s3c@ret", "a@b@c"])
    def test_a_plain_at_sign_in_a_password_is_refused(self, password):
        """Its end would be taken for the host's name, which is looked up and repeated."""
        pytest.importorskip("psycopg")
        with pytest.raises(ValueError, match="%40") as caught:
            Database.open(f"postgresql://u:{password}@127.0.0.1:1/db", SCHEMA)
        assert caught.value.__cause__ is None
        assert "127.0.0.1" not in str(caught.value)

    def test_a_connection_that_fails_is_named_by_its_kind(self):
        """What libpq says of it repeats parts of the URL."""
        pytest.importorskip("psycopg")
        with pytest.raises(Unavailable, match="OperationalError") as caught:
            Database.open("postgresql://u:s3cret@127.0.0.1:1/nowhere", SCHEMA)
        assert not any(part in str(caught.value) for part in ("127", "s3cret", "nowhere"))

    def test_no_message_holds_the_password(self, postgresql):
        """Neither of a login that fails, nor of a server that is not there or has no such database."""
        hush = "hush%3Ahush"
        elsewhere = postgresql.url("nowhere"), f"postgresql://u:{hush}@127.0.0.1:1/x?connect_timeout=1"
        for url in (postgresql.url(password=hush), *elsewhere, f"postgresql://u:{hush}@/x?host=/nowhere"):
            with pytest.raises(Unavailable) as caught:
                Database.open(url, SCHEMA)
            assert not any(part in str(caught.value) for part in ("hush", PASSWORD, "s3cret"))

    def test_a_removed_store_is_not_written(self, store, open_store, postgresql):
        """Without the row that writers lock, nobody would exclude anybody."""
        postgresql.run("DELETE FROM vcid_schema", open_store.url)
        with pytest.raises(Unavailable, match="removed"):
            put(store, "a", 1)


class TestThreadsAndForks:
    """As many connections as transactions at once, and none across a fork."""

    def test_connections_are_used_again(self, store, postgresql):
        """A hundred threads one after the other need one."""
        before = sessions(postgresql)
        for _ in range(20):
            in_thread(lambda: values(store))
        assert sessions(postgresql) == before

    @needs_fork
    def test_a_child_goes_on_with_its_own_connection(self, store):
        """Both write after the fork, and both writes are there, also once the child has ended."""
        put(store, "before", 0)
        assert in_child(lambda: put(store, "child", 1)) == 0
        put(store, "parent", 2)
        assert values(store) == {"before": 0, "child": 1, "parent": 2}

    @needs_fork
    def test_a_child_forked_inside_a_transaction_does_not_end_it(self, store):
        """The parent's uncommitted work is the parent's: the child reads the state before it."""
        put(store, "before", 0)

        def look():
            assert values(store) == {"before": 0}
            store.close()

        with store.transaction() as transaction:
            transaction.execute("INSERT INTO counter VALUES ('parent', 1)")
            assert in_child(look) == 0
        assert values(store) == {"before": 0, "parent": 1}

    @needs_fork
    def test_a_child_can_not_commit_for_its_parent(self, store):
        """A child that leaves the parent's block is told so, and the parent's transaction goes on."""
        parent, child = os.getpid(), 0
        try:
            with store.transaction() as transaction:
                transaction.execute("INSERT INTO counter VALUES ('parent', 1)")
                child = os.fork()
                if child:
                    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        except Unavailable:
            if os.getpid() == parent:
                raise
            os._exit(0)
        finally:
            if os.getpid() != parent:
                os._exit(1)
        assert values(store) == {"parent": 1}


class TestTrouble:
    """What the server does wrong is Unavailable, and over once it is back."""

    def test_a_session_that_was_ended_is_replaced(self, store, postgresql):
        """Between transactions nobody notices; within one the caller is told, and nothing of it stays."""
        end = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'vcid'"
        put(store, "a", 1)
        postgresql.run(end)
        time.sleep(0.1)
        put(store, "b", 2)
        with pytest.raises(Unavailable), store.transaction() as transaction:  # noqa: PT012
            transaction.execute("INSERT INTO counter VALUES ('c', 3)")
            postgresql.run(end)
            time.sleep(0.1)
            transaction.execute("INSERT INTO counter VALUES ('d', 4)")
        assert values(store) == {"a": 1, "b": 2}

    def test_a_server_that_is_gone_comes_back(self, own_postgresql):
        """While it is down every use is Unavailable; restarted, the same store goes on with what was confirmed."""
        store = Database.open(own_postgresql.create(), SCHEMA)
        put(store, "a", 1)
        own_postgresql.kill()
        for _ in range(2):
            with pytest.raises(Unavailable):
                put(store, "b", 2)
        own_postgresql.start()
        put(store, "b", 2)
        assert values(store) == {"a": 1, "b": 2}
        store.close()

    def test_a_server_that_does_not_write_to_its_disk_is_refused(self, own_postgresql):
        """With fsync off, what was confirmed is lost with the power."""
        own_postgresql.run("ALTER SYSTEM SET fsync = off")
        own_postgresql.run("SELECT pg_reload_conf()")
        time.sleep(0.3)
        with pytest.raises(Unavailable, match="fsync"):
            Database.open(own_postgresql.create(), SCHEMA)

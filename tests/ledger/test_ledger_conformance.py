"""Every backend of the log passes the suite that others test theirs with, and the suite finds faults."""

from collections import defaultdict
from contextlib import contextmanager

import pytest

from vcid.errors import VcidError
from vcid.ledger.conformance import LogStoreConformance, check_log_store
from vcid.ledger.sql import SqlStore
from vcid.ledger.store import MemoryStore


class TestInMemory(LogStoreConformance):
    """A log in this process's memory."""

    @pytest.fixture
    def stores(self):
        return defaultdict(MemoryStore).__getitem__


class TestInSqlite(LogStoreConformance):
    """A log in a file."""

    @pytest.fixture
    def stores(self, tmp_path):
        return lambda name: SqlStore.open(f"sqlite:///{tmp_path}/{name}.db")


class TestInPostgresql(LogStoreConformance):
    """A log on a server, in a database of its own."""

    @pytest.fixture
    def stores(self, postgresql):
        urls = defaultdict(postgresql.create)
        opened = []

        def open_store(name):
            opened.append(SqlStore.open(urls[name]))
            return opened[-1]

        yield open_store
        for store in opened:
            store.close()


def test_the_suite_runs_without_pytest():
    """Somebody else's test runner gets the names of what passed."""
    names = check_log_store(lambda: defaultdict(MemoryStore).__getitem__)
    assert len(names) > 20


class Forgetful(MemoryStore):
    """A store that loses every second append."""

    @contextmanager
    def write(self):
        with super().write() as writer:
            yield writer
            if len(self._rows.leaves) % 2:
                writer._added.leaves.clear()


class Careless(MemoryStore):
    """A store that keeps what a failed block wrote."""

    @contextmanager
    def write(self):
        with self._turn:
            from vcid.ledger.store import _MemoryTransaction

            transaction = _MemoryTransaction(self._rows)
            try:
                yield transaction
            finally:
                transaction.commit()


class Racy(MemoryStore):
    """A store whose writers don't exclude each other."""

    @contextmanager
    def write(self):
        from vcid.ledger.store import _MemoryTransaction

        transaction = _MemoryTransaction(self._rows)
        yield transaction
        transaction.commit()


@pytest.mark.parametrize("store", [Forgetful, Careless, Racy])
def test_a_faulty_store_is_found(store):
    """The suite fails stores that lose rows, keep half of them, or let writers run side by side."""
    with pytest.raises((AssertionError, VcidError)):
        check_log_store(lambda: defaultdict(store).__getitem__)

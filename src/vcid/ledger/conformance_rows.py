"""What a log's storage does with rows: keep all of a transaction or none, and show one state of them."""

from __future__ import annotations

import threading
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from vcid.errors import VcidError
from vcid.ledger.heads import Head
from vcid.ledger.store import LeafRow, StoredBatch, StoredCheckpoint

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vcid.ledger.store import LogReader, LogStore, LogWriter

    OpenStore = Callable[[str], LogStore]

_ALL_BYTES = bytes(range(256))
_SECONDS = 60


class _Unforeseen(Exception):
    """What a caller's block may raise."""


def check(condition: object, expected: str) -> None:
    """Fail a test unless something holds.

    Raises:
        AssertionError: it does not.
    """
    if not condition:
        raise AssertionError(f"expected {expected}")


def check_refused(work: Callable[[], object], what: str) -> None:
    """Fail a test unless something is refused by an error of vcid's.

    Raises:
        AssertionError: it was done.
    """
    try:
        work()
    except VcidError:
        return
    raise AssertionError(f"expected that {what} is refused")


def _topic(number: int) -> bytes:
    return number.to_bytes(32)


def _row(place: int, *, topic: int = 0, seq: int | None = None) -> LeafRow:
    head = Head(_topic(topic), place if seq is None else seq, bytes([place % 256]) * 32)
    return LeafRow(place, _ALL_BYTES + bytes([place % 256]), bytes([place % 256]) * 64, head)


def _append(store: LogStore, rows: Sequence[LeafRow]) -> None:
    with store.write() as writer:
        writer.append(rows)


def _fill(writer: LogWriter) -> None:
    """Write one row of every kind."""
    writer.set_identity("log.example+0123abcd+AQIDBA==")
    writer.append([_row(0), _row(1, topic=1, seq=(1 << 63) - 1), LeafRow(2, b"", b"c" * 32, None)])
    writer.add_checkpoint(StoredCheckpoint(3, bytes(32), _ALL_BYTES))
    writer.add_batch("a key: “quoted” ' \" ; -- % ?", StoredBatch(bytes(32), 0, 2))


def _contents(reader: LogReader) -> tuple[object, ...]:
    size = reader.size()
    return (
        reader.identity(),
        reader.leaves(0, size + 1),
        [reader.completed(index) for index in range(size)],
        sorted(map(tuple, reader.heads())),
        [reader.checkpoint(one) for one in reader.checkpoint_sizes(100)],
        reader.batch("a key: “quoted” ' \" ; -- % ?"),
    )


def _see(store: LogStore) -> tuple[object, ...]:
    with store.read() as reader:
        return _contents(reader)


def run_in_threads(works: Sequence[Callable[[], object]]) -> None:
    """Run things side by side, and fail if one fails or does not end."""
    failures: list[BaseException] = []

    def guarded(work: Callable[[], object]) -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - a thread's failure is raised below
            failures.append(error)

    threads = [threading.Thread(target=guarded, args=(work,), daemon=True) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(_SECONDS)
        check(not thread.is_alive(), "that a transaction ends")
    if failures:
        raise failures[0]


class RowsConformance:
    """Rows in, the same rows out, in transactions that are whole and exclude each other."""

    def test_a_new_store_is_empty(self, stores: OpenStore) -> None:
        """Nothing is in it, and asking for anything gives nothing."""
        with stores("new").read() as reader:
            check(_contents(reader) == (None, [], [], [], [], None), "an empty store")
            found = (reader.head(_topic(0)), reader.index_of(_topic(0), 0), reader.checkpoint(3))
            check(found == (None, None, None), "no entry and no checkpoint")

    def test_what_was_written_is_read_back(self, stores: OpenStore) -> None:
        """Every kind of row comes out as it went in, any bytes and numbers, also from a store opened anew."""
        store = stores("kept")
        with store.write() as writer:
            _fill(writer)
        for opened in (store, stores("kept")):
            with opened.read() as reader:
                check(reader.identity() == "log.example+0123abcd+AQIDBA==", "the identity")
                check(reader.size() == 3, "three leaves")
                check(reader.leaves(1, 9) == [_row(1).data, b""], "the leaves there are, in order")
                check([reader.completed(index) for index in (0, 2)] == [bytes(64), b"c" * 32], "the hashes")
                check(reader.head(_topic(1)) == Head(_topic(1), (1 << 63) - 1, b"\1" * 32), "a head")
                check(reader.index_of(_topic(1), (1 << 63) - 1) == 1, "an entry's place")
                check(reader.index_of(_topic(1), 0) is None, "no place for an entry that is not there")
                check(reader.checkpoint() == StoredCheckpoint(3, bytes(32), _ALL_BYTES), "the checkpoint")
                batch = reader.batch("a key: “quoted” ' \" ; -- % ?")
                check(batch == StoredBatch(bytes(32), 0, 2), "the batch")

    def test_bytes_are_bytes(self, stores: OpenStore) -> None:
        """What comes out can be compared, hashed and sliced as what went in, not as a view of it."""
        with stores("types").write() as writer:
            _fill(writer)
        with stores("types").read() as reader:
            (topic, seq, entry_hash), *_ = reader.heads()
            stored = reader.checkpoint()
            check(stored is not None, "a checkpoint")
            values = [
                *reader.leaves(0, 3),
                reader.completed(0),
                topic,
                entry_hash,
                getattr(stored, "root", None),
            ]
            check(all(type(value) is bytes for value in values), "bytes")
            check(type(seq) is int, "an int")

    def test_the_newest_head_stands(self, stores: OpenStore) -> None:
        """A topic's head is its last entry, also of several in one append; earlier ones keep their places."""
        _append(stores("heads"), [_row(0, seq=0), _row(1, topic=1, seq=0), _row(2, seq=1)])
        _append(stores("heads"), [_row(3, seq=2)])
        with stores("heads").read() as reader:
            check(reader.head(_topic(0)) == _row(3, seq=2).head, "the newest head")
            check([reader.index_of(_topic(0), seq) for seq in range(4)] == [0, 2, 3, None], "all places")
            check(len(reader.heads()) == 2, "one head for each topic")

    def test_checkpoints_come_newest_first(self, stores: OpenStore) -> None:
        """By size, whatever the order in which they were kept."""
        for size in (5, 300, 2, 20):
            with stores("checkpoints").write() as writer:
                writer.add_checkpoint(StoredCheckpoint(size, bytes(32), b"note"))
        with stores("checkpoints").read() as reader:
            check(reader.checkpoint_sizes(3) == [300, 20, 5], "the newest sizes")
            check(getattr(reader.checkpoint(), "size", None) == 300, "the newest checkpoint")
            check(reader.checkpoint(4) is None, "no checkpoint of another size")

    def test_a_checkpoint_gets_more_signatures(self, stores: OpenStore) -> None:
        """The note of one size is replaced; its root and the other checkpoints stay."""
        with stores("cosigned").write() as writer:
            for size in (3, 5):
                writer.add_checkpoint(StoredCheckpoint(size, bytes(32), b"note"))
        with stores("cosigned").write() as writer:
            writer.update_checkpoint(3, b"longer note")
        with stores("cosigned").read() as reader:
            check(reader.checkpoint(3) == StoredCheckpoint(3, bytes(32), b"longer note"), "the new note")
            check(reader.checkpoint() == StoredCheckpoint(5, bytes(32), b"note"), "the other one as it was")

    def test_many_are_read_at_once(self, stores: OpenStore) -> None:
        """Hashes and heads of many come by what they belong to, without those that there are none of."""
        _append(stores("bulk"), [_row(place, topic=place) for place in range(1200)])
        with stores("bulk").read() as reader:
            hashes = reader.completed_beside(range(1200))
            check(hashes == {place: _row(place).completed for place in range(1200)}, "all hashes")
            check_refused(lambda: reader.completed_beside([0, 1200]), "a leaf that is not there")
            heads = reader.heads_of([_topic(place) for place in range(600, 1300)])
            check(
                heads == {_topic(place): _row(place, topic=place).head for place in range(600, 1200)}, "heads"
            )
            check(not reader.heads_of([]) and not reader.completed_beside([]), "nothing of nothing")

    def test_many_rows(self, stores: OpenStore) -> None:
        """An append of a thousand keeps their order."""
        _append(stores("many"), [_row(place, topic=place % 7) for place in range(1000)])
        with stores("many").read() as reader:
            check(reader.leaves(0, 2000) == [_row(place).data for place in range(1000)], "every leaf")
            check(reader.leaves(995, 997) == [_row(995).data, _row(996).data], "a slice")
            check(reader.leaves(7, 7) == [], "nothing of an empty slice")

    def test_a_block_that_fails_leaves_nothing(self, stores: OpenStore) -> None:
        """Whatever the block raises comes out as it is, nothing of it stays, and the store goes on."""
        store = stores("undone")
        _append(store, [_row(0)])
        before = _see(store)
        for error in (_Unforeseen, KeyboardInterrupt):
            with suppress(error), store.write() as writer:
                writer.append([_row(1)])
                writer.add_checkpoint(StoredCheckpoint(2, bytes(32), b"note"))
                raise error
            check(_see(store) == before, "the state before")
        _append(store, [_row(1)])
        check(_see(stores("undone")) != before, "that the store goes on")

    def test_an_identity_is_replaced(self, stores: OpenStore) -> None:
        """A log that changes its key keeps its rows; of a transaction that fails nothing is changed."""
        store = stores("replaced")
        with store.write() as writer:
            _fill(writer)
        before = _see(store)
        with suppress(_Unforeseen), store.write() as writer:
            writer.replace_identity("log.example+ffffffff+lost")
            raise _Unforeseen
        check(_see(store) == before, "the identity before")
        with store.write() as writer:
            writer.replace_identity("log.example+89abcdef+BAUGBw==")
        for opened in (store, stores("replaced")):
            check(_see(opened) == ("log.example+89abcdef+BAUGBw==", *before[1:]), "the new identity alone")

    def test_nothing_is_written_twice(self, stores: OpenStore) -> None:
        """A place, a number, a size, a key or an identity that is taken is not overwritten."""
        with stores("taken").write() as writer:
            _fill(writer)
        before = _see(stores("taken"))

        def attempt(write: Callable[[LogWriter], None]) -> Callable[[], None]:
            def run() -> None:
                with stores("taken").write() as writer:
                    write(writer)

            return run

        attempts = {
            "a leaf in a place that is taken": lambda writer: writer.append([_row(1, topic=9)]),
            "an entry of a number that is taken": lambda writer: writer.append([_row(3, topic=0, seq=0)]),
            "a second identity": lambda writer: writer.set_identity("other"),
            "another checkpoint of one size": lambda writer: writer.add_checkpoint(
                StoredCheckpoint(3, b"\1" * 32, b"other")
            ),
            "a key that is taken": lambda writer: writer.add_batch(
                "a key: “quoted” ' \" ; -- % ?", StoredBatch(b"\1" * 32, 0, 1)
            ),
        }
        for what, write in attempts.items():
            check_refused(attempt(write), what)
            check(_see(stores("taken")) == before, f"that {what} changes nothing")

    def test_a_missing_leaf_is_an_error(self, stores: OpenStore) -> None:
        """Hashes that are not there are never nothing: a proof would be made of them."""
        with stores("missing").read() as reader:
            check_refused(lambda: reader.completed(0), "a leaf that is not there")

    def test_a_reader_sees_one_state(self, stores: OpenStore) -> None:
        """What another thread appends meanwhile is not seen, or waits until the reader has ended."""
        _append(stores("snapshot"), [_row(0)])
        began = threading.Event()

        other = stores("snapshot")

        def write() -> None:
            began.set()
            _append(other, [_row(1)])

        writer = threading.Thread(target=write, daemon=True)
        with stores("snapshot").read() as reader:
            before = _contents(reader)
            writer.start()
            began.wait(_SECONDS)
            writer.join(0.2)
            check(_contents(reader) == before, "one state")
        writer.join(_SECONDS)
        with stores("snapshot").read() as reader:
            check(reader.size() == 2, "what was written meanwhile")

    def test_writers_exclude_each_other(self, stores: OpenStore) -> None:
        """What a writer reads is still true when it writes: no place is given out twice."""

        def add(store: LogStore) -> None:
            for _ in range(10):
                with store.write() as writer:
                    place = writer.size()
                    writer.append([_row(place, topic=place)])

        run_in_threads([partial(add, stores("turns")) for _ in range(4)])
        with stores("turns").read() as reader:
            check(reader.leaves(0, 100) == [_row(place).data for place in range(40)], "forty leaves in order")

    def test_a_writer_reads_what_the_one_before_committed(self, stores: OpenStore) -> None:
        """A writer that had to wait sees what it waited for, not the state when it began to wait."""
        began = threading.Event()
        seen: list[int] = []

        def wait() -> None:
            began.set()
            with second.write() as writer:
                seen.append(writer.size())

        first, second = stores("waiting"), stores("waiting")
        waiting = threading.Thread(target=wait, daemon=True)
        with first.write() as writer:
            waiting.start()
            began.wait(_SECONDS)
            waiting.join(0.2)
            writer.append([_row(0)])
        waiting.join(_SECONDS)
        check(seen == [1], "that the second writer sees what the first one wrote")

    def test_a_closed_store_is_kept(self, stores: OpenStore) -> None:
        """Closing lets go of what is open and loses nothing."""
        store = stores("closed")
        _append(store, [_row(0)])
        before = _see(store)
        store.close()
        check(_see(stores("closed")) == before, "what was written before")

"""What a log on a storage has to withstand: rollback, forks, restored backups, two writers, and damaged rows.

A former or damaged state is made by copying a log's rows into another store: all up to a size, as a restored
backup has them, or all with one of them altered, as a disk or an administrator may leave them.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, TypeVar

from vcid.encoding.merkle import verify_consistency
from vcid.encoding.multikey import KeyType
from vcid.errors import Behind, Conflict, Unavailable, VcidError
from vcid.keys.signing import LocalSigner
from vcid.ledger.conformance_rows import check, check_refused, run_in_threads
from vcid.ledger.entries import Entry, Kind, decode_leaf, topic
from vcid.ledger.heads import Head
from vcid.ledger.judge import Claim, Evidence, Freshness, judge
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey
from vcid.ledger.receipts import InclusionReceipt
from vcid.ledger.store import LeafRow
from vcid.ledger.witness import ReplayingWitness

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.ledger.anchor import Judgement, View, Witness
    from vcid.ledger.conformance_rows import OpenStore
    from vcid.ledger.store import LogStore, StoredCheckpoint

Row = TypeVar("Row")

_NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
_ORIGIN = "log.example/conformance"


def _signer(number: int) -> LocalSigner:
    return LocalSigner.from_private_bytes(KeyType.ED25519, bytes([number]) * 32)


_LOG, _OWNER, _WITNESS = (_signer(number) for number in (1, 2, 3))


def _entry(seq: int, content: int | None = None, *, list_id: str = "list") -> Entry:
    digest = (seq if content is None else content).to_bytes(32)
    return Entry.sign(_OWNER, kind=Kind.STATUS_LIST, list_id=list_id, seq=seq, digest=digest)


def _topic(list_id: str = "list") -> bytes:
    return topic(_OWNER.public_key, Kind.STATUS_LIST, list_id)


def _witness() -> ReplayingWitness:
    log = NoteKey.of_log(_ORIGIN, _LOG.public_key)
    return ReplayingWitness.open(
        "sqlite://", name="witness.example", signer=_WITNESS, logs=[log], clock=lambda: _NOW
    )


def _ledger(store: LogStore, *witnesses: Witness) -> Ledger:
    return Ledger(store, origin=_ORIGIN, signer=_LOG, witnesses=witnesses)


def _judge(ledger: Ledger, view: View, seq: int) -> Judgement:
    """What a verifier makes of the log's receipt for the entry of a number as the newest."""
    claim = Claim(owner=_OWNER.public_key, kind=Kind.STATUS_LIST, list_id="list", digest=_entry(seq).digest)
    evidence = Evidence(_entry(seq), ledger.head(_topic(), view.size))
    freshness = Freshness(_NOW, timedelta(days=1))
    return judge(claim, evidence, view, policy=ledger.policy(), freshness=freshness)


def _same(row: Row) -> Row:
    return row


@dataclass(frozen=True, slots=True)
class _Damage:
    """What becomes of a log's rows on their way into another store; nothing by default."""

    leaf: Callable[[LeafRow], LeafRow] = _same
    checkpoint: Callable[[StoredCheckpoint], StoredCheckpoint] = _same
    size: int | None = None


def _copy(source: LogStore, target: LogStore, damage: _Damage) -> None:
    with source.read() as reader, target.write() as writer:
        size = reader.size() if damage.size is None else damage.size
        writer.set_identity(reader.identity() or "")
        rows = zip(range(size), reader.leaves(0, size), map(reader.completed, range(size)), strict=True)
        writer.append([damage.leaf(LeafRow(*row, _head(row[1], row[2]))) for row in rows])
        for published in map(reader.checkpoint, reader.checkpoint_sizes(reader.size())):
            if published is not None and published.size <= size:
                writer.add_checkpoint(damage.checkpoint(published))


def _head(leaf: bytes, completed: bytes) -> Head | None:
    content = decode_leaf(leaf)
    return Head(content.topic, content.seq, completed[:32]) if isinstance(content, Entry) else None


def _at(place: int, **changes: Any) -> _Damage:
    """Alter the row of one place."""
    return _Damage(leaf=lambda row: row._replace(**changes) if row.place == place else row)


_DAMAGES = {
    "an entry altered": _at(0, data=_entry(0, content=9).encode()),
    "another entry's leaf in its place": _at(1, data=_entry(0).encode()),
    "a leaf that is no entry": _at(2, data=b""),
    "a leaf's hashes altered": _at(1, completed=bytes(64)),
    "a leaf's hashes cut": _at(3, completed=b""),
    "a head altered": _at(1, head=Head(_topic(), 1, bytes(32))),
    "a head turned back": _at(1, head=None),
    "a head of another topic": _at(2, head=Head(_topic("unknown"), 0, bytes(32))),
    "a head removed": _at(2, head=None),
    "a checkpoint's root altered": _Damage(checkpoint=lambda one: replace(one, root=bytes(32))),
    "a checkpoint's note altered": _Damage(checkpoint=lambda one: replace(one, note=b"\n")),
}


class LogConformance:
    """A log on the storage: what it promises, and what it refuses to sign or to prove."""

    def test_entries_are_published_and_proven(self, stores: OpenStore) -> None:
        """What is appended and published is judged to be the newest, and the whole log replays."""
        witness = _witness()
        ledger = _ledger(stores("log"), witness)
        check(ledger.append([_entry(0), _entry(0, list_id="b"), _entry(1)]) == range(3), "three places")
        view = ledger.publish()
        check(_judge(ledger, view, 1), "that the newest entry is proven")
        check(not _judge(ledger, view, 0), "that an older entry is not")
        reopened = _ledger(stores("log"), witness)
        check(reopened.checkpoint() == view, "the checkpoint, in a log opened anew")
        receipt = InclusionReceipt.parse(reopened.inclusion(_entry(0)).body)
        receipt.verify_proofs()
        check(receipt.entry == _entry(0), "a proof of an earlier entry")
        reopened.audit()

    def test_every_earlier_checkpoint_is_proven(self, stores: OpenStore) -> None:
        """The log grows by proof from each checkpoint to each later one, and each proves its own heads."""
        ledger = _ledger(stores("log"), _witness())
        views = []
        for seq in range(6):
            ledger.append([_entry(seq), *(_entry(0, list_id=f"{seq} {more}") for more in range(seq))])
            views.append(ledger.publish())
        for old, new in combinations(views, 2):
            proof = ledger.consistency(old.size, new.size)
            verify_consistency(old.size, new.size, proof, old.root, new.root)
        for seq, view in enumerate(views):
            check(_judge(_ledger(stores("log"), _witness()), view, seq), f"a receipt at size {view.size}")

    def test_what_is_refused_leaves_nothing(self, stores: OpenStore) -> None:
        """A gap, another digest under one number and a reused idempotency key add no leaf."""
        ledger = _ledger(stores("log"))
        ledger.append([_entry(0)], "day")
        refused = [
            ([_entry(0, list_id="b"), _entry(2)], None),
            ([_entry(0, content=9)], None),
            ([_entry(1)], "day"),
        ]
        for entries, key in refused:
            check_refused(partial(ledger.append, entries, key), "the append")
        check(ledger.append([_entry(0)], "day") == range(1), "the first answer again")
        check(len(ledger.entries(0, 10)) == 1, "one leaf")

    def test_another_log_does_not_open(self, stores: OpenStore) -> None:
        """A store that holds one log is no other's."""
        _ledger(stores("log"))
        for origin, signer in [("log.example/other", _LOG), (_ORIGIN, _signer(9))]:
            check_refused(partial(Ledger, stores("log"), origin=origin, signer=signer), "another log")

    def test_a_log_changes_its_key(self, stores: OpenStore) -> None:
        """The store goes over to the new key for good, and everything in it stays."""
        _ledger(stores("log")).append([_entry(0)])
        new, former = _signer(9), [_LOG.public_key]
        changed = Ledger(stores("log"), origin=_ORIGIN, signer=new, former_keys=former)
        changed.append([_entry(1)])
        changed.publish()
        changed.audit()
        check_refused(partial(_ledger, stores("log")), "the key that was given up")
        check(len(Ledger(stores("log"), origin=_ORIGIN, signer=new).entries(0, 10)) == 3, "all leaves")

    def test_two_writers_make_one_history(self, stores: OpenStore) -> None:
        """Two ledgers over one storage append and publish at once: every entry once, one root for a size."""
        witness = _witness()
        views: list[View] = []

        def work(ledger: Ledger, name: str) -> None:
            for seq in range(6):
                ledger.append([_entry(seq, list_id=name), _entry(0, list_id=f"{name} {seq}")])
                with suppress(Unavailable):  # another writer was always quicker
                    views.append(ledger.publish())

        run_in_threads([partial(work, _ledger(stores("log"), witness), name) for name in ("a", "b")])
        ledger = _ledger(stores("log"), witness)
        ledger.publish()
        ledger.audit()
        leaves = [leaf for leaf in map(decode_leaf, ledger.entries(0, 1000)) if isinstance(leaf, Entry)]
        check(len({(leaf.topic, leaf.seq) for leaf in leaves}) == len(leaves) == 24, "every entry once")
        check(len({view.size for view in views}) == len({view.root for view in views}), "a root a size")

    def test_of_two_entries_for_one_number_one_gets_in(self, stores: OpenStore) -> None:
        """Writers that compete for a topic's next number do not both get it."""
        done: list[int] = []

        def work(ledger: Ledger, number: int) -> None:
            with suppress(Conflict):
                ledger.append([_entry(0, content=number)])
                done.append(number)

        run_in_threads([partial(work, _ledger(stores("log")), number) for number in range(4)])
        check(len(done) == 1, "one writer that is told of success")
        newest = _ledger(stores("log")).latest(_topic())
        check(newest == _entry(0, content=done[0]), "that writer's entry")

    def test_a_restored_backup_signs_nothing(self, stores: OpenStore) -> None:
        """A log that lacks leaves which its witness knows is not published, nor changed by the attempt."""
        witness = _witness()
        ledger = _ledger(stores("log"), witness)
        ledger.append([_entry(0)])
        size = ledger.publish().size
        ledger.append([_entry(1)])
        ledger.publish()
        _copy(stores("log"), stores("backup"), _Damage(size=size))
        restored = _ledger(stores("backup"), witness)
        _check_behind(restored)
        check(len(restored.entries(0, 100)) == size, "that nothing was added")

    def test_a_restored_backup_appended_to_signs_nothing(self, stores: OpenStore) -> None:
        """Neither with as many leaves as the witness knows nor with more, since they are others."""
        witness = _witness()
        ledger = _ledger(stores("log"), witness)
        size = ledger.publish().size
        ledger.append([_entry(0), _entry(1)])
        ledger.publish()
        _copy(stores("log"), stores("backup"), _Damage(size=size))
        restored = _ledger(stores("backup"), witness)
        for number in range(5):
            restored.append([_entry(0, list_id=f"other {number}")])
            _check_behind(restored)

    def test_a_fork_of_the_same_size_gets_no_cosignature(self, stores: OpenStore) -> None:
        """Two stores under one key, alike in size and different in an entry: the second is not published."""
        witness = _witness()
        for name, content in [("log", 0), ("fork", 7)]:
            _ledger(stores(name)).append([_entry(0, content=content)])
        _ledger(stores("log"), witness).publish()
        _check_behind(_ledger(stores("fork"), witness))

    def test_a_damaged_log_proves_nothing_false(self, stores: OpenStore) -> None:
        """Whatever row is altered, the audit finds it, and no receipt is believed that says otherwise."""
        ledger = _ledger(stores("log"), _witness())
        ledger.append([_entry(0), _entry(1), *(_entry(0, list_id=f"other {more}") for more in range(5))])
        view = ledger.publish()
        for number, (what, damage) in enumerate(_DAMAGES.items()):
            store = stores(f"damaged {number}")
            _copy(stores("log"), store, damage)
            damaged = _ledger(store, _witness())
            check_refused(damaged.audit, what)
            with suppress(VcidError):
                check(_judge(damaged, view, 1), f"a true receipt or none in spite of {what}")
            with suppress(VcidError):
                receipt = InclusionReceipt.parse(damaged.inclusion(_entry(0)).body)
                receipt.verify_proofs()
                check(receipt.log_proof.checkpoint.root == view.root, f"a true root in spite of {what}")


def _check_behind(ledger: Ledger) -> None:
    try:
        ledger.publish()
    except Behind:
        return
    raise AssertionError("expected that a log behind its witness is not published")

"""What the ledger costs, in units that travel: SQLite's own insertion of the same rows, and one verification.

Appends are compared with a plain ``executemany`` of the rows that the log writes, into the same tables of
another file, with the same synchronous setting; the signature checks that an append makes are timed apart and
taken off. Proofs are made of a log of a million leaves. Set VCID_BENCH_POSTGRESQL to the URL of an empty
database to see the appends and the publication there too.
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import tempfile
import time
from contextlib import closing
from datetime import UTC, datetime, timedelta
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING

from vcid.keys.signing import LocalSigner
from vcid.ledger.appending import rows
from vcid.ledger.entries import Entry, HeadsLeaf, Kind
from vcid.ledger.judge import Claim, Evidence, Freshness, judge
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey
from vcid.ledger.receipts import InclusionReceipt
from vcid.ledger.sql import SCHEMA, SqlStore
from vcid.ledger.store import MemoryStore
from vcid.ledger.witness import ReplayingWitness
from vcid.storage import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from vcid.ledger.store import LeafRow

ORIGIN = "log.example/bench"
BATCH = 1000
BATCHES = 12
TOPICS = 10_000
LEAVES = 1_000_000

_LEAVES = "INSERT INTO log_leaves VALUES (?, ?, ?)"
_ENTRIES = "INSERT INTO log_entries VALUES (?, ?, ?)"
_HEADS = (
    "INSERT INTO log_heads VALUES (?, ?, ?)"
    " ON CONFLICT (topic) DO UPDATE SET seq = excluded.seq, entry_hash = excluded.entry_hash"
)


def seconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


class Log:
    """A log with one witness and one owner, who signs entries on end."""

    def __init__(self, url: str, witness_url: str) -> None:
        self.signer, self.owner = LocalSigner.generate(), LocalSigner.generate()
        key = NoteKey.of_log(ORIGIN, self.signer.public_key)
        self.witness = ReplayingWitness.open(
            witness_url, name="witness.example", signer=LocalSigner.generate(), logs=[key]
        )
        self.ledger = Ledger.open(url, origin=ORIGIN, signer=self.signer, witnesses=[self.witness])

    def entries(self, name: str, seq: int = 0) -> Iterator[Entry]:
        """Sign one entry for each of a row of lists."""
        number = 0
        while True:
            number += 1
            yield self.entry(f"{name}-{number}", seq)

    def entry(self, list_id: str, seq: int) -> Entry:
        """Sign an entry of one list."""
        digest = seq.to_bytes(32)
        return Entry.sign(self.owner, kind=Kind.STATUS_LIST, list_id=list_id, seq=seq, digest=digest)


def check_signatures(entries: Sequence[Entry]) -> None:
    """Check what an append checks of signatures."""
    for entry in entries:
        entry.verify()


def raw_insert(connection: sqlite3.Connection, leaves: Sequence[LeafRow]) -> None:
    """Insert the rows of leaves as plainly as SQLite can."""
    heads = [(*row.head, row.place) for row in leaves if row.head is not None]
    connection.execute("BEGIN IMMEDIATE")
    connection.executemany(_LEAVES, [row[:3] for row in leaves])
    connection.executemany(_ENTRIES, [(row[0], row[1], row[3]) for row in heads])
    connection.executemany(_HEADS, [row[:3] for row in heads])
    connection.execute("COMMIT")


def append_rates(url: str, folder: str) -> tuple[float, float]:
    """Entries a second: appended to a log, signature checks apart, and plainly inserted into SQLite."""
    log = Log(url, "sqlite://")
    mirror = MemoryStore()
    Database.open(f"sqlite:///{folder}/raw.db", SCHEMA).close()
    appended, inserted = [], []
    with closing(sqlite3.connect(f"{folder}/raw.db", isolation_level=None)) as connection:
        connection.execute("PRAGMA synchronous = FULL")
        for number in range(BATCHES):
            batch = list(islice(log.entries(f"batch-{number}"), BATCH))
            checks = seconds(partial(check_signatures, batch))
            with mirror.write() as writer:
                made, _ = rows(writer, batch)
                writer.append(made)
            inserted.append(seconds(partial(raw_insert, connection, made)))
            appended.append(seconds(partial(log.ledger.append, batch)) - checks)
    log.ledger.close()
    return BATCH / statistics.median(appended), BATCH / statistics.median(inserted)


def publish_ratio(url: str, witness_url: str, floor: Callable[[], object]) -> float:
    """How many single verifications a publication takes with many topics, ten of which changed since."""
    log = Log(url, witness_url)
    lists = log.entries("topic")
    for _ in range(TOPICS // BATCH):
        log.ledger.append(islice(lists, BATCH))
    log.ledger.publish()
    ratios = []
    for seq in range(1, 16):
        log.ledger.append([log.entry(f"topic-{number}", seq) for number in range(1, 11)])
        beside = statistics.median(seconds(floor) for _ in range(200))
        ratios.append(seconds(log.ledger.publish) / beside)
    log.ledger.close()
    return statistics.median(ratios)


def proof_times(folder: str) -> tuple[float, float]:
    """Seconds for an inclusion proof at a million leaves, and for its verification."""
    log = Log(f"sqlite:///{folder}/large.db", "sqlite://")
    entry = log.entry("first", 0)
    log.ledger.append([entry, *islice(log.entries("few"), 999)])
    fill(SqlStore.open(f"sqlite:///{folder}/large.db"), LEAVES - BATCH)
    view = Ledger.open(f"sqlite:///{folder}/large.db", origin=ORIGIN, signer=log.signer).publish()
    log.ledger.inclusion(entry)
    prove = statistics.median(seconds(lambda: log.ledger.inclusion(entry)) for _ in range(100))
    receipt = InclusionReceipt.parse(log.ledger.inclusion(entry).body)
    verify = statistics.median(seconds(receipt.verify_proofs) for _ in range(1000))
    log.ledger.close()
    if view.size <= LEAVES:
        raise SystemExit("the benchmark's log is too small")
    return prove, verify


def fill(store: SqlStore, count: int) -> None:
    """Add leaves past the log's own checks, which would take minutes; a proof's cost is the same."""
    leaf = HeadsLeaf(0, bytes(32))
    for _ in range(count // 100_000 + 1):
        with store.write() as writer:
            made, _ = rows(writer, [leaf] * min(100_000, count))
            writer.append(made)
    store.close()


def freshness_ratio(floor: Callable[[], object]) -> float:
    """How many single verifications it takes to judge a receipt for a topic's newest entry among many."""
    log = Log("memory:", "sqlite://")
    log.ledger.append(islice(log.entries("topic"), TOPICS))
    entry = log.entry("mine", 0)
    log.ledger.append([entry])
    view = log.ledger.publish()
    claim = Claim(owner=log.owner.public_key, kind=Kind.STATUS_LIST, list_id="mine", digest=entry.digest)
    evidence = Evidence(entry, log.ledger.head(claim.topic))
    policy, freshness = log.ledger.policy(), Freshness(datetime.now(UTC), timedelta(days=1))

    def verify() -> None:
        if not judge(claim, evidence, view, policy=policy, freshness=freshness):
            raise SystemExit("the benchmark's own receipt does not hold")

    return statistics.median(seconds(verify) / seconds(floor) for _ in range(500))


def report(floor: Callable[[], object]) -> None:
    """Print every row, each beside its bound."""
    with tempfile.TemporaryDirectory() as folder:
        appended, inserted = append_rates(f"sqlite:///{folder}/log.db", folder)
        publish = publish_ratio(f"sqlite:///{folder}/many.db", f"sqlite:///{folder}/witness.db", floor)
        prove, verify = proof_times(folder)
    print(f"\nledger, SQLite ({appended:,.0f} entries/s appended, {inserted:,.0f}/s plainly inserted)")
    print(
        f"{'append in batches of 1,000, of the plain rate':<58}{appended / inserted:>7.2f}  (at least 0.33)"
    )
    print(f"{'inclusion proof at 1 M leaves, ms':<58}{prove * 1e3:>7.2f}  (at most 2)")
    print(f"{'its verification, µs':<58}{verify * 1e6:>7.0f}  (at most 50)")
    print(f"{'publish with 10,000 topics, verifications':<58}{publish:>7.0f}  (at most 2,500)")
    print(f"{'verify a freshness receipt, verifications':<58}{freshness_ratio(floor):>7.1f}  (at most 10)")
    if url := os.environ.get("VCID_BENCH_POSTGRESQL"):
        report_postgresql(url, floor)


def report_postgresql(url: str, floor: Callable[[], object]) -> None:
    """Print what a server makes of it, in a schema that is removed again."""
    import psycopg

    with psycopg.connect(url, autocommit=True) as connection, tempfile.TemporaryDirectory() as folder:
        connection.execute("DROP SCHEMA IF EXISTS vcid_bench_a, vcid_bench_b CASCADE")
        connection.execute("CREATE SCHEMA vcid_bench_a; CREATE SCHEMA vcid_bench_b")
        first, second = (f"{url}?options=-csearch_path%3Dvcid_bench_{name}" for name in "ab")
        appended, inserted = append_rates(first, folder)
        publish = publish_ratio(second, f"sqlite:///{folder}/witness.db", floor)
        connection.execute("DROP SCHEMA vcid_bench_a, vcid_bench_b CASCADE")
    print(f"\nledger, PostgreSQL ({appended:,.0f} entries/s appended)")
    label = "append in batches of 1,000, of SQLite's plain rate"
    print(f"{label:<58}{appended / inserted:>7.2f}")
    print(f"{'publish with 10,000 topics, verifications':<58}{publish:>7.0f}")

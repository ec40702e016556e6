"""The replaying witness: it cosigns a checkpoint only after it has checked every new leaf itself.

It follows C2SP tlog-witness in what it demands of a checkpoint, and reads the leaves between the checkpoint
that it knows and the new one besides: owners' signatures, sequence, and the heads leaf at the end. Its
cosignature is therefore a further statement than a plain witness's, which is why its key is used for nothing
else.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Self

from vcid.encoding.dates import utc_now
from vcid.encoding.merkle import Frontier, verify_consistency
from vcid.errors import Conflict, InvalidProof
from vcid.ledger.notes import Checkpoint, Note, NoteKey, SignatureType, cosign
from vcid.ledger.replay import Replay
from vcid.storage import Database, StoreSchema

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from vcid.keys.signing import Signer
    from vcid.storage import Transaction

SCHEMA = StoreSchema(
    name="witness",
    migrations=(
        """
        CREATE TABLE witness_logs (
            origin TEXT PRIMARY KEY,
            size INTEGER NOT NULL,
            root BLOB NOT NULL,
            frontier BLOB NOT NULL,
            note BLOB NOT NULL
        ) STRICT;
        CREATE TABLE witness_heads (
            origin TEXT NOT NULL,
            topic BLOB NOT NULL,
            seq INTEGER NOT NULL,
            entry_hash BLOB NOT NULL,
            PRIMARY KEY (origin, topic)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE witness_keys (
            origin TEXT NOT NULL,
            topic BLOB NOT NULL,
            digest BLOB NOT NULL,
            PRIMARY KEY (origin, topic)
        ) STRICT, WITHOUT ROWID;
        """,
    ),
)


class ReplayingWitness:
    """A witness in this process, with a key and a memory of its own."""

    __slots__ = ("_clock", "_database", "_key", "_logs", "_signer")

    def __init__(
        self,
        database: Database,
        *,
        name: str,
        signer: Signer,
        logs: Iterable[NoteKey],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._database = database
        self._signer = signer
        self._key = NoteKey(name, SignatureType.COSIGNATURE_V1, signer.public_key)
        self._logs = {log.name: log for log in logs}
        self._clock = clock
        if any(log.public_key == self._key.public_key for log in self._logs.values()):
            raise ValueError("a witness's key is not a log's")

    @classmethod
    def open(
        cls,
        url: str,
        *,
        name: str,
        signer: Signer,
        logs: Iterable[NoteKey],
        clock: Callable[[], datetime] = utc_now,
    ) -> Self:
        """Open a witness's memory, creating it if there is none.

        Args:
            url: ``sqlite:///path``, or ``sqlite://`` for a witness that forgets everything with its process.
            name: the witness's name.
            signer: its Ed25519 key, used for nothing else.
            logs: the keys of the logs that it cosigns, named as their origins.
            clock: gives the time, with its zone, that a cosignature states.
        """
        database = Database.open(url, SCHEMA)
        return cls(database, name=name, signer=signer, logs=logs, clock=clock)

    def close(self) -> None:
        """Close the connections of the witness's memory."""
        self._database.close()

    @property
    def key(self) -> NoteKey:
        """The key that verifies its cosignatures."""
        return self._key

    def checkpoint(self, origin: str) -> bytes | None:
        """The newest checkpoint of a log that it cosigned, signed by the log and by itself."""
        with self._database.read() as transaction:
            row = transaction.execute("SELECT note FROM witness_logs WHERE origin = ?", (origin,)).fetchone()
        return bytes(row[0]) if row else None

    def add_checkpoint(
        self, old_size: int, proof: Sequence[bytes], note: bytes, entries: Iterable[bytes]
    ) -> bytes:
        """Check a checkpoint and its new leaves, and cosign it (tlog-witness, "add-checkpoint").

        1. The log is known and has signed the checkpoint.
        2. The checkpoint continues the one that the witness knows, by proof.
        3. Each new leaf is replayed; they hash to the checkpoint's root and end with true heads.
        4. The new state is kept, unless the witness moved on meanwhile; only then the cosignature is given.

        Returns:
            The cosignature's line.

        Raises:
            Conflict: the checkpoint is refused; ``size`` if the witness knows another size than ``old_size``.
            Malformed: it is no checkpoint.
        """
        signed, checkpoint = self._read(note)
        with self._database.read() as transaction:
            known = _known(transaction, checkpoint.origin)
            heads = transaction.execute(
                "SELECT topic, seq, entry_hash FROM witness_heads WHERE origin = ?", (checkpoint.origin,)
            ).fetchall()
            keys = transaction.execute(
                "SELECT topic, digest FROM witness_keys WHERE origin = ?", (checkpoint.origin,)
            ).fetchall()
        _check_growth(old_size, proof, known, checkpoint)
        replay = Replay(known.frontier, heads, dict(keys))
        if checkpoint.size > old_size:
            for leaf in islice(entries, checkpoint.size - old_size):
                replay.apply(leaf)
            replay.check_checkpoint(checkpoint.size, checkpoint.root)
        cosignature = cosign(signed.text, self._key.name, self._signer, int(self._clock().timestamp()))
        self._keep(checkpoint, replay, Note(signed.text, (*signed.signatures, cosignature)), old_size)
        return f"{cosignature.line}\n".encode()

    def _read(self, data: bytes) -> tuple[Note, Checkpoint]:
        """Read a checkpoint and keep, of its signatures, the log's alone."""
        note = Note.parse(data)
        checkpoint = Checkpoint.parse(note.text)
        log = self._logs.get(checkpoint.origin)
        if log is None:
            raise Conflict("unknown-log", "the checkpoint is of a log that this witness does not cosign")
        try:
            signed = note.verify((log,))
        except InvalidProof as error:
            raise Conflict("unsigned", "the log's signature does not hold") from error
        if not signed or checkpoint.extensions:
            raise Conflict("unsigned", "the log did not sign the checkpoint, or it has extension lines")
        own = tuple(one for one in note.signatures if (one.name, one.key_id) == (log.name, log.key_id))
        return Note(note.text, own), checkpoint

    def _keep(self, checkpoint: Checkpoint, replay: Replay, note: Note, old_size: int) -> None:
        origin, frontier = checkpoint.origin, replay.frontier
        row = (origin, checkpoint.size, checkpoint.root, b"".join(frontier.hashes), note.encode())
        with self._database.transaction() as transaction:
            # Of two requests replayed side by side, the second no longer starts from what is kept.
            if _known(transaction, origin).frontier.size != old_size:
                raise Conflict("size", "the witness knows a larger checkpoint by now")
            transaction.execute(
                "INSERT INTO witness_logs VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET"
                " size = excluded.size, root = excluded.root, frontier = excluded.frontier,"
                " note = excluded.note",
                row,
            )
            transaction.executemany(
                "INSERT INTO witness_heads VALUES (?, ?, ?, ?) ON CONFLICT (origin, topic)"
                " DO UPDATE SET seq = excluded.seq, entry_hash = excluded.entry_hash",
                ((origin, *head) for head in replay.changed.values()),
            )
            transaction.executemany(
                "INSERT INTO witness_keys VALUES (?, ?, ?)"
                " ON CONFLICT (origin, topic) DO UPDATE SET digest = excluded.digest",
                ((origin, *change) for change in replay.keys.changed.items()),
            )


@dataclass(frozen=True, slots=True)
class _Known:
    """What a witness knows of a log: the right edge of its tree, and the root."""

    frontier: Frontier
    root: bytes


def _known(transaction: Transaction, origin: str) -> _Known:
    row = transaction.execute(
        "SELECT size, root, frontier FROM witness_logs WHERE origin = ?", (origin,)
    ).fetchone()
    if row is None:
        return _Known(Frontier(), Frontier().root)
    size, root, edge = row
    return _Known(Frontier(size, tuple(edge[i : i + 32] for i in range(0, len(edge), 32))), root)


def _check_growth(old_size: int, proof: Sequence[bytes], known: _Known, checkpoint: Checkpoint) -> None:
    if old_size != known.frontier.size or checkpoint.size < old_size:
        raise Conflict("size", f"the witness knows a checkpoint of {known.frontier.size} leaves")
    try:
        if old_size:
            verify_consistency(old_size, checkpoint.size, proof, known.root, checkpoint.root)
        elif proof:
            raise Conflict("inconsistent", "nothing is to be proven from an empty log")
    except InvalidProof as error:
        raise Conflict("inconsistent", "the checkpoint does not continue the one that is known") from error

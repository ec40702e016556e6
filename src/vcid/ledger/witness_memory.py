"""What a witness remembers of each log, and what it checks of a checkpoint whether or not it replays leaves.

The memory is the witness: one that forgot what it cosigned would cosign a fork. A memory that was put back
from a backup therefore needs a new key, unless it is certain that nothing was cosigned since.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from vcid.encoding.merkle import Frontier, verify_consistency
from vcid.errors import Conflict, InvalidProof, Malformed
from vcid.ledger.evidence import find_split_view
from vcid.ledger.inheritance import Inheritance
from vcid.ledger.notes import Checkpoint, Note, check_origin
from vcid.ledger.replay import Replay
from vcid.storage import Database, StoreSchema

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vcid.ledger.notes import NoteKey
    from vcid.storage import Transaction

MAX_EVIDENCE = 16
"""How many files of evidence are kept of one log; one is enough to convict it."""

MAX_CHAIN = 64
"""How many logs may have come before one, each in the place of the one before."""

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
        """
        CREATE TABLE witness_evidence (
            origin TEXT NOT NULL,
            digest BLOB NOT NULL,
            data BLOB NOT NULL,
            PRIMARY KEY (origin, digest)
        ) STRICT, WITHOUT ROWID;
        CREATE TABLE witness_successions (
            origin TEXT PRIMARY KEY,
            successor TEXT NOT NULL UNIQUE,
            statement BLOB NOT NULL
        ) STRICT;
        """,
    ),
)


@dataclass(frozen=True, slots=True)
class Known:
    """What a witness knows of a log.

    Attributes:
        size: the number of leaves.
        root: their root.
        note: the checkpoint that it cosigned; ``None`` if it never did.
        edge: the hashes at the right edge of the tree, of a log whose leaves were replayed.
        predecessor: the log whose place this one took, and the statement of it.
    """

    size: int
    root: bytes
    note: bytes | None
    edge: tuple[bytes, ...] = ()
    predecessor: tuple[str, bytes] | None = None

    @property
    def frontier(self) -> Frontier:
        """The right edge of the tree, of a log whose leaves were replayed."""
        return Frontier(self.size, self.edge)


@dataclass(frozen=True, slots=True)
class Offer:
    """A checkpoint offered to a witness, signed by a log that it cosigns.

    Attributes:
        checkpoint: the log's state.
        note: its text with the log's signatures alone.
        log_keys: the log's keys.
    """

    checkpoint: Checkpoint
    note: Note
    log_keys: tuple[NoteKey, ...]

    @classmethod
    def read(cls, data: bytes, logs: Mapping[str, tuple[NoteKey, ...]]) -> Self:
        """Read a checkpoint (tlog-witness, "add-checkpoint"), in the order of the specification's refusals.

        Raises:
            Malformed: it is no checkpoint.
            Conflict: the log is not among these (``unknown-log``), did not sign (``unsigned``), or an empty
                tree has another root than an empty tree's (``inconsistent``).
        """
        note = Note.parse(data)
        keys = logs.get(note.text.partition("\n")[0])
        if keys is None:
            raise Conflict("unknown-log", "the checkpoint is of a log that this witness does not cosign")
        try:
            signed = note.verify(keys)
        except InvalidProof as error:
            raise Conflict("unsigned", "the log's signature does not hold") from error
        if not signed:
            raise Conflict("unsigned", "the log did not sign the checkpoint")
        try:
            checkpoint = Checkpoint.parse(note.text)
        except Malformed as error:
            if error.code != "empty-root":
                raise
            raise Conflict("inconsistent", "an empty tree has the root of an empty tree") from error
        ids = {(one.key.name, one.key.key_id) for one in signed}
        own = tuple(one for one in note.signatures if (one.name, one.key_id) in ids)
        return cls(checkpoint, Note(note.text, own), keys)


class WitnessMemory:
    """The newest state of each log that one witness cosigned."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> Self:
        """Open a memory, creating it if there is none."""
        return cls(Database.open(url, SCHEMA))

    def close(self) -> None:
        """Close the connections."""
        self._database.close()

    def known(self, origin: str) -> Known:
        """What is known of a log; an empty one if nothing is."""
        with self._database.read() as transaction:
            return _known(transaction, origin)

    def replay(self, origin: str) -> Replay:
        """A replay that goes on from what is known of a log."""
        with self._database.read() as transaction:
            frontier = _known(transaction, origin).frontier
            heads, keys = _heads(transaction, origin), _keys(transaction, origin)
        return Replay(frontier, heads, dict(keys))

    def check(self, offer: Offer, old_size: int, proof: Sequence[bytes]) -> Known:
        """Check that a checkpoint continues the one that is known, and keep evidence where it shows a split.

        Returns:
            What is known.

        Raises:
            Conflict: the old size is larger than the checkpoint's (``old-size``) or not the one known
                (``size``), the proof does not hold (``inconsistent``), or the log was succeeded by another
                (``succeeded``).
        """
        known = self.known(offer.checkpoint.origin)
        try:
            _check_growth(known, offer.checkpoint, old_size, proof)
        except Conflict:
            self._keep_evidence(known, offer, proof)
            raise
        if self.succession(offer.checkpoint.origin) is not None:
            raise Conflict("succeeded", "another log has taken this one's place")
        return known

    def keep(self, known: Known, note: Note, replay: Replay | None = None) -> None:
        """Remember a checkpoint, unless the witness moved on from what was known when it was checked.

        Raises:
            Conflict: it did, or the log took another one's place meanwhile (``size``), or the log was
                succeeded meanwhile (``succeeded``).
        """
        checkpoint = Checkpoint.parse(note.text)
        origin = checkpoint.origin
        edge = b"".join(replay.frontier.hashes) if replay else b""
        with self._database.transaction() as transaction:
            # Of two requests worked on side by side, the second no longer starts from what is kept.
            now = _known(transaction, origin)
            if (now.size, now.root) != (known.size, known.root):
                raise Conflict("size", "the witness knows another checkpoint by now")
            if now.predecessor != known.predecessor:
                raise Conflict("size", "the log took another one's place by now")
            if _succession(transaction, origin) is not None:
                raise Conflict("succeeded", "another log has taken this one's place")
            transaction.execute(
                "INSERT INTO witness_logs VALUES (?, ?, ?, ?, ?) ON CONFLICT (origin) DO UPDATE SET"
                " size = excluded.size, root = excluded.root, frontier = excluded.frontier,"
                " note = excluded.note",
                (origin, checkpoint.size, checkpoint.root, edge, note.encode()),
            )
            if replay is not None:
                _keep_heads(transaction, origin, replay)

    def _keep_evidence(self, known: Known, offer: Offer, proof: Sequence[bytes]) -> None:
        if known.note is None:
            return
        found = find_split_view((known.note, offer.note.encode()), offer.log_keys, proof)
        if found is None:
            return
        origin = offer.checkpoint.origin
        with self._database.transaction() as transaction:
            count = transaction.execute(
                "SELECT count(*) FROM witness_evidence WHERE origin = ?", (origin,)
            ).fetchone()[0]
            if count < MAX_EVIDENCE:
                transaction.execute(
                    "INSERT INTO witness_evidence VALUES (?, ?, ?) ON CONFLICT (origin, digest) DO NOTHING",
                    (origin, sha256(found).digest(), found),
                )

    def evidence(self, origin: str) -> list[bytes]:
        """The evidence met that a log showed two versions of itself (``vcid.ledger.evidence``)."""
        with self._database.read() as transaction:
            rows = transaction.execute("SELECT data FROM witness_evidence WHERE origin = ?", (origin,))
            return [bytes(row[0]) for row in rows.fetchall()]

    def succession(self, origin: str) -> bytes | None:
        """The statement by which another log succeeded this one."""
        with self._database.read() as transaction:
            return _succession(transaction, origin)

    def end(self, origin: str, successor: str, statement: bytes, final: tuple[int, bytes]) -> None:
        """Let a log end at its final size and root; nothing more of it is cosigned.

        Raises:
            Conflict: the log is known to be another at that size (``inconsistent``) or to end elsewhere
                (``size``), it was succeeded by another (``succeeded``), the successor is known already
                (``successor-known``), or too many logs came before (``too-many-predecessors``).
        """
        with self._database.transaction() as transaction:
            before = _succession(transaction, origin)
            if before is not None:
                if before != statement:
                    raise Conflict("succeeded", "another log has taken this one's place")
                return
            known = _known(transaction, origin)
            if known.size != final[0]:
                raise Conflict("size", f"the witness knows a checkpoint of {known.size} leaves")
            if known.root != final[1]:
                raise Conflict("inconsistent", "the final checkpoint is not the one that is known")
            new = _known(transaction, successor)
            if new.note is not None or new.predecessor is not None or successor == origin:
                raise Conflict("successor-known", "the successor is a log that was not cosigned before")
            if len(_chain(transaction, origin)) == MAX_CHAIN:
                raise Conflict("too-many-predecessors", f"at most {MAX_CHAIN} logs come before one")
            transaction.execute(
                "INSERT INTO witness_successions VALUES (?, ?, ?)", (origin, successor, statement)
            )

    def inheritance(self, origin: str) -> Inheritance:
        """What a log and those before it leave to their successor.

        Raises:
            Conflict: too many logs came before (``too-many-predecessors``).
        """
        heads: list[tuple[bytes, int, bytes]] = []
        keys: list[tuple[bytes, bytes]] = []
        with self._database.read() as transaction:
            for former in reversed(_chain(transaction, origin)):
                heads += _heads(transaction, former)
                keys += _keys(transaction, former)
        return Inheritance(heads, keys)


def _known(transaction: Transaction, origin: str) -> Known:
    row = transaction.execute(
        "SELECT size, root, frontier, note FROM witness_logs WHERE origin = ?", (origin,)
    ).fetchone()
    predecessor = _predecessor(transaction, origin)
    if row is None:
        return Known(0, Frontier().root, None, predecessor=predecessor)
    size, root, edge, note = row
    hashes = tuple(bytes(edge[start : start + 32]) for start in range(0, len(edge), 32))
    return Known(size, bytes(root), bytes(note), hashes, predecessor)


def _succession(transaction: Transaction, origin: str) -> bytes | None:
    row = transaction.execute(
        "SELECT statement FROM witness_successions WHERE origin = ?", (origin,)
    ).fetchone()
    return bytes(row[0]) if row else None


def _predecessor(transaction: Transaction, origin: str) -> tuple[str, bytes] | None:
    row = transaction.execute(
        "SELECT origin, statement FROM witness_successions WHERE successor = ?", (origin,)
    ).fetchone()
    return (str(row[0]), bytes(row[1])) if row else None


def _chain(transaction: Transaction, origin: str) -> list[str]:
    """A log and those before it, the newest first; bounded, so that a cycle is refused too."""
    chain = [origin]
    while (before := _predecessor(transaction, chain[-1])) is not None:
        if len(chain) == MAX_CHAIN:
            raise Conflict("too-many-predecessors", f"at most {MAX_CHAIN} logs come before one")
        chain.append(before[0])
    return chain


def _heads(transaction: Transaction, origin: str) -> list[tuple[bytes, int, bytes]]:
    return transaction.execute(
        "SELECT topic, seq, entry_hash FROM witness_heads WHERE origin = ?", (origin,)
    ).fetchall()


def _keys(transaction: Transaction, origin: str) -> list[tuple[bytes, bytes]]:
    return transaction.execute(
        "SELECT topic, digest FROM witness_keys WHERE origin = ?", (origin,)
    ).fetchall()


def _keep_heads(transaction: Transaction, origin: str, replay: Replay) -> None:
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


def _check_growth(known: Known, checkpoint: Checkpoint, old_size: int, proof: Sequence[bytes]) -> None:
    """The specification's checks in its order; each code has a status of its own (``server.witness``)."""
    if old_size > checkpoint.size:
        raise Conflict("old-size", "the old size is at most the checkpoint's")
    if old_size != known.size:
        raise Conflict("size", f"the witness knows a checkpoint of {known.size} leaves")
    try:
        if old_size:
            verify_consistency(old_size, checkpoint.size, proof, known.root, checkpoint.root)
        elif proof:
            raise Conflict("inconsistent", "nothing is to be proven from an empty log")
    except InvalidProof as error:
        raise Conflict("inconsistent", "the checkpoint does not continue the one that is known") from error


def group_keys(cosigner: NoteKey, keys: Iterable[NoteKey]) -> dict[str, tuple[NoteKey, ...]]:
    """Group the keys of the logs that a witness cosigns by their origins; a log may have several.

    Raises:
        ValueError: one is the witness's own, its signatures have no room for a log's name, or the name is
            none for a log (``check_origin``).
    """
    logs: dict[str, tuple[NoteKey, ...]] = {}
    for key in keys:
        check_origin(key.name)
        logs[key.name] = (*logs.get(key.name, ()), key)
        if key.public_key == cosigner.public_key:
            raise ValueError("a witness's key is not a log's")
        cosigner.cosigned_message(Checkpoint(key.name, 0, sha256(b"").digest()).text, 0)
    return logs

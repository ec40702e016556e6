"""The log: owner-signed entries appended in order, checkpoints published and cosigned, receipts for both.

A publication appends a heads leaf and commits it before anything is signed, so the root of a size is settled
by what is on disk; a crash at any later point leaves a heads leaf that no checkpoint ends with, and the next
publication supersedes it. Before it signs, the log compares itself with its witnesses: if one of them holds
a checkpoint that this log signed and does not contain, the log is a restored backup, and signing would fork
it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from vcid.errors import Conflict, Unavailable
from vcid.ledger import appending, proving
from vcid.ledger.anchor import LogPolicy, View
from vcid.ledger.cosigning import Cosigners
from vcid.ledger.entries import Entry
from vcid.ledger.heads import Head, HeadsMap
from vcid.ledger.notes import Checkpoint, Note, NoteKey, SignatureType, sign_note
from vcid.ledger.sql import SqlStore
from vcid.ledger.store import MemoryStore, StoredBatch, StoredCheckpoint
from vcid.ledger.tree import StoredTree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.keys.signing import Signer
    from vcid.ledger.anchor import Witness
    from vcid.ledger.receipts import Receipt
    from vcid.ledger.store import LogReader, LogStore

MEMORY = "memory:"
"""The URL of a log in this process's memory."""

_ATTEMPTS = 5


class Ledger:
    """A log to append to, to publish and to prove from.

    Safe to share between threads; several processes may open one SQLite file.
    """

    __slots__ = ("_cosigners", "_heads_map", "_key", "_signer", "_store")

    def __init__(
        self, store: LogStore, *, origin: str, signer: Signer, witnesses: Iterable[Witness] = ()
    ) -> None:
        self._store = store
        self._signer = signer
        self._key = NoteKey(origin, SignatureType.ED25519, signer.public_key)
        self._cosigners = Cosigners(witnesses, self._key, store)
        self._heads_map: tuple[int, HeadsMap] | None = None
        self._settle_identity()

    @classmethod
    def open(cls, url: str, *, origin: str, signer: Signer, witnesses: Iterable[Witness] = ()) -> Self:
        """Open a log, creating it if there is none.

        Args:
            url: ``sqlite:///path``, or ``memory:`` for one in this process's memory.
            origin: the log's name, by convention a URL without its scheme.
            signer: the log's Ed25519 key.
            witnesses: who cosigns; without one, with a key of its own, no verifier can tell the log's age.

        Raises:
            Conflict: the store holds a log of another origin or key (``other-log``).
            Unavailable: the store can't be opened.
        """
        store = MemoryStore() if url == MEMORY else SqlStore.open(url)
        return cls(store, origin=origin, signer=signer, witnesses=witnesses)

    def _settle_identity(self) -> None:
        with self._store.read() as reader:
            vkey = reader.identity()
        if vkey is None:
            with self._store.write() as writer:
                vkey = writer.identity()
                if vkey is None:
                    vkey = self._key.vkey
                    writer.set_identity(vkey)
        if vkey != self._key.vkey:
            raise Conflict("other-log", "the store holds the log of another origin or key")

    def close(self) -> None:
        """Close the log's storage."""
        self._store.close()

    @property
    def key(self) -> NoteKey:
        """The log's verifier key, named as its origin."""
        return self._key

    def policy(self, *, quorum: int = 1) -> LogPolicy:
        """What a verifier's policy says to believe this log and its witnesses; whether to is the verifier's.

        Raises:
            ValueError: there are fewer witnesses than the quorum.
        """
        return LogPolicy(
            origin=self._key.name,
            log_key=self._key.public_key,
            witnesses=tuple((key.name, key.public_key) for key in self._cosigners.keys),
            quorum=quorum,
        )

    def append(self, entries: Iterable[Entry], idempotency_key: str | None = None) -> range:
        """Add entries at the end, all or none, each continuing its topic by one.

        An entry that already stands in the log under its number is passed over, so that a publication that
        broke off can be done again.

        Args:
            entries: in the order in which they are to stand.
            idempotency_key: a name for this call; a second call of that name adds nothing.

        Returns:
            The places of the leaves added, by this call or by the first one of that idempotency key.

        Raises:
            TypeError: something else than an entry is to be appended.
            InvalidProof: a signature does not hold.
            Conflict: a topic is not continued by one (``sequence``), an entry is not by its owner's key in
                force (``not-owner``), or the idempotency key was used for other entries (``key-reused``).
            Unavailable: the storage can't be written; nothing was added.
        """
        batch = tuple(entries)
        for entry in batch:
            if not isinstance(entry, Entry):
                raise TypeError("only an Entry can be appended to a ledger")
            entry.verify()
        digest = appending.batch_digest(batch)
        with self._store.write() as writer:
            known = writer.batch(idempotency_key) if idempotency_key is not None else None
            if known is not None and known.digest != digest:
                raise Conflict("key-reused", "the idempotency key stands for other entries")
            if known is not None:
                return range(known.start, known.stop)
            rows, frontier = appending.rows(writer, appending.missing(writer, batch))
            writer.append(rows)
            added = range(frontier.size - len(rows), frontier.size)
            if idempotency_key is not None:
                writer.add_batch(idempotency_key, StoredBatch(digest, added.start, added.stop))
        return added

    def check_witnesses(self) -> None:
        """Compare the log with what its witnesses know; `publish` does so too.

        Raises:
            Behind: a witness holds a checkpoint of this log that it does not contain: a restored backup.
            Conflict: no witness answers sensibly, and one holds a checkpoint that the log did not sign.
            Unavailable: there are witnesses and none answers.
        """
        self._cosigners.compare()

    def publish(self) -> View:
        """End the log with a heads leaf, sign the checkpoint and have it cosigned.

        Publishing with nothing new is a heartbeat: it gives the log a newer time.

        1. Compare the log with what its witnesses know.
        2. Append the heads leaf and commit, which settles the root of the new size.
        3. Sign the checkpoint and ask each witness to cosign it, without holding any lock.
        4. Keep the checkpoint. If another writer's larger one overtook it at every witness, start again.

        Raises:
            Behind: a witness holds a checkpoint of this log that it does not contain: a restored backup.
            Conflict: a witness refuses the checkpoint, or the stored log is damaged (``corrupt``).
            Unavailable: no witness answers, or the storage can't be written.
        """
        for _ in range(_ATTEMPTS):
            self.check_witnesses()
            checkpoint = self._end_with_heads()
            note = Note(checkpoint.text, (sign_note(checkpoint.text, self._key.name, self._signer),))
            cosignatures = self._cosigners.collect(checkpoint, note)
            if cosignatures or not self._cosigners:
                return self._keep(checkpoint, Note(note.text, (*note.signatures, *cosignatures)))
        raise Unavailable("other writers kept publishing; publish again")

    def _end_with_heads(self) -> Checkpoint:
        with self._store.write() as writer:
            last = writer.checkpoint()
            if last and StoredTree(writer.completed).root(last.size) != last.root:
                raise Conflict("corrupt", "the log does not contain its own newest checkpoint")
            heads = HeadsMap(writer.heads())
            rows, frontier = appending.rows(writer, [heads.leaf])
            writer.append(rows)
        self._heads_map = (frontier.size, heads)
        return Checkpoint(self._key.name, frontier.size, frontier.root)

    def _keep(self, checkpoint: Checkpoint, note: Note) -> View:
        data = note.encode()
        with self._store.write() as writer:
            writer.add_checkpoint(StoredCheckpoint(checkpoint.size, checkpoint.root, data))
        return View.of(checkpoint, data)

    def checkpoint(self) -> View | None:
        """The newest published checkpoint."""
        with self._store.read() as reader:
            stored = reader.checkpoint()
        return View(self._key.name, stored.size, stored.root, stored.note) if stored else None

    def latest(self, topic: bytes) -> Entry | None:
        """A topic's newest entry, published or not."""
        with self._store.read() as reader:
            head = reader.head(topic)
            return appending.stored_entry(reader, topic, head.seq) if head else None

    def find(self, topic: bytes, seq: int) -> Entry | None:
        """A topic's entry of a number, published or not."""
        with self._store.read() as reader:
            return appending.stored_entry(reader, topic, seq)

    def heads(self) -> dict[bytes, Head]:
        """The newest entries of all topics, published or not."""
        with self._store.read() as reader:
            return {row[0]: Head(*row) for row in reader.heads()}

    def entries(self, start: int, stop: int) -> list[bytes]:
        """The leaves from start to before stop, for whoever replays the log."""
        with self._store.read() as reader:
            return reader.leaves(start, stop)

    def head(self, topic: bytes, at: int | None = None) -> Receipt:
        """Prove which entry is a topic's newest, or that there is none.

        Args:
            topic: the topic.
            at: the size of the published checkpoint to prove it at; the newest by default.

        Raises:
            Conflict: there is no such checkpoint (``not-found``), or the stored log is damaged (``corrupt``).
        """
        with self._store.read() as reader:
            stored = proving.published(reader, at)
            return proving.prove_head(reader, topic, stored, self._heads_at(reader, stored.size))

    def _heads_at(self, reader: LogReader, size: int) -> HeadsMap:
        # The heads of a size never change, and receipts are mostly asked for at one size, many at a time.
        kept = self._heads_map
        if kept is None or kept[0] != size:
            kept = self._heads_map = (size, proving.heads_at(reader, size))
        return kept[1]

    def inclusion(self, entry: Entry, at: int | None = None) -> Receipt:
        """Prove that an entry is in the log, at the size of a published checkpoint or the newest.

        Raises:
            Conflict: the entry or the checkpoint is not there (``not-found``), or the stored log is damaged.
        """
        with self._store.read() as reader:
            return proving.prove_inclusion(reader, entry, proving.published(reader, at))

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Prove that the log only grew between two sizes; from 0 there is nothing to prove."""
        with self._store.read() as reader:
            if not 0 <= old_size <= new_size <= reader.size():
                raise ValueError("the sizes are those of this log, the old one first")
            return StoredTree(reader.completed).consistency(old_size, new_size)

    def consistency_from_checkpoints(
        self, limit: int = 400, *, at: int | None = None
    ) -> dict[int, list[bytes]]:
        """Prove that a checkpoint continues those published before it.

        Args:
            limit: how many earlier checkpoints, the newest first.
            at: the checkpoint's size; the newest by default.

        Returns:
            The proofs by the earlier checkpoint's size, for verifiers that keep one of those views.
        """
        with self._store.read() as reader:
            sizes = reader.checkpoint_sizes(limit + 1)
            until = max(sizes, default=0) if at is None else at
            tree = StoredTree(reader.completed)
            return {size: tree.consistency(size, until) for size in sizes if size < until}

    def audit(self) -> None:
        """Replay the whole log and compare everything stored with it.

        Raises:
            Conflict: something stored is not what the leaves give.
        """
        with self._store.read() as reader:
            proving.audit(reader, self._key)

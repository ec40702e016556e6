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
from vcid.ledger.heads import HeadsMap
from vcid.ledger.notes import Checkpoint, Note, NoteKey, check_origin, sign_note
from vcid.ledger.quorums import Group
from vcid.ledger.reading import StoredLog
from vcid.ledger.sql import SqlStore
from vcid.ledger.store import MemoryStore, StoredBatch, StoredCheckpoint
from vcid.ledger.tree import StoredTree

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.keys.signing import PublicKey, Signer
    from vcid.ledger.anchor import Witness
    from vcid.ledger.store import LogStore

MEMORY = "memory:"
"""The URL of a log in this process's memory."""

_ATTEMPTS = 5


class Ledger(StoredLog):
    """A log to append to and to publish, besides what a `StoredLog` gives.

    Safe to share between threads; several processes may open one database.
    """

    __slots__ = ("_cosigners", "_signer")

    _store: LogStore

    def __init__(
        self,
        store: LogStore,
        *,
        origin: str,
        signer: Signer,
        witnesses: Iterable[Witness] = (),
        former_keys: Iterable[PublicKey] = (),
    ) -> None:
        check_origin(origin)
        former = [NoteKey.of_log(origin, key) for key in former_keys]
        super().__init__(store, NoteKey.of_log(origin, signer.public_key), former)
        self._signer = signer
        self._cosigners = Cosigners(witnesses, self._all_keys, store)
        self._settle_identity()

    @classmethod
    def open(
        cls,
        url: str,
        *,
        origin: str,
        signer: Signer,
        witnesses: Iterable[Witness] = (),
        former_keys: Iterable[PublicKey] = (),
    ) -> Self:
        """Open a log, creating it if there is none.

        Args:
            url: ``sqlite:///path``, ``postgresql://…`` (the extra ``postgresql``), or ``memory:`` for one
                in this process's memory.
            origin: the log's name, by convention a URL without its scheme.
            signer: the log's Ed25519 key.
            witnesses: who cosigns; without one, with a key of its own, no verifier can tell the log's age.
            former_keys: keys that the log gave up. The first opening with another signer changes the log's
                key for good: verifiers and witnesses have to be told before (``LogPolicy.former_log_keys``).

        Raises:
            ValueError: the origin is none for a log (``check_origin``).
            Conflict: the store holds a log of another origin or key (``other-log``).
            Unavailable: the store can't be opened.
        """
        store = MemoryStore() if url == MEMORY else SqlStore.open(url)
        return cls(store, origin=origin, signer=signer, witnesses=witnesses, former_keys=former_keys)

    def _settle_identity(self) -> None:
        with self._store.read() as reader:
            vkey = reader.identity()
        if vkey == self._key.vkey:
            return
        former = {key.vkey for key in self._all_keys[1:]}
        with self._store.write() as writer:
            vkey = writer.identity()
            if vkey is None:
                writer.set_identity(self._key.vkey)
            elif vkey in former:
                writer.replace_identity(self._key.vkey)
        if vkey not in {None, self._key.vkey, *former}:
            raise Conflict("other-log", "the store holds the log of another origin or key")

    def policy(self, *, quorum: int = 1) -> LogPolicy:
        """What a verifier's policy says to believe this log and its witnesses; whether to is the verifier's.

        Where some witnesses read no leaves, as many of the others as the quorum, or all, are asked for too.

        Raises:
            ValueError: there are fewer witnesses than the quorum, or none that replays.
        """
        keys, replaying = self._cosigners.keys, [key.name for key in self._cosigners.replaying]
        heads = Group(min(quorum, len(replaying)), tuple(replaying)) if len(replaying) < len(keys) else None
        return LogPolicy(
            origin=self._key.name,
            log_key=self._key.public_key,
            witnesses=tuple((key.name, key.public_key) for key in keys),
            quorum=quorum,
            replaying=heads,
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

    def cosign(self, at: int | None = None) -> View:
        """Ask the witnesses again for a published checkpoint, and keep the cosignatures that it lacked.

        For witnesses that did not answer when it was published, or could not yet: one that waits until the
        checkpoint stands on a chain. Those that stand there already stay, with the times that they state.

        Args:
            at: the checkpoint's size; the newest by default.

        Raises:
            Conflict: there is no such checkpoint (``not-found``), or no witness cosigned and one refused.
            Behind: a witness holds a checkpoint of this log that it does not contain.
            Unavailable: there are witnesses and none answers, or the storage can't be written.
        """
        with self._store.read() as reader:
            note = Note.parse(proving.published(reader, at).note)
        checkpoint = Checkpoint.parse(note.text)
        own_ids = {key.key_id for key in self._all_keys}
        own = tuple(one for one in note.signatures if one.key_id in own_ids)
        cosignatures = self._cosigners.collect(checkpoint, Note(note.text, own))
        with self._store.write() as writer:
            note = Note.parse(proving.published(writer, checkpoint.size).note)
            known = {(one.name, one.key_id) for one in note.signatures}
            added = [one for one in cosignatures if (one.name, one.key_id) not in known]
            data = Note(note.text, (*note.signatures, *added)).encode()
            writer.update_checkpoint(checkpoint.size, data)
        return View.of(checkpoint, data)

    def _end_with_heads(self) -> Checkpoint:
        with self._store.write() as writer:
            last = writer.checkpoint()
            if last and StoredTree(writer.completed_beside).root(last.size) != last.root:
                raise Conflict("corrupt", "the log does not contain its own newest checkpoint")
            heads = HeadsMap(writer.heads(), self._heads_map and self._heads_map[1])
            rows, frontier = appending.rows(writer, [heads.leaf])
            writer.append(rows)
        self._heads_map = (frontier.size, heads)
        return Checkpoint(self._key.name, frontier.size, frontier.root)

    def _keep(self, checkpoint: Checkpoint, note: Note) -> View:
        data = note.encode()
        with self._store.write() as writer:
            writer.add_checkpoint(StoredCheckpoint(checkpoint.size, checkpoint.root, data))
        return View.of(checkpoint, data)

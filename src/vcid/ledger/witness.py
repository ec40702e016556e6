"""The replaying witness: it cosigns a checkpoint only after it has checked every new leaf itself.

It follows C2SP tlog-witness in what it demands of a checkpoint, and reads the leaves between the checkpoint
that it knows and the new one besides: owners' signatures, sequence, and the heads leaf at the end. Its
cosignature is therefore a further statement than a plain witness's, which is why its key is used for nothing
else. Of a log that succeeds others (``vcid.ledger.succession``) it demands what ``vcid.ledger.inheritance``
says.
"""

from __future__ import annotations

from hashlib import sha256
from itertools import islice
from typing import TYPE_CHECKING, Self

from vcid.encoding.dates import utc_now
from vcid.errors import Conflict, InvalidProof
from vcid.ledger.entries import Entry, Kind
from vcid.ledger.notes import Note, NoteKey, cosign
from vcid.ledger.replay import Replay
from vcid.ledger.succession import Proposal
from vcid.ledger.witness_memory import SCHEMA, Offer, WitnessMemory, group_keys
from vcid.storage import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from vcid.keys.signing import Signer
    from vcid.ledger.notes import NoteSignature
    from vcid.ledger.witness_memory import Known


class ReplayingWitness:
    """A witness in this process, with a key and a memory of its own."""

    __slots__ = ("_clock", "_key", "_logs", "_memory", "_signer")

    def __init__(
        self,
        database: Database,
        *,
        name: str,
        signer: Signer,
        logs: Iterable[NoteKey],
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._memory = WitnessMemory(database)
        self._signer = signer
        self._key = NoteKey.of_cosigner(name, signer.public_key)
        self._logs = group_keys(self._key, logs)
        self._clock = clock

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
            signer: its Ed25519 or ML-DSA-44 key, used for nothing else.
            logs: the keys of the logs that it cosigns, named as their origins; several of one log while it
                changes its key.
            clock: gives the time, with its zone, that a cosignature states.
        """
        return cls(Database.open(url, SCHEMA), name=name, signer=signer, logs=logs, clock=clock)

    def close(self) -> None:
        """Close the connections of the witness's memory."""
        self._memory.close()

    @property
    def key(self) -> NoteKey:
        """The key that verifies its cosignatures."""
        return self._key

    def checkpoint(self, origin: str) -> bytes | None:
        """The newest checkpoint of a log that it cosigned, signed by the log and by itself."""
        return self._memory.known(origin).note

    def evidence(self, origin: str) -> list[bytes]:
        """The evidence met that a log showed two versions of itself (``vcid.ledger.evidence``)."""
        return self._memory.evidence(origin)

    def add_checkpoint(
        self, old_size: int, proof: Sequence[bytes], note: bytes, entries: Iterable[bytes]
    ) -> bytes:
        """Check a checkpoint and its new leaves, and cosign it (tlog-witness, "add-checkpoint").

        1. The log is known and has signed the checkpoint.
        2. The checkpoint continues the one that the witness knows, by proof; nothing is read of the leaves
           before.
        3. Each new leaf is replayed; they hash to the checkpoint's root and end with true heads.
        4. A log that succeeds others says so, and has nothing that falls behind or speaks by a given-up key.
        5. The new state is kept, unless the witness moved on meanwhile; only then the cosignature is given.

        Returns:
            The cosignature's line.

        Raises:
            Conflict: the checkpoint is refused; ``size`` if the witness knows another size than ``old_size``.
            Malformed: it is no checkpoint.
        """
        offer = Offer.read(note, self._logs)
        checkpoint = offer.checkpoint
        if checkpoint.extensions:
            raise Conflict("extension-lines", "the checkpoint says more than anybody can check")
        known = self._memory.check(offer, old_size, proof)
        # A log's public checkpoint, sent again by anybody, must not cost a reading of all its heads.
        grows = checkpoint.size > old_size
        replay = self._memory.replay(checkpoint.origin) if grows else Replay(known.frontier)
        if replay.frontier.size != known.size:
            raise Conflict("size", "the witness knows another checkpoint by now")
        if grows:
            leaves = islice(entries, checkpoint.size - old_size)
            self._replay(replay, leaves, offer, known)
        cosignature = self._cosign(offer.note.text)
        self._memory.keep(known, Note(offer.note.text, (*offer.note.signatures, cosignature)), replay)
        return f"{cosignature.line}\n".encode()

    def add_succession(self, data: bytes, *, without_old_key: bool = False) -> bytes:
        """Let a log end and another one take its place (``vcid.ledger.succession``).

        The operator agrees by having configured the new log's key.

        Args:
            data: the statement, signed by the new log and the old.
            without_old_key: let the old log's signature be missing, because its key is lost. For the operator
                alone, who knows from elsewhere that it is; never for whoever asks from outside.

        Returns:
            The cosignature's line.

        Raises:
            Malformed: it is no statement.
            Conflict: one of the logs is not configured (``unknown-log``), a signature is missing or does not
                hold (``unsigned``), the old log is not known to end there (``size``, ``inconsistent``), it
                was succeeded by another (``succeeded``), the new one began before (``successor-known``), or
                too many logs came before (``too-many-predecessors``).
        """
        proposal = Proposal.parse(data)
        succession = proposal.succession
        old, new = succession.old, succession.new
        if old not in self._logs.get(old.name, ()) or new not in self._logs.get(new.name, ()):
            raise Conflict("unknown-log", "the witness was not told to cosign both logs")
        try:
            signed = proposal.is_signed(by_old=not without_old_key)
        except InvalidProof as error:
            raise Conflict("unsigned", "a signature does not hold") from error
        if not signed:
            raise Conflict("unsigned", "both logs have to sign the statement")
        self._memory.end(old.name, new.name, succession.encode(), succession.final)
        return f"{self._cosign(succession.checkpoint.text).line}\n".encode()

    def _cosign(self, text: str) -> NoteSignature:
        return cosign(text, self._key.name, self._signer, int(self._clock().timestamp()))

    def _replay(self, replay: Replay, leaves: Iterable[bytes], offer: Offer, known: Known) -> None:
        """Check the new leaves, and what a log owes to those whose place it took."""
        keys = {key.public_key for key in offer.log_keys}
        owed = None if known.predecessor is None else self._memory.inheritance(known.predecessor[0])
        successions = set()
        for leaf in leaves:
            _, content = replay.apply(leaf)
            if owed is None or not isinstance(content, Entry):
                continue
            owed.check_entry(content, replay)
            if content.kind is Kind.SUCCESSION and content.owner in keys:
                successions.add(content.digest)
        replay.check_checkpoint(offer.checkpoint.size, offer.checkpoint.root)
        if known.predecessor is None or owed is None:
            return
        if known.size == 0 and sha256(known.predecessor[1]).digest() not in successions:
            raise Conflict("succession-unstated", "the first checkpoint does not say whom the log succeeds")
        owed.check_end(replay)

"""The bridge: a final pin on a chain, turned into an ordinary cosignature under a key of the bridge's own.

Receipts stay one format, and a verifier needs no chain: it knows a witness more. But the chain checks only
that a log grew, never that its heads are true, and a policy counts every witness as a replaying one. A bridge
that signed for a pin alone would let whoever holds the log's key and a submitter's show false heads under a
full quorum. So there is no such bridge here: this one replays every leaf as any other witness does, from a
memory of its own, and demands the pin besides.

The time of its cosignature is that of the block that holds the pin: the chain, not the bridge, says when. It
is never later than the truth about how new the checkpoint is, and it is the same however often it is asked.
A chain's producers choose that time within narrow bounds; the reader refuses blocks of the future.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Self

from vcid.errors import Conflict, Unavailable
from vcid.ledger.anchor import Outcome
from vcid.ledger.evm import judge_pin
from vcid.ledger.notes import NoteKey
from vcid.ledger.witness import ReplayingWitness
from vcid.ledger.witness_memory import SCHEMA, Offer, group_keys
from vcid.storage import Database

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vcid.keys.signing import Signer
    from vcid.ledger.evm import PinReader

_REASONS = {
    Outcome.NOT_ANCHORED: "the checkpoint is not pinned: pin it, wait until it is final, and ask again",
    Outcome.SUPERSEDED: "a larger checkpoint is pinned: ask for that one",
}


class EvmBridge:
    """A replaying witness that cosigns only what is pinned and final.

    It can't cosign while a log publishes, since a checkpoint is pinned after it was signed: let
    ``Ledger.cosign`` ask it again when the pin is final. Until then it says `Unavailable`.
    """

    __slots__ = ("_database", "_key", "_logs", "_reader", "_signer")

    def __init__(
        self, database: Database, *, name: str, signer: Signer, logs: Iterable[NoteKey], reader: PinReader
    ) -> None:
        self._database = database
        self._signer = signer
        self._key = NoteKey.of_cosigner(name, signer.public_key)
        self._logs = tuple(logs)
        self._reader = reader
        if {log.name for log in self._logs} != {reader.deployment.origin}:
            raise ValueError("the contract is that of another log")
        if any(log.public_key == signer.public_key for log in self._logs):
            raise ValueError("a bridge's key is not the log's")

    @classmethod
    def open(cls, url: str, *, name: str, signer: Signer, logs: Iterable[NoteKey], reader: PinReader) -> Self:
        """Open a bridge's memory, creating it if there is none.

        Args:
            url: ``sqlite:///path``, or ``sqlite://`` for a bridge that forgets everything with its process.
            name: the bridge's name as a witness.
            signer: its Ed25519 or ML-DSA-44 key, used for nothing else.
            logs: the log's key, named as its origin; several while it changes its key.
            reader: reads the log's contract.
        """
        return cls(Database.open(url, SCHEMA), name=name, signer=signer, logs=logs, reader=reader)

    def close(self) -> None:
        """Close the connections of the bridge's memory."""
        self._database.close()

    @property
    def key(self) -> NoteKey:
        """The key that verifies its cosignatures."""
        return self._key

    def checkpoint(self, origin: str) -> bytes | None:
        """The newest checkpoint of the log that it cosigned."""
        return self._witness(0).checkpoint(origin)

    def add_checkpoint(
        self, old_size: int, proof: Sequence[bytes], note: bytes, entries: Iterable[bytes]
    ) -> bytes:
        """Look for a checkpoint's pin, check it and its new leaves, and cosign it at the time of the pin.

        1. The log has signed the checkpoint.
        2. It is pinned, that is final, and all nodes agree.
        3. It continues the checkpoint that the bridge knows, and each new leaf is replayed.

        Returns:
            The cosignature's line.

        Raises:
            Conflict: the checkpoint is refused (as by ``ReplayingWitness.add_checkpoint``), another one is
                pinned (``fork``), or the nodes contradict one another or are on another chain.
            Unavailable: the pin is not final yet (``pending``) or not to be seen; ask again.
            Malformed: it is no checkpoint, or a node's answer is none.
        """
        # No node is asked before the log's signature holds.
        offer = Offer.read(note, group_keys(self._key, self._logs))
        reading = self._reader.read()
        judgement = judge_pin(offer.checkpoint, reading)
        if judgement.outcome is Outcome.FORK:
            raise Conflict("fork", "another checkpoint of this size is pinned")
        if not judgement or reading.final is None:
            reason = _REASONS.get(judgement.outcome, "the pin may still be undone: ask again")
            raise Unavailable(reason, code=judgement.code)
        return self._witness(reading.final.time).add_checkpoint(old_size, proof, note, entries)

    def _witness(self, time: int) -> ReplayingWitness:
        """The witness that replays, with the chain's time for its clock."""
        return ReplayingWitness(
            self._database,
            name=self._key.name,
            signer=self._signer,
            logs=self._logs,
            clock=lambda: datetime.fromtimestamp(time, UTC),
        )

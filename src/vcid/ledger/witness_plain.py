"""A plain C2SP witness: it sees to it that logs only grow, whatever their leaves are, and reads none.

Its cosignature says less than a replaying witness's, so each has a key of its own (tlog-cosignature,
"Additional statements"). It keeps to C2SP tlog-witness whole, checkpoints of size 0 and extension lines,
about which it says nothing, included.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

from vcid.encoding.dates import utc_now
from vcid.ledger.notes import Note, NoteKey, cosign
from vcid.ledger.witness_memory import SCHEMA, Offer, WitnessMemory, group_keys
from vcid.storage import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from datetime import datetime

    from vcid.keys.signing import Signer


class PlainWitness:
    """A witness of growth alone, with a key and a memory of its own."""

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
        """Open a witness's memory, creating it if there is none; see ``ReplayingWitness.open``."""
        return cls(Database.open(url, SCHEMA), name=name, signer=signer, logs=logs, clock=clock)

    def close(self) -> None:
        """Close the connections of the witness's memory."""
        self._memory.close()

    @property
    def key(self) -> NoteKey:
        """The key that verifies its cosignatures."""
        return self._key

    @property
    def replays(self) -> bool:
        """Whether it reads the leaves: it does not, and vouches for no heads."""
        return False

    def checkpoint(self, origin: str) -> bytes | None:
        """The newest checkpoint of a log that it cosigned, signed by the log and by itself."""
        return self._memory.known(origin).note

    def evidence(self, origin: str) -> list[bytes]:
        """The evidence met that a log showed two versions of itself (``vcid.ledger.evidence``)."""
        return self._memory.evidence(origin)

    def add_checkpoint(
        self, old_size: int, proof: Sequence[bytes], note: bytes, entries: Iterable[bytes] = ()
    ) -> bytes:
        """Check a checkpoint and cosign it (tlog-witness, "add-checkpoint"); entries are not looked at.

        Returns:
            The cosignature's line.

        Raises:
            Conflict: the checkpoint is refused; ``size`` if the witness knows another size than ``old_size``.
            Malformed: it is no checkpoint.
        """
        del entries
        offer = Offer.read(note, self._logs)
        known = self._memory.check(offer, old_size, proof)
        time = int(self._clock().timestamp())
        cosignature = cosign(offer.note.text, self._key.name, self._signer, time)
        self._memory.keep(known, Note(offer.note.text, (*offer.note.signatures, cosignature)))
        return f"{cosignature.line}\n".encode()

"""A log's side of its witnesses: what they know of it, and their cosignatures for a new checkpoint."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NoReturn

from vcid.errors import Behind, Conflict, InvalidProof, Malformed, Unavailable
from vcid.ledger.evidence import find_split_in_leaves
from vcid.ledger.notes import Checkpoint, Note, NoteSignature, encode_base64
from vcid.ledger.tree import StoredTree
from vcid.ledger.witness_requests import OtherSize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from vcid.errors import VcidError
    from vcid.ledger.anchor import Witness
    from vcid.ledger.notes import NoteKey
    from vcid.ledger.store import LogStore, StoredCheckpoint

_CHUNK = 1000
_OFFERS = 2
_MEND = "this is an old copy of the log, put its newest copy back"
_logger = logging.getLogger(__name__)

# One witness that is down, or lies, must not stop a log that others cosign.
_FAULTS = (Unavailable, Malformed, InvalidProof, Conflict)


class Cosigners:
    """The witnesses of one log.

    Args:
        witnesses: each with a key of its own.
        keys: the log's, the one in force first.
        store: the log's.
    """

    __slots__ = ("_key", "_log_keys", "_store", "_witnesses")

    def __init__(self, witnesses: Iterable[Witness], keys: Sequence[NoteKey], store: LogStore) -> None:
        self._witnesses = tuple(witnesses)
        self._key, self._log_keys = keys[0], keys
        self._store = store
        public = {key.public_key for key in (*keys, *(witness.key for witness in self._witnesses))}
        if len(public) != len(self._witnesses) + len(keys):
            raise ValueError("each witness has a key of its own, which is not the log's")

    @property
    def keys(self) -> tuple[NoteKey, ...]:
        """The witnesses' verifier keys."""
        return tuple(witness.key for witness in self._witnesses)

    @property
    def replaying(self) -> tuple[NoteKey, ...]:
        """The verifier keys of those who read the leaves; a witness that has ``replays`` false does not."""
        return tuple(one.key for one in self._witnesses if getattr(one, "replays", True))

    def __len__(self) -> int:
        return len(self._witnesses)

    def compare(self) -> None:
        """Look at every witness that answers for a checkpoint of the log that the log does not contain.

        Raises:
            Behind: there is one.
            Conflict: no witness answers sensibly, and one holds a checkpoint that the log did not sign.
            Unavailable: there are witnesses and none answers: the log might be about to sign a fork.
        """
        faults = []
        for witness in self._witnesses:
            try:
                self._known_size(witness)
            except _FAULTS as error:
                faults.append(error)
                _logger.warning("witness %s gives no account of the log: %s", witness.key.name, error)
        if faults and len(faults) == len(self._witnesses):
            _raise("no witness answers, and without one the log could be signing a fork", faults)

    def collect(self, checkpoint: Checkpoint, note: Note) -> list[NoteSignature]:
        """Ask every witness to cosign; how many have to, the verifiers' policies say.

        Returns:
            The cosignatures that hold; none if every witness that answers knows a larger checkpoint already.

        Raises:
            Behind: a witness holds a checkpoint of the log that the log does not contain.
            Conflict: no witness cosigned, and one refused the checkpoint.
            Unavailable: there are witnesses and none answers.
        """
        cosignatures: list[NoteSignature] = []
        faults: list[VcidError] = []
        for witness in self._witnesses:
            try:
                cosignature = self._ask(witness, checkpoint, note)
            except _FAULTS as error:
                faults.append(error)
                _logger.warning("witness %s did not cosign: %s", witness.key.name, error)
                continue
            if cosignature is not None:
                cosignatures.append(cosignature)
        if faults and len(faults) == len(self._witnesses):
            _raise("no witness cosigned the checkpoint", faults)
        return cosignatures

    def _known_size(self, witness: Witness) -> int:
        data = witness.checkpoint(self._key.name)
        if data is None:
            return 0
        note = Note.parse(data)
        signed = note.verify(self._log_keys)
        if not signed:
            raise Conflict("other-log", f"{witness.key.name} holds a checkpoint that this log did not sign")
        by_former_alone = self._key not in {found.key for found in signed}
        known = Checkpoint.parse(note.text)
        with self._store.read() as reader:
            own = reader.checkpoint()
            # The log is read after the witness was asked, so a healthy one contains what the witness knows.
            if known.size > reader.size():
                # A thief of a former key, with one witness, must not stop the log for good. Before the key
                # in force signed a checkpoint that is here, it may be the log that is an old copy.
                if by_former_alone and own and Note.parse(own.note).verify((self._key,)):
                    raise Conflict(
                        "former-key",
                        f"{witness.key.name} holds {known.size} leaves by a key that the log gave up, the log"
                        f" has {reader.size()}",
                    )
                raise Behind(
                    f"{witness.key.name} knows {known.size} leaves, the log has {reader.size()}: {_MEND}"
                )
            is_contained = StoredTree(reader.completed_beside).root(known.size) == known.root
        if not is_contained:
            self._refuse(witness, data, own)
        return known.size

    def _refuse(self, witness: Witness, known: bytes, own: StoredCheckpoint | None) -> NoReturn:
        """Refuse to go on from what contradicts a witness, with evidence if the log published it."""
        evidence = None
        if own is not None:
            leaves = self._stream(0, own.size)
            evidence = find_split_in_leaves((known, own.note), self._log_keys, leaves)
        message = f"{witness.key.name} knows other leaves than the log has: {_MEND}"
        if evidence is not None:
            message += "; the log's key signed both, and whoever has it showed two versions of the log"
            _logger.error("evidence of a split view, in base64: %s", encode_base64(evidence))
        raise Behind(message, evidence=evidence)

    def _ask(self, witness: Witness, checkpoint: Checkpoint, note: Note) -> NoteSignature | None:
        """Have a checkpoint cosigned; a witness that says it stands elsewhere is asked once more from there.

        Public witnesses need not show what they cosigned (tlog-witness, "Monitor Retrieval"), but every one
        says at which size it is ("add-checkpoint").
        """
        known = self._known_size(witness)
        for _ in range(_OFFERS):
            if known > checkpoint.size:
                return None
            try:
                return self._offer(witness, known, checkpoint, note)
            except OtherSize as told:
                self._check_told(witness, told.size)
                known = told.size
            except Conflict as error:
                if error.code == "size":
                    return None
                raise
        return None

    def _check_told(self, witness: Witness, size: int) -> None:
        with self._store.read() as reader:
            held = reader.size()
        # Nobody signed this, so that no witness stops with it a log that others cosign.
        if size > held:
            raise Conflict(
                "size", f"{witness.key.name} says that it knows {size} leaves, the log has {held}: {_MEND}"
            )

    def _offer(self, witness: Witness, known: int, checkpoint: Checkpoint, note: Note) -> NoteSignature:
        with self._store.read() as reader:
            proof = StoredTree(reader.completed_beside).consistency(known, checkpoint.size)
        leaves = self._stream(known, checkpoint.size)
        line = witness.add_checkpoint(known, proof, note.encode(), leaves)
        if len(line) > 8192:
            raise Malformed("cosignature", "one signature line")
        cosignature = NoteSignature.parse(line.decode(errors="replace").removesuffix("\n"))
        if not Note(note.text, (cosignature,)).verify((witness.key,)):
            raise InvalidProof("bad-signature", "the cosignature is not by the witness's key")
        return cosignature

    def _stream(self, start: int, stop: int) -> Iterator[bytes]:
        """Read leaves piece by piece, each in a transaction of its own: leaves don't change."""
        for index in range(start, stop, _CHUNK):
            with self._store.read() as reader:
                leaves = reader.leaves(index, min(index + _CHUNK, stop))
            yield from leaves


def _raise(message: str, faults: Sequence[VcidError]) -> NoReturn:
    """Raise a witness's refusal if there is one, since it says more than that nobody answers."""
    for fault in faults:
        if isinstance(fault, Conflict):
            raise fault
    raise Unavailable(message) from faults[0]

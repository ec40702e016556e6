"""Receipts out of a stored log, each verified before it is handed out, and the audit of the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.errors import Conflict, InvalidProof, Malformed
from vcid.ledger.appending import stored_entry
from vcid.ledger.entries import Entry, decode_leaf, owner_topic
from vcid.ledger.heads import Head, HeadsMap
from vcid.ledger.notes import Checkpoint, Note
from vcid.ledger.receipts import HeadReceipt, InclusionReceipt, LogProof, needs_key
from vcid.ledger.replay import Replay
from vcid.ledger.topic_proofs import TopicProof
from vcid.ledger.tree import StoredTree

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcid.ledger.notes import NoteKey
    from vcid.ledger.receipts import Receipt
    from vcid.ledger.store import LogReader, StoredCheckpoint

_CHUNK = 1000


def published(reader: LogReader, size: int | None) -> StoredCheckpoint:
    """The published checkpoint of a size, or the newest.

    Raises:
        Conflict: there is none (``not-found``).
    """
    stored = reader.checkpoint(size)
    if stored is None:
        raise Conflict("not-found", "no checkpoint of that size was published")
    return stored


def heads_at(reader: LogReader, size: int) -> HeadsMap:
    """Rebuild the heads that the log had at a size: today's, with every later entry taken back."""
    heads = {row[0]: row for row in reader.heads()}
    for topic, seq in _first_entries(reader, size).items():
        heads.pop(topic, None)
        index = reader.index_of(topic, seq - 1) if seq else None
        if index is not None:
            heads[topic] = Head(topic, seq - 1, reader.completed(index)[:32])
    return HeadsMap(heads.values())


def _first_entries(reader: LogReader, size: int) -> dict[bytes, int]:
    """The first number that each topic was given after a size."""
    first: dict[bytes, int] = {}
    for start in range(size, reader.size(), _CHUNK):
        for leaf in map(decode_leaf, reader.leaves(start, start + _CHUNK)):
            if isinstance(leaf, Entry):
                first.setdefault(leaf.topic, leaf.seq)
    return first


def prove_head(reader: LogReader, topic: bytes, stored: StoredCheckpoint, heads: HeadsMap) -> Receipt:
    """Prove at a checkpoint which entry is a topic's newest, or that there is none."""
    found = _prove_topic(reader, topic, heads)
    key = None
    if found.entry is not None and needs_key(found.entry):
        key = _prove_topic(reader, owner_topic(found.entry.owner), heads)
    receipt = HeadReceipt(heads.leaf, found, key, _log_proof(reader, stored.size - 1, stored))
    try:
        receipt.verify_proofs(topic)
    except InvalidProof as error:
        raise Conflict("corrupt", "the stored heads or leaves are not what the log published") from error
    return receipt.encode()


def _prove_topic(reader: LogReader, topic: bytes, heads: HeadsMap) -> TopicProof:
    newest = heads.newest(topic)
    if newest is None:
        return TopicProof(None, heads.around(topic))
    return TopicProof(stored_entry(reader, topic, newest.head.seq), (newest,))


def prove_inclusion(reader: LogReader, entry: Entry, stored: StoredCheckpoint) -> Receipt:
    """Prove at a checkpoint that an entry is in the log.

    Raises:
        Conflict: it is not there (``not-found``).
    """
    index = reader.index_of(entry.topic, entry.seq)
    logged = stored_entry(reader, entry.topic, entry.seq)
    if index is None or logged is None or index >= stored.size or logged.digest != entry.digest:
        raise Conflict("not-found", "the entry is not in the log at that checkpoint")
    receipt = InclusionReceipt(logged, _log_proof(reader, index, stored, logged.encode()))
    try:
        receipt.verify_proofs()
    except InvalidProof as error:
        raise Conflict("corrupt", "the stored leaves are not what the log published") from error
    return receipt.encode()


def _log_proof(reader: LogReader, index: int, stored: StoredCheckpoint, extra: bytes = b"") -> LogProof:
    note = Note.parse(stored.note)
    path = StoredTree(reader.completed_beside).inclusion(index, stored.size)
    return LogProof(index, tuple(path), note, Checkpoint.parse(note.text), extra)


def audit(reader: LogReader, keys: Sequence[NoteKey]) -> None:
    """Replay a whole log and compare everything stored with what its leaves give.

    Raises:
        Conflict: something stored is another, or a leaf should not be there.
    """
    replay, size = Replay(), reader.size()
    for end in sorted({size, *reader.checkpoint_sizes(size)}):
        while replay.frontier.size < end:
            _replay_chunk(reader, replay, end)
        stored = reader.checkpoint(end)
        if stored is not None:
            replay.check_checkpoint(stored.size, stored.root)
            _check_note(stored, keys)
    if {row[0]: tuple(row) for row in reader.heads()} != {
        row[0]: tuple(row) for row in replay.heads.values()
    }:
        raise Conflict("corrupt", "the stored heads are not those of the leaves")


def _replay_chunk(reader: LogReader, replay: Replay, end: int) -> None:
    start = replay.frontier.size
    leaves = reader.leaves(start, min(start + _CHUNK, end))
    if len(leaves) != min(_CHUNK, end - start):
        raise Conflict("corrupt", f"leaves are missing after leaf {start}")
    for index, leaf in enumerate(leaves, start):
        completed, content = replay.apply(leaf)
        if completed != reader.completed(index):
            raise Conflict("corrupt", f"the hashes beside leaf {index} are not those of the leaves")
        if isinstance(content, Entry) and reader.index_of(content.topic, content.seq) != index:
            raise Conflict("corrupt", f"the entry of leaf {index} is not found under its topic and number")


def _check_note(stored: StoredCheckpoint, keys: Sequence[NoteKey]) -> None:
    expected = Checkpoint(keys[0].name, stored.size, stored.root).text
    try:
        note = Note.parse(stored.note)
        signed = note.text == expected and note.verify(keys)
    except (Malformed, InvalidProof):
        signed = False
    if not signed:
        raise Conflict("corrupt", f"the checkpoint of {stored.size} leaves is not one that the log signed")

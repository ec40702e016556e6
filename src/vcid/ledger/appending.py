"""What an append adds to a log: which entries are new, and the rows that they become."""

from __future__ import annotations

from functools import cache, partial
from hashlib import sha256
from typing import TYPE_CHECKING

from vcid.encoding.merkle import leaf_hash
from vcid.errors import Conflict
from vcid.ledger.entries import Entry, HeadsLeaf, frame
from vcid.ledger.heads import Head
from vcid.ledger.owners import KeysInForce
from vcid.ledger.store import LeafRow
from vcid.ledger.tree import StoredTree, grow

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vcid.encoding.merkle import Frontier
    from vcid.ledger.store import LogReader


def batch_digest(entries: Iterable[Entry]) -> bytes:
    """Hash what a batch says, without the signatures: not every signer signs one message twice alike."""
    return sha256(
        frame(*(part for entry in entries for part in (entry.topic, entry.seq.to_bytes(8), entry.digest)))
    ).digest()


def missing(reader: LogReader, entries: Sequence[Entry]) -> list[Entry]:
    """Leave out the entries that stand in the log already.

    Raises:
        Conflict: an entry does not continue its topic by one, its number stands for another digest, or it is
            not by its owner's key in force (``not-owner``).
    """
    keys = KeysInForce(cache(partial(newest_digest, reader)))
    heads = reader.heads_of({entry.topic for entry in entries})
    newest = {topic: head.seq for topic, head in heads.items()}
    added: dict[tuple[bytes, int], bytes] = {}
    fresh = []
    for entry in entries:
        last = newest.get(entry.topic, -1)
        if entry.seq == last + 1:
            keys.take(entry)
            newest[entry.topic] = entry.seq
            added[entry.topic, entry.seq] = entry.digest
            fresh.append(entry)
        elif entry.digest != (added.get((entry.topic, entry.seq)) or _digest(reader, entry)):
            raise Conflict("sequence", f"entry {entry.seq} does not follow entry {last}")
    return fresh


def rows(reader: LogReader, leaves: Sequence[Entry | HeadsLeaf]) -> tuple[list[LeafRow], Frontier]:
    """Turn leaves into rows at the log's end.

    Returns:
        The rows, and the right edge that the tree has with them.
    """
    size = reader.size()
    encoded = [leaf.encode() for leaf in leaves]
    frontier, completed = grow(StoredTree(reader.completed_beside).frontier(size), encoded)
    heads = [
        Head(leaf.topic, leaf.seq, hashes[:32]) if isinstance(leaf, Entry) else None
        for leaf, hashes in zip(leaves, completed, strict=True)
    ]
    places = range(size, frontier.size)
    return [LeafRow(*row) for row in zip(places, encoded, completed, heads, strict=True)], frontier


def stored_entry(reader: LogReader, topic: bytes, seq: int) -> Entry | None:
    """Read a topic's entry of a number from the log.

    Raises:
        Conflict: the leaf is not the one that the log wrote (``corrupt``).
    """
    index = reader.index_of(topic, seq)
    if index is None:
        return None
    leaves = reader.leaves(index, index + 1)
    if not leaves or leaf_hash(leaves[0]) != reader.completed(index)[:32]:
        raise Conflict("corrupt", f"leaf {index} is not what the log wrote")
    return Entry.decode(leaves[0])


def newest_digest(reader: LogReader, topic: bytes) -> bytes | None:
    """Read the digest in a topic's newest entry; nothing if it has none.

    Raises:
        Conflict: the leaf is not the one that the log wrote (``corrupt``).
    """
    head = reader.head(topic)
    entry = stored_entry(reader, topic, head.seq) if head else None
    return entry.digest if entry else None


def _digest(reader: LogReader, entry: Entry) -> bytes | None:
    found = stored_entry(reader, entry.topic, entry.seq)
    return found.digest if found else None

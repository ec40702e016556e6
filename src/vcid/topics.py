"""An issuer's own topics in the ledger: what it anchored there, and with which key it signs for them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from vcid.errors import Behind, Conflict
from vcid.ledger.batches import BatchReceipt
from vcid.ledger.entries import (
    Entry,
    Kind,
    decode_leaf,
    hash_list_id,
    hashed_topic,
    key_digest,
    owner_topic,
    topic,
)
from vcid.ledger.receipts import InclusionReceipt
from vcid.status.registry import PublishedHead

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vcid.keys.signing import PublicKey, Signer
    from vcid.ledger.log import Ledger
    from vcid.ledger.receipts import Receipt
    from vcid.status.registry import BatchPlace, PreparedBatch

_SCAN = 1000


class OwnTopics:
    """The topics of one issuer.

    Args:
        ledger: where the issuer anchors.
        signer: signs with the key in force.
        owner: the key that first owned the topics.
    """

    def __init__(self, ledger: Ledger, signer: Signer, owner: PublicKey) -> None:
        self._ledger = ledger
        self._signer = signer
        self._owner = owner
        self._batches = topic(owner, Kind.BATCH_ROOT, "")

    def refuse_given_up_key(self) -> None:
        """Check that the signer's key is the one in force.

        Raises:
            Conflict: the ledger has another one in force (``not-owner``).
        """
        change = self._ledger.latest(owner_topic(self._owner))
        key = self._signer.public_key
        if (key != self._owner) if change is None else (change.digest != key_digest(key)):
            raise Conflict(
                "not-owner", "the ledger has another key of this issuer in force: sign with that one"
            )

    def signed_by(self, signer: Signer) -> OwnTopics:
        """The same topics, for another key."""
        return OwnTopics(self._ledger, signer, self._owner)

    def keys(self) -> tuple[PublicKey, ...]:
        """The keys that were in force, the first owner first, and the signer's if it is the newest."""
        changes = owner_topic(self._owner)
        newest = self._ledger.latest(changes)
        if newest is None:
            return (self._owner,)
        found = [self._ledger.find(changes, seq) for seq in range(newest.seq + 1)]
        keys = [entry.signing_key for entry in found if entry is not None]
        if key_digest(self._signer.public_key) == newest.digest:
            keys.append(self._signer.public_key)
        return tuple(dict.fromkeys(keys))

    def change_key(self, next_key: PublicKey) -> Entry:
        """Write the entry that puts another key in force."""
        latest = self._ledger.latest(owner_topic(self._owner))
        seq = latest.seq + 1 if latest else 0
        return Entry.change_key(self._signer, next_key, seq=seq, owner=self._owner)

    def entry(self, kind: Kind, list_id: str, *, seq: int, digest: bytes) -> Entry:
        """Write the entry for a document's version of that number."""
        return Entry.sign(self._signer, kind=kind, list_id=list_id, seq=seq, digest=digest, owner=self._owner)

    def next_entry(self, kind: Kind, list_id: str, digest: bytes) -> Entry | None:
        """Write the entry for a document, unless it is the newest already, signed with the key in force."""
        latest = self._ledger.latest(topic(self._owner, kind, list_id))
        if latest is not None and (latest.digest, latest.signing_key) == (digest, self._signer.public_key):
            return None
        return self.entry(kind, list_id, seq=latest.seq + 1 if latest else 0, digest=digest)

    def batch_entry(self, batch: PreparedBatch) -> Entry:
        """Write the next entry of the issuer's batches."""
        latest = self._ledger.latest(self._batches)
        return self.entry(Kind.BATCH_ROOT, "", seq=latest.seq + 1 if latest else 0, digest=batch.digest)

    def find_batch(self, batch: PreparedBatch) -> Entry | None:
        """Find the entry of a batch, whoever of the issuer's processes anchored it, and with which key."""
        latest = self._ledger.latest(self._batches)
        for seq in range(batch.after + 1, latest.seq + 1 if latest else 0):
            entry = self._ledger.find(self._batches, seq)
            if entry is not None and entry.digest == batch.digest:
                return entry
        return None

    def require_batch(self, batch: PreparedBatch) -> int:
        """The number of the entry of a batch that was anchored.

        Raises:
            Conflict: it was not (``not-found``).
        """
        entry = self.find_batch(batch)
        if entry is None:
            raise Conflict("not-found", "the ledger lacks a batch that was anchored just now")
        return entry.seq

    def carry_over(self, list_ids: Iterable[str]) -> dict[str, Entry]:
        """Write entries for lists as they stand in the ledger, where a former key signed their newest ones.

        Args:
            list_ids: the lists' ids, or their hashes in hexadecimal where the ids are not known.
        """
        entries = {}
        for list_id in list_ids:
            list_hash = hash_list_id(list_id) if ":" in list_id else bytes.fromhex(list_id)
            latest = self._ledger.latest(hashed_topic(self._owner, Kind.STATUS_LIST, list_hash))
            if latest is not None and latest.signing_key != self._signer.public_key:
                entries[list_id] = latest.follow(self._signer, latest.digest)
        return entries

    def prove_batch(self, where: BatchPlace) -> Receipt:
        """Write the receipt for a document's place in a batch, at the first checkpoint that has it.

        Raises:
            Conflict: the ledger has no such batch (``not-found``), or is damaged (``corrupt``).
        """
        entry = self._ledger.find(self._batches, where.seq)
        if entry is None:
            raise Conflict("not-found", "the ledger has no batch of that number")
        inclusion = InclusionReceipt.parse(self._ledger.inclusion(entry, where.size).body)
        path = where.batch.path(where.place)
        return BatchReceipt(where.salt, where.place, len(where.batch.leaf_hashes), path, inclusion).encode()

    def heads(self, list_ids: Iterable[str]) -> dict[str, PublishedHead]:
        """The newest versions of these status lists, as far as they are anchored."""
        heads = {}
        for list_id in list_ids:
            latest = self._ledger.latest(topic(self._owner, Kind.STATUS_LIST, list_id))
            if latest is not None:
                heads[list_id] = PublishedHead(latest.seq, latest.digest)
        return heads

    def scan(self) -> dict[bytes, PublishedHead]:
        """Read the whole ledger for status lists, by the hash of their ids."""
        heads: dict[bytes, PublishedHead] = {}
        earlier: dict[bytes, set[bytes]] = {}
        start = 0
        while leaves := self._ledger.entries(start, start + _SCAN):
            start += len(leaves)
            for leaf in leaves:
                entry = decode_leaf(leaf)
                if isinstance(entry, Entry) and (entry.owner, entry.kind) == (self._owner, Kind.STATUS_LIST):
                    if before := heads.get(entry.list_hash):
                        earlier.setdefault(entry.list_hash, set()).add(before.digest)
                    heads[entry.list_hash] = PublishedHead(entry.seq, entry.digest)
        return {
            list_hash: replace(head, earlier=frozenset(earlier.get(list_hash, ())))
            for list_hash, head in heads.items()
        }


def name_heads(heads: Mapping[bytes, PublishedHead], list_ids: Iterable[str]) -> dict[str, PublishedHead]:
    """Put versions under their lists' ids; one of unknown id stands under its hash."""
    names = {hash_list_id(list_id): list_id for list_id in list_ids}
    return {names.get(list_hash, list_hash.hex()): head for list_hash, head in heads.items()}


def refuse_old_ledger(published: Mapping[str, int], heads: Mapping[str, PublishedHead]) -> None:
    """Compare the ledger with the versions that the registry knows to have been published in it.

    Args:
        published: the registry's versions, read before ``heads``: what is confirmed is anchored already.
        heads: the ledger's newest versions.

    Raises:
        Behind: the ledger lacks some.
    """
    lacking = [
        list_id for list_id, seq in published.items() if list_id not in heads or heads[list_id].seq < seq
    ]
    if lacking:
        raise Behind(
            "the ledger is older than the registry, as after a restored or lost ledger: it lacks publications"
            f" of {len(lacking)} status lists. Put the ledger's newest copy back; nothing was changed here"
        )

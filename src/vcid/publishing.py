"""One publication of an issuer: prepared, anchored, cosigned and confirmed.

Any part of it may be done again, by this process or by another that publishes at the same time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcid.dids.names import lasting_name
from vcid.ledger.entries import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.ledger.anchor import View
    from vcid.ledger.entries import Entry
    from vcid.ledger.log import Ledger
    from vcid.own_keys import Office
    from vcid.status.registry import PreparedBatch, Publication, Registry


@dataclass(frozen=True, slots=True)
class Publishing:
    """What a publication came to: the checkpoint, and the lists as published."""

    view: View
    lists: tuple[Publication, ...]


@dataclass(frozen=True, slots=True)
class Publisher:
    """Publishes for one issuer.

    Attributes:
        did: the issuer's DID.
        registry: its registry.
        ledger: where it anchors.
    """

    did: str
    registry: Registry
    ledger: Ledger

    def publish(self, office: Office, *changes: Entry, room: int = 0) -> Publishing:
        """Publish, with changes of key before all that is signed with the key in force after them.

        Raises:
            Behind: the registry or the ledger is a restored backup.
            Unavailable: a store or the witnesses can't be reached.
        """
        self.ledger.check_witnesses()
        resumed = True
        while resumed:
            prepared = self.registry.prepare_publication(
                office.desk.write_list, base_url=office.desk.status_url, room=room
            )
            batch = self.registry.prepare_batch()
            entries = self._entries(office, prepared.publications, batch)
            self.ledger.append([*changes, *entries, *self._lost(office)])
            view = self.ledger.publish()
            self.registry.confirm_publication(prepared.publications)
            # Another publisher may have anchored a later batch since: what counts is where this one stands.
            self.registry.confirm_batch(batch, seq=office.topics.require_batch(batch), size=view.size)
            resumed = prepared.resumed
        return Publishing(view, self.registry.published_lists())

    def _entries(
        self, office: Office, publications: tuple[Publication, ...], batch: PreparedBatch
    ) -> Iterator[Entry]:
        """The entries to anchor: every list, the DID document if it is not the newest, a batch once."""
        for it in publications:
            yield office.topics.entry(Kind.STATUS_LIST, it.list_id, seq=it.seq, digest=it.digest)
        document = office.topics.next_entry(Kind.DID_DOCUMENT, lasting_name(self.did), office.did_digest)
        if document is not None:
            yield document
        if office.topics.find_batch(batch) is None:
            yield office.topics.batch_entry(batch)

    def _lost(self, office: Office) -> list[Entry]:
        """The entries that carry lists lost in a recovery over to the key in force."""
        entries = office.topics.carry_over(self.registry.lost_lists())
        if entries:
            # Before they are anchored: a registry that knows more than the ledger is no backup.
            self.registry.advance_lost({list_id: entry.seq for list_id, entry in entries.items()})
        return [*entries.values()]

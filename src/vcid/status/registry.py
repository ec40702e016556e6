"""The issuer's private registry: what was issued, under which status index, and what was revoked.

One registry serves one issuer; any number of its processes and threads may share it. What a method has
returned is on the disk. The registry holds personal data (the caller's keys, the credentials): its file is
readable by its owner alone, and no message of this module repeats any of it.

Issuing takes two steps, so that a crash can neither lose an index nor give one out twice: `Registry.reserve`
before anything is signed, `Registry.complete` after. Publishing is described in `vcid.status.publication`,
restored backups in `vcid.status.recovery`.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

from vcid.encoding.dates import format_timestamp, parse_timestamp, utc_now
from vcid.errors import Conflict
from vcid.keys.signing import PublicKey
from vcid.status import batches, chains, issuances, proposals, publication, recovery, tables
from vcid.status.batches import BatchPlace, PreparedBatch
from vcid.status.issuances import Issuance, Request
from vcid.status.publication import Demand, ListSnapshot, Prepared
from vcid.status.recovery import Missed, PublishedHead, RecoveryReport
from vcid.status.tables import SCHEMA, Publication, read_publications
from vcid.storage import Database

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime
    from typing import Self

    from vcid.credentials.approvals import Approval, Proposal
    from vcid.credentials.model import Credential
    from vcid.storage import Transaction

__all__ = [
    "BatchPlace",
    "Issuance",
    "ListSnapshot",
    "Missed",
    "Prepared",
    "PreparedBatch",
    "Publication",
    "PublishedHead",
    "RecoveryReport",
    "Registry",
    "Request",
]

PURPOSES = ("revocation", "refresh")
"""What each credential gets a status for, by default: to be revoked, and to be known as replaced."""


class Registry:
    """What one issuer has issued, and the status lists that go with it."""

    def __init__(
        self,
        database: Database,
        *,
        purposes: Sequence[str] = PURPOSES,
        clock: Callable[[], datetime] = utc_now,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        if isinstance(purposes, str) or len(set(purposes)) != len(purposes):
            raise ValueError("purposes are a sequence of different strings")
        self._database = database
        self._purposes = tuple(purposes)
        self._clock = clock
        self._random = random

    @classmethod
    def open(
        cls,
        url: str,
        *,
        purposes: Sequence[str] = PURPOSES,
        clock: Callable[[], datetime] = utc_now,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> Self:
        """Open a registry, creating it as needed.

        Args:
            url: ``sqlite:///path``, ``sqlite://`` for one in memory, or ``postgresql://…``, whose text
                has no room for keys with the character zero.
            purposes: what each credential gets a status for.
            clock: the time, with a time zone.
            random: gives as many random bytes as asked for; they decide indices and ids.

        Raises:
            StoreTooNew: a newer version of vcid wrote it.
            Unavailable: the file can't be opened.
        """
        return cls(Database.open(url, SCHEMA), purposes=purposes, clock=clock, random=random)

    def close(self) -> None:
        """Close the registry's connections."""
        self._database.close()

    def bind(self, did: str, key: PublicKey) -> PublicKey:
        """Make this the registry of one issuer, at its first call; later ones only check.

        Two issuers on one registry would revoke each other's credentials, and find it behind without cause.

        Args:
            did: the issuer's DID.
            key: the key that the issuer signs with.

        Returns:
            The key that owns the issuer's topics in the ledger: that of the first call.

        Raises:
            Conflict: code ``other-registry``, it is another issuer's.
            Unavailable: the store can't be written.
        """
        with self._database.transaction() as transaction:
            return PublicKey.from_multikey(tables.bind(transaction, did, key.multikey))

    def note_keys(self, multikeys: Sequence[str]) -> None:
        """Note keys that sign beside those that the ledger names: the DID document lists them for good.

        Raises:
            Unavailable: the store can't be written.
        """
        if set(multikeys) - set(self.noted_keys()):
            with self._database.transaction() as transaction:
                tables.note_keys(transaction, multikeys)

    def noted_keys(self) -> tuple[str, ...]:
        """The keys that were noted, as Multikeys."""
        with self._database.read() as transaction:
            rows = transaction.execute("SELECT multikey FROM noted_key ORDER BY number")
            return tuple(multikey for (multikey,) in rows)

    def close_key(self, key: PublicKey, since: datetime) -> None:
        """Note since when a key is not to be trusted; of several moments, the earliest counts.

        Raises:
            ValueError: the moment has no time zone.
            Unavailable: the store can't be written.
        """
        with self._database.transaction() as transaction:
            tables.close_key(transaction, key.multikey, format_timestamp(since))

    def closed_keys(self) -> dict[str, datetime]:
        """The keys that are not to be trusted, as Multikeys, each with the moment since when."""
        with self._database.read() as transaction:
            rows = transaction.execute("SELECT multikey, since FROM closed_key").fetchall()
        return {multikey: parse_timestamp(since) for multikey, since in rows}

    def reserve(self, key: str, record_digest: bytes, *, succeeds: str | None = None) -> Issuance:
        """Give a key its credential id and status entries, before anything is signed.

        The same key and digest give the same answer again, with the credential once it is complete.

        Args:
            key: the caller's own name for the record, such as its primary key.
            record_digest: a digest of the record, by which a key that is used twice is noticed.
            succeeds: the key of the credential that the new one stands in for; it is superseded in the same
                step in which the new one is completed.

        Raises:
            Behind: the registry was found behind, and must give out nothing.
            Conflict: code ``key-reused``, the key stands for another record; ``no-room``, no published
                list has a place left; ``not-found``, ``revoked`` or ``superseded``, the credential to stand
                in for is none that can be.
            Unavailable: the store can't be written.
        """
        reserved = self.reserve_many([Request(key=key, record_digest=record_digest, succeeds=succeeds)])[0]
        if isinstance(reserved, Conflict):
            raise reserved
        return reserved

    def reserve_many(self, requests: Iterable[Request]) -> list[Issuance | Conflict]:
        """Reserve for many keys in one transaction, in the order of the requests.

        A key that is used for another record has its `Conflict` in its place, and takes nothing from the
        others. Raises as `reserve` does otherwise; nothing is reserved then.
        """
        requests = list(requests)
        now = self._timestamp()
        with self._database.transaction() as transaction:
            return [self._reserve(transaction, request, now) for request in requests]

    def complete(
        self, reserved: Issuance, credential: Credential, approvals: Iterable[Approval] = ()
    ) -> Issuance:
        """Keep the credential that was signed for a reservation, and give the one to hand out.

        Of two processes that complete the same reservation, the first wins: both get its credential.

        Args:
            reserved: the reservation.
            credential: what was signed for it.
            approvals: by whom it was approved, to be kept beside it.

        Raises:
            Behind: the registry was found behind since the reservation.
            Conflict: code ``not-found``, nothing was reserved; ``reservation-void``, a recovery came between;
                ``revoked``, what the credential stands in for was revoked meanwhile.
            Unavailable: the store can't be written.
        """
        now = self._timestamp()
        with self._database.transaction() as transaction:
            done = issuances.complete(transaction, reserved, credential, now)
            proposals.record(transaction, reserved, approvals)
            return done

    def complete_many(self, signed: Iterable[tuple[Issuance, Credential]]) -> list[Issuance]:
        """Complete many reservations in one transaction. Raises as `complete` does; nothing is kept then."""
        now = self._timestamp()
        with self._database.transaction() as transaction:
            return [
                issuances.complete(transaction, reserved, credential, now) for reserved, credential in signed
            ]

    def propose(self, reserved: Issuance, proposal: Proposal) -> Proposal:
        """Keep what is to be signed for a reservation until it is approved; give what was kept first.

        Raises:
            Behind: the registry was found behind since the reservation.
            Conflict: code ``not-found``, nothing was reserved.
            Unavailable: the store can't be written.
        """
        with self._database.transaction() as transaction:
            return proposals.keep(transaction, reserved, proposal)

    def find_proposal(self, key: str) -> tuple[Issuance, Proposal] | None:
        """A reservation that waits for approval, and what is to be signed for it."""
        with self._database.read() as transaction:
            return proposals.find(transaction, key)

    def approvals(self, key: str) -> tuple[Approval, ...]:
        """By whom the credential of a key was approved."""
        with self._database.read() as transaction:
            return proposals.approvals(transaction, key)

    def successor(self, key: str) -> str | None:
        """The key of the credential that stands in for another one, issued or about to be."""
        with self._database.read() as transaction:
            return issuances.find_successor(transaction, key)

    def release(self, reserved: Issuance) -> None:
        """Free the key of a reservation whose record turned out unfit; its places stay taken, by nobody.

        One that was completed meanwhile, or revoked, stays as it is.

        Raises:
            Unavailable: the store can't be written.
        """
        with self._database.transaction() as transaction:
            issuances.release(transaction, reserved)

    def find(self, *, key: str | None = None, credential_id: str | None = None) -> Issuance | None:
        """Look an issuance up by the caller's key or by the credential's id; ``None`` if there is none."""
        column, value = _one_of(key, credential_id)
        with self._database.read() as transaction:
            return issuances.find(transaction, column, value)

    def find_in_force(self, key: str) -> Issuance | None:
        """Look up what is in force in a key's place: its own issuance, unless another stands in for it."""
        with self._database.read() as transaction:
            found = issuances.find(transaction, "key", key)
            return None if found is None else chains.find_in_force(transaction, found)

    def revoke(
        self, *, key: str | None = None, credential_id: str | None = None, purpose: str = "revocation"
    ) -> bool:
        """Set a credential's status, for good; verifiers learn of it by the next publication.

        To revoke one that was superseded is to revoke the one in force in its place: it holds no longer
        itself, and whoever stands behind both is meant. From then on both read revoked.

        Returns:
            Whether this call set it; False where it was set before.

        Raises:
            Conflict: code ``not-found``, no such credential; ``no-such-purpose``, it has no such status.
            Unavailable: the store can't be written.
        """
        column, value = _one_of(key, credential_id)
        now = self._timestamp()
        with self._database.transaction() as transaction:
            issuance = issuances.find(transaction, column, value)
            if issuance is None:
                raise Conflict("not-found", "the registry knows no such credential")
            if purpose == "revocation":
                return chains.revoke(transaction, issuance, now)
            return issuances.set_status(transaction, issuance, purpose, now)

    def prepare_publication(
        self, build: Callable[[ListSnapshot], bytes], *, base_url: str, room: int = 0
    ) -> Prepared:
        """Store the next version of every list, or give again those that an earlier attempt left unconfirmed.

        Anchor them, put them where verifiers find them, then call `confirm_publication`.

        Args:
            build: writes and signs the list credential for a snapshot. It runs inside the transaction, so
                it must be quick and must not use this registry.
            base_url: the URL below which new lists are found.
            room: for how many credentials there must be places once this is confirmed.

        Raises:
            ValueError: the room is negative, or more than 10,000,000.
            Behind: the registry was found behind, and must publish nothing.
            Unavailable: the store can't be written.
        """
        demand = Demand(base_url=base_url, purposes=self._purposes, room=room)
        with self._database.transaction() as transaction:
            return publication.prepare(transaction, build, demand, self._random)

    def confirm_publication(self, publications: Iterable[Publication]) -> None:
        """Note that prepared versions are anchored and published; new lists can then be allocated from.

        Raises:
            Conflict: code ``not-pending``, a version was never prepared here.
            Unavailable: the store can't be written.
        """
        with self._database.transaction() as transaction:
            publication.confirm(transaction, publications)

    def prepare_batch(self) -> PreparedBatch:
        """Store the next batch of credentials to be anchored, or give again the one that waits.

        Raises:
            Behind: the registry is a restored backup.
            Unavailable: the store can't be written.
        """
        with self._database.transaction() as transaction:
            return batches.prepare(transaction, self._random)

    def confirm_batch(self, prepared: PreparedBatch, *, seq: int, size: int) -> None:
        """Note under which number a batch was anchored, and the first checkpoint that has it.

        Raises:
            Unavailable: the store can't be written.
        """
        with self._database.transaction() as transaction:
            batches.confirm(transaction, prepared, seq=seq, size=size)

    def batch_place(self, key: str) -> BatchPlace | None:
        """Where a credential stands in its batch; ``None`` before it was anchored, or without its salt."""
        with self._database.read() as transaction:
            return batches.find_place(transaction, key)

    def destroy_salt(self, key: str) -> bool:
        """Make a credential impossible to find in the ledger, for good; say whether it could be found.

        Receipts and backups keep the salt. Where a reader holds it in the log (``Unavailable``), call again.
        """
        with self._database.transaction() as transaction:
            destroyed = batches.destroy_salt(transaction, key)
        self._database.forget()
        return destroyed

    def published_lists(self) -> tuple[Publication, ...]:
        """Give the newest confirmed version of every list, the retired ones too."""
        with self._database.read() as transaction:
            return read_publications(transaction, pending=False)

    def list_ids(self) -> tuple[str, ...]:
        """Give the URL of every list, of those that are not published yet too."""
        with self._database.read() as transaction:
            rows = transaction.execute("SELECT list_id FROM status_list ORDER BY list_id")
            return tuple(list_id for (list_id,) in rows)

    def published_versions(self) -> dict[str, int]:
        """Give the sequence number of the newest confirmed version of every list that has one."""
        with self._database.read() as transaction:
            return dict(transaction.execute("SELECT list_id, seq FROM status_list WHERE seq >= 0").fetchall())

    def check_against(self, heads: Mapping[str, PublishedHead]) -> tuple[Missed, ...]:
        """Compare the registry with what the ledger says was published.

        If a list was published that the registry doesn't know, or in a later or another version than it
        knows, it is an old copy: until `recover` is called it gives out and publishes nothing.

        Args:
            heads: the ledger's newest version of each of the issuer's lists, by the list's URL; a list
                whose URL can't be told may stand under any other name.

        Returns:
            What the registry missed; empty if nothing.
        """
        with self._database.read() as transaction:
            missed = recovery.compare(transaction, heads)
        if missed:
            with self._database.transaction() as transaction:
                transaction.execute("UPDATE registry SET behind = 1")
        return missed

    def recover(
        self,
        heads: Mapping[str, PublishedHead],
        *,
        published: Mapping[str, bytes] | None = None,
        accept_loss: bool = False,
    ) -> RecoveryReport:
        """Make a restored backup safe: retire its lists, take over what was published, restore revocations.

        Call it after every restore, whether or not `check_against` found anything: indices given out since
        the last publication leave no trace in the ledger. Stop every other user of the registry first.

        Args:
            heads: as for `check_against`.
            published: the contents of those versions, or of earlier ones, by the list's URL. Their set bits
                are set again.
            accept_loss: go on without contents that are needed, and so take back revocations, or leave
                credentials that can't be revoked.

        Raises:
            Conflict: code ``contents-missing``, a list was published in a version whose content is not at
                hand; ``not-published``, a content is none that the ledger names.
            Malformed: a content is no status list.
            Unavailable: the store can't be written.
        """
        now = self._timestamp()
        with self._database.transaction() as transaction:
            return recovery.recover(transaction, heads, published or {}, now=now, accept_loss=accept_loss)

    def lost_lists(self) -> tuple[str, ...]:
        """Name the lists lost in a recovery: by id, or by its hash in hexadecimal where that is unknown."""
        with self._database.read() as transaction:
            return recovery.lost_lists(transaction)

    def advance_lost(self, versions: Mapping[str, int]) -> None:
        """Note under which numbers lost lists are about to be anchored anew, as they stand."""
        with self._database.transaction() as transaction:
            recovery.advance_lost(transaction, versions)

    def _reserve(self, transaction: Transaction, request: Request, now: str) -> Issuance | Conflict:
        try:
            return issuances.reserve(transaction, request, self._purposes, self._random, now)
        except Conflict as conflict:
            if conflict.code == "key-reused":
                return conflict
            raise

    def _timestamp(self) -> str:
        return format_timestamp(self._clock())


def _one_of(key: str | None, credential_id: str | None) -> tuple[str, str]:
    if key is not None and credential_id is None:
        return "key", key
    if credential_id is not None and key is None:
        return "credential_id", credential_id
    raise TypeError("give either key or credential_id")

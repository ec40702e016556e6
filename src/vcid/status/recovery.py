"""Noticing that a registry is an old copy of itself, and going on without giving an index out twice.

A backup that is restored knows neither the indices given out after it was taken nor the lists published. The
ledger does know what was published: `compare` holds it against the registry. Indices given out *between* two
publications leave no trace there, so a registry must be recovered after every restore, noticed or not.

`recover` never gives out another index from the lists it finds, and gives up places that were reserved
and not completed, since the lost copy may have completed them. Bits that were published as set stay set.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from vcid.encoding.json import parse_object
from vcid.errors import Conflict
from vcid.status.bitstring import StatusListCredential
from vcid.status.chains import unset_replaced
from vcid.status.issuances import void_reservations
from vcid.status.tables import promote

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.storage import Transaction


@dataclass(frozen=True, slots=True)
class PublishedHead:
    """The newest version of a list that the ledger knows.

    Attributes:
        seq: its sequence number.
        digest: the SHA-256 of its content.
        earlier: those of the versions before it, whose contents serve where the newest is not at hand.
    """

    seq: int
    digest: bytes
    earlier: frozenset[bytes] = field(default=frozenset(), repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Missed:
    """A list of which a later or another version was published than the registry knows.

    Attributes:
        list_id: the list.
        known_seq: the newest version that the registry knows, prepared or published; ``None`` for none.
        published_seq: the ledger's newest version.
    """

    list_id: str
    known_seq: int | None
    published_seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RecoveryReport:
    """What a recovery found and did.

    Attributes:
        retired: the lists that are no longer allocated from; they stay published and revocable.
        missed: the lists whose later publications the registry had lost.
        adopted: lists that the registry did not know, published on from the contents handed in.
        lost: lists that it did not know and can't publish on: what was issued in them can't be revoked.
        unmerged: lists some of whose lost revocations could not be merged: no content was at hand, or only
            one older than the newest.
        bits_merged: statuses that were published as set and are set again.
        voided: reservations given up; their keys get another place when they are used again.
    """

    retired: tuple[str, ...]
    missed: tuple[Missed, ...]
    adopted: tuple[str, ...]
    lost: tuple[str, ...]
    unmerged: tuple[str, ...]
    bits_merged: int
    voided: int


def compare(transaction: Transaction, heads: Mapping[str, PublishedHead]) -> tuple[Missed, ...]:
    """Name the lists of which the registry doesn't know the published version."""
    missed = []
    for list_id, head in sorted(heads.items()):
        versions = _known_versions(transaction, list_id)
        if _is_missed(versions, head):
            known = max(versions, default=None)
            missed.append(Missed(list_id=list_id, known_seq=known, published_seq=head.seq))
    return tuple(missed)


def recover(
    transaction: Transaction,
    heads: Mapping[str, PublishedHead],
    published: Mapping[str, bytes],
    *,
    now: str,
    accept_loss: bool,
) -> RecoveryReport:
    """Make an old copy of a registry safe to use.

    Raises:
        Conflict: ``not-published``, a content is not what the ledger says was published;
            ``contents-missing``, revocations would be taken back, or credentials be left that can't be
            revoked, and the loss was not accepted.
        Malformed: a content is no status list.
    """
    # 1. Only contents that the ledger vouches for may set bits, and none that are needed are missing.
    contents = {list_id: _read(heads, list_id, content) for list_id, content in sorted(published.items())}
    newest = {
        list_id: content for list_id, content in published.items() if _is_newest(heads[list_id], content)
    }
    missed = compare(transaction, heads)
    own = {list_id for (list_id,) in transaction.execute("SELECT list_id FROM status_list")}
    adopted = sorted(contents.keys() - own)
    needed = {m.list_id for m in missed}.union(adopted) - newest.keys()
    unmerged, lost = sorted(needed & (own | contents.keys())), sorted(needed - own - contents.keys())
    if needed and not accept_loss:
        raise Conflict(
            "contents-missing",
            f"recovery needs what was last published of {', '.join(sorted(needed))}: without it revocations"
            " come undone, or can't be made",
        )
    # 2. Nothing more is given out from any list, nor from a reservation.
    retired = _retire_all(transaction)
    voided = void_reservations(transaction)
    # 3. Lists go on from where they were published, with every bit that was set there.
    for list_id in sorted(own & heads.keys()):
        _advance(transaction, list_id, heads[list_id], newest.get(list_id))
    for list_id in adopted:
        _adopt(transaction, list_id, contents[list_id])
        _set_published(transaction, _number(transaction, list_id), heads[list_id], newest.get(list_id))
    for list_id in lost:
        _remember_lost(transaction, list_id, heads[list_id])
    merged = sum(_merge(transaction, list_id, heads[list_id], found) for list_id, found in contents.items())
    unset_replaced(transaction)
    # 4. The registry is current again, and remembers what was done.
    report = RecoveryReport(
        retired=retired,
        missed=missed,
        adopted=tuple(adopted),
        lost=tuple(lost),
        unmerged=tuple(unmerged),
        bits_merged=merged,
        voided=voided,
    )
    transaction.execute("UPDATE registry SET behind = 0")
    transaction.execute(
        "INSERT INTO recovery (recovered_at, report) VALUES (?, ?)", (now, json.dumps(asdict(report)))
    )
    return report


def _known_versions(transaction: Transaction, list_id: str) -> dict[int, bytes]:
    """Give the digest of each version that the registry remembers, by sequence number."""
    rows = transaction.execute(
        "SELECT seq, digest FROM status_list WHERE list_id = ? AND seq >= 0"
        " UNION ALL SELECT p.seq, p.digest FROM publication p JOIN status_list ON number = list"
        "   WHERE list_id = ? AND is_pending = 1"
        " UNION ALL SELECT seq, digest FROM lost_list WHERE list_id = ?",
        (list_id,) * 3,
    )
    return dict(rows.fetchall())


def _is_missed(versions: Mapping[int, bytes], head: PublishedHead) -> bool:
    return head.seq > max(versions, default=-1) or versions.get(head.seq, head.digest) != head.digest


def _number(transaction: Transaction, list_id: str) -> int:
    """Give the internal number of a list that the registry knows."""
    row = transaction.execute("SELECT number FROM status_list WHERE list_id = ?", (list_id,)).fetchone()
    return int(row[0])


def _is_newest(head: PublishedHead, content: bytes) -> bool:
    return hashlib.sha256(content).digest() == head.digest


def _read(heads: Mapping[str, PublishedHead], list_id: str, content: bytes) -> StatusListCredential:
    head = heads.get(list_id)
    if head is None or hashlib.sha256(content).digest() not in {head.digest, *head.earlier}:
        raise Conflict("not-published", f"a content that the ledger names for {list_id}")
    status_list = StatusListCredential.parse(parse_object(content))
    if status_list.list_id not in (None, list_id) or len(status_list.purposes) != 1:
        raise Conflict("not-published", f"a status list of one purpose, published as {list_id}")
    return status_list


def _advance(transaction: Transaction, list_id: str, head: PublishedHead, content: bytes | None) -> None:
    """Bring one of the registry's own lists to the version that the ledger knows, if that is another."""
    number = _number(transaction, list_id)
    pending = transaction.execute(
        "SELECT seq, digest FROM publication WHERE list = ? AND is_pending = 1", (number,)
    ).fetchone()
    if pending == (head.seq, head.digest):
        promote(transaction, number)
    elif _is_missed(_known_versions(transaction, list_id), head):
        _set_published(transaction, number, head, content)


def _retire_all(transaction: Transaction) -> tuple[str, ...]:
    rows = transaction.execute("SELECT list_id FROM status_list WHERE state <> 'retired' ORDER BY list_id")
    retired = tuple(list_id for (list_id,) in rows)
    transaction.execute("UPDATE status_list SET state = 'retired'")
    return retired


def _adopt(transaction: Transaction, list_id: str, found: StatusListCredential) -> None:
    """Take on, as a retired list, one that the registry did not know."""
    transaction.execute("DELETE FROM lost_list WHERE list_id = ?", (list_id,))
    transaction.execute(
        "INSERT INTO status_list (list_id, purpose, length, state) VALUES (?, ?, ?, 'retired')",
        (list_id, found.purposes[0], len(found.bits)),
    )


def _remember_lost(transaction: Transaction, list_id: str, head: PublishedHead) -> None:
    """Note a list that can't be published on, so that its versions up to now raise no alarm again."""
    transaction.execute(
        "INSERT INTO lost_list (list_id, seq, digest) VALUES (?, ?, ?)"
        " ON CONFLICT (list_id) DO UPDATE SET seq = excluded.seq, digest = excluded.digest",
        (list_id, head.seq, head.digest),
    )


def lost_lists(transaction: Transaction) -> tuple[str, ...]:
    """Name the lists that can't be published on: by their ids, or by their hashes where those are unknown."""
    return tuple(row[0] for row in transaction.execute("SELECT list_id FROM lost_list ORDER BY list_id"))


def advance_lost(transaction: Transaction, versions: Mapping[str, int]) -> None:
    """Note that lost lists are about to be anchored under another number, as they stand."""
    transaction.executemany(
        "UPDATE lost_list SET seq = ? WHERE list_id = ?", [(seq, name) for name, seq in versions.items()]
    )


def _set_published(transaction: Transaction, number: int, head: PublishedHead, content: bytes | None) -> None:
    """Take the ledger's word for the newest version; what the registry had of the list is out of date."""
    transaction.execute("DELETE FROM publication WHERE list = ?", (number,))
    transaction.execute(
        "UPDATE status_list SET seq = ?, digest = ? WHERE number = ?", (head.seq, head.digest, number)
    )
    if content is not None:
        transaction.execute(
            "INSERT INTO publication (list, is_pending, seq, digest, content) VALUES (?, 0, ?, ?, ?)",
            (number, head.seq, head.digest, content),
        )


def _merge(transaction: Transaction, list_id: str, head: PublishedHead, found: StatusListCredential) -> int:
    """Set every bit that was published as set; count those that the registry had unset or didn't know."""
    number = _number(transaction, list_id)
    return sum(
        transaction.execute(
            "INSERT INTO slot (list, position, is_set, first_seq) VALUES (?, ?, 1, ?)"
            " ON CONFLICT (list, position) DO UPDATE SET is_set = 1, first_seq = excluded.first_seq"
            " WHERE slot.is_set = 0",
            (number, position, head.seq),
        ).rowcount
        for position in found.bits.set_indices()
    )

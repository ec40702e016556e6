"""What was issued: a row for each key of the caller, reserved before anything is signed, completed after."""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vcid.credentials.model import Credential
from vcid.errors import Conflict, Unavailable
from vcid.status.allocation import allocate
from vcid.status.bitstring import StatusEntry
from vcid.status.tables import refuse_if_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from typing import Any

    from vcid.storage import Transaction

_COLUMNS = "SELECT number, key, credential_id, record_digest, media_type, content FROM issuance"

SUPERSEDED: Final = ("revocation", "refresh")
"""The purposes that are set, as far as a credential has them, when another stands in for it: strangers'
software sees it revoked, and ours, by the second, that it was replaced."""

MAX_KEY: Final = 1024
"""How many characters a caller's key has at most."""


def check_key(key: str) -> None:
    """Check that a caller's key is one, without repeating it.

    Raises:
        TypeError: it is no text.
        ValueError: it is empty, too long, or no Unicode text.
    """
    if not isinstance(key, str):
        raise TypeError("a key is a string")
    if not 0 < len(key) <= MAX_KEY or any("\ud800" <= sign <= "\udfff" for sign in key):
        raise ValueError(f"a key has 1 to {MAX_KEY} characters that UTF-8 can write")


@dataclass(frozen=True, slots=True, kw_only=True)
class Issuance:
    """What the registry knows of one credential.

    Attributes:
        key: the caller's key, which goes nowhere else.
        credential_id: the random id that the credential carries.
        entries: its places in status lists, one a purpose.
        credential: the credential once it was signed, ``None`` while it is only reserved.
        set_purposes: the purposes whose status is set.
    """

    key: str = field(repr=False)
    credential_id: str
    entries: tuple[StatusEntry, ...]
    credential: Credential | None = field(repr=False)
    set_purposes: frozenset[str]

    @property
    def is_revoked(self) -> bool:
        """Whether strangers' software is to see it revoked, as it is also where another stands in for it."""
        return "revocation" in self.set_purposes


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What is to be reserved.

    Attributes:
        key: the caller's key.
        record_digest: a digest of the record, by which a key that is used twice is noticed.
        succeeds: the key of the credential that the new one is to stand in for, if any.
    """

    key: str = field(repr=False)
    record_digest: bytes
    succeeds: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        check_key(self.key)


def reserve(
    transaction: Transaction,
    request: Request,
    purposes: Sequence[str],
    random: Callable[[int], bytes],
    now: str,
) -> Issuance:
    """Give a key its credential id and places, or find those that it has.

    Raises:
        Behind: the registry must give out nothing.
        Conflict: code ``key-reused``, the key stands for another record; ``no-room``; or the credential to be
            succeeded is none that can be: ``not-found``, ``revoked`` or ``superseded``.
    """
    key, record_digest = request.key, request.record_digest
    row = transaction.execute(f"{_COLUMNS} WHERE key = ?", (key,)).fetchone()
    if row is not None:
        if row[3] != record_digest:
            raise Conflict("key-reused", "this key was used for another record; a key names one record")
        if row[5] is None:
            refuse_if_behind(transaction)
        return _issuance(transaction, row)
    refuse_if_behind(transaction)
    former = None if request.succeeds is None else _find_former(transaction, request.succeeds)
    credential_id = uuid.UUID(bytes=random(16), version=4).urn
    inserted = transaction.execute(
        "INSERT INTO issuance (key, record_digest, credential_id, reserved_at, succeeds)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT (credential_id) DO NOTHING RETURNING number",
        (key, record_digest, credential_id, now, former),
    ).fetchone()
    if inserted is None:
        raise Unavailable("the source of randomness repeats itself")
    number = int(inserted[0])
    return Issuance(
        key=key,
        credential_id=credential_id,
        entries=tuple(allocate(transaction, purpose, number, random) for purpose in purposes),
        credential=None,
        set_purposes=frozenset(),
    )


def _find_former(transaction: Transaction, key: str) -> int:
    """Find the credential that another is to stand in for."""
    former = find(transaction, "key", key)
    if former is None or former.credential is None:
        raise Conflict("not-found", "the registry knows no such credential to stand in for")
    number: int
    number, successors = transaction.execute(
        "SELECT number, (SELECT COUNT(*) FROM issuance s WHERE s.succeeds = i.number) FROM issuance i"
        " WHERE key = ?",
        (key,),
    ).fetchone()
    if successors:
        raise Conflict("superseded", "another credential stands in for this one already, or is about to")
    if former.is_revoked:
        raise Conflict("revoked", "a revoked credential is not issued again")
    return number


def _supersede_former(transaction: Transaction, credential_id: str, now: str) -> None:
    """Revoke the credential that this one stands in for, and mark it as superseded where it can be."""
    row = transaction.execute(
        "SELECT f.key FROM issuance f JOIN issuance s ON s.succeeds = f.number WHERE s.credential_id = ?",
        (credential_id,),
    ).fetchone()
    former = None if row is None else find(transaction, "key", row[0])
    if former is None:
        return
    if former.is_revoked:
        raise Conflict("revoked", "the credential to stand in for was revoked meanwhile")
    for entry in former.entries:
        if entry.purpose in SUPERSEDED:
            set_status(transaction, former, entry.purpose, now)


def complete(transaction: Transaction, reserved: Issuance, credential: Credential, now: str) -> Issuance:
    """Keep a signed credential unless one is kept already; give the one that is.

    The credential that it stands in for, if any, is superseded in the same step.

    Raises:
        Behind: the registry was found behind between the two steps.
        Conflict: code ``not-found``; ``reservation-void`` where a recovery gave the key another place;
            ``revoked`` where the one that it stands in for was revoked meanwhile.
    """
    found = find(transaction, "key", reserved.key)
    if found is None:
        raise Conflict("not-found", "nothing was reserved for this key")
    if found.credential_id != reserved.credential_id:
        raise Conflict("reservation-void", "a recovery voided this reservation: reserve again")
    if found.credential is not None:
        return found
    refuse_if_behind(transaction)
    _supersede_former(transaction, found.credential_id, now)
    transaction.execute(
        "UPDATE issuance SET media_type = ?, content = ?, completed_at = ? WHERE key = ?",
        (credential.media_type, credential.content, now, reserved.key),
    )
    return Issuance(
        key=found.key,
        credential_id=found.credential_id,
        entries=found.entries,
        credential=credential,
        set_purposes=found.set_purposes,
    )


def find(transaction: Transaction, column: str, value: str) -> Issuance | None:
    """Look an issuance up by its ``key`` or ``credential_id``."""
    row = transaction.execute(f"{_COLUMNS} WHERE {column} = ?", (value,)).fetchone()
    return None if row is None else _issuance(transaction, row)


def find_successor(transaction: Transaction, key: str) -> str | None:
    """Give the key of the credential that stands in for another one, issued or about to be."""
    row = transaction.execute(
        "SELECT s.key FROM issuance s JOIN issuance f ON s.succeeds = f.number WHERE f.key = ?", (key,)
    ).fetchone()
    return None if row is None else str(row[0])


def set_status(transaction: Transaction, issuance: Issuance, purpose: str, now: str) -> bool:
    """Set an issuance's status for good; say whether it was unset before.

    Raises:
        Conflict: code ``no-such-purpose``, the credential has no place in a list of that purpose.
    """
    entry = next((entry for entry in issuance.entries if entry.purpose == purpose), None)
    if entry is None:
        raise Conflict("no-such-purpose", f"the credential has no status for {purpose}")
    changed = transaction.execute(
        "UPDATE slot SET is_set = 1, set_at = ? WHERE is_set = 0 AND position = ?"
        " AND list = (SELECT number FROM status_list WHERE list_id = ?)",
        (now, entry.index, entry.list_id),
    )
    return changed.rowcount == 1


def release(transaction: Transaction, reserved: Issuance) -> None:
    """Forget one key that was reserved and not completed; its places stay taken, by nobody.

    A key that was revoked is kept, with nothing to be signed for it: who revoked it was told that this is for
    good.
    """
    row = transaction.execute(
        "SELECT number FROM issuance WHERE key = ? AND credential_id = ? AND content IS NULL",
        (reserved.key, reserved.credential_id),
    ).fetchone()
    if row is None:
        return
    transaction.execute("DELETE FROM proposal WHERE issuance = ?", row)
    if not transaction.execute("SELECT 1 FROM slot WHERE issuance = ? AND is_set = 1", row).fetchone():
        transaction.execute("UPDATE slot SET issuance = NULL WHERE issuance = ?", row)
        transaction.execute("DELETE FROM issuance WHERE number = ?", row)


def void_reservations(transaction: Transaction) -> int:
    """Forget the keys that were reserved and never completed; their places stay taken, by nobody."""
    transaction.execute(
        "UPDATE slot SET issuance = NULL"
        " WHERE issuance IN (SELECT number FROM issuance WHERE content IS NULL)"
    )
    transaction.execute("DELETE FROM proposal")
    return transaction.execute("DELETE FROM issuance WHERE content IS NULL").rowcount


def _issuance(transaction: Transaction, row: tuple[Any, ...]) -> Issuance:
    number, key, credential_id, _, media_type, content = row
    slots = transaction.execute(
        "SELECT purpose, list_id, position, is_set FROM slot JOIN status_list ON number = list"
        " WHERE issuance = ? ORDER BY purpose",
        (number,),
    ).fetchall()
    return Issuance(
        key=key,
        credential_id=credential_id,
        entries=tuple(StatusEntry(purpose=s[0], list_id=s[1], index=s[2]) for s in slots),
        credential=None if content is None else Credential(media_type, content),
        set_purposes=frozenset(s[0] for s in slots if s[3]),
    )

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
        """Whether the credential was revoked, published already or not."""
        return "revocation" in self.set_purposes


def reserve(
    transaction: Transaction,
    request: tuple[str, bytes],
    purposes: Sequence[str],
    random: Callable[[int], bytes],
    now: str,
) -> Issuance:
    """Give a key its credential id and places, or find those that it has.

    Raises:
        Behind: the registry must give out nothing.
        Conflict: code ``key-reused``, the key stands for another record; ``no-room``.
    """
    key, record_digest = request
    row = transaction.execute(f"{_COLUMNS} WHERE key = ?", (key,)).fetchone()
    if row is not None:
        if row[3] != record_digest:
            raise Conflict("key-reused", "this key was used for another record; a key names one record")
        if row[5] is None:
            refuse_if_behind(transaction)
        return _issuance(transaction, row)
    refuse_if_behind(transaction)
    credential_id = uuid.UUID(bytes=random(16), version=4).urn
    inserted = transaction.execute(
        "INSERT INTO issuance (key, record_digest, credential_id, reserved_at) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (credential_id) DO NOTHING",
        (key, record_digest, credential_id, now),
    )
    if not inserted.rowcount or inserted.lastrowid is None:
        raise Unavailable("the source of randomness repeats itself")
    number = inserted.lastrowid
    return Issuance(
        key=key,
        credential_id=credential_id,
        entries=tuple(allocate(transaction, purpose, number, random) for purpose in purposes),
        credential=None,
        set_purposes=frozenset(),
    )


def complete(transaction: Transaction, reserved: Issuance, credential: Credential, now: str) -> Issuance:
    """Keep a signed credential unless one is kept already; give the one that is.

    Raises:
        Behind: the registry was found behind between the two steps.
        Conflict: code ``not-found``, or ``reservation-void`` where a recovery gave the key another place.
    """
    found = find(transaction, "key", reserved.key)
    if found is None:
        raise Conflict("not-found", "nothing was reserved for this key")
    if found.credential_id != reserved.credential_id:
        raise Conflict("reservation-void", "a recovery voided this reservation: reserve again")
    if found.credential is not None:
        return found
    refuse_if_behind(transaction)
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

    A key that was revoked is kept: who revoked it was told that this is for good.
    """
    row = transaction.execute(
        "SELECT number FROM issuance WHERE key = ? AND credential_id = ? AND content IS NULL"
        " AND NOT EXISTS (SELECT 1 FROM slot WHERE issuance = number AND is_set = 1)",
        (reserved.key, reserved.credential_id),
    ).fetchone()
    if row is not None:
        transaction.execute("UPDATE slot SET issuance = NULL WHERE issuance = ?", row)
        transaction.execute("DELETE FROM issuance WHERE number = ?", row)


def void_reservations(transaction: Transaction) -> int:
    """Forget the keys that were reserved and never completed; their places stay taken, by nobody."""
    transaction.execute(
        "UPDATE slot SET issuance = NULL"
        " WHERE issuance IN (SELECT number FROM issuance WHERE content IS NULL)"
    )
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

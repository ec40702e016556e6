"""Credentials that wait to be approved, and by whom they were, as the registry keeps them."""

from __future__ import annotations

import json
from dataclasses import astuple
from typing import TYPE_CHECKING

from vcid.credentials.approvals import Approval, Proposal, Replacement
from vcid.encoding.dates import format_timestamp, parse_timestamp
from vcid.errors import Conflict
from vcid.keys.signing import PublicKey
from vcid.status import issuances
from vcid.status.tables import refuse_if_behind

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.status.issuances import Issuance
    from vcid.storage import Transaction


def keep(transaction: Transaction, reserved: Issuance, proposal: Proposal) -> Proposal:
    """Keep what is to be signed for a reservation, unless something is kept already; give what is.

    Raises:
        Behind: the registry must give out nothing.
        Conflict: code ``not-found``, nothing was reserved.
    """
    refuse_if_behind(transaction)
    found = find(transaction, reserved.key)
    if found is not None:
        return found[1]
    transaction.execute(
        "INSERT INTO proposal (issuance, content, replacement) VALUES (?, ?, ?)",
        (_number(transaction, reserved), proposal.content, _write(proposal.replacement)),
    )
    return proposal


def find(transaction: Transaction, key: str) -> tuple[Issuance, Proposal] | None:
    """Find a reservation that waits for approval, and what is to be signed for it."""
    row = transaction.execute(
        "SELECT p.content, replacement FROM proposal p JOIN issuance ON number = issuance WHERE key = ?",
        (key,),
    ).fetchone()
    reserved = issuances.find(transaction, "key", key)
    if row is None or reserved is None:
        return None
    return reserved, Proposal(key, bytes(row[0]), _read(row[1]))


def record(transaction: Transaction, reserved: Issuance, given: Iterable[Approval]) -> None:
    """Keep approvals beside what they approve, one of each registrar, and let it wait no longer.

    Raises:
        Conflict: code ``not-found``, nothing was reserved.
    """
    number = _number(transaction, reserved)
    transaction.executemany(
        "INSERT INTO approval (issuance, registrar, approved_at, signature, replacement)"
        " VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (
            (
                number,
                it.registrar.multikey,
                format_timestamp(it.approved_at),
                it.signature,
                _write(it.replacement),
            )
            for it in given
        ),
    )
    transaction.execute("DELETE FROM proposal WHERE issuance = ?", (number,))


def approvals(transaction: Transaction, key: str) -> tuple[Approval, ...]:
    """Give the approvals of the credential of a key."""
    rows = transaction.execute(
        "SELECT registrar, approved_at, signature, replacement FROM approval"
        " JOIN issuance ON number = issuance WHERE key = ? ORDER BY approved_at, registrar",
        (key,),
    )
    return tuple(
        Approval(PublicKey.from_multikey(registrar), parse_timestamp(moment), signature, _read(replacement))
        for registrar, moment, signature, replacement in rows
    )


def _write(replacement: Replacement | None) -> str | None:
    return None if replacement is None else json.dumps(astuple(replacement))


def _read(stored: str | None) -> Replacement | None:
    return None if stored is None else Replacement(*json.loads(stored))


def _number(transaction: Transaction, reserved: Issuance) -> int:
    row = transaction.execute(
        "SELECT number FROM issuance WHERE key = ? AND credential_id = ?",
        (reserved.key, reserved.credential_id),
    ).fetchone()
    if row is None:
        raise Conflict("not-found", "nothing was reserved for this key, or a recovery voided it")
    return int(row[0])

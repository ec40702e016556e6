"""Credentials that stand in for one another: which of them is in force, and what revoking one comes to.

A former credential has its revocation and its ``refresh`` status set: strangers' software sees it revoked,
ours that it was replaced. Once the credential at the chain's end is revoked, whoever asks for the newer one
would ask in vain: the ``refresh`` statuses of the chain are unset, and all of it reads revoked. That unsets
nothing that speaks against anybody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.status import issuances

if TYPE_CHECKING:
    from vcid.status.issuances import Issuance
    from vcid.storage import Transaction

REPLACED: Final = "refresh"
"""The purpose whose status says that a newer credential is to be had; the only one that is ever unset."""

_REVOKED: Final = "revocation"


def find_in_force(transaction: Transaction, issuance: Issuance) -> Issuance:
    """Follow a credential to the one that stands in for it now: itself, if none was issued in its place."""
    while (key := issuances.find_successor(transaction, issuance.key)) is not None:
        successor = issuances.find(transaction, "key", key)
        if successor is None or successor.credential is None:
            break
        issuance = successor
    return issuance


def revoke(transaction: Transaction, issuance: Issuance, now: str) -> bool:
    """Revoke the credential in force in a credential's place; say whether it was unrevoked before.

    One that is only reserved stands in for none then: what it was to take the place of stays as it is.

    Raises:
        Conflict: code ``no-such-purpose``, it has no such status.
    """
    in_force = find_in_force(transaction, issuance)
    changed = issuances.set_status(transaction, in_force, _REVOKED, now)
    if in_force.credential is None:
        transaction.execute("UPDATE issuance SET succeeds = NULL WHERE key = ?", (in_force.key,))
    _unset_replaced(transaction, in_force.key)
    return changed


def unset_replaced(transaction: Transaction) -> None:
    """Have every chain read revoked whose end is, as after statuses were restored."""
    ends = transaction.execute(
        "SELECT key FROM issuance e JOIN slot ON issuance = e.number JOIN status_list l ON l.number = list"
        " WHERE succeeds IS NOT NULL AND purpose = ? AND is_set = 1 AND content IS NOT NULL"
        " AND NOT EXISTS (SELECT 1 FROM issuance s WHERE s.succeeds = e.number AND s.content IS NOT NULL)",
        (_REVOKED,),
    ).fetchall()
    for (key,) in ends:
        _unset_replaced(transaction, key)


def _unset_replaced(transaction: Transaction, key: str) -> None:
    """Unset the status that says a newer one is to be had, of a credential and all that it stands in for."""
    transaction.execute(
        "WITH RECURSIVE chain (number, succeeds) AS ("
        "SELECT number, succeeds FROM issuance WHERE key = ?"
        " UNION SELECT f.number, f.succeeds FROM issuance f JOIN chain ON f.number = chain.succeeds)"
        " UPDATE slot SET is_set = 0, set_at = NULL WHERE is_set = 1"
        " AND issuance IN (SELECT number FROM chain)"
        " AND list IN (SELECT number FROM status_list WHERE purpose = ?)",
        (key, REPLACED),
    )

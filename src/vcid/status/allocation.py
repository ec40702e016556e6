"""Random places in status lists.

Nobody may learn from an index when, or beside whom, a credential was issued: each is drawn evenly from a
whole list (Bitstring Status List v1.0, section 2.1). Places come from published lists only, so that a
verifier's older copy of a list already knows them as unset, and at most half of a list is given out, so that
draws seldom collide.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.errors import Conflict, Unavailable
from vcid.status.bitstring import StatusEntry

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.storage import Transaction

# With three quarters of a list taken at most, this many collisions have a chance of 10^-125.
_MAX_DRAWS: Final = 1000


def capacity(length: int) -> int:
    """How many entries of a list may go to credentials."""
    return length // 2


def draw_below(bound: int, random: Callable[[int], bytes]) -> int:
    """Draw an integer evenly from 0 to ``bound`` - 1, by rejection: a remainder would favour small ones."""
    bits = (bound - 1).bit_length()
    for _ in range(_MAX_DRAWS):
        drawn = int.from_bytes(random((bits + 7) // 8), "big") & ((1 << bits) - 1)
        if drawn < bound:
            return drawn
    raise Unavailable("the source of randomness repeats itself")


def allocate(
    transaction: Transaction, purpose: str, issuance: int, random: Callable[[int], bytes]
) -> StatusEntry:
    """Take a random free place of a random published list for a credential.

    Raises:
        Conflict: code ``no-room``, no published list of that purpose has any left.
    """
    lists = transaction.execute(
        "SELECT number, list_id, length FROM status_list"
        " WHERE state = 'open' AND purpose = ? AND allocated < length / 2 ORDER BY number",
        (purpose,),
    ).fetchall()
    if not lists:
        raise Conflict("no-room", f"no published status list for {purpose} has room: publish first")
    number, list_id, length = lists[draw_below(len(lists), random)]
    index = take_slot(transaction, number, length, issuance, random)
    transaction.execute("UPDATE status_list SET allocated = allocated + 1 WHERE number = ?", (number,))
    return StatusEntry(purpose=purpose, list_id=list_id, index=index)


def take_slot(
    transaction: Transaction, number: int, length: int, issuance: int | None, random: Callable[[int], bytes]
) -> int:
    """Take a random free place of one list, for a credential or, with ``None``, for a decoy."""
    for _ in range(_MAX_DRAWS):
        position = draw_below(length, random)
        taken = transaction.execute(
            "INSERT INTO slot (list, position, issuance) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (number, position, issuance),
        )
        if taken.rowcount:
            return position
    raise Unavailable("the source of randomness repeats itself")

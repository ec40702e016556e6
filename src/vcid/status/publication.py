"""Publishing status lists so that a crash at any point repeats a publication instead of forking it.

1. `prepare` chooses the lists, adds decoys, has each list credential built and signed, and stores the result,
   all in one transaction. From then on this *is* publication ``seq``: asked again, it gives the same bytes.
2. The caller anchors the digests in the ledger and puts the contents where verifiers find them.
3. `confirm` makes them the published versions; only now can a new list be allocated from.

Every list is published at every turn, changed or not, and the retired ones too: a list that appears only when
a credential is revoked would announce the revocation, and one that is left out would expire.
"""

from __future__ import annotations

import hashlib
from base64 import b32encode
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vcid.errors import Conflict, Unavailable
from vcid.status.allocation import capacity, draw_below, take_slot
from vcid.status.bitstring import MIN_ENTRIES, StatusList
from vcid.status.chains import REPLACED
from vcid.status.tables import Publication, promote, read_publications, refuse_if_behind

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vcid.storage import Transaction

LOW_ROOM: Final = MIN_ENTRIES // 8
"""Free places in a purpose's lists below which the next publication opens another list."""

MAX_ROOM: Final = 10_000_000
"""For how many credentials places may be asked for at once: a slip of the keyboard would fill the disk."""

# The bits that each publication sets, and those that it unsets where any may be, come in steps of this many,
# decoys filling up, so that one without a revocation and one with a few look alike.
_STEP: Final = 8
_FIRST_DECOYS: Final = 64
_MAX_NAMES: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSnapshot:
    """What a new version of a list must say; handed to the callback that builds and signs it.

    Attributes:
        list_id: the list's URL.
        purpose: what its bits mean.
        seq: which publication of the list this is.
        bits: the statuses.
    """

    list_id: str
    purpose: str
    seq: int
    bits: StatusList


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """Publications that are stored and wait to be anchored and confirmed.

    Attributes:
        publications: one for each list.
        resumed: whether they are left from an earlier attempt. Later revocations are then not in them: once
            they are confirmed, prepare again.
    """

    publications: tuple[Publication, ...]
    resumed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Demand:
    """What a publication must provide for.

    Attributes:
        base_url: the URL below which new lists are found.
        purposes: the purposes for which credentials are given places.
        room: how many credentials must find place once it is confirmed.

    Raises:
        ValueError: the room is negative, or more than `MAX_ROOM`.
    """

    base_url: str
    purposes: Sequence[str]
    room: int

    def __post_init__(self) -> None:
        if not 0 <= self.room <= MAX_ROOM:
            raise ValueError(f"room is a number of credentials from 0 to {MAX_ROOM}")


def prepare(
    transaction: Transaction,
    build: Callable[[ListSnapshot], bytes],
    demand: Demand,
    random: Callable[[int], bytes],
) -> Prepared:
    """Store the next version of every list, or give again those that wait to be confirmed.

    Raises:
        Behind: the registry must publish nothing.
    """
    refuse_if_behind(transaction)
    if waiting := read_publications(transaction, pending=True):
        return Prepared(publications=waiting, resumed=True)
    for purpose in demand.purposes:
        while _free_room(transaction, purpose) < max(LOW_ROOM, demand.room):
            _open_list(transaction, purpose, demand.base_url, random)
    lists = transaction.execute("SELECT number, list_id, purpose, length, seq FROM status_list").fetchall()
    for number, list_id, purpose, length, last_seq in lists:
        bits = _next_bits(transaction, number, last_seq + 1, random)
        snapshot = ListSnapshot(
            list_id=list_id,
            purpose=purpose,
            seq=last_seq + 1,
            bits=StatusList.from_indices(bits, length=length),
        )
        content = build(snapshot)
        transaction.execute(
            "INSERT INTO publication (list, is_pending, seq, digest, content) VALUES (?, 1, ?, ?, ?)",
            (number, snapshot.seq, hashlib.sha256(content).digest(), content),
        )
    return Prepared(publications=read_publications(transaction, pending=True), resumed=False)


def confirm(transaction: Transaction, publications: Iterable[Publication]) -> None:
    """Make prepared versions the published ones; those confirmed before are passed over.

    Raises:
        Conflict: code ``not-pending``, such a version was never prepared here.
    """
    for publication in publications:
        row = transaction.execute(
            "SELECT number, l.seq, p.seq, p.digest FROM status_list l"
            " LEFT JOIN publication p ON p.list = number AND is_pending = 1 WHERE list_id = ?",
            (publication.list_id,),
        ).fetchone()
        if row is not None and (row[2], row[3]) == (publication.seq, publication.digest):
            promote(transaction, row[0])
        elif row is None or row[1] < publication.seq:
            raise Conflict("not-pending", "a publication that this registry prepared")


def _free_room(transaction: Transaction, purpose: str) -> int:
    rows = transaction.execute(
        "SELECT length, allocated FROM status_list WHERE purpose = ? AND state <> 'retired'", (purpose,)
    )
    return sum(capacity(length) - allocated for length, allocated in rows)


def _open_list(transaction: Transaction, purpose: str, base_url: str, random: Callable[[int], bytes]) -> None:
    """Start a list under a random name: a counter would tell the order, and how many lists there are."""
    for _ in range(_MAX_NAMES):
        name = b32encode(random(5)).decode("ascii").lower()
        opened = transaction.execute(
            "INSERT INTO status_list (list_id, purpose, length, state) VALUES (?, ?, ?, 'opening')"
            " ON CONFLICT DO NOTHING RETURNING number",
            (f"{base_url.rstrip('/')}/{name}", purpose, MIN_ENTRIES),
        ).fetchone()
        if opened is not None:
            decoys = _FIRST_DECOYS + draw_below(_FIRST_DECOYS, random)
            _add_decoys(transaction, opened[0], decoys, random)
            return
    raise Unavailable("the source of randomness repeats itself")


def _next_bits(transaction: Transaction, number: int, seq: int, random: Callable[[int], bytes]) -> list[int]:
    """Fill up with decoys, note what is published for the first time, and give all indices that are set."""
    (fresh,) = transaction.execute(
        "SELECT COUNT(*) FROM slot WHERE list = ? AND is_set = 1 AND first_seq IS NULL", (number,)
    ).fetchone()
    _add_decoys(transaction, number, _padding(fresh, random), random)
    _unset_decoys(transaction, number, random)
    transaction.execute(
        "UPDATE slot SET first_seq = ? WHERE list = ? AND is_set = 1 AND first_seq IS NULL", (seq, number)
    )
    rows = transaction.execute("SELECT position FROM slot WHERE list = ? AND is_set = 1", (number,))
    return [position for (position,) in rows]


def _unset_decoys(transaction: Transaction, number: int, random: Callable[[int], bytes]) -> None:
    """Unset decoys of a list whose statuses may be unset, so that nobody sees which others were, or whether.

    Not of a retired list, whose forgotten places look like decoys.
    """
    purpose, state = transaction.execute(
        "SELECT purpose, state FROM status_list WHERE number = ?", (number,)
    ).fetchone()
    if purpose != REPLACED:
        return
    (fresh,) = transaction.execute(
        "SELECT COUNT(*) FROM slot WHERE list = ? AND is_set = 0 AND first_seq IS NOT NULL", (number,)
    ).fetchone()
    decoys = transaction.execute(
        "SELECT position FROM slot WHERE list = ? AND is_set = 1 AND first_seq IS NOT NULL"
        " AND issuance IS NULL",
        (number,),
    ).fetchall()
    for _ in range(min(_padding(fresh, random), len(decoys)) if state != "retired" else 0):
        (position,) = decoys.pop(draw_below(len(decoys), random))
        transaction.execute("UPDATE slot SET is_set = 0 WHERE list = ? AND position = ?", (number, position))
    transaction.execute(
        "UPDATE slot SET first_seq = NULL WHERE list = ? AND is_set = 0 AND first_seq IS NOT NULL", (number,)
    )


def _padding(fresh: int, random: Callable[[int], bytes]) -> int:
    """Count the decoys that bring ``fresh`` changed bits to whole steps: the fewest, at times some more."""
    steps = max(1, -(-fresh // _STEP))
    while random(1)[0] < 64:
        steps += 1
    return steps * _STEP - fresh


def _add_decoys(transaction: Transaction, number: int, count: int, random: Callable[[int], bytes]) -> None:
    """Set bits that stand for nobody, up to a quarter of the list over its life.

    A retired list gets none: a registry that was recovered does not know which of its places were given out,
    and a decoy could revoke the credential of somebody it has forgotten.
    """
    length, decoys, state = transaction.execute(
        "SELECT length, decoys, state FROM status_list WHERE number = ?", (number,)
    ).fetchone()
    if state == "retired":
        return
    count = min(count, length // 4 - decoys)
    for _ in range(count):
        position = take_slot(transaction, number, length, None, random)
        transaction.execute("UPDATE slot SET is_set = 1 WHERE list = ? AND position = ?", (number, position))
    transaction.execute("UPDATE status_list SET decoys = decoys + ? WHERE number = ?", (count, number))

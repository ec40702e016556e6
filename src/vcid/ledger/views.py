"""A verifier's memory of the logs: the newest view of each, never exchanged for an older or another one.

Whoever can show a verifier an old or a second version of a log can hide a revocation. So a view moves only
along a consistency proof, in one atomic step, and what is remembered survives a restart. A memory that was
deleted starts anew with the next view that enough witnesses cosigned: ``load`` then gives nothing, and a
caller reports that rollback could not be ruled out.
"""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Self

from vcid.encoding.merkle import verify_consistency
from vcid.errors import Conflict, InvalidProof, Malformed
from vcid.ledger.anchor import Judgement, Outcome, View
from vcid.ledger.evidence import find_split_view
from vcid.storage import Database, StoreSchema

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from vcid.ledger.anchor import LogPolicy, ViewStore

SCHEMA = StoreSchema(
    name="views",
    migrations=(
        """
        CREATE TABLE views (
            origin TEXT PRIMARY KEY,
            size INTEGER NOT NULL,
            root BLOB NOT NULL,
            note BLOB NOT NULL
        ) STRICT;
        """,
    ),
)

_ATTEMPTS = 5


class SqlViewStore:
    """Views in a database: a file, a server, or with ``sqlite://`` in memory."""

    __slots__ = ("_database",)

    def __init__(self, database: Database) -> None:
        self._database = database

    @classmethod
    def open(cls, url: str) -> Self:
        """Open ``sqlite:///path``, ``sqlite://`` or ``postgresql://…``, creating it if there is none."""
        return cls(Database.open(url, SCHEMA))

    def close(self) -> None:
        """Close the store's connections."""
        self._database.close()

    def load(self, origin: str) -> View | None:
        """The newest view known of a log."""
        with self._database.read() as transaction:
            row = transaction.execute(
                "SELECT origin, size, root, note FROM views WHERE origin = ?", (origin,)
            ).fetchone()
        return View(*row) if row else None

    def advance(self, old: View | None, new: View) -> None:
        """Replace the view if it still is ``old``; never by a smaller or contradicting one.

        Raises:
            Conflict: it is another one by now (``view-moved``), or the new one is smaller (``rollback``) or
                another of the same size (``fork``).
        """
        with self._database.transaction() as transaction:
            row = transaction.execute(
                "SELECT origin, size, root, note FROM views WHERE origin = ?", (new.origin,)
            ).fetchone()
            _check_step(View(*row) if row else None, old, new)
            transaction.execute(
                "INSERT INTO views VALUES (?, ?, ?, ?) ON CONFLICT (origin)"
                " DO UPDATE SET size = excluded.size, root = excluded.root, note = excluded.note",
                (new.origin, new.size, new.root, new.note),
            )


class MemoryViewStore:
    """Views in this process's memory, for tests and notebooks."""

    __slots__ = ("_turn", "_views")

    def __init__(self) -> None:
        self._views: dict[str, View] = {}
        self._turn = threading.Lock()

    def load(self, origin: str) -> View | None:
        """The newest view known of a log."""
        return self._views.get(origin)

    def advance(self, old: View | None, new: View) -> None:
        """Replace the view if it still is ``old``; never by a smaller or contradicting one.

        Raises:
            Conflict: as ``SqlViewStore.advance``.
        """
        with self._turn:
            _check_step(self._views.get(new.origin), old, new)
            self._views[new.origin] = new


def _check_step(known: View | None, old: View | None, new: View) -> None:
    if known != old:
        raise Conflict("view-moved", "the view known is another one by now")
    if known is not None and new.size < known.size:
        raise Conflict("rollback", "a view never shrinks")
    if known is not None and new.size == known.size and new.root != known.root:
        raise Conflict("fork", "one size of a log has one root")


def advance_view(
    store: ViewStore, note: bytes, proofs: Mapping[int, Sequence[bytes]], policy: LogPolicy
) -> Judgement:
    """Move a verifier's view of a log to a new checkpoint, if it continues the one that is known.

    Args:
        store: the verifier's memory.
        note: the signed and cosigned checkpoint.
        proofs: consistency proofs to this checkpoint, by the size that each starts from.
        policy: whom to believe about the log.

    Returns:
        ``OK`` if the store now holds this checkpoint, whether or not it did before; ``ROLLBACK`` if it knows
        a larger one, ``FORK`` if it knows one that this one contradicts, ``QUORUM`` if too few witnesses
        cosigned, ``UNAVAILABLE`` without a proof that starts where the store stands, ``INVALID`` if the
        checkpoint is not the log's. The store changes with ``OK`` alone. A ``FORK`` carries its
        evidence where the two checkpoints and the proof between them are enough of it.
    """
    try:
        witnessed = policy.examine(note)
    except (Malformed, InvalidProof) as error:
        return Judgement(Outcome.INVALID, error.code)
    if not witnessed.is_witnessed:
        return Judgement(Outcome.QUORUM, "too-few-witnesses")
    new = View.of(witnessed.checkpoint, note)
    for _ in range(_ATTEMPTS):
        known = store.load(policy.origin)
        judgement = _compare(known, new, proofs)
        if known is not None and judgement.outcome is Outcome.FORK:
            found = find_split_view((known.note, note), policy.log_keys, proofs.get(known.size, ()))
            return replace(judgement, evidence=found)
        if not judgement or (known is not None and _is_fresher(known, new, policy)):
            return judgement
        try:
            store.advance(known, new)
        except Conflict:
            continue
        return judgement
    return Judgement(Outcome.UNAVAILABLE, "view-moved")


def _compare(known: View | None, new: View, proofs: Mapping[int, Sequence[bytes]]) -> Judgement:
    if known is None:
        return Judgement(Outcome.OK)
    if new.size < known.size:
        return Judgement(Outcome.ROLLBACK, "smaller-than-view")
    if new.size == known.size:
        return (
            Judgement(Outcome.OK)
            if new.root == known.root
            else Judgement(Outcome.FORK, "same-size-other-root")
        )
    if known.size and known.size not in proofs:
        return Judgement(Outcome.UNAVAILABLE, "no-consistency-proof")
    try:
        if known.size:
            verify_consistency(known.size, new.size, proofs[known.size], known.root, new.root)
    except InvalidProof:
        return Judgement(Outcome.FORK, "inconsistent")
    return Judgement(Outcome.OK)


def _is_fresher(known: View, new: View, policy: LogPolicy) -> bool:
    """Whether the known view is of the same size and its cosignatures are no older than the new one's."""
    if known.size != new.size:
        return False
    try:
        before = policy.examine(known.note).freshness
    except (Malformed, InvalidProof):
        return False  # The policy has changed since: what was remembered no longer dates anything.
    after = policy.examine(new.note).freshness
    return after is None or (before is not None and before >= after)

"""Following a log: what was appended under the keys of those concerned, and whether it keeps its rules.

A log can't append for an owner without the owner's key. Who holds a copy of the key can, and nobody but its
owner can tell. So an owner follows the log, and is shown every entry under its first key, with those marked
that it does not know. The log itself is held to its word: it has to continue the checkpoint that was seen
last (``ViewStore``), enough witnesses have to have cosigned it, and every entry is replayed, so that one by a
key that was given up is seen, whoever let it in.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vcid.errors import Conflict
from vcid.ledger.anchor import Judgement, Outcome
from vcid.ledger.entries import Entry, decode_leaf
from vcid.ledger.evidence import find_split_in_leaves
from vcid.ledger.replay import Replay
from vcid.ledger.tiles import TileReader
from vcid.ledger.views import MemoryViewStore, advance_view

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vcid.keys.signing import PublicKey
    from vcid.ledger.anchor import LogPolicy, View, ViewStore
    from vcid.ledger.reading import StoredLog

_CHUNK = 256
_OUTCOMES = {"rollback": Outcome.ROLLBACK, "fork": Outcome.FORK, "not-found": Outcome.UNAVAILABLE}


def _knows_nothing(entry: Entry) -> bool:
    del entry
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """What somebody is concerned with; by default, everything.

    Attributes:
        owners: first owners' keys, all of whose topics are watched.
        topics: further topics.
        is_known: tells whether the owner made an entry, by the owner's own records.
    """

    owners: frozenset[PublicKey] = frozenset()
    topics: frozenset[bytes] = frozenset()
    is_known: Callable[[Entry], bool] = _knows_nothing

    def concerns(self, entry: Entry) -> bool:
        """Whether an entry is of a watched owner or topic."""
        if not self.owners and not self.topics:
            return True
        return entry.owner in self.owners or entry.topic in self.topics


@dataclass(frozen=True, slots=True)
class Sighting:
    """A watched entry that was appended.

    Attributes:
        place: the leaf's place in the log.
        entry: the entry, which is signed by its owner's key in force.
        is_known: whether its owner knows of it.
    """

    place: int
    entry: Entry
    is_known: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Findings:
    """What a look at the log showed.

    Attributes:
        view: the checkpoint looked at; ``None`` if there is none that can be believed.
        since: the size of the checkpoint seen last; 0 at first.
        judgement: ``OK`` if the log continues what was seen last, and enough witnesses say so.
        fault: why the log can't be followed, such as a rule that it broke; no entry is shown then.
        sightings: the watched entries appended since, in order.
    """

    view: View | None
    since: int
    judgement: Judgement
    fault: Conflict | None = None
    sightings: tuple[Sighting, ...] = ()

    @property
    def alarms(self) -> tuple[Sighting, ...]:
        """The entries of which their owners don't know."""
        return tuple(one for one in self.sightings if not one.is_known)


class Monitor:
    """Follows one log.

    Args:
        log: a `TileReader`, or a `StoredLog`, which is then replayed here.
        policy: the log's key, and the witnesses to believe.
        views: the memory of the checkpoint seen last; used for nothing else.
    """

    def __init__(self, log: StoredLog, policy: LogPolicy, views: ViewStore) -> None:
        self._log = log
        self._policy = policy
        self._views = views
        self._replay = Replay()

    def look(self, watch: Watch, *, step: Callable[[], None] = lambda: None) -> Findings:
        """Look at the newest checkpoint and at what was appended since the one seen last.

        What was seen is remembered only by ``acknowledge``: if the findings get lost, the next look has them
        again.

        Args:
            watch: what is of concern.
            step: called after each bundle of up to 256 leaves that is replayed.

        Raises:
            InvalidProof: the checkpoint is not by this log.
            Malformed: a file of the log is not what it should be.
            Unavailable: the log or the memory can't be read.
        """
        known = self._views.load(self._policy.origin)
        since = known.size if known else 0
        try:
            view = self._replayed(step)
        except Conflict as error:
            outcome = _OUTCOMES.get(error.code, Outcome.INVALID)
            return Findings(view=None, since=since, judgement=Judgement(outcome, error.code), fault=error)
        judgement = self._judge(known, view)
        continues = judgement.outcome in {Outcome.OK, Outcome.QUORUM}
        sightings = tuple(self._sightings(watch, since, view.size)) if continues else ()
        return Findings(view=view, since=since, judgement=judgement, sightings=sightings)

    def acknowledge(self, findings: Findings) -> bool:
        """Remember that findings were dealt with, so that the next look begins behind them.

        Returns:
            Whether they were remembered: never if the log was found at fault.

        Raises:
            Unavailable: the memory can't be written.
        """
        if findings.view is None or not findings.judgement:
            return False
        growth = self._growth(findings.since, findings.view.size)
        return bool(advance_view(self._views, findings.view.note, growth, self._policy))

    def _replayed(self, step: Callable[[], None]) -> View:
        """Give the newest checkpoint, all of whose leaves were replayed."""
        if isinstance(self._log, TileReader):
            return self._log.refresh(step=step)
        view = self._log.checkpoint()
        if view is None:
            raise Conflict("not-found", "the log has no checkpoint yet")
        for leaves in self._chunks(self._replay.frontier.size, view.size):
            for leaf in leaves:
                self._replay.apply(leaf)
            step()
        self._replay.check_checkpoint(view.size, view.root)
        return view

    def _chunks(self, start: int, stop: int) -> Iterator[list[bytes]]:
        for place in range(start, stop, _CHUNK):
            yield self._log.entries(place, min(place + _CHUNK, stop))

    def _judge(self, known: View | None, view: View) -> Judgement:
        """Compare with what was seen last, without remembering anything."""
        scratch = MemoryViewStore()
        if known is not None:
            scratch.advance(None, known)
        growth = self._growth(known.size if known else 0, view.size)
        judgement = advance_view(scratch, view.note, growth, self._policy)
        if known is None or judgement.outcome is not Outcome.FORK or judgement.evidence is not None:
            return judgement
        leaves = (leaf for chunk in self._chunks(0, view.size) for leaf in chunk)
        found = find_split_in_leaves((known.note, view.note), self._policy.log_keys, leaves)
        return replace(judgement, evidence=found)

    def _growth(self, since: int, size: int) -> dict[int, list[bytes]]:
        return {since: self._log.consistency(since, size)} if 0 < since < size else {}

    def _sightings(self, watch: Watch, since: int, size: int) -> Iterable[Sighting]:
        leaves = (leaf for chunk in self._chunks(since, size) for leaf in chunk)
        for place, leaf in enumerate(leaves, since):
            content = decode_leaf(leaf)
            if isinstance(content, Entry) and watch.concerns(content):
                yield Sighting(place, content, watch.is_known(content))

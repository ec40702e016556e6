"""Rebuilding a log from its tiles alone, to compare with it everything that was published or stored.

A replay believes nothing: the checkpoint has to be signed, every tile and leaf has to be what it commits to,
every entry has to be signed by its owner's key in force and to continue its topic by one, and *every* heads
leaf has to commit to the newest entries before it, whether or not a checkpoint ends there. Of the leaves
nothing is kept but the newest entry of each topic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcid.errors import Conflict, InvalidProof, Malformed, Unavailable
from vcid.ledger.entries import Entry, HeadsLeaf
from vcid.ledger.heads import HeadsMap
from vcid.ledger.replay import Replay
from vcid.ledger.tile_paths import TILE_WIDTH
from vcid.ledger.tiles import fetch_view, tree_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vcid.ledger.anchor import View
    from vcid.ledger.notes import NoteKey
    from vcid.ledger.reading import StoredLog
    from vcid.ledger.tile_transport import Transport


@dataclass(frozen=True, slots=True)
class Difference:
    """The first thing that is not as the replay has it.

    Attributes:
        code: what kind of difference, in kebab case.
        detail: what it is, and where.
    """

    code: str
    detail: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Replayed:
    """What a replay came to; true only if nothing differs.

    Attributes:
        view: the checkpoint; ``None`` if it could not be believed.
        leaves: how many leaves were replayed, all of them if nothing differs.
        heads_leaves: how many of them were heads leaves.
        topics: how many topics have entries.
        difference: the first difference, if there is one.
    """

    view: View | None
    leaves: int
    heads_leaves: int
    topics: int
    difference: Difference | None

    def __bool__(self) -> bool:
        return self.difference is None


def replay(
    transport: Transport,
    key: NoteKey,
    *former_keys: NoteKey,
    store: StoredLog | None = None,
    step: Callable[[], None] = lambda: None,
) -> Replayed:
    """Rebuild a log from its tiles and compare.

    1. The checkpoint is the log's, and the tiles at the edge of the tree hash to it.
    2. Each tile and bundle is what the checkpoint commits to, each leaf follows the log's rules, and each
       heads leaf is true.
    3. The store, if one is given, holds the same leaves.

    Args:
        transport: brings the tiles.
        key: the log's, named as its origin.
        former_keys: keys that the log gave up, to read old copies too.
        store: what to compare with; it may be ahead of the tiles.
        step: called after each bundle of up to 256 leaves.

    Whatever is wrong is reported, not raised, also that a file or the store can't be read.
    """
    rebuilding = _Rebuilding(store, step)
    view = difference = None
    try:
        view = fetch_view(transport, key, *former_keys)
        rebuilding.run(transport, view)
    except (Conflict, InvalidProof) as error:
        difference = Difference(error.code, error.detail)
    except Malformed as error:
        difference = Difference(error.code, f"{error.where or 'checkpoint'}: expected {error.expected}")
    except Unavailable as error:
        difference = Difference(error.code, str(error))
    return Replayed(
        view=view,
        leaves=rebuilding.replay.frontier.size,
        heads_leaves=rebuilding.heads_leaves,
        topics=len(rebuilding.replay.heads),
        difference=difference,
    )


class _Rebuilding:
    """A log, leaf by leaf.

    Attributes:
        replay: the log's state after the leaves so far.
        heads_leaves: how many heads leaves were among them.
    """

    def __init__(self, store: StoredLog | None, step: Callable[[], None]) -> None:
        self.replay = Replay()
        self.heads_leaves = 0
        self._store = store
        self._step = step
        self._heads: HeadsLeaf | None = None

    def run(self, transport: Transport, view: View) -> None:
        """Rebuild all of it, up to the first difference.

        Raises:
            VcidError: the difference.
        """
        tree = tree_of(transport, view)
        for start in range(0, view.size, TILE_WIDTH):
            leaves = tree.leaves(start, start + TILE_WIDTH)
            if self._store is not None:
                _compare(leaves, self._store.entries(start, start + len(leaves)), start)
            for leaf in leaves:
                self._apply(leaf)
            self._step()
        self.replay.check_checkpoint(view.size, view.root)

    def _apply(self, leaf: bytes) -> None:
        place = self.replay.frontier.size
        _, content = self.replay.apply(leaf)
        if isinstance(content, Entry):
            self._heads = None
            return
        # Between two heartbeats nothing changes, and the map is as large as the log has topics.
        self._heads = self._heads or HeadsMap(self.replay.heads.values()).leaf
        if content != self._heads:
            raise Conflict("false-heads", f"heads leaf {place} does not commit to the newest entries")
        self.heads_leaves += 1


def _compare(leaves: Sequence[bytes], stored: Sequence[bytes], start: int) -> None:
    for place, (leaf, kept) in enumerate(zip(leaves, stored, strict=False), start):
        if leaf != kept:
            raise Conflict("store-differs", f"the store has another leaf {place}")
    if len(stored) < len(leaves):
        raise Conflict("store-differs", f"the store ends before leaf {start + len(stored)}")

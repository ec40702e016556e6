"""What a log owes to those whose place it took (``vcid.ledger.succession``), as replaying witnesses demand.

No topic stays behind where a former log left it, and no key that an owner gave up there speaks again. What
the former logs held comes along in its old order, told by its hash; whatever else the new log holds of an
owner has to come after the changes of key that the former logs held, down to the same last one. A former key
can therefore neither slip something in before the change nor change to another key in its place.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.errors import Conflict
from vcid.ledger.entries import Kind, owner_topic

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vcid.ledger.entries import Entry
    from vcid.ledger.replay import Replay


class Inheritance:
    """Where the former logs left their topics.

    Args:
        heads: their newest entries, in the form of ``Head``, those of older logs first.
        keys: the digests in their newest changes of key by ``owner_topic``, those of older logs first.
    """

    __slots__ = ("_heads", "_keys", "_owner_topics")

    def __init__(
        self, heads: Iterable[tuple[bytes, int, bytes]], keys: Iterable[tuple[bytes, bytes]]
    ) -> None:
        self._heads = {topic: (seq, entry_hash) for topic, seq, entry_hash in heads}
        self._keys: Mapping[bytes, bytes] = dict(keys)
        self._owner_topics: set[bytes] = set()

    def check_entry(self, entry: Entry, replay: Replay) -> None:
        """Check an entry of the new log that was just replayed.

        Raises:
            Conflict: it brings another key into force than the former log's change did, or it is none of the
                former log's and comes before the owner's changes of key (``behind-predecessor``).
        """
        owner = owner_topic(entry.owner)
        self._owner_topics.add(owner)
        seq, entry_hash = self._heads.get(entry.topic, (-1, b""))
        if entry.kind is Kind.OWNER_KEY:
            if entry.seq == seq and entry.digest != self._keys.get(entry.topic):
                raise Conflict("behind-predecessor", "an owner changed to another key than in the former log")
            return
        is_inherited = entry.seq < seq or replay.heads[entry.topic][2] == entry_hash
        if not is_inherited and self._is_behind(owner, replay):
            raise Conflict("behind-predecessor", "an entry comes before its owner's changes of key")

    def check_end(self, replay: Replay) -> None:
        """Check the new log where a checkpoint ends.

        Raises:
            Conflict: a topic is behind, or an owner's changes of key are (``behind-predecessor``).
        """
        if any(self._is_behind(topic, replay) for topic in replay.changed):
            raise Conflict("behind-predecessor", "a topic is behind where the former log left it")
        # Without the changes of key, a key that an owner gave up would be in force again.
        if any(self._is_behind(topic, replay) for topic in self._owner_topics):
            raise Conflict("behind-predecessor", "an owner's changes of key are missing")

    def _is_behind(self, topic: bytes, replay: Replay) -> bool:
        floor = self._heads.get(topic)
        head = replay.heads.get(topic)
        return floor is not None and (head is None or head[1] < floor[0])

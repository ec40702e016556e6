"""Replaying a log's leaves: what a log, a witness and an auditor each check of every one of them.

An entry has to be signed by its owner's key in force and to continue the topic by one, and the heads leaf
that ends a checkpoint has to commit to exactly the newest entries before it. Whoever replays every leaf
from the first therefore knows that the heads of a checkpoint are true, which no proof of inclusion or
consistency shows. A heads leaf that ends no checkpoint says nothing to anybody: it is what a crash before
publication leaves, and is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.encoding.merkle import Frontier, leaf_hash
from vcid.errors import Conflict, InvalidProof, Malformed
from vcid.ledger.entries import HeadsLeaf, decode_leaf
from vcid.ledger.heads import Head, HeadsMap
from vcid.ledger.owners import KeysInForce
from vcid.ledger.tree import grow

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vcid.ledger.entries import Entry


class Replay:
    """The state of a log after the leaves replayed so far.

    Args:
        frontier: the tree's right edge where the replay is taken up; an empty log by default.
        heads: the newest entries there, in the form of ``Head``.
        keys: the digests in the newest changes of key there, by ``owner_topic``.

    Attributes:
        frontier: the tree's right edge.
        changed: the heads that changed since the replay was taken up.
        keys: the owners' keys in force.
    """

    __slots__ = ("_heads", "_last", "changed", "frontier", "keys")

    def __init__(
        self,
        frontier: Frontier | None = None,
        heads: Iterable[tuple[bytes, int, bytes]] = (),
        keys: Mapping[bytes, bytes] | None = None,
    ) -> None:
        self.frontier = frontier or Frontier()
        self.keys = KeysInForce((keys or {}).get)
        self.changed: dict[bytes, Head] = {}
        self._heads = {row[0]: row for row in heads}
        self._last: HeadsLeaf | None = None

    @property
    def heads(self) -> Mapping[bytes, tuple[bytes, int, bytes]]:
        """The newest entries so far by topic, in the form of ``Head``."""
        return self._heads

    def apply(self, leaf: bytes) -> tuple[bytes, Entry | HeadsLeaf]:
        """Check the next leaf and take it in.

        Returns:
            The hashes of the subtrees that it completes, lowest first, in one string; and what it says.

        Raises:
            Conflict: the leaf contradicts those before it (``sequence``), its signature does not hold
                (``bad-signature``) or is not by its owner's key in force (``not-owner``), or it is no leaf
                of a log (``bad-leaf``).
        """
        try:
            content = decode_leaf(leaf)
            if not isinstance(content, HeadsLeaf):
                content.verify()
        except InvalidProof as error:
            raise Conflict("bad-signature", f"leaf {self.frontier.size} is not signed") from error
        except Malformed as error:
            raise Conflict("bad-leaf", f"leaf {self.frontier.size} is no leaf of a log: {error}") from error
        if isinstance(content, HeadsLeaf):
            self._last = content
        else:
            self._last = None
            self._take_entry(content, leaf)
        self.frontier, (completed,) = grow(self.frontier, [leaf])
        return completed, content

    def check_checkpoint(self, size: int, root: bytes) -> None:
        """Check that a checkpoint may end here.

        Raises:
            Conflict: the tree is another one (``root``), the last leaf is no heads leaf
                (``heads-not-last``), or it does not commit to the newest entries (``false-heads``).
        """
        if (self.frontier.size, self.frontier.root) != (size, root):
            raise Conflict("root", "the leaves don't hash to the checkpoint")
        if self._last is None:
            raise Conflict("heads-not-last", "the checkpoint does not end with a heads leaf")
        if self._last != HeadsMap(self._heads.values()).leaf:
            raise Conflict("false-heads", "the heads leaf does not commit to the newest entries")

    def _take_entry(self, entry: Entry, leaf: bytes) -> None:
        known = self._heads.get(entry.topic)
        if entry.seq != (known[1] + 1 if known else 0):
            raise Conflict("sequence", f"leaf {self.frontier.size} does not continue its topic by one")
        self.keys.take(entry)
        head = Head(entry.topic, entry.seq, leaf_hash(leaf))
        self._heads[entry.topic] = self.changed[entry.topic] = head

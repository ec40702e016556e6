"""Proofs of a growing RFC 6962 tree out of its stored nodes.

Beside each leaf stand the hashes of all complete subtrees that end with it, lowest first: the leaf's own
hash, then that of the pair, of the four, and so on. One row a leaf therefore holds the whole tree, rows are
only ever added, and a root or proof of any size reads a number of rows that is logarithmic in it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.encoding.merkle import Frontier, consistency_nodes, fold, inclusion_nodes, leaf_hash, root_nodes
from vcid.errors import Conflict

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from vcid.encoding.merkle import Node


def grow(frontier: Frontier, leaves: Iterable[bytes]) -> tuple[Frontier, list[bytes]]:
    """Append leaves to a tree.

    Returns:
        The new frontier, and for each leaf the hashes, in one string, of the subtrees that it completes.
    """
    grown, completed = frontier.extend(leaf_hash(leaf) for leaf in leaves)
    rows: list[list[bytes]] = []
    for node, node_digest in completed:
        if node.level == 0:
            rows.append([])
        rows[-1].append(node_digest)
    return grown, [b"".join(row) for row in rows]


class StoredTree:
    """Roots and proofs for any size that a tree had.

    Args:
        completed: gives the hashes stored beside the leaves of some indices, as ``grow`` returned them.
    """

    __slots__ = ("_completed", "_folded", "_known")

    def __init__(self, completed: Callable[[Collection[int]], Mapping[int, bytes]]) -> None:
        self._completed = completed
        self._known: dict[int, bytes] = {}
        self._folded: dict[tuple[Node, ...], bytes] = {}

    def root(self, size: int) -> bytes:
        """The root that the tree had at a size."""
        return fold(self._hashes(root_nodes(size)))

    def frontier(self, size: int) -> Frontier:
        """The right edge that the tree had at a size."""
        return Frontier(size, tuple(self._hashes(root_nodes(size))))

    def inclusion(self, index: int, size: int) -> list[bytes]:
        """The audit path of a leaf in the tree of a size (RFC 6962, section 2.1.1)."""
        return self._assemble(inclusion_nodes(index, size))

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """The proof that the tree grew from one size to another (RFC 6962, section 2.1.2); empty from 0."""
        return self._assemble(consistency_nodes(old_size, new_size)) if old_size else []

    def _assemble(self, groups: Iterable[Sequence[Node]]) -> list[bytes]:
        wanted = [tuple(group) for group in groups]
        self._read([node for group in wanted if group not in self._folded for node in group])
        path = []
        for group in wanted:
            if group not in self._folded:
                self._folded[group] = fold(self._hashes(group))
            path.append(self._folded[group])
        return path

    def _hashes(self, nodes: Sequence[Node]) -> list[bytes]:
        self._read(nodes)
        return [self._node(node) for node in nodes]

    def _read(self, nodes: Iterable[Node]) -> None:
        """Read what is stored of some nodes in one go: a storage may be a round trip away."""
        missing = {_last_leaf(node) for node in nodes} - self._known.keys()
        if missing:
            self._known.update(self._completed(missing))

    def _node(self, node: Node) -> bytes:
        last = _last_leaf(node)
        found = self._known[last][32 * node.level : 32 * node.level + 32]
        if len(found) != 32:
            raise Conflict("corrupt", f"the hashes beside leaf {last} are not what the log wrote")
        return found


def _last_leaf(node: Node) -> int:
    return ((node.offset + 1) << node.level) - 1

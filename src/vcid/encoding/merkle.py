"""Merkle trees over an append-only list: RFC 6962, section 2.1, and the verifying algorithms of RFC 9162.

Leaves are given as leaf hashes, 32 bytes each. A `Node` names a *complete* subtree, whose hash never changes
once its last leaf is in; a log that stores these hashes answers every question by reading O(log n) of them:

- `root_nodes`, `inclusion_nodes` and `consistency_nodes` say which nodes a root or a proof is made of,
- `assemble` turns their stored hashes into the proof,
- `Frontier` appends leaves, knowing only the roots of the complete subtrees side by side at the tree's edge.

Building with impossible numbers is misuse and raises ``ValueError``; a proof that does not hold raises
`InvalidProof`.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING, Final, NamedTuple

from vcid.errors import InvalidProof

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

HASH_BYTES: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
# Sizes fit the signed 64-bit integers of databases and of C2SP tlog formats.
MAX_SIZE: Final = 2**63 - 1


class Node(NamedTuple):
    """The complete subtree over the leaves from ``offset << level`` to before ``(offset + 1) << level``."""

    level: int
    offset: int


def leaf_hash(data: bytes) -> bytes:
    """Hash an entry into a leaf. The prefix sets leaves apart from inner nodes."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees into the one above them."""
    return sha256(b"\x01" + left + right).digest()


def fold(hashes: Sequence[bytes]) -> bytes:
    """Join the roots of complete subtrees that stand side by side, the largest first, into one root."""
    if not hashes:
        return EMPTY_ROOT
    *rest, root = hashes
    for left in reversed(rest):
        root = node_hash(left, root)
    return root


def root(leaf_hashes: Iterable[bytes]) -> bytes:
    """Compute the root of a whole tree; that of an empty one is the hash of no bytes."""
    frontier, _ = Frontier().extend(leaf_hashes)
    return frontier.root


def inclusion_proof(leaf_hashes: Sequence[bytes], index: int) -> list[bytes]:
    """Prove that a leaf is in the tree (RFC 6962, section 2.1.1), by the hashes from its sibling up."""
    groups = inclusion_nodes(index, len(leaf_hashes))
    return assemble(groups, complete_nodes(leaf_hashes))


def consistency_proof(leaf_hashes: Sequence[bytes], old_size: int) -> list[bytes]:
    """Prove that the tree of the first ``old_size`` leaves grew into this one (RFC 6962, section 2.1.2)."""
    groups = consistency_nodes(old_size, len(leaf_hashes))
    return assemble(groups, complete_nodes(leaf_hashes))


@dataclass(frozen=True, slots=True)
class Frontier:
    """What an append needs to know of a tree: its size and the hashes of its `root_nodes`.

    Attributes:
        size: how many leaves the tree has.
        hashes: the hash of each of ``root_nodes(size)``, in that order.

    Raises:
        ValueError: the size is out of range, or the hashes are not as many or not as long as they must be.
    """

    size: int = 0
    hashes: tuple[bytes, ...] = ()

    def __post_init__(self) -> None:
        _check_size(self.size)
        if len(self.hashes) != self.size.bit_count() or any(len(one) != HASH_BYTES for one in self.hashes):
            raise ValueError("a frontier holds one hash of 32 bytes for each set bit of its size")

    @property
    def root(self) -> bytes:
        """The root of the tree."""
        return fold(self.hashes)

    def extend(self, leaf_hashes: Iterable[bytes]) -> tuple[Frontier, list[tuple[Node, bytes]]]:
        """Append leaves.

        Returns:
            The new frontier, and every node that the leaves completed, themselves included, to be stored.

        Raises:
            ValueError: a leaf hash has not 32 bytes, or the tree would grow out of range.
        """
        size = self.size
        hashes = list(self.hashes)
        completed: list[tuple[Node, bytes]] = []
        for leaf in leaf_hashes:
            if len(leaf) != HASH_BYTES:
                raise ValueError("a leaf hash has 32 bytes")
            level, offset, current = 0, size, leaf
            completed.append((Node(level, offset), current))
            while offset & 1:
                level, offset, current = level + 1, offset >> 1, node_hash(hashes.pop(), current)
                completed.append((Node(level, offset), current))
            hashes.append(current)
            size += 1
        return Frontier(size, tuple(hashes)), completed


def complete_nodes(leaf_hashes: Iterable[bytes]) -> dict[Node, bytes]:
    """Hash every complete subtree of a tree, for making many proofs of it."""
    _, completed = Frontier().extend(leaf_hashes)
    return dict(completed)


def assemble(groups: Iterable[Sequence[Node]], hashes: Mapping[Node, bytes]) -> list[bytes]:
    """Make a proof from stored hashes: each group of nodes folds into one hash of the proof.

    Raises:
        KeyError: a hash is missing from the store.
    """
    return [fold([hashes[node] for node in group]) for group in groups]


def root_nodes(size: int) -> tuple[Node, ...]:
    """Name the complete subtrees, from left to right, that fold into the root of a tree.

    Raises:
        ValueError: the size is out of range.
    """
    _check_size(size)
    return _cover(0, size)


def inclusion_nodes(index: int, size: int) -> list[tuple[Node, ...]]:
    """Name the nodes that make an inclusion proof, one group for each of its hashes.

    Raises:
        ValueError: the tree has no such leaf, or the size is out of range.
    """
    _check_size(size)
    if not 0 <= index < size:
        raise ValueError("index must be that of a leaf of the tree")
    groups = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            groups.append(_cover(middle, end))
            end = middle
        else:
            groups.append(_cover(start, middle))
            start = middle
    groups.reverse()
    return groups


def consistency_nodes(old_size: int, new_size: int) -> list[tuple[Node, ...]]:
    """Name the nodes that make a consistency proof, one group for each of its hashes.

    Raises:
        ValueError: the old tree is empty or larger than the new one, or a size is out of range.
    """
    _check_size(new_size)
    if not 0 < old_size <= new_size:
        raise ValueError("old_size must be from 1 to new_size")
    groups = []
    start, end = 0, new_size
    while end != old_size:
        middle = start + _split(end - start)
        if old_size <= middle:
            groups.append(_cover(middle, end))
            end = middle
        else:
            groups.append(_cover(start, middle))
            start = middle
    if start:
        # The old tree's last subtree; where that is the whole old tree, the verifier has its root already.
        groups.append(_cover(start, end))
    groups.reverse()
    return groups


def _cover(start: int, end: int) -> tuple[Node, ...]:
    """Name the complete subtrees that cover some leaves.

    The start is aligned, as that of either half of a tree split by RFC 6962 is, so that the widths are the
    bits of the length.
    """
    nodes = []
    while start < end:
        level = (end - start).bit_length() - 1
        nodes.append(Node(level, start >> level))
        start += 1 << level
    return tuple(nodes)


def _split(size: int) -> int:
    """Return the largest power of two below a size."""
    return 1 << ((size - 1).bit_length() - 1)


def _check_size(size: int) -> None:
    if not 0 <= size <= MAX_SIZE:
        raise ValueError("a tree has from 0 to 2^63 - 1 leaves")


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> None:
    """Verify that a leaf is in a tree (RFC 9162, section 2.1.3.2).

    Args:
        leaf: the leaf's hash.
        index: where the leaf stands, from 0.
        size: how many leaves the tree has.
        proof: the hashes from the leaf's sibling up.
        root: the tree's root, known from elsewhere.

    Raises:
        InvalidProof: it does not follow.
    """
    if not 0 <= index < size <= MAX_SIZE:
        raise InvalidProof(
            "wrong-size", "index and size must be those of a leaf and a tree below 2^63 leaves"
        )
    _check_hashes((leaf, root), proof)
    current = leaf
    position, last = index, size - 1
    for sibling in proof:
        if last == 0:
            raise _wrong_length()
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            # The last subtree of a level may have no sibling on the levels above.
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            current = node_hash(current, sibling)
        position, last = position >> 1, last >> 1
    if last:
        raise _wrong_length()
    if current != root:
        raise InvalidProof("wrong-root", "the leaf and its proof lead to another root")


def verify_consistency(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes, new_root: bytes
) -> None:
    """Verify that a tree grew into another (RFC 9162, section 2.1.4.2).

    Every tree is consistent with the empty one, which proves nothing: an old size of 0 is refused.

    Raises:
        InvalidProof: it does not follow.
    """
    if not 0 < old_size <= new_size <= MAX_SIZE:
        raise InvalidProof("wrong-size", "the old size must be from 1 to the new size, which is below 2^63")
    _check_hashes((old_root, new_root), proof)
    if old_size == new_size:
        if proof:
            raise _wrong_length()
        if old_root != new_root:
            raise InvalidProof("wrong-root", "trees of one size must have one root")
        return
    if _rebuild_roots(old_size, new_size, proof, old_root) != (old_root, new_root):
        raise InvalidProof("wrong-root", "the proof leads to other roots")


def prefix_root(old_size: int, new_size: int, proof: Sequence[bytes], new_root: bytes) -> bytes:
    """The root that a tree's first leaves have, as a consistency proof (RFC 9162, section 2.1.4) shows it.

    Raises:
        InvalidProof: the proof does not lead to the tree's root, or the first leaves make a complete tree,
            whose root such a proof leaves out (``complete-tree``).
    """
    if not 0 < old_size < new_size <= MAX_SIZE:
        raise InvalidProof("wrong-size", "the old size must be from 1 to below the new size")
    if old_size.bit_count() == 1:
        raise InvalidProof("complete-tree", "the proof does not name the root of a complete tree")
    _check_hashes((new_root,), proof)
    old, new = _rebuild_roots(old_size, new_size, proof, b"")
    if new != new_root:
        raise InvalidProof("wrong-root", "the proof leads to another root")
    return old


def _rebuild_roots(
    old_size: int, new_size: int, proof: Sequence[bytes], old_root: bytes
) -> tuple[bytes, bytes]:
    # A complete old tree is itself the first step of the proof, which leaves it out.
    steps = [old_root, *proof] if old_size.bit_count() == 1 else list(proof)
    if not steps or not proof:
        raise _wrong_length()
    position, last = old_size - 1, new_size - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    old = new = steps[0]
    for step in steps[1:]:
        if last == 0:
            raise _wrong_length()
        if position & 1 or position == last:
            old, new = node_hash(step, old), node_hash(step, new)
            while position and not position & 1:
                position, last = position >> 1, last >> 1
        else:
            new = node_hash(new, step)
        position, last = position >> 1, last >> 1
    if last:
        raise _wrong_length()
    return old, new


def _check_hashes(ends: Iterable[bytes], proof: Sequence[bytes]) -> None:
    # No tree below 2^63 leaves needs more; the bound comes before any work on the hashes.
    if len(proof) > MAX_SIZE.bit_length() + 1:
        raise _wrong_length()
    if any(len(one) != HASH_BYTES for one in (*ends, *proof)):
        raise InvalidProof("wrong-hash-length", "every hash must have 32 bytes")


def _wrong_length() -> InvalidProof:
    return InvalidProof("wrong-proof-length", "the proof is too short or too long for these sizes")

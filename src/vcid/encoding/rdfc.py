"""RDFC-1.0: blank nodes get labels that depend on the dataset alone.

Follows the W3C Recommendation "RDF Dataset Canonicalization" of 21 May 2024, section 4, in the order of its
steps; the numbers in the comments are its own. Where every blank node is told apart by the statements that
mention it, one hash a node suffices. Where some are not, the general algorithm is exponential in the worst
case, so its work is counted, and refused past a budget: a graph made to be costly must fail before its
signature is even looked at.
"""

from __future__ import annotations

import hashlib
from itertools import permutations
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vcid.encoding import nquads
from vcid.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from hashlib import _Hash

    from vcid.encoding.nquads import Quad

    _NewHash = Callable[[bytes], _Hash]

# Steps of some microseconds each: a dataset that needs all of them takes some tens of milliseconds.
WORK_BUDGET: Final = 10_000
# Each level of Hash N-Degree Quads takes three of Python's frames, of which it has a thousand.
_MAX_DEPTH: Final = 150

HASHES: Final = MappingProxyType({"sha256": hashlib.sha256, "sha384": hashlib.sha384})


def canonicalize(quads: Collection[Quad], *, hash_name: str = "sha256", budget: int = WORK_BUDGET) -> bytes:
    """Write a dataset in the serialized canonical form.

    Args:
        quads: the dataset; a statement that comes twice counts once.
        hash_name: ``sha256`` or ``sha384``.
        budget: how many steps may be spent on blank nodes that their own statements don't tell apart.

    Raises:
        LimitExceeded: the budget does not suffice.
    """
    labels = issue_labels(quads, hash_name=hash_name, budget=budget)
    return nquads.write(
        (labels.get(subject, subject), predicate, labels.get(obj, obj), labels.get(graph, graph))
        for subject, predicate, obj, graph in set(quads)
    )


def issue_labels(
    quads: Collection[Quad], *, hash_name: str = "sha256", budget: int = WORK_BUDGET
) -> dict[str, str]:
    """Give the issued identifiers map: each blank node of the dataset, as ``_:label``, to its canonical one.

    Raises as `canonicalize` does.
    """
    if hash_name not in HASHES:
        raise ValueError("RDFC-1.0 is used with sha256 or sha384")
    state = _State(quads, HASHES[hash_name], budget)
    for group in state.label_unique_nodes():
        state.label_shared_nodes(group)
    return state.canonical.issued


class _Issuer:
    """An identifier issuer (section 4.3) and the Issue Identifier algorithm (section 4.5)."""

    __slots__ = ("issued", "prefix")

    def __init__(self, prefix: str, issued: dict[str, str] | None = None) -> None:
        self.prefix = prefix
        self.issued = issued if issued is not None else {}

    def issue(self, node: str) -> str:
        label = self.issued.get(node)
        if label is None:
            label = self.issued[node] = f"{self.prefix}{len(self.issued)}"
        return label

    def copy(self) -> _Issuer:
        return _Issuer(self.prefix, self.issued.copy())


class _State:
    """The canonicalization state (section 4.2) of one dataset, and the work left."""

    def __init__(self, quads: Collection[Quad], new_hash: _NewHash, budget: int) -> None:
        self.canonical = _Issuer("_:c14n")
        self._new_hash = new_hash
        self._budget = self._left = budget
        # 2: the blank node to quads map. Statements that come twice count once.
        self._mentions: dict[str, list[Quad]] = {}
        for quad in dict.fromkeys(quads):
            subject, _, obj, graph = quad
            if subject[0] == "_":
                self._mentions.setdefault(subject, []).append(quad)
            if obj[0] == "_" and obj != subject:
                self._mentions.setdefault(obj, []).append(quad)
            if graph and graph[0] == "_" and graph not in (subject, obj):
                self._mentions.setdefault(graph, []).append(quad)
        self._first_degree: dict[str, str] = {}

    def label_unique_nodes(self) -> list[list[str]]:
        """Take steps 3 and 4; give the nodes that share a first degree hash, in order of the hash."""
        nodes_by_hash: dict[str, list[str]] = {}
        for node in self._mentions:
            digest = self._first_degree[node] = self._hash_first_degree(node)
            nodes_by_hash.setdefault(digest, []).append(node)
        shared = []
        for digest in sorted(nodes_by_hash):
            if len(nodes_by_hash[digest]) == 1:
                self.canonical.issue(nodes_by_hash[digest][0])
            else:
                shared.append(nodes_by_hash[digest])
        return shared

    def label_shared_nodes(self, group: Sequence[str]) -> None:
        """Take step 5 for the nodes of one first degree hash."""
        hash_paths: list[tuple[str, _Issuer]] = []
        for node in group:
            if node in self.canonical.issued:
                continue
            issuer = _Issuer("_:b")
            issuer.issue(node)
            hash_paths.append(self._hash_n_degree(node, issuer, 0))
        for _, issuer in sorted(hash_paths, key=lambda path: path[0]):
            for existing in issuer.issued:
                self.canonical.issue(existing)

    def _hash(self, text: str) -> str:
        return self._new_hash(text.encode()).hexdigest()

    def _spend(self) -> None:
        self._left -= 1
        if self._left < 0:
            raise LimitExceeded("poison-graph", f"blank nodes told apart in at most {self._budget} steps")

    def _hash_first_degree(self, node: str) -> str:
        """Hash First Degree Quads (section 4.6.3)."""
        marks = {node: "_:a"}
        lines = [
            nquads.write_quad(
                (
                    marks.get(subject, "_:z") if subject[0] == "_" else subject,
                    predicate,
                    marks.get(obj, "_:z") if obj[0] == "_" else obj,
                    marks.get(graph, "_:z") if graph[:1] == "_" else graph,
                )
            )
            for subject, predicate, obj, graph in self._mentions[node]
        ]
        lines.sort()
        return self._hash("".join(lines))

    def _hash_related(self, related: str, quad: Quad, issuer: _Issuer, position: str) -> str:
        """Hash Related Blank Node (section 4.7.3)."""
        label = (
            self.canonical.issued.get(related) or issuer.issued.get(related) or self._first_degree[related]
        )
        return self._hash(position + (quad[1] if position != "g" else "") + label)

    def _hash_n_degree(self, node: str, issuer: _Issuer, depth: int) -> tuple[str, _Issuer]:
        """Hash N-Degree Quads (section 4.8.3)."""
        self._spend()
        if depth > _MAX_DEPTH:
            raise LimitExceeded("poison-graph", f"chains of at most {_MAX_DEPTH} indistinct blank nodes")
        related_by_hash = self._collect_related(node, issuer)
        # 4, 5: the shortest path through each set of related nodes.
        data_to_hash = []
        for related_hash in sorted(related_by_hash):
            path, issuer = self._choose_path(related_by_hash[related_hash], issuer, depth)
            data_to_hash.append(related_hash + path)
        return self._hash("".join(data_to_hash)), issuer

    def _collect_related(self, node: str, issuer: _Issuer) -> dict[str, list[str]]:
        """Take steps 1 to 3: the other blank nodes of a node's statements, by their related hash."""
        related_by_hash: dict[str, list[str]] = {}
        for quad in self._mentions[node]:
            for position, component in (("s", quad[0]), ("o", quad[2]), ("g", quad[3])):
                if nquads.is_blank(component) and component != node:
                    self._spend()
                    related_hash = self._hash_related(component, quad, issuer, position)
                    related_by_hash.setdefault(related_hash, []).append(component)
        return related_by_hash

    def _choose_path(self, nodes: Sequence[str], issuer: _Issuer, depth: int) -> tuple[str, _Issuer]:
        """Take steps 5.2 to 5.6: of all orders of the nodes, the one that gives the shortest path."""
        chosen_path, chosen_issuer = "", issuer
        for order in permutations(nodes):
            candidate = self._follow(order, issuer.copy(), chosen_path, depth)
            if candidate is not None and (not chosen_path or candidate[0] < chosen_path):
                chosen_path, chosen_issuer = candidate
        return chosen_path, chosen_issuer

    def _follow(
        self, order: Sequence[str], issuer: _Issuer, chosen_path: str, depth: int
    ) -> tuple[str, _Issuer] | None:
        """Take steps 5.4.1 to 5.4.5 for one order; None where it can't become the shortest path."""
        path = ""
        recursion_list = []
        for related in order:
            self._spend()
            label = self.canonical.issued.get(related)
            if label is None:
                if related not in issuer.issued:
                    recursion_list.append(related)
                label = issuer.issue(related)
            path += label
            if _is_longer(path, chosen_path):
                return None
        for related in recursion_list:
            digest, result = self._hash_n_degree(related, issuer, depth + 1)
            path += f"{issuer.issue(related)}<{digest}>"
            issuer = result
            if _is_longer(path, chosen_path):
                return None
        return path, issuer


def _is_longer(path: str, chosen_path: str) -> bool:
    return bool(chosen_path) and len(path) >= len(chosen_path) and path > chosen_path

"""Merkle trees: equal to RFC 6962's recursive definition, and no altered proof verifies."""

from __future__ import annotations

import hashlib
from base64 import b64decode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding import json, merkle
from vcid.encoding.merkle import Frontier, Node
from vcid.errors import InvalidProof

LEAVES = [merkle.leaf_hash(bytes([number])) for number in range(131)]
# The published case whose two roots are of 12 bytes: no SHA-256 tree has such a root, so it is refused here.
SHORT_ROOTS = "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json"

SIZES = st.integers(1, len(LEAVES))
HUGE = st.integers(1, merkle.MAX_SIZE)


def defined_root(leaves):
    """The root by the recursive definition of RFC 6962, section 2.1."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = largest_power_below(len(leaves))
    left, right = defined_root(leaves[:split]), defined_root(leaves[split:])
    return hashlib.sha256(b"\x01" + left + right).digest()


def defined_path(index, leaves):
    """The audit path by the definition of RFC 6962, section 2.1.1."""
    if len(leaves) == 1:
        return []
    split = largest_power_below(len(leaves))
    if index < split:
        return [*defined_path(index, leaves[:split]), defined_root(leaves[split:])]
    return [*defined_path(index - split, leaves[split:]), defined_root(leaves[:split])]


def defined_consistency(old, leaves, *, whole=True):
    """The consistency proof by the definition of RFC 6962, section 2.1.2."""
    if old == len(leaves):
        return [] if whole else [defined_root(leaves)]
    split = largest_power_below(len(leaves))
    if old <= split:
        return [*defined_consistency(old, leaves[:split], whole=whole), defined_root(leaves[split:])]
    return [*defined_consistency(old - split, leaves[split:], whole=False), defined_root(leaves[:split])]


def largest_power_below(size):
    power = 1
    while power * 2 < size:
        power *= 2
    return power


def code_of(verify, *args):
    with pytest.raises(InvalidProof) as caught:
        verify(*args)
    return caught.value.code


def alterations(proof, other=LEAVES[130]):
    """Every proof with one bit, one hash or one place changed."""
    for place, value in enumerate(proof):
        yield [*proof[:place], bytes([value[0] ^ 1]) + value[1:], *proof[place + 1 :]]
        yield [*proof[:place], value[:-1] + bytes([value[-1] ^ 0x80]), *proof[place + 1 :]]
        yield [*proof[:place], *proof[place + 1 :]]
        yield [*proof[:place], value, *proof[place:]]
        yield [*proof[:place], other, *proof[place:]]
        if place:
            yield [*proof[: place - 1], value, proof[place - 1], *proof[place + 1 :]]
    yield [*proof, other]
    yield proof + [other] * 70


class TestTrees:
    """`root`, the proofs and their verification, against the definitions."""

    def test_known_hashes(self):
        """The empty tree, a leaf and a node have the hashes that RFC 6962 gives them; the prefixes differ."""
        assert merkle.root([]) == merkle.EMPTY_ROOT == hashlib.sha256(b"").digest()
        assert (
            merkle.leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"
        )
        left, right = LEAVES[:2]
        assert merkle.root([left, right]) == merkle.node_hash(left, right) != merkle.leaf_hash(left + right)

    def test_every_size_matches_the_definition(self):
        """Roots of all sizes to 130, and inclusion proofs of the small and some large ones, are as defined."""
        for size in range(len(LEAVES)):
            leaves = LEAVES[:size]
            root = defined_root(leaves)
            assert merkle.root(leaves) == root
            for index in range(size) if size < 18 or size % 31 == 0 else ():
                proof = merkle.inclusion_proof(leaves, index)
                assert proof == defined_path(index, leaves)
                merkle.verify_inclusion(leaves[index], index, size, proof, root)

    def test_every_growth_of_small_trees(self):
        """Consistency proofs between all sizes to 33 are as defined and verify."""
        roots = [defined_root(LEAVES[:size]) for size in range(34)]
        for new in range(1, 34):
            for old in range(1, new + 1):
                proof = merkle.consistency_proof(LEAVES[:new], old)
                assert proof == defined_consistency(old, LEAVES[:new])
                merkle.verify_consistency(old, new, proof, roots[old], roots[new])

    @settings(max_examples=60, deadline=None)
    @given(SIZES, st.data())
    def test_growth_matches_the_definition(self, size, data):
        """A consistency proof between any two sizes is as defined and verifies."""
        old = data.draw(st.integers(1, size))
        leaves = LEAVES[:size]
        proof = merkle.consistency_proof(leaves, old)
        assert proof == defined_consistency(old, leaves)
        merkle.verify_consistency(old, size, proof, defined_root(leaves[:old]), defined_root(leaves))

    def test_altered_inclusion_fails(self):
        """A flipped bit, an omitted, added, repeated or swapped hash, another leaf, place or size: all fail."""
        for size in (1, 2, 3, 5, 7, 8, 13, 64, 130):
            leaves, root = LEAVES[:size], merkle.root(LEAVES[:size])
            for index in {0, size // 2, size - 1}:
                proof = merkle.inclusion_proof(leaves, index)
                for altered in alterations(proof):
                    code_of(merkle.verify_inclusion, leaves[index], index, size, altered, root)
                for other in range(size):
                    if other != index:
                        code_of(merkle.verify_inclusion, leaves[index], other, size, proof, root)
                        code_of(merkle.verify_inclusion, leaves[other], index, size, proof, root)
                code_of(merkle.verify_inclusion, leaves[index], index, size, proof, LEAVES[130])

    def test_altered_consistency_fails(self):
        """The same for consistency, with either root replaced and both exchanged."""
        for old, new in (
            (1, 2),
            (1, 8),
            (2, 3),
            (3, 4),
            (3, 7),
            (5, 6),
            (4, 8),
            (6, 8),
            (7, 8),
            (64, 100),
            (65, 129),
        ):
            proof = merkle.consistency_proof(LEAVES[:new], old)
            roots = merkle.root(LEAVES[:old]), merkle.root(LEAVES[:new])
            for altered in alterations(proof):
                code_of(merkle.verify_consistency, old, new, altered, *roots)
            code_of(merkle.verify_consistency, old, new, proof, roots[1], roots[0])
            code_of(merkle.verify_consistency, old, new, proof, LEAVES[130], roots[1])
            code_of(merkle.verify_consistency, old, new, proof, roots[0], LEAVES[130])

    @settings(max_examples=200, deadline=None)
    @given(SIZES, SIZES, SIZES, st.data())
    def test_a_proof_for_other_numbers_fails(self, size, other, index, data):
        """An inclusion proof holds for another size only if that tree's proof is the same."""
        index = (index - 1) % size
        claimed = data.draw(st.integers(0, other - 1))
        proof = merkle.inclusion_proof(LEAVES[:size], index)
        root = merkle.root(LEAVES[:size])
        if (claimed, other) != (index, size):
            code_of(
                merkle.verify_inclusion, LEAVES[claimed], claimed, other, proof, merkle.root(LEAVES[:other])
            )
            if claimed != index:
                code_of(merkle.verify_inclusion, LEAVES[claimed], claimed, other, proof, root)

    def test_an_inner_node_is_no_leaf(self):
        """An entry that spells out two hashes can't pose as the node above them."""
        leaves = LEAVES[:4]
        inner = merkle.node_hash(*leaves[:2])
        proof = [merkle.node_hash(*leaves[2:])]
        root = merkle.root(leaves)
        assert merkle.node_hash(inner, proof[0]) == root
        code_of(merkle.verify_inclusion, inner, 0, 4, proof, root)
        code_of(merkle.verify_inclusion, merkle.leaf_hash(leaves[0] + leaves[1]), 0, 2, proof, root)

    @pytest.mark.parametrize("length", [0, 31, 33])
    def test_hashes_have_32_bytes(self, length):
        """A short or long hash is refused wherever it stands, also where nothing would be hashed."""
        odd, leaf, root = bytes(length), LEAVES[0], merkle.root(LEAVES[:2])
        for args in ((odd, 0, 1, [], odd), (odd, 0, 2, LEAVES[1:2], root), (leaf, 0, 2, [odd], root)):
            assert code_of(merkle.verify_inclusion, *args) == "wrong-hash-length"
        for args in ((1, 1, [], odd, odd), (1, 2, [odd], leaf, root), (1, 2, LEAVES[1:2], leaf, odd)):
            assert code_of(merkle.verify_consistency, *args) == "wrong-hash-length"
        for build in (merkle.root, merkle.complete_nodes, Frontier().extend):
            with pytest.raises(ValueError, match="32 bytes"):
                build([leaf, odd])

    @pytest.mark.parametrize("size", [0, -1, 2**63, 2**64])
    def test_sizes_are_from_1_to_below_2_to_63(self, size):
        """Empty, negative and huge trees have no proofs."""
        leaf = LEAVES[0]
        assert code_of(merkle.verify_inclusion, leaf, 0, size, [], leaf) == "wrong-size"
        assert code_of(merkle.verify_consistency, size, size, [], leaf, leaf) == "wrong-size"
        assert code_of(merkle.verify_consistency, 1, size, [leaf], leaf, leaf) == "wrong-size"

    def test_an_index_is_within_its_tree(self):
        """Below 0 or at the size there is no leaf, and an old tree is no larger than the new one."""
        leaf = LEAVES[0]
        for index, size in ((1, 1), (-1, 1), (5, 4), (2**63, 2**63 - 1)):
            assert code_of(merkle.verify_inclusion, leaf, index, size, [], leaf) == "wrong-size"
            with pytest.raises(ValueError, match="index"):
                merkle.inclusion_nodes(index, size)
        assert code_of(merkle.verify_consistency, 3, 2, [leaf], leaf, leaf) == "wrong-size"
        for old in (0, -1, 4):
            with pytest.raises(ValueError, match="old_size"):
                merkle.consistency_proof(LEAVES[:3], old)

    def test_trees_of_one_size(self):
        """The same size needs no proof, admits none, and has one root."""
        merkle.verify_consistency(3, 3, [], LEAVES[0], LEAVES[0])
        assert code_of(merkle.verify_consistency, 3, 3, [], LEAVES[0], LEAVES[1]) == "wrong-root"
        assert (
            code_of(merkle.verify_consistency, 3, 3, LEAVES[:1], LEAVES[0], LEAVES[0]) == "wrong-proof-length"
        )

    @settings(max_examples=300)
    @given(HUGE, HUGE, st.lists(st.sampled_from(LEAVES[:3]), max_size=66))
    def test_hostile_proofs_end(self, one, other, proof):
        """Any numbers and hashes are refused, at any size, with nothing but InvalidProof."""
        small, large = sorted((one, other))
        code_of(merkle.verify_inclusion, LEAVES[0], small - 1, large, proof, LEAVES[130])
        code_of(merkle.verify_consistency, small, large, proof, LEAVES[129], LEAVES[130])


class TestStoredNodes:
    """What a log reads and writes: `Frontier` and the functions that name nodes."""

    @settings(max_examples=60, deadline=None)
    @given(st.lists(st.integers(0, 40), max_size=5))
    def test_batches_of_any_size_build_one_tree(self, batches):
        """Appending in batches stores each complete node once and reaches the root of the whole."""
        frontier, stored, size = Frontier(), {}, 0
        for batch in batches:
            leaves = [merkle.leaf_hash(number.to_bytes(2, "big")) for number in range(size, size + batch)]
            frontier, completed = frontier.extend(leaves)
            assert not stored.keys() & dict(completed).keys()
            stored.update(completed)
            size += batch
        leaves = [merkle.leaf_hash(number.to_bytes(2, "big")) for number in range(size)]
        assert frontier.size == size
        assert frontier.root == defined_root(leaves)
        assert stored == merkle.complete_nodes(leaves)
        # The log needs nothing but its stored nodes to go on after a restart.
        assert Frontier(size, tuple(stored[node] for node in merkle.root_nodes(size))) == frontier

    @settings(max_examples=60, deadline=None)
    @given(SIZES, SIZES, st.data())
    def test_proofs_of_any_past_tree_come_from_stored_nodes(self, size, past, data):
        """Nodes stored by a larger tree prove inclusion and growth in any smaller one."""
        past = min(size, past)
        stored = merkle.complete_nodes(LEAVES[:size])
        index, old = data.draw(st.integers(0, past - 1)), data.draw(st.integers(1, past))
        assert merkle.assemble([merkle.root_nodes(past)], stored) == [defined_root(LEAVES[:past])]
        inclusion = merkle.assemble(merkle.inclusion_nodes(index, past), stored)
        assert inclusion == defined_path(index, LEAVES[:past])
        consistency = merkle.assemble(merkle.consistency_nodes(old, past), stored)
        assert consistency == defined_consistency(old, LEAVES[:past])

    @settings(max_examples=200)
    @given(HUGE, HUGE)
    def test_reads_are_logarithmic_at_any_size(self, one, other):
        """A tree of 2^63 leaves is proven by some hundred nodes, each complete and each named once."""
        small, large = sorted((one, other))
        named = (
            [merkle.root_nodes(large)],
            merkle.inclusion_nodes(small - 1, large),
            merkle.consistency_nodes(small, large),
        )
        for groups in named:
            nodes = [node for group in groups for node in group]
            assert len(nodes) == len(set(nodes)) <= 2 * 63
            assert all((node.offset + 1) << node.level <= large for node in nodes)

    def test_names_nodes_by_level_and_offset(self):
        """Seven leaves: the tree's root folds from a four, a two and a one."""
        assert merkle.root_nodes(7) == (Node(2, 0), Node(1, 2), Node(0, 6))
        assert merkle.inclusion_nodes(4, 7) == [(Node(0, 5),), (Node(0, 6),), (Node(2, 0),)]
        assert merkle.inclusion_nodes(0, 7) == [(Node(0, 1),), (Node(1, 1),), (Node(1, 2), Node(0, 6))]
        assert merkle.consistency_nodes(4, 7) == [(Node(1, 2), Node(0, 6))]
        assert merkle.root_nodes(0) == ()
        assert merkle.inclusion_nodes(0, 1) == merkle.consistency_nodes(3, 3) == []

    def test_a_missing_node_is_noticed(self):
        """A store that lost a hash can't give a proof."""
        stored = merkle.complete_nodes(LEAVES[:7])
        del stored[Node(1, 1)]
        with pytest.raises(KeyError):
            merkle.assemble(merkle.inclusion_nodes(0, 7), stored)

    @pytest.mark.parametrize(
        ("size", "hashes"),
        [
            (1, ()),
            (0, (LEAVES[0],)),
            (2, (LEAVES[0], LEAVES[1])),
            (1, (b"short",)),
            (-1, ()),
            (2**63, (LEAVES[0],)),
        ],
    )
    def test_a_frontier_fits_its_size(self, size, hashes):
        """A wrong number or length of hashes is noticed when a log is opened, not when it has signed."""
        with pytest.raises(ValueError, match=r"32 bytes|2\^63"):
            Frontier(size, hashes)

    def test_a_frontier_does_not_outgrow_its_range(self):
        """The last leaf that fits is the last one appended."""
        full = Frontier(merkle.MAX_SIZE, (LEAVES[0],) * 63)
        with pytest.raises(ValueError, match="2\\^63"):
            full.extend(LEAVES[:1])
        with pytest.raises(ValueError, match="2\\^63"):
            merkle.root_nodes(2**63)


class TestOfficialVectors:
    """The test data of transparency-dev/merkle."""

    def run(self, vectors, kind, verify):
        folder = vectors / "merkle" / "testdata"
        outcomes = {}
        for path in sorted((folder / kind).rglob("*.json")):
            case = json.parse_object(path.read_bytes())
            try:
                verify(case)
            except InvalidProof as error:
                outcomes[path.relative_to(folder).as_posix()] = (case["wantErr"], error.code)
            else:
                outcomes[path.relative_to(folder).as_posix()] = (case["wantErr"], None)
        return outcomes

    def test_inclusion(self, vectors, tally):
        """Each inclusion case verifies or fails as published."""
        outcomes = self.run(
            vectors,
            "inclusion",
            lambda case: merkle.verify_inclusion(
                decode(case["leafHash"]),
                case["leafIdx"],
                case["treeSize"],
                decode_all(case),
                decode(case["root"]),
            ),
        )
        tally(f"merkle: {len(outcomes)} inclusion proofs")
        assert len(outcomes) >= 98
        assert [name for name, (wanted, code) in outcomes.items() if wanted != (code is not None)] == []

    def test_consistency(self, vectors, tally):
        """Each consistency case verifies or fails as published, but for the one with short roots."""
        outcomes = self.run(
            vectors,
            "consistency",
            lambda case: merkle.verify_consistency(
                case["size1"], case["size2"], decode_all(case), decode(case["root1"]), decode(case["root2"])
            ),
        )
        tally(f"merkle: {len(outcomes)} consistency proofs, 1 of them refused on purpose")
        assert len(outcomes) >= 98
        assert outcomes.pop(SHORT_ROOTS) == (False, "wrong-hash-length")
        assert [name for name, (wanted, code) in outcomes.items() if wanted != (code is not None)] == []


def decode(text):
    return b64decode(text or "")


def decode_all(case):
    return [decode(text) for text in case["proof"] or []]

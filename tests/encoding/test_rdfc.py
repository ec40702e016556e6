"""RDFC-1.0 gives every dataset of the official suite its labels, and poison none."""

import contextlib
import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding import rdf, rdfc
from vcid.encoding.nquads import parse, write
from vcid.errors import LimitExceeded, Malformed, VcidError

HASHES = {"SHA256": "sha256", "SHA384": "sha384"}


@pytest.fixture(scope="module")
def suite(vectors):
    """The official test suite: its folder, and its tests by kind."""
    folder = vectors / "rdf-canon" / "tests"
    tests = json.loads((folder / "manifest.jsonld").read_text(encoding="utf-8"))["entries"]
    by_type = {}
    for test in tests:
        by_type.setdefault(test["type"], []).append(test)
    return folder, by_type


def test_every_kind_of_test_is_run(suite, tally):
    """Evaluation, map and poison tests: the suite has no fourth kind."""
    kinds = {kind.removeprefix("rdfc:"): len(group) for kind, group in suite[1].items()}
    tally("rdf-canon: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items()))
    assert len(kinds) == 3


def test_official_datasets_get_their_canonical_form(suite):
    """Each evaluation test gives the published bytes, within the default budget."""
    folder, tests = suite
    for test in tests["rdfc:RDFC10EvalTest"]:
        name = HASHES[test.get("hashAlgorithm", "SHA256")]
        result = rdf.canonicalize_nquads((folder / test["action"]).read_bytes(), hash_name=name)
        assert result == (folder / test["result"]).read_bytes(), test["id"]
    assert len(tests["rdfc:RDFC10EvalTest"]) == 64


def test_official_datasets_get_their_labels(suite):
    """Each map test gives the published identifiers."""
    folder, tests = suite
    for test in tests["rdfc:RDFC10MapTest"]:
        name = HASHES[test.get("hashAlgorithm", "SHA256")]
        labels = rdfc.issue_labels(parse((folder / test["action"]).read_bytes()), hash_name=name)
        expected = json.loads((folder / test["result"]).read_text(encoding="utf-8"))
        assert {old[2:]: new[2:] for old, new in labels.items()} == expected, test["id"]
    assert len(tests["rdfc:RDFC10MapTest"]) == 21


def test_official_poison_is_refused(suite):
    """Each negative test exceeds the budget."""
    folder, tests = suite
    for test in tests["rdfc:RDFC10NegativeEvalTest"]:
        with pytest.raises(LimitExceeded):
            rdf.canonicalize_nquads((folder / test["action"]).read_bytes())
    assert len(tests["rdfc:RDFC10NegativeEvalTest"]) == 1


def clique(size):
    return {(f"_:n{i}", "<u:p>", f"_:n{j}", "") for i in range(size) for j in range(size) if i != j}


@pytest.mark.parametrize("size", [9, 10, 40])
def test_cliques_are_refused_before_they_cost(size):
    """A clique of nine takes the general algorithm minutes; the budget ends it at once."""
    dataset = clique(size)
    rdfc.canonicalize(clique(2))
    started = time.thread_time()
    with pytest.raises(LimitExceeded) as caught:
        rdfc.canonicalize(dataset)
    assert time.thread_time() - started < 0.05
    assert caught.value.code == "poison-graph"


def test_long_chains_of_indistinct_nodes_are_refused():
    """A chain deeper than the stack is a typed error and no RecursionError, whatever the budget."""
    ring = {(f"_:n{i}", "<u:p>", f"_:n{(i + 1) % 3000}", "") for i in range(3000)}
    with pytest.raises(LimitExceeded):
        rdfc.canonicalize(ring, budget=10**9)


def test_the_budget_is_the_callers():
    """A clique of four fits a budget large enough, and no smaller one."""
    assert rdfc.canonicalize(clique(4), budget=100_000).count(b"\n") == 12
    with pytest.raises(LimitExceeded):
        rdfc.canonicalize(clique(4), budget=10)


def test_many_distinct_nodes_cost_no_budget():
    """Where each first degree hash is unique, no step of the general algorithm is taken."""
    dataset = {(f"_:n{i}", "<u:p>", f'"{i}"', "") for i in range(2000)}
    assert rdfc.canonicalize(dataset, budget=0).count(b"\n") == 2000


@pytest.mark.parametrize("name", ["md5", "sha512", ""])
def test_other_hashes_are_no_choice(name):
    """RDFC-1.0 is used with two hashes by the suites this serves."""
    with pytest.raises(ValueError, match="sha256"):
        rdfc.canonicalize(set(), hash_name=name)


NODES = st.sampled_from(["_:a", "_:b", "_:c", "_:d", "<u:x>"])
QUADS = st.tuples(
    NODES, st.sampled_from(["<u:p>", "<u:q>"]), NODES | st.just('"v"'), st.sampled_from(["", "_:a", "_:g"])
)


@given(st.lists(QUADS, max_size=6), st.permutations(["_:e", "_:f", "_:g1", "_:h", "_:i"]))
@settings(max_examples=300, deadline=None)
def test_labels_and_order_don_t_matter(quads, names):
    """Renaming blank nodes and reordering statements leaves the canonical form as it is."""
    renamed = dict(zip(["_:a", "_:b", "_:c", "_:d", "_:g"], names, strict=True))
    other = [tuple(renamed.get(term, term) for term in quad) for quad in reversed(quads)]
    canonical = rdfc.canonicalize(quads)
    assert rdfc.canonicalize(other) == canonical
    assert rdfc.canonicalize(parse(canonical)) == canonical
    assert write(parse(canonical)) == canonical


@given(st.binary(max_size=60))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_raise_only_vcid_errors(data):
    """canonicalize_nquads reads hostile input."""
    with contextlib.suppress(VcidError):
        rdf.canonicalize_nquads(data)


def test_different_datasets_differ():
    """Isomorphism is decided exactly: one more link tells two rings apart."""
    ring = {(f"_:n{i}", "<u:p>", f"_:n{(i + 1) % 4}", "") for i in range(4)}
    pairs = {(f"_:n{i}", "<u:p>", f"_:n{i ^ 1}", "") for i in range(4)}
    assert rdfc.canonicalize(ring) != rdfc.canonicalize(pairs)


def test_malformed_documents_are_malformed():
    """The parser's errors come through."""
    with pytest.raises(Malformed):
        rdf.canonicalize_nquads(b"<a>")

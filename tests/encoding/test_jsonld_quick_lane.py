"""The quick lane to RDF: it takes the usual document, says what the complete lane says, and never more."""

from __future__ import annotations

import copy
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding import json, rdfc
from vcid.encoding.contexts import Contexts
from vcid.encoding.jsonld.conversion import to_rdf
from vcid.encoding.jsonld.quick_lane import convert
from vcid.errors import VcidError

CARRIED = Contexts.carried()
V2 = "https://www.w3.org/ns/credentials/v2"
SECURITY = "https://w3id.org/security/data-integrity/v2"
TRICKY = "https://x.example/tricky"
# Scoped contexts that alias keywords, coerce, reverse, nest and un-define: all that the quick lane must see.
KNOWN = CARRIED.with_context(
    TRICKY,
    {
        "@context": {
            "id": "@id",
            "type": "@type",
            "x": "https://x.example/",
            "plain": "x:plain",
            "link": {"@id": "x:link", "@type": "@id"},
            "word": {"@id": "x:word", "@type": "@vocab"},
            "date": {"@id": "x:date", "@type": "x:date"},
            "tagged": {"@id": "x:tagged", "@language": "en"},
            "set": {"@id": "x:set", "@container": "@set"},
            "list": {"@id": "x:list", "@container": "@list"},
            "map": {"@id": "x:map", "@container": "@index"},
            "json": {"@id": "x:json", "@type": "@json"},
            "back": {"@reverse": "x:back"},
            "gone": None,
            "value": "@value",
            "graph": "@graph",
            "also": "@type",
            "scoped": {
                "@id": "x:scoped",
                "@context": {"plain": None, "inner": {"@id": "x:inner", "@type": "@id"}, "name": "@id"},
            },
            "coerced": {"@id": "x:coerced", "@context": {"coerced": {"@id": "x:coerced", "@type": "@id"}}},
            "Kind": {"@id": "x:Kind", "@context": {"link": "x:other", "plain": "@nest", "own": "x:own"}},
            "Lasting": {
                "@id": "x:Lasting",
                "@context": {"@propagate": True, "own": "x:own", "val": "@value"},
            },
            "Other": "x:Other",
        }
    },
)

USUAL = {
    "@context": [V2, SECURITY],
    "id": "urn:uuid:3c1c1e9e-53b7-4a4f-a7b0-5f5a3c4f8f10",
    "type": ["VerifiableCredential"],
    "issuer": {"id": "did:web:civil.example", "name": "Example Office"},
    "validFrom": "2025-01-01T00:00:00Z",
    "credentialSubject": [{"id": "did:example:child", "name": "Amína", "description": 3.5}],
    "credentialStatus": {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "94567",
        "statusListCredential": "https://civil.example/status/3",
    },
}


def vouches_for(document, contexts) -> bool:
    return convert(document, contexts=contexts) is not None


def agree(document, contexts) -> bool:
    """Whether the quick lane takes a document; if so, it has to say what the complete one says."""
    quads = convert(document, contexts=contexts)
    if quads is not None:
        complete = to_rdf(document, contexts=contexts)
        assert len(quads) == len(complete)
        assert rdfc.canonicalize(quads) == rdfc.canonicalize(complete)
    return quads is not None


def is_meaningful(document, contexts=CARRIED) -> bool:
    try:
        to_rdf(document, contexts=contexts)
    except VcidError:
        return False
    return True


def test_the_usual_document_takes_the_quick_lane():
    """A credential of published contexts, with objects, lists and text of any script."""
    assert agree(USUAL, CARRIED)


def replaced(*path, by):
    def change(document):
        for step in path[:-1]:
            document = document[step]
        document[path[-1]] = by

    return change


@pytest.mark.parametrize(
    "change",
    [
        replaced("undefined", by="x"),
        replaced("credentialSubject", 0, "undefined", by="x"),
        replaced("credentialSubject", 0, "@type", by="x y"),
        replaced("credentialSubject", 0, "id", by="relative"),
        replaced("credentialSubject", 0, "id", by=7),
        replaced("credentialSubject", 0, "name", by=None),
        replaced("credentialSubject", 0, "name", by="\ud800"),
        replaced("credentialSubject", 0, "description", by=float("inf")),
        replaced("type", by=["VerifiableCredential", "Undefined"]),
        replaced("type", by=["VerifiableCredential", 7]),
        replaced("credentialStatus", "statusListCredential", by="relative"),
        replaced("@context", by=[V2, "https://unknown.example/v1"]),
        replaced("@context", by=[]),
        replaced("@context", by=None),
        replaced("@context", by=7),
    ],
)
def test_what_has_no_meaning_is_never_vouched_for(change):
    """Each of these is refused by the complete lane, so the quick one leaves it alone."""
    document = copy.deepcopy(USUAL)
    change(document)
    assert not vouches_for(document, contexts=CARRIED)
    assert not is_meaningful(document)


@pytest.mark.parametrize(
    "change",
    [
        replaced("@context", by=[V2, SECURITY, {"office": "https://x.example/office"}]),
        replaced("credentialSubject", 0, "@context", by=SECURITY),
        replaced("credentialSubject", 0, "https://x.example/office", by="x"),
    ],
)
def test_the_unusual_is_left_to_the_complete_lane(change):
    """Legal, but beyond what the quick lane goes into."""
    document = copy.deepcopy(USUAL)
    change(document)
    assert not vouches_for(document, contexts=CARRIED)
    assert is_meaningful(document)


def test_depth_is_left_to_the_complete_lane():
    """Running out of stack is no answer."""
    document: dict = {"plain": "x"}
    for _ in range(5000):
        document = {"set": document}
    assert not vouches_for({"@context": TRICKY, **document}, contexts=KNOWN)


_NAMES = (
    *("id", "type", "plain", "link", "word", "date", "tagged", "set", "list", "map", "json", "back", "gone"),
    *(
        "value",
        "graph",
        "also",
        "scoped",
        "coerced",
        "inner",
        "name",
        "own",
        "val",
        "x",
        "x:plain",
        "@id",
        "@type",
    ),
    *("@value", "@context", "@set", "@list"),
)
_TEXTS = st.sampled_from(
    [
        "Kind",
        "Lasting",
        "Other",
        "plain",
        "https://x.example/1",
        "x:1",
        "_:b",
        "relative",
        "",
        "%zz:x",
        "@id",
        "\ud800",
    ]
)
_VALUES = st.recursive(
    _TEXTS | st.none() | st.booleans() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=500, deadline=None)
@given(st.dictionaries(st.sampled_from(_NAMES), _VALUES, min_size=1, max_size=5))
def test_the_quick_lane_never_goes_further_than_the_complete_one(members):
    """Whatever stands in a document of tricky contexts: vouched for, it has a meaning throughout."""
    document = {**members, "@context": TRICKY}
    agree(document, KNOWN)


# The same with sound members mostly, so that many documents are vouched for.
_FLAT = {
    "id": st.sampled_from(["https://x.example/1", "x:2"]),
    "type": st.sampled_from(["Kind", "Lasting", "Other", ["Kind", "Other"], ["Lasting", "Kind"]]),
    "plain": st.sampled_from(["text", 7, True, 3.5, -0.0, 1e21, 'say "so"\n', "\u00ed\x7f", ["a", "a", 1]]),
    "tagged": st.sampled_from(["text", 7, ["a", "b"]]),
    "date": st.sampled_from(["2025", 2025, False]),
    "set": st.sampled_from(["a", ["a", 1.0], 2]),
    "own": st.sampled_from(["text", "x:1"]),
    "inner": st.sampled_from(["x:1", "text"]),
    "link": st.sampled_from(["x:1", "text"]),
    "word": st.sampled_from(["Other", "text", "x:1"]),
    "coerced": st.sampled_from(["x:1", "text"]),
    "val": st.just("text"),
    "name": st.sampled_from(["x:1", "text"]),
}
_MEMBER = st.sampled_from(sorted(_FLAT)).flatmap(lambda name: st.tuples(st.just(name), _FLAT[name]))
_SOUND = st.recursive(
    st.lists(_MEMBER, max_size=3).map(dict),
    lambda inner: st.lists(
        _MEMBER | st.tuples(st.sampled_from(["link", "coerced", "scoped", "set", "plain"]), inner), max_size=4
    ).map(dict),
    max_leaves=5,
)


@settings(max_examples=500, deadline=None)
@given(_SOUND)
def test_scoped_contexts_mean_the_same_in_both_lanes(members):
    """Types and properties that bring contexts, which end or last: both write the same statements."""
    document = {**members, "@context": TRICKY}
    agree(document, KNOWN)


def test_official_documents_mean_the_same_in_both_lanes(vectors, tally):
    """Every signed document of the suites' vectors: vouched for only where the complete lane agrees."""
    (path,) = (vectors / "citizenship-contexts" / "contexts").rglob("citizenship-v4rc1.json*")
    contexts = CARRIED.with_context(
        "https://w3id.org/citizenship/v4rc1", json.parse_object(path.read_bytes())
    )
    quick = total = 0
    for file in sorted(vectors.glob("vc-di-e*/**/*.json")):
        document = json.parse(file.read_bytes())
        if not isinstance(document, dict) or "@context" not in document:
            continue
        document.pop("proof", None)
        total += 1
        quick += agree(document, contexts)
    tally(f"quick lane: {quick} of {total} documents")
    assert quick > total // 2


def test_the_suite_of_json_ld_means_the_same_in_both_lanes(vectors, tally):
    """Each document of the API's tests, its own context published for it: the lanes agree or one declines."""
    quick = total = 0
    for file in sorted((vectors / "json-ld-api" / "tests" / "toRdf").rglob("*.jsonld")):
        document = json.parse(file.read_bytes())
        if not isinstance(document, dict) or not isinstance(document.get("@context"), dict):
            continue
        total += 1
        contexts = None
        with suppress(VcidError):
            contexts = Contexts({TRICKY: {"@context": document["@context"]}})
        quick += contexts is not None and agree({**document, "@context": TRICKY}, contexts)
    tally(f"quick lane: {quick} of {total} documents of json-ld-api")
    assert quick > 10


def test_threads_share_the_tables():
    """Eight threads through the same tables all get the same answers."""
    bad = {**USUAL, "undefined": 1}
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda turn: vouches_for(bad if turn % 2 else USUAL, contexts=CARRIED), range(800))
        assert [*answers] == [True, False] * 400

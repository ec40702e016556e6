"""Nothing of a document is left behind in silence: each way to lose a value is a fault with its place."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding import rdf
from vcid.encoding.contexts import Contexts
from vcid.errors import InvalidRecord, LimitExceeded, Malformed, VcidError

V2 = "https://www.w3.org/ns/credentials/v2"
CARRIED = Contexts.carried()
CONTEXT = {
    "id": "@id",
    "type": "@type",
    "name": "https://example.org/name",
    "link": {"@id": "https://example.org/link", "@type": "@id"},
    "when": {"@id": "https://example.org/when", "@type": "https://example.org/date"},
    "kind": {"@id": "https://example.org/kind", "@type": "@vocab"},
    "list": {"@id": "https://example.org/list", "@container": "@list"},
    "index": {"@id": "https://example.org/index", "@container": "@index"},
    "langs": {"@id": "https://example.org/langs", "@container": "@language"},
    "graph": {"@id": "https://example.org/graph", "@type": "@id", "@container": "@graph"},
    "json": {"@id": "https://example.org/json", "@type": "@json"},
    "nothing": None,
    "back": {"@reverse": "https://example.org/name"},
    "nest": "@nest",
}


def lines(document):
    """The canonical statements of a document under the context above."""
    return rdf.canonicalize({"@context": CONTEXT, **document}, contexts=CARRIED).decode().splitlines()


def faults(document, context=CONTEXT):
    with pytest.raises(InvalidRecord) as caught:
        rdf.canonicalize({"@context": context, **document}, contexts=CARRIED)
    with pytest.raises(InvalidRecord) as checked:
        rdf.check_terms({"@context": context, **document}, contexts=CARRIED)
    assert checked.value.errors == caught.value.errors
    return {(error.path, error.code) for error in caught.value.errors}


@pytest.mark.parametrize(
    ("document", "path", "code"),
    [
        ({"undefined": 1}, "/undefined", "undefined-term"),
        ({"name": {"undefined": 1, "name": "x"}}, "/name/undefined", "undefined-term"),
        ({"name": [{}, {"a/b~c": 1}]}, "/name/1/*", "undefined-term"),
        ({"nothing": 1}, "/nothing", "undefined-term"),
        ({"@unknown": 1}, "/@unknown", "undefined-term"),
        ({"": 1}, "/*", "undefined-term"),
        ({"_:p": 1}, "/*", "undefined-term"),
        ({"https://example.org/a b": 1}, "/*", "undefined-term"),
        ({"id": "relative", "name": "x"}, "/id", "relative-iri"),
        ({"id": "", "name": "x"}, "/id", "relative-iri"),
        ({"id": "#a", "name": "x"}, "/id", "relative-iri"),
        ({"id": "https://example.org/a b", "name": "x"}, "/id", "relative-iri"),
        ({"id": "https://example.org/%zz", "name": "x"}, "/id", "relative-iri"),
        ({"id": "_:", "name": "x"}, "/id", "relative-iri"),
        ({"id": None, "name": "x"}, "/id", "invalid-id-value"),
        ({"id": ["urn:x:1"], "name": "x"}, "/id", "invalid-id-value"),
        ({"type": "Undefined"}, "/type", "relative-iri"),
        ({"type": ["urn:x:T", "Undefined"]}, "/type", "relative-iri"),
        ({"type": [None]}, "/type", "invalid-type-value"),
        ({"type": {}}, "/type", "invalid-type-value"),
        ({"link": "relative"}, "/link", "relative-iri"),
        ({"link": ["urn:x:1", "relative"]}, "/link/1", "relative-iri"),
        ({"kind": "undefined"}, "/kind", "relative-iri"),
        ({"name": None}, "/name", "null-value"),
        ({"name": ["x", None]}, "/name/1", "null-value"),
        ({"list": [None]}, "/list/0", "null-value"),
        ({"name": {"@value": None}}, "/name/@value", "invalid-value"),
        ({"name": {"@value": {}}}, "/name/@value", "invalid-value"),
        ({"name": {"@value": "x", "@language": "no tag"}}, "/name/@language", "invalid-language-tag"),
        ({"name": {"@value": "x", "@language": None}}, "/name/@language", "invalid-language-tag"),
        ({"name": {"@value": 1, "@language": "en"}}, "/name/@value", "invalid-language-tagged-value"),
        ({"name": {"@value": "x", "@direction": "up"}}, "/name/@direction", "invalid-base-direction"),
        ({"name": {"@value": "x", "@type": "relative"}}, "/name/@type", "invalid-typed-value"),
        ({"name": {"@value": "x", "@type": ["urn:x:t"]}}, "/name/@type", "invalid-typed-value"),
        ({"name": {"@value": "x", "@index": "i"}}, "/name", "invalid-value-object"),
        ({"name": {"@value": "x", "name": "y"}}, "/name", "invalid-value-object"),
        ({"name": {"@value": "x", "@type": "urn:x:t", "@language": "en"}}, "/name", "invalid-value-object"),
        ({"name": {"@language": "en"}}, "/name/@language", "misplaced-keyword"),
        ({"name": {"@list": ["x"], "name": "y"}}, "/name", "invalid-set-or-list-object"),
        ({"name": {"@set": ["x"], "@index": "i"}}, "/name", "invalid-set-or-list-object"),
        ({"@index": "i", "name": "x"}, "/@index", "dropped-index"),
        ({"index": {"a": "x"}}, "/index/a", "dropped-index"),
        ({"langs": {"no tag": "x"}}, "/langs/*", "invalid-language-tag"),
        ({"langs": {"en": [None]}}, "/langs/en", "invalid-language-map-value"),
        ({"langs": {"en": {"@value": "x"}}}, "/langs/en", "invalid-language-map-value"),
        ({"graph": "urn:x:dropped"}, "/graph", "dropped-value"),
        ({"graph": [{"id": "urn:x:dropped"}]}, "/graph/0", "dropped-value"),
        ({"back": "x"}, "/back", "invalid-reverse-property-value"),
        ({"back": {"@list": []}}, "/back", "invalid-reverse-property-value"),
        ({"@reverse": {"id": "urn:x:1"}}, "/@reverse", "invalid-reverse-property-map"),
        ({"@reverse": "x"}, "/@reverse", "misplaced-keyword"),
        ({"@included": "x", "name": "y"}, "/@included", "invalid-included-value"),
        ({"@included": {"id": "urn:x:1"}, "name": "y"}, "/@included", "dropped-value"),
        ({"nest": "x", "name": "y"}, "/nest", "invalid-nest-value"),
        ({"nest": {"@context": {}, "name": "x"}}, "/nest", "invalid-nest-value"),
        ({"id": "urn:x:1", "@id": "urn:x:2", "name": "x"}, "/@id", "colliding-keywords"),
        ({"id": "urn:x:1"}, "/", "dropped-value"),
        ({}, "/", "dropped-value"),
        ({"@graph": ["x", {"name": "y"}]}, "/@graph/0", "dropped-value"),
        ({"@graph": [{"@value": "x"}, {"name": "y"}]}, "/@graph/0", "dropped-value"),
        ({"@value": "x"}, "/", "dropped-value"),
        ({"@list": ["x"]}, "/@list", "dropped-value"),
        ({"name": float("nan")}, "/name", "not-a-number"),
        ({"name": {"@value": float("inf"), "@type": "@json"}}, "/name/@value", None),
        ({"json": {"x": "\ud800"}}, "/json", "lone-surrogate"),
        ({"name": ["x", "\ud800"]}, "/name/1", "lone-surrogate"),
        ({"when": "\ud800"}, "/when", "lone-surrogate"),
        ({"langs": {"en": "\ud800"}}, "/langs/en", "lone-surrogate"),
        ({"link": "urn:x:\ud800"}, "/link", "relative-iri"),
    ],
)
def test_each_loss_is_a_fault(document, path, code):
    """The fault names the place as a JSON pointer."""
    found = {(where or "/", what) for where, what in faults(document)}
    if code is None:
        assert path in {where for where, _ in found}
    else:
        assert (path, code) in found


def test_all_faults_are_told_at_once():
    """A document with four faults gets four, and no value in the message."""
    document = {"id": "secret", "type": "T", "name": {"undefined": "secret"}, "link": ["secret"]}
    with pytest.raises(InvalidRecord) as caught:
        rdf.canonicalize({"@context": CONTEXT, **document}, contexts=CARRIED)
    assert {error.path for error in caught.value.errors} == {"/id", "/type", "/name/undefined", "/link/0"}
    assert "secret" not in str(caught.value)


def test_the_number_of_faults_told_is_limited():
    """A document of nothing but faults gets a short answer."""
    with pytest.raises(InvalidRecord) as caught:
        rdf.check_terms({f"k{i}": 1 for i in range(5000)}, contexts=CARRIED)
    assert len(caught.value.errors) == 100


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        ({"name": "x"}, ['_:c14n0 <https://example.org/name> "x" .']),
        ({"id": "urn:x:1", "link": "did:key:z"}, ["<urn:x:1> <https://example.org/link> <did:key:z> ."]),
        ({"name": []}, []),
        ({"name": [], "id": "urn:x:1", "type": []}, []),
        (
            {"name": True},
            ['_:c14n0 <https://example.org/name> "true"^^<http://www.w3.org/2001/XMLSchema#boolean> .'],
        ),
        (
            {"name": 5.0},
            ['_:c14n0 <https://example.org/name> "5"^^<http://www.w3.org/2001/XMLSchema#integer> .'],
        ),
        (
            {"name": 5.25},
            ['_:c14n0 <https://example.org/name> "5.25E0"^^<http://www.w3.org/2001/XMLSchema#double> .'],
        ),
        ({"when": "1999"}, ['_:c14n0 <https://example.org/when> "1999"^^<https://example.org/date> .']),
        ({"kind": "name"}, ["_:c14n0 <https://example.org/kind> <https://example.org/name> ."]),
        (
            {"langs": {"EN": "x", "@none": "y"}},
            ['_:c14n0 <https://example.org/langs> "x"@en .', '_:c14n0 <https://example.org/langs> "y" .'],
        ),
        (
            {"name": {"@value": "x", "@language": "AR", "@direction": "rtl"}},
            ['_:c14n0 <https://example.org/name> "x"@ar .'],
        ),
        ({"nest": {"nest": [{"name": "x"}]}}, ['_:c14n0 <https://example.org/name> "x" .']),
        ({"back": {"id": "urn:x:1"}, "id": "urn:x:2"}, ["<urn:x:1> <https://example.org/name> <urn:x:2> ."]),
        (
            {"name": {"@value": {"b": 1, "a": None}, "@type": "@json"}},
            [
                '_:c14n0 <https://example.org/name> "{\\"a\\":null,\\"b\\":1}"^^<http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON> .'
            ],
        ),
        ({"@graph": [{"id": "urn:x:1", "name": "x"}]}, ['<urn:x:1> <https://example.org/name> "x" .']),
        (
            {"@graph": [{"id": "urn:x:1", "name": "x"}], "id": "urn:x:g"},
            ['<urn:x:1> <https://example.org/name> "x" <urn:x:g> .'],
        ),
        (
            {"id": "_:b1", "name": {"name": {"id": "_:b1"}}},
            ["_:c14n0 <https://example.org/name> _:c14n1 .", "_:c14n1 <https://example.org/name> _:c14n0 ."],
        ),
        ({"name": "a\u0000\u007f\n"}, ['_:c14n0 <https://example.org/name> "a\\u0000\\u007F\\n" .']),
    ],
)
def test_what_rdf_can_state_is_stated(document, expected):
    """The faults above have their sound neighbours."""
    assert lines(document) == expected


def test_labels_of_the_document_are_kept_apart_from_new_ones():
    """A document can't name the blank node of another of its objects by guessing its label."""
    one = {"@graph": [{"name": "x"}, {"@id": "_:b1", "name": "y"}]}
    other = {"@graph": [{"name": "x"}, {"@id": "_:other", "name": "y"}]}
    assert len(lines(one)) == 2
    assert lines(one) == lines(other)


@pytest.mark.parametrize(
    ("context", "code"),
    [
        ("https://example.org/unknown", "unknown-context"),
        ([V2, "v2"], "unknown-context"),
        ({"@import": "https://example.org/unknown"}, "unknown-context"),
        ({"term": {"@id": "urn:x:t", "@context": "https://example.org/unknown"}}, "unknown-context"),
        ([V2, {"VerifiableCredential": "urn:x:other"}], "protected-term-redefinition"),
        ([V2, {"id": "urn:x:other"}], "protected-term-redefinition"),
        ([V2, None], "invalid-context-nullification"),
        ([V2, {"name": "urn:x:other"}], "protected-term-redefinition"),
        (7, "invalid-local-context"),
        ({"@base": 7}, "invalid-base-iri"),
        ({"@vocab": "relative"}, "invalid-vocab-mapping"),
        ({"@language": "no tag"}, "invalid-language-mapping"),
        ({"@direction": "up"}, "invalid-base-direction"),
        ({"@version": 1.0}, "invalid-version-value"),
        ({"@propagate": 1}, "invalid-propagate-value"),
        ({"@protected": 1}, "invalid-protected-value"),
        ({"term": "relative"}, "invalid-iri-mapping"),
        ({"term": "@ignored"}, "invalid-iri-mapping"),
        ({"@ignored": "urn:x:t"}, "reserved-term"),
        ({"a": "b:x", "b": "a:x"}, "cyclic-iri-mapping"),
        ({"@type": "urn:x:t"}, "keyword-redefinition"),
        ({"@id": "urn:x:t"}, "keyword-redefinition"),
        ({"term": {"@id": "urn:x:t", "@container": "@bag"}}, "invalid-container-mapping"),
        ({"term": {"@id": "urn:x:t", "@type": "_:b"}}, "invalid-type-mapping"),
        ({"term": {"@id": "urn:x:t", "extra": 1}}, "invalid-term-definition"),
        ({"term": ["urn:x:t"]}, "invalid-term-definition"),
    ],
)
def test_wrong_contexts_are_refused(context, code):
    """Each fault of a context ends the reading, since nothing after it has a known meaning."""
    for check in (rdf.canonicalize, rdf.check_terms):
        with pytest.raises(Malformed) as caught:
            check({"@context": context, "urn:x:p": "x"}, contexts=CARRIED)
        assert caught.value.code == code


def test_the_place_of_a_wrong_context_is_named():
    """An error in a nested context says where it stands and which term it is about."""
    document = {"@context": CONTEXT, "name": {"@context": {"bad": "relative"}, "name": "x"}}
    with pytest.raises(Malformed) as caught:
        rdf.check_terms(document, contexts=CARRIED)
    assert caught.value.where == "/name/@context/bad"
    with pytest.raises(Malformed) as caught:
        rdf.check_terms({"name": {"@context": "urn:x:unknown"}, "@context": CONTEXT}, contexts=CARRIED)
    assert caught.value.where == "/name/@context"


def test_property_scoped_contexts_may_change_protected_terms():
    """The context that a property is scoped to is the one place where protected terms may change."""
    scoped = {"@protected": True, "a": "urn:x:a", "p": {"@id": "urn:x:p", "@context": {"a": "urn:x:other"}}}
    statements = rdf.canonicalize({"@context": scoped, "p": {"a": "x"}}, contexts=CARRIED)
    assert b"<urn:x:other>" in statements


def test_terms_scoped_to_a_type_end_with_its_object():
    """A term that a type brings is undefined in the objects below that don't have the type."""
    scoped = {"p": "urn:x:p", "T": {"@id": "urn:x:T", "@context": {"a": "urn:x:a"}}}
    sound = {"@context": scoped, "@type": "T", "a": "x", "p": {"@type": "T", "a": "y"}}
    assert rdf.canonicalize(sound, contexts=CARRIED).count(b"\n") == 5
    assert faults({"@type": "T", "p": {"a": "y"}}, scoped) == {("/p/a", "undefined-term")}


@pytest.mark.parametrize(
    "document",
    [
        {"@context": {f"t{i}": f"urn:x:{i}" for i in range(100_000)}, "t1": "x"},
        {"@context": [V2] * 20_000, "type": "VerifiableCredential"},
        {"@context": {f"t{i}": f"t{i + 1}:x" for i in range(4000)}, "t1": "x"},
        {"@context": {f"t{i}": {"@id": f"urn:x:{i}", "@context": V2} for i in range(1000)}, "t1": "x"},
        {"urn:x:p": [{"@context": {"a": "urn:x:a"}, "a": "x"}] * 6000},
    ],
    ids=["entries", "urls", "chain", "scoped", "nested"],
)
def test_hostile_contexts_are_refused_early(document):
    """What a document's own contexts may cause is limited by count, not by time."""
    with pytest.raises(LimitExceeded):
        rdf.canonicalize(document, contexts=CARRIED)


def test_deep_documents_are_refused():
    """Depth is a typed error for documents that no JSON reader has looked at; what that admits is read."""
    document = {"urn:x:p": "x"}
    for depth in range(64):
        document = {"urn:x:p": [document], "urn:x:depth": depth}
    assert rdf.canonicalize(document, contexts=CARRIED)
    for _ in range(1000):
        document = {"urn:x:p": document}
    with pytest.raises(LimitExceeded):
        rdf.canonicalize(document, contexts=CARRIED)


def test_limits_don_t_depend_on_what_was_read_before():
    """A document is refused, or not, whatever the cache holds."""
    document = {"@context": [V2, {f"t{i}": f"urn:x:{i}" for i in range(4850)}], "t1": "x"}
    results = set()
    for _ in range(3):
        try:
            results.add(rdf.canonicalize(document, contexts=CARRIED))
        except LimitExceeded:
            results.add(None)
        rdf.canonicalize({"@context": V2, "type": "VerifiableCredential"}, contexts=CARRIED)
    assert len(results) == 1


def test_the_document_is_not_changed():
    """Neither conversion nor the check touches its argument."""
    document = {
        "@context": [V2, {"a": {"@id": "urn:x:a", "@container": "@list"}}],
        "type": ["VerifiableCredential"],
        "a": [1],
    }
    before = repr(document)
    rdf.canonicalize(document, contexts=CARRIED)
    rdf.check_terms(document, contexts=CARRIED)
    assert repr(document) == before


def test_nquads_without_canonical_labels():
    """to_nquads gives the same dataset, labelled as it comes."""
    document = {"@context": CONTEXT, "name": {"name": "x"}}
    statements = rdf.to_nquads(document, contexts=CARRIED)
    assert rdf.canonicalize_nquads(statements) == rdf.canonicalize(document, contexts=CARRIED)


KEYS = st.sampled_from(
    [
        *CONTEXT,
        "@id",
        "@type",
        "@value",
        "@language",
        "@list",
        "@set",
        "@graph",
        "@context",
        "@reverse",
        "@index",
        "@included",
        "@nest",
        "@json",
        "@none",
        "urn:x:p",
    ]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=4)
    | st.sampled_from(["urn:x:1", "en", "@json", "_:a", V2])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(st.dictionaries(KEYS, JSON, max_size=5), st.just(CONTEXT) | JSON)
@settings(max_examples=500, deadline=None)
def test_arbitrary_documents_raise_only_vcid_errors(document, context):
    """No shape of a document gets past the typed errors, and the check agrees with the conversion."""
    document = {"@context": context, **document}
    outcomes = []
    for check in (rdf.check_terms, rdf.canonicalize):
        try:
            check(document, contexts=CARRIED)
            outcomes.append(None)
        except VcidError as error:
            outcomes.append(str(error))
    assert outcomes[0] == outcomes[1] or "poison" in outcomes[1]

"""An independent processor reads the same dataset out of every document that safe mode accepts.

PyLD is the oracle. It is asked only about what safe mode reads, since it drops in silence what that refuses.
"""

import pytest
from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from vcid.encoding import nquads, rdfc
from vcid.encoding.contexts import Contexts
from vcid.encoding.jsonld.conversion import to_rdf
from vcid.errors import LimitExceeded, VcidError

processor = pytest.importorskip("pyld.jsonld")
resolver = pytest.importorskip("pyld.context_resolver")

V2 = "https://www.w3.org/ns/credentials/v2"
INTEGRITY = "https://w3id.org/security/data-integrity/v2"
CARRIED = Contexts.carried()
CONTEXT = {
    "@version": 1.1,
    "id": "@id",
    "type": "@type",
    "ex": "https://example.org/",
    "name": "ex:name",
    "link": {"@id": "ex:link", "@type": "@id"},
    "kind": {"@id": "ex:kind", "@type": "@vocab"},
    "when": {"@id": "ex:when", "@type": "ex:date"},
    "any": {"@id": "ex:any", "@type": "@none"},
    "json": {"@id": "ex:json", "@type": "@json"},
    "french": {"@id": "ex:french", "@language": "fr"},
    "plain": {"@id": "ex:plain", "@language": None},
    "list": {"@id": "ex:list", "@container": "@list"},
    "links": {"@id": "ex:links", "@type": "@id", "@container": "@list"},
    "set": {"@id": "ex:set", "@container": "@set"},
    "langs": {"@id": "ex:langs", "@container": ["@language", "@set"]},
    "ids": {"@id": "ex:ids", "@container": "@id"},
    "types": {"@id": "ex:types", "@container": "@type"},
    "graph": {"@id": "ex:graph", "@container": "@graph"},
    "graphs": {"@id": "ex:graphs", "@container": ["@graph", "@id"]},
    "indexed": {"@id": "ex:indexed", "@container": "@index", "@index": "name"},
    "back": {"@reverse": "ex:back"},
    "nest": "@nest",
    "scope": {"@id": "ex:scope", "@context": {"name": "ex:scoped", "deep": "ex:deep"}},
    "reset": {"@id": "ex:reset", "@context": [None, {"name": "ex:after-reset"}]},
    "Thing": {"@id": "ex:Thing", "@context": {"name": "ex:thing-name", "own": "ex:own"}},
    "Other": {
        "@id": "ex:Other",
        "@context": {"@propagate": True, "name": {"@id": "ex:n", "@language": "de"}},
    },
}
IDS = st.sampled_from(["urn:x:1", "ex:2", "https://example.org/3", "_:n"])
TYPES = st.sampled_from(["Thing", "Other", "ex:Third", "urn:x:Fourth"])
NUMBERS = st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | st.just(1e21)
SCALARS = (
    st.booleans()
    | NUMBERS
    | st.text(max_size=3)
    | IDS
    | TYPES
    | st.sampled_from(["name", "1999", "a\x00\x7f"])
)
VALUES = st.fixed_dictionaries({"@value": SCALARS}) | st.fixed_dictionaries(
    {"@value": st.text(max_size=3)},
    optional={"@language": st.sampled_from(["en", "AR-eg"]), "@direction": st.sampled_from(["ltr", "rtl"])},
)
TYPED = st.fixed_dictionaries({"@value": SCALARS, "@type": st.sampled_from(["@json", "ex:date", "urn:x:t"])})


def nodes(values):
    """Node objects whose properties are used as their terms have it, more often than not."""
    some = values | st.lists(values, max_size=2)
    own = {
        **dict.fromkeys(
            ["name", "any", "when", "french", "plain", "set", "list", "ex:free", "scope", "reset"], some
        ),
        **dict.fromkeys(["own", "deep"], SCALARS),
        **dict.fromkeys(["link", "links"], IDS | st.lists(IDS, max_size=2) | values),
        **dict.fromkeys(["id", "@id"], IDS),
        **dict.fromkeys(["type", "@type"], TYPES | st.lists(TYPES, max_size=2)),
        **dict.fromkeys(["graph", "back", "@graph", "@included", "nest"], some),
        "kind": TYPES | st.sampled_from(["name", "urn:x:k"]),
        "json": values,
        "langs": st.dictionaries(st.sampled_from(["en", "FR", "@none"]), st.text(max_size=2), max_size=2),
        **dict.fromkeys(["ids", "graphs"], st.dictionaries(IDS | st.just("@none"), some, max_size=2)),
        "types": st.dictionaries(TYPES | st.just("@none"), some, max_size=2),
        "indexed": st.dictionaries(st.text(max_size=2) | st.just("@none"), some, max_size=2),
        "@reverse": st.dictionaries(st.sampled_from(["name", "back", "ex:free"]), some, max_size=2),
        "@context": st.sampled_from(
            [{"name": "ex:local"}, {"@language": "es"}, {"@vocab": "ex:v#"}, {"list": None}]
        ),
    }
    return st.lists(st.sampled_from(sorted(own)), max_size=4, unique=True).flatmap(
        lambda keys: st.fixed_dictionaries({key: own[key] for key in keys})
    )


NODES = st.recursive(
    SCALARS | VALUES | TYPED,
    lambda inner: (
        nodes(inner) | nodes(inner) | inner.map(lambda v: {"@list": [v]}) | inner.map(lambda v: {"@set": [v]})
    ),
    max_leaves=8,
)


def ask_oracle(document):
    """The dataset that PyLD reads, with caches of its own: its global one is shared between threads."""

    def load(url, _options):
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": CARRIED[url],
        }

    options = {
        "base": "urn:base:",
        "documentLoader": load,
        "contextResolver": resolver.ContextResolver({}, load),
    }
    dataset = processor.to_rdf(document, options)
    return [
        (term(quad["subject"]), term(quad["predicate"]), term(quad["object"]), name(graph))
        for graph, triples in dataset.items()
        for quad in triples
    ]


def name(graph):
    return "" if graph == "@default" else graph if graph.startswith("_:") else f"<{graph}>"


def term(node):
    if node["type"] == "literal":
        return nquads.literal(node["value"], node["datatype"], node.get("language", ""))
    return node["value"] if node["type"] == "blank node" else f"<{node['value']}>"


def compare(document):
    try:
        dataset = to_rdf(document, contexts=CARRIED)
        ours = rdfc.canonicalize(dataset)
    except LimitExceeded:
        assume(False)
    except VcidError as error:
        event(type(error).__name__)
        return False
    event("accepted")
    assert ours == rdfc.canonicalize(ask_oracle(document), budget=10**6)
    return True


@given(nodes(NODES))
@settings(max_examples=400, deadline=None)
def test_documents_with_every_feature(document):
    """Containers, scoped contexts, reverse properties, graphs and nesting mean the same to both."""
    compare(
        {"@context": CONTEXT, **document}
        if "@context" not in document
        else {"@context": [CONTEXT, document.pop("@context")], **document}
    )


PROOFS = st.fixed_dictionaries(
    {
        "type": st.just("DataIntegrityProof"),
        "proofPurpose": st.sampled_from(["assertionMethod", "authentication"]),
    },
    optional={
        "created": st.just("2026-01-01T00:00:00Z"),
        "proofValue": st.text(max_size=3),
        "verificationMethod": IDS,
    },
)
PARTIES = IDS | st.fixed_dictionaries(
    {"id": IDS}, optional={"name": st.text(max_size=3) | VALUES, "type": TYPES}
)
STATUSES = st.fixed_dictionaries(
    {
        "type": st.just("BitstringStatusListEntry"),
        "statusListIndex": st.just("7"),
        "statusPurpose": st.just("revocation"),
    },
    optional={"statusListCredential": IDS, "id": IDS},
)
CREDENTIALS = st.fixed_dictionaries(
    {"type": st.just(["VerifiableCredential"]), "issuer": PARTIES},
    optional={
        "id": IDS,
        "credentialSubject": PARTIES | st.lists(PARTIES, max_size=2),
        "validFrom": st.just("2026-01-01T00:00:00Z"),
        "credentialStatus": STATUSES | st.lists(STATUSES, max_size=2),
        "evidence": st.fixed_dictionaries({"type": st.just("ex:E")}),
        "name": VALUES,
        "proof": PROOFS | st.lists(PROOFS, max_size=2),
    },
)
PRESENTATIONS = st.fixed_dictionaries(
    {"type": st.just(["VerifiablePresentation"])},
    optional={
        "holder": PARTIES,
        "verifiableCredential": st.lists(CREDENTIALS.map(lambda c: {"@context": V2, **c}), max_size=2),
        "proof": PROOFS,
    },
)


@given(
    CREDENTIALS | PRESENTATIONS, st.sampled_from([V2, [V2, INTEGRITY], [V2, {"ex": "https://example.org/"}]])
)
@settings(max_examples=100, deadline=None)
def test_credentials_and_presentations(document, context):
    """Documents of the data model mean the same to both."""
    compare({"@context": context, **document})


@given(st.floats(allow_nan=False, allow_infinity=False) | st.integers(-(10**25), 10**25))
@settings(max_examples=200, deadline=None)
def test_numbers(number):
    """Both write a number as the same literal."""
    for value in (number, {"@value": number, "@type": "http://www.w3.org/2001/XMLSchema#double"}):
        assert compare({"urn:x:p": value})

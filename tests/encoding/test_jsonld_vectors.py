"""The official JSON-LD toRdf suite: what safe mode reads gives the published dataset, and it reads no negative.

The suite is written for processors that leave out what they can't state, against a base IRI. The tests that need
either are refused here by design; each is counted under its reason, and the counts are pinned, so that a test
can't slip from one group to another unseen.
"""

import json
from collections import Counter
from urllib.parse import urljoin

import pytest

from vcid.encoding import nquads, rdf, rdfc
from vcid.encoding.contexts import Contexts
from vcid.errors import InvalidRecord, VcidError

BASE = "https://w3c.github.io/json-ld-api/tests/"
OTHER_MODES = {"base", "produceGeneralizedRdf", "rdfDirection", "expandContext"}
# Faults that a JSON-LD processor would pass over by leaving something out, or by resolving it against a base.
BY_DESIGN = {
    *("relative-iri", "dropped-value", "dropped-index", "undefined-term", "null-value", "misplaced-keyword"),
    *("reserved-term", "invalid-value", "invalid-value-object", "invalid-language-tag"),
    *("invalid-vocab-mapping", "invalid-iri-mapping"),
}
# The suite's own names for errors that here have another name, or are found first as another fault.
OTHER_NAMES = {
    "invalid-scoped-context": {"invalid-iri-mapping"},
    "loading-remote-context-failed": {"unknown-context"},
    "invalid-remote-context": {"unknown-context"},
    "invalid-context-entry": {"invalid-remote-context"},
    "invalid-default-language": {"invalid-language-mapping"},
    "invalid-value-object-value": {"invalid-value"},
    "invalid-language-tagged-string": {"invalid-language-tag"},
    "invalid-index-value": {"invalid-value-object"},
    "invalid-reverse-value": {"misplaced-keyword"},
    "invalid-term-definition": {"cyclic-iri-mapping"},
    "invalid-type-value": {"invalid-typed-value"},
}


@pytest.fixture(scope="module")
def suite(vectors):
    """The tests that are for JSON-LD 1.1 in its default mode, and the contexts that they name."""
    folder = vectors / "json-ld-api" / "tests"
    manifest = json.loads((folder / "toRdf-manifest.jsonld").read_text(encoding="utf-8"))
    documents = {}
    for path in sorted((folder / "toRdf").rglob("*.jsonld")):
        url = BASE + path.relative_to(folder).as_posix()
        document = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(document, dict) and "@context" in document:
            documents[url] = absolute(document, url)
    tests, skipped = [], Counter()
    for test in manifest["sequence"]:
        option = test.get("option", {})
        if "json-ld-1.0" in (option.get("specVersion"), option.get("processingMode")):
            skipped["JSON-LD 1.0"] += 1
        elif option.keys() & OTHER_MODES:
            skipped["an option of the API"] += 1
        else:
            document = json.loads((folder / test["input"]).read_text(encoding="utf-8"))
            document = {"@graph": document} if isinstance(document, list) else document
            tests.append((test, absolute(document, BASE + test["input"])))
    return folder, Contexts(documents), tests, skipped


def absolute(value, base, *, is_context=False):
    """Make the relative URLs of contexts absolute: safe mode takes no others."""
    if isinstance(value, str) and is_context:
        return urljoin(base, value)
    if isinstance(value, list):
        return [absolute(item, base, is_context=is_context) for item in value]
    if isinstance(value, dict):
        return {k: absolute(v, base, is_context=k in ("@context", "@import")) for k, v in value.items()}
    return value


def codes(error):
    return {fault.code for fault in error.errors} if isinstance(error, InvalidRecord) else {error.code}


def attempt(document, contexts):
    try:
        return rdf.canonicalize(document, contexts=contexts), None
    except VcidError as error:
        return None, error


def test_positive_tests_give_the_published_dataset(suite, tally):
    """Each document that safe mode reads gives the published quads; each refused one is refused by design."""
    folder, contexts, tests, skipped = suite
    counts = Counter(skipped)
    for test, document in tests:
        if "jld:NegativeEvaluationTest" in test["@type"]:
            continue
        result, error = attempt(document, contexts)
        if error is not None:
            assert codes(error) <= BY_DESIGN, (test["@id"], error)
            counts["refused by design"] += 1
        elif "expect" in test:
            expected = nquads.parse((folder / test["expect"]).read_bytes())
            assert result == rdfc.canonicalize(expected), test["@id"]
            counts["equal"] += 1
        else:
            counts["read, as the syntax tests ask"] += 1
    tally("json-ld-api toRdf: " + ", ".join(f"{count} {what}" for what, count in sorted(counts.items())))
    assert counts == {
        "equal": 229,
        "read, as the syntax tests ask": 16,
        "refused by design": 97,
        "JSON-LD 1.0": 19,
        "an option of the API": 13,
    }


def test_negative_tests_are_refused_for_their_own_reason(suite, tally):
    """Each document that no processor may read is refused, with the error that the suite names."""
    _, contexts, tests, _ = suite
    count = 0
    for test, document in tests:
        if "jld:NegativeEvaluationTest" in test["@type"]:
            _, error = attempt(document, contexts)
            name = test["expectErrorCode"].replace("@", "").replace(" ", "-").lower()
            assert error is not None, test["@id"]
            assert codes(error) & {name, *OTHER_NAMES.get(name, ())}, (test["@id"], name, codes(error))
            count += 1
    tally(f"json-ld-api toRdf: {count} refused as they have to be")
    assert count == 93

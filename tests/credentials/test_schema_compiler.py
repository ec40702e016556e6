"""The compiled lane says what the full evaluator says, or nothing."""

import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from credentials.samples import births, document, guardianship
from vcid.credentials.schema_compiler import Unsure, compile_schema
from vcid.credentials.schema_set import read_schema

values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-3, 5)
    | st.floats(allow_nan=False, width=16)
    | st.sampled_from(["", "a", "b", "abc", "KE", "2021-03-15", "did:key:z6MkX"]),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "c"]), inner, max_size=3)
    ),
    max_leaves=8,
)
keywords = st.deferred(
    lambda: st.fixed_dictionaries(
        {},
        optional={
            "type": st.sampled_from(
                ["object", "array", "string", "integer", "number", "boolean", "null", ["string", "null"]]
            ),
            "const": st.sampled_from(["a", "b"]),
            "enum": st.lists(st.sampled_from(["a", "b", "abc"]), min_size=1),
            "required": st.lists(st.sampled_from(["a", "b"]), unique=True),
            "pattern": st.sampled_from(["^a", "b$", "[0-9]+"]),
            "uniqueItems": st.booleans(),
            "minItems": st.integers(0, 2),
            "maxItems": st.integers(0, 2),
            "minLength": st.integers(0, 2),
            "maxLength": st.integers(0, 2),
            "minProperties": st.integers(0, 2),
            "minimum": st.integers(-2, 3),
            "maximum": st.integers(-2, 3),
            "properties": st.dictionaries(st.sampled_from(["a", "b"]), schemas, max_size=2),
            "dependentSchemas": st.dictionaries(st.sampled_from(["a", "b"]), schemas, max_size=1),
            "additionalProperties": schemas,
            "items": schemas,
            "prefixItems": st.lists(schemas, min_size=1, max_size=2),
            "contains": schemas,
            "not": schemas,
            "allOf": st.lists(schemas, min_size=1, max_size=2),
            "anyOf": st.lists(schemas, min_size=1, max_size=2),
            "if": schemas,
            "then": schemas,
            "else": schemas,
            "title": st.just("nothing"),
        },
    )
)
schemas = st.booleans() | keywords | st.sampled_from([{"$ref": "#/$defs/one"}, {"$ref": "#/$defs/two"}])


def verdict(test, value):
    try:
        return test(value)
    except Unsure:
        return None


@settings(max_examples=150, deadline=None)
@given(keywords, st.lists(values, min_size=1, max_size=4))
def test_any_schema_of_the_known_keywords_is_judged_alike(schema, found):
    """Nested in any way, with references back and forth: the same word, or none."""
    root = {
        **schema,
        "$defs": {"one": {"type": ["string", "object"]}, "two": {"not": {"$ref": "#/$defs/one"}}},
    }
    test, full = compile_schema(root), Draft202012Validator(root)
    for value in found:
        assert verdict(test, value) in (None, full.is_valid(value))


@st.composite
def mutations(draw, good):
    """A document with one member, anywhere, replaced, removed or added."""
    changed = copy.deepcopy(good)
    place = changed
    while True:
        key = draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or draw(st.booleans()):
            break
        place = place[key]
    match draw(st.integers(0, 2)):
        case 0:
            place[key] = draw(values)
        case 1:
            del place[key]
        case 2 if isinstance(place, dict):
            place[draw(st.sampled_from(["extra", "id", "type", "names"]))] = draw(values)
    return changed


@settings(max_examples=60, deadline=None)
@given(st.data())
@pytest.mark.parametrize("kind", ["birth-registration-v1.json", "guardianship-v1.json"])
def test_our_documents_and_what_becomes_of_them_are_judged_alike(kind, data):
    """Good documents, and good ones with one member changed: the same word from both."""
    schema = json.loads(read_schema(kind))
    test, full = compile_schema(schema), Draft202012Validator(schema)
    good = document(data.draw(births()) if kind.startswith("birth") else guardianship())
    assert test(good)
    assert full.is_valid(good)
    changed = data.draw(mutations(good))
    assert verdict(test, changed) in (None, full.is_valid(changed))


@pytest.mark.parametrize(
    "file", ["birth-registration-v1.json", "guardianship-v1.json", "delegation-v1.json", "policy-v1.json"]
)
def test_every_schema_that_ships_is_compiled(file):
    """None of them needs the full evaluator for a document that conforms."""
    assert compile_schema(json.loads(read_schema(file)))({"nothing": "of the sort"}) is False


@pytest.mark.parametrize(
    "schema",
    [
        {"format": "date"},
        {"patternProperties": {"^a": {}}},
        {"patternProperties": {"^a": {}}, "additionalProperties": False},
        {"unevaluatedProperties": False},
        {"oneOf": [{}]},
        {"minContains": 2, "contains": {}},
        {"$ref": "https://elsewhere.example/schema"},
        {"$ref": "#/$defs/nothing"},
        {"$dynamicRef": "#x"},
        {"const": 1},
        {"enum": ["a", None]},
        {"properties": {"a": {"multipleOf": 2}}},
        7,
        None,
    ],
)
def test_a_schema_with_anything_else_is_left_to_the_full_evaluator(schema):
    """An unknown keyword could change what every other one means."""
    with pytest.raises(Unsure):
        compile_schema(schema)


def test_a_document_that_needs_more_is_left_too():
    """Whether 1 and 1.0 are one item is not decided here, and doubt inside a `not` is doubt."""
    for schema in ({"uniqueItems": True}, {"not": {"uniqueItems": True}}):
        with pytest.raises(Unsure):
            compile_schema(schema)([1, 1.0])

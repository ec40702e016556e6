"""Schemas that somebody handed in: drafts, references, schema credentials, digests, and a bound on the work."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.schema import SchemaOutcome, SchemaResult, check_schema
from vcid.credentials.schema_evaluation import DIALECT, DIALECTS, MAX_SCHEMA_BYTES
from vcid.credentials.schema_set import Schemas
from vcid.encoding.multikey import digest_multibase
from vcid.errors import Malformed, VcidError

if TYPE_CHECKING:
    pass

URL = "https://schemas.example/s.json"
OTHER = "https://schemas.example/other.json"
CREDENTIAL = "https://schemas.example/credentials/1"
META = "https://www.w3.org/ns/credentials/json-schema/v2.json"


def write(schema: dict[str, Any], url: str = URL, dialect: str = DIALECT) -> bytes:
    return json.dumps({"$schema": dialect, "$id": url, **schema}).encode()


def check(document: dict[str, Any], schemas: Schemas, **entry: Any) -> SchemaResult:
    entry = {"id": URL, "type": "JsonSchema", **entry}
    (result,) = check_schema({**document, "credentialSchema": entry}, schemas=schemas)
    return result


def evaluate(schema: dict[str, Any], document: dict[str, Any], dialect: str = DIALECT) -> SchemaResult:
    return check(document, Schemas.carried().with_schema(URL, write(schema, dialect=dialect)))


# Drafts and keywords ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("dialect", DIALECTS)
def test_each_draft_is_evaluated(dialect):
    """A document that conforms passes, and others fail by pointer and code."""
    schema = {"properties": {"a": {"type": "string", "pattern": "^x+$"}}, "required": ["a"]}
    assert evaluate(schema, {"a": "xx"}, dialect).outcome is SchemaOutcome.PASSED
    for document, fault in (
        ({}, ("/a", "required")),
        ({"a": 1}, ("/a", "wrong-type")),
        ({"a": "y"}, ("/a", "wrong-form")),
    ):
        result = evaluate(schema, document, dialect)
        assert [(each.path, each.code) for each in result.faults] == [fault]


def test_drafts_are_not_mixed_up():
    """A keyword means what its own draft says: arrays of schemas in items, and dependencies."""
    schema = {"properties": {"a": {"items": [{"type": "string"}]}}, "dependencies": {"a": ["b"]}}
    draft_7 = "http://json-schema.org/draft-07/schema#"
    assert evaluate(schema, {"a": [1], "b": 1}, draft_7).outcome is SchemaOutcome.FAILED
    assert evaluate(schema, {"a": ["x"]}, draft_7).outcome is SchemaOutcome.FAILED
    assert evaluate(schema, {"a": ["x"], "b": 1}, draft_7).outcome is SchemaOutcome.PASSED
    with pytest.raises(Malformed, match="not-a-schema"):
        Schemas.carried().with_schema(URL, write(schema))


@pytest.mark.parametrize(
    ("schema", "passing", "failing"),
    [
        ({"patternProperties": {"^x-": {"type": "string"}}}, {"x-a": "b", "y": 1}, {"x-a": 1}),
        (
            {"properties": {"a": {}, "credentialSchema": {}}, "patternProperties": {"^x": {}}, "additionalProperties": False},
            {"a": 1, "x1": 1},
            {"a": 1, "y": 1},
        ),
        (
            {"properties": {"credentialSchema": {}}, "additionalProperties": {"type": "string"}},
            {"a": "b"},
            {"a": 1},
        ),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": [1, True, "1", {"b": 1}]}, {"a": [{"b": 1}, {"b": 1.0}]}),
        ({"properties": {"a": {"uniqueItems": True}}}, {"a": "no list"}, {"a": [[1], [1]]}),
        ({"properties": {"a": {"pattern": r"^\d+$"}}}, {"a": 7}, {"a": "٣"}),
        (
            {"properties": {"a": {}, "credentialSchema": {}}, "unevaluatedProperties": False},
            {"a": 1},
            {"b": 1},
        ),
    ],
)  # fmt: skip
def test_keywords_of_our_own_say_what_the_standard_says(schema, passing, failing):
    """Those that are evaluated here for the sake of their bounds."""
    assert evaluate(schema, passing).outcome is SchemaOutcome.PASSED
    assert evaluate(schema, failing).outcome is SchemaOutcome.FAILED


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["a", "b", "ab", ""]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["a", "b", "ab"]), inner, max_size=3),
    max_leaves=6,
)  # fmt: skip
schemas = st.fixed_dictionaries(
    {},
    optional={
        "uniqueItems": st.booleans(),
        "pattern": st.sampled_from(["a", "^b$", "^(a|b)+$"]),
        "patternProperties": st.dictionaries(st.sampled_from(["a", "^b"]), st.just({"type": "string"})),
        "additionalProperties": st.sampled_from([True, False, {"type": "null"}]),
        "properties": st.just({"a": {"minLength": 1}}),
    },
)


@settings(max_examples=200, deadline=None)
@given(schemas, json_values)
def test_the_stock_evaluator_agrees(schema, value):
    """With bounds or without, the answer is the same."""
    import jsonschema

    result = evaluate({"properties": {"value": schema}}, {"value": value})
    stock = jsonschema.Draft202012Validator(schema).is_valid(value)
    assert result.outcome is (SchemaOutcome.PASSED if stock else SchemaOutcome.FAILED)


# References ------------------------------------------------------------------------------------------------


def test_references_lead_to_what_is_handed_in():
    """Within the schema and to other schemas that are known, of the same draft."""
    here = Schemas.carried().with_schema(URL, write({"properties": {"a": {"$ref": OTHER}}}))
    assert check({"a": 1}, here).reason == "reference-not-resolved"
    both = here.with_schema(OTHER, write({"type": "string"}, OTHER))
    assert check({"a": 1}, both).outcome is SchemaOutcome.FAILED
    assert check({"a": "x"}, both).outcome is SchemaOutcome.PASSED
    older = here.with_schema(
        OTHER, write({"type": "string"}, OTHER, "http://json-schema.org/draft-07/schema#")
    )
    assert check({"a": "x"}, older).reason == "reference-not-resolved"
    vague = here.with_schema(OTHER, write({"pattern": "(?=x)"}, OTHER))
    assert check({"a": "x"}, vague).reason == "reference-not-resolved"
    assert check({"a": "x"}, here).reason == "reference-not-resolved"


def test_two_schemas_cannot_do_together_what_neither_may_alone():
    """Patterned and unevaluated properties are kept apart across references as well."""
    one = write({"$ref": OTHER, "unevaluatedProperties": False})
    other = write({"patternProperties": {"^(a+)+$": {}}}, OTHER)
    schemas = Schemas.carried().with_schema(URL, one).with_schema(OTHER, other)
    assert check({"a" * 40 + "b": 1}, schemas).reason == "reference-not-resolved"


# Bounds ----------------------------------------------------------------------------------------------------


def fan_out(levels: int) -> dict[str, Any]:
    definitions: dict[str, Any] = {
        f"l{level}": {"allOf": [{"$ref": f"#/$defs/l{level + 1}"}] * 2} for level in range(levels)
    }
    return {"$defs": {**definitions, f"l{levels}": {"type": "object"}}, "$ref": "#/$defs/l0"}


@pytest.mark.parametrize(
    ("schema", "document"),
    [
        (fan_out(60), {}),
        ({"properties": {"a": {"items": {"allOf": [{}] * 1_000}}}}, {"a": [1] * 1_000}),
        ({"properties": {"a": {"items": {"enum": list(range(2_000))}}}}, {"a": [-1] * 2_000}),
        ({"properties": {"a": {"pattern": "^(a{0,90}){9}b"}}}, {"a": "a" * 100_000}),
        ({"patternProperties": {"^(a+)+$": {}}}, {f"{'a' * 2_000}{n}": 1 for n in range(1_000)}),
    ],
    ids=["references", "allOf", "enum", "pattern", "names"],
)
def test_what_costs_too_much_is_left_open(schema, document):
    """Work that multiplies is stopped, and nobody learns more than that nothing was decided."""
    result = evaluate(schema, document)
    assert (result.outcome, result.reason) == (SchemaOutcome.UNKNOWN, "too-costly")


def test_loops_and_depths_are_left_open():
    """A schema that leads back to itself, and one as deep as a document may be."""
    loop = {"$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}, "$ref": "#/$defs/a"}
    assert evaluate(loop, {}).outcome is SchemaOutcome.UNKNOWN
    deep: dict[str, Any] = {}
    for _ in range(25):
        deep = {"not": deep}
    assert evaluate(deep, {}).outcome is not SchemaOutcome.UNKNOWN


def test_schemas_have_a_size():
    """A quarter of a megabyte is enough for anybody."""
    with pytest.raises(Malformed):
        Schemas.carried().with_schema(URL, write({"description": "x" * MAX_SCHEMA_BYTES}))


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from(["type", "items", "$ref", "allOf", "pattern", "properties", "$schema", "not"]), json_values, max_size=4))  # fmt: skip
def test_any_object_is_a_schema_or_is_refused(content):
    """Whatever is handed in, only vcid's own errors come out, and a result is one of three."""
    try:
        schemas = Schemas.carried().with_schema(URL, write(content))
    except VcidError:
        return
    assert check({"a": 1}, schemas).outcome in SchemaOutcome


# Digests ---------------------------------------------------------------------------------------------------


def sri(content: bytes) -> str:
    return f"sha384-{base64.b64encode(hashlib.sha384(content).digest()).decode()}"


def test_digests_are_of_the_published_bytes():
    """Of either kind, in the entry or beside it, a digest that differs fails before anything is evaluated."""
    content = write({"type": "object"})
    schemas = Schemas.carried().with_schema(URL, content)
    for good in ({"digestSRI": sri(content)}, {"digestMultibase": digest_multibase(content)}):
        assert check({}, schemas, **good).outcome is SchemaOutcome.PASSED
        assert check({"relatedResource": {"id": URL, **good}}, schemas).outcome is SchemaOutcome.PASSED
        assert check({"relatedResource": [{"id": OTHER, **good}]}, schemas).outcome is SchemaOutcome.PASSED
    for wrong in (
        {"digestSRI": sri(b"another")},
        {"digestMultibase": digest_multibase(b"another")},
        {"digestSRI": sri(content), "digestMultibase": digest_multibase(b"another")},
        {"digestMultibase": "zzz"},
    ):
        (fault,) = check({}, schemas, **wrong).faults
        assert fault.code == "digest-mismatch"
        (fault,) = check({"relatedResource": [{"id": URL, **wrong}]}, schemas).faults
        assert fault.path.startswith("/relatedResource/digest")


# Schema credentials ----------------------------------------------------------------------------------------


def schema_credential(**changes: Any) -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "id": CREDENTIAL,
        "type": ["VerifiableCredential", "JsonSchemaCredential"],
        "issuer": "did:web:schemas.example",
        "credentialSchema": {"id": META, "type": "JsonSchema"},
        "credentialSubject": {
            "id": URL,
            "type": "JsonSchema",
            "jsonSchema": {"$schema": DIALECT, "$id": URL, "required": ["a"]},
        },
        **changes,
    }


def test_a_verified_schema_credential_is_a_schema():
    """Its subject's schema is evaluated, and digests are those of the credential as published."""
    schemas = Schemas.carried().with_credential(CREDENTIAL, schema_credential(), b"as published")
    entry = {"id": CREDENTIAL, "type": "JsonSchemaCredential"}
    assert check({"a": 1}, schemas, **entry).outcome is SchemaOutcome.PASSED
    assert check({}, schemas, **entry).outcome is SchemaOutcome.FAILED
    assert check({"a": 1}, schemas, **entry, digestSRI=sri(b"as published")).outcome is SchemaOutcome.PASSED
    assert check({"a": 1}, schemas, **entry, digestSRI=sri(b"other")).outcome is SchemaOutcome.FAILED
    assert check({"a": 1}, schemas, id=CREDENTIAL).reason == "schema-not-known"
    assert check({"a": 1}, Schemas.carried(), **entry).reason == "schema-not-known"
    with pytest.raises(ValueError, match="already"):
        schemas.with_credential(CREDENTIAL, schema_credential(), b"")


SUBJECT = schema_credential()["credentialSubject"]


@pytest.mark.parametrize(
    "changes",
    [
        {"type": ["VerifiableCredential"]},
        {"type": "JsonSchemaCredential"},
        {"id": OTHER},
        {"credentialSchema": {"id": OTHER, "type": "JsonSchema"}},
        {"credentialSchema": {"id": META, "type": "JsonSchemaCredential"}},
        {"credentialSchema": {"id": META, "type": "JsonSchema", "digestSRI": "sha384-AAAA"}},
        {"credentialSchema": []},
        {"credentialSubject": [SUBJECT]},
        {"credentialSubject": {**SUBJECT, "type": "Schema"}},
        {"credentialSubject": {**SUBJECT, "jsonSchema": json.dumps(SUBJECT["jsonSchema"])}},
        {"credentialSubject": {**SUBJECT, "jsonSchema": {"$schema": DIALECT}}},
        {"credentialSubject": {**SUBJECT, "jsonSchema": {"$id": URL}}},
        {"credentialSubject": {**SUBJECT, "jsonSchema": {"$schema": DIALECT, "$id": "s.json"}}},
        {"credentialSubject": {**SUBJECT, "jsonSchema": {"$schema": DIALECT, "$id": URL, "type": "thing"}}},
        {"credentialSubject": {"id": URL, "type": "JsonSchema"}},
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_what_is_no_schema_credential_is_not_taken(changes):
    """Type, id, its own schema, and a subject with one schema that says what it is."""
    with pytest.raises(Malformed, match="not-a-schema"):
        Schemas.carried().with_credential(CREDENTIAL, schema_credential(**changes), b"")

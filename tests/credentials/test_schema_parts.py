"""What a schema says of a part: true of every selection of what conforms, and still against what is misshapen."""

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from credentials.samples import births, document
from vcid.credentials.schema import SchemaOutcome, check_own_schemas, check_schema
from vcid.credentials.schema_parts import relax
from vcid.credentials.schema_set import Schemas
from vcid.securing.selection import select_json_ld

URL = "https://example.com/schemas/a.json"


def pointers_of(value, path=""):
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, member in members:
        if step != "@context":
            yield f"{path}/{step}"
            yield from pointers_of(member, f"{path}/{step}")


def outcome(part, *, in_part=True):
    (result,) = check_own_schemas(part, but=(), in_part=in_part)
    return result


@given(births(), st.data())
def test_every_selection_of_what_conforms_conforms(record, data):
    """Whatever a holder picks from a good credential, its schema has nothing against it."""
    whole = document(record)
    wanted = data.draw(st.lists(st.sampled_from(sorted(pointers_of(whole))), min_size=1, max_size=6))
    part = select_json_ld(["/issuer", *wanted], whole)
    assert outcome(part).outcome is SchemaOutcome.PASSED, outcome(part).faults


SUBJECT = {"id": "did:key:z6MkChild", "type": "RegisteredPerson"}


@pytest.mark.parametrize(
    ("subject", "path"),
    [
        ({"sexAtBirth": "other"}, "/credentialSubject/sexAtBirth"),
        ({"birthDate": "last spring"}, "/credentialSubject/birthDate"),
        ({"religion": "any"}, "/credentialSubject/religion"),
        ({"names": [{"full": "A", "nick": "B"}]}, "/credentialSubject/names/0/nick"),
        ({"birthPlace": {"country": "ZZ"}}, "/credentialSubject/birthPlace/country"),
    ],
)
def test_what_is_shown_has_to_be_of_the_right_shape(subject, path):
    """A wrong word, form or member fails in part as in whole."""
    part = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/vcid/v1"],
        "type": ["VerifiableCredential", "BirthRegistrationCredential"],
        "issuer": "did:web:civil.example",
        "credentialSubject": {**SUBJECT, **subject},
    }
    result = outcome(part)
    assert result.outcome is SchemaOutcome.FAILED
    assert [fault.path for fault in result.faults] == [path]
    bare = {**part, "credentialSubject": SUBJECT}
    assert outcome(bare).outcome is SchemaOutcome.PASSED
    assert outcome(bare, in_part=False).outcome is SchemaOutcome.FAILED


def test_evidence_that_is_shown_is_checked():
    """A condition on nothing but the type decides for a part as well."""
    part = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/vcid/v1"],
        "type": ["VerifiableCredential", "BirthRegistrationCredential"],
        "issuer": "did:web:civil.example",
        "credentialSubject": SUBJECT,
        "evidence": [{"type": "BirthEvidence", "kind": "hearsay"}],
    }
    assert outcome(part).outcome is SchemaOutcome.FAILED
    part["evidence"] = {"type": "BirthEvidence", "kind": "witness"}
    assert outcome(part).outcome is SchemaOutcome.PASSED


def test_a_schema_that_was_handed_in_decides_or_leaves_it_open():
    """A part that conforms conforms; one that does not may lack only what was not shown: nobody can say."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": URL,
        "properties": {"credentialSubject": {"required": ["a"]}},
    }
    schemas = Schemas.carried().with_schema(URL, json.dumps(schema).encode())
    base = {"type": ["VerifiableCredential"], "credentialSchema": {"id": URL, "type": "JsonSchema"}}
    cases = (({"a": 1}, True, "passed"), ({"b": 1}, True, "unknown"), ({"b": 1}, False, "failed"))
    for subject, in_part, expected in cases:
        (result,) = check_schema({**base, "credentialSubject": subject}, schemas=schemas, in_part=in_part)
        assert result.outcome == expected
        assert (result.reason == "shown-in-part") is (expected == "unknown")


def test_relaxing_tells_keywords_from_names():
    """A property may be called as a keyword is; booleans stay; the schema given is left as it is."""
    schema = {
        "required": ["required"],
        "properties": {"required": {"type": "string", "minLength": 1}, "not": True},
        "additionalProperties": False,
        "prefixItems": [{"const": "a"}],
        "items": {"const": "b"},
        "anyOf": [{"minItems": 1}, {"not": {}}],
        "if": {"required": ["a"]},
        "then": False,
    }
    before = copy.deepcopy(schema)
    assert relax(schema) == {
        "properties": {"required": {"type": "string", "minLength": 1}, "not": True},
        "additionalProperties": False,
        "anyOf": [{}, {}],
    }
    assert schema == before

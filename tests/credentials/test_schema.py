"""The schemas that vcid carries, in step with records and context, and how credentials are evaluated."""

from __future__ import annotations

import base64
import hashlib
import json
from enum import StrEnum
from typing import TYPE_CHECKING

import jsonschema
import pytest
from hypothesis import given, settings

from credentials.samples import CHILD, birth, births, document, guardianship, registration
from vcid.credentials import birth_terms, codes, digests, guardianship_parts, guardianship_terms
from vcid.credentials.birth import BirthRegistration, Evidence, EvidenceKind, RegistrationType
from vcid.credentials.guardianship import APPEAL_URI, ARRANGEMENT_ID, Guardianship
from vcid.credentials.schema import MAX_SCHEMAS, SchemaOutcome, check_schema
from vcid.credentials.schema_evaluation import DIALECT
from vcid.credentials.schema_set import Schemas, read_schema
from vcid.encoding.contexts import Contexts
from vcid.encoding.rdf import check_terms
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.encoding.json import JSON, JsonObject

BIRTH = json.loads(read_schema("birth-registration-v1.json"))
GUARDIANSHIP = json.loads(read_schema("guardianship-v1.json"))
EMAIL = b"""{"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": "https://schemas.example/email.json",
 "type": "object", "properties": {"credentialSubject": {"required": ["emailAddress"]}}}"""


def outcome(credential: JsonObject, schemas: Schemas | None = None) -> SchemaOutcome:
    (result,) = check_schema(credential, schemas=schemas or Schemas.carried())
    return result.outcome


def faults(credential: JsonObject) -> set[tuple[str, str]]:
    (result,) = check_schema(credential)
    return {(fault.path, fault.code) for fault in result.faults}


def nodes(schema: JSON) -> Iterator[JsonObject]:
    """Every object in a schema."""
    if isinstance(schema, dict):
        yield schema
        for member in schema.values():
            yield from nodes(member)
    elif isinstance(schema, list):
        for item in schema:
            yield from nodes(item)


def enums_of(module: object) -> list[set[str]]:
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, StrEnum)]
    return [set(kind) for kind in kinds if kind is not StrEnum]


@pytest.mark.parametrize(("record", "schema"), [(BirthRegistration, BIRTH), (Guardianship, GUARDIANSHIP)])
def test_the_schema_is_one_and_has_the_records_id(record: type, schema: JsonObject) -> None:
    """Each carried file is a valid schema of the required dialect under the id that records name."""
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"] == record.schema_id
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert record.schema_id in Schemas.carried()


@pytest.mark.parametrize(
    ("module", "schema"),
    [(birth_terms, BIRTH), (guardianship_terms, GUARDIANSHIP)],
    ids=["birth", "guardianship"],
)
def test_enumerations_are_the_records(module: object, schema: JsonObject) -> None:
    """Every list of words in the code stands in the schema with the same words."""
    listed = [set(node["enum"]) for node in nodes(schema) if isinstance(node.get("enum"), list)]
    for words in enums_of(module):
        assert words in listed
    assert "corrected" not in str(listed)


def test_formats_are_the_records() -> None:
    """Countries, patterns and bounds in the schemas are those that records check."""
    defs = BIRTH["$defs"]
    assert set(defs["country"]["enum"]) == codes.COUNTRIES
    assert (
        defs["jurisdiction"]["pattern"]
        == GUARDIANSHIP["$defs"]["jurisdiction"]["pattern"]
        == codes.JURISDICTION
    )
    assert defs["did"]["pattern"] == GUARDIANSHIP["$defs"]["did"]["pattern"] == codes.DID
    assert defs["childRef"]["pattern"] == codes.CHILD_REF
    assert defs["name"]["properties"]["lang"]["pattern"] == codes.LANGUAGE_TAG
    assert defs["name"]["properties"]["script"]["pattern"] == codes.SCRIPT
    salted = GUARDIANSHIP["$defs"]["saltedDigest"]["properties"]
    assert salted["salt"]["pattern"] == digests.SALT
    assert salted["digest"]["pattern"] == digests.DIGEST
    assert salted["algorithm"]["const"] == digests.ALGORITHM
    subject = GUARDIANSHIP["$defs"]["subject"]["properties"]
    assert subject["arrangementId"]["pattern"] == ARRANGEMENT_ID
    assert subject["appealURI"]["pattern"] == APPEAL_URI
    age = subject["endsAtMajority"]["properties"]["age"]
    assert range(age["minimum"], age["maximum"] + 1) == guardianship_parts.MAJORITY_AGES


@pytest.mark.parametrize("schema", [BIRTH, GUARDIANSHIP], ids=["birth", "guardianship"])
def test_subjects_take_no_other_fields(schema: JsonObject) -> None:
    """Every object of a subject is closed, so that nothing is slipped in."""
    for node in nodes(schema["$defs"]):
        if node.get("type") == "object":
            assert node["additionalProperties"] is False


@pytest.mark.parametrize("schema", [BIRTH, GUARDIANSHIP], ids=["birth", "guardianship"])
def test_every_property_is_a_term_of_the_context(schema: JsonObject) -> None:
    """What the schema allows, the JSON-LD context defines."""
    context = Contexts.carried()["https://w3id.org/vcid/v1"]["@context"]
    terms = {*context, *context["Guardianship"]["@context"], "id", "type"}
    for node in nodes(schema["$defs"]):
        if node.get("type") == "object":
            assert set(node["properties"]) <= terms


@pytest.mark.parametrize("record", [birth(), guardianship()], ids=["birth", "guardianship"])
def test_terms_are_defined_and_protected_ones_kept(record: BirthRegistration | Guardianship) -> None:
    """A whole credential passes JSON-LD safe mode beside the data model's own context."""
    check_terms(document(record), contexts=Contexts.carried())


@given(births())
@settings(max_examples=60, deadline=None)
def test_every_good_record_passes_its_schema(record: BirthRegistration) -> None:
    """The schema refuses nothing that the record allows."""
    assert outcome(document(record)) is SchemaOutcome.PASSED


def test_a_good_guardianship_passes_its_schema() -> None:
    """The schema refuses nothing that the record allows."""
    assert outcome(document(guardianship())) is SchemaOutcome.PASSED


@pytest.mark.parametrize("record", [birth(), guardianship()], ids=["birth", "guardianship"])
def test_no_mandatory_field_can_be_left_out(record: BirthRegistration | Guardianship) -> None:
    """What the record demands the schema demands, field by field."""
    whole = document(record)
    schema = BIRTH if isinstance(record, BirthRegistration) else GUARDIANSHIP
    subject = whole["credentialSubject"]
    for name in schema["$defs"]["subject"]["required"]:
        rest = {key: value for key, value in subject.items() if key != name}
        assert (f"/credentialSubject/{name}", "required") in faults({**whole, "credentialSubject": rest})


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"religion": "x"}, "/credentialSubject/religion", "unknown-field"),
        ({"Amina Example": "x"}, "/credentialSubject", "unknown-field"),
        ({"sexAtBirth": "Amina"}, "/credentialSubject/sexAtBirth", "unknown-value"),
        ({"birthDate": "15/03/2021"}, "/credentialSubject/birthDate", "wrong-form"),
        ({"names": []}, "/credentialSubject/names", "too-few"),
        ({"names": [{"full": "A\u202e"}]}, "/credentialSubject/names/0/full", "wrong-form"),
        ({"names": [{"given": "Amina"}]}, "/credentialSubject/names/0/full", "required"),
        ({"nameStatus": "notYetNamed"}, "/credentialSubject/names", "not-allowed"),
        ({"parentageStatus": "withheld"}, "/credentialSubject/parents", "not-allowed"),
        ({"birthOrder": 1}, "/credentialSubject/birthType", "required"),
        ({"birthOrder": "1"}, "/credentialSubject/birthOrder", "wrong-type"),
        ({"birthOrder": 16, "birthType": "higherOrder"}, "/credentialSubject/birthOrder", "out-of-range"),
        ({"nationalities": ["KE"]}, "/credentialSubject/nationalityStatus", "required"),
        ({"childRef": None}, "/credentialSubject/childRef", "wrong-type"),
        (
            {"finding": {"date": "2021-03-20", "place": {"country": "KE"}}},
            "/credentialSubject/parentageStatus",
            "unknown-value",
        ),
    ],
)
def test_a_birth_with_a_fault_fails(change: JsonObject, path: str, code: str) -> None:
    """Faults are told by pointer and code, and never with the value found."""
    credential = document(birth())
    credential["credentialSubject"] = {**credential["credentialSubject"], **change}
    assert (path, code) in faults(credential)
    (result,) = check_schema(credential)
    assert "Amina" not in str(result) + "".join(map(str, result.faults))


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"guardians": [{"type": "Person"}]}, "/credentialSubject/guardians/0", "schema-rule"),
        ({"permittedActs": ["fly"]}, "/credentialSubject/permittedActs/0", "unknown-value"),
        ({"permittedActs": ["relocate"]}, "/credentialSubject/permittedActs", "required"),
        ({"basis": "interimCaseworker"}, "/credentialSubject/guardians/0/type", "unknown-value"),
        ({"issuingAuthorityRole": "notary"}, "/credentialSubject/issuingAuthorityRole", "unknown-value"),
        ({"validFrom": "2026-03-01"}, "/credentialSubject/validFrom", "wrong-form"),
        ({"jurisdiction": "Kenya"}, "/credentialSubject/jurisdiction", "wrong-form"),
    ],
)
def test_a_guardianship_with_a_fault_fails(change: JsonObject, path: str, code: str) -> None:
    """The rules that a schema can hold are held by it."""
    credential = document(guardianship())
    credential["credentialSubject"] = {**credential["credentialSubject"], **change}
    assert (path, code) in faults(credential)


def test_late_registration_needs_evidence_beside_the_subject() -> None:
    """Evidence is one object or several, and mandatory where the registration was late."""
    late = registration(type=RegistrationType.LATE)
    whole = document(birth(registration=late, evidence=[Evidence(kind=EvidenceKind.WITNESS)]))
    (item,) = whole["evidence"]
    assert outcome(whole) is SchemaOutcome.PASSED
    assert outcome({**whole, "evidence": item}) is SchemaOutcome.PASSED
    del whole["evidence"]
    assert faults(whole) == {("/evidence", "required")}
    assert faults({**whole, "evidence": {"type": "BirthEvidence", "kind": "rumour"}}) == {
        ("/evidence/kind", "unknown-value")
    }


@pytest.mark.parametrize(
    ("change", "path"),
    [
        ({"@context": ["https://www.w3.org/ns/credentials/v2"]}, "/@context"),
        ({"type": ["VerifiableCredential"]}, "/type"),
        ({"issuer": "civil registry"}, "/issuer"),
        ({"id": "urn:uuid:Amina"}, "/id"),
    ],
)
def test_the_whole_credential_is_evaluated(change: JsonObject, path: str) -> None:
    """Context, types, issuer and id are the schema's business too."""
    assert path in {where for where, _ in faults({**document(birth()), **change})}


@pytest.mark.parametrize(
    ("entry", "reason"),
    [
        ({"id": "https://schemas.example/other.json", "type": "JsonSchema"}, "schema-not-known"),
        ({"id": BirthRegistration.schema_id, "type": "JsonSchemaCredential"}, "schema-not-known"),
        (
            {"id": BirthRegistration.schema_id, "type": ["JsonSchema", "JsonSchemaCredential"]},
            "schema-not-known",
        ),
        ({"id": BirthRegistration.schema_id, "type": "ShapeExpression"}, "type-not-supported"),
        ({"id": BirthRegistration.schema_id}, "type-not-supported"),
    ],
)
def test_what_cannot_be_evaluated_is_unknown(entry: JsonObject, reason: str) -> None:
    """Nothing is fetched or guessed: the outcome is unknown, with its reason."""
    (result,) = check_schema({**document(birth()), "credentialSchema": entry})
    assert (result.outcome, result.reason, result.faults) == (SchemaOutcome.UNKNOWN, reason, ())


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({"$schema": "https://json-schema.org/draft/unknown/schema"}, "version-not-supported"),
        ({"$schema": "http://json-schema.org/draft-04/schema#"}, "version-not-supported"),
        ({"$ref": "https://schemas.example/far.json"}, "reference-not-resolved"),
        ({"$ref": "#"}, "reference-not-resolved"),
        ({"not": {"$schema": "http://json-schema.org/draft-07/schema#"}}, "version-not-supported"),
        ({"pattern": "(?=a)"}, "pattern-not-supported"),
        ({"patternProperties": {"(?<name>a)": {}}}, "pattern-not-supported"),
        ({"patternProperties": {"a": {}}, "unevaluatedProperties": False}, "keyword-not-supported"),
    ],
)
def test_versions_and_references_out_of_reach_are_unknown(content: JsonObject, reason: str) -> None:
    """A schema of another version, or one that refers to what is not here, decides nothing."""
    whole = {"$schema": DIALECT, "$id": "https://schemas.example/s.json", **content}
    schemas = Schemas.carried().with_schema("https://schemas.example/s.json", json.dumps(whole).encode())
    entry = {"id": "https://schemas.example/s.json", "type": "JsonSchema"}
    (result,) = check_schema({**document(birth()), "credentialSchema": entry}, schemas=schemas)
    assert (result.outcome, result.reason) == (SchemaOutcome.UNKNOWN, reason)


def test_each_schema_of_several_has_its_result() -> None:
    """A credential may name several schemas; none of them speaks for another."""
    schemas = Schemas.carried().with_schema("https://schemas.example/email.json", EMAIL)
    entries = [
        {"id": BirthRegistration.schema_id, "type": "JsonSchema"},
        {"id": "https://schemas.example/email.json", "type": "JsonSchema"},
        {"id": "https://schemas.example/none.json", "type": "JsonSchema"},
    ]
    results = check_schema({**document(birth()), "credentialSchema": entries}, schemas=schemas)
    assert [result.outcome for result in results] == [
        SchemaOutcome.PASSED,
        SchemaOutcome.FAILED,
        SchemaOutcome.UNKNOWN,
    ]
    assert [(fault.path, fault.code) for fault in results[1].faults] == [
        ("/credentialSubject/emailAddress", "required")
    ]
    assert check_schema({"type": ["VerifiableCredential"]}) == ()


def test_nobody_is_kept_busy_by_naming_schemas() -> None:
    """Beyond sixteen schemas nothing is evaluated, and the question stays open."""
    entries = [{"id": BirthRegistration.schema_id, "type": "JsonSchema"}] * (MAX_SCHEMAS + 1)
    results = check_schema({**document(birth()), "credentialSchema": entries})
    assert [result.outcome for result in results[:-1]] == [SchemaOutcome.PASSED] * MAX_SCHEMAS
    assert (results[-1].outcome, results[-1].reason) == (SchemaOutcome.UNKNOWN, "too-many-schemas")


def _sri(algorithm: str, content: bytes) -> str:
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def test_a_stated_digest_is_that_of_the_schema() -> None:
    """The strongest digest stated decides, and a wrong one fails before anything is evaluated."""
    content = read_schema("birth-registration-v1.json")
    good, wrong = _sri("sha384", content), _sri("sha512", b"another")
    entry = {"id": BirthRegistration.schema_id, "type": "JsonSchema"}

    def check(stated: JSON) -> SchemaOutcome:
        return outcome({**document(birth()), "credentialSchema": {**entry, "digestSRI": stated}})

    assert check(good) is SchemaOutcome.PASSED
    assert check(f"{_sri('sha256', b'another')} {good}") is SchemaOutcome.PASSED
    assert check([wrong.replace("512", "256"), good]) is SchemaOutcome.PASSED
    for stated in (wrong, f"{good} {wrong}", "", "md5-abc", 7, [good, wrong], [], good[:-4]):
        assert check(stated) is SchemaOutcome.FAILED


@pytest.mark.parametrize(
    "entry", [7, {}, {"id": 7, "type": "JsonSchema"}, [], "https://schemas.example/s.json"]
)
def test_an_entry_that_names_no_schema_fails(entry: JSON) -> None:
    """A malformed entry is a fault of the credential, not a crash."""
    results = check_schema({**document(birth()), "credentialSchema": [entry]})
    assert [result.outcome for result in results] == [SchemaOutcome.FAILED]


def test_hosts_of_faults_are_cut_off() -> None:
    """A document with a fault in every item yields a bounded list of faults."""
    credential = document(birth())
    credential["credentialSubject"]["names"] = [{"full": 7}] * 40 + [{"x": 7}] * 40
    (result,) = check_schema(credential)
    assert len(result.faults) == 100


def test_a_set_of_schemas_grows_into_a_new_one() -> None:
    """Sets are frozen, no id is given twice, and what is no schema is refused when it is added."""
    grown = Schemas.carried().with_schema("https://schemas.example/email.json", EMAIL)
    assert "https://schemas.example/email.json" in grown
    assert "https://schemas.example/email.json" not in Schemas.carried()
    assert len(grown) == len(Schemas.carried()) + 1 == len(list(grown))
    with pytest.raises(ValueError, match="already"):
        grown.with_schema(BirthRegistration.schema_id, EMAIL)
    faulty = [
        b"[]",
        b"{",
        EMAIL.replace(b'"object"', b'"thing"'),
        EMAIL.replace(b'"$schema"', b'"schema"'),
        EMAIL.replace(b'"$id"', b'"id"'),
        EMAIL.replace(b"https://schemas.example/email.json", b"email.json"),
        EMAIL.replace(b"https://schemas.example/email.json", b"https://schemas.example/other.json"),
    ]
    for content in faulty:
        with pytest.raises(Malformed):
            Schemas.carried().with_schema("https://schemas.example/email.json", content)


def test_the_subject_alone_is_not_the_credential() -> None:
    """A schema is about the whole credential: a bare subject doesn't pass for one."""
    subject = birth().to_subject(CHILD)
    entry = {"id": BirthRegistration.schema_id, "type": "JsonSchema"}
    assert outcome({**subject, "credentialSchema": entry}) is SchemaOutcome.FAILED

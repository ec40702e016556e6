"""The data model: official examples pass, each rule has its fault with its place, and `build` obeys them all."""

from __future__ import annotations

import copy
import json
import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.model import (
    EXTRA_MEMBERS,
    VCID_CONTEXT,
    Credential,
    Draft,
    build,
    check_model,
    check_version_2,
)
from vcid.credentials.model_rules import MAX_ENTRIES, MAX_FAULTS, VC_V1, VC_V2, is_url
from vcid.errors import InvalidRecord, Malformed

if TYPE_CHECKING:
    from pathlib import Path

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"


def document(**changes: Any) -> dict[str, Any]:
    return {
        "@context": [VC_V2, EXAMPLES],
        "id": "urn:uuid:3c1c1e9e-53b7-4a4f-a7b0-5f5a3c4f8f10",
        "type": ["VerifiableCredential", "ExampleBirthCredential"],
        "issuer": "did:web:civil.example",
        "validFrom": "2025-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:child", "fullName": "Amina Example"},
        **changes,
    }


def faults(*, without: str = "", **changes: Any) -> list[tuple[str, str]]:
    changed = document(**changes)
    changed.pop(without, None)
    return [(fault.path, fault.code) for fault in check_model(changed)]


def is_credential(example: object) -> bool:
    return (
        isinstance(example, dict)
        and isinstance(example.get("type"), list)
        and "VerifiableCredential" in example["type"]
    )


# Official examples -----------------------------------------------------------------------------------------

SHORT = "example-a-template-for-creating-prototype-verifiable-credentials.json"


def test_official_examples_pass(vectors: Path, tally):
    """Every credential among the specification's examples conforms, but for the one that is a mere template."""
    folder = vectors / "vc-data-model" / "examples"
    examples = {path.name: json.loads(path.read_bytes()) for path in sorted(folder.glob("*.json"))}
    credentials = {name: example for name, example in examples.items() if is_credential(example)}
    found = {name: check_model(example) for name, example in credentials.items()}
    tally(f"VCDM 2.0 examples: {len(credentials)} credentials of {len(examples)} JSON files")
    assert len(credentials) > 60
    assert {name for name, each in found.items() if each} == {SHORT}
    assert [(fault.path, fault.code) for fault in found[SHORT]] == [("/issuer", "missing")]


def test_official_examples_that_are_no_credentials_fail(vectors: Path):
    """Presentations, contexts and wallets' fragments among the examples are told apart."""
    folder = vectors / "vc-data-model" / "examples"
    others = [
        example
        for path in folder.glob("*.json")
        if not is_credential(example := json.loads(path.read_bytes()))
    ]
    assert len(others) > 10
    assert all(check_model(example) for example in others if isinstance(example, dict))


def test_the_schemas_own_examples_pass(vectors: Path):
    """The files that the working group's JSON Schema is tested with."""
    folder = vectors / "vc-data-model" / "schema" / "verifiable-credential"
    paths = sorted(folder.glob("example-*.json"))
    assert len(paths) == 9
    for path in paths:
        assert check_model(json.loads(path.read_bytes())) == (), path.name


@pytest.mark.parametrize("mode", ["drop", "null", "empty"])
def test_the_official_schema_refuses_no_more_than_we_do(mode, vectors: Path):
    """What the working group's JSON Schema refuses among simple mutations, this check refuses too."""
    from jsonschema import Draft202012Validator

    schema = (
        vectors / "vc-data-model" / "schema" / "verifiable-credential" / "verifiable-credential-schema.json"
    )
    validator = Draft202012Validator(json.loads(schema.read_bytes()))
    assert validator.is_valid(document())
    refused = 0
    for name in document():
        changed = document()
        if mode == "drop":
            del changed[name]
        else:
            changed[name] = None if mode == "null" else {}
        if not validator.is_valid(changed):
            assert check_model(changed), name
            refused += 1
    assert refused


# One rule at a time ----------------------------------------------------------------------------------------


def test_a_plain_credential_has_no_fault():
    """The document that the tests below change."""
    assert faults() == []


@pytest.mark.parametrize(
    "changes",
    [
        {"@context": [VC_V2]},
        {"@context": [VC_V2, {"office": "https://civil.example/#office"}]},
        {"type": "VerifiableCredential"},
        {"type": ["https://civil.example/types#Birth", "VerifiableCredential"]},
        {"issuer": {"id": "did:web:civil.example"}},
        {"issuer": {"id": "https://civil.example/", "name": "Registry", "description": {"@value": "x"}}},
        {"name": "Birth"},
        {"name": {"@value": "ولادة", "@language": "ar", "@direction": "rtl"}},
        {"description": [{"@value": "Birth", "@language": "en-GB"}, {"@value": "Geburt", "@language": "de"}]},
        {"validFrom": "2025-01-01T00:00:00.123+03:00"},
        {"validUntil": "2025-01-01T00:00:00Z"},
        {"validUntil": "2024-12-31T23:00:00-05:00"},
        {"credentialSubject": {"id": "did:example:child"}},
        {"credentialSubject": [{"fullName": "A"}, {"id": "urn:x:y"}]},
        {"credentialStatus": {"type": "BitstringStatusListEntry"}},
        {"credentialStatus": [{"type": "A"}, {"type": ["B"], "id": "https://civil.example/s#1"}]},
        {"credentialSchema": {"id": "https://civil.example/schema", "type": "JsonSchema"}},
        {"evidence": [{"type": ["Evidence"]}]},
        {"termsOfUse": {"type": "Policy"}},
        {"refreshService": {"type": "Refresh", "url": "https://civil.example/"}},
        {"renderMethod": {"type": "SvgRendering"}},
        {"proof": {"type": "DataIntegrityProof", "proofPurpose": "assertionMethod"}},
        {
            "relatedResource": {
                "id": VC_V2,
                "digestSRI": "sha384-l/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU",
            }
        },
        {
            "relatedResource": [
                {"id": VC_V2, "digestMultibase": "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}
            ]
        },
        {"anythingElse": None},
    ],
    ids=lambda value: json.dumps(value, ensure_ascii=True)[:60],
)
def test_legal_forms_pass(changes):
    """Forms that are easily taken for faults."""
    assert faults(**changes) == []


LANGUAGE = {"@value": "Birth", "@language": "en"}


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"@context": VC_V2}, [("/@context", "not-a-list")]),
        ({"@context": []}, [("/@context", "not-a-list")]),
        ({"@context": None}, [("/@context", "not-a-list")]),
        ({"@context": [EXAMPLES, VC_V2]}, [("/@context/0", "wrong-context"), ("/@context/1", "duplicate")]),
        ({"@context": [[VC_V2]]}, [("/@context/0", "wrong-context")]),
        ({"@context": [VC_V2, VC_V2]}, [("/@context/1", "duplicate")]),
        ({"@context": [VC_V2, EXAMPLES, EXAMPLES]}, [("/@context/2", "duplicate")]),
        ({"@context": [VC_V2, None, 7, "", "v1"]}, [(f"/@context/{n}", "not-a-context") for n in (1, 2, 3, 4)]),
        ({"@context": [VC_V2, [EXAMPLES]]}, [("/@context/1", "not-a-context")]),
        ({"id": None}, [("/id", "not-a-url")]),
        ({"id": ["urn:uuid:1", "urn:uuid:2"]}, [("/id", "not-a-url")]),
        ({"id": "not-a-url"}, [("/id", "not-a-url")]),
        ({"id": ""}, [("/id", "not-a-url")]),
        ({"type": "ExampleBirthCredential"}, [("/type", "wrong-type")]),
        ({"type": ["ExampleBirthCredential"]}, [("/type", "wrong-type")]),
        ({"type": []}, [("/type", "not-a-type"), ("/type", "wrong-type")]),
        ({"type": None}, [("/type", "not-a-type"), ("/type", "wrong-type")]),
        ({"type": ["VerifiableCredential", ""]}, [("/type/1", "not-a-type")]),
        ({"type": ["VerifiableCredential", 7, None]}, [("/type/1", "not-a-type"), ("/type/2", "not-a-type")]),
        ({"issuer": None}, [("/issuer", "not-a-url")]),
        ({"issuer": "civil registry"}, [("/issuer", "not-a-url")]),
        ({"issuer": ["did:web:civil.example"]}, [("/issuer", "not-a-url")]),
        ({"issuer": {}}, [("/issuer/id", "missing")]),
        ({"issuer": {"id": None}}, [("/issuer/id", "not-a-url")]),
        ({"issuer": {"id": "did:web:civil.example", "name": 7}}, [("/issuer/name", "not-a-text")]),
        ({"name": 7}, [("/name", "not-a-text")]),
        ({"name": None}, [("/name", "not-a-text")]),
        ({"name": []}, [("/name", "not-a-text")]),
        ({"name": ["Birth"]}, [("/name/0", "not-a-text")]),
        ({"name": {}}, [("/name/@value", "not-a-text")]),
        ({"name": {**LANGUAGE, "@value": 7}}, [("/name/@value", "not-a-text")]),
        ({"name": {**LANGUAGE, "@language": "en us"}}, [("/name/@language", "not-a-language")]),
        ({"name": {**LANGUAGE, "@language": None}}, [("/name/@language", "not-a-language")]),
        ({"name": {**LANGUAGE, "@direction": "up"}}, [("/name/@direction", "not-a-direction")]),
        ({"name": {**LANGUAGE, "@direction": {}}}, [("/name/@direction", "not-a-direction")]),
        ({"description": {**LANGUAGE, "url": "x"}}, [("/description", "unknown-member")]),
        ({"validFrom": "2025-01-01"}, [("/validFrom", "not-a-timestamp")]),
        ({"validFrom": "2025-01-01T00:00:00"}, [("/validFrom", "not-a-timestamp")]),
        ({"validFrom": None}, [("/validFrom", "not-a-timestamp")]),
        ({"validFrom": 1735689600}, [("/validFrom", "not-a-timestamp")]),
        ({"validUntil": "2024-12-31T23:59:59Z"}, [("/validUntil", "ends-before-start")]),
        ({"validUntil": "2025-01-01T01:00:00+02:00"}, [("/validUntil", "ends-before-start")]),
        ({"validUntil": ["2026-01-01T00:00:00Z"]}, [("/validUntil", "not-a-timestamp")]),
        ({"credentialSubject": {}}, [("/credentialSubject", "not-a-subject")]),
        ({"credentialSubject": []}, [("/credentialSubject", "not-a-subject")]),
        ({"credentialSubject": None}, [("/credentialSubject", "not-a-subject")]),
        ({"credentialSubject": "did:example:child"}, [("/credentialSubject", "not-a-subject")]),
        ({"credentialSubject": [{"a": 1}, {}, "x"]}, [(f"/credentialSubject/{n}", "not-a-subject") for n in (1, 2)]),
        ({"credentialSubject": {"id": None}}, [("/credentialSubject/id", "not-a-url")]),
        ({"credentialSubject": {"id": "child"}}, [("/credentialSubject/id", "not-a-url")]),
        ({"credentialSubject": {"id": "urn:a:b", "type": 7}}, [("/credentialSubject/type", "not-a-type")]),
        ({"credentialStatus": {}}, [("/credentialStatus/type", "missing")]),
        ({"credentialStatus": []}, [("/credentialStatus", "not-an-object")]),
        ({"credentialStatus": None}, [("/credentialStatus", "not-an-object")]),
        ({"credentialStatus": {"type": "A", "id": "x y"}}, [("/credentialStatus/id", "not-a-url")]),
        ({"credentialStatus": [{"type": "A"}, {"type": ""}]}, [("/credentialStatus/1/type/0", "not-a-type")]),
        ({"credentialSchema": {"type": "JsonSchema"}}, [("/credentialSchema/id", "missing")]),
        ({"credentialSchema": {"id": "https://a.example/s"}}, [("/credentialSchema/type", "missing")]),
        ({"credentialSchema": "https://a.example/s"}, [("/credentialSchema", "not-an-object")]),
        ({"evidence": {"id": "https://a.example/e"}}, [("/evidence/type", "missing")]),
        ({"evidence": ["seen"]}, [("/evidence/0", "not-an-object")]),
        ({"termsOfUse": {"id": "https://a.example/t"}}, [("/termsOfUse/type", "missing")]),
        ({"refreshService": {"type": []}}, [("/refreshService/type", "not-a-type")]),
        ({"confidenceMethod": {}}, [("/confidenceMethod/type", "missing")]),
        ({"renderMethod": [{}]}, [("/renderMethod/0/type", "missing")]),
        ({"proof": "z"}, [("/proof", "not-an-object")]),
        ({"proof": {"type": "A"}}, [("/proof/proofPurpose", "missing")]),
        ({"proof": [{"proofPurpose": "a"}]}, [("/proof/0/type", "missing")]),
        ({"proof": {"type": "A", "proofPurpose": "a", "id": "1"}}, [("/proof/id", "not-a-url")]),
        ({"relatedResource": []}, [("/relatedResource", "not-an-object")]),
        ({"relatedResource": VC_V2}, [("/relatedResource", "not-an-object")]),
        ({"relatedResource": {"digestMultibase": "uAAAA"}}, [("/relatedResource/id", "missing")]),
        ({"relatedResource": {"id": VC_V2}}, [("/relatedResource", "missing-digest")]),
        ({"relatedResource": {"id": VC_V2, "digestSRI": "md5-abc"}}, [("/relatedResource/digestSRI", "not-a-digest")]),
        ({"relatedResource": {"id": VC_V2, "digestMultibase": []}}, [("/relatedResource/digestMultibase", "not-a-digest")]),
        ({"relatedResource": [{"id": VC_V2, "digestMultibase": "uAAAA"}] * 2}, [("/relatedResource/1/id", "duplicate")]),
        ({"relatedResource": {"id": VC_V2, "digestMultibase": "uAAAA", "mediaType": 7}}, [("/relatedResource/mediaType", "not-a-media-type")]),
    ],
    ids=lambda value: json.dumps(value)[:60],
)  # fmt: skip
def test_each_fault_is_named_with_its_place(changes, expected):
    """One change, one fault, at its JSON pointer."""
    assert faults(**changes) == expected


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("@context", "not-a-list"),
        ("type", "missing"),
        ("issuer", "missing"),
        ("credentialSubject", "missing"),
    ],
)
def test_required_members(name, code):
    """Four members must be there; the others may be left out."""
    assert faults(without=name) == [(f"/{name}", code)]


@pytest.mark.parametrize("name", ["id", "validFrom"])
def test_optional_members(name):
    """A credential without id or start is a credential."""
    assert faults(without=name) == []


def test_all_faults_come_at_once():
    """One pass tells everything that is wrong, in the order of the data model."""
    found = check_model({"@context": [EXAMPLES], "id": "x", "validFrom": "soon", "credentialSubject": {}})
    assert [fault.path for fault in found] == [
        "/@context/0",
        "/id",
        "/type",
        "/issuer",
        "/validFrom",
        "/credentialSubject",
    ]


def test_version_1_has_one_clear_fault():
    """Where version 2.0 is a must, a document of 1.1 is refused as such, not for each difference."""
    for context in (VC_V1, [VC_V1], [VC_V1, EXAMPLES]):
        found = check_version_2(document(**{"@context": context}))
        assert [(fault.path, fault.code) for fault in found] == [("/@context/0", "unsupported-model-version")]
    assert check_version_2(document()) == ()
    assert ("/@context/0", "unsupported-model-version") not in faults(**{"@context": [VC_V2, VC_V1]})


def test_the_number_of_faults_is_bounded():
    """A hostile document costs a bounded report."""
    crowd = [{}] * MAX_ENTRIES
    assert len(check_model(document(credentialSubject=crowd, evidence=crowd))) == MAX_FAULTS


def test_faults_show_no_value():
    """What was found may be a person's, so it stands in no text."""
    (fault,) = check_model(document(credentialSubject="Amina Secret"))
    assert "Secret" not in f"{fault} {fault!r}"
    assert fault.found == "Amina Secret"


@pytest.mark.parametrize(
    "url",
    [
        "did:web:civil.example",
        "did:key:z6Mk#z6Mk",
        "urn:uuid:0c07c1ce-57cb-41af-bef2-1b932b986873",
        "https://id.example/things?q=%20a#123",
        "http://xn--fsq.example",
        "https://例え.example/データ",
        "data:image/png;base64,iVBORw0KGgo=",
        "mailto:someone@civil.example",
        "tag:civil.example,2025:1",
    ],
)
def test_urls(url):
    """Schemes of every kind, and international ones."""
    assert is_url(url)


@pytest.mark.parametrize(
    "text",
    ["", ":", "a:", "1a:b", "things/1", "/things", "#a", "?q", "did:", "did:web", "did:web:", "did:Web:x", "http:",
     "https:///x", "https://", "HTTPS:x", "https:civil.example", "urn:a b", "urn:a\n", "urn:a\u00a0b", "urn:<a>",
     "urn:%zz", "urn:a%2", 'urn:"a"', "urn:\x00", " urn:a:b", "urn:a\\b", "civil.example", None, 7, ["urn:a:b"]],
)  # fmt: skip
def test_what_is_no_url(text):
    """Relative references, white space, broken escapes and things without an identifier."""
    assert not is_url(text)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
members = st.sampled_from(
    ["@context", "id", "type", "issuer", "name", "description", "validFrom", "validUntil", "credentialSubject",
     "credentialStatus", "credentialSchema", "evidence", "proof", "relatedResource"]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(members, json_values, max_size=4))
def test_any_document_can_be_checked(changes):
    """Whatever stands in a member, the check returns faults and never raises or changes it."""
    changed = document(**changes)
    before = copy.deepcopy(changed)
    for fault in check_model(changed):
        assert fault.path.startswith("/")
    assert repr(changed) == repr(before)


@settings(max_examples=100, deadline=None)
@given(members, st.sampled_from([None, 7, True, "", [], {}, [None], [[]], {"id": None}]))
def test_no_member_of_the_model_may_be_senseless(name, value):
    """Null, a number, and empty things are faults in every member, except for an empty text."""
    legal = {("name", ""), ("description", "")}
    if not (isinstance(value, str) and (name, value) in legal):
        assert check_model(document(**{name: value}))


# Credential ------------------------------------------------------------------------------------------------


def test_a_credential_carries_its_bytes():
    """What was received is what is kept, to the byte; the document is read anew each time."""
    content = json.dumps(document(), indent=3).encode()
    credential = Credential.parse(content)
    assert credential.content == content
    assert credential.media_type == "application/vc"
    assert credential.id == document()["id"]
    credential.unverified_document["issuer"] = "did:web:attacker.example"
    assert credential.unverified_document == document()
    assert Credential.from_json(document()).unverified_document == document()
    assert Credential.from_json(document()) == Credential.from_json(dict(reversed(document().items())))


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"7", b'{"a":1,"a":2}', b"\xff", b"{", b'{"a":NaN}', b"\xef\xbb\xbf{}"]
)
def test_what_is_no_credential_is_not_carried(content):
    """Strict JSON, and an object."""
    with pytest.raises(Malformed):
        Credential.parse(content)


def test_a_credential_shows_nothing_of_its_content():
    """Reprs end up in logs."""
    credential = Credential.from_json(document())
    assert "Amina" not in repr(credential)
    assert "civil" not in repr(credential)
    assert str(len(credential.content)) in repr(credential)
    with pytest.raises(TypeError):
        Credential("application/vc", json.dumps(document()))


def test_an_id_that_is_none():
    """Without an id, or with one that is no string, there is none."""
    assert Credential.from_json({}).id is None
    assert Credential.from_json({"id": ["urn:a:b"]}).id is None


# build -----------------------------------------------------------------------------------------------------

FROM = datetime(2025, 3, 1, 12, tzinfo=timezone(timedelta(hours=3)))


def draft(**changes: Any) -> Draft:
    parts: dict[str, Any] = {
        "issuer": "did:web:civil.example",
        "types": ["BirthRegistrationCredential"],
        "subject": {"id": "did:example:child", "names": [{"full": "Amina Example"}]},
        "valid_from": FROM,
        **changes,
    }
    return Draft(**parts)


def test_a_built_credential_conforms():
    """The smallest one: contexts, a random id, types, issuer, start and claims."""
    assert build(draft(), random=lambda size: b"\x01" * size) == {
        "@context": [VC_V2, VCID_CONTEXT],
        "id": "urn:uuid:01010101-0101-4101-8101-010101010101",
        "type": ["VerifiableCredential", "BirthRegistrationCredential"],
        "issuer": "did:web:civil.example",
        "validFrom": "2025-03-01T09:00:00Z",
        "credentialSubject": {"id": "did:example:child", "names": [{"full": "Amina Example"}]},
    }


def test_everything_that_can_be_built():
    """One entry stands alone, several stand in a list."""
    status = {"type": "BitstringStatusListEntry", "statusListIndex": "7"}
    schema = {"type": "JsonSchema", "id": "https://w3id.org/vcid/schemas/birth-registration/v1.json"}
    built = build(
        draft(
            valid_until=FROM + timedelta(days=1),
            status=[status, {**status, "statusListIndex": "8"}],
            schemas=[schema],
            evidence=[{"type": "Evidence"}],
            contexts=[VCID_CONTEXT, EXAMPLES],
        )
    )
    assert check_model(built) == ()
    assert built["validUntil"] == "2025-03-02T09:00:00Z"
    assert [entry["statusListIndex"] for entry in built["credentialStatus"]] == ["7", "8"]
    assert built["credentialSchema"] == schema
    assert built["@context"] == [VC_V2, VCID_CONTEXT, EXAMPLES]


def test_ids_are_random():
    """A version 4 UUID from the system's randomness, never derived from a claim."""
    ids = {build(draft())["id"] for _ in range(20)}
    assert len(ids) == 20
    assert all(
        re.fullmatch(r"urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", i)
        for i in ids
    )


def test_a_built_credential_shares_nothing_with_its_draft():
    """Neither is changed through the other."""
    subject = {"names": [{"full": "Amina Example"}]}
    built = build(draft(subject=subject))
    built["credentialSubject"]["names"][0]["full"] = "Other"
    assert subject == {"names": [{"full": "Amina Example"}]}


def test_what_else_the_model_defines_can_be_built():
    """Texts, policies, services, related resources and several subjects; other names are not taken."""
    extra = {
        "name": {"@value": "Birth", "@language": "en"},
        "description": "A birth registration",
        "relatedResource": {"id": "https://civil.example/law.pdf", "digestMultibase": "uAAAA"},
        "termsOfUse": {"type": "Policy"},
        "refreshService": {"type": "Refresh"},
        "renderMethod": [{"type": "SvgRendering"}],
        "confidenceMethod": {"type": "Portrait"},
    }
    assert extra.keys() == EXTRA_MEMBERS
    issuer = {"id": "did:web:civil.example", "name": "Registry"}
    subjects = [{"id": "did:example:a"}, {"id": "did:example:b"}]
    built = build(draft(extra=extra, subject=subjects, issuer=issuer))
    assert {name: built[name] for name in extra} == extra
    assert (built["credentialSubject"], built["issuer"]) == (subjects, issuer)
    for name in ("proof", "credentialSubject", "anything"):
        with pytest.raises(ValueError, match="extra"):
            draft(extra={name: {}})


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"extra": {"termsOfUse": {}}}, "/termsOfUse/type"),
        ({"extra": {"name": 7}}, "/name"),
        ({"subject": []}, "/credentialSubject"),
        ({"issuer": {"name": "Registry"}}, "/issuer/id"),
        ({"issuer": "civil registry"}, "/issuer"),
        ({"subject": {}}, "/credentialSubject"),
        ({"subject": {"id": None}}, "/credentialSubject/id"),
        ({"types": [""]}, "/type/1"),
        ({"valid_until": FROM - timedelta(seconds=1)}, "/validUntil"),
        ({"status": [{"statusListIndex": "7"}]}, "/credentialStatus/type"),
        ({"schemas": [{"type": "JsonSchema"}]}, "/credentialSchema/id"),
        ({"contexts": [VC_V2]}, "/@context/1"),
    ],
)
def test_nothing_faulty_is_built(changes, path):
    """The result is checked before it is returned."""
    with pytest.raises(InvalidRecord) as caught:
        build(draft(**changes))
    assert [fault.path for fault in caught.value.errors] == [path]


def test_dates_need_a_zone():
    """A date without a zone means another moment elsewhere."""
    with pytest.raises(ValueError, match="zone"):
        build(draft(valid_from=datetime(2025, 1, 1)))
    with pytest.raises(ValueError, match="zone"):
        build(draft(valid_until=datetime(2026, 1, 1)))
    assert build(draft(valid_from=datetime(2025, 1, 1, tzinfo=UTC)))["validFrom"] == "2025-01-01T00:00:00Z"


@pytest.mark.parametrize(
    "name", ["type", "credentialSubject", "credentialStatus", "credentialSchema", "@context"]
)
def test_more_entries_than_anybody_needs_are_refused_at_once(name):
    """A hundred are read; one more is a fault, and nothing else is looked at."""
    crowded = {"@context": 7, name: ["https://example.org/x"] * (MAX_ENTRIES + 1)}
    assert [(fault.path, fault.code) for fault in check_model(crowded)] == [(f"/{name}", "too-many")]
    enough = {"@context": 7, name: ["https://example.org/x"] * MAX_ENTRIES}
    assert "too-many" not in {fault.code for fault in check_model(enough)}

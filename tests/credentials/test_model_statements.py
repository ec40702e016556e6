"""What the data model 2.0 demands, statement by statement: one row each, with what it takes and what it refuses.

Rows are changes to a plain credential or presentation. A statement about terms is judged by `check_terms`, with
which every proof is made and verified; all others by the model alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from vcid.credentials.model import check_model
from vcid.credentials.model_rules import UNDEFINED_TERMS, VC_V2
from vcid.credentials.presentation_model import (
    ENVELOPED_CREDENTIAL,
    ENVELOPED_PRESENTATION,
    check_envelope,
    check_presentation_model,
)
from vcid.encoding.contexts import Contexts
from vcid.encoding.rdf import check_terms
from vcid.errors import VcidError

EXAMPLES = "https://www.w3.org/ns/credentials/examples/v2"
BIRTH = {"Birth": "https://civil.example/#Birth"}
CREDENTIAL: dict[str, Any] = {
    "@context": [VC_V2],
    "id": "urn:uuid:3c1c1e9e-53b7-4a4f-a7b0-5f5a3c4f8f10",
    "type": ["VerifiableCredential"],
    "issuer": "did:web:civil.example",
    "validFrom": "2025-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:example:child"},
}
PRESENTATION: dict[str, Any] = {
    "@context": [VC_V2],
    "type": ["VerifiablePresentation"],
    "verifiableCredential": [CREDENTIAL],
}
ENVELOPE: dict[str, Any] = {
    "@context": VC_V2,
    "id": "data:application/vc+jwt,eyJhbGciOiJFUzI1NiJ9.e30.AAAA",
    "type": ENVELOPED_CREDENTIAL,
}
GONE = object()


class Row(NamedTuple):
    """One normative statement: its section, its gist, and changes that are taken and refused."""

    section: str
    statement: str
    taken: dict[str, Any]
    refused: list[dict[str, Any]]


def language(**changes: Any) -> dict[str, Any]:
    return {"@value": "Birth", "@language": "en", **changes}


def typed(member: str) -> Row:
    return Row("4.5 Types", f"each {member} has a type", {member: [{"type": "A"}, {"type": ["A", "B"]}]},
               [{member: {"id": "urn:a:b"}}, {member: [{"type": "A"}, {"type": []}]}, {member: "urn:a:b"}])  # fmt: skip


RESOURCE = {"id": "https://civil.example/law.pdf", "digestMultibase": "uAAAA"}

CREDENTIALS = [
    Row("4.3 Contexts", "there is a @context", {}, [{"@context": GONE}, {"@context": None}]),
    Row("4.3 Contexts", "an ordered set that begins with the base context", {"@context": [VC_V2, EXAMPLES]},
        [{"@context": VC_V2}, {"@context": [EXAMPLES, VC_V2]}, {"@context": [VC_V2, VC_V2]}, {"@context": []}]),
    Row("4.3 Contexts", "others are URLs or objects", {"@context": [VC_V2, BIRTH, EXAMPLES]},
        [{"@context": [VC_V2, 7]}, {"@context": [VC_V2, "examples/v2"]}, {"@context": [VC_V2, [EXAMPLES]]}]),
    Row("4.4 Identifiers", "an id is one URL", {"id": "https://civil.example/1"},
        [{"id": ["urn:a:b"]}, {"id": None}, {"id": "1"}, {"id": {"id": "urn:a:b"}}, {"id": "urn:a b"}]),
    Row("4.5 Types", "there is a type", {"type": "VerifiableCredential"}, [{"type": GONE}, {"type": []}]),
    Row("4.5 Types", "types are strings", {"type": ["VerifiableCredential", "https://civil.example/#Birth"]},
        [{"type": ["VerifiableCredential", 7]}, {"type": ["VerifiableCredential", ""]}, {"type": {"a": "b"}}]),
    Row("4.5 Types", "one of them is VerifiableCredential", {"type": ["VerifiableCredential"]},
        [{"type": "Birth"}, {"type": ["VerifiablePresentation"]}]),
    *map(typed, ["credentialStatus", "evidence", "termsOfUse", "refreshService", "confidenceMethod", "renderMethod"]),
    Row("4.6 Names and Descriptions", "a name is a string or a language value", {"name": language()},
        [{"name": 7}, {"name": None}, {"name": {"en": "Birth"}}, {"name": ["Birth"]}]),
    Row("4.6 Names and Descriptions", "so is a description", {"description": [language(), language(**{"@language": "sw"})]},
        [{"description": []}, {"description": {}}, {"description": False}]),
    Row("4.7 Issuer", "there is an issuer", {}, [{"issuer": GONE}, {"issuer": None}]),
    Row("4.7 Issuer", "a URL, or an object whose id is one", {"issuer": {"id": "did:web:civil.example", "name": "A"}},
        [{"issuer": "Registry"}, {"issuer": {"name": "A"}}, {"issuer": {"id": None}}, {"issuer": ["did:web:a.b"]}]),
    Row("4.7 Issuer", "its name is a string or a language value", {"issuer": {"id": "did:web:a.b", "name": language()}},
        [{"issuer": {"id": "did:web:a.b", "name": 7}}, {"issuer": {"id": "did:web:a.b", "description": {}}}]),
    Row("4.8 Credential Subject", "there is a subject", {}, [{"credentialSubject": GONE}, {"credentialSubject": None}]),
    Row("4.8 Credential Subject", "each subject has claims", {"credentialSubject": [{"id": "urn:a:b"}, {"name": "A"}]},
        [{"credentialSubject": {}}, {"credentialSubject": [{"id": "urn:a:b"}, {}]}, {"credentialSubject": "urn:a:b"}]),
    Row("4.8 Credential Subject", "its id is one URL", {"credentialSubject": {"id": "urn:a:b"}},
        [{"credentialSubject": {"id": "child"}}, {"credentialSubject": {"id": ["urn:a:b", "urn:a:c"]}}]),
    Row("4.9 Validity Period", "validFrom is a dateTimeStamp", {"validFrom": "2025-01-01T00:00:00.5-05:00"},
        [{"validFrom": "2025-01-01"}, {"validFrom": "2025-01-01T00:00:00"}, {"validFrom": 0}, {"validFrom": None}]),
    Row("4.9 Validity Period", "validUntil is a dateTimeStamp", {"validUntil": "2026-01-01T24:00:00Z"},
        [{"validUntil": "2026-13-01T00:00:00Z"}, {"validUntil": "later"}, {"validUntil": []}]),
    Row("4.9 Validity Period", "the end is not before the start", {"validUntil": "2025-01-01T00:00:00Z"},
        [{"validUntil": "2024-12-31T23:59:59Z"}, {"validUntil": "2025-01-01T00:30:00+01:00"}]),
    Row("4.10 Status", "a status may have an id, which is one URL", {"credentialStatus": {"id": "urn:a:b", "type": "A"}},
        [{"credentialStatus": {"id": 7, "type": "A"}}, {"credentialStatus": {"id": ["urn:a:b"], "type": "A"}}]),
    Row("4.11 Data Schemas", "a schema has a type and an id, which is a URL",
        {"credentialSchema": [{"id": "urn:a:b", "type": "A"}]},
        [{"credentialSchema": {"type": "A"}}, {"credentialSchema": {"id": "urn:a:b"}},
         {"credentialSchema": {"id": "schema", "type": "A"}}]),
    Row("4.12 Securing Mechanisms", "an embedded proof has type and purpose",
        {"proof": {"type": "DataIntegrityProof", "proofPurpose": "assertionMethod"}},
        [{"proof": {"type": "A"}}, {"proof": {"proofPurpose": "a"}}, {"proof": "z58"}, {"proof": []}]),
    Row("5.2.1 Semantic Interoperability", "the context for undefined terms is the last",
        {"@context": [VC_V2, UNDEFINED_TERMS]},
        [{"@context": [VC_V2, UNDEFINED_TERMS, EXAMPLES]}, {"@context": [VC_V2, UNDEFINED_TERMS, BIRTH]}]),
    Row("5.3 Integrity of Related Resources", "one or more objects", {"relatedResource": [RESOURCE]},
        [{"relatedResource": []}, {"relatedResource": [RESOURCE["id"]]}, {"relatedResource": None}]),
    Row("5.3 Integrity of Related Resources", "each has an id of its own", {"relatedResource": RESOURCE},
        [{"relatedResource": {"digestMultibase": "uAAAA"}}, {"relatedResource": [RESOURCE, RESOURCE]}]),
    Row("5.3 Integrity of Related Resources", "each has a digest",
        {"relatedResource": {"id": "urn:a:b", "digestSRI": ["sha384-AAAA", "sha256-_-_"]}},
        [{"relatedResource": {"id": "urn:a:b"}}, {"relatedResource": {"id": "urn:a:b", "digestSRI": "AAAA"}},
         {"relatedResource": {"id": "urn:a:b", "digestMultibase": 7}}]),
    Row("5.3 Integrity of Related Resources", "a media type is one", {"relatedResource": {**RESOURCE, "mediaType": "a/b; c=d"}},
        [{"relatedResource": {**RESOURCE, "mediaType": "pdf"}}, {"relatedResource": {**RESOURCE, "mediaType": None}}]),
    Row("5.3 Integrity of Related Resources", "another digest than the resource's is an error",
        {"relatedResource": {"id": VC_V2, "digestMultibase": "uEiBZlVztZpfWHgPyslVv6-UwirFoQoRvW1htfx963sknNA"}},
        [{"relatedResource": {"id": VC_V2, "digestMultibase": "uM4RgWQc3RUDtjJCSgTJtTfvpZ7SPEg_LNO0ESlovQC0"}},
         {"relatedResource": {"id": VC_V2, "digestSRI": f"sha384-{'A' * 64}"}}]),
    Row("5.9 Reserved Extension Points", "a subject's own have types as well",
        {"credentialSubject": {"id": "urn:a:b", "confidenceMethod": {"type": "A"}}},
        [{"credentialSubject": {"id": "urn:a:b", "confidenceMethod": {"id": "urn:a:b"}}},
         {"credentialSubject": [{"id": "urn:a:b", "renderMethod": "svg"}]}]),
    Row("11.1 Language and Base Direction", "@value is a string", {"name": {"@value": ""}},
        [{"name": {"@language": "en"}}, {"name": language(**{"@value": 7})}]),
    Row("11.1 Language and Base Direction", "@language is well-formed", {"name": language(**{"@language": "zh-Hant-TW"})},
        [{"name": language(**{"@language": "en us"})}, {"name": language(**{"@language": None})}]),
    Row("11.1 Language and Base Direction", "@direction is a base direction", {"name": language(**{"@direction": "rtl"})},
        [{"name": language(**{"@direction": "auto"})}, {"name": language(**{"@direction": None})}]),
    Row("11.1 Language and Base Direction", "there are no other keys", {"name": language()},
        [{"name": language(url="x")}, {"name": language(**{"@type": "x"})}]),
]  # fmt: skip

PRESENTATIONS = [
    Row("4.3 Contexts", "there is a @context that begins with the base context", {"@context": [VC_V2, BIRTH]},
        [{"@context": GONE}, {"@context": [BIRTH, VC_V2]}, {"@context": [EXAMPLES]}, {"@context": [VC_V2, 7]}]),
    Row("4.13 Verifiable Presentations", "an id is one URL", {"id": "urn:a:b"}, [{"id": "1"}, {"id": ["urn:a:b"]}]),
    Row("4.13 Verifiable Presentations", "one type is VerifiablePresentation", {"type": "VerifiablePresentation"},
        [{"type": GONE}, {"type": ["Birth"]}, {"type": "VerifiableCredential"}]),
    Row("4.13 Verifiable Presentations", "credentials are objects", {"verifiableCredential": CREDENTIAL},
        [{"verifiableCredential": "eyJ"}, {"verifiableCredential": ["urn:a:b"]}, {"verifiableCredential": [7]},
         {"verifiableCredential": []}, {"verifiableCredential": None}, {"verifiableCredential": [[CREDENTIAL]]}]),
    Row("4.13 Verifiable Presentations", "whole ones, with their own contexts", {"verifiableCredential": GONE},
        [{"verifiableCredential": {"id": "urn:a:b"}}, {"verifiableCredential": [{**CREDENTIAL, "type": []}]},
         {"verifiableCredential": [{k: v for k, v in CREDENTIAL.items() if k != "@context"}]}]),
    Row("4.13 Verifiable Presentations", "a holder is a URL, or an object with one", {"holder": {"id": "did:example:a"}},
        [{"holder": "Amina"}, {"holder": {"name": "Amina"}}, {"holder": {"id": "a"}}, {"holder": None}]),
    Row("4.13.2 Enveloped Verifiable Credentials", "an envelope stands for a credential",
        {"verifiableCredential": [ENVELOPE, CREDENTIAL]},
        [{"verifiableCredential": {**ENVELOPE, "id": "eyJhbGciOiJFUzI1NiJ9.e30.AAAA"}},
         {"verifiableCredential": {k: v for k, v in ENVELOPE.items() if k != "type"}}]),
    Row("5.5 Terms of Use", "each has a type", {"termsOfUse": {"type": "A"}}, [{"termsOfUse": {}}, {"termsOfUse": "A"}]),
    Row("4.12 Securing Mechanisms", "an embedded proof has type and purpose",
        {"proof": [{"type": "A", "proofPurpose": "authentication"}]}, [{"proof": {"type": "A"}}, {"proof": 7}]),
]  # fmt: skip

ENVELOPES = [
    Row("4.13.2, 4.13.3", "the base context is among the contexts", {"@context": [VC_V2, EXAMPLES]},
        [{"@context": []}, {"@context": GONE}, {"@context": EXAMPLES}]),
    Row("4.13.2, 4.13.3", "the id is a data: URL", {"id": "DATA:application/vc+jwt;charset=utf-8,e"},
        [{"id": "https://a.example/"}, {"id": "data:,"}, {"id": GONE}, {"id": ["data:a/b,c"]}, {"id": "data:a/b,"}]),
    Row("4.13.2, 4.13.3", "the type is that of the envelope", {"type": [ENVELOPED_CREDENTIAL]},
        [{"type": GONE}, {"type": "VerifiableCredential"}, {"type": [ENVELOPED_CREDENTIAL, "VerifiableCredential"]},
         {"type": ENVELOPED_PRESENTATION}]),
]  # fmt: skip

TERMS = [
    Row("4.5 Types", "a type is a term or an absolute URL",
        {"@context": [VC_V2, BIRTH], "type": ["VerifiableCredential", "Birth", "https://civil.example/#B"]},
        [{"type": ["VerifiableCredential", "Birth"]}, {"type": ["VerifiableCredential", "./Birth"]},
         {"@context": [VC_V2, {"Birth": "#Birth"}], "type": ["VerifiableCredential", "Birth"]}]),
    Row("4.4 Identifiers", "any id, however deep, is one URL",
        {"@context": [VC_V2, EXAMPLES], "credentialSubject": {"spouse": {"id": "urn:a:b"}}},
        [{"@context": [VC_V2, EXAMPLES], "credentialSubject": {"spouse": {"id": identifier}}}
         for identifier in (None, 7, ["urn:a:b", "urn:a:c"], "child", "urn:a b", {})]),
    Row("5.2.1 Semantic Interoperability", "all terms are defined",
        {"@context": [VC_V2, {"born": "https://civil.example/#born"}], "credentialSubject": {"born": "2025"}},
        [{"credentialSubject": {"born": "2025"}}, {"born": "2025"}]),
    Row("5.2 Extensibility", "the base context's terms are not redefined", {"@context": [VC_V2, BIRTH]},
        [{"@context": [VC_V2, {"VerifiableCredential": "https://a.example/#V"}]},
         {"@context": [VC_V2, {"description": "https://a.example/#d"}]},
         {"@context": [VC_V2, {"@protected": True, **BIRTH}, {"Birth": "https://a.example/#B"}]}]),
]  # fmt: skip


def change(document: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    return {name: member for name, member in {**document, **changes}.items() if member is not GONE}


def means_something(document: dict[str, Any]) -> bool:
    try:
        check_terms(document, contexts=Contexts.carried())
    except VcidError:
        return False
    return True


def name_of(row: Row) -> str:
    return f"{row.section}: {row.statement}"


@pytest.mark.parametrize("row", CREDENTIALS, ids=name_of)
def test_credentials(row):
    """Each statement about a credential."""
    assert check_model(change(CREDENTIAL, row.taken)) == ()
    assert len(row.refused) >= 2
    for changes in row.refused:
        assert check_model(change(CREDENTIAL, changes)), changes


@pytest.mark.parametrize("row", PRESENTATIONS, ids=name_of)
def test_presentations(row):
    """Each statement about a presentation."""
    assert check_presentation_model(change(PRESENTATION, row.taken)) == ()
    assert len(row.refused) >= 2
    for changes in row.refused:
        assert check_presentation_model(change(PRESENTATION, changes)), changes


@pytest.mark.parametrize("row", ENVELOPES, ids=name_of)
@pytest.mark.parametrize("kind", [ENVELOPED_CREDENTIAL, ENVELOPED_PRESENTATION])
def test_envelopes(row, kind):
    """Each statement about an envelope, of either kind."""
    other = {ENVELOPED_CREDENTIAL: ENVELOPED_PRESENTATION, ENVELOPED_PRESENTATION: ENVELOPED_CREDENTIAL}

    def of_kind(changes: dict[str, Any]) -> dict[str, Any]:
        if kind == ENVELOPED_CREDENTIAL or "type" not in changes or changes["type"] is GONE:
            return changes
        types = changes["type"]
        if isinstance(types, list):
            return {**changes, "type": [other.get(each, each) for each in types]}
        return {**changes, "type": other.get(types, types)}

    envelope = {**ENVELOPE, "type": kind}
    assert check_envelope(change(envelope, of_kind(row.taken)), kind) == ()
    for changes in row.refused:
        assert check_envelope(change(envelope, of_kind(changes)), kind), changes


@pytest.mark.parametrize("row", TERMS, ids=name_of)
def test_terms(row):
    """Each statement about what terms mean, which the check of every proof asks for."""
    assert means_something(change(CREDENTIAL, row.taken))
    for changes in row.refused:
        assert not means_something(change(CREDENTIAL, changes)), changes

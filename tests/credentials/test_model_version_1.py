"""Credentials of the data model 1.1: their own rules, and from when to when credentials of either version hold."""

from __future__ import annotations

import contextlib
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.model import check_model, check_version_2
from vcid.credentials.model_rules import MAX_ENTRIES, MAX_FAULTS, VC_V1, VC_V2
from vcid.credentials.presentation_model import check_presentation_model
from vcid.credentials.validity import validity_period
from vcid.credentials.version_1 import parse_date_time
from vcid.encoding.contexts import Contexts
from vcid.encoding.rdf import check_terms
from vcid.errors import Malformed, VcidError

V1_EXAMPLES = "https://www.w3.org/2018/credentials/examples/v1"
FIRST = datetime(2024, 1, 1, tzinfo=UTC)


def document(**changes: Any) -> dict[str, Any]:
    return {
        "@context": [VC_V1],
        "id": "http://civil.example/credentials/1",
        "type": ["VerifiableCredential"],
        "issuer": "did:web:civil.example",
        "issuanceDate": "2024-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:child"},
        **changes,
    }


def faults(*, without: str = "", **changes: Any) -> list[tuple[str, str]]:
    changed = document(**changes)
    changed.pop(without, None)
    return [(fault.path, fault.code) for fault in check_model(changed)]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"@context": [VC_V1, V1_EXAMPLES, {"a": "https://civil.example/#a"}]},
        {"expirationDate": "2030-01-01T00:00:00+03:00"},
        {"issuanceDate": "2010-01-01T19:23:24"},
        {"issuer": {"id": "did:web:civil.example", "name": "Registry"}},
        {"credentialStatus": {"id": "https://civil.example/status/1", "type": "StatusList2021Entry"}},
        {"evidence": [{"type": ["DocumentVerification"]}], "termsOfUse": {"type": "IssuerPolicy"}},
        {"proof": {"type": "Ed25519Signature2020", "proofPurpose": "assertionMethod"}},
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_credentials_of_the_older_version_pass(changes):
    """They are told by their first context; where version 2.0 is a must they are refused as such."""
    assert faults(**changes) == []
    (fault,) = check_version_2(document(**changes))
    assert fault.code == "unsupported-model-version"


def test_their_context_is_carried():
    """Their terms have a meaning without a network, and undefined ones none."""
    check_terms(document(), contexts=Contexts.carried())
    with pytest.raises(VcidError):
        check_terms(document(born="2025"), contexts=Contexts.carried())
    with pytest.raises(VcidError):
        check_terms(document(credentialSubject={"id": "child"}), contexts=Contexts.carried())


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"@context": VC_V1}, [("/@context", "not-a-list")]),
        ({"@context": [VC_V1, VC_V1]}, [("/@context/1", "duplicate")]),
        ({"@context": [VC_V1, 7]}, [("/@context/1", "not-a-context")]),
        ({"id": "1"}, [("/id", "not-a-url")]),
        ({"type": "Birth"}, [("/type", "wrong-type")]),
        ({"issuer": "Registry"}, [("/issuer", "not-a-url")]),
        ({"issuanceDate": None}, [("/issuanceDate", "not-a-timestamp")]),
        ({"issuanceDate": "2010-01-01"}, [("/issuanceDate", "not-a-timestamp")]),
        ({"issuanceDate": 1}, [("/issuanceDate", "not-a-timestamp")]),
        ({"expirationDate": "never"}, [("/expirationDate", "not-a-timestamp")]),
        ({"expirationDate": "2030-02-30T00:00:00"}, [("/expirationDate", "not-a-timestamp")]),
        ({"validUntil": "soon"}, [("/validUntil", "not-a-timestamp")]),
        ({"credentialSubject": {}}, [("/credentialSubject", "not-a-subject")]),
        ({"credentialStatus": {"type": "A"}}, [("/credentialStatus/id", "missing")]),
        ({"credentialStatus": {"id": "urn:a:b"}}, [("/credentialStatus/type", "missing")]),
        ({"refreshService": {"type": "A"}}, [("/refreshService/id", "missing")]),
        ({"credentialSchema": {"type": "A", "id": "s"}}, [("/credentialSchema/id", "not-a-url")]),
        ({"evidence": {"id": "urn:a:b"}}, [("/evidence/type", "missing")]),
        ({"termsOfUse": [{}]}, [("/termsOfUse/0/type", "missing")]),
        ({"proof": {"type": "A"}}, [("/proof/proofPurpose", "missing")]),
    ],
    ids=lambda value: json.dumps(value)[:50],
)
def test_each_fault_is_named_with_its_place(changes, expected):
    """One change, one fault, at its JSON pointer."""
    assert faults(**changes) == expected


@pytest.mark.parametrize("name", ["type", "issuer", "issuanceDate", "credentialSubject"])
def test_required_members(name):
    """Version 1.1 has a mandatory date besides what both versions demand."""
    assert faults(without=name) == [(f"/{name}", "missing")]


def test_the_work_is_bounded():
    """Crowds are not looked at, and faults are cut off."""
    assert faults(evidence=[{}] * (MAX_ENTRIES + 1)) == [("/evidence", "too-many")]
    crowd = [{}] * MAX_ENTRIES
    assert len(faults(evidence=crowd, credentialSubject=crowd)) == MAX_FAULTS


def test_presentations_of_the_older_version_pass():
    """They may hold credentials of either version, each judged by its own rules."""
    newer = {**document(), "@context": [VC_V2]}
    presentation = {
        "@context": [VC_V1],
        "type": "VerifiablePresentation",
        "verifiableCredential": [document(), newer],
    }
    assert check_presentation_model(presentation) == ()
    broken = {**document(), "issuanceDate": 7}
    found = check_presentation_model({**presentation, "verifiableCredential": [newer, broken]})
    assert [fault.path for fault in found] == ["/verifiableCredential/1/issuanceDate"]
    assert check_presentation_model({**presentation, "holder": "Amina"})


# Validity --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (FIRST, None)),
        ({"expirationDate": "2025-01-01T00:00:00Z"}, (FIRST, FIRST.replace(year=2025))),
        ({"expirationDate": "2025-01-01T00:00:00"}, (FIRST, FIRST.replace(year=2025))),
        ({"issuanceDate": "2024-01-01T03:00:00+03:00"}, (FIRST, None)),
        ({"validFrom": "2024-06-01T00:00:00Z"}, (FIRST.replace(month=6), None)),
        ({"validFrom": "2023-06-01T00:00:00Z"}, (FIRST, None)),
        (
            {"expirationDate": "2026-01-01T00:00:00Z", "validUntil": "2025-01-01T00:00:00Z"},
            (FIRST, FIRST.replace(year=2025)),
        ),
    ],
)
def test_the_period_of_an_older_credential(changes, expected):
    """From its issuance to its expiration, narrowed by the newer names where it has them too."""
    assert validity_period(document(**changes)) == expected


def test_the_period_of_a_newer_credential():
    """Its own names alone count: the older ones mean nothing in it."""
    newer = {**document(expirationDate="2020-01-01T00:00:00Z"), "@context": [VC_V2]}
    assert validity_period(newer) == (None, None)
    assert validity_period({**newer, "validFrom": "2024-01-01T00:00:00Z"}) == (FIRST, None)
    assert validity_period({**newer, "validUntil": "2024-01-01T00:00:00Z"}) == (None, FIRST)


@pytest.mark.parametrize(
    ("version", "name", "value"),
    [(VC_V1, "expirationDate", "never"), (VC_V1, "issuanceDate", 7), (VC_V2, "validUntil", 7),
     (VC_V2, "validFrom", "2024-01-01T00:00:00")],
)  # fmt: skip
def test_a_period_that_cannot_be_read_is_none(version, name, value):
    """A date that is no date is an error, never a credential without an end."""
    with pytest.raises(Malformed, match="not-a-timestamp"):
        validity_period({**document(), "@context": [version], name: value})


@settings(max_examples=200, deadline=None)
@given(st.one_of(st.text("0123456789-T:.Z+", max_size=26), st.none(), st.integers(), st.lists(st.text())))
def test_any_value_is_a_date_or_is_not(value):
    """Whatever stands for a date, a moment with a zone comes out, or an error of vcid's own."""
    with contextlib.suppress(Malformed):
        assert parse_date_time(value).utcoffset() is not None

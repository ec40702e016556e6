"""The record of a delegation: what it may say, and that its schema says the same."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.delegation import Delegation
from vcid.credentials.model import Draft, build
from vcid.credentials.schema import SchemaOutcome, check_own_schemas
from vcid.encoding.contexts import Contexts
from vcid.encoding.rdf import check_terms
from vcid.errors import InvalidRecord
from vcid.keys.signing import LocalSigner

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BIRTH = "BirthRegistrationCredential"
APPOINTS = "DelegationCredential"
KEY = LocalSigner.generate().public_key


def delegation(**changes):
    return replace(
        Delegation(
            delegate="did:web:region.example",
            credential_types=[BIRTH, APPOINTS],
            jurisdictions=["KE", "UG-C"],
            valid_from=NOON,
            valid_until=NOON + timedelta(days=365),
            may_delegate=2,
            owner=KEY,
            log="log.example/civil",
            document_digest=bytes(range(32)),
            status_issuers=["did:web:lists.example"],
        ),
        **changes,
    )


def document(record, subject=None):
    return build(
        Draft(
            issuer="did:web:ministry.example",
            types=[record.credential_type],
            subject=subject or record.to_subject(),
            valid_from=record.valid_from,
            valid_until=record.valid_until,
        )
    )


def outcome(credential):
    (result,) = check_own_schemas(credential, but=())
    return result.outcome


@st.composite
def delegations(draw):
    """Any good record."""
    depth = draw(st.integers(0, 3))
    types = draw(st.lists(st.sampled_from([BIRTH, "GuardianshipCredential"]), unique=True, min_size=1))
    return delegation(
        credential_types=[*types, *([APPOINTS] if depth else [])],
        jurisdictions=draw(st.lists(st.sampled_from(["KE", "KE-30", "UG", "XK"]), unique=True, min_size=1)),
        may_delegate=depth,
        owner=draw(st.sampled_from([None, KEY])),
        log=draw(st.sampled_from([None, "log.example/civil"])),
        document_digest=draw(st.none() | st.binary(min_size=32, max_size=32)),
        valid_until=draw(st.none() | st.just(NOON + timedelta(days=9))),
        status_issuers=draw(st.sampled_from([(), ("did:web:lists.example",)])),
    )


@given(delegations())
@settings(max_examples=40, deadline=None)
def test_a_record_is_read_back_as_it_was_written(record):
    """Through a credential that passes its schema and whose terms are all defined."""
    credential = document(record)
    assert Delegation.from_credential(credential) == record
    assert outcome(credential) is SchemaOutcome.PASSED
    check_terms(credential, contexts=Contexts.carried())


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"delegate": "https://region.example"}, "/id", "wrong-form"),
        ({"delegate": None}, "/id", "required"),
        ({"credential_types": []}, "/credentialTypes", "required"),
        ({"credential_types": [BIRTH]}, "/mayDelegate", "contradiction"),
        ({"credential_types": BIRTH}, "/credentialTypes", "wrong-type"),
        ({"may_delegate": 0}, "/mayDelegate", "contradiction"),
        ({"may_delegate": 4}, "/mayDelegate", "out-of-range"),
        ({"may_delegate": -1}, "/mayDelegate", "out-of-range"),
        ({"may_delegate": True}, "/mayDelegate", "wrong-type"),
        ({"credential_types": ["VerifiableCredential", APPOINTS]}, "/credentialTypes/0", "wrong-form"),
        ({"credential_types": [APPOINTS, APPOINTS]}, "/credentialTypes/1", "repeated"),
        ({"jurisdictions": ["*"]}, "/jurisdictions/0", "wrong-form"),
        ({"jurisdictions": ["Kenya"]}, "/jurisdictions/0", "wrong-form"),
        ({"jurisdictions": ()}, "/jurisdictions", "required"),
        ({"jurisdictions": ("KE",) * 51}, "/jurisdictions", "too-many"),
        ({"valid_from": NOON.replace(tzinfo=None)}, "/validFrom", "no-time-zone"),
        ({"valid_from": None}, "/validFrom", "required"),
        ({"valid_until": NOON}, "/validUntil", "reversed-period"),
        ({"owner": "z6Mk"}, "/ledgerOwner", "wrong-type"),
        ({"log": "a log"}, "/ledgerLog", "wrong-form"),
        ({"document_digest": b"short"}, "/documentDigest", "wrong-length"),
        ({"status_issuers": ["lists.example"]}, "/statusIssuers/0", "wrong-form"),
    ],
)
def test_a_faulty_record_is_refused_by_the_path_of_its_fault(changes, path, code):
    """Nothing is written of it."""
    with pytest.raises(InvalidRecord) as caught:
        delegation(**changes).to_subject()
    assert (path, code) in [(fault.path, fault.code) for fault in caught.value.errors]


def test_all_faults_are_told_at_once():
    """A record with three faults names three."""
    with pytest.raises(InvalidRecord) as caught:
        delegation(delegate="x", jurisdictions=["*"], may_delegate=9).validate()
    assert {fault.path for fault in caught.value.errors} == {"/id", "/jurisdictions/0", "/mayDelegate"}


@pytest.mark.parametrize(
    "changes",
    [
        {"mayDelegate": 0},
        {"mayDelegate": 4},
        {"mayDelegate": "2"},
        {"credentialTypes": [BIRTH]},
        {"credentialTypes": ["VerifiableCredential", APPOINTS]},
        {"credentialTypes": BIRTH},
        {"jurisdictions": ["*"]},
        {"jurisdictions": []},
        {"ledgerOwner": "key"},
        {"statusIssuers": "did:web:lists.example"},
        {"type": "Person"},
        {"officer": "A. Person"},
        {"id": "urn:uuid:1"},
    ],
)
def test_schema_and_reader_refuse_the_same_subjects(changes):
    """What a stranger writes by hand passes neither."""
    credential = document(delegation(), {**delegation().to_subject(), **changes})
    assert outcome(credential) is SchemaOutcome.FAILED
    with pytest.raises(InvalidRecord):
        Delegation.from_credential(credential)


def test_a_credential_without_its_beginning_is_no_delegation():
    """A period is part of every appointment."""
    credential = document(delegation())
    del credential["validFrom"]
    assert outcome(credential) is SchemaOutcome.FAILED
    with pytest.raises(InvalidRecord):
        Delegation.from_credential(credential)


@given(
    st.dictionaries(
        st.sampled_from(
            ["id", "type", "credentialTypes", "jurisdictions", "mayDelegate", "ledgerOwner", "documentDigest"]
        ),
        st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.text()),
    )
)
@settings(max_examples=60, deadline=None)
def test_whatever_a_subject_holds_reading_raises_invalid_record_alone(subject):
    """No other exception leaves the reader."""
    with pytest.raises(InvalidRecord):
        Delegation.from_credential({"credentialSubject": subject})

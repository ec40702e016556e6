"""Presentations as documents: faults of the credentials within, claims of the holder's own, and bounds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.model_rules import MAX_ENTRIES, MAX_FAULTS, VC_V2
from vcid.credentials.presentation_model import (
    ENVELOPED_CREDENTIAL,
    check_envelope,
    check_presentation_model,
    check_self_asserted,
    is_envelope,
)

HOLDER = "did:example:mother"
PROOF = {"type": "DataIntegrityProof", "proofPurpose": "assertionMethod"}
ENVELOPE = {"@context": VC_V2, "id": "data:application/vc+jwt,e.e.e", "type": ENVELOPED_CREDENTIAL}


def credential(**changes: Any) -> dict[str, Any]:
    return {
        "@context": [VC_V2],
        "type": ["VerifiableCredential"],
        "issuer": HOLDER,
        "credentialSubject": {"id": HOLDER},
        **changes,
    }


def presentation(*credentials: Any, **changes: Any) -> dict[str, Any]:
    return {
        "@context": [VC_V2],
        "type": ["VerifiablePresentation"],
        "verifiableCredential": list(credentials),
        **changes,
    }


def test_faults_within_have_their_place():
    """A credential's fault is the presentation's, at its pointer, and an envelope's as well."""
    found = check_presentation_model(
        presentation(credential(), credential(issuer="Amina"), {**ENVELOPE, "id": "urn:a:b"}, "eyJ")
    )
    assert [(fault.path, fault.code) for fault in found] == [
        ("/verifiableCredential/1/issuer", "not-a-url"),
        ("/verifiableCredential/2/id", "not-a-data-url"),
        ("/verifiableCredential/3", "not-an-object"),
    ]
    assert "Amina" not in str(found)


def test_the_work_is_bounded():
    """A hundred credentials are looked at and a hundred faults told."""
    assert len(check_presentation_model(presentation(*[{}] * MAX_ENTRIES))) == MAX_FAULTS
    (fault,) = check_presentation_model(presentation(*[{}] * (MAX_ENTRIES + 1)))
    assert (fault.path, fault.code) == ("/verifiableCredential", "too-many")


@pytest.mark.parametrize(
    "document",
    [
        presentation(credential(), holder=HOLDER),
        presentation(credential(issuer={"id": HOLDER}), holder={"id": HOLDER}),
        presentation(credential(proof=PROOF, issuer="did:example:registry")),
        presentation(ENVELOPE),
        presentation(),
    ],
)
def test_claims_of_the_holders_own_name_the_holder(document):
    """A credential without a proof is the holder's; with one, or in an envelope, it stands for itself."""
    assert check_self_asserted(document) == ()


@pytest.mark.parametrize(
    ("document", "expected"),
    [
        (presentation(credential()), [("/holder", "missing")]),
        (presentation(credential(), credential()), [("/holder", "missing")]),
        (presentation(credential(), holder={}), [("/holder", "missing")]),
        (presentation(credential(), holder="did:example:b"), [("/verifiableCredential/0/issuer", "not-the-holder")]),
        (
            presentation(credential(proof=PROOF), credential(issuer=["x"]), holder=HOLDER),
            [("/verifiableCredential/1/issuer", "not-the-holder")],
        ),
    ],
)  # fmt: skip
def test_claims_of_somebody_elses_need_a_proof(document, expected):
    """Nobody passes off an unsecured claim as another's."""
    assert [(fault.path, fault.code) for fault in check_self_asserted(document)] == expected


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=6) | st.just(ENVELOPE) | st.just(credential()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip
members = st.sampled_from(["@context", "id", "type", "holder", "verifiableCredential", "proof", "termsOfUse"])


@settings(max_examples=200, deadline=None)
@given(st.dictionaries(members, values, max_size=4))
def test_any_document_can_be_checked(changes):
    """Whatever stands in a member, faults come back and nothing is raised."""
    document = presentation(credential(), **changes)
    for fault in [*check_presentation_model(document), *check_self_asserted(document)]:
        assert fault.path.startswith("/")
    assert check_envelope({**ENVELOPE, **changes}, ENVELOPED_CREDENTIAL) is not None
    assert is_envelope(changes, ENVELOPED_CREDENTIAL) in (True, False)

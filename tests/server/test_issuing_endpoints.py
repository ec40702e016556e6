"""The endpoints that secure, derive and present."""

import base64
import json

import pytest

from vcid.securing.disclosure import BaseDocument

PLAIN = [
    "eddsa-rdfc-2022",
    "eddsa-jcs-2022",
    "ecdsa-rdfc-2019-p256",
    "ecdsa-rdfc-2019-p384",
    "ecdsa-jcs-2019-p256",
    "ecdsa-jcs-2019-p384",
    "vc-jwt",
]


@pytest.mark.parametrize("profile", PLAIN)
def test_what_a_profile_issues_verifies(caller, profile):
    """Each profile secures in its own way, and the service verifies what it made."""
    issued = caller.issue(profile)
    if profile == "vc-jwt":
        assert issued["type"] == "EnvelopedVerifiableCredential"
        assert issued["id"].startswith("data:application/vc+jwt,")
    else:
        assert issued["proof"]["cryptosuite"] == profile.removesuffix("-p256").removesuffix("-p384")
    answer = caller.verify(issued)
    assert (answer.status_code, answer.json()) == (200, {"verified": True, "problemDetails": []})


@pytest.mark.parametrize("profile", PLAIN)
def test_no_profile_signs_what_is_no_credential(caller, profile):
    """A document without issuer, with an undefined term or a proof to come is refused with its faults."""
    wrong = caller.credential(profile)
    del wrong["issuer"]
    undefined = caller.credential(profile, credentialSubject={"id": "did:example:a", "zzz": "1"})
    for document, code in ((wrong, "missing"), (undefined, "undefined-term")):
        answer = caller.post(f"/{profile}/credentials/issue", {"credential": document})
        assert answer.status_code == 400
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == code
        assert "Alice" not in answer.text


@pytest.mark.parametrize("profile", ["ecdsa-sd-2023", "bbs-2023"])
def test_a_base_proof_is_derived_from_and_not_shown(caller, profile):
    """What these profiles issue does not verify; what is derived from it does, and shows only what is asked."""
    if profile not in caller.service.profiles:
        pytest.skip("the extra `bbs` is not installed")
    issued = caller.issue(profile, {"mandatoryPointers": ["/issuer"]})
    refused = caller.verify(issued)
    assert refused.status_code == 400
    assert refused.json()["problemDetails"][0]["code"] == "base-proof"
    options = {"selectivePointers": ["/credentialSubject/id"]}
    derived = caller.post("/credentials/derive", {"verifiableCredential": issued, "options": options})
    assert derived.status_code == 201, derived.text
    shown = derived.json()["verifiableCredential"]
    assert caller.verify(shown).status_code == 200
    assert shown["credentialSubject"] == {"id": "did:example:alice"}
    assert "validFrom" not in shown


def test_only_an_ephemeral_service_lets_a_credential_be_shown_without_its_end(caller):
    """Interoperability tests get the pointers they name and no others; whoever signs in earnest can't."""
    from vcid.server.issuing import Surroundings, secure
    from vcid.server.requests import IssueRequest

    profile = caller.service.profiles["ecdsa-sd-2023"]
    document = caller.credential("ecdsa-sd-2023", validUntil="2050-01-01T00:00:00Z")
    request = IssueRequest(credential=document, credential_id=None, mandatory_pointers=("/issuer",))
    exact = BaseDocument(secure(profile, request, caller.service.around))
    assert exact.mandatory_pointers == ("/issuer",)
    safe = BaseDocument(secure(profile, request, Surroundings()))
    assert set(safe.mandatory_pointers) == {"/issuer", "/validFrom", "/validUntil"}


def test_only_a_base_proof_can_be_derived_from(caller):
    """A plain proof, no proof and a pointer to nothing are refused."""
    plain = caller.issue("eddsa-jcs-2022")
    base = caller.issue("ecdsa-sd-2023")
    bare = {name: value for name, value in plain.items() if name != "proof"}
    cases = ((plain, "suite-not-selective"), (bare, "proof-missing"))
    for document, code in cases:
        answer = caller.post("/credentials/derive", {"verifiableCredential": document})
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    options = {"selectivePointers": ["/credentialSubject/nothing"]}
    answer = caller.post("/credentials/derive", {"verifiableCredential": base, "options": options})
    assert answer.status_code == 400


def _present(caller, profile, credentials, challenge="c", domain="border.example"):
    body = {
        "presentation": {"verifiableCredential": credentials},
        "options": {"challenge": challenge, "domain": domain},
    }
    return caller.post(f"/{profile}/presentations", body)


@pytest.mark.parametrize("profile", ["eddsa-rdfc-2022", "ecdsa-jcs-2019-p256", "vc-jwt"])
def test_a_presentation_verifies_for_its_challenge_and_domain_alone(caller, profile):
    """A presentation is made, verified, and refused for another challenge and for another domain."""
    presented = _present(caller, profile, [caller.issue("eddsa-jcs-2022")])
    assert presented.status_code == 201, presented.text
    shown = presented.json()["verifiablePresentation"]

    def verify(**options):
        return caller.post("/presentations/verify", {"verifiablePresentation": shown, "options": options})

    good = verify(challenge="c", domain="border.example", returnResults=True)
    assert good.status_code == 200, good.text
    assert good.json()["verified"] is True
    for options, kind in (
        ({"challenge": "other", "domain": "border.example"}, "INVALID_CHALLENGE_ERROR"),
        ({"challenge": "c", "domain": "elsewhere.example"}, "INVALID_DOMAIN_ERROR"),
    ):
        refused = verify(**options)
        assert (refused.status_code, refused.json()["verified"]) == (400, False)
        assert any(problem["type"].endswith(kind) for problem in refused.json()["problemDetails"])
    for missing in ({"challenge": "c"}, {"domain": "border.example"}, {}):
        assert verify(**missing).json()["code"] == "missing"


def test_what_is_not_secured_is_not_presented(caller):
    """A bare credential, a base proof and an empty list are refused, and selective profiles present nothing."""
    bare = caller.credential("eddsa-jcs-2022")
    base = caller.issue("ecdsa-sd-2023")
    for credentials, code in (([bare], "not-secured"), ([base], "base-proof"), ([], "not-an-object")):
        answer = _present(caller, "eddsa-jcs-2022", credentials)
        assert (answer.status_code, answer.json()["code"]) == (400, code)
    answer = _present(caller, "ecdsa-sd-2023", [caller.issue("eddsa-jcs-2022")])
    assert (answer.status_code, answer.json()["code"]) == (400, "no-presentations")


def test_an_altered_credential_is_not_verified(caller):
    """One changed claim, a changed proof and a text in place of a document give problem details."""
    issued = caller.issue("eddsa-jcs-2022")
    changed = {**issued, "credentialSubject": {"id": "did:example:mallory"}}
    other = {**issued, "proof": {**issued["proof"], "proofPurpose": "authentication"}}
    for document in (changed, other):
        answer = caller.verify(document, returnResults=True, returnCredential=True)
        assert answer.status_code == 400
        assert answer.json()["verified"] is False
        assert answer.json()["credential"] == document
        kinds = [problem["type"] for problem in answer.json()["problemDetails"]]
        assert any(kind.endswith("CRYPTOGRAPHIC_SECURITY_ERROR") for kind in kinds)
    assert caller.verify(json.dumps(issued)).json()["code"] == "not-an-object"


def test_unknown_options_and_members_are_refused(caller):
    """An option that is not known is not ignored."""
    issued = caller.issue("eddsa-jcs-2022")
    assert caller.verify(issued, skipStatus=True).json()["code"] == "unknown-option"
    answer = caller.post("/credentials/verify", {"verifiableCredential": issued, "more": 1})
    assert answer.json()["code"] == "unknown-member"
    body = {"credential": caller.credential("vc-jwt"), "options": {"created": "2020-01-01T00:00:00Z"}}
    assert caller.post("/vc-jwt/credentials/issue", body).json()["code"] == "unknown-option"


def test_a_token_with_the_algorithm_none_is_not_verified(caller):
    """A token whose header was changed is refused."""
    url = caller.issue("vc-jwt")["id"]
    prefix, _, token = url.partition(",")
    header = base64.urlsafe_b64encode(b'{"alg":"none","typ":"vc+jwt"}').decode().rstrip("=")
    forged = {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "id": f"{prefix},{header}.{token.split('.')[1]}.",
        "type": "EnvelopedVerifiableCredential",
    }
    assert caller.verify(forged).status_code == 400

"""``GET /identifiers/{did}``: results, documents, and the statuses of the DID Resolution binding."""

import pytest

from vcid.encoding.multikey import encode_multibase

KEY = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"

# A multibase text of the multicodec of RSA keys, and a few bytes.
RSA = f"did:key:{encode_multibase(bytes([0x85, 0x24, 1, 2, 3]), 'z')}"


@pytest.mark.parametrize("path", [KEY, KEY.replace(":", "%3A")])
@pytest.mark.parametrize("accept", [None, "*/*", "application/did-resolution", "text/html;q=0.1, */*;q=0.5"])
def test_a_did_is_resolved(caller, path, accept):
    """A DID, as it is or percent-encoded, gives the resolution result."""
    answer = caller.get(f"/identifiers/{path}", headers={"accept": accept} if accept else {})
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/did-resolution"
    assert answer.json()["didDocument"]["id"] == KEY
    assert answer.json()["didResolutionMetadata"]["contentType"] == "application/did"


@pytest.mark.parametrize("accept", ["application/did", "application/did+ld+json, */*;q=0.1"])
def test_a_document_alone_is_given_where_that_is_asked_for(caller, accept):
    """The document comes in the media type that is liked best."""
    answer = caller.get(f"/identifiers/{KEY}", headers={"accept": accept})
    assert answer.headers["content-type"] == accept.partition(",")[0]
    assert answer.json()["id"] == KEY


@pytest.mark.parametrize(
    ("path", "accept", "status", "kind"),
    [
        ("did:key:nothing", "*/*", 400, "INVALID_DID"),
        ("nothing", "*/*", 400, "INVALID_DID"),
        ("%ff", "*/*", 400, "INVALID_DID"),
        ("did:web:nowhere.example", "application/did", 404, "NOT_FOUND"),
        (KEY, "text/turtle", 406, "REPRESENTATION_NOT_SUPPORTED"),
        (KEY, "application/did;q=0", 406, "REPRESENTATION_NOT_SUPPORTED"),
        ("did:example:123", "*/*", 501, "METHOD_NOT_SUPPORTED"),
        (RSA, "*/*", 500, "UNSUPPORTED_PUBLIC_KEY_TYPE"),
        (f"{KEY}?versionId=2", "*/*", 501, "FEATURE_NOT_SUPPORTED"),
        (f"{KEY}?versionTime=yesterday", "*/*", 400, "INVALID_OPTIONS"),
        (f"{KEY}?versionNumber=-1", "*/*", 400, "INVALID_OPTIONS"),
        (f"{KEY}?nothing=1", "*/*", 400, "INVALID_OPTIONS"),
        (f"{KEY}?versionId=1&versionId=2", "*/*", 400, "INVALID_OPTIONS"),
    ],
)
def test_an_error_has_the_status_of_its_type(caller, path, accept, status, kind):
    """Each type of error is answered with the status that the binding gives it."""
    answer = caller.get(f"/identifiers/{path}", headers={"accept": accept})
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/did-resolution"
    body = answer.json()
    assert body["didDocument"] is None
    assert body["didResolutionMetadata"]["error"]["type"] == f"https://www.w3.org/ns/did#{kind}"

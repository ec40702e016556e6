"""What every request goes through: the token, the limits on bodies, and a log that says nothing of anybody."""

import asyncio
import json

import pytest

POSTS = [
    "/eddsa-jcs-2022/credentials/issue",
    "/eddsa-jcs-2022/presentations",
    "/credentials/verify",
    "/presentations/verify",
    "/credentials/derive",
    "/credentials/status",
    "/eddsa-jcs-2022/credentials/verify",
]
SIGNING = ["/eddsa-jcs-2022/credentials/issue", "/eddsa-jcs-2022/presentations", "/credentials/status"]


def refusal(answer):
    """The status and code of a refusal, which has to be problem details."""
    assert answer.headers["content-type"] == "application/problem+json"
    body = answer.json()
    assert body["status"] == answer.status_code
    assert {"type", "title", "detail", "code"} <= body.keys()
    return answer.status_code, body["code"]


@pytest.mark.parametrize("path", SIGNING)
@pytest.mark.parametrize("token", ["", "wrong", "a-token-of-this-test-alone-and-more", "é" * 20])
def test_nothing_is_signed_without_the_token(caller, path, token):
    """Without the token, and with another, signing and changing are refused before the body is read."""
    headers = {"authorization": f"Bearer {token}".encode()} if token else {}
    answer = caller.post(path, content=b"no json", token="", headers=headers)
    assert refusal(answer) == (401, "unauthorized")
    assert answer.headers["www-authenticate"] == "Bearer"


def test_the_token_is_a_bearer_token(caller):
    """The right token under another scheme is refused; the scheme's case does not matter."""
    body = json.dumps({"credential": caller.credential("eddsa-jcs-2022")}).encode()
    for scheme, status in (("Basic", 401), ("bearer", 201)):
        headers = {"authorization": f"{scheme} a-token-of-this-test-alone"}
        assert caller.post(SIGNING[0], content=body, token="", headers=headers).status_code == status


def test_verifying_asks_for_no_token(caller):
    """Whoever holds a credential may have it verified."""
    issued = caller.issue("eddsa-jcs-2022")
    body = json.dumps({"verifiableCredential": issued}).encode()
    assert caller.post("/credentials/verify", content=body, token="").status_code == 200


@pytest.mark.parametrize("path", POSTS)
def test_bodies_that_are_too_large_are_not_read(caller, path):
    """Ten megabytes are refused, by their stated length and also where they state none."""
    large = b'{"credential":"' + b"a" * (10 << 20) + b'"}'
    assert refusal(caller.post(path, content=large)) == (413, "too-large")
    read = 0

    async def pieces():
        nonlocal read
        for _ in range(200):
            read += 1
            yield b" " * (1 << 16)

    assert refusal(caller.post(path, content=pieces())) == (413, "too-large")


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b'{"credential": {"type"', b"\xff\xfe", b'{"a":1,"a":2}', b"[]", b"[" * 3000, b"NaN"],
)
def test_what_is_no_json_object_is_refused(caller, path, content):
    """Empty, truncated, ambiguous, too deep or other JSON gives 400 with a parsing problem."""
    status, _ = refusal(caller.post(path, content=content))
    assert status == 400


@pytest.mark.parametrize("path", POSTS)
@pytest.mark.parametrize("kind", ["text/plain", "application/xml", "", "multipart/form-data; boundary=a"])
def test_other_content_types_are_refused(caller, path, kind):
    """What is no JSON by its content type is not looked at."""
    answer = caller.post(path, content=b"{}", headers={"content-type": kind})
    assert refusal(answer) == (415, "content-type")
    packed = caller.post(path, content=b"{}", headers={"content-encoding": "gzip"})
    assert refusal(packed) == (415, "content-encoding")


@pytest.mark.parametrize("path", POSTS)
def test_other_methods_are_refused(caller, path):
    """GET, PUT and DELETE of an endpoint that takes POST are answered with 405."""
    for method in ("GET", "PUT", "DELETE"):
        assert refusal(caller.request(method, path)) == (405, "method-not-allowed")


def test_unknown_paths_and_profiles_are_not_found(caller):
    """A path that is none, and a profile without a key, are answered with 404."""
    assert refusal(caller.get("/nowhere")) == (404, "no-such-endpoint")
    assert refusal(caller.post("/rsa-2000/credentials/issue", {})) == (404, "no-such-profile")
    assert refusal(caller.post("/rsa-2000/credentials/verify", {})) == (404, "no-such-profile")


def test_a_body_that_does_not_come_is_not_waited_for(call):
    """A body that stops arriving is answered with 408."""
    caller = call(timeout=0.2)

    async def slowly():
        yield b"{"
        await asyncio.sleep(5)

    assert refusal(caller.post("/credentials/verify", content=slowly())) == (408, "too-slow")


class _Broken:
    """A service in which everything fails, with a child's name in the message."""

    def __init__(self, service):
        self.profiles = service.profiles

    def verify_credential(self, _body):
        raise RuntimeError("Amina Otieno, born 2019")


def test_a_fault_of_the_service_reveals_nothing(call):
    """An unforeseen exception gives 500 with problem details, and the log its kind alone."""
    caller = call(_Broken(call().service))
    answer = caller.post("/credentials/verify", {})
    assert refusal(answer) == (500, "internal")
    assert "Amina" not in answer.text + json.dumps(caller.log)
    assert caller.log[-1]["problem"] == "internal-RuntimeError"


def test_the_log_holds_no_personal_data(caller, capfd):
    """After accepted and refused requests, neither log nor standard streams name anybody or any identifier."""
    secret = "Wanjiru"
    issued = caller.issue("status", {"credentialId": f"row-{secret}"})
    caller.verify(issued)
    caller.verify({**issued, "id": f"urn:{secret}"})
    caller.get(f"/identifiers/did:web:{secret}.example")
    caller.get(f"/status/{secret}")
    caller.get(f"/{secret}")
    caller.request(f"{secret}", "/credentials/verify")
    caller.post(f"/{secret}/credentials/issue", {"credential": {"name": secret}})
    caller.post("/credentials/verify", content=f'{{"name": "{secret}"'.encode())
    written = json.dumps(caller.log) + "".join(capfd.readouterr())
    assert len(caller.log) == 9
    for trace in (secret, secret.lower(), "did:", "127.0.0.1", "Bearer", "a-token"):
        assert trace not in written
    assert {key for line in caller.log for key in line} == {"method", "route", "status", "ms", "problem"}


def test_answers_are_neither_kept_nor_sniffed(caller):
    """Every answer forbids caching and guessing, and the page runs no scripts."""
    for path in (
        "/",
        "/openapi.json",
        "/identifiers/did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
    ):
        answer = caller.get(path)
        assert answer.status_code == 200
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in caller.get("/").headers["content-security-policy"]

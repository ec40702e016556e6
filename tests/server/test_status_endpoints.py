"""The profile ``status``: places in lists, the lists by their URLs, and statuses that are set."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from vcid.status.bitstring import StatusEntry, StatusList


def status_of(caller, issued, purpose):
    """Read a credential's status from the list that it names."""
    entry = next(item for item in issued["credentialStatus"] if item["statusPurpose"] == purpose)
    path = entry["statusListCredential"].removeprefix("http://127.0.0.1:8080")
    answer = caller.get(path)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    listed = answer.json()
    assert listed["id"] == entry["statusListCredential"]
    assert caller.verify(listed).status_code == 200
    bits = StatusList.decode(listed["credentialSubject"]["encodedList"])
    return bits.value(StatusEntry.parse(entry).index, 1)


def set_status(caller, **more):
    body = {
        "credentialId": "row-1",
        "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
        "status": True,
        **more,
    }
    return caller.post("/credentials/status", body)


def test_a_status_is_unset_until_it_is_set(caller):
    """Each credential has a place for each purpose; setting one publishes it, and leaves the other."""
    issued = caller.issue("status", {"credentialId": "row-1"})
    assert caller.verify(issued).status_code == 200
    assert [status_of(caller, issued, purpose) for purpose in ("revocation", "suspension")] == [0, 0]
    assert set_status(caller).status_code == 200
    assert [status_of(caller, issued, purpose) for purpose in ("revocation", "suspension")] == [1, 0]


def test_only_what_was_issued_here_gets_a_status(caller):
    """An unknown id, an unknown purpose, a status taken back and another type are refused."""
    caller.issue("status", {"credentialId": "row-1"})
    assert set_status(caller, credentialId="row-2").status_code == 404
    odd = {"type": "BitstringStatusListEntry", "statusPurpose": "refresh"}
    assert set_status(caller, credentialStatus=odd).json()["code"] == "no-such-purpose"
    assert set_status(caller, status=False).json()["code"] == "status-is-final"
    other = {"type": "StatusList2021Entry", "statusPurpose": "revocation"}
    assert set_status(caller, credentialStatus=other).json()["code"] == "status-type"


def test_an_id_names_one_credential(caller):
    """The same request again gives the same credential; another credential under its id is refused."""
    first = caller.issue("status", {"credentialId": "row-1"})
    assert caller.issue("status", {"credentialId": "row-1"}) == first
    body = {
        "credential": caller.credential("status", credentialSubject={"id": "did:example:bob"}),
        "options": {"credentialId": "row-1"},
    }
    answer = caller.post("/status/credentials/issue", body)
    assert (answer.status_code, answer.json()["code"]) == (409, "key-reused")


def test_a_credential_brings_no_status_of_its_own(caller):
    """A status that the caller wrote is refused, and a fault in the credential frees its id."""
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "1",
        "statusListCredential": "https://elsewhere.example/1",
    }
    credential = caller.credential("status", credentialStatus=entry)
    answer = caller.post("/status/credentials/issue", {"credential": credential})
    assert answer.json()["code"] == "status-is-ours"
    faulty = {
        "credential": caller.credential("status", type=["Nothing"]),
        "options": {"credentialId": "row-1"},
    }
    assert caller.post("/status/credentials/issue", faulty).status_code == 400
    assert caller.issue("status", {"credentialId": "row-1"})


@pytest.mark.parametrize("path", ["/status/nothing", "/status/-", "/status/%2e%2e%2fetc"])
def test_other_lists_are_not_found(caller, path):
    """Only lists that were published here are given."""
    caller.issue("status")
    assert caller.get(path).status_code == 404


def test_a_list_is_given_as_a_credential_where_that_is_asked_for(caller):
    """``Accept: application/vc`` gives that media type."""
    issued = caller.issue("status")
    path = issued["credentialStatus"][0]["statusListCredential"].removeprefix("http://127.0.0.1:8080")
    answer = caller.get(path, headers={"accept": "application/vc"})
    assert answer.headers["content-type"] == "application/vc"


FORWARDED = {"x-forwarded-proto": "http, https", "x-forwarded-host": "evil.example, issuer.example"}


def list_url(caller, **headers):
    body = {"credential": caller.credential("status")}
    answer = caller.post("/status/credentials/issue", body, headers=headers)
    return answer.json()["verifiableCredential"]["credentialStatus"][0]["statusListCredential"]


def test_a_proxy_is_followed_only_where_it_is_trusted(call):
    """Forwarded headers name the lists only if the operator trusts the proxy, and then by its own entry."""
    assert list_url(call(), **FORWARDED).startswith("http://127.0.0.1:8080/status/")
    assert list_url(call(trusts_proxy=True), **FORWARDED).startswith("https://issuer.example/status/")
    fixed = call(trusts_proxy=True, status_url="https://lists.example/s")
    assert list_url(fixed, **FORWARDED).startswith("https://lists.example/s/")


def test_a_host_that_is_none_names_no_list(call):
    """What can't stand in a URL as a host is not taken for one, and addresses are not kept without end."""
    caller = call(trusts_proxy=True)
    odd = {"x-forwarded-host": 'a.example/"><script>'}
    assert list_url(caller, **odd).startswith("http://localhost/status/")
    answers = [
        caller.post(
            "/status/credentials/issue",
            {"credential": caller.credential("status")},
            headers={"x-forwarded-host": f"h{number}.example"},
        ).status_code
        for number in range(9)
    ]
    assert answers.count(201) == 7
    assert answers[-1] == 400


def test_a_list_is_published_anew_before_it_ends():
    """Asked for a list half through its validity, the desk gives a fresh version; before that, the same."""
    pytest.importorskip("starlette", reason="the extra `server` is not installed")
    from vcid.server.issuing import LIST_VALIDITY, StatusDesk, Surroundings
    from vcid.server.profiles import ephemeral_profiles
    from vcid.server.requests import IssueRequest

    now = [datetime(2026, 1, 1, tzinfo=UTC)]
    profile = ephemeral_profiles()["status"]
    desk = StatusDesk(profile, Surroundings(clock=lambda: now[0]))
    credential = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": profile.did,
        "credentialSubject": {"id": "did:example:alice"},
    }
    issued = desk.issue(IssueRequest.parse({"credential": credential}), "https://a.example/status")
    url = issued["credentialStatus"][0]["statusListCredential"]
    first = desk.published(url, "https://a.example/status")
    now[0] += LIST_VALIDITY / 2
    assert desk.published(url, "https://a.example/status") == first
    now[0] += timedelta(seconds=1)
    second = json.loads(desk.published(url, "https://a.example/status"))
    assert second["validFrom"] > json.loads(first)["validFrom"]
    assert desk.published("https://a.example/status/other", "https://a.example/status") is None

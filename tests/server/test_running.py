"""The service as a process: ``vcid serve`` on a loopback port, from a ``vcid.toml`` and for tests."""

import json
import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

from vcid.encoding.multikey import KeyType
from vcid.keys.encrypted_file import Argon2Cost
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.policy import Policy
from vcid.trust import Accreditation

TOKEN = "a token that nobody guesses"
PASSPHRASE = "correct horse battery staple"


@pytest.fixture
def serve(own_server, tmp_path):
    """Start ``vcid serve``, and give a client of it."""
    pytest.importorskip("starlette", reason="the extra `server` is not installed")
    pytest.importorskip("uvicorn", reason="the extra `server` is not installed")
    pytest.importorskip("click", reason="the extra `cli` is not installed")
    httpx = pytest.importorskip("httpx", reason="httpx is not installed")

    @contextmanager
    def start(*arguments, **variables):
        command = [sys.executable, "-m", "vcid.cli", "serve", "--port", "0", "--json", *arguments]
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith("VCID_")
        } | variables
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=tmp_path, text=True
        )
        try:
            line = process.stdout.readline()
            assert line, process.stderr.read()
            announced = json.loads(line)
            own_server(int(announced["url"].rpartition(":")[2]))
            with httpx.Client(base_url=announced["url"], trust_env=False) as client:
                yield client, announced["profiles"], process
        finally:
            process.kill()
            process.communicate()

    return start


def refused(*arguments, **variables):
    """Start ``vcid serve`` where it must not start, and give its exit code and what it says."""
    command = [sys.executable, "-m", "vcid.cli", "serve", "--port", "0", *arguments]
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith("VCID_")
    } | variables
    done = subprocess.run(command, capture_output=True, env=environment, text=True, timeout=30, check=False)
    return done.returncode, done.stderr


def credential(did):
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/undefined-terms/v2",
        ],
        "type": ["VerifiableCredential", "TownCredential"],
        "issuer": did,
        "credentialSubject": {"id": "did:example:alice", "jurisdiction": "KE"},
    }


@pytest.mark.slow
def test_an_ephemeral_service_issues_verifies_and_stops(serve):
    """On loopback it needs no token; SIGTERM ends it with 0; its log is lines of JSON alone."""
    with serve("--ephemeral") as (client, profiles, process):
        body = {"credential": credential(profiles["eddsa-rdfc-2022"])}
        issued = client.post("/eddsa-rdfc-2022/credentials/issue", json=body)
        assert issued.status_code == 201
        assert client.post("/credentials/verify", json=issued.json()).json()["verified"] is True
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) in (0, -signal.SIGTERM)
        notice, *lines = process.stderr.read().splitlines()
        assert "ephemeral" in notice
        assert [json.loads(line)["status"] for line in lines] == [201, 200]


def write_config(folder, *, with_status=True):
    """Write a service's keys, policy, knowledge and vcid.toml; give the Ed25519 key's DID."""
    cost = Argon2Cost(1, 8192)
    signers = {}
    for name, key_type in (("ed", KeyType.ED25519), ("p256", KeyType.P256)):
        signers[name] = LocalSigner.generate(key_type)
        signers[name].save(folder / f"{name}.json", PASSPHRASE, cost=cost)
    did = f"did:key:{signers['ed'].public_key.multikey}"
    granted = Accreditation(
        issuer=did, credential_types=frozenset({"TownCredential"}), jurisdictions=frozenset({"KE"})
    )
    tolerated = frozenset({"anchor", "status"})
    Policy(accreditations=(granted,), tolerated=tolerated).save(folder / "policy.json")
    Knowledge().save(folder / "knowledge")
    status = (
        'registry = "sqlite:///served.db"\nstatus_url = "https://lists.example/s"\n' if with_status else ""
    )
    (folder / "vcid.toml").write_text(
        f'[server]\ned25519_key = "ed.json"\np256_key = "p256.json"\n{status}'
        '[verifier]\npolicy = "policy.json"\nknowledge = "knowledge"\nviews = "sqlite:///views.db"\n'
    )
    return did


@pytest.mark.slow
def test_a_service_goes_by_its_vcid_toml(serve, tmp_path):
    """It signs for its own DID alone, with the token alone, and verifies by the operator's policy."""
    did = write_config(tmp_path)
    with serve(VCID_SERVER_TOKEN=TOKEN, VCID_PASSPHRASE=PASSPHRASE) as (client, profiles, _):
        assert profiles["eddsa-jcs-2022"] == did
        assert "bbs-2023" not in profiles
        assert "ecdsa-rdfc-2019-p384" not in profiles
        path, authorized = "/eddsa-jcs-2022/credentials/issue", {"authorization": f"Bearer {TOKEN}"}
        assert client.post(path, json={"credential": credential(did)}).status_code == 401
        other = client.post(path, json={"credential": credential("did:example:x")}, headers=authorized)
        assert (other.status_code, other.json()["code"]) == (400, "wrong-issuer")
        issued = client.post(path, json={"credential": credential(did)}, headers=authorized)
        assert client.post("/credentials/verify", json=issued.json()).status_code == 200
        stranger = profiles["ecdsa-jcs-2019-p256"]
        path = "/ecdsa-jcs-2019-p256/credentials/issue"
        issued = client.post(path, json={"credential": credential(stranger)}, headers=authorized)
        assert client.post("/credentials/verify", json=issued.json()).status_code == 400
        body = {"credential": credential(did), "options": {"credentialId": "row-1"}}
        issued = client.post("/status/credentials/issue", json=body, headers=authorized).json()
        entry = issued["verifiableCredential"]["credentialStatus"][0]
        assert entry["statusListCredential"].startswith("https://lists.example/s/")


@pytest.mark.slow
def test_a_service_does_not_start_unguarded(tmp_path):
    """Without a token, on a public address, with a short token or without its section it does not start."""
    pytest.importorskip("starlette", reason="the extra `server` is not installed")
    pytest.importorskip("click", reason="the extra `cli` is not installed")
    (tmp_path / "vcid.toml").write_text("")
    config = ("--config", str(tmp_path / "vcid.toml"))
    assert refused(*config)[0] == 2
    assert refused("--ephemeral", "--host", "0.0.0.0")[0] == 2
    code, said = refused(*config, VCID_SERVER_TOKEN="short")
    assert code == 2
    assert "short" not in said.replace("16", "")
    code, said = refused(*config, VCID_SERVER_TOKEN=TOKEN)
    assert code == 2
    assert "[server]" in said

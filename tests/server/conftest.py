"""A service in this process, and what it wrote into its log."""

import asyncio
import json
from dataclasses import dataclass

import pytest

TOKEN = "a-token-of-this-test-alone"
DOMAIN = "border.example"
CHALLENGE = "a challenge drawn at random"


@dataclass
class Caller:
    """A client of one application, with the token unless it is told otherwise."""

    app: object
    runner: asyncio.Runner
    service: object
    log: list

    def request(self, method, path, **more):
        return self.runner.run(self._request(method, path, **more))

    def get(self, path, **more):
        return self.request("GET", path, **more)

    async def _request(self, method, path, **more):
        import httpx

        transport = httpx.ASGITransport(self.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080") as client:
            return await client.request(method, path, **more)

    def post(self, path, body=None, *, token=TOKEN, **more):
        headers = {"content-type": "application/json", **more.pop("headers", {})}
        if token:
            headers["authorization"] = f"Bearer {token}"
        content = more.pop("content", json.dumps(body).encode())
        return self.request("POST", path, content=content, headers=headers, **more)

    def did(self, profile):
        return self.service.profiles[profile].did

    def credential(self, profile, **more):
        """A credential that the profile may sign."""
        return {
            "@context": ["https://www.w3.org/ns/credentials/v2"],
            "type": ["VerifiableCredential"],
            "issuer": self.did(profile),
            "validFrom": "2020-01-01T00:00:00Z",
            "credentialSubject": {"id": "did:example:alice", "name": "Alice Wanjiru"},
            **more,
        }

    def issue(self, profile, options=None, **more):
        body = {"credential": self.credential(profile, **more), "options": options or {}}
        answer = self.post(f"/{profile}/credentials/issue", body)
        assert answer.status_code == 201, answer.text
        return answer.json()["verifiableCredential"]

    def verify(self, credential, **options):
        return self.post("/credentials/verify", {"verifiableCredential": credential, "options": options})


@pytest.fixture
def call():
    """Make a caller of an ephemeral service, guarded as asked."""
    pytest.importorskip("starlette", reason="the extra `server` is not installed")
    pytest.importorskip("httpx", reason="httpx is not installed")
    from vcid.encoding.contexts import Contexts
    from vcid.server.app import Limits, create_app
    from vcid.server.unsafe import ephemeral_service

    def make(service=None, **limits):
        log = []
        service = service or ephemeral_service(Contexts.carried())
        app = create_app(service, Limits(**{"token": TOKEN, **limits}), log=log.append)
        return Caller(app, runner, service, log)

    with asyncio.Runner() as runner:
        yield make


@pytest.fixture
def caller(call):
    """A caller of an ephemeral service."""
    return call()

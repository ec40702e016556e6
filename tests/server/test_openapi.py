"""The description at ``/openapi.json`` says what the service does, and whatever it allows is answered."""

import json
import os
from importlib.resources import files

import pytest

DESCRIPTION = json.loads((files("vcid.server") / "openapi.json").read_text(encoding="utf-8"))
EXAMPLES = int(os.environ.get("VCID_SCHEMATHESIS_EXAMPLES", "25"))


def test_the_description_names_the_routes_that_there_are(caller):
    """Each path and method described is routed, and each route is described."""
    described = {
        (method.upper(), path) for path, methods in DESCRIPTION["paths"].items() for method in methods
    }
    inner = caller.app._app._app
    routed = {
        (method, route.path.replace("{did:path}", "{did}"))
        for route in inner.routes
        for method in route.methods - {"HEAD"}
    }
    assert described == routed
    assert caller.get("/openapi.json").json() == DESCRIPTION


def test_what_asks_for_the_token_is_described_so(caller):
    """Where the service refuses a request without the token, the description has the bearer scheme."""
    for path, methods in DESCRIPTION["paths"].items():
        if "post" in methods:
            answer = caller.post(path.replace("{profile}", "eddsa-jcs-2022"), {}, token="")
            assert (answer.status_code == 401) == ("security" in methods["post"]), path


def test_every_reference_leads_somewhere():
    """No schema or parameter is named that is not described, and none is described in vain."""
    text = json.dumps(DESCRIPTION)
    components = DESCRIPTION["components"]
    for part in ("schemas", "parameters"):
        for name in components[part]:
            assert f'"#/components/{part}/{name}"' in text
    for reference in {item.split('"')[0] for item in text.split('"$ref": "#/components/')[1:]}:
        part, name = reference.split("/")
        assert name in components[part]


def _schema(caller):
    schemathesis = pytest.importorskip("schemathesis", reason="schemathesis is not installed")
    return schemathesis.openapi.from_asgi("/openapi.json", caller.app)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", sorted(DESCRIPTION["paths"]))
def test_no_request_that_is_described_makes_the_service_fail(caller, path):
    """Generated requests, good and bad, are answered with what is described, and never by a fault."""
    from hypothesis import HealthCheck, given, settings

    operations = _schema(caller)[path]
    budget = settings(
        max_examples=EXAMPLES, deadline=None, database=None, suppress_health_check=list(HealthCheck)
    )
    for method, operation in DESCRIPTION["paths"][path].items():
        described = {404, 405, *map(int, operation["responses"])}
        budget(given(case=operations[method.upper()].as_strategy())(_answers_as(described)))()
    assert not [line for line in caller.log if line.get("problem", "").startswith("internal-")]


def _answers_as(described):
    def send(case):
        answer = case.call(headers={"authorization": "Bearer a-token-of-this-test-alone"})
        assert answer.status_code in described
        if answer.status_code == 500:
            assert answer.json()["didResolutionMetadata"]["error"]

    return send

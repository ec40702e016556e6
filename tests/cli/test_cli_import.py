"""`vcid issue --from`: a record of another system becomes a credential, with its loss report on stderr."""

from __future__ import annotations

import json

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.conftest import Place
from importing import SAMPLES, load_sample
from vcid.credentials.model import Credential

SYSTEMS = {
    "opencrvs-v2": "opencrvs",
    "opencrvs-v1": "opencrvs-v1",
    "fhir-r4": "fhir",
    "primero-v2": "primero",
}
NAMES = ["opencrvs-v2-ordinary", "opencrvs-v1-ordinary", "fhir-ordinary", "primero-estimated-age"]


def issue(authority: Place, name: str, *more: object, **changes: object):
    """Issue from a sample, as an operator would."""
    sample = load_sample(SAMPLES / f"{name}.json")
    record = authority.write("record.json", json.dumps(sample["document"] | changes).encode())
    stated = authority.write("stated.json", json.dumps(sample["stated"]).encode())
    system = SYSTEMS[sample["system"]]
    return authority("issue", record, "--key", "k-1", "--from", system, "--stated", stated, *more)


@pytest.mark.parametrize("name", NAMES)
def test_a_record_of_another_system_is_issued(authority: Place, name: str):
    """The credential holds what the sample says of its record, and the report tells each field."""
    ended = issue(authority, name)
    assert ended.code == 0, ended.err
    subject = Credential("application/vc", ended.out.encode()).unverified_document["credentialSubject"]
    expected = load_sample(SAMPLES / f"{name}.json")["expected"]["record"]
    assert subject["birthDate"] == expected["birthDate"]
    assert subject["registration"] == expected["registration"]
    assert "left-out" in ended.err
    assert "Example" not in ended.err


def test_a_refused_record_is_told_whole(authority: Place):
    """All that stands against it comes at once, beside the report, and nothing is issued."""
    ended = issue(authority, "fhir-no-counterpart")
    assert ended.code == 1
    assert ended.out == ""
    assert "/patient/gender: no-lossless-mapping" in ended.err
    assert "/patient/birthDate: not-a-date" in ended.err
    assert "2020/2021" not in ended.err


def test_a_form_of_its_own_has_its_map(authority: Place):
    """With --map, the fields are those of the file; without a rule for one, nothing is issued."""
    rules = {"child.gender": {"reference": True}, "child.name": {"reference": True}}
    file = authority.write("map.json", json.dumps(rules).encode())
    ended = issue(authority, "opencrvs-v2-ordinary", "--map", file)
    assert ended.code == 1
    assert "/declaration/child.dob: unknown-field" in ended.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--from", "fhir"],
        ["--key", "k", "--stated", "FILE"],
        ["--key", "k", "--from", "fhir", "--map", "FILE"],
        ["--key", "k", "--from", "dhis2"],
    ],
)
def test_options_that_make_no_sense_are_misuse(authority: Place, arguments: list[str]):
    """A system needs a key, and what stands beside a system needs the system."""
    file = authority.write("record.json", b"{}")
    ended = authority("issue", file, *[file if it == "FILE" else it for it in arguments])
    assert ended.code == 2


def test_a_file_that_is_none_is_told(authority: Place):
    """A wrong file of statements, and a wrong record, end in a message and no traceback."""
    record = authority.write("record.json", b"[]")
    stated = authority.write("stated.json", b'{"fields": {"/religion": "x"}}')
    for more in ([], ["--stated", stated]):
        ended = authority("issue", record, "--key", "k", "--from", "fhir", *more)
        assert ended.code in (1, 2)
        assert "Traceback" not in ended.err

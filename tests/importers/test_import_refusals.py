"""What makes another system's document no registered birth of this child is told by its code."""

import copy
import json

import pytest

from importing import SAMPLES, load_sample, read_sample
from vcid.errors import LimitExceeded, Malformed
from vcid.importers.fhir import read_fhir
from vcid.importers.opencrvs_v1 import read_opencrvs_v1
from vcid.importers.primero import read_primero
from vcid.importers.source import MAX_FIELDS


def told(document, sample_name):
    result = read_sample(load_sample(SAMPLES / f"{sample_name}.json"), document)
    assert result.record is None
    return {fault.code for fault in result.faults}


def changed(sample_name, change):
    document = copy.deepcopy(load_sample(SAMPLES / f"{sample_name}.json")["document"])
    change(document)
    return told(document, sample_name)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d.update(type="death"), "not-a-birth"),
        (lambda d: d.update(status="ARCHIVED"), "not-registered"),
        (lambda d: d.pop("status"), "not-registered"),
        (lambda d: d["flags"].append("revoked"), "barred"),
        (lambda d: d["declaration"].update({"child.gender": "Female"}), "not-in-crosswalk"),
        (lambda d: d["declaration"].update({"child.gender": ["female"]}), "wrong-type"),
        (lambda d: d["declaration"].update({"child.dob": "2021-02-31"}), "no-such-day"),
        (lambda d: d["declaration"].update({"child.dob": "2021"}), "not-a-date"),
        (lambda d: d["declaration"].update({"child.dob": "2027-01-01"}), "in-the-future"),
        (lambda d: d["declaration"].update({"child.something": 1}), "unknown-field"),
        (lambda d: d["declaration"]["child.name"].update(firstname="A\u202eb"), "control-character"),
        (lambda d: d["declaration"]["child.name"].update(firstname="x" * 2000), "too-long"),
        (lambda d: d["legalStatuses"]["REGISTERED"].update(acceptedAt="yesterday"), "not-a-timestamp"),
        (lambda d: d["legalStatuses"]["REGISTERED"].pop("registrationNumber"), "required"),
    ],
)  # fmt: skip
def test_an_event_of_opencrvs_2_is_refused(change, code):
    """Whatever makes an event no registered birth, or a field none of a record, is told by its code."""
    assert code in changed("opencrvs-v2-ordinary", change)


def resource(document, kind, index=0):
    entries = document["event"]["context"][0]["entry"]
    return [entry["resource"] for entry in entries if entry["resource"]["resourceType"] == kind][index]


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d["event"]["hub"].update(topic="DEATH_REGISTERED"), "another-topic"),
        (lambda d: d["event"]["context"].append({}), "not-one-bundle"),
        (lambda d: d["event"]["context"][0].update(resourceType="Patient"), "not-a-bundle"),
        (lambda d: d["event"]["context"][0]["entry"].pop(0), "no-composition"),
        (lambda d: resource(d, "Composition")["section"].pop(1), "no-child"),
        (lambda d: resource(d, "Composition")["section"].append(resource(d, "Composition")["section"][1]), "repeated"),
        (
            lambda d: resource(d, "Composition")["section"][2]["entry"][0].update(reference="Patient/p-child"),
            "repeated",
        ),
        (lambda d: resource(d, "Composition")["section"][1]["entry"][0].update(reference="Task/t-1"), "no-child"),
        (lambda d: resource(d, "Task").update(businessStatus={}), "not-registered"),
        (lambda d: resource(d, "Task").update(resourceType="TaskHistory"), "no-task"),
        (lambda d: resource(d, "Patient")["name"][0].update(use="official"), "unknown-name-use"),
        (lambda d: resource(d, "Patient").update(deceased=True), "deceased"),
        (lambda d: resource(d, "Patient").update(active=False), "not-in-use"),
        (lambda d: resource(d, "Patient").update(modifierExtension=[{"url": "urn:x"}]), "unknown-field"),
        (lambda d: resource(d, "Patient").update(gender="other"), "no-lossless-mapping"),
        (lambda d: resource(d, "Patient", 1).update(id="p-child"), "repeated"),
        (lambda d: resource(d, "Patient")["identifier"][0].update(value="other"), "contradiction"),
    ],
)  # fmt: skip
def test_a_bundle_of_opencrvs_1_is_refused(change, code):
    """Whatever leaves open who is the child, or whether the birth is registered, is told by its code."""
    assert code in changed("opencrvs-v1-ordinary", change)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d["patient"].update(resourceType="Practitioner"), "not-a-patient"),
        (lambda d: d["patient"].pop("resourceType"), "not-a-patient"),
        (lambda d: d["patient"].update(deceasedBoolean=True), "deceased"),
        (lambda d: d["patient"].update(active=False), "not-in-use"),
        (lambda d: d["patient"].update(active=1), "not-in-use"),
        (lambda d: d["patient"].update(gender="other"), "no-lossless-mapping"),
        (lambda d: d["patient"].update(implicitRules="urn:x"), "unknown-field"),
        (lambda d: d["patient"]["name"][0].update(use="stage"), "unknown-name-use"),
        (lambda d: d["patient"]["name"][0].update(period={"end": "2020"}), "required"),
        (lambda d: d["patient"].update(name={"text": "x"}), "wrong-type"),
        (lambda d: d["patient"].update(multipleBirthInteger="2"), "wrong-type"),
        (lambda d: d["patient"]["extension"].append(d["patient"]["extension"][0]), "repeated"),
        (lambda d: d["patient"]["identifier"].append({**d["patient"]["identifier"][0], "value": "x"}), "contradiction"),
        (lambda d: d["patient"].pop("id"), "another-patient"),
        (lambda d: d["relatedPersons"][0].pop("patient"), "another-patient"),
        (lambda d: d["relatedPersons"][0].update(active=False), "not-in-use"),
        (lambda d: d["relatedPersons"][0].update(period={"end": "2020"}), "ended"),
    ],
)  # fmt: skip
def test_a_patient_is_refused(change, code):
    """Whatever FHIR says to change the meaning of a record, or to make a parent another child's, is told."""
    assert code in changed("fhir-ordinary", change)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda d: d["data"].update(sex="other"), "not-in-crosswalk"),
        (lambda d: d["data"].update(hidden_name=True), "hidden-name"),
        (lambda d: d["data"].update(record_state=False), "not-in-use"),
        (lambda d: d["data"].update(estimated="yes"), "wrong-type"),
        (lambda d: d["data"].update(date_of_birth="2011/01/01"), "not-a-date"),
        (lambda d: d["data"].update(name=7), "wrong-type"),
    ],
)
def test_a_case_is_refused(change, code):
    """A case with a word that no table knows, or that is not to be read, gives no record."""
    assert code in changed("primero-estimated-age", change)


def test_no_care_arrangement_and_no_caregiver_is_carried():
    """Whoever a case file calls a caregiver or a relative stands in no record, not even as a parent."""
    sample = load_sample(SAMPLES / "primero-estimated-age.json")
    sample["stated"]["parentage"] = {"0": "none"}
    del sample["stated"]["fields"]["/parentageStatus"]
    result = read_sample(sample)
    assert "parents" not in result.fields
    assert "Taji" not in json.dumps(result.fields)
    assert "Fanta" not in json.dumps(result.fields)


@pytest.mark.parametrize("read", [read_primero, read_opencrvs_v1, read_fhir])
def test_what_is_no_json_object_is_refused(read):
    """Text that is none, a list, a depth and a number of values without bounds."""
    for text in (b"", b"[]", b'{"a":1,"a":2}', b"\xff"):
        with pytest.raises(Malformed):
            read(text)
    deep = {}
    for _ in range(100):
        deep = {"a": deep}
    with pytest.raises(LimitExceeded):
        read(deep)
    with pytest.raises(LimitExceeded):
        read({"a": [1] * (MAX_FIELDS + 1)})
    with pytest.raises(Malformed):
        read({"a": {1: 2}})
    with pytest.raises(Malformed):
        read({"a": object()})


def test_more_related_persons_than_anybody_has_are_refused():
    """Their number is bounded."""
    with pytest.raises(LimitExceeded):
        read_fhir({}, [{}] * 51)


def test_a_suffix_is_part_of_a_whole_name():
    """Beside a whole name it says nothing new; without any name it is none."""
    document = copy.deepcopy(load_sample(SAMPLES / "fhir-ordinary.json"))
    document["document"]["patient"]["name"][0]["suffix"] = ["II"]
    result = read_sample(document)
    assert result.record is not None
    codes = {entry.source: entry.code for entry in result.report.entries}
    assert codes["/patient/name/0/suffix/0"] == "within-the-whole-name"
    assert "part-without-a-name" in changed(
        "fhir-ordinary", lambda d: d["patient"].update(name=[{"suffix": ["II"]}])
    )

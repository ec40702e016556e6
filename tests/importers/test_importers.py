"""Other systems' records: every field is accounted for once, none is guessed, and nothing personal is told."""

from __future__ import annotations

import contextlib
import copy
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importing import HIGHLAND_FIELDS, SAMPLES, TODAY, load_sample, read_sample
from vcid.errors import InvalidRecord, VcidError
from vcid.importers import crosswalks
from vcid.importers.fhir import read_fhir
from vcid.importers.loss import Outcome
from vcid.importers.opencrvs import read_opencrvs_v2
from vcid.importers.opencrvs_map import Cross, FieldMap, LeaveOut, Presence, Take
from vcid.importers.opencrvs_reference import REFERENCE_FIELDS
from vcid.importers.opencrvs_v1 import read_opencrvs_v1
from vcid.importers.primero import read_primero
from vcid.importers.source import Field
from vcid.importers.stated import Stated
from world import World

PATHS = sorted(SAMPLES.glob("*.json"))
each_sample = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
GOOD = [path for path in PATHS if load_sample(path)["expected"]["record"] is not None]


def assert_all_accounted_for(document, report):
    """Every leaf of the document stands under exactly one entry, and every entry in the document."""
    paths = [entry.source for entry in report.entries]
    assert len(set(paths)) == len(paths)
    leaves = [leaf.path for leaf in Field("", document).leaves()]
    for leaf in leaves:
        assert sum(leaf == path or leaf.startswith(f"{path}/") for path in paths) == 1, leaf
    for path in paths:
        assert any(leaf == path or leaf.startswith(f"{path}/") for leaf in leaves), path


def texts_of(document):
    """Every text in a document that is long enough to be recognised, as far as it is a person's."""
    for leaf in Field("", document).leaves():
        if isinstance(leaf.value, str) and ("Example" in leaf.value or not leaf.value.isascii()):
            yield leaf.value


@each_sample
def test_a_sample_has_its_loss_report(path):
    """What becomes of each field, and of the record, is what the sample says."""
    sample = load_sample(path)
    result = read_sample(sample)
    expected = sample["expected"]
    assert result.report.to_json() == expected["report"]
    assert [[fault.path, fault.code] for fault in result.faults] == expected["faults"]
    assert (result.fields if result.record else None) == expected["record"]


@each_sample
def test_every_field_is_accounted_for_once(path):
    """No leaf of a sample stands outside the report, or in it twice."""
    sample = load_sample(path)
    assert_all_accounted_for(sample["document"], read_sample(sample).report)


@each_sample
def test_nothing_personal_is_told(path):
    """Neither the report nor the faults, nor what they are when printed, hold a name or a place."""
    sample = load_sample(path)
    result = read_sample(sample)
    told = f"{result!r} {result.report} {json.dumps(result.report.to_json())} {result.faults!r}"
    told += " ".join(map(str, result.faults))
    assert [text for text in texts_of(sample["document"]) if text in told] == []


@pytest.mark.parametrize("path", GOOD, ids=lambda path: path.stem)
def test_what_is_imported_is_issued_and_verifies(path):
    """A record that an importer gives is one that an issuer takes and a verifier accepts."""
    sample = load_sample(path)
    record = read_sample(sample).require()
    world = World()
    issuer = world.issuer()
    issuer.publish()
    credential = issuer.issue(record, key=path.stem)
    issuer.publish()
    accredited = world.accreditation(issuer, jurisdictions=frozenset({record.jurisdiction}))
    policy = world.policy(accreditations=(accredited,))
    assert world.verifier(policy, world.knowledge(issuer)).check(credential)


def test_there_are_samples_of_all_that_is_awkward():
    """No name, unknown sex, several names, scripts, calendars, partial dates, foundlings: each is imported."""
    records = [load_sample(path)["expected"]["record"] for path in GOOD]
    assert any("names" not in record for record in records)
    assert any(record["sexAtBirth"] == "notKnown" for record in records)
    assert any("birthOrder" in record for record in records)
    assert any(record.get("birthType") == "twin" and "birthOrder" not in record for record in records)
    assert any(len(record["birthDate"]) == 7 for record in records)
    assert any(record["birthDate"].endswith("~") for record in records)
    assert any("finding" in record for record in records)
    assert any("birthDateOriginal" in record for record in records)
    assert any(" " in name.get("given", "") for record in records for name in record.get("names", []))
    assert any(not name["full"].isascii() for record in records for name in record.get("names", []))


def test_a_record_with_faults_is_not_to_be_had():
    """Asking for it raises all the faults at once."""
    sample = load_sample(SAMPLES / "fhir-no-counterpart.json")
    with pytest.raises(InvalidRecord) as caught:
        read_sample(sample).require()
    assert {error.code for error in caught.value.errors} == {
        "no-lossless-mapping",
        "not-a-date",
        "unknown-field",
    }


def test_a_report_prints_as_a_table():
    """One line a field, with its outcome, its target, its table and its reason."""
    sample = load_sample(SAMPLES / "primero-estimated-age.json")
    report = read_sample(sample).report
    lines = str(report).splitlines()
    assert len(lines) == 1 + len(report.entries) + len(report.stated)
    assert lines[0].split() == ["field", "outcome", "becomes", "by", "because"]
    assert any(
        line.split() == ["/data/sex", "transformed", "/sexAtBirth", "primero-lookup-gender"] for line in lines
    )
    assert report.count(Outcome.TRANSFORMED) == 6
    assert report.count(Outcome.REFUSED) == 0


# What a caller may say.


@pytest.mark.parametrize(
    "path", ["registration/number", "/religion", "/names", "/names/0/full/x", "/parents/0"]
)
def test_only_fields_of_a_record_are_stated(path):
    """What is no field of a record can't be stated, nor mapped to."""
    with pytest.raises(ValueError, match="pointer"):
        Stated(fields={path: "x"})
    with pytest.raises(ValueError, match="pointer"):
        FieldMap({"child.x": Take(path)})


@pytest.mark.parametrize(
    "name", ["child.religion", "mother.occupation", "child.birthWeight", "father.address"]
)
def test_a_forbidden_field_is_mapped_to_nothing(name):
    """A map that carries what no credential says is refused by the field's name; leaving it out is fine."""
    with pytest.raises(ValueError, match=name):
        FieldMap({name: Take("/birthPlace/region")})
    with pytest.raises(ValueError, match=name):
        FieldMap({name: Cross("/sexAtBirth", crosswalks.OPENCRVS_SEX)})
    FieldMap({name: LeaveOut("statistical")})


def test_only_that_a_reason_was_given_is_told():
    """A reason for delay makes the registration late, and is not in the record."""
    sample = load_sample(SAMPLES / "opencrvs-v2-late-at-home-abroad.json")
    result = read_sample(sample)
    assert result.fields["registration"]["registrationType"] == "late"
    assert "far from" not in json.dumps(result.fields)
    assert Presence("/registration/registrationType", "late").targets == ("/registration/registrationType",)


def test_the_source_is_believed_before_the_caller():
    """What the caller states fills what is missing, and overrides nothing."""
    sample = load_sample(SAMPLES / "fhir-ordinary.json")
    sample["stated"]["fields"] |= {"/sexAtBirth": "male", "/birthPlace/country": "UG"}
    result = read_sample(sample)
    assert result.fields["sexAtBirth"] == "female"
    assert result.fields["birthPlace"]["country"] == "KE"
    assert "/sexAtBirth" not in result.report.stated
    del sample["document"]["patient"]["gender"]
    result = read_sample(sample)
    assert result.fields["sexAtBirth"] == "male"
    assert "/sexAtBirth" in result.report.stated


def test_a_field_is_left_out_at_the_callers_word():
    """What can't be mapped may be left out on purpose, and the report says so."""
    sample = load_sample(SAMPLES / "fhir-ordinary.json")
    sample["document"]["patient"]["multipleBirthBoolean"] = True
    assert read_sample(sample).record is None
    sample["stated"]["ignored"] = ["/patient/multipleBirthBoolean", "/patient/name/*/given"]
    result = read_sample(sample)
    assert result.record is not None
    assert "given" not in result.fields["names"][0]
    left = {entry.source: entry.code for entry in result.report.entries}
    assert left["/patient/multipleBirthBoolean"] == left["/patient/name/0/given"] == "ignored"
    assert_all_accounted_for(sample["document"], result.report)


def test_a_moment_is_a_day_where_the_register_is():
    """A registration late in the evening of Greenwich is one of the next day further east."""
    sample = load_sample(SAMPLES / "opencrvs-v2-ordinary.json")
    assert read_sample(sample).fields["registration"]["date"] == "2021-04-01"
    sample["stated"]["hoursEast"] = 0
    assert read_sample(sample).fields["registration"]["date"] == "2021-03-31"


def test_a_found_childs_name_may_be_an_authoritys():
    """A caller may say from whom names are, and that nobody is unnamed who has a name."""
    sample = load_sample(SAMPLES / "fhir-ordinary.json")
    for stated, status in [("notYetNamed", "recorded"), ("assignedByAuthority", "assignedByAuthority")]:
        sample["stated"]["fields"]["/nameStatus"] = stated
        assert read_sample(sample).fields["nameStatus"] == status


# Whatever a source holds.

_texts = st.text(max_size=8) | st.sampled_from(["male", "2021-03-15", "Patient", "Bundle", "KEN", "x" * 1200])
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _texts,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_texts, inner, max_size=3),
    max_leaves=8,
)


@st.composite
def damaged(draw):
    """A sample in which a few values are others, are gone, or have come beside those that were there."""
    sample = copy.deepcopy(load_sample(draw(st.sampled_from(PATHS))))
    for _ in range(draw(st.integers(1, 4))):
        node = sample["document"]
        while isinstance(node, dict | list) and node:
            keys = [*node] if isinstance(node, dict) else [*range(len(node))]
            key = draw(st.sampled_from(keys))
            child = node[key]
            if draw(st.booleans()) and isinstance(child, dict | list) and child:
                node = child
                continue
            if node is sample["document"] and sample["system"] == "fhir-r4":
                break
            match draw(st.integers(0, 2)):
                case 0:
                    node[key] = draw(_json)
                case 1:
                    del node[key]
                case _ if isinstance(node, dict):
                    node[draw(_texts)] = draw(_json)
                case _:
                    node.append(draw(_json))
            break
    return sample


@given(damaged())
@settings(max_examples=150, deadline=None)
def test_damage_loses_no_field(sample):
    """However a document is damaged, it raises only our errors, and each field stands in the report once."""
    with contextlib.suppress(VcidError):
        result = read_sample(sample)
        document = sample["document"]
        if document.get("relatedPersons") == []:
            del document["relatedPersons"]  # that there are none is no field of a resource
        assert_all_accounted_for(document, result.report)
        assert (result.record is None) == bool(result.faults)
        for entry in result.report.entries:
            refused = entry.outcome is Outcome.REFUSED
            assert not refused or result.faults
            assert bool(entry.target) or not entry.outcome.startswith("t")


@given(st.dictionaries(_texts, _json, max_size=4))
@settings(max_examples=150, deadline=None)
def test_arbitrary_json_raises_only_our_errors(document):
    """No document brings anything but a result or our own errors."""
    for read in (
        lambda: read_primero(document, on=TODAY),
        lambda: read_opencrvs_v1(document, on=TODAY),
        lambda: read_opencrvs_v2(document, REFERENCE_FIELDS, on=TODAY),
        lambda: read_opencrvs_v2({"declaration": document}, HIGHLAND_FIELDS, on=TODAY),
        lambda: read_fhir(document, [document], on=TODAY),
    ):
        with contextlib.suppress(VcidError):
            assert read().record is None


@given(st.binary(max_size=80))
def test_arbitrary_bytes_raise_only_our_errors(data):
    """Bytes that are no JSON object are told so."""
    with contextlib.suppress(VcidError):
        read_primero(data, on=TODAY)
    with contextlib.suppress(VcidError):
        read_fhir(data, [data], on=TODAY)


def test_a_name_of_a_field_that_may_be_a_persons_is_not_shown():
    """A field's name that no system publishes so is told by its place."""
    result = read_primero({"sex": "male", "Amina Example": 1, "Zuri": {"x": 2}}, on=TODAY)
    assert [entry.source for entry in result.report.entries] == ["/sex", "/*2", "/*3"]
    assert "Amina" not in f"{result.report} {result.faults}"

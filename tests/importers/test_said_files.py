"""What a caller states and how a form is mapped, from JSON files: read strictly, or told what is wrong."""

import contextlib
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from importing import SAMPLES, TODAY, load_sample
from vcid.errors import Malformed, VcidError
from vcid.importers.opencrvs import read_opencrvs_v2
from vcid.importers.opencrvs_map import Cross, LeaveOut, NameParts
from vcid.importers.opencrvs_reference import REFERENCE_FIELDS
from vcid.importers.said_files import parse_field_map, parse_stated

HIGHLAND = {
    "child.fullName": {"rule": "take", "target": "/names/0/full"},
    "child.nameLatin": {"rule": "name", "target": "/names/1", "familyFirst": False},
    "child.gender": {"rule": "cross", "target": "/sexAtBirth", "words": {"female": "female"}},
    "child.dob": {"rule": "day", "target": "/birthDate"},
    "child.dobCalendar": {"rule": "take", "target": "/birthDateOriginal/calendar"},
    "child.dobAsWritten": {"rule": "take", "target": "/birthDateOriginal/text"},
    "child.birthOrder": {"rule": "number", "target": "/birthOrder"},
    "child.placeOfBirthAddress": {"rule": "address", "target": "/birthPlace", "locality": "town"},
    "child.weightAtBirth": {"reference": True},
    "child.late": {"rule": "presence", "target": "/registration/registrationType", "word": "late"},
    "child.elder": {"rule": "leave-out", "code": "informant"},
}


def test_a_map_in_a_file_is_one_in_python():
    """Every kind of rule has its form in JSON, and reads as it does."""
    fields = parse_field_map(json.dumps(HIGHLAND)).fields
    assert fields["child.nameLatin"] == NameParts("/names/1")
    assert fields["child.elder"] == LeaveOut("informant")
    assert fields["child.weightAtBirth"] is REFERENCE_FIELDS.fields["child.weightAtBirth"]
    assert isinstance(fields["child.gender"], Cross)
    sample = load_sample(SAMPLES / "opencrvs-v2-highland-script-and-calendar.json")
    stated = parse_stated(json.dumps(sample["stated"]))
    result = read_opencrvs_v2(
        sample["document"], parse_field_map(json.dumps(HIGHLAND)), stated=stated, on=TODAY
    )
    expected = sample["expected"]["record"]
    del expected["birthPlace"]["region"]
    assert result.record is not None
    assert result.fields == expected
    (told,) = [entry for entry in result.report.entries if entry.source == "/child.gender"]
    assert told.table == "child.gender"


def test_what_is_stated_in_a_file_is_stated():
    """Fields, parentage, the zone and what is left out."""
    stated = parse_stated(
        '{"fields": {"/birthPlace/country": "KE"}, "parentage": {"2": "all"}, "hoursEast": 5.5,'
        ' "ignored": ["/patient/photo"]}'
    )
    assert stated.fields == {"/birthPlace/country": "KE"}
    assert stated.parentage == {2: "all"}
    assert stated.zone.utcoffset(None) == timedelta(hours=5, minutes=30)
    assert stated.ignored == {"/patient/photo"}


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"registration": "x"}, "unknown-member"),
        ({"fields": {"/religion": "x"}}, "unknown-field"),
        ({"fields": []}, "wrong-type"),
        ({"parentage": {"two": "all"}}, "wrong-type"),
        ({"parentage": {"2": 2}}, "wrong-type"),
        ({"hoursEast": 25}, "wrong-type"),
        ({"hoursEast": True}, "wrong-type"),
        ({"ignored": "/x"}, "wrong-type"),
    ],
)
def test_what_can_not_be_stated_is_refused(said, code):
    """Each by its code."""
    with pytest.raises(Malformed) as caught:
        parse_stated(json.dumps(said))
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ({"child.x": "take"}, "wrong-type"),
        ({"child.x": {"rule": "guess", "target": "/birthDate"}}, "not-a-rule"),
        ({"child.x": {"rule": "take"}}, "not-a-rule"),
        ({"child.x": {"rule": "take", "target": 7}}, "wrong-type"),
        ({"child.x": {"rule": "take", "target": "/birthDate", "extra": "x"}}, "not-a-rule"),
        ({"child.x": {"rule": "take", "target": "/religion"}}, "unknown-field"),
        ({"child.religion": {"rule": "take", "target": "/birthPlace/region"}}, "unknown-field"),
        ({"child.x": {"rule": "cross", "target": "/sexAtBirth"}}, "not-a-rule"),
        ({"child.x": {"rule": "cross", "target": "/sexAtBirth", "words": {"a": 1}}}, "not-a-rule"),
        ({"child.unheardOf": {"reference": True}}, "wrong-type"),
    ],
)
def test_what_is_no_rule_is_refused(said, code):
    """Each by its code, a field that no credential says by its name."""
    with pytest.raises(Malformed) as caught:
        parse_field_map(json.dumps(said))
    assert caught.value.code == code


_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["take", "cross", "/birthDate", "x"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(["rule", "target", "words", "fields", "parentage", "hoursEast", "2", "label"]),
            inner,
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(["fields", "parentage", "hoursEast", "ignored", "child.x"]), _values))
@settings(max_examples=150, deadline=None)
def test_arbitrary_files_raise_only_our_errors(said):
    """Whatever stands in a file, it is read or refused."""
    text = json.dumps(said)
    with contextlib.suppress(VcidError):
        parse_stated(text)
    with contextlib.suppress(VcidError):
        parse_field_map(text)

"""The birth registration record: what is ordinary, what is refused, and that every fault is told at once."""

from __future__ import annotations

import contextlib
import unicodedata
from datetime import date
from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.samples import CHILD, TODAY, birth, births, registration
from vcid.credentials.birth import (
    BirthDateBasis,
    BirthRegistration,
    BirthType,
    Evidence,
    EvidenceKind,
    Finding,
    Name,
    NameKind,
    NameStatus,
    NationalityStatus,
    OriginalDate,
    Parent,
    ParentageStatus,
    ParentBasis,
    ParentRole,
    Place,
    RegistrationType,
    SexAtBirth,
    latest_day,
    new_child_ref,
)
from vcid.credentials.codes import COUNTRIES
from vcid.encoding.dates import UncertainDate, utc_now
from vcid.errors import InvalidRecord

FOUND = Finding(date=date(2021, 3, 20), place=Place(country="KE"))


def codes(record: BirthRegistration, on: date | None = TODAY) -> set[tuple[str, str]]:
    return {(fault.path, fault.code) for fault in record.faults(on)}


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({}, id="ordinary"),
        pytest.param({"names": [], "name_status": NameStatus.NOT_YET_NAMED}, id="unnamed"),
        pytest.param({"names": [Name(full="Selam")]}, id="mononym"),
        pytest.param(
            {"names": [Name(full="سمير بن نموذج بن مثال", lang="ar", script="Arab")]}, id="patronymics"
        ),
        pytest.param({"names": [Name(full="ሰላም ምሳሌ", script="Ethi", lang="am")]}, id="ethiopic"),
        pytest.param(
            {"names": [Name(full="علی\u200cرضا", script="Arab", lang="fa")]}, id="persian-non-joiner"
        ),
        pytest.param({"names": [Name(full="ශ්\u200dරී උදාහරණ", script="Sinh")]}, id="sinhala-joiner"),
        pytest.param({"names": [Name(full="ᠮᠣᠩᠭᠣᠯ\u180eᠠ", script="Mong")]}, id="mongolian-vowel-separator"),
        pytest.param({"names": [Name(full="葛\U000e0100 例", script="Jpan")]}, id="ideographic-variant"),
        pytest.param({"parents": [], "parentage_status": ParentageStatus.NONE}, id="unknown-parents"),
        pytest.param({"parents": [], "parentage_status": ParentageStatus.WITHHELD}, id="withheld-parents"),
        pytest.param(
            {
                "parents": [],
                "parentage_status": ParentageStatus.NONE,
                "finding": FOUND,
                "birth_place": Place(country="unknown"),
            },
            id="foundling",
        ),
        pytest.param(
            {"birth_date": UncertainDate.parse("2020~"), "birth_date_basis": BirthDateBasis.ESTIMATED},
            id="estimated",
        ),
        pytest.param(
            {"birth_date": UncertainDate.parse("2021-03/2021-04")}, id="to-the-month-of-registration"
        ),
        pytest.param(
            {"birth_date": UncertainDate.parse("2020/2022~")}, id="to-about-the-year-of-registration"
        ),
        pytest.param({"birth_date": UncertainDate.parse("1891-04-01")}, id="very-old"),
        pytest.param({"birth_date": UncertainDate.parse("1891")}, id="of-a-year-long-ago"),
        pytest.param({"birth_date": UncertainDate.parse("1880~")}, id="about-a-year-long-ago"),
        pytest.param({"birth_date": UncertainDate.parse("1880?")}, id="doubtful"),
        pytest.param(
            {
                "parents": [
                    Parent(id="did:web:a.example%3A8443"),
                    Parent(id="did:key:z6MkParent"),
                    Parent(label="x"),
                ]
            },
            id="parents-with-dids",
        ),
        pytest.param({"birth_date": UncertainDate.parse("2026")}, id="this-year-only"),
        pytest.param({"sex_at_birth": SexAtBirth.UNDETERMINED}, id="undetermined-sex"),
        pytest.param({"birth_type": BirthType.TWIN}, id="twin-of-unrecorded-order"),
        pytest.param({"nationality_status": NationalityStatus.STATELESS}, id="stateless"),
        pytest.param({"birth_place": Place(country="XK")}, id="kosovo"),
        pytest.param(
            {
                "registration": registration(type=RegistrationType.LATE),
                "evidence": [Evidence(kind=EvidenceKind.WITNESS)],
            },
            id="late",
        ),
        pytest.param(
            {
                "parents": [
                    Parent(
                        names=[Name(full="Dalila Muster")],
                        role=ParentRole.ADOPTIVE,
                        basis=ParentBasis.ADOPTION_ORDER,
                    )
                ]
            },
            id="adopted",
        ),
    ],
)
def test_ordinary_lives_have_no_fault(changes: dict[str, object]) -> None:
    """What happens to children is representable without falsifying anything."""
    if "2026" in str(changes.get("birth_date", "")):
        changes = {**changes, "registration": registration(date=date(2026, 5, 1))}
    record = birth(**changes)
    record.validate(TODAY)
    assert BirthRegistration.from_subject(record.to_subject(CHILD), evidence=record.evidence_json()) == record


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"names": []}, "/names", "required"),
        ({"name_status": NameStatus.NOT_YET_NAMED}, "/names", "names-not-expected"),
        ({"names": [Name(full="Amina", kind=NameKind.TRANSLITERATION)]}, "/names", "legal-name-required"),
        ({"names": [Name(full="")]}, "/names/0/full", "empty"),
        ({"names": [Name(full=None)]}, "/names/0/full", "required"),
        ({"names": [Name(full="2021-03-15")]}, "/names/0/full", "no-letter"),
        ({"names": [Name(full="Amina\u202e Example")]}, "/names/0/full", "control-character"),
        ({"names": [Name(full="Amina\u2066Example")]}, "/names/0/full", "control-character"),
        ({"names": [Name(full="Amina\nExample")]}, "/names/0/full", "control-character"),
        ({"names": [Name(full="Am\u200bina")]}, "/names/0/full", "control-character"),
        ({"names": [Name(full="Am\u200dina")]}, "/names/0/full", "invisible-character"),
        ({"names": [Name(full="Amina\u200c")]}, "/names/0/full", "invisible-character"),
        ({"names": [Name(full="Amina\ufe0f")]}, "/names/0/full", "invisible-character"),
        ({"names": [Name(full="Amina\u00a0Example")]}, "/names/0/full", "invisible-character"),
        ({"names": [Name(full="\u3164Amina")]}, "/names/0/full", "invisible-character"),
        ({"names": [Name(full="Amina\ud800")]}, "/names/0/full", "not-a-character"),
        ({"names": [Name(full="Amina\ue000")]}, "/names/0/full", "not-a-character"),
        ({"names": [Name(full=" Amina")]}, "/names/0/full", "stray-space"),
        ({"names": [Name(full="A" * 301)]}, "/names/0/full", "too-long"),
        ({"names": [Name(full="Амина", script="Latn")]}, "/names/0/full", "script-mismatch"),
        ({"names": [Name(full="Aminа", script="Latn")]}, "/names/0/full", "script-mismatch"),
        ({"names": [Name(full="Amina", script="latin")]}, "/names/0/script", "wrong-form"),
        ({"names": [Name(full="Amina", lang="e")]}, "/names/0/lang", "wrong-form"),
        ({"names": [Name(full="Amina", lang="en_GB")]}, "/names/0/lang", "wrong-form"),
        ({"names": [Name(full="Amina", lang="ar-Arab", script="Latn")]}, "/names/0/lang", "script-mismatch"),
        ({"names": [Name(full="Ami\u180ena")]}, "/names/0/full", "invisible-character"),
        ({"names": [Name(full="ᠮᠣᠩ\u180ea")]}, "/names/0/full", "control-character"),
        ({"names": [Name(full="Ami\u200bna")]}, "/names/0/full", "control-character"),
        ({"birth_date": None}, "/birthDate", "required"),
        ({"birth_date": "2021-03-15"}, "/birthDate", "wrong-type"),
        ({"birth_date": UncertainDate.parse("2026-11-14")}, "/birthDate", "in-the-future"),
        ({"birth_date": UncertainDate.parse("2020/2090")}, "/birthDate", "after-registration"),
        ({"birth_date": UncertainDate.parse("2021-03/2021-04-02")}, "/birthDate", "after-registration"),
        ({"birth_date": UncertainDate.parse("2020~/2023~")}, "/birthDate", "after-registration"),
        ({"birth_date": UncertainDate.parse("1021-03-15")}, "/birthDate", "too-long-before"),
        ({"birth_date": UncertainDate.parse("1891-03-31")}, "/birthDate", "too-long-before"),
        ({"birth_date": UncertainDate.parse("1890")}, "/birthDate", "too-long-before"),
        ({"birth_date": UncertainDate.parse("0001/2020")}, "/birthDate", "too-long-before"),
        ({"birth_date": UncertainDate.parse("2021-05")}, "/registration/date", "before-birth"),
        ({"registration": registration(date=date(2026, 12, 1))}, "/registration/date", "in-the-future"),
        ({"registration": registration(jurisdiction="ZZ")}, "/registration/jurisdiction", "wrong-form"),
        ({"registration": registration(jurisdiction="KE-")}, "/registration/jurisdiction", "wrong-form"),
        ({"registration": registration(number="1\u202e")}, "/registration/number", "control-character"),
        ({"registration": registration(type="corrected")}, "/registration/registrationType", "wrong-type"),
        ({"registration": registration(type=RegistrationType.LATE)}, "/evidence", "evidence-required"),
        ({"registration": None}, "/registration", "required"),
        ({"sex_at_birth": None}, "/sexAtBirth", "required"),
        ({"birth_place": Place(country="Kenya")}, "/birthPlace/country", "unknown-country"),
        ({"birth_place": Place(country="UK")}, "/birthPlace/country", "unknown-country"),
        ({"parents": []}, "/parents", "required"),
        ({"parentage_status": ParentageStatus.PARTIAL, "parents": []}, "/parents", "required"),
        ({"parentage_status": ParentageStatus.NONE}, "/parents", "parents-not-expected"),
        ({"parentage_status": ParentageStatus.WITHHELD}, "/parents", "parents-not-expected"),
        ({"parents": [Parent()]}, "/parents/0", "required"),
        ({"parents": [Parent(label="mother", id="Fanta")]}, "/parents/0/id", "wrong-form"),
        ({"parents": [Parent(id="did:web:a%zz.example")]}, "/parents/0/id", "wrong-form"),
        ({"parents": [Parent(id="did:web:a.example%3")]}, "/parents/0/id", "wrong-form"),
        ({"parents": [Parent(id="did:web:a.example%")]}, "/parents/0/id", "wrong-form"),
        (
            {"parents": [Parent(label=text, id=CHILD) for text in ("mother", "father")]},
            "/parents/1",
            "repeated",
        ),
        (
            {
                "parents": [
                    Parent(id=CHILD),
                    Parent(label="father"),
                    Parent(role=ParentRole.ADOPTIVE, id=CHILD),
                ]
            },
            "/parents/2",
            "repeated",
        ),
        (
            {"parents": [Parent(role=ParentRole.BIOLOGICAL, basis=ParentBasis.ADOPTION_ORDER)]},
            "/parents/0/role",
            "role-mismatch",
        ),
        ({"finding": FOUND}, "/parentageStatus", "foundling"),
        (
            {"finding": FOUND, "parents": [], "parentage_status": ParentageStatus.WITHHELD},
            "/parentageStatus",
            "foundling",
        ),
        (
            {"finding": Finding(date=date(2021, 3, 14), place=Place(country="KE"))},
            "/finding/date",
            "before-birth",
        ),
        (
            {"finding": Finding(date=date(2021, 5, 14), place=Place(country="KE"))},
            "/registration/date",
            "before-finding",
        ),
        ({"birth_order": 1}, "/birthOrder", "order-of-single-birth"),
        ({"birth_order": 1, "birth_type": BirthType.SINGLE}, "/birthOrder", "order-of-single-birth"),
        ({"birth_order": 3, "birth_type": BirthType.TWIN}, "/birthOrder", "out-of-range"),
        ({"birth_order": 0, "birth_type": BirthType.TWIN}, "/birthOrder", "out-of-range"),
        ({"birth_order": True, "birth_type": BirthType.TWIN}, "/birthOrder", "wrong-type"),
        ({"nationalities": ["KE"]}, "/nationalityStatus", "status-mismatch"),
        ({"nationality_status": NationalityStatus.RECORDED}, "/nationalities", "required"),
        (
            {"nationalities": ["KE", "KE"], "nationality_status": NationalityStatus.RECORDED},
            "/nationalities",
            "repeated",
        ),
        (
            {"nationalities": ["ZZ"], "nationality_status": NationalityStatus.RECORDED},
            "/nationalities/0",
            "unknown-country",
        ),
        ({"child_ref": "2021/00001"}, "/childRef", "wrong-form"),
        ({"child_ref": "A" * 21 + "B"}, "/childRef", "wrong-form"),
        ({"names": None}, "/names", "wrong-type"),
        ({"evidence": "witness"}, "/evidence", "wrong-type"),
        (
            {"birth_date_original": OriginalDate(calendar=None, text="1 Meskerem")},
            "/birthDateOriginal/calendar",
            "required",
        ),
    ],
)
def test_a_fault_is_named_where_it_is(changes: dict[str, object], path: str, code: str) -> None:
    """Each rule of the register refuses, under the pointer of the field at fault."""
    record = birth(**changes)
    assert (path, code) in codes(record)
    with pytest.raises(InvalidRecord):
        record.validate(TODAY)


def test_all_faults_come_at_once() -> None:
    """A registrar is told everything in one go."""
    record = birth(
        names=[Name(full="Amina\u202e", script="latin", lang="?")],
        birth_date=UncertainDate.parse("2030"),
        birth_place=Place(country="ZZ"),
        birth_order=1,
        registration=registration(type=RegistrationType.LATE, jurisdiction=""),
    )
    assert codes(record) == {
        ("/names/0/full", "control-character"),
        ("/names/0/script", "wrong-form"),
        ("/names/0/lang", "wrong-form"),
        ("/birthDate", "in-the-future"),
        ("/birthPlace/country", "unknown-country"),
        ("/birthOrder", "order-of-single-birth"),
        ("/registration/jurisdiction", "wrong-form"),
        ("/registration/date", "before-birth"),
        ("/evidence", "evidence-required"),
    }


def test_unreadable_fields_do_not_hide_the_others() -> None:
    """Plain data is read to its end, and what can't be read is one fault and not two."""
    mapping = {
        "birthDate": "15/03/2021",
        "birthDateBasis": "guessed",
        "sexAtBirth": "female",
        "birthPlace": "Mustertown",
        "nameStatus": "recorded",
        "names": [{"full": "Amina"}, {"given": "A"}],
        "parentageStatus": "withheld",
        "parents": [{"label": 7}],
        "registration": {
            "number": "1",
            "date": "2021-02-30",
            "jurisdiction": "KE",
            "registrationType": "late",
        },
        "birthOrder": True,
    }
    with pytest.raises(InvalidRecord) as caught:
        BirthRegistration.from_mapping(mapping, on=TODAY)
    assert {(error.path, error.code) for error in caught.value.errors} == {
        ("/birthDate", "not-a-date"),
        ("/birthDateBasis", "unknown-value"),
        ("/birthPlace", "wrong-type"),
        ("/names/1/full", "required"),
        ("/parents", "parents-not-expected"),
        ("/parents/0/label", "wrong-type"),
        ("/registration/date", "no-such-day"),
        ("/registration/office", "required"),
        ("/evidence", "evidence-required"),
        ("/birthOrder", "wrong-type"),
    }


@pytest.mark.parametrize(
    "name",
    [
        "religion", "ethnicity", "ethnic_group", "birthWeight", "birth_weight", "BIRTH-WEIGHT", "informant",
        "informantName", "informant_phone", "reasonForDelay", "reason_for_late_registration", "address",
        "home_address", "motherOccupation", "mothers_education", "occupationOfFather", "education_of_the_mother",
        "nationalId", "mother_national_id", "fatherNationalId", "fingerprints", "faceImage", "photo",
        "protectionConcerns", "protection_concern", "corrected", "caste", "maritalStatus", "email",
    ],
)  # fmt: skip
def test_what_no_credential_says_is_refused_by_name(name: str) -> None:
    """A forbidden field is named, in whatever spelling it came, at the top and inside a parent."""
    subject = birth().to_subject(CHILD)
    with pytest.raises(InvalidRecord) as caught:
        BirthRegistration.from_subject({**subject, name: "Confidential"})
    assert [(error.path, error.code) for error in caught.value.errors] == [(f"/{name}", "forbidden-field")]
    subject["parents"] = [{"label": "mother", name: "Confidential"}]
    with pytest.raises(InvalidRecord) as caught:
        BirthRegistration.from_subject(subject)
    assert [(error.path, error.code) for error in caught.value.errors] == [
        (f"/parents/0/{name}", "forbidden-field")
    ]
    assert "Confidential" not in str(caught.value) + repr(caught.value)


def test_unknown_fields_are_refused() -> None:
    """A field that no record has is told, without its name where that may be somebody's."""
    subject = birth().to_subject(CHILD)
    for name, path in (("shoeSize", "/shoeSize"), ("Amina Example", "/*")):
        with pytest.raises(InvalidRecord) as caught:
            BirthRegistration.from_subject({**subject, name: 36})
        assert [(error.path, error.code) for error in caught.value.errors] == [(path, "unknown-field")]


@pytest.mark.parametrize("name", ["Amina Example", "*", "", "a/b"])
def test_a_field_without_a_name_to_show_hides_no_other_fault(name: str) -> None:
    """An unknown field whose name may be a person's stands beside its object's faults, not for them."""
    with pytest.raises(InvalidRecord) as caught:
        BirthRegistration.from_mapping({name: 1, "names": [{"full": ""}], "parents": [{name: 1}]}, on=TODAY)
    told = [(error.path, error.code) for error in caught.value.errors]
    assert told.count(("/*", "unknown-field")) == 1
    assert {
        ("/parents/0/*", "unknown-field"),
        ("/parents/0", "required"),
        ("/names/0/full", "empty"),
        ("/birthDate", "required"),
        ("/registration", "required"),
    } <= set(told)
    assert len(told) == len(set(told))


@pytest.mark.parametrize("change", [{"type": "Person"}, {"type": None}, {"nameStatus": None}, {"names": {}}])
def test_a_subject_of_another_shape_is_refused(change: dict[str, object]) -> None:
    """Null, another type and an object for a list are no records."""
    with pytest.raises(InvalidRecord):
        BirthRegistration.from_subject({**birth().to_subject(CHILD), **change})


def test_nothing_personal_shows() -> None:
    """Neither a record's repr nor an error's text repeats what they hold."""
    record = birth(
        names=[Name(full="Amina\u202eExample", lang="??")], birth_place=Place(country="Mustertown")
    )
    with pytest.raises(InvalidRecord) as caught:
        record.validate(TODAY)
    shown = " ".join(
        [repr(record), repr(record.names), repr(record.parents), str(caught.value), repr(caught.value)]
    )
    shown += " ".join(repr(error) for error in caught.value.errors)
    for secret in ("Amina", "Example", "Muster", "2021", "female", "Fanta", record.child_ref):
        assert secret not in shown
    assert "Mustertown" in {error.found for error in caught.value.errors}


def test_names_are_kept_in_nfc() -> None:
    """Equal names are equal bytes, however they were typed."""
    typed = Name(full=unicodedata.normalize("NFD", "Zoë Müster"), given=unicodedata.normalize("NFD", "Zoë"))
    assert typed == Name(full="Zoë Müster", given="Zoë")


def test_a_subject_needs_a_did_and_a_faultless_record() -> None:
    """No subject is written from a record with faults, or under something that is no DID."""
    with pytest.raises(InvalidRecord, match="/id"):
        birth().to_subject("Amina")
    with pytest.raises(InvalidRecord, match="/names"):
        birth(names=[]).to_subject(CHILD)


def test_the_reference_is_random_and_handed_in() -> None:
    """A reference is 128 bits of the given randomness, and fresh for each record otherwise."""
    assert new_child_ref(bytes) == "A" * 22
    first, second = (BirthRegistration.from_mapping(_mapping(), on=TODAY) for _ in range(2))
    assert first.child_ref != second.child_ref
    numbers = count(1)
    fixed = BirthRegistration.from_mapping(
        _mapping(), on=TODAY, new_ref=lambda: new_child_ref(lambda size: next(numbers).to_bytes(size, "big"))
    )
    assert fixed.child_ref == "AAAAAAAAAAAAAAAAAAAAAQ"


def _mapping() -> dict[str, object]:
    return {
        name: value
        for name, value in birth().to_subject(CHILD).items()
        if name not in ("id", "type", "childRef")
    }


def test_the_default_day_is_the_latest_on_earth() -> None:
    """Nobody is told of the future for being registered east of this machine."""
    today = latest_day(utc_now())
    record = birth(birth_date=UncertainDate.parse(today.isoformat()), registration=registration(date=today))
    record.validate()


def test_countries_are_those_of_iso_3166_and_kosovo() -> None:
    """249 countries of ISO 3166-1, and XK."""
    assert len(COUNTRIES) == 250
    assert {"XK", "PS", "SS", "TW"} <= COUNTRIES
    assert not {"UK", "EU", "AN", "ZZ"} & COUNTRIES


@given(births())
@settings(max_examples=100)
def test_a_record_survives_the_way_through_json(record: BirthRegistration) -> None:
    """What is written as a subject reads back as the same record."""
    record.validate(TODAY)
    assert BirthRegistration.from_subject(record.to_subject(CHILD), evidence=record.evidence_json()) == record


_json = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=5)
    | st.sampled_from(["late", "2021", "legal"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data(), record=births())
@settings(max_examples=150)
def test_any_json_in_any_field_raises_only_our_error(data: st.DataObject, record: BirthRegistration) -> None:
    """Hostile subjects are refused in our own words, or are records."""
    subject = record.to_subject(CHILD)
    subject[data.draw(st.sampled_from([*subject, "evidence", "finding", "birthOrder"]))] = data.draw(_json)
    with contextlib.suppress(InvalidRecord):
        BirthRegistration.from_subject(subject)

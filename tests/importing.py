"""Samples of other systems' records, and how each is read: for the tests of importers and of the command."""

import json
from datetime import date, timedelta, timezone
from pathlib import Path

from vcid.importers.crosswalks import COUNTRIES, OPENCRVS_SEX, Crosswalk
from vcid.importers.fhir import read_fhir
from vcid.importers.opencrvs import read_opencrvs_v2
from vcid.importers.opencrvs_map import (
    AddressParts,
    Cross,
    FieldMap,
    LeaveOut,
    NameParts,
    Take,
    TakeDay,
    TakeNumber,
)
from vcid.importers.opencrvs_reference import REFERENCE_FIELDS
from vcid.importers.opencrvs_v1 import read_opencrvs_v1
from vcid.importers.primero import read_primero
from vcid.importers.stated import Stated

SAMPLES = Path(__file__).parent / "importers" / "samples"
TODAY = date(2026, 11, 13)

HIGHLAND_FIELDS = FieldMap(
    {
        "child.name": NameParts("/names/0"),
        "child.fullName": Take("/names/0/full"),
        "child.nameLatin": NameParts("/names/1"),
        "child.gender": Cross("/sexAtBirth", OPENCRVS_SEX),
        "child.dob": TakeDay("/birthDate"),
        "child.dobPartial": Take("/birthDate"),
        "child.dobCalendar": Take("/birthDateOriginal/calendar"),
        "child.dobAsWritten": Take("/birthDateOriginal/text"),
        "child.birthOrder": TakeNumber("/birthOrder"),
        "child.placeOfBirthAddress": AddressParts(
            "/birthPlace", areas=Crosswalk("region", {"0f3c": "Upper Valley"}, "areas"), locality="town"
        ),
        "child.foundOn": TakeDay("/finding/date"),
        "child.foundIn": AddressParts("/finding/place", COUNTRIES, locality="town"),
        "child.weightAtBirth": LeaveOut("statistical"),
    }
)
"""The map of an invented country's form, with what the reference form has no fields for."""


def load_sample(path):
    return json.loads(path.read_text(encoding="utf-8"))


def read_sample(sample, document=None):
    """Read a sample, or another document as it would be read."""
    document = sample["document"] if document is None else document
    said = sample.get("stated", {})
    stated = Stated(
        fields=said.get("fields", {}),
        parentage={int(count): status for count, status in said.get("parentage", {}).items()},
        zone=timezone(timedelta(hours=said.get("hoursEast", 0))),
        ignored=frozenset(said.get("ignored", [])),
    )
    options = {"stated": stated, "on": TODAY}
    match sample["system"]:
        case "opencrvs-v2":
            fields = HIGHLAND_FIELDS if sample.get("map") == "highland" else REFERENCE_FIELDS
            return read_opencrvs_v2(document, fields, **options)
        case "opencrvs-v1":
            return read_opencrvs_v1(document, **options)
        case "fhir-r4":
            return read_fhir(document["patient"], document.get("relatedPersons", []), **options)
        case "primero-v2":
            return read_primero(document, **options)

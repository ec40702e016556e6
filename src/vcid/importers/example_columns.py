"""The column map of ``examples/data/registrations.csv``: a model for the map of a real registry."""

from __future__ import annotations

from typing import Final

from vcid.importers.columns import Column, ColumnMap
from vcid.importers.crosswalks import Crosswalk

NAME_STATUS: Final = Crosswalk(
    "nameStatus",
    {"named": "recorded", "not yet named": "notYetNamed", "named by authority": "assignedByAuthority"},
)
DATE_BASIS: Final = Crosswalk(
    "birthDateBasis",
    {
        "birth record": "documented",
        "declared": "declared",
        "estimated": "estimated",
        "age assessment": "ageAssessment",
        "assigned": "assigned",
    },
)
CALENDAR: Final = Crosswalk("calendar", {"Ethiopian": "ethiopian", "Hijri": "hijri", "Nepali": "nepali"})
# I and U differ: undetermined was looked at and found so, unknown was not recorded.
SEX: Final = Crosswalk("sexAtBirth", {"M": "male", "F": "female", "I": "undetermined", "U": "notKnown"})
PLACE_TYPE: Final = Crosswalk(
    "placeType",
    {
        "hospital": "healthFacility",
        "home": "home",
        "on the way": "enRoute",
        "other": "other",
        "unknown": "unknown",
    },
)
PARENTS: Final = Crosswalk(
    "parentageStatus", {"all": "all", "some": "partial", "unknown": "none", "withheld": "withheld"}
)
PLURALITY: Final = Crosswalk("birthType", {"1": "single", "2": "twin", "3": "triplet"})
REGISTRATION_TYPE: Final = Crosswalk(
    "registrationType",
    {"timely": "current", "late": "late", "by court": "courtOrdered", "rebuilt": "reconstruction"},
)
EVIDENCE: Final = Crosswalk(
    "evidence",
    {
        "clinic card": "healthRecord",
        "witness": "witness",
        "school register": "school",
        "age assessment": "ageAssessment",
        "judgment": "judgment",
    },
)

EXAMPLE_COLUMNS: Final = ColumnMap(
    columns={
        "/registration/number": Column("registration_no"),
        "/registration/date": Column("date_registered"),
        "/registration/office": Column("office"),
        "/registration/registrationType": Column("registration_type", REGISTRATION_TYPE),
        "/evidence/0/kind": Column("evidence", EVIDENCE),
        "/nameStatus": Column("name_status", NAME_STATUS),
        "/names/0/full": Column("child_name"),
        "/names/0/given": Column("child_given_name"),
        "/names/0/family": Column("child_family_name"),
        "/names/0/lang": Column("name_language"),
        "/names/0/script": Column("name_script"),
        "/names/1/full": Column("child_name_latin"),
        "/birthDate": Column("date_of_birth"),
        "/birthDateBasis": Column("date_of_birth_basis", DATE_BASIS),
        "/birthDateOriginal/calendar": Column("original_calendar", CALENDAR),
        "/birthDateOriginal/text": Column("original_date"),
        "/sexAtBirth": Column("sex", SEX),
        "/birthPlace/country": Column("birth_country"),
        "/birthPlace/region": Column("birth_region"),
        "/birthPlace/locality": Column("birth_town"),
        "/birthPlace/placeType": Column("birth_place_type", PLACE_TYPE),
        "/finding/date": Column("found_on"),
        "/finding/place/country": Column("found_in_country"),
        "/finding/place/locality": Column("found_in_town"),
        "/parentageStatus": Column("parents_recorded", PARENTS),
        "/parents/0/names/0/full": Column("mother_name"),
        "/parents/1/names/0/full": Column("father_name"),
        "/birthType": Column("children_born", PLURALITY),
        "/birthOrder": Column("birth_order"),
    },
    constants={
        "/registration/jurisdiction": "KE",
        "/names/0/kind": "legal",
        "/names/1/kind": "transliteration",
        "/names/1/script": "Latn",
        # A register's words for parents are labels: who is a biological parent, it does not know.
        "/parents/0/label": "mother",
        "/parents/1/label": "father",
    },
)

"""The field map of OpenCRVS's reference configuration 2.0: a model for the map of a real country.

Every field of its declaration form is here, on the pages about the child, the mother, the father, the
informant and the documents. A parent's *mother* and *father* are labels: who is a biological parent, the form
does not ask.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vcid.importers.crosswalks import (
    COUNTRIES,
    OPENCRVS_BIRTH_TYPE,
    OPENCRVS_PLACE_TYPE,
    OPENCRVS_SEX,
)
from vcid.importers.opencrvs_map import (
    AddressParts,
    Cross,
    FieldMap,
    LeaveOut,
    NameParts,
    Presence,
    TakeDay,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.importers.opencrvs_map import Rule

_PERSON: Final = """
    dob dobUnknown age nationality idType nid passport brn address maritalStatus educationalAttainment
    occupation details.divider addressDivider addressDivider1 addressDivider2 addressHelper
"""
_MOTHER: Final = "reason previousBirths"
_FATHER: Final = "reason addressSameAs"
_INFORMANT: Final = "relation other.relation name phoneNo email address.divider.end"
_DOCUMENTS: Final = "proofOfBirth proofOfMother proofOfFather proofOfInformant proofOther"


def _left_out(page: str, names: str, code: str) -> Mapping[str, Rule]:
    return MappingProxyType({f"{page}.{name}": LeaveOut(code) for name in names.split()})


REFERENCE_FIELDS: Final = FieldMap(
    {
        "child.name": NameParts("/names/0"),
        "child.gender": Cross("/sexAtBirth", OPENCRVS_SEX),
        "child.dob": TakeDay("/birthDate"),
        # The form asks for a reason for delay only of a late registration; the reason itself stays behind.
        "child.reason": Presence("/registration/registrationType", "late"),
        "child.placeOfBirth": Cross("/birthPlace/placeType", OPENCRVS_PLACE_TYPE),
        "child.birthLocation": LeaveOut("location-reference"),
        "child.birthLocation.privateHome": AddressParts("/birthPlace", COUNTRIES, region="state"),
        "child.birthLocation.other": AddressParts("/birthPlace", COUNTRIES, region="state"),
        "child.birthLocationId": LeaveOut("location-reference"),
        "child.attendantAtBirth": LeaveOut("statistical"),
        "child.birthType": Cross("/birthType", OPENCRVS_BIRTH_TYPE),
        "child.weightAtBirth": LeaveOut("statistical"),
        "mother.detailsNotAvailable": LeaveOut("parentage-flag"),
        "father.detailsNotAvailable": LeaveOut("parentage-flag"),
        "mother.name": NameParts("/parents/0/names/0", label="mother"),
        "father.name": NameParts("/parents/1/names/0", label="father"),
        **_left_out("mother", _PERSON + _MOTHER, "parent-detail"),
        **_left_out("father", _PERSON + _FATHER, "parent-detail"),
        **_left_out("informant", _PERSON + _INFORMANT, "informant"),
        **_left_out("documents", _DOCUMENTS, "supporting-document"),
    }
)

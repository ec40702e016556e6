"""The elements of FHIR that a birth registration needs, read alike wherever they stand (HL7 FHIR R4).

Elements that FHIR calls modifiers change what the rest means, so none is passed over: a name that is not the
official one is left out, a record that is not in use is refused, and so is an extension that claims to
modify.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.importers.crosswalks import COUNTRIES
from vcid.importers.names import NameInParts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.importers.source import Account, Field

BIRTH_PLACE: Final = "http://hl7.org/fhir/StructureDefinition/patient-birthPlace"

_NOT_OFFICIAL: Final = frozenset({"usual", "temp", "nickname", "anonymous", "old", "maiden"})
_EXTENSIONS: Final = frozenset({"id", "extension"})
_PART_CODES: Final = {
    "name": {"use": "structure", "period": "period", "prefix": "title"},
    "identifier": {
        "use": "structure",
        "type": "structure",
        "system": "structure",
        "period": "period",
        "assigner": "structure",
    },
    "relationship": {"coding": "structure", "text": "structure", "system": "structure"}
    | {"version": "structure", "display": "structure", "userSelected": "structure", "code": "structure"},
}


def read_names(account: Account, person: Field, target: str, start: int = 0) -> int:
    """Read the official names of a person (HumanName); say how many there are.

    A name without a ``use`` is official. A temporary one, such as a newborn's in a hospital, is no name on
    record, and neither is a former one.
    """
    count = start
    for name in items_of(account, person.get("name")):
        use = text_of(name.get("use"))
        period = name.get("period")
        if use in _NOT_OFFICIAL:
            account.leave(name, "name-not-official")
        elif period is not None and period.get("end") is not None:
            account.leave(name, "former-name")
        elif use not in (None, "official"):
            account.refuse(name, "unknown-name-use", "a use of FHIR's value set name-use")
        else:
            parts = NameInParts(
                given=[*items_of(account, name.get("given"))],
                family=_present(name.get("family")),
                other=[*items_of(account, name.get("suffix"))],
                whole=name.get("text"),
            )
            count += parts.read(account, f"{target}/names/{count}")
    return count - start


def read_birth_place(account: Account, person: Field) -> None:
    """Read where a person was born: the extension patient-birthPlace, an Address."""
    for extension in items_of(account, person.get("extension")):
        address = extension.get("valueAddress")
        if text_of(extension.get("url")) != BIRTH_PLACE:
            account.leave(extension, "extension")
            continue
        if address is None or account.has("/birthPlace"):
            account.refuse(extension, "repeated", "one extension patient-birthPlace, with an address")
            continue
        account.leave(extension.get("url"), "structure")
        account.cross(address.get("country"), "/birthPlace/country", COUNTRIES)
        account.take(address.get("state"), "/birthPlace/region")
        account.take(address.get("city"), "/birthPlace/locality")
        for part in address.members():
            if part.name not in ("country", "state", "city"):
                account.leave(part, "address")


def expect_flag(account: Account, place: Field | None, wanted: str, code: str) -> None:
    """Refuse a boolean that is not the one, ``true`` or ``false``, with which a record may stand."""
    if place is None:
        return
    if isinstance(place.value, bool) and place.value is (wanted == "true"):
        account.leave(place, "checked")
    else:
        account.refuse(place, code, wanted)


def expect_code(account: Account, place: Field | None, wanted: str, code: str) -> None:
    """Refuse a text that is not the one wanted, or its absence."""
    if place is None:
        account.object_to(code, wanted)
    elif place.value == wanted:
        account.leave(place, "checked")
    else:
        account.refuse(place, code, wanted)


def take_number_once(account: Account, value: Field) -> None:
    """Take a registration number, or see that it is the one that was taken before."""
    target = "/registration/number"
    if not account.has(target):
        account.take(value, target)
    elif account.value(target) == value.value:
        account.leave(value, "said-already")
    else:
        account.refuse(value, "contradiction", "the registration number that stands elsewhere in the source")


def rest_of_person(element: str, place: Field, left_out: dict[str, str]) -> str:
    """Say why an untouched part of a person's resource is left out; empty where nobody knows it.

    Args:
        element: the element of the resource that it stands in, or is.
        place: the part.
        left_out: the elements of the resource that are left out whole, and why.
    """
    name = place.name
    if name in ("modifierExtension", "implicitRules"):
        return ""
    if name == element and name in left_out:
        return left_out[name]
    if name.startswith("_") or name in _EXTENSIONS:
        return "extension"
    if name == element or place.value is None:
        return left_out.get(element, "")
    return _PART_CODES.get(element, {}).get(name, "")


def codings(concept: Field | None) -> Iterator[Field]:
    """List the codings of a CodeableConcept."""
    coding = concept.get("coding") if concept is not None else None
    yield from coding.items() if coding is not None else ()


def code_of(coding: Field, *systems: str) -> str | None:
    """Read the code of a coding, if it is of one of some code systems."""
    return text_of(coding.get("code")) if text_of(coding.get("system")) in systems else None


def items_of(account: Account, place: Field | None) -> Iterator[Field]:
    """List the items of an element that repeats; one that is no list is refused."""
    if place is None:
        return
    if isinstance(place.value, list):
        yield from place.items()
    elif not place.is_blank:
        account.refuse(place, "wrong-type", "a list")


def _present(place: Field | None) -> list[Field]:
    return [] if place is None else [place]


def text_of(place: Field | None) -> str | None:
    """Read a text without accounting for it; None where there is none."""
    return place.value if place is not None and isinstance(place.value, str) else None

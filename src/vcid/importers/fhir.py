"""HL7 FHIR R4 (4.0.1): a Patient and the RelatedPersons who are its parents.

A Patient is a clinic's view of a person and no entry in a register: it has neither registration nor the basis
of its birth date, and its ``gender`` is the administrative one. Whoever imports states what is missing, and
answers for it. Nobody becomes a guardian here: a contact or a related person who is no parent is left out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from vcid.credentials.birth import new_child_ref
from vcid.encoding.json import parse_object
from vcid.errors import LimitExceeded
from vcid.importers.crosswalks import FHIR_MULTIPLE_BIRTH, FHIR_PARENT_LABEL, FHIR_PARENT_ROLE, FHIR_SEX
from vcid.importers.days import take_partial_date
from vcid.importers.fhir_parts import (
    code_of,
    codings,
    expect_code,
    expect_flag,
    items_of,
    read_birth_place,
    read_names,
    rest_of_person,
    take_number_once,
    text_of,
)
from vcid.importers.source import Reading
from vcid.importers.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from vcid.encoding.json import JSON
    from vcid.importers.loss import ImportResult
    from vcid.importers.source import Account, Field

SYSTEM: Final = "fhir-r4"

MAX_RELATED_PERSONS: Final = 50
ROLE_CODES: Final = (
    "http://terminology.hl7.org/CodeSystem/v3-RoleCode",
    "http://hl7.org/fhir/v3/RoleCode",
)
IDENTIFIER_TYPES: Final = "http://terminology.hl7.org/CodeSystem/v2-0203"
BIRTH_REGISTRY_NUMBER: Final = "BR"

_RESOURCE: Final = {
    "id": "structure",
    "meta": "structure",
    "language": "structure",
    "text": "narrative",
    "contained": "structure",
    "identifier": "identifier",
    "telecom": "contact",
    "address": "address",
    "photo": "biometric",
    "communication": "not-in-credential",
    "name": "empty",
    "extension": "extension",
    "active": "structure",
}
_PATIENT: Final = _RESOURCE | {
    "maritalStatus": "statistical",
    "contact": "contact",
    "generalPractitioner": "not-in-credential",
    "managingOrganization": "not-in-credential",
    "link": "not-in-credential",
}
_RELATED_PERSON: Final = _RESOURCE | {
    "gender": "parent-detail",
    "birthDate": "parent-detail",
    "relationship": "structure",
    "period": "period",
}


def read_fhir(
    patient: bytes | str | Mapping[str, JSON],
    related_persons: Sequence[bytes | str | Mapping[str, JSON]] = (),
    *,
    stated: Stated | None = None,
    number_system: str = "",
    on: date | None = None,
    new_ref: Callable[[], str] = new_child_ref,
) -> ImportResult:
    """Read a Patient and its RelatedPersons.

    In the report the Patient's fields stand under ``/patient``, the others' under ``/relatedPersons/0`` and
    so on.

    Args:
        patient: the child.
        related_persons: persons related to this Patient; those who are no parents are left out.
        stated: what the caller states of all records: the register, on what birth dates rest.
        number_system: the ``system`` of the identifier that is the registration number, beside those of type
            BR (birth registry number).
        on: the day it is; nothing may have happened after it. By default today.
        new_ref: draws the ``childRef``.

    Raises:
        Malformed: a document is no JSON object within the limits.
    """
    if len(related_persons) > MAX_RELATED_PERSONS:
        raise LimitExceeded("too-many", f"at most {MAX_RELATED_PERSONS} related persons")
    documents: dict[str, Any] = {
        "patient": _parsed(patient),
        "relatedPersons": [_parsed(person) for person in related_persons],
    }
    if not documents["relatedPersons"]:
        del documents["relatedPersons"]
    account = Reading(SYSTEM, stated or Stated(), on, new_ref).open(documents)
    child = account.root.get("patient")
    persons = account.root.get("relatedPersons")
    if child is not None:
        _read_patient(account, child, number_system)
        for index, person in enumerate(persons.items() if persons is not None else ()):
            _read_parent(account, person, child, f"/parents/{index}")
    return account.settle(_rest)


def _parsed(document: Any) -> Any:
    return parse_object(document) if isinstance(document, bytes | str) else document


def _read_patient(account: Account, patient: Field, number_system: str) -> None:
    expect_code(account, patient.get("resourceType"), "Patient", "not-a-patient")
    expect_flag(account, patient.get("active"), "true", "not-in-use")
    expect_flag(account, patient.get("deceasedBoolean"), "false", "deceased")
    if (died := patient.get("deceasedDateTime")) is not None:
        account.refuse(died, "deceased", "a living person")
    for link in items_of(account, patient.get("link")):
        if text_of(link.get("type")) == "replaced-by":
            account.refuse(link, "replaced", "a record that no other has replaced")
    read_names(account, patient, "")
    account.cross(patient.get("gender"), "/sexAtBirth", FHIR_SEX)
    take_partial_date(account, patient.get("birthDate"), "/birthDate")
    account.cross(patient.get("multipleBirthBoolean"), "/birthType", FHIR_MULTIPLE_BIRTH)
    account.take_number(patient.get("multipleBirthInteger"), "/birthOrder")
    read_birth_place(account, patient)
    for identifier in items_of(account, patient.get("identifier")):
        value = identifier.get("value")
        if value is None or not _is_number(identifier, number_system):
            account.leave(identifier, "identifier")
        else:
            take_number_once(account, value)


def _is_number(identifier: Field, number_system: str) -> bool:
    if number_system and text_of(identifier.get("system")) == number_system:
        return True
    types = codings(identifier.get("type"))
    return any(code_of(coding, IDENTIFIER_TYPES) == BIRTH_REGISTRY_NUMBER for coding in types)


def _read_parent(account: Account, person: Field, child: Field, target: str) -> None:
    """Read a related person who is a parent by code; leave any other out."""
    concepts = [*items_of(account, person.get("relationship"))]
    found = [
        (coding, code)
        for concept in concepts
        for coding in codings(concept)
        if (code := code_of(coding, *ROLE_CODES)) in FHIR_PARENT_LABEL.words and code is not None
    ]
    if not found:
        account.leave(person, "not-a-parent")
        return
    expect_code(account, person.get("resourceType"), "RelatedPerson", "not-a-related-person")
    expect_flag(account, person.get("active"), "true", "not-in-use")
    _check_subject(account, person, child)
    period = person.get("period")
    if period is not None and period.get("end") is not None:
        account.refuse(period, "ended", "a relationship that has not ended")
    for coding, code in found:
        if code != found[0][1]:
            account.refuse(coding, "several-relationships", "one relationship of a parent")
    coding, code = found[0]
    place = coding.get("code")
    account.cross(place, f"{target}/label", FHIR_PARENT_LABEL)
    if place is not None and code in FHIR_PARENT_ROLE.words:
        account.add(f"{target}/role", FHIR_PARENT_ROLE.words[code], place)
    read_names(account, person, target)


def _check_subject(account: Account, person: Field, child: Field) -> None:
    """See to it that a parent is this child's: by reference, which FHIR demands (RelatedPerson.patient)."""
    reference = person.get("patient")
    identity = text_of(child.get("id"))
    expected = "a reference to the Patient that is read, by its id"
    if reference is None:
        account.refuse(person, "another-patient", expected)
    elif identity is None or text_of(reference.get("reference")) != f"Patient/{identity}":
        account.refuse(reference, "another-patient", expected)
    else:
        account.leave(reference, "checked")


def _rest(place: Field) -> str:
    steps = place.path.split("/")[1:]
    element = steps[2] if steps[0] == "relatedPersons" and len(steps) > 2 else steps[min(1, len(steps) - 1)]
    return rest_of_person(element, place, _PATIENT if steps[0] == "patient" else _RELATED_PERSON)

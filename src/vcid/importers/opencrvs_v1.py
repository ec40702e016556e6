"""OpenCRVS 1: the Bundle of a registered birth, alone or as the ``BIRTH_REGISTERED`` webhook delivers it.

Follows OpenCRVS 1.9 (packages/webhooks and packages/commons/src/fhir). Its resources are those of FHIR STU3
with liberties: a name's ``use`` is the code of its language, and a kind of birth is a quantity. Who is the
child, the mother and the father stands in the Composition alone. A webhook client whose permissions are
limited gets a Bundle without it, and no record can be made of that: to guess would be to mix up a child and
its mother.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vcid.credentials.birth import new_child_ref
from vcid.importers.crosswalks import COUNTRIES, OPENCRVS_BIRTH_TYPE, OPENCRVS_PLACE_TYPE, OPENCRVS_V1_SEX
from vcid.importers.days import take_day, take_day_of
from vcid.importers.fhir_parts import (
    code_of,
    codings,
    expect_code,
    expect_flag,
    items_of,
    rest_of_person,
    take_number_once,
    text_of,
)
from vcid.importers.names import NameInParts
from vcid.importers.source import Reading
from vcid.importers.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from vcid.encoding.json import JSON
    from vcid.importers.loss import ImportResult
    from vcid.importers.source import Account, Field

SYSTEM: Final = "opencrvs-v1"

TOPIC: Final = "BIRTH_REGISTERED"
_SPECS: Final = "http://opencrvs.org/specs/"
_SECTIONS: Final = ("http://opencrvs.org/doc-sections", f"{_SPECS}sections")
_PLURALITY: Final = "57722-1"
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,3}")
_RESOURCE_OF: Final = {
    "child-details": "Patient",
    "mother-details": "Patient",
    "father-details": "Patient",
    "birth-encounter": "Encounter",
}

_PERSON: Final = {
    "resourceType": "structure",
    "gender": "parent-detail",
    "birthDate": "parent-detail",
    "multipleBirthInteger": "parent-detail",
    "id": "structure",
    "meta": "structure",
    "active": "structure",
    "identifier": "identifier",
    "telecom": "contact",
    "address": "address",
    "photo": "biometric",
    "maritalStatus": "statistical",
    "extension": "extension",
    "name": "empty",
    "deceased": "not-in-credential",
}


def read_opencrvs_v1(
    document: bytes | str | Mapping[str, JSON],
    *,
    stated: Stated | None = None,
    on: date | None = None,
    new_ref: Callable[[], str] = new_child_ref,
) -> ImportResult:
    """Read a webhook's payload, or the Bundle in it.

    Args:
        document: the JSON.
        stated: what the caller states of all records, and the zone in which a moment of registration becomes
            a day.
        on: the day it is; nothing may have happened after it. By default today.
        new_ref: draws the ``childRef``.

    Raises:
        Malformed: the document is no JSON object within the limits.
    """
    reading = Reading(SYSTEM, stated or Stated(), on, new_ref)
    account = reading.open(document)
    bundle = _bundle(account)
    if bundle is not None:
        _BundleReader(account, bundle).read(reading.stated)
    return account.settle(_Rest(bundle or account.root).code)


def _bundle(account: Account) -> Field | None:
    """Find the Bundle in a webhook's payload; a payload of several is refused."""
    event = account.root.get("event")
    if event is None:
        return account.root
    hub = event.get("hub")
    expect_code(account, hub.get("topic") if hub is not None else None, TOPIC, "another-topic")
    bundles = [*items_of(account, event.get("context"))]
    if len(bundles) != 1:
        account.object_to("not-one-bundle", "one Bundle in the context of the event")
        return None
    return bundles[0]


class _BundleReader:
    """Reads the resources of a Bundle by the Composition that says what each is."""

    def __init__(self, account: Account, bundle: Field) -> None:
        self._account = account
        self._bundle = bundle
        self._resources: dict[str, Field] = {}
        self._by_type: dict[str, list[Field]] = {}

    def read(self, stated: Stated) -> None:
        """Read all that a registration needs."""
        account = self._account
        expect_code(account, self._bundle.get("resourceType"), "Bundle", "not-a-bundle")
        self._index()
        compositions = self._by_type.get("Composition", [])
        if len(compositions) != 1:
            account.object_to(
                "no-composition", "one Composition, which says who is the child and who a parent"
            )
            return
        people = self._sections(compositions[0])
        self._read_task(stated)
        if "child-details" not in people:
            account.object_to("no-child", "a section child-details whose Patient is in the Bundle")
        for section, place in people.items():
            if section == "child-details":
                self._read_child(place)
            elif section == "birth-encounter":
                self._read_encounter(place)
        for index, section in enumerate(("mother", "father")):
            parent = people.get(f"{section}-details")
            if parent is not None and self._read_names(parent, f"/parents/{index}"):
                account.add(f"/parents/{index}/label", section)

    def _index(self) -> None:
        for entry in items_of(self._account, self._bundle.get("entry")):
            resource = entry.get("resource")
            if resource is None:
                continue
            kind, identity = text_of(resource.get("resourceType")), text_of(resource.get("id"))
            if kind is None:
                continue
            self._by_type.setdefault(kind, []).append(resource)
            reference = f"{kind}/{identity}" if identity else (text_of(entry.get("fullUrl")) or "")
            if reference in self._resources:
                self._account.refuse(entry, "repeated", "each resource once")
            elif reference:
                self._resources[reference] = resource

    def _sections(self, composition: Field) -> dict[str, Field]:
        """Find the resource that each section of the Composition is about."""
        people: dict[str, Field] = {}
        for section in items_of(self._account, composition.get("section")):
            entries = section.get("entry")
            listed = [*entries.items()] if entries is not None else []
            reference = text_of(listed[0].get("reference")) if len(listed) == 1 else None
            resource = self._resources.get(reference or "")
            for coding in codings(section.get("code")):
                code = code_of(coding, *_SECTIONS)
                if code not in _RESOURCE_OF or resource is None:
                    continue
                if code in people or any(resource.path == known.path for known in people.values()):
                    self._account.refuse(section, "repeated", "each section and each person once")
                elif text_of(resource.get("resourceType")) != _RESOURCE_OF[code]:
                    self._account.refuse(section, "wrong-type", f"a section about a {_RESOURCE_OF[code]}")
                else:
                    people[code] = resource
        return people

    def _read_task(self, stated: Stated) -> None:
        account = self._account
        tasks = self._by_type.get("Task", [])
        if len(tasks) != 1:
            account.object_to("no-task", "one Task, which says whether and when the birth was registered")
            return
        task = tasks[0]
        statuses = {
            code
            for coding in codings(task.get("businessStatus"))
            if (code := code_of(coding, f"{_SPECS}reg-status"))
        }
        if statuses == {"REGISTERED"}:
            account.leave(task.get("businessStatus"), "checked")
            take_day_of(account, task.get("lastModified"), "/registration/date", stated.zone)
        else:
            account.refuse(task, "not-registered", "a Task whose status is REGISTERED")
            return
        for identifier in items_of(account, task.get("identifier")):
            if text_of(identifier.get("system")) == f"{_SPECS}id/birth-registration-number":
                account.take(identifier.get("value"), "/registration/number")
            else:
                account.leave(identifier, "identifier")
        for extension in items_of(account, task.get("extension")):
            if text_of(extension.get("url")) == f"{_SPECS}extension/regLastOffice":
                self._read_office(extension)

    def _read_office(self, extension: Field) -> None:
        reference = extension.get("valueReference")
        wanted = text_of(reference.get("reference")) if reference is not None else None
        office = self._resources.get(wanted or "")
        if office is not None and text_of(office.get("resourceType")) == "Location":
            self._account.take(office.get("name"), "/registration/office")

    def _read_child(self, child: Field) -> None:
        account = self._account
        expect_flag(account, child.get("active"), "true", "not-in-use")
        for death in ("deceased", "deceasedBoolean"):
            expect_flag(account, child.get(death), "false", "deceased")
        if (died := child.get("deceasedDateTime")) is not None:
            account.refuse(died, "deceased", "a living person")
        self._read_names(child, "")
        account.cross(child.get("gender"), "/sexAtBirth", OPENCRVS_V1_SEX)
        take_day(account, child.get("birthDate"), "/birthDate")
        account.take_number(child.get("multipleBirthInteger"), "/birthOrder")
        for identifier in items_of(account, child.get("identifier")):
            types = [code_of(it, f"{_SPECS}identifier-type") for it in codings(identifier.get("type"))]
            value = identifier.get("value")
            if "BIRTH_REGISTRATION_NUMBER" not in types or value is None:
                account.leave(identifier, "identifier")
            else:
                take_number_once(account, value)

    def _read_names(self, person: Field, target: str) -> int:
        """Read names, whose ``use`` is the code of a language."""
        account = self._account
        count = 0
        for name in items_of(account, person.get("name")):
            family = name.get("family")
            parts = NameInParts(
                given=[*items_of(account, name.get("given"))], family=[] if family is None else [family]
            )
            if parts.read(account, f"{target}/names/{count}"):
                self._read_language(name.get("use"), f"{target}/names/{count}/lang")
                count += 1
        return count

    def _read_language(self, use: Field | None, target: str) -> None:
        if use is not None and not use.is_blank and _LANGUAGE.fullmatch(text_of(use) or "") is None:
            self._account.refuse(use, "unknown-name-use", "the code of a language, such as en")
        else:
            self._account.take(use, target)

    def _read_encounter(self, encounter: Field) -> None:
        account = self._account
        locations = [*items_of(account, encounter.get("location"))]
        inner = locations[0].get("location") if len(locations) == 1 else None
        reference = text_of(inner.get("reference")) if inner is not None else None
        place = self._resources.get(reference or "")
        if place is not None and text_of(place.get("resourceType")) == "Location":
            for coding in codings(place.get("type")):
                if code_of(coding, f"{_SPECS}location-type") is not None:
                    account.cross(coding.get("code"), "/birthPlace/placeType", OPENCRVS_PLACE_TYPE)
            address = place.get("address")
            if address is not None:
                account.cross(address.get("country"), "/birthPlace/country", COUNTRIES)
        for observation in self._by_type.get("Observation", []):
            quantity = observation.get("valueQuantity")
            codes = [code_of(it, "http://loinc.org") for it in codings(observation.get("code"))]
            if _PLURALITY not in codes or quantity is None:
                continue
            if account.has("/birthType"):
                account.refuse(observation, "repeated", "one observation of the kind of birth")
            else:
                account.cross(quantity.get("value"), "/birthType", OPENCRVS_BIRTH_TYPE)


class _Rest:
    """Says why an untouched part of a Bundle is left out."""

    def __init__(self, bundle: Field) -> None:
        self._bundle = bundle.path
        entries = bundle.get("entry")
        resources = [entry.get("resource") for entry in (entries.items() if entries is not None else ())]
        self._kinds = [text_of(it.get("resourceType")) if it is not None else None for it in resources]

    def code(self, place: Field) -> str:
        """Give the code, or nothing for an element of a person that no version of OpenCRVS writes."""
        steps = place.path.removeprefix(self._bundle).split("/")[1:]
        if place.name in ("modifierExtension", "implicitRules"):
            return ""
        if len(steps) == 2 and steps[0] == "entry":
            return "other-resource"
        if len(steps) < 4 or steps[0] != "entry":
            return "structure"
        if self._kinds[int(steps[1])] != "Patient":
            return "not-in-credential"
        return rest_of_person(steps[3], place, _PERSON)

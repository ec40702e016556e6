"""OpenCRVS 2: a birth declaration, alone or within its event, by the map of the country that made the form.

Follows OpenCRVS 2.0 (packages/commons/src/events: EventIndex, EventMetadata, FieldValue,
CompositeFieldValue). A declaration is an object of flat names, such as ``child.name``; an event carries one
beside its registration number and the moment of its registration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.credentials.birth import new_child_ref
from vcid.importers.days import take_day_of
from vcid.importers.opencrvs_map import FieldMap, is_forbidden_field
from vcid.importers.source import Reading
from vcid.importers.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from vcid.encoding.json import JSON
    from vcid.importers.loss import ImportResult
    from vcid.importers.source import Account, Field

SYSTEM: Final = "opencrvs-v2"

BIRTH: Final = "birth"
BARRING_FLAGS: Final = frozenset(
    {
        "rejected",
        "incomplete",
        "edit-in-progress",
        "potential-duplicate",
        "correction-requested",
        "approval-required-for-late-registration",
        "revoked",
    }
)
"""Flags of an event whose record is not to be relied on until they are gone: those that OpenCRVS itself sets,
and those of the reference configuration. A country with flags of its own looks at them before it imports."""


def read_opencrvs_v2(
    document: bytes | str | Mapping[str, JSON],
    field_map: FieldMap,
    *,
    stated: Stated | None = None,
    on: date | None = None,
    new_ref: Callable[[], str] = new_child_ref,
) -> ImportResult:
    """Read a declaration, or an event with one in ``declaration``.

    Args:
        document: the JSON.
        field_map: what becomes of each field of the form; a field that it lacks stops the record.
        stated: what the caller states of all records: the jurisdiction, on what birth dates rest.
        on: the day it is; nothing may have happened after it. By default today.
        new_ref: draws the ``childRef``.

    Raises:
        Malformed: the document is no JSON object within the limits.
    """
    reading = Reading(SYSTEM, stated or Stated(), on, new_ref)
    account = reading.open(document)
    declaration = account.root
    if (within := account.root.get("declaration")) is not None:
        declaration = within
        _read_event(account, account.root, reading.stated)
    for name, rule in field_map.fields.items():
        if (place := declaration.get(name)) is not None:
            rule.read(account, place)
    return account.settle(_rest(declaration.path, field_map))


def _rest(declaration: str, field_map: FieldMap) -> Callable[[Field], str]:
    """Say why fields without a rule are left out: because no credential says them, or not at all."""

    def code(place: Field) -> str:
        if declaration and not place.path.startswith(f"{declaration}/"):
            return "event-metadata"
        name = place.path.removeprefix(f"{declaration}/").partition("/")[0]
        if name not in field_map.fields and is_forbidden_field(name):
            return "forbidden-field"
        return ""

    return code


def _read_event(account: Account, event: Field, stated: Stated) -> None:
    """Read what an event says of its registration (EventMetadata)."""
    _expect(account, event.get("type"), {BIRTH}, "not-a-birth", "an event of type birth")
    _expect(account, event.get("status"), {"REGISTERED"}, "not-registered", "an event that is REGISTERED")
    flags = event.get("flags")
    for flag in flags.items() if flags is not None else ():
        if not isinstance(flag.value, str) or flag.value in BARRING_FLAGS:
            account.refuse(flag, "barred", f"none of {', '.join(sorted(BARRING_FLAGS))}")
    statuses = event.get("legalStatuses")
    registered = statuses.get("REGISTERED") if statuses is not None else None
    if registered is not None:
        account.take(registered.get("registrationNumber"), "/registration/number")
        take_day_of(account, registered.get("acceptedAt"), "/registration/date", stated.zone)


def _expect(account: Account, place: Field | None, allowed: set[str], code: str, expected: str) -> None:
    if place is None:
        account.object_to(code, expected)
    elif isinstance(place.value, str) and place.value in allowed:
        account.leave(place, "checked")
    else:
        account.refuse(place, code, expected)

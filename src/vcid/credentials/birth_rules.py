"""What the fields of a birth registration demand of each other: rules that every civil registrar keeps."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Final

from vcid.credentials.birth_terms import (
    BirthType,
    NameKind,
    NameStatus,
    NationalityStatus,
    ParentageStatus,
    RegistrationType,
)
from vcid.credentials.records import check_distinct_ids
from vcid.encoding.dates import UncertainDate

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.credentials.birth import BirthRegistration
    from vcid.credentials.records import Faults

PLURALITY: Final[Mapping[BirthType, int]] = {
    BirthType.TWIN: 2,
    BirthType.TRIPLET: 3,
    BirthType.QUADRUPLET: 4,
    BirthType.QUINTUPLET: 5,
    BirthType.HIGHER_ORDER: 15,
}
"""How many children a delivery of each kind can have brought; single births have no order."""

MAX_AGE: Final = 130
"""How many years may lie between a birth and its registration; nobody is known to have lived longer."""


def check_rules(record: BirthRegistration, faults: Faults, on: date | None) -> None:
    """Note where fields contradict each other, or lie after the day ``on``."""
    _check_names(record, faults)
    _check_order_of_dates(record, faults)
    if on is not None:
        _check_future(record, faults, on)
    _check_parentage(record, faults)
    _check_birth_order(record, faults)
    _check_nationality(record, faults)
    if getattr(record.registration, "type", None) is RegistrationType.LATE and not record.evidence:
        faults.add("/evidence", "evidence-required", "evidence, as the registration was late")


def _check_names(record: BirthRegistration, faults: Faults) -> None:
    if record.name_status is NameStatus.NOT_YET_NAMED:
        if record.names:
            faults.add("/names", "names-not-expected", "no names, as the child is not yet named")
    elif not record.names:
        faults.add("/names", "required", "at least one name, or the name status notYetNamed")
    elif all(getattr(name, "kind", None) is NameKind.TRANSLITERATION for name in record.names):
        faults.add("/names", "legal-name-required", "the legal name beside its transliterations")


def _check_order_of_dates(record: BirthRegistration, faults: Faults) -> None:
    born = _earliest(record.birth_date)
    registered = _day_of(record.registration)
    found = _day_of(record.finding)
    if registered is not None and born is not None and registered < born:
        faults.add("/registration/date", "before-birth", "a day not before the birth", registered)
    if registered is not None and isinstance(record.birth_date, UncertainDate):
        _check_span(record.birth_date, registered, faults)
    if found is not None and born is not None and found < born:
        faults.add("/finding/date", "before-birth", "a day not before the birth", found)
    if found is not None and registered is not None and registered < found:
        faults.add("/registration/date", "before-finding", "a day not before the finding", registered)


def _check_span(birth_date: UncertainDate, registered: date, faults: Faults) -> None:
    """Note what beside its registration is a slip of the pen: 2020/2090 for 2020/2021, or 1021 for 2021."""
    if birth_date.earliest <= registered < birth_date.end_earliest:
        expected = "an interval whose second part begins no later than the registration"
        faults.add("/birthDate", "after-registration", expected, birth_date)
    born = birth_date.start_latest
    is_certain = not birth_date.approximate and not birth_date.uncertain
    if is_certain and (registered.year - MAX_AGE, registered.month, registered.day) > (
        born.year,
        born.month,
        born.day,
    ):
        expected = f"a birth at most {MAX_AGE} years before its registration, or a date marked ~, ? or %"
        faults.add("/birthDate", "too-long-before", expected, birth_date)


def _check_future(record: BirthRegistration, faults: Faults, on: date) -> None:
    days = [
        ("/birthDate", _earliest(record.birth_date)),
        ("/registration/date", _day_of(record.registration)),
        ("/finding/date", _day_of(record.finding)),
    ]
    days += [(f"/evidence/{index}/date", _day_of(item)) for index, item in enumerate(record.evidence)]
    for path, day in days:
        if day is not None and day > on:
            faults.add(path, "in-the-future", "a day that has come", day)


def _earliest(birth_date: object) -> date | None:
    return birth_date.earliest if isinstance(birth_date, UncertainDate) else None


def _day_of(part: object) -> date | None:
    day = getattr(part, "date", None)
    return day if isinstance(day, date) else None


def _check_parentage(record: BirthRegistration, faults: Faults) -> None:
    status = record.parentage_status
    if status in (ParentageStatus.NONE, ParentageStatus.WITHHELD) and record.parents:
        faults.add("/parents", "parents-not-expected", f"no parents, as the parentage status is {status}")
    if status in (ParentageStatus.ALL, ParentageStatus.PARTIAL) and not record.parents:
        faults.add("/parents", "required", f"at least one parent, as the parentage status is {status}")
    check_distinct_ids(record.parents, faults, "/parents")
    if record.finding is not None and status is not ParentageStatus.NONE:
        faults.add("/parentageStatus", "foundling", "none, as the child is a foundling", status)


def _check_birth_order(record: BirthRegistration, faults: Faults) -> None:
    order = record.birth_order
    if order is None:
        return
    most = PLURALITY.get(record.birth_type, 0) if record.birth_type else 0
    if most == 0:
        faults.add(
            "/birthOrder", "order-of-single-birth", "no order, as the birth is not stated as plural", order
        )
    elif not 1 <= order <= most:
        faults.add("/birthOrder", "out-of-range", f"a number from 1 to {most}", order)


def _check_nationality(record: BirthRegistration, faults: Faults) -> None:
    status = record.nationality_status
    if len(set(record.nationalities)) < len(record.nationalities):
        faults.add("/nationalities", "repeated", "each nationality once")
    if record.nationalities:
        if status not in (NationalityStatus.RECORDED, NationalityStatus.REFUGEE):
            faults.add(
                "/nationalityStatus", "status-mismatch", "recorded or refugee, as nationalities are listed"
            )
    elif status is NationalityStatus.RECORDED:
        faults.add("/nationalities", "required", "at least one nationality, as they are stated as recorded")

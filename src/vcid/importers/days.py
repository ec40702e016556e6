"""Dates and moments of other systems as the days and partial dates of a record, never guessed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vcid.encoding.dates import parse_timestamp
from vcid.errors import Malformed

if TYPE_CHECKING:
    from datetime import tzinfo

    from vcid.importers.source import Account, Field

MOMENT_TO_DAY: Final = "moment-to-day"
"""The rule that makes a moment the day that it is in the register's time zone."""

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_PARTIAL: Final = re.compile(r"[0-9]{4}(?:-[0-9]{2}(?:-[0-9]{2})?)?")


def take_day(account: Account, place: Field | None, target: str) -> None:
    """Take a day written ``2021-03-15``; whether the calendar has it, the record tells."""
    _take(account, place, target, _DAY, "a day such as 2021-03-15")


def take_partial_date(account: Account, place: Field | None, target: str) -> None:
    """Take a date of FHIR (R4, section 2.24.0.1): a year, a month or a day, which EDTF writes as it does."""
    _take(account, place, target, _PARTIAL, "a date such as 2021, 2021-03 or 2021-03-15")


def take_day_of(account: Account, place: Field | None, target: str, zone: tzinfo) -> None:
    """Turn a moment into the day that it is in a time zone."""
    if place is None:
        return
    if (text := account.text(place)) is None:
        return
    try:
        day = parse_timestamp(text).astimezone(zone).date()
    except (Malformed, OverflowError, ValueError):
        account.refuse(place, "not-a-timestamp", "a moment such as 2024-05-01T12:00:00Z", target=target)
        return
    account.give(target, day.isoformat(), place, table=MOMENT_TO_DAY)


def _take(account: Account, place: Field | None, target: str, form: re.Pattern[str], expected: str) -> None:
    if place is None:
        return
    if isinstance(place.value, str) and place.value.strip() and form.fullmatch(place.value) is None:
        account.refuse(place, "not-a-date", expected, target=target)
    else:
        account.take(place, target)

"""Dates as civil registries know them, and moments as credentials write them.

`UncertainDate` reads a closed subset of EDTF (Extended Date/Time Format, Library of Congress, 2019; ISO
8601-2): year, month and day of level 0, closed intervals, and the qualifiers ``~ ? %`` of level 1.
Refused are dates without two bounds (open and unknown ends), what no registry writes (times, seasons, masked
digits, years of five digits) and the year 0000, which Python's calendar lacks. `parse_timestamp` reads
dateTimeStamp of XML Schema 1.1 (part 2, section 3.4.28), which VCDM 2.0 requires for its dates.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING, Final

from vcid.errors import Malformed

if TYPE_CHECKING:
    from typing import Self

_EDTF: Final = "a date such as 2021-03-15, 2021-03, 2021, 2021~ or 2020-01/2020-06"
_TIMESTAMP: Final = "a date, a time and a time zone, such as 2024-05-01T12:00:00Z"

_PART: Final = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?([~?%]?)")
_STAMP: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T([0-9]{2}):[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?"
    r"(?:Z|[+-](?:0[0-9]|1[0-3]):[0-5][0-9]|[+-]14:00)"
)
_MIDNIGHT: Final = re.compile(r"24:00:00(?:\.0+)?([Z+-].*)")
_OPEN_ENDS: Final = frozenset({"", ".."})


@dataclass(frozen=True, slots=True)
class UncertainDate:
    """A date of which only the bounds may be known.

    ``~`` and ``%`` widen the bounds by one unit of the stated precision: ``2021~`` is 2020 to 2022, and
    ``2021-03~`` February to April. ``?`` does not widen: it doubts the source, not the date's precision. The
    lower bound of an interval is the earliest day of its first part, the upper the latest day of its second.

    Attributes:
        text: the date as written.
        earliest: the first day that it may be.
        latest: the last day that it may be.
        start_latest: the last day of an interval's first part; of a single date, `latest`.
        end_earliest: the first day of an interval's second part; of a single date, `earliest`.
        approximate: ``~`` or ``%`` stands in it.
        uncertain: ``?`` or ``%`` stands in it.

    Raises:
        Malformed: the text is none of these dates.
    """

    text: str
    earliest: date = field(init=False, compare=False)
    latest: date = field(init=False, compare=False)
    start_latest: date = field(init=False, compare=False)
    end_earliest: date = field(init=False, compare=False)
    approximate: bool = field(init=False, compare=False)
    uncertain: bool = field(init=False, compare=False)

    def __post_init__(self) -> None:
        first, slash, last = self.text.partition("/")
        if slash and (first in _OPEN_ENDS or last in _OPEN_ENDS):
            raise Malformed("open-interval", "an interval with both ends stated")
        start = _Part.parse(first)
        end = _Part.parse(last) if slash else start
        if start.first > end.last:
            raise Malformed("reversed-interval", "an interval whose first date is not after its second")
        object.__setattr__(self, "earliest", start.earliest)
        object.__setattr__(self, "latest", end.latest)
        object.__setattr__(self, "start_latest", start.latest)
        object.__setattr__(self, "end_earliest", end.earliest)
        object.__setattr__(self, "approximate", start.approximate or end.approximate)
        object.__setattr__(self, "uncertain", any(sign in self.text for sign in "?%"))

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a date. Raises `Malformed` as the class itself does."""
        return cls(text)

    def __str__(self) -> str:
        return self.text

    def age_bounds(self, on: date) -> tuple[int, int]:
        """Return the least and the greatest whole years that someone born on this date has on a day.

        A year is completed on the anniversary, which for 29 February is 1 March in a common year. Before
        birth the age is 0.
        """
        return _whole_years(self.latest, on), _whole_years(self.earliest, on)


@dataclass(frozen=True, slots=True)
class _Part:
    """One date, or one end of an interval."""

    first: date
    last: date
    has_month: bool
    has_day: bool
    approximate: bool

    @classmethod
    def parse(cls, text: str) -> _Part:
        match = _PART.fullmatch(text)
        if match is None:
            raise Malformed("not-a-date", _EDTF)
        year, month, day, sign = match.groups()
        if year == "0000":
            raise Malformed("year-out-of-range", "a year from 0001 to 9999")
        try:
            first = date(int(year), int(month or 1), int(day or 1))
        except ValueError:
            raise Malformed("no-such-day", "a month and a day that the calendar has") from None
        last = first if day else _end(first, has_month=month is not None)
        return cls(first, last, month is not None, day is not None, sign in ("~", "%"))

    @property
    def earliest(self) -> date:
        """The lower bound: a unit before the first day, where the calendar still has one."""
        if not self.approximate or self.first == date.min:
            return self.first
        before = self.first - timedelta(days=1)
        if self.has_day:
            return before
        return before.replace(day=1) if self.has_month else before.replace(month=1, day=1)

    @property
    def latest(self) -> date:
        """The upper bound: a unit after the last day, where the calendar still has one."""
        if not self.approximate or self.last == date.max:
            return self.last
        after = self.last + timedelta(days=1)
        return after if self.has_day else _end(after, has_month=self.has_month)


def utc_now() -> datetime:
    """The machine's clock, for callers that are handed no other."""
    return datetime.now(UTC)


def parse_timestamp(text: str) -> datetime:
    """Read a moment from an XML Schema dateTimeStamp.

    The zone is mandatory, and ``-00:00`` means the same as ``Z``. ``24:00:00`` is the next day's midnight.
    Digits beyond microseconds are cut. A second 60 is refused, as XML Schema does, and so is a moment outside
    the years 1 to 9999 of UTC.

    Raises:
        Malformed: the text is no such moment.
    """
    match = _STAMP.fullmatch(text)
    if match is None:
        raise Malformed("not-a-timestamp", _TIMESTAMP)
    try:
        if match[1] == "24":
            return _parse_midnight(text)
        moment = datetime.fromisoformat(text)
        if moment.year in (1, 9999):
            moment.astimezone(UTC)
    except (ValueError, OverflowError):
        raise Malformed("no-such-moment", _TIMESTAMP) from None
    return moment


def format_timestamp(moment: datetime) -> str:
    """Write a moment in UTC as a dateTimeStamp of whole seconds; a fraction is cut.

    Raises:
        ValueError: the moment has no time zone, or lies outside the years 1 to 9999 of UTC.
    """
    if moment.utcoffset() is None:
        raise ValueError("a moment needs a time zone")
    try:
        in_utc = moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("a moment lies in the years 1 to 9999 of UTC") from None
    return in_utc.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def _parse_midnight(text: str) -> datetime:
    """Read ``24:00:00``, which ends a day, as the beginning of the next (XML Schema 1.1, section 3.3.7.2)."""
    day, _, time = text.partition("T")
    match = _MIDNIGHT.fullmatch(time)
    if match is None:
        raise Malformed("no-such-moment", _TIMESTAMP)
    moment = datetime.fromisoformat(f"{day}T00:00:00{match[1]}") + timedelta(days=1)
    moment.astimezone(UTC)
    return moment


def _end(day: date, *, has_month: bool) -> date:
    """Return the last day of a day's month or year."""
    if not has_month:
        return day.replace(month=12, day=31)
    return day.replace(day=monthrange(day.year, day.month)[1])


def _whole_years(born: date, on: date) -> int:
    # As pairs, (3, 1) comes after (2, 29) and (2, 28) before it: that is the rule for 29 February.
    birthday_reached = (on.month, on.day) >= (born.month, born.day)
    return max(0, on.year - born.year - (not birthday_reached))

"""Uncertain dates and their bounds; moments as XML Schema writes them."""

from __future__ import annotations

import copy
import pickle
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding.dates import UncertainDate, format_timestamp, parse_timestamp
from vcid.errors import Malformed, VcidError

PARTS = st.dates().flatmap(
    lambda day: st.builds(
        lambda length, sign: day.isoformat()[:length] + sign,
        st.sampled_from([4, 7, 10]),
        st.sampled_from(["", "~", "?", "%"]),
    )
)


def code_of(call, text):
    with pytest.raises(Malformed) as caught:
        call(text)
    return caught.value.code


class TestUncertainDate:
    """`UncertainDate`."""

    @pytest.mark.parametrize(
        ("text", "earliest", "latest"),
        [
            ("2021-03-15", "2021-03-15", "2021-03-15"),
            ("2021-03", "2021-03-01", "2021-03-31"),
            ("2021", "2021-01-01", "2021-12-31"),
            ("2024-02", "2024-02-01", "2024-02-29"),
            ("1900-02", "1900-02-01", "1900-02-28"),
            ("2021~", "2020-01-01", "2022-12-31"),
            ("2021%", "2020-01-01", "2022-12-31"),
            ("2021?", "2021-01-01", "2021-12-31"),
            ("2021-01~", "2020-12-01", "2021-02-28"),
            ("2021-12%", "2021-11-01", "2022-01-31"),
            ("2021-03?", "2021-03-01", "2021-03-31"),
            ("2024-03-01~", "2024-02-29", "2024-03-02"),
            ("2021-12-31%", "2021-12-30", "2022-01-01"),
            ("2020-01/2020-06", "2020-01-01", "2020-06-30"),
            ("2020/2021-02-03", "2020-01-01", "2021-02-03"),
            ("2020-06/2020", "2020-06-01", "2020-12-31"),
            ("2020-06-01/2020-06-01", "2020-06-01", "2020-06-01"),
            ("2020~/2021-02-28%", "2019-01-01", "2021-03-01"),
            ("2020?/2021-02~", "2020-01-01", "2021-03-31"),
            # At the calendar's ends there is nothing left to widen into.
            ("0001~", "0001-01-01", "0002-12-31"),
            ("9999~", "9998-01-01", "9999-12-31"),
            ("0001-01~", "0001-01-01", "0001-02-28"),
            ("9999-12%", "9999-11-01", "9999-12-31"),
            ("0001-01-01~", "0001-01-01", "0001-01-02"),
            ("9999-12-31~", "9999-12-30", "9999-12-31"),
            ("0001%/9999%", "0001-01-01", "9999-12-31"),
        ],
    )
    def test_bounds(self, text, earliest, latest):
        """A date spans its precision, one unit more each way where it is approximate; the text stays."""
        when = UncertainDate.parse(text)
        assert (when.earliest, when.latest) == (date.fromisoformat(earliest), date.fromisoformat(latest))
        assert str(when) == when.text == text

    @pytest.mark.parametrize(
        ("text", "approximate", "uncertain"),
        [
            ("2021", False, False),
            ("2021~", True, False),
            ("2021?", False, True),
            ("2021%", True, True),
            ("2020~/2021", True, False),
            ("2020/2021?", False, True),
            ("2020?/2021~", True, True),
        ],
    )
    def test_keeps_the_qualifiers(self, text, approximate, uncertain):
        """What ``~ ? %`` say is kept apart, for an interval from either end."""
        when = UncertainDate(text)
        assert (when.approximate, when.uncertain) == (approximate, uncertain)

    @pytest.mark.parametrize(
        ("text", "code"),
        [
            ("2021-02-30", "no-such-day"),
            ("2021-02-29", "no-such-day"),
            ("1900-02-29", "no-such-day"),
            ("2021-13", "no-such-day"),
            ("2021-00", "no-such-day"),
            ("2021-04-31~", "no-such-day"),
            ("2021-01-00", "no-such-day"),
            ("2021-21", "no-such-day"),
            ("2020/2021-02-30", "no-such-day"),
            ("0000", "year-out-of-range"),
            ("0000-01-01~", "year-out-of-range"),
            ("0000/2020", "year-out-of-range"),
            ("2020/..", "open-interval"),
            ("../2020", "open-interval"),
            ("2020/", "open-interval"),
            ("/2020", "open-interval"),
            ("/", "open-interval"),
            ("../..", "open-interval"),
            ("2021/2020", "reversed-interval"),
            ("2020-06-02/2020-06-01", "reversed-interval"),
            ("2021-01/2020", "reversed-interval"),
            ("2021~/2020~", "reversed-interval"),
        ],
    )
    def test_refuses_by_name(self, text, code):
        """Days that the calendar lacks, and intervals without two ends in order, each have their code."""
        assert code_of(UncertainDate.parse, text) == code

    @pytest.mark.parametrize(
        "text",
        [
            *(
                "",
                " ",
                "2021 ",
                " 2021",
                "2021\n",
                "2021-3",
                "2021-3-5",
                "21",
                "202",
                "12021",
                "Y12021",
                "-2021",
            ),
            *("+2021", "2021-", "2021-03-", "20210315", "2021/03/15", "15-03-2021", "15.03.2021", "2021-W10"),
            *(
                "2021-074",
                "202X",
                "20XX",
                "2021-XX",
                "2021-03-XX",
                "2021-03-uu",
                "2021-?03",
                "?2021",
                "~2021",
            ),
            *(
                "2021~?",
                "2021?~",
                "2021~~",
                "2021-03~-15",
                "2021-03-15T12:00:00Z",
                "2021-03-15T12:00:00",
                "now",
            ),
            *(
                "2020/2021/2022",
                "2020//2021",
                "2020--2021",
                "[2020,2021]",
                "{2020..2021}",
                "2020..2021",
                "..",
            ),
            *("٢٠٢١", "２０２１", "2021‐03", "2021−03−15", "2021-03-1५", "2021\ud800", "2" * 100_000),
        ],
    )
    def test_refuses_other_forms(self, text):
        """Times, weeks, masked digits, sets, other orders, digits of other scripts and loose spaces."""
        assert code_of(UncertainDate.parse, text) in {
            "not-a-date",
            "open-interval",
            "reversed-interval",
            "no-such-day",
        }

    def test_messages_hold_no_date(self):
        """A birth date is a person's: no message repeats it."""
        for text in ("2021-02-31", "2021-03-15x", "2021/2020", "2021-03-15/.."):
            with pytest.raises(Malformed) as caught:
                UncertainDate(text)
            assert text not in str(caught.value)

    @pytest.mark.parametrize(
        ("text", "on", "ages"),
        [
            ("2010-06-15", "2020-06-14", (9, 9)),
            ("2010-06-15", "2020-06-15", (10, 10)),
            ("2010", "2020-06-15", (9, 10)),
            ("2010~", "2020-06-15", (8, 11)),
            ("2002-01/2002-06", "2020-03-01", (17, 18)),
            # The anniversary of 29 February is 1 March in a common year, and itself in a leap year.
            ("2004-02-29", "2022-02-28", (17, 17)),
            ("2004-02-29", "2022-03-01", (18, 18)),
            ("2004-02-29", "2024-02-28", (19, 19)),
            ("2004-02-29", "2024-02-29", (20, 20)),
            ("2010-06-15", "2010-06-15", (0, 0)),
            # Not born yet, surely or perhaps.
            ("2010-06-15", "2005-01-01", (0, 0)),
            ("2010/2020", "2015-01-01", (0, 5)),
            ("0001", "9999-12-31", (9998, 9998)),
        ],
    )
    def test_age_bounds(self, text, on, ages):
        """The least age is that of the latest day, the greatest that of the earliest."""
        assert UncertainDate(text).age_bounds(date.fromisoformat(on)) == ages

    def test_is_a_value(self):
        """Dates compare by their text, can't be changed, and survive copying and pickling."""
        when = UncertainDate("2021~")
        assert when == UncertainDate("2021~") != UncertainDate("2021%")
        assert copy.deepcopy(when) == pickle.loads(pickle.dumps(when)) == when
        assert pickle.loads(pickle.dumps(when)).latest == when.latest
        with pytest.raises(AttributeError):
            when.text = "2022"
        assert len({when, UncertainDate("2021~")}) == 1

    @settings(max_examples=200)
    @given(PARTS)
    def test_a_date_lies_within_its_bounds(self, text):
        """Every date has bounds around its stated span, and only an approximate one is wider."""
        when, stated = UncertainDate(text), UncertainDate(text.rstrip("~?%"))
        assert when.earliest <= stated.earliest <= stated.latest <= when.latest
        ends = (date.min, date.max)
        for bound, of_stated in ((when.earliest, stated.earliest), (when.latest, stated.latest)):
            assert (bound != of_stated) == (when.approximate and of_stated not in ends)

    @settings(max_examples=200)
    @given(PARTS, PARTS)
    def test_an_interval_joins_its_ends(self, first, last):
        """An interval is bounded by its ends' outer bounds, or its ends are in the wrong order."""
        one, other = UncertainDate(first), UncertainDate(last)
        with suppress(Malformed):
            when = UncertainDate(f"{first}/{last}")
            assert (when.earliest, when.latest) == (one.earliest, other.latest)
            return
        assert UncertainDate(first.rstrip("~?%")).earliest > UncertainDate(last.rstrip("~?%")).latest

    @settings(max_examples=200)
    @given(PARTS, st.dates(), st.dates())
    def test_true_age_lies_within_the_bounds(self, text, born, on):
        """Whoever was born within the bounds has an age within the age bounds."""
        when = UncertainDate(text)
        born = min(max(born, when.earliest), when.latest)
        least, greatest = when.age_bounds(on)
        (age, _) = UncertainDate(born.isoformat()).age_bounds(on)
        assert 0 <= least <= age <= greatest

    @settings(max_examples=300)
    @given(st.text(max_size=12) | st.text("0123456789-/~?%.", max_size=22))
    def test_arbitrary_text_raises_only_our_errors(self, text):
        """Whatever the text, there is a date that writes it, or a VcidError."""
        with suppress(VcidError):
            assert str(UncertainDate.parse(text)) == text


class TestTimestamps:
    """`parse_timestamp` and `format_timestamp`."""

    @pytest.mark.parametrize(
        ("text", "moment"),
        [
            ("2024-05-01T12:00:00Z", datetime(2024, 5, 1, 12, tzinfo=UTC)),
            ("2024-05-01T12:00:00-00:00", datetime(2024, 5, 1, 12, tzinfo=UTC)),
            ("2024-05-01T12:00:00+00:00", datetime(2024, 5, 1, 12, tzinfo=UTC)),
            ("2024-05-01T12:00:00+05:30", datetime(2024, 5, 1, 6, 30, tzinfo=UTC)),
            ("2024-05-01T12:00:00+14:00", datetime(2024, 4, 30, 22, tzinfo=UTC)),
            ("2024-05-01T12:00:00-14:00", datetime(2024, 5, 2, 2, tzinfo=UTC)),
            ("2024-05-01T12:00:00-13:59", datetime(2024, 5, 2, 1, 59, tzinfo=UTC)),
            ("2024-05-01T12:00:00.5Z", datetime(2024, 5, 1, 12, 0, 0, 500_000, tzinfo=UTC)),
            ("2024-05-01T12:00:00.1234567899Z", datetime(2024, 5, 1, 12, 0, 0, 123_456, tzinfo=UTC)),
            ("2023-12-31T24:00:00Z", datetime(2024, 1, 1, tzinfo=UTC)),
            ("2024-02-28T24:00:00.000+01:00", datetime(2024, 2, 28, 23, tzinfo=UTC)),
            ("0001-01-01T00:00:00Z", datetime(1, 1, 1, tzinfo=UTC)),
            ("9999-12-31T23:59:59Z", datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)),
        ],
    )
    def test_reads(self, text, moment):
        """Every zone and fraction of XML Schema, and midnight as the end of a day."""
        assert parse_timestamp(text) == moment
        assert parse_timestamp(text).utcoffset() is not None

    @pytest.mark.parametrize(
        "text",
        [
            *("2016-12-31T23:59:60Z", "2024-05-01T12:60:00Z", "2024-05-01T25:00:00Z", "2024-02-30T12:00:00Z"),
            *("2023-02-29T00:00:00Z", "2024-13-01T00:00:00Z", "2024-00-01T00:00:00Z", "0000-01-01T00:00:00Z"),
            *(
                "2024-05-01T24:00:01Z",
                "2024-05-01T24:01:00Z",
                "2024-05-01T24:00:00.001Z",
                "9999-12-31T24:00:00Z",
            ),
            # Their UTC lies outside the years that a datetime can hold.
            *("0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59-00:01", "9999-12-31T24:00:00+01:00"),
        ],
    )
    def test_refuses_moments_that_do_not_exist(self, text):
        """Leap seconds, missing days and moments out of range."""
        assert code_of(parse_timestamp, text) == "no-such-moment"

    @pytest.mark.parametrize(
        "text",
        [
            *(
                "",
                "2024-05-01",
                "2024-05-01T12:00:00",
                "2024-05-01T12:00Z",
                "2024-05-01T12:00:00.Z",
                "20240501T120000Z",
            ),
            *(
                "2024-05-01 12:00:00Z",
                "2024-05-01t12:00:00Z",
                "2024-05-01T12:00:00z",
                "2024-05-01T12:00:00 Z",
            ),
            *(
                "2024-05-01T12:00:00+0100",
                "2024-05-01T12:00:00+01",
                "2024-05-01T12:00:00+14:01",
                "2024-5-1T12:00:00Z",
            ),
            *(
                "2024-05-01T12:00:00+15:00",
                "2024-05-01T12:00:00-24:00",
                "2024-05-01T12:00:00+01:60",
                "2024-W18-3T12Z",
            ),
            *(
                "12024-05-01T12:00:00Z",
                "-2024-05-01T12:00:00Z",
                "+2024-05-01T12:00:00Z",
                "24-05-01T12:00:00Z",
            ),
            *(
                "2024-05-01T12:00:00,5Z",
                "2024-05-01T12:00:00Z\n",
                " 2024-05-01T12:00:00Z",
                "2024-05-01T12:00:00Z[UTC]",
            ),
            *(
                "2024-05-01T12:00:00+01:00:30",
                "２０２４-05-01T12:00:00Z",
                "2024-05-01T12:00:00\ud800",
                "9" * 100_000,
            ),
        ],
    )
    def test_refuses_other_forms(self, text):
        """The zone is mandatory, and no other writing of ISO 8601 is a dateTimeStamp."""
        assert code_of(parse_timestamp, text) == "not-a-timestamp"

    def test_writes_whole_seconds_of_utc(self):
        """Any zone becomes Z, a fraction is cut, early years keep four digits."""
        nepal = timezone(timedelta(hours=5, minutes=45))
        assert (
            format_timestamp(datetime(2024, 5, 1, 12, 0, 59, 999_999, tzinfo=nepal)) == "2024-05-01T06:15:59Z"
        )
        assert format_timestamp(datetime(33, 1, 2, tzinfo=UTC)) == "0033-01-02T00:00:00Z"

    def test_refuses_a_moment_without_zone(self):
        """A naive datetime is the caller's mistake, at any hour."""
        for moment in (datetime(2024, 5, 1), datetime.max):
            with pytest.raises(ValueError, match="time zone"):
                format_timestamp(moment)

    @pytest.mark.parametrize(
        "moment",
        [
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14))),
            datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-2))),
        ],
    )
    def test_refuses_a_moment_that_utc_has_not(self, moment):
        """The first and the last hours of the calendar are no moments of UTC in every zone."""
        with pytest.raises(ValueError, match="years 1 to 9999"):
            format_timestamp(moment)
        assert format_timestamp(moment.replace(tzinfo=UTC)).startswith(f"{moment.year:04}-")

    @settings(max_examples=200)
    @given(
        st.datetimes(
            min_value=datetime(1, 1, 2),
            max_value=datetime(9999, 12, 30),
            timezones=st.integers(-840, 840).map(lambda minutes: timezone(timedelta(minutes=minutes))),
        )
    )
    def test_round_trip(self, moment):
        """What is written is the same second, and what Python writes is read as the same moment."""
        assert parse_timestamp(format_timestamp(moment)) == moment.replace(microsecond=0)
        assert parse_timestamp(moment.isoformat()) == moment

    @settings(max_examples=300)
    @given(
        st.text(max_size=30) | st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-6][0-9]:[0-6][0-9]Z")
    )
    def test_arbitrary_text_raises_only_our_errors(self, text):
        """Whatever the text, there is a moment that can be brought to UTC, or a VcidError."""
        with suppress(VcidError):
            assert parse_timestamp(text).astimezone(UTC)

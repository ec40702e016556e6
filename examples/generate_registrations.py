"""Write examples/data/registrations.csv: a register of about a thousand invented births, some wrong.

Every name is made up, out of words that no family bears. The same seed gives the same file byte for byte; the
wrong rows are wrong in ways that real exports are. Run it as ``python examples/generate_registrations.py``.
"""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SEED = 20261122
GOOD_ROWS = 1000
# No day of the table lies after this one, so that nothing in it is ever in the future.
LAST_DAY = date(2024, 12, 31)
FIRST_DAY = date(2009, 1, 5)
TARGET = Path(__file__).parent / "data" / "registrations.csv"

Cells: TypeAlias = "dict[str, str]"

COLUMNS = (
    "registration_no",
    "date_registered",
    "office",
    "registration_type",
    "evidence",
    "name_status",
    "child_name",
    "child_given_name",
    "child_family_name",
    "name_language",
    "name_script",
    "child_name_latin",
    "date_of_birth",
    "date_of_birth_basis",
    "original_calendar",
    "original_date",
    "sex",
    "birth_country",
    "birth_region",
    "birth_town",
    "birth_place_type",
    "found_on",
    "found_in_country",
    "found_in_town",
    "parents_recorded",
    "mother_name",
    "father_name",
    "children_born",
    "birth_order",
)
_NAME_COLUMNS = (
    "child_name",
    "child_given_name",
    "child_family_name",
    "name_language",
    "name_script",
    "child_name_latin",
)


@dataclass(frozen=True, slots=True)
class Script:
    """Invented names in one script, each beside its transliteration where that is another."""

    code: str
    language: str
    given: tuple[tuple[str, str], ...]
    family: tuple[tuple[str, str], ...]


LATIN = Script(
    "Latn",
    "en",
    tuple(
        (name, name) for name in ("Amina", "Baraka", "Chipo", "Dalila", "Ekon", "Fanta", "Hasina", "Imani")
    ),
    tuple((name, name) for name in ("Example", "Muster", "Sample", "Specimen", "Invented", "Modelo")),
)
ARABIC = Script(
    "Arab",
    "ar",
    (("أمينة", "Amina"), ("سمير", "Samir"), ("ليلى", "Layla"), ("نور", "Nur"), ("هالة", "Hala")),
    (("مثال", "Mithal"), ("نموذج", "Namudhaj"), ("عينة", "Ayina"), ("تجربة", "Tajriba")),
)
ETHIOPIC = Script(
    "Ethi",
    "am",
    (("ሰላም", "Selam"), ("አበበ", "Abebe"), ("ብርሃን", "Birhan"), ("ጸሐይ", "Tsehay"), ("ደስታ", "Desta")),
    (("ምሳሌ", "Misale"), ("ናሙና", "Namuna"), ("ሙከራ", "Mukera")),
)
SCRIPTS = (LATIN, LATIN, ARABIC, ETHIOPIC)
OFFICES = ("Example North", "Example South", "Sample Hills", "Muster Lakeside", "Specimen Town")
TOWNS = ("Mustertown", "Sampleville", "Beispielberg", "Exampleford", "Modelo")
REGIONS = ("North Example", "South Example", "Lake Sample")


def make_table(seed: int = SEED) -> bytes:
    """Write the whole table, with a byte order mark and CRLF as spreadsheets do."""
    random = Random(seed)
    good = [_make_row(random, number) for number in range(1, GOOD_ROWS + 1)]
    lines = [_write(row) for row in good]
    wrong = list(_wrong_lines(random))
    places = sorted(random.sample(range(20, GOOD_ROWS - 20), len(wrong)), reverse=True)
    for place, line in zip(places, wrong, strict=True):
        lines.insert(place, line)
    header = (",".join(COLUMNS) + "\r\n").encode()
    return b"\xef\xbb\xbf" + header + b"".join(lines)


def _make_row(random: Random, number: int) -> Cells:
    """Make one row of a register: an ordinary birth, then whatever makes this one different."""
    row = _ordinary(random, number)
    for share, change in _VARIETY:
        if random.random() < share:
            row = change(random, row)
    return row


def _ordinary(random: Random, number: int) -> Cells:
    born = FIRST_DAY + timedelta(days=random.randrange((LAST_DAY - FIRST_DAY).days - 60))
    registered = born + timedelta(days=random.randrange(1, 56))
    script = random.choice(SCRIPTS)
    given, family = random.choice(script.given), random.choice(script.family)
    two_parents = random.random() < 0.8
    return dict.fromkeys(COLUMNS, "") | {
        "registration_no": f"{registered.year}/{number:05}",
        "date_registered": registered.isoformat(),
        "office": random.choice(OFFICES),
        "registration_type": "timely",
        "name_status": "named",
        "child_name": f"{given[0]} {family[0]}",
        "child_given_name": given[0],
        "child_family_name": family[0],
        "name_language": script.language,
        "name_script": script.code,
        "child_name_latin": "" if script is LATIN else f"{given[1]} {family[1]}",
        "date_of_birth": born.isoformat(),
        "date_of_birth_basis": random.choice(("birth record", "birth record", "declared")),
        "sex": random.choice("MF"),
        "birth_country": "KE",
        "birth_region": random.choice(REGIONS),
        "birth_town": random.choice(TOWNS),
        "birth_place_type": random.choice(("hospital", "hospital", "home", "on the way")),
        "parents_recorded": "all" if two_parents else "some",
        "mother_name": f"{random.choice(script.given)[0]} {family[0]}",
        "father_name": f"{random.choice(script.given)[0]} {family[0]}" if two_parents else "",
        "children_born": "1",
    }


def _mononym(_: Random, row: Cells) -> Cells:
    latin = row["child_name_latin"].split()[:1]
    return row | {
        "child_name": row["child_given_name"] or row["child_name"],
        "child_given_name": "",
        "child_family_name": "",
        "child_name_latin": "".join(latin),
    }


def _late(random: Random, row: Cells) -> Cells:
    born = date.fromisoformat(row["date_of_birth"])
    registered = min(born + timedelta(days=random.randrange(400, 5000)), LAST_DAY)
    kind = random.choice(("late", "late", "by court", "rebuilt"))
    evidence = (
        "judgment" if kind == "by court" else random.choice(("clinic card", "witness", "school register"))
    )
    return row | {"date_registered": registered.isoformat(), "registration_type": kind, "evidence": evidence}


def _uncertain_date(random: Random, row: Cells) -> Cells:
    year, month, _ = row["date_of_birth"].split("-")
    written = random.choice(
        (year, f"{year}-{month}", f"{year}~", f"{year}-{month}~", f"{year}?", f"{int(year) - 1}/{year}")
    )
    basis = random.choice(("estimated", "age assessment", "declared"))
    return row | {"date_of_birth": written, "date_of_birth_basis": basis}


def _other_calendar(random: Random, row: Cells) -> Cells:
    year = int(row["date_of_birth"][:4])
    calendar, offset = random.choice((("Ethiopian", -8), ("Hijri", -580), ("Nepali", 57)))
    written = f"{random.randrange(1, 29)}/{random.randrange(1, 13)}/{year + offset}"
    return row | {"original_calendar": calendar, "original_date": written}


def _twin(random: Random, row: Cells) -> Cells:
    # Registries often write that it was twins and not which was first.
    return row | {
        "children_born": random.choice(("2", "2", "3")),
        "birth_order": random.choice(("", "1", "2")),
    }


def _unnamed(_: Random, row: Cells) -> Cells:
    return row | dict.fromkeys(_NAME_COLUMNS, "") | {"name_status": "not yet named"}


def _undetermined_sex(random: Random, row: Cells) -> Cells:
    return row | {"sex": random.choice("IIU")}


def _without_parents(random: Random, row: Cells) -> Cells:
    status = random.choice(("unknown", "withheld"))
    return row | {"parents_recorded": status, "mother_name": "", "father_name": ""}


def _foundling(_: Random, row: Cells) -> Cells:
    registered = date.fromisoformat(row["date_registered"])
    return row | {
        "name_status": "named by authority" if row["child_name"] else row["name_status"],
        "date_of_birth": f"{registered.year - 1}/{registered.year}",
        "date_of_birth_basis": "estimated",
        "birth_country": "unknown",
        "birth_region": "",
        "birth_town": "",
        "birth_place_type": "unknown",
        "found_on": (registered - timedelta(days=1)).isoformat(),
        "found_in_country": "KE",
        "found_in_town": row["birth_town"] or TOWNS[0],
        "parents_recorded": "unknown",
        "mother_name": "",
        "father_name": "",
        "original_calendar": "",
        "original_date": "",
    }


_VARIETY: tuple[tuple[float, Callable[[Random, Cells], Cells]], ...] = (
    (0.06, _mononym),
    (0.12, _late),
    (0.05, _other_calendar),
    (0.08, _uncertain_date),
    (0.03, _twin),
    (0.02, _unnamed),
    (0.02, _undetermined_sex),
    (0.06, _without_parents),
    (0.02, _foundling),
)


def _wrong_lines(random: Random) -> Iterator[bytes]:
    """Make the wrong rows. Each is wrong in a way that registries' exports have been."""
    rows = (_ordinary(random, number) for number in range(GOOD_ROWS + 1, GOOD_ROWS + 100))
    yield _write(next(rows) | {"date_of_birth": "44270"})  # a spreadsheet's count of days
    yield _write(next(rows) | {"date_of_birth": "15/03/2021", "sex": "X"})  # two faults, both to be told
    yield _write(next(rows) | {"date_of_birth": "31/02/2020"})
    yield _write(next(rows) | {"date_of_birth": "2021-02-30"})
    swapped = next(rows)
    yield _write(swapped | {"child_name": swapped["date_of_birth"], "date_of_birth": swapped["child_name"]})
    yield _write(next(rows) | {"child_name": "Amina\nExample"})  # Enter was pressed in the form
    yield _write(next(rows) | {"date_of_birth": "2019/2018"})  # an interval back to front
    yield _write(next(rows) | {"date_of_birth": "2099-01-01"})  # not born yet, and registered before
    yield _write(next(rows) | {"date_of_birth": "2020-06-01", "date_registered": "2019-06-10"})
    jose = {
        "child_name": "José Muster",
        "child_given_name": "",
        "child_family_name": "",
        "name_script": "Latn",
    }
    yield _write(next(rows) | jose).replace("é".encode(), b"\xe9")
    yield _write(next(rows) | {"registration_type": "late"})  # and nothing that it rests on
    yield _write(next(rows) | {"parents_recorded": "withheld"})  # withheld, and yet in the table
    for _ in range(2):  # the second entry of one number
        yield _write(next(rows) | {"registration_no": "2021/00000", "office": "Sample Hills"})
    yield _write(next(rows)).replace(b",,", b",", 1)  # a cell too few
    yield _write(next(rows) | {"office": "Muster"}).replace(
        b"Muster,", b"Muster, Lakeside,", 1
    )  # one too many
    yield _write(next(rows) | {"office": "Sample"}).replace(
        b"Sample", b'"Sample', 1
    )  # a quote that nothing ends


def _write(row: Cells) -> bytes:
    text = io.StringIO()
    csv.DictWriter(text, COLUMNS, lineterminator="\r\n").writerow(row)
    return text.getvalue().encode()


if __name__ == "__main__":
    TARGET.parent.mkdir(exist_ok=True)
    TARGET.write_bytes(make_table())
    print(f"wrote {TARGET}")

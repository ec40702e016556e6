"""The parts of a birth registration: names, places, parents, the registration itself and its evidence.

Each part is a frozen record that writes itself as JSON, reads itself from JSON, and notes its own faults.
What a part says about a person stays out of its ``repr``.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from vcid.credentials.birth_terms import (
    Calendar,
    EvidenceKind,
    NameKind,
    ParentBasis,
    ParentRole,
    PlaceType,
    RegistrationType,
)
from vcid.credentials.codes import COUNTRIES, DID, JURISDICTION, LANGUAGE_TAG, SCRIPT, UNKNOWN_COUNTRY
from vcid.credentials.records import MAX_ITEMS, pointer, stated
from vcid.credentials.text import fits_script, has_letter

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcid.credentials.reading import ObjectReader
    from vcid.credentials.records import Faults
    from vcid.encoding.json import JsonObject

MAX_LABEL = 60
"""Characters in a label, an office's number or a date as written."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Name:
    """One name, in one script. Only ``full`` is mandatory: many people have one name, or a chain of them.

    Text is normalised to NFC when the record is made.

    Attributes:
        full: the whole name as it is written.
        given: the given part, where the culture has one.
        family: the family part, where the culture has one.
        lang: its language, as a BCP 47 tag.
        script: its script, as an ISO 15924 code. It must be that of the letters.
        kind: the legal name, or one made from it by transliteration.
    """

    full: str = field(repr=False)
    given: str | None = field(default=None, repr=False)
    family: str | None = field(default=None, repr=False)
    lang: str | None = field(default=None, repr=False)
    script: str | None = field(default=None, repr=False)
    kind: NameKind = NameKind.LEGAL

    def __post_init__(self) -> None:
        for part in ("full", "given", "family"):
            text = getattr(self, part)
            if isinstance(text, str) and not text.isascii():
                object.__setattr__(self, part, unicodedata.normalize("NFC", text))

    def to_json(self) -> JsonObject:
        """Write the name as it stands in a credential."""
        return stated(
            {
                "full": self.full,
                "given": self.given,
                "family": self.family,
                "lang": self.lang,
                "script": self.script,
                "kind": self.kind,
            }
        )

    @classmethod
    def read(cls, reader: ObjectReader) -> Name:
        """Read a name from a credential."""
        return cls(
            full=reader.string("full"),
            given=reader.string("given"),
            family=reader.string("family"),
            lang=reader.string("lang"),
            script=reader.string("script"),
            kind=reader.enum("kind", NameKind) or NameKind.LEGAL,
        )

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this name."""
        for key, text in (("full", self.full), ("given", self.given), ("family", self.family)):
            here = pointer(path, key)
            if not faults.check_text(here, text, required=key == "full") or text is None:
                continue
            if not has_letter(text):
                faults.add(here, "no-letter", "a name, with at least one letter", text)
            elif isinstance(self.script, str) and not fits_script(text, self.script):
                faults.add(here, "script-mismatch", "letters of the script that is stated", text)
        faults.check_pattern(
            pointer(path, "lang"), self.lang, LANGUAGE_TAG, "a language tag (BCP 47)", required=False
        )
        faults.check_pattern(
            pointer(path, "script"),
            self.script,
            SCRIPT,
            "a script code (ISO 15924), such as Latn",
            required=False,
        )
        if _scripts_differ(self.lang, self.script):
            faults.add(
                pointer(path, "lang"), "script-mismatch", "no other script than the one stated", self.lang
            )
        faults.check_type(pointer(path, "kind"), self.kind, NameKind)


def _scripts_differ(lang: object, script: object) -> bool:
    if not isinstance(lang, str) or not isinstance(script, str):
        return False
    subtags = lang.split("-")[1:]
    stated_in_tag = next((tag.title() for tag in subtags if len(tag) == 4 and tag.isalpha()), script)
    return stated_in_tag != script


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalDate:
    """A date as the register wrote it, in its own calendar; kept as it stands and never computed with.

    Attributes:
        calendar: the calendar.
        text: the date as written, in the register's digits and words.
    """

    calendar: Calendar
    text: str = field(repr=False)

    def to_json(self) -> JsonObject:
        """Write the date as it stands in a credential."""
        return stated({"calendar": self.calendar, "text": self.text})

    @classmethod
    def read(cls, reader: ObjectReader) -> OriginalDate:
        """Read the date from a credential."""
        return cls(calendar=reader.enum("calendar", Calendar), text=reader.string("text"))

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this date."""
        faults.check_type(pointer(path, "calendar"), self.calendar, Calendar)
        faults.check_text(pointer(path, "text"), self.text, limit=MAX_LABEL)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """A place of birth or of finding.

    Attributes:
        country: ISO 3166-1 alpha-2, XK, or ``unknown``.
        region: the region, in words.
        locality: the town or village, in words.
        place_type: what kind of place.
    """

    country: str = field(repr=False)
    region: str | None = field(default=None, repr=False)
    locality: str | None = field(default=None, repr=False)
    place_type: PlaceType | None = field(default=None, repr=False)

    def to_json(self) -> JsonObject:
        """Write the place as it stands in a credential."""
        return stated(
            {
                "country": self.country,
                "region": self.region,
                "locality": self.locality,
                "placeType": self.place_type,
            }
        )

    @classmethod
    def read(cls, reader: ObjectReader) -> Place:
        """Read a place from a credential."""
        return cls(
            country=reader.string("country"),
            region=reader.string("region"),
            locality=reader.string("locality"),
            place_type=reader.enum("placeType", PlaceType),
        )

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this place."""
        here = pointer(path, "country")
        if faults.check_type(here, self.country, str) and self.country not in (*COUNTRIES, UNKNOWN_COUNTRY):
            faults.add(
                here, "unknown-country", "a country of ISO 3166-1 in two letters, or unknown", self.country
            )
        faults.check_text(pointer(path, "region"), self.region, required=False)
        faults.check_text(pointer(path, "locality"), self.locality, required=False)
        faults.check_type(pointer(path, "placeType"), self.place_type, PlaceType, required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Where and when a foundling was found.

    Attributes:
        date: the day.
        place: the place.
    """

    date: date = field(repr=False)
    place: Place = field(repr=False)

    def to_json(self) -> JsonObject:
        """Write the finding as it stands in a credential."""
        return stated({"date": self.date, "place": self.place})

    @classmethod
    def read(cls, reader: ObjectReader) -> Finding:
        """Read a finding from a credential."""
        return cls(date=reader.day("date"), place=reader.record("place", Place.read))

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this finding."""
        faults.check_type(pointer(path, "date"), self.date, date)
        if faults.check_type(pointer(path, "place"), self.place, Place, "a place"):
            self.place.check(faults, pointer(path, "place"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Parent:
    """One parent on record.

    Attributes:
        role: in what sense a parent, where the register says so.
        basis: by what act or rule, where the register says so.
        label: the register's own word, such as *mother*.
        names: the parent's names.
        id: a DID of the parent, where one is known.
    """

    role: ParentRole | None = field(default=None, repr=False)
    basis: ParentBasis | None = field(default=None, repr=False)
    label: str | None = field(default=None, repr=False)
    names: Sequence[Name] = field(default=(), repr=False)
    id: str | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if isinstance(self.names, list):
            object.__setattr__(self, "names", tuple(self.names))

    def to_json(self) -> JsonObject:
        """Write the parent as it stands in a credential."""
        return stated(
            {
                "id": self.id,
                "role": self.role,
                "basis": self.basis,
                "label": self.label,
                "names": self.names,
            }
        )

    @classmethod
    def read(cls, reader: ObjectReader) -> Parent:
        """Read a parent from a credential."""
        return cls(
            role=reader.enum("role", ParentRole),
            basis=reader.enum("basis", ParentBasis),
            label=reader.string("label"),
            names=reader.records("names", Name.read),
            id=reader.string("id"),
        )

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this parent."""
        if not (self.names or self.label or self.role or self.id):
            faults.add(path, "required", "a parent's names, label, role or id")
        faults.check_type(pointer(path, "role"), self.role, ParentRole, required=False)
        faults.check_type(pointer(path, "basis"), self.basis, ParentBasis, required=False)
        if self.basis is ParentBasis.ADOPTION_ORDER and self.role not in (None, ParentRole.ADOPTIVE):
            faults.add(pointer(path, "role"), "role-mismatch", "adoptive, as the basis is an adoption order")
        faults.check_text(pointer(path, "label"), self.label, required=False, limit=MAX_LABEL)
        faults.check_pattern(pointer(path, "id"), self.id, DID, "a DID", required=False)
        here = pointer(path, "names")
        if faults.check_type(here, self.names, tuple, "a list"):
            check_each(self.names, Name, faults, here)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registration:
    """The entry in the register.

    Attributes:
        number: the entry's number, as the register writes it.
        date: the day of registration.
        jurisdiction: ISO 3166-1 alpha-2, XK, or a subdivision of ISO 3166-2.
        office: the registering office, in words or as its code.
        type: how the registration came about; ``registrationType`` in JSON, whose ``type`` is another.
    """

    number: str = field(repr=False)
    date: date = field(repr=False)
    jurisdiction: str
    office: str = field(repr=False)
    type: RegistrationType = field(repr=False)

    def to_json(self) -> JsonObject:
        """Write the registration as it stands in a credential."""
        return stated(
            {
                "number": self.number,
                "date": self.date,
                "jurisdiction": self.jurisdiction,
                "office": self.office,
                "registrationType": self.type,
            }
        )

    @classmethod
    def read(cls, reader: ObjectReader) -> Registration:
        """Read a registration from a credential."""
        return cls(
            number=reader.string("number"),
            date=reader.day("date"),
            jurisdiction=reader.string("jurisdiction"),
            office=reader.string("office"),
            type=reader.enum("registrationType", RegistrationType),
        )

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this registration."""
        faults.check_text(pointer(path, "number"), self.number, limit=MAX_LABEL)
        faults.check_type(pointer(path, "date"), self.date, date)
        check_jurisdiction(faults, pointer(path, "jurisdiction"), self.jurisdiction)
        faults.check_text(pointer(path, "office"), self.office)
        faults.check_type(pointer(path, "registrationType"), self.type, RegistrationType)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a registration rests on; an item of the credential's ``evidence`` (VCDM 2.0, section 5.6).

    Attributes:
        kind: what it was.
        date: its day, where it has one.
    """

    kind: EvidenceKind = field(repr=False)
    date: date | None = field(default=None, repr=False)

    def to_json(self) -> JsonObject:
        """Write the evidence as it stands in a credential."""
        return stated({"type": "BirthEvidence", "kind": self.kind, "date": self.date})

    @classmethod
    def read(cls, reader: ObjectReader) -> Evidence:
        """Read evidence from a credential."""
        reader.expect_type("BirthEvidence", required=False)
        return cls(kind=reader.enum("kind", EvidenceKind), date=reader.day("date"))

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this evidence."""
        faults.check_type(pointer(path, "kind"), self.kind, EvidenceKind)
        faults.check_type(pointer(path, "date"), self.date, date, required=False)


def check_jurisdiction(faults: Faults, path: str, code: object) -> None:
    """Note that a value is no jurisdiction."""
    faults.check_pattern(
        path, code, JURISDICTION, "a country of ISO 3166-1 or a subdivision, such as ET or ET-AA"
    )


def check_each(items: Sequence[object], kind: type, faults: Faults, path: str) -> None:
    """Note the faults of each part in a sequence of parts."""
    if len(items) > MAX_ITEMS:
        faults.add(path, "too-many", f"at most {MAX_ITEMS} items")
    for index, item in enumerate(items[:MAX_ITEMS]):
        here = pointer(path, index)
        if faults.check_type(here, item, kind):
            item.check(faults, here)  # type: ignore[attr-defined]  # parts have it, and this is one

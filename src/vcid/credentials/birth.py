"""The birth registration: what a civil registry says about a child, as one frozen record.

The record is the subject of a ``BirthRegistrationCredential`` under Verifiable Credentials Data Model 2.0.
Its terms are those of schema.org, PublicSchema and the vcid vocabulary (context https://w3id.org/vcid/v1).
Late registration, unknown parents, a foundling, an estimated date, no name yet and undetermined sex are
ordinary here: each has a value of its own, so that nobody must falsify a record to make it fit. The record
proves a birth and its registration; it never proves custody.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, ClassVar

from vcid.credentials.birth_parts import (
    Evidence,
    Finding,
    Name,
    OriginalDate,
    Parent,
    Place,
    Registration,
    check_each,
)
from vcid.credentials.birth_rules import check_rules
from vcid.credentials.birth_terms import (
    BirthDateBasis,
    BirthType,
    Calendar,
    EvidenceKind,
    NameKind,
    NameStatus,
    NationalityStatus,
    ParentageStatus,
    ParentBasis,
    ParentRole,
    PlaceType,
    RegistrationType,
    SexAtBirth,
)
from vcid.credentials.codes import CHILD_REF, COUNTRIES, DID, new_child_ref
from vcid.credentials.reading import ObjectReader, read_object
from vcid.credentials.records import Faults, pointer, stated
from vcid.encoding.dates import UncertainDate, utc_now

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import date

    from vcid.encoding.json import JSON, JsonObject
    from vcid.errors import FieldError

__all__ = [
    "BirthDateBasis",
    "BirthRegistration",
    "BirthType",
    "Calendar",
    "Evidence",
    "EvidenceKind",
    "Finding",
    "Name",
    "NameKind",
    "NameStatus",
    "NationalityStatus",
    "OriginalDate",
    "Parent",
    "ParentBasis",
    "ParentRole",
    "ParentageStatus",
    "Place",
    "PlaceType",
    "Registration",
    "RegistrationType",
    "SexAtBirth",
    "UncertainDate",
    "latest_day",
    "new_child_ref",
]

SUBJECT_TYPE = "RegisteredPerson"
_LISTS = ("names", "parents", "nationalities", "evidence")


@dataclass(frozen=True, slots=True, kw_only=True)
class BirthRegistration:
    """One registered birth. `validate` finds every fault at once; nothing is checked before it is called.

    Attributes:
        birth_date: when the child was born, as precisely as is known (EDTF).
        birth_date_basis: what that date rests on.
        sex_at_birth: the sex recorded at birth.
        birth_place: where; the country may be ``unknown``.
        registration: the entry in the register.
        parentage_status: how many of the parents are named.
        names: the child's names; empty only while the child is not yet named.
        name_status: whether the child has a name, and from whom.
        birth_date_original: the date as the register wrote it, in its own calendar.
        finding: where and when a foundling was found.
        parents: the parents on record, in no order of rank.
        birth_type: how many children the delivery brought.
        birth_order: which of several this child is, from 1.
        nationalities: ISO 3166-1 codes. Left out unless the purpose needs them.
        nationality_status: what is known of the nationality.
        evidence: what the registration rests on; mandatory where it was late.
        child_ref: what all credentials about this registration share; random unless handed in.
    """

    credential_type: ClassVar[str] = "BirthRegistrationCredential"
    schema_id: ClassVar[str] = "https://w3id.org/vcid/schemas/birth-registration/v1.json"

    birth_date: UncertainDate = field(repr=False)
    birth_date_basis: BirthDateBasis = field(repr=False)
    sex_at_birth: SexAtBirth = field(repr=False)
    birth_place: Place = field(repr=False)
    registration: Registration
    parentage_status: ParentageStatus = field(repr=False)
    names: Sequence[Name] = field(default=(), repr=False)
    name_status: NameStatus = NameStatus.RECORDED
    birth_date_original: OriginalDate | None = field(default=None, repr=False)
    finding: Finding | None = field(default=None, repr=False)
    parents: Sequence[Parent] = field(default=(), repr=False)
    birth_type: BirthType | None = field(default=None, repr=False)
    birth_order: int | None = field(default=None, repr=False)
    nationalities: Sequence[str] = field(default=(), repr=False)
    nationality_status: NationalityStatus | None = field(default=None, repr=False)
    evidence: Sequence[Evidence] = field(default=(), repr=False)
    child_ref: str = field(default_factory=new_child_ref, repr=False)

    def __post_init__(self) -> None:
        for name in _LISTS:
            if isinstance(value := getattr(self, name), list):
                object.__setattr__(self, name, tuple(value))

    @property
    def jurisdiction(self) -> str:
        """Whose register this is: the jurisdiction in which an issuer must be accredited."""
        return self.registration.jurisdiction

    def validate(self, on: date | None = None) -> None:
        """Refuse a record that has faults, naming all of them.

        Args:
            on: the day it is; nothing may have happened after it. By default the day that it already is
                somewhere on Earth, so that no registrar east of this machine is told of the future.

        Raises:
            InvalidRecord: with every fault, each under the JSON pointer of its field in the subject.
        """
        faults = Faults()
        faults.extend(self.faults(on or latest_day(utc_now())))
        faults.raise_any()

    def faults(self, on: date | None = None) -> tuple[FieldError, ...]:
        """Return every fault of the record; without a day, the future is not looked for."""
        faults = Faults()
        self._check_fields(faults)
        if self._has_lists(faults):
            self._check_parts(faults)
            check_rules(self, faults, on)
        return faults.collected()

    def to_subject(self, child_did: str) -> JsonObject:
        """Write the credential's subject, under a DID made for this credential alone.

        Evidence is no part of a subject: see `evidence_json`.

        Raises:
            InvalidRecord: the record has faults, or the DID is none.
        """
        faults = Faults()
        faults.check_pattern("/id", child_did, DID, "a DID")
        faults.extend(self.faults())
        faults.raise_any()
        return {"id": child_did, "type": SUBJECT_TYPE, **self._fields_json()}

    def evidence_json(self) -> list[JsonObject]:
        """Write the credential's ``evidence`` (VCDM 2.0, section 5.6)."""
        return [item.to_json() for item in self.evidence]

    @classmethod
    def from_subject(cls, subject: JsonObject, *, evidence: JSON = None) -> BirthRegistration:
        """Read the subject of a credential, and its ``evidence``, which is one object or several.

        Whether something lies in the future is not asked: that is the verifier's question.

        Raises:
            InvalidRecord: with every fault.
        """
        faults = Faults()
        items = [evidence] if isinstance(evidence, dict) else evidence
        reader = ObjectReader({**subject, "evidence": items or []}, "", faults)
        reader.expect_type(SUBJECT_TYPE)
        reader.string("id")
        record = cls._read(reader, reader.string("childRef"))
        reader.finish()
        faults.extend(record.faults())
        faults.raise_any()
        return record

    @classmethod
    def from_mapping(
        cls,
        mapping: Mapping[str, JSON],
        *,
        on: date | None = None,
        new_ref: Callable[[], str] = new_child_ref,
    ) -> BirthRegistration:
        """Read a record from plain data with the field names of the subject, and ``evidence``.

        Args:
            mapping: the fields. What no credential says is refused by name, in any spelling.
            on: the day it is, as in `validate`.
            new_ref: draws a reference where the mapping has no ``childRef``.

        Raises:
            InvalidRecord: with every fault.
        """
        record, errors = cls.read_mapping(mapping, on=on or latest_day(utc_now()), new_ref=new_ref)
        faults = Faults()
        faults.extend(errors)
        faults.raise_any()
        return record

    @classmethod
    def read_mapping(
        cls, mapping: Mapping[str, JSON], *, on: date, new_ref: Callable[[], str] = new_child_ref
    ) -> tuple[BirthRegistration, tuple[FieldError, ...]]:
        """Read a record as `from_mapping` does, and return the faults beside it instead of raising them.

        With any fault the record is of no use but to count what else is wrong.
        """
        faults = Faults()
        record = read_object(mapping, "", faults, lambda reader: cls._read(reader, new_ref()))
        faults.extend(record.faults(on))
        return record, faults.collected()

    @classmethod
    def _read(cls, reader: ObjectReader, child_ref: str) -> BirthRegistration:
        return cls(
            birth_date=reader.uncertain_date("birthDate"),
            birth_date_basis=reader.enum("birthDateBasis", BirthDateBasis),
            sex_at_birth=reader.enum("sexAtBirth", SexAtBirth),
            birth_place=reader.record("birthPlace", Place.read),
            registration=reader.record("registration", Registration.read),
            parentage_status=reader.enum("parentageStatus", ParentageStatus),
            names=reader.records("names", Name.read),
            name_status=reader.enum("nameStatus", NameStatus),
            birth_date_original=reader.record("birthDateOriginal", OriginalDate.read),
            finding=reader.record("finding", Finding.read),
            parents=reader.records("parents", Parent.read),
            birth_type=reader.enum("birthType", BirthType),
            birth_order=reader.integer("birthOrder"),
            nationalities=reader.strings("nationalities"),
            nationality_status=reader.enum("nationalityStatus", NationalityStatus),
            evidence=reader.records("evidence", Evidence.read),
            child_ref=reader.string("childRef") or child_ref,
        )

    def _fields_json(self) -> JsonObject:
        return stated(
            {
                "childRef": self.child_ref,
                "names": self.names,
                "nameStatus": self.name_status,
                "birthDate": self.birth_date,
                "birthDateOriginal": self.birth_date_original,
                "birthDateBasis": self.birth_date_basis,
                "sexAtBirth": self.sex_at_birth,
                "birthPlace": self.birth_place,
                "finding": self.finding,
                "parents": self.parents,
                "parentageStatus": self.parentage_status,
                "birthType": self.birth_type,
                "birthOrder": self.birth_order,
                "nationalities": self.nationalities,
                "nationalityStatus": self.nationality_status,
                "registration": self.registration,
            }
        )

    def _check_fields(self, faults: Faults) -> None:
        faults.check_type("/birthDate", self.birth_date, UncertainDate, "a date of the EDTF subset")
        faults.check_type("/birthDateBasis", self.birth_date_basis, BirthDateBasis)
        faults.check_type("/sexAtBirth", self.sex_at_birth, SexAtBirth)
        faults.check_type("/parentageStatus", self.parentage_status, ParentageStatus)
        faults.check_type("/nameStatus", self.name_status, NameStatus)
        faults.check_type("/birthType", self.birth_type, BirthType, required=False)
        faults.check_type("/birthOrder", self.birth_order, int, required=False)
        faults.check_type("/nationalityStatus", self.nationality_status, NationalityStatus, required=False)
        faults.check_pattern("/childRef", self.child_ref, CHILD_REF, "128 random bits in base64url")

    def _has_lists(self, faults: Faults) -> bool:
        wrong = [name for name in _LISTS if not isinstance(getattr(self, name), tuple)]
        for name in wrong:
            faults.add(f"/{name}", "wrong-type", "a list")
        return not wrong

    def _check_parts(self, faults: Faults) -> None:
        for path, part, kind, required in (
            ("/birthPlace", self.birth_place, Place, True),
            ("/registration", self.registration, Registration, True),
            ("/birthDateOriginal", self.birth_date_original, OriginalDate, False),
            ("/finding", self.finding, Finding, False),
        ):
            if faults.check_type(path, part, kind, required=required) and part is not None:
                part.check(faults, path)
        check_each(self.names, Name, faults, "/names")
        check_each(self.parents, Parent, faults, "/parents")
        check_each(self.evidence, Evidence, faults, "/evidence")
        for index, code in enumerate(self.nationalities):
            if code not in COUNTRIES:
                path = pointer("/nationalities", index)
                faults.add(path, "unknown-country", "a country of ISO 3166-1 in two letters", code)


def latest_day(now: datetime) -> date:
    """Return the latest day that it is anywhere on Earth at a moment: that of the time zone UTC+14."""
    return now.astimezone(timezone(timedelta(hours=14))).date()

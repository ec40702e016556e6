"""The closed lists of words that a birth registration uses, written in credentials as they stand here."""

from __future__ import annotations

from enum import StrEnum


class NameKind(StrEnum):
    """How a name came to be written so."""

    LEGAL = "legal"
    TRANSLITERATION = "transliteration"


class NameStatus(StrEnum):
    """Whether the child has a name on record, and from whom."""

    RECORDED = "recorded"
    NOT_YET_NAMED = "notYetNamed"
    ASSIGNED_BY_AUTHORITY = "assignedByAuthority"


class BirthDateBasis(StrEnum):
    """What the birth date rests on."""

    DOCUMENTED = "documented"
    DECLARED = "declared"
    ESTIMATED = "estimated"
    AGE_ASSESSMENT = "ageAssessment"
    ASSIGNED = "assigned"


class Calendar(StrEnum):
    """The calendar in which a register wrote a date."""

    BUDDHIST = "buddhist"
    CHINESE = "chinese"
    COPTIC = "coptic"
    ETHIOPIAN = "ethiopian"
    GREGORIAN = "gregorian"
    HEBREW = "hebrew"
    HIJRI = "hijri"
    INDIAN_NATIONAL = "indianNational"
    JAPANESE = "japanese"
    JULIAN = "julian"
    MINGUO = "minguo"
    NEPALI = "nepali"
    SOLAR_HIJRI = "solarHijri"


class SexAtBirth(StrEnum):
    """The sex that was recorded at birth. Undetermined is a finding; notKnown is the lack of one."""

    MALE = "male"
    FEMALE = "female"
    UNDETERMINED = "undetermined"
    NOT_KNOWN = "notKnown"


class PlaceType(StrEnum):
    """The kind of place where a birth happened."""

    HEALTH_FACILITY = "healthFacility"
    HOME = "home"
    EN_ROUTE = "enRoute"
    OTHER = "other"
    UNKNOWN = "unknown"


class ParentRole(StrEnum):
    """In what sense somebody is a parent, where the register says so.

    A register's *mother* and *father* are labels and go into `Parent.label`; they never mean biological.
    """

    BIOLOGICAL = "biological"
    GESTATIONAL = "gestational"
    LEGAL = "legal"
    ADOPTIVE = "adoptive"


class ParentBasis(StrEnum):
    """The act or rule by which somebody became a parent in law."""

    MARITAL_PRESUMPTION = "maritalPresumption"
    VOLUNTARY_RECOGNITION = "voluntaryRecognition"
    JUDICIAL_DECLARATION = "judicialDeclaration"
    ADOPTION_ORDER = "adoptionOrder"
    SURROGACY_ORDER = "surrogacyOrder"


class ParentageStatus(StrEnum):
    """How many of the child's parents the record names."""

    ALL = "all"
    PARTIAL = "partial"
    NONE = "none"
    WITHHELD = "withheld"


class BirthType(StrEnum):
    """How many children one delivery brought."""

    SINGLE = "single"
    TWIN = "twin"
    TRIPLET = "triplet"
    QUADRUPLET = "quadruplet"
    QUINTUPLET = "quintuplet"
    HIGHER_ORDER = "higherOrder"


class NationalityStatus(StrEnum):
    """What is known of the child's nationality."""

    RECORDED = "recorded"
    UNDETERMINED = "undetermined"
    STATELESS = "stateless"
    REFUGEE = "refugee"
    UNSPECIFIED = "unspecified"


class RegistrationType(StrEnum):
    """How the registration came about. None says *corrected*: that would mark an adopted child."""

    CURRENT = "current"
    LATE = "late"
    COURT_ORDERED = "courtOrdered"
    RECONSTRUCTION = "reconstruction"


class EvidenceKind(StrEnum):
    """What a registrar saw or heard before registering."""

    HEALTH_RECORD = "healthRecord"
    WITNESS = "witness"
    SCHOOL = "school"
    AGE_ASSESSMENT = "ageAssessment"
    JUDGMENT = "judgment"

"""The closed lists of words that a guardianship uses, written in credentials as they stand here."""

from __future__ import annotations

from enum import StrEnum


class Act(StrEnum):
    """What an adult may be permitted to do with or for a child."""

    EMERGENCY_MEDICAL = "emergencyMedical"
    ROUTINE_MEDICAL = "routineMedical"
    MAJOR_MEDICAL = "majorMedical"
    SCHOOL_ENROL = "schoolEnrol"
    COLLECT_AID = "collectAid"
    OBTAIN_DOCUMENTS = "obtainDocuments"
    DOMESTIC_TRAVEL = "domesticTravel"
    INTERNATIONAL_TRAVEL = "internationalTravel"
    RELOCATE = "relocate"
    DELEGATE = "delegate"


class Basis(StrEnum):
    """What an adult's authority over a child rests on."""

    PARENTAGE = "parentage"
    PARENTAL_DELEGATION = "parentalDelegation"
    TESTAMENTARY = "testamentary"
    COURT_ORDER = "courtOrder"
    STATUTORY = "statutory"
    CUSTOMARY = "customary"
    KAFALA = "kafala"
    CHILD_PROTECTION_PLACEMENT = "childProtectionPlacement"
    INTERIM_CASEWORKER = "interimCaseworker"


class AuthorityRole(StrEnum):
    """In what role an authority issued the credential. Rank between roles is the verifier's business."""

    COURT = "court"
    CHILD_PROTECTION_AUTHORITY = "childProtectionAuthority"
    CIVIL_REGISTRY = "civilRegistry"
    NOTARY = "notary"
    CUSTOMARY_AUTHORITY = "customaryAuthority"


class GuardianType(StrEnum):
    """Whether a guardian is a natural person or an organization; the JSON-LD type."""

    PERSON = "Person"
    ORGANIZATION = "Organization"


class Relation(StrEnum):
    """How a guardian is related to the child."""

    PARENT = "parent"
    STEP_PARENT = "stepParent"
    GRANDPARENT = "grandparent"
    SIBLING = "sibling"
    AUNT_OR_UNCLE = "auntOrUncle"
    OTHER_RELATIVE = "otherRelative"
    FOSTER_CARER = "fosterCarer"
    KAFIL = "kafil"
    CARE_INSTITUTION = "careInstitution"
    CASE_MANAGEMENT_AGENCY = "caseManagementAgency"
    NOT_RELATED = "notRelated"

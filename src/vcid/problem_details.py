"""What went wrong, as other software reads it: problem details (RFC 9457) with the specifications' types.

A code of vcid says more than any type does, and goes along as a member of its own. The types are those of
the Verifiable Credentials Data Model 2.0 (section "Problem Details"), of VC Data Integrity 1.0, Bitstring
Status List 1.0 and Controlled Identifiers 1.0 (each "Processing Errors") and of DID Resolution ("Errors").
For what none of them knows (who is accredited, what a schema or a ledger says) vcid has its own types, below
``https://w3id.org/vcid/problems#``. Like the errors that it is made from, a problem repeats no value found.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vcid.errors import (
    Behind,
    Coded,
    Conflict,
    InvalidProof,
    InvalidRecord,
    LimitExceeded,
    Locked,
    Malformed,
    NotVerified,
    ResolutionFailed,
    StoreTooNew,
    Unavailable,
)
from vcid.report import Check, CheckName, PresentationReport, Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vcid.encoding.json import JsonObject
    from vcid.errors import FieldError, VcidError

_MODEL: Final = "https://www.w3.org/TR/vc-data-model#"
_SECURITY: Final = "https://w3id.org/security#"
_STATUS: Final = "https://www.w3.org/ns/credentials/status-list#"
_DID: Final = "https://www.w3.org/ns/did#"
_OWN: Final = "https://w3id.org/vcid/problems#"

MAX_PROBLEMS: Final = 100
"""The most problems that one report or record is turned into."""


class ProblemType(StrEnum):
    """The types of problem, by their URLs."""

    PARSING = f"{_MODEL}PARSING_ERROR"
    CRYPTOGRAPHIC_SECURITY = f"{_MODEL}CRYPTOGRAPHIC_SECURITY_ERROR"
    MALFORMED_VALUE = f"{_MODEL}MALFORMED_VALUE_ERROR"
    RANGE = f"{_MODEL}RANGE_ERROR"

    PROOF_GENERATION = f"{_SECURITY}PROOF_GENERATION_ERROR"
    PROOF_VERIFICATION = f"{_SECURITY}PROOF_VERIFICATION_ERROR"
    PROOF_TRANSFORMATION = f"{_SECURITY}PROOF_TRANSFORMATION_ERROR"
    INVALID_DOMAIN = f"{_SECURITY}INVALID_DOMAIN_ERROR"
    INVALID_CHALLENGE = f"{_SECURITY}INVALID_CHALLENGE_ERROR"

    INVALID_METHOD_URL = f"{_SECURITY}INVALID_VERIFICATION_METHOD_URL"
    INVALID_METHOD = f"{_SECURITY}INVALID_VERIFICATION_METHOD"
    INVALID_DOCUMENT = f"{_SECURITY}INVALID_CONTROLLED_IDENTIFIER_DOCUMENT"
    INVALID_DOCUMENT_ID = f"{_SECURITY}INVALID_CONTROLLED_IDENTIFIER_DOCUMENT_ID"
    INVALID_RELATIONSHIP = f"{_SECURITY}INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"

    STATUS_RETRIEVAL = f"{_STATUS}STATUS_RETRIEVAL_ERROR"
    STATUS_VERIFICATION = f"{_STATUS}STATUS_VERIFICATION_ERROR"
    STATUS_LIST_LENGTH = f"{_STATUS}STATUS_LIST_LENGTH_ERROR"

    INVALID_DID = f"{_DID}INVALID_DID"
    INVALID_DID_DOCUMENT = f"{_DID}INVALID_DID_DOCUMENT"
    INVALID_DID_URL = f"{_DID}INVALID_DID_URL"
    INVALID_OPTIONS = f"{_DID}INVALID_OPTIONS"
    NOT_FOUND = f"{_DID}NOT_FOUND"
    REPRESENTATION_NOT_SUPPORTED = f"{_DID}REPRESENTATION_NOT_SUPPORTED"
    METHOD_NOT_SUPPORTED = f"{_DID}METHOD_NOT_SUPPORTED"
    FEATURE_NOT_SUPPORTED = f"{_DID}FEATURE_NOT_SUPPORTED"
    INTERNAL = f"{_DID}INTERNAL_ERROR"

    ISSUER = f"{_OWN}ISSUER_ERROR"
    VALIDITY_PERIOD = f"{_OWN}VALIDITY_PERIOD_ERROR"
    SCHEMA = f"{_OWN}SCHEMA_ERROR"
    STATUS_SET = f"{_OWN}STATUS_SET"
    ANCHOR = f"{_OWN}ANCHOR_ERROR"
    HOLDER = f"{_OWN}HOLDER_ERROR"
    CONFLICT = f"{_OWN}CONFLICT"
    UNAVAILABLE = f"{_OWN}UNAVAILABLE"
    UNEXPECTED = f"{_OWN}UNEXPECTED"


@dataclass(frozen=True, slots=True)
class ProblemDetails:
    """One problem.

    Attributes:
        type: what kind of problem, as the URL that a specification gives it.
        title: the kind in a few words.
        detail: what was expected, and where; free of personal data.
        code: vcid's own code for it.
        pointer: the JSON pointer of the value it is about, where one is.
    """

    type: ProblemType
    title: str
    detail: str
    code: str = ""
    pointer: str = ""

    def to_json(self, *, status: int | None = None) -> JsonObject:
        """Write the problem in the form of RFC 9457, section 3.

        Args:
            status: the HTTP status that it is answered with, if it is.
        """
        return {
            "type": self.type.value,
            "title": self.title,
            "detail": self.detail,
            **({} if status is None else {"status": status}),
            **({"code": self.code} if self.code else {}),
            **({"pointer": self.pointer} if self.pointer else {}),
        }


def problems_of_report(report: Report | PresentationReport) -> tuple[ProblemDetails, ...]:
    """Turn a report into problems, with those of a presentation's credentials; none if it is verified."""
    parts = report.credentials if isinstance(report, PresentationReport) else ()
    problems = [
        *problems_of_checks(report.reasons),
        *(each for part in parts for each in problems_of_report(part)),
    ]
    return tuple(dict.fromkeys(problems))[:MAX_PROBLEMS]


def problems_of_checks(checks: Iterable[Check]) -> tuple[ProblemDetails, ...]:
    """Turn the checks that stand against a credential, a report's ``reasons``, into problems.

    Where key or proof did not hold, a `CRYPTOGRAPHIC_SECURITY` problem is among them, as the data model's
    algorithm for verification demands, besides the one that says why.
    """
    against = list(checks)[:MAX_PROBLEMS]
    problems = [_of_check(check) for check in against]
    insecure = any(check.name in (CheckName.KEY, CheckName.PROOF) for check in against)
    if insecure and not any(each.type is ProblemType.CRYPTOGRAPHIC_SECURITY for each in problems):
        detail = "nothing vouches that the document is as its issuer made it"
        problems.append(_problem(ProblemType.CRYPTOGRAPHIC_SECURITY, "not-secured", detail))
    return tuple(problems)


def problems_of_error(error: VcidError, *, issuing: bool = False) -> tuple[ProblemDetails, ...]:
    """Turn an error into problems: one, or one for each fault of a record or check of a report.

    Args:
        error: what was raised.
        issuing: whether it was raised while something was being secured, not verified.
    """
    if isinstance(error, NotVerified):
        return problems_of_report(error.report)
    if isinstance(error, InvalidRecord):
        return tuple(problem_of_fault(fault) for fault in error.errors[:MAX_PROBLEMS])
    if isinstance(error, Coded):
        kind = type_of_code(type(error), error.code)
        if issuing and kind is ProblemType.PROOF_VERIFICATION:
            kind = ProblemType.PROOF_GENERATION
        pointer = error.where if isinstance(error, Malformed) and error.where.startswith("/") else ""
        return (_problem(kind, error.code, error.detail, pointer),)
    kind = next(
        (kind for known, kind in _UNCODED.items() if isinstance(error, known)), ProblemType.UNEXPECTED
    )
    # The message of such an error may name a file or a host: that is for the operator's log.
    return (_problem(kind, getattr(error, "code", ""), _TITLES[kind]),)


def problem_of_fault(fault: FieldError) -> ProblemDetails:
    """Turn one fault of a document or record into a problem, without the value found."""
    kind = _SPECIAL.get(fault.code, ProblemType.MALFORMED_VALUE)
    return _problem(kind, fault.code, f"expected {fault.expected}", fault.path)


def type_of_code(error: type[Coded], code: str) -> ProblemType:
    """Say which type of problem a code is, as errors of a class have it."""
    if issubclass(error, ResolutionFailed):
        return _RESOLUTION.get(code, ProblemType.UNEXPECTED)
    kind = next((kind for known, kind in _CODED.items() if issubclass(error, known)), ProblemType.UNEXPECTED)
    return kind if issubclass(error, Conflict) else _SPECIAL.get(code, kind)


def type_of_check(name: CheckName, code: str) -> ProblemType:
    """Say which type of problem it is that a check failed, or could not be decided, for a reason."""
    if name in (CheckName.KEY, CheckName.PROOF) and code in _RESOLUTION:
        return _RESOLUTION[code]
    if name is CheckName.PROOF and code == "wrong-purpose":
        return ProblemType.PROOF_VERIFICATION
    if (name, code) in _OF_CHECKS:
        return _OF_CHECKS[name, code]
    if name not in (CheckName.KEY, CheckName.PROOF):
        # The question asked says more than the reason does.
        return _CHECKS[name]
    return _SPECIAL.get(code, _CHECKS[name])


def _of_check(check: Check) -> ProblemDetails:
    return _problem(type_of_check(check.name, check.code), check.code, check.detail)


def _problem(kind: ProblemType, code: str, detail: str, pointer: str = "") -> ProblemDetails:
    return ProblemDetails(kind, _TITLES[kind], detail, code, pointer)


def _table(**codes: str) -> dict[str, ProblemType]:
    """Write a table by code from the codes of each type."""
    return {code: ProblemType[name] for name, listed in codes.items() for code in listed.split()}


_RESOLUTION: Final[Mapping[str, ProblemType]] = _table(
    INVALID_DID="invalidDid",
    INVALID_DID_DOCUMENT="invalidDidDocument",
    INVALID_DID_URL="invalidDidUrl",
    INVALID_OPTIONS="invalidOptions",
    NOT_FOUND="notFound",
    REPRESENTATION_NOT_SUPPORTED="representationNotSupported",
    METHOD_NOT_SUPPORTED="methodNotSupported",
    FEATURE_NOT_SUPPORTED="featureNotSupported",
    INTERNAL="internalError",
    INVALID_METHOD="unsupportedPublicKeyType",
)

# What a code means wherever it is met; all others mean what their class or check does.
_SPECIAL: Final[Mapping[str, ProblemType]] = _table(
    PARSING="""not-json not-utf-8 utf-8 lone-surrogate too-deep too-large bad-escape integer-too-large
        respelled-member no-number unsupported-media-type wrong-encoding not-cbor""",
    RANGE="range-error status-index out-of-range year-out-of-range",
    CRYPTOGRAPHIC_SECURITY="bad-signature digest-mismatch",
    PROOF_TRANSFORMATION="""no-canonical-form poison-graph relative-iri unknown-context inline-context
        invalid-value not-n-quads context-mismatch undefined-term blank-node-identifier named-graph
        too-many-definitions""",
    INVALID_DOMAIN="wrong-domain",
    INVALID_CHALLENGE="wrong-challenge",
    INVALID_METHOD_URL="did-url invalid-method-url",
    INVALID_METHOD="""unknown-method key-revoked key-expired key-removed key-type-not-allowed
        wrong-controller method-type several-key-forms unsupported-key-type wrong-key-length invalid-point
        multikey jwk private-key-material method-version""",
    INVALID_DOCUMENT="deactivated did-document-swapped described-twice too-many-methods",
    INVALID_DOCUMENT_ID="did",
    INVALID_RELATIONSHIP="wrong-purpose",
    STATUS_RETRIEVAL="status-retrieval-error",
    STATUS_VERIFICATION="status-verification-error",
    STATUS_LIST_LENGTH="status-list-length-error",
    PROOF_GENERATION="already-secured suite-unavailable",
)
_OF_CHECKS: Final[Mapping[tuple[CheckName, str], ProblemType]] = {
    (CheckName.STATUS, "status-index"): ProblemType.RANGE,
    (CheckName.STATUS, "revoked"): ProblemType.STATUS_SET,
    (CheckName.STATUS, "suspended"): ProblemType.STATUS_SET,
    (CheckName.STATUS, "unknown-status-purpose"): ProblemType.STATUS_SET,
    (CheckName.STATUS, "status-list-missing"): ProblemType.STATUS_RETRIEVAL,
    (CheckName.STATUS, "status-list-length-error"): ProblemType.STATUS_LIST_LENGTH,
    (CheckName.STATUS, "malformed-value-error"): ProblemType.MALFORMED_VALUE,
    (CheckName.HOLDER, "wrong-domain"): ProblemType.INVALID_DOMAIN,
    (CheckName.HOLDER, "wrong-challenge"): ProblemType.INVALID_CHALLENGE,
}
_CHECKS: Final[Mapping[CheckName, ProblemType]] = {
    CheckName.PARSE: ProblemType.PARSING,
    CheckName.MODEL: ProblemType.MALFORMED_VALUE,
    CheckName.KEY: ProblemType.INVALID_METHOD,
    CheckName.PROOF: ProblemType.PROOF_VERIFICATION,
    CheckName.ISSUER: ProblemType.ISSUER,
    CheckName.PERIOD: ProblemType.VALIDITY_PERIOD,
    CheckName.SCHEMA: ProblemType.SCHEMA,
    CheckName.STATUS: ProblemType.STATUS_VERIFICATION,
    CheckName.ANCHOR: ProblemType.ANCHOR,
    CheckName.HOLDER: ProblemType.HOLDER,
}
_CODED: Final[Mapping[type[Coded], ProblemType]] = {
    InvalidProof: ProblemType.PROOF_VERIFICATION,
    LimitExceeded: ProblemType.RANGE,
    Malformed: ProblemType.MALFORMED_VALUE,
    Conflict: ProblemType.CONFLICT,
}
_UNCODED: Final[Mapping[type[VcidError], ProblemType]] = {
    Unavailable: ProblemType.UNAVAILABLE,
    Behind: ProblemType.UNAVAILABLE,
    StoreTooNew: ProblemType.UNAVAILABLE,
    Locked: ProblemType.UNAVAILABLE,
}
_TITLES: Final[Mapping[ProblemType, str]] = {
    ProblemType.PARSING: "The input can't be read",
    ProblemType.CRYPTOGRAPHIC_SECURITY: "The document is not as it was secured",
    ProblemType.MALFORMED_VALUE: "A value is not of the form it must have",
    ProblemType.RANGE: "A value lies outside of its range",
    ProblemType.PROOF_GENERATION: "No proof could be made",
    ProblemType.PROOF_VERIFICATION: "The proof does not hold",
    ProblemType.PROOF_TRANSFORMATION: "The document can't be transformed to what a proof covers",
    ProblemType.INVALID_DOMAIN: "The proof is for another domain",
    ProblemType.INVALID_CHALLENGE: "The proof answers another challenge",
    ProblemType.INVALID_METHOD_URL: "The verification method's URL is malformed",
    ProblemType.INVALID_METHOD: "The verification method can't be used",
    ProblemType.INVALID_DOCUMENT: "The controlled identifier document can't be used",
    ProblemType.INVALID_DOCUMENT_ID: "The controlled identifier document has a malformed id",
    ProblemType.INVALID_RELATIONSHIP: "The verification method is not for this purpose",
    ProblemType.STATUS_RETRIEVAL: "The status list can't be had",
    ProblemType.STATUS_VERIFICATION: "The status can't be relied on",
    ProblemType.STATUS_LIST_LENGTH: "The status list is shorter than privacy demands",
    ProblemType.INVALID_DID: "The DID is malformed",
    ProblemType.INVALID_DID_DOCUMENT: "The DID document is malformed",
    ProblemType.INVALID_DID_URL: "The DID URL is malformed",
    ProblemType.INVALID_OPTIONS: "The options of the resolution are not valid",
    ProblemType.NOT_FOUND: "The DID or what it names was not found",
    ProblemType.REPRESENTATION_NOT_SUPPORTED: "The representation is not supported",
    ProblemType.METHOD_NOT_SUPPORTED: "The DID method is not supported",
    ProblemType.FEATURE_NOT_SUPPORTED: "The feature is not supported",
    ProblemType.INTERNAL: "The resolution failed",
    ProblemType.ISSUER: "The issuer is not entitled to what it says",
    ProblemType.VALIDITY_PERIOD: "The credential does not hold at that time",
    ProblemType.SCHEMA: "The credential does not conform to its schema, or nobody can say",
    ProblemType.STATUS_SET: "The issuer withdrew the credential",
    ProblemType.ANCHOR: "The ledger does not show that the evidence is the newest",
    ProblemType.HOLDER: "The holder is not shown to be the one who presents",
    ProblemType.CONFLICT: "What was asked contradicts what is recorded",
    ProblemType.UNAVAILABLE: "Something that is needed can't be reached",
    ProblemType.UNEXPECTED: "Something went wrong",
}

"""Problem details of a verification: the checks that stand against a document, by the specifications' types."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.report import CheckName

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.encoding.json import JsonObject
    from vcid.errors import Coded
    from vcid.report import Check

_VC: Final = "https://www.w3.org/TR/vc-data-model#"
_SECURITY: Final = "https://w3id.org/security#"
_STATUS: Final = "https://www.w3.org/ns/credentials/status-list#"

_TYPES: Final = {
    CheckName.PARSE: f"{_VC}PARSING_ERROR",
    CheckName.MODEL: f"{_VC}MALFORMED_VALUE_ERROR",
    CheckName.KEY: f"{_SECURITY}INVALID_VERIFICATION_METHOD",
    CheckName.PROOF: f"{_SECURITY}PROOF_VERIFICATION_ERROR",
    CheckName.ISSUER: f"{_VC}CRYPTOGRAPHIC_SECURITY_ERROR",
    CheckName.PERIOD: f"{_VC}RANGE_ERROR",
    CheckName.SCHEMA: f"{_VC}MALFORMED_VALUE_ERROR",
    CheckName.STATUS: f"{_STATUS}STATUS_VERIFICATION_ERROR",
    CheckName.ANCHOR: f"{_VC}CRYPTOGRAPHIC_SECURITY_ERROR",
    CheckName.HOLDER: f"{_VC}CRYPTOGRAPHIC_SECURITY_ERROR",
}


def describe_checks(checks: Iterable[Check]) -> list[JsonObject]:
    """Write checks that did not pass as problem details."""
    return [_describe(_TYPES[check.name], f"{check.name}:{check.code}", check.detail) for check in checks]


def describe_error(error: Coded) -> JsonObject:
    """Write an error of reading as problem details."""
    return _describe(_TYPES[CheckName.PARSE], error.code, error.detail)


def _describe(problem_type: str, code: str, detail: str) -> JsonObject:
    return {"type": problem_type, "title": problem_type.rpartition("#")[2], "detail": detail, "code": code}

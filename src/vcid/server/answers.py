"""What the service answers: a status, a body and, for refusals, problem details (RFC 9457).

A problem names its kind by a URL where a specification defines one, and says in words what was expected. It
repeats nothing of what was sent, which may be about a child.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vcid.encoding.json import canonicalize
from vcid.errors import Coded, Conflict, InvalidRecord, Malformed, Unavailable, VcidError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.encoding.json import JSON, JsonObject

PROBLEM_JSON: Final = "application/problem+json"
JSON_TYPE: Final = "application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """One response, as yet without a framework.

    Attributes:
        status: the HTTP status.
        content: the body's bytes.
        media_type: what they are.
        problem: the kind of problem in kebab case, for the log; empty where there is none.
        headers: further header fields.
    """

    status: int
    content: bytes = field(repr=False)
    media_type: str = JSON_TYPE
    problem: str = ""
    headers: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


def give(status: int, body: JsonObject, *, media_type: str = JSON_TYPE, problem: str = "") -> Answer:
    """Answer with a JSON object."""
    return Answer(status=status, content=canonicalize(body), media_type=media_type, problem=problem)


def refuse(
    status: int,
    code: str,
    detail: str,
    *,
    problem_type: str = "about:blank",
    errors: list[JSON] | None = None,
) -> Answer:
    """Answer with problem details.

    Args:
        status: the HTTP status.
        code: the kind of problem in kebab case.
        detail: what was expected, in words; nothing of what was sent.
        problem_type: the URL of the problem's kind, where a specification defines one.
        errors: all faults, where there are several.
    """
    title = HTTPStatus(status).phrase if problem_type == "about:blank" else problem_type.rpartition("#")[2]
    body: JsonObject = {
        "type": problem_type,
        "title": title,
        "status": status,
        "detail": detail,
        "code": code,
    }
    if errors:
        body["errors"] = errors
    return give(status, body, media_type=PROBLEM_JSON, problem=code)


def refuse_for(error: VcidError) -> Answer:
    """Answer for an error of the library: what was sent is at fault, or the service can't do its work now."""
    if isinstance(error, InvalidRecord):
        faults: list[JSON] = [
            {"pointer": fault.path, "code": fault.code, "detail": f"expected {fault.expected}"}
            for fault in error.errors
        ]
        return refuse(
            400, error.errors[0].code, "the document has faults", problem_type=_MALFORMED, errors=faults
        )
    if isinstance(error, Conflict):
        return refuse(404 if error.code == "not-found" else 409, error.code, error.detail)
    if isinstance(error, Malformed):
        return refuse(400, error.code, error.detail, problem_type=_MALFORMED)
    if isinstance(error, Coded):
        return refuse(400, error.code, error.detail)
    if isinstance(error, Unavailable):
        return refuse(503, "unavailable", "a store or document that the service needs can't be reached")
    return refuse(503, "unavailable", "the service can't do this now; its operator has to look after it")


_MALFORMED: Final = "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"

"""What the service answers: a status, a body and, for refusals, problem details (RFC 9457).

A problem names its kind by a URL where a specification defines one, and says in words what was expected. It
repeats nothing of what was sent, which may be about a child.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

from vcid.encoding.json import canonicalize
from vcid.errors import Coded, Conflict, InvalidRecord
from vcid.problem_details import problems_of_error

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.encoding.json import JsonObject
    from vcid.errors import VcidError

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
    headers: Mapping[str, str] = field(default_factory=dict)


def give(status: int, body: JsonObject, *, media_type: str = JSON_TYPE, problem: str = "") -> Answer:
    """Answer with a JSON object."""
    return Answer(status=status, content=canonicalize(body), media_type=media_type, problem=problem)


def refuse(status: int, code: str, detail: str, *, headers: Mapping[str, str] | None = None) -> Answer:
    """Answer with a problem of HTTP's own, whose kind the status says (``about:blank``).

    Args:
        status: the HTTP status.
        code: the kind of problem in kebab case.
        detail: what was expected, in words; nothing of what was sent.
        headers: further header fields.
    """
    body: JsonObject = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
    }
    content = canonicalize(body)
    return Answer(
        status=status, content=content, media_type=PROBLEM_JSON, problem=code, headers=dict(headers or {})
    )


def refuse_for(error: VcidError) -> Answer:
    """Answer for an error of the library: what was sent is at fault, or the service can't do its work now.

    Of several faults the first stands for all, and ``errors`` lists them.
    """
    status = _status_of(error)
    problems = problems_of_error(error, issuing=True)
    body = problems[0].to_json(status=status)
    if len(problems) > 1:
        body["errors"] = [problem.to_json() for problem in problems]
    return give(status, body, media_type=PROBLEM_JSON, problem=problems[0].code or "unavailable")


def _status_of(error: VcidError) -> int:
    if isinstance(error, Conflict):
        return 404 if error.code == "not-found" else 409
    return 400 if isinstance(error, Coded | InvalidRecord) else 503

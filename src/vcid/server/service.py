"""What each endpoint does, without a framework: it reads the request, calls the library, writes the answer.

Follows VCALM (Verifiable Credential API for Lifecycle Management) for bodies and members, with one departure:
whatever is not verified is answered with 400, as the W3C interoperability suites assert, where VCALM's own
description answers 200 with ``verified: false``.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import TYPE_CHECKING

from vcid.problem_details import problems_of_checks
from vcid.report import CheckName, Outcome
from vcid.server.answers import Answer, give, refuse
from vcid.server.issuing import Surroundings, derive, present, secure
from vcid.server.requests import DeriveRequest, IssueRequest, PresentRequest, StatusRequest, VerifyRequest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vcid.encoding.json import JSON, JsonObject
    from vcid.report import Check
    from vcid.server.issuing import StatusDesk
    from vcid.server.profiles import Profile
    from vcid.server.resolving import Resolving
    from vcid.verifier import Verifier


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """The service's parts; each method answers one endpoint.

    Attributes:
        profiles: the profiles that have a key, by name.
        verifier: judges what is sent; None where nothing is verified here.
        resolving: answers for DIDs.
        statuses: the desk of the profile ``status``, where there is one.
        around: what securing needs.
    """

    profiles: Mapping[str, Profile]
    verifier: Verifier | None
    resolving: Resolving
    statuses: StatusDesk | None = None
    around: Surroundings = field(default_factory=Surroundings)

    def issue(self, name: str, body: JsonObject, base: str) -> Answer:
        """``POST /{profile}/credentials/issue``."""
        request = IssueRequest.parse(body)
        profile = self.profiles[name]
        if profile.kind.has_status and self.statuses is not None:
            secured = self.statuses.issue(request, base)
        else:
            secured = secure(profile, request, self.around)
        return give(HTTPStatus.CREATED, {"verifiableCredential": secured})

    def verify_credential(self, body: JsonObject) -> Answer:
        """``POST /credentials/verify``."""
        request = VerifyRequest.of_credential(body)
        if self.verifier is None:
            return _not_configured()
        report = self.verifier.check(request.document)
        reasons = report.reasons
        if self.around.unsafe_any_issuer:
            # Published vectors have issuers that don't control their keys: the proof holds, and the issuer
            # is the policy's question, which the unsafe service doesn't ask.
            reasons = tuple(check for check in reasons if check.name is not CheckName.ISSUER)
        answer: JsonObject = {
            "verified": bool(report) or (report.document is not None and not reasons),
            "problemDetails": _problems(reasons),
        }
        if request.returns_document:
            answer["credential"] = request.document
        if request.returns_results:
            answer["results"] = {"checks": report.to_json()["checks"]}
        return _verdict(answer, reasons)

    def verify_presentation(self, body: JsonObject) -> Answer:
        """``POST /presentations/verify``."""
        request = VerifyRequest.of_presentation(body)
        if self.verifier is None:
            return _not_configured()
        report = self.verifier.check_presentation(
            request.document, challenge=request.challenge, domain=request.domain
        )
        reasons = [*report.reasons, *(check for part in report.credentials for check in part.reasons)]
        answer: JsonObject = {"verified": bool(report), "problemDetails": _problems(reasons)}
        if request.returns_document:
            answer["verifiablePresentation"] = request.document
        if request.returns_results:
            written = report.to_json()
            answer["results"] = {name: written[name] for name in ("checks", "credentials")}
        return _verdict(answer, reasons)

    def present(self, name: str, body: JsonObject) -> Answer:
        """``POST /{profile}/presentations``."""
        presented = present(self.profiles[name], PresentRequest.parse(body), self.around)
        return give(HTTPStatus.CREATED, {"verifiablePresentation": presented})

    def derive(self, body: JsonObject) -> Answer:
        """``POST /credentials/derive``."""
        derived = derive(DeriveRequest.parse(body), self.around)
        return give(HTTPStatus.CREATED, {"verifiableCredential": derived})

    def set_status(self, body: JsonObject, base: str) -> Answer:
        """``POST /credentials/status``."""
        request = StatusRequest.parse(body)
        if self.statuses is None:
            return _not_configured()
        self.statuses.set_status(request, base)
        return give(HTTPStatus.OK, {})

    def status_list(self, list_id: str, base: str, media_type: str) -> Answer:
        """``GET`` of a ``statusListCredential``."""
        content = self.statuses.published(list_id, base) if self.statuses is not None else None
        if content is None:
            return refuse(HTTPStatus.NOT_FOUND, "not-found", "the URL of a status list published here")
        return Answer(status=HTTPStatus.OK, content=content, media_type=media_type)


def _not_configured() -> Answer:
    return refuse(HTTPStatus.NOT_IMPLEMENTED, "not-configured", "an endpoint that this service is set up for")


def _problems(reasons: Iterable[Check]) -> list[JSON]:
    return [problem.to_json() for problem in problems_of_checks(reasons)]


def _verdict(answer: JsonObject, reasons: Sequence[Check]) -> Answer:
    """Answer with a verdict: 200 where everything required passed, 400 otherwise."""
    if answer["verified"]:
        return give(HTTPStatus.OK, answer)
    first = min(reasons, key=lambda check: check.outcome is not Outcome.FAILED, default=None)
    return give(HTTPStatus.BAD_REQUEST, answer, problem=first.code if first else "not-verified")

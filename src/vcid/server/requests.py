"""What clients may ask: the bodies of VCALM's requests, read strictly.

VCALM names each endpoint's members and options and lets a service refuse options that it doesn't know
(problem type UNKNOWN_OPTION_PROVIDED); here everything that isn't known is refused, since an option that is
silently ignored could be the one that was meant to protect somebody. ``checks`` is older than VCALM and still
sent by test suites: it is taken and changes nothing, as every check always runs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Self

    from vcid.encoding.json import JSON, JsonObject

UNKNOWN_OPTION: Final = "unknown-option"
MAX_POINTERS: Final = 1000

_ISSUE_OPTIONS: Final = frozenset({"mandatoryPointers", "credentialId"})
_RETURN_OPTIONS: Final = frozenset({"returnResults", "returnProblemDetails", "returnCredential", "checks"})
_PRESENTATION_OPTIONS: Final = _RETURN_OPTIONS - {"returnCredential"} | {
    "returnPresentation",
    "challenge",
    "domain",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueRequest:
    """A credential to be issued.

    Attributes:
        credential: the document, not yet secured.
        credential_id: the caller's own name for it, by which its status can be changed.
        mandatory_pointers: what a selectively disclosed credential always reveals.
    """

    credential: JsonObject
    credential_id: str | None
    mandatory_pointers: tuple[str, ...]

    @classmethod
    def parse(cls, body: JsonObject) -> Self:
        """Read the body.

        Raises:
            Malformed: a member is missing, unknown or of the wrong shape.
        """
        _check_members(body, {"credential", "options"})
        options = _options(body, _ISSUE_OPTIONS)
        return cls(
            credential=_object(body, "credential"),
            credential_id=_text(options, "credentialId"),
            mandatory_pointers=_pointers(options, "mandatoryPointers"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifyRequest:
    """A credential or presentation to be verified.

    Attributes:
        document: what was received, in the member that the endpoint names.
        challenge: the challenge that a presentation has to answer.
        domain: the domain that it has to name.
        returns_document: whether the verified document is given back.
        returns_results: whether each check is given back.
    """

    document: JsonObject
    challenge: str = ""
    domain: str = ""
    returns_document: bool = False
    returns_results: bool = False

    @classmethod
    def of_credential(cls, body: JsonObject) -> Self:
        """Read the body of ``/credentials/verify``.

        Raises:
            Malformed: a member is missing, unknown or of the wrong shape.
        """
        _check_members(body, {"verifiableCredential", "options"})
        options = _options(body, _RETURN_OPTIONS)
        return cls(
            document=_object(body, "verifiableCredential"),
            returns_document=_flag(options, "returnCredential"),
            returns_results=_flag(options, "returnResults"),
        )

    @classmethod
    def of_presentation(cls, body: JsonObject) -> Self:
        """Read the body of ``/presentations/verify``; raises as `of_credential`.

        Challenge and domain are always needed: without them anybody could replay what was shown elsewhere.
        """
        _check_members(body, {"verifiablePresentation", "options"})
        options = _options(body, _PRESENTATION_OPTIONS)
        return cls(
            document=_object(body, "verifiablePresentation"),
            challenge=_needed(_text(options, "challenge"), "/options/challenge"),
            domain=_needed(_text(options, "domain"), "/options/domain"),
            returns_document=_flag(options, "returnPresentation"),
            returns_results=_flag(options, "returnResults"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeriveRequest:
    """A credential from which only some claims are to be shown."""

    credential: JsonObject
    selective_pointers: tuple[str, ...]

    @classmethod
    def parse(cls, body: JsonObject) -> Self:
        """Read the body of ``/credentials/derive``; raises as `IssueRequest.parse`."""
        _check_members(body, {"verifiableCredential", "options"})
        options = _options(body, frozenset({"selectivePointers"}))
        return cls(
            credential=_object(body, "verifiableCredential"),
            selective_pointers=_pointers(options, "selectivePointers"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusRequest:
    """A status to be set."""

    credential_id: str
    purpose: str

    @classmethod
    def parse(cls, body: JsonObject) -> Self:
        """Read the body of ``/credentials/status``; a status once set is set for good.

        Raises:
            Malformed: a member is missing, unknown or of the wrong shape, or a status is to be taken back.
        """
        _check_members(body, {"credentialId", "credentialStatus", "status", "indexAllocator"})
        named = _object(body, "credentialStatus")
        if named.get("type") not in ("BitstringStatusListEntry", "BitstringStatusList"):
            raise Malformed("status-type", "BitstringStatusListEntry", where="/credentialStatus/type")
        if body.get("status", True) is not True:
            raise Malformed("status-is-final", "true: a status that was set stays set", where="/status")
        return cls(
            credential_id=_needed(_text(body, "credentialId"), "/credentialId"),
            purpose=_needed(_text(named, "statusPurpose"), "/credentialStatus/statusPurpose"),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PresentRequest:
    """Credentials to be shown by a holder, to one verifier."""

    credentials: tuple[JsonObject, ...]
    challenge: str
    domain: str

    @classmethod
    def parse(cls, body: JsonObject) -> Self:
        """Read the body of ``/presentations``; raises as `IssueRequest.parse`.

        Of the presentation only its credentials are taken: what else it says, the library writes.
        """
        _check_members(body, {"presentation", "options"})
        options = _options(body, frozenset({"challenge", "domain"}))
        listed = _member(_object(body, "presentation"), "verifiableCredential")
        entries = listed if isinstance(listed, list) else [listed]
        credentials = tuple(entry for entry in entries if isinstance(entry, dict))
        if not entries or len(credentials) != len(entries):
            where = "/presentation/verifiableCredential"
            raise Malformed("not-an-object", "one or more credentials", where=where)
        return cls(
            credentials=credentials,
            challenge=_needed(_text(options, "challenge"), "/options/challenge"),
            domain=_needed(_text(options, "domain"), "/options/domain"),
        )


def _check_members(body: JsonObject, known: Collection[str]) -> None:
    if not body.keys() <= set(known):
        raise Malformed("unknown-member", f"only {', '.join(sorted(known))}")


def _options(body: JsonObject, known: frozenset[str]) -> JsonObject:
    options = body.get("options", {})
    if not isinstance(options, dict):
        raise Malformed("not-an-object", "an object", where="/options")
    if not options.keys() <= known:
        raise Malformed(UNKNOWN_OPTION, f"only {', '.join(sorted(known))}", where="/options")
    return options


def _member(body: JsonObject, name: str) -> JSON:
    if name not in body:
        raise Malformed("missing", f"a member {name}", where=f"/{name}")
    return body[name]


def _object(body: JsonObject, name: str) -> JsonObject:
    found = _member(body, name)
    if not isinstance(found, dict):
        raise Malformed("not-an-object", "an object", where=f"/{name}")
    return found


def _text(body: JsonObject, name: str) -> str | None:
    found = body.get(name)
    if found is not None and (not isinstance(found, str) or not found or len(found) > 1000):
        raise Malformed("not-a-text", "a string of 1 to 1000 characters", where=f"/{name}")
    return found


def _needed(found: str | None, where: str) -> str:
    if found is None:
        raise Malformed("missing", "a string", where=where)
    return found


def _flag(options: JsonObject, name: str) -> bool:
    found = options.get(name, False)
    if not isinstance(found, bool):
        raise Malformed("not-a-flag", "true or false", where=f"/options/{name}")
    return found


def _pointers(options: JsonObject, name: str) -> tuple[str, ...]:
    found = options.get(name, [])
    if not isinstance(found, list) or len(found) > MAX_POINTERS:
        raise Malformed("not-pointers", f"at most {MAX_POINTERS} JSON pointers", where=f"/options/{name}")
    pointers = [item for item in found if isinstance(item, str)]
    if len(pointers) != len(found):
        raise Malformed("not-pointers", "JSON pointers as strings", where=f"/options/{name}")
    return tuple(pointers)

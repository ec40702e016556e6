"""The credential as a document: build one, check one, and carry a signed one as bytes.

Follows the Verifiable Credentials Data Model 2.0 (W3C Recommendation). The check covers what the data model
itself says, all faults at once and each with its JSON pointer. Whether terms are defined is checked with the
proof, and what a status or a schema says is asked elsewhere.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, Final

from vcid.credentials.model_rules import (
    MAX_FAULTS,
    VC_V2,
    check_agent,
    check_context,
    check_id,
    check_own_type,
    check_proofs,
    check_subjects,
    check_texts,
    check_typed,
    fault,
    find_crowds,
    find_entries,
)
from vcid.credentials.related_resources import check_resource_members
from vcid.credentials.version_1 import check_version_1, is_version_1
from vcid.encoding.dates import format_timestamp, parse_timestamp
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import InvalidRecord, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.errors import FieldError

VCID_CONTEXT: Final = "https://w3id.org/vcid/v1"
MEDIA_TYPE: Final = "application/vc"

BASE_MEDIA_TYPE: Final = "application/vnd.vcid.base+json"
"""A credential with a base proof, as a registry keeps it; nothing that reads credentials takes it."""

EXTRA_MEMBERS: Final = frozenset(
    {
        "name",
        "description",
        "relatedResource",
        "termsOfUse",
        "refreshService",
        "renderMethod",
        "confidenceMethod",
    }
)
"""Members that the data model defines besides those that a draft names one by one."""

# Members whose value is one object or several, each with a type. The last two are reserved, and may speak of
# a subject as well (section "Reserved Extension Points").
_RESERVED_MEMBERS: Final = ("confidenceMethod", "renderMethod")
_TYPED_MEMBERS: Final = ("credentialStatus", "evidence", "termsOfUse", "refreshService", *_RESERVED_MEMBERS)


@dataclass(frozen=True, slots=True)
class Credential:
    """A signed credential: its bytes, and the media type that says how to read them.

    Attributes:
        media_type: ``application/vc`` for a document with Data Integrity proofs.
        content: the document as it was received or signed.
    """

    media_type: str
    content: bytes

    def __post_init__(self) -> None:
        if not isinstance(self.content, bytes):
            raise TypeError("content must be bytes")

    @classmethod
    def from_json(cls, document: JsonObject) -> Credential:
        """Carry a signed document, written in its canonical form."""
        return cls(MEDIA_TYPE, canonicalize(document))

    @classmethod
    def parse(cls, content: bytes) -> Credential:
        """Carry a signed document as received, if it is strict JSON and an object.

        Raises:
            Malformed: it is not.
        """
        parse_object(content)
        return cls(MEDIA_TYPE, bytes(content))

    @property
    def unverified_document(self) -> JsonObject:
        """The document as it stands, read anew at each call; no claim in it has been checked.

        Raises:
            Malformed: the content is no strict JSON object.
        """
        return parse_object(self.content)

    @property
    def id(self) -> str | None:
        """The id that the document states, unverified; None where it states none."""
        stated = self.unverified_document.get("id")
        return stated if isinstance(stated, str) else None

    def __repr__(self) -> str:
        return f"Credential({self.media_type!r}, <{len(self.content)} bytes>)"


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What goes into a new credential.

    Attributes:
        issuer: the issuer's DID or other URL, or an object with it as ``id``.
        types: its types besides ``VerifiableCredential``.
        subject: the claims, with or without an ``id``; a list where there are several subjects.
        valid_from: from when on it holds, with a time zone.
        valid_until: until when it holds; None for a fact that does not end.
        status: entries for ``credentialStatus``.
        schemas: entries for ``credentialSchema``.
        evidence: entries for ``evidence``.
        contexts: the contexts besides that of the data model.
        id: the credential's id; a random ``urn:uuid`` by default.
        extra: further members that the data model defines, those of `EXTRA_MEMBERS`, as they stand in the
            document.

    Raises:
        ValueError: ``extra`` has a member of another name.
    """

    issuer: str | JsonObject
    types: Sequence[str]
    subject: JsonObject | Sequence[JsonObject]
    valid_from: datetime
    valid_until: datetime | None = None
    status: Sequence[JsonObject] = ()
    schemas: Sequence[JsonObject] = ()
    evidence: Sequence[JsonObject] = ()
    contexts: Sequence[str] = (VCID_CONTEXT,)
    id: str | None = None
    extra: Mapping[str, JSON] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.extra.keys() <= EXTRA_MEMBERS:
            raise ValueError(f"extra members are {', '.join(sorted(EXTRA_MEMBERS))}")


def build(draft: Draft, *, random: Callable[[int], bytes] = secrets.token_bytes) -> JsonObject:
    """Write an unsigned credential of the data model 2.0, with a random ``urn:uuid`` for its id.

    Args:
        draft: what goes in; it is copied.
        random: gives the number of random bytes it is asked for.

    Raises:
        InvalidRecord: the result would not be a credential; all faults are listed.
        ValueError: a date has no time zone.
    """
    document: JsonObject = {
        "@context": [VC_V2, *draft.contexts],
        "id": uuid.UUID(bytes=random(16), version=4).urn if draft.id is None else draft.id,
        "type": ["VerifiableCredential", *draft.types],
        "issuer": _copy(draft.issuer),
        "validFrom": format_timestamp(draft.valid_from),
    }
    if draft.valid_until is not None:
        document["validUntil"] = format_timestamp(draft.valid_until)
    subject = draft.subject
    document["credentialSubject"] = (
        _copy(subject) if isinstance(subject, dict) else [_copy(each) for each in subject]
    )
    members = (
        ("credentialStatus", draft.status),
        ("credentialSchema", draft.schemas),
        ("evidence", draft.evidence),
    )
    for name, entries in members:
        if entries:
            copies = [_copy(entry) for entry in entries]
            document[name] = copies[0] if len(copies) == 1 else copies
    document.update({name: _copy(value) for name, value in draft.extra.items()})
    if faults := check_model(document):
        raise InvalidRecord(faults)
    return document


def _copy(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def check_model(document: JsonObject) -> tuple[FieldError, ...]:
    """Check a credential against the data model that it claims, and return all faults; none if it conforms.

    One pass over the members that the data model defines, at most `MAX_FAULTS` faults. Which version's rules
    apply, 2.0 or 1.1, the first context says. Proofs are checked where they stand in the document.
    """
    if is_version_1(document):
        return tuple(islice(check_version_1(document), MAX_FAULTS))
    return check_version_2(document)


def check_version_2(document: JsonObject) -> tuple[FieldError, ...]:
    """Check a credential that has to be of the data model 2.0, as all newer kinds of document are.

    One of version 1.1 has the one fault ``unsupported-model-version``: the rest would be noise.
    """
    if is_version_1(document):
        return (fault("/@context/0", "unsupported-model-version", f"{VC_V2} as the first context"),)
    return tuple(islice(_check_document(document), MAX_FAULTS))


def _check_document(document: JsonObject) -> Iterator[FieldError]:
    if crowds := find_crowds(document):
        yield from crowds
        return
    yield from check_context(document, VC_V2)
    yield from check_id(document, "")
    yield from check_own_type(document, "VerifiableCredential")
    yield from check_texts(document, "")
    yield from check_agent(document, "issuer", required=True)
    yield from _check_period(document)
    yield from check_subjects(document)
    for path, subject in find_entries(document, "credentialSubject"):
        if isinstance(subject, dict):
            for name in _RESERVED_MEMBERS:
                yield from check_typed(subject, name, path)
    for name in _TYPED_MEMBERS:
        yield from check_typed(document, name)
    yield from check_typed(document, "credentialSchema", id_required=True)
    yield from check_proofs(document)
    yield from check_resource_members(document)


def _check_period(document: JsonObject) -> Iterator[FieldError]:
    """Check the dates (section "Validity Period"): XSD dateTimeStamp, the end not before the start."""
    moments: list[datetime] = []
    for name in ("validFrom", "validUntil"):
        if name not in document:
            continue
        value = document[name]
        try:
            moments.append(parse_timestamp(value if isinstance(value, str) else ""))
        except Malformed as error:
            yield fault(f"/{name}", "not-a-timestamp", error.expected, value)
    if len(moments) == 2 and moments[1] < moments[0]:
        yield fault(
            "/validUntil", "ends-before-start", "a moment not before validFrom", document["validUntil"]
        )

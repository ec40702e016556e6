"""The credential as a document: build one, check one, and carry a signed one as bytes.

Follows the Verifiable Credentials Data Model 2.0 (W3C Recommendation). The check covers what the data model
itself says, all faults at once and each with its JSON pointer. Whether terms are defined is checked with the
proof, and what a status or a schema says is asked elsewhere.
"""

from __future__ import annotations

import re
import secrets
import uuid
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING, Final

from vcid.encoding.dates import format_timestamp, parse_timestamp
from vcid.encoding.json import canonicalize, parse_object, pointer
from vcid.errors import FieldError, InvalidRecord, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject

VC_V2: Final = "https://www.w3.org/ns/credentials/v2"
VC_V1: Final = "https://www.w3.org/2018/credentials/v1"
VCID_CONTEXT: Final = "https://w3id.org/vcid/v1"
MEDIA_TYPE: Final = "application/vc"

# A document of a megabyte can hold a hundred thousand faults; nobody reads more than these.
MAX_FAULTS: Final = 100

# Whoever sends a document can make each entry cost something before any signature is known to be good.
MAX_ENTRIES: Final = 100

# RFC 3987 in the parts that matter here: a scheme, something after it, no white space, control character
# or delimiter, and percent signs only before two hexadecimal digits.
_URL: Final = re.compile(
    r"""[A-Za-z][A-Za-z0-9+.-]*:(?:[^\s\x00-\x20\x7f-\x9f"<>\\^`{|}%]|%[0-9A-Fa-f]{2})+"""
)
# URLs of these schemes need an authority, DIDs a method and an identifier (DID 1.0, section 3.1).
_HTTP: Final = re.compile(r"https?:", re.IGNORECASE)
_HTTP_AUTHORITY: Final = re.compile(r"https?://[^/?#]", re.IGNORECASE)
_DID: Final = re.compile(r"did:[a-z0-9]+:[A-Za-z0-9._%-]")
# BCP 47, "well-formed" to the point that subtags are counted and sized.
_LANGUAGE_TAG: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,15}")
# Subresource Integrity, section 3.5: one or more hashes with options.
_SRI_HASH: Final = r"sha(?:256|384|512)-[A-Za-z0-9+/]+={0,2}(?:\?[\x21-\x7e]*)?"
_SRI: Final = re.compile(rf"{_SRI_HASH}(?: +{_SRI_HASH})*")
_DIGEST_MULTIBASE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+/=_-]+")

# Members whose value is one object or several, each with a type; the schema's with an id as well.
_TYPED_MEMBERS: Final = (
    "credentialStatus",
    "credentialSchema",
    "evidence",
    "termsOfUse",
    "refreshService",
    "confidenceMethod",
    "renderMethod",
    "proof",
)


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
        issuer: the issuer's DID or other URL.
        types: its types besides ``VerifiableCredential``.
        subject: the claims, with or without an ``id``.
        valid_from: from when on it holds, with a time zone.
        valid_until: until when it holds; None for a fact that does not end.
        status: entries for ``credentialStatus``.
        schemas: entries for ``credentialSchema``.
        evidence: entries for ``evidence``.
        contexts: the contexts besides that of the data model.
        id: the credential's id; a random ``urn:uuid`` by default.
    """

    issuer: str
    types: Sequence[str]
    subject: JsonObject
    valid_from: datetime
    valid_until: datetime | None = None
    status: Sequence[JsonObject] = ()
    schemas: Sequence[JsonObject] = ()
    evidence: Sequence[JsonObject] = ()
    contexts: Sequence[str] = (VCID_CONTEXT,)
    id: str | None = None


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
        "issuer": draft.issuer,
        "validFrom": format_timestamp(draft.valid_from),
    }
    if draft.valid_until is not None:
        document["validUntil"] = format_timestamp(draft.valid_until)
    document["credentialSubject"] = _copy(draft.subject)
    members = (
        ("credentialStatus", draft.status),
        ("credentialSchema", draft.schemas),
        ("evidence", draft.evidence),
    )
    for name, entries in members:
        if entries:
            copies = [_copy(entry) for entry in entries]
            document[name] = copies[0] if len(copies) == 1 else copies
    if faults := check_model(document):
        raise InvalidRecord(faults)
    return document


def _copy(value: JSON) -> JSON:
    if isinstance(value, dict):
        return {name: _copy(member) for name, member in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def check_model(document: JsonObject) -> tuple[FieldError, ...]:
    """Check a document against the data model 2.0, and return all faults; none means that it conforms.

    One pass over the members that the data model defines, at most `MAX_FAULTS` faults. A document of the data
    model 1.1 has the one fault ``unsupported-model-version``: by other rules, the rest would be noise.
    """
    if _is_version_1(document):
        return (_fault("/@context/0", "unsupported-model-version", f"{VC_V2} as the first context"),)
    return tuple(islice(_check_document(document), MAX_FAULTS))


def is_url(value: object) -> bool:
    """Say whether a value is an absolute URL, as ids in a credential must be (section "Identifiers")."""
    if not isinstance(value, str) or not _URL.fullmatch(value):
        return False
    if value.startswith("did:"):
        return _DID.match(value) is not None
    return not _HTTP.match(value) or _HTTP_AUTHORITY.match(value) is not None


def _fault(path: str, code: str, expected: str, found: object = None) -> FieldError:
    return FieldError(path, code, expected, found)


def _is_version_1(document: JsonObject) -> bool:
    context = document.get("@context")
    return context == VC_V1 or (isinstance(context, list) and context[:1] == [VC_V1])


def _check_document(document: JsonObject) -> Iterator[FieldError]:
    crowded = [
        name for name, value in document.items() if isinstance(value, list) and len(value) > MAX_ENTRIES
    ]
    if crowded:
        # Nothing else is looked at: that is the work to be spared.
        yield from (_fault(pointer([name]), "too-many", f"at most {MAX_ENTRIES} entries") for name in crowded)
        return
    yield from _check_context(document)
    yield from _check_id(document, "")
    yield from _check_credential_type(document)
    yield from _check_texts(document, "")
    yield from _check_issuer(document)
    yield from _check_period(document)
    yield from _check_subjects(document)
    for name in _TYPED_MEMBERS:
        yield from _check_typed(document, name)
    yield from _check_related_resources(document)


def _check_context(document: JsonObject) -> Iterator[FieldError]:
    """Check the contexts (section "Contexts"): an ordered set, so no URL comes twice."""
    context = document.get("@context")
    if not isinstance(context, list) or not context:
        yield _fault("/@context", "not-a-list", f"a list that begins with {VC_V2}", context)
        return
    if context[0] != VC_V2:
        yield _fault("/@context/0", "wrong-context", VC_V2, context[0])
    seen: set[str] = {VC_V2}
    for index, item in enumerate(context[1:], start=1):
        if isinstance(item, str) and item in seen:
            yield _fault(f"/@context/{index}", "duplicate", "each context once", item)
        elif isinstance(item, str) and is_url(item):
            seen.add(item)
        elif not isinstance(item, dict):
            yield _fault(f"/@context/{index}", "not-a-context", "a URL or a context object", item)


def _check_id(holder: JsonObject, path: str, *, required: bool = False) -> Iterator[FieldError]:
    """Check an ``id`` (section "Identifiers"): a single URL, never null."""
    if "id" in holder:
        if not is_url(holder["id"]):
            yield _fault(f"{path}/id", "not-a-url", "one absolute URL", holder["id"])
    elif required:
        yield _fault(f"{path}/id", "missing", "one absolute URL")


def _check_type(holder: JsonObject, path: str, *, required: bool) -> Iterator[FieldError]:
    """Check a ``type`` (section "Types"): one or more non-empty strings."""
    if "type" not in holder:
        if required:
            yield _fault(f"{path}/type", "missing", "one or more types")
        return
    types = holder["type"]
    if isinstance(types, str):
        types = [types]
    if not isinstance(types, list) or not types:
        yield _fault(f"{path}/type", "not-a-type", "one or more types", types)
        return
    for index, name in enumerate(types):
        if not isinstance(name, str) or not name.strip():
            yield _fault(f"{path}/type/{index}", "not-a-type", "a term or an absolute URL", name)


def _check_credential_type(document: JsonObject) -> Iterator[FieldError]:
    yield from _check_type(document, "", required=True)
    types = document.get("type")
    stated = types if isinstance(types, list) else [types]
    if "type" in document and "VerifiableCredential" not in stated:
        yield _fault("/type", "wrong-type", "VerifiableCredential among the types", types)


def _check_texts(holder: JsonObject, path: str) -> Iterator[FieldError]:
    """Check ``name`` and ``description`` (section "Names and Descriptions")."""
    for name in ("name", "description"):
        if name not in holder:
            continue
        value = holder[name]
        if isinstance(value, list) and value:
            for index, item in enumerate(value):
                yield from _check_language_value(item, f"{path}/{name}/{index}")
        elif not isinstance(value, str):
            yield from _check_language_value(value, f"{path}/{name}")


def _check_language_value(value: JSON, path: str) -> Iterator[FieldError]:
    """Check a language value object (section "Language and Base Direction")."""
    if not isinstance(value, dict):
        yield _fault(path, "not-a-text", "a string, or objects with @value and @language", value)
        return
    if not isinstance(value.get("@value"), str):
        yield _fault(f"{path}/@value", "not-a-text", "a string", value.get("@value"))
    language = value.get("@language", "und")
    if not isinstance(language, str) or not _LANGUAGE_TAG.fullmatch(language):
        yield _fault(f"{path}/@language", "not-a-language", "a BCP 47 language tag", language)
    if value.get("@direction", "ltr") not in ("ltr", "rtl"):
        yield _fault(f"{path}/@direction", "not-a-direction", "ltr or rtl", value["@direction"])
    if not value.keys() <= {"@value", "@language", "@direction"}:
        yield _fault(path, "unknown-member", "only @value, @language and @direction", value)


def _check_issuer(document: JsonObject) -> Iterator[FieldError]:
    """Check the issuer (section "Issuer"): a URL, or an object whose id is one."""
    issuer = document.get("issuer")
    if isinstance(issuer, dict):
        yield from _check_id(issuer, "/issuer", required=True)
        yield from _check_type(issuer, "/issuer", required=False)
        yield from _check_texts(issuer, "/issuer")
    elif "issuer" not in document:
        yield _fault("/issuer", "missing", "the issuer's URL, or an object with it as id")
    elif not is_url(issuer):
        yield _fault("/issuer", "not-a-url", "the issuer's URL, or an object with it as id", issuer)


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
            yield _fault(f"/{name}", "not-a-timestamp", error.expected, value)
    if len(moments) == 2 and moments[1] < moments[0]:
        yield _fault(
            "/validUntil", "ends-before-start", "a moment not before validFrom", document["validUntil"]
        )


def _check_subjects(document: JsonObject) -> Iterator[FieldError]:
    """Check the subjects (section "Credential Subject"): an id alone is a claim, an empty object is none."""
    for path, subject in _entries(document, "credentialSubject"):
        if not isinstance(subject, dict) or not subject:
            yield _fault(path, "not-a-subject", "an object with at least one claim or an id", subject)
        else:
            yield from _check_id(subject, path)
            yield from _check_type(subject, path, required=False)
    if "credentialSubject" not in document:
        yield _fault("/credentialSubject", "missing", "one or more subjects")


def _check_typed(document: JsonObject, name: str) -> Iterator[FieldError]:
    """Check a member of objects that must have a type (section "Types", table of objects)."""
    for path, entry in _entries(document, name):
        if isinstance(entry, dict):
            yield from _check_type(entry, path, required=True)
            yield from _check_id(entry, path, required=name == "credentialSchema")
            if name == "proof" and not isinstance(entry.get("proofPurpose"), str):
                yield _fault(f"{path}/proofPurpose", "missing", "the purpose of the proof, as a string")
        else:
            yield _fault(path, "not-an-object", "an object with a type", entry)


def _check_related_resources(document: JsonObject) -> Iterator[FieldError]:
    """Check the digests of related resources (section "Integrity of Related Resources")."""
    seen: set[JSON] = set()
    for path, entry in _entries(document, "relatedResource"):
        if not isinstance(entry, dict):
            yield _fault(path, "not-an-object", "an object with id and digest", entry)
            continue
        yield from _check_id(entry, path, required=True)
        identifier = entry.get("id")
        if isinstance(identifier, str):
            if identifier in seen:
                yield _fault(f"{path}/id", "duplicate", "each resource once", identifier)
            seen.add(identifier)
        yield from _check_digests(entry, path)
        if "mediaType" in entry and not isinstance(entry["mediaType"], str):
            yield _fault(f"{path}/mediaType", "not-a-media-type", "a media type", entry["mediaType"])


def _check_digests(entry: JsonObject, path: str) -> Iterator[FieldError]:
    if "digestSRI" not in entry and "digestMultibase" not in entry:
        yield _fault(path, "missing-digest", "digestSRI or digestMultibase")
    for name, form in (("digestSRI", _SRI), ("digestMultibase", _DIGEST_MULTIBASE)):
        if name not in entry:
            continue
        value = entry[name]
        digests = value if isinstance(value, list) else [value]
        if not digests or not all(isinstance(digest, str) and form.fullmatch(digest) for digest in digests):
            yield _fault(f"{path}/{name}", "not-a-digest", "one or more digests", value)


def _entries(document: JsonObject, name: str) -> Iterator[tuple[str, JSON]]:
    """Give the entries of a member that holds one or more, each with its pointer; an empty list as itself."""
    if name not in document:
        return
    value = document[name]
    if isinstance(value, list) and value:
        yield from ((f"/{name}/{index}", item) for index, item in enumerate(value))
    else:
        yield f"/{name}", value

"""The rules that credentials of either version and presentations share: ids, types, texts, typed objects.

Follows the Verifiable Credentials Data Model 2.0 (W3C Recommendation), sections "Identifiers", "Types",
"Names and Descriptions" and "Language and Base Direction"; version 1.1 has the first two in other words. Each
rule yields its faults with their JSON pointers.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vcid.encoding.json import pointer
from vcid.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.encoding.json import JSON, JsonObject

VC_V2: Final = "https://www.w3.org/ns/credentials/v2"
VC_V1: Final = "https://www.w3.org/2018/credentials/v1"
UNDEFINED_TERMS: Final = "https://www.w3.org/ns/credentials/undefined-terms/v2"

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


def is_url(value: object) -> bool:
    """Say whether a value is an absolute URL, as ids in a credential must be (section "Identifiers")."""
    if not isinstance(value, str) or not _URL.fullmatch(value):
        return False
    if value.startswith("did:"):
        return _DID.match(value) is not None
    return not _HTTP.match(value) or _HTTP_AUTHORITY.match(value) is not None


def fault(path: str, code: str, expected: str, found: object = None) -> FieldError:
    """Name one fault of a document."""
    return FieldError(path, code, expected, found)


def find_crowds(document: JsonObject) -> list[FieldError]:
    """Name the members with more entries than are looked at; where there are any, nothing else is."""
    return [
        fault(pointer([name]), "too-many", f"at most {MAX_ENTRIES} entries")
        for name, value in document.items()
        if isinstance(value, list) and len(value) > MAX_ENTRIES
    ]


def find_entries(document: JsonObject, name: str, path: str = "") -> Iterator[tuple[str, JSON]]:
    """Give the entries of a member that holds one or more, each with its pointer; an empty list as itself."""
    if name not in document:
        return
    value = document[name]
    if isinstance(value, list) and value:
        yield from ((f"{path}/{name}/{index}", item) for index, item in enumerate(value[:MAX_ENTRIES]))
    else:
        yield f"{path}/{name}", value


def check_context(document: JsonObject, first: str, path: str = "") -> Iterator[FieldError]:
    """Check the contexts (section "Contexts"): an ordered set, so no URL comes twice.

    A document whose terms are not all defined names the context for undefined terms last (section "Semantic
    Interoperability"): after it, another context could define them differently.

    Args:
        document: what has the ``@context``.
        first: the context that the version of the data model demands in the first place.
        path: the document's own place.
    """
    context = document.get("@context")
    if not isinstance(context, list) or not context:
        yield fault(f"{path}/@context", "not-a-list", f"a list that begins with {first}", context)
        return
    if context[0] != first:
        yield fault(f"{path}/@context/0", "wrong-context", first, context[0])
    seen: set[str] = {first}
    for index, item in enumerate(context[1:MAX_ENTRIES], start=1):
        if isinstance(item, str) and item in seen:
            yield fault(f"{path}/@context/{index}", "duplicate", "each context once", item)
        elif isinstance(item, str) and is_url(item):
            seen.add(item)
        elif not isinstance(item, dict):
            yield fault(f"{path}/@context/{index}", "not-a-context", "a URL or a context object", item)
    if UNDEFINED_TERMS in seen and context[-1] != UNDEFINED_TERMS:
        yield fault(f"{path}/@context", "undefined-terms-not-last", f"{UNDEFINED_TERMS} as the last context")


def check_id(holder: JsonObject, path: str, *, required: bool = False) -> Iterator[FieldError]:
    """Check an ``id`` (section "Identifiers"): a single URL, never null."""
    if "id" in holder:
        if not is_url(holder["id"]):
            yield fault(f"{path}/id", "not-a-url", "one absolute URL", holder["id"])
    elif required:
        yield fault(f"{path}/id", "missing", "one absolute URL")


def check_type(holder: JsonObject, path: str, *, required: bool) -> Iterator[FieldError]:
    """Check a ``type`` (section "Types"): one or more non-empty strings."""
    if "type" not in holder:
        if required:
            yield fault(f"{path}/type", "missing", "one or more types")
        return
    types = holder["type"]
    if isinstance(types, str):
        types = [types]
    if not isinstance(types, list) or not types:
        yield fault(f"{path}/type", "not-a-type", "one or more types", types)
        return
    for index, name in enumerate(types):
        if not isinstance(name, str) or not name.strip():
            yield fault(f"{path}/type/{index}", "not-a-type", "a term or an absolute URL", name)


def check_own_type(document: JsonObject, demanded: str) -> Iterator[FieldError]:
    """Check a document's own types, one of which says what kind of document it is."""
    yield from check_type(document, "", required=True)
    if "type" in document and not has_type(document, demanded):
        yield fault("/type", "wrong-type", f"{demanded} among the types", document["type"])


def has_type(holder: JsonObject, name: str) -> bool:
    """Say whether an object states a type, alone or among others."""
    types = holder.get("type")
    return name in types if isinstance(types, list) else types == name


def check_texts(holder: JsonObject, path: str) -> Iterator[FieldError]:
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
        yield fault(path, "not-a-text", "a string, or objects with @value and @language", value)
        return
    if not isinstance(value.get("@value"), str):
        yield fault(f"{path}/@value", "not-a-text", "a string", value.get("@value"))
    language = value.get("@language", "und")
    if not isinstance(language, str) or not _LANGUAGE_TAG.fullmatch(language):
        yield fault(f"{path}/@language", "not-a-language", "a BCP 47 language tag", language)
    if value.get("@direction", "ltr") not in ("ltr", "rtl"):
        yield fault(f"{path}/@direction", "not-a-direction", "ltr or rtl", value["@direction"])
    if not value.keys() <= {"@value", "@language", "@direction"}:
        yield fault(path, "unknown-member", "only @value, @language and @direction", value)


def check_agent(document: JsonObject, name: str, *, required: bool) -> Iterator[FieldError]:
    """Check an issuer or holder: a URL, or an object with it (sections "Issuer", "Verifiable Presentations").

    An object may have a name and a description.
    """
    agent = document.get(name)
    expected = f"the {name}'s URL, or an object with it as id"
    if isinstance(agent, dict):
        yield from check_id(agent, f"/{name}", required=True)
        yield from check_type(agent, f"/{name}", required=False)
        yield from check_texts(agent, f"/{name}")
    elif name not in document:
        if required:
            yield fault(f"/{name}", "missing", expected)
    elif not is_url(agent):
        yield fault(f"/{name}", "not-a-url", expected, agent)


def check_subjects(document: JsonObject) -> Iterator[FieldError]:
    """Check the subjects (section "Credential Subject"): an id alone is a claim, an empty object is none."""
    for path, subject in find_entries(document, "credentialSubject"):
        if not isinstance(subject, dict) or not subject:
            yield fault(path, "not-a-subject", "an object with at least one claim or an id", subject)
        else:
            yield from check_id(subject, path)
            yield from check_type(subject, path, required=False)
    if "credentialSubject" not in document:
        yield fault("/credentialSubject", "missing", "one or more subjects")


def check_typed(
    holder: JsonObject, name: str, path: str = "", *, id_required: bool = False
) -> Iterator[FieldError]:
    """Check a member of objects that must have a type (section "Types", table of objects)."""
    for place, entry in find_entries(holder, name, path):
        if isinstance(entry, dict):
            yield from check_type(entry, place, required=True)
            yield from check_id(entry, place, required=id_required)
        else:
            yield fault(place, "not-an-object", "an object with a type", entry)


def check_proofs(document: JsonObject) -> Iterator[FieldError]:
    """Check proofs in the document (section "Securing Mechanisms"; VC Data Integrity 1.0, section 2.1)."""
    yield from check_typed(document, "proof")
    for path, entry in find_entries(document, "proof"):
        if isinstance(entry, dict) and not isinstance(entry.get("proofPurpose"), str):
            yield fault(f"{path}/proofPurpose", "missing", "the purpose of the proof, as a string")

"""Whether the resources that a credential relates to are the ones its issuer saw: ``relatedResource``.

Follows the Verifiable Credentials Data Model 2.0, section "Integrity of Related Resources". A resource is
checked where its bytes are at hand: the contexts that vcid carries always are, others are handed in or
brought by a loader that is. What is not at hand stays *unknown*; a digest that differs fails.

Where the specification demands an error for any other digest of its own context, this departs from it in one
case: the digest of an edition that was once published at the same URL is *unknown*, with the reason
``superseded-edition``. The issuer named a real document, but not the one that is carried.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vcid.credentials.integrity import check_digests, find_wrong_digest, read_digests
from vcid.credentials.model_rules import VC_V2, check_id, fault, find_entries
from vcid.encoding.contexts import CONTEXTS, read_context
from vcid.errors import Malformed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vcid.encoding.contexts import Loader
    from vcid.encoding.json import JSON, JsonObject
    from vcid.errors import FieldError

SUPERSEDED: Final = "superseded-edition"
"""The code of a digest that the resource had in an earlier edition."""

# An edition of the context as the working group's repository had it on 2024-07-03, and as others pinned it.
_SUPERSEDED: Final[Mapping[str, frozenset[bytes]]] = MappingProxyType(
    {
        VC_V2: frozenset(
            {
                bytes.fromhex("24a18c90e9856d526111f29376e302d970b2bd10182e33959995b0207d7043b9"),
                bytes.fromhex(
                    "35239c36999d2155312091af194a1edb61634d6ad789a5e5"
                    "b19f2aebdd762dd9d1dcaada40eda7ef921c6b8c0ae107a0"
                ),
            }
        )
    }
)
_MEDIA_TYPE: Final = re.compile(
    r"[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(?: *;[\x20-\x7e]*)?"
)


class ResourceOutcome(StrEnum):
    """How the check of one resource ended."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class ResourceResult:
    """What the check of one related resource came to.

    Attributes:
        id: the resource's URL; empty where the entry has none.
        outcome: passed, failed or unknown.
        code: why not passed, in kebab case.
        path: the JSON pointer of what decided it.
    """

    id: str
    outcome: ResourceOutcome
    code: str = ""
    path: str = ""


def check_related_resources(
    document: JsonObject,
    *,
    resources: Mapping[str, bytes] = MappingProxyType({}),
    loader: Loader | None = None,
) -> tuple[ResourceResult, ...]:
    """Check the digest of each related resource whose bytes can be had; at most a hundred are looked at.

    Args:
        document: the credential, as its proof covers it.
        resources: bytes by URL, as they are published; those of carried contexts need not be given.
        loader: brings the others; without one, they are unknown.
    """
    return tuple(
        _check_resource(entry, path, resources, loader) if isinstance(entry, dict) else _malformed(path)
        for path, entry in find_entries(document, "relatedResource")
    )


def check_resource_members(document: JsonObject) -> Iterator[FieldError]:
    """Check what the data model itself says of related resources, and digests of carried contexts."""
    seen: set[JSON] = set()
    for path, entry in find_entries(document, "relatedResource"):
        if not isinstance(entry, dict):
            yield fault(path, "not-an-object", "an object with id and digest", entry)
            continue
        yield from check_id(entry, path, required=True)
        identifier = entry.get("id")
        if isinstance(identifier, str):
            if identifier in seen:
                yield fault(f"{path}/id", "duplicate", "each resource once", identifier)
            seen.add(identifier)
        faults = list(check_digests(entry, path, required=True))
        yield from faults
        media_type = entry.get("mediaType", "a/a")
        if not isinstance(media_type, str) or not _MEDIA_TYPE.fullmatch(media_type):
            yield fault(f"{path}/mediaType", "not-a-media-type", "a media type", media_type)
        if not faults and identifier in CONTEXTS:
            result = _check_resource(entry, path, {}, None)
            if result.outcome is ResourceOutcome.FAILED:
                yield fault(result.path, result.code, "the digest of the context that is carried")


def find_resource(document: JsonObject, url: str) -> JsonObject | None:
    """Find what a credential states of a resource that is about to be used, if it states anything."""
    for _, entry in find_entries(document, "relatedResource"):
        if isinstance(entry, dict) and entry.get("id") == url:
            return entry
    return None


def _check_resource(
    entry: JsonObject, path: str, resources: Mapping[str, bytes], loader: Loader | None
) -> ResourceResult:
    url = entry.get("id")
    if not isinstance(url, str) or next(check_digests(entry, path, required=True), None):
        return _malformed(path)
    try:
        content = _find_content(url, entry.get("mediaType"), resources, loader)
        wrong = find_wrong_digest(entry, content)
    except Unavailable:
        return ResourceResult(url, ResourceOutcome.UNKNOWN, "resource-not-at-hand", path)
    except Malformed as error:
        return ResourceResult(url, ResourceOutcome.UNKNOWN, error.code, path)
    if wrong is None:
        return ResourceResult(url, ResourceOutcome.PASSED)
    stated = {digest for _, digest in read_digests(entry, wrong)}
    if stated <= _SUPERSEDED.get(url, frozenset()):
        return ResourceResult(url, ResourceOutcome.UNKNOWN, SUPERSEDED, f"{path}/{wrong}")
    return ResourceResult(url, ResourceOutcome.FAILED, "digest-mismatch", f"{path}/{wrong}")


def _find_content(url: str, media_type: JSON, resources: Mapping[str, bytes], loader: Loader | None) -> bytes:
    """Find a resource's bytes: carried, handed in or loaded.

    Raises:
        Unavailable: it can't be had.
        Malformed: ``media-type-differs``: the other side calls it something else than the credential does.
    """
    if url in CONTEXTS:
        return read_context(CONTEXTS[url].file)
    if url in resources:
        return resources[url]
    if loader is None:
        raise Unavailable("the resource is not at hand")
    loaded = loader.load(url)
    if (
        isinstance(media_type, str)
        and loaded.media_type
        and _essence(media_type) != _essence(loaded.media_type)
    ):
        raise Malformed("media-type-differs", "the media type that the credential states")
    return loaded.content


def _essence(media_type: str) -> str:
    return media_type.partition(";")[0].strip().lower()


def _malformed(path: str) -> ResourceResult:
    return ResourceResult("", ResourceOutcome.FAILED, "not-a-digest", path)

"""The presentation as a document, and the objects that stand for an enveloped credential or presentation.

Follows the Verifiable Credentials Data Model 2.0, sections "Verifiable Presentations", "Enveloped Verifiable
Credentials", "Enveloped Verifiable Presentations" and "Presentations Including Holder Claims"; a presentation
of version 1.1 is told by its first context. All faults come at once, each with its JSON pointer.
"""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from typing import TYPE_CHECKING, Final

from vcid.credentials.model import check_model
from vcid.credentials.model_rules import (
    MAX_FAULTS,
    VC_V1,
    VC_V2,
    check_agent,
    check_context,
    check_id,
    check_own_type,
    check_proofs,
    check_typed,
    fault,
    find_crowds,
    find_entries,
    has_type,
)
from vcid.credentials.version_1 import is_version_1

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.encoding.json import JSON, JsonObject
    from vcid.errors import FieldError

ENVELOPED_CREDENTIAL: Final = "EnvelopedVerifiableCredential"
ENVELOPED_PRESENTATION: Final = "EnvelopedVerifiablePresentation"

# RFC 2397 with a media type, which says how to read what follows; the scheme in any case (RFC 3986).
_DATA_URL: Final = re.compile(
    r"data:[A-Za-z0-9!#$&^_.+-]{1,127}/[A-Za-z0-9!#$&^_.+-]{1,127}(?:;[A-Za-z0-9!#$&^_.+=\"-]+)*,[!-~]+",
    re.IGNORECASE,
)
_TYPED_MEMBERS: Final = ("termsOfUse", "confidenceMethod", "renderMethod")


def check_presentation_model(document: JsonObject) -> tuple[FieldError, ...]:
    """Check a presentation against the data model, with the credentials in it; none means that it conforms.

    At most `MAX_FAULTS` faults. Whether anything is secured is not asked: see `check_self_asserted`.
    """
    return tuple(islice(_check_presentation(document), MAX_FAULTS))


def check_envelope(document: JsonObject, kind: str) -> tuple[FieldError, ...]:
    """Check an object that stands for something enveloped: context, one type, and a data: URL as id.

    Args:
        document: the object.
        kind: `ENVELOPED_CREDENTIAL` or `ENVELOPED_PRESENTATION`.
    """
    return tuple(_check_envelope(document, kind))


def is_envelope(entry: JSON, kind: str) -> bool:
    """Say whether an object claims to be an envelope, well made or not."""
    return isinstance(entry, dict) and has_type(entry, kind)


def check_self_asserted(document: JsonObject) -> tuple[FieldError, ...]:
    """Check the claims that a holder makes of itself (section "Presentations Including Holder Claims").

    A credential without a proof of its own is secured by the presentation alone: the presentation must name
    its holder, and this holder must be the credential's issuer, or it would be somebody else's claim.
    """
    holder = _url_of(document.get("holder"))
    faults = []
    for path, entry in find_entries(document, "verifiableCredential"):
        if not isinstance(entry, dict) or "proof" in entry or is_envelope(entry, ENVELOPED_CREDENTIAL):
            continue
        if holder is None:
            faults.append(fault("/holder", "missing", "the holder, who makes claims of its own"))
        elif _url_of(entry.get("issuer")) != holder:
            faults.append(fault(f"{path}/issuer", "not-the-holder", "a proof, or the holder as the issuer"))
    return tuple(dict.fromkeys(faults))


def _check_presentation(document: JsonObject) -> Iterator[FieldError]:
    if crowds := find_crowds(document):
        yield from crowds
        return
    yield from check_context(document, VC_V1 if is_version_1(document) else VC_V2)
    yield from check_id(document, "")
    yield from check_own_type(document, "VerifiablePresentation")
    yield from check_agent(document, "holder", required=False)
    for name in _TYPED_MEMBERS:
        yield from check_typed(document, name)
    yield from check_proofs(document)
    for path, entry in find_entries(document, "verifiableCredential"):
        yield from _check_presented(entry, path)


def _check_presented(entry: JSON, path: str) -> Iterator[FieldError]:
    """Check one credential of a presentation: an object with its own context, never its id or its text."""
    if not isinstance(entry, dict):
        yield fault(path, "not-an-object", "a credential, or an object with an enveloped one", entry)
        return
    enveloped = is_envelope(entry, ENVELOPED_CREDENTIAL)
    faults = check_envelope(entry, ENVELOPED_CREDENTIAL) if enveloped else check_model(entry)
    yield from (replace(each, path=path + each.path) for each in faults)


def _check_envelope(document: JsonObject, kind: str) -> Iterator[FieldError]:
    contexts = document.get("@context")
    if VC_V2 not in (contexts if isinstance(contexts, list) else [contexts]):
        yield fault("/@context", "wrong-context", f"{VC_V2} among the contexts", contexts)
    if document.get("type") not in (kind, [kind]):
        yield fault("/type", "wrong-type", kind, document.get("type"))
    identifier = document.get("id")
    if not isinstance(identifier, str) or not _DATA_URL.fullmatch(identifier):
        yield fault("/id", "not-a-data-url", "a data: URL with a media type")


def _url_of(agent: JSON) -> str | None:
    url = agent.get("id") if isinstance(agent, dict) else agent
    return url if isinstance(url, str) else None

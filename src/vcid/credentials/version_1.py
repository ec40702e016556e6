"""The older credential: what the Verifiable Credentials Data Model 1.1 says of a document.

Such credentials are verified, never issued. They have ``issuanceDate`` and ``expirationDate`` where version
2.0 has ``validFrom`` and ``validUntil``, and a status or refresh service of theirs must have an ``id``. A
date without a time zone, which 1.1 allows, is read as UTC: version 2.0 says so of any time without an offset.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from vcid.credentials.model_rules import (
    VC_V1,
    check_agent,
    check_context,
    check_id,
    check_own_type,
    check_proofs,
    check_subjects,
    check_typed,
    fault,
    find_crowds,
)
from vcid.encoding.dates import parse_timestamp
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.errors import FieldError

_DATES: Final = ("issuanceDate", "expirationDate", "validFrom", "validUntil")
# Members whose value is one object or several, each with a type; and whether each needs an id.
_TYPED_MEMBERS: Final = (
    ("credentialStatus", True),
    ("credentialSchema", True),
    ("refreshService", True),
    ("evidence", False),
    ("termsOfUse", False),
)
_WITHOUT_ZONE: Final = re.compile(r"[^T]*T[0-9:.]+")


def is_version_1(document: JsonObject) -> bool:
    """Say whether a document claims to be of the data model 1.1, by its first context."""
    context = document.get("@context")
    return context == VC_V1 or (isinstance(context, list) and context[:1] == [VC_V1])


def check_version_1(document: JsonObject) -> Iterator[FieldError]:
    """Check a credential against the data model 1.1 (sections 4.1 to 4.8 and 5)."""
    if crowds := find_crowds(document):
        yield from crowds
        return
    yield from check_context(document, VC_V1)
    yield from check_id(document, "")
    yield from check_own_type(document, "VerifiableCredential")
    yield from check_agent(document, "issuer", required=True)
    yield from _check_dates(document)
    yield from check_subjects(document)
    for name, id_required in _TYPED_MEMBERS:
        yield from check_typed(document, name, id_required=id_required)
    yield from check_proofs(document)


def parse_date_time(value: JSON) -> datetime:
    """Read an XML Schema dateTime, in UTC where it has no zone.

    Raises:
        Malformed: it is none.
    """
    text = value if isinstance(value, str) else ""
    return parse_timestamp(f"{text}Z" if _WITHOUT_ZONE.fullmatch(text) else text)


def _check_dates(document: JsonObject) -> Iterator[FieldError]:
    for name in _DATES:
        if name not in document:
            if name == "issuanceDate":
                yield fault("/issuanceDate", "missing", "the moment from which the credential holds")
            continue
        try:
            parse_date_time(document[name])
        except Malformed as error:
            yield fault(f"/{name}", "not-a-timestamp", error.expected, document[name])

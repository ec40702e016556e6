"""From when to when a credential says that it holds, whichever version of the data model it is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.credentials.version_1 import is_version_1, parse_date_time
from vcid.encoding.dates import parse_timestamp

if TYPE_CHECKING:
    from datetime import datetime

    from vcid.encoding.json import JsonObject


def validity_period(document: JsonObject) -> tuple[datetime | None, datetime | None]:
    """Read the start and the end of a credential's validity; None where it states none.

    Version 2.0 has ``validFrom`` and ``validUntil`` (section "Validity Period"). Version 1.1 has
    ``issuanceDate`` and ``expirationDate``, and its context defines the newer names as well: where a document
    states both, the narrower period counts.

    Raises:
        Malformed: a date is none; no document that conforms to its version has such a date.
    """
    if not is_version_1(document):
        start, end = document.get("validFrom"), document.get("validUntil")
        return (
            None if start is None else parse_timestamp(start if isinstance(start, str) else ""),
            None if end is None else parse_timestamp(end if isinstance(end, str) else ""),
        )
    starts = _moments(document, "issuanceDate", "validFrom")
    ends = _moments(document, "expirationDate", "validUntil")
    return max(starts, default=None), min(ends, default=None)


def _moments(document: JsonObject, *names: str) -> list[datetime]:
    return [parse_date_time(document[name]) for name in names if document.get(name) is not None]

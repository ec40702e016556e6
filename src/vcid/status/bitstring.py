"""Bitstring Status List v1.0 (W3C Recommendation, May 2025): entries, list credentials, and reading one.

A credential's ``credentialStatus`` names a list and an index (`StatusEntry`); the list is itself a credential
whose subject holds the compressed bits (`StatusList`). This module is pure: fetching the list credential,
verifying its proof and deciding whether its issuer may speak is the caller's part.

Failures are `Malformed` with the specification's error names in kebab case as codes (see `vcid.status.bits`);
``where`` and ``expected`` say what exactly is wrong. Two of the specification's loose ends are settled so:
the messages of a ``message`` status are those of the entry, to which the issuer committed at issuance, and
``ttl`` is passed on to the caller, who alone knows when the list was fetched.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vcid.credentials.model_rules import VC_V2, is_url
from vcid.encoding.dates import format_timestamp, parse_timestamp
from vcid.errors import LimitExceeded, Malformed
from vcid.status.bits import (
    LIST_LENGTH_ERROR,
    MALFORMED_VALUE_ERROR,
    MAX_BYTES,
    MIN_ENTRIES,
    RANGE_ERROR,
    RETRIEVAL_ERROR,
    VERIFICATION_ERROR,
    StatusList,
)

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime
    from typing import Self

    from vcid.encoding.json import JSON, JsonObject

__all__ = [
    "LIST_LENGTH_ERROR",
    "MALFORMED_VALUE_ERROR",
    "MAX_BYTES",
    "MIN_ENTRIES",
    "RANGE_ERROR",
    "RETRIEVAL_ERROR",
    "VERIFICATION_ERROR",
    "ListPeriod",
    "StatusEntry",
    "StatusList",
    "StatusListCredential",
    "StatusValue",
    "UnknownStatus",
    "build_status_list",
    "read_status",
]

_LIST_CREDENTIAL: Final = "BitstringStatusListCredential"
_LIST: Final = "BitstringStatusList"
_ENTRY: Final = "BitstringStatusListEntry"

_MAX_STATUS_SIZE: Final = 16
_MAX_INDEX_DIGITS: Final = 18
_DIGITS: Final = re.compile(r"[0-9]+", re.ASCII)
_HEXADECIMAL: Final = re.compile(r"0x[0-9a-fA-F]{1,8}", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusEntry:
    """A place in a status list that a credential points to (section 2.1, BitstringStatusListEntry).

    Attributes:
        purpose: what a set status means: ``revocation``, ``suspension``, ``refresh``, ``message`` or another.
        list_id: the URL of the list credential.
        index: which entry of the list.
        size: how many bits the entry has.
        messages: the message of each value, in the order of values; empty where the issuer gave none.
    """

    purpose: str
    list_id: str
    index: int
    size: int = 1
    messages: tuple[str, ...] = ()

    @classmethod
    def parse(cls, entry: JsonObject, *, where: str = "/credentialStatus") -> Self:
        """Read one entry of type BitstringStatusListEntry.

        Raises:
            Malformed: a property breaks a MUST of section 2.1.
        """
        list_id = _url(entry.get("statusListCredential"), f"{where}/statusListCredential")
        if "id" in entry and _url(entry["id"], f"{where}/id") == list_id:
            raise _malformed(f"{where}/id", "another URL than that of the status list")
        _check_references(entry, f"{where}/statusReference")
        size = _size(entry.get("statusSize", 1), f"{where}/statusSize")
        return cls(
            purpose=_text(entry.get("statusPurpose"), f"{where}/statusPurpose"),
            list_id=list_id,
            index=_index(entry.get("statusListIndex"), f"{where}/statusListIndex"),
            size=size,
            messages=_messages(entry.get("statusMessage"), size, f"{where}/statusMessage"),
        )

    @classmethod
    def parse_all(cls, credential_document: JsonObject) -> tuple[Self | UnknownStatus, ...]:
        """Read every status of a credential; one of a type not known here is kept as `UnknownStatus`.

        Raises:
            Malformed: ``credentialStatus`` is neither an object nor a list of objects, or an entry is wrong.
        """
        if "credentialStatus" not in credential_document:
            return ()
        found = credential_document["credentialStatus"]
        if isinstance(found, list):
            return tuple(cls._parse_any(entry, f"/credentialStatus/{i}") for i, entry in enumerate(found))
        return (cls._parse_any(found, "/credentialStatus"),)

    @classmethod
    def _parse_any(cls, entry: JSON, where: str) -> Self | UnknownStatus:
        if not isinstance(entry, dict):
            raise _malformed(where, "an object")
        types = _texts(entry.get("type"), f"{where}/type")
        if _ENTRY in types:
            return cls.parse(entry, where=where)
        return UnknownStatus(types)

    def to_json(self) -> JsonObject:
        """Write the entry of a plain, one-bit status, as it goes into ``credentialStatus``.

        Raises:
            ValueError: the entry has more than one bit or messages.
        """
        if self.size != 1 or self.messages:
            raise ValueError("only entries of one bit and without messages are written")
        return {
            "type": _ENTRY,
            "statusPurpose": self.purpose,
            "statusListIndex": str(self.index),
            "statusListCredential": self.list_id,
        }


@dataclass(frozen=True, slots=True)
class UnknownStatus:
    """A status of a type that this module can't read: its meaning is unknown, not absent.

    Attributes:
        types: the type or types that the entry states.
    """

    types: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListPeriod:
    """From when until when a list credential holds, and how soon a newer one should be asked for.

    Attributes:
        valid_from: the first moment, with a time zone; ``None`` where the list states none.
        valid_until: the last moment, with a time zone; ``None`` where the list states none.
        ttl: how long a fetched copy may serve before a refresh should be attempted.
    """

    valid_from: datetime | None = None
    valid_until: datetime | None = None
    ttl: timedelta | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusListCredential:
    """What a list credential says (section 2.2, BitstringStatusListCredential).

    Attributes:
        list_id: the credential's own id, where it states one.
        purposes: what a set status means, one or more.
        size: the bits of an entry, where the list states it.
        period: its validity.
        bits: the statuses.
    """

    list_id: str | None
    purposes: tuple[str, ...]
    size: int | None
    period: ListPeriod
    bits: StatusList

    @classmethod
    def parse(cls, document: JsonObject, *, max_bytes: int = MAX_BYTES) -> Self:
        """Read a list credential; its proof, or whatever else vouches for it, was checked before.

        Raises:
            LimitExceeded: the list inflates to more than ``max_bytes``.
            Malformed: the document is no list credential, or a property breaks a MUST of section 2.2.
        """
        if _LIST_CREDENTIAL not in _texts(document.get("type"), "/type"):
            raise Malformed(VERIFICATION_ERROR, f"a {_LIST_CREDENTIAL}", where="/type")
        subject, where = document.get("credentialSubject"), "/credentialSubject"
        if not isinstance(subject, dict):
            raise _malformed(where, "one object")
        if _LIST not in _texts(subject.get("type"), f"{where}/type"):
            raise _malformed(f"{where}/type", _LIST)
        encoded = _text(subject.get("encodedList"), f"{where}/encodedList")
        return cls(
            list_id=_url(document["id"], "/id") if "id" in document else None,
            purposes=_texts(subject.get("statusPurpose"), f"{where}/statusPurpose"),
            size=_size(subject["statusSize"], f"{where}/statusSize") if "statusSize" in subject else None,
            period=_period(document, subject),
            bits=StatusList.decode(encoded, max_bytes=max_bytes),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusValue:
    """What a list says of one entry (the result of section 3.2).

    Attributes:
        purpose: what a set status means.
        value: the status; 0 is unset.
        message: the issuer's words for the value, for developers; ``None`` where there are none.
        list_id: the URL of the list credential.
        period: the validity that the list states of itself.
    """

    purpose: str
    value: int
    message: str | None
    list_id: str
    period: ListPeriod

    @property
    def is_set(self) -> bool:
        """Whether the status applies: a revoked credential's ``revocation`` is set."""
        return self.value != 0


def read_status(
    entry: StatusEntry, list_document: JsonObject, at: datetime, *, max_bytes: int = MAX_BYTES
) -> StatusValue:
    """Read one entry from a list credential whose proof and issuer were verified (section 3.2).

    Args:
        entry: the entry of the credential being verified.
        list_document: the verified document of the list credential.
        at: the moment that is asked about, with a time zone.
        max_bytes: how large the inflated list may be.

    Raises:
        Malformed: with one of this module's codes.
    """
    status_list = StatusListCredential.parse(list_document, max_bytes=max_bytes)
    # 1. It is the list that the entry names, holds at that moment and serves the entry's purpose.
    _check_applies(status_list, entry, at)
    # 2. The list is long enough to hide in.
    if len(status_list.bits) // entry.size < MIN_ENTRIES:
        where = "/credentialSubject/encodedList"
        raise Malformed(LIST_LENGTH_ERROR, f"at least {MIN_ENTRIES} entries", where=where)
    # 3. The value, and its message where there is one.
    value = status_list.bits.value(entry.index, entry.size)
    return StatusValue(
        purpose=entry.purpose,
        value=value,
        message=_message(entry, value),
        list_id=entry.list_id,
        period=status_list.period,
    )


def build_status_list(
    bits: StatusList, *, list_id: str, issuer: str, purposes: Sequence[str], period: ListPeriod
) -> JsonObject:
    """Build the unsigned list credential (section 3.1, Generate Algorithm; data model 2.0).

    Args:
        bits: the statuses, at least `MIN_ENTRIES` of them.
        list_id: the URL at which the list credential will be found.
        issuer: the issuer's DID or URL.
        purposes: what a set bit means; one or more.
        period: the validity to state.

    Raises:
        ValueError: the list is too short, no purpose is given, or a date has no time zone.
    """
    if len(bits) < MIN_ENTRIES:
        raise ValueError(f"a status list has at least {MIN_ENTRIES} entries")
    if isinstance(purposes, str) or not purposes:
        raise ValueError("a status list has one or more purposes, in a sequence")
    subject: JsonObject = {
        "id": f"{list_id}#list",
        "type": _LIST,
        "statusPurpose": purposes[0] if len(purposes) == 1 else list(purposes),
        "encodedList": bits.encode(),
    }
    if period.ttl is not None:
        subject["ttl"] = period.ttl // timedelta(milliseconds=1)
    document: JsonObject = {
        "@context": [VC_V2],
        "id": list_id,
        "type": ["VerifiableCredential", _LIST_CREDENTIAL],
        "issuer": issuer,
    }
    if period.valid_from is not None:
        document["validFrom"] = format_timestamp(period.valid_from)
    if period.valid_until is not None:
        document["validUntil"] = format_timestamp(period.valid_until)
    return {**document, "credentialSubject": subject}


def _check_applies(status_list: StatusListCredential, entry: StatusEntry, at: datetime) -> None:
    if at.tzinfo is None:
        raise ValueError("the moment asked about needs a time zone")
    period, subject = status_list.period, "/credentialSubject"
    if status_list.list_id not in (None, entry.list_id):
        raise Malformed(VERIFICATION_ERROR, "the list that the entry names", where="/id")
    if period.valid_from is not None and at < period.valid_from:
        raise Malformed(VERIFICATION_ERROR, "a list that holds already at that moment", where="/validFrom")
    if period.valid_until is not None and at > period.valid_until:
        raise Malformed(VERIFICATION_ERROR, "a list that still holds at that moment", where="/validUntil")
    if entry.purpose not in status_list.purposes:
        raise Malformed(VERIFICATION_ERROR, "a list of the entry's purpose", where=f"{subject}/statusPurpose")
    if status_list.size not in (None, entry.size):
        raise Malformed(VERIFICATION_ERROR, "the size that the entry states", where=f"{subject}/statusSize")


def _period(document: JsonObject, subject: JsonObject) -> ListPeriod:
    ttl = subject.get("ttl")
    if ttl is not None and (isinstance(ttl, bool) or not isinstance(ttl, int) or not 0 <= ttl < 1 << 53):
        raise _malformed("/credentialSubject/ttl", "a count of milliseconds")
    return ListPeriod(
        valid_from=_moment(document, "validFrom"),
        valid_until=_moment(document, "validUntil"),
        ttl=None if ttl is None else timedelta(milliseconds=ttl),
    )


def _moment(document: JsonObject, name: str) -> datetime | None:
    if name not in document:
        return None
    try:
        return parse_timestamp(_text(document[name], f"/{name}"))
    except Malformed as error:
        raise _malformed(f"/{name}", "a dateTimeStamp") from error


def _message(entry: StatusEntry, value: int) -> str | None:
    if entry.messages:
        return entry.messages[value]
    if entry.purpose == "message":
        return "set" if value else "unset"
    return None


def _size(found: JSON, where: str) -> int:
    if isinstance(found, bool) or not isinstance(found, int) or found < 1:
        raise _malformed(where, "an integer greater than zero")
    if found > _MAX_STATUS_SIZE:
        raise LimitExceeded(MALFORMED_VALUE_ERROR, f"at most {_MAX_STATUS_SIZE} bits", where=where)
    return found


def _index(found: JSON, where: str) -> int:
    if not isinstance(found, str) or not _DIGITS.fullmatch(found):
        raise _malformed(where, "an integer in base 10, as a string")
    digits = found.lstrip("0")
    if len(digits) > _MAX_INDEX_DIGITS:
        raise Malformed(RANGE_ERROR, "an index inside of the status list", where=where)
    return int(digits or "0")


def _messages(found: JSON, size: int, where: str) -> tuple[str, ...]:
    if found is None and size == 1:
        return ()
    if not isinstance(found, list) or len(found) != 1 << size:
        raise _malformed(where, f"{1 << size} messages, one for each value of {size} bits")
    messages: dict[int, str] = {}
    for position, item in enumerate(found):
        if not isinstance(item, dict):
            raise _malformed(f"{where}/{position}", "an object")
        value = _text(item.get("status"), f"{where}/{position}/status")
        if not _HEXADECIMAL.fullmatch(value):
            raise _malformed(f"{where}/{position}/status", "a hexadecimal number that starts with 0x")
        messages[int(value, 16)] = _text(item.get("message"), f"{where}/{position}/message")
    if messages.keys() != set(range(1 << size)):
        raise _malformed(where, "each value once")
    return tuple(messages[value] for value in range(1 << size))


def _check_references(entry: JsonObject, where: str) -> None:
    references = entry.get("statusReference", [])
    for reference in references if isinstance(references, list) else [references]:
        _url(reference, where)


def _text(found: JSON, where: str) -> str:
    if not isinstance(found, str) or not found:
        raise _malformed(where, "a string")
    return found


def _texts(found: JSON, where: str) -> tuple[str, ...]:
    items = found if isinstance(found, list) else [found]
    if not items:
        raise _malformed(where, "one or more strings")
    return tuple(_text(item, where) for item in items)


def _url(found: JSON, where: str) -> str:
    text = _text(found, where)
    if not is_url(text):
        raise _malformed(where, "a URL")
    return text


def _malformed(where: str, expected: str) -> Malformed:
    return Malformed(MALFORMED_VALUE_ERROR, expected, where=where)

"""What records of every kind share: collecting all faults at once, and writing fields as JSON.

A record with one fault often has three, and a registrar who is told one at a time gives up. So nothing here
stops at the first: each fault is noted under the JSON pointer of its field.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from vcid.credentials.text import MAX_TEXT, text_faults
from vcid.encoding.dates import UncertainDate, format_timestamp
from vcid.errors import FieldError, InvalidRecord

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vcid.encoding.json import JSON, JsonObject

MAX_ITEMS: Final = 50
"""How many items a list in a record may have. No register records more names, parents or guardians."""

UNSHOWN: Final = "*"
"""What stands in a fault's path for the name of a field that may be personal data itself."""


class Faults:
    """The faults found so far, each under the JSON pointer of its field."""

    def __init__(self) -> None:
        self._errors: list[FieldError] = []

    def add(self, path: str, code: str, expected: str, found: object = None) -> None:
        """Note one fault."""
        self._errors.append(FieldError(path, code, expected, found))

    def extend(self, errors: Iterable[FieldError]) -> None:
        """Note faults about fields that have none yet, nor within them or around them.

        A field that could not be read is absent from the record; that absence is no second fault.
        """
        known = [error.path for error in self._errors]
        self._errors += [
            error for error in errors if not any(_overlap(error.path, path, error.code) for path in known)
        ]

    def collected(self) -> tuple[FieldError, ...]:
        """Return every fault noted, in the order found."""
        return tuple(self._errors)

    def raise_any(self) -> None:
        """Raise `InvalidRecord` with every fault noted, if there is one."""
        if self._errors:
            raise InvalidRecord(self._errors)

    def check_text(self, path: str, value: object, *, required: bool = True, limit: int = MAX_TEXT) -> bool:
        """Note what is wrong with a piece of text; say whether there is text to look at."""
        if value is None:
            if required:
                self.add(path, "required", "text")
            return False
        if not isinstance(value, str):
            self.add(path, "wrong-type", "text", value)
            return False
        for code, expected in text_faults(value, limit=limit):
            self.add(path, code, expected, value)
        return True

    def check_pattern(
        self, path: str, value: object, pattern: str, expected: str, *, required: bool = True
    ) -> None:
        """Note that a value is absent, or does not have a form."""
        if value is None:
            if required:
                self.add(path, "required", expected)
        elif not isinstance(value, str):
            self.add(path, "wrong-type", expected, value)
        elif re.fullmatch(pattern, value) is None:
            self.add(path, "wrong-form", expected, value)

    def check_type(
        self, path: str, value: object, kind: type, expected: str = "", *, required: bool = True
    ) -> bool:
        """Note that a value is absent or of another type; say whether it is there and can be looked at."""
        expected = expected or describe(kind)
        if value is None:
            if required:
                self.add(path, "required", expected)
            return False
        # A datetime is a date, and True an int, for Python alone.
        if not isinstance(value, kind) or (kind is date and isinstance(value, datetime)) or value is True:
            self.add(path, "wrong-type", expected, value)
            return False
        return True


def _overlap(path: str, known: str, code: str) -> bool:
    if known.endswith(f"/{UNSHOWN}"):
        # A field that no record has says nothing about those that it should have.
        return False
    if path == known:
        return True
    return path.startswith(f"{known}/") or (code == "required" and known.startswith(f"{path}/"))


def check_distinct_ids(items: Sequence[object], faults: Faults, path: str) -> None:
    """Note the DIDs that stand on two parts of a list; as linked data they would be one node."""
    known: set[str] = set()
    for index, item in enumerate(items):
        did = getattr(item, "id", None)
        if not isinstance(did, str):
            continue
        if did in known:
            faults.add(pointer(path, index), "repeated", "each DID once", did)
        known.add(did)


def describe(kind: type) -> str:
    """Say in words what a value of a type looks like."""
    if issubclass(kind, StrEnum):
        return f"one of {', '.join(kind)}"
    return {date: "a day", datetime: "a moment", int: "a whole number"}.get(kind, kind.__name__)


def pointer(path: str, key: str | int) -> str:
    """Step down in a JSON pointer (RFC 6901)."""
    return f"{path}/{str(key).replace('~', '~0').replace('/', '~1')}"


def stated(fields: Mapping[str, object]) -> JsonObject:
    """Keep what a record states: JSON values of the fields that are neither None nor empty."""
    return {name: to_json(value) for name, value in fields.items() if value is not None and value != ()}


def to_json(value: object) -> JSON:
    """Write one value of a record as JSON."""
    if isinstance(value, StrEnum):
        return value.value
    if isinstance(value, str | int):
        return value
    if isinstance(value, UncertainDate | date):
        return format_timestamp(value) if isinstance(value, datetime) else str(value)
    if isinstance(value, Sequence):
        return [to_json(item) for item in value]
    written: JSON = value.to_json()  # type: ignore[attr-defined]  # every record has it
    return written

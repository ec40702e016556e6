"""Reading JSON objects into records, with every fault noted and nothing guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date
from typing import TYPE_CHECKING, Any, Final, TypeVar

from vcid.credentials.forbidden import is_forbidden
from vcid.credentials.records import MAX_ITEMS, UNSHOWN, Faults, describe, pointer
from vcid.encoding.dates import UncertainDate, parse_timestamp
from vcid.encoding.json import is_term
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from enum import StrEnum

T = TypeVar("T")
E = TypeVar("E", bound="StrEnum")

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ObjectReader:
    """Reads the fields of one JSON object, noting faults, and at the end the fields that nobody asked for.

    A field that is absent, or whose fault is noted, reads as None whatever its type: hence ``Any``. The
    record made from such fields is good only for looking for more faults.
    """

    def __init__(self, value: object, path: str, faults: Faults) -> None:
        self._path = path
        self._faults = faults
        self._asked: set[str] = set()
        self._fields: Mapping[str, Any] = {}
        if isinstance(value, Mapping):
            self._fields = value
        else:
            faults.add(path, "wrong-type", "an object", value)

    def finish(self) -> None:
        """Note every field that no one has asked for: forbidden by name, or unknown."""
        for name in self._fields:
            if name in self._asked:
                continue
            if is_forbidden(name):
                self._faults.add(
                    pointer(self._path, name), "forbidden-field", "no such field in any credential"
                )
                continue
            # Where data has slipped into a header, a field's name may be a person's: only plain ones show.
            shown = name if is_term(name) else UNSHOWN
            self._faults.add(pointer(self._path, shown), "unknown-field", "only fields of this record")

    def expect_type(self, wanted: str, *, required: bool = True) -> None:
        """Note that an object's ``type`` is absent, or neither a type nor a list that holds it."""
        self._asked.add("type")
        types = self._fields.get("type")
        if types is None:
            if required:
                self._fault("type", "required", wanted)
        elif types != wanted and not (isinstance(types, list) and wanted in types):
            self._fault("type", "unknown-type", wanted, types)

    def string(self, name: str) -> Any:
        """Read text, or None where it is absent."""
        return self._read(name, str, "text")

    def integer(self, name: str) -> Any:
        """Read a whole number, or None where it is absent."""
        value = self._read(name, int, "a whole number")
        return self._fault(name, "wrong-type", "a whole number") if isinstance(value, bool) else value

    def enum(self, name: str, kind: type[StrEnum]) -> Any:
        """Read one of an enumeration's values, or None where it is absent."""
        text = self.string(name)
        if text is None:
            return None
        try:
            return kind(text)
        except ValueError:
            self._fault(name, "unknown-value", describe(kind), text)

    def day(self, name: str) -> Any:
        """Read a day (``2021-03-15``), or None where it is absent."""
        return self.parsed(name, parse_day)

    def uncertain_date(self, name: str) -> Any:
        """Read a date of the EDTF subset, or None where it is absent."""
        return self.parsed(name, UncertainDate.parse)

    def moment(self, name: str) -> Any:
        """Read an XSD dateTimeStamp, or None where it is absent."""
        return self.parsed(name, parse_timestamp)

    def parsed(self, name: str, parse: Callable[[str], object]) -> Any:
        """Read text by a function that raises `Malformed`, or None where it is absent."""
        text = self.string(name)
        if text is None:
            return None
        try:
            return parse(text)
        except Malformed as error:
            self._fault(name, error.code, error.expected, text)

    def record(self, name: str, read: Callable[[ObjectReader], T]) -> Any:
        """Read an object by a function of its own reader, or None where it is absent."""
        self._asked.add(name)
        if name not in self._fields:
            return None
        return read_object(self._fields[name], pointer(self._path, name), self._faults, read)

    def records(self, name: str, read: Callable[[ObjectReader], T]) -> tuple[T, ...]:
        """Read a list of objects; an absent one is empty."""
        path = pointer(self._path, name)
        return tuple(
            read_object(item, pointer(path, index), self._faults, read)
            for index, item in enumerate(self._items(name))
        )

    def strings(self, name: str) -> tuple[str, ...]:
        """Read a list of texts; an absent one is empty."""
        items = self._items(name)
        for index, item in enumerate(items):
            if not isinstance(item, str):
                self._faults.add(pointer(pointer(self._path, name), index), "wrong-type", "text", item)
        return tuple(item for item in items if isinstance(item, str))

    def enums(self, name: str, kind: type[E]) -> tuple[E, ...]:
        """Read a list of an enumeration's values; an absent one is empty."""
        known = {member.value: member for member in kind}
        items = self._items(name)
        for index, item in enumerate(items):
            if not isinstance(item, str) or item not in known:
                path = pointer(pointer(self._path, name), index)
                self._faults.add(path, "unknown-value", describe(kind), item)
        return tuple(known[item] for item in items if isinstance(item, str) and item in known)

    def _items(self, name: str) -> Sequence[Any]:
        self._asked.add(name)
        items = self._fields.get(name, [])
        if not isinstance(items, list | tuple):
            self._fault(name, "wrong-type", "a list", items)
            return ()
        if len(items) > MAX_ITEMS:
            self._fault(name, "too-many", f"at most {MAX_ITEMS} items")
            return ()
        return items

    def _read(self, name: str, kind: type, expected: str) -> Any:
        self._asked.add(name)
        if name not in self._fields:
            return None
        value = self._fields[name]
        return value if isinstance(value, kind) else self._fault(name, "wrong-type", expected, value)

    def _fault(self, name: str, code: str, expected: str, found: object = None) -> None:
        self._faults.add(pointer(self._path, name), code, expected, found)


def read_object(value: object, path: str, faults: Faults, read: Callable[[ObjectReader], T]) -> T:
    """Read one object with a function, then note the fields that it left over."""
    reader = ObjectReader(value, path, faults)
    record = read(reader)
    reader.finish()
    return record


def parse_day(text: str) -> date:
    """Read a day written ``2021-03-15``.

    Raises:
        Malformed: it has another form, or the calendar has no such day.
    """
    if _DAY.fullmatch(text) is None:
        raise Malformed("wrong-form", "a day as YYYY-MM-DD")
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise Malformed("no-such-day", "a day that the calendar has") from error

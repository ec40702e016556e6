"""Reading another system's document field by field, so that nothing of it goes unaccounted for.

`Field` walks a JSON document and knows how to name where it is. `Account` keeps the books: each field is
taken, transformed, refused or left out, with everything beneath it, once; and when all is read, whatever
nobody has touched is told too. The books are what the report is made of, so that a field can't be lost by
being forgotten.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from vcid.credentials.birth import BirthRegistration, latest_day, new_child_ref
from vcid.encoding.dates import utc_now
from vcid.encoding.json import MAX_DEPTH, parse_object
from vcid.errors import FieldError, LimitExceeded, Malformed
from vcid.importers.columns import build_tree
from vcid.importers.loss import FieldOutcome, ImportResult, LossReport, Outcome
from vcid.importers.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import date

    from vcid.encoding.json import JSON, JsonObject
    from vcid.importers.crosswalks import Crosswalk

MAX_FIELDS: Final = 20_000
"""Values in one document, of every kind. The largest bundles of one birth hold a few thousand."""
MAX_TEXT: Final = 1000
"""Characters in a text that is taken. The record's fields have narrower limits of their own."""

RECORD: Final = "record:"
"""What stands before a pointer into the record, in faults that no field of the source has."""

_NAME_STATUS: Final = "/nameStatus"
# A name that may be shown: those of published field lists look so, and names of people rarely do.
_SHOWN_NAME: Final = re.compile(r"[a-z_][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)*")
_MAX_NAME: Final = 80
_OTHER_SHOWN_NAMES: Final = frozenset({"DECLARED", "REGISTERED"})


@dataclass(frozen=True, slots=True)
class Field:
    """One place in a document.

    Attributes:
        path: where, as the report names it.
        value: what stands there.
    """

    path: str
    value: JSON = field(repr=False)

    def get(self, name: str) -> Field | None:
        """Step to a member of an object; None where this is no object or has no such member."""
        if not isinstance(self.value, dict) or name not in self.value:
            return None
        if _is_shown(name):
            return Field(f"{self.path}/{name}", self.value[name])
        return next(member for key, member in self._named() if key == name)

    def members(self) -> Iterator[Field]:
        """Step to every member of an object or item of a list; there are none in other values."""
        if isinstance(self.value, dict):
            yield from (member for _, member in self._named())
        elif isinstance(self.value, list):
            yield from self.items()

    def items(self) -> Iterator[Field]:
        """Step to every item of a list; anything else has none."""
        for index, item in enumerate(self.value if isinstance(self.value, list) else ()):
            yield Field(f"{self.path}/{index}", item)

    def leaves(self) -> Iterator[Field]:
        """List the values beneath this place that hold no others, itself where it is one."""
        stack = [self]
        while stack:
            place = stack.pop()
            below = [*place.members()]
            if not below:
                yield place
            stack += reversed(below)

    @property
    def is_blank(self) -> bool:
        """Whether nothing is said here: null, an empty text, list or object."""
        value = self.value
        return value is None or value in ({}, []) or (isinstance(value, str) and not value.strip())

    @property
    def name(self) -> str:
        """The last step of the path."""
        return self.path.rpartition("/")[2]

    def _named(self) -> Iterator[tuple[str, Field]]:
        if isinstance(self.value, dict):
            for index, (name, value) in enumerate(self.value.items(), 1):
                shown = name if _is_shown(name) else f"*{index}"
                yield name, Field(f"{self.path}/{shown}", value)


def _is_shown(name: str) -> bool:
    if name in _OTHER_SHOWN_NAMES:
        return True
    return len(name) <= _MAX_NAME and _SHOWN_NAME.fullmatch(name) is not None


@dataclass(frozen=True, slots=True)
class Reading:
    """How documents of one kind are read.

    Attributes:
        system: what reports call the kind.
        stated: what the caller states.
        on: the day it is; nothing may have happened after it. By default today.
        new_ref: draws the ``childRef`` of each record.
    """

    system: str
    stated: Stated = field(default_factory=Stated)
    on: date | None = None
    new_ref: Callable[[], str] = new_child_ref

    def open(self, document: bytes | str | Mapping[str, JSON]) -> Account:
        """Read a document, and begin its account.

        Raises:
            Malformed: it is no JSON object, or JSON that two readers may understand differently.
            LimitExceeded: it is too long, too deep, or has too many values.
        """
        parsed = parse_object(document) if isinstance(document, bytes | str) else document
        return Account(self, _checked(parsed))


class Account:
    """The books of one document: what became of each field, and what the record is made of."""

    def __init__(self, reading: Reading, document: JsonObject) -> None:
        self._reading = reading
        self._outcomes: dict[str, FieldOutcome] = {}
        self._values: dict[str, Any] = {}
        self._origins: dict[str, str] = {}
        self._faults: list[FieldError] = []
        self._whole = Field("", document)
        self.root = Field("", self._without_ignored(self._whole))

    def leave(self, place: Field | None, code: str) -> None:
        """Leave a field out on purpose, with everything beneath it."""
        if place is not None:
            self._note(place, Outcome.LEFT_OUT, code="empty" if place.is_blank else code)

    def refuse(self, place: Field, code: str, expected: str, *, table: str = "", target: str = "") -> None:
        """Refuse a field, with everything beneath it: there will be no record."""
        self._note(place, Outcome.REFUSED, target=target, table=table, code=code)
        found = place.value if not isinstance(place.value, dict | list) else None
        self._faults.append(FieldError(place.path, code, expected, found))

    def object_to(self, code: str, expected: str) -> None:
        """Refuse the document as a whole: something is missing from it."""
        self._faults.append(FieldError("", code, expected))

    def text(self, place: Field | None) -> str | None:
        """Read a text; a blank one is left out, and anything else that is none is refused."""
        if place is None:
            return None
        if place.is_blank:
            self.leave(place, "empty")
        elif not isinstance(place.value, str):
            self.refuse(place, "wrong-type", "text")
        elif len(place.value) > MAX_TEXT:
            self.refuse(place, "too-long", f"at most {MAX_TEXT} characters")
        else:
            return place.value.strip(" ")
        return None

    def take(self, place: Field | None, target: str) -> str | None:
        """Take a text as it stands, and return it; spaces around it don't count, as in tables."""
        text = self.text(place)
        if text is not None and place is not None:
            self._values[target] = text
            self._origins.setdefault(target, place.path)
            self._note(place, Outcome.TAKEN, target=target)
        return text

    def take_number(self, place: Field | None, target: str) -> None:
        """Take a whole number as it stands."""
        if place is None or place.is_blank:
            self.leave(place, "empty")
        elif not isinstance(place.value, int) or isinstance(place.value, bool):
            self.refuse(place, "wrong-type", "a whole number")
        else:
            self._values[target] = place.value
            self._origins.setdefault(target, place.path)
            self._note(place, Outcome.TAKEN, target=target)

    def cross(self, place: Field | None, target: str, table: Crosswalk) -> str | None:
        """Turn a field's word into ours by a table, and return ours; without a counterpart it is refused."""
        if place is None or place.is_blank:
            self.leave(place, "empty")
            return None
        word = _word(place.value)
        if word is None:
            self.refuse(place, "wrong-type", table.expected, table=table.name, target=target)
            return None
        if fault := table.fault_of(word):
            self.refuse(place, *fault, table=table.name, target=target)
            return None
        self.give(target, table.words[word], place, table=table.name)
        return table.words[word]

    def give(self, target: str, value: JSON, *places: Field, table: str) -> None:
        """State a field of the record that is made of fields of the source by a named rule."""
        self._values[target] = value
        for place in places:
            self._origins.setdefault(target, place.path)
            self._note(place, Outcome.TRANSFORMED, target=target, table=table)

    def add(self, target: str, value: JSON, place: Field | None = None) -> None:
        """State one more field of the record, which follows from a field whose outcome is noted already."""
        self._values[target] = value
        if place is not None:
            self._origins.setdefault(target, place.path)

    def has(self, target: str) -> bool:
        """Say whether the record has a field so far, or one beneath it."""
        return any(known == target or known.startswith(f"{target}/") for known in self._values)

    def value(self, target: str) -> JSON:
        """Return what a field of the record holds so far; None where it holds nothing."""
        held: JSON = self._values.get(target)
        return held

    def settle(self, rest: Callable[[Field], str]) -> ImportResult:
        """Close the books: tell what nobody has touched, and make the record.

        Args:
            rest: gives the code by which an untouched field is left out, or an empty string where it has to
                be refused as unknown. It is asked for the outermost field in which nothing was touched.
        """
        self._tell_rest(rest)
        if self._is_named() and self._reading.stated.fields.get(_NAME_STATUS) in (None, "notYetNamed"):
            self._values[_NAME_STATUS] = "recorded"
        stated = self._reading.stated.apply(self._values)
        tree = build_tree(stated | self._values)
        on = self._reading.on or latest_day(utc_now())
        record, errors = BirthRegistration.read_mapping(tree.fields, on=on, new_ref=self._reading.new_ref)
        for error in errors:
            self._object_to_field(tree.original(error.path), error)
        report = LossReport(self._reading.system, self._entries(), tuple(sorted(stated)))
        good = None if self._faults else record
        return ImportResult(good, report, tuple(self._faults), tree.fields)

    def _entries(self) -> tuple[FieldOutcome, ...]:
        """Put the outcomes in the order of the source; what is refused whole is told once."""
        refused = {path for path, entry in self._outcomes.items() if entry.outcome is Outcome.REFUSED}
        kept = [
            entry
            for path, entry in self._outcomes.items()
            if not any(path[:end] in refused for end in _ends(path) if path)
        ]
        order = {place.path: index for index, place in enumerate(_walk(self._whole))}
        return tuple(sorted(kept, key=lambda entry: order[entry.source]))

    def _is_named(self) -> bool:
        return any(target.startswith("/names/") for target in self._values)

    def _note(
        self, place: Field, outcome: Outcome, *, target: str = "", table: str = "", code: str = ""
    ) -> None:
        self._outcomes[place.path] = FieldOutcome(
            source=place.path, outcome=outcome, target=target, table=table, code=code
        )

    def _tell_rest(self, rest: Callable[[Field], str]) -> None:
        above = {path[:end] for path in self._outcomes for end in _ends(path)}
        stack = [self.root]
        while stack:
            place = stack.pop()
            if place.path in self._outcomes:
                continue
            if place.path in above:
                stack += place.members()
            elif code := rest(place):
                self.leave(place, code)
            else:
                self.refuse(place, "unknown-field", "only fields that are mapped, or left out on purpose")

    def _object_to_field(self, target: str, error: FieldError) -> None:
        """Turn a fault of the record into one of the field that it came from."""
        source = self._origin_of(target)
        if source is None:
            if not (error.code == "required" and self._is_refused(target)):
                expected = f"{error.expected}; no field gave it, and the caller may state it"
                self._faults.append(FieldError(f"{RECORD}{target}", error.code, expected))
            return
        noted = self._outcomes[source]
        if noted.outcome is Outcome.REFUSED and noted.code != error.code:
            return  # what is wrong with the field is told already
        self._outcomes[source] = FieldOutcome(
            source=source, outcome=Outcome.REFUSED, target=noted.target, table=noted.table, code=error.code
        )
        self._faults.append(FieldError(source, error.code, error.expected, error.found))

    def _origin_of(self, target: str) -> str | None:
        if target in self._origins:
            return self._origins[target]
        near = [known for known in self._origins if target.startswith(f"{known}/")]
        near += [known for known in self._origins if known.startswith(f"{target}/")]
        return self._origins[near[0]] if near else None

    def _is_refused(self, target: str) -> bool:
        """Say whether a field is missing only because the one that would have given it was refused."""
        refused = (entry.target for entry in self._outcomes.values() if entry.outcome is Outcome.REFUSED)
        return any(path == target or path.startswith(f"{target}/") for path in refused if path)

    def _without_ignored(self, place: Field) -> Any:
        """Copy a document without the members that the caller leaves out."""
        ignored = self._reading.stated.ignored
        if not ignored or not isinstance(place.value, dict | list):
            return place.value
        kept: dict[str, Any] = {}
        items: list[Any] = []
        for name, member in _pairs(place):
            if name is not None and Stated.pattern(member.path) in ignored:
                self._note(member, Outcome.LEFT_OUT, code="ignored")
            elif name is not None:
                kept[name] = self._without_ignored(member)
            else:
                items.append(self._without_ignored(member))
        return kept if isinstance(place.value, dict) else items


def _pairs(place: Field) -> Iterator[tuple[str | None, Field]]:
    if isinstance(place.value, dict):
        yield from zip(place.value, place.members(), strict=True)
    else:
        yield from ((None, item) for item in place.items())


def _word(value: JSON) -> str | None:
    """Write a code as tables have it; numbers and booleans are codes in some systems."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) < 1000:
        return str(value)
    return value if isinstance(value, str) else None


def _ends(path: str) -> Iterator[int]:
    yield 0
    yield from (index for index, character in enumerate(path) if character == "/" and index)


def _walk(whole: Field) -> Iterator[Field]:
    stack = [whole]
    while stack:
        place = stack.pop()
        yield place
        stack += reversed([*place.members()])


def _checked(document: object) -> JsonObject:
    """Copy a document that somebody else has parsed, seeing to it that it is JSON within the limits."""
    if not isinstance(document, Mapping):
        raise Malformed("not-an-object", "a JSON object")
    left = [MAX_FIELDS]
    return {name: _checked_value(value, MAX_DEPTH - 1, left) for name, value in _names(document)}


def _checked_value(value: Any, depth: int, left: list[int]) -> Any:
    left[0] -= 1
    if left[0] < 0:
        raise LimitExceeded("too-many", f"at most {MAX_FIELDS} values in a document")
    if isinstance(value, str | int | float) or value is None:
        return value
    if depth == 0:
        raise LimitExceeded("too-deep", f"at most {MAX_DEPTH} levels")
    if isinstance(value, Mapping):
        return {name: _checked_value(item, depth - 1, left) for name, item in _names(value)}
    if isinstance(value, list | tuple):
        return [_checked_value(item, depth - 1, left) for item in value]
    raise Malformed("not-json", "values that JSON has")


def _names(members: Mapping[Any, Any]) -> Iterator[tuple[str, Any]]:
    for name, value in members.items():
        if not isinstance(name, str):
            raise Malformed("not-json", "names of members that are text")
        yield name, value

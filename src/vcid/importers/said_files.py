"""What a caller states, and the map of a country's form, as JSON files for those who write no Python.

What is stated: ``{"fields": {pointer: value}, "parentage": {"0": "none"}, "hoursEast": 3, "ignored": []}``.
A map: ``{"child.dob": {"rule": "day", "target": "/birthDate"}}``; a ``cross`` has its ``words`` beside its
target, and ``{"reference": true}`` in place of a rule takes that of the reference configuration.
"""

from __future__ import annotations

from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any, Final

from vcid.encoding.json import parse_object
from vcid.errors import Malformed
from vcid.importers.crosswalks import Crosswalk
from vcid.importers.opencrvs_map import (
    AddressParts,
    Cross,
    FieldMap,
    LeaveOut,
    NameParts,
    Presence,
    Take,
    TakeDay,
    TakeNumber,
)
from vcid.importers.opencrvs_reference import REFERENCE_FIELDS
from vcid.importers.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vcid.encoding.json import JSON
    from vcid.importers.opencrvs_map import Rule

_HOURS: Final = 14
_RULES: Final[Mapping[str, Callable[..., Rule]]] = {
    "take": Take,
    "number": TakeNumber,
    "day": TakeDay,
    "name": NameParts,
    "address": AddressParts,
    "presence": Presence,
    "leave-out": LeaveOut,
}
_MEMBERS: Final = {
    "familyFirst": "is_family_first",
    "target": "target",
    "label": "label",
    "region": "region",
    "locality": "locality",
    "word": "word",
    "code": "code",
}
_TYPES: Final = {"familyFirst": bool, "words": dict}


def parse_stated(data: bytes | str) -> Stated:
    """Read what a caller states.

    Raises:
        Malformed: the file is no JSON, or says what can't be stated.
    """
    said = parse_object(data)
    if unknown := set(said) - {"fields", "parentage", "hoursEast", "ignored"}:
        raise Malformed("unknown-member", f"fields, parentage, hoursEast, ignored; {len(unknown)} are others")
    hours = said.get("hoursEast", 0)
    if not isinstance(hours, int | float) or isinstance(hours, bool) or abs(hours) > _HOURS:
        raise Malformed("wrong-type", "hours from -14 to 14", where="/hoursEast")
    parentage = _object(said, "parentage")
    if not all(count.isdecimal() and isinstance(status, str) for count, status in parentage.items()):
        raise Malformed("wrong-type", "numbers of parents with a parentageStatus each", where="/parentage")
    ignored = said.get("ignored", [])
    if not isinstance(ignored, list) or not all(isinstance(path, str) for path in ignored):
        raise Malformed("wrong-type", "a list of JSON pointers", where="/ignored")
    try:
        return Stated(
            fields=_object(said, "fields"),
            parentage={int(count): str(status) for count, status in parentage.items()},
            zone=timezone(timedelta(hours=hours)),
            ignored=frozenset(str(path) for path in ignored),
        )
    except ValueError as error:
        raise Malformed(
            "unknown-field", "pointers to fields of a birth registration", where="/fields"
        ) from error


def parse_field_map(data: bytes | str) -> FieldMap:
    """Read the map of a country's form.

    Raises:
        Malformed: the file is no JSON, or a rule is none.
    """
    rules = {name: _rule(name, rule) for name, rule in parse_object(data).items()}
    try:
        return FieldMap(rules)
    except ValueError as error:
        raise Malformed("unknown-field", f"rules that fill fields of a record: {error}") from error


def _rule(name: str, said: JSON) -> Rule:
    where = f"/{name}"
    if not isinstance(said, dict):
        raise Malformed("wrong-type", "a rule", where=where)
    if said == {"reference": True} and name in REFERENCE_FIELDS.fields:
        return REFERENCE_FIELDS.fields[name]
    members: dict[str, Any] = {key: value for key, value in said.items() if key != "rule"}
    kind = said.get("rule")
    wrong = [key for key, value in members.items() if type(value) is not _TYPES.get(key, str)]
    if wrong:
        raise Malformed("wrong-type", "text, or true or false for familyFirst", where=where)
    try:
        if kind == "cross":
            return Cross(members["target"], _table(name, members))
        make = _RULES[str(kind)]
        return make(**{_MEMBERS[key]: value for key, value in members.items()})
    except (KeyError, TypeError, ValueError) as error:
        expected = f"one of the rules cross, {', '.join(_RULES)}, with its members"
        raise Malformed("not-a-rule", expected, where=where) from error


def _table(name: str, members: Mapping[str, Any]) -> Crosswalk:
    words = members["words"]
    if set(members) != {"target", "words"} or not all(isinstance(word, str) for word in words.values()):
        raise ValueError("a cross has a target and words")
    return Crosswalk(str(members["target"]).rpartition("/")[2], words, name)


def _object(said: Mapping[str, JSON], name: str) -> dict[str, JSON]:
    value = said.get(name, {})
    if not isinstance(value, dict):
        raise Malformed("wrong-type", "an object", where=f"/{name}")
    return value

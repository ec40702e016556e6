"""A carried schema as a function that says whether a document conforms, and nothing else.

JSON Schema 2020-12 in the keywords that vcid's own schemas use. Nearly always the answer is that a document
conforms, and for that the full evaluator is not needed, which takes longer to import than all else does.
Whatever does not conform, or is not certain here, is put to the full evaluator, whose word alone counts for
a fault. The two are held equal in the tests.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sized

    from vcid.encoding.json import JSON

    Test = Callable[[Any], bool]

# Annotations, and what its neighbour takes along.
_PASSED_OVER: Final = frozenset(
    {"$schema", "$id", "$defs", "$comment", "title", "description", "lang", "examples", "then", "else"}
)
_REFERENCE: Final = re.compile(r"#/\$defs/([A-Za-z0-9_-]+)")


class Unsure(Exception):
    """The schema uses, or the document needs, what only the full evaluator decides."""


def compile_schema(schema: JSON) -> Test:
    """Compile a schema.

    Returns:
        A function that says whether a document conforms; it raises `Unsure` where it can't tell.

    Raises:
        Unsure: the schema has a keyword that is not known here.
    """
    return _Compiler(schema).test


class _Compiler:
    """The tests of one schema, with those of its definitions by name."""

    def __init__(self, root: Any) -> None:
        definitions: Mapping[str, Any] = root.get("$defs", {}) if isinstance(root, dict) else {}
        self._names = frozenset(definitions)
        # A definition may refer to one that is compiled later, or to itself: it is looked up when it is used.
        self._definitions: dict[str, Test] = {}
        for name, definition in definitions.items():
            self._definitions[name] = self._compile(definition)
        self.test = self._compile(root)

    def _compile(self, schema: Any) -> Test:
        if isinstance(schema, bool):
            return lambda _value: schema
        if not isinstance(schema, dict):
            raise Unsure("a schema is an object or a boolean")
        tests = [self._keyword(name, schema) for name in schema if name not in _PASSED_OVER]
        return lambda value: all(test(value) for test in tests)

    def _keyword(self, name: str, schema: dict[str, Any]) -> Test:
        argument = schema[name]
        if name in _PLAIN:
            return _PLAIN[name](argument)
        if name in _OF_ONE:
            return _OF_ONE[name](self._compile(argument))
        if name in _OF_SEVERAL:
            return _OF_SEVERAL[name]([self._compile(each) for each in argument])
        if name in _OF_NAMED:
            return _OF_NAMED[name]({key: self._compile(each) for key, each in argument.items()})
        return self._related(name, schema)

    def _related(self, name: str, schema: dict[str, Any]) -> Test:
        """Keywords whose meaning depends on their neighbours, and references."""
        argument = schema[name]
        if name == "items":
            return _items(self._compile(argument), len(schema.get("prefixItems", ())))
        if name == "additionalProperties" and "patternProperties" not in schema:
            return _additional(self._compile(argument), frozenset(schema.get("properties", ())))
        if name == "if":
            then, otherwise = (self._compile(schema.get(branch, True)) for branch in ("then", "else"))
            return _choose(self._compile(argument), then, otherwise)
        match = _REFERENCE.fullmatch(argument) if name == "$ref" else None
        if match is None or match[1] not in self._names:
            raise Unsure(f"the keyword {name}")
        definition, definitions = match[1], self._definitions
        return lambda value: definitions[definition](value)  # noqa: PLW0108 - it may not be compiled yet


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_integer(value: Any) -> bool:
    return _is_number(value) and (isinstance(value, int) or value.is_integer())


_TYPES: Final[Mapping[str, Test]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": _is_integer,
}


def _type(names: Any) -> Test:
    tests = [_TYPES[name] for name in (names if isinstance(names, list) else [names])]
    return tests[0] if len(tests) == 1 else lambda value: any(test(value) for test in tests)


def _one_of_texts(values: list[Any]) -> Test:
    # Among numbers and booleans, equality in JSON Schema is not Python's.
    if not all(isinstance(value, str) for value in values):
        raise Unsure("constants that are no texts")
    allowed = frozenset(values)
    return lambda value: isinstance(value, str) and value in allowed


def _unique(demanded: bool) -> Test:  # noqa: FBT001 - the keyword's argument
    def test(value: Any) -> bool:
        if not demanded or not isinstance(value, list):
            return True
        if not all(isinstance(item, str) for item in value):
            raise Unsure("equality of items that are no texts")
        return len(set(value)) == len(value)

    return test


def _pattern(pattern: str) -> Test:
    search = re.compile(pattern).search
    return lambda value: not isinstance(value, str) or search(value) is not None


def _at_least(kind: type[Sized], least: int) -> Test:
    return lambda value: not isinstance(value, kind) or len(value) >= least


def _at_most(kind: type[Sized], most: int) -> Test:
    return lambda value: not isinstance(value, kind) or len(value) <= most


def _required(names: list[str]) -> Test:
    wanted = frozenset(names)
    return lambda value: not isinstance(value, dict) or wanted <= value.keys()


_PLAIN: Final[Mapping[str, Callable[[Any], Test]]] = {
    "type": _type,
    "const": lambda value: _one_of_texts([value]),
    "enum": _one_of_texts,
    "required": _required,
    "pattern": _pattern,
    "uniqueItems": _unique,
    "minItems": lambda least: _at_least(list, least),
    "maxItems": lambda most: _at_most(list, most),
    "minLength": lambda least: _at_least(str, least),
    "maxLength": lambda most: _at_most(str, most),
    "minProperties": lambda least: _at_least(dict, least),
    "minimum": lambda least: lambda value: not _is_number(value) or value >= least,
    "maximum": lambda most: lambda value: not _is_number(value) or value <= most,
}
_OF_ONE: Final[Mapping[str, Callable[[Test], Test]]] = {
    "not": lambda test: lambda value: not test(value),
    "contains": lambda test: lambda value: not isinstance(value, list) or any(test(item) for item in value),
}
_OF_SEVERAL: Final[Mapping[str, Callable[[list[Test]], Test]]] = {
    "allOf": lambda tests: lambda value: all(test(value) for test in tests),
    "anyOf": lambda tests: lambda value: any(test(value) for test in tests),
    "prefixItems": lambda tests: (
        lambda value: (
            not isinstance(value, list) or all(test(item) for test, item in zip(tests, value, strict=False))
        )
    ),
}


def _items(test: Test, start: int) -> Test:
    return lambda value: not isinstance(value, list) or all(test(item) for item in value[start:])


def _properties(tests: Mapping[str, Test]) -> Test:
    return lambda value: (
        not isinstance(value, dict) or all(test(value[name]) for name, test in tests.items() if name in value)
    )


def _additional(test: Test, known: frozenset[str]) -> Test:
    def check(value: Any) -> bool:
        return not isinstance(value, dict) or all(
            test(member) for name, member in value.items() if name not in known
        )

    return check


def _dependent(tests: Mapping[str, Test]) -> Test:
    return lambda value: (
        not isinstance(value, dict) or all(test(value) for name, test in tests.items() if name in value)
    )


def _choose(condition: Test, then: Test, otherwise: Test) -> Test:
    return lambda value: then(value) if condition(value) else otherwise(value)


_OF_NAMED: Final[Mapping[str, Callable[[Mapping[str, Test]], Test]]] = {
    "properties": _properties,
    "dependentSchemas": _dependent,
}

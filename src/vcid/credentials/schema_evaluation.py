"""Evaluate a document against a schema that somebody handed in, with a bound on the work.

JSON Schema 2020-12, 2019-09 and draft-07. A schema is data that others wrote: nested references can multiply
without end, a pattern or a list of unique items can take years, and the keywords of one draft can hide in
another's. So each keyword is counted and charged by the size of what it looks at, patterns are matched in
linear time (see ``schema_pattern``), and whatever could slip past that leaves the question open. References
lead to schemas of the same draft that are handed in as well, and never to a network.
"""

from __future__ import annotations

from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from vcid.credentials.model_rules import is_url
from vcid.credentials.schema_compiler import Unsure
from vcid.credentials.schema_faults import find_violations
from vcid.credentials.schema_pattern import compile_pattern
from vcid.encoding.json import canonicalize, parse
from vcid.errors import FieldError, LimitExceeded, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from vcid.encoding.json import JSON, JsonObject

    Keyword = Callable[[Any, Any, Any, Any], Any]

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
DIALECTS: Final[Mapping[str, str]] = {
    DIALECT: "Draft202012Validator",
    "https://json-schema.org/draft/2019-09/schema": "Draft201909Validator",
    "http://json-schema.org/draft-07/schema#": "Draft7Validator",
    "http://json-schema.org/draft-07/schema": "Draft7Validator",
    "https://json-schema.org/draft-07/schema#": "Draft7Validator",
    "https://json-schema.org/draft-07/schema": "Draft7Validator",
}
"""The versions that can be evaluated, by their ``$schema`` as it is met, and the evaluator of each."""

_SPECIFICATIONS: Final = {
    "Draft202012Validator": DIALECT,
    "Draft201909Validator": "https://json-schema.org/draft/2019-09/schema",
    "Draft7Validator": "http://json-schema.org/draft-07/schema",
}

MAX_SCHEMA_BYTES: Final = 1 << 18
MAX_STEPS: Final = 100_000
"""What one evaluation may cost: a step for each keyword, and for each item it looks at."""

_STATES_A_STEP: Final = 16

_steps_left: ContextVar[list[int]] = ContextVar("vcid_schema_steps")


class NotEvaluated(Exception):
    """A schema can't be evaluated here; the argument is the reason in kebab case."""


@dataclass(frozen=True, slots=True)
class KnownSchemas:
    """The schemas to which references may lead, by URL: hashed by their content, so that answers are kept."""

    contents: tuple[tuple[str, bytes], ...] = field(default=(), repr=False)


def check_schema_document(schema: JSON) -> JsonObject:
    """Require that a document is a schema: with ``$schema`` and ``$id``, and conforming to its version.

    VC JSON Schema, sections "$id" and "$schema". Of a version that is not known here, nothing else is asked.

    Raises:
        Malformed: ``not-a-schema``.
    """
    if not isinstance(schema, dict):
        raise Malformed("not-a-schema", "an object")
    if not isinstance(schema.get("$schema"), str):
        raise Malformed("not-a-schema", "the version of JSON Schema that it is written in", where="/$schema")
    if not is_url(schema.get("$id")):
        raise Malformed("not-a-schema", "the schema's absolute URL", where="/$id")
    if schema["$schema"] in DIALECTS:
        _require_conformance(schema)
    return schema


def evaluate(document: JsonObject, content: bytes, known: KnownSchemas) -> tuple[FieldError, ...]:
    """Evaluate a document against a schema, and give its faults.

    Args:
        document: the whole credential.
        content: the schema.
        known: the schemas to which its references may lead.

    Raises:
        NotEvaluated: with the reason for which nobody can say.
    """
    from referencing.exceptions import Unresolvable

    validator = _compile(content, known)
    token = _steps_left.set([MAX_STEPS])
    try:
        return find_violations(validator, document)
    except (Unresolvable, RecursionError):
        # A reference to a schema elsewhere, or one that leads back to itself: nothing is fetched or guessed.
        raise NotEvaluated("reference-not-resolved") from None
    except LimitExceeded:
        raise NotEvaluated("too-costly") from None
    except Unsure:
        raise NotEvaluated("pattern-not-supported") from None
    finally:
        _steps_left.reset(token)


@lru_cache(maxsize=64)
def _compile(content: bytes, known: KnownSchemas) -> Validator:
    """Prepare a schema once. Raises `NotEvaluated`, each time anew, where it can't be evaluated."""
    from referencing import Registry
    from referencing.jsonschema import specification_with

    schema = _plain(content)
    dialect = str(schema.get("$schema"))
    if dialect not in DIALECTS:
        raise NotEvaluated("version-not-supported")
    reason = _find_obstacle(schema)
    if reason:
        raise NotEvaluated(reason)
    specification = specification_with(_SPECIFICATIONS[DIALECTS[dialect]])
    has_patterns, has_unevaluated = _features(schema)
    registry: Registry[Any] = Registry()
    for url, other in known.contents:
        neighbour = _plain(other)
        patterns, unevaluated = _features(neighbour)
        mixes = (has_unevaluated and patterns) or (has_patterns and unevaluated)
        same = DIALECTS.get(str(neighbour.get("$schema"))) == DIALECTS[dialect]
        if same and not mixes and not _find_obstacle(neighbour):
            # From the second on, what was found so far counts with each.
            has_patterns, has_unevaluated = has_patterns or patterns, has_unevaluated or unevaluated
            resource = specification.create_resource(_without_dialect(neighbour))
            registry = registry.with_resource(url, resource)
    validator: Validator = _bounded(DIALECTS[dialect])(_without_dialect(schema), registry=registry)
    return validator


def _plain(content: bytes) -> JsonObject:
    schema = parse(content, max_bytes=MAX_SCHEMA_BYTES)
    return schema if isinstance(schema, dict) else {}


def _without_dialect(schema: JsonObject) -> JsonObject:
    """Leave out ``$schema``, at which the evaluator would change to its own, unbounded keywords."""
    return {name: value for name, value in schema.items() if name != "$schema"}


def _nodes(schema: JSON) -> Iterator[JsonObject]:
    """Every object in a schema, whether it is a schema, a table of schemas or mere data."""
    left = [schema]
    while left:
        value = left.pop()
        if isinstance(value, dict):
            yield value
            left.extend(value.values())
        elif isinstance(value, list):
            left.extend(value)


def _find_obstacle(schema: JsonObject) -> str:
    """Say what in a schema can't be evaluated within bounds; empty if nothing is."""
    try:
        for node in _nodes(schema):
            if "$schema" in node and node is not schema:
                return "version-not-supported"
            named = node.get("patternProperties")
            for pattern in [node.get("pattern"), *(named if isinstance(named, dict) else ())]:
                if isinstance(pattern, str):
                    compile_pattern(pattern)
    except Unsure:
        return "pattern-not-supported"
    # The evaluator matches the names of these two together with patterns of its own making.
    return "keyword-not-supported" if all(_features(schema)) else ""


def _features(schema: JsonObject) -> tuple[bool, bool]:
    nodes = list(_nodes(schema))
    return (
        any("patternProperties" in node for node in nodes),
        any("unevaluatedProperties" in node for node in nodes),
    )


def _require_conformance(schema: JsonObject) -> None:
    import jsonschema

    validator: Any = getattr(jsonschema, DIALECTS[str(schema["$schema"])])
    try:
        # Formats stay out: patterns are no Python, and are judged where they are compiled.
        validator.check_schema(schema, format_checker=jsonschema.FormatChecker(formats=()))
    except jsonschema.SchemaError as error:
        where = "".join(f"/{part}" for part in error.absolute_path)
        raise Malformed("not-a-schema", "a schema of the version it names", where=where) from None
    except RecursionError:
        raise Malformed("not-a-schema", "a schema less deep") from None


@lru_cache(maxsize=len(DIALECTS))
def _bounded(name: str) -> Any:
    """Give an evaluator whose every keyword is counted."""
    # Only here, since importing the evaluator takes longer than everything else in a verification.
    import jsonschema

    base = getattr(jsonschema, name)
    keywords = {**base.VALIDATORS, **_OWN_KEYWORDS}
    counted = {keyword: _counted(function) for keyword, function in keywords.items()}
    extend: Any = jsonschema.validators.extend
    return extend(base, counted)


def _spend(steps: int) -> None:
    left = _steps_left.get()
    left[0] -= steps
    if left[0] < 0:
        raise LimitExceeded("too-costly", f"an evaluation of at most {MAX_STEPS} steps")


def _counted(function: Keyword) -> Keyword:
    def keyword(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
        _spend(1 + _size(value) + _size(instance))
        yield from function(validator, value, instance, schema) or ()

    return keyword


def _size(value: Any) -> int:
    return len(value) if isinstance(value, list | dict) else 0


def _matches(pattern: str, text: str) -> bool:
    compiled = compile_pattern(pattern)
    _spend(1 + len(text) * compiled.size // _STATES_A_STEP)
    return compiled.is_found_in(text)


def _pattern(validator: Any, value: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not _matches(value, instance):
        yield _error("a text of another form")


def _pattern_properties(validator: Any, value: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for pattern, subschema in value.items():
            for name, member in instance.items():
                if _matches(pattern, name):
                    yield from validator.descend(member, subschema, path=name, schema_path=pattern)


def _additional_properties(
    validator: Any, value: Any, instance: Any, schema: Any
) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object"):
        return
    named, patterns = schema.get("properties", {}), schema.get("patternProperties", {})
    others = [
        name
        for name in instance
        if name not in named and not any(_matches(pattern, name) for pattern in patterns)
    ]
    if validator.is_type(value, "object"):
        for name in others:
            yield from validator.descend(instance[name], value, path=name)
    elif value is False and others:
        yield _error("further properties")


def _unique_items(validator: Any, value: Any, instance: Any, _schema: Any) -> Iterator[ValidationError]:
    if value and validator.is_type(instance, "array"):
        texts = [canonicalize(item) for item in instance]
        _spend(sum(map(len, texts)) // _STATES_A_STEP)
        if len(set(texts)) < len(texts):
            yield _error("repeated items")


def _error(message: str) -> ValidationError:
    from jsonschema import ValidationError

    return ValidationError(message)


_OWN_KEYWORDS: Final[Mapping[str, Keyword]] = {
    "pattern": _pattern,
    "patternProperties": _pattern_properties,
    "additionalProperties": _additional_properties,
    "uniqueItems": _unique_items,
}

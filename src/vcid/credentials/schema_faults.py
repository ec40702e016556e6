"""A schema's faults in words: what the evaluator says of each repeats the value found, and this does not."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING, Any, Final

from vcid.credentials.records import pointer
from vcid.encoding.json import is_term
from vcid.errors import FieldError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from jsonschema import ValidationError
    from jsonschema.protocols import Validator

    from vcid.encoding.json import JsonObject

MAX_FAULTS: Final = 100
"""Faults reported of one credential against one schema; a document can hold any number of them."""

_MAX_WORDS: Final = 300


def find_violations(validator: Validator, value: JsonObject) -> tuple[FieldError, ...]:
    """Evaluate a value, and give at most `MAX_FAULTS` faults.

    Raises what the validator does.
    """
    return tuple(islice(_find_violations(validator, value), MAX_FAULTS))


def _find_violations(validator: Validator, value: JsonObject) -> Iterator[FieldError]:
    known: set[FieldError] = set()
    for error in validator.iter_errors(value):
        for fault in _translate(error):
            # One property may be refused by two rules, and each missing one is met once for every other.
            if fault not in known:
                known.add(fault)
                yield fault


def _translate(error: ValidationError) -> Iterator[FieldError]:
    """Put a fault into words that hold nothing of the value found."""
    path = ""
    for part in error.absolute_path:
        path = pointer(path, part) if _is_plain(part) else path
    keyword = str(error.validator)
    demanded: Any = error.validator_value
    instance: Any = error.instance
    if keyword in ("required", "dependentRequired") and isinstance(instance, dict):
        names = demanded if keyword == "required" else [name for each in demanded.values() for name in each]
        yield from (
            FieldError(pointer(path, name), "required", "this field")
            for name in names
            if name not in instance
        )
    elif keyword in ("additionalProperties", "unevaluatedProperties") and isinstance(instance, dict):
        yield from _unexpected(path, instance, error)
    else:
        yield FieldError(path, _code(keyword), _words(keyword, demanded), instance)


def _unexpected(path: str, instance: Mapping[str, Any], error: ValidationError) -> Iterator[FieldError]:
    schema: Any = error.schema
    for name in instance:
        if name not in schema.get("properties", {}):
            # A name that is no plain name may be a person's.
            yield FieldError(
                pointer(path, name) if _is_plain(name) else path, "unknown-field", "no such field"
            )


def _is_plain(part: str | int) -> bool:
    return isinstance(part, int) or is_term(part)


_CODES: Final[Mapping[str, str]] = {
    "type": "wrong-type",
    "enum": "unknown-value",
    "const": "unknown-value",
    "pattern": "wrong-form",
    "format": "wrong-form",
    "minimum": "out-of-range",
    "maximum": "out-of-range",
    "exclusiveMinimum": "out-of-range",
    "exclusiveMaximum": "out-of-range",
    "minLength": "too-short",
    "maxLength": "too-long",
    "minItems": "too-few",
    "maxItems": "too-many",
    "minProperties": "too-few",
    "maxProperties": "too-many",
    "uniqueItems": "repeated",
    "contains": "required",
    "not": "not-allowed",
    "None": "not-allowed",
}


def _code(keyword: str) -> str:
    return _CODES.get(keyword, "schema-rule")


def _words(keyword: str, demanded: Any) -> str:
    match keyword:
        case "type":
            words = " or ".join(demanded) if isinstance(demanded, list) else str(demanded)
        case "enum":
            words = f"one of {', '.join(map(str, demanded))}"
        case "const":
            words = str(demanded)
        case "contains":
            words = "an item that the schema demands"
        case "not" | "None":
            words = "nothing of this kind beside the other fields"
        case "pattern" | "minimum" | "maximum" | "minLength" | "maxLength" | "minItems" | "maxItems":
            words = f"{keyword} {demanded}"
        case _:
            words = f"what the schema's {keyword} demands"
    return words if len(words) <= _MAX_WORDS else f"{words[:_MAX_WORDS]}…"

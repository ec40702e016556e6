"""What a credential's own schemas say of it: ``credentialSchema`` of type ``JsonSchema``.

Follows the Verifiable Credentials JSON Schema Specification (W3C), with JSON Schema 2020-12, the one version
that it requires. A schema is never fetched: those of vcid are carried, others are handed in, and one that is
neither is *unknown*, as is any version, type or reference that can't be evaluated. The whole credential is
evaluated. What the evaluator would say of a fault repeats the value found, so each fault is put into words
here, without it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from importlib import resources
from itertools import islice
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from vcid.credentials.records import pointer
from vcid.credentials.schema_compiler import Unsure, compile_schema
from vcid.encoding.json import is_term, parse, parse_object
from vcid.errors import FieldError, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Iterator, Mapping

    from jsonschema import Draft202012Validator, ValidationError

    from vcid.encoding.json import JSON, JsonObject

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_FAULTS: Final = 100
"""Faults reported of one credential against one schema; a document can hold any number of them."""

_CARRIED: Final[Mapping[str, str]] = {
    "https://w3id.org/vcid/schemas/birth-registration/v1.json": "birth-registration-v1.json",
    "https://w3id.org/vcid/schemas/guardianship/v1.json": "guardianship-v1.json",
}
_OF_TYPE: Final[Mapping[str, str]] = {
    "BirthRegistrationCredential": "https://w3id.org/vcid/schemas/birth-registration/v1.json",
    "GuardianshipCredential": "https://w3id.org/vcid/schemas/guardianship/v1.json",
}
_MAX_WORDS: Final = 300
_SRI: Final = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})(?:\?.*)?")


class SchemaOutcome(StrEnum):
    """The three outcomes of evaluation (VC JSON Schema, section *Evaluation*)."""

    PASSED = "passed"
    FAILED = "failed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SchemaResult:
    """What one entry of ``credentialSchema`` came to.

    Attributes:
        id: the schema's id as the credential states it; empty where it states none.
        outcome: passed, failed, or unknown.
        faults: what is wrong with the credential, where the outcome is failed.
        reason: why it could not be decided, in kebab case, where the outcome is unknown.
    """

    id: str
    outcome: SchemaOutcome
    faults: tuple[FieldError, ...] = ()
    reason: str = ""


class Schemas:
    """The schemas a caller knows, by id: a frozen set that grows into new ones."""

    __slots__ = ("_added",)

    def __init__(self, added: Mapping[str, bytes] = MappingProxyType({})) -> None:
        self._added = MappingProxyType(dict(added))

    @staticmethod
    def carried() -> Schemas:
        """Return the schemas that ship with vcid."""
        return _NOTHING_ADDED

    def with_schema(self, url: str, content: bytes) -> Schemas:
        """Return a set that knows one schema more.

        Args:
            url: the id that credentials use for it.
            content: the schema's bytes as published, since digests are of bytes.

        Raises:
            ValueError: the id is known already.
            Malformed: the content is no JSON Schema 2020-12.
        """
        if url in self:
            raise ValueError("a schema with this id is known already")
        schema = parse_object(content)
        if _dialect(schema) == DIALECT:
            _require_schema(schema)
        return Schemas({**self._added, url: bytes(content)})

    def __contains__(self, url: object) -> bool:
        return url in self._added or url in _CARRIED

    def __getitem__(self, url: str) -> bytes:
        """Return a schema's bytes. Raises `KeyError` where it is not known."""
        return self._added[url] if url in self._added else read_schema(_CARRIED[url])

    def __iter__(self) -> Iterator[str]:
        yield from _CARRIED
        yield from self._added

    def __len__(self) -> int:
        return len(_CARRIED) + len(self._added)

    def __repr__(self) -> str:
        return f"Schemas({', '.join(self)})"


_NOTHING_ADDED: Final = Schemas()


def check_schema(document: JsonObject, *, schemas: Schemas = _NOTHING_ADDED) -> tuple[SchemaResult, ...]:
    """Evaluate a credential against each schema that it names; one that names none has no results.

    Args:
        document: the whole credential, as its proof covers it.
        schemas: the schemas that are known.
    """
    entries = document.get("credentialSchema", [])
    listed = entries if isinstance(entries, list) else [entries]
    return tuple(
        _check_entry(document, entry, _entry_path(entries, index), schemas)
        for index, entry in enumerate(listed)
    )


def check_own_schemas(document: JsonObject, *, but: Container[str]) -> tuple[SchemaResult, ...]:
    """Evaluate a credential against the schemas that vcid has for its types, but for those in ``but``."""
    types = document.get("type")
    names = types if isinstance(types, list) else [types]
    urls = dict.fromkeys(_OF_TYPE[name] for name in names if isinstance(name, str) and name in _OF_TYPE)
    return tuple(_evaluate(document, read_schema(_CARRIED[url]), url) for url in urls if url not in but)


@lru_cache(maxsize=16)
def read_schema(file: str) -> bytes:
    """Return the bytes of a schema that ships with vcid, by its file's name."""
    return (resources.files("vcid") / "schemas" / file).read_bytes()


@lru_cache(maxsize=16)
def _compiled(file: str) -> Callable[[JSON], bool]:
    return compile_schema(parse(read_schema(file)))


def _conforms(value: JsonObject, file: str) -> bool:
    """Whether an object certainly conforms to a schema that ships with vcid."""
    try:
        return _compiled(file)(value)
    except Unsure:
        return False


def find_faults(value: JsonObject, file: str) -> tuple[FieldError, ...]:
    """Evaluate any object against a schema that ships with vcid, by its file's name; give all faults."""
    if _conforms(value, file):
        return ()
    validator = _validator(read_schema(file))
    if validator is None:
        raise ValueError(f"{file} is no schema of JSON Schema 2020-12")
    return tuple(islice(_faults(validator, value), MAX_FAULTS))


def _entry_path(entries: JSON, index: int) -> str:
    return f"/credentialSchema/{index}" if isinstance(entries, list) else "/credentialSchema"


def _check_entry(document: JsonObject, entry: JSON, path: str, schemas: Schemas) -> SchemaResult:
    """Find an entry's schema, check its digest, and evaluate the credential against it."""
    if not isinstance(entry, dict) or not isinstance(url := entry.get("id"), str):
        fault = FieldError(path, "wrong-type", "an object with an id and a type")
        return SchemaResult("", SchemaOutcome.FAILED, (fault,))
    types = entry.get("type")
    if "JsonSchema" not in (types if isinstance(types, list) else [types]):
        return SchemaResult(url, SchemaOutcome.UNKNOWN, reason="type-not-supported")
    if url not in schemas:
        return SchemaResult(url, SchemaOutcome.UNKNOWN, reason="schema-not-known")
    content = schemas[url]
    # Integrity is to be settled before evaluation (VC JSON Schema, section *Integrity Validation*).
    if "digestSRI" in entry and not _has_digest(content, entry["digestSRI"]):
        fault = FieldError(f"{path}/digestSRI", "digest-mismatch", "the digest of the schema that is known")
        return SchemaResult(url, SchemaOutcome.FAILED, (fault,))
    return _evaluate(document, content, url)


def _evaluate(document: JsonObject, content: bytes, url: str) -> SchemaResult:
    file = _CARRIED.get(url)
    if file is not None and content is read_schema(file) and _conforms(document, file):
        return SchemaResult(url, SchemaOutcome.PASSED)
    validator = _validator(content)
    if validator is None:
        return SchemaResult(url, SchemaOutcome.UNKNOWN, reason="version-not-supported")
    from referencing.exceptions import Unresolvable

    try:
        faults = tuple(islice(_faults(validator, document), MAX_FAULTS))
    except (Unresolvable, RecursionError):
        # A reference to a schema elsewhere, or one that leads back to itself: nothing is fetched or guessed.
        return SchemaResult(url, SchemaOutcome.UNKNOWN, reason="reference-not-resolved")
    return SchemaResult(url, SchemaOutcome.FAILED if faults else SchemaOutcome.PASSED, faults)


@lru_cache(maxsize=64)
def _validator(content: bytes) -> Draft202012Validator | None:
    """Compile a schema once; None where its version is not supported, or it states none."""
    schema = parse(content)
    if not isinstance(schema, dict) or _dialect(schema) != DIALECT:
        return None
    # Only here, since importing the evaluator takes longer than everything else in a verification.
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # An empty registry has no way to retrieve anything; the default one would go to the network.
    registry: Registry[Any] = Registry()
    return Draft202012Validator(schema, registry=registry)


def _dialect(schema: JSON) -> JSON:
    return schema.get("$schema") if isinstance(schema, dict) else None


def _require_schema(schema: JsonObject) -> None:
    from jsonschema import Draft202012Validator, SchemaError

    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        where = "".join(f"/{part}" for part in error.absolute_path)
        raise Malformed("not-a-schema", "a schema of JSON Schema 2020-12", where=where) from None


def _has_digest(content: bytes, stated: JSON) -> bool:
    """Say whether bytes have one of the strongest digests stated (Subresource Integrity, section 3.3.3)."""
    if not isinstance(stated, str):
        return False
    found = [match.groups() for token in stated.split() if (match := _SRI.fullmatch(token))]
    strongest = max((algorithm for algorithm, _ in found), default=None)
    if strongest is None:
        return False
    actual = base64.b64encode(hashlib.new(strongest, content).digest()).decode("ascii")
    return any(
        hmac.compare_digest(digest.replace("-", "+").replace("_", "/"), actual)
        for algorithm, digest in found
        if algorithm == strongest
    )


def _faults(validator: Draft202012Validator, document: JsonObject) -> Iterator[FieldError]:
    known: set[FieldError] = set()
    for error in validator.iter_errors(document):
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

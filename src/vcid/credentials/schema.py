"""What a credential's own schemas say of it: ``credentialSchema``.

Follows the Verifiable Credentials JSON Schema Specification (W3C), types ``JsonSchema`` and
``JsonSchemaCredential``, with the one version of JSON Schema that it requires, 2020-12, and the two that it
had before. A schema is never fetched: those of vcid are carried, others are handed in, and one that is
neither is *unknown*, as is any type, version or reference that can't be evaluated. The whole credential is
evaluated.

Of a credential that a holder shows in part, our own schemas are evaluated as far as they speak of what is
shown (`vcid.credentials.schema_parts`). One that was handed in is evaluated as it stands: where the part does
not conform, nobody can say without the rest (``shown-in-part``).

A schema that a stranger's credential brings is never evaluated: the verifier asks only once proof and issuer
are known to be good.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

from vcid.credentials.integrity import DIGEST_MEMBERS, find_wrong_digest
from vcid.credentials.model_rules import has_type
from vcid.credentials.related_resources import find_resource
from vcid.credentials.schema_compiler import Unsure, compile_schema
from vcid.credentials.schema_evaluation import DIALECT, NotEvaluated, evaluate
from vcid.credentials.schema_faults import find_violations
from vcid.credentials.schema_parts import relax
from vcid.credentials.schema_set import (
    CARRIED,
    JSON_SCHEMA,
    JSON_SCHEMA_CREDENTIAL,
    KnownSchema,
    Schemas,
    read_schema,
)
from vcid.encoding.json import parse
from vcid.errors import FieldError, Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Container, Mapping

    from jsonschema import Draft202012Validator

    from vcid.encoding.json import JSON, JsonObject

MAX_SCHEMAS: Final = 16
"""Schemas that one credential is evaluated against; what it names beyond them stays unknown."""

_OF_TYPE: Final[Mapping[str, str]] = {
    "BirthRegistrationCredential": "https://w3id.org/vcid/schemas/birth-registration/v1.json",
    "GuardianshipCredential": "https://w3id.org/vcid/schemas/guardianship/v1.json",
    "DelegationCredential": "https://w3id.org/vcid/schemas/delegation/v1.json",
}


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


def check_schema(
    document: JsonObject, *, schemas: Schemas | None = None, in_part: bool = False
) -> tuple[SchemaResult, ...]:
    """Evaluate a credential against each schema that it names; one that names none has no results.

    Args:
        document: the credential, as its proof covers it.
        schemas: the schemas that are known; by default those that ship with vcid.
        in_part: the document is what a holder shows of a credential, and not all of it.
    """
    entries = document.get("credentialSchema", [])
    listed = entries if isinstance(entries, list) else [entries]
    known = Schemas.carried() if schemas is None else schemas
    return tuple(
        _check_entry(_Examined(document, in_part), entry, _entry_path(entries, index), known)
        if index < MAX_SCHEMAS
        else _unknown("", "too-many-schemas")
        for index, entry in enumerate(listed)
    )


def check_own_schemas(
    document: JsonObject, *, but: Container[str], in_part: bool = False
) -> tuple[SchemaResult, ...]:
    """Evaluate a credential against the schemas that vcid has for its types, but for those in ``but``."""
    types = document.get("type")
    names = types if isinstance(types, list) else [types]
    urls = dict.fromkeys(_OF_TYPE[name] for name in names if isinstance(name, str) and name in _OF_TYPE)
    examined = _Examined(document, in_part)
    return tuple(_evaluate_carried(examined, url) for url in urls if url not in but)


def find_faults(value: JsonObject, file: str, *, in_part: bool = False) -> tuple[FieldError, ...]:
    """Evaluate any object against a schema that ships with vcid, by its file's name; give all faults."""
    schema = _Carried(file, in_part)
    return () if _conforms(value, schema) else find_violations(_validator(schema), value)


@dataclass(frozen=True, slots=True)
class _Carried:
    """A schema that ships with vcid, or what it says of a part of a document."""

    file: str
    in_part: bool

    def read(self) -> JSON:
        schema = parse(read_schema(self.file))
        return relax(schema) if self.in_part else schema


@lru_cache(maxsize=16)
def _compiled(carried: _Carried) -> Callable[[JSON], bool]:
    return compile_schema(carried.read())


def _conforms(value: JsonObject, carried: _Carried) -> bool:
    """Whether an object certainly conforms to a schema that ships with vcid."""
    try:
        return _compiled(carried)(value)
    except Unsure:
        return False


@lru_cache(maxsize=16)
def _validator(carried: _Carried) -> Draft202012Validator:
    """Compile a carried schema once. It is our own: nothing in it needs a bound."""
    schema = carried.read()
    if not isinstance(schema, dict) or schema.get("$schema") != DIALECT:
        raise ValueError(f"{carried.file} is no schema of JSON Schema 2020-12")
    # Only here, since importing the evaluator takes longer than everything else in a verification.
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # An empty registry has no way to retrieve anything; the default one would go to the network.
    registry: Registry[Any] = Registry()
    return Draft202012Validator(schema, registry=registry)


def _entry_path(entries: JSON, index: int) -> str:
    return f"/credentialSchema/{index}" if isinstance(entries, list) else "/credentialSchema"


@dataclass(frozen=True, slots=True)
class _Examined:
    """A credential, and whether it is shown in part."""

    document: JsonObject
    in_part: bool


def _check_entry(examined: _Examined, entry: JSON, path: str, schemas: Schemas) -> SchemaResult:
    """Find an entry's schema, check its digests, and evaluate the credential against it."""
    if not isinstance(entry, dict) or not isinstance(url := entry.get("id"), str):
        fault = FieldError(path, "wrong-type", "an object with an id and a type")
        return SchemaResult("", SchemaOutcome.FAILED, (fault,))
    kinds = [kind for kind in (JSON_SCHEMA, JSON_SCHEMA_CREDENTIAL) if has_type(entry, kind)]
    if not kinds:
        return _unknown(url, "type-not-supported")
    known = schemas.find(url, kinds[0]) if len(kinds) == 1 else None
    if known is None:
        return _unknown(url, "schema-not-known")
    # Integrity is to be settled before evaluation (VC JSON Schema, section "Integrity Validation").
    wrong = _check_integrity(examined.document, entry, path, known)
    return wrong or _evaluate(examined, known, url, schemas)


def _check_integrity(
    document: JsonObject, entry: JsonObject, path: str, known: KnownSchema
) -> SchemaResult | None:
    """Check the digests that the entry states, and those of a related resource that is this schema."""
    url = str(entry["id"])
    related = find_resource(document, url)
    for stating, place in ((entry, path), (related, "/relatedResource")):
        if stating is None:
            continue
        try:
            wrong = find_wrong_digest(stating, known.published)
        except Malformed:
            wrong = next(name for name in DIGEST_MEMBERS if name in stating)
        if wrong is not None:
            fault = FieldError(
                f"{place}/{wrong}", "digest-mismatch", "the digest of the schema that is known"
            )
            return SchemaResult(url, SchemaOutcome.FAILED, (fault,))
    return None


def _evaluate(examined: _Examined, known: KnownSchema, url: str, schemas: Schemas) -> SchemaResult:
    if url in CARRIED:
        return _evaluate_carried(examined, url)
    try:
        faults = evaluate(examined.document, known.schema, schemas.targets)
    except NotEvaluated as error:
        return _unknown(url, str(error))
    if faults and examined.in_part:
        return _unknown(url, "shown-in-part")
    return SchemaResult(url, SchemaOutcome.FAILED if faults else SchemaOutcome.PASSED, faults)


def _evaluate_carried(examined: _Examined, url: str) -> SchemaResult:
    faults = find_faults(examined.document, CARRIED[url], in_part=examined.in_part)
    return SchemaResult(url, SchemaOutcome.FAILED if faults else SchemaOutcome.PASSED, faults)


def _unknown(url: str, reason: str) -> SchemaResult:
    return SchemaResult(url, SchemaOutcome.UNKNOWN, reason=reason)

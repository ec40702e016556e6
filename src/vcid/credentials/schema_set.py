"""The schemas that are known: those that ship with vcid, and those that a caller hands in.

A schema is never fetched. One of type ``JsonSchema`` is handed in as its published bytes; one of type
``JsonSchemaCredential`` is the subject of a credential (VC JSON Schema, section "JsonSchemaCredential"), and
is handed in only after that credential was verified: its proof must hold and its issuer be accredited for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from importlib import resources
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vcid.credentials.model_rules import has_type
from vcid.credentials.schema_evaluation import MAX_SCHEMA_BYTES, KnownSchemas, check_schema_document
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vcid.encoding.json import JsonObject

JSON_SCHEMA: Final = "JsonSchema"
JSON_SCHEMA_CREDENTIAL: Final = "JsonSchemaCredential"

CARRIED: Final[Mapping[str, str]] = MappingProxyType(
    {
        "https://w3id.org/vcid/schemas/birth-registration/v1.json": "birth-registration-v1.json",
        "https://w3id.org/vcid/schemas/guardianship/v1.json": "guardianship-v1.json",
        "https://w3id.org/vcid/schemas/delegation/v1.json": "delegation-v1.json",
    }
)
"""The files of the schemas that ship with vcid, by URL."""

# The schema of schema credentials, under the name that the specification gives it and its older one.
_SCHEMA_OF_CREDENTIALS: Final = frozenset(
    {
        "https://www.w3.org/ns/credentials/json-schema/v2.json",
        "https://www.w3.org/2022/credentials/v2/json-schema-credential-schema.json",
    }
)
_ITS_DIGEST: Final = "sha384-S57yQDg1MTzF56Oi9DbSQ14u7jBy0RDdx0YbeV7shwhCS88G8SCXeFq82PafhCrW"


@dataclass(frozen=True, slots=True)
class KnownSchema:
    """A schema that was handed in.

    Attributes:
        type: ``JsonSchema`` or ``JsonSchemaCredential``.
        schema: the schema itself, in JSON.
        published: the bytes found at its URL, of which digests are made.
    """

    type: str
    schema: bytes = field(repr=False)
    published: bytes = field(repr=False)


class Schemas:
    """The schemas a caller knows, by id: a frozen set that grows into new ones."""

    __slots__ = ("_added", "_known")

    def __init__(self, added: Mapping[str, KnownSchema] = MappingProxyType({})) -> None:
        self._added = MappingProxyType(dict(added))
        self._known = KnownSchemas(tuple((url, known.schema) for url, known in sorted(added.items())))

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
            Malformed: the content is no JSON Schema with ``$schema`` and ``$id``, or has another ``$id``.
        """
        self._require_new(url)
        schema = check_schema_document(parse_object(content, max_bytes=MAX_SCHEMA_BYTES))
        if schema["$id"] != url:
            raise Malformed("not-a-schema", "the URL that it is handed in for", where="/$id")
        return self._with(url, KnownSchema(JSON_SCHEMA, bytes(content), bytes(content)))

    def with_credential(self, url: str, document: JsonObject, content: bytes) -> Schemas:
        """Return a set that knows one schema more, from a credential that the caller has verified.

        Args:
            url: the id that credentials use for it, which is the schema credential's own.
            document: the schema credential as its proof covers it: ``VerifiedCredential.document``. Never
                hand in one whose issuer is not accredited for ``JsonSchemaCredential``.
            content: the bytes as published, since digests are of bytes.

        Raises:
            ValueError: the id is known already.
            Malformed: the document is no schema credential, or has another id.
        """
        self._require_new(url)
        schema = _read_schema_credential(url, document)
        return self._with(url, KnownSchema(JSON_SCHEMA_CREDENTIAL, canonicalize(schema), bytes(content)))

    def _require_new(self, url: str) -> None:
        if url in self:
            raise ValueError("a schema with this id is known already")

    def _with(self, url: str, known: KnownSchema) -> Schemas:
        return Schemas({**self._added, url: known})

    def find(self, url: str, kind: str) -> KnownSchema | None:
        """Find a schema of a type; None where it is not known, or is of another type."""
        if url in CARRIED:
            content = read_schema(CARRIED[url])
            return KnownSchema(JSON_SCHEMA, content, content) if kind == JSON_SCHEMA else None
        known = self._added.get(url)
        return known if known is not None and known.type == kind else None

    @property
    def targets(self) -> KnownSchemas:
        """The schemas to which references may lead."""
        return self._known

    def __contains__(self, url: object) -> bool:
        return url in self._added or url in CARRIED

    def __getitem__(self, url: str) -> bytes:
        """Return a schema's bytes as published. Raises `KeyError` where it is not known."""
        return self._added[url].published if url in self._added else read_schema(CARRIED[url])

    def __iter__(self) -> Iterator[str]:
        yield from CARRIED
        yield from self._added

    def __len__(self) -> int:
        return len(CARRIED) + len(self._added)

    def __repr__(self) -> str:
        return f"Schemas({', '.join(self)})"


_NOTHING_ADDED: Final = Schemas()


@lru_cache(maxsize=16)
def read_schema(file: str) -> bytes:
    """Return the bytes of a schema that ships with vcid, by its file's name."""
    return (resources.files("vcid") / "schemas" / file).read_bytes()


def _read_schema_credential(url: str, document: JsonObject) -> JsonObject:
    """Take the schema out of a schema credential (VC JSON Schema, section "JsonSchemaCredential")."""
    subject = document.get("credentialSubject")
    if not has_type(document, JSON_SCHEMA_CREDENTIAL) or not has_type(document, "VerifiableCredential"):
        raise Malformed("not-a-schema", f"a credential of type {JSON_SCHEMA_CREDENTIAL}", where="/type")
    if document.get("id") != url:
        raise Malformed("not-a-schema", "the URL that it is handed in for", where="/id")
    _check_own_schema(document)
    if not isinstance(subject, dict) or not has_type(subject, JSON_SCHEMA):
        raise Malformed("not-a-schema", f"one subject of type {JSON_SCHEMA}", where="/credentialSubject")
    try:
        schema = check_schema_document(subject.get("jsonSchema"))
        content = canonicalize(schema)
    except Malformed as error:
        where = f"/credentialSubject/jsonSchema{error.where}"
        raise Malformed("not-a-schema", error.expected, where=where) from None
    if len(content) > MAX_SCHEMA_BYTES:
        raise Malformed("not-a-schema", f"at most {MAX_SCHEMA_BYTES} bytes", where="/credentialSubject")
    return schema


def _check_own_schema(document: JsonObject) -> None:
    entry = document.get("credentialSchema")
    where = "/credentialSchema"
    if not isinstance(entry, dict) or entry.get("id") not in _SCHEMA_OF_CREDENTIALS:
        raise Malformed("not-a-schema", f"the schema {min(_SCHEMA_OF_CREDENTIALS, key=len)}", where=where)
    if entry.get("type") != JSON_SCHEMA or entry.get("digestSRI", _ITS_DIGEST) != _ITS_DIGEST:
        raise Malformed("not-a-schema", f"type {JSON_SCHEMA}, and its digest if any", where=where)

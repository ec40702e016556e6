"""Schemas that somebody vouches for: schema credentials, verified each time before they decide.

Follows the Verifiable Credentials JSON Schema Specification, section "JsonSchemaCredential". A schema that a
credential names by such a type decides nothing unless the schema credential passes the same policy as any
other credential: its issuer accredited for ``JsonSchemaCredential`` (everywhere, since it names no
jurisdiction), its proof, period, status and anchor. Until then the schema check is *unknown*.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from vcid.credentials.envelopes import CREDENTIAL, read_secured
from vcid.credentials.model_rules import find_entries, has_type
from vcid.credentials.schema import MAX_SCHEMAS
from vcid.credentials.schema_set import JSON_SCHEMA_CREDENTIAL
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vcid.credentials.envelopes import Received
    from vcid.credentials.model import Credential
    from vcid.credentials.schema_set import Schemas
    from vcid.encoding.json import JsonObject
    from vcid.report import Report

# The schema of schema credentials is not carried. What it demands is checked where the schema is read.
_ITS_OWN_SCHEMA: Final = "schema:schema-not-known"


@dataclass(frozen=True, slots=True)
class _Kept:
    received: Received
    published: bytes = field(repr=False)


class SchemaCredentials:
    """The schema credentials that a verifier was handed.

    Args:
        credentials: the schema credentials as published, tokens among them.
        schemas: the schemas known besides.

    Raises:
        Malformed: one can't be read, or is no schema credential.
        ValueError: two have one id, or one has that of a schema known.
    """

    def __init__(self, credentials: Iterable[Credential | bytes], schemas: Schemas) -> None:
        self._schemas = schemas
        self._kept: dict[str, _Kept] = {}
        for credential in credentials:
            published = credential if isinstance(credential, bytes) else credential.content
            received = read_secured(credential, CREDENTIAL)
            url = received.document.get("id")
            if not isinstance(url, str):
                raise Malformed("not-a-schema", "the URL that credentials name it by", where="/id")
            if url in self._kept:
                raise ValueError("two schema credentials have one id")
            # A trial of its shape, by which it also names no schema that would lead back here.
            schemas.with_credential(url, received.document, published)
            self._kept[url] = _Kept(received, published)

    def admit(self, document: JsonObject, examine: Callable[[Received], Report]) -> Schemas:
        """Give the schemas by which a credential is judged: those known, and those verified that it names.

        Args:
            document: the credential.
            examine: judges a schema credential by the verifier's policy.
        """
        schemas = self._schemas
        for url in dict.fromkeys(_named(document)):
            kept = self._kept.get(url)
            if kept is None:
                continue
            report = examine(kept.received)
            judged = replace(report, tolerated=report.tolerated | {_ITS_OWN_SCHEMA})
            if judged and judged.document is not None:
                schemas = schemas.with_credential(url, judged.document, kept.published)
        return schemas


def _named(document: JsonObject) -> Iterator[str]:
    """The schema credentials that a credential names, among as many schemas as are evaluated."""
    for number, (_, entry) in enumerate(find_entries(document, "credentialSchema")):
        if number < MAX_SCHEMAS and isinstance(entry, dict) and has_type(entry, JSON_SCHEMA_CREDENTIAL):
            url = entry.get("id")
            if isinstance(url, str):
                yield url

"""JSON-LD to RDF in safe mode, through PyLD for the time being."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from vcid.encoding import nquads
from vcid.errors import FieldError, InvalidRecord, Malformed

if TYPE_CHECKING:
    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JsonObject
    from vcid.encoding.nquads import Quad

_RELATIVE = "urn-relative:///"


def to_rdf(document: JsonObject, *, contexts: Contexts) -> set[Quad]:
    """Turn a document into a dataset; what would be lost is an error."""
    from pyld import jsonld
    from pyld.context_resolver import ContextResolver

    faults: list[FieldError] = []

    def load(url: str, _options: object) -> dict[str, Any]:
        return {
            "contentType": "application/ld+json",
            "contextUrl": None,
            "documentUrl": url,
            "document": contexts[url],
        }

    def drop(_property: str | None) -> None:
        faults.append(FieldError("", "undefined-term", "terms that the contexts define"))

    options = {"base": _RELATIVE, "documentLoader": load, "contextResolver": ContextResolver({}, load)}
    try:
        processor = jsonld.JsonLdProcessor(on_property_dropped=drop)
        dataset = processor.to_rdf(document, options)
    except jsonld.JsonLdError as error:
        raise _translate(error) from error
    quads = {
        (_term(t["subject"]), _term(t["predicate"]), _term(t["object"]), _graph(graph))
        for graph, triples in dataset.items()
        for t in triples
    }
    if any(_RELATIVE in term for quad in quads for term in quad):
        faults.append(FieldError("", "relative-iri", "absolute IRIs"))
    if faults:
        raise InvalidRecord(faults)
    return quads


def _translate(error: Exception) -> Malformed:
    cause: BaseException | None = error
    code = "invalid-json-ld"
    while cause is not None:
        if isinstance(cause, Malformed):
            return cause
        if getattr(cause, "code", None):
            code = str(getattr(cause, "code", "")).replace(" ", "-")
        cause = cause.__cause__
    return Malformed(code, "a JSON-LD document")


def _graph(name: str) -> str:
    return "" if name == "@default" else name if nquads.is_blank(name) else f"<{name}>"


def _term(term: dict[str, str]) -> str:
    if term["type"] == "literal":
        return nquads.literal(term["value"], term["datatype"], term.get("language", ""))
    return term["value"] if term["type"] == "blank node" else f"<{term['value']}>"

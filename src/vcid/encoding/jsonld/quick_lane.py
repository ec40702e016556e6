"""A quick lane from JSON-LD to RDF, for the usual document.

Most documents use published contexts, terms without containers but ``@set``, and keywords by the names ``id``
and ``type``. What the names mean in one active context is then a table, and one pass over the document writes
the quads that ``conversion`` would write. It follows the same steps of JSON-LD 1.1 Processing Algorithms and
API, section 5.1.2. Whatever it is not sure of is left to the complete lane, which alone says what is wrong:
this one never does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from vcid.encoding import nquads
from vcid.encoding.jsonld import literals
from vcid.encoding.jsonld.dataset import TYPE
from vcid.encoding.jsonld.scopes import Scopes
from vcid.encoding.jsonld.terms import INITIAL, KEYWORDS, ActiveContext, Term
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject
    from vcid.encoding.nquads import Quad

_CACHED: Final = 512
_MAX_INTEGER: Final = 2**53 - 1
_PLAIN_TYPES: Final = frozenset({None, "@none", "@id", "@vocab"})
_PLAIN_CONTAINERS: Final[tuple[frozenset[str], ...]] = (frozenset(), frozenset({"@set"}))
_USUAL_NAMES: Final = {"id": "@id", "type": "@type"}


def convert(document: JsonObject, *, contexts: Contexts) -> list[Quad] | None:
    """Turn a document into a dataset, as `vcid.encoding.jsonld.conversion.to_rdf` does.

    Blank nodes have other labels, which is all in which the two may differ.

    Returns:
        The quads, or None for what takes the complete lane.
    """
    try:
        return _Conversion(contexts).convert(document)
    except (_Unsure, Malformed, RecursionError):
        return None


class _Unsure(Exception):
    """The document is beyond what this lane goes into."""


@dataclass(frozen=True, slots=True)
class _Property:
    """What a term stands for as a property whose values this lane can write.

    Attributes:
        predicate: its IRI, as a term of RDF.
        names: ``@id`` or ``@vocab`` where plain texts are names of things; otherwise empty.
        datatype: of its scalars, where the term gives one.
        language: of its texts, where the term or the context gives one.
        is_scoped: whether it brings a context of its own.
    """

    predicate: str
    names: str
    datatype: str
    language: str
    is_scoped: bool


@dataclass(frozen=True, slots=True)
class _Table:
    """What the names in one active context stand for, as far as this lane goes.

    Attributes:
        names: ``id`` and ``type``, where they stand for their keywords.
        others: names that stand for keywords otherwise.
        properties: terms of properties.
        classes: terms that serve as types, with the terms of RDF that they stand for.
    """

    names: frozenset[str]
    others: frozenset[str]
    properties: Mapping[str, _Property]
    classes: Mapping[str, str]


# Only contexts of the caller's own are tabled, so that no document can fill the cache with its own.
@lru_cache(maxsize=_CACHED)
def _tabulate(active: ActiveContext) -> _Table:
    keywords = {name: term.iri for name, term in active.terms.items() if term.iri in KEYWORDS}
    names = frozenset(name for name, keyword in _USUAL_NAMES.items() if keywords.get(name) == keyword)
    defined = {name: term for name, term in active.terms.items() if term.iri and nquads.is_iri(term.iri)}
    return _Table(
        names=names,
        others=frozenset(keywords) - names,
        properties={name: _read_property(active, term) for name, term in defined.items() if _is_plain(term)},
        classes={name: f"<{term.iri}>" for name, term in defined.items()},
    )


def _is_plain(term: Term) -> bool:
    has_type = term.type in _PLAIN_TYPES or (term.type is not None and nquads.is_iri(term.type))
    return has_type and not term.is_reverse and term.container in _PLAIN_CONTAINERS


def _read_property(active: ActiveContext, term: Term) -> _Property:
    has_datatype = term.type is not None and term.type not in _PLAIN_TYPES
    language = active.language if term.language is None else term.language
    return _Property(
        predicate=f"<{term.iri}>",
        names=term.type if term.type in ("@id", "@vocab") else "",
        datatype=term.type if has_datatype and term.type else "",
        language="" if has_datatype else language or "",
        is_scoped=term.is_scoped,
    )


class _Conversion:
    """One document on its way to a dataset."""

    def __init__(self, contexts: Contexts) -> None:
        self._scopes = Scopes(contexts)
        self._quads: list[Quad] = []
        self._blank_nodes = 0

    def convert(self, document: JsonObject) -> list[Quad]:
        context = document.get("@context")
        urls: list[JSON] = context if isinstance(context, list) else [context]
        if not urls or not all(isinstance(url, str) for url in urls):
            raise _Unsure
        active = self._scopes.enter_local(INITIAL, urls, "")
        rest = {name: value for name, value in document.items() if name != "@context"}
        # An object that says nothing but its id and types would be lost at the top.
        if not rest.keys() - _USUAL_NAMES.keys():
            raise _Unsure
        self._write_node(active, rest)
        return self._quads

    def _write_object(self, outer: ActiveContext, key: str, element: JsonObject, *, is_scoped: bool) -> str:
        """Take steps 7 and 8, then write the node object and give its name."""
        active = outer
        if active.previous is not None:
            table = _tabulate(active)
            if not table.others.isdisjoint(element):
                raise _Unsure  # it may be a value object by another name
            if not (len(element) == 1 and "id" in element and "id" in table.names):
                active = active.previous
        if is_scoped:
            active = self._scopes.enter_property(active, key, outer)
        if not element:
            raise _Unsure
        return self._write_node(active, element)

    def _write_node(self, active: ActiveContext, element: JsonObject) -> str:
        """Take steps 11 to 19 for a node object without a context of its own."""
        if not active.is_known:
            raise _Unsure
        outer = _tabulate(active)
        if not outer.others.isdisjoint(element):
            raise _Unsure
        types = _list_types(outer, element["type"]) if "type" in element else []
        scoped = sorted(name for name in types if active.terms[name].is_scoped)
        inner, table = active, outer
        if scoped:
            inner = self._scopes.enter_types(active, scoped, active)
            if not inner.is_known:
                raise _Unsure
            table = _tabulate(inner)
            if not table.others.isdisjoint(element):
                raise _Unsure
        subject = self._name(inner, table, element)
        for name, value in element.items():
            if (told := table.properties.get(name)) is not None:
                self._write_property(inner, subject, name, told, value)
            elif name not in table.names:
                raise _Unsure
            elif name == "type":
                self._quads += [(subject, TYPE, outer.classes[each], "") for each in types]
        return subject

    def _name(self, active: ActiveContext, table: _Table, element: JsonObject) -> str:
        if "id" not in element or "id" not in table.names:
            self._blank_nodes += 1
            return f"_:b{self._blank_nodes}"
        identifier = element["id"]
        if not isinstance(identifier, str):
            raise _Unsure
        return _write_resource(active, identifier, vocab=False)

    def _write_property(
        self, active: ActiveContext, subject: str, name: str, told: _Property, value: JSON
    ) -> None:
        """Take steps 13.6 to 13.13 for one property."""
        quads = self._quads
        if isinstance(value, list):
            if not value:
                raise _Unsure
            for item in value:
                if isinstance(item, list):
                    raise _Unsure
                quads.append((subject, told.predicate, self._write_value(active, name, told, item), ""))
        else:
            quads.append((subject, told.predicate, self._write_value(active, name, told, value), ""))

    def _write_value(self, active: ActiveContext, name: str, told: _Property, value: JSON) -> str:
        """Give an object or a scalar as a term of RDF."""
        if isinstance(value, dict):
            return self._write_object(active, name, value, is_scoped=told.is_scoped)
        if told.is_scoped:
            active = self._scopes.enter_property(active, name, active)
            within = _tabulate(active).properties.get(name) if active.is_known else None
            if within is None:
                raise _Unsure
            told = within
        if isinstance(value, str):
            if told.names:
                return _write_resource(active, value, vocab=told.names == "@vocab")
            return nquads.literal(value, told.datatype, told.language)
        if isinstance(value, float) and not math.isfinite(value):
            raise _Unsure
        if value is None or (isinstance(value, int) and abs(value) > _MAX_INTEGER):
            raise _Unsure
        return literals.write(value, told.datatype or None)


def _list_types(table: _Table, value: JSON) -> list[str]:
    """Give the types of a node object, which are defined terms under the usual name, each once."""
    listed = value if isinstance(value, list) else [value]
    names = [name for name in listed if isinstance(name, str) and name in table.classes]
    if "type" not in table.names or not names or not len(listed) == len(names) == len(set(names)):
        raise _Unsure
    return names


def _write_resource(active: ActiveContext, text: str, *, vocab: bool) -> str:
    iri = active.expand(text, vocab=vocab)
    if iri is None or not nquads.is_iri(iri):
        raise _Unsure
    return f"<{iri}>"

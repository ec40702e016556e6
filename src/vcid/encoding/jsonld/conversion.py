"""JSON-LD to RDF in safe mode: one pass over the document gives the dataset.

Follows JSON-LD 1.1 Processing Algorithms and API: Expansion (section 5.1), Node Map Generation (section 7.2)
and Deserialize JSON-LD to RDF (section 8), joined so that no expanded document is built in between. Where
these have a processor leave something out (an undefined term, a relative IRI, a null, a key of an index map),
safe mode has it fail: whatever a signature over RDF would not cover is a fault, and all faults of a document
are told at once. The one exception is ``@direction``, which the data model for credentials allows and plain
RDF can't state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from vcid.encoding.jsonld.dataset import TYPE, Dataset, write_path
from vcid.encoding.jsonld.entries import (
    UNDEFINED,
    EntryReader,
    Place,
    find_scoped_types,
    holds,
    is_graph_object,
    is_value_or_reference,
)
from vcid.encoding.jsonld.scopes import Scopes
from vcid.encoding.jsonld.terms import INITIAL
from vcid.encoding.jsonld.values import ValueReader
from vcid.errors import InvalidRecord, LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject
    from vcid.encoding.jsonld.dataset import Path
    from vcid.encoding.jsonld.entries import Entries, Property
    from vcid.encoding.jsonld.terms import ActiveContext, Term
    from vcid.encoding.nquads import Quad

_INDEXED: Final = frozenset({"@index", "@type", "@id"})

# What a value expands to: one term of RDF, several, or nothing, which is a fault by then.
_Found: TypeAlias = "str | list[str] | None"


def to_rdf(document: JsonObject, *, contexts: Contexts) -> list[Quad]:
    """Turn a document into a dataset, which may state the same quad twice.

    Args:
        document: the document; it is not changed.
        contexts: all the contexts that its URLs may name.

    Raises:
        InvalidRecord: parts of the document would be lost on the way; all of them are named.
        Malformed: one of its contexts is wrong, or not among ``contexts`` (``unknown-context``).
        LimitExceeded: it is too deep, or its contexts define too much.
    """
    return to_dataset(document, contexts=contexts).quads


def to_dataset(document: JsonObject, *, contexts: Contexts) -> Dataset:
    """Turn a document into a dataset that knows where its blank nodes come from. Raises as `to_rdf` does."""
    conversion = _Conversion(contexts)
    try:
        conversion.convert(document)
    except RecursionError:
        raise LimitExceeded("too-deep", "fewer objects and arrays inside one another") from None
    if conversion.dataset.faults:
        raise InvalidRecord(conversion.dataset.faults)
    return conversion.dataset


class _Conversion:
    """One document on its way to a dataset; steps are named by their numbers in section 5.1.2."""

    def __init__(self, contexts: Contexts) -> None:
        self.dataset = Dataset()
        self._scopes = Scopes(contexts)
        self._values = ValueReader(self.dataset, self._scopes)
        self._entries = EntryReader(self.dataset, self._scopes)

    def convert(self, document: JsonObject) -> None:
        self._expand_object(Place(INITIAL, None, None, ""), document)

    def _expand(self, place: Place, value: JSON, *, is_in_map: bool = False) -> _Found:
        if isinstance(value, str | float | int):
            return self._values.read_scalar(place, value)
        if isinstance(value, dict):
            return self._expand_object(place, value, is_in_map=is_in_map)
        if isinstance(value, list):
            return self._expand_array(place, value, is_in_map=is_in_map)
        self.dataset.fault(place.path, "null-value", "a value; null states nothing")
        return None

    def _expand_array(self, place: Place, values: Sequence[JSON], *, is_in_map: bool) -> list[str]:
        """Take step 5."""
        active, key, path, graph, identifier = place
        is_list = "@list" in place.find_term().container
        objects: list[str] = []
        for index, value in enumerate(values):
            item = Place(active, key, (path, index), graph, identifier)
            found = self._expand(item, value, is_in_map=is_in_map)
            if isinstance(found, list) and is_list:
                found = self.dataset.write_list(found, graph)
            objects += _as_list(found)
        return objects

    def _expand_object(self, place: Place, element: JsonObject, *, is_in_map: bool = False) -> _Found:
        """Take steps 7 to 19."""
        active, key, path, graph, identifier = place
        # 7: a context that is not propagated ends where another node object begins.
        if active.previous is not None and not is_in_map and not is_value_or_reference(active, element):
            active = active.previous
        # 8: what the property is scoped to is known where the property stands.
        if key is not None and place.active.terms.get(key, UNDEFINED).is_scoped:
            active = self._scopes.enter_property(active, key, place.active)
        # 9
        if "@context" in element:
            active = self._scopes.enter_local(active, element["@context"], write_path((path, "@context")))
        # 10, 11: types are known before they bring their own contexts.
        type_scoped = active
        scoped_types = find_scoped_types(active, element)
        if scoped_types:
            active = self._scopes.enter_types(active, scoped_types, active)
        place = Place(active, key, path, graph, identifier)
        entries = self._entries.read(place, element)
        if "@value" in entries.keywords:
            return self._values.read_object(type_scoped, place, entries)
        if "@list" in entries.keywords or "@set" in entries.keywords:
            return self._expand_collection(place, entries)
        return self._expand_node(type_scoped, place, entries)

    def _expand_collection(self, place: Place, entries: Entries) -> _Found:
        """Take step 17: objects that stand for a list or a set."""
        if entries.properties or len(entries.keywords) > 1:
            expected = "@list or @set and nothing else"
            self.dataset.fault(place.path, "invalid-set-or-list-object", expected)
            return None
        is_list = "@list" in entries.keywords
        value, path = entries.first("@list" if is_list else "@set")
        items = value if isinstance(value, list) else [value]
        inner = Place(place.active, place.key, path, place.graph, place.identifier)
        if not is_list:
            return self._expand_array(inner, items, is_in_map=False)
        if place.is_top:
            self.dataset.drop(path)
            return None
        return self._expand_list(inner, items)

    def _expand_list(self, place: Place, values: Sequence[JSON]) -> str:
        """Expand the items of a list; an item that stands for several is a list again."""
        active, key, path, graph, _ = place
        objects: list[str] = []
        for index, value in enumerate(values):
            item = Place(active, key, (path, index), graph)
            found = self._expand_list(item, value) if isinstance(value, list) else self._expand(item, value)
            if isinstance(found, list):
                found = self.dataset.write_list(found, graph)
            objects += _as_list(found)
        return self.dataset.write_list(objects, graph)

    def _expand_node(self, type_scoped: ActiveContext, place: Place, entries: Entries) -> str:
        """Write the quads of a node object and give its name."""
        keywords = entries.keywords
        is_bare = not entries.properties and keywords.keys() <= {"@id"}
        if is_bare and place.is_top and not self.dataset.faults:
            self.dataset.drop(place.path)
        is_default_graph = place.path is None and not entries.properties and keywords.keys() == {"@graph"}
        subject = "" if is_default_graph else self._read_subject(place, entries)
        for keyword, values in keywords.items():
            for value, path in values:
                if keyword == "@type":
                    self._write_types(type_scoped, subject, value, path, place.graph)
                elif keyword != "@id":
                    inner = Place(place.active, keyword, path, place.graph)
                    self._write_keyword(inner, subject, value)
        for entry in entries.properties:
            self._write_property(subject, entry)
        return subject

    def _read_subject(self, place: Place, entries: Entries) -> str:
        if "@id" not in entries.keywords:
            return place.identifier or self.dataset.name_node(place.path)
        value, path = entries.first("@id")
        if isinstance(value, str):
            subject = self.dataset.read_resource(place.active.expand(value, vocab=False), path)
        else:
            subject = None
            self.dataset.fault(path, "invalid-id-value", "a string as an identifier")
        return subject or self.dataset.new_blank_node()

    def _write_types(self, active: ActiveContext, subject: str, value: JSON, path: Path, graph: str) -> None:
        for type_ in value if isinstance(value, list) else [value]:
            if not isinstance(type_, str):
                self.dataset.fault(path, "invalid-type-value", "a string, or strings, as types")
                continue
            iri = self.dataset.read_resource(active.expand(type_), path)
            if iri is not None:
                self.dataset.quads.append((subject, TYPE, iri, graph))

    def _write_keyword(self, place: Place, subject: str, value: JSON) -> None:
        """Take step 13.4 for a keyword, which is the place's key, that adds to a node or its graph."""
        active, keyword, path, graph, _ = place
        if keyword == "@graph":
            self._expand(Place(active, "@graph", path, subject), value)
        elif keyword == "@included":
            self._expand_included(Place(active, None, path, graph), value)
        elif keyword == "@reverse" and isinstance(value, dict):
            self._expand_reverse(place, subject, value)
        elif keyword == "@index":
            self.dataset.fault(path, "dropped-index", "no @index, which RDF can't state")
        else:
            self.dataset.fault(path, "misplaced-keyword", "keywords where JSON-LD has a use for them")

    def _expand_included(self, place: Place, value: JSON) -> None:
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict) or holds(place.active, item, "@value", "@list", "@set"):
                self.dataset.fault(place.path, "invalid-included-value", "node objects")
            else:
                self._expand_object(place, item)

    def _expand_reverse(self, place: Place, subject: str, value: JsonObject) -> None:
        """Take step 13.4.13: properties of which this node is the value."""
        active, key, path, graph, _ = place
        entries = self._entries.read(Place(active.previous or active, key, path, graph), value)
        if entries.keywords:
            self.dataset.fault(path, "invalid-reverse-property-map", "properties, and no keywords")
        for entry in entries.properties:
            self._write_property(subject, entry, is_reversed=True)

    def _write_property(self, subject: str, entry: Property, *, is_reversed: bool = False) -> None:
        """Take step 13.13: a property of the node, or one of which the node is the value."""
        place, term, iri, value = entry
        predicate = f"<{iri}>"
        objects = self._expand_property(place, term, value)
        if (term.is_reverse or is_reversed) and not all(map(self._is_node, objects)):
            self.dataset.fault(place.path, "invalid-reverse-property-value", "node objects as values")
        if term.is_reverse == is_reversed:
            self.dataset.quads += [(subject, predicate, obj, place.graph) for obj in objects]
        else:
            self.dataset.quads += [(obj, predicate, subject, place.graph) for obj in objects]

    def _is_node(self, term: str) -> bool:
        return not (term.startswith('"') or self.dataset.is_list(term))

    def _expand_property(self, place: Place, term: Term, value: JSON) -> list[str]:
        """Take steps 13.6 to 13.12."""
        container = term.container
        if not container and term.type != "@json":
            return _as_list(self._expand(place, value))
        if term.type == "@json":
            found: _Found = self.dataset.read_literal(value, "@json", place.path)
        elif "@language" in container and isinstance(value, dict):
            return self._values.read_language_map(place, value)
        elif container & _INDEXED and isinstance(value, dict):
            return self._expand_index_map(place, term, value)
        elif "@graph" in container:
            return self._expand_graphs(place, value)
        else:
            found = self._expand(place, value)
        if "@list" in container and not (isinstance(found, str) and self.dataset.is_list(found)):
            return [self.dataset.write_list(_as_list(found), place.graph)]
        return _as_list(found)

    def _expand_index_map(self, place: Place, term: Term, value: JsonObject) -> list[str]:
        """Take step 13.8."""
        objects: list[str] = []
        for index, values in value.items():
            is_none = place.active.expand(index) == "@none"
            inner = self._enter_map(place, term, index, is_none=is_none)
            if "@graph" in term.container:
                found = self._expand_graphs(inner, values)
            else:
                found = _as_list(self._expand(inner, values, is_in_map=True))
            is_mute = "@index" in term.container and term.index is None
            if not is_mute and not all(map(self._is_node, found)):
                self.dataset.fault(inner.path, "invalid-value-object", "node objects in a map of this kind")
            if not is_none:
                self._write_index(inner._replace(active=place.active, key=index), term, found)
            objects += found
        return objects

    def _enter_map(self, place: Place, term: Term, index: str, *, is_none: bool) -> Place:
        """Find what terms mean under one key of a map, and what the key names."""
        active, key, _, graph, _ = place
        path = (place.path, index)
        identifier = None
        if "@id" in term.container or "@type" in term.container:
            active = active.previous or active
        if "@type" in term.container and active.terms.get(index, UNDEFINED).is_scoped:
            active = self._scopes.enter_types(active, [index], active)
        if "@id" in term.container and not is_none:
            identifier = self.dataset.read_resource(place.active.expand(index, vocab=False), path)
        return Place(active, key, path, graph, identifier or "")

    def _write_index(self, place: Place, term: Term, subjects: Sequence[str]) -> None:
        """State what a key of a map (the place's) says of its values, where RDF can state it."""
        active, index, path, graph, identifier = place
        if "@id" in term.container:
            if any(subject != identifier for subject in subjects):
                self.dataset.fault(path, "dropped-index", "node objects that have their key as identifier")
            return
        if "@type" in term.container:
            predicate, obj = TYPE, self.dataset.read_resource(active.expand(index or ""), path)
        elif term.index is not None:
            predicate = f"<{active.expand(term.index)}>"
            obj = self._values.read_scalar(Place(active, term.index, path, graph), index or "")
        else:
            self.dataset.fault(path, "dropped-index", "keys that stand for something in RDF")
            return
        if obj is not None:
            self.dataset.quads += [(subject, predicate, obj, graph) for subject in subjects]

    def _expand_graphs(self, place: Place, value: JSON) -> list[str]:
        """Take step 13.12: each value is a graph, named by a blank node or by its key in an id map."""
        active, key, path, graph, identifier = place
        if isinstance(value, list):
            items = (Place(active, key, (path, index), graph, identifier) for index in range(len(value)))
            return [
                name
                for item, each in zip(items, value, strict=True)
                for name in self._expand_graphs(item, each)
            ]
        if identifier and is_graph_object(active, value):
            return _as_list(self._expand(place, value))
        name = identifier or self.dataset.new_blank_node()
        before = len(self.dataset.quads)
        found = self._expand(Place(active, key, path, name), value, is_in_map=bool(identifier))
        # A graph is what a node says: a set would be several, and a list or a bare name says nothing.
        is_node = isinstance(found, str) and self._is_node(found)
        if not is_node or len(self.dataset.quads) == before:
            self.dataset.drop(path)
        return [name]


def _as_list(found: _Found) -> list[str]:
    return [] if found is None else [found] if isinstance(found, str) else found

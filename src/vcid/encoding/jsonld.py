"""JSON-LD to RDF in safe mode: one pass over the document gives the dataset.

Follows JSON-LD 1.1 Processing Algorithms and API: Expansion (section 5.1) and Deserialize JSON-LD to RDF
(section 8), joined so that no expanded document is built in between. Where the specification has a processor
leave something out (an undefined term, a relative IRI, a null, a key of an index map), safe mode has it fail:
whatever a signature over RDF would not cover is a fault, and all faults of a document are told at once. The one
exception is ``@direction``, which the data model for credentials allows and RDF has no place for.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vcid.encoding import literals, nquads
from vcid.encoding.json import pointer
from vcid.encoding.scopes import Scopes
from vcid.encoding.terms import INITIAL, KEYWORDS, ActiveContext, Term, is_language_tag
from vcid.errors import FieldError, InvalidRecord, LimitExceeded, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject
    from vcid.encoding.nquads import Quad

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_TYPE: Final = f"<{_RDF}type>"
_FIRST: Final = f"<{_RDF}first>"
_REST: Final = f"<{_RDF}rest>"
_NIL: Final = f"<{_RDF}nil>"

_UNDEFINED: Final = Term(None)
_INDEXED: Final = frozenset({"@index", "@type", "@id"})
_MAX_FAULTS: Final = 100

# The place of a value as a chain from the leaf up: where its container stands, and its key or index there.
_Path: TypeAlias = "tuple[_Path, str | int] | None"
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
    conversion = _Conversion(contexts)
    try:
        conversion.convert(document)
    except RecursionError:
        raise LimitExceeded("too-deep", "fewer objects and arrays inside one another") from None
    if conversion.faults:
        raise InvalidRecord(conversion.faults)
    return conversion.quads


class _Place(NamedTuple):
    """Where a value stands: under which key, whose meaning ``active`` knows, and in which graph.

    ``identifier`` is what an id map calls its values, if one does.
    """

    active: ActiveContext
    key: str | None
    path: _Path
    graph: str
    identifier: str = ""


class _Property(NamedTuple):
    """One property of a node object: its key, what that stands for, and its value."""

    place: _Place
    term: Term
    iri: str
    value: JSON


@dataclass(slots=True)
class _Entries:
    """The entries of an object, told apart: keywords with their values, and properties."""

    keywords: dict[str, list[tuple[JSON, _Path]]]
    properties: list[_Property]

    def first(self, keyword: str) -> tuple[JSON, _Path]:
        return self.keywords[keyword][0]


class _Conversion:
    """One document on its way to a dataset."""

    def __init__(self, contexts: Contexts) -> None:
        self.quads: list[Quad] = []
        self.faults: list[FieldError] = []
        self._scopes = Scopes(contexts)
        self._blank_nodes = 0
        self._lists: set[str] = {_NIL}

    def convert(self, document: JsonObject) -> None:
        self._expand_object(_Place(INITIAL, None, None, ""), document)

    def _fault(self, path: _Path, code: str, expected: str, found: object = None) -> None:
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(FieldError(_write_path(path), code, expected, found))

    def _new_blank_node(self) -> str:
        self._blank_nodes += 1
        return f"_:b{self._blank_nodes}"

    def _drop(self, path: _Path) -> None:
        self._fault(path, "dropped-value", "a value that RDF can state")

    # The expansion algorithm, section 5.1.2; steps are named by its numbers.

    def _expand(self, place: _Place, value: JSON, *, is_in_map: bool = False) -> _Found:
        if isinstance(value, dict):
            return self._expand_object(place, value, is_in_map=is_in_map)
        if isinstance(value, list):
            return self._expand_array(place, value, is_in_map=is_in_map)
        if value is None:
            self._fault(place.path, "null-value", "a value; null states nothing")
            return None
        return self._expand_scalar(place, value)

    def _expand_scalar(self, place: _Place, value: str | float) -> str | None:
        """Take step 4, and the Value Expansion algorithm (section 5.3.2)."""
        active, key = place.active, place.key
        if key is None or key == "@graph":
            self._drop(place.path)
            return None
        term = active.terms.get(key, _UNDEFINED)
        if term.is_scoped:
            active = self._scopes.enter_property(active, key, active)
            term = active.terms.get(key, _UNDEFINED)
        type_ = term.type
        if isinstance(value, str):
            if type_ is None or type_ == "@none":
                language = active.language if term.language is None else term.language
                return nquads.literal(value, language=language or "")
            if type_ in ("@id", "@vocab"):
                return self._read_resource(active.expand(value, vocab=type_ == "@vocab"), place.path)
        return self._read_literal(
            value, type_ if type_ not in ("@id", "@vocab", "@none") else None, place.path
        )

    def _read_literal(self, value: JSON, datatype: str | None, path: _Path) -> str | None:
        try:
            return literals.write(value, datatype)
        except Malformed as error:
            self._fault(path, error.code, error.expected)
            return None

    def _read_resource(self, iri: str | None, path: _Path) -> str | None:
        """Take an identifier as a term of RDF, where it is absolute and well-formed."""
        if iri is not None:
            if nquads.is_iri(iri):
                return f"<{iri}>"
            if nquads.is_blank_label(iri):
                # Told apart from the labels made here, whatever the document calls it.
                return f"_:u{iri[2:]}"
        self._fault(path, "relative-iri", "an absolute, well-formed IRI", iri)
        return None

    def _expand_array(self, place: _Place, values: list[JSON], *, is_in_map: bool) -> list[str]:
        """Take step 5."""
        active, key, path, graph, identifier = place
        term = active.terms.get(key, _UNDEFINED) if key is not None else _UNDEFINED
        is_list = "@list" in term.container
        objects: list[str] = []
        for index, value in enumerate(values):
            item = _Place(active, key, (path, index), graph, identifier)
            found = self._expand(item, value, is_in_map=is_in_map)
            if isinstance(found, str):
                objects.append(found)
            elif found is not None and is_list:
                objects.append(self._write_list(found, graph))
            elif found is not None:
                objects += found
        return objects

    def _expand_object(self, place: _Place, element: JsonObject, *, is_in_map: bool = False) -> _Found:
        """Take steps 7 to 19."""
        active, key, path, graph, identifier = place
        # 7: a context that is not propagated ends where another node object begins.
        if active.previous is not None and not is_in_map and not _is_value_or_reference(active, element):
            active = active.previous
        # 8
        if key is not None and place.active.terms.get(key, _UNDEFINED).is_scoped:
            active = self._scopes.enter_property(active, key, place.active)
        # 9
        if "@context" in element:
            where = _write_path((path, "@context"))
            active = self._scopes.enter_local(active, element["@context"], where)
        # 10, 11
        type_scoped = active
        active = self._enter_types(active, element)
        # 13, 14
        place = _Place(active, key, path, graph, identifier)
        entries = _Entries({}, [])
        self._read_entries(place, element, entries)
        if "@value" in entries.keywords:
            return self._expand_value_object(type_scoped, place, entries)
        if "@list" in entries.keywords or "@set" in entries.keywords:
            return self._expand_collection(place, entries)
        return self._expand_node(type_scoped, place, entries)

    def _enter_types(self, active: ActiveContext, element: JsonObject) -> ActiveContext:
        """Take step 11: types bring the contexts that they are scoped to, in order."""
        scoped: list[str] = []
        for key in sorted(key for key in element if _is_type_key(active, key)):
            value = element[key]
            types = {
                type_ for type_ in (value if isinstance(value, list) else [value]) if isinstance(type_, str)
            }
            scoped += sorted(type_ for type_ in types if active.terms.get(type_, _UNDEFINED).is_scoped)
        return self._scopes.enter_types(active, scoped, active) if scoped else active

    def _read_entries(self, place: _Place, element: JsonObject, entries: _Entries) -> None:
        """Tell the entries of an object apart (step 13), those of nested objects (step 14) included."""
        active, _, path, graph, _ = place
        for key, value in element.items():
            term = active.terms.get(key)
            iri = term.iri if term is not None else active.expand(key)
            if key == "@context":
                continue
            if iri is not None and iri in KEYWORDS:
                if iri == "@nest":
                    self._read_nested(_Place(active, key, (path, key), graph), value, entries)
                else:
                    self._add_keyword(entries, iri, value, (path, key))
            elif iri is None or (term is None and not nquads.is_iri(iri)) or nquads.is_blank(iri):
                self._fault((path, key), "undefined-term", "a term that the document's contexts define", key)
            else:
                property_place = _Place(active, key, (path, key), graph)
                entries.properties.append(_Property(property_place, term or _UNDEFINED, iri, value))

    def _add_keyword(self, entries: _Entries, keyword: str, value: JSON, path: _Path) -> None:
        values = entries.keywords.setdefault(keyword, [])
        if values and keyword not in ("@type", "@included"):
            self._fault(path, "colliding-keywords", f"one {keyword} in an object")
        values.append((value, path))

    def _read_nested(self, place: _Place, value: JSON, entries: _Entries) -> None:
        """Take step 14 for one key that stands for ``@nest``."""
        active, key, path, graph, _ = place
        if key is not None and active.terms.get(key, _UNDEFINED).is_scoped:
            active = self._scopes.enter_property(active, key, active)
        for nested in value if isinstance(value, list) else [value]:
            if not isinstance(nested, dict) or "@context" in nested or _holds(active, nested, "@value"):
                self._fault(path, "invalid-nest-value", "an object of properties")
            else:
                self._read_entries(_Place(active, key, path, graph), nested, entries)

    def _expand_value_object(
        self, type_scoped: ActiveContext, place: _Place, entries: _Entries
    ) -> str | None:
        """Take step 15."""
        keywords = entries.keywords
        allowed = {"@value", "@type"} if "@type" in keywords else {"@value", "@language", "@direction"}
        if entries.properties or not keywords.keys() <= allowed:
            self._fault(
                place.path, "invalid-value-object", "@value with @type, or with @language and @direction"
            )
            return None
        value, path = entries.first("@value")
        if place.key is None or place.key == "@graph":
            self._drop(place.path)
            return None
        if "@type" in keywords:
            type_, type_path = entries.first("@type")
            datatype = type_scoped.expand(type_) if isinstance(type_, str) else None
            if datatype != "@json" and (datatype is None or not nquads.is_iri(datatype)):
                self._fault(type_path, "invalid-typed-value", "an absolute IRI as the type of a value")
                return None
            return self._read_literal(value, datatype, path)
        return self._read_string(value, path, entries)

    def _read_string(self, value: JSON, path: _Path, entries: _Entries) -> str | None:
        """Take a value with, perhaps, a language; its direction is checked and has no place in RDF."""
        direction, direction_path = entries.keywords.get("@direction", [("ltr", None)])[0]
        if direction not in ("ltr", "rtl"):
            self._fault(direction_path, "invalid-base-direction", "ltr or rtl")
        if "@language" not in entries.keywords:
            return self._read_literal(value, None, path)
        language, language_path = entries.first("@language")
        if not isinstance(language, str) or not is_language_tag(language):
            self._fault(language_path, "invalid-language-tag", "a language tag (BCP 47)")
        elif not isinstance(value, str):
            self._fault(path, "invalid-language-tagged-value", "a string where a language is named")
        else:
            return nquads.literal(value, language=language.lower())
        return None

    def _expand_collection(self, place: _Place, entries: _Entries) -> _Found:
        """Take step 17: objects that stand for a list or a set."""
        active, key, _, graph, _ = place
        if entries.properties or len(entries.keywords) > 1:
            self._fault(place.path, "invalid-set-or-list-object", "@list or @set and nothing else")
            return None
        ((keyword, ((value, path), *_)),) = entries.keywords.items()
        items = value if isinstance(value, list) else [value]
        inner = _Place(active, key, path, graph)
        if keyword == "@set":
            return self._expand_array(inner, items, is_in_map=False)
        if key is None or key == "@graph":
            self._drop(path)
            return None
        return self._write_list(self._expand_list(inner, items), graph)

    def _expand_list(self, place: _Place, values: list[JSON]) -> list[str]:
        """Expand the items of a list, of which some may be lists again."""
        active, key, path, graph, _ = place
        objects: list[str] = []
        for index, value in enumerate(values):
            item = _Place(active, key, (path, index), graph)
            found: _Found
            if isinstance(value, list):
                found = self._write_list(self._expand_list(item, value), graph)
            else:
                found = self._expand(item, value)
            objects += _as_list(found)
        return objects

    def _write_list(self, objects: list[str], graph: str) -> str:
        """Run the List to RDF Conversion algorithm (section 8.3)."""
        head = _NIL
        for obj in reversed(objects):
            node = self._new_blank_node()
            self.quads += ((node, _FIRST, obj, graph), (node, _REST, head, graph))
            head = node
        self._lists.add(head)
        return head

    # Node objects: their identifier, types and properties become quads (sections 7.2 and 8.1).

    def _expand_node(self, type_scoped: ActiveContext, place: _Place, entries: _Entries) -> str:
        active, key, path, graph, _ = place
        keywords = entries.keywords
        is_top = key is None or key == "@graph"
        if is_top and not entries.properties and keywords.keys() <= {"@id"}:
            self._drop(path)
        if path is None and not entries.properties and keywords.keys() == {"@graph"}:
            # A document of nothing but a graph describes the default graph.
            subject = ""
        else:
            subject = self._read_subject(place, entries)
        for keyword, values in keywords.items():
            for value, value_path in values:
                if keyword == "@type":
                    self._write_types(_Place(type_scoped, key, path, graph), subject, value, value_path)
                elif keyword != "@id":
                    self._write_keyword(place, subject, keyword, value, value_path)
        for entry in entries.properties:
            self._write_property(subject, entry)
        return subject

    def _read_subject(self, place: _Place, entries: _Entries) -> str:
        if "@id" not in entries.keywords:
            return place.identifier or self._new_blank_node()
        value, path = entries.first("@id")
        if not isinstance(value, str):
            self._fault(path, "invalid-id-value", "a string as an identifier")
            return self._new_blank_node()
        subject = self._read_resource(place.active.expand(value, vocab=False), path)
        return subject or self._new_blank_node()

    def _write_types(self, place: _Place, subject: str, value: JSON, path: _Path) -> None:
        for type_ in value if isinstance(value, list) else [value]:
            if not isinstance(type_, str):
                self._fault(path, "invalid-type-value", "a string, or strings, as types")
                continue
            iri = self._read_resource(place.active.expand(type_), path)
            if iri is not None:
                self.quads.append((subject, _TYPE, iri, place.graph))

    def _write_property(self, subject: str, entry: _Property) -> None:
        place, term, iri, value = entry
        objects = self._expand_property(place, term, value)
        predicate = f"<{iri}>"
        if not term.is_reverse:
            self.quads += [(subject, predicate, obj, place.graph) for obj in objects]
        else:
            self._write_reverse(place, subject, predicate, objects)

    def _write_reverse(self, place: _Place, subject: str, predicate: str, objects: list[str]) -> None:
        for obj in objects:
            if obj.startswith('"') or obj in self._lists:
                self._fault(place.path, "invalid-reverse-property-value", "node objects as reverse values")
            self.quads.append((obj, predicate, subject, place.graph))

    def _expand_property(self, place: _Place, term: Term, value: JSON) -> list[str]:
        """Take steps 13.5 to 13.12."""
        container = term.container
        if term.type == "@json":
            found: _Found = self._read_literal(value, "@json", place.path)
        elif not container:
            return _as_list(self._expand(place, value))
        elif "@language" in container and isinstance(value, dict):
            return self._expand_language_map(place, term, value)
        elif container & _INDEXED and isinstance(value, dict):
            return self._expand_index_map(place, term, value)
        elif "@graph" in container:
            return self._expand_graphs(place, value)
        else:
            found = self._expand(place, value)
        if "@list" in container and not (isinstance(found, str) and found in self._lists):
            return [self._write_list(_as_list(found), place.graph)]
        return _as_list(found)

    def _expand_language_map(self, place: _Place, term: Term, value: JsonObject) -> list[str]:
        """Take step 13.7."""
        objects = []
        for language, texts in value.items():
            path = (place.path, language)
            is_none = place.active.expand(language) == "@none"
            if not is_none and not is_language_tag(language):
                self._fault(path, "invalid-language-tag", "language tags (BCP 47) or @none as keys")
                continue
            for text in texts if isinstance(texts, list) else [texts]:
                if isinstance(text, str):
                    objects.append(nquads.literal(text, language="" if is_none else language.lower()))
                else:
                    self._fault(path, "invalid-language-map-value", "strings in a language map")
        return objects

    def _expand_index_map(self, place: _Place, term: Term, value: JsonObject) -> list[str]:
        """Take step 13.8."""
        objects: list[str] = []
        for index, values in value.items():
            path = (place.path, index)
            is_none = place.active.expand(index) == "@none"
            inner = self._enter_map(place, term, index, path, is_none=is_none)
            found = (
                self._expand_graphs(inner, values)
                if "@graph" in term.container
                else _as_list(self._expand(inner, values, is_in_map=True))
            )
            if not is_none:
                self._write_index(place, term, index, path, found)
            objects += found
        return objects

    def _enter_map(self, place: _Place, term: Term, index: str, path: _Path, *, is_none: bool) -> _Place:
        active, key, _, graph, _ = place
        identifier = ""
        if "@id" in term.container or "@type" in term.container:
            active = active.previous or active
        if "@type" in term.container and active.terms.get(index, _UNDEFINED).is_scoped:
            active = self._scopes.enter_types(active, (index,), active)
        if "@id" in term.container and not is_none:
            identifier = self._read_resource(place.active.expand(index, vocab=False), path) or ""
        return _Place(active, key, path, graph, identifier)

    def _write_index(self, place: _Place, term: Term, index: str, path: _Path, objects: list[str]) -> None:
        """State what an index says of its values, where RDF can state it."""
        if "@type" in term.container:
            predicate, obj = _TYPE, self._read_resource(place.active.expand(index), path)
        elif "@index" in term.container and term.index is not None:
            predicate = f"<{place.active.expand(term.index)}>"
            obj = self._expand_scalar(_Place(place.active, term.index, path, place.graph), index)
        elif "@index" in term.container:
            self._fault(path, "dropped-index", "keys that stand for something in RDF")
            return
        else:
            return
        for subject in objects:
            if subject.startswith('"'):
                self._fault(path, "invalid-value-object", "node objects in a map of this kind")
            elif obj is not None:
                self.quads.append((subject, predicate, obj, place.graph))

    def _expand_graphs(self, place: _Place, value: JSON) -> list[str]:
        """Take step 13.12: each value is a graph of its own, named by a blank node or by its key in an id map."""
        active, key, path, graph, identifier = place
        names = []
        for index, item in enumerate(value) if isinstance(value, list) else [(None, value)]:
            item_path = path if index is None else (path, index)
            if _is_graph_object(active, item) and identifier:
                names += _as_list(self._expand(_Place(active, key, item_path, graph, identifier), item))
                continue
            name = identifier or self._new_blank_node()
            before = len(self.quads)
            self._expand(_Place(active, key, item_path, name), item, is_in_map=bool(identifier))
            if len(self.quads) == before:
                self._drop(item_path)
            names.append(name)
        return names

    def _write_keyword(self, place: _Place, subject: str, keyword: str, value: JSON, path: _Path) -> None:
        if keyword == "@graph":
            self._expand(_Place(place.active, "@graph", path, subject), value)
        elif keyword == "@included":
            self._expand_included(_Place(place.active, None, path, place.graph), value)
        elif keyword == "@reverse" and isinstance(value, dict):
            self._expand_reverse(_Place(place.active, "@reverse", path, place.graph), subject, value)
        elif keyword == "@index":
            self._fault(path, "dropped-index", "no @index, which RDF can't state")
        else:
            self._fault(path, f"invalid-{keyword[1:]}-value", "a keyword where JSON-LD has a use for it")

    def _expand_included(self, place: _Place, value: JSON) -> None:
        for item in value if isinstance(value, list) else [value]:
            if not isinstance(item, dict) or _holds(place.active, item, "@value", "@list", "@set"):
                self._fault(place.path, "invalid-included-value", "node objects")
            else:
                self._expand_object(place, item)

    def _expand_reverse(self, place: _Place, subject: str, value: JsonObject) -> None:
        """Take step 13.4.13: properties of which this node is the value."""
        active, _, path, graph, _ = place
        if active.previous is not None:
            active = active.previous
        entries = _Entries({}, [])
        self._read_entries(_Place(active, "@reverse", path, graph), value, entries)
        if entries.keywords:
            self._fault(path, "invalid-reverse-property-map", "properties, and no keywords")
        for entry in entries.properties:
            objects = self._expand_property(entry.place, entry.term, entry.value)
            if entry.term.is_reverse:
                self.quads += [(subject, f"<{entry.iri}>", obj, graph) for obj in objects]
            else:
                self._write_reverse(entry.place, subject, f"<{entry.iri}>", objects)


def _as_list(found: _Found) -> list[str]:
    return [] if found is None else [found] if isinstance(found, str) else found


def _is_type_key(active: ActiveContext, key: str) -> bool:
    term = active.terms.get(key)
    return key == "@type" if term is None else term.iri == "@type"


def _holds(active: ActiveContext, element: JsonObject, *keywords: str) -> bool:
    return any(active.expand(key) in keywords for key in element)


def _is_value_or_reference(active: ActiveContext, element: JsonObject) -> bool:
    expanded = [active.expand(key) for key in element]
    return "@value" in expanded or expanded == ["@id"]


def _is_graph_object(active: ActiveContext, value: JSON) -> bool:
    if not isinstance(value, dict):
        return False
    expanded = {active.expand(key) for key in value}
    return "@graph" in expanded and expanded <= {"@graph", "@id", "@index", "@context"}


def _write_path(path: _Path) -> str:
    steps: list[str | int] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return pointer(reversed(steps))

"""The entries of one object, told apart into keywords and properties.

Follows JSON-LD 1.1 Processing Algorithms and API, section 5.1.2: what the Expansion algorithm finds out about
a map before it does anything with the values.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, NamedTuple, TypeAlias

from vcid.encoding import nquads
from vcid.encoding.jsonld.terms import KEYWORDS, ActiveContext, Term

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.encoding.json import JSON, JsonObject
    from vcid.encoding.jsonld.dataset import Dataset, Path
    from vcid.encoding.jsonld.scopes import Scopes

UNDEFINED: Final = Term(None)
# Keywords that several keys of one object may stand for.
_REPEATABLE: Final = frozenset({"@type", "@included"})


class Place(NamedTuple):
    """Where a value stands.

    Attributes:
        active: what terms mean there.
        key: the property that it is a value of; None at the top, ``@graph`` at the top of a graph.
        path: the way to it through the document.
        graph: the graph it is described in, empty for the default graph.
        identifier: what an id map calls it, if one does.
    """

    active: ActiveContext
    key: str | None
    path: Path
    graph: str
    identifier: str = ""

    @property
    def is_top(self) -> bool:
        """Whether a value here is no property's."""
        return self.key is None or self.key == "@graph"

    def find_term(self) -> Term:
        """Find the definition of the key."""
        return UNDEFINED if self.key is None else self.active.terms.get(self.key, UNDEFINED)


# One property of a node object: where its value stands, what its key means and stands for, and the value.
Property: TypeAlias = "tuple[Place, Term, str, JSON]"


@dataclass(frozen=True, slots=True)
class Entries:
    """The entries of an object: the values of its keywords, with their places, and its properties."""

    keywords: dict[str, list[tuple[JSON, Path]]] = field(default_factory=dict)
    properties: list[Property] = field(default_factory=list)

    def first(self, keyword: str) -> tuple[JSON, Path]:
        """Give the value of a keyword that may stand once."""
        return self.keywords[keyword][0]


class EntryReader:
    """Reads the entries of the objects of one document."""

    def __init__(self, dataset: Dataset, scopes: Scopes) -> None:
        """Note faults in a dataset; derive contexts from the document's scopes."""
        self._dataset = dataset
        self._scopes = scopes

    def read(self, place: Place, element: JsonObject) -> Entries:
        """Tell the entries of an object apart (steps 13.1 to 13.4, and 14); ``place`` is its own."""
        entries = Entries()
        self._read_into(entries, place, element)
        return entries

    def _read_into(self, entries: Entries, place: Place, element: JsonObject) -> None:
        active, _, path, graph, _ = place
        terms = active.terms
        for key, value in element.items():
            if key == "@context":
                continue
            term = terms.get(key)
            iri = active.expand(key) if term is None else term.iri
            own: Path = (path, key)
            if iri in KEYWORDS:
                self._add_keyword(entries, Place(active, key, own, graph), iri, value)
            elif iri is None or nquads.is_blank(iri) or not (term or nquads.is_iri(iri)):
                expected = "a term that the document's contexts define"
                self._dataset.fault(own, "undefined-term", expected, key)
            else:
                entries.properties.append((Place(active, key, own, graph), term or UNDEFINED, iri, value))

    def _add_keyword(self, entries: Entries, place: Place, keyword: str, value: JSON) -> None:
        if keyword == "@nest":
            self._read_nested(entries, place, value)
            return
        values = entries.keywords.setdefault(keyword, [])
        if values and keyword not in _REPEATABLE:
            self._dataset.fault(place.path, "colliding-keywords", f"one {keyword} in an object")
        values.append((value, place.path))

    def _read_nested(self, entries: Entries, place: Place, value: JSON) -> None:
        """Take step 14 for one key that stands for ``@nest``."""
        active, key, path, graph, _ = place
        if key is not None and place.find_term().is_scoped:
            active = self._scopes.enter_property(active, key, active)
        for nested in value if isinstance(value, list) else [value]:
            if not isinstance(nested, dict) or "@context" in nested or holds(active, nested, "@value"):
                self._dataset.fault(path, "invalid-nest-value", "an object of properties")
            else:
                self._read_into(entries, Place(active, key, path, graph), nested)


def find_scoped_types(active: ActiveContext, element: JsonObject) -> list[str]:
    """Find the types of an object that bring a context, in the order they are to be applied (step 11)."""
    scoped: list[str] = []
    for key in sorted(_find_type_keys(active, element)):
        value = element[key]
        types = {type_ for type_ in (value if isinstance(value, list) else [value]) if isinstance(type_, str)}
        scoped += sorted(type_ for type_ in types if active.terms.get(type_, UNDEFINED).is_scoped)
    return scoped


def _find_type_keys(active: ActiveContext, element: JsonObject) -> Iterator[str]:
    # No compact IRI stands for a keyword, so a key without a definition is a keyword only by itself.
    terms = active.terms
    for key in element:
        term = terms.get(key)
        if key == "@type" if term is None else term.iri == "@type":
            yield key


def holds(active: ActiveContext, element: JsonObject, *keywords: str) -> bool:
    """Say whether an object has a key that stands for one of the keywords."""
    return any(active.expand(key) in keywords for key in element)


def is_value_or_reference(active: ActiveContext, element: JsonObject) -> bool:
    """Say whether an object describes no node: it has ``@value``, or ``@id`` alone (step 7)."""
    expanded = [active.expand(key) for key in element]
    return "@value" in expanded or expanded == ["@id"]


def is_graph_object(active: ActiveContext, value: JSON) -> bool:
    """Say whether a value is an object of a graph and perhaps its name."""
    if not isinstance(value, dict):
        return False
    expanded = {active.expand(key) for key in value}
    return "@graph" in expanded and expanded <= {"@graph", "@id", "@index", "@context"}

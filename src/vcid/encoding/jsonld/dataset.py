"""A dataset in the making: quads, the blank nodes made for them, and the faults met on the way.

Follows JSON-LD 1.1 Processing Algorithms and API, section 8 (Deserialize JSON-LD to RDF). Where that has a
processor leave out what is not well-formed, a fault is noted instead.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from vcid.encoding import nquads
from vcid.encoding.json import pointer
from vcid.encoding.jsonld import literals
from vcid.errors import FieldError, Malformed

if TYPE_CHECKING:
    from vcid.encoding.json import JSON
    from vcid.encoding.nquads import Quad

_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
TYPE: Final = f"<{_RDF}type>"
_FIRST: Final = f"<{_RDF}first>"
_REST: Final = f"<{_RDF}rest>"
_NIL: Final = f"<{_RDF}nil>"
# A document made of faults gets no answer many times its own size.
_MAX_FAULTS: Final = 100

# The place of a value as a chain from the leaf up: where its container stands, and its key or index there.
Path: TypeAlias = "tuple[Path, str | int] | None"


class Dataset:
    """The quads and the faults of one document, and where its node objects without identifiers stand."""

    def __init__(self) -> None:
        """Start empty."""
        self.quads: list[Quad] = []
        self.faults: list[FieldError] = []
        self.unnamed: dict[str, Path] = {}
        self._blank_nodes = 0
        self._lists: set[str] = {_NIL}

    def fault(self, path: Path, code: str, expected: str, found: object = None) -> None:
        """Note what is wrong at a place."""
        if len(self.faults) < _MAX_FAULTS:
            self.faults.append(FieldError(write_path(path), code, expected, found))

    def drop(self, path: Path) -> None:
        """Note that a value would be lost."""
        self.fault(path, "dropped-value", "a value that RDF can state")

    def new_blank_node(self) -> str:
        """Make a blank node that no other place of the document can name."""
        self._blank_nodes += 1
        return f"_:b{self._blank_nodes}"

    def name_node(self, path: Path) -> str:
        """Make the blank node of a node object that has no identifier."""
        label = self.new_blank_node()
        self.unnamed[label] = path
        return label

    def read_resource(self, iri: str | None, path: Path) -> str | None:
        """Take an expanded identifier as a term of RDF, where it is absolute and well-formed."""
        if iri is not None:
            if nquads.is_iri(iri):
                return f"<{iri}>"
            if nquads.is_blank(iri) and nquads.is_blank_label(iri):
                # Kept apart from the labels made here, whatever the document calls it.
                return f"_:u{iri[2:]}"
        self.fault(path, "relative-iri", "an absolute, well-formed IRI", iri)
        return None

    def read_literal(self, value: JSON, datatype: str | None, path: Path) -> str | None:
        """Take a value as a literal, where one can state it."""
        try:
            return literals.write(value, datatype)
        except Malformed as error:
            self.fault(path, error.code, error.expected)
            return None

    def read_string(self, text: str, language: str, path: Path) -> str | None:
        """Take a text, in a language if one is named, as a literal."""
        try:
            return nquads.literal(text, language=language)
        except Malformed as error:
            self.fault(path, error.code, error.expected)
            return None

    def is_list(self, term: str) -> bool:
        """Say whether a term is the head of a list that was written here, or the empty list."""
        return term in self._lists

    def write_list(self, objects: list[str], graph: str) -> str:
        """Run the List to RDF Conversion algorithm (section 8.3); the head is given."""
        head = _NIL
        for obj in reversed(objects):
            node = self.new_blank_node()
            self.quads += ((node, _FIRST, obj, graph), (node, _REST, head, graph))
            head = node
        self._lists.add(head)
        return head


def write_path(path: Path) -> str:
    """Write a place as a JSON pointer."""
    steps: list[str | int] = []
    while path is not None:
        path, step = path
        steps.append(step)
    return pointer(reversed(steps))

"""Values that are no nodes: scalars, and objects that spell a literal out.

Follows JSON-LD 1.1 Processing Algorithms and API: Value Expansion (section 5.3) and the part of Expansion
that judges value objects (section 5.1.2, step 15).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.encoding import nquads
from vcid.encoding.jsonld.entries import UNDEFINED
from vcid.encoding.jsonld.terms import is_language_tag

if TYPE_CHECKING:
    from vcid.encoding.json import JSON, JsonObject
    from vcid.encoding.jsonld.dataset import Dataset, Path
    from vcid.encoding.jsonld.entries import Entries, Place
    from vcid.encoding.jsonld.scopes import Scopes
    from vcid.encoding.jsonld.terms import ActiveContext

# Coercions that don't name a datatype.
_NO_DATATYPES: Final = frozenset({"@id", "@vocab", "@none"})
_TYPED: Final = frozenset({"@value", "@type"})
_TAGGED: Final = frozenset({"@value", "@language", "@direction"})


class ValueReader:
    """Reads the values of one document as terms of RDF; None is a value with a fault."""

    def __init__(self, dataset: Dataset, scopes: Scopes) -> None:
        """Note faults in a dataset; derive contexts from the document's scopes."""
        self._dataset = dataset
        self._scopes = scopes

    def read_scalar(self, place: Place, value: str | float) -> str | None:
        """Read a string, a number or a boolean as its property's term has it (section 5.1.2, step 4)."""
        active, key, path, _, _ = place
        if key is None or key == "@graph":
            self._dataset.drop(path)
            return None
        term = active.terms.get(key, UNDEFINED)
        if term.is_scoped:
            active = self._scopes.enter_property(active, key, active)
            term = active.terms.get(key, UNDEFINED)
        type_ = term.type
        if isinstance(value, str):
            if type_ is None or type_ == "@none":
                language = active.language if term.language is None else term.language
                return self._dataset.read_string(value, language or "", path)
            if type_ in _NO_DATATYPES:
                iri = active.expand(value, vocab=type_ == "@vocab")
                return self._dataset.read_resource(iri, path)
        return self._dataset.read_literal(value, None if type_ in _NO_DATATYPES else type_, path)

    def read_object(self, type_scoped: ActiveContext, place: Place, entries: Entries) -> str | None:
        """Read an object with ``@value`` (step 15)."""
        keywords = entries.keywords
        if entries.properties or not keywords.keys() <= (_TYPED if "@type" in keywords else _TAGGED):
            expected = "@value with @type, or with @language and @direction"
            self._dataset.fault(place.path, "invalid-value-object", expected)
        elif place.is_top:
            self._dataset.drop(place.path)
        elif "@type" in keywords:
            return self._read_typed(type_scoped, entries)
        else:
            return self._read_tagged(entries)
        return None

    def _read_typed(self, type_scoped: ActiveContext, entries: Entries) -> str | None:
        type_, type_path = entries.first("@type")
        datatype = type_scoped.expand(type_) if isinstance(type_, str) else None
        if datatype is None or not (datatype == "@json" or nquads.is_iri(datatype)):
            self._dataset.fault(type_path, "invalid-typed-value", "an absolute IRI as the type of a value")
            return None
        value, path = entries.first("@value")
        return self._dataset.read_literal(value, datatype, path)

    def _read_tagged(self, entries: Entries) -> str | None:
        """Read a value with, perhaps, a language; its direction is checked, and has no place in RDF."""
        value, path = entries.first("@value")
        direction, direction_path = entries.keywords.get("@direction", [("ltr", None)])[0]
        if direction not in ("ltr", "rtl"):
            self._dataset.fault(direction_path, "invalid-base-direction", "ltr or rtl")
        if "@language" not in entries.keywords:
            return self._dataset.read_literal(value, None, path)
        language, language_path = entries.first("@language")
        if not isinstance(language, str) or not is_language_tag(language):
            self._dataset.fault(language_path, "invalid-language-tag", "a language tag (BCP 47)")
        elif not isinstance(value, str):
            self._dataset.fault(path, "invalid-language-tagged-value", "a string where a language is named")
        else:
            return self._dataset.read_string(value, language.lower(), path)
        return None

    def read_language_map(self, place: Place, value: JsonObject) -> list[str]:
        """Read strings by their language (step 13.7)."""
        objects = []
        for language, texts in value.items():
            path: Path = (place.path, language)
            is_none = place.active.expand(language) == "@none"
            if not is_none and not is_language_tag(language):
                self._dataset.fault(path, "invalid-language-tag", "language tags (BCP 47) or @none as keys")
                continue
            tag = "" if is_none else language.lower()
            for text in _as_list(texts):
                if isinstance(text, str):
                    objects.append(self._dataset.read_string(text, tag, path))
                else:
                    self._dataset.fault(path, "invalid-language-map-value", "strings in a language map")
        return [literal for literal in objects if literal is not None]


def _as_list(value: JSON) -> list[JSON]:
    return list(value) if isinstance(value, list) else [value]

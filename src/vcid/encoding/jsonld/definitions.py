"""How a context defines its terms.

Follows JSON-LD 1.1 Processing Algorithms and API: the entries of a context definition (section 4.1.2, step 5)
and Create Term Definition (section 4.2), in safe mode. A reserved term, which the specification has
processors ignore, is an error here, and so is whatever only a base IRI could complete.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, Protocol

from vcid.encoding import nquads
from vcid.encoding.jsonld.terms import KEYWORDS, ActiveContext, Term, is_language_tag, is_reserved

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcid.encoding.json import JSON, JsonObject
    from vcid.errors import Malformed

_CONTEXT_KEYS: Final = frozenset(
    {"@base", "@direction", "@import", "@language", "@propagate", "@protected", "@version", "@vocab"}
)
_DEFINITION_KEYS: Final = frozenset(
    {
        *("@id", "@reverse", "@container", "@context", "@direction", "@index", "@language", "@nest"),
        *("@prefix", "@protected", "@type"),
    }
)
_TYPE_ENTRIES: Final = frozenset({"@container", "@protected"})
_CONTAINERS: Final = frozenset({"@graph", "@id", "@index", "@language", "@list", "@set", "@type"})
_TYPE_KEYWORDS: Final = frozenset({"@id", "@json", "@none", "@vocab"})
_GEN_DELIMS: Final = (":", "/", "?", "#", "[", "]", "@")
# Copying this many terms takes as long as defining one.
_COPIED_AT_ONCE: Final = 64


@dataclass(frozen=True, slots=True)
class Mode:
    """The optional inputs of the Context Processing algorithm.

    Attributes:
        override_protected: whether protected terms may change, as in the context a property is scoped to.
        propagate: whether the result holds in the node objects below too.
        remote: the URLs of the contexts that are being processed.
        is_validation: whether a scoped context is only looked at, where its term is defined.
    """

    override_protected: bool = False
    propagate: bool = True
    remote: tuple[str, ...] = ()
    is_validation: bool = False


class Processor(Protocol):
    """The Context Processing algorithm, as the definitions of one context need it."""

    def process(self, active: ActiveContext, local: JSON, mode: Mode) -> ActiveContext:
        """Apply a local context."""
        ...

    def spend(self, definitions: int) -> None:
        """Count definitions against the limit."""
        ...

    def fault(self, code: str, expected: str, term: str = "") -> Malformed:
        """Make the error for what is wrong with the context, or with one of its terms."""
        ...


class ContextDefinition:
    """One context definition (an object under ``@context``) on its way into an active context."""

    def __init__(self, processor: Processor, active: ActiveContext, local: JsonObject, mode: Mode) -> None:
        """Start from an active context, which stays as it is."""
        self._processor = processor
        self._local = local
        self._mode = mode
        self._terms = dict(active.terms)
        self._active = replace(active, terms=self._terms)
        self._defined: dict[str, bool] = {}
        self._term = ""
        self._is_protected = False
        processor.spend(len(self._terms) // _COPIED_AT_ONCE)

    def define_all(self) -> ActiveContext:
        """Take steps 5.5 to 5.13 of Context Processing."""
        if self._local.get("@version", 1.1) != 1.1:
            raise self._fault("invalid-version-value", "version 1.1 of JSON-LD")
        self._check_base()
        self._active = replace(
            self._active,
            vocab=self._read_vocab(),
            language=self._read_language(self._local, self._active.language),
            direction=self._read_direction(self._local, self._active.direction),
        )
        self._is_protected = self._read_flag(self._local, "@protected", default=False)
        for term in self._local:
            if term not in _CONTEXT_KEYS:
                self._define(term)
        return self._active

    def _fault(self, code: str, expected: str) -> Malformed:
        return self._processor.fault(code, expected, self._term)

    def _check_base(self) -> None:
        # Safe mode resolves nothing, so a base changes nothing: it has to be right all the same.
        base = self._local.get("@base")
        if base is not None and not isinstance(base, str):
            raise self._fault("invalid-base-iri", "an IRI or null")

    def _read_vocab(self) -> str | None:
        vocab = self._local.get("@vocab", self._active.vocab)
        if vocab is None or "@vocab" not in self._local:
            return self._active.vocab if vocab is not None else None
        expanded = self._active.expand(vocab) if isinstance(vocab, str) else None
        if expanded is None or not _is_iri_or_blank(expanded):
            raise self._fault("invalid-vocab-mapping", "an absolute IRI or null")
        return expanded

    def _read_language(self, entries: JsonObject, default: str | None) -> str | None:
        if "@language" not in entries:
            return default
        language = entries["@language"]
        if language is None:
            return None
        if not isinstance(language, str) or not is_language_tag(language):
            raise self._fault("invalid-language-mapping", "a language tag or null")
        return language.lower()

    def _read_direction(self, entries: JsonObject, default: str | None) -> str | None:
        direction = entries.get("@direction", default)
        if direction not in ("ltr", "rtl", None):
            raise self._fault("invalid-base-direction", "ltr, rtl or null")
        return direction if isinstance(direction, str) else None

    def _read_flag(self, entries: JsonObject, key: str, *, default: bool) -> bool:
        value = entries.get(key, default)
        if not isinstance(value, bool):
            raise self._fault(f"invalid-{key[1:]}-value", "true or false")
        return value

    def _define(self, term: str) -> None:
        """Run Create Term Definition; the comments give its steps."""
        # 1, 2: what a term depends on is defined before it, and may not depend on it.
        if self._defined.get(term):
            return
        if term in self._defined:
            raise self._fault("cyclic-iri-mapping", "terms that don't depend on themselves")
        self._defined[term] = False
        outer, self._term = self._term, term
        self._processor.spend(1)
        # 4, 5
        self._check_name(term)
        # 6: removed, so that nothing in its own definition can refer to it.
        previous = self._terms.pop(term, None)
        definition = self._read_definition(term)
        # 26, 27
        if previous is not None and previous.is_protected and not self._mode.override_protected:
            if replace(definition, is_protected=True) != previous:
                raise self._fault("protected-term-redefinition", "protected terms to be left as they are")
            definition = previous
        self._terms[term] = definition
        self._defined[term] = True
        self._term = outer

    def _check_name(self, term: str) -> None:
        value = self._local[term]
        if term == "@type":
            is_allowed = isinstance(value, dict) and bool(value) and value.keys() <= _TYPE_ENTRIES
            if is_allowed and isinstance(value, dict) and value.get("@container", "@set") == "@set":
                return
        if term in KEYWORDS:
            raise self._fault("keyword-redefinition", "keywords to be left as they are")
        if is_reserved(term):
            raise self._fault("reserved-term", "terms without the form of a keyword")
        if not term:
            raise self._fault("invalid-term-definition", "terms of at least one character")

    def _read_definition(self, term: str) -> Term:
        """Take steps 7 to 25 of Create Term Definition."""
        value = self._local[term]
        is_simple = isinstance(value, str)
        entries: JsonObject = value if isinstance(value, dict) else {"@id": value}
        if (
            not (is_simple or value is None or isinstance(value, dict))
            or not entries.keys() <= _DEFINITION_KEYS
        ):
            raise self._fault(
                "invalid-term-definition", "an IRI, null, or an object of the keywords for terms"
            )
        is_protected = self._read_flag(entries, "@protected", default=self._is_protected)
        type_ = self._read_type(entries)
        iri = self._read_reverse(entries) if "@reverse" in entries else self._read_iri(term, entries)
        container = self._read_container(entries)
        if "@type" in container:
            type_ = type_ or "@id"
            if type_ not in ("@id", "@vocab"):
                raise self._fault("invalid-type-mapping", "@id or @vocab where the container is @type")
        if "@context" in entries:
            # Looked at here for its faults; applied where the term is used.
            mode = Mode(override_protected=True, remote=self._mode.remote, is_validation=True)
            self._processor.process(self._active, entries["@context"], mode)
        return Term(
            iri,
            is_prefix=self._read_prefix(term, entries, iri, is_simple=is_simple),
            is_protected=is_protected,
            is_reverse="@reverse" in entries,
            container=container,
            type=type_,
            language=self._read_term_language(entries),
            direction=self._read_term_direction(entries),
            index=self._read_index(entries, container),
            nest=self._read_nest(entries),
            context=entries.get("@context"),
            is_scoped="@context" in entries,
        )

    def _expand(self, value: str) -> str | None:
        """Expand (section 5.2), after what the value depends on in this context is defined."""
        if value not in KEYWORDS and not is_reserved(value):
            self._define_first(value)
            prefix, colon, suffix = value.partition(":")
            if prefix and colon and value not in self._terms and not suffix.startswith("//"):
                self._define_first(prefix)
        return self._active.expand(value)

    def _define_first(self, term: str) -> None:
        if term in self._local and term not in _CONTEXT_KEYS and not self._defined.get(term):
            self._define(term)

    def _read_type(self, entries: JsonObject) -> str | None:
        if "@type" not in entries:
            return None
        value = entries["@type"]
        type_ = self._expand(value) if isinstance(value, str) else None
        if type_ is None or not (type_ in _TYPE_KEYWORDS or nquads.is_iri(type_)):
            raise self._fault("invalid-type-mapping", "an IRI, @id, @json, @none or @vocab")
        return type_

    def _read_reverse(self, entries: JsonObject) -> str:
        if "@id" in entries or "@nest" in entries:
            raise self._fault("invalid-reverse-property", "@reverse without @id and @nest")
        if entries.get("@container", "@set") not in ("@set", "@index", None):
            raise self._fault("invalid-reverse-property", "@set or @index as the container of @reverse")
        value = entries["@reverse"]
        iri = self._expand(value) if isinstance(value, str) else None
        if iri is None or not _is_iri_or_blank(iri):
            raise self._fault("invalid-iri-mapping", "an IRI")
        return iri

    def _read_iri(self, term: str, entries: JsonObject) -> str | None:
        if "@id" in entries and entries["@id"] != term:
            return self._read_id(term, entries["@id"])
        if term.find(":", 1) > 0:
            prefix, _, suffix = term.partition(":")
            self._define_first(prefix)
            definition = self._terms.get(prefix)
            iri = definition.iri + suffix if definition is not None and definition.iri is not None else term
        elif "/" in term:
            iri = self._expand(term) or ""
        elif term == "@type":
            return term
        else:
            iri = self._active.vocab + term if self._active.vocab is not None else ""
        if not _is_iri_or_blank(iri):
            raise self._fault("invalid-iri-mapping", "an IRI for each term")
        return iri

    def _read_id(self, term: str, value: JSON) -> str | None:
        if value is None:
            return None
        iri = self._expand(value) if isinstance(value, str) else None
        if iri == "@context":
            raise self._fault("invalid-keyword-alias", "@context without other names")
        if iri is None or not (iri in KEYWORDS or _is_iri_or_blank(iri)):
            raise self._fault("invalid-iri-mapping", "an IRI or a keyword for each term")
        if ":" in term[1:-1] or "/" in term:
            self._defined[term] = True
            if self._expand(term) != iri:
                raise self._fault("invalid-iri-mapping", "IRIs as terms to stand for themselves")
        return iri

    def _read_prefix(self, term: str, entries: JsonObject, iri: str | None, *, is_simple: bool) -> bool:
        can_be = ":" not in term and "/" not in term
        if "@prefix" not in entries:
            return (
                is_simple
                and can_be
                and iri is not None
                and (iri.endswith(_GEN_DELIMS) or nquads.is_blank(iri))
            )
        is_prefix = self._read_flag(entries, "@prefix", default=False)
        if not can_be or (is_prefix and iri in KEYWORDS):
            raise self._fault("invalid-term-definition", "@prefix for plain terms that stand for IRIs")
        return is_prefix

    def _read_container(self, entries: JsonObject) -> frozenset[str]:
        value = entries.get("@container", [])
        if value is None and "@reverse" in entries:
            return frozenset()
        names: Sequence[JSON] = value if isinstance(value, list) else [value]
        if "@container" in entries and not _is_container(names):
            raise self._fault("invalid-container-mapping", "a container of JSON-LD 1.1")
        return frozenset(map(str, names))

    def _read_index(self, entries: JsonObject, container: frozenset[str]) -> str | None:
        if "@index" not in entries:
            return None
        index = entries["@index"]
        expanded = self._expand(index) if isinstance(index, str) and "@index" in container else None
        if not isinstance(index, str) or expanded is None or not nquads.is_iri(expanded):
            raise self._fault(
                "invalid-term-definition", "a property as @index, where the container is @index"
            )
        return index

    def _read_nest(self, entries: JsonObject) -> str | None:
        nest = entries.get("@nest")
        if "@nest" in entries and (not isinstance(nest, str) or (nest in KEYWORDS and nest != "@nest")):
            raise self._fault("invalid-nest-value", "a term, or @nest")
        return nest if isinstance(nest, str) else None

    def _read_term_language(self, entries: JsonObject) -> str | None:
        if "@language" not in entries or "@type" in entries:
            return None
        return self._read_language(entries, None) or ""

    def _read_term_direction(self, entries: JsonObject) -> str | None:
        if "@direction" not in entries or "@type" in entries:
            return None
        return self._read_direction(entries, None) or ""


def _is_iri_or_blank(text: str) -> bool:
    return nquads.is_iri(text) or nquads.is_blank(text)


def _is_container(names: Sequence[JSON]) -> bool:
    """Say whether keywords may stand together as a container (step 19)."""
    if not all(isinstance(name, str) and name in _CONTAINERS for name in names):
        return False
    others = {*map(str, names)} - {"@set"}
    if len(others) + ("@set" in names) != len(names) or not names:
        return False
    if "@list" in others:
        return len(names) == 1
    return len(others) <= 1 or others in ({"@graph", "@id"}, {"@graph", "@index"})

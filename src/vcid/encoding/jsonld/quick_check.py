"""A quick lane for the question whether all of a document has a meaning in RDF (JSON-LD safe mode).

Most documents use published contexts, terms without containers but ``@set``, and keywords by the names ``id``
and ``type``. For these one pass over the document finds what ``conversion`` would find, and writes nothing.
It follows the same steps of JSON-LD 1.1 Processing Algorithms and API, section 5.1.2. Whatever it can't vouch
for is left to the complete lane, which alone says what is wrong: this one never does.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from vcid.encoding import nquads
from vcid.encoding.jsonld.scopes import Scopes
from vcid.encoding.jsonld.terms import INITIAL, KEYWORDS, ActiveContext, Term
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject

_CACHED: Final = 512
_MAX_INTEGER: Final = 2**53 - 1
_PLAIN_TYPES: Final = frozenset({None, "@none", "@id", "@vocab"})
_PLAIN_CONTAINERS: Final[tuple[frozenset[str], ...]] = (frozenset(), frozenset({"@set"}))
_USUAL_NAMES: Final = {"id": "@id", "type": "@type"}


def vouches_for(document: JsonObject, *, contexts: Contexts) -> bool:
    """Say whether a document surely has a meaning in every part; False where that takes the complete lane."""
    try:
        return _QuickCheck(contexts).check(document)
    except (Malformed, RecursionError):
        return False


@dataclass(frozen=True, slots=True)
class _Table:
    """What the names in one active context stand for, as far as this lane goes.

    Attributes:
        names: ``id`` and ``type``, where they stand for their keywords.
        others: names that stand for keywords otherwise.
        properties: terms of properties whose values need no more than a look.
        classes: terms that serve as types.
    """

    names: frozenset[str]
    others: frozenset[str]
    properties: Mapping[str, Term]
    classes: frozenset[str]


# Only contexts of the caller's own are tabled, so that no document can fill the cache with its own.
@lru_cache(maxsize=_CACHED)
def _tabulate(active: ActiveContext) -> _Table:
    keywords = {name: term.iri for name, term in active.terms.items() if term.iri in KEYWORDS}
    names = frozenset(name for name, keyword in _USUAL_NAMES.items() if keywords.get(name) == keyword)
    defined = {name: term for name, term in active.terms.items() if term.iri and nquads.is_iri(term.iri)}
    return _Table(
        names=names,
        others=frozenset(keywords) - names,
        properties={name: term for name, term in defined.items() if _is_plain(term)},
        classes=frozenset(defined),
    )


def _is_plain(term: Term) -> bool:
    has_type = term.type in _PLAIN_TYPES or (term.type is not None and nquads.is_iri(term.type))
    return has_type and not term.is_reverse and term.container in _PLAIN_CONTAINERS


class _QuickCheck:
    """One document under check."""

    def __init__(self, contexts: Contexts) -> None:
        self._scopes = Scopes(contexts)

    def check(self, document: JsonObject) -> bool:
        context = document.get("@context")
        urls: list[JSON] = context if isinstance(context, list) else [context]
        if not urls or not all(isinstance(url, str) for url in urls):
            return False
        active = self._scopes.enter_local(INITIAL, urls, "")
        rest = {name: value for name, value in document.items() if name != "@context"}
        # An object that says nothing but its id and types would be lost at the top.
        return bool(rest.keys() - _USUAL_NAMES.keys()) and self._check_node(active, rest)

    def _check_object(self, outer: ActiveContext, key: str, element: JsonObject) -> bool:
        """Take steps 7 and 8, then check the node object."""
        active = outer
        if active.previous is not None:
            if not _tabulate(active).others.isdisjoint(element):
                return False  # it may be a value object by another name
            if not (len(element) == 1 and _USUAL_NAMES["id"] == _find_keyword(active, element)):
                active = active.previous
        if outer.terms[key].is_scoped:
            active = self._scopes.enter_property(active, key, outer)
        return bool(element) and self._check_node(active, element)

    def _check_node(self, active: ActiveContext, element: JsonObject) -> bool:
        """Take steps 11 to 19 for a node object without a context of its own."""
        inner = self._enter_types(active, element)
        if inner is None or not inner.is_known:
            return False
        table = _tabulate(inner)
        if not table.others.isdisjoint(element):
            return False
        for name, value in element.items():
            if name in table.names:
                if name == "id" and not (isinstance(value, str) and _is_resource(inner, value, vocab=False)):
                    return False
            elif name not in table.properties or not self._check_value(inner, name, value):
                return False
        return True

    def _enter_types(self, active: ActiveContext, element: JsonObject) -> ActiveContext | None:
        """Take step 11; None where the types, or the names they stand under, are not the usual ones."""
        if not active.is_known:
            return None
        table = _tabulate(active)
        if not table.others.isdisjoint(element):
            return None
        if "type" not in element:
            return active
        types = element["type"]
        listed = types if isinstance(types, list) else [types]
        names = {name for name in listed if isinstance(name, str)}
        if "type" not in table.names or not names or len(names) != len(listed) or not names <= table.classes:
            return None
        scoped = sorted(name for name in names if active.terms[name].is_scoped)
        return self._scopes.enter_types(active, scoped, active) if scoped else active

    def _check_value(self, active: ActiveContext, name: str, value: JSON) -> bool:
        """Take steps 13.6 to 13.12 for a property of the table."""
        if isinstance(value, dict):
            return self._check_object(active, name, value)
        if isinstance(value, list):
            return bool(value) and all(
                not isinstance(item, list) and self._check_value(active, name, item) for item in value
            )
        if active.terms[name].is_scoped:
            active = self._scopes.enter_property(active, name, active)
        is_tabled = active.is_known and name in _tabulate(active).properties
        return is_tabled and _check_scalar(active, active.terms[name], value)


def _check_scalar(active: ActiveContext, term: Term, value: JSON) -> bool:
    if isinstance(value, str):
        return _check_text(active, term, value)
    if isinstance(value, float):
        return math.isfinite(value)
    return isinstance(value, int) and abs(value) <= _MAX_INTEGER


def _check_text(active: ActiveContext, term: Term, text: str) -> bool:
    if term.type in ("@id", "@vocab"):
        return _is_resource(active, text, vocab=term.type == "@vocab")
    if text.isascii():
        return True
    try:
        text.encode()
    except UnicodeEncodeError:  # a lone surrogate
        return False
    return True


def _is_resource(active: ActiveContext, text: str, *, vocab: bool) -> bool:
    iri = active.expand(text, vocab=vocab)
    return iri is not None and nquads.is_iri(iri)


def _find_keyword(active: ActiveContext, element: JsonObject) -> str | None:
    (name,) = element
    term = active.terms.get(name)
    return term.iri if term is not None else None

"""What the terms of a JSON-LD document mean at one place of it: term definitions and active contexts.

Follows JSON-LD 1.1 Processing Algorithms and API, section 4 (active context, term definition) and section 5.2
(IRI Expansion). There is no base IRI here: what is relative stays relative, for safe mode to refuse.
`definitions` makes these values, `conversion` reads them.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vcid.encoding import nquads

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.encoding.json import JSON

KEYWORDS: Final = frozenset(
    {
        *("@base", "@container", "@context", "@direction", "@graph", "@id", "@import", "@included"),
        *("@index", "@json", "@language", "@list", "@nest", "@none", "@prefix", "@propagate"),
        *("@protected", "@reverse", "@set", "@type", "@value", "@version", "@vocab"),
    }
)
_KEYWORD_FORM: Final = re.compile("@[A-Za-z]+")
_LANGUAGE_TAG: Final = re.compile("[A-Za-z]{1,8}(-[A-Za-z0-9]{1,8})*")


@dataclass(frozen=True, slots=True)
class Term:
    """One term definition.

    Attributes:
        iri: what it stands for: an IRI, a blank node identifier, a keyword, or None for nothing at all.
        is_prefix: whether compact IRIs may begin with it.
        is_protected: whether later contexts may not change it.
        is_reverse: whether it states a property of the value instead of the subject.
        container: the keywords of its container mapping.
        type: the IRI or keyword that plain values are coerced to.
        language: None where the context's default holds, empty where the definition says there is none.
        direction: as language.
        index: the property that the keys of an index map stand for.
        nest: the term under which its values are nested when a document is compacted.
        context: the scoped context, of which null is one.
        is_scoped: whether there is a scoped context.
    """

    iri: str | None
    is_prefix: bool = False
    is_protected: bool = False
    is_reverse: bool = False
    container: frozenset[str] = frozenset()
    type: str | None = None
    language: str | None = None
    direction: str | None = None
    index: str | None = None
    nest: str | None = None
    context: JSON = None
    is_scoped: bool = False


@dataclass(frozen=True, slots=True, eq=False)
class ActiveContext:
    """What terms mean at one place of a document. Compared by identity.

    Attributes:
        terms: the term definitions.
        vocab: what a term without a definition is appended to.
        language: of strings whose term says nothing else.
        direction: as language.
        previous: the one to go back to in the next node object, where this one is not propagated.
        cost: how many definitions it took to derive this from the one before.
        is_known: whether it comes from contexts of the caller's alone, and nothing in a document.
    """

    terms: Mapping[str, Term] = field(default_factory=dict)
    vocab: str | None = None
    language: str | None = None
    direction: str | None = None
    previous: ActiveContext | None = None
    cost: int = 0
    is_known: bool = True

    def expand(self, value: str, *, vocab: bool = True) -> str | None:
        """Expand a term, a compact IRI or an IRI; None for what has the form of a keyword but is none.

        Args:
            value: the text to expand.
            vocab: whether terms and the vocabulary mapping count, as they do for properties and types.
        """
        if value in KEYWORDS:
            return value
        if is_reserved(value):
            return None
        term = self.terms.get(value)
        if term is not None and (vocab or term.iri in KEYWORDS):
            return term.iri
        absolute = self._expand_absolute(value) if value.find(":", 1) > 0 else None
        if absolute is None and vocab and self.vocab is not None:
            return self.vocab + value
        return absolute or value

    def _expand_absolute(self, value: str) -> str | None:
        """Expand a compact IRI, an IRI or a blank node identifier; None for what is neither."""
        prefix, _, suffix = value.partition(":")
        if prefix == "_" or suffix.startswith("//"):
            return value
        term = self.terms.get(prefix)
        if term is not None and term.is_prefix and term.iri is not None:
            return term.iri + suffix
        return value if nquads.is_iri(value) else None


INITIAL: Final = ActiveContext()


def is_reserved(text: str) -> bool:
    """Say whether a text has the form of a keyword, which is reserved for those yet to come."""
    return text.startswith("@") and _KEYWORD_FORM.fullmatch(text) is not None


def is_language_tag(text: str) -> bool:
    """Say whether a text has the shape of a language tag (RFC 5646, section 2.2.9)."""
    return _LANGUAGE_TAG.fullmatch(text) is not None

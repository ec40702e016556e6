"""Context validation: a verified document says to its reader what its signer meant by it.

Stands for the section "Context Validation" of Verifiable Credential Data Integrity 1.0, which asks that a
verifier know every context, and for the demand of the Verifiable Credentials Data Model 2.0, section
"Restrictions on JSON-LD", that documents be in compacted form. The rule:

1. Every ``@context`` URL, wherever it stands, names a context that the caller handed in; every term and type
   is defined (JSON-LD safe mode), and no protected term is redefined.
2. A JCS signature covers contexts and names as they are written, so inline contexts are the signer's own and
   legal. Rule 1 is checked beside the signature, which covers bytes and not their meaning.
3. An RDF signature covers statements, not their spelling: whoever passes a document on can hide
   ``credentialStatus`` behind its full IRI, or behind an alias from an added context, and the signature stays
   good. So a document under an RDF suite has contexts only at its top and only by URL, no member named by an
   IRI or a JSON-LD keyword, and describes each identified thing in one place.

   The credentials in a presentation are documents of their own, each with its contexts and its proof: whoever
   reads them verifies them one by one, and there the rule is asked again.

Even so, RDF leaves open the order of entries in a set, whether one entry stands alone or in a list, and
``@direction``: no reader may draw a claim from these. The JCS suites leave nothing open, and are the default.

A document with no ``@context`` at all is plain JSON, which the JCS suites may secure; what its names mean is
its reader's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.errors import LimitExceeded, Malformed

if TYPE_CHECKING:
    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject

MAX_CONTEXT_ENTRIES: Final = 1000
"""How many contexts, and terms in inline ones, may stand at the top of a document under a proof."""

# The members of a value object, such as a text with its language; legal only beside @value.
_VALUE_MEMBERS: Final = frozenset({"@value", "@language", "@direction", "@type"})


def check_context_size(document: JsonObject) -> None:
    """Bound the contexts at the top of a document, before anything is done with them.

    Raises:
        LimitExceeded: ``too-many-contexts``.
    """
    context = document.get("@context")
    listed: list[JSON] = context if isinstance(context, list) else [context]
    if len(listed) > MAX_CONTEXT_ENTRIES or _count_terms(listed) > MAX_CONTEXT_ENTRIES:
        raise LimitExceeded("too-many-contexts", f"at most {MAX_CONTEXT_ENTRIES} entries", where="/@context")


def _count_terms(contexts: list[JSON]) -> int:
    return sum(len(context) for context in contexts if isinstance(context, dict))


def check_meaning(document: JsonObject, *, contexts: Contexts) -> None:
    """Check that every term of a document under a JCS suite is defined by known contexts (rules 1 and 2).

    Raises:
        Malformed: a context is not known, or a protected term redefined.
        InvalidRecord: terms are left undefined.
    """
    from vcid.encoding import rdf

    if _has_context(document):
        rdf.check_terms(document, contexts=contexts)


def _has_context(value: JSON) -> bool:
    if isinstance(value, dict):
        return "@context" in value or any(_has_context(member) for member in value.values())
    return isinstance(value, list) and any(_has_context(item) for item in value)


def check_spelling(document: JsonObject) -> None:
    """Check that a document under an RDF suite is written as its known contexts write it (rule 3).

    Raises:
        Malformed: ``inline-context``, ``respelled-member``, ``described-twice`` or ``says-nothing``.
    """
    context = document.get("@context", [])
    if not all(isinstance(item, str) for item in (context if isinstance(context, list) else [context])):
        raise Malformed("inline-context", "contexts by URL under an RDF suite", where="/@context")
    described: set[str] = set()
    apart = {"@context", "verifiableCredential"} if _is_presentation(document) else {"@context"}
    for name, member in document.items():
        if name not in apart:
            _check_name(name)
            if isinstance(member, dict | list):
                _check_members(member, described)
    _check_described_once(document, described)


def _is_presentation(document: JsonObject) -> bool:
    types = document.get("type")
    return "VerifiablePresentation" in (types if isinstance(types, list) else [types])


def _check_members(value: JsonObject | list[JSON], described: set[str]) -> None:
    if isinstance(value, list):
        _check_set(value)
        for item in value:
            if isinstance(item, dict | list):
                _check_members(item, described)
    elif not ("@value" in value and value.keys() <= _VALUE_MEMBERS):
        for name, member in value.items():
            _check_name(name)
            if isinstance(member, dict | list):
                _check_members(member, described)
        _check_described_once(value, described)


def _check_set(items: list[JSON]) -> None:
    """Refuse what makes no statement: an empty set, and an entry that stands twice."""
    scalars = [item for item in items if not isinstance(item, dict | list)]
    if not items or len({(type(item), item) for item in scalars}) != len(scalars):
        raise Malformed("says-nothing", "sets with entries, each once, under an RDF suite")


def _check_name(name: str) -> None:
    if name == "@context":
        raise Malformed("inline-context", "contexts at the top of a document under an RDF suite")
    if ":" in name or name[:1] == "@":
        raise Malformed("respelled-member", "members named by the terms that the contexts define")


def _check_described_once(node: JsonObject, described: set[str]) -> None:
    """Refuse a second object with members for one id: RDF merges them, while a reader sees one."""
    identifier = node.get("id")
    if not isinstance(identifier, str) or len(node) == 1:
        return
    if identifier in described:
        raise Malformed("described-twice", "one object for each thing that has an id")
    described.add(identifier)

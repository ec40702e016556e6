"""JSON pointers into a credential, and the part of it that they select.

Follows Data Integrity ECDSA Cryptosuites 1.0 (W3C Recommendation), sections "jsonPointerToPaths",
"createInitialSelection", "selectPaths" and "selectJsonLd", with the strictness of RFC 6901: what the
specification's algorithms would silently pass over (an index in a string, ``01``, ``~2``, a pointer into a
context) is a fault, and all faulty pointers are told at once.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, TypeAlias

from vcid.encoding import nquads
from vcid.encoding.json import pointer as write_pointer
from vcid.errors import FieldError, InvalidRecord, LimitExceeded, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from vcid.encoding.json import JSON, JsonObject

MAX_POINTERS: Final = 1_000
MAX_POINTER_CHARS: Final = 1_000

_ESCAPE: Final = re.compile("~[01]")
_INDEX: Final = re.compile("0|[1-9][0-9]{0,8}")
_IDENTIFIERS: Final = frozenset({"id", "@id"})
_TYPES: Final = frozenset({"type", "@type"})

# What is selected of a value: each member or item by its step, or None for all of it.
_Chosen: TypeAlias = "dict[str | int, _Chosen] | None"


def json_pointer_to_path(pointer: str) -> list[str]:
    """Split a JSON pointer into its reference tokens (section "jsonPointerToPaths").

    Raises:
        Malformed: ``bad-pointer``: it does not begin with a slash, or holds a tilde that escapes nothing.
    """
    if len(pointer) > MAX_POINTER_CHARS:
        raise LimitExceeded("too-long", f"JSON pointers of at most {MAX_POINTER_CHARS} characters")
    if not pointer.startswith("/"):
        raise Malformed("bad-pointer", "a JSON pointer that begins with / and names a part of the document")
    if "~" not in pointer:
        return pointer.split("/")[1:]
    if "~" in _ESCAPE.sub("", pointer):
        raise Malformed("bad-pointer", "~0 for a tilde and ~1 for a slash, and no other tilde")
    return [token.replace("~1", "/").replace("~0", "~") for token in pointer.split("/")[1:]]


def select_json_ld(pointers: Sequence[str], document: JsonObject) -> JsonObject | None:
    """Select a portion of a compact JSON-LD document (section "selectJsonLd").

    The identifiers and types of every object on the way to a target are selected with it, and so is the
    document's ``@context``. Selected items of an array close ranks. The result shares values with the
    document: neither may be changed.

    Returns:
        The selection, or None where there are no pointers.

    Raises:
        Malformed: a pointer is none, points nowhere or into a context; ``where`` names it.
        InvalidRecord: several do; all of them are named.
        LimitExceeded: there are too many pointers.
    """
    if not pointers:
        return None
    selection = _reveal(document, _choose(pointers, document))
    if not isinstance(selection, dict):  # pragma: no cover - an object's selection is one
        raise TypeError("a document is an object")
    if "@context" in document:
        return {"@context": document["@context"], **selection}
    return selection


def check_pointers(pointers: Sequence[str], document: JsonObject) -> None:
    """Check that every pointer names a part of the document. Raises as `select_json_ld` does."""
    _choose(pointers, document)


def write_place(tokens: Iterable[str]) -> str:
    """Write a pointer's tokens for an error message, without names that may be a person's."""
    return write_pointer(int(token) if _INDEX.fullmatch(token) else token for token in tokens)


def refuse_pointers(faults: Sequence[FieldError]) -> None:
    """Raise for faulty pointers: Malformed for one, InvalidRecord for several, nothing for none."""
    if len(faults) == 1:
        (fault,) = faults
        raise Malformed(fault.code, fault.expected, where=fault.path)
    if faults:
        raise InvalidRecord(faults)


def _choose(pointers: Sequence[str], document: JsonObject) -> _Chosen:
    """Lay the paths of all pointers over one another, so that the document is walked once."""
    if len(pointers) > MAX_POINTERS:
        raise LimitExceeded("too-many-pointers", f"at most {MAX_POINTERS} JSON pointers")
    chosen: dict[str | int, _Chosen] = {}
    faults: list[FieldError] = []
    for number, pointer in enumerate(pointers, start=1):
        tokens: list[str] = []
        try:
            tokens = json_pointer_to_path(pointer)
            _add_path(chosen, _find_steps(tokens, document))
        except LimitExceeded:
            raise
        except Malformed as error:
            where = write_place(tokens) if tokens else f"pointer {number}"
            faults.append(FieldError(where, error.code, error.expected))
    refuse_pointers(faults)
    return chosen


def _find_steps(tokens: Iterable[str], document: JsonObject) -> list[str | int]:
    """Follow a pointer to its target; a step is a member's name or an item's index."""
    value: JSON = document
    steps: list[str | int] = []
    for token in tokens:
        if token == "@context":  # noqa: S105 - a reference token is no password
            raise Malformed("selects-context", "pointers to statements; contexts are always disclosed")
        if isinstance(value, dict) and token in value:
            value = value[token]
            steps.append(token)
        elif isinstance(value, list) and _INDEX.fullmatch(token) and int(token) < len(value):
            value = value[int(token)]
            steps.append(int(token))
        else:
            raise Malformed("points-nowhere", "JSON pointers to parts that the document has")
    return steps


def _add_path(chosen: dict[str | int, _Chosen], steps: Sequence[str | int]) -> None:
    *way, target = steps
    for step in way:
        inner = chosen.setdefault(step, {})
        if inner is None:
            return
        chosen = inner
    chosen[target] = None


def _reveal(value: JSON, chosen: _Chosen) -> JSON:
    if chosen is None:
        return value
    if isinstance(value, list):
        return [_reveal(item, chosen[index]) for index, item in enumerate(value) if index in chosen]
    if not isinstance(value, dict):  # pragma: no cover - no path leads through a scalar
        return value
    # Types are selected whole, also where a pointer names one of them.
    return {
        name: member if _is_always_selected(name, member) else _reveal(member, chosen[name])
        for name, member in value.items()
        if name in chosen or _is_always_selected(name, member)
    }


def _is_always_selected(name: str, member: JSON) -> bool:
    """Say whether a member is part of every selection (section "createInitialSelection").

    A text that is no IRI is no identifier: ``id`` may also be the tag of Indonesian in a map of languages.
    The specification's algorithm would then disclose that text unasked; whoever follows it to the letter
    reads an issuer's mandatory pointer into such a map differently, and the proof fails.
    """
    if name in _IDENTIFIERS:
        return isinstance(member, str) and (nquads.is_iri(member) or nquads.is_blank(member))
    return name in _TYPES

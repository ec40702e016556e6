r"""RDF datasets as N-Quads: the strict reader and the canonical writer.

Follows RDF 1.1 N-Quads for reading and the canonical form of RDFC-1.0, appendix A, for writing. In memory a
term *is* its canonical N-Quads text: ``<iri>``, ``"literal"^^<datatype>``, ``_:label``. A quad is a tuple of
four such texts, the last one empty for the default graph, so that comparing, hashing and writing a dataset
cost nothing beyond strings.
"""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias

from vcid.errors import LimitExceeded, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable

Quad: TypeAlias = tuple[str, str, str, str]

MAX_BYTES: Final = 1 << 24

XSD: Final = "http://www.w3.org/2001/XMLSchema#"
_XSD_STRING: Final = XSD + "string"

_UCHAR: Final = r"\\u[0-9A-Fa-f]{4}|\\U[0-9A-Fa-f]{8}"
# What IRIREF excludes; the control characters above U+007F are excluded by RFC 3987.
_NOT_IN_IRI: Final = '\\x00-\\x20<>"{}|^`\\\\'
_PN_CHARS_U: Final = (
    "A-Za-z0-9_:\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u02ff\u0370-\u037d\u037f-\u1fff\u200c-\u200d\u2070-\u218f"
    "\u2c00-\u2fef\u3001-\ud7ff\uf900-\ufdcf\ufdf0-\ufffd\U00010000-\U000effff"
)
_PN_CHARS: Final = _PN_CHARS_U + "\\-\u00b7\u0300-\u036f\u203f-\u2040"
_LABEL: Final = f"_:[{_PN_CHARS_U}](?:[{_PN_CHARS}.]*[{_PN_CHARS}])?"
_IRIREF: Final = f"<(?:[^{_NOT_IN_IRI}]|{_UCHAR})*+>"
_STRING: Final = rf"""\"(?:[^"\\\n\r]|\\[tbnrf"'\\]|{_UCHAR})*+\""""

_EMPTY: Final = re.compile(r"[ \t]*(?:#.*)?")
_LINE_END: Final = re.compile(r"[\r\n]+")
_ESCAPE: Final = re.compile(rf"""\\[tbnrf"'\\]|{_UCHAR}""")
_ABSOLUTE: Final = re.compile(f"[A-Za-z][A-Za-z0-9+.-]*:[^{_NOT_IN_IRI}\x7f-\x9f\ud800-\udfff\ufffe\uffff]*")
_BAD_PERCENT: Final = re.compile("%(?![0-9A-Fa-f]{2})")
_UNESCAPED: Final = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f", '"': '"', "'": "'", "\\": "\\"}

# Appendix A: ECHAR for seven characters, UCHAR for the other controls and what XML 1.1 has no Char for.
_ESCAPED: Final = {
    **{code: f"\\u{code:04X}" for code in (*range(0x20), 0x7F, 0xFFFE, 0xFFFF)},
    **{ord(char): f"\\{letter}" for letter, char in _UNESCAPED.items() if letter != "'"},
}
_NEEDS_CARE: Final = re.compile('[\x00-\x1f"\\\\\x7f\ud800-\udfff\ufffe\uffff]')


# Compiled where first needed: the classes of Unicode characters make these two slow to compile.


@cache
def _compile_label() -> re.Pattern[str]:
    return re.compile(_LABEL)


@cache
def _compile_statement() -> re.Pattern[str]:
    return re.compile(
        rf"[ \t]*({_IRIREF}|{_LABEL})"
        rf"[ \t]*({_IRIREF})"
        rf"[ \t]*(?:({_IRIREF}|{_LABEL})|({_STRING})(?:\^\^({_IRIREF})|@([A-Za-z]+(?:-[A-Za-z0-9]+)*))?)"
        rf"[ \t]*({_IRIREF}|{_LABEL})?"
        r"[ \t]*\.[ \t]*(?:#.*)?"
    )


def is_iri(text: str) -> bool:
    """Say whether a text is an absolute IRI that N-Quads can write."""
    if _ABSOLUTE.fullmatch(text) is None:
        return False
    return "%" not in text or _BAD_PERCENT.search(text) is None


def is_blank(term: str) -> bool:
    """Say whether a term, or an identifier of JSON-LD, is a blank node's."""
    return term.startswith("_:")


def is_blank_label(text: str) -> bool:
    """Say whether a text is a blank node label that N-Quads can write."""
    return _compile_label().fullmatch(text) is not None


def literal(text: str, datatype: str = "", language: str = "") -> str:
    """Write a literal in canonical form, with a datatype's IRI or a language tag or neither (a string).

    Raises:
        Malformed: the text holds a lone surrogate.
    """
    if _NEEDS_CARE.search(text):
        text = _escape(text)
    if language:
        return f'"{text}"@{language}'
    return f'"{text}"^^<{datatype}>' if datatype and datatype != _XSD_STRING else f'"{text}"'


def _escape(text: str) -> str:
    escaped = text.translate(_ESCAPED)
    try:
        escaped.encode()
    except UnicodeEncodeError:
        raise Malformed("lone-surrogate", "text without lone surrogates") from None
    return escaped


def write_quad(quad: Quad) -> str:
    """Write one statement in canonical form, with its line end."""
    subject, predicate, obj, graph = quad
    return f"{subject} {predicate} {obj} {graph} .\n" if graph else f"{subject} {predicate} {obj} .\n"


def write(quads: Iterable[Quad]) -> bytes:
    """Write a dataset, its statements in code point order."""
    return "".join(sorted(write_quad(quad) for quad in quads)).encode()


def parse(nquads: bytes, *, max_bytes: int = MAX_BYTES) -> set[Quad]:
    """Read an N-Quads document into a dataset.

    Raises:
        LimitExceeded: the document is larger than ``max_bytes``.
        Malformed: it is no N-Quads; ``where`` names the line.
    """
    if len(nquads) > max_bytes:
        raise LimitExceeded("too-large", f"at most {max_bytes} bytes")
    try:
        text = nquads.decode()
    except UnicodeDecodeError as error:
        raise Malformed("not-utf-8", "text in UTF-8", where=f"byte {error.start}") from None
    return {
        _parse_statement(line, number)
        for number, line in enumerate(_LINE_END.split(text), start=1)
        if _EMPTY.fullmatch(line) is None
    }


def _parse_statement(line: str, number: int) -> Quad:
    match = _compile_statement().fullmatch(line)
    where = f"statement line {number}"
    if match is None:
        raise Malformed("not-n-quads", "one N-Quads statement a line", where=where)
    subject, predicate, node, text, datatype, language, graph = match.groups()
    if node is None:
        iri = _read_node(datatype, where)[1:-1] if datatype else ""
        node = literal(_unescape(text[1:-1], where), iri, language or "")
    else:
        node = _read_node(node, where)
    return (
        _read_node(subject, where),
        _read_node(predicate, where),
        node,
        _read_node(graph, where) if graph else "",
    )


def _read_node(term: str, where: str) -> str:
    if is_blank(term):
        return term
    iri = _unescape(term[1:-1], where) if "\\" in term else term[1:-1]
    if _ABSOLUTE.fullmatch(iri) is None:
        raise Malformed("relative-iri", "an absolute IRI", where=where)
    return f"<{iri}>"


def _unescape(text: str, where: str) -> str:
    if "\\" not in text:
        return text
    try:
        unescaped = _ESCAPE.sub(_read_escape, text)
        unescaped.encode()
    except (ValueError, OverflowError):
        raise Malformed("bad-escape", "escapes of Unicode characters", where=where) from None
    return unescaped


def _read_escape(match: re.Match[str]) -> str:
    escape = match.group()
    letter, digits = escape[1], escape[2:]
    return chr(int(digits, base=16)) if letter in "uU" else _UNESCAPED[letter]

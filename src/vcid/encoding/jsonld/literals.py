"""Values of JSON as literals of RDF.

Follows the Object to RDF Conversion algorithm of JSON-LD 1.1 Processing Algorithms and API (section 8.2.2)
and its Data Round Tripping (section 8.6): numbers and booleans take the canonical lexical form of their XML
Schema datatype, and JSON literals their RFC 8785 form.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Final

from vcid.encoding import json, nquads
from vcid.encoding.nquads import XSD
from vcid.errors import Malformed

if TYPE_CHECKING:
    from vcid.encoding.json import JSON

_RDF_JSON: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns#JSON"
_DOUBLE: Final = XSD + "double"
# From here on XML Schema writes whole numbers as doubles too, as JSON-LD has it.
_LARGE: Final = 10**21
_ZEROS: Final = re.compile(r"(\.\d+?)0*E([+-])0*(\d+)")


def write(value: JSON, datatype: str | None = None) -> str:
    """Write a scalar, or any value as a JSON literal, as a literal in canonical N-Quads.

    Args:
        value: a string, a number or a boolean; anything where the datatype is ``@json``.
        datatype: an IRI, ``@json``, or None for the one that JSON-LD gives the value's kind.

    Raises:
        Malformed: no literal can state the value.
    """
    if datatype == "@json":
        return nquads.literal(json.canonicalize(value).decode(), _RDF_JSON)
    if isinstance(value, str):
        return nquads.literal(value, datatype or "")
    if isinstance(value, bool):
        return nquads.literal("true" if value else "false", datatype or XSD + "boolean")
    if isinstance(value, int | float):
        return _write_number(value, datatype)
    raise Malformed("invalid-value", "a string, a number, true or false")


def _write_number(value: float, datatype: str | None) -> str:
    if not math.isfinite(value):
        raise Malformed("not-a-number", "a number; JSON has no NaN and no Infinity")
    if value % 1 or abs(value) >= _LARGE or datatype == _DOUBLE:
        return nquads.literal(_write_double(value), datatype or _DOUBLE)
    return nquads.literal(str(int(value)), datatype or XSD + "integer")


def _write_double(value: float) -> str:
    """Write the canonical form of xsd:double with the sixteen digits that JSON-LD processors agree on."""

    def shorten(match: re.Match[str]) -> str:
        fraction, sign, exponent = match.groups()
        return f"{fraction}E{sign.strip('+')}{exponent}"

    return _ZEROS.sub(shorten, f"{value:.15E}")

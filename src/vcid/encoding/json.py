"""Strict JSON in, canonical JSON out.

Reading follows RFC 8259 with the strictness of I-JSON (RFC 7493): no duplicate member name, no lone
surrogate, no number outside the range of a double; and stated limits on size and depth. Writing follows
RFC 8785 (JSON Canonicalization Scheme). Both have a quick lane through orjson, taken only where it is exact,
and a complete lane that serves everything else; the two give the same value or both refuse.
"""

from __future__ import annotations

import json
import math
import re
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING, Final, TypeAlias

import orjson
import rfc8785

from vcid.errors import LimitExceeded, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

JSON: TypeAlias = "dict[str, JSON] | list[JSON] | str | int | float | bool | None"
JsonObject: TypeAlias = "dict[str, JSON]"

MAX_BYTES: Final = 1 << 20
MAX_DEPTH: Final = 64

# Documents of MAX_DEPTH get wrapped in others before they are signed; orjson itself stops at 254.
_MAX_CANONICAL_DEPTH: Final = 200
# Every integer up to here has a double of its own, so that all readers agree (RFC 8785, section 3.2.2.3).
_MAX_INTEGER: Final = 2**53 - 1
# UTF-16 and UTF-8 sort alike as long as nothing stands at or above the surrogates' end.
_FIRST_AFTER_SURROGATES: Final = "\ue000"
_MAX_POINTER: Final = 200
_TERM: Final = re.compile(r"[a-z@$_][A-Za-z0-9_$-]{0,63}")

_DIGITS_TO_ZERO: Final = bytes(48 if 48 <= byte <= 57 else byte for byte in range(256))
_LONG_NUMBER: Final = b"0" * 19
_STRING: Final = re.compile(rb'"(?:[^"\\]|\\.)*+"?', re.DOTALL)
_ALL_BUT_BRACKETS: Final = bytes(byte for byte in range(256) if byte not in b"[]{}")


class _Unsure(Enum):
    """The quick lane's answer to a text that it can't vouch for."""

    UNSURE = auto()


def parse(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> JSON:
    """Read one JSON text.

    Args:
        data: the text, in UTF-8 without a byte order mark where it is bytes.
        max_bytes: how long the text may be in UTF-8.
        max_depth: how many objects and arrays may stand inside one another.

    Raises:
        LimitExceeded: the text is too long or too deep.
        Malformed: it is no JSON, or JSON that two readers may understand differently.
    """
    encoded = _encode(data, max_bytes)
    value = _parse_quickly(encoded, max_depth)
    return _parse_completely(encoded, max_depth) if isinstance(value, _Unsure) else value


def parse_object(data: bytes | str, *, max_bytes: int = MAX_BYTES, max_depth: int = MAX_DEPTH) -> JsonObject:
    """Read one JSON text that must be an object. Raises as `parse` does."""
    value = parse(data, max_bytes=max_bytes, max_depth=max_depth)
    if not isinstance(value, dict):
        raise Malformed("not-an-object", "a JSON object")
    return value


def canonicalize(value: JSON) -> bytes:
    """Write a value in its canonical form (RFC 8785).

    Integers beyond ±(2^53 - 1) are refused instead of rounded: JSON readers differ on them.

    Raises:
        LimitExceeded: objects and arrays stand too deep in one another, or contain themselves.
        Malformed: the value has no canonical form.
    """
    try:
        if _are_plain((value,), _MAX_CANONICAL_DEPTH):
            # orjson refuses lone surrogates; the complete lane then says so in our words.
            with suppress(orjson.JSONEncodeError):
                return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)
        return _canonicalize_completely(value)
    except RecursionError:
        raise _too_deep(_MAX_CANONICAL_DEPTH) from None


def pointer(path: Iterable[str | int]) -> str:
    """Write a JSON pointer (RFC 6901) for error messages, cut when very long.

    A member whose name is not formed like a term stands as ``*``: it may be a person's.
    """
    text = "".join(f"/{step if isinstance(step, int) or is_term(step) else '*'}" for step in path)
    return text if len(text) <= _MAX_POINTER else f"{text[:_MAX_POINTER]}…"


def is_term(name: str) -> bool:
    """Whether a member's name has the form that terms and keywords have, and may be shown."""
    return _TERM.fullmatch(name) is not None


def _encode(data: bytes | str, max_bytes: int) -> bytes:
    # The length of a str comes first, so that an oversized one is not copied.
    if len(data) <= max_bytes:
        if isinstance(data, str):
            try:
                data = data.encode()
            except UnicodeEncodeError as error:
                where = f"character {error.start}"
                raise Malformed("lone-surrogate", "text without lone surrogates", where=where) from None
        if len(data) <= max_bytes:
            return data
    raise LimitExceeded("too-large", f"at most {max_bytes} bytes")


def _parse_quickly(data: bytes, max_depth: int) -> JSON | _Unsure:
    r"""Read with orjson where that is provably exact.

    orjson keeps the last of duplicate names. Without a ``\u`` escape, though, each colon of the text either
    ends one member's name or stands as itself in a string, and so it does when orjson writes the value again.
    A dropped member takes a colon with it, so equal counts mean that nothing was dropped. orjson also makes
    floats of integers beyond 64 bits: 19 digits or more. A string with such digits changes lane for nothing.
    """
    if (
        (b"\\" in data and b"\\u" in data)
        or data.count(b"{") + data.count(b"[") > max_depth
        or _LONG_NUMBER in data.translate(_DIGITS_TO_ZERO)
    ):
        return _Unsure.UNSURE
    try:
        value: JSON = orjson.loads(data)
        colons = orjson.dumps(value).count(b":")
    except (orjson.JSONDecodeError, orjson.JSONEncodeError):
        return _Unsure.UNSURE
    return value if colons == data.count(b":") else _Unsure.UNSURE


@dataclass(frozen=True, slots=True)
class _Fault:
    """Stands in a parsed tree where a value could not be accepted, so that its place can be told."""

    code: str
    expected: str
    name: str | None = None


class _Reader:
    """The hooks of one call: they mark faults in the tree, since a hook does not know where it is."""

    def __init__(self) -> None:
        self.faulty = False

    def read_object(self, pairs: list[tuple[str, Any]]) -> object:
        members = dict(pairs)
        if len(members) == len(pairs):
            return members
        names = Counter(name for name, _ in pairs)
        return self._mark(_Fault("duplicate-key", "each member name once", names.most_common(1)[0][0]))

    def read_number(self, digits: str) -> object:
        number = float(digits)
        if not math.isfinite(number):
            return self._mark(_Fault("number-overflow", "a number in the range of a double"))
        # A finite one has at most 309 digits, so that Python's quadratic conversion stays short.
        return int(digits) if digits.lstrip("-").isdigit() else number

    def read_constant(self, _name: str) -> object:
        return self._mark(_Fault("not-a-number", "a number; JSON has no NaN and no Infinity"))

    def _mark(self, fault: _Fault) -> _Fault:
        self.faulty = True
        return fault


def _parse_completely(data: bytes, max_depth: int) -> JSON:
    may_be_deep = data.count(b"{") + data.count(b"[") > max_depth
    if may_be_deep:
        _refuse_depth(data, max_depth)
    reader = _Reader()
    try:
        text = data.decode()
        value: JSON = json.loads(
            text,
            object_pairs_hook=reader.read_object,
            parse_float=reader.read_number,
            parse_int=reader.read_number,
            parse_constant=reader.read_constant,
        )
    # The causes hold the whole text, which may be a person's, so they are not kept.
    except UnicodeDecodeError as error:
        raise Malformed("not-utf-8", "text in UTF-8", where=f"byte {error.start}") from None
    except json.JSONDecodeError as error:
        where = f"byte {len(text[: error.pos].encode())}"
        raise Malformed("not-json", f"JSON ({error.msg})", where=where) from None
    except RecursionError:
        raise _too_deep(max_depth) from None
    may_hold_surrogates = b"\\ud" in data or b"\\uD" in data
    if reader.faulty or may_be_deep or may_hold_surrogates:
        _refuse_faults(value, max_depth)
    return value


def _refuse_depth(data: bytes, max_depth: int) -> None:
    """Count depth without recursion: other libraries raise Python's limit so far that the stack overflows."""
    depth = 0
    for byte in _STRING.sub(b"", data).translate(None, _ALL_BUT_BRACKETS):
        depth += 1 if byte in b"[{" else -1
        if depth > max_depth:
            raise _too_deep(max_depth)


_Place: TypeAlias = "tuple[_Place, str | int] | None"
"""A place in a tree, as a chain from the leaf to the root: a path of its own for each leaf would be large."""


def _refuse_faults(root: object, max_depth: int) -> None:
    pending: list[tuple[_Place, int, object]] = [(None, 0, root)]
    while pending:
        place, depth, value = pending.pop()
        if isinstance(value, str):
            _refuse_surrogates(value, place)
        elif isinstance(value, _Fault):
            where = place if value.name is None else (place, value.name)
            raise Malformed(value.code, value.expected, where=_pointer_to(where))
        elif isinstance(value, dict | list):
            if depth >= max_depth:
                raise _too_deep(max_depth, where=_pointer_to(place))
            if isinstance(value, dict):
                for name in value:
                    _refuse_surrogates(name, place)
            members = value.items() if isinstance(value, dict) else enumerate(value)
            pending.extend(
                ((place, step), depth + 1, member)
                for step, member in members
                if isinstance(member, str | dict | list | _Fault)
            )


def _pointer_to(place: _Place) -> str:
    steps: list[str | int] = []
    while place is not None:
        place, step = place
        steps.append(step)
    return pointer(reversed(steps))


def _refuse_surrogates(text: str, place: _Place) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        expected = "text without lone surrogates"
        raise Malformed("lone-surrogate", expected, where=_pointer_to(place)) from None


def _too_deep(limit: int, where: str = "") -> LimitExceeded:
    return LimitExceeded("too-deep", f"at most {limit} objects and arrays inside one another", where=where)


def _are_plain(values: Iterable[Any], room: int) -> bool:
    """Say whether orjson with sorted keys writes exactly RFC 8785 for all of these.

    The types are compared exactly: a subclass, a tuple or a date is no business of the quick lane.
    """
    if room < 0:
        raise _too_deep(_MAX_CANONICAL_DEPTH)
    plain = True
    for value in values:
        kind = type(value)
        if kind is str or kind is bool or value is None:
            continue
        if kind is dict:
            plain = _are_plain(value.values(), room - 1) and _are_plain_names(value) and plain
        elif kind is list:
            plain = _are_plain(value, room - 1) and plain
        elif kind is int:
            if not -_MAX_INTEGER <= value <= _MAX_INTEGER:
                raise _integer_too_large()
        else:
            plain = False
    return plain


def _are_plain_names(names: Iterable[str]) -> bool:
    try:
        joined = "".join(names)
    except TypeError:
        return False
    return joined.isascii() or max(joined) < _FIRST_AFTER_SURROGATES


def _canonicalize_completely(value: JSON) -> bytes:
    # The errors of rfc8785 repeat the value, so they are not kept as causes.
    try:
        return rfc8785.dumps(value)
    except rfc8785.IntegerDomainError:
        raise _integer_too_large() from None
    except rfc8785.FloatDomainError:
        raise Malformed("not-a-number", "finite numbers") from None
    except ValueError as error:
        if UnicodeEncodeError in (type(error), type(error.__cause__)):
            raise Malformed("lone-surrogate", "text without lone surrogates") from None
        raise Malformed("no-canonical-form", "values of JSON, in Unicode") from None


def _integer_too_large() -> Malformed:
    return Malformed("integer-too-large", "integers within ±(2^53 - 1)")

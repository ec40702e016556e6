r"""Regular expressions of JSON Schema, matched in time linear in the text.

Python's ``re`` tries one way after another, and a pattern such as ``(a+)+$`` can have it try more ways than
there are atoms. Here all ways are followed at once (Thompson's construction), so that a schema's pattern
costs no more than its states times the text's length, whatever either says. The dialect is the part of
ECMA-262 that JSON Schema recommends (2020-12 Core, section 6.4) with the usual escapes; look-around,
back-references, word boundaries and Unicode properties are not in it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from vcid.credentials.schema_compiler import Unsure

if TYPE_CHECKING:
    from collections.abc import Callable

    Test = Callable[[str], bool]
    Node = tuple[str, "Node | list[Node] | Test | None", int, int]

MAX_STATES: Final = 2_000
_MAX_PATTERN: Final = 4_000
_UNBOUNDED: Final = -1

_COUNT: Final = re.compile(r"\{([0-9]{1,4})(,?)([0-9]{0,4})\}")
_CODE: Final = re.compile(r"x([0-9A-Fa-f]{2})|u([0-9A-Fa-f]{4})|u\{([0-9A-Fa-f]{1,6})\}")
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r", "f": "\f", "v": "\v", "0": "\0"}
_SPACES: Final = frozenset(
    "\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff" + "".join(map(chr, range(0x2000, 0x200B)))
)
_LINE_ENDS: Final = frozenset("\n\r\u2028\u2029")


def _is_digit(character: str) -> bool:
    return "0" <= character <= "9"


def _is_word(character: str) -> bool:
    return character == "_" or (character.isascii() and character.isalnum())


_CLASSES: Final[dict[str, Test]] = {
    "d": _is_digit,
    "D": lambda character: not _is_digit(character),
    "w": _is_word,
    "W": lambda character: not _is_word(character),
    "s": lambda character: character in _SPACES,
    "S": lambda character: character not in _SPACES,
}


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled pattern.

    Attributes:
        tests: for each state what it asks of a character; None for one that asks nothing.
        ways: for each state those that may follow it.
        anchors: for each state ``^`` or ``$`` where it holds only there, else empty.
    """

    tests: tuple[Test | None, ...]
    ways: tuple[tuple[int, ...], ...]
    anchors: tuple[str, ...]

    @property
    def size(self) -> int:
        """How many states there are: what a character of text costs at most."""
        return len(self.tests)

    def is_found_in(self, text: str) -> bool:
        """Say whether the pattern matches anywhere in a text."""
        current: set[int] = set()
        last = len(text)
        for place in range(last + 1):
            current = self._follow({*current, 0}, is_first=place == 0, is_last=place == last)
            if 1 in current:
                return True
            if place < last:
                character = text[place]
                current = {
                    way
                    for state in current
                    if (test := self.tests[state]) is not None and test(character)
                    for way in self.ways[state]
                }
        return False

    def _follow(self, states: set[int], *, is_first: bool, is_last: bool) -> set[int]:
        """Add every state that is reached without a character."""
        reached, left = set(states), list(states)
        while left:
            state = left.pop()
            anchor = self.anchors[state]
            if self.tests[state] is None and (not anchor or (is_first if anchor == "^" else is_last)):
                new = [way for way in self.ways[state] if way not in reached]
                reached.update(new)
                left.extend(new)
        return reached


@lru_cache(maxsize=256)
def compile_pattern(text: str) -> Pattern:
    """Compile a pattern.

    Raises:
        Unsure: it is no pattern of this dialect, or takes more than `MAX_STATES` states.
    """
    if len(text) > _MAX_PATTERN:
        raise Unsure("a pattern as long as this")
    try:
        node = _Reader(text).read()
        return _Builder().build(node)
    except RecursionError:
        raise Unsure("a pattern as deep as this") from None


class _Reader:
    """Reads a pattern into nodes: (kind, content, least, most)."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._place = 0

    def read(self) -> Node:
        node = self._read_choice()
        if self._place < len(self._text):
            raise Unsure("a group that is not opened")
        return node

    def _peek(self) -> str:
        return self._text[self._place : self._place + 1]

    def _take(self) -> str:
        if self._place >= len(self._text):
            raise Unsure("a pattern that ends too early")
        self._place += 1
        return self._text[self._place - 1]

    def _read_choice(self) -> Node:
        branches = [self._read_sequence()]
        while self._peek() == "|":
            self._place += 1
            branches.append(self._read_sequence())
        return ("choice", branches, 0, 0)

    def _read_sequence(self) -> Node:
        parts: list[Node] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._read_quantified())
        return ("sequence", parts, 0, 0)

    def _read_quantified(self) -> Node:
        atom = self._read_atom()
        least, most = {"*": (0, _UNBOUNDED), "+": (1, _UNBOUNDED), "?": (0, 1)}.get(self._peek(), (1, 1))
        if self._peek() == "{":
            match = _COUNT.match(self._text, self._place)
            if match is None:
                raise Unsure("a brace that counts nothing")
            least = int(match[1])
            most = least if not match[2] else int(match[3]) if match[3] else _UNBOUNDED
            self._place = match.end()
        elif (least, most) != (1, 1):
            self._place += 1
        else:
            return atom
        if atom[0] == "anchor" or (most != _UNBOUNDED and most < least):
            raise Unsure("a count of nothing")
        if self._peek() == "?":
            self._place += 1
        return ("repeat", atom, least, most)

    def _read_atom(self) -> Node:
        character = self._take()
        if character == "(":
            return self._read_group()
        if character == "[":
            return ("test", self._read_class(), 0, 0)
        if character == ".":
            return ("test", lambda each: each not in _LINE_ENDS, 0, 0)
        if character in "^$":
            return ("anchor", None, int(character == "$"), 0)
        if character in "*+?{}])":
            raise Unsure("a sign that stands for nothing")
        return ("test", self._read_escape() if character == "\\" else _equals(character), 0, 0)

    def _read_group(self) -> Node:
        if self._peek() == "?":
            if self._text[self._place : self._place + 2] != "?:":
                raise Unsure("look-around and named groups")
            self._place += 2
        node = self._read_choice()
        if self._take() != ")":
            raise Unsure("a group that is not closed")
        return node

    def _read_escape(self) -> Test:
        kind = self._peek()
        if kind in _CLASSES:
            self._place += 1
            return _CLASSES[kind]
        return _equals(self._read_escaped_character())

    def _read_escaped_character(self) -> str:
        if match := _CODE.match(self._text, self._place):
            self._place = match.end()
            code = int(match[1] or match[2] or match[3], 16)
            if code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
                raise Unsure("half of a surrogate pair")
            return chr(code)
        character = self._take()
        if character in _CONTROLS and not _is_digit(self._peek()):
            return _CONTROLS[character]
        if character.isalnum():
            raise Unsure("an escape of this kind")
        return character

    def _read_class(self) -> Test:
        negated = self._peek() == "^"
        self._place += negated
        tests: list[Test] = []
        while self._peek() != "]":
            tests.append(self._read_class_item())
        self._place += 1
        return lambda character: any(test(character) for test in tests) is not negated

    def _read_class_item(self) -> Test:
        if self._peek() == "\\" and self._text[self._place + 1 : self._place + 2] in _CLASSES:
            self._place += 1
            return self._read_escape()
        first = self._read_class_character()
        if self._peek() != "-" or self._text[self._place + 1 : self._place + 2] in ("]", ""):
            return _equals(first)
        self._place += 1
        last = self._read_class_character()
        if last < first:
            raise Unsure("a range that runs backwards")
        return lambda character: first <= character <= last

    def _read_class_character(self) -> str:
        character = self._take()
        if character != "\\":
            return character
        if self._peek() in _CLASSES:
            raise Unsure("a range of classes")
        return self._read_escaped_character()


class _Builder:
    """Turns nodes into states; state 0 is the first, state 1 the match."""

    def __init__(self) -> None:
        self._tests: list[Test | None] = [None, None]
        self._ways: list[list[int]] = [[], []]
        self._anchors: list[str] = ["", ""]

    def build(self, node: Node) -> Pattern:
        self._ways[0].append(self._add(node, 1))
        return Pattern(tuple(self._tests), tuple(map(tuple, self._ways)), tuple(self._anchors))

    def _state(self, *ways: int, test: Test | None = None, anchor: str = "") -> int:
        if len(self._tests) >= MAX_STATES:
            raise Unsure("a pattern with as many states as this")
        self._tests.append(test)
        self._ways.append(list(ways))
        self._anchors.append(anchor)
        return len(self._tests) - 1

    def _add(self, node: Node, then: int) -> int:
        """Add the states of a node before those that follow it; give the first."""
        kind, content, least, most = node
        if kind == "anchor":
            return self._state(then, anchor="$" if least else "^")
        if kind == "repeat" and isinstance(content, tuple):
            return self._repeat(content, least, most, then)
        if kind == "choice" and isinstance(content, list):
            return self._state(*(self._add(branch, then) for branch in content))
        if kind == "sequence" and isinstance(content, list):
            for part in reversed(content):
                then = self._add(part, then)
            return then
        return self._state(then, test=content if callable(content) else None)

    def _repeat(self, node: Node, least: int, most: int, then: int) -> int:
        if most == _UNBOUNDED:
            loop = self._state(then)
            self._ways[loop].append(self._add(node, loop))
            then = loop
        else:
            end = then
            for _ in range(most - least):
                then = self._state(self._add(node, then), end)
        for _ in range(least):
            then = self._add(node, then)
        return then


def _equals(wanted: str) -> Test:
    return lambda character: character == wanted

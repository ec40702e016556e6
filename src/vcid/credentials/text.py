"""What text about a person may hold: one visible reading, in any script.

Names are normalised to NFC (Unicode Standard Annex 15), so that equal names are equal bytes, and refused
where they carry characters that a reader can't see: controls, bidirectional overrides that make a name read
as another (Unicode Technical Report 36, section 2.5), fillers and stray variation selectors. The two joiners
stay where spelling needs them (RFC 5892, appendix A): Persian, Sinhala and Malayalam names are wrong without
them.
"""

from __future__ import annotations

import unicodedata
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

MAX_TEXT: Final = 300
"""Characters in one name or place."""

_SPACES: Final = " \u3000"
_ZWNJ: Final = "\u200c"
_ZWJ: Final = "\u200d"
_VIRAMA_CLASS: Final = 9
_MONGOLIAN_VOWEL_SEPARATOR: Final = "\u180e"
# Letters and marks that show nothing: fillers of Hangul and Khmer, the grapheme joiner, a blank Braille cell.
_BLANKS: Final = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
_REFUSED_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cs", "Co", "Zl", "Zp"})

_SCRIPT_PREFIXES: Final[Mapping[str, tuple[str, ...]]] = {
    "Adlm": ("ADLAM",),
    "Arab": ("ARABIC",),
    "Aran": ("ARABIC",),
    "Armn": ("ARMENIAN",),
    "Beng": ("BENGALI",),
    "Bopo": ("BOPOMOFO",),
    "Cans": ("CANADIAN SYLLABICS",),
    "Cher": ("CHEROKEE",),
    "Cyrl": ("CYRILLIC", "MODIFIER LETTER CYRILLIC"),
    "Deva": ("DEVANAGARI",),
    "Ethi": ("ETHIOPIC",),
    "Geor": ("GEORGIAN",),
    "Grek": ("GREEK",),
    "Gujr": ("GUJARATI",),
    "Guru": ("GURMUKHI",),
    "Hang": ("HANGUL",),
    "Hani": ("CJK", "IDEOGRAPHIC"),
    "Hans": ("CJK", "IDEOGRAPHIC"),
    "Hant": ("CJK", "IDEOGRAPHIC"),
    "Hebr": ("HEBREW",),
    "Hira": ("HIRAGANA", "KATAKANA-HIRAGANA"),
    "Java": ("JAVANESE",),
    "Jpan": ("CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "HALFWIDTH KATAKANA"),
    "Kana": ("KATAKANA", "HALFWIDTH KATAKANA"),
    "Khmr": ("KHMER",),
    "Knda": ("KANNADA",),
    "Kore": ("HANGUL", "CJK"),
    "Laoo": ("LAO",),
    "Latn": ("LATIN", "FULLWIDTH LATIN", "MODIFIER LETTER"),
    "Mlym": ("MALAYALAM",),
    "Mong": ("MONGOLIAN",),
    "Mymr": ("MYANMAR",),
    "Nkoo": ("NKO",),
    "Olck": ("OL CHIKI",),
    "Orya": ("ORIYA",),
    "Sinh": ("SINHALA",),
    "Syrc": ("SYRIAC",),
    "Taml": ("TAMIL",),
    "Telu": ("TELUGU",),
    "Tfng": ("TIFINAGH",),
    "Thaa": ("THAANA",),
    "Thai": ("THAI",),
    "Tibt": ("TIBETAN",),
    "Vaii": ("VAI",),
}
# Letters that stand in names of several scripts, such as the modifier apostrophe.
_COMMON_LETTERS: Final = "MODIFIER LETTER"


def text_faults(text: str, *, limit: int = MAX_TEXT) -> Iterator[tuple[str, str]]:
    """Find what is wrong with a piece of text, each as a code and what was expected."""
    if not text.strip():
        yield "empty", "text, or no such field"
        return
    if len(text) > limit:
        yield "too-long", f"at most {limit} characters"
    if text[0] in _SPACES or text[-1] in _SPACES or "  " in text:
        yield "stray-space", "single spaces between words and none around them"
    if not text.isascii() or not text.isprintable():
        yield from _unseen_faults(text)


def _unseen_faults(text: str) -> Iterator[tuple[str, str]]:
    codes = {code for index in range(len(text)) if (code := _unseen(text, index))}
    if "control-character" in codes:
        yield "control-character", "no control, line break or bidirectional formatting characters"
    if "invisible-character" in codes:
        yield "invisible-character", "visible characters, with joiners only where the script joins"
    if "not-a-character" in codes:
        yield "not-a-character", "assigned characters, no private use and no lone surrogates"


def _unseen(text: str, index: int) -> str:
    """Name the fault of one character, or return an empty string."""
    character = text[index]
    if character in (_ZWNJ, _ZWJ):
        return "" if _joins(text, index) else "invisible-character"
    if character == _MONGOLIAN_VOWEL_SEPARATOR and _separates(text, index):
        return ""
    if character in _BLANKS or _is_stray_selector(text, index):
        return "invisible-character"
    category = unicodedata.category(character)
    if category in ("Cs", "Co") or (ord(character) & 0xFFFE) == 0xFFFE or "\ufdd0" <= character <= "\ufdef":
        return "not-a-character"
    if category in _REFUSED_CATEGORIES:
        return "control-character"
    return "invisible-character" if category == "Zs" and character not in _SPACES else ""


def _joins(text: str, index: int) -> bool:
    """Say whether a joiner changes how its neighbours are written (RFC 5892, appendix A.1 and A.2)."""
    if index == 0 or index == len(text) - 1:
        return False
    before, after = text[index - 1], text[index + 1]
    if unicodedata.combining(before) == _VIRAMA_CLASS:
        return True
    return text[index] == _ZWNJ and _is_cursive(before) and _is_cursive(after)


def _separates(text: str, index: int) -> bool:
    """Say whether a vowel separator stands between two letters of its script, whose shapes it changes."""
    around = text[index - 1 : index] + text[index + 1 : index + 2]
    return len(around) == 2 and all(_has_prefix(letter, ("MONGOLIAN LETTER",)) for letter in around)


def _is_cursive(character: str) -> bool:
    return unicodedata.bidirectional(character) in ("AL", "NSM") or "\u1820" <= character <= "\u18aa"


def _is_stray_selector(text: str, index: int) -> bool:
    """Say whether a variation selector selects nothing. After an ideograph it is spelling (koseki names)."""
    code = ord(text[index])
    if 0xFE00 <= code <= 0xFE0F or 0xE0100 <= code <= 0xE01EF:
        return index == 0 or not _has_prefix(text[index - 1], ("CJK",))
    return 0x180B <= code <= 0x180F and (index == 0 or not _has_prefix(text[index - 1], ("MONGOLIAN",)))


def has_letter(text: str) -> bool:
    """Say whether a text holds a letter of any script: a date or a number in a name's place does not."""
    return any(character.isalpha() for character in text)


def fits_script(text: str, script: str) -> bool:
    """Say whether every letter belongs to a script (ISO 15924); true where that can't be told.

    It can't be told for scripts outside the table and for letters that this Python doesn't know yet.
    """
    prefixes = _SCRIPT_PREFIXES.get(script)
    if prefixes is None or (script == "Latn" and text.isascii()):
        return True
    wanted = (*prefixes, _COMMON_LETTERS)
    return all(_has_prefix(character, wanted) for character in text if character.isalpha())


def _has_prefix(character: str, prefixes: tuple[str, ...]) -> bool:
    name = unicodedata.name(character, "")
    return not name or name.startswith(prefixes)

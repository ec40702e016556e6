"""Strict JSON: what is refused and where it says so; canonical JSON: RFC 8785, by whichever lane."""

from __future__ import annotations

import datetime as dt
import json as reference
import math
import struct
import subprocess
import sys
from enum import IntEnum, StrEnum
from typing import TYPE_CHECKING

import pytest
import rfc8785
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding import json
from vcid.errors import LimitExceeded, Malformed, VcidError

if TYPE_CHECKING:
    from pathlib import Path

TEXTS = st.text(st.characters(codec="utf-8"), max_size=8)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=12,
)
# Pieces that, put together at random, come close to JSON: duplicates, colons, escapes, long numbers, depth.
PIECES = r"""
{"a":1,"a":2} {"a:":1,"b":":"} {"\u0061":0,"a":":"} {"a":1,"a\u003a":2} [ ] { } , : " "\\u" "\ud800"
"\ud83d\ude00" 0 1 -0 -0.0 . 1e5 1e400 9999999999999999999 NaN Infinity true null \ \u é
"""
ALMOST_JSON = st.lists(
    st.sampled_from([*PIECES.split(), "9" * 310, " ", "\t", "\x0b", "\x7f"]), max_size=8
).map("".join)


def attempt(function, *args):
    """Give the result or the VcidError of a call."""
    try:
        return function(*args)
    except VcidError as error:
        return error


def refusal(data, **limits):
    with pytest.raises(Malformed) as caught:
        json.parse(data, **limits)
    return caught.value


class TestParse:
    """`parse` reads what every reader understands alike."""

    @pytest.mark.parametrize(
        ("text", "value"),
        [
            ("null", None),
            (" [1, -2.5, 1e3, true] ", [1, -2.5, 1000.0, True]),
            ('{"a": {"b": "c:d"}, "e": ":"}', {"a": {"b": "c:d"}, "e": ":"}),
            ('"\\ud83d\\ude00 \\/ \\n \x7f"', "😀 / \n \x7f"),
            ('{"a:": 1, "\\u0061": 2}', {"a:": 1, "a": 2}),
            ("18446744073709551616", 2**64),
            ("9" * 308, int("9" * 308)),
        ],
    )
    def test_reads_text_and_bytes_alike(self, text, value):
        """A str and its UTF-8 give one value, and large integers stay exact."""
        assert json.parse(text) == json.parse(text.encode()) == value
        assert type(json.parse(text)) is type(value)

    @pytest.mark.parametrize(
        ("text", "where"),
        [
            ('{"a":1,"a":2}', "/a"),
            ('{"a":1,"a":1}', "/a"),
            ('[0,{"b":{"a":1,"\\u0061":2}}]', "/1/b/a"),
            ('{"x~/y":{"é":1,"\\u00e9":2}}', "/*/*"),
            # A lost colon made up for by an escaped one must not even out.
            ('{"a":1,"a":2,"b":"\\u003a"}', "/a"),
            ('{"a":{"a":1,"b":2,"b":3},"a":2}', "/a"),
        ],
    )
    def test_refuses_duplicate_keys_by_name(self, text, where):
        """A repeated name is found after unescaping, at any depth, whatever the values are."""
        error = refusal(text)
        assert (error.code, error.where) == ("duplicate-key", where)

    @pytest.mark.parametrize(
        ("text", "code", "where"),
        [
            ("[1e400]", "number-overflow", "/0"),
            ('{"a":-1e999}', "number-overflow", "/a"),
            ("9" * 310, "number-overflow", ""),
            ("-" + "1" * 100_000, "number-overflow", ""),
            ("NaN", "not-a-number", ""),
            ('{"a":[-Infinity]}', "not-a-number", "/a/0"),
            ('["\\ud800"]', "lone-surrogate", "/0"),
            ('["\\ude00\\ud83d"]', "lone-surrogate", "/0"),
            ('{"a":{"\\uDC00":1}}', "lone-surrogate", "/a"),
            ("", "not-json", "byte 0"),
            ("é", "not-json", "byte 0"),
            ('["é",]', "not-json", "byte 6"),
            ('{"a":1}{}', "not-json", "byte 7"),
            ("[01]", "not-json", "byte 2"),
            ('["\t"]', "not-json", "byte 2"),
            ("\ufeff{}", "not-json", "byte 0"),
            ("\xa0[]", "not-json", "byte 0"),
        ],
    )
    def test_refuses_what_is_no_json(self, text, code, where):
        """Each fault has its code and its place: a JSON pointer once the text is JSON at all, else a byte."""
        error = refusal(text)
        assert (error.code, error.where) == (code, where)

    @pytest.mark.parametrize(
        "data", [b"\xff", b'"\xc3"', b'"\xed\xa0\x80"', b'"\xc0\x80"', "[1]".encode("utf-16")]
    )
    def test_refuses_other_encodings(self, data):
        """Only UTF-8 is read: no overlong form, no encoded surrogate, no UTF-16."""
        assert refusal(data).code == "not-utf-8"

    def test_refuses_lone_surrogates_in_text(self):
        """A str that can't be UTF-8 is refused by the place, in an error that can be printed."""
        error = refusal('["ab\ud800"]')
        assert (error.code, error.where) == ("lone-surrogate", "character 4")
        assert str(error).encode()

    def test_counts_depth_from_one(self):
        """64 objects and arrays inside one another are read, 65 refused, as the limit says."""
        assert json.parse("[" * 64 + "]" * 64)
        assert json.parse('{"a":' * 63 + "[1e5]" + "}" * 63)
        for text in ("[" * 65 + "]" * 65, '{"a":' * 64 + "[]" + "}" * 64, '{"a":' * 65 + "1e5" + "}" * 65):
            assert isinstance(error := refusal(text), LimitExceeded)
            assert error.code == "too-deep"

    def test_depth_is_bounded_whatever_pythons_own_limit_is(self):
        """Other libraries raise it for the whole process, and then the stack overflows before it is reached."""
        code = (
            "import sys; sys.setrecursionlimit(10**6)\n"
            "from vcid.encoding import json\n"
            "for text in (b'[' * 10**6, b'{\"a\":' * 10**5, b'[' * 500 + b'\"'):\n"
            "    try: json.parse(text)\n"
            "    except Exception as error: print(error.code)\n"
        )
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout.split()) == (0, ["too-deep"] * 3), done.stderr

    def test_brackets_in_strings_are_no_depth(self):
        """Neither closed nor escaped ones."""
        text = '["' + "[{" * 100 + '\\"' + "[" * 100 + '"]'
        assert json.parse(text, max_depth=1) == ["[{" * 100 + '"' + "[" * 100]

    def test_honours_a_limit_of_depth(self):
        """The caller's limit counts, from none at all to more than orjson can write."""
        assert json.parse("1", max_depth=0) == 1
        assert refusal("[]", max_depth=0).code == "too-deep"
        assert refusal("[[]]", max_depth=1).code == "too-deep"
        assert json.parse("[" * 300 + "]" * 300, max_depth=300)

    def test_counts_depth_and_not_containers(self):
        """Many objects side by side are no depth."""
        assert len(json.parse_object('{"a":[' + "{}," * 500 + "{}]}")["a"]) == 501

    @pytest.mark.parametrize("opening", ["[", '{"a":', '[{"a":'])
    @pytest.mark.parametrize("limit", [64, 10**9])
    def test_never_leaks_a_recursion_error(self, opening, limit):
        """100,000 openings exceed the limit, or Python's own, with a typed error."""
        error = refusal(opening * 100_000, max_depth=limit)
        assert isinstance(error, LimitExceeded)
        assert error.code == "too-deep"

    def test_limits_bytes_not_characters(self):
        """The size is that of UTF-8, whichever type it comes in."""
        assert json.parse('"éé"', max_bytes=6) == "éé"
        for data in ('"éé"', '"éé"'.encode(), b" " * 6):
            assert isinstance(error := refusal(data, max_bytes=5), LimitExceeded)
            assert error.code == "too-large"
        assert refusal(b" " * json.MAX_BYTES + b"1").code == "too-large"

    def test_messages_hold_no_value(self):
        """No message repeats a string or a number that was read."""
        for text in (
            '{"a":"Amina","a":"Amina"}',
            '["Amina\\ud800"]',
            '["Amina"',
            '{"n":4711e999}',
            '"Amina\ud800"',
        ):
            error = refusal(text)
            assert "Amina" not in str(error)
            assert "4711" not in str(error)

    def test_parse_object_wants_an_object(self):
        """An array, a scalar or a null is no object."""
        assert json.parse_object("{}") == {}
        for text in ("[]", "null", '"{}"'):
            with pytest.raises(Malformed) as caught:
                json.parse_object(text)
            assert caught.value.code == "not-an-object"

    @settings(max_examples=300)
    @given(ALMOST_JSON)
    def test_both_lanes_agree(self, text):
        """What the quick lane reads, the complete lane reads as the same value of the same types."""
        data = text.encode()
        quick = json._parse_quickly(data, 64)
        if not isinstance(quick, json._Unsure):
            assert repr(quick) == repr(json._parse_completely(data, 64))

    @settings(max_examples=200)
    @given(VALUES, st.booleans(), st.sampled_from([None, 2]))
    def test_reads_back_what_was_written(self, value, ascii_only, indent):
        """Any JSON text of a value gives the value."""
        text = reference.dumps(value, ensure_ascii=ascii_only, indent=indent)
        assert repr(json.parse(text)) == repr(value)

    @settings(max_examples=300)
    @given(st.binary(max_size=40) | ALMOST_JSON | st.text(max_size=20))
    def test_raises_only_our_errors(self, data):
        """Whatever the bytes, there is a value or a VcidError that can be printed."""
        assert str(attempt(json.parse, data)).encode() is not None

    def test_takes_the_quick_lane_for_a_credential(self):
        """An ordinary credential is not slowed down by the complete lane."""
        text = b'{"@context": ["https://www.w3.org/ns/credentials/v2"], "validFrom": "2024-05-01T12:00:00Z", "a": 1}'
        assert not isinstance(json._parse_quickly(text, 64), json._Unsure)


class TestCanonicalize:
    """`canonicalize` writes RFC 8785, or refuses."""

    def test_official_vectors(self, vectors: Path, tally):
        """Each published input gives the published bytes."""
        inputs = sorted((vectors / "jcs" / "testdata" / "input").glob("*.json"))
        for path in inputs:
            written = json.canonicalize(json.parse(path.read_bytes()))
            assert written == (path.parents[1] / "output" / path.name).read_bytes(), path.name
            hexed = (path.parents[1] / "outhex" / path.with_suffix(".txt").name).read_text()
            assert written == bytes.fromhex(hexed), path.name
        tally(f"JCS: {len(inputs)} files")
        assert len(inputs) >= 6

    @pytest.mark.parametrize(
        ("bits", "text"),
        [
            ("0000000000000000", "0"),
            ("8000000000000000", "0"),
            ("0000000000000001", "5e-324"),
            ("7fefffffffffffff", "1.7976931348623157e+308"),
            ("4340000000000000", "9007199254740992"),
            ("4430000000000000", "295147905179352830000"),
            ("44b52d02c7e14af5", "9.999999999999997e+22"),
            ("44b52d02c7e14af6", "1e+23"),
            ("444b1ae4d6e2ef4f", "999999999999999900000"),
            ("444b1ae4d6e2ef50", "1e+21"),
            ("3eb0c6f7a0b5ed8c", "9.999999999999997e-7"),
            ("3eb0c6f7a0b5ed8d", "0.000001"),
            ("41b3de4355555553", "333333333.3333332"),
            ("becbf647612f3696", "-0.0000033333333333333333"),
            ("43143ff3c1cb0959", "1424953923781206.2"),
        ],
    )
    def test_numbers_of_the_specification(self, bits, text):
        """The samples of RFC 8785, appendix B."""
        (number,) = struct.unpack(">d", bytes.fromhex(bits))
        assert json.canonicalize(number) == text.encode()

    def test_sorts_by_utf16(self):
        """A supplementary character sorts by its surrogates, so before U+E000 and above."""
        assert json.canonicalize({"\ufb33": 1, "😀": 2, "a": 3}) == '{"a":3,"😀":2,"\ufb33":1}'.encode()

    def test_refuses_imprecise_integers(self):
        """±(2^53 - 1) is the last integer on which all readers agree, nested or not, beside floats or not."""
        assert json.canonicalize([2**53 - 1, 1 - 2**53]) == b"[9007199254740991,-9007199254740991]"
        for value in (2**53, {"a": [-(2**53)]}, [0.5, 2**53], ({"a": 10**20},)):
            with pytest.raises(Malformed) as caught:
                json.canonicalize(value)
            assert caught.value.code == "integer-too-large"
            assert "9007199254740992" not in str(caught.value)

    @pytest.mark.parametrize(
        ("value", "code"),
        [
            (math.nan, "not-a-number"),
            ([0, -math.inf], "not-a-number"),
            ("\ud800", "lone-surrogate"),
            ({"\udc00": 1}, "lone-surrogate"),
            ({"\udc00": 1.5, "b": 2}, "lone-surrogate"),
            ({1: 2}, "no-canonical-form"),
            ({None: 2, "a": 1}, "no-canonical-form"),
            ([b"bytes"], "no-canonical-form"),
            ({"a": {1, 2}}, "no-canonical-form"),
            (dt.date(2021, 3, 15), "no-canonical-form"),
        ],
    )
    def test_refuses_what_has_no_form(self, value, code):
        """What is no JSON value is refused, though orjson would write some of it."""
        with pytest.raises(Malformed) as caught:
            json.canonicalize(value)
        assert caught.value.code == code

    def test_writes_enumerations_as_their_values(self):
        """A subclass of str or int is written as what it is, as a key too."""
        name = StrEnum("Name", {"A": "amina"}).A
        count = IntEnum("Count", {"ONE": 1}).ONE
        assert json.canonicalize({name: [name, count]}) == b'{"amina":["amina",1]}'

    @pytest.mark.parametrize(
        ("wrap", "depth"),
        [
            (lambda value: [value], 201),
            (lambda value: {"a": value}, 201),
            (lambda value: [value], 100_000),
            (lambda value: {"a": value}, 100_000),
            (lambda value: (value,), 100_000),
        ],
    )
    def test_never_leaks_a_recursion_error(self, wrap, depth):
        """Deep values are refused with a typed error, those of the wrong type too."""
        value = 1.5
        for _ in range(depth):
            value = wrap(value)
        with pytest.raises(LimitExceeded) as caught:
            json.canonicalize(value)
        assert caught.value.code == "too-deep"

    def test_refuses_a_value_that_contains_itself(self):
        """A loop is endless depth."""
        value = {}
        value["a"] = [value]
        with pytest.raises(LimitExceeded):
            json.canonicalize(value)

    def test_leaves_room_to_wrap_the_deepest_document(self):
        """What `parse` reads at its limit can still be canonicalized inside a few more objects."""
        value = json.parse("[" * 64 + "]" * 64)
        assert json.canonicalize({"a": [{"b": value}]})

    @settings(max_examples=300)
    @given(VALUES)
    def test_both_lanes_agree(self, value):
        """orjson, where it is taken, writes what rfc8785 writes."""
        assert json.canonicalize(value) == rfc8785.dumps(value)

    @settings(max_examples=200)
    @given(VALUES)
    def test_is_stable(self, value):
        """Canonical bytes parse to a value of the same canonical bytes, unless a float became a long integer."""
        written = json.canonicalize(value)
        again = attempt(json.canonicalize, json.parse(written))
        assert again == written or again.code == "integer-too-large"


class TestPointer:
    """`pointer` names a place for people and logs."""

    def test_shows_terms_and_indices(self):
        """What has the form of a term is shown; an index is a number."""
        assert json.pointer([]) == ""
        assert json.pointer(["@context", 0, "credentialSubject", "birth_date"]) == (
            "/@context/0/credentialSubject/birth_date"
        )

    def test_hides_what_could_be_a_persons(self):
        """Names, other scripts, control characters and lone surrogates of a hostile key reach no log."""
        hidden = ["Amina", "أمينة", "a b", "a/b", "m~n", "", "a\nb", "\u202e", "\ud800", "x" * 65]
        assert json.pointer(hidden) == "/*" * len(hidden)
        assert len(json.pointer(["x" * 60] * 100)) < 250

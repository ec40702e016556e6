"""Patterns in linear time: they find what Python's ``re`` finds, and no text or pattern can hold them up."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.schema_compiler import Unsure
from vcid.credentials.schema_pattern import MAX_STATES, compile_pattern

atoms = st.sampled_from(["a", "b", "[^\\n]", "[a-c]", "[^a]", "[0-9]", "[0-9_]", "\\.", "x-", "\\u0061"])
patterns = st.recursive(
    atoms,
    lambda inner: st.one_of(
        st.tuples(inner, inner).map("".join),
        st.tuples(inner, inner).map(lambda pair: f"(?:{pair[0]}|{pair[1]})"),
        st.tuples(inner, st.sampled_from(["*", "+", "?", "{2}", "{1,}", "{0,2}", "*?"])).map(
            lambda pair: f"(?:{pair[0]}){pair[1]}"
        ),
    ),
    max_leaves=6,
)


@settings(max_examples=300, deadline=None)
@given(patterns, st.booleans(), st.booleans(), st.text("abcx-._1\n", max_size=8))
def test_what_is_found_is_what_re_finds(pattern, begins, ends, text):
    """Two engines that share nothing agree, anchored or not."""
    ours = ("^" if begins else "") + f"(?:{pattern})" + ("$" if ends else "")
    theirs = ("^" if begins else "") + f"(?:{pattern})" + (r"\Z" if ends else "")
    assert compile_pattern(ours).is_found_in(text) is (re.search(theirs, text) is not None)


@pytest.mark.parametrize(
    ("pattern", "found", "missed"),
    [
        ("", ["", "a"], []),
        ("^$", [""], ["a", "\n"]),
        ("a$", ["a", "ba"], ["a\n", "ab"]),
        ("^[^@ ]+@[^@ ]+$", ["a@b.example"], ["a@", "@b", "a b@c"]),
        (r"^\w+$", ["Az_9"], ["é", "a-b"]),
        (r"^\d$", ["7"], ["٣", "77"]),
        (r"^\s$", ["\u00a0", "\ufeff", " "], ["\u200b", "a"]),
        (r"^[\s\S]$", ["\n", "a"], ["", "ab"]),
        (r"^\x41\u0042\u{1F600}$", ["AB\U0001f600"], ["AB"]),
        (r"^[\]\-a]+$", ["]-a"], ["\\"]),
        ("^[a-]$", ["a", "-"], ["b"]),
        ("^a{2,3}$", ["aa", "aaa"], ["a", "aaaa"]),
        ("^(a|b|)c$", ["ac", "bc", "c"], ["abc"]),
        ("^[^]$", ["a", "\n"], [""]),
        ("[]", [], ["", "a"]),
    ],
)
def test_the_dialect_is_ecma_262(pattern, found, missed):
    """Digits and words are ASCII, a dollar is the very end, and classes may be empty."""
    compiled = compile_pattern(pattern)
    assert [text for text in found if not compiled.is_found_in(text)] == []
    assert [text for text in missed if compiled.is_found_in(text)] == []


@pytest.mark.parametrize("pattern", ["^(a+)+$", "^(a|a)*$", "^(a*)*$", "^(a?){30}a{30}$", "^a*a*a*a*a*a*a*$"])
def test_no_pattern_holds_anybody_up(pattern):
    """Patterns over which other engines despair cost what their size and the text's length say."""
    assert not compile_pattern(pattern).is_found_in("a" * 2_000 + "b")
    assert compile_pattern(pattern).is_found_in("a" * 40)


@pytest.mark.parametrize(
    "pattern",
    ["(?=a)", "(?!a)", "(?<=a)b", "(?<n>a)", r"(a)\1", r"\b", r"\B", r"\p{L}", r"\cA", r"\01", r"\ud800",
     "(", ")", "(a", "[a", "[b-a]", "[\\d-z]a-\\w]", "a**", "*", "+a", "a{3,2}", "a{", "}", "]", "\\", "^*",
     "(a{1000}){1000}", "(" * 5_000, "a" * 5_000, "(a|" * 500],
)  # fmt: skip
def test_what_is_not_in_the_dialect_is_left_open(pattern):
    """Nothing is guessed: such a pattern decides nothing."""
    with pytest.raises(Unsure):
        compile_pattern(pattern)


@settings(max_examples=300, deadline=None)
@given(st.text("ab()[]{}|*+?^$.\\-,01dwsux", max_size=20), st.text("ab01", max_size=5))
def test_any_text_is_a_pattern_or_is_not(pattern, text):
    """Whatever stands in a schema, it is compiled within bounds or left open."""
    try:
        compiled = compile_pattern(pattern)
    except Unsure:
        return
    assert compiled.size <= MAX_STATES
    assert compiled.is_found_in(text) in (True, False)

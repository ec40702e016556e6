"""The syntax of DIDs and DID URLs, as the grammar of DID 1.0 has it."""

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.dids.urls import MAX_DID_CHARS, DidUrl, parse_did, parse_did_url
from vcid.errors import ResolutionFailed

IDCHARS = "abcXYZ019._-"
PATHCHARS = IDCHARS + "~!$&'()*+,;=:@"


@pytest.mark.parametrize(
    "text",
    [
        "did:key:z6Mk",
        "did:web:civil.example%3A3000:a:b",
        "did:a:::b",
        "did:x9:-",
        "did:x:%aF",
        "did:x:" + "a" * 2042,
    ],
)
def test_dids_are_read(text):
    """Every form that the grammar allows is a DID, and a DID URL without further parts."""
    assert str(parse_did(text)) == text
    assert parse_did_url(text) == DidUrl(text)


@pytest.mark.parametrize(
    "text",
    [
        "", "did", "did:", "did:key", "did:key:", "did::z", "DID:key:z", "did:Key:z", "did:key:z:", "did:k-y:z",
        "did:key:z ", " did:key:z", "did:key:z\n", "did:key:%4", "did:key:%zz", "did:key:é", "did:web:a/b",
        "did:web:a?b", "did:web:a#b", "did:web:a@b", "did:web:a~b", "did:kéy:z", "urn:uuid:1", "did:x:" + "a" * 4091,
    ],
)  # fmt: skip
def test_other_texts_are_no_dids(text):
    """Case, spaces, empty parts, half escapes and anything after the DID are refused by code."""
    with pytest.raises(ResolutionFailed) as caught:
        parse_did(text)
    assert caught.value.code == "invalidDid"


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("did:a:b#c", DidUrl("did:a:b", fragment="c")),
        ("did:a:b#", DidUrl("did:a:b", fragment="")),
        ("did:a:b?", DidUrl("did:a:b", query="")),
        ("did:a:b/", DidUrl("did:a:b", "/")),
        ("did:a:b//c/d?e=f&g#h/i?j", DidUrl("did:a:b", "//c/d", "e=f&g", "h/i?j")),
        (
            "did:a:b?versionTime=2021-05-10T17:00:00Z",
            DidUrl("did:a:b", query="versionTime=2021-05-10T17:00:00Z"),
        ),
    ],
)
def test_did_urls_fall_into_their_parts(text, parts):
    """Path, query and fragment are told apart, empty from absent."""
    assert parse_did_url(text) == parts
    assert str(parts) == text


@pytest.mark.parametrize(
    "text",
    ["#key-1", "/a", "?a", "did:a:b:#c", "did:a:b#c#d", "did:a:b c", "did:a:b#%", "did:a:b#[", 'did:a:b?"', "did:a:b\\c",
     "did:a:b#é", "did:a:b#" + "c" * MAX_DID_CHARS],
)  # fmt: skip
def test_other_texts_are_no_did_urls(text):
    """Relative references, characters outside the grammar and excessive length are refused by code."""
    with pytest.raises(ResolutionFailed) as caught:
        parse_did_url(text)
    assert caught.value.code == "invalidDidUrl"


def test_method_and_identifier_are_told_apart():
    """Colons in the identifier stay in it."""
    url = parse_did("did:web:civil.example:a:b")
    assert (url.method, url.method_specific_id) == ("web", "civil.example:a:b")


@settings(max_examples=200)
@given(
    st.text("abc019", min_size=1),
    st.text(IDCHARS + ":", min_size=1).filter(lambda text: not text.endswith(":")),
    st.lists(st.text(PATHCHARS)),
    st.none() | st.text(PATHCHARS + "/?"),
    st.none() | st.text(PATHCHARS + "/?"),
)
def test_did_urls_round_trip(method, identifier, segments, query, fragment):
    """A DID URL put together from its parts falls back into them."""
    url = DidUrl(f"did:{method}:{identifier}", "".join(f"/{part}" for part in segments), query, fragment)
    assert parse_did_url(str(url)) == url


@settings(max_examples=300)
@given(st.text() | st.text(IDCHARS + "%:/?#").map(lambda text: "did:x:" + text))
def test_arbitrary_text_raises_only_resolution_failed(text):
    """Whatever the text, it is read whole or refused; what is read gives back the same text."""
    for parse in (parse_did, parse_did_url):
        with suppress(ResolutionFailed):
            assert str(parse(text)) == text


def test_hostile_text_is_refused_in_linear_time():
    """Long runs that tempt a pattern to go back and forth end at once."""
    for text in (
        "did:a:" + ":" * 2000,
        "did:a:b" + "/%" * 900,
        "did:a:b#" + "%4" * 1000 + "!",
        "did:" + "a" * 10**6,
    ):
        with pytest.raises(ResolutionFailed):
            parse_did_url(text)

"""What the loader keeps, for how long, and how much of it."""

from __future__ import annotations

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcid.dids.https_cache import DocumentCache, read_directives
from vcid.encoding.contexts import Loaded

URL = "https://civil.example/did.json"


def kept(control="", *, etag="", age="", cache=None):
    cache = DocumentCache() if cache is None else cache
    headers = {"cache-control": control, "etag": etag, "age": age}
    cache.keep(URL, Loaded(b"{}", "", URL), headers, 1000.0)
    return cache.get(URL)


@pytest.mark.parametrize(
    ("control", "age", "until"),
    [
        ("max-age=60", "", 1060),
        ("public, MAX-AGE=60 , immutable", "", 1060),
        ('max-age="60"', "", 1060),
        ("max-age=60", "50", 1010),
        ("max-age=60", "90", 970),
        ("max-age=31536000", "", 1300),  # the operator's limit
        ("max-age=99999999999999999999", "", 1000),
        ("max-age=-60", "", 1000),
        ("max-age=6٠", "", 1000),
        ("max-age", "", 1000),
        ("max-age=60, max-age=200", "", 1060),
        ("no-cache, max-age=60", "", 1000),
        ("s-maxage=60", "", 1000),
        ("", "", 1000),
    ],
)
def test_how_long_a_document_is_fresh(control, age, until):
    """As long as its server says, less its age, and never longer than the operator does."""
    assert kept(control, age=age).fresh_until == until


def test_what_must_not_be_stored_is_let_go():
    """no-store keeps nothing, and drops what was kept before."""
    cache = DocumentCache()
    assert kept("max-age=60", cache=cache) is not None
    assert kept("no-store", cache=cache) is None
    assert len(cache) == 0


@pytest.mark.parametrize("etag", ['"a"', 'W/"a"', '""'])
def test_etags_are_kept(etag):
    """Strong, weak and empty ones."""
    assert kept(etag=etag).etag == etag


@pytest.mark.parametrize(
    "etag", ["a", '"a', '"a\r\nHost: other"', '"ü"', '"' + "a" * 300 + '"', 'w/"a"', '"a", "b"']
)
def test_what_is_no_etag_is_not_sent_back(etag):
    """A tag that could steer a request, or fill it, is dropped."""
    assert kept(etag=etag).etag == ""


def test_documents_make_room():
    """The oldest go first, by number and by size; one larger than everything is not kept."""
    cache = DocumentCache(max_documents=3, max_bytes=10)
    for number in range(5):
        cache.keep(f"{URL}{number}", Loaded(b"12", "", URL), {}, 0.0)
    assert [cache.get(f"{URL}{number}") is not None for number in range(5)] == [
        False,
        False,
        True,
        True,
        True,
    ]
    cache.keep(URL, Loaded(b"12345678", "", URL), {}, 0.0)
    assert len(cache) == 2
    cache.keep(URL, Loaded(b"12345678901", "", URL), {}, 0.0)
    assert cache.get(URL) is None


def test_a_cache_of_nothing():
    """Zero documents keeps none."""
    assert kept("max-age=60", cache=DocumentCache(max_documents=0)) is None


def test_limits_are_not_below_zero():
    """A limit below zero is misuse."""
    with pytest.raises(ValueError, match="below zero"):
        DocumentCache(max_age=-1)


def test_no_representation_shows_a_url():
    """A URL can name a child's DID."""
    cache = DocumentCache()
    assert "civil" not in f"{kept(cache=cache)!r} {cache!r}"


def test_threads_share_a_cache():
    """Writers and readers at once never fail, and the bound holds."""
    cache = DocumentCache(max_documents=10)

    def work(start):
        for number in range(200):
            cache.keep(f"{URL}{start + number}", Loaded(b"{}", "", URL), {}, 0.0)
            cache.get(f"{URL}{start}")

    threads = [threading.Thread(target=work, args=(start,)) for start in (0, 1000, 2000)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 0 < len(cache) <= 10


@given(st.text())
def test_any_text_is_read(text):
    """Whatever a server says of caching, it is no error."""
    read_directives(text)
    kept(text, etag=text, age=text)

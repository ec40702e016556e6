"""Documents from a folder: found by their URL, and nothing outside it."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.dids.folder import FolderLoader
from vcid.errors import Unavailable

URL = "https://civil.example/dids/registrar/did.jsonl"


@pytest.fixture
def folder(tmp_path):
    place = tmp_path / "stick" / "civil.example" / "dids" / "registrar"
    place.mkdir(parents=True)
    (place / "did.jsonl").write_bytes(b"log")
    (tmp_path / "secret").write_bytes(b"secret")
    return tmp_path / "stick"


def _code(folder, url: str, **options: int) -> str:
    with pytest.raises(Unavailable) as caught:
        FolderLoader(folder, **options).load(url)
    assert "secret" not in str(caught.value)
    return caught.value.code


def test_a_url_is_a_path_below_the_folder(folder):
    """Host, port and segments are folders; names stay as they are escaped."""
    loaded = FolderLoader(folder).load(URL)
    assert (loaded.content, loaded.media_type, loaded.url) == (b"log", "text/jsonl", URL)
    other = folder / "civil.example%3A8443" / "%E7%94%A8"
    other.mkdir(parents=True)
    (other / "did.json").write_bytes(b"{}")
    loaded = FolderLoader(str(folder)).load("https://civil.example:8443/%E7%94%A8/did.json")
    assert (loaded.content, loaded.media_type) == (b"{}", "application/json")


@pytest.mark.parametrize(
    "url",
    [
        "https://civil.example/../secret",
        "https://civil.example/../../secret",
        "https://../secret",
        "https://civil.example/dids/./registrar/did.jsonl",
        "https://civil.example//etc/passwd",
        "https://civil.example/a\\..\\secret",
        f"{URL}?a=b",
        f"{URL}#a",
        "http://civil.example/a",
        "file:///etc/passwd",
        "https://user@civil.example/a",
        "https://civil.example",
        "https://civil.example/",
        "https://civil.example/a\0b",
        "https://civil.example/a\n",
        "https://Civil.example/a",
        "",
    ],
)
def test_urls_that_lead_elsewhere_are_refused(folder, url):
    """No way up, no other scheme, no user, query or fragment."""
    assert _code(folder, url) == "url-refused"


@pytest.mark.parametrize(
    "url",
    ["https://other.example/a", "https://civil.example/dids", f"{URL}/more", "https://civil.example/%2e%2e"],
)
def test_what_is_not_there_is_not_found(folder, url):
    """Neither is a folder a document."""
    assert _code(folder, url) == "not-found"


def test_no_link_is_followed(folder, tmp_path):
    """Not to a file, not to a folder on the way, not even inside."""
    place = folder / "civil.example"
    (place / "file.json").symlink_to(tmp_path / "secret")
    (place / "all").symlink_to(tmp_path)
    (place / "inside.jsonl").symlink_to(place / "dids" / "registrar" / "did.jsonl")
    (folder / "linked.example").symlink_to(place)
    for path in ("civil.example/file.json", "civil.example/all/secret", "civil.example/inside.jsonl"):
        assert _code(folder, f"https://{path}") == "link-refused"
    assert _code(folder, "https://linked.example/dids/registrar/did.jsonl") == "link-refused"


def test_a_pipe_is_no_document(folder):
    """It would be waited for without end."""
    os.mkfifo(folder / "civil.example" / "pipe")
    assert _code(folder, "https://civil.example/pipe") == "not-found"


def test_documents_are_bounded(folder):
    """One byte more than the limit is too much."""
    assert FolderLoader(folder, max_bytes=3).load(URL).content == b"log"
    assert _code(folder, URL, max_bytes=2) == "too-large"


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_arbitrary_urls_bring_nothing(path):
    """Whatever text follows the host, only what was saved under it is brought."""
    with pytest.raises(Unavailable):
        FolderLoader("/nonexistent").load(f"https://civil.example/{path}")

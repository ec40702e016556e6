"""DID resolution with its metadata and errors."""

from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.dids.documents import DidDocument, did_document
from vcid.dids.jwk import DidJwkResolver
from vcid.dids.methods import DidKeyResolver, DidWebResolver, Resolvers, StaticResolver, did_key
from vcid.dids.resolution import (
    ERROR_TYPES,
    ResolutionOptions,
    ResolutionResult,
    VersionedResolver,
    describe_error,
    resolve,
)
from vcid.encoding.contexts import Loaded
from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType
from vcid.errors import ResolutionFailed, Unavailable
from vcid.keys.signing import LocalSigner

KEY = LocalSigner.from_private_bytes(KeyType.ED25519, b"\x07" * 32).public_key
DID = "did:web:civil.example"


class Page:
    def __init__(self, content: bytes | None) -> None:
        self.content = content

    def load(self, url: str) -> Loaded:
        if self.content is None:
            raise Unavailable("no network")
        return Loaded(self.content, "application/json", url)


def _resolvers(page: bytes | None) -> Resolvers:
    return Resolvers({"key": DidKeyResolver(), "jwk": DidJwkResolver(), "web": DidWebResolver(Page(page))})


def test_a_result_has_the_document_and_its_media_type():
    """As JSON it has the three members of the specification."""
    result = resolve(did_key(KEY), _resolvers(None))
    assert result.document.id == did_key(KEY)
    assert result.error_type is None
    assert result.to_json() == {
        "didDocument": result.document.content,
        "didDocumentMetadata": {},
        "didResolutionMetadata": {"contentType": "application/did"},
    }


@pytest.mark.parametrize(
    ("did", "page", "kind"),
    [
        ("did", None, "INVALID_DID"),
        ("did:key:z0OIl", None, "INVALID_DID"),
        ("did:key:z6Mkx", None, "UNSUPPORTED_PUBLIC_KEY_TYPE"),
        (f"{DID}#key-1", None, "INVALID_DID"),
        ("did:example:123", None, "METHOD_NOT_SUPPORTED"),
        (DID, None, "INTERNAL_ERROR"),
        (DID, b"{}", "INVALID_DID_DOCUMENT"),
        (DID, b'{"id": "did:web:other.example"}', "INVALID_DID_DOCUMENT"),
    ],
)
def test_an_error_is_a_result_of_its_type(did, page, kind):
    """Each has the URL that the specification gives it, no document and no metadata of one."""
    result = resolve(did, _resolvers(page))
    assert result.error_type == f"https://www.w3.org/ns/did#{kind}"
    assert (result.document, result.document_metadata) == (None, {})
    error = result.resolution_metadata["error"]
    assert error.keys() == {"type", "title", "detail"}
    assert "\n" not in error["title"]


def test_a_did_web_that_its_server_does_not_have_is_not_found():
    """That differs from a server out of reach, of whose DIDs nothing is known."""

    class Empty:
        def load(self, url: str) -> Loaded:
            raise Unavailable("no such page", code="not-found")

    assert resolve(DID, DidWebResolver(Empty())).error_type == ERROR_TYPES["notFound"]


def test_a_did_that_is_not_at_hand_is_not_found():
    """The static resolver knows what it was given."""
    assert resolve(DID, StaticResolver({})).error_type == ERROR_TYPES["notFound"]


def test_a_method_without_versions_says_so():
    """A version of a did:key can't be asked for: to give the newest would answer another question."""
    for options in (
        ResolutionOptions(version_id="1"),
        ResolutionOptions(version_number=1),
        ResolutionOptions(version_time=datetime(2026, 1, 1, tzinfo=UTC)),
    ):
        for resolver in (_resolvers(None), DidKeyResolver()):
            assert resolve(did_key(KEY), resolver, options).error_type == ERROR_TYPES["featureNotSupported"]


def test_options_name_one_version():
    """Two at once may contradict each other, and a time without a zone is no moment."""
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    for options in (
        {"version_id": "1", "version_number": 1},
        {"version_id": "1", "version_time": moment},
        {"version_number": 1, "version_time": moment},
        {"version_time": moment.replace(tzinfo=None)},
    ):
        with pytest.raises(ResolutionFailed, match="invalidOptions"):
            ResolutionOptions(**options)


def test_a_deactivated_did_has_no_document():
    """Its metadata say why."""
    document = DidDocument.parse(did_document(DID, [KEY]), deactivated=True)
    result = resolve(DID, StaticResolver({DID: document}))
    assert result == ResolutionResult(None, {"deactivated": True}, {})
    assert result.to_json()["didDocument"] is None


def test_relative_urls_are_expanded_where_it_is_asked():
    """Methods, relationships and services get their ids in full; the rest stays."""
    content = {
        "id": DID,
        "verificationMethod": [
            {"id": "#k", "type": "Multikey", "controller": DID, "publicKeyMultibase": KEY.multikey}
        ],
        "assertionMethod": ["#k"],
        "service": [{"id": "#files", "type": "relativeRef", "serviceEndpoint": "#not-an-id"}],
    }
    resolver = StaticResolver({DID: DidDocument.parse(content)})
    assert resolve(DID, resolver).document.content == content
    expanded = resolve(DID, resolver, ResolutionOptions(expand_relative_urls=True)).document.content
    assert expanded["verificationMethod"][0]["id"] == f"{DID}#k"
    assert expanded["assertionMethod"] == [f"{DID}#k"]
    assert expanded["service"] == [
        {"id": f"{DID}#files", "type": "relativeRef", "serviceEndpoint": "#not-an-id"}
    ]


def test_resolvers_know_versions_where_a_method_does():
    """The composed resolver is versioned, a simple one is not."""
    assert isinstance(_resolvers(None), VersionedResolver)
    assert not isinstance(DidKeyResolver(), VersionedResolver)


def test_every_error_has_a_type():
    """All are URLs; a code that nobody knows is an internal error."""
    assert all(
        url.startswith(("https://www.w3.org/ns/did#", "https://w3id.org/security#"))
        for url in ERROR_TYPES.values()
    )
    assert describe_error("unheard-of", "x")["type"] == ERROR_TYPES["internalError"]
    assert describe_error("notFound", "x")["title"] == "Not found"


@settings(max_examples=200)
@given(st.text(max_size=60), st.binary(max_size=60))
def test_resolution_always_gives_a_result(did, page):
    """Whatever text is resolved, whatever bytes a server sends."""
    assert resolve(did, _resolvers(page)).document is None
    assert resolve(DID, _resolvers(page)).document is None
    assert canonicalize(resolve(DID, _resolvers(page)).to_json())

"""DID URLs dereferenced: methods, services, versions and paths."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dids.webvh_scene import NOW, begin, did_of, signing
from vcid.dids.dereferencing import Dereferenced, DereferencingOptions, dereference
from vcid.dids.documents import DidDocument
from vcid.dids.methods import DidKeyResolver, Resolvers, StaticResolver, did_key
from vcid.dids.webvh import DidWebvhResolver
from vcid.dids.webvh_writing import Change, deactivate, update
from vcid.encoding.contexts import Loaded
from vcid.encoding.multikey import KeyType, encode_multikey
from vcid.keys.signing import LocalSigner

DID = "did:example:123456789abcdefghi"
KEY = LocalSigner.from_private_bytes(KeyType.ED25519, b"\x07" * 32).public_key
AGREEMENT = encode_multikey(KeyType.X25519, bytes(range(1, 33)))


def _multikey(fragment: str, key: str, controller: str = DID) -> dict:
    return {"id": fragment, "type": "Multikey", "controller": controller, "publicKeyMultibase": key}


DOCUMENT = {
    "@context": ["https://www.w3.org/ns/did/v1.1"],
    "id": DID,
    "verificationMethod": [
        _multikey(f"{DID}#keys-1", KEY.multikey),
        _multikey("#relative", KEY.multikey),
        _multikey("#agree", AGREEMENT),
        _multikey("#foreign", KEY.multikey, "did:example:other"),
    ],
    "assertionMethod": [f"{DID}#keys-1", "#foreign"],
    "authentication": ["#relative"],
    "capabilityInvocation": [_multikey("#embedded", KEY.multikey)],
    "keyAgreement": ["#agree"],
    "service": [
        {
            "id": f"{DID}#messages",
            "type": "DIDCommMessaging",
            "serviceEndpoint": "https://example.com/messages/8",
        },
        {
            "id": "#files",
            "type": ["Files", "relativeRef"],
            "serviceEndpoint": ["https://a.example/", {"uri": "x"}],
        },
        {"id": "#map", "type": "Map", "serviceEndpoint": {"uri": "https://example.com/"}},
        {"id": "#fragment", "type": "Files", "serviceEndpoint": "https://example.com/#part"},
    ],
}
RESOLVER = StaticResolver({DID: DidDocument.parse(DOCUMENT)})


def _get(tail: str, **options: str) -> Dereferenced:
    return dereference(DID + tail, RESOLVER, DereferencingOptions(**options))


def _error(result: Dereferenced) -> str:
    assert (result.content, result.content_metadata) == (None, {})
    return result.dereferencing_metadata["error"]["type"].rpartition("#")[2]


def test_a_did_gives_its_document():
    """Without path, query or fragment."""
    result = _get("")
    assert result.content == DOCUMENT
    assert result.dereferencing_metadata == {"contentType": "application/did"}
    assert _error(_get("", accept="text/html")) == "REPRESENTATION_NOT_SUPPORTED"
    assert _get("", accept="application/did+json").content == DOCUMENT


@pytest.mark.parametrize("fragment", ["keys-1", "relative", "agree", "embedded", "messages", "files"])
def test_a_fragment_gives_a_method_or_service(fragment):
    """Listed or embedded, by full or relative id; what comes back has its id in full."""
    assert _get(f"#{fragment}").content["id"] == f"{DID}#{fragment}"


def test_a_relationship_that_is_asked_for_has_to_hold():
    """A method is given only for the purposes that the document allows it, and only if it is its own."""
    for fragment, purpose in (
        ("keys-1", "assertionMethod"),
        ("relative", "authentication"),
        ("embedded", "capabilityInvocation"),
        ("agree", "keyAgreement"),
    ):
        assert _get(f"#{fragment}", verification_relationship=purpose).content["type"] == "Multikey"
    for fragment, purpose, error in (
        ("keys-1", "authentication", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("embedded", "assertionMethod", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("agree", "assertionMethod", "INVALID_RELATIONSHIP_FOR_VERIFICATION_METHOD"),
        ("keys-1", "keyAgreement", "INVALID_VERIFICATION_METHOD"),
        ("foreign", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ("messages", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ("nothing", "assertionMethod", "INVALID_VERIFICATION_METHOD"),
        ("keys-1", "madeUpPurpose", "INVALID_OPTIONS"),
    ):
        assert _error(_get(f"#{fragment}", verification_relationship=purpose)) == error
    assert _error(_get("", verification_relationship="assertionMethod")) == "INVALID_OPTIONS"


def test_services_are_selected():
    """By id, with or without the DID, and by type; the document then holds those alone."""
    for query in ("service=files", "service=%23files", f"service={DID}%23files", "serviceType=relativeRef"):
        assert [service["id"] for service in _get(f"?{query}").content["service"]] == ["#files"]
    assert len(_get("?serviceType=Files").content["service"]) == 2
    assert len(_get("?serviceType=Files&service=fragment").content["service"]) == 1
    for query in ("service=nothing", "serviceType=Nothing", "service=files&serviceType=Map"):
        assert _error(_get(f"?{query}")) == "NOT_FOUND"


@pytest.mark.parametrize(
    ("tail", "urls"),
    [
        ("?service=messages", ["https://example.com/messages/8"]),
        ("?service=files&relativeRef=/resume.pdf", ["https://a.example/resume.pdf"]),
        (
            "?service=files&relativeRef=%2Fa%2Fb%3Fversion%3Dlatest#intro",
            ["https://a.example/a/b?version=latest#intro"],
        ),
        ("?service=messages&relativeRef=9", ["https://example.com/messages/9"]),
        ("?service=messages&relativeRef=..%2F..%2F..%2Fx", ["https://example.com/x"]),
        ("?service=messages#part", ["https://example.com/messages/8#part"]),
    ],
)
def test_a_service_gives_addresses(tail, urls):
    """A relative reference is resolved as RFC 3986 has it, and the fragment handed on."""
    result = _get(tail, accept="text/uri-list")
    assert result.content == urls
    assert result.dereferencing_metadata == {"contentType": "text/uri-list"}


@pytest.mark.parametrize(
    ("tail", "error"),
    [
        ("?service=files&relativeRef=%2F%2Fevil.example%2Fx", "INVALID_DID_URL"),
        ("?service=files&relativeRef=https%3A%2F%2Fevil.example", "INVALID_DID_URL"),
        ("?service=files&relativeRef=javascript:alert", "INVALID_DID_URL"),
        ("?service=files&relativeRef=%2F%5Cevil.example", "INVALID_DID_URL"),
        ("?service=files&relativeRef=a%0Ab", "INVALID_DID_URL"),
        ("?service=fragment#part", "INVALID_DID_URL"),
        ("?service=map", "NOT_FOUND"),
        ("?relativeRef=/x", "INVALID_DID_URL"),
        ("?service=files&service=map", "INVALID_DID_URL"),
        ("?service", "INVALID_DID_URL"),
        ("?=files", "INVALID_DID_URL"),
        ("?service=%FF", "INVALID_DID_URL"),
        ("/path?service=files", "INVALID_DID_URL"),
        ("?transformKey=JsonWebKey", "NOT_FOUND"),
        ("/resources/1", "NOT_FOUND"),
        ("#nothing", "NOT_FOUND"),
        ("?versionNumber=0", "INVALID_DID_URL"),
        ("?versionNumber=one", "INVALID_DID_URL"),
        ("?versionTime=yesterday", "INVALID_DID_URL"),
        ("?versionId=1&versionNumber=1", "INVALID_OPTIONS"),
        ("?versionId=1", "FEATURE_NOT_SUPPORTED"),
        (" ", "INVALID_DID_URL"),
        ("#a#b", "INVALID_DID_URL"),
    ],
)
def test_what_leads_elsewhere_or_nowhere_is_refused(tail, error):
    """Another host, an unknown parameter, two answers to one question, and parts that are not there."""
    assert _error(_get(tail, accept="text/uri-list")) == error


class Log:
    def __init__(self, log: bytes) -> None:
        self.log = log

    def load(self, url: str) -> Loaded:
        return Loaded(self.log, "text/jsonl", url)


def test_versions_and_paths_of_a_did_webvh():
    """A version is chosen by query, a path leads to the DID's own files, and an ended DID to nothing."""
    log = update(begin(), signing(1, 1), change=Change(ttl=7))
    did = did_of(log)
    resolver = Resolvers({"webvh": DidWebvhResolver(Log(log), lambda: NOW)})
    for query, number in (("versionNumber=1", "1-"), ("versionTime=2026-01-01T12:00:00Z", "1-"), ("", "2-")):
        result = dereference(f"{did}?{query}" if query else did, resolver)
        assert result.content_metadata["versionId"].startswith(number)
    assert _error(dereference(f"{did}?versionTime=2025-01-01T00:00:00Z", resolver)) == "NOT_FOUND"
    files = "https://civil.example/dids/registrar/"
    assert dereference(f"{did}/whois", resolver).content == [f"{files}whois.vp"]
    assert dereference(f"{did}/a/b.json#c", resolver).content == [f"{files}a/b.json#c"]
    assert _error(dereference(f"{did}/a/../b", resolver)) == "INVALID_DID_URL"
    ended = Resolvers({"webvh": DidWebvhResolver(Log(deactivate(log, signing(1, 2))), lambda: NOW)})
    assert dereference(did, ended).content_metadata["deactivated"] is True
    assert dereference(did, ended).content is None
    assert _error(dereference(f"{did}#key", ended)) == "NOT_FOUND"
    assert _error(dereference(f"{did}/whois", ended)) == "NOT_FOUND"


def test_a_did_key_dereferences_to_its_key():
    """The one method of the document."""
    did = did_key(KEY)
    method = dereference(f"{did}#{KEY.multikey}", DidKeyResolver()).content
    assert method["publicKeyMultibase"] == KEY.multikey


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_dereferencing_always_gives_a_result(tail):
    """Whatever follows the DID."""
    result = _get(tail)
    assert (result.content is None) == ("error" in result.dereferencing_metadata)

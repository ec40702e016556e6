"""Related resources: digests of either kind, checked where the bytes are at hand, and unknown elsewhere."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcid.credentials.integrity import find_wrong_digest
from vcid.credentials.model import check_model
from vcid.credentials.model_rules import VC_V2
from vcid.credentials.related_resources import ResourceOutcome, check_related_resources
from vcid.encoding.contexts import CONTEXTS, Loaded, read_context
from vcid.encoding.multikey import digest_multibase, encode_multibase
from vcid.errors import Malformed, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

URL = "https://civil.example/law.pdf"
CONTENT = b"the law"


def sri(content: bytes, algorithm: str = "sha384") -> str:
    return f"{algorithm}-{base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def multibase(content: bytes, algorithm: str, header: bytes = b"", base: str = "u") -> str:
    return encode_multibase(header + hashlib.new(algorithm, content).digest(), base)


class Shelf:
    """A loader with one document."""

    def __init__(self, content: bytes, media_type: str = "") -> None:
        self.loaded = Loaded(content, media_type, URL)

    def load(self, url: str) -> Loaded:
        """Bring it, and nothing else."""
        if url != URL:
            raise Unavailable("no such document")
        return self.loaded


def outcome(entry: dict[str, Any], **more: Any) -> tuple[str, str]:
    (result,) = check_related_resources({"relatedResource": entry}, **more)
    return str(result.outcome), result.code


GOOD = [
    {"digestSRI": sri(CONTENT)},
    {"digestSRI": sri(CONTENT, "sha256")},
    {"digestSRI": sri(CONTENT, "sha512")},
    {"digestSRI": sri(CONTENT).replace("+", "-").replace("/", "_")},
    {"digestSRI": [sri(b"another"), sri(CONTENT)]},
    {"digestSRI": f"{sri(b'another', 'sha256')} {sri(CONTENT)}"},
    {"digestMultibase": digest_multibase(CONTENT)},
    {"digestMultibase": multibase(CONTENT, "sha256")},
    {"digestMultibase": multibase(CONTENT, "sha256", base="z")},
    {"digestMultibase": multibase(CONTENT, "sha384")},
    {"digestMultibase": multibase(CONTENT, "sha384", b"\x20\x30")},
    {"digestMultibase": multibase(CONTENT, "sha512", b"\x13\x40")},
    {"digestMultibase": [multibase(CONTENT, "sha512"), digest_multibase(b"another")]},
    {"digestSRI": sri(CONTENT), "digestMultibase": digest_multibase(CONTENT)},
]
WRONG = [
    {"digestSRI": sri(b"another")},
    {"digestSRI": f"{sri(CONTENT, 'sha256')} {sri(b'another')}"},
    {"digestSRI": sri(CONTENT)[:-8]},
    {"digestMultibase": digest_multibase(b"another")},
    {"digestMultibase": multibase(b"another", "sha384")},
    {"digestMultibase": multibase(CONTENT, "sha256", b"\x20\x20")[:-2] + "A", "digestSRI": sri(b"another")},
    {"digestSRI": sri(CONTENT), "digestMultibase": digest_multibase(b"another")},
    {"digestSRI": sri(b"another"), "digestMultibase": digest_multibase(CONTENT)},
]


@pytest.mark.parametrize("digests", GOOD, ids=str)
def test_a_digest_that_is_met_passes(digests):
    """By hand or by a loader, of either kind, with and without a multihash header."""
    entry = {"id": URL, **digests}
    assert outcome(entry, resources={URL: CONTENT}) == ("passed", "")
    assert outcome(entry, loader=Shelf(CONTENT)) == ("passed", "")
    assert outcome(entry, resources={URL: CONTENT + b"."}) == ("failed", "digest-mismatch")


@pytest.mark.parametrize("digests", WRONG[:5] + WRONG[6:], ids=str)
def test_a_digest_that_differs_fails(digests):
    """One of the strongest has to be met, and each member that is there."""
    assert outcome({"id": URL, **digests}, resources={URL: CONTENT}) == ("failed", "digest-mismatch")
    assert outcome({"id": URL, **digests}, loader=Shelf(CONTENT)) == ("failed", "digest-mismatch")


@pytest.mark.parametrize(
    ("entry", "more", "code"),
    [
        ({"id": URL, **GOOD[0]}, {}, "resource-not-at-hand"),
        ({"id": "https://a.example/", **GOOD[0]}, {"loader": Shelf(CONTENT)}, "resource-not-at-hand"),
        ({"id": URL, "digestMultibase": "uAAAA"}, {"resources": {URL: CONTENT}}, "unsupported-digest"),
        ({"id": URL, "digestMultibase": "b" + "a" * 9}, {"resources": {URL: CONTENT}}, "unsupported-digest"),
        ({"id": URL, "mediaType": "a/b", **GOOD[0]}, {"loader": Shelf(CONTENT, "text/html")}, "media-type-differs"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_is_unknown(entry, more, code):
    """Nothing at hand, a function that is not computed here, or another kind of document altogether."""
    assert outcome(entry, **more) == ("unknown", code)


def test_the_media_type_is_the_one_stated():
    """Parameters and case don't count, and one that the other side leaves out says nothing."""
    entry = {"id": URL, "mediaType": "Application/PDF", **GOOD[0]}
    for media_type in ("application/pdf; q=1", "application/pdf", ""):
        assert outcome(entry, loader=Shelf(CONTENT, media_type)) == ("passed", "")


@pytest.mark.parametrize(
    "entry", [{}, {"id": URL}, {"id": 7, **GOOD[0]}, {"id": URL, "digestSRI": "md5-AAAA"}]
)
def test_entries_that_state_no_digest_fail(entry):
    """They are faults of the document, which the model names too."""
    assert outcome(entry, resources={URL: CONTENT}) == ("failed", "not-a-digest")


def test_each_resource_has_its_result():
    """In their order; a document without any has none."""
    entries = [
        {"id": URL, **WRONG[0]},
        {"id": VC_V2, "digestSRI": sri(read_context("credentials-v2.jsonld"))},
        7,
    ]
    results = check_related_resources({"relatedResource": entries}, resources={URL: CONTENT})
    assert [result.outcome for result in results] == [
        ResourceOutcome.FAILED,
        ResourceOutcome.PASSED,
        ResourceOutcome.FAILED,
    ]
    assert results[0].path == "/relatedResource/0/digestSRI"
    assert check_related_resources({}) == ()


# Contexts --------------------------------------------------------------------------------------------------


def faults(entry: dict[str, Any]) -> list[tuple[str, str]]:
    document = {
        "@context": [VC_V2],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:civil.example",
        "credentialSubject": {"id": "did:example:child"},
        "relatedResource": entry,
    }
    return [(fault.path, fault.code) for fault in check_model(document)]


@pytest.mark.parametrize("url", sorted(CONTEXTS))
def test_carried_contexts_are_checked_by_the_model(url):
    """Their bytes are always at hand: another digest is a fault, whoever hands in what."""
    content = read_context(CONTEXTS[url].file)
    assert faults({"id": url, "digestSRI": sri(content)}) == []
    assert faults({"id": url, "digestMultibase": digest_multibase(content)}) == []
    for wrong in ({"digestSRI": sri(b"")}, {"digestMultibase": digest_multibase(b"")}):
        (name,) = wrong
        assert faults({"id": url, **wrong}) == [(f"/relatedResource/{name}", "digest-mismatch")]
        assert outcome({"id": url, **wrong}, resources={url: b""}) == ("failed", "digest-mismatch")


def test_an_edition_that_was_superseded_is_unknown(vectors: Path):
    """A digest of the base context as it once was is no fault, and doesn't pass either."""
    content = (
        vectors / "vc-data-model" / "contexts-history" / "credentials-v2-2024-07-03.jsonld"
    ).read_bytes()
    stated = [
        {"digestSRI": sri(content)},
        {"digestMultibase": digest_multibase(content)},
        {"digestMultibase": multibase(content, "sha256")},
    ]
    for digests in stated:
        assert outcome({"id": VC_V2, **digests}) == ("unknown", "superseded-edition")
        assert faults({"id": VC_V2, **digests}) == []
        assert outcome({"id": URL, **digests}, resources={URL: CONTENT}) == ("failed", "digest-mismatch")


def test_the_specifications_digests_are_met(vectors: Path):
    """Those in its examples by multihash; one by digestSRI there has a letter too many, and is refused."""
    folder = vectors / "vc-data-model" / "examples"
    name = "example-use-of-the-digestmultibase-property-base64-url-nopad-encoded-sha2-256.txt"
    text = (folder / name).read_text()
    entries = json.loads("{" + text.strip().removesuffix(",") + "}")["relatedResource"]
    assert [result.outcome for result in check_related_resources({"relatedResource": entries})] == [
        "passed"
    ] * 2
    printed = "sha384-Ml/HrjlBCNWyAX91hr6LFV2Y3heB5Tcr6IeE4/Tje8YyzYBM8IhqjHWiWpr8+ZbYU"
    assert faults({"id": VC_V2, "digestSRI": printed}) == [("/relatedResource/digestSRI", "digest-mismatch")]
    assert faults({"id": VC_V2, "digestSRI": printed.replace("-M", "-")}) == []


@given(
    st.one_of(st.text(max_size=80), st.none(), st.lists(st.text(max_size=20), max_size=3)),
    st.binary(max_size=8),
)
def test_any_value_is_a_digest_or_is_not(value, content):
    """Whatever is stated, either it can't be computed, or something is met or not."""
    for name in ("digestSRI", "digestMultibase"):
        with contextlib.suppress(Malformed):
            assert find_wrong_digest({name: value}, content) in (None, name)
    flipped = bytes([content[0] ^ 1]) + content[1:] if content else b"x"
    assert find_wrong_digest({"digestSRI": sri(content)}, content) is None
    assert find_wrong_digest({"digestSRI": sri(content)}, flipped) == "digestSRI"
    assert find_wrong_digest({"digestMultibase": digest_multibase(content)}, flipped) == "digestMultibase"

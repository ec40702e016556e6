"""The carried contexts are the published ones, and a caller's set of contexts is a value."""

import hashlib
from pathlib import Path

import pytest

import vcid
from vcid.encoding import json
from vcid.encoding.contexts import CONTEXTS, Contexts, context
from vcid.encoding.jsonld.scopes import Scopes
from vcid.encoding.jsonld.terms import INITIAL
from vcid.errors import Malformed

FOLDER = Path(vcid.__file__).parent / "contexts"
EXAMPLE = "https://example.org/v1"
DOCUMENT = {"@context": {"colour": "https://example.org/colour"}}

# The digests that the specifications state, copied from them and not from the table.
STATED = {
    "https://www.w3.org/ns/credentials/v2": "59955ced6697d61e03f2b2556febe5308ab16842846f5b586d7f1f7adec92734",
    "https://www.w3.org/2018/credentials/v1": "ab4ddd9a531758807a79a5b450510d61ae8d147eab966cc9a200c07095b0cdcc",
    "https://w3id.org/security/data-integrity/v2": "67f21e6e33a6c14e5ccfd2fc7865f7474fb71a04af7e94136cb399dfac8ae8f4",
    "https://w3id.org/security/multikey/v1": "ba2c182de2d92f7e47184bcca8fcf0beaee6d3986c527bf664c195bbc7c58597",
    "https://w3id.org/security/jwk/v1": "0f14b62f6071aafe00df265770ea0c7508e118247d79b7d861a406d2aa00bece",
    "https://www.w3.org/ns/cid/v1": "ea216ecc1cb02cd39b693dba2250141e270ba0bf95890be107dd9a9e8e43de85",
    "https://www.w3.org/ns/credentials/status/v1": "fda5add353231e6a6884a46b12e6c75464281900cb348284d9c360f62381d9f7",
}


@pytest.mark.parametrize("url", CONTEXTS)
def test_each_file_is_the_one_its_row_names(url):
    """The bytes on disk have the digest that the table gives; ours alone has none."""
    source = CONTEXTS[url]
    content = (FOLDER / source.file).read_bytes()
    assert source.url == url
    assert source.source
    assert source.licence
    if source.sha256 is None:
        assert source.source == "this project"
    else:
        assert hashlib.sha256(content).hexdigest() == source.sha256


@pytest.mark.parametrize("url", STATED)
def test_digests_are_those_that_the_specifications_state(url):
    """What a specification pins by digest is carried byte for byte."""
    assert CONTEXTS[url].sha256 == STATED[url]
    assert CONTEXTS[url].stated_by


def test_the_table_claims_no_other_stated_digest():
    """A row may name a specification only where this test knows the digest from it."""
    assert {url for url, source in CONTEXTS.items() if source.stated_by} == set(STATED)


def test_every_file_has_a_row():
    """No context lies in the package without its source and licence."""
    assert {path.name for path in FOLDER.iterdir()} == {source.file for source in CONTEXTS.values()}


@pytest.mark.parametrize("url", CONTEXTS)
def test_each_carried_context_can_be_processed(url):
    """Every definition in a carried context is right, those scoped to terms included."""
    active = Scopes(Contexts.carried()).enter_local(INITIAL, url, "")
    assert active.is_known
    assert active.cost > 0


def test_a_carried_context_is_the_callers_own_copy():
    """Changing what was read changes nothing for the next reader."""
    url = "https://w3id.org/security/data-integrity/v2"
    context(url)["@context"] = {}
    assert "proof" in context(url)["@context"]
    assert context(url) == Contexts.carried()[url]


@pytest.mark.parametrize("url", ["", "https://example.org/", "https://www.w3.org/ns/credentials/v3", "v2"])
def test_unknown_contexts_are_refused(url):
    """No context is guessed or fetched."""
    for read in (context, Contexts.carried().__getitem__):
        with pytest.raises(Malformed) as caught:
            read(url)
        assert caught.value.code == "unknown-context"


def test_adding_a_context_makes_a_new_value():
    """The value that was added to stays as it was; equal content makes equal values."""
    carried = Contexts.carried()
    more = carried.with_context(EXAMPLE, DOCUMENT)
    assert EXAMPLE in more
    assert EXAMPLE not in carried
    assert more[EXAMPLE] == DOCUMENT
    assert len(more) == len(carried) + 1 == len(list(more))
    assert more == Contexts({EXAMPLE: DOCUMENT})
    assert hash(more) == hash(Contexts({EXAMPLE: DOCUMENT}))
    assert more != carried
    assert more != EXAMPLE
    assert repr(more) == "Contexts.carried() with 1 added"


def test_the_value_does_not_share_the_callers_object():
    """A context that its owner changes later stays as it was handed in, and so does one that was read."""
    document = json.parse_object(json.canonicalize(DOCUMENT))
    more = Contexts.carried().with_context(EXAMPLE, document)
    document["@context"]["colour"] = "https://example.org/taste"
    more[EXAMPLE]["@context"].clear()
    assert more[EXAMPLE] == DOCUMENT


def test_adding_the_same_again_changes_nothing():
    """What is known already may be handed in again as it is."""
    more = Contexts.carried().with_context(EXAMPLE, DOCUMENT)
    assert more.with_context(EXAMPLE, DOCUMENT) is more
    url = "https://www.w3.org/ns/credentials/v2"
    assert more.with_context(url, context(url)) is more


@pytest.mark.parametrize("url", ["https://www.w3.org/ns/credentials/v2", EXAMPLE])
def test_published_meanings_are_not_replaced(url):
    """A context that is known can't be handed in with another content."""
    more = Contexts.carried().with_context(EXAMPLE, DOCUMENT)
    with pytest.raises(ValueError, match="replaced"):
        more.with_context(url, {"@context": {}})


@pytest.mark.parametrize(
    ("url", "document"), [("v1", DOCUMENT), ("https://exämple.org", DOCUMENT), (EXAMPLE, {})]
)
def test_what_is_no_context_is_not_taken(url, document):
    """A context has an absolute URL and an object with @context."""
    with pytest.raises(ValueError, match="context"):
        Contexts.carried().with_context(url, document)


def test_the_carried_set_can_not_be_replaced_at_construction():
    """The constructor keeps the same rule as with_context."""
    with pytest.raises(ValueError, match="replaced"):
        Contexts({"https://www.w3.org/ns/credentials/v2": {"@context": {}}})

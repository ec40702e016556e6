"""Writing a did:webvh: each operation gives a log that resolves to what was meant, or is refused unpublished."""

import copy
import json

import pytest

from dids.webvh_scene import (
    LOCATION,
    NOW,
    begin,
    day,
    did_of,
    entries,
    first_document,
    resolved,
    signer,
    signing,
)
from vcid.dids.documents import DidDocument, did_document
from vcid.dids.methods import DidWebResolver
from vcid.dids.webvh_writing import (
    NO_KEYS,
    Change,
    Signing,
    create,
    deactivate,
    move,
    newest_version,
    parallel_did_web,
    placeholder_did,
    rotate,
    update,
)
from vcid.encoding.contexts import Loaded
from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, Malformed, ResolutionFailed
from vcid.keys.signing import LocalSigner


def test_create_makes_a_did_of_its_own_first_entry():
    """The same document, key and time give the same DID; the DID stands where its placeholder stood."""
    document = first_document()
    before = copy.deepcopy(document)
    log = create(document, signing(1, 0))
    assert document == before
    assert log == begin()
    assert log.endswith(b"\n")
    did = did_of(log)
    found = resolved(log).document
    assert found.id == did
    assert did.endswith(f":{LOCATION}")
    key = signer(50).public_key
    assert found.method(f"{did}#{key.multikey}", "assertionMethod").public_key == key
    assert create(document, signing(1, 1)) != log


def test_update_rotates_keys_and_documents():
    """A new key signs the entry after the one that names it; the document is replaced as a whole."""
    log = begin()
    state = {**entries(log)[0]["state"], "alsoKnownAs": ["https://civil.example/"]}
    log = update(log, signing(1, 1), document=state, change=Change(update_keys=[signer(2).public_key]))
    assert resolved(log).document.content == state
    log = update(log, signing(2, 2))
    assert resolved(log).document.content == state
    with pytest.raises(InvalidProof, match="unauthorized-key"):
        update(log, signing(1, 3))


def test_what_a_resolver_would_refuse_is_not_written():
    """A wrong key, a time gone by, another DID's document and late portability are refused at once."""
    log = begin()
    state = entries(log)[0]["state"]
    for wrong in (Signing(signer(1), day(0)), Signing(signer(1), day(-1))):
        with pytest.raises(InvalidProof, match="version-time"):
            update(log, wrong)
    with pytest.raises(Malformed, match="portable-late"):
        update(log, signing(1, 1), change=Change(portable=True))
    with pytest.raises(InvalidProof, match="scid"):
        update(log, signing(1, 1), document={**state, "id": f"did:webvh:Qm{'1' * 44}:civil.example"})
    with pytest.raises(ResolutionFailed, match="methodNotSupported"):
        update(log, signing(1, 1), document={**state, "id": "did:web:civil.example"})
    with pytest.raises(ResolutionFailed, match="invalidDidDocument"):
        update(log, signing(1, 1), document={**state, "verificationMethod": "none"})
    with pytest.raises(Malformed, match="watcher"):
        update(log, signing(1, 1), change=Change(watchers=["nowhere"]))
    with pytest.raises(ValueError, match="Ed25519"):
        update(log, Signing(LocalSigner.generate(KeyType.P256), day(1)))
    for damaged in (log + b"x", log[:-20], b""):
        with pytest.raises((Malformed, InvalidProof)):
            update(damaged, signing(1, 1))


def test_create_refuses_a_document_of_another_did():
    """The document's id is the DID to be, with its placeholder; a location is one that can be published at."""
    document = first_document()
    with pytest.raises(ResolutionFailed, match="methodNotSupported"):
        create({**document, "id": "did:web:civil.example"}, signing(1, 0))
    with pytest.raises(ResolutionFailed, match="invalidDidDocument"):
        create({}, signing(1, 0))
    with pytest.raises(InvalidProof, match="unauthorized-key"):
        create(document, signing(1, 0), Change(update_keys=[signer(2).public_key]))
    for place in ("", "127.0.0.1", "civil.example:..", "civil.example/registrar"):
        with pytest.raises(ResolutionFailed, match="invalidDid"):
            placeholder_did(place)


def test_rotate_takes_up_the_key_that_was_promised():
    """Each entry is signed by the key that the one before committed to; a thief of the last key is left out."""
    log = begin(Change(next_keys=[signer(2).public_key]))
    with pytest.raises(InvalidProof, match="pre-rotation"):
        rotate(log, signing(1, 1), [signer(3).public_key])
    log = rotate(log, signing(2, 1), [signer(3).public_key])
    with pytest.raises(InvalidProof, match="pre-rotation"):
        rotate(log, signing(2, 2), [signer(9).public_key])
    log = rotate(log, signing(3, 2), NO_KEYS)
    assert newest_version(log, at=NOW).parameters.next_key_hashes == ()
    assert resolved(deactivate(log, signing(3, 3))).document is None


def test_a_location_may_hold_the_identifier():
    """Folders named for the identifier keep many DIDs apart on one host."""
    document = did_document("did:example:me", [signer(50).public_key])
    text = json.dumps(document).replace("did:example:me", placeholder_did("civil.example:{SCID}"))
    log = create(json.loads(text), signing(1, 0))
    scid = did_of(log).split(":")[2]
    assert did_of(log) == f"did:webvh:{scid}:civil.example:{scid}"
    assert resolved(log).document.id == did_of(log)


def test_deactivate_ends_a_did():
    """There is no document any more, no key is left, and nothing can be added."""
    log = deactivate(update(begin(), signing(1, 1)), signing(1, 2))
    result = resolved(log)
    assert result.document is None
    assert result.document_metadata["deactivated"] is True
    assert entries(log)[-1]["parameters"] == {"deactivated": True, "updateKeys": []}
    with pytest.raises(InvalidProof, match="after-deactivation"):
        update(log, signing(1, 3))
    bound = begin(Change(next_keys=[signer(2).public_key]))
    with pytest.raises(InvalidProof, match="pre-rotation"):
        deactivate(bound, signing(1, 1))


def test_move_takes_a_portable_did_elsewhere():
    """It keeps its identifier and history and names what it was; the old name resolves no more."""
    log = begin(Change(portable=True))
    old = did_of(log)
    moved = move(log, "registrar.example", signing(1, 1))
    new = did_of(moved)
    assert new == old.replace(LOCATION, "registrar.example")
    found = resolved(moved).document
    assert (found.id, found.content["alsoKnownAs"]) == (new, [old])
    assert found.methods[0].id.startswith(new + "#")
    with pytest.raises(ResolutionFailed, match="notFound"):
        resolved(moved, did=old)
    assert resolved(moved, did=old, version_number=1).document.id == old
    again = move(moved, "civil.example", signing(1, 2), Change(ttl=0))
    assert resolved(again).document.content["alsoKnownAs"] == [old, new]


def test_only_a_portable_did_moves_and_says_whence():
    """Without the first entry's word, after it was taken back, or without the old name, a move is refused."""
    with pytest.raises(InvalidProof, match="not-portable"):
        move(begin(), "registrar.example", signing(1, 1))
    log = begin(Change(portable=True))
    fixed = update(log, signing(1, 1), change=Change(portable=False))
    with pytest.raises(InvalidProof, match="not-portable"):
        move(fixed, "registrar.example", signing(1, 2))
    with pytest.raises(InvalidProof, match="not-portable"):
        move(log, "registrar.example", signing(1, 1), Change(portable=False))
    moved = entries(move(log, "registrar.example", signing(1, 1)))[-1]["state"]
    with pytest.raises(InvalidProof, match="prior-name"):
        update(log, signing(1, 1), document={**moved, "alsoKnownAs": ["did:web:civil.example"]})
    with pytest.raises(ResolutionFailed, match="invalidDid"):
        move(log, "127.0.0.1", signing(1, 1))


def test_the_parallel_did_web_is_read_by_its_method():
    """The did.json at the same place is a did:web's, also known as the did:webvh, with both implicit services."""
    log = begin()
    did = did_of(log)
    content = parallel_did_web(resolved(log).document)
    web = f"did:web:{LOCATION}"
    assert content["id"] == web
    assert content["alsoKnownAs"] == [did]
    assert [service["id"] for service in content["service"]] == [f"{web}#files", f"{web}#whois"]
    assert content["service"][0]["serviceEndpoint"] == "https://civil.example/dids/registrar/"

    class Pages:
        def load(self, url: str) -> Loaded:
            assert url == "https://civil.example/dids/registrar/did.json"
            return Loaded(canonicalize(content), "application/json", url)

    document = DidWebResolver(Pages()).resolve(web)
    assert document.methods[0].public_key == signer(50).public_key
    with pytest.raises(ResolutionFailed, match="methodNotSupported"):
        parallel_did_web(document)


def test_the_newest_version_says_what_holds():
    """Parameters are those of all entries together."""
    log = update(begin(Change(ttl=60, portable=True)), signing(1, 1), change=Change(ttl=70))
    newest = newest_version(log, at=NOW)
    assert (newest.number, newest.parameters.ttl, newest.parameters.portable) == (2, 70, True)
    assert newest.state == DidDocument.parse(newest.state).content
    assert json.loads(log.splitlines()[1])["parameters"] == {"ttl": 70}

"""What a DID document said when, and how long each of its keys was good."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.dids.documents import did_document
from vcid.dids.history import DidHistory, DidVersion
from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, ResolutionFailed
from vcid.keys.signing import LocalSigner

DID = "did:web:civil.example"
START = datetime(2026, 1, 1, tzinfo=UTC)
KEYS = [LocalSigner.from_private_bytes(KeyType.ED25519, bytes([n]) * 32).public_key for n in (1, 2, 3)]


def _day(number: int) -> datetime:
    return START + timedelta(days=number)


def _method(key: int) -> str:
    return f"{DID}#{KEYS[key].multikey}"


def _document(*keys: int, **said: str) -> dict:
    document = did_document(DID, [KEYS[key] for key in keys])
    document["verificationMethod"] = [{**method, **said} for method in document["verificationMethod"]]
    return document


def _history(*documents: dict, ended: bool = False) -> DidHistory:
    versions = [
        DidVersion(str(number), _day(number), canonicalize(document))
        for number, document in enumerate(documents)
    ]
    if ended:
        versions[-1] = DidVersion(versions[-1].version_id, versions[-1].time, versions[-1].content, True)
    return DidHistory(DID, tuple(versions))


def test_the_document_of_a_moment_is_the_last_before_it():
    """A version holds from its own time on; before the first there is nothing."""
    history = _history(_document(0), _document(0, 1))
    assert len(history.at(_day(0)).methods) == 1
    assert len(history.at(_day(1) - timedelta(microseconds=1)).methods) == 1
    assert len(history.at(_day(1)).methods) == 2
    with pytest.raises(ResolutionFailed, match="notFound"):
        history.at(_day(0) - timedelta(microseconds=1))


def test_each_method_has_a_life():
    """Listed, removed, and listed again are two lives; a key that stays has one without an end."""
    history = _history(_document(0, 1), _document(1), _document(1), _document(0, 1))
    first, second = history.lives_of(_method(0))
    assert (first.listed, first.removed) == (_day(0), _day(1))
    assert (second.listed, second.ended) == (_day(3), None)
    (kept,) = history.lives_of(_method(1))
    assert (kept.listed, kept.ended) == (_day(0), None)
    assert history.lives_of(_method(2)) == ()
    covered = [any(life.covers(_day(n)) for life in (first, second)) for n in range(5)]
    assert covered == [True, False, False, True, True]


def test_a_revocation_reaches_back():
    """A key found stolen is revoked from the theft on, though a later version says so, and though it is gone."""
    stolen = "2026-01-02T12:00:00Z"
    history = _history(_document(0), _document(0), _document(0), _document(0, revoked=stolen), _document(1))
    (life,) = history.lives_of(_method(0))
    assert life.ended == life.revoked == _day(1) + timedelta(hours=12)
    assert life.removed == _day(4)
    assert life.covers(_day(1))
    assert not life.covers(_day(2))


def test_an_expiry_that_was_put_off_stays_as_first_stated():
    """The earliest end counts: who put it off later may not have been the owner."""
    history = _history(
        _document(0, expires="2026-01-02T00:00:00Z"), _document(0, expires="2027-01-01T00:00:00Z")
    )
    (life,) = history.lives_of(_method(0))
    assert life.ended == life.expires == _day(1)


def test_a_method_that_gets_another_key_begins_another_life():
    """An id that is used again lends the new key none of the old one's past."""
    first, second = _document(0), _document(1)
    method = second["verificationMethod"][0]
    method["id"] = _method(0)
    second["assertionMethod"] = [_method(0)]
    second["authentication"] = []
    old, new = _history(first, second).lives_of(_method(0))
    assert (old.multikey, old.removed) == (KEYS[0].multikey, _day(1))
    assert (new.multikey, new.listed) == (KEYS[1].multikey, _day(1))


def test_lives_are_of_one_purpose_and_of_the_document_s_own_methods():
    """A method that is dropped from a purpose, or that somebody else controls, is no longer good for it."""
    narrowed = {**_document(0), "assertionMethod": []}
    history = _history(_document(0), narrowed)
    assert history.lives_of(_method(0))[0].removed == _day(1)
    assert history.lives_of(_method(0), "authentication")[0].ended is None
    assert history.lives("keyAgreement") == ()
    foreign = _document(0, controller="did:web:other.example")
    assert _history(foreign).lives() == ()


def test_a_deactivation_ends_every_life():
    """From then on the document says so too."""
    history = _history(_document(0), _document(0), ended=True)
    (life,) = history.lives()
    assert (life.ended, life.deactivated, life.removed) == (_day(1), _day(1), None)
    with pytest.raises(InvalidProof, match="deactivated"):
        history.at(_day(2)).method(_method(0), "assertionMethod")
    assert history.at(_day(0)).method(_method(0), "assertionMethod").public_key == KEYS[0]


def test_a_version_that_can_t_be_read_ends_every_life():
    """Nobody knows what it lists, so it lists nothing; asking for it says so."""
    broken = {**_document(0), "verificationMethod": "none"}
    history = _history(_document(0), broken, _document(0))
    assert [(life.listed, life.removed) for life in history.lives()] == [
        (_day(0), _day(1)),
        (_day(2), None),
    ]
    with pytest.raises(ResolutionFailed, match="invalidDidDocument"):
        history.at(_day(1))


def test_a_history_that_was_cut_or_forked_does_not_extend_the_one_known():
    """More of the same does; less, and another past, do not."""
    documents = [_document(0), _document(0, 1), _document(1)]
    known = _history(*documents[:2])
    assert known.extends(known)
    assert _history(*documents).extends(known)
    assert not _history(*documents[:1]).extends(known)
    assert not _history(documents[0], documents[2], documents[1]).extends(known)


def test_a_history_is_in_order():
    """Versions of equal or falling times, times without a zone, and no version at all are misuse."""
    version = DidVersion("1", _day(0), canonicalize(_document(0)))
    naive = DidVersion("1", datetime(2026, 1, 1), canonicalize(_document(0)))
    for versions in ((), (version, version), (naive,)):
        with pytest.raises(ValueError, match="version"):
            DidHistory(DID, versions)


@settings(max_examples=100)
@given(st.lists(st.sets(st.sampled_from([0, 1, 2])), min_size=1, max_size=6), st.integers(0, 7))
def test_lives_agree_with_the_documents(listed, moment):
    """A life covers a moment just when the document of that moment lists the key."""
    history = _history(*(_document(*sorted(keys)) for keys in listed))
    at = _day(moment)
    for key in range(3):
        covered = any(life.covers(at) for life in history.lives_of(_method(key)))
        assert covered == (_method(key) in history.at(at).relationships["assertionMethod"])

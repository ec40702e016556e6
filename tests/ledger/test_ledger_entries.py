"""Entries and the leaves of the log: owned topics, one encoding, and no leaf that can pass for another."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.scene import digest, signer
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, Malformed, VcidError
from vcid.keys.signing import LocalSigner
from vcid.ledger.entries import (
    MAX_LEAF_BYTES,
    Entry,
    HeadsLeaf,
    Kind,
    decode_leaf,
    frame,
    hash_list_id,
    topic,
    unframe,
)
from vcid.ledger.heads import Head

OWNER = signer(2)


def entry(owner=OWNER, *, kind=Kind.STATUS_LIST, list_id="list", seq=0, content=0):
    return Entry.sign(owner, kind=kind, list_id=list_id, seq=seq, digest=digest(content))


@pytest.mark.parametrize("key_type", [KeyType.ED25519, KeyType.P256, KeyType.P384])
@pytest.mark.parametrize("kind", Kind)
def test_an_entry_round_trips(key_type, kind):
    """An owner of each key type signs each kind, and the leaf reads back and verifies."""
    signed = entry(LocalSigner.generate(key_type), kind=kind, seq=3)
    read = Entry.decode(signed.encode())
    read.verify()
    assert (read, read.topic) == (signed, signed.topic)
    assert len(signed.encode()) <= MAX_LEAF_BYTES // 2


def test_the_topic_depends_on_owner_kind_and_list():
    """Another owner, kind or list gives another topic; nobody can sign into another's."""
    topics = {
        topic(owner.public_key, kind, list_id)
        for owner in (OWNER, signer(3))
        for kind in Kind
        for list_id in ("", "a", "b")
    }
    assert len(topics) == 2 * len(Kind) * 3
    assert entry().topic == topic(OWNER.public_key, Kind.STATUS_LIST, "list")


def test_fields_can_not_flow_into_each_other():
    """What a plain concatenation would confuse, the frame keeps apart."""
    assert frame(b"ab", b"c") != frame(b"a", b"bc") != frame(b"abc")
    assert frame(b"", b"a") != frame(b"a", b"") != frame(b"a")


CHANGES = {
    "digest": {"digest": digest(1)},
    "seq": {"seq": 1},
    "list": {"list_hash": hash_list_id("another")},
    "kind": {"kind": Kind.BATCH_ROOT},
    "owner": {"owner": signer(3).public_key},
    "signing key": {"signing_key": signer(3).public_key},
    "signature": {"signature": bytes(64)},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_field_is_signed(change):
    """The owner's signature covers all that an entry says."""
    signed = entry()
    fields = ("kind", "owner", "list_hash", "seq", "digest", "signing_key", "signature")
    changed = Entry(**{**{name: getattr(signed, name) for name in fields}, **change})
    with pytest.raises(InvalidProof):
        changed.verify()


@pytest.mark.parametrize(
    "change",
    [
        {"digest": b""},
        {"digest": bytes(31)},
        {"digest": bytes(33)},
        {"list_hash": bytes(31)},
        {"seq": -1},
        {"seq": 1 << 63},
        {"signature": b""},
        {"signature": bytes(257)},
    ],
)
def test_an_entry_has_no_room_for_anything_else(change):
    """Only a digest of 32 bytes, a number and a signature fit into an entry."""
    fields = {"list_hash": bytes(32), "seq": 0, "digest": bytes(32), "signature": bytes(64)}
    key = OWNER.public_key
    with pytest.raises(ValueError, match="entry"):
        Entry(kind=Kind.STATUS_LIST, owner=key, signing_key=key, **{**fields, **change})


def test_leaves_of_different_types_never_pass_for_each_other():
    """An entry, a heads leaf, a leaf of the heads map and a batch's 32 bytes are told apart by their first bytes."""
    heads = HeadsLeaf(3, bytes(32))
    assert decode_leaf(heads.encode()) == heads
    assert isinstance(decode_leaf(entry().encode()), Entry)
    with pytest.raises(Malformed, match="leaf-type"):
        Entry.decode(heads.encode())
    for other in (Head(bytes(32), 0, bytes(32)).encode(), bytes(32), b"", b"\1" + bytes(64)):
        with pytest.raises(Malformed):
            decode_leaf(other)


GOOD = entry().encode()
BAD_LEAVES = {
    "cut": GOOD[:-1],
    "longer": GOOD + b"\0",
    "another field": GOOD + frame(b""),
    "a field less": frame(*unframe(GOOD)[:-1]),
    "version 2": GOOD.replace(b"entry.v1", b"entry.v2"),
    "unknown kind": GOOD.replace(b"status-list", b"child-event"),
    "unknown key type": GOOD.replace(b"Ed25519", b"Ed25518"),
    "key type and key apart": GOOD.replace(b"Ed25519", b"P-256xx"),
    "a key that is no point": frame(*unframe(GOOD)[:3], b"\2" + bytes(31), *unframe(GOOD)[4:]),
    "short seq": frame(*unframe(GOOD)[:5], bytes(7), *unframe(GOOD)[6:]),
    "seq past 2^63": frame(*unframe(GOOD)[:5], b"\xff" * 8, *unframe(GOOD)[6:]),
    "short digest": frame(*unframe(GOOD)[:6], bytes(31), *unframe(GOOD)[7:]),
    "a signing key that is no point": frame(*unframe(GOOD)[:8], b"\2" + bytes(31), unframe(GOOD)[9]),
    "no signing key": frame(*unframe(GOOD)[:7], unframe(GOOD)[9]),
    "huge": frame(*unframe(GOOD)[:9], bytes(5000)),
    "heads with a short root": frame(b"vcid.ledger.heads.v1", bytes(8), bytes(31)),
    "heads with a short count": frame(b"vcid.ledger.heads.v1", bytes(7), bytes(32)),
}


@pytest.mark.parametrize("leaf", BAD_LEAVES.values(), ids=BAD_LEAVES)
def test_a_leaf_has_one_encoding(leaf):
    """Whatever is nearly a leaf is refused."""
    with pytest.raises(Malformed):
        decode_leaf(leaf)


@given(st.binary(max_size=400))
def test_arbitrary_leaves_raise_only_our_errors(data):
    """Whatever bytes, a leaf and a head either read, and then write the same bytes, or raise VcidError."""
    for read in (decode_leaf, Head.decode):
        try:
            assert read(data).encode() == data
        except VcidError:
            continue


@settings(max_examples=200)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_a_changed_byte_reads_as_another_entry_or_not_at_all(position, byte):
    """No change of a byte leaves an entry that is signed."""
    changed = GOOD[:position] + bytes([byte]) + GOOD[position + 1 :]
    if changed == GOOD:
        return
    with pytest.raises(VcidError):
        Entry.decode(changed).verify()


@given(st.lists(st.binary(max_size=20), max_size=6))
def test_frames_round_trip(fields):
    """Fields of any content come apart where they were joined."""
    assert unframe(frame(*fields)) == fields

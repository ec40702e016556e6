"""Sealing a child's key: each guardian opens it, nobody else does, and nothing foreign comes out."""

import dataclasses
import json
import pickle
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from vcid.encoding.multikey import KeyType
from vcid.errors import Locked, Malformed, VcidError
from vcid.keys.custody import MAX_GUARDIANS, SealedKey, open_sealed, seal
from vcid.keys.signing import LocalSigner

CHILD = LocalSigner.from_private_bytes(KeyType.ED25519, bytes(range(32)))
MOTHER = LocalSigner.from_private_bytes(KeyType.ED25519, b"\x01" * 32)
FATHER = LocalSigner.from_private_bytes(KeyType.ED25519, b"\x02" * 32)
STRANGER = LocalSigner.from_private_bytes(KeyType.ED25519, b"\x03" * 32)
SEALED = seal(CHILD, [MOTHER.public_key, FATHER.public_key])


@pytest.mark.parametrize("key_type", [KeyType.ED25519, KeyType.P256, KeyType.P384])
def test_each_guardian_opens_the_same_key(key_type):
    """A child's key of any type comes back whole to each guardian alone."""
    child = LocalSigner.generate(key_type)
    sealed = seal(child, [MOTHER.public_key, FATHER.public_key])
    assert sealed.public_key == child.public_key
    for guardian in (MOTHER, FATHER):
        assert open_sealed(sealed, guardian).sign(b"m") == child.sign(b"m")


def test_others_do_not_open_it():
    """A stranger, and the child's own key, are told that the key is not sealed to them."""
    for other in (STRANGER, CHILD, LocalSigner.generate(KeyType.P256)):
        with pytest.raises(Locked, match="not sealed to this guardian"):
            open_sealed(SEALED, other)


def test_a_guardian_who_claims_anothers_box_gets_nothing():
    """Putting one's own key beside another's box does not open it."""
    boxes = ((STRANGER.public_key, SEALED.boxes[0][1]),)
    with pytest.raises(Locked, match="altered"):
        open_sealed(SealedKey(SEALED.public_key, boxes), STRANGER)


def test_a_box_with_another_key_is_refused():
    """A box that holds a sound key, but not the one stated, is not passed off as the child's."""
    other = seal(STRANGER, [MOTHER.public_key])
    with pytest.raises(Locked, match="does not belong"):
        open_sealed(dataclasses.replace(other, public_key=CHILD.public_key), MOTHER)


def test_a_box_made_for_something_else_is_refused():
    """A sealed message of the right length that is no sealed key does not become a key."""
    size = len(SEALED.boxes[0][1]) - bindings.crypto_box_SEALBYTES
    foreign = bindings.crypto_box_seal(
        bytes(size), bindings.crypto_sign_ed25519_pk_to_curve25519(MOTHER.public_key.raw)
    )
    with pytest.raises(Locked, match="other than a key"):
        open_sealed(SealedKey(CHILD.public_key, ((MOTHER.public_key, foreign),)), MOTHER)


@pytest.mark.parametrize("position", [0, 31, 32, 60, -1])
def test_an_altered_box_is_refused(position):
    """One bit anywhere in a box locks it."""
    box = bytearray(SEALED.boxes[0][1])
    box[position] ^= 1
    with pytest.raises(Locked):
        open_sealed(SealedKey(SEALED.public_key, ((MOTHER.public_key, bytes(box)),)), MOTHER)


def test_sealing_needs_sensible_guardians():
    """Nobody, one twice, too many, and keys that can't be sealed to are misuse, said clearly."""
    crowd = [LocalSigner.generate().public_key for _ in range(MAX_GUARDIANS + 1)]
    for guardians in ([], [MOTHER.public_key, MOTHER.public_key], crowd):
        with pytest.raises(ValueError, match="different guardians"):
            seal(CHILD, guardians)
    for key_type in (KeyType.P256, KeyType.P384):
        with pytest.raises(ValueError, match="Ed25519"):
            seal(CHILD, [MOTHER.public_key, LocalSigner.generate(key_type).public_key])
    assert len(seal(CHILD, crowd[:MAX_GUARDIANS]).guardians) == MAX_GUARDIANS


def test_sealed_keys_travel_as_json_and_pickle():
    """A sealed key comes back from JSON text and pickle as itself, and shows no secret."""
    assert SealedKey.from_json(json.loads(json.dumps(SEALED.to_json()))) == SEALED
    assert pickle.loads(pickle.dumps(SEALED)) == SEALED
    assert CHILD.private_bytes().hex() not in repr(SEALED) + json.dumps(SEALED.to_json())


def test_sealing_twice_gives_different_boxes():
    """Boxes are made with fresh keys, so two copies of a wallet can't be matched by them."""
    assert seal(CHILD, [MOTHER.public_key]).boxes[0][1] != SEALED.boxes[0][1]


@pytest.mark.parametrize(
    "members",
    [
        {"sealedTo": {}},
        {"sealedTo": []},
        {"sealedTo": {MOTHER.public_key.multikey: "uAAAA"}},
        {"sealedTo": {MOTHER.public_key.multikey: 7}},
        {"sealedTo": {"z6Mk": "uAAAA"}},
        {"sealedTo": {str(position): "u" for position in range(MAX_GUARDIANS + 1)}},
        {
            "sealedTo": {
                LocalSigner.generate(KeyType.P256).public_key.multikey: SEALED.to_json()["sealedTo"][
                    MOTHER.public_key.multikey
                ]
            }
        },
        {"publicKeyMultibase": None},
        {
            "publicKeyMultibase": LocalSigner.generate(KeyType.P384).public_key.multikey
        },  # boxes too short for it
        {"extra": 1},
    ],
)
def test_json_of_another_form_is_malformed(members):
    """Guardians, keys, lengths and members are each checked."""
    with pytest.raises(Malformed):
        SealedKey.from_json({**SEALED.to_json(), **members})


@settings(max_examples=200)
@given(
    st.dictionaries(
        st.sampled_from(["publicKeyMultibase", "sealedTo", "other"]),
        st.text(max_size=20)
        | st.none()
        | st.dictionaries(
            st.sampled_from([MOTHER.public_key.multikey, "x"]), st.text(max_size=20) | st.none()
        ),
    )
)
def test_arbitrary_json_raises_only_vcid_errors(members):
    """Whatever the JSON holds, reading gives a sealed key or a VcidError."""
    for record in (members, {**SEALED.to_json(), **members}):
        with suppress(VcidError):
            SealedKey.from_json(record)

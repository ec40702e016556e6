"""The container of keys at rest: bound to all it says, bounded in what it asks for."""

import json
import pickle
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.errors import LimitExceeded, Locked, Malformed, StoreTooNew, VcidError
from vcid.keys import encrypted_file
from vcid.keys.encrypted_file import INTERACTIVE, MODERATE, SENSITIVE, Argon2Cost, FileKey

CHEAP = Argon2Cost(passes=1, memory=8192)
KEY = FileKey.derive("right", bytes(16), CHEAP)
SEALED = encrypted_file.encrypt(b"content", KEY, kind="test", public={"note": "seen"})


def _changed(**members: object) -> bytes:
    return json.dumps({**json.loads(SEALED), **members}).encode()


def test_content_comes_back():
    """A container opens with its key, found again from passphrase, salt and cost alone."""
    stored = encrypted_file.parse(SEALED, kind="test")
    assert stored.public_text("note") == "seen"
    assert stored.decrypt(FileKey.derive("right", stored.salt, stored.cost)) == b"content"


def test_neither_salt_nor_nonce_repeats():
    """Two containers of the same content share no random part."""
    again = encrypted_file.encrypt(b"content", KEY, kind="test", public={})
    assert json.loads(again)["nonce"] != json.loads(SEALED)["nonce"]
    assert FileKey.create("right", CHEAP).salt != FileKey.create("right", CHEAP).salt


@settings(max_examples=100)
@given(st.binary(max_size=500), st.text(min_size=1, max_size=20))
def test_any_content_and_passphrase_round_trip(content, passphrase):
    """Whatever is stored under whatever passphrase comes back as it was."""
    file_key = FileKey.create(passphrase, CHEAP)
    stored = encrypted_file.parse(
        encrypted_file.encrypt(content, file_key, kind="test", public={}), kind="test"
    )
    assert stored.decrypt(FileKey.derive(passphrase, stored.salt, stored.cost)) == content


@pytest.mark.parametrize(
    "members",
    [
        {"public": {"note": "changed"}},
        {"public": {}},
        {"kdf": {"name": "argon2id", "passes": 2, "memory": 8192, "salt": json.loads(SEALED)["kdf"]["salt"]}},
        {"nonce": "u" + "A" * 32},
        {"ciphertext": "u" + "A" * 40},
    ],
)
def test_every_authenticated_part_is_bound(members):
    """With the very same key, a container of which one part was changed does not open."""
    with pytest.raises(Locked):
        encrypted_file.parse(_changed(**members), kind="test").decrypt(KEY)


@pytest.mark.parametrize(
    "members",
    [
        {"format": "other"},
        {"kind": "wallet"},
        {"version": 0},
        {"version": True},
        {"version": "1"},
        {"cipher": "none"},
        {"extra": 1},
        {"public": "text"},
        {"nonce": "u" + "A" * 31},
        {"nonce": 5},
        {"ciphertext": "uAAAA"},
        {"ciphertext": "z1111"},
        {"kdf": None},
        {"kdf": {"name": "scrypt", "passes": 1, "memory": 8192, "salt": "u"}},
        {"kdf": {"name": "argon2id", "passes": 1, "memory": 8192}},
        {"kdf": {"name": "argon2id", "passes": 1.5, "memory": 8192, "salt": "u" + "A" * 22}},
        {"kdf": {"name": "argon2id", "passes": True, "memory": 8192, "salt": "u" + "A" * 22}},
        {"kdf": {"name": "argon2id", "passes": 1, "memory": 8192, "salt": "u" + "A" * 20}},
    ],
)
def test_containers_of_another_form_are_malformed(members):
    """Each member is checked for its type and size before any work is done."""
    with pytest.raises(Malformed):
        encrypted_file.parse(_changed(**members), kind="test")


@pytest.mark.parametrize(
    ("passes", "memory"),
    [(1, 64 << 30), (1 << 40, 8192), (8, 1 << 30), (0, 8192), (1, 0), (-1, -1), (1, 8191)],
)
def test_a_hostile_cost_is_refused_before_it_is_paid(passes, memory):
    """Neither 64 GiB nor days of work can be asked for by a file, nor less than Argon2id takes."""
    kdf = {"name": "argon2id", "passes": passes, "memory": memory, "salt": "u" + "A" * 22}
    with pytest.raises(LimitExceeded):
        encrypted_file.parse(_changed(kdf=kdf), kind="test")
    with pytest.raises(ValueError):
        Argon2Cost(passes, memory)


def test_a_later_version_says_so():
    """A file of a future format is not called damaged."""
    with pytest.raises(StoreTooNew):
        encrypted_file.parse(_changed(version=2, surprise=1), kind="test")


def test_the_named_costs_rise():
    """The costs offered are in order, and the greatest is within what loading allows."""
    work = [cost.passes * cost.memory for cost in (INTERACTIVE, MODERATE, SENSITIVE)]
    assert work == sorted(work)


def test_a_file_key_is_not_shown_or_pickled():
    """The derived key opens everything, so neither repr nor pickle holds it."""
    assert KEY.key.hex() not in repr(KEY)
    assert repr(KEY.key) not in repr(KEY)
    with pytest.raises(TypeError):
        pickle.dumps(KEY)


@settings(max_examples=200)
@given(st.binary(max_size=200))
def test_arbitrary_bytes_raise_only_vcid_errors(data):
    """Whatever a file holds, reading it raises VcidError."""
    with pytest.raises(VcidError):
        encrypted_file.parse(data, kind="test")


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200)
@given(st.sampled_from(sorted(json.loads(SEALED))), _JSON)
def test_arbitrary_members_raise_only_vcid_errors(name, value):
    """Whatever one member holds, reading raises VcidError or gives a container that opens or is Locked."""
    with suppress(VcidError):
        encrypted_file.parse(_changed(**{name: value}), kind="test").decrypt(KEY)

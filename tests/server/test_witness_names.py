"""A witness service's two witnesses can't be taken for one another."""

import pytest

pytest.importorskip("starlette", reason="the extra `server` is not installed")

from ledger.scene import ORIGIN, signer
from vcid.ledger.notes import NoteKey
from vcid.ledger.witness import ReplayingWitness
from vcid.ledger.witness_plain import PlainWitness
from vcid.server.witness import create_witness_app


def serve(name, key):
    """Serve a replaying witness and a plain one of this name and key."""
    logs = [NoteKey.of_log(ORIGIN, signer(1).public_key)]
    replaying = ReplayingWitness.open("sqlite://", name="w.example", signer=signer(100), logs=logs)
    plain = PlainWitness.open("sqlite://", name=name, signer=signer(key), logs=logs)
    return create_witness_app([ORIGIN], replaying=replaying, plain=plain)


def test_two_witnesses_differ_in_name_and_key():
    """Both are served then."""
    assert serve("p.example", 101)


@pytest.mark.parametrize(("name", "key"), [("w.example", 101), ("p.example", 100)])
def test_two_witnesses_of_one_name_or_key_are_refused(name, key):
    """A policy counts by name, and one key makes one statement."""
    with pytest.raises(ValueError, match="of its own"):
        serve(name, key)

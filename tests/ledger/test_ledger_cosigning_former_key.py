"""A key that a log gave up does not stop it, in the hands of a thief and one witness."""

import pytest

from ledger.scene import ORIGIN, Scene, signer
from vcid.errors import Behind, Conflict, Unavailable
from vcid.ledger.log import Ledger
from vcid.ledger.notes import Checkpoint, Note, NoteKey, sign_note
from vcid.ledger.witness import ReplayingWitness

FORMER, IN_FORCE = signer(1), signer(5)


class Liar:
    """A witness that shows a checkpoint of leaves that the log never had, and cosigns nothing."""

    key = NoteKey.of_cosigner("liar.example", signer(150).public_key)

    def __init__(self, *signers):
        text = Checkpoint(ORIGIN, 10**6, bytes(32)).text
        self.note = Note(text, tuple(sign_note(text, ORIGIN, one) for one in signers)).encode()

    def checkpoint(self, origin):
        return self.note

    def add_checkpoint(self, old_size, proof, note, entries):
        raise Unavailable("down")


@pytest.fixture
def opened(tmp_path):
    """Opens a log that changed its key, with an honest witness and others."""
    url = f"sqlite:///{tmp_path}/log.db"
    logs = [NoteKey.of_log(ORIGIN, one.public_key) for one in (IN_FORCE, FORMER)]
    honest = ReplayingWitness.open("sqlite://", name="w.example", signer=signer(100), logs=logs)
    before = Ledger.open(url, origin=ORIGIN, signer=FORMER, witnesses=[honest])
    before.append([Scene(witnesses=1).entry()])
    before.publish()

    def open_with(*others, with_honest=True):
        witnesses = [*([honest] if with_honest else []), *others]
        return Ledger.open(
            url, origin=ORIGIN, signer=IN_FORCE, witnesses=witnesses, former_keys=[FORMER.public_key]
        )

    return open_with


def test_a_former_key_s_larger_checkpoint_stops_nobody(opened):
    """The log goes on with those who cosign."""
    opened().publish()
    assert opened(Liar(FORMER)).publish()


def test_before_the_key_in_force_signed_anything_it_does(opened):
    """An old copy of the log that is opened with a new key looks just like it."""
    with pytest.raises(Behind):
        opened(Liar(FORMER)).publish()


@pytest.mark.parametrize("signers", [(IN_FORCE,), (FORMER, IN_FORCE)])
def test_a_larger_checkpoint_by_the_key_in_force_still_does(opened, signers):
    """That is what a restored backup meets."""
    opened().publish()
    with pytest.raises(Behind):
        opened(Liar(*signers)).publish()


def test_with_no_other_witness_it_is_said(opened):
    """Nobody is there who could tell the log's state."""
    opened().publish()
    with pytest.raises(Conflict, match=r"^former-key:"):
        opened(Liar(FORMER), with_honest=False).publish()

"""What a log owes to all the logs before it: its witnesses let no topic fall behind, and no key come back."""

import threading

import pytest

from ledger.scene import LIST, NOW, digest, signer
from vcid.errors import Conflict
from vcid.ledger.anchor import LogPolicy
from vcid.ledger.entries import Entry, Kind
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey
from vcid.ledger.succession import Succession, carry_over
from vcid.ledger.witness import ReplayingWitness
from vcid.ledger.witness_memory import MAX_CHAIN
from vcid.ledger.witness_plain import PlainWitness

FIRST, SECOND, THIEF = signer(2), signer(20), signer(66)


def name_log(number):
    return f"log.example/{number}"


def signer_of(number):
    return signer(150 + number)


def key_of(number):
    return NoteKey.of_log(name_log(number), signer_of(number).public_key)


def entry(signed_by, seq, content, list_id=LIST):
    return Entry.sign(
        signed_by,
        kind=Kind.STATUS_LIST,
        list_id=list_id,
        seq=seq,
        digest=digest(content),
        owner=FIRST.public_key,
    )


def change_key(seq=0, old=FIRST, new=SECOND):
    return Entry.change_key(old, new.public_key, seq=seq, owner=FIRST.public_key)


class Chain:
    """Logs each of which took the place of the one before, and a witness that knows them all."""

    def __init__(self, entries, *, signs=None, logs=4):
        self.witness = ReplayingWitness.open(
            "sqlite://",
            name="w.example",
            signer=signs or signer(100),
            logs=[key_of(number) for number in range(logs)],
            clock=lambda: NOW,
        )
        self.number = 0
        self.ledger = self.open()
        self.ledger.append(entries)
        self.final = self.ledger.publish()
        self.succession = None

    def open(self):
        return Ledger.open(
            "memory:", origin=name_log(self.number), signer=signer_of(self.number), witnesses=[self.witness]
        )

    def propose(self):
        """The statement that the next log takes the place of this one."""
        old, new = self.number, self.number + 1
        self.succession = Succession(key_of(old), self.final.size, self.final.root, key_of(new))
        return self.succession.propose(signer_of(new), signer_of(old))

    def go_on(self, entries=()):
        """Let the next log take the place of this one, and publish it with these entries."""
        self.witness.add_succession(self.propose())
        self.number += 1
        return self.begin(entries)

    def begin(self, entries):
        """Publish the newest log from nothing."""
        self.ledger = self.open()
        self.ledger.append([self.succession.entry(signer_of(self.number)), *entries])
        self.final = self.ledger.publish()
        return self.final


def refuses(code="behind-predecessor"):
    return pytest.raises(Conflict, match=rf"^{code}:")


def test_no_topic_falls_behind_across_two_successions():
    """A log in between that holds nothing of a topic does not let it be forgotten."""
    chain = Chain([entry(FIRST, seq, seq) for seq in range(3)])
    chain.go_on()
    with refuses():
        chain.go_on([entry(FIRST, 0, 0)])
    with refuses():
        chain.begin([entry(FIRST, seq, seq) for seq in range(2)])
    assert chain.begin([entry(FIRST, seq, seq) for seq in range(3)])


def test_the_newest_log_that_has_a_topic_says_where_it_stands():
    """What a log in between added counts."""
    chain = Chain([entry(FIRST, 0, 0)])
    chain.go_on([entry(FIRST, 0, 0), entry(FIRST, 1, 1)])
    chain.go_on()
    with refuses():
        chain.go_on([entry(FIRST, 0, 0)])
    assert chain.begin([entry(FIRST, 0, 0), entry(FIRST, 1, 1)])


def test_a_given_up_key_stays_so_across_two_successions():
    """Its thief can't begin again where no log in between knows of the change."""
    chain = Chain([entry(FIRST, 0, 0), change_key(), entry(SECOND, 1, 1)])
    chain.go_on()
    with refuses():
        chain.go_on([entry(FIRST, 0, 0), entry(FIRST, 1, 666)])
    assert chain.begin([entry(FIRST, 0, 0), change_key(), entry(SECOND, 1, 1)])


@pytest.mark.parametrize(
    "forged",
    [
        pytest.param([change_key(new=THIEF), entry(THIEF, 1, 666)], id="the change itself"),
        pytest.param([entry(FIRST, 1, 666), change_key()], id="the newest entry, before the change"),
        pytest.param(
            [entry(FIRST, 1, 1), entry(FIRST, 2, 2), change_key()], id="a newer entry, before the change"
        ),
        pytest.param(
            [entry(FIRST, 0, 0, "https://thief.example"), change_key(), entry(SECOND, 1, 1)],
            id="another list, before the change",
        ),
    ],
)
def test_a_given_up_key_s_thief_says_nothing_new(forged):
    """A former key repeats what the former log held, and nothing else."""
    chain = Chain([entry(FIRST, 0, 0), change_key(), entry(SECOND, 1, 1)])
    with refuses():
        chain.go_on([entry(FIRST, 0, 0), *forged])


def test_a_change_in_between_can_t_be_another():
    """A thief who leads back to the owner's last key could not use the own one before that."""
    last = signer(21)
    chain = Chain([entry(FIRST, 0, 0), change_key(), change_key(1, SECOND, last), entry(last, 1, 1)])
    forged = [change_key(new=THIEF), entry(THIEF, 1, 666), change_key(1, THIEF, last)]
    with refuses():
        chain.go_on([entry(FIRST, 0, 0), *forged])


def test_what_stood_before_a_change_of_key_moves_with_it():
    """A log that is carried over whole has its entries in the old order, by the former keys."""
    chain = Chain([entry(FIRST, 0, 0), entry(FIRST, 0, 5, "quiet"), change_key(), entry(SECOND, 1, 1)])
    former = chain.ledger
    chain.witness.add_succession(chain.propose())
    chain.number = 1
    chain.ledger = chain.open()
    carry_over(former, chain.ledger, chain.succession, signer_of(1))
    chain.ledger.append([entry(SECOND, 2, 2), change_key(1, SECOND, THIEF), entry(THIEF, 3, 3)])
    assert chain.ledger.publish()


def test_an_owner_s_new_key_signs_again_what_was_lost():
    """Whoever holds the key in force may replace even the newest entry."""
    chain = Chain([entry(FIRST, 0, 0), change_key()])
    assert chain.go_on([change_key(), entry(SECOND, 0, 7)])


class Interrupted:
    """A signer that lets something happen before it signs."""

    def __init__(self):
        self.inner = signer(100)
        self.public_key = self.inner.public_key
        self.before = None

    def sign(self, data):
        before, self.before = self.before, None
        if before is not None:
            thread = threading.Thread(target=before)
            thread.start()
            thread.join()
        return self.inner.sign(data)


def test_a_succession_during_a_first_checkpoint_wins():
    """A new log's checkpoint that was checked before the statement came is not kept after it."""
    signs = Interrupted()
    chain = Chain([entry(FIRST, seq, seq) for seq in range(3)], signs=signs)
    data, done = chain.propose(), []
    signs.before = lambda: done.append(chain.witness.add_succession(data))
    chain.number = 1
    chain.ledger = chain.open()
    chain.ledger.append([entry(FIRST, 0, 0)])
    with refuses("succession-unstated"):  # the second offer, after ``size`` was told
        chain.ledger.publish()
        chain.ledger.publish()
    assert len(done) == 1
    assert chain.witness.checkpoint(name_log(1)) is None


def test_the_logs_before_one_are_bounded():
    """No witness walks further than that."""
    chain = Chain([entry(FIRST, 0, 0)], logs=MAX_CHAIN + 1)
    for _ in range(MAX_CHAIN - 1):
        chain.go_on()
    with refuses("too-many-predecessors"):
        chain.go_on()


RESERVED = "vcid.ledger/succession/log.example/0"


def test_no_log_is_named_like_a_statement_s_own():
    """Else a witness of it would cosign, as a checkpoint, what nobody asked it to let pass as a succession."""
    key = NoteKey.of_log(RESERVED, signer(9).public_key)
    refused = (
        lambda: Ledger.open("memory:", origin=RESERVED, signer=signer(9)),
        lambda: LogPolicy(origin=RESERVED, log_key=key.public_key, witnesses=(), quorum=1),
        lambda: PlainWitness.open("sqlite://", name="p.example", signer=signer(10), logs=[key]),
        lambda: ReplayingWitness.open("sqlite://", name="r.example", signer=signer(10), logs=[key]),
        lambda: Succession(key_of(0), 1, bytes(32), key),
        lambda: Succession(key, 1, bytes(32), key_of(0)),
    )
    for make in refused:
        with pytest.raises(ValueError, match="begins with"):
            make()

"""Logs and witnesses change their keys, and a log is succeeded by another, with nobody's receipt orphaned."""

import dataclasses
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.scene import NOW, ORIGIN, Scene, digest, signer
from vcid.encoding.multikey import KeyType
from vcid.errors import Conflict, InvalidProof, Malformed, VcidError
from vcid.keys.signing import LocalSigner
from vcid.ledger.anchor import Outcome, Period, View
from vcid.ledger.entries import Entry, Kind, owner_topic
from vcid.ledger.judge import Claim, Evidence, Freshness, judge
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey
from vcid.ledger.succession import (
    FormerReceipts,
    Proposal,
    Succeeded,
    Succession,
    carry_over,
    judge_succeeded,
)
from vcid.ledger.views import MemoryViewStore, advance_view
from vcid.ledger.witness import ReplayingWitness

NEW = "log.example/new"
LATER = NOW + timedelta(days=300)


def of_log(origin, number):
    return NoteKey.of_log(origin, signer(number).public_key)


class Change:
    """An old log with one list anchored, two witnesses that know both logs, and the new log, still empty."""

    def __init__(self, *, quorum=2, entries=3):
        self.scene = Scene(witnesses=2, quorum=quorum)
        scene = self.scene
        self.witnesses = scene.witnesses = [self._witness(number) for number in range(2)]
        scene.ledger = scene.open()
        scene.ledger.append([scene.entry(seq) for seq in range(entries)])
        scene.ledger.append([scene.entry(list_id="quiet")])
        self.final = scene.ledger.publish()
        self.ledger = Ledger.open("memory:", origin=NEW, signer=signer(5), witnesses=self.witnesses)
        self.succession = Succession(scene.key, self.final.size, self.final.root, of_log(NEW, 5))

    def _witness(self, number):
        return ReplayingWitness.open(
            "sqlite://",
            name=f"w{number}.example",
            signer=signer(100 + number),
            logs=[self.scene.key, of_log(NEW, 5), of_log("log.example/other", 6)],
            clock=lambda: self.scene.times[number],
        )

    def propose(self, **options):
        return self.succession.propose(signer(5), options.get("old", self.scene.log_signer))

    def agree(self, data=None, witnesses=None, **options):
        """The statement with the witnesses' cosignatures."""
        data = data or self.propose()
        lines = [one.add_succession(data, **options) for one in witnesses or self.witnesses]
        return Proposal.parse(data).cosigned(lines).encode()

    def succeeded(self):
        return Succeeded.verify(self.agree(), self.scene.policy)

    def judge(self, succeeded, list_id, content=0, *, entry=None, **options):
        """Judge a list by the new log and, where it holds nothing, by the old one's final checkpoint."""
        scene, view = self.scene, self.ledger.checkpoint()
        receipt = self.ledger.head(scene.topic(list_id))
        former = FormerReceipts(
            options.get("head") or scene.ledger.head(scene.topic(list_id), self.final.size),
            options.get("key") or self.ledger.head(owner_topic(scene.owner.public_key)),
        )
        return judge_succeeded(
            scene.claim(content, list_id=list_id),
            Evidence(entry or scene.entry(list_id=list_id), receipt),
            former,
            View.verified(view.note, succeeded.policy),
            succeeded=succeeded,
            freshness=Freshness(options.get("now", NOW), timedelta(days=7)),
        )


@pytest.fixture
def change():
    """A change of logs."""
    return Change()


def refuses(code):
    return pytest.raises(Conflict, match=rf"^{code}:")


# The statement


def test_a_succession_that_enough_witnesses_cosigned_makes_a_policy(change):
    """The same witnesses and quorum, the new log's name and key."""
    succeeded = change.succeeded()
    assert (succeeded.policy.origin, succeeded.policy.log_key) == (NEW, signer(5).public_key)
    assert succeeded.policy.witnesses == change.scene.policy.witnesses
    assert Proposal.parse(change.agree()).succession == change.succession


def test_too_few_witnesses_end_no_log(change):
    """The log's key alone, and one witness of two, name no successor."""
    for data in (change.propose(), change.agree(witnesses=change.witnesses[:1])):
        with pytest.raises(InvalidProof, match="too-few-witnesses"):
            Succeeded.verify(data, change.scene.policy)


def test_a_lost_key_s_log_ends_by_the_operators_hand(change):
    """Without the old log's signature a witness refuses, unless its operator says so."""
    data = change.propose(old=None)
    with refuses("unsigned"):
        change.witnesses[0].add_succession(data)
    agreed = change.agree(data, without_old_key=True)
    assert Succeeded.verify(agreed, change.scene.policy).policy.origin == NEW


def test_what_is_not_signed_by_the_new_log_is_refused(change):
    """Nobody is made a successor without its own key."""
    theft = dataclasses.replace(change.succession, new=of_log(NEW, 9))
    signed = theft.propose(signer(5), change.scene.log_signer)
    for witness in change.witnesses:
        with refuses("unknown-log"):
            witness.add_succession(signed)
    forged = change.succession.propose(signer(9), change.scene.log_signer)
    with refuses("unsigned"):
        change.witnesses[0].add_succession(forged)
    stripped = Proposal.parse(change.agree())
    only = tuple(one for one in stripped.note.signatures if one.name != NEW)
    with pytest.raises(InvalidProof, match="unsigned"):
        Succeeded.verify(
            Proposal(stripped.succession, dataclasses.replace(stripped.note, signatures=only)).encode(),
            change.scene.policy,
        )


def test_a_log_ends_where_the_witnesses_know_it(change):
    """Earlier, later, or with another root: refused."""
    cases = {"size": {"size": change.final.size - 1}, "inconsistent": {"root": bytes(32)}}
    for code, wrong in cases.items():
        other = dataclasses.replace(change.succession, **wrong)
        with refuses(code):
            change.witnesses[0].add_succession(other.propose(signer(5), change.scene.log_signer))
    change.scene.ledger.publish()
    with refuses("size"):
        change.witnesses[0].add_succession(change.propose())


def test_a_log_has_one_successor(change):
    """A second one is refused; the first statement is cosigned again at any time."""
    change.agree()
    change.agree()
    other = dataclasses.replace(change.succession, new=of_log("log.example/other", 6))
    with refuses("succeeded"):
        change.witnesses[0].add_succession(other.propose(signer(6), change.scene.log_signer))


def test_a_log_that_ended_is_not_cosigned_again(change):
    """Neither growth nor a heartbeat: its age is its age."""
    change.agree()
    with pytest.raises(Conflict, match="succeeded"):
        change.scene.ledger.publish()


def test_a_successor_begins_after_the_statement(change):
    """A log that was cosigned before could be behind, unseen."""
    change.ledger.append([change.scene.entry()])
    change.ledger.publish()
    with refuses("successor-known"):
        change.witnesses[0].add_succession(change.propose())


@pytest.mark.parametrize(
    "wrong",
    [{"new": of_log(ORIGIN, 5)}, {"size": 0}, {"root": bytes(31)}, {"size": 1 << 63}],
    ids=["the same log", "no checkpoint", "a short root", "too large"],
)
def test_a_statement_that_contradicts_itself_is_none(change, wrong):
    """A new key of the same log is a change of key and no succession."""
    with pytest.raises(ValueError, match="log"):
        dataclasses.replace(change.succession, **wrong)


@given(st.integers(0, 2000), st.integers(1, 255))
def test_no_changed_byte_of_a_statement_verifies(place, flip):
    """Whatever byte is flipped, it is no longer the witnesses' statement; or it was in nobody's signature."""
    data = AGREED[: place % len(AGREED)] + bytes([AGREED[place % len(AGREED)] ^ flip])
    data += AGREED[place % len(AGREED) + 1 :]
    try:
        found = Succeeded.verify(data, CHANGE.scene.policy)
    except VcidError:
        return
    assert (
        found.succession == CHANGE.succession
    )  # an old log's line relabelled as a stranger's is passed over


CHANGE = Change()
AGREED = CHANGE.agree()


def test_a_statement_about_another_log_is_refused(change):
    """Only by a key that the policy names for the log."""
    other = dataclasses.replace(change.scene.policy, log_key=signer(9).public_key)
    with pytest.raises(InvalidProof, match="wrong-origin"):
        Succeeded.verify(change.agree(), other)
    with pytest.raises(Malformed):
        Succeeded.verify(change.final.note, change.scene.policy)


# The new log


def test_the_new_log_says_whom_it_succeeds(change):
    """Its first checkpoint without the statement is refused, or with another's."""
    change.agree()
    change.ledger.append([change.scene.entry(seq) for seq in range(3)])
    with refuses("succession-unstated"):
        change.ledger.publish()
    change.ledger.append([change.succession.entry(signer(6))])
    with refuses("succession-unstated"):
        change.ledger.publish()
    change.ledger.append([change.succession.entry(signer(5))])
    change.ledger.publish()


def test_no_topic_falls_behind(change):
    """The owner's older entries, which everybody has, don't hide what came after them."""
    change.agree()
    change.ledger.append([change.succession.entry(signer(5)), change.scene.entry(0), change.scene.entry(1)])
    with refuses("behind-predecessor"):
        change.ledger.publish()
    change.ledger.append([change.scene.entry(2)])
    change.ledger.publish()
    change.ledger.append([change.scene.entry(3)])
    change.ledger.publish()


def test_a_key_that_was_given_up_is_not_in_force_again(change):
    """An owner's changes of key come along with the owner's entries; after them, the new key signs."""
    scene, next_key = change.scene, signer(8)
    scene.ledger.append([Entry.change_key(scene.owner, next_key.public_key, seq=0)])
    change.final = scene.ledger.publish()
    change.succession = dataclasses.replace(change.succession, size=change.final.size, root=change.final.root)
    change.agree()
    change.ledger.append([change.succession.entry(signer(5)), scene.entry(0, list_id="opened by a thief")])
    with refuses("behind-predecessor"):
        change.ledger.publish()
    change.ledger.append([Entry.change_key(scene.owner, next_key.public_key, seq=0)])
    with refuses("behind-predecessor"):
        change.ledger.publish()
    # Nothing of that log was cosigned, so it can begin anew.
    anew = Ledger.open("memory:", origin=NEW, signer=signer(5), witnesses=change.witnesses)
    anew.append([change.succession.entry(signer(5))])
    anew.append([Entry.change_key(scene.owner, next_key.public_key, seq=0)])
    anew.publish()
    with refuses("not-owner"):
        anew.append([scene.entry(0, list_id="opened by a thief")])


def test_a_topic_that_comes_later_does_not_fall_behind_either(change):
    """What the old log held is remembered for as long as the new one lives."""
    change.agree()
    change.ledger.append([change.succession.entry(signer(5))])
    change.ledger.publish()
    change.ledger.append([change.scene.entry(0)])
    with refuses("behind-predecessor"):
        change.ledger.publish()


def test_a_log_moves_whole(change):
    """Its entries are carried over; owners go on where they stood."""
    succeeded = change.succeeded()
    assert carry_over(change.scene.ledger, change.ledger, change.succession, signer(5)) == 4
    carry_over(change.scene.ledger, change.ledger, change.succession, signer(5))
    change.ledger.append([change.scene.entry(3)])
    view = change.ledger.publish()
    assert succeeded.policy.examine(view.note).is_witnessed
    change.ledger.audit()
    found = change.judge(succeeded, "quiet")
    assert found.outcome is Outcome.OK


def test_a_lost_log_is_succeeded_by_an_empty_one(change):
    """Owners sign what they published again up to where they were, and go on."""
    succeeded = change.succeeded()
    change.ledger.append([change.succession.entry(signer(5))])
    change.ledger.append([change.scene.entry(seq, content=7) for seq in range(4)])
    change.ledger.publish()
    found = change.judge(
        succeeded, list_id="https://civil.example/status/1", content=7, entry=change.scene.entry(3, content=7)
    )
    assert found.outcome is Outcome.OK


# The judgement across both


def moved(change):
    """The statement, and the new log published empty, long after the old one ended."""
    succeeded = change.succeeded()
    change.ledger.append([change.succession.entry(signer(5))])
    change.scene.times = [LATER] * 2
    change.ledger.publish()
    return succeeded


def test_an_old_receipt_stays_good_while_the_new_log_has_nothing_newer(change):
    """Existence is the old log's, freshness the new one's."""
    found = change.judge(moved(change), "quiet", now=LATER)
    assert (found.outcome, found.existence, found.freshness) == (Outcome.OK, NOW, LATER)


def test_an_old_receipt_is_stale_by_the_new_logs_age(change):
    """A frozen new log makes it stale."""
    found = change.judge(moved(change), "quiet", now=LATER + timedelta(days=8))
    assert (found.outcome, found.code) == (Outcome.STALE, "too-old")


def test_an_entry_in_the_new_log_supersedes_the_old_receipt(change):
    """The old log's head is asked only where the new log has none."""
    succeeded = moved(change)
    change.ledger.append([change.scene.entry(seq, content=9, list_id="quiet") for seq in range(2)])
    change.ledger.publish()
    found = change.judge(succeeded, "quiet", now=LATER)
    assert found.outcome is Outcome.SUPERSEDED


def test_a_key_given_up_in_the_new_log_gives_up_old_entries(change):
    """As within one log: the owner has to sign again."""
    succeeded = moved(change)
    change.ledger.append([Entry.change_key(change.scene.owner, signer(8).public_key, seq=0)])
    change.ledger.publish()
    found = change.judge(succeeded, "quiet", now=LATER)
    assert (found.outcome, found.code) == (Outcome.NOT_ANCHORED, "key-given-up")


def test_receipts_from_elsewhere_decide_nothing(change):
    """Not at the final checkpoint, about another owner's key, at another view, or of another kind."""
    early = change.scene.ledger.checkpoint().size
    change.scene.ledger.append([change.scene.entry(3)])
    change.final = change.scene.ledger.publish()
    change.succession = dataclasses.replace(change.succession, size=change.final.size, root=change.final.root)
    succeeded = moved(change)
    scene = change.scene
    wrong = [
        {"head": scene.ledger.head(scene.topic("quiet"), early)},
        {"head": scene.ledger.inclusion(scene.entry(list_id="quiet"))},
        {"key": change.ledger.head(change.succession.entry(signer(5)).topic)},
        {"key": scene.ledger.head(owner_topic(scene.owner.public_key))},
        {"head": change.ledger.head(scene.topic("quiet"))},
    ]
    for receipts in wrong:
        assert change.judge(succeeded, "quiet", now=LATER, **receipts).outcome is Outcome.INVALID
    other = change.judge(succeeded, "quiet", now=LATER, head=scene.ledger.head(scene.topic()))
    assert not other


def test_an_old_entry_that_was_superseded_stays_so(change):
    """The old log's final head decides, not the entry at hand."""
    succeeded = moved(change)
    list_id = "https://civil.example/status/1"
    found = change.judge(succeeded, list_id, 0, entry=change.scene.entry(0), now=LATER)
    assert found.outcome is Outcome.SUPERSEDED
    good = change.judge(succeeded, list_id, 2, entry=change.scene.entry(2), now=LATER)
    assert good.outcome is Outcome.OK


def test_a_verifier_s_memory_follows(change):
    """From the final checkpoint, or from nothing; not from less, from more, or from another version."""
    succeeded = change.succeeded()
    store = MemoryViewStore()
    assert succeeded.follow(store)
    assert advance_view(store, change.final.note, {}, change.scene.policy)
    assert succeeded.follow(store)
    for known, outcome in [
        (View(ORIGIN, change.final.size - 1, bytes(32), b""), Outcome.UNAVAILABLE),
        (View(ORIGIN, change.final.size, bytes(32), b""), Outcome.FORK),
        (View(ORIGIN, change.final.size + 1, bytes(32), b""), Outcome.ROLLBACK),
    ]:
        other = MemoryViewStore()
        other.advance(None, known)
        assert succeeded.follow(other).outcome is outcome


# Keys that change


@pytest.mark.parametrize("backend", ["memory", "sqlite"])
def test_a_log_changes_its_key_and_goes_on(backend, tmp_path):
    """The store goes over to the new key; audits, witnesses and old receipts know both."""
    scene = Scene()
    url = f"sqlite:///{tmp_path}/log.db"
    keys = [of_log(ORIGIN, 1), of_log(ORIGIN, 5)]
    witnesses = [
        ReplayingWitness.open(
            "sqlite://", name=f"w{number}.example", signer=signer(100 + number), logs=keys, clock=lambda: NOW
        )
        for number in range(2)
    ]
    before = Ledger.open(url, origin=ORIGIN, signer=signer(1), witnesses=witnesses)
    before.append([scene.entry(0)])
    old = before.publish()
    receipt = before.inclusion(scene.entry(0))
    after = Ledger.open(
        url, origin=ORIGIN, signer=signer(5), witnesses=witnesses, former_keys=[signer(1).public_key]
    )
    after.append([scene.entry(1)])
    new = after.publish()
    after.audit()
    asked = dataclasses.replace(after.policy(quorum=2), former_log_keys=((signer(1).public_key, old.size),))
    store = MemoryViewStore()
    assert advance_view(store, old.note, {}, asked)
    assert advance_view(store, new.note, after.consistency_from_checkpoints(), asked)
    assert asked.examine(old.note).existence == NOW
    assert receipt.body
    with pytest.raises(InvalidProof, match="unsigned"):
        after.policy(quorum=2).examine(old.note)
    with pytest.raises(Conflict, match="other-log"):
        Ledger.open(url, origin=ORIGIN, signer=signer(1), witnesses=witnesses)


def test_a_stranger_s_key_does_not_take_a_log_over(tmp_path):
    """Without the former key named, the store belongs to another log."""
    url = f"sqlite:///{tmp_path}/log.db"
    Ledger.open(url, origin=ORIGIN, signer=signer(1))
    for former in ([], [signer(9).public_key]):
        with pytest.raises(Conflict, match="other-log"):
            Ledger.open(url, origin=ORIGIN, signer=signer(5), former_keys=former)


def test_a_witness_changes_its_key():
    """The old key's cosignatures count until it ended, the new one's from when it began."""
    scene = Scene(witnesses=1)
    scene.ledger.append([scene.entry()])
    quantum = LocalSigner.from_private_bytes(KeyType.ML_DSA_44, b"q" * 32)
    old_view = scene.ledger.publish()
    successor = ReplayingWitness.open(
        "sqlite://", name="w0.example", signer=quantum, logs=[scene.key], clock=lambda: LATER
    )
    scene.ledger = scene.open(witnesses=[successor])
    scene.ledger.append([scene.entry()])
    new_view = scene.ledger.publish()
    ended, began = (int(time.timestamp()) for time in (NOW + timedelta(days=1), LATER - timedelta(days=1)))
    keys = ((scene.policy.witnesses[0][1], Period(0, ended)), (quantum.public_key, Period(began)))
    asked = dataclasses.replace(
        scene.policy,
        witnesses=(scene.policy.witnesses[0], ("w0.example", quantum.public_key)),
        key_periods=keys,
    )
    assert asked.examine(old_view.note).freshness == NOW
    assert asked.examine(new_view.note).freshness == LATER
    scene.times[0] = LATER  # the thief of the old key
    stolen = Scene(witnesses=1)
    stolen.times[0] = LATER
    stolen.ledger.append([stolen.entry()])
    assert not asked.examine(stolen.ledger.publish().note).is_witnessed


def test_succession_entries_are_ordinary_entries(change):
    """A kind of its own, under the new log's key, provable like any other."""
    change.agree()
    entry = change.succession.entry(signer(5))
    change.ledger.append([entry])
    view = change.ledger.publish()
    claim = Claim(
        owner=signer(5).public_key, kind=Kind.SUCCESSION, list_id="", digest=change.succession.digest
    )
    receipt = change.ledger.head(claim.topic)
    policy = dataclasses.replace(change.scene.policy, origin=NEW, log_key=signer(5).public_key)
    assert judge(
        claim, Evidence(entry, receipt), view, policy=policy, freshness=Freshness(NOW, timedelta(days=1))
    )
    assert digest(0) != entry.digest


def test_stores_in_postgresql_change_keys_and_end_logs_too(postgresql):
    """The witness's memory of evidence and successions, and the log's change of key, in that database."""
    scene = Scene(witnesses=1)
    logs = [scene.key, of_log(NEW, 5)]
    witness = ReplayingWitness.open(
        postgresql.create(), name="w0.example", signer=signer(100), logs=logs, clock=lambda: NOW
    )
    scene.ledger = scene.open(witnesses=[witness])
    scene.ledger.append([scene.entry(0)])
    final = scene.ledger.publish()
    other = Scene(witnesses=1)
    other.ledger.append([other.entry(0, content=5)])
    with refuses("size"):
        witness.add_checkpoint(0, [], other.ledger.publish().note, [])
    assert len(witness.evidence(ORIGIN)) == 1
    succession = Succession(scene.key, final.size, final.root, of_log(NEW, 5))
    witness.add_succession(succession.propose(signer(5), scene.log_signer))
    new = Ledger.open(postgresql.create(), origin=NEW, signer=signer(5), witnesses=[witness])
    new.append([succession.entry(signer(5)), scene.entry(0)])
    new.publish()
    with refuses("succeeded"):
        scene.ledger.publish()
    url = postgresql.create()
    Ledger.open(url, origin=ORIGIN, signer=signer(1)).close()
    Ledger.open(url, origin=ORIGIN, signer=signer(5), former_keys=[signer(1).public_key]).close()
    with refuses("other-log"):
        Ledger.open(url, origin=ORIGIN, signer=signer(1))

"""Verifiers go over to the log that succeeded another, by its witnesses' statement, and never back."""

from dataclasses import replace

import pytest

from vcid.errors import Malformed
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge, KnownLog
from vcid.ledger.entries import Entry, Kind
from vcid.ledger.evidence import verify_evidence
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey
from vcid.ledger.succession import Proposal, Succession, carry_over, is_ended
from vcid.ledger.views import MemoryViewStore
from vcid.ledger.witness import ReplayingWitness
from vcid.report import Conclusion, PresentationReport
from world import ORIGIN, World, birth

NEW = "log.example/new"


class Move:
    """A registry that issued and published in a log which then ended, and the log that follows, still empty."""

    def __init__(self):
        self.world = world = World()
        self.new_key = LocalSigner.generate()
        self.logs = [
            NoteKey.of_log(ORIGIN, world.log_key.public_key),
            NoteKey.of_log(NEW, self.new_key.public_key),
        ]
        self.witness = self._witness()
        world.ledger = Ledger.open("memory:", origin=ORIGIN, signer=world.log_key, witnesses=[self.witness])
        self.owner = LocalSigner.generate()
        self.issuer: Issuer = world.issuer(signer=self.owner)
        self.first = self.issuer.publish().view
        self.credential = self.issuer.issue(birth(), key="k")
        self.issuer.publish()
        self.policy = world.policy(self.issuer)
        self.before = world.knowledge(self.issuer)
        final = world.ledger.checkpoint()
        self.succession = Succession(self.logs[0], final.size, final.root, self.logs[1])
        self.ledger = Ledger.open("memory:", origin=NEW, signer=self.new_key, witnesses=[self.witness])

    def _witness(self, key=None):
        signer = key or self.world.witness_key
        return ReplayingWitness.open(
            "sqlite://", name="witness.example", signer=signer, logs=self.logs, clock=self.world.clock
        )

    def statement(self, *, cosigned=True):
        data = self.succession.propose(self.new_key, self.world.log_key)
        return (
            Proposal.parse(data).cosigned([self.witness.add_succession(data)]).encode() if cosigned else data
        )

    def after(self, *, cosigned=True, published=()):
        """The knowledge once the new log began, with nothing of the issuer's in it, ten days later."""
        statement = self.statement()
        self.ledger.append([self.succession.entry(self.new_key)])
        self.world.clock.advance(days=10)
        self.ledger.publish()
        told = statement if cosigned else self.statement(cosigned=False)
        return self.before.with_succession(told).refreshed(self.ledger, published)

    def check(self, knowledge, **options):
        return self.world.verifier(self.policy, knowledge, **options).check(self.credential)


@pytest.fixture
def move():
    return Move()


def test_a_credential_outlives_the_log_that_its_issuer_anchored_in(move):
    """Fresh by the new log, and the check says by which; a policy that names the old log goes on."""
    assert move.check(move.before)
    report = move.check(move.after())
    assert report
    assert report.fresh_as_of == move.world.clock.now
    assert report["anchor"].detail == f"judged by {NEW}, which succeeded {ORIGIN}"


def test_a_log_that_ended_grows_stale_without_its_successor(move):
    """The same evidence ten days later, without the statement."""
    move.after()
    assert move.check(move.before)["anchor"].code == "stale"


def test_published_documents_keep_what_the_old_log_said(move):
    """An issuer who publishes nothing in the new log is among those published all the same."""
    knowledge = move.after(published=move.issuer.published())
    assert all(one.former for one in (*knowledge.did_documents.values(), *knowledge.status_lists.values()))
    assert move.check(knowledge)


def test_a_folder_carries_it_all(move, tmp_path):
    """Statement, old receipts and the receipts for the owner's key come back as they were."""
    knowledge = move.after()
    knowledge.save(tmp_path / "knowledge")
    read = Knowledge.load(tmp_path / "knowledge")
    assert read == knowledge
    assert read.successions
    assert move.check(read)
    read.save(tmp_path / "knowledge")


@pytest.mark.parametrize("content", [b"", b"\xff", b"c2sp.org/tlog-proof@v1\nindex 0\n\n"])
def test_an_unreadable_statement_is_a_fault(move, tmp_path, content):
    """It is named, and nothing else is lost; and none is added by hand."""
    move.before.save(tmp_path / "knowledge")
    (tmp_path / "knowledge" / "logs" / "bad.succession").write_bytes(content)
    read = Knowledge.load(tmp_path / "knowledge")
    assert [fault.path for fault in read.faults] == ["logs/bad.succession"]
    assert move.check(read)
    with pytest.raises(Malformed):
        move.before.with_succession(content)


def test_one_receipt_of_two_is_a_fault(move, tmp_path):
    """Without the receipt for the owner's key the old one proves nothing."""
    move.after().save(tmp_path / "knowledge")
    next((tmp_path / "knowledge" / "status").glob("*.key.receipt")).unlink()
    assert [fault.code for fault in Knowledge.load(tmp_path / "knowledge").faults] == ["no-file"]


def test_a_statement_that_witnesses_did_not_make_changes_nothing(move):
    """Both logs' keys alone move no verifier: what is known of the old log decides, and it is old by now."""
    told = move.statement(cosigned=False)
    assert move.check(move.before.with_succession(told))
    moved = move.after(cosigned=False)
    report = move.check(moved)
    assert report.conclusion is Conclusion.UNDECIDED
    assert "succeeded" not in report["anchor"].detail
    assert not is_ended(move.world.views, ORIGIN)


def test_there_is_no_way_back(move):
    """Who saw the successor takes no evidence of the old log alone, however fresh it looks."""
    after = move.after()
    assert move.check(after)
    assert is_ended(move.world.views, ORIGIN)
    move.world.clock.advance(days=-10)
    report = move.check(move.before)
    assert (report["anchor"].code, "succeeded" in report["anchor"].detail) == ("rollback", True)
    assert move.check(move.before, views=MemoryViewStore())


def test_what_the_verifier_saw_of_the_old_log_has_to_be_its_end(move):
    """A verifier that stands before it is brought there by the proof that is known; without it, undecided."""
    early = MemoryViewStore()
    early.advance(None, move.first)
    after = move.after()
    assert move.check(after, views=early)
    store = MemoryViewStore()
    store.advance(None, move.first)
    logs = {name: log for name, log in after.logs.items() if name != ORIGIN}
    report = move.check(replace(after, logs=logs), views=store)
    assert report["anchor"].code == "final-checkpoint-unseen"
    assert store.load(NEW) is None


def test_a_log_that_was_seen_to_go_on_did_not_end(move):
    """Witnesses that end it earlier than it was seen, and those that name two successors."""
    after = move.after()
    views = MemoryViewStore()
    views.advance(None, replace(move.first, size=move.succession.size + 1))
    assert move.check(after, views=views)["anchor"].code == "rollback"
    other = MemoryViewStore()
    view = replace(move.first, origin=f"vcid.ledger/succession/{ORIGIN}", size=1)
    other.advance(None, view)
    report = move.check(after, views=other)
    assert (report["anchor"].code, "two-successors" in report["anchor"].detail) == ("fork", True)


def test_the_new_logs_entries_supersede_the_old_ones(move):
    """Carried over whole, the new log answers for itself; what the owner then adds supersedes."""
    data = move.statement()
    carry_over(move.world.ledger, move.ledger, move.succession, move.new_key)
    move.ledger.publish()
    known = move.before.with_succession(data).refreshed(move.ledger, [])
    assert not any(one.former for one in known.status_lists.values())
    assert move.check(known)
    for identifier, document in known.status_lists.items():
        last = document.entry
        digest, seq = bytes(32), last.seq + 1
        move.ledger.append(
            [Entry.sign(move.owner, kind=last.kind, list_id=identifier, seq=seq, digest=digest)]
        )
    move.ledger.publish()
    assert move.check(known.refreshed(move.ledger, []))["anchor"].code == "superseded"


def test_a_key_given_up_in_the_new_log_gives_up_what_the_old_one_holds(move):
    """The receipt for the owner's key is at the new log's checkpoint, and decides."""
    knowledge = move.after()
    change = Entry.change_key(move.owner, LocalSigner.generate().public_key, seq=0)
    move.ledger.append([change])
    move.ledger.publish()
    renewed = knowledge.refreshed(move.ledger, [])
    assert move.check(renewed)["anchor"].code == "not-anchored"
    old_keys = {
        name: replace(one, former=knowledge.status_lists[name].former)
        for name, one in renewed.status_lists.items()
    }
    assert not move.check(replace(renewed, status_lists=old_keys))


# A log that shows two versions of itself


def fork(world):
    """A credential with what is known of it in one version of a log, and in another of the same size."""
    issuer = world.issuer()
    issuer.publish()
    credential = issuer.issue(birth(), key="k")
    known = world.knowledge(issuer)
    other = World(clock=world.clock, log_key=world.log_key, witness_key=world.witness_key)
    stranger = LocalSigner.generate()
    size = world.ledger.checkpoint().size - 1
    other.ledger.append(
        [
            Entry.sign(stranger, kind=Kind.STATUS_LIST, list_id=f"{one}", seq=0, digest=bytes(32))
            for one in range(size)
        ]
    )
    return issuer, credential, known, other.ledger.publish()


def test_a_fork_reaches_the_caller_with_its_evidence():
    """By the memory of views: the report has one file, which the log's key alone verifies."""
    world = World()
    issuer, credential, known, view = fork(world)
    world.views.advance(None, view)
    report = world.verifier(world.policy(issuer), known).check(credential)
    assert report["anchor"].code == "fork"
    [evidence] = report.evidence
    assert evidence not in repr(report).encode()
    assert "evidence" not in str(report.to_json())
    verify_evidence(evidence, NoteKey.of_log(ORIGIN, world.log_key.public_key))


def test_a_fork_between_receipt_and_checkpoint_is_evidence_once():
    """However many documents show it, and in a presentation's report too."""
    world = World()
    issuer, credential, known, view = fork(world)
    forked = replace(known, logs={ORIGIN: KnownLog(view.note)})
    report = world.verifier(world.policy(issuer), forked).check(credential)
    assert report["anchor"].code == "fork"
    assert len(report.evidence) == 1
    presented = PresentationReport(checks=(), credentials=(report, report), at=report.at, now=report.now)
    assert presented.evidence == report.evidence


def test_what_is_no_fork_has_no_evidence(move):
    """Neither what is verified nor what is stale."""
    assert move.check(move.before).evidence == ()
    move.world.clock.advance(days=10)
    assert move.check(move.before).evidence == ()

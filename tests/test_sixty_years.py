"""Sixty years of one registry: what it signed in 2026 is believed in 2086, and what a thief signed never is.

A registry with a did:webvh issues from 2026 on and goes over to another key every year. The key of 2030 is
stolen, which is noticed in 2031. Its DID moves to another host in 2040. A child of 2026 has her credential
bound to a key of her own in 2044. In 2086 somebody who knows nothing yet gets a policy, fresh knowledge and
the papers, and then again with one thing after the other missing.
"""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta

import pytest

from histories import Controller, anchor
from vcid.credentials.birth import Registration, RegistrationType
from vcid.credentials.model import Credential
from vcid.dids.methods import child_identity, did_key
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import UncertainDate
from vcid.encoding.json import parse_object
from vcid.holder import Holder
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.ledger.receipts import Receipt
from vcid.ledger.views import MemoryViewStore
from vcid.orders import Renewal
from vcid.policy import Policy
from vcid.report import CheckName, Conclusion, Outcome, Report
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.securing.existence import existence_digest
from world import World, birth

pytestmark = pytest.mark.slow

FIRST, LAST = 2026, 2086
STOLEN = 2030
THEFT = datetime(2030, 12, 1, tzinfo=UTC)
CHALLENGE = "drawn-for-this-occasion"


def born(year: int, number: int):
    registration = Registration(
        number=f"R-{number}",
        date=date(year, 2, 25),
        jurisdiction="KE",
        office="Example Office",
        type=RegistrationType.CURRENT,
    )
    return birth(birth_date=UncertainDate.parse(f"{year}-02-20"), registration=registration)


def subject_of(credential: Credential) -> str:
    return parse_object(credential.content)["credentialSubject"]["id"]


@dataclass
class Story:
    """The registry and everybody's papers, as the years go by."""

    world: World = field(default_factory=World)
    signers: dict[int, LocalSigner] = field(default_factory=dict)
    papers: dict[str, Credential] = field(default_factory=dict)
    receipts: list[Receipt] = field(default_factory=list)
    revoked: dict = field(default_factory=dict)
    seen: dict[str, Knowledge] = field(default_factory=dict)
    adult: LocalSigner = field(default_factory=LocalSigner.generate)
    controller: Controller = field(init=False)
    issuer: Issuer = field(init=False)

    def open(self) -> None:
        """The office opens with the key of the year; two children are registered."""
        self.turn_to(FIRST)
        signer = self.signers[FIRST] = LocalSigner.generate()
        self.controller = Controller(self.world.clock, [signer.public_key])
        self.issuer = self.world.issuer(
            self.controller.did,
            signer=signer,
            registry=self.world.registry(),
            did_log=self.controller.log,
        )
        self.issuer.publish()
        self.first_name = self.issuer.did
        self.papers["amina, child"] = self.issuer.issue(
            born(FIRST, 1), key="amina", child_did=child_identity().did
        )
        self.papers["baraka"] = self.issuer.issue(born(FIRST, 2), key="baraka")
        self.issuer.publish()

    def turn_to(self, year: int, month: int = 3) -> None:
        self.world.clock.now = datetime(year, month, 1, 12, tzinfo=UTC)

    def rotate(self, year: int) -> None:
        """Every first of March another key signs, and the former one stays listed."""
        self.turn_to(year)
        following = self.signers[year] = LocalSigner.generate()
        log = self.list_keys()
        practice = replace(self.issuer._practice, did_log=log)
        self.issuer = self.issuer.rotate(following, practice=practice)

    def list_keys(self) -> bytes:
        keys = [signer.public_key for signer in self.signers.values()]
        return self.controller.list_keys(keys, revoked=self.revoked)

    def reopen(self, year: int) -> None:
        """With the log as it is now, and the same registry and key."""
        registry, practice = (
            self.issuer._registry,
            replace(self.issuer._practice, did_log=self.controller.log),
        )
        self.issuer = Issuer(
            self.controller.did,
            self.signers[year],
            registry=registry,
            ledger=self.world.ledger,
            practice=practice,
        )
        self.issuer.publish()

    def notice_the_theft(self) -> None:
        """In June 2031: the key of 2030 is revoked, back to the day it was stolen."""
        self.turn_to(2031, month=6)
        self.seen["before the theft was noticed"] = self.world.knowledge(self.issuer)
        self.revoked[self.signers[STOLEN].public_key] = THEFT
        self.list_keys()
        self.reopen(2031)

    def forge(self) -> None:
        """In 2032 the thief signs, as of 2030, and has it anchored as well as he can."""
        self.turn_to(2032, month=7)
        true = parse_object(self.papers["chiku"].content)
        del true["proof"]
        true["credentialSubject"]["names"] = [{"full": "Bought Child", "kind": "legal"}]
        stolen = self.signers[STOLEN]
        options = ProofOptions(
            verification_method=f"{self.first_name}#{stolen.public_key.multikey}",
            created=datetime(2030, 6, 1, tzinfo=UTC),
        )
        forged = add_proof(true, stolen, options, contexts=Contexts.carried())
        self.papers["forged"] = Credential.from_json(forged)
        self.receipts.append(anchor(self.world.ledger, existence_digest(forged)))

    def come_of_age(self) -> None:
        """In 2044 the child of 2026 shows that she has a key, and is bound to it."""
        self.turn_to(2044, month=5)
        holder = Holder(did_key(self.adult.public_key), self.adult, clock=self.world.clock)
        renewal = Renewal(
            key="amina, of age",
            former="amina",
            dids={subject_of(self.papers["amina, child"]): holder.did},
        )
        control = holder.prove_control(challenge=CHALLENGE, domain=self.issuer.did)
        self.papers["amina"] = self.issuer.rebind(renewal, control, challenge=CHALLENGE)
        self.issuer.publish()

    def tell(self) -> None:
        self.open()
        for year in range(FIRST + 1, LAST + 1):
            if year == 2040:
                self.seen["before the move"] = self.world.knowledge(self.issuer)
                self.turn_to(year, month=1)
                self.controller.move("registry.example")
                self.reopen(year - 1)
            if year == LAST:
                self.seen["before the last change of key"] = self.world.knowledge(self.issuer)
            self.rotate(year)
            if year == STOLEN:
                self.papers["chiku"] = self.issuer.issue(born(STOLEN, 3), key="chiku")
                self.issuer.publish()
            elif year == 2031:
                self.notice_the_theft()
            elif year == 2032:
                self.forge()
            elif year == 2044:
                self.come_of_age()
        self.turn_to(LAST, month=4)
        self.issuer.publish()
        self.receipts.append(self.issuer.existence("chiku"))

    def knowledge(self, **changes: object) -> Knowledge:
        """Fresh in 2086, with the receipts that the papers' holders kept."""
        fresh = self.world.knowledge(self.issuer)
        for name, receipt in zip(("forged", "chiku"), self.receipts, strict=True):
            fresh = fresh.with_existence(self.papers[name], receipt)
        return replace(fresh, **changes)

    def policy(self, **changes: object) -> Policy:
        """A policy of somebody who heard of the registry by its first name."""
        granted = self.world.accreditation(self.issuer, document_digest=None)
        granted = replace(granted, issuer=self.first_name)
        return self.world.policy(**{"accreditations": (granted,), "time_honest": True, **changes})

    def check(self, name: str, **changes: object) -> Report:
        policy, knowledge = changes.pop("policy", self.policy()), changes.pop("knowledge", self.knowledge())
        changes.setdefault("views", MemoryViewStore())
        return self.world.verifier(policy, knowledge, **changes).check(self.papers[name])


@pytest.fixture(scope="module")
def story():
    told = Story()
    told.tell()
    return told


GOOD = ("baraka", "chiku", "amina")


@pytest.mark.parametrize("name", GOOD)
def test_what_was_true_is_believed(story, name):
    """A child of 2026, one of the stolen key's good days, and the young woman who was rebound in 2044."""
    report = story.check(name)
    assert report, report
    assert report.fresh_as_of == story.world.clock.now


def test_the_young_woman_presents_it_herself(story):
    """At sixty, with the key that nobody else ever had."""
    holder = Holder(did_key(story.adult.public_key), story.adult, clock=story.world.clock)
    shown = holder.present([story.papers["amina"]], challenge=CHALLENGE, domain="border.example")
    verifier = story.world.verifier(story.policy(), story.knowledge(), views=MemoryViewStore())
    report = verifier.check_presentation(shown, challenge=CHALLENGE, domain="border.example")
    assert report, report


def test_the_childs_paper_reads_superseded(story):
    """Not revoked, and not good either: there is a newer one."""
    report = story.check("amina, child")
    assert report.conclusion is Conclusion.UNDECIDED
    assert report[CheckName.STATUS].code == "superseded"


def test_the_forgery_never_verifies(story):
    """Under every policy, with any evidence, asked about any year, by everything the verifier could know."""
    moments = [None, datetime(2030, 7, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)]
    for time_honest in (True, False):
        for at in moments:
            policy, known = story.policy(time_honest=time_honest), story.knowledge()
            verifier = story.world.verifier(policy, known, views=MemoryViewStore())
            report = verifier.check(story.papers["forged"], at=at, existence=story.receipts)
            # By Controlled Identifiers 1.0 alone, a question about 2030 has the key of 2030 for an answer.
            asked_about_the_past = not time_honest and at == moments[1]
            assert bool(report) == asked_about_the_past, report
    for known in story.seen.values():
        assert not story.check("forged", knowledge=known)
    assert story.check("forged", policy=story.policy(time_honest=False))[CheckName.KEY].code == "key-revoked"
    assert story.check("forged")[CheckName.KEY].code == "key-closed"


def without_key_proof(receipt: Receipt) -> Receipt:
    """A head receipt with what it says of the owner's changes of key taken out."""
    head, _, rest = receipt.body.decode().partition("\n\n")
    lines = head.split("\n")
    start = next(number for number, line in enumerate(lines) if line.startswith("key-"))
    return replace(receipt, body=("\n".join(lines[:start]) + "\n\n" + rest).encode())


def cut(story: Story, entries: int) -> dict:
    """The registry's log with its first entries alone."""
    ((did, held),) = story.knowledge().did_documents.items()
    content = b"".join(held.content.splitlines(keepends=True)[:entries])
    return {did: replace(held, content=content)}


MISSING = {
    "did log": lambda story, known: replace(known, did_documents={}),
    "did log after the move": lambda story, known: replace(known, did_documents=cut(story, 15)),
    "did log after the theft": lambda story, known: replace(known, did_documents=cut(story, 5)),
    "did log's last entry": lambda story, known: replace(known, did_documents=cut(story, -1)),
    "did log's receipt": lambda story, known: replace(
        known, did_documents={did: replace(it, receipt=None) for did, it in known.did_documents.items()}
    ),
    "checkpoint": lambda story, known: replace(known, logs={}),
    "status lists": lambda story, known: replace(known, status_lists={}),
    "status lists' receipts": lambda story, known: replace(
        known, status_lists={url: replace(it, receipt=None) for url, it in known.status_lists.items()}
    ),
    "changes of key in the log's receipt": lambda story, known: replace(
        known,
        did_documents={
            did: replace(it, receipt=without_key_proof(it.receipt)) for did, it in known.did_documents.items()
        },
    ),
    "changes of key in the lists' receipts": lambda story, known: replace(
        known,
        status_lists={
            url: replace(it, receipt=without_key_proof(it.receipt)) for url, it in known.status_lists.items()
        },
    ),
    "everything since the last change of key": lambda story, known: replace(
        story.seen["before the last change of key"], existence=known.existence
    ),
    "everything since the move": lambda story, known: replace(
        story.seen["before the move"], existence=known.existence
    ),
    "everything": lambda story, known: Knowledge(),
}


@pytest.mark.parametrize("what", MISSING)
@pytest.mark.parametrize("name", [*GOOD, "forged"])
def test_without_a_piece_of_evidence_nothing_verifies(story, what, name):
    """Undecided for the true ones, with the reason; the forgery fails or stays undecided."""
    report = story.check(name, knowledge=MISSING[what](story, story.knowledge()))
    assert report.conclusion is not Conclusion.VERIFIED, report
    if name != "forged":
        assert report.conclusion is Conclusion.UNDECIDED, report


@pytest.mark.parametrize("name", GOOD)
def test_without_a_memory_of_views_nothing_verifies(story, name):
    """Nobody could say that the knowledge was not rolled back."""
    report = story.check(name, views=None)
    assert (report.conclusion, report[CheckName.ANCHOR].code) == (Conclusion.UNDECIDED, "no-view-store")


def test_what_the_stolen_key_signed_needs_receipt_and_policy(story):
    """Without its receipt it is open; by Controlled Identifiers 1.0 it fails. Nobody else's paper needs either."""
    known = story.knowledge(existence={})
    plain = story.policy(time_honest=False)
    assert story.check("chiku", knowledge=known)[CheckName.KEY].code == "key-closed"
    failed = story.check("chiku", policy=plain)[CheckName.KEY]
    assert (failed.outcome, failed.code) == (Outcome.FAILED, "key-revoked")
    for name in ("baraka", "amina"):
        assert story.check(name, knowledge=known, policy=plain)


def test_the_forgers_receipt_does_not_lend_itself(story):
    """Nor the true paper's to the forgery: a receipt is for one digest."""
    crossed = dict(zip(story.knowledge().existence, reversed(story.receipts), strict=True))
    known = story.knowledge(existence=crossed)
    for name in ("chiku", "forged"):
        assert story.check(name, knowledge=known)[CheckName.KEY].code == "key-closed"


def test_a_policy_may_use_the_new_name(story):
    """Both names are the registry's, and a stranger's are not."""
    granted = story.policy().accreditations[0]
    for did, is_known in ((story.issuer.did, True), (f"{story.issuer.did}x", False)):
        policy = story.policy(accreditations=(replace(granted, issuer=did),))
        assert bool(story.check("baraka", policy=policy)) == is_known


def test_it_all_fits_in_a_folder(story, tmp_path):
    """Carried to where there is no network; what is in it and how big is what this prints."""
    story.knowledge().save(tmp_path / "knowledge")
    known = Knowledge.load(tmp_path / "knowledge")
    assert known.faults == ()
    for name in GOOD:
        assert story.check(name, knowledge=known)
    assert not story.check("forged", knowledge=known)
    (log,) = (tmp_path / "knowledge" / "dids").glob("*.jsonl")
    assert log.stat().st_size < 4 << 20


def test_evidence_goes_stale_as_ever(story):
    """Sixty years change nothing about last week's status."""
    verifier = story.world.verifier(story.policy(), story.knowledge(), views=MemoryViewStore())
    now = story.world.clock.now
    story.world.clock.now = now + timedelta(days=8)
    try:
        assert verifier.check(story.papers["baraka"])[CheckName.ANCHOR].code == "stale"
    finally:
        story.world.clock.now = now

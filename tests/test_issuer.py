"""The issuer: idempotent, durable, and unwilling to go on from a restored backup."""

import hashlib
import json
import multiprocessing
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from issuing_worker import open_issuer, place, race
from vcid.credentials.birth import Name, Parent, ParentageStatus
from vcid.credentials.guardianship import (
    Act,
    AuthorityRole,
    Basis,
    Dependent,
    Guardian,
    Guardianship,
    Majority,
    Relation,
)
from vcid.dids.methods import did_key
from vcid.drafting import Practice
from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType
from vcid.errors import Behind, Conflict, InvalidProof, InvalidRecord, Unavailable
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.ledger.batches import BatchReceipt, date_existence
from vcid.ledger.entries import Entry, Kind, topic
from vcid.ledger.log import Ledger
from vcid.orders import Order
from vcid.status.registry import Registry
from world import COURT, ORIGIN, REGISTRY, START, World, birth


def guardianship(**changes):
    """An ordinary arrangement that follows from parentage."""
    record = Guardianship(
        dependent=Dependent(child_ref="A" * 21 + "A", birth_issuer=REGISTRY),
        guardians=[Guardian(relation=Relation.PARENT, id=did_key(LocalSigner.generate().public_key))],
        basis=Basis.PARENTAGE,
        issuing_authority_role=AuthorityRole.CIVIL_REGISTRY,
        jurisdiction="KE",
        valid_from=START,
        permitted_acts=[Act.SCHOOL_ENROL],
        ends_at_majority=Majority(age=18, jurisdiction="KE"),
    )
    return replace(record, **changes)


@pytest.fixture
def world():
    return World()


@pytest.fixture
def issuer(world):
    issuer = world.issuer()
    issuer.publish()
    return issuer


# Issuing


def test_a_form_sent_twice_issues_once(issuer):
    """The same key and the same record give the same bytes, though the child's reference is drawn anew."""
    first = issuer.issue(birth(), key="row-1")
    assert issuer.issue(birth(), key="row-1") == first
    assert issuer.find("row-1") == first
    assert issuer.find("row-2") is None


@pytest.mark.parametrize("changes", [{"names": []}, {"birth_order": 2}])
def test_a_key_that_stands_for_another_record_is_refused(issuer, changes):
    """Nothing is overwritten; the first credential stays."""
    first = issuer.issue(birth(), key="row-1")
    with pytest.raises((Conflict, InvalidRecord)):
        issuer.issue(birth(**changes), key="row-1")
    with pytest.raises(Conflict) as caught:
        issuer.issue(birth(2), key="row-1")
    assert caught.value.code == "key-reused"
    assert issuer.find("row-1") == first


def test_what_the_caller_stated_beside_the_record_is_sent_again_with_it(issuer):
    """The same DID and the same end, in whatever time zone, are the same order."""
    did = did_key(LocalSigner.generate().public_key)
    end = START + timedelta(days=30)
    orders = [
        Order(key="k", record=birth(), child_did=did, valid_until=moment)
        for moment in (end, end.astimezone(timezone(timedelta(hours=3))))
    ]
    one, two = issuer.issue_many(orders)
    assert one.credential == two.credential


@pytest.mark.parametrize("stated", ["child_did", "valid_until"])
def test_another_identity_or_end_under_the_same_key_is_another_order(issuer, stated):
    """The caller would else be handed a credential that does not say what was asked for."""
    changes = {
        "child_did": (did_key(LocalSigner.generate().public_key) for _ in range(2)),
        "valid_until": (START + timedelta(days=days) for days in (30, 60)),
    }[stated]
    plain = Order(key="plain", record=birth())
    orders = [Order(key="k", record=birth(), **{stated: value}) for value in changes]
    first, second, _, later = issuer.issue_many([*orders, plain, replace(orders[0], key="plain")])
    assert first.credential
    assert second.error.code == "key-reused"
    assert later.error.code == "key-reused"


def test_two_different_records_under_one_key_in_one_batch(issuer):
    """The first is issued, the second is a conflict; neither takes the other's content."""
    one, two = issuer.issue_many([Order(key="k", record=birth(1)), Order(key="k", record=birth(2))])
    assert parse_object(one.credential.content)["credentialSubject"]["registration"]["number"] == "R-1"
    assert two.error.code == "key-reused"


def test_one_bad_record_takes_nothing_from_the_others(issuer):
    """Each order is answered in its place, all faults of the bad one at once."""
    orders = [
        Order(key="a", record=birth(1)),
        Order(key="b", record=birth(2, names=[], birth_order=2)),
        Order(key="c", record=birth(3)),
    ]
    a, b, c = issuer.issue_many(orders)
    assert a.credential
    assert c.credential
    assert b.credential is None
    assert len(b.error.errors) >= 2
    with pytest.raises(InvalidRecord):
        issuer.issue(orders[1].record, key="b")


def test_a_record_that_its_schema_refuses_stops_nobody_else(issuer):
    """What only the schema finds is an error of that order; the others of its transaction are issued."""
    odd = birth(2, names=[Name(full="Amina Example", lang="en"), Name(full="x" * 2000)])
    answers = list(issuer.issue_many([Order(key="a", record=odd), Order(key="b", record=birth(1))]))
    assert answers[0].error
    assert answers[1].credential


def unwritable(case):
    """Records that pass as records, and can't be written, described or signed as credentials."""
    both = {"parentage_status": ParentageStatus.ALL}
    parents = {
        "relative": [Parent(label="mother", id="did:x:%zz")],
        "described-twice": [Parent(label=label, id="did:key:z6Mk1") for label in ("mother", "father")],
        "poison": [
            Parent(label="p", names=[Name(full=f"P{chr(65 + n // 26)}{chr(65 + n % 26)}") for n in range(50)])
            for _ in range(50)
        ],
    }
    return birth(2, **both, parents=parents[case])


@pytest.mark.parametrize("case", ["relative", "described-twice", "poison"])
def test_a_record_that_only_signing_refuses_keeps_neither_its_key_nor_its_neighbours(world, case):
    """It is answered with its fault; the others are issued, and the corrected record has the same key."""
    issuer = world.issuer(cryptosuite="eddsa-rdfc-2022")
    issuer.publish()
    poison = Order(key="b", record=unwritable(case))
    orders = [Order(key="a", record=birth(1)), poison, Order(key="c", record=birth(3))]
    a, b, c = issuer.issue_many(orders)
    assert a.credential
    assert c.credential
    (fault,) = b.error.errors
    assert fault.code
    assert fault.expected
    corrected = issuer.issue(birth(2), key="b")
    assert place(corrected) not in (place(a.credential), place(c.credential))
    with pytest.raises(Conflict):
        issuer.issue(birth(4), key="b")


@pytest.mark.parametrize("hours", [14, -12])
def test_a_moment_at_the_edge_of_time_stops_nobody_else(issuer, hours):
    """What no calendar can write in UTC is a fault of that order alone."""
    zone = timezone(timedelta(hours=hours))
    moment = datetime(1, 1, 1, tzinfo=zone) if hours > 0 else datetime(9999, 12, 31, 23, tzinfo=zone)
    orders = [
        Order(key="a", record=birth(1), valid_until=moment),
        Order(key="b", record=guardianship(valid_from=moment)),
        Order(key="c", record=birth(3)),
    ]
    a, b, c = issuer.issue_many(orders)
    assert isinstance(a.error, InvalidRecord)
    assert isinstance(b.error, InvalidRecord)
    assert c.credential
    assert issuer.issue(birth(1), key="a")


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"valid_until": datetime(2030, 1, 1)}, ValueError),
        ({"record": None}, TypeError),
    ],
)
def test_an_order_that_can_only_be_a_mistake_is_refused_at_once(changes, error):
    """Before it stands in any batch."""
    with pytest.raises(error):
        Order(**{"key": "k", "record": birth(), **changes})


def test_nothing_can_be_issued_before_something_is_published(world):
    """An index that verifiers don't know yet is never given out."""
    with pytest.raises(Conflict) as caught:
        world.issuer().issue(birth(), key="a")
    assert caught.value.code == "no-room"


def test_a_guardianship_is_issued_for_its_own_period(world, issuer):
    """The credential's validity is the arrangement's, and a verifier accepts it within."""
    credential = issuer.issue(guardianship(), key="g")
    verifier = world.verifier(world.policy(issuer), world.knowledge(issuer))
    report = verifier.check(credential)
    assert report, str(report)
    assert parse_object(credential.content)["validFrom"] == "2026-03-01T12:00:00Z"


@pytest.mark.parametrize(
    ("key_type", "cryptosuite"),
    [
        (KeyType.ED25519, "ecdsa-jcs-2019"),
        (KeyType.P256, "eddsa-jcs-2022"),
        (KeyType.P384, "eddsa-rdfc-2022"),
    ],
)
def test_a_suite_that_does_not_fit_the_key_is_misuse(world, key_type, cryptosuite):
    """Said at construction, not at the first child."""
    with pytest.raises(ValueError):
        world.issuer(key_type=key_type, cryptosuite=cryptosuite)


def test_an_issuer_without_a_host_has_to_say_where_its_lists_stand(world):
    """A did:key has no URL; a did:web's lists stand below it by default."""
    signer = LocalSigner.generate()
    with pytest.raises(ValueError):
        Issuer(
            "did:key:" + signer.public_key.multikey, signer, registry=world.registry(), ledger=world.ledger
        )
    issuer = Issuer(
        "did:web:civil.example:births",
        signer,
        registry=world.registry(),
        ledger=world.ledger,
        practice=Practice(clock=world.clock),
    )
    lists = issuer.publish().lists
    assert all(it.list_id.startswith("https://civil.example/births/status/") for it in lists)


def test_a_registry_belongs_to_the_first_issuer_that_opens_it(tmp_path):
    """The same DID and key open it again, in another process too; its credentials are still there."""
    _, issuer = open_issuer(tmp_path)
    issuer.publish()
    issued = issuer.issue(birth(), key="a")
    _, again = open_issuer(tmp_path)
    assert again.find("a") == issued


@pytest.mark.parametrize("other", ["did", "key"])
def test_another_issuer_is_refused_the_registry(tmp_path, other):
    """It would revoke, and publish, what is not its own; the owner goes on undisturbed."""
    world, issuer = open_issuer(tmp_path)
    issuer.publish()
    did = COURT if other == "did" else REGISTRY
    signer = LocalSigner.generate() if other == "key" else issuer._signer
    for _ in range(2):
        with pytest.raises(Conflict) as caught:
            world.issuer(did, signer=signer)
        assert caught.value.code == "other-registry"
    assert issuer.issue(birth(), key="a")


def test_an_issuer_that_can_not_work_binds_no_registry(tmp_path):
    """A suite that does not fit is said first, and the mended issuer has the registry."""
    world = World(tmp_path)
    signer = LocalSigner.generate()
    with pytest.raises(ValueError):
        world.issuer(signer=signer, cryptosuite="ecdsa-jcs-2019")
    assert world.issuer(COURT)


def test_no_credential_holds_the_callers_key_or_another_ones_identity(issuer):
    """The key stays in the registry; ids, DIDs and references are fresh each time."""
    one, two = (parse_object(issuer.issue(birth(n), key=f"secret-{n}").content) for n in (1, 2))
    assert "secret" not in json.dumps(one)
    assert one["id"] != two["id"]
    assert one["credentialSubject"]["id"] != two["credentialSubject"]["id"]
    assert one["credentialSubject"]["childRef"] != two["credentialSubject"]["childRef"]


# Revoking and publishing


def test_revoking_by_key_and_by_credential_is_the_same_and_happens_once(issuer):
    """The answer says whether this call did it."""
    one, two = issuer.issue(birth(1), key="a"), issuer.issue(birth(2), key="b")
    assert issuer.revoke(key="a")
    assert not issuer.revoke(credential=one)
    assert issuer.revoke(credential=two)


def test_what_was_never_issued_can_not_be_revoked(issuer, world):
    """Neither an unknown key, nor another registry's credential, nor nothing at all."""
    other = world.issuer()
    other.publish()
    foreign = other.issue(birth(), key="x")
    for arguments in ({"key": "unknown"}, {"credential": foreign}):
        with pytest.raises(Conflict) as caught:
            issuer.revoke(**arguments)
        assert caught.value.code == "not-found"
    with pytest.raises(TypeError):
        issuer.revoke()


def test_a_publication_without_changes_is_a_heartbeat(world, issuer):
    """The list and the checkpoint are new, the DID document is not anchored twice."""
    before = world.ledger.checkpoint()
    world.clock.advance(days=1)
    publishing = issuer.publish()
    assert publishing.view.size == before.size + 4, "the entries of two lists and a batch, and the heads leaf"


def test_rooms_for_many_are_made_ahead(world):
    """Asked for room, the publication opens as many lists as it takes."""
    issuer = world.issuer()
    assert len(issuer.publish(room=200_000).lists) >= 4


@pytest.mark.parametrize("room", [-1, 10_000_001])
def test_a_room_that_can_only_be_a_slip_is_refused(world, room):
    """Before a list is opened: a few zeros too many would fill the disk."""
    issuer = world.issuer()
    with pytest.raises(ValueError, match="room"):
        issuer.publish(room=room)
    assert issuer._registry.list_ids() == ()
    assert world.ledger.heads() == {}


# Restored backups


def snapshot(world, target):
    """Copy the registry's file as a backup program would."""
    source, copy = sqlite3.connect(world.folder / "registry.db"), sqlite3.connect(target)
    with copy:
        source.backup(copy)
    source.close()
    copy.close()


@pytest.fixture
def restored(tmp_path):
    """A registry restored from a backup taken before credentials were issued, revoked and published."""
    (tmp_path / "world").mkdir()
    world = World(tmp_path / "world")
    signer = LocalSigner.generate()
    registry = world.registry()
    issuer = world.issuer(signer=signer, registry=registry)
    issuer.publish()
    kept = issuer.issue(birth(1), key="kept")
    snapshot(world, tmp_path / "backup.db")
    lost = issuer.issue(birth(2), key="lost")
    issuer.revoke(key="kept")
    issuer.publish()
    published = {it.list_id: it.content for it in registry.published_lists()}
    registry.close()
    for leftover in world.folder.glob("registry.db*"):
        leftover.unlink()
    shutil.copy(tmp_path / "backup.db", world.folder / "registry.db")
    return world, world.issuer(signer=signer, registry=world.registry()), kept, lost, published


def test_a_restored_registry_neither_issues_nor_publishes(restored):
    """The ledger knows of a later publication: an index could be given out twice, a revocation be undone."""
    _, issuer, *_ = restored
    with pytest.raises(Behind):
        issuer.issue(birth(3), key="new")
    with pytest.raises(Behind):
        issuer.publish()
    with pytest.raises(Behind):
        list(issuer.issue_many([Order(key="new", record=birth(3))]))


def test_recovery_retires_the_lists_and_loses_no_revocation(restored):
    """Afterwards new credentials go to new lists, and what was revoked and published stays revoked."""
    world, issuer, kept, lost, published = restored
    report = issuer.recover(published)
    assert set(report.retired) == set(published)
    with pytest.raises(Conflict):
        issuer.issue(birth(3), key="new")
    issuer.publish()
    new = issuer.issue(birth(3), key="new")
    assert place(new)[0] not in published
    verifier = world.verifier(world.policy(issuer), world.knowledge(issuer))
    assert verifier.check(kept)["status"].code == "revoked"
    assert verifier.check(lost)
    assert verifier.check(new)


def test_recovery_without_the_published_lists_has_to_be_told_to_accept_the_loss(restored):
    """Revocations that only the lost registry knew would come undone."""
    _, issuer, *_ = restored
    with pytest.raises(Conflict) as caught:
        issuer.recover()
    assert caught.value.code == "contents-missing"
    assert issuer.recover(accept_loss=True).unmerged


def test_recovery_takes_no_list_that_the_ledger_does_not_vouch_for(restored):
    """A forged list could revoke the innocent."""
    _, issuer, _, _, published = restored
    forged = {list_id: content + b" " for list_id, content in published.items()}
    with pytest.raises(Conflict) as caught:
        issuer.recover(forged)
    assert caught.value.code == "not-published"


def test_recovery_merges_what_verifiers_hold_where_a_publication_broke_off(restored):
    """The day's lists were anchored and lost; yesterday's are taken, and nothing seen revoked comes back."""
    world, issuer, kept, _, published = restored
    list_id = next(iter(published))
    latest = world.ledger.latest(topic(issuer.owner, Kind.STATUS_LIST, list_id))
    broken_off = Entry.sign(
        issuer._signer, kind=Kind.STATUS_LIST, list_id=list_id, seq=latest.seq + 1, digest=b"x" * 32
    )
    world.ledger.append([broken_off])
    with pytest.raises(Conflict) as caught:
        issuer.recover(published)
    assert caught.value.code == "contents-missing"
    with pytest.raises(Conflict) as caught:
        issuer.recover({list_id: b"{}"}, accept_loss=True)
    assert caught.value.code == "not-published"
    assert issuer.recover(published, accept_loss=True).unmerged == (list_id,)
    issuer.publish()
    verifier = world.verifier(world.policy(issuer), world.knowledge(issuer))
    assert verifier.check(kept)["status"].code == "revoked"


def test_an_empty_registry_beside_a_used_ledger_is_a_lost_one(restored, tmp_path):
    """A new file in place of the old one is noticed as well."""
    world, issuer, *_ = restored
    fresh = world.issuer(signer=issuer._signer, registry=Registry.open(f"sqlite:///{tmp_path}/new.db"))
    with pytest.raises(Behind):
        fresh.publish()


# Lost and restored ledgers


def remove(folder, name):
    for leftover in folder.glob(f"{name}.db*"):
        leftover.unlink()


def close(world, issuer):
    for opened in (world.ledger, world.witness, issuer._registry):
        opened.close()


@pytest.fixture
def yesterday(tmp_path):
    """A folder in use, and a copy of it from before two publications."""
    folder = tmp_path / "world"
    folder.mkdir()
    world, issuer = open_issuer(folder)
    issuer.publish()
    issuer.issue(birth(1), key="a")
    close(world, issuer)
    shutil.copytree(folder, tmp_path / "yesterday")
    world, issuer = open_issuer(folder)
    issuer.revoke(key="a")
    issuer.publish()
    issuer.publish()
    close(world, issuer)
    return folder, tmp_path / "yesterday"


@pytest.mark.parametrize(
    ("lost", "restored", "said"),
    [
        (["ledger"], [], "older than the registry"),
        (["ledger", "witness"], [], "older than the registry"),
        (["ledger"], ["ledger"], "older than the registry"),
        (["ledger", "witness"], ["ledger", "witness"], "older than the registry"),
        (["ledger", "registry"], ["ledger", "registry"], "old copy of the log"),
    ],
)
def test_an_old_ledger_stops_issuing_and_publishing_before_anything_is_done(yesterday, lost, restored, said):
    """Its registry or its witness knows better; neither prepares, appends nor gives out anything."""
    folder, old = yesterday
    for name in lost:
        remove(folder, name)
    for name in restored:
        shutil.copy(old / f"{name}.db", folder / f"{name}.db")
    world, issuer = open_issuer(folder)
    before = (world.ledger.heads(), issuer._registry.published_lists())
    for refused in (
        lambda: issuer.issue(birth(2), key="b"),
        lambda: list(issuer.issue_many([Order(key="b", record=birth(2))])),
        issuer.publish,
        lambda: issuer.recover(accept_loss=True),
    ):
        with pytest.raises(Behind, match=said):
            refused()
    assert (world.ledger.heads(), issuer._registry.published_lists()) == before
    assert issuer.find("b") is None
    with issuer._registry._database.read() as transaction:
        assert transaction.execute("SELECT COUNT(*) FROM publication WHERE is_pending").fetchone() == (0,)


def test_the_newest_copy_of_the_ledger_put_back_is_the_mend(yesterday, tmp_path):
    """After the refusal everything goes on where it was."""
    folder, _ = yesterday
    shutil.copy(folder / "ledger.db", tmp_path / "newest.db")
    remove(folder, "ledger")
    world, issuer = open_issuer(folder)
    with pytest.raises(Behind):
        issuer.publish()
    close(world, issuer)
    remove(folder, "ledger")
    shutil.copy(tmp_path / "newest.db", folder / "ledger.db")
    _, issuer = open_issuer(folder)
    issuer.publish()
    assert issuer.issue(birth(2), key="b")


class Deaf:
    """A witness that can't be reached."""

    def __init__(self, witness):
        self.key = witness.key

    def checkpoint(self, origin):
        raise Unavailable("no route to the witness")

    def add_checkpoint(self, old_size, proof, note, leaves):
        raise Unavailable("no route to the witness")


def test_a_witness_out_of_reach_stops_publishing_and_not_issuing(world, issuer):
    """A family is not sent home for it; what is published must not be a fork."""
    signer, registry = issuer._signer, issuer._registry
    log = Ledger(world.ledger._store, origin=ORIGIN, signer=world.log_key, witnesses=[Deaf(world.witness)])
    cut_off = Issuer(REGISTRY, signer, registry=registry, ledger=log, practice=Practice(clock=world.clock))
    assert cut_off.issue(birth(), key="a")
    before = world.ledger.heads()
    with pytest.raises(Unavailable):
        cut_off.publish()
    assert world.ledger.heads() == before
    with registry._database.read() as transaction:
        assert transaction.execute("SELECT COUNT(*) FROM publication WHERE is_pending").fetchone() == (0,)


# Crashes, processes, threads


@pytest.mark.parametrize("step", ["append", "publish", "confirm"])
def test_a_publication_that_breaks_off_is_taken_up_again(world, step):
    """After a crash at any step the same lists are published, and no later publication is lost."""

    class Crash(Exception):
        pass

    class Breaking:
        """A ledger or registry whose next call of one method does its work and then dies."""

        def __init__(self, inner, method):
            self._inner, self._method, self.armed = inner, method, True

        def __getattr__(self, name):
            found = getattr(self._inner, name)
            if name != self._method or not self.armed:
                return found

            def breaking(*arguments, **options):
                self.armed = False
                if name != "confirm_publication":
                    found(*arguments, **options)
                raise Crash

            return breaking

    registry, signer = world.registry(), LocalSigner.generate()
    broken_ledger = Breaking(world.ledger, {"append": "append", "publish": "publish"}.get(step, ""))
    broken_registry = Breaking(registry, "confirm_publication" if step == "confirm" else "")
    practice = Practice(clock=world.clock)
    issuer = Issuer(REGISTRY, signer, registry=broken_registry, ledger=broken_ledger, practice=practice)
    with pytest.raises(Crash):
        issuer.publish()
    again = world.issuer(signer=signer, registry=registry)
    again.publish()
    credential = again.issue(birth(), key="a")
    assert world.verifier(world.policy(again), world.knowledge(again)).check(credential)
    assert {it.seq for it in registry.published_lists()} == {1}, "taken up, then published anew"


@pytest.mark.parametrize("method", ["fork", "spawn"])
def test_processes_at_once_share_keys_and_never_an_index(tmp_path, method):
    """One credential a key whoever asked first, and no index twice."""
    _, issuer = open_issuer(tmp_path)
    issuer.publish()
    context = multiprocessing.get_context(method)
    barrier, answers = context.Barrier(3), context.Queue()
    processes = [context.Process(target=race, args=(tmp_path, f"p{n}", barrier, answers)) for n in range(3)]
    for process in processes:
        process.start()
    found = [answers.get(timeout=60) for _ in range(120)]
    for process in processes:
        process.join()
    contents = {}
    for key, content, where in found:
        contents.setdefault(key, set()).add((content, where))
    assert all(len(versions) == 1 for versions in contents.values())
    assert len({where for versions in contents.values() for _, where in versions}) == 80


def test_an_issuer_and_a_verifier_may_be_carried_through_forks(tmp_path):
    """Both were opened and used before; four children and their parent go on with them, and nobody errs."""
    world, issuer = open_issuer(tmp_path)
    issuer.publish()
    verifier = world.verifier(world.policy(issuer), world.knowledge(issuer))
    before = issuer.issue(birth(0), key="before")
    assert verifier.check(before)
    children = []
    for child in range(4):
        process = os.fork()
        if process == 0:
            credentials = [issuer.issue(birth(number), key=f"{child}-{number}") for number in range(5)]
            os._exit(0 if all(verifier.check(each) for each in (before, *credentials)) else 1)
        children.append(process)
    mine = [issuer.issue(birth(number), key=f"parent-{number}") for number in range(5)]
    assert [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in children] == [0, 0, 0, 0]
    theirs = [issuer.find(f"{child}-{number}") for child in range(4) for number in range(5)]
    assert len({place(each) for each in (before, *mine, *theirs)}) == 26
    assert all(verifier.check(each) for each in (*mine, *theirs))


def test_threads_at_once_issue_once_a_key(tmp_path):
    """Eight threads, one issuer, forty keys asked for twice each."""
    _, issuer = open_issuer(tmp_path)
    issuer.publish()
    keys = [f"k{n % 40}" for n in range(80)]
    with ThreadPoolExecutor(8) as pool:
        issued = list(pool.map(lambda key: (key, issuer.issue(birth(int(key[1:])), key=key)), keys))
    assert len({credential.content for _, credential in issued}) == 40
    assert len({place(credential) for _, credential in issued}) == 40


@pytest.mark.slow
def test_killed_fifty_times_nothing_acknowledged_is_lost_and_nothing_doubled(tmp_path):
    """Kill -9 while issuing, revoking and publishing: what was answered stands, and the ledger is whole."""
    worker = [sys.executable, str(Path(__file__).with_name("issuing_worker.py")), str(tmp_path)]
    issued, revoked = {}, set()
    for turn in range(50):
        process = subprocess.Popen([*worker, f"t{turn}"], stdout=subprocess.PIPE, text=True)
        first = process.stdout.readline()
        time.sleep(0.002 * turn)
        os.kill(process.pid, signal.SIGKILL)
        for line in (first + process.stdout.read()).splitlines(keepends=True):
            if not line.endswith("\n"):
                continue
            word, *rest = line.rstrip("\n").split("\t")
            if word == "issued":
                issued[rest[0]] = rest[1]
            elif word == "revoked":
                revoked.add(rest[0])
        process.stdout.close()
        process.wait()
    world, issuer = open_issuer(tmp_path)
    issuer.publish()
    world.ledger.audit()
    assert len(issued) > 50
    for key, content in issued.items():
        assert issuer.find(key).content.decode() == content
    places = [place(issuer.find(key)) for key in issued]
    assert len(set(places)) == len(places)
    verifier = world.verifier(world.policy(issuer), world.knowledge(issuer), views=None)
    for key in issued:
        code = verifier.check(issuer.find(key))["status"].code
        if key in revoked:
            assert code == "revoked"
        elif int(key.rsplit("-", 1)[1]) % 3:
            assert code == "", "nobody asked for its revocation"


def test_issuing_a_thousand_is_quick_enough_for_a_morning(issuer):
    """A thousand credentials, signed, verified and durable, are issued in a few transactions."""
    orders = (Order(key=f"k{n}", record=birth(n)) for n in range(1000))
    assert sum(issued.credential is not None for issued in issuer.issue_many(orders)) == 1000


def test_a_practice_sets_how_long_lists_hold(world):
    """The list's validity is the practice's."""
    practice = Practice(clock=world.clock, list_validity=timedelta(days=3))
    issuer = Issuer(
        REGISTRY, LocalSigner.generate(), registry=world.registry(), ledger=world.ledger, practice=practice
    )
    for published in issuer.publish().lists:
        assert parse_object(published.content)["validUntil"] == "2026-03-04T12:00:00Z"


# Existence


def prove(world, issuer, key):
    receipt = issuer.existence(key)
    digest = hashlib.sha256(issuer.find(key).content).digest()
    return receipt and date_existence(digest, receipt, world.log_policy)


def test_existence_is_proven_from_the_next_publication_on(tmp_path):
    """Nothing before; then the time of the first checkpoint that has it, whatever is published later."""
    world, issuer = open_issuer(tmp_path)
    issuer.publish()
    issuer.issue(birth(), key="a")
    assert issuer.existence("a") is None
    world.clock.advance(days=1)
    issuer.publish()
    first = world.clock.now
    world.clock.advance(days=30)
    issuer.publish()
    assert prove(world, issuer, "a") == first
    assert issuer.existence("unknown") is None


def test_every_credential_has_its_receipt(tmp_path):
    """All of a batch, of this turn and the next, and each for itself alone."""
    world, issuer = open_issuer(tmp_path)
    issuer.publish()
    for turn in range(2):
        for _ in issuer.issue_many(Order(key=f"{turn}-{n}", record=birth(n)) for n in range(5)):
            pass
        issuer.publish()
    assert all(prove(world, issuer, f"{turn}-{n}") for turn in range(2) for n in range(5))
    other = hashlib.sha256(issuer.find("0-1").content).digest()
    with pytest.raises(InvalidProof):
        date_existence(other, issuer.existence("0-0"), world.log_policy)


def test_a_destroyed_salt_leaves_nothing_to_find(tmp_path):
    """The registry writes no receipt any more; one given out before goes on to hold."""
    world, issuer = open_issuer(tmp_path)
    issuer.publish()
    issuer.issue(birth(), key="a")
    issuer.publish()
    kept = issuer.existence("a")
    digest = hashlib.sha256(issuer.find("a").content).digest()
    assert world.registry().destroy_salt("a")
    assert not world.registry().destroy_salt("a")
    assert issuer.existence("a") is None
    assert date_existence(digest, kept, world.log_policy)


def test_a_destroyed_salt_is_in_no_file_and_no_salt_in_a_repr(tmp_path):
    """Whoever gets hold of the files, or of a log with a receipt in it, finds nobody by it."""
    world, issuer = open_issuer(tmp_path)
    issuer.publish()
    issuer.issue(birth(), key="a")
    issuer.publish()
    kept, receipt = world.registry().batch_place("a"), issuer.existence("a")
    shown = repr(kept) + repr(receipt) + repr(BatchReceipt.parse(receipt.body))
    assert repr(kept.salt) not in shown
    assert b64encode(kept.salt).decode() not in shown
    assert any(kept.salt in path.read_bytes() for path in tmp_path.iterdir())
    world.registry().destroy_salt("a")
    assert not any(kept.salt in path.read_bytes() for path in tmp_path.iterdir())


def test_a_turn_without_credentials_looks_like_any_other(tmp_path):
    """Every publication anchors one batch: nobody sees whether a child was registered."""
    world, issuer = open_issuer(tmp_path)
    for turn in range(4):
        if turn == 2:
            issuer.issue(birth(), key="a")
        issuer.publish()
    assert world.ledger.latest(topic(issuer.owner, Kind.BATCH_ROOT, "")).seq == 3

"""Restored backups: noticed, refused, and made safe without giving an index out twice or undoing a revocation."""

import sqlite3
from contextlib import closing

import pytest

from vcid.credentials.model import Credential
from vcid.encoding.json import parse_object
from vcid.errors import Behind, Conflict, Malformed
from vcid.status.bitstring import StatusListCredential
from vcid.status.registry import PublishedHead

DIGEST = b"d" * 32


def issue(office, key):
    reserved = office.registry.reserve(key, DIGEST)
    return office.registry.complete(reserved, Credential("application/vc", key.encode()))


def places(*issued):
    return {(entry.list_id, entry.index) for each in issued for entry in each.entries}


def set_bits(content):
    return set(StatusListCredential.parse(parse_object(content)).bits.set_indices())


def copy(source, target):
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(target)) as new:
        old.backup(new)


@pytest.fixture
def life(new_office, tmp_path):
    """A registry, the backup taken halfway through its life, and a way to go back to that backup."""

    class Life:
        office = new_office()

        def back_up(self):
            copy(tmp_path / "registry.db", tmp_path / "backup.db")

        def restore(self):
            restored = new_office("backup.db")
            restored.heads, restored.contents = dict(self.office.heads), dict(self.office.contents)
            return restored

    life = Life()
    life.office.publish()
    return life


def test_a_restored_backup_is_made_safe(life):
    """The whole story: issue, back up, issue, revoke, publish, restore, be refused, recover, go on."""
    before = [issue(life.office, f"before-{i}") for i in range(20)]
    life.back_up()
    after = [issue(life.office, f"after-{i}") for i in range(20)]
    life.office.registry.revoke(key="before-3")
    life.office.registry.revoke(key="after-5")
    life.office.publish()

    restored = life.restore()
    (missed,) = restored.registry.check_against(restored.heads)
    assert (missed.known_seq, missed.published_seq) == (0, 1)
    with pytest.raises(Behind, match="recover"):
        restored.registry.reserve("new", DIGEST)
    with pytest.raises(Behind, match="recover"):
        restored.prepare()

    report = restored.registry.recover(restored.heads, published=restored.contents)
    assert report.retired == (missed.list_id,)
    assert report.missed == (missed,)
    assert (report.adopted, report.lost, report.unmerged) == ((), (), ())
    assert report.bits_merged >= 2

    with pytest.raises(Conflict, match="no-room"):
        restored.registry.reserve("new", DIGEST)
    prepared = restored.publish()
    assert sorted(publication.seq for publication in prepared.publications) == [0, 2]
    new = [issue(restored, f"new-{i}") for i in range(20)]
    assert not places(*new) & places(*before, *after)
    assert {entry.list_id for each in new for entry in each.entries} == {
        publication.list_id for publication in prepared.publications if publication.seq == 0
    }
    assert [i for i, each in enumerate(before) if restored.says_revoked(each)] == [3]
    assert [i for i, each in enumerate(after) if restored.says_revoked(each)] == [5]
    assert restored.registry.check_against(restored.heads) == ()
    restored.registry.revoke(key="before-7")
    restored.publish()
    assert restored.says_revoked(before[7])


class TestNoticing:
    """What makes a registry behind, and what does not."""

    def test_a_current_registry_is_not_behind(self, life):
        """Published, prepared, anchored or not: its own versions raise no alarm."""
        office = life.office
        assert office.registry.check_against({}) == ()
        assert office.registry.check_against(office.heads) == ()
        prepared = office.prepare()
        assert office.registry.check_against(office.heads) == ()
        office.anchor(prepared)
        assert office.registry.check_against(office.heads) == ()
        old = dict(office.heads)
        office.registry.confirm_publication(prepared.publications)
        office.publish()
        assert office.registry.check_against(office.heads) == ()
        assert office.registry.check_against(old) == ()
        assert issue(office, "row-1")

    @pytest.mark.parametrize("case", ["later", "other-digest", "other-pending-digest", "unknown-list"])
    def test_anything_else_is_behind(self, life, case):
        """A later version, another version of the same number, or another list."""
        office = life.office
        ((list_id, head),) = office.heads.items()
        office.prepare()
        heads = {
            "later": {list_id: PublishedHead(head.seq + 2, b"x" * 32)},
            "other-digest": {list_id: PublishedHead(head.seq, b"x" * 32)},
            "other-pending-digest": {list_id: PublishedHead(head.seq + 1, b"x" * 32)},
            "unknown-list": {list_id: head, "https://civil.example/status/unknown": head},
        }[case]
        (missed,) = office.registry.check_against(heads)
        assert missed.list_id == (
            "https://civil.example/status/unknown" if case == "unknown-list" else list_id
        )
        with pytest.raises(Behind):
            office.registry.reserve("row-1", DIGEST)
        with pytest.raises(Behind):
            office.prepare()

    def test_the_refusal_lasts(self, life, new_office):
        """Neither a better answer later nor another process makes it forget; only a recovery does."""
        office = life.office
        reserved = office.registry.reserve("reserved", DIGEST)
        completed = issue(office, "completed")
        office.registry.check_against({"https://civil.example/status/x": PublishedHead(0, b"x" * 32)})
        assert office.registry.check_against(office.heads) == ()
        again = new_office()
        for refused in (
            lambda: again.registry.reserve("row-1", DIGEST),
            lambda: again.registry.reserve("reserved", DIGEST),
            lambda: again.registry.complete(reserved, Credential("application/vc", b"{}")),
        ):
            with pytest.raises(Behind):
                refused()
        assert again.registry.reserve("completed", DIGEST) == completed
        assert again.registry.revoke(key="completed")
        again.registry.recover(office.heads)
        again.heads = dict(office.heads)
        again.publish()
        assert issue(again, "row-1")


class TestRecovering:
    """What a recovery keeps, gives up and reports."""

    def test_a_reservation_is_given_up(self, life):
        """The lost copy may have completed it: the key gets another id and place, the old place nobody."""
        reserved = life.office.registry.reserve("row-1", DIGEST)
        life.back_up()
        restored = life.restore()
        assert restored.registry.recover(restored.heads).voided == 1
        restored.publish()
        again = restored.registry.reserve("row-1", DIGEST)
        assert again.credential_id != reserved.credential_id
        assert not places(again) & places(reserved)
        with pytest.raises(Conflict) as caught:
            restored.registry.complete(reserved, Credential("application/vc", b"{}"))
        assert caught.value.code == "reservation-void"

    def test_a_restore_that_left_no_trace_is_recovered_too(self, life):
        """Between two publications the ledger can't tell; recovering still leaves the doubtful list alone."""
        life.back_up()
        after = [issue(life.office, f"after-{i}") for i in range(50)]
        restored = life.restore()
        assert restored.registry.check_against(restored.heads) == ()
        report = restored.registry.recover(restored.heads)
        assert report.missed == ()
        assert len(report.retired) == 1
        restored.publish()
        assert not places(*(issue(restored, f"new-{i}") for i in range(50))) & places(*after)

    def test_a_list_that_was_unknown_is_adopted(self, life):
        """A list opened after the backup is published on, with its bits, and nothing is allocated from it."""
        life.back_up()
        life.office.publish(room=100_000)
        issued = [issue(life.office, f"after-{i}") for i in range(40)]
        life.office.registry.revoke(key="after-1")
        life.office.registry.revoke(key="after-2")
        life.office.publish()
        restored = life.restore()
        report = restored.registry.recover(restored.heads, published=restored.contents)
        assert len(report.adopted) == 1
        assert len(report.missed) == 2
        assert restored.registry.check_against(restored.heads) == ()
        prepared = restored.publish()
        assert sorted(publication.seq for publication in prepared.publications) == [0, 2, 3]
        assert [i for i, each in enumerate(issued) if restored.says_revoked(each)] == [1, 2]
        assert issue(restored, "new").entries[0].list_id not in {each.entries[0].list_id for each in issued}

    def test_a_retired_list_gets_no_more_decoys(self, life):
        """One could stand on the place of a credential that the registry has forgotten, and revoke it."""
        life.back_up()
        for number in range(20):
            issue(life.office, f"forgotten-{number}")
        life.office.publish()
        restored = life.restore()
        restored.registry.recover(restored.heads, published=restored.contents)
        (retired,) = restored.heads
        before = set_bits(restored.contents[retired])
        for _ in range(10):
            restored.publish()
        assert set_bits(restored.contents[retired]) == before
        assert len(restored.heads) == 2, "the new list has decoys as ever"

    def test_a_list_that_is_lost_is_reported_and_raises_no_alarm_again(self, life):
        """Without its contents it can't be published on; a later version of it is another alarm."""
        life.back_up()
        restored = life.restore()
        restored.heads["topic-1"] = PublishedHead(4, b"x" * 32)
        assert restored.registry.check_against(restored.heads)
        with pytest.raises(Conflict) as caught:
            restored.registry.recover(restored.heads)
        assert caught.value.code == "contents-missing"
        with pytest.raises(Behind):
            restored.registry.reserve("new", DIGEST)
        report = restored.registry.recover(restored.heads, accept_loss=True)
        assert report.lost == ("topic-1",)
        assert restored.registry.check_against(restored.heads) == ()
        restored.publish()
        assert issue(restored, "new")
        restored.heads["topic-1"] = PublishedHead(5, b"y" * 32)
        assert restored.registry.check_against(restored.heads)[0].known_seq == 4
        with pytest.raises(Behind):
            restored.registry.reserve("newer", DIGEST)

    def test_missing_contents_stop_it_unless_the_loss_is_accepted(self, life):
        """Publishing on without them would bring revoked credentials back to life: not by default."""
        issue(life.office, "before")
        life.back_up()
        life.office.registry.revoke(key="before")
        life.office.publish()
        restored = life.restore()
        ((list_id, head),) = restored.heads.items()
        restored.registry.check_against(restored.heads)
        with pytest.raises(Conflict) as caught:
            restored.registry.recover(restored.heads)
        assert caught.value.code == "contents-missing"
        with pytest.raises(Behind):
            restored.prepare()
        report = restored.registry.recover(restored.heads, accept_loss=True)
        assert report.unmerged == (list_id,)
        assert list_id not in {publication.list_id for publication in restored.registry.published_lists()}
        assert {p.list_id: p.seq for p in restored.publish().publications}[list_id] == head.seq + 1

    def test_a_content_older_than_the_newest_is_merged_and_the_rest_accepted_as_lost(self, life):
        """The newest version was anchored and never left the house: what verifiers saw stays revoked."""
        first, second = issue(life.office, "first"), issue(life.office, "second")
        life.back_up()
        life.office.registry.revoke(key="first")
        life.office.publish()
        ((list_id, at_hand),) = life.office.contents.items()
        life.office.registry.revoke(key="second")
        life.office.anchor(life.office.prepare())
        restored = life.restore()
        older = {list_id: at_hand}
        restored.registry.check_against(restored.heads)
        with pytest.raises(Conflict) as caught:
            restored.registry.recover(restored.heads, published=older)
        assert caught.value.code == "contents-missing"
        report = restored.registry.recover(restored.heads, published=older, accept_loss=True)
        assert (report.unmerged, report.lost) == ((list_id,), ())
        assert report.bits_merged
        assert restored.registry.published_lists() == (), "an old version is not served as the newest"
        assert {p.list_id: p.seq for p in restored.publish().publications}[list_id] == 3
        assert restored.says_revoked(first)
        assert not restored.says_revoked(second)

    def test_an_unknown_list_is_adopted_from_an_older_content_as_a_loss(self, life):
        """It can be published on and revoked in; what its newest version revoked is lost."""
        life.back_up()
        life.office.publish(room=100_000)
        issued = [issue(life.office, f"after-{i}") for i in range(20)]
        life.office.publish()
        at_hand = dict(life.office.contents)
        life.office.publish()
        restored = life.restore()
        with pytest.raises(Conflict, match="contents-missing"):
            restored.registry.recover(restored.heads, published=at_hand)
        report = restored.registry.recover(restored.heads, published=at_hand, accept_loss=True)
        assert len(report.adopted) == 1
        assert set(report.unmerged) == set(at_hand)
        restored.publish()
        assert restored.registry.check_against(restored.heads) == ()
        assert not any(restored.says_revoked(each) for each in issued)

    def test_an_older_content_of_a_list_that_is_current_is_no_loss(self, life):
        """The registry has all that was published of it already."""
        older = dict(life.office.contents)
        life.office.publish()
        report = life.office.registry.recover(life.office.heads, published=older)
        assert (report.unmerged, report.bits_merged) == ((), 0)
        assert len(life.office.registry.published_lists()) == 1

    @pytest.mark.parametrize("case", ["changed", "other-list", "unpublished"])
    def test_contents_that_the_ledger_does_not_vouch_for_are_refused(self, life, case):
        """A forged list would revoke at will; one under another name would revoke the wrong people."""
        office = life.office
        ((list_id, head),) = office.heads.items()
        content = office.contents[list_id]
        other = "https://civil.example/status/other"
        heads, published = {
            "changed": (office.heads, {list_id: content + b" "}),
            "other-list": ({list_id: head, other: head}, {other: content}),
            "unpublished": (office.heads, {other: content}),
        }[case]
        with pytest.raises(Conflict) as caught:
            office.registry.recover(heads, published=published)
        assert caught.value.code == "not-published"
        assert issue(office, "row-1")

    @pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"\xff"])
    def test_contents_that_are_no_list_are_malformed(self, life, content):
        """Even what the ledger vouches for is parsed with care, and a failed recovery changes nothing."""
        from hashlib import sha256

        ((list_id, head),) = life.office.heads.items()
        heads = {list_id: PublishedHead(head.seq + 1, sha256(content).digest())}
        with pytest.raises(Malformed):
            life.office.registry.recover(heads, published={list_id: content})
        assert issue(life.office, "row-1")

    def test_a_pending_publication_that_was_anchored_is_confirmed(self, life):
        """The backup was taken between preparing and confirming: the version is known, nothing is missed."""
        prepared = life.office.prepare()
        life.back_up()
        life.office.anchor(prepared)
        restored = life.restore()
        assert restored.registry.recover(restored.heads).missed == ()
        assert restored.registry.published_lists() == prepared.publications
        assert sorted(p.seq for p in restored.publish().publications) == [0, 2]

    def test_a_pending_publication_that_another_overtook_is_dropped(self, life):
        """It is never published again under a number that is taken."""
        life.office.prepare()
        life.back_up()
        life.office.publish()
        issue(life.office, "after")
        life.office.registry.revoke(key="after")
        life.office.publish()
        restored = life.restore()
        (missed,) = restored.registry.recover(restored.heads, published=restored.contents).missed
        assert (missed.known_seq, missed.published_seq) == (1, 2)
        prepared = restored.publish()
        assert not prepared.resumed
        assert sorted(p.seq for p in prepared.publications) == [0, 3]

    def test_a_list_whose_first_publication_was_lost_is_not_allocated_from(self, new_office, tmp_path):
        """A list still opening in the backup may have been opened, and given out, since."""
        office = new_office()
        prepared = office.prepare()
        copy(tmp_path / "registry.db", tmp_path / "backup.db")
        office.anchor(prepared)
        office.registry.confirm_publication(prepared.publications)
        after = [issue(office, f"after-{i}") for i in range(30)]
        restored = new_office("backup.db")
        restored.registry.recover({})
        restored.publish()
        restored.publish()
        new = [issue(restored, f"new-{i}") for i in range(30)]
        assert not places(*new) & places(*after)

    def test_recovering_twice_is_recovering(self, life):
        """A second run finds nothing more to do."""
        life.back_up()
        issue(life.office, "after")
        life.office.registry.revoke(key="after")
        life.office.publish()
        restored = life.restore()
        restored.registry.recover(restored.heads, published=restored.contents)
        report = restored.registry.recover(restored.heads, published=restored.contents)
        assert (report.retired, report.missed, report.bits_merged, report.voided) == ((), (), 0, 0)

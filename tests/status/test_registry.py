"""Reserving, completing, finding and revoking, by one caller and by several at once."""

import os
import sqlite3
import stat
import threading
import time
from collections import Counter
from itertools import pairwise

import pytest

from vcid.credentials.model import Credential
from vcid.errors import Conflict, StoreTooNew, Unavailable
from vcid.status.allocation import draw_below
from vcid.status.bitstring import MIN_ENTRIES
from vcid.status.registry import Registry, Request

DIGEST = b"d" * 32


def credential(text="signed"):
    return Credential("application/vc", text.encode())


def issue(office, key, text="signed"):
    return office.registry.complete(office.registry.reserve(key, DIGEST), credential(text))


class TestReserving:
    """A key gets one id and one index, for ever."""

    def test_a_key_is_given_an_id_and_a_place(self, office):
        """The place is in a published list, the id a random UUID, and nothing is issued yet."""
        reserved = office.registry.reserve("row-1", DIGEST)
        (entry,) = reserved.entries
        assert entry.list_id in office.heads
        assert 0 <= entry.index < MIN_ENTRIES
        assert entry.purpose == "revocation"
        assert reserved.credential_id.startswith("urn:uuid:")
        assert reserved.credential is None
        assert not reserved.is_revoked

    def test_the_same_key_gets_the_same_again(self, office):
        """A reservation that a crash left behind is taken up, id and index unchanged."""
        assert office.registry.reserve("row-1", DIGEST) == office.registry.reserve("row-1", DIGEST)

    def test_another_key_gets_another(self, office):
        """Two keys share neither id nor index, though their records be equal."""
        first, second = office.registry.reserve("row-1", DIGEST), office.registry.reserve("row-2", DIGEST)
        assert first.credential_id != second.credential_id
        assert first.entries != second.entries

    def test_a_key_names_one_record(self, office):
        """Another record under the same key is refused, before and after it is complete."""
        reserved = office.registry.reserve("row-1", DIGEST)
        with pytest.raises(Conflict) as caught:
            office.registry.reserve("row-1", b"e" * 32)
        assert caught.value.code == "key-reused"
        office.registry.complete(reserved, credential())
        with pytest.raises(Conflict, match="key-reused"):
            office.registry.reserve("row-1", b"e" * 32)

    def test_no_message_repeats_a_key(self, office):
        """A caller's key may be a person's number."""
        office.registry.reserve("19840101-secret", DIGEST)
        with pytest.raises(Conflict) as caught:
            office.registry.reserve("19840101-secret", b"e" * 32)
        assert "secret" not in str(caught.value)
        assert "secret" not in repr(office.registry.find(key="19840101-secret"))

    @pytest.mark.parametrize("key", ["", "k" * 1025])
    def test_a_key_has_a_length(self, office, key):
        """An empty key, or a document in place of one, is misuse."""
        with pytest.raises(ValueError, match="characters"):
            office.registry.reserve(key, DIGEST)

    @pytest.mark.parametrize("key", ["Ærø ምሥጢር سر", "a\0b", "'; DROP TABLE issuance; --", " "])
    def test_any_text_is_a_key(self, office, key):
        """Scripts, control characters and quotes are text like any other."""
        reserved = office.registry.reserve(key, DIGEST)
        assert office.registry.find(key=key) == reserved

    def test_nothing_is_given_out_before_a_list_is_published(self):
        """An index from a list that no verifier knows would read as an error for a week."""
        registry = Registry.open("sqlite://", purposes=("revocation",))
        with pytest.raises(Conflict) as caught:
            registry.reserve("row-1", DIGEST)
        assert caught.value.code == "no-room"
        assert registry.find(key="row-1") is None

    def test_nothing_is_given_out_before_the_first_list_is_confirmed(self, new_office):
        """Prepared is not published."""
        office = new_office()
        prepared = office.prepare()
        with pytest.raises(Conflict, match="no-room"):
            office.registry.reserve("row-1", DIGEST)
        office.registry.confirm_publication(prepared.publications)
        assert office.registry.reserve("row-1", DIGEST).entries

    def test_each_purpose_has_a_place_of_its_own(self):
        """A registry of two purposes gives each credential a place in a list of each."""
        registry = Registry.open("sqlite://", purposes=("revocation", "suspension"))
        prepared = registry.prepare_publication(
            lambda snapshot: b"{}", base_url="https://civil.example/status"
        )
        registry.confirm_publication(prepared.publications)
        entries = registry.reserve("row-1", DIGEST).entries
        assert [entry.purpose for entry in entries] == ["revocation", "suspension"]
        assert registry.reserve("row-1", DIGEST).entries == entries
        assert registry.revoke(key="row-1", purpose="suspension")
        assert registry.find(key="row-1").set_purposes == {"suspension"}
        assert not registry.find(key="row-1").is_revoked

    @pytest.mark.parametrize("purposes", ["revocation", ("revocation", "revocation")])
    def test_purposes_are_different_words(self, purposes):
        """A string would be read letter by letter, a repeated purpose would waste a place."""
        with pytest.raises(ValueError, match="purposes"):
            Registry.open("sqlite://", purposes=purposes)


class TestManyAtOnce:
    """Bulk issuing: one transaction a step."""

    def test_a_thousand_take_well_under_a_second(self, new_office):
        """Reserving and completing 1,000 credentials on a disk, in processor time."""
        office = new_office()
        office.publish()
        start = time.process_time()
        reserved = office.registry.reserve_many(
            Request(key=f"row-{i}", record_digest=DIGEST) for i in range(1000)
        )
        completed = office.registry.complete_many((each, credential()) for each in reserved)
        assert time.process_time() - start < 1
        assert len({(e.list_id, e.index) for each in completed for e in each.entries}) == 1000
        assert [each.key for each in completed] == [f"row-{i}" for i in range(1000)]

    def test_a_reused_key_takes_nothing_from_the_others(self, office):
        """The conflict stands in its place; the rows around it are reserved."""
        office.registry.reserve("row-1", b"e" * 32)
        first, second, third = office.registry.reserve_many(
            [Request(key=f"row-{i}", record_digest=DIGEST) for i in range(3)]
        )
        assert isinstance(second, Conflict)
        assert second.code == "key-reused"
        assert office.registry.find(key="row-0") == first
        assert office.registry.find(key="row-2") == third

    def test_a_key_twice_in_a_batch_is_one(self, office):
        """The second occurrence is answered like a second call."""
        first, second = office.registry.reserve_many([Request(key="row-1", record_digest=DIGEST)] * 2)
        assert first == second

    def test_a_batch_that_can_not_be_completed_is_not_completed_in_part(self, office):
        """One void reservation rolls the whole batch back."""
        good = office.registry.reserve("row-1", DIGEST)
        other = Registry.open("sqlite://", purposes=("revocation",))
        prepared = other.prepare_publication(lambda snapshot: b"{}", base_url="https://civil.example/status")
        other.confirm_publication(prepared.publications)
        with pytest.raises(Conflict, match="not-found"):
            office.registry.complete_many(
                [(good, credential()), (other.reserve("row-2", DIGEST), credential())]
            )
        assert office.registry.find(key="row-1").credential is None

    @pytest.mark.slow
    def test_half_of_a_list_is_given_out_and_no_more(self, office):
        """The 65,537th credential waits for another list, and no index comes twice."""
        office.registry.reserve_many(
            Request(key=f"row-{i}", record_digest=DIGEST) for i in range(MIN_ENTRIES // 2 - 1)
        )
        last = office.registry.reserve("last", DIGEST)
        with pytest.raises(Conflict) as caught:
            office.registry.reserve("one-more", DIGEST)
        assert caught.value.code == "no-room"
        office.publish()
        office.publish()
        assert office.registry.reserve("one-more", DIGEST).entries[0].list_id != last.entries[0].list_id


class TestCompleting:
    """The first complete wins."""

    def test_a_completed_credential_is_kept(self, office):
        """Reserving again gives the credential, byte for byte; so do both ways to find it."""
        completed = issue(office, "row-1")
        assert completed.credential == credential()
        assert office.registry.reserve("row-1", DIGEST) == completed
        assert office.registry.find(key="row-1") == completed
        assert office.registry.find(credential_id=completed.credential_id) == completed

    def test_the_first_wins(self, office):
        """Of two that sign for one key, both hand out the first one's credential."""
        mine, theirs = office.registry.reserve("row-1", DIGEST), office.registry.reserve("row-1", DIGEST)
        assert office.registry.complete(mine, credential("mine")).credential == credential("mine")
        assert office.registry.complete(theirs, credential("theirs")).credential == credential("mine")
        assert office.registry.find(key="row-1").credential == credential("mine")

    def test_nothing_unreserved_is_completed(self, office):
        """A reservation of another registry is not one here."""
        elsewhere = Registry.open("sqlite://", purposes=("revocation",))
        prepared = elsewhere.prepare_publication(
            lambda snapshot: b"{}", base_url="https://civil.example/status"
        )
        elsewhere.confirm_publication(prepared.publications)
        reserved = elsewhere.reserve("row-1", DIGEST)
        with pytest.raises(Conflict) as caught:
            office.registry.complete(reserved, credential())
        assert caught.value.code == "not-found"
        office.registry.reserve("row-1", DIGEST)
        with pytest.raises(Conflict) as caught:
            office.registry.complete(reserved, credential())
        assert caught.value.code == "reservation-void"

    def test_what_is_not_there_is_not_found(self, office):
        """Finding gives None; asking for nothing, or for two things, is misuse."""
        assert office.registry.find(key="row-1") is None
        assert office.registry.find(credential_id="urn:uuid:0") is None
        with pytest.raises(TypeError, match="either"):
            office.registry.find()
        with pytest.raises(TypeError, match="either"):
            office.registry.find(key="a", credential_id="b")


class TestReleasing:
    """A reservation whose record turned out unfit."""

    def test_a_released_key_takes_another_record_and_another_place(self, office):
        """The place given up stays taken, so that it stands for nobody."""
        reserved = office.registry.reserve("row-1", DIGEST)
        office.registry.release(reserved)
        assert office.registry.find(key="row-1") is None
        again = office.registry.reserve("row-1", b"e" * 32)
        assert again.credential_id != reserved.credential_id
        assert again.entries != reserved.entries
        with office.registry._database.read() as transaction:
            (entry,) = reserved.entries
            slot = transaction.execute("SELECT issuance FROM slot WHERE position = ?", (entry.index,))
            assert (None,) in slot.fetchall()

    def test_a_completed_or_revoked_one_stays(self, office):
        """What was handed out, or revoked for good, is not forgotten."""
        completed = office.registry.reserve("done", DIGEST)
        office.registry.complete(completed, credential())
        revoked = office.registry.reserve("revoked", DIGEST)
        office.registry.revoke(key="revoked")
        for reserved in (completed, revoked):
            office.registry.release(reserved)
        assert office.registry.find(key="done").credential == credential()
        assert office.registry.find(key="revoked").is_revoked

    def test_a_later_reservation_of_the_key_stays(self, office):
        """Releasing twice, or late, takes nothing from who came after."""
        reserved = office.registry.reserve("row-1", DIGEST)
        office.registry.release(reserved)
        again = office.registry.reserve("row-1", DIGEST)
        office.registry.release(reserved)
        assert office.registry.find(key="row-1") == again
        with pytest.raises(Conflict) as caught:
            office.registry.complete(reserved, credential())
        assert caught.value.code == "reservation-void"


class TestRevoking:
    """Once, for good, by either name."""

    @pytest.mark.parametrize("name", ["key", "credential_id"])
    def test_a_credential_is_revoked_by_either_name(self, office, name):
        """The first call sets the status, later ones find it set; the next publication says it."""
        completed = issue(office, "row-1")
        assert office.registry.revoke(**{name: getattr(completed, name)})
        assert not office.registry.revoke(**{name: getattr(completed, name)})
        assert office.registry.find(key="row-1").is_revoked
        assert not office.says_revoked(completed)
        office.publish()
        assert office.says_revoked(completed)
        office.publish()
        assert office.says_revoked(completed)

    def test_its_neighbours_are_not(self, office):
        """No other credential becomes revoked with it."""
        issued = [issue(office, f"row-{i}") for i in range(50)]
        office.registry.revoke(key="row-7")
        office.publish()
        assert [i for i, each in enumerate(issued) if office.says_revoked(each)] == [7]

    @pytest.mark.parametrize("name", ["key", "credential_id"])
    def test_an_unknown_one_is_not_found(self, office, name):
        """Revoking what was never issued is an error, not a success."""
        with pytest.raises(Conflict) as caught:
            office.registry.revoke(**{name: "row-1"})
        assert caught.value.code == "not-found"

    def test_a_status_that_it_does_not_have_is_not_set(self, office):
        """A credential issued without a suspension status can't be suspended."""
        issue(office, "row-1")
        with pytest.raises(Conflict) as caught:
            office.registry.revoke(key="row-1", purpose="suspension")
        assert caught.value.code == "no-such-purpose"

    def test_a_revoked_key_is_not_issued_anew(self, office):
        """Issuing the same key again gives the revoked credential, and says so."""
        issue(office, "row-1")
        office.registry.revoke(key="row-1")
        assert office.registry.reserve("row-1", DIGEST).is_revoked

    def test_one_that_is_only_reserved_is_revoked_from_the_start(self, office):
        """A revocation that overtakes the signing is not lost."""
        reserved = office.registry.reserve("row-1", DIGEST)
        office.registry.revoke(key="row-1")
        assert office.registry.complete(reserved, credential()).is_revoked


class TestIndices:
    """What an index may tell."""

    def test_indices_spread_over_the_whole_list(self, office):
        """Two thousand indices fall evenly on sixteen parts of the list, in no order."""
        reserved = office.registry.reserve_many(
            Request(key=f"row-{i}", record_digest=DIGEST) for i in range(2000)
        )
        indices = [each.entries[0].index for each in reserved]
        parts = Counter(index * 16 // MIN_ENTRIES for index in indices)
        assert len(parts) == 16
        assert max(parts.values()) < 200
        rising = sum(a < b for a, b in pairwise(indices))
        assert 800 < rising < 1200

    def test_a_taken_place_is_drawn_again(self):
        """Where chance gives the same number twice, the second draw goes on to another."""
        draws = iter([b"\x05", b"\x05", b"\x09"])

        def random(count):
            return next(draws).rjust(count, b"\0") if count == 3 else b"\xff" * count

        registry = Registry.open("sqlite://", purposes=("revocation",), random=random)
        with registry._database.transaction() as transaction:
            transaction.execute(
                "INSERT INTO status_list (list_id, purpose, length, state)"
                " VALUES ('https://civil.example/status/a', 'revocation', 131072, 'open')"
            )
        first = registry.reserve("row-1", DIGEST)
        draws_of_ids = registry.find(key="row-1").credential_id
        assert first.entries[0].index == 5
        assert draws_of_ids == "urn:uuid:ffffffff-ffff-4fff-bfff-ffffffffffff"
        with registry._database.transaction() as transaction:
            transaction.execute("UPDATE issuance SET credential_id = 'urn:uuid:0'")
        assert registry.reserve("row-2", DIGEST).entries[0].index == 9

    def test_broken_randomness_stops_instead_of_spinning(self, office):
        """A source that always says the same is reported, and nothing is reserved."""
        broken = Registry(office.registry._database, purposes=("revocation",), random=bytes)
        broken.reserve("row-1", DIGEST)
        with pytest.raises(Unavailable, match="randomness"):
            broken.reserve("row-2", DIGEST)
        assert broken.find(key="row-2") is None

    @pytest.mark.parametrize("bound", [1, 2, 3, 255, 256, 257, MIN_ENTRIES])
    def test_draws_are_even(self, bound):
        """Every number below the bound comes from equally many draws; the rest is drawn again."""
        size = ((bound - 1).bit_length() + 7) // 8
        seen = Counter()
        for value in range(1 << (8 * size)) if size < 3 else range(0, 1 << 24, 97):
            draws = iter([value.to_bytes(size, "big"), b"\0" * size])
            first = draw_below(bound, lambda count, draws=draws: next(draws))
            if next(draws, None) is not None or size == 0:
                seen[first] += 1
        assert set(seen) <= set(range(bound))
        if size < 3:
            assert len(seen) == bound
            assert len(set(seen.values())) == 1


class TestStore:
    """The file, and who shares it."""

    def test_the_file_is_its_owners_alone(self, new_office, tmp_path):
        """The store holds personal data: mode 0600, its log files included."""
        office = new_office()
        office.publish()
        issue(office, "row-1")
        modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
        assert modes
        assert set(modes.values()) == {0o600}

    def test_what_is_stored_outlives_the_process(self, new_office):
        """Another opening of the same file finds what the first one wrote."""
        first = new_office()
        first.publish()
        completed = issue(first, "row-1")
        first.registry.revoke(key="row-1")
        first.registry.close()
        found = new_office().registry.find(key="row-1")
        assert found.credential == completed.credential
        assert found.is_revoked

    def test_a_newer_store_is_refused(self, new_office, tmp_path):
        """A version this code does not know is not guessed at."""
        new_office().registry.close()
        with sqlite3.connect(tmp_path / "registry.db") as connection:
            connection.execute("UPDATE vcid_schema SET version = 99")
        connection.close()
        with pytest.raises(StoreTooNew):
            new_office()

    def test_threads_share_a_registry(self, new_office):
        """Eight threads reserving at once, some of them the same keys, give each key one place."""
        office = new_office()
        office.publish()
        found = [None] * 8

        def work(number):
            found[number] = [office.registry.reserve(f"row-{(number // 2, i)}", DIGEST) for i in range(20)]

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(found[number] == found[number + 1] for number in range(0, 8, 2))
        places = {(e.list_id, e.index) for each in found for r in each for e in r.entries}
        assert len(places) == 80

    @pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
    def test_a_forked_child_uses_the_registry_too(self, new_office):
        """Parent and child go on with the same object after a fork, and neither repeats the other's index."""
        office = new_office()
        office.publish()
        office.registry.reserve("before", DIGEST)
        child = os.fork()
        if child == 0:
            status = 1
            try:
                for i in range(20):
                    issue(office, f"child-{i}")
                status = 0
            finally:
                os._exit(status)
        for i in range(20):
            issue(office, f"parent-{i}")
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        keys = ["before", *(f"{who}-{i}" for who in ("child", "parent") for i in range(20))]
        found = [office.registry.find(key=key) for key in keys]
        assert None not in found
        assert len({each.entries for each in found}) == 41

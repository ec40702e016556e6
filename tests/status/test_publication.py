"""Publishing: what each publication holds, what it hides, and what a crash in between does."""

import hashlib
import secrets

import pytest

from vcid.credentials.model import Credential
from vcid.encoding.json import parse_object
from vcid.errors import Conflict, Unavailable
from vcid.status.bitstring import MIN_ENTRIES, StatusListCredential
from vcid.status.publication import LOW_ROOM, MAX_ROOM, Demand
from vcid.status.registry import Publication, Request

DIGEST = b"d" * 32


def issue(office, key):
    reserved = office.registry.reserve(key, DIGEST)
    return office.registry.complete(reserved, Credential("application/vc", key.encode()))


def bits(publication):
    return set(StatusListCredential.parse(parse_object(publication.content)).bits.set_indices())


def only(prepared):
    (publication,) = prepared.publications
    return publication


class TestProtocol:
    """Prepare, anchor, confirm."""

    def test_the_first_publication_opens_a_list(self, new_office):
        """A new registry publishes one list, number 0, under an unguessable name below the base URL."""
        office = new_office()
        publication = only(office.prepare())
        base, _, name = publication.list_id.rpartition("/")
        assert base == "https://civil.example/status"
        assert len(name) == 8
        assert set(name) <= set("abcdefghijklmnopqrstuvwxyz234567")
        assert publication.seq == 0
        assert publication.purpose == "revocation"
        assert publication.digest == hashlib.sha256(publication.content).digest()
        assert len(StatusListCredential.parse(parse_object(publication.content)).bits) == MIN_ENTRIES

    def test_each_later_one_counts_on(self, office):
        """The same list is published again each time, its number rising by one, changed or not."""
        first, second = only(office.publish()), only(office.publish())
        assert first.list_id == second.list_id
        assert (first.seq, second.seq) == (1, 2)

    def test_what_is_prepared_is_prepared_once(self, office):
        """Until it is confirmed, preparing again gives the same bytes, and says that it does."""
        issue(office, "row-1")
        first = office.prepare()
        office.registry.revoke(key="row-1")
        again = office.prepare()
        assert not first.resumed
        assert again.resumed
        assert again.publications == first.publications

    def test_a_revocation_after_preparing_goes_into_the_next(self, office):
        """It is not lost between two publications."""
        issued = issue(office, "row-1")
        prepared = office.prepare()
        office.registry.revoke(key="row-1")
        office.anchor(prepared)
        office.registry.confirm_publication(prepared.publications)
        assert not office.says_revoked(issued)
        office.publish()
        assert office.says_revoked(issued)

    def test_confirming_twice_is_confirming(self, office):
        """Two processes that finish the same publication, or one that finishes late, do no harm."""
        prepared = office.prepare()
        office.registry.confirm_publication(prepared.publications)
        office.registry.confirm_publication(prepared.publications)
        office.publish()
        office.registry.confirm_publication(prepared.publications)
        assert only(office.prepare()).seq == 3

    def test_what_was_never_prepared_is_not_confirmed(self, office):
        """Neither an unknown list nor a made-up version becomes the published one."""
        prepared = only(office.prepare())
        for list_id, seq, digest in [
            (prepared.list_id, prepared.seq + 1, prepared.digest),
            (prepared.list_id, prepared.seq, b"x" * 32),
            ("https://civil.example/status/unknown", 0, prepared.digest),
        ]:
            forged = Publication(list_id=list_id, purpose="revocation", seq=seq, digest=digest, content=b"{}")
            with pytest.raises(Conflict) as caught:
                office.registry.confirm_publication([forged])
            assert caught.value.code == "not-pending"
        assert office.registry.published_lists()[0].seq == 0

    def test_a_builder_that_fails_leaves_nothing_behind(self, office):
        """No number is used up and no decoy added when signing fails."""

        def fail(snapshot):
            raise RuntimeError("no key")

        before = office.registry.published_lists()
        with pytest.raises(RuntimeError, match="no key"):
            office.registry.prepare_publication(fail, base_url="https://civil.example/status")
        assert office.registry.published_lists() == before
        prepared = office.prepare()
        assert not prepared.resumed
        assert only(prepared).seq == 1

    def test_the_published_lists_are_the_confirmed_ones(self, new_office):
        """A pending version is not among them, the newest confirmed one is, with its bytes."""
        office = new_office()
        assert office.registry.published_lists() == ()
        first = office.publish()
        office.prepare()
        assert office.registry.published_lists() == first.publications


class TestRoom:
    """When lists are opened."""

    def test_room_is_made_before_it_runs_out(self, office):
        """Where fewer places than the threshold are left, the next publication opens another list."""
        taken = MIN_ENTRIES // 2 - LOW_ROOM
        with office.registry._database.transaction() as transaction:
            transaction.execute("UPDATE status_list SET allocated = ?", (taken,))
        assert len(office.publish().publications) == 1
        office.registry.reserve("row-1", DIGEST)
        assert len(office.publish().publications) == 2
        assert len(office.publish().publications) == 2

    def test_room_is_made_on_demand(self, new_office):
        """A caller that has many to issue says so beforehand."""
        office = new_office()
        assert len(office.publish(room=200_000).publications) == 4
        assert len({publication.list_id for publication in office.publish().publications}) == 4

    @pytest.mark.parametrize("room", [66_000, 200_000])
    def test_broken_randomness_opens_no_second_list(self, new_office, room):
        """A source that repeats itself can't name two lists: it is reported, and nothing is prepared."""
        office = new_office(
            random=lambda count: secrets.token_bytes(count) if count == 3 else b"\xff" * count
        )
        with pytest.raises(Unavailable, match="randomness"):
            office.prepare(room=room)
        assert len(office.prepare().publications) == 1

    def test_places_come_from_every_open_list(self, new_office):
        """Credentials issued together are spread over the lists at random."""
        office = new_office()
        office.publish(room=100_000)
        reserved = office.registry.reserve_many(
            Request(key=f"row-{i}", record_digest=DIGEST) for i in range(100)
        )
        lists = [each.entries[0].list_id for each in reserved]
        assert {lists.count(list_id) > 20 for list_id in set(lists)} == {True}
        assert len(set(lists)) == 2


class TestDecoys:
    """What the bits of a publication tell about revocations."""

    def test_bits_are_never_taken_back(self, office):
        """What was published as set stays set, decoys too."""
        earlier = bits(office.registry.published_lists()[0])
        for _ in range(5):
            later = bits(only(office.publish()))
            assert earlier < later
            earlier = later

    def test_a_publication_with_a_few_revocations_looks_like_one_without(self, office):
        """New bits come in steps of eight, whether none, one or eight of them are revocations."""
        for i in range(20):
            issue(office, f"row-{i}")
        earlier = bits(office.registry.published_lists()[0])
        for revoked in ([], [0], range(1, 9), []):
            for i in revoked:
                office.registry.revoke(key=f"row-{i}")
            later = bits(only(office.publish()))
            assert len(later - earlier) % 8 == 0
            assert len(later - earlier) >= 8
            earlier = later

    def test_no_decoy_stands_on_a_credentials_place(self, office):
        """After a thousand decoys, nobody is revoked who was not."""
        issued = [issue(office, f"row-{i}") for i in range(200)]
        for _ in range(100):
            office.publish()
        assert not any(office.says_revoked(each) for each in issued)

    def test_no_credential_is_put_on_a_decoys_place(self, office):
        """Places that are decoys are never given out."""
        for _ in range(50):
            office.publish()
        reserved = office.registry.reserve_many(
            Request(key=f"row-{i}", record_digest=DIGEST) for i in range(2000)
        )
        assert not any(office.says_revoked(each) for each in reserved)

    def test_decoys_end_at_a_quarter_of_the_list(self, office):
        """However long a list is published, half of it stays free for draws."""
        with office.registry._database.transaction() as transaction:
            transaction.execute("UPDATE status_list SET decoys = ?", (MIN_ENTRIES // 4 - 3,))
        before = bits(office.registry.published_lists()[0])
        assert len(bits(only(office.publish()))) == len(before) + 3
        assert len(bits(only(office.publish()))) == len(before) + 3


@pytest.mark.parametrize("room", [-1, 10_000_001])
def test_room_has_bounds(new_office, room):
    """Neither less than none nor more than a disk holds, and nothing is prepared."""
    office = new_office()
    with pytest.raises(ValueError, match="room"):
        office.prepare(room=room)
    assert office.registry.list_ids() == ()


def test_room_may_be_asked_for_up_to_the_bound():
    """Ten million are a country's births for years."""
    demand = Demand(base_url="https://civil.example/status", purposes=("revocation",), room=MAX_ROOM)
    assert demand.room == 10_000_000

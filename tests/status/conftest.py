"""What the registry's tests share: a fixed clock, a list builder without a signature, a ledger of heads."""

from datetime import UTC, datetime, timedelta

import pytest

from vcid.encoding.json import canonicalize, parse_object
from vcid.status.bitstring import ListPeriod, StatusListCredential, build_status_list
from vcid.status.registry import PublishedHead, Registry

NOW = datetime(2026, 3, 1, tzinfo=UTC)
BASE_URL = "https://civil.example/status/"


class Office:
    """An issuer reduced to its status lists: it builds them unsigned and remembers what it anchored."""

    def __init__(self, url="sqlite://", **options):
        options.setdefault("purposes", ("revocation",))
        self.registry = Registry.open(url, clock=lambda: NOW, **options)
        self.heads = {}
        self.contents = {}

    @staticmethod
    def build(snapshot):
        period = ListPeriod(valid_from=NOW, valid_until=NOW + timedelta(days=90))
        document = build_status_list(
            snapshot.bits,
            list_id=snapshot.list_id,
            issuer="did:web:civil.example",
            purposes=[snapshot.purpose],
            period=period,
        )
        return canonicalize({**document, "seq": snapshot.seq})

    def prepare(self, **options):
        return self.registry.prepare_publication(self.build, base_url=BASE_URL, **options)

    def anchor(self, prepared):
        for publication in prepared.publications:
            known = self.heads.get(publication.list_id)
            earlier = known.earlier | {known.digest} if known else frozenset()
            self.heads[publication.list_id] = PublishedHead(publication.seq, publication.digest, earlier)
            self.contents[publication.list_id] = publication.content

    def publish(self, **options):
        prepared = self.prepare(**options)
        self.anchor(prepared)
        self.registry.confirm_publication(prepared.publications)
        return prepared

    def published_bits(self, list_id):
        return StatusListCredential.parse(parse_object(self.contents[list_id])).bits

    def says_revoked(self, issuance):
        """Whether the newest published list says so of an issuance's one entry."""
        (entry,) = issuance.entries
        return bool(self.published_bits(entry.list_id)[entry.index])


@pytest.fixture
def office():
    """An office that has published its first list, with its registry in memory."""
    opened = Office()
    opened.publish()
    yield opened
    opened.registry.close()


@pytest.fixture
def new_office(tmp_path):
    """Open offices on files of the test's folder; each is closed at the end."""
    opened = []

    def open_office(name="registry.db", **options):
        opened.append(Office(f"sqlite:///{tmp_path / name}", **options))
        return opened[-1]

    yield open_office
    for each in opened:
        each.registry.close()

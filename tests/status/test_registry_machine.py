"""A registry led through any order of steps, crashes and restored backups, beside a model of what must hold."""

import random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from vcid.credentials.model import Credential
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Behind, Conflict
from vcid.status.bitstring import ListPeriod, StatusListCredential, build_status_list
from vcid.status.registry import PublishedHead, Registry, Request

DIGEST = b"d" * 32
KEYS = st.integers(0, 7).map(lambda number: f"row-{number}")


def build(snapshot):
    return canonicalize(
        build_status_list(
            snapshot.bits,
            list_id=snapshot.list_id,
            issuer="did:web:civil.example",
            purposes=[snapshot.purpose],
            period=ListPeriod(),
        )
    )


class RegistryMachine(RuleBasedStateMachine):
    """The model: what was acknowledged in this life of the registry, and what left it in any life."""

    def __init__(self):
        super().__init__()
        self.chance = random.Random(7)
        self.registry = self._open()
        self.backup = None
        # This life: credentials by key, keys that are revoked, and what the steps left unfinished.
        self.issued, self.revoked, self.reserved, self.prepared = {}, set(), {}, None
        self.has_room = False
        # Every life: the places of credentials, what was anchored, and the bits that verifiers have seen set.
        self.places, self.heads, self.contents, self.seen = set(), {}, {}, {}

    @initialize()
    def publish_first(self):
        self.prepare()
        self.anchor_and_confirm()

    @precondition(lambda self: self.has_room)
    @rule(key=KEYS)
    def reserve(self, key):
        (reserved,) = self.registry.reserve_many([Request(key=key, record_digest=DIGEST)])
        if key in self.issued:
            assert reserved.credential == self.issued[key].credential
        elif key in self.reserved:
            assert reserved == self.reserved[key] or key in self.revoked
        else:
            self.reserved[key] = reserved

    @precondition(lambda self: self.reserved)
    @rule(data=st.data())
    def complete(self, data):
        key = data.draw(st.sampled_from(sorted(self.reserved)))
        reserved = self.reserved.pop(key)
        done = self.registry.complete(reserved, Credential("application/vc", reserved.credential_id.encode()))
        assert done.credential.content == reserved.credential_id.encode()
        self.issued[key] = done
        for entry in done.entries:
            assert (entry.list_id, entry.index) not in self.places, "an index was given out twice"
            self.places.add((entry.list_id, entry.index))

    @rule(key=KEYS)
    def revoke(self, key):
        if key in self.issued or key in self.reserved:
            assert self.registry.revoke(key=key) is (key not in self.revoked)
            self.revoked.add(key)
        else:
            with pytest.raises(Conflict, match="not-found"):
                self.registry.revoke(key=key)

    @rule()
    def prepare(self):
        prepared = self.registry.prepare_publication(build, base_url="https://civil.example/status")
        assert prepared.resumed is (self.prepared is not None)
        if self.prepared is not None:
            assert prepared.publications == self.prepared.publications
        self.prepared = prepared

    @precondition(lambda self: self.prepared is not None)
    @rule()
    def anchor(self):
        for publication in self.prepared.publications:
            head = PublishedHead(publication.seq, publication.digest)
            known = self.heads.get(publication.list_id)
            assert known == head or publication.seq == (known.seq + 1 if known else 0), "a gap or a fork"
            self.heads[publication.list_id] = head
            self.contents[publication.list_id] = publication.content
            bits = StatusListCredential.parse(parse_object(publication.content)).bits
            shown = set(bits.set_indices())
            assert self.seen.get(publication.list_id, set()) <= shown, "a status was taken back"
            self.seen[publication.list_id] = shown

    @precondition(lambda self: self.prepared is not None)
    @rule()
    def anchor_and_confirm(self):
        self.anchor()
        self.registry.confirm_publication(self.prepared.publications)
        resumed = self.prepared.resumed
        self.prepared = None
        # After a recovery, a publication left over from before it opens no list.
        self.has_room = self.has_room or not resumed

    @rule()
    def publish_all(self):
        """After a whole publication, verifiers see as revoked who is, and nobody else of this life."""
        while True:
            self.prepare()
            resumed = self.prepared.resumed
            self.anchor_and_confirm()
            if not resumed:
                break
        for key, issued in self.issued.items():
            (entry,) = issued.entries
            assert (entry.index in self.seen[entry.list_id]) is self.registry.find(key=key).is_revoked

    @rule()
    def back_up(self):
        copy = self._open()
        self._copy(self.registry, copy)
        self.backup = (copy, dict(self.issued), set(self.revoked), dict(self.heads))
        self.chance_then = self.chance.getstate()

    @precondition(lambda self: self.backup is not None)
    @rule()
    def restore_and_recover(self):
        copy, self.issued, self.revoked, heads = self.backup
        # The worst chance there is: what was drawn since the backup is drawn again.
        self.chance.setstate(self.chance_then)
        self.registry = self._open()
        self._copy(copy, self.registry)
        self.issued, self.revoked = dict(self.issued), set(self.revoked)
        if self.registry.check_against(self.heads):
            assert self.heads != heads
            with pytest.raises(Behind):
                self.registry.prepare_publication(build, base_url="https://civil.example/status")
        self.registry.recover(self.heads, published=self.contents)
        assert self.registry.check_against(self.heads) == ()
        with pytest.raises(Conflict, match="no-room"):
            self.registry.reserve("after the restore", DIGEST)
        self.reserved, self.has_room = {}, False
        # Published revocations of the lost life hold in this one.
        self.revoked &= self.issued.keys()
        self.revoked |= {
            key
            for key, issued in self.issued.items()
            if any(entry.index in self.seen.get(entry.list_id, ()) for entry in issued.entries)
        }
        # What was pending in the backup may or may not have been published since: take up what there is.
        self.prepared = self.registry.prepare_publication(build, base_url="https://civil.example/status")

    @invariant()
    def nothing_acknowledged_is_lost(self):
        for key, issued in self.issued.items():
            found = self.registry.find(key=key)
            assert (found.credential, found.entries) == (issued.credential, issued.entries)
            assert found.is_revoked is (key in self.revoked)

    def _open(self):
        return Registry.open("sqlite://", purposes=("revocation",), random=self._draw)

    def _draw(self, count):
        """Draw indices, three bytes each, from so few that an index given out twice would soon show."""
        return self.chance.randrange(700).to_bytes(3, "big") if count == 3 else self.chance.randbytes(count)

    def _copy(self, source, target):
        there, here = (each._database._connections._memory.connection for each in (source, target))
        there.backup(here)

    def teardown(self):
        self.registry.close()


TestRegistryMachine = RegistryMachine.TestCase
TestRegistryMachine.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)

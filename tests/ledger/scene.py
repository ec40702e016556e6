"""What the ledger's tests share: a log with its witnesses, an owner of topics, and a verifier's questions."""

from datetime import UTC, datetime, timedelta

from vcid.encoding.multikey import KeyType
from vcid.keys.signing import LocalSigner
from vcid.ledger.anchor import LogPolicy
from vcid.ledger.entries import Entry, Kind, topic
from vcid.ledger.judge import Claim, Evidence, Freshness, judge
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey, SignatureType
from vcid.ledger.witness import ReplayingWitness

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORIGIN = "log.example/civil"
LIST = "https://civil.example/status/1"


def signer(number):
    """The same key for the same number, so that failures repeat."""
    return LocalSigner.from_private_bytes(KeyType.ED25519, bytes([number]) * 32)


def digest(number):
    return number.to_bytes(32)


class Scene:
    """A log in one backend, two replaying witnesses with clocks of their own, an owner, and a policy."""

    def __init__(self, url="memory:", *, witnesses=2, quorum=1):
        self.url = url
        self.log_signer, self.owner = signer(1), signer(2)
        self.key = NoteKey(ORIGIN, SignatureType.ED25519, self.log_signer.public_key)
        self.times = [NOW] * witnesses
        self.witnesses = [self.witness(number) for number in range(witnesses)]
        self.ledger = self.open()
        self.policy = LogPolicy(
            origin=ORIGIN,
            log_key=self.log_signer.public_key,
            witnesses=tuple((one.key.name, one.key.public_key) for one in self.witnesses),
            quorum=quorum,
        )

    def witness(self, number, url="sqlite://"):
        return ReplayingWitness.open(
            url,
            name=f"w{number}.example",
            signer=signer(100 + number),
            logs=[self.key],
            clock=lambda: self.times[number],
        )

    def open(self, url=None, **options):
        options.setdefault("witnesses", self.witnesses)
        options.setdefault("signer", self.log_signer)
        return Ledger.open(url or self.url, **{"origin": ORIGIN, **options})

    def entry(self, seq=0, content=None, *, list_id=LIST, owner=None, kind=Kind.STATUS_LIST):
        content = digest(seq if content is None else content)
        return Entry.sign(owner or self.owner, kind=kind, list_id=list_id, seq=seq, digest=content)

    def claim(self, content=0, *, list_id=LIST, owner=None, kind=Kind.STATUS_LIST):
        key = (owner or self.owner).public_key
        return Claim(owner=key, kind=kind, list_id=list_id, digest=digest(content))

    def topic(self, list_id=LIST):
        return topic(self.owner.public_key, Kind.STATUS_LIST, list_id)

    def judge(self, content=0, entry=None, receipt=None, view=None, **options):
        """The judgement, with the policy of the scene and the last hour of its clock unless said otherwise."""
        claim = options.get("claim") or self.claim(content)
        age = Freshness(options.get("now", NOW), options.get("max_age", timedelta(days=7)))
        policy = options.get("policy", self.policy)
        return judge(claim, Evidence(entry, receipt), view, policy=policy, freshness=age)

"""A small world for the tests of the upper storeys: a registry, a court, a ledger, a witness and a clock."""

from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from vcid.credentials.birth import (
    BirthDateBasis,
    BirthRegistration,
    Name,
    ParentageStatus,
    Place,
    Registration,
    RegistrationType,
    SexAtBirth,
)
from vcid.drafting import Practice
from vcid.encoding.dates import UncertainDate
from vcid.encoding.multikey import KeyType
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.ledger.anchor import LogPolicy
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey, SignatureType
from vcid.ledger.views import MemoryViewStore
from vcid.ledger.witness import ReplayingWitness
from vcid.policy import Policy
from vcid.status.registry import Registry
from vcid.trust import Accreditation
from vcid.verifier import Surroundings, Verifier

START = datetime(2026, 3, 1, 12, tzinfo=UTC)
ORIGIN = "log.example/civil"
REGISTRY = "did:web:civil.example"
COURT = "did:web:court.example"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: datetime = START) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now

    def advance(self, **step: float) -> None:
        self.now += timedelta(**step)


def birth(number: int = 1, **changes: object) -> BirthRegistration:
    """An ordinary registration with an invented name."""
    record = BirthRegistration(
        birth_date=UncertainDate.parse("2021-03-15"),
        birth_date_basis=BirthDateBasis.DOCUMENTED,
        sex_at_birth=SexAtBirth.FEMALE,
        birth_place=Place(country="KE"),
        registration=Registration(
            number=f"R-{number}",
            date=date(2021, 4, 1),
            jurisdiction="KE",
            office="Example Office",
            type=RegistrationType.CURRENT,
        ),
        parentage_status=ParentageStatus.NONE,
        names=[Name(full="Amina Example")],
    )
    return replace(record, **changes)


@dataclass
class World:
    """Everything that issuers and verifiers need, on disk in one folder or in memory."""

    folder: Path | None = None
    clock: Clock = field(default_factory=Clock)
    log_key: LocalSigner = field(default_factory=LocalSigner.generate)
    witness_key: LocalSigner = field(default_factory=LocalSigner.generate)

    def __post_init__(self) -> None:
        log = NoteKey(ORIGIN, SignatureType.ED25519, self.log_key.public_key)
        self.witness = ReplayingWitness.open(
            self.url("witness"), name="witness.example", signer=self.witness_key, logs=[log], clock=self.clock
        )
        self.ledger = Ledger.open(
            self.url("ledger") if self.folder else "memory:",
            origin=ORIGIN,
            signer=self.log_key,
            witnesses=[self.witness],
        )
        self.views = MemoryViewStore()

    def url(self, name: str) -> str:
        return f"sqlite:///{self.folder}/{name}.db" if self.folder else "sqlite://"

    def registry(self, name: str = "registry") -> Registry:
        return Registry.open(self.url(name), clock=self.clock)

    def issuer(
        self,
        did: str = REGISTRY,
        *,
        signer: LocalSigner | None = None,
        registry: Registry | None = None,
        cryptosuite: str | None = None,
        key_type: KeyType = KeyType.ED25519,
        **practice: object,
    ) -> Issuer:
        followed = Practice(
            clock=self.clock, cryptosuite=cryptosuite, status_url="https://civil.example/status", **practice
        )
        return Issuer(
            did,
            signer or LocalSigner.generate(key_type),
            registry=registry or self.registry(),
            ledger=self.ledger,
            practice=followed,
        )

    @property
    def log_policy(self) -> LogPolicy:
        witnesses = (("witness.example", self.witness_key.public_key),)
        return LogPolicy(origin=ORIGIN, log_key=self.log_key.public_key, witnesses=witnesses, quorum=1)

    def accreditation(self, issuer: Issuer, **changes: object) -> Accreditation:
        granted = Accreditation(
            issuer=issuer.did,
            credential_types=frozenset({"BirthRegistrationCredential", "GuardianshipCredential"}),
            jurisdictions=frozenset({"KE"}),
            owner=issuer.owner,
            document_digest=issuer.document_digest,
        )
        return replace(granted, **changes)

    def policy(self, *issuers: Issuer, **changes: object) -> Policy:
        accreditations = tuple(self.accreditation(issuer) for issuer in issuers)
        return replace(Policy(accreditations=accreditations, logs=(self.log_policy,)), **changes)

    def knowledge(self, *issuers: Issuer) -> Knowledge:
        return Knowledge.gather(self.ledger, [it for issuer in issuers for it in issuer.published()])

    def verifier(self, policy: Policy, knowledge: Knowledge, **changes: object) -> Verifier:
        options = {"views": self.views, "surroundings": Surroundings(clock=self.clock), **changes}
        return Verifier(policy, knowledge, **options)

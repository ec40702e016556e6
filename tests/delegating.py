"""A ministry, its offices and their officers: a world for the tests of delegated authority."""

from dataclasses import replace
from datetime import timedelta

from vcid.credentials.delegation import Delegation
from vcid.drafting import Practice
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.trust import DELEGATION_TYPE
from world import START, World, birth

BIRTH = "BirthRegistrationCredential"
LADDER = ("ministry", "region", "district", "office", "officer", "clerk")
YEAR = timedelta(days=365)


class Ladder:
    """Authorities each of which appoints the next, and verifiers that know the first alone.

    Args:
        length: how many links there are.
    """

    def __init__(self, length: int) -> None:
        self.world = World()
        self.length = length
        self.signers = [LocalSigner.generate() for _ in range(length + 1)]
        self.authorities = [self._open(number) for number in range(length + 1)]
        for authority in self.authorities:
            authority.publish()

    def _open(self, number: int) -> Issuer:
        did = f"did:web:{LADDER[number]}.example"
        return Issuer(
            did,
            self.signers[number],
            registry=self.world.registry(LADDER[number]),
            ledger=self.world.ledger,
            practice=Practice(clock=self.world.clock, status_url=f"https://{LADDER[number]}.example/status"),
        )

    def delegation(self, number: int, **changes: object) -> Delegation:
        """The record of link ``number``, counted from 1: just what the links below it need."""
        below = self.length - number
        record = Delegation(
            delegate=self.authorities[number].did,
            credential_types=(BIRTH, *((DELEGATION_TYPE,) if below else ())),
            jurisdictions=("KE",),
            valid_from=START - timedelta(days=30),
            valid_until=START + YEAR,
            may_delegate=below,
            owner=self.authorities[number].owner,
        )
        return replace(record, **changes)

    def appoint(self, number: int, **changes: object) -> bytes:
        """Link ``number`` as its delegator issues it."""
        record = self.delegation(number, **changes)
        key = f"link-{number}-{sorted(changes.items())}"
        return self.authorities[number - 1].issue(record, key=key).content

    def chain(self) -> list[bytes]:
        """Every link, from the ministry down."""
        return [self.appoint(number) for number in range(1, self.length + 1)]

    def policy(self, **changes: object):
        """A policy that accredits the ministry alone."""
        accreditation = self.world.accreditation(
            self.authorities[0], credential_types=frozenset({BIRTH, DELEGATION_TYPE}), **changes
        )
        return replace(self.world.policy(), accreditations=(accreditation,))

    def knowledge(self, *delegations: bytes):
        """What all authorities published, with these delegations."""
        return replace(self.world.knowledge(*self.authorities), delegations=delegations)

    def birth(self, **changes: object):
        """A birth registered by the last of them."""
        return self.authorities[-1].issue(birth(**changes), key=f"birth-{sorted(changes)}")

    def check(self, *delegations: bytes, **changes: object):
        """Report on a birth registered by the last of them, with these delegations known."""
        verifier = self.world.verifier(self.policy(**changes), self.knowledge(*delegations))
        return verifier.check(self.birth())

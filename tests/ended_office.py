"""An authority whose first key came to an end, and what it or a thief signs with that key."""

from dataclasses import dataclass, replace
from datetime import datetime

from histories import Controller, anchor
from vcid.credentials.envelopes import CREDENTIAL, read_secured
from vcid.credentials.model import Credential
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.ledger.log import Ledger
from vcid.ledger.receipts import Receipt
from vcid.policy import Policy
from vcid.report import Check, CheckName
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.securing.existence import existence_digest
from world import World, birth

CONTEXTS = Contexts.carried()


def digest(credential: Credential) -> bytes:
    return existence_digest(read_secured(credential, CREDENTIAL).secured)


@dataclass
class Office:
    """An authority whose first key signed everything that is asked about, and came to an end."""

    world: World
    controller: Controller
    first: LocalSigner
    issuer: Issuer
    template: dict

    def sign(
        self, created: datetime | None, signer: LocalSigner | None = None, **changes: object
    ) -> Credential:
        """What the first key signs, or whoever stole it, stating this time."""
        signer = signer or self.first
        options = ProofOptions(
            verification_method=f"{self.controller.did}#{signer.public_key.multikey}", created=created
        )
        return Credential.from_json(
            add_proof({**self.template, **changes}, signer, options, contexts=CONTEXTS)
        )

    def anchor_at(self, moment: datetime, content: bytes, ledger: Ledger | None = None) -> Receipt:
        """Anchor a digest when the clock shows that time. Times only go on."""
        assert self.world.clock.now <= moment
        self.world.clock.now = moment
        return anchor(ledger or self.world.ledger, content)

    def policy(self, **changes: object) -> Policy:
        unpinned = self.world.accreditation(self.issuer, document_digest=None)
        return self.world.policy(
            self.issuer, **{"accreditations": (unpinned,), "time_honest": True, **changes}
        )

    def key(self, credential: Credential, *receipts: Receipt, **options: object) -> Check:
        return self.check(credential, *receipts, **options)[CheckName.KEY]

    def check(self, credential, *receipts, policy=None, at=None, known=None):
        known = known or self.world.knowledge(self.issuer)
        verifier = self.world.verifier(policy or self.policy(), known)
        return verifier.check(credential, at=at, existence=receipts)


def open_office(key_type: KeyType = KeyType.ED25519) -> Office:
    world = World()
    first = LocalSigner.generate(key_type)
    controller = Controller(world.clock, [first.public_key])
    issuer = world.issuer(controller.did, signer=first, registry=world.registry(), did_log=controller.log)
    issuer.publish()
    document = parse_object(issuer.issue(birth(), key="template").content)
    del document["proof"]
    return Office(world, controller, first, issuer, document)


def go_on(office: Office, log: bytes, following: LocalSigner) -> None:
    """Publish another log, whose newest document lists the key that signs from now on."""
    practice = replace(office.issuer._practice, did_log=log)
    office.issuer = office.issuer.rotate(following, practice=practice)
    office.issuer.publish()


def list_later(office: Office, *, days: int, following: LocalSigner, **ends: object) -> bytes:
    office.world.clock.advance(days=days)
    return office.controller.list_keys([office.first.public_key, following.public_key], **ends)

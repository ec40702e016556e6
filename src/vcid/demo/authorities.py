"""The demonstration's authorities: a civil registry, a court, the log they share, and its witness."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vcid.issuer import Issuer
from vcid.keys import private_files
from vcid.keys.signing import LocalSigner
from vcid.keys.wallet import Wallet
from vcid.knowledge import Knowledge
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey
from vcid.ledger.witness import ReplayingWitness
from vcid.policy import Policy
from vcid.status.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.demo.folder import DemoFolder
    from vcid.keys.encrypted_file import Argon2Cost
    from vcid.publishing import Publishing

    Store = Registry | Ledger | ReplayingWitness

CIVIL = "did:web:civil.example"
COURT = "did:web:court.example"
LOG = "log.example/civil-registration"
WITNESS = "witness.example/w1"

CIVIL_KEY, COURT_KEY, LOG_KEY, WITNESS_KEY = "civil-registry", "court", "log", "witness"
"""Under which names their keys stand in the wallet."""

_BIRTH, _GUARDIANSHIP = "BirthRegistrationCredential", "GuardianshipCredential"


@dataclass(frozen=True, slots=True)
class Passphrase:
    """The one passphrase of the demonstration's wallets, and what a guess at it costs.

    Attributes:
        text: the passphrase.
        cost: the cost; ``None`` for the safe default.
    """

    text: str = field(repr=False)
    cost: Argon2Cost | None = None

    @classmethod
    def generate(cls, folder: DemoFolder, cost: Argon2Cost | None) -> Passphrase:
        """Draw a passphrase and leave it in the folder, so that the reader can open the wallets."""
        text = secrets.token_urlsafe(18)
        private_files.write(folder.passphrase, f"{text}\n".encode())
        return cls(text, cost)


@dataclass(frozen=True, slots=True)
class Authorities:
    """Those who issue, and the log in which they anchor.

    Attributes:
        civil: the civil registry.
        court: the court.
        ledger: the log, with its witness.
        stores: what of theirs is open in the folder.
    """

    civil: Issuer
    court: Issuer
    ledger: Ledger
    stores: tuple[Store, ...]

    @classmethod
    def found(cls, folder: DemoFolder, passphrase: Passphrase) -> Authorities:
        """Make keys for all, keep them in a wallet, and open stores in the folder."""
        keys = _make_wallet(folder, passphrase)
        log = keys.signer(LOG_KEY)
        witness = ReplayingWitness.open(
            folder.store("witness"),
            name=WITNESS,
            signer=keys.signer(WITNESS_KEY),
            logs=[NoteKey.of_log(LOG, log.public_key)],
        )
        ledger = Ledger.open(folder.store("ledger"), origin=LOG, signer=log, witnesses=[witness])
        registries = [Registry.open(folder.store(name)) for name in ("civil-registry", "court-registry")]
        civil, court = (
            Issuer(did, keys.signer(name), registry=registry, ledger=ledger)
            for did, name, registry in zip((CIVIL, COURT), (CIVIL_KEY, COURT_KEY), registries, strict=True)
        )
        return cls(civil, court, ledger, (*registries, ledger, witness))

    def close(self) -> None:
        """Close their stores, so that databases lie in the folder and nothing beside them."""
        for store in self.stores:
            store.close()

    def publish(self) -> tuple[Publishing, Publishing]:
        """Publish for the civil registry and then for the court, whose checkpoint is the newer one."""
        return self.civil.publish(), self.court.publish()

    def gather(self) -> Knowledge:
        """Bring together all that a verifier needs to know, as of the newest checkpoint."""
        return Knowledge.gather(self.ledger, [*self.civil.published(), *self.court.published()])

    def policy(self, jurisdictions: Iterable[str]) -> Policy:
        """Write the verifier's policy: each authority is believed in its own matters and country alone."""
        countries = {code.split("-", 1)[0] for code in jurisdictions}
        return Policy(
            accreditations=(
                self.civil.accreditation([_BIRTH, _GUARDIANSHIP], countries),
                self.court.accreditation([_GUARDIANSHIP], countries),
            ),
            logs=(self.ledger.policy(),),
        )


def _make_wallet(folder: DemoFolder, passphrase: Passphrase) -> Wallet:
    path = folder.keys / "authorities.wallet"
    wallet = Wallet.create(path, passphrase.text, cost=passphrase.cost)
    signers = [(name, LocalSigner.generate()) for name in (CIVIL_KEY, COURT_KEY, LOG_KEY, WITNESS_KEY)]
    with wallet.editing() as edit:
        for name, signer in signers:
            edit.add(name, signer)
    return wallet

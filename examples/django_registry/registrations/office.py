"""The registry's office: vcid's stores and keys, opened once a process, at the first request that needs them.

For the example, log and witness live in this process too. A witness that verifiers are to believe belongs to
somebody else, on another machine: its word is what keeps this office from rewriting its own past.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from vcid import Issuer, Ledger, Policy, Registry, ReplayingWitness, Wallet
from vcid.ledger.notes import NoteKey

if TYPE_CHECKING:
    from vcid import Signer


@dataclass(frozen=True)
class Office:
    """What issues and publishes, and the policy by which this registry's credentials can be verified."""

    issuer: Issuer
    registry: Registry
    ledger: Ledger
    policy: Policy


@cache
def office() -> Office:
    """Open the office. Issuer and ledger are safe to share between threads."""
    wallet = Wallet.open(settings.DATA / "keys.wallet", settings.REGISTRY_PASSPHRASE)
    ledger = _open_ledger(wallet.signer("log"), wallet.signer("witness"))
    registry = Registry.open(_url("registry.db"))
    issuer = Issuer(settings.REGISTRY_DID, wallet.signer("issuer"), registry=registry, ledger=ledger)
    births = issuer.accreditation(["BirthRegistrationCredential"], [settings.REGISTRY_JURISDICTION])
    return Office(issuer, registry, ledger, Policy(accreditations=(births,), logs=(ledger.policy(),)))


def _open_ledger(log: Signer, witness: Signer) -> Ledger:
    cosigner = ReplayingWitness.open(
        _url("witness.db"),
        name=settings.WITNESS_NAME,
        signer=witness,
        logs=[NoteKey.of_log(settings.LOG_ORIGIN, log.public_key)],
    )
    return Ledger.open(_url("ledger.db"), origin=settings.LOG_ORIGIN, signer=log, witnesses=[cosigner])


def _url(name: str) -> str:
    return f"sqlite:///{settings.DATA / name}"

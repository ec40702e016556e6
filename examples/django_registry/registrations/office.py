"""The registry's office: vcid's stores and keys, opened once a process, at the first request that needs them.

For the example, log and witness live in this process too. A witness that verifiers are to believe belongs to
somebody else, on another machine: its word is what keeps this office from rewriting its own past.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING

from django.conf import settings

from vcid import Accreditation, Issuer, Ledger, LogPolicy, Policy, Registry, ReplayingWitness, Wallet
from vcid.ledger.notes import NoteKey, SignatureType

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
    log, witness = wallet.signer("log"), wallet.signer("witness")
    ledger = _open_ledger(log, witness)
    registry = Registry.open(_url("registry.db"))
    issuer = Issuer(settings.REGISTRY_DID, wallet.signer("issuer"), registry=registry, ledger=ledger)
    return Office(issuer, registry, ledger, _policy(issuer, log, witness))


def _open_ledger(log: Signer, witness: Signer) -> Ledger:
    cosigner = ReplayingWitness.open(
        _url("witness.db"),
        name=settings.WITNESS_NAME,
        signer=witness,
        logs=[NoteKey(settings.LOG_ORIGIN, SignatureType.ED25519, log.public_key)],
        clock=lambda: datetime.now(UTC),
    )
    return Ledger.open(_url("ledger.db"), origin=settings.LOG_ORIGIN, signer=log, witnesses=[cosigner])


def _policy(issuer: Issuer, log: Signer, witness: Signer) -> Policy:
    accreditation = Accreditation(
        issuer=issuer.did,
        credential_types=frozenset({"BirthRegistrationCredential"}),
        jurisdictions=frozenset({settings.REGISTRY_JURISDICTION}),
        owner=issuer.owner,
    )
    log_policy = LogPolicy(
        origin=settings.LOG_ORIGIN,
        log_key=log.public_key,
        witnesses=((settings.WITNESS_NAME, witness.public_key),),
        quorum=1,
    )
    return Policy(accreditations=(accreditation,), logs=(log_policy,))


def _url(name: str) -> str:
    return f"sqlite:///{settings.DATA / name}"

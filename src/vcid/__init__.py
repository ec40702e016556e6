"""Birth registration and guardianship as verifiable credentials, issued by a registry and proven offline.

The public names; everything else is reached through its own module. Nothing is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcid.credentials.birth import BirthRegistration as BirthRegistration
    from vcid.credentials.guardianship import Guardianship as Guardianship
    from vcid.credentials.model import Credential as Credential
    from vcid.drafting import Order as Order
    from vcid.drafting import Practice as Practice
    from vcid.errors import Behind as Behind
    from vcid.errors import Conflict as Conflict
    from vcid.errors import FieldError as FieldError
    from vcid.errors import InvalidRecord as InvalidRecord
    from vcid.errors import Locked as Locked
    from vcid.errors import Malformed as Malformed
    from vcid.errors import NotVerified as NotVerified
    from vcid.errors import Rejected as Rejected
    from vcid.errors import StoreTooNew as StoreTooNew
    from vcid.errors import Unavailable as Unavailable
    from vcid.errors import Undecided as Undecided
    from vcid.errors import VcidError as VcidError
    from vcid.issuer import Issuer as Issuer
    from vcid.keys.signing import LocalSigner as LocalSigner
    from vcid.keys.signing import PublicKey as PublicKey
    from vcid.keys.signing import Signer as Signer
    from vcid.keys.wallet import Wallet as Wallet
    from vcid.knowledge import Knowledge as Knowledge
    from vcid.ledger.anchor import LogPolicy as LogPolicy
    from vcid.ledger.log import Ledger as Ledger
    from vcid.ledger.notes import NoteKey as NoteKey
    from vcid.ledger.views import MemoryViewStore as MemoryViewStore
    from vcid.ledger.views import SqlViewStore as SqlViewStore
    from vcid.ledger.witness import ReplayingWitness as ReplayingWitness
    from vcid.policy import Policy as Policy
    from vcid.report import Check as Check
    from vcid.report import CheckName as CheckName
    from vcid.report import Conclusion as Conclusion
    from vcid.report import Outcome as Outcome
    from vcid.report import Report as Report
    from vcid.status.registry import Registry as Registry
    from vcid.trust import Accreditation as Accreditation
    from vcid.verifier import Surroundings as Surroundings
    from vcid.verifier import VerifiedCredential as VerifiedCredential
    from vcid.verifier import Verifier as Verifier

__version__ = "0.1.0"

_HOMES = {
    "Accreditation": "trust",
    "Behind": "errors",
    "BirthRegistration": "credentials.birth",
    "Check": "report",
    "CheckName": "report",
    "Conclusion": "report",
    "Conflict": "errors",
    "Credential": "credentials.model",
    "FieldError": "errors",
    "Guardianship": "credentials.guardianship",
    "InvalidRecord": "errors",
    "Issuer": "issuer",
    "Knowledge": "knowledge",
    "Ledger": "ledger.log",
    "LocalSigner": "keys.signing",
    "Locked": "errors",
    "LogPolicy": "ledger.anchor",
    "Malformed": "errors",
    "MemoryViewStore": "ledger.views",
    "NoteKey": "ledger.notes",
    "NotVerified": "errors",
    "Order": "drafting",
    "Outcome": "report",
    "Policy": "policy",
    "Practice": "drafting",
    "PublicKey": "keys.signing",
    "Registry": "status.registry",
    "Rejected": "errors",
    "ReplayingWitness": "ledger.witness",
    "Report": "report",
    "Signer": "keys.signing",
    "StoreTooNew": "errors",
    "SqlViewStore": "ledger.views",
    "Surroundings": "verifier",
    "Unavailable": "errors",
    "Undecided": "errors",
    "VcidError": "errors",
    "VerifiedCredential": "verifier",
    "Verifier": "verifier",
    "Wallet": "keys.wallet",
}

__all__ = [  # noqa: PLE0604 - the table above is the one list of names
    *sorted(_HOMES)
]


def __getattr__(name: str) -> object:
    """Load a public name from its module, at its first use (PEP 562)."""
    if name not in _HOMES:
        raise AttributeError(f"module 'vcid' has no attribute {name!r}")
    return getattr(import_module(f"vcid.{_HOMES[name]}"), name)


def __dir__() -> list[str]:
    return [*globals(), *_HOMES]

"""Birth registration and guardianship as verifiable credentials, issued by a registry and proven offline.

The public names; everything else is reached through its own module. Nothing is loaded before it is used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from vcid.credentials.approvals import Approval as Approval
    from vcid.credentials.approvals import ApprovalRule as ApprovalRule
    from vcid.credentials.approvals import Replacement as Replacement
    from vcid.credentials.approvals import approve as approve
    from vcid.credentials.birth import BirthRegistration as BirthRegistration
    from vcid.credentials.delegation import Delegation as Delegation
    from vcid.credentials.envelopes import Presentation as Presentation
    from vcid.credentials.guardianship import Guardianship as Guardianship
    from vcid.credentials.model import Credential as Credential
    from vcid.credentials.presets import Purpose as Purpose
    from vcid.credentials.schema_set import Schemas as Schemas
    from vcid.dids.https import HttpsLoader as HttpsLoader
    from vcid.dids.webvh import DidWebvhResolver as DidWebvhResolver
    from vcid.disclosing import disclose as disclose
    from vcid.drafting import Disclosure as Disclosure
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
    from vcid.holder import Holder as Holder
    from vcid.holder import present as present
    from vcid.issuer import Issuer as Issuer
    from vcid.keys.pkcs11 import Pkcs11Signer as Pkcs11Signer
    from vcid.keys.pkcs11_place import TokenKey as TokenKey
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
    from vcid.orders import Order as Order
    from vcid.orders import Renewal as Renewal
    from vcid.policy import Policy as Policy
    from vcid.report import Check as Check
    from vcid.report import CheckName as CheckName
    from vcid.report import Conclusion as Conclusion
    from vcid.report import Outcome as Outcome
    from vcid.report import PresentationReport as PresentationReport
    from vcid.report import Report as Report
    from vcid.securing.disclosure import BaseDocument as BaseDocument
    from vcid.status.registry import Registry as Registry
    from vcid.trust import Accreditation as Accreditation
    from vcid.verifier import Surroundings as Surroundings
    from vcid.verifier import VerifiedCredential as VerifiedCredential
    from vcid.verifier import VerifiedPresentation as VerifiedPresentation
    from vcid.verifier import Verifier as Verifier

__version__ = "0.1.0"

_HOMES = {
    "Accreditation": "trust",
    "Approval": "credentials.approvals",
    "ApprovalRule": "credentials.approvals",
    "approve": "credentials.approvals",
    "BaseDocument": "securing.disclosure",
    "Behind": "errors",
    "BirthRegistration": "credentials.birth",
    "Check": "report",
    "CheckName": "report",
    "Conclusion": "report",
    "Conflict": "errors",
    "Credential": "credentials.model",
    "Delegation": "credentials.delegation",
    "DidWebvhResolver": "dids.webvh",
    "disclose": "disclosing",
    "Disclosure": "drafting",
    "FieldError": "errors",
    "Guardianship": "credentials.guardianship",
    "Holder": "holder",
    "HttpsLoader": "dids.https",
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
    "Order": "orders",
    "Outcome": "report",
    "Pkcs11Signer": "keys.pkcs11",
    "Policy": "policy",
    "Practice": "drafting",
    "present": "holder",
    "Presentation": "credentials.envelopes",
    "PresentationReport": "report",
    "PublicKey": "keys.signing",
    "Purpose": "credentials.presets",
    "Registry": "status.registry",
    "Rejected": "errors",
    "Renewal": "orders",
    "ReplayingWitness": "ledger.witness",
    "Replacement": "credentials.approvals",
    "Report": "report",
    "Schemas": "credentials.schema_set",
    "Signer": "keys.signing",
    "SqlViewStore": "ledger.views",
    "StoreTooNew": "errors",
    "Surroundings": "verifier",
    "TokenKey": "keys.pkcs11_place",
    "Unavailable": "errors",
    "Undecided": "errors",
    "VcidError": "errors",
    "VerifiedCredential": "verifier",
    "VerifiedPresentation": "verifier",
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

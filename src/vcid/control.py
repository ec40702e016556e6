"""Proof of control: that whoever asks to be bound to a DID has its key, now and for this very request."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.credentials.envelopes import PRESENTATION, read_secured
from vcid.dids.methods import DidKeyResolver
from vcid.dids.urls import parse_did_url
from vcid.errors import InvalidProof, Malformed
from vcid.securing.cryptosuites import JCS_SUITES
from vcid.securing.data_integrity import ProofDemand, verify_proof

if TYPE_CHECKING:
    from datetime import datetime

    from vcid.credentials.envelopes import Presentation
    from vcid.dids.documents import Resolver, VerificationMethod
    from vcid.encoding.contexts import Contexts
    from vcid.issuers import Audience
    from vcid.orders import Renewal


def check_control(
    answer: Presentation,
    did: str,
    audience: Audience,
    *,
    at: datetime,
    contexts: Contexts,
    resolver: Resolver | None = None,
) -> None:
    """Check that a presentation proves control of a DID, by a Data Integrity proof for authentication.

    Args:
        answer: what ``Holder.prove_control`` gave.
        did: the DID to be controlled.
        audience: the challenge that it has to answer, and the name of who gave it.
        at: the moment, with a time zone, for which the proof is judged.
        contexts: the JSON-LD contexts known.
        resolver: gives the DID's document; of did:key alone, by default.

    Raises:
        Malformed: the answer is no such presentation.
        InvalidProof: its proof does not hold, is for somebody else, or is not by this DID.
        ResolutionFailed: the DID's document can't be had.
    """
    resolver = resolver or DidKeyResolver()
    received = read_secured(answer, PRESENTATION)
    if received.token is not None:
        raise Malformed("media-type", "a presentation with a Data Integrity proof")

    def resolve(url: str, purpose: str) -> VerificationMethod:
        return resolver.resolve(parse_did_url(url).did).method(url, purpose)

    demand = ProofDemand(
        suites=frozenset(JCS_SUITES.values()),
        purpose="authentication",
        challenge=audience.challenge,
        domain=audience.domain,
        at=at,
    )
    verified = verify_proof(received.document, resolve=resolve, demand=demand, contexts=contexts)
    if verified.document.get("holder") != did or parse_did_url(verified.method.id).did != did:
        raise InvalidProof("other-holder", "the proof is by another DID than the one to be bound")


def check_rebinding(
    renewal: Renewal, answer: Presentation, audience: Audience, *, at: datetime, contexts: Contexts
) -> None:
    """Check that who asks for a credential to be bound to a new DID has that DID's key.

    Raises:
        ValueError: the renewal names no new DID, or more than one.
        Malformed, InvalidProof, ResolutionFailed: as `check_control`.
    """
    holders = set(renewal.dids.values())
    if len(holders) != 1:
        raise ValueError("a credential is rebound to one holder")
    check_control(answer, holders.pop(), audience, at=at, contexts=contexts)

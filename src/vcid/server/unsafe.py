"""The service as interoperability tests need it: fresh keys, and a verifier that believes any issuer.

Nothing here is fit for a decision about anybody: the checks that ask *whether to believe* somebody are switched
off, so that what remains is whether documents and proofs are well formed and hold.
"""

from __future__ import annotations

from vcid.dids.methods import DidKeyResolver
from vcid.knowledge import Knowledge
from vcid.policy import Policy
from vcid.securing.cryptosuites import SUITES
from vcid.server.issuing import StatusDesk, Surroundings
from vcid.server.profiles import ephemeral_profiles
from vcid.server.resolving import Resolving
from vcid.server.service import Service
from vcid.verifier import Verifier


def ephemeral_service() -> Service:
    """Make a service with a fresh key for every profile, which ends with the process."""
    profiles = ephemeral_profiles()
    around = Surroundings(unsafe_any_issuer=True, unsafe_any_json_ld=True)
    return Service(
        profiles=profiles,
        verifier=Verifier(unsafe_policy(), Knowledge()),
        resolving=Resolving(DidKeyResolver()),
        statuses=StatusDesk(profiles["status"], around),
        around=around,
    )


def unsafe_policy() -> Policy:
    """A policy that believes any issuer and tolerates what can't be known without a network."""
    return Policy(
        suites=frozenset(SUITES),
        tolerated=frozenset({"status", "anchor", "schema", "holder"}),
    )

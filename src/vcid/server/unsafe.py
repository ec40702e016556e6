"""The service as interoperability tests need it: fresh keys, and a verifier that believes any issuer.

Nothing here is fit for a decision about anybody: the checks that ask *whether to believe* somebody are
switched off, so that what remains is whether documents and proofs are well formed and hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.knowledge import Knowledge
from vcid.policy import Policy
from vcid.securing.cryptosuites import SUITES
from vcid.securing.jose import ALGORITHMS
from vcid.server.issuing import StatusDesk, Surroundings
from vcid.server.profiles import ephemeral_profiles
from vcid.server.resolving import Resolving, resolver_of
from vcid.server.service import Service
from vcid.verifier import Surroundings as VerifierSurroundings
from vcid.verifier import Verifier

if TYPE_CHECKING:
    from vcid.encoding.contexts import Contexts


def ephemeral_service(contexts: Contexts) -> Service:
    """Make a service with a fresh key for every profile, which ends with the process.

    Args:
        contexts: the JSON-LD contexts that documents may name.
    """
    profiles = ephemeral_profiles()
    around = Surroundings(
        contexts=contexts, unsafe_any_issuer=True, unsafe_any_json_ld=True, unsafe_exact_pointers=True
    )
    return Service(
        profiles=profiles,
        verifier=Verifier(unsafe_policy(), Knowledge(), surroundings=VerifierSurroundings(contexts=contexts)),
        resolving=Resolving(resolver_of(Knowledge())),
        statuses=StatusDesk(profiles["status"], around),
        around=around,
    )


def unsafe_policy() -> Policy:
    """A policy that believes any issuer and tolerates what can't be known without a network."""
    return Policy(
        suites=frozenset([*SUITES, *ALGORITHMS]),
        unsafe_any_issuer=True,
        unsafe_any_json_ld=True,
        tolerated=frozenset({"status", "anchor", "schema", "holder"}),
    )

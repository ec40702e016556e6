"""What the tests of this room share: a resolver for did:key URLs, demands, and keys made from fixed seeds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from vcid.dids.key_material import parse_multikey
from vcid.encoding.contexts import Contexts
from vcid.encoding.multikey import KeyType
from vcid.errors import ResolutionFailed
from vcid.keys.signing import LocalSigner
from vcid.securing.data_integrity import SUITES, ProofDemand

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.dids.key_material import VerifyingKey


@dataclass(frozen=True)
class DidKeyMethod:
    """A verification method as did:key gives it; the room under test knows it by structure alone."""

    id: str
    controller: str
    public_key: VerifyingKey
    revoked: datetime | None = None
    expires: datetime | None = None


def resolve_did_key(url: str, purpose: str) -> DidKeyMethod:
    """Resolve did:key:z…#z… for any purpose."""
    did, _, fragment = url.partition("#")
    if did != f"did:key:{fragment}":
        raise ResolutionFailed("invalidDidUrl", "a did:key URL with its own key as fragment")
    return DidKeyMethod(url, did, parse_multikey(fragment))


def did_key_url(signer: LocalSigner) -> str:
    multikey = signer.public_key.multikey
    return f"did:key:{multikey}#{multikey}"


@pytest.fixture(scope="session")
def resolve() -> Callable[[str, str], DidKeyMethod]:
    return resolve_did_key


@pytest.fixture(scope="session")
def method_url() -> Callable[[LocalSigner], str]:
    return did_key_url


@pytest.fixture(scope="session")
def contexts() -> Contexts:
    return Contexts.carried()


@pytest.fixture(scope="session")
def demand() -> ProofDemand:
    return ProofDemand(suites=frozenset(SUITES), at=datetime(2025, 6, 1, tzinfo=UTC))


@pytest.fixture(scope="session")
def signers() -> dict[KeyType, LocalSigner]:
    """One signer of each kind, from fixed private keys so that failures repeat."""
    sizes = {KeyType.ED25519: 32, KeyType.P256: 32, KeyType.P384: 48, KeyType.ML_DSA_44: 32}
    return {kind: LocalSigner.from_private_bytes(kind, b"\x07" * size) for kind, size in sizes.items()}

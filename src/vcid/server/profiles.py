"""The profiles of the service: under each, credentials are secured in one way and by one key.

A profile is the first part of a path: ``POST /eddsa-rdfc-2022/credentials/issue``. The table says what each
needs; a `Profile` is one that the operator gave a key.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, cast

from vcid.encoding.multikey import KeyType
from vcid.errors import Unavailable
from vcid.keys.signing import LocalSigner

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.keys.bbs import BbsSigner
    from vcid.keys.signing import Signer


class Securing(Enum):
    """How a profile makes a document a credential."""

    PROOF = auto()
    SELECTIVE = auto()
    JOSE = auto()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileKind:
    """What a profile's name stands for.

    Attributes:
        name: the profile's name in paths.
        key_type: the kind of key that signs.
        cryptosuite: the suite of its proofs; empty where a credential is enveloped instead.
        securing: which of the library's ways of securing it takes.
        has_status: whether each credential gets a place in a status list.
    """

    name: str
    key_type: KeyType
    cryptosuite: str = ""
    securing: Securing = Securing.PROOF
    has_status: bool = False


_KINDS: Final = (
    ProfileKind(name="eddsa-rdfc-2022", key_type=KeyType.ED25519, cryptosuite="eddsa-rdfc-2022"),
    ProfileKind(name="eddsa-jcs-2022", key_type=KeyType.ED25519, cryptosuite="eddsa-jcs-2022"),
    ProfileKind(name="ecdsa-rdfc-2019-p256", key_type=KeyType.P256, cryptosuite="ecdsa-rdfc-2019"),
    ProfileKind(name="ecdsa-rdfc-2019-p384", key_type=KeyType.P384, cryptosuite="ecdsa-rdfc-2019"),
    ProfileKind(name="ecdsa-jcs-2019-p256", key_type=KeyType.P256, cryptosuite="ecdsa-jcs-2019"),
    ProfileKind(name="ecdsa-jcs-2019-p384", key_type=KeyType.P384, cryptosuite="ecdsa-jcs-2019"),
    ProfileKind(
        name="ecdsa-sd-2023",
        key_type=KeyType.P256,
        cryptosuite="ecdsa-sd-2023",
        securing=Securing.SELECTIVE,
    ),
    ProfileKind(
        name="bbs-2023",
        key_type=KeyType.BLS12_381_G2,
        cryptosuite="bbs-2023",
        securing=Securing.SELECTIVE,
    ),
    ProfileKind(name="vc-jwt", key_type=KeyType.P256, securing=Securing.JOSE),
    ProfileKind(name="status", key_type=KeyType.ED25519, cryptosuite="eddsa-rdfc-2022", has_status=True),
)

KINDS: Final[Mapping[str, ProfileKind]] = MappingProxyType({kind.name: kind for kind in _KINDS})
"""Every profile by its name."""


@dataclass(frozen=True, slots=True)
class Profile:
    """A profile with its key.

    Attributes:
        kind: what it does.
        did: whose credentials it signs.
        signer: the key.

    Raises:
        ValueError: the key is not of the profile's kind.
    """

    kind: ProfileKind
    did: str
    signer: Signer | BbsSigner = field(repr=False)

    def __post_init__(self) -> None:
        if self.signer.public_key.key_type is not self.kind.key_type:
            raise ValueError(f"the profile {self.kind.name} takes a key of type {self.kind.key_type}")

    @property
    def verification_method(self) -> str:
        """The URL of the method that verifies the key: its Multikey as fragment of the DID."""
        return f"{self.did}#{self.signer.public_key.multikey}"

    @property
    def plain_signer(self) -> Signer:
        """The key, for a profile that signs bytes.

        Raises:
            TypeError: it signs lists of messages.
        """
        if self.kind.key_type is KeyType.BLS12_381_G2:
            raise TypeError("BBS keys sign lists of messages")
        return cast("Signer", self.signer)


def ephemeral_profiles() -> dict[str, Profile]:
    """Make a fresh did:key for every profile; the keys end with the process.

    Without the package that BBS keys need, there is no profile for them.
    """
    profiles = {}
    for kind in KINDS.values():
        with suppress(Unavailable):
            signer = _generate(kind.key_type)
            profiles[kind.name] = Profile(kind, f"did:key:{signer.public_key.multikey}", signer)
    return profiles


def _generate(key_type: KeyType) -> Signer | BbsSigner:
    if key_type is KeyType.BLS12_381_G2:
        from vcid.keys.bbs import LocalBbsSigner

        return LocalBbsSigner.generate()
    return LocalSigner.generate(key_type)

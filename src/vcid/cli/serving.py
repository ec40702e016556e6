"""From a ``vcid.toml`` to the service that its section [server] describes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.cli.opening import KeyRing, open_verifier, read_knowledge, verifying_section
from vcid.cli.options import SetUpFailure
from vcid.errors import InvalidRecord

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.cli.config import Config, ServerSection
    from vcid.encoding.contexts import Contexts
    from vcid.server.issuing import StatusDesk, Surroundings
    from vcid.server.profiles import Profile
    from vcid.server.service import Service


def open_service(
    config: Config, contexts: Contexts, ask_passphrase: Callable[[], str]
) -> tuple[Service, str | None]:
    """Open the service: its keys, its registry of statuses and its verifier.

    Args:
        config: what to open; the sections [server] and [verifier].
        contexts: the JSON-LD contexts that documents may name.
        ask_passphrase: gives what the keys are encrypted under; asked only where there are keys.

    Returns:
        The service, and the URL below which its status lists are found.

    Raises:
        SetUpFailure: a section is not there, or its parts don't fit each other.
        VcidError: a part can't be opened.
    """
    from vcid.server.issuing import Surroundings
    from vcid.server.resolving import Resolving, resolver_of
    from vcid.server.service import Service

    section = _serving_section(config)
    verifying = verifying_section(config)
    knowledge = read_knowledge(verifying)
    around = Surroundings(contexts=contexts)
    try:
        profiles = _open_profiles(section, ask_passphrase)
        statuses = _open_statuses(section, profiles, around)
    except ValueError as error:
        raise SetUpFailure(f"{config.path}: {error}") from error
    service = Service(
        profiles={name: profile for name, profile in profiles.items() if statuses or name != "status"},
        verifier=open_verifier(verifying, knowledge, contexts=contexts),
        resolving=Resolving(resolver_of(knowledge)),
        statuses=statuses,
        around=around,
    )
    return service, section.status_url


def _serving_section(config: Config) -> ServerSection:
    try:
        return config.serving()
    except InvalidRecord as error:
        raise SetUpFailure(f"{config.path}: {error}") from error


def _open_profiles(section: ServerSection, ask_passphrase: Callable[[], str]) -> dict[str, Profile]:
    """Give every profile for whose kind of key there is one.

    Raises:
        ValueError: a key is of another kind than its name says.
    """
    from vcid.encoding.multikey import KeyType
    from vcid.server.profiles import KINDS, Profile

    places = {
        KeyType.ED25519: section.ed25519_key,
        KeyType.P256: section.p256_key,
        KeyType.P384: section.p384_key,
    }
    if not any(places.values()):
        return {}
    keys = KeyRing(ask_passphrase())
    profiles = {}
    for kind in KINDS.values():
        place = places.get(kind.key_type)
        if place is not None:
            signer = keys.signer(place)
            profiles[kind.name] = Profile(
                kind, section.did or f"did:key:{signer.public_key.multikey}", signer
            )
    return profiles


def _open_statuses(
    section: ServerSection, profiles: dict[str, Profile], around: Surroundings
) -> StatusDesk | None:
    """Open the registry of the profile ``status``.

    Raises:
        Conflict: the registry is another issuer's (``other-registry``).
    """
    from vcid.server.issuing import STATUS_PURPOSES, StatusDesk
    from vcid.status.registry import Registry

    profile = profiles.get("status")
    if section.registry is None or profile is None:
        return None
    registry = Registry.open(section.registry.url, purposes=STATUS_PURPOSES)
    registry.bind(profile.did, profile.plain_signer.public_key)
    return StatusDesk(profile, around, registry)

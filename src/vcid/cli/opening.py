"""From a ``vcid.toml`` to the issuer or verifier that it describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcid.cli.options import SetUpFailure
from vcid.errors import InvalidRecord, Unavailable, VcidError

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from vcid.cli.config import (
        Config,
        IssuerSection,
        KeyPlace,
        LedgerSection,
        Store,
        VerifierSection,
        WitnessSection,
    )
    from vcid.encoding.contexts import Contexts
    from vcid.issuer import Issuer
    from vcid.keys.pkcs11_place import TokenKey
    from vcid.keys.signing import Signer
    from vcid.keys.wallet import Wallet
    from vcid.knowledge import Knowledge
    from vcid.ledger.anchor import LogPolicy, View, Witness
    from vcid.ledger.log import Ledger
    from vcid.ledger.notes import NoteKey
    from vcid.ledger.reading import StoredLog
    from vcid.ledger.witness import ReplayingWitness
    from vcid.policy import Policy
    from vcid.status.registry import Registry
    from vcid.verifier import Verifier


class KeyRing:
    """The keys that a ``vcid.toml`` names: files under one passphrase, and tokens under their PINs."""

    def __init__(self, passphrase: str) -> None:
        self._passphrase = passphrase
        self._wallets: dict[str, Wallet] = {}
        self._pins: dict[tuple[str, str], str] = {}

    def signer(self, place: KeyPlace | TokenKey) -> Signer:
        """Give the key of that place.

        Raises:
            Locked: the passphrase or PIN is wrong.
            Conflict: the wallet or token has no such key (``not-found``).
            Unavailable: the file can't be read, or the token not reached.
        """
        from vcid.keys.pkcs11_place import TokenKey
        from vcid.keys.signing import LocalSigner
        from vcid.keys.wallet import Wallet

        if isinstance(place, TokenKey):
            return self._hardware_signer(place)

        if place.name is None:
            return LocalSigner.load(place.path, self._passphrase)
        path = str(place.path)
        if path not in self._wallets:
            self._wallets[path] = Wallet.open(place.path, self._passphrase)
        return self._wallets[path].signer(place.name)

    def _hardware_signer(self, place: TokenKey) -> Signer:
        from vcid.cli.options import read_pin
        from vcid.keys.pkcs11 import Pkcs11Signer

        token = str(place.module), place.token
        if token not in self._pins:
            self._pins[token] = read_pin(place.pin_file)
        return Pkcs11Signer.open(place, self._pins[token])


def issuing_sections(config: Config) -> tuple[IssuerSection, LedgerSection]:
    """Give the sections that issuing commands need.

    Raises:
        SetUpFailure: they are not there.
    """
    try:
        return config.issuing()
    except InvalidRecord as error:
        raise SetUpFailure(f"{config.path}: {error}") from error


def verifying_section(config: Config) -> VerifierSection:
    """Give the section that verifying commands need.

    Raises:
        SetUpFailure: it is not there.
    """
    try:
        return config.verifying()
    except InvalidRecord as error:
        raise SetUpFailure(f"{config.path}: {error}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Authority:
    """An issuer with its ledger, and whether a witness cosigns it."""

    issuer: Issuer
    ledger: Ledger
    is_witnessed: bool

    @property
    def log_policy(self) -> LogPolicy | None:
        """Whom to believe about the log; None without a witness."""
        return self.ledger.policy(quorum=1) if self.is_witnessed else None

    def witnessed_at(self, view: View) -> datetime | None:
        """The time that the witness gave to a checkpoint."""
        policy = self.log_policy
        return policy.examine(view.note).freshness if policy else None


def open_authority(config: Config, passphrase: str, *, create: bool = False) -> Authority:
    """Open the issuer, its registry, ledger and witness.

    Args:
        config: what to open.
        passphrase: what the keys are encrypted under.
        create: make databases that aren't there; otherwise one that has gone is an error, since an empty
            one in its place would know nothing of what was issued.

    Raises:
        SetUpFailure: the parts don't fit each other.
        VcidError: a part can't be opened.
    """
    try:
        return _open_authority(config, KeyRing(passphrase), create=create)
    except ValueError as error:
        raise SetUpFailure(f"{config.path}: {error}") from error


def _open_authority(config: Config, keys: KeyRing, *, create: bool) -> Authority:
    from vcid.drafting import Practice
    from vcid.issuer import Issuer

    issuing, _ = issuing_sections(config)
    signer = keys.signer(issuing.key)
    registry = open_registry(issuing, create=create)
    ledger = _open_ledger(config, keys, create=create)
    practice = Practice(status_url=issuing.status_url)
    issuer = Issuer(issuing.did, signer, registry=registry, ledger=ledger, practice=practice)
    is_witnessed = config.witness is not None or _ledger_section(config).witnesses is not None
    return Authority(issuer=issuer, ledger=ledger, is_witnessed=is_witnessed)


def open_ledger(config: Config, passphrase: str, *, create: bool = False) -> Ledger:
    """Open the log alone, to append to and to publish, with its witness.

    Raises:
        SetUpFailure: the parts don't fit each other, or there is no section [ledger].
        VcidError: a part can't be opened.
    """
    try:
        return _open_ledger(config, KeyRing(passphrase), create=create)
    except ValueError as error:
        raise SetUpFailure(f"{config.path}: {error}") from error


def open_stored_log(config: Config) -> StoredLog:
    """Open the log to read it alone, which needs no passphrase.

    Raises:
        SetUpFailure: there is no section [ledger], or the store holds the log of another origin.
        VcidError: it can't be opened.
    """
    from vcid.ledger.reading import StoredLog
    from vcid.ledger.sql import SqlStore

    section = _ledger_section(config)
    log = StoredLog.of(SqlStore.open(_checked(section.url, create=False).url))
    if log.key.name != section.origin:
        raise SetUpFailure(f"{config.path}: the store holds the log of another origin")
    return log


def _ledger_section(config: Config) -> LedgerSection:
    if config.ledger is None:
        raise SetUpFailure(f"{config.path}: /ledger: required: expected a section [ledger]")
    return config.ledger


def _open_ledger(config: Config, keys: KeyRing, *, create: bool) -> Ledger:
    from vcid.ledger.log import Ledger
    from vcid.ledger.notes import NoteKey

    section = _ledger_section(config)
    signer = keys.signer(section.key)
    log_key = NoteKey.of_log(section.origin, signer.public_key)
    witnesses: list[Witness] = _read_witnesses(section.witnesses) if section.witnesses else []
    if config.witness:
        witnesses.insert(0, _open_witness(config.witness, keys, log_key, create=create))
    return Ledger.open(
        _checked(section.url, create=create).url, origin=section.origin, signer=signer, witnesses=witnesses
    )


def _read_witnesses(path: Path) -> list[Witness]:
    """Read whom to ask over HTTP: the witnesses of a tlog-policy that have a URL.

    Raises:
        SetUpFailure: the file can't be read, or is none.
    """
    from vcid.ledger.tlog_policy import MAX_POLICY_BYTES, TlogPolicy
    from vcid.ledger.witness_http import HttpWitness, HttpWitnessTransport

    try:
        with path.open("rb") as file:
            policy = TlogPolicy.parse(file.read(MAX_POLICY_BYTES + 1))
        replaying = policy.replaying_witnesses()
        return [
            HttpWitness(party.key, HttpWitnessTransport(party.url), replays=name in replaying)
            for name, party in policy.witnesses.items()
            if party.url
        ]
    except OSError as error:
        raise SetUpFailure(f"{path}: {error.strerror}") from error
    except (VcidError, ValueError) as error:
        raise SetUpFailure(f"{path}: {error}") from error


def open_registry(section: IssuerSection, *, create: bool = False) -> Registry:
    """Open the registry alone, which needs no passphrase.

    Raises:
        Unavailable: it is not there, or can't be opened.
    """
    from vcid.status.registry import Registry

    return Registry.open(_checked(section.registry, create=create).url)


def _open_witness(section: WitnessSection, keys: KeyRing, log: NoteKey, *, create: bool) -> ReplayingWitness:
    from vcid.ledger.witness import ReplayingWitness

    return ReplayingWitness.open(
        _checked(section.url, create=create).url,
        name=section.name,
        signer=keys.signer(section.key),
        logs=[log],
    )


def _checked(store: Store, *, create: bool) -> Store:
    if not create and store.missing:
        raise Unavailable(f"there is no {store.missing} where vcid.toml says: restore it from its backup")
    return store


def read_policy(section: VerifierSection) -> Policy:
    """Read the policy that ``vcid.toml`` names.

    Raises:
        SetUpFailure: it can't be read, or is none; the message lists all its faults.
    """
    from vcid.policy import Policy

    try:
        return Policy.load(section.policy)
    except OSError as error:
        raise SetUpFailure(f"{section.policy}: {error.strerror}") from error
    except VcidError as error:
        raise SetUpFailure(f"{section.policy}: {error}") from error


def read_knowledge(section: VerifierSection) -> Knowledge:
    """Load the folder of knowledge that ``vcid.toml`` names.

    Raises:
        SetUpFailure: there is none.
    """
    from vcid.knowledge import Knowledge

    try:
        return Knowledge.load(section.knowledge)
    except VcidError as error:
        raise SetUpFailure(f"{section.knowledge}: {error}") from error


def open_verifier(
    section: VerifierSection, knowledge: Knowledge, *, contexts: Contexts | None = None
) -> Verifier:
    """Open the verifier, with its memory of the logs.

    Args:
        section: what to open.
        knowledge: what it knows.
        contexts: the JSON-LD contexts known; by default those carried.

    Raises:
        SetUpFailure: the policy can't be used.
        Unavailable: the memory can't be opened.
    """
    from vcid.ledger.views import SqlViewStore
    from vcid.verifier import Surroundings, Verifier

    policy = read_policy(section)
    around = None if contexts is None else Surroundings(contexts=contexts)
    views = SqlViewStore.open(section.views.url)
    return Verifier(policy, knowledge, views=views, surroundings=around)

"""``vcid init``: set up an authority, or a verifier, in one folder."""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vcid.cli.config import FILE_NAME, Config, write_toml
from vcid.cli.opening import open_authority, read_knowledge, read_policy, verifying_section
from vcid.cli.options import (
    HELP,
    SetUpFailure,
    cost_named,
    json_option,
    key_cost_option,
    passphrase_option,
    read_passphrase,
)
from vcid.cli.output import print_json, say
from vcid.cli.publishing import publish_authority
from vcid.errors import Conflict, Malformed, ResolutionFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from vcid.cli.opening import Authority
    from vcid.cli.publishing import Published
    from vcid.keys.encrypted_file import Argon2Cost
    from vcid.policy import Policy

WALLET: Final = "keys.json"
KEY_NAMES: Final = ("issuer", "ledger", "witness")
STORES: Final = ("registry.db", "ledger.db", "witness.db", "views.db")
POLICY: Final = "policy.json"
DOCUMENT: Final = "did.json"
KNOWLEDGE: Final = "knowledge"
ALL_NAMES: Final = (
    FILE_NAME,
    WALLET,
    f"{WALLET}.lock",
    *(f"{store}{suffix}" for store in STORES for suffix in ("", "-wal", "-shm")),
    POLICY,
    DOCUMENT,
    KNOWLEDGE,
)
"""Everything that comes to stand in an authority's folder, SQLite's logs beside their stores included."""

CREDENTIAL_TYPES: Final = frozenset({"BirthRegistrationCredential", "GuardianshipCredential"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """An authority to be set up.

    Attributes:
        folder: where.
        did: its DID, a did:web.
        jurisdiction: under whose law it acts.
        passphrase: what its keys are encrypted under.
        cost: what a guess at the passphrase costs.
        issuer_key: the PKCS#11 URI of an issuer's key that exists in hardware; None to make one.
    """

    folder: Path
    did: str
    jurisdiction: str
    passphrase: str
    cost: Argon2Cost
    issuer_key: str | None = None

    @property
    def own_keys(self) -> tuple[str, ...]:
        """The names of the keys that are made here, in the wallet."""
        return KEY_NAMES if self.issuer_key is None else KEY_NAMES[1:]

    def sections(self) -> Mapping[str, Mapping[str, str]]:
        """The ``vcid.toml`` of the authority."""
        from vcid.dids.methods import did_web_url

        place = did_web_url(self.did).removeprefix("https://").removesuffix("/did.json")
        place = place.removesuffix("/.well-known")
        issuer, ledger, witness = (f"{WALLET}#{name}" for name in KEY_NAMES)
        return {
            "issuer": {
                "did": self.did,
                "key": self.issuer_key or issuer,
                "registry": "sqlite:///registry.db",
                "jurisdiction": self.jurisdiction,
            },
            "ledger": {"url": "sqlite:///ledger.db", "origin": f"{place}/log", "key": ledger},
            "witness": {"name": f"{place}/witness", "url": "sqlite:///witness.db", "key": witness},
            "verifier": {"policy": POLICY, "knowledge": KNOWLEDGE, "views": "sqlite:///views.db"},
        }


def set_up(plan: Plan) -> Published:
    """Make the keys, stores, policy and first publication of an authority, and its ``vcid.toml`` last.

    Raises:
        Conflict: something of that name stands there already (``file-exists``); nothing was changed.
        VcidError: a part can't be made; what was made before it is taken away again.
    """
    from vcid.encoding.json import canonicalize
    from vcid.keys.signing import LocalSigner
    from vcid.keys.wallet import Wallet

    toml = write_toml(plan.sections())
    config = Config.parse(toml, path=plan.folder / FILE_NAME)
    refuse_existing(plan.folder, ALL_NAMES)
    plan.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The wallet never takes another file's place, so whoever makes it has the folder to himself.
    wallet = Wallet.create(plan.folder / WALLET, plan.passphrase, cost=plan.cost)
    with taken_away_on_failure(plan.folder):
        with wallet.editing() as edit:
            for name in plan.own_keys:
                edit.add(name, LocalSigner.generate())
        authority = open_authority(config, plan.passphrase, create=True)
        published = publish_authority(authority, plan.folder / KNOWLEDGE)
        write_new(plan.folder / DOCUMENT, canonicalize(authority.issuer.document) + b"\n")
        write_new(plan.folder / POLICY, b"")
        _policy(authority, plan.jurisdiction).save(plan.folder / POLICY)
        write_new(plan.folder / FILE_NAME, toml)
    return published


def refuse_existing(folder: Path, names: Iterable[str]) -> None:
    """Check that nothing stands under these names.

    Raises:
        Conflict: something does (``file-exists``).
    """
    for name in names:
        if os.path.lexists(folder / name):
            raise Conflict(
                "file-exists",
                f"{folder / name} is there already, and nothing is overwritten: choose another folder,"
                " or take away what an interrupted init left",
            )


@contextmanager
def taken_away_on_failure(folder: Path, names: Iterable[str] = ALL_NAMES) -> Iterator[None]:
    """Leave nothing half made; all these names were free when the work began."""
    try:
        yield
    except BaseException:
        for name in names:
            if name == KNOWLEDGE:
                shutil.rmtree(folder / name, ignore_errors=True)
            else:
                (folder / name).unlink(missing_ok=True)
        raise


def _policy(authority: Authority, jurisdiction: str) -> Policy:
    """Believe this authority alone: to be handed to verifiers, who may edit it."""
    from vcid.policy import Policy

    accreditation = authority.issuer.accreditation(CREDENTIAL_TYPES, {jurisdiction})
    log = authority.log_policy
    return Policy(accreditations=(accreditation,), logs=(log,) if log else ())


def set_up_verifier(folder: Path, policy: Path, knowledge: Path) -> Path:
    """Write the ``vcid.toml`` of a verifier who was given a policy and a folder of knowledge.

    Raises:
        Conflict: there is one already (``file-exists``).
        SetUpFailure: the policy or the knowledge can't be used.
    """
    file = folder / FILE_NAME
    named = {"policy": _from(folder, policy), "knowledge": _from(folder, knowledge)}
    try:
        toml = write_toml({"verifier": {**named, "views": "sqlite:///views.db"}})
    except UnicodeEncodeError as error:
        raise SetUpFailure("a path that is not in UTF-8 can't stand in vcid.toml") from error
    section = verifying_section(Config.parse(toml, path=file.absolute()))
    read_policy(section)
    read_knowledge(section)
    refuse_existing(folder, [FILE_NAME])
    folder.mkdir(parents=True, exist_ok=True)
    write_new(file, toml)
    return file


def write_new(path: Path, content: bytes) -> None:
    """Write a file that all may read and its owner alone may write, whatever the umask says.

    Whoever could write it would say whom verifiers believe, or which keys sign.
    """
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
    path.chmod(0o644)


def _from(folder: Path, path: Path) -> str:
    """Name a path from the folder of ``vcid.toml`` where it lies within, and absolutely otherwise."""
    absolute, root = path.absolute(), folder.absolute()
    return str(absolute.relative_to(root) if absolute.is_relative_to(root) else absolute)


@click.command(context_settings=HELP)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--domain", help="The authority's host name, for a DID of did:web: civil.example.")
@click.option("--did", help="The DID itself, for one below a path: did:web:example.org:registry.")
@click.option("--jurisdiction", help="Under whose law it acts: ET, or ET-AA for a subdivision.")
@click.option("--issuer-key", help="A key that exists in hardware: pkcs11:token=…;object=…?module-path=…")
@click.option("--verifier", "is_verifier", is_flag=True, help="Set up a verifier, which issues nothing.")
@click.option(
    "--policy", type=click.Path(exists=True, dir_okay=False, path_type=Path), help="A verifier's policy."
)
@click.option(
    "--knowledge",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A verifier's folder of knowledge.",
)
@passphrase_option
@key_cost_option
@json_option
def init(
    *,
    folder: Path,
    domain: str | None,
    did: str | None,
    jurisdiction: str | None,
    issuer_key: str | None,
    is_verifier: bool,
    policy: Path | None,
    knowledge: Path | None,
    passphrase_file: Path | None,
    key_cost: str,
    as_json: bool,
) -> None:
    """Set up an authority in FOLDER (this one by default), or with --verifier a verifier.

    \b
    An authority gets
      vcid.toml     by which every other command finds the rest; edit it freely
      keys.json     the keys of issuer, ledger and witness, under one passphrase
      registry.db   what was issued: personal data
      ledger.db     the log in which status lists are anchored
      witness.db    what the witness remembers of the log
      did.json      the DID document, to be served where the DID says
      policy.json   for verifiers: whom to believe
      knowledge/    for verifiers: what they go by offline, from a first publication

    The witness's key is made here for a start. A witness that the authority itself runs shows verifiers how
    fresh their knowledge is, and not that nobody else was shown another log.

    With --issuer-key the issuer's key stays in hardware; its PIN is pin-source's, VCID_PIN's or asked for.

    \b
    A verifier's vcid.toml names what it was given:
      vcid init --verifier --policy policy.json --knowledge knowledge

    Nothing is ever overwritten.

    Back up registry.db, ledger.db, witness.db and keys.json together, with SQLite's own backup or while
    nothing runs: a plain copy made beside a live process misses what still stands in the write-ahead log.
    After any restore run `vcid registry recover`.

    JSON: config, did, didDocument, policy, knowledge, publication (as of `vcid publish`); for a verifier
    config, policy, knowledge.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    if is_verifier:
        if domain or did or jurisdiction or issuer_key or policy is None or knowledge is None:
            raise click.UsageError("a verifier takes --policy and --knowledge, and nothing of an authority's")
        _report_verifier(set_up_verifier(folder, policy, knowledge), policy, knowledge, as_json=as_json)
        return
    if policy or knowledge:
        raise click.UsageError("--policy and --knowledge belong to --verifier")
    plan = Plan(
        folder=folder.absolute(),
        did=_chosen_did(domain, did),
        jurisdiction=_checked_jurisdiction(jurisdiction),
        passphrase=read_passphrase(passphrase_file, confirm=True),
        cost=cost_named(key_cost),
        issuer_key=_checked_uri(issuer_key),
    )
    _report(plan, set_up(plan), as_json=as_json)


def _chosen_did(domain: str | None, did: str | None) -> str:
    from vcid.dids.methods import did_web_url

    if (domain is None) == (did is None):
        raise click.UsageError("an authority needs either --domain or --did")
    chosen = did or f"did:web:{(domain or '').replace(':', '%3A')}"
    try:
        did_web_url(chosen)
    except ResolutionFailed as error:
        raise click.UsageError(error.detail) from error
    return chosen


def _checked_uri(text: str | None) -> str | None:
    from vcid.keys.pkcs11_place import TokenKey

    if text is not None:
        try:
            TokenKey.parse(text)
        except Malformed as error:
            raise click.UsageError(f"--issuer-key: expected {error.expected}") from error
    return text


def _checked_jurisdiction(code: str | None) -> str:
    from vcid.credentials.codes import is_jurisdiction

    if code is None or not is_jurisdiction(code):
        raise click.UsageError(
            "--jurisdiction is a country of ISO 3166-1 or a subdivision, such as ET or ET-AA"
        )
    return code


def _report(plan: Plan, published: Published, *, as_json: bool) -> None:
    from vcid.dids.methods import did_web_url

    folder = plan.folder
    if as_json:
        print_json(
            {
                "config": str(folder / FILE_NAME),
                "did": plan.did,
                "didDocument": str(folder / DOCUMENT),
                "policy": str(folder / POLICY),
                "knowledge": str(folder / KNOWLEDGE),
                "publication": published.to_json(),
            }
        )
        return
    say(f"{plan.did} is set up in {folder}")
    published.say()
    say(f"serve {DOCUMENT} as {did_web_url(plan.did)}")
    say(f"hand {POLICY} and {KNOWLEDGE}/ to verifiers")
    say(f"back up together {', '.join(STORES[:3])} and {WALLET}; after any restore: vcid registry recover")


def _report_verifier(file: Path, policy: Path, knowledge: Path, *, as_json: bool) -> None:
    if as_json:
        print_json({"config": str(file), "policy": str(policy), "knowledge": str(knowledge)})
    else:
        say(f"a verifier is set up by {file}")

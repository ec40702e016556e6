"""``vcid witness``: a witness for others' logs, its key, its consent to a succession, and evidence."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vcid.cli.config import FILE_NAME, Config, write_toml
from vcid.cli.init import refuse_existing, taken_away_on_failure, write_new
from vcid.cli.opening import KeyRing
from vcid.cli.options import (
    HELP,
    SetUpFailure,
    config_option,
    cost_named,
    json_option,
    key_cost_option,
    load_config,
    passphrase_option,
    read_passphrase,
)
from vcid.cli.output import print_json, say
from vcid.cli.serve import listen
from vcid.errors import Unavailable, VcidError

if TYPE_CHECKING:
    import socket
    from collections.abc import Sequence

    from vcid.cli.config import Store, WitnessSection
    from vcid.encoding.json import JSON
    from vcid.keys.wallet import Wallet
    from vcid.ledger.notes import NoteKey
    from vcid.ledger.witness import ReplayingWitness
    from vcid.ledger.witness_plain import PlainWitness

WALLET: Final = "keys.json"
LOGS: Final = "logs.policy"
_NAMES: Final = (
    FILE_NAME,
    WALLET,
    f"{WALLET}.lock",
    LOGS,
    *(f"{store}{suffix}" for store in ("witness.db", "plain.db") for suffix in ("", "-wal", "-shm")),
)
_ONE_NAME: Final = "the plain witness has a name of its own, since policies count witnesses by name"
_MAX_STATEMENT: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Witnesses:
    """The witnesses that a section [witness] describes, and the logs that they cosign."""

    origins: tuple[str, ...]
    replaying: ReplayingWitness
    plain: PlainWitness | None

    @property
    def keys(self) -> dict[str, JSON]:
        """The verifier keys, by what each stands for."""
        keys: dict[str, JSON] = {"replaying": self.replaying.key.vkey}
        if self.plain is not None:
            keys["plain"] = self.plain.key.vkey
        return keys


@click.group(context_settings=HELP)
def witness() -> None:
    """Cosign other people's logs, so that none of them can show two versions of itself.

    A replaying witness reads every leaf and refuses false heads; a plain one, with a key of its own, sees to
    it that logs only grow. Neither key is used for anything else, and a witness whose database was lost or
    put back from a backup needs a new key.
    """


@witness.command(context_settings=HELP)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--name", required=True, help="The witness's name: a URL without the scheme.")
@click.option("--plain", help="The name of a plain C2SP witness beside it, with an ML-DSA-44 key.")
@click.option(
    "--log", "logs", metavar="VKEY", multiple=True, required=True, help="A log to cosign. Can be repeated."
)
@passphrase_option
@key_cost_option
@json_option
def init(
    *,
    folder: Path,
    name: str,
    plain: str | None,
    logs: tuple[str, ...],
    passphrase_file: Path | None,
    key_cost: str,
    as_json: bool,
) -> None:
    """Set up a witness in FOLDER: keys.json, logs.policy, witness.db and vcid.toml.

    JSON: config, keys {replaying, plain}.
    """
    from vcid.keys.wallet import Wallet

    if plain == name:
        raise click.UsageError(f"--plain: {_ONE_NAME}")
    folder = folder.absolute()
    parts = {"name": name, "url": "sqlite:///witness.db", "key": f"{WALLET}#witness", "logs": LOGS}
    if plain is not None:
        parts |= {"plain_name": plain, "plain_url": "sqlite:///plain.db", "plain_key": f"{WALLET}#plain"}
    toml = write_toml({"witness": parts})
    config = Config.parse(toml, path=folder / FILE_NAME)
    policy = _write_logs(logs)
    refuse_existing(folder, _NAMES)
    passphrase = read_passphrase(passphrase_file, confirm=True)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    wallet = Wallet.create(folder / WALLET, passphrase, cost=cost_named(key_cost))
    with taken_away_on_failure(folder, _NAMES):
        _add_keys(wallet, with_plain=plain is not None)
        write_new(folder / LOGS, policy)
        made = _open(config, passphrase, create=True)
        write_new(folder / FILE_NAME, toml)
    if as_json:
        print_json({"config": str(config.path), "keys": made.keys})
        return
    say(f"the witness {name} is set up in {folder}")
    _say_keys(made)


def _write_logs(vkeys: Sequence[str]) -> bytes:
    """The logs as a tlog-policy without a quorum, which is for verifiers."""
    from vcid.ledger.tlog_policy import TlogPolicy

    lines = [*(f"log {vkey}" for vkey in vkeys), "quorum none", ""]
    try:
        return TlogPolicy.parse("\n".join(lines).encode()).encode()
    except VcidError as error:
        raise click.UsageError(f"--log is a log's verifier key, each once: {error}") from error


def _add_keys(wallet: Wallet, *, with_plain: bool) -> None:
    from vcid.encoding.multikey import KeyType
    from vcid.keys.signing import LocalSigner

    with wallet.editing() as edit:
        edit.add("witness", LocalSigner.generate())
        if with_plain:
            edit.add("plain", LocalSigner.generate(KeyType.ML_DSA_44))


@witness.command(context_settings=HELP)
@passphrase_option
@config_option
@json_option
def key(*, passphrase_file: Path | None, config: str | None, as_json: bool) -> None:
    """Show the verifier keys, for policies of verifiers and logs.

    JSON: keys {replaying, plain}.
    """
    opened = _open(load_config(config), read_passphrase(passphrase_file))
    if as_json:
        print_json({"keys": opened.keys})
    else:
        _say_keys(opened)


@witness.command(context_settings=HELP)
@click.argument("statement", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--lost-key",
    is_flag=True,
    help="The old log's key is lost: its operator, whom you know, told you so by another way.",
)
@passphrase_option
@config_option
@json_option
def succeed(
    *, statement: Path, lost_key: bool, passphrase_file: Path | None, config: str | None, as_json: bool
) -> None:
    """Let a log end and another take its place, by the STATEMENT of both; print the cosignature.

    The old log is never cosigned again.

    JSON: cosignature.
    """
    with statement.open("rb") as file:
        data = file.read(_MAX_STATEMENT)
    opened = _open(load_config(config), read_passphrase(passphrase_file))
    line = opened.replaying.add_succession(data, without_old_key=lost_key).decode().removesuffix("\n")
    if as_json:
        print_json({"cosignature": line})
    else:
        say(line)


@witness.command(context_settings=HELP)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--log", "logs", metavar="VKEY", multiple=True, required=True, help="The log's key. Can be repeated."
)
@json_option
def evidence(*, file: Path, logs: tuple[str, ...], as_json: bool) -> None:
    """Check FILE, evidence that a log shows two versions of itself.

    Exit codes: 0 the log signed both, 1 this is no evidence against it.

    JSON: log, sizes.
    """
    from vcid.ledger.evidence import MAX_EVIDENCE_BYTES, verify_evidence
    from vcid.ledger.notes import Checkpoint, NoteKey

    try:
        keys = [NoteKey.parse(vkey) for vkey in logs]
    except VcidError as error:
        raise click.UsageError(f"--log is a log's verifier key: {error}") from error
    with file.open("rb") as stream:
        found = verify_evidence(stream.read(MAX_EVIDENCE_BYTES + 1), *keys)
    sizes: list[JSON] = [Checkpoint.parse(one.text).size for one in (found.first, found.second)]
    if as_json:
        print_json({"log": found.origin, "sizes": sizes})
    else:
        say(f"{found.origin} signed two versions of itself, of {sizes[0]} and {sizes[1]} leaves")


@witness.command(context_settings=HELP)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8081, show_default=True, help="0 takes a free one."
)
@passphrase_option
@config_option
@json_option
def serve(*, host: str, port: int, passphrase_file: Path | None, config: str | None, as_json: bool) -> None:
    """Cosign over HTTP (C2SP tlog-witness), until stopped.

    The replaying witness answers below /replaying, a plain one at the root. TLS is a proxy's work. Nobody
    needs a token: only checkpoints signed by the logs in logs.policy are worked on. The log on stderr has a
    line of JSON for each request, without personal data.

    JSON: url, keys {replaying, plain}.
    """
    try:
        from vcid.server.running import run
        from vcid.server.witness import create_witness_app
    except ImportError as error:
        raise SetUpFailure("the service needs starlette and uvicorn: install vcid[server]") from error
    opened = _open(load_config(config), read_passphrase(passphrase_file))
    try:
        app = create_witness_app(opened.origins, replaying=opened.replaying, plain=opened.plain)
    except ValueError as error:
        raise SetUpFailure(f"[witness]: {error}") from error
    with listen(host, port) as listening:
        _announce(opened, listening, as_json=as_json)
        run(app, listening)


def _announce(opened: Witnesses, listening: socket.socket, *, as_json: bool) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if as_json:
        print_json({"url": url, "keys": opened.keys})
    else:
        say(f"vcid cosigns at {url}")
    sys.stdout.flush()


def _say_keys(opened: Witnesses) -> None:
    for kind, vkey in opened.keys.items():
        say(f"{kind} {vkey}")


def _open(config: Config, passphrase: str, *, create: bool = False) -> Witnesses:
    """Open the witnesses of a ``vcid.toml``.

    Raises:
        SetUpFailure: the section or the file of logs is not there, or its parts don't fit each other.
        VcidError: a part can't be opened.
    """
    section = config.witness
    if section is None or section.logs is None:
        raise SetUpFailure(f"{config.path}: a section [witness] with logs, which this command is for")
    logs = _read_logs(section.logs)
    keys = KeyRing(passphrase)
    try:
        return _open_both(section, logs, keys, create=create)
    except ValueError as error:
        raise SetUpFailure(f"{config.path}: {error}") from error


def _open_both(section: WitnessSection, logs: Sequence[NoteKey], keys: KeyRing, *, create: bool) -> Witnesses:
    from vcid.ledger.witness import ReplayingWitness
    from vcid.ledger.witness_plain import PlainWitness

    if section.plain_name == section.name:
        raise ValueError(f"[witness] plain_name: {_ONE_NAME}")
    url = _url(section.url, create=create)
    replaying = ReplayingWitness.open(url, name=section.name, signer=keys.signer(section.key), logs=logs)
    plain = None
    if section.plain_name and section.plain_url and section.plain_key:
        url, signer = _url(section.plain_url, create=create), keys.signer(section.plain_key)
        plain = PlainWitness.open(url, name=section.plain_name, signer=signer, logs=logs)
    return Witnesses(tuple(log.name for log in logs), replaying, plain)


def _url(store: Store, *, create: bool) -> str:
    if not create and store.missing:
        raise Unavailable(f"there is no {store.missing}, and a witness that forgot has to change its key")
    return store.url


def _read_logs(path: Path) -> list[NoteKey]:
    from vcid.ledger.tlog_policy import MAX_POLICY_BYTES, TlogPolicy

    try:
        with path.open("rb") as file:
            return [log.key for log in TlogPolicy.parse(file.read(MAX_POLICY_BYTES + 1)).logs]
    except OSError as error:
        raise SetUpFailure(f"{path}: {error.strerror}") from error
    except VcidError as error:
        raise SetUpFailure(f"{path}: {error}") from error

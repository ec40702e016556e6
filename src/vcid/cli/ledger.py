"""``vcid ledger``: run a log, export it as tiles, rebuild it from them, and follow it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vcid.cli.config import FILE_NAME, Config, write_toml
from vcid.cli.init import WALLET, refuse_existing, taken_away_on_failure, write_new
from vcid.cli.ledger_checking import check
from vcid.cli.ledger_following import monitor
from vcid.cli.ledger_proving import prove
from vcid.cli.ledger_succeeding import succeed
from vcid.cli.logs import log_keys, open_transport, origin_option, policy_option
from vcid.cli.opening import open_ledger, open_stored_log
from vcid.cli.options import (
    HELP,
    config_option,
    cost_named,
    json_option,
    key_cost_option,
    load_config,
    passphrase_option,
    read_passphrase,
)
from vcid.cli.output import note, print_json, say
from vcid.cli.progress import slow_progress

if TYPE_CHECKING:
    from vcid.encoding.json import JsonObject
    from vcid.ledger.anchor import LogPolicy, View
    from vcid.ledger.export import Export
    from vcid.ledger.log import Ledger
    from vcid.ledger.reading import StoredLog
    from vcid.ledger.replaying import Replayed

POLICY: Final = "policy.json"
STORES: Final = ("ledger.db", "witness.db")
_NAMES: Final = (
    FILE_NAME,
    WALLET,
    f"{WALLET}.lock",
    *(f"{store}{suffix}" for store in STORES for suffix in ("", "-wal", "-shm")),
    POLICY,
)
_DIFFERS: Final = 1


@click.group(context_settings=HELP)
def ledger() -> None:
    """Run, prove from, follow and rebuild the log in which issuers anchor."""


ledger.add_command(prove)
ledger.add_command(check)
ledger.add_command(monitor)
ledger.add_command(succeed)


@ledger.command(context_settings=HELP)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path), default=".")
@click.option("--origin", required=True, help="The log's name: its URL without the scheme.")
@click.option("--witness", help="The witness's name. By default the origin and /witness.")
@passphrase_option
@key_cost_option
@json_option
def init(
    *,
    folder: Path,
    origin: str,
    witness: str | None,
    passphrase_file: Path | None,
    key_cost: str,
    as_json: bool,
) -> None:
    """Set up a log of its own in FOLDER, apart from any issuer.

    For an issuer, `vcid init` sets one up. The log gets vcid.toml, keys.json with the keys of log and
    witness, ledger.db, witness.db, and policy.json, which tells verifiers the log's and the witness's keys
    and accredits nobody.

    JSON: config, origin, logKey, policy, checkpointSize.
    """
    folder = folder.absolute()
    toml = write_toml(
        {
            "ledger": {"url": "sqlite:///ledger.db", "origin": origin, "key": f"{WALLET}#ledger"},
            "witness": {
                "name": witness or f"{origin}/witness",
                "url": "sqlite:///witness.db",
                "key": f"{WALLET}#witness",
            },
        }
    )
    config = Config.parse(toml, path=folder / FILE_NAME)
    passphrase = read_passphrase(passphrase_file, confirm=True)
    log, view = _set_up(config, toml, passphrase, key_cost)
    if as_json:
        print_json(
            {
                "config": str(config.path),
                "origin": origin,
                "logKey": log.key.vkey,
                "policy": str(folder / POLICY),
                "checkpointSize": view.size,
            }
        )
        return
    say(f"the log {origin} is set up in {folder}")
    say(f"its key is {log.key.vkey}")
    say(f"hand {POLICY} to verifiers; back up together {', '.join(STORES)} and {WALLET}")


def _set_up(config: Config, toml: bytes, passphrase: str, key_cost: str) -> tuple[Ledger, View]:
    """Make the keys, stores, first checkpoint and policy, and ``vcid.toml`` last."""
    from vcid.keys.signing import LocalSigner
    from vcid.keys.wallet import Wallet
    from vcid.policy import Policy

    folder = config.path.parent
    refuse_existing(folder, _NAMES)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    # The wallet never takes another file's place, so whoever makes it has the folder to himself.
    wallet = Wallet.create(folder / WALLET, passphrase, cost=cost_named(key_cost))
    with taken_away_on_failure(folder, _NAMES):
        with wallet.editing() as edit:
            for name in ("ledger", "witness"):
                edit.add(name, LocalSigner.generate())
        log = open_ledger(config, passphrase, create=True)
        view = log.publish()
        write_new(folder / POLICY, b"")
        Policy(logs=(log.policy(quorum=1),)).save(folder / POLICY)
        write_new(folder / FILE_NAME, toml)
    return log, view


@ledger.command(context_settings=HELP)
@click.option(
    "--tiles",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to export the log to afterwards.",
)
@passphrase_option
@config_option
@json_option
def publish(folder: Path | None, passphrase_file: Path | None, config: str | None, as_json: bool) -> None:
    """Publish a checkpoint of the log, cosigned by its witness.

    With nothing new in the log it is a heartbeat, which shows verifiers that nothing is new. Issuers publish
    by `vcid publish`, which does this too.

    JSON: log, checkpointSize, witnessedAt, tiles, seconds.
    """
    start = time.perf_counter()
    read = load_config(config)
    log = open_ledger(read, read_passphrase(passphrase_file))
    view = log.publish()
    is_witnessed = read.witness or (read.ledger and read.ledger.witnesses)
    policy = log.policy(quorum=1) if is_witnessed else None
    if folder is not None:
        _export(log, folder, rebuild=False)
    _report_publication(view, policy, folder, time.perf_counter() - start, as_json=as_json)


def _report_publication(
    view: View, policy: LogPolicy | None, folder: Path | None, seconds: float, *, as_json: bool
) -> None:
    witnessed = policy.examine(view.note).freshness if policy else None
    if as_json:
        print_json(
            {
                "log": view.origin,
                "checkpointSize": view.size,
                "witnessedAt": witnessed.isoformat() if witnessed else None,
                "tiles": str(folder) if folder else None,
                "seconds": round(seconds, 3),
            }
        )
        return
    when = f"witnessed {witnessed:%Y-%m-%d %H:%M:%S} UTC" if witnessed else "not witnessed"
    say(f"checkpoint of {view.size} leaves in {view.origin}, {when}")
    if folder is not None:
        say(f"tiles: {folder}")


@ledger.command(context_settings=HELP)
@click.argument("folder", type=click.Path(file_okay=False, path_type=Path))
@click.option("--rebuild", is_flag=True, help="Write everything anew, for a folder that was damaged.")
@config_option
@json_option
def export(folder: Path, rebuild: bool, config: str | None, as_json: bool) -> None:
    """Export the log to FOLDER as tiles, for any web server or a USB stick.

    Only what is new since the last export is written, and the checkpoint last: an export that broke off is
    done again. Needs no passphrase.

    JSON: log, checkpointSize, added, files, folder.
    """
    done = _export(open_stored_log(load_config(config)), folder, rebuild=rebuild)
    if as_json:
        print_json(
            {
                "log": done.view.origin,
                "checkpointSize": done.view.size,
                "added": done.added,
                "files": done.files,
                "folder": str(folder),
            }
        )
    else:
        say(f"checkpoint of {done.view.size} leaves, {done.added} of them new, in {folder}")


def _export(log: StoredLog, folder: Path, *, rebuild: bool) -> Export:
    from vcid.ledger.export import export as export_log

    with slow_progress("bundles exported", None) as step:
        return export_log(log, folder, rebuild=rebuild, step=step)


@ledger.command(context_settings=HELP)
@click.argument("place", metavar="[PLACE]", required=False)
@click.option("--log-key", "vkey", help="The log's verifier key. By default from [ledger] or the policy.")
@policy_option
@origin_option
@config_option
@json_option
@click.pass_context
def replay(
    ctx: click.Context,
    *,
    place: str | None,
    vkey: str | None,
    policy_file: Path | None,
    origin: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Rebuild the log from its tiles, and compare everything.

    PLACE is the tiles' folder or URL. Compared are the checkpoint, all tiles, all signatures and sequences,
    every heads leaf, and the store of [ledger] where vcid.toml names one. Without PLACE the store alone is
    rebuilt and compared.

    Exit codes: 0 everything agrees, 1 something differs: the first difference is said.

    JSON: log, checkpointSize, leaves, headsLeaves, topics, comparedStore, agrees, difference ({code, detail}
    or null). Without PLACE: log, agrees, difference.
    """
    read = load_config(config)
    if place is None:
        replayed = _audited(open_stored_log(read), as_json=as_json)
    else:
        key, *former = log_keys(read, vkey, policy_file, origin)
        store = open_stored_log(read) if read.ledger is not None else None
        if store is not None and store.key != key:
            store = None
        from vcid.ledger.replaying import replay as replay_log

        with open_transport(place) as transport, slow_progress("bundles replayed", None) as step:
            found = replay_log(transport, key, *former, store=store, step=step)
        replayed = bool(found)
        _report_replay(found, key.name, has_store=store is not None, as_json=as_json)
    if not replayed:
        ctx.exit(_DIFFERS)


def _audited(log: StoredLog, *, as_json: bool) -> bool:
    from vcid.errors import Conflict

    difference: JsonObject | None = None
    try:
        log.audit()
    except Conflict as error:
        difference = {"code": error.code, "detail": error.detail}
    if as_json:
        print_json({"log": log.key.name, "agrees": difference is None, "difference": difference})
    elif difference is None:
        say(f"{log.key.name}: everything stored is what its leaves give")
    else:
        say(f"{log.key.name}: differs: {difference['code']}: {difference['detail']}")
    return difference is None


def _report_replay(found: Replayed, origin: str, *, has_store: bool, as_json: bool) -> None:
    difference = found.difference
    if as_json:
        print_json(
            {
                "log": origin,
                "checkpointSize": found.view.size if found.view else None,
                "leaves": found.leaves,
                "headsLeaves": found.heads_leaves,
                "topics": found.topics,
                "comparedStore": has_store,
                "agrees": difference is None,
                "difference": {"code": difference.code, "detail": difference.detail} if difference else None,
            }
        )
        return
    say(f"{origin}: {found.leaves} leaves replayed, {found.topics} topics, {found.heads_leaves} heads leaves")
    if difference is not None:
        say(f"differs: {difference.code}: {difference.detail}")
    else:
        say("agrees with the checkpoint" + (" and with the store" if has_store else ""))
    if not has_store:
        note("vcid: compared with no store: vcid.toml names none of this log")

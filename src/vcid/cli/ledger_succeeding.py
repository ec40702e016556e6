"""``vcid ledger succeed``: end a log and let another one take its place."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vcid.cli.config import Config
from vcid.cli.init import write_new
from vcid.cli.logs import log_policy, policy_option, verifying_policy
from vcid.cli.opening import KeyRing, open_ledger, open_stored_log
from vcid.cli.options import (
    HELP,
    SetUpFailure,
    config_option,
    json_option,
    load_config,
    passphrase_option,
    read_passphrase,
)
from vcid.cli.output import print_json, say
from vcid.errors import Conflict

if TYPE_CHECKING:
    from vcid.cli.config import LedgerSection
    from vcid.ledger.succession import Succession

_MAX_STATEMENT: Final = 1 << 20


@click.command(context_settings=HELP)
@click.argument("statement", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--into",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    required=True,
    help="The vcid.toml of the new log, whose store is not there yet.",
)
@click.option(
    "--cosignature", "lines", metavar="LINE", multiple=True, help="A witness's consent. Can be repeated."
)
@click.option("--lost-key", is_flag=True, help="Propose without the old log's key, because it is lost.")
@policy_option
@passphrase_option
@config_option
@json_option
def succeed(
    *,
    statement: Path,
    into: Path,
    lines: tuple[str, ...],
    lost_key: bool,
    policy_file: Path | None,
    passphrase_file: Path | None,
    config: str | None,
    as_json: bool,
) -> None:
    """End the log of vcid.toml at its newest checkpoint, and let the one of --into take its place.

    Without a file STATEMENT one is written, for the witnesses' operators to agree to by `vcid witness
    succeed`. Done again with their cosignatures, and the old log's --policy, it keeps those in STATEMENT,
    carries the entries over and publishes the new log. Put STATEMENT as a file *.succession into
    knowledge/logs, and verifiers follow. What broke off is done again.

    JSON: log, successor, finalSize, checkpointSize (null where a statement is proposed).
    """
    old, new = load_config(config), Config.load(into.absolute())
    passphrase = read_passphrase(passphrase_file)
    if not statement.exists():
        proposed = _propose(statement, old, new, passphrase, lost_key=lost_key)
        _report(proposed, None, statement, as_json=as_json)
        return
    with statement.open("rb") as file:
        data = file.read(_MAX_STATEMENT)
    from vcid.ledger.succession import Proposal, Succeeded

    proposal = Proposal.parse(data).cosigned(line.encode() for line in lines)
    policy = log_policy(verifying_policy(old, policy_file), proposal.succession.old.name)
    succession = Succeeded.verify(proposal.encode(), policy).succession
    if lines:
        scratch = statement.with_name(f".{statement.name}.new")
        scratch.write_bytes(proposal.encode())
        scratch.replace(statement)
    _report(succession, _carry_out(succession, old, new, passphrase), statement, as_json=as_json)


def _propose(statement: Path, old: Config, new: Config, passphrase: str, *, lost_key: bool) -> Succession:
    """Write the statement.

    Raises:
        Conflict: the log has no checkpoint, or entries behind its newest (``unpublished``).
    """
    from vcid.ledger.notes import NoteKey
    from vcid.ledger.succession import Succession

    log, section, keys = open_stored_log(old), _section(new), KeyRing(passphrase)
    view = log.checkpoint()
    if view is None or log.entries(view.size, view.size + 1):
        raise Conflict("unpublished", "the log ends at its newest checkpoint: publish what is behind it")
    signer = keys.signer(section.key)
    try:
        succession = Succession(
            log.key, view.size, view.root, NoteKey.of_log(section.origin, signer.public_key)
        )
    except ValueError as error:
        raise SetUpFailure(f"{new.path}: {error}") from error
    old_signer = None if lost_key else keys.signer(_section(old).key)
    write_new(statement, succession.propose(signer, old_signer))
    return succession


def _carry_out(succession: Succession, old: Config, new: Config, passphrase: str) -> int:
    """Begin the new log, publish it, and give its size."""
    from vcid.ledger.succession import carry_over

    former, ledger = open_stored_log(old), open_ledger(new, passphrase, create=True)
    if (former.key, ledger.key) != (succession.old, succession.new):
        raise Conflict("other-log", "the statement is about other logs than the two vcid.toml")
    carry_over(former, ledger, succession, KeyRing(passphrase).signer(_section(new).key))
    return ledger.publish().size


def _section(config: Config) -> LedgerSection:
    if config.ledger is None:
        raise SetUpFailure(f"{config.path}: /ledger: required: expected a section [ledger]")
    return config.ledger


def _report(succession: Succession, size: int | None, statement: Path, *, as_json: bool) -> None:
    old, new = succession.old.name, succession.new.name
    if as_json:
        print_json({"log": old, "successor": new, "finalSize": succession.size, "checkpointSize": size})
    elif size is None:
        say(f"{new} proposes to take the place of {old}, which ends with {succession.size} leaves")
        say(f"have witnesses agree to {statement} by `vcid witness succeed`, and repeat with --cosignature")
    else:
        say(f"{new} took the place of {old}: checkpoint of {size} leaves")
        say(
            f"copy {statement} into knowledge/logs as a file *.succession, and change [ledger] of the issuers"
        )

"""``vcid registry``: looking after the record of what was issued."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vcid.cli.opening import issuing_sections, open_authority
from vcid.cli.options import HELP, config_option, json_option, load_config, passphrase_option, read_passphrase
from vcid.cli.output import note, print_json, say
from vcid.errors import Malformed

if TYPE_CHECKING:
    from vcid.cli.config import Config
    from vcid.encoding.json import JsonObject
    from vcid.status.registry import RecoveryReport


@click.group(context_settings=HELP)
def registry() -> None:
    """Look after the registry of what was issued."""


@registry.command(context_settings=HELP)
@click.option(
    "--published",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of knowledge last published, or one of status lists. By default that of [verifier].",
)
@click.option(
    "--accept-loss",
    is_flag=True,
    help="Go on without the newest of every list: revocations come undone, or can't be made any more.",
)
@passphrase_option
@config_option
@json_option
def recover(
    published: Path | None, accept_loss: bool, passphrase_file: Path | None, config: str | None, as_json: bool
) -> None:
    """Make a registry that was restored from a backup safe to use again.

    Stop everything else that uses the registry first. Its lists are retired: they stay published and
    revocable, and no index of them is given out again. What was revoked since the backup is taken from the
    lists last published. Run `vcid publish` afterwards.

    JSON: retired, missed, adopted, lost, unmerged (lists of URLs), bitsMerged, voided.
    """
    read = load_config(config)
    issuing, _ = issuing_sections(read)
    authority = open_authority(read, read_passphrase(passphrase_file))
    contents = _published_lists(published or _default_folder(read), issuing.did)
    report = authority.issuer.recover(contents, accept_loss=accept_loss)
    if as_json:
        print_json(_report_json(report))
        return
    say(f"retired {len(report.retired)} lists, and gave up {report.voided} reservations")
    say(f"{report.bits_merged} statuses set again, in {len(report.missed)} lists that were published since")
    for list_id in report.unmerged:
        say(f"lost: revocations in {list_id} that are in no list at hand")
    for list_id in report.lost:
        say(f"lost: {list_id}, what was issued in it can't be revoked")
    say("now run: vcid publish")


def _default_folder(config: Config) -> Path | None:
    if config.verifier is None or not config.verifier.knowledge.is_dir():
        return None
    return config.verifier.knowledge


def _published_lists(folder: Path | None, issuer: str) -> dict[str, bytes]:
    """Find an issuer's status lists, by their URL, in a folder of knowledge or of lists."""
    from vcid.encoding.json import canonicalize, parse_object
    from vcid.knowledge import MAX_FILE_BYTES

    if folder is None:
        return {}
    lists = {}
    for path in sorted(((folder / "status") if (folder / "status").is_dir() else folder).glob("*.json")):
        try:
            document = parse_object(path.read_bytes(), max_bytes=MAX_FILE_BYTES)
        except Malformed as error:
            note(f"vcid: {path} left out: {error}")
            continue
        list_id = document.get("id")
        if isinstance(list_id, str) and document.get("issuer") == issuer:
            lists[list_id] = canonicalize(document)
    return lists


def _report_json(report: RecoveryReport) -> JsonObject:
    return {
        "retired": [*report.retired],
        "missed": [missed.list_id for missed in report.missed],
        "adopted": [*report.adopted],
        "lost": [*report.lost],
        "unmerged": [*report.unmerged],
        "bitsMerged": report.bits_merged,
        "voided": report.voided,
    }

"""``vcid publish`` and ``vcid revoke``: what verifiers learn, and when."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from vcid.cli.opening import (
    issuing_sections,
    open_authority,
    open_registry,
)
from vcid.cli.options import (
    HELP,
    config_option,
    json_option,
    load_config,
    open_input,
    passphrase_option,
    read_key,
    read_passphrase,
)
from vcid.cli.output import note, print_json, say

if TYPE_CHECKING:
    from datetime import datetime

    from vcid.cli.opening import Authority
    from vcid.encoding.json import JsonObject
    from vcid.publishing import Publishing

MAX_CREDENTIAL = 1 << 20
MAX_ROOM = 10_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """What one publication came to.

    Attributes:
        publishing: the checkpoint and the lists.
        witnessed_at: the time that the witness gave to the checkpoint; None without a witness.
        knowledge: the folder that was refreshed, if one was.
        seconds: how long it took.
    """

    publishing: Publishing
    witnessed_at: datetime | None
    knowledge: Path | None
    seconds: float

    def to_json(self) -> JsonObject:
        """Write it as JSON."""
        view = self.publishing.view
        return {
            "log": view.origin,
            "checkpointSize": view.size,
            "witnessedAt": self.witnessed_at.isoformat() if self.witnessed_at else None,
            "lists": [{"id": one.list_id, "seq": one.seq} for one in self.publishing.lists],
            "knowledge": str(self.knowledge) if self.knowledge else None,
            "seconds": round(self.seconds, 3),
        }

    def say(self) -> None:
        """Say it in words."""
        view, lists = self.publishing.view, self.publishing.lists
        when = (
            f"witnessed {self.witnessed_at:%Y-%m-%d %H:%M:%S} UTC" if self.witnessed_at else "not witnessed"
        )
        say(f"checkpoint of {view.size} leaves in {view.origin}, {when}")
        say(f"status lists: {len(lists)}, published in {self.seconds:.1f} s")
        for one in lists:
            say(f"  {one.list_id} version {one.seq}")
        if self.knowledge:
            say(f"knowledge for verifiers: {self.knowledge}")


def publish_authority(authority: Authority, folder: Path | None, *, room: int = 0) -> Published:
    """Publish, and write what verifiers need to know into a folder that keeps what it holds of others.

    Raises:
        VcidError: as ``Issuer.publish``.
    """
    from vcid.knowledge_folder import check_replaceable

    start = time.perf_counter()
    if folder is not None:
        check_replaceable(folder)
    publishing = authority.issuer.publish(room=room)
    if folder is not None:
        _refresh(folder, authority)
    return Published(
        publishing=publishing,
        witnessed_at=authority.witnessed_at(publishing.view),
        knowledge=folder,
        seconds=time.perf_counter() - start,
    )


def _refresh(folder: Path, authority: Authority) -> None:
    """Refresh a folder, which may hold what other authorities published too."""
    from vcid.knowledge import Knowledge

    known = Knowledge.load(folder) if folder.exists() else Knowledge()
    for fault in known.faults:
        note(f"vcid: knowledge left out: {fault}")
    known.refreshed(authority.ledger, authority.issuer.published()).save(folder)


@click.command(context_settings=HELP)
@click.option(
    "--knowledge",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="The folder to refresh. By default the one of [verifier], if there is one.",
)
@click.option(
    "--room",
    type=click.IntRange(0, MAX_ROOM),
    default=0,
    help="For how many more credentials the published lists must have places.",
)
@passphrase_option
@config_option
@json_option
def publish(
    folder: Path | None, room: int, passphrase_file: Path | None, config: str | None, as_json: bool
) -> None:
    """Publish the status lists and refresh the knowledge folder.

    Every list is signed anew and anchored, the ledger gets a checkpoint, and the witness cosigns it. Do this
    on a fixed cadence, daily for instance, whether or not anything changed: a publication made when something
    happens tells the world when it happened.

    JSON: log, checkpointSize, witnessedAt, lists [{id, seq}], knowledge, seconds.
    """
    read = load_config(config)
    issuing_sections(read)
    authority = open_authority(read, read_passphrase(passphrase_file))
    if folder is None and read.verifier is not None:
        folder = read.verifier.knowledge
    published = publish_authority(authority, folder, room=room)
    if as_json:
        print_json(published.to_json())
    else:
        published.say()


@click.command(context_settings=HELP)
@click.option(
    "--key",
    callback=read_key,
    help="The key under which it was issued: the caller's own, such as a register's number.",
)
@click.option(
    "--credential",
    "file",
    type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path),
    help="The credential itself, or - for stdin.",
)
@config_option
@json_option
def revoke(key: str | None, file: Path | None, config: str | None, as_json: bool) -> None:
    """Revoke a credential for good; verifiers learn of it by the next `vcid publish`.

    It needs no passphrase: whoever may write to the registry may revoke.

    JSON: revoked (always true), changed (false if it was revoked before).
    """
    if (key is None) == (file is None):
        raise click.UsageError("give either --key or --credential")
    section, _ = issuing_sections(load_config(config))
    registry = open_registry(section)
    changed = registry.revoke(key=key, credential_id=None if file is None else _credential_id(file))
    if as_json:
        print_json({"revoked": True, "changed": changed})
    else:
        say("revoked: verifiers learn of it by the next publication" if changed else "was revoked before")


def _credential_id(file: Path) -> str:
    """Read the id of a credential; whether it is genuine, the registry knows."""
    from vcid.credentials.model import Credential
    from vcid.errors import Conflict

    with open_input(file) as stream:
        credential_id = Credential.parse(stream.read(MAX_CREDENTIAL + 1)).id
    if credential_id is None:
        raise Conflict("not-found", "the registry knows no such credential")
    return credential_id

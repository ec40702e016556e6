"""From options and a ``vcid.toml`` to the log, the key and the policy that `vcid ledger` needs."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from vcid.cli.opening import open_stored_log, read_policy
from vcid.cli.options import SetUpFailure
from vcid.cli.progress import slow_progress
from vcid.errors import Malformed, VcidError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from vcid.cli.config import Config
    from vcid.keys.signing import PublicKey
    from vcid.ledger.anchor import LogPolicy
    from vcid.ledger.notes import NoteKey
    from vcid.ledger.reading import StoredLog
    from vcid.ledger.tile_transport import Transport
    from vcid.policy import Policy

    Function = Callable[..., Any]

_URLS: Final = ("https://", "http://")

tiles_option = click.option(
    "--tiles",
    metavar="PLACE",
    help="Read the log from its tiles: a folder, or an https:// or http:// URL. By default from [ledger].",
)
policy_option = click.option(
    "--policy",
    "policy_file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Whom to believe. By default the policy of [verifier].",
)
origin_option = click.option("--origin", help="Which log, where the policy names several.")


@contextmanager
def open_transport(place: str) -> Iterator[Transport]:
    """Reach tiles in a folder or at a URL.

    Raises:
        click.UsageError: it is neither.
    """
    if not place.startswith(_URLS):
        from vcid.ledger.tile_transport import FolderTransport

        if "://" in place or not Path(place).is_dir():
            raise click.UsageError("--tiles is a folder that is there, or a URL of https:// or http://")
        yield FolderTransport(place)
        return
    from vcid.ledger.tile_http import HttpTransport

    try:
        transport = HttpTransport(place)
    except ValueError as error:
        raise click.UsageError(f"--tiles: {error}") from error
    try:
        yield transport
    finally:
        transport.close()


@contextmanager
def open_log(
    config: Config, tiles: str | None, keys: Callable[[], tuple[NoteKey, ...]]
) -> Iterator[StoredLog]:
    """Open a log to read: from tiles, all of which are replayed, or else the one of [ledger].

    Args:
        config: names the store.
        tiles: where the tiles are.
        keys: gives the keys of the log in the tiles, the one in force first.

    Raises:
        VcidError: it can't be read, or breaks its rules.
    """
    if tiles is None:
        log = open_stored_log(config)
        try:
            yield log
        finally:
            log.close()
        return
    from vcid.ledger.tiles import TileReader

    with open_transport(tiles) as transport, slow_progress("bundles replayed", None) as step:
        reader = TileReader.open(transport, *keys(), step=step)
        yield reader


def verifying_policy(config: Config | None, file: Path | None) -> Policy:
    """Give the policy of a file, or else of [verifier].

    Raises:
        SetUpFailure: it can't be used.
        click.UsageError: there is none.
    """
    from vcid.policy import Policy

    try:
        if file is not None:
            return Policy.load(file)
    except VcidError as error:
        raise SetUpFailure(f"{file}: {error}") from error
    if config is None or config.verifier is None:
        raise click.UsageError("give --policy, or a vcid.toml with a section [verifier]")
    return read_policy(config.verifier)


def log_policy(policy: Policy, origin: str | None) -> LogPolicy:
    """Give what a policy says of one log.

    Raises:
        SetUpFailure: it says nothing of it, or does not say which.
    """
    logs = [log for log in policy.logs if origin in {None, log.origin}]
    if len(logs) != 1:
        raise SetUpFailure("the policy names no such log, or several: give --origin")
    return logs[0]


def log_keys(config: Config, given: str | None, file: Path | None, origin: str | None) -> tuple[NoteKey, ...]:
    """Give a log's verifier keys, the one in force first: the one given, or [ledger]'s, or the policy's.

    Raises:
        click.UsageError: none is to be had.
    """
    from vcid.ledger.notes import NoteKey

    if given is not None:
        try:
            return (NoteKey.parse(given),)
        except Malformed as error:
            raise click.UsageError(f"--log-key: expected {error.expected}") from error
    if config.ledger is not None and file is None:
        log = open_stored_log(config)
        log.close()
        return (log.key,)
    *former, key = log_policy(verifying_policy(config, file), origin).log_keys
    return (key, *former)


def read_public_key(ctx: click.Context, param: click.Parameter, value: object) -> Any:
    """Read an option's keys, in Multikey form or as did:key."""
    from vcid.keys.signing import PublicKey

    def read(text: str) -> PublicKey:
        try:
            return PublicKey.from_multikey(text.removeprefix("did:key:").partition("#")[0])
        except VcidError as error:
            raise click.BadParameter("expected a key in Multikey form, such as z6Mk…", ctx, param) from error

    if value is None or isinstance(value, str):
        return None if value is None else read(value)
    return tuple(read(one) for one in value) if isinstance(value, tuple) else value


def read_digest(ctx: click.Context, param: click.Parameter, value: object) -> Any:
    """Read an option's SHA-256 values, in hexadecimal."""

    def read(text: str) -> bytes:
        try:
            data = bytes.fromhex(text)
        except ValueError:
            data = b""
        if len(data) != 32:
            raise click.BadParameter("expected 64 hexadecimal digits", ctx, param)
        return data

    if value is None or isinstance(value, str):
        return None if value is None else read(value)
    return tuple(read(one) for one in value) if isinstance(value, tuple) else value


KINDS: Final = ("status-list", "did-document", "batch-root", "owner-key")
owner_option = click.option("--owner", callback=read_public_key, help="The topic's first owner: z6Mk…")
kind_option = click.option(
    "--kind", type=click.Choice(KINDS), default=KINDS[0], show_default=True, help="What the topic is about."
)
list_option = click.option("--list", "list_id", help="The topic's list id: a status list's URL, or a DID.")

"""``vcid ledger prove``: receipts as files, by which others check without the log what stands in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from vcid.cli.logs import (
    KINDS,
    kind_option,
    list_option,
    log_keys,
    open_log,
    origin_option,
    owner_option,
    policy_option,
    read_digest,
    tiles_option,
)
from vcid.cli.opening import open_authority
from vcid.cli.options import (
    HELP,
    config_option,
    json_option,
    load_config,
    passphrase_option,
    read_key,
    read_passphrase,
)
from vcid.cli.output import print_bytes, print_json, say
from vcid.errors import Conflict

if TYPE_CHECKING:
    from vcid.cli.config import Config
    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import PublicKey
    from vcid.ledger.reading import StoredLog
    from vcid.ledger.receipts import Receipt


@click.command(context_settings=HELP)
@click.option("--topic", callback=read_digest, help="The topic, in hexadecimal.")
@owner_option
@kind_option
@list_option
@click.option("--seq", type=click.IntRange(0), help="The entry of this number, instead of the newest.")
@click.option("--key", callback=read_key, help="The key under which a credential was issued.")
@click.option(
    "--out", "file", type=click.Path(dir_okay=False, path_type=Path), help="The file; by default stdout."
)
@tiles_option
@click.option("--log-key", "vkey", help="The log's verifier key, with --tiles.")
@policy_option
@origin_option
@passphrase_option
@config_option
@json_option
def prove(
    *,
    topic: bytes | None,
    owner: PublicKey | None,
    kind: str,
    list_id: str | None,
    seq: int | None,
    key: str | None,
    file: Path | None,
    tiles: str | None,
    vkey: str | None,
    policy_file: Path | None,
    origin: str | None,
    passphrase_file: Path | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Write a receipt, by which others check without the log what stands in it.

    Of a topic, given by --topic or by --owner, --kind and --list, it proves the newest entry, or that there
    is none; with --seq, that the entry of that number is in the log. With --key it proves by when a
    credential existed, and needs the passphrase.

    JSON: mediaType, file; without --out also receipt.
    """
    read = load_config(config)
    if key is not None:
        receipt = _prove_credential(read, key, read_passphrase(passphrase_file))
    else:
        sought = topic or _topic(owner, kind, list_id)
        with open_log(read, tiles, lambda: log_keys(read, vkey, policy_file, origin)) as log:
            receipt = _prove_topic(log, sought, seq)
    _give(receipt, file, as_json=as_json)


def _topic(owner: PublicKey | None, kind: str, list_id: str | None) -> bytes:
    from vcid.ledger.entries import Kind, topic

    if owner is None or (list_id is None) == (kind in KINDS[:2]):
        raise click.UsageError("give --topic, or --owner with --kind and --list, or --key")
    return topic(owner, Kind(kind), list_id or "")


def _prove_topic(log: StoredLog, topic: bytes, seq: int | None) -> Receipt:
    if seq is None:
        return log.head(topic)
    entry = log.find(topic, seq)
    if entry is None:
        raise Conflict("not-found", "the topic has no entry of that number")
    return log.inclusion(entry)


def _prove_credential(config: Config, key: str, passphrase: str) -> Receipt:
    receipt = open_authority(config, passphrase).issuer.existence(key)
    if receipt is None:
        raise Conflict("not-found", "nothing in the ledger is about that credential: run vcid publish")
    return receipt


def _give(receipt: Receipt, file: Path | None, *, as_json: bool) -> None:
    if file is not None:
        file.write_bytes(receipt.body)
    if as_json:
        given: JsonObject = {"mediaType": receipt.media_type, "file": str(file) if file else None}
        print_json(given if file else {**given, "receipt": receipt.body.decode()})
    elif file is None:
        print_bytes(receipt.body.removesuffix(b"\n"))
    else:
        say(f"receipt: {file}")

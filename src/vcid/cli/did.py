"""``vcid did``: make DIDs and resolve them, without a network."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vcid.cli.opening import read_knowledge, verifying_section
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
from vcid.cli.output import print_document, print_json, say

if TYPE_CHECKING:
    from vcid.dids.documents import DidDocument
    from vcid.keys.encrypted_file import Argon2Cost
    from vcid.keys.signing import LocalSigner
    from vcid.knowledge import Knowledge

KEY_TYPES: Final = ("Ed25519", "P-256", "P-384")


@click.group(context_settings=HELP)
def did() -> None:
    """Make DIDs and resolve them."""


@did.command(context_settings=HELP)
@click.option(
    "--out",
    "file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file for the key; one that is there is not overwritten.",
)
@click.option(
    "--wallet",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A wallet to put the key into; made if it is not there.",
)
@click.option("--name", help="The key's name in the wallet.")
@click.option("--key-type", type=click.Choice(KEY_TYPES), default="Ed25519", show_default=True)
@passphrase_option
@key_cost_option
@json_option
def new(
    *,
    file: Path | None,
    wallet: Path | None,
    name: str | None,
    key_type: str,
    passphrase_file: Path | None,
    key_cost: str,
    as_json: bool,
) -> None:
    """Make a key and print its did:key. The key is saved encrypted, to a file or into a wallet.

    JSON: did, keyType, publicKeyMultibase, file, wallet, name (null where they don't apply).
    """
    if (file is None) == (wallet is None) or (wallet is None) != (name is None):
        raise click.UsageError("give either --out, or --wallet and --name")
    from vcid.dids.methods import did_key
    from vcid.encoding.multikey import KeyType
    from vcid.keys.signing import LocalSigner

    place = file or wallet
    is_new = place is not None and not os.path.lexists(place)
    passphrase = read_passphrase(passphrase_file, confirm=is_new)
    signer = LocalSigner.generate(KeyType(key_type))
    if file is not None:
        signer.save(file, passphrase, cost=cost_named(key_cost))
    elif wallet is not None and name is not None:
        _put_into(wallet, name, signer, passphrase, cost_named(key_cost))
    made = did_key(signer.public_key)
    if not as_json:
        say(made)
        return
    print_json(
        {
            "did": made,
            "keyType": key_type,
            "publicKeyMultibase": signer.public_key.multikey,
            "file": str(file) if file else None,
            "wallet": str(wallet) if wallet else None,
            "name": name,
        }
    )


def _put_into(path: Path, name: str, signer: LocalSigner, passphrase: str, cost: Argon2Cost) -> None:
    from vcid.keys.wallet import MAX_NAME_CHARS, Wallet

    # Before the wallet is made: one that was asked for under a wrong name should not stand there empty.
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise click.UsageError(f"--name: a name has 1 to {MAX_NAME_CHARS} printable characters")
    exists = os.path.lexists(path)
    wallet = Wallet.open(path, passphrase) if exists else Wallet.create(path, passphrase, cost=cost)
    wallet.add(name, signer)


@did.command(context_settings=HELP)
@click.argument("identifier", metavar="DID")
@click.option(
    "--knowledge",
    "folder",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="The folder of knowledge to look in. By default the one of [verifier] in vcid.toml.",
)
@config_option
@json_option
def resolve(identifier: str, folder: Path | None, config: str | None, as_json: bool) -> None:
    """Print the DID document of a did:key, or of a did:web or did:webvh that the knowledge folder holds.

    Nothing is fetched. A document from a folder is shown as it stands there: whether it is the newest one
    that the ledger holds, `vcid verify` asks.

    JSON: did, source (computed, knowledge), document.
    """
    from vcid.dids.methods import DidKeyResolver
    from vcid.dids.urls import parse_did

    if parse_did(identifier).method == "key":
        document, source = DidKeyResolver().resolve(identifier), "computed"
    else:
        document, source = _look_up(identifier, _knowledge(folder, config)), "knowledge"
    if as_json:
        print_json({"did": document.id, "source": source, "document": document.content})
    else:
        print_document(document.content)


def _knowledge(folder: Path | None, config: str | None) -> Knowledge:
    if folder is None:
        return read_knowledge(verifying_section(load_config(config)))
    from vcid.knowledge import Knowledge

    return Knowledge.load(folder)


def _look_up(identifier: str, knowledge: Knowledge) -> DidDocument:
    from vcid.dids.methods import Resolvers
    from vcid.encoding.dates import utc_now
    from vcid.known_dids import KnownDids

    known = KnownDids(knowledge, utc_now)
    return Resolvers({"web": known, "webvh": known}).resolve(identifier)

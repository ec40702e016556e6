"""``vcid present``: show credentials to one verifier, in answer to its challenge."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vcid.cli.config import read_key_place
from vcid.cli.opening import KeyRing
from vcid.cli.options import HELP, files_argument, json_option, open_input, passphrase_option, read_passphrase
from vcid.cli.output import print_bytes, print_json, say

if TYPE_CHECKING:
    from vcid.cli.config import KeyPlace
    from vcid.credentials.envelopes import Presentation
    from vcid.credentials.model import Credential
    from vcid.encoding.json import JSON
    from vcid.holder import Holder
    from vcid.keys.pkcs11_place import TokenKey

FORMATS: Final = {"vp": "application/vp", "vp+jwt": "application/vp+jwt"}


def read_place(ctx: click.Context, param: click.Parameter, value: str) -> KeyPlace | TokenKey:
    """Read an option's key as in ``vcid.toml``: a file, a wallet and a name in it, or a token."""
    try:
        return read_key_place(value, Path())
    except ValueError as error:
        raise click.BadParameter(f"expected {error}", ctx, param) from error


@click.command(context_settings=HELP)
@files_argument
@click.option(
    "--key",
    metavar="FILE[#NAME]",
    required=True,
    callback=read_place,
    help="The holder's key: a file of one key, or a wallet and a name in it.",
)
@click.option("--challenge", required=True, help="What the verifier gave to be answered.")
@click.option("--domain", required=True, help="The verifier's name, as you know it.")
@click.option("--did", metavar="DID", help="The holder's DID. By default the did:key of the key.")
@click.option(
    "--format",
    "form",
    type=click.Choice(tuple(FORMATS)),
    default="vp",
    show_default=True,
    help="A document with a Data Integrity proof, or a token.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A new file for the presentation; without it, it goes to stdout.",
)
@passphrase_option
@json_option
def present(
    *,
    files: tuple[Path, ...],
    key: KeyPlace | TokenKey,
    challenge: str,
    domain: str,
    did: str | None,
    form: str,
    out: Path | None,
    passphrase_file: Path | None,
    as_json: bool,
) -> None:
    """Show the credentials in FILES to one verifier, once; - stands for stdin.

    The presentation answers the verifier's challenge and names its domain, so that a copy is worth nothing
    to anybody else. Nothing is checked of the credentials but their form.

    Exit codes: 0 done, 1 a credential or the key can't be used.

    JSON: holder, mediaType, file, presentation; file only with --out, presentation only without.
    """
    if not challenge or not domain:
        raise click.UsageError("--challenge and --domain are not empty: a copy could be shown to anybody")
    holder = _holder(key, did, read_passphrase(passphrase_file))
    credentials = [_read(file) for file in files]
    presentation = holder.present(credentials, challenge=challenge, domain=domain, media_type=FORMATS[form])
    if out is not None:
        _write(out, presentation.content)
    if as_json:
        print_json(
            {
                "holder": holder.did,
                "mediaType": presentation.media_type,
                "file": str(out) if out else None,
                "presentation": None if out else _plain(presentation),
            }
        )
    elif out is None:
        print_bytes(presentation.content)
    else:
        say(f"presented {len(files)}, in {out}")


def _holder(place: KeyPlace | TokenKey, did: str | None, passphrase: str) -> Holder:
    from vcid.dids.methods import did_key
    from vcid.holder import Holder

    signer = KeyRing(passphrase).signer(place)
    return Holder(did or did_key(signer.public_key), signer)


def _read(file: Path) -> Credential:
    """Read a credential: a document, or a token as its first character tells."""
    from vcid.credentials.envelopes import CREDENTIAL, carry_credential

    with open_input(file) as stream:
        return carry_credential(stream.read(2 * CREDENTIAL.max_bytes))


def _write(path: Path, content: bytes) -> None:
    """Write a new file of mode 0600; one that is there is not overwritten."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)


def _plain(presentation: Presentation) -> JSON:
    """Give a document as an object, and a token as text."""
    if presentation.media_type == FORMATS["vp"]:
        document: JSON = json.loads(presentation.content)
        return document
    return presentation.content.decode("ascii")

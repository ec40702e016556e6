"""``vcid serve``: the HTTP service."""

from __future__ import annotations

import ipaddress
import os
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vcid.cli.options import (
    HELP,
    SetUpFailure,
    config_option,
    json_option,
    load_config,
    passphrase_option,
    read_passphrase,
)
from vcid.cli.output import note, print_json, say
from vcid.cli.serving import open_service

if TYPE_CHECKING:
    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON
    from vcid.server.service import Service

TOKEN_VARIABLE: Final = "VCID_SERVER_TOKEN"  # noqa: S105 - the variable's name, not a token
_SHORTEST_TOKEN: Final = 16
_BACKLOG: Final = 128


def _read_contexts(ctx: click.Context, param: click.Parameter, value: tuple[str, ...]) -> Contexts:
    """Read the contexts that are handed in, each after the URL that documents use for it."""
    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import parse_object
    from vcid.errors import VcidError

    known = Contexts.carried()
    for item in value:
        url, separator, file = item.rpartition("=")
        if not separator:
            raise click.BadParameter("expected URL=FILE", ctx, param)
        try:
            known = known.with_context(url, parse_object(Path(file).read_bytes()))
        except (OSError, ValueError, VcidError) as error:
            raise click.BadParameter(f"{file}: {error}", ctx, param) from error
    return known


@click.command(context_settings=HELP)
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
@click.option(
    "--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes a free one."
)
@click.option(
    "--ephemeral", is_flag=True, help="Fresh keys, any issuer believed: for interoperability tests alone."
)
@click.option(
    "--token-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"A file whose first line is the token that signing asks for. Otherwise {TOKEN_VARIABLE}.",
)
@click.option("--trust-proxy", is_flag=True, help="Follow X-Forwarded-Proto and X-Forwarded-Host of a proxy.")
@click.option(
    "--context",
    "contexts",
    metavar="URL=FILE",
    multiple=True,
    callback=_read_contexts,
    help="A JSON-LD context that documents may name, besides those carried. Can be repeated.",
)
@passphrase_option
@config_option
@json_option
def serve(
    *,
    host: str,
    port: int,
    ephemeral: bool,
    token_file: Path | None,
    trust_proxy: bool,
    contexts: Contexts,
    passphrase_file: Path | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Serve issuing, verifying, status lists and DID resolution over HTTP, until stopped.

    Without a token nothing is signed or changed, except with --ephemeral on a loopback address, where the
    keys are worth nothing. TLS is a proxy's work. The log on stderr has a line of JSON for each request,
    without personal data.

    JSON: url, profiles {name: DID}.
    """
    try:
        from vcid.server.app import Limits, create_app
        from vcid.server.running import run
        from vcid.server.unsafe import ephemeral_service
    except ImportError as error:
        raise SetUpFailure("the service needs starlette and uvicorn: install vcid[server]") from error
    token = _read_token(token_file)
    if token is None and not (ephemeral and _is_loopback(host)):
        raise click.UsageError(f"a token is needed: set {TOKEN_VARIABLE}, or give --token-file")
    service, status_url = (
        (ephemeral_service(contexts), None)
        if ephemeral
        else open_service(load_config(config), contexts, lambda: read_passphrase(passphrase_file))
    )
    limits = Limits(token=token, trusts_proxy=trust_proxy, status_url=status_url)
    with listen(host, port) as listening:
        _announce(service, listening, ephemeral=ephemeral, as_json=as_json)
        run(create_app(service, limits), listening)


def _read_token(file: Path | None) -> str | None:
    if file is not None:
        with file.open(encoding="utf-8-sig") as lines:
            token: str | None = lines.readline(4096).strip()
    else:
        token = os.environ.get(TOKEN_VARIABLE)
    if token is not None and (len(token) < _SHORTEST_TOKEN or not token.isascii() or not token.isprintable()):
        raise click.UsageError(f"a token has at least {_SHORTEST_TOKEN} printable characters of ASCII")
    return token


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def listen(host: str, port: int) -> socket.socket:
    """Listen on an address.

    Raises:
        SetUpFailure: it can't be had.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((host, port))
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise SetUpFailure(f"{host}:{port}: {error.strerror}") from error
    return listening


def _announce(service: Service, listening: socket.socket, *, ephemeral: bool, as_json: bool) -> None:
    host, port = listening.getsockname()[:2]
    url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    if ephemeral:
        note("vcid: ephemeral: the keys are worth nothing, and any issuer is believed")
    profiles: dict[str, JSON] = {name: profile.did for name, profile in sorted(service.profiles.items())}
    if as_json:
        print_json({"url": url, "profiles": profiles})
    else:
        say(f"vcid serves at {url}")
    sys.stdout.flush()

"""The options that several commands share, and where passphrases come from."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, ClassVar, Final

import click

from vcid.cli.config import FILE_NAME, Config
from vcid.errors import VcidError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from vcid.keys.encrypted_file import Argon2Cost

    Function = Callable[..., Any]

VARIABLE: Final = "VCID_PASSPHRASE"
PIN_VARIABLE: Final = "VCID_PIN"
_MAX_PASSPHRASE: Final = 4096

KEY_COSTS: Final = ("interactive", "moderate", "sensitive")

HELP: Final = {"help_option_names": ["-h", "--help"], "max_content_width": 100}


class SetUpFailure(click.ClickException):
    """What the command is told to go by, ``vcid.toml`` or what it names, can't be used."""

    exit_code: ClassVar[int] = 2


def config_option(function: Function) -> Function:
    """Add ``--config``; given here, it comes before the one given to ``vcid`` itself."""
    return click.option("--config", metavar="FILE", help="The vcid.toml to go by.")(function)


files_argument = click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True, path_type=Path),
)

json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object.")

passphrase_option = click.option(
    "--passphrase-file",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"A file whose first line is the passphrase. Otherwise {VARIABLE}, or a question.",
)

key_cost_option = click.option(
    "--key-cost",
    type=click.Choice(KEY_COSTS),
    default="moderate",
    show_default=True,
    help="What each guess at the passphrase costs: 64 MiB, 256 MiB or 1 GiB of memory.",
)


def load_config(given: str | None) -> Config:
    """Read the ``vcid.toml`` named by the command, by ``vcid``, by VCID_CONFIG, or in this folder.

    Raises:
        SetUpFailure: it can't be read or has faults; the message lists all of them.
    """
    path = Path(given or click.get_current_context().find_root().obj or FILE_NAME)
    try:
        return Config.load(path)
    except VcidError as error:
        raise SetUpFailure(f"{path}: {error}") from error


def cost_named(name: str) -> Argon2Cost:
    """Give the cost of that name."""
    from vcid.keys import encrypted_file

    cost: Argon2Cost = getattr(encrypted_file, name.upper())
    return cost


def read_passphrase(file: Path | None, *, confirm: bool = False) -> str:
    """Take the passphrase from the file, the environment or the terminal.

    Raises:
        click.UsageError: there is none to be had, or it is empty.
    """
    if file is not None:
        # Some editors put a byte order mark before the first line, which is no part of the passphrase.
        with file.open(encoding="utf-8-sig", errors="surrogateescape") as lines:
            passphrase = lines.readline(_MAX_PASSPHRASE).rstrip("\r\n")
    elif VARIABLE in os.environ:
        passphrase = os.environ[VARIABLE]
    else:
        passphrase = _ask("passphrase", f"set {VARIABLE}, or give --passphrase-file", confirm=confirm)
    if not passphrase:
        raise click.UsageError("the passphrase is empty")
    return passphrase


def read_pin(file: Path | None) -> str:
    """Take a hardware token's PIN from a file that its owner alone may read, the environment or the terminal.

    Raises:
        click.UsageError: there is none to be had.
        Locked: others may read the file.
        Unavailable: the file can't be read.
    """
    from vcid.keys import private_files

    if file is not None:
        lines = (
            private_files.read(file, max_bytes=_MAX_PASSPHRASE).decode("utf-8-sig", "replace").splitlines()
        )
        pin = lines[0] if lines else ""
    elif PIN_VARIABLE in os.environ:
        pin = os.environ[PIN_VARIABLE]
    else:
        pin = _ask("PIN", f"set {PIN_VARIABLE}, or name a file by pin-source in vcid.toml")
    if not pin:
        raise click.UsageError("the PIN is empty")
    return pin


def _ask(what: str, otherwise: str, *, confirm: bool = False) -> str:
    if sys.stdin is None or not sys.stdin.isatty():
        raise click.UsageError(f"a {what} is needed: {otherwise}")
    try:
        answer: str = click.prompt(
            what.capitalize() if what.islower() else what,
            hide_input=True,
            confirmation_prompt=confirm,
            err=True,
        )
    except click.Abort as error:
        raise KeyboardInterrupt from error
    return answer


@contextmanager
def open_input(file: Path) -> Iterator[IO[bytes]]:
    """Open a file, or stdin for -.

    Raises:
        click.UsageError: stdin is closed.
        OSError: the file can't be read.
    """
    if str(file) == "-" and sys.stdin is None:
        raise click.UsageError("there is no stdin to read from")
    with click.open_file(str(file), "rb") as stream:
        yield stream


def read_key(ctx: click.Context, param: click.Parameter, value: str | None) -> str | None:
    """Read an option's key, the caller's own name for a record, without repeating it in an error."""
    from vcid.status.issuances import check_key

    if value is not None:
        try:
            check_key(value)
        except ValueError as error:
            raise click.BadParameter(str(error), ctx, param) from error
    return value


def read_moment(ctx: click.Context, param: click.Parameter, value: str | None) -> datetime | None:
    """Read an option's moment with its time zone, as XML Schema's dateTimeStamp writes it."""
    from vcid.encoding.dates import parse_timestamp
    from vcid.errors import Malformed

    if value is None:
        return None
    try:
        return parse_timestamp(value)
    except Malformed as error:
        expected = "expected a moment with its time zone, such as 2026-01-31T12:00:00Z"
        raise click.BadParameter(expected, ctx, param) from error

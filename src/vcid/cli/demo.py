"""``vcid demo``: the main job on a thousand invented registrations."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from vcid.demo.chapters import Ending
    from vcid.demo.story import Settings

REGISTRATIONS = Path("examples", "data", "registrations.csv")


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--registrations",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help=f"A register's export, with the columns of the example. By default {REGISTRATIONS}, here or above.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=Path("vcid-demo"),
    show_default=True,
    help="Where everything is left. A folder of an earlier demonstration is replaced.",
)
@click.option("--show-values", is_flag=True, help="Show what was found in wrong rows.")
@click.option("--json", "as_json", is_flag=True, help="Print the result as one JSON object, and no story.")
@click.pass_context
def demo(
    ctx: click.Context, registrations: Path | None, folder: Path, show_values: bool, as_json: bool
) -> None:
    """Run the main job: a child's birth is registered, proven offline, revoked, and then refused.

    Exit codes: 0 the verifier said what it had to, every time; 1 it said something else.

    JSON: asExpected, folder, issuers, rows {good, wrong}, faults [{line, field, code, expected}], keys,
    issued, checkpoint, verified {asked, verified, refusals}, scenes [{name, tried, expected, said,
    asExpected}], timings [{step, count, seconds}], seconds. With --show-values faults have found, too.
    """
    from vcid.demo.story import Settings

    table = registrations or Path(os.path.relpath(find_registrations(Path.cwd())))
    settings = Settings(registrations=table, folder=folder, command=_command())
    ctx.exit(run(settings, show_values=show_values, as_json=as_json))


def run(settings: Settings, *, show_values: bool = False, as_json: bool = False) -> int:
    """Run the demonstration, told or as JSON, and give its exit code.

    Raises:
        click.UsageError: the folder is not the demonstration's to replace.
        VcidError: a file or a store can't be used.
    """
    from vcid.errors import Conflict

    try:
        ending = _print_json(settings, show_values) if as_json else _tell(settings, show_values)
    except Conflict as error:
        if error.code != "not-a-demo-folder":
            raise
        raise click.UsageError(f"{settings.folder}: expected {error.detail}") from error
    return 0 if ending.as_expected else 1


def _print_json(settings: Settings, show_values: bool) -> Ending:
    import json

    from vcid.demo.chapters import Silence
    from vcid.demo.story import play
    from vcid.demo.summary import summarize

    ending = play(settings, Silence())
    click.echo(json.dumps(summarize(ending, show_values=show_values)))
    return ending


def _tell(settings: Settings, show_values: bool) -> Ending:
    from rich.console import Console

    from vcid.demo.story import play
    from vcid.demo.telling import Teller

    console = Console(file=sys.stdout, markup=False, emoji=False, highlight=False)
    return play(settings, Teller(console, command=settings.command, show_values=show_values))


def _command() -> str:
    """Say how the reader can call the command again: by its path, where its name alone does not find it."""
    called = Path(sys.argv[0])
    if called.name != "vcid" or shutil.which("vcid") is not None:
        return "vcid"
    return str(called)


def find_registrations(here: Path) -> Path:
    """Look for the example's table in a folder and those above it.

    Raises:
        click.UsageError: it is not there.
    """
    for folder in (here, *here.parents):
        if (folder / REGISTRATIONS).is_file():
            return folder / REGISTRATIONS
    raise click.UsageError(
        f"no {REGISTRATIONS} from here: run this in a clone of vcid, or give --registrations"
    )

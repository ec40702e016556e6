"""The command's frame: its subcommands, each loaded when it is called, and how errors end it.

Whatever goes wrong ends in one line on stderr and an exit code: 1 rejected or failed, 2 wrong usage or
set-up, 3 could not decide, 130 interrupted, 141 nobody reads the output any more. A fault in vcid itself
ends in 70 and names no more than its kind, since its message may hold a child's data; VCID_TRACEBACK=1
shows all of it.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

import click
from click.exceptions import Exit

import vcid
from vcid.cli.output import describe, note
from vcid.errors import VcidError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import TextIO

FAILED: Final = 1
INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
INTERNAL: Final = 70

COMMANDS: Final = {
    "demo": ("vcid.cli.demo", "Run the main job, from a register's table to a verifier's refusal."),
    "did": ("vcid.cli.did", "Make DIDs and resolve them."),
    "init": ("vcid.cli.init", "Set up an issuing authority or a verifier in a folder."),
    "issue": ("vcid.cli.issuing", "Issue credentials from a record or a table."),
    "ledger": ("vcid.cli.ledger", "Run, prove from, follow and rebuild the log in which issuers anchor."),
    "present": ("vcid.cli.presenting", "Show credentials to a verifier."),
    "publish": ("vcid.cli.publishing", "Publish status lists and refresh the knowledge folder."),
    "registry": ("vcid.cli.registry", "Look after the registry of what was issued."),
    "revoke": ("vcid.cli.publishing", "Revoke a credential."),
    "serve": ("vcid.cli.serve", "Serve issuing, verifying and resolving over HTTP."),
    "verify": ("vcid.cli.verifying", "Verify credentials and presentations offline."),
    "witness": ("vcid.cli.witness", "Cosign other people's logs over HTTP."),
}
"""Each subcommand's module, in which it stands under its own name, and its line in the help."""


class Commands(click.Group):
    """A group that imports a subcommand only when it is called, and ends every error in one line."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the subcommands."""
        del ctx
        return sorted(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a subcommand."""
        del ctx
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = getattr(import_module(COMMANDS[cmd_name][0]), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the subcommands' lines without importing them."""
        del ctx
        with formatter.section("Commands"):
            formatter.write_dl([(name, line) for name, (_, line) in sorted(COMMANDS.items())])

    def main(self, args: Sequence[str] | None = None, *_positional: Any, **extra: Any) -> Any:
        """Run the command and leave the process with its exit code."""
        del extra
        sys.exit(self.run(sys.argv[1:] if args is None else args))

    def run(self, args: Sequence[str]) -> int:
        """Run the command and return its exit code; nothing but a fault of the interpreter escapes."""
        if "_VCID_COMPLETE" in os.environ:
            super().main(args, "vcid")  # answers the shell, and ends the process
        _show_what_no_locale_can(sys.stdout, sys.stderr)
        try:
            with self.make_context("vcid", list(args)) as context:
                self.invoke(context)
                _flush()
        except Exit as end:
            return _end(end.exit_code)
        except (KeyboardInterrupt, click.Abort):
            note("vcid: interrupted")
            return INTERRUPTED
        except BrokenPipeError:
            return _leave_pipe()
        except Exception as error:  # noqa: BLE001 - the frame's one job is to end them all in one line
            return _report(error)
        return 0


@click.group(
    "vcid",
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option(
    "--config",
    metavar="FILE",
    envvar="VCID_CONFIG",
    show_envvar=True,
    help="The vcid.toml to go by. By default the one in this folder.",
)
@click.version_option(vcid.__version__, prog_name="vcid", message="%(prog)s %(version)s")
@click.pass_context
def command(ctx: click.Context, config: str | None) -> None:
    """Issue birth registrations and guardianships as verifiable credentials, and verify them offline.

    \b
    Exit codes: 0 verified or done, 1 rejected or failed,
                2 wrong usage or set-up, 3 could not decide.

    Results go to stdout, everything else to stderr. No command reaches for the
    network, unless it is given a log's URL; publishing does where [ledger] names
    witnesses.
    """  # noqa: D301 - click's mark for lines that are not to be joined
    ctx.obj = config


def run(args: Sequence[str]) -> int:
    """Run the command on arguments."""
    return command.run(args)


def _report(error: Exception) -> int:
    """Say what went wrong in one line, and give its exit code."""
    if isinstance(error, click.ClickException):
        note(_usage_line(error))
        return error.exit_code
    if isinstance(error, VcidError | OSError):
        note(f"vcid: {describe(error)}")
        return FAILED
    if os.environ.get("VCID_TRACEBACK") == "1":
        raise error
    note(
        f"vcid: internal error ({type(error).__name__}): VCID_TRACEBACK=1 shows more, personal data included"
    )
    return INTERNAL


def _usage_line(error: click.ClickException) -> str:
    message = error.format_message().replace("\n", " ").rstrip(".")
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return f"vcid: {message}"
    if message.startswith("Got unexpected extra argument"):
        message = message.partition(" (")[0]  # what was typed in the wrong place may be a name
    path = error.ctx.command_path
    return f"{path}: {message} (see {path} -h)"


def _show_what_no_locale_can(*streams: TextIO | None) -> None:
    """Escape what a terminal's encoding lacks, instead of failing over it."""
    for stream in streams:
        if reconfigure := getattr(stream, "reconfigure", None):
            reconfigure(errors="backslashreplace")


def _end(code: int) -> int:
    try:
        _flush()
    except BrokenPipeError:
        return _leave_pipe()
    return code


def _flush() -> None:
    if sys.stdout is not None:
        sys.stdout.flush()


def _leave_pipe() -> int:
    """Let go of a pipe that nobody reads, so that the interpreter doesn't complain of it at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return BROKEN_PIPE

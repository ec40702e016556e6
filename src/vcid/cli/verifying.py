"""``vcid verify``: judge credentials offline, check by check."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import click

from vcid.cli.opening import open_verifier, read_knowledge, verifying_section
from vcid.cli.options import HELP, config_option, json_option, load_config, open_input, read_moment
from vcid.cli.output import describe, fault_json, note, print_document, print_json, print_table, say
from vcid.errors import VcidError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.report import Report

MAX_CREDENTIAL: Final = 1 << 20
"""The longest credential read; one byte more is read, so that the parse check can say that it is too long."""

REJECTED: Final = 1
UNDECIDED: Final = 3
EXIT_CODES: Final = {"verified": 0, "rejected": REJECTED, "undecided": UNDECIDED}


class CouldNotDecide(click.ClickException):
    """The verifier itself could not do its work, so nothing is said about the credential."""

    exit_code: ClassVar[int] = UNDECIDED


@click.command(context_settings=HELP)
@click.argument(
    "files",
    metavar="FILE...",
    nargs=-1,
    required=True,
    type=click.Path(exists=True, dir_okay=False, readable=True, allow_dash=True, path_type=Path),
)
@click.option(
    "--at",
    metavar="MOMENT",
    callback=read_moment,
    help="The moment asked about, with its time zone. By default now.",
)
@click.option("--show-claims", is_flag=True, help="Show what a credential says, if it is verified.")
@config_option
@json_option
def verify(
    files: tuple[Path, ...], at: datetime | None, show_claims: bool, config: str | None, as_json: bool
) -> None:
    """Verify credentials by the policy and the knowledge that vcid.toml names; - stands for stdin.

    Every check is printed with its outcome: passed, failed, unknown (could not be decided) or skipped.
    Claims are shown only on request, and only those that the proof of a verified credential covers.

    Exit codes: 0 all verified, 1 at least one rejected, 3 none rejected and at least one undecided.

    JSON: conclusion (verified, rejected, undecided: the worst), results [{file, conclusion, at, now,
    freshAsOf, checks [{name, outcome, code, detail}], claims}], knowledgeFaults. claims is null without
    --show-claims.
    """
    section = verifying_section(load_config(config))
    knowledge = read_knowledge(section)
    for fault in knowledge.faults:
        note(f"vcid: knowledge left out: {fault}")
    results: list[JsonObject] = []
    conclusions: set[str] = set()
    with _undecided_if_unable():
        verifier = open_verifier(section, knowledge)
        for file in files:
            report = verifier.check(_read(file), at=at)
            claims = _claims(report) if show_claims else None
            conclusions.add(report.conclusion.value)
            if as_json:
                results.append(
                    {"file": str(file), **report.to_json(), "checks": _checks(report), "claims": claims}
                )
            else:
                _print(file, report, claims)
    worst = next(name for name in ("rejected", "undecided", "verified") if name in conclusions)
    if as_json:
        faults: list[JSON] = [fault_json(fault) for fault in knowledge.faults]
        print_json({"conclusion": worst, "results": [*results], "knowledgeFaults": faults})
    click.get_current_context().exit(EXIT_CODES[worst])


@contextmanager
def _undecided_if_unable() -> Iterator[None]:
    """Keep failures of the verifier's own apart from verdicts."""
    try:
        yield
    except BrokenPipeError:
        raise
    except (VcidError, OSError) as error:
        raise CouldNotDecide(describe(error)) from error


def _read(file: Path) -> bytes:
    with open_input(file) as stream:
        return stream.read(MAX_CREDENTIAL + 1)


def _claims(report: Report) -> JSON:
    """Give the claims that the proof covers; None unless every check that is required has passed."""
    return report.document["credentialSubject"] if report and report.document is not None else None


def _checks(report: Report) -> list[JSON]:
    """Write the checks with the same keys in each."""
    return [
        {"name": one.name.value, "outcome": one.outcome.value, "code": one.code, "detail": one.detail}
        for one in report.checks
    ]


def _print(file: Path, report: Report, claims: JSON) -> None:
    rows = [(check.name.value, check.outcome.value, check.code, check.detail) for check in report.checks]
    say(f"{file}: {report.conclusion.value}")
    print_table(("check", "outcome", "code", "detail"), rows)
    if report.fresh_as_of is not None:
        say(f"as witnessed at {report.fresh_as_of:%Y-%m-%d %H:%M:%S} UTC")
    if claims is not None:
        print_document(claims)

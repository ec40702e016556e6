"""``vcid verify``: judge credentials and presentations offline, check by check."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import click

from vcid.cli.opening import open_verifier, read_knowledge, verifying_section
from vcid.cli.options import (
    HELP,
    config_option,
    files_argument,
    json_option,
    load_config,
    open_input,
    read_moment,
)
from vcid.cli.output import describe, fault_json, note, print_document, print_json, print_table, say
from vcid.errors import VcidError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.report import PresentationReport, Report

MAX_FILE: Final = 1 << 21
"""The longest file read; one byte more is read, so that the parse check can say that it is too long."""

REJECTED: Final = 1
UNDECIDED: Final = 3
EXIT_CODES: Final = {"verified": 0, "rejected": REJECTED, "undecided": UNDECIDED}


class CouldNotDecide(click.ClickException):
    """The verifier itself could not do its work, so nothing is said about the credential."""

    exit_code: ClassVar[int] = UNDECIDED


@click.command(context_settings=HELP)
@files_argument
@click.option(
    "--at",
    metavar="MOMENT",
    callback=read_moment,
    help="The moment asked about, with its time zone. By default now.",
)
@click.option("--challenge", help="FILES are presentations, which have to answer this.")
@click.option("--domain", help="FILES are presentations, which have to be made for this verifier.")
@click.option("--show-claims", is_flag=True, help="Show what a credential says, if it is verified.")
@click.option(
    "--evidence-out",
    "evidence_folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder to keep evidence in, where a log is found to show two versions of itself.",
)
@config_option
@json_option
def verify(
    *,
    files: tuple[Path, ...],
    at: datetime | None,
    challenge: str | None,
    domain: str | None,
    show_claims: bool,
    evidence_folder: Path | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Verify credentials by the policy and the knowledge that vcid.toml names; - stands for stdin.

    With --challenge and --domain, FILES are presentations. A challenge is drawn at random for one occasion:
    whether it was used before, only you know.

    Every check is printed with its outcome: passed, failed, unknown (could not be decided) or skipped.
    Claims are shown only on request, and only those that the proof of a verified credential covers; those in
    a presentation only if it is verified as a whole.

    Where a log showed two versions of itself, stderr says so, and --evidence-out keeps what proves it to
    anybody by `vcid witness evidence`.

    Exit codes: 0 all verified, 1 at least one rejected, 3 none rejected and at least one undecided.

    JSON: conclusion (verified, rejected, undecided: the worst), results [{file, conclusion, at, now,
    freshAsOf, checks [{name, outcome, code, detail}], claims}], knowledgeFaults. claims is null without
    --show-claims. A presentation has in place of claims: credentials [{conclusion, at, now, freshAsOf,
    checks, claims}].
    """
    audience = _audience(challenge, domain)
    section = verifying_section(load_config(config))
    knowledge = read_knowledge(section)
    for fault in knowledge.faults:
        note(f"vcid: knowledge left out: {fault}")
    results: list[JsonObject] = []
    conclusions: set[str] = set()
    evidence: dict[bytes, None] = {}
    with _undecided_if_unable():
        verifier = open_verifier(section, knowledge)
        for file in files:
            if audience is None:
                shown = _Shown.of(verifier.check(_read(file), at=at), show_claims=show_claims)
            else:
                drawn, name = audience
                presented = verifier.check_presentation(_read(file), challenge=drawn, domain=name, at=at)
                shown = _Shown.of_presentation(presented, show_claims=show_claims)
            conclusions.add(shown.report.conclusion.value)
            evidence |= dict.fromkeys(shown.report.evidence)
            if as_json:
                results.append({"file": str(file), **shown.to_json()})
            else:
                shown.print(str(file))
    worst = next(name for name in ("rejected", "undecided", "verified") if name in conclusions)
    if as_json:
        faults: list[JSON] = [fault_json(fault) for fault in knowledge.faults]
        print_json({"conclusion": worst, "results": [*results], "knowledgeFaults": faults})
    for found in evidence:
        _tell_evidence(found, evidence_folder)
    click.get_current_context().exit(EXIT_CODES[worst])


@dataclass(frozen=True, slots=True)
class _Shown:
    """A report as it is shown, with claims or the reports inside it.

    Attributes:
        report: the report.
        claims: what is shown of a credential's claims.
        credentials: the credentials in a presentation; None for a credential.
    """

    report: Report | PresentationReport
    claims: JSON = None
    credentials: tuple[_Shown, ...] | None = None

    @classmethod
    def of(cls, report: Report, *, show_claims: bool) -> _Shown:
        """Show a credential's report; claims only if every check that is required has passed."""
        document = report.document if report and show_claims else None
        return cls(report, document["credentialSubject"] if document is not None else None)

    @classmethod
    def of_presentation(cls, report: PresentationReport, *, show_claims: bool) -> _Shown:
        """Show a presentation's report; claims only if all of it is verified."""
        inside = (cls.of(one, show_claims=show_claims and bool(report)) for one in report.credentials)
        return cls(report, credentials=tuple(inside))

    def to_json(self) -> JsonObject:
        """Write what is shown, the same keys in each."""
        written: JsonObject = {**self.report.to_json(), "checks": self._checks()}
        if self.credentials is None:
            return written | {"claims": self.claims}
        return written | {"credentials": [one.to_json() for one in self.credentials]}

    def print(self, title: str) -> None:
        """Print what is shown."""
        report = self.report
        say(f"{title}: {report.conclusion.value}")
        rows = [(check.name.value, check.outcome.value, check.code, check.detail) for check in report.checks]
        print_table(("check", "outcome", "code", "detail"), rows)
        if report.fresh_as_of is not None:
            say(f"as witnessed at {report.fresh_as_of:%Y-%m-%d %H:%M:%S} UTC")
        if self.claims is not None:
            print_document(self.claims)
        for number, credential in enumerate(self.credentials or (), start=1):
            credential.print(f"{title}, credential {number}")

    def _checks(self) -> list[JSON]:
        return [
            {"name": one.name.value, "outcome": one.outcome.value, "code": one.code, "detail": one.detail}
            for one in self.report.checks
        ]


def _tell_evidence(found: bytes, folder: Path | None) -> None:
    """Say that a log showed two versions of itself, and keep what proves it; the verdict stands anyway."""
    from vcid.ledger.evidence import SplitView

    kept = "--evidence-out FOLDER keeps the evidence"
    if folder is not None:
        path = folder / f"{sha256(found).hexdigest()[:16]}.split-view"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            path.write_bytes(found)
            kept = f"the evidence is in {path}: hand it to those who rely on the log"
        except OSError as error:
            kept = f"the evidence can't be kept: {describe(error)}"
    note(f"vcid: the log {SplitView.parse(found).origin} signed two versions of itself: {kept}")


def _audience(challenge: str | None, domain: str | None) -> tuple[str, str] | None:
    """Give what presentations have to answer; None for credentials."""
    if challenge is None and domain is None:
        return None
    if not challenge or not domain:
        raise click.UsageError("a presentation has to answer both --challenge and --domain, neither empty")
    return challenge, domain


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
        return stream.read(MAX_FILE + 1)

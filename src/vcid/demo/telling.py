"""The story as a person reads it on a terminal, with progress bars where it takes a while."""

from __future__ import annotations

import shlex
import textwrap
from contextlib import contextmanager
from typing import TYPE_CHECKING

from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from vcid.demo.chapters import Cast, Custody, Ending, Hearing, Issuing, Publication, Reading
from vcid.demo.summary import show

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from rich.console import Console

    from vcid.demo.chapters import Chapter, Played
    from vcid.errors import FieldError

_COLOURS = {"verified": "green", "rejected": "red", "undecided": "yellow"}
_INDENT = "   "
_WIDEST = 100
_MANY = 100
"""Of how many things the time for each says something."""


class Teller:
    """Tells the story on a console.

    Args:
        console: where.
        command: how the reader calls the command.
        show_values: whether the values of wrong rows are shown; they are a child's.
    """

    def __init__(self, console: Console, *, command: str = "vcid", show_values: bool = False) -> None:
        self._console = console
        self._command = command
        self._show_values = show_values

    @contextmanager
    def working(self, label: str, total: int) -> Iterator[Callable[[int], None]]:
        """Show a progress bar, on a terminal alone, and take it away at the end."""
        columns = (
            TextColumn(f"{_INDENT}{{task.description}}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
        )
        hidden = not self._console.is_terminal
        with Progress(*columns, console=self._console, transient=True, disable=hidden) as progress:
            task = progress.add_task(label, total=total)
            yield lambda count: progress.advance(task, count)

    def tell(self, chapter: Chapter) -> None:
        """Tell what happened."""
        match chapter:
            case Cast():
                self._tell_cast(chapter)
            case Custody():
                self._tell_custody(chapter)
            case Reading():
                self._tell_reading(chapter)
            case Issuing():
                self._tell_issuing(chapter)
            case Publication():
                self._tell_publication(chapter)
            case Hearing():
                self._tell_hearing(chapter)
            case Ending():
                self._tell_ending(chapter)
            case _:
                self._tell_scenes(chapter)

    def _tell_cast(self, cast: Cast) -> None:
        self._console.print(
            Text("A child's birth is registered, proven offline, revoked, and then refused.", "bold")
        )
        self._console.print("The people are invented. Keys, signatures, databases and processes are real.")
        self._head("1  Who takes part")
        self._grid(
            (f"{_INDENT}civil registry", cast.civil),
            (f"{_INDENT}court", cast.court),
            (f"{_INDENT}ledger", f"{cast.log}, an append-only log for both"),
            (f"{_INDENT}witness", f"{cast.witness}, checks the ledger and gives it its time"),
        )
        self._say(
            "Their private keys are in an encrypted wallet. For this demonstration a passphrase was made up"
            f" and left in {cast.passphrase}, which you alone can read."
        )

    def _tell_custody(self, custody: Custody) -> None:
        self._say(
            f"{custody.children:,} children and {custody.parents + custody.carers:,} guardians each get a DID"
            " of their own. No child's private key is written in clear:"
        )
        reasons = f"{custody.foundlings} foundlings, {custody.unknown} unknown, {custody.withheld} withheld"
        self._grid(
            (f"{_INDENT}{custody.sealed:>6,}", "sealed to the keys of the parents on record"),
            (f"{_INDENT}{custody.not_kept:>6,}", f"not kept, with no parent on record: {reasons}"),
        )
        self._say("The guardians' keys share a second wallet here; really they are on phones and cards.")

    def _tell_reading(self, reading: Reading) -> None:
        self._head("2  From a register's rows to credentials")
        self._say(
            f"{reading.source} has {reading.good + reading.wrong:,} rows: {reading.good:,} good ones, and"
            f" {reading.wrong} wrong ones, which cost no other child a credential."
        )
        if not reading.faults:
            return
        table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="dim")
        table.add_column(f"{_INDENT}line", justify="right", no_wrap=True)
        for name in ("column", "what is wrong"):
            table.add_column(name, no_wrap=True)
        if self._show_values:
            table.add_column("found", overflow="fold")
        table.add_column("what was expected")
        for cells in _fault_rows(reading.faults, show_values=self._show_values):
            table.add_row(*(Text(cell) for cell in cells))
        self._console.print(table)
        if not self._show_values:
            self._say("What was found in these cells may be a child's data: --show-values shows it.")

    def _tell_issuing(self, issuing: Issuing) -> None:
        self._say(f"{issuing.births:,} birth registrations are signed. One child is registered later.")
        self._head("3  Who is responsible for whom")
        self._say(
            f"{issuing.parentage:,} guardianships by parentage, one for each parent on record, and"
            f" {issuing.orders} by order of the court."
        )

    def _tell_publication(self, publication: Publication) -> None:
        self._head("4  Published")
        self._say(
            f"{publication.lists} status lists, one of each authority, are anchored by their digests. The"
            f" witness replayed {publication.entries} ledger entries and cosigned the checkpoint at"
            f" {publication.cosigned:%H:%M:%S} UTC."
        )

    def _tell_hearing(self, hearing: Hearing) -> None:
        self._head("5  Verified in another process, with every socket refused")
        self._say(
            f"Process {hearing.process} tried to open a socket first, and was refused. It has a policy, a"
            " folder of knowledge and its own memory. It checks proof, issuer, period, schema, status, and"
            " by its anchor that the status is the newest."
        )
        verdict = f"{_INDENT}{hearing.verified:,} of {hearing.answers:,} credentials verified"
        self._console.print(Text(verdict, _style(good=hearing.as_expected)))
        for reason, count in hearing.refusals.items():
            self._say(f"{count:,} times {reason}")

    def _tell_scenes(self, scenes: Sequence[Played]) -> None:
        self._head("6  One birth registration is revoked. What is tried, and what the verifier says")
        table = Table.grid(padding=(0, 1, 0, 0))
        right, wrong = (" ok", " NO") if self._console.options.ascii_only else ("  ✓", "  ✗")
        for scene in scenes:
            mark = Text(right if scene.as_expected else wrong, _style(good=scene.as_expected))
            conclusion = Text(scene.conclusion, _COLOURS.get(scene.conclusion, ""))
            table.add_row(mark, Text(scene.tried), conclusion, Text(scene.said))
        self._console.print(table)
        for scene in scenes:
            if not scene.as_expected:
                wanted = f"{scene.expected.conclusion} {scene.expected.reason}".strip()
                self._console.print(Text(f"{_INDENT}{scene.tried}: expected {wanted}", _style(good=False)))

    def _tell_ending(self, ending: Ending) -> None:
        self._head("7  Summary")
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        table.add_column(f"{_INDENT}step")
        for name in ("count", "seconds", "ms each"):
            table.add_column(name, justify="right")
        for timing in ending.timings:
            each = f"{timing.seconds / timing.count * 1000:.1f}" if timing.count >= _MANY else ""
            table.add_row(f"{_INDENT}{timing.step}", f"{timing.count:,}", f"{timing.seconds:.2f}", each)
        table.add_row(f"{_INDENT}in all", "", f"{ending.seconds:.2f}", "", style="bold")
        self._console.print(table)
        verdict = "The verifier said what it had to, every time."
        if not ending.as_expected:
            verdict = "The verifier said something else than it had to: this demonstration failed."
        self._console.print()
        self._console.print(Text(verdict, _style(good=ending.as_expected)))
        self._console.print(
            f"Everything is in {ending.folder}/, explained in its README.txt. Try for instance:"
        )
        place = shlex.quote(str(ending.folder))
        call = f"{self._command} verify --config {place}/vcid.toml {place}/samples/good.json"
        self._console.print(Text(f"{_INDENT}{call}"), soft_wrap=True)

    def _head(self, title: str) -> None:
        self._console.print()
        self._console.print(Text(title, "bold"))

    def _say(self, words: str) -> None:
        width = min(self._console.width, _WIDEST)
        text = textwrap.fill(
            words,
            width,
            initial_indent=_INDENT,
            subsequent_indent=_INDENT,
            break_long_words=False,
            break_on_hyphens=False,
        )
        self._console.print(Text(text), soft_wrap=True)

    def _grid(self, *rows: tuple[str, str]) -> None:
        grid = Table.grid(padding=(0, 2, 0, 0))
        for row in rows:
            grid.add_row(*(Text(cell) for cell in row))
        self._console.print(grid)


def _fault_rows(faults: Sequence[FieldError], *, show_values: bool) -> Iterator[list[str]]:
    """Write faults as a table's rows; a line that has several stands once."""
    last = None
    for fault in faults:
        line = "" if fault.line == last else str(fault.line)
        found = ["" if fault.found is None else show(fault.found)] if show_values else []
        yield [line, fault.path or "(row)", fault.code, *found, fault.expected]
        last = fault.line


def _style(*, good: bool) -> str:
    return "green" if good else "bold red"

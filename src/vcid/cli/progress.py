"""A progress bar for work that turns out to be slow, on a terminal."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from rich.progress import Progress

PATIENCE: Final = 1.0
"""Seconds without a bar: quick work needs none."""


@contextmanager
def slow_progress(
    title: str, total: int | None, *, patience: float = PATIENCE
) -> Iterator[Callable[[], None]]:
    """Show a bar on stderr, if it is a terminal and the work takes longer than a second.

    Args:
        title: what is being done.
        total: of how many steps; None if nobody knows.
        patience: seconds to wait before the bar.

    Yields:
        What is to be called after each step.
    """
    bar = _SlowBar(title, total, time.monotonic() + patience)
    try:
        yield bar.advance
    finally:
        bar.stop()


class _SlowBar:
    def __init__(self, title: str, total: int | None, due: float) -> None:
        self._title = title
        self._total = total
        self._steps = 0
        self._due = due
        self._progress: Progress | None = None
        self._is_wanted = sys.stderr is not None and sys.stderr.isatty()

    def advance(self) -> None:
        self._steps += 1
        if not self._is_wanted:
            return
        if self._progress is None and time.monotonic() >= self._due:
            self._progress = _start(self._title, self._total)
        if self._progress is not None:
            self._progress.update(self._progress.task_ids[0], completed=self._steps)

    def stop(self) -> None:
        if self._progress is not None:
            self._progress.stop()


def _start(title: str, total: int | None) -> Progress:
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    progress = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    progress.add_task(title, total=total)
    progress.start()
    return progress

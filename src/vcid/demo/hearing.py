"""Asking the verifier, which runs in a process of its own and has no network."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import IO, TYPE_CHECKING, Any

from vcid.demo.chapters import Hearing
from vcid.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from vcid.demo.folder import DemoFolder

_COMMAND = ("-P", "-m", "vcid.demo.offline")
"""-P keeps modules of the current folder out of the verifier's process."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sitting:
    """What is put before the verifier, and what it knows at that time.

    Attributes:
        name: by which the answers are told apart.
        knowledge: the folder that it knows.
        credentials: the files to be verified.
        later: how much later than now the verifier's clock stands.
    """

    name: str
    knowledge: Path
    credentials: tuple[Path, ...]
    later: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class Answer:
    """The verifier's report on one credential.

    Attributes:
        sitting: the name of the sitting.
        report: the report, as ``Report.to_json`` writes it.
    """

    sitting: str
    report: dict[str, Any]

    @property
    def conclusion(self) -> str:
        """Verified, rejected or undecided."""
        return str(self.report["conclusion"])

    @property
    def passed(self) -> frozenset[str]:
        """The checks that passed each time they were made."""
        names = {check["name"] for check in self.report["checks"] if check["outcome"] == "passed"}
        return frozenset(names - {reason.partition(":")[0] for reason in self.reasons})

    @property
    def reasons(self) -> tuple[str, ...]:
        """What stands against the credential, as ``check: code``, each once."""
        against = (check for check in self.report["checks"] if check["outcome"] in {"failed", "unknown"})
        return tuple(dict.fromkeys(f"{check['name']}: {check['code']}" for check in against))


@dataclass(frozen=True, slots=True)
class Answers:
    """All that the verifier said.

    Attributes:
        process: the number of its process.
        answers: its answers, in the order asked.
    """

    process: int
    answers: tuple[Answer, ...]


def ask_verifier(folder: DemoFolder, sittings: Sequence[Sitting], advance: Callable[[int], None]) -> Answers:
    """Start the verifier's process, put everything before it, and hear it out.

    Raises:
        Unavailable: the process ended before it had answered everything, or did not refuse the network.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8") as complaints:
        verifier = subprocess.Popen(  # noqa: S603 - this very interpreter, with a fixed command
            [sys.executable, *_COMMAND],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints,
            text=True,
            encoding="utf-8",
        )
        with verifier:
            lines = list(_talk(verifier, _task(folder, sittings), advance))
        if verifier.returncode != 0 or not lines or "answered" not in lines[-1]:
            raise Unavailable(f"the verifier's process broke off: {_last_line(complaints)}")
    first, *reports, last = lines
    if first.get("network") != "refused" or last["answered"] != len(reports):
        raise Unavailable("the verifier's process had a network, or did not answer everything")
    answers = tuple(Answer(line["sitting"], line["report"]) for line in reports)
    return Answers(first["process"], answers)


def count_answers(answers: Answers) -> Hearing:
    """Sum up what the verifier said to many credentials."""
    reasons = Counter(reason for answer in answers.answers for reason in answer.reasons)
    verified = sum(answer.conclusion == "verified" for answer in answers.answers)
    return Hearing(
        process=answers.process, answers=len(answers.answers), verified=verified, refusals=dict(reasons)
    )


def _task(folder: DemoFolder, sittings: Sequence[Sitting]) -> dict[str, Any]:
    return {
        "policy": str(folder.policy),
        "views": folder.views,
        "sittings": [
            {
                "name": sitting.name,
                "knowledge": str(sitting.knowledge),
                "credentials": [str(path) for path in sitting.credentials],
                "later": sitting.later.total_seconds(),
            }
            for sitting in sittings
        ],
    }


def _talk(
    verifier: subprocess.Popen[str], task: dict[str, Any], advance: Callable[[int], None]
) -> Iterator[dict[str, Any]]:
    """Hand over the task and read the answers as they come."""
    if verifier.stdin is None or verifier.stdout is None:
        raise Unavailable("the verifier's process has no pipes")
    try:
        json.dump(task, verifier.stdin)
        verifier.stdin.close()
    except BrokenPipeError as error:
        raise Unavailable("the verifier's process broke off before it heard its task") from error
    for text in verifier.stdout:
        line = json.loads(text)
        if "report" in line:
            advance(1)
        yield line


def _last_line(complaints: IO[str]) -> str:
    complaints.seek(0)
    lines = complaints.read().strip().splitlines()
    return lines[-1] if lines else "without a word"

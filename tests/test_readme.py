"""Every block of the README is run: Python as one story, commands with the real program."""

import contextlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
README = ROOT / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")


def blocks(language):
    return [body for found, body in BLOCK.findall(README.read_text(encoding="utf-8")) if found == language]


def test_every_block_is_of_a_kind_that_is_run():
    """No block escapes: its language is one that a test here executes."""
    languages = {language for language, _ in BLOCK.findall(README.read_text(encoding="utf-8"))}
    assert languages == {"python", "console"}


def test_the_python_blocks_run_as_one_story(tmp_path, capsys):
    """From the first import to the refusal, in order, in an empty folder."""
    names = {}
    with contextlib.chdir(tmp_path):
        for body in blocks("python"):
            exec(compile(body, str(README), "exec"), names)
    printed = capsys.readouterr().out
    assert "Amina Example" in printed
    assert "revoked" in printed
    assert "forbidden-field" in printed


def test_every_link_leads_to_a_file():
    """Links within the repository name files that are there."""
    assert [
        link for link in LINK.findall(README.read_text(encoding="utf-8")) if not (ROOT / link).exists()
    ] == []


def test_make_knows_the_targets_that_are_named():
    """`make -n` finds a rule for each; what the rules do, CI runs."""
    named = re.findall(r"^\$ make (\w+)", "\n".join(blocks("console")), re.MULTILINE)
    assert named == ["demo", "test"]
    for target in named:
        subprocess.run(["make", "-n", target], cwd=ROOT, check=True, stdout=subprocess.DEVNULL)


@pytest.mark.slow
def test_the_commands_end_as_they_are_said_to(tmp_path):
    """Each line of the console blocks, in order, with the exit code that its comment states."""
    pytest.importorskip("click")
    pytest.importorskip("rich")
    shutil.copytree(ROOT / "examples" / "data", tmp_path / "examples" / "data")
    environment = {**os.environ, "VCID_PASSPHRASE": "an invented passphrase"}
    folder, ran = tmp_path, 0
    for line in filter(None, "\n".join(blocks("console")).splitlines()):
        command, _, comment = line.removeprefix("$ ").partition("    #")
        program, *arguments = shlex.split(command)
        if program == "cd":
            folder = (folder / arguments[0]).resolve()
        elif program == "vcid":
            wanted = int(comment.split()[1]) if "exit" in comment else 0
            done = subprocess.run(
                [sys.executable, "-m", "vcid.cli", *arguments],
                cwd=folder,
                env=environment,
                check=False,
                capture_output=True,
                text=True,
            )
            assert done.returncode == wanted, f"{command}\n{done.stdout}\n{done.stderr}"
            ran += 1
    assert ran > 10

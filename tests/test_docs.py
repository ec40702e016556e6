"""Every block of every page in docs is run: Python as one story a page, commands with the real programs."""

from __future__ import annotations

import contextlib
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from softhsm import softhsm
from vcid.cli.config import Config

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted((ROOT / "docs").glob("*.md"))
HARDWARE = ROOT / "docs" / "hardware.md"
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)\)")

each_page = pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)


def blocks(page):
    return BLOCK.findall(page.read_text(encoding="utf-8"))


@each_page
def test_every_block_is_of_a_kind_that_is_run(page):
    """No block escapes: commands only where a test runs them, and no fence is left open."""
    known = {"python", "toml"} | ({"console"} if page == HARDWARE else set())
    assert {language for language, _ in blocks(page)} <= known
    assert page.read_text(encoding="utf-8").count("```") == 2 * len(blocks(page))


@each_page
def test_every_link_leads_to_a_file(page):
    """Links within the repository name files that are there."""
    links = LINK.findall(page.read_text(encoding="utf-8"))
    assert [link for link in links if not (page.parent / link).exists()] == []


@each_page
def test_every_vcid_toml_can_be_read(page):
    """What a page shows of a vcid.toml has no faults."""
    for language, body in blocks(page):
        if language == "toml":
            Config.parse(body.encode(), path=Path("/authority/vcid.toml"))


@pytest.mark.parametrize("page", [page for page in PAGES if page != HARDWARE], ids=lambda page: page.name)
def test_the_python_blocks_run_as_one_story(page, tmp_path):
    """From the first import on, in order, in an empty folder."""
    names = {}
    with contextlib.chdir(tmp_path):
        for language, body in blocks(page):
            if language == "python":
                exec(compile(body, str(page), "exec"), names)


def test_the_page_about_hardware_runs_on_a_token(tmp_path):
    """Its Python and its commands, in their order, on SoftHSM."""
    pytest.importorskip("click", reason="the extra cli is not installed")
    names = {}
    with contextlib.contextmanager(softhsm)(tmp_path) as hsm, contextlib.chdir(tmp_path):
        for language, body in blocks(HARDWARE):
            text = body.replace("/usr/lib/softhsm/libsofthsm2.so", str(hsm.module))
            if language == "python":
                exec(compile(text, str(HARDWARE), "exec"), names)
            if language == "console":
                for line in text.splitlines():
                    run(shlex.split(line.removeprefix("$ ")))
    assert (tmp_path / "civil" / "did.json").is_file()


def run(command):
    if command[0] == "vcid":
        command = [sys.executable, "-m", "vcid.cli", *command[1:]]
    environment = {**os.environ, "VCID_PASSPHRASE": "an invented passphrase", "VCID_PIN": "123456"}
    done = subprocess.run(command, env=environment, check=False, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr

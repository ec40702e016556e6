"""Without click and rich the command is one line that says how to get them. Runs with and without them."""

from __future__ import annotations

import subprocess
import sys

import pytest


@pytest.mark.parametrize("missing", ["click", "rich"])
@pytest.mark.parametrize("arguments", [[], ["verify", "credential.json"]])
def test_without_the_extra_the_command_says_how(missing: str, arguments: list[str]):
    """Whatever was asked, it ends in 2, prints one line on stderr and loads nothing."""
    code = f"import sys; sys.modules[{missing!r}] = None; from vcid.cli import main; sys.exit(main())"
    ended = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=False
    )
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.count("\n") == 1
    assert "pip install 'vcid[cli]'" in ended.stderr

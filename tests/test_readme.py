"""Every block of the README is run: Python as one story, commands with the real program."""

import re
from pathlib import Path

README = Path(__file__).resolve().parents[1] / "README.md"
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def blocks(language):
    return [body for found, body in BLOCK.findall(README.read_text(encoding="utf-8")) if found == language]


def test_every_block_is_of_a_kind_that_is_run():
    """No block escapes: its language is one that a test here executes."""
    languages = {language for language, _ in BLOCK.findall(README.read_text(encoding="utf-8"))}
    assert languages <= {"python", "console", "toml", "json"}


def test_the_python_blocks_run_as_one_story(tmp_path, monkeypatch, capsys):
    """From the first import to the refusal, in order, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    names = {}
    for body in blocks("python"):
        exec(compile(body, str(README), "exec"), names)
    printed = capsys.readouterr().out
    assert "Amina Example" in printed
    assert "revoked" in printed
    assert "forbidden-field" in printed

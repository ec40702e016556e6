"""An authority set up by `vcid init`, its keys made cheap to open, with one credential issued."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

PASSPHRASE = "an invented passphrase"
RECORD = {
    "names": [{"full": "Amina Example", "kind": "legal"}],
    "nameStatus": "recorded",
    "birthDate": "2021-03-15",
    "birthDateBasis": "documented",
    "sexAtBirth": "female",
    "birthPlace": {"country": "KE"},
    "parentageStatus": "none",
    "registration": {
        "number": "2021/00001",
        "date": "2021-04-01",
        "jurisdiction": "KE",
        "office": "Example North",
        "registrationType": "current",
    },
}


@dataclass(frozen=True)
class Ended:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """The one JSON object on stdout."""
        return json.loads(self.out)

    @property
    def line(self) -> str:
        """The one line on stderr."""
        assert self.out == ""
        assert self.err.count("\n") == 1
        assert "Traceback" not in self.err
        return self.err.rstrip("\n")


@dataclass(frozen=True)
class Place:
    """A folder with a vcid.toml, and the command run on it."""

    folder: Path

    def __call__(self, *arguments: object, stdin: bytes | None = None, **variables: str | None) -> Ended:
        """Run vcid in this process."""
        from click.testing import CliRunner

        from vcid.cli.app import command

        environment = {
            "VCID_CONFIG": str(self.folder / "vcid.toml"),
            "VCID_PASSPHRASE": PASSPHRASE,
            **variables,
        }
        result = CliRunner(env=environment).invoke(command, [str(one) for one in arguments], input=stdin)
        return Ended(result.exit_code, result.stdout, result.stderr)

    @property
    def credential(self) -> Path:
        """The one credential issued."""
        [path] = (self.folder / "credentials").iterdir()
        return path

    def write(self, name: str, content: bytes | object) -> Path:
        """Write a file beside the others: bytes, or anything else as JSON."""
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else json.dumps(content).encode())
        return path


def spawn(*arguments: object, cwd: Path | None = None, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run vcid in a process of its own."""
    environment = {
        **os.environ,
        "VCID_PASSPHRASE": PASSPHRASE,
        "PYTHONWARNINGS": "error",
        **options.pop("env", {}),
    }
    environment = {name: value for name, value in environment.items() if value is not None}
    return subprocess.run(
        [sys.executable, "-m", "vcid.cli", *(str(one) for one in arguments)],
        cwd=cwd,
        env=environment,
        stdout=options.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        check=False,
        timeout=60,
        **options,
    )


@pytest.fixture(scope="session")
def prototype(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An authority in a folder that nobody changes."""
    from vcid.keys.encrypted_file import Argon2Cost
    from vcid.keys.wallet import Wallet

    folder = tmp_path_factory.mktemp("prototype") / "authority"
    made = spawn(
        "init", folder, "--domain", "civil.example", "--jurisdiction", "KE", "--key-cost", "interactive"
    )
    assert made.returncode == 0, made.stderr
    wallet = Wallet.open(folder / "keys.json", PASSPHRASE)
    wallet.change_passphrase(PASSPHRASE, cost=Argon2Cost(1, 8192))
    record = folder / "record.json"
    record.write_text(json.dumps(RECORD))
    issued = spawn("issue", record, "--key", "row-1", "--out", folder / "credentials", cwd=folder)
    assert issued.returncode == 0, issued.stderr
    return folder


@pytest.fixture
def authority(prototype: Path, tmp_path: Path) -> Place:
    """A copy of the authority, for one test to change."""
    folder = tmp_path / "authority"
    shutil.copytree(prototype, folder)
    return Place(folder)


@pytest.fixture
def nowhere(tmp_path: Path) -> Place:
    """A folder without a vcid.toml."""
    folder = tmp_path / "nowhere"
    folder.mkdir()
    return Place(folder)

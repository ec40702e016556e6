"""Tokens of SoftHSM, in a folder that the tests throw away."""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

PIN = "invented pin"
_PLACES = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/softhsm/libsofthsm.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
]


@dataclass(frozen=True)
class SoftHsm:
    """SoftHSM's library, with a folder for its tokens."""

    module: Path
    folder: Path

    def make_token(self, label: str | None = None) -> str:
        """Make a token, with a label of its own unless one is given."""
        label = label or f"civil {secrets.token_hex(4)}"
        command = ["softhsm2-util", "--init-token", "--free", "--label", label, "--pin", PIN, "--so-pin", PIN]
        subprocess.run(command, check=True, capture_output=True)
        return label

    def pull(self) -> None:
        """Take all tokens away."""
        self.folder.rename(self.folder.with_name("pulled"))
        self.folder.mkdir()

    def put_back(self) -> None:
        """Put back what was pulled."""
        shutil.rmtree(self.folder)
        self.folder.with_name("pulled").rename(self.folder)


def softhsm(folder: Path) -> Iterator[SoftHsm]:
    """Set SoftHSM up for a while, or skip where the machine has none."""
    pytest.importorskip("pkcs11", reason="the extra pkcs11 is not installed")
    named = [os.environ["VCID_SOFTHSM"]] if "VCID_SOFTHSM" in os.environ else _PLACES
    module = next((Path(place) for place in named if Path(place).is_file()), None)
    if module is None or shutil.which("softhsm2-util") is None:
        _missing("no SoftHSM: install the package softhsm2, or set VCID_SOFTHSM to its library")
    (folder / "tokens").mkdir()
    settings = folder / "softhsm2.conf"
    settings.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    before = os.environ.get("SOFTHSM2_CONF")
    os.environ["SOFTHSM2_CONF"] = str(settings)
    yield SoftHsm(module, folder / "tokens")
    if before is None:
        del os.environ["SOFTHSM2_CONF"]
    else:
        os.environ["SOFTHSM2_CONF"] = before


def _missing(what: str) -> NoReturn:
    """Do as ``missing`` of conftest, which is not to be imported twice: its audit hook can't be taken away."""
    if os.environ.get("VCID_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what}, and VCID_REQUIRE_SERVICES=1 says that it must be there")
    pytest.skip(what)

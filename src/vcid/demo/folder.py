"""The demonstration's folder: what stands where in it, and when an old one may be replaced."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from vcid.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from pathlib import Path

MARKER = ".vcid-demo"
"""The file that says that a folder is the demonstration's own, and may be deleted by the next one."""

_MARK = "made by `vcid demo`, which deletes this folder when it runs again\n"


@dataclass(frozen=True, slots=True)
class DemoFolder:
    """The places in a demonstration's folder.

    Attributes:
        root: the folder.
    """

    root: Path

    @classmethod
    def prepare(cls, root: Path) -> Self:
        """Make the folder anew, in place of one that an earlier demonstration made.

        Raises:
            Conflict: there is something else in that place (``not-a-demo-folder``).
            Unavailable: the folder can't be written.
        """
        folder = cls(root)
        try:
            folder._clear()
            root.mkdir(mode=0o700, parents=True, exist_ok=True)
            (root / MARKER).write_text(_MARK, encoding="utf-8")
            for part in (folder.credentials, folder.keys, folder.samples):
                part.mkdir(mode=0o700)
        except OSError as error:
            raise Unavailable(f"the demonstration's folder can't be written: {error.strerror}") from error
        return folder

    def _clear(self) -> None:
        if self.root.is_symlink() or (self.root.exists() and not self.root.is_dir()):
            raise _refusal()
        if not self.root.exists():
            return
        marker = self.root / MARKER
        if marker.is_file() and marker.read_bytes() == _MARK.encode():
            shutil.rmtree(self.root)
        elif any(self.root.iterdir()):
            raise _refusal()

    @property
    def keys(self) -> Path:
        """The wallets."""
        return self.root / "keys"

    @property
    def passphrase(self) -> Path:
        """The passphrase of the wallets."""
        return self.root / "passphrase.txt"

    @property
    def credentials(self) -> Path:
        """Every credential issued, named by its UUID."""
        return self.root / "credentials"

    @property
    def samples(self) -> Path:
        """What the scenes show the verifier."""
        return self.root / "samples"

    @property
    def policy(self) -> Path:
        """The verifier's demands."""
        return self.root / "policy.json"

    @property
    def knowledge_before(self) -> Path:
        """What the verifier knows before the revocation is published."""
        return self.root / "knowledge-before"

    @property
    def knowledge(self) -> Path:
        """What it knows afterwards."""
        return self.root / "knowledge"

    @property
    def views(self) -> str:
        """The URL of the verifier's memory."""
        return self.store("views")

    def store(self, name: str) -> str:
        """Give the URL of a database in this folder."""
        return f"sqlite:///{self.root / name}.db"


def _refusal() -> Conflict:
    return Conflict(
        "not-a-demo-folder",
        "a folder that an earlier demonstration made, an empty one, or none: choose another with --folder",
    )

"""How tiles are reached: a transport that the operator hands in, and one for a folder or a USB stick.

A folder comes by any hand. Nothing in it leads out of it, no link is followed, nothing but a plain file is
opened, and no more of it is read than was asked for.
"""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final, Protocol

from vcid.errors import LimitExceeded, Unavailable

NOT_FOUND: Final = "not-found"
"""The code of ``Unavailable`` by which a transport says that there is nothing of that path."""

_PATH: Final = re.compile(
    r"checkpoint|tile/(?:entries|[0-9]{1,2})(?:/x[0-9]{3})*/[0-9]{3}(?:\.p/[0-9]{1,3})?"
)


class Transport(Protocol):
    """Brings the files of one log. What it brings is believed only once it is verified."""

    def get(self, path: str, max_bytes: int) -> bytes:
        """Bring a file whole.

        Args:
            path: its path below the log's prefix, such as ``tile/0/x001/234``.
            max_bytes: the most that it may hold.

        Raises:
            Unavailable: it can't be brought; with code ``NOT_FOUND`` if there is none.
            LimitExceeded: it is larger.
        """


def check_path(path: str) -> str:
    """Return a path if it is one that a log's files have.

    Raises:
        ValueError: it is another one.
    """
    if not _PATH.fullmatch(path):
        raise ValueError("a path of C2SP tlog-tiles")
    return path


class FolderTransport:
    """Brings a log's files from a folder.

    Args:
        folder: the folder that stands for the log's prefix.
    """

    __slots__ = ("_folder",)

    def __init__(self, folder: str | os.PathLike[str]) -> None:
        self._folder = Path(folder)

    def get(self, path: str, max_bytes: int) -> bytes:
        """Read a file; see ``Transport.get``."""
        place = self._folder
        try:
            for name in check_path(path).split("/"):
                place /= name
                # Looked at one by one: a link anywhere on the way leads out of the folder.
                mode = place.lstat().st_mode
                if stat.S_ISLNK(mode):
                    raise Unavailable(f"{path} is reached through a link", code="link-refused")
            if not stat.S_ISREG(mode):
                raise Unavailable(f"{path} is no plain file", code="no-file")
            with os.fdopen(os.open(place, _FLAGS), "rb") as file:
                content = file.read(max_bytes + 1)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Unavailable(f"there is no {path}", code=NOT_FOUND) from error
        except OSError as error:
            raise Unavailable(f"{path} can't be read: {error.strerror}") from error
        if len(content) > max_bytes:
            raise LimitExceeded("too-large", f"at most {max_bytes} bytes", where=path)
        return content


# A link or a pipe put in the file's place after it was looked at is not followed, and does not block.
_FLAGS: Final = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_CLOEXEC", 0)
    | getattr(os, "O_BINARY", 0)
)

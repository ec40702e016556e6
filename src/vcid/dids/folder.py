"""Documents from a folder: a copy of a part of the web, on a stick or a disk, for where there is no network.

The document of ``https://civil.example/dids/registrar/did.jsonl`` stands in the folder under
``civil.example/dids/registrar/did.jsonl``; a port follows the host as ``civil.example%3A8443``. A folder
comes by any hand, so nothing in it is a path out of it: no link is followed and no URL leads up.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Final

from vcid.encoding.contexts import Loaded
from vcid.errors import Unavailable

if TYPE_CHECKING:
    import os

MAX_BYTES: Final = 64 << 20

_URL: Final = re.compile(
    r"https://(?P<host>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?)(?::(?P<port>[1-9][0-9]{0,4}))?"
    r"(?P<path>(?:/[A-Za-z0-9._~!$&'()*+,;=@%-]+)+)"
)
_MEDIA_TYPES: Final = {".json": "application/json", ".jsonl": "text/jsonl"}


class FolderLoader:
    """Brings documents from a folder instead of the web.

    Args:
        folder: the folder; its subfolders are named for hosts.
        max_bytes: the largest document that is read.
    """

    def __init__(self, folder: str | os.PathLike[str], *, max_bytes: int = MAX_BYTES) -> None:
        self._folder = Path(folder)
        self._max_bytes = max_bytes

    def load(self, url: str) -> Loaded:
        """Bring the document that a URL names.

        Raises:
            Unavailable: ``not-found``; ``url-refused`` for a URL with a query, a fragment or a way up;
                ``link-refused`` where a link stands on the way; ``too-large``; or it can't be read.
        """
        path = self._folder
        for name in _split(url):
            path /= name
            # Looked at one by one: a link anywhere on the way leads out of the folder.
            if path.is_symlink():
                raise Unavailable("a saved document is reached through a link", code="link-refused")
        content = self._read(path)
        return Loaded(content, _MEDIA_TYPES.get(path.suffix, ""), url)

    def _read(self, path: Path) -> bytes:
        try:
            if not stat.S_ISREG(path.lstat().st_mode):
                raise Unavailable("a saved document is no plain file", code="not-found")
            with path.open("rb") as file:
                content = file.read(self._max_bytes + 1)
        except (FileNotFoundError, NotADirectoryError) as error:
            raise Unavailable("the folder has no such document", code="not-found") from error
        except OSError as error:
            raise Unavailable("a saved document can't be read") from error
        if len(content) > self._max_bytes:
            raise Unavailable("a saved document is too large", code="too-large")
        return content


def _split(url: str) -> list[str]:
    """Split a URL into the names of folders and file. Names stay escaped, so none can be a path."""
    found = _URL.fullmatch(url)
    if found is None:
        raise Unavailable("a saved document has an https URL without query", code="url-refused")
    names = found["path"].split("/")[1:]
    if any(name in {".", ".."} for name in names):
        raise Unavailable("a saved document's URL does not lead up", code="url-refused")
    return [found["host"] + (f"%3A{found['port']}" if found["port"] else ""), *names]

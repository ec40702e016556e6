"""The folder into which credentials are written: for their owner's eyes, and no name that tells of anyone."""

from __future__ import annotations

import os
import tempfile
import uuid
from pathlib import Path
from typing import TYPE_CHECKING

from vcid.errors import Malformed

if TYPE_CHECKING:
    from vcid.credentials.model import Credential


class CredentialFolder:
    """A folder of mode 0700 with a file of mode 0600 for each credential, named by its UUID.

    Files are replaced whole, and not forced onto the disk one by one: the registry keeps every credential
    that it acknowledged, and gives it again.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def write(self, credential: Credential) -> Path:
        """Write a credential and give its file.

        Raises:
            Malformed: its id is no UUID.
            OSError: it can't be written.
        """
        target = self._path / f"{_uuid(credential)}.json"
        descriptor, temporary = tempfile.mkstemp(dir=self._path, prefix=".", suffix=".tmp")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(credential.content)
            Path(temporary).replace(target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise
        return target


def _uuid(credential: Credential) -> uuid.UUID:
    try:
        return uuid.UUID((credential.id or "").removeprefix("urn:uuid:"))
    except ValueError as error:
        raise Malformed("credential-id", "a UUID as a URN", where="/id") from error

"""Files that only their owner may read: written whole or not at all, refused when others may read them."""

from __future__ import annotations

import os
import secrets
import stat
import time
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from vcid.errors import Conflict, LimitExceeded, Locked, Unavailable

if TYPE_CHECKING:
    from collections.abc import Iterator

MAX_FILE_BYTES = 64 << 20
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def read(path: Path, *, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Read a private file whole.

    Raises:
        Locked: on a POSIX system, the file's mode lets others in.
        LimitExceeded: the file is larger than ``max_bytes``.
        Unavailable: the file can't be read.
    """
    try:
        with path.open("rb") as file:
            # Asked of the open file, so that it can't be exchanged between the question and the reading.
            mode = os.fstat(file.fileno()).st_mode
            if os.name == "posix" and mode & _OTHERS:
                raise Locked("others may read or write this key file: run chmod 600 on it")
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise Unavailable(f"a private file could not be read: {error.strerror}") from error
    if len(data) > max_bytes:
        raise LimitExceeded("too-large", f"a file of at most {max_bytes} bytes")
    return data


def write(path: Path, data: bytes, *, overwrite: bool = False) -> None:
    """Write a private file of mode 0600 so that a crash leaves either what was there or all of ``data``.

    Raises:
        Conflict: ``file-exists``: there is a file, and ``overwrite`` is false.
        Unavailable: the file can't be written.
    """
    target = Path(os.path.realpath(path))  # where the path is a link, its target changes and the link stays
    temporary = target.with_name(f".{target.name}.{secrets.token_hex(8)}.tmp")
    try:
        _write_durably(temporary, data)
        if overwrite:
            temporary.replace(target)
        else:
            os.link(temporary, target)  # unlike a rename, a link never takes another file's place
        _sync_folder(target.parent)
    except FileExistsError as error:
        raise Conflict(
            "file-exists", "there is a file already, and it may hold the only copy of a key"
        ) from error
    except OSError as error:
        raise Unavailable(f"a private file could not be written: {error.strerror}") from error
    finally:
        temporary.unlink(missing_ok=True)


@contextmanager
def locked(path: Path, *, patience: float = 10.0) -> Iterator[None]:
    """Keep every other writer of ``path`` out, in this process and in others, while the block runs.

    The lock is on a file beside it, ``<name>.lock``, which stays. It is the system's: a process that dies
    lets go of it.

    Args:
        path: the file to be written.
        patience: for how many seconds to wait for another writer.

    Raises:
        Unavailable: another writer did not finish, or this system has no such locks.
    """
    try:
        import fcntl
    except ImportError as error:
        raise Unavailable("this system has no file locks of POSIX") from error
    target = os.path.realpath(path)
    try:
        descriptor = os.open(f"{target}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Unavailable(f"a lock file could not be opened: {error.strerror}") from error
    try:
        _take(descriptor, patience)
        yield
    finally:
        # Let go in words: a process forked meanwhile holds a copy of the descriptor, and would keep the lock.
        fcntl.flock(descriptor, fcntl.LOCK_UN)
        os.close(descriptor)


def _take(descriptor: int, patience: float) -> None:
    import fcntl

    deadline = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            if time.monotonic() >= deadline:
                raise Unavailable("another process is writing this file and has not finished") from error
            time.sleep(0.01)
        else:
            return


def _write_durably(path: Path, data: bytes) -> None:
    # The mode is given at creation: a chmod afterwards would leave a moment in which others can open it.
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_CLOEXEC", 0)
    with os.fdopen(os.open(path, flags, 0o600), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

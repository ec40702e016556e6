"""A deadline for a whole exchange over HTTP: a socket's own timeout begins anew with every byte."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPConnection


@contextmanager
def deadline(connection: HTTPConnection, seconds: float) -> Iterator[float]:
    """Cut a connection when the time is up.

    Yields:
        When that is, by ``time.monotonic``.
    """

    def cut() -> None:
        if connection.sock is not None:
            with suppress(OSError):
                connection.sock.shutdown(socket.SHUT_RDWR)

    end = time.monotonic() + seconds
    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        yield end
    finally:
        timer.cancel()

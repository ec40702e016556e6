"""Bounds for a whole exchange over HTTP, in time and in bytes, whatever the server sends.

A socket's own timeout begins anew with every byte, and ``http.client`` forgets the socket of an answer after
which the connection closes, and reads a chunked body's trailer without end. So the socket is kept from when
it is connected, and every read from it is counted and looks at the clock.
"""

from __future__ import annotations

import io
import socket
import threading
import time
from contextlib import ExitStack, contextmanager, suppress
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any, Final

from vcid.errors import LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Iterator
    from http.client import HTTPConnection

    from _typeshed import WriteableBuffer

_CHUNK: Final = 1 << 16
_FRAMING: Final = 1 << 18
"""What an answer's head, the framing of its chunks and its trailer may take beyond twice the body."""


@contextmanager
def deadline(connection: HTTPConnection, seconds: float, max_bytes: int) -> Iterator[None]:
    """Connect if need be, and bound what is sent and read until the block ends.

    Args:
        connection: it serves one exchange at a time.
        seconds: after so many the connection is cut.
        max_bytes: how long the answer's body may be.

    Raises:
        TimeoutError: from whatever reads when the time is up.
        LimitExceeded: from whatever reads when the answer takes far more bytes than its body may
            (``too-large``).
    """
    bounds = _Bounds(time.monotonic() + seconds, 2 * max_bytes + _FRAMING)
    held: socket.socket | None = connection.sock

    def cut() -> None:
        bounds.is_cut = True
        if (cutting := held or connection.sock) is not None:
            with suppress(OSError):
                # Not TLS's own way, which would pull the session from under whoever is reading.
                socket.socket.shutdown(cutting, socket.SHUT_RDWR)

    timer = threading.Timer(seconds, cut)
    timer.daemon = True
    timer.start()
    try:
        if held is None:
            connection.connect()
            held = connection.sock
        bounds.check()
        connection.response_class = _bounded(bounds)
        yield
    except BaseException:
        bounds.answers.close()
        raise
    finally:
        timer.cancel()


def read_body(response: HTTPResponse, max_bytes: int, code: str, where: str = "") -> bytes:
    """Read the body of an answer to its marked end, within a ``deadline``.

    Raises:
        LimitExceeded: it is longer than allowed, with ``code``.
        TimeoutError: it takes too long.
        EOFError: it ends before its end.
    """
    expected, body = response.length, bytearray()
    while chunk := response.read1(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            raise LimitExceeded(code, f"at most {max_bytes} bytes", where=where)
    if expected is not None and len(body) != expected:
        raise EOFError
    response.close()  # Lest a body of a stated length keep the connection from being used again.
    return bytes(body)


class _Bounds:
    """What is left of an exchange's time and bytes."""

    __slots__ = ("_bytes", "_end", "answers", "is_cut")

    def __init__(self, end: float, count: int) -> None:
        self._end = end
        self._bytes = count
        self.is_cut = False
        self.answers = ExitStack()

    def check(self, count: int = 0) -> None:
        """Count what was read, and look at the clock."""
        if self.is_cut or time.monotonic() > self._end:
            raise TimeoutError
        self._bytes -= count
        if self._bytes < 0:
            raise LimitExceeded("too-large", "an answer without excessive framing")


class _Wire(io.RawIOBase):
    """What comes from a socket."""

    def __init__(self, raw: io.RawIOBase, bounds: _Bounds) -> None:
        self._raw = raw
        self._bounds = bounds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: WriteableBuffer) -> int | None:
        self._bounds.check()
        count: int | None = self._raw.readinto(buffer)
        self._bounds.check(count or 0)
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


def _bounded(bounds: _Bounds) -> type[HTTPResponse]:
    class BoundedResponse(HTTPResponse):
        def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
            super().__init__(sock, *arguments, **options)
            self.fp = io.BufferedReader(_Wire(self.fp.detach(), bounds))
            bounds.answers.callback(self.close)

    return BoundedResponse

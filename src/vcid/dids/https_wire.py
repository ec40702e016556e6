"""One GET over one TLS connection to one checked address: HTTP/1.1 (RFC 9112) within limits of time and size.

Every byte that the server sends passes through ``_Wire``, which holds it to the deadline and to the size, so
that neither a slow server nor an endless header or body can outlast them. The end of a body has to be marked:
by its length, by its last chunk, or by TLS's own end of the connection.
"""

from __future__ import annotations

import io
import socket
import time
from dataclasses import dataclass
from http.client import HTTPException, HTTPResponse
from typing import TYPE_CHECKING, Any, Final, Protocol, cast

from vcid.errors import Unavailable

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Mapping, Sequence

_CHUNK: Final = 64 * 1024
_ACCEPT: Final = "application/json, application/*;q=0.9, */*;q=0.5"


class Network(Protocol):
    """The two things that a loader asks of the operating system."""

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Give the IP addresses of a host, as text, in the order in which to try them.

        Raises:
            OSError: there are none to be had.
        """
        ...

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """Connect to an IP address, within ``timeout`` seconds.

        Raises:
            OSError: the connection was not made.
        """
        ...


class SystemNetwork:
    """The operating system's resolver and sockets. Proxies that the environment names are not used."""

    def addresses(self, host: str, port: int) -> Sequence[str]:
        """Ask the system's resolver, which takes the time that the system is set up to give it."""
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        return [str(address[0]) for *_, address in found]

    def connect(self, address: str, port: int, timeout: float) -> socket.socket:
        """Connect by TCP."""
        connection = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
        try:
            connection.settimeout(timeout)
            connection.connect((address, port))
        except OSError:
            connection.close()
            raise
        return connection


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How long a document may take, in seconds, and how large it may be.

    Attributes:
        connect_seconds: for each attempt to connect.
        read_seconds: for the server's every silence.
        total_seconds: for all together, from the first connection to the last byte.
        max_bytes: of the document.
        max_header_bytes: of status line and headers.
    """

    connect_seconds: float = 5.0
    read_seconds: float = 10.0
    total_seconds: float = 30.0
    max_bytes: int = 4 << 20
    max_header_bytes: int = 32 * 1024

    def __post_init__(self) -> None:
        if min(self.connect_seconds, self.read_seconds, self.total_seconds) <= 0:
            raise ValueError("limits of time are above zero")
        if self.max_bytes < 1 or self.max_header_bytes < 1:
            raise ValueError("limits of size are above zero")


class Deadline:
    """A moment by which all has to be done, by a clock that only goes forward."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._end = clock() + seconds

    def allow(self, seconds: float) -> float:
        """Give how long the next step may take, at most ``seconds``.

        Raises:
            TimeoutError: the time is up.
        """
        left = self._end - self._clock()
        if left <= 0:
            raise TimeoutError
        return min(left, seconds)


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked for: every part is checked already, and holds visible ASCII alone."""

    host: str
    port: int
    path: str
    etag: str = ""

    def encode(self) -> bytes:
        """Write the request. It carries nothing about who asks: no cookie, no name, no credentials."""
        authority = self.host if self.port == 443 else f"{self.host}:{self.port}"
        lines = [
            f"GET {self.path} HTTP/1.1",
            f"Host: {authority}",
            f"Accept: {_ACCEPT}",
            "Accept-Encoding: identity",
            "User-Agent: vcid",
            "Connection: close",
        ]
        if self.etag:
            lines.append(f"If-None-Match: {self.etag}")
        return "\r\n".join([*lines, "", ""]).encode("ascii")


@dataclass(frozen=True, slots=True)
class Answer:
    """What the server said: header names in lower case, and a body only where the status is 200."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def exchange(connection: ssl.SSLSocket, request: Request, limits: Limits, deadline: Deadline) -> Answer:
    """Send the request and read the answer.

    Raises:
        Unavailable: ``too-large``, ``encoded`` or ``broken-answer``.
        OSError: the connection failed, or the time was up.
    """
    connection.settimeout(deadline.allow(limits.read_seconds))
    connection.sendall(request.encode())
    wire = _Wire(connection, limits, deadline)
    # All that an HTTPResponse asks of its socket is makefile.
    response = HTTPResponse(cast("socket.socket", wire), method="GET")
    try:
        response.begin()
        if wire.has_ended:  # in a line of the headers, or before the empty one that ends them
            raise _broken("headers up to their end")
        headers = _read_headers(response)
        body = b""
        if response.status == 200:
            # Chunks of one byte take six.
            wire.allow(6 * limits.max_bytes + limits.max_header_bytes)
            body = _read_body(response, headers, limits.max_bytes)
    except (HTTPException, ValueError):
        raise _broken("HTTP/1.1") from None
    finally:
        response.close()
    return Answer(response.status, headers, body)


class _Wire(io.RawIOBase):
    """What the server sends, byte by byte under the limits."""

    def __init__(self, connection: ssl.SSLSocket, limits: Limits, deadline: Deadline) -> None:
        self._connection = connection
        self._limits = limits
        self._deadline = deadline
        self._left = limits.max_header_bytes
        self.has_ended = False

    def makefile(self, _mode: str) -> io.BufferedReader:
        """Give the stream to read from."""
        return io.BufferedReader(self, 8192)

    def allow(self, count: int) -> None:
        """Let the server send that many bytes more."""
        self._left = count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if self._left <= 0:
            raise _too_large()
        self._connection.settimeout(self._deadline.allow(self._limits.read_seconds))
        count = self._connection.recv_into(memoryview(buffer)[: self._left])
        self._left -= count
        self.has_ended = count == 0
        return count


def _read_headers(response: HTTPResponse) -> dict[str, str]:
    headers: dict[str, str] = {}
    for name, value in response.getheaders():
        lower, text = name.lower(), " ".join(value.split())
        if lower in headers and lower in {"content-length", "content-type", "etag"}:
            raise _broken("each of these headers once")
        headers[lower] = f"{headers[lower]}, {text}" if lower in headers else text
    return headers


def _read_body(response: HTTPResponse, headers: Mapping[str, str], max_bytes: int) -> bytes:
    if headers.get("content-encoding", "identity").lower() != "identity":
        raise Unavailable("expected the document as it is, without a content-encoding", code="encoded")
    is_chunked = "transfer-encoding" in headers
    if is_chunked and headers["transfer-encoding"].lower() != "chunked":
        raise _broken("no transfer-encoding but chunked")
    stated = None if is_chunked else _read_length(headers.get("content-length"))
    if stated is not None and stated > max_bytes:
        raise _too_large()
    parts, size = [], 0
    while part := response.read(_CHUNK):
        size += len(part)
        if size > max_bytes:
            raise _too_large()
        parts.append(part)
    if stated is not None and size != stated:
        raise _broken("as many bytes as its content-length states")
    return b"".join(parts)


def _read_length(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise _broken("a content-length in digits")
    return int(text)


def _too_large() -> Unavailable:
    return Unavailable("the server sent more than the loader's limits allow", code="too-large")


def _broken(expected: str) -> Unavailable:
    return Unavailable(f"the server's answer can't be read: expected {expected}", code="broken-answer")

"""Tiles over HTTP from a server that the operator chose; it may be a local one.

Connections are kept and used again, since a log has many tiles. Nothing that a server sends makes a request
last longer or grow larger than it may: the whole exchange has a deadline, bodies are bounded before and after
decompression (C2SP tlog-tiles allows gzip without being asked), and redirects are not followed.
"""

from __future__ import annotations

import re
import threading
import zlib
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from vcid.errors import LimitExceeded, Unavailable
from vcid.ledger.deadlines import deadline, read_body
from vcid.ledger.tile_transport import NOT_FOUND, check_path

if TYPE_CHECKING:
    import ssl

_ABSENT: Final = frozenset({403, 404, 410})
"""Some object stores answer 403 for what is not there."""

_PREFIX: Final = re.compile(r"(?:/[A-Za-z0-9._~!$&'()*+,;=:@%-]+)*")
_GZIP: Final = 16 + zlib.MAX_WBITS


class HttpTransport:
    """Brings a log's files over HTTP or HTTPS. Safe to share between threads, which then take turns.

    Args:
        prefix: the log's URL prefix, such as ``https://civil.example/log``.
        timeout: the seconds that one file may take.
        context: TLS settings; the system's by default.

    Raises:
        ValueError: the prefix is no plain http or https URL.
    """

    __slots__ = ("_connection", "_context", "_host", "_is_tls", "_path", "_port", "_timeout", "_turn")

    def __init__(self, prefix: str, *, timeout: float = 30.0, context: ssl.SSLContext | None = None) -> None:
        url = urlsplit(prefix.rstrip("/"))
        is_plain = not (url.query or url.fragment or "@" in url.netloc) and _PREFIX.fullmatch(url.path)
        if url.scheme not in {"http", "https"} or not url.hostname or not is_plain:
            raise ValueError("the prefix of a log is an http or https URL with a host, and no query")
        self._is_tls = url.scheme == "https"
        self._host, self._port, self._path = url.hostname, url.port, url.path
        self._timeout = timeout
        self._context = context
        self._connection: HTTPConnection | None = None
        self._turn = threading.Lock()

    def close(self) -> None:
        """Close the connection."""
        with self._turn:
            self._drop()

    def get(self, path: str, max_bytes: int) -> bytes:
        """Fetch a file; see ``Transport.get``."""
        with self._turn:
            while True:
                is_kept = self._connection is not None
                try:
                    return self._exchange(check_path(path), max_bytes)
                except (OSError, HTTPException, EOFError) as error:
                    self._drop()
                    # A server may close a connection that it was keeping at any time: that says nothing yet.
                    if not is_kept or isinstance(error, TimeoutError):
                        raise Unavailable(f"{path} can't be fetched ({type(error).__name__})") from error
                except BaseException:
                    self._drop()
                    raise

    def _exchange(self, path: str, max_bytes: int) -> bytes:
        connection = self._connection = self._connection or self._connect()
        with deadline(connection, self._timeout, max_bytes):
            connection.request("GET", f"{self._path}/{path}", headers={"Accept-Encoding": "gzip, identity"})
            response = connection.getresponse()
            if response.status != 200:
                self._drop()
                code = NOT_FOUND if response.status in _ABSENT else "unavailable"
                raise Unavailable(f"{path}: the server answers {response.status}", code=code)
            body = read_body(response, max_bytes, "too-large", path)
        if response.will_close:
            self._drop()
        return _decompress(body, response.headers.get("Content-Encoding", ""), max_bytes, path)

    def _connect(self) -> HTTPConnection:
        if self._is_tls:
            return HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._context)
        return HTTPConnection(self._host, self._port, timeout=self._timeout)

    def _drop(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


def _decompress(body: bytes, encoding: str, max_bytes: int, path: str) -> bytes:
    if encoding in {"", "identity"}:
        return body
    if encoding != "gzip":
        raise Unavailable(f"{path} came in an encoding that was not asked for")
    stream = zlib.decompressobj(_GZIP)
    try:
        content = stream.decompress(body, max_bytes + 1)
    except zlib.error as error:
        raise Unavailable(f"{path} is no gzip, though it says so") from error
    if len(content) > max_bytes:
        raise LimitExceeded("too-large", f"at most {max_bytes} bytes", where=path)
    if not stream.eof or stream.unused_data:
        raise Unavailable(f"{path} is cut, or has something behind its end")
    return content

"""Carrying requests to a node by HTTP, for an operator who configures where it is; it may be local.

No redirect is followed, no proxy of the environment is used, and what is read is bounded in bytes and in
time. The address may hold the secret by which a provider knows its customer: no message or representation
repeats it.
"""

from __future__ import annotations

import ssl
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from vcid.errors import Unavailable
from vcid.ledger.deadlines import deadline, read_body
from vcid.ledger.evm_rpc import MAX_ANSWER_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping


class HttpTransport:
    """One node's address.

    Args:
        url: ``https://…``, or ``http://…`` where the way to the node is one's own.
        timeout: how many seconds an answer may take altogether.
        headers: what else to send, such as an authorization.
        max_bytes: how long an answer may be.
    """

    __slots__ = ("_headers", "_max_bytes", "_parts", "_path", "_timeout")

    def __init__(
        self,
        url: str,
        *,
        timeout: float = 20.0,
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_ANSWER_BYTES,
    ) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
            raise ValueError("the URL of a node begins with https:// or http:// and names a host")
        self._parts = parts
        self._path = f"{parts.path or '/'}{'?' if parts.query else ''}{parts.query}"
        self._timeout = timeout
        self._headers = {**(headers or {}), "Content-Type": "application/json", "Accept": "application/json"}
        self._max_bytes = max_bytes

    def post(self, body: bytes) -> bytes:
        """Send a request and give the answer.

        Raises:
            Unavailable: the node can't be reached, is too slow, or answers with another status than 200.
            LimitExceeded: the answer is too long.
        """
        connection = self._connect()
        try:
            with deadline(connection, self._timeout, self._max_bytes):
                connection.request("POST", self._path, body, self._headers)
                answer = connection.getresponse()
                # Nodes answer errors of JSON-RPC with this status too.
                if answer.status != HTTPStatus.OK:
                    raise Unavailable(f"the node answers with status {answer.status}", code="http-status")
                return read_body(answer, self._max_bytes, "rpc-answer")
        except (OSError, HTTPException, EOFError) as error:
            raise Unavailable(f"the node can't be reached ({type(error).__name__})") from error
        finally:
            connection.close()

    def _connect(self) -> HTTPConnection:
        host, port = self._parts.hostname or "", self._parts.port
        if self._parts.scheme == "http":
            return HTTPConnection(host, port, timeout=self._timeout)
        context = ssl.create_default_context()
        return HTTPSConnection(host, port, timeout=self._timeout, context=context)

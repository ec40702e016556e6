"""Where one request ends and the next begins: said in one way only, and never left to a guess.

Follows HTTP/1.1 (RFC 9112), sections 6.1 and 9.6. A request with both Content-Length and Transfer-Encoding,
which a proxy and a server may cut differently, is refused. After an answer to a request whose body was not
read to its end, the connection is closed; before that a little more is read, since who still sends would
otherwise not see the answer.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import anyio

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_LENGTHS: Final = frozenset({b"content-length", b"transfer-encoding"})
_DRAINED_BYTES: Final = 1 << 20
_DRAINED_SECONDS: Final = 1.0
_CLOSE: Final = (b"connection", b"close")


class Framed:
    """Lets requests of one length through, and closes connections whose bodies were not read.

    Args:
        app: what answers.
        refusal: what answers a request whose length is stated in two ways.
    """

    def __init__(self, app: ASGIApp, refusal: ASGIApp) -> None:
        self._app = app
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        stated = _LENGTHS.intersection(name for name, _ in scope["headers"])
        is_ambiguous = stated == _LENGTHS
        body = _Body(receive, is_read=not stated)

        async def close_unread(message: Message) -> None:
            if message["type"] == "http.response.start" and (is_ambiguous or not await body.drain()):
                message = {**message, "headers": [*message["headers"], _CLOSE]}
            await send(message)

        answer = self._refusal if is_ambiguous else self._app
        await answer(scope, body.receive, close_unread)


class _Body:
    """A request's body, of which is known whether it was read to its end."""

    def __init__(self, receive: Receive, *, is_read: bool) -> None:
        self._receive = receive
        self._is_read = is_read

    async def receive(self) -> Message:
        """Receive the next message, as ASGI has it."""
        message = await self._receive()
        if message["type"] != "http.request" or not message.get("more_body", False):
            self._is_read = True
        return message

    async def drain(self) -> bool:
        """Read a little further, and say whether that was all."""
        left = _DRAINED_BYTES
        with anyio.move_on_after(_DRAINED_SECONDS):
            while not self._is_read and left > 0:
                left -= len((await self.receive()).get("body", b""))
        return self._is_read

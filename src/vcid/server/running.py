"""Running the service: uvicorn on one address, quiet but for the service's own log, stopped by SIGTERM.

The number of connections is bounded, so each has to be of use: one on which no request is under way is cut
after a while, however busily it dribbles header fields or leaves an answer unread. Whoever opens enough
connections again and again still keeps others out. In public, a proxy that reads requests whole before it
passes them on, and counts connections by who opens them, belongs in front.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

if TYPE_CHECKING:
    import asyncio
    import socket

    from starlette.types import ASGIApp
    from uvicorn.protocols.http.h11_impl import RequestResponseCycle

_MAX_CONNECTIONS: Final = 200
_KEEP_ALIVE: Final = 15
_GRACE: Final = 10


class PromptConnection(H11Protocol):
    """A connection that is cut where the next request does not come whole, headers and all, in time.

    The time runs from the connection's beginning, and from the end of each answer. uvicorn itself closes one
    on which nothing comes at all (``timeout_keep_alive``), but not before the first request.
    """

    patience: ClassVar[float] = 20.0
    """How long a request's headers may be waited for, in seconds."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin to wait for the first request."""
        super().connection_made(transport)
        self._await_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing more."""
        super().connection_lost(exc)
        if self._deadline is not None:
            self._deadline.cancel()

    def on_response_complete(self) -> None:
        """Begin to wait for the next request, which may be there already."""
        self._await_request()
        super().on_response_complete()

    def _await_request(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
        self._deadline = self.loop.call_later(self.patience, self._cut)

    def _cut(self) -> None:
        # Aborted, not closed: closing would wait for the rest of an answer that nobody reads.
        cycle: RequestResponseCycle | None = self.cycle
        if cycle is None or cycle.response_complete:
            self.transport.abort()


def run(app: ASGIApp, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first, for a few seconds.

    The server writes no log of its own: its lines would hold addresses and paths with identifiers.
    """
    config = uvicorn.Config(
        app,
        http=PromptConnection,
        ws="none",
        log_config=None,
        log_level="critical",
        access_log=False,
        proxy_headers=False,
        server_header=False,
        date_header=True,
        lifespan="off",
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_keep_alive=_KEEP_ALIVE,
        timeout_graceful_shutdown=_GRACE,
    )
    uvicorn.Server(config).run(sockets=[listening])

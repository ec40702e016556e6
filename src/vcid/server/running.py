"""Running the service: uvicorn on one address, quiet but for the service's own log, stopped by SIGTERM."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import uvicorn

if TYPE_CHECKING:
    import socket

    from starlette.types import ASGIApp

_MAX_CONNECTIONS: Final = 200
_KEEP_ALIVE: Final = 15
_GRACE: Final = 10


def run(app: ASGIApp, listening: socket.socket) -> None:
    """Serve until SIGTERM or SIGINT; requests under way are answered first, for a few seconds.

    The server writes no log of its own: its lines would hold addresses and paths with identifiers.
    """
    config = uvicorn.Config(
        app,
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

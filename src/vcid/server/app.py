"""The service as an ASGI application: routes, and what every request goes through before it is answered.

1. The log notes method, route, status, duration and kind of problem, and nothing else: no body, address,
   identifier or header. Whatever goes wrong inside is noted by its kind alone and answered with 500.
2. What signs or changes asks for the bearer token, compared in constant time.
3. A body is JSON by its content type, is read in a stated time, and no further than the limit.
4. The library's work is done in a bounded number of threads (`vcid.server.workers`), in a stated time.
5. A request's length is said in one way, and a connection with an unread body is closed
   (`vcid.server.framing`).
"""

from __future__ import annotations

import hmac
import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from http import HTTPStatus
from importlib.resources import files
from typing import TYPE_CHECKING, Final

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from vcid.encoding.json import parse_object
from vcid.errors import Malformed, VcidError
from vcid.server.answers import Answer, refuse, refuse_for
from vcid.server.framing import Framed
from vcid.server.page import write_page
from vcid.server.resolving import ResolutionRequest
from vcid.server.workers import Workers

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from vcid.encoding.json import JsonObject
    from vcid.server.service import Service

MAX_BODY: Final = 1 << 20
_NOTE: Final = "vcid"
_JSON_TYPES: Final = frozenset(
    {"application/json", "application/ld+json", "application/vc", "application/vp"}
)
_SAFE: Final = {"x-content-type-options": "nosniff", "cache-control": "no-store"}
_PAGE_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'"


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How the service is guarded.

    Attributes:
        token: what signing and changing asks for, as a bearer token; None asks for nothing.
        trusts_proxy: whether X-Forwarded-Proto and X-Forwarded-Host say under which address it is called.
        status_url: the URL below which status lists are found, where that is fixed.
        max_body: the largest body read, in bytes.
        timeout: how long reading a body, and again answering it, may take, in seconds.
        threads: how many requests are worked on at once; four times as many wait in line.
    """

    token: str | None = None
    trusts_proxy: bool = False
    status_url: str | None = None
    max_body: int = MAX_BODY
    timeout: float = 30.0
    threads: int = 8


_FAILURE: Final = refuse(HTTPStatus.INTERNAL_SERVER_ERROR, "internal", "the service failed; its log says how")
_BUSY: Final = refuse(
    HTTPStatus.SERVICE_UNAVAILABLE, "busy", "a request at a quieter time", headers={"retry-after": "5"}
)
_TWO_LENGTHS: Final = refuse(
    HTTPStatus.BAD_REQUEST, "two-lengths", "Content-Length or Transfer-Encoding, not both"
)


def write_log(line: JsonObject) -> None:
    """Write a line of the log to stderr, as JSON."""
    with suppress(OSError):
        print(json.dumps(line), file=sys.stderr, flush=True)  # noqa: T201 - the log's one way out


def create_app(service: Service, limits: Limits, *, log: Callable[[JsonObject], None] = write_log) -> ASGIApp:
    """Make the application.

    Args:
        service: what answers.
        limits: how it is guarded.
        log: takes one line for each request.
    """
    desk = _Entrance(service, limits)
    routes = [
        Route("/", desk.page),
        Route("/openapi.json", desk.openapi),
        Route("/credentials/verify", desk.verify_credential, methods=["POST"]),
        Route("/presentations/verify", desk.verify_presentation, methods=["POST"]),
        Route("/credentials/derive", desk.derive, methods=["POST"]),
        Route("/credentials/status", desk.set_status, methods=["POST"]),
        Route("/status/{name}", desk.status_list),
        Route("/identifiers/{did:path}", desk.resolve),
        Route("/{profile}/credentials/issue", desk.issue, methods=["POST"]),
        Route("/{profile}/presentations", desk.present, methods=["POST"]),
        Route("/{profile}/credentials/verify", desk.verify_credential, methods=["POST"]),
        Route("/{profile}/presentations/verify", desk.verify_presentation, methods=["POST"]),
        Route("/{profile}/credentials/derive", desk.derive, methods=["POST"]),
        Route("/{profile}/credentials/status", desk.set_status, methods=["POST"]),
    ]
    handlers = {HTTPException: _refuse_route, Exception: _answer_failure}
    app = Starlette(routes=routes, exception_handlers=handlers)  # type: ignore[arg-type]  # Starlette types handlers by Exception
    # It would redirect to whatever host the client named.
    app.router.redirect_slashes = False
    return Noted(Framed(app, _refuse_two_lengths), log)


class _Entrance:
    """Takes each request to the service and its answer back."""

    def __init__(self, service: Service, limits: Limits) -> None:
        self._service = service
        self._limits = limits
        self._workers = Workers(limits.threads)

    async def issue(self, request: Request) -> Response:
        """Secure a credential."""
        work = partial(self._service.issue, request.path_params["profile"], base=self._base(request))
        return await self._post(request, work, "/{profile}/credentials/issue", signs=True)

    async def present(self, request: Request) -> Response:
        """Secure a presentation."""
        work = partial(self._service.present, request.path_params["profile"])
        return await self._post(request, work, "/{profile}/presentations", signs=True)

    async def verify_credential(self, request: Request) -> Response:
        """Verify a credential."""
        return await self._post(request, self._service.verify_credential, "/credentials/verify")

    async def verify_presentation(self, request: Request) -> Response:
        """Verify a presentation."""
        return await self._post(request, self._service.verify_presentation, "/presentations/verify")

    async def derive(self, request: Request) -> Response:
        """Derive a credential that shows a part of another."""
        return await self._post(request, self._service.derive, "/credentials/derive")

    async def set_status(self, request: Request) -> Response:
        """Set a status."""
        work = partial(self._service.set_status, base=self._base(request))
        return await self._post(request, work, "/credentials/status", signs=True)

    async def status_list(self, request: Request) -> Response:
        """Give a status list."""
        base = self._base(request)
        list_id = f"{base}/{request.path_params['name']}"
        likes_vc = "application/vc" in request.headers.get("accept", "")
        media_type = "application/vc" if likes_vc else "application/json"
        work = partial(self._service.status_list, list_id, base, media_type)
        return await self._answer(request, work, "/status/{name}")

    async def resolve(self, request: Request) -> Response:
        """Resolve a DID; the path is taken as it was sent, since a did:web has escapes of its own."""
        path = request.scope.get("raw_path") or request.scope["path"].encode()
        asked = ResolutionRequest(
            segment=path.decode("ascii", "replace").partition("?")[0].removeprefix("/identifiers/"),
            query=request.scope["query_string"].decode("ascii", "replace"),
            accept=request.headers.get("accept", ""),
        )
        work = partial(self._service.resolving.answer, asked)
        return await self._answer(request, work, "/identifiers/{did}")

    async def page(self, request: Request) -> Response:
        """Show people what is here."""
        note_request(request, route="/")
        content = write_page(self._service)
        return Response(
            content,
            media_type="text/html",
            headers={**_SAFE, "content-security-policy": _PAGE_POLICY, "referrer-policy": "no-referrer"},
        )

    async def openapi(self, request: Request) -> Response:
        """Give the description that machines read."""
        note_request(request, route="/openapi.json")
        content = (files("vcid.server") / "openapi.json").read_bytes()
        return Response(content, media_type="application/json", headers=_SAFE)

    async def _post(
        self,
        request: Request,
        work: Callable[[JsonObject], Answer],
        route: str,
        *,
        signs: bool = False,
    ) -> Response:
        """Read a body and answer it."""
        note_request(request, route=route)
        body = self._refuse_unread(request, signs=signs) or await self._read(request)
        if isinstance(body, Answer):
            return _respond(request, body)
        return await self._answer(request, partial(_parse_and_work, work, body), route)

    def _refuse_unread(self, request: Request, *, signs: bool) -> Answer | None:
        if request.path_params.get("profile", "") not in ("", *self._service.profiles):
            return refuse(HTTPStatus.NOT_FOUND, "no-such-profile", "a profile that has a key here")
        if signs and not self._may_sign(request):
            asks = {"www-authenticate": "Bearer"}
            return refuse(HTTPStatus.UNAUTHORIZED, "unauthorized", "the service's bearer token", headers=asks)
        content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        if content_type not in _JSON_TYPES:
            return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content-type", "application/json")
        if request.headers.get("content-encoding", "identity").lower() != "identity":
            return refuse(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "content-encoding", "a body that is not encoded")
        stated = request.headers.get("content-length", "0")
        if not stated.isdecimal() or len(stated) > 18 or int(stated) > self._limits.max_body:
            return self._too_large()
        return None

    def _may_sign(self, request: Request) -> bool:
        if self._limits.token is None:
            return True
        scheme, _, given = request.headers.get("authorization", "").partition(" ")
        expected = self._limits.token.encode()
        return hmac.compare_digest(given.strip().encode(), expected) and scheme.lower() == "bearer"

    async def _read(self, request: Request) -> bytes | Answer:
        body = bytearray()
        with anyio.move_on_after(self._limits.timeout):
            async for chunk in request.stream():
                body += chunk
                if len(body) > self._limits.max_body:
                    return self._too_large()
            return bytes(body)
        return refuse(HTTPStatus.REQUEST_TIMEOUT, "too-slow", "a body that arrives in time")

    def _too_large(self) -> Answer:
        detail = f"a body of at most {self._limits.max_body} bytes"
        return refuse(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "too-large", detail)

    async def _answer(self, request: Request, work: Callable[[], Answer], route: str) -> Response:
        """Do the work in a thread."""
        note_request(request, route=route)
        answer = await self._workers.do(partial(_answer_errors, work), within=self._limits.timeout)
        return _respond(request, answer or _BUSY)

    def _base(self, request: Request) -> str:
        """The URL below which status lists are found."""
        if self._limits.status_url is not None:
            return self._limits.status_url
        scheme, host = request.url.scheme, request.headers.get("host", "localhost")
        if self._limits.trusts_proxy:
            # The proxy next to the service writes the last entry; those before it came from outside.
            scheme = _last(request.headers.get("x-forwarded-proto")) or scheme
            host = _last(request.headers.get("x-forwarded-host")) or host
        return f"{'https' if scheme == 'https' else 'http'}://{_plain_host(host)}/status"


def _last(field: str | None) -> str:
    return (field or "").rpartition(",")[2].strip()


def _plain_host(host: str) -> str:
    """A host and port as they may stand in a URL; anything else would be somebody's trick."""
    allowed = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-:[]")
    host = host.lower()
    return host if 0 < len(host) <= 255 and allowed.issuperset(host) else "localhost"


def _parse_and_work(work: Callable[[JsonObject], Answer], body: bytes) -> Answer:
    try:
        parsed = parse_object(body, max_bytes=max(len(body), 1))
    except Malformed as error:
        return refuse_for(error)
    return work(parsed)


def _answer_errors(work: Callable[[], Answer]) -> Answer:
    try:
        return work()
    except VcidError as error:
        return refuse_for(error)


def _respond(request: Request, answer: Answer) -> Response:
    note_request(request, problem=answer.problem)
    return Response(
        answer.content,
        status_code=answer.status,
        media_type=answer.media_type,
        headers={**_SAFE, **answer.headers},
    )


def _refuse_route(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        detail = "a method that this endpoint has"
        return _respond(request, refuse(405, "method-not-allowed", detail, headers=error.headers))
    return _respond(request, refuse(error.status_code, "no-such-endpoint", "a path of this service"))


def _answer_failure(request: Request, _error: Exception) -> Response:
    return _respond(request, _FAILURE)


async def _refuse_two_lengths(scope: Scope, receive: Receive, send: Send) -> None:
    await _respond(Request(scope), _TWO_LENGTHS)(scope, receive, send)


def note_request(request: Request, **notes: str) -> None:
    """Add to what the log says about a request: its route, the kind of problem."""
    request.scope.setdefault(_NOTE, {}).update(notes)


class Noted:
    """Notes each request, and lets nothing that happens inside reach anybody's log or screen."""

    def __init__(self, app: ASGIApp, log: Callable[[JsonObject], None]) -> None:
        self._app = app
        self._log = log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, and log it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started, notes = time.monotonic(), scope.setdefault(_NOTE, {})
        status = 0

        async def watch(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self._app(scope, receive, watch)
        except ClientDisconnect:
            notes["problem"] = "client-left"
        except Exception as error:  # noqa: BLE001 - a trace may hold what was sent: its kind alone is noted
            notes["problem"] = f"internal-{type(error).__name__}"
        line: JsonObject = {
            "method": scope["method"] if scope["method"].isalpha() and len(scope["method"]) < 10 else "?",
            "route": notes.get("route", ""),
            "status": status,
            "ms": round((time.monotonic() - started) * 1000, 1),
        }
        if notes.get("problem"):
            line["problem"] = notes["problem"]
        self._log(line)

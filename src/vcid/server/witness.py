"""A witness as an HTTP service: C2SP tlog-witness to the letter, and our extension for one that replays.

Two witnesses may be served, each with a key and a memory of its own, since one key makes one statement:

    POST /add-checkpoint                 the plain witness: tlog-witness, "add-checkpoint"
    GET  /<origin hash>/checkpoint       what it cosigned last ("Monitor Retrieval Mechanism")
    GET  /<origin hash>/evidence         the first evidence it met that the log shows two versions of itself
    POST /replaying/add-checkpoint       the replaying witness, sent the new leaves too
    POST /replaying/add-succession       a statement, signed by both logs, that one succeeds the other
    GET  /replaying/<origin hash>/…      as above

The statuses are the specification's: 400 for what can't be read or an old size past the checkpoint's, 403
without a signature of the log's, 404 for an unknown log, 409 with the known size where the old size is
another, 422 for a checkpoint that contradicts what is known; there the body begins with the reason's code.
A log is told nothing else, and nobody else than a log's key is asked for: only signed checkpoints are worked
on. Their leaves are replayed as they arrive, each piece within a time of its own and all within another.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from itertools import chain
from typing import TYPE_CHECKING, Final, Protocol

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import Route

from vcid.errors import Coded, Conflict, Malformed, Unavailable, VcidError
from vcid.ledger.notes import Checkpoint, Note
from vcid.ledger.witness_requests import MAX_REQUEST_BYTES, SIZE, WITH_ENTRIES, AddCheckpoint, PieceReader
from vcid.server.app import Noted, note_request, write_log

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence

    from starlette.requests import Request
    from starlette.types import ASGIApp

    from vcid.encoding.json import JsonObject
    from vcid.ledger.notes import NoteKey
    from vcid.ledger.witness import ReplayingWitness

REPLAYING: Final = "/replaying"
"""The prefix of the replaying witness."""

_TEXT: Final = "text/plain; charset=utf-8"
_STATUSES: Final = {
    "unknown-log": HTTPStatus.NOT_FOUND,
    "unsigned": HTTPStatus.FORBIDDEN,
    "old-size": HTTPStatus.BAD_REQUEST,
    "size": HTTPStatus.CONFLICT,
}
_DRAINED: Final = 1 << 22


class ServedWitness(Protocol):
    """What a witness in this process does for the service."""

    @property
    def key(self) -> NoteKey:
        """The key that verifies its cosignatures."""

    def checkpoint(self, origin: str) -> bytes | None:
        """The newest checkpoint of a log that it cosigned."""

    def evidence(self, origin: str) -> list[bytes]:
        """The evidence met that a log showed two versions of itself."""

    def add_checkpoint(
        self, old_size: int, proof: Sequence[bytes], note: bytes, entries: Iterable[bytes]
    ) -> bytes:
        """Check a checkpoint and give a cosignature line."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessLimits:
    """How the service is guarded.

    Attributes:
        piece_seconds: how long the next piece of a body may be waited for.
        total_seconds: how long a body may take to arrive.
        threads: how many requests are worked on at once.
    """

    piece_seconds: float = 15.0
    total_seconds: float = 900.0
    threads: int = 4


def create_witness_app(
    origins: Iterable[str],
    *,
    replaying: ReplayingWitness | None = None,
    plain: ServedWitness | None = None,
    limits: WitnessLimits | None = None,
    log: Callable[[JsonObject], None] = write_log,
) -> ASGIApp:
    """Make the application.

    Args:
        origins: the logs that the witnesses know.
        replaying: the witness that replays leaves.
        plain: the witness of growth alone.
        limits: how it is guarded.
        log: takes one line for each request, with its route and status and nothing of whom or what.

    Raises:
        ValueError: there is no witness, or both have one key or name: a policy counts witnesses by name.
    """
    keys = [witness.key for witness in (replaying, plain) if witness is not None]
    if not len({key.public_key for key in keys}) == len({key.name for key in keys}) == len(keys) > 0:
        raise ValueError("at least one witness is served, each with a key and a name of its own")
    hashes = {sha256(origin.encode()).hexdigest(): origin for origin in origins}
    limits = limits or WitnessLimits()
    routes: list[Route] = []
    if replaying is not None:
        desk = _Desk(replaying, hashes, limits)
        routes += desk.routes(REPLAYING, desk.add_with_entries)
        add = partial(desk.add_succession, replaying)
        routes.append(Route(f"{REPLAYING}/add-succession", add, methods=["POST"]))
    if plain is not None:
        desk = _Desk(plain, hashes, limits)
        routes += desk.routes("", desk.add)
    handlers = {HTTPException: _refuse_route, Exception: _answer_failure}
    return Noted(Starlette(routes=routes, exception_handlers=handlers), log)  # type: ignore[arg-type]  # Starlette types handlers by Exception


class _Desk:
    """Takes requests to one witness."""

    def __init__(self, witness: ServedWitness, hashes: dict[str, str], limits: WitnessLimits) -> None:
        self._witness = witness
        self._hashes = hashes
        self._limits = limits
        self._threads: dict[str, anyio.CapacityLimiter] = {}

    def routes(self, prefix: str, add: Callable[..., object]) -> list[Route]:
        """The routes of a witness below its prefix."""
        return [
            Route(f"{prefix}/add-checkpoint", add, methods=["POST"]),
            Route(f"{prefix}/{{origin_hash}}/checkpoint", self.checkpoint),
            Route(f"{prefix}/{{origin_hash}}/evidence", self.evidence),
        ]

    async def add(self, request: Request) -> Response:
        """Cosign a checkpoint."""
        note_request(request, route="/add-checkpoint")
        return await self._work(request, self._add_plain)

    async def add_with_entries(self, request: Request) -> Response:
        """Replay leaves and cosign a checkpoint."""
        note_request(request, route=f"{REPLAYING}/add-checkpoint")
        if request.headers.get("content-type") != WITH_ENTRIES:
            return _respond(HTTPStatus.BAD_REQUEST, "content-type\n")
        return await self._work(request, self._add_with_entries)

    async def add_succession(self, witness: ReplayingWitness, request: Request) -> Response:
        """Let a log end, by a statement that it signed itself."""
        note_request(request, route=f"{REPLAYING}/add-succession")

        def add(pieces: Iterator[bytes]) -> Response:
            return _answer(request, partial(witness.add_succession, _whole(pieces)))

        return await self._work(request, lambda _, pieces: add(pieces))

    async def checkpoint(self, request: Request) -> Response:
        """Give the newest checkpoint cosigned."""
        note_request(request, route="/{origin hash}/checkpoint")
        return await self._give(request, self._witness.checkpoint)

    async def evidence(self, request: Request) -> Response:
        """Give the evidence that a log shows two versions of itself."""
        note_request(request, route="/{origin hash}/evidence")
        return await self._give(request, lambda origin: next(iter(self._witness.evidence(origin)), None))

    async def _give(self, request: Request, read: Callable[[str], bytes | None]) -> Response:
        origin = self._hashes.get(request.path_params["origin_hash"])

        def give(_pieces: Iterator[bytes]) -> Response:
            content = read(origin) if origin is not None else None
            if content is None:
                return _respond(HTTPStatus.NOT_FOUND, "not-found\n")
            return _respond(HTTPStatus.OK, content)

        return await self._work(request, lambda _, pieces: give(pieces))

    async def _work(self, request: Request, work: Callable[[Request, Iterator[bytes]], Response]) -> Response:
        """Do a witness's work in a thread, which is given the body piece by piece as it arrives."""
        # Nobody who is slow to say what is asked holds a thread; leaves are read once a log's key has signed.
        stream, held = request.stream(), bytearray()
        end = time.monotonic() + self._limits.total_seconds
        try:
            with anyio.fail_after(min(self._limits.piece_seconds, self._limits.total_seconds)):
                while not _is_asked(request, held) and (piece := await anext(stream, None)) is not None:
                    held += piece
        except TimeoutError as error:
            failure = error

            def give_up() -> Response:
                raise failure

            return _answer(request, give_up)
        pieces = chain([bytes(held)], self._pieces(stream, end))
        response = await anyio.to_thread.run_sync(
            partial(_answer_errors, request, work, pieces), limiter=self._limiter(request.method)
        )
        if response.status_code != HTTPStatus.OK:
            await self._drain(stream)
        return response

    def _limiter(self, method: str) -> anyio.CapacityLimiter:
        """Whoever reads waits for no writer."""
        return self._threads.setdefault(method, anyio.CapacityLimiter(self._limits.threads))

    def _pieces(self, stream: AsyncIterator[bytes], end: float) -> Iterator[bytes]:
        async def fetch() -> bytes | None:
            with anyio.fail_after(max(min(self._limits.piece_seconds, end - time.monotonic()), 0)):
                return await anext(stream, None)

        while (piece := anyio.from_thread.run(fetch)) is not None:
            yield piece

    async def _drain(self, stream: AsyncIterator[bytes]) -> None:
        """Read a little further what nobody needs: who still sends would else not see the answer."""
        left = _DRAINED
        with anyio.move_on_after(1):
            async for piece in stream:
                left -= len(piece)
                if left < 0:
                    return

    def _add_plain(self, request: Request, pieces: Iterator[bytes]) -> Response:
        asked = AddCheckpoint.parse(_whole(pieces))
        return self._add(request, asked, ())

    def _add_with_entries(self, request: Request, pieces: Iterator[bytes]) -> Response:
        reader = PieceReader(pieces)
        asked = reader.request()
        return self._add(request, asked, reader.leaves())

    def _add(self, request: Request, asked: AddCheckpoint, entries: Iterable[bytes]) -> Response:
        try:
            line = self._witness.add_checkpoint(asked.old_size, asked.proof, asked.note, entries)
        except Conflict as error:
            if error.code != "size":
                raise
            note_request(request, problem="size")
            return _respond(HTTPStatus.CONFLICT, f"{self._known_size(asked.note)}\n", SIZE)
        return _respond(HTTPStatus.OK, line)

    def _known_size(self, note: bytes) -> int:
        known = self._witness.checkpoint(Note.parse(note).text.partition("\n")[0])
        return Checkpoint.parse(Note.parse(known).text).size if known else 0


def _is_asked(request: Request, held: bytearray) -> bool:
    """Whether enough of a body has come: all of a plain request, or what stands before leaves."""
    if request.method != "POST" or len(held) > MAX_REQUEST_BYTES:
        return True
    if not request.scope["path"].endswith(f"{REPLAYING}/add-checkpoint") or len(held) < 4:
        return False
    return len(held) >= min(4 + int.from_bytes(held[:4]), MAX_REQUEST_BYTES)


def _whole(pieces: Iterator[bytes]) -> bytes:
    data = bytearray()
    for piece in pieces:
        data += piece
        if len(data) > MAX_REQUEST_BYTES:
            raise Malformed("too-large", f"a body of at most {MAX_REQUEST_BYTES} bytes")
    return bytes(data)


def _answer_errors(
    request: Request, work: Callable[[Request, Iterator[bytes]], Response], pieces: Iterator[bytes]
) -> Response:
    return _answer(request, partial(work, request, pieces))


def _answer(request: Request, work: Callable[[], bytes | Response]) -> Response:
    """Turn what a witness says into an answer."""
    try:
        done = work()
    except TimeoutError:
        status, code = HTTPStatus.REQUEST_TIMEOUT, "too-slow"
    except Conflict as error:
        status, code = _STATUSES.get(error.code, HTTPStatus.UNPROCESSABLE_ENTITY), error.code
    except Unavailable as error:
        status, code = HTTPStatus.SERVICE_UNAVAILABLE, error.code
    except Coded as error:
        status, code = HTTPStatus.BAD_REQUEST, error.code
    except VcidError:
        status, code = HTTPStatus.SERVICE_UNAVAILABLE, "unavailable"
    else:
        return done if isinstance(done, Response) else _respond(HTTPStatus.OK, done)
    note_request(request, problem=code)
    return _respond(status, f"{code}\n")


def _respond(status: int, content: bytes | str, content_type: str = _TEXT) -> Response:
    headers = {"content-type": content_type, "x-content-type-options": "nosniff", "cache-control": "no-store"}
    return Response(content, status_code=status, headers=headers)


def _refuse_route(_request: Request, error: HTTPException) -> Response:
    return _respond(error.status_code, "no-such-endpoint\n")


def _answer_failure(_request: Request, _error: Exception) -> Response:
    return _respond(HTTPStatus.INTERNAL_SERVER_ERROR, "internal\n")

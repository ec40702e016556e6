"""A witness at the other end of HTTP, as a log sees it: C2SP tlog-witness, and leaves for one that replays.

Nothing that it answers is believed before it verifies. An answer is bounded in bytes and a whole exchange in
time, no redirect is followed and no proxy of the environment used.
"""

from __future__ import annotations

import re
import ssl
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from typing import TYPE_CHECKING, Final, NoReturn, Protocol
from urllib.parse import urlsplit

from vcid.errors import Conflict, InvalidProof, Malformed, Unavailable
from vcid.ledger.deadlines import deadline, read_body
from vcid.ledger.notes import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    NoteSignature,
    decode_decimal,
    decode_text,
)
from vcid.ledger.witness_requests import WITH_ENTRIES, AddCheckpoint, OtherSize

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from urllib.parse import SplitResult

    from vcid.ledger.notes import NoteKey

MAX_ANSWER_BYTES: Final = MAX_NOTE_BYTES
"""The longest answer read: a checkpoint with all its signatures."""

_CHUNK: Final = 1 << 16
_CODE: Final = re.compile(r"[a-z][a-z0-9-]{0,39}")
_OTHER_SIZE: Final = 409
_REFUSALS: Final = {403: "unsigned", 404: "unknown-log", _OTHER_SIZE: "size"}
_TEXT: Final = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True)
class Answer:
    """A witness's answer: the status of HTTP and the body."""

    status: int
    body: bytes


class WitnessTransport(Protocol):
    """Carries requests to one witness."""

    def get(self, path: str) -> Answer:
        """Fetch what stands at a path below the monitoring prefix.

        Raises:
            Unavailable: there is no answer.
            LimitExceeded: it is longer than ``MAX_ANSWER_BYTES``.
        """

    def post(self, path: str, content_type: str, body: Iterable[bytes]) -> Answer:
        """Send a body, in pieces, to a path below the submission prefix; raises as ``get``."""


class HttpWitnessTransport:
    """A witness's address. Each request has a connection of its own, so threads may share it.

    Args:
        prefix: the submission prefix, such as ``https://witness.example/w1``.
        monitoring: the monitoring prefix, where that is another one.
        timeout: how many seconds a request and its answer may take altogether.
        context: TLS settings; the system's by default.

    Raises:
        ValueError: a prefix is no plain http or https URL.
    """

    __slots__ = ("_context", "_monitoring", "_submission", "_timeout")

    def __init__(
        self,
        prefix: str,
        *,
        monitoring: str | None = None,
        timeout: float = 60.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._submission = urlsplit(prefix.rstrip("/"))
        self._monitoring = urlsplit((monitoring or prefix).rstrip("/"))
        for parts in (self._submission, self._monitoring):
            plain = not (parts.query or parts.fragment or "@" in parts.netloc)
            if parts.scheme not in {"http", "https"} or not parts.hostname or not plain:
                raise ValueError("a witness's prefix is an http or https URL with a host, and no query")
        self._timeout = timeout
        self._context = context

    def get(self, path: str) -> Answer:
        """Fetch what stands at a path; see ``WitnessTransport.get``."""
        return self._exchange("GET", self._monitoring, path, {}, None)

    def post(self, path: str, content_type: str, body: Iterable[bytes]) -> Answer:
        """Send a body; see ``WitnessTransport.post``."""
        headers = {"Content-Type": content_type, "Transfer-Encoding": "chunked"}
        return self._exchange("POST", self._submission, path, headers, _chunks(body))

    def _exchange(
        self,
        method: str,
        prefix: SplitResult,
        path: str,
        headers: dict[str, str],
        body: Iterator[bytes] | None,
    ) -> Answer:
        connection = self._connect(prefix)
        try:
            with deadline(connection, self._timeout, MAX_ANSWER_BYTES):
                try:
                    url = f"{prefix.path}/{path}"
                    connection.request(method, url, body, headers, encode_chunked=body is not None)
                except (BrokenPipeError, ConnectionResetError):
                    # A witness that refuses answers before it was sent everything.
                    if connection.sock is None:
                        raise
                answer = connection.getresponse()
                return Answer(answer.status, read_body(answer, MAX_ANSWER_BYTES, "answer"))
        except (OSError, HTTPException, EOFError) as error:
            raise Unavailable(f"the witness can't be reached ({type(error).__name__})") from error
        finally:
            connection.close()

    def _connect(self, prefix: SplitResult) -> HTTPConnection:
        host, port = prefix.hostname or "", prefix.port
        if prefix.scheme == "http":
            return HTTPConnection(host, port, timeout=self._timeout)
        context = self._context or ssl.create_default_context()
        return HTTPSConnection(host, port, timeout=self._timeout, context=context)


def _chunks(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Join small pieces, so that not every leaf is a packet of its own."""
    held = bytearray()
    for piece in pieces:
        held += piece
        if len(held) >= _CHUNK:
            yield bytes(held)
            held.clear()
    if held:
        yield bytes(held)


class HttpWitness:
    """A witness reached through a transport; stands wherever a ``Witness`` is asked for.

    Args:
        key: the key that verifies its cosignatures, known from elsewhere.
        transport: how it is reached.
        replays: whether it is sent the new leaves; a plain C2SP witness is not.
    """

    __slots__ = ("_key", "_replays", "_transport")

    def __init__(self, key: NoteKey, transport: WitnessTransport, *, replays: bool = True) -> None:
        self._key = key
        self._transport = transport
        self._replays = replays

    @property
    def key(self) -> NoteKey:
        """The key that verifies its cosignatures."""
        return self._key

    @property
    def replays(self) -> bool:
        """Whether it reads the leaves, and so vouches for heads."""
        return self._replays

    def checkpoint(self, origin: str) -> bytes | None:
        """The newest checkpoint of a log that it says it cosigned (tlog-witness, "Monitor Retrieval").

        Raises:
            Unavailable: it does not answer.
        """
        answer = self._transport.get(f"{sha256(origin.encode()).hexdigest()}/checkpoint")
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise Unavailable(f"the witness answers with status {answer.status}", code="http-status")
        return answer.body

    def add_checkpoint(
        self, old_size: int, proof: Sequence[bytes], note: bytes, entries: Iterable[bytes]
    ) -> bytes:
        """Have a checkpoint cosigned (tlog-witness, "add-checkpoint").

        Returns:
            Of the lines that the witness answers, the one by its key.

        Raises:
            Conflict: the witness refuses; ``size`` if it knows another size than ``old_size``, and
                ``OtherSize`` if it says which.
            Malformed: it does not understand the request, or answers no cosignature by its key.
            InvalidProof: its cosignature states no time, which an answer may not leave out.
            Unavailable: it does not answer.
        """
        request = AddCheckpoint(old_size, tuple(proof), note)
        if self._replays:
            answer = self._transport.post("add-checkpoint", WITH_ENTRIES, request.with_entries(entries))
        else:
            answer = self._transport.post("add-checkpoint", _TEXT, [request.encode()])
        return self._line(answer)

    def add_succession(self, data: bytes) -> bytes:
        """Have a statement cosigned that one log succeeds another; our extension, raises as the above."""
        return self._line(self._transport.post("add-succession", _TEXT, [data]))

    def _line(self, answer: Answer) -> bytes:
        if answer.status != 200:
            _raise_refusal(answer)
        lines = decode_text(answer.body, max_bytes=MAX_ANSWER_BYTES).removesuffix("\n").split("\n")
        for line in lines[:MAX_SIGNATURES]:
            found = NoteSignature.parse(line)
            if (found.name, found.key_id) == (self._key.name, self._key.key_id):
                if not any(found.signature[:8]):
                    raise InvalidProof("time-unknown", "a witness's answer states a time")
                return f"{found.line}\n".encode()
        raise Malformed("cosignature", "a line by the witness's key")


def _raise_refusal(answer: Answer) -> NoReturn:
    """Turn a refusal into the error that a witness in this process would have raised."""
    said = answer.body[:100].decode("ascii", "replace").partition("\n")[0].partition(":")[0]
    if answer.status == _OTHER_SIZE:
        with suppress(Malformed):
            raise OtherSize(decode_decimal(answer.body[:100].decode("ascii", "replace").removesuffix("\n")))
    if answer.status in _REFUSALS:
        raise Conflict(_REFUSALS[answer.status], "the witness refuses the checkpoint")
    if answer.status == 422:
        code = said if _CODE.fullmatch(said) and said != "size" else "inconsistent"
        raise Conflict(code, "the witness refuses the checkpoint")
    if answer.status == 400:
        raise Malformed("refused-request", "a request that the witness understands")
    raise Unavailable(f"the witness answers with status {answer.status}", code="http-status")

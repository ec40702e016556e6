"""Tiles over HTTP: an ordinary web server serves them, and a hostile one costs no more than a bounded wait."""

import gzip
import socket
import threading
import time
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest

from ledger.tile_scene import TileScene
from vcid.errors import Conflict, LimitExceeded, Unavailable
from vcid.ledger.tile_http import HttpTransport
from vcid.ledger.tiles import TileReader


class Quiet(SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        """Say nothing."""


class Answering(BaseHTTPRequestHandler):
    """Answers every GET by a function of the handler."""

    protocol_version = "HTTP/1.1"

    def __init__(self, answer, *arguments):
        self.answer = answer
        super().__init__(*arguments)

    def do_GET(self):
        self.answer(self)

    def log_message(self, *arguments):
        """Say nothing."""


@pytest.fixture
def serve(own_server):
    """Start servers on ports of their own, and stop them in the end."""
    servers = []

    def start(handler):
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        server.daemon_threads = True
        own_server(server.server_port)
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        servers.append(server)
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def answering(serve):
    """A transport to a server that answers as told."""
    transports = []

    def start(answer, timeout=5.0):
        transport = HttpTransport(serve(partial(Answering, answer)), timeout=timeout)
        transports.append(transport)
        return transport

    yield start
    for transport in transports:
        transport.close()


def reply(handler, body, *, status=200, length=None, **headers):
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body) if length is None else length))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def scene(tmp_path):
    """A log of several bundles."""
    scene = TileScene(tmp_path / "site" / "log")
    scene.grow(300, list_id="first")
    return scene


def test_any_web_server_will_do(scene, serve):
    """Python's own file server gives a log that reads as from the folder, below any prefix."""
    transport = HttpTransport(serve(partial(Quiet, directory=scene.folder.parent)) + "/log/")
    reader = TileReader.open(transport, scene.key)
    assert reader.head(scene.topic()) == scene.ledger.head(scene.topic())
    scene.grow(300)
    assert reader.refresh() == scene.view
    transport.close()


def test_an_altered_tile_is_refused_over_http_too(scene, serve):
    """The server is believed no more than a stick."""
    scene.flip("tile/entries/000", -1)
    transport = HttpTransport(serve(partial(Quiet, directory=scene.folder)))
    with pytest.raises(Conflict, match="corrupt"):
        TileReader.open(transport, scene.key)
    transport.close()


@pytest.mark.parametrize("status", [404, 410, 403])
def test_what_is_not_there_is_not_found(answering, status):
    """The answers of servers and object stores for a missing file make the full tile be tried."""
    transport = answering(lambda handler: reply(handler, b"", status=status))
    with pytest.raises(Unavailable) as refused:
        transport.get("tile/0/000", 10)
    assert refused.value.code == "not-found"


@pytest.mark.parametrize("status", [500, 503, 301, 302, 204, 206])
def test_any_other_answer_is_no_file(answering, status):
    """Neither an error nor a redirect, a part or nothing is taken for the file."""
    elsewhere = "http://127.0.0.1:1/tile/0/000"
    transport = answering(lambda handler: reply(handler, b"", status=status, Location=elsewhere))
    with pytest.raises(Unavailable) as refused:
        transport.get("tile/0/000", 10)
    assert refused.value.code == "unavailable"


def test_gzip_is_read_whether_asked_for_or_not(answering):
    """A server may compress without negotiation."""
    transport = answering(
        lambda handler: reply(handler, gzip.compress(b"hashes", mtime=0), Content_Encoding="gzip")
    )
    assert transport.get("checkpoint", 100) == b"hashes"


def test_a_bomb_is_not_unpacked(answering):
    """A megabyte that unpacks to a gigabyte stops at the limit."""
    bomb = gzip.compress(bytes(50 << 20))
    transport = answering(lambda handler: reply(handler, bomb, Content_Encoding="gzip"))
    with pytest.raises(LimitExceeded, match="too-large"):
        transport.get("checkpoint", 100_000)


@pytest.mark.parametrize(
    "body",
    [b"no gzip", gzip.compress(b"hashes", mtime=0)[:-3], gzip.compress(b"hashes", mtime=0) + b"more", b""],
)
def test_broken_compression_is_refused(answering, body):
    """What is cut or has something behind its end is not taken for the file."""
    transport = answering(lambda handler: reply(handler, body, Content_Encoding="gzip"))
    with pytest.raises(Unavailable):
        transport.get("checkpoint", 100)


def test_an_unknown_encoding_is_refused(answering):
    """Only what was asked for is read."""
    transport = answering(lambda handler: reply(handler, b"hashes", Content_Encoding="br"))
    with pytest.raises(Unavailable, match="encoding"):
        transport.get("checkpoint", 100)


def test_an_endless_body_is_not_read(answering):
    """Reading stops at the limit, whatever length is stated."""

    def pour(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(1 << 40))
        handler.end_headers()
        try:
            while True:
                handler.wfile.write(bytes(65536))
        except OSError:
            handler.close_connection = True

    with pytest.raises(LimitExceeded, match="too-large"):
        answering(pour).get("checkpoint", 100_000)


def test_a_cut_body_is_refused(answering):
    """Less than the stated length is no file."""

    def cut(handler):
        reply(handler, b"half", length=8)
        handler.close_connection = True

    with pytest.raises(Unavailable):
        answering(cut).get("checkpoint", 100)


CHUNKED = b"HTTP/1.1 200 OK\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n"
SLOW = {
    "header": (b"HTTP/1.1 200 OK\r\nX-Slow: ", b"a"),
    "body": (b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", b"a"),
    "body, then closing": (b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1000\r\n\r\n", b"a"),
    "body of HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\n", b"a"),
    "chunks": (CHUNKED, b"1\r\na\r\n"),
    "trailer": (CHUNKED + b"0\r\n", b"X: y\r\n"),
    "interim answers": (b"", b"HTTP/1.1 100 Continue\r\n\r\n"),
}


@pytest.mark.parametrize(("head", "dripped"), SLOW.values(), ids=SLOW)
def test_a_slow_server_holds_nobody(answering, head, dripped):
    """A byte now and then keeps no request alive beyond its time, also where the connection then closes."""
    stop = threading.Event()

    def drip(handler):
        handler.close_connection = True
        handler.wfile.write(head)
        for _ in range(200):
            stop.wait(0.05)
            try:
                handler.wfile.write(dripped)
                handler.wfile.flush()
            except OSError:
                return

    start = time.monotonic()
    with pytest.raises(Unavailable):
        answering(drip, timeout=0.4).get("checkpoint", 10_000)
    stop.set()
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("tail", [b"0\r\n", b""])
def test_framing_is_bounded_too(answering, tail):
    """Neither a trailer nor interim answers without end are read for as long as the deadline allows."""

    def pour(handler):
        handler.close_connection = True
        try:
            handler.wfile.write(CHUNKED + tail if tail else b"")
            while True:
                handler.wfile.write((b"X: y\r\n" if tail else b"HTTP/1.1 100 Continue\r\n\r\n") * 1000)
        except OSError:
            return

    with pytest.raises(LimitExceeded, match="too-large"):
        answering(pour).get("checkpoint", 1000)


@pytest.mark.parametrize("framed", ["chunks", "length"])
def test_a_connection_is_used_again(answering, framed):
    """A server may frame its files by a length, or by chunks and a trailer."""
    connections = set()

    def answer(handler):
        connections.add(handler.client_address)
        if framed == "length":
            reply(handler, b"hashes")
            return
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"3\r\nhas\r\n3\r\nhes\r\n0\r\nX: y\r\n\r\n")

    transport = answering(answer)
    assert [transport.get("checkpoint", 100) for _ in range(3)] == [b"hashes"] * 3
    assert len(connections) == 1


def test_a_connection_that_the_server_closed_is_opened_again(answering):
    """A kept connection that has gone is no failure."""

    def once(handler):
        reply(handler, b"hashes")
        handler.close_connection = True

    transport = answering(once)
    assert [transport.get("checkpoint", 100) for _ in range(3)] == [b"hashes"] * 3


def test_a_server_that_is_down_is_unavailable(own_server):
    """Nobody listens: the error is typed."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own_server(port)
    with pytest.raises(Unavailable):
        HttpTransport(f"http://127.0.0.1:{port}").get("checkpoint", 10)


@pytest.mark.parametrize(
    "prefix",
    [
        "ftp://a",
        "http://",
        "https://a?b",
        "https://a#b",
        "https://u:p@a",
        "/tmp",
        "https://a/b c",
        "https://a/\r\nX: y",
    ],
)
def test_other_prefixes_are_misuse(prefix):
    """A prefix is a plain URL, without credentials, query or anything to smuggle a header by."""
    with pytest.raises(ValueError):
        HttpTransport(prefix)


def test_only_a_logs_files_are_asked_for(answering):
    """A path of another kind never reaches the server."""
    transport = answering(lambda handler: reply(handler, b"secret"))
    with pytest.raises(ValueError, match="tlog-tiles"):
        transport.get("../secret", 100)

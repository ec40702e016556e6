"""Asking a node: what is no answer is refused by a typed error, and HTTP is bounded in bytes and in time."""

import json
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.evm_node import Altering, refusal, result
from vcid.errors import LimitExceeded, Malformed, Unavailable, VcidError
from vcid.ledger.evm_http import HttpTransport
from vcid.ledger.evm_rpc import ErrorAnswer, Node, read_data, read_quantity


class Saying:
    """A transport that says one thing."""

    def __init__(self, data):
        self.data = data

    def post(self, body):
        json.loads(body)
        return self.data


def answering(alter):
    return Node(Altering(None, **dict.fromkeys(["eth_call", "eth_chainId", "eth_getBlockByNumber"], alter)))


@given(data=st.binary(max_size=300))
def test_any_bytes_raise_typed_errors(data):
    """No answer of random bytes is one, and none ends in another error."""
    with pytest.raises(VcidError):
        Node(Saying(data)).call("eth_chainId")


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.text(max_size=6)
    | st.sampled_from(["0x1", "0x", "2.0"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["jsonrpc", "id", "result", "error", "code", "message", "number", "hash", "timestamp"]
            ),
            inner,
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(value=JSON_VALUES, shaped=st.booleans())
def test_any_json_raises_typed_errors(value, shaped):
    """Nor does an answer of any shape, around or within a well-formed one."""
    answer = {"jsonrpc": "2.0", "id": 1, "result": value} if shaped else value
    node = Node(Saying(json.dumps(answer).encode()))
    try:
        assert node.block("latest") is None
    except VcidError:
        return
    assert answer["result"] is None


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (1, "rpc-quantity"),
        (None, "rpc-quantity"),
        ("1", "rpc-quantity"),
        ("0x", "rpc-quantity"),
        ("0x01", "rpc-quantity"),
        ("-0x1", "rpc-quantity"),
        ("0x1_0", "rpc-quantity"),
        ("0x١", "rpc-quantity"),
        ("0x" + "f" * 65, "rpc-quantity"),
    ],
)
def test_quantities_have_one_spelling(value, code):
    """As the API says: no leading zeros, no sign, no other digits, at most 256 bits."""
    with pytest.raises(Malformed) as refused:
        answering(result(value)).quantity("eth_chainId")
    assert refused.value.code == code
    assert read_quantity("0x0") == 0
    assert read_quantity("0x" + "f" * 64) == (1 << 256) - 1
    with pytest.raises(Malformed):
        read_quantity("0x8000000000000000", bits=63)


@pytest.mark.parametrize("value", [None, 1, "", "00", "0x0", "0x0g", "0X00", "0x00 ", ["0x00"]])
def test_data_is_whole_bytes(value):
    """Two hex digits each behind 0x; and of the length that is asked for."""
    with pytest.raises(Malformed, match="rpc-data"):
        answering(result(value)).data("eth_call")
    assert read_data("0xAb") == b"\xab"
    with pytest.raises(Malformed, match="32 bytes"):
        read_data("0xAb", length=32)


@pytest.mark.parametrize(
    ("message", "number", "kind"),
    [
        ("nonce too low: next nonce 5, tx nonce 4", -32000, "nonce-used"),
        ("Nonce too low", -32001, "nonce-used"),
        ("already known", -32000, "known"),
        ("Known transaction", -32000, "known"),
        ("replacement transaction underpriced", -32000, "underpriced"),
        ("Replacement transaction underpriced", -32004, "underpriced"),
        ("insufficient funds for gas * price + value", -32000, "no-funds"),
        ("Upfront cost exceeds account balance", -32004, "no-funds"),
        ("execution reverted", 3, "reverted"),
        ("", 3, "reverted"),
        ("VM Exception: revert", -32000, "reverted"),
        ("header not found", -32000, ""),
    ],
)
def test_errors_are_told_apart_by_the_words_of_known_nodes(message, number, kind):
    """The node's own words are not repeated: they are a stranger's."""
    with pytest.raises(ErrorAnswer) as answered:
        answering(refusal(message, number, data="0xaabb")).call("eth_call")
    assert (answered.value.kind, answered.value.number) == (kind, number)
    assert answered.value.data == b"\xaa\xbb"
    assert answered.value.code == "rpc-error"
    assert not message or message not in str(answered.value)


@pytest.mark.parametrize("error", [None, 1, "no", [], {}, {"code": "3"}, {"code": True}, {"code": None}])
def test_an_error_has_a_number(error):
    """Anything else is no answer."""

    def alter(request, ask):
        return {"jsonrpc": "2.0", "id": request["id"], "error": error}

    with pytest.raises(Malformed, match="rpc-error"):
        answering(alter).call("eth_call")


@pytest.mark.parametrize("number", ["0x8", 7, None])
def test_a_block_of_another_height_is_refused(number):
    """Who asks for block 7 gets block 7, or learns that there is none."""
    block = {"number": number, "hash": "0x" + "11" * 32, "timestamp": "0x1"}
    with pytest.raises(Malformed):
        answering(result(block)).block(7)
    assert answering(result(block | {"number": "0x7"})).block(7).number == 7
    assert answering(result(None)).block(7) is None


def test_a_transport_gives_bytes():
    """Another type is a fault of the program, not of the node."""
    with pytest.raises(TypeError):
        Node(Saying("text")).call("eth_chainId")


@contextmanager
def server(allow, respond):
    """A web server on this machine that does as it is told."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self.close_connection = True
            respond(self, body)

        def log_message(self, *arguments):
            pass

    running = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    allow(running.server_port)
    thread = threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{running.server_port}/v3/secret?key=hidden"
    finally:
        running.shutdown()
        thread.join()
        running.server_close()


def write(handler, status, body, *, length=None, **headers):
    handler.send_response(status)
    for name, value in ({"Content-Length": length or len(body)} | headers).items():
        handler.send_header(name, str(value))
    handler.end_headers()
    handler.wfile.write(body)


def test_requests_are_carried(own_server):
    """With their path, query and headers; the answer comes back."""
    seen = []

    def respond(handler, body):
        seen.append((handler.path, handler.headers["Authorization"], handler.headers["Content-Type"], body))
        write(handler, 200, b"answer")

    with server(own_server, respond) as url:
        transport = HttpTransport(url, headers={"Authorization": "Bearer x"})
        assert transport.post(b"question") == b"answer"
    assert seen == [("/v3/secret?key=hidden", "Bearer x", "application/json", b"question")]


def redirect(handler, body):
    write(handler, 302, b"", Location="http://127.0.0.1:1/")


def too_long(handler, body):
    write(handler, 200, b"x" * 200)


def cut(handler, body):
    write(handler, 200, b"x" * 10, length=50)


def forever(handler, body):
    handler.send_response(200)
    handler.end_headers()
    for _ in range(500):
        try:
            handler.wfile.write(b"x")
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.02)


def slow_headers(handler, body):
    for _ in range(50):
        try:
            handler.wfile.write(b"HTTP/1.1 200 OK"[:1])
            handler.wfile.flush()
        except OSError:
            return
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("respond", "error"),
    [
        (redirect, Unavailable),
        (too_long, LimitExceeded),
        (cut, Unavailable),
        (forever, Unavailable),
        (slow_headers, Unavailable),
        (lambda handler, body: write(handler, 500, b"secret words"), Unavailable),
        (lambda handler, body: handler.wfile.write(b"no HTTP at all\r\n\r\n"), Unavailable),
        (lambda handler, body: None, Unavailable),
    ],
)
def test_a_bad_server_is_unavailable_soon(own_server, respond, error):
    """Whatever it does, within the time and the size; and no error repeats the address."""
    with server(own_server, respond) as url:
        transport = HttpTransport(url, timeout=0.5, max_bytes=100)
        start = time.monotonic()
        with pytest.raises(error) as failed:
            transport.post(b"question")
        assert time.monotonic() - start < 8
    assert "secret" not in str(failed.value)
    assert "hidden" not in repr(failed.value) + repr(transport)


def test_nobody_there(own_server):
    """A closed port is unavailable."""
    with server(own_server, too_long) as url:
        pass
    with pytest.raises(Unavailable, match="can't be reached"):
        HttpTransport(url).post(b"")


@pytest.mark.parametrize(
    "url", ["", "file:///etc/passwd", "ftp://x", "http://", "//x", "http://user:word@node.example/"]
)
def test_an_address_is_that_of_a_web_server(url):
    """Anything else is a mistake in a configuration."""
    with pytest.raises(ValueError, match="URL"):
        HttpTransport(url)

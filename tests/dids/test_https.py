"""The HTTPS loader against real TLS servers on loopback: what it accepts, and where it gives up."""

from __future__ import annotations

import gzip
import io
import logging
import os
import threading
import time
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dids.tls_server import HOST, Authority, Server, answer, says
from vcid.dids.https import DocumentCache, HttpsLoader, Limits, Reach, SystemNetwork
from vcid.dids.https_wire import Answer, Deadline, Request, exchange
from vcid.dids.methods import DidWebResolver
from vcid.errors import ResolutionFailed, Unavailable

SECRET = "did-of-a-child"


class Loopback(SystemNetwork):
    """Resolves every name to this machine, and connects for real."""

    def addresses(self, host, port):
        return ["127.0.0.1"]


class Clock:
    """Seconds that a test moves on."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture(scope="module")
def authority():
    return Authority()


@pytest.fixture
def serve(authority, tmp_path, own_server):
    """Start a server with its scripts, and give a loader that reaches it with the server."""
    running = []

    def start(*scripts, host=HOST, days=1, believed=authority, limits=None, **options):
        server = Server(authority.context(host, tmp_path, days=days), scripts).__enter__()
        running.append(server)
        own_server(server.port)
        reach = Reach(ports=frozenset({443, server.port}), private_hosts=frozenset({HOST}))
        options.setdefault("network", Loopback())
        quick = limits or Limits(connect_seconds=2, read_seconds=2, total_seconds=3, max_bytes=100_000)
        loader = HttpsLoader(reach, limits=quick, authorities=believed.pem, **options)
        return loader, server, f"https://{HOST}:{server.port}/{SECRET}/did.json"

    yield start
    for server in running:
        server.__exit__()


def refused(loader, url):
    """The code of the refusal, after a look at whether anything of the URL shows."""
    with pytest.raises(Unavailable) as caught:
        loader.load(url)
    shown = "".join(traceback.format_exception(caught.value)) + repr(loader)
    assert SECRET not in shown
    assert HOST not in shown
    return caught.value.code


def test_a_document_is_brought_with_nothing_about_who_asks(serve):
    """Content, type and URL arrive; the request holds the name asked for and no word about the asker."""
    loader, server, url = serve(says(answer(b'{"a":1}', "Content-Type: application/did+json")))
    loaded = loader.load(url)
    assert (loaded.content, loaded.media_type, loaded.url) == (b'{"a":1}', "application/did+json", url)
    [request] = server.requests
    lines = request.decode().splitlines()
    assert lines[0] == f"GET /{SECRET}/did.json HTTP/1.1"
    assert lines[1] == f"Host: {HOST}:{server.port}"
    assert [line.partition(":")[0] for line in lines[1:-1]] == [
        "Host",
        "Accept",
        "Accept-Encoding",
        "User-Agent",
        "Connection",
    ]


@pytest.mark.parametrize(
    "sent",
    [
        answer(b"{}"),
        answer(b"{}", version="1.0"),
        b"HTTP/1.0 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\n\r\n{}",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\n{\r\n1\r\n}\r\n0\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" + answer(b"{}"),
        answer(b"{}", "Content-Encoding: identity"),
    ],
    ids=["length", "1.0", "1.0-until-closed", "until-closed", "chunked", "continue", "identity"],
)
def test_every_form_of_a_whole_body_is_read(serve, sent):
    """By length, by chunks, and until TLS is closed properly; HTTP/1.0 too."""
    loader, _, url = serve(says(sent))
    assert loader.load(url).content == b"{}"


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        (answer(status="404 Not Found"), "not-found"),
        (answer(status="410 Gone"), "not-found"),
        (answer(status="403 Forbidden"), "status"),
        (answer(status="500 Broken"), "status"),
        (answer(status="206 Partial Content"), "status"),
        (b"HTTP/1.1 304 Not Modified\r\n\r\n", "status"),
        (answer(b"", "Location: https://169.254.169.254/", status="302 Found"), "redirected"),
        (answer(b"", f"Location: https://{HOST}/other", status="301 Moved"), "redirected"),
        (answer(b"", "Location: https://127.0.0.1/", status="307 Moved"), "redirected"),
        (answer(b"", "Location: https://127.0.0.1/", status="308 Moved"), "redirected"),
        (answer(gzip.compress(bytes(10**7)), "Content-Encoding: gzip"), "encoded"),
        (answer(b"{}", "Content-Encoding: identity, br"), "encoded"),
        (answer(b"{}", "Transfer-Encoding: gzip, chunked"), "broken-answer"),
        (answer(bytes(100_001)), "too-large"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(200_000), "too-large"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * 40_000 + b"\r\n\r\n", "too-large"),
        (b"HTTP/1.1 200 OK\r\n" + b"A: a\r\n" * 150 + b"\r\n", "broken-answer"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 5000, "too-large"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "broken-answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -9\r\n\r\n{}", "broken-answer"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{} ", "broken-answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\n{", "broken-answer"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n{", "broken-answer"),
        (b"SSH-2.0-OpenSSH\r\n\r\n", "broken-answer"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "broken-answer"),
        (b"", "broken-answer"),
    ],
)
def test_every_other_answer_is_unavailable(serve, sent, code):
    """Statuses, redirects (to anywhere), compression, sizes and broken HTTP each end with their code."""
    loader, server, url = serve(says(sent))
    assert refused(loader, url) == code
    assert len(server.requests) == 1


def test_a_body_that_was_cut_is_no_document(serve):
    """Where only TLS's own end marks the end, a connection cut without it is an error and not a document."""
    loader, _, url = serve(says(b'HTTP/1.1 200 OK\r\n\r\n{"revoked": fal', close=False))
    assert refused(loader, url) == "broken-answer"


@pytest.mark.parametrize("beginning", [b"", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_slow_server_does_not_outlast_the_deadline(serve, beginning):
    """A byte every tenth of a second keeps each read alive, and the whole ends all the same."""

    def drip(tls):
        tls.sendall(beginning)
        for _ in range(100):
            tls.sendall(b"a")
            time.sleep(0.1)

    loader, _, url = serve(drip, limits=Limits(read_seconds=1, total_seconds=0.3))
    begun = time.monotonic()
    assert refused(loader, url) == "timed-out"
    assert time.monotonic() - begun < 8


def test_a_silent_server_is_left(serve):
    """Silence ends at the limit for reading, long before that for the whole."""
    loader, _, url = serve(lambda tls: time.sleep(0.3), limits=Limits(read_seconds=0.1))
    assert refused(loader, url) == "timed-out"


def test_an_endless_body_is_left(serve):
    """Chunk after chunk of one byte stops at the limit of size."""

    def pour(tls):
        tls.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            tls.sendall(b"1\r\na\r\n" * 1000)

    loader, _, url = serve(pour)
    assert refused(loader, url) == "too-large"


def test_endless_trailers_are_left(serve):
    """After the last chunk, too, every byte counts."""

    def pour(tls):
        tls.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n")
        while True:
            tls.sendall(b"Trailer: a\r\n" * 1000)

    loader, _, url = serve(pour)
    assert refused(loader, url) == "too-large"


def test_another_names_certificate_is_refused(serve):
    """A good certificate for another name: nothing is asked."""
    loader, server, url = serve(says(answer()), host="elsewhere.example")
    assert refused(loader, url) == "tls"
    assert server.requests == []


def test_an_expired_certificate_is_refused(serve):
    """A certificate of yesterday: nothing is asked."""
    loader, server, url = serve(says(answer()), days=-1)
    assert refused(loader, url) == "tls"
    assert server.requests == []


def test_an_unknown_authority_is_refused(serve):
    """A certificate of an authority that the operator did not name: nothing is asked."""
    loader, server, url = serve(says(answer()), believed=Authority())
    assert refused(loader, url) == "tls"
    assert server.requests == []


def test_authorities_are_certificates():
    """What is no PEM is a misuse, told at once; and an empty text does not mean the system's."""
    for text in ("no certificate", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n", ""):
        with pytest.raises(ValueError, match="PEM"):
            HttpsLoader(authorities=text)


def test_a_rebinding_resolver_has_no_second_word(serve):
    """The name is resolved once; the connection goes to the address that was checked, whatever comes next."""
    asked, connected = [], []

    class Rebinding(SystemNetwork):
        def addresses(self, host, port):
            asked.append(host)
            return ["8.8.4.4"] if len(asked) == 1 else ["127.0.0.1"]

        def connect(self, address, port, timeout):
            connected.append(address)
            raise ConnectionRefusedError

    loader, server, url = serve(says(answer()), network=Rebinding())
    assert refused(loader, url) == "unreachable"
    assert (asked, connected, server.requests) == ([HOST], ["8.8.4.4"], [])


def test_the_next_address_is_tried(serve):
    """Of several checked addresses the first that answers serves, and no more than four are tried."""
    tried = []

    class Several(SystemNetwork):
        def __init__(self, addresses):
            self._addresses = addresses

        def addresses(self, host, port):
            return self._addresses

        def connect(self, address, port, timeout):
            tried.append(address)
            if address != "127.0.0.1":
                raise ConnectionRefusedError
            return super().connect(address, port, timeout)

    loader, _, url = serve(says(answer()), network=Several(["::1", "::1", "127.0.0.1"]))
    assert loader.load(url).content == b"{}"
    assert tried == ["::1", "127.0.0.1"]
    loader, _, url = serve(says(answer()), network=Several([f"10.0.0.{number}" for number in range(9)]))
    assert refused(loader, url) == "unreachable"
    assert len(tried) == 2 + 4


def test_etag_round_trip(serve):
    """Fresh: unasked. Stale: asked by its ETag, and 304 renews it. Changed: brought anew."""
    clock = Clock()
    loader, server, url = serve(
        says(answer(b"1", 'ETag: "one"', "Cache-Control: max-age=60")),
        says(b"HTTP/1.1 304 Not Modified\r\nCache-Control: max-age=60\r\n\r\n"),
        says(answer(b"2", 'ETag: "two"')),
        says(answer(status="500 Broken")),
        clock=clock,
        limits=Limits(),
    )
    assert [loader.load(url).content for _ in range(3)] == [b"1"] * 3
    assert len(server.requests) == 1
    clock.now += 60
    assert [loader.load(url).content for _ in range(3)] == [b"1"] * 3
    assert len(server.requests) == 2
    assert b'If-None-Match: "one"\r\n' in server.requests[1]
    clock.now += 60
    assert loader.load(url).content == b"2"
    assert refused(loader, url) == "status"  # stale is never given out, not even for want of better
    assert b'If-None-Match: "two"\r\n' in server.requests[3]


def test_an_unasked_304_is_no_document(serve):
    """What was kept without an ETag can't be confirmed."""
    loader, _, url = serve(says(answer(b"1")), says(b"HTTP/1.1 304 Not Modified\r\n\r\n"))
    assert loader.load(url).content == b"1"
    assert refused(loader, url) == "status"


def test_failures_are_not_kept(serve):
    """What was not there a moment ago is asked for again."""
    missing = answer(b"", "Cache-Control: max-age=60", status="404 Not Found")
    loader, _, url = serve(says(missing), says(answer(b"1")))
    assert refused(loader, url) == "not-found"
    assert loader.load(url).content == b"1"


def test_threads_share_a_loader(serve):
    """Eight threads at once each get the whole document."""
    loader, _, url = serve(says(answer(b"x" * 5000)), cache=DocumentCache(max_documents=0))
    found = []
    threads = [threading.Thread(target=lambda: found.append(loader.load(url).content)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [b"x" * 5000] * 8


def test_proxies_of_the_environment_are_not_used(serve):
    """Variables that name a proxy steer nothing: the request arrives at the host itself."""
    loader, server, url = serve(says(answer()))
    before = dict(os.environ)
    os.environ.update(HTTPS_PROXY="http://127.0.0.1:9", ALL_PROXY="http://127.0.0.1:9", NO_PROXY="")
    try:
        assert loader.load(url).content == b"{}"
    finally:
        os.environ.clear()
        os.environ.update(before)
    assert server.requests[0].startswith(b"GET /")


def test_nothing_is_logged(serve, caplog):
    """Neither success nor failure leaves a line in a log."""
    caplog.set_level(logging.DEBUG)
    loader, _, url = serve(says(answer()), says(b"broken"))
    loader.load(url)
    refused(loader, url)
    assert caplog.text == ""


def test_it_serves_did_web(serve):
    """The resolver of did:web reads a document through it, and says no more than that it could not."""
    loader, server, _ = serve(says(answer(b"{}")), says(answer(status="404 Not Found")))
    resolver = DidWebResolver(loader)
    with pytest.raises(ResolutionFailed) as caught:
        resolver.resolve(f"did:web:{HOST}%3A{server.port}:{SECRET}")
    assert caught.value.code == "invalidDidDocument"
    with pytest.raises(ResolutionFailed) as caught:
        resolver.resolve(f"did:web:{HOST}%3A{server.port}:{SECRET}2")
    assert SECRET not in str(caught.value)
    assert len(server.requests) == 2


@pytest.mark.parametrize("wrong", [{"connect_seconds": 0}, {"total_seconds": -1}, {"max_bytes": 0}])
def test_limits_are_above_zero(wrong):
    """A limit that lets nothing through, or everything, is a misuse."""
    with pytest.raises(ValueError, match="above zero"):
        Limits(**wrong)


class Bytes:
    """Stands where a TLS connection would, and holds what its server sends."""

    def __init__(self, content):
        self._content = io.BytesIO(content)

    def settimeout(self, seconds):
        assert seconds > 0

    def sendall(self, data):
        pass

    def recv_into(self, buffer):
        return self._content.readinto(buffer)


def heard(content):
    """What a server's bytes are taken for: an answer, or the code of the refusal."""
    limits = Limits(max_bytes=1000, max_header_bytes=2000)
    try:
        return exchange(Bytes(content), Request(HOST, 443, "/"), limits, Deadline(60))
    except Unavailable as error:
        return error.code


LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.0 200",
        b"HTTP/1.1 100 Continue",
        b"HTTP/1.1 -1 \xff",
        b"Transfer-Encoding: chunked",
        b"Content-Length: 2",
        b"Content-Length: 99999999999999999999",
        b"Content-Encoding: gzip",
        b"Content-Type: text/\xff\x00plain",
        b" folded",
        b": nameless",
        b"",
        b"2",
        b"{}",
        b"0",
        b"ffffffffffffffffffff",
        b"-2",
        b"+2",
        b"0x2",
        b"1_0",
    ]
)


@given(st.binary(max_size=300) | st.lists(LINES | st.binary(max_size=9), max_size=12).map(b"\r\n".join))
def test_any_bytes_are_an_answer_or_unavailable(content):
    """Whatever a server sends, the loader's own error is the only one."""
    found = heard(content)
    assert isinstance(found, Answer) or found in {"broken-answer", "too-large", "encoded"}
    if isinstance(found, Answer):
        assert len(found.body) <= 1000
        assert all("\n" not in value for value in found.headers.values())


@given(st.binary(max_size=400), st.integers(0, 600))
def test_a_shortened_answer_is_never_taken_for_whole(body, cut):
    """With a length or with chunks, every answer that lacks a byte of its body is refused."""
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n"
    for whole in (answer(body), *([chunked % (len(body), body)] if body else [])):
        found = heard(whole)
        assert isinstance(found, Answer)
        assert found.body == body
        shortened = heard(whole[: min(cut, len(whole) - 1)])
        assert not isinstance(shortened, Answer) or shortened.body == body

"""Connections and threads: none is held for nothing, and each request ends where it says."""

import asyncio
import threading
import time

import pytest

from vcid.server.workers import Workers


class Threads:
    """Work that lasts until it is let go, and how much of it went on at once."""

    def __init__(self):
        self.running, self.most, self.done = 0, 0, 0
        self._lock, self.end = threading.Lock(), threading.Event()

    def __call__(self):
        with self._lock:
            self.running += 1
            self.most = max(self.most, self.running)
        self.end.wait(10)
        with self._lock:
            self.running -= 1
            self.done += 1
        return "done"


def test_work_that_is_given_up_keeps_its_place():
    """However many give up waiting, no more threads work than were granted; the line before them is short."""
    work = Threads()

    async def run():
        workers = Workers(2)
        for _ in range(5):
            answers = await asyncio.gather(*(workers.do(work, within=0.05) for _ in range(20)))
            assert answers == [None] * 20
        assert work.most == 2
        work.end.set()
        await asyncio.sleep(0.2)
        assert (work.running, work.done) == (0, 2)
        assert await asyncio.gather(*(workers.do(work, within=5) for _ in range(4))) == ["done"] * 4

    asyncio.run(run())
    assert work.most == 2


def test_who_finds_no_place_is_told_at_once():
    """Past the threads and the line before them, nobody waits; a place is free again when the work has ended."""
    work = Threads()

    async def run():
        workers = Workers(1)
        waiting = [asyncio.ensure_future(workers.do(work, within=10)) for _ in range(5)]
        await asyncio.sleep(0.05)
        assert await asyncio.wait_for(workers.do(work, within=10), 1) is None
        work.end.set()
        assert await asyncio.gather(*waiting) == ["done"] * 5
        assert await workers.do(work, within=10) == "done"

    asyncio.run(run())
    assert (work.done, work.most) == (6, 1)


def test_what_goes_wrong_in_a_thread_is_raised():
    """An exception comes back, and its place is free again."""

    def fail():
        raise KeyError("a reason")

    async def run():
        workers = Workers(1)
        for _ in range(5):
            with pytest.raises(KeyError):
                await workers.do(fail, within=5)

    asyncio.run(run())


class _Slow:
    """A service whose verification lasts for a while."""

    def __init__(self, service, work):
        self.profiles = service.profiles
        self._work = work

    def verify_credential(self, _body):
        return self._work()


def test_a_body_that_arrived_is_not_blamed(call):
    """Work that takes too long is answered with 503, not as if its body had not come."""
    work = Threads()
    caller = call(_Slow(call().service, work), timeout=0.2, threads=1)
    try:
        answer = caller.post("/credentials/verify", {})
    finally:
        work.end.set()
    assert (answer.status_code, answer.json()["code"]) == (503, "busy")
    assert answer.headers["retry-after"] == "5"


def test_a_length_is_stated_once(caller):
    """A request with both Content-Length and Transfer-Encoding is refused, and its connection closed."""
    headers = {"transfer-encoding": "chunked", "content-length": "2"}
    answer = caller.post("/credentials/verify", content=b"{}", headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (400, "two-lengths")
    assert answer.headers["connection"] == "close"
    assert caller.log[-1]["problem"] == "two-lengths"


def test_a_connection_with_an_unread_body_is_closed(call):
    """Where nobody reads the rest, the connection ends; a body that was read, if only to be refused, is none."""
    caller = call(max_body=1 << 12)

    async def endlessly():
        while True:
            yield b" " * (1 << 16)
            await asyncio.sleep(0)

    unread = caller.post("/credentials/verify", content=endlessly())
    assert (unread.status_code, unread.headers["connection"]) == (413, "close")
    nowhere = caller.post("/nowhere", content=endlessly())
    assert (nowhere.status_code, nowhere.headers["connection"]) == (404, "close")
    refused = caller.post("/eddsa-jcs-2022/credentials/issue", {"a": 1}, token="")
    assert refused.status_code == 401
    assert "connection" not in refused.headers
    assert "connection" not in caller.get("/").headers


@pytest.mark.parametrize(
    "path", ["/credentials/verify/", "/eddsa-jcs-2022/credentials/issue/", "/openapi.json/"]
)
def test_nobody_is_sent_to_a_host_that_the_client_named(caller, path):
    """A path with a slash too many is none of the service's, and no redirect."""
    for method in ("GET", "POST"):
        answer = caller.request(method, path, headers={"host": "evil.example"})
        assert (answer.status_code, answer.json()["code"]) == (404, "no-such-endpoint")
        assert "location" not in answer.headers


def test_reading_makes_no_registries(caller):
    """Whoever asks for lists, or for a status to be set, under ever new hosts takes no address from an issuer."""
    for number in range(20):
        host = {"host": f"h{number}.example"}
        assert caller.get("/status/x", headers=host).status_code == 404
        body = {
            "credentialId": "row",
            "credentialStatus": {"type": "BitstringStatusListEntry", "statusPurpose": "revocation"},
        }
        answer = caller.post("/credentials/status", body, headers=host)
        assert (answer.status_code, answer.json()["code"]) == (404, "not-found")
    assert caller.issue("status")["credentialStatus"]


@pytest.fixture
def connect(own_server):
    """Run a talk with the service over a socket, in which a request's headers are waited for briefly."""
    uvicorn = pytest.importorskip("uvicorn", reason="the extra `server` is not installed")
    from uvicorn.server import ServerState

    from vcid.server.running import PromptConnection

    class Hasty(PromptConnection):
        patience = 0.3

    async def answer(_scope, _receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body"})

    async def serve(talk):
        config = uvicorn.Config(answer, http=Hasty, ws="none", log_config=None, lifespan="off")
        config.load()
        state = ServerState()

        def accept():
            return Hasty(config=config, server_state=state, app_state={})

        server = await asyncio.get_running_loop().create_server(accept, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        own_server(port)
        async with server:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            await talk(reader, writer)
            writer.close()
            await asyncio.sleep(0.05)
            assert not state.connections

    return lambda talk: asyncio.run(serve(talk))


async def end_of(reader):
    """How long it takes until the other side ends the connection."""
    started = time.monotonic()
    try:
        while await asyncio.wait_for(reader.read(1000), 5):
            pass
    except ConnectionResetError:
        pass
    return time.monotonic() - started


@pytest.mark.parametrize("sent", [b"", b"GET / HTTP/1.1\r\nHost: a\r\nX"])
@pytest.mark.parametrize("before", [b"", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n"])
def test_headers_have_to_come_in_time(connect, before, sent):
    """A connection that says nothing, or half a request, is cut, also after an earlier answer."""

    async def talk(reader, writer):
        writer.write(before + sent)
        assert await end_of(reader) < 2

    connect(talk)


def test_dribbling_does_not_help(connect):
    """Header fields that keep coming, one by one, do not keep a connection open."""

    async def talk(reader, writer):
        ended = asyncio.ensure_future(end_of(reader))
        writer.write(b"GET / HTTP/1.1\r\n")
        while not ended.done():
            writer.write(b"X: y\r\n")
            await asyncio.sleep(0.05)
        assert await ended < 2

    connect(talk)


def test_a_connection_in_use_is_kept(connect):
    """Requests that come whole are answered for longer than any of them may be waited for."""

    async def talk(reader, writer):
        for _ in range(6):
            writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200")
            await asyncio.sleep(0.1)

    connect(talk)

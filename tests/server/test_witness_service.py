"""The witness over HTTP, on a real socket: tlog-witness to the letter, leaves replayed, hostile bodies refused."""

import socket
import threading
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import sha256
from http.client import HTTPConnection

import pytest

from ledger.scene import ORIGIN, Scene, digest, signer
from vcid.encoding.merkle import consistency_proof, leaf_hash, root
from vcid.encoding.multikey import KeyType
from vcid.errors import Conflict, InvalidProof, LimitExceeded, Malformed, Unavailable
from vcid.keys.signing import LocalSigner
from vcid.ledger.anchor import LogPolicy, View
from vcid.ledger.evidence import verify_evidence
from vcid.ledger.heads import HeadsMap
from vcid.ledger.log import Ledger
from vcid.ledger.notes import Checkpoint, Note, NoteKey, NoteSignature, cosign, sign_note
from vcid.ledger.witness import ReplayingWitness
from vcid.ledger.witness_http import Answer, HttpWitness, HttpWitnessTransport
from vcid.ledger.witness_plain import PlainWitness
from vcid.ledger.witness_requests import WITH_ENTRIES, AddCheckpoint

pytest.importorskip("starlette", reason="the extra `server` is not installed")
uvicorn = pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from vcid.server.witness import WitnessLimits, create_witness_app  # noqa: E402 - after the skip

pytestmark = pytest.mark.slow

OTHER = "log.example/b"
LOGS = [
    NoteKey.of_log(ORIGIN, signer(1).public_key),
    NoteKey.of_log(ORIGIN, signer(5).public_key),  # the key that the log will change to
    NoteKey.of_log(OTHER, signer(4).public_key),
]
QUANTUM = LocalSigner.from_private_bytes(KeyType.ML_DSA_44, b"q" * 32)


class Service:
    """Both witnesses behind one server."""

    def __init__(self, folder, port, log):
        self.port, self.log = port, log
        self.folder = folder
        self.url = f"http://127.0.0.1:{port}"

    def send(self, path, body=None, content_type="text/plain", method=None):
        connection = HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            method = method or ("GET" if body is None else "POST")
            connection.request(method, path, body, {"Content-Type": content_type} if body is not None else {})
            answer = connection.getresponse()
            return answer.status, answer.getheader("content-type"), answer.read()
        finally:
            connection.close()

    def witness(self, *, replays=True, **options):
        key = NoteKey.of_cosigner("replaying.example", signer(100).public_key)
        plain = NoteKey.of_cosigner("plain.example", QUANTUM.public_key)
        transport = HttpWitnessTransport(f"{self.url}/replaying" if replays else self.url, **options)
        return HttpWitness(key if replays else plain, transport, replays=replays)


@contextmanager
def served(folder, own_server, limits=None):
    lines = []
    replaying = ReplayingWitness.open(
        f"sqlite:///{folder}/replaying.db", name="replaying.example", signer=signer(100), logs=LOGS
    )
    plain = PlainWitness.open(f"sqlite:///{folder}/plain.db", name="plain.example", signer=QUANTUM, logs=LOGS)
    app = create_witness_app(
        [ORIGIN, OTHER], replaying=replaying, plain=plain, limits=limits, log=lines.append
    )
    listening = socket.create_server(("127.0.0.1", 0))
    port = listening.getsockname()[1]
    config = uvicorn.Config(app, log_config=None, lifespan="off", access_log=False, timeout_keep_alive=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    own_server(port)
    try:
        yield Service(folder, port, lines)
    finally:
        server.should_exit = True
        thread.join()
        listening.close()
        replaying.close()
        plain.close()


@pytest.fixture
def service(tmp_path, own_server):
    """The service, with short times for slow bodies."""
    with served(tmp_path, own_server, WitnessLimits(piece_seconds=0.5, total_seconds=3)) as running:
        yield running


HASHES = [leaf_hash(bytes([number])) for number in range(40)]


def note(size, *, key=1, origin=ORIGIN, hashes=HASHES, extensions=()):
    text = Checkpoint(origin, size, root(hashes[:size]), extensions).text
    return Note(text, (sign_note(text, origin, signer(key)),)).encode()


def plain(old, size, **options):
    proof = tuple(consistency_proof(HASHES[:size], old)) if 0 < old <= size else ()
    return AddCheckpoint(old, options.pop("proof", proof), note(size, **options)).encode()


def test_a_plain_checkpoint_is_cosigned(service):
    """200 and one line, by ML-DSA-44 at the present time, that verifies under the witness's key."""
    status, _, body = service.send("/add-checkpoint", plain(0, 5))
    assert status == 200
    assert body.endswith(b"\n")
    line = NoteSignature.parse(body.decode()[:-1])
    key = NoteKey.of_cosigner("plain.example", QUANTUM.public_key)
    (found,) = Note(Note.parse(note(5)).text, (line,)).verify([key])
    assert abs(found.time - time.time()) < 60
    assert service.send("/add-checkpoint", plain(5, 9))[0] == 200
    assert service.send("/add-checkpoint", plain(9, 9))[0] == 200
    kept = service.send(f"/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")
    assert kept[0] == 200
    verified = Note.parse(kept[2]).verify([key, LOGS[0]])
    assert {one.key for one in verified} == {key, LOGS[0]}


def test_the_statuses_are_the_specifications(service):
    """Each refusal of tlog-witness, "add-checkpoint", with its status; and none changes what is known."""
    assert service.send("/add-checkpoint", plain(0, 5))[0] == 200
    other_root = [leaf_hash(b"x"), *HASHES]
    empty = f"{ORIGIN}\n0\n{'A' * 43}=\n"
    no_empty_tree = Note(empty, (sign_note(empty, ORIGIN, signer(1)),)).encode()
    cases = {
        "an unknown log": (404, plain(0, 5, origin="log.example/unknown")),
        "no signature by a trusted key": (403, plain(5, 6, key=9)),
        "a trusted key's signature that fails": (403, plain(5, 6).replace(b"\n6\n", b"\n7\n")),
        "an old size past the checkpoint's": (400, plain(6, 5)),
        "another old size than is known": (409, plain(4, 6)),
        "a proof that does not verify": (422, plain(5, 6, proof=(bytes(32),) * 3)),
        "no proof": (422, plain(5, 6, proof=())),
        "another root of the same size": (422, plain(5, 5, hashes=other_root)),
        "an empty tree with another root": (422, AddCheckpoint(0, (), no_empty_tree).encode()),
    }
    assert {name: service.send("/add-checkpoint", body)[0] for name, (_, body) in cases.items()} == {
        name: status for name, (status, _) in cases.items()
    }
    status, content_type, body = service.send("/add-checkpoint", plain(0, 9))
    assert (status, content_type, body) == (409, "text/x.tlog.size", b"5\n")
    assert service.send("/add-checkpoint", plain(5, 6))[0] == 200


def test_a_proof_from_nothing_is_empty(service):
    """An old size of zero with a proof is 422; the first known size is 0."""
    assert service.send("/add-checkpoint", plain(0, 5, proof=(bytes(32),)))[0] == 422
    assert service.send("/add-checkpoint", plain(3, 5))[::2] == (409, b"0\n")


MALFORMED = {
    "empty": b"",
    "no old line": b"\n" + note(5),
    "another word": plain(0, 5).replace(b"old", b"new"),
    "a leading zero": plain(0, 5).replace(b"old 0", b"old 00"),
    "a sign": plain(0, 5).replace(b"old 0", b"old +0"),
    "two spaces": plain(0, 5).replace(b"old 0", b"old  0"),
    "past 2^63": plain(0, 5).replace(b"old 0", b"old 9223372036854775808"),
    "no empty line": plain(0, 5).replace(b"old 0\n\n", b"old 0\n"),
    "carriage returns": plain(0, 5).replace(b"\n", b"\r\n"),
    "no note": b"old 0\n\n",
    "no signature": plain(0, 5).partition("\n— ".encode())[0] + b"\n",
    "a short hash": b"old 5\nAAAA\n\n" + note(6),
    "64 hashes": plain(5, 6, proof=(bytes(32),) * 64),
    "no UTF-8": b"\xff" * 50,
    "huge": b"old 0\n" + b"A" * (1 << 20),
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_request_is_a_bad_request(service, body):
    """400, whatever the bytes; the service goes on."""
    assert service.send("/add-checkpoint", body)[0] == 400
    assert service.send("/replaying/add-checkpoint", body, WITH_ENTRIES)[0] == 400
    assert service.send("/replaying/add-succession", body)[0] == 400


def test_what_is_not_there_is_not_found(service):
    """Logs without a checkpoint, unknown ones, other paths; other methods are refused."""
    known = sha256(ORIGIN.encode()).hexdigest()
    for path in (f"/{known}/checkpoint", f"/{known}/evidence", f"/replaying/{known}/checkpoint", "/x", "/"):
        assert service.send(path)[0] == 404
    assert service.send(f"/{'0' * 64}/checkpoint")[0] == 404
    assert service.send("/add-checkpoint")[0] in (404, 405)
    assert service.send(f"/{known}/checkpoint", b"", method="DELETE")[0] == 405


def test_the_log_says_nothing_of_whom(service):
    """Route, status and kind of problem; no origin, address or body."""
    service.send("/add-checkpoint", plain(0, 5))
    service.send("/add-checkpoint", plain(3, 6))
    assert [(line["route"], line["status"]) for line in service.log] == [
        ("/add-checkpoint", 200),
        ("/add-checkpoint", 409),
    ]
    assert all(set(line) <= {"method", "route", "status", "ms", "problem"} for line in service.log)


def test_extension_lines_are_cosigned_plainly_alone(service):
    """A plain witness says nothing of them; a replaying one refuses them."""
    assert service.send("/add-checkpoint", plain(0, 5, extensions=("more",)))[0] == 200
    body = b"".join(AddCheckpoint(0, (), note(5, extensions=("more",))).with_entries([]))
    assert service.send("/replaying/add-checkpoint", body, WITH_ENTRIES)[::2] == (422, b"extension-lines\n")


def test_a_log_is_cosigned_over_http(service):
    """A ledger publishes with both witnesses; a verifier's policy of both holds, and heartbeats refresh it."""
    scene = Scene(witnesses=1)
    witnesses = [service.witness(), service.witness(replays=False)]
    ledger = Ledger.open("memory:", origin=ORIGIN, signer=signer(1), witnesses=witnesses)
    for seq in range(3):
        ledger.append([scene.entry(seq)])
        view = ledger.publish()
    policy = ledger.policy(quorum=2)
    seen = policy.examine(view.note)
    assert seen.is_witnessed
    assert abs((datetime.now(UTC) - seen.freshness).total_seconds()) < 60
    assert ledger.publish().size == view.size + 1
    assert View.verified(witnesses[0].checkpoint(ORIGIN), policy).size == view.size + 1


def test_two_logs_don_t_mix(service):
    """Each log has its own state; one's key signs nothing for the other."""
    ledgers = [
        Ledger.open("memory:", origin=origin, signer=signer(key), witnesses=[service.witness()])
        for origin, key in ((ORIGIN, 1), (OTHER, 4))
    ]
    scene = Scene(witnesses=1)
    for number, ledger in enumerate(ledgers):
        ledger.append([scene.entry(0, content=number)])
    sizes = [ledger.publish().size for ledger in ledgers]
    assert sizes == [2, 2]
    assert service.witness().checkpoint(ORIGIN) != service.witness().checkpoint(OTHER)
    stolen = Ledger.open("memory:", origin=OTHER, signer=signer(1), witnesses=[service.witness()])
    stolen.append([scene.entry(0)])
    with pytest.raises(Conflict):
        stolen.publish()


def leaves_with(*entries, heads=None):
    committed = HeadsMap((one.topic, one.seq, leaf_hash(one.encode())) for one in heads or entries)
    return [*(one.encode() for one in entries), committed.leaf.encode()]


def offer(service, leaves, *, sent=None, old=0):
    hashes = [leaf_hash(leaf) for leaf in leaves]
    asked = AddCheckpoint(
        old, tuple(consistency_proof(hashes, old)) if old else (), note(len(hashes), hashes=hashes)
    )
    body = b"".join(asked.with_entries(leaves[old:] if sent is None else sent))
    return service.send("/replaying/add-checkpoint", body, WITH_ENTRIES)


def test_a_false_heads_leaf_is_refused(service):
    """An append-only witness would have cosigned it; ours says why it does not."""
    scene = Scene(witnesses=1)
    first, second = scene.entry(0), scene.entry(1)
    assert offer(service, leaves_with(first, second, heads=[first]))[::2] == (422, b"false-heads\n")
    assert offer(service, leaves_with(first, scene.entry(1, owner=signer(9))))[0] == 422
    assert offer(service, [*leaves_with(first), second.encode()])[::2] == (422, b"heads-not-last\n")
    good = leaves_with(first, second, heads=[second])
    assert offer(service, good)[0] == 200
    more = [*good, *leaves_with(scene.entry(2), heads=[second])]
    hashes = [leaf_hash(leaf) for leaf in more]
    proof = consistency_proof(hashes, len(good))
    with pytest.raises(Conflict, match="false-heads"):
        service.witness().add_checkpoint(len(good), proof, note(len(more), hashes=hashes), more[len(good) :])


def test_leaves_that_are_not_the_checkpoints_are_refused(service):
    """Too few, others, or too long ones: a status, and nothing is kept."""
    scene = Scene(witnesses=1)
    good = leaves_with(scene.entry(0))
    other = leaves_with(scene.entry(0, content=5))
    assert offer(service, good, sent=good[:1])[::2] == (400, b"cut-short\n")
    assert offer(service, good, sent=[good[0], bytes(5000)])[::2] == (400, b"leaf-size\n")
    assert offer(service, good, sent=other)[::2] == (422, b"root\n")
    assert offer(service, good, sent=[])[0] == 400
    assert service.witness().checkpoint(ORIGIN) is None
    assert offer(service, good)[0] == 200


def test_replayed_requests_need_their_media_type(service):
    """The text of a plain request is none for the replaying witness."""
    assert service.send("/replaying/add-checkpoint", plain(0, 5))[0] == 400


def test_a_fork_is_refused_and_leaves_evidence(service):
    """The log's own second version convicts it, for whoever asks the witness."""
    scene = Scene(witnesses=1)
    assert offer(service, leaves_with(scene.entry(0)))[0] == 200
    assert offer(service, leaves_with(scene.entry(0, content=5)))[0] == 409
    known = sha256(ORIGIN.encode()).hexdigest()
    status, _, data = service.send(f"/replaying/{known}/evidence")
    assert status == 200
    verify_evidence(data, LOGS[0])
    assert service.send(f"/{known}/evidence")[0] == 404


def test_a_slow_body_is_given_up(service):
    """Who stops sending is answered 408, and holds no thread for ever."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as slow:
        slow.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nold 0\n")
        assert slow.recv(100).startswith(b"HTTP/1.1 408")
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as drip:
        drip.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n")
        drip.settimeout(0.2)
        for _ in range(40):
            try:
                drip.sendall(b"o")
                answer = drip.recv(100)
                break
            except TimeoutError:
                continue
        assert answer.startswith(b"HTTP/1.1 408")


def test_slow_strangers_hold_no_thread(tmp_path, own_server):
    """As many as there are threads, each slow to say what it asks: others are served at once."""
    head = f"POST /replaying/add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Type: {WITH_ENTRIES}\r\n"
    with served(tmp_path, own_server, WitnessLimits(piece_seconds=4, threads=2)) as service:
        held = [socket.create_connection(("127.0.0.1", service.port), timeout=10) for _ in range(2)]
        for stranger in held:
            stranger.sendall(f"{head}Content-Length: 100000\r\n\r\n".encode() + b"\0\0\4\0")
        time.sleep(0.3)
        start = time.monotonic()
        assert service.send(f"/replaying/{sha256(ORIGIN.encode()).hexdigest()}/checkpoint")[0] == 404
        assert offer(service, leaves_with(Scene(witnesses=1).entry(0)))[0] == 200
        assert time.monotonic() - start < 2
        for stranger in held:
            stranger.close()


def test_a_client_that_leaves_harms_nobody(service):
    """A body cut off in the middle changes nothing."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=10) as gone:
        gone.sendall(
            b"POST /replaying/add-checkpoint HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nold 0\n"
        )
    assert service.send("/add-checkpoint", plain(0, 5))[0] == 200


def test_of_two_versions_at_once_one_is_cosigned(service):
    """Sixteen requests side by side, half of them for a fork: one version alone is cosigned."""
    scene = Scene(witnesses=1)
    versions = [leaves_with(scene.entry(0, content=content)) for content in (1, 2)]
    answers = []

    def ask(number):
        answers.append((number % 2, offer(service, versions[number % 2])[0]))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    cosigned = {version for version, status in answers if status == 200}
    assert len(cosigned) == 1
    assert {status for _, status in answers} <= {200, 409}


def test_growth_at_once_never_turns_back(service):
    """Plain checkpoints of many sizes at once: the size known only grows."""
    assert service.send("/add-checkpoint", plain(0, 1))[0] == 200
    threads = [
        threading.Thread(target=service.send, args=("/add-checkpoint", plain(1, size)))
        for size in range(2, 20)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    size = int(service.send("/add-checkpoint", plain(0, 30))[2])
    assert size > 1
    assert service.send("/add-checkpoint", plain(size, 30))[0] == 200


def test_a_service_remembers_across_restarts(tmp_path, own_server):
    """Started anew, it refuses the rollback."""
    with served(tmp_path, own_server) as first:
        assert first.send("/add-checkpoint", plain(0, 5))[0] == 200
    with served(tmp_path, own_server) as second:
        assert second.send("/add-checkpoint", plain(0, 4))[::2] == (409, b"5\n")
        assert second.send("/add-checkpoint", plain(5, 6))[0] == 200


def test_a_log_that_changes_its_key_goes_on(service):
    """The witness knows both keys of the log; another's is refused."""
    assert service.send("/add-checkpoint", plain(0, 5))[0] == 200
    assert service.send("/add-checkpoint", plain(5, 6, key=5))[0] == 200
    assert service.send("/add-checkpoint", plain(6, 7, key=4))[0] == 403


def test_one_key_makes_one_statement(tmp_path):
    """The plain and the replaying witness have keys of their own, and there is one at least."""
    make = {"name": "w.example", "signer": signer(100), "logs": LOGS}
    both = ReplayingWitness.open("sqlite://", **make), PlainWitness.open("sqlite://", **make)
    with pytest.raises(ValueError, match="own"):
        create_witness_app([ORIGIN], replaying=both[0], plain=both[1])
    with pytest.raises(ValueError, match="own"):
        create_witness_app([ORIGIN])


# The client, by what a witness may answer


class Says:
    """A transport with one answer."""

    def __init__(self, status, body=b""):
        self.answer = Answer(status, body)

    def get(self, path):
        return self.answer

    def post(self, path, content_type, body):
        return self.answer


KEY = NoteKey.of_cosigner("replaying.example", signer(100).public_key)


def ask(transport):
    return HttpWitness(KEY, transport).add_checkpoint(0, [], note(5), [])


REFUSALS = [
    (409, b"7\n", Conflict, "^size"),
    (404, b"", Conflict, "^unknown-log"),
    (403, b"", Conflict, "^unsigned"),
    (422, b"false-heads\n", Conflict, "^false-heads"),
    (422, b"size\n", Conflict, "^inconsistent"),
    (422, b"\xff<script>", Conflict, "^inconsistent"),
    (400, b"", Malformed, "^refused-request"),
    (500, b"", Unavailable, "500"),
    (302, b"", Unavailable, "302"),
    (200, b"", Malformed, "newline"),
    (200, b"no line\n", Malformed, "^signature-line"),
    (200, b"\xff\n", Malformed, "^utf-8"),
]


@pytest.mark.parametrize(("status", "body", "error", "match"), REFUSALS)
def test_refusals_are_the_errors_of_a_witness_in_process(status, body, error, match):
    """Whatever a witness answers, it is one of our errors."""
    with pytest.raises(error, match=match):
        ask(Says(status, body))


def test_of_several_lines_the_witnesss_own_is_taken():
    """Lines by unknown keys are passed over; without one of its own there is no cosignature."""
    text = Note.parse(note(5)).text
    own, stranger = cosign(text, KEY.name, signer(100), 9), cosign(text, "x.example", signer(9), 9)
    body = f"{stranger.line}\n{own.line}\n".encode()
    assert ask(Says(200, body)) == f"{own.line}\n".encode()
    with pytest.raises(Malformed, match="cosignature"):
        ask(Says(200, f"{stranger.line}\n".encode()))


def test_an_answer_states_a_time():
    """A line of time 0 is refused (tlog-witness, "add-checkpoint")."""
    text = Note.parse(note(5)).text
    key = NoteKey.of_cosigner("q.example", QUANTUM.public_key)
    line = f"{cosign(text, 'q.example', QUANTUM, 0).line}\n".encode()
    with pytest.raises(InvalidProof, match="time-unknown"):
        HttpWitness(key, Says(200, line)).add_checkpoint(0, [], note(5), [])


@contextmanager
def hostile(own_server, answer, *, pause=0.0):
    """A server that answers bytes, piece by piece, whatever it is asked."""
    listening = socket.create_server(("127.0.0.1", 0))
    own_server(listening.getsockname()[1])
    listening.settimeout(5)

    def serve():
        try:
            connection, _ = listening.accept()
        except OSError:
            return
        with connection:
            connection.recv(1 << 16)
            try:
                for piece in answer:
                    connection.sendall(piece)
                    time.sleep(pause)
            except OSError:
                return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    listening.close()
    thread.join()


HEAD = b"HTTP/1.1 200 OK\r\n"
HOSTILE = {
    "endless": ([HEAD + b"\r\n", *[b"a" * (1 << 16)] * 12], 0.0, LimitExceeded),
    "slow body": ([HEAD + b"Content-Length: 100\r\n\r\n", *[b"a"] * 50], 0.1, Unavailable),
    "slow body of HTTP/1.0": ([b"HTTP/1.0 200 OK\r\n\r\n", *[b"a"] * 100], 0.1, Unavailable),
    "slow body, then closing": (
        [HEAD + b"Connection: close\r\nContent-Length: 100\r\n\r\n", *[b"a"] * 99],
        0.1,
        Unavailable,
    ),
    "slow headers": ([HEAD, *[b"X: y\r\n"] * 50], 0.1, Unavailable),
    "cut": ([HEAD + b"Content-Length: 100\r\n\r\nabc"], 0.0, Unavailable),
    "nothing": ([], 0.0, Unavailable),
    "no HTTP": ([b"hello\r\n\r\n"], 0.0, Unavailable),
    "redirect": (
        [b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n"],
        0.0,
        Unavailable,
    ),
}


@pytest.mark.parametrize(("answer", "pause", "error"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_witness_costs_little(own_server, answer, pause, error):
    """Answers are bounded in bytes and in time, and no redirect is followed."""
    with hostile(own_server, answer, pause=pause) as url:
        witness = HttpWitness(KEY, HttpWitnessTransport(url, timeout=1.0))
        started = time.monotonic()
        with pytest.raises(error):
            witness.checkpoint(ORIGIN)
        assert time.monotonic() - started < 8


def test_nobody_there_is_unavailable(own_server):
    """A refused connection is no error of another kind."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    own_server(port)
    with pytest.raises(Unavailable):
        HttpWitness(KEY, HttpWitnessTransport(f"http://127.0.0.1:{port}")).checkpoint(ORIGIN)


@pytest.mark.parametrize(
    "url", ["ftp://w.example", "w.example", "http://", "https://a@w.example", "http://w?x"]
)
def test_a_prefix_is_a_plain_url(url):
    """Other schemes, credentials and queries are refused."""
    with pytest.raises(ValueError, match="prefix"):
        HttpWitnessTransport(url)


def test_a_large_log_is_replayed_as_it_arrives(service):
    """Two thousand leaves in one request."""
    scene = Scene(witnesses=1)
    ledger = Ledger.open("memory:", origin=ORIGIN, signer=signer(1), witnesses=[service.witness()])
    ledger.append([scene.entry(seq, content=seq) for seq in range(2000)])
    view = ledger.publish()
    policy = LogPolicy(
        origin=ORIGIN, log_key=signer(1).public_key, witnesses=((KEY.name, KEY.public_key),), quorum=1
    )
    assert policy.examine(view.note).is_witnessed
    assert digest(1999) == ledger.latest(scene.topic()).digest

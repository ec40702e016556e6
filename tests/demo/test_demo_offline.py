"""The verifier's process has no network, and nothing in it can get one."""

import json
import subprocess
import sys

import pytest

SET_HOOK = "import sys; from vcid.demo.offline import refuse_network; sys.addaudithook(refuse_network); "


def python(code: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, **options
    )


@pytest.mark.parametrize(
    "attempt",
    [
        "import socket; socket.socket()",
        "import socket; socket.socketpair()",
        "import socket; socket.getaddrinfo('example.org', 443)",
        "import socket; socket.create_connection(('127.0.0.1', 9))",
        "import urllib.request; urllib.request.urlopen('http://127.0.0.1:9/')",
        "import subprocess; subprocess.run(['true'])",
        "import os; os.system('true')",
        "import os; os.fork()",
        "import os; os.execv('/bin/true', ['true'])",
        "import os; os.posix_spawn('/bin/true', ['true'], {})",
        "import multiprocessing; multiprocessing.Process(target=print).start()",
    ],
)
def test_every_way_out_is_refused(attempt):
    """Sockets, names, HTTP and other processes, in which the hook would not be set, are refused."""
    result = python(SET_HOOK + attempt)
    assert result.returncode == 1
    assert "NetworkRefused" in result.stderr


def test_same_attempt_without_the_hook_succeeds():
    """The refusals above are the hook's doing."""
    assert python("import socket; socket.socket().close(); import os; os.fork()").returncode == 0


def test_files_and_databases_are_allowed(tmp_path):
    """What a verifier needs is left to it."""
    code = "import sqlite3; sqlite3.connect('x.db').execute('CREATE TABLE t (x)'); open('y', 'w').close()"
    result = python(SET_HOOK + code, cwd=tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert {"x.db", "y"} <= {path.name for path in tmp_path.iterdir()}


def test_process_says_that_it_tried(ending):
    """Its first line tells that a socket was refused, and its last how much it answered."""
    task = {
        "policy": str(ending.folder / "policy.json"),
        "views": f"sqlite:///{ending.folder / 'views.db'}",
        "sittings": [
            {
                "name": "one",
                "knowledge": str(ending.folder / "knowledge"),
                "credentials": [str(ending.folder / "samples" / "good.json")],
                "later": 0,
            }
        ],
    }
    command = [sys.executable, "-m", "vcid.demo.offline"]
    result = subprocess.run(command, input=json.dumps(task), capture_output=True, text=True, check=True)
    first, report, last = (json.loads(line) for line in result.stdout.splitlines())
    assert first["network"] == "refused"
    assert report["report"]["conclusion"] == "verified"
    assert last == {"answered": 1}


@pytest.mark.parametrize("task", ["", "[]", '{"sittings": 1}'])
def test_task_that_is_none_ends_without_an_answer(task):
    """A process that was told nonsense does not say that it answered."""
    command = [sys.executable, "-m", "vcid.demo.offline"]
    result = subprocess.run(command, input=task, capture_output=True, text=True, check=False)
    assert result.returncode != 0
    assert "answered" not in result.stdout

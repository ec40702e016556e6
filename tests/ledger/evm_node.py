"""Nodes of a chain that the tests start and throw away, and transports that get between."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest

from vcid.ledger.evm_http import HttpTransport
from vcid.ledger.evm_rpc import Node

CONTRACTS = Path(__file__).resolve().parents[2] / "contracts"
CHAIN_ID = 31337
GENESIS = 1_800_000_000


def find_anvil():
    """Anvil's program: named, on the path, or from npm beside the contract; or a skip."""
    packaged = CONTRACTS / "node_modules" / "@foundry-rs" / "anvil-linux-amd64" / "bin" / "anvil"
    named = os.environ.get("VCID_ANVIL") or shutil.which("anvil") or packaged
    if not Path(named).is_file():
        _missing("no anvil: run npm install --ignore-scripts in contracts, or set VCID_ANVIL to its program")
    return str(named)


def _missing(what):
    """Do as ``missing`` of conftest, which is not to be imported twice: its audit hook can't be taken away."""
    if os.environ.get("VCID_REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what}, and VCID_REQUIRE_SERVICES=1 says that it must be there")
    pytest.skip(what)


class Anvil:
    """One node, whose every block is made by a transaction or on demand, at times that the tests choose."""

    def __init__(self, program, allow, *options, chain_id=CHAIN_ID, name="a node"):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        allow(self.port)
        command = [program, "--port", str(self.port), "--chain-id", str(chain_id), "--silent"]
        command += ["--slots-in-an-epoch", "1", "--timestamp", str(GENESIS), "--accounts", "1", *options]
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.transport = HttpTransport(f"http://127.0.0.1:{self.port}")
        self.node = Node(self.transport, name)
        self.time = GENESIS
        try:
            self._await_start()
        except BaseException:
            self.stop()
            raise

    def _await_start(self):
        for _ in range(200):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return
            assert self.process.poll() is None, "anvil ended"
            time.sleep(0.05)
        raise AssertionError("anvil does not listen")

    def stop(self):
        self.process.terminate()
        self.process.wait()

    def call(self, method, *params):
        return self.node.call(method, *params)

    def next_block_at(self, when):
        """Say the time of the next block, so that nodes fed alike have the same blocks."""
        self.time = when
        self.call("evm_setNextBlockTimestamp", when)

    def mine(self, count=1):
        """Make empty blocks, a second apart."""
        for _ in range(count):
            self.next_block_at(self.time + 1)
            self.call("evm_mine")

    def finalize(self):
        """Make as many blocks as it takes for the newest one now to be final."""
        head = self.node.block("latest").number
        while self.node.block("finalized").number < head:
            self.mine()

    def head(self):
        return self.node.block("latest")


class Altering:
    """A transport to a node that changes answers: what a lying node would say."""

    def __init__(self, transport, **answers):
        self.transport = transport
        self.answers = answers
        self.asked = []

    def post(self, body):
        request = json.loads(body)
        self.asked.append(request["method"])
        alter = self.answers.get(request["method"])
        if alter is None:
            return self.transport.post(body)
        found = alter(request, lambda: json.loads(self.transport.post(body)))
        return found if isinstance(found, bytes) else json.dumps(found).encode()


def result(value):
    """An alteration that answers with a value whatever is asked."""
    return lambda request, ask: {"jsonrpc": "2.0", "id": request["id"], "result": value}


def refusal(message, code=-32000, **more):
    """An alteration that answers with an error."""
    error = {"code": code, "message": message, **more}
    return lambda request, ask: {"jsonrpc": "2.0", "id": request["id"], "error": error}

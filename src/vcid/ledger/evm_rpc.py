"""Asking an Ethereum node by JSON-RPC 2.0, through a transport that is handed in; no answer is trusted.

What a node answers is bounded before it is read, read strictly, and checked against the shapes of the
Ethereum execution API: quantities are ``0x`` and hex digits without leading zeros, data is ``0x`` and two hex
digits a byte. That a well-formed answer is *true*, no check of one node can tell: `vcid.ledger.evm` compares
several.
"""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

import orjson

from vcid.encoding import json
from vcid.errors import LimitExceeded, Malformed, Unavailable

if TYPE_CHECKING:
    from vcid.encoding.json import JSON

MAX_ANSWER_BYTES: Final = 1 << 20
"""The longest answer read."""

LATEST: Final = "latest"
"""The newest block that a node knows."""

FINALIZED: Final = "finalized"
"""The newest block that can't be undone, on networks that have such a notion."""

_QUANTITY: Final = re.compile(r"0x(?:0|[1-9a-fA-F][0-9a-fA-F]*)")
_DATA: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")


class Transport(Protocol):
    """Carries one request to one node."""

    def post(self, body: bytes) -> bytes:
        """Send a request and give the answer.

        Raises:
            Unavailable: there is none.
        """


class ErrorAnswer(Unavailable):
    """A node answered with an error of JSON-RPC; its words are the node's and not repeated.

    Attributes:
        number: the error's code.
        kind: what its message is known to mean; empty for anything else.
        data: what a contract that reverted returned.
    """

    def __init__(self, method: str, number: int, *, kind: str, data: bytes) -> None:
        super().__init__(f"the node refuses {method} with error {number}", code="rpc-error")
        self.number = number
        self.kind = kind
        self.data = data


# Nodes have no common numbers for these, only words (Geth, Besu, Nethermind, Erigon, Reth, Anvil).
_KINDS: Final = {
    "nonce-used": ("nonce too low", "nonce_too_low", "oldnonce", "old nonce", "nonce is too low"),
    "known": ("already known", "known transaction", "already imported", "alreadyknown"),
    "underpriced": ("underpriced", "fee too low", "gas price too low", "feetoolow", "block base fee"),
    "no-funds": ("insufficient funds", "upfront cost", "insufficient balance"),
    "reverted": ("revert",),
}


@dataclass(frozen=True, slots=True)
class Block:
    """What identifies and dates a block.

    Attributes:
        number: its height.
        hash: its hash, as the node states it.
        time: its timestamp, in seconds since 1970.
        base_fee: what each unit of gas costs at least, in wei; nothing before London.
    """

    number: int
    hash: bytes
    time: int
    base_fee: int | None = None


class Node:
    """One node, asked through one transport.

    Args:
        transport: carries the requests.
        name: what to call the node in messages; never its address, which may hold a secret.
    """

    __slots__ = ("_ids", "_transport", "name")

    def __init__(self, transport: Transport, name: str = "the node") -> None:
        self._transport = transport
        self._ids = itertools.count(1)
        self.name = name

    def call(self, method: str, *params: JSON) -> JSON:
        """Ask for one thing.

        Raises:
            ErrorAnswer: the node answers with an error.
            Unavailable: it doesn't answer.
            LimitExceeded: the answer is longer than ``MAX_ANSWER_BYTES``.
            Malformed: it is no answer to this request.
        """
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": [*params]}
        data = self._transport.post(orjson.dumps(request))
        if not isinstance(data, bytes):
            raise TypeError("a transport gives bytes")
        if len(data) > MAX_ANSWER_BYTES:
            raise LimitExceeded("rpc-answer", f"at most {MAX_ANSWER_BYTES} bytes", where=method)
        answer = json.parse_object(data, max_bytes=MAX_ANSWER_BYTES)
        if answer.get("jsonrpc") != "2.0" or len(answer.keys() - {"jsonrpc", "id"}) != 1:
            raise Malformed("rpc-answer", "a JSON-RPC 2.0 answer with a result or an error", where=method)
        if answer.get("id") != request["id"] or isinstance(answer.get("id"), bool):
            raise Malformed("rpc-id", "the answer to the request that was made", where=method)
        if "error" in answer:
            raise _read_error(method, answer["error"])
        if "result" not in answer:
            raise Malformed("rpc-answer", "a JSON-RPC 2.0 answer with a result or an error", where=method)
        return answer["result"]

    def quantity(self, method: str, *params: JSON) -> int:
        """Ask for a number. Raises as `call`."""
        return read_quantity(self.call(method, *params), where=method)

    def data(self, method: str, *params: JSON) -> bytes:
        """Ask for bytes. Raises as `call`."""
        return read_data(self.call(method, *params), where=method)

    def block(self, at: int | str) -> Block | None:
        """Ask for a block by its height or its name; nothing if the node has none. Raises as `call`."""
        method = "eth_getBlockByNumber"
        found = self.call(method, hex(at) if isinstance(at, int) else at, False)  # noqa: FBT003 - the API's own
        if found is None:
            return None
        if not isinstance(found, dict):
            raise Malformed("rpc-block", "a block", where=method)
        base_fee = found.get("baseFeePerGas")
        block = Block(
            read_quantity(found.get("number"), bits=63, where=method),
            read_data(found.get("hash"), length=32, where=method),
            read_quantity(found.get("timestamp"), bits=63, where=method),
            None if base_fee is None else read_quantity(base_fee, where=method),
        )
        if isinstance(at, int) and block.number != at:
            raise Malformed("rpc-block", "the block of the height that was asked for", where=method)
        return block

    def code(self, address: bytes, at: JSON) -> bytes:
        """Ask for an account's code. Raises as `call`."""
        return self.data("eth_getCode", to_hex(address), at)

    def view(self, address: bytes, data: bytes, at: JSON) -> bytes:
        """Ask what a contract's function returns. Raises as `call`."""
        return self.data("eth_call", {"to": to_hex(address), "data": to_hex(data)}, at)


def at_block(block: Block) -> JSON:
    """Name a block by its hash, so that several answers speak of one state (EIP-1898)."""
    return {"blockHash": to_hex(block.hash), "requireCanonical": True}


def to_hex(data: bytes) -> str:
    """Write bytes as the API's data."""
    return f"0x{data.hex()}"


def read_quantity(value: JSON, *, bits: int = 256, where: str = "") -> int:
    """Read a number of the API.

    Raises:
        Malformed: it is none, or needs more bits.
    """
    if not isinstance(value, str) or len(value) > 66 or not _QUANTITY.fullmatch(value):
        raise Malformed("rpc-quantity", "a number as 0x and hex digits without leading zeros", where=where)
    number = int(value, 16)
    if number >> bits:
        raise Malformed("rpc-quantity", f"a number of at most {bits} bits", where=where)
    return number


def read_data(value: JSON, *, length: int | None = None, where: str = "") -> bytes:
    """Read bytes of the API.

    Raises:
        Malformed: it is none, or of another length.
    """
    if not isinstance(value, str) or not _DATA.fullmatch(value):
        raise Malformed("rpc-data", "bytes as 0x and two hex digits each", where=where)
    data = bytes.fromhex(value[2:])
    if length is not None and len(data) != length:
        raise Malformed("rpc-data", f"{length} bytes", where=where)
    return data


def _read_error(method: str, error: JSON) -> ErrorAnswer:
    number = error.get("code") if isinstance(error, dict) else None
    if not isinstance(error, dict) or not isinstance(number, int) or isinstance(number, bool):
        raise Malformed("rpc-error", "an error with a number as its code", where=method)
    message, found = error.get("message"), error.get("data")
    text = message.lower() if isinstance(message, str) else ""
    kind = next((kind for kind, words in _KINDS.items() if any(one in text for one in words)), "")
    data = bytes.fromhex(found[2:]) if isinstance(found, str) and _DATA.fullmatch(found) else b""
    return ErrorAnswer(method, number, kind="reverted" if number == 3 else kind, data=data)

"""The contract ``CheckpointPins``: what it is called with and what it gives, in 32-byte words.

Every argument and every result is a number, an address or a hash in a word of its own, and a proof is a row
of words behind its offset and length (Solidity's Contract ABI, "Formal specification of the encoding"). So
there is no ABI library here. Source and build stand in ``contracts/`` of the repository; the artifact beside
this file holds the ABI, both codes and the compiler's settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import TYPE_CHECKING, Final, Self

from vcid.encoding import json
from vcid.errors import Malformed
from vcid.ledger.entries import frame
from vcid.ledger.evm_rpc import read_data, read_quantity, to_hex
from vcid.ledger.notes import MAX_SIZE, check_name

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcid.encoding.json import JsonObject

CODE_HASH: Final = bytes.fromhex("a4b01d58cbd62c0333dc990e21be4a512d740e9f964c741d06fa61a592b75191")
"""SHA-256 of the code that stands at the address of a contract of this version."""

PIN_EVENT: Final = bytes.fromhex("bb0b947bcbeb9e4b519ee139b40283af8a7808018875c7e01c65603b9df14a99")
"""The topic of the event that each pin leaves: Keccak-256 of ``Pinned(uint64,bytes32,address)``."""

# The first four bytes of Keccak-256 of each function's and error's signature.
CHECKPOINT: Final = bytes.fromhex("c2c4c5c1")
LOG: Final = bytes.fromhex("51973ec9")
OWNER: Final = bytes.fromhex("8da5cb5b")
CANDIDATE: Final = bytes.fromhex("6c8381f8")
IS_SUBMITTER: Final = bytes.fromhex("a926fdbc")
PIN: Final = bytes.fromhex("142bbc41")
SET_SUBMITTER: Final = bytes.fromhex("96fbdc99")
OFFER_OWNERSHIP: Final = bytes.fromhex("8e3e92f2")
TAKE_OWNERSHIP: Final = bytes.fromhex("60536172")

REVERTS: Final[dict[bytes, tuple[str, str]]] = {
    bytes.fromhex("30cd7471"): (
        "not-owner",
        "only the contract's owner may do that, or who was offered the ownership",
    ),
    bytes.fromhex("c5446884"): ("not-submitter", "the account is not among the submitters"),
    bytes.fromhex("33d48f80"): ("no-address", "an account is named, not the zero address"),
    bytes.fromhex("15108c0a"): ("wrong-size", "another size is pinned by now, or the new one is not larger"),
    bytes.fromhex("09bde339"): ("inconsistent", "the checkpoint does not continue the one that is pinned"),
}
"""What the contract's errors mean: a code and a sentence by selector."""

_LOG = b"vcid.ledger.evm.log.v1"
_MAX_PROOF = 64


@dataclass(frozen=True, slots=True)
class Pin:
    """A checkpoint as the contract holds it.

    Attributes:
        size: the number of leaves.
        root: their root.
        time: the timestamp of the block that pinned it, in seconds since 1970.
    """

    size: int
    root: bytes
    time: int

    @classmethod
    def decode(cls, data: bytes) -> Self | None:
        """Read what ``checkpoint()`` returns; nothing before the first pin.

        Raises:
            Malformed: the contract can't have said that.
        """
        if len(data) != 96:
            raise Malformed("pin", "three words")
        size, time = int.from_bytes(data[:32]), int.from_bytes(data[64:])
        if not any(data):
            return None
        if not 0 < size <= MAX_SIZE or not 0 < time <= MAX_SIZE:
            raise Malformed("pin", "a size and a time from 1 to 2^63 - 1")
        return cls(size, data[32:64], time)


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """Where a log's contract stands: all that has to be known in advance of it.

    Attributes:
        origin: the log's name.
        chain_id: the network's number (EIP-155), which signatures of transactions cover.
        address: the contract's 20 bytes.
        block_number: the height of the block that the contract was deployed in.
        block_hash: that block's hash. Two networks can share a number, and then an address and a code.
        code_hash: SHA-256 of the code at the address.
    """

    origin: str
    chain_id: int
    address: bytes
    block_number: int
    block_hash: bytes
    code_hash: bytes = CODE_HASH

    def __post_init__(self) -> None:
        check_name(self.origin)
        if not 0 < self.chain_id < 1 << 256 or not 0 <= self.block_number <= MAX_SIZE:
            raise ValueError("a chain id from 1 and a block's height")
        if len(self.address) != 20 or len(self.block_hash) != 32 or len(self.code_hash) != 32:
            raise ValueError("an address of 20 bytes and hashes of 32")

    def to_json(self) -> JsonObject:
        """The deployment as JSON, in the terms of the Ethereum API."""
        return {
            "origin": self.origin,
            "chainId": hex(self.chain_id),
            "address": to_hex(self.address),
            "blockNumber": hex(self.block_number),
            "blockHash": to_hex(self.block_hash),
            "codeSha256": to_hex(self.code_hash),
        }

    @classmethod
    def from_json(cls, value: JsonObject) -> Self:
        """Read a deployment from JSON.

        Raises:
            Malformed: it is none.
        """
        members = {"origin", "chainId", "address", "blockNumber", "blockHash", "codeSha256"}
        origin = value.get("origin")
        if value.keys() != members or not isinstance(origin, str):
            raise Malformed("deployment", f"an object with {', '.join(sorted(members))}")
        try:
            return cls(
                origin=origin,
                chain_id=read_quantity(value["chainId"], where="/chainId"),
                address=read_data(value["address"], length=20, where="/address"),
                block_number=read_quantity(value["blockNumber"], bits=63, where="/blockNumber"),
                block_hash=read_data(value["blockHash"], length=32, where="/blockHash"),
                code_hash=read_data(value["codeSha256"], length=32, where="/codeSha256"),
            )
        except ValueError as error:
            raise Malformed("deployment", f"{error}") from error


def hash_origin(origin: str) -> bytes:
    """Hash a log's name into the word by which its contract names it."""
    return sha256(frame(_LOG, origin.encode())).digest()


def word(value: int | bytes) -> bytes:
    """Write a number, or an address, as a word."""
    return value.to_bytes(32) if isinstance(value, int) else value.rjust(32, b"\0")


def read_address(data: bytes) -> bytes:
    """Read an address from a word.

    Raises:
        Malformed: it is none.
    """
    if len(data) != 32 or any(data[:12]):
        raise Malformed("address", "an address in a word")
    return data[12:]


def encode_pin(old_size: int, new_size: int, root: bytes, proof: Sequence[bytes]) -> bytes:
    """Write a call that pins a checkpoint."""
    if not 0 <= old_size < new_size <= MAX_SIZE or len(root) != 32 or len(proof) > _MAX_PROOF:
        raise ValueError("the new size is larger than the old one, and a proof has at most 64 hashes")
    if any(len(step) != 32 for step in proof):
        raise ValueError("each hash of a proof has 32 bytes")
    # The proof begins behind the four words of the head.
    return b"".join([PIN, word(old_size), word(new_size), root, word(128), word(len(proof)), *proof])


def encode_deployment(origin: str, *, owner: bytes, submitter: bytes) -> bytes:
    """Write the data of the transaction that deploys a log's contract."""
    code = read_data(artifact()["creationCode"])
    return code + hash_origin(origin) + word(owner) + word(submitter)


def artifact() -> JsonObject:
    """What the compiler made of the contract."""
    return json.parse_object(files("vcid.ledger").joinpath("CheckpointPins.json").read_bytes())


def explain(data: bytes) -> tuple[str, str]:
    """Say what a contract that reverted means, as a code and a sentence."""
    return REVERTS.get(data[:4], ("reverted", "the contract refuses the transaction"))

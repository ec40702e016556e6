"""Sending transactions to an EVM chain: fees, nonces, replacements, receipts. Needs the extra ``evm``.

An account has one transaction on its way at a time, under the lowest nonce that no block has taken. So
nothing of it has to be remembered: after a crash, or beside another process of the same account, the next
transaction meets the former one under its nonce, and one of the two takes effect. What is sent must therefore
be harmless to repeat; a pin is, because it names the size that it continues.
"""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, Protocol

from vcid.errors import Conflict, LimitExceeded, Malformed, Unavailable
from vcid.ledger.evm_contract import explain
from vcid.ledger.evm_rpc import LATEST, ErrorAnswer, read_data, read_quantity, to_hex

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.encoding.json import JSON, JsonObject
    from vcid.ledger.evm_rpc import Node

_TIP: Final = 10**9
# Pools replace a transaction for at least a tenth more.
_RAISE_PERCENT: Final = 125
_GAS_PERCENT: Final = 120


@dataclass(frozen=True, slots=True)
class Fee:
    """The price of a unit of gas, in wei.

    Attributes:
        most: the most that is paid.
        tip: how much of it the block's producer gets (EIP-1559); nothing in a network before London, where
            the whole price is the producer's.
    """

    most: int
    tip: int | None

    def raised(self) -> Fee:
        """The price by which a transaction replaces one of this price."""
        tip = None if self.tip is None else self.tip * _RAISE_PERCENT // 100 + 1
        return Fee(self.most * _RAISE_PERCENT // 100 + 1, tip)


@dataclass(frozen=True, slots=True, kw_only=True)
class Transaction:
    """A transaction that moves no money.

    Attributes:
        chain_id: the network's number.
        nonce: how many of the account's transactions come before.
        gas: the most units that it may use.
        data: the call, or the code of a contract.
        to: the contract's 20 bytes; none to deploy one.
        fee: what a unit costs.
    """

    chain_id: int
    nonce: int
    gas: int
    data: bytes
    to: bytes | None
    fee: Fee


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """A transaction as it is sent, and its hash, by which its receipt is found."""

    raw: bytes
    hash: bytes


class Account(Protocol):
    """Signs transactions; a module of hardware can stand behind it."""

    @property
    def address(self) -> bytes:
        """The account's 20 bytes."""

    def sign(self, transaction: Transaction) -> SignedTransaction:
        """Sign a transaction."""


class LocalAccount:
    """An account whose secp256k1 key, of 32 bytes, is in this process's memory."""

    __slots__ = ("_account", "address")

    def __init__(self, private_key: bytes) -> None:
        limit = sys.getrecursionlimit()
        from eth_account import Account as EthAccount

        # One of its parts raises this for the whole process, far beyond what the stack holds.
        sys.setrecursionlimit(limit)
        self._account = EthAccount.from_key(private_key)
        self.address = read_data(self._account.address, length=20)

    def sign(self, transaction: Transaction) -> SignedTransaction:
        """Sign a transaction."""
        members: dict[str, object] = {
            "chainId": transaction.chain_id,
            "nonce": transaction.nonce,
            "gas": transaction.gas,
            "value": 0,
            "data": transaction.data,
        }
        if transaction.to is not None:
            members["to"] = transaction.to
        fee = transaction.fee
        if fee.tip is None:
            members["gasPrice"] = fee.most
        else:
            members |= {"maxFeePerGas": fee.most, "maxPriorityFeePerGas": min(fee.tip, fee.most)}
        signed = self._account.sign_transaction(members)
        return SignedTransaction(bytes(signed.raw_transaction), bytes(signed.hash))


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a transaction may cost and how long it may take, whatever a node says.

    Attributes:
        fee: the most that a unit of gas may cost, in wei, in the last replacement too.
        tip: how much of it goes to the block's producer, in wei.
        gas: the most units that a transaction may use.
        polls: how often a receipt is asked for before the transaction is replaced.
        interval: how many seconds lie between.
        replacements: how often it is sent again for more.
    """

    fee: int
    tip: int = _TIP
    gas: int = 1_000_000
    polls: int = 20
    interval: float = 6.0
    replacements: int = 3

    def __post_init__(self) -> None:
        if (
            min(self.fee, self.tip, self.replacements) < 0
            or min(self.gas, self.polls) < 1
            or self.interval < 0
        ):
            raise ValueError(
                "fees, replacements and intervals are not negative; gas and polls are at least 1"
            )


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction that one node says is in a block and took effect; that block may yet be undone.

    Attributes:
        hash: the transaction's.
        block_number: the block's height.
        block_hash: the block's hash.
        gas: how many units it used.
        contract: the address of the contract that it deployed.
    """

    hash: bytes
    block_number: int
    block_hash: bytes
    gas: int
    contract: bytes | None


@dataclass(frozen=True, slots=True)
class Sender:
    """Sends one account's transactions through one node.

    Attributes:
        node: the node.
        chain_id: the network's number, which every signature covers.
        account: signs.
        limits: what may be spent.
        sleep: waits for some seconds.
    """

    node: Node
    chain_id: int
    account: Account
    limits: Limits
    sleep: Callable[[float], object] = field(default=time.sleep, repr=False)

    def send(self, data: bytes, to: bytes | None = None) -> Mined:
        """Send a transaction and wait until a block holds it.

        1. Find out what it uses; one that the contract would refuse is not sent.
        2. Sign it under the account's lowest free nonce, for what gas costs now.
        3. Ask for its receipt; when it is stuck, send it again for more, up to the limits.

        Args:
            data: the call, or the code of a contract.
            to: the contract; none to deploy one.

        Raises:
            Conflict: the contract refuses it (the codes of ``vcid.ledger.evm_contract.REVERTS``, or
                ``reverted``), the node is on another chain (``wrong-chain``), or another transaction of the
                account took the nonce (``nonce-race``): look what is the case now, and send again.
            LimitExceeded: it would use too much gas.
            Unavailable: the node doesn't answer, the account can't pay (``no-funds``), gas is too dear
                (``fee``), or no block took the transaction (``stuck``).
            Malformed: the node's answers are none.
        """
        if self.node.quantity("eth_chainId") != self.chain_id:
            raise Conflict("wrong-chain", f"{self.node.name} is on a chain of another number")
        call: JsonObject = {"from": to_hex(self.account.address), "data": to_hex(data)}
        if to is not None:
            call["to"] = to_hex(to)
        transaction = Transaction(
            chain_id=self.chain_id,
            nonce=self.count(),
            gas=self._estimate(call),
            data=data,
            to=to,
            fee=self._price(),
        )
        return _Delivery(self).run(transaction)

    def count(self) -> int:
        """Count the account's transactions that stand in blocks, which gives the lowest free nonce."""
        count = self.node.quantity("eth_getTransactionCount", to_hex(self.account.address), LATEST)
        if count >> 63:
            raise Malformed("rpc-quantity", "a nonce below 2^63", where="eth_getTransactionCount")
        return count

    def _estimate(self, call: JsonObject) -> int:
        try:
            # In blocks alone: what is still on its way may be what this transaction is to replace.
            gas = self.node.quantity("eth_estimateGas", call, LATEST) * _GAS_PERCENT // 100
        except ErrorAnswer as error:
            if error.kind == "reverted":
                raise Conflict(*explain(error.data)) from error
            raise
        if gas > self.limits.gas:
            raise LimitExceeded("gas", f"a transaction of at most {self.limits.gas} units of gas")
        return gas

    def _price(self) -> Fee:
        head = self.node.block(LATEST)
        if head is None or head.base_fee is None:
            fee = Fee(self.node.quantity("eth_gasPrice"), None)
            dear = fee.most > self.limits.fee
        else:
            # Twice the base fee lasts for six full blocks.
            fee = Fee(min(2 * head.base_fee + self.limits.tip, self.limits.fee), self.limits.tip)
            dear = head.base_fee > self.limits.fee
        if dear:
            raise Unavailable("gas costs more than the limit now; try again later", code="fee")
        return fee


class _Delivery:
    """One transaction on its way, with all its replacements."""

    __slots__ = ("_hashes", "_sender")

    def __init__(self, sender: Sender) -> None:
        self._sender = sender
        self._hashes: list[bytes] = []

    def run(self, transaction: Transaction) -> Mined:
        limits = self._sender.limits
        for _ in range(limits.replacements + 1):
            taken = self._offer(transaction)
            mined = self._await(transaction.nonce, polls=limits.polls if taken else 1)
            if mined is not None:
                return mined
            transaction = replace(transaction, fee=transaction.fee.raised())
            if transaction.fee.most > limits.fee:
                break
        raise Unavailable("no block took the transaction for the fee that is allowed", code="stuck")

    def _offer(self, transaction: Transaction) -> bool:
        """Hand the transaction to the node; false if what it pays is too little to replace another."""
        signed = self._sender.account.sign(transaction)
        try:
            found = self._sender.node.data("eth_sendRawTransaction", to_hex(signed.raw))
        except ErrorAnswer as error:
            if error.kind == "no-funds":
                raise Unavailable("the account can't pay for the transaction", code="no-funds") from error
            if error.kind not in {"known", "underpriced", "nonce-used"}:
                raise
            if error.kind == "known":
                self._hashes.append(signed.hash)
            return error.kind != "underpriced"
        if found != signed.hash:
            raise Malformed("rpc-hash", "the hash of the transaction that was sent")
        self._hashes.append(signed.hash)
        return True

    def _await(self, nonce: int, *, polls: int) -> Mined | None:
        for poll in range(polls):
            if poll:
                self._sender.sleep(self._sender.limits.interval)
            # The count is taken first, so that a receipt that comes to be between the two questions is found.
            is_passed = self._sender.count() > nonce
            for transaction_hash in self._hashes:
                mined = self._read_receipt(transaction_hash)
                if mined is not None:
                    return mined
            if is_passed:
                raise Conflict("nonce-race", "another transaction of the account took the nonce")
        return None

    def _read_receipt(self, transaction_hash: bytes) -> Mined | None:
        method = "eth_getTransactionReceipt"
        found = self._sender.node.call(method, to_hex(transaction_hash))
        if found is None:
            return None
        if not isinstance(found, dict):
            raise Malformed("rpc-receipt", "a receipt", where=method)
        if read_data(found.get("transactionHash"), where=method) != transaction_hash:
            raise Malformed("rpc-receipt", "the receipt of the transaction that was asked for", where=method)
        mined = _decode_receipt(found, transaction_hash)
        if read_quantity(found.get("status"), bits=1, where=method) != 1:
            raise Conflict("reverted", "the contract refused the transaction in its block")
        return mined


def _decode_receipt(found: dict[str, JSON], transaction_hash: bytes) -> Mined:
    method, contract = "eth_getTransactionReceipt", found.get("contractAddress")
    return Mined(
        transaction_hash,
        read_quantity(found.get("blockNumber"), bits=63, where=method),
        read_data(found.get("blockHash"), length=32, where=method),
        read_quantity(found.get("gasUsed"), bits=63, where=method),
        None if contract is None else read_data(contract, length=20, where=method),
    )

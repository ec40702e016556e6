"""Writing to a log's contract: deploying it, pinning checkpoints, changing who may. Needs the extra ``evm``.

A pin that is written is no more than pending: whether and when it counts, ``vcid.ledger.evm`` judges, through
several nodes. Before it pins, a log compares itself with what is pinned: a chain that knows more than the
log is how a restored backup shows.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from vcid.encoding.merkle import verify_consistency
from vcid.errors import Behind, Conflict, InvalidProof, Malformed, Unavailable
from vcid.ledger.evm_contract import (
    CANDIDATE,
    CHECKPOINT,
    CODE_HASH,
    IS_SUBMITTER,
    LOG,
    OFFER_OWNERSHIP,
    OWNER,
    SET_SUBMITTER,
    TAKE_OWNERSHIP,
    Deployment,
    Pin,
    encode_deployment,
    encode_pin,
    hash_origin,
    read_address,
    word,
)
from vcid.ledger.evm_rpc import LATEST

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vcid.ledger.anchor import View
    from vcid.ledger.evm_sending import Mined, Sender
    from vcid.ledger.notes import Checkpoint

_ATTEMPTS = 5
_MEND = "this is an old copy of the log, put its newest copy back"


def deploy(sender: Sender, origin: str, *, owner: bytes, submitter: bytes) -> Deployment:
    """Deploy a log's contract.

    Args:
        sender: pays for it, and has no rights in it.
        origin: the log's name.
        owner: the account that changes the submitters; best one that several people sign for.
        submitter: the account that may pin.

    Returns:
        Where it stands. Wait until that block is final before anybody relies on it.

    Raises:
        Conflict: the node says that something else was deployed (``other-contract``).
    """
    mined = sender.send(encode_deployment(origin, owner=owner, submitter=submitter))
    if mined.contract is None:
        raise Malformed("rpc-receipt", "the address of the contract that was deployed")
    deployment = Deployment(
        origin=origin,
        chain_id=sender.chain_id,
        address=mined.contract,
        block_number=mined.block_number,
        block_hash=mined.block_hash,
    )
    contract = Contract(sender, deployment)
    if contract.owner() != owner or not contract.is_submitter(submitter):
        raise Conflict("other-contract", "the contract has another owner or submitter")
    return deployment


@dataclass(frozen=True, slots=True)
class Contract:
    """A log's contract, through the eyes of one node: good enough to write, not to rely on.

    Each change returns the transaction, or nothing if it was the case already.

    Attributes:
        sender: sends, for an account that may.
        deployment: the contract.

    Raises:
        Conflict: another contract stands there (``other-contract``).
    """

    sender: Sender
    deployment: Deployment

    def __post_init__(self) -> None:
        if self.sender.chain_id != self.deployment.chain_id:
            raise ValueError("the sender signs for another chain than the contract is on")
        code = self.sender.node.code(self.deployment.address, LATEST)
        if sha256(code).digest() != self.deployment.code_hash or self.deployment.code_hash != CODE_HASH:
            raise Conflict("other-contract", "another code stands at the address")
        if self._view(LOG) != hash_origin(self.deployment.origin):
            raise Conflict("other-contract", "the contract is of another log")

    def newest(self) -> Pin | None:
        """What is pinned in the node's newest block."""
        return Pin.decode(self._view(CHECKPOINT))

    def owner(self) -> bytes:
        """The account that changes the submitters."""
        return read_address(self._view(OWNER))

    def candidate(self) -> bytes:
        """The account that the ownership is offered to; zeros for none."""
        return read_address(self._view(CANDIDATE))

    def is_submitter(self, account: bytes) -> bool:
        """Whether an account may pin."""
        return self._view(IS_SUBMITTER + word(account)) == word(1)

    def compare(
        self, checkpoint: Checkpoint | View, consistency: Callable[[int, int], Sequence[bytes]]
    ) -> Pin | None:
        """Look whether the log contains what is pinned; do so before a checkpoint is signed, too.

        Args:
            checkpoint: the log's newest.
            consistency: the log's, as ``Ledger.consistency``.

        Returns:
            What is pinned in the node's newest block.

        Raises:
            Behind: it is not in the log: a restored backup, or a submitter who pinned a fork.
        """
        pin = self.newest()
        if pin is None or (pin.size, pin.root) == (checkpoint.size, checkpoint.root):
            return pin
        ends = (checkpoint, pin) if checkpoint.size < pin.size else (pin, checkpoint)
        old, new = ends
        try:
            if old.size:
                verify_consistency(old.size, new.size, consistency(old.size, new.size), old.root, new.root)
            else:
                consistency(old.size, new.size)
        except InvalidProof as error:
            raise Behind(f"the chain knows other leaves than the log has: {_MEND}") from error
        except ValueError as error:
            raise Behind(f"the chain knows {pin.size} leaves, more than the log has: {_MEND}") from error
        return pin

    def pin(
        self, checkpoint: Checkpoint | View, consistency: Callable[[int, int], Sequence[bytes]]
    ) -> Mined | None:
        """Pin a checkpoint, unless it or a larger one that continues it is pinned.

        Args:
            checkpoint: the log's.
            consistency: the log's, as ``Ledger.consistency``.

        Raises:
            Behind: what is pinned is not in the log.
            Conflict: the contract refuses it, or it is not pinned although the node says so (``no-effect``).
            Unavailable: as ``Sender.send``.
        """

        def make_call() -> bytes | None:
            known = self.compare(checkpoint, consistency)
            if known is None:
                return encode_pin(0, checkpoint.size, checkpoint.root, [])
            if known.size >= checkpoint.size:
                return None
            proof = consistency(known.size, checkpoint.size)
            return encode_pin(known.size, checkpoint.size, checkpoint.root, proof)

        return self._settle(make_call)

    def set_submitter(self, account: bytes, *, allowed: bool) -> Mined | None:
        """Let an account pin, or no longer; for the owner.

        Raises:
            Conflict: the sender is not the owner (``not-owner``), or as ``Sender.send``.
        """
        data = SET_SUBMITTER + word(account) + word(int(allowed))
        return self._settle(lambda: None if self.is_submitter(account) == allowed else data)

    def offer_ownership(self, candidate: bytes) -> Mined | None:
        """Offer the ownership to an account, which has to take it; for the owner.

        Raises:
            Conflict: the sender is not the owner (``not-owner``), or as ``Sender.send``.
        """
        data = OFFER_OWNERSHIP + word(candidate)
        return self._settle(lambda: None if self.candidate() == candidate else data)

    def take_ownership(self) -> Mined | None:
        """Take the ownership that was offered to the sender's account.

        Raises:
            Conflict: it was not (``not-owner``), or as ``Sender.send``.
        """
        own = self.sender.account.address
        return self._settle(lambda: None if self.owner() == own else TAKE_OWNERSHIP)

    def _settle(self, make_call: Callable[[], bytes | None]) -> Mined | None:
        """Send what has to be sent until nothing has to.

        The call is made anew each time, because somebody else may have done meanwhile what it is for.
        """
        mined = None
        for _ in range(_ATTEMPTS):
            data = make_call()
            if data is None:
                return mined
            if mined is not None:
                raise Conflict("no-effect", "the node reports a success that is not to be seen")
            try:
                mined = self.sender.send(data, self.deployment.address)
            except Conflict as error:
                if error.code not in {"nonce-race", "wrong-size", "reverted"}:
                    raise
        raise Unavailable("other transactions keep coming first; try again", code="nonce-race")

    def _view(self, data: bytes) -> bytes:
        return self.sender.node.view(self.deployment.address, data, LATEST)

"""Reading what is pinned on an EVM chain, and what a verifier may conclude from it.

One node can be mistaken, behind, or lying, and no answer of it proves anything. So a reader asks several and
believes what all of them say of one block; it knows in advance the chain, the address, the code and the block
of the deployment; and it takes for final only what the network says can't be undone, or what stands under a
number of blocks that the operator chose. Until then a pin is pending, which is never ``ok``.

A pin shows that a log only grew, and since when a checkpoint stood. It doesn't show that the checkpoint's
heads are true: for that, see ``vcid.ledger.evm_bridge``.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from hashlib import sha256
from typing import TYPE_CHECKING

from vcid.encoding.dates import utc_now
from vcid.encoding.merkle import verify_consistency
from vcid.errors import Conflict, InvalidProof, Malformed, Unavailable
from vcid.ledger.anchor import Judgement, Outcome
from vcid.ledger.evm_contract import CHECKPOINT, LOG, Pin, hash_origin
from vcid.ledger.evm_rpc import FINALIZED, LATEST, Block, ErrorAnswer, at_block

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vcid.ledger.anchor import View
    from vcid.ledger.evm_contract import Deployment
    from vcid.ledger.evm_rpc import Node
    from vcid.ledger.notes import Checkpoint

_CODES_OF_FORKS = frozenset({"nodes-disagree"})
_CENTURY = 100 * 365 * 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Finality:
    """When a block counts, on one network.

    Attributes:
        confirmations: how many blocks have to stand on a block; by default the network itself says which
            block is final (``finalized``), and a node that can't say so is of no use. Zero suits networks
            alone whose every block is final, such as QBFT and IBFT 2.0.
        max_age: how old a node's newest block may be, lest the node be behind.
        max_final_age: how old the newest final block may be. A node that keeps to an old one would hide by it
            what was pinned since.
        clock_skew: how far a block's time may lie ahead of the reader's clock.
    """

    confirmations: int | None = None
    max_age: timedelta = timedelta(minutes=30)
    max_final_age: timedelta = timedelta(hours=2)
    clock_skew: timedelta = timedelta(minutes=5)

    def __post_init__(self) -> None:
        if self.confirmations is not None and self.confirmations < 0:
            raise ValueError("a number of confirmations is not negative")
        if min(self.max_age, self.max_final_age, self.clock_skew) < timedelta(0):
            raise ValueError("ages and skews are not negative")


@dataclass(frozen=True, slots=True)
class Reading:
    """What all nodes say of one final block, and each of its own newest one.

    Attributes:
        block: the final block.
        final: what is pinned there; nothing before the first pin.
        newest: what is pinned in each node's newest block, which may yet be undone.
    """

    block: Block
    final: Pin | None
    newest: tuple[Pin | None, ...]


class PinReader:
    """Reads one contract through several nodes, all of which have to agree.

    Args:
        nodes: run by oneself, or by operators who would not lie together; of one, all is believed.
        deployment: the contract.
        finality: when a block counts.
        clock: gives the time, with its zone.
    """

    __slots__ = ("_clock", "_deployment", "_finality", "_nodes")

    def __init__(
        self,
        nodes: Sequence[Node],
        deployment: Deployment,
        *,
        finality: Finality | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        if not nodes:
            raise ValueError("a reader needs a node")
        self._nodes = tuple(nodes)
        self._deployment = deployment
        self._finality = finality or Finality()
        self._clock = clock

    @property
    def deployment(self) -> Deployment:
        """The contract that is read."""
        return self._deployment

    def read(self) -> Reading:
        """Ask every node.

        1. Each is on the chain, not behind, and says which of its blocks is final.
        2. All have the same block at the height that is final to all of them.
        3. The contract is the one that was deployed, in that block, to each of them.
        4. All say the same of what it holds there.

        Raises:
            Conflict: a node is on another chain (``wrong-chain``), another contract stands at the address
                (``other-contract``), or the nodes contradict one another (``nodes-disagree``).
            Unavailable: a node doesn't answer, is behind (``stale-node``), can't say which block is final
                (``finality-unknown``), or the deployment is not final yet (``pending``).
            Malformed: an answer is none.
        """
        heads, finals = zip(*(self._survey(node) for node in self._nodes), strict=True)
        block = min(finals, key=lambda one: one.number)
        for node in self._nodes:
            found = node.block(block.number)
            if found is None or (found.hash, found.time) != (block.hash, block.time):
                raise _disagreement(f"{node.name} has another final block {block.number}")
        for node in self._nodes:
            self._check_contract(node, block)
        pins = {self._pin(node, block) for node in self._nodes}
        if len(pins) != 1:
            raise _disagreement(f"the nodes tell different pins of block {block.number}")
        newest = tuple(self._pin(node, head) for node, head in zip(self._nodes, heads, strict=True))
        return Reading(block, pins.pop(), newest)

    def judge(
        self, checkpoint: Checkpoint | View, consistency: Callable[[int, int], Sequence[bytes]] | None = None
    ) -> Judgement:
        """Read the pin and judge a checkpoint by it; whatever the nodes answer, this raises nothing.

        Args:
            checkpoint: the log's.
            consistency: proves that the log grew from one size to another, as ``Ledger.consistency`` does,
                for when another checkpoint than this is pinned.

        Returns:
            As `judge_pin`; ``FORK`` if the nodes contradict one another, and ``UNAVAILABLE`` with the code of
            whatever else keeps the pin from being read.
        """
        try:
            return judge_pin(checkpoint, self.read(), consistency)
        except Conflict as error:
            outcome = Outcome.FORK if error.code in _CODES_OF_FORKS else Outcome.UNAVAILABLE
            return Judgement(outcome, error.code)
        except (Unavailable, Malformed) as error:
            return Judgement(Outcome.UNAVAILABLE, error.code)

    def _survey(self, node: Node) -> tuple[Block, Block]:
        """Find a node's newest block and its newest final one."""
        if node.quantity("eth_chainId") != self._deployment.chain_id:
            raise Conflict("wrong-chain", f"{node.name} is on a chain of another number")
        deployed_in = node.block(self._deployment.block_number)
        if deployed_in is None:
            raise Unavailable(f"{node.name} lacks the block of the deployment", code="stale-node")
        if deployed_in.hash != self._deployment.block_hash:
            raise Conflict("wrong-chain", f"{node.name} has another block where the contract was deployed")
        head = node.block(LATEST)
        if head is None:
            raise Unavailable(f"{node.name} has no block", code="stale-node")
        self._check_age(node, head)
        final = self._find_final(node, head)
        if final.number > head.number or final.time > head.time:
            raise _disagreement(
                f"{node.name} contradicts itself: what is final is newer than its newest block"
            )
        if final.number < self._deployment.block_number:
            raise Unavailable("the deployment is not final yet", code="pending")
        if self._age(final) > self._finality.max_final_age:
            raise Unavailable(f"the newest final block of {node.name} is too old", code="stale-node")
        return head, final

    def _check_age(self, node: Node, head: Block) -> None:
        age = self._age(head)
        if -age > self._finality.clock_skew:
            raise Unavailable(f"the newest block of {node.name} lies in the future", code="clock-behind")
        if age > self._finality.max_age:
            raise Unavailable(f"the newest block of {node.name} is too old", code="stale-node")

    def _age(self, block: Block) -> timedelta:
        seconds = int(self._clock().timestamp()) - block.time
        return timedelta(seconds=max(min(seconds, _CENTURY), -_CENTURY))

    def _find_final(self, node: Node, head: Block) -> Block:
        confirmations = self._finality.confirmations
        if confirmations is not None:
            final = node.block(max(head.number - confirmations, 0))
        else:
            try:
                final = node.block(FINALIZED)
            except ErrorAnswer as error:
                raise _no_finality(node) from error
        if final is None:
            raise _no_finality(node)
        return final

    def _check_contract(self, node: Node, block: Block) -> None:
        address = self._deployment.address
        if sha256(node.code(address, at_block(block))).digest() != self._deployment.code_hash:
            raise Conflict("other-contract", f"to {node.name} another code stands at the address")
        if node.view(address, LOG, at_block(block)) != hash_origin(self._deployment.origin):
            raise Conflict("other-contract", f"to {node.name} the contract is of another log")

    def _pin(self, node: Node, block: Block) -> Pin | None:
        pin = Pin.decode(node.view(self._deployment.address, CHECKPOINT, at_block(block)))
        if pin is not None and pin.time > block.time:
            raise Malformed("pin", "a time no later than that of the block that holds it")
        return pin


def judge_pin(
    checkpoint: Checkpoint | View,
    reading: Reading,
    consistency: Callable[[int, int], Sequence[bytes]] | None = None,
) -> Judgement:
    """Judge a checkpoint by what is pinned, without I/O but for the proof that is asked for.

    Returns:
        ``OK`` if exactly this checkpoint is pinned and final, with the time of the pin's block, and no node's
        newest block holds a larger one: until that is final (``pending``), a node that keeps to an old final
        block can't hide it.
        ``SUPERSEDED`` if a larger one that continues it is, ``FORK`` if one is pinned that contradicts it,
        final or not. ``UNAVAILABLE`` if its pin may still be undone (``pending``), or with no proof between
        it and what is pinned (``no-consistency-proof``). ``NOT_ANCHORED`` if it isn't pinned.
    """
    final = reading.final
    time = datetime.fromtimestamp(final.time, UTC) if final else None
    match _relate(checkpoint, final, consistency):
        case _Relation.SAME:
            relations = {_relate(checkpoint, pin, consistency) for pin in reading.newest if pin}
            if not relations <= {_Relation.SAME, _Relation.AFTER}:
                return Judgement(*_judge_newest(relations), freshness=time)
            return Judgement(Outcome.OK, freshness=time, existence=time)
        case _Relation.BEFORE:
            judged = Outcome.SUPERSEDED, "larger-pin"
        case _Relation.FORK:
            judged = Outcome.FORK, "other-pin"
        case _Relation.UNPROVEN:
            judged = Outcome.UNAVAILABLE, "no-consistency-proof"
        case _Relation.AFTER:
            judged = _judge_newest({_relate(checkpoint, pin, consistency) for pin in reading.newest})
    return Judgement(*judged, freshness=time)


def _judge_newest(relations: set[_Relation]) -> tuple[Outcome, str]:
    """Judge a checkpoint that is not final by what is pinned in the newest blocks."""
    if _Relation.FORK in relations:
        return Outcome.FORK, "other-pin-pending"
    if relations <= {_Relation.AFTER}:
        return Outcome.NOT_ANCHORED, "not-pinned"
    return Outcome.UNAVAILABLE, "pending"


class _Relation(Enum):
    """How a checkpoint stands to a pin."""

    SAME = auto()
    BEFORE = auto()
    AFTER = auto()
    FORK = auto()
    UNPROVEN = auto()


def _relate(
    checkpoint: Checkpoint | View, pin: Pin | None, consistency: Callable[[int, int], Sequence[bytes]] | None
) -> _Relation:
    if pin is None:
        return _Relation.AFTER
    if checkpoint.size == pin.size:
        return _Relation.SAME if checkpoint.root == pin.root else _Relation.FORK
    relation = _Relation.BEFORE if checkpoint.size < pin.size else _Relation.AFTER
    if consistency is None:
        return _Relation.UNPROVEN if relation is _Relation.BEFORE else relation
    ends = (checkpoint, pin) if relation is _Relation.BEFORE else (pin, checkpoint)
    return relation if ends[0].size == 0 else _prove(relation, ends, consistency)


def _prove(
    relation: _Relation,
    ends: tuple[Checkpoint | View | Pin, Checkpoint | View | Pin],
    consistency: Callable[[int, int], Sequence[bytes]],
) -> _Relation:
    old, new = ends
    try:
        verify_consistency(old.size, new.size, consistency(old.size, new.size), old.root, new.root)
    except InvalidProof:
        return _Relation.FORK
    except ValueError:
        return _Relation.UNPROVEN  # The pin is beyond the log at hand.
    return relation


def _disagreement(detail: str) -> Conflict:
    return Conflict("nodes-disagree", detail)


def _no_finality(node: Node) -> Unavailable:
    return Unavailable(
        f"{node.name} can't say which block is final: set a number of confirmations", code="finality-unknown"
    )

"""Reading pins: what counts only when it is final, and nodes that lie, lag or are on another chain."""

import dataclasses
from datetime import timedelta

import pytest

from ledger.evm_node import GENESIS, Altering, refusal, result
from ledger.evm_scene import EvmScene
from ledger.scene import ORIGIN, digest
from vcid.errors import Conflict, Malformed, Unavailable
from vcid.ledger.anchor import Outcome
from vcid.ledger.evm import Finality, PinReader, Reading, judge_pin
from vcid.ledger.evm_contract import CHECKPOINT, Deployment, Pin, encode_pin, word
from vcid.ledger.evm_pinning import deploy
from vcid.ledger.evm_rpc import Block
from vcid.ledger.notes import Checkpoint


@pytest.fixture
def one(anvil):
    """A scene on one node."""
    return EvmScene(anvil())


@pytest.fixture
def two(anvil):
    """A scene on two nodes that were fed alike."""
    return EvmScene(anvil(name="node A"), anvil(name="node B"))


def fork_of(checkpoint):
    return dataclasses.replace(checkpoint, root=digest(99))


def test_a_pin_is_pending_until_it_is_final(one):
    """Then it is ok, since the time of the block that holds it."""
    checkpoint = one.publish()
    one.finalize()
    assert one.judge(checkpoint).code == "not-pinned"
    one.pin(checkpoint)
    pinned_at = one.nodes[0].time
    judgement = one.judge(checkpoint)
    assert (judgement.outcome, judgement.code) == (Outcome.UNAVAILABLE, "pending")
    one.finalize()
    judgement = one.judge(checkpoint)
    assert judgement.outcome is Outcome.OK
    assert judgement.freshness == judgement.existence
    assert judgement.existence.timestamp() == pinned_at


def test_what_a_larger_pin_continues_is_superseded(one):
    """With the log's proof; without one, nothing can be said."""
    small = one.pin()
    large = one.pin()
    one.finalize()
    assert one.judge(large)
    assert one.judge(small).outcome is Outcome.SUPERSEDED
    without = one.reader().judge(small)
    assert (without.outcome, without.code) == (Outcome.UNAVAILABLE, "no-consistency-proof")
    newest = one.publish()
    assert one.judge(newest).outcome is Outcome.NOT_ANCHORED


def test_a_checkpoint_that_contradicts_what_is_pinned_is_a_fork(one):
    """Of the same size, or smaller or larger than what is pinned; final or not."""
    small = one.pin()
    large = one.pin()
    assert one.judge(fork_of(large)).code == "other-pin-pending"
    one.finalize()
    assert one.judge(fork_of(large)).code == "other-pin"
    assert one.judge(fork_of(small)).outcome is Outcome.FORK
    assert one.judge(fork_of(one.publish())).outcome is Outcome.FORK


@pytest.mark.parametrize("then", ["nothing", "fork", "larger"])
def test_a_pin_that_a_reorganization_undoes_is_never_ok(one, then):
    """First pending, then not pinned, forked or superseded by what is pinned instead."""
    one.finalize()
    checkpoint = one.pin()
    assert one.judge(checkpoint).code == "pending"
    one.nodes[0].call("anvil_reorg", 1, [])
    assert one.judge(checkpoint).outcome is Outcome.NOT_ANCHORED
    if then == "fork":
        data = encode_pin(0, checkpoint.size, digest(99), [])
        one.contract.sender.send(data, one.deployment.address)
    elif then == "larger":
        one.pin()
    expected = {"nothing": Outcome.NOT_ANCHORED, "fork": Outcome.FORK, "larger": Outcome.SUPERSEDED}[then]
    before = one.judge(checkpoint)
    assert before.outcome in {expected, Outcome.UNAVAILABLE}
    one.finalize()
    assert one.judge(checkpoint).outcome is expected


def test_a_real_split_is_seen_when_it_is_final(two):
    """Two nodes fed alike have the same blocks, and agree; fed apart, they contradict one another."""
    checkpoint = two.pin()
    two.finalize()
    heads = [node.head() for node in two.nodes]
    assert heads[0] == heads[1]
    assert two.judge(checkpoint)
    left, right = two.nodes
    apart = two.publish()
    left.next_block_at(left.time + 1)
    proof = two.log.ledger.consistency(checkpoint.size, apart.size)
    data = encode_pin(checkpoint.size, apart.size, apart.root, proof)
    two.send_as(two.submitter, node=left.node).send(data, two.deployment.address)
    right.mine()  # It never hears of the pin.
    pending = two.judge(apart)
    assert (pending.outcome, pending.code) == (Outcome.UNAVAILABLE, "pending")
    two.finalize()
    for asked in (apart, checkpoint):
        judgement = two.judge(asked)
        assert (judgement.outcome, judgement.code) == (Outcome.FORK, "nodes-disagree")
    assert two.judge(apart, left.transport), "one node alone would have been believed"


def test_two_pins_of_one_size_on_two_sides_of_a_split(two):
    """A submitter who shows each side a log of its own is found out before either is final."""
    checkpoint = two.publish()
    left, right = two.nodes
    for node, root in ((left, checkpoint.root), (right, digest(99))):
        node.next_block_at(node.time + 5)
        data = encode_pin(0, checkpoint.size, root, [])
        two.send_as(two.submitter, node=node.node).send(data, two.deployment.address)
        node.mine()
    judgement = two.judge(checkpoint)
    assert judgement.outcome in {Outcome.FORK, Outcome.UNAVAILABLE}
    two.finalize()
    assert two.judge(checkpoint).outcome is Outcome.FORK


def test_a_node_that_is_a_little_behind_holds_the_answer_back(two):
    """What is final to all counts: nothing is forked, and nothing is ok too early."""
    left, right = two.nodes
    checkpoint = two.pin()
    left.finalize()
    assert two.judge(checkpoint, left.transport)
    judgement = two.judge(checkpoint)
    assert (judgement.outcome, judgement.code) == (Outcome.UNAVAILABLE, "pending")
    right.mine(left.head().number - right.head().number)
    assert two.judge(checkpoint)


def test_a_stale_node_is_of_no_use(two):
    """One that stopped, while the other goes on; and a reader's clock that is behind."""
    checkpoint = two.pin()
    two.finalize()
    left = two.nodes[0]
    left.next_block_at(left.time + 3600)
    left.call("evm_mine")
    assert two.judge(checkpoint, left.transport)
    judgement = two.judge(checkpoint)
    assert (judgement.outcome, judgement.code) == (Outcome.UNAVAILABLE, "stale-node")
    slow_clock = two.judge(checkpoint, left.transport, clock=lambda: two.clock() - timedelta(days=365))
    assert (slow_clock.outcome, slow_clock.code) == (Outcome.UNAVAILABLE, "clock-behind")


def test_a_node_that_keeps_to_an_old_final_block_hides_nothing(two):
    """Beside an honest one, it can't make what was superseded since look like the newest pin."""
    old = two.pin()
    two.finalize()
    left, right = two.nodes
    then = right.call("eth_getBlockByNumber", "finalized", False)
    for node in two.nodes:
        node.next_block_at(node.time + 3 * 3600)
        node.call("evm_mine")
    new = two.pin()
    two.finalize()

    def alter(request, ask):
        return result(then)(request, ask) if request["params"][0] == "finalized" else ask()

    liar = Altering(right.transport, eth_getBlockByNumber=alter)
    for order in ((left.transport, liar), (liar, left.transport), (liar,)):
        for asked in (old, new):
            judgement = two.judge(asked, *order)
            assert (judgement.outcome, judgement.code) == (Outcome.UNAVAILABLE, "stale-node")
    assert two.judge(new)
    assert two.judge(old).outcome is Outcome.SUPERSEDED


def test_a_network_without_finalized_needs_confirmations(one):
    """An error, or no such block: unknown; the operator can count confirmations instead."""
    checkpoint = one.pin()
    one.finalize()
    for answer in (refusal("unknown block", -39001), result(None)):

        def alter(request, ask, answer=answer):
            return answer(request, ask) if request["params"][0] == "finalized" else ask()

        node = Altering(one.nodes[0].transport, eth_getBlockByNumber=alter)
        judgement = one.judge(checkpoint, node)
        assert (judgement.outcome, judgement.code) == (Outcome.UNAVAILABLE, "finality-unknown")
        assert one.judge(checkpoint, node, confirmations=2)
        assert one.judge(checkpoint, node, confirmations=50).code == "pending"


def test_confirmations_are_counted(one):
    """With none, the newest block counts, as it may in a network whose every block is final."""
    checkpoint = one.pin()
    assert one.judge(checkpoint, confirmations=0)
    assert one.judge(checkpoint, confirmations=1).outcome is Outcome.UNAVAILABLE
    one.nodes[0].mine()
    assert one.judge(checkpoint, confirmations=1)


def test_another_chain_is_refused(one, anvil):
    """By its number; and one of the same number by its blocks, though address and code are the same."""
    checkpoint = one.pin()
    one.finalize()
    other_number = anvil(chain_id=1)
    assert one.judge(checkpoint, other_number.transport).code == "wrong-chain"
    twin = anvil()
    twin.next_block_at(GENESIS + 1000)
    again = EvmScene(twin)
    assert again.deployment.address == one.deployment.address
    assert again.deployment.block_hash != one.deployment.block_hash
    again.contract.pin(checkpoint, one.log.ledger.consistency)
    again.finalize()
    assert again.judge(checkpoint)
    judgement = one.judge(checkpoint, twin.transport)
    assert (judgement.outcome, judgement.code) == (Outcome.UNAVAILABLE, "wrong-chain")


def test_another_contract_is_refused(one):
    """One of another log, another code, and an address with none."""
    other = deploy(one.sender, "log.example/other", owner=one.owner.address, submitter=one.owner.address)
    checkpoint = one.pin()
    one.finalize()
    for changed in (
        {"address": other.address},
        {"code_hash": digest(1)},
        {"address": bytes(20)},
        {"origin": "log.example/other"},
    ):
        judgement = one.judge(checkpoint, deployment=dataclasses.replace(one.deployment, **changed))
        assert (judgement.outcome, judgement.code) == (Outcome.UNAVAILABLE, "other-contract")


def test_a_deployment_that_is_not_final_says_nothing(one):
    """It may yet be undone, and with it everything in it."""
    judgement = one.judge(one.publish())
    assert (judgement.outcome, judgement.code) == (Outcome.UNAVAILABLE, "pending")


def answer_pin(root):
    """A lie about what is pinned."""

    def alter(request, ask):
        if request["params"][0]["data"] != f"0x{CHECKPOINT.hex()}":
            return ask()
        return result(f"0x{(word(2) + root + word(GENESIS + 1)).hex()}")(request, ask)

    return alter


def alter_block(**members):
    def alter(request, ask):
        answer = ask()
        if isinstance(answer.get("result"), dict):
            answer["result"] |= members
        return answer

    return alter


def alter_final(request, ask):
    answer = ask()
    if answer["result"]["number"] not in {"0x0", "0x1"}:  # The contract was deployed in block 1.
        answer["result"]["hash"] = "0x" + "11" * 32
    return answer


LIES = {
    "pin": {"eth_call": answer_pin(digest(99))},
    "no pin": {"eth_call": result("0x" + "00" * 96)},
    "half a pin": {"eth_call": result("0x" + "00" * 95 + "01")},
    "a pin of no words": {"eth_call": result("0x")},
    "code": {"eth_getCode": result("0x6000")},
    "no code": {"eth_getCode": result("0x")},
    "chain": {"eth_chainId": result("0x1")},
    "number as a number": {"eth_chainId": result(31337)},
    "leading zeros": {"eth_chainId": result("0x0007a69")},
    "a huge number": {"eth_chainId": result("0x" + "f" * 500)},
    "a future block": {"eth_getBlockByNumber": alter_block(timestamp=hex(GENESIS + 10**6))},
    "a block of the end of time": {"eth_getBlockByNumber": alter_block(timestamp="0x7fffffffffffffff")},
    "an old block": {"eth_getBlockByNumber": alter_block(timestamp="0x1")},
    "a hash": {"eth_getBlockByNumber": alter_block(hash="0x" + "11" * 32)},
    "another final block": {"eth_getBlockByNumber": alter_final},
    "half a hash": {"eth_getBlockByNumber": alter_block(hash="0x11")},
    "a height": {"eth_getBlockByNumber": alter_block(number="0x3e7")},
    "no block": {"eth_getBlockByNumber": result(None)},
    "a block of text": {"eth_getBlockByNumber": result("block")},
    "an error": {"eth_call": refusal("header not found")},
    "not JSON": {"eth_call": lambda request, ask: b"<html>"},
    "nothing": {"eth_call": lambda request, ask: b""},
    "too much": {"eth_call": lambda request, ask: b" " * (2 << 20)},
    "too deep": {"eth_call": lambda request, ask: b"[" * 100_000},
    "another answer": {"eth_call": lambda request, ask: ask() | {"id": request["id"] + 1}},
    "the id as text": {"eth_call": lambda request, ask: ask() | {"id": str(request["id"])}},
    "result and error": {"eth_call": lambda request, ask: ask() | {"error": {"code": 1, "message": ""}}},
    "another version": {"eth_call": lambda request, ask: ask() | {"jsonrpc": "1.0"}},
}


def test_a_lying_node_never_makes_anything_ok(two):
    """Beside an honest node, whatever it says of a checkpoint that is pinned, or of one that isn't."""
    pinned = two.pin()
    two.finalize()
    left, right = two.nodes
    outcomes = {}
    for name, answers in LIES.items():
        for asked in (pinned, fork_of(pinned)):
            liar = Altering(right.transport, **answers)
            for order in ((left.transport, liar), (liar, left.transport)):
                judgement = two.judge(asked, *order)
                assert not judgement, name
                assert len(liar.asked) <= 20
                outcomes[name] = judgement.outcome
    assert outcomes["pin"] is outcomes["another final block"] is Outcome.FORK
    assert set(outcomes.values()) == {Outcome.FORK, Outcome.UNAVAILABLE}


def test_the_reader_raises_what_is_the_matter(one):
    """By type: a contradiction, an absence, an answer that is none."""
    one.pin()
    one.finalize()
    transport = one.nodes[0].transport
    with pytest.raises(Conflict, match="nodes-disagree"):
        one.reader(transport, Altering(transport, **LIES["pin"])).read()
    with pytest.raises(Unavailable, match="refuses eth_call"):
        one.reader(Altering(transport, **LIES["an error"])).read()
    with pytest.raises(Malformed, match="rpc-id"):
        one.reader(Altering(transport, **LIES["another answer"])).read()


BLOCK = Block(9, digest(9), 1000)


@pytest.mark.parametrize("time", [1001, 1 << 62])
def test_a_pin_is_no_younger_than_its_block(time):
    """Its time is that of a block before; a contract can't have said otherwise."""
    with pytest.raises(Malformed, match="pin"):
        PinReader._pin(StubReader(), StubNode(time), BLOCK)


class StubReader:
    _deployment = Deployment(
        origin=ORIGIN, chain_id=1, address=bytes(20), block_number=0, block_hash=bytes(32)
    )


class StubNode:
    def __init__(self, time):
        self.time = time

    def view(self, address, data, at):
        return word(1) + digest(1) + word(self.time)


def test_judging_needs_no_node():
    """The judgement is a function of what was read."""
    checkpoint = Checkpoint(ORIGIN, 4, digest(4))
    reading = Reading(BLOCK, Pin(4, digest(4), 900), (None,))
    assert judge_pin(checkpoint, reading)
    assert judge_pin(checkpoint, Reading(BLOCK, None, (None,))).code == "not-pinned"
    assert judge_pin(checkpoint, Reading(BLOCK, None, (None, Pin(4, digest(4), 900)))).code == "pending"
    assert judge_pin(checkpoint, Reading(BLOCK, None, (Pin(4, digest(5), 900),))).outcome is Outcome.FORK


def test_what_a_newest_block_supersedes_is_pending():
    """A final pin is not the last word while some node's newest block holds a larger one, or a contradiction."""
    checkpoint = Checkpoint(ORIGIN, 4, digest(4))
    same, larger, other = Pin(4, digest(4), 900), Pin(5, digest(5), 901), Pin(4, digest(5), 900)
    assert judge_pin(checkpoint, Reading(BLOCK, same, (same, same)))
    judgement = judge_pin(checkpoint, Reading(BLOCK, same, (same, larger)))
    assert (judgement.outcome, judgement.code) == (Outcome.UNAVAILABLE, "pending")
    assert judge_pin(checkpoint, Reading(BLOCK, same, (other, same))).outcome is Outcome.FORK


def test_a_reader_is_made_of_what_can_be():
    """At least one node, and no negative number of anything."""
    with pytest.raises(ValueError, match="node"):
        PinReader([], StubReader._deployment)
    for wrong in (
        {"confirmations": -1},
        {"max_age": timedelta(-1)},
        {"max_final_age": timedelta(-1)},
        {"clock_skew": timedelta(-1)},
    ):
        with pytest.raises(ValueError, match="negative"):
            Finality(**wrong)

"""Writing pins: nonces, stuck and reverted transactions, strangers, rotation, and what it costs."""

import dataclasses
import json
import threading
import time

import pytest

from ledger.evm_node import CHAIN_ID, Altering, refusal, result
from ledger.evm_scene import LIMITS, EvmScene
from ledger.scene import ORIGIN, digest
from vcid.errors import Behind, Conflict, LimitExceeded, Malformed, Unavailable, VcidError
from vcid.ledger.anchor import Outcome
from vcid.ledger.evm_contract import (
    PIN_EVENT,
    SET_SUBMITTER,
    TAKE_OWNERSHIP,
    Deployment,
    encode_pin,
    word,
)
from vcid.ledger.evm_pinning import Contract, deploy
from vcid.ledger.evm_rpc import Node
from vcid.ledger.evm_sending import Limits
from vcid.ledger.notes import Checkpoint


@pytest.fixture
def one(anvil):
    """A scene on one node."""
    return EvmScene(anvil())


def refuses(code):
    return pytest.raises(Conflict, match=rf"^{code}:")


def contract_of(scene, account, **answers):
    """The contract through the eyes of a node that alters answers."""
    node = Node(Altering(scene.nodes[0].transport, **answers), "a liar")
    return Contract(scene.send_as(account, node=node), scene.deployment)


def events(scene):
    query = {
        "fromBlock": "0x0",
        "address": f"0x{scene.deployment.address.hex()}",
        "topics": [f"0x{PIN_EVENT.hex()}"],
    }
    return scene.nodes[0].call("eth_getLogs", query)


def test_each_pin_leaves_an_event(one):
    """With the size, the root and the submitter, for anybody who watches."""
    checkpoints = [one.pin(), one.pin()]
    found = [(int(event["topics"][1], 16), event["data"]) for event in events(one)]
    assert found == [(pinned.size, f"0x{pinned.root.hex()}") for pinned in checkpoints]
    assert {event["topics"][2] for event in events(one)} == {f"0x{word(one.submitter.address).hex()}"}


def test_pinning_again_does_nothing(one):
    """What is pinned, or continued by what is, needs no transaction."""
    small = one.pin()
    assert one.contract.pin(small, one.log.ledger.consistency) is None
    one.pin()
    assert one.contract.pin(small, one.log.ledger.consistency) is None
    assert len(events(one)) == 2


def test_a_strangers_pin_is_refused(one):
    """Before it costs anything; and by the contract, if it is sent all the same."""
    stranger = one.account(66)
    checkpoint = one.publish()
    with refuses("not-submitter"):
        Contract(one.send_as(stranger), one.deployment).pin(checkpoint, one.log.ledger.consistency)
    forced = contract_of(one, stranger, eth_estimateGas=result("0x30d40"))
    with refuses("reverted"):
        forced.sender.send(encode_pin(0, 5, digest(5), []), one.deployment.address)
    assert one.contract.newest() is None
    assert events(one) == []


def test_a_reverted_transaction_reported_as_success_is_found_out(one):
    """Its effect is not to be seen, whatever the receipt says."""

    def succeed(request, ask):
        answer = ask()
        if answer["result"]:
            answer["result"]["status"] = "0x1"
        return answer

    lies = {"eth_estimateGas": result("0x30d40"), "eth_getTransactionReceipt": succeed}
    forced = contract_of(one, one.account(66), **lies)
    checkpoint = one.publish()
    with refuses("no-effect"):
        forced.pin(checkpoint, one.log.ledger.consistency)
    one.finalize()
    assert one.judge(checkpoint).outcome is Outcome.NOT_ANCHORED


def test_a_log_that_is_behind_the_chain_does_not_pin(one):
    """A restored backup, shorter or with other leaves; nothing is sent."""
    old = one.pin()
    newest = one.pin()
    backup = type(one.log)()
    with pytest.raises(Behind, match="more than the log has"):
        one.contract.compare(Checkpoint(ORIGIN, 0, digest(0)), backup.ledger.consistency)
    backup.ledger.append([backup.entry(content=7)])
    view = backup.ledger.publish()
    short = Checkpoint(ORIGIN, view.size, view.root)
    with pytest.raises(Behind):
        one.contract.pin(short, backup.ledger.consistency)
    for number in range(4):
        backup.ledger.append([backup.entry(list_id=f"other {number}")])
    view = backup.ledger.publish()
    with pytest.raises(Behind, match="other leaves"):
        one.contract.pin(Checkpoint(ORIGIN, view.size, view.root), backup.ledger.consistency)
    with pytest.raises(Behind, match="other leaves"):
        one.contract.compare(dataclasses.replace(newest, root=digest(9)), one.log.ledger.consistency)
    assert one.contract.compare(old, one.log.ledger.consistency).size == newest.size
    assert len(events(one)) == 2


def test_two_processes_of_one_account_pin_at_once(one):
    """Whoever loses the nonce looks again; there is one pin, and nobody fails."""
    one.pin()
    checkpoint = one.publish()
    faults = []

    def run():
        limits = dataclasses.replace(LIMITS, polls=50, interval=0.05)
        sender = one.send_as(one.submitter, node=one.nodes[0].node, limits=limits, sleep=time.sleep)
        try:
            contract = Contract(sender, one.deployment)
            contract.pin(checkpoint, one.log.ledger.consistency)
        except VcidError as error:
            faults.append(error)

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert faults == []
    assert len(events(one)) == 2


def test_another_transaction_under_the_nonce_is_noticed(one):
    """It came to a block first: the sender is told, and a pin is tried again."""
    node = one.nodes[0]
    node.call("evm_setAutomine", False)
    checkpoint = one.publish()
    other = one.send_as(one.submitter, limits=dataclasses.replace(LIMITS, polls=1, replacements=0))

    def overtake(_):
        node.call("anvil_dropAllTransactions")
        with pytest.raises(Unavailable, match="no block took"):
            other.send(TAKE_OWNERSHIP[:0], to=one.owner.address)
        node.mine()

    with refuses("nonce-race"):
        one.send_as(one.submitter, sleep=overtake).send(
            encode_pin(0, checkpoint.size, checkpoint.root, []), one.deployment.address
        )
    node.call("evm_setAutomine", True)
    one.contract.pin(checkpoint, one.log.ledger.consistency)
    assert one.contract.newest().root == checkpoint.root


def test_a_stuck_transaction_is_replaced_for_more(one):
    """Under the same nonce, up to the limits; whichever a block takes counts."""
    node = one.nodes[0]
    node.call("evm_setAutomine", False)
    waits = []

    def wait(_):
        waits.append([hex_tx["maxFeePerGas"] for hex_tx in pending(node)])
        if len(waits) == 4:
            node.mine()

    checkpoint = one.publish()
    contract = Contract(one.send_as(one.submitter, sleep=wait), one.deployment)
    mined = contract.pin(checkpoint, one.log.ledger.consistency)
    assert mined.gas > 0
    fees = [int(fee, 16) for (fee,) in waits]
    assert fees[0] == fees[1] < fees[2] == fees[3]
    assert contract.newest().root == checkpoint.root


def pending(node):
    accounts = node.call("txpool_content")["pending"].values()
    return [transaction for queue in accounts for transaction in queue.values()]


def test_what_no_block_takes_is_stuck(one):
    """No endless waiting and no fee beyond the limit; the next attempt meets the old one and replaces it."""
    node = one.nodes[0]
    node.call("evm_setAutomine", False)
    checkpoint = one.publish()
    with pytest.raises(Unavailable) as stuck:
        one.contract.pin(checkpoint, one.log.ledger.consistency)
    assert stuck.value.code == "stuck"
    (left,) = pending(node)
    assert int(left["maxFeePerGas"], 16) <= LIMITS.fee
    waited = []

    def wait(_):
        waited.append(None)
        if len(waited) == 2:
            node.mine()

    patient = dataclasses.replace(LIMITS, replacements=12)
    again = Contract(one.send_as(one.submitter, sleep=wait, limits=patient), one.deployment)
    again.pin(checkpoint, one.log.ledger.consistency)
    assert again.newest().root == checkpoint.root
    assert len(events(one)) == 1


def test_costs_have_a_ceiling(one):
    """A node can't make an account spend more than its operator allows."""
    checkpoint = one.publish()
    call = encode_pin(0, checkpoint.size, checkpoint.root, [])
    greedy = contract_of(one, one.submitter, eth_estimateGas=result(hex(10**7)))
    with pytest.raises(LimitExceeded, match="gas"):
        greedy.sender.send(call, one.deployment.address)

    def dear(request, ask):
        answer = ask()
        answer["result"]["baseFeePerGas"] = hex(LIMITS.fee + 1)
        return answer

    with pytest.raises(Unavailable) as fee:
        contract_of(one, one.submitter, eth_getBlockByNumber=dear).sender.send(call, one.deployment.address)
    assert fee.value.code == "fee"
    poor = one.send_as(one.account(5))
    one.nodes[0].call("anvil_setBalance", f"0x{poor.account.address.hex()}", "0x1")
    with pytest.raises(Unavailable):
        poor.send(b"", one.owner.address)
    assert one.contract.newest() is None


def test_a_network_before_london_has_one_price(one):
    """Its blocks have no base fee; the transaction is of the old form."""

    def old(request, ask):
        answer = ask()
        del answer["result"]["baseFeePerGas"]
        return answer

    checkpoint = one.publish()
    contract_of(one, one.submitter, eth_getBlockByNumber=old).pin(checkpoint, one.log.ledger.consistency)
    block = one.nodes[0].call("eth_getBlockByNumber", "latest", True)
    assert [transaction["type"] for transaction in block["transactions"]] == ["0x0"]
    assert one.contract.newest().root == checkpoint.root


@pytest.mark.parametrize("hardfork", ["berlin", "london", "paris"])
def test_the_contract_runs_on_older_networks(anvil, hardfork):
    """As a permissioned Besu may be: no instruction is younger, and gas may be free."""
    scene = EvmScene(anvil("--hardfork", hardfork))
    scene.pin()
    checkpoint = scene.pin()
    assert scene.judge(checkpoint, confirmations=0)


def test_gas_for_nothing(anvil):
    """A network where gas costs nothing takes transactions that pay nothing."""
    scene = EvmScene(anvil("--base-fee", "0", "--gas-price", "0"))
    free = scene.send_as(scene.submitter, limits=dataclasses.replace(LIMITS, fee=0, tip=0))
    scene.nodes[0].call("anvil_setNextBlockBaseFeePerGas", "0x0")
    scene.nodes[0].call("anvil_setBalance", f"0x{scene.submitter.address.hex()}", "0x0")
    scene.nodes[0].mine()
    scene.nodes[0].call("anvil_setNextBlockBaseFeePerGas", "0x0")
    checkpoint = scene.publish()
    Contract(free, scene.deployment).pin(checkpoint, scene.log.ledger.consistency)
    assert scene.contract.newest().root == checkpoint.root


def test_submitters_rotate(one):
    """The owner lets the next one in and the former one out; nobody else can."""
    following = one.account(2)
    contract = Contract(one.sender, one.deployment)
    assert contract.set_submitter(following.address, allowed=True)
    assert contract.set_submitter(following.address, allowed=True) is None
    assert contract.set_submitter(one.submitter.address, allowed=False)
    checkpoint = one.publish()
    with refuses("not-submitter"):
        one.contract.pin(checkpoint, one.log.ledger.consistency)
    Contract(one.send_as(following), one.deployment).pin(checkpoint, one.log.ledger.consistency)
    with refuses("not-owner"):
        one.contract.set_submitter(one.submitter.address, allowed=True)
    with refuses("no-address"):
        contract.set_submitter(bytes(20), allowed=True)


def test_ownership_is_taken_by_whom_it_was_offered(one):
    """In two steps, so that it can't be lost to an address that nobody has; an offer can be withdrawn."""
    heir, stranger = one.account(3), one.account(4)
    contract = Contract(one.sender, one.deployment)
    with refuses("not-owner"):
        Contract(one.send_as(stranger), one.deployment).offer_ownership(stranger.address)
    with refuses("not-owner"):
        Contract(one.send_as(stranger), one.deployment).take_ownership()
    contract.offer_ownership(stranger.address)
    contract.offer_ownership(heir.address)
    assert contract.owner() == one.owner.address
    with refuses("not-owner"):
        Contract(one.send_as(stranger), one.deployment).take_ownership()
    Contract(one.send_as(heir), one.deployment).take_ownership()
    assert (contract.owner(), contract.candidate()) == (heir.address, bytes(20))
    with refuses("not-owner"):
        contract.set_submitter(stranger.address, allowed=True)


def test_the_owner_cant_shrink_or_fork_either(one):
    """No key can: it would have to pin, and a pin has to continue what is pinned."""
    contract = Contract(one.sender, one.deployment)
    contract.set_submitter(one.owner.address, allowed=True)
    one.pin()
    pinned = one.pin()
    for call, code in (
        (encode_pin(pinned.size, pinned.size + 5, digest(1), [digest(2)]), "inconsistent"),
        (encode_pin(0, pinned.size + 5, digest(1), []), "wrong-size"),
        (encode_pin(0, 1, digest(1), []), "wrong-size"),
    ):
        with refuses(code):
            one.sender.send(call, one.deployment.address)
    assert one.contract.newest().root == pinned.root


def test_a_writer_sends_to_its_own_contract_alone(one):
    """On its own chain, of its own log and code."""
    for changed in ({"address": bytes(20)}, {"origin": "log.example/other"}):
        with refuses("other-contract"):
            Contract(one.sender, dataclasses.replace(one.deployment, **changed))
    with pytest.raises(ValueError, match="another chain"):
        Contract(one.sender, dataclasses.replace(one.deployment, chain_id=1))
    with refuses("wrong-chain"):
        dataclasses.replace(one.sender, chain_id=1).send(b"", one.owner.address)
    lie = {"eth_call": result(f"0x{word(1).hex()}")}
    with refuses("other-contract"):
        contract_of(one, one.submitter, **lie)


@pytest.mark.parametrize(
    ("answers", "error"),
    [
        ({"eth_sendRawTransaction": result("0x" + "11" * 32)}, Malformed),
        ({"eth_sendRawTransaction": result(None)}, Malformed),
        ({"eth_sendRawTransaction": refusal("out of order")}, Unavailable),
        ({"eth_sendRawTransaction": refusal("insufficient funds for gas * price + value")}, Unavailable),
        ({"eth_getTransactionReceipt": result([])}, Malformed),
        ({"eth_getTransactionReceipt": result({"transactionHash": "0x" + "11" * 32})}, Malformed),
        ({"eth_getTransactionCount": result(hex(1 << 200))}, Malformed),
        ({"eth_estimateGas": refusal("no", 3, data="0xffffffff")}, Conflict),
    ],
)
def test_a_node_that_answers_nonsense_is_not_followed(one, answers, error):
    """Each by its type of error, after a bounded number of questions."""
    call = encode_pin(0, 5, digest(5), [])
    contract = contract_of(one, one.submitter, **answers)
    with pytest.raises(error):
        contract.sender.send(call, one.deployment.address)


def test_a_contract_that_was_not_deployed_is_not_believed(one):
    """The node has to show the code, the log, the owner and the submitter."""

    def elsewhere(request, ask):
        answer = ask()
        if answer["result"]:
            answer["result"]["contractAddress"] = "0x" + "11" * 20
        return answer

    for alter in (elsewhere, lambda request, ask: nothing(ask())):
        node = Node(Altering(one.nodes[0].transport, eth_getTransactionReceipt=alter))
        with pytest.raises((Conflict, Malformed)):
            deploy(
                one.send_as(one.owner, node=node),
                ORIGIN,
                owner=one.owner.address,
                submitter=one.submitter.address,
            )


def nothing(answer):
    if answer["result"]:
        answer["result"]["contractAddress"] = None
    return answer


def test_a_deployment_can_be_written_down(one):
    """As JSON, in the terms of the Ethereum API."""
    written = json.loads(json.dumps(one.deployment.to_json()))
    assert Deployment.from_json(written) == one.deployment
    assert int(written["chainId"], 16) == CHAIN_ID
    for member, value in (
        ("chainId", 1),
        ("chainId", "0x0"),
        ("address", "0x11"),
        ("origin", "a b"),
        ("x", 1),
    ):
        with pytest.raises(Malformed):
            Deployment.from_json(written | {member: value})
    with pytest.raises(Malformed):
        Deployment.from_json({})


def test_gas_stays_where_it_was(one):
    """What a deployment and a pin use, whatever the log's size."""
    receipt = one.nodes[0].call("eth_getBlockByNumber", hex(one.deployment.block_number), False)
    assert int(receipt["gasUsed"], 16) < 720_000
    first = one.contract.pin(one.publish(), one.log.ledger.consistency)
    assert first.gas < 76_000
    used = [one.contract.pin(one.publish(3), one.log.ledger.consistency).gas for _ in range(6)]
    assert max(used) < 60_000
    many = one.contract.pin(one.publish(300), one.log.ledger.consistency)
    assert many.gas < 66_000


def test_limits_are_what_can_be():
    """Nothing negative, and at least one question."""
    for wrong in ({"fee": -1}, {"fee": 1, "polls": 0}, {"fee": 1, "gas": 0}, {"fee": 1, "interval": -1}):
        with pytest.raises(ValueError):
            Limits(**wrong)
    assert SET_SUBMITTER != TAKE_OWNERSHIP

"""The bridge: a final pin becomes an ordinary cosignature, never for a pin alone, and receipts stay offline."""

from datetime import UTC, datetime, timedelta

import pytest

from ledger.evm_node import Altering, result
from ledger.evm_scene import EvmScene, checkpoint_of
from ledger.scene import NOW, ORIGIN, digest, signer
from vcid.encoding.merkle import leaf_hash, root
from vcid.errors import Behind, Conflict, Malformed, Unavailable, VcidError
from vcid.ledger.anchor import LogPolicy, Outcome, View
from vcid.ledger.entries import HeadsLeaf
from vcid.ledger.evm_bridge import EvmBridge
from vcid.ledger.evm_contract import encode_pin
from vcid.ledger.log import Ledger
from vcid.ledger.notes import Checkpoint, Note, NoteKey, NoteSignature, sign_note

BRIDGE = "bridge.example"


class BridgeScene(EvmScene):
    """A log with a witness in its process, and a bridge beside it."""

    def __init__(self, *nodes):
        super().__init__(*nodes)
        self.bridge = self.open_bridge()
        witness = self.log.witnesses[0]
        self.log.ledger = self.log.open(witnesses=[witness, self.bridge])
        self.policy = LogPolicy(
            origin=ORIGIN,
            log_key=self.log.log_signer.public_key,
            witnesses=tuple((one.key.name, one.key.public_key) for one in (witness, self.bridge)),
            quorum=2,
        )

    def open_bridge(self, url="sqlite://", *transports, **options):
        return EvmBridge.open(
            url,
            name=BRIDGE,
            signer=signer(50),
            logs=[self.log.key],
            reader=self.reader(*transports, **options),
        )

    def times(self, view):
        return self.policy.examine(view.note).times


@pytest.fixture
def scene(anvil):
    """A scene on one node."""
    return BridgeScene(anvil())


def offer(bridge, ledger, old=0):
    """Ask a bridge for the newest checkpoint."""
    view = ledger.checkpoint()
    proof = ledger.consistency(old, view.size) if old else []
    return bridge.add_checkpoint(old, proof, view.note, ledger.entries(old, view.size))


def test_a_final_pin_becomes_a_cosignature_at_the_time_of_its_block(scene):
    """While the log publishes the bridge can't sign; when the pin is final, the checkpoint gets its line."""
    checkpoint = scene.publish()
    assert BRIDGE not in scene.times(scene.log.ledger.checkpoint())
    scene.pin(checkpoint)
    pinned_at = scene.nodes[0].time
    assert BRIDGE not in scene.times(scene.log.ledger.cosign())
    scene.finalize()
    view = scene.log.ledger.cosign()
    assert scene.times(view)[BRIDGE] == pinned_at
    assert scene.policy.examine(view.note).is_witnessed
    assert scene.log.ledger.checkpoint() == view
    assert len(Note.parse(view.note).signatures) == 3
    assert scene.log.ledger.cosign() == view, "what stands there stays as it is"


def test_a_receipt_with_the_bridges_cosignature_is_judged_offline(scene):
    """It is one receipt among others: fresh as of the block, by a quorum that needs the bridge."""
    entry = scene.log.entry()
    scene.log.ledger.append([entry])
    checkpoint = checkpoint_of(scene.log.ledger.publish())
    scene.pin(checkpoint)
    pinned_at = datetime.fromtimestamp(scene.nodes[0].time, UTC)
    early = scene.log.ledger.head(entry.topic)
    view = View.verified(scene.log.ledger.checkpoint().note, scene.policy)
    judged = scene.log.judge(entry=entry, receipt=early, view=view, policy=scene.policy, now=pinned_at)
    assert judged.outcome is Outcome.QUORUM
    scene.finalize()
    view = scene.log.ledger.cosign()
    receipt = scene.log.ledger.head(entry.topic)
    scene.nodes[0].stop()
    options = {"entry": entry, "receipt": receipt, "view": view, "policy": scene.policy}
    judged = scene.log.judge(**options, now=NOW + timedelta(days=1))
    assert judged
    assert judged.freshness == NOW, "the older of the two, as both are needed"
    assert judged.existence == pinned_at
    assert scene.log.judge(**options, now=pinned_at + timedelta(days=30)).outcome is Outcome.STALE


def test_only_what_is_pinned_and_final_is_cosigned(scene):
    """Not pinned, pending, superseded: unavailable, with the reason; another pin: a conflict."""
    scene.publish()
    scene.finalize()
    for code in ("not-pinned", "pending"):
        with pytest.raises(Unavailable) as refused:
            offer(scene.bridge, scene.log.ledger)
        assert refused.value.code == code
        scene.pin(checkpoint_of(scene.log.ledger.checkpoint()))
    small = scene.log.ledger.checkpoint()
    scene.pin()
    scene.finalize()
    leaves = scene.log.ledger.entries(0, small.size)
    with pytest.raises(Unavailable) as refused:
        scene.bridge.add_checkpoint(0, [], small.note, leaves)
    assert refused.value.code == "no-consistency-proof"
    assert scene.bridge.checkpoint(ORIGIN) is None


def test_a_reorganization_takes_no_cosignature_back_because_none_was_given(scene):
    """The pin was undone before it was final, and another one stands there now."""
    scene.finalize()
    checkpoint = scene.pin()
    with pytest.raises(Unavailable):
        offer(scene.bridge, scene.log.ledger)
    scene.nodes[0].call("anvil_reorg", 1, [])
    scene.contract.sender.send(encode_pin(0, checkpoint.size, digest(9), []), scene.deployment.address)
    scene.finalize()
    with pytest.raises(Conflict, match="fork"):
        offer(scene.bridge, scene.log.ledger)
    assert scene.bridge.checkpoint(ORIGIN) is None


def operator_note(scene, leaves):
    """A checkpoint that the log's key signs without a look at what it says."""
    hashes = [leaf_hash(leaf) for leaf in leaves]
    text = Checkpoint(ORIGIN, len(leaves), root(hashes)).text
    note = Note(text, (sign_note(text, ORIGIN, scene.log.log_signer),))
    return Checkpoint.parse(text), note.encode()


def test_false_heads_are_refused_though_they_are_pinned(scene):
    """The contract verifies growth and no more: whoever has both keys can pin them, and the bridge replays."""
    leaves = [scene.log.entry().encode(), HeadsLeaf(1, digest(7)).encode()]
    checkpoint, note = operator_note(scene, leaves)
    scene.contract.pin(checkpoint, lambda old, new: [])
    scene.finalize()
    assert scene.judge(checkpoint)
    with pytest.raises(Conflict, match="false-heads"):
        scene.bridge.add_checkpoint(0, [], note, leaves)
    with pytest.raises(Conflict, match="root"):
        scene.bridge.add_checkpoint(0, [], note, [leaves[0]])
    assert scene.bridge.checkpoint(ORIGIN) is None


def test_strangers_make_the_bridge_ask_no_node(scene):
    """What the log did not sign, or is of another log, is refused before."""
    asked = Altering(scene.nodes[0].transport)
    bridge = scene.open_bridge("sqlite://", asked)
    text = Checkpoint(ORIGIN, 1, digest(1)).text
    stranger = Note(text, (sign_note(text, ORIGIN, signer(77)),)).encode()
    other = Checkpoint("log.example/other", 1, digest(1)).text
    elsewhere = Note(other, (sign_note(other, "log.example/other", scene.log.log_signer),)).encode()
    for note in (stranger, elsewhere):
        with pytest.raises(Conflict):
            bridge.add_checkpoint(0, [], note, [])
    with pytest.raises(Malformed):
        bridge.add_checkpoint(0, [], b"no note", [])
    assert asked.asked == []


def test_the_bridge_remembers(scene, tmp_path):
    """Over a restart it goes on where it was, and never back, whatever a node shows it."""
    url = f"sqlite:///{tmp_path}/bridge.db"
    first = scene.open_bridge(url)
    small = scene.pin()
    scene.finalize()
    offer(first, scene.log.ledger)
    first.close()
    scene.pin()
    scene.finalize()
    again = scene.open_bridge(url)
    with pytest.raises(Conflict, match="size"):
        offer(again, scene.log.ledger, 0)
    line = offer(again, scene.log.ledger, small.size).decode()
    assert line == offer(again, scene.log.ledger, small.size + 2).decode(), "the block's time is the time"
    known = Checkpoint.parse(Note.parse(again.checkpoint(ORIGIN)).text)
    assert known.size == small.size + 2
    cosignature = NoteSignature.parse(line.removesuffix("\n"))
    (verified,) = Note(known.text, (cosignature,)).verify([again.key])
    assert verified.time == scene.reader().read().final.time


def test_two_nodes_that_disagree_get_no_cosignature(anvil):
    """The bridge reads through both, and one that lies is enough to stop it."""
    scene = BridgeScene(anvil(), anvil())
    scene.pin()
    scene.finalize()
    left, right = (node.transport for node in scene.nodes)
    for answers in ({"eth_call": result("0x" + "00" * 96)}, {"eth_getCode": result("0x00")}):
        bridge = scene.open_bridge("sqlite://", left, Altering(right, **answers))
        with pytest.raises(VcidError):
            offer(bridge, scene.log.ledger)
    assert offer(scene.open_bridge("sqlite://", left, right), scene.log.ledger)


def test_a_restored_backup_is_noticed(scene):
    """By what the bridge cosigned, before the log signs; and by the chain, before it pins."""
    checkpoint = scene.pin()
    scene.pin()
    scene.finalize()
    scene.log.ledger.cosign()
    backup = Ledger.open("memory:", origin=ORIGIN, signer=scene.log.log_signer, witnesses=[scene.bridge])
    backup.append([scene.log.entry()])
    with pytest.raises(Behind):
        backup.publish()
    with pytest.raises(Behind):
        scene.contract.compare(Checkpoint(ORIGIN, 0, root([])), backup.consistency)
    assert scene.contract.compare(checkpoint, scene.log.ledger.consistency)


def test_a_bridge_is_of_one_log_and_has_a_key_of_its_own(scene):
    """The contract's log, and neither its key nor another name's."""
    other = NoteKey.of_log("log.example/other", scene.log.log_signer.public_key)
    for logs, key in (([other], signer(50)), ([], signer(50)), ([scene.log.key], scene.log.log_signer)):
        with pytest.raises(ValueError):
            EvmBridge.open("sqlite://", name=BRIDGE, signer=key, logs=logs, reader=scene.reader())

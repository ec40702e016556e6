"""What the EVM tests share: a log, its contract on one or two nodes, its submitter, and a reader."""

from datetime import UTC, datetime

import pytest

from ledger.evm_node import CHAIN_ID
from ledger.scene import ORIGIN, Scene
from vcid.ledger.evm import Finality, PinReader
from vcid.ledger.evm_pinning import Contract, deploy
from vcid.ledger.evm_rpc import Node
from vcid.ledger.evm_sending import Limits, LocalAccount, Sender
from vcid.ledger.notes import Checkpoint, Note

LIMITS = Limits(fee=100 * 10**9, polls=3, interval=0.0)


def checkpoint_of(view):
    return Checkpoint.parse(Note.parse(view.note).text)


class EvmScene:
    """A log whose contract stands on all nodes alike, as the first of them was told."""

    def __init__(self, *nodes):
        pytest.importorskip("eth_account", reason="the extra evm is not installed")
        self.nodes = list(nodes)
        self.owner = self.account(9)
        self.submitter = self.account(1)
        self.log = Scene()
        self.height = 0
        self.sender = self.send_as(self.owner)
        self.alike()
        self.deployment = deploy(
            self.sender, ORIGIN, owner=self.owner.address, submitter=self.submitter.address
        )
        self.contract = Contract(self.send_as(self.submitter), self.deployment)

    def account(self, number):
        """An account with money, the same for the same number."""
        account = LocalAccount(bytes([number]) * 32)
        for node in self.nodes:
            node.call("anvil_setBalance", f"0x{account.address.hex()}", hex(10**20))
        return account

    def send_as(self, account, *, node=None, limits=LIMITS, **options):
        options.setdefault("sleep", lambda _: None)
        return Sender(node or Node(self, "the submitter's node"), CHAIN_ID, account, limits, **options)

    def post(self, body):
        """Be the transport that feeds all nodes alike."""
        if b"eth_sendRawTransaction" in body:
            self.alike()
        first, *_ = [node.transport.post(body) for node in self.nodes]
        return first

    def alike(self):
        """Let the next block of each node have the same time."""
        when = max(node.time for node in self.nodes) + 2
        for node in self.nodes:
            node.next_block_at(when)

    def finalize(self):
        for node in self.nodes:
            node.finalize()

    def clock(self):
        return datetime.fromtimestamp(max(node.time for node in self.nodes) + 1, UTC)

    def reader(self, *transports, **options):
        options.setdefault("clock", self.clock)
        if "confirmations" in options:
            options["finality"] = Finality(confirmations=options.pop("confirmations"))
        nodes = [Node(one, f"node {number}") for number, one in enumerate(transports)]
        deployment = options.pop("deployment", self.deployment)
        return PinReader(nodes or [one.node for one in self.nodes], deployment, **options)

    def publish(self, entries=1):
        """Publish a checkpoint of the log."""
        known = len(self.log.ledger.heads())
        new = [self.log.entry(list_id=f"list {known + number}") for number in range(entries)]
        self.log.ledger.append(new)
        return checkpoint_of(self.log.ledger.publish())

    def pin(self, checkpoint=None):
        """Pin a checkpoint, or a new one."""
        checkpoint = checkpoint or self.publish()
        self.contract.pin(checkpoint, self.log.ledger.consistency)
        return checkpoint

    def judge(self, checkpoint, *transports, **options):
        return self.reader(*transports, **options).judge(checkpoint, self.log.ledger.consistency)

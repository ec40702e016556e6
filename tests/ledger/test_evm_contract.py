"""The contract alone, run in this process: what it accepts is what RFC 9162 does, and nothing else."""

import base64
import json
import re
import shutil
import subprocess
from hashlib import sha256

import pytest

from ledger.evm_node import CONTRACTS, _missing
from ledger.scene import ORIGIN
from vcid.encoding.merkle import _rebuild_roots, consistency_proof, leaf_hash, root, verify_consistency
from vcid.errors import InvalidProof, Malformed
from vcid.ledger import evm_contract as contract
from vcid.ledger.notes import MAX_SIZE

OWNER, SUBMITTER, STRANGER = (bytes([number]) * 20 for number in (1, 2, 3))
LEAVES = [leaf_hash(bytes([number])) for number in range(40)]


class Chain:
    """A chain in this process, with the contract on it."""

    def __init__(self):
        pyrevm = pytest.importorskip("pyrevm", reason="pyrevm is for development alone")
        self.evm = pyrevm.EVM(gas_limit=30_000_000)
        for account in (OWNER, SUBMITTER, STRANGER):
            self.evm.set_balance(f"0x{account.hex()}", 10**20)
        code = contract.encode_deployment(ORIGIN, owner=OWNER, submitter=SUBMITTER)
        self.address = self.evm.deploy(f"0x{OWNER.hex()}", code)
        self.deployed_for = self.evm.result.gas_used
        self.start = self.evm.snapshot()

    def reset(self):
        self.evm.revert(self.start)
        self.start = self.evm.snapshot()

    def call(self, data, sender=SUBMITTER):
        """Call the contract: what it gives, or the code of its error."""
        try:
            return bytes(self.evm.message_call(f"0x{sender.hex()}", self.address, calldata=data))
        except RuntimeError as error:
            found = re.search(r"output: 0x([0-9a-f]*)", str(error))
            return contract.explain(bytes.fromhex(found[1]) if found else b"")[0]

    def pin(self, *arguments, sender=SUBMITTER):
        given = self.call(raw_pin(*arguments), sender)
        return given or None

    def newest(self):
        return contract.Pin.decode(self.call(contract.CHECKPOINT))


def raw_pin(old, new, new_root, proof):
    """A call as the library writes it, without its checks."""
    parts = [contract.PIN, contract.word(old), contract.word(new), new_root, contract.word(128)]
    return b"".join([*parts, contract.word(len(proof)), *proof])


@pytest.fixture(scope="module")
def deployed():
    """One chain for all tests of the module."""
    return Chain()


@pytest.fixture
def chain(deployed):
    """The chain as it was after the deployment."""
    deployed.reset()
    return deployed


def test_the_library_knows_the_contract_by_heart():
    """Selectors, errors and the event's topic are those of the ABI; all types are words, or rows of words."""
    keccak = pytest.importorskip("eth_utils", reason="the extra evm is not installed").keccak
    artifact = contract.artifact()
    for name, selector in artifact["selectors"].items():
        assert keccak(name.encode())[:4].hex() == selector
    known = {
        "checkpoint()": contract.CHECKPOINT,
        "log()": contract.LOG,
        "owner()": contract.OWNER,
        "candidate()": contract.CANDIDATE,
        "isSubmitter(address)": contract.IS_SUBMITTER,
        "pin(uint64,uint64,bytes32,bytes32[])": contract.PIN,
        "setSubmitter(address,bool)": contract.SET_SUBMITTER,
        "offerOwnership(address)": contract.OFFER_OWNERSHIP,
        "takeOwnership()": contract.TAKE_OWNERSHIP,
    }
    assert {name: selector.hex() for name, selector in known.items()} == artifact["selectors"]
    errors = [part["name"] for part in artifact["abi"] if part["type"] == "error"]
    assert {keccak(f"{name}()".encode())[:4] for name in errors} == contract.REVERTS.keys()
    assert keccak(b"Pinned(uint64,bytes32,address)") == contract.PIN_EVENT
    types = {
        argument["type"]
        for part in artifact["abi"]
        for argument in [*part.get("inputs", []), *part.get("outputs", [])]
    }
    assert types == {"uint64", "bytes32", "address", "bool", "bytes32[]"}


def test_the_code_is_pinned_and_runs_everywhere():
    """Its hash is the library's; and it has no instruction that came after London, such as PUSH0."""
    artifact = contract.artifact()
    code = bytes.fromhex(artifact["runtimeCode"][2:])
    assert sha256(code).digest() == contract.CODE_HASH
    assert artifact["runtimeSha256"] == contract.CODE_HASH.hex()
    assert artifact["settings"]["evmVersion"] == "london"
    young = {0x5F, 0x49, 0x4A, 0x5C, 0x5D, 0x5E, 0x1E}
    for program in (code, bytes.fromhex(artifact["creationCode"][2:])):
        assert not young & set(instructions(program))
    dangerous = {
        0xF0: "CREATE",
        0xF1: "CALL",
        0xF2: "CALLCODE",
        0xF4: "DELEGATECALL",
        0xF5: "CREATE2",
        0xFF: "SELFDESTRUCT",
    }
    assert not dangerous.keys() & set(instructions(code))


def instructions(code):
    position = 0
    while position < len(code):
        yield code[position]
        position += code[position] - 0x5E if 0x60 <= code[position] <= 0x7F else 1


@pytest.mark.slow
def test_the_build_can_be_repeated():
    """The compiler named, with the settings named, makes of the source what is kept, to the byte."""
    node = shutil.which("node")
    if node is None or not (CONTRACTS / "node_modules" / "solc").is_dir():
        _missing("no solc: run npm install --ignore-scripts in contracts")
    done = subprocess.run(
        [node, "build.mjs", "--check"], cwd=CONTRACTS, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    pinned = json.loads((CONTRACTS / "package.json").read_text())["devDependencies"]["solc"]
    assert contract.artifact()["compiler"].startswith(f"solc {pinned}+commit.")


def test_growth_is_pinned(chain):
    """Through all sizes, each proof by the library that reads."""
    assert chain.newest() is None
    for old, new in ((0, 1), (1, 2), (2, 3), (3, 8), (8, 9), (9, 31), (31, 40)):
        proof = consistency_proof(LEAVES[:new], old) if old else []
        assert chain.pin(old, new, root(LEAVES[:new]), proof) is None
        assert (chain.newest().size, chain.newest().root) == (new, root(LEAVES[:new]))


def accepts(old, new, proof, old_root, new_root):
    try:
        verify_consistency(old, new, proof, old_root, new_root)
    except InvalidProof:
        return False
    return True


def variants(proof):
    """A proof truncated, extended, swapped and changed."""
    yield proof
    yield proof[:-1]
    yield proof[1:]
    yield [*proof, LEAVES[0]]
    yield [LEAVES[0], *proof]
    yield proof[::-1]
    for place in range(len(proof)):
        yield [*proof[:place], bytes(32), *proof[place + 1 :]]


def test_chain_and_library_agree_on_every_proof(chain):
    """All pairs of sizes up to 17, each true and with every fault: what one accepts, the other does."""
    accepted = refused = 0
    for old in range(1, 17):
        old_root = root(LEAVES[:old])
        chain.reset()
        chain.pin(0, old, old_root, [])
        before = chain.evm.snapshot()
        for new in range(old + 1, 18):
            new_root = root(LEAVES[:new])
            for proof in variants(consistency_proof(LEAVES[:new], old)):
                expected = accepts(old, new, proof, old_root, new_root)
                given = chain.pin(old, new, new_root, proof)
                assert given == (None if expected else "inconsistent"), (old, new, len(proof))
                accepted, refused = accepted + expected, refused + (not expected)
                if expected:
                    chain.evm.revert(before)
                    before = chain.evm.snapshot()
    assert accepted >= 136
    assert refused > 800


def test_official_consistency_proofs(chain, vectors, tally):
    """Those that others verify are verified on chain too, and those that don't hold are not."""
    count = 0
    for path in sorted((vectors / "merkle").rglob("*.json")):
        for case in consistency_cases(json.loads(path.read_text())):
            old, new, old_root, new_root, proof = case
            chain.reset()
            if not 0 < old < new <= MAX_SIZE or len(old_root) != 32 or len(new_root) != 32:
                continue
            if any(len(step) != 32 for step in proof):
                continue
            chain.pin(0, old, old_root, [])
            expected = accepts(old, new, proof, old_root, new_root)
            assert (chain.pin(old, new, new_root, proof) is None) is expected, path
            count += 1
    assert count
    tally(f"merkle: {count} consistency proofs on chain")


def consistency_cases(value):
    if not isinstance(value, dict) or not {"size1", "size2", "root1", "root2"} <= value.keys():
        return
    proof = [base64.b64decode(step) for step in value.get("proof") or []]
    roots = (base64.b64decode(value[name] or "") for name in ("root1", "root2"))
    yield value["size1"], value["size2"], *roots, proof


def test_sizes_that_cant_be_are_refused(chain):
    """Smaller, equal, from another size than the pinned one, nothing, and 2^63."""
    top = root(LEAVES[:8])
    assert chain.pin(0, 0, top, []) == "wrong-size"
    assert chain.pin(0, MAX_SIZE + 1, top, []) == "wrong-size"
    assert chain.pin(1, 8, top, []) == "wrong-size"
    assert chain.pin(0, 8, top, [top]) == "inconsistent"
    assert chain.pin(0, 8, top, []) is None
    for old, new in ((8, 8), (8, 7), (0, 9), (7, 9), (9, 10), (8, MAX_SIZE + 1), (8, 0)):
        assert chain.pin(old, new, top, []) == "wrong-size"
    assert chain.pin(1 << 64, 9, top, []) == "reverted"
    assert chain.pin(8, (1 << 64) + 9, top, []) == "reverted"
    assert chain.newest().size == 8


def test_only_submitters_pin(chain):
    """Neither a stranger nor the owner; nor anybody by a call that is no call of the contract."""
    for sender in (STRANGER, OWNER):
        assert chain.pin(0, 1, LEAVES[0], [], sender=sender) == "not-submitter"
    assert chain.call(b"") == "reverted"
    assert chain.call(bytes(4)) == "reverted"
    assert chain.call(contract.PIN) == "reverted"
    huge = raw_pin(0, 1, LEAVES[0], [])[:-32] + contract.word(1 << 40)
    assert chain.call(huge) == "reverted"
    assert chain.newest() is None


def test_nobody_owns_it_by_accident(chain):
    """There is no owner nobody, no submitter nobody, and no candidate at first."""
    for owner, submitter in ((bytes(20), SUBMITTER), (OWNER, bytes(20))):
        code = contract.encode_deployment(ORIGIN, owner=owner, submitter=submitter)
        with pytest.raises(RuntimeError):
            chain.evm.deploy(f"0x{OWNER.hex()}", code)
    assert chain.call(contract.CANDIDATE) == bytes(32)
    assert chain.call(contract.TAKE_OWNERSHIP, STRANGER) == "not-owner"
    assert chain.call(contract.OWNER) == contract.word(OWNER)


def steepest(new):
    """A proof as long as any, between trees that nobody could build."""
    old = (1 << 61) + 1
    steps = [sha256(bytes([number])).digest() for number in range(64)]
    for length in range(1, 65):
        try:
            old_root, new_root = _rebuild_roots(old, new, steps[:length], steps[0])
        except InvalidProof:
            continue
        return old, old_root, new_root, steps[:length]
    raise AssertionError("there is a length that fits")


def test_the_longest_proof_costs_little(chain):
    """Gas grows with the logarithm of the size: bounds for a deployment, a small and the largest log."""
    assert chain.deployed_for < 625_000
    old, old_root, new_root, proof = steepest(MAX_SIZE)
    assert len(proof) > 60
    chain.pin(0, old, old_root, [])
    assert chain.pin(old, MAX_SIZE, new_root, proof) is None
    assert chain.evm.result.gas_used < 133_000
    assert chain.pin(MAX_SIZE, MAX_SIZE, new_root, []) == "wrong-size"
    chain.reset()
    chain.pin(0, old, old_root, [])
    assert chain.pin(old, MAX_SIZE, new_root, [*proof, *proof]) == "inconsistent"


def test_calls_are_written_within_bounds():
    """What the contract would refuse for its shape can't be written."""
    good = root(LEAVES)
    for wrong in ((0, 0, good, []), (5, 5, good, []), (0, MAX_SIZE + 1, good, []), (0, 5, good[1:], [])):
        with pytest.raises(ValueError, match="larger"):
            contract.encode_pin(*wrong)
    with pytest.raises(ValueError, match="64"):
        contract.encode_pin(1, 5, good, [good] * 65)
    with pytest.raises(ValueError, match="32"):
        contract.encode_pin(1, 5, good, [b"short"])


@pytest.mark.parametrize("data", [b"", bytes(95), bytes(97), bytes(95) + b"\1", b"\xff" * 96])
def test_what_the_contract_cant_have_said_is_refused(data):
    """A pin of another length, without a size, or of one beyond all trees."""
    with pytest.raises(Malformed):
        contract.Pin.decode(data)


@pytest.mark.parametrize("data", [b"", bytes(31), b"\1" + bytes(31), bytes(33)])
def test_an_address_stands_in_a_word(data):
    """Of 32 bytes, the first twelve zero."""
    with pytest.raises(Malformed):
        contract.read_address(data)

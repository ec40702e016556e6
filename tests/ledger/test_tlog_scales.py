"""Another implementation of the C2SP formats, tlog-scales, reads what we write and agrees on every proof."""

import dataclasses

import pytest

from ledger.tile_scene import TileScene
from vcid.encoding.merkle import verify_consistency, verify_inclusion
from vcid.encoding.multikey import KeyType
from vcid.keys.signing import LocalSigner
from vcid.ledger.notes import Note, NoteKey, NoteSignature, cosign
from vcid.ledger.tile_transport import FolderTransport
from vcid.ledger.tiles import fetch_view, tree_of
from vcid.ledger.tree import StoredTree

try:
    from tlog_scales.backend import LocalBackend
    from tlog_scales.reader import TilesReader
    from tlog_scales.signing import MLDSA44CosignatureSigner, PlainEd25519Signer, Vkey, VkeySet
    from tlog_scales.tlog import Checkpoint
    from tlog_scales.writer import TilesWriter
except ImportError:
    TilesReader = None


@pytest.fixture(autouse=True)
def tlog_scales():
    """Skip where it is not installed."""
    if TilesReader is None:
        pytest.skip("tlog-scales is not installed")


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    """A log of 611 leaves in three checkpoints."""
    return TileScene.large(tmp_path_factory.mktemp("scales") / "tiles")


@pytest.fixture
def theirs(scene):
    """Their reader on our tiles."""
    reader = TilesReader(LocalBackend(scene.folder))
    reader.get_checkpoint()
    return reader


def test_they_read_our_checkpoint_and_cosignatures(scene, theirs):
    """Origin, size and root are ours, and the log's signature and both witnesses' hold by our verifier keys."""
    checkpoint = theirs.get_checkpoint()
    assert (checkpoint.origin, checkpoint.size, checkpoint.root_hash) == (
        scene.view.origin,
        scene.view.size,
        scene.view.root,
    )
    keys = [scene.key, *(witness.key for witness in scene.witnesses)]
    found = VkeySet(*(Vkey.from_string(key.vkey) for key in keys)).verify(checkpoint.signatures, checkpoint)
    assert {vkey.serialize() for vkey, _ in found} == {key.vkey for key in keys}


def test_they_refuse_what_we_refuse(scene, theirs):
    """By another key of the same name, or over another root, no signature holds for them either."""
    checkpoint = theirs.get_checkpoint()
    other = dataclasses.replace(checkpoint, root_hash=bytes(32))
    assert VkeySet(Vkey.from_string(scene.key.vkey)).verify(other.signatures, other) == set()


def test_they_read_our_tiles(scene, theirs):
    """Their tree over our tiles has our root, and their entries are our leaves."""
    assert theirs.calculate_root_hash() == scene.view.root
    assert [theirs.get_entry(index) for index in range(scene.view.size)] == scene.ledger.entries(0, 700)


def test_we_agree_on_proofs(scene, theirs):
    """Inclusion and consistency proofs are hash for hash the same, and each side verifies the other's."""
    ours, tree = scene.reader(), tree_of(scene.transport, scene.view)
    for index in (0, 1, 254, 255, 256, 257, 511, 512, 609, 610):
        proof = theirs.get_inclusion_proof(index, scene.view.size).node_hashes
        leaf = tree.hashes(0, index // 256)[index % 256]
        verify_inclusion(leaf, index, scene.view.size, proof, scene.view.root)
        with scene.ledger._store.read() as reader:
            assert proof == StoredTree(reader.completed_beside).inclusion(index, scene.view.size)
    for old in (1, 5, 255, 256, 257, 306, 512, 610):
        theirs_proof = theirs.get_consistency_proof(old, scene.view.size)
        assert theirs_proof.node_hashes == ours.consistency(old, scene.view.size)
        verify_consistency(old, scene.view.size, theirs_proof.node_hashes, tree.root(old), scene.view.root)
        theirs_proof.check(tree.root(old), scene.view.root)


def test_they_read_our_post_quantum_cosignatures(scene, theirs):
    """An ML-DSA-44 cosignature of ours holds by our verifier key, and one over another size does not."""
    signer = LocalSigner.generate(KeyType.ML_DSA_44)
    ours = cosign(Note.parse(scene.view.note).text, "w.example", signer, 1_800_000_000)
    vkey = Vkey.from_string(NoteKey.of_cosigner("w.example", signer.public_key).vkey)
    checkpoint = Checkpoint.from_text(Note(Note.parse(scene.view.note).text, (ours,)).encode().decode())
    checkpoint.verify(vkey)
    with pytest.raises(Exception):  # noqa: B017 - which one, is theirs to choose
        dataclasses.replace(checkpoint, size=5).verify(vkey)


def test_we_read_their_post_quantum_cosignatures(scene, theirs):
    """Their ML-DSA-44 cosignature of our checkpoint holds for us."""
    signer = MLDSA44CosignatureSigner("w.example", bytes(range(32)))
    line = NoteSignature.parse(signer.sign(theirs.get_checkpoint()).serialize())
    [found] = Note(Note.parse(scene.view.note).text, (line,)).verify([NoteKey.parse(signer.vkey.serialize())])
    assert found.time > 1_700_000_000


@pytest.mark.parametrize("size", [1, 255, 256, 257, 700])
def test_we_read_their_tiles(tmp_path, size):
    """A log that their writer made is verified tile by tile, its checkpoint by their key."""
    writer, signer = (
        TilesWriter.create(tmp_path / "log", "log.example/theirs"),
        PlainEd25519Signer("log.example/theirs", bytes(range(32))),
    )
    leaves = [bytes([number % 251]) * (number % 40) for number in range(size)]
    for leaf in leaves:
        writer.add_leaf(leaf)
    writer.commit([signer])
    transport = FolderTransport(tmp_path / "log")
    view = fetch_view(transport, NoteKey.parse(signer.vkey.serialize()))
    assert tree_of(transport, view).leaves(0, size) == leaves

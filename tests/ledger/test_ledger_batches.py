"""Batches: a receipt proves one document and tells nothing of the others."""

import dataclasses
import hashlib
import secrets

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.scene import NOW, Scene, signer
from vcid.encoding.merkle import leaf_hash
from vcid.errors import InvalidProof, Malformed, VcidError
from vcid.ledger.batches import (
    BATCH_RECEIPT,
    MIN_LEAVES,
    BatchReceipt,
    build_batch,
    date_existence,
)
from vcid.ledger.entries import Entry, Kind, decode_leaf
from vcid.ledger.receipts import InclusionReceipt, Receipt


def sha(text):
    return hashlib.sha256(text.encode()).digest()


def batch_of(count):
    salted = [(secrets.token_bytes(32), sha(str(number))) for number in range(count)]
    batch, places = build_batch(salted, random=secrets.token_bytes, draw_below=secrets.randbelow)
    return batch, places, salted


class Anchored:
    """A batch of some documents in a log, with a receipt for one of them."""

    def __init__(self, scene, count=3, number=1, kind=Kind.BATCH_ROOT):
        self.batch, self.places, self.salted = batch_of(count)
        self.salt, self.digest = self.salted[number]
        entry = Entry.sign(scene.owner, kind=kind, list_id="", seq=0, digest=self.batch.digest)
        scene.ledger.append([entry])
        view = scene.ledger.publish()
        self.inclusion = InclusionReceipt.parse(scene.ledger.inclusion(entry, view.size).body)
        place = self.places[number]
        self.receipt = BatchReceipt(
            self.salt, place, len(self.batch.leaf_hashes), self.batch.path(place), self.inclusion
        )


@pytest.mark.parametrize("count", [1, 2, 255, 256, 257, 600])
def test_every_document_is_proven_and_dated(count):
    """Each document's receipt leads to the checkpoint, and the k-th smallest witness time dates it."""
    scene = Scene()
    for number in {0, count // 2, count - 1}:
        anchored = Anchored(Scene(), count, number)
        found = date_existence(anchored.digest, anchored.receipt.encode(), scene.policy)
        assert found == NOW


def test_a_receipt_round_trips():
    """Written and read, it is the same."""
    receipt = Anchored(Scene()).receipt
    written = receipt.encode()
    assert (BatchReceipt.parse(written.body), written.media_type) == (receipt, BATCH_RECEIPT)


@pytest.mark.parametrize(
    ("count", "leaves"), [(0, 256), (1, 256), (256, 256), (257, 512), (512, 512), (513, 1024)]
)
def test_padding_hides_the_number_of_documents(count, leaves):
    """A batch has a power of two of leaves, at least so many, the documents anywhere among them."""
    batch, places, _ = batch_of(count)
    assert len(batch.leaf_hashes) == len(set(batch.leaf_hashes)) == leaves >= MIN_LEAVES
    assert len(set(places)) == count


def test_places_say_nothing_of_the_order():
    """The first document stands anywhere: of twenty batches, not all begin with it."""
    assert len({batch_of(3)[1][0] for _ in range(20)}) > 1


def test_another_document_is_not_in_the_batch():
    """Neither a neighbour's digest nor any other leads to the entry."""
    anchored = Anchored(Scene())
    for digest in (anchored.salted[0][1], sha("another"), bytes(32)):
        with pytest.raises(InvalidProof, match="not-in-batch"):
            anchored.receipt.verify_proofs(digest)


def test_without_the_salt_a_known_document_is_not_found():
    """Whoever knows a credential by heart still can't find it among the leaves."""
    batch, _, salted = batch_of(4)
    for _, digest in salted:
        for guess in (digest, leaf_hash(digest), leaf_hash(bytes(32) + digest)):
            assert guess not in batch.leaf_hashes


CHANGES = {
    "salt": lambda it: {"salt": bytes(32)},
    "place": lambda it: {"place": it.place ^ 1},
    "place past the end": lambda it: {"place": it.size},
    "size": lambda it: {"size": it.size * 2},
    "size that is no power of two": lambda it: {"size": it.size - 1},
    "size 0": lambda it: {"size": 0, "path": ()},
    "shorter path": lambda it: {"path": it.path[:-1]},
    "longer path": lambda it: {"path": (*it.path, bytes(32))},
    "swapped path": lambda it: {"path": (it.path[1], it.path[0], *it.path[2:])},
    "shifted": lambda it: {"path": it.path[1:], "place": it.place >> 1, "size": it.size // 2},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_changed_receipt_proves_nothing(change):
    """Every part counts."""
    anchored = Anchored(Scene())
    changed = dataclasses.replace(anchored.receipt, **change(anchored.receipt))
    with pytest.raises(InvalidProof):
        changed.verify_proofs(anchored.digest)


def test_an_entry_of_another_kind_is_no_batch():
    """A status list whose digest is that of a batch stays a status list."""
    anchored = Anchored(Scene(), kind=Kind.STATUS_LIST)
    with pytest.raises(InvalidProof, match="not-in-batch"):
        anchored.receipt.verify_proofs(anchored.digest)


def test_a_batch_leaf_is_no_leaf_of_the_log():
    """What is salted and hashed in a batch reads as no entry, and its hash is no leaf hash of one."""
    anchored = Anchored(Scene())
    with pytest.raises(Malformed):
        decode_leaf(anchored.batch.leaf_hashes[0])
    with pytest.raises(InvalidProof):
        anchored.inclusion.log_proof.verify(anchored.salt + anchored.digest)


def test_existence_needs_the_policys_witnesses():
    """Without enough cosignatures there is no time; of another log, or unsigned, nothing at all."""
    scene = Scene(witnesses=1, quorum=1)
    anchored = Anchored(scene)
    receipt = anchored.receipt.encode()
    strict = dataclasses.replace(
        scene.policy,
        witnesses=(*scene.policy.witnesses, ("w9.example", signer(109).public_key)),
        quorum=2,
    )
    assert date_existence(anchored.digest, receipt, strict) is None
    for other in ({"origin": "other.example/log"}, {"log_key": signer(50).public_key}):
        with pytest.raises(InvalidProof):
            date_existence(anchored.digest, receipt, dataclasses.replace(scene.policy, **other))


def test_backdated_witnesses_below_the_quorum_do_not_date():
    """Of two witnesses asked for, one that lies about the past moves nothing: the k-th smallest time counts."""
    scene = Scene(witnesses=2, quorum=2)
    scene.times[0] = NOW.replace(year=1990)
    anchored = Anchored(scene)
    assert date_existence(anchored.digest, anchored.receipt.encode(), scene.policy) == NOW


def test_receipts_of_other_types_are_refused():
    """An inclusion receipt says nothing of a document in a batch."""
    scene = Scene()
    anchored = Anchored(scene)
    for other in (anchored.inclusion.encode(), Receipt(BATCH_RECEIPT, anchored.inclusion.encode().body)):
        with pytest.raises(Malformed):
            date_existence(anchored.digest, other, scene.policy)


GOOD = Anchored(Scene()).receipt.encode().body


@settings(max_examples=150)
@given(st.integers(0, len(GOOD) - 1), st.integers(0, 255))
def test_one_changed_byte_proves_nothing_or_the_same(position, byte):
    """No change of a byte gives a receipt that reads as another."""
    changed = GOOD[:position] + bytes([byte]) + GOOD[position + 1 :]
    try:
        read = BatchReceipt.parse(changed)
    except VcidError:
        return
    assert read.encode().body == changed


@given(st.binary(max_size=300))
def test_arbitrary_bytes_raise_only_our_errors(data):
    """Whatever bytes, reading raises VcidError or nothing."""
    for prefix in (b"", b"vcid.ledger/batch-receipt@v1\n", GOOD[:200]):
        try:
            BatchReceipt.parse(prefix + data)
        except VcidError:
            continue

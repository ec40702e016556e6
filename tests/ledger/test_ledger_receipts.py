"""Receipts and the heads map: newest or absent, by hashes that fit, and no other way."""

import dataclasses

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.scene import NOW, ORIGIN, digest, signer
from vcid.encoding.merkle import inclusion_proof, leaf_hash, root
from vcid.errors import InvalidProof, LimitExceeded, Malformed, VcidError
from vcid.ledger.entries import Entry, HeadsLeaf, Kind, owner_topic
from vcid.ledger.heads import Head, HeadsMap, Neighbour, verify_absent, verify_newest
from vcid.ledger.notes import Checkpoint, Note, cosign, encode_base64, sign_note
from vcid.ledger.receipts import (
    HEAD_RECEIPT,
    MAX_RECEIPT_BYTES,
    HeadReceipt,
    InclusionReceipt,
    LogProof,
)
from vcid.ledger.topic_proofs import TopicProof


def entries(count):
    return [
        Entry.sign(signer(2), kind=Kind.STATUS_LIST, list_id=str(number), seq=0, digest=digest(number))
        for number in range(count)
    ]


def heads_of(count):
    return HeadsMap((one.topic, one.seq, leaf_hash(one.encode())) for one in entries(count))


def spaced(count):
    """A map of topics with room between them."""
    return HeadsMap(
        ((number * 10).to_bytes(32), number, bytes([number]) * 32) for number in range(1, count + 1)
    )


def between(number):
    return (number * 10 + 5).to_bytes(32)


@pytest.mark.parametrize("count", range(1, 20))
def test_every_head_is_proven_and_no_other(count):
    """For maps of every shape, each head verifies at its place and at no other."""
    heads = heads_of(count)
    for one in entries(count):
        found = heads.newest(one.topic)
        verify_newest(heads.leaf, found)
        for wrong in (
            dataclasses.replace(found, index=(found.index + 1) % (count + 1)),
            dataclasses.replace(found, head=found.head._replace(seq=1)),
            dataclasses.replace(found, path=(*found.path, bytes(32))),
        ):
            with pytest.raises(InvalidProof):
                verify_newest(heads.leaf, wrong)


@pytest.mark.parametrize("count", range(20))
def test_every_gap_is_proven(count):
    """Between any two heads, before the first, after the last and in an empty map, absence verifies."""
    heads = spaced(count)
    for number in range(count + 1):
        topic = between(number)
        assert heads.newest(topic) is None
        verify_absent(heads.leaf, topic, heads.around(topic))


def test_the_map_is_an_rfc_6962_tree():
    """The levels that the map keeps give the root and paths of the general algorithm."""
    for count in range(1, 40):
        heads = heads_of(count)
        rows = sorted(Head(one.topic, one.seq, leaf_hash(one.encode())) for one in entries(count))
        leaves = [leaf_hash(row.encode()) for row in rows]
        assert heads.leaf == HeadsLeaf(count, root(leaves))
        for index, row in enumerate(rows):
            assert list(heads.newest(row.topic).path) == inclusion_proof(leaves, index)


def neighbour(heads, number):
    return heads.newest((number * 10).to_bytes(32))


FALSE_ABSENCES = {
    "not adjacent": lambda heads: (between(2), (neighbour(heads, 2), neighbour(heads, 4))),
    "one side in the middle": lambda heads: (between(2), (neighbour(heads, 2),)),
    "the other side": lambda heads: (between(2), (neighbour(heads, 3),)),
    "none": lambda heads: (between(2), ()),
    "both before": lambda heads: (between(4), (neighbour(heads, 2), neighbour(heads, 3))),
    "both after": lambda heads: (between(1), (neighbour(heads, 3), neighbour(heads, 4))),
    "swapped": lambda heads: (between(2), (neighbour(heads, 3), neighbour(heads, 2))),
    "the same twice": lambda heads: (between(2), (neighbour(heads, 2), neighbour(heads, 2))),
    "the topic itself": lambda heads: ((20).to_bytes(32), (neighbour(heads, 1), neighbour(heads, 2))),
    "the topic itself at the edge": lambda heads: ((10).to_bytes(32), (neighbour(heads, 1),)),
    "the last as the first": lambda heads: (between(0), (neighbour(heads, 5),)),
    "a topic that is not in the map": lambda heads: (
        between(2),
        (
            neighbour(heads, 2),
            dataclasses.replace(neighbour(heads, 3), head=Head(between(3), 3, bytes([3]) * 32)),
        ),
    ),
    "an index that is not its own": lambda heads: (
        between(2),
        (neighbour(heads, 2), dataclasses.replace(neighbour(heads, 4), index=2)),
    ),
}


@pytest.mark.parametrize("make", FALSE_ABSENCES.values(), ids=FALSE_ABSENCES)
def test_false_absences_are_refused(make):
    """No choice of neighbours hides a topic."""
    heads = spaced(5)
    topic, around = make(heads)
    with pytest.raises(InvalidProof):
        verify_absent(heads.leaf, topic, around)


def test_an_empty_map_has_the_empty_root():
    """A map that says it is empty and has another root proves nothing."""
    with pytest.raises(InvalidProof):
        verify_absent(HeadsLeaf(0, bytes(32)), between(1), ())
    with pytest.raises(InvalidProof):
        verify_absent(HeadsLeaf(1, spaced(1).leaf.root), between(1), ())


def log_of(count, *, last=b"x"):
    """A log of some leaves and the proof of the last one, its checkpoint signed and cosigned."""
    leaves = [leaf_hash(str(number).encode()) for number in range(count - 1)] + [leaf_hash(last)]
    checkpoint = Checkpoint(ORIGIN, count, root(leaves))
    signatures = (
        sign_note(checkpoint.text, ORIGIN, signer(1)),
        cosign(checkpoint.text, "w0.example", signer(100), int(NOW.timestamp())),
    )
    note = Note(checkpoint.text, signatures)
    return LogProof(count - 1, tuple(inclusion_proof(leaves, count - 1)), note, checkpoint)


def newest_receipt(count=6, place=2):
    heads, one = heads_of(count), entries(count)[place]
    found = TopicProof(one, (heads.newest(one.topic),))
    key = TopicProof(None, heads.around(owner_topic(one.owner)))
    return HeadReceipt(heads.leaf, found, key, log_of(9, last=heads.leaf.encode())), one


def absent_receipt(count=5, number=2):
    heads = spaced(count)
    proof = log_of(9, last=heads.leaf.encode())
    found = TopicProof(None, heads.around(between(number)))
    return HeadReceipt(heads.leaf, found, None, proof), between(number)


@pytest.mark.parametrize("count", [1, 2, 3, 8, 9])
def test_a_head_receipt_round_trips(count):
    """Written and read, the newest entry is the same and its proofs hold."""
    receipt, one = newest_receipt(count, place=0)
    written = receipt.encode()
    read = HeadReceipt.parse(written.body)
    read.verify_proofs(one.topic)
    assert (read, written.media_type) == (receipt, HEAD_RECEIPT)


@pytest.mark.parametrize(("count", "number"), [(0, 0), (1, 0), (1, 1), (5, 0), (5, 2), (5, 5)])
def test_an_absence_receipt_round_trips(count, number):
    """Absence reads back for an empty map, both edges and the middle."""
    receipt, topic = absent_receipt(count, number)
    read = HeadReceipt.parse(receipt.encode().body)
    read.verify_proofs(topic)
    assert read == receipt


def test_a_receipt_is_about_one_topic():
    """A receipt for one topic proves neither presence nor absence of another."""
    receipt, _ = newest_receipt()
    with pytest.raises(InvalidProof, match="wrong-topic"):
        receipt.verify_proofs(entries(6)[3].topic)
    absent, _ = absent_receipt(5, 2)
    with pytest.raises(InvalidProof):
        absent.verify_proofs((20).to_bytes(32))


def test_the_heads_leaf_is_the_last_leaf():
    """A true heads leaf further up is an old state, and proves nothing."""
    receipt, one = newest_receipt()
    leaves = [leaf_hash(receipt.heads.encode()), leaf_hash(b"later")]
    checkpoint = Checkpoint(ORIGIN, 2, root(leaves))
    older = LogProof(0, (leaves[1],), Note(checkpoint.text, ()), checkpoint)
    with pytest.raises(InvalidProof, match="heads-not-last"):
        dataclasses.replace(receipt, log_proof=older).verify_proofs(one.topic)


def test_proofs_of_two_logs_do_not_mix():
    """The heads of one log with the tree of another don't fit."""
    receipt, one = newest_receipt()
    with pytest.raises(InvalidProof):
        dataclasses.replace(receipt, log_proof=log_of(9, last=b"other")).verify_proofs(one.topic)


@pytest.mark.parametrize("change", ["truncate", "extend", "swap"])
def test_changed_paths_are_refused(change):
    """Paths cut, prolonged or in another order don't lead to the root."""
    receipt, one = newest_receipt(8)
    changes = {
        "truncate": lambda path: path[:-1],
        "extend": lambda path: (*path, bytes(32)),
        "swap": lambda path: (path[1], path[0], *path[2:]),
    }
    place = receipt.found.places[0]
    in_map = TopicProof(one, (dataclasses.replace(place, path=changes[change](place.path)),))
    with pytest.raises(InvalidProof):
        dataclasses.replace(receipt, found=in_map).verify_proofs(one.topic)
    inclusion = InclusionReceipt(one, log_of(8, last=one.encode()))
    inclusion.verify_proofs()
    in_log = dataclasses.replace(inclusion.log_proof, path=changes[change](inclusion.log_proof.path))
    with pytest.raises(InvalidProof):
        dataclasses.replace(inclusion, log_proof=in_log).verify_proofs()


@pytest.mark.parametrize("index", [8, 9, (1 << 63) - 1])
def test_an_index_past_the_size_is_refused(index):
    """A leaf that would stand outside the tree is not in it."""
    (one,) = entries(1)
    proof = dataclasses.replace(log_of(8, last=one.encode()), index=index)
    with pytest.raises(InvalidProof):
        InclusionReceipt(one, proof).verify_proofs()


def test_a_node_is_no_leaf():
    """The two children of an inner node, shown as a leaf's data, do not verify as one."""
    left, right = leaf_hash(b"a"), leaf_hash(b"b")
    checkpoint = Checkpoint(ORIGIN, 1, root([left, right]))
    proof = LogProof(0, (), Note(checkpoint.text, ()), checkpoint)
    with pytest.raises(InvalidProof):
        proof.verify(left + right)


GOOD = newest_receipt()[0].encode().body
ABSENT = absent_receipt()[0].encode().body
MAP_LINE = next(line for line in GOOD.split(b"\n") if line.startswith(b"map "))
PATH_LINE = GOOD.split(b"\n")[3]

BAD_RECEIPTS = {
    "another title": GOOD.replace(b"receipt@v1", b"receipt@v2"),
    "no title": GOOD.partition(b"\n")[2],
    "no map": GOOD.replace(MAP_LINE + b"\n", b""),
    "map twice": GOOD.replace(MAP_LINE, MAP_LINE + b"\n" + MAP_LINE),
    "leading zero": GOOD.replace(b"map 6", b"map 06"),
    "short root": GOOD.replace(MAP_LINE, b"map 6 AAAA"),
    "hash of 0 bytes": GOOD.replace(PATH_LINE, b"="),
    "hash of 31 bytes": GOOD.replace(PATH_LINE, encode_base64(bytes(31)).encode()),
    "hash of 33 bytes": GOOD.replace(PATH_LINE, encode_base64(bytes(33)).encode()),
    "path before the entry": GOOD.replace(MAP_LINE, MAP_LINE + b"\n" + PATH_LINE),
    "two newest": GOOD.replace(b"\nnewest", b"\nnewest 0 AAAA\nnewest"),
    "newest and neighbour": ABSENT.replace(b"neighbour 1", b"newest 1"),
    "three neighbours": ABSENT.replace(b"\n\nc2sp", b"\nneighbour 3 AAAA\n\nc2sp"),
    "an entry as a neighbour": GOOD.replace(b"newest", b"neighbour"),
    "CRLF": GOOD.replace(b"\n", b"\r\n"),
    "no final newline": GOOD[:-1],
    "no log proof": GOOD.partition(b"\n\n")[0] + b"\n\n",
    "index with a plus": GOOD.replace(b"index 8", b"index +8"),
    "no index": GOOD.replace(b"index 8\n", b""),
    "index twice": GOOD.replace(b"index 8\n", b"index 8\nindex 8\n"),
    "empty extra": GOOD.replace(b"index 8\n", b"extra \nindex 8\n"),
    "size 2^63": GOOD.replace(b"\n9\n", b"\n9223372036854775808\n"),
    "no checkpoint": GOOD[: GOOD.index(ORIGIN.encode())],
    "empty": b"",
}


@pytest.mark.parametrize("body", BAD_RECEIPTS.values(), ids=BAD_RECEIPTS)
def test_what_is_nearly_a_receipt_is_refused(body):
    """Reading is strict, line by line."""
    with pytest.raises(Malformed):
        HeadReceipt.parse(body)


def test_huge_receipts_are_refused_unread():
    """Neither a long body nor a long path is worked through."""
    with pytest.raises(LimitExceeded):
        HeadReceipt.parse(GOOD + b"a" * MAX_RECEIPT_BYTES)
    with pytest.raises(LimitExceeded):
        HeadReceipt.parse(GOOD.replace(PATH_LINE, b"\n".join([PATH_LINE] * 64)))


def test_an_inclusion_receipt_is_a_plain_tlog_proof():
    """Any reader of C2SP tlog-proof finds its lines; the entry is the extra data."""
    (one,) = entries(1)
    receipt = InclusionReceipt(one, dataclasses.replace(log_of(8, last=one.encode()), extra=one.encode()))
    lines = receipt.encode().body.decode().split("\n")
    assert lines[:3] == ["c2sp.org/tlog-proof@v1", f"extra {encode_base64(one.encode())}", "index 7"]
    read = InclusionReceipt.parse(receipt.encode().body)
    read.verify_proofs()
    assert read == receipt


def test_an_inclusion_receipt_needs_an_entry():
    """Without extra data, or with a heads leaf there, it is none."""
    for extra in (b"", HeadsLeaf(0, bytes(32)).encode()):
        body = dataclasses.replace(log_of(8), extra=extra).encode()
        with pytest.raises(Malformed):
            InclusionReceipt.parse(body)


@settings(max_examples=200)
@given(st.binary(max_size=300), st.integers(0, len(GOOD)), st.integers(0, 40))
def test_arbitrary_receipts_raise_only_our_errors(junk, start, length):
    """Whatever bytes stand anywhere in a receipt, reading and verifying it raises nothing else."""
    topic = entries(6)[2].topic
    for body in (junk, GOOD[:start] + junk + GOOD[start + length :], ABSENT[:start] + junk):
        for kind in (HeadReceipt, InclusionReceipt):
            try:
                read = kind.parse(body)
                read.verify_proofs(*([topic] if kind is HeadReceipt else []))
            except VcidError:
                continue


@given(st.sets(st.binary(min_size=32, max_size=32), max_size=12), st.binary(min_size=32, max_size=32))
def test_a_map_proves_each_topic_newest_or_absent_never_both(topics, asked):
    """For any set of topics, exactly one of the two proofs can be made, and it holds."""
    heads = HeadsMap((topic, 0, bytes(32)) for topic in topics)
    for topic in (*topics, asked):
        found = heads.newest(topic)
        assert (found is not None) == (topic in topics)
        if found is None:
            verify_absent(heads.leaf, topic, heads.around(topic))
        else:
            verify_newest(heads.leaf, found)
            with pytest.raises(InvalidProof):
                verify_absent(
                    heads.leaf, topic, tuple(place for place in (found,) if isinstance(place, Neighbour))
                )


@settings(max_examples=60)
@given(st.integers(0, 60), st.lists(st.tuples(st.integers(0, 70), st.integers(1, 9)), max_size=12))
def test_a_map_made_from_a_former_one_is_the_same(count, changes):
    """Whatever changed, was added or is gone, hashing the difference gives every level of hashing the whole."""
    former = {number: (number.to_bytes(32), 0, bytes(32)) for number in range(count)}
    later = dict(former)
    for number, seq in changes:
        if seq == 9:
            later.pop(number, None)
        else:
            later[number] = (number.to_bytes(32), seq, bytes([seq]) * 32)
    made = HeadsMap(later.values(), HeadsMap(former.values()))
    whole = HeadsMap(later.values())
    assert made.leaf == whole.leaf
    assert all(made.newest(head[0]) == whole.newest(head[0]) for head in later.values())
    assert HeadsMap(former.values()).leaf == HeadsMap(former.values(), made).leaf

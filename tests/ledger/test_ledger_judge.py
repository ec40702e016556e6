"""The judgement: ok in one way only, and a named outcome for each way in which evidence falls short."""

import dataclasses
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.scene import LIST, NOW, ORIGIN, Scene, digest, signer
from vcid.encoding.merkle import inclusion_proof, leaf_hash, root
from vcid.errors import InvalidProof, Malformed
from vcid.ledger.anchor import LogPolicy, Outcome, View
from vcid.ledger.entries import Entry, Kind, owner_topic
from vcid.ledger.heads import HeadsMap
from vcid.ledger.judge import Claim, Evidence, Freshness, judge
from vcid.ledger.notes import Checkpoint, Note, NoteKey, NoteSignature, SignatureType, cosign, sign_note
from vcid.ledger.receipts import HeadReceipt, LogProof, Receipt
from vcid.ledger.topic_proofs import TopicProof

DAY = timedelta(days=1)


def published(scene, *, entries=None):
    scene.ledger.append(entries if entries is not None else [scene.entry(0)])
    return scene.ledger.publish()


def resigned(scene, view, *cosignatures):
    """The view's checkpoint with other cosignatures, given as (number of the witness, moment or POSIX time)."""
    text = Checkpoint(ORIGIN, view.size, view.root).text
    lines = [sign_note(text, ORIGIN, scene.log_signer)]
    for number, moment in cosignatures:
        time = moment if isinstance(moment, int) else int(moment.timestamp())
        if time:
            lines.append(cosign(text, f"w{number}.example", signer(100 + number), time))
        else:
            key = scene.witnesses[number].key
            signed = signer(100 + number).sign(f"cosignature/v1\ntime 0\n{text}".encode())
            lines.append(NoteSignature(key.name, key.key_id, bytes(8) + signed))
    return dataclasses.replace(view, note=Note(text, tuple(lines)).encode())


def renoted(receipt, view):
    """A receipt with the note of a view in place of its own."""
    read = HeadReceipt.parse(receipt.body)
    log_proof = dataclasses.replace(read.log_proof, note=Note.parse(view.note))
    return dataclasses.replace(read, log_proof=log_proof).encode()


def of(judgement):
    return judgement.outcome, judgement.code


def test_the_newest_entry_at_the_views_checkpoint_is_ok(anchored):
    """With its entry or without, the newest digest with a head receipt at the view is ok, and dated."""
    receipt = anchored.ledger.head(anchored.topic())
    for entry in (anchored.entry(), None):
        judged = anchored.judge(0, entry, receipt, anchored.view)
        assert of(judged) == (Outcome.OK, "")
        assert judged
        assert judged.freshness == judged.existence == NOW


def test_without_a_view_nothing_is_decided(anchored):
    """No memory of the log, no judgement."""
    receipt = anchored.ledger.head(anchored.topic())
    assert of(anchored.judge(0, anchored.entry(), receipt, None)) == (Outcome.UNAVAILABLE, "no-view")


def test_without_a_receipt_nothing_is_decided(anchored):
    """An entry alone, signed as it may be, is no evidence."""
    judged = anchored.judge(0, anchored.entry(), None, anchored.view)
    assert of(judged) == (Outcome.UNAVAILABLE, "no-receipt")


def test_an_inclusion_receipt_never_suffices(anchored):
    """That an entry is in the log does not say that it is the newest."""
    receipt = anchored.ledger.inclusion(anchored.entry())
    judged = anchored.judge(0, anchored.entry(), receipt, anchored.view)
    assert of(judged) == (Outcome.UNAVAILABLE, "no-head-receipt")
    assert judged.existence == NOW
    other = anchored.judge(0, anchored.entry(), anchored.ledger.inclusion(anchored.entry()), anchored.view)
    assert not other


# An older list


def test_an_old_list_is_superseded(scene):
    """Once the head at the view is a later entry of the owner's, the old list falls."""
    published(scene)
    view = published(scene, entries=[scene.entry(1)])
    judged = scene.judge(0, scene.entry(0), scene.ledger.head(scene.topic()), view)
    assert of(judged) == (Outcome.SUPERSEDED, "newer-entry")


def test_an_old_list_with_its_old_receipt_is_not_ok(scene):
    """The receipt that once was good does not match the newer view."""
    old = published(scene)
    receipt = scene.ledger.head(scene.topic())
    view = published(scene, entries=[scene.entry(1)])
    assert scene.judge(0, scene.entry(0), receipt, old)
    judged = scene.judge(0, scene.entry(0), receipt, view)
    assert of(judged) == (Outcome.STALE, "receipt-older-than-view")


def test_a_later_entry_of_the_owner_supersedes_whatever_the_log_says(scene):
    """The owner's signature suffices: a receipt older than the view, or short of witnesses, still supersedes."""
    published(scene)
    middle = published(scene, entries=[scene.entry(1)])
    receipt = scene.ledger.head(scene.topic())
    view = published(scene, entries=[scene.entry(2)])
    assert of(scene.judge(0, scene.entry(0), receipt, view)) == (Outcome.SUPERSEDED, "newer-entry")
    bare = resigned(scene, middle)
    judged = scene.judge(0, scene.entry(0), renoted(receipt, bare), bare)
    assert of(judged) == (Outcome.SUPERSEDED, "newer-entry")


def test_garbage_at_the_next_number_supersedes_nothing(scene):
    """An operator who logs a head that the owner did not sign makes the receipt invalid, not the list old."""
    view = published(scene)
    receipt = HeadReceipt.parse(scene.ledger.head(scene.topic()).body)
    fields = {"kind": Kind.STATUS_LIST, "owner": scene.owner.public_key, "list_hash": receipt.entry.list_hash}
    garbage = Entry(
        **fields, seq=1, digest=digest(9), signing_key=scene.owner.public_key, signature=bytes(64)
    )
    forged = Forged(scene, garbage)
    assert of(scene.judge(0, scene.entry(0), forged.receipt, forged.view)) == (
        Outcome.INVALID,
        "bad-signature",
    )
    assert scene.judge(0, scene.entry(0), receipt.encode(), view)


class Forged:
    """A log of one entry and its heads leaf, built with no check and cosigned by a witness that checks nothing."""

    def __init__(self, scene, entry, *, heads=None):
        true = HeadsMap([(entry.topic, entry.seq, leaf_hash(entry.encode()))])
        told = heads or true
        leaves = [leaf_hash(entry.encode()), leaf_hash(told.leaf.encode())]
        checkpoint = Checkpoint(ORIGIN, 2, root(leaves))
        view = View.of(checkpoint, b"")
        self.view = resigned(scene, view, (0, NOW))
        note = Note.parse(self.view.note)
        proof = LogProof(1, tuple(inclusion_proof(leaves, 1)), note, checkpoint)
        found = TopicProof(entry, (true.newest(entry.topic),))
        key = TopicProof(None, true.around(owner_topic(entry.owner)))
        self.receipt = HeadReceipt(told.leaf, found, key, proof).encode()


def test_a_head_that_the_heads_leaf_does_not_hold_is_invalid(scene):
    """The entry is signed and the leaf is last, but the map is another one."""
    forged = Forged(scene, scene.entry(0), heads=HeadsMap([(bytes(32), 0, bytes(32))]))
    judged = scene.judge(0, scene.entry(0), forged.receipt, forged.view)
    assert judged.outcome is Outcome.INVALID


# Not in the log


def test_an_entry_not_yet_in_the_log_is_not_anchored(scene):
    """A signed next entry that the owner never anchored does not pass for the newest."""
    view = published(scene)
    receipt = scene.ledger.head(scene.topic())
    assert of(scene.judge(1, scene.entry(1), receipt, view)) == (Outcome.NOT_ANCHORED, "not-yet")
    assert of(scene.judge(5, scene.entry(5), receipt, view)) == (Outcome.NOT_ANCHORED, "not-yet")


def test_a_topic_without_entries_is_not_anchored(anchored):
    """Absence is proven and named."""
    claim = anchored.claim(0, list_id="https://civil.example/status/none")
    receipt = anchored.ledger.head(claim.topic)
    judged = anchored.judge(receipt=receipt, view=anchored.view, claim=claim)
    assert of(judged) == (Outcome.NOT_ANCHORED, "absent")


def test_a_second_statement_under_one_number_is_not_anchored(scene):
    """The owner signed two digests as one number; the one that is not in the log does not count."""
    view = published(scene)
    judged = scene.judge(7, scene.entry(0, content=7), scene.ledger.head(scene.topic()), view)
    assert of(judged) == (Outcome.NOT_ANCHORED, "owner-signed-two")


def test_a_swapped_document_is_not_anchored(scene):
    """Without an entry, another digest than the newest is simply not anchored."""
    view = published(scene)
    judged = scene.judge(7, None, scene.ledger.head(scene.topic()), view)
    assert of(judged) == (Outcome.NOT_ANCHORED, "other-digest")


# Evidence that does not belong together


def test_the_entry_is_about_the_claim(scene):
    """An entry of another list, kind, digest or owner is refused, and one whose signature does not hold."""
    view = published(scene)
    receipt = scene.ledger.head(scene.topic())
    others = [
        scene.entry(0, list_id="b"),
        scene.entry(0, kind=Kind.BATCH_ROOT),
        scene.entry(0, content=1),
        scene.entry(0, owner=signer(9)),
    ]
    for other in others:
        assert of(scene.judge(0, other, receipt, view)) == (Outcome.INVALID, "entry-mismatch")
    unsigned = dataclasses.replace(scene.entry(0), signature=bytes(64))
    assert of(scene.judge(0, unsigned, receipt, view)) == (Outcome.INVALID, "bad-signature")


@pytest.mark.parametrize("claim", ["list", "owner", "kind"])
def test_a_receipt_for_another_topic_is_invalid(anchored, claim):
    """A head receipt answers for its own topic alone."""
    claims = {
        "list": anchored.claim(0, list_id="https://civil.example/status/other-1"),
        "owner": anchored.claim(0, owner=signer(9)),
        "kind": anchored.claim(0, kind=Kind.BATCH_ROOT),
    }
    judged = anchored.judge(
        receipt=anchored.ledger.head(anchored.topic()), view=anchored.view, claim=claims[claim]
    )
    assert of(judged) == (Outcome.INVALID, "wrong-topic")


def test_a_topic_is_not_split_between_owner_and_list(scene):
    """No other claim whose parts concatenate alike has the same topic."""
    key = scene.owner.public_key
    claims = [
        Claim(owner=key, kind=Kind.STATUS_LIST, list_id=text, digest=digest(0)) for text in ("ab", "a", "")
    ]
    assert len({claim.topic for claim in claims}) == 3


def test_a_receipt_of_another_log_is_invalid(scene):
    """Another origin, and the same origin under another key, are other logs."""
    view = published(scene)
    text = Checkpoint("log.example/other", view.size, view.root).text
    other = Note(text, (sign_note(text, "log.example/other", scene.log_signer),)).encode()
    receipt = scene.ledger.head(scene.topic())
    foreign = Receipt(receipt.media_type, receipt.body[: receipt.body.index(ORIGIN.encode())] + other)
    assert of(scene.judge(0, None, foreign, view)) == (Outcome.INVALID, "wrong-origin")
    impostor = Note(
        Checkpoint(ORIGIN, view.size, view.root).text,
        (sign_note(Checkpoint(ORIGIN, view.size, view.root).text, ORIGIN, signer(9)),),
    ).encode()
    foreign = Receipt(receipt.media_type, receipt.body[: receipt.body.index(ORIGIN.encode())] + impostor)
    assert of(scene.judge(0, None, foreign, view)) == (Outcome.INVALID, "unsigned")


def test_two_roots_of_one_size_are_a_fork(scene):
    """A receipt at the view's size under another root shows that the log signed two versions."""
    view = published(scene)
    fork = scene.open("memory:", witnesses=())
    fork.append([scene.entry(0, content=7)])
    fork.publish()
    for content, entry in [(7, scene.entry(0, content=7)), (0, scene.entry(0))]:
        judged = scene.judge(content, entry, fork.head(scene.topic()), view)
        assert of(judged) == (Outcome.FORK, "same-size-other-root")
    judged = scene.judge(7, None, fork.inclusion(scene.entry(0, content=7)), view)
    assert of(judged) == (Outcome.FORK, "same-size-other-root")


def test_a_receipt_beyond_the_view_waits_for_the_view(scene):
    """A receipt at a larger checkpoint is no evidence before the view was advanced."""
    view = published(scene)
    published(scene, entries=[scene.entry(1)])
    judged = scene.judge(1, scene.entry(1), scene.ledger.head(scene.topic()), view)
    assert of(judged) == (Outcome.UNAVAILABLE, "receipt-beyond-view")


def test_a_view_is_what_its_note_says(scene):
    """A view whose size or root is not the note's is refused."""
    view = published(scene)
    receipt = scene.ledger.head(scene.topic())
    for other in (dataclasses.replace(view, size=view.size + 1), dataclasses.replace(view, root=bytes(32))):
        assert of(scene.judge(0, None, receipt, other)) == (Outcome.INVALID, "view-mismatch")
    unreadable = dataclasses.replace(view, note=b"hello\n")
    assert scene.judge(0, None, receipt, unreadable).outcome is Outcome.INVALID


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/json"])
def test_other_media_types_are_invalid(anchored, media_type):
    """A receipt is one of two types."""
    body = anchored.ledger.head(anchored.topic()).body
    judged = anchored.judge(0, None, Receipt(media_type, body), anchored.view)
    assert of(judged) == (Outcome.INVALID, "media-type")


def test_extension_lines_are_refused(scene):
    """Nobody audits them, so a checkpoint that has some is no view."""
    text = Checkpoint(ORIGIN, 1, bytes(32), ("time 5",)).text
    with pytest.raises(Malformed, match="extension"):
        View.verified(Note(text, (sign_note(text, ORIGIN, scene.log_signer),)).encode(), scene.policy)


# Witnesses and time


def asked(scene, view, **options):
    receipt = renoted(scene.ledger.head(scene.topic()), view)
    return scene.judge(0, scene.entry(0), receipt, view, **options)


def test_too_few_witnesses_are_no_quorum(scene):
    """One of two asked for, or none, is not ok: the time is unknown."""
    view = published(scene)
    both = dataclasses.replace(scene.policy, quorum=2)
    assert asked(scene, view, policy=both)
    assert of(asked(scene, resigned(scene, view, (0, NOW)), policy=both)) == (
        Outcome.QUORUM,
        "too-few-witnesses",
    )
    assert of(asked(scene, resigned(scene, view))) == (Outcome.QUORUM, "too-few-witnesses")


def test_a_stranger_is_no_witness(scene):
    """A cosignature by a key that the policy does not name counts for nothing."""
    view = published(scene)
    stranger = resigned(scene, view, (7, NOW))
    assert of(asked(scene, stranger)) == (Outcome.QUORUM, "too-few-witnesses")


def test_a_bad_known_cosignature_is_invalid(scene):
    """A line that claims a witness and does not verify refuses the view, other good lines or not."""
    view = published(scene)
    note = Note.parse(view.note)
    bad = dataclasses.replace(note.signatures[2], signature=bytes(72))
    forged = dataclasses.replace(view, note=Note(note.text, (*note.signatures[:2], bad)).encode())
    assert of(asked(scene, forged)) == (Outcome.INVALID, "bad-signature")


def test_a_frozen_log_grows_stale(scene):
    """The view's age is judged by the witnesses' time alone, to the second."""
    view = published(scene)
    assert asked(scene, view, now=NOW + 7 * DAY)
    judged = asked(scene, view, now=NOW + 7 * DAY + timedelta(seconds=1))
    assert of(judged) == (Outcome.STALE, "too-old")
    assert judged.freshness == NOW


def test_a_clock_off_by_a_year_is_never_ok(scene):
    """A device ahead finds the view stale; a device behind can't tell its age."""
    view = published(scene)
    assert of(asked(scene, view, now=NOW + 365 * DAY)) == (Outcome.STALE, "too-old")
    assert of(asked(scene, view, now=NOW - 365 * DAY)) == (Outcome.UNAVAILABLE, "clock-behind")
    assert asked(scene, view, now=NOW - timedelta(minutes=4))
    assert of(asked(scene, view, now=NOW - timedelta(minutes=6))) == (Outcome.UNAVAILABLE, "clock-behind")


THREE = [(0, NOW - 30 * DAY), (1, NOW - 30 * DAY)]


def three(quorum):
    scene = Scene(witnesses=3, quorum=quorum)
    return scene, published(scene)


def test_future_dated_liars_can_not_freshen_an_old_view():
    """With a quorum of two of three, one witness a year ahead leaves a month-old view stale."""
    scene, view = three(2)
    forged = resigned(scene, view, *THREE, (2, NOW + 365 * DAY))
    assert of(asked(scene, forged)) == (Outcome.STALE, "too-old")
    assert asked(scene, resigned(scene, view, *[(n, NOW) for n in range(2)], (2, NOW + 365 * DAY)))


def test_as_many_liars_as_the_quorum_are_noticed_when_they_overdo_it():
    """If k witnesses are ahead of the clock, the view's age can't be told."""
    scene, view = three(2)
    forged = resigned(scene, view, (0, NOW), (1, NOW + 365 * DAY), (2, NOW + 365 * DAY))
    assert of(asked(scene, forged)) == (Outcome.UNAVAILABLE, "clock-behind")


def test_backdated_liars_can_not_make_a_checkpoint_older():
    """Existence is the k-th smallest time: one witness in 1970 proves nothing."""
    scene, view = three(2)
    forged = resigned(scene, view, (0, 1), (1, NOW - DAY), (2, NOW))
    judged = asked(scene, forged)
    assert judged
    assert (judged.existence, judged.freshness) == (NOW - DAY, NOW - DAY)


@pytest.mark.parametrize(("quorum", "freshest", "oldest"), [(1, 1, 4), (2, 2, 3), (3, 3, 2), (4, 4, 1)])
def test_freshness_is_the_kth_largest_and_existence_the_kth_smallest(quorum, freshest, oldest):
    """Of four witnesses one, two, three and four days back, the quorum's own are counted from either end."""
    scene = Scene(witnesses=4, quorum=quorum)
    view = resigned(scene, published(scene), *[(number, NOW - (number + 1) * DAY) for number in range(4)])
    judged = asked(scene, view)
    assert (judged.freshness, judged.existence) == (NOW - freshest * DAY, NOW - oldest * DAY)


def test_time_zero_says_nothing():
    """A cosignature without a time counts as a witness and not as a clock."""
    scene, view = three(2)
    assert of(asked(scene, resigned(scene, view, (0, 0), (1, 0), (2, 0)))) == (Outcome.QUORUM, "time-unknown")
    assert of(asked(scene, resigned(scene, view, (0, 0), (1, NOW)))) == (Outcome.QUORUM, "time-unknown")
    assert asked(scene, resigned(scene, view, (0, 0), (1, NOW), (2, NOW)))


def test_a_time_past_all_calendars_is_the_future(scene):
    """The largest time that the format holds raises nothing."""
    view = published(scene)
    forged = resigned(scene, view, (0, (1 << 63) - 1))
    assert of(asked(scene, forged)) == (Outcome.UNAVAILABLE, "clock-behind")


def test_cosignatures_of_receipt_and_view_count_together(scene):
    """One checkpoint cosigned by one witness here and by the other there has both."""
    view = published(scene)
    both = dataclasses.replace(scene.policy, quorum=2)
    here, there = resigned(scene, view, (0, NOW)), resigned(scene, view, (1, NOW))
    receipt = renoted(scene.ledger.head(scene.topic()), there)
    assert scene.judge(0, scene.entry(0), receipt, here, policy=both)
    again = renoted(scene.ledger.head(scene.topic()), here)
    assert of(scene.judge(0, scene.entry(0), again, here, policy=both))[0] is Outcome.QUORUM


def test_a_question_needs_sound_times():
    """A clock without a zone and negative ages are misuse."""
    with pytest.raises(ValueError, match="zone"):
        Freshness(datetime(2026, 1, 1), DAY)
    for ages in ((-DAY, DAY), (DAY, -DAY)):
        with pytest.raises(ValueError, match="negative"):
            Freshness(NOW, *ages)


# The policy


def policy(**changes):
    fields = {
        "origin": ORIGIN,
        "log_key": signer(1).public_key,
        "witnesses": (("w0.example", signer(100).public_key), ("w1.example", signer(101).public_key)),
        "quorum": 1,
    }
    return LogPolicy(**{**fields, **changes})


BAD_POLICIES = {
    "no quorum": {"quorum": 0},
    "a quorum of more than all": {"quorum": 3},
    "no witnesses": {"witnesses": (), "quorum": 1},
    "one name counted twice": {
        "witnesses": (("w", signer(100).public_key), ("w", signer(101).public_key)),
        "quorum": 2,
    },
    "one witness under two names": {
        "witnesses": (("v", signer(100).public_key), ("w", signer(100).public_key))
    },
    "the log as its own witness": {"witnesses": (("w", signer(1).public_key),)},
    "a witness named as the log": {"witnesses": ((ORIGIN, signer(100).public_key),)},
}


@pytest.mark.parametrize("changes", BAD_POLICIES.values(), ids=BAD_POLICIES)
def test_a_policy_can_not_count_one_witness_twice(changes):
    """Names and keys are distinct and the quorum can be met, in Python and in JSON."""
    with pytest.raises(ValueError, match=r"quorum|own"):
        policy(**changes)
    keys = changes.get("witnesses", policy().witnesses)
    vkeys = [NoteKey(name, SignatureType.COSIGNATURE_V1, key).vkey for name, key in keys]
    with pytest.raises(Malformed):
        LogPolicy.from_json({**policy().to_json(), "witnesses": vkeys, "quorum": changes.get("quorum", 1)})


def test_a_policy_round_trips_as_json():
    """Keys travel as C2SP verifier keys."""
    written = policy(quorum=2).to_json()
    assert LogPolicy.from_json(written) == policy(quorum=2)
    assert written["log"].startswith(f"{ORIGIN}+")


@pytest.mark.parametrize(
    "change",
    [
        {"quorum": True},
        {"quorum": "1"},
        {"quorum": None},
        {"witnesses": {}},
        {"witnesses": [7]},
        {"witnesses": ["x"]},
        {"log": policy().to_json()["witnesses"][0]},
        {"witnesses": [policy().to_json()["log"]]},
        {"origin": "log.example/other"},
        {"more": 1},
    ],
    ids=str,
)
def test_a_policy_that_is_not_one_is_refused(change):
    """Wrong types, keys of the wrong signature type and unknown members are faults."""
    with pytest.raises(Malformed):
        LogPolicy.from_json({**policy().to_json(), **change})


def test_how_many_liars_a_policy_bears():
    """K > (n + f) / 2: all of four bear three, three of four one, two of four not even none."""
    keys = tuple((f"w{number}", signer(100 + number).public_key) for number in range(4))
    assert [policy(witnesses=keys, quorum=quorum).tolerated_liars for quorum in (4, 3, 2)] == [3, 1, -1]


def test_a_checkpoint_needs_the_logs_own_signature(scene):
    """Witnesses alone don't make a view."""
    view = published(scene)
    note = Note.parse(view.note)
    unsigned = Note(note.text, note.signatures[1:]).encode()
    with pytest.raises(InvalidProof, match="unsigned"):
        scene.policy.examine(unsigned)


@settings(max_examples=150)
@given(st.integers(0, 1200), st.binary(max_size=12), st.integers(0, 12), st.booleans())
def test_no_damage_to_the_evidence_is_ok_or_raises(where, junk, length, in_view):
    """Any bytes changed in receipt or view: either nothing signed was touched, or it is not ok, and nothing raises."""
    scene, receipt, view = DAMAGED
    data = view.note if in_view else receipt.body
    changed = data[:where] + junk + data[where + length :]
    if in_view:
        judged = scene.judge(0, scene.entry(0), receipt, dataclasses.replace(view, note=changed))
        assert not judged or scene.policy.examine(changed).checkpoint == scene.policy.examine(data).checkpoint
    else:
        judged = scene.judge(0, scene.entry(0), Receipt(receipt.media_type, changed), view)
        assert judged.outcome is not Outcome.OK or HeadReceipt.parse(changed).entry.digest == digest(0)
    assert scene.judge(7, None, Receipt(receipt.media_type, changed), view).outcome is not Outcome.OK


def _damaged():
    scene = Scene()
    scene.ledger.append([scene.entry(list_id=str(number)) for number in range(9)])
    view = published(scene)
    return scene, scene.ledger.head(scene.topic()), view


DAMAGED = _damaged()


@given(st.text(max_size=40), st.binary(max_size=40), st.datetimes(timezones=st.just(UTC)))
def test_any_question_has_an_answer(list_id, content, now):
    """Whatever list id, digest and time are asked about, judging raises nothing."""
    scene, receipt, view = DAMAGED
    claim = Claim(owner=scene.owner.public_key, kind=Kind.STATUS_LIST, list_id=list_id, digest=content)
    age = Freshness(now, DAY)
    judged = judge(claim, Evidence(None, receipt), view, policy=scene.policy, freshness=age)
    assert not judged
    assert LIST not in repr(judged)

"""Groups of witnesses and the tlog-policy text: who is enough, at which times, and what is no policy."""

import dataclasses
import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.scene import NOW, ORIGIN, Scene, signer
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, Malformed, VcidError
from vcid.keys.signing import LocalSigner
from vcid.ledger.anchor import LogPolicy, Outcome, Period, View
from vcid.ledger.notes import Checkpoint, Note, NoteKey, cosign, sign_note
from vcid.ledger.quorums import MAX_WITNESSES, Group
from vcid.ledger.tlog_policy import TlogPolicy
from vcid.policy import Policy

TEXT = Checkpoint(ORIGIN, 7, b"r" * 32).text
KEYS = {f"w{number}": signer(100 + number) for number in range(7)}
ORGANIZATIONS = Group(2, (Group(2, ("w0", "w1", "w2")), Group(1, ("w3", "w4")), "w5"))


def policy(quorum=ORGANIZATIONS, **changes):
    witnesses = tuple((name, key.public_key) for name, key in KEYS.items())
    fields = {"origin": ORIGIN, "log_key": signer(1).public_key, "witnesses": witnesses, "quorum": quorum}
    return LogPolicy(**{**fields, **changes})


def note(times, text=TEXT, log=1):
    """A checkpoint cosigned by witnesses at times."""
    lines = [cosign(text, name, KEYS[name], time) for name, time in times.items()]
    return Note(text, (sign_note(text, ORIGIN, signer(log)), *lines)).encode()


def seconds(moment):
    return None if moment is None else int(moment.timestamp())


groups = st.recursive(st.just(None), lambda inner: st.lists(inner, min_size=1, max_size=4), max_leaves=7)


def build(shape, names, draw):
    if shape is None:
        return next(names)
    members = tuple(build(one, names, draw) for one in shape)
    return Group(draw(st.integers(1, len(members))), members)


@st.composite
def timed_groups(draw):
    """A group over up to seven witnesses, and the times at which some of them signed."""
    built = build(draw(groups), iter(KEYS), draw)
    group = built if isinstance(built, Group) else Group(1, (built,))
    times = {name: draw(st.integers(0, 6)) for name in group.names if draw(st.booleans())}
    return group, times


@given(timed_groups())
def test_times_are_what_the_definition_says(drawn):
    """Freshness is the greatest t that later times satisfy, existence the smallest that earlier ones do."""
    group, times = drawn
    stated = sorted({time for time in times.values() if time})
    late = [t for t in stated if group.is_satisfied({name for name in times if times[name] >= t})]
    early = [t for t in stated if group.is_satisfied({name for name in times if 0 < times[name] <= t})]
    assert group.freshness(times) == max(late, default=None)
    assert group.existence(times) == min(early, default=None)


@given(timed_groups(), st.sets(st.sampled_from(sorted(KEYS))), st.integers(0, 9), st.integers(3, 4))
def test_liars_who_are_not_enough_move_no_time_past_the_honest(drawn, liars, lie, honest):
    """Whatever times they state, freshness is no later and existence no earlier than an honest one."""
    group, _ = drawn
    if group.is_satisfied(liars):
        return
    times = {name: lie if name in liars else honest for name in group.names}
    fresh, existing = group.freshness(times), group.existence(times)
    assert fresh is None or fresh <= honest
    assert existing is None or existing >= honest


@given(timed_groups(), st.data())
def test_two_quorums_share_as_many_as_stated(drawn, data):
    """No two satisfying sets have fewer witnesses in common than ``overlap``."""
    group, _ = drawn
    names = sorted(group.names)
    one, other = (data.draw(st.sets(st.sampled_from(names))) for _ in range(2))
    if group.is_satisfied(one) and group.is_satisfied(other):
        assert len(one & other) >= group.overlap


def test_nested_groups_ask_for_each_organization():
    """Two of three groups: all witnesses of one and a half of another are not enough."""
    enough = [{"w0", "w1", "w3"}, {"w4", "w5"}, {"w1", "w2", "w5"}]
    short = [{"w0", "w1", "w2"}, {"w0", "w3"}, {"w3", "w4"}, {"w0", "w5"}, {"w6"}, set()]
    assert all(policy().examine(note(dict.fromkeys(names, 9))).is_witnessed for names in enough)
    assert not any(policy().examine(note(dict.fromkeys(names, 9))).is_witnessed for names in short)
    assert (ORGANIZATIONS.overlap, policy().tolerated_liars) == (0, -1)


@pytest.mark.parametrize(
    ("times", "fresh", "existing"),
    [
        ({"w0": 10, "w1": 20, "w3": 30}, 10, 30),  # the inner group reaches its two at 20
        ({"w0": 10, "w1": 20, "w2": 99, "w3": 30}, 20, 30),  # one liar of the first group moves no limit
        ({"w3": 99, "w4": 20, "w5": 30}, 30, 30),
        ({"w3": 99, "w4": 1, "w0": 10, "w1": 20}, 10, 20),
        ({"w3": 30}, None, None),
    ],
)
def test_times_of_nested_groups(times, fresh, existing):
    """Each group gives its k-th time, and the outer one the k-th of those."""
    seen = policy().examine(note(times))
    assert (seconds(seen.freshness), seconds(seen.existence)) == (fresh, existing)


QUORUMS = {
    "flat": (Group(2, ("w0", "w1", "w2")), {"w0"}, {"w1", "w2"}),
    "nested": (Group(2, (Group(2, ("w0", "w1", "w2")), Group(1, ("w3",)))), {"w0", "w3"}, {"w1", "w2"}),
}


@pytest.mark.parametrize(("group", "liars", "honest"), QUORUMS.values(), ids=QUORUMS)
@pytest.mark.parametrize("years", [-9, 9])
def test_liars_short_of_a_quorum_neither_postdate_nor_backdate(group, liars, honest, years):
    """K - 1 of them, ahead or behind by years, leave freshness and existence at honest times at worst."""
    truth = int(NOW.timestamp())
    lie = truth + int(timedelta(days=365 * years).total_seconds())
    seen = policy(group).examine(note({**dict.fromkeys(honest, truth), **dict.fromkeys(liars, lie)}))
    assert seconds(seen.freshness) <= truth
    assert seconds(seen.existence) >= truth


def test_time_0_makes_a_quorum_but_no_freshness():
    """An ML-DSA-44 cosignature without a time counts against a fork; it dates nothing."""
    quantum = LocalSigner.from_private_bytes(KeyType.ML_DSA_44, b"q" * 32)
    asked = policy(1, witnesses=(("q", quantum.public_key),))
    signed = Note(TEXT, (sign_note(TEXT, ORIGIN, signer(1)), cosign(TEXT, "q", quantum, 0))).encode()
    seen = asked.examine(signed)
    assert seen.is_witnessed
    assert (seen.freshness, seen.existence) == (None, None)


def test_a_quorum_without_times_is_not_fresh():
    """The judgement stays short of ok."""
    scene = Scene(witnesses=1)
    scene.ledger.append([scene.entry()])
    view = scene.ledger.publish()
    quantum = LocalSigner.from_private_bytes(KeyType.ML_DSA_44, b"q" * 32)
    asked = dataclasses.replace(scene.policy, witnesses=(("q", quantum.public_key),))
    parsed = Note.parse(view.note)
    timeless = Note(parsed.text, (parsed.signatures[0], cosign(parsed.text, "q", quantum, 0))).encode()
    receipt = scene.ledger.head(scene.topic())
    found = scene.judge(
        entry=scene.entry(), receipt=receipt, view=View.verified(timeless, asked), policy=asked
    )
    assert (found.outcome, found.code) == (Outcome.QUORUM, "time-unknown")


def test_a_witness_with_two_keys_counts_once():
    """Old and new, or of both types: the later of its times, and one voice."""
    quantum = LocalSigner.from_private_bytes(KeyType.ML_DSA_44, b"q" * 32)
    asked = policy(
        2,
        witnesses=(("w0", KEYS["w0"].public_key), ("w0", quantum.public_key), ("w1", KEYS["w1"].public_key)),
    )
    lines = [
        sign_note(TEXT, ORIGIN, signer(1)),
        cosign(TEXT, "w0", KEYS["w0"], 5),
        cosign(TEXT, "w0", quantum, 8),
    ]
    seen = asked.examine(Note(TEXT, tuple(lines)).encode())
    assert (seen.is_witnessed, seen.times) == (False, {"w0": 8})
    seen = asked.examine(Note(TEXT, (*lines, cosign(TEXT, "w1", KEYS["w1"], 9))).encode())
    assert (seen.is_witnessed, seconds(seen.freshness)) == (True, 8)


@pytest.mark.parametrize(("time", "counts"), [(9, False), (10, True), (20, True), (21, False)])
def test_a_key_counts_in_its_period_alone(time, counts):
    """A key given up vouches for nothing later, a new one for nothing earlier."""
    asked = policy(1, key_periods=((KEYS["w0"].public_key, Period(10, 20)),))
    assert asked.examine(note({"w0": time})).is_witnessed is counts


def test_a_timeless_cosignature_is_in_no_period():
    """It can't be placed, so a key with a period vouches for nothing by it."""
    quantum = LocalSigner.from_private_bytes(KeyType.ML_DSA_44, b"q" * 32)
    asked = policy(
        1, witnesses=(("q", quantum.public_key),), key_periods=((quantum.public_key, Period(0, 20)),)
    )
    signed = Note(TEXT, (sign_note(TEXT, ORIGIN, signer(1)), cosign(TEXT, "q", quantum, 0))).encode()
    assert not asked.examine(signed).is_witnessed


def test_a_former_log_key_signs_no_larger_checkpoint():
    """Up to its last size it does; the key in force signs any size."""
    asked = policy(1, log_key=signer(5).public_key, former_log_keys=((signer(1).public_key, 7),))
    assert asked.examine(note({"w0": 9})).is_witnessed
    assert asked.examine(note({"w0": 9}, log=5)).is_witnessed
    larger = Checkpoint(ORIGIN, 8, b"r" * 32).text
    with pytest.raises(InvalidProof, match="unsigned"):
        asked.examine(note({"w0": 9}, larger))
    assert asked.examine(note({"w0": 9}, larger, log=5)).is_witnessed


def test_only_the_replaying_group_vouches_for_heads():
    """A quorum of witnesses who read no leaves is none; the replaying ones have to be among it."""
    asked = policy(2, replaying=Group(1, ("w5", "w6")))
    assert not asked.examine(note(dict.fromkeys(["w0", "w1", "w2"], 9))).is_witnessed
    seen = asked.examine(note({"w0": 30, "w1": 20, "w5": 10}))
    assert seen.is_witnessed
    assert (seconds(seen.freshness), seconds(seen.existence)) == (10, 20)


@pytest.mark.parametrize("group", [Group(1, ("w0", "w1")), ORGANIZATIONS], ids=["flat", "nested"])
def test_a_forged_cosignature_counts_for_nobody(group):
    """The right key ID with the wrong key refuses the note; a relabelled or doubled witness is not counted."""
    own = sign_note(TEXT, ORIGIN, signer(1))
    good = [cosign(TEXT, name, KEYS[name], 9) for name in ("w3", "w4")]
    forged = dataclasses.replace(
        cosign(TEXT, "w0", signer(99), 9), key_id=cosign(TEXT, "w0", KEYS["w0"], 9).key_id
    )
    with pytest.raises(InvalidProof, match="bad-signature"):
        policy(group).examine(Note(TEXT, (own, *good, forged)).encode())
    relabelled = dataclasses.replace(good[0], name="w0")
    assert policy(group).examine(Note(TEXT, (own, *good, relabelled)).encode()).times == {"w3": 9, "w4": 9}
    with pytest.raises(InvalidProof, match="duplicate-signature"):
        policy(group).examine(Note(TEXT, (own, *good, good[0])).encode())
    replayed = dataclasses.replace(good[0], signature=sign_note(TEXT, "w3", KEYS["w3"]).signature)
    with pytest.raises(InvalidProof, match="bad-signature"):
        policy(group).examine(Note(TEXT, (own, replayed)).encode())


def test_more_than_sixteen_witnesses_count():
    """A policy of forty, all of whom sign."""
    many = {f"m{number}": signer(100 + number) for number in range(40)}
    asked = policy(40, witnesses=tuple((name, key.public_key) for name, key in many.items()))
    lines = [cosign(TEXT, name, key, 9) for name, key in many.items()]
    signed = Note(TEXT, (sign_note(TEXT, ORIGIN, signer(1)), *lines))
    assert asked.examine(signed.encode()).is_witnessed
    assert not asked.examine(Note(TEXT, signed.signatures[:-1]).encode()).is_witnessed


BAD_GROUPS = {
    "no member": lambda: Group(1, ()),
    "threshold 0": lambda: Group(0, ("w0",)),
    "more than all": lambda: Group(2, ("w0",)),
    "a witness twice": lambda: Group(1, ("w0", "w0")),
    "a witness twice, nested": lambda: Group(1, ("w0", Group(1, ("w0",)))),
    "too many": lambda: Group(1, tuple(f"w{number}" for number in range(MAX_WITNESSES + 1))),
    "too deep": lambda: nest(20),
    "a stranger": lambda: policy(Group(1, ("stranger",))),
    "a replaying stranger": lambda: policy(1, replaying=Group(1, ("stranger",))),
    "a key with two names": lambda: policy(
        1, witnesses=(("v", KEYS["w0"].public_key), ("w", KEYS["w0"].public_key))
    ),
    "a former log key that is a witness's": lambda: policy(1, former_log_keys=((KEYS["w0"].public_key, 7),)),
    "a former log key in force": lambda: policy(1, former_log_keys=((signer(1).public_key, 7),)),
    "a period of a stranger's": lambda: policy(1, key_periods=((signer(99).public_key, Period(1, 2)),)),
    "a period that ends before it begins": lambda: Period(2, 1),
}


def nest(depth):
    group = Group(1, ("w0",))
    for _ in range(depth):
        group = Group(1, (group,))
    return group


@pytest.mark.parametrize("make", BAD_GROUPS.values(), ids=BAD_GROUPS)
def test_a_policy_that_contradicts_itself_is_refused(make):
    """Thresholds that can't be reached, witnesses that count twice, and keys of two uses."""
    with pytest.raises(ValueError, match=r"quorum|group|key|deep|witness"):
        make()


FULL = policy(
    replaying=Group(1, ("w5", "w6")),
    former_log_keys=((signer(3).public_key, 7),),
    key_periods=((KEYS["w0"].public_key, Period(1, 9)),),
)


def test_a_nested_policy_round_trips_as_json():
    """Alone, and within a verifier's whole policy, whose schema knows it."""
    assert LogPolicy.from_json(FULL.to_json()) == FULL
    quantum = LocalSigner.from_private_bytes(KeyType.ML_DSA_44, b"q" * 32)
    other = policy(1, origin="b.example", witnesses=(("q", quantum.public_key),))
    whole = Policy(logs=(FULL, other))
    assert Policy.parse(json.dumps(whole.to_json())).logs == (FULL, other)


@pytest.mark.parametrize(
    "change",
    [
        {"quorum": {"threshold": 1}},
        {"quorum": {"threshold": True, "members": ["w0"]}},
        {"quorum": {"threshold": 1, "members": ["w0"], "more": 1}},
        {"quorum": {"threshold": 1, "members": [["w0"]]}},
        {"quorum": {"threshold": 2, "members": ["w0"]}},
        {"quorum": nest(3).to_json() | {"threshold": 2}},
        {"replaying": 1},
        {"replaying": None},
        {"formerLogKeys": {}},
        {"formerLogKeys": [{"key": FULL.to_json()["log"]}]},
        {
            "formerLogKeys": [
                {"key": NoteKey.of_log("other.example", signer(3).public_key).vkey, "untilSize": 1}
            ]
        },
        {"witnesses": [{"key": FULL.to_json()["witnesses"][1]}]},
        {"witnesses": [{"key": FULL.to_json()["witnesses"][1], "since": 5, "until": 4}]},
    ],
    ids=str,
)
def test_json_that_is_no_nested_policy_is_refused(change):
    """Wrong shapes, unreachable thresholds and keys of other logs."""
    with pytest.raises(Malformed):
        LogPolicy.from_json({**FULL.to_json(), **change})


def vkey(name, number):
    return NoteKey.of_cosigner(name, signer(number).public_key).vkey


LOG = NoteKey.of_log(ORIGIN, signer(1).public_key).vkey
EXAMPLE = f"""
# The example of the specification, with two organizations.
log {LOG} https://log.example/

witness X1 {vkey("x1.example", 11)}
  witness\tX2 {vkey("x2.example", 12)}\thttps://x2.example/
witness X3 {vkey("x3.example", 13)}
group X-witnesses 2 X1 X2 X3

witness Y1 {vkey("y1.example", 21)}
witness Y2 {vkey("y2.example", 22)}
group Y-witnesses any Y1 Y2

group X-and-Y all X-witnesses Y-witnesses
quorum X-and-Y
"""


def test_the_specifications_example_reads_and_round_trips():
    """Groups by threshold, any and all; spaces, tabs, comments and empty lines."""
    read = TlogPolicy.parse(EXAMPLE.encode())
    assert TlogPolicy.parse(read.encode()) == read
    assert read.witnesses["X2"].url == "https://x2.example/"
    made = read.log_policy(ORIGIN, replaying="X-witnesses")
    xs, ys = Group(2, ("x1.example", "x2.example", "x3.example")), Group(1, ("y1.example", "y2.example"))
    assert (made.quorum, made.replaying) == (Group(2, (xs, ys)), xs)
    again = TlogPolicy.of(made)
    assert again.log_policy(ORIGIN) == made
    assert again.encode() == TlogPolicy.parse(again.encode()).encode()


@pytest.mark.parametrize("asked", [policy(2), policy(), policy(replaying=ORGANIZATIONS.members[0])], ids=repr)
def test_a_policy_round_trips_as_text(asked):
    """A flat, a nested and one with its replaying witnesses apart."""
    assert TlogPolicy.parse(TlogPolicy.of(asked).encode()).log_policy(ORIGIN) == asked


@pytest.mark.parametrize(
    "asked",
    [
        FULL,
        policy(2, replaying=Group(1, ("w0",))),
        policy(1, witnesses=(("w", KEYS["w0"].public_key), ("w", KEYS["w1"].public_key))),
        policy(1, former_log_keys=((signer(3).public_key, 7),)),
        policy(1, witnesses=(("replaying", KEYS["w0"].public_key),)),
    ],
    ids=["periods", "a witness in two groups", "two keys", "an end", "a name taken"],
)
def test_what_the_text_can_not_say_is_not_written(asked):
    """Nothing is left out silently."""
    with pytest.raises(ValueError, match="tlog-policy"):
        TlogPolicy.of(asked)


def test_former_keys_without_end_are_several_log_lines():
    """Two lines of one origin are two keys of one log."""
    asked = policy(2, former_log_keys=((signer(3).public_key, (1 << 63) - 1),))
    assert TlogPolicy.parse(TlogPolicy.of(asked).encode()).log_policy(ORIGIN) == asked


W = f"witness a {vkey('a.example', 11)}\n"
BAD_TEXTS = {
    "no quorum": ("no-quorum", W),
    "two quorums": ("second-quorum", f"{W}quorum a\nquorum a\n"),
    "an undefined quorum": ("undefined-name", f"{W}quorum b\n"),
    "a quorum defined below": ("undefined-name", f"quorum a\n{W}"),
    "a member defined below": ("undefined-name", f"group g all a\n{W}quorum g\n"),
    "none as a member": ("undefined-name", f"{W}group g 1 none\nquorum g\n"),
    "none defined": ("second-definition", W.replace(" a ", " none ") + "quorum none\n"),
    "a name twice": ("second-definition", f"{W}group a any a\nquorum a\n"),
    "a member twice": ("second-membership", f"{W}group g 1 a a\nquorum g\n"),
    "a member of two groups": ("second-membership", f"{W}group g 1 a\ngroup h 1 a\nquorum g\n"),
    "a group in itself": ("undefined-name", f"{W}group g 1 g\nquorum g\n"),
    "no member": ("policy-line", f"{W}group g any\nquorum g\n"),
    "threshold 0": ("threshold", f"{W}group g 0 a\nquorum g\n"),
    "threshold 2 of 1": ("threshold", f"{W}group g 2 a\nquorum g\n"),
    "threshold 01": ("threshold", f"{W}group g 01 a\nquorum g\n"),
    "threshold in other digits": ("threshold", f"{W}group g \u0661 a\nquorum g\n"),
    "one key twice": ("duplicate-key", f"{W}witness b {vkey('b.example', 11)}\nquorum a\n"),
    "one log key twice": (
        "duplicate-key",
        f"log {LOG}\nlog {NoteKey.of_log('b.example', signer(1).public_key).vkey}\nquorum none\n",
    ),
    "a log's key as a witness": ("vkey-type", f"witness a {LOG}\nquorum a\n"),
    "a witness's key as a log": ("vkey-type", f"log {vkey('a', 11)}\nquorum none\n"),
    "no key": ("policy-line", "witness a\nquorum a\n"),
    "a broken key": ("vkey", "witness a b\nquorum a\n"),
    "two URLs": ("policy-line", W.replace("\n", " u v\n") + "quorum a\n"),
    "no final newline": ("final-newline", f"{W}quorum a"),
    "a carriage return": ("control-character", f"{W}quorum a\r\n"),
    "a delete": ("control-character", f"{W}quorum a\x7f\n"),
    "another space": ("policy-line", f"{W}quorum\u00a0a\n"),
    "another word": ("policy-line", f"{W}trust a\nquorum a\n"),
    "another case": ("policy-line", f"{W}Quorum a\n"),
    "empty": ("no-quorum", ""),
    "too many": (
        "lines",
        W + "group g0 1 a\n" + "".join(f"group g{n + 1} 1 g{n}\n" for n in range(256)) + "quorum a\n",
    ),
    "too long": ("size", "#" * (1 << 20) + "\n"),
}


@pytest.mark.parametrize(("code", "text"), BAD_TEXTS.values(), ids=BAD_TEXTS)
def test_a_text_that_is_no_policy_is_refused(code, text):
    """Each with the code of what is wrong, and in which line."""
    with pytest.raises(Malformed) as raised:
        TlogPolicy.parse(text.encode())
    assert raised.value.code == code


def test_names_are_octets():
    """A Kelvin sign is no K, and octets that are no UTF-8 are names too."""
    text = f"{W}group K any a\ngroup \u212a any K\n".encode() + b"group \xff all \xe2\x84\xaa\nquorum \xff\n"
    read = TlogPolicy.parse(text)
    assert len(read.groups) == 3
    assert TlogPolicy.parse(read.encode()) == read


BAD_POLICIES = {
    "no-log": f"{W}quorum a\n",
    "no-quorum": f"log {LOG}\n{W}quorum none\n",
    "no-replaying-group": f"log {LOG}\n{W}quorum a\n",
    "key-name": f"log {LOG}\n{W}witness b {vkey('a.example', 12)}\ngroup replaying all a b\nquorum replaying\n",
}


@pytest.mark.parametrize(("code", "text"), BAD_POLICIES.items(), ids=BAD_POLICIES)
def test_a_text_that_demands_too_little_is_no_log_policy(code, text):
    """Without log, quorum or replaying group, or with two witnesses of one name."""
    read = TlogPolicy.parse(text.encode())
    with pytest.raises(Malformed) as raised:
        read.log_policy(ORIGIN)
    assert raised.value.code == code


words = st.sampled_from(
    [*W.split(), "log", LOG, "group", "any", "all", "1", "2", "quorum", "none", "b", "#", "\t", "\n", " "]
)


@given(st.lists(words, max_size=30).map(" ".join) | st.text(max_size=100))
def test_arbitrary_text_raises_only_our_errors(text):
    """It is read, and then written and read the same, or refused."""
    try:
        read = TlogPolicy.parse(text.encode("utf-8", "surrogatepass"))
    except VcidError:
        return
    assert TlogPolicy.parse(read.encode()) == read


def test_the_latest_time_is_a_date():
    """A time past what a date can hold is the last date, and no error."""
    seen = policy(1).examine(note({"w0": (1 << 63) - 1}))
    assert seen.freshness == datetime.max.replace(tzinfo=UTC, microsecond=0)

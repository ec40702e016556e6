"""The rules of a did:webvh log, each broken by somebody who holds the keys: hashes and signatures are good."""

import io
import json
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dids.webvh_scene import (
    NOW,
    begin,
    day,
    did_of,
    entries,
    first_document,
    forge,
    resolved,
    set_parameters,
    signer,
    signing,
)
from vcid.dids.webvh_log import (
    MAX_ENTRIES,
    MAX_LINE_BYTES,
    WebvhDid,
    hash_entry,
    hash_key,
    read_lines,
    replace_text,
    verify_log,
)
from vcid.dids.webvh_parameters import MAX_ITEMS
from vcid.dids.webvh_writing import Change, create, update
from vcid.encoding.json import canonicalize
from vcid.errors import LimitExceeded, Malformed, ResolutionFailed, VcidError

ONE = signer(1).public_key.multikey
TWO = signer(2).public_key.multikey
P256 = "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"


def _three() -> bytes:
    log = update(begin(), signing(1, 1))
    return update(log, signing(1, 2))


def _code(log: bytes, did: str | None = None, **options: object) -> str:
    with pytest.raises(ResolutionFailed) as caught:
        resolved(log, did=did, **options)
    assert caught.value.code == "invalidDid"
    cause = caught.value.__cause__
    return getattr(cause, "code", "")


FIRST = {
    "no method": (lambda e: e["parameters"].pop("method"), "parameter-missing"),
    "no update keys": (lambda e: e["parameters"].pop("updateKeys"), "parameter-missing"),
    "version 1.1": (set_parameters(method="did:webvh:1.1"), "method-version"),
    "version 0.5": (set_parameters(method="did:webvh:0.5"), "method-version"),
    "method null": (set_parameters(method=None), "method-version"),
    "unknown parameter": (set_parameters(prerotation=True), "parameter-unknown"),
    "keys no list": (set_parameters(updateKeys=ONE), "parameter-type"),
    "key twice": (set_parameters(updateKeys=[ONE, ONE]), "parameter-type"),
    "key number": (set_parameters(updateKeys=[1]), "parameter-type"),
    "key P-256": (set_parameters(updateKeys=[ONE, P256]), "key-type"),
    "key no multikey": (set_parameters(updateKeys=[ONE, "zz"]), "unsupported-key-type"),
    "many hashes": (set_parameters(nextKeyHashes=[str(n) for n in range(MAX_ITEMS + 1)]), "too-many"),
    "empty hash": (set_parameters(nextKeyHashes=[""]), "key-hash"),
    "long hash": (set_parameters(nextKeyHashes=["x" * 129]), "key-hash"),
    "portable text": (set_parameters(portable="true"), "parameter-type"),
    "portable null": (set_parameters(portable=None), "parameter-type"),
    "deactivated 1": (set_parameters(deactivated=1), "parameter-type"),
    "ttl text": (set_parameters(ttl="60"), "parameter-type"),
    "ttl negative": (set_parameters(ttl=-1), "parameter-type"),
    "ttl fraction": (set_parameters(ttl=1.5), "parameter-type"),
    "ttl true": (set_parameters(ttl=True), "parameter-type"),
    "ttl too long": (set_parameters(ttl=2**31 + 1), "parameter-type"),
    "watcher no URL": (set_parameters(watchers=["watcher"]), "watcher"),
    "parameters list": (lambda e: e.update(parameters=[]), "parameters"),
    "state list": (lambda e: e.update(state=[]), "state"),
    "state without id": (lambda e: e["state"].pop("id"), "state"),
    "state of did:web": (lambda e: e["state"].update(id="did:web:civil.example"), "methodNotSupported"),
    "time without zone": (lambda e: e.update(versionTime="2026-01-01T00:00:00"), "version-time"),
    "time in a zone": (lambda e: e.update(versionTime="2026-01-01T01:00:00+01:00"), "version-time"),
    "time no time": (lambda e: e.update(versionTime="nowZ"), "version-time"),
    "time a number": (lambda e: e.update(versionTime=1), "version-time"),
}


@pytest.mark.parametrize(("mutate", "code"), FIRST.values(), ids=FIRST)
def test_a_first_entry_breaks_no_rule(mutate, code):
    """Each parameter and member of a first entry is as the specification says, or the log is refused."""
    log = begin()
    did = did_of(log)
    assert _code(forge(log, mutate, 1), did) == code


LATER = {
    "scid again": (lambda e: e["parameters"].update(scid=e["state"]["id"].split(":")[2]), "scid-again"),
    "portable at last": (set_parameters(portable=True), "portable-late"),
    "lower method": (set_parameters(method="did:webvh:0.5"), "method-version"),
    "another SCID": (
        lambda e: e["state"].update(id=e["state"]["id"].replace(":Qm", ":QmX", 1)[:-1]),
        "invalidDid",
    ),
    "an SCID of the same form": (
        lambda e: e["state"].update(id="did:webvh:Qm" + "1" * 44 + ":civil.example:dids:registrar"),
        "scid",
    ),
    "moved": (lambda e: e["state"].update(id=e["state"]["id"] + ":moved"), "not-portable"),
    "equal time": (lambda e: e.update(versionTime="2026-01-02T00:00:00Z"), "version-time"),
    "earlier time": (lambda e: e.update(versionTime="2025-01-02T00:00:00Z"), "version-time"),
    "number skipped": (lambda e: e.update(versionId="4-Qm" + "1" * 44), "version-number"),
    "number again": (lambda e: e.update(versionId="2-Qm" + "1" * 44), "version-number"),
    "no dash": (lambda e: e.update(versionId="4Qm" + "1" * 44), "version-id"),
    "two dashes": (lambda e: e.update(versionId="4--Qm" + "1" * 44), "version-id"),
    "SHA-512": (lambda e: e.update(versionId="4-8V" + "1" * 88), "version-id"),
    "leading zero": (lambda e: e.update(versionId="03-Qm" + "1" * 44), "version-id"),
    "extra member": (lambda e: e.update(extra=1), "entry"),
}


@pytest.mark.parametrize(("mutate", "code"), LATER.values(), ids=LATER)
def test_a_later_entry_breaks_no_rule(mutate, code):
    """What held before binds each later entry."""
    log = _three()
    assert _code(forge(log, mutate, 1), did_of(log)) == code


def test_only_the_keys_of_the_entry_before_sign():
    """A key that an entry itself introduces can't authorize it, nor one that was replaced; none is none."""
    rotated = update(begin(), signing(1, 1), change=Change(update_keys=[signer(2).public_key]))
    assert resolved(rotated).document_metadata["versionId"].startswith("2-")
    assert _code(forge(rotated, lambda e: None, 2)) == "unauthorized-key"
    assert _code(forge(rotated, lambda e: None, 1, 2)) == "unauthorized-key"
    assert _code(forge(rotated, lambda e: None)) == "proof-missing"
    assert _code(forge(rotated, lambda e: None, 1, 1)) == "proof-twice"
    after = update(rotated, signing(2, 2))
    assert _code(forge(after, lambda e: None, 1)) == "unauthorized-key"
    assert _code(forge(begin(), lambda e: None, 2)) == "unauthorized-key"


def _with_proof(log: bytes, **members: object) -> bytes:
    lines = log.splitlines()
    entry = json.loads(lines[-1])
    entry["proof"][0].update(members)
    return b"\n".join([*lines[:-1], json.dumps(entry).encode()])


@pytest.mark.parametrize(
    ("members", "code"),
    [
        ({"cryptosuite": "ecdsa-jcs-2019"}, "suite-not-allowed"),
        ({"cryptosuite": "eddsa-rdfc-2022"}, "suite-not-allowed"),
        ({"proofPurpose": "authentication"}, "wrong-purpose"),
        ({"verificationMethod": f"did:key:{ONE}#{TWO}"}, "unauthorized-key"),
        ({"verificationMethod": f"did:key:{ONE}"}, "unauthorized-key"),
        ({"verificationMethod": f"did:web:{ONE}#{ONE}"}, "unauthorized-key"),
        ({"created": "2030-01-01T00:00:00Z"}, "created-in-future"),
        ({"expires": "2026-01-02T00:00:00Z"}, "proof-expired"),
        ({"previousProof": "urn:uuid:1"}, "previous-proof-missing"),
        ({"@context": "https://www.w3.org/ns/credentials/v2"}, "context-mismatch"),
        ({"created": "2026-01-01T00:00:01Z"}, "bad-signature"),
        ({"proofValue": "z" + "1" * 64}, "bad-signature"),
        ({"proofValue": "zabc"}, "bad-signature"),
        ({"proofValue": "u" + "A" * 86}, "unknown-base"),
    ],
)
def test_a_proof_is_of_the_one_suite_and_purpose(members, code):
    """Another suite, purpose or kind of method, a borrowed name, and a damaged signature are each refused."""
    assert _code(_with_proof(_three(), **members)) == code


def test_pre_rotation_binds_the_next_keys():
    """Keys that the entry before did not commit to can't take over, even with the current key's signature."""
    bound = begin(Change(next_keys=[signer(2).public_key, signer(9).public_key]))
    change = Change(update_keys=[signer(2).public_key], next_keys=[signer(3).public_key])
    log = update(bound, signing(2, 1), change=change)
    assert resolved(log).document_metadata["versionId"].startswith("2-")

    def drop(name):
        return lambda e: e["parameters"].pop(name)

    for mutate, key in [
        (set_parameters(updateKeys=[signer(7).public_key.multikey]), 7),
        (set_parameters(updateKeys=[TWO, signer(7).public_key.multikey]), 2),
        (set_parameters(updateKeys=[ONE]), 1),
        (set_parameters(updateKeys=[]), 2),
        (set_parameters(updateKeys=None), 2),
        (drop("updateKeys"), 1),
        (drop("nextKeyHashes"), 2),
    ]:
        assert _code(forge(log, mutate, key)) == "pre-rotation"
    assert _code(forge(log, lambda e: None, 1)) == "unauthorized-key"


def test_pre_rotation_ends_one_entry_after_it_is_given_up():
    """The entry that ends it is still bound; the next follows the plain rules."""
    bound = begin(Change(next_keys=[signer(2).public_key]))
    ending = Change(update_keys=[signer(2).public_key], next_keys=[])
    log = update(bound, signing(2, 1), change=ending)
    free = update(log, signing(2, 2), change=Change(update_keys=[signer(8).public_key]))
    assert resolved(free).document is not None
    assert _code(forge(free, lambda e: None, 8)) == "unauthorized-key"
    assert _code(forge(log, set_parameters(updateKeys=[signer(8).public_key.multikey]), 8)) == "pre-rotation"


def test_nothing_follows_a_deactivation():
    """An entry after the last is refused, however it is signed."""
    log = _three()
    ended = forge(log, set_parameters(deactivated=True), 1)
    assert resolved(ended).document is None
    line = forge(ended, lambda e: e.update(versionTime="2026-01-09T00:00:00Z"), 1).splitlines()[-1]
    entry = json.loads(line)
    last = entries(ended)[-1]["versionId"]
    entry["parameters"] = {}
    entry["versionId"] = "4-" + hash_entry({k: v for k, v in entry.items() if k != "proof"}, last)
    assert _code(ended + json.dumps(entry).encode()) == "after-deactivation"


def test_a_log_is_one_unbroken_line_of_entries():
    """Entries that are left out, swapped, doubled or cut, and logs spliced from two, are refused."""
    log = _three()
    one, two, three = log.splitlines(keepends=True)
    assert _code(one + three) == "version-number"
    assert _code(one + three + two, did_of(log)) == "version-number"
    assert _code(one + two + two) == "version-number"
    assert _code(two + three) == "scid" or _code(two + three) == "parameter-missing"
    assert _code(one + two + three[: len(three) // 2], did_of(log)) == "not-json"
    assert _code(one + b"\n" + two, did_of(log)) == "not-json"
    other = update(begin(), signing(1, 1), change=Change(ttl=7)).splitlines(keepends=True)[1]
    assert _code(one + other + three) == "entry-hash"
    assert _code(b"", did_of(log)) == "empty-log"


def test_a_log_cut_at_a_line_is_an_older_log():
    """Whoever serves the files can hold the newest entries back: what is left resolves as it did then."""
    one, two, _ = _three().splitlines(keepends=True)
    assert resolved(one + two).document_metadata["versionId"].startswith("2-")
    assert resolved((one + two).removesuffix(b"\n")) == resolved(one + two)


def test_the_scid_is_the_hash_of_the_first_entry():
    """A first entry that was changed and signed anew is another DID's."""
    log = begin()
    assert _code(forge(log, lambda e: e["state"].update(alsoKnownAs=["https://x.example"]), 1)) == "scid"
    assert _code(forge(log, lambda e: e.update(versionTime="2025-12-01T00:00:00Z"), 1)) == "scid"


def test_a_placeholder_left_standing_is_refused():
    """It hashes as the identifier does: the first entry would have a twin with the same SCID."""
    log = create({**first_document(), "alsoKnownAs": ["https://{SCID}.example/"]}, signing(1, 0))
    scid = entries(log)[0]["parameters"]["scid"]

    def put_back(entry):
        entry["state"]["alsoKnownAs"] = ["https://{SCID}.example/"]

    assert entries(log)[0]["state"]["alsoKnownAs"] == [f"https://{scid}.example/"]
    assert _code(forge(log, put_back, 1)) == "scid-placeholder"


def test_entries_of_the_future_are_refused():
    """Five minutes are allowed to clocks, and no more; the clock is the caller's."""
    log = _three()
    assert resolved(log, now=day(2) - timedelta(minutes=5)).document is not None
    for early in (timedelta(minutes=5, seconds=1), timedelta(days=1)):
        assert _code(log, now=day(2) - early) == "version-time"


def test_null_stands_for_the_defaults_where_it_once_was_used():
    """The five parameters for which early implementations wrote null are read; all others refuse it."""
    log = update(begin(), signing(1, 1))
    nulls = dict.fromkeys(("nextKeyHashes", "witness", "watchers", "ttl"))
    metadata = resolved(forge(log, set_parameters(**nulls), 1)).document_metadata
    assert (metadata["ttl"], metadata["witness"], metadata["watchers"]) == ("3600", {}, [])
    for name in ("portable", "deactivated", "method"):
        assert _code(forge(log, set_parameters(**{name: None}), 1)) in ("parameter-type", "method-version")


@pytest.mark.parametrize(
    "place",
    [
        "civil.example:..",
        "civil.example:%2e%2e",
        "civil.example:a%2Fb",
        "civil.example:a%5Cb",
        "civil.example:a%3Fb",
        "civil.example:a%40b",
        "civil.example:a%23b",
        "civil.example:%252e",
        "civil.example:%00",
        "civil.example:%20a",
        "civil.example::a",
        "user%40civil.example",
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "2130706433",
        "localhost",
        "Civil.example",
        "civil.example.",
        "-civil.example",
        "civil..example",
        "civil.example%3A0",
        "civil.example%3A65536",
        "civil.example%3A1%3A2",
        "civil.example%3Ahttp",
        "%5B::1%5D",
        "a" * 64 + ".example",
        "jp%E7%B4%8D%E8%B1%86.example",
        "",
    ],
)
def test_locations_that_lead_elsewhere_are_refused(place):
    """No way up, no escaped slash, query, user or port out of range, and no IP address in any spelling."""
    with pytest.raises(ResolutionFailed, match="invalidDid"):
        WebvhDid.parse(f"did:webvh:Qm{'1' * 44}:{place}")


@pytest.mark.parametrize(
    ("place", "url"),
    [
        ("civil.example", "https://civil.example/.well-known/did.jsonl"),
        ("registrar.civil.example", "https://registrar.civil.example/.well-known/did.jsonl"),
        ("civil.example:dids:registrar", "https://civil.example/dids/registrar/did.jsonl"),
        ("civil.example%3A3000:dids", "https://civil.example:3000/dids/did.jsonl"),
        ("civil.example%3a3000", "https://civil.example:3000/.well-known/did.jsonl"),
        (
            "xn--jp-cd2fp15c.xn--fsq.jp:%e7%94%a8%E6%88%B7",
            "https://xn--jp-cd2fp15c.xn--fsq.jp/%E7%94%A8%E6%88%B7/did.jsonl",
        ),
    ],
)
def test_a_did_names_the_place_of_its_log(place, url):
    """The examples of the specification, international names in the form that the domain name system has."""
    assert WebvhDid.parse(f"did:webvh:Qm{'1' * 44}:{place}").location.file("did.jsonl") == url


@pytest.mark.parametrize("scid", ["", "Qm", "Qm" + "1" * 43, "Qm" + "1" * 45, "Qm" + "0" * 44, "{SCID}"])
def test_a_scid_is_a_sha_256_multihash(scid):
    """Another length, alphabet or hash is no did:webvh."""
    with pytest.raises(ResolutionFailed, match="invalidDid"):
        WebvhDid.parse(f"did:webvh:{scid}:civil.example")


def test_lines_are_bounded():
    """Neither one endless line nor endless lines can be had to fill the memory."""
    assert list(read_lines(b"a\nb")) == [b"a", b"b"]
    assert list(read_lines(b"a" * MAX_LINE_BYTES + b"\n")) == [b"a" * MAX_LINE_BYTES]
    with pytest.raises(LimitExceeded, match="line-too-long"):
        list(read_lines(b"a" * (MAX_LINE_BYTES + 1)))
    with pytest.raises(LimitExceeded, match="too-many-entries"):
        list(read_lines(io.BytesIO(b"\n" * (MAX_ENTRIES + 1))))


def test_the_placeholder_is_replaced_in_names_too():
    """Names that become equal when the identifier stands for its placeholder are refused, not merged."""
    assert replace_text({"a{SCID}": "{SCID}"}, "{SCID}", "x") == {"ax": "x"}
    with pytest.raises(Malformed):
        replace_text({"a{SCID}": 1, "ax": 2}, "{SCID}", "x")


def test_the_published_entry_hash(vectors):
    """Key and entry hashes are those of the published pre-rotation log."""
    path = vectors / "didwebvh" / "vectors" / "pre-rotation" / "ts" / "did.jsonl"
    entry = json.loads(path.read_text())
    proofless = {name: member for name, member in entry.items() if name != "proof"}
    assert f"1-{hash_entry(proofless, entry['parameters']['scid'])}" == entry["versionId"]
    key = "z6MknGc3ocHs3zdPiJbnaaqDi58NGb4pk1Sp9WxWufuXSdxf"
    assert entry["parameters"]["nextKeyHashes"] == [hash_key(key)]


@settings(max_examples=200)
@given(st.lists(st.binary(max_size=60) | st.sampled_from(begin().splitlines()), max_size=4))
def test_arbitrary_logs_raise_only_vcid_errors(lines):
    """Whatever bytes stand in a log, it verifies or is refused in our words."""
    try:
        for _ in verify_log(iter(lines), scid=entries(begin())[0]["parameters"]["scid"], now=NOW):
            pass
    except VcidError:
        pass


@settings(max_examples=150)
@given(st.integers(0), st.integers(1, 255))
def test_one_flipped_byte_of_a_log_is_refused(position, flip):
    """But for the line feeds, every byte of a log counts."""
    log = LOG
    position %= len(log)
    damaged = bytearray(log)
    damaged[position] ^= flip
    if log[position : position + 1] != b"\n":
        with pytest.raises(VcidError):
            resolved(bytes(damaged), did=did_of(log))


LOG = create(first_document(), signing(1, 0))


@pytest.mark.slow
def test_ten_thousand_entries_take_little_memory():
    """A log of ten thousand entries is verified line by line, in memory that does not grow with it."""
    import tracemalloc
    from itertools import islice

    lines = list(islice(_endless(), 10_000))
    log = io.BytesIO(b"".join(lines))
    scid = json.loads(lines[0])["parameters"]["scid"]
    tracemalloc.start()
    count = sum(1 for _ in verify_log(read_lines(log), scid=scid, now=NOW))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 10_000
    assert peak < 2 << 20


def _endless():
    """Entries made without verifying the log before each, which would take quadratic time."""
    from vcid.dids.webvh_proofs import make_proof

    line = LOG
    yield line
    entry = json.loads(line)
    for number in range(2, 1_000_000):
        previous = entry["versionId"]
        moment = day(0) + timedelta(seconds=number)
        entry = {
            "versionId": previous,
            "versionTime": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "parameters": {},
            "state": entry["state"],
        }
        entry["versionId"] = f"{number}-{hash_entry(entry, previous)}"
        entry["proof"] = [make_proof(entry, signer(1), at=day(0))]
        yield canonicalize(entry) + b"\n"

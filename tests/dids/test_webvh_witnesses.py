"""Witnesses of a did:webvh: who has to approve, and what counts as approval."""

import json
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dids.webvh_scene import (
    begin,
    day,
    did_of,
    entries,
    forge,
    resolved,
    rich_log,
    set_parameters,
    signer,
    signing,
)
from vcid.dids.webvh_parameters import WitnessRule
from vcid.dids.webvh_proofs import make_proof
from vcid.dids.webvh_witnesses import MAX_FILE_PROOFS, read_witness_file
from vcid.dids.webvh_writing import Change, approve, gather_approvals, update
from vcid.errors import InvalidProof, ResolutionFailed, VcidError

P256 = "zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv"


def _rule(threshold: int, *numbers: int) -> WitnessRule:
    return WitnessRule(threshold, tuple(signer(number).public_key.multikey for number in numbers))


def _approval(log: bytes, version: int, *numbers: int) -> dict:
    version_id = entries(log)[version - 1]["versionId"]
    proofs = [make_proof({"versionId": version_id}, signer(number), at=day(3)) for number in numbers]
    return {"versionId": version_id, "proof": proofs}


def _file(*approvals: dict) -> bytes:
    return json.dumps(approvals).encode()


def _code(log: bytes, witness: bytes | None, **options: object) -> str:
    with pytest.raises(ResolutionFailed) as caught:
        resolved(log, witness, **options)
    return getattr(caught.value.__cause__, "code", caught.value.code)


def test_a_threshold_of_different_witnesses_approves():
    """Two of three suffice; one, one twice, and two strangers do not."""
    log = begin(Change(witness=_rule(2, 21, 22, 23)))
    assert resolved(log, _file(_approval(log, 1, 21, 23))).document is not None
    assert resolved(log, _file(_approval(log, 1, 21), _approval(log, 1, 22))).document is not None
    for numbers in ((), (21,), (21, 21), (31, 32), (21, 31)):
        assert _code(log, _file(_approval(log, 1, *numbers))) == "not-witnessed"
    assert _code(log, b"[]") == "not-witnessed"
    with pytest.raises(ResolutionFailed, match="notFound"):
        resolved(log, None)


def test_an_approval_covers_all_entries_before_it_and_none_after():
    """Witnesses of the second entry approve of the first; those of the first say nothing of the second."""
    log = update(begin(Change(witness=_rule(1, 21))), signing(1, 1))
    assert resolved(log, _file(_approval(log, 2, 21))).document is not None
    assert _code(log, _file(_approval(log, 1, 21))) == "not-witnessed"


def test_a_new_rule_counts_from_the_next_entry_on():
    """The entry that replaces witnesses is approved by the old ones, and the one after it by the new."""
    log = update(begin(Change(witness=_rule(1, 21))), signing(1, 1), change=Change(witness=_rule(1, 22)))
    assert resolved(log, _file(_approval(log, 2, 21))).document is not None
    assert _code(log, _file(_approval(log, 2, 22))) == "not-witnessed"
    log = update(log, signing(1, 2))
    assert resolved(log, _file(_approval(log, 2, 21), _approval(log, 3, 22))).document is not None
    assert _code(log, _file(_approval(log, 3, 22))) == "not-witnessed"
    assert _code(log, _file(_approval(log, 3, 21))) == "not-witnessed"


def test_a_first_rule_counts_at_once_and_a_last_one_once_more():
    """The entry that brings witnesses needs them already, and the one that dismisses them needs them still."""
    log = update(begin(), signing(1, 1), change=Change(witness=_rule(1, 21)))
    assert _code(log, b"[]") == "not-witnessed"
    assert resolved(log, _file(_approval(log, 2, 21))).document is not None
    log = update(log, signing(1, 2), change=Change(no_witness=True))
    assert _code(log, _file(_approval(log, 2, 21))) == "not-witnessed"
    assert resolved(log, _file(_approval(log, 3, 21))).document is not None
    log = update(log, signing(1, 3))
    assert resolved(log, _file(_approval(log, 3, 21))).document is not None


def test_approvals_of_unpublished_or_foreign_versions_count_for_nothing():
    """A proof for an entry that this log lacks is ignored: it approves of nothing before it."""
    log = update(begin(Change(witness=_rule(1, 21))), signing(1, 1))
    unpublished = update(log, signing(1, 2))
    early = _approval(unpublished, 3, 21)
    assert _code(log, _file(early)) == "not-witnessed"
    assert resolved(log, _file(early, _approval(log, 2, 21))).document is not None
    fork = update(begin(Change(witness=_rule(1, 21))), signing(1, 1), change=Change(ttl=9))
    assert _code(log, _file(_approval(fork, 2, 21))) == "not-witnessed"


def test_a_bad_proof_neither_counts_nor_spoils_good_ones():
    """A proof in another witness's name, of another suite, damaged or shapeless is passed over."""
    log = begin(Change(witness=_rule(1, 21)))
    good = _approval(log, 1, 21)
    (proof,) = good["proof"]
    key, other = (signer(number).public_key.multikey for number in (21, 22))
    for bad in (
        {**proof, "verificationMethod": f"did:key:{other}#{key}"},
        {**proof, "verificationMethod": f"did:key:{key}"},
        {**proof, "cryptosuite": "ecdsa-jcs-2019"},
        {**proof, "proofPurpose": "authentication"},
        {**proof, "proofValue": "z" + "1" * 64},
        {**proof, "created": "2031-01-01T00:00:00Z"},
        {"verificationMethod": 1},
        "proof",
        None,
    ):
        spoilt = {**good, "proof": [bad]}
        assert _code(log, _file(spoilt)) == "not-witnessed"
        assert resolved(log, _file(spoilt, good)).document is not None
        assert resolved(log, _file({**good, "proof": [bad, proof]})).document is not None


WITNESSES = {
    "no threshold": {"witnesses": [{"id": "did:key:A"}]},
    "threshold 0": {"threshold": 0},
    "threshold beyond": {"threshold": 3},
    "threshold text": {"threshold": "1"},
    "threshold fraction": {"threshold": 1.5},
    "threshold true": {"threshold": True},
    "no witnesses": {"witnesses": []},
    "witnesses no list": {"witnesses": {}},
    "witness twice": {"witnesses": ["A", "A"]},
    "bare key": {"witnesses": ["bare"]},
    "did:web": {"witnesses": ["web"]},
    "P-256": {"witnesses": [P256]},
    "weight": {"witnesses": ["weight"]},
    "extra": {"extra": 1},
}


@pytest.mark.parametrize("change", WITNESSES.values(), ids=WITNESSES)
def test_a_malformed_rule_is_no_rule_at_all(change):
    """A witness parameter that is not to the letter ends the log: it never means no witnesses."""
    key = signer(21).public_key.multikey
    texts = {
        "A": {"id": f"did:key:{key}"},
        "bare": {"id": key},
        "web": {"id": "did:web:witness.example"},
        P256: {"id": f"did:key:{P256}"},
        "weight": {"id": f"did:key:{key}", "weight": 1},
    }
    rule = {"threshold": 1, "witnesses": ["A"], **change}
    if isinstance(rule["witnesses"], list):
        rule["witnesses"] = [texts[item] if isinstance(item, str) else item for item in rule["witnesses"]]
    if change is WITNESSES["no threshold"]:
        del rule["threshold"]
    log = forge(update(begin(), signing(1, 1)), set_parameters(witness=rule), 1)
    code = _code(log, b"[]")
    assert code in {"witness", "witness-twice", "parameter-type", "key-type"}


def test_gathering_keeps_the_newest_approval_of_each_witness():
    """Older proofs and those of other logs go; what is left meets the threshold, or nothing is written."""
    log = begin(Change(witness=_rule(2, 21, 22)))
    both = [approve(log, signer(number), at=day(1)) for number in (21, 22)]
    with pytest.raises(InvalidProof, match="not-witnessed"):
        gather_approvals(None, both[:1], log, at=day(1))
    file = gather_approvals(None, both, log, at=day(1))
    assert resolved(log, file).document is not None
    longer = update(log, signing(1, 2))
    newer = [approve(longer, signer(number), at=day(2)) for number in (21, 22)]
    with pytest.raises(InvalidProof, match="not-witnessed"):
        gather_approvals(file, newer[:1], longer, at=day(2))
    renewed = gather_approvals(file, newer, longer, at=day(2))
    assert [version_id for version_id, _ in read_witness_file(renewed)] == [
        entries(longer)[1]["versionId"],
    ]
    assert len(read_witness_file(renewed)[0][1]) == 2
    # Published first, the new file serves the old log no longer: the new one follows at once.
    assert _code(log, renewed) == "not-witnessed"
    assert resolved(longer, renewed).document is not None


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[1]",
        b'[{"proof": []}]',
        b'[{"versionId": 1}]',
        b'[{"versionId": "1", "proof": {}}]',
        b'[{"versionId": "1", "extra": 1}]',
        b"[" * 100,
    ],
)
def test_a_witness_file_that_is_none_is_refused(content):
    """It is a list of version ids with proofs; anything else ends the resolution."""
    log, _ = rich_log()
    with pytest.raises(ResolutionFailed, match="invalidDid"):
        resolved(log, content)


def test_a_witness_file_is_bounded():
    """Proofs beyond the limit are not even sorted."""
    log, _ = rich_log()
    many = json.dumps([{"versionId": "1", "proof": [0] * (MAX_FILE_PROOFS + 1)}]).encode()
    assert _code(log, many) == "too-many-proofs"


@settings(max_examples=100)
@given(st.binary(max_size=80))
def test_arbitrary_witness_files_raise_only_vcid_errors(content):
    """Whatever bytes stand in the file."""
    with suppress(VcidError):
        read_witness_file(content)


def test_a_did_without_witnesses_needs_no_file():
    """The file is not even asked for."""
    assert resolved(begin(), None).document is not None
    assert resolved(begin(), b"nonsense", did=did_of(begin())).document is not None

"""A key that has ended, and what it signed: every kind of evidence, with and without the policy's consent."""

import json
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ended_office import Office, digest, go_on, list_later, open_office
from vcid.credentials.model import Credential
from vcid.dids.methods import did_key
from vcid.encoding.dates import format_timestamp
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import encode_multibase
from vcid.errors import InvalidProof, Rejected
from vcid.holder import Holder
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.ledger.anchor import LogPolicy
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey, SignatureType
from vcid.ledger.receipts import Receipt
from vcid.ledger.witness import ReplayingWitness
from vcid.report import CheckName, Conclusion, Outcome
from vcid.securing.jose import CREDENTIAL_TOKEN
from world import START

CLOSED = START + timedelta(days=100)
EARLY, LATE = CLOSED - timedelta(days=10), CLOSED + timedelta(days=10)
NOW = START + timedelta(days=200)
FOREIGN = "foreign.example/log"


@dataclass
class Table:
    """What the table is over: credentials of both kinds, and evidence of every kind for each."""

    office: Office
    credentials: dict
    evidence: dict
    foreign: LogPolicy


@pytest.fixture(scope="module", name="it")
def table() -> Table:
    """Built once: the clock goes from the first key's days past its end to now."""
    office = open_office()
    world = office.world
    # The second says it was made after the end, whenever it was.
    credentials = {"before": office.sign(EARLY), "after": office.sign(LATE)}
    witness_key, log_key = LocalSigner.generate(), LocalSigner.generate()
    note_key = NoteKey(FOREIGN, SignatureType.ED25519, log_key.public_key)
    witness = ReplayingWitness.open(
        "sqlite://", name="foreign.example", signer=witness_key, logs=[note_key], clock=world.clock
    )
    foreign = Ledger.open("memory:", origin=FOREIGN, signer=log_key, witnesses=[witness])
    evidence: dict = {name: {"missing": ()} for name in credentials}
    for name, credential in credentials.items():
        good = office.anchor_at(EARLY, digest(credential))
        evidence[name]["by the end"] = (good,)
        evidence[name]["foreign log"] = (office.anchor_at(EARLY, digest(credential), foreign),)
        evidence[name]["another digest"] = (office.anchor_at(EARLY, bytes(32)),)
        evidence[name]["of the claims alone"] = (
            office.anchor_at(EARLY, digest(office.sign(EARLY, validUntil="2050-01-01T00:00:00Z"))),
        )
        evidence[name]["tampered"] = (replace(good, body=good.body.replace(b"leaf ", b"leaf 1")),)
        evidence[name]["another media type"] = (Receipt("text/plain", good.body),)
        evidence[name]["no receipt at all"] = (Receipt(good.media_type, b"\xff"),)
    following = LocalSigner.generate()
    keys = [office.first.public_key, following.public_key]
    world.clock.now = CLOSED + timedelta(days=1)
    log = office.controller.list_keys(keys, revoked={office.first.public_key: CLOSED})
    go_on(office, log, following)
    for name, credential in credentials.items():
        late = office.anchor_at(LATE, digest(credential))
        evidence[name]["after the end"] = (late,)
        evidence[name]["after the end and by it"] = (late, *evidence[name]["by the end"])
    world.clock.now = NOW
    office.issuer.publish()
    return Table(office, credentials, evidence, foreign.policy())


GOOD = ("by the end", "after the end and by it")
KINDS = (
    "missing",
    *GOOD,
    "after the end",
    "foreign log",
    "another digest",
    "of the claims alone",
    "tampered",
    "another media type",
    "no receipt at all",
)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("created", ["before", "after"])
@pytest.mark.parametrize("honest", [True, False])
def test_the_table(it, created, kind, honest):
    """A proof passes only if it says it is older than the end, and is shown to be; it never passes by CID 1.0."""
    policy = it.office.policy(time_honest=honest)
    report = it.office.check(it.credentials[created], *it.evidence[created][kind], policy=policy)
    key = report[CheckName.KEY]
    if not honest or created == "after":
        expected = (Outcome.FAILED, "key-revoked", Conclusion.REJECTED)
    elif kind in GOOD:
        expected = (Outcome.PASSED, "", Conclusion.VERIFIED)
    else:
        expected = (Outcome.UNKNOWN, "key-closed", Conclusion.UNDECIDED)
    assert (key.outcome, key.code, report.conclusion) == expected, report
    assert (report.document is not None) == (report.conclusion is Conclusion.VERIFIED)


def test_too_few_witnesses_show_nothing(it):
    """Of two witnesses that a policy asks for, one cosigned: the checkpoint has no time."""
    log = it.office.world.log_policy
    stranger = ("stranger.example", LocalSigner.generate().public_key)
    for quorum, code in ((2, "key-closed"), (1, "")):
        asked = replace(log, witnesses=(*log.witnesses, stranger), quorum=quorum)
        key = it.office.key(
            it.credentials["before"],
            *it.evidence["before"]["by the end"],
            policy=it.office.policy(logs=(asked,)),
        )
        assert key.code == code


def test_each_log_of_a_policy_dates_by_itself(it):
    """A second log that the policy names shows it too, whoever issued; the earliest time of all counts."""
    world, receipts = it.office.world, it.evidence["before"]
    granted = replace(it.office.policy().accreditations[0], log=world.log_policy.origin)
    both = it.office.policy(logs=(world.log_policy, it.foreign), accreditations=(granted,))
    evidence = (*receipts["after the end"], *receipts["foreign log"])
    assert it.office.check(it.credentials["before"], *evidence, policy=both)
    assert it.office.key(it.credentials["before"], *evidence).code == "key-closed"


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_changed_byte_shows_nothing(it, data):
    """Every byte of a receipt is bound by a hash or a signature."""
    body = bytearray(it.evidence["before"]["by the end"][0].body)
    place = data.draw(st.integers(0, len(body) - 1))
    body[place] ^= data.draw(st.integers(1, 255))
    receipt = replace(it.evidence["before"]["by the end"][0], body=bytes(body))
    assert it.office.key(it.credentials["before"], receipt).code == "key-closed"


@settings(max_examples=40, deadline=None)
@given(content=st.binary(max_size=300))
def test_any_bytes_for_a_receipt_raise_nothing(it, content):
    """Bad evidence is no evidence."""
    receipt = replace(it.evidence["before"]["by the end"][0], body=content)
    assert it.office.key(it.credentials["before"], receipt).code == "key-closed"


def test_receipts_among_what_is_known_serve_as_well(it, tmp_path):
    """From a folder, found by the digest; under another's digest they show nothing."""
    credential, (receipt,) = it.credentials["before"], it.evidence["before"]["by the end"]
    for name, code in ((digest(credential), ""), (bytes(32), "key-closed")):
        known = replace(it.office.world.knowledge(it.office.issuer), existence={name: receipt})
        known.save(tmp_path / "knowledge")
        read = Knowledge.load(tmp_path / "knowledge")
        assert (read.faults, dict(read.existence)) == ((), {name: receipt})
        assert it.office.key(credential, known=read).code == code


def test_receipts_come_with_presentations_as_well(it):
    """Each credential shown is dated by whichever of them is about it; none of them dates the presentation."""
    signer = LocalSigner.generate()
    holder = Holder(did_key(signer.public_key), signer, clock=it.office.world.clock)
    names = ("before", "after")
    credentials = [it.credentials[name] for name in names]
    demands = {"challenge": "c-1", "domain": "school.example"}
    presentation = holder.present(credentials, **demands)
    known = it.office.world.knowledge(it.office.issuer)
    verifier = it.office.world.verifier(it.office.policy(), known)
    receipts = [receipt for name in names for receipt in it.evidence[name]["by the end"]]
    for existence, codes in (((), ["key-closed", "key-revoked"]), (receipts, ["", "key-revoked"])):
        report = verifier.check_presentation(presentation, **demands, existence=existence)
        assert [one[CheckName.KEY].code for one in report.credentials] == codes
    with pytest.raises(Rejected):
        verifier.verify_presentation(presentation, **demands, existence=iter(receipts))
    with pytest.raises(ValueError, match="at most 16 receipts"):
        verifier.check_presentation(presentation, **demands, existence=receipts * 9)


def test_a_flood_of_receipts_is_misuse(it):
    """What is tried for one credential is bounded."""
    with pytest.raises(ValueError, match="at most 16"):
        it.office.check(it.credentials["before"], *it.evidence["before"]["by the end"] * 17)


def test_asking_about_a_better_day_hides_no_end(it):
    """The thief's backdated paper is no better for a question about the day that it states."""
    for receipts, code in (((), "key-closed"), (it.evidence["before"]["by the end"], "")):
        assert it.office.key(it.credentials["before"], *receipts, at=EARLY).code == code
    strict = it.office.policy(time_honest=False)
    assert it.office.key(it.credentials["before"], at=EARLY, policy=strict).outcome is Outcome.PASSED


def test_evidence_from_the_future_is_none():
    """A witness whose clock, or whose honesty, is ahead of the verifier's own shows nothing."""
    office = open_office()
    credential = office.sign(START)
    ends = START + timedelta(days=30)
    following = LocalSigner.generate()
    log = list_later(office, days=1, expires={office.first.public_key: ends}, following=following)
    go_on(office, log, following)
    early = office.anchor_at(ends - timedelta(days=1), digest(credential))
    office.world.clock.now = ends + timedelta(days=1)
    assert office.key(credential, early).outcome is Outcome.PASSED
    office.world.clock.now = ends - timedelta(days=2)
    # By its own clock the verifier asks about a day when the key has ended, with evidence of tomorrow.
    key = office.key(credential, early, at=ends + timedelta(days=1))
    assert (key.outcome, key.code) == (Outcome.UNKNOWN, "key-closed")


_PARTS = st.one_of(
    st.none(), st.integers(), st.text(max_size=5), st.sampled_from(["did:webvh:x", "2026-01-01T00:00:00Z"])
)
_PROOFS = st.dictionaries(
    st.sampled_from(["type", "cryptosuite", "verificationMethod", "created", "proofValue", "id"]), _PARTS
)


@settings(max_examples=80, deadline=None)
@given(proof=_PARTS | _PROOFS | st.lists(_PARTS | _PROOFS, max_size=12))
def test_any_proof_is_reported(it, proof):
    """Whatever stands where a proof should be is no reason to raise, nor to believe."""
    document = {**it.office.template, "proof": proof}
    assert not it.office.check(Credential("application/vc", json.dumps(document).encode()))


@pytest.mark.parametrize("issued", [1e300, 10**30, -(10**30), True, "now", None])
def test_any_time_of_a_token_is_reported(it, issued):
    """A time that is none, or beyond every calendar."""
    url = f"{it.office.controller.did}#{it.office.first.public_key.multikey}"
    parts = [{"alg": "EdDSA", "kid": url}, {**it.office.template, "iat": issued}]
    text = ".".join(encode_multibase(json.dumps(part).encode(), "u")[1:] for part in parts) + "." + "A" * 86
    assert not it.office.check(Credential(CREDENTIAL_TOKEN.media_type, text.encode()))


def test_what_is_not_dated_is_not_taken(it):
    """Knowledge takes receipts for credentials that can be dated."""
    (receipt,) = it.evidence["before"]["by the end"]
    known = Knowledge().with_existence(it.credentials["before"], receipt)
    assert dict(known.existence) == {digest(it.credentials["before"]): receipt}
    proof = {"type": "DataIntegrityProof", "cryptosuite": "bbs-2023", "proofValue": "u2V0DgA"}
    with pytest.raises(ValueError, match="unlinkable"):
        Knowledge().with_existence(Credential.from_json({"proof": proof}), receipt)
    with pytest.raises(InvalidProof, match="proof-missing"):
        Knowledge().with_existence(Credential.from_json({}), receipt)


def test_a_proof_that_does_not_hold_is_no_better_for_its_evidence(it):
    """Altered claims fail, and nothing is said of the key."""
    document = parse_object(it.credentials["before"].content)
    altered = canonicalize({**document, "validFrom": format_timestamp(EARLY)})
    report = it.office.check(Credential("application/vc", altered), *it.evidence["before"]["by the end"])
    assert report.conclusion is Conclusion.REJECTED
    assert report[CheckName.KEY].code == "key-closed"
    assert report[CheckName.PROOF].code == "bad-signature"

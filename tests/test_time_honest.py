"""A key that has ended, and what it signed: every end, every evidence, with and without the policy's consent."""

import hashlib
import json
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from histories import Controller, anchor
from vcid.credentials.envelopes import CREDENTIAL, read_secured
from vcid.credentials.model import Credential
from vcid.dids.documents import did_document
from vcid.dids.webvh_writing import update
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import format_timestamp
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType, encode_multibase
from vcid.errors import InvalidProof
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Anchored, Knowledge
from vcid.ledger.anchor import LogPolicy
from vcid.ledger.batches import date_existence
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey, SignatureType
from vcid.ledger.receipts import Receipt
from vcid.ledger.witness import ReplayingWitness
from vcid.policy import Policy
from vcid.report import Check, CheckName, Conclusion, Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.securing.disclosure import BaseDocument, add_base_proof, get_restricting_pointers
from vcid.securing.existence import existence_digest
from vcid.securing.jose import CREDENTIAL_TOKEN, TokenOptions, sign_token
from world import START, World, birth

CONTEXTS = Contexts.carried()
CLOSED = START + timedelta(days=100)
EARLY, LATE = CLOSED - timedelta(days=10), CLOSED + timedelta(days=10)
NOW = START + timedelta(days=200)
FOREIGN = "foreign.example/log"


def digest(credential: Credential) -> bytes:
    return existence_digest(read_secured(credential, CREDENTIAL).secured)


@dataclass
class Office:
    """An authority whose first key signed everything that is asked about, and came to an end."""

    world: World
    controller: Controller
    first: LocalSigner
    issuer: Issuer
    template: dict

    def sign(
        self, created: datetime | None, signer: LocalSigner | None = None, **changes: object
    ) -> Credential:
        """What the first key signs, or whoever stole it, stating this time."""
        signer = signer or self.first
        options = ProofOptions(
            verification_method=f"{self.controller.did}#{signer.public_key.multikey}", created=created
        )
        return Credential.from_json(
            add_proof({**self.template, **changes}, signer, options, contexts=CONTEXTS)
        )

    def anchor_at(self, moment: datetime, content: bytes, ledger: Ledger | None = None) -> Receipt:
        """Anchor a digest when the clock shows that time. Times only go on."""
        assert self.world.clock.now <= moment
        self.world.clock.now = moment
        return anchor(ledger or self.world.ledger, content)

    def policy(self, **changes: object) -> Policy:
        unpinned = self.world.accreditation(self.issuer, document_digest=None)
        return self.world.policy(
            self.issuer, **{"accreditations": (unpinned,), "time_honest": True, **changes}
        )

    def key(self, credential: Credential, *receipts: Receipt, **options: object) -> Check:
        return self.check(credential, *receipts, **options)[CheckName.KEY]

    def check(self, credential, *receipts, policy=None, at=None, known=None):
        known = known or self.world.knowledge(self.issuer)
        verifier = self.world.verifier(policy or self.policy(), known)
        return verifier.check(credential, at=at, existence=receipts)


def open_office(key_type: KeyType = KeyType.ED25519) -> Office:
    world = World()
    first = LocalSigner.generate(key_type)
    controller = Controller(world.clock, [first.public_key])
    issuer = world.issuer(controller.did, signer=first, registry=world.registry(), did_log=controller.log)
    issuer.publish()
    document = parse_object(issuer.issue(birth(), key="template").content)
    del document["proof"]
    return Office(world, controller, first, issuer, document)


def go_on(office: Office, log: bytes, following: LocalSigner) -> None:
    """Publish another log, whose newest document lists the key that signs from now on."""
    practice = replace(office.issuer._practice, did_log=log)
    office.issuer = office.issuer.rotate(following, practice=practice)
    office.issuer.publish()


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
    log = _later(office, days=1, expires={office.first.public_key: ends}, following=following)
    go_on(office, log, following)
    early = office.anchor_at(ends - timedelta(days=1), digest(credential))
    office.world.clock.now = ends + timedelta(days=1)
    assert office.key(credential, early).outcome is Outcome.PASSED
    office.world.clock.now = ends - timedelta(days=2)
    # By its own clock the verifier asks about a day when the key has ended, with evidence of tomorrow.
    key = office.key(credential, early, at=ends + timedelta(days=1))
    assert (key.outcome, key.code) == (Outcome.UNKNOWN, "key-closed")


def _later(office: Office, *, days: int, following: LocalSigner, **ends: object) -> bytes:
    office.world.clock.advance(days=days)
    return office.controller.list_keys([office.first.public_key, following.public_key], **ends)


class TestEnds:
    """Every way in which a key ends, and the one in which it does not."""

    def shown(self, office: Office, created: datetime) -> tuple[Credential, Receipt]:
        credential = office.sign(created)
        return credential, office.anchor_at(office.world.clock.now, digest(credential))

    @pytest.mark.parametrize(
        ("end", "code"), [("revoked", "key-revoked"), ("expires", "key-expired"), ("removed", "key-removed")]
    )
    def test_revoked_expired_removed(self, end, code):
        """What was shown to exist passes, what was not is open, and what says it is younger fails."""
        office = open_office()
        credential, receipt = self.shown(office, START)
        following = LocalSigner.generate()
        office.world.clock.advance(days=50)
        closed = office.world.clock.now
        listed = [following.public_key]
        ends = {} if end == "removed" else {end: {office.first.public_key: closed}}
        listed = listed if end == "removed" else [office.first.public_key, *listed]
        go_on(office, office.controller.list_keys(listed, **ends), following)
        office.world.clock.advance(days=1)
        strict = office.policy(time_honest=False)
        assert office.check(credential, receipt)
        assert office.key(credential).code == "key-closed"
        late = office.sign(closed + timedelta(hours=1))
        assert (office.key(late, receipt).outcome, office.key(late).code) == (Outcome.FAILED, code)
        for each in (credential, late):
            assert office.key(each, receipt, policy=strict).outcome is Outcome.FAILED

    def test_to_the_second(self):
        """Shown at the very moment of the end, it existed by then; a second later it did not."""
        office = open_office()
        closed = START + timedelta(days=10)
        credential, at_the_end = office.sign(START), office.sign(closed)
        receipts = {
            moment: (
                office.anchor_at(moment, digest(credential)),
                office.anchor_at(moment, digest(at_the_end)),
            )
            for moment in (closed, closed + timedelta(seconds=1))
        }
        following = LocalSigner.generate()
        revoked = {office.first.public_key: closed}
        go_on(office, _later(office, days=30, following=following, revoked=revoked), following)
        for moment, shown in receipts.items():
            for each, receipt in zip((credential, at_the_end), shown, strict=True):
                expected = Outcome.PASSED if moment == closed else Outcome.UNKNOWN
                assert office.key(each, receipt).outcome is expected
        late = office.sign(closed + timedelta(seconds=1))
        assert office.key(late).outcome is Outcome.FAILED

    def test_an_id_that_stood_for_two_keys(self):
        """Of a name that was given to another key, a proof is checked by the key of its own day."""
        office = open_office()
        following = LocalSigner.generate()
        document = did_document(office.controller.did, [office.first.public_key, following.public_key])
        text = canonicalize(document).replace(b"#" + office.first.public_key.multikey.encode(), b"#key")
        office.world.clock.advance(days=1)
        office.controller.log = update(
            office.controller.log, office.controller._signing, document=parse_object(text)
        )
        office.world.clock.advance(days=1)
        options = ProofOptions(
            verification_method=f"{office.controller.did}#key", created=office.world.clock.now
        )
        secured = add_proof(office.template, office.first, options, contexts=CONTEXTS)
        credential = Credential.from_json(secured)
        receipt = office.anchor_at(office.world.clock.now, digest(credential))
        office.world.clock.advance(days=1)
        gone = canonicalize(did_document(office.controller.did, [following.public_key]))
        text = gone.replace(b"#" + following.public_key.multikey.encode(), b"#key")
        office.controller.log = update(
            office.controller.log, office.controller._signing, document=parse_object(text)
        )
        go_on(office, office.controller.log, following)
        assert office.check(credential, receipt)
        assert office.key(credential).code == "key-closed"
        new = ProofOptions(verification_method=f"{office.controller.did}#key", created=office.world.clock.now)
        signed = add_proof(office.template, following, new, contexts=CONTEXTS)
        assert office.check(Credential.from_json(signed))
        backdated = add_proof(office.template, following, options, contexts=CONTEXTS)
        assert not office.check(Credential.from_json(backdated))

    def test_retired_and_listed_has_not_ended(self):
        """Rotation closes nothing: no evidence is asked for, under either policy."""
        office = open_office()
        credential = office.sign(START)
        following = LocalSigner.generate()
        go_on(office, _later(office, days=30, following=following), following)
        for policy in (office.policy(), office.policy(time_honest=False)):
            assert office.check(credential, policy=policy)

    def test_an_end_stated_once_stays(self):
        """A later version that no longer states the revocation takes nothing back."""
        office = open_office()
        credential = office.sign(START)
        following = LocalSigner.generate()
        revoked = {office.first.public_key: START + timedelta(days=10)}
        go_on(office, _later(office, days=30, following=following, revoked=revoked), following)
        log = _later(office, days=1, following=following)
        office.issuer = office.world.issuer(
            office.controller.did,
            signer=following,
            registry=office.issuer._registry,
            did_log=log,
        )
        office.issuer.publish()
        strict = office.policy(time_honest=False)
        assert office.key(credential, policy=strict).code == "key-revoked"
        assert office.key(credential).code == "key-closed"

    def test_a_did_that_was_deactivated(self):
        """Its keys are good for what is shown to have existed; a stranger's log can't end it."""
        office = open_office()
        credential, receipt = self.shown(office, START)
        known = office.world.knowledge(office.issuer)
        office.world.clock.advance(days=5)
        ended = Anchored(office.controller.deactivate())
        known = replace(known, did_documents={office.controller.did: ended})
        assert office.key(credential, receipt, known=known).outcome is Outcome.PASSED
        assert office.key(credential, known=known).code == "key-closed"
        strict = office.policy(time_honest=False)
        assert office.key(credential, receipt, known=known, policy=strict).code == "deactivated"
        assert not office.check(credential, receipt, known=known), "the ledger has another log as the newest"

    def test_a_did_web_without_a_history(self):
        """The ends that the one document states count the same; a key that it no longer lists is unknown to it."""
        world, first = World(), LocalSigner.generate()
        issuer = world.issuer(signer=first)
        issuer.publish()
        credential = issuer.issue(birth(), key="a")
        issuer.publish()
        receipt = issuer.existence("a")
        following = LocalSigner.generate()
        world.clock.advance(days=10)
        document = did_document(issuer.did, [first.public_key, following.public_key])
        document["verificationMethod"][0]["revoked"] = format_timestamp(world.clock.now - timedelta(days=1))
        after = issuer.rotate(following, practice=replace(issuer._practice, document=document))
        office = Office(world, None, first, after, {})
        assert office.check(credential, receipt)
        assert office.key(credential).code == "key-closed"
        gone = did_document(issuer.did, [following.public_key])
        office.issuer = world.issuer(signer=following, registry=issuer._registry, document=gone)
        office.issuer.publish()
        assert office.key(credential, receipt).code == "unknown-method"


def test_a_proof_without_a_time_stands_on_its_evidence():
    """Whoever states nothing contradicts nothing."""
    office = open_office()
    credential = office.sign(None)
    receipt = office.anchor_at(START, digest(credential))
    following = LocalSigner.generate()
    revoked = {office.first.public_key: START + timedelta(days=10)}
    go_on(office, _later(office, days=30, following=following, revoked=revoked), following)
    assert (office.key(credential, receipt).code, office.key(credential).code) == ("", "key-closed")


def test_each_of_several_proofs_is_judged_by_its_own_key():
    """One key of two ended: the document needs evidence; both ended at different times: by the earlier."""
    office = open_office()
    second = LocalSigner.generate(KeyType.P256)
    both = [office.first.public_key, second.public_key]
    office.world.clock.advance(days=1)
    log = office.controller.list_keys(both)
    office.issuer = office.world.issuer(
        office.controller.did, signer=office.first, registry=office.issuer._registry, did_log=log
    )
    once = parse_object(office.sign(START).content)
    method = f"{office.controller.did}#{second.public_key.multikey}"
    options = ProofOptions(verification_method=method, cryptosuite="ecdsa-jcs-2019", created=START)
    credential = Credential.from_json(add_proof(once, second, options, contexts=CONTEXTS))
    moments = [START + timedelta(days=10 * number) for number in (1, 2, 3)]
    receipts = [office.anchor_at(moment, digest(credential)) for moment in moments]
    following = LocalSigner.generate()
    office.world.clock.advance(days=1)
    ends = dict(zip(both, [moments[0], moments[1]], strict=True))
    log = office.controller.list_keys([*both, following.public_key], revoked=ends)
    go_on(office, log, following)
    policy = office.policy(suites=frozenset({"eddsa-jcs-2022", "ecdsa-jcs-2019"}))
    codes = [office.key(credential, receipt, policy=policy).code for receipt in receipts]
    assert codes == ["", "key-closed", "key-closed"]
    alone = office.policy(suites=frozenset({"ecdsa-jcs-2019"}))
    codes = [office.key(credential, receipt, policy=alone).code for receipt in receipts]
    assert codes == ["", "", "key-closed"], "a proof that does not count needs no evidence"


def test_a_token_is_dated_as_a_whole():
    """SHA-256 of its compact form; ``iat`` is what it says of its time."""
    office = open_office()
    method = f"{office.controller.did}#{office.first.public_key.multikey}"
    content = sign_token(
        office.template,
        office.first,
        TokenOptions(verification_method=method, created=START),
        form=CREDENTIAL_TOKEN,
        contexts=CONTEXTS,
    )
    credential = Credential(CREDENTIAL_TOKEN.media_type, content)
    receipt = office.anchor_at(START, digest(credential))
    following = LocalSigner.generate()
    revoked = {office.first.public_key: START + timedelta(days=10)}
    go_on(office, _later(office, days=30, following=following, revoked=revoked), following)
    policy = office.policy(suites=frozenset({"Ed25519", "EdDSA", "eddsa-jcs-2022"}))
    assert office.key(credential, receipt, policy=policy).outcome is Outcome.PASSED
    assert office.key(credential, policy=policy).code == "key-closed"


def test_lists_are_judged_now():
    """A status list under an ended key proves nothing, whatever shows that it existed: it could be an old one."""
    office = open_office()
    office.world.clock.advance(days=1)
    following = LocalSigner.generate()
    credential = office.sign(START, following)
    revoked = {office.first.public_key: office.world.clock.now}
    log = office.controller.list_keys([office.first.public_key, following.public_key], revoked=revoked)
    known = office.world.knowledge(office.issuer)
    known = replace(known, did_documents={office.controller.did: Anchored(log)})
    lists = known.status_lists.values()
    shown = {digest(Credential("application/vc", each.content)): each.receipt for each in lists}
    report = office.check(credential, known=replace(known, existence=shown))
    assert report[CheckName.KEY].outcome is Outcome.PASSED
    assert report[CheckName.STATUS].code == "status-list-unverified"


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


class TestDisclosure:
    """What is derived from one base document is dated as that is."""

    @pytest.fixture
    def base(self):
        office = open_office(KeyType.P256)
        return office, self.secure(office)

    def secure(self, office: Office) -> BaseDocument:
        method = f"{office.controller.did}#{office.first.public_key.multikey}"
        options = ProofOptions(verification_method=method, cryptosuite="ecdsa-sd-2023", created=START)
        pointers = get_restricting_pointers(office.template)
        return add_base_proof(
            office.template, office.first, options, mandatory_pointers=pointers, contexts=CONTEXTS
        )

    def test_every_showing_has_the_digest_of_its_base(self, base):
        """The base signature and what it signs survive derivation; another base document's are others."""
        office, document = base
        shown = [
            document.derive(pointers, contexts=CONTEXTS)
            for pointers in (["/credentialSubject"], ["/credentialSubject/birthDate"])
        ]
        found = {existence_digest(each) for each in (document.to_json(), *shown)}
        assert len(found) == 1
        assert found.isdisjoint({existence_digest(self.secure(office).to_json())})

    def test_a_showing_passes_by_its_base_documents_evidence(self, base):
        """Under an ended key; altered it fails, and without evidence it stays open."""
        office, document = base
        receipt = office.anchor_at(START, existence_digest(document.to_json()))
        shown = document.derive(["/credentialSubject"], contexts=CONTEXTS)
        following = LocalSigner.generate()
        revoked = {office.first.public_key: START + timedelta(days=10)}
        go_on(office, _later(office, days=30, following=following, revoked=revoked), following)
        policy = office.policy(suites=frozenset({"ecdsa-sd-2023", "ecdsa-jcs-2019", "eddsa-jcs-2022"}))
        credential = Credential.from_json(shown)
        assert office.check(credential, receipt, policy=policy)
        assert office.key(credential, policy=policy).code == "key-closed"

    def test_showings_of_bbs_have_no_digest(self):
        """They are to be unlinkable: there is nothing to look up, and nothing is raised."""
        proof = {"type": "DataIntegrityProof", "cryptosuite": "bbs-2023", "proofValue": "u2V0DgA"}
        assert existence_digest({"proof": proof}) is None
        assert existence_digest({"proof": [proof, proof]}) is None

    def test_what_has_no_proof_has_no_digest(self):
        """An unsigned document proves nothing by having existed."""
        with pytest.raises(InvalidProof, match="proof-missing"):
            existence_digest({"a": 1})


def test_the_issuer_dates_by_the_same_digest():
    """Its batches take up what a verifier looks for."""
    office = open_office()
    credential = office.issuer.issue(birth(), key="a")
    office.issuer.publish()
    receipt = office.issuer.existence("a")
    policy = office.world.log_policy
    assert date_existence(digest(credential), receipt, policy) == office.world.clock.now
    assert digest(credential) == hashlib.sha256(credential.content).digest()

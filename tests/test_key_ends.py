"""Every way in which a key ends, and every form of what it signed."""

import hashlib
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from ended_office import CONTEXTS, Office, digest, go_on, list_later, open_office
from vcid.credentials.model import Credential
from vcid.dids.documents import did_document
from vcid.dids.webvh_writing import update
from vcid.drafting import Disclosure
from vcid.encoding.dates import format_timestamp
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Anchored
from vcid.ledger.batches import date_existence
from vcid.ledger.receipts import Receipt
from vcid.report import CheckName, Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.securing.disclosure import BaseDocument, add_base_proof, get_restricting_pointers
from vcid.securing.existence import existence_digest
from vcid.securing.jose import CREDENTIAL_TOKEN, TokenOptions, sign_token
from world import START, World, birth


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
        go_on(office, list_later(office, days=30, following=following, revoked=revoked), following)
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
        go_on(office, list_later(office, days=30, following=following), following)
        for policy in (office.policy(), office.policy(time_honest=False)):
            assert office.check(credential, policy=policy)

    def test_an_end_stated_once_stays(self):
        """A later version that no longer states the revocation takes nothing back."""
        office = open_office()
        credential = office.sign(START)
        following = LocalSigner.generate()
        revoked = {office.first.public_key: START + timedelta(days=10)}
        go_on(office, list_later(office, days=30, following=following, revoked=revoked), following)
        log = list_later(office, days=1, following=following)
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
    go_on(office, list_later(office, days=30, following=following, revoked=revoked), following)
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
    go_on(office, list_later(office, days=30, following=following, revoked=revoked), following)
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
        go_on(office, list_later(office, days=30, following=following, revoked=revoked), following)
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


def test_an_issuer_of_base_documents_dates_what_is_derived_from_them():
    """The batch takes up the base signature, which every showing has."""
    world, signer = World(), LocalSigner.generate(KeyType.P256)
    issuer = world.issuer(signer=signer, disclosure=Disclosure())
    issuer.publish()
    base = issuer.disclosable.issue(birth(), key="a")
    issuer.publish()
    shown = base.derive(["/credentialSubject"], contexts=CONTEXTS)
    found = existence_digest(shown)
    assert date_existence(found, issuer.existence("a"), world.log_policy) == world.clock.now
    with pytest.raises(InvalidProof, match="not-in-batch"):
        date_existence(
            hashlib.sha256(canonicalize(base.to_json())).digest(), issuer.existence("a"), world.log_policy
        )

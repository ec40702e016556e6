"""Births issued as base documents: what a family keeps, what it shows for a purpose, what a verifier concludes."""

import importlib.util
import re
from dataclasses import replace
from datetime import date, timedelta

import pytest

from vcid.credentials.approvals import ApprovalRule, approve
from vcid.credentials.birth import (
    BirthDateBasis,
    BirthType,
    Evidence,
    EvidenceKind,
    Name,
    NameStatus,
    NationalityStatus,
    OriginalDate,
    Parent,
    ParentageStatus,
    ParentBasis,
    Place,
    PlaceType,
    Registration,
    RegistrationType,
)
from vcid.credentials.birth_terms import Calendar
from vcid.credentials.model import BASE_MEDIA_TYPE, Credential
from vcid.credentials.presets import PRESETS, Purpose
from vcid.dids.methods import child_identity
from vcid.disclosing import disclose
from vcid.drafting import Disclosure
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType, decode_multibase
from vcid.errors import Conflict, InvalidProof, InvalidRecord, Malformed
from vcid.holder import Holder
from vcid.keys.signing import LocalSigner
from vcid.orders import Order, Renewal
from vcid.report import CheckName, Conclusion, Outcome
from vcid.securing.disclosure import BaseDocument
from vcid.securing.existence import existence_digest
from world import World, birth

BBS = "bbs-2023"
SD = "ecdsa-sd-2023"
SHOWN = {
    Purpose.SCHOOL: {"childRef", "names", "birthDate"},
    Purpose.CLINIC: {"childRef", "names", "birthDate", "birthDateBasis", "sexAtBirth"},
    Purpose.BORDER: {"childRef", "names", "birthDate", "birthDateBasis", "birthPlace"},
    Purpose.AID: {"childRef", "birthDate"},
}
ALWAYS = {"id", "type", "registration"}


def delicate(**changes):
    """A record in which every field is stated, and most could hurt somebody."""
    return birth(
        names=[Name(full="Amina Beispiel Muster", given="Amina", family="Muster", lang="en", script="Latn")],
        name_status=NameStatus.ASSIGNED_BY_AUTHORITY,
        birth_date_original=OriginalDate(calendar=Calendar.ETHIOPIAN, text="6 Megabit 2013"),
        birth_date_basis=BirthDateBasis.AGE_ASSESSMENT,
        birth_place=Place(
            country="SS", region="Upper Sample", locality="Mustertown", place_type=PlaceType.EN_ROUTE
        ),
        registration=Registration(
            number="2021/77777",
            date=date(2021, 4, 1),
            jurisdiction="KE",
            office="Camp Example Seven",
            type=RegistrationType.LATE,
        ),
        parentage_status=ParentageStatus.PARTIAL,
        parents=[
            Parent(label="mother", basis=ParentBasis.JUDICIAL_DECLARATION, names=[Name(full="Fanta Probe")])
        ],
        birth_type=BirthType.TWIN,
        birth_order=2,
        nationalities=["SS"],
        nationality_status=NationalityStatus.REFUGEE,
        evidence=[Evidence(kind=EvidenceKind.JUDGMENT, date=date(2020, 2, 2))],
        **changes,
    )


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def disclosure(suite):
    if suite == SD:
        return Disclosure(SD)
    if importlib.util.find_spec("py_arkworks_bls12381") is None:
        pytest.skip("the extra `bbs` is not installed")
    from vcid.keys.bbs import LocalBbsSigner

    return Disclosure(BBS, LocalBbsSigner.generate())


def open_issuer(world, suite=SD, **practice):
    issuer = world.issuer(key_type=KeyType.P256, disclosure=disclosure(suite), **practice)
    issuer.publish()
    return issuer


@pytest.fixture
def issuer(world):
    return open_issuer(world)


def verify(world, issuer, shown, **changes):
    policy = world.policy(issuer, suites=frozenset({SD, BBS, "ecdsa-jcs-2019"}), **changes)
    return world.verifier(policy, world.knowledge(issuer)).check(shown)


@pytest.mark.parametrize("suite", [SD, BBS])
@pytest.mark.parametrize("purpose", Purpose)
def test_each_purpose_is_shown_what_it_needs_and_verifies(world, suite, purpose):
    """Issuer, status, schema and anchor hold for what is shown, and nothing else is in its bytes."""
    issuer = open_issuer(world, suite)
    base = issuer.disclosable.issue(delicate(), key="a")
    issuer.publish()
    shown = disclose(base, purpose)
    report = verify(world, issuer, shown)
    assert report, str(report)
    for name in (CheckName.SCHEMA, CheckName.STATUS, CheckName.ANCHOR, CheckName.ISSUER):
        assert report[name].outcome is Outcome.PASSED
    whole = base.to_json()
    assert report.document["credentialSubject"].keys() == SHOWN[purpose] | ALWAYS
    assert report.document["credentialSubject"]["registration"] == {"jurisdiction": "KE"}
    for name in ("id", "issuer", "validFrom", "credentialStatus", "credentialSchema", "type"):
        assert report.document[name] == whole[name]
    assert_hidden(whole, shown)


def leaves(value):
    if isinstance(value, dict):
        for member in value.values():
            yield from leaves(member)
    elif isinstance(value, list):
        for item in value:
            yield from leaves(item)
    else:
        yield str(value)


def assert_hidden(whole, shown):
    """No value that is not among those shown stands anywhere in the bytes, also within the proof's value."""
    document = parse_object(shown.content)
    proof_value = decode_multibase(document["proof"]["proofValue"], bases="u", max_chars=1 << 20)
    apparent = set(leaves({name: value for name, value in document.items() if name != "proof"}))
    hidden = set(leaves({name: value for name, value in whole.items() if name != "proof"})) - apparent
    assert len(hidden) > 8
    written = shown.content.replace(document["proof"]["proofValue"].encode(), b"")
    for text in hidden:
        pattern = rb"(?<![A-Za-z0-9])" + re.escape(text.encode()) + rb"(?![A-Za-z0-9])"
        assert not re.search(pattern, written), text
        assert len(text) < 4 or text.encode() not in proof_value


def test_no_preset_shows_parents_origin_or_how_it_was_registered():
    """What can expose a child is in no preset, so that a new one that has it fails here first."""
    exposing = re.compile(
        "parent|nationalit|finding|evidence|number|office|registrationType|birthOrder|birthType|nameStatus"
    )
    for presets in PRESETS.values():
        assert presets.keys() == set(Purpose)
        pointers = [pointer for preset in presets.values() for pointer in preset]
        assert not [pointer for pointer in pointers if exposing.search(pointer)]
        assert [name for name, preset in presets.items() if "/credentialSubject/sexAtBirth" in preset] == [
            "clinic"
        ]


@pytest.mark.parametrize("purpose", Purpose)
def test_a_child_without_a_name_is_shown_as_any_other(world, issuer, purpose):
    """What a document does not have is passed over."""
    record = birth(names=[], name_status=NameStatus.NOT_YET_NAMED)
    base = issuer.disclosable.issue(record, key="a")
    issuer.publish()
    assert verify(world, issuer, disclose(base, purpose))


def test_more_can_be_shown_and_faulty_wishes_are_refused(world, issuer):
    """A pointer adds what a purpose lacks; one to nothing, and an unknown purpose, are refused."""
    base = issuer.disclosable.issue(delicate(), key="a")
    issuer.publish()
    report = verify(world, issuer, disclose(base, "school", more=["/credentialSubject/sexAtBirth"]))
    assert report
    assert report.document["credentialSubject"]["sexAtBirth"] == "female"
    with pytest.raises(Malformed) as caught:
        disclose(base, "school", more=["/credentialSubject/nothing"])
    assert caught.value.code == "points-nowhere"
    with pytest.raises(ValueError, match="curiosity"):
        disclose(base, "curiosity")


@pytest.mark.parametrize("suite", [SD, BBS])
def test_what_was_hidden_can_not_be_changed_or_brought_back(world, suite):
    """A member put in, changed or taken out after derivation fails the proof."""
    issuer = open_issuer(world, suite)
    base = issuer.disclosable.issue(delicate(), key="a")
    issuer.publish()
    shown = parse_object(disclose(base, "school").content)
    subject = shown["credentialSubject"]
    forged = [
        {**shown, "credentialSubject": {**subject, "sexAtBirth": "male"}},
        {**shown, "credentialSubject": {**subject, "birthDate": "2011-03-15"}},
        {**shown, "credentialSubject": {k: v for k, v in subject.items() if k != "registration"}},
        {k: v for k, v in shown.items() if k != "credentialStatus"},
        {**shown, "validUntil": "2099-01-01T00:00:00Z"},
    ]
    for each in forged:
        report = verify(world, issuer, each)
        assert report.conclusion is Conclusion.REJECTED
        assert report[CheckName.PROOF].outcome is Outcome.FAILED


def test_a_base_document_is_no_credential_anywhere(world, issuer):
    """Not as an object, not by its content, not as the registry keeps it."""
    base = issuer.disclosable.issue(birth(), key="a")
    issuer.publish()
    holder_key = LocalSigner.generate()
    holder = Holder(f"did:key:{holder_key.public_key.multikey}", holder_key, clock=world.clock)
    kept = Credential(BASE_MEDIA_TYPE, disclose(base, "aid").content)
    for each, error in ((base, TypeError), (base.to_json(), Malformed), (kept, Malformed)):
        with pytest.raises(error):
            holder.present([each], challenge="c", domain="d")
    report = verify(world, issuer, base.to_json())
    assert report[CheckName.PROOF].code == "base-proof"
    assert not verify(world, issuer, kept)
    with pytest.raises(TypeError):
        verify(world, issuer, base)
    assert "Amina" not in repr(base)


def test_each_form_is_issued_in_its_own_place(world, issuer):
    """Births by the issuer itself, and what is no birth as a base document, are refused; nothing is taken."""
    with pytest.raises(ValueError, match="disclosable"):
        issuer.issue(birth(), key="a")
    with pytest.raises(ValueError, match="disclosable"):
        issuer.propose(Order(key="a", record=birth()))
    plain = world.issuer("did:web:plain.example", registry=world.registry("plain"))
    plain.publish()
    with pytest.raises(ValueError, match="whole"):
        plain.disclosable.issue(birth(), key="a")
    assert plain.issue(birth(), key="a")
    with pytest.raises(Conflict) as caught:
        plain.disclosable.find("a")
    assert caught.value.code == "other-form"
    assert issuer.disclosable.find("a") is None
    assert issuer.disclosable.issue(birth(), key="a")
    with pytest.raises(Conflict) as caught:
        issuer.find("a")
    assert caught.value.code == "other-form"


def test_the_same_order_gives_the_same_document(world, issuer):
    """Sent twice, or found by its key, a form gives one document; another record under the key is refused."""
    record = birth()
    first = issuer.disclosable.issue(record, key="a")
    assert issuer.disclosable.issue(record, key="a").to_json() == first.to_json()
    assert issuer.disclosable.find("a").to_json() == first.to_json()
    with pytest.raises(Conflict) as caught:
        issuer.disclosable.issue(birth(2), key="a")
    assert caught.value.code == "key-reused"
    answers = list(issuer.disclosable.issue_many([Order(key=k, record=record) for k in "ab"]))
    assert [isinstance(it.base, BaseDocument) for it in answers] == [True, True]
    faulty = replace(record, child_ref="no")
    (answer,) = issuer.disclosable.issue_many([Order(key="c", record=faulty)])
    assert isinstance(answer.error, InvalidRecord)


@pytest.mark.parametrize("suite", [SD, BBS])
def test_revoked_is_revoked_whatever_is_shown(world, suite):
    """No holder can leave out the status, so the next publication ends every showing."""
    issuer = open_issuer(world, suite)
    base = issuer.disclosable.issue(birth(), key="a")
    issuer.publish()
    shown = disclose(base, "aid")
    assert verify(world, issuer, shown)
    assert issuer.revoke(credential=shown)
    issuer.publish()
    report = verify(world, issuer, shown)
    assert (report.conclusion, report[CheckName.STATUS].code) == (Conclusion.REJECTED, "revoked")


def test_a_renewal_is_a_base_document_again(world, issuer):
    """The same claims for another identity; the former one reads superseded."""
    old = issuer.disclosable.issue(birth(), key="a")
    former = old.to_json()["credentialSubject"]["id"]
    renewal = Renewal(key="b", former="a", dids={former: child_identity().did})
    with pytest.raises(ValueError, match="disclosable"):
        issuer.renew(renewal)
    new = issuer.disclosable.renew(renewal)
    issuer.publish()
    assert verify(world, issuer, disclose(new, "border"))
    report = verify(world, issuer, disclose(old, "border"))
    assert report[CheckName.STATUS].code == "superseded"


def test_a_grown_child_gets_a_base_document_for_a_key_of_its_own(world, issuer):
    """Rebinding asks for proof of control of the new DID, for this issuer and challenge."""
    old = issuer.disclosable.issue(birth(), key="a")
    key = LocalSigner.generate()
    own = Holder(f"did:key:{key.public_key.multikey}", key, clock=world.clock)
    renewal = Renewal(key="b", former="a", dids={old.to_json()["credentialSubject"]["id"]: own.did})
    control = own.prove_control(challenge="drawn", domain=issuer.did)
    with pytest.raises(InvalidProof):
        issuer.disclosable.rebind(renewal, control, challenge="another")
    new = issuer.disclosable.rebind(renewal, control, challenge="drawn")
    assert new.to_json()["credentialSubject"]["id"] == own.did


def test_registrars_approve_the_whole_credential(world):
    """What they read is all that is signed; without them nothing is."""
    registrars = [LocalSigner.generate() for _ in range(2)]
    rule = ApprovalRule(frozenset(it.public_key for it in registrars))
    issuer = open_issuer(world, approval=rule)
    with pytest.raises(Conflict) as caught:
        issuer.disclosable.issue(birth(), key="a")
    assert caught.value.code == "approval-needed"
    proposal = issuer.disclosable.propose(Order(key="a", record=birth()))
    approvals = [approve(proposal, it, clock=world.clock) for it in registrars]
    with pytest.raises(Conflict) as caught:
        issuer.disclosable.issue_approved("a", approvals[:1])
    assert caught.value.code == "not-approved"
    with pytest.raises(ValueError, match="disclosable"):
        issuer.issue_approved("a", approvals)
    base = issuer.disclosable.issue_approved("a", approvals)
    unsigned = {name: value for name, value in base.to_json().items() if name != "proof"}
    assert unsigned == proposal.document
    for approval in issuer.approvals("a"):
        approval.verify(base.to_json())


def test_existence_is_shown_for_whatever_is_derived(world, issuer):
    """One receipt serves every showing of a base document, under a policy that is honest about time."""
    base = issuer.disclosable.issue(birth(), key="a")
    issuer.publish()
    assert issuer.existence("a") is not None
    digests = {existence_digest(parse_object(disclose(base, purpose).content)) for purpose in Purpose}
    assert digests == {existence_digest(base.to_json())}


def test_of_an_unlinkable_document_there_is_no_receipt(world):
    """A receipt that everybody could compare would link what is to be unlinkable; so there is none."""
    issuer = open_issuer(world, BBS)
    issuer.disclosable.issue(birth(), key="a")
    issuer.publish()
    assert issuer.existence("a") is None


def test_a_practice_that_makes_no_sense_is_refused(world):
    """No plain suite, no key of another kind, no second proofs beside a base proof."""
    with pytest.raises(ValueError, match="selective"):
        Disclosure("ecdsa-jcs-2019")
    with pytest.raises(ValueError, match="signed with"):
        world.issuer(disclosure=Disclosure(SD))
    with pytest.raises(ValueError, match="stands alone"):
        world.issuer(
            key_type=KeyType.P256,
            disclosure=Disclosure(SD),
            second_signers=(LocalSigner.generate(KeyType.ED25519),),
        )


def test_another_key_may_sign_what_is_shown_in_part(world):
    """An issuer whose own key is Ed25519 lists a P-256 key, which signs births and nothing else."""
    own = LocalSigner.generate(KeyType.P256)
    issuer = world.issuer(disclosure=Disclosure(SD, own))
    issuer.publish()
    base = issuer.disclosable.issue(birth(), key="a")
    issuer.publish()
    assert own.public_key.multikey in base.to_json()["proof"]["verificationMethod"]
    policy = world.policy(issuer, suites=frozenset({SD, "eddsa-jcs-2022"}))
    assert world.verifier(policy, world.knowledge(issuer)).check(disclose(base, "school"))


def test_the_end_of_a_credential_stays(world, issuer):
    """A birth credential that ends is shown with its end, and ends."""
    until = world.clock.now + timedelta(days=30)
    order = Order(key="a", record=birth(), valid_until=until)
    (answer,) = issuer.disclosable.issue_many([order])
    issuer.publish()
    shown = disclose(answer.base, "aid", contexts=Contexts.carried())
    assert verify(world, issuer, shown)
    world.clock.advance(days=31)
    issuer.publish()
    assert verify(world, issuer, shown)[CheckName.PERIOD].code == "expired"

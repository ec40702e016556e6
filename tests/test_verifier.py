"""The verifier: what passes, what fails, what stays unknown, and by which check."""

import gc
import json
import weakref
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from vcid.credentials.model import Credential
from vcid.dids.documents import did_document
from vcid.dids.jwk import DidJwkResolver, did_jwk
from vcid.dids.methods import DidKeyResolver, did_key
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType
from vcid.errors import Rejected, Unavailable, Undecided
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Anchored, Knowledge
from vcid.ledger.views import MemoryViewStore
from vcid.policy import Policy
from vcid.report import CheckName, Conclusion, Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.verifier import Surroundings, Verifier
from world import COURT, START, World, birth


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.fixture(scope="module")
def issuer(world):
    issuer = world.issuer()
    issuer.publish()
    return issuer


@pytest.fixture(scope="module")
def credential(issuer):
    return issuer.issue(birth(), key="good")


@pytest.fixture(scope="module")
def knowledge(world, issuer):
    return world.knowledge(issuer)


@pytest.fixture
def verifier(world, issuer, knowledge):
    return world.verifier(world.policy(issuer), knowledge)


def check(report, name, code):
    """The report has this reason under this check, and is not true."""
    assert not report
    assert (report[name].code) == code, str(report)
    return report[name]


def signed(world, signer, did, **changes):
    """A birth credential by another hand: built like an issuer's, with members changed before signing."""
    issuer = World().issuer(did, signer=signer)
    issuer.publish()
    document = parse_object(issuer.issue(birth(), key="x").content)
    document.pop("proof")
    document.update(changes)
    options = ProofOptions(verification_method=f"{did}#{signer.public_key.multikey}", created=world.clock.now)
    return add_proof(document, signer, options, contexts=Contexts.carried())


# What passes


def test_a_good_credential_is_verified_by_every_check(verifier, credential):
    """Each of the ten checks is there; all pass but the holder's, which needs a presentation."""
    report = verifier.check(credential)
    assert report, str(report)
    assert {check.name for check in report.checks} == set(CheckName)
    assert {check.name for check in report.checks if check.outcome is Outcome.SKIPPED} == {CheckName.HOLDER}
    assert report.fresh_as_of == START


@pytest.mark.parametrize("form", [lambda it: it, lambda it: it.content, lambda it: it.content.decode()])
def test_a_credential_may_come_as_object_bytes_or_text(verifier, credential, form):
    """The same report, whatever form it came in."""
    assert verifier.check(form(credential))
    assert verifier.check(parse_object(credential.content))


def test_verify_returns_what_the_proof_covers(verifier, credential):
    """Claims come from the verified document, without its proof."""
    verified = verifier.verify(credential)
    assert verified.subject["names"][0]["full"] == "Amina Example"
    assert "proof" not in verified.document


def test_a_credential_issued_after_knowledge_was_taken_verifies(world, issuer, verifier):
    """Indices come only from published lists, so last week's knowledge suffices."""
    assert verifier.check(issuer.issue(birth(2), key="later"))


@pytest.mark.parametrize(
    ("suite", "key_type"),
    [
        ("eddsa-rdfc-2022", KeyType.ED25519),
        ("ecdsa-jcs-2019", KeyType.P256),
        ("ecdsa-jcs-2019", KeyType.P384),
        ("ecdsa-rdfc-2019", KeyType.P256),
    ],
)
def test_every_suite_works_from_issuing_to_verifying(suite, key_type):
    """Lists, entries and credentials by each suite and curve; a policy without the suite refuses it."""
    world = World()
    issuer = world.issuer(cryptosuite=suite, key_type=key_type)
    issuer.publish()
    credential = issuer.issue(birth(), key="a")
    policy = world.policy(issuer, suites=frozenset({suite}))
    assert world.verifier(policy, world.knowledge(issuer)).check(credential)
    refused = world.verifier(world.policy(issuer), world.knowledge(issuer)).check(credential)
    check(refused, "proof", "suite-not-allowed")


# What fails


def test_an_empty_policy_accepts_nothing(world, credential, knowledge):
    """No accreditation and no log: nothing can be said, and every reason is there."""
    report = world.verifier(Policy(), knowledge).check(credential)
    assert check(report, "issuer", "issuer-not-accredited").outcome is Outcome.UNKNOWN
    check(report, "anchor", "no-owner")
    nothing = world.verifier(Policy(suites=frozenset()), knowledge).check(credential)
    check(nothing, "proof", "suite-not-allowed")


def test_a_changed_claim_breaks_the_proof(verifier, credential):
    """A tampered name is a failed proof, and no document is given back."""
    tampered = credential.content.replace(b"Amina Example", b"Amina Mustermann")
    report = verifier.check(tampered)
    check(report, "proof", "bad-signature")
    assert report.document is None
    with pytest.raises(Rejected) as caught:
        verifier.verify(tampered)
    assert caught.value.report["proof"].code == "bad-signature"


def test_an_untrusted_issuer_is_refused_though_its_proof_is_good(world, issuer, knowledge):
    """Somebody's own did:key signs a fine credential; nobody accredited them."""
    signer = LocalSigner.generate()
    forged = signed(world, signer, did_key(signer.public_key))
    report = world.verifier(world.policy(issuer), knowledge).check(forged)
    assert report["proof"].outcome is Outcome.PASSED
    assert check(report, "issuer", "issuer-not-accredited").outcome is Outcome.UNKNOWN


def test_a_credential_in_the_registrys_name_by_another_key_is_refused(world, verifier):
    """The issuer field says the registry; the key is a stranger's own did:key."""
    signer = LocalSigner.generate()
    forged = signed(world, signer, did_key(signer.public_key), issuer="did:web:civil.example")
    check(verifier.check(forged), "issuer", "key-not-of-issuer")


def test_a_key_that_the_did_document_does_not_list_is_refused(world, verifier):
    """The registry's name before a stranger's fragment."""
    check(
        verifier.check(signed(world, LocalSigner.generate(), "did:web:civil.example")),
        "key",
        "unknown-method",
    )


def test_a_swapped_did_document_is_refused_by_its_digest(world, issuer, credential, knowledge):
    """Whoever swaps the registry's document for one with their own key meets the policy's pin."""
    stranger = world.issuer(registry=World().registry())
    forged = Anchored(canonicalize(stranger.document))
    swapped = replace(knowledge, did_documents={issuer.did: forged})
    report = world.verifier(world.policy(issuer), swapped).check(credential)
    check(report, "key", "did-document-swapped")
    unpinned = replace(world.accreditation(issuer), document_digest=None)
    policy = Policy(accreditations=(unpinned,), logs=(world.log_policy,))
    report = world.verifier(policy, swapped).check(credential)
    check(report, "anchor", "no-receipt")
    assert report.conclusion is Conclusion.REJECTED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"jurisdictions": frozenset({"UG"})}, "jurisdiction-not-accredited"),
        ({"credential_types": frozenset({"GuardianshipCredential"})}, "type-not-accredited"),
        ({"valid_until": START}, "outside-accreditation"),
        ({"valid_from": START + timedelta(seconds=1)}, "outside-accreditation"),
    ],
)
def test_an_accreditation_covers_no_more_than_it_states(world, issuer, credential, knowledge, changes, code):
    """Jurisdiction, type and period each refuse under the issuer's check."""
    policy = Policy(accreditations=(world.accreditation(issuer, **changes),), logs=(world.log_policy,))
    check(world.verifier(policy, knowledge).check(credential), "issuer", code)


def test_validity_is_judged_at_the_moment_asked_about(world, issuer, verifier):
    """Before its start, after its end; ``at`` decides, not ``now``."""
    from vcid.orders import Order

    order = Order(key="short", record=birth(3), valid_until=START + timedelta(days=30))
    (issued,) = issuer.issue_many([order])
    assert verifier.check(issued.credential)
    check(verifier.check(issued.credential, at=START + timedelta(days=31)), "period", "expired")
    early = verifier.check(issued.credential, at=START - timedelta(days=1))
    check(early, "period", "not-yet-valid")
    check(early, "proof", "created-in-future")


def test_a_document_outside_its_schema_is_refused_though_it_is_signed(world, issuer, knowledge):
    """The issuer's own key over a subject that the schema does not allow."""
    subject = parse_object(issuer.issue(birth(4), key="schema").content)["credentialSubject"]
    document = signed(world, issuer._signer, issuer.did, credentialSubject={**subject, "sexAtBirth": "other"})
    report = world.verifier(world.policy(issuer), knowledge).check(document)
    assert report["proof"].outcome is Outcome.PASSED
    assert check(
        report, "schema", "not-allowed" if report["schema"].code == "not-allowed" else report["schema"].code
    )
    assert report["schema"].outcome is Outcome.FAILED


def test_a_document_outside_the_model_makes_no_claims(world, issuer, verifier):
    """Its claims are not examined, and its document is not given back."""
    document = signed(world, issuer._signer, issuer.did, validFrom="yesterday")
    report = verifier.check(document)
    assert report["model"].outcome is Outcome.FAILED
    assert report["status"].outcome is Outcome.SKIPPED
    assert report.document is None


def test_a_did_key_is_its_own_document(world, knowledge):
    """A document handed in beside a did:key, with a forger's key in it, changes nothing."""
    signer, forger = LocalSigner.generate(), LocalSigner.generate()
    did = did_key(signer.public_key)
    document = did_document(did, [signer.public_key, forger.public_key])
    lied_to = replace(
        knowledge, did_documents={**knowledge.did_documents, did: Anchored(canonicalize(document))}
    )
    forged = signed(world, forger, did)
    policy = Policy(logs=(world.log_policy,))
    check(world.verifier(policy, lied_to).check(forged), "key", "unknown-method")


@pytest.mark.parametrize(
    ("name_key", "resolver"), [(did_key, DidKeyResolver()), (did_jwk, DidJwkResolver())], ids=["key", "jwk"]
)
def test_a_did_that_is_its_own_document_needs_none_known(name_key, resolver):
    """Nor one that is the newest: only its lists are anchored. Of any other DID the document has to be known."""
    world, signer = World(), LocalSigner.generate()
    did = name_key(signer.public_key)
    document = resolver.resolve(did).content
    itself = world.issuer(did, signer=signer, registry=world.registry("itself"), document=document)
    itself.publish()
    credential = itself.issue(birth(1), key="by-itself")
    knowledge = world.knowledge(itself)
    policy = Policy(
        accreditations=(world.accreditation(itself, document_digest=bytes(32)),), logs=(world.log_policy,)
    )
    assert world.verifier(policy, knowledge).check(credential), "a pin and a copy decide nothing"
    bare = replace(knowledge, did_documents={})
    assert world.verifier(policy, bare).check(credential)
    listless = replace(bare, status_lists={})
    check(world.verifier(policy, listless).check(credential), "status", "status-list-missing")


def test_each_accreditation_has_its_own_pin(world, issuer, credential, knowledge):
    """A pin of another accreditation of the same issuer, or the lack of one, lends it nothing."""
    other = world.accreditation(
        issuer,
        credential_types=frozenset({"Other"}),
        document_digest=knowledge.did_documents[issuer.did].digest,
    )
    wrong = world.accreditation(issuer, document_digest=bytes(32))
    policy = Policy(accreditations=(other, wrong), logs=(world.log_policy,))
    report = world.verifier(policy, knowledge).check(credential)
    check(report, "key", "did-document-swapped")
    assert report.document is None
    right = world.accreditation(issuer)
    both = Policy(accreditations=(wrong, right), logs=(world.log_policy,))
    assert world.verifier(both, knowledge).check(credential), "one whose pin is met suffices"


def test_a_credential_can_not_go_without_the_schema_of_its_type(world, issuer, knowledge):
    """Whatever it names: claims that its type doesn't have are found."""
    subject = parse_object(issuer.issue(birth(5), key="own-schema").content)["credentialSubject"]
    bare = signed(
        world, issuer._signer, issuer.did, credentialSubject={**subject, "permittedActs": ["relocate"]}
    )
    bare.pop("credentialSchema")
    bare.pop("proof")
    options = ProofOptions(
        verification_method=f"{issuer.did}#{issuer.owner.multikey}", created=world.clock.now
    )
    document = add_proof(bare, issuer._signer, options, contexts=Contexts.carried())
    report = world.verifier(world.policy(issuer), knowledge).check(document)
    assert check(report, "schema", "unknown-field").outcome is Outcome.FAILED


def test_a_schema_named_so_that_it_can_not_be_evaluated_frees_from_nothing(world, issuer, knowledge):
    """The type's own schema is evaluated even if the credential names it under a type nobody reads."""
    subject = parse_object(issuer.issue(birth(6), key="renamed").content)["credentialSubject"]
    schema = {
        "id": "https://w3id.org/vcid/schemas/birth-registration/v1.json",
        "type": "https://schemas.example/UnknownSchema",
    }
    for changes in ({}, {"birthDateBasis": "guessed"}):
        credential = signed(
            world,
            issuer._signer,
            issuer.did,
            credentialSubject={**subject, **changes},
            credentialSchema=schema,
        )
        tolerant = world.policy(issuer, tolerated=frozenset({"schema"}))
        report = world.verifier(tolerant, knowledge).check(credential)
        assert report["schema"].outcome is (Outcome.FAILED if changes else Outcome.UNKNOWN)


def test_accreditations_of_one_issuer_are_judged_apart(world, issuer, credential, knowledge):
    """What was judged for one owner of ledger entries is not remembered for another."""
    births = world.accreditation(issuer, credential_types=frozenset({"BirthRegistrationCredential"}))
    others = world.accreditation(
        issuer, credential_types=frozenset({"Other"}), owner=LocalSigner.generate().public_key
    )
    types = ["VerifiableCredential", "https://other.example/Other"]
    other = signed(world, issuer._signer, issuer.did, type=types)
    policy = Policy(
        accreditations=(
            births,
            replace(others, credential_types=frozenset(types[1:]), jurisdictions=frozenset({"*"})),
        ),
        logs=(world.log_policy,),
    )
    verifier = world.verifier(policy, knowledge)
    for _ in range(2):
        assert verifier.check(credential)
        assert verifier.check(other)["anchor"].code == "invalid"


# Status and anchor


@pytest.fixture
def town():
    """A world of its own, for what changes it: issuer, credential, knowledge, policy."""
    world = World()
    issuer = world.issuer()
    issuer.publish()
    return world, issuer, issuer.issue(birth(), key="good")


def test_a_revoked_credential_is_refused_after_publication(town):
    """Revoked and published: refused. The others stay."""
    world, issuer, credential = town
    other = issuer.issue(birth(2), key="other")
    policy = world.policy(issuer)
    assert world.verifier(policy, world.knowledge(issuer)).check(credential)
    issuer.revoke(key="good")
    world.clock.advance(days=1)
    issuer.publish()
    verifier = world.verifier(policy, world.knowledge(issuer))
    check(verifier.check(credential), "status", "revoked")
    assert verifier.check(other)


def old_lists_in_new_knowledge(world, issuer):
    """Yesterday's status lists, under their own signed entries, in today's knowledge."""
    before = world.knowledge(issuer)
    issuer.revoke(key="good")
    world.clock.advance(days=1)
    issuer.publish()
    now = world.knowledge(issuer)
    lists = {
        name: Anchored(old.content, old.entry, now.status_lists[name].receipt)
        for name, old in before.status_lists.items()
    }
    return before, replace(now, status_lists=lists)


def test_an_old_status_list_is_superseded_once_the_new_checkpoint_is_known(town):
    """The list says nothing of the revocation, but the ledger says that it is not the newest."""
    world, issuer, credential = town
    _, mixed = old_lists_in_new_knowledge(world, issuer)
    report = world.verifier(world.policy(issuer), mixed).check(credential)
    assert report["status"].outcome is Outcome.PASSED
    check(report, "anchor", "superseded")
    assert report.conclusion is Conclusion.UNDECIDED
    assert report.fresh_as_of is None


def test_an_old_list_without_its_entry_is_not_anchored(town):
    """Nobody can say that it ever was; it is refused all the same."""
    world, issuer, credential = town
    _, mixed = old_lists_in_new_knowledge(world, issuer)
    lists = {name: replace(it, entry=None) for name, it in mixed.status_lists.items()}
    report = world.verifier(world.policy(issuer), replace(mixed, status_lists=lists)).check(credential)
    check(report, "anchor", "not-anchored")


def test_an_old_list_with_its_old_receipt_does_not_pass(town):
    """A receipt counts at the view's own checkpoint and nowhere else."""
    world, issuer, credential = town
    before, mixed = old_lists_in_new_knowledge(world, issuer)
    report = world.verifier(world.policy(issuer), replace(mixed, status_lists=before.status_lists)).check(
        credential
    )
    assert report["status"].outcome is Outcome.PASSED
    check(report, "anchor", "receipt-older-than-view")


def test_old_knowledge_is_a_rollback_for_whom_saw_newer(town):
    """The whole folder of yesterday, shown to a verifier that remembers today."""
    world, issuer, credential = town
    before, _ = old_lists_in_new_knowledge(world, issuer)
    policy = world.policy(issuer)
    world.verifier(policy, world.knowledge(issuer)).check(credential)
    report = world.verifier(policy, before).check(credential)
    check(report, "anchor", "rollback")


def test_another_log_of_the_same_name_is_a_fork(town):
    """The operator's key and witness sign a second history: the remembered view contradicts it."""
    world, issuer, credential = town
    policy = world.policy(issuer)
    assert world.verifier(policy, world.knowledge(issuer)).check(credential)
    twin = World()
    twin.log_key, twin.witness_key = world.log_key, world.witness_key
    from vcid.ledger.log import Ledger
    from vcid.ledger.notes import NoteKey, SignatureType
    from vcid.ledger.witness import ReplayingWitness
    from world import ORIGIN

    log = NoteKey(ORIGIN, SignatureType.ED25519, world.log_key.public_key)
    witness = ReplayingWitness.open(
        "sqlite://", name="witness.example", signer=world.witness_key, logs=[log], clock=world.clock
    )
    twin.ledger = Ledger.open("memory:", origin=ORIGIN, signer=world.log_key, witnesses=[witness])
    twin_issuer = twin.issuer(signer=issuer._signer)
    twin_issuer.publish()
    forged = twin_issuer.issue(birth(), key="good")
    report = world.verifier(policy, twin.knowledge(twin_issuer)).check(forged)
    check(report, "anchor", "fork")


def test_stale_evidence_is_unknown_and_not_failed(verifier, world, issuer, credential, knowledge):
    """Thirty days later nobody can say; the policy's maximum age is the border."""
    for days, conclusion in (
        (7, Conclusion.VERIFIED),
        (7.001, Conclusion.UNDECIDED),
        (30, Conclusion.UNDECIDED),
    ):
        later = Surroundings(clock=lambda days=days: START + timedelta(days=days))
        report = world.verifier(world.policy(issuer), knowledge, surroundings=later).check(credential)
        assert report.conclusion is conclusion
    assert report["anchor"].code == "stale"
    with pytest.raises(Undecided):
        world.verifier(world.policy(issuer), knowledge, surroundings=later).verify(credential)


def test_a_list_past_its_validity_is_unknown(world, issuer, credential, knowledge):
    """Ninety days later, even where stale evidence is tolerated."""
    later = Surroundings(clock=lambda: START + timedelta(days=91))
    policy = world.policy(issuer, max_evidence_age=timedelta(days=400))
    report = world.verifier(policy, knowledge, surroundings=later).check(credential)
    check(report, "status", "status-list-expired")
    assert report.conclusion is Conclusion.UNDECIDED


def test_a_clock_a_year_behind_does_not_pass(world, issuer, credential, knowledge):
    """Evidence from the future means that the clock is wrong: nothing is dated, nothing passes."""
    early = Surroundings(clock=lambda: START - timedelta(days=365))
    report = world.verifier(world.policy(issuer), knowledge, surroundings=early).check(credential)
    assert report["anchor"].outcome is Outcome.UNKNOWN
    assert not report


@pytest.mark.parametrize("seconds", [-60, -200, 60])
def test_a_clock_a_little_off_does(world, issuer, credential, knowledge, seconds):
    """A phone's clock need not be exact."""
    off = Surroundings(clock=lambda: START + timedelta(seconds=seconds))
    assert world.verifier(world.policy(issuer), knowledge, surroundings=off).check(credential)


@pytest.mark.parametrize(
    ("part", "name", "code"),
    [
        ("status_lists", "status", "status-list-missing"),
        ("did_documents", "key", "notFound"),
        ("logs", "anchor", "no-checkpoint"),
    ],
)
def test_what_is_missing_from_knowledge_is_unknown(town, part, name, code):
    """Taking anything out of knowledge never makes a credential pass, nor calls it false."""
    world, issuer, credential = town
    lacking = replace(world.knowledge(issuer), **{part: {}})
    report = world.verifier(world.policy(issuer), lacking).check(credential)
    check(report, name, code)
    assert report.conclusion is Conclusion.UNDECIDED


def test_without_a_view_store_a_rollback_can_not_be_ruled_out(world, issuer, credential, knowledge):
    """Unknown by its own code, which a policy may tolerate by name."""
    check(
        world.verifier(world.policy(issuer), knowledge, views=None).check(credential),
        "anchor",
        "no-view-store",
    )
    tolerant = world.policy(issuer, tolerated=frozenset({"anchor:no-view-store"}))
    assert world.verifier(tolerant, knowledge, views=None).check(credential)


def test_evidence_without_enough_witnesses_is_not_enough(world, issuer, credential, knowledge):
    """A quorum of two, one cosignature."""
    other = LocalSigner.generate().public_key
    log = replace(
        world.log_policy, witnesses=(*world.log_policy.witnesses, ("other.example", other)), quorum=2
    )
    report = world.verifier(world.policy(issuer, logs=(log,)), knowledge, views=MemoryViewStore()).check(
        credential
    )
    check(report, "anchor", "quorum")


def test_a_view_store_that_can_not_be_used_leaves_it_open(world, issuer, credential, knowledge):
    """A locked or damaged memory is reported, not raised."""

    class Broken:
        def load(self, origin):
            raise Unavailable("locked")

    check(
        world.verifier(world.policy(issuer), knowledge, views=Broken()).check(credential),
        "anchor",
        "view-store",
    )


@pytest.mark.parametrize("content", [b"<html>", b"[]", b"{}", b"[" * 9999])
def test_knowledge_that_is_no_document_is_reported(world, issuer, credential, knowledge, content):
    """Whatever stands where a list or a DID document should."""
    lists = {name: replace(it, content=content) for name, it in knowledge.status_lists.items()}
    report = world.verifier(world.policy(issuer), replace(knowledge, status_lists=lists)).check(credential)
    check(report, "status", "status-list-malformed")
    dids = {name: replace(it, content=content) for name, it in knowledge.did_documents.items()}
    unpinned = Policy(
        accreditations=(world.accreditation(issuer, document_digest=None),), logs=(world.log_policy,)
    )
    report = world.verifier(unpinned, replace(knowledge, did_documents=dids)).check(credential)
    check(report, "key", "invalidDidDocument")


def test_a_log_key_that_changed_under_a_remembered_view_is_reported(world, issuer, credential, knowledge):
    """The policy names another key; the note in the memory is the same as ever."""
    assert world.verifier(world.policy(issuer), knowledge).check(credential)
    changed = replace(world.log_policy, log_key=LocalSigner.generate().public_key)
    report = world.verifier(world.policy(issuer, logs=(changed,)), knowledge).check(credential)
    check(report, "anchor", "invalid")


def test_without_a_memory_what_contradicts_is_still_found(world, issuer, knowledge):
    """Tolerating the lack of a view store lends nothing to a DID document that nobody anchored."""
    forger = LocalSigner.generate()
    forged = signed(world, forger, issuer.did)
    document = Anchored(canonicalize(did_document(issuer.did, [forger.public_key])))
    unpinned = Policy(
        accreditations=(world.accreditation(issuer, document_digest=None),),
        logs=(world.log_policy,),
        tolerated=frozenset({"anchor:no-view-store", "anchor:stale"}),
    )
    lied_to = replace(knowledge, did_documents={issuer.did: document})
    report = world.verifier(unpinned, lied_to, views=None).check(forged)
    check(report, "anchor", "no-receipt")


def test_a_strangers_document_is_not_evaluated_at_length(world, issuer, knowledge):
    """Twenty schemas over thousands of names cost nothing before the proof and the issuer are known."""
    schema = {"id": "https://w3id.org/vcid/schemas/birth-registration/v1.json", "type": "JsonSchema"}
    document = parse_object(issuer.issue(birth(6), key="long").content)
    document["credentialSchema"] = [schema] * 20
    document["credentialSubject"]["names"] = [{"full": "x"}] * 4000
    report = world.verifier(world.policy(issuer), knowledge).check(document)
    assert report["schema"].outcome is Outcome.SKIPPED
    check(report, "proof", "bad-signature")


def test_entries_by_another_owner_do_not_anchor(world, issuer, credential, knowledge):
    """The topic is bound to the key that the policy names."""
    stranger = world.accreditation(issuer, owner=LocalSigner.generate().public_key)
    policy = Policy(accreditations=(stranger,), logs=(world.log_policy,))
    report = world.verifier(policy, knowledge).check(credential)
    check(report, "anchor", "invalid")


def test_a_policy_of_two_logs_wants_the_issuers_named(world, issuer, credential, knowledge):
    """Else the operator of one log could show an old state of the other's entries."""
    second = replace(World().log_policy, origin="log.example/second")
    policy = world.policy(issuer, logs=(world.log_policy, second))
    check(world.verifier(policy, knowledge).check(credential), "anchor", "no-log")
    named = world.accreditation(issuer, log=world.log_policy.origin)
    assert world.verifier(replace(policy, accreditations=(named,)), knowledge).check(credential)
    wrong = world.accreditation(issuer, log=second.origin)
    report = world.verifier(replace(policy, accreditations=(wrong,)), knowledge).check(credential)
    check(report, "anchor", "no-checkpoint")


def status(**changes):
    return {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": "https://civil.example/status/unknown",
        **changes,
    }


@pytest.mark.parametrize(
    ("entries", "code", "outcome"),
    [
        ([], "no-status", Outcome.UNKNOWN),
        ([status()], "status-list-missing", Outcome.UNKNOWN),
        (
            [{"id": "https://status.example/7", "type": "https://status.example/Other"}],
            "unknown-status-type",
            Outcome.UNKNOWN,
        ),
        ([status(statusListIndex="-1")], "malformed-value-error", Outcome.FAILED),
        ([status(statusListIndex=7)], "malformed-value-error", Outcome.FAILED),
    ],
)
def test_status_entries_that_can_not_be_read(world, issuer, verifier, entries, code, outcome):
    """No entry, an unknown list, an unknown type: unknown. A malformed entry: failed. Never skipped."""
    document = signed(world, issuer._signer, issuer.did)
    unsecured = {name: value for name, value in document.items() if name not in ("proof", "credentialStatus")}
    if entries:
        unsecured["credentialStatus"] = entries
    options = ProofOptions(
        verification_method=f"{issuer.did}#{issuer.owner.multikey}", created=world.clock.now
    )
    secured = add_proof(unsecured, issuer._signer, options, contexts=Contexts.carried())
    report = verifier.check(secured)
    assert (report["status"].code, report["status"].outcome) == (code, outcome)


def test_an_index_outside_the_list_and_a_purpose_that_is_not_the_lists(world, issuer, verifier, knowledge):
    """Out of range is the credential's fault; a list of another purpose can't answer."""
    list_id = revocations(knowledge)
    for changes, code in (
        ({"statusListIndex": "999999999"}, "status-index"),
        ({"statusPurpose": "suspension"}, "status-list-malformed"),
    ):
        entry = status(statusListCredential=list_id, **changes)
        report = verifier.check(signed(world, issuer._signer, issuer.did, credentialStatus=entry))
        check(report, "status", code)


def revocations(knowledge):
    """The URL of the list of revocations."""
    (url,) = (
        url for url, it in knowledge.status_lists.items() if b'"statusPurpose":"revocation"' in it.content
    )
    return url


def forged_list(knowledge, change):
    list_id = revocations(knowledge)
    document = parse_object(knowledge.status_lists[list_id].content)
    change(document)
    anchored = replace(knowledge.status_lists[list_id], content=canonicalize(document))
    return replace(knowledge, status_lists={**knowledge.status_lists, list_id: anchored})


@pytest.mark.parametrize(
    "change",
    [
        lambda it: it["credentialSubject"].update(statusPurpose="suspension"),
        lambda it: it.pop("proof"),
        lambda it: it.update(issuer="did:web:court.example"),
        lambda it: it.update(type=["VerifiableCredential"]),
        lambda it: it.pop("credentialSubject"),
        lambda it: it["proof"].update(cryptosuite="ecdsa-jcs-2019"),
    ],
)
def test_a_list_that_was_tampered_with_says_nothing(world, issuer, credential, knowledge, change):
    """Its proof no longer holds: the status is unknown, and its anchor fails besides."""
    report = world.verifier(world.policy(issuer), forged_list(knowledge, change)).check(credential)
    assert report["status"].outcome is Outcome.UNKNOWN
    assert report["anchor"].code == "invalid"
    assert not report


def test_a_list_by_another_issuer_counts_only_if_that_one_is_accredited_for_lists(credential):
    """The court signs a list under the registry's URL: refused, until the policy accredits it for lists."""
    world = World()
    registry, court = world.issuer(), world.issuer(COURT, registry=World().registry())
    registry.publish()
    court.publish()
    theirs = registry.issue(birth(), key="a")
    entry = registry._registry.find(key="a").entries[1]
    assert entry.purpose == "revocation"
    from vcid.knowledge import Published
    from vcid.ledger.entries import Entry, Kind
    from vcid.status.bitstring import StatusList
    from vcid.status.registry import ListSnapshot

    snapshot = ListSnapshot(
        list_id=entry.list_id, purpose="revocation", seq=0, bits=StatusList.from_indices([], length=131072)
    )
    content = court._office.desk.write_list(snapshot)
    import hashlib

    world.ledger.append(
        [
            Entry.sign(
                court._signer,
                kind=Kind.STATUS_LIST,
                list_id=entry.list_id,
                seq=0,
                digest=hashlib.sha256(content).digest(),
            )
        ]
    )
    world.ledger.publish()
    others = [
        it
        for it in (*registry.published(), *court.published())
        if it.kind is Kind.DID_DOCUMENT or (it.id != entry.list_id and it.owner == registry.owner)
    ]
    list_by_court = Published(kind=Kind.STATUS_LIST, id=entry.list_id, owner=court.owner, content=content)
    knowledge = Knowledge.gather(world.ledger, [*others, list_by_court])
    report = world.verifier(world.policy(registry, court), knowledge).check(theirs)
    check(report, "status", "status-list-issuer")
    entitled = world.accreditation(court, credential_types=frozenset({"BitstringStatusListCredential"}))
    unnamed = Policy(accreditations=(world.accreditation(registry), entitled), logs=(world.log_policy,))
    check(world.verifier(unnamed, knowledge).check(theirs), "status", "status-list-issuer")
    naming = world.accreditation(registry, status_issuers=frozenset({COURT}))
    unentitled = replace(unnamed, accreditations=(naming, world.accreditation(court)))
    check(world.verifier(unentitled, knowledge).check(theirs), "status", "status-list-issuer")
    assert world.verifier(replace(unnamed, accreditations=(naming, entitled)), knowledge).check(theirs)


# Bad input


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[]",
        b'{"a":1,"a":2}',
        b'{"a":NaN}',
        b"\xff",
        b"[" * 100_000,
        b" " * (1 << 20) + b"{}",
    ],
)
def test_what_is_no_json_object_fails_to_parse(verifier, content):
    """One failed check, the rest skipped, nothing raised."""
    report = verifier.check(content)
    assert report["parse"].outcome is Outcome.FAILED
    assert report.conclusion is Conclusion.REJECTED
    assert {check.outcome for check in report.checks} == {Outcome.FAILED, Outcome.SKIPPED}


def test_another_media_type_is_not_read(verifier, credential):
    """A credential in a format that is not read here is refused by name."""
    check(
        verifier.check(Credential("application/vc+sd-jwt", credential.content)),
        "parse",
        "unsupported-media-type",
    )


@pytest.mark.parametrize("thing", [None, 7, [], memoryview(b"{}")])
def test_what_is_no_credential_at_all_is_misuse(verifier, thing):
    """A caller's mistake, not a stranger's."""
    with pytest.raises(TypeError):
        verifier.check(thing)


def test_a_moment_without_a_zone_is_misuse(verifier, credential):
    """The caller has to say which time zone."""
    with pytest.raises(ValueError):
        verifier.check(credential, at=datetime(2026, 3, 1))
    with pytest.raises(ValueError):
        verifier.check(credential, at=datetime(2026, 3, 1, tzinfo=UTC).replace(tzinfo=None))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=8) | st.just("https://example.org/x"),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=10,
)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_member_may_be_anything_and_nothing_is_raised(verifier, credential, data):
    """A good credential with one member, at any depth, replaced or removed is reported, never raised."""
    document = json.loads(credential.content)
    place = document
    while True:
        key = data.draw(st.sampled_from(sorted(place)))
        if isinstance(place[key], dict) and place[key] and data.draw(st.booleans()):
            place = place[key]
            continue
        break
    if data.draw(st.booleans()):
        place[key] = data.draw(json_values)
    else:
        del place[key]
    report = verifier.check(document)
    if report:
        assert json.loads(credential.content) == document


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()))
def test_arbitrary_input_is_reported_never_raised(verifier, content):
    """Whatever the bytes, a report comes back and it is not true."""
    assert not verifier.check(content)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 5000), bit=st.integers(0, 7))
def test_one_flipped_bit_never_verifies_to_something_else(verifier, credential, place, bit):
    """Flip any bit of the canonical text: it is refused."""
    content = bytearray(credential.content)
    content[place % len(content)] ^= 1 << bit
    report = verifier.check(bytes(content))
    assert not report


def test_no_report_names_the_child(verifier, world, issuer, credential):
    """Neither the text nor the JSON of any report, good or bad, holds a person's data."""
    documents = [
        credential.content,
        credential.content.replace(b"Amina Example", b"Amina \\u202eExample"),
        credential.content.replace(b'"full":"Amina Example"', b'"Amina Example":"full"'),
        credential.content.replace(b'"names":', b'"Amina":1,"Amina":2,"names":'),
        credential.content.replace(b'"full"', b'"Amina"'),
    ]
    assert len(set(documents)) == len(documents)
    for content in documents:
        report = verifier.check(content)
        assert "Amina" not in str(report) + repr(report) + json.dumps(report.to_json())
    assert "Amina" not in repr(verifier.verify(credential))


def test_a_verifier_is_safe_across_threads(world, issuer, credential, knowledge):
    """Eight threads share one verifier: good stays good, bad stays bad."""
    from concurrent.futures import ThreadPoolExecutor

    verifier = Verifier(
        world.policy(issuer), knowledge, views=world.views, surroundings=Surroundings(clock=world.clock)
    )
    bad = credential.content.replace(b"Amina", b"Bmina")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda n: bool(verifier.check(bad if n % 2 else credential)), range(400)))
    assert answers == [n % 2 == 0 for n in range(400)]


def test_a_verifier_is_let_go_of_with_its_last_name(world, issuer, credential, knowledge):
    """Nothing in it holds on to it, so that its memory of views is closed then and not at some later time."""
    verifier = world.verifier(world.policy(issuer), knowledge)
    assert verifier.check(credential)
    verifier.check_presentation({}, challenge="c-1", domain="school.example")
    gone = weakref.ref(verifier)
    gc.disable()
    try:
        del verifier
        assert gone() is None
    finally:
        gc.enable()

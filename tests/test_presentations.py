"""Presentations: who shows what to whom is proven, and whatever is not exactly that is refused."""

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from presenting import CHALLENGE, DEMANDED, DOMAIN, Family, person, proven, shown
from vcid.credentials.envelopes import Presentation
from vcid.credentials.model import Credential
from vcid.dids.documents import did_document
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType, encode_multibase
from vcid.errors import Rejected, Undecided
from vcid.holder import Holder
from vcid.keys.jwk import encode_jwk
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Anchored
from vcid.report import CheckName, Conclusion, Outcome
from world import birth

FORMS = ["application/vp", "application/vp+jwt"]


@pytest.fixture(scope="module")
def family():
    family = Family()
    _ = family.birth, family.token, family.guardianship
    return family


@pytest.fixture(scope="module")
def verifier(family):
    return family.verifier()


def refused(report, name, code, conclusion=Conclusion.REJECTED):
    """The presentation itself has this reason under this check."""
    assert report.conclusion is conclusion, str(report)
    assert report[name].code == code, str(report)


# What passes


@pytest.mark.parametrize("media_type", FORMS)
def test_credentials_of_every_form_are_shown_together(family, verifier, media_type):
    """Embedded proofs and tokens within either kind of presentation, each with a report of its own."""
    presented = family.child.present([family.birth, family.token], media_type=media_type, **DEMANDED)
    report = verifier.check_presentation(presented, **DEMANDED)
    assert report, str(report)
    assert [check.name for check in report.checks] == ["parse", "model", "key", "proof", "holder"]
    assert [one[CheckName.HOLDER].outcome for one in report.credentials] == [Outcome.PASSED] * 2
    assert report.holder == family.child.did
    assert report.fresh_as_of == family.world.clock.now


@pytest.mark.parametrize(
    ("key_type", "suite"),
    [
        (KeyType.ED25519, "eddsa-rdfc-2022"),
        (KeyType.P256, None),
        (KeyType.P384, None),
        (KeyType.P256, "ecdsa-rdfc-2019"),
    ],
)
def test_holders_sign_with_every_suite(family, verifier, key_type, suite):
    """The suite follows the key, or the holder's choice."""
    holder = person(family.world, key_type, cryptosuite=suite)
    credential = family.issuer.issue(birth(3), key=f"{key_type}{suite}", child_did=holder.did)
    for credentials in ([credential], [credential, family.as_token(credential.unverified_document)]):
        presented = holder.present(credentials, **DEMANDED)
        assert verifier.check_presentation(presented, **DEMANDED)


@pytest.mark.parametrize("key_type", [KeyType.P256, KeyType.P384, KeyType.P521])
def test_holders_sign_tokens_with_every_curve(family, verifier, key_type):
    """ES256, ES384 and ES512."""
    holder = person(family.world, key_type)
    credential = family.issuer.issue(birth(3), key=f"token{key_type}", child_did=holder.did)
    presented = holder.present([credential], media_type="application/vp+jwt", **DEMANDED)
    assert verifier.check_presentation(presented, **DEMANDED)


@pytest.mark.parametrize("media_type", FORMS)
def test_a_presentation_may_come_as_object_bytes_text_or_in_its_envelope(family, verifier, media_type):
    """The same conclusion, whatever form it came in."""
    presented = family.child.present([family.birth], media_type=media_type, **DEMANDED)
    forms = [presented, presented.content, presented.content.decode()]
    if media_type == "application/vp":
        forms.append(parse_object(presented.content))
    else:
        forms.append(
            {
                "@context": "https://www.w3.org/ns/credentials/v2",
                "type": "EnvelopedVerifiablePresentation",
                "id": f"data:application/vp+jwt,{presented.content.decode()}",
            }
        )
    for form in forms:
        assert verifier.check_presentation(form, **DEMANDED)


def test_verified_credentials_are_what_their_proofs_cover(family, verifier):
    """Documents, holder and report; nothing that was received."""
    presented = family.child.present([family.birth, family.token], **DEMANDED)
    verified = verifier.verify_presentation(presented, **DEMANDED)
    assert verified.holder == family.child.did
    assert [one.subject["registration"]["number"] for one in verified.credentials] == ["R-1", "R-2"]
    assert all("proof" not in one.document for one in verified.credentials)
    assert family.child.did not in repr(verified)


def test_a_guardian_named_in_a_guardianship_is_its_holder(family, verifier):
    """She shows her own authority; the child's birth she shows as somebody other than its subject."""
    report = verifier.check_presentation(family.mother.present([family.guardianship], **DEMANDED), **DEMANDED)
    assert report, str(report)
    both = family.mother.present([family.guardianship, family.birth], **DEMANDED)
    report = verifier.check_presentation(both, **DEMANDED)
    assert report.conclusion is Conclusion.UNDECIDED
    assert [one[CheckName.HOLDER].code for one in report.credentials] == ["", "holder-not-subject"]
    tolerant = family.verifier(tolerated=frozenset({"holder:holder-not-subject"}))
    assert tolerant.check_presentation(both, **DEMANDED)


def test_a_presentation_need_not_name_its_holder(family, verifier):
    """Then it is who controls the key."""
    document = shown(family.child, family.birth)
    del document["holder"]
    report = verifier.check_presentation(proven(document, family.child), **DEMANDED)
    assert (bool(report), report.holder) == (True, family.child.did)
    document["holder"] = {"id": family.child.did}
    assert verifier.check_presentation(proven(document, family.child), **DEMANDED)


def test_one_credential_may_stand_alone(family, verifier):
    """An object in place of a list of one."""
    document = shown(family.child, family.birth)
    document["verifiableCredential"] = document["verifiableCredential"][0]
    report = verifier.check_presentation(proven(document, family.child), **DEMANDED)
    assert (bool(report), len(report.credentials)) == (True, 1)


# To whom, and in answer to what


@pytest.mark.parametrize("media_type", FORMS)
@pytest.mark.parametrize(
    ("demanded", "code"),
    [
        ({"challenge": CHALLENGE, "domain": "shop.example"}, "wrong-domain"),
        ({"challenge": CHALLENGE, "domain": DOMAIN.upper()}, "wrong-domain"),
        ({"challenge": "another", "domain": DOMAIN}, "wrong-challenge"),
    ],
)
def test_a_presentation_made_for_another_is_refused(family, verifier, media_type, demanded, code):
    """Replayed to another verifier, or to the same one at another time."""
    presented = family.child.present([family.birth], media_type=media_type, **DEMANDED)
    refused(verifier.check_presentation(presented, **demanded), "proof", code)


@pytest.mark.parametrize("name", ["challenge", "domain"])
def test_a_proof_that_names_no_challenge_or_domain_is_refused(family, verifier, name):
    """It could be shown to anybody."""
    document = proven(shown(family.child, family.birth), family.child, **{name: None})
    refused(verifier.check_presentation(document, **DEMANDED), "proof", f"wrong-{name}")


@pytest.mark.parametrize("demanded", [{"challenge": "", "domain": "d"}, {"challenge": "c", "domain": ""}])
def test_a_verifier_who_demands_nothing_is_told_so(family, verifier, demanded):
    """The caller's mistake, before anything is looked at."""
    with pytest.raises(ValueError, match="replayed"):
        verifier.check_presentation(b"", **demanded)
    with pytest.raises(TypeError):
        verifier.check_presentation(b"", challenge=None, domain="d")


@pytest.mark.parametrize(
    ("options", "name", "code"),
    [
        ({"proof_purpose": "assertionMethod"}, "proof", "wrong-purpose"),
        ({"created": None, "expires": Family().world.clock.now}, "proof", "proof-expired"),
    ],
)
def test_a_proof_of_another_purpose_or_past_its_end_is_refused(family, verifier, options, name, code):
    """An issuer's signature is no presentation, and an old answer none to a new question."""
    document = proven(shown(family.child, family.birth), family.child, **options)
    refused(verifier.check_presentation(document, **DEMANDED), name, code)


def test_a_proof_from_the_future_is_refused(family, verifier):
    """Beyond what clocks may differ; that goes for a moment before it was made as well."""
    presented = family.child.present([family.birth], **DEMANDED)
    before = family.world.clock.now - timedelta(minutes=6)
    refused(verifier.check_presentation(presented, at=before, **DEMANDED), "proof", "created-in-future")


# Who


def test_a_holder_named_by_somebody_else_is_refused(family, verifier):
    """The finder of a copy signs with a key of his own in the child's name."""
    finder = person(family.world)
    document = shown(finder, family.birth)
    document["holder"] = family.child.did
    refused(verifier.check_presentation(proven(document, finder), **DEMANDED), "holder", "key-not-of-holder")


@pytest.mark.parametrize("media_type", FORMS)
def test_the_finder_of_a_copy_is_not_its_holder(family, verifier, media_type):
    """In his own name he proves nothing about himself."""
    presented = person(family.world).present([family.birth], media_type=media_type, **DEMANDED)
    report = verifier.check_presentation(presented, **DEMANDED)
    assert report.conclusion is Conclusion.UNDECIDED
    assert report.credentials[0][CheckName.HOLDER].code == "holder-not-subject"


def test_a_holder_swapped_after_signing_is_refused(family, verifier):
    """The proof covers it."""
    document = shown(family.child, family.birth) | {"holder": family.mother.did}
    refused(verifier.check_presentation(document, **DEMANDED), "proof", "bad-signature")


def test_a_proof_in_the_name_of_another_s_key_is_refused(family, verifier):
    """Under a JCS suite and as a token."""
    mother, child = family.mother, family.child
    thief = replace(mother, did=child.did, verification_method=child.verification_method)
    for media_type in FORMS:
        presented = thief.present([family.birth], media_type=media_type, **DEMANDED)
        refused(verifier.check_presentation(presented, **DEMANDED), "proof", "bad-signature")


def test_proofs_by_several_people_are_refused(family, verifier):
    """Nobody could say who presents it."""
    from vcid.encoding.contexts import Contexts
    from vcid.securing.data_integrity import ProofOptions, add_proof

    document = shown(family.child, family.birth)
    options = ProofOptions(
        verification_method=family.mother.verification_method, proof_purpose="authentication", **DEMANDED
    )
    both = add_proof(document, family.mother.signer, options, contexts=Contexts.carried())
    assert len(both["proof"]) == 2
    report = verifier.check_presentation(both, **DEMANDED)
    refused(report, "holder", "several-holders")
    assert report.holder is None


def test_a_did_jwk_is_its_own_document(family, verifier):
    """As wallets of the European Union name their holders; one handed in beside it is not looked at."""
    signer = LocalSigner.generate(KeyType.P256)
    did = f"did:jwk:{encode_multibase(canonicalize(encode_jwk(signer.public_key)), 'u')[1:]}"
    holder = Holder(did, signer, verification_method=f"{did}#0", clock=family.world.clock)
    credential = family.issuer.issue(birth(5), key="did:jwk", child_did=did)
    for media_type in FORMS:
        presented = holder.present([credential], media_type=media_type, **DEMANDED)
        assert verifier.check_presentation(presented, **DEMANDED)
    thief = replace(holder, signer=LocalSigner.generate(KeyType.P256))
    presented = thief.present([credential], **DEMANDED)
    refused(verifier.check_presentation(presented, **DEMANDED), "proof", "bad-signature")


def known(family, document):
    """What the verifier knows, with somebody's DID document among it."""
    knowledge = family.world.knowledge(family.issuer)
    documents = {**knowledge.did_documents, document["id"]: Anchored(content=canonicalize(document))}
    return replace(knowledge, did_documents=documents)


def test_a_holder_whose_document_nothing_anchors_is_unknown(family):
    """Whoever fills the folder of knowledge could put any key there; a policy may trust that folder."""
    signer = LocalSigner.generate()
    holder = Holder("did:web:mother.example", signer, clock=family.world.clock)
    credential = family.issuer.issue(birth(4), key="did:web", child_did=holder.did)
    presented = holder.present([credential], **DEMANDED)
    knowledge = known(family, did_document(holder.did, [signer.public_key]))
    world, issuer = family.world, family.issuer
    report = world.verifier(world.policy(issuer), knowledge).check_presentation(presented, **DEMANDED)
    refused(report, "holder", "holder-unanchored", Conclusion.UNDECIDED)
    tolerant = world.policy(issuer, tolerated=frozenset({"holder:holder-unanchored"}))
    assert world.verifier(tolerant, knowledge).check_presentation(presented, **DEMANDED)


def test_a_holder_who_is_an_accredited_authority_is_pinned(family):
    """Its document is what the policy pins, or the key is nobody's."""
    office = Holder(family.issuer.did, family.registrar, clock=family.world.clock)
    presented = office.present([family.birth], **DEMANDED)
    report = family.verifier().check_presentation(presented, **DEMANDED)
    assert report["holder"].outcome is Outcome.PASSED
    other = LocalSigner.generate()
    swapped = known(family, did_document(office.did, [other.public_key]))
    verifier = family.world.verifier(family.world.policy(family.issuer), swapped)
    presented = replace(office, signer=other, verification_method="").present([family.birth], **DEMANDED)
    report = verifier.check_presentation(presented, **DEMANDED)
    refused(report, "key", "did-document-swapped")
    assert (report.holder, report.document) == (None, None)


def test_a_holder_of_whom_nothing_is_known_is_unknown(family, verifier):
    """A did:web that was never handed in."""
    holder = Holder("did:web:stranger.example", LocalSigner.generate(), clock=family.world.clock)
    presented = holder.present([family.birth], **DEMANDED)
    refused(verifier.check_presentation(presented, **DEMANDED), "key", "notFound", Conclusion.UNDECIDED)


# What


def test_the_credentials_are_judged_each_for_itself(family, verifier):
    """A forged one among good ones is named, and rejects the whole."""
    forged = parse_object(family.birth.content)
    forged["credentialSubject"]["names"][0]["full"] = "Imani Example"
    document = shown(family.child, family.token)
    document["verifiableCredential"].append(forged)
    report = verifier.check_presentation(proven(document, family.child), **DEMANDED)
    assert report.conclusion is Conclusion.REJECTED
    assert [one.conclusion for one in report.credentials] == [Conclusion.VERIFIED, Conclusion.REJECTED]
    assert "credential 2: rejected; proof: failed (bad-signature" in str(report)
    with pytest.raises(Rejected) as caught:
        verifier.verify_presentation(proven(document, family.child), **DEMANDED)
    assert caught.value.report.credentials[0].document is not None


def test_a_credential_swapped_after_signing_is_refused(family, verifier):
    """Even for another good one of the same child."""
    document = shown(family.child, family.birth)
    document["verifiableCredential"] = shown(family.child, family.token)["verifiableCredential"]
    report = verifier.check_presentation(document, **DEMANDED)
    refused(report, "proof", "bad-signature")
    assert report.credentials[0][CheckName.PROOF].outcome is Outcome.PASSED
    assert report.credentials[0][CheckName.HOLDER].code == "no-holder"


def test_a_revoked_credential_rejects_the_presentation():
    """The presentation is sound, what it shows is not."""
    family = Family()
    presented = family.child.present([family.birth], **DEMANDED)
    assert family.verifier().check_presentation(presented, **DEMANDED)
    family.issuer.revoke(credential=family.birth)
    family.issuer.publish()
    report = family.verifier().check_presentation(presented, **DEMANDED)
    assert (report.conclusion, report.reasons) == (Conclusion.REJECTED, ())
    assert report.credentials[0][CheckName.STATUS].code == "revoked"


def test_a_credential_that_only_the_holder_secures_is_refused(family, verifier):
    """A claim about oneself, which nobody vouches for."""
    own = parse_object(family.birth.content) | {"issuer": family.child.did}
    del own["proof"]
    document = shown(family.child, family.token) | {"verifiableCredential": [own]}
    report = verifier.check_presentation(proven(document, family.child), **DEMANDED)
    assert report.conclusion is Conclusion.REJECTED
    assert report.credentials[0][CheckName.PROOF].code == "proof-missing"


@pytest.mark.parametrize("media_type", ["application/vc+cose", "application/vc+sd-jwt", "text/plain"])
def test_an_envelope_that_can_not_be_opened_is_unknown(family, verifier, media_type):
    """It may hold anything, so nothing is said against it; in a presentation and alone."""
    envelope = shown(family.child, family.token)["verifiableCredential"][0]
    envelope["id"] = f"data:{media_type},abc"
    document = shown(family.child, family.birth)
    document["verifiableCredential"].append(envelope)
    report = verifier.check_presentation(proven(document, family.child), **DEMANDED)
    assert report.conclusion is Conclusion.UNDECIDED
    assert report.credentials[1][CheckName.PARSE].code == "unsupported-envelope"
    assert verifier.check(envelope).conclusion is Conclusion.UNDECIDED


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"id": "https://example.org/a"}, "not-an-envelope"),
        ({"id": None}, "not-an-envelope"),
        ({"id": "data:application/vc+jwt"}, "not-an-envelope"),
        ({"id": "data:application/vc+jwt,abc"}, "token"),
        ({"type": ["EnvelopedVerifiableCredential", "VerifiableCredential"]}, "wrong-type"),
        ({"@context": "https://www.w3.org/ns/did/v1"}, "wrong-context"),
    ],
)
def test_an_envelope_that_is_none_is_refused(family, verifier, changes, code):
    """Another URL, another type beside it, or terms of somebody else's meaning."""
    envelope = shown(family.child, family.token)["verifiableCredential"][0]
    assert verifier.check(envelope)
    report = verifier.check(envelope | changes)
    assert (report.conclusion, report["parse"].code) == (Conclusion.REJECTED, code)


def test_tokens_are_judged_like_any_credential(family, verifier):
    """Whoever signs for another, and whatever was altered, is found by the same checks."""
    assert verifier.check(family.token)
    document = parse_object(family.birth.content)
    stranger = person(family.world)
    swapped = family.as_token(document, issuer=stranger.did)
    assert verifier.check(swapped)["issuer"].code == "key-not-of-issuer"
    ended = family.as_token(document, validFrom="2026-01-01T00:00:00Z", validUntil="2026-02-01T00:00:00Z")
    assert verifier.check(ended)["period"].code == "expired"
    assert family.verifier(suites=frozenset({"eddsa-jcs-2022"})).check(family.token)["proof"].code == (
        "suite-not-allowed"
    )
    head, _, seal = family.token.content.split(b".")
    other = family.as_token(document).content.split(b".")[1]
    assert verifier.check(Credential("application/vc+jwt", b".".join([head, other, seal])))["proof"].code == (
        "bad-signature"
    )


def test_a_token_of_the_older_data_model_is_refused(family, verifier):
    """It has rules of its own for where claims stand."""
    document = parse_object(family.birth.content)
    document["@context"] = ["https://www.w3.org/2018/credentials/v1"]
    token = family.token.content.split(b".")
    from base64 import urlsafe_b64encode

    token[1] = urlsafe_b64encode(canonicalize(document | {"proof": 1})).rstrip(b"=")
    assert verifier.check(b".".join(token))["parse"].code == "secured-twice"
    del document["proof"]
    token[1] = urlsafe_b64encode(canonicalize(document)).rstrip(b"=")
    assert verifier.check(b".".join(token))["model"].outcome is Outcome.FAILED


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        (lambda good: ["https://example.org/credential"], "not-an-object"),
        (lambda good: [canonicalize(good).decode()], "not-an-object"),
        (lambda good: [good, good], "duplicate"),
        (lambda good: [good] * 21, "too-many"),
        (lambda good: [{"type": "VerifiablePresentation", "verifiableCredential": good}], None),
        (lambda good: [[good]], "not-an-object"),
        (lambda good: None, None),
    ],
)
def test_what_is_no_list_of_credentials_is_refused(family, verifier, entries, code):
    """Text, doubles, floods, and presentations within presentations."""
    document = shown(family.child, family.birth)
    document["verifiableCredential"] = entries(document["verifiableCredential"][0])
    presented_ones = [document]
    if code in ("duplicate", "too-many"):
        presented_ones.append(proven(document, family.child))
    for presented in presented_ones:
        report = verifier.check_presentation(presented, **DEMANDED)
        assert report.conclusion is Conclusion.REJECTED, str(report)
        assert report["model"].outcome is Outcome.FAILED
        assert code is None or report["model"].code == code
        assert len(report.credentials) <= 20
        assert report.document is None


def test_nothing_shown_is_undecided(family, verifier):
    """Control of a key is proven, and nothing about anybody; a policy may be content with that."""
    document = shown(family.child, family.birth)
    del document["verifiableCredential"]
    empty = proven(document, family.child)
    refused(verifier.check_presentation(empty, **DEMANDED), "holder", "no-credentials", Conclusion.UNDECIDED)
    with pytest.raises(Undecided):
        verifier.verify_presentation(empty, **DEMANDED)
    content = family.verifier(tolerated=frozenset({"holder:no-credentials"}))
    assert content.verify_presentation(empty, **DEMANDED).credentials == ()


def test_a_presentation_is_no_credential_and_the_reverse(family, verifier):
    """Neither by media type nor by type."""
    presented = family.child.present([family.birth], **DEMANDED)
    assert verifier.check(parse_object(presented.content))["model"].outcome is Outcome.FAILED
    assert verifier.check(Credential("application/vp", b"{}"))["parse"].code == "unsupported-media-type"
    refused(
        verifier.check_presentation(parse_object(family.birth.content), **DEMANDED), "model", "wrong-type"
    )
    wrong = Presentation("application/vc+jwt", family.token.content)
    refused(verifier.check_presentation(wrong, **DEMANDED), "parse", "unsupported-media-type")
    token = Presentation("application/vp+jwt", family.token.content)
    assert verifier.check_presentation(token, **DEMANDED).conclusion is Conclusion.REJECTED


def test_rdf_leaves_no_room_for_a_hidden_or_added_credential(family, verifier):
    """What an RDF signature doesn't cover, the rules of spelling and the model refuse."""
    holder = replace(family.child, cryptosuite="eddsa-rdfc-2022")
    document = shown(holder, family.birth)
    assert verifier.check_presentation(document, **DEMANDED)
    hidden = {name: value for name, value in document.items() if name != "verifiableCredential"}
    iri = "https://www.w3.org/2018/credentials#verifiableCredential"
    respelled = hidden | {iri: document["verifiableCredential"]}
    for changed in (
        hidden,
        respelled,
        document | {"verifiableCredential": [*document["verifiableCredential"], {}]},
        document | {"@context": [*document["@context"], {"x": "https://example.org/x"}]},
        document | {"verifiableCredential": shown(holder, family.token)["verifiableCredential"]},
    ):
        assert verifier.check_presentation(changed, **DEMANDED).conclusion is Conclusion.REJECTED


# Reports


def test_the_report_as_json_and_text_shows_no_one(family, verifier):
    """Conclusions, checks and credentials, without claims or the holder."""
    presented = family.mother.present([family.guardianship, family.birth], **DEMANDED)
    report = verifier.check_presentation(presented, **DEMANDED)
    written = report.to_json()
    assert written["conclusion"] == "undecided"
    assert [one["conclusion"] for one in written["credentials"]] == ["verified", "undecided"]
    for text in (str(written), str(report), repr(report), repr(presented)):
        assert "Amina" not in text
        assert family.mother.did not in text
    assert bool(report) is False
    with pytest.raises(KeyError):
        report["issuer"]


@pytest.mark.parametrize("media_type", FORMS)
def test_one_flipped_byte_fails(family, verifier, media_type):
    """In every part of what was sent: never verified, never an exception."""
    content = family.child.present([family.birth, family.token], media_type=media_type, **DEMANDED).content
    for position in range(0, len(content), max(len(content) // 60, 1)):
        changed = bytearray(content)
        changed[position] ^= 1
        report = verifier.check_presentation(Presentation(media_type, bytes(changed)), **DEMANDED)
        assert not report, position


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(), st.sampled_from([*FORMS, "application/json", "x"]))
def test_arbitrary_bytes_are_reported_never_raised(verifier, content, media_type):
    """Whatever they are said to be."""
    assert not verifier.check_presentation(Presentation(media_type, content), **DEMANDED)
    assert not verifier.check_presentation(content, **DEMANDED)
    assert not verifier.check(Credential("application/vc+jwt", content))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children, max_size=3) | st.dictionaries(st.text(), children, max_size=3),
    max_leaves=5,
)


@settings(max_examples=75, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_any_member_may_be_anything(family, verifier, data):
    """Every place of a good presentation, and of the credential in it, with any JSON in it."""
    document = shown(family.child, family.birth)
    part = data.draw(
        st.sampled_from([document, document["proof"], *document["verifiableCredential"]]), label="part"
    )
    part[data.draw(st.sampled_from(sorted(part)))] = data.draw(JSON)
    assert not verifier.check_presentation(document, **DEMANDED)


def test_large_presentations_are_refused_before_they_are_read(family, verifier):
    """A bound on the whole."""
    refused(verifier.check_presentation(b" " * (1 << 21), **DEMANDED), "parse", "too-large")


@pytest.mark.parametrize("thing", [None, 7, ["x"], object()])
def test_things_that_can_be_no_presentation_are_the_caller_s_mistake(verifier, thing):
    """A TypeError, as for credentials."""
    with pytest.raises(TypeError):
        verifier.check_presentation(thing, **DEMANDED)

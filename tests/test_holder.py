"""Holders: what they show is theirs, made for one verifier, and never more than they mean to show."""

import pickle
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from presenting import CHALLENGE, DEMANDED, DOMAIN, Family, person, shown
from vcid.credentials.envelopes import Presentation
from vcid.credentials.model import Credential
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType, encode_multibase
from vcid.errors import InvalidRecord, LimitExceeded, Malformed, ResolutionFailed
from vcid.holder import Holder, present
from vcid.keys.signing import LocalSigner
from vcid.securing.data_integrity import ProofOptions
from vcid.securing.disclosure import add_base_proof, get_restricting_pointers
from vcid.securing.jose import PRESENTATION_TOKEN, Token
from world import birth

SIGNER = LocalSigner.from_private_bytes(KeyType.P256, b"\x07" * 32)


@pytest.fixture(scope="module")
def family():
    return Family()


def test_a_presentation_names_its_holder_and_verifier(family):
    """The shape that the data model gives it, with the time of the clock that was handed in."""
    document = shown(family.child, family.birth)
    proof = document.pop("proof")
    assert proof.pop("proofValue").startswith("z")
    assert proof == {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": "DataIntegrityProof",
        "cryptosuite": "eddsa-jcs-2022",
        "proofPurpose": "authentication",
        "verificationMethod": family.child.verification_method,
        "created": "2026-03-01T12:00:00Z",
        "challenge": CHALLENGE,
        "domain": DOMAIN,
    }
    assert document == {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": family.child.did,
        "verifiableCredential": [parse_object(family.birth.content)],
    }


def test_a_token_says_the_same(family):
    """Under the names that JSON Web Tokens have for it."""
    presented = family.child.present([family.birth], media_type="application/vp+jwt", **DEMANDED)
    token = Token.parse(presented.content, PRESENTATION_TOKEN)
    assert token.header["typ"] == "vp+jwt"
    assert token.claims == {
        "iat": int(datetime(2026, 3, 1, 12, tzinfo=UTC).timestamp()),
        "aud": DOMAIN,
        "nonce": CHALLENGE,
    }
    assert token.unverified_document["holder"] == family.child.did


def test_tokens_go_in_as_envelopes(family):
    """And a secured document, such as a derived one, as it is."""
    document = shown(family.child, family.token, parse_object(family.birth.content))
    envelope, embedded = document["verifiableCredential"]
    assert envelope == {
        "@context": "https://www.w3.org/ns/credentials/v2",
        "type": "EnvelopedVerifiableCredential",
        "id": f"data:application/vc+jwt,{family.token.content.decode()}",
    }
    assert embedded == parse_object(family.birth.content)
    assert shown(family.child, envelope)["verifiableCredential"] == [envelope]


def test_the_function_does_as_the_method(family):
    """Same arguments, same bytes: signatures are deterministic."""
    presented = present([family.birth], holder=family.child, **DEMANDED)
    assert presented == family.child.present([family.birth], **DEMANDED)


def test_nothing_shows_in_a_repr(family):
    """Neither of the credentials nor of the holder's key."""
    presented = family.child.present([family.birth], **DEMANDED)
    assert repr(presented) == f"Presentation('application/vp', <{len(presented.content)} bytes>)"
    assert "LocalSigner" not in repr(family.child)
    with pytest.raises(TypeError):
        pickle.dumps(family.child)
    with pytest.raises(TypeError, match="bytes"):
        Presentation("application/vp", "text")


# What is not shown


def code_of(error, holder, *credentials, **options):
    with pytest.raises(error) as caught:
        holder.present(list(credentials), **{**DEMANDED, **options})
    return caught.value.code


@pytest.mark.parametrize("header", [b"\xd9\x5d\x00", b"\xd9\x5d\x02", b"\xd9\x5d\x04", b"\xd9\x5d\x08"])
@pytest.mark.parametrize("alone", [True, False])
def test_base_proofs_are_not_shown(family, header, alone):
    """Whoever gets one learns all claims and can show them on; whatever the proof calls its suite."""
    document = parse_object(family.birth.content)
    base = document["proof"] | {"proofValue": encode_multibase(header + b"\x80", "u")}
    document["proof"] = base if alone else [document["proof"], base]
    assert code_of(Malformed, family.child, document) == "base-proof"
    assert code_of(Malformed, family.child, family.token, Credential.from_json(document)) == "base-proof"


def test_base_proofs_are_not_shown_within_other_documents(family):
    """In whatever member they stand, however deep, and also in the payload of a token."""
    document = parse_object(family.birth.content)
    base = document["proof"] | {"proofValue": encode_multibase(b"\xd9\x5d\x00\x80", "u")}
    holding = {"id": "urn:example:other", "type": "Other", "proof": [base]}
    for member in (
        {"relatedCredential": holding},
        {"evidence": [{"type": "Other", "credential": [[holding]]}]},
        {"proof": [document["proof"], [base]]},
    ):
        assert code_of(Malformed, family.child, {**document, **member}) == "base-proof"
    terms = ["https://www.w3.org/ns/credentials/undefined-terms/v2"]
    contexts = [*document["@context"], *terms]
    token = family.as_token({**document, "@context": contexts, "relatedCredential": holding})
    assert code_of(Malformed, family.child, token) == "base-proof"


@pytest.mark.parametrize("value", ["u", "u2V", "u2V0B", "u2V0BgA", "zabc", 7, None, {}])
def test_proofs_that_are_none_or_derived_are_the_verifier_s_to_judge(family, value):
    """A derived proof goes in, and a broken one is not the holder's business."""
    document = parse_object(family.birth.content)
    document["proof"]["proofValue"] = value
    if value is None:
        del document["proof"]["proofValue"]
    assert family.child.present([document], **DEMANDED)


def test_only_secured_credentials_are_shown(family):
    """Nothing unsigned, no presentations, no text, nothing that is no credential."""
    document = parse_object(family.birth.content)
    unsigned = {name: value for name, value in document.items() if name != "proof"}
    assert code_of(Malformed, family.child, unsigned) == "not-secured"
    assert code_of(Malformed, family.child, Credential("application/vc", b"{")) == "not-json"
    assert code_of(Malformed, family.child, Credential("application/pdf", b"{}")) == "unsupported-media-type"
    assert code_of(Malformed, family.child, Credential("application/vc+jwt", b"{}")) == "token"
    nested = family.child.present([family.birth], **DEMANDED)
    with pytest.raises(InvalidRecord) as caught:
        family.child.present([parse_object(nested.content)], **DEMANDED)
    assert caught.value.errors[0].path.startswith("/verifiableCredential/0/")
    for thing in (nested, "text", b"bytes", None, 7):
        with pytest.raises(TypeError):
            family.child.present([thing], **DEMANDED)


@pytest.mark.parametrize("credentials", [[], (), "x", b"x", {}])
def test_something_has_to_be_shown(family, credentials):
    """A list of at least one."""
    with pytest.raises(ValueError, match="at least one"):
        family.child.present(credentials, **DEMANDED)
    with pytest.raises(ValueError, match="at least one"):
        family.child.present(family.birth, **DEMANDED)


def test_no_more_is_shown_than_verifiers_take(family):
    """In number and in size, in either format; and nothing twice is caught by the verifier."""
    assert code_of(LimitExceeded, family.child, *[family.birth] * 21) == "too-many"
    document = parse_object(family.birth.content)
    document["credentialSubject"]["names"][0]["full"] = "x" * 200_000
    for media_type in ("application/vp", "application/vp+jwt"):
        assert code_of(LimitExceeded, family.child, *[document] * 6, media_type=media_type) == "too-large"


@pytest.mark.parametrize("name", ["challenge", "domain"])
def test_a_presentation_is_for_somebody(family, name):
    """Neither part may be empty."""
    with pytest.raises(ValueError, match="replayed"):
        family.child.present([family.birth], **{**DEMANDED, name: ""})
    with pytest.raises(TypeError):
        family.child.present([family.birth], **{**DEMANDED, name: None})


def test_other_formats_are_refused(family):
    """By name, with those that there are."""
    with pytest.raises(ValueError, match=r"application/vp\+jwt"):
        family.child.present([family.birth], media_type="application/vc", **DEMANDED)


# Who shows


def test_a_holder_signs_with_a_key_of_its_own_did(family):
    """By a method of that DID; which one can be said."""
    signer = LocalSigner.generate()
    holder = Holder("did:web:mother.example", signer)
    assert holder.verification_method == f"did:web:mother.example#{signer.public_key.multikey}"
    named = replace(holder, verification_method="did:web:mother.example#key-1")
    assert shown(named, family.birth)["proof"]["verificationMethod"] == "did:web:mother.example#key-1"
    for wrong in ("did:web:other.example#key-1", "did:web:mother.example"):
        with pytest.raises(ValueError, match="own DID"):
            replace(holder, verification_method=wrong)
    for wrong in ("key-1", "#key-1"):
        with pytest.raises(ResolutionFailed):
            replace(holder, verification_method=wrong)
    with pytest.raises(ResolutionFailed):
        Holder("mother", signer)


def test_a_suite_has_to_fit_the_key(family):
    """And a curve without a suite signs tokens only."""
    with pytest.raises(ValueError, match="not signed with"):
        person(family.world, KeyType.P256, cryptosuite="eddsa-jcs-2022").present([family.birth], **DEMANDED)
    holder = person(family.world, KeyType.P521)
    with pytest.raises(ValueError, match="tokens only"):
        holder.present([family.birth], **DEMANDED)
    assert holder.present([family.birth], media_type="application/vp+jwt", **DEMANDED)


def test_what_is_shown_is_left_as_it_is(family):
    """Arguments are read, never changed."""
    document = parse_object(family.birth.content)
    before = canonicalize(document)
    family.child.present([document], **DEMANDED)
    assert canonicalize(document) == before
    assert Contexts.carried()


def test_what_is_derived_of_a_base_document_is_shown(family):
    """The base document itself is refused as a type and as its content; what it derives verifies."""
    issuer = family.world.issuer("did:web:sd.example", signer=SIGNER, registry=family.world.registry())
    issuer.publish()
    document = parse_object(issuer.issue(birth(), key="sd", child_did=family.child.did).content)
    del document["proof"]
    method = f"{issuer.did}#{SIGNER.public_key.multikey}"
    base = add_base_proof(
        document,
        SIGNER,
        ProofOptions(verification_method=method, cryptosuite="ecdsa-sd-2023", created=family.world.clock.now),
        mandatory_pointers=get_restricting_pointers(document),
        contexts=Contexts.carried(),
    )
    with pytest.raises(TypeError, match="derive"):
        family.child.present([base], **DEMANDED)
    assert code_of(Malformed, family.child, base.to_json()) == "base-proof"
    derived = base.derive(["/credentialSubject"], contexts=Contexts.carried())
    presented = family.child.present([derived, family.birth], **DEMANDED)
    suites = frozenset({"ecdsa-sd-2023", "ecdsa-jcs-2019", "eddsa-jcs-2022"})
    policy = family.world.policy(issuer, family.issuer, suites=suites)
    verifier = family.world.verifier(policy, family.world.knowledge(issuer, family.issuer))
    report = verifier.check_presentation(presented, **DEMANDED)
    assert report, str(report)

"""Adding and verifying proofs: what is demanded, what is refused, and what is left of a document that holds."""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType, encode_multibase
from vcid.errors import InvalidProof, InvalidRecord, Malformed, ResolutionFailed, VcidError
from vcid.securing.cryptosuites import SUITES, RdfForms, transform
from vcid.securing.data_integrity import ProofDemand, ProofOptions, add_proof, verify_proof

AT = datetime(2025, 6, 1, tzinfo=UTC)
PLAIN = {name: suite for name, suite in SUITES.items() if not suite.is_selective}
ROWS = [(name, kind) for name, suite in PLAIN.items() for kind in sorted(suite.key_types)]
each_row = pytest.mark.parametrize(("suite", "kind"), ROWS)
RDF_SUITE = "eddsa-rdfc-2022"


def document() -> dict[str, Any]:
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/examples/v2"],
        "id": "urn:uuid:3c1c1e9e-53b7-4a4f-a7b0-5f5a3c4f8f10",
        "type": ["VerifiableCredential", "ExampleBirthCredential"],
        "issuer": "did:web:civil.example",
        "validFrom": "2025-01-01T00:00:00Z",
        "credentialSubject": {"id": "did:example:child", "fullName": "Amina Example", "weight": 3},
        "credentialStatus": {
            "type": "BitstringStatusListEntry",
            "statusPurpose": "revocation",
            "statusListIndex": "94567",
            "statusListCredential": "https://civil.example/status/3",
        },
    }


@pytest.fixture
def ask(resolve, demand, contexts) -> dict[str, Any]:
    return {"resolve": resolve, "demand": demand, "contexts": contexts}


@pytest.fixture
def sign(signers, method_url, contexts):
    """Sign with the signer of a kind; keywords go into the options."""

    def sign(unsigned, kind=KeyType.ED25519, **options):
        chosen = ProofOptions(verification_method=method_url(signers[kind]), **options)
        return add_proof(unsigned, signers[kind], chosen, contexts=contexts)

    return sign


@pytest.fixture
def sign_anything(signers, method_url, contexts):
    """Sign as a careless issuer would: no check of the document, any member in the proof."""

    def sign(unsigned, proof=(), suite="eddsa-jcs-2022"):
        signer = signers[KeyType.ED25519]
        options = ProofOptions(verification_method=method_url(signer), cryptosuite=suite)
        config = {**options.to_proof(), **dict(proof)}
        row = SUITES[suite]
        done = transform(unsigned, config, suite=row, key_type=KeyType.ED25519, forms=RdfForms(contexts))
        value = encode_multibase(signer.sign(done.hash_data))
        return {**unsigned, "proof": {**config, "proofValue": value}}

    return sign


def refuse(secured, ask, **changes) -> str:
    with pytest.raises((InvalidProof, Malformed)) as caught:
        verify_proof(secured, **{**ask, **changes})
    return caught.value.code


@each_row
def test_what_was_signed_verifies(suite, kind, sign, ask):
    """In every suite and with every kind of key, the verified document is the one that was signed."""
    secured = sign(document(), kind, cryptosuite=suite, created=AT)
    verified = verify_proof(secured, **ask)
    added = [SUITES[suite].context] if suite == "Ed25519Signature2020" else []
    assert verified.document == {**document(), "@context": [*document()["@context"], *added]}
    assert verified.proof == secured["proof"]
    assert verified.cryptosuite == suite
    assert verified.method.public_key.key_type is kind


@each_row
def test_nothing_received_is_left_in_what_is_returned(suite, kind, sign, ask):
    """The verified document is rebuilt: changing the received one afterwards changes nothing."""
    secured = sign(document(), kind, cryptosuite=suite, created=AT)
    verified = verify_proof(secured, **ask)
    expected = copy.deepcopy((verified.document, verified.proof))
    secured["credentialSubject"]["fullName"] = "Other Example"
    secured["@context"].append("https://attacker.example/v1")
    secured["proof"].clear()
    assert (verified.document, verified.proof) == expected


@each_row
def test_arguments_are_left_as_they_are(suite, kind, sign, ask):
    """Neither signing nor verifying changes its argument, and the signed document shares nothing with it."""
    unsigned = document()
    secured = sign(unsigned, kind, cryptosuite=suite)
    assert unsigned == document()
    before = copy.deepcopy(secured)
    unsigned["credentialSubject"]["weight"] = 9
    assert secured == before
    verify_proof(secured, **ask)
    assert secured == before


def test_a_jcs_proof_carries_the_documents_context(sign):
    """Create Proof, step 2, in both JCS suites; the RDF suites leave it out."""
    assert sign(document())["proof"]["@context"] == document()["@context"]
    assert sign(document(), KeyType.P384, cryptosuite="ecdsa-jcs-2019")["proof"]["@context"]
    assert "@context" not in sign(document(), cryptosuite=RDF_SUITE)["proof"]


def test_a_jcs_proof_without_context_verifies(sign_anything, ask):
    """Some signers leave the context out: the configuration is hashed as it was received."""
    secured = sign_anything(document())
    assert "@context" not in secured["proof"]
    assert verify_proof(secured, **ask).document == document()
    secured["@context"].append({"fullName": "https://attacker.example/#alias"})
    assert refuse(secured, ask) == "bad-signature"


def test_unknown_members_of_a_jcs_proof_are_covered(sign_anything, ask):
    """A member that nobody knows is legal, returned, and can be neither changed, added nor removed."""
    secured = sign_anything(document(), {"x-office": "7"})
    assert verify_proof(secured, **ask).proof["x-office"] == "7"
    for proof in ({**secured["proof"], "x-office": "8"}, {**secured["proof"], "x-other": 1}):
        assert refuse({**secured, "proof": proof}, ask) == "bad-signature"
    del secured["proof"]["x-office"]
    assert refuse(secured, ask) == "bad-signature"


def test_options_stand_in_the_proof(sign, ask):
    """Dates are written in UTC, and what was left out is absent."""
    zone = timezone(timedelta(hours=3))
    created = datetime(2025, 1, 1, 3, tzinfo=zone)
    secured = sign(
        document(),
        created=created,
        expires=created + timedelta(days=365),
        domain="border.example",
        challenge="c-1",
        nonce="n-1",
        proof_purpose="authentication",
    )
    proof = secured["proof"]
    assert proof["created"] == "2025-01-01T00:00:00Z"
    assert proof["expires"] == "2026-01-01T00:00:00Z"
    assert (proof["domain"], proof["challenge"], proof["nonce"]) == ("border.example", "c-1", "n-1")
    assert refuse(secured, ask) == "wrong-purpose"
    verify_proof(secured, **{**ask, "demand": replace(ask["demand"], purpose="authentication")})
    bare = sign(document())["proof"]
    assert bare.keys() == {
        "type",
        "cryptosuite",
        "verificationMethod",
        "proofPurpose",
        "@context",
        "proofValue",
    }


def test_misuse_is_a_value_error(sign, method_url, signers, contexts):
    """Wrong arguments of the caller are no verdict about a document."""
    with pytest.raises(ValueError, match="cryptosuite"):
        ProofOptions(verification_method="did:key:z", cryptosuite="eddsa-2022")
    with pytest.raises(ValueError, match="absolute URL"):
        ProofOptions(verification_method="key-1")
    with pytest.raises(ValueError, match="zone"):
        sign(document(), created=datetime(2025, 1, 1))
    with pytest.raises(ValueError, match="P-256"):
        sign(document(), KeyType.P256)
    with pytest.raises(ValueError, match="Ed25519"):
        sign(document(), cryptosuite="ecdsa-jcs-2019")
    with pytest.raises(ValueError, match="time zone"):
        ProofDemand(suites=frozenset(SUITES), at=datetime(2025, 1, 1))
    with pytest.raises(TypeError, match="frozenset"):
        ProofDemand(suites="eddsa-jcs-2022", at=AT)


def test_no_suite_transforms_for_a_key_that_may_not_sign(contexts):
    """The table is closed: a key of another kind has no hash in it."""
    for name, suite in SUITES.items():
        for kind in set(KeyType) - suite.key_types:
            with pytest.raises(InvalidProof) as caught:
                transform(document(), {}, suite=suite, key_type=kind, forms=RdfForms(contexts))
            assert caught.value.code == "key-type-not-allowed", name


def test_a_proof_joins_none_that_is_no_proof(sign):
    """What stands in the way is an error: it is neither replaced in silence nor kept as a proof."""
    for found in ([], None, "proof", [sign(document())["proof"], 7]):
        with pytest.raises((Malformed, InvalidProof)):
            sign({**document(), "proof": found})


# Contexts --------------------------------------------------------------------------------------------------


def test_a_version_1_document_gets_the_proofs_context(sign, ask):
    """Context Injection: only where none of the document's contexts defines the terms of a proof."""
    unsigned = {**document(), "@context": ["https://www.w3.org/2018/credentials/v1"]}
    unsigned["issuanceDate"] = unsigned.pop("validFrom")
    unsigned["type"] = ["VerifiableCredential"]
    unsigned["credentialSubject"] = {"id": "did:example:child"}
    del unsigned["credentialStatus"]
    for suite in ("eddsa-jcs-2022", RDF_SUITE):
        secured = sign(unsigned, cryptosuite=suite)
        assert secured["@context"] == [
            "https://www.w3.org/2018/credentials/v1",
            "https://w3id.org/security/data-integrity/v2",
        ]
        assert verify_proof(secured, **ask).document["@context"] == secured["@context"]
    assert sign(document())["@context"] == document()["@context"]
    twice = sign({**unsigned, "@context": secured["@context"]})
    assert twice["@context"] == secured["@context"]


def test_plain_json_can_be_secured_as_json_only(sign, ask):
    """Without any context there are no terms: JCS signs the bytes, and RDF has nothing to sign."""
    secured = sign({"myWebsite": "https://hello.world.example/"})
    assert "@context" not in secured
    assert verify_proof(secured, **ask).document == {"myWebsite": "https://hello.world.example/"}
    with pytest.raises(VcidError):
        sign({"myWebsite": "https://hello.world.example/"}, cryptosuite=RDF_SUITE)
    with pytest.raises(VcidError):
        sign({"myWebsite": {"@context": "https://www.w3.org/ns/credentials/v2", "name": "x"}})


@pytest.mark.parametrize("suite", ["eddsa-jcs-2022", RDF_SUITE])
def test_undefined_terms_are_refused_when_signing(suite, sign):
    """A signature over what has no meaning would promise something."""
    undefined = {**document(), "@context": document()["@context"][:1]}
    with pytest.raises(InvalidRecord):
        sign(undefined, cryptosuite=suite)
    with pytest.raises(Malformed) as caught:
        sign(
            {**document(), "@context": [*document()["@context"], "https://unknown.example/v1"]},
            cryptosuite=suite,
        )
    assert caught.value.code == "unknown-context"


def test_undefined_terms_are_refused_when_verifying_json(sign_anything, ask):
    """A good JCS signature by a careless issuer does not give meaning to its names."""
    undefined = sign_anything({**document(), "@context": document()["@context"][:1]})
    with pytest.raises(InvalidRecord):
        verify_proof(undefined, **ask)
    unknown = sign_anything(
        {**document(), "@context": [*document()["@context"], "https://unknown.example/v1"]}
    )
    assert refuse(unknown, ask) == "unknown-context"
    empty = sign_anything({**document(), "@context": []})
    with pytest.raises(InvalidRecord):
        verify_proof(empty, **ask)


def test_inline_contexts_are_legal_in_json(sign, sign_anything, ask):
    """They are covered by the signature, and may say anything but redefine a protected term."""
    inline = {
        **document(),
        "@context": [*document()["@context"], {"office": "https://civil.example/#office"}],
    }
    inline["credentialSubject"] = {"id": "did:example:child", "office": "7"}
    assert verify_proof(sign(inline), **ask).document == inline
    nested = document()
    nested["credentialSubject"] = {"@context": {"office": "https://civil.example/#office"}, "office": "7"}
    assert verify_proof(sign(nested), **ask).document == nested
    redefining = {
        **inline,
        "@context": [*document()["@context"], {"name": "https://civil.example/#office"}],
    }
    nested["credentialSubject"]["@context"] = {"type": "https://civil.example/#office"}
    for refused in (redefining, nested):
        with pytest.raises(Malformed):
            sign(refused)
        with pytest.raises(Malformed):
            verify_proof(sign_anything(refused), **ask)


STATUS_IRI = "https://www.w3.org/2018/credentials#credentialStatus"
SUBJECT_IRI = "https://www.w3.org/2018/credentials#credentialSubject"


def hide_behind_iri(secured):
    secured[STATUS_IRI] = secured.pop("credentialStatus")


def hide_behind_alias(secured):
    secured["@context"].append({"hidden": {"@id": STATUS_IRI, "@type": "@id"}})
    secured["hidden"] = secured.pop("credentialStatus")


def hide_behind_prefix(secured):
    secured["@context"].append({"cred": "https://www.w3.org/2018/credentials#"})
    secured["cred:credentialStatus"] = secured.pop("credentialStatus")


def hide_behind_reverse(secured):
    secured["credentialSubject"]["@reverse"] = {SUBJECT_IRI: {"id": secured["id"]}}


def hide_behind_included(secured):
    secured["@included"] = [{"id": "did:example:child", "fullName": "Amina Example"}]
    del secured["credentialSubject"]["fullName"]


def hide_expiry(secured):
    proof = secured["proof"]
    value = {"@value": proof.pop("expires"), "@type": "http://www.w3.org/2001/XMLSchema#dateTime"}
    proof["https://w3id.org/security#expiration"] = value


def append_useless_context(secured):
    secured["@context"].append({"unused": "https://attacker.example/#unused"})


def nest_useless_context(secured):
    secured["credentialSubject"]["@context"] = {"unused": "https://attacker.example/#unused"}


@pytest.mark.parametrize(
    ("respell", "code"),
    [
        (hide_behind_iri, "respelled-member"),
        (hide_behind_alias, "inline-context"),
        (hide_behind_prefix, "inline-context"),
        (hide_behind_reverse, "respelled-member"),
        (hide_behind_included, "respelled-member"),
        (append_useless_context, "inline-context"),
        (nest_useless_context, "inline-context"),
    ],
    ids=lambda value: getattr(value, "__name__", value),
)
def test_an_rdf_document_is_spelt_as_its_contexts_spell_it(respell, code, sign, ask):
    """The signature is still good, as the unsafe setting shows, but a reader would not find the status."""
    secured = sign(document(), cryptosuite=RDF_SUITE)
    respell(secured)
    assert refuse(secured, ask) == code
    unsafe = replace(ask["demand"], unsafe_any_json_ld=True)
    assert verify_proof(secured, **{**ask, "demand": unsafe}).document["issuer"] == "did:web:civil.example"


def test_the_members_of_an_rdf_proof_can_not_be_hidden(sign, ask):
    """A proof that ended stays ended, whatever its ``expires`` is called; the signature alone would hold."""
    secured = sign(document(), cryptosuite=RDF_SUITE, expires=AT + timedelta(days=1))
    hide_expiry(secured)
    assert refuse(secured, ask) == "respelled-member"
    unsafe = replace(ask["demand"], unsafe_any_json_ld=True)
    assert verify_proof(secured, **{**ask, "demand": unsafe})


def repeat_type(secured):
    secured["type"] = [*secured["type"], secured["type"][-1]]


def repeat_act(secured):
    secured["credentialSubject"]["prohibitedAct"] = ["travel", "travel"]


def add_empty_set(secured):
    secured["evidence"] = []


@pytest.mark.parametrize("add", [repeat_type, repeat_act, add_empty_set])
def test_sets_that_say_nothing_are_refused_under_rdf(sign, ask, add):
    """An entry twice, or an empty set, leaves the signature good and gives a reader what nobody signed."""
    unsigned = document()
    unsigned["credentialSubject"]["prohibitedAct"] = "travel"
    secured = sign(unsigned, cryptosuite=RDF_SUITE)
    add(secured)
    assert refuse(secured, ask) == "says-nothing"


def test_claims_are_not_moved_between_mentions_of_one_thing(sign, ask):
    """RDF merges what is said of one id wherever it stands; a reader looks in one place."""
    unsigned = document()
    unsigned["credentialSubject"] = {
        "id": "did:example:ward",
        "prohibitedAct": "travel",
        "ward": {"id": "did:example:ward"},
    }
    secured = sign(unsigned, cryptosuite=RDF_SUITE)
    assert verify_proof(secured, **ask).document == unsigned
    subject = secured["credentialSubject"]
    subject["ward"]["prohibitedAct"] = subject.pop("prohibitedAct")
    assert refuse(secured, ask) == "described-twice"


def test_signing_refuses_what_verifying_would(sign, ask):
    """Under RDF suites too, so that nothing is issued that its readers refuse; texts in languages are fine."""
    inline = {
        **document(),
        "@context": [*document()["@context"], {"office": "https://civil.example/#office"}],
    }
    with pytest.raises(Malformed) as caught:
        sign(inline, cryptosuite=RDF_SUITE)
    assert caught.value.code == "inline-context"
    assert sign(inline, cryptosuite=RDF_SUITE, unsafe_any_json_ld=True)["proof"]
    translated = {**document(), "name": [{"@value": "ولادة", "@language": "ar", "@direction": "rtl"}]}
    secured = sign(translated, cryptosuite="ecdsa-rdfc-2019", kind=KeyType.P256)
    assert verify_proof(secured, **ask).document == translated


# Shapes ----------------------------------------------------------------------------------------------------

TEXTS = ("type", "cryptosuite", "verificationMethod", "proofPurpose", "proofValue")


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("value", [None, 7, "", [], ["eddsa-jcs-2022"], {}, True])
def test_required_members_are_strings(name, value, sign, ask):
    """A missing member, or one of another shape, is told with its place."""
    secured = sign(document())
    secured["proof"][name] = value
    with pytest.raises(Malformed) as caught:
        verify_proof(secured, **ask)
    assert caught.value.where == f"/proof/{name}"
    del secured["proof"][name]
    with pytest.raises(Malformed):
        verify_proof(secured, **ask)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("id", 7),
        ("id", None),
        ("challenge", ["a"]),
        ("nonce", {}),
        ("domain", 7),
        ("domain", []),
        ("domain", ["a", None]),
        ("domain", ["a", "a"]),
        ("created", "2025-01-01"),
        ("created", "2025-01-01T00:00:00"),
        ("created", None),
        ("created", 1735689600),
        ("expires", "never"),
        ("expires", "2025-13-01T00:00:00Z"),
    ],
)
def test_optional_members_have_their_shape(name, value, sign_anything, ask):
    """Even under a good signature."""
    secured = sign_anything(document(), {name: value})
    with pytest.raises(Malformed) as caught:
        verify_proof(secured, **ask)
    assert caught.value.where == f"/proof/{name}"


@pytest.mark.parametrize(
    ("proof", "code"),
    [
        (None, "proof-missing"),
        ([], "proof-missing"),
        ([{}, {}], "several-proofs"),
        ("z3MvGX", "proof-malformed"),
        ([["z"]], "proof-malformed"),
        ({}, "proof-malformed"),
        (7, "proof-malformed"),
    ],
)
def test_a_proof_is_one_object(proof, code, ask):
    """Alone or in a list of one."""
    assert refuse({**document(), "proof": proof}, ask) == code


@pytest.mark.parametrize(
    "value",
    [
        "z",
        "z0",
        "zOIl",
        "u" + "A" * 86,
        "f" + "00" * 64,
        "z" + "1" * 64 + "\n",
        " z" + "1" * 64,
        "z" + "1" * 9999,
    ],
)
def test_a_proof_value_is_base58_of_a_signature(value, sign, ask):
    """Other bases, other lengths and white space are refused before any cryptography."""
    secured = sign(document())
    secured["proof"]["proofValue"] = value
    with pytest.raises(Malformed) as caught:
        verify_proof(secured, **ask)
    assert caught.value.where == "/proof/proofValue"


def test_white_space_around_a_good_signature_is_refused(sign, ask):
    """A signature has one spelling; some base58 readers strip."""
    secured = sign(document())
    genuine = secured["proof"]["proofValue"]
    for other in (f"{genuine}\n", f"{genuine} ", f" {genuine}", f"z {genuine[1:]}"):
        secured["proof"]["proofValue"] = other
        with pytest.raises(Malformed):
            verify_proof(secured, **ask)


# Demands ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("stated", ["border.example", ["border.example"]])
def test_the_demanded_domain_is_named(stated, sign_anything, ask):
    """A single string stands for a set of one."""
    secured = sign_anything(document(), {"domain": stated, "challenge": "c-1"})
    asked = replace(ask["demand"], domain="border.example", challenge="c-1")
    assert verify_proof(secured, **{**ask, "demand": asked}).proof["domain"] == stated
    verify_proof(secured, **ask)


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ({}, "wrong-domain"),
        ({"domain": "border.example"}, "wrong-challenge"),
        ({"challenge": "c-1"}, "wrong-domain"),
        ({"domain": "other.example", "challenge": "c-1"}, "wrong-domain"),
        ({"domain": ["border.example", "other.example"], "challenge": "c-1"}, "wrong-domain"),
        ({"domain": "border.example", "challenge": "c-2"}, "wrong-challenge"),
        ({"domain": "border.example", "challenge": "C-1"}, "wrong-challenge"),
    ],
)
def test_another_domain_or_challenge_is_refused(stated, code, sign_anything, ask):
    """Compared exactly, and as sets."""
    asked = replace(ask["demand"], domain="border.example", challenge="c-1")
    assert refuse(sign_anything(document(), stated), ask, demand=asked) == code


def test_the_dates_of_a_proof_are_judged_at_the_moment_asked_for(sign, ask):
    """The skew is allowed to `created` alone, to the second; `expires` is the first moment that fails."""
    secured = sign(document(), created=AT, expires=AT + timedelta(days=1))

    def at(moment):
        return {**ask, "demand": replace(ask["demand"], at=moment)}

    assert verify_proof(secured, **at(AT - timedelta(minutes=5)))
    assert verify_proof(secured, **at(AT + timedelta(hours=23, minutes=59)))
    assert refuse(secured, at(AT - timedelta(minutes=5, seconds=1))) == "created-in-future"
    assert refuse(secured, at(AT + timedelta(days=1))) == "proof-expired"
    assert refuse(secured, at(datetime.max.replace(tzinfo=UTC))) == "proof-expired"
    assert refuse(secured, at(datetime.min.replace(tzinfo=UTC))) == "created-in-future"
    strict = replace(ask["demand"], at=AT - timedelta(seconds=1), skew=timedelta(0))
    assert refuse(secured, ask, demand=strict) == "created-in-future"


@pytest.mark.parametrize(("name", "code"), [("revoked", "key-revoked"), ("expires", "key-expired")])
def test_a_method_must_be_in_force(name, code, sign, ask):
    """From the stated moment on it verifies nothing, not even what was signed before."""
    secured = sign(document(), created=AT - timedelta(days=9))

    def ending(moment):
        return {**ask, "resolve": lambda *given: replace(ask["resolve"](*given), **{name: moment})}

    assert refuse(secured, ending(AT)) == code
    assert refuse(secured, ending(AT - timedelta(days=1))) == code
    assert verify_proof(secured, **ending(AT + timedelta(seconds=1)))


def test_the_method_is_resolved_for_the_demanded_purpose(sign, ask):
    """The resolver learns which relationship to look under, and its refusal is passed on."""
    asked = []

    def resolve(url, purpose):
        asked.append((url, purpose))
        raise ResolutionFailed("notFound", "nobody knows this method")

    secured = sign(document(), proof_purpose="authentication")
    demand = replace(ask["demand"], purpose="authentication")
    with pytest.raises(ResolutionFailed):
        verify_proof(secured, resolve=resolve, demand=demand, contexts=ask["contexts"])
    assert asked == [(secured["proof"]["verificationMethod"], "authentication")]


@pytest.mark.parametrize("kind", [KeyType.ED25519, KeyType.P384])
def test_a_did_documents_own_method_fits(kind, sign, ask):
    """What DID resolution gives is what a proof asks for, without either knowing the other."""
    from vcid.dids.methods import DidKeyResolver

    def resolve(url, purpose):
        return DidKeyResolver().resolve(url.partition("#")[0]).method(url, purpose)

    suite = "eddsa-jcs-2022" if kind is KeyType.ED25519 else "ecdsa-jcs-2019"
    secured = sign(document(), kind, cryptosuite=suite)
    verified = verify_proof(secured, **{**ask, "resolve": resolve})
    assert verified.method.controller == verified.method.id.partition("#")[0]
    for_agreement = sign(document(), kind, cryptosuite=suite, proof_purpose="keyAgreement")
    demand = replace(ask["demand"], purpose="keyAgreement")
    with pytest.raises(VcidError):
        verify_proof(for_agreement, resolve=resolve, demand=demand, contexts=ask["contexts"])


def test_cheap_checks_come_before_the_resolver(sign, ask):
    """What can be refused by looking is refused before anything is looked up."""

    def never(url, purpose):
        raise AssertionError("resolved too early")

    secured = sign(document(), created=AT)
    for name, value in (
        ("cryptosuite", "x"),
        ("proofPurpose", "x"),
        ("created", "x"),
        ("type", "x"),
        ("@context", ["x"]),
    ):
        with pytest.raises((InvalidProof, Malformed)):
            verify_proof({**secured, "proof": {**secured["proof"], name: value}}, **{**ask, "resolve": never})


# Anything at all -------------------------------------------------------------------------------------------

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
proof_names = st.sampled_from(
    [*TEXTS, "@context", "domain", "challenge", "created", "expires", "previousProof"]
)


@settings(max_examples=150, deadline=None)
@given(changes=st.dictionaries(proof_names, values, max_size=3), name=st.text(max_size=8), value=values)
def test_any_document_raises_vcid_errors_alone(changes, name, value):
    """Whatever stands where, the answer is a verified document or an error of this library."""
    secured = {**document(), name: value, "proof": {**PROOF, **changes}}
    with pytest.raises(VcidError):
        verify_proof(secured, **arguments())


def arguments() -> dict[str, Any]:
    from vcid.encoding.contexts import Contexts
    from vcid.keys.signing import PublicKey

    class Method:
        id = controller = "did:example:x"
        public_key = PublicKey.from_multikey("z6MkrJVnaZkeFzdQyMZu1cgjg7k1pZZ6pvBQ7XJPt4swbTQ2")
        revoked = expires = None

    demand = ProofDemand(suites=frozenset(SUITES), at=AT)
    return {"resolve": lambda *_: Method(), "demand": demand, "contexts": Contexts.carried()}


PROOF = {
    "type": "DataIntegrityProof",
    "cryptosuite": "eddsa-jcs-2022",
    "verificationMethod": "did:example:x#1",
    "proofPurpose": "assertionMethod",
    "proofValue": "z" + "1" * 64,
}


@pytest.mark.parametrize(("suite", "kind", "tries"), [(s, k, 120 if "jcs" in s else 25) for s, k in ROWS])
def test_a_changed_byte_never_changes_what_is_verified(suite, kind, tries, sign, ask):
    """With one byte of the text replaced, the document fails, or says exactly what was signed."""
    secured = sign(document(), kind, cryptosuite=suite, created=AT)
    text = json.dumps(secured, indent=1).encode()
    genuine = verify_proof(secured, **ask)
    covered = {name: value for name, value in genuine.proof.items() if name != "proofValue"}

    @settings(max_examples=tries, deadline=None)
    @given(position=st.integers(0, len(text) - 1), byte=st.integers(0, 255))
    def change(position, byte):
        changed = text[:position] + bytes([byte]) + text[position + 1 :]
        try:
            verified = verify_proof(parse_object(changed), **ask)
        except VcidError:
            return
        assert canonicalize(verified.document) == canonicalize(genuine.document)
        assert {name: value for name, value in verified.proof.items() if name != "proofValue"} == covered

    change()


def test_no_claim_is_repeated_in_an_error(sign, ask):
    """Messages end up in logs: they name places and codes, never what stood there."""
    secured = sign(document(), created=AT)
    for change in (
        {"credentialSubject": {"fullName": "Amina Secret"}},
        {"Amina Secret": 1},
        {"@context": ["Amina Secret"]},
    ):
        with pytest.raises(VcidError) as caught:
            verify_proof({**secured, **change}, **ask)
        assert "Secret" not in str(caught.value)
    for name in ("created", "cryptosuite", "domain", "proofPurpose", "proofValue"):
        with pytest.raises(VcidError) as caught:
            verify_proof({**secured, "proof": {**secured["proof"], name: "Amina Secret"}}, **ask)
        assert "Secret" not in str(caught.value)

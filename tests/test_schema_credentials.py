"""Schema credentials: a schema decides only while the credential that carries it passes the same policy."""

import base64
import hashlib
from dataclasses import replace
from datetime import timedelta

import pytest

from vcid.credentials.delegation import Delegation
from vcid.credentials.model import Credential, Draft, build
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import canonicalize
from vcid.errors import Malformed
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.policy import Policy
from vcid.report import CheckName, Conclusion, Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.securing.jose import CREDENTIAL_TOKEN, TokenOptions, sign_token
from vcid.trust import ANYWHERE, Accreditation
from vcid.verifier import Surroundings, Verifier
from world import START, Clock

URL = "https://schemas.example/credentials/named"
META = "https://www.w3.org/ns/credentials/json-schema/v2.json"
DIALECT = "https://json-schema.org/draft/2020-12/schema"
AUTHOR, OFFICE = LocalSigner.generate(), LocalSigner.generate()
ALLOWED = Policy(
    accreditations=(
        Accreditation(
            issuer=f"did:key:{AUTHOR.public_key.multikey}",
            credential_types=frozenset({"JsonSchemaCredential"}),
            jurisdictions=frozenset({ANYWHERE}),
        ),
        Accreditation(
            issuer=f"did:key:{OFFICE.public_key.multikey}",
            credential_types=frozenset({"VerifiableCredential"}),
            jurisdictions=frozenset({ANYWHERE}),
        ),
    ),
    suites=frozenset({"eddsa-jcs-2022", "EdDSA"}),
    tolerated=frozenset({"status:no-status"}),
)


def unsecured(signer, **members):
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": f"did:key:{signer.public_key.multikey}",
        "validFrom": "2026-01-01T00:00:00Z",
        **members,
    }


def sign(signer, **members):
    document = unsecured(signer, **members)
    options = ProofOptions(
        verification_method=f"{document['issuer']}#{signer.public_key.multikey}", created=START
    )
    return Credential.from_json(add_proof(document, signer, options, contexts=Contexts.carried()))


def schema_members(**changes):
    schema = {
        "$schema": DIALECT,
        "$id": "https://schemas.example/named.json",
        "properties": {"credentialSubject": {"required": ["name"]}},
    }
    members = {
        "id": URL,
        "type": ["VerifiableCredential", "JsonSchemaCredential"],
        "credentialSchema": {"id": META, "type": "JsonSchema"},
        "credentialSubject": {
            "id": "https://schemas.example/named.json",
            "type": "JsonSchema",
            "jsonSchema": schema,
        },
    }
    return {**members, **changes}


def naming(subject=None, **entry):
    return sign(
        OFFICE,
        credentialSubject=subject or {"id": "did:example:a", "name": "Amina"},
        credentialSchema={"id": URL, "type": "JsonSchemaCredential", **entry},
    )


def check(credential, *schema_credentials, policy=ALLOWED, now=START):
    around = Surroundings(clock=Clock(now), schema_credentials=schema_credentials)
    return Verifier(policy, Knowledge(), surroundings=around).check(credential)


def digest_sri(content):
    return "sha384-" + base64.b64encode(hashlib.sha384(content).digest()).decode()


def outcome(report):
    check = report[CheckName.SCHEMA]
    return check.outcome, check.code


NOT_KNOWN = (Outcome.UNKNOWN, "schema-not-known")


def test_a_schema_credential_decides_in_one_step():
    """Handed in as published, it is verified, and its schema passes what conforms and fails what does not."""
    schema = sign(AUTHOR, **schema_members())
    report = check(naming(), schema)
    assert report, str(report)
    assert outcome(report) == (Outcome.PASSED, "")
    report = check(naming({"id": "did:example:a"}), schema)
    assert (report.conclusion, outcome(report)[0]) == (Conclusion.REJECTED, Outcome.FAILED)
    assert outcome(check(naming())) == NOT_KNOWN
    assert outcome(check(naming(), schema.content)) == (Outcome.PASSED, "")


def test_the_digest_is_of_what_was_published():
    """A credential that pins its schema credential is judged by those bytes alone."""
    schema = sign(AUTHOR, **schema_members())
    assert check(naming(digestSRI=digest_sri(schema.content)), schema)
    assert outcome(check(naming(digestSRI=digest_sri(b"other")), schema))[1] == "digest-mismatch"


def test_a_token_may_carry_the_schema():
    """A schema credential secured as a token is one."""
    document = unsecured(AUTHOR, **schema_members())
    options = TokenOptions(
        verification_method=f"{document['issuer']}#{AUTHOR.public_key.multikey}", created=START
    )
    token = sign_token(document, AUTHOR, options, form=CREDENTIAL_TOKEN, contexts=Contexts.carried())
    assert check(naming(), Credential(CREDENTIAL_TOKEN.media_type, token))


def stranger():
    return sign(LocalSigner.generate(), **schema_members())


def unaccredited():
    return sign(OFFICE, **schema_members())


def forged():
    document = sign(AUTHOR, **schema_members()).unverified_document
    document["credentialSubject"]["jsonSchema"].pop("properties")
    return Credential.from_json(document)


def unproven():
    document = sign(AUTHOR, **schema_members()).unverified_document
    del document["proof"]
    return Credential.from_json(document)


def ended():
    return sign(AUTHOR, **schema_members(validUntil="2026-02-01T00:00:00Z"))


def with_unknown_status():
    entry = {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": "https://schemas.example/status/1",
    }
    return sign(AUTHOR, **schema_members(credentialStatus=entry))


@pytest.mark.parametrize("make", [stranger, unaccredited, forged, unproven, ended, with_unknown_status])
def test_what_does_not_pass_leaves_the_check_undecided(make):
    """Nobody's schema, an unaccredited issuer's, a changed, an unproven, an ended one, one of unknown status."""
    report = check(naming(), make())
    assert outcome(report) == NOT_KNOWN
    assert report.conclusion is Conclusion.UNDECIDED


def test_it_is_judged_at_each_question():
    """A schema credential that ends stops deciding, without the verifier being made anew."""
    until = START + timedelta(days=1)
    schema = sign(AUTHOR, **schema_members(validUntil=until.isoformat().replace("+00:00", "Z")))
    clock = Clock()
    around = Surroundings(clock=clock, schema_credentials=(schema,))
    verifier = Verifier(ALLOWED, Knowledge(), surroundings=around)
    credential = naming()
    assert verifier.check(credential)
    clock.advance(days=2)
    assert outcome(verifier.check(credential)) == NOT_KNOWN


def test_only_the_type_it_is_named_by_is_served():
    """A schema credential is no JsonSchema, and a strict policy on its suites holds for it too."""
    schema = sign(AUTHOR, **schema_members())
    assert outcome(check(naming(type="JsonSchema"), schema)) == NOT_KNOWN
    assert not check(naming(), schema, policy=replace(ALLOWED, suites=frozenset({"ecdsa-jcs-2019"})))


@pytest.mark.parametrize(
    "changes",
    [
        {"id": None},
        {"type": ["VerifiableCredential"]},
        {"credentialSchema": {"id": URL, "type": "JsonSchemaCredential"}},
        {"credentialSubject": {"type": "JsonSchema"}},
    ],
)
def test_what_is_no_schema_credential_is_refused_at_once(changes):
    """A mistake in setting up is told when the verifier is made; so no schema leads back to itself."""
    document = {**unsecured(AUTHOR, **schema_members()), **changes}
    with pytest.raises(Malformed) as caught:
        check(naming(), canonicalize(document))
    assert caught.value.code == "not-a-schema"


def test_one_id_names_one_schema():
    """Two schema credentials with one id are a mistake."""
    schema = sign(AUTHOR, **schema_members())
    with pytest.raises(ValueError, match="one id"):
        check(naming(), schema, schema)


def test_a_delegation_is_not_judged_by_a_schema_of_whom_it_appoints():
    """Each would wait for the other: the link stays undecided, and so do the schema and what names it."""
    office, author = (f"did:key:{signer.public_key.multikey}" for signer in (OFFICE, AUTHOR))
    appointed = Delegation(
        delegate=author,
        credential_types=["BirthRegistrationCredential"],
        jurisdictions=["KE"],
        valid_from=START - timedelta(days=1),
        valid_until=START + timedelta(days=1),
    )
    draft = Draft(
        issuer=office,
        types=[appointed.credential_type],
        subject=appointed.to_subject(),
        valid_from=appointed.valid_from,
        valid_until=appointed.valid_until,
    )
    named = {"credentialSchema": {"id": URL, "type": "JsonSchemaCredential"}}
    options = ProofOptions(verification_method=f"{office}#{OFFICE.public_key.multikey}", created=START)
    document = add_proof({**build(draft), **named}, OFFICE, options, contexts=Contexts.carried())
    types = {"VerifiableCredential", "BirthRegistrationCredential", appointed.credential_type}
    granted = replace(ALLOWED.accreditations[1], credential_types=frozenset(types))
    schema = sign(AUTHOR, **schema_members())
    verifier = Verifier(
        replace(ALLOWED, accreditations=(granted,)),
        Knowledge(delegations=(canonicalize(document),)),
        surroundings=Surroundings(clock=Clock(START), schema_credentials=(schema,)),
    )
    assert outcome(verifier.check(naming())) == NOT_KNOWN
    assert outcome(verifier.check(document)) == NOT_KNOWN
    report = verifier.check(schema)
    assert report[CheckName.ISSUER].code == "delegation-unknown-schema"
    assert report.conclusion is Conclusion.UNDECIDED

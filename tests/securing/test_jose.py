"""Tokens: what is signed verifies as it was meant, and nothing else does."""

from __future__ import annotations

import contextlib
import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding.contexts import Contexts
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, InvalidRecord, LimitExceeded, Malformed, VcidError
from vcid.keys.jwk import decode_jwk
from vcid.keys.signing import LocalSigner
from vcid.securing.data_integrity import SUITES, ProofDemand
from vcid.securing.jose import (
    ALGORITHMS,
    CREDENTIAL_TOKEN,
    PRESENTATION_TOKEN,
    Token,
    TokenOptions,
    sign_token,
    verify_token,
)

AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALGORITHM_OF = {
    KeyType.ED25519: "EdDSA",
    KeyType.P256: "ES256",
    KeyType.P384: "ES384",
    KeyType.P521: "ES512",
}
SIGNER = LocalSigner.from_private_bytes(KeyType.P256, b"\x07" * 32)
DOCUMENT = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "id": "urn:uuid:6b2b7ab8-1f0c-4f1c-8d5e-3d8a1f1b2c3d",
    "type": ["VerifiableCredential"],
    "issuer": "did:example:issuer",
    "credentialSubject": {"id": "did:example:subject"},
}


def encode(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def kid(signer=SIGNER) -> str:
    return f"did:key:{signer.public_key.multikey}#{signer.public_key.multikey}"


def forge(header=None, payload=None, *, signer=SIGNER, **changes) -> bytes:
    """A well signed token of any header and payload; None takes a member of the header away."""
    stated = {"alg": ALGORITHM_OF[signer.public_key.key_type], "kid": kid(signer), **(header or {})}
    stated = {name: value for name, value in stated.items() if value is not None}
    body = {**DOCUMENT, **changes} if payload is None else payload
    text = f"{encode(json.dumps(stated).encode())}.{encode(json.dumps(body).encode())}"
    return f"{text}.{encode(signer.sign(text.encode()))}".encode()


@pytest.fixture
def verify(resolve, contexts):
    def verify(content, *, form=CREDENTIAL_TOKEN, **changes):
        demand = replace(ProofDemand(suites=frozenset(ALGORITHMS), at=AT), **changes)
        token = Token.parse(content, form)
        return verify_token(token, resolve=resolve, demand=demand, contexts=contexts)

    return verify


def refused(code, error, call, *arguments, **options):
    with pytest.raises(error) as caught:
        call(*arguments, **options)
    assert caught.value.code == code


# What holds


def test_the_token_of_rfc_7515_appendix_a_3_is_taken_apart_and_verifies():
    """The published ECDSA example: its signing input and signature are what its key verifies."""
    key = decode_jwk(
        {
            "kty": "EC",
            "crv": "P-256",
            "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
            "y": "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
        }
    )
    token = Token.parse(
        "eyJhbGciOiJFUzI1NiJ9"
        ".eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
        ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q",
        CREDENTIAL_TOKEN,
    )
    assert token.header == {"alg": "ES256"}
    assert token.claims == {"iss": "joe", "exp": 1300819380}
    key.verify(token.signature, token.signing_input)
    refused("bad-signature", InvalidProof, key.verify, token.signature, token.signing_input + b".")


@pytest.mark.parametrize("key_type", ALGORITHM_OF)
def test_what_is_signed_verifies(verify, key_type, contexts):
    """Every algorithm, with the header that the specification recommends and the document unchanged."""
    signer = LocalSigner.generate(key_type)
    options = TokenOptions(verification_method=kid(signer), created=AT, expires=AT + timedelta(hours=1))
    content = sign_token(DOCUMENT, signer, options, form=CREDENTIAL_TOKEN, contexts=contexts)
    header = {"alg": ALGORITHM_OF[key_type], "kid": kid(signer), "typ": "vc+jwt", "cty": "vc"}
    assert Token.parse(content, CREDENTIAL_TOKEN).header == header
    verified = verify(content)
    assert verified.document == DOCUMENT
    assert verified.cryptosuite == ALGORITHM_OF[key_type]
    assert (verified.proof["created"], verified.proof["expires"]) == (
        "2026-03-01T12:00:00Z",
        "2026-03-01T13:00:00Z",
    )


@pytest.mark.parametrize(
    "header",
    [
        {},
        {"typ": "VC+JWT", "cty": "application/vc"},
        {"typ": "application/vc+jwt"},
        {"something": [1], "url": "https://x.example/"},
        {"iss": "did:example:issuer"},
    ],
)
def test_headers_that_say_nothing_wrong_are_taken(verify, header):
    """Types may be left out or spelt in full; hints that aren't used are ignored (RFC 7515, section 4)."""
    assert verify(forge(header)).document == DOCUMENT


def test_the_fully_specified_name_of_ed25519_is_taken(verify):
    """RFC 9864 calls the algorithm by its curve."""
    signer = LocalSigner.generate()
    content = forge({"alg": "Ed25519"}, signer=signer)
    assert verify(content).cryptosuite == "Ed25519"
    refused("suite-not-allowed", InvalidProof, verify, content, suites=frozenset({"EdDSA"}))


def test_claims_about_the_token_are_no_part_of_the_document(verify):
    """They are honoured, and then neither read nor shown as what the issuer said of the subject."""
    claims = {
        "iss": "did:example:issuer",
        "sub": "did:example:subject",
        "jti": DOCUMENT["id"],
        "iat": AT.timestamp(),
        "nbf": AT.timestamp() + 60,
        "exp": AT.timestamp() + 0.5,
    }
    assert verify(forge(**claims)).document == DOCUMENT


# What the header can't do


@pytest.mark.parametrize(
    "name", ["exp", "nbf", "iat", "jti", "nonce", "cnf", "_sd_alg", "zip", "enc", "epk", "p2c", "p2s", "tag"]
)
@pytest.mark.parametrize("value", [1, "x", {}])
def test_a_header_says_nothing_that_is_not_heeded(verify, name, value):
    """An end in the header, or compression, would be taken for what it says by others: refused by name."""
    refused("unsupported-header", InvalidProof, verify, forge({name: value}))


@pytest.mark.parametrize("name", ["x5t", "x5t#S256"])
def test_thumbprints_are_keys_in_the_header(verify, name):
    """The key is the one that kid names, and no certificate has to agree."""
    refused("key-in-header", InvalidProof, verify, forge({name: "abc"}))


@pytest.mark.parametrize(
    "claims",
    [
        {"cnf": {"jwk": {}}},
        {"_sd": ["x"], "_sd_alg": "sha-256"},
        {"_sd_alg": "sha-256"},
        {"credentialSubject": {"id": "did:example:subject", "_sd": ["x"]}},
        {"credentialSubject": [{"id": "did:example:subject", "alumniOf": [{"...": "digest"}]}]},
    ],
)
def test_claims_that_are_not_heeded_are_refused(verify, claims, contexts):
    """What a token's holder left out of an SD-JWT, and a key that is to be shown, are refused by name."""
    refused("unsupported-claim", Malformed, verify, forge(**claims))
    signer = LocalSigner.generate()
    options = TokenOptions(verification_method=kid(signer))
    with pytest.raises(Malformed) as caught:
        sign_token({**DOCUMENT, **claims}, signer, options, form=CREDENTIAL_TOKEN, contexts=contexts)
    assert caught.value.code == "unsupported-claim"


@pytest.mark.parametrize("algorithm", ["none", "None", "HS256", "RS256", "ES256K", "", 7, None, ["ES256"]])
def test_algorithms_come_from_the_caller_alone(verify, algorithm):
    """None, HMAC, and whatever else is not allowed, even with a signature that would hold."""
    refused("suite-not-allowed", InvalidProof, verify, forge({"alg": algorithm}))


def test_a_token_without_a_signature_is_refused(verify):
    """With alg none for its algorithm, and with any other."""
    head, body, _ = forge({"alg": "none"}).split(b".")
    refused("suite-not-allowed", InvalidProof, verify, b".".join([head, body, b""]))
    head, body, _ = forge().split(b".")
    refused("bad-signature", InvalidProof, verify, b".".join([head, body, b""]))


@pytest.mark.parametrize("suites", [frozenset(), frozenset({"EdDSA", "ES384"}), frozenset(SUITES)])
def test_an_algorithm_that_the_caller_did_not_name_is_refused(verify, suites):
    """An empty list accepts nothing, and a cryptosuite is no algorithm."""
    refused("suite-not-allowed", InvalidProof, verify, forge(), suites=suites)


def test_a_required_suite_that_the_token_has_not_is_missed(verify):
    """One signature meets no demand for two."""
    required = frozenset({"ES256", "EdDSA"})
    refused("required-suite-missing", InvalidProof, verify, forge(), required_suites=required)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES384", "ES512"])
def test_the_key_has_to_be_of_the_algorithm_s_kind(verify, algorithm):
    """An ES256 key verifies nothing under another name."""
    refused("key-type-not-allowed", InvalidProof, verify, forge({"alg": algorithm}))


def test_an_hmac_keyed_with_the_public_key_is_refused_by_name(verify):
    """The classic confusion: nothing is ever verified with a shared secret."""
    refused("suite-not-allowed", InvalidProof, verify, forge({"alg": "HS256"}), suites=frozenset({"HS256"}))


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ({"crit": ["exp"]}, "critical-header"),
        ({"crit": []}, "critical-header"),
        ({"b64": False, "crit": ["b64"]}, "critical-header"),
        ({"b64": True}, "critical-header"),
        ({"jwk": {"kty": "EC"}}, "key-in-header"),
        ({"jku": "https://keys.example"}, "key-in-header"),
        ({"x5u": "https://keys.example"}, "key-in-header"),
        ({"x5c": []}, "key-in-header"),
        ({"typ": "JWT"}, "wrong-token-type"),
        ({"typ": "vp+jwt"}, "wrong-token-type"),
        ({"typ": 1}, "wrong-token-type"),
        ({"cty": "vp"}, "wrong-token-type"),
        ({"iss": "did:example:other"}, "claim-conflict"),
    ],
)
def test_headers_that_ask_for_more_are_refused(verify, header, code):
    """Extensions, keys of the token's own choosing, other kinds of token, contradictions."""
    refused(code, InvalidProof, verify, forge(header))


@pytest.mark.parametrize("key_id", [None, 1, "key-1", "#key-1", "https://issuer.example/keys#1"])
def test_kid_is_an_absolute_did_url(verify, key_id):
    """A relative one would let the payload choose what it is relative to."""
    refused("key-id", Malformed, verify, forge({"kid": key_id}))


def test_another_key_than_kid_names_is_refused(verify):
    """Signed by one key, in the name of another."""
    other = LocalSigner.generate(KeyType.P256)
    refused("bad-signature", InvalidProof, verify, forge({"kid": kid(other)}))


@pytest.mark.parametrize("member", ["revoked", "expires"])
def test_a_key_that_has_ended_is_refused(contexts, resolve, member):
    """For the moment asked about."""
    token = Token.parse(forge(), CREDENTIAL_TOKEN)

    def ended(url, purpose):
        return replace(resolve(url, purpose), **{member: AT})

    demand = ProofDemand(suites=frozenset(ALGORITHMS), at=AT)
    code = f"key-{member.replace('expires', 'expired')}"
    refused(code, InvalidProof, verify_token, token, resolve=ended, demand=demand, contexts=contexts)
    earlier = replace(demand, at=AT - timedelta(seconds=1))
    assert verify_token(token, resolve=ended, demand=earlier, contexts=contexts)


# What the claims can't do


@pytest.mark.parametrize(
    ("claims", "code"),
    [
        ({"iss": "did:example:other"}, "claim-conflict"),
        ({"sub": "did:example:other"}, "claim-conflict"),
        ({"jti": "urn:uuid:other"}, "claim-conflict"),
        ({"exp": AT.timestamp()}, "proof-expired"),
        ({"nbf": AT.timestamp() + 301}, "proof-not-yet-valid"),
        ({"iat": AT.timestamp() + 301}, "created-in-future"),
        ({"aud": "border.example"}, "wrong-domain"),
    ],
)
def test_claims_are_honoured(verify, claims, code):
    """Contradictions of the document, dates by the one clock, and an audience that nobody asked for."""
    refused(code, InvalidProof, verify, forge(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"exp": "tomorrow"},
        {"exp": True},
        {"exp": -1},
        {"exp": 1e300},
        {"iat": None},
        {"aud": []},
        {"aud": ["a", "a"]},
        {"aud": 7},
        {"iss": 7},
        {"nonce": {}},
    ],
)
def test_claims_of_the_wrong_shape_are_refused(verify, claims):
    """Also where nothing depends on them."""
    refused("claim-malformed", Malformed, verify, forge(**claims))


@pytest.mark.parametrize("claim", ["vc", "vp"])
def test_documents_wrapped_in_a_claim_are_refused(verify, claim):
    """The older format: a reader of the outside and one of the inside would see two documents."""
    refused("legacy-claim", Malformed, verify, forge(**{claim: DOCUMENT}))


def test_a_document_with_a_proof_of_its_own_is_refused(verify):
    """Which of the two would count?"""
    refused("secured-twice", Malformed, verify, forge(proof={"type": "DataIntegrityProof"}))


def test_terms_that_nothing_defines_are_refused(verify):
    """As under Data Integrity."""
    with pytest.raises(InvalidRecord):
        verify(forge(somethingElse="x"))
    with pytest.raises(VcidError):
        verify(forge(**{"@context": ["https://unknown.example"]}))


def test_challenge_and_domain_are_demanded(verify, contexts):
    """Exactly these, under the claims that OpenID Connect and JWT give them."""
    options = TokenOptions(verification_method=kid(), domain="border.example", challenge="n")
    document = {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiablePresentation"],
        "holder": "did:example:holder",
    }
    content = sign_token(document, SIGNER, options, form=PRESENTATION_TOKEN, contexts=contexts)

    def check(**demanded):
        return verify(content, form=PRESENTATION_TOKEN, purpose="authentication", **demanded)

    assert check(domain="border.example", challenge="n").document == document
    refused("wrong-domain", InvalidProof, check, domain="shop.example", challenge="n")
    refused("wrong-domain", InvalidProof, check, challenge="n")
    refused("wrong-challenge", InvalidProof, check, domain="border.example", challenge="m")
    both = forge({"typ": "vp+jwt"}, {**document, "aud": ["border.example", "shop.example"], "nonce": "n"})
    refused("wrong-domain", InvalidProof, verify, both, form=PRESENTATION_TOKEN, domain="border.example")


# What can't be signed


@pytest.mark.parametrize(
    ("changes", "code"),
    [({"proof": {}}, "already-secured"), ({"exp": 1}, "claim-conflict"), ({"vc": {}}, "claim-conflict")],
)
def test_documents_with_members_of_tokens_are_not_signed(contexts, changes, code):
    """They would come back without them."""
    options = TokenOptions(verification_method=kid())
    arguments = ({**DOCUMENT, **changes}, SIGNER, options)
    refused(code, Malformed, sign_token, *arguments, form=CREDENTIAL_TOKEN, contexts=contexts)


def test_options_are_validated():
    """A relative kid, and times without a zone, are the caller's mistakes."""
    with pytest.raises(ValueError, match="absolute"):
        TokenOptions(verification_method="#key-1")
    with pytest.raises(ValueError, match="time zone"):
        TokenOptions(verification_method=kid(), created=AT.replace(tzinfo=None))


# What can't be read


@pytest.mark.parametrize(
    "mangle",
    [
        lambda head, body, seal: [head, body],
        lambda head, body, seal: [head, body, seal, seal],
        lambda head, body, seal: [head, body, seal, seal, seal],
        lambda head, body, seal: [head + "=", body, seal],
        lambda head, body, seal: [head, body, seal + "=="],
        lambda head, body, seal: [head, "", seal],
        lambda head, body, seal: [head, body + "\n", seal],
        lambda head, body, seal: [head, body.replace("e", "é"), seal],
        lambda head, body, seal: [head, encode(json.dumps(DOCUMENT).encode() + b","), seal],
        lambda head, body, seal: [head, encode(b"[]"), seal],
        lambda head, body, seal: [encode(b"[]"), body, seal],
        lambda head, body, seal: [encode(b'{"alg":"none","alg":"ES256"}'), body, seal],
        lambda head, body, seal: [head, json.dumps(DOCUMENT), seal],
    ],
)
def test_what_is_no_strict_compact_token_is_refused(mangle):
    """Parts too few or too many, padding, detached or unencoded payloads, duplicate members."""
    content = ".".join(mangle(*forge().decode().split(".")))
    with pytest.raises(Malformed):
        Token.parse(content, CREDENTIAL_TOKEN)
    with pytest.raises(Malformed):
        Token.parse(content.encode(), CREDENTIAL_TOKEN)


def test_two_spellings_of_one_token_are_not_both_taken():
    """The last character's unused bits must be zero."""
    head, body, seal = forge().decode().split(".")
    other = chr(ord(seal[-1]) + 1)
    refused("token", Malformed, Token.parse, f"{head}.{body}.{seal[:-1]}{other}", CREDENTIAL_TOKEN)


def test_size_is_bounded_before_anything_is_decoded():
    """Of the whole, of the payload and of the header."""
    refused("too-large", LimitExceeded, Token.parse, b"a" * 500_000, CREDENTIAL_TOKEN)
    refused("too-large", LimitExceeded, Token.parse, forge(), CREDENTIAL_TOKEN, max_bytes=200)
    long = forge({"x": "y" * 5000})
    refused("too-large", LimitExceeded, Token.parse, long, CREDENTIAL_TOKEN)


def test_nothing_of_a_token_shows_in_its_repr():
    """It may be a child's."""
    assert "example" not in repr(Token.parse(forge(), CREDENTIAL_TOKEN))


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_one_changed_character_fails(data):
    """Whichever part it is in."""
    content = forge()
    position = data.draw(st.integers(0, len(content) - 1))
    byte = data.draw(st.integers(0, 255).filter(lambda it: it != content[position]))
    changed = content[:position] + bytes([byte]) + content[position + 1 :]
    from securing.conftest import resolve_did_key

    demand = ProofDemand(suites=frozenset(ALGORITHMS), at=AT)
    with pytest.raises(VcidError):
        verify_token(
            Token.parse(changed, CREDENTIAL_TOKEN),
            resolve=resolve_did_key,
            demand=demand,
            contexts=Contexts.carried(),
        )


@settings(max_examples=200, deadline=None)
@given(
    st.binary() | st.text() | st.from_regex(r"[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*\.[A-Za-z0-9_-]*", fullmatch=True)
)
def test_arbitrary_input_raises_only_what_is_promised(content):
    """Bytes, text, and what looks like a token."""
    with contextlib.suppress(VcidError):
        Token.parse(content, CREDENTIAL_TOKEN)

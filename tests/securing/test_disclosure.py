"""Base documents: made by an issuer, checked and kept by a holder, and shown in part."""

import json
import random
from datetime import UTC, datetime
from pathlib import Path

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcid.encoding.contexts import Contexts
from vcid.encoding.multikey import KeyType, decode_multibase, encode_multibase
from vcid.errors import InvalidProof, InvalidRecord, LimitExceeded, Malformed, VcidError
from vcid.keys.signing import LocalSigner
from vcid.securing.data_integrity import ProofDemand, ProofOptions, add_proof, verify_proof
from vcid.securing.disclosure import BaseDocument, add_base_proof, get_restricting_pointers
from vcid.securing.ecdsa_sd_values import BaseProofValue, DerivedProofValue

AT = datetime(2025, 6, 1, tzinfo=UTC)
SUITE = "ecdsa-sd-2023"
TERMS = "https://example.org/terms/v1"
DEFINITIONS = {
    "@protected": True,
    "ex": "https://example.org/#",
    **{
        term: f"ex:{term}"
        for term in ("Person", "Award", "Holder", "label", "home", "street", "award", "motto", "nick")
    },
    "born": {"@id": "ex:born", "@type": "http://www.w3.org/2001/XMLSchema#date"},
    "rank": "ex:rank",
    "texts": {"@id": "ex:texts", "@container": "@language"},
}
KNOWN = Contexts.carried().with_context(TERMS, {"@context": DEFINITIONS})
SIGNER = LocalSigner.from_private_bytes(KeyType.P256, b"\x07" * 32)
DEMAND = ProofDemand(suites=frozenset({SUITE}), at=AT)


def credential(context=TERMS):
    """A credential of every shape: each undisclosed text or number bears a mark of its own."""
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2", context],
        "id": "urn:example:credential",
        "type": ["VerifiableCredential"],
        "issuer": {"id": "https://issuer.example/", "name": "mark01"},
        "validFrom": "2024-01-01T00:00:00Z",
        "validUntil": "2030-01-01T00:00:00Z",
        "credentialSubject": [
            {
                "type": ["Person", "Holder"],
                "label": {"@value": "mark02", "@language": "fr"},
                "motto": [{"@value": "mark03", "@language": "en"}, {"@value": "mark04", "@language": "sw"}],
                "nick": ["mark05", "mark06", "mark07"],
                "born": "1999-12-08",
                "rank": 770_009,
                "texts": {"en": "mark10", "id": "mark11"},
                "home": {"street": "mark12", "label": "mark13"},
                "award": [
                    {"type": "Award", "label": "same", "home": {"street": "mark14"}},
                    {"type": "Award", "label": "same", "home": {"street": "mark14"}},
                    {"type": "Award", "label": "mark15"},
                    {"id": "urn:example:award", "label": "mark16"},
                ],
            },
            {"id": "urn:example:second", "type": "Person", "label": "mark17", "rank": 770_018},
        ],
    }


def options(signer=SIGNER, **changes):
    multikey = signer.public_key.multikey
    url = f"did:key:{multikey}#{multikey}"
    return ProofOptions(verification_method=url, cryptosuite=SUITE, created=AT, **changes)


def issue(mandatory=("/issuer",), document=None, **changes):
    return add_base_proof(
        document or credential(),
        SIGNER,
        options(**changes, unsafe_exact_pointers=True),
        mandatory_pointers=mandatory,
        contexts=KNOWN,
    )


@pytest.fixture
def check(resolve):
    def run(shown, demand=DEMAND):
        return verify_proof(shown, resolve=resolve, demand=demand, contexts=KNOWN)

    return run


def leaves(value, path=()):
    if isinstance(value, dict) and "@value" not in value:
        members = value.items()
    elif isinstance(value, list):
        members = enumerate(value)
    else:
        yield path, value
        return
    for step, member in members:
        if step != "@context":
            yield from leaves(member, (*path, step))


def all_paths(value, path=()):
    if path:
        yield path
    members = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for step, member in members:
        if step != "@context" and "@" not in str(step):
            yield from all_paths(member, (*path, step))


def write(path):
    return "".join(f"/{step}" for step in path)


ALL_PATHS = tuple(all_paths(credential()))


def is_shown(path, chosen):
    """The rule that the tests know: what lies under a target, and names and types of objects on the way."""
    if any(path[: len(target)] == target for target in chosen):
        return True
    owner = path[: path.index("type")] if "type" in path else path[:-1] if path[-1] == "id" else None
    if owner and owner[-1] == "texts":  # a language, not an identifier
        return False
    return owner is not None and any(target[: len(owner)] == owner for target in chosen)


def text_of(value):
    return str(value["@value"] if isinstance(value, dict) else value)


def assert_shows(shown, chosen):
    """What was chosen is there, and what was not is nowhere in the bytes, in plain or inside the proof."""
    everything = json.dumps(shown).encode() + decode_multibase(
        shown["proof"]["proofValue"], bases="u", max_chars=1 << 20
    )
    visible = {text_of(value) for path, value in leaves(credential()) if is_shown(path, chosen)}
    for path, value in leaves(credential()):
        text = text_of(value)
        assert (text.encode() in everything) is (text in visible), path


def sample(source):
    return tuple(source.sample(ALL_PATHS, source.randrange(0, 6)))


@pytest.mark.parametrize("seed", range(200))
def test_what_is_not_disclosed_is_nowhere(check, seed):
    """For 200 sets of pointers, what is derived verifies, shows what was chosen and nothing besides."""
    source = random.Random(seed)
    mandatory = sample(source)
    selective = sample(source) or (("issuer",),)
    base = issue([write(path) for path in mandatory])
    shown = base.derive([write(path) for path in selective], contexts=KNOWN)
    assert_shows(shown, (*mandatory, *selective))
    verified = check(shown)
    assert verified.document == {name: member for name, member in shown.items() if name != "proof"}


@pytest.mark.parametrize("seed", range(20))
def test_a_base_document_is_checked_before_it_is_kept(resolve, seed):
    """What an issuer made holds for the holder, and not after any of its statements changed."""
    source = random.Random(seed)
    base = issue([write(path) for path in sample(source)])
    base.verify(resolve=resolve, demand=DEMAND, contexts=KNOWN)
    content = base.to_json()
    content["credentialSubject"][1]["label"] = "another"
    with pytest.raises(InvalidProof):
        BaseDocument.from_json(content).verify(resolve=resolve, demand=DEMAND, contexts=KNOWN)


def mutants(shown):
    """Every way to change, drop or add one member or item of what is shown."""
    for path in all_paths({name: member for name, member in shown.items() if name != "proof"}):
        for kind in ("change", "drop", "add"):
            mutant = json.loads(json.dumps(shown))
            inner = mutant
            for step in path[:-1]:
                inner = inner[step]
            target = inner[path[-1]]
            if kind == "drop":
                del inner[path[-1]]
            elif kind == "change" and isinstance(target, str | int):
                inner[path[-1]] = f"{target}x" if isinstance(target, str) else target + 1
            elif kind == "add" and isinstance(target, dict) and "@value" not in target:
                target["nick"] = ["forged", *target.get("nick", [])]
            else:
                continue
            yield path, kind, mutant


def test_no_statement_can_be_changed_dropped_or_added(check):
    """Every change to what is shown makes the proof fail, mandatory or not."""
    base = issue(["/issuer", "/validFrom", "/credentialSubject/0/home"])
    shown = base.derive(["/credentialSubject/0/award", "/credentialSubject/1"], contexts=KNOWN)
    check(shown)
    tried = 0
    for path, kind, mutant in mutants(shown):
        tried += 1
        with pytest.raises(VcidError):
            pytest.fail(f"{kind} at {path} passed: {check(mutant).document}")
    assert tried > 50


def test_what_is_mandatory_is_always_shown(check):
    """A holder who selects something else still shows what the issuer made mandatory."""
    base = issue(["/issuer", "/validUntil", "/credentialSubject/0/award/1"])
    assert base.mandatory_pointers == ("/issuer", "/validUntil", "/credentialSubject/0/award/1")
    for selective in ([], ["/credentialSubject/1/rank"]):
        shown = base.derive(selective, contexts=KNOWN)
        assert shown["issuer"] == credential()["issuer"]
        assert shown["validUntil"] == credential()["validUntil"]
        assert shown["credentialSubject"][0]["award"] == credential()["credentialSubject"][0]["award"][1:2]
        check(shown)


def test_mandatory_statements_cannot_be_passed_off_as_selective(check):
    """Leaving out a mandatory statement and its index leaves a hash that was never signed."""
    shown = issue(["/issuer", "/validUntil"]).derive(["/validFrom"], contexts=KNOWN)
    value = DerivedProofValue.parse(shown["proof"]["proofValue"])
    document = {name: member for name, member in shown.items() if name != "validUntil"}
    for indexes in (
        value.mandatory_indexes[:-1],
        value.mandatory_indexes[1:],
        range(len(value.mandatory_indexes) - 1),
    ):
        forged = DerivedProofValue(
            value.base_signature, value.public_key, value.signatures, value.label_map, tuple(indexes)
        )
        proof = {**shown["proof"], "proofValue": forged.serialize()}
        with pytest.raises(InvalidProof):
            check({**document, "proof": proof})


def test_statements_of_two_credentials_do_not_mix(check):
    """A statement signed in one credential has no place in another of the same issuer."""
    first, second = (issue().derive(["/validFrom"], contexts=KNOWN) for _ in range(2))
    values = [DerivedProofValue.parse(shown["proof"]["proofValue"]) for shown in (first, second)]
    mixed = DerivedProofValue(
        values[0].base_signature,
        values[0].public_key,
        values[1].signatures,
        values[0].label_map,
        values[0].mandatory_indexes,
    )
    with pytest.raises(InvalidProof) as caught:
        check({**first, "proof": {**first["proof"], "proofValue": mixed.serialize()}})
    assert caught.value.code == "bad-statement-signature"


def test_keys_are_made_for_one_proof_and_not_kept():
    """Two proofs of one document share neither HMAC key, proof key, labels nor signatures."""
    values = [BaseProofValue.parse(issue().to_json()["proof"]["proofValue"]) for _ in range(2)]
    assert values[0].hmac_key != values[1].hmac_key
    assert values[0].public_key != values[1].public_key
    assert not set(values[0].signatures) & set(values[1].signatures)
    shown = [issue().derive(["/credentialSubject"], contexts=KNOWN) for _ in range(2)]
    labels = [set(DerivedProofValue.parse(one["proof"]["proofValue"]).label_map.values()) for one in shown]
    assert labels[0]
    assert not labels[0] & labels[1]


RESTRICTING = {
    "issuer": {"id": "did:example:issuer"},
    "validFrom": "2026-01-01T00:00:00Z",
    "validUntil": "2036-01-01T00:00:00Z",
    "credentialStatus": {"type": "BitstringStatusListEntry", "statusListIndex": "7"},
    "credentialSchema": {"id": "https://example.com/schema", "type": "JsonSchema"},
    "termsOfUse": {"type": "https://example.com/terms", "id": "https://example.com/terms/1"},
}


def test_no_holder_can_leave_out_what_restricts(check):
    """With no pointer of the issuer's, who says it, how long, its status, schema and terms are shown whole."""
    document = {**credential(), **RESTRICTING}
    base = add_base_proof(document, SIGNER, options(), contexts=KNOWN)
    assert set(base.mandatory_pointers) == {f"/{name}" for name in RESTRICTING}
    shown = base.derive(["/credentialSubject/0/rank"], contexts=KNOWN)
    assert {name: shown[name] for name in RESTRICTING} == RESTRICTING
    assert shown["type"] == document["type"]
    for name in RESTRICTING:
        without = {member: value for member, value in shown.items() if member != name}
        with pytest.raises(InvalidProof):
            check(without)


def test_leaving_out_what_restricts_has_to_be_allowed_by_name(check):
    """What the issuer names is mandatory besides; and it alone where he asks for that in so many words."""
    document = {**credential(), **RESTRICTING}
    named = ["/credentialSubject/0/rank", "/validUntil"]
    base = add_base_proof(document, SIGNER, options(), mandatory_pointers=named, contexts=KNOWN)
    assert set(base.mandatory_pointers) == {*named, *(f"/{name}" for name in RESTRICTING)}
    exact = issue(["/issuer"], document)
    assert exact.mandatory_pointers == ("/issuer",)
    shown = exact.derive(["/credentialSubject/0/rank"], contexts=KNOWN)
    assert "validUntil" not in check(shown).document


def test_the_private_key_of_a_proof_is_in_no_bytes():
    """Of the randomness drawn, the HMAC key is in the base proof, and the private key nowhere."""
    drawn = []

    def draw(size):
        drawn.append(bytes([len(drawn) + 1]) * size)
        return drawn[-1]

    base = add_base_proof(
        credential(), SIGNER, options(), mandatory_pointers=["/issuer"], contexts=KNOWN, random=draw
    )
    content = decode_multibase(base.to_json()["proof"]["proofValue"], bases="u", max_chars=1 << 20)
    assert [data in content for data in drawn] == [True, False]
    shown = base.derive(["/credentialSubject"], contexts=KNOWN)
    content = decode_multibase(shown["proof"]["proofValue"], bases="u", max_chars=1 << 20)
    assert [data in content for data in drawn] == [False, False]


def test_a_private_key_out_of_range_is_drawn_again():
    """Randomness above the order of the curve makes no key; the next draw does."""
    draws = iter([b"\x01" * 32, b"\xff" * 32, bytes(32), b"\x02" * 32])
    add_base_proof(
        credential(),
        SIGNER,
        options(),
        mandatory_pointers=["/issuer"],
        contexts=KNOWN,
        random=lambda _size: next(draws),
    )
    assert next(draws, None) is None


FOREIGN = json.loads(Path(__file__).with_name("sd_foreign.json").read_bytes())


@pytest.mark.parametrize("case", FOREIGN)
def test_an_independent_implementation_is_understood(check, resolve, case):
    """What another implementation issued holds, derives to the same document, and verifies as it derived it.

    Its mandatory pointers go into one of two equal objects, which both sides have to take for the same one.
    """
    base = BaseDocument.from_json({**credential(), "proof": case["proof"]})
    base.verify(resolve=resolve, demand=DEMAND, contexts=KNOWN)
    check(case["derived"])
    shown = base.derive(case["pointers"], contexts=KNOWN)
    check(shown)
    assert {**shown, "proof": None} == {**case["derived"], "proof": None}


def test_a_base_proof_is_not_shown(check):
    """A verifier refuses a document with its base proof, whoever sends it."""
    with pytest.raises(InvalidProof) as caught:
        check(issue().to_json())
    assert caught.value.code == "base-proof"


def test_nothing_derives_from_what_was_derived():
    """A derived document is no base document."""
    shown = issue().derive(["/validFrom"], contexts=KNOWN)
    with pytest.raises(InvalidProof) as caught:
        BaseDocument.from_json(shown)
    assert caught.value.code == "derived-proof"


def test_plain_proofs_are_no_base_proofs():
    """Neither another suite's proof nor none makes a base document."""
    signer = LocalSigner.from_private_bytes(KeyType.ED25519, b"\x07" * 32)
    url = f"did:key:{signer.public_key.multikey}#{signer.public_key.multikey}"
    plain = add_proof(credential(), signer, ProofOptions(verification_method=url), contexts=KNOWN)
    base = issue().to_json()
    for document, code in (
        (plain, "suite-not-selective"),
        (credential(), "proof-missing"),
        ({**base, "proof": [base["proof"], base["proof"]]}, "several-proofs"),
    ):
        with pytest.raises(InvalidProof) as caught:
            BaseDocument.from_json(document)
        assert caught.value.code == code


def test_a_base_document_shows_nothing_of_itself():
    """Its text forms name the suite alone, and reading gives what was written."""
    base = issue()
    for text in (repr(base), str(base), f"{base}"):
        assert text == "<BaseDocument under ecdsa-sd-2023>"
    again = BaseDocument.from_json(json.loads(json.dumps(base.to_json())))
    assert again.to_json() == base.to_json()


def test_a_base_document_is_its_own():
    """Neither what it was made of, nor what it gives, is tied to it."""
    document = credential()
    base = issue(document=document)
    document["issuer"]["name"] = "other"
    base.to_json()["issuer"]["name"] = "other"
    base.derive(["/issuer"], contexts=KNOWN)["issuer"]["name"] = "other"
    assert base.to_json()["issuer"]["name"] == "mark01"


def test_an_inline_context_needs_a_caller_who_allows_it(check, resolve):
    """A credential with terms of its own can be disclosed in part, where spelling is not judged."""
    document = credential(DEFINITIONS)
    with pytest.raises(Malformed) as caught:
        issue(document=document)
    assert caught.value.code == "inline-context"
    base = issue(document=document, unsafe_any_json_ld=True)
    free = ProofDemand(suites=frozenset({SUITE}), at=AT, unsafe_any_json_ld=True)
    base.verify(resolve=resolve, demand=free, contexts=KNOWN)
    shown = base.derive(["/credentialSubject/0/motto/1", "/credentialSubject/1/label"], contexts=KNOWN)
    assert check(shown, free).document["credentialSubject"][0]["motto"] == [
        {"@value": "mark04", "@language": "sw"}
    ]
    for verify in (check, lambda shown: base.verify(resolve=resolve, demand=DEMAND, contexts=KNOWN)):
        with pytest.raises(Malformed) as caught:
            verify(shown)
        assert caught.value.code == "inline-context"


def test_faulty_pointers_are_told_to_issuer_and_holder():
    """Pointers that select nothing are refused on both sides, all together."""
    bad = ["/nowhere", "/credentialSubject/2", "/@context/0"]
    for act in (lambda: issue(bad), lambda: issue().derive(bad, contexts=KNOWN)):
        with pytest.raises(InvalidRecord) as caught:
            act()
        assert [error.path for error in caught.value.errors] == bad
    with pytest.raises(Malformed) as caught:
        issue([]).derive([], contexts=KNOWN)
    assert caught.value.code == "nothing-selected"


def test_misuse_is_refused():
    """A key of another kind, a plain suite, a proof already there, a chain, a header that nothing binds."""
    other = LocalSigner.from_private_bytes(KeyType.P384, b"\x07" * 48)
    kwargs = {"mandatory_pointers": ["/issuer"], "contexts": KNOWN}
    with pytest.raises(ValueError, match="not signed with keys of this kind"):
        add_base_proof(credential(), other, options(), **kwargs)
    plain = ProofOptions(verification_method="did:key:z", cryptosuite="ecdsa-rdfc-2019")
    with pytest.raises(ValueError, match="selective disclosure"):
        add_base_proof(credential(), SIGNER, plain, **kwargs)
    with pytest.raises(ValueError, match="builds on no other"):
        add_base_proof(credential(), SIGNER, options(previous_proof="urn:x:y"), **kwargs)
    with pytest.raises(ValueError, match="base proof"):
        add_proof(credential(), SIGNER, options(), contexts=KNOWN)
    with pytest.raises(Malformed, match="already-secured"):
        add_base_proof(issue().to_json(), SIGNER, options(), **kwargs)
    with pytest.raises(ValueError, match="presentation header"):
        issue().derive(["/issuer"], contexts=KNOWN, presentation_header=b"x")


def test_a_demand_is_met_before_a_base_document_is_kept(resolve):
    """Purpose, suite and dates are judged for the holder as for a verifier."""
    base = issue()
    for changes, code in (
        ({"purpose": "authentication"}, "wrong-purpose"),
        ({"suites": frozenset({"bbs-2023"})}, "suite-not-allowed"),
        ({"at": datetime(2024, 1, 1, tzinfo=UTC)}, "created-in-future"),
    ):
        demand = ProofDemand(**{"suites": frozenset({SUITE}), "at": AT, **changes})
        with pytest.raises(InvalidProof) as caught:
            base.verify(resolve=resolve, demand=demand, contexts=KNOWN)
        assert caught.value.code == code


def test_what_restricts_a_credential_is_named():
    """The pointers that belong among the mandatory ones are those that the credential has."""
    assert get_restricting_pointers(credential()) == ("/issuer", "/validFrom", "/validUntil")
    assert get_restricting_pointers({**credential(), "credentialStatus": {}})[-1] == "/credentialStatus"


SHOWN = issue().derive(["/validFrom"], contexts=KNOWN)
BASE = issue().to_json()


def parse_both(text):
    for parse in (DerivedProofValue.parse, BaseProofValue.parse):
        try:
            parse(text)
        except VcidError:
            continue


@given(st.text() | st.text(alphabet="uz09AZ_-").map(lambda text: "u" + text))
def test_any_text_is_a_proof_value_or_refused(text):
    """No text makes reading a proof value fail in another way."""
    parse_both(text)


@given(st.binary(), st.sampled_from([b"\xd9\x5d\x00", b"\xd9\x5d\x01"]))
def test_any_bytes_after_a_header_are_refused_as_such(content, header):
    """No bytes make the reading of CBOR fail in another way."""
    parse_both(encode_multibase(header + content, "u"))


@given(st.integers(min_value=0), st.integers(min_value=0, max_value=255), st.sampled_from([SHOWN, BASE]))
def test_changed_bytes_are_refused_or_another_value(place, byte, secured):
    """A byte changed anywhere in a proof value leaves VcidError, or a value that writes itself back."""
    content = bytearray(decode_multibase(secured["proof"]["proofValue"], bases="u", max_chars=1 << 20))
    content[place % len(content)] = byte
    text = encode_multibase(bytes(content), "u")
    for kind in (DerivedProofValue, BaseProofValue):
        try:
            value = kind.parse(text)
        except VcidError:
            continue
        assert kind.parse(value.serialize()) == value


@pytest.mark.parametrize(
    "damage",
    [
        lambda c: c + b"\x00",
        lambda c: c[:-1],
        lambda c: b"",
        lambda c: b"\x9f" + c[1:] + b"\xff",
        lambda c: b"\x98\x05" + c[1:],
        lambda c: b"\xc1" + c,
        lambda c: b"\xd8\x1c" + c,
        lambda c: b"\x85" + b"\xd8\x23" + cbor2.dumps("(a+)+$") + c[1:],
        lambda c: b"\x85" + b"\x9b" + b"\xff" * 8 + c[1:],
        lambda c: b"\x81" * 600 + c,
        lambda c: b"\xa1" + c + b"\x00",
        lambda c: b"\x85\xa2\x01\x01\x01\x01" + c[1:],
    ],
)
def test_only_strict_cbor_is_read(damage):
    """Trailing and missing bytes, indefinite or long lengths, tags, depth and repeated keys are refused."""
    for secured, kind in ((SHOWN, DerivedProofValue), (BASE, BaseProofValue)):
        content = decode_multibase(secured["proof"]["proofValue"], bases="u", max_chars=1 << 20)
        with pytest.raises(Malformed) as caught:
            kind.parse(encode_multibase(content[:3] + damage(content[3:]), "u"))
        assert caught.value.code == "proof-value-malformed"
        assert caught.value.where == "/proof/proofValue"


def test_a_proof_value_is_bounded():
    """A text too long for any document's proof is refused unread."""
    with pytest.raises(LimitExceeded):
        DerivedProofValue.parse("u" + "A" * (1 << 20))


def test_labels_may_come_in_any_order(check):
    """A map's keys have no order: implementations write them as they come."""
    shown = issue().derive(["/credentialSubject"], contexts=KNOWN)
    content = decode_multibase(shown["proof"]["proofValue"], bases="u", max_chars=1 << 20)
    components = cbor2.loads(content[3:])
    components[3] = dict(reversed(components[3].items()))
    text = encode_multibase(content[:3] + cbor2.dumps(components), "u")
    assert text != shown["proof"]["proofValue"]
    check({**shown, "proof": {**shown["proof"], "proofValue": text}})

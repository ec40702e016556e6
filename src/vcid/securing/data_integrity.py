"""Data Integrity proofs: add one to a document, verify those it has, and give back only what they cover.

Follows Verifiable Credential Data Integrity 1.0 (W3C Recommendation): "Proofs" for the shape, "Add Proof",
"Add Proof Set/Chain", "Verify Proof", "Verify Proof Sets and Chains" and "Context Validation" for the steps,
with the cryptosuites of `vcid.securing.cryptosuites`. The caller's allow-list chooses suites, never the
document; a verified document is rebuilt from the bytes that the signature covers, so nothing of what was
received is left in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Final

import orjson

from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import decode_multibase, encode_multibase
from vcid.errors import InvalidProof, Malformed, Unavailable
from vcid.keys.signing import PublicKey
from vcid.securing.context_validation import check_context_size, check_meaning, check_spelling
from vcid.securing.cryptosuites import (
    DATA_INTEGRITY_V2,
    SIGNATURE_BYTES,
    SUITES,
    RdfForms,
    Suite,
    transform,
)
from vcid.securing.proof import (
    Method,
    ProofDemand,
    ProofOptions,
    VerificationKey,
    VerifiedProof,
    VerifiedProofs,
    check_proof_spelling,
    get_text,
)
from vcid.securing.proof_sets import MAX_PROOFS, ProofSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject
    from vcid.encoding.multikey import KeyType
    from vcid.keys.signing import Signer

__all__ = [
    "MAX_PROOFS",
    "SUITES",
    "Method",
    "ProofDemand",
    "ProofOptions",
    "Suite",
    "VerificationKey",
    "VerifiedProof",
    "VerifiedProofs",
    "add_proof",
    "verify_proof",
    "verify_proofs",
]

# Contexts that already define the terms of a Data Integrity proof ("Context Injection").
_DEFINE_PROOFS: Final = frozenset(
    {
        "https://www.w3.org/ns/credentials/v2",
        "https://w3id.org/security/data-integrity/v1",
        DATA_INTEGRITY_V2,
    }
)
# The characters of the longest signature: 96 bytes of base58 take 132, ML-DSA's 2420 of base64url 3227.
_MAX_PROOF_VALUE: Final = {"z": 140, "u": 3240}


def add_proof(
    document: JsonObject, signer: Signer, options: ProofOptions, *, contexts: Contexts
) -> JsonObject:
    """Secure a document with a proof (sections "Context Injection", "Add Proof" and "Add Proof Set/Chain").

    A document that has proofs already keeps them, and the new one joins their set; with ``previous_proof`` in
    the options it also covers those that it names. The result is a new object, rebuilt from what was signed;
    the argument is left as it is.

    Raises:
        ValueError: the signer's key does not fit the suite that the options name, or the suite is selective.
        InvalidProof: ``previous-proof-missing``.
        Malformed: the document has no canonical form, its contexts would not pass validation, or what stands
            there as its proof is none; LimitExceeded where it has as many proofs as are allowed.
        InvalidRecord: the document uses terms that its contexts leave undefined.
    """
    suite, key_type = SUITES[options.cryptosuite], signer.public_key.key_type
    if suite.is_selective:
        raise ValueError(f"{suite.name} begins with a base proof: see vcid.securing.disclosure")
    if key_type not in suite.hashes:
        raise ValueError(f"{suite.name} is not signed with {key_type.value} keys")
    existing = _existing_proofs(document)
    proof = options.to_proof()
    joined = ProofSet.of({"proof": [*existing, proof]})
    unsecured = inject_context(_without_proof(document), suite)
    if suite.canonicalization == "jcs" and "@context" in unsecured:
        # Not needed for a proof that stays alone, but strongly advised: who adds a proof to it later
        # may have to append a context ("Create Proof", step 2).
        proof["@context"] = unsecured["@context"]
    if previous := joined.previous(proof):
        unsecured["proof"] = [*previous]
    covered = _cover(unsecured, proof, suite=suite, key_type=key_type, forms=RdfForms(contexts))
    signed = _without_proof(covered.document)
    _validate_contexts(signed, suite, contexts, unsafe_any_json_ld=options.unsafe_any_json_ld)
    added = {
        **covered.proof,
        "proofValue": encode_multibase(signer.sign(covered.hash_data), suite.value_base),
    }
    return {**signed, "proof": [*existing, added] if existing else added}


def verify_proof(
    secured: JsonObject,
    *,
    resolve: Callable[[str, str], Method],
    demand: ProofDemand,
    contexts: Contexts,
) -> VerifiedProof:
    """Verify the one proof of a document, as `verify_proofs` does; arguments and errors are the same.

    Raises:
        InvalidProof: ``several-proofs``, where there are more.
    """
    if isinstance(proofs := secured.get("proof"), list) and len(proofs) > 1:
        raise InvalidProof("several-proofs", "a document with one proof is expected")
    (verified,) = verify_proofs(secured, resolve=resolve, demand=demand, contexts=contexts).proofs
    return verified


def verify_proofs(
    secured: JsonObject,
    *,
    resolve: Callable[[str, str], Method],
    demand: ProofDemand,
    contexts: Contexts,
) -> VerifiedProofs:
    """Verify the proofs of a document (sections "Verify Proof Sets and Chains" and "Context Validation").

    Every proof in a suite that the caller allows must hold; the others are not looked at. Cheap checks come
    first, and the work before a signature is known to be good is linear in the document's size, or counted
    (RDF suites). However many proofs there are, the document is transformed once for all that cover the same,
    and a few times at most (`vcid.securing.cryptosuites.RdfForms`). The steps, from 3 on for each proof:

    1. contexts and proofs are few enough; the proofs to be verified have the right shape and are what the
       caller demands: suite, purpose, domain, challenge, dates;
    2. what they build on is there, allowed, and without circles;
    3. the document that the proof would cover, with the proofs that it builds on, in the proof's own contexts
       where a JCS proof names them;
    4. resolve the verification method, which must be in force and whose key must fit the suite;
    5. transform, hash and verify the signature;
    6. all proofs cover the same document;
    7. validate the contexts of the document that was verified, once for each canonicalization.

    Args:
        secured: the document as received; it is only read.
        resolve: gives the verification method for its URL and a proof purpose, or raises.
        demand: what the proofs must be.
        contexts: the JSON-LD contexts that the caller knows.

    Raises:
        Malformed: a proof or the document is no such thing, or its contexts are not valid.
        InvalidProof: a proof does not hold, or is not what was demanded; ``code`` says which step failed.
            ``suite-unavailable`` says that a package for the suite is not installed, and nothing was decided.
        InvalidRecord: the document uses terms that its contexts leave undefined.
        ResolutionFailed: as ``resolve`` raises it.
    """
    check_context_size(secured)
    proofs = ProofSet.of(secured)
    forms, validated = RdfForms(contexts), set[str]()
    held: list[VerifiedProof] = []
    for proof, suite in proofs.choose(demand):
        unsecured = _unsecure(secured, proof, suite, proofs.previous(proof))
        method = resolve(get_text(proof, "verificationMethod"), demand.purpose)
        check_method(method, suite, demand)
        verify = _verify_derived if suite.is_selective else _verify_signature
        covered = verify(unsecured, proof, suite=suite, key=method.public_key, forms=forms)
        document = _without_proof(covered.document)
        if held and document != held[0].document:
            raise InvalidProof("documents-differ", "the proofs must all cover the same document")
        if suite.canonicalization not in validated:
            _validate_contexts(document, suite, contexts, unsafe_any_json_ld=demand.unsafe_any_json_ld)
            validated.add(suite.canonicalization)
        if suite.canonicalization == "rdfc" and not demand.unsafe_any_json_ld:
            check_proof_spelling(covered.proof)
        held.append(VerifiedProof(document, covered.proof, method, suite.name))
    return VerifiedProofs(held[0].document, tuple(held))


def _validate_contexts(
    document: JsonObject, suite: Suite, contexts: Contexts, *, unsafe_any_json_ld: bool
) -> None:
    if suite.canonicalization == "jcs":
        check_meaning(document, contexts=contexts)
    elif not unsafe_any_json_ld:
        check_spelling(document)


@dataclass(frozen=True, slots=True)
class _Covered:
    """What a signature covers: private copies of document and proof, and the bytes that get signed."""

    document: JsonObject
    proof: JsonObject
    hash_data: bytes


def _cover(
    document: JsonObject, proof_config: JsonObject, *, suite: Suite, key_type: KeyType, forms: RdfForms
) -> _Covered:
    """Transform and hash a document and its proof without ``proofValue``, and rebuild both from the bytes."""
    if suite.canonicalization == "rdfc":
        # N-Quads can't be turned back into the document, so that private copies are what gets transformed.
        # The proof's own context is not covered: the document's stands in its place.
        proof_config = {name: member for name, member in proof_config.items() if name != "@context"}
        document, proof_config = _rebuild(canonicalize(document)), _rebuild(canonicalize(proof_config))
    done = transform(document, proof_config, suite=suite, key_type=key_type, forms=forms)
    if suite.canonicalization == "jcs":
        document, proof_config = _rebuild(done.document), _rebuild(done.proof_config)
    return _Covered(document, proof_config, done.hash_data)


def _rebuild(canonical: bytes) -> JsonObject:
    # What our own writer wrote is strict and bounded already, so the checks of reading are spared.
    document: JsonObject = orjson.loads(canonical)
    return document


def _existing_proofs(document: JsonObject) -> list[JsonObject]:
    """Copy the proofs that a document has already, if any."""
    if "proof" not in document:
        return []
    return [_rebuild(canonicalize(proof)) for proof in ProofSet.of(document).proofs]


def _without_proof(document: JsonObject) -> JsonObject:
    return {name: value for name, value in document.items() if name != "proof"}


def _unsecure(secured: JsonObject, proof: JsonObject, suite: Suite, previous: list[JsonObject]) -> JsonObject:
    """Take the proofs away but for those that this one builds on, in the proof's own contexts if it has any.

    The contexts that a JCS proof names must be the first of the document's ("Verify Proof" of the JCS suites,
    step 4): those that somebody appended later are thereby left out, with all that they would redefine.
    """
    unsecured = _without_proof(secured)
    if previous:
        unsecured["proof"] = [*previous]
    if suite.canonicalization == "jcs" and "@context" in proof:
        covered, present = _as_list(proof["@context"]), _as_list(secured.get("@context", []))
        if present[: len(covered)] != covered:
            raise InvalidProof("context-mismatch", "the document's contexts must begin with the proof's")
        unsecured["@context"] = proof["@context"]
    return unsecured


def _as_list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def check_method(method: Method, suite: Suite, demand: ProofDemand) -> None:
    """Refuse a method that was not in force, or whose key is of another kind than the suite's."""
    if method.public_key.key_type not in suite.hashes:
        raise InvalidProof("key-type-not-allowed", f"{suite.name} is not signed with keys of this kind")
    if method.revoked is not None and method.revoked <= demand.at:
        raise InvalidProof("key-revoked", "the verification method was revoked")
    if method.expires is not None and method.expires <= demand.at:
        raise InvalidProof("key-expired", "the verification method had expired")


def _verify_signature(
    unsecured: JsonObject, proof: JsonObject, *, suite: Suite, key: VerificationKey, forms: RdfForms
) -> _Covered:
    """Verify under a plain suite, and return what the signature covers, ``proofValue`` put back beside it."""
    if not isinstance(key, PublicKey):
        raise TypeError("a method of this kind of key has a PublicKey")
    value = get_text(proof, "proofValue")
    signature = _decode_proof_value(value, suite.value_base, SIGNATURE_BYTES[key.key_type])
    config = {name: member for name, member in proof.items() if name != "proofValue"}
    covered = _cover(unsecured, config, suite=suite, key_type=key.key_type, forms=forms)
    key.verify(signature, covered.hash_data)
    covered.proof["proofValue"] = value
    return covered


def _decode_proof_value(text: str, base: str, size: int) -> bytes:
    try:
        signature = decode_multibase(text, bases=base, max_chars=_MAX_PROOF_VALUE[base])
    except Malformed as error:
        raise Malformed(error.code, error.expected, where="/proof/proofValue") from None
    if len(signature) != size:
        raise Malformed("proof-value-length", f"{size} bytes in base {base}", where="/proof/proofValue")
    return signature


def _verify_derived(
    unsecured: JsonObject, proof: JsonObject, *, suite: Suite, key: VerificationKey, forms: RdfForms
) -> _Covered:
    """Verify what a holder derived under a selective suite, and return private copies of what it covers."""
    value = get_text(proof, "proofValue")
    if _header(value) in suite.base_headers:
        raise InvalidProof("base-proof", "a base proof is its holder's alone: derive a proof from it to show")
    config = {name: member for name, member in proof.items() if name not in ("@context", "proofValue")}
    canonical = canonicalize(unsecured)
    forms.spend(len(canonical))
    document, config = _rebuild(canonical), _rebuild(canonicalize(config))
    try:
        import_module(suite.module).verify_derived(document, config, value, key=key, contexts=forms.contexts)
    except (ModuleNotFoundError, Unavailable) as error:
        detail = f"the package that {suite.name} needs is not installed"
        raise InvalidProof("suite-unavailable", detail) from error
    return _Covered(document, {**config, "proofValue": value}, b"")


def _header(proof_value: str) -> bytes:
    """Read the three bytes with which a selective suite's proof value says what it is."""
    try:
        return decode_multibase(proof_value[:5], bases="u")
    except Malformed as error:
        raise Malformed(error.code, error.expected, where="/proof/proofValue") from None


def inject_context(document: JsonObject, suite: Suite) -> JsonObject:
    """Append the context of a suite's proofs where a JSON-LD document has none that defines their terms."""
    if "@context" not in document:
        return document
    present = _as_list(document["@context"])
    define = _DEFINE_PROOFS if suite.context == DATA_INTEGRITY_V2 else {suite.context}
    if any(isinstance(context, str) and context in define for context in present):
        return document
    return {**document, "@context": [*present, suite.context]}

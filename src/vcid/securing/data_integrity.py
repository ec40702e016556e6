"""Data Integrity proofs: add one to a document, verify one, and give back only what it covers.

Follows Verifiable Credential Data Integrity 1.0 (W3C Recommendation): "Proofs" for the shape, "Add Proof",
"Verify Proof" and "Context Validation" for the steps, with the plain cryptosuites of
`vcid.securing.cryptosuites`. The caller's allow-list chooses suites, never the document; a verified document
is rebuilt from the bytes that the signature covers, so nothing of what was received is left in it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import orjson

from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import decode_multibase, encode_multibase
from vcid.errors import InvalidProof, Malformed
from vcid.securing.context_validation import check_meaning, check_spelling
from vcid.securing.cryptosuites import SIGNATURE_BYTES, SUITES, Suite, transform
from vcid.securing.proof import (
    Method,
    ProofDemand,
    ProofOptions,
    VerifiedProof,
    check_proof_spelling,
    check_shape,
    get_text,
    meet_demand,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JSON, JsonObject
    from vcid.encoding.multikey import KeyType
    from vcid.keys.signing import PublicKey, Signer

__all__ = [
    "SUITES",
    "Method",
    "ProofDemand",
    "ProofOptions",
    "Suite",
    "VerifiedProof",
    "add_proof",
    "verify_proof",
]

DATA_INTEGRITY_V2: Final = "https://w3id.org/security/data-integrity/v2"
# Contexts that already define the terms of a proof ("Context Injection").
_DEFINE_PROOFS: Final = frozenset(
    {
        "https://www.w3.org/ns/credentials/v2",
        "https://w3id.org/security/data-integrity/v1",
        DATA_INTEGRITY_V2,
    }
)
# 96 bytes, the longest signature, take 132 characters of base58 and one for the base.
_MAX_PROOF_VALUE: Final = 140


def add_proof(
    document: JsonObject, signer: Signer, options: ProofOptions, *, contexts: Contexts
) -> JsonObject:
    """Secure a document with one proof (sections "Context Injection" and "Add Proof").

    The result is a new object, rebuilt from what was signed; the argument is left as it is.

    Raises:
        ValueError: the signer's key does not fit the suite that the options name.
        Malformed: the document already has a proof (``already-secured``), has no canonical form, or its
            contexts would not pass validation.
        InvalidRecord: the document uses terms that its contexts leave undefined.
    """
    suite, key_type = SUITES[options.cryptosuite], signer.public_key.key_type
    if key_type not in suite.hashes:
        raise ValueError(f"{suite.name} is not signed with {key_type.value} keys")
    if "proof" in document:
        raise Malformed("already-secured", "a document without a proof", where="/proof")
    unsecured, proof = _inject_context(document), options.to_proof()
    if suite.canonicalization == "jcs" and "@context" in unsecured:
        # Not needed for a proof that stays alone, but strongly advised: who adds a proof to it later
        # may have to append a context ("Create Proof", step 2).
        proof["@context"] = unsecured["@context"]
    covered = _cover(unsecured, proof, suite=suite, key_type=key_type, contexts=contexts)
    if suite.canonicalization == "jcs":
        check_meaning(covered.document, contexts=contexts)
    elif not options.unsafe_any_json_ld:
        check_spelling(covered.document)
    proof_value = encode_multibase(signer.sign(covered.hash_data))
    return {**covered.document, "proof": {**covered.proof, "proofValue": proof_value}}


def verify_proof(
    secured: JsonObject,
    *,
    resolve: Callable[[str, str], Method],
    demand: ProofDemand,
    contexts: Contexts,
) -> VerifiedProof:
    """Verify the one proof of a document (sections "Verify Proof" and "Context Validation").

    Cheap checks come first, and the work before the signature is known to be good is linear in the document's
    size, or counted (RDF suites). The steps:

    1. take the proof; its members have the right shape;
    2. it is what the caller demands: suite, purpose, domain, challenge, dates;
    3. the document that it would cover, in the proof's own contexts where a JCS proof names them;
    4. resolve the verification method, which must be in force and whose key must fit the suite;
    5. transform, hash and verify the signature;
    6. validate the contexts of the document that was verified.

    Args:
        secured: the document as received; it is only read.
        resolve: gives the verification method for its URL and a proof purpose, or raises.
        demand: what the proof must be.
        contexts: the JSON-LD contexts that the caller knows.

    Raises:
        Malformed: the proof or document is no such thing, or its contexts are not valid.
        InvalidProof: the proof does not hold, or is not what was demanded; ``code`` says which step failed.
        InvalidRecord: the document uses terms that its contexts leave undefined.
        ResolutionFailed: as ``resolve`` raises it.
    """
    proof = _take_proof(secured)
    check_shape(proof)
    suite = meet_demand(proof, demand)
    unsecured = _unsecure(secured, proof, suite)
    method = resolve(get_text(proof, "verificationMethod"), demand.purpose)
    _check_method(method, suite, demand)
    covered = _verify_signature(unsecured, proof, suite=suite, key=method.public_key, contexts=contexts)
    if suite.canonicalization == "jcs":
        check_meaning(covered.document, contexts=contexts)
    elif not demand.unsafe_any_json_ld:
        check_spelling(covered.document)
        check_proof_spelling(covered.proof)
    return VerifiedProof(covered.document, covered.proof, method, suite.name)


@dataclass(frozen=True, slots=True)
class _Covered:
    """What a signature covers: private copies of document and proof, and the bytes that get signed."""

    document: JsonObject
    proof: JsonObject
    hash_data: bytes


def _cover(
    document: JsonObject, proof_config: JsonObject, *, suite: Suite, key_type: KeyType, contexts: Contexts
) -> _Covered:
    """Transform and hash a document and its proof without ``proofValue``, and rebuild both from the bytes."""
    if suite.canonicalization == "rdfc":
        # N-Quads can't be turned back into the document, so that private copies are what gets transformed.
        # The proof's own context is not covered: the document's stands in its place.
        proof_config = {name: member for name, member in proof_config.items() if name != "@context"}
        document, proof_config = _rebuild(canonicalize(document)), _rebuild(canonicalize(proof_config))
    done = transform(document, proof_config, suite=suite, key_type=key_type, contexts=contexts)
    if suite.canonicalization == "jcs":
        document, proof_config = _rebuild(done.document), _rebuild(done.proof_config)
    return _Covered(document, proof_config, done.hash_data)


def _rebuild(canonical: bytes) -> JsonObject:
    # What our own writer wrote is strict and bounded already, so the checks of reading are spared.
    document: JsonObject = orjson.loads(canonical)
    return document


def _take_proof(secured: JsonObject) -> JsonObject:
    """Take the one proof of a document, alone or as the only item of a list."""
    proof = secured.get("proof")
    if isinstance(proof, list) and len(proof) > 1:
        raise InvalidProof("proof-set-unsupported", "a document with one proof is expected")
    if isinstance(proof, list) and proof:
        proof = proof[0]
    if proof is None or proof == []:
        raise InvalidProof("proof-missing", "the document has no proof")
    if not isinstance(proof, dict):
        raise Malformed("proof-malformed", "an object", where="/proof")
    return proof


def _unsecure(secured: JsonObject, proof: JsonObject, suite: Suite) -> JsonObject:
    """Take the proof away, and read the document in the proof's own contexts where a JCS proof has them.

    The contexts that the proof names must be the first of the document's ("Verify Proof" of the JCS suites,
    step 4): those that somebody appended later are thereby left out, with all that they would redefine.
    """
    unsecured = {name: value for name, value in secured.items() if name != "proof"}
    if suite.canonicalization == "jcs" and "@context" in proof:
        covered, present = _as_list(proof["@context"]), _as_list(secured.get("@context", []))
        if present[: len(covered)] != covered:
            raise InvalidProof("context-mismatch", "the document's contexts must begin with the proof's")
        unsecured["@context"] = proof["@context"]
    return unsecured


def _as_list(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]


def _check_method(method: Method, suite: Suite, demand: ProofDemand) -> None:
    """Refuse a method that was not in force, or whose key is of another kind than the suite's."""
    if method.public_key.key_type not in suite.hashes:
        raise InvalidProof("key-type-not-allowed", f"{suite.name} is not signed with keys of this kind")
    if method.revoked is not None and method.revoked <= demand.at:
        raise InvalidProof("key-revoked", "the verification method was revoked")
    if method.expires is not None and method.expires <= demand.at:
        raise InvalidProof("key-expired", "the verification method had expired")


def _verify_signature(
    unsecured: JsonObject, proof: JsonObject, *, suite: Suite, key: PublicKey, contexts: Contexts
) -> _Covered:
    """Verify, and return what the signature covers, ``proofValue`` put back beside it."""
    value = get_text(proof, "proofValue")
    signature = _decode_proof_value(value, SIGNATURE_BYTES[key.key_type])
    config = {name: member for name, member in proof.items() if name != "proofValue"}
    covered = _cover(unsecured, config, suite=suite, key_type=key.key_type, contexts=contexts)
    key.verify(signature, covered.hash_data)
    covered.proof["proofValue"] = value
    return covered


def _decode_proof_value(text: str, size: int) -> bytes:
    try:
        signature = decode_multibase(text, bases="z", max_chars=_MAX_PROOF_VALUE)
    except Malformed as error:
        raise Malformed(error.code, error.expected, where="/proof/proofValue") from None
    if len(signature) != size:
        raise Malformed("proof-value-length", f"{size} bytes in base58btc", where="/proof/proofValue")
    return signature


def _inject_context(document: JsonObject) -> JsonObject:
    """Append the Data Integrity context where a JSON-LD document has none that defines a proof's terms."""
    if "@context" not in document:
        return document
    present = _as_list(document["@context"])
    if any(isinstance(context, str) and context in _DEFINE_PROOFS for context in present):
        return document
    return {**document, "@context": [*present, DATA_INTEGRITY_V2]}

"""The proofs of did:webvh: Data Integrity under eddsa-jcs-2022, by keys that name themselves.

Follows did:webvh 1.0, sections "Authorized Keys" and "Witness DIDs and Reputation". What is secured is a log
entry or a version id, plain JSON without contexts of its own, so the suite's steps are taken here without the
context validation that credentials need.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.encoding.multikey import decode_multibase, encode_multibase
from vcid.errors import InvalidProof, LimitExceeded, Malformed
from vcid.keys.signing import PublicKey
from vcid.securing.cryptosuites import SUITES, RdfForms, transform
from vcid.securing.proof import ProofDemand, ProofOptions, check_shape, get_text, meet_demand

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.signing import Signer

SUITE: Final = SUITES["eddsa-jcs-2022"]
MAX_PROOFS: Final = 16
"""The most proofs of one log entry."""

_PREFIX: Final = "did:key:"


def verify_proofs(unsecured: JsonObject, proofs: JSON, *, keys: Collection[str], now: datetime) -> None:
    """Verify all proofs of a log entry, of which there has to be at least one.

    Args:
        unsecured: the entry without its proofs.
        proofs: the value of ``proof``.
        keys: the Multikeys that may sign.
        now: the resolver's clock.

    Raises:
        Malformed: a proof is not shaped like one.
        InvalidProof: a proof does not hold, or is by another key (``unauthorized-key``).
    """
    listed = proofs if isinstance(proofs, list) else [proofs]
    if not listed:
        raise InvalidProof("proof-missing", "an entry has a proof")
    if len(listed) > MAX_PROOFS:
        raise LimitExceeded("too-many-proofs", f"at most {MAX_PROOFS} proofs", where="/proof")
    signers = set()
    for proof in listed:
        key = read_key(proof)
        if key not in keys:
            raise InvalidProof("unauthorized-key", "a proof is by a key that may not update the DID")
        if key in signers:
            raise InvalidProof("proof-twice", "each key makes one proof")
        signers.add(key)
        verify_proof(unsecured, proof, now=now)


def read_key(proof: JSON) -> str:
    """Give the Multikey that a proof names, as ``did:key:<multikey>#<multikey>``.

    Raises:
        Malformed: the proof is no object, or names no method.
        InvalidProof: ``unauthorized-key``: it names another kind of method, or one key by another's name.
    """
    if not isinstance(proof, dict):
        raise Malformed("proof-malformed", "an object", where="/proof")
    name, _, key = get_text(proof, "verificationMethod").partition("#")
    if not key or name != f"{_PREFIX}{key}":
        raise InvalidProof("unauthorized-key", "the method is a did:key whose fragment repeats its key")
    return key


def verify_proof(unsecured: JsonObject, proof: JSON, *, now: datetime) -> None:
    """Verify one proof with the key that it names; whether that key may sign is for the caller.

    Raises:
        Malformed: the proof is not shaped like one.
        InvalidProof: it does not hold.
    """
    key = PublicKey.from_multikey(read_key(proof))
    if not isinstance(proof, dict) or "@context" in proof:
        raise InvalidProof("context-mismatch", "what is proven has no contexts, and so has its proof")
    if "previousProof" in proof:
        raise InvalidProof("previous-proof-missing", "a proof that builds on no other")
    check_shape(proof)
    meet_demand(proof, ProofDemand(suites=frozenset({SUITE.name}), at=now))
    value = decode_multibase(get_text(proof, "proofValue"), bases="z", max_chars=100)
    config = {name: member for name, member in proof.items() if name != "proofValue"}
    key.verify(value, _hash_data(unsecured, config, key))


def make_proof(unsecured: JsonObject, signer: Signer, *, at: datetime) -> JsonObject:
    """Prove a log entry or a version id with a key that names itself.

    Raises:
        ValueError: the signer's key is not Ed25519.
    """
    key = signer.public_key
    if key.key_type not in SUITE.key_types:
        raise ValueError(f"did:webvh 1.0 is signed under {SUITE.name}, with Ed25519 keys")
    method = f"{_PREFIX}{key.multikey}#{key.multikey}"
    proof = ProofOptions(verification_method=method, cryptosuite=SUITE.name, created=at).to_proof()
    return {**proof, "proofValue": encode_multibase(signer.sign(_hash_data(unsecured, proof, key)))}


def _hash_data(unsecured: JsonObject, config: JsonObject, key: PublicKey) -> bytes:
    from vcid.encoding.contexts import Contexts

    done = transform(
        unsecured, config, suite=SUITE, key_type=key.key_type, forms=RdfForms(Contexts.carried())
    )
    return done.hash_data

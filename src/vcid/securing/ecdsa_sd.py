"""The cryptosuite ecdsa-sd-2023: every statement signed by itself, so that a holder may leave some out.

Follows Data Integrity ECDSA Cryptosuites 1.0 (W3C Recommendation), sections "ecdsa-sd-2023 Functions" and
"ecdsa-sd-2023". The suite knows one curve, P-256 with SHA-256: its formats have room for no other key. An
issuer signs the mandatory statements together, and each other one with a key made for this proof and thrown
away; blank nodes bear labels from an HMAC with a key made for it too. Showings of one credential can be
linked, by signatures and labels.
"""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Final

import orjson

from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType, decode_multikey, encode_multibase
from vcid.errors import InvalidProof, Malformed
from vcid.keys.signing import LocalSigner, PublicKey
from vcid.securing.ecdsa_sd_values import BaseProofValue, DerivedProofValue
from vcid.securing.proof_components import malformed
from vcid.securing.selection import check_pointers
from vcid.securing.selective import (
    HMAC_KEY_BYTES,
    canonicalize_and_group,
    create_disclosure_data,
    create_hmac_id_label_map_function,
    create_label_map_function,
    hash_mandatory_nquads,
    hash_proof_config,
    label_replacement_canonicalize_json_ld,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import Signer
    from vcid.securing.selective import Grouped

NAME: Final = "ecdsa-sd-2023"

_P256_HEADER: Final = b"\x80\x24"


def create_base_proof_value(
    document: JsonObject,
    proof_config: JsonObject,
    signer: Signer,
    *,
    mandatory_pointers: Sequence[str],
    contexts: Contexts,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Sign a document's statements (section "Create Base Proof", from its transformation on).

    Args:
        document: the document without a proof.
        proof_config: the proof without ``proofValue``.
        signer: the issuer's P-256 key.
        mandatory_pointers: JSON pointers to what every showing must disclose.
        contexts: the contexts that the document may name.
        random: gives that many bytes, fit for the two keys, of labels and statements, that are this proof's.

    Raises:
        ValueError: the signer's key is of another kind.
        Malformed: a pointer is faulty, or the document can't be disclosed in part; InvalidRecord for several.
    """
    if signer.public_key.key_type is not KeyType.P256:
        raise ValueError(f"{NAME} is signed with P-256 keys")
    check_pointers(mandatory_pointers, document)
    hmac_key = random(HMAC_KEY_BYTES)
    grouped = _group_mandatory(document, hmac_key, mandatory_pointers, contexts)
    proof_hash = hash_proof_config(document, proof_config, contexts=contexts)
    group = grouped.groups["mandatory"]
    mandatory_hash = hash_mandatory_nquads(grouped.pick(group.matching))
    # The private key of the proof's own pair ends with this function.
    proof_signer = _generate_proof_signer(random)
    signatures = tuple(proof_signer.sign(nquad.encode()) for nquad in grouped.pick(group.non_matching))
    public_key = _P256_HEADER + proof_signer.public_key.raw
    base_signature = signer.sign(_serialize_sign_data(proof_hash, public_key, mandatory_hash))
    value = BaseProofValue(base_signature, public_key, hmac_key, signatures, tuple(mandatory_pointers))
    return value.serialize()


def verify_base(
    unsecured: JsonObject,
    proof_config: JsonObject,
    proof_value: str,
    *,
    key: PublicKey,
    contexts: Contexts,
) -> BaseProofValue:
    """Verify all signatures of a base proof, so that a holder keeps none that would fail him later.

    The specification has no such algorithm; this is "Verify Derived Proof" over the whole document.

    Raises:
        InvalidProof: ``derived-proof``, ``key-type-not-allowed``, ``signature-count``, ``bad-signature`` or
            ``bad-statement-signature``.
        Malformed: the proof value or the document is none; InvalidRecord where several faults are told.
    """
    value = BaseProofValue.parse(proof_value)
    _require_p256(key)
    proof_key = _parse_proof_key(value.public_key)
    grouped = _group_mandatory(unsecured, value.hmac_key, value.mandatory_pointers, contexts)
    group = grouped.groups["mandatory"]
    statements = grouped.pick(group.non_matching)
    _require_count(value.signatures, statements)
    proof_hash = hash_proof_config(unsecured, proof_config, contexts=contexts)
    mandatory_hash = hash_mandatory_nquads(grouped.pick(group.matching))
    key.verify(value.base_signature, _serialize_sign_data(proof_hash, value.public_key, mandatory_hash))
    _verify_statements(proof_key, value.signatures, statements)
    return value


def derive(base_document: JsonObject, *, selective_pointers: Sequence[str], contexts: Contexts) -> JsonObject:
    """Make what a holder shows (section "Add Derived Proof").

    Args:
        base_document: the document with its one base proof, which is not verified here: see `verify_base`.
        selective_pointers: JSON pointers to what is disclosed beside what is mandatory.
        contexts: the contexts that the document may name.

    Returns:
        The reveal document with a derived proof; it shares nothing with the argument.

    Raises:
        InvalidProof: ``derived-proof``, or ``signature-count``: the base proof is not this document's.
        Malformed: a pointer is faulty, or nothing is selected; InvalidRecord for several pointers.
    """
    document, proof = _take_base_proof(base_document)
    proof_value = proof.get("proofValue")
    if not isinstance(proof_value, str):
        raise Malformed("proof-malformed", "a string", where="/proof/proofValue")
    base = BaseProofValue.parse(proof_value)
    data = create_disclosure_data(
        document,
        create_hmac_id_label_map_function(base.hmac_key),
        mandatory_pointers=base.mandatory_pointers,
        selective_pointers=selective_pointers,
        contexts=contexts,
    )
    _require_count(base.signatures, data.grouped.groups["mandatory"].non_matching)
    signatures = tuple(base.signatures[index] for index in data.selective_indexes)
    derived = DerivedProofValue(
        base.base_signature, base.public_key, signatures, data.verifier_label_map, data.mandatory_indexes
    )
    derived_proof: JsonObject = {**proof, "proofValue": derived.serialize()}
    shown: JsonObject = orjson.loads(canonicalize({**data.reveal_document, "proof": derived_proof}))
    return shown


def verify_derived(
    unsecured: JsonObject,
    proof_config: JsonObject,
    proof_value: str,
    *,
    key: PublicKey,
    contexts: Contexts,
) -> None:
    """Verify a derived proof (sections "createVerifyData" and "Verify Derived Proof").

    The issuer's signature comes before those of the statements, so that nobody but an issuer's holder makes a
    verifier check many.

    Args:
        unsecured: the document without its proof.
        proof_config: the proof without ``proofValue``.
        proof_value: the proof's ``proofValue``.
        key: the issuer's, P-256.
        contexts: the contexts that the document may name.

    Raises:
        InvalidProof: ``base-proof``, ``key-type-not-allowed``, ``label-map``, ``mandatory-indexes``,
            ``signature-count``, ``bad-signature`` or ``bad-statement-signature``.
        Malformed: the proof value or the document is none; InvalidRecord where several faults are told.
    """
    value = DerivedProofValue.parse(proof_value)
    _require_p256(key)
    proof_key = _parse_proof_key(value.public_key)
    factory = create_label_map_function(value.label_map)
    nquads = label_replacement_canonicalize_json_ld(unsecured, factory, contexts=contexts).nquads
    if value.mandatory_indexes and value.mandatory_indexes[-1] >= len(nquads):
        raise InvalidProof("mandatory-indexes", "the indexes of mandatory statements must be the document's")
    is_mandatory = set(value.mandatory_indexes)
    statements = [nquad for index, nquad in enumerate(nquads) if index not in is_mandatory]
    _require_count(value.signatures, statements)
    proof_hash = hash_proof_config(unsecured, proof_config, contexts=contexts)
    mandatory_hash = hash_mandatory_nquads(nquads[index] for index in value.mandatory_indexes)
    key.verify(value.base_signature, _serialize_sign_data(proof_hash, value.public_key, mandatory_hash))
    _verify_statements(proof_key, value.signatures, statements)


def read_signed(secured: JsonObject, *, contexts: Contexts) -> bytes:
    """Give the base signature with what it signs, which a base document and all derived from it share.

    Nothing is verified: of a document that does not verify, this says nothing.

    Returns:
        The base signature and the hashed input of section "serializeSignData", each of a fixed length.

    Raises:
        Malformed: there is no such proof, or the document is none; InvalidRecord for several faults.
    """
    document, proof = _take_base_proof(secured)
    config = {name: member for name, member in proof.items() if name not in ("@context", "proofValue")}
    proof_hash = hash_proof_config(document, config, contexts=contexts)
    proof_value = str(proof.get("proofValue"))
    value: BaseProofValue | DerivedProofValue
    try:
        value = BaseProofValue.parse(proof_value)
    except InvalidProof:
        value = DerivedProofValue.parse(proof_value)
        factory = create_label_map_function(value.label_map)
        nquads = label_replacement_canonicalize_json_ld(document, factory, contexts=contexts).nquads
        mandatory = [nquads[index] for index in value.mandatory_indexes if index < len(nquads)]
    else:
        grouped = _group_mandatory(document, value.hmac_key, value.mandatory_pointers, contexts)
        mandatory = [*grouped.pick(grouped.groups["mandatory"].matching)]
    mandatory_hash = hash_mandatory_nquads(mandatory)
    return value.base_signature + _serialize_sign_data(proof_hash, value.public_key, mandatory_hash)


def _group_mandatory(
    document: JsonObject, hmac_key: bytes, mandatory_pointers: Sequence[str], contexts: Contexts
) -> Grouped:
    factory = create_hmac_id_label_map_function(hmac_key)
    return canonicalize_and_group(document, factory, {"mandatory": mandatory_pointers}, contexts=contexts)


def _generate_proof_signer(random: Callable[[int], bytes]) -> LocalSigner:
    while True:
        try:
            return LocalSigner.from_private_bytes(KeyType.P256, random(32))
        except Malformed:  # not below the order of the curve, once in 2^32
            continue


def _serialize_sign_data(proof_hash: bytes, public_key: bytes, mandatory_hash: bytes) -> bytes:
    return proof_hash + public_key + mandatory_hash


def _take_base_proof(base_document: JsonObject) -> tuple[JsonObject, JsonObject]:
    proof = base_document.get("proof")
    if isinstance(proof, list) and len(proof) == 1:
        (proof,) = proof
    if not isinstance(proof, dict):
        raise Malformed("proof-malformed", "one base proof", where="/proof")
    return {name: member for name, member in base_document.items() if name != "proof"}, proof


def _parse_proof_key(public_key: bytes) -> PublicKey:
    try:
        key_type, raw = decode_multikey(encode_multibase(public_key))
        if key_type is KeyType.P256:
            return PublicKey(key_type, raw)
    except Malformed:
        pass
    raise malformed("a P-256 public key with its multicodec header")


def _require_p256(key: PublicKey) -> None:
    if key.key_type is not KeyType.P256:
        raise InvalidProof("key-type-not-allowed", f"{NAME} is not signed with keys of this kind")


def _require_count(signatures: Sequence[bytes], statements: Sequence[object]) -> None:
    if len(signatures) != len(statements):
        raise InvalidProof("signature-count", "each statement that is not mandatory has one signature")


def _verify_statements(key: PublicKey, signatures: Iterable[bytes], statements: Iterable[str]) -> None:
    for signature, nquad in zip(signatures, statements, strict=True):
        try:
            key.verify(signature, nquad.encode())
        except InvalidProof as error:
            detail = "the signature of a disclosed statement does not match it"
            raise InvalidProof("bad-statement-signature", detail) from error

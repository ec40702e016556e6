"""The cryptosuite bbs-2023: every statement a message under one BBS signature, whose showings share no proof.

Follows Data Integrity BBS Cryptosuites 1.0 (W3C Candidate Recommendation), sections "Selective Disclosure
Functions" and "bbs-2023", with the feature option "baseline" and BLS12-381-SHA-256.

A derived proof is new each time, but two showings may still be linked by what they share: the statements
shown, the mandatory ones among them, the proof's own members (an exact ``created``, an ``id``), how many
statements were signed, and which places those shown have among them.
"""

from __future__ import annotations

import hmac
import secrets
from typing import TYPE_CHECKING, Final

import orjson

from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, Malformed
from vcid.keys.bbs import BbsPublicKey, DisclosedMessages, SignedMessages
from vcid.securing.bbs_values import BaseProofValue, DerivedProofValue
from vcid.securing.selection import check_pointers
from vcid.securing.selective import (
    HMAC_KEY_BYTES,
    canonicalize_and_group,
    create_disclosure_data,
    create_label_map_function,
    encode_hmac_label,
    hash_mandatory_nquads,
    hash_proof_config,
    label_replacement_canonicalize_json_ld,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JsonObject
    from vcid.keys.bbs import BbsSigner
    from vcid.securing.selective import Grouped, LabelMapFactory

NAME: Final = "bbs-2023"


def create_shuffled_id_label_map_function(hmac_key: bytes) -> LabelMapFactory:
    """Make labels ``b0``, ``b1``, … in an order that only the key explains (section of the same name)."""
    if len(hmac_key) != HMAC_KEY_BYTES:
        raise ValueError(f"an HMAC key has {HMAC_KEY_BYTES} bytes")

    def make_label_map(canonical_id_map: Mapping[str, str]) -> dict[str, str]:
        digests = {
            label: encode_hmac_label(hmac.digest(hmac_key, canonical.encode(), "sha256"))
            for label, canonical in canonical_id_map.items()
        }
        places = {digest: place for place, digest in enumerate(sorted(digests.values()))}
        return {label: f"b{places[digest]}" for label, digest in digests.items()}

    return make_label_map


def create_base_proof_value(
    document: JsonObject,
    proof_config: JsonObject,
    signer: BbsSigner,
    *,
    mandatory_pointers: Sequence[str],
    contexts: Contexts,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> str:
    """Sign a document's statements (section "Create Base Proof", from its transformation on).

    Args:
        document: the document without a proof.
        proof_config: the proof without ``proofValue``.
        signer: the issuer's BLS12-381 key.
        mandatory_pointers: JSON pointers to what every showing must disclose.
        contexts: the contexts that the document may name.
        random: gives that many bytes, fit for the key of the labels, which is this proof's alone.

    Raises:
        ValueError: the signer's key is of another kind.
        LimitExceeded: the document has more statements than one signature covers.
        Malformed: a pointer is faulty, or the document can't be disclosed in part; InvalidRecord for several.
    """
    if signer.public_key.key_type is not KeyType.BLS12_381_G2:
        raise ValueError(f"{NAME} is signed with BLS12-381 G2 keys")
    check_pointers(mandatory_pointers, document)
    hmac_key = random(HMAC_KEY_BYTES)
    grouped = _group_mandatory(document, hmac_key, mandatory_pointers, contexts)
    header = _make_header(grouped, hash_proof_config(document, proof_config, contexts=contexts))
    signature = signer.sign(header, _list_messages(grouped))
    public_key = signer.public_key.raw
    return BaseProofValue(signature, header, public_key, hmac_key, tuple(mandatory_pointers)).serialize()


def verify_base(
    unsecured: JsonObject,
    proof_config: JsonObject,
    proof_value: str,
    *,
    key: BbsPublicKey,
    contexts: Contexts,
) -> BaseProofValue:
    """Verify a base proof, so that a holder keeps none that would fail him later.

    The specification has no such algorithm; this is the draft's Verify over the whole document.

    Raises:
        InvalidProof: ``derived-proof``, ``feature-unsupported``, ``key-type-not-allowed``,
            ``base-proof-mismatch`` or ``bad-signature``.
        Malformed: the proof value or the document is none; InvalidRecord where several faults are told.
    """
    value = BaseProofValue.parse(proof_value)
    _require_bls(key)
    grouped = _group_mandatory(unsecured, value.hmac_key, value.mandatory_pointers, contexts)
    _require_same(value, grouped, hash_proof_config(unsecured, proof_config, contexts=contexts))
    if value.public_key != key.raw:
        raise InvalidProof("base-proof-mismatch", "the base proof must state the key that signed it")
    key.verify(value.signature, _list_messages(grouped), header=value.header)
    return value


def derive(
    base_document: JsonObject,
    *,
    selective_pointers: Sequence[str],
    contexts: Contexts,
    presentation_header: bytes = b"",
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> JsonObject:
    """Make what a holder shows (sections "createDisclosureData" and "Add Derived Proof").

    The base proof is verified against the key that it states, since no proof could be made of a bad one.
    Whether that key is the issuer's is for `verify_base`.

    Args:
        base_document: the document with its one base proof.
        selective_pointers: JSON pointers to what is disclosed beside what is mandatory.
        contexts: the contexts that the document may name.
        presentation_header: octets that the proof binds.
        random: gives that many random bytes, called once for each of the proof's scalars.

    Returns:
        The reveal document with a derived proof; it shares nothing with the argument.

    Raises:
        InvalidProof: ``derived-proof``, ``feature-unsupported``, ``base-proof-mismatch`` or
            ``bad-signature``.
        Malformed: a pointer is faulty, or nothing is selected; InvalidRecord for several pointers.
    """
    document, proof_config, base = _take_base_proof(base_document)
    data = create_disclosure_data(
        document,
        create_shuffled_id_label_map_function(base.hmac_key),
        mandatory_pointers=base.mandatory_pointers,
        selective_pointers=selective_pointers,
        contexts=contexts,
    )
    _require_same(base, data.grouped, hash_proof_config(document, proof_config, contexts=contexts))
    key = BbsPublicKey(base.public_key)
    signed = SignedMessages(key, base.signature, _list_messages(data.grouped), base.header)
    derived = DerivedProofValue(
        signed.prove(data.selective_indexes, presentation_header=presentation_header, random=random),
        data.verifier_label_map,
        data.mandatory_indexes,
        data.selective_indexes,
        presentation_header,
    )
    derived_proof: JsonObject = {**proof_config, "proofValue": derived.serialize()}
    shown: JsonObject = orjson.loads(canonicalize({**data.reveal_document, "proof": derived_proof}))
    return shown


def verify_derived(
    unsecured: JsonObject,
    proof_config: JsonObject,
    proof_value: str,
    *,
    key: BbsPublicKey,
    contexts: Contexts,
) -> None:
    """Verify a derived proof (sections "createVerifyData" and "Verify Derived Proof").

    Args:
        unsecured: the document without its proof.
        proof_config: the proof without ``proofValue``.
        proof_value: the proof's ``proofValue``.
        key: the issuer's, BLS12-381 G2.
        contexts: the contexts that the document may name.

    Raises:
        InvalidProof: ``base-proof``, ``feature-unsupported``, ``key-type-not-allowed``, ``label-map``,
            ``mandatory-indexes``, ``selective-indexes`` or ``bad-signature``.
        LimitExceeded: the proof is over more statements than one signature covers.
        Malformed: the proof value or the document is none; InvalidRecord where several faults are told.
    """
    value = DerivedProofValue.parse(proof_value)
    _require_bls(key)
    factory = create_label_map_function(value.label_map)
    nquads = label_replacement_canonicalize_json_ld(unsecured, factory, contexts=contexts).nquads
    if value.mandatory_indexes and value.mandatory_indexes[-1] >= len(nquads):
        raise InvalidProof("mandatory-indexes", "the indexes of mandatory statements must be the document's")
    is_mandatory = set(value.mandatory_indexes)
    others = [nquad.encode() for index, nquad in enumerate(nquads) if index not in is_mandatory]
    if len(others) != len(value.selective_indexes):
        raise InvalidProof("selective-indexes", "each statement that is not mandatory has one index")
    mandatory_hash = hash_mandatory_nquads(nquads[index] for index in value.mandatory_indexes)
    shown = DisclosedMessages(
        dict(zip(value.selective_indexes, others, strict=True)),
        header=hash_proof_config(unsecured, proof_config, contexts=contexts) + mandatory_hash,
        presentation_header=value.presentation_header,
    )
    key.verify_proof(value.proof, shown)


def _group_mandatory(
    document: JsonObject, hmac_key: bytes, mandatory_pointers: Iterable[str], contexts: Contexts
) -> Grouped:
    factory = create_shuffled_id_label_map_function(hmac_key)
    return canonicalize_and_group(
        document, factory, {"mandatory": tuple(mandatory_pointers)}, contexts=contexts
    )


def _make_header(grouped: Grouped, proof_hash: bytes) -> bytes:
    """Join the hashes of what every showing discloses ("Base Proof Serialization", step 2)."""
    return proof_hash + hash_mandatory_nquads(grouped.pick(grouped.groups["mandatory"].matching))


def _list_messages(grouped: Grouped) -> tuple[bytes, ...]:
    """Give the statements that are not mandatory, in their order, as messages."""
    return tuple(nquad.encode() for nquad in grouped.pick(grouped.groups["mandatory"].non_matching))


def _require_same(base: BaseProofValue, grouped: Grouped, proof_hash: bytes) -> None:
    if _make_header(grouped, proof_hash) != base.header:
        raise InvalidProof("base-proof-mismatch", "the base proof must have been made for this document")


def _require_bls(key: BbsPublicKey) -> None:
    if key.key_type is not KeyType.BLS12_381_G2:
        raise InvalidProof("key-type-not-allowed", f"{NAME} is not signed with keys of this kind")


def _take_base_proof(base_document: JsonObject) -> tuple[JsonObject, JsonObject, BaseProofValue]:
    proof = base_document.get("proof")
    if isinstance(proof, list) and len(proof) == 1:
        (proof,) = proof
    if not isinstance(proof, dict):
        raise Malformed("proof-malformed", "one base proof", where="/proof")
    proof_value = proof.get("proofValue")
    if not isinstance(proof_value, str):
        raise Malformed("proof-malformed", "a string", where="/proof/proofValue")
    document = {name: member for name, member in base_document.items() if name != "proof"}
    config = {name: member for name, member in proof.items() if name != "proofValue"}
    return document, config, BaseProofValue.parse(proof_value)

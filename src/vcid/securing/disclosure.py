"""Credentials of which a holder shows a part: what an issuer makes, what a holder keeps, and what he derives.

Follows Data Integrity ECDSA Cryptosuites 1.0 and Data Integrity BBS Cryptosuites 1.0, sections "Create Base
Proof" and "Add Derived Proof", above the suites' own modules. A document with a base proof holds all claims
and the key that ties them together, so it is a type of its own, which nothing that shows documents accepts:
what is shown comes from `BaseDocument.derive`.
"""

from __future__ import annotations

import secrets
from importlib import import_module
from typing import TYPE_CHECKING, Final, Protocol, cast

import orjson

from vcid.encoding.json import canonicalize
from vcid.errors import InvalidProof, Malformed, Unavailable
from vcid.securing.context_validation import check_spelling
from vcid.securing.cryptosuites import SUITES
from vcid.securing.data_integrity import check_method, inject_context
from vcid.securing.proof import check_proof_spelling, check_shape, get_text, name_suite
from vcid.securing.proof_sets import ProofSet

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JsonObject
    from vcid.keys.bbs import BbsSigner
    from vcid.keys.signing import Signer
    from vcid.securing.cryptosuites import Suite
    from vcid.securing.proof import Method, ProofDemand, ProofOptions, VerificationKey

# What says who vouches for a credential, for how long, and where it may be revoked: a credential without one
# of these claims more than one with it.
_RESTRICTING: Final = (
    "issuer",
    "validFrom",
    "validUntil",
    "issuanceDate",
    "expirationDate",
    "credentialStatus",
    "credentialSchema",
    "termsOfUse",
)


WHOLE_TYPES: Final = frozenset(
    {"BitstringStatusListCredential", "DelegationCredential", "GuardianshipCredential"}
)
"""The credential types whose claims restrict each other. To leave out an act that is prohibited, a second
guardian who must agree, a place or an end makes such a credential say more, so none is shown in part."""


def is_whole_only(document: JsonObject) -> bool:
    """Whether a credential is of a type of which nobody may show a part."""
    types = document.get("type")
    return not WHOLE_TYPES.isdisjoint(
        name for name in (types if isinstance(types, list) else [types]) if isinstance(name, str)
    )


def get_restricting_pointers(document: JsonObject) -> tuple[str, ...]:
    """Give JSON pointers to what no holder may leave out of a credential, where it has it.

    A holder could otherwise show one without its end, or without the status that tells of its revocation, and
    nobody could know. Types need no pointer: every selection has them. Evidence is not among these: it
    supports what is claimed and restricts nothing, and may tell of a judgment or an age assessment.
    """
    return tuple(f"/{name}" for name in _RESTRICTING if name in document)


class BaseDocument:
    """A document with a base proof: for its holder to keep, and to derive from what he shows.

    Its text form shows nothing of the content.
    """

    __slots__ = ("_document", "_mandatory_pointers", "_suite")

    def __init__(self, document: JsonObject) -> None:
        """Take a secured document whose one proof is a base proof; the signature is not looked at.

        Raises:
            InvalidProof: ``proof-missing``, ``several-proofs``, ``suite-not-selective``, ``derived-proof``.
            Malformed: the proof is none.
            Unavailable: the package that the suite needs is not installed.
        """
        self._document: JsonObject = orjson.loads(canonicalize(document))
        proof = self._get_proof()
        check_shape(proof)
        suite = SUITES.get(name_suite(proof) or "")
        if suite is None or not suite.is_selective:
            raise InvalidProof("suite-not-selective", "a base proof is of a suite for selective disclosure")
        self._suite = suite
        value = _import(suite).BaseProofValue.parse(get_text(proof, "proofValue"))
        self._mandatory_pointers: tuple[str, ...] = value.mandatory_pointers

    @classmethod
    def from_json(cls, document: JsonObject) -> BaseDocument:
        """Read a document that `to_json`, or another issuer, wrote. Raises as the constructor does."""
        return cls(document)

    def to_json(self) -> JsonObject:
        """Write the whole document with its base proof, for the holder's own keeping and nobody else's."""
        document: JsonObject = orjson.loads(canonicalize(self._document))
        return document

    @property
    def cryptosuite(self) -> str:
        """The suite's name."""
        return self._suite.name

    @property
    def mandatory_pointers(self) -> tuple[str, ...]:
        """JSON pointers to what every showing discloses."""
        return self._mandatory_pointers

    def derive(
        self, selective_pointers: Sequence[str], *, contexts: Contexts, presentation_header: bytes = b""
    ) -> JsonObject:
        """Make a document to show, which discloses what is mandatory and what the pointers name.

        Args:
            selective_pointers: JSON pointers into the document.
            contexts: the contexts that the document may name.
            presentation_header: bytes that a proof of bbs-2023 is bound to.

        Raises:
            ValueError: the suite binds no presentation header.
            InvalidProof: the base proof is not this document's.
            Malformed: a pointer is faulty, or nothing is selected; InvalidRecord for several pointers.
        """
        suite = _import(self._suite)
        if not presentation_header:
            return suite.derive(self._document, selective_pointers=selective_pointers, contexts=contexts)
        if self.cryptosuite != "bbs-2023":
            raise ValueError(f"{self.cryptosuite} binds no presentation header")
        return suite.derive(
            self._document,
            selective_pointers=selective_pointers,
            contexts=contexts,
            presentation_header=presentation_header,
        )

    def verify(
        self, *, resolve: Callable[[str, str], Method], demand: ProofDemand, contexts: Contexts
    ) -> Method:
        """Check a base proof that was handed over, with all its signatures, before it is kept.

        The steps are those of `vcid.securing.data_integrity.verify_proofs`, up to context validation: what
        derives from a document that passes would not fail a verifier with the same demand.

        Returns:
            The verification method that the proof resolved to.

        Raises:
            InvalidProof: the proof does not hold or is not what was demanded.
            Malformed: the document can't be disclosed in part; InvalidRecord where several faults are told.
            ResolutionFailed: as ``resolve`` raises it.
        """
        ((proof, suite),) = ProofSet.of(self._document).choose(demand)
        method = resolve(get_text(proof, "verificationMethod"), demand.purpose)
        check_method(method, suite, demand)
        unsecured = {name: member for name, member in self._document.items() if name != "proof"}
        config = {name: member for name, member in proof.items() if name not in ("@context", "proofValue")}
        value = get_text(proof, "proofValue")
        _import(suite).verify_base(unsecured, config, value, key=method.public_key, contexts=contexts)
        if not demand.unsafe_any_json_ld:
            check_spelling(unsecured)
            check_proof_spelling(proof)
        return method

    def _get_proof(self) -> JsonObject:
        proofs = ProofSet.of(self._document).proofs
        if len(proofs) > 1:
            raise InvalidProof("several-proofs", "a document with one base proof and no other")
        return proofs[0]

    def __repr__(self) -> str:
        return f"<BaseDocument under {self.cryptosuite}>"


def add_base_proof(
    document: JsonObject,
    signer: Signer | BbsSigner,
    options: ProofOptions,
    *,
    mandatory_pointers: Sequence[str] = (),
    contexts: Contexts,
    random: Callable[[int], bytes] = secrets.token_bytes,
) -> BaseDocument:
    """Secure a document so that its holder can show parts of it (section "Create Base Proof").

    What restricts a credential as a whole is always mandatory, and the `WHOLE_TYPES` are refused, unless the
    options say otherwise (``unsafe_exact_pointers``): see `get_restricting_pointers`. A holder may leave out
    each statement that is not mandatory, also alone: pointers are his tool, not his limit. What restricts or
    qualifies another statement must be mandatory wherever that one may be shown.

    Args:
        document: the document without a proof; it is left as it is.
        signer: a key of the kind that the suite is signed with.
        options: what the proof says about itself; its suite is a selective one.
        mandatory_pointers: JSON pointers to what every showing must disclose besides.
        contexts: the contexts that the document may name.
        random: gives that many bytes, fit for keys.

    Raises:
        ValueError: the suite is not selective, or the signer's key does not fit it.
        Malformed: the document has a proof (``already-secured``), is of a type that is not shown in part
            (``not-disclosable``) or can't be, or a pointer is faulty; InvalidRecord where several faults are
            told.
        Unavailable: the package that the suite needs is not installed.
    """
    suite = SUITES[options.cryptosuite]
    if not suite.is_selective or options.previous_proof is not None:
        raise ValueError("a base proof is of a suite for selective disclosure, and builds on no other proof")
    if signer.public_key.key_type not in suite.hashes:
        raise ValueError(f"{suite.name} is not signed with keys of this kind")
    if "proof" in document:
        raise Malformed("already-secured", "a document without a proof", where="/proof")
    if is_whole_only(document) and not options.unsafe_exact_pointers:
        raise Malformed(
            "not-disclosable", "a credential of a type of which parts may be shown", where="/type"
        )
    unsecured: JsonObject = orjson.loads(canonicalize(inject_context(document, suite)))
    if not options.unsafe_any_json_ld:
        check_spelling(unsecured)
    proof = options.to_proof()
    pointers = [*mandatory_pointers]
    if not options.unsafe_exact_pointers:
        pointers = [*dict.fromkeys([*pointers, *get_restricting_pointers(unsecured)])]
    value = _import(suite).create_base_proof_value(
        unsecured, proof, signer, mandatory_pointers=pointers, contexts=contexts, random=random
    )
    return BaseDocument({**unsecured, "proof": {**proof, "proofValue": value}})


class _BaseProofValue(Protocol):
    """What is read of a base proof here, whatever the suite."""

    @property
    def mandatory_pointers(self) -> tuple[str, ...]: ...

    @classmethod
    def parse(cls, proof_value: str) -> _BaseProofValue: ...


class _SuiteModule(Protocol):
    """What the modules of the selective suites have in common."""

    BaseProofValue: type[_BaseProofValue]

    def create_base_proof_value(
        self,
        document: JsonObject,
        proof_config: JsonObject,
        signer: Signer | BbsSigner,
        *,
        mandatory_pointers: Sequence[str],
        contexts: Contexts,
        random: Callable[[int], bytes],
    ) -> str: ...

    def verify_base(
        self,
        unsecured: JsonObject,
        proof_config: JsonObject,
        proof_value: str,
        *,
        key: VerificationKey,
        contexts: Contexts,
    ) -> _BaseProofValue: ...

    def derive(
        self,
        base_document: JsonObject,
        *,
        selective_pointers: Sequence[str],
        contexts: Contexts,
        presentation_header: bytes = ...,
    ) -> JsonObject: ...


def _import(suite: Suite) -> _SuiteModule:
    try:
        return cast("_SuiteModule", import_module(suite.module))
    except ModuleNotFoundError as error:
        raise Unavailable(f"the package that {suite.name} needs is not installed") from error

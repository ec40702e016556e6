"""The Data Integrity cryptosuites as rows of a table, and the bytes that each plain one signs.

Follows Data Integrity EdDSA Cryptosuites 1.0, section 3, with its appendix on ``Ed25519Signature2020``, and
Data Integrity ECDSA Cryptosuites 1.0, section 3 (both W3C Recommendations). The ML-DSA suites follow
Quantum-Safe Cryptosuites v0.3, section "ML-DSA Cryptosuites", a report of the Credentials Community Group:
they are experimental and allowed by no default. Plain suites differ in a few things only: how a document
becomes bytes, which keys sign, which hash goes with a key, and how a proof spells its suite and signature. So
a suite is a row, and the steps are written once.

A selective suite's row names the module that verifies what was derived; it is imported where first needed.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Literal

from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, LimitExceeded

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JsonObject

DATA_INTEGRITY_PROOF: Final = "DataIntegrityProof"
DATA_INTEGRITY_V2: Final = "https://w3id.org/security/data-integrity/v2"

_HASHES: Final[Mapping[str, Callable[[bytes], hashlib._Hash]]] = MappingProxyType(
    {"sha256": hashlib.sha256, "sha384": hashlib.sha384}
)

JCS_SUITES: Final[Mapping[KeyType, str]] = MappingProxyType(
    {
        KeyType.ED25519: "eddsa-jcs-2022",
        KeyType.P256: "ecdsa-jcs-2019",
        KeyType.P384: "ecdsa-jcs-2019",
        KeyType.ML_DSA_44: "mldsa44-jcs-2024",
    }
)
"""The suite that secures a document by its bytes, by the kind of key: what is taken where nothing is said."""

SIGNATURE_BYTES: Final[Mapping[KeyType, int]] = MappingProxyType(
    {KeyType.ED25519: 64, KeyType.P256: 64, KeyType.P384: 96, KeyType.ML_DSA_44: 2420}
)


@dataclass(frozen=True, slots=True)
class Suite:
    """One cryptosuite.

    Attributes:
        name: its identifier: the value of a proof's ``cryptosuite``, or of ``type`` in a legacy suite.
        canonicalization: ``jcs`` for RFC 8785, ``rdfc`` for RDFC-1.0 over the document's RDF.
        hashes: the hash of each kind of key that may sign, as ``hashlib`` names it.
        proof_type: the ``type`` of its proofs.
        value_base: the multibase character that a ``proofValue`` begins with.
        context: the JSON-LD context that defines the terms of its proofs.
        assumes_context: a JCS proof is hashed with the document's ``@context`` even where it states none.
        module: for a selective suite, the module whose ``verify_derived`` verifies what a holder derived.
        base_headers: for a selective suite, the first three bytes of a base proof, which is for the holder
            alone.
    """

    name: str
    canonicalization: Literal["jcs", "rdfc"]
    hashes: Mapping[KeyType, str] = field(hash=False)
    proof_type: str = DATA_INTEGRITY_PROOF
    value_base: Literal["z", "u"] = "z"
    context: str = DATA_INTEGRITY_V2
    assumes_context: bool = False
    module: str = ""
    base_headers: frozenset[bytes] = frozenset()

    @property
    def is_selective(self) -> bool:
        """Whether a holder derives proofs from the issuer's base proof."""
        return bool(self.module)

    @property
    def key_types(self) -> frozenset[KeyType]:
        """The kinds of key that may sign."""
        return frozenset(self.hashes)


_FEW_BYTES: Final = 1 << 16

_EDDSA: Final = MappingProxyType({KeyType.ED25519: "sha256"})
# Each curve goes with the hash of its own strength, in the RDF canonicalization too (section 3.2.3).
_ECDSA: Final = MappingProxyType({KeyType.P256: "sha256", KeyType.P384: "sha384"})

_ML_DSA: Final = MappingProxyType({KeyType.ML_DSA_44: "sha256"})
_ED25519_2020: Final = "Ed25519Signature2020"

SUITES: Final[Mapping[str, Suite]] = MappingProxyType(
    {
        suite.name: suite
        for suite in (
            Suite("eddsa-jcs-2022", "jcs", _EDDSA),
            Suite("eddsa-rdfc-2022", "rdfc", _EDDSA),
            Suite("ecdsa-jcs-2019", "jcs", _ECDSA),
            Suite("ecdsa-rdfc-2019", "rdfc", _ECDSA),
            Suite("mldsa44-jcs-2024", "jcs", _ML_DSA, value_base="u", assumes_context=True),
            Suite("mldsa44-rdfc-2024", "rdfc", _ML_DSA, value_base="u"),
            Suite(
                _ED25519_2020,
                "rdfc",
                _EDDSA,
                proof_type=_ED25519_2020,
                context="https://w3id.org/security/suites/ed25519-2020/v1",
            ),
            Suite(
                "ecdsa-sd-2023",
                "rdfc",
                MappingProxyType({KeyType.P256: "sha256"}),
                value_base="u",
                module="vcid.securing.ecdsa_sd",
                base_headers=frozenset({b"\xd9\x5d\x00"}),
            ),
            Suite(
                "bbs-2023",
                "rdfc",
                MappingProxyType({KeyType.BLS12_381_G2: "sha256"}),
                value_base="u",
                module="vcid.securing.bbs",
                base_headers=frozenset(b"\xd9\x5d" + bytes([feature]) for feature in (2, 4, 6, 8)),
            ),
        )
    }
)


@dataclass(frozen=True, slots=True)
class Transformed:
    """The two canonical forms that a signature covers.

    Attributes:
        document: the canonical document, without any proof.
        proof_config: the canonical proof configuration, without ``proofValue``.
        hash_name: the hash that the suite gives to the key.
    """

    document: bytes = field(repr=False)
    proof_config: bytes = field(repr=False)
    hash_name: str

    @property
    def hash_data(self) -> bytes:
        """The bytes to sign: the configuration's hash, then the document's (section "Hashing")."""
        digest = _HASHES[self.hash_name]
        return digest(self.proof_config).digest() + digest(self.document).digest()


class RdfForms:
    """The canonical N-Quads of one document and its variants: each written once, and together in bounds.

    The proofs of a set cover one document, which is written once for all. Each proof of a chain covers the
    document with other proofs in it, which is as much work again: so much is done as three times the first
    form takes, and for small documents a little more.

    Args:
        contexts: the JSON-LD contexts that may be used.
    """

    def __init__(self, contexts: Contexts) -> None:
        self.contexts: Final = contexts
        self._known: dict[tuple[bytes, str], bytes] = {}
        self._left: int | None = None

    def write(self, document: JsonObject, hash_name: str) -> bytes:
        """Write a document, or give again what was written.

        Raises as `vcid.encoding.rdf.canonicalize` and `spend` do.
        """
        from vcid.encoding import rdf

        canonical = canonicalize(document)
        if (canonical, hash_name) not in self._known:
            self.spend(len(canonical))
            written = rdf.canonicalize(document, contexts=self.contexts, hash_name=hash_name)
            self._known[canonical, hash_name] = written
        return self._known[canonical, hash_name]

    def spend(self, size: int) -> None:
        """Count the work on a document of so many bytes in JSON.

        Raises:
            LimitExceeded: ``too-many-forms``.
        """
        if self._left is None:
            self._left = max(_FEW_BYTES, 3 * size)
        self._left -= size
        if self._left < 0:
            raise LimitExceeded(
                "too-many-forms", "proofs that cover one document in few forms", where="/proof"
            )


def transform(
    document: JsonObject,
    proof_config: JsonObject,
    *,
    suite: Suite,
    key_type: KeyType,
    forms: RdfForms,
) -> Transformed:
    """Bring a document and its proof configuration to bytes.

    Sections "Transformation" and "Proof Configuration" of the suites.

    Args:
        document: the document without its proof.
        proof_config: the proof without ``proofValue``, otherwise as it was received.
        suite: the row that says how, of a plain suite.
        key_type: the kind of key that signs; it chooses the hash.
        forms: what the RDF suites have written of the document, with the contexts that they may use.

    Raises:
        InvalidProof: keys of this kind don't sign with this suite (``key-type-not-allowed``).
        Malformed: the document has no canonical form; LimitExceeded where it would cost too much.
        InvalidRecord: an RDF suite met terms that its contexts leave undefined.
    """
    hash_name = suite.hashes.get(key_type)
    if hash_name is None:
        raise InvalidProof("key-type-not-allowed", f"{suite.name} is not signed with {key_type.value} keys")
    if suite.canonicalization == "jcs":
        if suite.assumes_context and "@context" in document:
            proof_config = {**proof_config, "@context": document["@context"]}
        return Transformed(canonicalize(document), canonicalize(proof_config), hash_name)
    return _transform_rdf(document, proof_config, hash_name=hash_name, forms=forms)


def _transform_rdf(
    document: JsonObject, proof_config: JsonObject, *, hash_name: str, forms: RdfForms
) -> Transformed:
    from vcid.encoding import rdf

    # The configuration is read in the document's context, whatever one the proof itself names.
    config = {name: value for name, value in proof_config.items() if name != "@context"}
    if "@context" in document:
        config["@context"] = document["@context"]
    return Transformed(
        forms.write(document, hash_name),
        rdf.canonicalize(config, contexts=forms.contexts, hash_name=hash_name),
        hash_name,
    )

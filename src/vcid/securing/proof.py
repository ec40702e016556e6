"""The proof object: what it may say, what a caller demands of it, and what is left when it holds.

Follows Verifiable Credential Data Integrity 1.0 (W3C Recommendation), sections "Proofs", "DataIntegrityProof"
and the steps of "Verify Proof" that need no cryptography.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Final, Protocol

from vcid.encoding.dates import format_timestamp, parse_timestamp
from vcid.errors import InvalidProof, Malformed
from vcid.securing.cryptosuites import DATA_INTEGRITY_PROOF, SUITES, Suite

if TYPE_CHECKING:
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.encoding.multikey import KeyType

_REQUIRED_TEXTS: Final = ("verificationMethod", "proofPurpose", "proofValue")
_OPTIONAL_TEXTS: Final = ("cryptosuite", "id", "challenge", "nonce")
_URLS: Final = ("verificationMethod", "id")
_MEMBERS: Final = frozenset(
    {"@context", "type", *_REQUIRED_TEXTS, *_OPTIONAL_TEXTS, "created", "expires", "domain", "previousProof"}
)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s<>\"{}|\\^`]+")


class VerificationKey(Protocol):
    """A public key of any kind: `vcid.keys.signing.PublicKey`, or one that checks derived proofs."""

    @property
    def key_type(self) -> KeyType:
        """Which kind."""


class Method(Protocol):
    """What a proof needs to know of a verification method (Controlled Identifiers 1.0)."""

    @property
    def id(self) -> str:
        """The method's URL."""

    @property
    def controller(self) -> str:
        """Who controls the method."""

    @property
    def public_key(self) -> VerificationKey:
        """The key that verifies."""

    @property
    def revoked(self) -> datetime | None:
        """From when on the method no longer verifies, if it was revoked."""

    @property
    def expires(self) -> datetime | None:
        """From when on the method no longer verifies, if that was said beforehand."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofOptions:
    """What a new proof says about itself.

    Attributes:
        verification_method: the URL of the method that verifies the signer's key.
        cryptosuite: a name in `SUITES`; those with selective disclosure begin with a base proof, which
            `vcid.securing.disclosure` makes.
        proof_purpose: the relationship under which the method is listed.
        created: when the proof is made, with a time zone; left out where None.
        expires: when the proof ends, likewise.
        domain: the security domain that the proof is meant for, or several of them.
        challenge: the verifier's challenge that the proof answers.
        nonce: something that makes two otherwise equal proofs differ.
        id: a URL by which later proofs can name this one.
        previous_proof: the id of a proof that this one builds on, or several ids.
        unsafe_any_json_ld: sign under an RDF suite what `ProofDemand` refuses by default.
        unsafe_exact_pointers: in a base proof, make mandatory what the issuer's pointers name and nothing
            else, whatever the credential's type, as interoperability suites expect: holders can then hide a
            credential's end or status, or a guardianship's prohibitions.
    """

    verification_method: str
    cryptosuite: str = "eddsa-jcs-2022"
    proof_purpose: str = "assertionMethod"
    created: datetime | None = None
    expires: datetime | None = None
    domain: str | tuple[str, ...] | None = None
    challenge: str | None = None
    nonce: str | None = None
    id: str | None = None
    previous_proof: str | tuple[str, ...] | None = None
    unsafe_any_json_ld: bool = False
    unsafe_exact_pointers: bool = False

    def __post_init__(self) -> None:
        if self.cryptosuite not in SUITES:
            raise ValueError(f"cryptosuite must be one of {', '.join(SUITES)}")
        if not _URL.fullmatch(self.verification_method):
            raise ValueError("verification_method must be the absolute URL of a verification method")
        if self.id is not None and not _URL.fullmatch(self.id):
            raise ValueError("id must be an absolute URL")

    def to_proof(self) -> JsonObject:
        """Write the options as a proof that has no signature yet."""
        kind = SUITES[self.cryptosuite].proof_type
        proof: JsonObject = {"type": kind}
        if kind == DATA_INTEGRITY_PROOF:
            proof["cryptosuite"] = self.cryptosuite
        proof.update(verificationMethod=self.verification_method, proofPurpose=self.proof_purpose)
        for name, moment in (("created", self.created), ("expires", self.expires)):
            if moment is not None:
                proof[name] = format_timestamp(moment)
        for name, value in (
            ("id", self.id),
            ("domain", self.domain),
            ("challenge", self.challenge),
            ("nonce", self.nonce),
            ("previousProof", self.previous_proof),
        ):
            if value is not None:
                proof[name] = value if isinstance(value, str) else [*value]
        return proof


@dataclass(frozen=True, slots=True, kw_only=True)
class ProofDemand:
    """What the caller demands of a proof. An empty allow-list accepts nothing.

    Attributes:
        suites: the cryptosuites that are good enough. Proofs in other suites are not looked at.
        required_suites: those of the suites that each must have a proof, where a document has several.
        purpose: the proof purpose that must be stated, and under which the method must be listed.
        domain: the security domains that the proof must name and no others, where any is given.
        challenge: the challenge that the proof must answer, where one is given.
        at: the moment, with a time zone, for which keys and proof dates are judged.
        skew: how far a signer's clock may run ahead.
        unsafe_any_json_ld: under RDF suites, accept inline contexts and every spelling of a statement; for
            callers who read no members by name. See `vcid.securing.context_validation`.
    """

    suites: frozenset[str]
    at: datetime
    purpose: str = "assertionMethod"
    domain: str | frozenset[str] | None = None
    challenge: str | None = None
    skew: timedelta = timedelta(minutes=5)
    unsafe_any_json_ld: bool = False
    required_suites: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if not all(isinstance(names, frozenset) for names in (self.suites, self.required_suites)):
            raise TypeError("suites and required_suites must be frozensets of cryptosuite names")
        if not self.required_suites <= self.suites:
            raise ValueError("required_suites are among suites")
        if self.at.utcoffset() is None:
            raise ValueError("at must have a time zone")


@dataclass(frozen=True, slots=True)
class VerifiedProof:
    """A proof that holds, and what it covers.

    Attributes:
        document: the verified document without its proof; rebuilt from verified bytes, contexts validated.
        proof: the proof's members that the signature covers, and ``proofValue``.
        method: the verification method that it resolved to.
        cryptosuite: the suite's name.
    """

    document: JsonObject
    proof: JsonObject
    method: Method
    cryptosuite: str


@dataclass(frozen=True, slots=True)
class VerifiedProofs:
    """All the proofs of a document that were looked at; each holds, and all cover the same document.

    Attributes:
        document: the verified document without its proofs.
        proofs: at least one, in the document's order.
    """

    document: JsonObject
    proofs: tuple[VerifiedProof, ...]


def check_shape(proof: JsonObject) -> None:
    """Check the members of a proof (sections "Proofs" and "DataIntegrityProof").

    Raises:
        Malformed: a member is missing or of the wrong shape.
        InvalidProof: it is a type of proof that is not known.
    """
    # The type comes first: it decides which other members there have to be.
    if name_suite(proof) not in SUITES and proof["type"] != DATA_INTEGRITY_PROOF:
        raise InvalidProof("proof-type-unsupported", f"a proof of type {DATA_INTEGRITY_PROOF} is expected")
    for name in _REQUIRED_TEXTS:
        get_text(proof, name)
    for name in _OPTIONAL_TEXTS:
        if name in proof:
            get_text(proof, name)
    for name in _URLS:
        if name in proof and not _URL.fullmatch(get_text(proof, name)):
            raise Malformed("proof-malformed", "an absolute URL", where=f"/proof/{name}")
    for name in ("domain", "previousProof"):
        if name in proof:
            get_texts(proof, name)
    context = proof.get("@context", [])
    # Under RDF suites no signature covers it, and the document's stands in its place.
    if not all(isinstance(one, str | dict) for one in (context if isinstance(context, list) else [context])):
        raise Malformed("proof-malformed", "JSON-LD contexts", where="/proof/@context")


def name_suite(proof: JsonObject) -> str:
    """Name the suite of a proof as `SUITES` does, whether it is known or not.

    Raises:
        Malformed: its ``type``, or a Data Integrity proof's ``cryptosuite``, is missing or no string.
    """
    kind = get_text(proof, "type")
    name = get_text(proof, "cryptosuite") if kind == DATA_INTEGRITY_PROOF else kind
    # The name of a legacy suite is no cryptosuite, and that of a cryptosuite no type of proof.
    return name if name not in SUITES or SUITES[name].proof_type == kind else ""


def check_proof_spelling(proof: JsonObject) -> None:
    """Check that a proof under an RDF suite has no member but those of the specification, by their own names.

    An RDF signature covers statements: whoever passes a proof on could hide ``expires`` behind its full IRI.

    Raises:
        Malformed: ``respelled-member``.
    """
    if not proof.keys() <= _MEMBERS:
        raise Malformed("respelled-member", "members that proofs have, by their names", where="/proof")


def get_text(proof: JsonObject, name: str) -> str:
    """Read a member of a proof that must be a string.

    Raises:
        Malformed: it is missing or no string.
    """
    value = proof.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed("proof-malformed", "a string", where=f"/proof/{name}")
    return value


def get_texts(proof: JsonObject, name: str) -> set[str]:
    """Read a member of a proof that must be a string or a set of strings.

    Raises:
        Malformed: it is missing, empty, repeats itself, or is of another shape.
    """
    value: JSON = proof.get(name)
    values = value if isinstance(value, list) else [value]
    texts = {item for item in values if isinstance(item, str)}
    if not values or len(texts) != len(values):
        raise Malformed("proof-malformed", "a string, or a list of different strings", where=f"/proof/{name}")
    return texts


def _moment(proof: JsonObject, name: str) -> datetime | None:
    if name not in proof:
        return None
    try:
        return parse_timestamp(get_text(proof, name))
    except Malformed as error:
        raise Malformed(error.code, error.expected, where=f"/proof/{name}") from None


def meet_demand(proof: JsonObject, demand: ProofDemand) -> Suite:
    """Compare the proof with what the caller demands, and return the suite to verify with.

    Raises:
        InvalidProof: it is not what was demanded; ``code`` says in what.
        Malformed: one of its dates is none.
    """
    suite = SUITES.get(name_suite(proof))
    if suite is None or suite.name not in demand.suites:
        allowed = ", ".join(sorted(demand.suites)) or "none"
        raise InvalidProof("suite-not-allowed", f"the allowed cryptosuites are: {allowed}")
    if proof["proofPurpose"] != demand.purpose:
        raise InvalidProof("wrong-purpose", f"a proof for {demand.purpose} is demanded")
    if demand.domain is not None:
        domains = {demand.domain} if isinstance(demand.domain, str) else demand.domain
        if "domain" not in proof or get_texts(proof, "domain") != domains:
            raise InvalidProof("wrong-domain", "the proof must name the demanded domains and no others")
    if demand.challenge is not None and proof.get("challenge") != demand.challenge:
        raise InvalidProof("wrong-challenge", "the proof must answer the demanded challenge")
    _check_dates(proof, demand)
    return suite


def _check_dates(proof: JsonObject, demand: ProofDemand) -> None:
    created, expires = _moment(proof, "created"), _moment(proof, "expires")
    # Differences of aware moments, since a sum could leave the range of datetime.
    if created is not None and created - demand.at > demand.skew:
        raise InvalidProof("created-in-future", "the proof was made after the moment it is judged for")
    if expires is not None and expires <= demand.at:
        raise InvalidProof("proof-expired", "the proof had ended at the moment it is judged for")

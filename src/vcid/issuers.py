"""The issuers that a verifier knows: whether a proof is good, and whether the issuer may say what it says.

These are two questions. A proof is good when the method it names verifies it; that the method belongs to the
issuer, and that the issuer is accredited, is the policy's to decide. Of several proofs, every one that counts
(that is in a suite the policy accepts) has to be by a key of the issuer: were one enough, a suite that the
policy requires against the day when another breaks could be met with a stranger's key. Who countersigns an
issuer's credential does so in a suite that verifiers of the issuer don't accept, or in a document around it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from vcid.dids.documents import parse_did_url
from vcid.dids.names import is_intrinsic
from vcid.encoding.dates import parse_timestamp, utc_now
from vcid.errors import InvalidProof, InvalidRecord, Malformed, ResolutionFailed
from vcid.existence import Existence, judge_closed, read_created
from vcid.known_dids import Asked, KnownDids
from vcid.report import Check, CheckName, Outcome
from vcid.securing.cryptosuites import SUITES
from vcid.securing.data_integrity import ProofDemand, VerifiedProofs, verify_proofs
from vcid.securing.disclosure import is_whole_only
from vcid.securing.jose import Token, verify_token
from vcid.trust import ANYWHERE, Accreditation, Claim, NotAccredited, accredit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from vcid.dids.documents import VerificationMethod
    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JsonObject
    from vcid.existence import Evidence
    from vcid.knowledge import Knowledge
    from vcid.known_dids import Closing
    from vcid.policy import Policy

_KEY_CODES = frozenset({"key-type-not-allowed", "key-revoked", "key-expired"})
_UNDECIDABLE = frozenset({"notFound", "methodNotSupported", "unsupportedPublicKeyType", "invalidDidDocument"})
_SUITE_UNAVAILABLE = "suite-unavailable"
SWAPPED = Check.failed(
    CheckName.KEY, "did-document-swapped", "the DID document known is not the one that the policy pins"
)
FOREIGN_KEY = Check.failed(
    CheckName.ISSUER, "key-not-of-issuer", "a proof is by a key of somebody other than the issuer"
)
_UNDATED = Check.unknown(
    CheckName.KEY, "key-closed", "the key has ended, and the proof was refused before it was dated"
)
_IN_PART = Check.unknown(
    CheckName.PROOF,
    "shown-in-part",
    "a part of such a credential may lack what restricts it: a proof of the whole is needed",
)
_NO_KEY = Check.unknown(CheckName.PROOF, "no-key", "without a usable key the proof can't be judged")


@dataclass(frozen=True, slots=True)
class ProofResult:
    """How the keys and the proofs of one document were judged; ``verified`` is set only if all passed."""

    key: Check
    proof: Check
    verified: VerifiedProofs | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Audience:
    """Whom a presentation has to be meant for, and what it has to answer.

    Attributes:
        challenge: what the verifier drew at random for this one presentation.
        domain: the verifier's own name, such as its host.

    Raises:
        ValueError: one of them is empty: a presentation for anybody could be replayed by anybody.
        TypeError: one of them is no text.
    """

    challenge: str
    domain: str

    def __post_init__(self) -> None:
        for name in ("challenge", "domain"):
            value = getattr(self, name)
            if not isinstance(value, str):
                raise TypeError(f"{name} is a text")
            if not value:
                raise ValueError(f"{name} is not empty: without it a presentation could be replayed")


class KnownIssuers:
    """Judges proofs and issuers by what a policy demands and what is known.

    Args:
        policy: what is demanded.
        knowledge: what is known.
        contexts: the JSON-LD contexts known.
        clock: gives the current time, with a time zone, for which the histories of DIDs are read.

    Attributes:
        dids: the DIDs known.
    """

    def __init__(
        self,
        policy: Policy,
        knowledge: Knowledge,
        contexts: Contexts,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self._policy = policy
        self._contexts = contexts
        self._existence = Existence(policy, knowledge.existence, contexts)
        self.dids = KnownDids(knowledge, clock)

    def check_proof(
        self,
        secured: JsonObject | Token,
        at: datetime,
        audience: Audience | None = None,
        *,
        evidence: Evidence | None = None,
    ) -> ProofResult:
        """Judge a document's proofs in the suites accepted, or the token around it, for the moment ``at``.

        Of a type that nobody shows in part (`vcid.securing.disclosure.WHOLE_TYPES`) a document needs one
        proof of the whole: what rests on derived proofs alone is *unknown* (``shown-in-part``), since nothing
        in it says what was left out.

        Args:
            secured: the document with its proofs, or the token.
            at: the moment.
            audience: whom a presentation has to be meant for; None for a credential.
            evidence: of a credential, what may show by when it existed. Under a time-honest policy a key that
                has ended then vouches for what existed before; for anything else, such as a status list, no
                evidence is given, and a key that has ended verifies nothing.
        """
        asked = Asked(at, evidence.now) if evidence is not None and self._policy.time_honest else None
        lookup = _Lookup(self.dids, at, asked, {} if asked is None else read_created(secured))
        demand = self._demand(at, audience)
        try:
            if isinstance(secured, Token):
                token = verify_token(secured, resolve=lookup, demand=demand, contexts=self._contexts)
                verified = VerifiedProofs(token.document, (token,))
            else:
                verified = verify_proofs(secured, resolve=lookup, demand=demand, contexts=self._contexts)
        except ResolutionFailed:
            return ProofResult(lookup.check, _NO_KEY)
        except (InvalidProof, Malformed, InvalidRecord) as error:
            return _refusal(lookup, error)
        key = lookup.check
        if lookup.closings and evidence is not None:
            key = judge_closed(verified, lookup.closings, self._existence.date(secured, evidence))
        if key.outcome is not Outcome.PASSED:
            return ProofResult(key, _NO_KEY)
        if is_shown_in_part(verified) and is_whole_only(verified.document):
            return ProofResult(key, _IN_PART)
        return ProofResult(key, Check.passed(CheckName.PROOF), verified)

    def _demand(self, at: datetime, audience: Audience | None) -> ProofDemand:
        demand = ProofDemand(
            suites=self._policy.suites,
            at=at,
            skew=self._policy.clock_skew,
            unsafe_any_json_ld=self._policy.unsafe_any_json_ld,
        )
        if audience is None:
            return replace(demand, required_suites=self._policy.required_suites)
        return replace(demand, purpose="authentication", domain=audience.domain, challenge=audience.challenge)

    def check_accreditation(
        self, claim: Claim, among: Iterable[Accreditation] | None = None
    ) -> tuple[Check, Accreditation | None]:
        """Judge whether an issuer may make its claim, and give what entitles it.

        Args:
            claim: the claim.
            among: the accreditations that count; the policy's by default.
        """
        counting = self._policy.accreditations if among is None else among
        try:
            covering = accredit(claim, self._under_one_name(counting, claim.issuer))
        except NotAccredited as error:
            # Of a stranger the policy says nothing, so nothing can be said; an office that is overstepped is
            # wrong. A genuine paper from the next country is no forgery.
            outcome = Check.unknown if error.code == "issuer-not-accredited" else Check.failed
            return outcome(CheckName.ISSUER, error.code, error.detail), None
        return Check.passed(CheckName.ISSUER), max(covering, key=self.preference)

    def _under_one_name(self, accreditations: Iterable[Accreditation], did: str) -> Iterable[Accreditation]:
        """Write accreditations of a DID that moved, whichever of its names they use, under this one."""
        names = self.dids.names(did)
        return [
            replace(granted, issuer=did) if granted.issuer in names else granted for granted in accreditations
        ]

    def preference(self, accreditation: Accreditation) -> tuple[bool, bool]:
        """Rank accreditations: first those whose pin the issuer's document meets, then those with an owner.

        Without an owner nothing that the issuer anchors can be recognised.
        """
        return not self.is_swapped(accreditation), accreditation.owner is not None

    def check_issuer(
        self,
        document: JsonObject,
        verified: VerifiedProofs | None,
        at: datetime,
        among: Iterable[Accreditation] | None = None,
    ) -> tuple[Check, Accreditation | None]:
        """Judge whether a credential's proofs are by its issuer's keys, and whether the issuer may issue it.

        Args:
            document: the credential.
            verified: its proofs, if they hold.
            at: the moment asked about.
            among: the accreditations that count; the policy's by default.
        """
        if verified is not None and not self.are_keys_of(verified, issuer_of(document)):
            return FOREIGN_KEY, None
        claim = claim_of(document, verified, at)
        if self._policy.unsafe_any_issuer and verified is not None:
            return Check.passed(CheckName.ISSUER), _accredit_unsafely(claim)
        return self.check_accreditation(claim, among)

    def are_keys_of(self, verified: VerifiedProofs, issuer: str) -> bool:
        """Whether every proof that counts was made with a key of the issuer's own, under any of its names."""
        names = self.dids.names(issuer)
        return all(parse_did_url(held.method.id).did in names for held in verified.proofs)

    def is_swapped(self, accreditation: Accreditation) -> bool:
        """Whether the DID document known is another than the one that the accreditation pins."""
        known = self.dids.find(accreditation.issuer)
        return (
            accreditation.document_digest is not None
            and known is not None
            and not is_intrinsic(accreditation.issuer)
            and known.digest != accreditation.document_digest
        )

    def vouch_for(self, did: str) -> bool | None:
        """Whether the DID document known is beyond doubt: it follows from the DID, or the policy pins it.

        Returns:
            None where nothing says so, and False where the policy pins another document.
        """
        if is_intrinsic(did):
            return True
        names = self.dids.names(did)
        pins = [
            granted
            for granted in self._policy.accreditations
            if granted.issuer in names and granted.document_digest is not None
        ]
        return not any(self.is_swapped(granted) for granted in pins) if pins else None


class _Lookup:
    """The callable by which a proof asks for its method; it keeps what came of it."""

    def __init__(
        self, dids: KnownDids, at: datetime, asked: Asked | None, said: Mapping[str, datetime]
    ) -> None:
        self._dids = dids
        self._at = at
        self._asked = asked
        self._said = said
        self.closings: dict[str, Closing] = {}
        self.check = Check.unknown(
            CheckName.KEY, "not-reached", "the proof was refused before its key was needed"
        )
        self.refused = False

    def __call__(self, url: str, purpose: str) -> VerificationMethod:
        try:
            self.refused = True
            method = self._find(url, purpose)
        except ResolutionFailed as error:
            outcome = Check.unknown if error.code in _UNDECIDABLE else Check.failed
            self.check = outcome(CheckName.KEY, error.code, error.detail)
            raise
        except Malformed as error:
            self.check = Check.unknown(CheckName.KEY, "invalidDidDocument", error.detail)
            raise
        except InvalidProof as error:
            self.check = Check.failed(CheckName.KEY, error.code, error.detail)
            raise
        self.refused = False
        self.check = _UNDATED if self.closings else Check.passed(CheckName.KEY)
        return method

    def _find(self, url: str, purpose: str) -> VerificationMethod:
        """Find a method, whose end is kept for later where a proof may have existed before."""
        if self._asked is None:
            return self._dids.method(url, purpose, self._at)
        asked = replace(self._asked, said=self._said.get(url))
        method, closing = self._dids.lasting_method(url, purpose, asked)
        if closing is not None:
            self.closings[url] = closing
        return method


def _refusal(lookup: _Lookup, error: InvalidProof | Malformed | InvalidRecord) -> ProofResult:
    if lookup.refused:
        return ProofResult(lookup.check, _NO_KEY)
    if isinstance(error, InvalidProof) and error.code == _SUITE_UNAVAILABLE:
        return ProofResult(lookup.check, Check.unknown(CheckName.PROOF, error.code, error.detail))
    if isinstance(error, InvalidProof) and error.code in _KEY_CODES:
        return ProofResult(Check.failed(CheckName.KEY, error.code, error.detail), _NO_KEY)
    if isinstance(error, InvalidRecord):
        return ProofResult(lookup.check, Check.failed(CheckName.PROOF, error.errors[0].code, str(error)))
    return ProofResult(lookup.check, Check.failed(CheckName.PROOF, error.code, error.detail))


def issuer_of(document: JsonObject) -> str:
    """The issuer's id, from a document whose model has been checked."""
    issuer = document["issuer"]
    found = issuer.get("id") if isinstance(issuer, dict) else issuer
    return found if isinstance(found, str) else ""


def claim_of(document: JsonObject, verified: VerifiedProofs | None, at: datetime) -> Claim:
    """What a credential's issuer claims, at the times of signing, which are its own word, and at ``at``."""
    created = (held.proof.get("created") for held in (verified.proofs if verified else ()))
    moments = [at, *(parse_timestamp(text) for text in created if isinstance(text, str))]
    return Claim.of(document, issuer=issuer_of(document), moments=moments)


def is_shown_in_part(verified: VerifiedProofs) -> bool:
    """Whether a holder chose what of the document is shown: every proof of it was derived."""
    suites = (SUITES.get(held.cryptosuite) for held in verified.proofs)
    return all(suite is not None and suite.is_selective for suite in suites)


def _accredit_unsafely(claim: Claim) -> Accreditation:
    """Entitle an issuer, whose key is its own, to just what it claims."""
    return Accreditation(
        issuer=claim.issuer, credential_types=claim.types, jurisdictions=frozenset({ANYWHERE})
    )

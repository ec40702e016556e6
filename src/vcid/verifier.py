"""Verify a credential offline, check by check.

The plan, a function for each step; whatever can run does run, so that one report names every fault:

1. parse: strict JSON, or a JSON Web Token, alone or in an envelope.
2. model: Verifiable Credentials Data Model 2.0, or 1.1 where the document says so.
3. key: the proof's verification method, from the issuer's DID document as the verifier knows it.
4. proof: Verifiable Credential Data Integrity 1.0 by a suite that the policy allows, or a token's signature
   by such an algorithm.
5. issuer: the key is the issuer's, and the issuer is accredited for this type, jurisdiction and time, or was
   appointed by a chain of delegations that each pass these very steps.
6. period: ``validFrom`` and ``validUntil``, or the dates of version 1.1.
7. schema: Verifiable Credentials JSON Schema.
8. status: every status entry, each read from a list that is itself verified.
9. anchor: those lists and the DID document are the newest that the log holds, as witnesses vouch.
10. holder: only within a presentation.

Two times are never mixed: ``at`` is the moment asked about and judges keys, periods and statuses; ``now`` is
the moment of asking and judges how old the evidence is. By Controlled Identifiers 1.0 a key that has ended by
``at`` verifies nothing. A policy may depart from that and be time-honest: see `vcid.existence`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vcid.anchors import Anchors
from vcid.credentials.envelopes import CREDENTIAL, Received, read_secured
from vcid.credentials.model import check_model, check_version_2
from vcid.credentials.related_resources import SUPERSEDED, check_related_resources
from vcid.credentials.schema import SchemaOutcome, SchemaResult, check_own_schemas, check_schema
from vcid.credentials.schema_set import Schemas
from vcid.credentials.validity import validity_period
from vcid.delegation_links import Inquiry
from vcid.delegations import Delegations, Entitlement
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import utc_now
from vcid.errors import Malformed, Rejected, Undecided
from vcid.existence import Evidence
from vcid.issuers import (
    SWAPPED,
    Audience,
    KnownIssuers,
    ProofResult,
    claim_of,
    is_shown_in_part,
    issuer_of,
)
from vcid.presentations import Presentations, report_unread
from vcid.report import Check, CheckName, Conclusion, Report
from vcid.schema_credentials import SchemaCredentials
from vcid.statuses import Standing, Statuses

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from vcid.credentials.envelopes import Presentation
    from vcid.credentials.model import Credential
    from vcid.encoding.json import JsonObject
    from vcid.errors import FieldError
    from vcid.knowledge import Knowledge
    from vcid.ledger.anchor import ViewStore
    from vcid.ledger.receipts import Receipt
    from vcid.policy import Policy
    from vcid.report import PresentationReport
    from vcid.trust import Accreditation

    ReceivedCredential = Credential | bytes | str | JsonObject
    ReceivedPresentation = Presentation | bytes | str | JsonObject

_CLAIMS = (CheckName.ISSUER, CheckName.PERIOD, CheckName.SCHEMA, CheckName.STATUS, CheckName.ANCHOR)
"""The checks that read claims, which a document outside the model does not make."""

_SHOWN = 10
"""How many faults of one kind a check spells out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a verifier has around it, besides policy and knowledge.

    Attributes:
        clock: gives the current time, with a time zone.
        contexts: the JSON-LD contexts known.
        schemas: the JSON Schemas known.
        schema_credentials: schema credentials as published, which decide once they pass the policy
            themselves: see `vcid.schema_credentials`.
    """

    clock: Callable[[], datetime] = utc_now
    contexts: Contexts = field(default_factory=Contexts.carried)
    schemas: Schemas = field(default_factory=Schemas.carried)
    schema_credentials: tuple[Credential | bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class VerifiedCredential:
    """A credential that passed every check its policy requires.

    Attributes:
        document: the document that the proof covers, without the proof.
        report: the checks.
    """

    document: JsonObject = field(repr=False)
    report: Report

    @property
    def subject(self) -> JsonObject:
        """The claims about the subject.

        Raises:
            ValueError: the credential speaks of several subjects; take them from ``document``.
        """
        match self.document["credentialSubject"]:
            case dict(subject) | [dict(subject)]:
                return subject
            case _:
                raise ValueError("the credential has several subjects: read them from document")


@dataclass(frozen=True, slots=True)
class VerifiedPresentation:
    """A presentation that passed, with every credential in it.

    Attributes:
        holder: the DID of who presented it.
        credentials: the credentials, each as its own proof covers it.
        report: the checks.
    """

    holder: str = field(repr=False)
    credentials: tuple[VerifiedCredential, ...]
    report: PresentationReport


class Verifier:
    """Answers whether credentials are to be believed. Safe to share between threads.

    Args:
        policy: what is demanded.
        knowledge: what is known, and as of when; nothing else is ever fetched.
        views: the memory of the newest ledger views seen; without it nobody can say that knowledge was not
            rolled back, and the anchor check stays *unknown*.
        surroundings: clock, contexts and schemas.

    Raises:
        Malformed, ValueError: a schema credential is none, or has the id of another schema.
    """

    def __init__(
        self,
        policy: Policy,
        knowledge: Knowledge,
        *,
        views: ViewStore | None = None,
        surroundings: Surroundings | None = None,
    ) -> None:
        self._policy = policy
        self._surroundings = surroundings or Surroundings()
        self._issuers = KnownIssuers(policy, knowledge, self._surroundings.contexts, self._surroundings.clock)
        self._statuses = Statuses(knowledge, self._issuers, policy.clock_skew)
        self._anchors = Anchors(policy, knowledge, self._issuers.dids, views)
        # None of these holds on to the verifier: a memory of views is let go of together with it.
        self._delegations = Delegations(policy, knowledge, self._issuers)
        self._schemas = SchemaCredentials(self._surroundings.schema_credentials, self._surroundings.schemas)
        self._presentations = Presentations(self._issuers, policy.tolerated)

    def check(
        self,
        credential: ReceivedCredential,
        *,
        at: datetime | None = None,
        existence: Iterable[Receipt] = (),
    ) -> Report:
        """Run every check and report each; bad input is reported, never raised.

        Args:
            credential: what was received.
            at: the moment asked about, with a time zone; now by default.
            existence: receipts that came with it and may show by when it existed, besides those known; of use
                under a time-honest policy alone.

        Raises:
            ValueError: ``at`` has no time zone, or there are more than sixteen receipts.
            TypeError: the credential is of no kind that is taken.
        """
        moment, now = self._moments(at)
        return self._check(credential, moment, Evidence(tuple(existence), now))

    def verify(
        self,
        credential: ReceivedCredential,
        *,
        at: datetime | None = None,
        existence: Iterable[Receipt] = (),
    ) -> VerifiedCredential:
        """Return the credential if it passes, and raise otherwise.

        Raises:
            Rejected: a check failed; the exception's ``report`` says which.
            Undecided: no check failed, but what is known does not suffice.
            ValueError, TypeError: as ``check``.
        """
        report = self.check(credential, at=at, existence=existence)
        if report.conclusion is Conclusion.REJECTED:
            raise Rejected(report)
        if report.conclusion is Conclusion.UNDECIDED or report.document is None:
            raise Undecided(report)
        return VerifiedCredential(report.document, report)

    def check_presentation(
        self,
        presentation: ReceivedPresentation,
        *,
        challenge: str,
        domain: str,
        at: datetime | None = None,
        existence: Iterable[Receipt] = (),
    ) -> PresentationReport:
        """Run every check on a presentation and on each credential in it, as `vcid.presentations` says.

        Args:
            presentation: what was received.
            challenge: what the holder was given to answer, drawn at random for this one occasion: whoever
                takes the same one twice takes a replay.
            domain: the verifier's own name, by which the holder meant it.
            at: the moment asked about, with a time zone, for the presentation's proof too; now by default.
            existence: receipts that came with it and may show by when any of its credentials existed, besides
                those known; the presentation's own proof is always judged without.

        Raises:
            ValueError: challenge or domain is empty, ``at`` has no time zone, or there are more than sixteen
                receipts.
            TypeError: the presentation is of no kind that is taken.
        """
        audience = Audience(challenge=challenge, domain=domain)
        moment, now = self._moments(at)
        evidence = Evidence(tuple(existence), now)
        return self._presentations.check(
            presentation, audience, lambda one: self._check(one, moment, evidence), at=moment, now=now
        )

    def verify_presentation(
        self,
        presentation: ReceivedPresentation,
        *,
        challenge: str,
        domain: str,
        at: datetime | None = None,
        existence: Iterable[Receipt] = (),
    ) -> VerifiedPresentation:
        """Return the presentation if it and all its credentials pass, and raise otherwise.

        Raises:
            Rejected: a check failed; the exception's ``report`` says which.
            Undecided: no check failed, but what is known does not suffice.
            ValueError: as ``check_presentation``.
        """
        report = self.check_presentation(
            presentation, challenge=challenge, domain=domain, at=at, existence=existence
        )
        if report.conclusion is Conclusion.REJECTED:
            raise Rejected(report)
        if report.conclusion is Conclusion.UNDECIDED or report.holder is None:
            raise Undecided(report)
        credentials = tuple(
            VerifiedCredential(one.document, one) for one in report.credentials if one.document is not None
        )
        return VerifiedPresentation(report.holder, credentials, report)

    def _moments(self, at: datetime | None) -> tuple[datetime, datetime]:
        now = self._surroundings.clock()
        moment = now if at is None else at
        if moment.utcoffset() is None or now.utcoffset() is None:
            raise ValueError("at and the clock need a time zone")
        return moment, now

    def _check(self, credential: ReceivedCredential, at: datetime, evidence: Evidence) -> Report:
        """Steps 1 to 10."""
        try:
            received = read_secured(credential, CREDENTIAL)
        except Malformed as error:
            rest = (
                Check.skipped(name, "there is no document") for name in CheckName if name != CheckName.PARSE
            )
            checks = (report_unread(error), *rest)
            return Report(checks=checks, at=at, now=evidence.now, tolerated=self._policy.tolerated)
        return self._examine(received, at, evidence)

    def _examine(
        self, received: Received, at: datetime, evidence: Evidence, parent: Accreditation | None = None
    ) -> Report:
        """Steps 2 to 10, on a document that was read."""
        document, now = received.document, evidence.now
        # Tokens of version 1.1 were another format, with its own rules for where the claims stand.
        faults = check_model(document) if received.token is None else check_version_2(document)
        proof = self._issuers.check_proof(received.secured, at, evidence=evidence)
        fresh_as_of = None
        if faults:
            claims = [Check.skipped(name, "the document does not conform to the model") for name in _CLAIMS]
        else:
            entitled = self._entitle(document, proof, at=at, now=now, parent=parent)
            proof, claims, fresh_as_of = self._examine_claims(
                document, proof, entitled, at=at, now=now, is_link=parent is not None
            )
        holder = Check.skipped(CheckName.HOLDER, "no presentation")
        covered = proof.verified.document if proof.verified else None
        return Report(
            checks=(
                Check.passed(CheckName.PARSE),
                _model_check(faults, covered),
                proof.key,
                proof.proof,
                *claims,
                holder,
            ),
            at=at,
            now=now,
            tolerated=self._policy.tolerated,
            fresh_as_of=fresh_as_of,
            document=None if faults or proof.key is SWAPPED else covered,
        )

    def _entitle(
        self,
        document: JsonObject,
        proof: ProofResult,
        *,
        at: datetime,
        now: datetime,
        parent: Accreditation | None,
    ) -> Entitlement:
        """Step 5, on the document that the proof covers, or for want of one on that received."""
        verified = proof.verified
        covered = verified.document if verified else document
        among = None if parent is None else [parent]
        check, accreditation = self._issuers.check_issuer(covered, verified, at, among)
        own = Entitlement(check, accreditation)
        is_theirs = verified is None or self._issuers.are_keys_of(verified, issuer_of(covered))
        if parent is not None or accreditation is not None or not is_theirs:
            return own
        evidence = Evidence((), now)
        inquiry = Inquiry(at, now, lambda link, among: self._examine(Received(link), at, evidence, among))
        return self._delegations.entitle(claim_of(covered, verified, at), own, inquiry)

    def _examine_claims(
        self,
        document: JsonObject,
        proof: ProofResult,
        entitled: Entitlement,
        *,
        at: datetime,
        now: datetime,
        is_link: bool,
    ) -> tuple[ProofResult, list[Check], datetime | None]:
        """Steps 6 to 9, on the same document as step 5.

        A link of a chain of delegations is judged by the schemas known alone: a schema credential may be
        by somebody whom only that very link appoints.
        """
        covered = proof.verified.document if proof.verified else document
        accreditation = entitled.accreditation
        if accreditation is not None and self._issuers.is_swapped(accreditation):
            proof = ProofResult(SWAPPED, proof.proof, proof.verified)
        # To evaluate a schema can be made to take long: that is for issuers who are known, not for strangers.
        if proof.verified is not None and accreditation is not None:
            known = self._surroundings.schemas
            if not is_link:
                evidence = Evidence((), now)
                known = self._schemas.admit(covered, lambda schema: self._examine(schema, at, evidence))
            schemas = _check_schemas(covered, known, in_part=is_shown_in_part(proof.verified))
        else:
            schemas = [Check.skipped(CheckName.SCHEMA, "neither proof nor issuer vouch for the document")]
        standing = Standing(issuer=issuer_of(covered), accreditation=accreditation)
        statuses, used = self._statuses.check(covered, standing, at=at, now=now)
        anchors, fresh_as_of = self._anchors.check(standing, used, now)
        checks = [entitled.check, self._check_period(covered, at), *schemas, *statuses, *anchors]
        return proof, checks, entitled.oldest(fresh_as_of)

    def _check_period(self, document: JsonObject, at: datetime) -> Check:
        """Step 6 (Verifiable Credentials Data Model 2.0, "Validity Period"), with the policy's clock skew."""
        start, end = validity_period(document)
        if start is not None and start - at > self._policy.clock_skew:
            return Check.failed(CheckName.PERIOD, "not-yet-valid", "the credential's validity has not begun")
        if end is not None and end < at:
            return Check.failed(CheckName.PERIOD, "expired", "the credential's validity has ended")
        return Check.passed(CheckName.PERIOD)


def _check_schemas(document: JsonObject, known: Schemas, *, in_part: bool) -> list[Check]:
    """Step 7 (Verifiable Credentials JSON Schema): those that the credential names, and its types' own.

    A credential can't choose to go without the schema of its type. Of one that is shown in part, the
    issuer's signature vouches for what is not there, and what is there has to conform.
    """
    results = check_schema(document, schemas=known, in_part=in_part)
    evaluated = {result.id for result in results if result.outcome is not SchemaOutcome.UNKNOWN}
    results += check_own_schemas(document, but=evaluated, in_part=in_part)
    if not results:
        return [Check.skipped(CheckName.SCHEMA, "the credential names no schema")]
    return [_schema_check(result) for result in results]


def _model_check(faults: tuple[FieldError, ...], covered: JsonObject | None) -> Check:
    """Step 2's outcome; an issuer who meant another edition of a context may have meant something else."""
    if not faults:
        if covered is not None and _names_superseded(covered):
            detail = "the credential names the digest of another edition of a context than the one carried"
            return Check.unknown(CheckName.MODEL, "superseded-edition", detail)
        return Check.passed(CheckName.MODEL)
    return Check.failed(CheckName.MODEL, faults[0].code, "; ".join(str(fault) for fault in faults[:_SHOWN]))


def _names_superseded(document: JsonObject) -> bool:
    """Whether a related resource, checked against what is carried, is an edition that was superseded.

    Resources that are not carried are not read here either, so that nothing rests on them.
    """
    return any(result.code == SUPERSEDED for result in check_related_resources(document))


def _schema_check(result: SchemaResult) -> Check:
    if result.outcome is SchemaOutcome.PASSED:
        return Check.passed(CheckName.SCHEMA)
    if result.outcome is SchemaOutcome.UNKNOWN:
        return Check.unknown(CheckName.SCHEMA, result.reason, "the schema named can't be evaluated here")
    detail = "; ".join(str(fault) for fault in result.faults[:_SHOWN])
    return Check.failed(CheckName.SCHEMA, result.faults[0].code, detail)

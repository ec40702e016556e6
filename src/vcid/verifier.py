"""Verify a credential offline, check by check.

The plan, a function for each step; whatever can run does run, so that one report names every fault:

1. parse: strict JSON.
2. model: Verifiable Credentials Data Model 2.0, or 1.1 where the document says so.
3. key: the proof's verification method, from the issuer's DID document as the verifier knows it.
4. proof: Verifiable Credential Data Integrity 1.0, by a suite that the policy allows.
5. issuer: the key is the issuer's, and the issuer is accredited for this type, jurisdiction and time.
6. period: ``validFrom`` and ``validUntil``, or the dates of version 1.1.
7. schema: Verifiable Credentials JSON Schema.
8. status: every status entry, each read from a list that is itself verified.
9. anchor: those lists and the DID document are the newest that the log holds, as witnesses vouch.
10. holder: only within a presentation.

Two times are never mixed: ``at`` is the moment asked about and judges keys, periods and statuses; ``now`` is
the moment of asking and judges how old the evidence is.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from vcid.anchors import Anchors
from vcid.credentials.model import Credential, check_model
from vcid.credentials.schema import SchemaOutcome, SchemaResult, Schemas, check_own_schemas, check_schema
from vcid.credentials.validity import validity_period
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import utc_now
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Malformed, Rejected, Undecided
from vcid.issuers import SWAPPED, KnownIssuers, ProofResult, issuer_of
from vcid.report import Check, CheckName, Conclusion, Report
from vcid.statuses import Standing, Statuses

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vcid.encoding.json import JsonObject
    from vcid.errors import FieldError
    from vcid.knowledge import Knowledge
    from vcid.ledger.anchor import ViewStore
    from vcid.policy import Policy

    Received = Credential | bytes | str | JsonObject

_MEDIA_TYPES = frozenset({"application/vc", "application/vc+ld+json", "application/json"})
_CLAIMS = (CheckName.ISSUER, CheckName.PERIOD, CheckName.SCHEMA, CheckName.STATUS, CheckName.ANCHOR)
"""The checks that read claims, which a document outside the model does not make."""

MAX_CREDENTIAL_BYTES = 1 << 18
"""The largest credential examined: a hundred times an ordinary one."""

_SHOWN = 10
"""How many faults of one kind a check spells out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What a verifier has around it, besides policy and knowledge.

    Attributes:
        clock: gives the current time, with a time zone.
        contexts: the JSON-LD contexts known.
        schemas: the JSON Schemas known.
    """

    clock: Callable[[], datetime] = utc_now
    contexts: Contexts = field(default_factory=Contexts.carried)
    schemas: Schemas = field(default_factory=Schemas.carried)


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


class Verifier:
    """Answers whether credentials are to be believed. Safe to share between threads.

    Args:
        policy: what is demanded.
        knowledge: what is known, and as of when; nothing else is ever fetched.
        views: the memory of the newest ledger views seen; without it nobody can say that knowledge was not
            rolled back, and the anchor check stays *unknown*.
        surroundings: clock, contexts and schemas.
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
        self._issuers = KnownIssuers(policy, knowledge, self._surroundings.contexts)
        self._statuses = Statuses(knowledge, self._issuers, policy.clock_skew)
        self._anchors = Anchors(policy, knowledge, views)

    def check(self, credential: Received, *, at: datetime | None = None) -> Report:
        """Run every check and report each; bad input is reported, never raised.

        Args:
            credential: what was received.
            at: the moment asked about, with a time zone; now by default.

        Raises:
            ValueError: ``at`` has no time zone.
            TypeError: the credential is of no kind that is taken.
        """
        now = self._surroundings.clock()
        moment = now if at is None else at
        if moment.utcoffset() is None or now.utcoffset() is None:
            raise ValueError("at and the clock need a time zone")
        try:
            document = _read(credential)
        except Malformed as error:
            fault = Check.failed(CheckName.PARSE, error.code, error.detail)
            rest = (
                Check.skipped(name, "there is no document") for name in CheckName if name != CheckName.PARSE
            )
            return Report(checks=(fault, *rest), at=moment, now=now, tolerated=self._policy.tolerated)
        return self._examine(document, moment, now)

    def verify(self, credential: Received, *, at: datetime | None = None) -> VerifiedCredential:
        """Return the credential if it passes, and raise otherwise.

        Raises:
            Rejected: a check failed; the exception's ``report`` says which.
            Undecided: no check failed, but what is known does not suffice.
            ValueError: ``at`` has no time zone.
        """
        report = self.check(credential, at=at)
        if report.conclusion is Conclusion.REJECTED:
            raise Rejected(report)
        if report.conclusion is Conclusion.UNDECIDED or report.document is None:
            raise Undecided(report)
        return VerifiedCredential(report.document, report)

    def _examine(self, document: JsonObject, at: datetime, now: datetime) -> Report:
        """Steps 2 to 10, on a document that was read."""
        faults = check_model(document)
        proof = self._issuers.check_proof(document, at)
        fresh_as_of = None
        if faults:
            claims = [Check.skipped(name, "the document does not conform to the model") for name in _CLAIMS]
        else:
            proof, claims, fresh_as_of = self._examine_claims(document, proof, at=at, now=now)
        holder = Check.skipped(CheckName.HOLDER, "no presentation")
        covered = proof.verified.document if proof.verified else None
        return Report(
            checks=(
                Check.passed(CheckName.PARSE),
                _model_check(faults),
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

    def _examine_claims(
        self, document: JsonObject, proof: ProofResult, *, at: datetime, now: datetime
    ) -> tuple[ProofResult, list[Check], datetime | None]:
        """Steps 5 to 9, on the document that the proof covers, or for want of one on that received."""
        covered = proof.verified.document if proof.verified else document
        issuer, accreditation = self._issuers.check_issuer(covered, proof.verified, at)
        if accreditation is not None and self._issuers.is_swapped(accreditation):
            proof = ProofResult(SWAPPED, proof.proof, proof.verified)
        # To evaluate a schema can be made to take long: that is for issuers who are known, not for strangers.
        if proof.verified is not None and accreditation is not None:
            schemas = self._check_schemas(covered)
        else:
            schemas = [Check.skipped(CheckName.SCHEMA, "neither proof nor issuer vouch for the document")]
        standing = Standing(issuer=issuer_of(covered), accreditation=accreditation)
        statuses, used = self._statuses.check(covered, standing, at=at, now=now)
        anchors, fresh_as_of = self._anchors.check(standing, used, now)
        checks = [issuer, self._check_period(covered, at), *schemas, *statuses, *anchors]
        return proof, checks, fresh_as_of

    def _check_period(self, document: JsonObject, at: datetime) -> Check:
        """Step 6 (Verifiable Credentials Data Model 2.0, "Validity Period"), with the policy's clock skew."""
        start, end = validity_period(document)
        if start is not None and start - at > self._policy.clock_skew:
            return Check.failed(CheckName.PERIOD, "not-yet-valid", "the credential's validity has not begun")
        if end is not None and end < at:
            return Check.failed(CheckName.PERIOD, "expired", "the credential's validity has ended")
        return Check.passed(CheckName.PERIOD)

    def _check_schemas(self, document: JsonObject) -> list[Check]:
        """Step 7 (Verifiable Credentials JSON Schema): those that the credential names, and its types' own.

        A credential can't choose to go without the schema of its type.
        """
        results = check_schema(document, schemas=self._surroundings.schemas)
        results += check_own_schemas(document, but={result.id for result in results})
        if not results:
            return [Check.skipped(CheckName.SCHEMA, "the credential names no schema")]
        return [_schema_check(result) for result in results]


def _read(credential: Received) -> JsonObject:
    """Step 1: strict JSON, whatever form it comes in.

    Raises:
        Malformed: it is no JSON object, or of a media type that isn't read here.
    """
    if isinstance(credential, Credential):
        if credential.media_type not in _MEDIA_TYPES:
            raise Malformed("unsupported-media-type", "a credential of type application/vc")
        credential = credential.content
    elif isinstance(credential, dict):
        credential = canonicalize(credential)
    elif not isinstance(credential, bytes | str):
        raise TypeError("a credential is a Credential, its JSON text, or the parsed object")
    return parse_object(credential, max_bytes=MAX_CREDENTIAL_BYTES)


def _model_check(faults: tuple[FieldError, ...]) -> Check:
    if not faults:
        return Check.passed(CheckName.MODEL)
    return Check.failed(CheckName.MODEL, faults[0].code, "; ".join(str(fault) for fault in faults[:_SHOWN]))


def _schema_check(result: SchemaResult) -> Check:
    if result.outcome is SchemaOutcome.PASSED:
        return Check.passed(CheckName.SCHEMA)
    if result.outcome is SchemaOutcome.UNKNOWN:
        return Check.unknown(CheckName.SCHEMA, result.reason, "the schema named can't be evaluated here")
    detail = "; ".join(str(fault) for fault in result.faults[:_SHOWN])
    return Check.failed(CheckName.SCHEMA, result.faults[0].code, detail)

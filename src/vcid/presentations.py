"""Verify a presentation: who shows these credentials, to whom, and in answer to what.

Follows the Verifiable Credentials Data Model 2.0, section "Verifiable Presentations". The plan:

1. parse: strict JSON, a token, or either's envelope.
2. model: the data model, at most `MAX_CREDENTIALS` credentials, none of them twice. Credentials are objects:
   never text, and never presentations.
3. key and proof: a proof for ``authentication``, by this challenge and domain and no other. Both are always
   demanded; that no challenge is used twice is the caller's part, who draws it at random.
4. holder: the presentation's ``holder``, where it names one, is who controls that key.
5. every credential by itself, all checks, and whether the holder is whom it speaks of.

A holder has no accreditation, and no ledger anchors a family's keys. A did:key or did:jwk is its own
document. Any other holder's document is only what somebody put into the verifier's knowledge, so that it
leaves the holder *unknown* (``holder-unanchored``) unless the policy pins it; a policy may tolerate that by
name. A credential shown by somebody else than its subject is *unknown* too (``holder-not-subject``): a parent
shows a child's certificate, and so would whoever found a copy. A credential that only the presentation
secures, a holder's claim about itself, is refused: nobody vouches for it.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from vcid.credentials.envelopes import PRESENTATION, UNSUPPORTED_ENVELOPE, Received, read_secured
from vcid.credentials.model_rules import find_entries
from vcid.credentials.presentation_model import check_presentation_model
from vcid.credentials.version_1 import is_version_1
from vcid.dids.urls import parse_did_url
from vcid.errors import FieldError, Malformed
from vcid.issuers import SWAPPED, ProofResult
from vcid.report import Check, CheckName, PresentationReport

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from vcid.credentials.envelopes import Presentation
    from vcid.encoding.json import JSON, JsonObject
    from vcid.issuers import Audience, KnownIssuers
    from vcid.report import Report

    CheckCredential = Callable[[JsonObject], Report]

MAX_CREDENTIALS: Final = 20
"""How many credentials a presentation may hold: a family with its papers, and no flood."""

_SHOWN: Final = 10
_CHECKS: Final = (CheckName.PARSE, CheckName.MODEL, CheckName.KEY, CheckName.PROOF, CheckName.HOLDER)
_GUARDIANSHIP: Final = "GuardianshipCredential"


class Presentations:
    """Judges presentations.

    Args:
        issuers: judges keys and proofs.
        tolerated: what the policy lets pass undecided.
    """

    def __init__(self, issuers: KnownIssuers, tolerated: frozenset[str]) -> None:
        self._issuers = issuers
        self._tolerated = tolerated

    def check(
        self,
        presentation: Presentation | bytes | str | JsonObject,
        audience: Audience,
        check_credential: CheckCredential,
        *,
        at: datetime,
        now: datetime,
    ) -> PresentationReport:
        """Run every check and report each; bad input is reported, never raised.

        Args:
            presentation: what was received.
            audience: whom it has to be meant for.
            check_credential: reports on one credential, for the same two moments.
            at: the moment asked about.
            now: the moment of asking.

        Raises:
            TypeError: the presentation is of no kind that is taken.
        """
        try:
            received = read_secured(presentation, PRESENTATION)
        except Malformed as error:
            checks = (report_unread(error), *_skipped("there is no document"))
            return PresentationReport(checks=checks, at=at, now=now, tolerated=self._tolerated)
        faults = _find_faults(received)
        result = self._judge(received, audience, at)
        document = result.verified.document if result.verified else received.document
        holder = _signatory(result)
        entries = [entry for _, entry in find_entries(document, "verifiableCredential")]
        reports = [] if len(entries) > MAX_CREDENTIALS else _check_each(entries, holder, check_credential)
        checks = (
            Check.passed(CheckName.PARSE),
            _model_check(faults),
            result.key,
            result.proof,
            self._check_holder(document, result, has_credentials=bool(entries)),
        )
        return PresentationReport(
            checks=checks,
            credentials=tuple(reports),
            at=at,
            now=now,
            tolerated=self._tolerated,
            holder=None if faults else holder,
            document=None if faults or holder is None else document,
        )

    def _judge(self, received: Received, audience: Audience, at: datetime) -> ProofResult:
        """Step 3; a key out of a document other than the one that the policy pins is nobody's."""
        result = self._issuers.check_proof(received.secured, at, audience)
        holder = _signatory(result)
        if holder is not None and self._issuers.vouch_for(holder) is False:
            return ProofResult(SWAPPED, result.proof)
        return result

    def _check_holder(self, document: JsonObject, result: ProofResult, *, has_credentials: bool) -> Check:
        """Step 4."""
        if result.verified is None:
            return _unknown("no-holder", "no proof that holds says who presents this")
        holder = _signatory(result)
        if holder is None:
            return Check.failed(CheckName.HOLDER, "several-holders", "the proofs are by keys of several DIDs")
        stated = document.get("holder")
        if "holder" in document and _id_of(stated) != holder:
            detail = "the proof is by a key of somebody other than the holder named"
            return Check.failed(CheckName.HOLDER, "key-not-of-holder", detail)
        if not has_credentials:
            return _unknown("no-credentials", "nothing is presented, so nothing says who the holder is")
        if self._issuers.vouch_for(holder) is None:
            detail = "the holder's DID document is neither pinned by the policy nor the DID's own"
            return _unknown("holder-unanchored", detail)
        return Check.passed(CheckName.HOLDER)


def report_unread(error: Malformed) -> Check:
    """Say why a document could not be read; an envelope that can't be opened says nothing against it."""
    outcome = Check.unknown if error.code == UNSUPPORTED_ENVELOPE else Check.failed
    return outcome(CheckName.PARSE, error.code, error.detail)


def _find_faults(received: Received) -> tuple[FieldError, ...]:
    """Step 2."""
    document = received.document
    entries = [entry for _, entry in find_entries(document, "verifiableCredential")]
    if len(entries) > MAX_CREDENTIALS:
        expected = f"at most {MAX_CREDENTIALS} credentials"
        return (FieldError("/verifiableCredential", "too-many", expected),)
    faults = check_presentation_model(document)
    if received.token is not None and is_version_1(document):
        expected = "version 2.0 of the data model in a token"
        faults = (FieldError("/@context/0", "unsupported-model-version", expected), *faults)
    if any(entry in entries[:number] for number, entry in enumerate(entries)):
        faults = (*faults, FieldError("/verifiableCredential", "duplicate", "each credential once"))
    return faults


def _model_check(faults: tuple[FieldError, ...]) -> Check:
    if not faults:
        return Check.passed(CheckName.MODEL)
    return Check.failed(CheckName.MODEL, faults[0].code, "; ".join(str(fault) for fault in faults[:_SHOWN]))


def _signatory(result: ProofResult) -> str | None:
    """The DID whose keys signed, where the proofs hold and are all one DID's."""
    if result.verified is None:
        return None
    signatories = {parse_did_url(held.method.id).did for held in result.verified.proofs}
    return signatories.pop() if len(signatories) == 1 else None


def _check_each(entries: list[JSON], holder: str | None, check_credential: CheckCredential) -> list[Report]:
    """Step 5; what is no object is the model's to refuse."""
    reports = []
    for entry in entries:
        if isinstance(entry, dict):
            report = check_credential(entry)
            binding = _check_binding(report, holder)
            checks = (binding if one.name is CheckName.HOLDER else one for one in report.checks)
            reports.append(replace(report, checks=tuple(checks)))
    return reports


def _check_binding(report: Report, holder: str | None) -> Check:
    """Whether the holder is whom a credential speaks of: its subject, or a guardian that it names."""
    if report.document is None:
        return Check.skipped(CheckName.HOLDER, "no proof that holds says whom the credential speaks of")
    if holder is None:
        return _unknown("no-holder", "no proof that holds says who presents the credential")
    if holder in _entitled(report.document):
        return Check.passed(CheckName.HOLDER)
    return _unknown("holder-not-subject", "the credential is shown by somebody other than its subject")


def _entitled(document: JsonObject) -> set[JSON]:
    """The ids of a credential's subjects, and of the guardians that a guardianship names."""
    ids: set[JSON] = set()
    types = document.get("type")
    is_guardianship = isinstance(types, list) and _GUARDIANSHIP in types
    for _, subject in find_entries(document, "credentialSubject"):
        if isinstance(subject, dict):
            guardians = subject.get("guardians") if is_guardianship else None
            people = [subject, *(guardians if isinstance(guardians, list) else [])]
            ids.update(_id_of(person) for person in people if isinstance(person, dict))
    return {identifier for identifier in ids if isinstance(identifier, str)}


def _id_of(value: JSON) -> str | None:
    identifier = value.get("id") if isinstance(value, dict) else value
    return identifier if isinstance(identifier, str) else None


def _unknown(code: str, detail: str) -> Check:
    return Check.unknown(CheckName.HOLDER, code, detail)


def _skipped(reason: str) -> list[Check]:
    return [Check.skipped(name, reason) for name in _CHECKS if name is not CheckName.PARSE]

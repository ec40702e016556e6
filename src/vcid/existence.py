"""By when a credential existed: what tells a signature of a key's good days from one made after them.

A signature says nothing of its time but what its signer says, and a thief says what suits him. That a
credential was in a batch of the ledger when enough witnesses cosigned it needs no word of the signer's. A key
that was good until some moment therefore vouches for what is shown to have existed by then, and for nothing
else. This departs from Controlled Identifiers 1.0, by which a key that has ended verifies nothing.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from vcid.encoding.dates import parse_timestamp
from vcid.errors import InvalidProof, Malformed, VcidError
from vcid.ledger.batches import BatchReceipt, date_existence
from vcid.report import Check, CheckName, Outcome
from vcid.securing.existence import existence_digest
from vcid.securing.jose import Token
from vcid.securing.proof_sets import ProofSet

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vcid.encoding.contexts import Contexts
    from vcid.encoding.json import JsonObject
    from vcid.known_dids import Closing
    from vcid.ledger.anchor import LogPolicy
    from vcid.ledger.receipts import Receipt
    from vcid.policy import Policy
    from vcid.securing.proof import VerifiedProofs

MAX_RECEIPTS: Final = 16
"""How many receipts may be handed in for one credential."""

_GRAVITY: Final = (Outcome.FAILED, Outcome.UNKNOWN, Outcome.PASSED)
_LATE: Final = {
    "key-revoked": "the proof says it was made after its key was revoked",
    "key-expired": "the proof says it was made after its key expired",
    "key-removed": "the proof says it was made after the issuer removed its key",
    "deactivated": "the proof says it was made after its DID was deactivated",
}


@dataclass(frozen=True, slots=True)
class Evidence:
    """What may show by when one credential existed.

    Attributes:
        receipts: batch receipts that came with it.
        now: the moment of asking; evidence from the future is none.
    """

    receipts: tuple[Receipt, ...]
    now: datetime

    def __post_init__(self) -> None:
        if len(self.receipts) > MAX_RECEIPTS:
            raise ValueError(f"at most {MAX_RECEIPTS} receipts for one credential")


class Existence:
    """Dates credentials by a policy's logs.

    Args:
        policy: with the logs; each one's quorum of witnesses is believed by itself, whoever anchored there.
        known: receipts that are known, by digest.
        contexts: the contexts that a document may name.
    """

    def __init__(self, policy: Policy, known: Mapping[bytes, Receipt], contexts: Contexts) -> None:
        self._policy = policy
        self._known = known
        self._contexts = contexts

    def date(self, secured: JsonObject | Token, evidence: Evidence) -> datetime | None:
        """Say by when a credential existed at the latest: the earliest time that any log's witnesses show.

        Evidence that does not hold, is about something else or from the future shows nothing.
        """
        try:
            digest = existence_digest(secured, contexts=self._contexts)
        except VcidError:
            return None
        if digest is None:
            return None
        known = self._known.get(digest)
        receipts = (*evidence.receipts, known) if known is not None else evidence.receipts
        times = [time for receipt in receipts for time in self._times(digest, receipt)]
        skew = self._policy.clock_skew
        return min((time for time in times if time - evidence.now <= skew), default=None)

    def _times(self, digest: bytes, receipt: Receipt) -> Iterable[datetime]:
        for log in self._logs(receipt):
            try:
                time = date_existence(digest, receipt, log)
            except (InvalidProof, Malformed):
                continue
            if time is not None:
                yield time

    def _logs(self, receipt: Receipt) -> Iterable[LogPolicy]:
        """The policy's log of which a receipt says it is; a policy names each once."""
        try:
            origin = BatchReceipt.parse(receipt.body).inclusion.log_proof.checkpoint.origin
        except Malformed:
            return ()
        return (log for log in self._policy.logs if log.origin == origin)


def read_created(secured: JsonObject | Token) -> dict[str, datetime]:
    """Read when each proof of a document, or a token, says it was made, by its method's URL; unverified."""
    if isinstance(secured, Token):
        issued, key_id = secured.claims.get("iat"), secured.header.get("kid")
        if not isinstance(issued, int) or not isinstance(key_id, str):
            return {}
        with suppress(ValueError, OverflowError, OSError):
            return {key_id: datetime.fromtimestamp(issued, UTC)}
        return {}
    found: dict[str, datetime] = {}
    try:
        proofs = ProofSet.of(secured).proofs
    except VcidError:
        return {}
    for proof in proofs:
        url, created = proof.get("verificationMethod"), proof.get("created")
        if isinstance(url, str) and isinstance(created, str):
            with suppress(Malformed):
                found[url] = parse_timestamp(created)
    return found


def judge_closed(
    verified: VerifiedProofs, closings: Mapping[str, Closing], existed: datetime | None
) -> Check:
    """Judge proofs whose keys have ended, each by its key's end; give the check that is most against them.

    A proof that says it was made after its key's end fails, whenever it existed. One that is shown to have
    existed by then passes. Of any other nobody can tell.

    Args:
        verified: the proofs, all of which hold but for their keys' ends.
        closings: the ends, by the method's URL; of a method that has none, nothing is said.
        existed: by when the document with these proofs is shown to have existed, if at all.
    """
    checks = []
    for held in verified.proofs:
        closing = closings.get(held.method.id)
        if closing is not None:
            created = held.proof.get("created")
            said = parse_timestamp(created) if isinstance(created, str) else None
            checks.append(_judge(closing, said, existed))
    return min(checks, key=lambda check: _GRAVITY.index(check.outcome), default=Check.passed(CheckName.KEY))


def _judge(closing: Closing, said: datetime | None, existed: datetime | None) -> Check:
    if said is not None and said > closing.moment:
        return Check.failed(CheckName.KEY, closing.code, _LATE[closing.code])
    if existed is not None and existed <= closing.moment:
        detail = "the key has ended since, and the credential is shown to have existed before"
        return Check.passed(CheckName.KEY, detail)
    detail = (
        "the key has ended, and nothing shows that the credential existed before"
        if existed is None
        else "the key has ended, and the credential is shown to have existed only later"
    )
    return Check.unknown(CheckName.KEY, "key-closed", detail)

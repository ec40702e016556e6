"""What a verifier demands: whom it believes, by which logs and suites, and how old its evidence may be.

The document under test chooses nothing: algorithms, issuers and logs come from here alone. An empty policy
accepts no credential.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from vcid.credentials.delegation import MAX_LINKS
from vcid.dids.names import is_intrinsic
from vcid.encoding.dates import format_timestamp, parse_timestamp
from vcid.encoding.json import parse_object
from vcid.encoding.multikey import decode_digest_multibase, encode_multibase, encode_multihash_sha256
from vcid.errors import FieldError, InvalidRecord, Malformed
from vcid.keys.signing import PublicKey
from vcid.ledger.anchor import LogPolicy
from vcid.report import INDISPENSABLE, INTOLERABLE, CheckName
from vcid.securing.cryptosuites import SUITES
from vcid.securing.jose import ALGORITHMS
from vcid.trust import Accreditation

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    from vcid.encoding.json import JsonObject

    Part = TypeVar("Part")

MAX_EVIDENCE_AGE = timedelta(days=7)
"""How old the newest witnessed checkpoint may be, by default: with daily publication, six missed days."""

CLOCK_SKEW = timedelta(minutes=5)
"""How far a verifier's clock may lag behind an issuer's or a witness's, by default."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A verifier's demands.

    Attributes:
        accreditations: whom to believe about what; none by default.
        logs: the logs whose checkpoints count, with their keys and witnesses; none by default.
        suites: the cryptosuites accepted, and for tokens the JOSE algorithms, such as ``ES256``;
            ``eddsa-jcs-2022`` alone by default.
        max_evidence_age: older evidence makes the anchor check *unknown* (``stale``).
        clock_skew: how far a time may lie in the future and still count as now.
        tolerated: checks that may stay *unknown*: a check's name, or ``name:code`` for one reason only.
            Checks that every report needs can't be tolerated away.
        required_suites: those of the suites in which every credential and status list must have a proof, so
            that it still stands when one of them is broken; none by default.
        time_honest: let a key that has ended vouch for credentials that are shown to have existed before it
            did. This departs from Controlled Identifiers 1.0, by which such a key verifies nothing. Of a key
            that was revoked, has expired, or was removed from a did:webvh, a proof that says it was made
            later fails, one that is shown to have existed before passes, and any other is *unknown*
            (``key-closed``). It is shown by the cosignatures of the policy's logs; see `vcid.existence`.
            Status lists and presentations are always judged without it. A key that was merely retired and
            stays listed has not ended.
        unsafe_any_json_ld: accept inline contexts and every spelling of a statement under RDF suites. Only
            for services that judge proofs and read no claims: anybody can respell what a reader looks for.
        unsafe_any_issuer: take every issuer that controls its key as accredited for everything. Only for
            services that judge conformance: nobody vouches that an issuer is an office at all.
    """

    accreditations: tuple[Accreditation, ...] = ()
    logs: tuple[LogPolicy, ...] = ()
    suites: frozenset[str] = frozenset({"eddsa-jcs-2022"})
    max_evidence_age: timedelta = MAX_EVIDENCE_AGE
    clock_skew: timedelta = CLOCK_SKEW
    tolerated: frozenset[str] = frozenset()
    required_suites: frozenset[str] = frozenset()
    time_honest: bool = False
    unsafe_any_json_ld: bool = False
    unsafe_any_issuer: bool = False

    def __post_init__(self) -> None:
        for name in ("suites", "tolerated", "required_suites"):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"{name} is a set of strings, not one string")
            object.__setattr__(self, name, frozenset(getattr(self, name)))
        if self.max_evidence_age <= timedelta(0) or not timedelta(0) <= self.clock_skew <= timedelta(days=1):
            raise ValueError("max_evidence_age is positive, and clock_skew at most a day")
        if len({log.origin for log in self.logs}) != len(self.logs):
            raise ValueError("logs names each log once")
        if not self.suites <= SUITES.keys() | ALGORITHMS.keys():
            raise ValueError(f"suites are among {', '.join([*SUITES, *ALGORITHMS])}")
        if not self.required_suites <= self.suites:
            raise ValueError("required_suites are among suites")
        for name in self.tolerated:
            check, _, code = name.partition(":")
            if check not in set(CheckName) - INDISPENSABLE or code in INTOLERABLE:
                raise ValueError("tolerated names checks that a report can do without, or name:code")
        if self._trusts_any_document():
            raise ValueError(
                "an accreditation of a DID that is not its own document, as a did:key is, has a"
                " document_digest where the anchor, which would else vouch for it, is tolerated"
            )

    @property
    def rests_on_pins(self) -> bool:
        """Whether the anchor, which would else vouch for DID documents, is tolerated away.

        A DID document of somebody's own making would then go unnoticed where nothing pins the true one.
        """
        anchors = {name for name in self.tolerated if name.partition(":")[0] == CheckName.ANCHOR}
        return not anchors <= _HARMLESS

    def _trusts_any_document(self) -> bool:
        unpinned = (
            granted.document_digest is None and not is_intrinsic(granted.issuer)
            for granted in self.accreditations
        )
        return self.rests_on_pins and any(unpinned)

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a policy from a file; raises as ``parse``, and ``OSError`` where the file can't be read."""
        return cls.parse(Path(path).read_bytes())

    def save(self, path: str | Path) -> None:
        """Write the policy to a file, for people to read."""
        Path(path).write_text(json.dumps(self.to_json(), indent=2) + "\n", encoding="utf-8")

    @classmethod
    def parse(cls, content: bytes | str) -> Self:
        """Read a policy from JSON, as ``schemas/policy-v1.json`` describes it.

        Raises:
            Malformed: it is no strict JSON object.
            InvalidRecord: it is no policy; all faults are listed.
        """
        from vcid.credentials.schema import find_faults

        value: dict[str, Any] = parse_object(content)
        if wrong := find_faults(value, "policy-v1.json"):
            raise InvalidRecord(wrong)
        faults: list[FieldError] = []
        demands: dict[str, Any] = {
            "accreditations": _read_each(value, "accreditations", _read_accreditation, faults),
            "logs": _read_each(value, "logs", LogPolicy.from_json, faults),
        }
        if faults:
            raise InvalidRecord(faults)
        for member, name, read in _SIMPLE:
            if member in value:
                demands[name] = read(value[member])
        try:
            return cls(**demands)
        except ValueError as error:
            raise InvalidRecord([FieldError("", "contradiction", f"that {error}")]) from error

    def to_json(self) -> JsonObject:
        """Write the policy as JSON."""
        written: JsonObject = {
            "accreditations": [_write_accreditation(granted) for granted in self.accreditations],
            "logs": [log.to_json() for log in self.logs],
            "suites": [*sorted(self.suites)],
            "maxEvidenceAgeSeconds": int(self.max_evidence_age.total_seconds()),
            "clockSkewSeconds": int(self.clock_skew.total_seconds()),
            "tolerated": [*sorted(self.tolerated)],
        }
        if self.required_suites:
            written["requiredSuites"] = [*sorted(self.required_suites)]
        if self.time_honest:
            written["timeHonest"] = True
        if self.unsafe_any_json_ld:
            written["unsafeAnyJsonLd"] = True
        if self.unsafe_any_issuer:
            written["unsafeAnyIssuer"] = True
        return written


def _seconds(count: int) -> timedelta:
    return timedelta(seconds=count)


_HARMLESS = frozenset({"anchor:stale", "anchor:no-view-store"})
"""Reasons of the anchor that leave no doubt about which document was anchored."""

_SIMPLE: tuple[tuple[str, str, Callable[[Any], object]], ...] = (
    ("suites", "suites", frozenset),
    ("tolerated", "tolerated", frozenset),
    ("maxEvidenceAgeSeconds", "max_evidence_age", _seconds),
    ("clockSkewSeconds", "clock_skew", _seconds),
    ("requiredSuites", "required_suites", frozenset),
    ("timeHonest", "time_honest", bool),
    ("unsafeAnyJsonLd", "unsafe_any_json_ld", bool),
    ("unsafeAnyIssuer", "unsafe_any_issuer", bool),
)


def _read_each(
    value: dict[str, Any], name: str, read: Callable[[JsonObject], Part], faults: list[FieldError]
) -> tuple[Part, ...]:
    parts = []
    for index, item in enumerate(value.get(name, [])):
        try:
            parts.append(read(item))
        except Malformed as error:
            faults.append(FieldError(f"/{name}/{index}", error.code, error.expected))
        except ValueError as error:
            faults.append(FieldError(f"/{name}/{index}", "contradiction", f"that {error}"))
    return tuple(parts)


def _read_accreditation(item: dict[str, Any]) -> Accreditation:
    bounds = {name: item.get(name) for name in ("validFrom", "validUntil")}
    moments = {name: parse_timestamp(text) if text else None for name, text in bounds.items()}
    return Accreditation(
        issuer=item["issuer"],
        credential_types=frozenset(item["credentialTypes"]),
        jurisdictions=frozenset(item["jurisdictions"]),
        owner=PublicKey.from_multikey(item["owner"]) if "owner" in item else None,
        log=item.get("log"),
        valid_from=moments["validFrom"],
        valid_until=moments["validUntil"],
        document_digest=decode_digest_multibase(item["documentDigest"]) if "documentDigest" in item else None,
        status_issuers=frozenset(item.get("statusIssuers", ())),
        may_delegate=item.get("mayDelegate", MAX_LINKS),
    )


def _write_accreditation(granted: Accreditation) -> JsonObject:
    written: JsonObject = {
        "issuer": granted.issuer,
        "credentialTypes": [*sorted(granted.credential_types)],
        "jurisdictions": [*sorted(granted.jurisdictions)],
    }
    optional: dict[str, Any] = {
        "owner": granted.owner and granted.owner.multikey,
        "log": granted.log,
        "validFrom": granted.valid_from and format_timestamp(granted.valid_from),
        "validUntil": granted.valid_until and format_timestamp(granted.valid_until),
        "documentDigest": granted.document_digest
        and encode_multibase(encode_multihash_sha256(granted.document_digest)),
    }
    if granted.may_delegate != MAX_LINKS:
        written["mayDelegate"] = granted.may_delegate
    if granted.status_issuers:
        written["statusIssuers"] = [*sorted(granted.status_issuers)]
    written.update({name: text for name, text in optional.items() if text is not None})
    return written

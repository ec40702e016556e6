"""The claims of a JSON Web Token that speak of the token itself: their shapes, and what is demanded of them.

Follows JSON Web Token (RFC 7519), section 4.1, and Securing Verifiable Credentials using JOSE and COSE, in
"JOSE Header Parameters and JWT Claims": ``iat`` and ``exp`` are about the signature, not about what is said.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final, Self

from vcid.encoding.dates import format_timestamp
from vcid.errors import InvalidProof, Malformed

if TYPE_CHECKING:
    from vcid.encoding.json import JSON, JsonObject
    from vcid.securing.proof import ProofDemand

CLAIMS: Final = frozenset({"iss", "sub", "aud", "exp", "nbf", "iat", "jti", "nonce"})
"""Claims about the token, no part of the document (RFC 7519, section 4.1; OpenID Connect)."""

_REPLICATED: Final = ("iss", "sub", "aud")
# What a token says in earnest and nobody here would heed: that another key has to be shown (RFC 7800).
_UNHEEDED_CLAIMS: Final = frozenset({"cnf"})
# Where claims were left out of an SD-JWT (RFC 9901), at any depth.
_LEFT_OUT: Final = frozenset({"_sd", "_sd_alg", "..."})
# Of JSON Web Encryption (RFC 7516, section 4.1; RFC 7518, sections 4.6 to 4.8).
_OF_ENCRYPTION: Final = frozenset({"enc", "zip", "epk", "apu", "apv", "iv", "tag", "p2s", "p2c"})
_LAST_SECOND: Final = 253402300799  # of the year 9999


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenClaims:
    """The claims that speak of the token, each of its right shape."""

    issuer: str | None
    subject: str | None
    id: str | None
    nonce: str | None
    audience: frozenset[str]
    issued_at: datetime | None
    not_before: datetime | None
    expires: datetime | None

    @classmethod
    def read(cls, stated: JsonObject, header: JsonObject) -> Self:
        """Read the claims that a payload states, with those that the header repeats (RFC 7519, section 5.3).

        Raises:
            InvalidProof: ``claim-conflict``: the header repeats one with another value.
            Malformed: ``claim-malformed``.
        """
        repeated: JsonObject = {name: header[name] for name in _REPLICATED if name in header}
        if any(stated.get(name, value) != value for name, value in repeated.items()):
            raise InvalidProof("claim-conflict", "the header repeats a claim with another value")
        claims = {**repeated, **stated}
        return cls(
            issuer=_text(claims, "iss"),
            subject=_text(claims, "sub"),
            id=_text(claims, "jti"),
            nonce=_text(claims, "nonce"),
            audience=_audience(claims),
            issued_at=_moment(claims, "iat"),
            not_before=_moment(claims, "nbf"),
            expires=_moment(claims, "exp"),
        )

    def check_consistent(self, document: JsonObject, *, signatory: str) -> None:
        """Check the claims against the members of a document that mean the same.

        Args:
            document: the document.
            signatory: its member that names who signs.

        Raises:
            InvalidProof: ``claim-conflict``.
        """
        subject = document.get("credentialSubject")
        if isinstance(subject, list) and len(subject) == 1:
            subject = subject[0]
        pairs = (
            ("iss", self.issuer, _id_of(document.get(signatory))),
            ("sub", self.subject, subject.get("id") if isinstance(subject, dict) else None),
            ("jti", self.id, document.get("id")),
        )
        for name, claim, member in pairs:
            if claim is not None and member is not None and claim != member:
                raise InvalidProof("claim-conflict", f"{name} contradicts the document")

    def meet(self, demand: ProofDemand) -> None:
        """Compare the claims with what the caller demands (RFC 7519, sections 4.1.3 to 4.1.6).

        Raises:
            InvalidProof: the token is not what was demanded.
        """
        domains = {demand.domain} if isinstance(demand.domain, str) else demand.domain or frozenset()
        if self.audience != domains:
            raise InvalidProof("wrong-domain", "aud must name the demanded domain and no other")
        if demand.challenge is not None and self.nonce != demand.challenge:
            raise InvalidProof("wrong-challenge", "nonce must answer the demanded challenge")
        if self.issued_at is not None and self.issued_at - demand.at > demand.skew:
            raise InvalidProof("created-in-future", "the token was made after the moment it is judged for")
        if self.not_before is not None and self.not_before - demand.at > demand.skew:
            raise InvalidProof("proof-not-yet-valid", "the token begins after the moment it is judged for")
        if self.expires is not None and self.expires <= demand.at:
            raise InvalidProof("proof-expired", "the token had ended at the moment it is judged for")

    def to_proof(self) -> JsonObject:
        """Write the claims in the words of a proof."""
        written: JsonObject = {}
        for name, moment in (("created", self.issued_at), ("expires", self.expires)):
            if moment is not None:
                written[name] = format_timestamp(moment)
        if self.audience:
            written["domain"] = [*sorted(self.audience)]
        if self.nonce is not None:
            written["challenge"] = self.nonce
        return written


def check_claims_heeded(payload: JsonObject) -> None:
    """Refuse by name what a payload says of itself and nobody here would heed.

    An SD-JWT without its disclosures is a good token of what is left, and its holder chose what that is.

    Raises:
        Malformed: ``unsupported-claim``.
    """
    if not payload.keys().isdisjoint(_UNHEEDED_CLAIMS) or _is_left_out(payload):
        raise Malformed("unsupported-claim", "a payload without cnf and the members of SD-JWT")


def check_header_heeded(header: JsonObject) -> None:
    """Refuse a header that repeats other claims than RFC 7519, section 5.3, lets it, or speaks of encryption.

    Raises:
        InvalidProof: ``unsupported-header``.
    """
    repeated = CLAIMS.union(_UNHEEDED_CLAIMS, _LEFT_OUT).difference(_REPLICATED)
    if not header.keys().isdisjoint(repeated | _OF_ENCRYPTION):
        raise InvalidProof("unsupported-header", "a header without claims of its own and means of encryption")


def _is_left_out(value: JSON) -> bool:
    if isinstance(value, dict):
        return not value.keys().isdisjoint(_LEFT_OUT) or any(map(_is_left_out, value.values()))
    return isinstance(value, list) and any(map(_is_left_out, value))


def _id_of(value: JSON) -> JSON:
    return value.get("id") if isinstance(value, dict) else value


def _text(claims: JsonObject, name: str) -> str | None:
    value = claims.get(name)
    if name in claims and not isinstance(value, str):
        raise Malformed("claim-malformed", "a string", where=f"/{name}")
    return value if isinstance(value, str) else None


def _audience(claims: JsonObject) -> frozenset[str]:
    if "aud" not in claims:
        return frozenset()
    value = claims["aud"]
    items = value if isinstance(value, list) else [value]
    names = frozenset(item for item in items if isinstance(item, str))
    if not items or len(names) != len(items):
        raise Malformed("claim-malformed", "a string, or a list of different strings", where="/aud")
    return names


def _moment(claims: JsonObject, name: str) -> datetime | None:
    """Read a NumericDate: seconds since 1970, within the years that a datetime has."""
    if name not in claims:
        return None
    value = claims[name]
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= _LAST_SECOND:
        raise Malformed("claim-malformed", "seconds since 1970", where=f"/{name}")
    return datetime.fromtimestamp(value, UTC)

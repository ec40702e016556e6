"""Who may say what, where and when: the accreditations that a verifier's policy holds.

A good signature says who signed, never that they were entitled to. A policy therefore lists, for each
issuer, the credential types and jurisdictions it may speak for and the period of its office. Nothing is
accredited by default. An issuer accredited for ``DelegationCredential`` may appoint others within its own
authority: what it claims by a delegation is all that it hands on, so that one rule covers both.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vcid.credentials.codes import country_of, is_jurisdiction
from vcid.credentials.delegation import MAX_LINKS, Delegation
from vcid.credentials.validity import validity_period
from vcid.errors import Coded

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.signing import PublicKey

    Period = tuple[datetime | None, datetime | None]

ANYWHERE = "*"
"""As a jurisdiction: everywhere, and credentials that name no jurisdiction. It has to be written out."""

STATUS_LIST_TYPE = "BitstringStatusListCredential"
DELEGATION_TYPE = Delegation.credential_type

_JURISDICTION_PATHS = {
    "BirthRegistrationCredential": ("registration", "jurisdiction"),
    "GuardianshipCredential": ("jurisdiction",),
    DELEGATION_TYPE: ("jurisdictions",),
}
"""Where the subject of each credential type names the jurisdiction it is made under."""


class NotAccredited(Coded):
    """An issuer is not entitled to what it says.

    The code is ``issuer-not-accredited``, ``type-not-accredited``, ``jurisdiction-not-accredited`` or
    ``outside-accreditation``; for a delegation also ``outlives-accreditation`` or ``depth-not-accredited``.
    """


@dataclass(frozen=True, slots=True, kw_only=True)
class Accreditation:
    """What one issuer may issue.

    Attributes:
        issuer: the issuer's DID.
        credential_types: the types it may issue, each by name.
        jurisdictions: ISO 3166-1 alpha-2 or ISO 3166-2 codes; a country covers its subdivisions.
        owner: the key that first owned the issuer's topics in the ledger; without it nothing that
            the issuer anchors can be recognised.
        log: the origin of the log in which the issuer anchors; needed where a policy names several.
        valid_from: the start of the office; ``None`` for no bound.
        valid_until: its end, exclusive; ``None`` for no bound.
        document_digest: SHA-256 of the issuer's DID document in canonical JSON, where it is pinned.
        status_issuers: the DIDs of others who may publish status lists for this issuer's credentials. Each
            needs an accreditation of its own for ``BitstringStatusListCredential``.
        may_delegate: how many links of delegation may follow, at most four; none do unless
            ``DelegationCredential`` is among the types.

    Raises:
        ValueError: a field is empty or not of the form stated.
        TypeError: a set of strings is one string.
    """

    issuer: str
    credential_types: frozenset[str]
    jurisdictions: frozenset[str]
    owner: PublicKey | None = None
    log: str | None = None
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    document_digest: bytes | None = None
    status_issuers: frozenset[str] = frozenset()
    may_delegate: int = MAX_LINKS

    def __post_init__(self) -> None:
        if not self.issuer.startswith("did:"):
            raise ValueError("an accreditation's issuer is a DID")
        for name in ("credential_types", "jurisdictions", "status_issuers"):
            if isinstance(getattr(self, name), str):
                raise TypeError(f"{name} is a set of strings, not one string")
            object.__setattr__(self, name, frozenset(getattr(self, name)))
        if not self.credential_types or not self.jurisdictions:
            raise ValueError("an accreditation names at least one credential type and one jurisdiction")
        if not all(code == ANYWHERE or is_jurisdiction(code) for code in self.jurisdictions):
            raise ValueError("a jurisdiction is an ISO 3166-1 or 3166-2 code, or '*' for anywhere")
        for bound in (self.valid_from, self.valid_until):
            if bound is not None and bound.tzinfo is None:
                raise ValueError("an accreditation's period needs a time zone")
        if self.document_digest is not None and len(self.document_digest) != 32:
            raise ValueError("a document digest is 32 bytes of SHA-256")
        if self.may_delegate not in range(MAX_LINKS + 1):
            raise ValueError(f"may_delegate is a whole number from 0 to {MAX_LINKS}")

    def covers_time(self, moment: datetime) -> bool:
        """Whether the moment lies in the office's period: from its start, before its end."""
        return (self.valid_from is None or self.valid_from <= moment) and (
            self.valid_until is None or moment < self.valid_until
        )

    def covers_jurisdiction(self, jurisdiction: str | None) -> bool:
        """Whether the jurisdiction, or the country it lies in, is among those accredited."""
        if ANYWHERE in self.jurisdictions:
            return True
        return jurisdiction is not None and (
            jurisdiction in self.jurisdictions or country_of(jurisdiction) in self.jurisdictions
        )

    def covers_matter(self, claim: Claim) -> bool:
        """Whether a claim's types and jurisdictions are among those accredited, whoever makes it and when."""
        return claim.types <= self.credential_types and all(
            self.covers_jurisdiction(code) for code in claim.jurisdictions
        )

    def covers_period(self, period: Period) -> bool:
        """Whether a period lies in the office's own: an end that is not stated lies after every other."""
        start, end = period
        return (self.valid_from is None or (start is not None and self.valid_from <= start)) and (
            self.valid_until is None or (end is not None and end <= self.valid_until)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an issuer asks to be believed in.

    Attributes:
        issuer: its DID.
        types: the credential's types, without ``VerifiableCredential``; of a delegation, also those that it
            hands on.
        jurisdictions: every jurisdiction named by the credential's subjects; ``None`` stands for a
            subject that names none.
        moments: the times that the accreditation has to cover.
        period: of a delegation, the period that it hands on; the accreditation has to cover all of it.
        links: how many links of delegation the claim adds, itself among them; 0 for any other credential.
    """

    issuer: str
    types: frozenset[str]
    jurisdictions: frozenset[str | None]
    moments: tuple[datetime, ...]
    period: Period | None = None
    links: int = 0

    @classmethod
    def of(cls, document: JsonObject, *, issuer: str, moments: Iterable[datetime]) -> Claim:
        """Read a claim from a credential whose model has been checked."""
        types = document["type"]
        names = frozenset(
            name for name in (types if isinstance(types, list) else [types]) if isinstance(name, str)
        )
        specific = names - {"VerifiableCredential"} or names
        delegates = DELEGATION_TYPE in specific
        return cls(
            issuer=issuer,
            types=specific | _handed_on(document) if delegates else specific,
            jurisdictions=frozenset(_jurisdictions(document, specific)),
            moments=tuple(moments),
            period=validity_period(document) if delegates else None,
            links=_links(document) if delegates else 0,
        )


def accredit(claim: Claim, accreditations: Iterable[Accreditation]) -> tuple[Accreditation, ...]:
    """Find the accreditations that entitle an issuer to its claim, each alone.

    One accreditation has to cover the whole claim: entitlements don't add up across documents.

    Raises:
        NotAccredited: none does; the code names what the nearest one lacks.
    """
    reached, nearest = -1, NotAccredited("issuer-not-accredited", "the policy accredits no such issuer")
    covering = []
    for accreditation in accreditations:
        if accreditation.issuer != claim.issuer:
            continue
        step = next((step for step, covers in enumerate(_COVERS) if not covers(accreditation, claim)), None)
        if step is None:
            covering.append(accreditation)
        elif step > reached:
            reached, nearest = step, NotAccredited(*_LACKS[step])
    if not covering:
        raise nearest
    return tuple(covering)


_COVERS: Final[tuple[Callable[[Accreditation, Claim], bool], ...]] = (
    lambda granted, claim: claim.types <= granted.credential_types,
    lambda granted, claim: all(granted.covers_jurisdiction(code) for code in claim.jurisdictions),
    lambda granted, claim: all(granted.covers_time(moment) for moment in claim.moments),
    lambda granted, claim: claim.period is None or granted.covers_period(claim.period),
    lambda granted, claim: claim.links <= granted.may_delegate,
)
"""What an accreditation has to cover, in the order in which a lack of it is told."""

_LACKS: Final = (
    ("type-not-accredited", "the issuer may not issue this type of credential"),
    ("jurisdiction-not-accredited", "the issuer has no authority in this jurisdiction"),
    ("outside-accreditation", "the issuer was not in office at that time"),
    ("outlives-accreditation", "the issuer hands on authority beyond the period of its own"),
    ("depth-not-accredited", "the issuer may not hand on authority over so many links"),
)


def _subjects(document: JsonObject) -> list[JSON]:
    subjects = document["credentialSubject"]
    return subjects if isinstance(subjects, list) else [subjects]


def _handed_on(document: JsonObject) -> frozenset[str]:
    """The types that a delegation hands on; what is no list of texts is the schema's to refuse."""
    lists = (each.get("credentialTypes") for each in _subjects(document) if isinstance(each, dict))
    return frozenset(
        name for each in lists if isinstance(each, list) for name in each if isinstance(name, str)
    )


def _links(document: JsonObject) -> int:
    """How many links a delegation adds: itself, and those that it lets follow."""
    stated = (each.get("mayDelegate") for each in _subjects(document) if isinstance(each, dict))
    return 1 + max((depth for depth in stated if isinstance(depth, int)), default=0)


def _jurisdictions(document: JsonObject, types: frozenset[str]) -> Iterator[str | None]:
    for subject in _subjects(document):
        for name in types:
            found: JSON = subject
            for member in _JURISDICTION_PATHS.get(name, ("jurisdiction",)):
                found = found.get(member) if isinstance(found, dict) else None
            several = found if name == DELEGATION_TYPE and isinstance(found, list) else []
            for code in several or [found]:
                yield code if isinstance(code, str) else None

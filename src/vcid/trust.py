"""Who may say what, where and when: the accreditations that a verifier's policy holds.

A good signature says who signed, never that they were entitled to. A policy therefore lists, for each
issuer, the credential types and jurisdictions it may speak for and the period of its office. Nothing is
accredited by default.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcid.credentials.codes import country_of, is_jurisdiction
from vcid.errors import Coded

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.signing import PublicKey

ANYWHERE = "*"
"""As a jurisdiction: everywhere, and credentials that name no jurisdiction. It has to be written out."""

STATUS_LIST_TYPE = "BitstringStatusListCredential"

_JURISDICTION_PATHS = {
    "BirthRegistrationCredential": ("registration", "jurisdiction"),
    "GuardianshipCredential": ("jurisdiction",),
}
"""Where the subject of each credential type names the jurisdiction it is made under."""


class NotAccredited(Coded):
    """An issuer is not entitled to what it says.

    The code is ``issuer-not-accredited``, ``type-not-accredited``, ``jurisdiction-not-accredited`` or
    ``outside-accreditation``.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """What an issuer asks to be believed in.

    Attributes:
        issuer: its DID.
        types: the credential's types, without ``VerifiableCredential``.
        jurisdictions: every jurisdiction named by the credential's subjects; ``None`` stands for a
            subject that names none.
        moments: the times that the accreditation has to cover.
    """

    issuer: str
    types: frozenset[str]
    jurisdictions: frozenset[str | None]
    moments: tuple[datetime, ...]

    @classmethod
    def of(cls, document: JsonObject, *, issuer: str, moments: Iterable[datetime]) -> Claim:
        """Read a claim from a credential whose model has been checked."""
        types = document["type"]
        names = frozenset(
            name for name in (types if isinstance(types, list) else [types]) if isinstance(name, str)
        )
        specific = names - {"VerifiableCredential"} or names
        return cls(
            issuer=issuer,
            types=specific,
            jurisdictions=frozenset(_jurisdictions(document, specific)),
            moments=tuple(moments),
        )


def accredit(claim: Claim, accreditations: Iterable[Accreditation]) -> tuple[Accreditation, ...]:
    """Find the accreditations that entitle an issuer to its claim, each alone.

    One accreditation has to cover the whole claim: entitlements don't add up across documents.

    Raises:
        NotAccredited: none does; the code names what the nearest one lacks.
    """
    reached, nearest = 0, NotAccredited("issuer-not-accredited", "the policy accredits no such issuer")
    covering = []
    for accreditation in accreditations:
        if accreditation.issuer != claim.issuer:
            continue
        if not claim.types <= accreditation.credential_types:
            step, code, detail = 1, "type-not-accredited", "the issuer may not issue this type of credential"
        elif not all(accreditation.covers_jurisdiction(code) for code in claim.jurisdictions):
            step, code, detail = (
                2,
                "jurisdiction-not-accredited",
                "the issuer has no authority in this jurisdiction",
            )
        elif not all(accreditation.covers_time(moment) for moment in claim.moments):
            step, code, detail = 3, "outside-accreditation", "the issuer was not in office at that time"
        else:
            covering.append(accreditation)
            continue
        if step > reached:
            reached, nearest = step, NotAccredited(code, detail)
    if not covering:
        raise nearest
    return tuple(covering)


def _jurisdictions(document: JsonObject, types: frozenset[str]) -> Iterator[str | None]:
    subjects = document["credentialSubject"]
    for subject in subjects if isinstance(subjects, list) else [subjects]:
        for name in types:
            found: JSON = subject
            for member in _JURISDICTION_PATHS.get(name, ("jurisdiction",)):
                found = found.get(member) if isinstance(found, dict) else None
            yield found if isinstance(found, str) else None

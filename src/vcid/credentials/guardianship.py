"""The guardianship: which adult may do what with a child, on whose authority, where and until when.

The record is the subject of a ``GuardianshipCredential`` under Verifiable Credentials Data Model 2.0. What is
not permitted is denied, and what is prohibited stays so even where it is permitted too. A birth registration
proves no custody; so that ordinary families are not turned into referrals, `parentage` makes one credential
for each parent on record, with the acts that the law of that jurisdiction gives to parents.
"""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, ClassVar, Final

from vcid.credentials.birth_parts import check_each, check_jurisdiction
from vcid.credentials.codes import DID, country_of
from vcid.credentials.digests import SaltedDigest
from vcid.credentials.guardianship_parts import (
    Dependent,
    Guardian,
    Majority,
    Quorum,
    SubDelegation,
    check_acts,
)
from vcid.credentials.guardianship_rules import INTERIM_CASEWORKER_CAP, check_rules
from vcid.credentials.guardianship_terms import Act, AuthorityRole, Basis, GuardianType, Relation
from vcid.credentials.reading import ObjectReader
from vcid.credentials.records import Faults, pointer, stated
from vcid.encoding.dates import format_timestamp

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vcid.credentials.birth import BirthRegistration
    from vcid.encoding.json import JsonObject
    from vcid.errors import FieldError

__all__ = [
    "INTERIM_CASEWORKER_CAP",
    "Act",
    "AuthorityRole",
    "Basis",
    "Dependent",
    "Guardian",
    "GuardianType",
    "Guardianship",
    "Majority",
    "ParentalAuthority",
    "Quorum",
    "Relation",
    "SaltedDigest",
    "SubDelegation",
    "new_arrangement_id",
    "parentage",
]

SUBJECT_TYPE: Final = "Guardianship"
ARRANGEMENT_ID: Final = "^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"
APPEAL_URI: Final = "^(?:https://[^ ]+|mailto:[^ ]+|tel:[+0-9().-]+)$"

_LISTS: Final = (
    "guardians",
    "permitted_acts",
    "prohibited_acts",
    "territory",
    "quorums",
    "revokers",
)


def new_arrangement_id(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Draw an arrangement's identifier: a random UUID, which says nothing about anyone."""
    return uuid.UUID(bytes=random(16), version=4).urn


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardianship:
    """One arrangement of care. `validate` finds every fault at once; nothing is checked before it is called.

    Attributes:
        dependent: the child.
        guardians: who holds the authority.
        basis: what it rests on.
        issuing_authority_role: in what role the issuer acts.
        jurisdiction: under whose law; the jurisdiction in which an issuer must be accredited.
        valid_from: from when, in whole seconds; the time zone is mandatory.
        permitted_acts: what the guardians may do. Everything else is denied.
        prohibited_acts: what they may not do, even where it is permitted.
        valid_until: until when.
        ends_at_majority: the age at which the authority lapses.
        territory: where the acts are permitted, as jurisdictions; empty where the order sets no limit.
        quorums: the acts to which more than one guardian must agree.
        sub_delegation: what may be handed on.
        revokers: the DIDs of those who may suspend or revoke, besides the issuer.
        appeal_uri: where to appeal.
        order_ref: the salted digest of an order's number.
        arrangement_id: a random UUID as a URN.
    """

    credential_type: ClassVar[str] = "GuardianshipCredential"
    schema_id: ClassVar[str] = "https://w3id.org/vcid/schemas/guardianship/v1.json"

    dependent: Dependent = field(repr=False)
    guardians: Sequence[Guardian] = field(repr=False)
    basis: Basis
    issuing_authority_role: AuthorityRole
    jurisdiction: str
    valid_from: datetime
    permitted_acts: Sequence[Act] = ()
    prohibited_acts: Sequence[Act] = ()
    valid_until: datetime | None = None
    ends_at_majority: Majority | None = None
    territory: Sequence[str] = ()
    quorums: Sequence[Quorum] = ()
    sub_delegation: SubDelegation | None = None
    revokers: Sequence[str] = ()
    appeal_uri: str | None = None
    order_ref: SaltedDigest | None = field(default=None, repr=False)
    arrangement_id: str = field(default_factory=new_arrangement_id, repr=False)

    def __post_init__(self) -> None:
        for name in _LISTS:
            if isinstance(value := getattr(self, name), list):
                object.__setattr__(self, name, tuple(value))
        for name in ("valid_from", "valid_until"):
            if isinstance(value := getattr(self, name), datetime):
                object.__setattr__(self, name, value.replace(microsecond=0))

    def permits(self, act: Act) -> bool:
        """Say whether an act is permitted and not prohibited. Place, time and quorum come after."""
        return act in self.permitted_acts and act not in self.prohibited_acts

    def covers(self, place: str) -> bool:
        """Say whether a jurisdiction lies in the territory; a country covers its subdivisions."""
        if not self.territory:
            return True
        return place in self.territory or country_of(place) in self.territory

    def quorum(self, act: Act) -> Quorum:
        """Return how many guardians must agree to an act: one of them, where nothing else is stated."""
        stated_quorum = next((quorum for quorum in self.quorums if quorum.act is act), None)
        return stated_quorum or Quorum(act=act, required=1, of=len(self.guardians))

    def validate(self, *, interim_cap: timedelta = INTERIM_CASEWORKER_CAP) -> None:
        """Refuse a record that has faults, naming all of them.

        Args:
            interim_cap: for how long an interim caseworker may be authorized at most.

        Raises:
            InvalidRecord: with every fault, each under the JSON pointer of its field in the subject.
        """
        faults = Faults()
        faults.extend(self.faults(interim_cap=interim_cap))
        faults.raise_any()

    def faults(self, *, interim_cap: timedelta = INTERIM_CASEWORKER_CAP) -> tuple[FieldError, ...]:
        """Return every fault of the record."""
        faults = Faults()
        self._check_fields(faults)
        if self._has_lists(faults):
            self._check_parts(faults)
            check_rules(self, faults, interim_cap)
        return faults.collected()

    def to_subject(self, *, interim_cap: timedelta = INTERIM_CASEWORKER_CAP) -> JsonObject:
        """Write the credential's subject. It is the arrangement, so it has no DID of its own.

        Raises:
            InvalidRecord: the record has faults.
        """
        self.validate(interim_cap=interim_cap)
        return {"type": SUBJECT_TYPE, **self._fields_json()}

    @classmethod
    def from_subject(
        cls, subject: JsonObject, *, interim_cap: timedelta = INTERIM_CASEWORKER_CAP
    ) -> Guardianship:
        """Read the subject of a credential.

        Raises:
            InvalidRecord: with every fault.
        """
        faults = Faults()
        reader = ObjectReader(subject, "", faults)
        reader.expect_type(SUBJECT_TYPE)
        record = cls._read(reader)
        reader.finish()
        faults.extend(record.faults(interim_cap=interim_cap))
        faults.raise_any()
        return record

    @classmethod
    def _read(cls, reader: ObjectReader) -> Guardianship:
        return cls(
            arrangement_id=reader.string("arrangementId"),
            dependent=reader.record("dependent", Dependent.read),
            guardians=reader.records("guardians", Guardian.read),
            basis=reader.enum("basis", Basis),
            order_ref=reader.record("orderRef", SaltedDigest.read),
            issuing_authority_role=reader.enum("issuingAuthorityRole", AuthorityRole),
            jurisdiction=reader.string("jurisdiction"),
            permitted_acts=reader.enums("permittedActs", Act),
            prohibited_acts=reader.enums("prohibitedActs", Act),
            territory=reader.strings("territory"),
            valid_from=reader.moment("validFrom"),
            valid_until=reader.moment("validUntil"),
            ends_at_majority=reader.record("endsAtMajority", Majority.read),
            quorums=reader.records("quorums", Quorum.read),
            sub_delegation=reader.record("subDelegation", SubDelegation.read),
            revokers=reader.strings("revokers"),
            appeal_uri=reader.string("appealURI"),
        )

    def _fields_json(self) -> JsonObject:
        return stated(
            {
                "arrangementId": self.arrangement_id,
                "dependent": self.dependent,
                "guardians": self.guardians,
                "basis": self.basis,
                "orderRef": self.order_ref,
                "issuingAuthorityRole": self.issuing_authority_role,
                "jurisdiction": self.jurisdiction,
                "permittedActs": self.permitted_acts,
                "prohibitedActs": self.prohibited_acts,
                "territory": self.territory,
                "validFrom": self.valid_from,
                "validUntil": self.valid_until,
                "endsAtMajority": self.ends_at_majority,
                "quorums": self.quorums,
                "subDelegation": self.sub_delegation,
                "revokers": self.revokers,
                "appealURI": self.appeal_uri,
            }
        )

    def _has_lists(self, faults: Faults) -> bool:
        wrong = [name for name in _LISTS if not isinstance(getattr(self, name), tuple)]
        for name in wrong:
            first, *rest = name.split("_")
            faults.add(f"/{first}{''.join(word.title() for word in rest)}", "wrong-type", "a list")
        return not wrong

    def _check_fields(self, faults: Faults) -> None:
        faults.check_pattern("/arrangementId", self.arrangement_id, ARRANGEMENT_ID, "a random UUID as a URN")
        faults.check_type("/basis", self.basis, Basis)
        faults.check_type("/issuingAuthorityRole", self.issuing_authority_role, AuthorityRole)
        check_jurisdiction(faults, "/jurisdiction", self.jurisdiction)
        faults.check_pattern(
            "/appealURI", self.appeal_uri, APPEAL_URI, "an https, mailto or tel URI", required=False
        )
        self._check_moment(faults, "/validFrom", self.valid_from, required=True)
        self._check_moment(faults, "/validUntil", self.valid_until, required=False)

    @staticmethod
    def _check_moment(faults: Faults, path: str, moment: datetime | None, *, required: bool) -> None:
        if not faults.check_type(path, moment, datetime, required=required) or moment is None:
            return
        if moment.utcoffset() is None:
            faults.add(path, "no-time-zone", "a moment with a time zone")
            return
        try:
            format_timestamp(moment)
        except ValueError:
            faults.add(path, "out-of-range", "a moment in the years 1 to 9999 of UTC")

    def _check_parts(self, faults: Faults) -> None:
        for path, part, kind, required in (
            ("/dependent", self.dependent, Dependent, True),
            ("/orderRef", self.order_ref, SaltedDigest, False),
            ("/endsAtMajority", self.ends_at_majority, Majority, False),
            ("/subDelegation", self.sub_delegation, SubDelegation, False),
        ):
            if faults.check_type(path, part, kind, required=required) and part is not None:
                part.check(faults, path)
        check_each(self.guardians, Guardian, faults, "/guardians")
        check_each(self.quorums, Quorum, faults, "/quorums")
        check_acts(faults, "/permittedActs", self.permitted_acts)
        check_acts(faults, "/prohibitedActs", self.prohibited_acts)
        for index, code in enumerate(self.territory):
            check_jurisdiction(faults, pointer("/territory", index), code)
        for index, did in enumerate(self.revokers):
            faults.check_pattern(pointer("/revokers", index), did, DID, "a DID")


@dataclass(frozen=True, slots=True, kw_only=True)
class ParentalAuthority:
    """What the law of one jurisdiction gives to parents; the caller knows that law, this library does not.

    Attributes:
        acts: what each parent may do.
        majority: when it lapses.
        joint_acts: the acts, among them, to which all recorded parents must agree.
        revokers: the DIDs of those who may suspend or revoke.
        appeal_uri: where to appeal.
    """

    acts: Sequence[Act]
    majority: Majority
    joint_acts: Sequence[Act] = ()
    revokers: Sequence[str] = ()
    appeal_uri: str | None = None


def parentage(
    birth: BirthRegistration,
    guardians: Sequence[Guardian],
    *,
    birth_issuer: str,
    authority: ParentalAuthority,
    valid_from: datetime,
    new_id: Callable[[], str] = new_arrangement_id,
) -> tuple[Guardianship, ...]:
    """Make one guardianship of basis *parentage* for each recorded parent.

    Args:
        birth: the registration. Withheld, unknown and partly recorded parents yield what is recorded.
        guardians: the parents' bindings, in the order of ``birth.parents``.
        birth_issuer: the DID of the registry.
        authority: what the law gives to parents in the registration's jurisdiction.
        valid_from: from when.
        new_id: draws the identifiers of the arrangements.

    Raises:
        ValueError: there is not one guardian for each parent.
    """
    if len(guardians) != len(birth.parents):
        raise ValueError(f"{len(birth.parents)} parents on record, but {len(guardians)} guardians were given")
    several = len(guardians) > 1
    joint = [
        Quorum(act=act, required=len(guardians), of=len(guardians)) for act in authority.joint_acts if several
    ]
    return tuple(
        Guardianship(
            arrangement_id=new_id(),
            dependent=Dependent(child_ref=birth.child_ref, birth_issuer=birth_issuer),
            guardians=(guardian,),
            basis=Basis.PARENTAGE,
            issuing_authority_role=AuthorityRole.CIVIL_REGISTRY,
            jurisdiction=birth.jurisdiction,
            valid_from=valid_from,
            permitted_acts=tuple(authority.acts),
            ends_at_majority=authority.majority,
            quorums=tuple(joint),
            revokers=tuple(authority.revokers),
            appeal_uri=authority.appeal_uri,
        )
        for guardian in guardians
    )

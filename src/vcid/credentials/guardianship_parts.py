"""The parts of a guardianship: the child it is about, the guardians, and the limits of their authority."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vcid.credentials.birth_parts import check_jurisdiction
from vcid.credentials.codes import CHILD_REF, DID
from vcid.credentials.digests import SaltedDigest
from vcid.credentials.guardianship_terms import Act, GuardianType, Relation
from vcid.credentials.records import Faults, pointer, stated

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcid.credentials.reading import ObjectReader
    from vcid.encoding.json import JsonObject

MAJORITY_AGES: Final = range(9, 26)
"""The ages at which some law ends childhood. Which of them applies is a value, never a constant."""
MAX_COUNT: Final = 50
MAX_DAYS: Final = 3650


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependent:
    """The child that an arrangement is about, as every credential about that child names it.

    Attributes:
        child_ref: the reference of the birth registration.
        birth_issuer: the DID of the registry that issued it; a reference means nothing without its issuer.
        id: the child's DID in this credential, where it has one.
    """

    child_ref: str = field(repr=False)
    birth_issuer: str
    id: str | None = field(default=None, repr=False)

    def to_json(self) -> JsonObject:
        """Write the dependent as it stands in a credential."""
        return stated({"id": self.id, "childRef": self.child_ref, "birthIssuer": self.birth_issuer})

    @classmethod
    def read(cls, reader: ObjectReader) -> Dependent:
        """Read a dependent from a credential."""
        return cls(
            id=reader.string("id"),
            child_ref=reader.string("childRef"),
            birth_issuer=reader.string("birthIssuer"),
        )

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this dependent."""
        faults.check_pattern(pointer(path, "childRef"), self.child_ref, CHILD_REF, "128 bits in base64url")
        faults.check_pattern(pointer(path, "birthIssuer"), self.birth_issuer, DID, "a DID")
        faults.check_pattern(pointer(path, "id"), self.id, DID, "a DID", required=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardian:
    """One guardian: by the DID of a wallet, by the digest of a paper document, or by both.

    Guardians without a phone are ordinary. A digest is the weaker binding, and a verifier says so.

    Attributes:
        type: a person or an organization.
        relation: how the guardian is related to the child.
        id: the guardian's DID.
        paper_id: the salted digest of an identity document's number.
    """

    type: GuardianType = GuardianType.PERSON
    relation: Relation | None = field(default=None, repr=False)
    id: str | None = field(default=None, repr=False)
    paper_id: SaltedDigest | None = field(default=None, repr=False)

    def to_json(self) -> JsonObject:
        """Write the guardian as it stands in a credential."""
        return stated(
            {
                "id": self.id,
                "type": self.type,
                "relation": self.relation,
                "paperIdDigest": self.paper_id,
            }
        )

    @classmethod
    def read(cls, reader: ObjectReader) -> Guardian:
        """Read a guardian from a credential."""
        return cls(
            id=reader.string("id"),
            type=reader.enum("type", GuardianType),
            relation=reader.enum("relation", Relation),
            paper_id=reader.record("paperIdDigest", SaltedDigest.read),
        )

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this guardian."""
        faults.check_type(pointer(path, "type"), self.type, GuardianType)
        faults.check_type(pointer(path, "relation"), self.relation, Relation, required=False)
        if self.id is None and self.paper_id is None:
            faults.add(path, "required", "the guardian's DID or the digest of a paper document")
        faults.check_pattern(pointer(path, "id"), self.id, DID, "a DID", required=False)
        here = pointer(path, "paperIdDigest")
        if faults.check_type(here, self.paper_id, SaltedDigest, required=False) and self.paper_id is not None:
            self.paper_id.check(faults, here)


@dataclass(frozen=True, slots=True, kw_only=True)
class Quorum:
    """How many of the guardians must agree to an act. They need not all stand in one credential.

    Attributes:
        act: the act.
        required: how many must agree.
        of: how many there are.
    """

    act: Act
    required: int
    of: int

    def to_json(self) -> JsonObject:
        """Write the quorum as it stands in a credential."""
        return stated({"act": self.act, "required": self.required, "of": self.of})

    @classmethod
    def read(cls, reader: ObjectReader) -> Quorum:
        """Read a quorum from a credential."""
        return cls(act=reader.enum("act", Act), required=reader.integer("required"), of=reader.integer("of"))

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this quorum."""
        faults.check_type(pointer(path, "act"), self.act, Act)
        enough = check_count(faults, pointer(path, "required"), self.required, MAX_COUNT)
        if (
            check_count(faults, pointer(path, "of"), self.of, MAX_COUNT)
            and enough
            and self.required > self.of
        ):
            faults.add(path, "unreachable-quorum", "no more required than there are")


@dataclass(frozen=True, slots=True, kw_only=True)
class SubDelegation:
    """What the guardian may hand on to another adult; without it, nothing.

    Attributes:
        acts: the acts that may be handed on.
        max_days: for how many days at most.
    """

    acts: Sequence[Act]
    max_days: int | None = None

    def __post_init__(self) -> None:
        if isinstance(self.acts, list):
            object.__setattr__(self, "acts", tuple(self.acts))

    def to_json(self) -> JsonObject:
        """Write the permission as it stands in a credential."""
        return stated({"acts": self.acts, "maxDays": self.max_days})

    @classmethod
    def read(cls, reader: ObjectReader) -> SubDelegation:
        """Read the permission from a credential."""
        return cls(acts=reader.enums("acts", Act), max_days=reader.integer("maxDays"))

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this permission."""
        check_acts(faults, pointer(path, "acts"), self.acts)
        if not self.acts:
            faults.add(pointer(path, "acts"), "required", "at least one act, or no sub-delegation")
        if self.max_days is not None:
            check_count(faults, pointer(path, "maxDays"), self.max_days, MAX_DAYS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Majority:
    """The age at which the authority lapses, and whose law says so.

    Attributes:
        age: in whole years.
        jurisdiction: whose law it is.
    """

    age: int
    jurisdiction: str

    def to_json(self) -> JsonObject:
        """Write the age as it stands in a credential."""
        return stated({"age": self.age, "jurisdiction": self.jurisdiction})

    @classmethod
    def read(cls, reader: ObjectReader) -> Majority:
        """Read the age from a credential."""
        return cls(age=reader.integer("age"), jurisdiction=reader.string("jurisdiction"))

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this age."""
        here = pointer(path, "age")
        if faults.check_type(here, self.age, int) and self.age not in MAJORITY_AGES:
            expected = f"an age from {MAJORITY_AGES.start} to {MAJORITY_AGES.stop - 1}"
            faults.add(here, "out-of-range", expected, self.age)
        check_jurisdiction(faults, pointer(path, "jurisdiction"), self.jurisdiction)


def check_count(faults: Faults, path: str, value: object, most: int) -> bool:
    """Note that a value is no number from 1 to ``most``; say whether it is one."""
    if not faults.check_type(path, value, int) or not isinstance(value, int):
        return False
    if not 1 <= value <= most:
        faults.add(path, "out-of-range", f"a number from 1 to {most}", value)
        return False
    return True


def check_acts(faults: Faults, path: str, acts: object) -> None:
    """Note what is no act, and what is listed twice."""
    if not isinstance(acts, tuple):
        faults.add(path, "wrong-type", "a list of acts")
        return
    for index, act in enumerate(acts):
        faults.check_type(pointer(path, index), act, Act)
    if len(set(acts)) < len(acts):
        faults.add(path, "repeated", "each act once")

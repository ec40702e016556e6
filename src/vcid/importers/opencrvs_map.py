"""Which field of an OpenCRVS declaration becomes which field of a record: rules, stated by whoever runs it.

OpenCRVS 2 has no form of its own: each country's configuration names the fields. So nothing here knows a
field's name. A map gives every field of the form a rule, and a field without one stops the record.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Final, Protocol

from vcid.credentials.forbidden import is_forbidden
from vcid.importers.crosswalks import COUNTRIES, Crosswalk
from vcid.importers.days import take_day
from vcid.importers.names import NameInParts
from vcid.importers.stated import check_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.importers.source import Account, Field

PRESENCE: Final = "presence"
"""The rule that turns whether a field is filled into a word of the record."""


class Rule(Protocol):
    """What becomes of one field of a declaration."""

    @property
    def targets(self) -> tuple[str, ...]:
        """The fields of the record that the rule may fill."""

    def read(self, account: Account, place: Field) -> None:
        """Account for the field, and for all beneath it that it knows."""


@dataclass(frozen=True, slots=True)
class Take:
    """The text stands in the record as it stands in the declaration."""

    target: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The one field."""
        return (self.target,)

    def read(self, account: Account, place: Field) -> None:
        """Take the text."""
        account.take(place, self.target)


@dataclass(frozen=True, slots=True)
class TakeNumber:
    """The whole number stands in the record as it stands in the declaration."""

    target: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The one field."""
        return (self.target,)

    def read(self, account: Account, place: Field) -> None:
        """Take the number."""
        account.take_number(place, self.target)


@dataclass(frozen=True, slots=True)
class TakeDay:
    """A field of type DATE, written ``2021-03-15``."""

    target: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The one field."""
        return (self.target,)

    def read(self, account: Account, place: Field) -> None:
        """Take the day."""
        take_day(account, place, self.target)


@dataclass(frozen=True, slots=True)
class Cross:
    """A field of type SELECT, whose words a table turns into the record's."""

    target: str
    table: Crosswalk

    @property
    def targets(self) -> tuple[str, ...]:
        """The one field."""
        return (self.target,)

    def read(self, account: Account, place: Field) -> None:
        """Turn the word."""
        account.cross(place, self.target, self.table)


@dataclass(frozen=True, slots=True)
class NameParts:
    """A field of type NAME: firstname, middlename, surname.

    Attributes:
        target: a name of the record: ``/names/0``.
        is_family_first: whether the whole name begins with the surname.
        label: what the register calls the parent who bears the name; for names of parents alone.
    """

    target: str
    is_family_first: bool = False
    label: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """The name's parts, and the parent's label."""
        parts = tuple(f"{self.target}/{part}" for part in ("full", "given", "family"))
        return (*parts, self._label_target) if self.label else parts

    @property
    def _label_target(self) -> str:
        return f"{self.target.rpartition('/names/')[0]}/label"

    def read(self, account: Account, place: Field) -> None:
        """Make the name of its parts."""
        parts = {name: place.get(name) for name in ("firstname", "middlename", "surname")}
        given = [part for name in ("firstname", "middlename") if (part := parts[name]) is not None]
        family = [part for part in [parts["surname"]] if part is not None]
        name = NameInParts(given=given, family=family, is_family_first=self.is_family_first)
        if name.read(account, self.target) and self.label:
            account.add(self._label_target, self.label, (given + family)[0])


@dataclass(frozen=True, slots=True)
class AddressParts:
    """A field of type ADDRESS, of which a place of birth takes the country and what the map names.

    The street and all that leads to a door stays behind: a birth at home is a birth at a family's address.

    Attributes:
        target: a place of the record: ``/birthPlace``.
        countries: the table of country codes. A configuration for an invented country adds it.
        areas: turns the identifiers of administrative areas into the names of regions.
        region: the street-level detail that is the region, of addresses abroad.
        locality: the street-level detail that is the town.
    """

    target: str
    countries: Crosswalk = COUNTRIES
    areas: Crosswalk | None = None
    region: str = ""
    locality: str = ""

    @property
    def targets(self) -> tuple[str, ...]:
        """Country, region and locality."""
        return tuple(f"{self.target}/{part}" for part in ("country", "region", "locality"))

    def read(self, account: Account, place: Field) -> None:
        """Take the place apart."""
        account.cross(place.get("country"), f"{self.target}/country", self.countries)
        account.leave(place.get("addressType"), "structure")
        area = place.get("administrativeArea")
        if self.areas is None:
            account.leave(area, "location-reference")
        else:
            account.cross(area, f"{self.target}/region", self.areas)
        details = place.get("streetLevelDetails")
        if details is None or details.is_blank:
            account.leave(details, "empty")
            return
        for detail in details.members():
            if detail.name == self.locality:
                account.take(detail, f"{self.target}/locality")
            elif detail.name == self.region and not account.has(f"{self.target}/region"):
                account.take(detail, f"{self.target}/region")
            else:
                account.leave(detail, "address")


@dataclass(frozen=True, slots=True)
class Presence:
    """A field of which only that it is filled matters: a reason for delay tells a late registration.

    Attributes:
        target: the field of the record.
        word: what the record says where the field is filled. Where it is not, the caller states it.
    """

    target: str
    word: str

    @property
    def targets(self) -> tuple[str, ...]:
        """The one field."""
        return (self.target,)

    def read(self, account: Account, place: Field) -> None:
        """Say the word if the field is filled; what it holds is not carried."""
        if place.is_blank or place.value is False:
            account.leave(place, "empty")
        else:
            account.give(self.target, self.word, place, table=PRESENCE)


@dataclass(frozen=True, slots=True)
class LeaveOut:
    """The field is left out, and the report says why."""

    code: str = "not-in-credential"

    @property
    def targets(self) -> tuple[str, ...]:
        """None."""
        return ()

    def read(self, account: Account, place: Field) -> None:
        """Leave it."""
        account.leave(place, self.code)


@dataclass(frozen=True, slots=True)
class FieldMap:
    """Every field of a country's form, each with its rule.

    Attributes:
        fields: the form's field identifiers, such as ``child.name``, to their rules.
    """

    fields: Mapping[str, Rule] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "fields", MappingProxyType(dict(self.fields)))
        check_fields(target for rule in self.fields.values() for target in rule.targets)
        carried = [
            name
            for name, rule in self.fields.items()
            if rule.targets and not isinstance(rule, Presence) and is_forbidden_field(name)
        ]
        if carried:
            raise ValueError(f"no credential says these, whatever they are mapped to: {', '.join(carried)}")


def is_forbidden_field(name: str) -> bool:
    """Say whether a field's identifier, or the last part of it, is of something that no credential says."""
    return is_forbidden(name) or is_forbidden(name.rpartition(".")[2])

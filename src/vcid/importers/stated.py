"""What the caller states about all records of a source, because no field of the source says it.

A clinic's Patient has no register, and a form's declaration says not on what its birth date rests. Somebody
who answers for the records says so here, once, and each report lists what came from here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from vcid.encoding.json import JSON

_NAME: Final = r"/names/[0-9]{1,2}/(?:full|given|family|lang|script|kind)"
_PLACE: Final = r"/(?:country|region|locality|placeType)"
_FIELDS: Final = re.compile(
    rf"{_NAME}|/nameStatus|/birthDate|/birthDateBasis|/birthDateOriginal/(?:calendar|text)|/sexAtBirth"
    rf"|/birthPlace{_PLACE}|/finding/date|/finding/place{_PLACE}"
    rf"|/parents/[0-9]{{1,2}}(?:/(?:role|basis|label|id)|{_NAME})|/parentageStatus"
    r"|/birthType|/birthOrder|/nationalities/[0-9]{1,2}|/nationalityStatus"
    r"|/registration/(?:number|date|jurisdiction|office|registrationType)"
    r"|/evidence/[0-9]{1,2}/(?:kind|date)|/childRef"
)
_ITEM_OF_SOURCE: Final = re.compile(r"(/(?:names|parents)/[0-9]+)/.*")
_INDEX: Final = re.compile(r"/[0-9]+(?=/|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stated:
    """What the caller says beside the source, and what of the source is left out at the caller's word.

    Attributes:
        fields: values by JSON pointer into the record, such as ``/registration/jurisdiction``. A field counts
            only where the source gives none: ``/nameStatus`` *notYetNamed* is said of the unnamed alone.
            Within a name or a parent it counts only where the source gives that name or parent.
        parentage: how many parents are named to ``parentageStatus``, where the register's law makes that so.
        zone: the time zone in which a moment becomes a day.
        ignored: fields of the source that are left out whatever they hold, as JSON pointers with ``*`` for
            the places in lists: ``/patient/name/*/suffix``.
    """

    fields: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    parentage: Mapping[int, str] = field(default_factory=dict)
    zone: tzinfo = UTC
    ignored: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        check_fields(self.fields)
        for name in ("fields", "parentage"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        object.__setattr__(self, "ignored", frozenset(self.ignored))

    def apply(self, given: Mapping[str, JSON]) -> dict[str, JSON]:
        """Return the fields that count beside those that the source has given."""
        counted = {
            path: value for path, value in self.fields.items() if path not in given and _applies(path, given)
        }
        parents = len({path.split("/")[2] for path in given if path.startswith("/parents/")})
        status = "/parentageStatus"
        if status not in given and parents in self.parentage:
            counted[status] = self.parentage[parents]
        return counted

    @staticmethod
    def pattern(path: str) -> str:
        """Write a field's path with ``*`` for its places in lists."""
        return _INDEX.sub("/*", path)


def check_fields(paths: Iterable[str]) -> None:
    """Refuse pointers that lead to no field of a record.

    Raises:
        ValueError: one of them does not.
    """
    wrong = [path for path in paths if _FIELDS.fullmatch(path) is None]
    if wrong:
        raise ValueError(f"no JSON pointer to a field of a birth registration: {', '.join(wrong)}")


def _applies(path: str, given: Mapping[str, JSON]) -> bool:
    item = _ITEM_OF_SOURCE.fullmatch(path)
    return item is None or any(known.startswith(f"{item[1]}/") for known in given)

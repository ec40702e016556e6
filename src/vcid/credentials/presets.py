"""What a holder shows of a credential for which purpose: the presets of selective disclosure, as data.

Each shows the least that its purpose needs, so that a holder need not know what may be asked. What restricts
a credential is shown always (`vcid.securing.disclosure`), and so are its ids and types and what stands in
`get_mandatory_pointers`.

The child's reference is in every preset: by it a guardianship is known to be about the same child, and it
says nothing else. Parents, their number, nationality, the register's number and office, how the registration
came about and its evidence are in none: they can expose a child, and who is responsible for it is what a
guardianship proves. Whoever has to show more names it: see `vcid.disclosing`.
"""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from vcid.credentials.birth import BirthRegistration
from vcid.credentials.model_rules import has_type
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.encoding.json import JSON, JsonObject


class Purpose(StrEnum):
    """For what a credential is shown."""

    SCHOOL = "school"
    CLINIC = "clinic"
    BORDER = "border"
    AID = "aid"


_BIRTH: Final = BirthRegistration.credential_type
_SUBJECT: Final = "/credentialSubject"

PRESETS: Final[Mapping[str, Mapping[Purpose, tuple[str, ...]]]] = MappingProxyType(
    {
        _BIRTH: MappingProxyType(
            {
                # A pupil's names and age.
                Purpose.SCHOOL: (
                    f"{_SUBJECT}/childRef",
                    f"{_SUBJECT}/names",
                    f"{_SUBJECT}/birthDate",
                ),
                # Doses go by age, which may be an estimate, and some care by sex.
                Purpose.CLINIC: (
                    f"{_SUBJECT}/childRef",
                    f"{_SUBJECT}/names",
                    f"{_SUBJECT}/birthDate",
                    f"{_SUBJECT}/birthDateBasis",
                    f"{_SUBJECT}/sexAtBirth",
                ),
                # What a travel document is compared with.
                Purpose.BORDER: (
                    f"{_SUBJECT}/childRef",
                    f"{_SUBJECT}/names",
                    f"{_SUBJECT}/birthDate",
                    f"{_SUBJECT}/birthDateBasis",
                    f"{_SUBJECT}/birthPlace/country",
                ),
                # That there is such a child of that age; lists of names are what persecutors look for.
                Purpose.AID: (
                    f"{_SUBJECT}/childRef",
                    f"{_SUBJECT}/birthDate",
                ),
            }
        )
    }
)
"""JSON pointers to what is shown, by credential type and purpose; a document need not have all of it."""

# Without its jurisdiction nobody could know whether the issuer may speak for that register.
_MANDATORY: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {_BIRTH: (f"{_SUBJECT}/registration/jurisdiction",)}
)

DISCLOSABLE_TYPES: Final = frozenset(_MANDATORY)
"""The credential types of which parts may be shown. Of a guardianship none may: to leave out an act that is
prohibited, or one of two guardians who must agree, would make it say more."""


def get_mandatory_pointers(document: JsonObject) -> tuple[str, ...]:
    """Give JSON pointers to what every showing of a credential discloses, besides what restricts it.

    Raises:
        Malformed: it is of no type of which parts may be shown (``not-disclosable``).
    """
    return _find(document, _MANDATORY)


def get_preset(document: JsonObject, purpose: Purpose) -> tuple[str, ...]:
    """Give JSON pointers to what a credential shows for a purpose, as far as the document has it.

    Raises:
        Malformed: it is of no type that has presets (``not-disclosable``).
    """
    return _find(document, {name: presets[purpose] for name, presets in PRESETS.items()})


def _find(document: JsonObject, pointers: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    names = [name for name in pointers if has_type(document, name)]
    if not names:
        raise Malformed(
            "not-disclosable", "a credential of a type of which parts may be shown", where="/type"
        )
    return tuple(pointer for name in names for pointer in pointers[name] if _has(document, pointer))


def _has(document: JsonObject, pointer: str) -> bool:
    value: JSON = document
    for name in pointer.split("/")[1:]:
        if not isinstance(value, dict) or name not in value:
            return False
        value = value[name]
    return True

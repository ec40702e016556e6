"""The form of a registrar. vcid checks what it says and names all faults at once, each beside its field."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.conf import settings

from vcid import BirthRegistration, InvalidRecord
from vcid.credentials.birth import (
    BirthDateBasis,
    EvidenceKind,
    NameStatus,
    ParentageStatus,
    RegistrationType,
    SexAtBirth,
)

if TYPE_CHECKING:
    from enum import StrEnum

    from vcid.errors import FieldError

FIELDS = {
    "/nameStatus": "name_status",
    "/names": "child_name",
    "/birthDateBasis": "birth_date_basis",
    "/birthDate": "birth_date",
    "/sexAtBirth": "sex_at_birth",
    "/birthPlace": "birth_country",
    "/parentageStatus": "parentage_status",
    "/parents": "parents",
    "/registration/number": "number",
    "/registration/date": "date",
    "/registration/office": "office",
    "/registration/registrationType": "registration_type",
    "/evidence": "evidence",
}
"""The form's field for each place in a birth registration, by the start of its JSON pointer."""


def choices(kind: type[StrEnum]) -> list[tuple[str, str]]:
    """Offer the values of one of vcid's closed lists, and at first none of them."""
    return [("", "—"), *((item.value, item.name.replace("_", " ").lower()) for item in kind)]


class RegistrationForm(forms.Form):
    """One birth. No field is required here: what is missing is vcid's to say, with everything else."""

    id = forms.UUIDField(widget=forms.HiddenInput)  # drawn with the empty form: sent twice, it issues once
    name_status = forms.ChoiceField(required=False, choices=choices(NameStatus), initial="recorded")
    child_name = forms.CharField(required=False)
    birth_date = forms.CharField(required=False, help_text="2021-03-15; if less is known 2021-03 or 2021~")
    birth_date_basis = forms.ChoiceField(required=False, choices=choices(BirthDateBasis))
    sex_at_birth = forms.ChoiceField(required=False, choices=choices(SexAtBirth))
    birth_country = forms.CharField(required=False, help_text="two letters, or unknown")
    parentage_status = forms.ChoiceField(required=False, choices=choices(ParentageStatus))
    parents = forms.CharField(required=False, widget=forms.Textarea, help_text="one name a line")
    number = forms.CharField(required=False)
    date = forms.CharField(required=False, help_text="2021-04-01")
    office = forms.CharField(required=False)
    registration_type = forms.ChoiceField(required=False, choices=choices(RegistrationType))
    evidence = forms.ChoiceField(required=False, choices=choices(EvidenceKind))

    def clean(self) -> dict[str, Any]:
        """Hand what was typed to vcid, and put each fault that it finds beside its field."""
        known = set(self.errors)
        try:
            BirthRegistration.from_mapping(self.record)
        except InvalidRecord as invalid:
            for fault in invalid.errors:
                field = field_of(fault)
                if field not in known:
                    self.add_error(field, forms.ValidationError(f"Expected {fault.expected}.", fault.code))
        return self.cleaned_data

    @property
    def record(self) -> dict[str, Any]:
        """What was typed, in the field names of a birth registration, without what was left empty."""
        said = self.cleaned_data.get
        parents = filter(None, map(str.strip, said("parents", "").splitlines()))
        return stated(
            {
                "nameStatus": said("name_status"),
                "names": [{"full": said("child_name")}] if said("child_name") else None,
                "birthDate": said("birth_date"),
                "birthDateBasis": said("birth_date_basis"),
                "sexAtBirth": said("sex_at_birth"),
                "birthPlace": stated({"country": said("birth_country")}),
                "parentageStatus": said("parentage_status"),
                "parents": [{"names": [{"full": name}]} for name in parents],
                "registration": stated(
                    {
                        "number": said("number"),
                        "date": said("date"),
                        "jurisdiction": settings.REGISTRY_JURISDICTION,
                        "office": said("office"),
                        "registrationType": said("registration_type"),
                    }
                ),
                "evidence": [{"kind": said("evidence")}] if said("evidence") else None,
            }
        )


def stated(fields: dict[str, Any]) -> dict[str, Any]:
    """Leave out what was left empty: to vcid, an empty text is not the same as none."""
    return {name: value for name, value in fields.items() if value}


def field_of(fault: FieldError) -> str | None:
    """The field that a fault belongs beside; none for the form as a whole."""
    return next((field for start, field in FIELDS.items() if fault.path.startswith(start)), None)

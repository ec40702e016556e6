"""Primero v2: who a case is about, and nothing of what the case is.

Follows Primero 2 (``/api/v2/cases``; forms basic_identity, other_identity_details). A case file is kept to
protect a child, and most of it would harm the child in any other hands. So the identity of the child alone
is read: names, sex, date of birth. Its care arrangements and its family are what somebody told a caseworker:
they are never turned into parents on record, and never into a legal basis. Its ``registration_date`` is that
of the case, not of a birth.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.credentials.birth import new_child_ref
from vcid.credentials.forbidden import is_forbidden
from vcid.importers.crosswalks import PRIMERO_ESTIMATED, PRIMERO_SEX
from vcid.importers.days import take_day
from vcid.importers.names import NameInParts
from vcid.importers.source import Reading
from vcid.importers.stated import Stated

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date

    from vcid.encoding.json import JSON
    from vcid.importers.loss import ImportResult
    from vcid.importers.source import Account, Field

SYSTEM: Final = "primero-v2"

ESTIMATED_DATE: Final = "primero-estimated-date"
"""The rule for a date of birth that is marked as estimated: its day is marked approximate in EDTF, and the
first of January, which stands for a year alone, becomes the approximate year."""

_REASONS: Final[Mapping[str, str]] = {
    "case-record": """
        id case_id case_id_code case_id_display short_id unique_identifier cpims_id status record_state
        case_status_reopened marked_for_mobile enabled module_id workflow case_type client_code flag_count
        alert_count photos has_photo has_incidents has_case_plan record_in_scope duplicate
        registration_date created_at created_by last_updated_at last_updated_by posted_at owned_by
        owned_by_full_name owned_by_agency_id owned_by_groups owned_by_location previously_owned_by
        assigned_user_names associated_user_names created_organization short_form
    """,
    "not-a-name-on-record": "name_nickname name_other nickname",
    "follows-from-the-date": "age day_of_birth",
    "omitted-by-default": "nationality country_of_origin",
    "identifier": """
        national_id_no ration_card_no icrc_ref_no rc_id_no unhcr_id_no unhcr_individual_no un_no other_id_no
        other_id_type other_agency_id other_agency_name survivor_code_no biometrics_id family_number
        registry_no registry_record_id registry_id_display
    """,
    "contact": """
        address_current address_last address_is_permanent location_current location_last telephone_current
        telephone_last
    """,
    "not-in-credential": "language maritial_status marital_status occupation",
    "sensitive": "ethnicity sub_ethnicity_1 sub_ethnicity_2 religion displacement_status disability_type",
    "no-evidence-of-parentage": "family_details_section family_id family_member_id",
    "care-arrangement": """
        care_arrangements_section child_caregiver_status child_caregiver_reason_change
        care_arrangements_include_referral_form care_arrangements_type care_arrangements_type_other
        care_arrangements_type_notes care_agency_name name_caregiver nickname_caregiver caregiver_age
        caregiver_dob relationship_caregiver care_arrangement_started_date current_name_caregiver
        current_care_arrangements_type current_care_arrangement_started_date
    """,
    "protection": """
        protection_concerns protection_concern_detail_subform_section urgent_protection_concern risk_level
        incident_details survivor_code unhcr_needs_codes hidden_name
    """,
}
_LEFT_OUT: Final[Mapping[str, str]] = {
    name: code for code, names in _REASONS.items() for name in names.split()
}


def read_primero(
    document: bytes | str | Mapping[str, JSON],
    *,
    stated: Stated | None = None,
    on: date | None = None,
    new_ref: Callable[[], str] = new_child_ref,
) -> ImportResult:
    """Read a case, alone or in ``data`` as the interface answers with it.

    A case has no entry in a register. There is a record only where the caller states the registration; where
    not, `ImportResult.fields` has the identity for a registrar's form.

    Args:
        document: the JSON.
        stated: what the caller states: the registration, the place of birth, the parentage.
        on: the day it is; nothing may have happened after it. By default today.
        new_ref: draws the ``childRef``.

    Raises:
        Malformed: the document is no JSON object within the limits.
    """
    account = Reading(SYSTEM, stated or Stated(), on, new_ref).open(document)
    within = account.root.get("data")
    case = within if within is not None and isinstance(within.value, dict) else account.root
    _refuse_disabled(account, case)
    _read_name(account, case)
    account.cross(case.get("sex"), "/sexAtBirth", PRIMERO_SEX)
    _read_birth_date(account, case)
    return account.settle(_rest)


def _refuse_disabled(account: Account, case: Field) -> None:
    state = case.get("record_state")
    if state is not None and state.value is False:
        account.refuse(state, "not-in-use", "a record that is enabled")


def _read_name(account: Account, case: Field) -> None:
    hidden = case.get("hidden_name")
    parts = {name: case.get(name) for name in ("name", "name_first", "name_middle", "name_last")}
    if hidden is not None and hidden.value is True:
        # What stands in a hidden name's place is a row of asterisks, or a name that is not to be carried.
        account.refuse(hidden, "hidden-name", "a case whose name is not hidden")
        for part in parts.values():
            account.leave(part, "protection")
        return
    given = [part for name in ("name_first", "name_middle") if (part := parts[name]) is not None]
    family = [part for part in [parts["name_last"]] if part is not None]
    NameInParts(given=given, family=family, whole=parts["name"]).read(account, "/names/0")


def _read_birth_date(account: Account, case: Field) -> None:
    estimated, born = case.get("estimated"), case.get("date_of_birth")
    if estimated is None or estimated.value is not True:
        if estimated is not None and estimated.value not in (False, None):
            account.refuse(estimated, "wrong-type", "true or false")
        account.leave(
            estimated if estimated is None or estimated.value in (False, None) else None, "structure"
        )
        take_day(account, born, "/birthDate")
        return
    account.cross(estimated, "/birthDateBasis", PRIMERO_ESTIMATED)
    take_day(account, born, "/birthDate")
    text = account.value("/birthDate")
    if born is not None and isinstance(text, str):
        approximate = f"{text[:4]}~" if text.endswith("-01-01") else f"{text}~"
        account.give("/birthDate", approximate, born, table=ESTIMATED_DATE)


def _rest(place: Field) -> str:
    """Say why a field of a case is left out; countries add their own, which are left out unknown."""
    if place.name in _LEFT_OUT:
        return _LEFT_OUT[place.name]
    if place.name.startswith("*"):
        return "unknown-field"
    return "forbidden-field" if is_forbidden(place.name) else "unknown-field"

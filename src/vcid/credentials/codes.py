"""The code lists and formats that credentials draw on: countries, language tags, scripts, identifiers.

Countries are ISO 3166-1 alpha-2 as an explicit table, with the user-assigned XK for Kosovo, which civil
registries and travel documents use. Subdivisions are ISO 3166-2 by form alone: their list changes several
times a year, and a registry must not wait for a release of this library to name its own province.
"""

from __future__ import annotations

import re
import secrets
from typing import TYPE_CHECKING, Final

from vcid.encoding.base64url import encode_base64url

if TYPE_CHECKING:
    from collections.abc import Callable

_COUNTRIES: Final = """
    AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS
    BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE
    EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM
    HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC
    LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA
    NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW
    SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO
    TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW XK
"""
COUNTRIES: Final = frozenset(_COUNTRIES.split())
UNKNOWN_COUNTRY: Final = "unknown"

JURISDICTION: Final = f"^(?:{'|'.join(sorted(COUNTRIES))})(?:-[A-Z0-9]{{1,3}})?$"
"""A country, or a subdivision of one: ``ET`` or ``ET-AA``."""

LANGUAGE_TAG: Final = (
    r"^(?:(?:[A-Za-z]{2,3}(?:-[A-Za-z]{3}){0,3}|[A-Za-z]{4,8})"  # language and extended language
    r"(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"  # script, region
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3}))*"  # variants
    r"(?:-[0-9A-WY-Za-wy-z](?:-[A-Za-z0-9]{2,8})+)*"  # extensions
    r"(?:-[Xx](?:-[A-Za-z0-9]{1,8})+)?"  # private use at the end
    r"|[Xx](?:-[A-Za-z0-9]{1,8})+)$"  # private use alone
)
"""A well-formed language tag (RFC 5646, section 2.1), without its irregular grandfathered tags."""

SCRIPT: Final = "^[A-Z][a-z]{3}$"
"""The form of a script code (ISO 15924)."""

CHILD_REF: Final = "^[A-Za-z0-9_-]{21}[AQgw]$"
"""128 bits in base64url without padding; the last character carries two bits only."""

DID: Final = "^did:[a-z0-9]+:(?:[A-Za-z0-9._:-]|%[0-9A-Fa-f]{2})*(?:[A-Za-z0-9._-]|%[0-9A-Fa-f]{2})$"
"""A DID without path, query or fragment (DID 1.0, section 3.1); a percent sign stands for an octet."""

_JURISDICTION = re.compile(JURISDICTION)


def is_jurisdiction(code: object) -> bool:
    """Say whether a value names a country, or has the form of a subdivision of one."""
    return isinstance(code, str) and _JURISDICTION.fullmatch(code) is not None


def country_of(jurisdiction: str) -> str:
    """Take the country out of a jurisdiction's code."""
    return jurisdiction.partition("-")[0]


def new_child_ref(random: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Draw the reference that all credentials about one registration share.

    It is random and never derived from a registration number, which could be guessed and tried.
    """
    return random_text(random)


def random_text(random: Callable[[int], bytes]) -> str:
    """Draw 128 bits and write them in base64url without padding: 22 characters."""
    return encode_base64url(random(16))

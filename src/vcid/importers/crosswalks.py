"""The tables by which other systems' words become those of credentials, every one of them, in full.

A table says where each word goes. A word that it doesn't know is refused, and so is one that it knows to have
no counterpart: ``other`` of FHIR is neither a sex that was found undetermined at birth nor one that nobody
recorded, and to turn it into either would put a falsehood into a child's papers. Nothing falls back to a
default.

Sources: OpenCRVS reference configuration 2.0 and OpenCRVS 1.9 (sex, kind of birth, place); HL7 FHIR R4
(AdministrativeGender, v3-RoleCode); Primero v2 (lookup-gender); SPDCI (sex); ISO/IEC 5218:2022; MOSIP QR code
specification, Claim 169 (gender); ISO 3166-1 (countries in three letters).
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

MAX_SHOWN: Final = 8
"""How many of a table's words a message lists."""


@dataclass(frozen=True, slots=True)
class Crosswalk:
    """One system's words for the words of credentials. A word it doesn't know is refused, never guessed.

    Attributes:
        target: what the words are turned into, for messages: ``sexAtBirth``.
        words: the system's word to ours. Compared as they stand.
        name: what reports call the table; by default its target.
        lost: words of the system's closed list that have no counterpart. They may be shown in messages.
    """

    target: str
    words: Mapping[str, str]
    name: str = ""
    lost: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", MappingProxyType(dict(self.words)))
        object.__setattr__(self, "lost", frozenset(self.lost))
        object.__setattr__(self, "name", self.name or self.target)
        if both := self.lost & set(self.words):
            raise ValueError(f"words both turned and lost in the crosswalk {self.name}: {sorted(both)}")

    @property
    def expected(self) -> str:
        """What a field may hold, for messages."""
        words = [*self.words][:MAX_SHOWN] + (["…"] if len(self.words) > MAX_SHOWN else [])
        by = "" if self.name == self.target else f"{self.name} "
        return f"one of {', '.join(words)} (crosswalk {by}to {self.target})"

    def fault_of(self, word: str) -> tuple[str, str] | None:
        """Say what is wrong with a word, as a code and what was expected; None where nothing is.

        A word that the table knows to be lost is named, being one of a closed list; no other word is.
        """
        if word in self.words:
            return None
        if word in self.lost:
            return "no-lossless-mapping", f"{self.expected}; {word} has no counterpart there"
        return "not-in-crosswalk", self.expected


_SEX: Final = "sexAtBirth"

OPENCRVS_SEX: Final = Crosswalk(
    _SEX, {"male": "male", "female": "female", "unknown": "notKnown"}, "opencrvs-reference-gender"
)
OPENCRVS_V1_SEX: Final = Crosswalk(
    _SEX,
    {"male": "male", "female": "female", "unknown": "notKnown"},
    "opencrvs-v1-gender",
    lost=frozenset({"other"}),
)
FHIR_SEX: Final = Crosswalk(
    _SEX,
    {"male": "male", "female": "female", "unknown": "notKnown"},
    "fhir-administrative-gender",
    lost=frozenset({"other"}),
)
SPDCI_SEX: Final = Crosswalk(
    _SEX,
    {"male": "male", "female": "female", "unknown": "notKnown"},
    "spdci-sex",
    lost=frozenset({"other"}),
)
PRIMERO_SEX: Final = Crosswalk(_SEX, {"male": "male", "female": "female"}, "primero-lookup-gender")
ISO_5218_SEX: Final = Crosswalk(
    _SEX, {"0": "notKnown", "1": "male", "2": "female"}, "iso-5218", lost=frozenset({"9"})
)
CLAIM_169_SEX: Final = Crosswalk(
    _SEX, {"1": "male", "2": "female"}, "mosip-claim-169-gender", lost=frozenset({"3"})
)

OPENCRVS_BIRTH_TYPE: Final = Crosswalk(
    "birthType",
    {
        "SINGLE": "single",
        "TWIN": "twin",
        "TRIPLET": "triplet",
        "QUADRUPLET": "quadruplet",
    },
    "opencrvs-birth-type",
    # Five children or more: a quintuplet birth and a higher order are two words here.
    lost=frozenset({"HIGHER_MULTIPLE_DELIVERY"}),
)
OPENCRVS_PLACE_TYPE: Final = Crosswalk(
    "placeType",
    {"HEALTH_FACILITY": "healthFacility", "PRIVATE_HOME": "home", "OTHER": "other"},
    "opencrvs-place-of-birth",
)
FHIR_MULTIPLE_BIRTH: Final = Crosswalk(
    "birthType", {"false": "single"}, "fhir-multiple-birth", lost=frozenset({"true"})
)
PRIMERO_ESTIMATED: Final = Crosswalk("birthDateBasis", {"true": "estimated"}, "primero-estimated")

FHIR_PARENT_LABEL: Final = Crosswalk(
    "label",
    {
        "PRN": "parent",
        "MTH": "mother",
        "FTH": "father",
        # What HL7 calls natural may be genetic or gestational: the word stays a label, and says no role.
        "NPRN": "natural parent",
        "NMTH": "natural mother",
        "NFTH": "natural father",
        "GESTM": "gestational mother",
        "ADOPTP": "adoptive parent",
        "ADOPTM": "adoptive mother",
        "ADOPTF": "adoptive father",
    },
    "fhir-role-code",
)
FHIR_PARENT_ROLE: Final = Crosswalk(
    "role",
    {"GESTM": "gestational", "ADOPTP": "adoptive", "ADOPTM": "adoptive", "ADOPTF": "adoptive"},
    "fhir-role-code",
)

PARENTS_ALL_OF_TWO: Final[Mapping[int, str]] = MappingProxyType({0: "none", 1: "partial", 2: "all"})
"""How many parents are named to ``parentageStatus``, where a register has a mother and a father and no more.

A caller states it where it is true; no importer assumes it.
"""

_ALPHA_3: Final = """
    ABWAW AFGAF AGOAO AIAAI ALAAX ALBAL ANDAD AREAE ARGAR ARMAM ASMAS ATAAQ ATFTF ATGAG AUSAU AUTAT
    AZEAZ BDIBI BELBE BENBJ BESBQ BFABF BGDBD BGRBG BHRBH BHSBS BIHBA BLMBL BLRBY BLZBZ BMUBM BOLBO
    BRABR BRBBB BRNBN BTNBT BVTBV BWABW CAFCF CANCA CCKCC CHECH CHLCL CHNCN CIVCI CMRCM CODCD COGCG
    COKCK COLCO COMKM CPVCV CRICR CUBCU CUWCW CXRCX CYMKY CYPCY CZECZ DEUDE DJIDJ DMADM DNKDK DOMDO
    DZADZ ECUEC EGYEG ERIER ESHEH ESPES ESTEE ETHET FINFI FJIFJ FLKFK FRAFR FROFO FSMFM GABGA GBRGB
    GEOGE GGYGG GHAGH GIBGI GINGN GLPGP GMBGM GNBGW GNQGQ GRCGR GRDGD GRLGL GTMGT GUFGF GUMGU GUYGY
    HKGHK HMDHM HNDHN HRVHR HTIHT HUNHU IDNID IMNIM INDIN IOTIO IRLIE IRNIR IRQIQ ISLIS ISRIL ITAIT
    JAMJM JEYJE JORJO JPNJP KAZKZ KENKE KGZKG KHMKH KIRKI KNAKN KORKR KWTKW LAOLA LBNLB LBRLR LBYLY
    LCALC LIELI LKALK LSOLS LTULT LUXLU LVALV MACMO MAFMF MARMA MCOMC MDAMD MDGMG MDVMV MEXMX MHLMH
    MKDMK MLIML MLTMT MMRMM MNEME MNGMN MNPMP MOZMZ MRTMR MSRMS MTQMQ MUSMU MWIMW MYSMY MYTYT NAMNA
    NCLNC NERNE NFKNF NGANG NICNI NIUNU NLDNL NORNO NPLNP NRUNR NZLNZ OMNOM PAKPK PANPA PCNPN PERPE
    PHLPH PLWPW PNGPG POLPL PRIPR PRKKP PRTPT PRYPY PSEPS PYFPF QATQA REURE ROURO RUSRU RWARW SAUSA
    SDNSD SENSN SGPSG SGSGS SHNSH SJMSJ SLBSB SLESL SLVSV SMRSM SOMSO SPMPM SRBRS SSDSS STPST SURSR
    SVKSK SVNSI SWESE SWZSZ SXMSX SYCSC SYRSY TCATC TCDTD TGOTG THATH TJKTJ TKLTK TKMTM TLSTL TONTO
    TTOTT TUNTN TURTR TUVTV TWNTW TZATZ UGAUG UKRUA UMIUM URYUY USAUS UZBUZ VATVA VCTVC VENVE VGBVG
    VIRVI VNMVN VUTVU WLFWF WSMWS YEMYE ZAFZA ZMBZM ZWEZW XKXXK
"""
COUNTRIES: Final = Crosswalk(
    "country",
    {pair[:3]: pair[3:] for pair in _ALPHA_3.split()} | {pair[3:]: pair[3:] for pair in _ALPHA_3.split()},
    "iso-3166-1",
)
"""Countries in three letters, as OpenCRVS writes them, or in two; Kosovo by its user-assigned codes."""

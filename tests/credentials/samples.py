"""Records that tests of credentials start from. All names are invented."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime

from hypothesis import strategies as st

from vcid.credentials.birth import (
    BirthDateBasis,
    BirthRegistration,
    BirthType,
    Calendar,
    Evidence,
    EvidenceKind,
    Finding,
    Name,
    NameStatus,
    NationalityStatus,
    OriginalDate,
    Parent,
    ParentageStatus,
    ParentBasis,
    ParentRole,
    Place,
    PlaceType,
    Registration,
    RegistrationType,
    SexAtBirth,
)
from vcid.credentials.guardianship import (
    Act,
    AuthorityRole,
    Basis,
    Dependent,
    Guardian,
    Guardianship,
    Majority,
    Quorum,
    Relation,
    SaltedDigest,
    SubDelegation,
)
from vcid.encoding.dates import UncertainDate

CHILD = "did:key:z6MkChild"
TODAY = date(2026, 11, 13)
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
DIGEST = SaltedDigest(salt="A" * 22, digest="B" * 42 + "A")


def registration(**changes: object) -> Registration:
    """An entry in a register of Kenya."""
    entry = Registration(
        number="2021/00001",
        date=date(2021, 4, 1),
        jurisdiction="KE",
        office="Example North",
        type=RegistrationType.CURRENT,
    )
    return replace(entry, **changes)


def birth(**changes: object) -> BirthRegistration:
    """An ordinary birth with both parents on record."""
    record = BirthRegistration(
        names=[Name(full="Amina Example", given="Amina", family="Example", lang="en", script="Latn")],
        birth_date=UncertainDate.parse("2021-03-15"),
        birth_date_basis=BirthDateBasis.DOCUMENTED,
        sex_at_birth=SexAtBirth.FEMALE,
        birth_place=Place(country="KE", locality="Mustertown", place_type=PlaceType.HOME),
        parents=[
            Parent(label="mother", names=[Name(full="Fanta Example")]),
            Parent(label="father", names=[Name(full="Ekon Example")]),
        ],
        parentage_status=ParentageStatus.ALL,
        registration=registration(),
        child_ref="C" * 21 + "A",
    )
    return replace(record, **changes)


def guardianship(**changes: object) -> Guardianship:
    """A court's order for one guardian, with every field filled."""
    record = Guardianship(
        dependent=Dependent(child_ref="C" * 21 + "A", birth_issuer="did:web:civil.example", id=CHILD),
        guardians=[Guardian(id="did:key:z6MkAunt", relation=Relation.AUNT_OR_UNCLE, paper_id=DIGEST)],
        basis=Basis.COURT_ORDER,
        order_ref=DIGEST,
        issuing_authority_role=AuthorityRole.COURT,
        jurisdiction="KE",
        valid_from=NOON,
        valid_until=datetime(2027, 3, 1, 12, tzinfo=UTC),
        permitted_acts=[Act.SCHOOL_ENROL, Act.ROUTINE_MEDICAL, Act.DELEGATE],
        prohibited_acts=[Act.INTERNATIONAL_TRAVEL],
        territory=["KE", "UG-102"],
        ends_at_majority=Majority(age=18, jurisdiction="KE"),
        quorums=[Quorum(act=Act.SCHOOL_ENROL, required=1, of=2)],
        sub_delegation=SubDelegation(acts=[Act.SCHOOL_ENROL], max_days=14),
        revokers=["did:web:protection.example"],
        appeal_uri="https://court.example/appeals",
        arrangement_id="urn:uuid:6e8bc430-9c3a-41d9-a969-1c8ae2f4a3f1",
    )
    return replace(record, **changes)


def document(record: BirthRegistration | Guardianship) -> dict[str, object]:
    """The unsigned credential of a record."""
    is_birth = isinstance(record, BirthRegistration)
    result: dict[str, object] = {
        "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/vcid/v1"],
        "id": "urn:uuid:6e8bc430-9c3a-41d9-a969-1c8ae2f4a3f1",
        "type": ["VerifiableCredential", record.credential_type],
        "issuer": "did:web:civil.example",
        "validFrom": "2026-03-01T12:00:00Z",
        "credentialSchema": {"id": record.schema_id, "type": "JsonSchema"},
        "credentialSubject": record.to_subject(CHILD) if is_birth else record.to_subject(),
    }
    if is_birth and record.evidence:
        result["evidence"] = record.evidence_json()
    return result


_WORDS = {
    "Latn": ("Amina", "Zoë", "Muster", "O'Example", "Anne-Beispiel", "Ŋolo"),
    "Arab": ("أمينة", "مثال", "علی\u200cرضا", "نموذج"),
    "Ethi": ("ሰላም", "ምሳሌ", "ሙከራ"),
    "Deva": ("अमीना", "उदाहरण"),
    "Hani": ("例", "花子"),
}
_scripts = st.sampled_from(sorted(_WORDS))


@st.composite
def names(draw: st.DrawFn) -> Name:
    """A legal name, from a mononym to a chain of four."""
    script = draw(_scripts)
    words = draw(st.lists(st.sampled_from(_WORDS[script]), min_size=1, max_size=4))
    return Name(
        full=" ".join(words),
        given=draw(st.none() | st.just(words[0])),
        family=draw(st.none() | st.just(words[-1])),
        lang=draw(st.none() | st.sampled_from(["en", "ar", "am-ET", "zh-Hant-TW", "x-home", "de-CH-1996"]))
        if script == "Latn"
        else None,
        script=draw(st.none() | st.just(script)) if script != "Latn" else None,
    )


_days = st.dates(date(2005, 1, 1), date(2020, 12, 31))
_places = st.builds(
    Place,
    country=st.sampled_from(["KE", "XK", "unknown"]),
    region=st.none() | st.just("Lake Sample"),
    locality=st.none() | st.just("Mustertown"),
    place_type=st.none() | st.sampled_from(PlaceType),
)
_parents = st.builds(
    Parent,
    role=st.none() | st.sampled_from([ParentRole.ADOPTIVE]),
    basis=st.none() | st.sampled_from(ParentBasis),
    label=st.none() | st.sampled_from(["mother", "father"]),
    names=st.lists(names(), min_size=1, max_size=2),
    id=st.none() | st.just("did:key:z6MkParent"),
)


@st.composite
def births(draw: st.DrawFn) -> BirthRegistration:
    """Any record without a fault."""
    born = draw(_days)
    written = draw(
        st.sampled_from(
            [
                born.isoformat(),
                f"{born.year}-{born.month:02}",
                f"{born.year}~",
                f"{born.year}?",
                f"{born.year - 1}/{born.year}",
            ]
        )
    )
    status = draw(st.sampled_from(NameStatus))
    parentage = draw(st.sampled_from(ParentageStatus))
    has_parents = parentage in (ParentageStatus.ALL, ParentageStatus.PARTIAL)
    kind = draw(st.sampled_from(RegistrationType))
    found = parentage is ParentageStatus.NONE and draw(st.booleans())
    nationalities = draw(st.lists(st.sampled_from(["KE", "UG", "XK"]), unique=True, max_size=2))
    plural = draw(st.booleans())
    return BirthRegistration(
        names=[] if status is NameStatus.NOT_YET_NAMED else draw(st.lists(names(), min_size=1, max_size=3)),
        name_status=status,
        birth_date=UncertainDate.parse(written),
        birth_date_basis=draw(st.sampled_from(BirthDateBasis)),
        birth_date_original=draw(
            st.none() | st.builds(OriginalDate, calendar=st.sampled_from(Calendar), text=st.just("5/7/2013"))
        ),
        sex_at_birth=draw(st.sampled_from(SexAtBirth)),
        birth_place=draw(_places),
        finding=Finding(date=date(2021, 1, 1), place=draw(_places)) if found else None,
        parents=draw(
            st.lists(_parents, min_size=1, max_size=3, unique_by=lambda parent: parent.id or id(parent))
        )
        if has_parents
        else [],
        parentage_status=parentage,
        birth_type=BirthType.TRIPLET if plural else draw(st.none() | st.just(BirthType.SINGLE)),
        birth_order=draw(st.none() | st.integers(1, 3)) if plural else None,
        nationalities=nationalities,
        nationality_status=NationalityStatus.RECORDED
        if nationalities
        else draw(st.none() | st.just(NationalityStatus.STATELESS)),
        registration=registration(
            date=date(2021, 2, 1), type=kind, jurisdiction=draw(st.sampled_from(["KE", "KE-30"]))
        ),
        evidence=[Evidence(kind=draw(st.sampled_from(EvidenceKind)))]
        if kind is RegistrationType.LATE
        else [],
    )

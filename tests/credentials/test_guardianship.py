"""The guardianship record: what each basis can carry, and that nothing is permitted by accident."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from credentials.samples import CHILD, DIGEST, NOON, birth, guardianship
from vcid.credentials.birth import ParentageStatus
from vcid.credentials.guardianship import (
    Act,
    AuthorityRole,
    Basis,
    Dependent,
    Guardian,
    Guardianship,
    GuardianType,
    Majority,
    ParentalAuthority,
    Quorum,
    Relation,
    SaltedDigest,
    SubDelegation,
    new_arrangement_id,
    parentage,
)
from vcid.errors import InvalidRecord

AGENCY = Guardian(
    type=GuardianType.ORGANIZATION, id="did:web:agency.example", relation=Relation.CASE_MANAGEMENT_AGENCY
)
FIRST_DAY = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
LAST_DAY = datetime(9999, 12, 31, 23, tzinfo=timezone(timedelta(hours=-12)))
MOTHER = Guardian(id="did:key:z6MkMother", relation=Relation.PARENT)
FATHER = Guardian(paper_id=DIGEST, relation=Relation.PARENT)
OTHERS = ({"salt": "C" * 21 + "A"}, {"digest": "C" * 42 + "A"})
MAJORITY = Majority(age=18, jurisdiction="KE")


def interim(**changes: object) -> Guardianship:
    """An agency's authority in an emergency, for as long as it may last."""
    defaults = {
        "basis": Basis.INTERIM_CASEWORKER,
        "issuing_authority_role": AuthorityRole.CHILD_PROTECTION_AUTHORITY,
        "guardians": [AGENCY],
        "order_ref": None,
        "valid_until": NOON + timedelta(days=90),
    }
    return guardianship(**{**defaults, **changes})


def codes(record: Guardianship) -> set[tuple[str, str]]:
    return {(fault.path, fault.code) for fault in record.faults()}


@pytest.mark.parametrize(
    "record",
    [
        pytest.param(guardianship(), id="court-order"),
        pytest.param(interim(), id="interim-caseworker"),
        pytest.param(guardianship(basis=Basis.KAFALA, order_ref=None), id="kafala"),
        pytest.param(guardianship(guardians=[FATHER]), id="guardian-without-a-phone"),
        pytest.param(
            guardianship(permitted_acts=[], quorums=[], sub_delegation=None), id="only-prohibitions"
        ),
        pytest.param(guardianship(valid_until=None), id="until-majority"),
        pytest.param(guardianship(ends_at_majority=Majority(age=21, jurisdiction="KE")), id="another-age"),
    ],
)
def test_arrangements_of_every_kind_go_through_json(record: Guardianship) -> None:
    """Each lawful arrangement has no fault and reads back as it was."""
    record.validate()
    assert Guardianship.from_subject(record.to_subject()) == record


@pytest.mark.parametrize(
    ("record", "path", "code"),
    [
        (guardianship(guardians=[]), "/guardians", "required"),
        (guardianship(guardians=[Guardian(relation=Relation.SIBLING)]), "/guardians/0", "required"),
        (guardianship(guardians=[Guardian(id="Fanta")]), "/guardians/0/id", "wrong-form"),
        (guardianship(guardians=[MOTHER, MOTHER]), "/guardians/1", "repeated"),
        (guardianship(guardians=[MOTHER, FATHER, FATHER]), "/guardians/2/paperIdDigest", "repeated"),
        (
            guardianship(guardians=[guardianship().guardians[0], FATHER]),
            "/guardians/1/paperIdDigest",
            "repeated",
        ),
        (guardianship(guardians=[Guardian(id=CHILD)]), "/guardians/0/id", "own-guardian"),
        (guardianship(guardians=[MOTHER, Guardian(id=CHILD, paper_id=DIGEST)]), "/guardians/1/id", "own-guardian"),
        (
            guardianship(guardians=[Guardian(paper_id=SaltedDigest(salt="12345678", digest="x"))]),
            "/guardians/0/paperIdDigest/salt",
            "wrong-form",
        ),
        (
            guardianship(order_ref=SaltedDigest(salt="A" * 22, digest="B" * 42 + "A", algorithm="md5")),
            "/orderRef/algorithm",
            "unknown-value",
        ),
        (guardianship(order_ref=None), "/orderRef", "required"),
        (guardianship(order_ref="KE/2026/17"), "/orderRef", "wrong-type"),
        (guardianship(issuing_authority_role=AuthorityRole.NOTARY), "/issuingAuthorityRole", "role-mismatch"),
        (guardianship(basis="friendship"), "/basis", "wrong-type"),
        (guardianship(jurisdiction=None), "/jurisdiction", "required"),
        (guardianship(jurisdiction="Kenya"), "/jurisdiction", "wrong-form"),
        (guardianship(territory=["Kenya"]), "/territory/0", "wrong-form"),
        (guardianship(revokers=["https://protection.example"]), "/revokers/0", "wrong-form"),
        (guardianship(appeal_uri="javascript:alert(1)"), "/appealURI", "wrong-form"),
        (guardianship(appeal_uri="http://court.example"), "/appealURI", "wrong-form"),
        (guardianship(arrangement_id="KE/2026/17"), "/arrangementId", "wrong-form"),
        (
            guardianship(dependent=Dependent(child_ref="2021/00001", birth_issuer="did:web:civil.example")),
            "/dependent/childRef",
            "wrong-form",
        ),
        (
            guardianship(dependent=Dependent(child_ref="C" * 21 + "A", birth_issuer=None)),
            "/dependent/birthIssuer",
            "required",
        ),
        (guardianship(valid_from=datetime(2026, 3, 1)), "/validFrom", "no-time-zone"),
        (guardianship(valid_from=FIRST_DAY), "/validFrom", "out-of-range"),
        (guardianship(valid_until=LAST_DAY), "/validUntil", "out-of-range"),
        (guardianship(valid_until=NOON), "/validUntil", "reversed-period"),
        (guardianship(valid_until=NOON - timedelta(days=1)), "/validUntil", "reversed-period"),
        (guardianship(valid_until=None, ends_at_majority=None), "/validUntil", "no-end"),
        (guardianship(basis=Basis.PARENTAGE, ends_at_majority=None), "/endsAtMajority", "required"),
        (guardianship(ends_at_majority=Majority(age=0, jurisdiction="KE")), "/endsAtMajority/age", "out-of-range"),
        (guardianship(ends_at_majority=Majority(age=99, jurisdiction="KE")), "/endsAtMajority/age", "out-of-range"),
        (guardianship(ends_at_majority=Majority(age=True, jurisdiction="KE")), "/endsAtMajority/age", "wrong-type"),
        (guardianship(permitted_acts=[], prohibited_acts=[]), "/permittedActs", "required"),
        (guardianship(permitted_acts=["fly"]), "/permittedActs/0", "wrong-type"),
        (guardianship(permitted_acts=[Act.DELEGATE] * 2), "/permittedActs", "repeated"),
        (guardianship(permitted_acts="delegate"), "/permittedActs", "wrong-type"),
        (
            guardianship(quorums=[Quorum(act=Act.SCHOOL_ENROL, required=3, of=2)]),
            "/quorums/0",
            "unreachable-quorum",
        ),
        (
            guardianship(quorums=[Quorum(act=Act.SCHOOL_ENROL, required=0, of=2)]),
            "/quorums/0/required",
            "out-of-range",
        ),
        (
            guardianship(guardians=[MOTHER, FATHER], quorums=[Quorum(act=Act.SCHOOL_ENROL, required=1, of=1)]),
            "/quorums/0/of",
            "too-few",
        ),
        (
            guardianship(quorums=[Quorum(act=Act.RELOCATE, required=2, of=2)]),
            "/quorums/0/act",
            "act-not-permitted",
        ),
        (
            guardianship(quorums=[Quorum(act=Act.SCHOOL_ENROL, required=n, of=2) for n in (1, 2)]),
            "/quorums/1/act",
            "repeated",
        ),
        (guardianship(permitted_acts=[Act.SCHOOL_ENROL]), "/permittedActs", "delegate-required"),
        (
            guardianship(sub_delegation=SubDelegation(acts=[Act.INTERNATIONAL_TRAVEL])),
            "/subDelegation/acts/0",
            "act-not-permitted",
        ),
        (guardianship(sub_delegation=SubDelegation(acts=[])), "/subDelegation/acts", "required"),
        (
            guardianship(sub_delegation=SubDelegation(acts=[Act.SCHOOL_ENROL], max_days=0)),
            "/subDelegation/maxDays",
            "out-of-range",
        ),
        (interim(guardians=[MOTHER]), "/guardians/0/type", "not-an-organization"),
        (interim(valid_until=NOON + timedelta(days=90, seconds=1)), "/validUntil", "too-long"),
        (interim(valid_until=None), "/validUntil", "required"),
        (interim(permitted_acts=[*guardianship().permitted_acts, Act.INTERNATIONAL_TRAVEL]), "/permittedActs", "act-not-allowed"),
        (
            interim(permitted_acts=[Act.INTERNATIONAL_TRAVEL], prohibited_acts=[Act.INTERNATIONAL_TRAVEL]),
            "/permittedActs",
            "act-not-allowed",
        ),
    ],
)  # fmt: skip
def test_a_fault_is_named_where_it_is(record: Guardianship, path: str, code: str) -> None:
    """Each rule refuses, under the pointer of the field at fault, and no subject is written."""
    assert (path, code) in codes(record)
    with pytest.raises(InvalidRecord):
        record.to_subject()


def test_guardians_by_paper_are_told_apart() -> None:
    """Two guardians by paper are two where the salt or the digest is another."""
    guardians = [FATHER, *(replace(FATHER, paper_id=replace(DIGEST, **change)) for change in OTHERS)]
    guardianship(guardians=guardians, quorums=[]).validate()


def test_the_interim_cap_is_a_value() -> None:
    """A jurisdiction may cap an emergency measure elsewhere than at ninety days."""
    interim().validate()
    with pytest.raises(InvalidRecord, match="within 30 days"):
        interim().validate(interim_cap=timedelta(days=30))
    interim(valid_until=NOON + timedelta(days=120)).validate(interim_cap=timedelta(days=120))


def test_prohibition_wins_and_silence_denies() -> None:
    """An act is permitted only if it is listed, and prohibited nowhere."""
    record = guardianship(permitted_acts=[Act.SCHOOL_ENROL, Act.INTERNATIONAL_TRAVEL, Act.DELEGATE])
    record.validate()
    assert record.permits(Act.SCHOOL_ENROL)
    assert not record.permits(Act.INTERNATIONAL_TRAVEL)
    assert not record.permits(Act.RELOCATE)


def test_territory_covers_subdivisions_and_not_the_other_way() -> None:
    """A country covers its provinces, a province not its country, and no territory is no limit."""
    record = guardianship()
    assert record.covers("KE")
    assert record.covers("KE-30")
    assert record.covers("UG-102")
    assert not record.covers("UG")
    assert not record.covers("ET")
    assert guardianship(territory=[]).covers("ET")


def test_one_guardian_is_enough_where_no_quorum_is_stated() -> None:
    """The quorum of an act is the stated one, else any one guardian."""
    record = guardianship()
    assert record.quorum(Act.SCHOOL_ENROL) == Quorum(act=Act.SCHOOL_ENROL, required=1, of=2)
    assert record.quorum(Act.ROUTINE_MEDICAL) == Quorum(act=Act.ROUTINE_MEDICAL, required=1, of=1)


def test_each_recorded_parent_gets_a_credential() -> None:
    """Parentage yields one arrangement a parent, under one childRef, with joint acts needing all of them."""
    law = ParentalAuthority(
        acts=[Act.SCHOOL_ENROL, Act.INTERNATIONAL_TRAVEL],
        joint_acts=[Act.INTERNATIONAL_TRAVEL],
        majority=MAJORITY,
    )
    made = parentage(
        birth(), [MOTHER, FATHER], birth_issuer="did:web:civil.example", authority=law, valid_from=NOON
    )
    assert [record.guardians for record in made] == [(MOTHER,), (FATHER,)]
    assert len({record.arrangement_id for record in made}) == 2
    for record in made:
        record.validate()
        assert record.basis is Basis.PARENTAGE
        assert record.dependent.child_ref == birth().child_ref
        assert record.jurisdiction == "KE"
        assert record.quorum(Act.INTERNATIONAL_TRAVEL).required == 2
        assert record.quorum(Act.SCHOOL_ENROL).required == 1


def test_no_parent_on_record_yields_no_credential() -> None:
    """Unknown and withheld parents have no arrangement, and a guardian too many or too few is misuse."""
    law = ParentalAuthority(acts=[Act.SCHOOL_ENROL], majority=MAJORITY)
    alone = birth(parents=[], parentage_status=ParentageStatus.WITHHELD)
    arguments = {"birth_issuer": "did:web:civil.example", "authority": law, "valid_from": NOON}
    assert parentage(alone, [], **arguments) == ()
    with pytest.raises(ValueError, match="0 parents"):
        parentage(alone, [MOTHER], **arguments)
    with pytest.raises(ValueError, match="2 parents"):
        parentage(birth(), [MOTHER], **arguments)


def test_a_digest_matches_only_its_document() -> None:
    """A number matches however it is copied, and no other number, document or issuer does."""
    made = SaltedDigest.of("KE", "identityCard", "12 345-678", random=bytes)
    assert made.matches("ke", "identityCard", "12345678")
    assert made.matches("KE", "identityCard", "١٢٣٤٥٦٧٨")
    assert not made.matches("KE", "identityCard", "12345679")
    assert not made.matches("UG", "identityCard", "12345678")
    # Parts are told apart by their lengths.
    assert not made.matches("KEi", "dentityCard", "12345678")
    assert SaltedDigest.of("KE", "identityCard", "12345678").digest != made.digest


def test_a_malformed_salt_matches_nothing() -> None:
    """A digest that never was one is no match, and no crash."""
    assert not SaltedDigest(salt="\u00e9", digest="x").matches("KE", "identityCard", "1")
    assert not SaltedDigest(salt="A" * 22, digest="\u00e9").matches("KE", "identityCard", "1")


@pytest.mark.parametrize("number", ["", " - ", "./."])
def test_a_number_of_nothing_is_misuse(number: str) -> None:
    """A blank cell is never digested: every other blank would match it."""
    with pytest.raises(ValueError, match="letters or digits"):
        SaltedDigest.of("KE", "identityCard", number)


def test_identifiers_are_random_uuids() -> None:
    """An arrangement's id comes from the randomness handed in and is fresh otherwise."""
    assert new_arrangement_id(bytes) == "urn:uuid:00000000-0000-4000-8000-000000000000"
    assert new_arrangement_id() != new_arrangement_id()


def test_nothing_personal_shows() -> None:
    """The repr of an arrangement names neither child nor guardian nor order."""
    shown = repr(guardianship()) + repr(guardianship().guardians) + repr(guardianship().dependent)
    for secret in ("z6MkAunt", "CCCC", "z6MkChild", "BBBB", "auntOrUncle"):
        assert secret not in shown


_moments = st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1), timezones=st.just(UTC))


@given(
    start=_moments,
    days=st.integers(1, 400),
    acts=st.lists(st.sampled_from(Act), min_size=1, unique=True),
    denied=st.lists(st.sampled_from(Act), unique=True),
    basis=st.sampled_from([basis for basis in Basis if basis is not Basis.INTERIM_CASEWORKER]),
)
@settings(max_examples=60)
def test_a_record_survives_the_way_through_json(
    start: datetime, days: int, acts: list[Act], denied: list[Act], basis: Basis
) -> None:
    """What is written as a subject reads back as the same record."""
    record = guardianship(
        valid_from=start,
        valid_until=start + timedelta(days=days),
        permitted_acts=acts,
        prohibited_acts=denied,
        basis=basis,
        quorums=[],
        sub_delegation=None,
    )
    assert Guardianship.from_subject(record.to_subject()) == record


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["Person", "delegate"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(data=st.data())
@settings(max_examples=150)
def test_any_json_in_any_field_raises_only_our_error(data: st.DataObject) -> None:
    """Hostile subjects are refused in our own words, or are records."""
    subject = guardianship().to_subject()
    subject[data.draw(st.sampled_from(sorted(subject)))] = data.draw(_json)
    with contextlib.suppress(InvalidRecord):
        Guardianship.from_subject(subject)

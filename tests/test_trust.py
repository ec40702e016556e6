"""Who may say what: accreditations cover exactly what they state."""

from datetime import UTC, datetime, timedelta

import pytest

from vcid.trust import ANYWHERE, DELEGATION_TYPE, Accreditation, Claim, NotAccredited, accredit

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
BIRTH = "BirthRegistrationCredential"


def granted(**changes):
    fields = {
        "issuer": "did:web:civil.example",
        "credential_types": frozenset({BIRTH}),
        "jurisdictions": frozenset({"KE"}),
        **changes,
    }
    return Accreditation(**fields)


def claim(**changes):
    fields = {
        "issuer": "did:web:civil.example",
        "types": frozenset({BIRTH}),
        "jurisdictions": frozenset({"KE"}),
        "moments": (NOON,),
        **changes,
    }
    return Claim(**fields)


@pytest.mark.parametrize("jurisdiction", ["KE", "KE-30"])
def test_a_country_covers_itself_and_its_subdivisions(jurisdiction):
    """An accreditation for KE holds in KE and in KE-30."""
    assert accredit(claim(jurisdictions=frozenset({jurisdiction})), [granted()]) == (granted(),)


@pytest.mark.parametrize("jurisdiction", ["UG", "KEN", "K", None, "ke", "*"])
def test_another_jurisdiction_is_refused(jurisdiction):
    """Nothing but the country and its parts is covered; a credential that names none is not either."""
    with pytest.raises(NotAccredited) as caught:
        accredit(claim(jurisdictions=frozenset({jurisdiction})), [granted()])
    assert caught.value.code == "jurisdiction-not-accredited"


def test_a_subdivision_does_not_cover_its_country():
    """An accreditation for KE-30 says nothing about the rest of KE."""
    with pytest.raises(NotAccredited):
        accredit(claim(), [granted(jurisdictions=frozenset({"KE-30"}))])


def test_anywhere_has_to_be_written_out():
    """Only '*' covers credentials without a jurisdiction."""
    everywhere = granted(jurisdictions=frozenset({ANYWHERE}))
    assert accredit(claim(jurisdictions=frozenset({None})), [everywhere]) == (everywhere,)


def test_nobody_is_accredited_by_default():
    """An empty list believes nobody."""
    with pytest.raises(NotAccredited) as caught:
        accredit(claim(), [])
    assert caught.value.code == "issuer-not-accredited"


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"issuer": "did:web:civil.example.attacker.example"}, "issuer-not-accredited"),
        ({"types": frozenset({"GuardianshipCredential"})}, "type-not-accredited"),
        ({"types": frozenset({BIRTH, "GuardianshipCredential"})}, "type-not-accredited"),
        ({"jurisdictions": frozenset({"KE", "UG"})}, "jurisdiction-not-accredited"),
        ({"moments": (NOON, datetime(2031, 1, 1, tzinfo=UTC))}, "outside-accreditation"),
        ({"moments": (datetime(2019, 1, 1, tzinfo=UTC),)}, "outside-accreditation"),
        ({"moments": (datetime(2030, 1, 1, tzinfo=UTC),)}, "outside-accreditation"),
    ],
)
def test_each_bound_refuses_with_its_own_code(changes, code):
    """Issuer, every type, every jurisdiction and every moment have to be covered; the end is exclusive."""
    office = granted(
        valid_from=datetime(2020, 1, 1, tzinfo=UTC), valid_until=datetime(2030, 1, 1, tzinfo=UTC)
    )
    with pytest.raises(NotAccredited) as caught:
        accredit(claim(**changes), [office])
    assert caught.value.code == code


def test_two_accreditations_do_not_add_up():
    """A credential of two types is not covered by two accreditations of one type each."""
    halves = [granted(), granted(credential_types=frozenset({"GuardianshipCredential"}))]
    with pytest.raises(NotAccredited):
        accredit(claim(types=frozenset({BIRTH, "GuardianshipCredential"})), halves)


def test_the_nearest_refusal_is_reported():
    """Of several accreditations of the issuer, the reason is that of the one that came closest."""
    halves = [granted(credential_types=frozenset({"Other"})), granted(jurisdictions=frozenset({"UG"}))]
    with pytest.raises(NotAccredited) as caught:
        accredit(claim(), halves)
    assert caught.value.code == "jurisdiction-not-accredited"


@pytest.mark.parametrize(
    "changes",
    [
        {"issuer": "https://civil.example"},
        {"credential_types": frozenset()},
        {"jurisdictions": frozenset()},
        {"jurisdictions": frozenset({"Kenya"})},
        {"valid_from": datetime(2026, 1, 1)},
        {"document_digest": b"short"},
    ],
)
def test_an_accreditation_that_says_nothing_sound_is_misuse(changes):
    """Empty or malformed fields are the caller's error, at construction."""
    with pytest.raises(ValueError):
        granted(**changes)


@pytest.mark.parametrize(
    ("subject", "types", "found"),
    [
        ({"registration": {"jurisdiction": "KE"}}, ["VerifiableCredential", BIRTH], {"KE"}),
        ({"jurisdiction": "KE"}, ["VerifiableCredential", BIRTH], {None}),
        ({"jurisdiction": "KE"}, ["VerifiableCredential", "GuardianshipCredential"], {"KE"}),
        ([{"jurisdiction": "KE"}, {}], ["VerifiableCredential", "GuardianshipCredential"], {"KE", None}),
        ({"registration": "KE"}, ["VerifiableCredential", BIRTH], {None}),
        ({"jurisdiction": ["KE"]}, "VerifiableCredential", {None}),
    ],
)
def test_a_claim_reads_the_jurisdiction_where_its_type_has_it(subject, types, found):
    """Each credential type names its jurisdiction in one place; elsewhere or in another form it counts as none."""
    document = {"type": types, "credentialSubject": subject}
    read = Claim.of(document, issuer="did:web:civil.example", moments=[NOON])
    assert read.jurisdictions == found
    assert read.types == {"VerifiableCredential"} or "VerifiableCredential" not in read.types


# Delegations hand on no more than their issuer has


def handing_on(**changes):
    fields = {
        "types": frozenset({BIRTH, DELEGATION_TYPE}),
        "period": (NOON, NOON + timedelta(days=1)),
        "links": 1,
        **changes,
    }
    return claim(**fields)


def may_appoint(**changes):
    types = frozenset({BIRTH, DELEGATION_TYPE})
    bounds = {"valid_from": NOON, "valid_until": NOON + timedelta(days=2)}
    return granted(**{"credential_types": types, **bounds, **changes})


def test_a_delegation_claims_all_that_it_hands_on():
    """Its own type and those named, every jurisdiction, the whole period, and the links that may follow."""
    document = {
        "type": ["VerifiableCredential", DELEGATION_TYPE],
        "validFrom": "2026-03-01T12:00:00Z",
        "credentialSubject": {"credentialTypes": [BIRTH], "jurisdictions": ["KE", "UG"], "mayDelegate": 2},
    }
    read = Claim.of(document, issuer="did:web:civil.example", moments=[NOON])
    assert read.types == {DELEGATION_TYPE, BIRTH}
    assert read.jurisdictions == {"KE", "UG"}
    assert (read.period, read.links) == ((NOON, None), 3)


@pytest.mark.parametrize(
    "subject", [{}, {"jurisdictions": []}, {"jurisdictions": "KE"}, {"jurisdictions": [7]}]
)
def test_a_delegation_without_jurisdictions_claims_more_than_any_country(subject):
    """Only an accreditation for anywhere covers it; a text where a list belongs names one jurisdiction."""
    document = {"type": DELEGATION_TYPE, "credentialSubject": subject}
    read = Claim.of(document, issuer="did:web:civil.example", moments=[NOON])
    assert read.jurisdictions == ({"KE"} if subject.get("jurisdictions") == "KE" else {None})


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"types": frozenset({"GuardianshipCredential", DELEGATION_TYPE})}, "type-not-accredited"),
        ({"period": (NOON, None)}, "outlives-accreditation"),
        ({"period": (None, NOON + timedelta(days=1))}, "outlives-accreditation"),
        ({"period": (NOON, NOON + timedelta(days=3))}, "outlives-accreditation"),
        ({"period": (NOON - timedelta(days=1), NOON)}, "outlives-accreditation"),
        ({"links": 3}, "depth-not-accredited"),
    ],
)
def test_each_bound_of_a_delegation_refuses_with_its_own_code(changes, code):
    """Types, period and depth; what fits exactly is covered."""
    parent = may_appoint(may_delegate=2)
    assert accredit(handing_on(links=2, period=(NOON, NOON + timedelta(days=2))), [parent])
    with pytest.raises(NotAccredited) as caught:
        accredit(handing_on(**changes), [parent])
    assert caught.value.code == code


def test_an_office_without_bounds_may_hand_on_any_period():
    """And one accredited for births alone may appoint nobody at all."""
    unbounded = may_appoint(valid_from=None, valid_until=None)
    assert accredit(handing_on(period=(None, None)), [unbounded])
    with pytest.raises(NotAccredited) as caught:
        accredit(handing_on(), [granted()])
    assert caught.value.code == "type-not-accredited"


@pytest.mark.parametrize("depth", [-1, 5, 1.5])
def test_the_depth_of_delegation_is_bounded(depth):
    """Four links at most."""
    with pytest.raises(ValueError, match="may_delegate"):
        granted(may_delegate=depth)

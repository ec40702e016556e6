"""A policy as JSON: read strictly, all faults at once, and written back the same."""

import contextlib
import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.schema import find_faults
from vcid.encoding.json import canonicalize
from vcid.errors import InvalidRecord, VcidError
from vcid.keys.signing import LocalSigner
from vcid.ledger.anchor import LogPolicy
from vcid.policy import Policy
from vcid.report import Check, CheckName, Report
from vcid.securing.cryptosuites import SUITES
from vcid.trust import Accreditation

moments = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)).map(
    lambda it: it.replace(microsecond=0)
)
names = st.text("abcdefghijklmnop", min_size=1, max_size=12)
KEYS = [LocalSigner.generate().public_key for _ in range(4)]


@st.composite
def accreditations(draw):
    return Accreditation(
        issuer=f"did:web:{draw(names)}.example",
        credential_types=draw(st.frozensets(names, min_size=1, max_size=3)),
        jurisdictions=draw(st.frozensets(st.sampled_from(["KE", "UG-C", "*"]), min_size=1)),
        owner=draw(st.none() | st.sampled_from(KEYS)),
        log=draw(st.none() | names),
        valid_from=draw(moments),
        valid_until=draw(moments),
        document_digest=draw(st.binary(min_size=32, max_size=32)),
        status_issuers=draw(st.frozensets(names.map(lambda it: f"did:web:{it}.example"), max_size=2)),
        may_delegate=draw(st.integers(0, 4)),
    )


@st.composite
def policies(draw):
    log = LogPolicy(
        origin="log.example",
        log_key=KEYS[0],
        witnesses=(("a.example", KEYS[1]), ("b.example", KEYS[2])),
        quorum=2,
    )
    suites = draw(st.frozensets(st.sampled_from(sorted(SUITES))))
    return Policy(
        accreditations=tuple(draw(st.lists(accreditations(), max_size=3))),
        logs=(log,) if draw(st.booleans()) else (),
        suites=suites,
        required_suites=frozenset(draw(st.lists(st.sampled_from(sorted(suites)))) if suites else ()),
        time_honest=draw(st.booleans()),
        unsafe_any_json_ld=draw(st.booleans()),
        unsafe_any_issuer=draw(st.booleans()),
        max_evidence_age=timedelta(seconds=draw(st.integers(1, 10**7))),
        clock_skew=timedelta(seconds=draw(st.integers(0, 3600))),
        tolerated=draw(st.frozensets(st.sampled_from(["anchor", "status:no-status", "schema"]))),
    )


@settings(max_examples=60, deadline=None)
@given(policies())
def test_what_is_written_reads_back_the_same(policy):
    """to_json and parse are inverse, and what is written conforms to the schema that is shipped."""
    written = policy.to_json()
    assert Policy.parse(canonicalize(written)) == policy
    assert find_faults(written, "policy-v1.json") == ()


def test_an_empty_policy_is_legal_and_grants_nothing():
    """Nobody is accredited and no log counts."""
    assert Policy.parse(b"{}") == Policy()
    assert Policy().accreditations == Policy().logs == ()


def test_all_faults_are_found_at_once_and_no_value_is_shown():
    """Two accreditations and a log at fault: each is named, with its place."""
    value = {
        "accreditations": [{"issuer": "civil.example"}, {"issuer": "did:web:x", "secret": "Amina"}],
        "logs": [{"origin": "x"}],
        "extra": True,
    }
    with pytest.raises(InvalidRecord) as caught:
        Policy.parse(json.dumps(value))
    paths = {error.path for error in caught.value.errors}
    assert {
        "/accreditations/0/issuer",
        "/accreditations/0/jurisdictions",
        "/logs/0/quorum",
        "/extra",
    } <= paths
    assert "Amina" not in str(caught.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"suites": ["rsa"]},
        {"requiredSuites": ["eddsa-rdfc-2022"]},
        {"suites": [], "requiredSuites": ["eddsa-jcs-2022"]},
        {"requiredSuites": "eddsa-jcs-2022"},
        {"unsafeAnyJsonLd": "true"},
        {"unsafeAnyIssuer": 1},
        {"maxEvidenceAgeSeconds": 0},
        {"maxEvidenceAgeSeconds": 1.5},
        {"clockSkewSeconds": -1},
        {"tolerated": ["proof"]},
        {"tolerated": ["nonsense"]},
        {"logs": [{"origin": "x", "log": "x", "witnesses": ["y"], "quorum": 1}]},
        {"logs": "x"},
        {
            "accreditations": [
                {"issuer": "did:web:x", "credentialTypes": ["A"], "jurisdictions": ["KE"], "owner": "z1"}
            ]
        },
    ],
)
def test_a_policy_that_is_not_sound_is_refused(changes):
    """Unknown suites, impossible ages, indispensable checks tolerated, broken keys: InvalidRecord."""
    with pytest.raises(InvalidRecord):
        Policy.parse(json.dumps(changes))


@settings(max_examples=100, deadline=None)
@given(
    st.binary(max_size=80)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(["accreditations", "logs", "suites", "issuer", "tolerated", "x"]), inner
            )
        ),
        max_leaves=8,
    ).map(lambda value: json.dumps(value).encode())
)
def test_arbitrary_bytes_raise_only_our_errors(content):
    """Whatever the file holds, the caller catches one root."""
    with contextlib.suppress(VcidError):
        Policy.parse(content)


@pytest.mark.parametrize(
    "changes",
    [
        {"max_evidence_age": timedelta(0)},
        {"clock_skew": timedelta(seconds=-1)},
        {"clock_skew": timedelta.max},
        {"suites": frozenset({"made-up"})},
        {"tolerated": frozenset({"proof"})},
    ],
)
def test_construction_is_checked_too(changes):
    """A policy built in code meets the same rules."""
    with pytest.raises(ValueError):
        Policy(**changes)


@pytest.mark.parametrize("name", ["anchor", "anchor:no-receipt", "anchor:no-log", "anchor:nothing-known"])
def test_an_anchor_is_tolerated_only_where_documents_are_pinned(name):
    """Else anybody could hand in a DID document of their own making, and nothing would notice."""
    granted = Accreditation(
        issuer="did:web:civil.example",
        credential_types=frozenset({"BirthRegistrationCredential"}),
        jurisdictions=frozenset({"KE"}),
    )
    with pytest.raises(ValueError, match="document_digest"):
        Policy(accreditations=(granted,), tolerated=frozenset({name}))
    assert Policy(accreditations=(granted,), tolerated=frozenset({"anchor:stale", "anchor:no-view-store"}))
    itself = [replace(granted, issuer=did) for did in ("did:key:z6MkExample", "did:jwk:e30")]
    pinned = replace(granted, document_digest=bytes(32))
    assert Policy(accreditations=(*itself, pinned), tolerated=frozenset({name}))


@pytest.mark.parametrize("code", ["superseded", "rollback", "fork", "not-anchored", "invalid"])
def test_contradictions_are_never_tolerated(code):
    """Not by name, and not by tolerating the anchor as a whole."""
    with pytest.raises(ValueError, match="tolerated"):
        Policy(tolerated=frozenset({f"anchor:{code}"}))
    checks = [Check.passed(name) for name in CheckName] + [Check.unknown(CheckName.ANCHOR, code, "")]
    now = datetime(2026, 3, 1, tzinfo=UTC)
    assert not Report(checks=tuple(checks), at=now, now=now, tolerated=frozenset({"anchor"}))


def test_a_log_stands_in_a_policy_once():
    """Two rules for one log would contradict each other."""
    log = LogPolicy(origin="log.example", log_key=KEYS[0], witnesses=(("a.example", KEYS[1]),), quorum=1)
    with pytest.raises(ValueError):
        Policy(logs=(log, log))


def test_required_suites_are_a_set_of_those_accepted():
    """What is required has to be accepted too, and one string is no set of suites."""
    with pytest.raises(ValueError, match="required_suites"):
        Policy(required_suites=frozenset({"mldsa44-jcs-2024"}))
    with pytest.raises(TypeError, match="required_suites"):
        Policy(required_suites="eddsa-jcs-2022")


def test_no_default_accepts_an_experimental_legacy_or_unsafe_thing():
    """An untouched policy knows one suite, requires none beside it, and has nothing unsafe on or written."""
    policy = Policy()
    assert policy.suites == {"eddsa-jcs-2022"}
    assert not policy.required_suites
    assert not policy.unsafe_any_json_ld
    assert not policy.unsafe_any_issuer
    assert not [name for name in policy.to_json() if name.startswith(("unsafe", "required"))]

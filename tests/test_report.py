"""A report is true only when every check that it can't do without passed."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcid.report import INDISPENSABLE, Check, CheckName, Conclusion, Outcome, Report

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ALL = tuple(Check.passed(name) for name in CheckName)


def report(*checks, tolerated=()):
    return Report(checks=checks, at=NOON, now=NOON, tolerated=frozenset(tolerated))


def test_all_passed_is_verified():
    """Nothing stands against the credential."""
    assert report(*ALL)
    assert report(*ALL).reasons == ()


def test_no_checks_at_all_is_not_verified():
    """An empty report proves nothing."""
    assert not report()
    assert report().conclusion is Conclusion.UNDECIDED


@pytest.mark.parametrize("name", sorted(INDISPENSABLE))
@pytest.mark.parametrize(
    "make", [lambda name: Check.skipped(name, ""), lambda name: Check.unknown(name, "x", "")]
)
def test_an_indispensable_check_is_neither_skipped_nor_tolerated(name, make):
    """Parse, model, key, proof, issuer and period have to pass, whatever the policy tolerates."""
    others = [check for check in ALL if check.name != name]
    assert report(*others, make(name), tolerated=[name.value]).conclusion is Conclusion.UNDECIDED
    assert report(*others, tolerated=[name.value]).conclusion is Conclusion.UNDECIDED


@pytest.mark.parametrize("tolerated", [(), ("anchor:other",), ("status",), ("anchor:",)])
def test_unknown_is_not_passed(tolerated):
    """An undecided check leaves the report undecided, unless it is tolerated by its own name."""
    assert report(*ALL, Check.unknown(CheckName.ANCHOR, "stale", ""), tolerated=tolerated).conclusion is (
        Conclusion.UNDECIDED
    )


@pytest.mark.parametrize("tolerated", ["anchor", "anchor:stale"])
def test_what_is_tolerated_by_name_may_stay_unknown(tolerated):
    """A check's name, or one reason of it."""
    assert report(*ALL, Check.unknown(CheckName.ANCHOR, "stale", ""), tolerated=[tolerated])


def test_a_failure_is_never_tolerated():
    """Tolerance is for doubt, not for what is wrong."""
    failed = Check.failed(CheckName.ANCHOR, "superseded", "")
    assert report(*ALL, failed, tolerated=["anchor", "anchor:superseded"]).conclusion is Conclusion.REJECTED


def test_of_several_checks_of_a_name_the_gravest_answers():
    """Two status entries, one of them revoked."""
    revoked = Check.failed(CheckName.STATUS, "revoked", "")
    assert report(Check.passed(CheckName.STATUS), revoked)["status"] == revoked
    with pytest.raises(KeyError):
        report()["status"]


@given(st.lists(st.builds(Check, st.sampled_from(CheckName), st.sampled_from(Outcome), st.just("code"))))
def test_a_failed_check_always_rejects_and_verified_needs_every_indispensable_pass(checks):
    """Whatever the checks, the conclusion is never better than the worst of them."""
    conclusion = report(*checks).conclusion
    outcomes = {check.outcome for check in checks}
    if Outcome.FAILED in outcomes:
        assert conclusion is Conclusion.REJECTED
    if conclusion is Conclusion.VERIFIED:
        assert Outcome.UNKNOWN not in outcomes
        assert {check.name for check in checks if check.outcome is Outcome.PASSED} >= INDISPENSABLE


def test_the_json_shape_is_fixed():
    """Callers store reports: names and values don't change."""
    written = report(*ALL, Check.unknown(CheckName.ANCHOR, "stale", "too old")).to_json()
    assert written["conclusion"] == "undecided"
    assert written["checks"][-1] == {
        "name": "anchor",
        "outcome": "unknown",
        "code": "stale",
        "detail": "too old",
    }
    assert set(written) == {"conclusion", "at", "now", "freshAsOf", "checks"}


def test_neither_text_nor_repr_shows_the_document():
    """A report may be logged; the document in it may not."""
    full = Report(checks=ALL, at=NOON, now=NOON, document={"name": "Amina Example"})
    assert "Amina" not in repr(full) + str(full) + str(full.to_json())

"""Problem details: each type's URL as its specification writes it, and no code that nobody gave a type."""

from __future__ import annotations

import ast
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest

from vcid import errors
from vcid.errors import (
    Coded,
    Conflict,
    FieldError,
    InvalidProof,
    InvalidRecord,
    LimitExceeded,
    Locked,
    Malformed,
    Rejected,
    ResolutionFailed,
    Unavailable,
    VcidError,
)
from vcid.problem_details import (
    _TITLES,
    MAX_PROBLEMS,
    ProblemType,
    problem_of_fault,
    problems_of_checks,
    problems_of_error,
    problems_of_report,
    type_of_check,
    type_of_code,
)
from vcid.report import Check, CheckName, PresentationReport, Report

SOURCE = Path(__file__).resolve().parents[1] / "src" / "vcid"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CODED = {"Malformed", "LimitExceeded", "InvalidProof", "ResolutionFailed", "Conflict"}


@cache
def calls() -> list[ast.Call]:
    """Every call in the source."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in SOURCE.rglob("*.py")]
    return [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]


def raised_codes() -> list[tuple[str, str]]:
    """The class and code of every coded error that the source makes with a literal code."""
    found = set()
    for node in calls():
        if isinstance(node.func, ast.Name) and node.func.id in CODED and node.args:
            first = node.args[0]
            if isinstance(first, ast.Constant) and isinstance(first.value, str):
                found.add((node.func.id, first.value))
    return sorted(found)


def checked_codes() -> list[tuple[str, str]]:
    """The name and code of every check that the source makes with literals."""
    found = set()
    for node in calls():
        if len(node.args) != 3:
            continue
        name, code, _ = node.args
        if (
            isinstance(name, ast.Attribute)
            and isinstance(name.value, ast.Name)
            and name.value.id == "CheckName"
            and isinstance(code, ast.Constant)
        ):
            found.add((name.attr, code.value))
    return sorted(found)


@pytest.mark.parametrize(("kind", "code"), raised_codes())
def test_every_code_that_can_be_raised_has_a_type(kind, code):
    """Whatever the source can raise means something to other software."""
    assert type_of_code(getattr(errors, kind), code) is not ProblemType.UNEXPECTED


def test_every_check_has_a_type():
    """Each check by its name, and each reason that the source gives."""
    assert len(checked_codes()) > 5
    for name, code in [*checked_codes(), *((name.name, "anything") for name in CheckName)]:
        assert type_of_check(CheckName[name], code) is not ProblemType.UNEXPECTED


def test_every_error_class_has_a_type():
    """A class that is added without a type is noticed here."""
    classes = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, VcidError)
    ]
    for kind in classes:
        if issubclass(kind, Coded) and kind not in (Coded, ResolutionFailed):
            assert type_of_code(kind, "anything") is not ProblemType.UNEXPECTED, kind
    assert set(_TITLES) == set(ProblemType)


def test_the_urls_are_the_specifications():
    """The prefix that each specification states, and its name for the problem."""
    assert ProblemType.MALFORMED_VALUE == "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"
    assert ProblemType.PROOF_VERIFICATION == "https://w3id.org/security#PROOF_VERIFICATION_ERROR"
    assert ProblemType.INVALID_METHOD_URL == "https://w3id.org/security#INVALID_VERIFICATION_METHOD_URL"
    assert ProblemType.STATUS_RETRIEVAL == (
        "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR"
    )
    assert ProblemType.NOT_FOUND == "https://www.w3.org/ns/did#NOT_FOUND"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (Malformed("not-json", "JSON"), ProblemType.PARSING),
        (LimitExceeded("too-deep", "fewer levels"), ProblemType.PARSING),
        (LimitExceeded("too-many-pointers", "fewer"), ProblemType.RANGE),
        (Malformed("not-a-url", "a URL", where="/id"), ProblemType.MALFORMED_VALUE),
        (Malformed("range-error", "an index"), ProblemType.RANGE),
        (Malformed("status-list-length-error", "more entries"), ProblemType.STATUS_LIST_LENGTH),
        (Malformed("relative-iri", "an absolute IRI"), ProblemType.PROOF_TRANSFORMATION),
        (InvalidProof("bad-signature", "a good one"), ProblemType.CRYPTOGRAPHIC_SECURITY),
        (InvalidProof("proof-expired", "a later end"), ProblemType.PROOF_VERIFICATION),
        (InvalidProof("wrong-domain", "the domain"), ProblemType.INVALID_DOMAIN),
        (InvalidProof("wrong-challenge", "the challenge"), ProblemType.INVALID_CHALLENGE),
        (InvalidProof("wrong-purpose", "a method for it"), ProblemType.INVALID_RELATIONSHIP),
        (ResolutionFailed("notFound", "nothing"), ProblemType.NOT_FOUND),
        (ResolutionFailed("methodNotSupported", "did:key"), ProblemType.METHOD_NOT_SUPPORTED),
        (ResolutionFailed("neverHeardOf", "x"), ProblemType.UNEXPECTED),
        (Conflict("bad-signature", "a leaf"), ProblemType.CONFLICT),
        (Unavailable("https://host.internal is down"), ProblemType.UNAVAILABLE),
        (Locked("/home/registrar/key"), ProblemType.UNAVAILABLE),
        (VcidError("anything"), ProblemType.UNEXPECTED),
    ],
    ids=str,
)
def test_an_error_is_one_problem(error, expected):
    """Its type, its code, and its place where it is one in a document."""
    (problem,) = problems_of_error(error)
    assert problem.type is expected
    written = problem.to_json(status=400)
    assert (written["type"], written["status"]) == (expected.value, 400)
    assert written["title"]
    assert written["detail"]
    assert written.get("code", "") == getattr(error, "code", "")
    if isinstance(error, Malformed):
        assert written.get("pointer", "") == error.where
    if not isinstance(error, Coded):
        assert str(error) not in str(written)


def test_while_issuing_it_is_the_making_of_a_proof_that_failed():
    """The same code, met while something is being secured."""
    error = InvalidProof("proof-type-unsupported", "another")
    assert problems_of_error(error, issuing=True)[0].type is ProblemType.PROOF_GENERATION
    assert problems_of_error(error)[0].type is ProblemType.PROOF_VERIFICATION


def test_each_fault_of_a_record_is_a_problem():
    """With its pointer, without its value, and not more than anybody reads."""
    fault = FieldError("/issuer", "not-a-url", "one absolute URL", "Amina Secret")
    (problem,) = problems_of_error(InvalidRecord([fault]))
    assert problem == problem_of_fault(fault)
    assert (problem.type, problem.pointer) == (ProblemType.MALFORMED_VALUE, "/issuer")
    assert "Secret" not in f"{problem}{problem.to_json()}"
    assert len(problems_of_error(InvalidRecord([fault] * 500))) == MAX_PROBLEMS


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (Check.failed(CheckName.PARSE, "not-utf-8", "x"), ProblemType.PARSING),
        (Check.failed(CheckName.MODEL, "not-a-url", "x"), ProblemType.MALFORMED_VALUE),
        (Check.failed(CheckName.ISSUER, "issuer-not-accredited", "x"), ProblemType.ISSUER),
        (Check.failed(CheckName.PERIOD, "expired", "x"), ProblemType.VALIDITY_PERIOD),
        (Check.unknown(CheckName.SCHEMA, "schema-not-known", "x"), ProblemType.SCHEMA),
        (Check.failed(CheckName.STATUS, "revoked", "x"), ProblemType.STATUS_SET),
        (Check.failed(CheckName.STATUS, "status-index", "x"), ProblemType.RANGE),
        (Check.unknown(CheckName.STATUS, "status-list-missing", "x"), ProblemType.STATUS_RETRIEVAL),
        (Check.unknown(CheckName.STATUS, "status-list-unverified", "x"), ProblemType.STATUS_VERIFICATION),
        (Check.unknown(CheckName.ANCHOR, "fork", "x"), ProblemType.ANCHOR),
        (Check.failed(CheckName.HOLDER, "wrong-domain", "x"), ProblemType.INVALID_DOMAIN),
    ],
    ids=str,
)
def test_a_check_that_has_nothing_to_do_with_security_is_one_problem(check, expected):
    """The question asked decides what kind of problem a reason is."""
    (problem,) = problems_of_checks([check])
    assert (problem.type, problem.code, problem.detail) == (expected, check.code, check.detail)


@pytest.mark.parametrize(
    ("check", "expected"),
    [
        (Check.failed(CheckName.PROOF, "wrong-purpose", "x"), ProblemType.PROOF_VERIFICATION),
        (Check.failed(CheckName.KEY, "wrong-purpose", "x"), ProblemType.INVALID_RELATIONSHIP),
        (Check.failed(CheckName.KEY, "key-revoked", "x"), ProblemType.INVALID_METHOD),
        (Check.unknown(CheckName.KEY, "notFound", "x"), ProblemType.NOT_FOUND),
        (Check.failed(CheckName.PROOF, "poison-graph", "x"), ProblemType.PROOF_TRANSFORMATION),
        (Check.failed(CheckName.PROOF, "not-heard-of", "x"), ProblemType.PROOF_VERIFICATION),
    ],
    ids=str,
)
def test_a_proof_that_does_not_hold_is_a_security_problem_too(check, expected):
    """Why it does not, and the type that the data model's algorithm demands for every such case."""
    assert [problem.type for problem in problems_of_checks([check])] == [
        expected,
        ProblemType.CRYPTOGRAPHIC_SECURITY,
    ]
    bad = Check.failed(CheckName.PROOF, "bad-signature", "x")
    assert [problem.type for problem in problems_of_checks([bad])] == [ProblemType.CRYPTOGRAPHIC_SECURITY]


def test_a_report_is_what_stands_against_it():
    """What passed, was skipped or is tolerated is no problem; a presentation's credentials speak as well."""
    passed = tuple(Check.passed(name) for name in CheckName)
    assert problems_of_report(Report(checks=passed, at=NOW, now=NOW)) == ()
    doubt = Check.unknown(CheckName.ANCHOR, "no-log", "x")
    tolerated = Report(checks=(*passed, doubt), at=NOW, now=NOW, tolerated=frozenset({"anchor"}))
    assert problems_of_report(tolerated) == ()
    rejected = Report(checks=(*passed, Check.failed(CheckName.PERIOD, "expired", "x")), at=NOW, now=NOW)
    expected = problems_of_report(rejected)
    assert [problem.type for problem in expected] == [ProblemType.VALIDITY_PERIOD]
    assert problems_of_error(Rejected(rejected)) == expected
    both = PresentationReport(checks=passed, credentials=(rejected, rejected), at=NOW, now=NOW)
    assert problems_of_report(both) == expected

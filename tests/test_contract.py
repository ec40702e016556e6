"""The shapes that callers store, log and build upon: a change here is a change of the public contract."""

import dataclasses

import vcid


def fields(kind):
    return [
        (
            field.name,
            field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING,
        )
        for field in dataclasses.fields(kind)
        if field.init
    ]


def test_policy():
    """Names, order, and that every demand has a default, the empty one."""
    assert fields(vcid.Policy) == [
        ("accreditations", True),
        ("logs", True),
        ("suites", True),
        ("max_evidence_age", True),
        ("clock_skew", True),
        ("tolerated", True),
        ("required_suites", True),
        ("time_honest", True),
        ("unsafe_any_json_ld", True),
        ("unsafe_any_issuer", True),
    ]


def test_accreditation():
    """Issuer, types and jurisdictions have to be stated."""
    assert fields(vcid.Accreditation) == [
        ("issuer", False),
        ("credential_types", False),
        ("jurisdictions", False),
        ("owner", True),
        ("log", True),
        ("valid_from", True),
        ("valid_until", True),
        ("document_digest", True),
        ("status_issuers", True),
        ("may_delegate", True),
    ]


def test_report():
    """Checks, times, and the document only where the proof covers it."""
    assert [name for name, _ in fields(vcid.Report)] == [
        "checks",
        "at",
        "now",
        "tolerated",
        "fresh_as_of",
        "document",
    ]
    assert [name for name, _ in fields(vcid.Check)] == ["name", "outcome", "code", "detail", "evidence"]


def test_the_words_of_a_report():
    """Names of checks, outcomes and conclusions are stored by callers."""
    assert list(vcid.CheckName) == [
        "parse",
        "model",
        "key",
        "proof",
        "issuer",
        "period",
        "schema",
        "status",
        "anchor",
        "holder",
    ]
    assert list(vcid.Outcome) == ["passed", "failed", "unknown", "skipped"]
    assert list(vcid.Conclusion) == ["verified", "rejected", "undecided"]


def test_credential():
    """A media type and bytes."""
    assert fields(vcid.Credential) == [("media_type", False), ("content", False)]


def test_the_root_of_all_errors_is_one():
    """Whoever catches VcidError catches everything that vcid raises on purpose."""
    names = [
        "Behind",
        "Conflict",
        "InvalidRecord",
        "Locked",
        "Malformed",
        "NotVerified",
        "StoreTooNew",
        "Unavailable",
    ]
    assert all(issubclass(getattr(vcid, name), vcid.VcidError) for name in names)
    assert issubclass(vcid.Rejected, vcid.NotVerified)
    assert issubclass(vcid.Undecided, vcid.NotVerified)
    assert not issubclass(vcid.VcidError, ValueError | TypeError | OSError)

"""The errors that vcid raises: one root, and a class only where a caller would catch it.

A message says where the fault is, what was expected and how to mend it. It never repeats a value that was
found, since that may be a child's name; where a value may be shown, the caller asks for it by name.
Misuse of the library itself raises ``ValueError`` or ``TypeError`` as everywhere in Python.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.report import PresentationReport, Report


class VcidError(Exception):
    """The root of every error that vcid raises on purpose."""


class Coded(VcidError):
    """An error whose kind has a stable code.

    Attributes:
        code: the kind, in kebab case unless a specification spells it otherwise.
        detail: the rest of the message.
    """

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(f"{code}: {detail}")
        self.code = code
        self.detail = detail


class Malformed(Coded):
    """Bytes, text or a document can't be read.

    Attributes:
        where: the place, as a JSON pointer, a line or a byte offset; empty for the whole.
        expected: what would have been right.
    """

    def __init__(self, code: str, expected: str, *, where: str = "") -> None:
        super().__init__(code, f"{f'at {where}, ' if where else ''}expected {expected}")
        self.where = where
        self.expected = expected


class LimitExceeded(Malformed):
    """Input is larger, deeper or costlier than the stated limit allows."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """One fault of a record.

    Attributes:
        path: the field, as a JSON pointer or a column's name.
        code: what kind of fault, in kebab case.
        expected: what would have been right, in words.
        found: the value met. It may be a person's: it is left out of ``str`` and ``repr``.
        line: the line of a table that the record stands on, counted from 1 with the header.
    """

    path: str
    code: str
    expected: str
    found: object = field(default=None, repr=False, compare=False)
    line: int | None = None

    def __str__(self) -> str:
        at = f"line {self.line}, " if self.line is not None else ""
        return f"{at}{self.path or '/'}: {self.code}: expected {self.expected}"


class InvalidRecord(VcidError):
    """A record or a document has faults; ``errors`` holds all of them."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(str(error) for error in self.errors))


class InvalidProof(Coded):
    """A proof does not hold; the code names the step (``bad-signature``, ``suite-not-allowed``)."""


class ResolutionFailed(Coded):
    """A DID or DID URL could not be resolved.

    The code is the error type of DID Resolution: ``invalidDid``, ``invalidDidUrl``, ``notFound``,
    ``methodNotSupported``, ``invalidDidDocument``, ``unsupportedPublicKeyType``.
    """


class Locked(VcidError):
    """A key file or wallet does not open with the passphrase given, or is not what it says."""


class Unavailable(VcidError):
    """Something outside could not be reached or used: a document, a database, a full disk.

    Attributes:
        code: the kind, from those who tell kinds apart (``vcid.dids.https``); otherwise ``unavailable``.
    """

    def __init__(self, message: str, *, code: str = "unavailable") -> None:
        super().__init__(message)
        self.code = code


class StoreTooNew(VcidError):
    """A store was written by a newer version of vcid than this one."""


class Conflict(Coded):
    """What was asked contradicts what is already recorded (``key-reused``, ``sequence``, ``not-found``)."""


class Behind(VcidError):
    """A registry or log knows less than what was already published from it: a restored backup.

    To go on would hand out a status index twice, or sign a fork. See ``vcid registry recover``.

    Attributes:
        evidence: where the log's own key signed both its state and a contradicting one, the file that proves
            it to anybody (`vcid.ledger.evidence`).
    """

    def __init__(self, message: str, *, evidence: bytes | None = None) -> None:
        super().__init__(message)
        self.evidence = evidence


class NotVerified(VcidError):
    """A credential or presentation was not verified; ``report`` says why, check by check."""

    def __init__(self, report: Report | PresentationReport) -> None:
        super().__init__(str(report))
        self.report = report


class Rejected(NotVerified):
    """At least one check failed."""


class Undecided(NotVerified):
    """No check failed, but at least one that the policy requires could not be decided."""

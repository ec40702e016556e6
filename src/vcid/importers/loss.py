"""What became of a record on its way in: a loss report, and the record where there is one.

A report names fields and tables, codes and outcomes, and never a value: it is meant to be printed, sent and
kept beside the credential that was issued.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING

from vcid.errors import InvalidRecord

if TYPE_CHECKING:
    from vcid.credentials.birth import BirthRegistration
    from vcid.encoding.json import JsonObject
    from vcid.errors import FieldError


class Outcome(StrEnum):
    """What became of a field."""

    TAKEN = "taken"
    TRANSFORMED = "transformed"
    REFUSED = "refused"
    LEFT_OUT = "left-out"


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldOutcome:
    """What became of one field of the source, and of everything beneath it.

    Attributes:
        source: the field, as a JSON pointer into the source, or a column's name. Names that may be a person's
            stand as their position: ``*3`` is the third member of its object.
        outcome: taken as it stands, transformed, refused, or left out on purpose.
        target: where it went, as a JSON pointer into the record; empty where it went nowhere.
        table: the crosswalk or rule that transformed it.
        code: why it was refused or left out.
    """

    source: str
    outcome: Outcome
    target: str = ""
    table: str = ""
    code: str = ""

    def to_json(self) -> JsonObject:
        """Write the outcome; what is empty is left out."""
        fields = {
            "source": self.source,
            "outcome": self.outcome.value,
            "target": self.target,
            "table": self.table,
            "code": self.code,
        }
        return {name: value for name, value in fields.items() if value or name == "source"}


@dataclass(frozen=True, slots=True)
class LossReport:
    """What became of every field of one source, each accounted for once.

    Attributes:
        system: the kind of source: ``opencrvs-v2``, ``fhir-r4``, ``csv``.
        entries: the fields, in the order of the source.
        stated: the fields of the record that came from no field of the source, but from the caller.
    """

    system: str
    entries: tuple[FieldOutcome, ...]
    stated: tuple[str, ...] = ()

    def count(self, outcome: Outcome) -> int:
        """Count the fields that had an outcome."""
        return Counter(entry.outcome for entry in self.entries)[outcome]

    def to_json(self) -> JsonObject:
        """Write the report as JSON: ``system``, ``entries``, ``stated``."""
        return {
            "system": self.system,
            "entries": [entry.to_json() for entry in self.entries],
            "stated": [*self.stated],
        }

    def __str__(self) -> str:
        """Write the report as a table, one field a line."""
        rows = [("field", "outcome", "becomes", "by", "because")]
        rows += [
            (entry.source or "/", entry.outcome.value, entry.target, entry.table, entry.code)
            for entry in self.entries
        ]
        rows += [("(stated by the caller)", "stated", target, "", "") for target in self.stated]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)
        return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class ImportResult:
    """What came of one source document.

    Attributes:
        record: the registration, where nothing stands against it.
        report: what became of every field.
        faults: everything that stands against it. Where a field of the source is at fault, its path is the
            report's; what no field gave is told under the record's own, as ``record:/registration/number``.
        fields: what was gathered, as plain data with the names of the record's fields: for a form in which
            a registrar adds what the source can't know.
    """

    record: BirthRegistration | None = field(repr=False)
    report: LossReport
    faults: tuple[FieldError, ...] = ()
    fields: JsonObject = field(default_factory=dict, repr=False)

    def require(self) -> BirthRegistration:
        """Return the record.

        Raises:
            InvalidRecord: something stands against it, all of it named.
        """
        if self.record is None:
            raise InvalidRecord(self.faults)
        return self.record

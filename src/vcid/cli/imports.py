"""One record of another system, read for ``vcid issue --from``, with its loss report on stderr."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vcid.cli.output import note

if TYPE_CHECKING:
    from pathlib import Path

    from vcid.credentials.birth import BirthRegistration
    from vcid.importers.loss import ImportResult
    from vcid.importers.stated import Stated

SYSTEMS: Final = ("opencrvs", "opencrvs-v1", "fhir", "primero")

_JURISDICTION: Final = "/registration/jurisdiction"


@dataclass(frozen=True, slots=True)
class Source:
    """Where a record comes from.

    Attributes:
        system: one of `SYSTEMS`.
        stated: the file of what the operator states.
        field_map: the file with the map of the form, for OpenCRVS 2; by default the reference form's.
        jurisdiction: whose register it is, where the file doesn't say.
    """

    system: str
    stated: Path | None
    field_map: Path | None
    jurisdiction: str | None

    def read(self, data: bytes) -> BirthRegistration:
        """Read the record, and print what became of each field.

        Raises:
            InvalidRecord: something stands against it, all of it named.
            Malformed: the record, or a file beside it, can't be read.
        """
        result = self._import(data, self._read_stated())
        note(str(result.report))
        return result.require()

    def _read_stated(self) -> Stated:
        from vcid.importers.said_files import parse_stated
        from vcid.importers.stated import Stated

        stated = parse_stated(self.stated.read_bytes()) if self.stated is not None else Stated()
        if self.jurisdiction is None:
            return stated
        return replace(stated, fields={_JURISDICTION: self.jurisdiction, **stated.fields})

    def _import(self, data: bytes, stated: Stated) -> ImportResult:
        if self.system == "opencrvs":
            from vcid.importers.opencrvs import read_opencrvs_v2
            from vcid.importers.opencrvs_reference import REFERENCE_FIELDS
            from vcid.importers.said_files import parse_field_map

            file = self.field_map
            fields = REFERENCE_FIELDS if file is None else parse_field_map(file.read_bytes())
            return read_opencrvs_v2(data, fields, stated=stated)
        if self.system == "fhir":
            return _import_fhir(data, stated)
        from vcid.importers.opencrvs_v1 import read_opencrvs_v1
        from vcid.importers.primero import read_primero

        read = read_primero if self.system == "primero" else read_opencrvs_v1
        return read(data, stated=stated)


def _import_fhir(data: bytes, stated: Stated) -> ImportResult:
    """Read a Patient, or an object of one and its ``relatedPersons``."""
    from vcid.encoding.json import parse_object
    from vcid.errors import Malformed
    from vcid.importers.fhir import read_fhir

    document = parse_object(data)
    if "patient" not in document:
        return read_fhir(document, stated=stated)
    patient, persons = document["patient"], document.get("relatedPersons", [])
    if set(document) - {"patient", "relatedPersons"} or not isinstance(patient, dict):
        raise Malformed("wrong-type", "a Patient, or patient and relatedPersons")
    if not isinstance(persons, list) or not all(isinstance(person, dict) for person in persons):
        raise Malformed("wrong-type", "a list of RelatedPersons", where="/relatedPersons")
    return read_fhir(patient, [person for person in persons if isinstance(person, dict)], stated=stated)

"""``vcid issue``: credentials out of a record or a table, each row's faults reported and no other lost."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final

import click

from vcid.cli.imports import SYSTEMS, Source
from vcid.cli.opening import issuing_sections, open_authority
from vcid.cli.options import (
    HELP,
    SetUpFailure,
    config_option,
    json_option,
    load_config,
    open_input,
    passphrase_option,
    read_key,
    read_passphrase,
)
from vcid.cli.output import fault_json, fault_text, note, print_bytes, print_json, say
from vcid.errors import FieldError, InvalidRecord

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from vcid.cli.config import IssuerSection
    from vcid.cli.tables import OrderedRow
    from vcid.credentials.birth import BirthRegistration
    from vcid.credentials.guardianship import Guardianship
    from vcid.credentials.model import Credential
    from vcid.encoding.json import JsonObject
    from vcid.issuer import Issuer
    from vcid.issuing import Issued
    from vcid.orders import Order

    Deliver = Callable[[Credential], Path | None]

MAX_RECORD: Final = 1 << 20


@dataclass(slots=True, kw_only=True)
class Harvest:
    """What has come of the rows so far.

    Attributes:
        deliver: takes each credential to where it goes, and gives its file if it becomes one.
        key_field: what the caller's keys are called in faults: a column, or the option.
        embed: whether credentials are kept, to be printed within the result.
        credentials: what was issued.
        faults: what stands against the other rows.
        refused: how many those are.
    """

    deliver: Deliver
    key_field: str
    embed: bool
    credentials: list[JsonObject] = field(default_factory=list)
    faults: list[FieldError] = field(default_factory=list)
    refused: int = 0

    def refuse(self, line: int | None, faults: Iterable[FieldError]) -> None:
        """Note the faults of a row."""
        self.refused += 1
        self.faults += [fault if fault.line else replace(fault, line=line) for fault in faults]

    def take(self, line: int | None, answer: Issued) -> None:
        """Deliver a credential, or note what stood against it."""
        if answer.credential is not None:
            file = self.deliver(answer.credential)
            self.credentials.append(
                {
                    "line": line,
                    "id": answer.credential.id,
                    "file": str(file) if file else None,
                    "credential": answer.credential.unverified_document if self.embed else None,
                }
            )
        elif isinstance(answer.error, InvalidRecord):
            self.refuse(line, answer.error.errors)
        elif answer.error is not None:
            expected = "a key that no other record was issued under"
            self.refuse(line, [FieldError(self.key_field, answer.error.code, expected, answer.key)])

    def to_json(self, *, show_values: bool) -> JsonObject:
        """Write the result as JSON."""
        return {
            "issued": len(self.credentials),
            "refused": self.refused,
            "credentials": [*self.credentials],
            "faults": [fault_json(fault, show_value=show_values) for fault in self._sorted()],
        }

    def note_faults(self, *, show_values: bool) -> None:
        """Print the faults, in the order of the lines, on stderr."""
        for fault in self._sorted():
            note(fault_text(fault, show_value=show_values))

    def _sorted(self) -> list[FieldError]:
        return sorted(self.faults, key=lambda fault: fault.line or 0)


@click.command(context_settings=HELP)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, allow_dash=True, path_type=Path))
@click.option("--key", callback=read_key, help="FILE is one record in JSON, issued under this key of yours.")
@click.option(
    "--key-column",
    help="FILE is a table in CSV, each row issued under the key in this column."
    " By default, the column of registration numbers.",
)
@click.option(
    "--from",
    "system",
    type=click.Choice(SYSTEMS),
    help="With --key: FILE is a record of this system. What became of each field is told on stderr.",
)
@click.option(
    "--stated",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --from: a JSON file of what you state beside it, such as the registering office.",
)
@click.option(
    "--map",
    "field_map",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="With --from opencrvs: a JSON file with a rule for each field of the form.",
)
@click.option(
    "--child-did",
    metavar="DID",
    help="The child's DID in a record. By default a fresh one, whose key is not kept.",
)
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    help="A folder for the credentials; without it they go to stdout, one a line.",
)
@click.option("--show-values", is_flag=True, help="Show the values at fault, which may be a child's.")
@passphrase_option
@config_option
@json_option
def issue(
    *,
    file: Path,
    key: str | None,
    key_column: str | None,
    system: str | None,
    stated: Path | None,
    field_map: Path | None,
    child_did: str | None,
    out: Path | None,
    show_values: bool,
    passphrase_file: Path | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Issue credentials from FILE, or from stdin for -.

    With --key, FILE is a record in JSON: a birth registration with the field names of its schema, or a
    guardianship, marked by "type": "Guardianship", or with --from a record of OpenCRVS, FHIR or Primero (see
    docs/importing.md). Otherwise it is a table in CSV with the columns of
    examples/data/registrations.csv, for the jurisdiction that vcid.toml names.

    Every row that is wrong is reported on stderr with its line, its column and all its faults, and takes
    nothing from the others. Issuing is idempotent by the key: the same table again gives the same
    credentials. In the folder each has a file <uuid>.json of mode 0600.

    Exit codes: 0 all issued, 1 some rows were wrong.

    JSON: issued, refused (numbers of rows), credentials [{line, id, file, credential}], faults [{line,
    field, code, expected, found}]; found only with --show-values, credential only without --out.
    """
    if key is not None and key_column is not None:
        raise click.UsageError("--key is for a record, --key-column for a table")
    if key is None and (file.suffix == ".json" or child_did is not None or system is not None):
        raise click.UsageError("a record needs --key, your own name for it")
    _check_source(system, stated, field_map)
    read = load_config(config)
    section, _ = issuing_sections(read)
    source = Source(system, stated, field_map, section.jurisdiction) if system is not None else None
    _require_jurisdiction(section, is_table=key is None)
    issuer = open_authority(read, read_passphrase(passphrase_file)).issuer
    harvest = Harvest(
        deliver=_deliverer(out, as_json=as_json),
        key_field=key_column or ("--key" if key is not None else _number_column()),
        embed=as_json and out is None,
    )
    with open_input(file) as stream:
        if key is not None:
            rows = _read_record(stream, key, child_did, source)
        else:
            rows = _read_table(stream, harvest.key_field, section)
        try:
            _issue(issuer, rows, harvest, total=_count_rows(file))
        except InvalidRecord as error:  # the header's faults, or those of the one record
            harvest.refuse(None, error.errors)
        finally:
            if not as_json:
                harvest.note_faults(show_values=show_values)
    _report(harvest, out, show_values=show_values, as_json=as_json)
    click.get_current_context().exit(1 if harvest.refused else 0)


def _require_jurisdiction(section: IssuerSection, *, is_table: bool) -> None:
    if is_table and section.jurisdiction is None:
        raise SetUpFailure("vcid.toml: /issuer/jurisdiction: required: expected whose register a table is")


def _number_column() -> str:
    from vcid.cli.tables import NUMBER
    from vcid.importers.example_columns import EXAMPLE_COLUMNS

    return EXAMPLE_COLUMNS.columns[NUMBER].name


def _check_source(system: str | None, stated: Path | None, field_map: Path | None) -> None:
    if system is None and (stated is not None or field_map is not None):
        raise click.UsageError("--stated and --map are for a record --from another system")
    if field_map is not None and system != "opencrvs":
        raise click.UsageError("--map is for a record --from opencrvs")


def _read_record(
    stream: IO[bytes], key: str, child_did: str | None, source: Source | None
) -> Iterator[OrderedRow]:
    """Read one record, whose faults are raised when it is asked for."""
    from vcid.cli.tables import OrderedRow
    from vcid.orders import Order

    data = stream.read(MAX_RECORD + 1)
    record = _parse_record(data) if source is None else source.read(data)
    yield OrderedRow(None, Order(key=key, record=record, child_did=child_did))


def _parse_record(data: bytes) -> BirthRegistration | Guardianship:
    from vcid.credentials.birth import BirthRegistration
    from vcid.credentials.guardianship import SUBJECT_TYPE, Guardianship, new_arrangement_id
    from vcid.encoding.json import parse_object

    mapping = parse_object(data)
    if mapping.get("type") == SUBJECT_TYPE:
        return Guardianship.from_subject({"arrangementId": new_arrangement_id(), **mapping})
    return BirthRegistration.from_mapping(mapping)


def _read_table(stream: IO[bytes], key_column: str, section: IssuerSection) -> Iterator[OrderedRow]:
    from vcid.cli.tables import columns_for, read_lines, read_orders
    from vcid.importers.example_columns import EXAMPLE_COLUMNS

    columns = columns_for(EXAMPLE_COLUMNS, key_column=key_column, jurisdiction=section.jurisdiction)
    return read_orders(read_lines(stream), columns=columns, key_column=key_column)


def _issue(issuer: Issuer, rows: Iterable[OrderedRow], harvest: Harvest, *, total: int | None) -> None:
    """Issue row by row, and keep each answer with its line."""
    from vcid.cli.progress import slow_progress

    lines: deque[int | None] = deque()

    def orders() -> Iterator[Order]:
        for row in rows:
            if row.order is None:
                harvest.refuse(row.line, row.faults)
            else:
                lines.append(row.line)
                yield row.order

    with slow_progress("issuing", total) as advance:
        for answer in issuer.issue_many(orders()):
            harvest.take(lines.popleft(), answer)
            advance()


def _count_rows(file: Path) -> int | None:
    """Count a table's lines, for the progress bar; stdin's can't be counted."""
    if not file.is_file():
        return None
    with file.open("rb") as stream:
        return max(sum(block.count(b"\n") for block in iter(lambda: stream.read(1 << 16), b"")) - 1, 0)


def _deliverer(out: Path | None, *, as_json: bool) -> Deliver:
    from vcid.cli.folder import CredentialFolder

    if out is not None:
        return CredentialFolder(out).write
    return (lambda _credential: None) if as_json else _print_credential


def _print_credential(credential: Credential) -> None:
    print_bytes(credential.content)


def _report(harvest: Harvest, out: Path | None, *, show_values: bool, as_json: bool) -> None:
    if as_json:
        print_json(harvest.to_json(show_values=show_values))
        return
    summary = f"issued {len(harvest.credentials)}, refused {harvest.refused}"
    if out is None:
        note(summary)  # stdout belongs to the credentials
    else:
        say(f"{summary}, in {out}")

"""`vcid issue`: good rows become credentials, wrong rows are told whole, and no value slips out unasked."""

from __future__ import annotations

import csv
import io
import json
import stat
import uuid
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.conftest import RECORD, Place
from vcid.importers.example_columns import EXAMPLE_COLUMNS

COLUMNS = [column.name for column in EXAMPLE_COLUMNS.columns.values()]
GOOD = {
    "registration_no": "R-1",
    "date_registered": "2021-04-01",
    "office": "Example North",
    "registration_type": "timely",
    "name_status": "named",
    "child_name": "Amina Example",
    "date_of_birth": "2021-03-15",
    "date_of_birth_basis": "declared",
    "sex": "F",
    "birth_country": "UG",
    "parents_recorded": "unknown",
}
GUARDIANSHIP = {
    "type": "Guardianship",
    "dependent": {"childRef": "A" * 22, "birthIssuer": "did:web:civil.example"},
    "guardians": [
        {
            "id": "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
            "type": "Person",
            "relation": "parent",
        }
    ],
    "basis": "parentage",
    "issuingAuthorityRole": "civilRegistry",
    "jurisdiction": "KE",
    "permittedActs": ["schoolEnrol"],
    "validFrom": "2021-04-01T00:00:00Z",
    "endsAtMajority": {"age": 18, "jurisdiction": "KE"},
}


def table(*rows: dict[str, str], header: list[str] | None = None) -> bytes:
    """A register's export with the columns of the example."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header or COLUMNS)
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()


@pytest.fixture
def rows(authority: Place) -> Path:
    """Two good rows around a wrong one, with three faults in it."""
    wrong = {**GOOD, "registration_no": "R-2", "sex": "X", "date_of_birth": "15/03/2021", "child_name": "7"}
    return authority.write("rows.csv", table(GOOD, wrong, {**GOOD, "registration_no": "R-3"}))


def test_good_rows_are_issued_and_wrong_ones_told(authority: Place, rows: Path):
    """Each good row becomes a file; the wrong one is told by line, column, code and expectation, in 1."""
    ended = authority("issue", rows, "--out", authority.folder / "out")
    assert ended.code == 1
    assert ended.out == f"issued 2, refused 1, in {authority.folder / 'out'}\n"
    told = ended.err.splitlines()
    assert len(told) == 3
    assert {line.split(": ")[0] for line in told} == {
        "line 3, sex",
        "line 3, date_of_birth",
        "line 3, child_name",
    }
    assert any("ambiguous-date: expected a date such as 2021-03-15" in line for line in told)
    assert len(list((authority.folder / "out").iterdir())) == 2


def test_values_are_shown_on_request_alone(authority: Place, rows: Path):
    """What stood in a wrong cell is printed with --show-values, and with nothing else."""
    assert "15/03/2021" not in authority("issue", rows).err
    assert "(found '15/03/2021')" in authority("issue", rows, "--show-values").err
    assert "15/03/2021" not in authority("issue", rows, "--json").out
    assert '"found": "15/03/2021"' in authority("issue", rows, "--json", "--show-values").out


def test_a_value_can_not_steer_the_terminal(authority: Place):
    """Escape sequences in a cell are shown as escapes."""
    wrong = {**GOOD, "registration_no": "R-2", "child_name": "\x1b[2JAmina \u202e"}
    file = authority.write("rows.csv", table(wrong))
    ended = authority("issue", file, "--show-values")
    assert ended.code == 1
    assert "\x1b" not in ended.err
    assert "\u202e" not in ended.err
    assert r"\x1b[2J" in ended.err


def test_the_folder_is_for_its_owner(authority: Place, rows: Path):
    """The folder has mode 0700, its files 0600; their names are the credentials' UUIDs and nothing else."""
    out = authority.folder / "made" / "out"
    ended = authority("issue", rows, "--out", out, "--json")
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    for made in ended.json["credentials"]:
        file = Path(made["file"])
        assert file.parent == out
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert made["id"] == uuid.UUID(file.stem).urn == json.loads(file.read_bytes())["id"]
    assert len(list(out.iterdir())) == 2


def test_the_result_as_json(authority: Place, rows: Path):
    """One object with stable keys: what was issued by its line, and every fault with its own."""
    ended = authority("issue", rows, "--json")
    assert (ended.code, ended.err) == (1, "")
    assert ended.json.keys() == {"issued", "refused", "credentials", "faults"}
    assert (ended.json["issued"], ended.json["refused"]) == (2, 1)
    assert [made["line"] for made in ended.json["credentials"]] == [2, 4]
    first = ended.json["credentials"][0]
    assert first.keys() == {"line", "id", "file", "credential"}
    assert (first["file"], first["credential"]["id"]) == (None, first["id"])
    assert all(fault.keys() == {"line", "field", "code", "expected"} for fault in ended.json["faults"])
    assert {fault["line"] for fault in ended.json["faults"]} == {3}


def test_without_a_folder_credentials_go_to_stdout(authority: Place, rows: Path):
    """One credential a line, and nothing else; the summary is beside it on stderr."""
    ended = authority("issue", rows)
    documents = [json.loads(line) for line in ended.out.splitlines()]
    assert [document["credentialSubject"]["registration"]["number"] for document in documents] == [
        "R-1",
        "R-3",
    ]
    assert ended.err.endswith("issued 2, refused 1\n")


def test_the_same_table_gives_the_same_credentials(authority: Place, rows: Path):
    """Issuing again changes nothing, from a file or from stdin."""
    first = authority("issue", rows).out
    assert authority("issue", rows).out == first
    assert authority("issue", "-", stdin=rows.read_bytes()).out == first


def test_the_jurisdiction_is_the_authoritys(authority: Place):
    """A table's births belong to the register of [issuer] jurisdiction, whatever the example says."""
    config = authority.folder / "vcid.toml"
    config.write_text(config.read_text().replace('"KE"', '"UG"'))
    file = authority.write("rows.csv", table(GOOD))
    document = json.loads(authority("issue", file).out)
    assert document["credentialSubject"]["registration"]["jurisdiction"] == "UG"
    config.write_text(config.read_text().replace('jurisdiction = "UG"', ""))
    refused = authority("issue", file)
    assert (refused.code, "/issuer/jurisdiction" in refused.line) == (2, True)


def test_keys_may_stand_in_a_column_of_their_own(authority: Place):
    """A column that is no field of a record holds the keys, by which a credential is revoked."""
    header = [*COLUMNS, "id"]
    file = authority.write("rows.csv", table({**GOOD, "id": "4711"}, header=header))
    assert authority("issue", file, "--key-column", "id").code == 0
    assert authority("revoke", "--key", "4711").code == 0
    assert authority("revoke", "--key", "R-1").code == 1


def test_a_row_without_a_key_is_not_issued(authority: Place):
    """An empty key and a key that another record has are faults of their rows, among others that go well."""
    header = [*COLUMNS, "id"]
    given = [
        {**GOOD, "id": "1"},
        {**GOOD, "registration_no": "R-2", "id": " "},
        {**GOOD, "registration_no": "R-3", "id": "1"},
        {**GOOD, "registration_no": "R-4", "id": "k" * 1025},
        {**GOOD, "registration_no": "R-5", "id": "5"},
    ]
    ended = authority(
        "issue", authority.write("rows.csv", table(*given, header=header)), "--key-column", "id", "--json"
    )
    assert (ended.json["issued"], ended.json["refused"]) == (2, 3)
    assert [(fault["line"], fault["field"], fault["code"]) for fault in ended.json["faults"]] == [
        (3, "id", "key"),
        (4, "id", "key-reused"),
        (5, "id", "key"),
    ]


def test_a_wrong_header_is_told_whole(authority: Place):
    """Columns that are missing, unknown or needed for keys are told together, and nothing is issued."""
    header = [*(name for name in COLUMNS if name != "sex"), "remarks"]
    rows = [{name: text for name, text in GOOD.items() if name != "sex"}]
    file = authority.write("rows.csv", table(*rows, header=header))
    ended = authority("issue", file, "--key-column", "id")
    assert (ended.code, ended.out) == (1, "")
    assert {line.split(": ")[0] for line in ended.err.splitlines()[:-1]} == {
        "line 1, sex",
        "line 1, column 29",
        "line 1, id",
    }


@pytest.mark.parametrize("content", [b"", b"\n\n", "registration_no\n".encode("utf-16")])
def test_what_is_no_table_ends_in_one(authority: Place, content: bytes):
    """An empty table and one in UTF-16 are refused without a traceback."""
    ended = authority("issue", authority.write("rows.csv", content))
    assert (ended.code, ended.out) == (1, "")
    assert ended.err


def test_a_header_alone_is_no_fault(authority: Place):
    """A register without births issues nothing, and that went well."""
    ended = authority("issue", authority.write("rows.csv", table()), "--json")
    assert (ended.code, ended.json["issued"], ended.json["faults"]) == (0, 0, [])


def test_a_record_is_issued_under_its_key(authority: Place):
    """A birth in JSON gives one credential, on the DID that the caller chose, and the same one again."""
    file = authority.write("birth.json", RECORD)
    did = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"
    first = authority("issue", file, "--key", "birth", "--child-did", did)
    assert first.code == 0
    assert json.loads(first.out)["credentialSubject"]["id"] == did
    again = authority("issue", "-", "--key", "birth", "--child-did", did, stdin=file.read_bytes())
    assert again.out == first.out
    other = authority("issue", file, "--key", "birth")
    assert (other.code, "key-reused" in other.err) == (1, True)


def test_a_guardianship_is_issued_too(authority: Place):
    """A record of that type needs no arrangement id, and the same form twice is one arrangement."""
    file = authority.write("guardianship.json", GUARDIANSHIP)
    first = authority("issue", file, "--key", "g-1")
    assert first.code == 0, first.err
    assert "GuardianshipCredential" in json.loads(first.out)["type"]
    assert authority("issue", file, "--key", "g-1").out == first.out


def test_a_wrong_record_is_told_whole(authority: Place):
    """All its faults, a forbidden field among them, without a value; and a key stands for one record only."""
    wrong = {**RECORD, "sexAtBirth": "Amina", "religion": "Amina", "birthDate": "Amina"}
    ended = authority("issue", authority.write("birth.json", wrong), "--key", "birth")
    assert (ended.code, ended.out) == (1, "")
    assert "forbidden-field" in ended.err
    assert ended.err.count("\n") == 4
    assert "Amina" not in ended.err
    other = {**RECORD, "birthDate": "2021-03-16"}
    reused = authority("issue", authority.write("birth.json", other), "--key", "row-1", "--json")
    assert [fault["code"] for fault in reused.json["faults"]] == ["key-reused"]
    assert "row-1" not in reused.out


@pytest.mark.parametrize("content", [b"{", b"[]", b'{"a":1,"a":2}', b"\xff", b"{" + b" " * (1 << 20) + b"}"])
def test_what_is_no_json_ends_in_one_line(authority: Place, content: bytes):
    """A record that can't be read is an error, not a record with faults."""
    ended = authority("issue", authority.write("birth.json", content), "--key", "birth")
    assert ended.code == 1
    assert ended.err.splitlines()[0].startswith("vcid: ")


@pytest.mark.parametrize(
    "arguments",
    [
        ("record.json",),
        ("record.json", "--key", ""),
        ("record.json", "--key", "k" * 1025),
        ("record.json", "--key", "\udcff"),
        ("record.json", "--key", "1", "--key-column", "id"),
        ("rows.csv", "--child-did", "did:example:1"),
        ("missing.csv",),
        (".",),
        (),
    ],
)
def test_wrong_usage(authority: Place, rows: Path, arguments: tuple[str, ...]):
    """A record without a key, a table with a record's options and a file that isn't there end in 2."""
    del rows
    given = [authority.folder / name if "." in name else name for name in arguments]
    ended = authority("issue", *given)
    assert ended.code == 2
    assert ended.line


def test_no_credential_without_the_keys(authority: Place, nowhere: Place, rows: Path):
    """A wrong passphrase, a missing store and a folder without vcid.toml each end in one line."""
    wrong = authority("issue", rows, VCID_PASSPHRASE="wrong")
    assert (wrong.code, "passphrase is wrong" in wrong.line) == (1, True)
    assert nowhere("issue", rows).code == 2
    (authority.folder / "ledger.db").unlink()
    gone = authority("issue", rows)
    assert (gone.code, "no ledger.db" in gone.line) == (1, True)
    assert not (authority.folder / "ledger.db").exists()

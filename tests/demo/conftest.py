"""One small demonstration, played once, that most tests here look at."""

from pathlib import Path

import pytest

from vcid.demo.chapters import Silence
from vcid.demo.story import Settings, play
from vcid.keys.encrypted_file import Argon2Cost

TABLE = Path(__file__).resolve().parents[2] / "examples" / "data" / "registrations.csv"
CHEAP = Argon2Cost(passes=1, memory=8192)


def pick_rows(table: bytes) -> bytes:
    """Take seven ordinary rows, a foundling, parents withheld and unknown, and three wrong rows."""
    header, *lines = table.splitlines(keepends=True)
    columns = header.decode("utf-8-sig").strip().split(",")

    def first(**wanted: str) -> bytes:
        for line in lines:
            cells = dict(zip(columns, line.decode("utf-8", "replace").strip().split(","), strict=False))
            if b'"' not in line and wanted.items() <= cells.items():
                return line
        raise AssertionError(f"no row of {wanted}")

    picked = [
        *lines[:6],
        first(parents_recorded="withheld", mother_name=""),
        first(parents_recorded="unknown", found_on=""),
        first(parents_recorded="unknown", birth_country="unknown"),
        first(sex="X"),
        first(date_of_birth="44270"),
        first(child_name="Jos\ufffd Muster"),
        lines[10],
    ]
    return b"".join([header, *picked])


@pytest.fixture(scope="session")
def table() -> Path:
    """The example's whole table."""
    return TABLE


@pytest.fixture(scope="session")
def small_table(tmp_path_factory) -> Path:
    """A dozen rows of it, good and wrong."""
    path = tmp_path_factory.mktemp("table") / "registrations.csv"
    path.write_bytes(pick_rows(TABLE.read_bytes()))
    return path


@pytest.fixture(scope="session")
def cheap() -> Argon2Cost:
    """The least that a guess at a passphrase can cost."""
    return CHEAP


@pytest.fixture(scope="session")
def ending(small_table, tmp_path_factory):
    """A demonstration on the small table."""
    folder = tmp_path_factory.mktemp("demo") / "vcid-demo"
    return play(Settings(registrations=small_table, folder=folder, cost=CHEAP), Silence())

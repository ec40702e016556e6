"""Fixtures that every room's tests share."""

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of official test data, or a skip that says where it was looked for."""
    folder = Path(os.environ.get("VCID_VECTORS", ROOT.parent / "shared" / "vectors"))
    if not folder.is_dir():
        pytest.skip(f"no official vectors at {folder}; set VCID_VECTORS to their folder")
    return folder

"""The house keeps its shape: imports go one way, and importing vcid does no work."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[1] / "src" / "vcid"

STOREYS = [
    {"errors"},
    {"encoding"},
    {"storage", "keys"},
    {"securing"},
    {"dids"},
    {"credentials"},
    {"status", "ledger", "trust"},
    {"report", "policy", "knowledge", "knowledge_folder"},
    {"problem_details", "known_dids", "existence"},
    {
        "issuers",
        "statuses",
        "anchors",
        "control",
        "orders",
        "drafting",
        "issuing",
        "topics",
        "own_keys",
        "publishing",
    },
    {
        "base_issuing",
        "issuer",
        "holder",
        "disclosing",
        "verifier",
        "presentations",
        "delegations",
        "schema_credentials",
        "delegation_links",
    },
    {"importers"},
    {"demo"},
    {"server"},
    {"cli"},
]
LEDGER_SEES = {"errors", "encoding", "storage", "keys", "ledger"}


def room_of(path: Path) -> str:
    return path.relative_to(SOURCE).parts[0].removesuffix(".py")


def imports_of(path: Path) -> set[str]:
    """The rooms that a file imports at run time; what stands under TYPE_CHECKING is no import."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    rooms = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            modules = [node.module]
            if node.module == "vcid":
                modules = [f"vcid.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            continue
        rooms |= {module.split(".")[1] for module in modules if module.startswith("vcid.")}
    return rooms


FILES = sorted(path for path in SOURCE.rglob("*.py") if path != SOURCE / "__init__.py")


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_one_way(path):
    """No room imports from a storey above its own."""
    storey = {room: number for number, rooms in enumerate(STOREYS) for room in rooms}
    own = room_of(path)
    for room in imports_of(path):
        assert storey[room] <= storey[own], f"{own} may not import {room}"
        if own == "ledger":
            assert room in LEDGER_SEES, f"the ledger knows nothing of {room}"


def test_every_room_has_its_storey():
    """A new room has to be given its place before it can land."""
    assert {room_of(path) for path in FILES} <= set().union(*STOREYS)


def test_importing_vcid_loads_no_heavy_part():
    """`import vcid` brings in no cryptography, no schema validator, no JSON-LD and no database."""
    heavy = [
        "nacl",
        "cryptography",
        "jsonschema",
        "pyld",
        "multiformats",
        "sqlite3",
        "click",
        "rich",
        "orjson",
    ]
    code = f"import sys, vcid; print([name for name in {heavy} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_every_public_name_can_be_had():
    """The lazy table, the type checker's imports and ``__all__`` name the same things, and each exists."""
    import vcid

    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    typed = {
        alias.asname
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("vcid.")
        for alias in node.names
    }
    assert typed == set(vcid.__all__)
    assert all(getattr(vcid, name) is not None for name in vcid.__all__)
    with pytest.raises(AttributeError):
        _ = vcid.nothing_of_that_name

"""`vcid ledger succeed`: a log is ended by its witness's consent, and its entries stand in the next one."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

from cli.conftest import PASSPHRASE, Place
from vcid.keys.signing import LocalSigner
from vcid.keys.wallet import Wallet
from vcid.knowledge import Knowledge
from vcid.ledger.notes import NoteKey

NEW = "log.example/new"


@pytest.fixture
def into(authority: Place) -> Path:
    """The vcid.toml of a log that is to follow, with a key, and the witness told of both logs."""
    wallet = Wallet.open(authority.folder / "keys.json", PASSPHRASE)
    with wallet.editing() as edit:
        edit.add("next", LocalSigner.generate())
    toml = (authority.folder / "vcid.toml").read_text()
    origin = next(line for line in toml.splitlines() if line.startswith("origin = ")).split('"')[1]
    keys = {origin: wallet.signer("ledger"), NEW: wallet.signer("next")}
    logs = [f"log {NoteKey.of_log(name, one.public_key).vkey}\n" for name, one in keys.items()]
    (authority.folder / "logs.policy").write_text("".join(logs) + "quorum none\n")
    told = toml.replace("[witness]\n", '[witness]\nlogs = "logs.policy"\n')
    (authority.folder / "witness.toml").write_text(told)
    path = authority.folder / "next.toml"
    path.write_text(
        toml.replace(origin, NEW).replace("keys.json#ledger", "keys.json#next").replace("ledger.db", "next.db")
        .replace(f"{NEW}/witness", f"{origin}/witness")
    )  # fmt: skip
    return path


def consent(authority: Place, statement: Path, *options: str) -> str:
    config = str(authority.folder / "witness.toml")
    ended = authority("witness", "succeed", statement, *options, VCID_CONFIG=config)
    assert ended.code == 0, ended.err
    return ended.out.rstrip("\n")


def test_a_log_is_succeeded_and_verifiers_follow(authority: Place, into: Path):
    """Proposed, agreed to, carried out; and with the statement among the knowledge credentials are verified."""
    statement = authority.folder / "statement"
    proposed = authority("ledger", "succeed", statement, "--into", into, "--json")
    assert (proposed.code, proposed.json["successor"], proposed.json["checkpointSize"]) == (0, NEW, None)
    line = consent(authority, statement)
    done = authority("ledger", "succeed", statement, "--into", into, "--cosignature", line, "--json")
    assert done.code == 0, done.err
    assert done.json["checkpointSize"] > proposed.json["finalSize"]
    again = authority("ledger", "succeed", statement, "--into", into)
    assert (again.code, "took the place" in again.out) == (0, True)
    knowledge = authority.folder / "knowledge"
    (knowledge / "logs" / "old.succession").write_bytes(statement.read_bytes())
    published = authority("publish", VCID_CONFIG=str(into))
    assert published.code == 0, published.err
    assert len(Knowledge.load(knowledge).logs) == 2
    verified = authority("verify", authority.credential)
    assert (verified.code, f"judged by {NEW}" in verified.out) == (0, True)


def test_nothing_is_carried_out_without_the_witness(authority: Place, into: Path):
    """The statement alone ends no log, and no store is made."""
    statement = authority.folder / "statement"
    assert authority("ledger", "succeed", statement, "--into", into).code == 0
    refused = authority("ledger", "succeed", statement, "--into", into)
    assert (refused.code, "too-few-witnesses" in refused.err) == (1, True)
    assert not (authority.folder / "next.db").exists()
    statement.write_bytes(b"")
    assert authority("ledger", "succeed", statement, "--into", into).code == 1


def test_a_lost_key_is_said_to_be_lost(authority: Place, into: Path):
    """Then the witness's operator agrees by hand."""
    statement = authority.folder / "statement"
    assert authority("ledger", "succeed", statement, "--into", into, "--lost-key").code == 0
    config = str(authority.folder / "witness.toml")
    assert "unsigned" in authority("witness", "succeed", statement, VCID_CONFIG=config).err
    assert consent(authority, statement, "--lost-key")


def test_a_log_does_not_succeed_itself(authority: Place):
    """A new key of the same log is no succession."""
    own = authority.folder / "vcid.toml"
    ended = authority("ledger", "succeed", authority.folder / "statement", "--into", own)
    assert ended.code == 2
    assert not (authority.folder / "statement").exists()

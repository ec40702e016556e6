"""`vcid verify`: exit codes that a script can trust, every check shown, and claims only of what is verified."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.conftest import PASSPHRASE, Place
from vcid.keys.signing import LocalSigner
from vcid.keys.wallet import Wallet
from vcid.knowledge import Knowledge
from vcid.ledger.entries import Entry, Kind
from vcid.ledger.log import Ledger
from vcid.ledger.notes import Checkpoint, Note, NoteKey
from vcid.ledger.views import SqlViewStore
from vcid.ledger.witness import ReplayingWitness
from vcid.report import CheckName

CHECK_KEYS = {"name", "outcome", "code", "detail"}
RESULT_KEYS = {"file", "conclusion", "at", "now", "freshAsOf", "checks", "claims"}


def tampered(authority: Place) -> Path:
    """The credential with another child's name in it."""
    return authority.write("tampered.json", authority.credential.read_bytes().replace(b"Amina", b"Imani"))


def forget_status(authority: Place) -> None:
    """Take the status lists out of what the verifier knows."""
    shutil.rmtree(authority.folder / "knowledge" / "status")


def test_a_good_credential_is_verified(authority: Place):
    """Exit code 0, a line for every check, the time of the evidence, and no claim."""
    ended = authority("verify", authority.credential)
    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"{authority.credential}: verified\n")
    shown = {line.split()[0] for line in ended.out.splitlines()[2:]}
    assert shown >= {name.value for name in CheckName}
    assert "as witnessed at" in ended.out
    assert "Amina" not in ended.out


def test_claims_are_shown_on_request(authority: Place):
    """--show-claims prints the subject that the proof covers, in words and as JSON."""
    assert '"full": "Amina Example"' in authority("verify", authority.credential, "--show-claims").out
    [result] = authority("verify", authority.credential, "--show-claims", "--json").json["results"]
    assert result["claims"]["names"][0]["full"] == "Amina Example"


@pytest.mark.parametrize("options", [("--show-claims",), ("--show-claims", "--json")])
def test_claims_of_what_is_not_verified_are_never_shown(authority: Place, options: tuple[str, ...]):
    """Neither a forged credential's claims nor those of one that could not be decided come out."""
    forged = authority("verify", tampered(authority), *options)
    assert (forged.code, "Imani" in forged.out + forged.err) == (1, False)
    forget_status(authority)
    undecided = authority("verify", authority.credential, *options)
    assert (undecided.code, "Amina" in undecided.out + undecided.err) == (3, False)


def test_a_tampered_credential_is_rejected(authority: Place):
    """Exit code 1, and the proof is the check that failed."""
    ended = authority("verify", tampered(authority), "--json")
    assert (ended.code, ended.json["conclusion"]) == (1, "rejected")
    outcomes = {check["name"]: check["outcome"] for check in ended.json["results"][0]["checks"]}
    assert outcomes["proof"] == "failed"


def test_what_can_not_be_decided_is_neither(authority: Place):
    """Exit code 3 where the verifier lacks the status list."""
    forget_status(authority)
    ended = authority("verify", authority.credential, "--json")
    assert (ended.code, ended.json["conclusion"]) == (3, "undecided")


def test_of_several_the_worst_counts(authority: Place):
    """Rejected beats undecided, which beats verified; every file has its result, in order."""
    good, forged = authority.credential, tampered(authority)
    both = authority("verify", good, forged, "--json")
    assert (both.code, [one["conclusion"] for one in both.json["results"]]) == (1, ["verified", "rejected"])
    assert [one["file"] for one in both.json["results"]] == [str(good), str(forged)]
    forget_status(authority)
    assert authority("verify", forged, good).code == 1
    assert authority("verify", good, good).code == 3


def test_the_result_as_json(authority: Place):
    """One object with the same keys in every result and every check."""
    ended = authority("verify", authority.credential, tampered(authority), "--json")
    assert ended.out.count("\n") == 1
    assert ended.out.isascii()
    assert ended.json.keys() == {"conclusion", "results", "knowledgeFaults"}
    for result in ended.json["results"]:
        assert result.keys() == RESULT_KEYS
        assert result["claims"] is None
        assert all(check.keys() == CHECK_KEYS for check in result["checks"])


def test_stdin_is_a_file_too(authority: Place):
    """A credential from - has the verdict that its file has."""
    content = authority.credential.read_bytes()
    assert authority("verify", "-", stdin=content).code == 0
    assert authority("verify", "-", stdin=content.replace(b"Amina", b"Imani")).code == 1
    assert authority("verify", "-", stdin=b"").code == 1


def test_at_asks_about_another_moment(authority: Place):
    """Before its validity began, a credential is not valid; the moment comes back in the result."""
    ended = authority("verify", authority.credential, "--at", "2020-01-31T12:00:00+03:00", "--json")
    [result] = ended.json["results"]
    assert (ended.code, result["at"]) == (1, "2020-01-31T12:00:00+03:00")
    assert {"name": "period", "outcome": "failed", "code": "not-yet-valid"}.items() <= next(
        check for check in result["checks"] if check["name"] == "period"
    ).items()


@pytest.mark.parametrize("moment", ["2026-01-31", "2026-01-31T12:00:00", "now", "", "2026-02-30T12:00:00Z"])
def test_a_moment_has_its_time_zone(authority: Place, moment: str):
    """What is no moment, or one of no known zone, is wrong usage and is not repeated."""
    refused = authority("verify", authority.credential, "--at", moment)
    assert (refused.code, "time zone" in refused.line) == (2, True)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{}",
        b"[]",
        b"\xff\xfe",
        b"null",
        b'{"a":1,"a":1}',
        b"[" * 100,
        b'{"a":"' + b"b" * (1 << 20) + b'"}',
    ],
)
def test_what_is_no_credential_is_rejected(authority: Place, content: bytes):
    """Whatever the file holds, the answer is a verdict."""
    ended = authority("verify", authority.write("file.json", content), "--json")
    assert (ended.code, ended.err) == (1, "")
    assert ended.json["conclusion"] == "rejected"


def test_a_document_can_not_paint_over_its_verdict(authority: Place):
    """Escape sequences and signs of direction in a document's own names reach no terminal."""
    document = json.loads(authority.credential.read_bytes())
    document["\x1b[2J\x1b[31mverified\u202e"] = {"\x1b]0;x\x07": ["\x1b[2J"]}
    document["type"] = ["\x1b[2J"]
    ended = authority("verify", authority.write("file.json", document))
    assert ended.code == 1
    assert not {"\x1b", "\x07", "\u202e"} & set(ended.out + ended.err)


def test_claims_can_not_steer_the_terminal_either(authority: Place):
    """What a verified subject holds is shown with its controls escaped, and with its letters as they are."""
    from vcid.cli.output import printable

    assert printable("\x1b[2J\u202eأمينة می\u200cخواهم\n") == r"\x1b[2J\u202eأمينة می" + "\u200c" + r"خواهم\n"


@pytest.mark.parametrize(
    ("spoil", "told"),
    [
        (lambda folder: (folder / "vcid.toml").unlink(), "vcid init"),
        (lambda folder: (folder / "vcid.toml").write_text("[verifier]\npolicy = 1"), "/verifier/knowledge"),
        (lambda folder: (folder / "policy.json").unlink(), "policy.json"),
        (lambda folder: (folder / "policy.json").write_text('{"suites": 1}'), "/suites"),
        (lambda folder: shutil.rmtree(folder / "knowledge"), "no-knowledge"),
    ],
)
def test_a_wrong_set_up_is_no_verdict(authority: Place, spoil, told: str):
    """Without policy, knowledge or settings the command ends in 2 and says what is missing."""
    credential = authority.write("credential.json", authority.credential.read_bytes())
    spoil(authority.folder)
    refused = authority("verify", credential)
    assert (refused.code, told in refused.line) == (2, True)


def test_a_memory_that_fails_leaves_all_undecided(authority: Place):
    """Where the memory of the logs can't be used, the credential is neither verified nor rejected."""
    (authority.folder / "views.db").mkdir()
    failed = authority("verify", authority.credential)
    assert failed.code == 3
    assert failed.line


def test_damaged_knowledge_is_named(authority: Place):
    """A file that can't be read is left out, told on stderr and in the JSON; its checks are unknown."""
    path, _ = sorted((authority.folder / "knowledge" / "status").glob("*.json"))
    path.write_bytes(b"{")
    ended = authority("verify", authority.credential, "--json")
    assert ended.code == 3
    assert f"status/{path.name}" in ended.err
    assert [fault["field"] for fault in ended.json["knowledgeFaults"]] == [f"status/{path.name}"]


@pytest.mark.parametrize("arguments", [(), ("missing.json",), (".",), ("--what", "-")])
def test_wrong_usage(authority: Place, arguments: tuple[str, ...]):
    """No file, a file that isn't there, a folder and an unknown option end in 2."""
    refused = authority("verify", *arguments)
    assert refused.code == 2
    assert refused.line


def test_a_revoked_credential_is_refused_after_publication(authority: Place):
    """Revoking changes nothing for verifiers until it is published; afterwards the old list is superseded."""
    shutil.copytree(authority.folder / "knowledge", authority.folder / "old")
    assert authority("revoke", "--key", "row-1").code == 0
    assert authority("verify", authority.credential).code == 0
    assert authority("publish").code == 0
    ended = authority("verify", authority.credential, "--json")
    assert ended.code == 1
    assert "revoked" in {check["code"] for check in ended.json["results"][0]["checks"]}
    config = authority.folder / "vcid.toml"
    config.write_text(config.read_text().replace('"knowledge"', '"old"'))
    old = authority("verify", authority.credential, "--json")
    assert old.code != 0
    assert "anchor" in {check["name"] for check in old.json["results"][0]["checks"] if check["code"]}


def show_another_version(authority: Place) -> str:
    """Let the verifier have seen another version of the log, of the same size; give the log's key."""
    read = tomllib.loads((authority.folder / "vcid.toml").read_text())
    wallet, origin = Wallet.open(authority.folder / "keys.json", PASSPHRASE), read["ledger"]["origin"]
    log = NoteKey.of_log(origin, wallet.signer("ledger").public_key)
    witness = ReplayingWitness.open(
        "sqlite://", name=read["witness"]["name"], signer=wallet.signer("witness"), logs=[log]
    )
    other = Ledger.open("memory:", origin=origin, signer=wallet.signer("ledger"), witnesses=[witness])
    known = next(iter(Knowledge.load(authority.folder / "knowledge").logs.values()))
    size, owner = Checkpoint.parse(Note.parse(known.note).text).size, LocalSigner.generate()
    lists = [str(number) for number in range(size - 1)]
    other.append(
        [Entry.sign(owner, kind=Kind.STATUS_LIST, list_id=one, seq=0, digest=bytes(32)) for one in lists]
    )
    views = SqlViewStore.open(f"sqlite:///{authority.folder}/views.db")
    views.advance(None, other.publish())
    views.close()
    return log.vkey


def test_a_log_that_shows_two_versions_is_told_of_and_the_evidence_kept(authority: Place):
    """It names the log and the file, which `vcid witness evidence` accepts; without a folder it says how."""
    vkey = show_another_version(authority)
    told = authority("verify", authority.credential)
    assert (told.code, "two versions of itself: --evidence-out" in told.err) == (3, True)
    folder = authority.folder / "evidence"
    kept = authority("verify", authority.credential, authority.credential, "--evidence-out", folder, "--json")
    assert (kept.code, kept.json["results"][0].keys()) == (3, RESULT_KEYS)
    [file] = folder.iterdir()
    assert str(file) in kept.err
    assert authority("witness", "evidence", file, "--log", vkey).code == 0


def test_evidence_that_can_not_be_kept_changes_no_verdict(authority: Place):
    """The folder is a file: the verdict stands, and stderr says why nothing is kept."""
    show_another_version(authority)
    ended = authority("verify", authority.credential, "--evidence-out", authority.folder / "keys.json" / "x")
    assert (ended.code, "can't be kept" in ended.err) == (3, True)


def test_without_evidence_nothing_is_kept(authority: Place):
    """A good credential makes no folder."""
    assert (
        authority("verify", authority.credential, "--evidence-out", authority.folder / "evidence").err == ""
    )
    assert not (authority.folder / "evidence").exists()

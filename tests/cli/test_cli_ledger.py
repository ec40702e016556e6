"""`vcid ledger`: a log is set up, published, exported, replayed, proven from, judged and followed."""

from __future__ import annotations

import hashlib
import json
import shutil
import sqlite3
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.conftest import Place
from vcid.knowledge import Knowledge
from vcid.policy import Policy


@pytest.fixture
def exported(authority: Place) -> Path:
    """The authority's log as tiles."""
    folder = authority.folder / "tiles"
    assert authority("ledger", "export", folder).code == 0
    return folder


@pytest.fixture
def status_list(authority: Place) -> Path:
    """One of the authority's status lists as it was published."""
    return min((authority.folder / "knowledge" / "status").glob("*.json"))


def owner_of(place: Place) -> str:
    """The key that owns the authority's topics."""
    [accreditation] = Policy.load(place.folder / "policy.json").accreditations
    assert accreditation.owner is not None
    return accreditation.owner.multikey


def id_of(document: Path) -> str:
    return json.loads(document.read_bytes())["id"]


# A log of its own


def test_a_log_is_set_up_and_published(nowhere: Place):
    """It has keys, a policy for verifiers and a first checkpoint; a heartbeat adds one leaf."""
    made = nowhere(
        "ledger",
        "init",
        nowhere.folder,
        "--origin",
        "log.example/civil",
        "--key-cost",
        "interactive",
        "--json",
    )
    assert (made.code, made.json["origin"], made.json["checkpointSize"]) == (0, "log.example/civil", 1)
    [log] = Policy.load(made.json["policy"]).logs
    assert [key.vkey for key in log.log_keys] == [made.json["logKey"]]
    published = nowhere("ledger", "publish", "--json")
    assert published.json.keys() == {"log", "checkpointSize", "witnessedAt", "tiles", "seconds"}
    assert published.json["checkpointSize"] == 2
    assert published.json["witnessedAt"].endswith("+00:00")
    tiles = nowhere.folder / "tiles"
    assert nowhere("ledger", "publish", "--tiles", tiles).code == 0
    replayed = nowhere("ledger", "replay", tiles, "--json")
    assert (replayed.code, replayed.json["leaves"], replayed.json["headsLeaves"]) == (0, 3, 3)


def test_nothing_is_overwritten_by_init(authority: Place):
    """Where an authority is set up, no log takes its place, and its files stay as they are."""
    before = (authority.folder / "keys.json").read_bytes()
    refused = authority("ledger", "init", authority.folder, "--origin", "log.example/other")
    assert (refused.code, "file-exists" in refused.line) == (1, True)
    assert (authority.folder / "keys.json").read_bytes() == before


@pytest.mark.parametrize("origin", ["", "two words", "a+b"])
def test_an_origin_is_a_key_name(nowhere: Place, origin: str):
    """A name that no note could be signed under is refused before anything is made."""
    refused = nowhere("ledger", "init", nowhere.folder / "new", "--origin", origin)
    assert refused.code == 1
    assert not (nowhere.folder / "new").exists()


@pytest.mark.parametrize(
    "command", [("publish",), ("export", "tiles"), ("replay",), ("prove", "--topic", "00" * 32), ("monitor",)]
)
def test_without_a_log_nothing_is_done(authority: Place, command: tuple[str, ...]):
    """Where vcid.toml describes none, and no tiles are named, it is wrong set-up."""
    config = authority.folder / "vcid.toml"
    config.write_text("[verifier]" + config.read_text().partition("[verifier]")[2])
    refused = authority("ledger", *command)
    assert (refused.code, "[ledger]" in refused.line) == (2, True)


def test_a_log_that_has_gone_is_not_made_anew(authority: Place):
    """A missing store is said; an empty one would look like a log of its own."""
    (authority.folder / "ledger.db").unlink()
    refused = authority("ledger", "export", authority.folder / "tiles")
    assert (refused.code, "backup" in refused.line) == (1, True)
    assert not (authority.folder / "ledger.db").exists()


# Export and replay


def test_an_export_is_incremental(authority: Place, exported: Path):
    """The second export adds what was published since, and needs no passphrase."""
    authority("publish")
    ended = authority("ledger", "export", exported, "--json", VCID_PASSPHRASE=None)
    assert ended.json.keys() == {"log", "checkpointSize", "added", "files", "folder"}
    assert (ended.code, 0 < ended.json["added"] < ended.json["checkpointSize"]) == (0, True)
    assert "0 of them new" in authority("ledger", "export", exported).out


def test_a_restored_backup_is_not_exported(authority: Place, exported: Path):
    """A folder that is ahead of the log stops the export."""
    shutil.copy(authority.folder / "ledger.db", authority.folder / "backup.db")
    authority("publish")
    authority("ledger", "export", exported)
    for suffix in ("-wal", "-shm"):
        (authority.folder / f"ledger.db{suffix}").unlink(missing_ok=True)
    shutil.move(authority.folder / "backup.db", authority.folder / "ledger.db")
    refused = authority("ledger", "export", exported)
    assert (refused.code, "old copy" in refused.line) == (1, True)


def test_a_replay_agrees(authority: Place, exported: Path):
    """Tiles and store have the same leaves; without the store it says that it compared with none."""
    ended = authority("ledger", "replay", exported, "--json", VCID_PASSPHRASE=None)
    assert (ended.code, ended.json["agrees"], ended.json["comparedStore"], ended.json["difference"]) == (
        *(0, True, True),
        None,
    )
    words = authority("ledger", "replay", exported)
    assert "agrees with the checkpoint and with the store" in words.out
    config = authority.folder / "vcid.toml"
    config.write_text("[verifier]" + config.read_text().partition("[verifier]")[2])
    alone = authority("ledger", "replay", exported)
    assert (alone.code, "compared with no store" in alone.err) == (0, True)


def test_a_replay_says_the_first_difference(authority: Place, exported: Path):
    """An altered file ends in 1 and is named."""
    [bundle] = (exported / "tile" / "entries" / "000.p").iterdir()
    data = bytearray(bundle.read_bytes())
    data[-1] ^= 1
    bundle.write_bytes(data)
    ended = authority("ledger", "replay", exported, "--json")
    assert (ended.code, ended.json["agrees"], ended.json["difference"]["code"]) == (1, False, "corrupt")
    assert "tile/entries/000.p" in authority("ledger", "replay", exported).out


def test_the_store_itself_is_audited(authority: Place):
    """Without tiles the store is rebuilt from its own leaves, and damage to it is said."""
    assert authority("ledger", "replay").code == 0
    with sqlite3.connect(authority.folder / "ledger.db") as database:
        database.execute("UPDATE log_heads SET entry_hash = zeroblob(32)")
    database.close()
    ended = authority("ledger", "replay", "--json")
    assert (ended.code, ended.json["agrees"], ended.json["difference"]["code"]) == (1, False, "corrupt")


@pytest.mark.parametrize("place", ["nowhere", "ftp://log.example", "https://user@log.example"])
def test_a_place_of_tiles_is_a_folder_or_a_url(authority: Place, place: str):
    """Anything else is wrong usage."""
    assert authority("ledger", "replay", place).code == 2


def test_a_log_key_may_be_given(authority: Place, exported: Path):
    """The key decides which log is read; what is no verifier key is wrong usage."""
    [log] = Policy.load(authority.folder / "policy.json").logs
    vkey = log.log_keys[-1].vkey
    assert authority("ledger", "replay", exported, "--log-key", vkey).code == 0
    assert authority("ledger", "replay", exported, "--log-key", "civil.example").code == 2


class Quiet(SimpleHTTPRequestHandler):
    """An ordinary web server."""

    def log_message(self, *arguments):
        """Say nothing."""


def test_a_log_is_read_over_http(authority: Place, exported: Path, own_server):
    """A URL stands where a folder does, for replay, monitor and prove."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=exported))
    own_server(server.server_port)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_port}"
    try:
        assert authority("ledger", "replay", url, "--json").json["agrees"] is True
        assert authority("ledger", "monitor", url, "--json").json["outcome"] == "ok"
        asked = ("ledger", "prove", "--topic", "00" * 32)
        assert authority(*asked, "--tiles", url).out == authority(*asked).out
        missing = authority("ledger", "replay", f"{url}/none", "--json")
        assert (missing.code, missing.json["difference"]["code"]) == (1, "not-found")
    finally:
        server.shutdown()
        server.server_close()


# Receipts


def test_a_receipt_is_written_and_judged(authority: Place, status_list: Path):
    """A status list's receipt is ok by the policy; in words, it says as of when."""
    receipt = authority.folder / "list.receipt"
    proven = authority(
        *("ledger", "prove", "--owner", owner_of(authority), "--list", id_of(status_list)),
        *("--out", receipt, "--json"),
        VCID_PASSPHRASE=None,
    )
    assert (proven.code, proven.json["file"]) == (0, str(receipt))
    checked = authority("ledger", "check", receipt, "--document", status_list, "--json")
    assert checked.json.keys() == {"outcome", "code", "freshness", "existence"}
    assert (checked.code, checked.json["outcome"], checked.json["code"]) == (0, "ok", "")
    words = authority("ledger", "check", receipt, "--document", status_list)
    assert "newest as of 20" in words.out


def test_a_receipt_goes_to_stdout_and_from_tiles(authority: Place, exported: Path, status_list: Path):
    """The tiles give the store's own receipt, byte for byte."""
    asked = ("ledger", "prove", "--owner", owner_of(authority), "--list", id_of(status_list))
    from_store, from_tiles = authority(*asked), authority(*asked, "--tiles", exported)
    assert from_store.out == from_tiles.out
    assert from_store.out.startswith("vcid.ledger/head-receipt@v1\n")
    assert authority(*asked, "--json").json["receipt"] == from_store.out


def prove(place: Place, status_list: Path, *options: object) -> Path:
    receipt = place.folder / "some.receipt"
    asked = ("--owner", owner_of(place), "--list", id_of(status_list))
    assert place("ledger", "prove", *asked, *options, "--out", receipt).code == 0
    return receipt


def test_an_old_receipt_is_stale(authority: Place, status_list: Path):
    """A month later the same receipt decides nothing: exit code 3."""
    receipt = prove(authority, status_list)
    checked = authority(
        "ledger", "check", receipt, "--document", status_list, "--now", "2999-01-01T00:00:00Z", "--json"
    )
    assert (checked.code, checked.json["outcome"]) == (3, "stale")


def test_an_older_document_is_not_the_newest(authority: Place, status_list: Path):
    """Another digest than the newest entry's is not anchored: exit code 1."""
    receipt = prove(authority, status_list)
    other = authority(
        "ledger",
        "check",
        receipt,
        "--digest",
        "ab" * 32,
        "--owner",
        owner_of(authority),
        "--list",
        id_of(status_list),
        "--json",
    )
    assert (other.code, other.json["outcome"]) == (1, "not_anchored")


def test_a_receipt_older_than_what_is_remembered_is_stale(authority: Place, status_list: Path):
    """The verifier's memory is asked, and not changed: an earlier checkpoint's receipt is old news."""
    receipt = prove(authority, status_list)
    authority("publish")
    assert authority("verify", authority.credential).code == 0
    checked = authority("ledger", "check", receipt, "--document", status_list, "--json")
    assert (checked.code, checked.json["code"]) == (3, "receipt-older-than-view")


def test_a_spoilt_receipt_is_invalid(authority: Place, status_list: Path):
    """A changed hash ends in 1, what is no receipt in one line."""
    receipt = prove(authority, status_list)
    spoilt = authority.write("spoilt", receipt.read_bytes().replace(b"\nindex ", b"\nindex 1", 1))
    assert (
        authority("ledger", "check", spoilt, "--document", status_list, "--json").json["outcome"] == "invalid"
    )
    refused = authority("ledger", "check", authority.write("none", b"nothing"), "--document", status_list)
    assert (refused.code, "receipt" in refused.line) == (1, True)


def test_inclusion_says_when_and_not_whether_it_is_the_newest(authority: Place, status_list: Path):
    """An entry's own receipt shows that it exists, and leaves the rest undecided."""
    receipt = prove(authority, status_list, "--seq", "0")
    assert receipt.read_bytes().startswith(b"c2sp.org/tlog-proof@v1\n")
    digest = hashlib.sha256(status_list.read_bytes()).hexdigest()
    asked = ("--digest", digest, "--owner", owner_of(authority), "--list", id_of(status_list))
    checked = authority("ledger", "check", receipt, *asked, "--json")
    assert (checked.code, checked.json["code"], checked.json["existence"] is not None) == (
        3,
        "no-head-receipt",
        True,
    )
    absent = authority(
        "ledger", "prove", "--owner", owner_of(authority), "--list", id_of(status_list), "--seq", "99"
    )
    assert (absent.code, "not-found" in absent.line) == (1, True)


def test_an_absent_topic_is_proven_absent(authority: Place):
    """A list that its owner never anchored has a receipt that says so."""
    receipt = authority.folder / "absent.receipt"
    asked = ("--owner", owner_of(authority), "--list", "https://civil.example/status/none")
    assert authority("ledger", "prove", *asked, "--out", receipt).code == 0
    checked = authority("ledger", "check", receipt, *asked, "--digest", "00" * 32, "--json")
    assert (checked.code, checked.json["outcome"], checked.json["code"]) == (1, "not_anchored", "absent")


def test_a_did_document_is_judged(authority: Place):
    """A DID document's owner is the one that the policy names for it."""
    [path] = (authority.folder / "knowledge" / "dids").glob("*.json")
    receipt = authority.folder / "did.receipt"
    asked = ("--owner", owner_of(authority), "--kind", "did-document", "--list", id_of(path))
    assert authority("ledger", "prove", *asked, "--out", receipt).code == 0
    assert authority("ledger", "check", receipt, "--document", path).code == 0


def test_a_credential_is_dated(authority: Place):
    """By its key in the registry a credential has a receipt of its own, which dates it and no other."""
    authority("publish")
    receipt = authority.folder / "credential.receipt"
    assert authority("ledger", "prove", "--key", "row-1", "--out", receipt).code == 0
    checked = authority("ledger", "check", receipt, "--document", authority.credential, "--json")
    assert (checked.code, checked.json["outcome"]) == (0, "ok")
    assert checked.json["existence"].endswith("+00:00")
    other = authority("ledger", "check", receipt, "--digest", "ab" * 32, "--json")
    assert (other.code, other.json["code"]) == (1, "not-in-batch")
    unknown = authority("ledger", "prove", "--key", "row-2", "--out", receipt)
    assert unknown.code == 1
    assert "row-2" not in unknown.err


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--topic", "ab"),
        ("--topic", "zz" * 32),
        ("--owner", "no key"),
        ("--list", "https://civil.example/status/1"),
        ("--owner", "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"),
        ("--kind", "birth", "--topic", "00" * 32),
    ],
)
def test_what_is_to_be_proven_has_to_be_said(authority: Place, options: tuple[str, ...]):
    """Half a question is wrong usage."""
    assert authority("ledger", "prove", *options).code == 2


def test_a_check_needs_a_question(authority: Place, status_list: Path):
    """A receipt alone, or a document of somebody whom the policy does not know, is no question."""
    receipt = prove(authority, status_list)
    assert authority("ledger", "check", receipt).code == 2
    stranger = authority.write(
        "stranger.json", {"id": "https://other.example/1", "issuer": "did:web:other.example"}
    )
    assert authority("ledger", "check", receipt, "--document", stranger).code == 2


# Following


def test_a_monitor_shows_each_entry_once(authority: Place, exported: Path):
    """The first look shows all, the second nothing, the third what was published since."""
    first = authority(
        "ledger", "monitor", exported, "--owner", owner_of(authority), "--json", VCID_PASSPHRASE=None
    )
    assert first.json.keys() == {
        "log",
        "checkpointSize",
        "since",
        "witnessedAt",
        "outcome",
        "code",
        "entries",
    }
    assert (first.code, first.json["since"], first.json["outcome"]) == (0, 0, "ok")
    assert {entry["kind"] for entry in first.json["entries"]} >= {"did-document", "status-list"}
    assert {entry["known"] for entry in first.json["entries"]} == {None}
    assert authority("ledger", "monitor", exported, "--json").json["entries"] == []
    authority("publish")
    authority("ledger", "export", exported)
    later = authority("ledger", "monitor", exported, "--json")
    assert (later.code, later.json["since"]) == (0, first.json["checkpointSize"])
    assert later.json["entries"]


def test_a_monitor_reads_the_store_too(authority: Place):
    """Without tiles it looks at the log of [ledger], in words."""
    ended = authority("ledger", "monitor")
    assert (ended.code, "status-list number 0" in ended.out) == (0, True)


def test_an_unknown_entry_is_an_alarm(authority: Place, exported: Path):
    """What the owner has no record of ends in 1 and is marked; with the full record all is well."""
    known = Knowledge.load(authority.folder / "knowledge")
    digests = [one.digest.hex() for one in [*known.did_documents.values()]]
    record = authority.write("known.txt", "\n".join(digests).encode())
    ended = authority("ledger", "monitor", exported, "--known", record, "--memory", authority.folder / "a.db")
    assert (ended.code, "UNKNOWN: leaf" in ended.out) == (1, True)
    everything = authority(
        "ledger", "monitor", exported, "--memory", authority.folder / "b.db", "--json"
    ).json
    full = authority.write("known.txt", "\n".join(one["digest"] for one in everything["entries"]).encode())
    calm = authority(
        "ledger", "monitor", exported, "--known", full, "--memory", authority.folder / "c.db", "--json"
    )
    assert (calm.code, {one["known"] for one in calm.json["entries"]}) == (0, {True})
    wrong = authority("ledger", "monitor", exported, "--known", authority.write("bad", b"abc"))
    assert (wrong.code, "line 1" in wrong.line) == (1, True)


def test_a_rolled_back_log_is_an_alarm(authority: Place, exported: Path):
    """An old copy in the place of a newer one that was seen ends in 1."""
    shutil.copytree(exported, authority.folder / "old")
    authority("publish")
    authority("ledger", "export", exported)
    assert authority("ledger", "monitor", exported).code == 0
    ended = authority("ledger", "monitor", authority.folder / "old", "--json")
    assert (ended.code, ended.json["outcome"], ended.json["entries"]) == (1, "rollback", [])


def test_an_altered_log_is_an_alarm(authority: Place, exported: Path):
    """Tiles that the checkpoint does not commit to end in 1, and nothing of them is shown."""
    [bundle] = (exported / "tile" / "entries" / "000.p").iterdir()
    bundle.write_bytes(bundle.read_bytes()[:-1] + b"\0")
    ended = authority("ledger", "monitor", exported, "--json")
    assert (ended.code, ended.json["outcome"], ended.json["code"]) == (1, "invalid", "corrupt")


def test_the_other_logs_policy_is_refused(authority: Place, exported: Path, nowhere: Place):
    """A policy about another log says nothing of this one."""
    made = nowhere(
        "ledger",
        "init",
        nowhere.folder,
        "--origin",
        "log.example/civil",
        "--key-cost",
        "interactive",
        "--json",
    )
    refused = authority("ledger", "monitor", "--policy", made.json["policy"])
    assert (refused.code, "another log" in refused.line) == (2, True)
    foreign = authority("ledger", "monitor", exported, "--policy", made.json["policy"])
    assert (foreign.code, "wrong-origin" in foreign.line) == (1, True)
    assert authority("ledger", "monitor", "--origin", "log.example/none").code == 2

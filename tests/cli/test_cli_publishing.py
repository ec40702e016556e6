"""`vcid publish`, `vcid revoke` and `vcid registry recover`: what changes, what is refused, what is said."""

from __future__ import annotations

import shutil

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.conftest import PASSPHRASE, RECORD, Place
from vcid.keys.encrypted_file import Argon2Cost
from vcid.keys.wallet import Wallet
from vcid.knowledge import Knowledge

STORES = ("registry.db", "ledger.db", "witness.db")


def back_up(authority: Place, *names: str) -> None:
    """Keep copies of stores, all of whose connections are closed."""
    for name in names:
        shutil.copy(authority.folder / name, authority.folder / f"{name}.bak")


def restore(authority: Place, *names: str) -> None:
    """Put the copies back."""
    for name in names:
        for suffix in ("-wal", "-shm"):
            (authority.folder / f"{name}{suffix}").unlink(missing_ok=True)
        shutil.move(authority.folder / f"{name}.bak", authority.folder / name)


def test_publishing_refreshes_the_knowledge(authority: Place):
    """The checkpoint grows, every list has a new version, and the folder holds both."""
    before = Knowledge.load(authority.folder / "knowledge")
    ended = authority("publish", "--json")
    assert ended.code == 0
    assert ended.json.keys() == {"log", "checkpointSize", "witnessedAt", "lists", "knowledge", "seconds"}
    assert ended.json["log"] == "civil.example/log"
    assert ended.json["witnessedAt"].endswith("+00:00")
    published = ended.json["lists"]
    assert {(it["id"] in before.status_lists, it["seq"]) for it in published} == {(True, 1)}
    assert len(published) == len(before.status_lists) == 2
    after = Knowledge.load(authority.folder / "knowledge")
    assert after.logs.keys() == before.logs.keys()
    assert after.logs["civil.example/log"].note != before.logs["civil.example/log"].note
    assert authority("verify", authority.credential).code == 0


def test_publishing_in_words(authority: Place):
    """Size, lists and time are said on stdout."""
    ended = authority("publish", "--room", "10")
    assert (ended.code, ended.err) == (0, "")
    assert "checkpoint of 9 leaves in civil.example/log, witnessed 20" in ended.out
    assert "version 1" in ended.out


def test_a_key_may_rest_in_a_file_of_its_own(authority: Place):
    """A key file serves where a wallet's key served, and a wallet in its place is refused."""
    wallet, file = Wallet.open(authority.folder / "keys.json", PASSPHRASE), authority.folder / "ledger.key"
    wallet.signer("ledger").save(file, PASSPHRASE, cost=Argon2Cost(1, 8192))
    config = authority.folder / "vcid.toml"
    config.write_text(config.read_text().replace("keys.json#ledger", "ledger.key"))
    assert authority("publish").code == 0
    shutil.copy(authority.folder / "keys.json", file)
    refused = authority("publish")
    assert (refused.code, "wrong-kind" in refused.line) == (1, True)


@pytest.mark.parametrize("command", [("publish",), ("revoke", "--key", "a"), ("registry", "recover")])
def test_a_verifier_has_nothing_to_publish(authority: Place, command: tuple[str, ...]):
    """Where vcid.toml describes no issuer, an issuer's commands are wrong set-up."""
    config = authority.folder / "vcid.toml"
    config.write_text("[verifier]" + config.read_text().partition("[verifier]")[2])
    refused = authority(*command)
    assert (refused.code, "/issuer" in refused.line) == (2, True)


def test_what_others_published_stays_in_the_folder(authority: Place):
    """A refreshed folder keeps what it holds of other authorities, and names what it can't read."""
    folder = authority.folder / "knowledge" / "dids"
    (folder / "court.json").write_text('{"id": "did:web:court.example"}')
    (folder / "broken.json").write_text("{")
    ended = authority("publish")
    assert (ended.code, "dids/broken.json" in ended.err) == (0, True)
    assert Knowledge.load(authority.folder / "knowledge").did_documents.keys() == {
        "did:web:court.example",
        "did:web:civil.example",
    }


def test_the_folder_may_be_another(authority: Place):
    """--knowledge names it, and without [verifier] and without it none is written."""
    other = authority.folder / "other"
    assert authority("publish", "--knowledge", other, "--json").json["knowledge"] == str(other)
    assert Knowledge.load(other).status_lists
    config = authority.folder / "vcid.toml"
    config.write_text(config.read_text().partition("[verifier]")[0])
    assert authority("publish", "--json").json["knowledge"] is None


def test_without_a_witness_nothing_is_witnessed(authority: Place):
    """A vcid.toml without [witness] publishes, and says that no time was vouched for."""
    config = authority.folder / "vcid.toml"
    config.write_text(config.read_text().partition("[witness]")[0])
    assert authority("publish", "--json").json["witnessedAt"] is None
    assert "not witnessed" in authority("publish").out


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("keys.json#ledger", "keys.json#nobody", 1),
        ("keys.json#ledger", "nothing.json", 1),
        ("keys.json#ledger", "keys.json#issuer", 1),
        ("civil.example/log", "other.example/log", 1),
        ("keys.json#witness", "keys.json#ledger", 2),
        ("did:web:civil.example", "did:example:civil", 2),
    ],
)
def test_parts_that_do_not_fit_end_in_one_line(authority: Place, old: str, new: str, code: int):
    """A key that isn't there, another log's store, a witness that is the log: each is told, and nothing done."""
    config = authority.folder / "vcid.toml"
    config.write_text(config.read_text().replace(old, new))
    refused = authority("publish")
    assert refused.code == code
    assert refused.line


def test_a_credential_is_revoked_once(authority: Place):
    """By its key or by itself, without a passphrase; the second time nothing changes, and it is no error."""
    first = authority("revoke", "--key", "row-1", "--json", VCID_PASSPHRASE=None)
    assert (first.code, first.json) == (0, {"revoked": True, "changed": True})
    second = authority("revoke", "--credential", authority.credential, "--json")
    assert (second.code, second.json) == (0, {"revoked": True, "changed": False})
    assert "before" in authority("revoke", "--credential", "-", stdin=authority.credential.read_bytes()).out


@pytest.mark.parametrize(
    "content", [b"", b"[]", b"{}", b'{"id": 7}', b'{"id": "urn:uuid:00000000-0000-4000-8000-000000000000"}']
)
def test_what_was_not_issued_is_not_revoked(authority: Place, content: bytes):
    """A file that is no credential, or another issuer's, ends in 1."""
    refused = authority("revoke", "--credential", authority.write("file.json", content))
    assert refused.code == 1
    assert refused.line


def test_an_unknown_key_is_not_repeated(authority: Place):
    """The caller's key may be a person's; the error does not show it."""
    refused = authority("revoke", "--key", "Amina Example")
    assert (refused.code, "not-found" in refused.line) == (1, True)
    assert "Amina" not in refused.err


@pytest.mark.parametrize(
    "arguments", [(), ("--key", "a", "--credential", "-"), ("--key", "a", "Amina"), ("--key", "Amina\udcff")]
)
def test_revoking_needs_one_name(authority: Place, arguments: tuple[str, ...]):
    """Neither none nor two; and what stands in the wrong place is not repeated."""
    refused = authority("revoke", *arguments)
    assert refused.code == 2
    assert "Amina" not in refused.line


def test_a_missing_registry_is_not_made_anew(authority: Place):
    """An empty registry would know of nothing: revoking says that the store has gone."""
    (authority.folder / "registry.db").unlink()
    refused = authority("revoke", "--key", "row-1")
    assert (refused.code, "no registry.db" in refused.line) == (1, True)
    assert not (authority.folder / "registry.db").exists()


def test_a_restored_backup_is_refused_and_recovered(authority: Place):
    """A registry behind its publications issues nothing until it is recovered; the revocation is not lost."""
    back_up(authority, "registry.db")
    assert authority("revoke", "--key", "row-1").code == 0
    assert authority("publish").code == 0
    restore(authority, "registry.db")
    record = authority.write("birth.json", RECORD)
    for command in (("publish",), ("issue", record, "--key", "row-2")):
        refused = authority(*command)
        assert refused.code == 1
        assert "vcid registry recover" in refused.err
    ended = authority("registry", "recover", "--json")
    assert ended.code == 0
    assert ended.json.keys() == {"retired", "missed", "adopted", "lost", "unmerged", "bitsMerged", "voided"}
    assert ended.json["missed"] == ended.json["retired"]
    assert ended.json["bitsMerged"] > 0
    assert authority("publish").code == 0
    assert authority("verify", authority.credential).code == 1
    assert authority("issue", record, "--key", "row-2").code == 0


def test_recovery_without_the_lists_has_to_be_asked_for(authority: Place):
    """Where what was published is not at hand, revocations would come undone: only --accept-loss goes on."""
    back_up(authority, "registry.db")
    assert authority("revoke", "--key", "row-1").code == 0
    assert authority("publish").code == 0
    restore(authority, "registry.db")
    shutil.rmtree(authority.folder / "knowledge")
    assert "contents-missing" in authority("registry", "recover").line
    empty = authority.folder / "empty"
    empty.mkdir()
    refused = authority("registry", "recover", "--published", empty)
    assert (refused.code, "contents-missing" in refused.line) == (1, True)
    ended = authority("registry", "recover", "--published", empty, "--accept-loss")
    assert (ended.code, "lost: " in ended.out) == (0, True)


def test_recovery_takes_a_plain_folder_of_lists(authority: Place):
    """The lists may lie in any folder, among other files; an older version than the newest is not enough."""
    back_up(authority, "registry.db")
    lists = authority.folder / "lists"
    shutil.copytree(authority.folder / "knowledge" / "status", authority.folder / "older")
    assert authority("revoke", "--key", "row-1").code == 0
    assert authority("publish").code == 0
    shutil.copytree(authority.folder / "knowledge" / "status", lists)
    (lists / "notes.json").write_text("{")
    (lists / "other.json").write_text(
        '{"id": "https://other.example/status/1", "issuer": "did:web:a.example"}'
    )
    restore(authority, "registry.db")
    older = authority("registry", "recover", "--published", authority.folder / "older")
    assert (older.code, "contents-missing" in older.line) == (1, True)
    ended = authority("registry", "recover", "--published", lists)
    assert (ended.code, "notes.json" in ended.err) == (0, True)
    assert "now run: vcid publish" in ended.out


def test_a_ledger_that_is_a_backup_does_not_fork(authority: Place):
    """A ledger behind its witness signs nothing."""
    back_up(authority, "ledger.db")
    assert authority("publish").code == 0
    restore(authority, "ledger.db")
    refused = authority("publish")
    assert refused.code == 1
    assert refused.line


@pytest.mark.parametrize("room", ["-1", "10000001", "many"])
def test_room_is_a_number_within_bounds(authority: Place, room):
    """More lists than anybody could publish are wrong usage."""
    assert authority("publish", "--room", room).code == 2

"""`vcid init`: what it sets up, what it refuses, and that it neither overwrites nor leaves halves."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Mapping
from pathlib import Path

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.conftest import PASSPHRASE, Place
from vcid.cli.config import Config
from vcid.cli.init import Plan, set_up
from vcid.dids.documents import DidDocument
from vcid.encoding.json import parse_object
from vcid.errors import Conflict, Locked
from vcid.keys.encrypted_file import Argon2Cost
from vcid.keys.wallet import Wallet
from vcid.knowledge import Knowledge
from vcid.policy import Policy

CHEAP = ("--key-cost", "interactive")
PUBLIC = ("vcid.toml", "policy.json", "did.json")
AUTHORITY = ("--domain", "civil.example", "--jurisdiction", "KE", *CHEAP)


def test_an_authority_is_whole(prototype: Path):
    """Every part is there, readable by whom it is for, and the parts agree with each other."""
    config = Config.load(prototype / "vcid.toml")
    issuer, ledger = config.issuing()
    assert (issuer.did, ledger.origin) == ("did:web:civil.example", "civil.example/log")
    for secret in ("keys.json", "registry.db", "ledger.db", "witness.db"):
        assert stat.S_IMODE((prototype / secret).stat().st_mode) == 0o600
    assert Wallet.open(prototype / "keys.json", PASSPHRASE).names() == ("issuer", "ledger", "witness")
    document = DidDocument.parse(parse_object((prototype / "did.json").read_bytes()))
    policy = Policy.parse((prototype / "policy.json").read_bytes())
    [accreditation] = policy.accreditations
    assert (accreditation.issuer, accreditation.document_digest) == (document.id, document.digest)
    assert accreditation.jurisdictions == {"KE"}
    knowledge = Knowledge.load(prototype / "knowledge")
    assert (set(knowledge.did_documents), set(knowledge.logs)) == ({document.id}, {ledger.origin})
    assert not knowledge.faults


def test_no_key_lies_in_clear(prototype: Path):
    """The wallet opens with the passphrase and with no other."""
    assert "privateKey" not in (prototype / "keys.json").read_text()
    with pytest.raises(Locked):
        Wallet.open(prototype / "keys.json", "another passphrase")


def test_the_result_as_json(nowhere: Place):
    """--json names what was made, on a DID below a path with a port, in a folder that has to be made."""
    did = "did:web:example.org%3A8443:civil"
    folder = nowhere.folder / "below" / "authority"
    made = nowhere("init", folder, "--did", did, "--jurisdiction", "ET-AA", *CHEAP, "--json")
    assert made.code == 0
    assert made.json.keys() == {"config", "did", "didDocument", "policy", "knowledge", "publication"}
    assert (made.json["did"], made.json["config"]) == (did, str(folder / "vcid.toml"))
    assert made.json["publication"]["log"] == "example.org:8443/civil/log"
    assert Config.load(folder / "vcid.toml").issuing()[0].jurisdiction == "ET-AA"


def test_nothing_is_overwritten(authority: Place):
    """A second init in the folder is refused, and changes no file."""
    before = {path: path.read_bytes() for path in authority.folder.iterdir() if path.is_file()}
    again = authority("init", authority.folder, *AUTHORITY)
    assert again.code == 1
    assert "file-exists" in again.line
    assert {path: path.read_bytes() for path in authority.folder.iterdir() if path.is_file()} == before


@pytest.mark.parametrize("name", ["policy.json", "registry.db-wal", "knowledge", "keys.json"])
def test_whatever_stands_in_the_way_stays(nowhere: Place, name: str):
    """One file of the names that init uses is enough to refuse, and it is all that stands there afterwards."""
    nowhere.write(name, b"mine")
    refused = nowhere("init", nowhere.folder, *AUTHORITY)
    assert (refused.code, "file-exists" in refused.line) == (1, True)
    assert [path.name for path in nowhere.folder.iterdir()] == [name]
    assert (nowhere.folder / name).read_bytes() == b"mine"


def test_a_dangling_link_stands_in_the_way_too(nowhere: Place):
    """A link that leads nowhere is not written through."""
    (nowhere.folder / "policy.json").symlink_to(nowhere.folder / "elsewhere")
    assert nowhere("init", nowhere.folder, *AUTHORITY).code == 1
    assert not (nowhere.folder / "elsewhere").exists()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--jurisdiction", "KE"), "--domain or --did"),
        (("--domain", "civil.example", "--did", "did:web:civil.example", "--jurisdiction", "KE"), "either"),
        (("--domain", "Civil.example", "--jurisdiction", "KE"), "lower case"),
        (("--domain", "192.0.2.1", "--jurisdiction", "KE"), "IP address"),
        (("--did", "did:key:z6Mk", "--jurisdiction", "KE"), "did:web"),
        (("--domain", "civil.example"), "--jurisdiction"),
        (("--domain", "civil.example", "--jurisdiction", "*"), "--jurisdiction"),
        (("--domain", "civil.example", "--jurisdiction", "Kenya"), "--jurisdiction"),
        (("--domain", "civil.example", "--jurisdiction", "KE", "--key-cost", "none"), "--key-cost"),
        (("--domain", "civil.example", "--jurisdiction", "KE", "--policy", "."), "--policy"),
    ],
)
def test_wrong_usage_makes_nothing(nowhere: Place, arguments: tuple[str, ...], told: str):
    """What can't be an authority ends in 2 and one line, and leaves the folder empty."""
    refused = nowhere("init", nowhere.folder, *arguments)
    assert refused.code == 2
    assert told in refused.line
    assert not list(nowhere.folder.iterdir())


@pytest.mark.parametrize("passphrase", [None, ""])
def test_no_key_without_a_passphrase(nowhere: Place, passphrase: str | None):
    """Where nobody can be asked, a passphrase that is missing or empty is wrong usage."""
    refused = nowhere("init", nowhere.folder, *AUTHORITY, VCID_PASSPHRASE=passphrase)
    assert (refused.code, "passphrase" in refused.line) == (2, True)
    assert not list(nowhere.folder.iterdir())


def test_the_passphrase_file_comes_first(nowhere: Place):
    """The first line of --passphrase-file is the passphrase, whatever the environment says."""
    file = nowhere.write("passphrase", "ሚስጥር\r\nsecond line\n".encode())
    made = nowhere("init", nowhere.folder / "new", *AUTHORITY, "--passphrase-file", file)
    assert made.code == 0
    wallet = nowhere.folder / "new" / "keys.json"
    assert Wallet.open(wallet, "ሚስጥር").names()
    with pytest.raises(Locked):
        Wallet.open(wallet, PASSPHRASE)


def test_an_empty_passphrase_file_is_refused(nowhere: Place):
    """An empty first line is no passphrase, and a file that isn't there is wrong usage."""
    file = nowhere.write("passphrase", b"\nsecond line\n")
    for given in (file, nowhere.folder / "missing"):
        assert nowhere("init", nowhere.folder / "new", *AUTHORITY, "--passphrase-file", given).code == 2
    assert not (nowhere.folder / "new").exists()


class PlanWithoutWitnessKey(Plan):
    """A plan whose vcid.toml names a key that nobody makes."""

    def sections(self) -> Mapping[str, Mapping[str, str]]:
        planned = Plan.sections(self)
        return {**planned, "witness": {**planned["witness"], "key": "keys.json#nobody"}}


def test_a_failure_leaves_nothing_half_made(nowhere: Place):
    """An authority whose parts don't fit is taken away again, keys and stores; what else is there stays."""
    nowhere.write("policy.json.bak", b"mine")
    plan = PlanWithoutWitnessKey(
        folder=nowhere.folder,
        did="did:web:civil.example",
        jurisdiction="KE",
        passphrase=PASSPHRASE,
        cost=Argon2Cost(1, 8192),
    )
    with pytest.raises(Conflict, match="not-found"):
        set_up(plan)
    assert [path.name for path in nowhere.folder.iterdir()] == ["policy.json.bak"]


def test_a_folder_in_which_nothing_can_stand(nowhere: Place):
    """Where the folder can't be made, the error is one line."""
    file = nowhere.write("file", b"")
    failed = nowhere("init", file / "below", *AUTHORITY)
    assert (failed.code, "Not a directory" in failed.line) == (1, True)
    assert nowhere("init", file, *AUTHORITY).code == 2


def test_a_verifier_is_set_up_from_what_it_was_given(authority: Place, nowhere: Place):
    """Its vcid.toml names policy and knowledge: absolutely, or from its own folder where they lie within."""
    policy, knowledge = authority.folder / "policy.json", authority.folder / "knowledge"
    given = ("init", "--verifier", "--policy", policy, "--knowledge", knowledge)
    made = nowhere(*given, nowhere.folder, "--json")
    assert (made.code, made.json["config"]) == (0, str(nowhere.folder / "vcid.toml"))
    config = Config.load(nowhere.folder / "vcid.toml")
    assert config.verifying().policy == policy
    assert config.issuer is None
    assert nowhere("verify", authority.credential).code == 0
    (authority.folder / "vcid.toml").unlink()
    assert authority(*given, authority.folder).code == 0
    assert 'policy = "policy.json"' in (authority.folder / "vcid.toml").read_text()


def test_a_verifier_is_not_set_up_twice(authority: Place):
    """An existing vcid.toml is never replaced by a verifier's."""
    policy, knowledge = authority.folder / "policy.json", authority.folder / "knowledge"
    before = (authority.folder / "vcid.toml").read_bytes()
    refused = authority("init", authority.folder, "--verifier", "--policy", policy, "--knowledge", knowledge)
    assert (refused.code, "file-exists" in refused.line) == (1, True)
    assert (authority.folder / "vcid.toml").read_bytes() == before


def test_a_verifier_is_not_set_up_on_a_wrong_policy(authority: Place, nowhere: Place):
    """A policy that isn't one is refused with all its faults, as is a verifier that names a domain."""
    policy = nowhere.write("policy.json", {"suites": 1, "what": 2})
    given = ("init", nowhere.folder, "--verifier", "--knowledge", authority.folder / "knowledge")
    refused = nowhere(*given, "--policy", policy)
    assert refused.code == 2
    assert "/suites" in refused.line
    assert "/what" in refused.line
    assert nowhere(*given, "--policy", authority.folder / "policy.json", "--domain", "a.example").code == 2
    assert nowhere(*given).code == 2
    latin = nowhere.write(os.fsdecode(b"policy-\xe9.json"), (authority.folder / "policy.json").read_bytes())
    assert "UTF-8" in nowhere(*given, "--policy", latin).line
    assert not (nowhere.folder / "vcid.toml").exists()


def test_the_policy_is_made_to_be_edited(prototype: Path):
    """It is indented JSON that still parses as a policy."""
    text = (prototype / "policy.json").read_text()
    assert "\n  " in text
    assert Policy.parse(json.dumps(json.loads(text))) == Policy.parse(text)


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_public_files_are_written_by_their_owner_alone(nowhere: Place, umask: int):
    """Whatever the umask, others may read what is public and write none of it."""
    folder = nowhere.folder / "new"
    before = os.umask(umask)
    try:
        assert nowhere("init", folder, *AUTHORITY).code == 0
        given = ("--policy", folder / "policy.json", "--knowledge", folder / "knowledge")
        assert nowhere("init", nowhere.folder / "verifier", "--verifier", *given).code == 0
    finally:
        os.umask(before)
    for file in (*(folder / name for name in PUBLIC), nowhere.folder / "verifier" / "vcid.toml"):
        assert stat.S_IMODE(file.stat().st_mode) == 0o644


def test_a_mark_before_the_passphrase_is_no_part_of_it(nowhere: Place):
    """A file that an editor began with a byte order mark holds the same passphrase, and a mark alone holds none."""
    file, folder = nowhere.folder / "passphrase", nowhere.folder / "new"
    file.write_bytes(b"\xef\xbb\xbf")
    assert nowhere("init", folder, *AUTHORITY, "--passphrase-file", file).code == 2
    file.write_bytes(b"\xef\xbb\xbf" + b"another one\r\n")
    assert nowhere("init", folder, *AUTHORITY, "--passphrase-file", file).code == 0
    with pytest.raises(Locked):
        Wallet.open(folder / "keys.json", "\ufeffanother one")
    assert Wallet.open(folder / "keys.json", "another one").names()

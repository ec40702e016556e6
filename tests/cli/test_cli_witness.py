"""``vcid witness``: set up, shown, served as a process, and told that a log is succeeded."""

import json
import os
import signal
import subprocess
import sys

import pytest

from ledger.scene import ORIGIN, Scene, signer
from vcid.keys.encrypted_file import Argon2Cost
from vcid.keys.wallet import Wallet
from vcid.ledger.log import Ledger
from vcid.ledger.notes import Checkpoint, Note, NoteKey
from vcid.ledger.succession import Succession
from vcid.ledger.witness_http import HttpWitness, HttpWitnessTransport

pytest.importorskip("click", reason="the extra `cli` is not installed")
pytest.importorskip("uvicorn", reason="the extra `server` is not installed")

PASSPHRASE = "an invented passphrase"
LOG = NoteKey.of_log(ORIGIN, signer(1).public_key).vkey
NEW = NoteKey.of_log("log.example/new", signer(5).public_key).vkey
THIRD = NoteKey.of_log("log.example/third", signer(6).public_key).vkey


def run(folder, *arguments, group="witness"):
    from click.testing import CliRunner

    from vcid.cli.app import command

    environment = {"VCID_CONFIG": str(folder / "vcid.toml"), "VCID_PASSPHRASE": PASSPHRASE}
    return CliRunner(env=environment).invoke(command, [group, *map(str, arguments)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A witness of three logs, its keys made cheap to open."""
    made = tmp_path_factory.mktemp("witness") / "w"
    done = run(
        made, "init", made, "--name", "w.example/r", "--plain", "w.example/p", "--log", LOG, "--log", NEW, "--log", THIRD,
        "--key-cost", "interactive", "--json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert set(json.loads(done.stdout)["keys"]) == {"replaying", "plain"}
    Wallet.open(made / "keys.json", PASSPHRASE).change_passphrase(PASSPHRASE, cost=Argon2Cost(1, 8192))
    return made


def keys_of(folder):
    return {
        name: NoteKey.parse(vkey)
        for name, vkey in json.loads(run(folder, "key", "--json").stdout)["keys"].items()
    }


def test_the_keys_are_shown(folder):
    """Each under its name and of its type, for policies."""
    keys = keys_of(folder)
    assert [(keys[kind].name, int(keys[kind].signature_type)) for kind in ("replaying", "plain")] == [
        ("w.example/r", 4),
        ("w.example/p", 6),
    ]
    assert run(folder, "key").stdout.startswith("replaying w.example/r+")


def test_nothing_is_overwritten(folder):
    """A second set-up in the folder is refused, and leaves the first."""
    again = run(folder, "init", folder, "--name", "x.example", "--log", LOG)
    assert again.exit_code == 1
    assert "file-exists" in again.stderr
    assert keys_of(folder)


@pytest.mark.parametrize("logs", [["x"], [LOG, LOG], [NoteKey.of_cosigner("w", signer(1).public_key).vkey]])
def test_only_logs_keys_name_logs(tmp_path, logs):
    """Garbage, one key twice and a witness's key are refused before anything is made."""
    options = [part for log in logs for part in ("--log", log)]
    done = run(tmp_path, "init", tmp_path / "w", "--name", "w.example", *options)
    assert done.exit_code == 2
    assert not (tmp_path / "w").exists()


def test_two_witnesses_have_two_names(folder, tmp_path):
    """One name for both is refused at set-up, and where a file that was written by hand has it."""
    done = run(tmp_path, "init", tmp_path / "w", "--name", "w.example", "--plain", "w.example", "--log", LOG)
    assert done.exit_code == 2
    assert not (tmp_path / "w").exists()
    config = folder / "vcid.toml"
    written = config.read_text()
    try:
        config.write_text(written.replace("w.example/p", "w.example/r"))
        opened = run(folder, "key")
    finally:
        config.write_text(written)
    assert opened.exit_code != 0
    assert "name of its own" in opened.stderr


def test_a_section_without_logs_serves_nothing(tmp_path):
    """The in-process witness of a log is not a service; a database that has gone is an error."""
    config = tmp_path / "vcid.toml"
    config.write_text('[witness]\nname = "w"\nurl = "sqlite:///w.db"\nkey = "k.json"\n')
    assert run(tmp_path, "serve").exit_code == 2
    config.write_text(
        '[witness]\nname = "w"\nurl = "sqlite:///w.db"\nkey = "k.json"\nlogs = "l"\nplain_name = "p"\n'
    )
    assert "plain_url" in run(tmp_path, "serve").stderr
    config.write_text('[witness]\nname = "w"\nurl = "sqlite:///w.db"\nkey = "k.json"\nlogs = "l.policy"\n')
    assert run(tmp_path, "serve").exit_code == 2
    (tmp_path / "l.policy").write_text(f"log {LOG}\nquorum none\n")
    assert "forgot" in run(tmp_path, "serve").stderr


def publish_with(folder, announced):
    """Publish, by the command, a log that asks the witnesses announced."""
    wallet = Wallet.create(folder / "keys.json", PASSPHRASE, cost=Argon2Cost(1, 8192))
    with wallet.editing() as edit:
        edit.add("ledger", signer(6))
    Ledger.open(f"sqlite:///{folder}/ledger.db", origin="log.example/third", signer=signer(6)).close()
    url = announced["url"]
    (folder / "witnesses.policy").write_text(
        f"witness r {announced['keys']['replaying']} {url}/replaying\nwitness p {announced['keys']['plain']} {url}\n"
        "group replaying any r\ngroup both all replaying p\nquorum both\n"
    )
    (folder / "vcid.toml").write_text(
        '[ledger]\nurl = "sqlite:///ledger.db"\norigin = "log.example/third"\nkey = "keys.json#ledger"\n'
        'witnesses = "witnesses.policy"\n'
    )
    return run(folder, "publish", "--json", group="ledger")


@pytest.mark.slow
def test_a_witness_runs_as_a_process(folder, own_server, tmp_path):
    """It cosigns a ledger over HTTP, both ways, logs lines of JSON, and ends by SIGTERM with 0."""
    command = [sys.executable, "-m", "vcid.cli", "witness", "serve", "--port", "0", "--json"]
    environment = {**os.environ, "VCID_CONFIG": str(folder / "vcid.toml"), "VCID_PASSPHRASE": PASSPHRASE}
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, text=True
    )
    try:
        line = process.stdout.readline()
        assert line, process.stderr.read()
        announced = json.loads(line)
        assert announced["url"].startswith("http://127.0.0.1:")
        own_server(int(announced["url"].rpartition(":")[2]))
        keys = {kind: NoteKey.parse(vkey) for kind, vkey in announced["keys"].items()}
        witnesses = [
            HttpWitness(keys["replaying"], HttpWitnessTransport(f"{announced['url']}/replaying")),
            HttpWitness(keys["plain"], HttpWitnessTransport(announced["url"]), replays=False),
        ]
        ledger = Ledger.open("memory:", origin=ORIGIN, signer=signer(1), witnesses=witnesses)
        ledger.append([Scene(witnesses=1).entry()])
        view = ledger.publish()
        policy = ledger.policy(quorum=2)
        assert policy.examine(view.note).is_witnessed
        assert list(policy.replaying.names) == ["w.example/r"]
        published = publish_with(tmp_path, announced)
        assert published.exit_code == 0, published.output
        assert json.loads(published.stdout)["witnessedAt"]
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=15) in (0, -signal.SIGTERM)
        lines = [json.loads(one) for one in process.stderr.read().splitlines()]
        assert {one["status"] for one in lines} <= {200, 404}
        assert ORIGIN not in json.dumps(lines)
    finally:
        process.kill()
        process.communicate()


def test_evidence_is_checked_by_anybody(tmp_path):
    """0 for two versions that the log signed; 1 by another key or of a changed file; 2 without a key."""
    from ledger.test_ledger_evidence import SAME_SIZE

    file = tmp_path / "evidence"
    file.write_bytes(SAME_SIZE)
    shown = run(tmp_path, "evidence", file, "--log", LOG, "--json")
    assert (shown.exit_code, json.loads(shown.stdout)) == (0, {"log": ORIGIN, "sizes": [5, 5]})
    assert "two versions" in run(tmp_path, "evidence", file, "--log", LOG).stdout
    assert run(tmp_path, "evidence", file, "--log", NEW).exit_code == 1
    assert run(tmp_path, "evidence", file, "--log", "x").exit_code == 2
    file.write_bytes(SAME_SIZE.replace(b"\n5\n", b"\n6\n", 1))
    assert run(tmp_path, "evidence", file, "--log", LOG).exit_code == 1


@pytest.mark.slow
def test_a_lost_key_s_log_is_ended_by_hand_alone(folder, tmp_path):
    """The operator's consent stands in for the old log's signature, and nothing else does."""
    from vcid.cli.config import Config
    from vcid.cli.witness import _open

    opened = _open(Config.load(folder / "vcid.toml"), PASSPHRASE)
    if opened.replaying.checkpoint(ORIGIN) is None:
        ledger = Ledger.open("memory:", origin=ORIGIN, signer=signer(1), witnesses=[opened.replaying])
        ledger.append([Scene(witnesses=1).entry()])
        ledger.publish()
    final = Checkpoint.parse(Note.parse(opened.replaying.checkpoint(ORIGIN)).text)
    succession = Succession(NoteKey.parse(LOG), final.size, final.root, NoteKey.parse(NEW))
    statement = tmp_path / "statement"
    statement.write_bytes(succession.propose(signer(5)))
    refused = run(folder, "succeed", statement)
    assert refused.exit_code == 1
    assert "unsigned" in refused.stderr
    agreed = run(folder, "succeed", statement, "--lost-key")
    assert agreed.exit_code == 0
    assert agreed.stdout.startswith("\u2014 w.example/r ")

"""Wallets: one passphrase, many keys, several writers, and no key lost."""

import copy
import json
import pickle
import signal
import subprocess
import sys
import textwrap
import threading
import time

import pytest

from vcid.encoding.multikey import KeyType
from vcid.errors import Conflict, Locked, Malformed, Unavailable
from vcid.keys import encrypted_file, private_files
from vcid.keys.custody import open_sealed, seal
from vcid.keys.encrypted_file import Argon2Cost, FileKey
from vcid.keys.signing import LocalSigner
from vcid.keys.wallet import Wallet

CHEAP = Argon2Cost(passes=1, memory=8192)
SIGNERS = {
    f"{key_type} of Amina Example": LocalSigner.generate(key_type)
    for key_type in (KeyType.ED25519, KeyType.P256, KeyType.P384)
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "wallet.json"


@pytest.fixture
def wallet(path):
    return Wallet.create(path, "right", cost=CHEAP)


def test_keys_come_back_after_opening(wallet, path):
    """Keys of every type, sealed ones too, are there under their names for whoever opens the file."""
    child, guardian = LocalSigner.generate(), LocalSigner.generate()
    for name, signer in SIGNERS.items():
        wallet.add(name, signer)
    wallet.add_sealed("child", seal(child, [guardian.public_key]))
    opened = Wallet.open(path, "right")
    assert opened.names() == tuple(sorted(SIGNERS))
    for name, signer in SIGNERS.items():
        assert opened.signer(name).sign(b"m") == signer.sign(b"m")
    assert opened.sealed_names() == ("child",)
    assert open_sealed(opened.sealed("child"), guardian).public_key == child.public_key


def test_the_file_is_private_and_says_nothing(wallet, path):
    """Mode 0600; no name, no public key and no private key stands in it in clear."""
    signer = LocalSigner.generate()
    wallet.add("Amina Example", signer)
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "Amina" not in text
    assert signer.public_key.multikey not in text


def test_only_the_passphrase_opens_it(wallet, path):
    """A wrong passphrase, loose modes, another kind of file and another version of it are refused."""
    with pytest.raises(Locked):
        Wallet.open(path, "wrong")
    LocalSigner.generate().save(path.with_name("key.json"), "right", cost=CHEAP)
    with pytest.raises(Malformed, match="wrong-kind"):
        Wallet.open(path.with_name("key.json"), "right")
    path.chmod(0o644)
    with pytest.raises(Locked, match="chmod"):
        Wallet.open(path, "right")


def test_a_wallet_is_not_created_over_another(wallet, path):
    """Creating where a wallet stands is refused and changes nothing."""
    wallet.add("key", LocalSigner.generate())
    with pytest.raises(Conflict, match="file-exists"):
        Wallet.create(path, "other", cost=CHEAP)
    assert Wallet.open(path, "right").names() == ("key",)


def test_names_are_taken_once_and_found_or_not(wallet):
    """A second key under a name, and a name never given, are conflicts; odd names are misuse."""
    wallet.add("key", LocalSigner.generate())
    sealed = seal(LocalSigner.generate(), [LocalSigner.generate().public_key])
    wallet.add_sealed("key", sealed)
    for attempt in (
        lambda: wallet.add("key", LocalSigner.generate()),
        lambda: wallet.add_sealed("key", sealed),
    ):
        with pytest.raises(Conflict, match="name-taken"):
            attempt()
    for attempt in (lambda: wallet.signer("other"), lambda: wallet.sealed("other")):
        with pytest.raises(Conflict, match="not-found"):
            attempt()
    for name in ("", "x" * 201, "a\nb", "a\u202eb"):
        with pytest.raises(ValueError, match="printable"):
            wallet.add(name, LocalSigner.generate())


def test_many_keys_are_added_with_one_save(wallet, path):
    """A thousand keys and a thousand sealed ones go in and come back in a few seconds."""
    guardian = LocalSigner.generate()
    children = [LocalSigner.generate() for _ in range(1000)]
    started = time.perf_counter()
    with wallet.editing() as edit:
        for number, child in enumerate(children):
            edit.add(f"key {number}", child)
            edit.add_sealed(f"child {number}", seal(child, [guardian.public_key]))
    opened = Wallet.open(path, "right")
    assert time.perf_counter() - started < 5
    assert len(opened.names()) == len(opened.sealed_names()) == 1000
    assert opened.signer("key 999").public_key == children[999].public_key


def test_keys_are_taken_out(wallet, path):
    """Removed keys are gone from the file; what is not there can't be removed."""
    with wallet.editing() as edit:
        edit.add("key", LocalSigner.generate())
        edit.add_sealed("child", seal(LocalSigner.generate(), [LocalSigner.generate().public_key]))
    with wallet.editing() as edit:
        edit.remove("key")
        edit.remove_sealed("child")
    assert Wallet.open(path, "right").names() == Wallet.open(path, "right").sealed_names() == ()
    for attempt in ("remove", "remove_sealed"):
        with pytest.raises(Conflict, match="not-found"), wallet.editing() as edit:
            getattr(edit, attempt)("key")


def test_an_error_while_editing_saves_nothing(wallet, path):
    """Neither the file nor the wallet in memory keeps half of an edit."""
    before = path.read_bytes()

    def fail_half_way() -> None:
        with wallet.editing() as edit:
            edit.add("key", LocalSigner.generate())
            edit.remove("none")

    with pytest.raises(Conflict):
        fail_half_way()
    assert path.read_bytes() == before
    assert wallet.names() == ()


def test_two_wallets_on_one_file_keep_each_others_keys(wallet, path):
    """A writer that opened the file before another wrote to it loses nothing of the other's."""
    second = Wallet.open(path, "right")
    wallet.add("first", LocalSigner.generate())
    second.add("second", LocalSigner.generate())
    assert Wallet.open(path, "right").names() == second.names() == ("first", "second")
    assert wallet.names() == ("first",)
    wallet.refresh()
    assert wallet.names() == ("first", "second")
    with pytest.raises(Conflict, match="name-taken"):
        wallet.add("second", LocalSigner.generate())


def test_a_nested_or_concurrent_edit_waits_and_gives_up(wallet, path):
    """While a block is open nobody else writes: a writer with little patience is told."""
    with wallet.editing() as edit:
        edit.add("key", LocalSigner.generate())
        with pytest.raises(Unavailable, match="another process"), private_files.locked(path, patience=0.02):
            pytest.fail("two writers at once")


def test_threads_lose_no_key(wallet, path):
    """Eight threads adding through one wallet, and through their own, end with every key."""

    def add(number: int) -> None:
        mine = wallet if number % 2 else Wallet.open(path, "right")
        for turn in range(5):
            mine.add(f"{number}-{turn}", LocalSigner.generate())

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(Wallet.open(path, "right").names()) == 40


WRITER = textwrap.dedent("""
    import pathlib, sys
    from vcid.keys.signing import LocalSigner
    from vcid.keys.wallet import Wallet
    wallet = Wallet.open(pathlib.Path(sys.argv[1]), "right")
    for turn in range(int(sys.argv[3])):
        wallet.add(f"{sys.argv[2]}-{turn}", LocalSigner.generate())
        print(f"{sys.argv[2]}-{turn}", flush=True)
""")


def _writer(path, name: str, turns: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, path, name, str(turns)], stdout=subprocess.PIPE, text=True
    )


@pytest.mark.slow
def test_processes_lose_no_key(wallet, path):
    """Three processes adding at the same time end with every key."""
    writers = [_writer(path, name, 20) for name in "abc"]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    wallet.refresh()
    assert len(wallet.names()) == 60


@pytest.mark.slow
def test_a_killed_writer_loses_no_key_that_it_reported(wallet, path):
    """After kill -9 while saving the file opens, and holds every key whose saving had returned."""
    reported: set[str] = set()
    for turn in range(8):
        writer = _writer(path, str(turn), 10_000)
        assert writer.stdout is not None
        reported.add(writer.stdout.readline().strip())
        time.sleep(0.007 * turn)
        writer.send_signal(signal.SIGKILL)
        reported.update(line.strip() for line in writer.stdout if line.endswith("\n"))
        writer.wait()
        writer.stdout.close()
    assert reported <= set(Wallet.open(path, "right").names())


def test_a_new_passphrase_replaces_the_old(wallet, path):
    """After the change only the new passphrase opens, and wallets opened before say what happened."""
    other = Wallet.open(path, "right")
    wallet.add("key", LocalSigner.generate())
    wallet.change_passphrase("new")
    wallet.add("more", LocalSigner.generate())
    with pytest.raises(Locked):
        Wallet.open(path, "right")
    assert Wallet.open(path, "new").names() == ("key", "more")
    for attempt in (other.refresh, lambda: other.add("late", LocalSigner.generate())):
        with pytest.raises(Locked, match="passphrase was changed"):
            attempt()


def test_an_altered_file_does_not_open(wallet, path):
    """One changed character in the ciphertext or nonce locks the wallet."""
    wallet.add("key", LocalSigner.generate())
    record = json.loads(path.read_text())
    for name in ("ciphertext", "nonce"):
        text = record[name]
        flipped = text[:9] + ("A" if text[9] != "A" else "B") + text[10:]
        path.write_text(json.dumps({**record, name: flipped}))
        with pytest.raises(Locked):
            Wallet.open(path, "right")


@pytest.mark.parametrize(
    "content",
    [
        b"{}",
        b"[]",
        b'{"keys":{},"sealed":{},"more":{}}',
        b'{"keys":[],"sealed":{}}',
        b'{"keys":{"key":[]},"sealed":{"key":7}}',
        b'{"keys":{"key":{"publicKeyMultibase":1,"privateKey":"u"}},"sealed":{"key":{}}}',
    ],
)
def test_strange_content_under_the_right_passphrase_is_malformed(path, content):
    """Even what was encrypted under the passphrase is read strictly, at opening or when it is asked for."""
    file_key = FileKey.create("right", CHEAP)
    private_files.write(path, encrypted_file.encrypt(content, file_key, kind="wallet", public={}))
    with pytest.raises(Malformed):
        Wallet.open(path, "right").signer("key")
    with pytest.raises(Malformed):
        Wallet.open(path, "right").sealed("key")


def test_a_stored_key_must_belong_to_its_public_key(path):
    """A private key filed under another's public key is not handed out."""
    one, two = LocalSigner.generate(), LocalSigner.generate()
    stored = Wallet.create(path, "right", cost=CHEAP)
    with stored.editing() as edit:
        edit.add("key", one)
        edit.contents.keys["key"]["publicKeyMultibase"] = two.public_key.multikey
    with pytest.raises(Locked, match="does not belong"):
        Wallet.open(path, "right").signer("key")


def test_no_view_of_a_wallet_shows_keys(wallet):
    """Neither repr, pickle nor copy gives away what is inside."""
    signer = LocalSigner.generate()
    wallet.add("Amina Example", signer)
    assert "Amina" not in repr(wallet)
    with wallet.editing() as edit:
        assert "Amina" not in repr(edit) + repr(edit.contents)
    for leak in (pickle.dumps, copy.copy, copy.deepcopy, lambda held: held.__getstate__()):
        with pytest.raises(TypeError, match="private keys"):
            leak(wallet)

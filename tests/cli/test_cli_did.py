"""`vcid did`: keys are saved encrypted, documents computed or looked up, and nothing is fetched."""

from __future__ import annotations

import stat

import pytest

pytest.importorskip("click")
pytest.importorskip("rich")

from cli.conftest import PASSPHRASE, Place
from vcid.dids.methods import did_key
from vcid.keys.signing import LocalSigner
from vcid.keys.wallet import Wallet

CHEAP = ("--key-cost", "interactive")
KNOWN = "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"


@pytest.mark.parametrize("key_type", ["Ed25519", "P-256", "P-384"])
def test_a_new_key_is_saved_encrypted(nowhere: Place, key_type: str):
    """The file opens with the passphrase to the key of the DID that was printed, and only its owner reads it."""
    file = nowhere.folder / "key.json"
    made = nowhere("did", "new", "--out", file, "--key-type", key_type, *CHEAP, "--json")
    assert made.code == 0
    assert made.json.keys() == {"did", "keyType", "publicKeyMultibase", "file", "wallet", "name"}
    assert made.json["did"] == did_key(LocalSigner.load(file, PASSPHRASE).public_key)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_new_key_goes_into_a_wallet(nowhere: Place):
    """The wallet is made at the first key, and a second one joins it."""
    wallet = nowhere.folder / "wallet.json"
    first = nowhere("did", "new", "--wallet", wallet, "--name", "court", *CHEAP)
    second = nowhere("did", "new", "--wallet", wallet, "--name", "guardian")
    assert (first.code, second.code) == (0, 0)
    opened = Wallet.open(wallet, PASSPHRASE)
    assert opened.names() == ("court", "guardian")
    assert first.out == f"{did_key(opened.signer('court').public_key)}\n"


def test_a_key_takes_no_others_place(nowhere: Place):
    """Neither a file nor a name in a wallet is used twice."""
    file, wallet = nowhere.folder / "key.json", nowhere.folder / "wallet.json"
    for place in (("--out", file), ("--wallet", wallet, "--name", "court")):
        assert nowhere("did", "new", *place, *CHEAP).code == 0
    content = file.read_bytes(), wallet.read_bytes()
    assert "file-exists" in nowhere("did", "new", "--out", file, *CHEAP).line
    assert "name-taken" in nowhere("did", "new", "--wallet", wallet, "--name", "court").line
    assert (file.read_bytes(), wallet.read_bytes()) == content


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--out", "a", "--wallet", "b", "--name", "c"),
        ("--wallet", "b"),
        ("--out", "a", "--name", "c"),
        ("--out", "a", "--key-type", "X25519"),
    ],
)
def test_a_key_goes_to_one_place(nowhere: Place, arguments: tuple[str, ...]):
    """A key that is saved nowhere, or in two places, is not made."""
    refused = nowhere("did", "new", *arguments, *CHEAP)
    assert refused.code == 2
    assert refused.line


def test_a_wallets_names_are_printable(nowhere: Place):
    """A name that a wallet can't hold is wrong usage, and a wrong passphrase opens no wallet."""
    wallet = nowhere.folder / "wallet.json"
    assert nowhere("did", "new", "--wallet", wallet, "--name", "court", *CHEAP).code == 0
    assert nowhere("did", "new", "--wallet", wallet, "--name", "a\nb").code == 2
    wrong = nowhere("did", "new", "--wallet", wallet, "--name", "b", VCID_PASSPHRASE="wrong")
    assert (wrong.code, "passphrase is wrong" in wrong.line) == (1, True)


def test_a_did_key_needs_no_setting(nowhere: Place):
    """Its document is computed, with no vcid.toml in sight."""
    resolved = nowhere("did", "resolve", KNOWN, "--json")
    assert (resolved.code, resolved.json["source"]) == (0, "computed")
    assert resolved.json["document"]["id"] == resolved.json["did"] == KNOWN
    assert '"verificationMethod"' in nowhere("did", "resolve", KNOWN).out


def test_a_did_web_comes_from_the_knowledge(authority: Place, nowhere: Place):
    """The document is the one in the folder that vcid.toml or --knowledge names."""
    found = authority("did", "resolve", "did:web:civil.example", "--json")
    assert (found.code, found.json["source"]) == (0, "knowledge")
    folder = authority.folder / "knowledge"
    again = nowhere("did", "resolve", "did:web:civil.example", "--knowledge", folder, "--json")
    assert again.json == found.json


@pytest.mark.parametrize(
    ("did", "code"),
    [
        ("did:web:other.example", "notFound"),
        ("did:example:123", "methodNotSupported"),
        ("civil.example", "invalidDid"),
        (f"{KNOWN}#key", "invalidDid"),
        ("did:key:z6Mk", "unsupportedPublicKeyType"),
        ("did:key:z0", "invalidDid"),
        ("did:web:civil.example\x1b[2J", "invalidDid"),
    ],
)
def test_what_is_not_known_is_not_fetched(authority: Place, did: str, code: str):
    """Every other DID ends in one line with the error type of DID Resolution."""
    refused = authority("did", "resolve", did)
    assert refused.code == 1
    assert refused.line.startswith(f"vcid: {code}: ")
    assert "\x1b" not in refused.err


def test_a_did_web_needs_a_folder(nowhere: Place):
    """Without vcid.toml or --knowledge there is nothing to look in."""
    assert nowhere("did", "resolve", "did:web:civil.example").code == 2
    assert nowhere("did", "resolve", "did:web:a.example", "--knowledge", nowhere.folder / "no").code == 2


@pytest.mark.parametrize("name", ["a\nb", "", "x" * 201])
def test_a_wrong_name_makes_no_wallet(nowhere: Place, name: str):
    """The name is looked at before anything is written."""
    wallet = nowhere.folder / "wallet.json"
    assert nowhere("did", "new", "--wallet", wallet, "--name", name, *CHEAP).code == 2
    assert list(nowhere.folder.glob("wallet.json*")) == []

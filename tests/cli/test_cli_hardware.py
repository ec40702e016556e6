"""An authority whose key lives in a token: set up, issuing and publishing by the command, in a real SoftHSM."""

from __future__ import annotations

import json
from pathlib import Path
from urllib.parse import quote

import pytest

from cli.conftest import RECORD, Place
from softhsm import PIN, softhsm
from vcid.cli.config import Config
from vcid.keys.pkcs11 import Pkcs11Signer, TokenKey

pytest.importorskip("click", reason="the extra cli is not installed")


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    yield from softhsm(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture(scope="module")
def key(hsm):
    """An issuer's key, made before."""
    place = TokenKey(module=hsm.module, token=hsm.make_token(), label="issuer")
    Pkcs11Signer.generate(place, PIN)
    return place


@pytest.fixture
def uri(key):
    return f"pkcs11:token={quote(key.token)};object=issuer?module-path={key.module}"


@pytest.fixture
def vcid(tmp_path):
    """The command, on an authority's folder that is not there yet."""
    return Place(tmp_path / "authority")


INIT = ("--domain", "civil.example", "--jurisdiction", "KE", "--key-cost", "interactive")


def test_an_authority_issues_with_a_key_in_hardware(vcid, uri, key, tmp_path):
    """From init to a credential that verifies; the wallet holds the other two keys, and no PIN is anywhere."""
    made = vcid("init", vcid.folder, *INIT, "--issuer-key", uri, VCID_PIN=PIN)
    assert made.code == 0, made.err
    record = tmp_path / "record.json"
    record.write_text(json.dumps(RECORD))
    issued = vcid("issue", record, "--key", "row-1", "--out", vcid.folder / "credentials", VCID_PIN=PIN)
    assert issued.code == 0, issued.err
    published = vcid("publish", "--knowledge", vcid.folder / "knowledge", VCID_PIN=PIN)
    assert published.code == 0, published.err
    verified = vcid("verify", vcid.credential)
    assert verified.code == 0, verified.err
    public_key = Pkcs11Signer.open(key, PIN).public_key.multikey
    assert public_key in (vcid.folder / "did.json").read_text()
    assert all(PIN.encode() not in one.read_bytes() for one in vcid.folder.rglob("*") if one.is_file())


def test_the_pin_may_come_from_a_private_file(vcid, uri, tmp_path):
    """pin-source names a file whose first line it is; one that others may read is refused, and nothing is left."""
    pin = tmp_path / "pin"
    pin.write_text(f"{PIN}\nand a second line\n")
    pin.chmod(0o644)
    arguments = ("init", vcid.folder, *INIT, "--issuer-key", f"{uri}&pin-source=file:{pin}")
    refused = vcid(*arguments, VCID_PIN=None)
    assert refused.code == 1
    assert "chmod 600" in refused.line
    assert not (vcid.folder / "keys.json").exists()
    pin.chmod(0o600)
    assert vcid(*arguments, VCID_PIN=None).code == 0


@pytest.mark.parametrize(
    ("pin", "code", "said"),
    [("wrong", 1, "PIN"), ("", 2, "PIN is empty"), (None, 2, "a PIN is needed: set VCID_PIN")],
)
def test_without_the_right_pin_nothing_is_set_up(pin, code, said, vcid, uri):
    """One line, nothing left behind, and the PIN tried is not shown."""
    ended = vcid("init", vcid.folder, *INIT, "--issuer-key", uri, VCID_PIN=pin)
    assert ended.code == code
    assert said in ended.err
    assert "wrong" not in ended.err
    assert list(vcid.folder.iterdir()) == []


@pytest.mark.parametrize(
    "wrong", ["keys.json#issuer", "pkcs11:", "pkcs11:token=t;object=o?module-path=m&pin-value=12"]
)
def test_another_place_is_refused(wrong, vcid):
    """Only a whole PKCS#11 URI without a PIN."""
    ended = vcid("init", vcid.folder, *INIT, "--issuer-key", wrong)
    assert ended.code == 2
    assert "--issuer-key: expected" in ended.err
    assert not vcid.folder.exists()


def test_every_section_may_name_a_token():
    """Issuer, ledger and witness: each key may be a file's or a token's."""
    key = "pkcs11:token=t;object=o?module-path=m.so"
    toml = f"""
        [issuer]
        did = "did:web:civil.example"
        key = "{key}"
        registry = "sqlite:///registry.db"
        [ledger]
        url = "sqlite:///ledger.db"
        origin = "civil.example/log"
        key = "{key}"
        [witness]
        name = "civil.example/witness"
        url = "sqlite:///witness.db"
        key = "{key}"
    """
    config = Config.parse(toml.encode(), path=Path("/authority/vcid.toml"))
    wanted = TokenKey(module=Path("/authority/m.so"), token="t", label="o")
    assert config.issuer is not None
    assert config.ledger is not None
    assert config.witness is not None
    assert [config.issuer.key, config.ledger.key, config.witness.key] == [wanted] * 3

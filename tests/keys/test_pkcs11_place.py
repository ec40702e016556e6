"""PKCS#11 URIs, and the encodings of public keys that tokens give: no token is needed here."""

from __future__ import annotations

import contextlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcid.encoding.multikey import KeyType
from vcid.errors import Malformed, VcidError
from vcid.keys import ecdsa
from vcid.keys.pkcs11_place import TokenKey
from vcid.keys.signing import LocalSigner

FOLDER = Path("/authority")


def read(uri):
    return TokenKey.parse(uri, folder=FOLDER)


def test_a_uri_is_read():
    """Every attribute that is known, escapes and all; relative paths are the folder's."""
    uri = "pkcs11:token=Civil%20Registry;object=issuer;id=%01%ff;type=private?module-path=/m.so&pin-source=file:pin"
    assert read(uri) == TokenKey(
        module=Path("/m.so"),
        token="Civil Registry",
        label="issuer",
        key_id=b"\x01\xff",
        pin_file=FOLDER / "pin",
    )
    least = read("pkcs11:id=%01;token=t?module-path=m.so")
    assert least == TokenKey(module=FOLDER / "m.so", token="t", key_id=b"\1")


@pytest.mark.parametrize(
    "uri",
    [
        "",
        "pkcs11:",
        "PKCS11:token=t;object=o?module-path=/m.so",
        "pkcs11:token=t;object=o",
        "pkcs11:token=t?module-path=/m.so",
        "pkcs11:object=o?module-path=/m.so",
        "pkcs11:token=;object=o?module-path=/m.so",
        "pkcs11:token=t;token=u;object=o?module-path=/m.so",
        "pkcs11:token=t;object=o;type=public?module-path=/m.so",
        "pkcs11:token=t;object=o;serial=1?module-path=/m.so",
        "pkcs11:token=t;object=o?module-path=/m.so&pin-value=1234",
        "pkcs11:token=t;object=o?module-name=softhsm2",
        "pkcs11:token=t;object=o?module-path=/m.so&module-path=/n.so",
        "pkcs11:token=a b;object=o?module-path=/m.so",
        "pkcs11:token=%zz;object=o?module-path=/m.so",
        "pkcs11:token=%ff;object=o?module-path=/m.so",
        "pkcs11:token=%00;object=o?module-path=/m.so",
        "pkcs11:token=t;object=o?module-path=/m%00.so",
        "pkcs11:token=t;object=o;?module-path=/m.so",
        "pkcs11:token=t;object=" + "o" * 3000 + "?module-path=/m.so",
    ],
)
def test_other_uris_are_refused(uri):
    """A PIN in the URI, unknown or repeated attributes, missing ones, and broken escapes; no value is shown."""
    with pytest.raises(Malformed) as caught:
        read(uri)
    assert caught.value.code == "pkcs11-uri"
    assert "1234" not in str(caught.value)


@given(st.text())
def test_any_text_is_a_uri_or_our_own_error(text):
    """Parsing raises nothing else."""
    for uri in (text, f"pkcs11:{text}", f"pkcs11:token=t;object=o?module-path={text}"):
        with contextlib.suppress(VcidError):
            read(uri)


@pytest.mark.parametrize("names", [{"token": "", "label": "a"}, {"token": "t"}, {"token": "t", "label": ""}])
def test_a_place_names_a_key(names):
    """A token without a label, or a key with nothing to find it by, is a misuse."""
    with pytest.raises(ValueError, match="label"):
        TokenKey(module=Path("m.so"), **names)


P256, P384, P521 = "06082a8648ce3d030107", "06052b81040022", "06052b81040023"


def points(kind):
    """A public key with its uncompressed and compressed point."""
    key = LocalSigner.generate(kind).public_key
    x, y = ecdsa.coordinates(ecdsa.parse_point(kind, key.raw))
    return key, b"\x04" + x + y, key.raw


@pytest.mark.parametrize(
    ("kind", "parameters"),
    [(KeyType.P256, P256), (KeyType.P384, P384), (KeyType.P521, P521)],
)
def test_points_are_read_in_every_encoding(kind, parameters):
    """In DER as the standard asks, bare, in a BIT STRING, compressed or not: the same key."""
    objects = pytest.importorskip(
        "vcid.keys.pkcs11_objects", reason="the extra pkcs11 is not installed", exc_type=ImportError
    )
    key, *forms = points(kind)
    for point in forms:
        for content, tag in ((point, 4), (b"\0" + point, 3)):
            size = len(content)
            head = bytes([tag, size]) if size < 128 else bytes([tag, 0x81, size])
            assert objects.read_public_key(bytes.fromhex(parameters), head + content) == key
        assert objects.read_public_key(bytes.fromhex(parameters), point) == key


@pytest.mark.parametrize(
    "parameters", ["06032b6570", "130c656477617264733235353139", "06092b06010401da470f01"]
)
def test_ed25519_is_read_by_every_name(parameters):
    """By its identifier, by its name, and by GnuPG's identifier."""
    objects = pytest.importorskip(
        "vcid.keys.pkcs11_objects", reason="the extra pkcs11 is not installed", exc_type=ImportError
    )
    key = LocalSigner.generate().public_key
    for head in (b"", b"\x04\x20", b"\x03\x21\0"):
        assert objects.read_public_key(bytes.fromhex(parameters), head + key.raw) == key


@pytest.mark.parametrize(
    ("parameters", "point", "code"),
    [
        ("06052b8104000a", bytes(65), "unsupported-key-type"),  # secp256k1
        ("", bytes(32), "unsupported-key-type"),
        ("06032b656e", bytes(32), "unsupported-key-type"),  # X25519
        ("06032b6570", b"", "wrong-key-length"),
        ("06032b6570", bytes(33), "wrong-key-length"),
        ("06032b6570", b"\x04\x21" + bytes(32), "wrong-key-length"),
        ("06032b6570", b"\x03\x21\x01" + bytes(32), "wrong-key-length"),
        ("06032b6570", bytes(32), "invalid-point"),  # of small order
        (P256, b"\x04" + bytes(64), "invalid-point"),
        (P256, b"\x05" + bytes(64), "invalid-point"),
        (P256, bytes(64), "wrong-key-length"),
        (P384, b"\x04" + bytes(64), "wrong-key-length"),
        (P256, b"\x04\x41\x04" + bytes(63), "wrong-key-length"),
    ],
)
def test_a_token_is_not_believed_about_public_keys(parameters, point, code):
    """Other curves, lengths that don't fit, and points off the curve."""
    objects = pytest.importorskip(
        "vcid.keys.pkcs11_objects", reason="the extra pkcs11 is not installed", exc_type=ImportError
    )
    with pytest.raises(Malformed) as caught:
        objects.read_public_key(bytes.fromhex(parameters), point)
    assert caught.value.code == code


def test_without_the_extra_it_says_what_to_install():
    """Where python-pkcs11 is missing, opening a key names the extra; importing the signer needs nothing."""
    code = (
        "import sys; sys.modules['pkcs11'] = None\n"
        "from vcid.keys.pkcs11 import Pkcs11Signer, TokenKey\n"
        "from vcid.errors import Unavailable\n"
        "try: Pkcs11Signer.open(TokenKey(module='m.so', token='t', label='l'), '')\n"
        "except Unavailable as error: print(error.code, error)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.startswith("extra-missing")
    assert "pip install 'vcid[pkcs11]'" in printed

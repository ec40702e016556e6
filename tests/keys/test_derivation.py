"""Keys for relationships, derived from one seed."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding.multikey import KeyType
from vcid.keys.derivation import MAX_NAME_BYTES, derive_signer, expand, extract

SEED = bytes(range(32))
KNOWN = "z6Mkjzkpfm9qJojAPrx7hMdfkDEDyjzSbZQeWbjvhoC1bss2"


@pytest.mark.parametrize(
    ("material", "salt", "info", "length", "key", "output"),
    [
        (
            "0b" * 22,
            "000102030405060708090a0b0c",
            "f0f1f2f3f4f5f6f7f8f9",
            42,
            "077709362c2e32df0ddc3f0dc47bba6390b6c73bb50f9c3122ec844ad7c2b3e5",
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
        ),
        (
            bytes(range(0x50)).hex(),
            bytes(range(0x60, 0xB0)).hex(),
            bytes(range(0xB0, 0x100)).hex(),
            82,
            "06a6b88c5853361a06104c9ceb35b45cef760014904671014a193f40c15fc244",
            (
                "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c59045a99cac7827271cb41c65e59"
                "0e09da3275600c2f09b8367793a9aca3db71cc30c58179ec3e87c14c01d5c1f3434f1d87"
            ),
        ),
        (
            "0b" * 22,
            "",
            "",
            42,
            "19ef24a32c717b167f33a91d6f648bdf96596776afdb6377ac434c1c293ccb04",
            "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8",
        ),
    ],
)
def test_the_published_vectors_of_hkdf(material, salt, info, length, key, output):
    """RFC 5869, appendix A, cases 1 to 3: SHA-256 with, with long, and without salt and info."""
    extracted = extract(bytes.fromhex(salt), bytes.fromhex(material))
    assert extracted.hex() == key
    assert expand(extracted, bytes.fromhex(info), length=length).hex() == output


def test_a_relationship_has_one_key():
    """The same seed and name give the same key, which signs; this one must never change."""
    signer = derive_signer(SEED, "school")
    assert signer.public_key == derive_signer(SEED, "school").public_key
    assert signer.public_key.key_type is KeyType.ED25519
    signer.public_key.verify(signer.sign(b"message"), b"message")
    assert signer.public_key.multikey == KNOWN


def test_relationships_and_seeds_have_keys_of_their_own():
    """A name that begins like another, or holds the other's length, gives an unrelated key."""
    names = ["school", "schoo", "school\0", "\0\6school", "clinic", "é", "e\u0301"]
    keys = {derive_signer(seed, name).public_key.multikey for name in names for seed in (SEED, bytes(32))}
    assert len(keys) == 2 * len(names)


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(33)])
def test_a_seed_has_32_bytes(seed):
    """A shorter secret would be guessed, and a longer one is none of ours."""
    with pytest.raises(ValueError, match="32 bytes"):
        derive_signer(seed, "school")


@pytest.mark.parametrize("name", ["", "x" * (MAX_NAME_BYTES + 1), "é" * (MAX_NAME_BYTES // 2 + 1)])
def test_a_relationship_has_a_name(name):
    """Its length is told in bytes, and bounded."""
    with pytest.raises(ValueError, match="name"):
        derive_signer(SEED, name)


@pytest.mark.parametrize("length", [0, -1, 255 * 32 + 1])
def test_hkdf_gives_so_much_and_no_more(length):
    """RFC 5869 bounds the output."""
    with pytest.raises(ValueError, match="8160"):
        expand(bytes(32), b"", length=length)


@settings(max_examples=50)
@given(
    st.binary(min_size=32, max_size=32), st.text(min_size=1, max_size=20), st.text(min_size=1, max_size=20)
)
def test_different_names_never_share_a_key(seed, one, other):
    """Nor does a key hold anything of its relationship's name."""
    keys = derive_signer(seed, one).public_key, derive_signer(seed, other).public_key
    assert (keys[0] == keys[1]) == (one == other)

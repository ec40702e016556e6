"""Ed25519 and the things every key has: what is accepted, what is refused, and that a private key stays private."""

import copy
import inspect
import pickle
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl import bindings

from vcid.encoding.multikey import KeyType, encode_multikey
from vcid.errors import Conflict, InvalidProof, Locked, Malformed, Unavailable, VcidError
from vcid.keys.encrypted_file import Argon2Cost
from vcid.keys.signing import SIGNING_TYPES, LocalSigner, PublicKey, matching_signer

SIGNATURE_BYTES = dict(zip(SIGNING_TYPES, (64, 64, 96, 132, 2420), strict=True))
DETERMINISTIC = [key_type for key_type in SIGNING_TYPES if key_type is not KeyType.ML_DSA_44]
CHEAP = Argon2Cost(passes=1, memory=8192)
ORDER = 2**252 + 27742317777372353535851937790883648493

# RFC 8032, section 7.1, test 2
SEED = bytes.fromhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")
PUBLIC = bytes.fromhex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c")
SIGNATURE = bytes.fromhex(
    "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
    "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00"
)

SMALL_ORDER = {
    "zero": "00" * 32,
    "zero, sign set": "00" * 31 + "80",
    "identity": "01" + "00" * 31,
    "identity, sign set": "01" + "00" * 30 + "80",
    "order 2": "ec" + "ff" * 30 + "7f",
    "order 8": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "order 8, sign set": "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
    "order 8, other": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
    "order 8, other, sign set": "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "p, not canonical": "ed" + "ff" * 30 + "7f",
    "p + 1, not canonical": "ee" + "ff" * 30 + "7f",
    "2^255 - 1, not canonical": "ff" * 31 + "7f",
    "all ones": "ff" * 32,
}


def _ed25519() -> LocalSigner:
    return LocalSigner.from_private_bytes(KeyType.ED25519, SEED)


def test_ed25519_gives_the_published_signature():
    """Signing and verifying agree with RFC 8032's own example."""
    signer = _ed25519()
    assert signer.public_key.raw == PUBLIC
    assert signer.sign(b"\x72") == SIGNATURE
    signer.public_key.verify(SIGNATURE, b"\x72")


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_a_generated_key_signs(key_type):
    """Every type generates, verifies itself, and signs the same bytes twice alike, but for hedged ML-DSA."""
    signer = LocalSigner.generate(key_type)
    signature = signer.sign(b"message")
    assert (signature == signer.sign(b"message")) is (key_type in DETERMINISTIC)
    assert len(signature) == SIGNATURE_BYTES[key_type]
    signer.public_key.verify(signature, b"message")
    again = LocalSigner.from_private_bytes(key_type, signer.private_bytes())
    assert again.public_key == signer.public_key


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_another_key_message_or_length_fails(key_type):
    """A signature holds for one key, one message and its exact bytes."""
    signer, other = LocalSigner.generate(key_type), LocalSigner.generate(key_type)
    signature = signer.sign(b"message")
    attempts = [
        (other.public_key, signature, b"message"),
        (signer.public_key, signature, b"massage"),
        (signer.public_key, signature, b""),
        (signer.public_key, signature[:-1], b"message"),
        (signer.public_key, signature[:-1], signature[-1:] + b"message"),
        (signer.public_key, signature + b"m", b"essage"),
        (signer.public_key, signature + b"\x00", b"message"),
        (signer.public_key, b"", b"message"),
        (signer.public_key, bytes(len(signature)), b"message"),
    ]
    for position in (0, len(signature) // 2, len(signature) - 1):
        changed = bytearray(signature)
        changed[position] ^= 1
        attempts.append((signer.public_key, bytes(changed), b"message"))
    for public_key, attempt, message in attempts:
        with pytest.raises(InvalidProof, match="bad-signature"):
            public_key.verify(attempt, message)


def test_a_signature_with_s_above_the_order_is_refused():
    """Ed25519 signatures can't be bent: S + L verifies in a lax implementation, not here."""
    bent = int.from_bytes(SIGNATURE[32:], "little") + ORDER
    with pytest.raises(InvalidProof, match="bad-signature"):
        PublicKey(KeyType.ED25519, PUBLIC).verify(SIGNATURE[:32] + bent.to_bytes(32, "little"), b"\x72")


@pytest.mark.parametrize("encoded", SMALL_ORDER.values(), ids=SMALL_ORDER.keys())
def test_small_order_and_non_canonical_ed25519_keys_are_refused(encoded):
    """A key under which one signature fits many messages never becomes a PublicKey."""
    with pytest.raises(Malformed, match="invalid-point"):
        PublicKey(KeyType.ED25519, bytes.fromhex(encoded))


def test_a_key_with_a_small_order_part_is_refused():
    """A sound key plus a point of order 8 lies on the curve, but outside the prime-order group."""
    mixed = bindings.crypto_core_ed25519_add(PUBLIC, bytes.fromhex(SMALL_ORDER["order 8"]))
    with pytest.raises(Malformed, match="invalid-point"):
        PublicKey(KeyType.ED25519, mixed)


def test_ed25519_points_off_the_curve_are_refused():
    """No x fits the y coordinates 2, 7 and 8, so nothing could be verified under them."""
    for y in (2, 7, 8):
        with pytest.raises(Malformed, match="invalid-point"):
            PublicKey(KeyType.ED25519, y.to_bytes(32, "little"))


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
@pytest.mark.parametrize("change", [-32, -1, 1])
def test_public_keys_of_the_wrong_length_are_refused(key_type, change):
    """A key one byte short or long, or empty, is refused by its code."""
    raw = LocalSigner.generate(key_type).public_key.raw
    changed = raw[:change] if change < 0 else raw + bytes(change)
    with pytest.raises(Malformed, match="wrong-key-length"):
        PublicKey(key_type, changed)


@pytest.mark.parametrize(("key_type", "size"), [(KeyType.X25519, 32), (KeyType.BLS12_381_G2, 96)])
def test_keys_that_sign_no_bytes_neither_sign_nor_verify(key_type, size):
    """X25519 and BLS12-381 are refused by name in every entry point, their Multikeys included."""
    raw = bytes(range(size))
    for attempt in (
        lambda: PublicKey(key_type, raw),
        lambda: PublicKey.from_multikey(encode_multikey(key_type, raw)),
        lambda: LocalSigner.generate(key_type),
        lambda: LocalSigner.from_private_bytes(key_type, raw[:32]),
    ):
        with pytest.raises(Malformed, match="unsupported-key-type"):
            attempt()


@pytest.mark.parametrize("raw", [bytearray(PUBLIC), "3d40", None])
def test_a_raw_key_that_is_not_bytes_is_misuse(raw):
    """Mutable or textual keys are the caller's mistake, not a malformed document."""
    with pytest.raises(TypeError):
        PublicKey(KeyType.ED25519, raw)


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_multikeys_round_trip(key_type):
    """A key read from its Multikey is the same key, from the cache or not."""
    public_key = LocalSigner.generate(key_type).public_key
    assert PublicKey.from_multikey(public_key.multikey) == public_key
    assert PublicKey.from_multikey(public_key.multikey) is PublicKey.from_multikey(public_key.multikey)
    assert pickle.loads(pickle.dumps(public_key)) == public_key
    assert hash(copy.deepcopy(public_key)) == hash(public_key)


@settings(max_examples=200)
@given(st.text(max_size=100) | st.binary(max_size=60).map(lambda raw: "z" + raw.hex()))
def test_arbitrary_multikey_text_raises_only_vcid_errors(text):
    """Whatever the text, reading it gives a key or a VcidError."""
    with suppress(VcidError):
        PublicKey.from_multikey(text)


@settings(max_examples=200)
@given(st.sampled_from(SIGNING_TYPES), st.binary(max_size=100), st.binary(max_size=20))
def test_arbitrary_bytes_never_verify(key_type, signature, message):
    """Whatever the bytes, verifying raises InvalidProof and nothing else."""
    scalar = (7).to_bytes({KeyType.P384: 48, KeyType.P521: 66}.get(key_type, 32), "big")
    with pytest.raises(InvalidProof):
        LocalSigner.from_private_bytes(key_type, scalar).public_key.verify(signature, message)


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_no_view_of_a_signer_shows_its_key(key_type):
    """Neither repr, str, format, a member listing nor an f-string holds the private bytes in any spelling."""
    signer = LocalSigner.generate(key_type)
    raw = signer.private_bytes()
    shown = " ".join(
        [repr(signer), str(signer), f"{signer}", repr([signer]), repr(inspect.getmembers(signer))]
    )
    for spelling in (raw.hex(), repr(raw), str(int.from_bytes(raw, "big")), repr(raw)[2:-1]):
        assert spelling not in shown
    assert signer.public_key.multikey in repr(signer)
    with pytest.raises(TypeError):
        vars(signer)


@pytest.mark.parametrize(
    "leak",
    [
        pickle.dumps,
        copy.copy,
        copy.deepcopy,
        lambda signer: signer.__getstate__(),
        lambda signer: signer.__reduce_ex__(2),
    ],
)
@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_a_signer_is_neither_pickled_nor_copied(key_type, leak):
    """A private key leaves its object through private_bytes and save alone."""
    with pytest.raises(TypeError, match="private key"):
        leak(LocalSigner.generate(key_type))


@pytest.mark.parametrize(
    ("key_type", "raw"),
    [
        (KeyType.ED25519, b"\xa7" * 31),
        (KeyType.ED25519, b"\xa7" * 64),
        (KeyType.P256, b"\xa7" * 33),
        (KeyType.P256, b"\xff" * 32),
        (KeyType.P384, b"\xff" * 48),
        (KeyType.P384, b"\xa7" * 32),
        (KeyType.P256, bytes(32)),
        (KeyType.P384, b""),
        (KeyType.P521, b"\xa7" * 65),
        (KeyType.P521, b"\xa7" * 66),
        (KeyType.P521, bytes(66)),
        (KeyType.ML_DSA_44, b"\xa7" * 31),
        (KeyType.ML_DSA_44, b"\xa7" * 2560),
    ],
)
def test_private_keys_out_of_range_are_refused_without_being_shown(key_type, raw):
    """The error names the fault, and neither it nor its causes repeat the bytes."""
    with pytest.raises(Malformed, match="private-key") as caught:
        LocalSigner.from_private_bytes(key_type, raw)
    told = "".join(traceback.format_exception(caught.value))
    assert "a7a7" not in told
    assert "\\xa7" not in told
    assert "ffffffff" not in told


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_save_and_load_give_the_same_signer(tmp_path, key_type):
    """A key comes back from its file with the right passphrase, in any normal form of Unicode."""
    signer, path = LocalSigner.generate(key_type), tmp_path / "key.json"
    signer.save(path, "caf\u00e9 \u1218\u1295", cost=CHEAP)
    assert path.stat().st_mode & 0o777 == 0o600
    loaded = LocalSigner.load(path, "cafe\u0301 \u1218\u1295")
    assert loaded.public_key == signer.public_key
    signer.public_key.verify(loaded.sign(b"x"), b"x")
    assert signer.private_bytes() not in path.read_bytes()
    assert [entry.name for entry in tmp_path.iterdir()] == ["key.json"]


def test_a_saved_key_opens_to_its_passphrase_alone(tmp_path):
    """Wrong, empty and nearly right passphrases are told apart from nothing else."""
    path = tmp_path / "key.json"
    _ed25519().save(path, "right", cost=CHEAP)
    for wrong in ("wrong", "right ", "Right"):
        with pytest.raises(Locked):
            LocalSigner.load(path, wrong)
    with pytest.raises(ValueError, match="passphrase"):
        LocalSigner.load(path, "")
    with pytest.raises(ValueError, match="passphrase"):
        _ed25519().save(tmp_path / "other.json", "", cost=CHEAP)


def test_the_public_key_beside_a_saved_key_is_bound_to_it(tmp_path):
    """A file whose public part was exchanged for another key's does not open."""
    path, other = tmp_path / "key.json", LocalSigner.generate()
    _ed25519().save(path, "right", cost=CHEAP)
    text = path.read_text()
    path.write_text(text.replace(_ed25519().public_key.multikey, other.public_key.multikey))
    assert path.read_text() != text
    with pytest.raises(Locked):
        LocalSigner.load(path, "right")


def test_a_key_is_not_overwritten_by_mistake(tmp_path):
    """The second save needs overwrite, and a failed one leaves the first key and no debris."""
    path, first, second = tmp_path / "key.json", LocalSigner.generate(), LocalSigner.generate()
    first.save(path, "right", cost=CHEAP)
    with pytest.raises(Conflict, match="file-exists"):
        second.save(path, "right", cost=CHEAP)
    assert LocalSigner.load(path, "right").public_key == first.public_key
    second.save(path, "right", cost=CHEAP, overwrite=True)
    assert LocalSigner.load(path, "right").public_key == second.public_key
    assert len(list(tmp_path.iterdir())) == 1


def test_a_missing_key_file_or_folder_is_unavailable(tmp_path):
    """What the system refuses becomes Unavailable, for reading and writing."""
    with pytest.raises(Unavailable):
        LocalSigner.load(tmp_path / "none.json", "right")
    with pytest.raises(Unavailable):
        _ed25519().save(tmp_path / "none" / "key.json", "right", cost=CHEAP)


def test_threads_share_keys_and_caches():
    """Many threads reading and verifying through the same cache all see the same keys."""
    signers = [LocalSigner.generate(key_type) for key_type in SIGNING_TYPES for _ in range(2)]
    signed = [(signer.public_key.multikey, signer.sign(b"m")) for signer in signers]

    def check(turn: int) -> None:
        multikey, signature = signed[turn % len(signed)]
        PublicKey.from_multikey(multikey).verify(signature, b"m")

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(check, range(600))) == [None] * 600


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_stored_bytes_that_are_no_key_of_the_type_stay_locked(key_type):
    """Private bytes of another length, or another key's, are not taken for those of a public key."""
    public_key, other = LocalSigner.generate(key_type).public_key, LocalSigner.generate(key_type)
    for raw in (b"", bytes(7), other.private_bytes()):
        with pytest.raises(Locked):
            matching_signer(public_key, raw)

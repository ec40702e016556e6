"""Multibase, multihash and Multikey: one spelling each, and nothing else is read."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from base64 import urlsafe_b64decode
from contextlib import suppress

import base58
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.encoding import json, multikey
from vcid.encoding.multikey import KeyType
from vcid.errors import LimitExceeded, Malformed, VcidError

# The example of Controlled Identifiers 1.0, section 2.2.2.
SPECIFIED_KEY = "z6MkmM42vxfqZQsv4ehtTjFFxQ4sQKS2w6WR7emozFAn5cxu"
BASES = "079bBcCfFhkKmMptTuUvVzZ"
RAW_KEYS = st.one_of(
    st.tuples(st.sampled_from([KeyType.ED25519, KeyType.X25519]), st.binary(min_size=32, max_size=32)),
    st.tuples(st.just(KeyType.P256), st.binary(min_size=32, max_size=32).map(lambda x: b"\x02" + x)),
    st.tuples(st.just(KeyType.P384), st.binary(min_size=48, max_size=48).map(lambda x: b"\x03" + x)),
    st.tuples(st.just(KeyType.P521), st.binary(min_size=66, max_size=66).map(lambda x: b"\x02" + x)),
    st.tuples(st.just(KeyType.BLS12_381_G2), st.binary(min_size=96, max_size=96)),
    st.tuples(st.just(KeyType.ML_DSA_44), st.binary(min_size=1312, max_size=1312)),
)


def code_of(call, *args, **options):
    with pytest.raises(Malformed) as caught:
        call(*args, **options)
    return caught.value.code


def did_key_vectors(folder, name):
    return json.parse_object((folder / "did-key" / "test-vectors" / name).read_bytes())


def compress(jwk):
    x, y = (urlsafe_b64decode(jwk[axis] + "==") for axis in "xy")
    return bytes([2 + (y[-1] & 1)]) + x


class TestMultibase:
    """`encode_multibase` and `decode_multibase`."""

    @pytest.mark.parametrize(
        ("base", "text"),
        [
            ("z", "zUXE7GvtEk8XTXs1GF8HSGbVA9FCX9SEBPe"),
            ("u", "uRGVjZW50cmFsaXplIGV2ZXJ5dGhpbmchIQ"),
            ("f", "f446563656e7472616c697a652065766572797468696e672121"),
            ("b", "birswgzloorzgc3djpjssazlwmvzhs5dinfxgoijb"),
            ("m", "mRGVjZW50cmFsaXplIGV2ZXJ5dGhpbmchIQ"),
        ],
    )
    def test_examples_of_the_registry(self, base, text):
        """The multibase registry's own example in each base."""
        data = b"Decentralize everything!!"
        assert multikey.encode_multibase(data, base) == text
        assert multikey.decode_multibase(text, bases=base) == data

    @pytest.mark.parametrize(
        "text",
        [
            *("z0", "zO", "zI", "zl", "z1 ", "z1\n", "z 1", "z1\u3000", "z١", "zé", "z\ud800", "z+"),
            *("uA", "uAA==", "uAB", "u+/", "uA A", "uAA\n", "u\ud800", "uÀÀ", "uAAAAA"),
        ],
    )
    def test_refuses_other_alphabets_and_spellings(self, text):
        """No foreign digit, padding, white space or set pad bit is read over."""
        assert code_of(multikey.decode_multibase, text) == "not-multibase"

    @pytest.mark.parametrize(
        "text", ["f00fF", "f0", "F00ff", "mAB", "MAA", "MAA=", "m+_", "9x", "v0", "b1", "KA k"]
    )
    def test_refuses_other_spellings_in_other_bases(self, text):
        """What the multiformats package reads leniently is refused where it would write it otherwise."""
        assert code_of(multikey.decode_multibase, text, bases=BASES) == "not-multibase"

    @pytest.mark.parametrize("text", ["", "f00", "mAA", "Zz", "1", " z1", "Uu", "\x00a", "🚀🚀"])
    def test_refuses_bases_not_asked_for(self, text):
        """Only base58-btc and base64url are read unless the caller names others."""
        assert code_of(multikey.decode_multibase, text) == "unknown-base"

    def test_refuses_bases_that_nobody_implements(self):
        """A base that the registry lists and no package reads is an error, not a crash."""
        assert code_of(multikey.decode_multibase, "🚀🚀", bases="🚀") == "not-multibase"
        assert code_of(multikey.decode_multibase, "?a", bases="?") == "not-multibase"
        for base in ("🚀", "?", "", "zz", "base58btc"):
            with pytest.raises(ValueError, match="base"):
                multikey.encode_multibase(b"a", base)

    def test_bounds_the_text_before_decoding(self):
        """The limit is the caller's, but bases of quadratic cost keep their own."""
        assert multikey.decode_multibase("u" + "A" * 4000, max_chars=4001) == bytes(3000)
        for text, limit in (("u" + "A" * 4000, 4000), ("z" + "2" * 4000, 1 << 20), ("z" + "2" * 1024, 1025)):
            with pytest.raises(LimitExceeded):
                multikey.decode_multibase(text, max_chars=limit)
        with pytest.raises(LimitExceeded):
            multikey.decode_multibase("9" + "1" * 5000, bases="9", max_chars=1 << 20)

    @settings(max_examples=100)
    @given(st.binary(max_size=100), st.sampled_from("zu"))
    def test_round_trip(self, data, base):
        """What is written is read back, leading zeros included, and base58 is that of the package."""
        text = multikey.encode_multibase(data, base)
        assert multikey.decode_multibase(text) == data
        if base == "z":
            assert base58.b58decode(text[1:]) == data

    @settings(max_examples=100)
    @given(st.text(max_size=12), st.sampled_from(BASES))
    def test_reads_canonical_text_or_refuses(self, rest, base):
        """Any text is refused with a VcidError or is exactly what would be written."""
        text = base + rest
        with suppress(VcidError):
            data = multikey.decode_multibase(text, bases=BASES)
            assert multikey.encode_multibase(data, base) == text

    @settings(max_examples=200)
    @given(st.text("123zZoOuAaQ_-=+f", max_size=12))
    def test_reads_canonical_text_or_refuses_nearby(self, text):
        """The same for text that comes close."""
        with suppress(VcidError):
            data = multikey.decode_multibase(text)
            assert multikey.encode_multibase(data, text[0]) == text


class TestMultikey:
    """`encode_multikey` and `decode_multikey`."""

    def test_ed25519_and_x25519_vectors(self, vectors, tally):
        """Each key of the did:key vectors has the identifier that they state."""
        count = 0
        for did, case in did_key_vectors(vectors, "ed25519-x25519.json").items():
            for role, key_type in (("verificationKeyPair", "Ed25519"), ("keyAgreementKeyPair", "X25519")):
                pair = case[role]
                text = pair["id"].rpartition("#")[2]
                raw = (
                    base58.b58decode(pair["publicKeyBase58"])
                    if "publicKeyBase58" in pair
                    else urlsafe_b64decode(pair["publicKeyJwk"]["x"] + "==")
                )
                assert multikey.decode_multikey(text) == (KeyType(key_type), raw), did
                assert multikey.encode_multikey(KeyType(key_type), raw) == text
                count += 1
            assert did.removeprefix("did:key:") == case["verificationKeyPair"]["id"].rpartition("#")[2]
        tally(f"multikey: {count} Ed25519 and X25519 keys")
        assert count >= 10

    def test_nist_vectors(self, vectors, tally):
        """P-256, P-384 and P-521 keys of the did:key vectors."""
        count = 0
        for did, case in did_key_vectors(vectors, "nist-curves.json").items():
            text = did.removeprefix("did:key:")
            key_type, raw = multikey.decode_multikey(text)
            method = case["verificationMethod"]
            jwk = method.get("publicKeyJwk")
            assert raw == (compress(jwk) if jwk else base58.b58decode(method["publicKeyBase58"]))
            assert jwk is None or key_type == jwk["crv"]
            assert multikey.encode_multikey(key_type, raw) == text
            count += 1
        tally(f"multikey: {count} P-256, P-384 and P-521 keys")
        assert count >= 7

    def test_example_of_the_specification(self):
        """The published example is an Ed25519 key."""
        key_type, raw = multikey.decode_multikey(SPECIFIED_KEY)
        assert (key_type, len(raw)) == (KeyType.ED25519, 32)
        assert multikey.encode_multikey(key_type, raw) == SPECIFIED_KEY

    @pytest.mark.parametrize(
        ("data", "code"),
        [
            (b"", "unsupported-key-type"),
            (b"\xed", "unsupported-key-type"),
            (bytes(32), "unsupported-key-type"),
            (b"\xed\x81\x00" + bytes(32), "unsupported-key-type"),
            (b"\xe7\x01\x02" + bytes(32), "unsupported-key-type"),
            (b"\x80\x26" + bytes(32), "unsupported-key-type"),
            (b"\xff" * 40, "unsupported-key-type"),
            (b"\xed\x01" + bytes(31), "wrong-key-length"),
            (b"\xed\x01" + bytes(33), "wrong-key-length"),
            (b"\xec\x01", "wrong-key-length"),
            (b"\x80\x24\x02" + bytes(31), "wrong-key-length"),
            (b"\x80\x24\x04" + bytes(32), "wrong-key-length"),
            (b"\x80\x24\x04" + bytes(48), "wrong-key-length"),
            (b"\x81\x24\x03" + bytes(49), "wrong-key-length"),
            (b"\x81\x24\x00" + bytes(48), "wrong-key-length"),
            (b"\x82\x24\x02" + bytes(65), "wrong-key-length"),
            (b"\x82\x24\x04" + bytes(66), "wrong-key-length"),
            (b"\xeb\x01" + bytes(48), "wrong-key-length"),
            (b"\xea\x01" + bytes(48), "unsupported-key-type"),
            (b"\x91\x24" + bytes(64), "unsupported-key-type"),
            (b"\x90\x24" + bytes(64), "unknown-base"),
        ],
    )
    def test_refuses_other_codecs_and_lengths(self, data, code):
        """A long varint, a private key, another curve, an uncompressed point, a byte more or less."""
        assert code_of(multikey.decode_multikey, multikey.encode_multibase(data)) == code

    def test_names_the_codec_it_refuses(self):
        """The message says what stood there, so that a private key in the wrong place is noticed."""
        with pytest.raises(Malformed, match="ed25519-priv"):
            multikey.decode_multikey(multikey.encode_multibase(b"\x80\x26" + bytes(32)))
        assert multikey.name_codec(b"\xe7\x01") == "secp256k1-pub"
        for data in (b"", b"\xff", b"\xff" * 20, b"\xed\x81\x00"):
            assert multikey.name_codec(data) == "unknown"

    @pytest.mark.parametrize(
        "text",
        [
            SPECIFIED_KEY[1:],
            SPECIFIED_KEY[:-1],
            SPECIFIED_KEY.upper(),
            SPECIFIED_KEY + "1",
            SPECIFIED_KEY + "\n",
            " " + SPECIFIED_KEY,
            "z" + SPECIFIED_KEY,
            "z1" + SPECIFIED_KEY[1:],
            "did:key:" + SPECIFIED_KEY,
        ],
    )
    def test_refuses_near_misses(self, text):
        """A key cut, grown, folded to capitals or spaced out is no key."""
        with pytest.raises(Malformed):
            multikey.decode_multikey(text)

    def test_refuses_other_bases(self):
        """A key has one base: base58-btc, but base64url for ML-DSA, though the other would hold its bytes."""
        for base, raw in (("u", b"\xed\x01" + bytes(32)), ("f", b"\xed\x01" + bytes(32))):
            text = multikey.encode_multibase(raw, base)
            assert code_of(multikey.decode_multikey, text) == "unknown-base"
        with pytest.raises(LimitExceeded):
            multikey.decode_multikey(multikey.encode_multibase(b"\x90\x24" + bytes(1312), "z"))
        for size in (1311, 1313):
            text = multikey.encode_multibase(b"\x90\x24" + bytes(size), "u")
            assert code_of(multikey.decode_multikey, text) == "wrong-key-length"

    def test_bounds_the_text(self):
        """Longer text than any key's is not decoded at all; what takes quadratic time stops far earlier."""
        for text in ("z" * 100_000, "z" * 141, "u" * 1761, "f" * 1025, ""):
            with pytest.raises((LimitExceeded, Malformed), match=r"too-long|unknown-base"):
                multikey.decode_multikey(text)

    @pytest.mark.parametrize(
        ("key_type", "raw"),
        [
            (KeyType.ED25519, bytes(31)),
            (KeyType.X25519, bytes(33)),
            (KeyType.P256, bytes(33)),
            (KeyType.P256, b"\x04" + bytes(64)),
            (KeyType.P384, b"\x02" + bytes(32)),
        ],
    )
    def test_does_not_write_what_it_would_not_read(self, key_type, raw):
        """Bytes of another shape are the caller's mistake."""
        with pytest.raises(ValueError, match="bytes"):
            multikey.encode_multikey(key_type, raw)

    @settings(max_examples=100)
    @given(RAW_KEYS)
    def test_round_trip(self, key):
        """Every key is read back with its type."""
        assert multikey.decode_multikey(multikey.encode_multikey(*key)) == key

    @settings(max_examples=100)
    @given(st.binary(max_size=60))
    def test_arbitrary_bytes_raise_only_our_errors(self, data):
        """Whatever the bytes, there is a key that writes the same text, or a VcidError."""
        text = multikey.encode_multibase(data)
        with suppress(VcidError):
            assert multikey.encode_multikey(*multikey.decode_multikey(text)) == text


class TestDigests:
    """`digest_multibase` and its reader."""

    def test_writes_a_sha256_multihash(self):
        """The digest of nothing is the text that every multihash library gives, and is read back."""
        text = multikey.digest_multibase(b"")
        assert text == "zQmdfTbBqBPQ7VNxZEYEj14VmRuZBkqFbiwReogJgS1zR1n"
        assert multikey.decode_digest_multibase(text) == hashlib.sha256(b"").digest()

    @pytest.mark.parametrize("base", ["z", "u"])
    @pytest.mark.parametrize(
        ("header", "digest"),
        [(b"", b"a" * 32), (b"", b"a" * 48), (b"\x12\x20", b"a" * 32), (b"\x20\x30", b"a" * 48)],
    )
    def test_reads_with_and_without_header(self, base, header, digest):
        """Both spellings are met: a bare digest and a multihash, of SHA-256 and SHA-384."""
        assert multikey.decode_digest_multibase(multikey.encode_multibase(header + digest, base)) == digest

    @pytest.mark.parametrize(
        "data",
        [
            *(b"", b"\x12", b"\x12\x20", b"\x12\x20" + bytes(31), b"\x12\x20" + bytes(33)),
            *(b"\x12\x1f" + bytes(31), b"\x12\xa0\x00" + bytes(32), b"\x20\x30" + bytes(32)),
            *(b"\x16\x20" + bytes(32), b"\x11\x14" + bytes(20)),
        ],
    )
    def test_refuses_other_digests(self, data):
        """A short, long, cut or foreign digest is none, and so is one of the wrong function's length."""
        assert (
            code_of(multikey.decode_digest_multibase, multikey.encode_multibase(data)) == "unsupported-digest"
        )

    def test_refuses_wrong_lengths_and_long_text(self):
        """Only 32 bytes get the header of SHA-256; text beyond any digest is not decoded."""
        assert multikey.encode_multihash_sha256(bytes(32)) == b"\x12\x20" + bytes(32)
        for length in (0, 31, 33, 48):
            with pytest.raises(ValueError, match="32 bytes"):
                multikey.encode_multihash_sha256(bytes(length))
        with pytest.raises(LimitExceeded):
            multikey.decode_digest_multibase("u" + "A" * 200)


def test_the_usual_bases_need_no_registry():
    """Reading a key, a signature and a digest does not import the multiformats package, which is slow."""
    script = (
        "import sys; from vcid.encoding import multikey as m; m.decode_multikey(sys.argv[1]);"
        "m.decode_digest_multibase(m.digest_multibase(b'')); sys.exit('multiformats' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", script, SPECIFIED_KEY], check=False).returncode == 0

"""BBS keys, signers and proofs: what is accepted, and what each of the checks refuses."""

import copy
import pickle
import random as pseudo_random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("py_arkworks_bls12381", reason="the extra bbs is not installed")

from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, LimitExceeded, Malformed, VcidError
from vcid.keys.bbs import BbsPublicKey, DisclosedMessages, LocalBbsSigner, SignedMessages
from vcid.keys.bbs_generators import MAX_MESSAGES, create_generators
from vcid.keys.bbs_hashing import ORDER, BbsCiphersuite
from vcid.keys.bbs_octets import Proof, Signature
from vcid.keys.signing import LocalSigner

HEADER = b"a header"
PRESENTATION = b"a challenge"
MESSAGES = tuple(f"statement {number}".encode() for number in range(6))
SHOWN = (1, 4)
# The field's prime: an x coordinate as large is not canonical.
FIELD = 0x1A0111EA397FE69A4B1BA7B6434BACD764774B84F38512BF6730D2A0F6B0F6241EABFFFEB153FFFFB9FEFFFFFFFFAAAB


@pytest.fixture(scope="module")
def signer():
    return LocalBbsSigner.from_key_material(bytes(range(32)), b"tests")


@pytest.fixture(scope="module")
def signed(signer):
    return SignedMessages(signer.public_key, signer.sign(HEADER, MESSAGES), MESSAGES, HEADER)


@pytest.fixture(scope="module")
def proof(signed):
    return signed.prove(SHOWN, presentation_header=PRESENTATION)


def disclose(messages=None, header=HEADER, presentation_header=PRESENTATION):
    messages = {index: MESSAGES[index] for index in SHOWN} if messages is None else messages
    return DisclosedMessages(messages, header, presentation_header)


def refused(check, *arguments, **options):
    """Run a check that must fail, and say with which code."""
    with pytest.raises(VcidError) as caught:
        check(*arguments, **options)
    return caught.value.code


def off_subgroup_point():
    """Find a point of the curve that is not in the subgroup G1."""
    for x in range(1, 200):
        y_squared = (x**3 + 4) % FIELD
        if pow(y_squared, (FIELD - 1) // 2, FIELD) == 1:
            return (x | 1 << 383).to_bytes(48)
    raise AssertionError("half of all numbers are such coordinates")


INVALID_POINTS = {
    "identity": b"\xc0" + bytes(47),
    "identity with stray bits": b"\xc0" + bytes(46) + b"\1",
    "identity with a sign": b"\xe0" + bytes(47),
    "all ones": b"\xff" * 48,
    "not compressed": b"\x00" * 48,
    "beyond the field": ((FIELD + 4) | 1 << 383).to_bytes(48),
    "outside of the subgroup": off_subgroup_point(),
}


class TestPublicKey:
    def test_multikey_round_trip(self, signer):
        """A key written as a Multikey is read again; both name its type."""
        text = signer.public_key.multikey
        assert text.startswith("zUC7")
        assert BbsPublicKey.from_multikey(text) == signer.public_key
        assert signer.public_key.key_type is KeyType.BLS12_381_G2

    @pytest.mark.parametrize("size", [0, 48, 95, 97])
    def test_other_lengths(self, size):
        """A key of another length is refused."""
        assert refused(BbsPublicKey, b"\xa0" * size) == "wrong-key-length"

    @pytest.mark.parametrize(
        "raw",
        [
            b"\xc0" + bytes(95),
            b"\xc0" + bytes(94) + b"\1",
            b"\xe0" + bytes(95),
            bytes(96),
            b"\xff" * 96,
        ],
    )
    def test_invalid_points(self, raw):
        """The identity, under which all would verify, and what is no canonical point, are refused."""
        assert refused(BbsPublicKey, raw) == "invalid-point"

    def test_points_outside_of_the_subgroup(self):
        """A point of the curve that is not of the prime-order subgroup is refused: nearly all points are so."""
        codes = [refused(BbsPublicKey, b"\x80" + bytes(94) + bytes([x])) for x in range(1, 30)]
        assert set(codes) == {"invalid-point"}

    def test_a_key_of_another_type(self):
        """Another type's Multikey, and what is no bytes, make no BBS key."""
        text = LocalSigner.from_private_bytes(KeyType.ED25519, bytes(32)).public_key.multikey
        assert refused(BbsPublicKey.from_multikey, text) == "unsupported-key-type"
        with pytest.raises(TypeError):
            BbsPublicKey("zUC7")  # type: ignore[arg-type]

    def test_flipped_bytes(self, signer):
        """A key with one byte changed is refused, or is another key under which nothing of this one's holds."""
        signature = signer.sign(HEADER, MESSAGES)
        for position in range(0, 96, 7):
            raw = bytearray(signer.public_key.raw)
            raw[position] ^= 1
            with pytest.raises(VcidError) as caught:
                BbsPublicKey(bytes(raw)).verify(signature, MESSAGES, header=HEADER)
            assert caught.value.code in {"invalid-point", "bad-signature"}


class TestSigner:
    def test_signing_is_deterministic(self, signer, signed):
        """The same header and messages get the same signature, from the key read back too."""
        again = LocalBbsSigner.from_private_bytes(signer.private_bytes())
        assert again.sign(HEADER, MESSAGES) == signed.signature
        assert again.public_key == signer.public_key

    def test_new_keys_differ(self):
        """Keys are drawn from the operating system's randomness."""
        assert LocalBbsSigner.generate().public_key != LocalBbsSigner.generate().public_key

    @pytest.mark.parametrize(
        "raw", [bytes(32), ORDER.to_bytes(32), b"\xff" * 32, b"\1" * 31, b"\1" * 33, b""]
    )
    def test_private_keys_out_of_range(self, raw):
        """Zero, the order and beyond, and other lengths are no private keys."""
        assert refused(LocalBbsSigner.from_private_bytes, raw) == "private-key"

    def test_the_private_key_stays_inside(self, signer, signed):
        """No repr, copy or pickle holds the private key, and no repr a message."""
        assert signer.private_bytes().hex() not in repr(signer)
        assert "statement" not in repr(signed) + repr(disclose())
        for leak in (pickle.dumps, copy.copy, copy.deepcopy):
            with pytest.raises(TypeError):
                leak(signer)

    def test_too_many_messages(self, signer):
        """A list longer than the limit is refused before any curve arithmetic."""
        assert refused(signer.sign, b"", [b""] * (MAX_MESSAGES + 1)) == "too-many-messages"

    def test_no_messages(self, signer):
        """A header alone can be signed and proved."""
        signed = SignedMessages(signer.public_key, signer.sign(HEADER, ()), (), HEADER)
        signer.public_key.verify(signed.signature, (), header=HEADER)
        signer.public_key.verify_proof(signed.prove(()), disclose({}, presentation_header=b""))


class TestSignature:
    def test_what_was_signed_verifies(self, signed):
        """A signature holds over its messages and header."""
        signed.public_key.verify(signed.signature, MESSAGES, header=HEADER)

    @pytest.mark.parametrize(
        "messages",
        [MESSAGES[:-1], (*MESSAGES, b""), MESSAGES[::-1], (b"other", *MESSAGES[1:]), ()],
        ids=["fewer", "more", "reversed", "another", "none"],
    )
    def test_other_messages(self, signed, messages):
        """It holds over no other list of messages."""
        assert refused(signed.public_key.verify, signed.signature, messages, header=HEADER) == "bad-signature"

    def test_another_header_or_key(self, signed):
        """It holds under no other header, and for no other key."""
        assert refused(signed.public_key.verify, signed.signature, MESSAGES) == "bad-signature"
        other = LocalBbsSigner.generate().public_key
        assert refused(other.verify, signed.signature, MESSAGES, header=HEADER) == "bad-signature"

    @pytest.mark.parametrize("octets", INVALID_POINTS.values(), ids=INVALID_POINTS)
    def test_invalid_points(self, signed, octets):
        """``A`` must be a canonical point of G1 and not its identity."""
        forged = octets + signed.signature[48:]
        assert refused(signed.public_key.verify, forged, MESSAGES, header=HEADER) == "invalid-point"

    @pytest.mark.parametrize("scalar", [0, ORDER, ORDER + 1, 2**256 - 1])
    def test_invalid_scalars(self, signed, scalar):
        """``e`` lies between 1 and r - 1, so that a signature has one form."""
        forged = signed.signature[:48] + scalar.to_bytes(32)
        assert refused(signed.public_key.verify, forged, MESSAGES, header=HEADER) == "invalid-scalar"

    @pytest.mark.parametrize("size", [0, 79, 81, 112])
    def test_other_lengths(self, signed, size):
        """A signature has 80 bytes."""
        forged = (signed.signature * 2)[:size]
        assert refused(signed.public_key.verify, forged, MESSAGES, header=HEADER) == "signature-length"

    def test_flipped_bytes(self, signed):
        """One bit changed in any byte makes a signature that does not hold."""
        for position in range(len(signed.signature)):
            forged = bytearray(signed.signature)
            forged[position] ^= 1
            code = refused(signed.public_key.verify, bytes(forged), MESSAGES, header=HEADER)
            assert code in ({"invalid-point", "bad-signature"} if position < 48 else {"bad-signature"})


class TestProof:
    def test_what_was_proved_verifies(self, signed, proof):
        """A proof holds over what it discloses, whatever part that is."""
        signed.public_key.verify_proof(proof, disclose())
        for indexes in ((), (0,), (5,), tuple(range(6))):
            shown = DisclosedMessages({index: MESSAGES[index] for index in indexes}, HEADER)
            signed.public_key.verify_proof(signed.prove(indexes), shown)

    def test_proofs_share_nothing(self, signed, proof):
        """Two proofs of the same signature have no point and no scalar in common, nor any of the signature's."""
        other = signed.prove(SHOWN, presentation_header=PRESENTATION)

        def parts(octets):
            head, tail = octets[:144], octets[144:]
            return {head[i : i + 48] for i in range(0, 144, 48)} | {
                tail[i : i + 32] for i in range(0, len(tail), 32)
            }

        assert parts(proof).isdisjoint(parts(other))
        secret = {signed.signature[:48], signed.signature[48:]}
        assert secret.isdisjoint(parts(proof) | parts(other))

    @pytest.mark.parametrize(
        "shown",
        [
            disclose(header=b"another"),
            disclose(presentation_header=b"another"),
            disclose(presentation_header=b""),
            disclose({1: MESSAGES[1], 4: b"another"}),
            disclose({1: MESSAGES[4], 4: MESSAGES[1]}),
            disclose({1: MESSAGES[1], 5: MESSAGES[4]}),
            disclose({1: MESSAGES[1]}),
            disclose({1: MESSAGES[1], 3: MESSAGES[3], 4: MESSAGES[4]}),
        ],
        ids=["header", "presentation", "no presentation", "message", "swapped", "index", "fewer", "more"],
    )
    def test_something_else_shown(self, signed, proof, shown):
        """A proof holds over nothing but what it was made for."""
        assert refused(signed.public_key.verify_proof, proof, shown) == "bad-signature"

    def test_another_key(self, proof):
        """It holds for no other key."""
        other = LocalBbsSigner.generate().public_key
        assert refused(other.verify_proof, proof, disclose()) == "bad-signature"

    @pytest.mark.parametrize("messages", [{6: b""}, {-1: b""}, {4: MESSAGES[4], 1: MESSAGES[1]}])
    def test_indexes_that_are_none(self, signed, proof, messages):
        """Indexes ascend and lie among the messages."""
        assert refused(signed.public_key.verify_proof, proof, disclose(messages)) == "disclosed-indexes"

    @pytest.mark.parametrize("indexes", [(6,), (-1,), (1, 1), (2, 1)])
    def test_proving_at_other_indexes(self, signed, indexes):
        """Nothing is proved at indexes that are none."""
        assert refused(signed.prove, indexes) == "disclosed-indexes"

    @pytest.mark.parametrize("start", [0, 48, 96])
    @pytest.mark.parametrize("octets", INVALID_POINTS.values(), ids=INVALID_POINTS)
    def test_invalid_points(self, signed, proof, start, octets):
        """Each of the three points must be a canonical one of G1 and not its identity."""
        forged = proof[:start] + octets + proof[start + 48 :]
        assert refused(signed.public_key.verify_proof, forged, disclose()) == "invalid-point"

    @pytest.mark.parametrize("place", range(8))
    @pytest.mark.parametrize("scalar", [0, ORDER])
    def test_invalid_scalars(self, signed, proof, place, scalar):
        """Each scalar lies between 1 and r - 1."""
        start = 144 + 32 * place
        forged = proof[:start] + scalar.to_bytes(32) + proof[start + 32 :]
        assert refused(signed.public_key.verify_proof, forged, disclose()) == "invalid-scalar"

    def test_other_lengths(self, signed, proof):
        """A proof has three points, four scalars and one more for each hidden message."""
        for forged in (b"", proof[:271], proof[:-1], proof + b"\1"):
            assert refused(signed.public_key.verify_proof, forged, disclose()) == "proof-length"
        for forged in (proof[:-32], proof + proof[-32:]):
            assert refused(signed.public_key.verify_proof, forged, disclose()) == "bad-signature"
        endless = proof + proof[-32:] * MAX_MESSAGES
        assert refused(signed.public_key.verify_proof, endless, disclose()) == "too-many-messages"

    def test_flipped_bytes(self, signed, proof):
        """One bit changed in any component makes a proof that does not hold."""
        for position in range(0, len(proof), 5):
            forged = bytearray(proof)
            forged[position] ^= 1
            code = refused(signed.public_key.verify_proof, bytes(forged), disclose())
            assert code in ({"invalid-point", "bad-signature"} if position < 144 else {"bad-signature"})

    def test_another_keys_blinded_signature(self, signer):
        """A proof that is sound in itself, of a signature by a forger's own key, fails at the pairing."""
        forger = LocalBbsSigner.generate()
        # Signed by the forger under the terms of the victim: only the pairing can tell.
        from vcid.keys import bbs_octets, bbs_scheme

        terms = bbs_scheme.Terms(signer.public_key.raw, HEADER)
        secret = int.from_bytes(forger.private_bytes())
        basis, scalars = terms.basis(6), terms.map_messages(MESSAGES)
        commitment = basis.commit(dict(enumerate(scalars)))
        signature = Signature.decode(bbs_scheme.sign(secret, terms, MESSAGES))
        blinding = bbs_scheme._Blinding.draw(0, pseudo_random.Random(1).randbytes)
        started = blinding.start(signature, commitment, [])
        presentation = bbs_scheme.Presentation(tuple(range(6)))
        challenge = bbs_scheme._challenge(terms, basis, started, scalars, presentation)
        forged = blinding.finish(started, challenge, signature.exponent, []).encode()
        assert len(forged) == bbs_octets.PROOF_FLOOR
        with pytest.raises(InvalidProof, match="does not know a signature"):
            signer.public_key.verify_proof(forged, DisclosedMessages(dict(enumerate(MESSAGES)), HEADER))

    def test_a_signature_that_does_not_hold(self, signed):
        """Nothing is proved of a signature that is not the key's over the messages."""
        other = SignedMessages(signed.public_key, signed.signature, MESSAGES[::-1], HEADER)
        assert refused(other.prove, SHOWN) == "bad-signature"

    @pytest.mark.parametrize("random", [bytes, lambda size: b"\1" * size], ids=["zeros", "the same"])
    def test_bad_randomness(self, signed, random):
        """Randomness that repeats itself would give the hidden messages away, and is refused."""
        with pytest.raises(ValueError, match="different octets"):
            signed.prove(SHOWN, random=random)


@given(st.binary(max_size=400))
def test_arbitrary_octets(octets):
    """Whatever the bytes, readers raise nothing but VcidError."""
    for read in (Signature.decode, Proof.decode, BbsPublicKey):
        with pytest.raises(VcidError):
            read(octets)


@settings(deadline=None, max_examples=15)
@given(st.data())
def test_any_part_of_any_messages(signer, data):
    """Whatever the messages, header and part disclosed: the signature verifies, and so does the proof."""
    messages = tuple(data.draw(st.lists(st.binary(max_size=40), max_size=12)))
    header, presentation = data.draw(st.binary(max_size=40)), data.draw(st.binary(max_size=40))
    indexes = [index for index in range(len(messages)) if data.draw(st.booleans())]
    signed = SignedMessages(signer.public_key, signer.sign(header, messages), messages, header)
    proof = signed.prove(indexes, presentation_header=presentation)
    shown = DisclosedMessages({index: messages[index] for index in indexes}, header, presentation)
    signer.public_key.verify_proof(proof, shown)
    assert Proof.decode(proof).encode() == proof


@pytest.mark.parametrize("ciphersuite", BbsCiphersuite)
def test_hashing_limits(ciphersuite):
    """Tags beyond 255 octets and sizes out of range are misuse."""
    with pytest.raises(ValueError, match="tag"):
        ciphersuite.expand_message(b"", bytes(256), 48)
    for size in (0, 65536):
        with pytest.raises(ValueError, match="tag"):
            ciphersuite.expand_message(b"", b"tag", size)


def test_generator_lists_share_their_beginning():
    """Lists of different lengths agree across the blocks in which they are kept."""
    longest = create_generators(70, BbsCiphersuite.SHA_256)
    for count in (0, 31, 32, 63, 64):
        shorter = create_generators(count, BbsCiphersuite.SHA_256)
        assert shorter.points == longest.points[: count + 1]
    assert len({longest.octets[i : i + 48] for i in range(0, len(longest.octets), 48)}) == 71
    with pytest.raises(LimitExceeded):
        create_generators(MAX_MESSAGES + 1, BbsCiphersuite.SHA_256)


def test_malformed_is_the_class_of_bad_octets(signed):
    """Bad octets are told apart from proofs that do not hold."""
    with pytest.raises(Malformed):
        signed.public_key.verify(b"", MESSAGES)
    with pytest.raises(InvalidProof):
        signed.public_key.verify(signed.signature, ())

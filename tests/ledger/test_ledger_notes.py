"""Signed notes, checkpoints and cosignatures: the C2SP formats to the byte, and nothing that is nearly so."""

import base64
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.scene import NOW, ORIGIN, signer
from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, LimitExceeded, Malformed, VcidError
from vcid.keys.signing import LocalSigner
from vcid.ledger.notes import (
    MAX_NOTE_BYTES,
    MAX_SIGNATURES,
    Checkpoint,
    Note,
    NoteKey,
    NoteSignature,
    SignatureType,
    cosign,
    decode_base64,
    sign_note,
)

TIME = int(NOW.timestamp())
TEXT = Checkpoint(ORIGIN, 7, b"r" * 32).text
LOG = NoteKey(ORIGIN, SignatureType.ED25519, signer(1).public_key)
WITNESS = NoteKey("w.example", SignatureType.COSIGNATURE_V1, signer(2).public_key)


def note(*signatures, text=TEXT):
    return Note(text, signatures or (sign_note(text, ORIGIN, signer(1)),))


# The example of the signed-note specification.
SPEC_VKEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
SPEC_NOTE = (
    "This is an example message.\n\n"
    "— example.com/foo Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
).encode()


def test_the_specifications_own_note_verifies():
    """The example key of C2SP signed-note verifies its example note."""
    key = NoteKey.parse(SPEC_VKEY)
    (verified,) = Note.parse(SPEC_NOTE).verify([key])
    assert (verified.key, verified.time, key.vkey) == (key, 0, SPEC_VKEY)


def test_the_specifications_note_with_another_text_is_refused():
    """Its signature does not cover a changed text."""
    changed = SPEC_NOTE.replace(b"example message", b"Example message")
    with pytest.raises(InvalidProof, match="bad-signature"):
        Note.parse(changed).verify([NoteKey.parse(SPEC_VKEY)])


def test_a_cosigned_checkpoint_round_trips():
    """A checkpoint signed by a log and cosigned by a witness reads back, with the witness's time."""
    signed = note(sign_note(TEXT, ORIGIN, signer(1)), cosign(TEXT, "w.example", signer(2), TIME))
    read = Note.parse(signed.encode())
    assert read == signed
    assert [(one.key, one.time) for one in read.verify([LOG, WITNESS])] == [(LOG, 0), (WITNESS, TIME)]
    assert Checkpoint.parse(read.text) == Checkpoint(ORIGIN, 7, b"r" * 32)


def test_the_cosignature_states_the_time_in_front():
    """A type 0x04 signature is its key ID, eight bytes of time and the Ed25519 signature."""
    cosignature = cosign(TEXT, "w.example", signer(2), TIME)
    assert cosignature.key_id == WITNESS.key_id
    assert cosignature.signature[:8] == TIME.to_bytes(8)
    message = f"cosignature/v1\ntime {TIME}\n{TEXT}".encode()
    signer(2).public_key.verify(cosignature.signature[8:], message)


@pytest.mark.parametrize("time", [0, -1, 1 << 63])
def test_a_cosignature_needs_a_time(time):
    """A witness can't sign no time, a time before 1970, or one past 2^63."""
    with pytest.raises(ValueError, match="time"):
        cosign(TEXT, "w.example", signer(2), time)


BAD_NOTES = {
    "no final newline": note().encode()[:-1],
    "carriage returns": note().encode().replace(b"\n", b"\r\n"),
    "no signature": TEXT.encode() + b"\n",
    "no empty line": note().encode().replace(b"\n\n", b"\n"),
    "text alone": TEXT.encode(),
    "empty": b"",
    "newlines alone": b"\n\n",
    "a tab": note(text="a\tb\n\n").encode(),
    "a null byte": note().encode().replace(b"civil", b"ci\0il"),
    "not UTF-8": note().encode().replace(b"civil", b"ci\xffil"),
    "a line that is no signature": note().encode() + b"hello\n",
    "a hyphen for the dash": note().encode().replace("—".encode(), b"-"),
    "two spaces": note().encode().replace("— ".encode(), "—  ".encode()),
    "an empty key name": note().encode().replace(f"— {ORIGIN}".encode(), "— ".encode()),
    "a plus in the key name": note().encode().replace(f"— {ORIGIN}".encode(), "— a+b".encode()),
    "an unusual space in the key name": note()
    .encode()
    .replace(f"— {ORIGIN}".encode(), "— a\u2003b".encode()),
    "base64url": note().encode().replace(b"/", b"_").replace(b"+", b"-") + b"",
    "no padding": note().encode().replace(b"=\n", b"\n"),
    "trailing space": note().encode().replace(b"=\n", b"= \n"),
    "a key ID alone": f"{TEXT}\n— {ORIGIN} {base64.b64encode(LOG.key_id).decode()}\n".encode(),
    "an empty line after": note().encode() + b"\n",
}


@pytest.mark.parametrize("data", BAD_NOTES.values(), ids=BAD_NOTES)
def test_what_is_nearly_a_note_is_refused(data):
    """Reading is strict: one spelling only."""
    with pytest.raises((Malformed, InvalidProof)):
        read_signed(data)


def read_signed(data):
    """Read a checkpoint as every caller does: form, contents, and the log's signature."""
    read = Note.parse(data)
    Checkpoint.parse(read.text)
    if not read.verify([LOG]):
        raise InvalidProof("unsigned", "the log did not sign")


def test_leftover_bits_in_base64_are_refused():
    """Two spellings of one signature would be two notes."""
    with pytest.raises(Malformed):
        decode_base64("AB==")
    assert decode_base64("AA==") == b"\0"


def test_sixteen_signatures_and_more_are_read_but_not_without_end():
    """The specification asks for 16; far more is refused before any is checked."""
    others = [cosign(TEXT, f"w{number}.example", signer(3), TIME) for number in range(MAX_SIGNATURES)]
    own = sign_note(TEXT, ORIGIN, signer(1))
    assert len(Note.parse(note(own, *others[:-1]).encode()).signatures) == MAX_SIGNATURES
    with pytest.raises(LimitExceeded):
        Note.parse(note(own, *others).encode())
    with pytest.raises(LimitExceeded):
        Note.parse(b"a" * (MAX_NOTE_BYTES + 1))


def test_unknown_signatures_are_passed_over():
    """A stranger's line, a known name with another key ID and a known ID under another name change nothing."""
    own = sign_note(TEXT, ORIGIN, signer(1))
    strangers = (
        sign_note(TEXT, "stranger.example", signer(9)),
        sign_note(TEXT, ORIGIN, signer(9)),
        NoteSignature("other.example", LOG.key_id, b"x" * 64),
    )
    verified = Note.parse(note(*strangers, own).encode()).verify([LOG])
    assert [one.key for one in verified] == [LOG]


def test_no_known_signature_verifies_nothing():
    """A note by strangers alone gives no verified signature."""
    assert note(sign_note(TEXT, "stranger.example", signer(9))).verify([LOG, WITNESS]) == ()


def test_the_right_key_id_with_the_wrong_key_refuses_the_note():
    """A line that claims a known key and was made by another refuses everything, good signatures too."""
    own = sign_note(TEXT, ORIGIN, signer(1))
    forged = NoteSignature("w.example", WITNESS.key_id, cosign(TEXT, "w.example", signer(9), TIME).signature)
    with pytest.raises(InvalidProof, match="bad-signature"):
        note(own, forged).verify([LOG, WITNESS])


@pytest.mark.parametrize("key", [LOG, WITNESS], ids=["log", "witness"])
def test_a_duplicate_signature_refuses_the_note(key):
    """One key signs a note once: two lines, with one or two times, count for nothing."""
    lines = {
        LOG: [sign_note(TEXT, ORIGIN, signer(1))] * 2,
        WITNESS: [cosign(TEXT, "w.example", signer(2), time) for time in (TIME, TIME + 1)],
    }
    with pytest.raises(InvalidProof, match="duplicate-signature"):
        note(*lines[key]).verify([LOG, WITNESS])


def test_a_changed_time_refuses_the_note():
    """The time is signed."""
    cosignature = cosign(TEXT, "w.example", signer(2), TIME)
    moved = (TIME + 86400).to_bytes(8) + cosignature.signature[8:]
    with pytest.raises(InvalidProof, match="bad-signature"):
        note(NoteSignature("w.example", WITNESS.key_id, moved)).verify([WITNESS])


@pytest.mark.parametrize("cut", [0, 7, 8, 71, 73])
def test_a_cosignature_of_another_length_refuses_the_note(cut):
    """Neither a short nor a long timestamped signature is read."""
    signature = (cosign(TEXT, "w.example", signer(2), TIME).signature + b"xx")[:cut] or b"x"
    with pytest.raises(InvalidProof, match="bad-signature"):
        note(NoteSignature("w.example", WITNESS.key_id, signature)).verify([WITNESS])


def test_a_time_past_the_limit_refuses_the_note():
    """A time of 2^63 or more is none, whoever signed it."""
    time = 1 << 63
    signature = signer(2).sign(f"cosignature/v1\ntime {time}\n{TEXT}".encode())
    with pytest.raises(InvalidProof, match="bad-signature"):
        note(NoteSignature("w.example", WITNESS.key_id, time.to_bytes(8) + signature)).verify([WITNESS])


def test_a_signature_of_one_type_is_none_of_another():
    """One key's note signature, shown as its cosignature or the other way round, does not verify."""
    types = (SignatureType.ED25519, SignatureType.COSIGNATURE_V1)
    both = [NoteKey("w.example", kind, signer(2).public_key) for kind in types]
    plain = sign_note(TEXT, "w.example", signer(2)).signature
    timed = cosign(TEXT, "w.example", signer(2), TIME).signature
    for key, signature in [
        (both[0], timed),
        (both[0], timed[8:]),
        (both[1], plain),
        (both[1], timed[:8] + plain),
    ]:
        with pytest.raises(InvalidProof):
            note(NoteSignature("w.example", key.key_id, signature)).verify(both)


def test_one_witness_under_another_name_is_a_stranger():
    """The signed message has no name in it, but the line's key ID does: the relabelled line is unknown."""
    cosignature = cosign(TEXT, "w.example", signer(2), TIME)
    relabelled = NoteSignature("v.example", cosignature.key_id, cosignature.signature)
    assert note(relabelled).verify([WITNESS]) == ()


BAD_CHECKPOINTS = {
    "leading zero": f"{ORIGIN}\n07\n",
    "two zeros": f"{ORIGIN}\n00\n",
    "plus sign": f"{ORIGIN}\n+7\n",
    "minus sign": f"{ORIGIN}\n-7\n",
    "underscore": f"{ORIGIN}\n1_0\n",
    "space": f"{ORIGIN}\n 7\n",
    "other digits": f"{ORIGIN}\n\u0667\n",
    "hexadecimal": f"{ORIGIN}\n0x7\n",
    "past 2^63": f"{ORIGIN}\n{1 << 63}\n",
    "hundred digits": f"{ORIGIN}\n{'9' * 100}\n",
    "empty origin": "\n7\n",
}


@pytest.mark.parametrize("head", BAD_CHECKPOINTS.values(), ids=BAD_CHECKPOINTS)
def test_a_size_has_one_spelling(head):
    """A checkpoint's size is plain ASCII decimal below 2^63."""
    root = base64.b64encode(b"r" * 32).decode()
    Checkpoint.parse(f"{ORIGIN}\n7\n{root}\n")
    with pytest.raises(Malformed):
        Checkpoint.parse(f"{head}{root}\n")


@pytest.mark.parametrize("length", [0, 31, 33])
def test_a_root_has_32_bytes(length):
    """Hashes of other lengths are refused where they are read."""
    with pytest.raises(Malformed):
        Checkpoint.parse(f"{ORIGIN}\n7\n{base64.b64encode(bytes(length)).decode()}\n")


def test_an_empty_log_has_the_empty_root():
    """Size 0 with any other root is refused."""
    with pytest.raises(Malformed):
        Checkpoint.parse(f"{ORIGIN}\n0\n{base64.b64encode(b'r' * 32).decode()}\n")


def test_extension_lines_are_read_and_kept():
    """The format allows them, though no log of ours writes them; an empty one is refused."""
    checkpoint = Checkpoint(ORIGIN, 7, b"r" * 32, ("more", "lines"))
    assert Checkpoint.parse(checkpoint.text) == checkpoint
    with pytest.raises(Malformed):
        Checkpoint.parse(checkpoint.text + "\nafter an empty one\n")


BAD_VKEYS = {
    "wrong id": SPEC_VKEY.replace("530d903a", "530d903b"),
    "upper case id": SPEC_VKEY.replace("530d903a", "530D903A"),
    "another name": SPEC_VKEY.replace("foo", "bar"),
    "no key": "example.com/foo+530d903a",
    "another type": NoteKey.parse(SPEC_VKEY).vkey.replace("+Ae", "+Au"),
    "the length of another type": NoteKey.parse(SPEC_VKEY).vkey.replace("+Ae", "+Be"),
    "a short key": "example.com/foo+530d903a+AekyeRrm",
    "empty": "",
    "space in the name": SPEC_VKEY.replace("/", " "),
}


@pytest.mark.parametrize("vkey", BAD_VKEYS.values(), ids=BAD_VKEYS)
def test_a_verifier_key_states_its_own_id(vkey):
    """A verifier key whose parts don't belong together is refused."""
    with pytest.raises(Malformed):
        NoteKey.parse(vkey)


@pytest.mark.parametrize("kind", SignatureType)
def test_each_signature_type_has_its_type_of_key(kind):
    """A P-256 key has no signature type here, and no type takes the other's key."""
    wrong = signer(2) if kind is SignatureType.SUBTREE_V1 else post_quantum(2)
    for key in (LocalSigner.generate(KeyType.P256).public_key, wrong.public_key):
        with pytest.raises(ValueError, match="Ed25519"):
            NoteKey(ORIGIN, kind, key)


def post_quantum(number):
    return LocalSigner.from_private_bytes(KeyType.ML_DSA_44, bytes([number]) * 32)


def test_an_ml_dsa_cosignature_signs_the_structure_of_the_specification():
    """Label, names behind their lengths, time, start 0, size and root (tlog-cosignature, type 0x06)."""
    cosignature = cosign(TEXT, "w.example", post_quantum(2), TIME)
    origin = ORIGIN.encode()
    message = b"subtree/v1\n\0\x09w.example" + TIME.to_bytes(8) + bytes([len(origin)]) + origin
    message += bytes(8) + (7).to_bytes(8) + b"r" * 32
    post_quantum(2).public_key.verify(cosignature.signature[8:], message)
    assert cosignature.signature[:8] == TIME.to_bytes(8)
    material = b"\x06" + post_quantum(2).public_key.raw
    assert cosignature.key_id == sha256(b"w.example\n" + material).digest()[:4]


@pytest.mark.parametrize("time", [0, 1, TIME, (1 << 63) - 1])
def test_an_ml_dsa_cosignature_round_trips(time):
    """It verifies under its key as text, with the time that it states, which may be none."""
    key = NoteKey.parse(NoteKey.of_cosigner("w.example", post_quantum(2).public_key).vkey)
    read = Note.parse(note(cosign(TEXT, "w.example", post_quantum(2), time)).encode())
    assert [(one.key, one.time) for one in read.verify([key])] == [(key, time)]


def test_an_ml_dsa_cosignature_is_bound_to_everything_it_states():
    """Another time, name, origin, size or root does not verify; nor does a text that is no checkpoint."""
    key = NoteKey.of_cosigner("w.example", post_quantum(2).public_key)
    made = cosign(TEXT, "w.example", post_quantum(2), TIME).signature
    key.verify(TEXT, made)
    renamed = NoteKey.of_cosigner("v.example", post_quantum(2).public_key)
    others = [
        (key, TEXT, bytes(8) + made[8:]),
        (renamed, TEXT, made),
        (key, Checkpoint("other.example", 7, b"r" * 32).text, made),
        (key, Checkpoint(ORIGIN, 8, b"r" * 32).text, made),
        (key, Checkpoint(ORIGIN, 7, b"s" * 32).text, made),
        (key, "no checkpoint\n", made),
        (key, Checkpoint("o" * 256, 7, b"r" * 32).text, made),
        (key, TEXT, made[:-1]),
        (key, TEXT, made + b"x"),
        (key, TEXT, (1 << 63).to_bytes(8) + made[8:]),
    ]
    for one, text, signature in others:
        with pytest.raises(InvalidProof, match="bad-signature"):
            one.verify(text, signature)


@pytest.mark.parametrize("time", [-1, 1 << 63])
def test_an_ml_dsa_cosignature_needs_a_time_in_range(time):
    """No time may be stated, an impossible one may not; and what is no checkpoint is not cosigned."""
    with pytest.raises(ValueError, match="time"):
        cosign(TEXT, "w.example", post_quantum(2), time)
    with pytest.raises(ValueError, match="checkpoints"):
        cosign("a note\n", "w.example", post_quantum(2), TIME)
    with pytest.raises(ValueError, match="255"):
        cosign(TEXT, "w" * 256, post_quantum(2), TIME)


def test_no_cosignature_of_one_type_passes_as_the_other():
    """Under either key's id, a signature of the other type refuses the note."""
    keys = {
        signer: NoteKey.of_cosigner("w.example", signer.public_key) for signer in (signer(2), post_quantum(2))
    }
    for claimed in keys.values():
        for maker, own in keys.items():
            line = NoteSignature(
                "w.example", claimed.key_id, cosign(TEXT, "w.example", maker, TIME).signature
            )
            if own is claimed:
                assert len(note(line).verify(keys.values())) == 1
                continue
            with pytest.raises(InvalidProof, match="bad-signature"):
                note(line).verify(keys.values())


names = st.text(st.characters(codec="utf-8", min_codepoint=0x21), min_size=1, max_size=20).filter(
    lambda name: "+" not in name and not any(char.isspace() for char in name)
)


@given(names, st.integers(1, (1 << 63) - 1), st.binary(min_size=32, max_size=32), st.integers(1, 1 << 62))
def test_any_checkpoint_round_trips(origin, size, root, time):
    """What is written reads back the same, whatever the origin's script."""
    checkpoint = Checkpoint(origin, size, root)
    cosignature = cosign(checkpoint.text, origin, signer(2), time)
    read = Note.parse(note(cosignature, text=checkpoint.text).encode())
    assert (Checkpoint.parse(read.text), read.signatures) == (checkpoint, (cosignature,))


@given(st.binary(max_size=300) | st.text(max_size=300).map(lambda text: text.encode("utf-8", "replace")))
def test_arbitrary_bytes_raise_only_our_errors(data):
    """Whatever comes in, a note, a checkpoint and a key either read or raise VcidError."""
    text = data.decode("utf-8", "replace")
    for read in (lambda: Note.parse(data), lambda: Checkpoint.parse(text), lambda: NoteKey.parse(text)):
        try:
            read()
        except VcidError:
            continue


@given(st.integers(0, 400), st.binary(min_size=1, max_size=3))
def test_a_damaged_note_never_verifies_otherwise(position, damage):
    """Any change to a signed and cosigned note leaves fewer signatures, or none of it reads."""
    data = note(sign_note(TEXT, ORIGIN, signer(1)), cosign(TEXT, "w.example", signer(2), TIME)).encode()
    changed = data[:position] + damage + data[position + len(damage) :]
    try:
        read = Note.parse(changed)
        verified = read.verify([LOG, WITNESS])
    except VcidError:
        return
    assert read.text == TEXT or not verified

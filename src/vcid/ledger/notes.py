"""Signed notes, verifier keys, checkpoints and cosignatures in the C2SP formats.

This module follows C2SP signed-note v1.0.0, tlog-checkpoint v1.0.0 and tlog-cosignature: type 0x01 signs the
text of a note with Ed25519, type 0x04 a checkpoint's text together with a time, and type 0x06 signs, with
ML-DSA-44, the cosigner's name, a time, and the origin, size and root of a checkpoint. The last may state no
time (0), which says nothing of freshness, and covers no extension lines. Reading is strict: a text has one
encoding, so that a log and its witnesses can't be brought to sign two spellings of one statement. Signatures
of unknown keys are passed over; a signature that claims a known key and does not verify, or that stands
twice, refuses the whole note.
"""

from __future__ import annotations

import binascii
import re
from dataclasses import dataclass, field
from enum import IntEnum
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from vcid.encoding.multikey import KeyType
from vcid.errors import InvalidProof, LimitExceeded, Malformed
from vcid.keys.signing import PublicKey

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.keys.signing import Signer

MAX_NOTE_BYTES = 1 << 19
"""The longest note read: room for 64 post-quantum signatures of nearly 5 kB each, in base64."""

MAX_SIGNATURES = 64
"""The most signatures read; the specification asks for at least 16."""

MAX_SIZE = (1 << 63) - 1
"""The largest tree and the latest time that a checkpoint or cosignature may state."""

SUCCESSION_ORIGIN = "vcid.ledger/succession/"
"""What the name of a succession's own log begins with; the old log's origin follows."""

_DASH = "\u2014 "
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_VKEY_ID = re.compile(r"[0-9a-f]{8}")


class SignatureType(IntEnum):
    """The signature type identifiers that this module signs and verifies (signed-note, "Signature types")."""

    ED25519 = 0x01
    COSIGNATURE_V1 = 0x04
    SUBTREE_V1 = 0x06

    @property
    def key_type(self) -> KeyType:
        """The type of key that makes such signatures."""
        return KeyType.ML_DSA_44 if self is SignatureType.SUBTREE_V1 else KeyType.ED25519


LOG_TYPES = frozenset({SignatureType.ED25519})
"""The signature types with which logs sign their checkpoints."""

COSIGNATURE_TYPES = frozenset({SignatureType.COSIGNATURE_V1, SignatureType.SUBTREE_V1})
"""The signature types with which witnesses sign checkpoints."""

_SIGNATURE_BYTES = {KeyType.ED25519: 64, KeyType.ML_DSA_44: 2420}


def encode_base64(data: bytes) -> str:
    """Encode as standard base64 with padding (RFC 4648, section 4)."""
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def decode_base64(text: str, *, where: str = "") -> bytes:
    """Decode standard base64, accepting only the one canonical spelling.

    Raises:
        Malformed: other characters, missing padding, or bits left over.
    """
    try:
        data = binascii.a2b_base64(text.encode("ascii"), strict_mode=True)
    except ValueError as error:
        raise Malformed("base64", "standard base64 with padding", where=where) from error
    if encode_base64(data) != text:
        raise Malformed("base64", "the canonical spelling, with no bits left over", where=where)
    return data


def decode_decimal(text: str, *, where: str = "") -> int:
    """Read a number in ASCII decimal without sign or leading zeros, below 2^63.

    Raises:
        Malformed: anything else.
    """
    if not _DECIMAL.fullmatch(text) or int(text) > MAX_SIZE:
        raise Malformed("decimal", "an ASCII decimal below 2^63 without leading zeros", where=where)
    return int(text)


def check_name(name: str) -> str:
    """Return a key name if it is one: not empty, free of white space, control characters and ``+``.

    Raises:
        Malformed: it is no key name.
    """
    if not name or "+" in name or any(char.isspace() for char in name) or _CONTROL.search(name):
        raise Malformed("key-name", "a name without spaces, control characters and '+'")
    return name


def check_origin(origin: str) -> None:
    """Check that a log may have an origin: no log is named like that of a statement (``SUCCESSION_ORIGIN``).

    Raises:
        ValueError: this one is.
    """
    if origin.startswith(SUCCESSION_ORIGIN):
        raise ValueError(f"no log's name begins with {SUCCESSION_ORIGIN}")


@dataclass(frozen=True, slots=True)
class NoteKey:
    """A key that verifies notes under one name for one type of signature.

    Attributes:
        name: who signs; for a log, its origin.
        signature_type: what a signature by this key states.
        public_key: an ML-DSA-44 key for type 0x06, else an Ed25519 key.
        key_id: the four bytes that stand before each of its signatures.
    """

    name: str
    signature_type: SignatureType
    public_key: PublicKey
    key_id: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_name(self.name)
        if self.public_key.key_type is not self.signature_type.key_type:
            raise ValueError("notes are signed with Ed25519 keys, cosignatures with these or ML-DSA-44 keys")
        material = bytes([self.signature_type]) + self.public_key.raw
        digest = sha256(self.name.encode() + b"\n" + material).digest()
        object.__setattr__(self, "key_id", digest[:4])

    @classmethod
    def of_log(cls, origin: str, public_key: PublicKey) -> Self:
        """The key with which a log signs its checkpoints, under its origin as name."""
        return cls(origin, SignatureType.ED25519, public_key)

    @classmethod
    def of_cosigner(cls, name: str, public_key: PublicKey) -> Self:
        """The key with which a witness cosigns checkpoints; the type of key decides that of its signatures.

        Raises:
            ValueError: no cosignature is made with a key of that type.
        """
        subtree = public_key.key_type is KeyType.ML_DSA_44
        return cls(name, SignatureType.SUBTREE_V1 if subtree else SignatureType.COSIGNATURE_V1, public_key)

    @property
    def vkey(self) -> str:
        """The verifier key as text (signed-note, "Verifier keys")."""
        material = bytes([self.signature_type]) + self.public_key.raw
        return f"{self.name}+{self.key_id.hex()}+{encode_base64(material)}"

    @classmethod
    def parse(cls, vkey: str) -> Self:
        """Read a verifier key of type 0x01, 0x04 or 0x06.

        Raises:
            Malformed: it is no such key, or its key ID is not the one that its contents give.
        """
        parts = vkey.split("+", 2)
        if len(parts) != 3 or not _VKEY_ID.fullmatch(parts[1]):
            raise Malformed("vkey", "a name, eight lowercase hex digits and base64, joined by '+'")
        material = decode_base64(parts[2])
        if not material or material[0] not in frozenset(SignatureType):
            raise Malformed("vkey-type", "a key of signature type 0x01, 0x04 or 0x06")
        signature_type = SignatureType(material[0])
        public_key = PublicKey(signature_type.key_type, material[1:])
        key = cls(check_name(parts[0]), signature_type, public_key)
        if key.key_id.hex() != parts[1]:
            raise Malformed("vkey-id", "the key ID that belongs to the name and key")
        return key

    def verify(self, text: str, signature: bytes) -> int:
        """Check a signature over a note's text.

        Returns:
            The POSIX time that the signature states; 0 if it states none.

        Raises:
            InvalidProof: the signature does not hold.
        """
        if self.signature_type is SignatureType.ED25519:
            self._check(signature, text.encode())
            return 0
        time = int.from_bytes(signature[:8])
        if time > MAX_SIZE:
            raise InvalidProof("bad-signature", f"the cosignature of {self.name} states an impossible time")
        try:
            message = self.cosigned_message(text, time)
        except ValueError as error:
            raise InvalidProof("bad-signature", "the note is no checkpoint that can be cosigned") from error
        self._check(signature[8:], message)
        return time

    def cosigned_message(self, text: str, time: int) -> bytes:
        """What a cosignature by this key signs (tlog-cosignature, "signed message" of each type).

        Raises:
            ValueError: the text is no checkpoint, or a name too long for type 0x06.
        """
        if self.signature_type is SignatureType.COSIGNATURE_V1:
            return f"cosignature/v1\ntime {time}\n{text}".encode()
        try:
            checkpoint = Checkpoint.parse(text)
        except Malformed as error:
            raise ValueError("cosigners sign checkpoints") from error
        names = [name.encode() for name in (self.name, checkpoint.origin)]
        if any(len(name) > 255 for name in names):
            raise ValueError("an ML-DSA-44 cosignature holds names of at most 255 bytes")
        cosigner, origin = (bytes([len(name)]) + name for name in names)
        state = bytes(8) + checkpoint.size.to_bytes(8) + checkpoint.root
        return b"subtree/v1\n\0" + cosigner + time.to_bytes(8) + origin + state

    def _check(self, signature: bytes, message: bytes) -> None:
        if len(signature) != _SIGNATURE_BYTES[self.public_key.key_type]:
            raise InvalidProof("bad-signature", f"the signature of {self.name} has another length")
        self.public_key.verify(signature, message)


@dataclass(frozen=True, slots=True)
class NoteSignature:
    """One signature line of a note; nothing says yet that it holds."""

    name: str
    key_id: bytes
    signature: bytes

    @property
    def line(self) -> str:
        """The line, without its newline."""
        return f"{_DASH}{self.name} {encode_base64(self.key_id + self.signature)}"

    @classmethod
    def parse(cls, line: str) -> Self:
        """Read a signature line, given without its newline.

        Raises:
            Malformed: it is none.
        """
        parts = line.removeprefix(_DASH).split(" ")
        if not line.startswith(_DASH) or len(parts) != 2:
            raise Malformed("signature-line", "an em dash, a key name and base64, with one space between")
        data = decode_base64(parts[1])
        if len(data) < 5:
            raise Malformed("signature-line", "a key ID of four bytes and a signature")
        return cls(check_name(parts[0]), data[:4], data[4:])


@dataclass(frozen=True, slots=True)
class VerifiedSignature:
    """A signature that holds: whose it is, and the POSIX time it states (0 for none)."""

    key: NoteKey
    time: int


@dataclass(frozen=True, slots=True)
class Note:
    """A text with the signatures that stand below it."""

    text: str
    signatures: tuple[NoteSignature, ...]

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a signed note (signed-note, "Format").

        Raises:
            Malformed: it is none, or has no signature.
            LimitExceeded: it is longer than ``MAX_NOTE_BYTES`` or has more than ``MAX_SIGNATURES``.
        """
        content = decode_text(data, max_bytes=MAX_NOTE_BYTES)
        split = content.rfind("\n\n")
        if split < 0 or split + 2 == len(content):
            raise Malformed("note", "a text, an empty line and at least one signature")
        lines = content[split + 2 : -1].split("\n")
        if len(lines) > MAX_SIGNATURES:
            raise LimitExceeded("signatures", f"at most {MAX_SIGNATURES} signatures")
        return cls(content[: split + 1], tuple(NoteSignature.parse(line) for line in lines))

    def encode(self) -> bytes:
        """The note as it is stored and sent."""
        return "\n".join([self.text, *(signature.line for signature in self.signatures), ""]).encode()

    def verify(self, keys: Iterable[NoteKey]) -> tuple[VerifiedSignature, ...]:
        """Check every signature that claims one of these keys.

        Returns:
            The signatures that hold, in the note's order; none of an unknown key.

        Raises:
            InvalidProof: a known key's signature does not hold (``bad-signature``) or stands more than once
                (``duplicate-signature``).
        """
        known = {(key.name, key.key_id): key for key in keys}
        verified: dict[NoteKey, VerifiedSignature] = {}
        for signature in self.signatures:
            key = known.get((signature.name, signature.key_id))
            if key is None:
                continue
            if key in verified:
                raise InvalidProof("duplicate-signature", f"{key.name} signed the note more than once")
            verified[key] = VerifiedSignature(key, key.verify(self.text, signature.signature))
        return tuple(verified.values())


def decode_text(data: bytes, *, max_bytes: int) -> str:
    """Read UTF-8 that ends in a newline and has no other control character below U+0020.

    Raises:
        Malformed: it is not such a text.
        LimitExceeded: it is longer than allowed.
    """
    if len(data) > max_bytes:
        raise LimitExceeded("size", f"at most {max_bytes} bytes")
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise Malformed("utf-8", "valid UTF-8") from error
    if _CONTROL.search(text):
        raise Malformed("control-character", "no control character but the newline")
    if not text.endswith("\n"):
        raise Malformed("final-newline", "a newline at the end")
    return text


def sign_note(text: str, name: str, signer: Signer) -> NoteSignature:
    """Sign a note's text with a type 0x01 signature under a name."""
    key = NoteKey(name, SignatureType.ED25519, signer.public_key)
    return NoteSignature(name, key.key_id, signer.sign(text.encode()))


def cosign(text: str, name: str, signer: Signer, time: int) -> NoteSignature:
    """Cosign a checkpoint's text and a POSIX time under a name: type 0x06 by an ML-DSA-44 key, else 0x04.

    A type 0x06 cosignature of time 0 says that the checkpoint continues what the signer saw before, and not
    that it is the largest.

    Raises:
        ValueError: the time is out of range, or the text is no checkpoint.
    """
    key = NoteKey.of_cosigner(name, signer.public_key)
    if not (0 < time <= MAX_SIZE or (time == 0 and key.signature_type is SignatureType.SUBTREE_V1)):
        raise ValueError("a cosignature states a time after 1970, or with ML-DSA-44 none")
    signature = signer.sign(key.cosigned_message(text, time))
    return NoteSignature(name, key.key_id, time.to_bytes(8) + signature)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A log's state: its origin, its number of leaves and their root (tlog-checkpoint).

    Attributes:
        extensions: further lines, which no auditor can check; nothing in vcid writes or relies on them.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """The note's text."""
        return "\n".join([self.origin, str(self.size), encode_base64(self.root), *self.extensions, ""])

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a checkpoint from the text of a note.

        Raises:
            Malformed: it is none.
        """
        origin, *lines = text.removesuffix("\n").split("\n")
        if len(lines) < 2 or not origin or not all(lines):
            raise Malformed("checkpoint", "origin, size and root hash on lines of their own, none empty")
        root = decode_base64(lines[1], where="line 3")
        if len(root) != 32:
            raise Malformed("root", "a SHA-256 hash", where="line 3")
        size = decode_decimal(lines[0], where="line 2")
        if size == 0 and root != sha256(b"").digest():
            raise Malformed("empty-root", "the hash of the empty string for an empty tree", where="line 3")
        return cls(origin, size, root, tuple(lines[2:]))

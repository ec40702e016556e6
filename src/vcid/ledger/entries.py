"""The leaves of the log: owner-signed entries, and the heads leaf that ends every checkpoint.

An entry says that the newest document of a topic has a digest. A topic belongs to the key that is hashed into
it, so nobody else can open or continue it, and it names no DID. Every value is a frame: each field stands
behind its length in four bytes, the first field names the type, so that no value can be read as another one,
and no two lists of fields have the same bytes. Nothing but a digest of 32 bytes can be put into an entry.

    list hash  SHA-256(frame("vcid.ledger.list.v1", list id))
    topic      SHA-256(frame("vcid.ledger.topic.v1", key type, owner key, kind, list hash))
    signed     frame("vcid.ledger.statement.v1", topic, seq, digest)
    entry      frame("vcid.ledger.entry.v1", kind, key type, owner key, list hash, seq, digest,
                     key type, signing key, signature)
    key        SHA-256(frame("vcid.ledger.key.v1", key type, key)), the digest of a change of key
    heads      frame("vcid.ledger.heads.v1", number of topics, root of the heads map)

Numbers are eight bytes, big-endian; a topic's first entry has seq 0. The list id enters as a hash, so the
log does not repeat addresses, yet the topic of an entry can be recomputed by all who replay it. The owner
named is the *first* owner even after a later change of key. That change is an entry of its own kind, signed
by the key in force and naming the next; from then on the next one signs for all of the first owner's topics.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import lru_cache
from hashlib import sha256
from typing import TYPE_CHECKING, Self

from vcid.encoding.multikey import KeyType
from vcid.errors import Malformed
from vcid.keys.signing import PublicKey

if TYPE_CHECKING:
    from vcid.keys.signing import Signer

MAX_LEAF_BYTES = 1024
"""The longest leaf: an entry with the longest key and signature needs less than half."""

_TOPIC = b"vcid.ledger.topic.v1"
_LIST = b"vcid.ledger.list.v1"
_STATEMENT = b"vcid.ledger.statement.v1"
_ENTRY = b"vcid.ledger.entry.v1"
_KEY = b"vcid.ledger.key.v1"
_HEADS = b"vcid.ledger.heads.v1"
_MAX_SEQ = (1 << 63) - 1


class Kind(StrEnum):
    """What a digest is of."""

    DID_DOCUMENT = "did-document"
    STATUS_LIST = "status-list"
    BATCH_ROOT = "batch-root"
    SUCCESSION = "succession"
    OWNER_KEY = "owner-key"


def frame(*fields: bytes) -> bytes:
    """Join fields so that they can be told apart again: each behind its length in four bytes."""
    return b"".join([part for value in fields for part in (len(value).to_bytes(4), value)])


def unframe(data: bytes) -> list[bytes]:
    """Split what ``frame`` joined.

    Raises:
        Malformed: a length points past the end.
    """
    fields, position = [], 0
    while position < len(data):
        end = position + 4 + int.from_bytes(data[position : position + 4])
        if position + 4 > len(data) or end > len(data):
            raise Malformed("frame", "fields that end where the data ends", where=f"byte {position}")
        fields.append(data[position + 4 : end])
        position = end
    return fields


def hash_list_id(list_id: str) -> bytes:
    """Hash the id that tells an owner's lists of one kind apart: a status list's URL, or nothing."""
    return sha256(frame(_LIST, list_id.encode())).digest()


def topic(owner: PublicKey, kind: Kind, list_id: str) -> bytes:
    """Derive the topic under which an owner's entries about one list stand in the log."""
    return hashed_topic(owner, kind, hash_list_id(list_id))


# Every entry that is checked asks for one, and a log has few owners.
@lru_cache(maxsize=1024)
def owner_topic(owner: PublicKey) -> bytes:
    """Derive the topic in which an owner's changes of key stand."""
    return topic(owner, Kind.OWNER_KEY, "")


@lru_cache(maxsize=1024)
def key_digest(key: PublicKey) -> bytes:
    """Hash a key, as the entry that brings it into force names it."""
    return sha256(frame(_KEY, key.key_type.value.encode(), key.raw)).digest()


def hashed_topic(owner: PublicKey, kind: Kind, list_hash: bytes) -> bytes:
    """Derive a topic from its list's hash, as all who replay a log know it."""
    key_type = owner.key_type.value.encode()
    return sha256(frame(_TOPIC, key_type, owner.raw, kind.value.encode(), list_hash)).digest()


_HEADS_NAME = frame(_HEADS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A topic's digest number ``seq``, signed by the topic's owner.

    Attributes:
        kind: what the digest is of.
        owner: the key that first owned the topic.
        list_hash: ``hash_list_id`` of the list.
        seq: 0 for the topic's first entry, then one more each.
        digest: SHA-256 of the document; of a change of key, ``key_digest`` of the next key.
        signing_key: the owner's key in force: the first one, or the one that the newest change of key names.
            Whether it is in force, only the log can tell: see ``vcid.ledger.owners``.
        signature: the signing key's, over topic, seq and digest; nothing says that it holds before ``verify``
            was called.
        topic: derived from owner, kind and list hash.
    """

    kind: Kind
    owner: PublicKey
    list_hash: bytes
    seq: int
    digest: bytes
    signing_key: PublicKey
    signature: bytes
    topic: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.list_hash) != 32 or len(self.digest) != 32:
            raise ValueError("an entry holds SHA-256 digests of 32 bytes")
        if not 0 <= self.seq <= _MAX_SEQ or not 0 < len(self.signature) <= 256:
            raise ValueError("an entry's seq lies between 0 and 2^63 - 1, and it is signed")
        object.__setattr__(self, "topic", hashed_topic(self.owner, self.kind, self.list_hash))

    @classmethod
    def sign(
        cls,
        signer: Signer,
        *,
        kind: Kind,
        list_id: str,
        seq: int,
        digest: bytes,
        owner: PublicKey | None = None,
    ) -> Self:
        """Sign the next digest of one of the signer's topics, or of a first owner's that it stands in for."""
        owner, list_hash = owner or signer.public_key, hash_list_id(list_id)
        signature = signer.sign(_statement(hashed_topic(owner, kind, list_hash), seq, digest))
        return cls(
            kind=kind,
            owner=owner,
            list_hash=list_hash,
            seq=seq,
            digest=digest,
            signing_key=signer.public_key,
            signature=signature,
        )

    def follow(self, signer: Signer, digest: bytes) -> Self:
        """Sign the digest that comes after this one, by the owner's key in force."""
        seq = self.seq + 1
        signature = signer.sign(_statement(self.topic, seq, digest))
        return replace(self, seq=seq, digest=digest, signing_key=signer.public_key, signature=signature)

    @classmethod
    def change_key(
        cls, signer: Signer, next_key: PublicKey, *, seq: int, owner: PublicKey | None = None
    ) -> Self:
        """Sign that from here on another key signs for all of an owner's topics."""
        digest = key_digest(next_key)
        return cls.sign(signer, kind=Kind.OWNER_KEY, list_id="", seq=seq, digest=digest, owner=owner)

    def verify(self) -> None:
        """Check the signature; whose key it is, and whether that is in force, is another question.

        Raises:
            InvalidProof: it does not hold.
        """
        self.signing_key.verify(self.signature, _statement(self.topic, self.seq, self.digest))

    def encode(self) -> bytes:
        """The entry as a leaf of the log."""
        return frame(
            _ENTRY,
            self.kind.value.encode(),
            self.owner.key_type.value.encode(),
            self.owner.raw,
            self.list_hash,
            self.seq.to_bytes(8),
            self.digest,
            self.signing_key.key_type.value.encode(),
            self.signing_key.raw,
            self.signature,
        )

    @classmethod
    def decode(cls, data: bytes) -> Self:
        """Read an entry from a leaf.

        Raises:
            Malformed: the leaf is none.
        """
        leaf = decode_leaf(data)
        if not isinstance(leaf, cls):
            raise Malformed("leaf-type", "an entry")
        return leaf


def _statement(topic: bytes, seq: int, digest: bytes) -> bytes:
    return frame(_STATEMENT, topic, seq.to_bytes(8), digest)


@dataclass(frozen=True, slots=True)
class HeadsLeaf:
    """The leaf that commits to the newest entry of every topic at that point of the log.

    Attributes:
        count: the number of topics.
        root: the root of the heads map.
    """

    count: int
    root: bytes

    def encode(self) -> bytes:
        """The commitment as a leaf of the log."""
        return frame(_HEADS, self.count.to_bytes(8), self.root)


def is_heads_leaf(data: bytes) -> bool:
    """Whether a leaf calls itself a heads leaf; ``decode_leaf`` tells whether it is one."""
    return data.startswith(_HEADS_NAME)


def decode_leaf(data: bytes) -> Entry | HeadsLeaf:
    """Read a leaf of the log; each leaf has exactly one encoding.

    Raises:
        Malformed: it is neither an entry nor a heads leaf.
    """
    if len(data) > MAX_LEAF_BYTES:
        raise Malformed("leaf-size", f"at most {MAX_LEAF_BYTES} bytes")
    name, *fields = unframe(data) or [b""]
    if name == _ENTRY and len(fields) == 9:
        return _decode_entry(fields)
    if name == _HEADS and [len(value) for value in fields] == [8, 32]:
        return HeadsLeaf(int.from_bytes(fields[0]), fields[1])
    raise Malformed("leaf-type", "an entry or a heads leaf of version 1")


def _decode_entry(fields: list[bytes]) -> Entry:
    kind, key_type, raw, list_hash, seq, digest, signing_type, signing_raw, signature = fields
    if len(seq) != 8:
        raise Malformed("entry", "a seq of eight bytes")
    try:
        return Entry(
            kind=Kind(kind.decode("ascii")),
            owner=_key(key_type, raw),
            list_hash=list_hash,
            seq=int.from_bytes(seq),
            digest=digest,
            signing_key=_key(signing_type, signing_raw),
            signature=signature,
        )
    except ValueError as error:
        raise Malformed("entry", "a known kind and key type, digests of 32 bytes and a signature") from error


# A log has few owners and many entries, and to validate a point costs as much as to check a signature.
@lru_cache(maxsize=1024)
def _key(key_type: bytes, raw: bytes) -> PublicKey:
    return PublicKey(KeyType(key_type.decode("ascii")), raw)

"""The batches in which an issuer anchors its credentials: one at each publication, however many they are.

A batch takes up every credential signed since the last one. It is stored with its salts before its digest
goes anywhere, so that a publication that broke off anchors the same batch when it is done again, and every
receipt can be written whenever it is asked for.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

from vcid.credentials.envelopes import CREDENTIAL, read_secured
from vcid.credentials.model import BASE_MEDIA_TYPE, Credential
from vcid.errors import VcidError
from vcid.ledger.batches import SALT_BYTES, Batch, build_batch
from vcid.securing.existence import existence_digest
from vcid.status.allocation import draw_below
from vcid.status.tables import refuse_if_behind

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.storage import Transaction

_HASH_BYTES = 32


@dataclass(frozen=True, slots=True)
class PreparedBatch:
    """A batch that is stored and waits to be anchored and confirmed.

    Attributes:
        number: the batch's number in the registry.
        digest: what is to be anchored.
        after: the number in the ledger of the batch before it, so that its own is a later one; -1 for none.
    """

    number: int
    digest: bytes
    after: int


@dataclass(frozen=True, slots=True)
class BatchPlace:
    """Where a credential stands in a batch that was anchored.

    Attributes:
        batch: the batch's tree.
        place: the credential's leaf.
        salt: its salt.
        seq: the number of the batch's entry in the ledger.
        size: the first checkpoint that has the entry.
    """

    batch: Batch
    place: int
    salt: bytes = field(repr=False)
    seq: int
    size: int


def prepare(transaction: Transaction, random: Callable[[int], bytes]) -> PreparedBatch:
    """Store a batch of the credentials that are in none yet, or give again the one that waits.

    Raises:
        Behind: the registry must publish nothing.
    """
    refuse_if_behind(transaction)
    (after,) = transaction.execute("SELECT COALESCE(MAX(seq), -1) FROM batch").fetchone()
    waiting = transaction.execute("SELECT number, digest FROM batch WHERE size IS NULL").fetchone()
    if waiting is not None:
        return PreparedBatch(waiting[0], waiting[1], after)
    rows = transaction.execute(
        "SELECT number, media_type, content FROM issuance WHERE content IS NOT NULL"
        " AND number NOT IN (SELECT issuance FROM batch_place) ORDER BY number"
    ).fetchall()
    salts = [random(SALT_BYTES) for _ in rows]
    digests = [_digest(Credential(*credential)) for _, *credential in rows]
    # What no receipt could be looked up for takes a leaf that nobody finds, and keeps no salt.
    salted = [(salt, digest or random(_HASH_BYTES)) for salt, digest in zip(salts, digests, strict=True)]
    kept = [salt if digest else None for salt, digest in zip(salts, digests, strict=True)]
    batch, places = build_batch(salted, random=random, draw_below=partial(draw_below, random=random))
    stored = transaction.execute(
        "INSERT INTO batch (digest, leaf_hashes) VALUES (?, ?) RETURNING number",
        (batch.digest, b"".join(batch.leaf_hashes) if rows else b""),
    ).fetchone()
    transaction.executemany(
        "INSERT INTO batch_place (issuance, batch, place, salt) VALUES (?, ?, ?, ?)",
        ((row[0], stored[0], place, salt) for row, place, salt in zip(rows, places, kept, strict=True)),
    )
    return PreparedBatch(stored[0], batch.digest, after)


def confirm(transaction: Transaction, prepared: PreparedBatch, *, seq: int, size: int) -> None:
    """Note where a batch was anchored; the first time counts."""
    transaction.execute(
        "UPDATE batch SET seq = ?, size = ? WHERE number = ? AND size IS NULL", (seq, size, prepared.number)
    )


def find_place(transaction: Transaction, key: str) -> BatchPlace | None:
    """Find a credential's place; nothing if it was not anchored yet, or its salt was destroyed."""
    row = transaction.execute(
        "SELECT leaf_hashes, place, salt, seq, size FROM issuance"
        " JOIN batch_place ON issuance = issuance.number JOIN batch ON batch.number = batch"
        " WHERE key = ? AND size IS NOT NULL AND salt IS NOT NULL",
        (key,),
    ).fetchone()
    if row is None:
        return None
    hashes, *rest = row
    leaves = tuple(hashes[start : start + _HASH_BYTES] for start in range(0, len(hashes), _HASH_BYTES))
    return BatchPlace(Batch(leaves), *rest)


def destroy_salt(transaction: Transaction, key: str) -> bool:
    """Destroy a credential's salt: from then on nobody can find it in the ledger. Say whether it had one."""
    changed = transaction.execute(
        "UPDATE batch_place SET salt = NULL WHERE salt IS NOT NULL"
        " AND issuance = (SELECT number FROM issuance WHERE key = ?)",
        (key,),
    )
    return changed.rowcount == 1


def _digest(credential: Credential) -> bytes | None:
    """The digest that shows a credential's existence; one that can't be read must stop no publication."""
    with suppress(VcidError):
        if credential.media_type == BASE_MEDIA_TYPE:
            return existence_digest(credential.unverified_document)
        return existence_digest(read_secured(credential, CREDENTIAL).secured)
    return None

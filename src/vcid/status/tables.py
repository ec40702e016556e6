"""The registry's tables, and what several of its parts read from them.

``registry`` holds one row: whose it is, by which first key, and whether it was found behind. ``noted_key``
holds keys that sign beside those that the ledger names, ``closed_key`` those that are not to be trusted since
some moment. ``issuance`` holds one row
for each key of the caller, with the one that it stands in for, if any: that link is nowhere else.
``proposal`` holds what waits to be approved, ``approval`` who approved what was issued. ``status_list`` holds
one row for each list ever opened, ``slot`` one for each entry of a list that is taken: by a credential, or by
nobody (a decoy, or a place given up after a restored backup). A slot is never deleted, so its primary key
alone keeps an index from being given out twice. ``batch`` holds the batches in which credentials are
anchored, ``batch_place`` the place and salt of each credential.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vcid.dids.names import lasting_name
from vcid.errors import Behind, Conflict
from vcid.storage import StoreSchema

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.storage import Transaction

_VERSION_1: Final = """
CREATE TABLE registry (
    behind INTEGER NOT NULL,
    did    TEXT,
    owner  TEXT
) STRICT;
INSERT INTO registry (behind) VALUES (0);

CREATE TABLE noted_key (
    number    INTEGER PRIMARY KEY,
    multikey  TEXT NOT NULL UNIQUE
) STRICT;

CREATE TABLE closed_key (
    multikey TEXT PRIMARY KEY,
    since    TEXT NOT NULL
) STRICT;

CREATE TABLE issuance (
    number        INTEGER PRIMARY KEY,
    key           TEXT NOT NULL UNIQUE,
    record_digest BLOB NOT NULL,
    credential_id TEXT NOT NULL UNIQUE,
    reserved_at   TEXT NOT NULL,
    completed_at  TEXT,
    media_type    TEXT,
    content       BLOB,
    succeeds      INTEGER UNIQUE REFERENCES issuance (number),
    CHECK ((content IS NULL) = (media_type IS NULL))
) STRICT;

CREATE TABLE proposal (
    issuance    INTEGER PRIMARY KEY REFERENCES issuance (number),
    content     BLOB NOT NULL,
    replacement TEXT
) STRICT;

CREATE TABLE approval (
    issuance    INTEGER NOT NULL REFERENCES issuance (number),
    registrar   TEXT NOT NULL,
    approved_at TEXT NOT NULL,
    signature   BLOB NOT NULL,
    replacement TEXT,
    PRIMARY KEY (issuance, registrar)
) STRICT, WITHOUT ROWID;

CREATE TABLE status_list (
    number    INTEGER PRIMARY KEY,
    list_id   TEXT NOT NULL UNIQUE,
    purpose   TEXT NOT NULL,
    length    INTEGER NOT NULL,
    state     TEXT NOT NULL CHECK (state IN ('opening', 'open', 'retired')),
    allocated INTEGER NOT NULL DEFAULT 0,
    decoys    INTEGER NOT NULL DEFAULT 0,
    seq       INTEGER NOT NULL DEFAULT -1,
    digest    BLOB
) STRICT;

CREATE TABLE slot (
    list      INTEGER NOT NULL REFERENCES status_list (number),
    position  INTEGER NOT NULL,
    issuance  INTEGER REFERENCES issuance (number),
    is_set    INTEGER NOT NULL DEFAULT 0,
    set_at    TEXT,
    first_seq INTEGER,
    PRIMARY KEY (list, position)
) STRICT, WITHOUT ROWID;
CREATE INDEX slot_by_issuance ON slot (issuance) WHERE issuance IS NOT NULL;
CREATE INDEX slot_that_is_set ON slot (list) WHERE is_set = 1;
CREATE INDEX slot_to_publish ON slot (list) WHERE is_set = 1 AND first_seq IS NULL;
CREATE INDEX slot_to_unset ON slot (list) WHERE is_set = 0 AND first_seq IS NOT NULL;

CREATE TABLE publication (
    list       INTEGER NOT NULL REFERENCES status_list (number),
    is_pending INTEGER NOT NULL,
    seq        INTEGER NOT NULL,
    digest     BLOB NOT NULL,
    content    BLOB NOT NULL,
    PRIMARY KEY (list, is_pending)
) STRICT;

CREATE TABLE batch (
    number      INTEGER PRIMARY KEY,
    digest      BLOB NOT NULL,
    leaf_hashes BLOB NOT NULL,
    seq         INTEGER,
    size        INTEGER,
    CHECK ((seq IS NULL) = (size IS NULL))
) STRICT;
CREATE UNIQUE INDEX batch_that_waits ON batch ((size IS NULL)) WHERE size IS NULL;

CREATE TABLE batch_place (
    issuance INTEGER PRIMARY KEY REFERENCES issuance (number),
    batch    INTEGER NOT NULL REFERENCES batch (number),
    place    INTEGER NOT NULL,
    salt     BLOB
) STRICT;

CREATE TABLE lost_list (
    list_id TEXT PRIMARY KEY,
    seq     INTEGER NOT NULL,
    digest  BLOB NOT NULL
) STRICT;

CREATE TABLE recovery (
    number       INTEGER PRIMARY KEY,
    recovered_at TEXT NOT NULL,
    report       TEXT NOT NULL
) STRICT;
"""

SCHEMA: Final = StoreSchema("registry", (_VERSION_1,))


@dataclass(frozen=True, slots=True, kw_only=True)
class Publication:
    """One version of a status list, as it is or is about to be published.

    Attributes:
        list_id: the list's URL.
        purpose: what its bits mean.
        seq: 0 for the list's first publication, one more for each later one.
        digest: the SHA-256 of the content, as it goes into the ledger.
        content: the signed list credential.
    """

    list_id: str
    purpose: str
    seq: int
    digest: bytes
    content: bytes = field(repr=False)


def read_publications(transaction: Transaction, *, pending: bool) -> tuple[Publication, ...]:
    """Read the versions that are published, or those prepared and not yet confirmed."""
    rows = transaction.execute(
        "SELECT list_id, purpose, p.seq, p.digest, content FROM publication p"
        " JOIN status_list ON status_list.number = p.list WHERE is_pending = ? ORDER BY list_id",
        (int(pending),),
    )
    return tuple(
        Publication(list_id=list_id, purpose=purpose, seq=seq, digest=digest, content=content)
        for list_id, purpose, seq, digest, content in rows
    )


def bind(transaction: Transaction, did: str, key: str) -> str:
    """Note whose registry it is, for good, and give the key that first owned its issuer's topics.

    A did:webvh that moved is the same issuer under another name.

    Raises:
        Conflict: code ``other-registry``, it is another issuer's.
    """
    bound, owner = transaction.execute("SELECT did, owner FROM registry").fetchone()
    if bound is None:
        transaction.execute("UPDATE registry SET did = ?, owner = ?", (did, key))
        return key
    if lasting_name(bound) != lasting_name(did):
        raise Conflict(
            "other-registry",
            "the registry is that of another issuer or key: open it with those, or give this issuer its own",
        )
    transaction.execute("UPDATE registry SET did = ? WHERE did <> ?", (did, did))
    return str(owner)


def note_keys(transaction: Transaction, keys: Iterable[str]) -> None:
    """Note keys that sign beside those that the ledger names, each once."""
    transaction.executemany(
        "INSERT INTO noted_key (multikey) VALUES (?) ON CONFLICT DO NOTHING", [(key,) for key in keys]
    )


def close_key(transaction: Transaction, key: str, since: str) -> None:
    """Note since when a key is not to be trusted; the earliest moment counts."""
    transaction.execute(
        "INSERT INTO closed_key (multikey, since) VALUES (?, ?)"
        " ON CONFLICT (multikey) DO UPDATE SET since = excluded.since"
        " WHERE excluded.since < closed_key.since",
        (key, since),
    )


def promote(transaction: Transaction, number: int) -> None:
    """Make a list's pending version its published one; a list that was opening can be allocated from."""
    transaction.execute("DELETE FROM publication WHERE list = ? AND is_pending = 0", (number,))
    transaction.execute("UPDATE publication SET is_pending = 0 WHERE list = ?", (number,))
    transaction.execute(
        "UPDATE status_list SET (seq, digest) = (SELECT seq, digest FROM publication WHERE list = number),"
        " state = CASE state WHEN 'opening' THEN 'open' ELSE state END WHERE number = ?",
        (number,),
    )


def refuse_if_behind(transaction: Transaction) -> None:
    """Stop what a registry that was found behind must not do.

    Raises:
        Behind: it was, and `recover` has not run since.
    """
    if transaction.execute("SELECT behind FROM registry").fetchone()[0]:
        raise Behind(
            "the registry knows less than was published from it, as after a restored backup:"
            " run `vcid registry recover`"
        )

"""What a verifier knows, and as of when: DID documents, status lists, and what the ledger says of them.

Knowledge is gathered where there is a network and carried to where there is none, as a folder that people can
look into. It is evidence, not authority: every file is judged by the policy when a credential is checked, so
it may come by any hand. A file that can't be read is left out and named in ``faults``; what depends on it
stays *unknown*, and nothing else is lost. `vcid.knowledge_folder` says how the folder looks.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import TYPE_CHECKING

from vcid.credentials.envelopes import CREDENTIAL, read_secured
from vcid.dids.names import lasting_name
from vcid.ledger.entries import Kind, topic
from vcid.ledger.receipts import HeadReceipt
from vcid.securing.existence import existence_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vcid.credentials.model import Credential
    from vcid.errors import FieldError
    from vcid.keys.signing import PublicKey
    from vcid.ledger.entries import Entry
    from vcid.ledger.log import Ledger
    from vcid.ledger.receipts import Receipt

MAX_FILES = 10_000
"""The most files read from each part of a folder."""

MAX_FILE_BYTES = 8 << 20
"""The largest file read: a status list of ten million entries fits, compressed."""

MAX_DELEGATION_BYTES = 32 << 10
"""The largest delegation credential read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A document that its issuer published and anchored.

    Attributes:
        kind: what it is.
        id: a DID, or the URL of a status list.
        owner: the key that first owned the topic.
        content: the document in canonical JSON; of a did:webvh, its ``did.jsonl``.
        witness: of a did:webvh whose log needs it, its ``did-witness.json``.
    """

    kind: Kind
    id: str
    owner: PublicKey
    content: bytes
    witness: bytes | None = None

    @property
    def list_id(self) -> str:
        """The list id of the ledger's topic, which a DID's move does not change."""
        return lasting_name(self.id) if self.kind is Kind.DID_DOCUMENT else self.id


@dataclass(frozen=True, slots=True)
class Anchored:
    """A document as it is known, with what the ledger is said to say of it.

    Attributes:
        content: the document in canonical JSON; of a did:webvh, its ``did.jsonl``.
        entry: the owner's signed entry for it, if there is one.
        receipt: a head receipt for its topic, if there is one.
        witness: of a did:webvh whose log needs it, its ``did-witness.json``, which proves itself.
    """

    content: bytes = field(repr=False)
    entry: Entry | None = None
    receipt: Receipt | None = None
    witness: bytes | None = field(default=None, repr=False)

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content, as it is anchored: of a did:webvh, one digest for its whole history."""
        return hashlib.sha256(self.content).digest()


@dataclass(frozen=True, slots=True)
class KnownLog:
    """The newest checkpoint known of a log.

    Attributes:
        note: the signed checkpoint.
        growth: by the size of an earlier checkpoint, the proof that this one grew out of it.
    """

    note: bytes = field(repr=False)
    growth: Mapping[int, tuple[bytes, ...]] = field(default_factory=dict, repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Everything a verifier goes by, besides its policy.

    Attributes:
        did_documents: by DID; one that moved by its newest name.
        status_lists: by URL.
        delegations: delegation credentials, whoever made them; the first 10,000 are looked at.
        existence: receipts that date credentials, by the digest that `vcid.securing.existence` gives them.
        logs: by origin.
        faults: the files that could not be read.
    """

    did_documents: Mapping[str, Anchored] = field(default_factory=dict)
    status_lists: Mapping[str, Anchored] = field(default_factory=dict)
    delegations: tuple[bytes, ...] = field(default=(), repr=False)
    existence: Mapping[bytes, Receipt] = field(default_factory=dict, repr=False)
    logs: Mapping[str, KnownLog] = field(default_factory=dict)
    faults: tuple[FieldError, ...] = ()

    def __post_init__(self) -> None:
        for name in ("did_documents", "status_lists", "existence", "logs"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        object.__setattr__(self, "delegations", tuple(self.delegations))

    @classmethod
    def gather(cls, ledger: Ledger, published: Iterable[Published]) -> Knowledge:
        """Bring together what issuers published with the ledger's receipts at its newest checkpoint.

        Raises:
            Unavailable: the ledger can't be read.
        """
        return cls().refreshed(ledger, published)

    def refreshed(self, ledger: Ledger, published: Iterable[Published]) -> Knowledge:
        """Add what issuers published, and renew the receipts of all else that the same log anchors.

        Receipts count at a log's newest checkpoint alone: where one issuer's are renewed, those of the others
        in that log have to be, or their credentials could no longer be decided.

        Raises:
            Unavailable: the ledger can't be read.
        """
        view = ledger.checkpoint()
        if view is None:
            return self
        parts = {
            Kind.DID_DOCUMENT: _renew(self.did_documents, ledger, view.size),
            Kind.STATUS_LIST: _renew(self.status_lists, ledger, view.size),
        }
        for document in published:
            receipt = ledger.head(topic(document.owner, document.kind, document.list_id), view.size)
            entry = HeadReceipt.parse(receipt.body).entry
            part = parts[document.kind]
            for former in _former_names(document, part):
                del part[former]
            part[document.id] = Anchored(document.content, entry, receipt, document.witness)
        growth = ledger.consistency_from_checkpoints(at=view.size)
        log = KnownLog(view.note, {size: tuple(proof) for size, proof in growth.items()})
        return replace(
            self,
            did_documents=parts[Kind.DID_DOCUMENT],
            status_lists=parts[Kind.STATUS_LIST],
            logs={**self.logs, view.origin: log},
            faults=(),
        )

    def with_existence(self, credential: Credential, receipt: Receipt) -> Knowledge:
        """Add a receipt that dates a credential, as ``Issuer.existence`` gives it; it is not judged here.

        Raises:
            Malformed, InvalidProof, InvalidRecord: the credential can't be read, or has no proof.
            ValueError: credentials with such a proof are not dated.
        """
        digest = existence_digest(read_secured(credential, CREDENTIAL).secured)
        if digest is None:
            raise ValueError("a credential whose showings are to be unlinkable is not dated")
        return replace(self, existence={**self.existence, digest: receipt})

    @classmethod
    def load(cls, folder: str | Path) -> Knowledge:
        """Read a folder.

        Raises:
            Malformed: there is no such folder.
        """
        from vcid.knowledge_folder import read_folder

        return read_folder(folder)

    def save(self, folder: str | Path) -> None:
        """Write a folder, in place of the one that was there.

        The new folder is complete before the old one is moved aside, and the old one is deleted last. Only
        between those two moves is there nothing under the name; who looks for it next puts the old one back.

        Raises:
            Conflict: what is there holds something else than knowledge (``not-knowledge``); it is left alone.
            Unavailable: the folder can't be written.
        """
        from vcid.knowledge_folder import write_folder

        write_folder(self, folder)


def _former_names(document: Published, known: Mapping[str, Anchored]) -> list[str]:
    """The names under which a DID that moved is known still."""
    if document.kind is not Kind.DID_DOCUMENT:
        return []
    return [name for name in known if lasting_name(name) == document.list_id]


def _renew(known: Mapping[str, Anchored], ledger: Ledger, size: int) -> dict[str, Anchored]:
    """Renew each receipt that this log gives; documents of other logs, or of none, stay as they are."""
    renewed = dict(known)
    for identifier, document in known.items():
        entry = document.entry
        if entry is not None and ledger.latest(entry.topic) is not None:
            renewed[identifier] = replace(document, receipt=ledger.head(entry.topic, size))
    return renewed

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
from vcid.errors import Malformed
from vcid.ledger.entries import Kind, owner_topic, topic
from vcid.ledger.receipts import HeadReceipt
from vcid.ledger.succession import FormerReceipts, Proposal
from vcid.securing.existence import existence_digest

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from vcid.credentials.model import Credential
    from vcid.errors import FieldError
    from vcid.keys.signing import PublicKey
    from vcid.ledger.entries import Entry
    from vcid.ledger.reading import StoredLog
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
        former: where the receipt is of a log that succeeded another and shows that nothing of the topic is in
            it, what shows that the old log's entry is still the newest.
    """

    content: bytes = field(repr=False)
    entry: Entry | None = None
    receipt: Receipt | None = None
    witness: bytes | None = field(default=None, repr=False)
    former: FormerReceipts | None = None

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
        successions: by the old log's origin, the statement that another log took its place, as witnesses
            cosigned it (`vcid.ledger.succession`).
        faults: the files that could not be read.
    """

    did_documents: Mapping[str, Anchored] = field(default_factory=dict)
    status_lists: Mapping[str, Anchored] = field(default_factory=dict)
    delegations: tuple[bytes, ...] = field(default=(), repr=False)
    existence: Mapping[bytes, Receipt] = field(default_factory=dict, repr=False)
    logs: Mapping[str, KnownLog] = field(default_factory=dict)
    successions: Mapping[str, bytes] = field(default_factory=dict, repr=False)
    faults: tuple[FieldError, ...] = ()

    def __post_init__(self) -> None:
        for name in ("did_documents", "status_lists", "existence", "logs", "successions"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        object.__setattr__(self, "delegations", tuple(self.delegations))

    @classmethod
    def gather(cls, ledger: StoredLog, published: Iterable[Published]) -> Knowledge:
        """Bring together what issuers published with the ledger's receipts at its newest checkpoint.

        Raises:
            Unavailable: the ledger can't be read.
        """
        return cls().refreshed(ledger, published)

    def refreshed(self, ledger: StoredLog, published: Iterable[Published]) -> Knowledge:
        """Add what issuers published, and renew the receipts of all else that the same log anchors.

        Receipts count at a log's newest checkpoint alone: where one issuer's are renewed, those of the others
        in that log have to be, or their credentials could no longer be decided. Receipts of a log that this
        one succeeded, by a statement that is known, are kept for as long as this one holds nothing newer.

        Raises:
            Unavailable: the ledger can't be read.
            Malformed: a statement of succession can't be.
        """
        view = ledger.checkpoint()
        if view is None:
            return self
        source = _Source(ledger, view.size, self._predecessors(view.origin))
        parts = {
            Kind.DID_DOCUMENT: source.renew(self.did_documents),
            Kind.STATUS_LIST: source.renew(self.status_lists),
        }
        for document in published:
            part = parts[document.kind]
            known = part.get(document.id)
            for former in _former_names(document, part):
                known = part.pop(former)
            part[document.id] = source.anchor(document, known)
        growth = ledger.consistency_from_checkpoints(at=view.size)
        log = KnownLog(view.note, {size: tuple(proof) for size, proof in growth.items()})
        return replace(
            self,
            did_documents=parts[Kind.DID_DOCUMENT],
            status_lists=parts[Kind.STATUS_LIST],
            logs={**self.logs, view.origin: log},
            faults=(),
        )

    def _predecessors(self, origin: str) -> frozenset[str]:
        """The logs in whose place one stands."""
        statements = map(Proposal.parse, self.successions.values())
        found = (statement.succession for statement in statements)
        return frozenset(one.old.name for one in found if one.new.name == origin)

    def with_succession(self, statement: bytes) -> Knowledge:
        """Add the statement that another log took a log's place; it is not judged here.

        Gather what the old log says at its final checkpoint before, and refresh it from the new log then.

        Args:
            statement: the proposal with the cosignatures of the old log's witnesses.

        Raises:
            Malformed: it is none.
        """
        origin = Proposal.parse(statement).succession.old.name
        return replace(self, successions={**self.successions, origin: statement})

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


@dataclass(frozen=True, slots=True)
class _Source:
    """A ledger at one of its checkpoints, to take receipts from.

    Attributes:
        ledger: the ledger.
        size: the checkpoint's size.
        predecessors: the origins of the logs that it succeeded.
    """

    ledger: StoredLog
    size: int
    predecessors: frozenset[str]

    def anchor(self, document: Published, known: Anchored | None) -> Anchored:
        """Give a published document its receipt, and what is known of it from a former log."""
        asked = topic(document.owner, document.kind, document.list_id)
        receipt = self.ledger.head(asked, self.size)
        made = Anchored(document.content, HeadReceipt.parse(receipt.body).entry, receipt, document.witness)
        if known is None or known.former is None or known.entry is None or known.entry.topic != asked:
            return made
        return replace(made, entry=known.entry if known.digest == made.digest else None, former=known.former)

    def renew(self, known: Mapping[str, Anchored]) -> dict[str, Anchored]:
        """Renew each receipt that this log gives; documents of other logs, or of none, stay as they are."""
        return {identifier: self._renew(document) for identifier, document in known.items()}

    def _renew(self, document: Anchored) -> Anchored:
        entry = document.entry
        head = self._former_head(document) if self.predecessors else None
        if entry is None or (head is None and self.ledger.latest(entry.topic) is None):
            return document
        receipt = self.ledger.head(entry.topic, self.size)
        if head is None or HeadReceipt.parse(receipt.body).entry is not None:
            return replace(document, receipt=receipt, former=None)
        key = self.ledger.head(owner_topic(entry.owner), self.size)
        return replace(document, receipt=receipt, former=FormerReceipts(head, key))

    def _former_head(self, document: Anchored) -> Receipt | None:
        """The receipt for a document by a log that this one succeeded."""
        head = document.former.head if document.former else document.receipt
        if head is None:
            return None
        try:
            origin = HeadReceipt.parse(head.body).log_proof.checkpoint.origin
        except Malformed:
            return None
        return head if origin in self.predecessors else None

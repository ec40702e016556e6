"""What a verifier knows, and as of when: DID documents, status lists, and what the ledger says of them.

Knowledge is gathered where there is a network and carried to where there is none, as a folder that people can
look into. It is evidence, not authority: every file is judged by the policy when a credential is checked, so
it may come by any hand. A file that can't be read is left out and named in ``faults``; what depends on it
stays *unknown*, and nothing else is lost.

    knowledge/
      dids/<name>.json      a DID document              <name>.entry   the owner's signed entry
      status/<name>.json    a status list credential    <name>.receipt the ledger's receipt for its topic
      delegations/<name>.json  a delegation credential
      logs/<name>.checkpoint   a log's newest signed checkpoint
      logs/<name>.growth.json  proofs that it grew out of its earlier ones, by their size
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Conflict, FieldError, Malformed, Unavailable, VcidError
from vcid.ledger.entries import Entry, Kind, topic
from vcid.ledger.notes import Checkpoint, Note, decode_base64, encode_base64
from vcid.ledger.receipts import HEAD_RECEIPT, HeadReceipt, Receipt

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeVar

    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import PublicKey
    from vcid.ledger.log import Ledger

    Known = TypeVar("Known")

MAX_FILES = 10_000
"""The most files read from each part of a folder."""

MAX_FILE_BYTES = 8 << 20
"""The largest file read: a status list of ten million entries fits, compressed."""

MAX_DELEGATION_BYTES = 32 << 10
"""The largest delegation credential read."""

_PARTS = frozenset({"dids", "status", "delegations", "logs"})
_SUFFIXES = frozenset({".json", ".entry", ".receipt", ".checkpoint"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A document that its issuer published and anchored.

    Attributes:
        kind: what it is.
        id: a DID, or the URL of a status list; the list id of the ledger's topic.
        owner: the key that first owned the topic.
        content: the document in canonical JSON.
    """

    kind: Kind
    id: str
    owner: PublicKey
    content: bytes


@dataclass(frozen=True, slots=True)
class Anchored:
    """A document as it is known, with what the ledger is said to say of it.

    Attributes:
        content: the document in canonical JSON.
        entry: the owner's signed entry for it, if there is one.
        receipt: a head receipt for its topic, if there is one.
    """

    content: bytes = field(repr=False)
    entry: Entry | None = None
    receipt: Receipt | None = None

    @property
    def digest(self) -> bytes:
        """SHA-256 of the content, as it is anchored."""
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
        did_documents: by DID.
        status_lists: by URL.
        delegations: delegation credentials, whoever made them; the first 10,000 are looked at.
        logs: by origin.
        faults: the files that could not be read.
    """

    did_documents: Mapping[str, Anchored] = field(default_factory=dict)
    status_lists: Mapping[str, Anchored] = field(default_factory=dict)
    delegations: tuple[bytes, ...] = field(default=(), repr=False)
    logs: Mapping[str, KnownLog] = field(default_factory=dict)
    faults: tuple[FieldError, ...] = ()

    def __post_init__(self) -> None:
        for name in ("did_documents", "status_lists", "logs"):
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
            receipt = ledger.head(topic(document.owner, document.kind, document.id), view.size)
            entry = HeadReceipt.parse(receipt.body).entry
            parts[document.kind][document.id] = Anchored(document.content, entry, receipt)
        growth = ledger.consistency_from_checkpoints(at=view.size)
        log = KnownLog(view.note, {size: tuple(proof) for size, proof in growth.items()})
        return Knowledge(
            did_documents=parts[Kind.DID_DOCUMENT],
            status_lists=parts[Kind.STATUS_LIST],
            delegations=self.delegations,
            logs={**self.logs, view.origin: log},
        )

    @classmethod
    def load(cls, folder: str | Path) -> Knowledge:
        """Read a folder.

        Raises:
            Malformed: there is no such folder.
        """
        root = _adopt(Path(folder))
        if not root.is_dir():
            raise Malformed("no-knowledge", "a folder of knowledge, as Knowledge.save writes it")
        faults: list[FieldError] = []
        return cls(
            did_documents=_read_part(root / "dids", ".json", _read_anchored, faults),
            status_lists=_read_part(root / "status", ".json", _read_anchored, faults),
            delegations=tuple(_read_part(root / "delegations", ".json", _read_delegation, faults).values()),
            logs=_read_part(root / "logs", ".checkpoint", _read_log, faults),
            faults=tuple(faults),
        )

    def save(self, folder: str | Path) -> None:
        """Write a folder, in place of the one that was there.

        The new folder is complete before the old one is moved aside, and the old one is deleted last. Only
        between those two moves is there nothing under the name; who looks for it next puts the old one back.

        Raises:
            Conflict: what is there holds something else than knowledge (``not-knowledge``); it is left alone.
            Unavailable: the folder can't be written.
        """
        root = _adopt(Path(folder))
        check_replaceable(root)
        # A link goes on leading to where it leads: somebody may serve what is there.
        root = root.resolve()
        mark = secrets.token_hex(4)
        fresh, old = root.with_name(f".{root.name}.new-{mark}"), root.with_name(f"{_set_aside(root)}{mark}")
        try:
            for part, known in (("dids", self.did_documents), ("status", self.status_lists)):
                _write_anchored(fresh / part, known)
            _write_delegations(fresh / "delegations", self.delegations)
            _write_logs(fresh / "logs", self.logs)
            if root.exists():
                root.rename(old)
            fresh.rename(root)
        except OSError as error:
            if old.exists() and not root.exists():
                old.rename(root)
            shutil.rmtree(fresh, ignore_errors=True)
            raise Unavailable(f"the knowledge folder can't be written: {error.strerror}") from error
        shutil.rmtree(old, ignore_errors=True)


def check_replaceable(folder: Path) -> None:
    """Check that a folder may be replaced by new knowledge: it is not there, is empty, or holds nothing else.

    Raises:
        Conflict: it holds something else (``not-knowledge``), which would be lost.
    """
    if not folder.exists():
        return
    parts = list(folder.iterdir()) if folder.is_dir() else [folder]
    for part in parts:
        is_part = part.name in _PARTS and part.is_dir() and not part.is_symlink()
        if not is_part or not all(file.is_file() and file.suffix in _SUFFIXES for file in part.iterdir()):
            raise Conflict(
                "not-knowledge",
                "the folder holds more than knowledge, and would be replaced whole: name another one",
            )


def _set_aside(root: Path) -> str:
    return f".{root.name}.old-"


def _adopt(root: Path) -> Path:
    """Put back a folder that a crash left set aside, if nothing took its place."""
    if not root.exists() and root.parent.is_dir():
        left = [path for path in root.parent.iterdir() if path.name.startswith(_set_aside(root))]
        if len(left) == 1:
            left[0].rename(root)
    return root


def _renew(known: Mapping[str, Anchored], ledger: Ledger, size: int) -> dict[str, Anchored]:
    """Renew each receipt that this log gives; documents of other logs, or of none, stay as they are."""
    renewed = dict(known)
    for identifier, document in known.items():
        entry = document.entry
        if entry is not None and ledger.latest(entry.topic) is not None:
            renewed[identifier] = Anchored(document.content, entry, ledger.head(entry.topic, size))
    return renewed


def _read_part(
    folder: Path,
    suffix: str,
    read: Callable[[Path], tuple[str, Known]],
    faults: list[FieldError],
) -> dict[str, Known]:
    """Read the files of one part, each under its own id; what can't be read becomes a fault.

    Where two files claim one id, neither counts: the order of file names decides nothing.
    """
    found: dict[str, Known] = {}
    claimed: set[str] = set()
    paths = sorted(folder.glob(f"*{suffix}")) if folder.is_dir() and not folder.is_symlink() else []
    for count, path in enumerate(paths):
        where = f"{folder.name}/{path.name}".encode(errors="replace").decode()
        if count >= MAX_FILES:
            faults.append(FieldError(where, "too-many-files", f"at most {MAX_FILES} files"))
            break
        try:
            name, known = read(path)
        except VcidError as error:
            fault = error if isinstance(error, Malformed) else Malformed("unreadable", "a file of knowledge")
            faults.append(FieldError(where, fault.code, fault.expected))
            continue
        if name in claimed:
            faults.append(FieldError(where, "duplicate", "one file for each document"))
            found.pop(name, None)
        else:
            claimed.add(name)
            found[name] = known
    return found


def _read_anchored(path: Path) -> tuple[str, Anchored]:
    document = _read_object(path)
    name = document.get("id")
    if not isinstance(name, str):
        raise Malformed("no-id", "a document with an id", where="/id")
    entry, receipt = path.with_suffix(".entry"), path.with_suffix(".receipt")
    return name, Anchored(
        canonicalize(document),
        Entry.decode(decode_base64(_read(entry).decode("ascii", "replace").strip()))
        if entry.exists()
        else None,
        Receipt(HEAD_RECEIPT, _read(receipt)) if receipt.exists() else None,
    )


def _read_delegation(path: Path) -> tuple[str, bytes]:
    """Read a delegation under its file's name: by its id, which it states itself, it could oust another."""
    content = _read(path)
    parse_object(content, max_bytes=MAX_DELEGATION_BYTES)
    return path.name, content


def _read_log(path: Path) -> tuple[str, KnownLog]:
    note = _read(path)
    origin = Checkpoint.parse(Note.parse(note).text).origin
    growth = path.with_suffix(".growth.json")
    return origin, KnownLog(note, _read_growth(growth) if growth.exists() else {})


def _read_growth(path: Path) -> dict[int, tuple[bytes, ...]]:
    proofs = {}
    for size, proof in _read_object(path).items():
        if not re.fullmatch(r"[1-9][0-9]{0,18}", size) or not isinstance(proof, list) or len(proof) > 128:
            raise Malformed("growth", "lists of at most 128 hashes by the size of a checkpoint")
        proofs[int(size)] = tuple(decode_base64(item) if isinstance(item, str) else b"" for item in proof)
    return proofs


def _read_object(path: Path) -> JsonObject:
    return parse_object(_read(path), max_bytes=MAX_FILE_BYTES)


def _read(path: Path) -> bytes:
    """Read a plain file; a link could lead anywhere on the machine that reads a stranger's folder."""
    if path.is_symlink() or not path.is_file():
        raise Malformed("no-file", "a plain file")
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise Malformed("unreadable", "a file that can be read") from error
    if len(data) > MAX_FILE_BYTES:
        raise Malformed("file-size", f"at most {MAX_FILE_BYTES} bytes")
    return data


def file_name(identifier: str) -> str:
    """A file name for a DID or URL: readable, and different for different ones."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", identifier).strip("-")[:60]
    return f"{readable}-{hashlib.sha256(identifier.encode()).hexdigest()[:8]}"


def _write_anchored(folder: Path, known: Mapping[str, Anchored]) -> None:
    folder.mkdir(parents=True)
    for identifier, document in known.items():
        name = file_name(identifier)
        (folder / f"{name}.json").write_bytes(document.content)
        if document.entry is not None:
            (folder / f"{name}.entry").write_text(encode_base64(document.entry.encode()) + "\n")
        if document.receipt is not None:
            (folder / f"{name}.receipt").write_bytes(document.receipt.body)


def _write_delegations(folder: Path, delegations: Iterable[bytes]) -> None:
    folder.mkdir(parents=True)
    for content in delegations:
        (folder / f"{hashlib.sha256(content).hexdigest()}.json").write_bytes(content)


def _write_logs(folder: Path, logs: Mapping[str, KnownLog]) -> None:
    folder.mkdir(parents=True)
    for origin, log in logs.items():
        name = file_name(origin)
        (folder / f"{name}.checkpoint").write_bytes(log.note)
        growth: JsonObject = {
            str(size): [encode_base64(node) for node in proof] for size, proof in sorted(log.growth.items())
        }
        (folder / f"{name}.growth.json").write_bytes(canonicalize(growth))

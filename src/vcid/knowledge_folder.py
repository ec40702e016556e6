"""Knowledge as a folder that people can look into.

knowledge/
  dids/<name>.json         a DID document              <name>.entry   the owner's signed entry
  dids/<name>.jsonl        the log of a did:webvh      <name>.witness.json   its witnesses' proofs
  status/<name>.json       a status list credential    <name>.receipt the ledger's receipt for its topic
  delegations/<name>.json  a delegation credential
  existence/<digest>.receipt  by when a credential existed; the digest in hexadecimal
  logs/<name>.checkpoint   a log's newest signed checkpoint
  logs/<name>.growth.json  proofs that it grew out of its earlier ones, by their size
  logs/<name>.succession   the witnesses' statement that another log took the named one's place

Beside a document of a log that was succeeded, <name>.former.receipt is the old log's receipt for its topic
and <name>.key.receipt the new one's for its owner's key.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from vcid.dids.names import read_newest_name
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Conflict, FieldError, Malformed, Unavailable, VcidError
from vcid.knowledge import (
    MAX_DELEGATION_BYTES,
    MAX_FILE_BYTES,
    MAX_FILES,
    Anchored,
    Knowledge,
    KnownLog,
)
from vcid.ledger.batches import BATCH_RECEIPT
from vcid.ledger.entries import Entry
from vcid.ledger.notes import Checkpoint, Note, decode_base64, encode_base64
from vcid.ledger.receipts import HEAD_RECEIPT, MAX_RECEIPT_BYTES, Receipt
from vcid.ledger.succession import FormerReceipts, Proposal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import TypeVar

    from vcid.encoding.json import JsonObject

    Known = TypeVar("Known")
    Key = TypeVar("Key", str, bytes)

_PARTS = frozenset({"dids", "status", "delegations", "existence", "logs"})
_SUFFIXES = frozenset({".json", ".jsonl", ".entry", ".receipt", ".checkpoint", ".succession"})
_DID_LOG = ".jsonl"
_WITNESS = ".witness.json"


def read_folder(folder: str | Path) -> Knowledge:
    """Read a folder; raises as ``Knowledge.load``."""
    root = _adopt(Path(folder))
    if not root.is_dir():
        raise Malformed("no-knowledge", "a folder of knowledge, as Knowledge.save writes it")
    faults: list[FieldError] = []
    dids, status = _files(root / "dids", ".json", _DID_LOG), _files(root / "status", ".json")
    delegations = _files(root / "delegations", ".json")
    return Knowledge(
        did_documents=_read_part(dids, _read_did, faults),
        status_lists=_read_part(status, _read_anchored, faults),
        delegations=tuple(_read_part(delegations, _read_delegation, faults).values()),
        existence=_read_part(_files(root / "existence", ".receipt"), _read_existence, faults),
        logs=_read_part(_files(root / "logs", ".checkpoint"), _read_log, faults),
        successions=_read_part(_files(root / "logs", ".succession"), _read_succession, faults),
        faults=tuple(faults),
    )


def write_folder(knowledge: Knowledge, folder: str | Path) -> None:
    """Write a folder, in place of the one that was there; does and raises as ``Knowledge.save``."""
    root = _adopt(Path(folder))
    check_replaceable(root)
    # A link goes on leading to where it leads: somebody may serve what is there.
    root = root.resolve()
    mark = secrets.token_hex(4)
    fresh, old = root.with_name(f".{root.name}.new-{mark}"), root.with_name(f"{_set_aside(root)}{mark}")
    try:
        _write_parts(knowledge, fresh)
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


def _files(folder: Path, *suffixes: str) -> Iterator[Path]:
    """Walk the files of one part, by name; those that belong to another one are left to it."""
    if folder.is_dir() and not folder.is_symlink():
        for path in sorted(folder.iterdir()):
            if path.suffix in suffixes and not path.name.endswith(_WITNESS):
                yield path


def _read_part(
    paths: Iterable[Path], read: Callable[[Path], tuple[Key, Known]], faults: list[FieldError]
) -> dict[Key, Known]:
    """Read the files of one part, each under its own id; what can't be read becomes a fault.

    Where two files claim one id, neither counts: the order of file names decides nothing.
    """
    found: dict[Key, Known] = {}
    claimed: set[Key] = set()
    for count, path in enumerate(paths):
        where = f"{path.parent.name}/{path.name}".encode(errors="replace").decode()
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


def _read_did(path: Path) -> tuple[str, Anchored]:
    if path.suffix != _DID_LOG:
        return _read_anchored(path)
    log, witness = _read(path), path.with_suffix(_WITNESS)
    return read_newest_name(log), _with_evidence(path, log, _read(witness) if witness.exists() else None)


def _read_anchored(path: Path) -> tuple[str, Anchored]:
    document = _read_object(path)
    name = document.get("id")
    if not isinstance(name, str):
        raise Malformed("no-id", "a document with an id", where="/id")
    return name, _with_evidence(path, canonicalize(document))


def _with_evidence(path: Path, content: bytes, witness: bytes | None = None) -> Anchored:
    entry, receipt = path.with_suffix(".entry"), path.with_suffix(".receipt")
    former, key = path.with_suffix(".former.receipt"), path.with_suffix(".key.receipt")
    return Anchored(
        content,
        Entry.decode(decode_base64(_read(entry).decode("ascii", "replace").strip()))
        if entry.exists()
        else None,
        _read_receipt(receipt) if receipt.exists() else None,
        witness,
        FormerReceipts(_read_receipt(former), _read_receipt(key)) if former.exists() else None,
    )


def _read_receipt(path: Path) -> Receipt:
    return Receipt(HEAD_RECEIPT, _read(path))


def _read_delegation(path: Path) -> tuple[str, bytes]:
    """Read a delegation under its file's name: by its id, which it states itself, it could oust another."""
    content = _read(path)
    parse_object(content, max_bytes=MAX_DELEGATION_BYTES)
    return path.name, content


def _read_existence(path: Path) -> tuple[bytes, Receipt]:
    if not re.fullmatch(r"[0-9a-f]{64}", path.stem):
        raise Malformed("digest", "a file named by a SHA-256 in hexadecimal")
    return bytes.fromhex(path.stem), Receipt(BATCH_RECEIPT, _read(path, MAX_RECEIPT_BYTES))


def _read_log(path: Path) -> tuple[str, KnownLog]:
    note = _read(path)
    origin = Checkpoint.parse(Note.parse(note).text).origin
    growth = path.with_suffix(".growth.json")
    return origin, KnownLog(note, _read_growth(growth) if growth.exists() else {})


def _read_succession(path: Path) -> tuple[str, bytes]:
    statement = _read(path, MAX_RECEIPT_BYTES)
    return Proposal.parse(statement).succession.old.name, statement


def _read_growth(path: Path) -> dict[int, tuple[bytes, ...]]:
    proofs = {}
    for size, proof in _read_object(path).items():
        if not re.fullmatch(r"[1-9][0-9]{0,18}", size) or not isinstance(proof, list) or len(proof) > 128:
            raise Malformed("growth", "lists of at most 128 hashes by the size of a checkpoint")
        proofs[int(size)] = tuple(decode_base64(item) if isinstance(item, str) else b"" for item in proof)
    return proofs


def _read_object(path: Path) -> JsonObject:
    return parse_object(_read(path), max_bytes=MAX_FILE_BYTES)


def _read(path: Path, max_bytes: int = MAX_FILE_BYTES) -> bytes:
    """Read a plain file; a link could lead anywhere on the machine that reads a stranger's folder."""
    if path.is_symlink() or not path.is_file():
        raise Malformed("no-file", "a plain file")
    try:
        with path.open("rb") as file:
            data = file.read(max_bytes + 1)
    except OSError as error:
        raise Malformed("unreadable", "a file that can be read") from error
    if len(data) > max_bytes:
        raise Malformed("file-size", f"at most {max_bytes} bytes")
    return data


def file_name(identifier: str) -> str:
    """A file name for a DID or URL: readable, and different for different ones."""
    readable = re.sub(r"[^A-Za-z0-9]+", "-", identifier).strip("-")[:60]
    return f"{readable}-{hashlib.sha256(identifier.encode()).hexdigest()[:8]}"


def _write_parts(knowledge: Knowledge, root: Path) -> None:
    _write_anchored(root / "dids", knowledge.did_documents)
    _write_anchored(root / "status", knowledge.status_lists)
    _write_delegations(root / "delegations", knowledge.delegations)
    _write_existence(root / "existence", knowledge.existence)
    _write_logs(root / "logs", knowledge.logs)
    for origin, statement in knowledge.successions.items():
        (root / "logs" / f"{file_name(origin)}.succession").write_bytes(statement)


def _write_anchored(folder: Path, known: Mapping[str, Anchored]) -> None:
    folder.mkdir(parents=True)
    for identifier, document in known.items():
        name = file_name(identifier)
        suffix = _DID_LOG if _is_did_log(identifier, document.content) else ".json"
        (folder / f"{name}{suffix}").write_bytes(document.content)
        if document.witness is not None:
            (folder / f"{name}{_WITNESS}").write_bytes(document.witness)
        if document.entry is not None:
            (folder / f"{name}.entry").write_text(encode_base64(document.entry.encode()) + "\n")
        if document.receipt is not None:
            (folder / f"{name}.receipt").write_bytes(document.receipt.body)
        if document.former is not None:
            (folder / f"{name}.former.receipt").write_bytes(document.former.head.body)
            (folder / f"{name}.key.receipt").write_bytes(document.former.key.body)


def _is_did_log(identifier: str, content: bytes) -> bool:
    try:
        return read_newest_name(content) == identifier
    except Malformed:
        return False


def _write_existence(folder: Path, receipts: Mapping[bytes, Receipt]) -> None:
    folder.mkdir(parents=True)
    for digest, receipt in receipts.items():
        (folder / f"{digest.hex()}.receipt").write_bytes(receipt.body)


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

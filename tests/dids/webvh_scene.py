"""A did:webvh of a registrar's office, and the tools to forge its log."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from vcid.dids.documents import did_document
from vcid.dids.webvh import ResolutionOptions, ResolutionResult, WebvhFiles, resolve_files
from vcid.dids.webvh_log import hash_entry, parse_entry
from vcid.dids.webvh_parameters import WitnessRule
from vcid.dids.webvh_proofs import make_proof
from vcid.dids.webvh_writing import (
    Change,
    Signing,
    approve,
    create,
    gather_approvals,
    placeholder_did,
    update,
)
from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import KeyType
from vcid.keys.signing import LocalSigner

START = datetime(2026, 1, 1, tzinfo=UTC)
NOW = START + timedelta(days=365)
LOCATION = "civil.example:dids:registrar"


def signer(number: int) -> LocalSigner:
    return LocalSigner.from_private_bytes(KeyType.ED25519, bytes([number]) * 32)


def day(number: int) -> datetime:
    return START + timedelta(days=number)


def signing(number: int, on: int) -> Signing:
    return Signing(signer(number), day(on))


def first_document(number: int = 50) -> dict:
    document = did_document("did:example:placeholder", [signer(number).public_key])
    return json.loads(json.dumps(document).replace("did:example:placeholder", placeholder_did(LOCATION)))


def begin(change: Change | None = None, key: int = 1) -> bytes:
    """A log of one entry, signed on day 0 by the key of that number."""
    return create(first_document(), signing(key, 0), change)


def did_of(log: bytes) -> str:
    return json.loads(log.splitlines()[-1])["state"]["id"]


def resolved(
    log: bytes,
    witness: bytes | None = None,
    *,
    did: str | None = None,
    now: datetime = NOW,
    **options: object,
) -> ResolutionResult:
    files = WebvhFiles.of(log, witness)
    return resolve_files(did or did_of(log), files, ResolutionOptions(**options), now=now)


def forge(log: bytes, mutate: Callable[[dict], object], *keys: int) -> bytes:
    """Change the newest entry, then hash and sign it anew: only the log's own rules can refuse it."""
    lines = log.splitlines()
    entry = json.loads(lines[-1])
    previous = json.loads(lines[-2])["versionId"] if len(lines) > 1 else entry["parameters"]["scid"]
    del entry["proof"]
    number = entry["versionId"].split("-")[0]
    mutate(entry)
    if entry["versionId"].split("-")[0] == number:
        entry["versionId"] = f"{number}-{hash_entry(entry, previous)}"
    proofs = [make_proof(entry, signer(key), at=day(0)) for key in keys]
    return b"\n".join([*lines[:-1], canonicalize({**entry, "proof": proofs})]) + b"\n"


def set_parameters(**members: object) -> Callable[[dict], object]:
    return lambda entry: entry["parameters"].update(members)


def rich_log() -> tuple[bytes, bytes]:
    """A log with pre-rotation, portability, watchers and two of three witnesses, and its witness file."""
    rule = WitnessRule(2, tuple(signer(number).public_key.multikey for number in (21, 22, 23)))
    log = begin(
        Change(
            next_keys=[signer(2).public_key],
            portable=True,
            watchers=["https://watcher.example/"],
            witness=rule,
            ttl=60,
        )
    )
    change = Change(update_keys=[signer(2).public_key], next_keys=[signer(3).public_key])
    log = update(log, signing(2, 1), change=change)
    document = {**json.loads(log.splitlines()[-1])["state"], "alsoKnownAs": ["https://civil.example/"]}
    change = Change(update_keys=[signer(3).public_key], next_keys=[signer(4).public_key])
    log = update(log, signing(3, 2), document=document, change=change)
    approvals = [approve(log, signer(number), at=day(3)) for number in (21, 23)]
    return log, gather_approvals(None, approvals, log, at=day(3))


def entries(log: bytes) -> list[dict]:
    return [parse_entry(line) for line in log.splitlines()]

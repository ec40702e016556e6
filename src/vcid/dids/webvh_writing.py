"""Writing a did:webvh: create, update, rotate, move, deactivate, and gather its witnesses' proofs.

Follows did:webvh 1.0, sections "Create (Register)", "Update (Rotate)", "Deactivate (Revoke)", "DID
Portability", "The Witness Proofs File" and "Publishing a Parallel did:web DID". Every function takes files as
bytes and gives new ones; nothing is published here. What is written has been verified as a resolver would, so
a change that the log's own rules forbid is refused before anybody sees it. The witness file is published
before the log.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from vcid.dids.documents import DidDocument
from vcid.dids.locations import WebLocation
from vcid.dids.webvh import with_implicit_services
from vcid.dids.webvh_log import (
    SCID_PLACEHOLDER,
    Version,
    WebvhDid,
    hash_entry,
    hash_key,
    hash_multibase,
    parse_entry,
    read_lines,
    replace_text,
    verify_entry,
    verify_log,
)
from vcid.dids.webvh_parameters import METHOD, WitnessRule
from vcid.dids.webvh_proofs import make_proof, read_key
from vcid.dids.webvh_witnesses import WitnessWatch, read_witness_file
from vcid.encoding.dates import format_timestamp
from vcid.encoding.json import canonicalize
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.signing import PublicKey, Signer

NO_KEYS: Final[tuple[PublicKey, ...]] = ()
"""For `Change`: no update keys, or no pre-rotation, from now on."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What an entry changes of the parameters; what is None stays as it is.

    Attributes:
        update_keys: the keys that may sign the next entry, or this one under pre-rotation.
        next_keys: the keys that the next update keys are bound to; `NO_KEYS` ends pre-rotation.
        witness: who must approve the entries that follow; a rule for nobody is ``no_witness``.
        no_witness: whether witnesses are no longer needed after this entry.
        watchers: URLs of those who keep copies.
        portable: True in a first entry only; False gives the right to move up for good.
        ttl: for how many seconds a resolver may keep the document.
    """

    update_keys: Sequence[PublicKey] | None = None
    next_keys: Sequence[PublicKey] | None = None
    witness: WitnessRule | None = None
    no_witness: bool = False
    watchers: Sequence[str] | None = None
    portable: bool | None = None
    ttl: int | None = None

    def to_json(self) -> JsonObject:
        """Write the parameters that change."""
        members: JsonObject = {}
        if self.update_keys is not None:
            members["updateKeys"] = [key.multikey for key in self.update_keys]
        if self.next_keys is not None:
            members["nextKeyHashes"] = [hash_key(key.multikey) for key in self.next_keys]
        if self.witness is not None or self.no_witness:
            members["witness"] = self.witness.to_json() if self.witness is not None else {}
        if self.watchers is not None:
            members["watchers"] = list(self.watchers)
        if self.portable is not None:
            members["portable"] = self.portable
        if self.ttl is not None:
            members["ttl"] = self.ttl
        return members


@dataclass(frozen=True, slots=True)
class Signing:
    """Who signs an entry, and when.

    Attributes:
        signer: an Ed25519 key among the update keys that count for the entry.
        at: the entry's time, with a time zone, in whole seconds; later than the entry before.
    """

    signer: Signer
    at: datetime


def placeholder_did(location: str) -> str:
    """Give the DID that a first document is written with, before the DID is known.

    Args:
        location: host and folders as in a did:web: ``civil.example``, ``civil.example:dids:registrar``.

    Raises:
        ResolutionFailed: ``invalidDid``, where no file can be published there.
    """
    WebLocation.parse(location)
    return f"did:webvh:{SCID_PLACEHOLDER}:{location}"


def create(document: JsonObject, signing: Signing, change: Change | None = None) -> bytes:
    """Write the log of a new DID (section "Create (Register)").

    Args:
        document: the first document, in which the DID is written as `placeholder_did` gives it.
        signing: who signs; unless ``change`` names update keys, the signer is the one.
        change: further parameters.

    Returns:
        The content of ``did.jsonl``.

    Raises:
        ValueError: the signer is not Ed25519.
        Malformed: a parameter or the document is not what it should be.
        InvalidProof: the log would not verify, as `verify_entry` says.
        ResolutionFailed: the document's id is no did:webvh once its placeholder is replaced.
    """
    asked = (change or Change()).to_json()
    parameters: JsonObject = {
        "method": METHOD,
        "scid": SCID_PLACEHOLDER,
        "updateKeys": [signing.signer.public_key.multikey],
        **asked,
    }
    preliminary: JsonObject = {
        "versionId": SCID_PLACEHOLDER,
        "versionTime": format_timestamp(signing.at),
        "parameters": parameters,
        "state": document,
    }
    scid = hash_multibase(canonicalize(preliminary))
    entry = replace_text(preliminary, SCID_PLACEHOLDER, scid)
    return _finish(entry, None, signing, scid)


def update(
    log: bytes, signing: Signing, *, document: JsonObject | None = None, change: Change | None = None
) -> bytes:
    """Add a version to a log (section "Update (Rotate)").

    Under pre-rotation, state ``update_keys`` and ``next_keys`` in every change: the first are what the entry
    before was bound to, and one of them signs.

    Args:
        log: the content of ``did.jsonl``; it is verified first, without its witnesses.
        signing: who signs.
        document: the new document; by default that of the newest version.
        change: the parameters that change.

    Returns:
        The whole log with the new entry.

    Raises:
        Malformed: the log, a parameter or the document is not what it should be.
        InvalidProof: the log does not verify, or would not with the new entry.
        ResolutionFailed: the document's id is no did:webvh.
    """
    return _append(log, signing, document, (change or Change()).to_json())


def rotate(log: bytes, signing: Signing, next_keys: Sequence[PublicKey]) -> bytes:
    """Take up the key that the entry before was bound to, and bind the next entry (section "Pre-rotation").

    The signer's key becomes the one update key. Raises as `update` does.

    Args:
        log: the content of ``did.jsonl``.
        signing: who signs: under pre-rotation, a key that the log is bound to.
        next_keys: the keys that may follow it, kept apart from it; `NO_KEYS` ends pre-rotation.
    """
    change = Change(update_keys=[signing.signer.public_key], next_keys=next_keys)
    return update(log, signing, change=change)


def deactivate(log: bytes, signing: Signing) -> bytes:
    """End a DID for good (section "Deactivate (Revoke)"); no update key is left. Raises as `update` does.

    Pre-rotation has to be ended by an `update` before, as the specification demands.
    """
    return _append(log, signing, None, {"updateKeys": [], "deactivated": True})


def move(log: bytes, location: str, signing: Signing, change: Change | None = None) -> bytes:
    """Give a portable DID a new host or folder (section "DID Portability"); raises as `update` does.

    The document is that of the newest version under its new name, also known as what it was. Publish the
    whole log at the new place.
    """
    newest = newest_version(log, at=signing.at)
    name = f"did:webvh:{newest.parameters.scid}:{location}"
    WebvhDid.parse(name)
    document = replace_text(newest.state, newest.did, name)
    others = document.get("alsoKnownAs", [])
    kept: list[JSON] = [other for other in others if other != name] if isinstance(others, list) else []
    return _append(
        log,
        signing,
        {**document, "alsoKnownAs": [*kept, newest.did]},
        (change or Change()).to_json(),
    )


def newest_version(log: bytes, *, at: datetime) -> Version:
    """Verify a log without its witnesses, and give its newest version. Raises as `verify_log` does."""
    first = next(iter(read_lines(log)), b"")
    parameters = parse_entry(first)["parameters"]
    scid = parameters.get("scid") if isinstance(parameters, dict) else None
    if not isinstance(scid, str):
        raise Malformed("scid", "a first entry with its scid", where="line 1/parameters/scid")
    return deque(verify_log(read_lines(log), scid=scid, now=at), maxlen=1).pop()


def approve(log: bytes, witness: Signer, *, at: datetime) -> JsonObject:
    """Make a witness's proof for the newest entry, and so for all before it.

    A witness compares the log with its own copy first: that it grew out of it is for the witness to know.

    Raises:
        Malformed: the log can't be read.
        InvalidProof: it does not verify.
    """
    version_id = newest_version(log, at=at).version_id
    return {"versionId": version_id, "proof": [make_proof({"versionId": version_id}, witness, at=at)]}


def gather_approvals(
    file: bytes | None, approvals: Iterable[JsonObject], log: bytes, *, at: datetime
) -> bytes:
    """Write ``did-witness.json`` with new approvals, keeping of each witness the newest for this log.

    Publish it before the log that it approves of.

    Args:
        file: the file as it was, if there is one.
        approvals: what the witnesses' `approve` gave.
        log: the log with the entry that is approved of.
        at: the moment, for which the log is verified.

    Raises:
        Malformed: a file can't be read.
        InvalidProof: the log does not verify, or ``not-witnessed``: approvals are missing still.
    """
    newest = newest_version(log, at=at)
    watch = WitnessWatch()
    for version in verify_log(read_lines(log), scid=newest.parameters.scid, now=at):
        watch.add(version)
    entries = read_witness_file(file) if file is not None else []
    entries += read_witness_file(canonicalize([*approvals]))
    latest: dict[str, tuple[int, str, JSON]] = {}
    for version_id, proofs in entries:
        number = watch.numbers.get(version_id, 0)
        for proof in proofs if number else ():
            key = read_key(proof)
            if key not in latest or latest[key][0] < number:
                latest[key] = number, version_id, proof
    ordered = sorted(latest.values(), key=lambda it: it[0])
    content: JSON = [
        {"versionId": version_id, "proof": [proof for _, other, proof in ordered if other == version_id]}
        for version_id in dict.fromkeys(version_id for _, version_id, _ in ordered)
    ]
    written = canonicalize(content)
    watch.check(written, now=at)
    return written


def parallel_did_web(document: DidDocument) -> JsonObject:
    """Write the ``did.json`` of the did:web at the same place (section "Publishing a Parallel did:web DID").

    Whoever resolves it has none of the history, and none of its protection.

    Raises:
        ResolutionFailed: the document is not a did:webvh's.
    """
    did = WebvhDid.parse(document.id)
    content = replace_text(with_implicit_services(document), f"did:webvh:{did.scid}:", "did:web:")
    others = content.get("alsoKnownAs", [])
    known = [*others, document.id] if isinstance(others, list) else [document.id]
    unique: list[JSON] = [*dict.fromkeys(str(other) for other in known if other != content["id"])]
    return {**content, "alsoKnownAs": unique}


def _append(log: bytes, signing: Signing, document: JsonObject | None, parameters: JsonObject) -> bytes:
    newest = newest_version(log, at=signing.at)
    entry: JsonObject = {
        "versionId": newest.version_id,
        "versionTime": format_timestamp(signing.at),
        "parameters": parameters,
        "state": document if document is not None else newest.state,
    }
    return log.removesuffix(b"\n") + b"\n" + _finish(entry, newest, signing, newest.parameters.scid)


def _finish(preliminary: JsonObject, previous: Version | None, signing: Signing, scid: str) -> bytes:
    """Number, hash and prove an entry, verify it as a resolver would, and write its line."""
    predecessor = previous.version_id if previous is not None else scid
    number = previous.number + 1 if previous is not None else 1
    unsecured = {**preliminary, "versionId": f"{number}-{hash_entry(preliminary, predecessor)}"}
    entry: JsonObject = {**unsecured, "proof": [make_proof(unsecured, signing.signer, at=signing.at)]}
    state = unsecured["state"]
    if not isinstance(state, dict):
        raise Malformed("state", "a DID document", where="/state")
    DidDocument.parse(state)
    line = canonicalize(entry)
    verify_entry(parse_entry(line), previous=previous, scid=scid, now=signing.at)
    return line + b"\n"

"""The log of a did:webvh: its entries read, hashed, chained and verified one after the other.

Follows did:webvh 1.0, sections "The DID Log File", "Read (Resolve)", "SCID Generation and Verification",
"Entry Hash Generation and Verification", "Authorized Keys", "DID Portability" and "Pre-Rotation Key Hash
Generation and Verification". A log is read line by line: what is kept of the entries before is their outcome,
so that memory grows with the longest line and not with the log. Witnesses are `vcid.dids.webvh_witnesses`'s.
"""

from __future__ import annotations

import hashlib
import io
import re
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vcid.dids.locations import WebLocation
from vcid.dids.urls import parse_did
from vcid.dids.webvh_parameters import Parameters, is_scid
from vcid.dids.webvh_proofs import verify_proofs
from vcid.encoding.dates import parse_timestamp
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import encode_multibase, encode_multihash_sha256
from vcid.errors import InvalidProof, LimitExceeded, Malformed, ResolutionFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime
    from typing import BinaryIO

    from vcid.encoding.json import JsonObject

MAX_LINE_BYTES: Final = 1 << 18
MAX_ENTRIES: Final = 50_000
SCID_PLACEHOLDER: Final = "{SCID}"
CLOCK_TOLERANCE: Final = timedelta(minutes=5)
"""How far an entry's time may lie ahead of the resolver's clock; the specification advises this much."""

_MEMBERS: Final = frozenset({"versionId", "versionTime", "parameters", "state", "proof"})
_VERSION_ID: Final = re.compile(r"([1-9][0-9]{0,8})-(Qm[1-9A-HJ-NP-Za-km-z]{44})")


@dataclass(frozen=True, slots=True)
class WebvhDid:
    """A did:webvh in its parts (section "Method-Specific Identifier").

    Attributes:
        did: the DID itself.
        scid: its self-certifying identifier, by which the log is known wherever it is found.
        location: where its files are published.
    """

    did: str
    scid: str
    location: WebLocation

    @classmethod
    def parse(cls, did: str) -> WebvhDid:
        """Read a did:webvh.

        Raises:
            ResolutionFailed: ``invalidDid``, or ``methodNotSupported`` for a DID of another method.
        """
        parsed = parse_did(did)
        if parsed.method != "webvh":
            raise ResolutionFailed("methodNotSupported", "a did:webvh")
        scid, _, place = parsed.method_specific_id.partition(":")
        if not is_scid(scid):
            raise ResolutionFailed("invalidDid", "a did:webvh begins with its self-certifying identifier")
        location = WebLocation.parse(place)
        if "." not in location.host:
            raise ResolutionFailed("invalidDid", "a did:webvh names a fully qualified domain")
        return cls(did, scid, location)


@dataclass(frozen=True, slots=True)
class Version:
    """One verified entry of a log, but for its witnesses.

    Attributes:
        number: counted from 1.
        version_id: the number and the entry's hash.
        time: from when on the version holds, as its controller says; in UTC.
        did: the DID's name in this version.
        parameters: what holds after the entry.
        state: the DID document, as it was published.
    """

    number: int
    version_id: str
    time: datetime
    did: str
    parameters: Parameters
    state: JsonObject = field(repr=False)


def read_lines(log: bytes | BinaryIO) -> Iterator[bytes]:
    """Walk the lines of a log, each without the line feed that ends it.

    Raises:
        LimitExceeded: a line is longer than `MAX_LINE_BYTES`, or there are more than `MAX_ENTRIES`.
    """
    stream = io.BytesIO(log) if isinstance(log, bytes) else log
    number = 0
    while line := stream.readline(MAX_LINE_BYTES + 2):
        number += 1
        line = line.removesuffix(b"\n")
        if len(line) > MAX_LINE_BYTES:
            raise LimitExceeded("line-too-long", f"at most {MAX_LINE_BYTES} bytes", where=f"line {number}")
        if number > MAX_ENTRIES:
            raise LimitExceeded("too-many-entries", f"at most {MAX_ENTRIES} entries")
        yield line


def verify_log(lines: Iterable[bytes], *, scid: str, now: datetime) -> Iterator[Version]:
    """Verify a log entry by entry, each in the steps of "Read (Resolve)"; witnesses are still to be checked.

    Args:
        lines: the log's lines, oldest first.
        scid: the self-certifying identifier of the DID being resolved.
        now: the resolver's clock, with a time zone.

    Raises:
        Malformed: an entry can't be read; ``where`` begins with its line.
        InvalidProof: an entry does not hold: ``entry-hash``, ``scid``, ``version-number``, ``version-time``,
            ``not-portable``, ``pre-rotation``, ``unauthorized-key``, ``after-deactivation`` and what a proof
            can fail with. All versions given before it stand.
    """
    version: Version | None = None
    for number, line in enumerate(lines, start=1):
        where = f"line {number}"
        try:
            version = verify_entry(parse_entry(line), previous=version, scid=scid, now=now)
        except (InvalidProof, ResolutionFailed) as error:
            raise InvalidProof(error.code, f"{where}: {error.detail}") from error
        except Malformed as error:
            raise type(error)(error.code, error.expected, where=f"{where}{error.where}") from error
        yield version
    if version is None:
        raise Malformed("empty-log", "a log with a first entry")


def parse_entry(line: bytes) -> JsonObject:
    """Read one line as an entry, whose members are those of the specification and no others.

    Raises:
        Malformed: it is no such entry.
    """
    entry = parse_object(line, max_bytes=MAX_LINE_BYTES)
    if entry.keys() != _MEMBERS:
        raise Malformed("entry", f"the members {', '.join(sorted(_MEMBERS))}")
    return entry


def verify_entry(entry: JsonObject, *, previous: Version | None, scid: str, now: datetime) -> Version:
    """Verify one entry after the one before it.

    The steps of "Read (Resolve)", the cheap ones first:

    1. parameters, on top of those that held; none follow a deactivation;
    2. version number; 3. version time; 4. the document's name; 5. pre-rotation;
    6. the entry's hash, and the SCID of a first entry; 7. the proofs.

    Raises:
        Malformed: a member is not what it should be.
        InvalidProof: the entry does not hold.
        ResolutionFailed: ``invalidDid``, where the document's id is no did:webvh.
    """
    parameters = _read_parameters(entry, previous)
    if parameters.scid != scid:
        raise InvalidProof("scid", "the log is another DID's")
    number, version_id = _read_version_id(entry, previous)
    time = _read_version_time(entry, previous, now)
    state = entry["state"]
    if not isinstance(state, dict):
        raise Malformed("state", "a DID document", where="/state")
    did = _check_name(state, parameters, previous)
    _check_pre_rotation(parameters, previous)
    unsecured = {name: value for name, value in entry.items() if name != "proof"}
    if previous is None:
        _check_scid(unsecured, scid)
    if version_id != f"{number}-{hash_entry(unsecured, previous.version_id if previous else scid)}":
        raise InvalidProof("entry-hash", "the entry's hash is not that of its content and predecessor")
    verify_proofs(unsecured, entry["proof"], keys=_active_keys(parameters, previous), now=now)
    return Version(number, version_id, time, did, parameters, state)


def hash_entry(unsecured: JsonObject, predecessor: str) -> str:
    """Hash an entry, its proof left out and its version id replaced by its predecessor's or the SCID."""
    return hash_multibase(canonicalize({**unsecured, "versionId": predecessor}))


def hash_multibase(data: bytes) -> str:
    """Write the SHA-256 multihash of some bytes in base58btc, without the character of the base."""
    return encode_multibase(encode_multihash_sha256(hashlib.sha256(data).digest()))[1:]


def hash_key(multikey: str) -> str:
    """Hash an update key for ``nextKeyHashes``."""
    return hash_multibase(multikey.encode())


def replace_text(content: JsonObject, old: str, new: str) -> JsonObject:
    """Replace a text wherever it stands in a document, names of members included.

    Raises:
        Malformed: two members would get the same name.
    """
    text = canonicalize(content).replace(old.encode(), new.encode())
    return parse_object(text, max_bytes=4 * MAX_LINE_BYTES)


def _read_parameters(entry: JsonObject, previous: Version | None) -> Parameters:
    if previous is None:
        return Parameters.first(entry["parameters"])
    if previous.parameters.deactivated:
        raise InvalidProof("after-deactivation", "no entry follows the one that deactivates the DID")
    return previous.parameters.updated(entry["parameters"])


def _read_version_id(entry: JsonObject, previous: Version | None) -> tuple[int, str]:
    text = entry["versionId"]
    found = _VERSION_ID.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        raise Malformed("version-id", "a number, a dash and a SHA-256 multihash", where="/versionId")
    number = int(found[1])
    if number != (previous.number + 1 if previous else 1):
        raise InvalidProof("version-number", "versions are counted from 1 without gaps")
    return number, found[0]


def _read_version_time(entry: JsonObject, previous: Version | None, now: datetime) -> datetime:
    text = entry["versionTime"]
    if not isinstance(text, str) or not text.endswith(("Z", "+00:00")):
        raise Malformed("version-time", "a time in UTC", where="/versionTime")
    try:
        time = parse_timestamp(text)
    except Malformed as error:
        raise Malformed("version-time", error.expected, where="/versionTime") from error
    if previous is not None and time <= previous.time:
        raise InvalidProof("version-time", "each version is later than the one before")
    if time - now > CLOCK_TOLERANCE:
        raise InvalidProof("version-time", "the version's time lies in the future")
    return time


def _check_name(state: JsonObject, parameters: Parameters, previous: Version | None) -> str:
    name = state.get("id")
    if not isinstance(name, str):
        raise Malformed("state", "the document's DID", where="/state/id")
    did = WebvhDid.parse(name)
    if did.scid != parameters.scid:
        raise InvalidProof("scid", "every version keeps the self-certifying identifier of the first")
    if previous is not None and did.did != previous.did:
        if not parameters.portable:
            raise InvalidProof("not-portable", "the DID may not move: its first entry does not say portable")
        others = state.get("alsoKnownAs")
        if not isinstance(others, list) or previous.did not in others:
            raise InvalidProof("prior-name", "a DID that moved is also known as what it was before")
    return did.did


def _check_pre_rotation(parameters: Parameters, previous: Version | None) -> None:
    if previous is None or not previous.parameters.next_key_hashes:
        return
    bound = frozenset(previous.parameters.next_key_hashes)
    if not parameters.update_keys or not all(hash_key(key) in bound for key in parameters.update_keys):
        raise InvalidProof("pre-rotation", "each update key is one that the entry before bound itself to")


def _active_keys(parameters: Parameters, previous: Version | None) -> tuple[str, ...]:
    """The keys that may sign this entry (section "Authorized Keys")."""
    if previous is None or previous.parameters.next_key_hashes:
        return parameters.update_keys
    return previous.parameters.update_keys


def _check_scid(unsecured: JsonObject, scid: str) -> None:
    """Follow "Verify SCID": the first entry, its identifier taken out, hashes to that identifier.

    A placeholder that stands in what was published is refused: in its place and in the identifier's, two
    different entries would have one hash.
    """
    if SCID_PLACEHOLDER.encode() in canonicalize(unsecured):
        raise InvalidProof("scid-placeholder", "a first entry without placeholders")
    preliminary = replace_text({**unsecured, "versionId": SCID_PLACEHOLDER}, scid, SCID_PLACEHOLDER)
    if hash_multibase(canonicalize(preliminary)) != scid:
        raise InvalidProof("scid", "the self-certifying identifier is not that of the first entry")

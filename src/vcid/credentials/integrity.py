"""Whether bytes have the digests that a document states for them: ``digestSRI`` and ``digestMultibase``.

Follows the Verifiable Credentials Data Model 2.0, section "Integrity of Related Resources", which points to
Subresource Integrity for the one and to VC Data Integrity 1.0, section 2.6, for the other. A member may hold
several digests; as in Subresource Integrity, those by the strongest function count, and one of them has to
be met. A ``digestMultibase`` is met with a multihash header and, as some write it, without: there its length
names the function.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from typing import TYPE_CHECKING, Final

from vcid.credentials.model_rules import MAX_ENTRIES, fault
from vcid.encoding.multikey import decode_multibase
from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.encoding.json import JSON, JsonObject
    from vcid.errors import FieldError

DIGEST_MEMBERS: Final = ("digestSRI", "digestMultibase")

# Subresource Integrity, section 3.5: one or more hashes with options; base64 in either alphabet.
_SRI_HASH: Final = r"sha(?:256|384|512)-[A-Za-z0-9+/_-]+={0,2}(?:\?[\x21-\x7e]*)?"
_SRI: Final = re.compile(rf"{_SRI_HASH}(?: +{_SRI_HASH})*")
_SRI_PARTS: Final = re.compile(r"(sha256|sha384|sha512)-([A-Za-z0-9+/_-]+={0,2})(?:\?.*)?")
_DIGEST_MULTIBASE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9+/=_-]+")
_FORMS: Final = {"digestSRI": _SRI, "digestMultibase": _DIGEST_MULTIBASE}

_BYTES: Final = {32: "sha256", 48: "sha384", 64: "sha512"}
_MULTIHASHES: Final = {b"\x12\x20": "sha256", b"\x20\x30": "sha384", b"\x13\x40": "sha512"}
_MAX_CHARS: Final = 1024


def check_digests(entry: JsonObject, path: str, *, required: bool) -> Iterator[FieldError]:
    """Check the form of an object's digests; where one is required, either kind will do."""
    if required and not any(name in entry for name in DIGEST_MEMBERS):
        yield fault(path, "missing-digest", "digestSRI or digestMultibase")
    for name, form in _FORMS.items():
        if name not in entry:
            continue
        digests = _listed(entry[name])
        if not digests or not all(
            isinstance(digest, str) and len(digest) <= _MAX_CHARS and form.fullmatch(digest)
            for digest in digests
        ):
            yield fault(f"{path}/{name}", "not-a-digest", "one or more digests", entry[name])


def find_wrong_digest(entry: JsonObject, content: bytes) -> str | None:
    """Name the member of an object that states another digest than some bytes have; None if none does.

    Raises:
        Malformed: ``unsupported-digest``, when a member states none by a function that is computed here.
    """
    for name in DIGEST_MEMBERS:
        if name in entry:
            stated = read_digests(entry, name)
            if not stated:
                raise Malformed("unsupported-digest", "a digest of SHA-256, SHA-384 or SHA-512")
            if not _meets(content, stated):
                return name
    return None


def read_digests(entry: JsonObject, name: str) -> list[tuple[str, bytes]]:
    """Read the digests that a member states, each with its function; of unknown ones, none."""
    read = _read_sri if name == "digestSRI" else _read_multibase
    digests = _listed(entry.get(name))[:MAX_ENTRIES]
    return [found for digest in digests if isinstance(digest, str) for found in read(digest)]


def _meets(content: bytes, stated: list[tuple[str, bytes]]) -> bool:
    """Say whether bytes have one of the strongest digests stated (Subresource Integrity, section 3.3.3)."""
    strongest = max(algorithm for algorithm, _ in stated)
    actual = hashlib.new(strongest, content).digest()
    return any(hmac.compare_digest(digest, actual) for algorithm, digest in stated if algorithm == strongest)


def _read_sri(text: str) -> list[tuple[str, bytes]]:
    matches = [_SRI_PARTS.fullmatch(token) for token in text[:_MAX_CHARS].split()]
    return [(match[1], _decode_base64(match[2])) for match in matches if match]


def _decode_base64(text: str) -> bytes:
    """Read base64 in either alphabet; what isn't any is no digest, and meets none."""
    text = text.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:
        return b""


def _read_multibase(text: str) -> list[tuple[str, bytes]]:
    try:
        data = decode_multibase(text)
    except Malformed:
        return []
    if data[:2] in _MULTIHASHES and len(data) == 2 + data[1]:
        return [(_MULTIHASHES[data[:2]], data[2:])]
    return [(_BYTES[len(data)], data)] if len(data) in _BYTES else []


def _listed(value: JSON) -> list[JSON]:
    return value if isinstance(value, list) else [value]

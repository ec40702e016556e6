"""Under which names one DID is known: a did:webvh that moves changes its name and stays who it is.

Follows did:webvh 1.0, sections "Method-Specific Identifier" and "DID Portability".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from vcid.dids.urls import parse_did_url
from vcid.dids.webvh_log import MAX_LINE_BYTES, parse_entry
from vcid.errors import LimitExceeded, Malformed

if TYPE_CHECKING:
    from vcid.dids.urls import DidUrl

WEBVH = "did:webvh:"

_INTRINSIC: Final = ("did:key:", "did:jwk:")


def is_intrinsic(did: str) -> bool:
    """Whether a DID is its own document, so that none can be newer, swapped or missing."""
    return did.startswith(_INTRINSIC)


def lasting_name(did: str) -> str:
    """Give the part of a DID that no move changes: of a did:webvh, all but its place; else the DID itself.

    The ledger's topics are named by it, so that what an issuer anchored goes on when it moves.
    """
    if not did.startswith(WEBVH):
        return did
    return WEBVH + did.removeprefix(WEBVH).partition(":")[0]


def name_method(url: DidUrl | str, did: str) -> str:
    """Write a method's URL under another name of its DID."""
    parsed = parse_did_url(url) if isinstance(url, str) else url
    return did + str(parsed).removeprefix(parsed.did)


def read_newest_name(log: bytes) -> str:
    """Read what the newest entry of a ``did.jsonl`` calls its DID; nothing in it is verified.

    Raises:
        Malformed: the last line is no entry about a did:webvh.
    """
    line = log.removesuffix(b"\n").rpartition(b"\n")[2]
    if len(line) > MAX_LINE_BYTES:
        raise LimitExceeded("line-too-long", f"at most {MAX_LINE_BYTES} bytes")
    state = parse_entry(line)["state"]
    name = state.get("id") if isinstance(state, dict) else None
    if not isinstance(name, str) or not name.startswith(WEBVH):
        raise Malformed("no-id", "a log whose newest document is a did:webvh's", where="/state/id")
    return name

"""Where on the web a DID is published: the host and path that did:web and did:webvh write with colons.

Follows did:web, section "Read (Resolve)", and did:webvh 1.0, section "The DID to HTTPS Transformation". Two
departures, both on the strict side: host names are lower case, and international ones are written in the form
that the domain name system carries (``xn--…``), so that each location has one spelling; and a path segment
holds no character that a URL parser or a server could read as a turn to another place.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote_to_bytes

from vcid.errors import ResolutionFailed

_LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST_PATTERN = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_PORT_PATTERN = re.compile("[1-9][0-9]{0,4}")
# What a client reads as an IP address: a last label in decimal, or in hexadecimal after 0x.
_NUMBER_PATTERN = re.compile("[0-9]+|0x[0-9a-f]*")
_STEERING = frozenset("/\\?#%@:")


@dataclass(frozen=True, slots=True)
class WebLocation:
    """A folder on a web server.

    Attributes:
        host: the host's name.
        port: the port as text; empty for that of HTTPS.
        segments: the folders that lead there, as the DID escapes them.
    """

    host: str
    port: str
    segments: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> WebLocation:
        """Read ``example.com%3A8443:dids:registrar``.

        Raises:
            ResolutionFailed: ``invalidDid``.
        """
        host, *segments = text.split(":")
        for segment in segments:
            _check_segment(segment)
        return cls(*_read_authority(host), tuple(segments))

    @property
    def folder(self) -> str:
        """The folder's URL, ending in a slash; that of the whole host for a location without segments."""
        authority = f"{self.host}:{self.port}" if self.port else self.host
        path = "".join(f"{quote(unquote_to_bytes(segment), safe='')}/" for segment in self.segments)
        return f"https://{authority}/{path}"

    def file(self, name: str) -> str:
        """The URL of one of the DID's own files; a whole host's stand under ``.well-known``."""
        return f"{self.folder}{'' if self.segments else '.well-known/'}{name}"


def _read_authority(escaped: str) -> tuple[str, str]:
    host, separator, port = re.sub("%3[Aa]", ":", escaped).partition(":")
    if len(host) > 253 or not _HOST_PATTERN.fullmatch(host):
        raise ResolutionFailed("invalidDid", "a location begins with a host name in lower case")
    if _NUMBER_PATTERN.fullmatch(host.rpartition(".")[2]):
        raise ResolutionFailed("invalidDid", "a location names a host, not an IP address")
    if separator and (not _PORT_PATTERN.fullmatch(port) or int(port) > 65535):
        raise ResolutionFailed("invalidDid", "a location's port lies between 1 and 65535")
    return host, port


def _check_segment(escaped: str) -> None:
    try:
        segment = unquote_to_bytes(escaped).decode("utf-8")
    except UnicodeDecodeError as error:
        raise ResolutionFailed("invalidDid", "escapes in a location are UTF-8") from error
    if (
        segment in {"", ".", ".."}
        or not segment.isprintable()
        or segment != segment.strip()
        or not _STEERING.isdisjoint(segment)
    ):
        raise ResolutionFailed("invalidDid", "a path segment names one folder, without / \\ ? # % @ :")

"""DIDs and DID URLs: Decentralized Identifiers 1.0 and 1.1, sections "DID Syntax" and "DID URL Syntax".

Both are ASCII and case-sensitive; nothing is normalized, so that equal text alone means the same identifier.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote

from vcid.errors import ResolutionFailed

MAX_DID_CHARS = 4096  # a did:key of ML-DSA-44 has 1,761 characters, and its methods name the key twice

_ESCAPED = "%[0-9A-Fa-f]{2}"
_PCHAR = rf"(?:[A-Za-z0-9._~!$&'()*+,;=:@-]|{_ESCAPED})"
_DID = rf"did:[a-z0-9]++:(?:[A-Za-z0-9._:-]|{_ESCAPED})*+(?<!:)"
_DID_PATTERN = re.compile(_DID)
_DID_URL_PATTERN = re.compile(
    rf"(?P<did>{_DID})(?P<path>(?:/{_PCHAR}*+)*+)"
    rf"(?:\?(?P<query>(?:{_PCHAR}|[/?])*+))?(?:\#(?P<fragment>(?:{_PCHAR}|[/?])*+))?"
)


@dataclass(frozen=True, slots=True)
class DidUrl:
    """A DID URL in its parts (DID 1.0, section 3.2); ``str`` gives back the text."""

    did: str
    path: str = ""
    query: str | None = None
    fragment: str | None = None

    @property
    def method(self) -> str:
        """The DID method: ``key`` of ``did:key:z6Mk…``."""
        return self.did.split(":", 2)[1]

    @property
    def method_specific_id(self) -> str:
        """What follows the method and its colon."""
        return self.did.split(":", 2)[2]

    @property
    def parameters(self) -> dict[str, str]:
        """The query's parameters, unescaped (DID Resolution 1.0, section "DID Parameters").

        A parameter that occurs twice, or has no value, means different things to different readers.

        Raises:
            ResolutionFailed: ``invalidDidUrl``.
        """
        if self.query is None:
            return {}
        found: dict[str, str] = {}
        for part in self.query.split("&"):
            name, equals, value = part.partition("=")
            try:
                name, value = (unquote(text, errors="strict") for text in (name, value))
            except UnicodeDecodeError as error:
                raise ResolutionFailed("invalidDidUrl", "escapes in a query are UTF-8") from error
            if not equals or not name or name in found:
                raise ResolutionFailed("invalidDidUrl", "a query reads name=value&…, with each name once")
            found[name] = value
        return found

    def __str__(self) -> str:
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{self.did}{self.path}{query}{fragment}"


def parse_did(text: str) -> DidUrl:
    """Read a DID without path, query or fragment (DID 1.0, section 3.1).

    Raises:
        ResolutionFailed: ``invalidDid``.
    """
    if not is_did(text):
        raise ResolutionFailed(
            "invalidDid", f"a DID reads did:method:identifier, in {MAX_DID_CHARS} characters"
        )
    return DidUrl(text)


def parse_did_url(text: str) -> DidUrl:
    """Read an absolute DID URL (DID 1.0, section 3.2).

    Raises:
        ResolutionFailed: ``invalidDidUrl``.
    """
    found = _DID_URL_PATTERN.fullmatch(text) if len(text) <= MAX_DID_CHARS else None
    if found is None:
        raise ResolutionFailed("invalidDidUrl", "a DID URL reads did:method:identifier/path?query#fragment")
    return DidUrl(found["did"], found["path"], found["query"], found["fragment"])


def is_did(text: str) -> bool:
    """Tell whether the text is a DID."""
    return len(text) <= MAX_DID_CHARS and _DID_PATTERN.fullmatch(text) is not None


def is_did_url(text: str) -> bool:
    """Tell whether the text is an absolute DID URL."""
    return len(text) <= MAX_DID_CHARS and _DID_URL_PATTERN.fullmatch(text) is not None

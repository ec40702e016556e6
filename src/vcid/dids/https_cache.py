"""A bounded memory of documents that were fetched, for as long as their servers and the operator allow.

HTTP Caching (RFC 9111), private, and for GET alone: ``max-age`` less ``Age``, ``no-store``, ``no-cache``, and
revalidation by ``ETag``. A document is never given out after its time, even where its server is out of reach.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Mapping

    from vcid.encoding.contexts import Loaded

_SECONDS: Final = re.compile("[0-9]{1,9}")
# RFC 9110, section 8.8.3: an opaque tag in quotes, visible ASCII, perhaps marked weak.
_ETAG: Final = re.compile(r'(?:W/)?"[!\x23-\x7e]{0,200}"')


@dataclass(frozen=True, slots=True)
class Kept:
    """A document that was fetched.

    Attributes:
        loaded: the document.
        fresh_until: when it has to be asked for again, in seconds of the loader's clock.
        etag: its version, as its server names it; empty if it doesn't.
    """

    loaded: Loaded
    fresh_until: float
    etag: str

    def __repr__(self) -> str:
        return f"<Kept document of {len(self.loaded.content)} bytes>"


class DocumentCache:
    """Documents by URL; the ones kept first make room for new ones.

    Safe across threads and forks without a lock: the table is never changed, only exchanged for another. Two
    threads that exchange it at once may lose a document, which is then fetched again.

    Args:
        max_documents: how many are kept; 0 keeps none.
        max_bytes: how long they may be, all together.
        max_age: for how many seconds at most one is given out unasked, whatever its server allows.
    """

    def __init__(
        self, *, max_documents: int = 256, max_bytes: int = 32 << 20, max_age: float = 300.0
    ) -> None:
        if min(max_documents, max_bytes, max_age) < 0:
            raise ValueError("limits of a cache are not below zero")
        self._max_documents = max_documents
        self._max_bytes = max_bytes
        self._max_age = max_age
        self._kept: Mapping[str, Kept] = {}

    def get(self, url: str) -> Kept | None:
        """Give what is kept of a URL, fresh or not."""
        return self._kept.get(url)

    def keep(self, url: str, loaded: Loaded, headers: Mapping[str, str], now: float) -> None:
        """Keep a document as its headers (names in lower case) allow, or let go of an older one."""
        directives = read_directives(headers.get("cache-control", ""))
        others = {known: kept for known, kept in self._kept.items() if known != url}
        if "no-store" in directives or len(loaded.content) > self._max_bytes:
            self._kept = others
            return
        etag = headers.get("etag", "")
        lifetime = 0.0 if "no-cache" in directives else _seconds(directives.get("max-age", ""))
        lifetime = min(lifetime - _seconds(headers.get("age", "")), self._max_age)
        kept = Kept(loaded, now + lifetime, etag if _ETAG.fullmatch(etag) else "")
        self._kept = self._trimmed({**others, url: kept})

    def _trimmed(self, kept: dict[str, Kept]) -> dict[str, Kept]:
        size = sum(len(one.loaded.content) for one in kept.values())
        for url in list(kept):
            if len(kept) <= self._max_documents and size <= self._max_bytes:
                break
            size -= len(kept.pop(url).loaded.content)
        return kept

    def __len__(self) -> int:
        return len(self._kept)

    def __repr__(self) -> str:
        return f"<DocumentCache of {len(self)} documents>"


def read_directives(text: str) -> dict[str, str]:
    """Read the directives of Cache-Control; of one that is repeated, the first stands."""
    directives: dict[str, str] = {}
    for part in text.lower().split(","):
        name, _, value = part.strip().partition("=")
        directives.setdefault(name.strip(), value.strip().strip('"'))
    return directives


def _seconds(text: str) -> float:
    return float(text) if _SECONDS.fullmatch(text) else 0.0

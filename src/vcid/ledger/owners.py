"""Which key signs for an owner, at one point of the log.

A topic belongs to its first owner for ever; the key that signs for it may change, by an entry that the key in
force signs (``Entry.change_key``). Log and witness follow these entries leaf by leaf, so that a key that was
given up appends nothing more, whoever holds it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.errors import Conflict
from vcid.ledger.entries import Kind, key_digest, owner_topic

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.ledger.entries import Entry


def is_in_force(entry: Entry, named: bytes | None) -> bool:
    """Whether the owner's key in force signed an entry.

    Args:
        entry: the entry.
        named: the digest in its owner's newest change of key; ``None`` if there never was one.
    """
    if named is None:
        return entry.signing_key == entry.owner
    return key_digest(entry.signing_key) == named


class KeysInForce:
    """The owners' keys, followed from one point of the log on.

    Args:
        stored: gives the digest in the newest change of key of an ``owner_topic`` at that point, if any.

    Attributes:
        changed: the digests that changed since, by ``owner_topic``.
    """

    __slots__ = ("_stored", "changed")

    def __init__(self, stored: Callable[[bytes], bytes | None]) -> None:
        self._stored = stored
        self.changed: dict[bytes, bytes] = {}

    def take(self, entry: Entry) -> None:
        """Check that the next entry is by its owner's key in force, and follow it if it changes the key.

        Raises:
            Conflict: it is by another key, one given up or one never named (``not-owner``).
        """
        topic = owner_topic(entry.owner)
        named = self.changed.get(topic) or self._stored(topic)
        if not is_in_force(entry, named):
            raise Conflict("not-owner", "an entry is signed by a key that is not its owner's in force")
        if entry.kind is Kind.OWNER_KEY:
            self.changed[topic] = entry.digest

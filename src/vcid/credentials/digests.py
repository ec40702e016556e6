"""Salted digests of numbers that a credential must be able to match and must not show.

The number of an identity card or of a court's order has few possible values, so a fast hash with its salt
beside it could be tried out by anyone who holds the credential. The digest is therefore scrypt (RFC 7914) at
a cost that an officer does not notice and a search pays for every guess. It slows a search down and does not
prevent it: see SECURITY.md. Nothing of this kind is ever put on the ledger.
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from base64 import urlsafe_b64decode
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vcid.credentials.codes import CHILD_REF, random_text
from vcid.credentials.records import Faults, pointer, stated
from vcid.encoding.base64url import encode_base64url

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.credentials.reading import ObjectReader
    from vcid.encoding.json import JsonObject

ALGORITHM: Final = "scrypt-16384-8-1"
SALT: Final = CHILD_REF
DIGEST: Final = "^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$"

_COST: Final = 16384
_BLOCK: Final = 8
_MEMORY: Final = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class SaltedDigest:
    """The salted digest of a document's number.

    Attributes:
        salt: 128 random bits, in base64url.
        digest: 256 bits, in base64url.
        algorithm: how the digest was made; there is one way so far.
    """

    salt: str = field(repr=False)
    digest: str = field(repr=False)
    algorithm: str = ALGORITHM

    @classmethod
    def of(
        cls, issuer: str, kind: str, number: str, *, random: Callable[[int], bytes] = secrets.token_bytes
    ) -> SaltedDigest:
        """Digest a document's number under a fresh salt.

        Args:
            issuer: who gave the number, such as a jurisdiction's code.
            kind: which of the issuer's documents, such as ``identityCard``.
            number: the number. Case, spaces, separators and the digits' script do not count.
            random: where the salt comes from.

        Raises:
            ValueError: the number has neither letters nor digits, so that anything would match it.
        """
        if not _plain(number):
            raise ValueError("a document's number needs letters or digits")
        salt = random_text(random)
        return cls(salt=salt, digest=_digest(salt, issuer, kind, number))

    def matches(self, issuer: str, kind: str, number: str) -> bool:
        """Say whether a number that somebody shows is the one that was digested."""
        faults = Faults()
        self.check(faults, "")
        if faults.collected():
            return False
        return hmac.compare_digest(self.digest, _digest(self.salt, issuer, kind, number))

    def to_json(self) -> JsonObject:
        """Write the digest as it stands in a credential."""
        return stated({"algorithm": self.algorithm, "salt": self.salt, "digest": self.digest})

    @classmethod
    def read(cls, reader: ObjectReader) -> SaltedDigest:
        """Read a digest from a credential."""
        return cls(
            algorithm=reader.string("algorithm"), salt=reader.string("salt"), digest=reader.string("digest")
        )

    def check(self, faults: Faults, path: str) -> None:
        """Note the faults of this digest."""
        if faults.check_type(pointer(path, "algorithm"), self.algorithm, str) and self.algorithm != ALGORITHM:
            faults.add(pointer(path, "algorithm"), "unknown-value", ALGORITHM)
        faults.check_pattern(pointer(path, "salt"), self.salt, SALT, "128 bits in base64url")
        faults.check_pattern(pointer(path, "digest"), self.digest, DIGEST, "256 bits in base64url")


def _digest(salt: str, issuer: str, kind: str, number: str) -> str:
    parts = [_plain(issuer), _plain(kind), _plain(number)]
    # Lengths before the parts: otherwise ("AB", "C") and ("A", "BC") would be one document.
    message = b"".join(len(part).to_bytes(4, "big") + part for part in parts)
    made = hashlib.scrypt(
        message, salt=urlsafe_b64decode(f"{salt}=="), n=_COST, r=_BLOCK, p=1, maxmem=_MEMORY, dklen=32
    )
    return encode_base64url(made)


def _plain(text: str) -> bytes:
    folded = unicodedata.normalize("NFKC", text).casefold()
    # A number typed in Arabic or Devanagari digits is the same number.
    return "".join(
        str(unicodedata.decimal(character, character)) for character in folded if character.isalnum()
    ).encode("utf-8", "replace")

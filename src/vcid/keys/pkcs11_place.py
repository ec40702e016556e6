"""Where a key rests in hardware: a module, a token and a key in it, written as a PKCS#11 URI (RFC 7512)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from urllib.parse import unquote_to_bytes

from vcid.errors import Malformed

SCHEME: Final = "pkcs11:"

_EXAMPLE: Final = "pkcs11:token=civil;object=issuer?module-path=/usr/lib/softhsm/libsofthsm2.so"
# RFC 7512, section 2.3, in characters: what a value may hold unescaped, in the path and in the query.
_VALUE: Final = re.compile(r"(?:[A-Za-z0-9._~:\[\]@!$'()*+,=/?|&-]|%[0-9A-Fa-f]{2})+")
_MAX_CHARS: Final = 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenKey:
    """A key in a token, told by its label, its id, or both.

    Attributes:
        module: the maker's library.
        token: the token's label.
        label: the key's CKA_LABEL.
        key_id: the key's CKA_ID.
        pin_file: a file whose first line is the PIN; None where it is asked for.

    Raises:
        ValueError: the token has no label, or the key neither label nor id.
    """

    module: Path
    token: str
    label: str | None = None
    key_id: bytes | None = None
    pin_file: Path | None = None

    def __post_init__(self) -> None:
        if not self.token or not (self.label or self.key_id):
            raise ValueError("a key in hardware is told by its token's label, and by its own label or id")

    @classmethod
    def parse(cls, uri: str, *, folder: Path = Path()) -> TokenKey:
        """Read a PKCS#11 URI: ``token``, ``object``, ``id``, ``module-path`` and ``pin-source`` alone.

        A PIN in the URI itself (``pin-value``) is refused: what stands in a configuration gets copied.

        Args:
            uri: the URI.
            folder: from where relative paths are taken.

        Raises:
            Malformed: ``pkcs11-uri``.
        """
        if not uri.startswith(SCHEME) or len(uri) > _MAX_CHARS:
            raise _malformed(_EXAMPLE)
        path, _, query = uri.removeprefix(SCHEME).partition("?")
        values = _read(path, ";", {"token", "object", "id", "type"}) | _read(
            query, "&", {"module-path", "pin-source"}
        )
        if values.pop("type", b"private") != b"private":
            raise _malformed("type=private, or no type")
        if "module-path" not in values or "token" not in values or values.keys().isdisjoint({"object", "id"}):
            raise _malformed(f"token, object or id, and module-path: {_EXAMPLE}")
        pin_source = values.get("pin-source")
        return cls(
            module=folder / _text(values["module-path"]),
            token=_text(values["token"]),
            label=_text(values["object"]) if "object" in values else None,
            key_id=values.get("id"),
            pin_file=folder / _text(pin_source).removeprefix("file:") if pin_source else None,
        )


def _read(part: str, separator: str, known: set[str]) -> dict[str, bytes]:
    values: dict[str, bytes] = {}
    for attribute in part.split(separator) if part else []:
        name, _, value = attribute.partition("=")
        if name not in known or name in values:
            raise _malformed(f"each once, and no others: {', '.join(sorted(known))}")
        if not _VALUE.fullmatch(value):
            raise _malformed("values that are not empty, other characters escaped as %20")
        values[name] = unquote_to_bytes(value)
    return values


def _text(value: bytes) -> str:
    try:
        text = value.decode()
    except UnicodeDecodeError as error:
        raise _malformed("text in UTF-8, but for id") from error
    if not text.isprintable():
        raise _malformed("printable text")
    return text


def _malformed(expected: str) -> Malformed:
    return Malformed("pkcs11-uri", expected)

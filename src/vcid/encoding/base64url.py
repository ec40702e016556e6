"""Bytes as base64url without padding (RFC 4648, section 5), each in one spelling only."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64encode

from vcid.errors import Malformed


def encode_base64url(data: bytes) -> str:
    """Write bytes as base64url without padding."""
    return urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


def decode_base64url(text: str) -> bytes:
    """Read bytes from base64url without padding.

    Raises:
        Malformed: it is not, or is another spelling of bytes that ``encode_base64url`` writes otherwise:
            two texts for one key would make two identities of it.
    """
    try:
        data = binascii.a2b_base64(text.replace("-", "+").replace("_", "/") + "=" * (-len(text) % 4))
    except ValueError:
        data = b""
    if encode_base64url(data) != text:
        raise Malformed("base64url", "canonical base64url without padding")
    return data

"""The key of a verification method, in each form that a document may give it.

Follows Controlled Identifiers 1.0, section "Verification Material", for Multikey and JsonWebKey, and reads
the older types that documents still carry. Keys that sign, keys that sign lists of messages and keys for key
agreement are different nouns, so that none is used for another's work.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, TypeAlias

from vcid.encoding.multikey import KeyType
from vcid.errors import LimitExceeded, Malformed, Unavailable
from vcid.keys.agreement import AgreementKey
from vcid.keys.jwk import decode_jwk
from vcid.keys.signing import PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.bbs import BbsPublicKey

    VerifyingKey: TypeAlias = PublicKey | BbsPublicKey
    DocumentKey: TypeAlias = VerifyingKey | AgreementKey


def read_key(entry: JsonObject, kind: str, where: str) -> DocumentKey | None:
    """Give a method's key; None where its type, curve or form is one that this library does not use.

    Key material of a form that is known must be sound: a damaged key makes the document invalid. A BBS key
    counts as unused where the extra that checks it is not installed.

    Args:
        entry: the verification method.
        kind: its type.
        where: its place, for messages.

    Raises:
        Malformed: the key is damaged, private, or given twice.
    """
    if any(name.startswith(("secretKey", "privateKey")) for name in entry):
        raise Malformed("private-key-material", "public keys only: retire the key published", where=where)
    if sum(name.startswith("publicKey") for name in entry) > 1:
        raise Malformed("several-key-forms", "one form of the public key", where=where)
    name, read = _MATERIAL.get(kind, ("", _read_multikey))
    if name not in entry:
        return None
    try:
        return read(entry[name])
    except (LimitExceeded, Unavailable):  # longer than any key used here, or a key whose extra is missing
        return None
    except Malformed as error:
        if error.code == "unsupported-key-type":
            return None
        raise Malformed(error.code, error.expected, where=f"{where}/{name}") from error


def parse_multikey(text: str) -> DocumentKey:
    """Read a Multikey of any type that is used here.

    Raises:
        Malformed: the text is no Multikey of such a type, or the key is refused.
        Unavailable: it is a BBS key, and the extra ``bbs`` is not installed.
    """
    # Only these two begin so; every other key comes from the cache without being decoded a second time.
    if text.startswith("z6LS"):
        return AgreementKey.from_multikey(text)
    if text.startswith("zUC7"):
        from vcid.keys.bbs import BbsPublicKey

        return BbsPublicKey.from_multikey(text)
    return PublicKey.from_multikey(text)


def _read_multikey(value: JSON) -> DocumentKey:
    if not isinstance(value, str):
        raise Malformed("multikey", "a Multikey as text")
    return parse_multikey(value)


def _read_ed25519(value: JSON) -> DocumentKey:
    return _require(_read_multikey(value), KeyType.ED25519)


def _read_x25519(value: JSON) -> DocumentKey:
    return _require(_read_multikey(value), KeyType.X25519)


def _require(key: DocumentKey, key_type: KeyType) -> DocumentKey:
    if key.key_type is not key_type:
        raise Malformed("key-type", f"a key of {key_type}, as the method's type says")
    return key


def _read_jwk(value: JSON) -> DocumentKey:
    if not isinstance(value, dict):
        raise Malformed("object", "an object")
    return AgreementKey.from_jwk(value) if value.get("crv") == "X25519" else decode_jwk(value)


_MATERIAL: Mapping[str, tuple[str, Callable[[JSON], DocumentKey]]] = MappingProxyType(
    {
        "Multikey": ("publicKeyMultibase", _read_multikey),
        "Ed25519VerificationKey2020": ("publicKeyMultibase", _read_ed25519),
        "X25519KeyAgreementKey2020": ("publicKeyMultibase", _read_x25519),
        "JsonWebKey": ("publicKeyJwk", _read_jwk),
        "JsonWebKey2020": ("publicKeyJwk", _read_jwk),
    }
)

"""Keys as objects of a PKCS#11 token: finding one, reading its public half, making one.

OASIS PKCS #11 3.1, "Objects" and "Elliptic Curve". A token is not believed about its public keys: the curve
has to be one of ours, the encoding one of those that modules use, and the point on the curve.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import pkcs11
from pkcs11 import Attribute, ObjectClass, exceptions

from vcid.encoding.multikey import KeyType
from vcid.errors import Conflict, Malformed
from vcid.keys.signing import PublicKey

if TYPE_CHECKING:
    from vcid.keys.pkcs11_place import TokenKey

# CKA_EC_PARAMS in DER: the curve's object identifier. Keys are made with the first of each; older modules
# name edwards25519 by a PrintableString or by GnuPG's identifier.
_PARAMETERS: Final = {
    KeyType.ED25519: (
        bytes.fromhex("06032b6570"),
        b"\x13\x0cedwards25519",
        bytes.fromhex("06092b06010401da470f01"),
    ),
    KeyType.P256: (bytes.fromhex("06082a8648ce3d030107"),),
    KeyType.P384: (bytes.fromhex("06052b81040022"),),
    KeyType.P521: (bytes.fromhex("06052b81040023"),),
}
_KEY_TYPES: Final = {text: key_type for key_type, texts in _PARAMETERS.items() for text in texts}
_SIZES: Final = {KeyType.P256: 32, KeyType.P384: 48, KeyType.P521: 66}
_OCTET_STRING: Final = 0x04
_BIT_STRING: Final = 0x03


def search(session: pkcs11.Session, place: TokenKey) -> list[Any]:
    """Give the private keys of that label and id."""
    wanted: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PRIVATE_KEY}
    if place.label is not None:
        wanted[Attribute.LABEL] = place.label
    if place.key_id is not None:
        wanted[Attribute.ID] = place.key_id
    return list(session.get_objects(wanted))


def find_private_key(session: pkcs11.Session, place: TokenKey) -> Any:
    """Give the one private key of that label and id.

    Raises:
        Conflict: ``not-found`` or ``ambiguous``.
        Malformed: ``unsupported-key-type``: it may not sign.
    """
    found = search(session, place)
    if not found:
        raise Conflict("not-found", "the token holds no private key of this label and id")
    if len(found) > 1:
        raise Conflict("ambiguous", "the token holds several private keys of this label: name one by its id")
    if not hasattr(found[0], "sign"):
        raise Malformed("unsupported-key-type", "a private key that the token lets sign (CKA_SIGN)")
    return found[0]


def find_public_key(session: pkcs11.Session, place: TokenKey) -> PublicKey | None:
    """Give the public half of the one private key, as the token states it; None where it states none.

    It is the public key of the same id, or without an id of the same label; or the point that some modules
    keep with the private key itself.

    Raises:
        Conflict: ``not-found`` or ``ambiguous``.
        Malformed: ``unsupported-key-type``, ``wrong-key-length`` or ``invalid-point``.
    """
    private = find_private_key(session, place)
    wanted: dict[Attribute, Any] = {Attribute.CLASS: ObjectClass.PUBLIC_KEY}
    key_id = _get(private, Attribute.ID)
    wanted |= {Attribute.ID: key_id} if key_id else {Attribute.LABEL: place.label}
    found = list(session.get_objects(wanted))
    if len(found) > 1:
        raise Conflict("ambiguous", "several public keys beside the private one: give each pair its own id")
    for source in (*found, private):
        point = _get(source, Attribute.EC_POINT)
        if point:
            return read_public_key(_get(source, Attribute.EC_PARAMS) or b"", point)
    return None


def read_public_key(parameters: bytes, point: bytes) -> PublicKey:
    """Read CKA_EC_PARAMS and CKA_EC_POINT: DER as the standard asks, or the bare point of some modules.

    Raises:
        Malformed: ``unsupported-key-type``, ``wrong-key-length`` or ``invalid-point``.
    """
    key_type = _KEY_TYPES.get(parameters)
    if key_type is None:
        raise Malformed("unsupported-key-type", "a key on Ed25519, P-256, P-384 or P-521, by its identifier")
    if key_type is KeyType.ED25519:
        return PublicKey(key_type, _unwrapped(point, {32}))
    from vcid.keys import ecdsa

    size = _SIZES[key_type]
    raw = _unwrapped(point, {size + 1, 2 * size + 1})
    if len(raw) == size + 1:
        return PublicKey(key_type, raw)
    if raw[0] != 4:
        raise Malformed("invalid-point", "a point that begins with 04, not compressed")
    return PublicKey(key_type, ecdsa.compress_point(key_type, raw[1 : size + 1], raw[size + 1 :]))


def generate(session: pkcs11.Session, place: TokenKey, key_type: KeyType) -> None:
    """Make a key pair that signs and does nothing else, its private half never to leave the token.

    Raises:
        Malformed: ``unsupported-key-type``.
    """
    if key_type not in _PARAMETERS:
        raise Malformed("unsupported-key-type", "a key of Ed25519, P-256, P-384 or P-521")
    kind = pkcs11.KeyType.EC_EDWARDS if key_type is KeyType.ED25519 else pkcs11.KeyType.EC
    parameters = session.create_domain_parameters(
        kind, {Attribute.EC_PARAMS: _PARAMETERS[key_type][0]}, local=True
    )
    parameters.generate_keypair(
        store=True,
        label=place.label,
        id=place.key_id,
        capabilities=pkcs11.MechanismFlag.SIGN | pkcs11.MechanismFlag.VERIFY,
        private_template={Attribute.SENSITIVE: True, Attribute.EXTRACTABLE: False},
    )


def asks_each_time(private: Any) -> bool:
    """Tell whether the token wants its PIN again for every signature."""
    return bool(_get(private, Attribute.ALWAYS_AUTHENTICATE))


def is_confined(private: Any) -> bool:
    """Tell whether the token says that the key never leaves it in clear: sensitive, and not extractable."""
    return bool(_get(private, Attribute.SENSITIVE)) and _get(private, Attribute.EXTRACTABLE) is False


def _get(item: Any, attribute: Attribute) -> Any:
    try:
        return item[attribute]
    except (exceptions.AttributeTypeInvalid, exceptions.AttributeSensitive):
        return None


def _unwrapped(value: bytes, sizes: set[int]) -> bytes:
    """Take a point of one of these sizes out of its OCTET STRING or BIT STRING, or as it is."""
    for size in sizes:
        heads = {b"", _head(_OCTET_STRING, size), _head(_BIT_STRING, size + 1) + b"\0"}
        if len(value) >= size and value[:-size] in heads:
            return value[-size:]
    raise Malformed("wrong-key-length", "a point of the curve's size, bare or in an OCTET STRING")


def _head(tag: int, length: int) -> bytes:
    return bytes([tag, length]) if length < 128 else bytes([tag, 0x81, length])

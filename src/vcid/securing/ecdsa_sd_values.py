"""The proof values of ecdsa-sd-2023: what an issuer gives to a holder, and what a holder shows.

Follows Data Integrity ECDSA Cryptosuites 1.0 (W3C Recommendation), section "ecdsa-sd-2023 Functions". Where
that gives a public key 36 bytes, its own vectors have 35: two of multicodec and the compressed point.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from vcid.encoding.base64url import decode_base64url
from vcid.errors import InvalidProof
from vcid.securing.proof_components import (
    decode_components,
    encode_components,
    malformed,
    read_array_of_bytes,
    read_bytes,
    read_indexes,
    read_map_by_number,
    read_pointers,
)
from vcid.securing.selective import HMAC_KEY_BYTES, encode_hmac_label

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE_HEADER: Final = b"\xd9\x5d\x00"
DERIVED_HEADER: Final = b"\xd9\x5d\x01"

_SIGNATURE_BYTES: Final = 64
_PUBLIC_KEY_BYTES: Final = 35
_COMPONENTS: Final = 5


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    """What an issuer gives to a holder alone.

    Attributes:
        base_signature: the issuer's, over proof options, public key and mandatory statements.
        public_key: the proof's own public key, with its multicodec header.
        hmac_key: the key of the labels. Who has it can tell which labels belong together.
        signatures: of the other statements, each by the proof's own key, in the statements' order.
        mandatory_pointers: JSON pointers to what every showing must disclose.
    """

    base_signature: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    hmac_key: bytes = field(repr=False)
    signatures: tuple[bytes, ...] = field(repr=False)
    mandatory_pointers: tuple[str, ...] = field(repr=False)

    def serialize(self) -> str:
        """Write the proof value (section "serializeBaseProofValue")."""
        components = [self.base_signature, self.public_key, self.hmac_key]
        return encode_components(
            BASE_HEADER, [*components, list(self.signatures), list(self.mandatory_pointers)]
        )

    @classmethod
    def parse(cls, proof_value: str) -> Self:
        """Read a proof value (section "parseBaseProofValue").

        Raises:
            InvalidProof: ``derived-proof``.
            Malformed: it is no base proof value.
        """
        header, components = decode_components(proof_value)
        if header == DERIVED_HEADER:
            raise InvalidProof(
                "derived-proof", "a base proof is expected: nothing derives from a derived one"
            )
        if header != BASE_HEADER or len(components) != _COMPONENTS:
            raise malformed("the header of a base proof of ecdsa-sd-2023, and five components")
        base_signature, public_key, hmac_key, signatures, pointers = components
        return cls(
            _read_base_signature(base_signature),
            _read_public_key(public_key),
            read_bytes(hmac_key, HMAC_KEY_BYTES, "an HMAC key of 32 bytes"),
            _read_signatures(signatures),
            read_pointers(pointers),
        )


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """What a holder shows.

    Attributes:
        base_signature: as in the base proof.
        public_key: as in the base proof.
        signatures: of the statements shown that are not mandatory, in the statements' order.
        label_map: canonical labels of the document shown (``c14n0``) to the signed ones (``u…``).
        mandatory_indexes: which of the statements shown are mandatory, ascending.
    """

    base_signature: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    signatures: tuple[bytes, ...] = field(repr=False)
    label_map: Mapping[str, str] = field(repr=False)
    mandatory_indexes: tuple[int, ...] = field(repr=False)

    def serialize(self) -> str:
        """Write the proof value (sections "compressLabelMap" and "serializeDerivedProofValue")."""
        compressed = sorted((int(key.removeprefix("c14n")), label) for key, label in self.label_map.items())
        label_map = {number: decode_base64url(label[1:]) for number, label in compressed}
        components = [self.base_signature, self.public_key, list(self.signatures)]
        return encode_components(DERIVED_HEADER, [*components, label_map, list(self.mandatory_indexes)])

    @classmethod
    def parse(cls, proof_value: str) -> Self:
        """Read a proof value (sections "parseDerivedProofValue" and "decompressLabelMap").

        Raises:
            InvalidProof: ``base-proof``.
            Malformed: it is no derived proof value.
        """
        header, components = decode_components(proof_value)
        if header == BASE_HEADER:
            raise InvalidProof(
                "base-proof", "a derived proof is expected: a base proof is for the holder alone"
            )
        if header != DERIVED_HEADER or len(components) != _COMPONENTS:
            raise malformed("the header of a derived proof of ecdsa-sd-2023, and five components")
        base_signature, public_key, signatures, compressed, indexes = components
        return cls(
            _read_base_signature(base_signature),
            _read_public_key(public_key),
            _read_signatures(signatures),
            _decompress_label_map(compressed),
            read_indexes(indexes),
        )


def _read_base_signature(component: object) -> bytes:
    return read_bytes(component, _SIGNATURE_BYTES, "a base signature of 64 bytes")


def _read_public_key(component: object) -> bytes:
    return read_bytes(component, _PUBLIC_KEY_BYTES, "a P-256 public key of 35 bytes")


def _read_signatures(component: object) -> tuple[bytes, ...]:
    return read_array_of_bytes(component, _SIGNATURE_BYTES, "an array of signatures of 64 bytes")


def _decompress_label_map(component: object) -> dict[str, str]:
    expected = "a map of labels of 32 bytes by number"
    digests = read_map_by_number(component, expected)
    return {
        f"c14n{number}": encode_hmac_label(read_bytes(digest, HMAC_KEY_BYTES, expected))
        for number, digest in digests.items()
    }

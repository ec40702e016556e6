"""The proof values of bbs-2023: what an issuer gives to a holder, and what a holder shows.

Follows Data Integrity BBS Cryptosuites 1.0 (W3C Candidate Recommendation), section "bbs-2023 Functions", with
the feature option "baseline". Anonymous holder binding and pseudonyms rest on drafts that still move: proof
values that need them are refused by name.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final, Self

from vcid.encoding.multikey import encode_multibase
from vcid.errors import InvalidProof
from vcid.securing.proof_components import (
    decode_components,
    encode_components,
    is_number,
    malformed,
    read_bytes,
    read_indexes,
    read_map_by_number,
    read_pointers,
)
from vcid.securing.selective import HMAC_KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Mapping

BASE_HEADER: Final = b"\xd9\x5d\x02"
DERIVED_HEADER: Final = b"\xd9\x5d\x03"
# The other feature options by the third byte of their base and derived proofs.
_OTHER_FEATURES: Final = {
    4: "anonymous holder binding",
    5: "anonymous holder binding",
    6: "pseudonyms",
    7: "pseudonyms",
    8: "holder binding with pseudonyms",
    9: "holder binding with pseudonyms",
}
# Three bytes are four characters, so that the text alone tells, and the CBOR behind it stays unread.
_OTHER_PREFIXES: Final = {
    encode_multibase(b"\xd9\x5d" + bytes([option]), "u"): feature
    for option, feature in _OTHER_FEATURES.items()
}
_PREFIX_CHARS: Final = 5
_COMPONENTS: Final = 5
_SIGNATURE_BYTES: Final = 80
_BBS_HEADER_BYTES: Final = 64
_PUBLIC_KEY_BYTES: Final = 96


@dataclass(frozen=True, slots=True)
class BaseProofValue:
    """What an issuer gives to a holder alone.

    Attributes:
        signature: the BBS signature over all statements that are not mandatory.
        header: the hashes of the proof configuration and of the mandatory statements.
        public_key: the issuer's public key.
        hmac_key: explains the order of the labels.
        mandatory_pointers: JSON pointers to what every showing must disclose.
    """

    signature: bytes = field(repr=False)
    header: bytes = field(repr=False)
    public_key: bytes = field(repr=False)
    hmac_key: bytes = field(repr=False)
    mandatory_pointers: tuple[str, ...] = field(repr=False)

    def serialize(self) -> str:
        """Write the proof value (section "serializeBaseProofValue")."""
        components = [self.signature, self.header, self.public_key, self.hmac_key]
        return encode_components(BASE_HEADER, [*components, list(self.mandatory_pointers)])

    @classmethod
    def parse(cls, proof_value: str) -> Self:
        """Read a proof value (section "parseBaseProofValue").

        Raises:
            InvalidProof: ``derived-proof``, or ``feature-unsupported``.
            Malformed: it is no base proof value.
        """
        _refuse_features(proof_value)
        header, components = decode_components(proof_value)
        if header == DERIVED_HEADER:
            raise InvalidProof(
                "derived-proof", "a base proof is expected: nothing derives from a derived one"
            )
        if header != BASE_HEADER or len(components) != _COMPONENTS:
            raise malformed("the header of a base proof of bbs-2023, and five components")
        signature, bbs_header, public_key, hmac_key, pointers = components
        return cls(
            read_bytes(signature, _SIGNATURE_BYTES, "a BBS signature of 80 bytes"),
            read_bytes(bbs_header, _BBS_HEADER_BYTES, "a BBS header of two SHA-256 digests"),
            read_bytes(public_key, _PUBLIC_KEY_BYTES, "a BLS12-381 G2 public key of 96 bytes"),
            read_bytes(hmac_key, HMAC_KEY_BYTES, "an HMAC key of 32 bytes"),
            read_pointers(pointers),
        )


@dataclass(frozen=True, slots=True)
class DerivedProofValue:
    """What a holder shows.

    Attributes:
        proof: the BBS proof.
        label_map: canonical labels of the document shown (``c14n0``) to the signed ones (``b0``).
        mandatory_indexes: which of the statements shown are mandatory, ascending.
        selective_indexes: the others' places among all that are not mandatory, ascending.
        presentation_header: what the holder bound the proof to.
    """

    proof: bytes = field(repr=False)
    label_map: Mapping[str, str] = field(repr=False)
    mandatory_indexes: tuple[int, ...] = field(repr=False)
    selective_indexes: tuple[int, ...] = field(repr=False)
    presentation_header: bytes = field(default=b"", repr=False)

    def serialize(self) -> str:
        """Write the proof value (sections "compressLabelMap" and "serializeDerivedProofValue")."""
        compressed = sorted(
            (int(key.removeprefix("c14n")), int(label.removeprefix("b")))
            for key, label in self.label_map.items()
        )
        indexes = [list(self.mandatory_indexes), list(self.selective_indexes)]
        return encode_components(
            DERIVED_HEADER, [self.proof, dict(compressed), *indexes, self.presentation_header]
        )

    @classmethod
    def parse(cls, proof_value: str) -> Self:
        """Read a proof value (sections "parseDerivedProofValue" and "decompressLabelMap").

        Raises:
            InvalidProof: ``base-proof``, or ``feature-unsupported``.
            Malformed: it is no derived proof value.
        """
        _refuse_features(proof_value)
        header, components = decode_components(proof_value)
        if header == BASE_HEADER:
            raise InvalidProof(
                "base-proof", "a derived proof is expected: a base proof is for the holder alone"
            )
        if header != DERIVED_HEADER or len(components) != _COMPONENTS:
            raise malformed("the header of a derived proof of bbs-2023, and five components")
        proof, compressed, mandatory, selective, presentation_header = components
        return cls(
            _read_any_bytes(proof, "a BBS proof as a byte string"),
            _decompress_label_map(compressed),
            read_indexes(mandatory),
            read_indexes(selective),
            _read_any_bytes(presentation_header, "a presentation header as a byte string"),
        )


def _refuse_features(proof_value: str) -> None:
    feature = _OTHER_PREFIXES.get(proof_value[:_PREFIX_CHARS])
    if feature is not None:
        raise InvalidProof("feature-unsupported", f"a proof of the baseline is expected, without {feature}")


def _read_any_bytes(component: object, expected: str) -> bytes:
    if not isinstance(component, bytes):
        raise malformed(expected)
    return component


def _decompress_label_map(component: object) -> dict[str, str]:
    expected = "a map of numbers by number"
    label_map = {}
    for number, place in read_map_by_number(component, expected).items():
        if not is_number(place):
            raise malformed(expected)
        label_map[f"c14n{number}"] = f"b{place}"
    return label_map

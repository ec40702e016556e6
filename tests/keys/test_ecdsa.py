"""ECDSA by hand: published values, and signatures and keys that lax code would take."""

import pytest
from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature

from vcid.encoding.multikey import KeyType, encode_multibase
from vcid.errors import InvalidProof, Malformed
from vcid.keys.ecdsa import CURVES
from vcid.keys.signing import LocalSigner, PublicKey

NIST = [KeyType.P256, KeyType.P384, KeyType.P521]
# RFC 6979, appendices A.2.5 to A.2.7: message "sample" with the hash of the curve's own size.
PUBLISHED = {
    KeyType.P256: (
        "C9AFA9D845BA75166B5C215767B1D6934E50C3DB36E89B127B8A622B120F6721",
        "0360FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6",
        (
            "EFD48B2AACB6A8FD1140DD9CD45E81D69D2C877B56AAF991C34D0EA84EAF3716"
            "F7CB1C942D657C41D436C7A1B6E29F65F3E900DBB9AFF4064DC4AB2F843ACDA8"
        ),
    ),
    KeyType.P384: (
        "6B9D3DAD2E1B8C1C05B19875B6659F4DE23C3B667BF297BA9AA47740787137D896D5724E4C70A825F872C9EA60D2EDF5",
        "02EC3A4E415B4E19A4568618029F427FA5DA9A8BC4AE92E02E06AAE5286B300C64DEF8F0EA9055866064A254515480BC13",
        (
            "94EDBB92A5ECB8AAD4736E56C691916B3F88140666CE9FA73D64C4EA95AD133C81A648152E44ACF96E36DD1E80FABE46"
            "99EF4AEB15F178CEA1FE40DB2603138F130E740A19624526203B6351D0A3A94FA329C145786E679E7B82C71A38628AC8"
        ),
    ),
    KeyType.P521: (
        (
            "00FAD06DAA62BA3B25D2FB40133DA757205DE67F5BB0018FEE8C86E1B68C7E75CAA896EB32F1F47C70855836A6D16FCC1466"
            "F6D8FBEC67DB89EC0C08B0E996B83538"
        ),
        (
            "0301894550D0785932E00EAA23B694F213F8C3121F86DC97A04E5A7167DB4E5BCD371123D46E45DB6B5D5370A7F20FB63315"
            "5D38FFA16D2BD761DCAC474B9A2F5023A4"
        ),
        (
            "00C328FAFCBD79DD77850370C46325D987CB525569FB63C5D3BC53950E6D4C5F174E25A1EE9017B5D450606ADD152B534931"
            "D7D4E8455CC91F9B15BF05EC36E377FA"
            "00617CCE7CF5064806C467F678D3B4080D6F1CC50AF26CA209417308281B68AF282623EAA63E5B5C0723D8B8C37FF0777B1A"
            "20F8CCB1DCCC43997F1EE0E44DA4A67A"
        ),
    ),
}

# x^3 - 3x + b is no square there, by Euler's criterion.
WITHOUT_POINT = {KeyType.P256: (1, 4, 7), KeyType.P384: (1, 4, 7), KeyType.P521: (3, 5, 7)}


def _published(key_type: KeyType) -> tuple[LocalSigner, bytes]:
    private, _, signature = PUBLISHED[key_type]
    return LocalSigner.from_private_bytes(key_type, bytes.fromhex(private)), bytes.fromhex(signature)


def _halves(key_type: KeyType, r: int, s: int) -> bytes:
    size = CURVES[key_type].size
    return r.to_bytes(size, "big") + s.to_bytes(size, "big")


@pytest.mark.parametrize("key_type", NIST)
def test_signatures_are_those_of_rfc_6979(key_type):
    """Nonces are deterministic: the published key gives the published r and s."""
    signer, signature = _published(key_type)
    assert signer.public_key.raw.hex().upper() == PUBLISHED[key_type][1]
    assert signer.sign(b"sample") == signature
    signer.public_key.verify(signature, b"sample")


@pytest.mark.parametrize("key_type", NIST)
def test_r_and_s_out_of_range_are_refused(key_type):
    """Zero, the order and everything above it fail in either half, before any arithmetic."""
    signer, signature = _published(key_type)
    order, size = CURVES[key_type].order, CURVES[key_type].size
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    top = 2 ** (8 * size) - 1
    for bad in (0, order, order + 1, top):
        for pair in ((bad, s), (r, bad), (bad, bad)):
            with pytest.raises(InvalidProof, match="between 1 and the order"):
                signer.public_key.verify(_halves(key_type, *pair), b"sample")


@pytest.mark.parametrize("key_type", NIST)
def test_forgeries_in_range_are_refused(key_type):
    """Small values, swapped halves and negated r don't verify."""
    signer, signature = _published(key_type)
    order, size = CURVES[key_type].order, CURVES[key_type].size
    r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
    for pair in ((1, 1), (1, s), (r, 1), (s, r), (order - r, s), (order - 1, order - 1)):
        with pytest.raises(InvalidProof, match="bad-signature"):
            signer.public_key.verify(_halves(key_type, *pair), b"sample")


@pytest.mark.parametrize("key_type", NIST)
def test_the_other_half_of_a_signature_verifies(key_type):
    """With s, n - s is valid ECDSA, so two signatures differ for one message: none may serve as an identifier."""
    signer, signature = _published(key_type)
    order, size = CURVES[key_type].order, CURVES[key_type].size
    s = int.from_bytes(signature[size:], "big")
    signer.public_key.verify(signature[:size] + (order - s).to_bytes(size, "big"), b"sample")


@pytest.mark.parametrize("key_type", NIST)
def test_signatures_in_der_or_with_padding_are_refused(key_type):
    """Only the fixed-length form counts: DER, shortened or padded halves are something else."""
    signer, signature = _published(key_type)
    size = CURVES[key_type].size
    r, s = signature[:size], signature[size:]
    der = encode_dss_signature(int.from_bytes(r, "big"), int.from_bytes(s, "big"))
    for attempt in (der, b"\x00" + r + b"\x00" + s, r, r + s + r, signature.hex().encode()):
        with pytest.raises(InvalidProof, match="bad-signature"):
            signer.public_key.verify(attempt, b"sample")


def test_a_signature_holds_on_its_own_curve_alone():
    """A P-256 signature is no P-384 signature, nor padded to one, nor the reverse."""
    (small, small_signature), (large, large_signature) = _published(KeyType.P256), _published(KeyType.P384)
    padded = b"".join(bytes(16) + small_signature[at : at + 32] for at in (0, 32))
    for attempt in (small_signature, padded):
        with pytest.raises(InvalidProof):
            large.public_key.verify(attempt, b"sample")
    with pytest.raises(InvalidProof):
        small.public_key.verify(large_signature[:64], b"sample")


@pytest.mark.parametrize("key_type", NIST)
def test_points_off_the_curve_are_refused(key_type):
    """A coordinate without a point, a coordinate not below the field's prime, and infinity fail by code."""
    size = CURVES[key_type].size
    for x in WITHOUT_POINT[key_type]:
        with pytest.raises(Malformed, match="invalid-point"):
            PublicKey(key_type, b"\x02" + x.to_bytes(size, "big"))
    with pytest.raises(Malformed, match="invalid-point"):
        PublicKey(key_type, b"\x02" + b"\xff" * size)
    for raw in (
        b"\x00",
        bytes(size + 1),
        b"\x04" + bytes(size),
        b"\x05" + PUBLISHED[key_type][1].encode()[:size],
    ):
        with pytest.raises(Malformed, match="wrong-key-length"):
            PublicKey(key_type, raw)


def test_uncompressed_and_hybrid_points_are_refused():
    """A Multikey holds compressed points; 0x04, 0x06 and 0x07 forms of the same point do not pass."""
    x = bytes.fromhex("60FED4BA255A9D31C961EB74C6356D68C049B8923B61FA6CE669622E60F29FB6")
    y = bytes.fromhex("7903FE1008B8BC99A41AE9E95628BC64F2F1B20C2D7E9F5177A3C294D4462299")
    for prefix in (b"\x04", b"\x06", b"\x07"):
        with pytest.raises(Malformed, match="wrong-key-length"):
            PublicKey(KeyType.P256, prefix + x + y)
        with pytest.raises(Malformed):
            PublicKey.from_multikey(encode_multibase(b"\x80\x24" + prefix + x + y))

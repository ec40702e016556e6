"""The BBS scheme against the fixtures of draft-irtf-cfrg-bbs-signatures, in both ciphersuites."""

import json

import pytest

pytest.importorskip("py_arkworks_bls12381", reason="the extra bbs is not installed")

from vcid.errors import InvalidProof, Malformed
from vcid.keys.bbs_generators import base_point, create_generators
from vcid.keys.bbs_hashing import EXPAND_BYTES, ORDER, BbsCiphersuite, generate_key
from vcid.keys.bbs_octets import Proof
from vcid.keys.bbs_scheme import (
    Presentation,
    Terms,
    _restart,
    derive_public_key,
    prove,
    sign,
    verify,
    verify_proof,
)

FOLDERS = {
    "bls12-381-sha-256": BbsCiphersuite.SHA_256,
    "bls12-381-shake-256": BbsCiphersuite.SHAKE_256,
}
SIGNATURES = [f"signature{number:03}" for number in range(1, 11)]
PROOFS = [f"proof{number:03}" for number in range(1, 16)]


class Fixtures:
    """The fixtures of one ciphersuite."""

    def __init__(self, folder, ciphersuite):
        self._folder = folder
        self.ciphersuite = ciphersuite

    def read(self, name):
        return json.loads((self._folder / f"{name}.json").read_bytes())

    def names(self, kind):
        return sorted(path.stem for path in (self._folder / kind).glob("*.json"))

    def mocked_random(self, count):
        """Give so many slices of what "Mocked Random Scalars" expands its seed to."""
        rng = self.read("mockedRng")
        expanded = self.ciphersuite.expand_message(
            bytes.fromhex(rng["seed"]), bytes.fromhex(rng["dst"]), EXPAND_BYTES * count
        )
        slices = iter(
            expanded[start : start + EXPAND_BYTES] for start in range(0, len(expanded), EXPAND_BYTES)
        )
        return lambda _size: next(slices)


@pytest.fixture(params=sorted(FOLDERS))
def fixtures(request, vectors):
    folder = vectors / "bbs-signatures" / "tooling" / "fixtures" / "fixture_data" / request.param
    return Fixtures(folder, FOLDERS[request.param])


def unhex(texts):
    return [bytes.fromhex(text) for text in texts]


def test_hashing_gives_the_stated_scalars(fixtures):
    """hash_to_scalar, the map from messages and the mocked random scalars are those of the fixtures."""
    stated = fixtures.read("h2s")
    scalar = fixtures.ciphersuite.hash_to_scalar(
        bytes.fromhex(stated["message"]), bytes.fromhex(stated["dst"])
    )
    assert f"{scalar:064x}" == stated["scalar"]
    for case in fixtures.read("MapMessageToScalarAsHash")["cases"]:
        mapped = fixtures.ciphersuite.message_to_scalar(bytes.fromhex(case["message"]))
        assert f"{mapped:064x}" == case["scalar"]
    random = fixtures.mocked_random(10)
    scalars = [f"{int.from_bytes(random(EXPAND_BYTES)) % ORDER:064x}" for _ in range(10)]
    assert scalars == fixtures.read("mockedRng")["mockedScalars"]


def test_generators_and_base_point_are_the_stated_ones(fixtures):
    """``P1``, ``Q_1`` and the message generators are those of the fixtures, whatever number is asked for."""
    stated = fixtures.read("generators")
    assert base_point(fixtures.ciphersuite).to_compressed_bytes().hex() == stated["P1"]
    expected = unhex([stated["Q1"], *stated["MsgGenerators"]])
    for count in (0, 1, 10):
        generators = create_generators(count, fixtures.ciphersuite)
        assert [point.to_compressed_bytes() for point in generators.points] == expected[: count + 1]
        assert generators.octets == b"".join(expected[: count + 1])


def test_keys_are_derived_as_stated(fixtures):
    """KeyGen and SkToPk give the stated key pair; short material gives none."""
    stated = fixtures.read("keypair")
    material, info = unhex([stated["keyMaterial"], stated["keyInfo"]])
    secret = generate_key(fixtures.ciphersuite, material, info)
    assert f"{secret:064x}" == stated["keyPair"]["secretKey"]
    assert derive_public_key(secret).hex() == stated["keyPair"]["publicKey"]
    with pytest.raises(ValueError, match="32 octets"):
        generate_key(fixtures.ciphersuite, material[:31])
    with pytest.raises(ValueError, match="65,535"):
        generate_key(fixtures.ciphersuite, material, bytes(65536))


@pytest.mark.parametrize("name", SIGNATURES)
def test_signatures(fixtures, name):
    """Valid signatures come out again to the byte, with the stated B and domain; the others are refused."""
    case = fixtures.read(f"signature/{name}")
    messages = unhex(case["messages"])
    terms = Terms(*unhex([case["signerKeyPair"]["publicKey"], case["header"]]), fixtures.ciphersuite)
    signature = bytes.fromhex(case["signature"])
    if case["result"]["valid"]:
        verify(terms, signature, messages)
        assert sign(int(case["signerKeyPair"]["secretKey"], 16), terms, messages) == signature
        basis = terms.basis(len(messages))
        commitment = basis.commit(dict(enumerate(terms.map_messages(messages))))
        assert commitment.to_compressed_bytes().hex() == case["trace"]["B"]
        assert basis.domain.to_be_bytes().hex() == case["trace"]["domain"]
    else:
        with pytest.raises(InvalidProof) as caught:
            verify(terms, signature, messages)
        assert caught.value.code == "bad-signature"


@pytest.mark.parametrize("name", PROOFS)
def test_proofs(fixtures, name):
    """Valid proofs verify and come out again to the byte with the mocked scalars; the others are refused."""
    case = fixtures.read(f"proof/{name}")
    messages, disclosed = unhex(case["messages"]), tuple(case["disclosedIndexes"])
    terms = Terms(*unhex([case["signerPublicKey"], case["header"]]), fixtures.ciphersuite)
    presentation = Presentation(disclosed, bytes.fromhex(case["presentationHeader"]))
    proof, shown = bytes.fromhex(case["proof"]), [messages[index] for index in disclosed]
    if case["result"]["valid"]:
        verify_proof(terms, proof, presentation, shown)
        random = fixtures.mocked_random(5 + len(messages) - len(disclosed))
        signature = bytes.fromhex(case["signature"])
        assert prove(terms, signature, messages, presentation, random=random) == proof
        check_trace(case["trace"], terms, proof, dict(zip(disclosed, shown, strict=True)))
    else:
        # One of them gives its messages in another order, and their indexes with them.
        code = "disclosed-indexes" if list(disclosed) != sorted(disclosed) else "bad-signature"
        with pytest.raises((InvalidProof, Malformed)) as caught:
            verify_proof(terms, proof, presentation, shown)
        assert caught.value.code == code


def test_every_fixture_is_run(fixtures, tally):
    """The lists of fixtures here are those of the folder."""
    assert fixtures.names("signature") == SIGNATURES
    assert fixtures.names("proof") == PROOFS
    name = fixtures.ciphersuite.name.replace("_", "-")
    tally(f"bbs-signatures {name}: {len(SIGNATURES)} signatures, {len(PROOFS)} proofs")


def check_trace(trace, terms, proof, shown):
    """Compare what a verifier recomputes with the fixture's intermediate values."""
    parsed = Proof.decode(proof)
    basis = terms.basis(len(parsed.commitments) + len(shown))
    started = _restart(parsed, basis, dict(zip(shown, terms.map_messages(shown.values()), strict=True)))
    points = [point.to_compressed_bytes().hex() for point in (*started.points, *started.announced)]
    assert points == [trace[name] for name in ("A_bar", "B_bar", "D", "T1", "T2")]
    assert basis.domain.to_be_bytes().hex() == trace["domain"]
    assert parsed.challenge.to_be_bytes().hex() == trace["challenge"]

"""Many threads, every suite, one process: no good proof is refused and no bad one accepted."""

from __future__ import annotations

import copy
import random
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from typing import Any

import pytest

from vcid.encoding.multikey import KeyType
from vcid.errors import VcidError
from vcid.securing import ecdsa_sd
from vcid.securing.data_integrity import SUITES, ProofOptions, add_proof, verify_proofs

THREADS, VERIFICATIONS = 8, 2000


@dataclass(frozen=True)
class Pair:
    """A document that holds and one that does not, in the same suite with the same key."""

    name: str
    good: dict[str, Any]
    bad: dict[str, Any]


def unsigned() -> dict[str, Any]:
    return {
        "@context": [
            "https://www.w3.org/ns/credentials/v2",
            "https://www.w3.org/ns/credentials/examples/v2",
            SUITES["Ed25519Signature2020"].context,
        ],
        "type": ["VerifiableCredential"],
        "issuer": "did:web:civil.example",
        "credentialSubject": {"id": "did:example:child", "fullName": "Amina Example", "weight": "3"},
    }


def tampered(good: dict[str, Any]) -> dict[str, Any]:
    bad = copy.deepcopy(good)
    bad["credentialSubject"]["fullName"] = "Amina Mustermann"
    return bad


@pytest.fixture(scope="module")
def pairs(signers, method_url, contexts) -> list[Pair]:
    """One pair for each suite and kind of key, one for a set and one for a chain."""
    made = []
    for suite in SUITES.values():
        for kind in sorted(suite.key_types):
            if suite.is_selective:
                continue
            options = ProofOptions(verification_method=method_url(signers[kind]), cryptosuite=suite.name)
            good = add_proof(unsigned(), signers[kind], options, contexts=contexts)
            made.append(Pair(f"{suite.name} {kind}", good, tampered(good)))
    first = ProofOptions(verification_method=method_url(signers[KeyType.ED25519]), id="urn:x:1")
    second = ProofOptions(
        verification_method=method_url(signers[KeyType.P384]),
        cryptosuite="ecdsa-rdfc-2019",
        previous_proof="urn:x:1",
    )
    chain = add_proof(unsigned(), signers[KeyType.ED25519], first, contexts=contexts)
    chain = add_proof(chain, signers[KeyType.P384], second, contexts=contexts)
    made.append(Pair("chain", chain, tampered(chain)))
    made.append(_derived(ecdsa_sd, signers[KeyType.P256], method_url, contexts))
    if find_spec("py_arkworks_bls12381"):  # of the extra bbs
        from vcid.keys.bbs import LocalBbsSigner
        from vcid.securing import bbs

        made.append(_derived(bbs, LocalBbsSigner.from_private_bytes(b"\x07" * 32), method_url, contexts))
    return made


def _derived(suite, signer, method_url, contexts) -> Pair:
    proof = {
        "type": "DataIntegrityProof",
        "cryptosuite": suite.NAME,
        "verificationMethod": method_url(signer),
        "proofPurpose": "assertionMethod",
    }
    value = suite.create_base_proof_value(
        unsigned(), proof, signer, mandatory_pointers=["/issuer"], contexts=contexts
    )
    base = {**unsigned(), "proof": {**proof, "proofValue": value}}
    shown = suite.derive(base, selective_pointers=["/credentialSubject/fullName"], contexts=contexts)
    return Pair(suite.NAME, shown, tampered(shown))


def verify_many(pairs, seed, count, ask) -> list[str]:
    """Verify good and bad documents in a random order, and say what came out wrong."""
    order, wrong = random.Random(seed), []
    for _ in range(count):
        pair, is_good = order.choice(pairs), order.random() < 0.5
        try:
            verified = verify_proofs(pair.good if is_good else pair.bad, **ask)
        except VcidError as error:
            if is_good:
                wrong.append(f"{pair.name} refused: {error}")
            continue
        if not is_good:
            wrong.append(f"{pair.name} accepted")
        elif verified.document != {key: value for key, value in pair.good.items() if key != "proof"}:
            wrong.append(f"{pair.name} gave another document")
    return wrong


def run(pairs, count, ask) -> list[str]:
    with ThreadPoolExecutor(THREADS) as pool:
        results = pool.map(lambda seed: verify_many(pairs, seed, count, ask), range(THREADS))
        return [wrong for result in results for wrong in result]


def test_threads_agree_about_every_suite(pairs, resolve, demand, contexts):
    """Eight threads at once over all suites, a set of proofs and a derived one among them."""
    assert run(pairs, 25, {"resolve": resolve, "demand": demand, "contexts": contexts}) == []


@pytest.mark.slow
def test_threads_agree_for_long(pairs, resolve, demand, contexts):
    """The same for 16,000 verifications."""
    assert run(pairs, VERIFICATIONS, {"resolve": resolve, "demand": demand, "contexts": contexts}) == []

"""What a stranger can make a verifier do before any signature is known to be good: little, in every suite.

Times are compared with a measure taken beside them, generously, since test machines are busy; the absolute
figures are printed with ``-rP``.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import time
from base64 import urlsafe_b64encode
from dataclasses import replace
from itertools import combinations

import pytest

from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType, encode_multibase
from vcid.errors import InvalidRecord, LimitExceeded, Malformed, VcidError
from vcid.keys.signing import PublicKey
from vcid.securing.data_integrity import verify_proofs
from vcid.status.bits import StatusList


class NeverVerifies(PublicKey):
    """A sound key that fails the test if it comes to checking a signature."""

    def verify(self, signature, message):
        raise AssertionError("the signature was checked although the document is poisoned")


def proof(suite: str) -> dict:
    return {
        "type": "DataIntegrityProof",
        "cryptosuite": suite,
        "verificationMethod": "did:key:z6Mk#z6Mk",
        "proofPurpose": "assertionMethod",
        "proofValue": encode_multibase(bytes(64)),
    }


def clique(size: int) -> dict:
    """A document whose blank nodes all point to each other: nothing tells them apart."""
    graph = [{"id": f"_:b{number}", "https://x.example/knows": []} for number in range(size)]
    for one, other in combinations(range(size), 2):
        graph[one]["https://x.example/knows"].append({"id": f"_:b{other}"})
        graph[other]["https://x.example/knows"].append({"id": f"_:b{one}"})
    return {
        "@context": ["https://www.w3.org/ns/credentials/v2"],
        "type": ["VerifiableCredential"],
        "issuer": "did:example:x",
        "credentialSubject": {"id": "did:example:y", "https://x.example/about": graph},
    }


def best_time(call, tries=3) -> float:
    def once() -> float:
        start = time.perf_counter()
        call()
        return time.perf_counter() - start

    return min(once() for _ in range(tries))


@pytest.fixture(scope="module")
def unit() -> float:
    """How long this machine takes to hash 8 MB, about 5 ms where the absolute bounds were measured."""
    data = bytes(8 << 20)
    return best_time(lambda: hashlib.sha256(data).digest())


@pytest.fixture
def refuse(resolve, demand, contexts, signers, method_url):
    """Give the error with which a document with a proof of no worth is refused, without a check of it."""
    method = resolve(method_url(signers[KeyType.ED25519]), "assertionMethod")

    def refuse(document, suite="eddsa-rdfc-2022"):
        watched = NeverVerifies(method.public_key.key_type, method.public_key.raw)
        with pytest.raises(VcidError) as caught:
            verify_proofs(
                {**document, "proof": proof(suite)},
                resolve=lambda url, purpose: replace(method, public_key=watched),
                demand=demand,
                contexts=contexts,
            )
        return caught.value

    return refuse


def test_a_poison_graph_is_refused_before_its_signature(refuse, unit):
    """Nine blank nodes in 2 KB that a peer spends minutes on: refused by count, in under 50 ms."""
    document = clique(9)
    assert len(json.dumps(document)) < 4000
    assert isinstance(refuse(document), LimitExceeded)
    taken = best_time(lambda: refuse(document))
    print(f"clique of 9: {taken * 1000:.1f} ms")
    assert taken < max(0.05, 25 * unit)


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
@pytest.mark.parametrize(
    ("name", "context"),
    [
        ("inline", {f"term{number}": f"https://x.example/{number}" for number in range(100_000)}),
        ("urls", ["https://x.example/unknown"] * 100_000),
        ("known", ["https://www.w3.org/ns/credentials/v2"] * 100_000),
    ],
)
def test_a_huge_context_is_refused_before_its_signature(name, context, suite, refuse, unit):
    """A context of 100,000 entries is not compiled, whichever way it is written."""
    document = {"@context": context, "type": ["VerifiableCredential"], "issuer": "did:example:x"}
    error = refuse(document, suite)
    assert isinstance(error, Malformed | InvalidRecord)
    taken = best_time(lambda: refuse(document, suite))
    print(f"context of 100,000 entries, {name}, {suite}: {taken * 1000:.1f} ms, {error}")
    assert taken < max(0.05, 25 * unit)


def nest(depth: int) -> object:
    value: object = "x"
    for _ in range(depth):
        value = {"evidence": value}
    return value


@pytest.mark.parametrize("suite", ["eddsa-rdfc-2022", "eddsa-jcs-2022"])
def test_a_deep_document_is_refused_before_its_signature(suite, refuse, unit):
    """Depth 10,000 is refused as text and as an object, without running out of stack."""
    text = '{"evidence":' * 10_000 + "1" + "}" * 10_000
    with pytest.raises(LimitExceeded):
        parse_object(text)
    document = {"@context": ["https://www.w3.org/ns/credentials/v2"], "evidence": nest(10_000)}
    assert isinstance(refuse(document, suite), LimitExceeded)
    taken = best_time(lambda: refuse(document, suite))
    print(f"depth 10,000, {suite}: {taken * 1000:.1f} ms")
    assert taken < max(0.05, 25 * unit)


def test_a_status_list_that_inflates_without_end_is_refused(unit):
    """64 MB of zeros in 64 KB: refused in under 100 ms, without having been held."""
    text = "u" + urlsafe_b64encode(gzip.compress(bytes(64 << 20), mtime=0)).rstrip(b"=").decode()
    assert len(text) < 100_000

    def inflate():
        with pytest.raises((LimitExceeded, Malformed)):
            StatusList.decode(text)

    taken = best_time(inflate)
    print(f"status list of 64 MB: {taken * 1000:.1f} ms")
    assert taken < max(0.1, 50 * unit)

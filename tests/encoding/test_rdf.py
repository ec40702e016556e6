"""From a credential to the bytes an RDF signature covers: the published bytes, on every thread, with no help."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest

from vcid.encoding import rdf
from vcid.encoding.contexts import Contexts
from vcid.encoding.jsonld.scopes import _derive_known
from vcid.errors import InvalidRecord, LimitExceeded, Malformed

CITIZENSHIP = "https://w3id.org/citizenship/v4rc1"
CREDENTIAL = {
    "@context": ["https://www.w3.org/ns/credentials/v2", "https://w3id.org/vcid/v1"],
    "id": "urn:uuid:4f2a6b0e-7d5c-4f7e-9d1a-0123456789ab",
    "type": ["VerifiableCredential", "BirthRegistrationCredential"],
    "issuer": "did:web:civil.example",
    "validFrom": "2026-01-01T00:00:00Z",
    "credentialSubject": {"id": "did:key:z6MkChild"},
    "credentialStatus": {
        "type": "BitstringStatusListEntry",
        "statusPurpose": "revocation",
        "statusListIndex": "7",
        "statusListCredential": "https://civil.example/status/1",
    },
}
# Each canonical form that the cryptosuite specifications publish, and the document it is of.
PUBLISHED = [
    ("vc-di-eddsa/TestVectors/eddsa-rdfc-2022", "../unsigned.json", "canonDocDataInt.txt", "sha256"),
    ("vc-di-eddsa/TestVectors/eddsa-rdfc-2022", "proofConfigDataInt.json", "proofCanonDataInt.txt", "sha256"),
    (
        "vc-di-eddsa/TestVectors/eddsa-rdfc-2022/employ",
        "../../employmentAuth.json",
        "canonDocDataInt.txt",
        "sha256",
    ),
    ("vc-di-eddsa/TestVectors/Ed25519Signature2020", "../unsigned.json", "canonDocEdSig.txt", "sha256"),
    (
        "vc-di-eddsa/TestVectors/Ed25519Signature2020",
        "proofConfigEdSig.json",
        "proofCanonEdSig.txt",
        "sha256",
    ),
    ("vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p256", "../unsigned.json", "canonDocECDSAP256.txt", "sha256"),
    ("vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p384", "../unsigned.json", "canonDocECDSAP384.txt", "sha384"),
    (
        "vc-di-ecdsa/TestVectors/ecdsa-rdfc-2019-p384/employ",
        "../../employmentAuth.json",
        "canonDocECDSAP384.txt",
        "sha384",
    ),
]


@pytest.fixture(scope="module")
def contexts(vectors):
    path = vectors / "citizenship-contexts" / "contexts" / "citizenship-v4rc1.jsonld"
    return Contexts.carried().with_context(CITIZENSHIP, json.loads(path.read_text(encoding="utf-8")))


@pytest.mark.parametrize(("folder", "source", "canonical", "hash_name"), PUBLISHED)
def test_published_canonical_forms(vectors, contexts, folder, source, canonical, hash_name):
    """The cryptosuites' own examples come out byte for byte."""
    document = json.loads((vectors / folder / source).read_text(encoding="utf-8"))
    expected = (vectors / folder / canonical).read_bytes()
    assert rdf.canonicalize(document, contexts=contexts, hash_name=hash_name) == expected


def test_the_data_models_examples_are_read(vectors, tally):
    """Each example credential of the data model whose contexts are carried is one that safe mode reads."""
    known, read = 0, 0
    for path in sorted((vectors / "vc-data-model" / "examples").glob("*.json")):
        document = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(document, dict) and "type" in document:
            named = document["@context"] if isinstance(document["@context"], list) else [document["@context"]]
            known += all(url in Contexts.carried() for url in named if isinstance(url, str))
            read += is_read(document)
    tally(f"VCDM 2.0 examples: {read} read as JSON-LD")
    assert read == known > 40


def is_read(document):
    try:
        rdf.check_terms(document, contexts=Contexts.carried())
    except Malformed as error:
        return error.code != "unknown-context"
    return True


def test_every_change_of_a_credential_changes_its_form():
    """What the canonical form covers, it covers: each member matters, and an added one is refused or covered."""
    form = rdf.canonicalize(CREDENTIAL, contexts=Contexts.carried())
    for key in CREDENTIAL.keys() - {"@context", "type"}:
        less = {name: value for name, value in CREDENTIAL.items() if name != key}
        assert rdf.canonicalize(less, contexts=Contexts.carried()) != form, key
    with pytest.raises(InvalidRecord):
        rdf.canonicalize({**CREDENTIAL, "type": []}, contexts=Contexts.carried())
    more = {**CREDENTIAL, "name": "x"}
    assert rdf.canonicalize(more, contexts=Contexts.carried()) != form


@pytest.mark.parametrize(
    "added",
    [{"nickname": "x"}, {"credentialSubject": {"id": "did:key:z6MkChild", "nick": 1}}, {"name": None}],
)
def test_unsigned_additions_are_refused(added):
    """A member that the canonical form would not cover can't be slipped in."""
    with pytest.raises(InvalidRecord):
        rdf.canonicalize({**CREDENTIAL, **added}, contexts=Contexts.carried())


def test_the_order_of_members_does_not_matter():
    """Members may be reordered freely; the order of arrays without a list container too."""
    other = dict(reversed(CREDENTIAL.items()))
    other["type"] = list(reversed(CREDENTIAL["type"]))
    carried = Contexts.carried()
    assert rdf.canonicalize(other, contexts=carried) == rdf.canonicalize(CREDENTIAL, contexts=carried)


def test_budget_reaches_the_canonicalization():
    """The caller's budget bounds documents with blank nodes that look alike."""
    document = {"urn:x:p": [{"urn:x:q": {}} for _ in range(10)]}
    assert rdf.canonicalize(document, contexts=Contexts.carried())
    with pytest.raises(LimitExceeded):
        rdf.canonicalize(document, contexts=Contexts.carried(), budget=5)


def test_threads_agree():
    """Eight threads, each with some hundred documents and cold caches to fight over, give what one gives."""
    documents = [
        {
            **CREDENTIAL,
            "@context": [*CREDENTIAL["@context"], *extra],
            "credentialSubject": {"id": f"urn:x:{number}", "type": ["urn:x:T"]},
        }
        for number, extra in enumerate(
            [
                [],
                ["https://w3id.org/security/data-integrity/v2"],
                [{"own": "urn:x:own"}],
                ["https://www.w3.org/ns/credentials/examples/v2"],
            ]
            * 8
        )
    ]
    carried = Contexts.carried()
    expected = [rdf.canonicalize(document, contexts=carried) for document in documents]

    def work(start):
        wrong = 0
        for turn in range(200):
            index = (start * 5 + turn) % len(documents)
            if turn % 50 == 0:
                _derive_known.cache_clear()
            wrong += rdf.canonicalize(documents[index], contexts=carried) != expected[index]
        return wrong

    _derive_known.cache_clear()
    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(work, range(8))) == 0


def test_no_other_processor_is_loaded():
    """Checking terms, the first thing done with a JCS credential, imports no JSON-LD library."""
    script = (
        "import sys, json; from vcid.encoding import rdf; from vcid.encoding.contexts import Contexts;"
        "rdf.check_terms(json.loads(sys.argv[1]), contexts=Contexts.carried());"
        "assert not {'pyld', 'lxml', 'requests', 'rdflib'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", script, json.dumps(CREDENTIAL)], check=True, timeout=60)

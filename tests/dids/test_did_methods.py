"""did:key and did:web, resolvers that compose, and fresh identities."""

import json
import os
import pickle
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import base58
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.dids.documents import PURPOSES, DidDocument, did_document
from vcid.dids.methods import (
    DidKeyResolver,
    DidWebResolver,
    Resolvers,
    StaticResolver,
    child_identity,
    did_key,
    did_web_url,
)
from vcid.encoding.contexts import Loaded
from vcid.encoding.multikey import KeyType, encode_multibase
from vcid.errors import InvalidProof, ResolutionFailed, Unavailable, VcidError
from vcid.keys.agreement import AgreementKey
from vcid.keys.jwk import decode_jwk
from vcid.keys.signing import LocalSigner

SIGNING_TYPES = [KeyType.ED25519, KeyType.P256, KeyType.P384, KeyType.P521]
PREFIXES = {"z6Mk": KeyType.ED25519, "zDna": KeyType.P256, "z82L": KeyType.P384, "z2J9": KeyType.P521}


class SavedPages:
    """A loader of documents that are at hand; it records what it was asked for."""

    def __init__(self, pages: dict[str, bytes]) -> None:
        self.pages = pages
        self.asked: list[str] = []

    def load(self, url: str) -> Loaded:
        self.asked.append(url)
        if url not in self.pages:
            raise Unavailable("not at hand")
        return Loaded(self.pages[url], "application/json", url)


def _code(resolve, did: str) -> str:
    with pytest.raises(ResolutionFailed) as caught:
        resolve(did)
    return caught.value.code


def _published_keys(vectors) -> dict[str, dict]:
    cases = {}
    for file in (vectors / "did-key" / "test-vectors").glob("*.json"):
        cases.update(
            {did: case for did, case in json.loads(file.read_text()).items() if did.startswith("did:key:")}
        )
    return cases


def test_published_did_keys_and_keys_give_each_other(vectors, tally):
    """For Ed25519 and the NIST curves: identifier to key to identifier, and the keys are those published."""
    counts = dict.fromkeys(SIGNING_TYPES, 0)
    for did, case in _published_keys(vectors).items():
        key_type = PREFIXES.get(did.removeprefix("did:key:")[:4])
        if key_type is None:
            continue
        url = f"{did}#{did.removeprefix('did:key:')}"
        public_key = DidKeyResolver().resolve(did).method(url, "assertionMethod").public_key
        assert did_key(public_key) == did
        assert public_key.key_type is key_type
        for method in case["didDocument"]["verificationMethod"]:
            jwk = method.get("publicKeyJwk")
            if jwk and method["id"] == url:
                assert decode_jwk(jwk) == public_key
        if "seed" in case:
            signer = LocalSigner.from_private_bytes(key_type, bytes.fromhex(case["seed"]))
            assert signer.public_key == public_key
        counts[key_type] += 1
    tally("did:key: " + ", ".join(f"{count} {key_type}" for key_type, count in counts.items()))
    assert counts == {KeyType.ED25519: 5, KeyType.P256: 3, KeyType.P384: 2, KeyType.P521: 2}


def test_published_did_keys_of_other_types_are_unsupported(vectors):
    """RSA and secp256k1 are told apart from damaged identifiers."""
    supported = (*PREFIXES, "z6LS", "zUC7")
    others = [did for did in _published_keys(vectors) if did.removeprefix("did:key:")[:4] not in supported]
    assert len(others) >= 5
    for did in others:
        assert _code(DidKeyResolver().resolve, did) == "unsupportedPublicKeyType"


def test_published_x25519_did_keys_serve_key_agreement_alone(vectors):
    """Each resolves to the published key, for the published purpose, and checks no proof."""
    published = json.loads((vectors / "did-key" / "test-vectors" / "x25519.json").read_text())["didDocument"]
    assert len(published) >= 3
    for did, case in published.items():
        document = DidKeyResolver().resolve(did)
        (listed,) = case["keyAgreement"]
        key = document.agreement_method(listed).key
        assert did_key(key) == did
        (method,) = case["verificationMethod"]
        if "publicKeyJwk" in method:
            assert AgreementKey.from_jwk(method["publicKeyJwk"]) == key
        else:
            assert base58.b58encode(key.raw).decode() == method["publicKeyBase58"]
        assert {purpose for purpose in PURPOSES if purpose in document.content} == {"keyAgreement"}
        for purpose in PURPOSES:
            with pytest.raises(InvalidProof, match="wrong-purpose"):
                document.method(listed, purpose)


def test_published_bbs_did_keys_check_proofs(vectors):
    """A did:key of a BLS12-381 G2 key carries the key that bbs-2023 verifies with."""
    pytest.importorskip("py_arkworks_bls12381", reason="the extra bbs is not installed")
    published = json.loads((vectors / "did-key" / "test-vectors" / "bls12381.json").read_text())
    dids = [did for did in published if did.startswith("did:key:zUC7")]
    assert dids
    for did in dids:
        key = DidKeyResolver().resolve(did).method(f"{did}#{did[8:]}", "assertionMethod").public_key
        assert (key.key_type, key.multikey) == (KeyType.BLS12_381_G2, did[8:])
        assert base58.b58encode(key.raw).decode() == published[did]["verificationKeyPair"]["publicKeyBase58"]


@pytest.mark.parametrize(
    "raw",
    [bytes(32), b"\x01" + bytes(31), b"\xff" * 32, (2**255 - 19).to_bytes(32, "little"), bytes(31) + b"\x80"],
    ids=["zero", "one", "all ones", "prime", "high bit"],
)
def test_x25519_keys_that_agree_with_everybody_are_refused(raw):
    """Points of small order give every partner the same secret; other spellings give one key two names."""
    assert _code(DidKeyResolver().resolve, _did_key_of(b"\xec\x01" + raw)) == "invalidDid"


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_the_document_of_a_did_key_is_canonical(key_type):
    """One Multikey whose fragment is the key itself, for every purpose that signs."""
    public_key = LocalSigner.generate(key_type).public_key
    did = did_key(public_key)
    document = DidKeyResolver().resolve(did)
    url = f"{did}#{public_key.multikey}"
    assert document.id == did
    assert document.content["verificationMethod"] == [
        {"id": url, "type": "Multikey", "controller": did, "publicKeyMultibase": public_key.multikey}
    ]
    for purpose in PURPOSES:
        if purpose != "keyAgreement":
            assert document.method(url, purpose).public_key == public_key
    with pytest.raises(InvalidProof, match="wrong-purpose"):
        document.method(url, "keyAgreement")


def _did_key_of(data: bytes, base: str = "z") -> str:
    return "did:key:" + encode_multibase(data, base)


GOOD = LocalSigner.from_private_bytes(KeyType.ED25519, b"\x07" * 32).public_key


@pytest.mark.parametrize(
    ("did", "code"),
    [
        (f"did:key:1:{GOOD.multikey}", "invalidDid"),
        (f"did:key:1.1:{GOOD.multikey}", "invalidDid"),
        (f"{did_key(GOOD)}?a=b", "invalidDid"),
        (f"{did_key(GOOD)}#{GOOD.multikey}", "invalidDid"),
        (f"{did_key(GOOD)}/a", "invalidDid"),
        (f"{did_key(GOOD)}\n", "invalidDid"),
        (did_key(GOOD).upper(), "invalidDid"),
        (did_key(GOOD).replace("did:key:z", "did:key:%7A"), "invalidDid"),
        ("did:key:z", "unsupportedPublicKeyType"),
        ("did:key:z0OIl", "invalidDid"),
        (_did_key_of(b"\xed\x01" + GOOD.raw, "u"), "invalidDid"),
        (_did_key_of(b"\xed\x01" + GOOD.raw[:-1]), "invalidDid"),
        (_did_key_of(b"\xed\x01" + bytes(32)), "invalidDid"),
        (_did_key_of(b"\x80\x24\x02" + b"\xff" * 32), "invalidDid"),
        (_did_key_of(b"\x80\x24\x04" + bytes(64)), "invalidDid"),
        (_did_key_of(b"\x00\xed\x01" + GOOD.raw), "unsupportedPublicKeyType"),
        ("did:key:z" + "1" * 2000, "unsupportedPublicKeyType"),
        ("did:key:z" + "1" * 4090, "invalidDid"),
        ("did:web:" + "a" * 200, "methodNotSupported"),
        ("did:web:civil.example", "methodNotSupported"),
    ],
)
def test_other_spellings_and_damaged_did_keys_are_refused(did, code):
    """One key has one identifier: versions, other bases, escapes and trailing parts are refused."""
    assert _code(DidKeyResolver().resolve, did) == code


@settings(max_examples=200)
@given(st.binary(max_size=60), st.sampled_from("zu"))
def test_arbitrary_did_keys_resolve_to_themselves_or_fail(data, base):
    """Whatever bytes stand in a did:key, a document that comes out is that very DID's."""
    with suppress(ResolutionFailed):
        document = DidKeyResolver().resolve(_did_key_of(data, base))
        assert document.id == did_key(document.methods[0].public_key)


@pytest.mark.parametrize(
    ("did", "url"),
    [
        ("did:web:w3c-ccg.github.io", "https://w3c-ccg.github.io/.well-known/did.json"),
        ("did:web:w3c-ccg.github.io:user:alice", "https://w3c-ccg.github.io/user/alice/did.json"),
        ("did:web:example.com%3A3000:user:alice", "https://example.com:3000/user/alice/did.json"),
        ("did:web:example.com%3a65535", "https://example.com:65535/.well-known/did.json"),
        ("did:web:localhost%3A8443", "https://localhost:8443/.well-known/did.json"),
        ("did:web:xn--bcher-kva.example:A_b-c.d", "https://xn--bcher-kva.example/A_b-c.d/did.json"),
        ("did:web:1.example", "https://1.example/.well-known/did.json"),
        ("did:web:civil.example:caf%C3%A9", "https://civil.example/caf%C3%A9/did.json"),
    ],
)
def test_did_webs_have_their_address(did, url):
    """Domain, port and path lead to the address that the specification gives."""
    assert did_web_url(did) == url


@pytest.mark.parametrize(
    "identifier",
    [
        "Civil.example", "civil..example", ".civil.example", "civil.example.", "-a.example", "a-.example",
        "a_b.example", "a" * 64 + ".example", ".".join(["a" * 50] * 6), "127.0.0.1", "1.2.3", "0x7f.1", "10",
        "civil.0x7f000001", "%5B%3A%3A1%5D", "civil.example%3A", "civil.example%3A0", "civil.example%3A65536",
        "civil.example%3A080", "civil.example%3A80%3A80", "civil.example%3A8a", "civil.example%2Fa", "a%40civil.example",
        "civil%2eexample", "civil.example%00", "%63ivil.example", "civil.example:", "civil.example::a", ":civil.example",
        "civil.example:.", "civil.example:..", "civil.example:a:..:b", "civil.example:%2e%2E", "civil.example:%2E",
        "civil.example:a%2Fb", "civil.example:a%5Cb", "civil.example:a%3Fb", "civil.example:a%23b", "civil.example:a%40b",
        "civil.example:a%3Ab", "civil.example:%252e%252e", "civil.example:a%00", "civil.example:a%0Ab", "civil.example:%FF",
        "civil.example:%E2%80%AE", "civil.example/a", "civil.example?a", "civil.example#a",
        "a@civil.example", "civil.éxample", "civil.example ", "civil.example%", "",
    ],
)  # fmt: skip
def test_did_webs_that_could_lead_elsewhere_are_refused(identifier):
    """Other spellings of a host, addresses, and paths that a server could read as another place fail."""
    assert _code(did_web_url, f"did:web:{identifier}") == "invalidDid"


def test_only_did_webs_have_an_address():
    """Another method's DID is not read as a host."""
    assert _code(did_web_url, "did:key:civil.example") == "methodNotSupported"


DID = "did:web:civil.example"
URL = "https://civil.example/.well-known/did.json"


def _pages(content: object) -> SavedPages:
    return SavedPages({URL: content if isinstance(content, bytes) else json.dumps(content).encode()})


def test_a_did_web_is_loaded_and_checked():
    """The document at the address, if it is that DID's, is what comes out."""
    pages = _pages(did_document(DID, [GOOD]))
    document = DidWebResolver(pages).resolve(DID)
    assert document.method(f"{DID}#{GOOD.multikey}", "assertionMethod").public_key == GOOD
    assert pages.asked == [URL]


@pytest.mark.parametrize(
    "content",
    [
        did_document("did:web:other.example", [GOOD]),
        did_document(DID + ":a", [GOOD]),
        did_document("did:web:Civil.example", [GOOD]),
        {**did_document(DID, [GOOD]), "assertionMethod": ["#" + GOOD.multikey]},
        {},
        [],
        b"",
        b"<html>",
        b'{"id":"did:web:civil.example","id":"did:web:civil.example"}',
        b"\xff",
    ],
)
def test_a_did_web_whose_document_is_not_its_own_fails(content):
    """Another DID's document, relative ids, doubled members and what is no JSON are invalid."""
    assert _code(DidWebResolver(_pages(content)).resolve, DID) == "invalidDidDocument"


def test_a_did_web_that_cannot_be_loaded_is_undecided():
    """What the loader can't bring is no statement about the DID; a malformed DID asks for nothing."""
    pages = SavedPages({})
    assert _code(DidWebResolver(pages).resolve, DID) == "internalError"
    assert _code(DidWebResolver(pages).resolve, "did:web:127.0.0.1") == "invalidDid"
    assert _code(DidWebResolver(pages).resolve, "did:key:z6Mk") == "methodNotSupported"
    assert pages.asked == [URL]


def test_resolvers_compose_by_method():
    """Each DID goes to its method's resolver; others, and what is no DID, are refused by code."""
    resolvers = Resolvers({"key": DidKeyResolver(), "web": DidWebResolver(_pages(did_document(DID, [GOOD])))})
    assert resolvers.resolve(DID).id == DID
    assert resolvers.resolve(did_key(GOOD)).id == did_key(GOOD)
    assert _code(resolvers.resolve, "did:example:1") == "methodNotSupported"
    assert _code(resolvers.resolve, "civil.example") == "invalidDid"
    assert _code(Resolvers({}).resolve, did_key(GOOD)) == "methodNotSupported"


def test_static_documents_are_found_or_not():
    """Documents at hand are given; nothing else is, and none under another name."""
    document = DidDocument.parse(did_document(DID, [GOOD]))
    documents = {DID: document}
    resolver = StaticResolver(documents)
    documents.clear()
    assert resolver.resolve(DID) is document
    assert _code(resolver.resolve, "did:web:other.example") == "notFound"
    assert _code(resolver.resolve, did_key(GOOD)) == "notFound"
    assert _code(resolver.resolve, "civil") == "invalidDid"
    with pytest.raises(ValueError, match="own id"):
        StaticResolver({"did:web:other.example": document})


@pytest.mark.parametrize("key_type", SIGNING_TYPES)
def test_child_identities_are_fresh(key_type):
    """No two are alike, each signs for its own DID, and none shows its key."""
    identities = [child_identity(key_type) for _ in range(20)]
    assert len({identity.did for identity in identities}) == 20
    for identity in identities:
        assert identity.did == did_key(identity.signer.public_key)
        assert identity.signer.private_bytes().hex() not in repr(identity)
        with pytest.raises(TypeError):
            pickle.dumps(identity)


@settings(max_examples=200)
@given(st.text() | st.text("abc.%3A:2Ff-0_").map("did:web:".__add__))
def test_arbitrary_text_raises_only_vcid_errors(text):
    """Whatever the text, every resolver gives a document or a VcidError, and an address stays on https."""
    for resolve in (
        DidKeyResolver().resolve,
        DidWebResolver(SavedPages({})).resolve,
        StaticResolver({}).resolve,
    ):
        with suppress(VcidError):
            resolve(text)
    with suppress(VcidError):
        url = did_web_url(text)
        assert url.startswith("https://")
        assert url.endswith("/did.json")
        assert not {"@", "?", "#", "\\"} & set(url)
        assert ".." not in url.split("/")


def test_threads_resolve_alike():
    """Many threads on the same cache get equal documents."""
    dids = [
        did_key(LocalSigner.generate(key_type).public_key) for key_type in SIGNING_TYPES for _ in range(3)
    ]
    with ThreadPoolExecutor(8) as pool:
        documents = list(pool.map(DidKeyResolver().resolve, dids * 50))
    assert [document.id for document in documents] == dids * 50
    assert len(set(documents)) == len(dids)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_amid_threads_resolves_and_verifies():
    """Children forked while threads fill the caches find no lock held and no cache broken."""
    script = """
        import os, sys, threading, warnings
        warnings.simplefilter("ignore")  # newer Pythons advise against what is shown to work here
        from vcid.dids.methods import DidKeyResolver, did_key
        from vcid.encoding.multikey import KeyType
        from vcid.keys.signing import LocalSigner
        signers = [LocalSigner.generate(kind) for kind in (KeyType.ED25519, KeyType.P256)]
        signed = [(did_key(signer.public_key), signer.sign(b"m")) for signer in signers]
        def check():
            for did, signature in signed:
                DidKeyResolver().resolve(did).methods[0].public_key.verify(signature, b"m")
        done = threading.Event()
        def fill():
            while not done.is_set():
                DidKeyResolver().resolve(did_key(LocalSigner.generate().public_key))
                check()
        threads = [threading.Thread(target=fill) for _ in range(3)]
        for thread in threads:
            thread.start()
        statuses = []
        for _ in range(20):
            child = os.fork()
            if not child:
                check()
                os._exit(0)
            statuses.append(os.waitpid(child, 0)[1])
        done.set()
        for thread in threads:
            thread.join()
        sys.exit(any(statuses))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], timeout=60, check=False)
    assert done.returncode == 0

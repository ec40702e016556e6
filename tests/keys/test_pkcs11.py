"""Keys in a real PKCS#11 token, SoftHSM's: they sign, never leave, and survive what happens to tokens."""

from __future__ import annotations

import copy
import os
import pickle
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest

from securing.conftest import did_key_url, resolve_did_key
from softhsm import PIN, softhsm
from vcid.encoding.contexts import Contexts
from vcid.encoding.multikey import KeyType
from vcid.errors import Conflict, InvalidProof, Locked, Malformed, Unavailable, VcidError
from vcid.keys.pkcs11 import Pkcs11Signer, TokenKey
from vcid.keys.signing import LocalSigner
from vcid.securing.data_integrity import SUITES, ProofDemand, ProofOptions, add_proof, verify_proof

pkcs11 = pytest.importorskip("pkcs11", reason="the extra pkcs11 is not installed")

from pkcs11 import Attribute, ObjectClass, TokenFlag  # noqa: E402 - only where it is installed
from pkcs11.exceptions import AttributeSensitive, KeyUnextractable, PKCS11Error  # noqa: E402

from vcid.keys.pkcs11_module import _check_tries, access  # noqa: E402

CREDENTIAL = {
    "@context": ["https://www.w3.org/ns/credentials/v2"],
    "type": ["VerifiableCredential"],
    "issuer": "did:web:civil.example",
    "credentialSubject": {"id": "did:web:child.example"},
}
KINDS = [KeyType.ED25519, KeyType.P256, KeyType.P384, KeyType.P521]


@pytest.fixture(scope="module")
def hsm(tmp_path_factory):
    yield from softhsm(tmp_path_factory.mktemp("softhsm"))


@pytest.fixture
def place(hsm):
    """A name for a key in a token of its own."""
    return TokenKey(module=hsm.module, token=hsm.make_token(), label="issuer")


def private_keys(session):
    return list(session.get_objects({Attribute.CLASS: ObjectClass.PRIVATE_KEY}))


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_signs(kind, place):
    """A key made in the token signs, its public key checks it, and opening it again gives the same key."""
    made = Pkcs11Signer.generate(place, PIN, kind)
    assert made.public_key.key_type is kind
    signature = made.sign(b"a message")
    made.public_key.verify(signature, b"a message")
    with pytest.raises(InvalidProof):
        made.public_key.verify(signature, b"another message")
    assert Pkcs11Signer.open(place, PIN, public_key=made.public_key).public_key == made.public_key


@pytest.mark.parametrize("message", [b"", b"a", bytes(64), b"x" * 100_000], ids=len)
def test_messages_of_every_length_are_signed(message, place):
    """Empty and long ones too."""
    signer = Pkcs11Signer.generate(place, PIN)
    signer.public_key.verify(signer.sign(message), message)


@pytest.mark.parametrize(
    ("kind", "suite"),
    [
        (KeyType.ED25519, "eddsa-jcs-2022"),
        (KeyType.P256, "ecdsa-jcs-2019"),
        (KeyType.P384, "ecdsa-rdfc-2019"),
    ],
)
def test_a_credential_signed_in_hardware_verifies_anywhere(kind, suite, place):
    """Whoever verifies needs no hardware, and sees no difference; a changed claim fails."""
    signer = Pkcs11Signer.generate(place, PIN, kind)
    options = ProofOptions(verification_method=did_key_url(signer), cryptosuite=suite)
    secured = add_proof(CREDENTIAL, signer, options, contexts=Contexts.carried())
    demand = ProofDemand(suites=frozenset(SUITES), at=datetime(2025, 6, 1, tzinfo=UTC))
    ask = {"resolve": resolve_did_key, "demand": demand, "contexts": Contexts.carried()}
    assert verify_proof(secured, **ask).document == CREDENTIAL
    with pytest.raises(InvalidProof) as caught:
        verify_proof({**secured, "issuer": "did:web:other.example"}, **ask)
    assert caught.value.code == "bad-signature"


@pytest.mark.parametrize("kind", [KeyType.ED25519, KeyType.P256])
def test_a_private_key_never_leaves(kind, place):
    """It can't be read, nor wrapped for taking away, nor be made readable."""
    signer = Pkcs11Signer.generate(place, PIN, kind)
    assert signer.is_confined()
    with access(place.module) as module, module.writing(place.token, PIN) as session:
        [private] = private_keys(session)
        with pytest.raises(AttributeSensitive):
            private[Attribute.VALUE]
        wrapping = session.generate_key(pkcs11.KeyType.AES, 256)
        with pytest.raises(KeyUnextractable):
            wrapping.wrap_key(private, mechanism=pkcs11.Mechanism.AES_KEY_WRAP_PAD)
        for attribute, value in ((Attribute.EXTRACTABLE, True), (Attribute.SENSITIVE, False)):
            with pytest.raises(PKCS11Error):
                private[attribute] = value
    assert signer.is_confined()


def test_a_wrong_pin_is_tried_once(place):
    """Locked; the same PIN is refused from then on without asking the token, and the right one opens."""
    Pkcs11Signer.generate(place, PIN)
    fresh = TokenKey(module=place.module, token=place.token, label="issuer")
    with access(place.module) as module:
        module.restart()  # as a new process would find it
    with pytest.raises(Locked, match="not tried again: mind its counter") as caught:
        Pkcs11Signer.open(fresh, "another pin")
    assert "another pin" not in str(caught.value)
    for _ in range(3):
        with pytest.raises(Locked, match="refused this PIN before"):
            Pkcs11Signer.open(fresh, "another pin")
    signer = Pkcs11Signer.open(fresh, PIN)
    with pytest.raises(Locked, match=r"refused .* before|another PIN"):
        Pkcs11Signer.open(fresh, "another pin")
    signer.sign(b"a message")


def test_a_login_of_this_process_opens_nothing_for_a_wrong_pin(place):
    """PKCS#11 logs in a process, not a caller: whoever comes later has to know the PIN all the same."""
    Pkcs11Signer.generate(place, PIN)
    with pytest.raises(Locked, match="another PIN"):
        Pkcs11Signer.open(place, "wrong")


@pytest.mark.parametrize("flag", [TokenFlag.USER_PIN_FINAL_TRY, TokenFlag.USER_PIN_LOCKED])
def test_a_tokens_last_try_is_left_to_people(flag):
    """A service that restarts again and again with a wrong PIN stops before it locks the token for good."""
    _check_tries(SimpleNamespace(flags=TokenFlag.TOKEN_INITIALIZED))
    with pytest.raises(Locked, match="its own tool"):
        _check_tries(SimpleNamespace(flags=TokenFlag.TOKEN_INITIALIZED | flag))


def test_missing_keys_and_tokens_are_named(place):
    """A key that isn't there, a token that isn't, and a library that isn't each have their error."""
    Pkcs11Signer.generate(place, PIN)
    with pytest.raises(Conflict) as caught:
        Pkcs11Signer.open(TokenKey(module=place.module, token=place.token, label="other"), PIN)
    assert caught.value.code == "not-found"
    with pytest.raises(Unavailable) as caught:
        Pkcs11Signer.open(TokenKey(module=place.module, token="other", label="issuer"), PIN)
    assert caught.value.code == "token-not-present"
    for module in ("/nowhere/module.so", "/dev/null"):
        with pytest.raises(Unavailable) as caught:
            Pkcs11Signer.open(TokenKey(module=module, token="civil", label="issuer"), PIN)
        assert caught.value.code == "module-not-loaded"


def test_a_key_is_not_made_twice(place):
    """A label that is taken stays with its key."""
    before = Pkcs11Signer.generate(place, PIN)
    with pytest.raises(Conflict) as caught:
        Pkcs11Signer.generate(place, PIN)
    assert caught.value.code == "name-taken"
    assert Pkcs11Signer.open(place, PIN).public_key == before.public_key
    for kind in (KeyType.X25519, KeyType.ML_DSA_44):
        with pytest.raises(Malformed) as caught:
            Pkcs11Signer.generate(TokenKey(module=place.module, token=place.token, label="b"), PIN, kind)
        assert caught.value.code == "unsupported-key-type"


def test_two_keys_of_one_label_are_told_apart_by_their_ids(place):
    """The label alone is ambiguous, and nothing is guessed."""
    with_id = [
        TokenKey(module=place.module, token=place.token, label="issuer", key_id=bytes([number]))
        for number in (1, 2)
    ]
    signers = [Pkcs11Signer.generate(one, PIN) for one in with_id]
    with pytest.raises(Conflict) as caught:
        Pkcs11Signer.open(place, PIN)
    assert caught.value.code == "ambiguous"
    assert [Pkcs11Signer.open(one, PIN).public_key for one in with_id] == [one.public_key for one in signers]
    by_id = TokenKey(module=place.module, token=place.token, key_id=b"\2")
    assert Pkcs11Signer.open(by_id, PIN).public_key == signers[1].public_key


def test_two_tokens_of_one_label_are_ambiguous(hsm, place):
    """Which of them was meant can't be told."""
    Pkcs11Signer.generate(place, PIN)
    hsm.make_token(place.token)
    with access(place.module) as module:
        module.restart()
    with pytest.raises(Conflict) as caught:
        Pkcs11Signer.open(place, PIN)
    assert caught.value.code == "ambiguous"


def test_a_public_key_that_is_not_the_private_ones_is_found_out(place):
    """Another's public key beside the private key would have every credential refused: said at opening."""
    place = TokenKey(module=place.module, token=place.token, label="issuer", key_id=b"\1")
    Pkcs11Signer.generate(place, PIN)
    stray = LocalSigner.generate()
    with access(place.module) as module, module.writing(place.token, PIN) as session:
        [public] = session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY})
        template = {
            attribute: public[attribute]
            for attribute in (Attribute.CLASS, Attribute.KEY_TYPE, Attribute.EC_PARAMS, Attribute.ID)
        }
        public.destroy()
        point = b"\x04\x20" + stray.public_key.raw
        session.create_object({**template, Attribute.EC_POINT: point, Attribute.TOKEN: True})
    with pytest.raises(Locked, match="does not belong"):
        Pkcs11Signer.open(place, PIN)


def test_a_token_without_public_keys_needs_one_handed_in(place):
    """The one handed in is proven by a signature, like any other."""
    made = Pkcs11Signer.generate(place, PIN)
    with access(place.module) as module, module.writing(place.token, PIN) as session:
        for public in list(session.get_objects({Attribute.CLASS: ObjectClass.PUBLIC_KEY})):
            public.destroy()
    with pytest.raises(Conflict) as caught:
        Pkcs11Signer.open(place, PIN)
    assert caught.value.code == "not-found"
    Pkcs11Signer.open(place, PIN, public_key=made.public_key).sign(b"a message")
    with pytest.raises(Locked, match="does not belong"):
        Pkcs11Signer.open(place, PIN, public_key=LocalSigner.generate().public_key)


def test_the_key_that_was_expected_is_demanded(place):
    """A caller who knows the public key is told when the token holds another."""
    Pkcs11Signer.generate(place, PIN)
    with pytest.raises(Locked, match="expected"):
        Pkcs11Signer.open(place, PIN, public_key=LocalSigner.generate().public_key)


def test_a_signature_that_does_not_hold_never_leaves(place):
    """What a faulty module gives is checked here, as anybody would check it."""
    Pkcs11Signer.generate(place, PIN)
    wrong = Pkcs11Signer(place, PIN, LocalSigner.generate().public_key)
    with pytest.raises(Unavailable) as caught:
        wrong.sign(b"a message")
    assert caught.value.code == "faulty-signature"


def test_a_pulled_token_is_unavailable_and_comes_back(hsm, place):
    """While it is away nothing is signed; put back, the same signer goes on."""
    signer = Pkcs11Signer.generate(place, PIN)
    hsm.pull()
    try:
        for _ in range(2):
            with pytest.raises(Unavailable):
                signer.sign(b"a message")
    finally:
        hsm.put_back()
    signer.public_key.verify(signer.sign(b"a message"), b"a message")


def test_a_lost_session_is_opened_again(place):
    """The module was started anew beneath the signer: it logs in again and finds its key."""
    signer = Pkcs11Signer.generate(place, PIN)
    with access(place.module) as module:
        module._loaded().reinitialize()
    signer.sign(b"a message")


def test_threads_share_a_token(place):
    """Four threads with fifty signatures each, over two signers of one token: every one holds."""
    signers = [
        Pkcs11Signer.generate(TokenKey(module=place.module, token=place.token, label=kind), PIN, kind)
        for kind in (KeyType.ED25519, KeyType.P256)
    ]
    signed, failures = [], []

    def work(number):
        try:
            for count in range(50):
                message = f"{number} {count}".encode()
                signer = signers[count % 2]
                signer.public_key.verify(signer.sign(message), message)
                signed.append(message)
        except VcidError as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert len(set(signed)) == 200


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_signs_on_both_sides(place):
    """The child starts the library anew and logs in again; the parent goes on."""
    signer = Pkcs11Signer.generate(place, PIN)
    child = os.fork()
    if child == 0:
        ended = 1
        try:
            signer.public_key.verify(signer.sign(b"child"), b"child")
            Pkcs11Signer.open(place, PIN).sign(b"child")
            ended = 0
        finally:
            os._exit(ended)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    signer.public_key.verify(signer.sign(b"parent"), b"parent")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_amid_a_signature_finds_no_lock_held(place):
    """The parent's lock was held at the fork; the child's is its own."""
    signer = Pkcs11Signer.generate(place, PIN)
    with access(place.module):
        child = os.fork()
        if child == 0:
            ended = 1
            try:
                signer.sign(b"child")
                ended = 0
            finally:
                os._exit(ended)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_no_representation_shows_the_pin(place):
    """Neither repr nor attributes nor a pickle or copy carries it."""
    signer = Pkcs11Signer.generate(place, PIN)
    assert repr(signer) == f"<Pkcs11Signer {signer.public_key.multikey}>"
    assert PIN not in repr([getattr(signer, name) for name in Pkcs11Signer.__slots__])
    for attempt in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError, match="PIN"):
            attempt(signer)

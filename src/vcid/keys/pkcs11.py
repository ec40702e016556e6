"""Keys in hardware: signers whose private key lives in a PKCS#11 token and never leaves it.

OASIS PKCS #11 3.1 (extra ``pkcs11``): Ed25519 by CKM_EDDSA, and ECDSA over P-256, P-384 and P-521 by
CKM_ECDSA over a digest that is computed here, which every module offers. What comes back is checked like
anybody's signature before it is given out, so that a faulty one never leaves, and no fault attack profits.
"""

from __future__ import annotations

import hashlib
import secrets
from typing import TYPE_CHECKING, Any, Final, NoReturn

from vcid.encoding.multikey import KeyType
from vcid.errors import Conflict, InvalidProof, Locked, Malformed, Unavailable
from vcid.keys.pkcs11_place import TokenKey

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from pathlib import Path

    import pkcs11

    from vcid.keys.pkcs11_module import Module
    from vcid.keys.signing import PublicKey

__all__ = ["Pkcs11Signer", "TokenKey"]

_DIGESTS: Final = {KeyType.P256: hashlib.sha256, KeyType.P384: hashlib.sha384, KeyType.P521: hashlib.sha512}
_CHALLENGE: Final = b"vcid: does this key belong to its public key? "


class Pkcs11Signer:
    """A ``Signer`` over a key in a token: safe across threads and forks, one call of the module at a time.

    A session that was lost (the token was pulled and put back, the module restarted, the process forked) is
    opened again, with the PIN kept in memory for it, and the signature asked for once more.
    """

    __slots__ = ("_handle", "_pin", "_place", "_public_key")

    def __init__(self, place: TokenKey, pin: str, public_key: PublicKey) -> None:
        self._place = place
        # In a closure, where no listing of attributes shows it.
        self._pin: Callable[[], str] = lambda: pin
        self._public_key = public_key
        # The key as found in a session; another session has to find it again.
        self._handle: tuple[pkcs11.Session, Any] | None = None

    @classmethod
    def open(cls, place: TokenKey, pin: str, *, public_key: PublicKey | None = None) -> Pkcs11Signer:
        """Log in and find the key; one signature proves that it belongs to the public key.

        Args:
            place: the key.
            pin: the token's, for its normal user. A wrong one is tried once, since a few lock the token.
            public_key: the one it has to be. Needed where the token holds none beside the private key.

        Raises:
            Locked: the PIN is refused, or the private key is not that of the public key.
            Conflict: ``not-found`` or ``ambiguous``, of the key or token.
            Malformed: the key is of a kind that signs no credential.
            Unavailable: module or token can't be reached, or the extra ``pkcs11`` is not installed.
        """
        with _access(place.module) as module:
            from vcid.keys.pkcs11_objects import find_public_key

            found = module.patiently(lambda: find_public_key(module.session(place.token, pin), place))
        if found is not None and public_key is not None and found != public_key:
            raise Locked("the token's key is not the public key that was expected")
        signer = cls(place, pin, _chosen(found, public_key))
        signer._prove()
        return signer

    @classmethod
    def generate(cls, place: TokenKey, pin: str, key_type: KeyType = KeyType.ED25519) -> Pkcs11Signer:
        """Make a key in the token: sensitive, not extractable, for signing alone.

        Raises:
            Conflict: ``name-taken``: a key of this label or id is there.
            Malformed: the type is none that a token makes for credentials.
            Locked, Unavailable: as ``open`` does.
        """
        with _access(place.module) as module:
            from vcid.keys import pkcs11_objects

            if module.patiently(lambda: pkcs11_objects.search(module.session(place.token, pin), place)):
                raise Conflict("name-taken", "the token holds a private key of this label or id")
            with module.writing(place.token, pin) as session:
                pkcs11_objects.generate(session, place, key_type)
        return cls.open(place, pin)

    @property
    def public_key(self) -> PublicKey:
        """The key that checks this signer's signatures."""
        return self._public_key

    def sign(self, message: bytes) -> bytes:
        """Sign ``message`` in the token: 64 bytes for Ed25519, raw ``r ‖ s`` for the NIST curves.

        Raises:
            Locked: the token has to be opened again, and refuses the PIN.
            Conflict: the key is no longer there.
            Unavailable: the module or token is out of reach, or ``faulty-signature``: what it gave is none.
        """
        with _access(self._place.module) as module:
            signature = module.patiently(lambda: self._sign_once(module, message))
        try:
            self._public_key.verify(signature, message)
        except InvalidProof as error:
            raise Unavailable(
                "the hardware module gave a signature that does not hold", code="faulty-signature"
            ) from error
        return signature

    def is_confined(self) -> bool:
        """Ask the token whether the private key can never leave it in clear; raises as ``sign`` does."""
        with _access(self._place.module) as module:
            from vcid.keys.pkcs11_objects import is_confined

            return module.patiently(lambda: is_confined(self._private(module)))

    def _prove(self) -> None:
        try:
            self.sign(_CHALLENGE + secrets.token_bytes(32))
        except Unavailable as error:
            if error.code == "faulty-signature":
                raise Locked("the private key does not belong to the public key beside it") from error
            raise

    def _sign_once(self, module: Module, message: bytes) -> bytes:
        from pkcs11 import Mechanism

        from vcid.keys.pkcs11_objects import asks_each_time

        private = self._private(module)
        pin = self._pin() if asks_each_time(private) else None
        digest = _DIGESTS.get(self._public_key.key_type)
        if digest is None:
            return bytes(private.sign(message, mechanism=Mechanism.EDDSA, pin=pin))
        return bytes(private.sign(digest(message).digest(), mechanism=Mechanism.ECDSA, pin=pin))

    def _private(self, module: Module) -> Any:
        from vcid.keys.pkcs11_objects import find_private_key

        session = module.session(self._place.token, self._pin())
        if self._handle is None or self._handle[0] is not session:
            self._handle = session, find_private_key(session, self._place)
        return self._handle[1]

    def __repr__(self) -> str:
        return f"<Pkcs11Signer {self._public_key.multikey}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Pkcs11Signer holds a PIN: it is neither pickled nor copied; open it where needed")

    def __getstate__(self) -> NoReturn:
        self.__reduce__()


def _access(path: Path) -> AbstractContextManager[Module]:
    try:
        from vcid.keys.pkcs11_module import access
    except ImportError as error:
        raise Unavailable(
            "python-pkcs11 is not installed: pip install 'vcid[pkcs11]'", code="extra-missing"
        ) from error
    return access(path)


def _chosen(found: PublicKey | None, given: PublicKey | None) -> PublicKey:
    chosen = given if found is None else found
    if chosen is None:
        raise Conflict("not-found", "no public key beside the private one: hand it in as public_key")
    if chosen.key_type is not KeyType.ED25519 and chosen.key_type not in _DIGESTS:
        raise Malformed("unsupported-key-type", "a key of Ed25519, P-256, P-384 or P-521")
    return chosen

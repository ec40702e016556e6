"""A PKCS#11 library within this process: who may call it, who is logged in, and what its errors mean.

OASIS PKCS #11 3.1, "General-purpose functions" and "Session management functions". A library exists once in a
process, and so do its logins: they are the application's, not a session's. The binding starts it in the mode
that promises one caller at a time, so that every call is made under one lock. After a fork the child has to
start the library anew, and does so at its first call.

The binding is python-pkcs11 (MIT); PyKCS11 is under the GPL. Import this file where hardware is first met.
"""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from hmac import compare_digest
from threading import Lock
from typing import TYPE_CHECKING, Final, TypeVar

import pkcs11
from pkcs11 import exceptions

from vcid.errors import Conflict, Locked, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from pkcs11._pkcs11 import lib as Library  # noqa: N812 - a class

Answer = TypeVar("Answer")

REFUSED_PIN: Final = (
    exceptions.PinIncorrect,
    exceptions.PinInvalid,
    exceptions.PinLenRange,
    exceptions.PinTooWeak,
)
_NO_LOGIN: Final = (exceptions.PinLocked, exceptions.PinExpired, exceptions.UserPinNotInitialized)


class Module:
    """One library in one process. All its methods are called while ``lock`` is held.

    Attributes:
        lock: who holds it may call the library.
    """

    def __init__(self, path: Path, refused: set[tuple[str, bytes]], *, forked: bool) -> None:
        self.lock = Lock()
        self._path = path
        # PINs that a token refused are not tried again in this process: a few tries lock a token for good.
        self._refused = refused
        self._logins: dict[str, tuple[bytes, pkcs11.Session]] = {}
        self._library: Library | None = None
        self._forked = forked

    def session(self, token: str, pin: str) -> pkcs11.Session:
        """Give the session with a token, logged in; the same one until it is forgotten.

        Raises:
            Locked: the PIN is wrong or was refused before, or the token asks for care.
            Conflict: ``ambiguous``: several tokens have this label.
            Unavailable: ``token-not-present``.
        """
        secret = pin.encode()
        if token in self._logins:
            known, session = self._logins[token]
            if not compare_digest(known, secret):
                raise Locked("this process is logged in to the token with another PIN")
            return session
        if (token, secret) in self._refused:
            raise Locked("the token refused this PIN before: it is not tried again in this process")
        found = self._find(token)
        _check_tries(found)
        try:
            session = found.open(user_pin=pin)
        except REFUSED_PIN as error:
            self._refused.add((token, secret))
            raise Locked("the token refused the PIN, and it was not tried again: mind its counter") from error
        except _NO_LOGIN as error:
            raise Locked("the token's PIN is locked, expired or not set: see its own tool") from error
        self._logins[token] = secret, session
        return session

    @contextmanager
    def writing(self, token: str, pin: str) -> Iterator[pkcs11.Session]:
        """Give a session that may write to the token, for the block; raises as ``session`` does."""
        self.session(token, pin)
        session = self._find(token).open(rw=True)
        try:
            yield session
        finally:
            session.close()

    def patiently(self, action: Callable[[], Answer]) -> Answer:
        """Do something with the library, and where it fails start the library anew and do it once more.

        Raises:
            Locked, Conflict: at once: neither gets better by a second try.
            Unavailable, PKCS11Error: the second time.
        """
        try:
            return action()
        except REFUSED_PIN as error:
            raise Locked("the token refused the PIN, and it was not tried again: mind its counter") from error
        except (exceptions.PKCS11Error, Unavailable):
            self.restart()
            return action()

    def restart(self) -> None:
        """Start the library anew: sessions and logins of before are gone, tokens are looked for again."""
        self._logins.clear()
        library = self._loaded()
        with suppress(exceptions.PKCS11Error):  # the child of a fork may have nothing to finalize
            library.finalize()
        library.initialize()

    def _find(self, token: str) -> pkcs11.Token:
        try:
            return self._loaded().get_token(token_label=token)
        except exceptions.NoSuchToken as error:
            raise Unavailable("no token of this label is present", code="token-not-present") from error
        except exceptions.MultipleTokensReturned as error:
            raise Conflict("ambiguous", "several tokens have this label: give each its own") from error

    def _loaded(self) -> Library:
        if self._library is None:
            try:
                self._library = pkcs11.lib(str(self._path))
            except exceptions.PKCS11Error as error:
                raise Unavailable(
                    "the PKCS#11 module can't be loaded: name the maker's library by its path",
                    code="module-not-loaded",
                ) from error
            if self._forked:
                self._forked = False
                self.restart()
        return self._library


# The one table by process: a library knows no second caller, so two of these for it would call it at once.
_modules: Final[dict[tuple[str, int], Module]] = {}
_refused: Final[dict[str, set[tuple[str, bytes]]]] = {}


def module_at(path: Path) -> Module:
    """Give this process's one ``Module`` of a library."""
    name, process = os.path.realpath(path), os.getpid()
    module = _modules.get((name, process))
    if module is not None:
        return module
    forked = any(known == name for known, _ in list(_modules))
    refused = _refused.setdefault(name, set())
    return _modules.setdefault((name, process), Module(path, refused, forked=forked))


@contextmanager
def access(path: Path) -> Iterator[Module]:
    """Hold the lock on a library for the block, and raise its errors as ours.

    Raises:
        Unavailable: ``module-failed``: an error that means nothing better than out of order.
    """
    module = module_at(path)
    with module.lock:
        try:
            yield module
        except exceptions.PKCS11Error as error:
            kind = type(error).__name__
            raise Unavailable(
                f"the hardware module is out of order ({kind})", code="module-failed"
            ) from error


def _check_tries(token: pkcs11.Token) -> None:
    if token.flags & pkcs11.TokenFlag.USER_PIN_FINAL_TRY:
        raise Locked("the token has one try at its PIN left: log in once with its own tool, to be sure of it")
    if token.flags & pkcs11.TokenFlag.USER_PIN_LOCKED:
        raise Locked("the token's PIN is locked: see its own tool")

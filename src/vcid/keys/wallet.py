"""Many keys in one file under one passphrase: the registry's own signers, and sealed keys of children.

Argon2id runs once when a wallet is opened, not once a key. The file holds no name in clear. Writers take
turns under a file lock and read the file again before they change it, so that two processes that add keys at
the same time lose none; where both choose the same name, the second is told.
"""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import decode_multibase, encode_multibase
from vcid.errors import Conflict, LimitExceeded, Locked, Malformed
from vcid.keys import encrypted_file, private_files
from vcid.keys.custody import SealedKey
from vcid.keys.encrypted_file import FileKey
from vcid.keys.signing import PublicKey, matching_signer

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.encrypted_file import Argon2Cost
    from vcid.keys.signing import LocalSigner

WALLET_KIND = "wallet"
MAX_NAME_CHARS = 200

# JSON and the encoding of the container leave this much of the file for what is encrypted.
_MAX_CONTENT_BYTES = private_files.MAX_FILE_BYTES // 4 * 3 - 4096


@dataclass(frozen=True, slots=True)
class _Contents:
    """What a wallet holds, as JSON by name: keys are validated when asked for, so that opening is quick."""

    keys: JsonObject = field(repr=False)
    sealed: JsonObject = field(repr=False)


class Wallet:
    """A file of keys, opened. Threads may share it: what it holds is replaced whole, never changed."""

    __slots__ = ("_contents", "_file_key", "_path")

    def __init__(self, path: str | Path, file_key: FileKey, contents: _Contents) -> None:
        self._path = Path(path)
        self._file_key = file_key
        self._contents = contents

    @classmethod
    def create(cls, path: str | Path, passphrase: str, *, cost: Argon2Cost | None = None) -> Wallet:
        """Write a new, empty wallet of mode 0600.

        Raises:
            Conflict: ``file-exists``.
            Unavailable: the file can't be written.
        """
        wallet = cls(path, FileKey.create(passphrase, cost), _Contents({}, {}))
        private_files.write(Path(path), _seal(wallet._contents, wallet._file_key))
        return wallet

    @classmethod
    def open(cls, path: str | Path, passphrase: str) -> Wallet:
        """Open a wallet.

        Raises:
            Locked: the passphrase is wrong, the file was altered, or others may read it.
            Malformed: the file is no wallet.
            Unavailable: the file can't be read.
        """
        stored = encrypted_file.parse(private_files.read(Path(path)), kind=WALLET_KIND)
        file_key = FileKey.derive(passphrase, stored.salt, stored.cost)
        return cls(path, file_key, _read_contents(stored.decrypt(file_key)))

    def names(self) -> tuple[str, ...]:
        """Give the names of the keys, sorted."""
        return tuple(sorted(self._contents.keys))

    def sealed_names(self) -> tuple[str, ...]:
        """Give the names of the sealed keys, sorted."""
        return tuple(sorted(self._contents.sealed))

    def signer(self, name: str) -> LocalSigner:
        """Give the signer of that name.

        Raises:
            Conflict: ``not-found``; another process may have added it since: see ``refresh``.
        """
        entry = _object(_entry(self._contents.keys, name))
        public_key = PublicKey.from_multikey(_text(entry.get("publicKeyMultibase")))
        return matching_signer(public_key, decode_multibase(_text(entry.get("privateKey")), bases="u"))

    def sealed(self, name: str) -> SealedKey:
        """Give the sealed key of that name.

        Raises:
            Conflict: ``not-found``.
        """
        return SealedKey.from_json(_object(_entry(self._contents.sealed, name)))

    def add(self, name: str, signer: LocalSigner) -> None:
        """Add one key and save. For many, ``editing`` saves once.

        Raises:
            Conflict: ``name-taken``.
            Unavailable: the file can't be written, or another process keeps it.
        """
        with self.editing() as edit:
            edit.add(name, signer)

    def add_sealed(self, name: str, sealed: SealedKey) -> None:
        """Add one sealed key and save.

        Raises:
            Conflict: ``name-taken``.
            Unavailable: the file can't be written, or another process keeps it.
        """
        with self.editing() as edit:
            edit.add_sealed(name, sealed)

    @contextmanager
    def editing(self) -> Iterator[WalletEdit]:
        """Collect changes and save them together when the block ends; an error in it saves nothing.

        The block works on the file as it is now, other processes' changes included, and keeps other writers
        waiting: prepare keys before it. Blocks don't nest.

        Raises:
            Unavailable: the file can't be written, or another process keeps it.
            Locked: the wallet's passphrase was changed since it was opened.
        """
        with private_files.locked(self._path):
            self.refresh()
            edit = WalletEdit(self._contents)
            yield edit
            private_files.write(self._path, _seal(edit.contents, self._file_key), overwrite=True)
            self._contents = edit.contents

    def refresh(self) -> None:
        """Read the file again, for what other processes have written since.

        Raises:
            Locked: the wallet's passphrase was changed since it was opened, or the file was altered.
            Unavailable: the file can't be read.
        """
        stored = encrypted_file.parse(private_files.read(self._path), kind=WALLET_KIND)
        if stored.salt != self._file_key.salt:
            raise Locked("the wallet's passphrase was changed since it was opened: open it again")
        self._contents = _read_contents(stored.decrypt(self._file_key))

    def change_passphrase(self, passphrase: str, *, cost: Argon2Cost | None = None) -> None:
        """Encrypt the wallet anew. Old copies of the file still open with the old passphrase.

        Raises:
            Unavailable: the file can't be written, or another process keeps it.
        """
        file_key = FileKey.create(passphrase, cost or self._file_key.cost)
        with private_files.locked(self._path):
            self.refresh()
            private_files.write(self._path, _seal(self._contents, file_key), overwrite=True)
            self._file_key = file_key

    def __repr__(self) -> str:
        return f"<Wallet of {len(self._contents.keys)} keys, {len(self._contents.sealed)} sealed>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a Wallet holds private keys: it is neither pickled nor copied; open it where needed")

    def __getstate__(self) -> NoReturn:
        self.__reduce__()


class WalletEdit:
    """Changes to a wallet that are saved together. See ``Wallet.editing``."""

    __slots__ = ("contents",)

    def __init__(self, contents: _Contents) -> None:
        self.contents = _Contents(dict(contents.keys), dict(contents.sealed))

    def add(self, name: str, signer: LocalSigner) -> None:
        """Add a key.

        Raises:
            Conflict: ``name-taken``.
            ValueError: the name is empty, too long or holds control characters.
        """
        _put(
            self.contents.keys,
            name,
            {
                "publicKeyMultibase": signer.public_key.multikey,
                "privateKey": encode_multibase(signer.private_bytes(), "u"),
            },
        )

    def add_sealed(self, name: str, sealed: SealedKey) -> None:
        """Add a sealed key; raises as ``add`` does."""
        _put(self.contents.sealed, name, sealed.to_json())

    def remove(self, name: str) -> None:
        """Take out a key for good.

        Raises:
            Conflict: ``not-found``.
        """
        _entry(self.contents.keys, name)
        del self.contents.keys[name]

    def remove_sealed(self, name: str) -> None:
        """Take out a sealed key for good; raises as ``remove`` does."""
        _entry(self.contents.sealed, name)
        del self.contents.sealed[name]


def _put(entries: JsonObject, name: str, entry: JsonObject) -> None:
    if not 0 < len(name) <= MAX_NAME_CHARS or not name.isprintable():
        raise ValueError(f"a name has 1 to {MAX_NAME_CHARS} printable characters")
    if name in entries:
        raise Conflict("name-taken", "the wallet holds another key under this name")
    entries[name] = entry


def _entry(entries: Mapping[str, JSON], name: str) -> JSON:
    if name not in entries:
        raise Conflict("not-found", "the wallet holds nothing under this name")
    return entries[name]


def _seal(contents: _Contents, file_key: FileKey) -> bytes:
    content = canonicalize({"keys": contents.keys, "sealed": contents.sealed})
    if len(content) > _MAX_CONTENT_BYTES:
        raise LimitExceeded("wallet-full", f"a wallet of at most {_MAX_CONTENT_BYTES} bytes: begin another")
    return encrypted_file.encrypt(content, file_key, kind=WALLET_KIND, public={})


def _read_contents(content: bytes) -> _Contents:
    record = parse_object(content, max_bytes=_MAX_CONTENT_BYTES)
    if record.keys() != {"keys", "sealed"}:
        raise Malformed("wallet", "keys and sealed")
    return _Contents(_object(record["keys"]), _object(record["sealed"]))


def _object(value: JSON) -> JsonObject:
    if not isinstance(value, dict):
        raise Malformed("wallet", "an object")
    return value


def _text(value: JSON) -> str:
    if not isinstance(value, str):
        raise Malformed("wallet", "a text")
    return value

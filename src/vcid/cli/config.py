"""``vcid.toml``: where an authority or a verifier keeps its parts, so that no command needs four paths.

    [issuer]                                   an authority that issues
    did = "did:web:civil.example"
    key = "keys.json#issuer"                   a wallet and a name in it, or a file of one key
    registry = "sqlite:///registry.db"
    status_url = "https://civil.example/status"   optional; by default /status at the did:web's host
    jurisdiction = "KE"                        optional; whose register a table of births is

    [ledger]                                   where it anchors; every [issuer] needs one
    url = "sqlite:///ledger.db"
    origin = "civil.example/log"
    key = "keys.json#ledger"
    witnesses = "witnesses.policy"             optional: others' witnesses to ask, the witness lines of a
                                               tlog-policy with URLs; those of its group "replaying" replay

    [witness]                                  who cosigns and gives the time; optional
    name = "civil.example/witness"
    url = "sqlite:///witness.db"
    key = "keys.json#witness"
    logs = "logs.policy"                       the logs that `vcid witness serve` cosigns
    plain_name = "civil.example/plain"         optional: a plain C2SP witness beside it, with plain_url and
    plain_url = "sqlite:///plain.db"           plain_key
    plain_key = "keys.json#plain"

    [verifier]                                 what `vcid verify` goes by
    policy = "policy.json"
    knowledge = "knowledge"
    views = "sqlite:///views.db"

    [server]                                   what `vcid serve` signs with; a profile for each key
    did = "did:web:civil.example"              optional; by default each key's own did:key
    ed25519_key = "keys.json#server"           for the profiles of Ed25519; so p256_key and p384_key
    registry = "sqlite:///served.db"           for the profile "status", with status_url
    status_url = "https://civil.example/served"

A key in hardware is named by a PKCS#11 URI, without its PIN:

    key = "pkcs11:token=civil;object=issuer?module-path=/usr/lib/softhsm/libsofthsm2.so&pin-source=file:pin"

The PIN is the first line of the file that pin-source names, or VCID_PIN, or the answer to a question.

Paths are relative to the folder in which the file stands. TOML 1.0; what the table above doesn't name is a
fault, and all faults are reported at once.
"""

from __future__ import annotations

from dataclasses import MISSING, dataclass, fields
from typing import TYPE_CHECKING, Any, Final

from vcid.errors import FieldError, InvalidRecord, LimitExceeded, Malformed, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from vcid.keys.pkcs11_place import TokenKey

    Reader = Callable[[str, Path], object]

FILE_NAME: Final = "vcid.toml"
MAX_BYTES: Final = 64 * 1024

_STORE: Final = "sqlite:///"
_SERVER: Final = "postgresql://"
_NEEDED: Final = "a section [{}], which this command is for"


@dataclass(frozen=True, slots=True)
class Store:
    """Where a store is kept: in a file, or on a PostgreSQL server.

    Attributes:
        url: the URL by which it is opened.
        path: the file; ``None`` for a server.
    """

    url: str
    path: Path | None = None

    @property
    def missing(self) -> str | None:
        """The name of the file that is not there, if one should be."""
        return self.path.name if self.path is not None and not self.path.is_file() else None


@dataclass(frozen=True, slots=True)
class KeyPlace:
    """Where a key rests: a wallet and the key's name in it, or without a name a file of one key."""

    path: Path
    name: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuerSection:
    """Who issues, with which key, and from which registry."""

    did: str
    key: KeyPlace | TokenKey
    registry: Store
    status_url: str | None = None
    jurisdiction: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerSection:
    """The log in which the issuer anchors."""

    url: Store
    origin: str
    key: KeyPlace | TokenKey
    witnesses: Path | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WitnessSection:
    """The witness that cosigns the checkpoints of the log in this folder, or as a service those of others."""

    name: str
    url: Store
    key: KeyPlace | TokenKey
    logs: Path | None = None
    plain_name: str | None = None
    plain_url: Store | None = None
    plain_key: KeyPlace | TokenKey | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifierSection:
    """What a verifier demands, what it knows, and what it remembers of the logs."""

    policy: Path
    knowledge: Path
    views: Store


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSection:
    """What the HTTP service signs with, and where it keeps the statuses of what it signs."""

    did: str | None = None
    ed25519_key: KeyPlace | TokenKey | None = None
    p256_key: KeyPlace | TokenKey | None = None
    p384_key: KeyPlace | TokenKey | None = None
    registry: Store | None = None
    status_url: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A ``vcid.toml``, read.

    Attributes:
        path: the file.
        issuer: the section [issuer], if there is one; so for the others.
    """

    path: Path
    issuer: IssuerSection | None = None
    ledger: LedgerSection | None = None
    witness: WitnessSection | None = None
    verifier: VerifierSection | None = None
    server: ServerSection | None = None

    @classmethod
    def load(cls, path: Path) -> Config:
        """Read the file.

        Raises:
            Unavailable: it can't be read.
            Malformed: it is no TOML.
            InvalidRecord: it says something else than it may; all faults are listed.
        """
        try:
            with path.open("rb") as file:
                content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise Unavailable(
                f"{error.strerror}: run `vcid init`, or name the file by --config or VCID_CONFIG"
            ) from error
        return cls.parse(content, path=path.absolute())

    @classmethod
    def parse(cls, content: bytes, *, path: Path) -> Config:
        """Read the file's content; raises as ``load`` does."""
        tables = _parse_toml(content)
        faults: list[FieldError] = []
        sections: dict[str, Any] = {}
        for name, table in tables.items():
            if name in _SECTIONS:
                sections[name] = _read_section(name, table, path.parent, faults)
            else:
                known = ", ".join(f"[{section}]" for section in _SECTIONS)
                faults.append(FieldError(f"/{_shown(name)}", "unknown-section", f"one of {known}"))
        faults += _contradictions(tables)
        if faults:
            raise InvalidRecord(faults)
        return cls(path=path, **sections)

    def issuing(self) -> tuple[IssuerSection, LedgerSection]:
        """Give the sections that every issuing command needs.

        Raises:
            InvalidRecord: they are not there.
        """
        if self.issuer is None or self.ledger is None:
            raise InvalidRecord([FieldError("/issuer", "required", _NEEDED.format("issuer"))])
        return self.issuer, self.ledger

    def verifying(self) -> VerifierSection:
        """Give the section that ``vcid verify`` needs.

        Raises:
            InvalidRecord: it is not there.
        """
        if self.verifier is None:
            raise InvalidRecord([FieldError("/verifier", "required", _NEEDED.format("verifier"))])
        return self.verifier

    def serving(self) -> ServerSection:
        """Give the section that ``vcid serve`` needs.

        Raises:
            InvalidRecord: it is not there.
        """
        if self.server is None:
            raise InvalidRecord([FieldError("/server", "required", _NEEDED.format("server"))])
        return self.server


def _parse_toml(content: bytes) -> dict[str, Any]:
    import tomllib

    if len(content) > MAX_BYTES:
        raise LimitExceeded("too-large", f"a file of at most {MAX_BYTES} bytes")
    try:
        return tomllib.loads(content.decode())
    except UnicodeDecodeError as error:
        raise Malformed("toml", "TOML in UTF-8", where=f"byte {error.start}") from error
    except RecursionError as error:
        raise LimitExceeded("too-deep", "sections with values, and nothing nested") from error
    except ValueError as error:
        # The parser's own message ends in the place; what stands before may quote the file.
        _, found, place = str(error).rpartition("(at ")
        raise Malformed("toml", "TOML 1.0", where=place.rstrip(")") if found else "") from error


def _read_section(name: str, table: object, folder: Path, faults: list[FieldError]) -> object:
    """Read one section; None where it has faults, which are noted."""
    kind, readers = _SECTIONS[name]
    if not isinstance(table, dict):
        faults.append(FieldError(f"/{name}", "wrong-type", f"a section [{name}]"))
        return None
    before = len(faults)
    required = {field.name for field in fields(kind) if field.default is MISSING}
    faults.extend(
        FieldError(f"/{name}/{missing}", "required", "this key")
        for missing in sorted(required - table.keys())
    )
    values: dict[str, Any] = {}
    for key, value in table.items():
        here = f"/{name}/{_shown(key)}"
        if key not in readers:
            faults.append(FieldError(here, "unknown-key", f"one of {', '.join(readers)}"))
        elif not isinstance(value, str):
            faults.append(FieldError(here, "wrong-type", "text in quotes"))
        else:
            try:
                values[key] = readers[key](value, folder)
            except ValueError as error:
                faults.append(FieldError(here, "wrong-form", str(error)))
    return kind(**values) if len(faults) == before else None


def _contradictions(tables: Mapping[str, Any]) -> Iterator[FieldError]:
    """What each section leaves to be said by another, or by another of its keys."""
    issuer, ledger = tables.get("issuer"), tables.get("ledger")
    if issuer is not None and ledger is None:
        yield FieldError("/ledger", "required", "a section [ledger] beside [issuer]")
    witness = tables.get("witness")
    if isinstance(witness, dict):
        if ledger is None and "logs" not in witness:
            yield FieldError("/ledger", "required", "a section [ledger] beside [witness], or logs in it")
        if len({"plain_name", "plain_url", "plain_key"} & witness.keys()) not in (0, 3):
            yield FieldError("/witness", "required", "plain_name, plain_url and plain_key, or none of them")
    server = tables.get("server")
    if isinstance(server, dict) and ("registry" in server) != ("status_url" in server):
        yield FieldError("/server", "required", "both registry and status_url, or neither")
    if isinstance(issuer, dict):
        did = issuer.get("did")
        if isinstance(did, str) and not did.startswith("did:web:") and "status_url" not in issuer:
            yield FieldError("/issuer/status_url", "required", "this key, for a DID that is no did:web")


def _shown(key: str) -> str:
    """A key as it may stand in a message."""
    return key if key.isprintable() and len(key) <= 40 else "?"


def _read_text(text: str, _folder: Path) -> str:
    if not text.strip() or not text.isprintable():
        raise ValueError("printable text that is not empty")
    return text


def _read_name(text: str, folder: Path) -> str:
    from vcid.ledger.notes import check_name

    try:
        return check_name(_read_text(text, folder))
    except Malformed as error:
        raise ValueError(error.expected) from error


def _read_path(text: str, folder: Path) -> Path:
    if not text.strip() or "\0" in text:
        raise ValueError("a path")
    return folder / text


def _read_store(text: str, folder: Path) -> Store:
    if text.startswith(_SERVER):
        return Store(text)
    if not text.startswith(_STORE) or len(text) == len(_STORE):
        raise ValueError("sqlite:/// and a path, such as sqlite:///registry.db, or postgresql://…")
    path = _read_path(text.removeprefix(_STORE), folder)
    return Store(f"{_STORE}{path}", path)


def read_key_place(text: str, folder: Path) -> KeyPlace | TokenKey:
    """Read where a key rests: a file, a wallet and a name in it, or a token.

    Raises:
        ValueError: it is none of these; the message says what is expected.
    """
    if text.startswith("pkcs11:"):
        return _read_token_key(text, folder)
    wallet, separator, name = text.rpartition("#")
    if not separator:
        return KeyPlace(_read_path(text, folder))
    if not wallet or not name:
        raise ValueError("a wallet and a name in it, such as keys.json#issuer, or a key file")
    return KeyPlace(_read_path(wallet, folder), name)


def _read_token_key(text: str, folder: Path) -> TokenKey:
    from vcid.keys.pkcs11_place import TokenKey

    try:
        return TokenKey.parse(text, folder=folder)
    except Malformed as error:
        raise ValueError(error.expected) from error


def _read_did(text: str, _folder: Path) -> str:
    from vcid.dids.urls import parse_did
    from vcid.errors import ResolutionFailed

    try:
        return parse_did(text).did
    except ResolutionFailed as error:
        raise ValueError("a DID, such as did:web:civil.example") from error


def _read_url(text: str, folder: Path) -> str:
    if not text.startswith("https://") or not _read_text(text, folder).removeprefix("https://"):
        raise ValueError("a URL that begins with https://")
    return text.rstrip("/")


def _read_jurisdiction(text: str, _folder: Path) -> str:
    from vcid.credentials.codes import is_jurisdiction

    if not is_jurisdiction(text):
        raise ValueError("a country of ISO 3166-1 or a subdivision, such as ET or ET-AA")
    return text


_SECTIONS: Final[Mapping[str, tuple[type, Mapping[str, Reader]]]] = {
    "issuer": (
        IssuerSection,
        {
            "did": _read_did,
            "key": read_key_place,
            "registry": _read_store,
            "status_url": _read_url,
            "jurisdiction": _read_jurisdiction,
        },
    ),
    "ledger": (
        LedgerSection,
        {"url": _read_store, "origin": _read_name, "key": read_key_place, "witnesses": _read_path},
    ),
    "witness": (
        WitnessSection,
        {
            "name": _read_name,
            "url": _read_store,
            "key": read_key_place,
            "logs": _read_path,
            "plain_name": _read_name,
            "plain_url": _read_store,
            "plain_key": read_key_place,
        },
    ),
    "verifier": (VerifierSection, {"policy": _read_path, "knowledge": _read_path, "views": _read_store}),
    "server": (
        ServerSection,
        {
            "did": _read_did,
            "ed25519_key": read_key_place,
            "p256_key": read_key_place,
            "p384_key": read_key_place,
            "registry": _read_store,
            "status_url": _read_url,
        },
    ),
}


def write_toml(sections: Mapping[str, Mapping[str, str]]) -> bytes:
    """Write sections of text, as ``parse`` reads them.

    Raises:
        ValueError: a text has no form in UTF-8.
    """
    lines: list[str] = []
    for name, values in sections.items():
        lines += [f"[{name}]", *(f"{key} = {_quote(value)}" for key, value in values.items()), ""]
    return "\n".join(lines).encode()


def _quote(text: str) -> str:
    """A basic string of TOML; JSON's escapes are a part of TOML's, which asks for DEL's too."""
    import json

    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")

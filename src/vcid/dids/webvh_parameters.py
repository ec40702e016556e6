"""The parameters of a did:webvh log: what each entry may set, and what holds after it.

Follows did:webvh 1.0, section "did:webvh DID Method Parameters". Nothing unknown is passed over: a member,
value or method version that the section does not name makes the entry invalid. ``null``, deprecated there but
to be accepted, stands for the default of the five parameters for which it was once used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final, TypedDict

from vcid.encoding.multikey import KeyType, decode_multikey
from vcid.errors import InvalidProof, LimitExceeded, Malformed

if TYPE_CHECKING:
    from vcid.encoding.json import JSON, JsonObject

METHOD: Final = "did:webvh:1.0"
DEFAULT_TTL: Final = 3600
MAX_ITEMS: Final = 100
"""The most update keys, key hashes, witnesses or watchers in one entry."""

_MAX_TTL: Final = 2**31
_MAX_HASH_CHARS: Final = 128
_SCID: Final = re.compile(r"Qm[1-9A-HJ-NP-Za-km-z]{44}")
_WATCHER: Final = re.compile(r"https?://[A-Za-z0-9.\[\]:-]+(?:[/?][\x21-\x7e]{0,1024})?")
_KNOWN: Final = frozenset(
    {
        "method",
        "scid",
        "updateKeys",
        "nextKeyHashes",
        "witness",
        "watchers",
        "portable",
        "deactivated",
        "ttl",
    }
)
_ONCE_NULL: Final[JsonObject] = {
    "updateKeys": [],
    "nextKeyHashes": [],
    "witness": {},
    "watchers": [],
    "ttl": DEFAULT_TTL,
}
_WHERE: Final = "/parameters"


def is_scid(text: str) -> bool:
    """Tell whether the text can be a self-certifying identifier or an entry hash: SHA-256 as a multihash."""
    return _SCID.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class WitnessRule:
    """Who must approve an entry (section "The witness Parameter").

    Attributes:
        threshold: how many different witnesses.
        witnesses: their Multikeys, all Ed25519.
    """

    threshold: int
    witnesses: tuple[str, ...]

    def to_json(self) -> JsonObject:
        """Write the value of the ``witness`` parameter."""
        witnesses: list[JSON] = [{"id": f"did:key:{key}"} for key in self.witnesses]
        return {"threshold": self.threshold, "witnesses": witnesses}


class _Values(TypedDict, total=False):
    """The members that an entry sets, by the names that `Parameters` has for them."""

    update_keys: tuple[str, ...]
    next_key_hashes: tuple[str, ...]
    witness: WitnessRule | None
    watchers: tuple[str, ...]
    portable: bool
    deactivated: bool
    ttl: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameters:
    """The parameters that hold after an entry.

    Attributes:
        scid: the self-certifying identifier.
        update_keys: the Multikeys that may sign; Ed25519, as the one suite of version 1.0 demands.
        next_key_hashes: the hashes that the next update keys are bound to; empty without pre-rotation.
        witness: who must approve; None where nobody has to.
        watchers: URLs of those who keep copies.
        portable: whether the DID may move to another host or path.
        deactivated: whether the DID has ended.
        ttl: for how many seconds a resolver may keep the document.
    """

    scid: str
    update_keys: tuple[str, ...]
    next_key_hashes: tuple[str, ...] = ()
    witness: WitnessRule | None = None
    watchers: tuple[str, ...] = ()
    portable: bool = False
    deactivated: bool = False
    ttl: int = DEFAULT_TTL

    @classmethod
    def first(cls, content: JSON) -> Parameters:
        """Read the parameters of a first entry, where all of them take effect at once.

        Raises:
            Malformed: a member is missing, unknown or of the wrong form.
        """
        members = _read_members(content)
        for name in ("method", "scid", "updateKeys"):
            if name not in members:
                raise Malformed("parameter-missing", "a parameter of the first entry", where=_at(name))
        scid = members["scid"]
        if not isinstance(scid, str) or not is_scid(scid):
            raise Malformed("scid", "a SHA-256 multihash in base58btc", where=_at("scid"))
        return replace(cls(scid=scid, update_keys=()), **_read_values(members))

    def updated(self, content: JSON) -> Parameters:
        """Read the parameters of a later entry on top of these.

        Raises:
            Malformed: a member is unknown, of the wrong form, or not permitted any more.
            InvalidProof: ``pre-rotation``: the entry breaks what the one before bound it to.
        """
        members = _read_members(content)
        if "scid" in members:
            raise Malformed("scid-again", "a scid in the first entry only", where=_at("scid"))
        if members.get("portable") is True:
            raise Malformed("portable-late", "portable: true in the first entry only", where=_at("portable"))
        if self.next_key_hashes:
            for name in ("updateKeys", "nextKeyHashes"):
                if name not in members:
                    raise InvalidProof("pre-rotation", f"{name} is stated anew while pre-rotation is active")
        return replace(self, **_read_values(members))


def _at(name: str) -> str:
    return f"{_WHERE}/{name}"


def _read_members(content: JSON) -> JsonObject:
    if not isinstance(content, dict):
        raise Malformed("parameters", "an object", where=_WHERE)
    if not content.keys() <= _KNOWN:
        raise Malformed("parameter-unknown", f"parameters of {METHOD} only", where=_WHERE)
    members = {
        name: _ONCE_NULL[name] if value is None and name in _ONCE_NULL else value
        for name, value in content.items()
    }
    if "method" in members and members["method"] != METHOD:
        raise Malformed("method-version", METHOD, where=_at("method"))
    return members


def _read_values(members: JsonObject) -> _Values:
    values: _Values = {}
    if "updateKeys" in members:
        values["update_keys"] = tuple(_check_key(text) for text in _texts(members, "updateKeys"))
    if "nextKeyHashes" in members:
        values["next_key_hashes"] = tuple(_check_hash(text) for text in _texts(members, "nextKeyHashes"))
    if "witness" in members:
        values["witness"] = _read_witness(members["witness"])
    if "watchers" in members:
        values["watchers"] = tuple(_check_watcher(text) for text in _texts(members, "watchers"))
    if "portable" in members:
        values["portable"] = _flag(members, "portable")
    if "deactivated" in members:
        values["deactivated"] = _flag(members, "deactivated")
    if "ttl" in members:
        values["ttl"] = _count(members["ttl"], _at("ttl"), least=0, most=_MAX_TTL)
    return values


def _texts(members: JsonObject, name: str) -> list[str]:
    value = members[name]
    if not isinstance(value, list):
        raise Malformed("parameter-type", "a list of texts", where=_at(name))
    if len(value) > MAX_ITEMS:
        raise LimitExceeded("too-many", f"at most {MAX_ITEMS} entries", where=_at(name))
    texts = [item for item in value if isinstance(item, str)]
    if len(texts) != len(value) or len(set(texts)) != len(texts):
        raise Malformed("parameter-type", "a list of different texts", where=_at(name))
    return texts


def _flag(members: JsonObject, name: str) -> bool:
    value = members[name]
    if not isinstance(value, bool):
        raise Malformed("parameter-type", "true or false", where=_at(name))
    return value


def _count(value: JSON, where: str, *, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise Malformed("parameter-type", f"a whole number from {least} to {most}", where=where)
    return value


def _check_key(text: str) -> str:
    return _check_ed25519(text, _at("updateKeys"))


def _check_ed25519(text: str, where: str) -> str:
    try:
        key_type, _ = decode_multikey(text)
    except Malformed as error:
        raise Malformed(error.code, error.expected, where=where) from error
    if key_type is not KeyType.ED25519:
        raise Malformed("key-type", "a key that can sign under eddsa-jcs-2022", where=where)
    return text


def _check_hash(text: str) -> str:
    # Entries that are no hashes at all are permitted, as decoys.
    if not text or len(text) > _MAX_HASH_CHARS:
        raise Malformed("key-hash", f"1 to {_MAX_HASH_CHARS} characters", where=_at("nextKeyHashes"))
    return text


def _check_watcher(text: str) -> str:
    if not _WATCHER.fullmatch(text):
        raise Malformed("watcher", "URLs of watchers", where=_at("watchers"))
    return text


def _read_witness(value: JSON) -> WitnessRule | None:
    if value == {}:
        return None
    where = _at("witness")
    if not isinstance(value, dict) or value.keys() != {"threshold", "witnesses"}:
        raise Malformed("witness", "threshold and witnesses, or an empty object", where=where)
    listed = value["witnesses"]
    if not isinstance(listed, list) or not listed:
        raise Malformed("witness", "a list of witnesses", where=f"{where}/witnesses")
    if len(listed) > MAX_ITEMS:
        raise LimitExceeded("too-many", f"at most {MAX_ITEMS} witnesses", where=f"{where}/witnesses")
    keys = tuple(_read_witness_key(item, f"{where}/witnesses") for item in listed)
    if len(set(keys)) != len(keys):
        raise Malformed("witness-twice", "each witness once", where=f"{where}/witnesses")
    return WitnessRule(_count(value["threshold"], f"{where}/threshold", least=1, most=len(keys)), keys)


def _read_witness_key(item: JSON, where: str) -> str:
    identifier = item.get("id") if isinstance(item, dict) and item.keys() == {"id"} else None
    if not isinstance(identifier, str) or not identifier.startswith("did:key:"):
        raise Malformed("witness", "the did:key of each witness as its id", where=where)
    return _check_ed25519(identifier.removeprefix("did:key:"), where)

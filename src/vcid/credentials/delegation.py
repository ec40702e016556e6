"""The delegation: whom an authority appoints to issue credentials, of which types, where and until when.

The record is the subject of a ``DelegationCredential`` under Verifiable Credentials Data Model 2.0; its
period is the credential's own. A ministry appoints its regional offices by it, and an office its officers. It
speaks of offices and of keys, never of persons, and gives nothing that its issuer doesn't have: that a
delegation stays within its issuer's own authority is checked by whoever verifies it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar, Final

from vcid.credentials.birth_parts import check_jurisdiction
from vcid.credentials.codes import DID
from vcid.credentials.reading import ObjectReader
from vcid.credentials.records import MAX_ITEMS, Faults, pointer, stated
from vcid.credentials.validity import validity_period
from vcid.encoding.dates import format_timestamp
from vcid.encoding.multikey import decode_digest_multibase, encode_multibase, encode_multihash_sha256
from vcid.keys.signing import PublicKey

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from vcid.encoding.json import JsonObject
    from vcid.errors import FieldError

MAX_LINKS: Final = 4
"""How many delegations may follow one another: ministry, region, district, office, officer."""

SUBJECT_TYPE: Final = "Delegate"
TYPE_NAME: Final = "^(?!VerifiableCredential$)[A-Z][A-Za-z0-9]{0,199}$"
"""The name of a credential type, as it stands in ``type``; never the one that every credential has."""

LOG_ORIGIN: Final = "^[^ +]{1,300}$"
"""The origin of a log (C2SP signed-note: a key's name has neither spaces nor plus signs)."""

_LISTS: Final = {
    "credential_types": "/credentialTypes",
    "jurisdictions": "/jurisdictions",
    "status_issuers": "/statusIssuers",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Delegation:
    """One appointment. `validate` finds every fault at once; nothing is checked before it is called.

    Attributes:
        delegate: the DID of who is appointed.
        credential_types: the types that the delegate may issue, each by name. ``DelegationCredential`` is
            among them exactly where the delegate may appoint others.
        jurisdictions: ISO 3166-1 alpha-2 or ISO 3166-2 codes; a country covers its subdivisions.
        valid_from: from when, in whole seconds, with a time zone.
        valid_until: until when, exclusive; None where the delegator's own period sets no end either.
        may_delegate: how many links may follow this one, at most three.
        owner: the key that first owned the delegate's topics in the ledger; without it nothing that the
            delegate anchors can be recognised.
        log: the origin of the log in which the delegate anchors, where verifiers know several.
        document_digest: SHA-256 of the delegate's DID document in canonical JSON, where it is pinned.
        status_issuers: the DIDs of others who may publish status lists for the delegate's credentials.
    """

    credential_type: ClassVar[str] = "DelegationCredential"
    schema_id: ClassVar[str] = "https://w3id.org/vcid/schemas/delegation/v1.json"

    delegate: str
    credential_types: Sequence[str]
    jurisdictions: Sequence[str]
    valid_from: datetime
    valid_until: datetime | None = None
    may_delegate: int = 0
    owner: PublicKey | None = None
    log: str | None = None
    document_digest: bytes | None = None
    status_issuers: Sequence[str] = ()

    def __post_init__(self) -> None:
        for name in _LISTS:
            if isinstance(value := getattr(self, name), list):
                object.__setattr__(self, name, tuple(value))
        for name in ("valid_from", "valid_until"):
            if isinstance(value := getattr(self, name), datetime):
                object.__setattr__(self, name, value.replace(microsecond=0))

    def validate(self) -> None:
        """Refuse a record that has faults, naming all of them.

        Raises:
            InvalidRecord: with every fault, each under the JSON pointer of its field in the subject.
        """
        faults = Faults()
        faults.extend(self.faults())
        faults.raise_any()

    def faults(self) -> tuple[FieldError, ...]:
        """Return every fault of the record."""
        faults = Faults()
        faults.check_pattern("/id", self.delegate, DID, "the delegate's DID")
        faults.check_pattern("/ledgerLog", self.log, LOG_ORIGIN, "the origin of a log", required=False)
        faults.check_type("/ledgerOwner", self.owner, PublicKey, "a public key", required=False)
        self._check_digest(faults)
        _check_codes(faults, "/credentialTypes", self.credential_types, _check_type_name)
        _check_codes(faults, "/jurisdictions", self.jurisdictions, check_jurisdiction)
        _check_codes(faults, "/statusIssuers", self.status_issuers, _check_did, required=False)
        self._check_period(faults)
        self._check_depth(faults)
        return faults.collected()

    def to_subject(self) -> JsonObject:
        """Write the credential's subject: the delegate, by its DID.

        Raises:
            InvalidRecord: the record has faults.
        """
        self.validate()
        digest = self.document_digest
        fields = {
            "credentialTypes": self.credential_types,
            "jurisdictions": self.jurisdictions,
            "mayDelegate": self.may_delegate,
            "ledgerOwner": self.owner and self.owner.multikey,
            "ledgerLog": self.log,
            "documentDigest": digest and encode_multibase(encode_multihash_sha256(digest)),
            "statusIssuers": self.status_issuers,
        }
        return {"id": self.delegate, "type": SUBJECT_TYPE, **stated(fields)}

    def terms_json(self) -> JsonObject:
        """Write whom is appointed, and for what period: what the subject's other members don't say."""
        return stated({"id": self.delegate, "validFrom": self.valid_from, "validUntil": self.valid_until})

    @classmethod
    def from_credential(cls, document: JsonObject) -> Delegation:
        """Read what a delegation credential says; its proof, status and authority are another matter.

        Args:
            document: a credential whose model has been checked.

        Raises:
            InvalidRecord: with every fault.
        """
        faults = Faults()
        reader = ObjectReader(document.get("credentialSubject"), "", faults)
        reader.expect_type(SUBJECT_TYPE)
        start, end = validity_period(document)
        record = cls._read(reader, start, end)
        reader.finish()
        faults.extend(record.faults())
        faults.raise_any()
        return record

    @classmethod
    def _read(cls, reader: ObjectReader, start: Any, end: datetime | None) -> Delegation:
        depth = reader.integer("mayDelegate")
        return cls(
            delegate=reader.string("id"),
            credential_types=reader.strings("credentialTypes"),
            jurisdictions=reader.strings("jurisdictions"),
            valid_from=start,
            valid_until=end,
            may_delegate=0 if depth is None else depth,
            owner=reader.parsed("ledgerOwner", PublicKey.from_multikey),
            log=reader.string("ledgerLog"),
            document_digest=reader.parsed("documentDigest", decode_digest_multibase),
            status_issuers=reader.strings("statusIssuers"),
        )

    def _check_digest(self, faults: Faults) -> None:
        path, expected = "/documentDigest", "32 bytes of SHA-256"
        if (
            faults.check_type(path, self.document_digest, bytes, expected, required=False)
            and len(self.document_digest or b"") != 32
        ):
            faults.add(path, "wrong-length", expected)

    def _check_period(self, faults: Faults) -> None:
        """The period stands outside the subject, in the credential; its paths are those of the credential."""
        start = _check_moment(faults, "/validFrom", self.valid_from)
        end = _check_moment(faults, "/validUntil", self.valid_until, required=False)
        if start is not None and end is not None and end <= start:
            faults.add("/validUntil", "reversed-period", "a moment after validFrom")

    def _check_depth(self, faults: Faults) -> None:
        path, expected = "/mayDelegate", f"a whole number from 0 to {MAX_LINKS - 1}"
        if not faults.check_type(path, self.may_delegate, int, expected):
            return
        if self.may_delegate not in range(MAX_LINKS):
            faults.add(path, "out-of-range", expected)
        appoints = isinstance(self.credential_types, tuple) and self.credential_type in self.credential_types
        if appoints is not bool(self.may_delegate):
            expected = f"above 0 exactly where {self.credential_type} is among credentialTypes"
            faults.add(path, "contradiction", expected)


def _check_codes(
    faults: Faults,
    path: str,
    items: object,
    check: Callable[[Faults, str, object], None],
    *,
    required: bool = True,
) -> None:
    """Note what is wrong with a list of distinct codes."""
    if not isinstance(items, tuple):
        faults.add(path, "wrong-type", "a list")
        return
    if required and not items:
        faults.add(path, "required", "at least one")
    if len(items) > MAX_ITEMS:
        faults.add(path, "too-many", f"at most {MAX_ITEMS} items")
    for index, item in enumerate(items[:MAX_ITEMS]):
        check(faults, pointer(path, index), item)
        if item in items[:index]:
            faults.add(pointer(path, index), "repeated", "each once")


def _check_type_name(faults: Faults, path: str, name: object) -> None:
    faults.check_pattern(path, name, TYPE_NAME, "the name of a credential type")


def _check_did(faults: Faults, path: str, did: object) -> None:
    faults.check_pattern(path, did, DID, "a DID")


def _check_moment(
    faults: Faults, path: str, moment: datetime | None, *, required: bool = True
) -> datetime | None:
    """Note what is wrong with a moment; give it back if it can be compared."""
    if not faults.check_type(path, moment, datetime, required=required) or moment is None:
        return None
    if moment.utcoffset() is None:
        faults.add(path, "no-time-zone", "a moment with a time zone")
        return None
    try:
        format_timestamp(moment)
    except ValueError:
        faults.add(path, "out-of-range", "a moment in the years 1 to 9999 of UTC")
    return moment

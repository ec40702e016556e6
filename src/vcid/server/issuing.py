"""Securing credentials under a profile, and the status lists that go with the profile ``status``."""

from __future__ import annotations

import hashlib
import secrets
import threading
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from vcid.credentials.envelopes import PRESENTATION, PRESENTATION_MEDIA_TYPE, envelop
from vcid.credentials.model import Credential, check_model
from vcid.credentials.model_rules import VC_V2
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import parse_timestamp, utc_now
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Conflict, FieldError, InvalidRecord, LimitExceeded, Malformed
from vcid.holder import TOKEN_MEDIA_TYPE, Holder
from vcid.knowledge import MAX_FILE_BYTES
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.securing.disclosure import BaseDocument, add_base_proof
from vcid.securing.jose import CREDENTIAL_TOKEN, TokenOptions, sign_token
from vcid.server.profiles import Securing
from vcid.status.bitstring import ListPeriod, build_status_list
from vcid.status.registry import Registry

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vcid.encoding.json import JsonObject
    from vcid.server.profiles import Profile
    from vcid.server.requests import DeriveRequest, IssueRequest, PresentRequest, StatusRequest
    from vcid.status.registry import Issuance, ListSnapshot

LIST_VALIDITY: Final = timedelta(days=7)
STATUS_PURPOSES: Final = ("revocation", "suspension")
_MAX_HOSTS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What securing needs besides a key: time and the contexts known.

    Attributes:
        clock: gives the current time, with a time zone.
        contexts: the JSON-LD contexts known.
        unsafe_any_issuer: sign for whatever issuer a credential names; for interoperability tests alone.
        unsafe_any_json_ld: sign documents of every spelling; likewise.
        unsafe_exact_pointers: make mandatory what a request names and nothing else; likewise.
    """

    clock: Callable[[], datetime] = utc_now
    contexts: Contexts = field(default_factory=Contexts.carried)
    unsafe_any_issuer: bool = False
    unsafe_any_json_ld: bool = False
    unsafe_exact_pointers: bool = False


def secure(profile: Profile, request: IssueRequest, around: Surroundings) -> JsonObject:
    """Check a credential and secure it in the profile's way.

    Raises:
        InvalidRecord: the document is no credential; all faults are listed.
        Malformed: it is secured already, names another issuer, or has no canonical form.
    """
    document = request.credential
    if faults := check_model(document):
        raise InvalidRecord(faults)
    if not around.unsafe_any_issuer and _issuer(document) != profile.did:
        raise InvalidRecord([FieldError("/issuer", "wrong-issuer", "the DID of this profile's key")])
    match profile.kind.securing:
        case Securing.JOSE:
            return _envelop(profile, document, around)
        case Securing.SELECTIVE:
            return _add_base_proof(profile, document, around, mandatory_pointers=request.mandatory_pointers)
        case Securing.PROOF:
            return _add_plain_proof(profile, document, around)


def derive(request: DeriveRequest, around: Surroundings) -> JsonObject:
    """Make a document to show from one with a base proof.

    Raises:
        InvalidProof, Malformed, InvalidRecord: as `BaseDocument` and its ``derive``.
    """
    return BaseDocument(request.credential).derive(request.selective_pointers, contexts=around.contexts)


def present(profile: Profile, request: PresentRequest, around: Surroundings) -> JsonObject:
    """Show credentials to one verifier, as the holder whose key the profile has.

    Raises:
        Malformed: the profile makes no presentations (``no-presentations``), or as `Holder.present`.
        InvalidRecord: a credential does not conform to the data model.
    """
    if profile.kind.securing is Securing.SELECTIVE:
        raise Malformed("no-presentations", "a profile that secures whole documents")
    is_token = profile.kind.securing is Securing.JOSE
    holder = Holder(
        profile.did,
        profile.plain_signer,
        cryptosuite=profile.kind.cryptosuite or None,
        clock=around.clock,
        contexts=around.contexts,
    )
    shown = holder.present(
        request.credentials,
        challenge=request.challenge,
        domain=request.domain,
        media_type=TOKEN_MEDIA_TYPE if is_token else PRESENTATION_MEDIA_TYPE,
    )
    if not is_token:
        return parse_object(shown.content)
    url = f"data:{shown.media_type},{shown.content.decode('ascii')}"
    return {"@context": VC_V2, "id": url, "type": PRESENTATION.envelope}


def _envelop(profile: Profile, document: JsonObject, around: Surroundings) -> JsonObject:
    """Secure a document as a token, and put it into its envelope, which is what JSON can carry of it."""
    options = TokenOptions(verification_method=profile.verification_method, created=around.clock())
    token = sign_token(
        document, profile.plain_signer, options, form=CREDENTIAL_TOKEN, contexts=around.contexts
    )
    return envelop(Credential(CREDENTIAL_TOKEN.media_type, token))


def _add_base_proof(
    profile: Profile, document: JsonObject, around: Surroundings, *, mandatory_pointers: Sequence[str]
) -> JsonObject:
    base = add_base_proof(
        document,
        profile.signer,
        _options(profile, around),
        mandatory_pointers=mandatory_pointers,
        contexts=around.contexts,
    )
    return base.to_json()


def _add_plain_proof(profile: Profile, document: JsonObject, around: Surroundings) -> JsonObject:
    return add_proof(document, profile.plain_signer, _options(profile, around), contexts=around.contexts)


def _options(profile: Profile, around: Surroundings) -> ProofOptions:
    return ProofOptions(
        verification_method=profile.verification_method,
        cryptosuite=profile.kind.cryptosuite,
        created=around.clock(),
        unsafe_any_json_ld=around.unsafe_any_json_ld,
        unsafe_exact_pointers=around.unsafe_exact_pointers,
    )


def _issuer(document: JsonObject) -> object:
    issuer = document.get("issuer")
    return issuer.get("id") if isinstance(issuer, dict) else issuer


class StatusDesk:
    """Issues with status: each credential gets its places in lists that a registry keeps.

    Where the operator names no URL for the lists, they are named by the address at which the service was
    called, each address with a registry of its own in memory.
    """

    def __init__(self, profile: Profile, around: Surroundings, registry: Registry | None = None) -> None:
        self._profile = profile
        self._around = around
        self._registry = registry
        self._by_base: dict[str, Registry] = {}
        self._turn = threading.Lock()

    def issue(self, request: IssueRequest, base: str) -> JsonObject:
        """Reserve places, secure the credential with them, and keep it.

        Args:
            request: what to issue.
            base: the URL below which status lists are found.

        Raises:
            Conflict: the caller's id stands for another credential (``key-reused``).
            InvalidRecord, Malformed: as `secure`.
        """
        if "credentialStatus" in request.credential:
            raise Malformed(
                "status-is-ours", "no status of your own under this profile", where="/credentialStatus"
            )
        registry = self._open_registry(base)
        key = request.credential_id or _text_id(request.credential) or secrets.token_urlsafe(24)
        reserved = self._reserve(registry, key, request.credential, base)
        if reserved.credential is not None:
            return reserved.credential.unverified_document
        entries = [entry.to_json() for entry in reserved.entries]
        try:
            secured = secure(
                self._profile,
                type(request)(
                    credential={**request.credential, "credentialStatus": [*entries]},
                    credential_id=request.credential_id,
                    mandatory_pointers=request.mandatory_pointers,
                ),
                self._around,
            )
        except (InvalidRecord, Malformed):
            registry.release(reserved)
            raise
        kept = registry.complete(reserved, Credential.from_json(secured))
        return kept.credential.unverified_document if kept.credential else secured

    def set_status(self, request: StatusRequest, base: str) -> None:
        """Set a status and publish the lists.

        Raises:
            Conflict: no such credential (``not-found``), or it has no such status (``no-such-purpose``).
        """
        registry = self._find_registry(base)
        if registry is None:
            raise Conflict("not-found", "a credential that was issued here")
        registry.revoke(key=request.credential_id, purpose=request.purpose)
        self._publish(registry, base, room=0)

    def published(self, list_id: str, base: str) -> bytes | None:
        """Give the newest version of a list; None where there is none of that URL.

        A list that is half through its validity is published anew, with all others, so that none ends while
        the service runs.
        """
        registry = self._find_registry(base)
        content = _find_list(registry, list_id) if registry is not None else None
        if registry is None or content is None or not self._is_ageing(content):
            return content
        self._publish(registry, base, room=0)
        return _find_list(registry, list_id)

    def _is_ageing(self, content: bytes) -> bool:
        until = parse_object(content, max_bytes=MAX_FILE_BYTES).get("validUntil")
        return isinstance(until, str) and parse_timestamp(until) - self._around.clock() < LIST_VALIDITY / 2

    def _find_registry(self, base: str) -> Registry | None:
        return self._registry or self._by_base.get(base)

    def _open_registry(self, base: str) -> Registry:
        """Give the registry of an address, and make one if need be: only for who may issue."""
        if self._registry is not None:
            return self._registry
        with self._turn:
            if base not in self._by_base and len(self._by_base) >= _MAX_HOSTS:
                raise LimitExceeded("too-many-addresses", f"at most {_MAX_HOSTS} addresses of the service")
            if base not in self._by_base:
                self._by_base[base] = Registry.open("sqlite://", purposes=STATUS_PURPOSES)
            return self._by_base[base]

    def _reserve(self, registry: Registry, key: str, record: JsonObject, base: str) -> Issuance:
        digest = hashlib.sha256(canonicalize(record)).digest()
        try:
            return registry.reserve(key, digest)
        except Conflict as conflict:
            if conflict.code != "no-room":
                raise
        self._publish(registry, base, room=1)
        return registry.reserve(key, digest)

    def _publish(self, registry: Registry, base: str, *, room: int) -> None:
        # One left over from an earlier attempt comes first; what was set since is in the one after it.
        for _ in range(2):
            prepared = registry.prepare_publication(self._write_list, base_url=base, room=room)
            registry.confirm_publication(prepared.publications)
            if not prepared.resumed:
                return

    def _write_list(self, snapshot: ListSnapshot) -> bytes:
        now = self._around.clock()
        document = build_status_list(
            snapshot.bits,
            list_id=snapshot.list_id,
            issuer=self._profile.did,
            purposes=[snapshot.purpose],
            period=ListPeriod(valid_from=now, valid_until=now + LIST_VALIDITY),
        )
        return canonicalize(_add_plain_proof(self._profile, document, self._around))


def _find_list(registry: Registry, list_id: str) -> bytes | None:
    found = (each.content for each in registry.published_lists() if each.list_id == list_id)
    return next(found, None)


def _text_id(document: JsonObject) -> str | None:
    found = document.get("id")
    return found if isinstance(found, str) and 0 < len(found) <= 1000 else None

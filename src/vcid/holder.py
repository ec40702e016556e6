"""The holder: show credentials to a verifier, so that a copy is worth nothing to anybody else.

A presentation follows the Verifiable Credentials Data Model 2.0, section "Verifiable Presentations", with a
Data Integrity proof for ``authentication`` or as a token, by the challenge and the domain of one verifier.
Credentials go in as they were issued; those that are tokens go in as Enveloped Verifiable Credentials.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from vcid.credentials.envelopes import (
    CREDENTIAL,
    PRESENTATION,
    PRESENTATION_MEDIA_TYPE,
    Presentation,
    envelop,
    read_secured,
)
from vcid.credentials.model import Credential
from vcid.credentials.model_rules import VC_V2, find_entries
from vcid.credentials.presentation_model import check_presentation_model
from vcid.dids.urls import parse_did, parse_did_url
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import utc_now
from vcid.encoding.json import canonicalize
from vcid.encoding.multikey import decode_multibase
from vcid.errors import InvalidRecord, LimitExceeded, Malformed
from vcid.issuers import Audience
from vcid.presentations import MAX_CREDENTIALS
from vcid.securing.cryptosuites import JCS_SUITES, SUITES
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.securing.jose import PRESENTATION_TOKEN, TokenOptions, sign_token

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.signing import Signer

TOKEN_MEDIA_TYPE: Final = PRESENTATION_TOKEN.media_type

_BASE_HEADERS: Final = frozenset().union(*(suite.base_headers for suite in SUITES.values()))


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who holds credentials and can prove it.

    Attributes:
        did: the holder's DID, to which the credentials were issued.
        signer: signs with a key that the DID's document lists for authentication.
        verification_method: that key's DID URL; by default the one that this library's documents give it,
            the DID with the Multikey for fragment.
        cryptosuite: how presentations are secured; by default the JCS suite for the signer's key.
        clock: gives the current time, with a time zone.
        contexts: the JSON-LD contexts known.

    Raises:
        ResolutionFailed: the DID or DID URL is none.
        ValueError: the method is another DID's.
    """

    did: str
    signer: Signer = field(repr=False)
    verification_method: str = ""
    cryptosuite: str | None = None
    clock: Callable[[], datetime] = field(default=utc_now, repr=False)
    contexts: Contexts = field(default_factory=Contexts.carried, repr=False)

    def __post_init__(self) -> None:
        parse_did(self.did)
        if not self.verification_method:
            method = f"{self.did}#{self.signer.public_key.multikey}"
            object.__setattr__(self, "verification_method", method)
        url = parse_did_url(self.verification_method)
        if url.did != self.did or url.fragment is None:
            raise ValueError("verification_method is the URL of a method of the holder's own DID")

    def present(
        self,
        credentials: Sequence[Credential | JsonObject],
        *,
        challenge: str,
        domain: str,
        media_type: str = PRESENTATION_MEDIA_TYPE,
    ) -> Presentation:
        """Show credentials to one verifier, once.

        Args:
            credentials: what to show, as credentials or as secured documents, such as those derived for
                selective disclosure.
            challenge: what the verifier gave to be answered.
            domain: the verifier's name, as the holder knows it: never copied from whoever asks.
            media_type: ``application/vp`` for a Data Integrity proof, ``application/vp+jwt`` for a token.

        Raises:
            ValueError: challenge or domain is empty, the media type is another, no credential is given, or
                the key signs no such presentation.
            TypeError: something else is given for a credential.
            Malformed: a credential can't be read, is a presentation or in no way secured (``not-secured``),
                or has a base proof, from which first to derive (``base-proof``); LimitExceeded: too many.
            InvalidRecord: a credential does not conform to the data model; all faults are listed.
        """
        audience = Audience(challenge=challenge, domain=domain)
        if isinstance(credentials, Credential | dict | str | bytes) or not credentials:
            raise ValueError("credentials is a list of at least one")
        if len(credentials) > MAX_CREDENTIALS:
            raise LimitExceeded("too-many", f"at most {MAX_CREDENTIALS} credentials")
        document: JsonObject = {
            "@context": [VC_V2],
            "type": ["VerifiablePresentation"],
            "holder": self.did,
            "verifiableCredential": [_prepare(credential) for credential in credentials],
        }
        if faults := check_presentation_model(document):
            raise InvalidRecord(faults)
        return self._secure(document, audience, media_type)

    def prove_control(self, *, challenge: str, domain: str) -> Presentation:
        """Prove to one verifier, once, that the holder has the DID's key, and show nothing.

        Args:
            challenge: what the verifier gave to be answered.
            domain: the verifier's name; for an issuer that rebinds a credential, its DID.

        Raises:
            ValueError: challenge or domain is empty, or the key signs no such presentation.
        """
        document: JsonObject = {
            "@context": [VC_V2],
            "type": ["VerifiablePresentation"],
            "holder": self.did,
        }
        audience = Audience(challenge=challenge, domain=domain)
        return self._secure(document, audience, PRESENTATION_MEDIA_TYPE)

    def _secure(self, document: JsonObject, audience: Audience, media_type: str) -> Presentation:
        if media_type == TOKEN_MEDIA_TYPE:
            return Presentation(media_type, self._sign_token(document, audience))
        if media_type != PRESENTATION_MEDIA_TYPE:
            raise ValueError(f"media_type is {PRESENTATION_MEDIA_TYPE} or {TOKEN_MEDIA_TYPE}")
        suite = self.cryptosuite or JCS_SUITES.get(self.signer.public_key.key_type)
        if suite is None:
            raise ValueError(f"keys of this kind sign tokens only: media_type={TOKEN_MEDIA_TYPE!r}")
        options = ProofOptions(
            verification_method=self.verification_method,
            cryptosuite=suite,
            proof_purpose="authentication",
            created=self.clock(),
            domain=audience.domain,
            challenge=audience.challenge,
        )
        secured = add_proof(document, self.signer, options, contexts=self.contexts)
        return Presentation(media_type, _bounded(canonicalize(secured)))

    def _sign_token(self, document: JsonObject, audience: Audience) -> bytes:
        options = TokenOptions(
            verification_method=self.verification_method,
            created=self.clock(),
            domain=audience.domain,
            challenge=audience.challenge,
        )
        _bounded(canonicalize(document))
        return sign_token(document, self.signer, options, form=PRESENTATION_TOKEN, contexts=self.contexts)


def present(
    credentials: Sequence[Credential | JsonObject],
    *,
    holder: Holder,
    challenge: str,
    domain: str,
    media_type: str = PRESENTATION_MEDIA_TYPE,
) -> Presentation:
    """Show credentials to one verifier, once: as ``Holder.present``, with its arguments and errors."""
    return holder.present(credentials, challenge=challenge, domain=domain, media_type=media_type)


def _prepare(credential: Credential | JsonObject) -> JsonObject:
    """Give a credential as it stands in a presentation."""
    if not isinstance(credential, Credential | dict):
        raise TypeError(
            "a credential is a Credential or a secured document; of a BaseDocument, show what derive gives"
        )
    received = read_secured(credential, CREDENTIAL)
    if _has_base_proof(received.document):
        raise Malformed(
            "base-proof",
            "a proof derived for this verifier: a base proof lets its reader learn and forward everything",
            where="/proof",
        )
    if received.token is not None:
        return envelop(credential) if isinstance(credential, Credential) else credential
    document = received.document
    if not any(find_entries(document, "proof")):
        raise Malformed("not-secured", "a credential with its issuer's proof", where="/proof")
    return document


def _has_base_proof(value: JSON) -> bool:
    """Whether there is a base proof anywhere in a document: in another that it holds, it reveals as much."""
    if isinstance(value, list):
        return any(map(_has_base_proof, value))
    return isinstance(value, dict) and (_is_base_proof(value) or any(map(_has_base_proof, value.values())))


def _is_base_proof(proof: JsonObject) -> bool:
    """Whether a proof's value begins as the base proofs of selective suites do, whatever suite it names."""
    value = proof.get("proofValue")
    if not isinstance(value, str) or not value.startswith("u"):
        return False
    # Four characters of base64url are the three bytes of the header.
    return len(value) >= 5 and decode_multibase(value[:5], bases="u") in _BASE_HEADERS


def _bounded(content: bytes) -> bytes:
    if len(content) > PRESENTATION.max_bytes:
        raise LimitExceeded("too-large", f"a presentation of at most {PRESENTATION.max_bytes} bytes")
    return content

"""The scenes: what somebody tries, what it is tried with, and what the verifier has to say to it.

A scene is a row of the table below; `Props` makes what the scenes show. The demonstration fails if the
verifier says anything else.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from vcid.credentials.model import Credential
from vcid.demo.chapters import Expectation, Played
from vcid.demo.hearing import Sitting
from vcid.dids.documents import did_document
from vcid.dids.methods import did_key
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import utc_now
from vcid.encoding.json import canonicalize
from vcid.issuers import issuer_of
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Anchored
from vcid.securing.data_integrity import ProofOptions, add_proof

if TYPE_CHECKING:
    from collections.abc import Iterable

    from vcid.demo.folder import DemoFolder
    from vcid.demo.hearing import Answer
    from vcid.knowledge import Knowledge

HELD_BACK = "knowledge-held-back"
SWAPPED = "knowledge-swapped"
AGE = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One thing that is tried.

    Attributes:
        name: the scene's name.
        tried: what is tried, in words.
        sample: the file in the folder of samples that the verifier is shown.
        expected: what it has to say.
        knowledge: the folder that it knows.
        later: how much later its clock stands.
    """

    name: str
    tried: str
    sample: str
    expected: Expectation
    knowledge: str = "knowledge"
    later: timedelta = timedelta(0)

    def sitting(self, folder: DemoFolder) -> Sitting:
        """Put the scene before the verifier."""
        return Sitting(
            name=self.name,
            knowledge=folder.root / self.knowledge,
            credentials=(folder.samples / self.sample,),
            later=self.later,
        )


def _rejected(check: str, code: str, *although: str) -> Expectation:
    return Expectation(conclusion="rejected", check=check, code=code, although=frozenset(although))


def _undecided(check: str, code: str, *although: str) -> Expectation:
    return Expectation(conclusion="undecided", check=check, code=code, although=frozenset(although))


_HOLDS = Expectation(although=frozenset({"key", "proof", "issuer", "period", "schema", "status", "anchor"}))

SCENES = (
    Scene(
        name="issued-later",
        tried="registered after knowledge was taken",
        sample="issued-later.json",
        knowledge="knowledge-before",
        expected=_HOLDS,
    ),
    Scene(
        name="not-yet-heard",
        tried="revoked, but nobody has heard of it",
        sample="revoked.json",
        knowledge="knowledge-before",
        expected=_HOLDS,
    ),
    Scene(
        name="revoked",
        tried="revoked, published and known",
        sample="revoked.json",
        expected=_rejected("status", "revoked", "key", "proof", "issuer", "anchor"),
    ),
    Scene(
        name="good",
        tried="another child's, same knowledge",
        sample="good.json",
        expected=_HOLDS,
    ),
    Scene(
        name="superseded",
        tried="revoked, shown with the old list",
        sample="revoked.json",
        knowledge=f"samples/{HELD_BACK}",
        expected=_undecided("anchor", "superseded", "key", "proof", "issuer", "status"),
    ),
    Scene(
        name="tampered",
        tried="date of birth changed by hand",
        sample="tampered.json",
        expected=_rejected("proof", "bad-signature", "key", "issuer", "status", "anchor"),
    ),
    Scene(
        name="untrusted",
        tried="well signed by a stranger",
        sample="untrusted.json",
        expected=_undecided("issuer", "issuer-not-accredited", "key", "proof", "period"),
    ),
    Scene(
        name="swapped",
        tried="registry's DID document swapped",
        sample="swapped.json",
        knowledge=f"samples/{SWAPPED}",
        expected=_rejected("key", "did-document-swapped"),
    ),
    Scene(
        name="expired",
        tried="court order that ended yesterday",
        sample="expired.json",
        expected=_rejected("period", "expired", "key", "proof", "issuer", "schema", "status", "anchor"),
    ),
    Scene(
        name="stale",
        tried=f"good, after {AGE.days} days without news",
        sample="good.json",
        later=AGE,
        expected=_undecided("anchor", "stale", "key", "proof", "issuer", "period", "schema", "status"),
    ),
    Scene(
        name="rollback",
        tried="old knowledge put back",
        sample="revoked.json",
        knowledge="knowledge-before",
        expected=_undecided("anchor", "rollback", "key", "proof", "issuer"),
    ),
)
"""In the order in which the verifier meets them: its memory of the ledger only ever moves forward."""


def score(scenes: Iterable[Scene], answers: Iterable[Answer]) -> tuple[Played, ...]:
    """Hold what the verifier said against what it had to say."""
    by_name = {answer.sitting: answer for answer in answers}
    return tuple(
        Played(
            name=scene.name,
            tried=scene.tried,
            expected=scene.expected,
            conclusion=by_name[scene.name].conclusion,
            reasons=by_name[scene.name].reasons,
            passed=by_name[scene.name].passed,
        )
        for scene in scenes
    )


class Props:
    """Makes what the scenes show, in the folder of samples."""

    def __init__(self, folder: DemoFolder) -> None:
        self._samples = folder.samples

    def show(self, name: str, credential: Credential) -> None:
        """Leave a credential as it is."""
        (self._samples / name).write_bytes(credential.content)

    def tamper(self, good: Credential) -> None:
        """Write another date of birth into a signed credential."""
        document = good.unverified_document
        subject = document["credentialSubject"]
        if isinstance(subject, dict):
            subject["birthDate"] = "2001-01-01"
        self.show("tampered.json", Credential.from_json(document))

    def forge(self, good: Credential) -> None:
        """Have a stranger sign a credential's words as his own, by a DID whose proof holds."""
        signer = LocalSigner.generate()
        self.show("untrusted.json", _sign_anew(good, did_key(signer.public_key), signer))

    def impersonate(self, good: Credential, known: Knowledge) -> None:
        """Have a forger sign in the registry's name, and put his own key into its DID document."""
        registry, signer = issuer_of(good.unverified_document), LocalSigner.generate()
        self.show("swapped.json", _sign_anew(good, registry, signer))
        true = known.did_documents[registry]
        content = canonicalize(did_document(registry, [signer.public_key]))
        swapped = {**known.did_documents, registry: Anchored(content, true.entry, true.receipt)}
        self._save(SWAPPED, replace(known, did_documents=swapped))

    def hold_back(self, before: Knowledge, known: Knowledge) -> None:
        """Bring the old status lists, with their own entries, under the new checkpoint and receipts."""
        old = {
            url: Anchored(before.status_lists[url].content, before.status_lists[url].entry, new.receipt)
            for url, new in known.status_lists.items()
            if url in before.status_lists
        }
        self._save(HELD_BACK, replace(known, status_lists={**known.status_lists, **old}))

    def _save(self, name: str, knowledge: Knowledge) -> None:
        knowledge.save(self._samples / name)


def _sign_anew(credential: Credential, issuer: str, signer: LocalSigner) -> Credential:
    """Take a credential's words, status entry included, and sign them as another's."""
    document = {**credential.unverified_document, "issuer": issuer}
    del document["proof"]
    method = f"{issuer}#{signer.public_key.multikey}"
    options = ProofOptions(verification_method=method, created=utc_now())
    return Credential.from_json(add_proof(document, signer, options, contexts=Contexts.carried()))

"""Issue credentials, revoke them, and publish what verifiers need to know.

An issuer writes to its own registry and to a ledger that it may share. Issuing is idempotent by the caller's
key, so a form that is sent twice issues once, and an application revokes by its own primary key. Status
indices come only from lists that are already published, so a credential issued today verifies against last
week's knowledge. Publishing is done on a fixed cadence, whether or not anything changed: a publication made
when something happens tells the world when it happened.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import islice
from typing import TYPE_CHECKING

from vcid.base_issuing import BaseIssuing
from vcid.control import check_rebinding
from vcid.dids.documents import parse_did
from vcid.drafting import Practice
from vcid.errors import Behind, Conflict, Unavailable
from vcid.issuers import Audience
from vcid.issuing import Counter, Issued
from vcid.knowledge import Published
from vcid.ledger.entries import Kind
from vcid.orders import Order
from vcid.own_keys import check_fit, open_office, prepare_office
from vcid.publishing import Publisher, Publishing
from vcid.topics import name_heads, refuse_old_ledger
from vcid.trust import Accreditation

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from vcid.credentials.approvals import Approval, Proposal
    from vcid.credentials.envelopes import Presentation
    from vcid.credentials.model import Credential
    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import Signer
    from vcid.ledger.log import Ledger
    from vcid.ledger.receipts import Receipt
    from vcid.orders import Record, Renewal
    from vcid.status.registry import Issuance, PublishedHead, RecoveryReport, Registry

_CHUNK = 500


class Issuer:
    """An authority that issues, revokes and publishes. Safe to share between threads and processes.

    Args:
        did: the issuer's DID, whose document lists the signer's key. One that moved goes on with its registry
            under its new name.
        signer: signs credentials, lists and ledger entries.
        registry: the issuer's own registry; the first issuer that opens it is the only one that can.
        ledger: where lists are anchored.
        practice: how the issuer goes about its work.

    Attributes:
        did: the issuer's DID.
        owner: the key that first owned the issuer's topics in the ledger; policies name it, even after it
            was replaced.
        disclosable: issues, where the practice says so, base documents of births, which this refuses to.

    Raises:
        ValueError: the cryptosuite does not fit the key, the DID document does not list it, or no place for
            status lists can be derived.
        Conflict: the registry is that of another DID or key (``other-registry``).
        Unavailable: the registry can't be written.
    """

    def __init__(
        self,
        did: str,
        signer: Signer,
        *,
        registry: Registry,
        ledger: Ledger,
        practice: Practice | None = None,
    ) -> None:
        self.did = parse_did(did).did
        self._signer = signer
        self._registry = registry
        self._ledger = ledger
        self._practice = practice or Practice()
        self.owner, self._office = open_office(
            self.did, signer, registry=registry, ledger=ledger, practice=self._practice
        )
        self._topics, desk = self._office.topics, self._office.desk
        self._publisher = Publisher(self.did, registry, ledger)
        self._counter = Counter(registry, desk, self._practice)
        self.disclosable = BaseIssuing(
            self.did,
            Counter(registry, desk, self._practice, for_bases=True),
            self._practice,
            self._refuse_to_diverge,
        )

    @property
    def status_url(self) -> str:
        """The URL below which the issuer's status lists are found."""
        return self._office.desk.status_url

    @property
    def document(self) -> JsonObject:
        """The issuer's DID document, to be served or handed on."""
        return self._office.document

    @property
    def document_digest(self) -> bytes:
        """SHA-256 of the DID document in canonical JSON, or of a did:webvh's log; policies may pin it."""
        return self._office.did_digest

    def accreditation(self, credential_types: Iterable[str], jurisdictions: Iterable[str]) -> Accreditation:
        """What a verifier's policy says to believe this issuer; whether to is the verifier's.

        The DID document is pinned as it stands now.
        """
        return Accreditation(
            issuer=self.did,
            credential_types=frozenset(credential_types),
            jurisdictions=frozenset(jurisdictions),
            owner=self.owner,
            document_digest=self.document_digest,
        )

    def issue(self, record: Record, *, key: str, child_did: str | None = None) -> Credential:
        """Issue one credential, or give again the one that the key already stands for; see ``Order``.

        Raises:
            ValueError: as ``Order``, or the practice issues it as a base document: see ``disclosable``.
            InvalidRecord: the record has faults; all of them are listed, and nothing was recorded.
            Conflict: the key stands for another record (``key-reused``) or form (``other-form``), nothing has
                been published yet that has room (``no-room``), or the practice asks for approval
                (``approval-needed``).
            Behind: the registry or the ledger is a restored backup.
            Unavailable: a store can't be written.
        """
        for issued in self.issue_many([Order(key=key, record=record, child_did=child_did)]):
            if issued.error is not None:
                raise issued.error
            if issued.credential is not None:
                return issued.credential
        raise AssertionError("an order is answered by a credential or an error")

    def issue_many(self, orders: Iterable[Order]) -> Iterator[Issued]:
        """Issue many credentials, a few hundred to a transaction; one at fault takes nothing from the others.

        Yields:
            An answer for each order, in their order, as soon as its transaction is durable.

        Raises:
            Conflict: no published list has room (``no-room``): publish, then go on; the keys make it safe
                to start from the beginning. Or the practice asks for approval (``approval-needed``).
            Behind, Unavailable: as ``issue``.
        """
        self._counter.refuse_unapproved()
        waiting = iter(orders)
        while chunk := list(islice(waiting, _CHUNK)):
            self._refuse_to_diverge()
            yield from self._counter.issue(chunk)

    def renew(self, renewal: Renewal) -> Credential:
        """Issue a credential again, in place of one that was lost or whose identities changed.

        Its claims come from the registry. The former one reads *superseded* from the next publication on; the
        link between the two stays in the registry. For an identity that somebody claims to hold, ``rebind``.

        Raises:
            InvalidRecord: the former credential does not have the DIDs to be replaced.
            Conflict: there is no former credential (``not-found``), it was revoked (``revoked``) or stood in
                for already (``superseded``); or as ``issue``.
            Behind, Unavailable: as ``issue``.
        """
        self._counter.refuse_unapproved()
        self._refuse_to_diverge()
        return self._counter.renew(renewal)

    def rebind(self, renewal: Renewal, control: Presentation, *, challenge: str) -> Credential:
        """Issue a credential again for a key that its holder alone has, as a young adult's at majority.

        Args:
            renewal: what is to be issued, and the holder's DID in place of the former one.
            control: the holder's answer to the challenge, for this issuer's DID: ``Holder.prove_control``.
            challenge: what the issuer gave to be answered, fresh for each attempt.

        Raises:
            InvalidProof, Malformed, ResolutionFailed: the answer does not prove control of the new DID.
            ValueError: the renewal names no new DID, or more than one.
            InvalidRecord, Conflict, Behind, Unavailable: as ``renew``.
        """
        audience, practice = Audience(challenge=challenge, domain=self.did), self._practice
        check_rebinding(renewal, control, audience, at=practice.clock(), contexts=practice.contexts)
        return self.renew(renewal)

    def propose_rebinding(self, renewal: Renewal, control: Presentation, *, challenge: str) -> Proposal:
        """Write a credential for a key that its holder alone has, for registrars to approve.

        Args, Raises: as ``rebind`` and ``propose``; Conflict (``proposed``) where it waits already as
            proposed without proof of control.
        """
        audience, practice = Audience(challenge=challenge, domain=self.did), self._practice
        check_rebinding(renewal, control, audience, at=practice.clock(), contexts=practice.contexts)
        self._refuse_to_diverge()
        return self._counter.propose(renewal, is_control_proven=True)

    def propose(self, order: Order | Renewal) -> Proposal:
        """Write a credential as it will be signed, for registrars to read and approve.

        The same order gives the same proposal again until it is issued or withdrawn. That of a renewal says
        which credential it ends, and that nobody proved control of the new DID: see ``propose_rebinding``.

        Raises:
            InvalidRecord, Conflict, Behind, Unavailable: as ``issue`` and ``renew``; ``issued``, the
                credential was issued already.
        """
        self._refuse_to_diverge()
        return self._counter.propose(order)

    def issue_approved(self, key: str, approvals: Iterable[Approval]) -> Credential:
        """Sign what was proposed under a key, approved as the practice asks, and keep the approvals.

        Raises:
            Conflict: nothing was proposed (``not-found``), it was revoked (``revoked``), or the approvals
                don't do: too few different registrars (``not-approved``), a stranger or another credential
                (``bad-approval``), too old (``stale-approval``).
            Behind, Unavailable: as ``issue``.
        """
        self._refuse_to_diverge()
        return self._counter.complete(key, approvals)

    def withdraw(self, key: str) -> None:
        """Give up what was proposed under a key; the key is free again, unless it was revoked meanwhile.

        Raises:
            Conflict: nothing was proposed (``not-found``).
        """
        self._counter.withdraw(key)

    def approvals(self, key: str) -> tuple[Approval, ...]:
        """By whom the credential of a key was approved; each verifies against the credential."""
        return self._registry.approvals(key)

    def find(self, key: str) -> Credential | None:
        """The credential issued under a key, if there is one.

        Raises:
            Conflict: it was issued as a base document (``other-form``): see ``disclosable``.
        """
        return self._counter.find(key)

    def is_revoked(self, key: str) -> bool:
        """Whether the credential of a key, or the one in force in its place, was revoked, published or not.

        Raises:
            Conflict: no such credential (``not-found``).
        """
        return self._find_in_force(key).is_revoked

    def is_superseded(self, key: str) -> bool:
        """Whether another credential stands in for that of a key, and was not revoked.

        Raises:
            Conflict: no such credential (``not-found``).
        """
        in_force = self._find_in_force(key)
        return in_force.key != key and not in_force.is_revoked

    def _find_in_force(self, key: str) -> Issuance:
        found = self._registry.find_in_force(key)
        if found is None:
            raise Conflict("not-found", "the registry knows no such credential")
        return found

    def existence(self, key: str) -> Receipt | None:
        """Prove by when the credential of a key existed, for as long as the ledger's witnesses are believed.

        Keep the receipt with the credential: it holds even where the key that signed it no longer does.

        Returns:
            A batch receipt; ``None`` if no publication followed yet, or the credential's salt was destroyed.

        Raises:
            Conflict: the ledger lacks what was anchored (``not-found``).
        """
        where = self._registry.batch_place(key)
        return self._topics.prove_batch(where) if where else None

    def revoke(self, *, key: str | None = None, credential: Credential | None = None) -> bool:
        """Revoke a credential for good; verifiers learn of it by the next publication.

        To revoke one that was superseded is to revoke the one in force in its place, from when on both read
        revoked: the former holds no longer by itself, and a fraud that it was issued on goes on in the other.
        One that was merely lost is superseded by ``renew``, and needs no revoking.

        Returns:
            Whether this call revoked it; False if it was revoked before.

        Raises:
            Conflict: no such credential (``not-found``).
            TypeError: neither or both of key and credential are given.
        """
        if credential is not None and credential.id is None:
            raise Conflict("not-found", "the registry knows no such credential")
        return self._registry.revoke(key=key, credential_id=credential.id if credential else None)

    def publish(self, *, room: int = 0) -> Publishing:
        """Publish every status list and the DID document, anchor them, and have a checkpoint cosigned.

        Safe to repeat after a crash at any point. Do it on a fixed cadence.

        Args:
            room: for how many more credentials the published lists must have places afterwards.

        Raises:
            ValueError: the room is negative, or more than 10,000,000.
            Behind: the registry or the ledger is a restored backup.
            Unavailable: a store or the witnesses can't be reached.
        """
        self.refuse_backup()
        return self._publisher.publish(self._office, room=room)

    def rotate(
        self,
        next_signer: Signer,
        *,
        practice: Practice | None = None,
        compromised_since: datetime | None = None,
    ) -> Issuer:
        """Go over to another key, and publish everything signed with it.

        The former key stays in the DID document, so what it signed still verifies. Destroy it: the ledger
        takes nothing more from it, but whoever has it can sign credentials. One that was stolen is marked as
        revoked since the theft. After a crash, call this again with the former signer; if the ledger has the
        change already, it says so, and the next signer alone opens the issuer.

        Args:
            next_signer: the key to sign with from now on.
            practice: how the issuer goes about its work afterwards; as before, by default. A document or
                cryptosuite that it names has to fit the next key.
            compromised_since: since when the former key is not to be trusted, with a time zone, if it was
                stolen: the day of the theft, not that of its discovery. A document of the practice's own has
                to say so itself.

        Returns:
            The issuer with the next key, in this one's place.

        Raises:
            ValueError: as ``Issuer``.
            Conflict: the ledger has another key in force (``not-owner``).
            Behind, Unavailable: as ``publish``.
        """
        self.refuse_backup()
        practice = practice or self._practice
        check_fit(self.did, next_signer, practice)
        if compromised_since is not None:
            self._registry.close_key(self._signer.public_key, compromised_since)
        following = prepare_office(
            self.did, next_signer, self._office, registry=self._registry, practice=practice
        )
        self._publisher.publish(following, self._topics.change_key(next_signer.public_key))
        return Issuer(self.did, next_signer, registry=self._registry, ledger=self._ledger, practice=practice)

    def published(self) -> tuple[Published, ...]:
        """What verifiers need to know of this issuer, for ``Knowledge.gather``."""
        lists = [
            Published(kind=Kind.STATUS_LIST, id=it.list_id, owner=self.owner, content=it.content)
            for it in self._registry.published_lists()
        ]
        document = Published(
            kind=Kind.DID_DOCUMENT,
            id=self.did,
            owner=self.owner,
            content=self._office.did_content,
            witness=self._practice.did_witness,
        )
        return (document, *lists)

    def published_list(self, url: str) -> bytes | None:
        """The newest published status list of that URL, as it is to be served; ``None`` if there is none."""
        return next((it.content for it in self._registry.published_lists() if it.list_id == url), None)

    def _refuse_to_diverge(self) -> None:
        self.refuse_backup()
        # A witness that can't be reached is no reason to turn anybody away: publishing will need it.
        with suppress(Unavailable):
            self._ledger.check_witnesses()

    def refuse_backup(self) -> None:
        """Compare the registry with what the ledger says was published from it, and the key with its own.

        Raises:
            Conflict: the ledger has another key in force for this issuer (``not-owner``).
            Behind: the registry is a restored backup: ``recover`` it; or the ledger is one, or a new one in
                place of a lost one: put its newest copy back.
        """
        self._topics.refuse_given_up_key()
        published = self._registry.published_versions()
        lists = self._registry.list_ids()
        heads = self._topics.heads(lists) if lists else self._scan_heads()
        if missed := self._registry.check_against(heads):
            raise Behind(
                f"the ledger holds publications of {len(missed)} status lists that the registry does not"
                " know, as after a restored backup: run `vcid registry recover`"
            )
        refuse_old_ledger(published, heads)

    def recover(
        self, published: Mapping[str, bytes] | None = None, *, accept_loss: bool = False
    ) -> RecoveryReport:
        """Make a registry that was restored from a backup safe to use again.

        Its lists stay published and revocable, but no index of them is given out again. Publish afterwards.

        Args:
            published: the newest published contents of the lists, by URL: what was revoked in them stays so.
                An earlier one is taken too, but does not spare ``accept_loss``.
            accept_loss: go on without contents that are needed, and so take back revocations, or leave
                credentials that can't be revoked.

        Raises:
            Behind: the ledger is a restored backup, so that it can't tell what the registry missed.
            Conflict: contents are missing (``contents-missing``) or not those anchored (``not-published``).
        """
        versions = self._registry.published_versions()
        heads = self._scan_heads(*(published or {}))
        refuse_old_ledger(versions, heads)
        with suppress(Unavailable):
            self._ledger.check_witnesses()
        return self._registry.recover(heads, published=published, accept_loss=accept_loss)

    def _scan_heads(self, *more: str) -> dict[str, PublishedHead]:
        """Read the whole ledger for this issuer's lists."""
        heads = self._topics.scan()
        # Asked only now: a list is in the registry before it is in the ledger.
        return name_heads(heads, (*self._registry.list_ids(), *more))

"""Issuers by their did:webvh: what is published, anchored and carried, and a DID that moves and stays who it is."""

from dataclasses import replace
from datetime import timedelta

import pytest

from histories import HOST, Controller
from vcid.dids.methods import did_key
from vcid.dids.names import lasting_name, read_newest_name
from vcid.dids.webvh_parameters import WitnessRule
from vcid.dids.webvh_writing import Change, Signing, approve, gather_approvals, update
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import parse_object
from vcid.errors import Conflict, InvalidProof, Malformed, ResolutionFailed
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Anchored, Knowledge
from vcid.known_dids import KnownDids
from vcid.ledger.entries import Kind
from vcid.report import CheckName, Conclusion, Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from world import REGISTRY, START, World, birth

NEW = "registry.example"


class Scene:
    """An authority with a did:webvh, that issued one credential under its first name."""

    def __init__(self):
        self.world = World()
        self.signer = LocalSigner.generate()
        self.controller = Controller(self.world.clock, [self.signer.public_key])
        self.registry = self.world.registry()
        self.issuer = self.open()
        self.issuer.publish()
        self.credential = self.issuer.issue(birth(), key="a")
        self.old = self.issuer.did
        self.before = self.world.knowledge(self.issuer)

    def open(self, **practice):
        return self.world.issuer(
            self.controller.did,
            signer=self.signer,
            registry=self.registry,
            **{"did_log": self.controller.log, **practice},
        )

    def move(self):
        """The DID goes to another host, and the issuer publishes under its new name."""
        self.world.clock.advance(days=1)
        self.controller.move(NEW)
        self.issuer = self.open()
        self.issuer.publish()

    def policy(self, did=None, **changes):
        granted = self.world.accreditation(self.issuer, document_digest=None, **changes)
        granted = replace(granted, issuer=did or self.issuer.did)
        return self.world.policy(accreditations=(granted,))

    def check(self, credential=None, *, policy=None, known=None):
        known = known or self.world.knowledge(self.issuer)
        return self.world.verifier(policy or self.policy(), known).check(credential or self.credential)


@pytest.fixture
def scene():
    return Scene()


class TestPublishing:
    """What an issuer with a did:webvh publishes."""

    def test_the_log_is_anchored_and_convinces(self, scene):
        """Its bytes are the content, one digest for the whole history, under a topic without a place."""
        document = next(it for it in scene.issuer.published() if it.kind is Kind.DID_DOCUMENT)
        assert document.content == scene.controller.log
        assert document.list_id == lasting_name(scene.old) == scene.old.removesuffix(f":{HOST}")
        assert scene.check()
        pinned = scene.world.policy(scene.issuer)
        assert pinned.accreditations[0].document_digest == Anchored(scene.controller.log).digest
        assert scene.check(policy=pinned)

    def test_a_folder_brings_it_back(self, scene, tmp_path):
        """As did.jsonl, with entry and receipt, and its witnesses' file where there is one."""
        known = scene.world.knowledge(scene.issuer)
        held = replace(known.did_documents[scene.old], witness=b"[]")
        known = replace(known, did_documents={scene.old: held})
        known.save(tmp_path / "knowledge")
        read = Knowledge.load(tmp_path / "knowledge")
        assert (dict(read.did_documents), read.faults) == ({scene.old: held}, ())
        assert scene.check(known=read)
        read.save(tmp_path / "knowledge")

    @pytest.mark.parametrize(
        "content", [b"", b"{}\n", b"[]", b"\xff", b'{"id":"did:web:a.example"}', b"x" * 9**6]
    )
    def test_a_log_that_can_t_be_read_is_a_fault(self, scene, tmp_path, content):
        """And takes nothing else along."""
        known = scene.world.knowledge(scene.issuer)
        known.save(tmp_path / "knowledge")
        (tmp_path / "knowledge" / "dids" / "zzz.jsonl").write_bytes(content)
        read = Knowledge.load(tmp_path / "knowledge")
        assert [fault.path for fault in read.faults] == ["dids/zzz.jsonl"]
        assert dict(read.did_documents) == dict(known.did_documents)

    def test_a_practice_has_to_fit(self, scene):
        """No log, one without the signer's key, another DID's, an ended one, or another document beside it."""
        stranger = Controller(scene.world.clock, [scene.signer.public_key], "stranger.example")
        scene.world.clock.advance(days=1)
        kept = scene.controller.log
        without = scene.controller.list_keys([LocalSigner.generate().public_key])
        scene.controller.log = kept
        for practice in (
            {"did_log": None},
            {"did_log": b"{}"},
            {"did_log": stranger.log},
            {"did_log": without},
            {"document": {**scene.issuer.document, "alsoKnownAs": ["https://other.example"]}},
        ):
            with pytest.raises(ValueError, match=r"did|DID"):
                scene.open(**practice)
        scene.world.clock.advance(days=1)
        log = scene.controller.deactivate()
        with pytest.raises(ValueError, match="deactivated"):
            scene.open(did_log=log)

    def test_a_log_with_witnesses_of_its_own(self, scene):
        """Without its witness file it proves nothing, here and at the verifier's."""
        signer = LocalSigner.generate()
        rule = WitnessRule(threshold=1, witnesses=(signer.public_key.multikey,))
        scene.world.clock.advance(days=1)
        signing = Signing(scene.controller._signer, scene.world.clock.now)
        log = update(scene.controller.log, signing, change=Change(witness=rule))
        scene.world.clock.advance(days=1)
        log = update(log, Signing(scene.controller._signer, scene.world.clock.now))
        now = scene.world.clock.now
        witness = gather_approvals(None, [approve(log, signer, at=now)], log, at=now)
        with pytest.raises(ValueError, match="notFound"):
            scene.open(did_log=log)
        scene.issuer = scene.open(did_log=log, did_witness=witness)
        scene.issuer.publish()
        assert scene.check()
        known = scene.world.knowledge(scene.issuer)
        bare = replace(known.did_documents[scene.old], witness=None)
        report = scene.check(known=replace(known, did_documents={scene.old: bare}))
        assert (report[CheckName.KEY].outcome, report.document) == (Outcome.UNKNOWN, None)


class TestMoving:
    """Another host, and the same DID."""

    def test_accreditations_may_use_either_name(self, scene):
        """A credential of the old name, and one of the new, by an accreditation under any one of them."""
        scene.move()
        later = scene.issuer.issue(birth(2), key="b")
        assert scene.issuer.did != scene.old
        for did in (scene.old, scene.issuer.did):
            for credential in (scene.credential, later):
                assert scene.check(credential, policy=scene.policy(did)), (did, credential)

    def test_issuer_and_proof_may_use_different_names(self, scene):
        """Either name of the one DID in ``issuer``, and the other in the proof; of another DID's, neither."""
        scene.move()
        names = (scene.old, scene.issuer.did)
        document = parse_object(scene.credential.content)
        document.pop("proof")

        def sign(issuer, signing):
            method = f"{signing}#{scene.signer.public_key.multikey}"
            options = ProofOptions(verification_method=method, created=scene.world.clock.now)
            secured = {**document, "issuer": issuer}
            return scene.check(add_proof(secured, scene.signer, options, contexts=Contexts.carried()))

        for issuer, signing in (names, names[::-1]):
            assert sign(issuer, signing), (issuer, signing)
        stranger = did_key(scene.signer.public_key)
        for issuer in names:
            assert sign(issuer, stranger)[CheckName.ISSUER].code == "key-not-of-issuer"
            assert not sign(stranger, issuer)

    def test_the_registry_goes_on(self, scene):
        """What was issued under the old name is revoked under the new one; another DID is still refused."""
        scene.move()
        scene.issuer.revoke(key="a")
        scene.issuer.publish()
        assert scene.check()[CheckName.STATUS].code == "revoked"
        other = Controller(scene.world.clock, [scene.signer.public_key])
        for did, log in ((other.did, other.log), (REGISTRY, None)):
            with pytest.raises(Conflict, match="other-registry"):
                scene.world.issuer(did, signer=scene.signer, registry=scene.registry, did_log=log)

    def test_refreshed_knowledge_knows_it_once(self, scene):
        """The former name's log goes, as it is the same topic."""
        scene.move()
        known = scene.before.refreshed(scene.world.ledger, scene.issuer.published())
        assert set(known.did_documents) == {scene.issuer.did}
        assert scene.check(known=known)

    def test_the_log_from_before_the_move_decides_nothing_any_more(self, scene):
        """Beside today's receipts it is out of date, also where an accreditation has the old name."""
        former = scene.before.did_documents[scene.old]
        scene.move()
        known = scene.world.knowledge(scene.issuer)
        kept = known.did_documents[scene.issuer.did]
        for held in (former, replace(former, receipt=kept.receipt), replace(kept, content=former.content)):
            mixed = replace(known, did_documents={scene.old: held})
            for did in (scene.old, scene.issuer.did):
                report = scene.check(policy=scene.policy(did), known=mixed)
                assert report.conclusion is not Conclusion.VERIFIED

    def test_a_name_that_the_log_does_not_have_is_nobodys(self, scene):
        """The same identifier at a place where it never was: its own policy can't make it the issuer's."""
        scene.move()
        claimed = scene.old.replace(HOST, "thief.example")
        report = scene.check(policy=scene.policy(claimed))
        assert (report[CheckName.ISSUER].outcome, report[CheckName.ISSUER].code) == (
            Outcome.UNKNOWN,
            "issuer-not-accredited",
        )
        dids = KnownDids(scene.world.knowledge(scene.issuer), scene.world.clock)
        assert dids.names(scene.old) == {scene.old, scene.issuer.did}
        assert dids.names(claimed) == {claimed}
        with pytest.raises(ResolutionFailed, match="notFound"):
            dids.method(f"{claimed}#{scene.signer.public_key.multikey}", "assertionMethod", START)

    def test_a_forged_log_says_nothing(self, scene):
        """Changed or cut anywhere: unknown, and nothing of the document is believed."""
        scene.move()
        known = scene.world.knowledge(scene.issuer)
        held = known.did_documents[scene.issuer.did]
        lines = held.content.splitlines(keepends=True)
        for content in (
            held.content.replace(b'"portable":true', b'"portable":false'),
            b"".join(lines[1:]),
            lines[0] + lines[0],
            held.content + b"{}\n",
            held.content[:-40],
        ):
            forged = replace(known, did_documents={scene.issuer.did: replace(held, content=content)})
            report = scene.check(known=forged)
            assert report[CheckName.KEY].outcome is Outcome.UNKNOWN
            assert report.conclusion is Conclusion.UNDECIDED


class TestMoments:
    """Which document counts for which moment."""

    def test_each_moment_has_its_document(self, scene):
        """Before the DID was there, no key; a key that came later had no say before; one removed has none after."""
        clock, first, second = scene.world.clock, scene.signer, LocalSigner.generate()
        clock.advance(days=10)
        scene.controller.list_keys([second.public_key])
        known = Knowledge(did_documents={scene.old: Anchored(scene.controller.log)})
        dids = KnownDids(known, clock)
        urls = [f"{scene.old}#{key.public_key.multikey}" for key in (first, second)]

        def find(number, day):
            return dids.method(urls[number], "assertionMethod", START + timedelta(days=day))

        assert find(0, 0).public_key == find(0, 9).public_key == first.public_key
        assert find(1, 10).public_key == second.public_key
        for number, day in ((0, 10), (1, 9)):
            with pytest.raises(InvalidProof, match="unknown-method"):
                find(number, day)
        with pytest.raises(ResolutionFailed, match="notFound"):
            find(0, -1)

    def test_a_log_from_the_future_may_come_to_hold(self, scene):
        """Refused for now, and read again when a minute has passed."""
        clock = scene.world.clock
        clock.advance(days=1)
        scene.controller.list_keys([scene.signer.public_key])
        clock.advance(days=-1)
        known = Knowledge(did_documents={scene.old: Anchored(scene.controller.log)})
        dids = KnownDids(known, clock)
        url = f"{scene.old}#{scene.signer.public_key.multikey}"
        with pytest.raises(ResolutionFailed, match="invalidDidDocument"):
            dids.method(url, "assertionMethod", START)
        clock.advance(days=1)
        assert dids.method(url, "assertionMethod", START)


def test_the_newest_name_is_read_off_the_last_line(scene):
    """Unverified, and nothing but a did:webvh's."""
    assert read_newest_name(scene.controller.log) == scene.old
    for log in (b"", b"{}", scene.controller.log.replace(b'"id":"did:webvh:', b'"id":"did:web:', 1)):
        with pytest.raises(Malformed):
            read_newest_name(log)

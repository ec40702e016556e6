"""What may not be shown in part: neither our issuer nor our verifier lends itself to it."""

import pytest

from presenting import DEMANDED, Family, person
from vcid.credentials.delegation import Delegation
from vcid.credentials.guardianship import Guardianship
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import parse_object
from vcid.encoding.multikey import KeyType
from vcid.errors import Malformed
from vcid.issuers import KnownIssuers
from vcid.keys.signing import LocalSigner
from vcid.report import CheckName, Conclusion, Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.securing.disclosure import WHOLE_TYPES, add_base_proof, is_whole_only
from world import World

CONTEXTS = Contexts.carried()
SUITES = frozenset({"ecdsa-sd-2023", "ecdsa-jcs-2019", "ecdsa-rdfc-2019"})
RESTRICTING = tuple(f"/{name}" for name in ("issuer", "validFrom", "credentialStatus", "credentialSchema"))
UNSAFE = {"unsafe_exact_pointers": True}


@pytest.fixture(scope="module")
def family():
    """A family of which the registry signs with a key that other software makes base proofs with."""
    family = Family.__new__(Family)
    family.world, family.registrar = World(), LocalSigner.generate(KeyType.P256)
    family.issuer = family.world.issuer(signer=family.registrar)
    family.issuer.publish()
    family.child, family.mother = person(family.world), person(family.world)
    return family


@pytest.fixture(scope="module")
def guardianship(family):
    """The guardianship as a document without its proof."""
    document = parse_object(family.guardianship.content)
    del document["proof"]
    return document


def options(family, suite="ecdsa-sd-2023", **changes):
    method = f"{family.issuer.did}#{family.registrar.public_key.multikey}"
    created = family.world.clock.now
    return ProofOptions(verification_method=method, cryptosuite=suite, created=created, **changes)


def derive(family, document, but=(), pointers=RESTRICTING):
    """What a holder derives, who leaves members of the subject out, of a base proof by careless software."""
    base = add_base_proof(
        document,
        family.registrar,
        options(family, **UNSAFE),
        mandatory_pointers=pointers,
        contexts=CONTEXTS,
    )
    kept = [f"/credentialSubject/{name}" for name in document["credentialSubject"] if name not in but]
    return base.derive(kept, contexts=CONTEXTS)


@pytest.mark.parametrize("hidden", [(), ("permittedActs",), ("basis", "orderRef")])
def test_a_guardianship_shown_in_part_is_undecided(family, guardianship, hidden):
    """Also where nothing was left out: nothing in it says so. No claim is read, and nothing tolerates it."""
    shown = derive(family, guardianship, but=hidden)
    with pytest.raises(ValueError, match="tolerated"):
        family.verifier(suites=SUITES, tolerated=frozenset({"proof:shown-in-part"}))
    for changes in ({}, {"unsafe_any_issuer": True}):
        verifier = family.verifier(suites=SUITES, **changes)
        report = verifier.check(shown)
        assert (report[CheckName.PROOF].outcome, report[CheckName.PROOF].code) == (
            Outcome.UNKNOWN,
            "shown-in-part",
        )
        assert report.conclusion is Conclusion.UNDECIDED
        assert report.document is None
    presented = family.mother.present([shown], **DEMANDED)
    suites = SUITES | {"eddsa-jcs-2022"}
    report = family.verifier(suites=suites).check_presentation(presented, **DEMANDED)
    assert report.conclusion is Conclusion.UNDECIDED
    assert report.credentials[0][CheckName.PROOF].code == "shown-in-part"


def test_a_proof_of_the_whole_suffices(family, guardianship):
    """The guardianship as it was issued verifies, and with a proof of the whole beside a derived one."""
    verifier = family.verifier(suites=SUITES)
    assert verifier.check(family.guardianship)
    whole = add_proof(guardianship, family.registrar, options(family, "ecdsa-rdfc-2019"), contexts=CONTEXTS)
    derived = derive(family, guardianship, pointers=[f"/{name}" for name in guardianship if name[0] != "@"])
    both = {**whole, "proof": [whole["proof"], derived["proof"]]}
    assert verifier.check(both), str(verifier.check(both))
    assert not family.verifier(suites=frozenset({"ecdsa-sd-2023"})).check(both)


def test_a_status_list_shown_in_part_is_not_believed(family):
    """Who serves a list could leave out its end: it is judged as a guardianship is."""
    policy = family.world.policy(family.issuer, suites=SUITES)
    known = family.world.knowledge(family.issuer)
    issuers = KnownIssuers(policy, known, CONTEXTS)
    now = family.world.clock.now
    for anchored in known.status_lists.values():
        assert issuers.check_proof(parse_object(anchored.content), now).verified is not None
        document = {name: value for name, value in parse_object(anchored.content).items() if name != "proof"}
        derived = derive(family, document, pointers=("/issuer",))
        result = issuers.check_proof(derived, now)
        assert (result.proof.code, result.verified) == ("shown-in-part", None)


@pytest.mark.parametrize("name", sorted(WHOLE_TYPES))
def test_no_base_proof_is_made_of_what_is_shown_whole(family, guardianship, name):
    """Neither with pointers nor without, however the type is written; only where that is asked for by name."""
    for types in (["VerifiableCredential", name], name):
        document = {**guardianship, "type": types}
        for pointers in ((), ("/credentialSubject",)):
            with pytest.raises(Malformed) as caught:
                add_base_proof(
                    document,
                    family.registrar,
                    options(family),
                    mandatory_pointers=pointers,
                    contexts=CONTEXTS,
                )
            assert caught.value.code == "not-disclosable"
    assert add_base_proof(
        {**guardianship, "type": ["VerifiableCredential"]},
        family.registrar,
        options(family),
        contexts=CONTEXTS,
    )


def test_the_types_are_those_of_the_records():
    """A type that is renamed does not slip out of the rule; other types, and none, are no such types."""
    assert {Guardianship.credential_type, Delegation.credential_type} < WHOLE_TYPES
    assert not is_whole_only({"type": ["VerifiableCredential", "BirthRegistrationCredential"]})
    assert not is_whole_only({"type": [{"x": 1}, 7, None]})
    assert not is_whole_only({})

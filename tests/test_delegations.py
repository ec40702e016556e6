"""Delegated authority: chains that hold, and every way in which a link may not."""

import json
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from delegating import BIRTH, LADDER, YEAR, Ladder
from vcid.delegation_links import Authority, Candidate, Inquiry, Links
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import InvalidRecord
from vcid.issuers import KnownIssuers
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.report import Conclusion, Outcome
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.trust import DELEGATION_TYPE
from vcid.verifier import Surroundings
from world import START, World, birth

LENGTH = 3


@pytest.fixture(scope="module")
def ladder():
    return Ladder(LENGTH)


@pytest.fixture(scope="module")
def chain(ladder):
    return ladder.chain()


def told(report, outcome, code, place=""):
    """The issuer check alone decides, with this reason and at this link."""
    check = report["issuer"]
    assert not report
    assert (check.outcome, check.code) == (outcome, code), str(report)
    assert place in check.detail
    assert "did:" not in check.detail
    return check


def with_link(chain, number, link):
    """The chain with one link replaced."""
    return [*chain[: number - 1], link, *chain[number:]]


# What holds


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_a_chain_of_one_to_four_links_entitles_its_last_delegate(length):
    """Nothing but the ministry is accredited; the report says over how many links, and how fresh all is."""
    ladder = Ladder(length)
    report = ladder.check(*ladder.chain())
    assert report, str(report)
    assert report["issuer"].detail.startswith(f"appointed by delegation over {length} link")
    assert report.fresh_as_of == START
    assert [check.name for check in report.checks].count("issuer") == 1


def test_a_fifth_link_is_refused():
    """Each link counts down, so that none of five can be written; and what is forged to say so is refused."""
    ladder = Ladder(5)
    with pytest.raises(InvalidRecord):
        ladder.appoint(1)
    depths = [3, 2, 1, 1, 0]
    chain = [ladder.appoint(number, may_delegate=depth) for number, depth in enumerate(depths[:4], start=1)]
    chain.append(ladder.appoint(5))
    told(ladder.check(*chain), Outcome.UNKNOWN, "issuer-not-accredited")
    verifier = ladder.world.verifier(ladder.policy(), ladder.knowledge(*chain))
    told(verifier.check(chain[4]), Outcome.UNKNOWN, "delegation-exhausted", "link 4 of 4")


def test_without_delegations_the_delegate_is_a_stranger(ladder):
    """Nothing known means nothing said."""
    told(ladder.check(), Outcome.UNKNOWN, "issuer-not-accredited")


@pytest.mark.parametrize("missing", [1, 2, 3])
def test_withholding_any_link_makes_the_delegate_a_stranger(ladder, chain, missing):
    """A chain with a gap leads nowhere."""
    told(ladder.check(*chain[: missing - 1], *chain[missing:]), Outcome.UNKNOWN, "issuer-not-accredited")


def test_one_good_delegation_of_several_suffices(ladder, chain):
    """A lapsed one, a broken one and a needless copy take nothing from it, in any order."""
    lapsed = ladder.appoint(3, valid_until=START - timedelta(days=1))
    broken = chain[2].replace(b'"KE"', b'"UG"')
    pile = [lapsed, broken, *chain, chain[2]]
    assert ladder.check(*pile)
    assert ladder.check(*reversed(pile))


def test_a_delegation_is_itself_believed_over_the_links_above_it(ladder, chain):
    """A delegation credential is verified like any other; so is what it hands on."""
    verifier = ladder.world.verifier(ladder.policy(), ladder.knowledge(*chain))
    assert verifier.check(chain[0])
    assert verifier.check(chain[2])
    beyond = ladder.appoint(3, jurisdictions=("UG",))
    told(verifier.check(beyond), Outcome.UNKNOWN, "jurisdiction-not-accredited", "link 2 of 2")
    part = ladder.appoint(2, jurisdictions=("KE-30",))
    verifier = ladder.world.verifier(ladder.policy(), ladder.knowledge(chain[0], part))
    told(verifier.check(chain[2]), Outcome.FAILED, "jurisdiction-not-accredited", "link 2 of 2")


def test_an_accreditation_of_the_delegates_own_suffices(ladder):
    """An accreditation of the delegate's own goes before any delegation."""
    both = replace(
        ladder.policy(),
        accreditations=(
            *ladder.policy().accreditations,
            ladder.world.accreditation(ladder.authorities[-1]),
        ),
    )
    report = ladder.world.verifier(both, ladder.knowledge()).check(ladder.birth())
    assert report
    assert report["issuer"].detail == ""


# What anybody could have made: the issuer stays unknown


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_flipped_byte_in_any_link_is_found(ladder, chain, number):
    """The proof of that very link does not hold."""
    forged = chain[number - 1].replace(b'"KE"', b'"TZ"')
    report = ladder.check(*with_link(chain, number, forged))
    told(report, Outcome.UNKNOWN, "delegation-unverified", f"link {number} of 3: the delegation's proof")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_link_signed_by_another_key_is_found(ladder, chain, number):
    """A stranger's signature under the delegator's method, and under the stranger's own."""
    stranger, document = LocalSigner.generate(), parse_object(chain[number - 1])
    proof = document.pop("proof")
    for method, reason in (
        (proof["verificationMethod"], "proof"),
        (f"did:key:{stranger.public_key.multikey}#{stranger.public_key.multikey}", "issuer"),
    ):
        options = ProofOptions(verification_method=method, created=START)
        forged = canonicalize(add_proof(document, stranger, options, contexts=Contexts.carried()))
        report = ladder.check(*with_link(chain, number, forged))
        told(
            report, Outcome.UNKNOWN, "delegation-unverified", f"link {number} of 3: the delegation's {reason}"
        )


def test_a_delegator_whose_document_is_not_known_leaves_the_link_open(ladder, chain):
    """Without the region's DID document its signature can't be judged."""
    knowledge = ladder.knowledge(*chain)
    documents = {
        did: known for did, known in knowledge.did_documents.items() if did != ladder.authorities[1].did
    }
    report = ladder.world.verifier(ladder.policy(), replace(knowledge, did_documents=documents)).check(
        ladder.birth()
    )
    told(report, Outcome.UNKNOWN, "delegation-unverified", "link 2 of 3: the delegation's key")


@pytest.mark.parametrize(
    "junk",
    [b"", b"{}", b"[]", b"\xff", b'{"type":"DelegationCredential"}', b"[" * 5000, b"x" * 40_000],
)
def test_what_is_no_delegation_is_passed_over(ladder, chain, junk):
    """Whatever the bytes, they neither help nor harm."""
    assert ladder.check(junk, *chain)
    told(ladder.check(junk), Outcome.UNKNOWN, "issuer-not-accredited")


def test_delegations_among_strangers_lead_nowhere(ladder, chain):
    """A cycle that no accreditation reaches, and somebody who appoints himself, are nobody's word."""
    world = ladder.world
    policy = replace(ladder.policy(), accreditations=())
    back = replace(ladder.delegation(2), delegate=ladder.authorities[0].did)
    circle = [*chain, ladder.authorities[3].issue(back, key="circle").content]
    report = world.verifier(policy, ladder.knowledge(*circle)).check(ladder.birth())
    told(report, Outcome.UNKNOWN, "issuer-not-accredited")


def test_a_cycle_below_an_accreditation_comes_to_nothing(ladder, chain):
    """The region appoints itself again, and the district the region: true chains beside them still hold."""
    region, district = ladder.authorities[1:3]
    again = region.issue(replace(ladder.delegation(2), delegate=region.did), key="again").content
    back = district.issue(replace(ladder.delegation(3), delegate=region.did), key="back").content
    assert ladder.check(again, back, *chain)
    report = ladder.check(again, back, *chain[1:])
    told(report, Outcome.UNKNOWN, "issuer-not-accredited")
    lapsed = ladder.appoint(3, valid_until=START)
    told(ladder.check(again, back, *chain[:2], lapsed), Outcome.FAILED, "delegation-expired", "link 3 of 3")


def test_a_link_back_to_its_own_delegators_is_not_even_verified(ladder, chain):
    """Neither to the last one nor to the first: no credential is looked at for it, and no key."""

    def check_link(*_):
        raise AssertionError("a link that leads back is not verified")

    inquiry = Inquiry(START, START, check_link)
    links = Links(ladder.policy(), KnownIssuers(ladder.policy(), Knowledge(), Contexts.carried()))
    ministry, region = (each.did for each in ladder.authorities[:2])
    authority = Authority(ladder.policy().accreditations[0], (ministry, region))
    for delegate in (ministry, region):
        candidate = Candidate(0, region, delegate, parse_object(chain[1]), len(chain[1]))
        check = links.refuse(authority, candidate, inquiry).to_check("link 2 of 3")
        assert (check.outcome, check.code) == (Outcome.UNKNOWN, "delegation-cycle")


def test_who_appoints_himself_gains_nothing(ladder):
    """Neither a stranger, nor the ministry beyond what the policy accredits it for."""
    ministry = ladder.authorities[0]
    itself = ministry.issue(replace(ladder.delegation(3), delegate=ministry.did), key="itself").content
    paper = ministry.issue(birth(registration=replace(birth().registration, jurisdiction="UG")), key="UG")
    verifier = ladder.world.verifier(ladder.policy(), ladder.knowledge(itself))
    told(verifier.check(paper), Outcome.FAILED, "jurisdiction-not-accredited")


# What the delegator did sign, and must not have: the issuer is not entitled


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_revoked_link_ends_the_authority_below_it(number):
    """Whichever link it is, once the revocation is published."""
    ladder = Ladder(LENGTH)
    chain = ladder.chain()
    paper = ladder.birth()
    assert ladder.check(*chain)
    delegator = ladder.authorities[number - 1]
    delegator.revoke(key=f"link-{number}-[]")
    for authority in ladder.authorities:
        authority.publish()
    report = ladder.world.verifier(ladder.policy(), ladder.knowledge(*chain)).check(paper)
    told(report, Outcome.FAILED, "delegation-revoked", f"link {number} of 3")
    assert report.conclusion is Conclusion.REJECTED


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_lapsed_link_ends_the_authority_below_it(ladder, chain, number):
    """Both when the credential was signed and now."""
    lapsed = ladder.appoint(number, valid_until=START - timedelta(seconds=1))
    below = [
        ladder.appoint(each, valid_until=START - timedelta(seconds=1))
        for each in range(number + 1, LENGTH + 1)
    ]
    report = ladder.check(*chain[: number - 1], lapsed, *below)
    told(report, Outcome.FAILED, "delegation-expired", f"link {number} of 3")


@pytest.mark.parametrize("number", [1, 2, 3])
def test_a_link_that_has_not_begun_gives_no_authority_yet(ladder, chain, number):
    """Even where it was in force by a minute's difference."""
    early = ladder.appoint(number, valid_from=START + timedelta(minutes=1))
    below = [
        ladder.appoint(each, valid_from=START + timedelta(minutes=1))
        for each in range(number + 1, LENGTH + 1)
    ]
    report = ladder.check(*chain[: number - 1], early, *below)
    told(report, Outcome.FAILED, "delegation-not-yet-valid", f"link {number} of 3")


def test_a_delegation_has_to_cover_the_signing_and_the_moment_asked_about():
    """What was signed before the appointment stays unentitled; what was signed in it ends with it."""
    ladder = Ladder(1)
    before = ladder.authorities[1].issue(birth(1), key="before")
    ladder.world.clock.advance(days=40)
    during = ladder.authorities[1].issue(birth(2), key="during")
    link = ladder.appoint(1, valid_from=START + timedelta(days=39), valid_until=START + timedelta(days=60))
    for authority in ladder.authorities:
        authority.publish()
    verifier = ladder.world.verifier(ladder.policy(), ladder.knowledge(link))
    assert verifier.check(during)
    told(verifier.check(before), Outcome.FAILED, "delegation-not-yet-valid", "link 1 of 1")
    after = verifier.check(during, at=START + timedelta(days=60))
    told(after, Outcome.FAILED, "delegation-expired", "link 1 of 1")


@pytest.mark.parametrize(
    ("number", "changes", "code"),
    [
        (1, {"jurisdictions": ("UG",)}, "delegation-outreaches"),
        (1, {"jurisdictions": ("KE", "UG")}, "delegation-outreaches"),
        (2, {"jurisdictions": ("KE", "UG")}, "delegation-outreaches"),
        (3, {"jurisdictions": ("KE", "TZ-01")}, "delegation-outreaches"),
        (
            1,
            {"credential_types": (BIRTH, "GuardianshipCredential", DELEGATION_TYPE)},
            "delegation-outreaches",
        ),
        (
            2,
            {"credential_types": (BIRTH, "GuardianshipCredential", DELEGATION_TYPE)},
            "delegation-outreaches",
        ),
        (3, {"credential_types": (BIRTH, "GuardianshipCredential")}, "delegation-outreaches"),
        (2, {"valid_until": START + 2 * YEAR}, "delegation-outlives"),
        (3, {"valid_until": None}, "delegation-outlives"),
        (2, {"valid_from": START - YEAR}, "delegation-outlives"),
        (2, {"may_delegate": 2}, "delegation-exhausted"),
    ],
)
def test_a_link_that_goes_beyond_its_parent_is_refused(ladder, chain, number, changes, code):
    """By jurisdiction, type, period and depth, none of it trimmed to what would fit; it harms nobody either."""
    beyond = ladder.appoint(number, **changes)
    report = ladder.check(*with_link(chain, number, beyond))
    told(report, Outcome.UNKNOWN, code, f"link {number} of 3")
    assert report.conclusion is Conclusion.UNDECIDED
    assert ladder.check(beyond, *chain)


def test_a_country_covers_its_subdivisions_and_never_the_reverse(ladder, chain):
    """The region's KE may be handed on as KE-30; from there KE can't be had back."""
    part = ladder.appoint(2, jurisdictions=("KE-30",))
    told(ladder.check(chain[0], part, chain[2]), Outcome.UNKNOWN, "delegation-outreaches", "link 3 of 3")
    last = ladder.appoint(3, jurisdictions=("KE-30",))
    told(ladder.check(chain[0], part, last), Outcome.UNKNOWN, "jurisdiction-not-accredited", "link 3 of 3")
    told(ladder.check(*chain[:2], last), Outcome.FAILED, "jurisdiction-not-accredited", "link 3 of 3")
    local = ladder.authorities[-1].issue(
        birth(registration=replace(birth().registration, jurisdiction="KE-30")), key="local"
    )
    verifier = ladder.world.verifier(ladder.policy(), ladder.knowledge(chain[0], part, last))
    assert verifier.check(local)


def test_a_delegate_may_issue_only_what_it_was_appointed_for(ladder):
    """A link for guardianships says nothing of births, unless by who could have appointed for births too."""
    both = (BIRTH, "GuardianshipCredential", DELEGATION_TYPE)
    wide = [ladder.appoint(number, credential_types=both) for number in (1, 2)]
    narrow = [ladder.appoint(number, credential_types=both[1:]) for number in (1, 2)]
    last = ladder.appoint(3, credential_types=both[1:2])
    accreditations = (replace(ladder.policy().accreditations[0], credential_types=frozenset(both)),)
    policy = replace(ladder.policy(), accreditations=accreditations)

    def check(*links):
        return ladder.world.verifier(policy, ladder.knowledge(*links)).check(ladder.birth())

    told(check(*wide, last), Outcome.FAILED, "type-not-accredited", "link 3 of 3")
    told(check(*narrow, last), Outcome.UNKNOWN, "type-not-accredited", "link 3 of 3")
    assert check(*narrow, *wide, last, ladder.appoint(3))


def test_who_may_not_delegate_appoints_nobody(ladder, chain):
    """Neither the ministry that the policy accredits for births alone, nor an office appointed for them."""
    plain = ladder.world.accreditation(ladder.authorities[0])
    report = ladder.world.verifier(
        replace(ladder.policy(), accreditations=(plain,)), ladder.knowledge(*chain)
    ).check(ladder.birth())
    told(report, Outcome.UNKNOWN, "delegation-not-allowed", "link 1 of 3")
    last = ladder.appoint(2, credential_types=(BIRTH,), may_delegate=0)
    told(ladder.check(chain[0], last, chain[2]), Outcome.UNKNOWN, "delegation-not-allowed", "link 3 of 3")


def test_a_policy_may_bound_the_depth(ladder, chain):
    """An accreditation that allows two links allows no three."""
    accreditations = (replace(ladder.policy().accreditations[0], may_delegate=2),)
    policy = replace(ladder.policy(), accreditations=accreditations)
    report = ladder.world.verifier(policy, ladder.knowledge(*chain)).check(ladder.birth())
    told(report, Outcome.UNKNOWN, "delegation-exhausted", "link 1 of 3")


def test_an_accreditation_that_ended_before_the_link_was_signed_gives_nothing(ladder, chain):
    """The ministry signed after its office had ended, though for a period within it."""
    ended = (replace(ladder.policy().accreditations[0], valid_until=START - timedelta(days=1)),)
    link = ladder.appoint(1, valid_until=START - timedelta(days=2))
    verifier = ladder.world.verifier(
        replace(ladder.policy(), accreditations=ended), ladder.knowledge(link, *chain[1:])
    )
    told(verifier.check(ladder.birth()), Outcome.UNKNOWN, "delegation-outside-accreditation", "link 1 of 3")


def test_a_link_signed_before_its_parent_had_authority_gives_none():
    """The ministry signed a day before its office began, for a period within it."""
    ladder = Ladder(1)
    link = ladder.appoint(1, valid_from=START + timedelta(days=2))
    ladder.world.clock.advance(days=3)
    paper = ladder.birth()
    for authority in ladder.authorities:
        authority.publish()
    knowledge = ladder.knowledge(link)
    assert ladder.world.verifier(ladder.policy(), knowledge).check(paper)
    begun = ladder.policy(valid_from=START + timedelta(days=1))
    report = ladder.world.verifier(begun, knowledge).check(paper)
    told(report, Outcome.UNKNOWN, "delegation-outside-accreditation", "link 1 of 1")


# What the verifier's knowledge does not suffice for


def test_a_link_whose_status_is_not_known_leaves_the_issuer_open(ladder, chain):
    """The region's status list is missing: the district may have been dismissed."""
    knowledge = ladder.knowledge(*chain)
    lists = {url: it for url, it in knowledge.status_lists.items() if f"{LADDER[1]}.example" not in url}
    verifier = ladder.world.verifier(ladder.policy(), replace(knowledge, status_lists=lists))
    report = verifier.check(ladder.birth())
    told(report, Outcome.UNKNOWN, "delegation-unknown-status", "link 2 of 3")
    assert report.conclusion is Conclusion.UNDECIDED


def test_a_link_whose_anchor_is_stale_leaves_the_issuer_open_unless_tolerated(ladder, chain):
    """The policy tolerates of a link's evidence what it tolerates of all evidence."""
    paper, late = ladder.birth(), World().clock
    late.advance(days=30)
    knowledge = ladder.knowledge(*chain)
    surroundings = Surroundings(clock=late)
    verifier = ladder.world.verifier(ladder.policy(), knowledge, surroundings=surroundings)
    told(verifier.check(paper), Outcome.UNKNOWN, "delegation-unanchored", "link 1 of 3")
    tolerant = replace(ladder.policy(), tolerated=frozenset({"anchor:stale"}))
    assert ladder.world.verifier(tolerant, knowledge, surroundings=surroundings).check(paper)


def test_a_delegate_with_no_owner_named_can_issue_nothing_that_is_anchored(ladder, chain):
    """Without its ledger key neither its lists nor its document can be recognised; a second link mends that."""
    bare = ladder.appoint(3, owner=None)
    report = ladder.check(*chain[:2], bare)
    assert report["issuer"].outcome is Outcome.PASSED
    assert report["anchor"].code == "no-owner"
    assert ladder.check(*chain[:2], bare, chain[2])
    assert ladder.check(*chain, bare)


def test_a_delegates_document_is_pinned_where_the_anchor_is_tolerated(ladder, chain):
    """Else a document of anybody's making would do; with a digest, only the true one does."""
    tolerant = replace(ladder.policy(), tolerated=frozenset({"anchor"}))

    def check(*links):
        return ladder.world.verifier(tolerant, ladder.knowledge(*links)).check(ladder.birth())

    told(check(*chain), Outcome.UNKNOWN, "delegation-unpinned", "link 1 of 3")
    pinned = [
        ladder.appoint(number, document_digest=ladder.authorities[number].document_digest)
        for number in (1, 2, 3)
    ]
    assert check(*pinned)
    swapped = ladder.appoint(3, document_digest=b"\x01" * 32)
    report = check(*pinned[:2], swapped)
    assert report["key"].code == "did-document-swapped"
    swapped = ladder.appoint(2, document_digest=b"\x01" * 32)
    told(check(pinned[0], swapped, pinned[2]), Outcome.UNKNOWN, "delegation-unverified", "link 3 of 3")


# What an authority signs about others' offices: no say over what is not its own


def abroad(world):
    """A registry of another country, and a birth that it registered there."""
    registry = world.issuer("did:web:abroad.example", registry=world.registry("abroad"))
    registry.publish()
    paper = registry.issue(birth(registration=replace(birth().registration, jurisdiction="UG")), key="abroad")
    return registry, paper


@pytest.mark.parametrize("types", [{BIRTH}, {BIRTH, DELEGATION_TYPE}], ids=["clerk", "delegator"])
@pytest.mark.parametrize("place", ["KE", "UG"])
@pytest.mark.parametrize("state", ["held", "revoked", "lapsed"])
def test_nobody_gets_a_strangers_paper_rejected_by_naming_the_stranger(types, place, state):
    """Whoever of one country appoints a registry of another, for whatever and until whenever."""
    ladder = Ladder(1)
    registry, paper = abroad(ladder.world)
    changes = {"valid_until": START - timedelta(days=1)} if state == "lapsed" else {}
    record = replace(ladder.delegation(1, jurisdictions=(place,), **changes), delegate=registry.did)
    link = ladder.authorities[0].issue(record, key="abroad").content
    if state == "revoked":
        ladder.authorities[0].revoke(key="abroad")
        ladder.authorities[0].publish()
    granted = ladder.world.accreditation(ladder.authorities[0], credential_types=frozenset(types))
    policy = replace(ladder.policy(), accreditations=(granted,))
    known = replace(ladder.world.knowledge(*ladder.authorities, registry), delegations=(link,))
    report = ladder.world.verifier(policy, known).check(paper)
    assert report.conclusion is Conclusion.UNDECIDED, str(report)
    assert report["issuer"].outcome is Outcome.UNKNOWN


@pytest.mark.parametrize("number", [1, 2, 3])
def test_an_end_weighs_only_on_what_the_delegation_was_for(ladder, chain, number):
    """A lapsed appointment for KE-30 is nothing against a paper for all of KE, whose own link may be missing."""
    until = START - timedelta(seconds=1)
    links = [ladder.appoint(each, jurisdictions=("KE-30",), valid_until=until) for each in range(number, 4)]
    report = ladder.check(*chain[: number - 1], *links)
    told(report, Outcome.UNKNOWN, "delegation-expired", f"link {number} of 3")
    assert ladder.check(*chain, *links)


# Bounded work


def forge(link, count, padding=0):
    """So many delegations with the true one's proof, which does not cover them."""
    document = parse_object(link)
    document["description"] = "x" * padding
    for number in range(count):
        document["id"] = f"urn:uuid:{number:08x}-0000-4000-8000-000000000000"
        yield json.dumps(document).encode()


def test_a_pile_of_ten_thousand_hostile_delegations_is_worked_off_in_bounded_time(ladder, chain):
    """Forged links to the very issuer: a part of them is tried, each once, and the answer is a clear unknown."""
    paper, pile = ladder.birth(), forge(chain[0], 10_000)
    named = [
        link.replace(ladder.authorities[1].did.encode(), ladder.authorities[3].did.encode()) for link in pile
    ]
    verifier = ladder.world.verifier(ladder.policy(), ladder.knowledge(*named))
    begin = time.perf_counter()
    told(verifier.check(paper), Outcome.UNKNOWN, "too-many-delegations")
    assert time.perf_counter() - begin < 10


def test_two_thousand_forged_links_hide_no_true_one():
    """Each is refused, once, and the true one that lies beneath them is found."""
    ladder = Ladder(1)
    (true,) = ladder.chain()
    paper, pile = ladder.birth(), [*forge(true, 2_000)]
    told(
        ladder.world.verifier(ladder.policy(), ladder.knowledge(*pile)).check(paper),
        Outcome.UNKNOWN,
        "delegation-unverified",
    )
    verifier = ladder.world.verifier(ladder.policy(), ladder.knowledge(*pile, true))
    assert verifier.check(paper)
    begin = time.perf_counter()
    assert verifier.check(paper)
    assert time.perf_counter() - begin < 10


def test_hostile_delegations_as_long_as_they_may_be_are_tried_last(ladder, chain):
    """Only so many bytes are worked through, the longest last: long forgeries hide nothing."""
    pile = [*forge(chain[2], 160, padding=30_000)]
    told(ladder.check(*chain[:2], *pile), Outcome.UNKNOWN, "too-many-delegations")
    assert ladder.check(*pile, *chain)


def test_what_a_delegator_did_sign_is_tried_only_so_often():
    """An office that signs hundreds of useless links leaves its own delegates undecided, and nobody believed."""
    ladder = Ladder(1)
    links = [ladder.appoint(1, valid_until=START - timedelta(seconds=each)) for each in range(1, 503)]
    told(ladder.check(*links), Outcome.UNKNOWN, "too-many-delegations")


def test_ten_thousand_delegations_among_strangers_cost_no_signature_and_hide_nothing(ladder, chain):
    """A dense web of names that no accreditation reaches stands beside the true chain, which is found."""
    document = parse_object(chain[2])
    pile = []
    for number in range(9_990):
        document["issuer"] = f"did:web:s{number % 97}.example"
        document["credentialSubject"]["id"] = (
            ladder.authorities[3].did if number % 3 == 0 else f"did:web:s{number % 89}.example"
        )
        pile.append(json.dumps(document).encode())
    verifier = ladder.world.verifier(ladder.policy(), ladder.knowledge(*pile, *chain))
    begin = time.perf_counter()
    assert verifier.check(ladder.birth())
    assert time.perf_counter() - begin < 10


# Knowledge


def test_knowledge_keeps_delegations_in_its_folder(ladder, chain, tmp_path):
    """Saved, loaded and renewed, they still entitle; a broken file is named, and a copy ousts nothing."""
    knowledge = ladder.knowledge(*chain)
    knowledge.save(tmp_path / "knowledge")
    (tmp_path / "knowledge" / "delegations" / "0.json").write_bytes(b"{")
    (tmp_path / "knowledge" / "delegations" / "1.json").write_bytes(chain[1])
    loaded = Knowledge.load(tmp_path / "knowledge")
    assert set(loaded.delegations) == set(chain)
    assert [fault.path for fault in loaded.faults] == ["delegations/0.json"]
    loaded = loaded.refreshed(ladder.world.ledger, ladder.authorities[0].published())
    assert ladder.world.verifier(ladder.policy(), loaded).check(ladder.birth())

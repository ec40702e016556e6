"""Delegations drawn at random: whoever adds any gets no issuer believed whom no valid chain appoints."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from vcid.credentials.delegation import Delegation
from vcid.credentials.model import Draft, build
from vcid.dids.methods import did_key
from vcid.encoding.contexts import Contexts
from vcid.encoding.json import JsonObject, canonicalize
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.policy import Policy
from vcid.report import Conclusion
from vcid.securing.data_integrity import ProofOptions, add_proof
from vcid.trust import Accreditation
from vcid.verifier import Surroundings, Verifier

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
BIRTH, CARE, APPOINTS = "BirthRegistrationCredential", "GuardianshipCredential", "DelegationCredential"
CONTEXTS = Contexts.carried()
SIGNERS = [LocalSigner.generate() for _ in range(6)]
DIDS = [did_key(signer.public_key) for signer in SIGNERS]
ROOT, ISSUER = 0, 5
"""Of the six: whom the policy accredits, and who signs the credential that is asked about."""


@dataclass(frozen=True)
class Link:
    """A delegation in a few numbers, so that an oracle can reckon with it."""

    by: int
    to: int
    types: frozenset[str]
    places: frozenset[str]
    begins: int
    ends: int | None
    depth: int
    signed: int
    signer: int

    @property
    def names(self) -> frozenset[str]:
        return self.types | ({APPOINTS} if self.depth else set())


@st.composite
def links(draw):
    """Mostly links that could stand in a chain, each with a flaw now and then."""
    by, begins = draw(st.integers(0, 5)), draw(st.sampled_from([-20, -20, -20, -10, 5]))
    flawed = st.integers(0, 9).map(lambda number: number == 0)
    return Link(
        by=by,
        to=draw(st.integers(0, 5)),
        types=frozenset({CARE} if draw(flawed) else {BIRTH, CARE} if draw(flawed) else {BIRTH}),
        places=draw(st.sampled_from([frozenset({place}) for place in ("KE", "KE", "KE", "KE-30", "UG")])),
        begins=begins,
        ends=draw(st.sampled_from([30, 30, 30, 20, None, *([-2] if begins < 0 else [])])),
        depth=draw(st.integers(0, 3)),
        signed=draw(st.sampled_from([-5, -5, -5, -15])),
        signer=draw(st.integers(0, 5)) if draw(flawed) else by,
    )


@cache
def written(link: Link) -> bytes:
    record = Delegation(
        delegate=DIDS[link.to],
        credential_types=sorted(link.names),
        jurisdictions=sorted(link.places),
        valid_from=NOW + link.begins * DAY,
        valid_until=None if link.ends is None else NOW + link.ends * DAY,
        may_delegate=link.depth,
    )
    document = build(
        Draft(
            issuer=DIDS[link.by],
            types=[record.credential_type],
            subject=record.to_subject(),
            valid_from=record.valid_from,
            valid_until=record.valid_until,
        )
    )
    return canonicalize(signed(document, link.by, link.signer, NOW + link.signed * DAY))


def signed(document: JsonObject, named: int, signer: int, created: datetime) -> JsonObject:
    method = f"{DIDS[named]}#{DIDS[named].removeprefix('did:key:')}"
    options = ProofOptions(verification_method=method, created=created)
    return add_proof(document, SIGNERS[signer], options, contexts=CONTEXTS)


@cache
def paper(place: str) -> JsonObject:
    """A credential of the type asked about; what its schema says of it is not the question here."""
    document = build(
        Draft(
            issuer=DIDS[ISSUER],
            types=[APPOINTS],
            subject=Delegation(
                delegate="did:web:anybody.example",
                credential_types=[BIRTH],
                jurisdictions=[place],
                valid_from=NOW - DAY,
                valid_until=NOW + 10 * DAY,
            ).to_subject(),
            valid_from=NOW - DAY,
            valid_until=NOW + 10 * DAY,
        )
    )
    return signed(document, ISSUER, ISSUER, NOW - DAY)


ACCREDITATION = Accreditation(
    issuer=DIDS[ROOT],
    credential_types=frozenset({BIRTH, APPOINTS}),
    jurisdictions=frozenset({"KE"}),
    valid_from=NOW - 20 * DAY,
    valid_until=NOW + 30 * DAY,
)
POLICY = Policy(accreditations=(ACCREDITATION,), tolerated=frozenset({"status", "anchor"}))
ROOT_LINK = Link(
    by=-1, to=ROOT, types=frozenset({BIRTH}), places=frozenset({"KE"}), begins=-20, ends=30, depth=4,
    signed=-99, signer=-1,
)  # fmt: skip


def within(link: Link, parent: Link) -> bool:
    """Whether a link stays within its parent, at its signing and now: the rules, said once more."""
    return (
        link.signer == link.by == parent.to
        and APPOINTS in parent.names
        and link.names <= parent.names
        and all({place, place[:2]} & parent.places for place in link.places)
        and parent.begins <= link.begins
        and (parent.ends is None or (link.ends is not None and link.ends <= parent.ends))
        and link.depth < parent.depth
        and all(
            parent.begins <= day and (parent.ends is None or day < parent.ends) for day in (link.signed, 0)
        )
    )


def is_entitled(pile: list[Link], place: str) -> bool:
    """Try every sequence of links, without any thought of speed."""
    asked = Link(
        by=ISSUER, to=-2, types=frozenset({BIRTH}), places=frozenset({place}), begins=-1, ends=10, depth=0,
        signed=-1, signer=ISSUER,
    )  # fmt: skip

    def reaches(parent: Link, seen: tuple[Link, ...]) -> bool:
        if within(asked, parent):
            return True
        return len(seen) < 4 and any(
            within(link, parent) and reaches(link, (*seen, link)) for link in pile if link not in seen
        )

    return reaches(ROOT_LINK, ())


def conclusion(pile: list[Link], place: str) -> Conclusion:
    knowledge = Knowledge(delegations=tuple(written(link) for link in pile))
    surroundings = Surroundings(clock=lambda: NOW)
    return Verifier(POLICY, knowledge, surroundings=surroundings).check(paper(place)).conclusion


@st.composite
def ladders(draw) -> list[Link]:
    """A chain that may well hold, with anything at all around it."""
    stops = draw(st.sampled_from([[*range(length), ISSUER] for length in range(1, 5)] + [[]]))
    chain = [
        replace(
            ROOT_LINK,
            by=by,
            to=to,
            signer=by,
            depth=4 - number,
            begins=draw(st.sampled_from([-20, -10])),
            signed=draw(st.sampled_from([-5, -15])),
        )
        for number, (by, to) in enumerate(pairwise(stops), start=1)
    ]
    return draw(st.permutations([*chain, *draw(st.lists(links(), max_size=7))]))


@given(ladders(), st.sampled_from(["KE", "KE-30"]))
@settings(max_examples=150, deadline=None)
def test_an_issuer_is_believed_exactly_where_some_chain_of_valid_links_appoints_it(pile, place):
    """The verifier and a plain reading of the rules agree on whatever lies in the pile."""
    assert (conclusion(pile, place) is Conclusion.VERIFIED) == is_entitled(pile, place)


@given(ladders(), st.data())
@settings(max_examples=60, deadline=None)
def test_taking_delegations_away_never_gets_an_issuer_believed(pile, data):
    """What is not believed with all of them is not with fewer; what a stranger adds is not believed either."""
    kept = [link for link in pile if data.draw(st.booleans())]
    if conclusion(kept, "KE") is Conclusion.VERIFIED:
        assert conclusion(pile, "KE") is Conclusion.VERIFIED
    honest = [link for link in pile if link.by != ISSUER or link.signer != link.by]
    strangers = [replace(link, signer=ISSUER, by=ROOT) for link in pile]
    if conclusion(honest, "KE") is not Conclusion.VERIFIED:
        assert conclusion([*honest, *strangers], "KE") is not Conclusion.VERIFIED

"""Authority that is handed on: whether a chain of delegations leads from an accreditation to an issuer.

A verifier accredits the ministry, the ministry appoints its offices, an office its officers, each by a
``DelegationCredential``. The delegations known are evidence that may come by any hand, so none counts before
it hangs on an accreditation of the policy:

1. Read unverified, the delegations known tell which of them could stand on a way of at most `MAX_LINKS`
   links to the issuer. Those that could not are never looked at again.
2. From each accreditation on those ways downwards, link by link, each delegation is verified as the
   credential that it is (proof, key, period, schema, status and anchor, by the same policy), on its parent's
   authority alone: what it hands on, its issuer must have, by type, jurisdiction, period and depth, both when
   it was signed and at the moment asked about. What strangers sign among themselves is never verified.
3. Each link yields an accreditation of the delegate, which has to cover the times that the claim is about.
4. The last link's has to cover the claim.

An issuer to whom no way leads is a stranger: *unknown*. So is one whose delegation can't be verified, since
anybody could have made that; one whose delegation goes beyond its parent's authority, or is by somebody who
may not delegate, since no issuer can help who names it; and one whose delegation's status or anchor can't be
told. Two reasons make the issuer *failed*, at every link, and each only by the word of an authority over the
very matter of the claim, its types and jurisdictions; from anybody else's word nothing follows about a claim
that another delegation, not known here, may well cover:

- the delegation was for this matter, and was revoked or suspended, or is not in force at the time;
- the delegation holds and does not cover the claim, though its parent could have handed that on.

Where several reasons stand, the one that more knowledge could mend is told first: a missing list, before a
lapsed paper.

So that no pile of forged links hides a true one, the smallest are tried first, and a link that is not its
delegator's word counts for no more than the bytes that it took to find out.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vcid.credentials.delegation import MAX_LINKS
from vcid.delegation_links import Authority, Links, Miss, Weight, name_lastingly, read_candidate
from vcid.knowledge import MAX_FILES
from vcid.report import Check, CheckName, Outcome
from vcid.trust import NotAccredited, accredit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import datetime

    from vcid.delegation_links import Candidate, Inquiry
    from vcid.issuers import KnownIssuers
    from vcid.knowledge import Knowledge
    from vcid.policy import Policy
    from vcid.trust import Accreditation, Claim

MAX_TRIED: Final = 500
"""How many links that are their delegator's word are tried for one issuer, at most."""

MAX_PROVEN_BYTES: Final = 4 << 20
"""How many bytes of links are worked through for one issuer to find out whose word they are, at most."""


@dataclass(frozen=True, slots=True)
class Entitlement:
    """Whether an issuer may make its claim, and on what authority.

    Attributes:
        check: the outcome.
        accreditation: what entitles it: the policy's own, or what a chain of delegations comes to.
        freshness: for each link, the oldest time that witnesses vouch for; ``None`` where none do.
    """

    check: Check
    accreditation: Accreditation | None = None
    freshness: tuple[datetime | None, ...] = ()

    def oldest(self, fresh_as_of: datetime | None) -> datetime | None:
        """The oldest time vouched for, of the links and another; ``None`` if one is vouched for by none."""
        times = [time for time in (fresh_as_of, *self.freshness) if time is not None]
        return min(times) if len(times) == 1 + len(self.freshness) else None


class Delegations:
    """Judges issuers by a policy's accreditations, and by the delegations known.

    Args:
        policy: the policy.
        knowledge: with the delegations.
        issuers: judges issuers by an accreditation.
    """

    def __init__(self, policy: Policy, knowledge: Knowledge, issuers: KnownIssuers) -> None:
        self._policy = policy
        self._knowledge = knowledge
        self._issuers = issuers
        self.links = Links(policy, issuers)
        self._by_delegate: Mapping[str, tuple[Candidate, ...]] | None = None

    def entitle(self, claim: Claim, own: Entitlement, inquiry: Inquiry) -> Entitlement:
        """Judge whether delegations entitle an issuer to a claim that no accreditation of its own covers.

        Args:
            claim: the claim.
            own: what stands against it by the policy's own accreditations; of that and of what stands
                against it by delegation, the weightier is told.
            inquiry: for which moments, and how links are verified.
        """
        search = _Search(self, claim, inquiry)
        found = search.run()
        if found is not None:
            return found
        weight = Weight.OVERSTEPPED if own.check.outcome is Outcome.FAILED else Weight.STRANGER
        return Entitlement(search.against[1]) if search.against[0] > weight else own

    def best(self, reached: Iterable[Authority]) -> Authority | None:
        """Of several that entitle an issuer, choose as among accreditations of the policy."""
        return max(reached, key=lambda each: self._issuers.preference(each.accreditation), default=None)

    def ways_to(self, issuer: str) -> dict[str, int]:
        """Tell from whose hands an issuer could have its authority, by the number of links between."""
        by_delegate = self._index()
        distance, waiting = {issuer: 0}, deque([issuer])
        while waiting:
            delegate = waiting.popleft()
            if distance[delegate] == MAX_LINKS:
                continue
            for candidate in by_delegate.get(delegate, ()):
                if candidate.issuer not in distance:
                    distance[candidate.issuer] = distance[delegate] + 1
                    waiting.append(candidate.issuer)
        return distance

    def made_for(self, delegates: Iterable[str]) -> Iterator[Candidate]:
        """Give the delegations that name these delegates."""
        by_delegate = self._index()
        for delegate in delegates:
            yield from by_delegate.get(delegate, ())

    def roots(self, distance: Mapping[str, int]) -> Iterator[Authority]:
        """Give the policy's accreditations of those from whom a way leads to the issuer."""
        for accreditation in self._policy.accreditations:
            name = self.name(accreditation.issuer)
            if distance.get(name, 0) > 0:
                yield Authority(accreditation, (name,))

    def name(self, did: str) -> str:
        """Give the lasting name under which ways, roots and delegations have a DID."""
        return name_lastingly(did, self._issuers)

    def _index(self) -> Mapping[str, tuple[Candidate, ...]]:
        """Read what the delegations known say of themselves, once."""
        if self._by_delegate is None:
            found: dict[str, list[Candidate]] = {}
            for number, content in enumerate(dict.fromkeys(self._knowledge.delegations[:MAX_FILES])):
                if (candidate := read_candidate(number, content, self._issuers)) is not None:
                    found.setdefault(candidate.delegate, []).append(candidate)
            self._by_delegate = {delegate: tuple(each) for delegate, each in found.items()}
        return self._by_delegate


_STRANGER: Final = (
    Weight.STRANGER,
    Check.unknown(CheckName.ISSUER, "issuer-not-accredited", "no delegation leads to the issuer"),
)


class _Search:
    """One search for the authority behind a claim; afterwards it knows what stands most against it."""

    def __init__(self, known: Delegations, claim: Claim, inquiry: Inquiry) -> None:
        self._known = known
        self._claim = claim
        self._inquiry = inquiry
        self._issuer = known.name(claim.issuer)
        self._distance = known.ways_to(self._issuer)
        self._by_issuer: dict[str, list[Candidate]] = {}
        self._held: set[int] = set()
        self._tried = self._worked_through = 0
        self.against: tuple[Weight, Check] = _STRANGER

    def run(self) -> Entitlement | None:
        """Follow the links level by level from the policy's accreditations; give what entitles the issuer.

        Of several that do, one is preferred as among accreditations of the policy, then the shortest way.
        """
        level = list(self._known.roots(self._distance))
        if level:
            for candidate in sorted(self._known.made_for(self._distance), key=lambda it: it.size):
                self._by_issuer.setdefault(candidate.issuer, []).append(candidate)
        entitling: list[Authority] = []
        for number in range(1, MAX_LINKS + 1):
            level = list(self._follow_all(level, number))
            entitling += (each for each in level if each.path[-1] == self._issuer)
        best = self._known.best(entitling)
        if best is None:
            return None
        links = len(best.freshness)
        detail = f"appointed by delegation over {links} link{'s' if links > 1 else ''}"
        accreditation = self._in_the_claims_name(best)
        return Entitlement(Check.passed(CheckName.ISSUER, detail), accreditation, best.freshness)

    def _in_the_claims_name(self, authority: Authority) -> Accreditation:
        return replace(authority.accreditation, issuer=self._claim.issuer)

    def _follow_all(self, level: Iterable[Authority], number: int) -> Iterator[Authority]:
        """Take every link from one level to the next; one that holds is taken once."""
        for authority in level:
            for candidate in self._by_issuer.get(authority.path[-1], ()):
                too_far = number + self._distance[candidate.delegate] > MAX_LINKS
                if too_far or candidate.number in self._held:
                    continue
                self._worked_through += self._known.links.cost(candidate, self._inquiry)
                if self._tried == MAX_TRIED or self._worked_through > MAX_PROVEN_BYTES:
                    detail = "more delegations would have to be tried than the verifier tries"
                    self._note(Miss(Weight.UNDECIDED, "too-many-delegations", detail), f"link {number}")
                    return
                if (reached := self._try(authority, candidate, number)) is not None:
                    self._held.add(candidate.number)
                    yield reached

    def _try(self, authority: Authority, candidate: Candidate, number: int) -> Authority | None:
        """Take one link, if it holds for all the moments that the claim is about."""
        reached = self._reach(authority, candidate)
        if isinstance(reached, Authority):
            return reached
        total = number + self._distance[candidate.delegate]
        self._note(reached.against(self._claim), f"link {number} of {total}")
        return None

    def _reach(self, authority: Authority, candidate: Candidate) -> Authority | Miss:
        if miss := self._known.links.refuse(authority, candidate, self._inquiry):
            return miss
        self._tried += 1
        reached = self._known.links.follow(authority, candidate, self._inquiry)
        if isinstance(reached, Miss):
            return reached
        return self._lapsed(reached) or self._overstepped(reached, authority) or reached

    def _lapsed(self, authority: Authority) -> Miss | None:
        granted = authority.accreditation
        for moment in self._claim.moments:
            if granted.valid_from is not None and moment < granted.valid_from:
                detail = "the delegation was not in force yet at that time"
                return Miss(Weight.OVERSTEPPED, "delegation-not-yet-valid", detail, by=granted)
            if granted.valid_until is not None and granted.valid_until <= moment:
                detail = "the delegation was no longer in force at that time"
                return Miss(Weight.OVERSTEPPED, "delegation-expired", detail, by=granted)
        return None

    def _overstepped(self, authority: Authority, parent: Authority) -> Miss | None:
        """Tell whether the issuer claims more than the last link hands on."""
        if authority.path[-1] != self._issuer:
            return None
        try:
            accredit(self._claim, [self._in_the_claims_name(authority)])
        except NotAccredited as error:
            return Miss(Weight.OVERSTEPPED, error.code, error.detail, by=parent.accreditation)
        return None

    def _note(self, miss: Miss, place: str) -> None:
        if miss.weight > self.against[0]:
            self.against = miss.weight, miss.to_check(place)

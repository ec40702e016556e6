"""Which sets of witnesses are enough: thresholds over witnesses and over groups of them, nested as needed.

A group is satisfied when at least ``threshold`` of its members are, where a member is a witness or another
group (C2SP tlog-policy, "Defining a witness group"). No witness stands in it twice, so each can help in one
way only. Times follow from that definition alone:

- the *freshness* of a set of cosignatures is the greatest t such that those with a time of at least t satisfy
  the group: the k-th largest of the members' freshnesses;
- the *existence* is the smallest t such that those with a time of at most t satisfy it: the k-th smallest.

Whoever controls no set of witnesses that satisfies the group can neither make a checkpoint look newer than
the newest honest time, nor older than the oldest: at that t, an honest witness is among those that count. A
cosignature that states no time has none that is late or early enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from vcid.errors import Malformed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from vcid.encoding.json import JSON, JsonObject

MAX_WITNESSES = 256
"""The most witnesses and groups in a group, at all depths together."""

_MAX_DEPTH = 16


@dataclass(frozen=True, slots=True)
class Group:
    """A threshold over witnesses and groups.

    Attributes:
        threshold: how many members have to be satisfied, from 1 to all.
        members: names of witnesses, and groups.

    Raises:
        ValueError: the threshold can't be, a witness is named twice, or there are too many or too deep.
    """

    threshold: int
    members: tuple[str | Group, ...]

    def __post_init__(self) -> None:
        if not 1 <= self.threshold <= len(self.members):
            raise ValueError("a quorum is at least one and at most all of its members")
        if self.depth > _MAX_DEPTH:
            raise ValueError(f"groups are nested at most {_MAX_DEPTH} deep")
        names = list(self.names)
        if len(names) > MAX_WITNESSES:
            raise ValueError(f"a quorum has at most {MAX_WITNESSES} witnesses")
        if len(set(names)) != len(names):
            raise ValueError("each witness stands in one group once")

    @property
    def depth(self) -> int:
        """How many groups stand inside each other, this one counted."""
        return 1 + max((member.depth for member in self.members if isinstance(member, Group)), default=0)

    @property
    def names(self) -> Iterator[str]:
        """The witnesses, in the order in which they are named."""
        for member in self.members:
            if isinstance(member, Group):
                yield from member.names
            else:
                yield member

    @property
    def overlap(self) -> int:
        """The fewest witnesses that two sets which both satisfy the group have in common.

        Negative where a threshold leaves room for two sets with none, the more so the more room.
        """
        common = 2 * self.threshold - len(self.members)
        least = sorted(member.overlap if isinstance(member, Group) else 1 for member in self.members)
        return common if common <= 0 else sum(max(one, 0) for one in least[:common])

    def is_satisfied(self, cosigners: Collection[str]) -> bool:
        """Whether these witnesses are enough."""
        reached = (
            member.is_satisfied(cosigners) if isinstance(member, Group) else member in cosigners
            for member in self.members
        )
        return sum(reached) >= self.threshold

    def freshness(self, times: Mapping[str, int]) -> int | None:
        """The greatest t such that the witnesses with a time of at least t are enough; 0 is no time."""
        return self._nth(sorted(self._each(times, newest=True), reverse=True))

    def existence(self, times: Mapping[str, int]) -> int | None:
        """The smallest t such that the witnesses with a time of at most t are enough; 0 is no time."""
        return self._nth(sorted(self._each(times, newest=False)))

    def _each(self, times: Mapping[str, int], *, newest: bool) -> Iterator[int]:
        for member in self.members:
            if isinstance(member, Group):
                time = member.freshness(times) if newest else member.existence(times)
            else:
                time = times.get(member)
            if time:
                yield time

    def _nth(self, ordered: list[int]) -> int | None:
        return ordered[self.threshold - 1] if len(ordered) >= self.threshold else None

    def to_json(self) -> JsonObject:
        """The group as JSON."""
        members: list[JSON] = [
            member.to_json() if isinstance(member, Group) else member for member in self.members
        ]
        return {"threshold": self.threshold, "members": members}

    @classmethod
    def from_json(cls, value: JSON, *, depth: int = _MAX_DEPTH) -> Self:
        """Read a group from JSON.

        Raises:
            Malformed: it is none, or contradicts itself.
        """
        match value:
            case {"threshold": int(threshold), "members": list(members), **rest} if depth > 0 and not rest:
                if isinstance(threshold, bool) or len(members) > MAX_WITNESSES:
                    raise Malformed("quorum", f"a number, and at most {MAX_WITNESSES} members")
            case _:
                raise Malformed("quorum", f"a threshold and members, at most {_MAX_DEPTH} deep")
        read = tuple(one if isinstance(one, str) else cls.from_json(one, depth=depth - 1) for one in members)
        try:
            return cls(threshold, read)
        except ValueError as error:
            raise Malformed("quorum", f"that {error}") from error

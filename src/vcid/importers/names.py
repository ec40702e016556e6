"""Names in parts as names in a record: the whole in the order of its parts, and the parts beside it.

How the parts of a name stand together is the custom of a place. Systems that keep parts alone mean them in
the order in which they show them, and that order makes the whole name here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from vcid.importers.source import Account, Field

NAME_PARTS: Final = "name-parts"
"""The rule that makes a whole name of its parts, joined by spaces in the order of the source."""


@dataclass(slots=True)
class NameInParts:
    """A name as a system keeps it.

    Attributes:
        given: the parts that are given names, in order.
        family: the parts that are family names, in order.
        other: parts that belong to the whole name alone, such as a suffix.
        whole: the whole name, where the system keeps it beside its parts.
        is_family_first: whether the family name comes first.
    """

    given: list[Field] = field(default_factory=list)
    family: list[Field] = field(default_factory=list)
    other: list[Field] = field(default_factory=list)
    whole: Field | None = None
    is_family_first: bool = False

    def read(self, account: Account, target: str) -> bool:
        """Put the name where a name of the record stands; say whether there is one."""
        given, family, other = (_said(account, parts) for parts in (self.given, self.family, self.other))
        whole = account.take(self.whole, f"{target}/full")
        in_order = family + given if self.is_family_first else given + family
        for kind, parts in (("given", given), ("family", family)):
            if parts:
                text = " ".join(text for _, text in parts)
                account.give(f"{target}/{kind}", text, *(part for part, _ in parts), table=NAME_PARTS)
        if whole is None and in_order:
            places = [part for part, _ in other]
            text = " ".join(text for _, text in in_order + other)
            account.give(f"{target}/full", text, *places, table=NAME_PARTS)
            if not places:
                account.add(f"{target}/full", text, in_order[0][0])
        elif whole is None:
            _refuse_alone(account, other)
        else:
            for part, _ in other:
                account.leave(part, "within-the-whole-name")
        return whole is not None or bool(in_order)


def _said(account: Account, parts: Sequence[Field]) -> list[tuple[Field, str]]:
    return [(part, text) for part in parts if (text := account.text(part)) is not None]


def _refuse_alone(account: Account, parts: Sequence[tuple[Field, str]]) -> None:
    for part, _ in parts:
        account.refuse(part, "part-without-a-name", "a given or family name beside it")

"""What the authorities issue: births, parentage, and a handful of court orders.

Which acts the law gives to parents is the jurisdiction's to say; what stands here is invented, as everybody
in the demonstration is.
"""

from __future__ import annotations

from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING

from vcid.credentials.guardianship import (
    Act,
    AuthorityRole,
    Basis,
    Dependent,
    Guardian,
    Guardianship,
    Majority,
    ParentalAuthority,
    Relation,
    SaltedDigest,
    parentage,
)
from vcid.orders import Order

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime
    from pathlib import Path

    from vcid.credentials.model import Credential
    from vcid.demo.families import Family
    from vcid.issuer import Issuer

ORDERS = 5
"""How many children the court places with a carer."""

_BATCH = 100
_PARENTS_ACTS = tuple(act for act in Act if act is not Act.DELEGATE)
_CARERS_ACTS = (
    Act.EMERGENCY_MEDICAL,
    Act.ROUTINE_MEDICAL,
    Act.SCHOOL_ENROL,
    Act.COLLECT_AID,
    Act.DOMESTIC_TRAVEL,
)


def birth_key(family: Family) -> str:
    """The registry's own key for a birth, by which it is revoked later."""
    return f"birth/{family.line}"


def birth_orders(families: Sequence[Family]) -> list[Order]:
    """One birth registration for each child."""
    return [Order(key=birth_key(family), record=family.record, child_did=family.child) for family in families]


def parentage_orders(families: Sequence[Family], registry: str, now: datetime) -> list[Order]:
    """One guardianship of basis *parentage* for each parent on record; both must agree to travel abroad."""
    orders = []
    for family in families:
        authority = ParentalAuthority(
            acts=_PARENTS_ACTS,
            majority=_majority(family),
            joint_acts=(Act.INTERNATIONAL_TRAVEL, Act.RELOCATE),
        )
        guardians = [Guardian(id=did, relation=Relation.PARENT) for did in family.parents]
        records = parentage(
            family.record, guardians, birth_issuer=registry, authority=authority, valid_from=now
        )
        orders += [
            Order(key=f"parentage/{family.line}/{number}", record=record)
            for number, record in zip(count(1), records, strict=False)
        ]
    return orders


def court_orders(
    families: Sequence[Family], carers: Sequence[str], registry: str, now: datetime
) -> list[Order]:
    """A carer for each of a few children: those without parents first."""
    alone_first = sorted(families, key=lambda family: len(family.parents))
    return [
        Order(key=f"order/{number}", record=_placement(family, carer, registry, now))
        for number, family, carer in zip(count(1), alone_first, carers, strict=False)
    ]


def ended_order(family: Family, carer: str, registry: str, now: datetime) -> Order:
    """A placement that lasted for a year and ended yesterday."""
    end = now - timedelta(days=1)
    record = _placement(family, carer, registry, end - timedelta(days=365), until=end)
    return Order(key="order/ended", record=record)


def _placement(
    family: Family, carer: str, registry: str, start: datetime, *, until: datetime | None = None
) -> Guardianship:
    return Guardianship(
        dependent=Dependent(child_ref=family.record.child_ref, birth_issuer=registry),
        guardians=[Guardian(id=carer, relation=Relation.FOSTER_CARER)],
        basis=Basis.COURT_ORDER,
        issuing_authority_role=AuthorityRole.COURT,
        jurisdiction=family.record.jurisdiction,
        valid_from=start,
        valid_until=until,
        permitted_acts=_CARERS_ACTS,
        prohibited_acts=[Act.INTERNATIONAL_TRAVEL],
        ends_at_majority=_majority(family),
        order_ref=SaltedDigest.of(family.record.jurisdiction, "courtOrder", f"EXAMPLE/{family.line}"),
    )


def _majority(family: Family) -> Majority:
    return Majority(age=18, jurisdiction=family.record.jurisdiction)


def issue(issuer: Issuer, orders: Sequence[Order], advance: Callable[[int], None]) -> Iterator[Credential]:
    """Issue everything ordered, in batches that a progress bar can follow.

    Raises:
        InvalidRecord, Conflict: an order can't be answered, which no record that was read well should cause.
    """
    for start in range(0, len(orders), _BATCH):
        batch = orders[start : start + _BATCH]
        for issued in issuer.issue_many(batch):
            if issued.error is not None:
                raise issued.error
            if issued.credential is not None:
                yield issued.credential
        advance(len(batch))


def save(credential: Credential, folder: Path) -> Path:
    """Leave a credential in a folder, under the UUID that is its id."""
    path = folder / f"{(credential.id or '').rpartition(':')[2]}.json"
    path.write_bytes(credential.content)
    return path

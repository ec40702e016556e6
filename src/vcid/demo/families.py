"""Children and guardians: a fresh DID for each, and no child's private key in clear.

A child's key is sealed to the keys of the parents on record, each of whom can open it alone; where no parent
is on record, it is dropped as soon as its DID is made, and a registry would bind the child's credentials anew
when there is somebody to keep a key. Guardians' keys stand in one wallet, in place of the phones and cards on
which they would be.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcid.credentials.birth import ParentageStatus
from vcid.demo.chapters import Custody
from vcid.dids.methods import child_identity, did_key
from vcid.keys.custody import SealedKey, open_sealed, seal
from vcid.keys.signing import LocalSigner
from vcid.keys.wallet import Wallet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

    from vcid.credentials.birth import BirthRegistration
    from vcid.demo.authorities import Passphrase
    from vcid.importers.table import Row


@dataclass(frozen=True, slots=True)
class Family:
    """A child on record with the guardians' DIDs.

    Attributes:
        line: the line of the register's export.
        record: the registration.
        child: the child's DID.
        parents: the DIDs of the parents on record, in the record's order.
    """

    line: int
    record: BirthRegistration
    child: str
    parents: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Households:
    """Everybody who was given a DID.

    Attributes:
        families: the children with their parents.
        carers: the DIDs of adults whom a court may appoint.
        custody: what became of the private keys.
    """

    families: tuple[Family, ...]
    carers: tuple[str, ...]
    custody: Custody


class _Keyring:
    """The keys made so far, by DID, before they are saved together."""

    def __init__(self) -> None:
        self.guardians: dict[str, LocalSigner] = {}
        self.sealed: dict[str, SealedKey] = {}

    def add_guardian(self) -> tuple[str, LocalSigner]:
        """Make a guardian's key and DID."""
        signer = LocalSigner.generate()
        did = did_key(signer.public_key)
        self.guardians[did] = signer
        return did, signer

    def add_family(self, line: int, record: BirthRegistration) -> Family:
        """Make DIDs for a child and for each parent on record, and seal the child's key to those parents."""
        child = child_identity()
        parents = [self.add_guardian() for _ in record.parents]
        if parents:
            self.sealed[child.did] = seal(child.signer, [signer.public_key for _, signer in parents])
        return Family(line, record, child.did, tuple(did for did, _ in parents))

    def save(self, path: Path, passphrase: Passphrase) -> None:
        """Write one wallet of them all, encrypted and written once."""
        wallet = Wallet.create(path, passphrase.text, cost=passphrase.cost)
        with wallet.editing() as edit:
            for did, signer in self.guardians.items():
                edit.add(did, signer)
            for did, sealed in self.sealed.items():
                edit.add_sealed(did, sealed)


def gather_households(
    rows: Iterable[Row], carers: int, path: Path, passphrase: Passphrase, advance: Callable[[int], None]
) -> Households:
    """Give everybody a DID, and keep the guardians' keys and the sealed ones in a wallet at ``path``."""
    keyring = _Keyring()
    families = []
    for row in rows:
        if row.record is not None:
            families.append(keyring.add_family(row.line, row.record))
            advance(1)
    appointed = tuple(keyring.add_guardian()[0] for _ in range(carers))
    keyring.save(path, passphrase)
    _open_one(path, passphrase, families)
    return Households(tuple(families), appointed, _count(families, appointed))


def _open_one(path: Path, passphrase: Passphrase, families: Sequence[Family]) -> None:
    """Open one child's key from the file as a parent would, so that nobody has to take sealing on trust.

    Raises:
        Locked: it does not open, or is another child's.
    """
    family = next((family for family in families if family.parents), None)
    if family is not None:
        wallet = Wallet.open(path, passphrase.text)
        open_sealed(wallet.sealed(family.child), wallet.signer(family.parents[-1]))


def _count(families: Sequence[Family], carers: Sequence[str]) -> Custody:
    alone = [family.record for family in families if not family.parents]
    foundlings = sum(record.finding is not None for record in alone)
    withheld = sum(record.parentage_status is ParentageStatus.WITHHELD for record in alone)
    return Custody(
        sealed=len(families) - len(alone),
        foundlings=foundlings,
        withheld=withheld,
        unknown=len(alone) - foundlings - withheld,
        parents=sum(len(family.parents) for family in families),
        carers=len(carers),
    )

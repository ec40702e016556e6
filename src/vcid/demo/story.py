"""The demonstration itself, from a register's export to a refused credential.

1. A civil registry and a court are founded; every child and guardian gets a DID.
2. Each good row becomes a birth registration; each wrong row is reported with all its faults.
3. Each parent on record gets a guardianship, and the court appoints a few carers.
4. Status lists are published and anchored, and the witness cosigns a checkpoint.
5. The verifier, in another process and without a network, verifies everything.
6. One credential is revoked, another child is registered, and the scenes are played.
7. What was made stays in the folder.
"""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING

from vcid.demo import artefacts, issuing
from vcid.demo.authorities import LOG, WITNESS, Authorities, Passphrase
from vcid.demo.chapters import Cast, Ending, Issuing, Publication, Reading, Stopwatch
from vcid.demo.families import gather_households
from vcid.demo.folder import DemoFolder
from vcid.demo.hearing import Sitting, ask_verifier, count_answers
from vcid.demo.scenes import SCENES, Props, score
from vcid.encoding.dates import utc_now
from vcid.errors import Malformed, Unavailable
from vcid.importers.example_columns import EXAMPLE_COLUMNS
from vcid.importers.table import read_registrations

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from vcid.credentials.model import Credential
    from vcid.demo.chapters import Hearing, Narrator, Played
    from vcid.demo.families import Family, Households
    from vcid.demo.scenes import Scene
    from vcid.importers.table import Row
    from vcid.issuer import Issuer
    from vcid.keys.encrypted_file import Argon2Cost
    from vcid.knowledge import Knowledge
    from vcid.orders import Order

_FEWEST = 3
"""Children that the story needs: one revoked, one good, and one registered later."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How the demonstration is to run.

    Attributes:
        registrations: the register's export.
        folder: where everything is left.
        cost: what a guess at the passphrase costs; ``None`` for the safe default.
        scenes: what is played.
        command: how the reader calls the command.
    """

    registrations: Path
    folder: Path
    cost: Argon2Cost | None = None
    scenes: Sequence[Scene] = SCENES
    command: str = "vcid"


def play(settings: Settings, narrator: Narrator) -> Ending:
    """Run the whole demonstration.

    Raises:
        InvalidRecord: the table's header is not the one expected; all faults are listed.
        Malformed: the table is none, or has too few good rows (``too-few-rows``).
        Conflict: the folder is not the demonstration's to replace (``not-a-demo-folder``).
        Unavailable: a file can't be read or written, or the verifier's process broke off.
    """
    watch = Stopwatch()
    # Read before the folder is touched: a mistyped path must not cost anybody the last demonstration.
    rows, reading = _read(settings, watch)
    with closing(_Stage.set_up(settings, narrator, watch)) as stage:
        households = stage.settle(rows)
        narrator.tell(reading)
        *early, newborn = households.families
        paths, issuing_ = stage.issue(early, households)
        before, publication = stage.publish(households)
        hearing = stage.hear(paths)
        stage.revoke_and_go_on(early, newborn)
        stage.make_props(early, households, before)
        ending = Ending(
            folder=settings.folder,
            cast=stage.cast,
            reading=reading,
            custody=households.custody,
            issuing=issuing_,
            publication=publication,
            hearing=hearing,
            scenes=stage.play(settings.scenes),
            timings=tuple(watch.timings),
            seconds=watch.seconds(),
        )
    artefacts.write_guide(stage.folder, ending, settings.command)
    narrator.tell(ending)
    return ending


def _read(settings: Settings, watch: Stopwatch) -> tuple[list[Row], Reading]:
    """Read the whole table; wrong rows go into the chapter, and good ones on."""
    with watch.timing("rows read and checked") as timed:
        rows = list(read_registrations(settings.registrations, columns=EXAMPLE_COLUMNS))
        timed.count = len(rows)
    good = [row for row in rows if row.record is not None]
    if len(good) < _FEWEST:
        raise Malformed("too-few-rows", f"a table of at least {_FEWEST} good rows")
    faults = tuple(fault for row in rows for fault in row.faults)
    return good, Reading(
        source=settings.registrations, good=len(good), wrong=len(rows) - len(good), faults=faults
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stage:
    """Where the story is played: the authorities, their folder, and whoever tells it."""

    folder: DemoFolder
    passphrase: Passphrase
    authorities: Authorities
    narrator: Narrator
    watch: Stopwatch
    cast: Cast

    @classmethod
    def set_up(cls, settings: Settings, narrator: Narrator, watch: Stopwatch) -> _Stage:
        """Step 1: found the authorities in a new folder."""
        folder = DemoFolder.prepare(settings.folder)
        with watch.timing("authorities founded") as timed:
            passphrase = Passphrase.generate(folder, settings.cost)
            authorities = Authorities.found(folder, passphrase)
            timed.count = 4
        cast = Cast(
            civil=authorities.civil.did,
            court=authorities.court.did,
            log=LOG,
            witness=WITNESS,
            passphrase=folder.passphrase,
        )
        narrator.tell(cast)
        return cls(
            folder=folder,
            passphrase=passphrase,
            authorities=authorities,
            narrator=narrator,
            watch=watch,
            cast=cast,
        )

    def close(self) -> None:
        """Close what is open in the folder."""
        self.authorities.close()

    def settle(self, rows: Sequence[Row]) -> Households:
        """Step 1, for children and guardians."""
        with self.watch.timing("DIDs made, keys sealed") as timed:
            path = self.folder.keys / "guardians.wallet"
            with self.narrator.working("Making keys", len(rows)) as advance:
                households = gather_households(rows, issuing.ORDERS + 1, path, self.passphrase, advance)
            timed.count = households.custody.children + households.custody.parents + households.custody.carers
        self.narrator.tell(households.custody)
        return households

    def issue(self, families: Sequence[Family], households: Households) -> tuple[list[Path], Issuing]:
        """Steps 2 and 3. Lists are published first: an index comes from a published list alone."""
        civil, court = self.authorities.civil, self.authorities.court
        now = utc_now()
        work = (
            (civil, issuing.birth_orders(families)),
            (civil, issuing.parentage_orders(families, civil.did, now)),
            (court, issuing.court_orders(families, households.carers[:-1], civil.did, now)),
        )
        total = sum(len(orders) for _, orders in work)
        with self.watch.timing("credentials issued") as timed:
            self.authorities.publish()
            with self.narrator.working("Issuing", total) as advance:
                paths = self._issue_all(work, advance)
            timed.count = total
        births, parentage, orders = (len(orders) for _, orders in work)
        told = Issuing(births=births, parentage=parentage, orders=orders)
        self.narrator.tell(told)
        return paths, told

    def _issue_all(
        self, work: Sequence[tuple[Issuer, list[Order]]], advance: Callable[[int], None]
    ) -> list[Path]:
        return [
            issuing.save(credential, self.folder.credentials)
            for issuer, orders in work
            for credential in issuing.issue(issuer, orders, advance)
        ]

    def publish(self, households: Households) -> tuple[Knowledge, Publication]:
        """Step 4: publish, and give the verifier its policy and what it is to know."""
        with self.watch.timing("status lists published") as timed:
            first, last = self.authorities.publish()
            known = self.authorities.gather()
            known.save(self.folder.knowledge_before)
            timed.count = len(first.lists) + len(last.lists)
        policy = self.authorities.policy(family.record.jurisdiction for family in households.families)
        artefacts.write_policy(self.folder, policy)
        cosigned = policy.logs[0].examine(last.view.note).freshness
        if cosigned is None:
            raise Unavailable("the witness gave the checkpoint no time")
        told = Publication(lists=len(known.status_lists), entries=last.view.size, cosigned=cosigned)
        self.narrator.tell(told)
        return known, told

    def hear(self, paths: Sequence[Path]) -> Hearing:
        """Step 5: everything issued is put before the verifier."""
        sitting = Sitting(name="all", knowledge=self.folder.knowledge_before, credentials=tuple(paths))
        with self.watch.timing("credentials verified") as timed:
            with self.narrator.working("Verifying", len(paths)) as advance:
                answers = ask_verifier(self.folder, [sitting], advance)
            timed.count = len(paths)
        told = count_answers(answers)
        self.narrator.tell(told)
        return told

    def revoke_and_go_on(self, families: Sequence[Family], newborn: Family) -> None:
        """Step 6: a revocation and another birth, and a publication that the verifier may hear of."""
        civil = self.authorities.civil
        now = utc_now()
        orders = [*issuing.birth_orders([newborn]), *issuing.parentage_orders([newborn], civil.did, now)]
        self._issue_all([(civil, orders)], lambda _count: None)
        civil.revoke(key=issuing.birth_key(families[1]))
        self.authorities.publish()
        self.authorities.gather().save(self.folder.knowledge)

    def make_props(self, families: Sequence[Family], households: Households, before: Knowledge) -> None:
        """Step 6: what the scenes show, true and forged."""
        civil, court = self.authorities.civil, self.authorities.court
        good, revoked, newborn = families[0], families[1], households.families[-1]
        known = self.authorities.gather()
        props = Props(self.folder)
        for name, family in (("good", good), ("revoked", revoked), ("issued-later", newborn)):
            props.show(f"{name}.json", _issued(civil, issuing.birth_key(family)))
        genuine = _issued(civil, issuing.birth_key(good))
        props.tamper(genuine)
        props.forge(genuine)
        props.impersonate(genuine, known)
        props.hold_back(before, known)
        ended = issuing.ended_order(good, households.carers[-1], civil.did, utc_now())
        props.show("expired.json", court.issue(ended.record, key=ended.key))

    def play(self, scenes: Sequence[Scene]) -> tuple[Played, ...]:
        """Step 6: the verifier meets the scenes one after the other, in one process."""
        with self.watch.timing("scenes played") as timed:
            sittings = [scene.sitting(self.folder) for scene in scenes]
            played = score(scenes, ask_verifier(self.folder, sittings, lambda _count: None).answers)
            timed.count = len(scenes)
        self.narrator.tell(played)
        return played


def _issued(issuer: Issuer, key: str) -> Credential:
    """Find what was issued under a key.

    Raises:
        Unavailable: the registry does not know it, though it was issued in this very run.
    """
    credential = issuer.find(key)
    if credential is None:
        raise Unavailable("the registry has lost what it issued")
    return credential

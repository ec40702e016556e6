"""What issuing and verifying cost, in units of one PyNaCl Ed25519 verification taken beside each measurement.

Absolute times say more about the machine than about the code, so every row is a ratio from one interleaved
run. The cold start is a whole process: import and first verification, schema check included, over a bare
Python.

    make bench
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import ledger_bench
from nacl.signing import SigningKey

from vcid.credentials.birth import (
    BirthDateBasis,
    BirthRegistration,
    Name,
    NameKind,
    Parent,
    ParentageStatus,
    Place,
    Registration,
    RegistrationType,
    SexAtBirth,
)
from vcid.dids.methods import DidKeyResolver, did_key
from vcid.encoding.contexts import Contexts
from vcid.encoding.dates import UncertainDate
from vcid.encoding.json import canonicalize, parse_object
from vcid.encoding.multikey import KeyType
from vcid.issuer import Issuer
from vcid.keys.signing import LocalSigner
from vcid.knowledge import Knowledge
from vcid.ledger.log import Ledger
from vcid.ledger.notes import NoteKey
from vcid.ledger.views import MemoryViewStore
from vcid.ledger.witness import ReplayingWitness
from vcid.policy import Policy
from vcid.securing.data_integrity import ProofDemand, ProofOptions, add_proof, verify_proof
from vcid.status.registry import Registry
from vcid.verifier import Verifier

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.dids.documents import VerificationMethod

SUITES = [
    ("eddsa-jcs-2022", KeyType.ED25519),
    ("eddsa-rdfc-2022", KeyType.ED25519),
    ("ecdsa-jcs-2019", KeyType.P256),
    ("ecdsa-rdfc-2019", KeyType.P256),
    ("ecdsa-jcs-2019", KeyType.P384),
    ("ecdsa-rdfc-2019", KeyType.P384),
]
ROUNDS = 200
COLD_STARTS = 15
ORIGIN = "log.example"


def microseconds(work: Callable[[], object]) -> float:
    """Time one call."""
    start = time.perf_counter_ns()
    work()
    return (time.perf_counter_ns() - start) / 1000


def compare(
    rows: dict[str, Callable[[], object]], floor: Callable[[], object]
) -> dict[str, tuple[float, float]]:
    """Time each row and the floor in turn, many times over; give the medians of times and of ratios."""
    for work in rows.values():
        work()
    times: dict[str, list[float]] = {name: [] for name in rows}
    ratios: dict[str, list[float]] = {name: [] for name in rows}
    for _ in range(ROUNDS):
        for name, work in rows.items():
            beside = microseconds(floor)
            times[name].append(microseconds(work))
            ratios[name].append(times[name][-1] / beside)
    return {name: (statistics.median(times[name]), statistics.median(ratios[name])) for name in rows}


def one_verification() -> Callable[[], object]:
    """The unit: PyNaCl verifies one Ed25519 signature over 64 bytes."""
    key = SigningKey.generate()
    message = bytes(64)
    signature = key.sign(message).signature
    return lambda: key.verify_key.verify(message, signature)


def registration(number: int) -> BirthRegistration:
    """A registration of ordinary size, with a name in two scripts and two parents."""
    return BirthRegistration(
        birth_date=UncertainDate.parse("2024-05-07"),
        birth_date_basis=BirthDateBasis.DOCUMENTED,
        sex_at_birth=SexAtBirth.FEMALE,
        birth_place=Place(country="KE", region="Example Region", locality="Example Town"),
        registration=Registration(
            number=f"R-{number}",
            date=date(2024, 5, 20),
            jurisdiction="KE",
            office="Example Office",
            type=RegistrationType.CURRENT,
        ),
        parentage_status=ParentageStatus.ALL,
        names=[
            Name(full="Amina Example", given="Amina", family="Example", lang="sw", script="Latn"),
            Name(full="أمينة مثال", lang="ar", script="Arab", kind=NameKind.TRANSLITERATION),
        ],
        parents=[
            Parent(label="mother", names=[Name(full="Zahra Example")]),
            Parent(names=[Name(full="Omar Example")]),
        ],
    )


class Town:
    """An issuer with everything around it, in memory, and a verifier that trusts it."""

    def __init__(self) -> None:
        log_key, witness_key, signer = (LocalSigner.generate() for _ in range(3))
        log = NoteKey.of_log(ORIGIN, log_key.public_key)
        witness = ReplayingWitness.open("sqlite://", name="witness.example", signer=witness_key, logs=[log])
        ledger = Ledger.open("memory:", origin=ORIGIN, signer=log_key, witnesses=[witness])
        registry = Registry.open("sqlite://")
        self.issuer = Issuer("did:web:civil.example", signer, registry=registry, ledger=ledger)
        self.issuer.publish(room=ROUNDS * 2)
        accreditation = self.issuer.accreditation({"BirthRegistrationCredential"}, {"KE"})
        self.policy = Policy(accreditations=(accreditation,), logs=(ledger.policy(),))
        self.knowledge = Knowledge.gather(ledger, self.issuer.published())
        self.credential = self.issuer.issue(registration(0), key="first")

    def whole_jobs(self) -> dict[str, Callable[[], object]]:
        """Issuing and verifying as callers do it, every check and every store included."""
        verifier = Verifier(self.policy, self.knowledge, views=MemoryViewStore())
        numbers = iter(range(1, 10**9))

        def issue() -> object:
            number = next(numbers)
            return self.issuer.issue(registration(number), key=f"k{number}")

        def verify() -> object:
            report = verifier.check(self.credential)
            if not report:
                raise SystemExit(f"the benchmark's own credential is not verified: {report}")
            return report

        return {"Issuer.issue, durable and verified": issue, "Verifier.check, every check": verify}


def proof_rows(unsecured: bytes) -> dict[str, Callable[[], object]]:
    """Securing and verifying the proof alone, from JSON text, with did:key resolved at each call."""
    rows: dict[str, Callable[[], object]] = {}
    contexts, resolver = Contexts.carried(), DidKeyResolver()

    def resolve(url: str, purpose: str) -> VerificationMethod:
        return resolver.resolve(url.partition("#")[0]).method(url, purpose)

    for suite, key_type in SUITES:
        signer = LocalSigner.generate(key_type)
        did = did_key(signer.public_key)
        options = ProofOptions(
            verification_method=f"{did}#{signer.public_key.multikey}",
            cryptosuite=suite,
            created=datetime.now(UTC),
        )
        demand = ProofDemand(suites=frozenset({suite}), at=datetime.now(UTC))
        secured = canonicalize(add_proof(parse_object(unsecured), signer, options, contexts=contexts))

        def sign(signer: LocalSigner = signer, options: ProofOptions = options) -> object:
            return canonicalize(add_proof(parse_object(unsecured), signer, options, contexts=contexts))

        def verify(secured: bytes = secured, demand: ProofDemand = demand) -> object:
            return verify_proof(parse_object(secured), resolve=resolve, demand=demand, contexts=contexts)

        rows[f"{suite} {key_type.value}: add proof"] = sign
        rows[f"{suite} {key_type.value}: verify proof"] = verify
    return rows


COLD = """
import sys
from pathlib import Path
from vcid import Knowledge, MemoryViewStore, Policy, Verifier
folder = Path(sys.argv[1])
verifier = Verifier(Policy.parse((folder / "policy.json").read_bytes()), Knowledge.load(folder / "knowledge"),
                    views=MemoryViewStore())
report = verifier.check((folder / "credential.json").read_bytes())
sys.exit(0 if report else f"not verified: {report}")
"""


def start(arguments: list[str]) -> float:
    """Run a Python process to its end, with bytecode as an installed package has it; give milliseconds."""
    command = [sys.executable, *arguments]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return microseconds(lambda: subprocess.run(command, check=True, env=environment)) / 1000


def cold_start(town: Town) -> tuple[float, float]:
    """Milliseconds of a bare Python, and of a process that imports vcid and verifies its first credential."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        (folder / "policy.json").write_bytes(canonicalize(town.policy.to_json()))
        (folder / "credential.json").write_bytes(town.credential.content)
        town.knowledge.save(folder / "knowledge")
        bare: list[float] = []
        first: list[float] = []
        for _ in range(COLD_STARTS):
            bare.append(start(["-c", "pass"]))
            first.append(start(["-c", COLD, scratch]))
        return statistics.median(bare), statistics.median(first)


def main() -> None:
    """Print every row."""
    floor, town = one_verification(), Town()
    document = parse_object(town.credential.content)
    document.pop("proof")
    unsecured = canonicalize(document)
    print(
        f"a birth credential of {len(town.credential.content)} bytes; median of {ROUNDS} interleaved rounds"
    )
    print(f"{'':<46}{'µs':>9}{'× verify':>10}")
    rows = {"one PyNaCl Ed25519 verification": floor, **proof_rows(unsecured), **town.whole_jobs()}
    for name, (spent, ratio) in compare(rows, floor).items():
        print(f"{name:<46}{spent:>9.0f}{ratio:>10.1f}")
    bare, first = cold_start(town)
    print(f"\ncold start: bare Python {bare:.0f} ms, import and first verification {first:.0f} ms", end="")
    print(f", so {first - bare:.0f} ms over bare Python (at most 200)")
    ledger_bench.report(floor)


if __name__ == "__main__":
    main()

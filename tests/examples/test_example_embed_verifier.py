"""The script of a third party that embeds the verifier alone, run as its users run it: another process."""

import subprocess
import sys
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

import vcid
from vcid.credentials.birth import (
    BirthDateBasis,
    Name,
    ParentageStatus,
    Place,
    Registration,
    RegistrationType,
    SexAtBirth,
)
from vcid.encoding.dates import UncertainDate
from vcid.encoding.json import canonicalize
from vcid.ledger.notes import NoteKey

SCRIPT = Path(__file__).resolve().parents[2] / "examples" / "embed_verifier.py"

AMINA = vcid.BirthRegistration(
    names=[Name(full="Amina Example")],
    birth_date=UncertainDate.parse("2021-03-15"),
    birth_date_basis=BirthDateBasis.DOCUMENTED,
    sex_at_birth=SexAtBirth.FEMALE,
    birth_place=Place(country="KE"),
    parentage_status=ParentageStatus.NONE,
    registration=Registration(
        number="R-1",
        date=date(2021, 4, 1),
        jurisdiction="KE",
        office="Example Office",
        type=RegistrationType.CURRENT,
    ),
)


@dataclass
class Clinic:
    """A folder with what the script is given."""

    folder: Path

    def run(self, *, credential: str = "amina.json", arguments: list[str] | None = None):
        given = arguments if arguments is not None else ["policy.json", "knowledge", "views.db", credential]
        # -W error: whoever embeds the verifier sees no warning of ours.
        return subprocess.run(
            [sys.executable, "-W", "error", str(SCRIPT), *given],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )


class Civil:
    """A civil registry with its ledger and a witness, an hour or more ago by its clock."""

    def __init__(self, folder: Path, *, age: timedelta = timedelta(hours=1)) -> None:
        self.folder = folder
        now = datetime.now(UTC).replace(microsecond=0) - age
        log, witness, key = (vcid.LocalSigner.generate() for _ in range(3))
        cosigner = vcid.ReplayingWitness.open(
            "sqlite://",
            name="witness.example",
            signer=witness,
            logs=[NoteKey.of_log("log.example/civil", log.public_key)],
            clock=lambda: now,
        )
        self.ledger = vcid.Ledger.open(
            "memory:", origin="log.example/civil", signer=log, witnesses=[cosigner]
        )
        self.issuer = vcid.Issuer(
            "did:web:civil.example",
            key,
            registry=vcid.Registry.open("sqlite://", clock=lambda: now),
            ledger=self.ledger,
            practice=vcid.Practice(clock=lambda: now),
        )
        self.issuer.publish()
        births = self.issuer.accreditation(["BirthRegistrationCredential"], ["KE"])
        self.write_policy(vcid.Policy(accreditations=(births,), logs=(self.ledger.policy(),)))
        credential = self.issuer.issue(AMINA, key="row-1")
        (folder / "amina.json").write_bytes(credential.content)
        self.hand_on()

    def write_policy(self, policy: vcid.Policy) -> None:
        self.policy = policy
        (self.folder / "policy.json").write_bytes(canonicalize(policy.to_json()))

    def hand_on(self) -> None:
        vcid.Knowledge.gather(self.ledger, self.issuer.published()).save(self.folder / "knowledge")


@pytest.fixture
def civil(tmp_path: Path) -> Civil:
    return Civil(tmp_path)


@pytest.fixture
def clinic(tmp_path: Path) -> Clinic:
    return Clinic(tmp_path)


def test_a_registered_child_is_verified(civil, clinic):
    """Exit code 0, the answer first, and since when the evidence stands; no name is printed."""
    done = clinic.run()
    assert (done.returncode, done.stderr) == (0, "")
    answer, evidence = done.stdout.splitlines()
    assert answer == "verified"
    assert evidence.startswith("newest evidence: 20")
    assert "Amina" not in done.stdout


def test_a_revoked_credential_is_rejected_once_it_is_known(civil, clinic):
    """Exit code 1 and the reason, by the clinic's newest knowledge."""
    civil.issuer.revoke(key="row-1")
    assert clinic.run().returncode == 0
    civil.issuer.publish()
    civil.hand_on()
    done = clinic.run()
    assert done.returncode == 1
    assert done.stdout.startswith("rejected\n")
    assert "status: failed (revoked" in done.stdout


def test_an_older_ledger_is_refused(civil, clinic):
    """The clinic's views.db outlives the run: knowledge from before the newest seen is a rollback."""
    old = clinic.folder / "older"
    vcid.Knowledge.load(clinic.folder / "knowledge").save(old)
    civil.issuer.publish()
    civil.hand_on()
    assert clinic.run().returncode == 0
    done = clinic.run(arguments=["policy.json", "older", "views.db", "amina.json"])
    assert done.returncode == 3
    assert "anchor: unknown (rollback" in done.stdout


def test_a_tampered_credential_is_rejected(civil, clinic):
    """A letter changed in the file is a proof that fails."""
    path = clinic.folder / "amina.json"
    path.write_bytes(path.read_bytes().replace(b"Amina", b"Anina"))
    done = clinic.run()
    assert done.returncode == 1
    assert "proof: failed" in done.stdout


@pytest.mark.parametrize("content", [b"", b"\xff\x00", b'{"type": []}', b"[]"])
def test_what_is_no_credential_is_rejected(civil, clinic, content):
    """Whatever is shown gives an answer, never a traceback."""
    (clinic.folder / "amina.json").write_bytes(content)
    done = clinic.run()
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.startswith("rejected\n")


def test_an_issuer_that_the_clinic_does_not_believe_is_not_verified(civil, clinic):
    """A good signature alone verifies nothing."""
    civil.write_policy(replace(civil.policy, accreditations=()))
    done = clinic.run()
    assert done.returncode != 0
    assert "issuer-not-accredited" in done.stdout


def test_old_evidence_leaves_the_clinic_undecided(tmp_path, clinic):
    """Exit code 3: knowledge of last month says nothing of today, and it is no reason to reject."""
    Civil(tmp_path, age=timedelta(days=30))
    done = clinic.run()
    assert done.returncode == 3
    assert done.stdout.startswith("undecided\n")
    assert "anchor: unknown (stale" in done.stdout


@pytest.mark.parametrize("missing", ["policy.json", "knowledge", "amina.json"])
def test_a_missing_file_leaves_the_clinic_undecided(civil, clinic, missing):
    """A fault on the clinic's own side must not look like a rejection."""
    (clinic.folder / missing).rename(clinic.folder / "elsewhere")
    done = clinic.run()
    assert done.returncode == 3
    assert done.stderr.startswith("could not decide: ")
    assert done.stdout == ""


def test_a_policy_with_faults_leaves_the_clinic_undecided(civil, clinic):
    """So does a policy that can't be read."""
    (clinic.folder / "policy.json").write_text('{"suites": ["none"]}')
    assert clinic.run().returncode == 3


@pytest.mark.parametrize("arguments", [[], ["policy.json"], ["a", "b", "c", "d", "e"]])
def test_wrong_usage_says_how(clinic, arguments):
    """Exit code 2, which no answer uses."""
    done = clinic.run(arguments=arguments)
    assert done.returncode == 2
    assert "embed_verifier.py policy.json" in done.stderr


def test_it_stays_short():
    """An example that grows past a page stops being read."""
    assert len(SCRIPT.read_text(encoding="utf-8").splitlines()) <= 40

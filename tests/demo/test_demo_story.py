"""The whole demonstration on a dozen rows: what it says, and what it leaves behind."""

import json
import stat
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest

from vcid import Knowledge, Policy, SqlViewStore, Verifier, Wallet
from vcid.demo.chapters import Silence
from vcid.demo.scenes import SCENES
from vcid.demo.story import Settings, play
from vcid.encoding.dates import utc_now
from vcid.errors import Conflict, InvalidRecord, Locked, Malformed, Unavailable
from vcid.keys.custody import open_sealed
from vcid.verifier import Surroundings


def settings(table: Path, folder: Path, cheap, **changes) -> Settings:
    return Settings(registrations=table, folder=folder, cost=cheap, **changes)


def passphrase(folder: Path) -> str:
    return (folder / "passphrase.txt").read_text().strip()


def verifier(folder: Path, *, knowledge: str = "knowledge", views: str | None = None, later=timedelta(0)):
    return Verifier(
        Policy.parse((folder / "policy.json").read_bytes()),
        Knowledge.load(folder / knowledge),
        views=SqlViewStore.open(views or f"sqlite:///{folder / 'views.db'}"),
        surroundings=Surroundings(clock=lambda: utc_now() + later),
    )


def test_verifier_says_what_it_has_to(ending):
    """Every credential is verified, every scene ends as its table says, and so the story holds."""
    assert ending.as_expected
    assert ending.hearing.verified == ending.hearing.answers == ending.issuing.total
    assert [scene.name for scene in ending.scenes if not scene.as_expected] == []


@pytest.mark.parametrize(
    ("name", "conclusion", "reason"),
    [
        ("issued-later", "verified", ""),
        ("not-yet-heard", "verified", ""),
        ("good", "verified", ""),
        ("revoked", "rejected", "status: revoked"),
        ("superseded", "undecided", "anchor: superseded"),
        ("tampered", "rejected", "proof: bad-signature"),
        ("untrusted", "undecided", "issuer: issuer-not-accredited"),
        ("swapped", "rejected", "key: did-document-swapped"),
        ("expired", "rejected", "period: expired"),
        ("stale", "undecided", "anchor: stale"),
        ("rollback", "undecided", "anchor: rollback"),
    ],
)
def test_each_scene_has_an_outcome_of_its_own(ending, name, conclusion, reason):
    """What was said, spelled out here again so that the demonstration's own table can't drift unseen."""
    scene = next(scene for scene in ending.scenes if scene.name == name)
    assert (scene.conclusion, scene.said) == (conclusion, reason)


def test_no_scene_goes_untested():
    """The list above names every scene."""
    assert len(SCENES) == 11


def test_rows_are_counted_and_wrong_ones_told_whole(ending):
    """Ten good rows of thirteen; the row with two faults has both, by line and column."""
    assert (ending.reading.good, ending.reading.wrong) == (10, 3)
    told = [(fault.line, fault.path, fault.code) for fault in ending.reading.faults]
    assert told == [
        (11, "date_of_birth", "ambiguous-date"),
        (11, "sex", "not-in-crosswalk"),
        (12, "date_of_birth", "spreadsheet-date"),
        (13, "child_name", "wrong-encoding"),
    ]


def test_every_good_row_gets_its_credentials(ending):
    """One birth a row but the one kept for later, one guardianship a recorded parent, five by the court."""
    custody, issuing = ending.custody, ending.issuing
    assert issuing.births == ending.reading.good - 1 == 9
    assert issuing.orders == 5
    files = [json.loads(path.read_text()) for path in (ending.folder / "credentials").iterdir()]
    bases = [document["credentialSubject"].get("basis") for document in files]
    assert bases.count("parentage") == custody.parents
    assert bases.count(None) == custody.children == ending.reading.good
    assert len({document["id"] for document in files}) == len(files)


def test_no_two_people_share_a_did(ending):
    """Each child's and guardian's DID is met once among births and guardianships."""
    files = [json.loads(path.read_text()) for path in (ending.folder / "credentials").iterdir()]
    subjects = [document["credentialSubject"] for document in files]
    children = [subject["id"] for subject in subjects if "id" in subject]
    guardians = [guardian["id"] for subject in subjects for guardian in subject.get("guardians", [])]
    assert len({*children, *guardians}) == len(children) + len(guardians)


def test_children_keys_are_sealed_or_gone(ending):
    """The wallet holds guardians' keys, and children's only sealed, one for each child with parents."""
    wallet = Wallet.open(ending.folder / "keys" / "guardians.wallet", passphrase(ending.folder))
    files = [json.loads(path.read_text()) for path in (ending.folder / "credentials").iterdir()]
    children = {document["credentialSubject"].get("id") for document in files} - {None}
    assert len(wallet.names()) == ending.custody.parents + ending.custody.carers
    assert children.isdisjoint(wallet.names())
    assert len(wallet.sealed_names()) == ending.custody.sealed
    assert children > set(wallet.sealed_names())
    assert len(children) - len(wallet.sealed_names()) == ending.custody.not_kept == 3


def test_sealed_key_opens_for_its_parents_alone(ending):
    """A parent opens the child's key, and it is that child's; no other guardian and no authority does."""
    word = passphrase(ending.folder)
    wallet = Wallet.open(ending.folder / "keys" / "guardians.wallet", word)
    did = wallet.sealed_names()[0]
    sealed = wallet.sealed(did)
    parents = {f"did:key:{key.multikey}" for key in sealed.guardians}
    child = open_sealed(sealed, wallet.signer(parents.pop()))
    assert did == f"did:key:{child.public_key.multikey}"
    stranger = next(name for name in wallet.names() if wallet.signer(name).public_key not in sealed.guardians)
    registry = Wallet.open(ending.folder / "keys" / "authorities.wallet", word).signer("civil-registry")
    for other in (wallet.signer(stranger), registry):
        with pytest.raises(Locked):
            open_sealed(sealed, other)


def test_wallets_want_the_passphrase(ending):
    """Another passphrase opens neither wallet."""
    for path in (ending.folder / "keys").glob("*.wallet"):
        with pytest.raises(Locked):
            Wallet.open(path, "another")


def test_what_is_private_is_the_owners_alone(ending):
    """Passphrase, wallets and databases have mode 0600, and credentials lie in a folder of mode 0700."""
    folder = ending.folder
    private = [folder / "passphrase.txt", *folder.glob("keys/*"), *folder.glob("*.db")]
    assert len(private) >= 8
    assert {stat.S_IMODE(path.stat().st_mode) for path in private} == {0o600}
    assert {stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / "credentials")} == {0o700}


def test_ledger_knows_nobody(ending):
    """Neither a DID of a person nor a child's reference stands in the log."""
    log = (ending.folder / "ledger.db").read_bytes()
    files = [json.loads(path.read_text()) for path in (ending.folder / "credentials").iterdir()]
    for document in files:
        subject = document["credentialSubject"]
        for secret in (subject.get("id"), subject.get("childRef"), document["id"]):
            assert secret is None or secret.encode() not in log


def test_summary_shows_no_values(ending):
    """What was found in wrong rows is not among what the demonstration leaves behind."""
    summary = (ending.folder / "summary.json").read_text()
    assert json.loads(summary)["asExpected"] is True
    for found in ("15/03/2021", "44270", "Muster"):
        assert found not in summary


def test_verifier_needs_three_things(ending):
    """Policy, knowledge and memory, as they were left, verify the good sample and refuse the revoked one."""
    samples = ending.folder / "samples"
    judge = verifier(ending.folder)
    assert judge.check((samples / "good.json").read_bytes())
    assert judge.check((samples / "revoked.json").read_bytes())["status"].code == "revoked"
    later = verifier(ending.folder, later=timedelta(days=8))
    assert later.check((samples / "good.json").read_bytes())["anchor"].code == "stale"


def test_new_verifier_is_deceived_by_old_knowledge(ending, tmp_path):
    """Only its memory tells a verifier of a rollback: one without it believes the old knowledge.

    That is why the demonstration's verifier has a memory, and the limit that witnesses' times put on it.
    """
    revoked = (ending.folder / "samples" / "revoked.json").read_bytes()
    fresh = verifier(ending.folder, knowledge="knowledge-before", views=f"sqlite:///{tmp_path / 'views.db'}")
    assert fresh.check(revoked)
    assert not verifier(ending.folder, knowledge="knowledge-before").check(revoked)


def test_guide_names_everything(ending):
    """README.txt names every file and folder that lies beside it."""
    guide = (ending.folder / "README.txt").read_text()
    for path in ending.folder.iterdir():
        if path.name not in {"README.txt", ".vcid-demo"}:
            assert path.name in guide
    for path in (ending.folder / "samples").iterdir():
        assert path.name in guide


def test_configurations_are_sound(ending):
    """Each vcid.toml names files that are there."""
    configurations = sorted(ending.folder.rglob("*.toml"))
    assert len(configurations) >= 4
    for path in configurations:
        sections = tomllib.loads(path.read_text())
        for section in sections.values():
            for key in section.keys() & {"policy", "knowledge", "views", "registry", "url", "key"}:
                place = section[key].removeprefix("sqlite:///").partition("#")[0]
                assert (path.parent / place).exists(), (path, key)


def test_second_run_replaces_the_first(small_table, tmp_path, cheap):
    """A folder of an earlier demonstration is made anew, whatever was put into it since."""
    folder = tmp_path / "demo"
    assert play(settings(small_table, folder, cheap, scenes=()), Silence()).as_expected
    first = passphrase(folder)
    (folder / "left-over").touch()
    assert play(settings(small_table, folder, cheap, scenes=()), Silence()).as_expected
    assert passphrase(folder) != first
    assert not (folder / "left-over").exists()


@pytest.mark.parametrize("kind", ["stranger", "false-marker", "link", "file"])
def test_other_folders_are_left_alone(small_table, tmp_path, cheap, kind):
    """Whatever the demonstration did not make is neither deleted nor written to."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "thesis.txt").write_text("years of work")
    folder = own
    if kind == "false-marker":
        (own / ".vcid-demo").write_text("something else")
    elif kind == "link":
        folder = tmp_path / "link"
        folder.symlink_to(own)
    elif kind == "file":
        folder = own / "thesis.txt"
    before = sorted(path.name for path in own.iterdir())
    with pytest.raises(Conflict) as refused:
        play(settings(small_table, folder, cheap), Silence())
    assert refused.value.code == "not-a-demo-folder"
    assert sorted(path.name for path in own.iterdir()) == before
    assert (own / "thesis.txt").read_text() == "years of work"


@pytest.mark.parametrize(
    ("content", "error"),
    [(None, Unavailable), (b"a,b\r\n1,2\r\n", InvalidRecord), ("few", Malformed)],
    ids=["no file", "another table", "too few rows"],
)
def test_wrong_table_costs_nobody_the_last_demonstration(small_table, tmp_path, cheap, content, error):
    """A table that can't be used is found out before an older folder is touched."""
    folder = tmp_path / "demo"
    folder.mkdir()
    (folder / ".vcid-demo").write_text("made by `vcid demo`, which deletes this folder when it runs again\n")
    (folder / "old").touch()
    table = tmp_path / "table.csv"
    if content == "few":
        content = b"".join(small_table.read_bytes().splitlines(keepends=True)[:3])
    if content is not None:
        table.write_bytes(content)
    with pytest.raises(error):
        play(settings(table, folder, cheap), Silence())
    assert (folder / "old").exists()


@pytest.mark.slow
def test_the_whole_table(table, tmp_path):
    """A thousand rows, with the passphrase at its full cost, as `make demo` runs it."""
    ending = play(Settings(registrations=table, folder=tmp_path / "demo"), Silence())
    assert ending.as_expected
    assert ending.reading.good >= 1000
    assert ending.reading.wrong >= 12
    assert ending.custody.children == ending.reading.good
    assert ending.issuing.parentage > 1500

"""Knowledge as a folder: it comes back as it was written, and a bad file costs nothing but itself."""

import pytest

from vcid.encoding.json import canonicalize, parse_object
from vcid.errors import Conflict, Malformed
from vcid.knowledge import Knowledge
from vcid.knowledge_folder import file_name
from world import COURT, World, birth


@pytest.fixture(scope="module")
def world():
    return World()


@pytest.fixture(scope="module")
def issuer(world):
    issuer = world.issuer()
    issuer.publish()
    issuer.publish()
    return issuer


@pytest.fixture
def folder(world, issuer, tmp_path):
    world.knowledge(issuer).save(tmp_path / "knowledge")
    return tmp_path / "knowledge"


def test_a_folder_reads_back_what_was_written(world, issuer, folder):
    """DID documents, lists, receipts, entries, checkpoint and growth proofs."""
    written, read = world.knowledge(issuer), Knowledge.load(folder)
    assert dict(read.did_documents) == dict(written.did_documents)
    assert dict(read.status_lists) == dict(written.status_lists)
    assert dict(read.logs) == dict(written.logs)
    assert read.faults == ()
    assert read.logs["log.example/civil"].growth, "the earlier checkpoint has its proof"


def test_what_is_read_convinces_a_verifier(world, issuer, folder):
    """The folder is all that a verifier needs besides its policy and its memory."""
    credential = issuer.issue(birth(), key="k")
    assert world.verifier(world.policy(issuer), Knowledge.load(folder)).check(credential)


def test_saving_replaces_the_folder_whole(world, issuer, folder):
    """Nothing of the old folder stays, and no scratch folder is left beside it."""
    (folder / "status" / "stray.json").write_bytes(b"{}")
    world.knowledge(issuer).save(folder)
    assert not (folder / "status" / "stray.json").exists()
    assert [path.name for path in folder.parent.iterdir()] == ["knowledge"]


@pytest.mark.parametrize("stray", ["keys.json", "dids/notes.txt", "status/deep/list.json", "more/x.json"])
def test_a_folder_that_holds_anything_else_is_left_alone(world, issuer, folder, stray):
    """Whoever names the wrong folder loses nothing by it."""
    (folder / stray).parent.mkdir(exist_ok=True, parents=True)
    (folder / stray).write_text("precious")
    with pytest.raises(Conflict) as caught:
        world.knowledge(issuer).save(folder)
    assert caught.value.code == "not-knowledge"
    assert (folder / stray).read_text() == "precious"


def test_a_file_in_the_way_is_left_alone(world, issuer, tmp_path):
    """A folder's name that is a file's."""
    (tmp_path / "knowledge").write_text("precious")
    with pytest.raises(Conflict):
        world.knowledge(issuer).save(tmp_path / "knowledge")


def test_a_link_goes_on_leading_to_the_folder(world, issuer, folder, tmp_path):
    """What it leads to is replaced, and not the link: somebody may serve it."""
    (tmp_path / "served").symlink_to(folder)
    world.knowledge(issuer).save(tmp_path / "served")
    assert (tmp_path / "served").is_symlink()
    assert Knowledge.load(folder).faults == ()


@pytest.mark.parametrize("use", [Knowledge.load, lambda folder: Knowledge().save(folder)])
def test_what_a_crash_set_aside_is_put_back(folder, use):
    """Between the two moves of a save: the next one to look finds the old folder, and no scrap stays."""
    folder.rename(folder.with_name(".knowledge.old-0badcafe"))
    use(folder)
    assert [path.name for path in folder.parent.iterdir()] == ["knowledge"]


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    """No folder is not the same as an empty one."""
    with pytest.raises(Malformed):
        Knowledge.load(tmp_path / "nowhere")


@pytest.mark.parametrize("content", [b"", b"[]", b"{}", b"\xff", b'{"id":7}', b"{" * 1000])
def test_a_bad_file_becomes_a_fault_and_nothing_else_is_lost(folder, content):
    """The fault names the file; every other document is there."""
    before = Knowledge.load(folder)
    (folder / "status" / "aaa-bad.json").write_bytes(content)
    after = Knowledge.load(folder)
    assert [fault.path for fault in after.faults] == ["status/aaa-bad.json"]
    assert dict(after.status_lists) == dict(before.status_lists)


@pytest.mark.parametrize("suffix", [".entry", ".growth.json"])
def test_a_broken_companion_takes_its_document_along(folder, suffix):
    """A document whose entry can't be read is not used without it."""
    (path,) = list(folder.glob(f"*/*{suffix}"))[:1] or [None]
    path.write_bytes(b"not what it should be")
    knowledge = Knowledge.load(folder)
    assert len(knowledge.faults) == 1


def test_of_two_files_of_one_id_neither_counts(folder):
    """The order of file names decides nothing: what depends on the document is unknown."""
    original, other = sorted((folder / "status").glob("*.json"))
    (folder / "status" / "0.json").write_bytes(original.read_bytes())
    knowledge = Knowledge.load(folder)
    assert [fault.code for fault in knowledge.faults] == ["duplicate"]
    assert [*knowledge.status_lists] == [parse_object(other.read_bytes())["id"]]


def test_a_part_that_is_a_link_is_not_followed(folder, tmp_path):
    """Nor does a whole folder of them."""
    (folder / "dids").rename(tmp_path / "elsewhere")
    (folder / "dids").symlink_to(tmp_path / "elsewhere")
    assert not Knowledge.load(folder).did_documents


def test_links_are_not_followed(folder, tmp_path):
    """A link on a stranger's USB stick leads nowhere."""
    secret = tmp_path / "secret.json"
    secret.write_bytes(canonicalize({"id": "did:web:secret.example"}))
    (folder / "dids" / "link.json").symlink_to(secret)
    knowledge = Knowledge.load(folder)
    assert "did:web:secret.example" not in knowledge.did_documents
    assert [fault.path for fault in knowledge.faults] == ["dids/link.json"]


def test_a_huge_file_is_refused_before_it_is_read_whole(folder):
    """Nobody's memory is filled from a stick."""
    with (folder / "dids" / "huge.json").open("wb") as file:
        file.truncate(1 << 30)
    assert [fault.code for fault in Knowledge.load(folder).faults] == ["file-size"]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://civil.example/status/a", "https://civil.example/status-a"),
        ("did:web:civil.example", "did:web:civil.example:"),
        ("x" * 300, "x" * 301),
    ],
)
def test_file_names_are_safe_and_distinct(one, other):
    """No path can be spelled with an id, and two ids never share a file."""
    assert file_name(one) != file_name(other)
    assert "/" not in file_name("../../etc/passwd") + file_name(one)
    assert len(file_name(other)) < 100


def test_repr_of_knowledge_is_short_and_shows_no_content(world, issuer):
    """Contents stay out of logs."""
    assert "encodedList" not in repr(world.knowledge(issuer))


@pytest.fixture
def neighbours():
    """A registry and a court that anchor in one log, each with its credential, and what is known of both."""
    world = World()
    registry = world.issuer()
    court = world.issuer(COURT, registry=World().registry())
    for issuer in (registry, court):
        issuer.publish()
    credentials = [issuer.issue(birth(), key="k") for issuer in (registry, court)]
    return world, registry, court, credentials, world.knowledge(registry, court)


def test_refreshing_for_one_issuer_renews_the_others_in_the_same_log(neighbours):
    """After the registry alone published, the court's credentials are still decided."""
    world, registry, court, credentials, known = neighbours
    world.clock.advance(days=1)
    registry.publish()
    verifier = world.verifier(
        world.policy(registry, court), known.refreshed(world.ledger, registry.published())
    )
    assert [bool(verifier.check(credential)) for credential in credentials] == [True, True]


def test_knowledge_gathered_without_the_other_leaves_it_open(neighbours):
    """An old receipt beside a new checkpoint proves nothing any more: unknown, and not called false."""
    world, registry, court, (_, of_court), known = neighbours
    world.clock.advance(days=1)
    registry.publish()
    fresh = world.knowledge(registry)
    mixed = Knowledge(
        did_documents={**known.did_documents, **fresh.did_documents},
        status_lists={**known.status_lists, **fresh.status_lists},
        logs=fresh.logs,
    )
    report = world.verifier(world.policy(registry, court), mixed).check(of_court)
    assert report["anchor"].code == "receipt-older-than-view"


def test_a_renewed_receipt_of_an_outdated_list_says_that_it_is_superseded(neighbours):
    """Renewal keeps the document that is known; the receipt tells the truth about it."""
    world, registry, court, (of_registry, _), known = neighbours
    world.clock.advance(days=1)
    registry.publish()
    renewed = known.refreshed(world.ledger, court.published())
    report = world.verifier(world.policy(registry, court), renewed).check(of_registry)
    assert report["anchor"].code == "superseded"

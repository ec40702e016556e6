"""Tiles by a hostile hand: altered, cut, missing, huge, linked, and by a log that breaks its own rules."""

import os

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.scene import Scene, digest, signer
from ledger.tile_scene import TileScene
from vcid.encoding.merkle import EMPTY_ROOT, leaf_hash, root
from vcid.errors import Conflict, InvalidProof, LimitExceeded, Malformed, Unavailable, VcidError
from vcid.ledger.entries import Entry, HeadsLeaf, Kind, topic
from vcid.ledger.export import export
from vcid.ledger.heads import HeadsMap
from vcid.ledger.notes import Checkpoint, Note, NoteKey, sign_note
from vcid.ledger.replaying import replay
from vcid.ledger.tile_paths import Tile, encode_bundle
from vcid.ledger.tile_transport import FolderTransport
from vcid.ledger.tiles import TileReader


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """A log of 611 leaves, which no test changes."""
    return TileScene.large(tmp_path_factory.mktemp("still") / "tiles")


@pytest.fixture
def scene(still, tmp_path):
    """A copy of its folder to spoil."""
    return still.copied_to(tmp_path / "copy")


@pytest.fixture
def small(tmp_path):
    """A log of four leaves."""
    scene = TileScene(tmp_path / "tiles")
    scene.grow(2, list_id="first")
    return scene


# Whose checkpoint it is


def test_a_checkpoint_of_another_log_is_refused(small):
    """Origin and key are the caller's demand, not the folder's offer."""
    for key in (
        NoteKey.of_log("log.example/other", small.log_signer.public_key),
        NoteKey.of_log(small.key.name, signer(9).public_key),
    ):
        with pytest.raises(InvalidProof, match=r"wrong-origin|unsigned"):
            TileReader.open(small.transport, key)


def test_a_spoilt_checkpoint_is_refused(small):
    """A changed size or root breaks the signature, whichever byte it is."""
    text = small.file("checkpoint").read_bytes()
    for place in range(text.index(b"\n\n")):
        small.file("checkpoint").write_bytes(text[:place] + bytes([text[place] ^ 1]) + text[place + 1 :])
        with pytest.raises((Malformed, InvalidProof)):
            small.reader()


def test_a_checkpoint_larger_than_the_tiles_is_refused(small):
    """A size that the folder doesn't reach ends at the first missing tile, without any work in proportion."""
    for size in (5, 255, 256, 1 << 40, (1 << 63) - 1):
        small.sign_checkpoint(size, small.view.root)
        with pytest.raises(Unavailable, match="there is no"):
            small.reader()


def test_a_checkpoint_smaller_than_the_tiles_needs_its_own(small):
    """A prefix of the tiles is no smaller log: the root is another, or the heads don't end it."""
    small.sign_checkpoint(3, small.view.root)
    with pytest.raises(Unavailable):
        small.reader()


def test_a_signed_root_of_other_leaves_is_refused(small):
    """A checkpoint whose root the tiles don't have is refused before a leaf is read."""
    small.file("tile/entries/000.p/4").unlink()
    small.sign_checkpoint(4, bytes(32))
    with pytest.raises(Conflict, match="don't hash to the checkpoint"):
        small.reader()


# What stands in the tiles


ALL = ["tile/0/000", "tile/0/001", "tile/0/002.p/99", "tile/1/000.p/2"]
BUNDLES = ["tile/entries/000", "tile/entries/001", "tile/entries/002.p/99"]


@pytest.mark.parametrize("path", ALL + BUNDLES)
def test_an_altered_tile_or_bundle_is_refused(scene, path):
    """One flipped bit in any file refuses the log, and the replay says in which file."""
    assert path in scene.files()
    scene.flip(path, -1)
    with pytest.raises(Conflict, match="corrupt") as refused:
        scene.reader()
    partial = ".p/" in path and "entries" not in path
    assert ("last tiles" if partial else path) in str(refused.value)


@pytest.mark.parametrize("path", ALL + BUNDLES)
@pytest.mark.parametrize("change", [b"", b"cut", b"more"])
def test_files_of_another_width_are_refused(scene, path, change):
    """A file that is empty, one hash or leaf shorter, or longer than it may be is refused."""
    data = scene.file(path).read_bytes()
    end = 32 if "entries" not in path else len(scene.entry().encode()) + 2
    spoilt = {b"": b"", b"cut": data[:-end], b"more": data + data[-end:]}[change]
    scene.file(path).write_bytes(spoilt)
    with pytest.raises((Malformed, Conflict)):
        scene.reader()


@pytest.mark.parametrize("path", ALL + BUNDLES)
def test_a_deleted_file_is_missed(scene, path):
    """A tile or bundle that is gone makes the log unavailable: nothing is concluded from its absence."""
    scene.file(path).unlink()
    with pytest.raises(Unavailable) as refused:
        scene.reader()
    assert refused.value.code == "not-found"


@pytest.mark.parametrize("path", ["tile/0/002.p/99", "tile/entries/002.p/99"])
def test_a_full_tile_stands_in_for_a_deleted_partial_one(scene, path):
    """As the specification has it, the full tile serves in its place, whatever stands behind the partial one."""
    partial = scene.file(path)
    data = partial.read_bytes()
    filler = bytes(32) * 157 if "entries" not in path else encode_bundle([b"anything"] * 157)
    partial.unlink()
    partial.parent.rmdir()
    scene.file(path.partition(".p/")[0]).write_bytes(data + filler)
    assert scene.reader().head(scene.topic()) == scene.ledger.head(scene.topic())


def test_two_bundles_exchanged_are_refused(scene):
    """A bundle is good at its own place alone."""
    first, second = scene.file("tile/entries/000"), scene.file("tile/entries/001")
    first.rename(scene.file("third"))
    second.rename(first)
    scene.file("third").rename(second)
    with pytest.raises(Conflict, match="leaf 0 in tile/entries/000"):
        scene.reader()


def test_huge_files_are_not_read(scene):
    """No more of a file is read than it may hold, wherever it stands."""
    for path in ("checkpoint", "tile/0/000", "tile/entries/001"):
        kept = scene.file(path).read_bytes()
        with scene.file(path).open("ab") as file:
            file.truncate(1 << 40)
        with pytest.raises(LimitExceeded):
            scene.reader()
        scene.file(path).write_bytes(kept)
    assert scene.reader()


def test_a_bundle_of_countless_empty_leaves_is_refused(small):
    """A full-sized bundle of zero bytes would be 131,000 leaves: decoding stops at the number expected."""
    small.file("tile/entries/000.p/4").write_bytes(bytes(256 * 1026))
    with pytest.raises(Malformed, match="4 leaves"):
        small.reader()


@given(st.sampled_from([*ALL, *BUNDLES]), st.binary(max_size=64), st.integers(0, 8000))
@settings(max_examples=40, deadline=None)
def test_any_damage_ends_in_an_error_of_the_library(still, path, data, place):
    """Whatever is written over a file's bytes, the log is refused or the bytes were the same."""
    files, key, view = still.files(), still.key, still.view
    spoilt = bytearray(files[path])
    place %= len(spoilt)
    spoilt[place : place + len(data)] = data
    reading = _Files({**files, path: bytes(spoilt)})
    try:
        assert TileReader.open(reading, key).checkpoint() == view
        assert bytes(spoilt) == files[path]
    except VcidError:
        assert bytes(spoilt) != files[path]


class _Files:
    def __init__(self, files):
        self._files = files

    def get(self, path, max_bytes):
        if path not in self._files:
            raise Unavailable("there is none", code="not-found")
        return self._files[path]


# Links and paths


@pytest.mark.parametrize("path", ["checkpoint", "tile", "tile/0", "tile/entries/000.p", "tile/0/000.p/4"])
def test_links_are_not_followed(small, tmp_path, path):
    """A link anywhere on the way is refused, even if what it leads to would be right."""
    target = tmp_path / "elsewhere"
    small.file(path).rename(target)
    small.file(path).symlink_to(target)
    with pytest.raises(Unavailable) as refused:
        small.reader()
    assert refused.value.code == "link-refused"


def test_a_pipe_does_not_hold_the_reader(small):
    """What is no plain file is not opened: a pipe would wait for ever."""
    small.file("tile/entries/000.p/4").unlink()
    os.mkfifo(small.file("tile/entries/000.p/4"))
    with pytest.raises(Unavailable) as refused:
        small.reader()
    assert refused.value.code == "no-file"


@pytest.mark.parametrize(
    "path", ["../secret", "tile/0/../../../secret", "/etc/passwd", "tile/0/000\0", "secret"]
)
def test_no_path_leads_out_of_the_folder(small, path):
    """A transport brings a log's own files and nothing else, whoever asks."""
    (small.folder.parent / "secret").write_text("secret")
    with pytest.raises(ValueError, match="tlog-tiles"):
        small.transport.get(path, 100)


def test_a_folder_that_is_none_is_unavailable(tmp_path):
    """No folder, or a file in its place, is an absence and no crash."""
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "none", tmp_path / "file"):
        with pytest.raises(Unavailable):
            FolderTransport(folder).get("checkpoint", 10)


# A log that breaks its own rules, with its signature and hashes in order


class Rogue:
    """A log whose operator signs whatever leaves there are."""

    def __init__(self, leaves):
        scene = Scene()
        self.key, hashes = scene.key, [leaf_hash(leaf) for leaf in leaves]
        text = Checkpoint(self.key.name, len(leaves), root(hashes)).text
        note = Note(text, (sign_note(text, self.key.name, scene.log_signer),))
        self.transport = _Files(
            {
                "checkpoint": note.encode(),
                Tile(0, 0, len(leaves)).path: b"".join(hashes),
                Tile(None, 0, len(leaves)).path: encode_bundle(leaves),
            }
        )


def heads_of(*entries):
    newest = {entry.topic: (entry.topic, entry.seq, leaf_hash(entry.encode())) for entry in entries}
    return HeadsMap(newest.values()).leaf.encode()


def rogue_leaves():
    scene = Scene()
    first, second, third = (scene.entry(seq) for seq in range(3))
    foreign = Entry(
        **{
            name: getattr(first, name)
            for name in ("kind", "list_hash", "seq", "digest", "signature", "signing_key")
        },
        owner=signer(9).public_key,
    )
    change = Entry.change_key(scene.owner, signer(5).public_key, seq=0)
    return {
        "sequence": [first.encode(), third.encode(), heads_of(first, third)],
        "bad-signature": [foreign.encode(), heads_of(foreign)],
        "not-owner": [change.encode(), first.encode(), heads_of(change, first)],
        "heads-not-last": [heads_of(), first.encode()],
        "false-heads": [first.encode(), second.encode(), heads_of(first)],
        "bad-leaf": [b"a name and a date of birth", HeadsLeaf(0, bytes(32)).encode()],
    }


@pytest.mark.parametrize("code", sorted(rogue_leaves()))
def test_a_rogue_log_is_refused(code):
    """Garbage at the next number, a stranger's or a former key, false or missing heads: each by its name."""
    rogue = Rogue(rogue_leaves()[code])
    with pytest.raises(Conflict) as refused:
        TileReader.open(rogue.transport, rogue.key)
    assert refused.value.code == code
    replayed = replay(rogue.transport, rogue.key)
    assert (bool(replayed), replayed.difference.code) == (False, code)


def test_the_rogue_scene_itself_is_sound():
    """With the rules kept, the same way of making a log is accepted."""
    first = Scene().entry()
    rogue = Rogue([first.encode(), heads_of(first)])
    assert TileReader.open(rogue.transport, rogue.key).latest(first.topic) == first


def test_an_empty_log_proves_nothing():
    """A signed checkpoint of no leaves ends with no heads leaf."""
    rogue = Rogue([HeadsLeaf(0, bytes(32)).encode()])
    rogue.transport._files["checkpoint"] = _empty(rogue.key)
    with pytest.raises(Conflict, match="heads-not-last"):
        TileReader.open(rogue.transport, rogue.key)


def _empty(key):
    text = Checkpoint(key.name, 0, EMPTY_ROOT).text
    return Note(text, (sign_note(text, key.name, signer(1)),)).encode()


# Privacy


class _Recorded:
    """A transport that remembers what was asked of it."""

    def __init__(self, transport):
        self._transport = transport
        self.asked = []

    def get(self, path, max_bytes):
        self.asked.append(path)
        return self._transport.get(path, max_bytes)


def test_what_is_fetched_tells_nothing_of_what_is_sought(tmp_path):
    """The whole log is read before anything is asked, and for heads nothing after: no list or owner shows.

    The log has more bundles than a reader keeps, so that nothing is answered by chance of what is still there.
    """
    scene = TileScene(tmp_path / "tiles", witnesses=1)
    scene.grow(3, list_id="early")
    scene.grow(3000, list_id="late")
    recorded = _Recorded(scene.transport)
    reader = TileReader.open(recorded, scene.key)
    fetched = sorted(recorded.asked)
    assert {path for path in scene.files() if ".p/" not in path} <= set(fetched)
    for list_id in ("early", "late", "absent"):
        recorded.asked.clear()
        assert reader.head(scene.topic(list_id)) == scene.ledger.head(scene.topic(list_id))
        assert [path for path in recorded.asked if "entries" in path] == []
    again = _Recorded(scene.transport)
    TileReader.open(again, scene.key).head(scene.topic("late"))
    assert sorted(again.asked) == fetched


def test_the_tiles_hold_nothing_but_digests(small):
    """No list id, and nothing of a document, stands in any file."""
    small.ledger.append([small.entry(list_id="https://civil.example/status/secret", content=77)])
    small.view = small.ledger.publish()
    export(small.ledger, small.folder)
    everything = b"".join(small.files().values())
    assert b"https" not in everything
    assert b"secret" not in everything
    assert digest(77) in everything
    assert topic(small.owner.public_key, Kind.STATUS_LIST, "x") not in everything

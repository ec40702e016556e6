"""Paths, widths and bundles of tiles, by the examples of C2SP tlog-tiles and by chance."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vcid.errors import LimitExceeded, Malformed, VcidError
from vcid.ledger.tile_paths import Tile, decode_bundle, decode_tile, encode_bundle, right_edge, tile_of
from vcid.ledger.tile_transport import check_path


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 1234067), "tile/0/x001/x234/067"),
        (Tile(63, 0), "tile/63/000"),
        (Tile(1, 999, 255), "tile/1/999.p/255"),
        (Tile(0, 1000), "tile/0/x001/000"),
        (Tile(None, 123456, 1), "tile/entries/x123/456.p/1"),
    ],
)
def test_paths_are_those_of_the_specification(tile, path):
    """An index stands in parts of three digits, all but the last behind an x; a partial tile names its width."""
    assert tile.path == path == check_path(path)
    assert tile.full.path == path.partition(".p/")[0]


def test_the_specifications_own_trees():
    """70,000 leaves have partial tiles of 112, 17 and 1 hashes; 256 leaves one of a single hash."""
    assert right_edge(70_000) == [Tile(0, 273, 112), Tile(1, 1, 17), Tile(2, 0, 1)]
    assert right_edge(256) == [Tile(1, 0, 1)]
    assert right_edge(0) == []


def test_widths_follow_from_the_size():
    """What a tile holds is settled by the tree's size, and there is none beyond its edge."""
    assert tile_of(0, 0, 70_000) == Tile(0, 0, 256)
    assert tile_of(None, 273, 70_000) == Tile(None, 273, 112)
    for level, index in ((0, 274), (1, 2), (3, 0), (0, -1)):
        with pytest.raises(ValueError, match="no such tile"):
            tile_of(level, index, 70_000)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "..",
        "tile/0/../../etc/passwd",
        "/etc/passwd",
        "tile/0/000/",
        "tile//000",
        "tile/0/000.p/",
        "tile/0/x1/000",
        "checkpoint\n",
        "Checkpoint",
        "tile/0/000%2e",
        "tile/entries",
        "tile/0/0000",
        "tile/0/000?x",
    ],
)
def test_other_paths_are_misuse(path):
    """Nothing but a path of a log's files can be asked for, so none leads anywhere else."""
    with pytest.raises(ValueError, match="tlog-tiles"):
        check_path(path)


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=256))
def test_bundles_come_back(leaves):
    """What was bundled is found again, and with no other number of leaves."""
    data = encode_bundle(leaves)
    assert decode_bundle(data, len(leaves)) == leaves
    for width in (len(leaves) - 1, len(leaves) + 1):
        with pytest.raises(Malformed, match="bundle"):
            decode_bundle(data, width)


@given(st.binary(max_size=600), st.integers(1, 256))
def test_any_bytes_raise_errors_of_the_library_alone(data, width):
    """A bundle or tile of arbitrary bytes is read or refused."""
    for decode in (decode_bundle, decode_tile):
        try:
            found = decode(data, width)
        except VcidError:
            continue
        assert len(found) == width


@pytest.mark.parametrize("data", [b"\0", b"\0\x05abcd", b"\0\x01a\0", b"\xff\xff"])
def test_cut_bundles_are_refused(data):
    """A length that leads past the end refuses the bundle."""
    with pytest.raises(Malformed, match="bundle"):
        decode_bundle(data, 1)


def test_a_leaf_longer_than_any_is_refused():
    """The format's 65,535 bytes are far more than a leaf of ours has."""
    with pytest.raises(LimitExceeded, match="leaf-size"):
        decode_bundle(encode_bundle([bytes(1025)]), 1)


@pytest.mark.parametrize("size", [0, 31, 33, 32 * 3, 32 * 256])
def test_tiles_of_another_width_are_refused(size):
    """A tile holds exactly the hashes that the tree's size gives it."""
    with pytest.raises(Malformed, match="tile-width"):
        decode_tile(bytes(size), 2)

"""Private files: modes, atomic writes, locks, and what a crash or a full disk leaves behind."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import pytest

from vcid.errors import Conflict, LimitExceeded, Locked, Unavailable
from vcid.keys import private_files


def test_a_file_is_written_with_its_mode_and_read_back(tmp_path):
    """Mode 0600 holds from creation, whatever the umask would add."""
    path = tmp_path / "key"
    umask = os.umask(0)
    try:
        private_files.write(path, b"content")
    finally:
        os.umask(umask)
    assert path.stat().st_mode & 0o777 == 0o600
    assert private_files.read(path) == b"content"


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666, 0o777])
def test_a_file_that_others_may_touch_is_refused(tmp_path, mode):
    """Any right of group or others is refused, with the mend."""
    path = tmp_path / "key"
    private_files.write(path, b"content")
    path.chmod(mode)
    with pytest.raises(Locked, match="chmod 600"):
        private_files.read(path)
    path.chmod(0o400)
    assert private_files.read(path) == b"content"


def test_an_existing_file_needs_overwrite(tmp_path):
    """Without it the old content stays; with it the new one replaces it; no temporary file is left."""
    path = tmp_path / "key"
    private_files.write(path, b"first")
    with pytest.raises(Conflict) as caught:
        private_files.write(path, b"second")
    assert caught.value.code == "file-exists"
    assert private_files.read(path) == b"first"
    private_files.write(path, b"second", overwrite=True)
    assert private_files.read(path) == b"second"
    assert list(tmp_path.iterdir()) == [path]


def test_a_link_keeps_pointing_to_what_is_written(tmp_path):
    """Writing through a symbolic link changes its target, so that no old copy stays behind unnoticed."""
    (tmp_path / "disk").mkdir()
    target, link = tmp_path / "disk" / "key", tmp_path / "key"
    private_files.write(target, b"first")
    link.symlink_to(target)
    private_files.write(link, b"second", overwrite=True)
    assert link.is_symlink()
    assert target.read_bytes() == b"second"


def test_what_cannot_be_read_is_unavailable_or_too_large(tmp_path):
    """Missing files, folders and oversized files each have their error."""
    with pytest.raises(Unavailable):
        private_files.read(tmp_path / "none")
    with pytest.raises(Unavailable):
        private_files.read(tmp_path)
    path = tmp_path / "key"
    private_files.write(path, b"12345")
    assert private_files.read(path, max_bytes=5) == b"12345"
    with pytest.raises(LimitExceeded):
        private_files.read(path, max_bytes=4)


def test_a_full_disk_leaves_the_old_file(tmp_path):
    """A write that the system cuts short raises Unavailable, keeps the old content and tidies up."""
    path = tmp_path / "key"
    private_files.write(path, b"first")
    script = """
        import pathlib, resource, sys
        from vcid.errors import Unavailable
        from vcid.keys import private_files
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            private_files.write(pathlib.Path(sys.argv[1]), bytes(5000), overwrite=True)
        except Unavailable:
            sys.exit(7)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script), path], check=False)
    assert done.returncode == 7
    assert private_files.read(path) == b"first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_lock_keeps_a_second_writer_out(tmp_path):
    """The second taker waits its patience and is told; the first one's end lets it in."""
    path = tmp_path / "key"
    with (
        private_files.locked(path),
        pytest.raises(Unavailable, match="another process"),
        private_files.locked(path, patience=0.05),
    ):
        pytest.fail("two writers at once")
    with private_files.locked(path, patience=0):
        pass


def test_a_lock_is_let_go_when_the_block_fails_or_the_folder_is_missing(tmp_path):
    """An error inside the block releases the lock; a lock that can't be opened is Unavailable."""
    with pytest.raises(RuntimeError), private_files.locked(tmp_path / "key"):
        raise RuntimeError
    with private_files.locked(tmp_path / "key", patience=0):
        pass
    with pytest.raises(Unavailable), private_files.locked(tmp_path / "none" / "key"):
        pytest.fail("locked a file in no folder")


@pytest.mark.slow
def test_a_killed_writer_lets_go_and_leaves_a_whole_file(tmp_path):
    """After kill -9 at odd moments the lock is free, and the file holds one of the contents written, whole."""
    path = tmp_path / "key"
    private_files.write(path, b"\x00" * 4096)
    script = """
        import pathlib, sys
        from vcid.keys import private_files
        path, turn = pathlib.Path(sys.argv[1]), 0
        print("ready", flush=True)
        while True:
            turn = (turn + 1) % 256
            with private_files.locked(path):
                private_files.write(path, bytes([turn]) * 4096, overwrite=True)
    """
    for turn in range(12):
        writer = subprocess.Popen(
            [sys.executable, "-c", textwrap.dedent(script), path], stdout=subprocess.PIPE
        )
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        time.sleep(0.003 * turn)
        writer.send_signal(signal.SIGKILL)
        writer.wait()
        writer.stdout.close()
        with private_files.locked(path, patience=1):
            content = private_files.read(path)
        assert len(content) == 4096
        assert len(set(content)) == 1

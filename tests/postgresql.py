"""A PostgreSQL server of the tests' own, in a folder that they throw away, run by an unprivileged user."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

USER, PASSWORD = "registrar", "s3cret: invented/p@ssword"
_PASSWORD_IN_URL = "s3cret%3A%20invented%2Fp%40ssword"
_PROGRAMS = ["/usr/lib/postgresql/*/bin", "/usr/pgsql-*/bin", "/opt/homebrew/opt/postgresql@*/bin"]
_SETTINGS = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
max_connections = 60
shared_buffers = '32MB'
max_wal_size = '64MB'
fsync = on
synchronous_commit = off  # the stores have to ask for more
"""


@dataclass
class PostgresqlServer:
    """A server, and an empty place in it whenever one is asked for."""

    programs: Path
    folder: Path
    port: int
    largest_file: int | None = None
    _numbers: Iterator[int] = field(default_factory=count)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres", *, password: str = _PASSWORD_IN_URL) -> str:
        """The URL of one of its databases."""
        return f"postgresql://{USER}:{password}@127.0.0.1:{self.port}/{database}"

    def create(self) -> str:
        """Create an empty schema, which is quicker than a database, and give its URL."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE SCHEMA {name}")
        return f"{self.url()}?options=-csearch_path%3D{name}"

    def create_database(self) -> str:
        """Create an empty database, and give its URL."""
        name = f"test_{next(self._numbers)}"
        self.run(f"CREATE DATABASE {name}")
        return self.url(name)

    def copy(self, url: str) -> str:
        """Restore a backup: a database of its own with what another one holds, which nobody may be using."""
        name, source = f"test_{next(self._numbers)}", url.rpartition("/")[2]
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE datname = '{source}' AND pid <> pg_backend_pid()"
        )
        self.run(f"CREATE DATABASE {name} TEMPLATE {source}")
        return self.url(name)

    def run(self, statement: str, url: str | None = None, parameters: tuple[object, ...] = ()) -> list[tuple]:
        """Run a statement past the stores."""
        import psycopg

        with psycopg.connect(url or self.url(), autocommit=True) as connection:
            cursor = connection.execute(statement, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def start(self) -> None:
        """Start the server and wait until it answers; what a killed one left is recovered first."""
        deadline = time.monotonic() + 30
        while True:
            try:
                log = self.folder / "server.log"
                arguments = ["start", "-D", self.data, "-w", "-t", "60", "-l", log]
                _run(self.programs / "pg_ctl", *arguments, largest_file=self.largest_file)
            except subprocess.CalledProcessError:
                # Processes of a killed server hold its memory for a moment longer.
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """Kill the server with all its processes, as a loss of power does."""
        first = int((self.data / "postmaster.pid").read_text().split()[0])
        others = subprocess.run(["pgrep", "-P", str(first)], capture_output=True, text=True, check=False)
        for process in [first, *map(int, others.stdout.split())]:
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)


def _run(program: Path, *arguments: object, largest_file: int | None = None) -> None:
    command = [str(program), *map(str, arguments)]
    if largest_file is not None:
        command = ["prlimit", f"--fsize={largest_file}", "--", *command]
    if os.getuid() == 0:
        command = ["runuser", "-u", _unprivileged(), "--", *command]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd="/")


def _unprivileged() -> str:
    """Somebody who may run a server, which root may not."""
    return "postgres" if any(user.pw_name == "postgres" for user in pwd.getpwall()) else "nobody"


def _find_programs() -> Path | None:
    """The newest server's programs: of VCID_POSTGRESQL, of the system's packages, or of the path."""
    if "VCID_POSTGRESQL" in os.environ:
        return Path(os.environ["VCID_POSTGRESQL"])
    for pattern in _PROGRAMS:
        found = [path for path in Path("/").glob(pattern.removeprefix("/")) if (path / "initdb").is_file()]
        if found:
            return max(found, key=lambda path: float("".join(re.findall(r"[0-9.]+", str(path))) or 0))
    initdb = shutil.which("initdb")
    return Path(initdb).resolve().parent if initdb else None


def postgresql_server(missing: Callable[[str], None]) -> Iterator[PostgresqlServer]:
    """Run a server for a while, or say what is missing."""
    pytest.importorskip("psycopg", reason="the extra postgresql is not installed")
    programs = _find_programs()
    if programs is None:
        missing("no PostgreSQL: install the package postgresql, or set VCID_POSTGRESQL to its folder bin")
    with tempfile.TemporaryDirectory(prefix="vcid-postgresql-", dir=_roomy_memory()) as place:
        server = PostgresqlServer(programs, Path(place), _free_port())
        _initialize(server)
        server.start()
        try:
            yield server
        finally:
            server.kill()


def _roomy_memory() -> str | None:
    """Memory that looks like a disk, where there is plenty: it outlives a killed server as a disk does."""
    memory = Path("/dev/shm")
    is_roomy = os.access(memory, os.W_OK) and shutil.disk_usage(memory).free > 2 << 30
    return str(memory) if is_roomy else None


def _initialize(server: PostgresqlServer) -> None:
    secret = server.folder / "password"
    secret.write_text(PASSWORD)
    if os.getuid() == 0:
        for path in (server.folder, secret):
            shutil.chown(path, _unprivileged())
    options = ["--auth=scram-sha-256", f"--username={USER}", f"--pwfile={secret}", "--no-sync"]
    options.append("--wal-segsize=1")  # so that a limit on files stops tables, and not only its own records
    locale = ["--encoding=UTF8", "--locale=C"]
    _run(server.programs / "initdb", "-D", server.data, *options, *locale)
    with (server.data / "postgresql.conf").open("a") as settings:
        settings.write(f"{_SETTINGS}port = {server.port}\n")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]

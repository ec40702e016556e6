"""Fixtures that every room's tests share, and the guard that keeps the suite off the network."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from postgresql import PostgresqlServer, postgresql_server

ROOT = Path(__file__).resolve().parents[1]
SERVICES_REQUIRED = os.environ.get("VCID_REQUIRE_SERVICES") == "1"


_own_servers: set[tuple[str, int]] = set()


def _refuse_network(event: str, arguments: tuple) -> None:
    if event == "socket.getaddrinfo" and (str(arguments[0]), int(arguments[1] or 0)) in _own_servers:
        return
    if event == "socket.connect" and isinstance(arguments[1], tuple) and arguments[1][:2] in _own_servers:
        return
    if event in ("socket.connect", "socket.getaddrinfo"):
        raise RuntimeError("the tests reach for the network: hand in a Loader instead")


sys.addaudithook(_refuse_network)


@pytest.fixture
def own_server() -> Iterator[Callable[[int], None]]:
    """Let one test speak to a port of 127.0.0.1 on which it listens itself."""
    added: set[tuple[str, int]] = set()

    def allow(port: int) -> None:
        added.add(("127.0.0.1", port))
        _own_servers.update(added)

    yield allow
    _own_servers.difference_update(added)


def missing(what: str) -> None:
    """Skip for something that the machine lacks, or fail where CI promised to provide it."""
    if SERVICES_REQUIRED:
        pytest.fail(f"{what}, and VCID_REQUIRE_SERVICES=1 says that it must be there")
    pytest.skip(what)


@pytest.fixture
def tally(record_property: Callable[[str, object], None]) -> Callable[[str], None]:
    """Say how many official vectors a test ran; the counts are printed at the end of the run."""
    return lambda text: record_property("vectors", text)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what `tally` was told."""
    counts = sorted(
        str(value)
        for report in terminalreporter.stats.get("passed", [])
        for name, value in report.user_properties
        if name == "vectors"
    )
    if counts:
        terminalreporter.section("official vectors")
        terminalreporter.write_line("\n".join(counts))


@pytest.fixture(scope="session")
def vectors() -> Path:
    """The folder of official test data, or a skip that says where it was looked for."""
    folder = Path(os.environ.get("VCID_VECTORS", ROOT.parent / "shared" / "vectors"))
    if not folder.is_dir():
        missing(f"no official vectors at {folder}; set VCID_VECTORS to their folder")
    return folder


@pytest.fixture(scope="session")
def postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server of this run's own, or a skip that says how to get one."""
    yield from postgresql_server(missing)


@pytest.fixture
def own_postgresql() -> Iterator[PostgresqlServer]:
    """A PostgreSQL server that one test may kill."""
    yield from postgresql_server(missing)

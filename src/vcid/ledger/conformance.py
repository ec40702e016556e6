"""The test that every backend of the log has to pass, for whoever writes one.

Derive a class and say how a store of a name is opened: empty the first time, and afterwards the same log, as
another process would open it. Each test asks for names of its own and needs an empty place to open them in.
With pytest:

    class TestMyStore(LogStoreConformance):
        @pytest.fixture
        def stores(self, tmp_path):
            return lambda name: MyStore(tmp_path / name)

Without it, ``check_log_store`` runs every test and raises at the first that fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from vcid.ledger.conformance_log import LogConformance
from vcid.ledger.conformance_rows import RowsConformance

if TYPE_CHECKING:
    from collections.abc import Callable

    from vcid.ledger.conformance_rows import OpenStore

__all__ = ["LogStoreConformance", "check_log_store"]


class LogStoreConformance(RowsConformance, LogConformance):
    """What a `LogStore` owes to a log, a method for each demand."""


def check_log_store(make_stores: Callable[[], OpenStore]) -> list[str]:
    """Run every test of the suite.

    Args:
        make_stores: gives, for each test, what opens a store by its name in a place that is still empty.

    Returns:
        The names of the tests, all of which passed.

    Raises:
        AssertionError: a demand is not met; the message says which.
    """
    suite = LogStoreConformance()
    names = [name for name in dir(suite) if name.startswith("test_")]
    for name in names:
        getattr(suite, name)(make_stores())
    return names

"""Fixtures of the ledger's tests: a scene in each backend, and one with lists already anchored."""

import pytest

from ledger.evm_node import Anvil, find_anvil
from ledger.scene import Scene


@pytest.fixture(params=["memory", "sqlite", "postgresql"])
def scene(request, tmp_path):
    """A scene in each backend."""
    if request.param == "postgresql":
        return Scene(request.getfixturevalue("postgresql").create())
    return Scene("memory:" if request.param == "memory" else f"sqlite:///{tmp_path}/ledger.db")


@pytest.fixture
def anchored(scene):
    """A scene with one list of one owner among twenty others, published."""
    others = [scene.entry(list_id=f"https://civil.example/status/other-{number}") for number in range(20)]
    scene.ledger.append([scene.entry(), *others])
    scene.view = scene.ledger.publish()
    return scene


@pytest.fixture
def anvil(own_server):
    """Start nodes of a chain of one's own, as many as are asked for."""
    program = find_anvil()
    started = []

    def start(*options, **more):
        started.append(Anvil(program, own_server, *options, **more))
        return started[-1]

    yield start
    for one in started:
        one.stop()

"""Exports a log into a folder again and again, until it is killed."""

import sys

from ledger.scene import Scene
from vcid.ledger.export import export


def main(url, folder):
    """Append, publish and export without end; every third time all anew."""
    scene, turn = Scene(), 0
    ledger = scene.open(url, witnesses=[])
    while True:
        latest = ledger.latest(scene.topic())
        first = latest.seq + 1 if latest else 0
        ledger.append([scene.entry(seq) for seq in range(first, first + 90)])
        ledger.publish()
        export(ledger, folder, rebuild=turn % 3 == 2)
        turn += 1
        print(turn, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A process that appends and publishes until it is killed, and says what was acknowledged to it.

Run as ``ledger_worker.py <folder> <name> <mode>``; each line on standard output is one JSON array. ``endless``
goes on for ever, ``bounded`` does 40 rounds, ``full`` lets no file grow past a limit and says how that ended.
"""

import json
import os
import resource
import signal
import sys
from itertools import count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ledger.scene import Scene
from vcid.errors import Unavailable


def acknowledge(*words):
    os.write(1, json.dumps(words).encode() + b"\n")


def scene_in(folder):
    scene = Scene(witnesses=1)
    scene.url = f"sqlite:///{folder}/ledger.db"
    scene.witnesses = [scene.witness(0, f"sqlite:///{folder}/witness.db")]
    scene.ledger = scene.open()
    return scene


def work(scene, name, rounds):
    known = scene.ledger.latest(scene.topic(name))
    start = known.seq + 1 if known else 0
    for seq in rounds:
        entries = [scene.entry(start + seq, list_id=name)]
        entries += [scene.entry(0, list_id=f"{name} {start + seq} {more}") for more in range(3)]
        scene.ledger.append(entries)
        acknowledge("appended", name, start + seq)
        try:
            view = scene.ledger.publish()
        except Unavailable as error:
            if "other writers" not in str(error):
                raise
            continue
        acknowledge("published", view.size, view.root.hex())


def fill(scene, limit):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        work(scene, "full", count())
    except Unavailable:
        acknowledge("unavailable")


def main():
    folder, name, mode = sys.argv[1:]
    scene = scene_in(folder)
    acknowledge("ready")
    if mode == "full":
        fill(scene, 300_000)
    else:
        work(scene, name, count() if mode == "endless" else range(40))


if __name__ == "__main__":
    main()

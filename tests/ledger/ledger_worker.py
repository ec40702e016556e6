"""A process that appends and publishes until it is killed, and says what was acknowledged to it.

Run as ``ledger_worker.py <log's URL> <witness's URL> <name> <mode>``; each line on standard output is one JSON
array. ``endless`` goes on for ever, ``bounded`` does 40 rounds, ``stubborn`` goes on whatever is unavailable
until its standard input ends, ``filling`` goes on until something is unavailable, and ``full`` lets no file of
its own grow past a limit besides.
"""

import json
import os
import resource
import signal
import sys
import threading
import time
from itertools import count, takewhile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from ledger.scene import Scene
from vcid.errors import Unavailable


def acknowledge(*words):
    os.write(1, json.dumps(words).encode() + b"\n")


def scene_in(log_url, witness_url):
    scene = Scene(witnesses=1)
    scene.url = log_url
    scene.witnesses = [scene.witness(0, witness_url)]
    scene.ledger = scene.open()
    return scene


def work(scene, name, rounds, more=3):
    known = scene.ledger.latest(scene.topic(name))
    start = known.seq + 1 if known else 0
    for seq in rounds:
        entries = [scene.entry(start + seq, list_id=name)]
        entries += [scene.entry(0, list_id=f"{name} {start + seq} {one}") for one in range(more)]
        scene.ledger.append(entries)
        acknowledge("appended", name, start + seq)
        try:
            view = scene.ledger.publish()
        except Unavailable as error:
            if "other writers" not in str(error):
                raise
            continue
        acknowledge("published", view.size, view.root.hex())


def limit_files(limit):
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))


def persist(scene, name):
    ended = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    while not ended.is_set():
        try:
            work(scene, name, takewhile(lambda _: not ended.is_set(), count()))
        except Unavailable:
            acknowledge("unavailable")
            time.sleep(0.02)


def fill(scene, name, more):
    try:
        work(scene, name, count(), more)
    except Unavailable:
        acknowledge("unavailable")


def main():
    log_url, witness_url, name, mode = sys.argv[1:]
    scene = scene_in(log_url, witness_url)
    acknowledge("ready")
    if mode == "full":
        limit_files(300_000)
    if mode in ("full", "filling"):
        fill(scene, name, more=3 if mode == "full" else 40)
    elif mode == "stubborn":
        persist(scene, name)
    else:
        work(scene, name, count() if mode == "endless" else range(40))


if __name__ == "__main__":
    main()

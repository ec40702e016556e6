"""A process that issues, revokes and publishes until it is killed, and says what was acknowledged to it.

Run as ``crash_worker.py <registry> <ledger> <seed>``. Each line on standard output is one JSON array. The
ledger is a file to which anchored versions are appended, standing in for the real one.
"""

import json
import os
import random
import sys
from datetime import UTC, datetime
from itertools import count

from vcid.credentials.model import Credential
from vcid.encoding.json import canonicalize
from vcid.status.bitstring import ListPeriod, build_status_list
from vcid.status.registry import Registry, Request

DIGEST = b"d" * 32


def build(snapshot):
    return canonicalize(
        build_status_list(
            snapshot.bits,
            list_id=snapshot.list_id,
            issuer="did:web:civil.example",
            purposes=[snapshot.purpose],
            period=ListPeriod(valid_from=datetime(2026, 3, 1, tzinfo=UTC)),
        )
    )


def acknowledge(*words):
    os.write(1, json.dumps(words).encode() + b"\n")


def publish(registry, ledger):
    prepared = registry.prepare_publication(build, base_url="https://civil.example/status", room=1000)
    lines = [f"{p.list_id} {p.seq} {p.digest.hex()}\n" for p in prepared.publications]
    os.write(ledger, "".join(lines).encode())
    registry.confirm_publication(prepared.publications)
    for publication in prepared.publications:
        acknowledge("published", publication.list_id, publication.seq)


def issue(registry, keys, signer):
    reserved = registry.reserve_many(Request(key=key, record_digest=DIGEST) for key in keys)
    signed = ((each, Credential("application/vc", f"{each.key} by {signer}".encode())) for each in reserved)
    for each in registry.complete_many(signed):
        (entry,) = each.entries
        acknowledge("issued", each.key, entry.list_id, entry.index, each.credential.content.decode())
        yield each.key


def main(path, ledger_path, seed):
    chance = random.Random(seed)
    registry = Registry.open(f"sqlite:///{path}", purposes=("revocation",))
    ledger = os.open(ledger_path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    publish(registry, ledger)
    publish(registry, ledger)
    issued = []
    for turn in count():
        choice = chance.random()
        if choice < 0.4:
            # The other worker of the round uses the same keys.
            issued += issue(registry, [f"shared-{seed // 2}-{turn}"], seed)
        elif choice < 0.6:
            issued += issue(registry, [f"own-{seed}-{turn}-{i}" for i in range(10)], seed)
        elif choice < 0.9 and issued:
            key = chance.choice(issued)
            registry.revoke(key=key)
            acknowledge("revoked", key)
        else:
            publish(registry, ledger)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))

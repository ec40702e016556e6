"""Killing processes that share a registry: nothing acknowledged is lost, no index comes twice."""

import json
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from vcid.encoding.json import parse_object
from vcid.status.bitstring import StatusListCredential
from vcid.status.registry import PublishedHead

WORKER = Path(__file__).with_name("crash_worker.py")
ROUNDS = 50


def kill_two_workers(path, ledger, round_number, seconds):
    """Let two workers run on one registry, kill both at a random moment, and give what they acknowledged."""
    workers = [
        subprocess.Popen(
            [sys.executable, WORKER, path, ledger, str(2 * round_number + i)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            bufsize=0,
        )
        for i in range(2)
    ]
    first_lines = [worker.stdout.readline() for worker in workers]
    time.sleep(seconds)
    for worker in workers:
        worker.kill()
    outputs = [worker.communicate() for worker in workers]
    assert [errors for _, errors in outputs] == [b"", b""]
    acknowledged = []
    for first, (rest, _) in zip(first_lines, outputs, strict=True):
        lines = (first + rest).split(b"\n")
        # What stands after the last line's end was cut off by the kill, and so was not acknowledged.
        acknowledged += [json.loads(line) for line in lines[:-1]]
    return acknowledged


def read_ledger(ledger):
    """The newest version of each list that was anchored, checking that no number was anchored twice."""
    versions, heads = {}, {}
    for line in ledger.read_text().splitlines():
        list_id, seq, digest = line.split()
        assert versions.setdefault((list_id, int(seq)), digest) == digest, "one number, two versions"
        if list_id not in heads or heads[list_id].seq < int(seq):
            heads[list_id] = PublishedHead(int(seq), bytes.fromhex(digest))
    return heads


def set_bits(content):
    return set(StatusListCredential.parse(parse_object(content)).bits.set_indices())


@pytest.mark.slow
def test_fifty_kills_lose_and_double_nothing(tmp_path, new_office):
    """With kill -9 at 50 random moments, two processes at a time: every acknowledged operation holds."""
    path, ledger = tmp_path / "registry.db", tmp_path / "ledger"
    chance = random.Random(20260301)
    issued, revoked, counts, published = {}, set(), Counter(), {}
    for round_number in range(ROUNDS):
        acknowledged = kill_two_workers(path, ledger, round_number, chance.uniform(0, 0.15))
        counts.update(words[0] for words in acknowledged)
        for operation, *words in acknowledged:
            if operation == "issued":
                key, *place = words
                assert issued.setdefault(key, place) == place, "one key, two credentials"
            elif operation == "revoked":
                revoked.add(words[0])
            else:
                published[words[0]] = max(words[1], published.get(words[0], 0))
    print(f"{ROUNDS} rounds: {dict(counts)}")

    office = new_office(path.name)
    registry = office.registry
    assert registry.check_against(read_ledger(ledger)) == ()
    places = Counter((list_id, index) for list_id, index, _ in issued.values())
    assert max(places.values()) == 1
    known = {publication.list_id: publication for publication in registry.published_lists()}
    assert all(known[list_id].seq >= seq for list_id, seq in published.items())
    for key, (list_id, index, content) in issued.items():
        found = registry.find(key=key)
        assert [(entry.list_id, entry.index) for entry in found.entries] == [(list_id, index)]
        assert found.credential.content.decode() == content
    with registry._database.read() as transaction:
        shared = transaction.execute(
            "SELECT COUNT(*) FROM (SELECT issuance FROM slot WHERE issuance IS NOT NULL"
            " GROUP BY issuance HAVING COUNT(*) > 1)"
        ).fetchone()
    assert shared == (0,)
    assert_published_as_revoked(office, issued, revoked)


def assert_published_as_revoked(office, issued, revoked):
    """Publish twice (the first may be a resumed one), and compare every issued credential's bit."""
    office.publish()
    office.publish()
    lists = office.registry.published_lists()
    bits = {publication.list_id: set_bits(publication.content) for publication in lists}
    shown = {key for key, (list_id, index, _) in issued.items() if index in bits[list_id]}
    assert revoked <= shown
    assert all(office.registry.find(key=key).is_revoked for key in shown)


def test_two_processes_on_one_key_get_one_credential(tmp_path):
    """Started together on a store that does not exist yet, and racing for the same keys, they agree."""
    answers = {}
    for seconds in (0.3, 3, 10):  # a busy machine may not let both begin within the first
        for operation, *words in kill_two_workers(tmp_path / "registry.db", tmp_path / "ledger", 0, seconds):
            if operation == "issued":
                answers.setdefault(words[0], []).append(words[1:])
        if any(len(each) >= 2 for key, each in answers.items() if key.startswith("shared")):
            break
    else:
        pytest.fail("two processes never met on a key")
    assert all(each[0] == answer for each in answers.values() for answer in each)
    assert max(Counter((each[0][0], each[0][1]) for each in answers.values()).values()) == 1

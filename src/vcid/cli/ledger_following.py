"""``vcid ledger monitor``: what was appended to a log since the last look, for those whom it concerns."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from vcid.cli.logs import (
    log_policy,
    open_transport,
    origin_option,
    policy_option,
    read_digest,
    read_public_key,
    verifying_policy,
)
from vcid.cli.opening import open_stored_log
from vcid.cli.options import HELP, SetUpFailure, config_option, json_option, load_config
from vcid.cli.output import print_json, say
from vcid.cli.progress import slow_progress
from vcid.errors import LimitExceeded, Malformed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from vcid.cli.config import Config
    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.signing import PublicKey
    from vcid.ledger.anchor import LogPolicy
    from vcid.ledger.monitor import Findings, Sighting
    from vcid.ledger.reading import StoredLog

MEMORY: Final = "monitor.db"
MAX_KNOWN_BYTES: Final = 64 << 20
ALARMED: Final = 1
UNDECIDED: Final = 3
_ALARMING: Final = frozenset({"rollback", "fork", "invalid"})


@click.command(context_settings=HELP)
@click.argument("place", metavar="[PLACE]", required=False)
@click.option("--owner", "owners", multiple=True, callback=read_public_key, help="A first owner's key: z6Mk…")
@click.option("--topic", "topics", multiple=True, callback=read_digest, help="A topic, in hexadecimal.")
@click.option(
    "--known",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="What the owner anchored: a file with the SHA-256 of each document on a line, in hexadecimal.",
)
@click.option(
    "--memory",
    type=click.Path(dir_okay=False, path_type=Path),
    help=f"Where to remember what was seen. By default {MEMORY} beside vcid.toml.",
)
@policy_option
@origin_option
@config_option
@json_option
@click.pass_context
def monitor(
    ctx: click.Context,
    *,
    place: str | None,
    owners: tuple[PublicKey, ...],
    topics: tuple[bytes, ...],
    known: Path | None,
    memory: Path | None,
    policy_file: Path | None,
    origin: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Show what was appended to the log since the last look.

    The log is read from tiles at PLACE, a folder or a URL, or else from [ledger]. All of it is replayed,
    and has to continue what was seen last. Shown are the entries of the owners and topics named, or all.
    With --known, every entry that is not among the owner's own is an alarm: whoever made it has the owner's
    key.

    Do it on a fixed cadence. What was shown is remembered only then, and not if the log was found at fault.

    Exit codes: 0 nothing alarming, 1 an unknown entry, or the log broke a rule, was rolled back or forked,
    3 too few witnesses, or the log could not be read.

    JSON: log, checkpointSize, since, witnessedAt, outcome, code, entries [{place, kind, owner, topic, seq,
    digest, signingKey, known}]; known is null without --known.
    """
    from vcid.ledger.monitor import Monitor, Watch
    from vcid.ledger.views import SqlViewStore

    read = load_config(config)
    policy = log_policy(verifying_policy(read, policy_file), origin)
    digests = _read_known(known) if known else None
    watch = Watch(
        owners=frozenset(owners),
        topics=frozenset(topics),
        is_known=lambda entry: digests is None or entry.digest in digests,
    )
    views = SqlViewStore.open(f"sqlite:///{memory or read.path.parent / MEMORY}")
    with _unread_log(read, place, policy) as log, slow_progress("bundles replayed", None) as step:
        follower = Monitor(log, policy, views)
        findings = follower.look(watch, step=step)
    _report(findings, policy, has_records=digests is not None, as_json=as_json)
    sys.stdout.flush()
    if findings.judgement:
        follower.acknowledge(findings)
    ctx.exit(_exit_code(findings))


@contextmanager
def _unread_log(config: Config, place: str | None, policy: LogPolicy) -> Iterator[StoredLog]:
    """Open the log, and leave its replay to the monitor, which says what is wrong."""
    if place is None:
        log = open_stored_log(config)
        if log.key.name != policy.origin:
            raise SetUpFailure("the policy is about another log than [ledger]: name its tiles")
        yield log
        return
    from vcid.ledger.tiles import TileReader

    with open_transport(place) as transport:
        *former, key = policy.log_keys
        yield TileReader(transport, key, *former)


def _read_known(file: Path) -> frozenset[bytes]:
    """Read the digests of what an owner anchored.

    Raises:
        Malformed: a line is none.
    """
    with file.open("rb") as stream:
        content = stream.read(MAX_KNOWN_BYTES + 1)
    if len(content) > MAX_KNOWN_BYTES:
        raise LimitExceeded("too-large", f"a file of at most {MAX_KNOWN_BYTES} bytes")
    digests = set()
    for number, line in enumerate(content.split(), 1):
        try:
            digest = bytes.fromhex(line.decode("ascii"))
        except ValueError:
            digest = b""
        if len(digest) != 32:
            raise Malformed("known", "64 hexadecimal digits", where=f"line {number}")
        digests.add(digest)
    return frozenset(digests)


def _exit_code(findings: Findings) -> int:
    outcome = findings.judgement.outcome
    if findings.alarms or outcome in _ALARMING:
        return ALARMED
    return 0 if findings.judgement else UNDECIDED


def _report(findings: Findings, policy: LogPolicy, *, has_records: bool, as_json: bool) -> None:
    view, judgement = findings.view, findings.judgement
    witnessed = policy.examine(view.note).freshness if view else None
    if as_json:
        entries: list[JSON] = [_sighting_json(one, has_records=has_records) for one in findings.sightings]
        print_json(
            {
                "log": policy.origin,
                "checkpointSize": view.size if view else None,
                "since": findings.since,
                "witnessedAt": witnessed.isoformat() if witnessed else None,
                "outcome": judgement.outcome.value,
                "code": judgement.code,
                "entries": entries,
            }
        )
        return
    size = f"{view.size} leaves" if view else "no checkpoint that can be believed"
    say(f"{policy.origin}: {size}, {findings.since} seen before")
    say(f"{judgement.outcome.value} {judgement.code}".rstrip())
    if findings.fault is not None:
        say(f"the log can't be followed: {findings.fault}")
    for one in findings.sightings:
        entry, mark = one.entry, "" if one.is_known else "UNKNOWN: "
        say(f"  {mark}leaf {one.place}: {entry.kind.value} number {entry.seq} of {entry.owner.multikey}")
        say(f"    topic {entry.topic.hex()} digest {entry.digest.hex()}")


def _sighting_json(one: Sighting, *, has_records: bool) -> JsonObject:
    entry = one.entry
    return {
        "place": one.place,
        "kind": entry.kind.value,
        "owner": entry.owner.multikey,
        "topic": entry.topic.hex(),
        "seq": entry.seq,
        "digest": entry.digest.hex(),
        "signingKey": entry.signing_key.multikey,
        "known": one.is_known if has_records else None,
    }

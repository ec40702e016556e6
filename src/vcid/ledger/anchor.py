"""What a verifier makes of the ledger: the policy, the view, the question and the judgement, all without I/O.

Freshness and existence come from cosignatures alone. Freshness, how old a checkpoint is at most, is the
greatest t such that the policy is satisfied by the cosignatures with a time of at least t; existence, since
when it has stood, the smallest t such that it is by those with a time of at most t. With a flat quorum k
these are the k-th largest and the k-th smallest time. Liars who don't themselves satisfy the policy can raise
neither the one above an honest witness's time nor lower the other below it (``vcid.ledger.quorums``).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Protocol, Self

from vcid.errors import InvalidProof, Malformed
from vcid.ledger.notes import (
    COSIGNATURE_TYPES,
    LOG_TYPES,
    MAX_SIZE,
    Checkpoint,
    Note,
    NoteKey,
    check_name,
    check_origin,
)
from vcid.ledger.quorums import Group

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from vcid.encoding.json import JSON, JsonObject
    from vcid.keys.signing import PublicKey
    from vcid.ledger.entries import Entry
    from vcid.ledger.notes import SignatureType, VerifiedSignature
    from vcid.ledger.receipts import Receipt

_LATEST = int(datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp())


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint whose log signature holds, with the times of the policy's witnesses that cosigned it.

    Attributes:
        checkpoint: the log's state.
        times: a POSIX time by witness; 0 where the witness states none.
        demands: the groups of witnesses each of which has to be satisfied.
    """

    checkpoint: Checkpoint
    times: Mapping[str, int]
    demands: tuple[Group, ...]

    @property
    def is_witnessed(self) -> bool:
        """Whether enough witnesses cosigned, with a time or without."""
        return all(group.is_satisfied(self.times) for group in self.demands)

    @property
    def freshness(self) -> datetime | None:
        """The greatest t such that cosignatures from then on are enough; nothing if too few state a time."""
        return _moment([group.freshness(self.times) for group in self.demands], min)

    @property
    def existence(self) -> datetime | None:
        """The smallest t such that cosignatures until then are enough; nothing if too few state a time."""
        return _moment([group.existence(self.times) for group in self.demands], max)


def _moment(times: Sequence[int | None], choose: Callable[[Iterable[int]], int]) -> datetime | None:
    stated = [time for time in times if time is not None]
    if len(stated) < len(times):
        return None
    return datetime.fromtimestamp(min(choose(stated), _LATEST), UTC)


@dataclass(frozen=True, slots=True)
class Period:
    """When a witness's key was in use, by the times that its cosignatures state, both ends included.

    Attributes:
        since: a POSIX time.
        until: a POSIX time.
    """

    since: int = 0
    until: int = MAX_SIZE

    def __post_init__(self) -> None:
        if not 0 <= self.since <= self.until <= MAX_SIZE:
            raise ValueError("a key's period ends after it begins")


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPolicy:
    """Whom to believe about one log.

    Every witness counts once, under however many keys it signs: keys are distinct, and none is the log's.
    Two conflicting checkpoints can't both reach the quorum while no more than ``tolerated_liars`` of the
    witnesses lie; for k of n that is k > (n + f) / 2.

    Attributes:
        origin: the log's name, which is also the name of its key.
        log_key: the log's Ed25519 key in force.
        witnesses: names and keys, Ed25519 or ML-DSA-44. One name may stand with several keys, old and new or
            of both types.
        quorum: how many of them have to have cosigned, at least one, or a group of them.
        replaying: the group of *replaying* witnesses, who check the heads and not only that the log grows.
            It has to be satisfied besides the quorum, since nobody else vouches that an entry is the newest.
            Without it, all witnesses are replaying.
        former_log_keys: keys that the log gave up, each with the size of the last checkpoint that it signed.
            A thief of such a key can sign no larger one; smaller ones have their witnesses.
        key_periods: when a witness's key was in use, for keys with an end or a beginning. A cosignature that
            states another time, or none, does not count.
    """

    origin: str
    log_key: PublicKey
    witnesses: tuple[tuple[str, PublicKey], ...]
    quorum: int | Group
    replaying: Group | None = None
    former_log_keys: tuple[tuple[PublicKey, int], ...] = ()
    key_periods: tuple[tuple[PublicKey, Period], ...] = ()
    _log_keys: Mapping[NoteKey, int] = field(init=False, repr=False, compare=False)
    _witness_keys: tuple[NoteKey, ...] = field(init=False, repr=False, compare=False)
    _demands: tuple[Group, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        check_origin(self.origin)
        log_keys = {NoteKey.of_log(self.origin, key): size for key, size in self.former_log_keys}
        log_keys[NoteKey.of_log(self.origin, self.log_key)] = MAX_SIZE
        object.__setattr__(self, "_log_keys", log_keys)
        keys = tuple(NoteKey.of_cosigner(name, key) for name, key in self.witnesses)
        object.__setattr__(self, "_witness_keys", keys)
        names = tuple(dict.fromkeys(name for name, _ in self.witnesses))
        quorum = Group(self.quorum, names) if isinstance(self.quorum, int) else self.quorum
        object.__setattr__(self, "_demands", (quorum, *filter(None, [self.replaying])))
        self._check_keys()
        if not {name for group in self._demands for name in group.names} <= set(names):
            raise ValueError("a quorum names witnesses of this policy")

    def _check_keys(self) -> None:
        """Check that nobody counts twice."""
        if self.origin in {name for name, _ in self.witnesses}:
            raise ValueError("each witness has a name of its own, which is not the log's")
        keys = [*self._log_keys, *self._witness_keys]
        public = {key.public_key for key in keys}
        if not len(public) == len(keys) == len(self.former_log_keys) + 1 + len(self.witnesses):
            raise ValueError("each witness has a key of its own, which is not the log's")
        if len({(key.name, key.key_id) for key in keys}) != len(keys):
            raise ValueError("two keys have one name and key ID")
        if not {key for key, _ in self.key_periods} <= {key for _, key in self.witnesses}:
            raise ValueError("a period is that of a witness's key")

    @property
    def tolerated_liars(self) -> int:
        """The most witnesses that may lie without two conflicting checkpoints both reaching the quorum.

        Negative if even honest witnesses could cosign them, because two quorums needn't share a member.
        """
        return max(group.overlap for group in self._demands) - 1

    def examine(self, note: bytes) -> Witnessed:
        """Read a checkpoint and check the signatures of the log and of every witness known.

        Raises:
            Malformed: it is no checkpoint, or has extension lines.
            InvalidProof: it is of another log (``wrong-origin``), the log did not sign it (``unsigned``), or
                a known key's signature does not hold.
        """
        parsed = Note.parse(note)
        checkpoint = Checkpoint.parse(parsed.text)
        if checkpoint.origin != self.origin:
            raise InvalidProof("wrong-origin", "the checkpoint is of another log")
        if checkpoint.extensions:
            raise Malformed("extension-lines", "a checkpoint of three lines: no auditor checks more")
        verified = parsed.verify([*self._log_keys, *self._witness_keys])
        if not any(checkpoint.size <= self._log_keys.get(found.key, -1) for found in verified):
            raise InvalidProof("unsigned", "the log did not sign the checkpoint")
        return self.witnessed(checkpoint, verified)

    def witnessed(self, checkpoint: Checkpoint, verified: Iterable[VerifiedSignature]) -> Witnessed:
        """Count the cosignatures of a checkpoint; a witness who signed with two keys counts at the later."""
        periods = dict(self.key_periods)
        times: dict[str, int] = {}
        for found in verified:
            period = periods.get(found.key.public_key)
            if found.key in self._log_keys or (period and not _is_within(period, found.time)):
                continue
            times[found.key.name] = max(found.time, times.get(found.key.name, 0))
        return Witnessed(checkpoint, times, self._demands)

    @property
    def log_keys(self) -> tuple[NoteKey, ...]:
        """The log's verifier keys, the former ones first."""
        return tuple(self._log_keys)

    @property
    def witness_keys(self) -> tuple[NoteKey, ...]:
        """The witnesses' verifier keys."""
        return self._witness_keys

    def to_json(self) -> JsonObject:
        """The policy as JSON; keys are C2SP verifier keys."""
        written: JsonObject = {
            "origin": self.origin,
            "log": NoteKey.of_log(self.origin, self.log_key).vkey,
            "witnesses": [self._write_witness(key) for key in self._witness_keys],
            "quorum": self.quorum if isinstance(self.quorum, int) else self.quorum.to_json(),
        }
        if self.replaying is not None:
            written["replaying"] = self.replaying.to_json()
        if self.former_log_keys:
            written["formerLogKeys"] = [
                {"key": NoteKey.of_log(self.origin, key).vkey, "untilSize": size}
                for key, size in self.former_log_keys
            ]
        return written

    def _write_witness(self, key: NoteKey) -> JSON:
        period = dict(self.key_periods).get(key.public_key)
        return {"key": key.vkey, "since": period.since, "until": period.until} if period else key.vkey

    @classmethod
    def from_json(cls, value: JsonObject) -> Self:
        """Read a policy from JSON.

        Raises:
            Malformed: it is none, or contradicts itself.
        """
        try:
            return cls(**_read_log_policy(value))
        except ValueError as error:
            raise Malformed("log-policy", f"that {error}") from error


def _is_within(period: Period, time: int) -> bool:
    return time != 0 and period.since <= time <= period.until


def _read_log_policy(value: JsonObject) -> dict[str, Any]:
    """Read the fields of a policy from its JSON."""
    match value:
        case {"origin": str(origin), "log": str(log), "witnesses": list(vkeys), "quorum": quorum, **rest}:
            key = _parse_vkey(log, LOG_TYPES)
        case _:
            raise Malformed("log-policy", "origin, log, witnesses and quorum")
    if key.name != origin or isinstance(quorum, bool) or not rest.keys() <= {"replaying", "formerLogKeys"}:
        raise Malformed("log-policy", "a log key named as the origin, and nothing else")
    witnesses = [_read_witness(one) for one in vkeys]
    return {
        "origin": origin,
        "log_key": key.public_key,
        "witnesses": tuple((key.name, key.public_key) for key, _ in witnesses),
        "quorum": quorum if isinstance(quorum, int) else Group.from_json(quorum),
        "replaying": Group.from_json(rest["replaying"]) if "replaying" in rest else None,
        "former_log_keys": _read_former(rest.get("formerLogKeys", []), origin),
        "key_periods": tuple((key.public_key, period) for key, period in witnesses if period),
    }


def _read_witness(value: JSON) -> tuple[NoteKey, Period | None]:
    match value:
        case {"key": str(vkey), "since": int(since), "until": int(until), **rest} if not rest:
            return _parse_vkey(vkey, COSIGNATURE_TYPES), Period(since, until)
    return _parse_vkey(value, COSIGNATURE_TYPES), None


def _read_former(value: JSON, origin: str) -> tuple[tuple[PublicKey, int], ...]:
    former = []
    for item in value if isinstance(value, list) else [None]:
        match item:
            case {"key": str(vkey), "untilSize": int(size), **rest} if not rest and size >= 0:
                key = _parse_vkey(vkey, LOG_TYPES)
            case _:
                raise Malformed("log-policy", "the log's former keys, each with its last size")
        if key.name != origin:
            raise Malformed("log-policy", "former log keys named as the origin")
        former.append((key.public_key, size))
    return tuple(former)


def _parse_vkey(vkey: JSON, types: Collection[SignatureType]) -> NoteKey:
    if not isinstance(vkey, str):
        raise Malformed("log-policy", "verifier keys as text")
    key = NoteKey.parse(vkey)
    if key.signature_type not in types:
        expected = " or ".join(f"{one:#04x}" for one in sorted(types))
        raise Malformed("log-policy", f"a verifier key of type {expected}")
    return key


@dataclass(frozen=True, slots=True)
class View:
    """The state of a log as somebody knows it.

    Attributes:
        origin: the log's name.
        size: its number of leaves.
        root: their root.
        note: the signed checkpoint that says so.
    """

    origin: str
    size: int
    root: bytes
    note: bytes = field(repr=False)

    @classmethod
    def verified(cls, note: bytes, policy: LogPolicy) -> Self:
        """Take a view from a checkpoint whose signatures hold, enough of them or not.

        Raises:
            Malformed: it is no checkpoint.
            InvalidProof: the log's signature is missing, or a known signature does not hold.
        """
        return cls.of(policy.examine(note).checkpoint, note)

    @classmethod
    def of(cls, checkpoint: Checkpoint, note: bytes) -> Self:
        """Take a view from a checkpoint and its note as they are."""
        return cls(check_name(checkpoint.origin), checkpoint.size, checkpoint.root, note)


class Outcome(StrEnum):
    """What evidence from the ledger comes to. Only ``OK`` lets anybody rely on it."""

    OK = "ok"
    STALE = "stale"
    SUPERSEDED = "superseded"
    NOT_ANCHORED = "not_anchored"
    ROLLBACK = "rollback"
    FORK = "fork"
    QUORUM = "quorum"
    INVALID = "invalid"
    UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Judgement:
    """An outcome and its reason; true only if the outcome is ``OK``.

    Attributes:
        outcome: what the evidence comes to.
        code: the reason in kebab case; empty for ``OK``.
        freshness: up to when the view is known to be the log's newest, by enough witnesses.
        existence: since when the receipt's checkpoint is known to stand, by enough witnesses.
        evidence: of a ``FORK``, where both checkpoints prove it, the file that shows it to anybody
            (``vcid.ledger.evidence``).
    """

    outcome: Outcome
    code: str = ""
    freshness: datetime | None = None
    existence: datetime | None = None
    evidence: bytes | None = field(default=None, repr=False)

    def __bool__(self) -> bool:
        return self.outcome is Outcome.OK


class AnchorReader(Protocol):
    """Reads a log and proves what it reads."""

    def checkpoint(self) -> View | None:
        """The newest published checkpoint."""

    def inclusion(self, entry: Entry, at: int | None = None) -> Receipt:
        """Prove that an entry is in the log, at a checkpoint's size or the newest."""

    def head(self, topic: bytes, at: int | None = None) -> Receipt:
        """Prove which entry is a topic's newest, or that there is none."""

    def consistency(self, old_size: int, new_size: int) -> list[bytes]:
        """Prove that the log only grew between two sizes."""


class AnchorWriter(Protocol):
    """Writes a log."""

    def append(self, entries: Iterable[Entry], idempotency_key: str | None = None) -> range:
        """Add entries, all or none."""

    def publish(self) -> View:
        """End the log with a heads leaf, sign it and have it cosigned."""


class Witness(Protocol):
    """Cosigns checkpoints that only grow and whose heads are true."""

    @property
    def key(self) -> NoteKey:
        """The key that verifies its cosignatures."""

    def checkpoint(self, origin: str) -> bytes | None:
        """The newest checkpoint of a log that it cosigned."""

    def add_checkpoint(
        self, old_size: int, proof: Sequence[bytes], note: bytes, entries: Iterable[bytes]
    ) -> bytes:
        """Check a checkpoint against the one it knows, and the leaves between; give a cosignature line."""


class ViewStore(Protocol):
    """A verifier's memory of the newest view of each log."""

    def load(self, origin: str) -> View | None:
        """The newest view known of a log."""

    def advance(self, old: View | None, new: View) -> None:
        """Replace the view if it still is ``old``; never by a smaller or contradicting one."""

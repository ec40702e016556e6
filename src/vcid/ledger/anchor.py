"""What a verifier makes of the ledger: the policy, the view, the question and the judgement, all without I/O.

Freshness and existence come from cosignatures alone. Of the times at which a policy's witnesses signed one
checkpoint, the k-th largest says how old it is at most, since k - 1 liars can't raise it, and the k-th
smallest says since when it has stood, since k - 1 liars can't lower it (k is the policy's quorum).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol, Self

from vcid.errors import InvalidProof, Malformed
from vcid.ledger.notes import Checkpoint, Note, NoteKey, SignatureType, check_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from vcid.encoding.json import JsonObject
    from vcid.keys.signing import PublicKey
    from vcid.ledger.entries import Entry
    from vcid.ledger.receipts import Receipt

_LATEST = int(datetime.max.replace(tzinfo=UTC, microsecond=0).timestamp())


@dataclass(frozen=True, slots=True)
class Witnessed:
    """A checkpoint whose log signature holds, with the times of the policy's witnesses that cosigned it.

    Attributes:
        checkpoint: the log's state.
        times: a POSIX time by witness; 0 where the witness states none.
        quorum: how many witnesses the policy asks for.
    """

    checkpoint: Checkpoint
    times: Mapping[str, int]
    quorum: int

    @property
    def is_witnessed(self) -> bool:
        """Whether enough witnesses cosigned."""
        return len(self.times) >= self.quorum

    @property
    def freshness(self) -> datetime | None:
        """The k-th largest time; nothing if fewer than k witnesses state one."""
        return self._time(reverse=True)

    @property
    def existence(self) -> datetime | None:
        """The k-th smallest time; nothing if fewer than k witnesses state one."""
        return self._time(reverse=False)

    def _time(self, *, reverse: bool) -> datetime | None:
        stated = sorted((time for time in self.times.values() if time), reverse=reverse)
        if len(stated) < self.quorum:
            return None
        return datetime.fromtimestamp(min(stated[self.quorum - 1], _LATEST), UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class LogPolicy:
    """Whom to believe about one log.

    Every witness counts once: names and keys are distinct, and none is the log's own. Two conflicting
    checkpoints can't both reach a quorum k of n witnesses while at most f of them lie, if k > (n + f) / 2.

    Attributes:
        origin: the log's name, which is also the name of its key.
        log_key: the log's Ed25519 key.
        witnesses: names and Ed25519 keys of *replaying* witnesses, which check the heads and not only that
            the log grows.
        quorum: how many of them have to have cosigned, at least one.
    """

    origin: str
    log_key: PublicKey
    witnesses: tuple[tuple[str, PublicKey], ...]
    quorum: int
    _keys: tuple[NoteKey, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        log = NoteKey(self.origin, SignatureType.ED25519, self.log_key)
        witnesses = [NoteKey(name, SignatureType.COSIGNATURE_V1, key) for name, key in self.witnesses]
        if not 1 <= self.quorum <= len(witnesses):
            raise ValueError("a quorum is at least one and at most all witnesses")
        if len({self.origin, *(key.name for key in witnesses)}) != len(witnesses) + 1:
            raise ValueError("each witness has a name of its own, which is not the log's")
        if len({self.log_key, *(key for _, key in self.witnesses)}) != len(witnesses) + 1:
            raise ValueError("each witness has a key of its own, which is not the log's")
        object.__setattr__(self, "_keys", (log, *witnesses))

    @property
    def tolerated_liars(self) -> int:
        """The most witnesses that may lie without two conflicting checkpoints both reaching the quorum.

        Negative if even honest witnesses could cosign them, because two quorums needn't share a member.
        """
        return 2 * self.quorum - len(self.witnesses) - 1

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
        verified = parsed.verify(self._keys)
        times = {found.key.name: found.time for found in verified if found.key is not self._keys[0]}
        if len(times) == len(verified):
            raise InvalidProof("unsigned", "the log did not sign the checkpoint")
        return Witnessed(checkpoint, times, self.quorum)

    def to_json(self) -> JsonObject:
        """The policy as JSON; keys are C2SP verifier keys."""
        log, *witnesses = (key.vkey for key in self._keys)
        return {"origin": self.origin, "log": log, "witnesses": [*witnesses], "quorum": self.quorum}

    @classmethod
    def from_json(cls, value: JsonObject) -> Self:
        """Read a policy from JSON.

        Raises:
            Malformed: it is none, or contradicts itself.
        """
        match value:
            case {"origin": str(origin), "log": str(log), "witnesses": list(vkeys), "quorum": int(quorum)}:
                key = _parse_vkey(log, SignatureType.ED25519)
                witnesses = [_parse_vkey(vkey, SignatureType.COSIGNATURE_V1) for vkey in vkeys]
            case _:
                raise Malformed("log-policy", "origin, log, witnesses and quorum")
        if key.name != origin or isinstance(quorum, bool) or len(value) != 4:
            raise Malformed("log-policy", "a log key named as the origin, and nothing else")
        try:
            pairs = tuple((witness.name, witness.public_key) for witness in witnesses)
            return cls(origin=origin, log_key=key.public_key, witnesses=pairs, quorum=quorum)
        except ValueError as error:
            raise Malformed("log-policy", f"that {error}") from error


def _parse_vkey(vkey: object, signature_type: SignatureType) -> NoteKey:
    if not isinstance(vkey, str):
        raise Malformed("log-policy", "verifier keys as text")
    key = NoteKey.parse(vkey)
    if key.signature_type is not signature_type:
        raise Malformed("log-policy", f"a verifier key of type {signature_type:#04x}")
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
    """

    outcome: Outcome
    code: str = ""
    freshness: datetime | None = None
    existence: datetime | None = None

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

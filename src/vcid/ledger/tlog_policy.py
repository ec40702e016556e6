"""The text in which logs, witnesses and a quorum are written down for several tools: C2SP tlog-policy.

The format is followed as it stands: lines of items between spaces and tabs, comments behind ``#``, names that
mean something inside the file alone, groups that name what was defined above them, exactly one quorum. Names
are strings of octets; those that are no UTF-8 keep theirs through surrogates. Reading bounds a file to
``MAX_LINES`` logs, witnesses and groups each, where the specification recommends 32 at least.

The format can't say who replays. A group of the name ``replaying`` says so here: its witnesses check a log's
heads, and ``log_policy`` demands that group besides the quorum. A file without one makes no ``LogPolicy``
unless the caller names another group, since nobody in it would vouch that an entry is the newest.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Self

from vcid.errors import LimitExceeded, Malformed
from vcid.ledger.anchor import LogPolicy
from vcid.ledger.notes import COSIGNATURE_TYPES, LOG_TYPES, MAX_SIZE, NoteKey
from vcid.ledger.quorums import Group

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from vcid.ledger.notes import SignatureType

MAX_POLICY_BYTES = 1 << 20
"""The longest file read."""

MAX_LINES = 256
"""The most logs, witnesses and groups read, of each."""

REPLAYING = "replaying"
"""The name of the group whose witnesses check the heads too."""

NONE = "none"
"""The quorum that asks for no cosignature."""

_SPACE = re.compile("[ \t]+")
_FORBIDDEN = re.compile(rb"[\x00-\x08\x0b-\x1f\x7f]")
_THRESHOLD = re.compile(r"[1-9][0-9]{0,5}")


@dataclass(frozen=True, slots=True)
class Party:
    """A log or witness of the file.

    Attributes:
        key: its verifier key.
        url: where it is reached; empty if the file does not say.
    """

    key: NoteKey
    url: str = ""


@dataclass(frozen=True, slots=True)
class NamedGroup:
    """A group line: how many of which witnesses and groups, by their names in the file."""

    threshold: int
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TlogPolicy:
    """What such a file says.

    Attributes:
        logs: the logs, whose key names are their origins.
        witnesses: the witnesses by their names in the file.
        groups: the groups by their names, each below those it names.
        quorum: the name of a witness or group, or ``none``.
    """

    logs: tuple[Party, ...] = ()
    witnesses: Mapping[str, Party] = field(default_factory=dict)
    groups: Mapping[str, NamedGroup] = field(default_factory=dict)
    quorum: str = NONE

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Read a policy.

        Raises:
            Malformed: it is none; the error says in which line.
            LimitExceeded: it is too long or has too many lines of a kind.
        """
        if len(data) > MAX_POLICY_BYTES:
            raise LimitExceeded("size", f"at most {MAX_POLICY_BYTES} bytes")
        if _FORBIDDEN.search(data):
            raise Malformed("control-character", "no control character but tab and newline")
        if data and not data.endswith(b"\n"):
            raise Malformed("final-newline", "a newline at the end of each line")
        reading = _Reading()
        for number, line in enumerate(data.decode("utf-8", "surrogateescape").split("\n"), 1):
            words = _SPACE.split(line.strip(" \t"))
            if words != [""] and not words[0].startswith("#"):
                reading.take(words, f"line {number}")
        if reading.quorum is None:
            raise Malformed("no-quorum", "exactly one quorum line")
        return cls(tuple(reading.logs), reading.witnesses, reading.groups, reading.quorum)

    def encode(self) -> bytes:
        """The policy as text; each line's order is the one of this object."""
        lines = [" ".join(["log", *_write(log)]) for log in self.logs]
        lines += [" ".join(["witness", name, *_write(one)]) for name, one in self.witnesses.items()]
        for name, group in self.groups.items():
            lines.append(" ".join(["group", name, str(group.threshold), *group.members]))
        lines.append(f"quorum {self.quorum}")
        return "\n".join([*lines, ""]).encode("utf-8", "surrogateescape")

    def log_policy(self, origin: str, *, replaying: str = REPLAYING) -> LogPolicy:
        """What this file demands of one of its logs.

        Several keys of one origin are keys of one log: the first is in force, the others are former ones, for
        which the file states no end.

        Args:
            origin: the log.
            replaying: the group, or the one witness, that checks the heads.

        Raises:
            Malformed: the log or the replaying group is not there, the quorum is ``none``, or the witnesses
                can't be told apart.
        """
        keys = [log.key.public_key for log in self.logs if log.key.name == origin]
        if not keys:
            raise Malformed("no-log", "a line for the log")
        if self.quorum == NONE:
            raise Malformed("no-quorum", "a quorum of witnesses, without whom nobody dates a log")
        if replaying not in self.groups and replaying not in self.witnesses:
            raise Malformed("no-replaying-group", "a group of the witnesses that check the heads")
        names = [witness.key.name for witness in self.witnesses.values()]
        if len(set(names)) != len(names):
            raise Malformed("key-name", "a key name of its own for each witness")
        quorum, heads = self._group(self.quorum), self._group(replaying)
        try:
            return LogPolicy(
                origin=origin,
                log_key=keys[0],
                witnesses=tuple((one.key.name, one.key.public_key) for one in self.witnesses.values()),
                quorum=quorum.threshold if quorum.members == tuple(names) else quorum,
                replaying=None if quorum == heads else heads,
                former_log_keys=tuple((key, MAX_SIZE) for key in keys[1:]),
            )
        except ValueError as error:
            raise Malformed("log-policy", f"that {error}") from error

    def replaying_witnesses(self, name: str = REPLAYING) -> frozenset[str]:
        """The names in the file of the witnesses of a group; none if it has no such group."""
        if name in self.witnesses:
            return frozenset({name})
        members = self.groups[name].members if name in self.groups else ()
        return frozenset().union(*(self.replaying_witnesses(member) for member in members))

    def _group(self, name: str) -> Group:
        member = self._member(name)
        return member if isinstance(member, Group) else Group(1, (member,))

    def _member(self, name: str) -> str | Group:
        if name in self.witnesses:
            return self.witnesses[name].key.name
        group = self.groups[name]
        try:
            return Group(group.threshold, tuple(self._member(member) for member in group.members))
        except ValueError as error:
            raise Malformed("group", f"that {error}") from error

    @classmethod
    def of(cls, policy: LogPolicy) -> Self:
        """Write a verifier's policy in this form, each witness under the name of its key.

        Raises:
            ValueError: it says what the format can't: periods of keys, an end of former ones, a witness with
                several keys, or one that stands both in the quorum and, apart from it, among the replaying.
        """
        names = [name for name, _ in policy.witnesses]
        if policy.key_periods or len(set(names)) != len(names):
            raise ValueError("a tlog-policy has one key a witness, without a period")
        if any(size != MAX_SIZE for _, size in policy.former_log_keys):
            raise ValueError("a tlog-policy has no end for a log's former keys")
        writing = _Writing({*names, NONE, REPLAYING})
        quorum = _of_all(policy.quorum, names)
        writing.add(policy.replaying or quorum, REPLAYING)
        top = writing.add(quorum)
        keys = [policy.log_key, *(key for key, _ in policy.former_log_keys)]
        logs = tuple(Party(NoteKey.of_log(policy.origin, key)) for key in keys)
        written = cls(logs, {key.name: Party(key) for key in policy.witness_keys}, writing.groups, top)
        try:
            cls.parse(written.encode())
        except Malformed as error:
            raise ValueError(f"a tlog-policy can't say this: {error}") from error
        return written


def _of_all(quorum: int | Group, names: Sequence[str]) -> Group:
    return Group(quorum, tuple(names)) if isinstance(quorum, int) else quorum


def _write(party: Party) -> Iterator[str]:
    yield party.key.vkey
    if party.url:
        yield party.url


class _Writing:
    """Groups that were given names, for each group of a policy one."""

    def __init__(self, taken: set[str]) -> None:
        self._taken = taken
        self._names: dict[Group, str] = {}
        self.groups: dict[str, NamedGroup] = {}

    def add(self, group: Group, name: str | None = None) -> str:
        """Define a group below those inside it, once, and give its name."""
        if group in self._names:
            return self._names[group]
        members = tuple(self.add(one) if isinstance(one, Group) else one for one in group.members)
        chosen = name or self._free_name()
        self._names[group] = chosen
        self.groups[chosen] = NamedGroup(group.threshold, members)
        return chosen

    def _free_name(self) -> str:
        number = len(self.groups) + 1
        while f"group-{number}" in self._taken:
            number += 1
        self._taken.add(f"group-{number}")
        return f"group-{number}"


class _Reading:
    """What the lines read so far have defined."""

    def __init__(self) -> None:
        self.logs: list[Party] = []
        self.witnesses: dict[str, Party] = {}
        self.groups: dict[str, NamedGroup] = {}
        self.quorum: str | None = None
        self._members: set[str] = set()

    def take(self, words: Sequence[str], where: str) -> None:
        """Take in one line."""
        match words:
            case ["log", vkey, *url] if len(url) <= 1:
                self._check_room(self.logs, where)
                self.logs.append(_party(vkey, url, LOG_TYPES, self.logs, where))
            case ["witness", name, vkey, *url] if len(url) <= 1:
                self._check_name(name, where)
                self._check_room(self.witnesses, where)
                self.witnesses[name] = _party(vkey, url, COSIGNATURE_TYPES, self.witnesses.values(), where)
            case ["group", name, threshold, *members] if members:
                self._check_name(name, where)
                self._check_room(self.groups, where)
                self.groups[name] = self._group(threshold, members, where)
            case ["quorum", name]:
                if self.quorum is not None:
                    raise Malformed("second-quorum", "exactly one quorum line", where=where)
                if name != NONE:
                    self._check_defined(name, where)
                self.quorum = name
            case _:
                raise Malformed("policy-line", "a log, witness, group or quorum line", where=where)

    def _group(self, threshold: str, members: Sequence[str], where: str) -> NamedGroup:
        for member in members:
            self._check_defined(member, where)
            if member in self._members:
                raise Malformed("second-membership", "each name in one group, once", where=where)
            self._members.add(member)
        count = {"any": 1, "all": len(members)}.get(threshold)
        if count is None and _THRESHOLD.fullmatch(threshold):
            count = int(threshold)
        if count is None or count > len(members):
            raise Malformed("threshold", "any, all, or from 1 to the number of members", where=where)
        return NamedGroup(count, tuple(members))

    def _check_name(self, name: str, where: str) -> None:
        if name == NONE or name in self.witnesses or name in self.groups:
            raise Malformed("second-definition", "a name that is not yet defined", where=where)

    def _check_defined(self, name: str, where: str) -> None:
        if name not in self.witnesses and name not in self.groups:
            raise Malformed("undefined-name", "a witness or group defined above", where=where)

    def _check_room(self, defined: Collection[object], where: str) -> None:
        if len(defined) >= MAX_LINES:
            raise LimitExceeded("lines", f"at most {MAX_LINES} of a kind", where=where)


def _party(
    vkey: str, url: Sequence[str], types: Collection[SignatureType], known: Collection[Party], where: str
) -> Party:
    try:
        key = NoteKey.parse(vkey)
    except UnicodeEncodeError as error:
        raise Malformed("vkey", "a verifier key in UTF-8", where=where) from error
    except Malformed as error:
        raise Malformed(error.code, error.expected, where=where) from error
    if key.signature_type not in types:
        raise Malformed("vkey-type", "a key of a log's or a cosigner's type, as the line says", where=where)
    if any(one.key.public_key == key.public_key for one in known):
        raise Malformed("duplicate-key", "each key once, whatever its name", where=where)
    return Party(key, *url)

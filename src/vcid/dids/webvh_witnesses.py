"""The witnesses of a did:webvh: whose approval an entry needs, and whether ``did-witness.json`` proves it.

Follows did:webvh 1.0, section "DID Witnesses". A witness who approves of an entry approves of all before it,
so for each witness only the newest entry with a good proof counts, and for entries under one rule only the
last of them needs to be looked at.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from vcid.dids.webvh_proofs import read_key, verify_proof
from vcid.encoding.json import parse
from vcid.errors import InvalidProof, LimitExceeded, Malformed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from vcid.dids.webvh_log import Version
    from vcid.dids.webvh_parameters import WitnessRule
    from vcid.encoding.json import JSON

MAX_FILE_BYTES: Final = 8 << 20
MAX_FILE_PROOFS: Final = 20_000
_MAX_ATTEMPTS: Final = 8


@dataclass(frozen=True, slots=True)
class WitnessedSpan:
    """Entries in a row that need the approval of the same witnesses.

    Attributes:
        rule: who approves, and how many of them.
        last: the number of the last entry.
    """

    rule: WitnessRule
    last: int


class WitnessWatch:
    """Notes, while a log is read, which entries need whose approval, and the versions that there are."""

    def __init__(self) -> None:
        self._spans: list[WitnessedSpan] = []
        self._previous: WitnessRule | None = None
        self._numbers: dict[str, int] = {}

    @property
    def spans(self) -> Sequence[WitnessedSpan]:
        """The spans so far, in the log's order; none where nothing needs a witness."""
        return tuple(self._spans)

    @property
    def numbers(self) -> Mapping[str, int]:
        """The number of each version by its id."""
        return self._numbers

    def add(self, version: Version) -> None:
        """Note the next entry.

        A rule takes effect after the entry that states it, except where there was none before: then that
        very entry needs approval, as does the one that ends a rule.
        """
        self._numbers[version.version_id] = version.number
        rule = self._previous or version.parameters.witness
        self._previous = version.parameters.witness
        if rule is None:
            return
        if self._spans and self._spans[-1].rule == rule and self._spans[-1].last == version.number - 1:
            self._spans[-1] = replace(self._spans[-1], last=version.number)
        else:
            self._spans.append(WitnessedSpan(rule, version.number))

    def check(self, file: bytes, *, now: datetime) -> None:
        """Check that each entry that needs approval has it (section "Verifying Witness Proofs").

        Proofs that fail, are by nobody listed, or are for versions that this log lacks count for nothing.

        Args:
            file: the content of ``did-witness.json``.
            now: the resolver's clock.

        Raises:
            Malformed: the file can't be read.
            InvalidProof: ``not-witnessed``: fewer different witnesses approve than the threshold asks for.
        """
        approvals = _Approvals(read_witness_file(file), self._numbers, now)
        for span in self._spans:
            approving = sum(approvals.newest(key) >= span.last for key in span.rule.witnesses)
            if approving < span.rule.threshold:
                raise InvalidProof("not-witnessed", "fewer witnesses approve than the threshold asks for")


def read_witness_file(content: bytes) -> list[tuple[str, list[JSON]]]:
    """Read ``did-witness.json``: version ids with the proofs made for each.

    Raises:
        Malformed: it is no such file.
    """
    entries = parse(content, max_bytes=MAX_FILE_BYTES)
    if not isinstance(entries, list):
        raise Malformed("witness-file", "a list")
    found: list[tuple[str, list[JSON]]] = []
    total = 0
    for position, entry in enumerate(entries):
        where = f"/{position}"
        if not isinstance(entry, dict) or not entry.keys() <= {"versionId", "proof"}:
            raise Malformed("witness-file", "an object of versionId and proof", where=where)
        version_id, proofs = entry.get("versionId"), entry.get("proof", [])
        if not isinstance(version_id, str) or not isinstance(proofs, list):
            raise Malformed("witness-file", "a versionId and a list of proofs", where=where)
        total += len(proofs)
        if total > MAX_FILE_PROOFS:
            raise LimitExceeded("too-many-proofs", f"at most {MAX_FILE_PROOFS} proofs")
        found.append((version_id, proofs))
    return found


class _Approvals:
    """The newest version that each witness approves of; a proof is verified only when it is asked for."""

    def __init__(
        self, entries: list[tuple[str, list[JSON]]], numbers: Mapping[str, int], now: datetime
    ) -> None:
        self._now = now
        self._newest: dict[str, int] = {}
        self._proofs: dict[str, list[tuple[int, str, JSON]]] = {}
        for version_id, proofs in entries:
            number = numbers.get(version_id)
            for proof in proofs if number is not None else ():
                key = _key_of(proof)
                if key is not None and number is not None:
                    self._proofs.setdefault(key, []).append((number, version_id, proof))
        for listed in self._proofs.values():
            listed.sort(key=lambda it: it[0], reverse=True)

    def newest(self, key: str) -> int:
        """The number of the newest version that a witness approves of; 0 where there is none."""
        if key not in self._newest:
            self._newest[key] = self._find(key)
        return self._newest[key]

    def _find(self, key: str) -> int:
        # Who stuffs the file with bad proofs wins a few verifications, and loses the approval.
        for number, version_id, proof in self._proofs.get(key, [])[:_MAX_ATTEMPTS]:
            try:
                verify_proof({"versionId": version_id}, proof, now=self._now)
            except (InvalidProof, Malformed):
                continue
            return number
        return 0


def _key_of(proof: JSON) -> str | None:
    try:
        return read_key(proof)
    except (InvalidProof, Malformed):
        return None

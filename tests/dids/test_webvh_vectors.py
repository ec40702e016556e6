"""The published did:webvh test suite: what five implementations wrote resolves as they say, and no forgery of it."""

import copy
import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dids.webvh_scene import NOW, resolved, rich_log
from vcid.dids.documents import DidDocument
from vcid.dids.webvh import with_implicit_services
from vcid.errors import ResolutionFailed

TODAY = datetime(2026, 11, 22, tzinfo=UTC)

# Where a published expectation contradicts the specification, by name and reason.
NO_DID_KEY = {("witness-threshold", "rust")}
"""Witnesses are listed by bare Multikeys; section "The witness Parameter" demands did:key DIDs."""

WRONG_VERSION = {("multi-update", "python")}
"""The results for versions 1 and 2 are those of version 3."""

LOOSE_METADATA = {
    "versionNumber": "a whole number, which metadata may not hold; compared with the version id",
    "updated": "some state the version's own time, the specification the newest entry's",
    "witness": "some leave the threshold a number, and some write null for none",
    "watchers": "some write null for none",
}


def _cases(vectors: Path) -> Iterator[tuple[tuple[str, str], Path, dict, int | None]]:
    for path in sorted((vectors / "didwebvh" / "vectors").glob("*/*/resolutionResult*.json")):
        number = path.name.split(".")[1]
        name = (path.parts[-3], path.parts[-2])
        yield name, path.parent, json.loads(path.read_text()), int(number) if number.isdigit() else None


def _files(folder: Path) -> tuple[bytes, bytes | None]:
    witness = folder / "did-witness.json"
    return (folder / "did.jsonl").read_bytes(), witness.read_bytes() if witness.exists() else None


def test_published_logs_resolve_to_the_published_documents(vectors, tally):
    """Documents agree but for the two implicit services, and metadata but for four named members."""
    count = 0
    for name, folder, expected, number in _cases(vectors):
        log, witness = _files(folder)
        did = expected["didDocument"]["id"]
        if name in NO_DID_KEY:
            with pytest.raises(ResolutionFailed, match="did:key"):
                resolved(log, witness, did=did, now=TODAY)
            continue
        result = resolved(log, witness, did=did, now=TODAY, version_number=number)
        if name in WRONG_VERSION and number is not None:
            assert result.document_metadata["versionId"].startswith(f"{number}-")
            continue
        metadata = expected["didDocumentMetadata"]
        assert metadata["versionId"].startswith(f"{metadata['versionNumber']}-")
        for member in metadata.keys() - LOOSE_METADATA.keys():
            assert result.document_metadata[member] == metadata[member], (name, member)
        if metadata.get("deactivated"):
            assert result.document is None
        else:
            _compare(result.document, expected["didDocument"])
        count += 1
    tally(f"did:webvh: {count} resolution results of 5 implementations")
    assert count == 47


def _compare(document: DidDocument, expected: dict) -> None:
    found = with_implicit_services(document)
    for content in (found, expected):
        for service in content["service"]:
            service["id"] = document.id + service["id"].removeprefix(document.id)
            service["serviceEndpoint"] = service["serviceEndpoint"].removesuffix("/")
    assert found == expected


def _mutations(value: object) -> Iterator[tuple[str, object]]:
    """Each value with one leaf changed, or one member or item gone."""
    if isinstance(value, dict) and value:
        for name, member in value.items():
            yield f"/{name} removed", {other: value[other] for other in value if other != name}
            yield from ((f"/{name}{path}", {**value, name: mutated}) for path, mutated in _mutations(member))
    elif isinstance(value, list) and value:
        for position, item in enumerate(value):
            before, after = value[:position], value[position + 1 :]
            yield f"/{position} removed", before + after
            yield from ((f"/{position}{path}", [*before, one, *after]) for path, one in _mutations(item))
    else:
        yield from (("", mutated) for mutated in _mutated_leaves(value))


def _mutated_leaves(value: object) -> list[object]:
    match value:
        case bool():
            return [not value, None]
        case int():
            return [value + 1, None]
        case str():
            return [value + "x", ("x" if value[:1] != "x" else "y") + value[1:], None]
        case dict():
            return [{"added": 1}]
        case _:
            return [["added"]]


def _is_refused(log: bytes, witness: bytes | None, did: str) -> bool:
    try:
        resolved(log, witness, did=did, now=TODAY)
    except ResolutionFailed:
        return True
    return False


@pytest.mark.parametrize("case", ["pre-rotation/ts", "deactivate/java", "witness-threshold/python", "rich"])
def test_every_mutation_of_a_log_is_refused(vectors, case):
    """No leaf of any entry can change and no member go; nothing in a log is ignorable."""
    if case == "rich":
        log, witness = rich_log()
    else:
        log, witness = _files(vectors / "didwebvh" / "vectors" / case)
    entries = [json.loads(line) for line in log.splitlines()]
    did = entries[-1]["state"]["id"]
    assert not _is_refused(log, witness, did)
    tried = 0
    for position, entry in enumerate(entries):
        for path, mutated in _mutations(entry):
            lines = [json.dumps(other).encode() for other in entries]
            lines[position] = json.dumps(mutated).encode()
            assert _is_refused(b"\n".join(lines), witness, did), f"entry {position}: {path}"
            tried += 1
    assert tried > 40


def test_every_mutation_of_a_witness_file_at_its_threshold_is_refused():
    """Where just as many witnesses approve as must, no part of their proofs can change or go."""
    log, witness = rich_log()
    did = json.loads(log.splitlines()[-1])["state"]["id"]
    content = json.loads(witness)
    assert not _is_refused(log, witness, did)
    for path, mutated in _mutations(content):
        assert _is_refused(log, json.dumps(mutated).encode(), did), path


def test_a_log_is_refused_under_another_did(vectors):
    """Its own SCID with another place, or its place with another SCID, is not the DID of the log."""
    log, _ = _files(vectors / "didwebvh" / "vectors" / "basic-create" / "rust")
    did = json.loads(log)["state"]["id"]
    scid = did.split(":")[2]
    for other in (did.replace("example.com", "example.org"), did.replace(scid, scid[:-1] + "1"), did + ":a"):
        with pytest.raises(ResolutionFailed, match="invalidDid"):
            resolved(copy.copy(log), did=other, now=NOW)

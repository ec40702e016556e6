"""What this library writes, the package did-webvh reads, and the reverse.

The package needs versions of its dependencies that this library does not, so it is met in an environment of
its own: VCID_DID_WEBVH_PYTHON names that environment's Python.
"""

import json
import os
import subprocess
import textwrap
from datetime import UTC, datetime

import pytest

from dids.webvh_scene import begin, did_of, resolved, rich_log, signer, signing
from vcid.dids.webvh_writing import Change, deactivate, move, update

PYTHON = os.environ.get("VCID_DID_WEBVH_PYTHON", "")
pytestmark = pytest.mark.skipif(not PYTHON, reason="VCID_DID_WEBVH_PYTHON names no environment of did-webvh")

READ = """
    import asyncio, json, sys
    from pathlib import Path
    from did_webvh.resolver import resolve_did
    result = asyncio.run(resolve_did(sys.argv[1], local_history=Path(sys.argv[2]), add_implicit=False))
    print(json.dumps(result.serialize()))
"""
WRITE = """
    import asyncio, json, sys
    from pathlib import Path
    from did_webvh.provision import auto_provision_did
    from did_webvh.update import auto_update_did
    folder = Path(sys.argv[1])
    asyncio.run(auto_provision_did("civil.example/dids", "ed25519", "secret", extra_params={"portable": True},
                                   target_dir=folder))
    document = json.loads((folder / "did.json").read_text()) if (folder / "did.json").exists() else None
    document = document or json.loads((folder / "did.jsonl").read_text())["state"]
    document["alsoKnownAs"] = ["https://civil.example/"]
    (folder / "did.json").write_text(json.dumps(document))
    asyncio.run(auto_update_did(folder, "secret"))
"""


def _run(code: str, *arguments: object) -> str:
    command = [PYTHON, "-c", textwrap.dedent(code), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=True, timeout=120).stdout


def _logs() -> dict[str, tuple[bytes, bytes | None]]:
    portable = begin(Change(portable=True))
    rotated = update(begin(), signing(1, 1), change=Change(update_keys=[signer(2).public_key]))
    return {
        "created": (begin(), None),
        "rotated": (update(rotated, signing(2, 2)), None),
        "moved": (move(portable, "registrar.example", signing(1, 1)), None),
        "rich": rich_log(),
    }


@pytest.mark.slow
@pytest.mark.parametrize("name", _logs())
def test_the_package_reads_what_we_write(tmp_path, name):
    """Same document, same version; a forged copy is refused there as here."""
    log, witness = _logs()[name]
    (tmp_path / "did.jsonl").write_bytes(log)
    if witness is not None:
        (tmp_path / "did-witness.json").write_bytes(witness)
    theirs = json.loads(_run(READ, did_of(log), tmp_path / "did.jsonl"))
    ours = resolved(log, witness)
    assert theirs["didDocument"] == ours.document.content
    for member in ("versionId", "versionTime", "created", "updated", "scid"):
        assert theirs["didDocumentMetadata"][member] == ours.document_metadata[member]
    (tmp_path / "did.jsonl").write_bytes(log.replace(b"authentication", b"capabilityInvocation"))
    refused = json.loads(_run(READ, did_of(log), tmp_path / "did.jsonl"))
    assert (refused["didDocument"], refused["didResolutionMetadata"]["error"]) == (None, "invalidDid")


@pytest.mark.slow
def test_the_package_sees_a_deactivation(tmp_path):
    """A DID that ended here has ended there."""
    log = deactivate(begin(), signing(1, 1))
    (tmp_path / "did.jsonl").write_bytes(log)
    theirs = json.loads(_run(READ, did_of(log), tmp_path / "did.jsonl"))
    assert theirs["didDocumentMetadata"]["deactivated"] is True


@pytest.mark.slow
def test_we_read_what_the_package_writes(tmp_path):
    """A log that it provisions and updates resolves here to the document it meant."""
    _run(WRITE, tmp_path)
    log = (tmp_path / "did.jsonl").read_bytes()
    result = resolved(log, now=datetime.now(UTC))
    assert result.document_metadata["versionId"].startswith("2-")
    assert result.document.content["alsoKnownAs"] == ["https://civil.example/"]

"""The notebook that tells the main job as a story, executed in a kernel of its own."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

nbformat = pytest.importorskip("nbformat", reason="it comes with the dependency group examples")
for needed in ("nbclient", "ipykernel", "matplotlib"):
    pytest.importorskip(needed)

NOTEBOOK = Path(__file__).resolve().parents[2] / "examples" / "story.ipynb"

RUN = """
import sys
import nbformat
from jupyter_client import AsyncKernelManager
from nbclient import NotebookClient

notebook = nbformat.read(sys.argv[1], as_version=4)
manager = AsyncKernelManager(
    kernel_name="python3", transport="ipc", ip="kernel", connection_file="kernel.json"
)
NotebookClient(notebook, km=manager, timeout=120, record_timing=False).execute()
nbformat.write(notebook, sys.argv[1])
"""
"""Runs a notebook in a kernel that is reached through local sockets in the folder, not through a network.

It is a process of its own, so that the warnings of the notebook's machinery are not taken for ours.
"""

TOLD = ("faults", "issued", "verified", "subject", "refused", "silent", "revoked", "rollback", "freshness")
"""The cells whose outputs say the same at every run: times are the story's own, keys and ids are not shown."""

PICTURES = ("ledger", "status-list", "timeline")


def read():
    return nbformat.read(NOTEBOOK, as_version=4)


def text(notebook, cell_id: str) -> str:
    """What a cell printed and showed, without pictures and warnings."""
    (cell,) = (cell for cell in notebook.cells if cell.id == cell_id)
    shown = []
    for output in cell.outputs:
        if output.output_type == "stream" and output.name == "stdout":
            shown.append(output.text)
        elif output.output_type == "execute_result":
            shown.append(output.data.get("text/html") or output.data["text/plain"])
    return "".join(shown)


@pytest.fixture(scope="module")
def committed():
    return read()


@pytest.fixture(scope="module")
def executed():
    """A copy without its outputs, executed."""
    notebook = read()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    # A folder with a short name: the path of a local socket has 107 bytes at most.
    with tempfile.TemporaryDirectory(prefix="story-") as folder:
        copy = Path(folder, "story.ipynb")
        nbformat.write(notebook, copy)
        environment = {**os.environ, "IPYTHONDIR": folder, "JUPYTER_RUNTIME_DIR": folder}
        done = subprocess.run(
            [sys.executable, "-c", RUN, str(copy)],
            cwd=folder,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return nbformat.read(copy, as_version=4)


def test_the_birth_is_proven_and_after_the_revocation_refused(executed):
    """The main job, as the clinic sees it."""
    assert "<td>→</td><td>verified</td>" in text(executed, "verified")
    assert "failed" not in text(executed, "verified")
    assert "<td>→</td><td>rejected</td>" in text(executed, "revoked")
    assert "<td>status</td><td>failed</td><td>revoked</td>" in text(executed, "revoked")
    assert text(executed, "revoked").count("failed") == 1


def test_each_wrong_encounter_has_its_own_reason(executed):
    """Tampered, too early and unreadable are rejected; a stranger and too little knowledge are undecided."""
    answers = text(executed, "refused")
    assert answers.count("<td>rejected</td>") == 3
    assert answers.count("<td>undecided</td>") == 2
    for reason in ("bad-signature", "issuer-not-accredited", "not-yet-valid", "parse:"):
        assert reason in answers
    assert "rollback" in text(executed, "rollback")


def test_old_evidence_ends_in_doubt_and_never_in_a_verdict(executed):
    """Six days of verified, then undecided: the far clinic is never told more than its evidence says."""
    answers = text(executed, "freshness")
    assert answers.count("verified") == 6
    assert answers.count("anchor: stale") == 4
    assert "rejected" not in answers


def test_nothing_public_names_the_family(executed):
    """The story's own search finds no name, no key of the registry and no id of the credential."""
    assert text(executed, "silent") == "said in public about the family: []\n"


def test_nobody_can_tell_which_bit_is_the_childs(executed):
    """The revoked bit comes among decoys."""
    assert text(executed, "status-list").count(": True\n") == 3


@pytest.mark.parametrize("cell_id", TOLD)
def test_what_is_committed_is_what_a_run_says(committed, executed, cell_id):
    """Readers on a forge see the outputs in the file: run the notebook again after changing it."""
    assert text(committed, cell_id)
    assert text(committed, cell_id) == text(executed, cell_id)


@pytest.mark.parametrize("cell_id", PICTURES)
def test_the_pictures_are_there(committed, executed, cell_id):
    """Each picture is drawn, in the file and in the run."""
    for notebook in (committed, executed):
        (cell,) = (cell for cell in notebook.cells if cell.id == cell_id)
        assert any("image/png" in output.get("data", {}) for output in cell.outputs)


def test_the_file_is_whole_and_small(committed):
    """It was run from top to bottom, without an error, and says nothing of the machine that ran it."""
    counts = [cell.execution_count for cell in committed.cells if cell.cell_type == "code"]
    assert counts == [*range(1, len(counts) + 1)]
    outputs = [output for cell in committed.cells for output in cell.get("outputs", [])]
    assert not [
        output for output in outputs if output.output_type == "error" or output.get("name") == "stderr"
    ]
    content = NOTEBOOK.read_text(encoding="utf-8")
    assert len(content) < 300_000
    for trace in ("/tmp/", "/home/", "/root", "site-packages"):
        assert trace not in content

"""The working group's test suite for the data model 2.0: each of its documents is judged as it says.

Its inputs lack an issuer, which its own runner adds, and stand unsigned. Documents that are wrong only in the
meaning of their terms are refused by `check_terms`, with which every proof is made and verified.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from vcid.credentials.model import check_model
from vcid.credentials.presentation_model import check_presentation_model
from vcid.encoding.contexts import Contexts
from vcid.encoding.rdf import check_terms
from vcid.errors import VcidError

if TYPE_CHECKING:
    from pathlib import Path

# Mismatches that are the verifier's to judge by policy, and two whose names say that an issuer may mend them.
# Two of them are templates, whose dates the runner fills in.
WITHOUT_VERDICT = ("mismatch", "self-asserted", "validUntil-validFrom")
ISSUER = "did:example:issuer"
SUITE = "vc-data-model-2.0-test-suite"


def judge(name: str, document: dict[str, Any]) -> bool:
    """Whether the model and the meaning of the terms let a document pass."""
    if "presentation" in name:
        faults = check_presentation_model(document)
    else:
        issuer = document.get("issuer")
        if "no-issuer" not in name and issuer is None and "issuer" not in document:
            document = {**document, "issuer": ISSUER}
        elif isinstance(issuer, dict) and "id" not in issuer:
            document = {**document, "issuer": {**issuer, "id": ISSUER}}
        faults = check_model(document)
    # A proof is no part of what a proof covers; its terms have contexts of their own.
    unsecured = {name: member for name, member in document.items() if name != "proof"}
    try:
        check_terms(unsecured, contexts=Contexts.carried())
    except VcidError:
        return False
    return not faults


def test_every_input_is_judged_as_the_suite_expects(vectors: Path, tally):
    """All that end in ``ok`` pass, and all that end in ``fail`` do not."""
    folder = vectors / SUITE / "input"
    if not folder.is_dir():
        pytest.skip("the suite's files are not among the vectors")
    counted, wrong = 0, []
    for path in sorted(folder.rglob("*.json")):
        if any(part in path.name for part in WITHOUT_VERDICT):
            continue
        document = json.loads(path.read_bytes())
        counted += 1
        if judge(path.name, document) is not path.stem.endswith("ok"):
            wrong.append((path.name, [str(fault) for fault in check_model(document)]))
    assert wrong == []
    assert counted > 110
    tally(f"VCDM 2.0 suite: {counted} inputs")

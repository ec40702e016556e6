"""What the demonstration leaves behind for its reader: the policy, configurations, a guide and a summary."""

from __future__ import annotations

import json
import shlex
from typing import TYPE_CHECKING, Final

from vcid.demo.authorities import CIVIL, CIVIL_KEY, LOG, LOG_KEY, WITNESS, WITNESS_KEY
from vcid.demo.summary import summarize

if TYPE_CHECKING:
    from vcid.demo.chapters import Ending
    from vcid.demo.folder import DemoFolder
    from vcid.policy import Policy

VERIFIER: Final = """\
# How `vcid verify` is to judge; paths are relative to this file.
[verifier]
policy = "{up}policy.json"
knowledge = "{knowledge}"
views = "sqlite:///{up}views.db"
"""

REGISTRY: Final = f"""\
# What the civil registry works with; paths are relative to this file.
[issuer]
did = "{CIVIL}"
key = "keys/authorities.wallet#{CIVIL_KEY}"
registry = "sqlite:///civil-registry.db"

[ledger]
url = "sqlite:///ledger.db"
origin = "{LOG}"
key = "keys/authorities.wallet#{LOG_KEY}"

[witness]
name = "{WITNESS}"
url = "sqlite:///witness.db"
key = "keys/authorities.wallet#{WITNESS_KEY}"
"""

GUIDE: Final = """\
What `vcid demo` left here. Every person in it is invented.

Ask the verifier, which needs no network. One verifies, the other is refused:

    {vcid} verify --config {folder}/vcid.toml {folder}/samples/good.json
    {vcid} verify --config {folder}/vcid.toml {folder}/samples/revoked.json

Be the civil registry: revoke the good one too and publish; then ask again.

    {vcid} revoke --config {folder}/civil-registry.toml --credential {folder}/samples/good.json
    {vcid} publish --config {folder}/civil-registry.toml --passphrase-file {folder}/passphrase.txt \\
        --knowledge {folder}/knowledge

    (The court anchors in the same log. Its credentials stay undecided until its receipts are renewed too.)

What the verifier has, and it has nothing else:

    vcid.toml             where the three are:
    policy.json           whom to believe about what, by which log and witness, and how old evidence may be
    knowledge/            issuers' DID documents, status lists, the ledger's receipts and its checkpoint
    views.db              the newest checkpoint that it ever saw, so that nobody can show it an older one

    After seven days the knowledge here is stale, and the answer to everything good is "undecided".

What the scenes were played with:

    samples/              good.json, revoked.json and issued-later.json, as the registry issued them
        tampered.json     good.json with another date of birth
        untrusted.json    the same words, well signed by an issuer whom the policy does not name
        swapped.json      forged in the registry's name; with swapped.toml and knowledge-swapped/
        expired.json      a court's placement that ended the day before
        held-back.toml    for revoked.json: knowledge-held-back/ has the old status lists again, under the
                          new checkpoint
    knowledge-before/     what the verifier knew before the revocation was published

What the authorities have, and no verifier sees:

    civil-registry.toml   where the civil registry's parts are
    civil-registry.db     what it issued, and under which status index
    court-registry.db     the same of the court
    ledger.db             the log: digests of DID documents and status lists, nothing about anybody
    witness.db            what the witness remembers of the log
    credentials/          every credential, named by its UUID; really they are with the families
    keys/                 two encrypted wallets: the authorities' keys, and the guardians' with the
                          children's keys that are sealed to them
    passphrase.txt        opens both. It is here for this demonstration: keep no real passphrase in a file,
                          and no wallet together that belongs to different people

    summary.json          counts, faults of rows (without values), what was said to each scene, timings

The folder is deleted when `vcid demo` runs again.
"""


def write_policy(folder: DemoFolder, policy: Policy) -> None:
    """Leave the verifier's policy."""
    text = json.dumps(policy.to_json(), indent=2, ensure_ascii=False)
    folder.policy.write_text(f"{text}\n", encoding="utf-8")


def write_guide(folder: DemoFolder, ending: Ending, vcid: str) -> None:
    """Leave configurations for each role, the summary without any row's values, and a guide to all.

    Args:
        folder: where.
        ending: what is summed up.
        vcid: how the reader calls the command.
    """
    texts = {
        "vcid.toml": VERIFIER.format(up="", knowledge="knowledge"),
        "samples/swapped.toml": VERIFIER.format(up="../", knowledge="knowledge-swapped"),
        "samples/held-back.toml": VERIFIER.format(up="../", knowledge="knowledge-held-back"),
        "civil-registry.toml": REGISTRY,
        "summary.json": f"{json.dumps(summarize(ending), indent=2)}\n",
        "README.txt": GUIDE.format(folder=shlex.quote(str(ending.folder)), vcid=vcid),
    }
    for name, text in texts.items():
        (folder.root / name).write_text(text, encoding="utf-8")

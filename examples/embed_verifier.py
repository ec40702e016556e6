"""All that a clinic or a school needs to ask: is this birth registration to be believed? No network is used.

    python embed_verifier.py policy.json knowledge/ views.db credential.json

Exit code 0: verified. 1: rejected. 2: wrong usage. 3: could not decide, which is no reason to refuse anybody.
"""

from __future__ import annotations

import sys
from pathlib import Path

import vcid

EXIT_CODES = {vcid.Conclusion.VERIFIED: 0, vcid.Conclusion.REJECTED: 1, vcid.Conclusion.UNDECIDED: 3}


def main(policy: str, knowledge: str, views: str, credential: str) -> int:
    try:
        verifier = vcid.Verifier(
            vcid.Policy.parse(Path(policy).read_bytes()),  # whom this clinic believes
            vcid.Knowledge.load(knowledge),  # what was published, brought here by any hand
            views=vcid.SqlViewStore.open(f"sqlite:///{views}"),  # the newest ledger that was seen here
        )
        report = verifier.check(Path(credential).read_bytes())
    except (vcid.VcidError, OSError) as error:  # a fault of this clinic's files, never of the family's
        print(f"could not decide: {error}", file=sys.stderr)
        return EXIT_CODES[vcid.Conclusion.UNDECIDED]
    print(report.conclusion)
    print(f"newest evidence: {report.fresh_as_of or 'none'}", *report.reasons, sep="\n")
    return EXIT_CODES[report.conclusion]


if __name__ == "__main__":
    if len(sys.argv) != 5:
        print(__doc__, file=sys.stderr)
        sys.exit(2)
    sys.exit(main(*sys.argv[1:]))

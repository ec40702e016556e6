"""The verifier's own process: ``python -m vcid.demo.offline``.

Before anything else is imported, an audit hook (PEP 578) is set that refuses every socket and every further
process, for as long as this one lives; Python has no way to take it off again. The process then verifies what
it is told on standard input, from a policy, a folder of knowledge and a memory of ledger views, and answers
on standard output, one JSON object a line: first that the network is refused, then each report.
"""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from datetime import datetime

_REFUSED = ("socket.", "subprocess.", "os.fork", "os.exec", "os.posix_spawn", "os.spawn", "os.system")


class NetworkRefused(RuntimeError):
    """Something reached for the network in a process that has none."""


def refuse_network(event: str, _arguments: tuple[object, ...]) -> None:
    """Refuse whatever could reach beyond this process; an audit hook."""
    if event.startswith(_REFUSED):
        raise NetworkRefused(event)


def is_refused() -> bool:
    """Try to open a socket, so that the refusal is shown and not just claimed."""
    import socket

    try:
        socket.socket().close()
    except NetworkRefused:
        return True
    return False


def main() -> int:
    """Verify what standard input asks for."""
    sys.addaudithook(refuse_network)
    if not is_refused():
        return 1
    _say(process=os.getpid(), network="refused")
    task = json.load(sys.stdin)
    answered = sum(_sit(task, sitting) for sitting in task["sittings"])
    _say(answered=answered)
    return 0


def _sit(task: dict[str, Any], sitting: dict[str, Any]) -> int:
    """Judge the credentials of one sitting with what the verifier knows at it."""
    from contextlib import closing
    from datetime import timedelta
    from pathlib import Path

    from vcid.encoding.dates import utc_now
    from vcid.knowledge import Knowledge
    from vcid.ledger.views import SqlViewStore
    from vcid.policy import Policy
    from vcid.verifier import Surroundings, Verifier

    later = timedelta(seconds=sitting["later"])

    def clock() -> datetime:
        return utc_now() + later

    with closing(SqlViewStore.open(task["views"])) as views:
        verifier = Verifier(
            Policy.parse(Path(task["policy"]).read_bytes()),
            Knowledge.load(sitting["knowledge"]),
            views=views,
            surroundings=Surroundings(clock=clock),
        )
        for name in sitting["credentials"]:
            report = verifier.check(Path(name).read_bytes())
            _say(sitting=sitting["name"], credential=name, report=report.to_json())
    return len(sitting["credentials"])


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)  # noqa: T201 - standard output is this process's one way to answer


if __name__ == "__main__":
    sys.exit(main())

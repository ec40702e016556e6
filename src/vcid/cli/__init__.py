"""The vcid command. Click and rich, which it needs, come with the extra ``cli``."""

from __future__ import annotations

_MISSING = "vcid: the command needs more parts than the library: pip install 'vcid[cli]'"


def main() -> int:
    """Run the command on this process's arguments, and return its exit code.

    0 done or verified, 1 rejected or failed, 2 wrong usage or set-up, 3 could not decide, 130 interrupted.
    """
    import sys
    from importlib.util import find_spec

    if find_spec("click") is None or find_spec("rich") is None:
        print(_MISSING, file=sys.stderr)  # noqa: T201 - there is no click to print with
        return 2
    try:
        from vcid.cli.app import run
    except KeyboardInterrupt:
        return 130
    return run(sys.argv[1:])

"""``python -m vcid.cli``: the command where its script is not on the path."""

from vcid.cli import main

if __name__ == "__main__":
    raise SystemExit(main())

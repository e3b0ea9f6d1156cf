"""The entry point. Ctrl-C is answered quietly from the first moment, also while the program is still being loaded."""

from __future__ import annotations

import sys


def main() -> None:
    """Load the command line and run it."""
    try:
        from leptonctl.cli import run  # noqa: PLC0415 - what is loaded here can be interrupted without a traceback
    except KeyboardInterrupt:
        sys.exit(130)
    sys.exit(run(sys.argv[1:]))


if __name__ == "__main__":
    main()

"""The command ``gdfast``, or ``python -m gdfast``."""

import signal
import sys

_COMPILED = {"boundary", "report", "score", "sweep", "tune"}  # commands that need the driver


def main() -> None:
    """Run the command line."""
    # While modules are imported, nothing is begun that Ctrl-C could leave unfinished: it ends the process quietly.
    interrupted = signal.signal(signal.SIGINT, signal.SIG_DFL)
    if _COMPILED & {*sys.argv[1:2]}:
        from gdfast.tiles import ahead

        ahead.begin()
    from gdfast.cli import app

    signal.signal(signal.SIGINT, interrupted)
    app()


if __name__ == "__main__":
    main()

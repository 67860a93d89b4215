"""``python -m bench`` lists the benchmarks that are scripts, ``python -m bench NAME [options]`` runs one."""

import importlib
import sys

COMMANDS = "models", "peers", "refinement", "roofline", "scaling", "throughput"


def main(arguments: list[str]) -> None:
    """Run one, or list all."""
    if arguments and arguments[0] in COMMANDS:
        importlib.import_module(f"bench.{arguments[0]}").main(arguments[1:])
        return
    for name in COMMANDS:
        about = importlib.import_module(f"bench.{name}").__doc__ or ""
        print(f"{name:<11} {about.partition(': ``')[0].splitlines()[0].rstrip('.')}")
    print("\npython -m bench NAME -h tells the options of one; pytest --benchmark runs those in bench/test_*.py.")
    if arguments and arguments[0] not in ("-h", "--help"):
        sys.exit(f"python -m bench: NAME must be one of {', '.join(COMMANDS)}, not {arguments[0]!r}")


if __name__ == "__main__":
    main(sys.argv[1:])

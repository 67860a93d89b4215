"""Make stored oracle trajectories and the parity matrix anew, from the libraries of the extra ``parity``.

    python tests/optimizers/oracles/make.py [NAME ...]

writes ``trajectories/NAME.csv`` of each optimizer, and its lines of ``gdfast/optimizers/parity.csv``; of ``schedules``
it writes ``schedules.csv``. Without a name it does so for all. The lines of others stay as they are. The table of the
libraries' own optimizers, ``gdfast/optimizers/libraries.csv``, is written each time.
"""

import csv
import functools
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

import libraries  # noqa: E402
import oracle_texts  # noqa: E402
import peers  # noqa: E402
import test_parity  # noqa: E402

MATRIX = HERE.parents[2] / "gdfast" / "optimizers" / "parity.csv"
LIBRARIES = MATRIX.with_name("libraries.csv")
PACKAGES = {
    "torch.optim": "torch",
    "optax": "optax",
    "optax.contrib": "optax",
    "pytorch_optimizer": "pytorch_optimizer",
    "schedulefree": "schedulefree",
}
DIFFERS = "differs"
NAMES = [*dict.fromkeys(case.name for case in peers.CASES), *peers.WITHOUT_PEER]


def main(names: list[str]) -> None:
    """Write what belongs to some optimizers, or to the schedules, or to all of them."""
    for name in names:
        if name not in (*NAMES, "schedules"):
            raise SystemExit(f"{name!r} is no optimizer; accepted: schedules, {', '.join(NAMES)}")
    if not names or "schedules" in names:
        oracle_texts.write_schedules(
            {call: peers.multipliers(call, options) for _, _, call, options in peers.SCHEDULES}
        )
    wanted = set(names or NAMES)
    for name in NAMES:
        cases = [case for case in peers.CASES if case.name == name and name in wanted]
        paths = {(c.label, p): peers.trajectory(c, p)[:: oracle_texts.STRIDE] for c in cases for p in c.problems}
        if paths:
            oracle_texts.write(name, paths)
    with open(MATRIX, newline="", encoding="utf-8") as file:
        header, *lines = csv.reader(file)
    before = {(line[0], line[1], line[3] == DIFFERS): line for line in lines}
    table = [[*key[:2], *told()] if name in wanted else before[key] for name, key, told in matrix()]
    with open(MATRIX, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows([header, *table])
    with open(LIBRARIES, "w", newline="", encoding="utf-8") as file:
        csv.writer(file, lineterminator="\n").writerows(
            [["library", "its optimizer", "gdfast's", "note"], *of_libraries()]
        )


def of_libraries() -> list[list[str]]:
    """Of each optimizer of other libraries what it is here."""
    told = ((library, name, one) for library, all_of in libraries.OPTIMIZERS.items() for name, one in all_of.items())
    return [[library, name, one.notation, one.told] for library, name, one in told]


def matrix() -> Iterator[tuple[str, tuple[str, str, bool], Callable[[], list[str]]]]:
    """Of each line the optimizer, its first two entries and whether they differ, and a maker of the other entries."""
    for case in peers.CASES:
        label, peer = test_parity.optimizer_of(case).label, f"{case.library}.{case.call}"
        yield case.name, (label, peer, False), functools.partial(compared, case)
    for other in peers.DEVIATIONS:
        told = [version(PACKAGES[other.library]), DIFFERS, other.why]
        yield other.name, (other.name, f"{other.library}.{other.call}", True), functools.partial(list, told)
    for name, why in peers.WITHOUT_PEER.items():
        yield name, (name, "none", False), functools.partial(list, ["", "textbook loop", why])


def compared(case: peers.Case) -> list[str]:
    """Version, largest difference and note of a case."""
    paths = oracle_texts.read(case.name)
    worst = max(test_parity.difference(case, problem, paths[case.label, problem]) for problem in case.problems)
    return [version(PACKAGES[case.library]), f"{worst:.0e}", case.note]


if __name__ == "__main__":
    main(sys.argv[1:])

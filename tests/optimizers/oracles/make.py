"""Make the stored oracle trajectories and the parity matrix, from the libraries of the extra ``parity``.

    python tests/optimizers/oracles/make.py

writes ``trajectories.npz`` beside it (every tenth point of every case) and ``gdfast/optimizers/parity.csv``.
"""

import csv
import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent), str(HERE.parents[1])]

import peers  # noqa: E402
import test_parity  # noqa: E402

PACKAGES = {
    "torch.optim": "torch",
    "optax": "optax",
    "pytorch_optimizer": "pytorch_optimizer",
    "schedulefree": "schedulefree",
}


def main() -> None:
    """Write both files."""
    paths = {
        f"{case.label}|{problem}": peers.trajectory(case, problem)[:: test_parity.STRIDE]
        for case in peers.CASES
        for problem in peers.PROBLEMS
    }
    for _, _, call, options in peers.SCHEDULES:
        paths[f"schedule|{call}"] = peers.multipliers(call, options)
    np.savez_compressed(HERE / "trajectories.npz", **paths)
    with open(HERE.parents[2] / "gdfast" / "optimizers" / "parity.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["optimizer", "compared with", "version", "largest relative difference", "note"])
        for case in peers.CASES:
            worst = max(
                test_parity.difference(case, problem, paths[f"{case.label}|{problem}"]) for problem in peers.PROBLEMS
            )
            label = test_parity.optimizer_of(case).label
            peer = f"{case.library}.{case.call}"
            table.writerow([label, peer, version(PACKAGES[case.library]), f"{worst:.0e}", case.note])
        for deviation in peers.DEVIATIONS:
            package = PACKAGES[deviation.library]
            table.writerow(
                [deviation.name, f"{deviation.library}.{deviation.call}", version(package), "differs", deviation.why]
            )
        compared = {case.name for case in peers.CASES}
        for name, why in peers.WITHOUT_PEER.items():
            assert name not in compared
            table.writerow([name, "none", "", "textbook loop", why])


if __name__ == "__main__":
    main()

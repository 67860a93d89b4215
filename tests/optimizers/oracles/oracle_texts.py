"""Oracle trajectories as text: one file an optimizer, every tenth point of each case; one file of all schedules.

A line is a point: the case, the problem, the step, and the coordinates with all their digits.
"""

import csv
from pathlib import Path

import numpy as np
import peers

FOLDER = Path(__file__).parent / "trajectories"
SCHEDULES = FOLDER.parent / "schedules.csv"
STRIDE = 10


def write(name: str, paths: dict[tuple[str, str], np.ndarray]) -> None:
    """Write an optimizer's trajectories, by the label of the case and the problem, ``float64[n, d]`` each."""
    FOLDER.mkdir(exist_ok=True)
    with open(FOLDER / f"{name}.csv", "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["case", "problem", "step", "coordinates"])
        for (case, problem), path in paths.items():
            for k, point in enumerate(path.tolist()):
                table.writerow([case, problem, k * STRIDE, *point])


def read(name: str) -> dict[tuple[str, str], np.ndarray]:
    """Return what was written of an optimizer."""
    points: dict[tuple[str, str], list[list[float]]] = {}
    with open(FOLDER / f"{name}.csv", newline="", encoding="utf-8") as file:
        _, *lines = csv.reader(file)
    for case, problem, step, *point in lines:
        path = points.setdefault((case, problem), [])
        assert int(step) == len(path) * STRIDE
        path.append([float(number) for number in point])
    return {key: np.array(path) for key, path in points.items()}


def names() -> set[str]:
    """The optimizers of which there are trajectories."""
    return {file.stem for file in FOLDER.glob("*.csv")}


def write_schedules(multipliers: dict[str, np.ndarray]) -> None:
    """Write torch's multipliers, by the name of the scheduler, ``float64[STEPS + 1]`` each; a line is a step."""
    with open(SCHEDULES, "w", newline="", encoding="utf-8") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(["step", *multipliers])
        for step, row in enumerate(np.stack([*multipliers.values()], axis=1).tolist()):
            table.writerow([step, *row])


def read_schedules() -> dict[str, np.ndarray]:
    """Return what was written of the schedules."""
    with open(SCHEDULES, newline="", encoding="utf-8") as file:
        (_, *calls), *lines = csv.reader(file)
    columns = np.array([[float(number) for number in line[1:]] for line in lines]).T
    assert columns.shape[1] == peers.STEPS + 1
    return dict(zip(calls, columns, strict=True))

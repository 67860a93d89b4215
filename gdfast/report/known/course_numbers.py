"""Two regressions that courses print the numbers of."""

from functools import partial
from importlib.resources import files

import numpy as np

import gdfast
from gdfast import data, optimizers, problems
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import several_panes
from gdfast.report.lab import Lab

HOURS = [0.5, 0.75, 1, 1.25, 1.5, 1.75, 1.75, 2, 2.25, 2.5, 2.75, 3, 3.25, 3.5, 4, 4.25, 4.5, 4.75, 5, 5.5]
PASSED = [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 1, 1, 1, 1, 1]
MARGIN = 1e-4  # the last digit printed
OF_HOURS, OF_CITIES = (-4.0777, 1.5046), (-3.6303, 1.1664)


def find(lab: Lab) -> Found:
    """Where gradient descent ends on the hours, and where it is after 1500 steps on the cities."""
    table = data.load((np.array(HOURS)[:, None], PASSED), standardize=False)
    hours = problems.logistic_regression(table, l2=0.0)
    cities = np.loadtxt(
        files("gdfast.report.known").joinpath("cities.csv").read_text().splitlines(), delimiter=",", skiprows=1
    )
    profit = problems.linear_regression(data.load((cities[:, :1], cities[:, 1]), standardize=False))
    compared, panels = [], []
    for what, problem, told, rate, steps in (
        ("passing on hours", hours, OF_HOURS, 0.4, 5000),
        ("profit on population", profit, OF_CITIES, 0.01, 1500),
    ):
        path = gdfast.trajectory(problem, optimizers.gd(), np.zeros(2), rate, steps)
        ends = dict(zip(path.parameter.values.tolist(), path.theta.values[-1], strict=True))
        slope, intercept = (float(ends[name]) for name in (problem.coordinates[0], problem.coordinates[1]))
        if problem.coordinates[0] == "bias":
            slope, intercept = intercept, slope
        compared += [
            Compared(f"intercept, {what}", told[0], intercept, MARGIN, "absolute"),
            Compared(f"slope, {what}", told[1], slope, MARGIN, "absolute"),
        ]
        panels.append(
            (
                {n: (path.step.values, path.theta.values[:, i]) for i, n in enumerate(problem.coordinates)},
                {f"{value:g}": ([0, steps], [value, value]) for value in told},
                {"title": what, "xlabel": "step"},
            )
        )
    return Found(compared, partial(several_panes, panels))


KNOWN = Known(
    "course-numbers",
    "Regressions of courses end at the numbers that these print",
    "logistic regression in the encyclopedia; Ng's course on machine learning, exercise 1",
    "Passing on hours studied, 20 students, until it rests; profit on population, 97 cities, 1500 steps at 0.01.",
    find,
)

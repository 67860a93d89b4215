"""Heavy ball, tuned for quadratics, on a strongly convex function that is none: it goes round in a circle."""

from functools import partial

import numpy as np

import gdfast
from gdfast import optimizers, problems
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import one_pane
from gdfast.report.lab import Lab

CYCLE = (-1.80245, 0.64653, 2.11592)
STEPS = 300
MARGIN = 1e-5  # the last digit printed
SHOWN = 60


def find(lab: Lab) -> Found:
    """The last three points of heavy ball, and how near the two others come to 0."""
    problem = problems.lessard()
    heavy, plain, nesterov = (
        gdfast.trajectory(problem, rule, 3.3, rate, STEPS, gradient_tolerance=1e-12)
        for rule, rate in (
            (optimizers.momentum(momentum=4 / 9), 1 / 9),
            (optimizers.gd(), 2 / 26),
            (optimizers.nesterov(momentum=2 / 3), 1 / 25),
        )
    )
    points = np.sort(heavy.theta.values[-3:, 0])
    paths = {"heavy ball": heavy, "gd": plain, "nesterov": nesterov}
    compared = [
        Compared(f"point {i} of the cycle", told, float(got), MARGIN, "absolute")
        for i, (told, got) in enumerate(zip(CYCLE, points, strict=True), 1)
    ]
    compared += [
        Compared(f"distance of {name} at its end", 0, float(abs(paths[name].theta.values[-1, 0])), 1e-10, "absolute")
        for name in ("gd", "nesterov")
    ]
    ours = {name: (path.step.values[:SHOWN], path.theta.values[:SHOWN, 0]) for name, path in paths.items()}
    published = {f"{point}": ([0, SHOWN], [point, point]) for point in CYCLE}
    return Found(compared, partial(one_pane, ours, published, xlabel="step", ylabel="x"))


KNOWN = Known(
    "heavy-ball-cycle",
    "Heavy ball need not converge on a strongly convex function",
    "Lessard, Recht & Packard 2016, arXiv 1408.3595, section 4.6",
    "The piecewise quadratic with curvatures 25, 1 and 25 from 3.3: heavy ball at η = 1/9, β = 4/9; gradient descent "
    "at 2/(L + m) and Nesterov's method at 1/L, β = ⅔.",
    find,
)

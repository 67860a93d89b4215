"""Sign descent at a constant rate ends in a cycle whose size is the rate."""

from functools import partial

import numpy as np

import gdfast
from gdfast import optimizers, problems
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import one_pane
from gdfast.report.lab import Lab

PLACES = {"quartic": [1.0], "himmelblau": [1.1, 0.7], "rosenbrock": [-1.2, 1.0], "styblinski_tang": [-1.1, 1.3]}
RATES = (0.1, 0.01, 0.002)
STEPS, TAIL = 3000, 16
MARGIN = 1e-9


def find(lab: Lab) -> Found:
    """The extent of the last points along each coordinate, in rates."""
    compared, ours = [], {}
    for name, start in PLACES.items():
        problem = problems.CATALOGUE[name]()
        extents = []
        for rate in RATES:
            path = gdfast.trajectory(problem, optimizers.signsgd(), start, rate, STEPS)
            extent = np.ptp(path.theta.values[-TAIL:], axis=0) / rate
            extents.append(extent.max())
            compared.append(Compared(f"extent in rates, {name}, η = {rate:g}", 1, float(extent.max()), MARGIN))
        ours[name] = RATES, np.array(extents) * RATES
    named = {"xscale": "log", "yscale": "log", "xlabel": "learning rate", "ylabel": "extent of the cycle"}
    return Found(
        compared,
        partial(one_pane, ours, {"η": (RATES, RATES)}, **named),
    )


KNOWN = Known(
    "sign-cycle",
    "Sign descent ends in a cycle whose size is the learning rate",
    "Bernstein et al. 2018, arXiv 1802.04434; Riedmiller & Braun 1993",
    f"Four landscapes at three rates, {STEPS:,} steps; the extent of the last {TAIL} points along a coordinate.",
    find,
)

"""Leaving a strict saddle takes steps that grow with the logarithm of the distance from its stable axis."""

from functools import partial

import numpy as np

import gdfast
from gdfast import optimizers, problems
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import one_pane
from gdfast.report.lab import Lab

RATES, DISTANCES = (0.05, 0.2), np.geomspace(1e-1, 1e-12, 12)
FAR = 0.5
MARGIN = 0.02


def find(lab: Lab) -> Found:
    """The steps until x is ½, and how they grow when the start is nearer to the axis."""
    compared, ours, published = [], {}, {}
    for rate in RATES:
        steps = []
        for distance in DISTANCES:
            path = gdfast.trajectory(
                problems.strict_saddle(), optimizers.gd(), [distance, 0.0], rate, 2000, gradient_tolerance=1e-100
            )
            steps.append(int(np.argmax(np.abs(path.theta.values[:, 0]) > FAR)))
        grown = np.polyfit(np.log(1 / DISTANCES[3:]), steps[3:], 1)[0]
        compared.append(
            Compared(f"steps an e-fold of 1/d, η = {rate:g}", 1 / float(np.log1p(rate)), float(grown), MARGIN)
        )
        ours[f"η = {rate:g}"] = DISTANCES, steps
        published[f"log(½/d)/log(1 + ηλ), {rate:g}"] = DISTANCES, np.log(FAR / DISTANCES) / np.log1p(rate)
    named = {"xscale": "log", "xlabel": "distance d of the start", "ylabel": "steps until x = ½"}
    return Found(compared, partial(one_pane, ours, published, **named))


KNOWN = Known(
    "leaving-a-saddle",
    "Leaving a strict saddle takes log(1/d)/log(1 + ηλ) steps",
    "the linear part of gradient descent at a saddle; Lee, Simchowitz, Jordan & Recht 2016",
    "The strict saddle (x² − 1)²/4 + y²/2, λ = 1, from (d, 0).",
    find,
)

"""Gradient descent on the function that is its worst case."""

from functools import partial

import numpy as np

import gdfast
from gdfast import optimizers, problems
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import one_pane
from gdfast.report.lab import Lab

RATES, STEPS, RADIUS = (0.25, 0.5, 1.0), (1, 5, 20, 100), 1.0
MARGIN = 1e-13  # rounding


def find(lab: Lab) -> Found:
    """The loss after N steps on Huber's function whose threshold is made for N and η."""
    compared, ours, published = [], {}, {}
    for rate in RATES:
        ends = []
        for steps in STEPS:
            problem = problems.huber(threshold=RADIUS / (2 * steps * rate + 1), dimension=2)
            start = RADIUS * np.array([0.6, 0.8])
            path = gdfast.trajectory(problem, optimizers.gd(), start, rate, steps, gradient_tolerance=1e-100)
            ends.append(float(path.loss[-1]))
        told = [RADIUS**2 / (4 * steps * rate + 2) for steps in STEPS]
        compared += [
            Compared(f"loss after {steps} steps at ηL = {rate:g}", bound, end, MARGIN)
            for steps, bound, end in zip(STEPS, told, ends, strict=True)
        ]
        ours[f"ηL = {rate:g}"] = STEPS, ends
        published[f"R²/(4Nη + 2), {rate:g}"] = STEPS, told
    named = {"xscale": "log", "yscale": "log", "xlabel": "steps N", "ylabel": "loss at the end"}
    return Found(compared, partial(one_pane, ours, published, **named))


KNOWN = Known(
    "worst-case-gd",
    "The worst case of gradient descent is R²/(4Nη + 2), exactly",
    "Drori & Teboulle 2014, arXiv 1206.3209, theorem 3.2",
    "Huber's function in two dimensions with the threshold R/(2Nη + 1), from ‖x‖ = R = 1, L = 1.",
    find,
)

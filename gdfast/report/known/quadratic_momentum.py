"""Heavy ball on a quadratic: the best rate and momentum, where the two roots of the worst mode are one.

η = (2/(√λ₁ + √λₙ))²,   β = ((√κ − 1)/(√κ + 1))²:   the error shrinks by √β a step.
"""

from functools import partial

import numpy as np
from matplotlib.figure import Figure

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.elementary import Array
from gdfast.report.draw import panes
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import Curves, curves
from gdfast.report.lab import Lab

CONDITION = 100.0
STEPS = 600
BETWEEN = (600, 1200)  # steps of a cell of the map: near the double root there is a factor t, too
MARGIN = 0.01
CELLS = 1.0  # how many cells of the map its optimum may be off


def find(lab: Lab) -> Found:
    """The contraction at the published optimum, and where the map of contractions has its own."""
    problem = problems.quadratic(condition=CONDITION, dimension=2)
    root = np.sqrt(CONDITION)
    rate, momentum = (2 / (1 + root)) ** 2, ((root - 1) / (root + 1)) ** 2
    path = gdfast.trajectory(
        problem, optimizers.momentum(momentum=momentum), np.ones(2), rate, STEPS, gradient_tolerance=1e-100
    )
    distance = np.linalg.norm(path.theta.values, axis=1)
    contraction = float(distance[-1] / distance[STEPS // 2]) ** (2 / STEPS)

    count = 24 if lab.quick else 64
    rates, momenta = rate * np.geomspace(0.1, 4, count), np.linspace(0, 0.98, count)
    rules = optimizers.grid(optimizers.momentum, momentum=momenta)
    history = gdfast.History("loss", steps=BETWEEN)
    sweep = gdfast.Sweep(problem, rules, rates, np.ones((1, 2)), BETWEEN[1], settle=False, history=history)
    ends = gdfast.run(sweep, progress=False)
    first, last = ends.history_loss.values[:, :, 0].transpose(2, 0, 1)
    with np.errstate(invalid="ignore", over="ignore"):
        speed = (last / first) ** (0.5 / (BETWEEN[1] - BETWEEN[0]))
    speed = np.where(np.isfinite(speed), speed, np.inf)
    best = np.unravel_index(speed.argmin(), speed.shape)
    far = [
        abs(np.log(rates[best[1]] / rate)) / np.log(rates[1] / rates[0]),
        abs(momenta[best[0]] - momentum) / (momenta[1] - momenta[0]),
    ]
    steps = np.arange(STEPS + 1)
    ours: Curves = {"heavy ball": (steps, distance / distance[0])}
    published: Curves = {"√βᵗ": (steps, momentum ** (steps / 2))}
    return Found(
        [
            Compared("contraction a step at the optimum", float(np.sqrt(momentum)), contraction, MARGIN),
            Compared("cells from the double root to the map's best learning rate", 0, far[0], CELLS, "absolute"),
            Compared("cells from the double root to the map's best momentum", 0, far[1], CELLS, "absolute"),
        ],
        partial(_draw, ours, published, rates, momenta, speed, (rate, momentum)),
        [
            f"Beside it the contraction from step {BETWEEN[0]} to {BETWEEN[1]} on a grid of {count} × {count} rates "
            "and momenta."
        ],
        results={"map": ends},
    )


def _draw(
    ours: Curves, published: Curves, rates: Array, momenta: Array, speed: Array, optimum: tuple[float, float]
) -> Figure:
    figure, (left, right) = panes(1, 2, 5.2, 3.8)
    curves(left, ours, published, yscale="log", ylim=(1e-30, 10), xlabel="step t", ylabel="distance to the minimum")
    shown = right.pcolormesh(rates, momenta, np.clip(speed, None, 1.05), shading="nearest", rasterized=True)
    right.plot(*optimum, "+", color="#D55E00", markersize=14, markeredgewidth=2, label="the double root")
    right.set(xscale="log", xlabel="learning rate", ylabel="momentum", title="contraction a step, 1.05 and more above")
    right.legend(fontsize=8, loc="lower left")
    figure.colorbar(shown, ax=right)
    return figure


KNOWN = Known(
    "quadratic-momentum",
    "Heavy ball on a quadratic contracts by √β at the double root",
    "Polyak 1964; Goh 2017, Why momentum really works",
    f"A quadratic with κ = {CONDITION:g} from (1, 1), {STEPS} steps at the published rate and momentum.",
    find,
)

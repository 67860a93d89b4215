"""Period doubling: beyond its limit gradient descent goes round in 2, 4, 8, … points, at ever shorter intervals."""

from functools import partial

import numpy as np
from matplotlib.figure import Figure

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.elementary import Array
from gdfast.report.draw import panes
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import PUBLISHED
from gdfast.report.lab import Lab

ONSETS = (0.147290, 0.181680, 0.189184, 0.190801)
RANGE = (0.14, 0.1911)
FEIGENBAUM = 4.669
LANES, ROUNDS, STEPS = 65, 4, 100_000
MARGIN, OF_RATIOS = 2e-5, 0.02
START = 1.4


def periods(rates: Array) -> Array:
    """The period of the tail at each rate: 1 where it settles."""
    sweep = gdfast.Sweep(problems.quartic(), optimizers.gd(), rates, [[START]], STEPS)
    return np.asarray(np.maximum(1, gdfast.run(sweep, progress=False).period.values[0, :, 0]))


def onset(period: int) -> float:
    """The rate from which on the period is at least this: between two rates, ever finer."""
    low, high = RANGE
    for _ in range(ROUNDS):
        rates = np.linspace(low, high, LANES)
        beyond = int(np.argmax(periods(rates) >= period))
        low, high = rates[beyond - 1], rates[beyond]
    return float((low + high) / 2)


def find(lab: Lab) -> Found:
    """The onsets of the periods 2, 4, 8 and 16, and the ratios of the intervals between them."""
    found = [onset(period) for period in (2, 4, 8, 16)]
    gaps = np.diff(found)
    compared = [
        Compared(f"onset of period {2 ** (i + 1)}", told, ours, MARGIN, "absolute")
        for i, (told, ours) in enumerate(zip(ONSETS, found, strict=True))
    ]
    compared += [
        Compared("ratio of the last two intervals", FEIGENBAUM, float(gaps[1] / gaps[2]), OF_RATIOS),
    ]
    rates = np.linspace(0.145, 0.197, 400 if lab.quick else 1000)
    tails = [
        gdfast.trajectory(problems.quartic(), optimizers.gd(), START, rate, 400).theta.values[-32:, 0]
        for rate in rates[:: 4 if lab.quick else 2]
    ]
    return Found(
        compared,
        partial(_draw, rates[:: 4 if lab.quick else 2], tails),
        [f"The first ratio is {gaps[0] / gaps[1]:.4g}; they tend to {FEIGENBAUM}."],
    )


def _draw(rates: Array, tails: list[Array]) -> Figure:
    figure, (ax,) = panes(1, 1, 7.0, 3.8)
    for rate, tail in zip(rates, tails, strict=True):
        ax.plot(np.full(len(tail), rate), tail, ",", color="#0072B2")
    for told in ONSETS:
        ax.axvline(told, **PUBLISHED)
    ax.set(xlabel="learning rate; dashed: published onsets", ylabel="x, the last 32 points")
    return figure


KNOWN = Known(
    "period-doubling",
    "Periods double at intervals whose ratio tends to 4.669",
    "Feigenbaum 1978; the onsets are those of gd on the quartic",
    f"Gradient descent on x⁴ − 5x² + 3x from {START}, {STEPS:,} steps; the periods at {LANES} rates, between two of "
    "them again, and so on.",
    find,
)

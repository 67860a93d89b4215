"""A cosine on a parabola makes the boundary of trainability a fractal."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

import gdfast
from gdfast import optimizers, problems
from gdfast.formulas.elementary import Array
from gdfast.problems import Problem
from gdfast.report.known._known import Compared, Found, Known
from gdfast.report.known._pictures import one_pane
from gdfast.report.lab import Lab

ADDED = {"ε/λ² = 0.02": (0.02, 1.0), "0.05, just convex": (0.05, 1.0), "ε/λ² = 0.5": (0.5, 1.0), "5": (5.0, 1.0)}
"""Ripple and wavelength; it is convex up to 1/(2π²) = 0.0507."""
MULTIPLIED = {"ε = 0.5, λ = 0.1": (0.5, 0.1), "ε = 0.5, λ = 0.3": (0.5, 0.3), "ε = 0.5, λ = 1": (0.5, 1.0)}
STARTS, STEPS, FAR = np.linspace(0.8, 1.2, 8), 2000, 1e6
BETWEEN, COARSE = (1e-3, 1.5), 1024
FLAT, ROUGH, ALIKE = 0.05, 0.1, 0.15


def is_bounded(problem: Problem, rates: Array) -> NDArray[np.bool_]:
    """Where trajectories have not left a large interval by the end, ``bool[start, rate]``."""
    limit = FAR / problem.gradient_scale
    sweep = gdfast.Sweep(problem, optimizers.gd(), rates, STARTS[:, None], STEPS, divergence_limit=limit)
    result = gdfast.run(sweep, progress=False)
    return np.asarray(gdfast.outcomes.Outcome.diverged != result.outcome.values[0].T)


def counts(problem: Problem, count: int) -> tuple[Array, Array]:
    """How many intervals of each length hold a change from bounded to not, where there are changes at all.

    Lengths in rates of the grid ``float64[k]``, and the counts for each start ``float64[start, k]``.
    """
    rates = np.linspace(*BETWEEN, COARSE + 1)
    edges = np.flatnonzero((np.diff(is_bounded(problem, rates).astype(np.int8)) != 0).any(axis=0))
    low, high = rates[max(edges[0] - 1, 0)], rates[min(edges[-1] + 2, COARSE)]
    changes = np.diff(is_bounded(problem, np.linspace(low, high, count + 1)).astype(np.int8)) != 0
    sizes = np.asarray(2.0 ** np.arange(0, int(np.log2(count)) - 3), dtype=np.float64)
    boxes = [changes.reshape(len(STARTS), -1, int(size)).any(axis=2).sum(axis=1) for size in sizes]
    return sizes, np.array(boxes, dtype=np.float64).T


def dimension(sizes: Array, number: Array) -> float:
    """The median of the slopes between each length and the next, of all starts with a boundary."""
    slopes = -np.diff(np.log2(number[number.all(axis=1)]), axis=1) / np.diff(np.log2(sizes))
    return float(np.median(slopes))


def find(lab: Lab) -> Found:
    """The dimension of the set of rates between bounded and unbounded trajectories."""
    count = 2**12 if lab.quick else 2**15
    compared, ours = [], {}
    for name, (ripple, wavelength) in ADDED.items():
        sizes, number = counts(problems.rippled_parabola(ripple, wavelength), count)
        found = dimension(sizes, number)
        rough = ripple / wavelength**2 > 1 / (2 * np.pi**2)
        told, margin, within = (ROUGH, 0.0, "at least") if rough else (0.0, FLAT, "absolute")
        compared.append(Compared(f"dimension, {name}", told, found, margin, within))  # type: ignore[arg-type]
        ours[name] = sizes, number.mean(axis=0)
    alike = []
    for name, (ripple, wavelength) in MULTIPLIED.items():
        sizes, number = counts(problems.rippled_parabola(ripple, wavelength, multiplied=True), count)
        alike.append(dimension(sizes, number))
        ours[f"times, {name}"] = sizes, number.mean(axis=0)
    spread = max(alike) - min(alike)
    compared.append(Compared("differences of dimension by λ, multiplied", 0, spread, ALIKE, "absolute"))
    named = {"xscale": "log", "yscale": "log", "xlabel": "length of an interval, in steps of the grid of rates"}
    return Found(
        compared,
        partial(one_pane, ours, None, ylabel="intervals with a change", **named),
        ["Multiplied: " + ", ".join(f"{n}: {d:.2f}" for n, d in zip(MULTIPLIED, alike, strict=True)) + "."],
    )


KNOWN = Known(
    "fractal-cosine",
    "Ripples on a parabola make the boundary of trainability a fractal where they make it non-convex",
    "Liu 2024, arXiv 2406.13971",
    f"x² + ε cos(2πx/λ) and x² (1 + ε cos(2πx/λ)) from {len(STARTS)} starts, {STEPS} steps, rates up to {BETWEEN[1]}.",
    find,
)

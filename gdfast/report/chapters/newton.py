"""Newton's basins: which minimum each start leads to, and how ragged the lines between them are."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import xarray
from matplotlib.figure import Figure

from gdfast import optimizers, plot, problems
from gdfast.boundary.dimension import boundary, box_counts
from gdfast.formulas.elementary import Array
from gdfast.plot.panels import panels, pixels
from gdfast.plot.room import legend_below
from gdfast.plot.style import BASIN_COLOURS, outcome_patches, patch
from gdfast.report.draw import panes
from gdfast.report.lab import Lab
from gdfast.report.living import live_view
from gdfast.report.section import Claim, Section, basin_cells
from gdfast.report.words import called, listed, number, percent

WHOLE, PART = (-6.0, 6.0, -6.0, 6.0), (1.6, 2.6, -1.0, 0.0)
PLAIN, NEWTON, MAGNIFIED = "gd, η = 0.004", "newton", "newton, magnified"
RULES = {
    PLAIN: (optimizers.gd(), 0.004, WHOLE),
    NEWTON: (optimizers.newton(), 1.0, WHOLE),
    MAGNIFIED: (optimizers.newton(), 1.0, PART),
    "damped_newton": (optimizers.damped_newton(), 1.0, WHOLE),
}
"""What is run, by the title of its map: the rule, its learning rate, and the starts from left to right and upwards."""
BUDGET = 1000
FRACTAL = 1.1
"""The dimension above which a boundary counts as none of smooth lines, which have 1."""
_FEWEST = 192
"""Starts a side at least: on fewer, boxes have too few sizes to fit a line through their counts."""


def newton_basins(lab: Lab) -> Iterator[Section]:
    """Which minimum Newton's method leads to on a plane of starts, beside gradient descent and a damped step."""
    if not lab.covers("himmelblau"):
        return
    problem = problems.himmelblau()
    x, y = problem.coordinates
    n = max(lab.n, _FEWEST)
    # Few steps bring almost all to rest: by NumPy they are done before kernels would be compiled.
    results = {
        title: lab.run(problem, [rule], np.array([rate]), _starts(window, n), BUDGET, backend="numpy")
        for title, (rule, rate, window) in RULES.items()
    }
    minima = [f"({', '.join(number(c) for c in p.point)})" for p in problem.minima]
    table = pd.DataFrame([_row(title, result, x, y) for title, result in results.items()])
    found = [panels(result, x, y)[0]._replace(title=title) for title, result in results.items()]
    basins = [pixels(result, "basin", x, y) for result in results.values()]
    yield Section(
        f"Newton's basins: {called(problem)}",
        [
            f"Each of the {n}² pixels is a start; its colour is the minimum, of {len(minima)}, in which the "
            "trajectory ends. Newton's method goes to where the gradient is 0, also uphill: what has stalled is at a "
            "saddle or at the maximum. A step of it is far where the Hessian is nearly singular, and lands anywhere; "
            "so do the starts that land there one step later, and so on. The dimension of the line between the first "
            "minimum and all else is measured by counting boxes: 1 for a smooth line, more for a fractal.",
            _elsewhere(table),
        ],
        [_fractal(table)],
        partial(_draw, results, minima),
        [basin_cells(panel, basin, minima) for panel, basin in zip(found, basins, strict=True)],
        table=table,
        results={f"basins-{i}": result for i, result in enumerate(results.values())},
        live=live_view(
            problem,
            [optimizers.gd()],
            {"map": "start-start", "by": "minimum"},
            learning_rate=RULES[PLAIN][1],
            start=[0.0, 1.0],
        ),
    )


def _starts(window: tuple[float, float, float, float], n: int) -> Array:
    """A grid of starts, ``float64[n², 2]``."""
    left, right, low, high = window
    return np.stack(
        np.meshgrid(np.linspace(left, right, n), np.linspace(low, high, n), indexing="ij"), axis=-1
    ).reshape(-1, 2)


def _row(title: str, result: xarray.Dataset, x: str, y: str) -> dict[str, object]:
    basin = pixels(result, "basin", x, y)
    size, error = box_counts(boundary(np.where(basin == 0, 1.0, -1.0))).fit
    return {
        "optimizer": title,
        "share that ends in a minimum": float((basin >= 0).mean()),
        "median steps": float(np.median(result.steps.values[result.basin.values >= 0])),
        "dimension of the boundary": size,
        "its standard error": error,
    }


def _draw(results: dict[str, xarray.Dataset], minima: list[str]) -> Figure:
    figure, axes = panes(2, 2, 4.6, 4.2)
    for ax, (title, result) in zip(axes, results.items(), strict=True):
        plot.basin_map(result, ax=ax, legend=False).set_title(title, fontsize=10)
    ends = np.unique(np.concatenate([result.basin.values.ravel() for result in results.values()]))
    outcomes = np.concatenate([result.outcome.values[result.basin.values < 0] for result in results.values()])
    colours = [patch(BASIN_COLOURS[b % len(BASIN_COLOURS)], minima[b]) for b in ends if b >= 0]
    legend_below(figure, colours + outcome_patches({int(each) for each in np.unique(outcomes)}), ncols=4, fontsize=8)
    return figure


def _elsewhere(table: pd.DataFrame) -> str | None:
    shares = table.set_index("optimizer")["share that ends in a minimum"]
    short = shares[shares < 1]
    if short.empty:
        return None
    return (
        listed(f"{title} ends in a minimum from {percent(share)} of the starts" for title, share in short.items()) + "."
    )


def _fractal(table: pd.DataFrame) -> Claim:
    sizes = table.set_index("optimizer")["dimension of the boundary"]
    errors = table.set_index("optimizer")["its standard error"]
    newton, plain = sizes[MAGNIFIED], sizes[PLAIN]
    verdict = "shown" if newton > FRACTAL > plain else "refuted" if not newton > FRACTAL else "bounded"
    return Claim(
        "The basins of Newton's method are fractal, those of gradient descent are not",
        verdict,
        "Dimension of the boundary of the first minimum's basin: "
        + listed(f"{title} {size:.2f} ± {errors[title]:.2f}" for title, size in sizes.items())
        + ".",
    )

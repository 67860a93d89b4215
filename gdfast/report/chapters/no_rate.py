"""Maps of learning rate × start scale: the rules that find their rate, beside gradient descent and Adam."""

from collections.abc import Iterator
from functools import partial

import numpy as np
import pandas as pd
import xarray
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from gdfast import analysis, optimizers, problems
from gdfast.formulas.elementary import Array
from gdfast.plot.style import OUTCOME_COLOURS
from gdfast.report.draw import panes
from gdfast.report.lab import Lab
from gdfast.report.section import Claim, Section
from gdfast.report.words import listed, number, percent
from gdfast.tiles.outcomes import Outcome

WITH_A_RATE = (optimizers.gd(), optimizers.adam())
OWN = (
    optimizers.polyak_sgd(largest=1e9),
    optimizers.adgd(),
    optimizers.dog(),
    optimizers.dowg(),
    optimizers.dadapt_adamw(),
    optimizers.prodigy(),
    optimizers.cocob(),
    optimizers.steepest_descent(),
)
CONDITION, BUDGET = 10.0, 1000
RATES, SCALES = (-4, 4), (-2, 2)  # decades


def no_rate_to_tune(lab: Lab) -> Iterator[Section]:
    """Which rates serve rules that find their own, from near and from far, and what that costs in evaluations."""
    if lab.problems:
        return
    problem, rules = problems.quadratic(condition=CONDITION), [*WITH_A_RATE, *OWN]
    a_decade = 2 if lab.quick else 3
    rates = np.logspace(*RATES, (RATES[1] - RATES[0]) * a_decade + 1)
    scales = np.logspace(*SCALES, (SCALES[1] - SCALES[0]) * a_decade + 1)
    # Few trajectories of many rules: by NumPy they are done before kernels would be compiled.
    starts = scales[:, None] * np.array([[0.8, 0.6]])
    result = lab.run(problem, rules, rates, starts, BUDGET, backend="numpy")
    costs = analysis.costs({problem.label: result}, "random", of="evaluations")
    spent = {rule.label: costs[rule.label].to_numpy().reshape(len(rates), len(scales)) for rule in rules}
    table = pd.DataFrame([_row(rule.name, spent[rule.label], rates) for rule in rules])
    yield Section(
        "No rate to tune?",
        [
            f"The bowl ½(x² + {CONDITION:g} y²) by rules that find their rate themselves, under gd and Adam, which do "
            f"not: from starts whose distance from the minimum goes over {SCALES[1] - SCALES[0]} decades, with the "
            f"number that is still called learning rate over {RATES[1] - RATES[0]}. Colour: how often gradient or loss "
            f"were asked for until the loss was at its lowest, to the tolerance; pale, not within {BUDGET:,} steps; "
            "dark, diverged. Steepest descent has a line search, which asks several times a step; the others ask once. "
            "A rule without a rate to tune has one colour from left to right, and one that does not care how far it "
            "has to go one from bottom to top.",
            _at_their_own(table),
        ],
        [_wider(table), _dearer(table)],
        partial(_draw, result, spent, rates, scales),
        table=table,
        results={"maps": result},
    )


def _row(name: str, spent: Array, rates: Array) -> dict[str, object]:
    """What a map tells: which rates serve all scales, and what it takes there and at a rate of 1."""
    arrives = np.isfinite(spent)
    every, step = arrives.all(axis=1), (RATES[1] - RATES[0]) / len(rates)
    typical = np.where(every, np.median(np.where(arrives, spent, np.inf), axis=1), np.inf)
    fewest = float(typical.min())
    one = int(np.abs(np.log(rates)).argmin())
    return {
        "optimizer": name,
        "share of the map that arrives": float(arrives.mean()),
        "decades that serve every scale": float(every.sum() * step),
        "decades within twice the fewest evaluations": float((typical <= 2 * fewest).sum() * step)
        if every.any()
        else 0.0,
        "best rate": float(rates[typical.argmin()]) if every.any() else np.nan,
        "fewest median evaluations": fewest if every.any() else np.nan,
        "median evaluations at a rate of 1": float(typical[one]) if every[one] else np.nan,
        "most over fewest by scale at the best rate": float(np.divide(*_ends(spent[typical.argmin()])))
        if every.any()
        else np.nan,
    }


def _ends(spent: Array) -> tuple[float, float]:
    """The most and the fewest, at least 1."""
    return float(np.maximum(spent, 1).max()), float(np.maximum(spent, 1).min())


def _draw(result: xarray.Dataset, spent: dict[str, Array], rates: Array, scales: Array) -> Figure:
    columns = 5
    figure, axes = panes(-(-len(spent) // columns), columns, 3.0, 2.7)
    numbers = np.concatenate([values[np.isfinite(values)] for values in spent.values()])
    scale = LogNorm(max(1.0, float(numbers.min())), float(numbers.max()))
    for ax, (label, values) in zip(axes, spent.items(), strict=True):
        diverged = result.outcome.sel(optimizer=label).values == Outcome.diverged
        ax.set_facecolor(OUTCOME_COLOURS[Outcome.unfinished])
        dark = np.ma.masked_where(~diverged.T, np.ones(values.T.shape))
        ax.pcolormesh(rates, scales, dark, cmap="gray", vmin=-0.5, vmax=3, shading="nearest", rasterized=True)
        shown = np.ma.masked_invalid(np.maximum(values, 1).T)
        image = ax.pcolormesh(rates, scales, shown, norm=scale, cmap="viridis_r", shading="nearest", rasterized=True)
        ax.set(xscale="log", yscale="log")
        ax.set_title(label.partition(":")[0], fontsize=10)
    for ax in axes[-columns:]:
        ax.set_xlabel("learning rate η")
    for ax in axes[::columns]:
        ax.set_ylabel("distance of the start")
    figure.colorbar(image, ax=axes, label="evaluations", shrink=0.8)
    return figure


def _by_name(table: pd.DataFrame, rules: tuple[optimizers.Optimizer, ...], column: str) -> pd.Series:
    values: pd.Series = table.set_index("optimizer")[column]
    return values[[rule.name for rule in rules]]


def _at_their_own(table: pd.DataFrame) -> str | None:
    """What the rules take at the rate that they are told to be left at."""
    left = _by_name(table, OWN, "median evaluations at a rate of 1")
    arrive, not_all = left.dropna().sort_values(), [name for name, value in left.items() if np.isnan(value)]
    if arrive.empty:
        return None
    text = "Left at 1, " + listed(f"{name} takes a median of {number(value)}" for name, value in arrive.items())
    return f"{text}." + (f" {listed(not_all)} then fails from some distance." if not_all else "")


def _wider(table: pd.DataFrame) -> Claim:
    decades = _by_name(table, OWN, "decades that serve every scale")
    others = _by_name(table, WITH_A_RATE, "decades that serve every scale")
    wider = decades > others.max()
    said = listed(f"{name} {value:.1f}" for name, value in decades.sort_values(ascending=False).items())
    beside = listed(f"{name} {value:.1f}" for name, value in others.items())
    return Claim(
        "Rules that find their rate leave none to tune",
        "shown" if wider.all() else "bounded" if wider.any() else "refuted",
        f"Decades of the rate, of {RATES[1] - RATES[0]}, that bring every start to the minimum within {BUDGET:,} "
        f"steps: {said}; {beside}.",
    )


def _dearer(table: pd.DataFrame) -> Claim | None:
    fewest = table.set_index("optimizer")["fewest median evaluations"]
    tuned = fewest.get("gd", np.nan)
    own = (_by_name(table, OWN, "fewest median evaluations") / tuned).dropna().sort_values()
    if own.empty:
        return None
    cheap = own <= 2
    return Claim(
        "They take no more than tuned gradient descent, but for a factor of two",
        "shown" if cheap.all() else "bounded" if cheap.any() else "refuted",
        f"Median evaluations at the best rate over gd's {number(tuned)}: "
        + listed(f"{name} {value:.2g}" for name, value in own.items())
        + f"; {percent(float(cheap.mean()))} of them at most 2.",
    )

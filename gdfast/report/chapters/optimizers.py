"""Which optimizer: shares, widths, tuning cost and distributions for every problem. No score is weighted by hand."""

from collections.abc import Iterable, Iterator
from functools import partial

import numpy as np
import pandas as pd
import xarray
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from gdfast import analysis, plot
from gdfast.plot.style import line_style
from gdfast.report.chapters.no_rate import no_rate_to_tune
from gdfast.report.chapters.widths import muon_by_width
from gdfast.report.draw import panes, shared_legend
from gdfast.report.lab import GROUNDS, Lab
from gdfast.report.section import Chapter, Claim, Section
from gdfast.report.words import called, listed, percent

SHARE = 0.25
"""The share of starts that a learning rate must bring to the lowest minimum to count as working."""
KINDS = {"default": "at the default rate", "best": "at the best rate", "random": "at a random rate"}


def _results(lab: Lab) -> dict[str, xarray.Dataset]:
    return {called(p): lab.standard(p) for p in lab.grounds(*GROUNDS) if p.minima}


def costs_of(results: Iterable[xarray.Dataset]) -> str:
    """By what costs are told: by evaluations where an optimizer asks for more than a gradient a step."""
    return "evaluations" if any("evaluations" in result for result in results) else "steps"


def _defaults(lab: Lab) -> dict[str, float]:
    return {o.label: o.learning_rate for o in lab.optimizers}


def summary(lab: Lab) -> Iterator[Section]:
    """Share of the grid, width of the working rates, best rate and steps there, for every problem and optimizer."""
    results = _results(lab)
    of = costs_of(results.values())
    parts = [
        analysis.summary(result, SHARE, of=of).reset_index().assign(problem=name, budget=analysis.budget(result))
        for name, result in results.items()
    ]
    if not parts:
        return
    table = pd.concat(parts)[["problem", *parts[0].columns.drop(["problem", "budget"]), "budget"]]
    table = table.rename(columns={"at edge": "best rate at the grid's edge"})
    yield Section(
        "Every problem and optimizer" if len(results) > 1 else "Every optimizer",
        [
            f"A rate works if at least {SHARE:.0%} of the starts reach the lowest minimum with it within the budget. "
            f"The best rate is the one that serves most starts, then the one with fewest median {of}.",
            edges(table),
        ],
        [_tolerance(table), _no_best(table)],
        partial(_draw_sensitivity, results),
        table=table,
        results=results,
    )


def _draw_sensitivity(results: dict[str, xarray.Dataset]) -> Figure:
    figure, axes = _pane_each(results)
    for ax, result in zip(axes, results.values(), strict=True):
        plot.lr_sensitivity(result, ax).set_ylabel("share of starts that reach")
    shared_legend(figure, axes)
    return figure


def _pane_each(names: Iterable[str]) -> tuple[Figure, list[Axes]]:
    """A figure with axes titled by names, up to three in a row."""
    titles = list(names)
    columns = min(3, len(titles))
    figure, axes = panes(-(-len(titles) // columns), columns, 4.2, 3.2)
    for ax in axes[len(titles) :]:
        ax.remove()
    for ax, title in zip(axes, titles, strict=False):
        ax.set_title(title, fontsize=10)
    return figure, axes[: len(titles)]


def edges(table: pd.DataFrame) -> str | None:
    """Of which optimizers the best rate lies at the edge of the grid."""
    cut = table[table["best rate at the grid's edge"]]
    if cut.empty:
        return None
    pairs = listed(f"{row['optimizer']} on {row['problem']}" for _, row in cut.iterrows())
    return f"The best rate lies at the edge of the grid, so that a better one may lie beyond, for {pairs}."


def _tolerance(table: pd.DataFrame) -> Claim | None:
    wide = table.pivot_table(index="problem", columns="optimizer", values="decades that work", sort=False)
    adaptive = [name for name in ("adam", "rmsprop") if name in wide]
    if "gd" not in wide or not adaptive:
        return None
    wider = (wide[adaptive].gt(wide["gd"], axis=0)).all(axis=1)
    said = listed(f"{name} {wide[name].median():.1f}" for name in (*adaptive, "gd"))
    where = [str(name) for name in wide.index[wider]]
    narrow = [str(name) for name in wide.index[~wider]]
    return Claim(
        "Adam and RMSprop take the pain out of choosing the rate",
        "shown" if wider.all() else "bounded" if wider.any() else "refuted",
        f"Median width of the working rates in decades: {said}. "
        + (f"Wider than gd's on {listed(where)}" if where else "Wider than gd's nowhere")
        + (f", not on {listed(narrow)}." if where and narrow else "."),
    )


def _no_best(table: pd.DataFrame) -> Claim | None:
    found = table[table["best rate"].notna()]
    spread = found.groupby("optimizer", sort=False)["best rate"].agg(lambda rates: np.log10(rates.max() / rates.min()))
    if found["problem"].nunique() < 2 or not spread.min() > 0.5:
        return None
    return Claim(
        "No constant rate is best everywhere",
        "shown",
        f"From problem to problem an optimizer's best rate differs by {spread.min():.1f} ({spread.idxmin()}) to "
        f"{spread.max():.1f} ({spread.idxmax()}) decades.",
    )


def tuning(lab: Lab) -> Iterator[Section]:
    """What the best of k random tries costs."""
    results = _results(lab)
    if not results:
        return
    expected = f"expected {(of := costs_of(results.values()))}"
    tables = [analysis.best_of_k(result, of=of).assign(problem=name) for name, result in results.items()]
    table = pd.concat(tables)[["problem", "optimizer", "tries", expected, "probability"]]

    yield Section(
        "The cost of tuning",
        [
            "A try draws a learning rate and a start of the grid at random; one that does not reach the lowest minimum "
            "counts as the whole budget. The expectation of the best of k is exact, from every cell of the grid.",
            _cheapest(table, expected, 4),
        ],
        draw=partial(_draw_tuning, table, expected),
        table=table,
    )


def _draw_tuning(table: pd.DataFrame, expected: str) -> Figure:
    figure, axes = _pane_each(table["problem"].unique())
    for ax, (_, whole) in zip(axes, table.groupby("problem", sort=False), strict=True):
        for i, (label, part) in enumerate(whole.groupby("optimizer", sort=False)):
            ax.plot(part["tries"], part[expected], label=str(label), **line_style(i))
        ax.set(xscale="log", yscale="log", xlabel="tries k", ylabel=f"{expected}, best of k")
        ax.set_xticks([1, 4, 16, 64], ["1", "4", "16", "64"])
        ax.minorticks_off()
    shared_legend(figure, axes)
    return figure


def _cheapest(table: pd.DataFrame, expected: str, k: int) -> str | None:
    wide = table[table["tries"] == k].pivot_table(index="problem", columns="optimizer", values=expected, sort=False)
    if wide.shape[1] < 2:
        return None
    best = wide.idxmin(axis=1)
    return f"With {k} tries the cheapest is " + listed(f"{best[name]} on {name}" for name in wide.index) + "."


def ecdfs(lab: Lab) -> Iterator[Section]:
    """Distributions of steps to the target at default, best and random rates."""
    results, defaults = _results(lab), _defaults(lab)
    if not results:
        return
    rows, of = [], costs_of(results.values())
    for name, result in results.items():
        for kind in KINDS:
            for label, (spent, share) in analysis.steps_ecdf(result, kind, defaults, of=of).items():
                rows.append({"problem": name, "rate": kind, "optimizer": label, **_within(spent, share)})
    table = pd.DataFrame(rows)

    yield Section(
        f"{of.capitalize()} to the lowest minimum",
        [
            f"Which share of the starts has reached the lowest minimum within so many {of}: at the rate of the grid "
            "nearest to the library's default, at the best of the grid, and at one drawn at random.",
            _defaults_fall_short(table),
        ],
        draw=partial(_draw_ecdfs, results, defaults, of),
        table=table,
    )


def _draw_ecdfs(results: dict[str, xarray.Dataset], defaults: dict[str, float], of: str) -> Figure:
    shown = list(results.items())[:3]
    figure, axes = panes(len(shown), 3, 4.2, 3.4 if len(shown) == 1 else 2.8)
    for i, ((name, result), kind) in enumerate((pair, kind) for pair in shown for kind in KINDS):
        plot.ecdf(result, axes[i], rates=kind, defaults=defaults, of=of)
        axes[i].set_title(f"{name}, {KINDS[kind]}" if len(shown) > 1 else KINDS[kind], fontsize=10)
    shared_legend(figure, axes)
    return figure


def _within(spent: NDArray[np.int64], share: NDArray[np.float64]) -> dict[str, float]:
    at = [0.0, *share]
    soon = {f"within {n}": at[int(np.searchsorted(spent, n, side="right"))] for n in (10, 30, 100, 300, 1000, 10_000)}
    return {**soon, "in the end": at[-1]}


def _defaults_fall_short(table: pd.DataFrame) -> str | None:
    wide = table.pivot_table(index=["problem", "optimizer"], columns="rate", values="in the end")
    fall = (wide["best"] - wide["default"]).groupby("optimizer", sort=False).mean()
    if not fall.max() > 0.01:
        return None
    opening = "Averaged over the problems, the" if table["problem"].nunique() > 1 else "The"
    return (
        f"{opening} default rate reaches less than the best one, least so for {fall.idxmin()} "
        f"({percent(max(fall.min(), 0.0))} of the starts) and most for {fall.idxmax()} ({percent(fall.max())})."
    )


def profiles(lab: Lab) -> Iterator[Section]:
    """Performance profiles over all problems and starts."""
    results, defaults = _results(lab), _defaults(lab)
    if not results:
        return
    of = costs_of(results.values())
    tables = {kind: analysis.performance_profile(analysis.costs(results, kind, defaults, of=of)) for kind in KINDS}
    table = pd.DataFrame(
        {"rate": kind, "optimizer": str(label), **{f"within {tau}×": _at(column, tau) for tau in (1, 2, 4, 10, 100)}}
        for kind, profile in tables.items()
        for label, column in profile.items()
    )

    yield Section(
        "Performance profiles",
        [
            "An instance is a start of a problem. The curve of an optimizer at τ is the share of all instances on "
            f"which it takes at most τ times the {of} of the quickest (Dolan & Moré 2002): at τ = 1 how often it is "
            "the quickest, far right how often it arrives at all.",
            _first_and_most(table),
        ],
        draw=partial(_draw_profiles, results, defaults, of),
        table=table,
    )


def _draw_profiles(results: dict[str, xarray.Dataset], defaults: dict[str, float], of: str) -> Figure:
    figure, axes = panes(1, 3, 4.4, 3.6)
    for ax, kind in zip(axes, KINDS, strict=True):
        plot.profile(results, ax, rates=kind, defaults=defaults, of=of).set_title(KINDS[kind], fontsize=10)
    shared_legend(figure, axes)
    return figure


def _at(column: pd.Series, tau: float) -> float:
    return float(column[column.index <= tau].iloc[-1])


def _first_and_most(table: pd.DataFrame) -> str | None:
    best = table[table["rate"] == "best"].set_index("optimizer")
    if len(best) < 2:
        return None
    first, most = best["within 1×"].idxmax(), best["within 100×"].idxmax()
    return (
        f"At its best rate {first} is most often the quickest ({percent(best['within 1×'].max())} of the instances) "
        f"and {most} arrives most often within 100 times the quickest ({percent(best['within 100×'].max())})."
    )


CHAPTER = Chapter(
    "optimizers",
    "Which optimizer?",
    "No weighted score: for every problem and optimizer what part of the grid works, how wide the working rates are, "
    "what tuning costs, and how steps are distributed; what rules that find their rate are worth; and what Muon makes "
    "of wider networks. Click a column's head to sort.",
    (summary, tuning, ecdfs, profiles, no_rate_to_tune, muon_by_width),
)

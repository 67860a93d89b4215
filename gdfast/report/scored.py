"""The page of scores: optimizers on the benchmark, beside those that ship, and the tables that make it resumable."""

import json
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure

from gdfast import arguments
from gdfast.optimizers import Optimizer
from gdfast.outputs import beside
from gdfast.plot.style import line_style
from gdfast.report.draw import panes, shared_legend
from gdfast.report.lab import Lab
from gdfast.report.page import Around, write
from gdfast.report.section import Chapter, Section
from gdfast.report.words import listed, percent
from gdfast.scoring import SUITES, Band, Suite, profile_bands, reached_bands, score, shipped

BESIDE = ("gd", "momentum", "adam")
SHIPPED = "shipped.csv.gz"
_MOST_LINES, _MOST_PAGES = 9, 12
"""Of many optimizers so many are coloured, and have sections of their own."""


def page(
    rules: Sequence[Optimizer],
    against: Sequence[str] | None,
    suite: str,
    out: Path,
    command: str,
    tell: Callable[[str], None] = lambda text: None,
) -> tuple[Path, list[str]]:
    """Score optimizers, and write tables and page.

    Parameters
    ----------
    rules : sequence of Optimizer
        Are scored, unless a table of theirs is in the folder: an interrupted call goes on where it was.
    against : sequence of str, optional
        Labels of shipped scores that are drawn beside them; gd, momentum and adam if not given.
    suite : str
        The version of the benchmark.
    out : Path
        The folder: ``tables/NAME.csv`` for each optimizer, ``shipped.csv.gz`` of all of them, and ``page``.
    command : str
        What makes it again.
    tell : callable
        Is told what is done.

    Returns
    -------
    page, failures
        As of `gdfast.report.build`.

    Raises
    ------
    ValueError
        If what is to be drawn beside them does not ship, or an optimizer cannot work on a task.
    OSError
        If something cannot be written.
    """
    there = shipped(suite)
    known = list(dict.fromkeys(there["optimizer"]))
    names = [arguments.choice("against", name, known) for name in against or [n for n in BESIDE if n in known]]
    tables = [table_of(rule, suite, out / "tables", tell) for rule in rules]
    labels = [rule.label for rule in rules]
    together = pd.concat([*tables, there[there["optimizer"].isin([n for n in names if n not in labels])]])
    with beside(out / SHIPPED) as part:
        pd.concat(tables).to_csv(part, index=False, compression={"method": "gzip", "mtime": 0})
    chapter = Chapter(
        "score",
        f"Scores on suite {suite}",
        "Each optimizer at its default learning rate, and at the multiple of it that did best on other starts. A "
        "profile is the share of targets reached within so many times the steps of the optimizer that was soonest; "
        "bands are 95 % of bootstrap samples of the starts.",
        (_All(together, SUITES[suite]), *(_One(together, rule, SUITES[suite]) for rule in rules[:_MOST_PAGES])),
    )
    around = Around(
        f"Scores: {listed(labels if len(labels) <= 6 else [*labels[:5], f'{len(labels) - 5} more'])}",
        "Every number and picture on this page is of the runs of its tables. No number weighs it all.",
        lambda name: command,
        {"suite": suite, "tasks": ", ".join(task.problem for task in SUITES[suite].tasks)},
        outcomes=False,
        few=True,
    )
    return write(out / "page", Lab(), [chapter], around)


def table_of(rule: Optimizer, suite: str, folder: Path, tell: Callable[[str], None]) -> pd.DataFrame:
    """The score of an optimizer: read, if the folder has it of the very same, or run and written."""
    identity = json.dumps({"suite": suite, "optimizer": rule.specification}, sort_keys=True, default=str)
    name = "".join(c if c.isalnum() or c in "._=-" else "-" for c in rule.label)
    path, mark = folder / f"{name}.csv", folder / f"{name}.json"
    if path.exists() and mark.exists() and mark.read_text(encoding="utf-8") == identity:
        tell(f"{rule.label}: kept, its table is there")
        return pd.read_csv(path, dtype={"suite": str})
    tell(f"{rule.label}: {len(SUITES[suite].tasks)} tasks")
    table = score(rule, suite)
    folder.mkdir(parents=True, exist_ok=True)
    with beside(path) as part:
        table.to_csv(part, index=False)
    with beside(mark) as part:
        part.write_text(identity, encoding="utf-8")
    return table


class _All:
    """The experiment about all of them."""

    __name__ = "profiles"

    def __init__(self, table: pd.DataFrame, suite: Suite) -> None:
        self.table, self.suite = table, suite

    def __call__(self, lab: Lab) -> Iterator[Section]:
        for title, part, function, label in (
            ("Performance profiles", "", profile_bands, "times the steps of the soonest"),
            ("Targets reached over steps", "reached", reached_bands, "steps"),
        ):
            bands = {rate: function(self.table, rate) for rate in ("tuned", "default")}
            many = f"Grey are all but the {_MOST_LINES - 1} with the largest mean share at the tuned rate."
            text = [many if len(bands["tuned"]) > _MOST_LINES else None]
            yield Section(title, text, draw=partial(draw_bands, bands, label), part=part)
        yield Section("Targets reached", table=shares(self.table, self.suite), part="shares")


class _One:
    """The experiment about one of them."""

    def __init__(self, table: pd.DataFrame, rule: Optimizer, suite: Suite) -> None:
        self.table, self.label, self.suite, self.rule = table, rule.label, suite, rule
        self.__name__ = "".join(c if c.isalnum() else "-" for c in rule.label)

    def __call__(self, lab: Lab) -> Iterator[Section]:
        table = by_task(self.table, self.label, self.suite)
        never = [name for name, reached in zip(table["task"], table["reached"], strict=True) if reached == 0]
        yield Section(
            self.label,
            [
                "For each task: the multiple of its default rate that was chosen, the share of starts and targets "
                "reached by it and by the default, and the median of the steps to each target, beside the least of "
                "all shown.",
                f"A step of it asks for {self.rule.cost}." if self.rule.points > 1 else None,
                f"It reaches nothing on {listed(never)}." if never else None,
            ],
            draw=partial(draw_tasks, table, self.suite),
            table=table,
        )


def shares(table: pd.DataFrame, suite: Suite) -> pd.DataFrame:
    """The share of tasks and starts on which each optimizer reaches each target, by both rates."""
    rows = []
    for label, part in table.groupby("optimizer", sort=False):
        row: dict[str, object] = {"optimizer": label}
        for rate in ("tuned", "default"):
            for target in suite.targets:
                own = part[(part["rate"] == rate) & (part["target"] == target)]
                row[f"{rate}, {target:g}"] = float(own["steps"].notna().mean())
        rows.append(row)
    return pd.DataFrame(rows)


def by_task(table: pd.DataFrame, label: str, suite: Suite) -> pd.DataFrame:
    """What an optimizer does on each task."""
    rows = []
    for task in suite.tasks:
        of_task = table[(table["task"] == task.problem) & (table["rate"] == "tuned")]
        own = of_task[of_task["optimizer"] == label]
        default = table[(table["task"] == task.problem) & (table["rate"] == "default") & (table["optimizer"] == label)]
        row: dict[str, object] = {
            "task": task.problem,
            "multiple": float(own["multiple"].iloc[0]),
            "reached": float(own["steps"].notna().mean()),
            "reached by default": float(default["steps"].notna().mean()),
        }
        for target in suite.targets:
            medians = (
                of_task[of_task["target"] == target].fillna({"steps": np.inf}).groupby("optimizer")["steps"].median()
            )
            row[f"steps to {target:g}"] = medians[label] if np.isfinite(medians[label]) else np.nan
            row[f"least to {target:g}"] = medians.min() if np.isfinite(medians.min()) else np.nan
        rows.append(row)
    return pd.DataFrame(rows)


def draw_bands(bands: dict[str, dict[str, Band]], label: str) -> Figure:
    """Draw shares over x, a pane for each rate; of many optimizers those with the largest shares are coloured."""
    figure, axes = panes(1, len(bands), 6.0, 4.4)
    for ax, (rate, by_name) in zip(axes, bands.items(), strict=True):
        order = sorted(bands["tuned"], key=lambda name: -float(bands["tuned"][name].share.mean()))
        coloured = list(by_name) if len(by_name) <= _MOST_LINES else order[: _MOST_LINES - 1]
        for name, band in by_name.items():
            if name not in coloured:
                ax.plot(band.x, band.share, color="#999999", linewidth=0.5, alpha=0.6)
        for i, name in enumerate(coloured):
            band, style = by_name[name], line_style(i, name)
            ax.plot(band.x, band.share, label=name, **style)
            ax.fill_between(band.x, band.low, band.high, color=style["color"], alpha=0.15, linewidth=0)
        ax.set(xscale="log", ylim=(0, 1), xlabel=label, title=f"{rate} learning rate", ylabel="share of targets")
        ax.legend(fontsize=8, frameon=False)
    shared_legend(figure, axes)
    return figure


def draw_tasks(table: pd.DataFrame, suite: Suite) -> Figure:
    """Draw how many times the least steps an optimizer takes to each target of each task."""
    figure, (ax,) = panes(1, 1, 8.5, 0.3 * len(table) + 1.4)
    times = np.array(
        [
            [(row[f"steps to {t:g}"] + 1) / (row[f"least to {t:g}"] + 1) for t in suite.targets]
            for _, row in table.iterrows()
        ],
        dtype=np.float64,
    )
    shown = ax.imshow(times, aspect="auto", cmap="viridis_r", norm=LogNorm(1, 100))
    for (i, j), value in np.ndenumerate(times):
        text = f"{value:.3g}×" if np.isfinite(value) else "–"
        ax.text(j, i, text, ha="center", va="center", fontsize=8, color="white" if value > 10 else "black")
    ax.set_xticks(range(len(suite.targets)), [f"{t:g}" for t in suite.targets])
    ax.set_yticks(
        range(len(table)), [f"{task} ({percent(r)})" for task, r in zip(table["task"], table["reached"], strict=True)]
    )
    ax.set(
        xlabel="target",
        ylabel="task (share of starts and targets reached)",
        title="median steps, in times the least of all shown; – where not reached",
    )
    ax.tick_params(labelsize=8)
    bar = figure.colorbar(shown, ax=ax, label="times the least median steps", extend="max")
    bar.set_ticks([1, 10, 100], labels=["1×", "10×", "100×"])
    return figure

"""What a report is made of: chapters of experiments, each of which gives sections of text, figure, table and data."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from gdfast.plot.panels import Panel
from gdfast.plot.shown import Shown, changes_of, outcomes_of
from gdfast.plot.style import BASIN_COLOURS
from gdfast.tiles.outcomes import Outcome

if TYPE_CHECKING:
    import xarray

    from gdfast.report.lab import Lab
    from gdfast.report.living import LiveView


@dataclass(frozen=True)
class Claim:
    """Something that is said of gradient descent, and what this run says of it.

    Attributes
    ----------
    claim : str
        What is said.
    verdict : {"shown", "bounded", "refuted", "met", "not met"}
        It holds; it holds under a condition, which the evidence names; it does not hold. Of a published figure: this
        run's is within the margin, or not.
    evidence : str
        The numbers, of this run.
    """

    claim: str
    verdict: str
    evidence: str


def outcome_cells(panels: Iterable[Panel]) -> list[Shown]:
    """Maps of outcomes."""
    return [*map(outcomes_of, panels)]


def change_cells(panels: Iterable[Panel]) -> list[Shown]:
    """Maps of what became of cells."""
    return [*map(changes_of, panels)]


def basin_cells(panel: Panel, basin: "np.ndarray[tuple[int, ...], np.dtype[np.int16]]", minima: Sequence[str]) -> Shown:
    """A map of basins: outcomes, and then the minima."""
    codes = np.where(basin >= 0, len(Outcome) + basin, panel.outcome)
    outcomes = outcomes_of(panel._replace(outcome=codes.astype(np.int8)))
    colours = [*outcomes.colours, *(BASIN_COLOURS[i % len(BASIN_COLOURS)] for i in range(len(minima)))]
    return outcomes._replace(names=[*outcomes.names, *minima], colours=[to_hex(c) for c in colours])


@dataclass
class Section:
    """A part of the report: at most one figure and one table.

    Attributes
    ----------
    title : str
        Its heading.
    text : sequence of (str or None)
        Its sentences; those that the data does not support are None and left out.
    claims : sequence of (Claim or None)
        What it answers, likewise.
    draw : callable, optional
        Draws its figure; called after all data is written.
    cells : sequence of Shown
        What the figure's axes number `first_axes` and following show, for the page to read out.
    table : DataFrame, optional
        Its numbers: shown, and written as CSV and, with the extra ``parquet``, as Parquet.
    results : dict
        What it is drawn from, by name; written as netCDF with the extra ``netcdf``.
    live : LiveView, optional
        What runs in its live page, if it has one.
    part : str
        Tells it apart from other sections of the same experiment, in the names of files: what no such name should have,
        as ``mine.py:bowl`` has, becomes a dash.
    """

    title: str
    text: Sequence[str | None] = ()
    claims: Sequence[Claim | None] = ()
    draw: Callable[[], Figure] | None = None
    cells: Sequence[Shown] = ()
    first_axes: int = 0
    table: pd.DataFrame | None = None
    results: "dict[str, xarray.Dataset]" = field(default_factory=dict)
    live: "LiveView | None" = None
    part: str = ""

    def __post_init__(self) -> None:
        self.part = re.sub(r"[^\w.-]+", "-", self.part)

    @property
    def sentences(self) -> str:
        """The text, without what is None."""
        return " ".join(sentence for sentence in self.text if sentence)

    @property
    def findings(self) -> list[Claim]:
        """The claims, without what is None."""
        return [claim for claim in self.claims if claim]


Experiment = Callable[["Lab"], Iterator[Section]]


@dataclass(frozen=True)
class Chapter:
    """A chapter: its name, its title, what it asks, and its experiments, named like their functions.

    One that is `timed` wants the machine for itself; one that is `apart` runs only where it is named.
    """

    name: str
    title: str
    text: str
    experiments: tuple[Experiment, ...]
    timed: bool = False
    apart: bool = False


def name_of(experiment: Experiment) -> str:
    """The name of an experiment on the command line and in files."""
    return experiment.__name__.replace("_", "-")

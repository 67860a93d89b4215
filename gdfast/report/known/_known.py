"""What a known result is: who published it, its set-up, and how near this run comes to the published figures."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from matplotlib.figure import Figure

from gdfast.report.section import Claim, Section
from gdfast.report.words import listed, number

if TYPE_CHECKING:
    import xarray

    from gdfast.report.lab import Lab

Within = Literal["share", "absolute", "at most", "at least"]
"""What a margin is: a share of the published figure, a difference from it, or a bound, with a share for rounding."""


@dataclass(frozen=True)
class Compared:
    """One published figure beside that of this run.

    Attributes
    ----------
    what : str
        What it is of.
    published, ours : float
        The two figures.
    margin : float
        How far ours may be off, written down before the run.
    within : {"share", "absolute", "at most", "at least"}
        What the margin is a share of, or which bound the published figure is.
    """

    what: str
    published: float
    ours: float
    margin: float
    within: Within = "share"

    @property
    def is_met(self) -> bool:
        """Whether ours is within the margin."""
        slack = self.margin if self.within == "absolute" else self.margin * abs(self.published)
        off = self.ours - self.published
        match self.within:
            case "at most":
                return bool(off <= slack)
            case "at least":
                return bool(off >= -slack)
        return bool(abs(off) <= slack)

    @property
    def allowed(self) -> str:
        """The margin in words."""
        match self.within:
            case "share":
                return f"± {100 * self.margin:.3g} %" if self.margin else "the same"
            case "absolute":
                return f"± {number(self.margin)}" if self.margin else "the same"
        return self.within + (f", and {100 * self.margin:.1g} %" if self.margin else "")


@dataclass(frozen=True)
class Found:
    """What a run found of a known result.

    Attributes
    ----------
    compared : sequence of Compared
        All of its figures; the result is met if each is.
    draw : callable, optional
        Draws the picture.
    text : sequence of (str or None)
        What else is to be said, with this run's numbers.
    reason : str
        Why it is not met, where it is not.
    results : dict
        What it is drawn from, by name, as in `Section`.
    """

    compared: Sequence[Compared]
    draw: Callable[[], Figure] | None = None
    text: Sequence[str | None] = ()
    reason: str = ""
    results: "dict[str, xarray.Dataset]" = field(default_factory=dict)

    @property
    def verdict(self) -> str:
        """Whether all figures are met: ``met`` or ``not met``."""
        return "met" if all(each.is_met for each in self.compared) else "not met"

    @property
    def table(self) -> pd.DataFrame:
        """The figures side by side."""
        return pd.DataFrame(
            {
                "figure": each.what,
                "published": each.published,
                "ours": each.ours,
                "margin": each.allowed,
                "verdict": "met" if each.is_met else "not met",
            }
            for each in self.compared
        )


@dataclass(frozen=True)
class Known:
    """A result that was published, as an experiment: ``gdfast report --only NAME`` runs it.

    Attributes
    ----------
    name : str
        Of the experiment and its files.
    title : str
        What is said.
    source : str
        Paper, year, section.
    setup : str
        What is run, in a sentence.
    find : callable
        Runs it.
    """

    name: str
    title: str
    source: str
    setup: str
    find: "Callable[[Lab], Found]"

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, lab: "Lab") -> Iterator[Section]:
        """The section of a report about it; none if the report is restricted to some problems."""
        if lab.problems:
            return
        found = self.find(lab)
        missed = [each.what for each in found.compared if not each.is_met]
        why = f" Not met: {listed(missed)}. {found.reason}".rstrip() if missed else ""
        yield Section(
            self.title,
            [f"{self.source}. {self.setup}", *found.text],
            [Claim(f"{self.title} ({self.source})", found.verdict, _evidence(found.compared) + why)],
            found.draw,
            table=found.table,
            results=found.results,
        )


def _evidence(compared: Sequence[Compared]) -> str:
    """The figures in a sentence: all, or of many the one that comes nearest to its margin."""
    if len(compared) > 3:
        nearest = max(compared, key=_used)
        return f"{len(compared)} figures; nearest to its margin is the {_told(nearest)}."
    return "; ".join(map(_told, compared)) + "."


def _told(each: Compared) -> str:
    return f"{each.what}: published {_digits(each.published)}, ours {_digits(each.ours)} ({each.allowed})"


def _digits(value: float) -> str:
    """A number with six digits, which published figures rarely exceed."""
    return f"{value:.6g}".replace("-", "−")


def _used(each: Compared) -> float:
    """Which share of its margin a figure uses up; of a bound the share of the bound."""
    off = each.ours - each.published
    if each.within in ("at most", "at least"):
        return 1 + float(np.sign(off) if each.within == "at most" else -np.sign(off)) * abs(off / (each.published or 1))
    slack = each.margin if each.within == "absolute" else each.margin * abs(each.published)
    return abs(off) / slack if slack else float(off != 0)

"""Which optimizer, learning rate and batch size for given data: by the loss of held-out rows, and what each costs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments, notation
from gdfast.data import Source, load
from gdfast.formulas.elementary import Array
from gdfast.named import is_factory
from gdfast.problems import CATALOGUE, Problem
from gdfast.problems._data_problem import DataProblem
from gdfast.problems.recognized import recognized, takers_of_data
from gdfast.running.bracket import Search, start_of
from gdfast.tiles.sweep import Sweep

if TYPE_CHECKING:
    import pandas

USUAL = ("gd", "momentum", "nesterov", "adagrad", "rmsprop", "adam", "lion")
"""The optimizers that are compared if none are named."""
SIZES = (8, 32, 128, 512)
"""The batch sizes that are compared if none are named, below half of the rows; and all rows, if they are not many."""
MOST_ROWS = 4096
"""Up to so many rows, all of them at once are among the batch sizes if none are named."""


@dataclass(frozen=True, repr=False)
class Tuning:
    """What `tune` found.

    Attributes
    ----------
    table : DataFrame
        A row an optimizer and batch size, the chosen one first: ``optimizer``, ``batch size`` (0 for all rows),
        ``learning rate``, its best; ``held-out loss``, the lowest mean over the seeds and over the steps
        from any to twice as many, ``standard error`` of it; ``held-out accuracy`` there, where rows have classes;
        ``steps`` after which it is first so low, but for a share of 1e-2; ``gradients``, of a row, that these steps
        took, with the losses that a line search asks for; ``tied``, whether it is as good as the lowest, see `tune`;
        ``at the edge``, whether no rate was tried beyond the best; ``still falling``, whether the loss was lowest at
        the end of the budget.
    rates : DataFrame
        A row an optimizer, batch size and learning rate that was tried, with its ``held-out loss``.
    curves : mapping
        By (optimizer, batch size) the held-out loss at the best rate, ``float64[k]``.
    steps : ndarray
        The k steps from which, to twice as many, it is the mean.
    problem : Problem
        What was minimized, with the first seed and all rows a step.
    notes : tuple of str
        What was recognized and left out, a sentence each.
    trajectories, gradients : int
        How many were run, and how many gradients of a row they took at most.
    seconds : float
        That took, with compiling.
    """

    table: "pandas.DataFrame"
    rates: "pandas.DataFrame"
    curves: Mapping[tuple[str, int], Array]
    steps: NDArray[np.int64]
    problem: Problem
    notes: tuple[str, ...]
    trajectories: int
    gradients: int
    seconds: float

    @property
    def best(self) -> dict[str, Any]:
        """The chosen row of the table, by the names of its columns."""
        return dict(zip(self.table.columns, self.table.iloc[0].tolist(), strict=True))

    @property
    def line(self) -> str:
        """What is chosen, how good it is, what it costs, and what is as good."""
        best = self.best
        error = best["standard error"]
        told = [
            f"{best['optimizer']}, learning rate {best['learning rate']:.3g}, {_rows(best['batch size'])}: "
            f"held-out loss {best['held-out loss']:.4g}" + (f" ± {error:.2g}" if error == error else "")
        ]
        if "held-out accuracy" in best:
            told.append(f", accuracy {best['held-out accuracy']:.3g}")
        told.append(
            f", after {best['steps']:,} step{'' if best['steps'] == 1 else 's'} "
            f"({best['gradients']:,} gradients of a row)"
        )
        if best["still falling"]:
            told.append(", still falling at the end of the budget")
        if best["at the edge"]:
            told.append(", at the edge of the rates tried")
        ties = [
            f"{row['optimizer']} with {_rows(row['batch size'])}" for _, row in self.table[1:].iterrows() if row["tied"]
        ]
        if ties:
            most = ", ".join(ties[:4]) + (f" and {len(ties) - 4} more" if len(ties) > 4 else "")
            told.append(f"; as good, but dearer: {most}")
        return "".join(told)

    def __str__(self) -> str:
        return self.line

    def __repr__(self) -> str:
        return f"<tuning of {self.problem.label}: {self.line}>"


def _rows(size: int) -> str:
    return f"batches of {size}" if size else "all rows a step"


def tune(
    data: Source | Problem,
    target: str | None = None,
    problem: Problem | str | Any = None,
    optimizers: Any = USUAL,
    batch_sizes: Sequence[int] | None = None,
    seeds: int = 3,
    max_steps: float = 1000,
    validation: float = 0.25,
) -> Tuning:
    """Find which optimizer, learning rate and batch size learn data best, by the loss of rows that are held out.

    Each optimizer is run with each batch size, at first with rates a decade apart, two to each side of its default.
    Where the best is the outermost, more are tried beyond it, up to six decades; at last some between the best and its
    neighbours. All of that is repeated with other held-out rows, mini-batches and initial weights, the same for every
    optimizer. What counts is the loss of held-out rows where it is lowest along the way and stays so while the steps
    double: its mean over these steps and over the repetitions. What is not worse than the lowest by more than the
    standard error of the difference, and a twentieth, or by a hundredth, is tied with it, as is what is worse by a
    ten-thousandth of the targets' variance, or of the loss of the best constant; of what is tied that is chosen which
    takes fewest gradients.

    Parameters
    ----------
    data : str, Path, DataFrame, (X, y), Data or Problem
        Whatever `gdfast.data.load` takes; or a problem with data, for which no other needs to be named.
    target : str, optional
        The column of a file or table to predict.
    problem : str or factory, optional
        What to fit, such as ``"ridge_regression:alpha=1"`` or ``"mlp:widths=4/16/1"``. If not given, linear regression
        for a target that is a number, logistic regression for one of two values, and softmax regression for more
        classes.
    optimizers : as in `gdfast.Sweep`
        What is compared.
    batch_sizes : sequence of int, optional
        Rows a step; 0 stands for all. `SIZES` and all rows if not given.
    seeds : int
        How often it is repeated, from 1.
    max_steps : int
        The budget of each trajectory, in updates.
    validation : float
        The share of the rows that is held out, in (0, 1).

    Returns
    -------
    Tuning
        The same each time, but for its seconds.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind, the data cannot be used, or no rate gives a finite loss.

    Examples
    --------
    >>> found = tune("iris", optimizers=["gd", "adam"], batch_sizes=[0], seeds=1, max_steps=100)
    >>> found.best["optimizer"] in ("gd", "adam")
    True
    """
    begun = time.perf_counter()
    base, notes = _problem_of(data, target, problem, validation)
    repeats = [base.replace(seed=seed) for seed in range(arguments.integer("seeds", seeds, high=1000))]
    rules = {rule.label: rule for rule in Sweep(repeats[0], optimizers, [1.0], start_of(repeats[0], 0)).optimizers}
    sizes = _sizes(batch_sizes, repeats[0], notes)
    search = Search(repeats, _whole("max_steps", max_steps))
    for size in sizes:
        search.bracket(list(rules.values()), size)
    table, rates, curves = search.found()
    return Tuning(
        table,
        rates,
        curves,
        search.steps,
        repeats[0],
        tuple(notes),
        search.trajectories,
        search.gradients,
        time.perf_counter() - begun,
    )


def _whole(argument: str, value: Any) -> int:
    return arguments.integer(argument, int(value) if isinstance(value, float) and value.is_integer() else value, low=2)


def _problem_of(data: Any, target: str | None, problem: Any, validation: float) -> tuple[Problem, list[str]]:
    """The problem with rows held out, and what was recognized of the data."""
    share = arguments.number("validation", validation, arguments.Interval(0, 1, low_open=True, high_open=True))
    notes: list[str] = []
    if isinstance(data, Problem):
        if target is not None or problem is not None:
            raise ValueError("target and problem must not be given beside a problem, which has its own")
        made = data
        notes += getattr(data.parameters.get("data"), "notes", ())
    else:
        rows = load(data) if target is None else load(data, target)
        notes += rows.notes
        if problem is None:
            problem, word = recognized(rows)
            notes.append(word)
        if isinstance(problem, str):
            name = problem.partition(":")[0].strip()
            if name in CATALOGUE and name not in takers_of_data():
                raise ValueError(f"problem must be one with data, such as linear_regression, not {problem}")
            made = notation.problem(problem, data=rows)
        elif is_factory(problem):
            made = problem(data=rows)
        else:
            raise TypeError(
                f"problem must be a text such as 'ridge_regression' or 'mlp:widths=4/16/1', or a factory, not "
                f"{arguments.shown(problem)}; a problem with data is given as data"
            )
    if not isinstance(made, DataProblem) or not {"validation", "seed", "batch_size"} <= set(made.parameters):
        raise ValueError(
            f"problem must be one with data, of which rows can be held out, such as linear_regression, not {made.label}"
        )
    return made if made.held_out is not None else made.replace(validation=share), notes


def _sizes(told: Any, problem: Any, notes: list[str]) -> list[int]:
    """The batch sizes that are compared, 0 for all rows."""
    m = len(problem.X)
    if told is None:
        if m > MOST_ROWS:
            notes.append(f"all {m:,} rows a step are not tried, unless batch_sizes has 0 (--batch-size 0)")
        return [*(size for size in SIZES if size <= m // 2), *([0] if m <= MOST_ROWS else [])]
    sizes = [
        arguments.integer("batch_sizes", size, low=0, high=m)
        for size in arguments.several("batch_sizes", told, "whole numbers")
    ]
    return list(dict.fromkeys(0 if size == m else size for size in sizes))

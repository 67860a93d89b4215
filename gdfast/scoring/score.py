"""Scoring an optimizer: after how many steps it reaches each target of each task."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gdfast import arguments, measures
from gdfast.called import optimizer_of
from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.running.run import run
from gdfast.scoring.suite import LATEST, SUITES, Suite, Task
from gdfast.tiles.sweep import Sweep

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("suite", "optimizer", "rate", "task", "start", "target", "multiple", "steps")
RATES = ("tuned", "default")


def score(
    optimizer: Optimizer | str, suite: str = LATEST, *, tell: Callable[[str], None] = lambda text: None
) -> "pd.DataFrame":
    """Score an optimizer on a suite.

    Parameters
    ----------
    optimizer : Optimizer or str
        Of `gdfast.optimizers`, or one of your own.
    suite : str
        The version of the suite, of `SUITES`.
    tell : callable
        Is told each task as it begins.

    Returns
    -------
    pandas.DataFrame
        A row for each ``rate`` (``tuned`` or ``default``), ``task``, ``start`` and ``target``: ``multiple``, what the
        default learning rate was multiplied by; and ``steps``, the updates after which the target was reached first,
        NaN where it was not within the budget. The same bits each time.

    Raises
    ------
    TypeError, ValueError
        If it is no optimizer, there is no such suite, or the optimizer cannot work on one of the tasks.

    Examples
    --------
    >>> from gdfast import optimizers
    >>> from gdfast.scoring import score
    >>> score(optimizers.gd()).query("task == 'rosenbrock'").steps.min()  # doctest: +SKIP
    """
    import pandas as pd

    optimizer = optimizer_of(optimizer)
    chosen = SUITES[arguments.choice("suite", suite, SUITES)]
    rows: list[dict[str, Any]] = []
    for task in chosen.tasks:
        tell(task.problem)
        rows += _rows(optimizer, chosen, task)
    return pd.DataFrame(rows, columns=COLUMNS)


def _rows(optimizer: Optimizer, suite: Suite, task: Task) -> Iterator[dict[str, Any]]:
    """The rows of a task."""
    steps = steps_of(optimizer, suite, task)
    tried, scored = steps[:, : suite.starts], steps[:, suite.starts :]
    default = suite.multiples.index(1.0)
    for rate, number in zip(RATES, (_best(tried), default), strict=True):
        for start in range(suite.starts):
            for target, taken in zip(suite.targets, scored[number, start].tolist(), strict=True):
                values = (
                    suite.version,
                    optimizer.label,
                    rate,
                    task.problem,
                    start,
                    target,
                    suite.multiples[number],
                    taken,
                )
                yield dict(zip(COLUMNS, values, strict=True))


def steps_of(optimizer: Optimizer, suite: Suite, task: Task) -> Array:
    """Steps to each target, ``float64[multiple, start, target]``, NaN where it was not reached."""
    problem = task.made()
    sweep = Sweep(
        problem,
        optimizer.in_units(),
        np.array(suite.multiples),
        suite.starts_of(problem),
        task.budget,
        measure=measures.steps_to_reach(suite.targets),
    )
    result = run(sweep, progress=False)
    return np.asarray(result.measure.transpose("learning_rate", "start", ...).values[:, :, 0], dtype=np.float64)


def _best(steps: Array) -> int:
    """The multiple that reaches most targets and, of several such, those soonest, in the mean of the logarithms."""
    reached = np.isfinite(steps)
    count = reached.sum(axis=(1, 2))
    soon = np.where(reached, np.log1p(np.where(reached, steps, 0.0)), 0.0).sum(axis=(1, 2))
    return int(np.lexsort((soon, -count))[0])

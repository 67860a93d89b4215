"""Measures: what a sweep tells of each trajectory's whole history of losses, summed up while it runs.

No history is stored. A measure remembers a few numbers a trajectory, its memory slots, which a rule updates from the
loss before each update; the value is made of them at the end. A trajectory that settles early is completed in closed
form: one that is stationary keeps its last loss, one that has diverged is as bad as can be for all that remains. That
the first is so to rounding and the second wholly is for the tolerances of the sweep to see to.
Ask for one by ``Sweep(..., measure=gdfast.measures.convergence())``.
"""

import functools
import inspect
import numbers
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.elementary import Array, minimum, select
from gdfast.formulas.families import define
from gdfast.named import Named, named, parameters_of_factory
from gdfast.problems import Problem
from gdfast.rules import check_coefficients, check_memory, in_columns, sample

_MOST_TOLERANCES = 16
_OF_THE_PROBLEM: Mapping[str, Callable[[Problem], float]] = {
    "lowest": lambda problem: problem.lowest,
    "scale": lambda problem: problem.loss_scale,
}
"""Coefficients that the problem gives: its lowest loss and the scale of its losses, in units of the losses measured."""


@dataclass(frozen=True, eq=False, repr=False)
class Measure(Named):
    """A number for each trajectory, made of the losses before its updates.

    Parameters
    ----------
    rule : callable
        From the loss before an update, the memory slots and the coefficients to the new memory slots, in the grammar
        of update rules. Coefficients named ``lowest`` and ``scale`` are the problem's lowest loss and loss scale.
    initial : mapping
        The memory slots with their first values.
    step_table : callable
        From the updates done before, ``t = 0, 1, …`` (float64 array), and the budget to a mapping of names to arrays
        of the same length. The other coefficients are the factory's parameters.
    value : callable
        From the memory slots ``float64[r, n]``, how many losses are in them ``int64[n]``, the budget and whether each
        trajectory has diverged ``bool[n]`` to the values ``float64[n]``, or ``float64[k, n]`` for k tolerances.
    parameters : mapping
        Coefficients by name that do not depend on the step; a factory's are its parameters.
    tolerances : tuple of float, optional
        Where a measure tells a number for each of several tolerances, which are then a dimension of the result.

    Raises
    ------
    TypeError, ValueError
        If the rule is not in the grammar, or its arguments and what it returns do not fit the rest.

    Examples
    --------
    One of one's own: how many losses were above a level.

    >>> import gdfast
    >>> def above(loss, count, level):
    ...     return count + (loss > level)
    >>> @named(level=arguments.ANY)
    ... def steps_above(level: float = 0.0) -> Measure:
    ...     return Measure(above, {"count": 0.0}, lambda t, budget: {}, lambda memory, *others: memory[0])
    >>> sweep = gdfast.Sweep("quartic", "gd", [0.001, 0.01], [-3.5], measure=steps_above(level=-5))
    >>> gdfast.run(sweep, backend="numpy").measure.values.ravel()
    array([21.,  1.])
    """

    rule: Callable[..., Any]
    initial: Mapping[str, float]
    step_table: Callable[[Array, int], Mapping[str, Array]]
    value: Callable[[Array, NDArray[np.int64], int, NDArray[np.bool_]], Array]
    parameters: Mapping[str, Any] = field(default_factory=parameters_of_factory)
    tolerances: tuple[float, ...] | None = None

    def __post_init__(self) -> None:
        self.pin("rule")
        check_memory(self.rule, self.initial)
        arguments.function("value", self.value, "a function from memory, number of losses, budget and who diverged")
        parameters = arguments.mapping("parameters", self.parameters, "a mapping from names to values")
        columns = sample(self.step_table, np.array([0.0, 1.0]), 1)
        known = {*parameters, *columns, *_OF_THE_PROBLEM}
        check_coefficients(self.rule, self.coefficients, known, "a memory slot is told by initial")
        object.__setattr__(self, "parameters", MappingProxyType(parameters))
        if self.tolerances is not None:
            object.__setattr__(self, "tolerances", _several("tolerances", self.tolerances))

    @property
    def coefficients(self) -> tuple[str, ...]:
        """Names of the coefficients: the rule's arguments after the loss and the memory slots."""
        return tuple(inspect.signature(self.rule).parameters)[1 + len(self.initial) :]

    @property
    def needs_lowest(self) -> bool:
        """Whether the rule asks for the lowest loss, so that the problem must have a minimum that is known."""
        return "lowest" in self.coefficients

    def columns(self, max_steps: int, problem: Problem) -> Array:
        """The coefficients of every step, ``float64[max_steps + 1, c]``; the last row belongs to no update.

        Parameters
        ----------
        max_steps : int
            The budget.
        problem : Problem
            Whose lowest loss and scale some of them are.

        Returns
        -------
        ndarray
            A row a step, a column a coefficient.
        """
        t = np.arange(max_steps + 1, dtype=np.float64)
        of_problem = {name: tell(problem) / problem.loss_per_objective for name, tell in _OF_THE_PROBLEM.items()}
        columns = {**of_problem, **self.parameters, **self.step_table(t, max_steps)}
        return in_columns(self.coefficients, columns, len(t))


def _convergence(loss, first, last, late, total, inverse, is_first, is_late, clip, floor):
    first = select(is_first > 0, loss - floor, first)
    v = (loss - floor) / first
    v = select(v <= clip, v, clip)
    v = select(v > 0, v, 0.0)
    return first, v, late + is_late * v, total + v, inverse + 1 / v


@named(clip=arguments.POSITIVE, floor=arguments.ANY)
def convergence(window: int = 20, clip: float = 1e6, floor: float = 0.0) -> Measure:
    """−Σv of the losses v of a trajectory that converges, Σ1/v of one that does not.

    v_t = (loss_t − floor) / (loss_0 − floor) for the losses before the updates t = 0, 1, …; what is above `clip` or
    not a number is `clip`, what is below 0 is 0. A trajectory converges if the mean of the last `window` of them is
    below 1. The slower it does or does not, the larger is the absolute value: near the budget at the boundary, some few
    for what is quick. `floor` is to be a lower bound of the loss: the problem's lowest loss where that is not 0. A
    trajectory that starts there has no scale, and does not converge.

    Source: Sohl-Dickstein (2024), arXiv 2402.06184, and its notebook.

    Parameters
    ----------
    window : int
        How many of the last losses tell whether it converges.
    clip : float > 0
        What larger values of v count as.
    floor : float
        A lower bound of the loss.
    """
    arguments.integer("convergence: window", window)

    def step_table(t: Array, budget: int) -> Mapping[str, Array]:
        return {"is_first": (t == 0).astype(float), "is_late": ((t >= budget - window) & (t < budget)).astype(float)}

    def value(memory: Array, seen: NDArray[np.int64], budget: int, diverged: NDArray[np.bool_]) -> Array:
        _, last, late, total, inverse = memory
        rest, left = np.where(diverged, clip, last), budget - seen
        with np.errstate(all="ignore"):
            late = late + rest * np.minimum(left, window)
            total = total + rest * left
            inverse = inverse + np.where(left > 0, left / rest, 0.0)
        return np.asarray(np.where(late < min(window, budget), -total, inverse))

    slots = ("first", "last", "late", "total", "inverse")
    return Measure(_convergence, dict.fromkeys(slots, 0.0), step_table, value)


def _several(argument: str, values: Any) -> tuple[float, ...]:
    """Several different tolerances, not below 0.

    Raises
    ------
    TypeError, ValueError
        If they are none.
    """
    values = arguments.several(argument, values, "a number or several, such as (1e-2, 1e-4)")
    tolerances = tuple(arguments.number(argument, value, arguments.NONNEGATIVE) for value in values)
    if len({*tolerances}) < len(tolerances) or len(tolerances) > _MOST_TOLERANCES:
        raise ValueError(f"{argument} must be at most {_MOST_TOLERANCES} different numbers, not {tolerances}"[:300])
    return tolerances


def _one_or_several(value: Any) -> float | tuple[float, ...]:
    if isinstance(value, numbers.Real) and not isinstance(value, bool):
        return arguments.number("tolerance", value, arguments.NONNEGATIVE)
    return _several("tolerance", value)


def _first(loss, first, t, lowest, scale, tolerance):
    return select(loss - lowest <= tolerance * scale, minimum(first, t), first)


@functools.lru_cache(maxsize=_MOST_TOLERANCES)
def _first_of(count: int) -> Callable[..., Any]:
    """The rule for so many tolerances, each with a memory slot of its own."""
    several = range(1, count + 1)
    first, tolerance = ([f"{name}{i}" for i in several] for name in ("first", "tolerance"))
    results = [f"select(loss - lowest <= tolerance{i} * scale, minimum(first{i}, t), first{i})" for i in several]
    return define("first_of_several", ["loss", *first, "t", "lowest", "scale", *tolerance], [], results)


@named(tolerance=_one_or_several)
def steps_to_reach(tolerance: float | Sequence[float] = 1e-6) -> Measure:
    """The updates after which (loss − lowest) / scale, the excess, was at most a tolerance for the first time.

    NaN for a trajectory whose losses before its updates never were. Where steps see a mini-batch only, so does this,
    and tells when the loss of a batch was so low. In `gdfast.analysis` it is the cost of what reached, instead of the
    steps until it settled. `lowest` and `scale` are the problem's, see `gdfast.problems.Problem`.

    Of several tolerances, ``steps_to_reach([1e-2, 1e-4])`` or ``steps_to_reach:tolerance=0.01/0.0001``, each has a
    number of its own, along the dimension ``loss_tolerance`` of the result's ``measure``. What needs one number of a
    trajectory takes the smallest tolerance, unless one was selected: ``result.sel(loss_tolerance=1e-2)``.

    Parameters
    ----------
    tolerance : float > 0 or sequence of float
        One excess, or several.

    Examples
    --------
    >>> import gdfast
    >>> measure = gdfast.measures.steps_to_reach(1e-3)
    >>> result = gdfast.run(gdfast.Sweep("quartic", "gd", [0.01], [-2.5, 1.0], measure=measure), backend="numpy")
    >>> result.measure.values.ravel()
    array([ 9., nan])
    """
    several = tolerance if isinstance(tolerance, tuple) else None
    names = [f"{i}" for i in range(1, len(several) + 1)] if several else [""]

    def step_table(t: Array, budget: int) -> Mapping[str, Array]:
        return {"t": t, **{f"tolerance{i}": np.full_like(t, each) for i, each in enumerate(several or (), 1)}}

    def value(memory: Array, seen: NDArray[np.int64], budget: int, diverged: NDArray[np.bool_]) -> Array:
        steps = np.where(np.isfinite(memory), memory, np.nan)
        return steps if several else steps[0]

    rule = _first_of(len(several)) if several else _first
    return Measure(rule, {f"first{i}": np.inf for i in names}, step_table, value, tolerances=several)


CATALOGUE: dict[str, Callable[..., Measure]] = {"convergence": convergence, "steps_to_reach": steps_to_reach}
"""The measures by name."""

"""Losses that depend on the step: each step takes the gradient of one of several parts, ends are judged by one loss.

It is to formulas what mini-batches are to rows: the parts take turns, the same for every trajectory, and where a
trajectory ended is judged by a loss that stays the same, the mean of all parts or the last one. Since a point where
one part is flat may be left at the next step, no trajectory has settled before the loss stays what it is.
"""

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from gdfast import arguments
from gdfast.formulas.elementary import Array
from gdfast.formulas.mathematics import by_number, read
from gdfast.named import is_factory
from gdfast.problems._data_problem import DataProblem
from gdfast.problems._formula_lanes import lane_kernel
from gdfast.problems._landscape import MOST_COORDINATES, Landscape, checked_domain
from gdfast.problems._problem import Problem
from gdfast.problems._scales import LOOSE
from gdfast.problems._stationary import StationaryPoint
from gdfast.problems._stepping import NEVER, LaneKernel, real_of
from gdfast.problems._turns import in_turn_numbers, lanes_in_turn, total_of
from gdfast.problems.expression import landscape_of

MOST_TURNS = 10**8  # whose parts the reference knows: all up to a step are drawn at once
MOST_KINDS = 64
"""Formulas that losses in turn may have between them; the numbers in a formula may have any values."""

Turns = Callable[[int], NDArray[np.int64]]
"""From a number of steps to the part that each of so many takes, ``int64[steps]``."""


class Mean(Problem):
    """The weighted mean of losses of the same coordinates.

    Its stationary points are searched for; where a part has data, none is known.

    Parameters
    ----------
    parts : sequence of Problem
        What it is the mean of.
    weights : ndarray
        ``float64[parts]``; what has none is left out.
    domain : ndarray
        ``float64[d, 2]``.
    """

    def __init__(self, parts: Sequence[Problem], weights: Array, domain: Array) -> None:
        self.parts, self.weights, self.domain = parts, weights, domain
        self.loss_per_objective = parts[0].loss_per_objective
        self.loss_tolerance = LOOSE

    @property
    def coordinates(self) -> tuple[str, ...]:
        return self.parts[0].coordinates

    def _mean(self, values: Callable[[Problem], Array], shape: tuple[int, ...], real: Any) -> Array:
        total = np.zeros(shape, real)
        for part, weight in zip(self.parts, self.weights.astype(real), strict=True):
            if weight > 0:
                total += weight * values(part)
        return np.asarray(total / real.type(total_of(self.weights)))

    def loss(self, theta: Array) -> Array:
        return self.loss_per_objective * self.objective(theta)

    def objective(self, theta: Array) -> Array:
        return self._mean(lambda part: part.objective(theta), theta.shape[1:], real_of(theta))

    def gradient(self, theta: Array) -> Array:
        return self._mean(lambda part: part.gradient(theta), theta.shape, real_of(theta))

    def hessian(self, theta: Array) -> Array:
        return self._mean(lambda part: part.hessian(theta), (len(theta), *theta.shape), np.dtype(np.float64))

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        if self.dimension > MOST_COORDINATES or any(isinstance(part, DataProblem) for part in self.parts):
            return ()
        return super().stationary_points


class Stepwise(Problem):
    """A loss that depends on the step.

    Parameters
    ----------
    parts : sequence of Problem
        The losses that take turns, of the same coordinates.
    turns : callable
        The part of each step.
    weights : ndarray
        Of each part in the mean by which ends are judged, ``float64[parts]``.
    domain : ndarray
        ``float64[d, 2]``.
    settles_from : int
        The step from which on the parts take no turns any more.
    minimum : float, optional
        The lowest loss, where the user knows it.
    """

    takes_turns = True

    def __init__(
        self,
        parts: Sequence[Problem],
        turns: Turns,
        weights: Array,
        domain: Array,
        settles_from: int = NEVER,
        minimum: float | None = None,
    ) -> None:
        self.parts, self.domain, self.settles_from, self.minimum = tuple(parts), domain, settles_from, minimum
        self._turns, self._known_turns, self.weights = turns, np.empty(0, dtype=np.int64), weights
        judged = [part for part, weight in zip(parts, weights, strict=True) if weight > 0]
        self.judged = judged[0] if len(judged) == 1 else Mean(parts, weights, domain)
        first = parts[0]
        self.groups, self.loss_per_objective = first.groups, first.loss_per_objective
        self.loss_tolerance = self.judged.loss_tolerance
        self.rows_each_step = max(part.rows_each_step for part in parts)
        self.bytes_each_step = 16 + max(part.bytes_each_step for part in parts)
        kernels = [_lanes_of(part) for part in parts]
        if all(kernels):
            kinds = list(dict.fromkeys(kernels))
            if len(kinds) > MOST_KINDS:
                raise ValueError(
                    f"losses must have at most {MOST_KINDS} formulas between them, not {len(kinds)}; numbers in which "
                    "they differ can be params"
                )
            self._kinds = [kinds.index(kernel) for kernel in kernels]
            self.lane_kernel = lanes_in_turn(tuple(kinds), len(domain))
            self.layout_of_all = self._numbers(0, together=True)[1]
        if hasattr(first, "starts_along"):
            self.starts_along = first.starts_along

    def turn(self, t: int) -> int:
        """Return the part that the update after `t` others takes.

        Parameters
        ----------
        t : int
            Updates done before.

        Returns
        -------
        int
            Its number.
        """
        if t >= len(self._known_turns):
            arguments.integer("t", t, low=0, high=MOST_TURNS)
            self._known_turns = self._turns(max(2 * t, 1024))
        return int(self._known_turns[t])

    def step_gradient(self, theta: Array, t: int) -> Array:
        return self.parts[self.turn(t)].step_gradient(theta, t)

    def step_objective(self, theta: Array, t: int) -> Array:
        return self.parts[self.turn(t)].step_objective(theta, t)

    def lane_data(self, max_steps: int) -> tuple[Array, NDArray[np.int64]]:
        """Return the numbers of all parts, and the part of each step.

        Parameters
        ----------
        max_steps : int
            The budget.

        Returns
        -------
        tuple of ndarray
            Data and layout.
        """
        return self._numbers(max_steps, together=False)

    def _numbers(self, max_steps: int, together: bool) -> tuple[Array, NDArray[np.int64]]:
        assert self.lane_kernel
        given = [part.lane_data(max_steps) for part in self.parts]
        if together:
            given = [(data, part.layout_of_all) for (data, _), part in zip(given, self.parts, strict=True)]
        turns = None if together else self._turns(max_steps + 1)
        scratch = self.lane_kernel.work_rows - self.dimension
        return in_turn_numbers(given, self._kinds, self.weights, scratch, turns)

    @property
    def step_work(self) -> int:
        return max(part.step_work for part in self.parts)

    @functools.cached_property
    def group(self) -> NDArray[np.int64]:
        return self.parts[0].group

    @functools.cached_property
    def arrays(self) -> NDArray[np.int64]:
        return self.parts[0].arrays

    @property
    def params(self) -> Mapping[str, float]:
        """Values of the names in expressions that are no coordinates."""
        return self.parameters.get("params") or {}

    # Where trajectories begin, and by which loss they are judged, is another problem's to say.

    @property
    def coordinates(self) -> tuple[str, ...]:
        return self.parts[0].coordinates

    def random(self, n: int, seed: int = 0) -> Array:
        return self.parts[0].random(n, seed) if self._has_data else super().random(n, seed)

    def default_starts(self, n: int) -> Any:
        return self.parts[0].default_starts(n) if self._has_data else super().default_starts(n)

    @property
    def _has_data(self) -> bool:
        return any(isinstance(part, DataProblem) for part in self.parts)

    def loss(self, theta: Array) -> Array:
        return self.judged.loss(theta)

    def objective(self, theta: Array) -> Array:
        return self.judged.objective(theta)

    def gradient(self, theta: Array) -> Array:
        return self.judged.gradient(theta)

    def hessian(self, theta: Array) -> Array:
        return self.judged.hessian(theta)

    def judge(self, theta: Array) -> tuple[Array, Array]:
        return self.judged.judge(theta)

    @functools.cached_property
    def stationary_points(self) -> tuple[StationaryPoint, ...]:
        """Those of the loss by which ends are judged."""
        return self.judged.stationary_points

    def locate(self, theta: Array, loss: Array, gradient_tolerance: float) -> NDArray[np.int64]:
        return self.judged.locate(theta, loss, gradient_tolerance)

    def nearest_minimum(self, theta: Array) -> NDArray[np.int64]:
        return self.judged.nearest_minimum(theta)

    @property
    def compares_points(self) -> bool:
        return False

    def settled(self, end: Array) -> tuple[float, ...] | None:
        return None if self._has_data else super().settled(end)


def _lanes_of(part: Problem) -> LaneKernel | None:
    """The lane functions of a part; None of what NumPy alone runs."""
    if part.lane_kernel is not None or not isinstance(part, Landscape):
        return part.lane_kernel
    return lane_kernel(part.loss_formula, part.gradient_formula, part.dimension, len(part.params))


def made(losses: Any) -> Any:
    """Losses, or one, with what factories make in their places; anything else as it is."""
    if isinstance(losses, list | tuple):
        return tuple(map(made, losses))
    return losses() if is_factory(losses) else losses


def known_minimum(value: Any) -> float:
    """The lowest loss, which is a number."""
    return arguments.number("minimum", value)


def parts_of(name: str, losses: Any, domain: Any, params: Any) -> tuple[list[Problem], Array]:
    """Return the problems that are told by losses, and the domain of them all.

    Parameters
    ----------
    name : str
        Of the factory, for messages.
    losses : sequence
        Problems, or expressions, which have all coordinates that one of them names.
    domain, params
        As of `gdfast.problems.from_expression`; where there are problems, the domain is the box around theirs if not
        given.

    Returns
    -------
    tuple
        The problems, and ``float64[d, 2]``.

    Raises
    ------
    TypeError, ValueError
        If they are no losses of the same coordinates.
    """
    accepted = "expressions or problems, such as ['3*x', '-x']"
    given = arguments.several(f"{name}: losses", losses, accepted)
    for each in given:
        if not isinstance(each, str | Problem):
            raise TypeError(f"{name}: losses must be {accepted}, not {arguments.shown(each)}")
    problems = [each for each in given if isinstance(each, Problem)]
    texts = [each for each in given if isinstance(each, str)]
    values = arguments.mapping(f"{name}: params", {} if params is None else params, "a mapping from names to numbers")
    if values and not texts:
        raise ValueError(f"{name}: params must not be given without expressions, which have them")
    for other in problems[1:]:
        _check_alike(name, problems[0], other)
    if problems and domain is None:
        low, high = np.stack([problem.domain for problem in problems]).T
        domain = np.stack([low.min(axis=1), high.max(axis=1)], axis=1)
    try:
        landscapes = _of_texts(texts, problems[0].coordinates if problems else None, domain, values)
    except (TypeError, ValueError) as error:
        raise type(error)(f"{name}: {error}") from None
    parts = [landscapes[each] if isinstance(each, str) else each for each in given]
    if problems and landscapes:
        _check_alike(name, problems[0], next(iter(landscapes.values())))
    if landscapes:
        return parts, next(iter(landscapes.values())).domain
    return parts, checked_domain(name, domain, parts[0].coordinates)


def _of_texts(
    texts: Sequence[str], coordinates: tuple[str, ...] | None, domain: Any, values: Mapping[str, Any]
) -> dict[str, Problem]:
    """The landscapes of expressions, each of all coordinates and with the params that it names."""
    named = {text: read(text).names for text in texts}
    for name in values:
        arguments.choice("params: name", name, dict.fromkeys(n for names in named.values() for n in names))
    every = sorted({name for names in named.values() for name in names if name not in values}, key=by_number)
    if coordinates:
        for name in every:
            arguments.choice("expression: coordinate", name, coordinates)
        every = [*coordinates]
    return {
        text: landscape_of(text, tuple(every), domain, {n: v for n, v in values.items() if n in names})
        for text, names in named.items()
    }


def _check_alike(name: str, first: Problem, other: Problem) -> None:
    """Refuse parts that are no losses of the same coordinates, or take steps of different kinds."""
    if first.coordinates != other.coordinates:
        few = [", ".join(each.coordinates[:9]) + (", …" if each.dimension > 9 else "") for each in (first, other)]
        raise ValueError(f"{name}: losses must have the same coordinates, not {few[0]} and {few[1]}")
    if not np.array_equal(first.group, other.group) or not np.array_equal(first.arrays, other.arrays):
        raise ValueError(f"{name}: losses must have the same groups and matrices, but those of {other.label} differ")
    if first.loss_per_objective != other.loss_per_objective:
        raise ValueError(
            f"{name}: losses must be told as they are stepped by, or all be mean squares, but {first.label} is "
            f"{first.loss_per_objective:g} times what its gradient is of, and {other.label} "
            f"{other.loss_per_objective:g} times"
        )

"""The grid learning rate × start × optimizer over one problem: axes, labels, the only validation, its tiles."""

from __future__ import annotations  # so that help() shows short ones

import functools
import hashlib
import inspect
import itertools
import math
from collections import Counter
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from gdfast import arguments, memory, notation, starting
from gdfast.arguments import shown
from gdfast.called import called, optimizers_of, problem_of
from gdfast.formulas.elementary import Array
from gdfast.history import History
from gdfast.measures import Measure
from gdfast.optimizers import Optimizer
from gdfast.parts import Parts
from gdfast.problems import Problem
from gdfast.problems._scales import USUAL_LIMIT
from gdfast.starts import Starts
from gdfast.tiles.given import count, labels_of, points_of, rates_of
from gdfast.tiles.hyperparameters import hyperparameters_of
from gdfast.values import Value, content_of

_LARGEST_TILE = 32640  # 30 blocks of 1088 lanes
_LARGEST_RECORD = 2**26  # bytes of what is recorded of a tile's trajectories while it runs
_LONGEST_LIST = 16384
_DEFAULT_STARTS = 256
PLANS_KEPT = 16
"""Optimizers whose tables of steps are kept while tiles run: they come optimizer by optimizer."""

_NO_LABELS: Mapping[str, Any] = MappingProxyType({})
_AXES = ("optimizers", "learning rates", "starts")
_Optimizers = Optimizer | str | Callable[..., Optimizer]
_TOLERANCES = {"float64": 1e-8, "float32": 1e-6}


class Tile(NamedTuple):
    """The unit of work: one optimizer × a contiguous range of trajectories.

    A trajectory's number within an optimizer is ``learning_rate_index * m + start_index``.
    """

    optimizer: int
    first: int
    last: int


@dataclass(frozen=True, eq=False, repr=False)
class Sweep(Value):
    """The full grid learning rate × start × optimizer over one problem.

    Wherever a problem or an optimizer is wanted, its factory will do, and its text as on the command line, see
    `gdfast.notation`: ``Sweep("quartic", ["gd", "adam:beta1=0.8"], "1e-4:1:512", "-3:3:64", max_steps=1e4)``.

    Parameters
    ----------
    problem : Problem, str or factory
        What is minimized; see `gdfast.problems`.
    optimizers : Optimizer, str or factory, or a sequence of them
        The update rules; see `gdfast.optimizers`. One rule may stand here several times with different
        hyperparameters; `gdfast.optimizers.grid` makes such lists.
    learning_rates : array_like, (k,) or (k, groups), or str
        Positive learning rates: one for all coordinates, or one for each of the problem's `groups`. A text is an axis,
        ``low:high:count``, logarithmic unless ``linear:`` stands first; after ``default:``, as in
        ``default:0.01:100:64``, of multiples of each optimizer's default, see `Optimizer.in_units`. A read-only copy
        is kept.
    starts : array_like, (m, d), or Starts, or str or sequence of str, optional
        Initial points; in one dimension (m,) will do. Some 256 of the problem's own if not given, see
        `Problem.default_starts`. The labels of a `gdfast.starts.Starts` become coordinates of the result.
        Coordinates that have names, as the columns of a table of pandas, are taken by them.
        Texts are axes of a grid, one a coordinate, as `learning_rates`, but linear unless ``log:`` stands first. A
        read-only copy is kept.
    max_steps : int
        The budget of each trajectory, in updates. Coefficients that depend on the step are tabulated: 8 bytes for
        each of an optimizer's coefficients and each step.
    gradient_tolerance : float, optional
        A trajectory is stationary when ``max|g|`` is at most this, times the problem's `gradient_scale`, at two
        consecutive points, whatever transforms make of it. 1e-8 if not given, 1e-6 in float32, whose gradients are
        hardly ever smaller than rounding.
    divergence_limit : float
        A trajectory has diverged when ``max|g|`` is not at most this, times the problem's `gradient_scale`, or the loss
        at its end not this many times the problem's `loss_scale` above the lowest (see its `divergence_scales`).
    tile_size : int, optional
        Largest number of trajectories in a tile. Chosen so that tiles are many and small if not given. It has
        no influence on any result.
    measure : Measure, str or factory, optional
        A number to be told of each trajectory's whole history of losses; see `gdfast.measures`.
    check_every : int
        Look only at every k-th point whether a trajectory has settled: at those after 0, k, 2k, … updates. `steps`
        of what settles are then multiples of k, and "two consecutive points" are k steps apart.
    dtype : {"float64", "float32"}
        The type that trajectories are computed in. In float32 lanes are twice as many. Learning rates, starts,
        coefficients and data are rounded to it; seeds are not. Results are stored as float64 all the same.
    loss_tolerance : float, optional
        A trajectory that has not diverged is at the lowest minimum when the loss at its end is above that by at most
        this, times the problem's `loss_scale`, however it ended. The problem's own if not given.
    settle : bool
        Whether a trajectory ends where it is stationary. If not, the whole budget is run, of what has not diverged, and
        what is stationary at its end is judged by where that is: to see what stays at a minimum and what leaves it.
    history : History, str or sequence of str, optional
        What is recorded of each trajectory at chosen steps, such as ``"loss,sharpness:64"``; see
        `gdfast.history.History`. A result has ``history_loss`` and so on over ``recorded_step`` too.

    Raises
    ------
    TypeError, ValueError
        If an argument is not of the accepted kind; the message names it.

    Examples
    --------
    >>> sweep = Sweep("quartic", ["gd", "adam:beta1=0.8"], "1e-4:1:64", "-3:3:16", max_steps=200)
    >>> sweep
    <sweep of quartic: 2 optimizers × 64 learning rates × 16 starts, 200 steps>
    >>> sweep.labels, sweep.starts.shape
    (['gd', 'adam:beta1=0.8'], (16, 1))
    """

    problem: Problem
    optimizers: Sequence[Optimizer]
    learning_rates: Array
    starts: Array
    max_steps: int = 1000
    gradient_tolerance: float = 1e-8
    divergence_limit: float = USUAL_LIMIT
    tile_size: int | None = None
    measure: Measure | None = None
    check_every: int = 1
    dtype: str = "float64"
    loss_tolerance: float = 1e-6
    settle: bool = True
    history: History | None = None
    start_labels: Mapping[str, Any] = field(default_factory=dict)

    def __init__(
        self,
        problem: Problem | str | Callable[..., Problem],
        optimizers: _Optimizers | Sequence[_Optimizers],
        learning_rates: ArrayLike | str = "1e-4:1:256",
        starts: ArrayLike | Starts | Sequence[str] | None = None,
        max_steps: float = 1000,
        gradient_tolerance: float | None = None,
        divergence_limit: float = USUAL_LIMIT,
        tile_size: int | None = None,
        measure: Measure | str | Callable[..., Measure] | None = None,
        check_every: int = 1,
        dtype: str = "float64",
        loss_tolerance: float | None = None,
        settle: bool = True,
        history: History | str | Sequence[str] | None = None,
    ) -> None:
        problem = problem_of(problem)
        measure = notation.measure(measure) if isinstance(measure, str) else called(measure)
        if not isinstance(measure, Measure | None):
            raise TypeError(f"measure must be a measure, such as gdfast.measures.convergence(), not {shown(measure)}")
        dtype = arguments.choice("dtype", dtype, [*_TOLERANCES])
        if dtype == "float32" and problem.lane_kernel and not problem.lane_kernel.single:
            raise ValueError(f"dtype must be 'float64' for {problem.name}, whose lane kernel is for that alone")
        if gradient_tolerance is None:
            gradient_tolerance = _TOLERANCES[dtype]
        if starts is None:
            starts = problem.default_starts(_DEFAULT_STARTS)
        starts = starting.named(problem, starts)
        rules = optimizers_of(optimizers)
        if isinstance(learning_rates, str):
            learning_rates, rules = notation.parse_rates("learning_rates", learning_rates, rules)
        rates, points = rates_of(learning_rates, problem.groups), points_of(starts, problem)
        settings: dict[str, Any] = {
            "problem": problem,
            "optimizers": rules,
            "learning_rates": rates,
            "starts": points,
            "start_labels": labels_of(starts.labels) if isinstance(starts, Starts) else _NO_LABELS,
            "max_steps": count("max_steps", max_steps),
            "gradient_tolerance": arguments.number("gradient_tolerance", gradient_tolerance, arguments.NONNEGATIVE),
            "divergence_limit": arguments.number("divergence_limit", divergence_limit, arguments.POSITIVE),
            "tile_size": None if tile_size is None else count("tile_size", tile_size),
            "measure": measure,
            "check_every": count("check_every", check_every),
            "dtype": dtype,
            "loss_tolerance": arguments.number(
                "loss_tolerance",
                problem.loss_tolerance if loss_tolerance is None else loss_tolerance,
                arguments.NONNEGATIVE,
            ),
            "settle": arguments.flag("settle", settle),
            "history": None if history is None else History.of(history),
        }
        arguments.integer("learning_rates × starts, the size of the grid,", len(rates) * len(points), high=2**40)
        if settings["divergence_limit"] <= settings["gradient_tolerance"]:
            raise ValueError(
                f"divergence_limit must be above gradient_tolerance, {settings['gradient_tolerance']:g}, "
                f"not {settings['divergence_limit']:g}"
            )
        for array in (rates, points):
            array.flags.writeable = False
        for name, value in settings.items():
            object.__setattr__(self, name, value)
        self._check_pairs()
        self._check_tables()

    def _check_pairs(self) -> None:
        """Refuse optimizers, and a measure, that need of the problem what it does not provide."""
        for optimizer in self.optimizers:
            optimizer.check(self.max_steps)
            for need, what in optimizer.needs.items():
                if need not in self.problem.provides:
                    raise ValueError(
                        f"optimizers: {optimizer.label} needs {what}, which problem {self.problem.label} does not have"
                    )
            if optimizer.steps and self.learning_rates.ndim == 2:
                raise ValueError(
                    f"learning_rates: {optimizer.label} takes one learning rate for all coordinates, not one for each "
                    f"of the groups {', '.join(self.problem.groups)}"
                )
        if self.problem.minimum is not None:
            _ = self.problem.lowest  # which refuses one that is not the lowest
        if self.measure and self.measure.needs_lowest and not math.isfinite(self.problem.lowest):
            raise ValueError(
                f"measure: {self.measure.label} needs the loss of the lowest minimum, "
                f"which problem {self.problem.label} does not have"
            )
        if self.history:
            self.history.check(self.problem, self.max_steps)

    def _check_tables(self) -> None:
        """Refuse tables of steps, and what is recorded of a tile, where they do not fit into memory."""
        columns = sorted((Parts.of(optimizer, self.measure).width for optimizer in self.optimizers), reverse=True)
        kept = 3 * columns[0] + sum(columns[:PLANS_KEPT])  # three copies while the widest is made
        memory.fits(
            f"max_steps: the numbers that depend on the step, for {self.max_steps:,} steps,",
            8 * kept * (self.max_steps + 1) + self.problem.bytes_each_step * self.max_steps,
        )
        most = min(self._tile_sizes[0], self.shape[1] * self.shape[2])
        memory.fits(
            f"history: what is recorded of {most:,} trajectories at {len(self.recorded_steps):,} steps",
            2 * most * self._bytes_recorded,
            "record it at fewer steps",
        )

    def _arguments(self) -> dict[str, Any]:
        """What the same sweep is made of."""
        told = {name: getattr(self, name) for name in inspect.signature(Sweep).parameters}
        return {**told, "starts": Starts(self.starts, self.start_labels)} if self.start_labels else told

    def content(self) -> Hashable:
        """Return everything that is given to make it.

        Returns
        -------
        hashable
            By which sweeps are equal.
        """
        told = {**self._arguments(), "starts": self.starts, "labels of starts": self.start_labels}
        return content_of(told)

    def replace(self, **changes: Any) -> Sweep:
        """Return the same sweep with other arguments.

        Parameters
        ----------
        **changes
            Arguments by name.

        Returns
        -------
        Sweep
            With all others as they are.

        Raises
        ------
        TypeError, ValueError
            If there is no such argument, or it is not accepted.
        """
        told = self._arguments()
        for name in changes:
            arguments.choice("Sweep: argument", name, told)
        return Sweep(**{**told, **changes})

    def __repr__(self) -> str:
        sizes = " × ".join(f"{size:,} {name}" for size, name in zip(self.shape, _AXES, strict=True))
        return f"<sweep of {self.problem.label}: {sizes}, {self.max_steps:,} steps>"

    def __reduce__(self) -> Any:
        # Without what was derived and kept, so that the same sweep has the same bytes.
        return Sweep, tuple(self._arguments().values())

    def part(self, learning_rates: Array, starts: Array) -> Sweep:
        """The same sweep over other learning rates and starts, which have no labels.

        Parameters
        ----------
        learning_rates : ndarray
            ``float64[k]`` or ``float64[k, groups]``.
        starts : ndarray
            ``float64[m, d]``.

        Returns
        -------
        Sweep
            With all else as it is.
        """
        return self.replace(learning_rates=learning_rates, starts=starts)

    @property
    def scaled_tolerances(self) -> tuple[float, float]:
        """Gradient tolerance and divergence limit for the problem's gradients, as numbers that `dtype` has."""
        largest = float(np.finfo(self.dtype).max)
        tolerance, limit = (
            float(np.dtype(self.dtype).type(min(value * scale, largest)))
            for value, scale in (
                (self.gradient_tolerance, self.problem.gradient_scale),
                (self.divergence_limit, self.problem.divergence_scales[1]),
            )
        )
        return tolerance, limit

    @property
    def settles(self) -> bool:
        """Whether what is stationary has settled, at least towards the end of the budget."""
        return self.settle and self.problem.settles_from <= self.max_steps

    @functools.cached_property
    def recorded_steps(self) -> NDArray[np.int64]:
        """The updates done at what the history records, ``int64[k]``; none without a history."""
        return self.history.recorded_steps(self.max_steps) if self.history else np.empty(0, dtype=np.int64)

    @property
    def _bytes_recorded(self) -> int:
        """Of a trajectory, while its tile runs."""
        loss, gradient, points, states = self.history.needs if self.history else [False] * 4
        slots = max((len(optimizer.state) for optimizer in self.optimizers if optimizer.preconditioner), default=0)
        return 8 * len(self.recorded_steps) * (loss + gradient + (points + states * slots) * self.problem.dimension)

    @functools.cached_property
    def group_rates(self) -> Array:
        """The learning rates of each of the problem's groups, ``float64[groups, k]``."""
        rates = self.learning_rates if self.learning_rates.ndim == 2 else self.learning_rates[:, None]
        return np.repeat(rates.T, len(self.problem.groups) // rates.shape[1], axis=0)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Numbers of optimizers, learning rates and starts."""
        return len(self.optimizers), len(self.learning_rates), len(self.starts)

    @property
    def size(self) -> int:
        """Number of trajectories."""
        return int(np.prod(self.shape, dtype=np.int64))

    @property
    def labels(self) -> list[str]:
        """One label an optimizer, made unique by a number where two are the same."""
        labels, counts = [optimizer.label for optimizer in self.optimizers], Counter[str]()
        for i, label in enumerate(labels):
            counts[label] += 1
            labels[i] += f"#{counts[label]}" if counts[label] > 1 else ""
        return labels

    @property
    def hyperparameters(self) -> dict[str, Array | list[str]]:
        """Every hyperparameter in which the optimizers that have it differ, with one value an optimizer.

        Numbers and truth values (as 0 and 1) are ``float64[o]``, NaN where an optimizer has none; whole numbers that
        float64 would round, as seeds may be, are ``int64[o]`` where all have one; others are texts, empty where there
        is none. A ``schedule``, where optimizers differ in it, is given by its label; its parameters are named like
        ``cosine_end`` (``warmup_cosine_end`` where one follows another), and a transform's like
        ``clip_norm_max_norm``, of a second one of the same name ``clip_norm2_max_norm``.
        """
        return hyperparameters_of(self.optimizers)

    @property
    def tiles(self) -> list[Tile]:
        """All tiles, in order: optimizer by optimizer, learning rate by learning rate."""
        total = self.shape[1] * self.shape[2]
        return [tile for o in range(len(self.optimizers)) for tile in self.split(o, 0, total)]

    def split(self, optimizer: int, first: int, last: int) -> list[Tile]:
        """Cut a range of an optimizer's trajectories into tiles.

        Parameters
        ----------
        optimizer : int
            Its number.
        first, last : int
            The numbers of the first trajectory, and of the one behind the last.

        Returns
        -------
        list of Tile
            In order; none is larger than `tile_size`.
        """
        size, small = self._tile_sizes
        turn = first + max((last - first) // size - 2, 0) * size
        begins = [*range(first, turn, size), *range(turn, last, small)]
        return [Tile(optimizer, *ends) for ends in itertools.pairwise([*begins, last])]

    @functools.cached_property
    def _tile_sizes(self) -> tuple[int, int]:
        """How many trajectories tiles have, and those at the end."""
        # Small ones at the end, so that cores finish together, but no crumbs: a tile costs 0.2 ms whatever its size.
        largest = max(min(_LARGEST_TILE, _LARGEST_RECORD // max(self._bytes_recorded, 1)), 64)
        least = min(max(1024 // self.problem.step_work, 64), largest)
        size = self.tile_size or min(max(-(-self.shape[1] * self.shape[2] // 8), least), largest)
        return size, self.tile_size or max(size // 4, least)

    @property
    def told_at_ends(self) -> tuple[str, ...]:
        """What a result tells of each trajectory beside its end and its loss, by the names of its variables.

        ``evaluations``, at how many points gradient or loss were asked for, where a step asks at more than its own.
        """
        several = any(optimizer.points > 1 or optimizer.counts for optimizer in self.optimizers)
        return (*self.problem.told_at_ends, *(["evaluations"] if several else []))

    @property
    def specification(self) -> dict[str, Any]:
        """Everything that determines the result, as plain data; of long axes the shape and a digest of the bytes."""
        return {
            "problem": self.problem.specification,
            "optimizers": [o.specification for o in self.optimizers],
            "learning_rates": _plain(self.learning_rates),
            "starts": _plain(self.starts),
            "max_steps": self.max_steps,
            "gradient_tolerance": self.gradient_tolerance,
            "divergence_limit": self.divergence_limit,
            "loss_tolerance": self.loss_tolerance,
            **({"check_every": self.check_every} if self.check_every > 1 else {}),
            **({"dtype": self.dtype} if self.dtype != "float64" else {}),
            **({} if self.settle else {"settle": False}),
            **({"measure": self.measure.specification} if self.measure else {}),
            **({"history": self.history.specification(self.max_steps)} if self.history else {}),
            **({"told_at_ends": list(self.told_at_ends)} if self.told_at_ends else {}),
        }


def _plain(values: Array) -> Any:
    if values.size <= _LONGEST_LIST:
        return values.tolist()
    return {"shape": list(values.shape), "sha256": hashlib.sha256(np.ascontiguousarray(values).tobytes()).hexdigest()}

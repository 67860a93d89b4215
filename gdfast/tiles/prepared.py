"""What the tiles of a sweep need, made once for all of them; kernels and reference read the same."""

import copy
import functools
import itertools
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from gdfast.formulas.elementary import Array
from gdfast.optimizers import Optimizer
from gdfast.parts import Parts, initial_memory, initial_state, step_table
from gdfast.tiles.ending import sampled_steps
from gdfast.tiles.outcomes import Judge
from gdfast.tiles.sweep import PLANS_KEPT, Sweep


class Plan(NamedTuple):
    """What the tiles of one optimizer need.

    Attributes
    ----------
    optimizer : Optimizer
        The optimizer.
    parts : Parts
        Where the parts of a step lie in the table and in the memory.
    table : ndarray
        The coefficients of every step, ``dtype[max_steps + 1, parts.width]``.
    state, memory : ndarray
        First value of each state slot, ``dtype[s]``, and of each memory slot, ``dtype[r]``.
    """

    optimizer: Optimizer
    parts: Parts
    table: Array
    state: Array
    memory: Array


class Prepared:
    """A sweep with what its tiles need.

    Parameters
    ----------
    sweep : Sweep
        The grid.

    Attributes
    ----------
    starts : ndarray
        Initial points, ``dtype[d, m]``.
    gradient_tolerance, divergence_limit : float
        For the problem's gradients, as numbers that the sweep's `dtype` has. Where trajectories do not settle the first
        is negative, which no gradient is within.
    settles_from : int
        The updates done before which it is as if it were so.
    sampled : ndarray
        The updates done where the objective is noted, ``int64[k]``, see `gdfast.tiles.ending.sampled_steps`.
    judge : Judge
        Tells what ends mean.
    plan : callable
        From the number of an optimizer to its `Plan`.
    pair : callable
        From the number of an optimizer to its compiled step; see `gdfast.tiles.tile.pair_of`.
    """

    def __init__(self, sweep: Sweep) -> None:
        self.sweep = sweep
        self.starts = np.ascontiguousarray(sweep.starts.T, sweep.dtype)
        self._rates: dict[float, Array] = {}
        tolerance, self.divergence_limit = sweep.scaled_tolerances
        self.gradient_tolerance = tolerance if sweep.settles else -1.0
        self.settles_from = sweep.problem.settles_from if sweep.settles else 0
        self.sampled = np.array([*itertools.chain(*sampled_steps(sweep.max_steps))], dtype=np.int64)
        self.judge = Judge(sweep)
        self.plan = functools.lru_cache(maxsize=PLANS_KEPT)(self._plan)
        self.pair = functools.lru_cache(maxsize=PLANS_KEPT)(self._pair)

    def begin(self, number: int, backend: str) -> None:
        """Make what the tiles of an optimizer need, which several threads would make each for themselves."""
        _ = self.plan(number), self.judge.limits
        if backend == "numba":
            self.pair(number)

    def part(self, learning_rates: NDArray[np.int64], starts: NDArray[np.int64]) -> "Prepared":
        """The same over those of the learning rates and starts that stand at these places; plans are shared."""
        part = copy.copy(self)
        part.sweep = self.sweep.part(self.sweep.learning_rates[learning_rates], self.sweep.starts[starts])
        part.starts = np.ascontiguousarray(self.starts[:, starts])
        part.judge = Judge(part.sweep)
        part._rates = {}
        return part

    def learning_rates(self, optimizer: int) -> Array:
        """Those of each group to an optimizer, which has units of its own, ``dtype[groups, k]``."""
        unit = self.sweep.optimizers[optimizer].unit
        if unit not in self._rates:
            self._rates[unit] = np.ascontiguousarray(self.sweep.group_rates * unit, self.sweep.dtype)
        return self._rates[unit]

    def _plan(self, number: int) -> Plan:
        sweep, optimizer = self.sweep, self.sweep.optimizers[number]
        table = step_table(optimizer, sweep.measure, sweep.problem, sweep.max_steps)
        return Plan(
            optimizer,
            Parts.of(optimizer, sweep.measure),
            table.astype(sweep.dtype, copy=False),
            initial_state(optimizer, sweep.problem, sweep.dtype),
            initial_memory(optimizer, sweep.measure, sweep.dtype),
        )

    def _pair(self, number: int) -> Any:
        from gdfast.tiles.tile import pair_of  # which the reference does without

        return pair_of(self.sweep, self.sweep.optimizers[number])
